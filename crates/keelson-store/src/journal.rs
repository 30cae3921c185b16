//! Commits too large for one transaction: journal, rows, publication.
//!
//! The commit record in state `prepared` and its chunks are the journal. Rows follow in
//! statements of a thousand, idempotently and in any order, several at a time. One small
//! transaction publishes. A commit that was cut off is rolled forward when its journal is whole,
//! and removed when it is not; nobody sees it before it is published, because readers follow the
//! head.
//!
//! On a remote store the writer may be another server that is alive. The prepared record therefore
//! names its writer and when that writer last renewed its lease, by the database's clock. Only a
//! commit whose lease has run out is taken over, and a writer that lost its lease cannot publish.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson_model::{CommitHeader, RecordChange, Revision};
use surrealdb::types::{Array, Bytes, Object, RecordId, Value};
use tokio::task::JoinSet;

use crate::chunk::{Chunk, cores, ranges};
use crate::commit::{MAX_RETRIES, Tail, Writing, guard, jitter};
use crate::error::{cause, classify};
use crate::kept::{self, Beside, blocking};
use crate::rows::{Rows, Statement, superseded};
use crate::session::{SessionCommit, frames, part_frame};
use crate::{AuditEntry, CommitError, Store, StoreError, read};

/// Changes whose rows are written by one statement a table.
const ROWS: usize = 1_000;
/// Chunks written by one statement.
const CHUNKS: usize = 8;
/// How often a writer renews its lease. A lease runs out after six times as long.
const RENEW: Duration = Duration::from_secs(5);
/// [`RENEW`] six times, as SurrealQL has it.
const LEASE: &str = "30s";

/// Writes a large commit.
pub(crate) async fn commit(store: &Store, writing: &Writing<'_>, chunks: &[Chunk]) -> Result<(), CommitError> {
    let text = format!(
        "BEGIN; {} CREATE type::record('commit', $revision) SET header = $header, digest = $digest, kept = $kept, \
         state = 'prepared', writer = $writer, renewed = time::now() RETURN NONE; COMMIT;",
        guard()
    );
    let query = writing.bind(store.db.query(text)).bind(("writer", store.writer.to_string()));
    writing.refuse(query.await, "preparing a large commit")?;
    store.pause.at("journal: prepared");
    let revision = writing.header.revision;
    if let Err(error) = write_chunks(store, revision, chunks).await {
        remove(store, revision).await?;
        return Err(error.into());
    }
    store.pause.at("journal: chunks written");
    apply(store, writing).await.map_err(|error| match error {
        CommitError::Store(error) => StoreError::Unfinished { revision, source: Box::new(error) }.into(),
        stale @ CommitError::Stale { .. } => stale,
    })
}

async fn write_chunks(store: &Store, revision: Revision, chunks: &[Chunk]) -> Result<(), StoreError> {
    let mut lease = Lease::of(revision);
    for range in ranges(chunks.len(), CHUNKS) {
        let half = chunks.len() / 2;
        if range.contains(&half) {
            store.pause.at("journal: chunks half written");
        }
        let rows = range.map(|number| chunk_row(revision, number, chunks[number].bytes.clone())).collect();
        write(store, "INSERT INTO chunk $rows RETURN NONE", rows).await?;
        lease.renew(store).await?;
    }
    Ok(())
}

pub(crate) fn chunk_row(revision: Revision, number: usize, bytes: Vec<u8>) -> Value {
    let id = [revision.0, number as u64].map(|part| i64::try_from(part).unwrap_or(i64::MAX));
    let mut row = Object::new();
    row.insert("id", RecordId::new("chunk", Array::from(id.to_vec())));
    row.insert("bytes", Value::Bytes(Bytes::from(bytes)));
    Value::Object(row)
}

