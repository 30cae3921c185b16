//! keelson-import-backstage
