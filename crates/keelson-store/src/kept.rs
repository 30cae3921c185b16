//! What is kept with a commit beside its changes: raw payloads and findings.
//!
//! Their bytes are written before the commit, once per digest, in parts of a megabyte; nothing refers
//! to them until the commit's own transaction writes the record that names them. So they are there
//! exactly when the commit is, and an empty payload differs from an absent one.

use std::sync::Arc;

use keelson_model::{BatchId, Digest, Finding, Payload};
use serde::{Deserialize, Serialize};
use surrealdb::types::{Array, Bytes, Object, RecordId, SurrealValue, Value};

use crate::chunk::{CHUNK_BYTES, compress};
use crate::error::{cause, classify};
use crate::read::{ask, parse};
use crate::session::part_frame;
use crate::{AuditDetails, Store, StoreError};

/// Something kept with a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    Payload { digest: Digest, name: String, media_type: String, bytes: u64, parts: u32 },
    Findings { batch: BatchId, digest: Digest, bytes: u64, parts: u32 },
}

/// What a commit record holds beside its header: enough to finish the commit from its journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// What is kept with the commit.
    pub(crate) kept: Vec<Kept>,
    /// More about the actor, for the audit entry.
    pub(crate) details: AuditDetails,
}

/// The statements that make what is kept visible; the rows they write are bound by [`bind_rows`].
pub(crate) const KEEP: &str = "INSERT IGNORE INTO payload $payloads RETURN NONE; \
     INSERT INTO finding $findings ON DUPLICATE KEY UPDATE digest = $input.digest, bytes = $input.bytes, \
     parts = $input.parts RETURN NONE;";

impl Kept {
    pub(crate) fn content(&self) -> (Digest, u64, u32) {
        match self {
            Self::Payload { digest, bytes, parts, .. } | Self::Findings { digest, bytes, parts, .. } => {
                (*digest, *bytes, *parts)
            }
        }
    }

    fn row(&self) -> Value {
        let mut row = Object::new();
        match self {
            Self::Payload { digest, name, media_type, .. } => {
                row.insert("id", RecordId::new("payload", digest.to_string()));
                row.insert("name", name.as_str());
                row.insert("media_type", media_type.as_str());
            }
            Self::Findings { batch, digest, .. } => {
                row.insert("id", RecordId::new("finding", batch.to_string()));
                row.insert("digest", digest.to_string());
            }
        }
        let (_, bytes, parts) = self.content();
        row.insert("bytes", i64::try_from(bytes).unwrap_or(i64::MAX));
        row.insert("parts", i64::from(parts));
        Value::Object(row)
    }
}

/// Rows for [`KEEP`]: payloads and findings.
pub(crate) fn rows(kept: &[Kept]) -> (Value, Value) {
    let (payloads, findings): (Vec<&Kept>, Vec<&Kept>) =
        kept.iter().partition(|kept| matches!(kept, Kept::Payload { .. }));
    let rows = |kept: Vec<&Kept>| Value::Array(kept.into_iter().map(Kept::row).collect::<Vec<_>>().into());
    (rows(payloads), rows(findings))
}

/// Writes the bytes of what is to be kept and says what it is.
pub(crate) async fn write(
    store: &Store,
    payloads: &[Payload],
    batch: Option<BatchId>,
    findings: &[Finding],
) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::with_capacity(payloads.len() + 1);
    for payload in payloads {
        let digest = Digest::of(&payload.content);
        if digest.to_string() != payload.digest {
            return Err(StoreError::Inconsistent {
                table: "payload",
                record: payload.name.clone(),
                reason: format!("is said to have the digest {}, but has {digest}", payload.digest),
            });
        }
        let parts = write_parts(store, digest, &payload.content).await?;
        let (name, media_type) = (payload.name.clone(), payload.media_type.clone());
        kept.push(Kept::Payload { digest, name, media_type, bytes: payload.content.len() as u64, parts });
    }
    if let (Some(batch), false) = (batch, findings.is_empty()) {
        let mut plain = Vec::new();
        for finding in findings {
            serde_json::to_writer(&mut plain, finding).map_err(|error| StoreError::Inconsistent {
                table: "finding",
                record: batch.to_string(),
                reason: error.to_string(),
            })?;
            plain.push(b'\n');
        }
        let digest = Digest::of(&plain);
        let bytes = plain.len() as u64;
        let parts = write_parts(store, digest, &Arc::from(plain)).await?;
        kept.push(Kept::Findings { batch, digest, bytes, parts });
    }
    Ok(kept)
}

async fn write_parts(store: &Store, digest: Digest, plain: &Arc<[u8]>) -> Result<u32, StoreError> {
    let mut number = 0;
    for from in (0..plain.len()).step_by(CHUNK_BYTES) {
        let plain = Arc::clone(plain);
        let bytes = blocking(move || compress(&plain[from..plain.len().min(from + CHUNK_BYTES)])).await??;
        write_part(store, digest, number, bytes).await?;
        number += 1;
    }
    Ok(number)
}

