//! The one commit function.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use keelson_model::{BatchId, CommitHeader, Digest, Finding, Payload, RecordChange, Revision};
use surrealdb::types::{Bytes, Value};

use crate::chunk::{self, Chunk};
use crate::error::{STALE, cause, classify, stale};
use crate::headfile::Acknowledged;
use crate::rows::Rows;
use crate::{AuditEntry, CommitError, Store, StoreError, journal, read};

/// Changes beyond which a commit is journalled instead of being one transaction, whose memory
/// grows by several kilobytes a row.
pub(crate) const ONE_TRANSACTION: usize = 2_000;

/// What is to be committed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The revision the changes were planned at; the commit is refused when it is no longer the last.
    pub planned_at: Revision,
    /// When. The commit's time is this one, or that of the commit before if that is later.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Arc<str>,
    /// What is being done: `import backstage`.
    pub action: Arc<str>,
    /// The source, for imports.
    pub source: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// The batch, for imports.
    pub batch: Option<BatchId>,
    /// The changes, configuration items before what refers to them.
    pub changes: Vec<RecordChange>,
    /// Raw payloads to keep.
    pub payloads: Vec<Payload>,
    /// Findings to keep with the batch.
    pub findings: Vec<Finding>,
}

/// A commit that is durable.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its header.
    pub header: CommitHeader,
    /// Its digest.
    pub digest: Digest,
    /// Its changes, as given.
    pub changes: Vec<RecordChange>,
    /// How many changes each chunk holds, in order.
    pub chunked: Vec<usize>,
}

impl Committed {
    /// The changes with the number of the chunk each stands in, as a catalogue applies them.
    pub fn chunked_changes(&self) -> impl Iterator<Item = (u32, &RecordChange)> {
        let numbers = (0u32..).zip(&self.chunked).flat_map(|(chunk, held)| std::iter::repeat_n(chunk, *held));
        numbers.zip(&self.changes)
    }
}

/// The end of the log and of the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail {
    pub(crate) revision: Revision,
    pub(crate) digest: Digest,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) audit_seq: u64,
    pub(crate) audit_hash: Digest,
    /// Set when the disk failed; nothing is written until the store is opened again.
    pub(crate) closed: bool,
}

impl Tail {
    /// The audit entry of the commit that comes next.
    pub(crate) fn audit(&self, header: &CommitHeader) -> AuditEntry {
        AuditEntry {
            seq: self.audit_seq + 1,
            prev_hash: self.audit_hash,
            at: header.at,
            actor: Arc::clone(&header.actor),
            action: Arc::clone(&header.action),
            revision: Some(header.revision),
            after_digest: Some(header.digest()),
            batch_id: header.batch,
            outcome: Arc::from("done"),
        }
    }

    pub(crate) fn after(&self, header: &CommitHeader, audit: &AuditEntry) -> Self {
        Self {
            revision: header.revision,
            digest: header.digest(),
            at: Some(header.at),
            audit_seq: audit.seq,
            audit_hash: audit.hash(),
            closed: false,
        }
    }
}

/// Refuses when the head is not where the plan was made. `$planned` is bound.
pub(crate) fn guard() -> String {
    format!(
        "LET $at = (SELECT VALUE revision FROM head:main)[0] ?? 0; \
         IF $at != $planned {{ THROW '{STALE}' + <string>$at }};"
    )
}

/// Moves the head and writes the audit entry; the head's revision, digest and the entry are bound.
pub(crate) const PUBLISH: &str = "UPSERT head:main SET revision = $revision, digest = $digest RETURN NONE; \
     CREATE type::record('audit', $seq) SET entry = $entry, hash = $hash RETURN NONE;";

impl Store {
    /// Writes one commit: log, rows, audit entry and head, wholly or not at all. When it returns
    /// the commit is on the disk.
    ///
    /// # Errors
    /// [`CommitError::Stale`] when something was committed since the plan was made; otherwise as
    /// the store fails. Nothing of the commit is in the store then, with two exceptions that close
    /// the store for writing: [`StoreError::Unfinished`] and a failure of the head file's disk.
    ///
    /// The commit runs on a task of its own: a caller that stops waiting does not cut it off.
    pub async fn commit(&self, draft: Draft) -> Result<Committed, CommitError> {
        let store = self.clone();
        let task = tokio::spawn(async move { store.commit_whole(draft).await });
        task.await.map_err(|error| StoreError::Failed { doing: "committing", reason: error.to_string() })?
    }

