//! keelson-analysis
