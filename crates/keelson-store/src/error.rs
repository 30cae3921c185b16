//! What can go wrong with the store, classified in one place.

use std::collections::HashMap;
use std::path::PathBuf;

use keelson_model::Revision;
use surrealdb::Error;
use surrealdb::types::{ErrorDetails, QueryError};
use thiserror::Error;

/// The store cannot do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The address is not one of a store.
    #[error("'{url}' is not the address of a store: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A store on the disk that cannot be opened, other than for reasons named here.
    #[error(
        "the store in {folder} is damaged or was changed by something else: {}. {acknowledged}. Restore the last \
         backup into a new folder with `keelson restore`, and keep this one for the search for the cause",
        plain(.source)
    )]
    Damaged {
        /// The folder of the store.
        folder: PathBuf,
        /// What the head file says, in words.
        acknowledged: String,
        /// What failed.
        #[source]
        source: Box<StoreError>,
    },
    /// Another process has the folder open.
    #[error("the data folder {folder} is in use by another process; stop it, or ask it over its address with --server")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database refused a statement.
    #[error("the database failed while {doing}: {reason}")]
    Failed {
        /// The operation.
        doing: &'static str,
        /// Its message.
        reason: String,
    },
    /// Another writer was quicker; nothing was written, and trying again is safe.
    #[error("another writer changed the same records while {doing}")]
    Conflict {
        /// The operation.
        doing: &'static str,
    },
    /// The store holds something that no write puts there.
    #[error("{table} {record}: {reason}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The record.
        record: String,
        /// What is wrong.
        reason: String,
    },
    /// The log has lost its end.
    #[error(
        "the store has lost commits: the last acknowledged revision is {acknowledged}, but the store ends at \
         {found}; revisions {first} to {acknowledged} are missing. Restore the last backup with `keelson restore`, \
         or accept the loss by removing {headfile}"
    )]
    LostTail {
        /// The last revision that was acknowledged.
        acknowledged: Revision,
        /// The revision the store ends at.
        found: Revision,
        /// The first missing revision.
        first: Revision,
        /// The head file.
        headfile: PathBuf,
    },
    /// A large commit failed after its journal was whole: it will be finished when the store is
    /// opened again, and nothing else is written before that.
    #[error("revision {revision} is in the journal, but could not be finished; start again to finish it: {source}")]
    Unfinished {
        /// The revision of the commit.
        revision: Revision,
        /// What failed.
        #[source]
        source: Box<StoreError>,
    },
    /// A write to the disk failed earlier, or the store was closed.
    #[error(
        "the store takes no more writes: a write to the disk failed, or the program is stopping; start it again, with the disk mended"
    )]
    Closed,
    /// The store was written by a newer version.
    #[error("the store was written by a newer version of Keelson (migration {0} is unknown here); use that version")]
    Newer(String),
    /// A migration differs from the one that was applied.
    #[error("migration {0} is not the one this store was made with; migrations are never edited")]
    EditedMigration(String),
    /// A file that cannot be read.
    #[error("failed to read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A backup that was cut off or altered.
    #[error("the backup {path} {reason} (record {frame}, near byte {byte}); nothing was restored, use another backup")]
    BadBackup {
        /// The file.
        path: PathBuf,
        /// The record in it, from 1.
        frame: u64,
        /// The byte that was reached.
        byte: u64,
        /// What is wrong.
        reason: String,
    },
    /// A restore into a store that holds something.
    #[error("the store is not empty (revision {0}); restore into an empty data folder")]
    NotEmpty(Revision),
    /// A file beside the engine's own.
    #[error("failed to write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What the engine says of a damaged store, without its advice, which is about stores of its older
/// versions.
fn plain(error: &StoreError) -> String {
    let text = error.to_string();
    let advice = ["Expected: ", "follow the upgrade", "Follow the upgrade", "upgrade guides"];
    let kept = text.split(". ").filter(|sentence| !advice.iter().any(|sign| sentence.contains(sign)));
    kept.collect::<Vec<_>>().join(". ").trim_end_matches('.').to_owned()
}

/// A commit was not made. Nothing of it is in the store.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Something was committed since the plan was made; plan again.
    #[error("planned at revision {planned}, but the store is at revision {current}; plan again")]
    Stale {
        /// The revision of the plan.
        planned: Revision,
        /// The revision of the store.
        current: Revision,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Prefix of the text by which our own statements refuse a stale plan.
pub(crate) const STALE: &str = "keelson: stale ";

/// Classifies one error of the engine.
pub(crate) fn classify(doing: &'static str, error: &Error) -> StoreError {
    let message = error.to_string();
    if error.is_connection() {
        return StoreError::Unavailable(message);
    }
    if matches!(error.details(), ErrorDetails::Query(Some(QueryError::TransactionConflict)))
        || message.contains("Transaction conflict")
        || message.contains("can be retried")
        // Somebody else wrote the record of the same number: a commit or an audit entry.
        || message.contains("already exists")
    {
        return StoreError::Conflict { doing };
    }
    if let Some(folder) = message.strip_suffix("is already locked by another process") {
        let folder = folder.rsplit("Database at ").next().unwrap_or_default().trim();
        return StoreError::Locked { folder: folder.trim_end_matches("/LOCK").to_owned() };
    }
    StoreError::Failed { doing, reason: message }
}

/// Whether a failure is one of the disk, after which nothing written may be relied on.
pub(crate) fn is_disk_failure(error: &StoreError) -> bool {
    match error {
        StoreError::Failed { reason, .. } => {
            ["os error", "I/O error", "IO error", "No space"].iter().any(|sign| reason.contains(sign))
        }
        StoreError::File { .. } => true,
        _ => false,
    }
}

/// Finds the cause among the errors of a block's statements: those that only say that another one
/// failed are no cause.
pub(crate) fn cause(errors: HashMap<usize, Error>) -> Option<Error> {
    let follows = |error: &Error| {
        matches!(error.details(), ErrorDetails::Query(Some(QueryError::NotExecuted | QueryError::Cancelled)))
    };
    let mut errors: Vec<_> = errors.into_iter().collect();
    errors.sort_by_key(|(statement, error)| (follows(error), *statement));
    errors.into_iter().next().map(|(_, error)| error)
}

/// The revision the store is at, if the error is our own refusal of a stale plan.
pub(crate) fn stale(error: &Error) -> Option<Revision> {
    let message = error.to_string();
    let (_, rest) = message.split_once(STALE)?;
    rest.trim().parse().ok().map(Revision)
}
