//! keelson-graph
