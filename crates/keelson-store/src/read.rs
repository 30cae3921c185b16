//! Reading the log.

use std::sync::Arc;

use futures::stream::{self, Stream};
use futures::{StreamExt, TryStreamExt};
use keelson_model::{Commit, CommitHeader, Digest, RecordChange, Revision};
use serde::de::DeserializeOwned;
use surrealdb::types::{Array, Bytes, RecordId, RecordIdKey, RecordIdKeyRange, SurrealValue, Value};

use crate::commit::Tail;
use crate::error::classify;
use crate::kept::{Beside, blocking};
use crate::{AuditEntry, Store, StoreError, chunk};

/// The last commit of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHead {
    /// Its number.
    pub revision: Revision,
    /// Its digest.
    pub digest: Digest,
}

const DOING: &str = "reading the log";

pub(crate) fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

/// Asks one statement with one bound value and takes its rows.
pub(crate) async fn ask<T: SurrealValue>(store: &Store, statement: &'static str, what: Value) -> Result<T, StoreError> {
    let mut answer = store.db.query(statement).bind(("what", what)).await.map_err(|error| classify(DOING, &error))?;
    let value: Value = answer.take(0).map_err(|error| classify(DOING, &error))?;
    T::from_value(value).map_err(|error| StoreError::Failed { doing: DOING, reason: error.to_string() })
}

pub(crate) fn parse<T: DeserializeOwned>(table: &'static str, record: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent {
        table,
        record: record.to_owned(),
        reason: error.to_string(),
    })
}

/// A commit record.
pub(crate) struct StoredCommit {
    pub(crate) header: CommitHeader,
    pub(crate) beside: Beside,
    pub(crate) published: bool,
}

/// The record of a commit, published or not.
pub(crate) async fn stored(store: &Store, revision: Revision) -> Result<Option<StoredCommit>, StoreError> {
    let id = Value::RecordId(RecordId::new("commit", number(revision)));
    let found: Vec<(String, String, String)> = ask(store, "SELECT VALUE [header, kept, state] FROM $what", id).await?;
    let Some((header, beside, state)) = found.into_iter().next() else { return Ok(None) };
    let record = revision.to_string();
    Ok(Some(StoredCommit {
        header: parse("commit", &record, &header)?,
        beside: parse("commit", &record, &beside)?,
        published: state == "published",
    }))
}

/// The record of a published commit that the log must have.
pub(crate) async fn require(store: &Store, revision: Revision) -> Result<StoredCommit, StoreError> {
    let found = stored(store, revision).await?.filter(|commit| commit.published && commit.header.revision == revision);
    found.ok_or_else(|| StoreError::Inconsistent {
        table: "commit",
        record: revision.to_string(),
        reason: "is missing; restore the last backup with `keelson restore`".into(),
    })
}

/// The digest under which a commit is stored.
pub(crate) async fn commit_digest(store: &Store, revision: Revision) -> Result<Option<Digest>, StoreError> {
    Ok(stored(store, revision).await?.filter(|commit| commit.published).map(|commit| commit.header.digest()))
}

pub(crate) fn chunk_range(revision: Revision) -> Value {
    let revision = number(revision);
    let key = |revision: i64| RecordIdKey::Array(Array::from(vec![revision]));
    Value::RecordId(RecordId::new(
        "chunk",
        RecordIdKeyRange {
            start: std::ops::Bound::Included(key(revision)),
            end: std::ops::Bound::Excluded(key(revision.saturating_add(1))),
        },
    ))
}

/// The compressed bytes of one chunk.
pub(crate) async fn chunk_bytes(store: &Store, revision: Revision, at: usize) -> Result<Bytes, StoreError> {
    let part = i64::try_from(at).unwrap_or(i64::MAX);
    let id = Value::RecordId(RecordId::new("chunk", Array::from(vec![number(revision), part])));
    let found: Vec<Bytes> = ask(store, "SELECT VALUE bytes FROM $what", id).await?;
    found.into_iter().next().ok_or_else(|| StoreError::Inconsistent {
        table: "chunk",
        record: format!("[{revision}, {at}]"),
        reason: "is missing; restore the last backup with `keelson restore`".into(),
    })
}

/// The changes of one chunk.
async fn chunk_of(store: &Store, header: &CommitHeader, at: usize) -> Result<Vec<RecordChange>, StoreError> {
    let record = format!("[{}, {at}]", header.revision);
    let digest = *header.chunks.get(at).ok_or_else(|| StoreError::Inconsistent {
        table: "chunk",
        record: record.clone(),
        reason: "is not one of its commit's".into(),
    })?;
    let bytes = chunk_bytes(store, header.revision, at).await?;
    blocking(move || chunk::decode(&record, &bytes, digest)).await?
}

/// The changes of a commit, chunk by chunk in order. Some chunks are decoded ahead on other threads,
/// one more than there are cores; that and no more is held in memory.
pub(crate) fn chunks<'a>(
    store: &'a Store,
    header: &'a CommitHeader,
) -> impl Stream<Item = Result<Vec<RecordChange>, StoreError>> + 'a {
    stream::iter(0..header.chunks.len()).map(move |at| chunk_of(store, header, at)).buffered(chunk::cores() + 1)
}

