//! keelson-import-gitlab
