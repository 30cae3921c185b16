//! SurrealDB as Keelson uses it: the append-only log, the rows, the one commit function.
//!
//! The log of commits is the truth. The rows of configuration items, relationships and needs are
//! its projection, kept in the same transaction for SurrealQL users and checked against the log by
//! [`Store::verify`]. Readers do not read rows: they hold a catalogue in memory that
//! [`Store::replay`] builds and every [`Store::commit`] moves on.
//!
//! All SurrealQL of the project is in this crate; no value is ever formatted into a statement. The
//! crate refuses to decide anything: it writes the plan it is given, if nothing has been committed
//! since the plan was made.
//!
//! The engine needs more stack than tokio gives its workers by default: build the runtime with
//! [`WORKER_STACK_BYTES`].

mod archive;
mod audit;
mod backup;
mod chunk;
mod commit;
mod engine;
mod error;
mod headfile;
mod journal;
mod kept;
mod open;
mod pages;
mod pause;
mod read;
mod redo;
mod restore;
mod rows;
mod session;
mod verify;

#[cfg(test)]
mod tests;

pub use archive::Manifest;
pub use audit::{Attempt, AuditDetails, AuditEntry, AuditOutcome};
pub use backup::{BackedUp, Progress};
pub use commit::{Committed, Draft};
pub use error::{CommitError, StoreError};
pub use open::{Options, Store};
pub use pages::MAX_PAGE;
#[doc(hidden)]
pub use pause::{PAUSE_POINTS, Pause};
pub use read::{ReplayedChunk, StoredHead};
pub use restore::{check_backup, restore};
pub use verify::{MAX_PROBLEMS, Problem, Verification};

/// Stack that worker threads of the runtime need, in bytes.
pub const WORKER_STACK_BYTES: usize = 8 << 20;
