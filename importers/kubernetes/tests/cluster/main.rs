//! What a cluster becomes, by fixtures of our own.

mod common;
mod completeness;
mod content;
