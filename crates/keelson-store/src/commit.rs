//! The one commit function.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use keelson_model::{BatchId, CommitHeader, Digest, Finding, Payload, RecordChange, Revision};
use surrealdb::types::{Bytes, Value};

use crate::chunk::{self, Chunk};
use crate::engine::Ask;
use crate::error::{STALE, cause, classify, is_disk_failure, stale};
use crate::headfile::Acknowledged;
use crate::kept::{self, Beside, KEEP, blocking};
use crate::rows::Rows;
use crate::session::{SessionCommit, frames};
use crate::{AuditDetails, AuditEntry, CommitError, Store, StoreError, journal, read};

/// Changes beyond which a commit is journalled instead of being one transaction, whose memory
/// grows by several kilobytes a row.
pub(crate) const ONE_TRANSACTION: usize = 2_000;

/// How often a write that another server crossed is tried again.
pub(crate) const MAX_RETRIES: u32 = 5;

/// What is to be committed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The revision the changes were planned at; the commit is refused when it is no longer the last.
    pub planned_at: Revision,
    /// When. The commit's time is this one, or that of the commit before if that is later.
    pub at: DateTime<Utc>,
    /// When it is recorded, where `at` is another time: a commit that loads the past.
    pub recorded_at: Option<DateTime<Utc>>,
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
    pub(crate) fn audit(&self, header: &CommitHeader, details: AuditDetails) -> AuditEntry {
        AuditEntry {
            seq: self.audit_seq + 1,
            prev_hash: self.audit_hash,
            // The audit log tells when something was done, not for when.
            at: header.recorded_at.unwrap_or(header.at),
            actor: Arc::clone(&header.actor),
            details,
            action: Arc::clone(&header.action),
            revision: Some(header.revision),
            before_digest: Some(header.previous),
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

/// One commit on its way into the store.
pub(crate) struct Writing<'a> {
    pub(crate) header: &'a CommitHeader,
    pub(crate) audit: &'a AuditEntry,
    pub(crate) beside: &'a Beside,
    pub(crate) changes: &'a Arc<Vec<RecordChange>>,
}

impl Writing<'_> {
    /// Binds what the guard and the publication need.
    pub(crate) fn bind<'r>(&self, query: Ask<'r>) -> Ask<'r> {
        let (payloads, findings) = kept::rows(&self.beside.kept);
        query
            .bind(("planned", self.header.revision.0 - 1))
            .bind(("revision", self.header.revision.0))
            .bind(("digest", self.header.digest().to_string()))
            .bind(("header", text(self.header)))
            .bind(("kept", text(self.beside)))
            .bind(("payloads", payloads))
            .bind(("findings", findings))
            .bind(("seq", self.audit.seq))
            .bind(("entry", self.audit.canonical()))
            .bind(("hash", self.audit.hash().to_string()))
    }

    /// The statements that publish it.
    pub(crate) fn publish(&self) -> String {
        format!("{} {PUBLISH}", if self.beside.kept.is_empty() { "" } else { KEEP })
    }

    /// Turns the cause of a failed block into the error of the commit.
    pub(crate) fn refuse(
        &self,
        asked: Result<surrealdb::IndexedResults, surrealdb::Error>,
        doing: &'static str,
    ) -> Result<(), CommitError> {
        let failed = match asked {
            Ok(mut answer) => cause(answer.take_errors()),
            Err(error) => Some(error),
        };
        match failed {
            None => Ok(()),
            Some(error) => Err(match stale(&error) {
                Some(current) => CommitError::Stale { planned: Revision(self.header.revision.0 - 1), current },
                None => CommitError::Store(classify(doing, &error)),
            }),
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
const PUBLISH: &str = "UPSERT head:main SET revision = $revision, digest = $digest RETURN NONE; \
     CREATE type::record('audit', $seq) SET entry = $entry, hash = $hash RETURN NONE;";

impl Store {
    /// Writes one commit: log, rows, audit entry and head, wholly or not at all. When it returns
    /// the commit is on the disk.
    ///
    /// # Errors
    /// [`CommitError::Stale`] when something was committed since the plan was made; otherwise as
    /// the store fails. Nothing of the commit is in the store then, with two exceptions that close
    /// the store for writing: [`StoreError::Unfinished`] and a failure of the disk of session
    /// journal and head file.
    ///
    /// The commit runs on a task of its own: a caller that stops waiting does not cut it off.
    pub async fn commit(&self, draft: Draft) -> Result<Committed, CommitError> {
        self.commit_as(draft, AuditDetails::default()).await
    }

    /// Writes one commit as [`Self::commit`] does, with more about the actor for the audit log.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_as(&self, draft: Draft, details: AuditDetails) -> Result<Committed, CommitError> {
        let store = self.clone();
        let task = tokio::spawn(async move { store.commit_whole(draft, details).await });
        task.await.map_err(|error| StoreError::Failed { doing: "committing", reason: error.to_string() })?
    }

    async fn commit_whole(&self, mut draft: Draft, details: AuditDetails) -> Result<Committed, CommitError> {
        let mut tail = self.tail.lock().await;
        if tail.closed {
            return Err(StoreError::Closed.into());
        }
        if draft.planned_at > tail.revision {
            // Another server has committed since, and the caller has already read it.
            *tail = read::tail(self).await?;
        }
        self.pause.at("commit: begun");
        refuse_stale(&draft, &tail)?;
        refuse_removals(&draft.changes)?;
        let changes = Arc::new(std::mem::take(&mut draft.changes));
        let chunks = chunk::encode(&changes).await?;
        let kept = kept::write(self, &draft.payloads, draft.batch, &draft.findings).await?;
        let beside = Beside { kept, details };
        self.pause.at("commit: payloads and findings written");
        let mut retry = 0;
        let (header, audit) = loop {
            let header = header(&draft, &tail, changes.len(), &chunks);
            let audit = tail.audit(&header, beside.details.clone());
            let writing = Writing { header: &header, audit: &audit, beside: &beside, changes: &changes };
            let written = if changes.len() <= ONE_TRANSACTION {
                self.commit_at_once(&writing, &chunks).await
            } else {
                journal::commit(self, &writing, &chunks).await
            };
            match written {
                Ok(()) => {
                    *tail = tail.after(&header, &audit);
                    break (header, audit);
                }
                Err(CommitError::Store(StoreError::Conflict { .. })) if retry < MAX_RETRIES => {
                    tokio::time::sleep(jitter(retry)).await;
                    retry += 1;
                    *tail = read::tail(self).await?;
                    // The other writer may have died in the middle of a large commit.
                    journal::recover(self, &mut tail).await?;
                    refuse_stale(&draft, &tail)?;
                }
                Err(CommitError::Stale { planned, current }) => {
                    *tail = read::tail(self).await?;
                    return Err(CommitError::Stale { planned, current });
                }
                Err(CommitError::Store(error)) => {
                    tail.closed = matches!(error, StoreError::Unfinished { .. }) || is_disk_failure(&error);
                    return Err(error.into());
                }
            }
        };
        let chunked = chunks.iter().map(|chunk| chunk.changes).collect();
        let commit = SessionCommit { header, beside, audit: Some(audit) };
        self.acknowledge(&mut tail, &commit, chunks).await?;
        let header = commit.header;
        let changes = Arc::try_unwrap(changes).unwrap_or_else(|shared| shared.to_vec());
        Ok(Committed { digest: tail.digest, header, changes, chunked })
    }

    /// Writes session journal and head file, after which the commit may be acknowledged.
    async fn acknowledge(&self, tail: &mut Tail, commit: &SessionCommit, chunks: Vec<Chunk>) -> Result<(), StoreError> {
        if let Some(session) = &self.session {
            let frames = frames(commit, chunks.into_iter().map(|chunk| chunk.bytes).collect())?;
            session.keep(frames, true).await.inspect_err(|_| tail.closed = true)?;
        }
        self.pause.at("commit: before the head file");
        if let Some(headfile) = self.headfile.clone() {
            let acknowledged = Acknowledged { revision: tail.revision, digest: tail.digest };
            if let Err(error) = blocking(move || headfile.write(acknowledged)).await? {
                // The commit is in the store, but nobody may rely on a disk that fails: stop writing.
                tail.closed = true;
                return Err(error);
            }
        }
        self.pause.at("commit: after the head file");
        Ok(())
    }

    async fn commit_at_once(&self, writing: &Writing<'_>, chunks: &[Chunk]) -> Result<(), CommitError> {
        let rows = Rows::of(writing.changes.iter(), writing.header.revision)?;
        let mut text = format!("BEGIN; {}", guard());
        let mut bound: Vec<(String, Value)> = Vec::new();
        for statement in rows.into_statements() {
            let name = format!("rows_{}", statement.name);
            text.push_str(&statement.text.replace("$rows", &format!("${name}")));
            text.push(';');
            bound.push((name, Value::Array(statement.rows.into())));
        }
        text.push_str(
            "CREATE type::record('commit', $revision) SET header = $header, digest = $digest, kept = $kept, \
             state = 'published' RETURN NONE;\
             FOR $number IN 0..array::len($chunks) { CREATE type::record('chunk', [$revision, $number]) \
             SET bytes = $chunks[$number] RETURN NONE };",
        );
        text.push_str(&writing.publish());
        text.push_str(" COMMIT;");
        let chunks: Vec<Value> = chunks.iter().map(|chunk| Value::Bytes(Bytes::from(chunk.bytes.clone()))).collect();
        let mut query = self.db.query(text).bind(("chunks", Value::Array(chunks.into())));
        for (name, rows) in bound {
            query = query.bind((name, rows));
        }
        self.pause.at("commit: before the transaction");
        writing.refuse(writing.bind(query).await, "committing")
    }
}

fn header(draft: &Draft, tail: &Tail, changes: usize, chunks: &[Chunk]) -> CommitHeader {
    let at = draft.at.trunc_subsecs(6);
    CommitHeader {
        revision: tail.revision.next(),
        at: tail.at.map_or(at, |last| last.max(at)),
        recorded_at: draft.recorded_at.map(|time| time.trunc_subsecs(6)),
        actor: Arc::clone(&draft.actor),
        action: Arc::clone(&draft.action),
        source: draft.source.clone(),
        reason: draft.reason.clone(),
        batch: draft.batch,
        previous: tail.digest,
        changes: changes as u64,
        chunks: chunks.iter().map(|chunk| chunk.digest).collect(),
    }
}

fn refuse_stale(draft: &Draft, tail: &Tail) -> Result<(), CommitError> {
    if draft.planned_at == tail.revision {
        return Ok(());
    }
    Err(CommitError::Stale { planned: draft.planned_at, current: tail.revision })
}

/// How long to wait before a try again: 10 to 800 ms, longer each time, and never the same for two
/// servers that crossed each other.
pub(crate) fn jitter(retry: u32) -> Duration {
    let longest = 50u64 << retry.min(4);
    Duration::from_millis(10 + arbitrary() % (longest - 10))
}

/// An arbitrary number: each hasher of the standard library is keyed differently.
pub(crate) fn arbitrary() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Records are withdrawn or retired, never removed; a change that removes one is a mistake of ours.
fn refuse_removals(changes: &[RecordChange]) -> Result<(), StoreError> {
    match changes.iter().position(|change| crate::rows::Record::after(change).is_none()) {
        None => Ok(()),
        Some(at) => Err(StoreError::Inconsistent {
            table: "commit",
            record: format!("change {at}"),
            reason: "removes a record; records are withdrawn or retired instead".into(),
        }),
    }
}

pub(crate) fn text(what: &impl serde::Serialize) -> String {
    serde_json::to_string(what).expect("headers and what is kept, of strings and numbers, serialise")
}
