//! Scenarios across crates, over real HTTP and a store on disk, and the test that holds the
//! directions between crates. It contains no code of the product.
