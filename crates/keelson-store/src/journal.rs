//! Commits too large for one transaction: journal, rows, publication.
//!
//! The commit record in state `prepared` and its chunks are the journal. Rows follow in
//! statements of a thousand, idempotently. One small transaction publishes. A commit that was cut
//! off is rolled forward when its journal is whole, and removed when it is not; nobody sees it
//! before it is published, because readers follow the head.

use keelson_model::{CommitHeader, RecordChange, Revision};
use surrealdb::types::{Array, Bytes, Object, RecordId, Value};

use crate::chunk::Chunk;
use crate::commit::{PUBLISH, bind_publication, guard, refuse};
use crate::error::{cause, classify};
use crate::rows::Rows;
use crate::{AuditEntry, CommitError, Store, StoreError, read};

/// Rows written by one statement.
const ROWS: usize = 1_000;
/// Chunks written by one statement.
const CHUNKS: usize = 8;

/// Writes a large commit.
pub(crate) async fn commit(
    store: &Store,
    header: &CommitHeader,
    audit: &AuditEntry,
    changes: &[RecordChange],
    chunks: Vec<Chunk>,
) -> Result<(), CommitError> {
    const DOING: &str = "preparing a large commit";
    let text = format!(
        "BEGIN; {} CREATE type::record('commit', $revision) SET header = $header, digest = $digest, \
         state = 'prepared' RETURN NONE; COMMIT;",
        guard()
    );
    let query = bind_publication(store.db.query(text), header, audit);
    let mut answer = query.await.map_err(|error| classify(DOING, &error))?;
    refuse(header, cause(answer.take_errors()).as_ref(), DOING)?;
    if let Err(error) = write_chunks(store, header, chunks).await {
        remove(store, header.revision).await?;
        return Err(error.into());
    }
    apply(store, header, audit, changes).await.map_err(|error| match error {
        CommitError::Store(error) => {
            StoreError::Unfinished { revision: header.revision, source: Box::new(error) }.into()
        }
        stale @ CommitError::Stale { .. } => stale,
    })
}

async fn write_chunks(store: &Store, header: &CommitHeader, chunks: Vec<Chunk>) -> Result<(), StoreError> {
    let mut rows: Vec<Value> = Vec::new();
    let mut left = chunks.len();
    for (number, chunk) in (0i64..).zip(chunks) {
        let revision = i64::try_from(header.revision.0).unwrap_or(i64::MAX);
        let mut row = Object::new();
        row.insert("id", RecordId::new("chunk", Array::from(vec![revision, number])));
        row.insert("bytes", Value::Bytes(Bytes::from(chunk.bytes)));
        rows.push(Value::Object(row));
        left -= 1;
        if rows.len() == CHUNKS || left == 0 {
            write(store, "INSERT INTO chunk $rows RETURN NONE", std::mem::take(&mut rows)).await?;
        }
    }
    Ok(())
}

/// Writes the rows of a journalled commit and publishes it.
async fn apply(
    store: &Store,
    header: &CommitHeader,
    audit: &AuditEntry,
    changes: &[RecordChange],
) -> Result<(), CommitError> {
    const DOING: &str = "publishing a large commit";
    for some in changes.chunks(ROWS) {
        let mut rows = Rows::default();
        for change in some {
            rows.add(change, header.revision)?;
        }
        for (_, statement, rows) in rows.into_tables() {
            if !rows.is_empty() {
                write(store, statement, rows).await?;
            }
        }
    }
    let text = format!(
        "BEGIN; {} UPDATE type::record('commit', $revision) SET state = 'published' RETURN NONE; {PUBLISH} COMMIT;",
        guard()
    );
    let query = bind_publication(store.db.query(text), header, audit);
    let mut answer = query.await.map_err(|error| classify(DOING, &error))?;
    refuse(header, cause(answer.take_errors()).as_ref(), DOING)
}

async fn write(store: &Store, statement: &'static str, rows: Vec<Value>) -> Result<(), StoreError> {
    const DOING: &str = "writing rows";
    let bound = Value::Array(rows.into());
    let mut answer = store.db.query(statement).bind(("rows", bound)).await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

/// Finishes or removes a commit that was cut off.
pub(crate) async fn recover(store: &Store) -> Result<(), StoreError> {
    let mut tail = store.tail.lock().await;
    let next = tail.revision.next();
    let Some((header, published)) = read::header(store, next).await? else {
        return if read::has_chunks(store, next).await? { remove(store, next).await } else { Ok(()) };
    };
    if published {
        return Err(StoreError::Inconsistent {
            table: "commit",
            record: next.to_string(),
            reason: "is published, but the head does not reach it".into(),
        });
    }
    match read::changes(store, &header).await {
        Ok(changes) => {
            tracing::warn!(revision = next.0, "finishing a commit that was cut off");
            let audit = tail.audit(&header);
            apply(store, &header, &audit, &changes).await.map_err(|error| match error {
                CommitError::Store(error) => error,
                CommitError::Stale { .. } => StoreError::Conflict { doing: "finishing a commit that was cut off" },
            })?;
            *tail = tail.after(&header, &audit);
            Ok(())
        }
        Err(StoreError::Inconsistent { .. }) => {
            tracing::warn!(revision = next.0, "removing a commit that was cut off before it was whole");
            remove(store, next).await
        }
        Err(error) => Err(error),
    }
}

/// Removes what is left of a commit that was never published.
pub(crate) async fn remove(store: &Store, revision: Revision) -> Result<(), StoreError> {
    const DOING: &str = "removing a commit that was cut off";
    let mut answer = store
        .db
        .query("BEGIN; DELETE $chunks; DELETE type::record('commit', $revision); COMMIT;")
        .bind(("chunks", read::chunk_range(revision)))
        .bind(("revision", revision.0))
        .await
        .map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}