    async fn commit_whole(&self, draft: Draft) -> Result<Committed, CommitError> {
        let mut tail = self.tail.lock().await;
        if tail.closed {
            return Err(StoreError::Closed.into());
        }
        if draft.planned_at > tail.revision {
            // Another server has committed since, and the caller has already read it.
            *tail = read::tail(self).await?;
        }
        if draft.planned_at != tail.revision {
            return Err(CommitError::Stale { planned: draft.planned_at, current: tail.revision });
        }
        let chunks = chunk::encode(&draft.changes)?;
        let at = draft.at.trunc_subsecs(6);
        let header = CommitHeader {
            revision: tail.revision.next(),
            at: tail.at.map_or(at, |last| last.max(at)),
            actor: draft.actor,
            action: draft.action,
            source: draft.source,
            reason: draft.reason,
            batch: draft.batch,
            previous: tail.digest,
            changes: draft.changes.len() as u64,
            chunks: chunks.iter().map(|chunk| chunk.digest).collect(),
        };
        let audit = tail.audit(&header);
        self.keep_payloads(&draft.payloads).await?;
        if let Some(batch) = draft.batch {
            self.keep_findings(batch, &draft.findings).await?;
        }
        refuse_removals(&draft.changes)?;
        let chunked = chunks.iter().map(|chunk| chunk.changes).collect();
        let written = if draft.changes.len() <= ONE_TRANSACTION {
            self.commit_at_once(&header, &audit, &draft.changes, chunks).await
        } else {
            journal::commit(self, &header, &audit, &draft.changes, chunks).await
        };
        match &written {
            Err(CommitError::Stale { .. }) => *tail = read::tail(self).await?,
            Err(CommitError::Store(StoreError::Unfinished { .. })) => tail.closed = true,
            Ok(()) | Err(CommitError::Store(_)) => {}
        }
        written?;
        let next = tail.after(&header, &audit);
        *tail = next;
        if let Some(headfile) = &self.headfile
            && let Err(error) = headfile.write(Acknowledged { revision: next.revision, digest: next.digest })
        {
            // The commit is in the store, but nobody may rely on a disk that fails: stop writing.
            tail.closed = true;
            return Err(error.into());
        }
        Ok(Committed { digest: next.digest, header, changes: draft.changes, chunked })
    }

    async fn commit_at_once(
        &self,
        header: &CommitHeader,
        audit: &AuditEntry,
        changes: &[RecordChange],
        chunks: Vec<Chunk>,
    ) -> Result<(), CommitError> {
        const DOING: &str = "committing";
        let mut rows = Rows::default();
        for change in changes {
            rows.add(change, header.revision)?;
        }
        let mut text = format!("BEGIN; {}", guard());
        let mut bound: Vec<(String, Value)> = Vec::new();
        for (table, statement, rows) in rows.into_tables() {
            if !rows.is_empty() {
                let name = format!("rows_{table}");
                text.push_str(&statement.replace("$rows", &format!("${name}")));
                text.push(';');
                bound.push((name, Value::Array(rows.into())));
            }
        }
        text.push_str(
            "CREATE type::record('commit', $revision) SET header = $header, digest = $digest, state = 'published' RETURN NONE;\
             FOR $number IN 0..array::len($chunks) { CREATE type::record('chunk', [$revision, $number]) \
             SET bytes = $chunks[$number] RETURN NONE };",
        );
        text.push_str(PUBLISH);
        text.push_str(" COMMIT;");
        let chunks: Vec<Value> = chunks.into_iter().map(|chunk| Value::Bytes(Bytes::from(chunk.bytes))).collect();
        let mut query = self.db.query(text).bind(("chunks", Value::Array(chunks.into())));
        for (name, rows) in bound {
            query = query.bind((name, rows));
        }
        let query = bind_publication(query, header, audit);
        let mut answer = query.await.map_err(|error| classify(DOING, &error))?;
        refuse(header, cause(answer.take_errors()).as_ref(), DOING)
    }

