//! keelson-app
