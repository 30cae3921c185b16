//! keelson-import-terraform
