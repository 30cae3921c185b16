//! keelson-catalogue
