//! Filtering, ordering and paging of configuration items.
