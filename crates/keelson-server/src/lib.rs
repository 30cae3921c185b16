//! Keelson over HTTP, on the local machine.
//!
//! | Path | For |
//! | --- | --- |
//! | `/graphql`, `/schema.graphql` | the GraphQL API, which `keelson-api` answers |
//! | `POST /questions` | one question of the command line, with the answer an embedded store gives |
//! | `POST /acts` | one act of change management |
//! | `/packs/schedule`, `/packs/changes/{key}` | the board's pack as a page, Markdown or JSON; `POST /packs` for a command |
//! | `/schedule.ics` | the schedule as iCalendar, for calendar programs to subscribe to |
//! | `PUT /imports/{source}/{batchId}` | a batch of an importer; the id makes a repetition harmless |
//! | `POST /series/{source}` | measured points: a table (CSV), or what a range query of Prometheus answered |
//! | `/livez` | whether the process runs; never touches the database |
//! | `/readyz` | whether it can answer, with a reason word where it cannot |
//!
//! The crate owns the listener, connections and their timeouts, deadlines, overload, the shape of
//! errors (`application/problem+json`, see [`problem`]) and an orderly stop. It refuses to listen on
//! anything but a loopback address: authentication is not built yet. It knows neither the database
//! nor the graph.
//!
//! | To | Look in |
//! | --- | --- |
//! | change a timeout or a limit | [`ServerOptions`] |
//! | add a route | `routes.rs` |
//! | see what every request passes | `passage.rs` |
//! | see how a connection ends | `connection.rs` |

pub mod acts;
mod connection;
pub mod delivery;
pub mod documents;
mod health;
mod imports;
mod options;
mod passage;
pub mod problem;
pub mod questions;
mod received;
mod routes;
pub mod series;
mod server;
pub mod summary;

pub use options::{ServerError, ServerOptions};
pub use server::Server;
