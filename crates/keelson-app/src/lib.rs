//! The use cases of Keelson.
//!
//! A [`Keelson`] is an open catalogue: a store, and the view of its last revision in memory. A
//! reader takes a [`View`] and keeps it for as long as its question lasts; a commit publishes the
//! next view without waiting for readers. Everything that writes goes through
//! [`Keelson::commit`].
//!
//! The crate refuses to know HTTP, GraphQL and SurrealQL.

mod keelson;

pub use keelson::{AsOf, Error, Keelson};
pub use keelson_answers::View;
pub use keelson_store::{Draft, Options};