/// Writes one compressed part, to the session journal first; the same part again is the same bytes.
pub(crate) async fn write_part(store: &Store, digest: Digest, part: u32, bytes: Vec<u8>) -> Result<(), StoreError> {
    const DOING: &str = "keeping a payload";
    if let Some(session) = &store.session {
        session.keep(vec![part_frame(digest, part, &bytes)], false).await?;
    }
    let asked = store
        .db
        .query("UPSERT $id SET bytes = $bytes RETURN NONE")
        .bind(("id", Value::RecordId(RecordId::new("part", part_key(digest, part)))))
        .bind(("bytes", Value::Bytes(Bytes::from(bytes))));
    let mut answer = asked.await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

fn part_key(digest: Digest, part: u32) -> Array {
    Array::from(vec![Value::String(digest.to_string()), i64::from(part).into_value()])
}

/// One compressed part of some content.
pub(crate) async fn part(store: &Store, digest: Digest, number: u32) -> Result<Vec<u8>, StoreError> {
    let id = Value::RecordId(RecordId::new("part", part_key(digest, number)));
    let found: Vec<Bytes> = ask(store, "SELECT VALUE bytes FROM $what", id).await?;
    match found.into_iter().next() {
        Some(bytes) => Ok(bytes.to_vec()),
        None => Err(StoreError::Inconsistent {
            table: "part",
            record: format!("[{digest}, {number}]"),
            reason: "is missing; restore the last backup with `keelson restore`".into(),
        }),
    }
}

/// Content by its digest, checked.
async fn content(store: &Store, table: &'static str, digest: Digest, parts: u32) -> Result<Vec<u8>, StoreError> {
    let inconsistent = |reason: String| StoreError::Inconsistent { table, record: digest.to_string(), reason };
    let mut plain = Vec::new();
    for number in 0..parts {
        let bytes = part(store, digest, number).await?;
        let unpacked = blocking(move || zstd::decode_all(&bytes[..])).await?;
        plain.extend(unpacked.map_err(|error| inconsistent(format!("part {number} cannot be unpacked: {error}")))?);
    }
    let found = Digest::of(&plain);
    if found == digest { Ok(plain) } else { Err(inconsistent(format!("its bytes have the digest {found}"))) }
}

/// Checks content without holding more than a part of it.
pub(crate) async fn check(store: &Store, kept: &Kept) -> Result<(), StoreError> {
    use sha2::Digest as _;
    let (digest, _, parts) = kept.content();
    let mut hasher = sha2::Sha256::new();
    for number in 0..parts {
        let bytes = part(store, digest, number).await?;
        let unpacked = zstd::decode_all(&bytes[..]).map_err(|error| StoreError::Inconsistent {
            table: "part",
            record: format!("[{digest}, {number}]"),
            reason: format!("cannot be unpacked: {error}"),
        })?;
        hasher.update(&unpacked);
    }
    let found = Digest(hasher.finalize().into());
    if found == digest {
        return Ok(());
    }
    Err(StoreError::Inconsistent {
        table: "part",
        record: digest.to_string(),
        reason: format!("its bytes have the digest {found}"),
    })
}

/// Runs work that takes more than half a millisecond away from the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let failed = |error: tokio::task::JoinError| StoreError::Failed { doing: "working", reason: error.to_string() };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

impl Store {
    /// Returns a raw payload with its name and media type, its digest checked.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn stored_payload(&self, digest: &str) -> Result<Option<Payload>, StoreError> {
        let id = Value::RecordId(RecordId::new("payload", digest.to_owned()));
        let found: Vec<(String, String, i64)> =
            ask(self, "SELECT VALUE [name, media_type, parts] FROM $what", id).await?;
        let Some((name, media_type, parts)) = found.into_iter().next() else { return Ok(None) };
        let known: Digest = digest.parse().map_err(|reason| StoreError::Inconsistent {
            table: "payload",
            record: digest.to_owned(),
            reason,
        })?;
        let content = content(self, "payload", known, u32::try_from(parts).unwrap_or_default()).await?;
        Ok(Some(Payload {
            name,
            digest: digest.to_owned(),
            media_type,
            bytes: content.len() as u64,
            content: Arc::from(content),
        }))
    }

    /// Returns the bytes of a raw payload by its digest, checked against it.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn payload(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.stored_payload(digest).await?.map(|payload| payload.content.to_vec()))
    }

    /// The findings kept with a batch, in order; none for a batch without findings.
    ///
    /// # Errors
    /// Fails when the store does, or holds something else than was written.
    pub async fn findings(&self, batch: BatchId) -> Result<Vec<Finding>, StoreError> {
        let id = Value::RecordId(RecordId::new("finding", batch.to_string()));
        let found: Vec<(String, i64)> = ask(self, "SELECT VALUE [digest, parts] FROM $what", id).await?;
        let Some((digest, parts)) = found.into_iter().next() else { return Ok(Vec::new()) };
        let digest = digest.parse().map_err(|reason| StoreError::Inconsistent {
            table: "finding",
            record: batch.to_string(),
            reason,
        })?;
        let plain = content(self, "finding", digest, u32::try_from(parts).unwrap_or_default()).await?;
        let lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| parse("finding", &batch.to_string(), &String::from_utf8_lossy(line))).collect()
    }
}
