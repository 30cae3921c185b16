//! keelson-tests