/// Writes the rows of a journalled commit and publishes it.
async fn apply(store: &Store, writing: &Writing<'_>) -> Result<(), CommitError> {
    const DOING: &str = "publishing a large commit";
    let mut lease = Lease::of(writing.header.revision);
    write_rows(store, writing.changes, &mut lease).await?;
    store.pause.at("journal: rows written");
    let text = format!(
        "BEGIN; {} LET $holder = (SELECT VALUE writer FROM type::record('commit', $revision))[0]; \
         IF $holder != $writer {{ THROW 'another server has taken over the commit' }}; \
         UPDATE type::record('commit', $revision) SET state = 'published', writer = NONE, renewed = NONE RETURN NONE; \
         {} COMMIT;",
        guard(),
        writing.publish()
    );
    for retry in 0.. {
        let query = writing.bind(store.db.query(text.clone())).bind(("writer", store.writer.to_string()));
        match writing.refuse(query.await, DOING) {
            Err(CommitError::Store(StoreError::Conflict { .. })) if retry < MAX_RETRIES => {
                tokio::time::sleep(jitter(retry)).await;
            }
            other => {
                store.pause.at("journal: published");
                return other;
            }
        }
    }
    Err(StoreError::Conflict { doing: DOING }.into())
}

/// Writes the rows that changes lead to, built on blocking threads while others are written.
pub(crate) async fn write_rows(
    store: &Store,
    changes: &Arc<Vec<RecordChange>>,
    lease: &mut Lease,
) -> Result<(), StoreError> {
    let revision = lease.revision;
    let left_out = {
        let changes = Arc::clone(changes);
        Arc::new(blocking(move || superseded(&changes)).await?)
    };
    // The embedded engine runs a statement on the task that asks for it, so each batch has its own.
    // One more than there are cores, so that rows are ready when a core is; when this function
    // fails, the set is dropped and the others stop.
    let mut batches = ranges(changes.len(), ROWS).enumerate();
    let half = changes.len() / ROWS / 2;
    let mut running = JoinSet::new();
    loop {
        while running.len() <= cores()
            && let Some((number, range)) = batches.next()
        {
            if number == half {
                store.pause.at("journal: rows half written");
            }
            let (store, changes, left_out) = (store.clone(), Arc::clone(changes), Arc::clone(&left_out));
            running.spawn(async move {
                let rows = blocking(move || {
                    Rows::of(range.filter(|at| !left_out.contains(at)).map(|at| &changes[at]), revision)
                });
                for statement in rows.await??.into_statements() {
                    write_statement(&store, statement).await?;
                }
                Ok::<_, StoreError>(())
            });
        }
        let Some(done) = running.join_next().await else { return Ok(()) };
        done.map_err(|error| StoreError::Failed { doing: "writing rows", reason: error.to_string() })??;
        lease.renew(store).await?;
    }
}

/// Writes rows; they are idempotent, so a batch that another writer crossed is simply written again.
async fn write_statement(store: &Store, statement: Statement) -> Result<(), StoreError> {
    for retry in 0..MAX_RETRIES {
        match write(store, statement.text, statement.rows.clone()).await {
            Err(StoreError::Conflict { .. }) => tokio::time::sleep(jitter(retry)).await,
            other => return other,
        }
    }
    write(store, statement.text, statement.rows).await
}

