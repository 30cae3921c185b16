//! A tiny language for graphs in tests.
