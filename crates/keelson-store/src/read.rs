//! Reading the log.

use futures::stream::{self, Stream};
use keelson_model::{BatchId, Commit, CommitHeader, Digest, Finding, RecordChange, Revision};
use serde::de::DeserializeOwned;
use surrealdb::types::{Array, Bytes, RecordId, RecordIdKey, RecordIdKeyRange, SurrealValue, Value};

use crate::commit::Tail;
use crate::error::classify;
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

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

/// Asks one statement with one bound value and takes its rows.
async fn ask<T: SurrealValue>(store: &Store, statement: &'static str, what: Value) -> Result<T, StoreError> {
    let mut answer = store.db.query(statement).bind(("what", what)).await.map_err(|error| classify(DOING, &error))?;
    let value: Value = answer.take(0).map_err(|error| classify(DOING, &error))?;
    T::from_value(value).map_err(|error| StoreError::Failed { doing: DOING, reason: error.to_string() })
}

fn parse<T: DeserializeOwned>(table: &'static str, record: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent {
        table,
        record: record.to_owned(),
        reason: error.to_string(),
    })
}

/// The header of a commit and whether it is published.
pub(crate) async fn header(store: &Store, revision: Revision) -> Result<Option<(CommitHeader, bool)>, StoreError> {
    let id = Value::RecordId(RecordId::new("commit", number(revision)));
    let found: Vec<(String, String)> = ask(store, "SELECT VALUE [header, state] FROM $what", id).await?;
    let Some((text, state)) = found.into_iter().next() else { return Ok(None) };
    let header: CommitHeader = parse("commit", &revision.to_string(), &text)?;
    Ok(Some((header, state == "published")))
}

/// The digest under which a commit is stored.
pub(crate) async fn commit_digest(store: &Store, revision: Revision) -> Result<Option<Digest>, StoreError> {
    Ok(header(store, revision).await?.filter(|(_, published)| *published).map(|(header, _)| header.digest()))
}

pub(crate) async fn has_chunks(store: &Store, revision: Revision) -> Result<bool, StoreError> {
    let range = chunk_range(revision);
    let found: Vec<Value> = ask(store, "SELECT VALUE id FROM $what LIMIT 1", range).await?;
    Ok(!found.is_empty())
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

/// The changes of one chunk.
async fn chunk_of(store: &Store, header: &CommitHeader, at: usize) -> Result<Vec<RecordChange>, StoreError> {
    let record = format!("[{}, {at}]", header.revision);
    let missing =
        |reason: &str| StoreError::Inconsistent { table: "chunk", record: record.clone(), reason: reason.to_owned() };
    let digest = header.chunks.get(at).ok_or_else(|| missing("is not one of its commit's"))?;
    let part = i64::try_from(at).unwrap_or(i64::MAX);
    let id = Value::RecordId(RecordId::new("chunk", Array::from(vec![number(header.revision), part])));
    let found: Vec<Bytes> = ask(store, "SELECT VALUE bytes FROM $what", id).await?;
    let bytes = found.into_iter().next().ok_or_else(|| missing("is missing"))?;
    let (record, digest) = (record.clone(), *digest);
    tokio::task::spawn_blocking(move || chunk::decode(&record, &bytes, digest))
        .await
        .map_err(|error| StoreError::Failed { doing: DOING, reason: error.to_string() })?
}

/// All changes of a commit.
pub(crate) async fn changes(store: &Store, header: &CommitHeader) -> Result<Vec<RecordChange>, StoreError> {
    let mut changes = Vec::new();
    for at in 0..header.chunks.len() {
        changes.extend(chunk_of(store, header, at).await?);
    }
    if changes.len() as u64 == header.changes {
        return Ok(changes);
    }
    Err(StoreError::Inconsistent {
        table: "commit",
        record: header.revision.to_string(),
        reason: format!("says it has {} changes, but its chunks hold {}", header.changes, changes.len()),
    })
}

/// Where log and audit log end.
pub(crate) async fn tail(store: &Store) -> Result<Tail, StoreError> {
    let head = Value::RecordId(RecordId::new("head", "main"));
    let found: Vec<i64> = ask(store, "SELECT VALUE revision FROM $what", head).await?;
    let revision = Revision(found.first().map_or(0, |revision| u64::try_from(*revision).unwrap_or(0)));
    let mut tail = Tail { revision, ..Tail::default() };
    if revision.0 > 0 {
        let (header, _) = header(store, revision).await?.ok_or_else(|| StoreError::Inconsistent {
            table: "commit",
            record: revision.to_string(),
            reason: "is the head, but missing".into(),
        })?;
        tail.digest = header.digest();
        tail.at = Some(header.at);
    }
    let last: Vec<String> = ask(store, "SELECT VALUE entry FROM audit ORDER BY id DESC LIMIT 1", Value::None).await?;
    if let Some(text) = last.first() {
        let entry: AuditEntry = parse("audit", "last", text)?;
        tail.audit_seq = entry.seq;
        tail.audit_hash = entry.hash();
    }
    Ok(tail)
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
        Ok(header(self, revision).await?.filter(|(_, published)| *published).map(|(header, _)| header))
    }

    /// The changes in one chunk of a commit, checked against its digest.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn chunk(&self, header: &CommitHeader, chunk: u32) -> Result<Vec<RecordChange>, StoreError> {
        chunk_of(self, header, chunk as usize).await
    }

    /// The commits after `after` up to and including `until`, in order, with the number of changes
    /// in each of their chunks; each checked against its digests as it is read.
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
            let missing = || StoreError::Inconsistent {
                table: "commit",
                record: revision.to_string(),
                reason: "is missing; restore the last backup with `keelson restore`".into(),
            };
            let header = self.header(revision).await?.ok_or_else(missing)?;
            let mut changes = Vec::new();
            let mut chunked = Vec::with_capacity(header.chunks.len());
            for at in 0..header.chunks.len() {
                let some = chunk_of(self, &header, at).await?;
                chunked.push(some.len());
                changes.extend(some);
            }
            Ok(Some(((Commit { header, changes }, chunked), revision)))
        })
    }

    /// The findings kept with a batch, in order.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn findings(&self, batch: BatchId) -> Result<Vec<Finding>, StoreError> {
        let plain = self.parts("finding", &batch.to_string()).await?;
        let lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| parse("finding", &batch.to_string(), &String::from_utf8_lossy(line))).collect()
    }

    /// Returns a raw payload by its digest.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn payload(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(Some(self.parts("payload", digest).await?).filter(|bytes| !bytes.is_empty()))
    }

    async fn parts(&self, table: &'static str, key: &str) -> Result<Vec<u8>, StoreError> {
        let bound = |part: i64| {
            let parts = vec![Value::String(key.to_owned()), i64::into_value(part)];
            RecordIdKey::Array(Array::from(parts))
        };
        let range = RecordIdKeyRange {
            start: std::ops::Bound::Included(bound(0)),
            end: std::ops::Bound::Excluded(bound(i64::MAX)),
        };
        let id = Value::RecordId(RecordId::new(table, range));
        let found: Vec<Bytes> = ask(self, "SELECT VALUE bytes FROM $what", id).await?;
        let mut plain = Vec::new();
        for bytes in found {
            let part = zstd::decode_all(&bytes[..]).map_err(|error| StoreError::Inconsistent {
                table,
                record: key.to_owned(),
                reason: format!("cannot be unpacked: {error}"),
            })?;
            plain.extend(part);
        }
        Ok(plain)
    }
}
