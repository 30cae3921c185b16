//! The conformance kit: what every importer's tests check.