pub(crate) async fn write(store: &Store, statement: &'static str, rows: Vec<Value>) -> Result<(), StoreError> {
    const DOING: &str = "writing rows";
    let bound = Value::Array(rows.into());
    let mut answer = store.db.query(statement).bind(("rows", bound)).await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

/// The right of one writer to finish a prepared commit.
pub(crate) struct Lease {
    revision: Revision,
    renewed: Instant,
}

impl Lease {
    pub(crate) fn of(revision: Revision) -> Self {
        Self { revision, renewed: Instant::now() }
    }

    /// Renews it when it is time to; fails when another writer has taken it.
    async fn renew(&mut self, store: &Store) -> Result<(), StoreError> {
        const DOING: &str = "renewing the lease of a large commit";
        if !store.is_remote || self.renewed.elapsed() < RENEW {
            return Ok(());
        }
        const RENEWAL: &str = "UPDATE type::record('commit', $revision) SET renewed = time::now() \
             WHERE state = 'prepared' AND writer = $writer RETURN VALUE digest";
        if claim(store, RENEWAL.to_owned(), self.revision, DOING).await? {
            self.renewed = Instant::now();
            return Ok(());
        }
        Err(StoreError::Conflict { doing: DOING })
    }
}

/// Whether an update of a prepared commit found it.
async fn claim(store: &Store, text: String, revision: Revision, doing: &'static str) -> Result<bool, StoreError> {
    let asked = store.db.query(text).bind(("revision", revision.0)).bind(("writer", store.writer.to_string()));
    let mut answer = asked.await.map_err(|error| classify(doing, &error))?;
    let found: Vec<String> = answer.take(0).map_err(|error| classify(doing, &error))?;
    Ok(!found.is_empty())
}

/// Finishes or removes a commit that was cut off; leaves one alone whose writer is alive.
pub(crate) async fn recover(store: &Store, tail: &mut Tail) -> Result<(), StoreError> {
    let next = tail.revision.next();
    let Some(found) = read::stored(store, next).await? else { return Ok(()) };
    if found.published {
        // On a remote store another server may have published between the two reads.
        let newest = read::tail(store).await?;
        if newest.revision >= next {
            *tail = newest;
            return Ok(());
        }
        return Err(StoreError::Inconsistent {
            table: "commit",
            record: next.to_string(),
            reason: "is published, but the head does not reach it".into(),
        });
    }
    // The folder of an embedded store is locked, so that whoever prepared the commit is dead.
    let dead = if store.is_remote { format!("renewed < time::now() - {LEASE}") } else { "true".to_owned() };
    let take_over = format!(
        "UPDATE type::record('commit', $revision) SET writer = $writer, renewed = time::now() \
         WHERE state = 'prepared' AND (writer = $writer OR renewed = NONE OR {dead}) RETURN VALUE digest"
    );
    if !claim(store, take_over, next, "taking over a commit that was cut off").await? {
        tracing::info!(revision = next.0, "another server is writing a large commit");
        return Ok(());
    }
    finish(store, tail, &found.header, &found.beside).await
}

async fn finish(store: &Store, tail: &mut Tail, header: &CommitHeader, beside: &Beside) -> Result<(), StoreError> {
    match read::changes(store, header).await {
        Ok(changes) => {
            tracing::warn!(revision = header.revision.0, "finishing a commit that was cut off");
            let audit = tail.audit(header, beside.details.clone());
            let changes = Arc::new(changes);
            let writing = Writing { header, audit: &audit, beside, changes: &changes };
            keep(store, header, beside, Some(audit.clone())).await?;
            apply(store, &writing).await.map_err(|error| match error {
                CommitError::Store(error) => error,
                CommitError::Stale { .. } => StoreError::Conflict { doing: "finishing a commit that was cut off" },
            })?;
            *tail = tail.after(header, &audit);
            Ok(())
        }
        Err(StoreError::Inconsistent { .. }) => {
            tracing::warn!(revision = header.revision.0, "removing a commit that was cut off before it was whole");
            remove(store, header.revision).await
        }
        Err(error) => Err(error),
    }
}

/// Writes a commit of the store to the session journal. A part that is missing is missing there as
/// well.
pub(crate) async fn keep(
    store: &Store,
    header: &CommitHeader,
    beside: &Beside,
    audit: Option<AuditEntry>,
) -> Result<(), StoreError> {
    let Some(session) = &store.session else { return Ok(()) };
    for kept in &beside.kept {
        let (digest, _, parts) = kept.content();
        for number in 0..parts {
            match kept::part(store, digest, number).await {
                Ok(bytes) => session.keep(vec![part_frame(digest, number, &bytes)], false).await?,
                Err(StoreError::Inconsistent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let mut chunks = Vec::with_capacity(header.chunks.len());
    for at in 0..header.chunks.len() {
        chunks.push(read::chunk_bytes(store, header.revision, at).await?.to_vec());
    }
    let commit = SessionCommit { header: header.clone(), beside: beside.clone(), audit };
    session.keep(frames(&commit, chunks)?, true).await
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