    async fn keep_payloads(&self, payloads: &[Payload]) -> Result<(), StoreError> {
        for payload in payloads {
            self.keep_parts("payload", &payload.digest, &payload.content).await?;
        }
        Ok(())
    }

    async fn keep_findings(&self, batch: BatchId, findings: &[Finding]) -> Result<(), StoreError> {
        if findings.is_empty() {
            return Ok(());
        }
        let mut plain = Vec::new();
        for finding in findings {
            serde_json::to_writer(&mut plain, finding).map_err(|error| StoreError::Inconsistent {
                table: "finding",
                record: batch.to_string(),
                reason: error.to_string(),
            })?;
            plain.push(b'\n');
        }
        self.keep_parts("finding", &batch.to_string(), &plain).await
    }

    /// Keeps bytes under a key, compressed and in parts; the same key again is the same bytes.
    async fn keep_parts(&self, table: &'static str, key: &str, plain: &[u8]) -> Result<(), StoreError> {
        const DOING: &str = "keeping a payload";
        for (part, plain) in plain.chunks(chunk::CHUNK_BYTES).enumerate() {
            let bytes = Value::Bytes(Bytes::from(chunk::compress(plain)?));
            let mut answer = self
                .db
                .query("UPSERT type::record($table, [$key, $part]) SET bytes = $bytes RETURN NONE")
                .bind(("table", table.to_owned()))
                .bind(("key", key.to_owned()))
                .bind(("part", part as u64))
                .bind(("bytes", bytes))
                .await
                .map_err(|error| classify(DOING, &error))?;
            if let Some(error) = cause(answer.take_errors()) {
                return Err(classify(DOING, &error));
            }
        }
        Ok(())
    }
}

/// Binds what the guard and the publication need.
pub(crate) fn bind_publication<'r>(
    query: surrealdb::method::Query<'r, surrealdb::engine::any::Any>,
    header: &CommitHeader,
    audit: &AuditEntry,
) -> surrealdb::method::Query<'r, surrealdb::engine::any::Any> {
    query
        .bind(("planned", header.revision.0 - 1))
        .bind(("revision", header.revision.0))
        .bind(("digest", header.digest().to_string()))
        .bind(("header", text(header)))
        .bind(("seq", audit.seq))
        .bind(("entry", text(audit)))
        .bind(("hash", audit.hash().to_string()))
}

/// Records are withdrawn or retired, never removed; a change that removes one is a mistake of ours.
fn refuse_removals(changes: &[RecordChange]) -> Result<(), StoreError> {
    let removes = |change: &RecordChange| match change {
        RecordChange::Ci(change) => change.after.is_none(),
        RecordChange::Relationship(change) => change.after.is_none(),
        RecordChange::Need(change) => change.after.is_none(),
        RecordChange::Scope(change) => change.after.is_none(),
        RecordChange::Run(change) => change.after.is_none(),
        RecordChange::Review(change) => change.after.is_none(),
    };
    match changes.iter().position(removes) {
        None => Ok(()),
        Some(at) => Err(StoreError::Inconsistent {
            table: "commit",
            record: format!("change {at}"),
            reason: "removes a record; records are withdrawn or retired instead".into(),
        }),
    }
}

fn text(what: &impl serde::Serialize) -> String {
    serde_json::to_string(what).expect("headers and audit entries of strings and numbers serialise")
}

/// Turns the cause of a failed block into the error of the commit.
pub(crate) fn refuse(
    header: &CommitHeader,
    error: Option<&surrealdb::Error>,
    doing: &'static str,
) -> Result<(), CommitError> {
    match error {
        None => Ok(()),
        Some(error) => Err(match stale(error) {
            Some(current) => CommitError::Stale { planned: Revision(header.revision.0 - 1), current },
            None => CommitError::Store(classify(doing, error)),
        }),
    }
}
