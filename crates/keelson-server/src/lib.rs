//! keelson-server
