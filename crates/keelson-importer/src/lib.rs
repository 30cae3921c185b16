//! keelson-importer
