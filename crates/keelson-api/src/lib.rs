//! Keelson's GraphQL interface: schema, guard, limits, and its handler over HTTP.
//!
//! A request passes these stages, and a refusal ends it:
//!
//! `method and content type → body size → guard ([`guard`]) → parse → cost ([`measure`]) → validation →
//! execution → status → form of the answer`
//!
//! | To | Look in |
//! | --- | --- |
//! | see or add something to ask | `query.rs`, and the type it returns in `types/` |
//! | see or add something to follow | `subscription.rs`; `socket.rs` is its transport |
//! | see or add something to change | `mutation.rs`, with its input in `inputs.rs` |
//! | change a limit or a cost | `limits.rs`; every one is there |
//! | see which errors there are | `errors.rs` (closed list) and `types/payload.rs` (`userErrors`) |
//!
//! Resolvers parse arguments, call one use case of `keelson-app` and map the result. A request reads
//! one revision: the view it took when it began, or that of its `asOf`. The crate refuses to know the
//! store's language, to walk the graph itself and to answer a list without a bound.
//!
//! The schema itself is in `schema/graphql/keelson.graphql`, exported from this code and held equal by
//! a test.

pub mod connection;
pub mod context;
pub mod cursor;
pub mod errors;
mod failed;
pub mod filter;
pub mod guard;
mod http;
pub mod ids;
pub mod inputs;
pub mod limits;
pub mod loader;
pub mod measure;
pub mod moment;
pub mod mutation;
pub mod query;
mod schema;
mod socket;
pub mod subscription;
pub mod suppose;
pub mod types;

use std::sync::Arc;

use keelson_app::Keelson;
use tokio::sync::{Semaphore, watch};

use context::{Principal, Services};
use cursor::CursorKey;
use limits::Limits;
use loader::Loaders;
use moment::Past;
pub use schema::{KeelsonSchema, sdl};

/// The interface over one catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    services: Arc<Services>,
    schema: KeelsonSchema,
}

impl Api {
    /// The interface over a catalogue, with its limits and the key of its cursors.
    #[must_use]
    pub fn new(keelson: Keelson, limits: Limits, seal: CursorKey) -> Self {
        let services = Arc::new(Services {
            loaders: Loaders::new(&keelson),
            turns: Arc::new(Semaphore::new(limits.analyses)),
            past: Past::default(),
            stopping: watch::Sender::new(false),
            keelson,
            limits,
            seal,
        });
        Self { schema: schema::over(Arc::clone(&services)), services }
    }

    /// Its routes, `/graphql`, `/graphql/ws` and `/schema.graphql`, for requests of one principal.
    pub fn router(&self, principal: &str) -> axum::Router {
        let principal = Principal::named(principal);
        socket::router(self.clone(), principal.clone()).merge(http::router(self.clone(), principal))
    }

    /// Ends all sockets, because the server stops.
    pub fn stop(&self) {
        self.services.stopping.send_replace(true);
    }

    /// Batches of relations that its loaders have fetched so far; tests hold it small.
    #[must_use]
    pub fn loaded_batches(&self) -> usize {
        self.services.loaders.view.loader().batches()
    }
}
