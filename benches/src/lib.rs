//! keelson-benches
