//! keelson-import-kubernetes
