//! keelson-import-batch