/// All changes of a commit.
pub(crate) async fn changes(store: &Store, header: &CommitHeader) -> Result<Vec<RecordChange>, StoreError> {
    let (changes, _) = chunked(store, header).await?;
    Ok(changes)
}

/// All changes of a commit, and how many each chunk holds.
async fn chunked(store: &Store, header: &CommitHeader) -> Result<(Vec<RecordChange>, Vec<usize>), StoreError> {
    let mut changes = Vec::new();
    let mut held = Vec::with_capacity(header.chunks.len());
    let mut chunks = std::pin::pin!(chunks(store, header));
    while let Some(some) = chunks.try_next().await? {
        held.push(some.len());
        changes.extend(some);
    }
    check_count(header, changes.len() as u64)?;
    Ok((changes, held))
}

/// Refuses a commit whose chunks hold another number of changes than it says.
pub(crate) fn check_count(header: &CommitHeader, found: u64) -> Result<(), StoreError> {
    if found == header.changes {
        return Ok(());
    }
    Err(StoreError::Inconsistent {
        table: "commit",
        record: header.revision.to_string(),
        reason: format!("says it has {} changes, but its chunks hold {found}", header.changes),
    })
}

/// Where log and audit log end.
pub(crate) async fn tail(store: &Store) -> Result<Tail, StoreError> {
    let head = Value::RecordId(RecordId::new("head", "main"));
    let found: Vec<i64> = ask(store, "SELECT VALUE revision FROM $what", head).await?;
    let revision = Revision(found.first().map_or(0, |revision| u64::try_from(*revision).unwrap_or(0)));
    let mut tail = Tail { revision, ..Tail::default() };
    if revision.0 > 0 {
        let header = require(store, revision).await?.header;
        tail.digest = header.digest();
        tail.at = Some(header.at);
    }
    refresh_audit(store, &mut tail).await?;
    Ok(tail)
}

/// Reads again where the audit log ends.
pub(crate) async fn refresh_audit(store: &Store, tail: &mut Tail) -> Result<(), StoreError> {
    let last: Vec<String> = ask(store, "SELECT VALUE entry FROM audit ORDER BY id DESC LIMIT 1", Value::None).await?;
    if let Some(text) = last.first() {
        let entry: AuditEntry = parse("audit", "last", text)?;
        (tail.audit_seq, tail.audit_hash) = (entry.seq, entry.hash());
    }
    Ok(())
}

impl Store {
    /// The last commit.
    pub async fn head(&self) -> StoredHead {
        let tail = self.tail.lock().await;
        StoredHead { revision: tail.revision, digest: tail.digest }
    }

    /// Returns the header of a published commit.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn header(&self, revision: Revision) -> Result<Option<CommitHeader>, StoreError> {
        Ok(stored(self, revision).await?.filter(|commit| commit.published).map(|commit| commit.header))
    }

    /// The changes in one chunk of a commit, checked against its digest.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn chunk(&self, header: &CommitHeader, chunk: u32) -> Result<Vec<RecordChange>, StoreError> {
        chunk_of(self, header, chunk as usize).await
    }

    /// The commits after `after` up to and including `until`, in order, with the number of changes
    /// in each of their chunks; each checked against its digests as it is read. One commit is held
    /// in memory at a time; where even that is too much, see [`Self::replay_chunks`].
    pub fn replay(
        &self,
        after: Revision,
        until: Revision,
    ) -> impl Stream<Item = Result<(Commit, Vec<usize>), StoreError>> + '_ {
        stream::try_unfold(after, move |last| async move {
            let revision = last.next();
            if revision > until {
                return Ok(None);
            }
            let header = require(self, revision).await?.header;
            let (changes, held) = chunked(self, &header).await?;
            Ok(Some(((Commit { header, changes }, held), revision)))
        })
    }

    /// The same as [`Self::replay`], chunk by chunk: memory does not grow with the size of a commit.
    pub fn replay_chunks(
        &self,
        after: Revision,
        until: Revision,
    ) -> impl Stream<Item = Result<ReplayedChunk, StoreError>> + '_ {
        let commits = stream::try_unfold(after, move |last| async move {
            let revision = last.next();
            if revision > until {
                return Ok::<_, StoreError>(None);
            }
            Ok(Some((Arc::new(require(self, revision).await?.header), revision)))
        });
        let chunks = commits.map_ok(move |header| {
            let numbers = 0..u32::try_from(header.chunks.len()).unwrap_or(u32::MAX);
            stream::iter(numbers.map(move |chunk| {
                let header = Arc::clone(&header);
                Ok::<_, StoreError>(async move {
                    let changes = chunk_of(self, &header, chunk as usize).await?;
                    Ok::<_, StoreError>(ReplayedChunk { header, chunk, changes })
                })
            }))
        });
        chunks.try_flatten().try_buffered(chunk::cores() + 1)
    }
}

/// One chunk of a commit, as [`Store::replay_chunks`] gives it.
#[derive(Clone, Debug)]
pub struct ReplayedChunk {
    /// The header of its commit.
    pub header: Arc<CommitHeader>,
    /// Its number in the commit, from 0; every commit has at least one chunk.
    pub chunk: u32,
    /// Its changes.
    pub changes: Vec<RecordChange>,
}

impl ReplayedChunk {
    /// Whether it is the last of its commit.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.chunk as usize + 1 >= self.header.chunks.len()
    }
}
