//! keelson-reconcile
