//! Bringing a backup back.
//!
//! The whole archive is checked before the store is touched: every frame, every digest, every chain.
//! Then it is written, commit after commit, below the head; one last transaction publishes the head.
//! A store in which that was cut off is refused on opening. All that is restored is written to the session
//! journal as well, as a commit is, so that an opening brings back what the engine lost of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keelson_model::{CommitHeader, Digest, RecordChange, Revision};
use sha2::{Digest as _, Sha256};
use surrealdb::types::{RecordId, Value};

use crate::archive::{ArchivedCommit, Kind, Manifest, Reader};
use crate::backup::FORMAT;
use crate::commit::text;
use crate::error::{cause, classify};
use crate::headfile::Acknowledged;
use crate::journal::{Lease, chunk_row, write, write_rows};
use crate::kept::{Beside, KEEP, blocking, write_part};
use crate::read::{ask, check_count};
use crate::session::{SessionCommit, audit_frame, frames};
use crate::{AuditEntry, Options, Progress, Store, StoreError, chunk, kept, read};

/// Refuses a store in which a restore was cut off.
pub(crate) async fn refuse_unfinished(store: &Store) -> Result<(), StoreError> {
    let id = Value::RecordId(RecordId::new("head", "restoring"));
    let found: Vec<i64> = ask(store, "SELECT VALUE revision FROM $what", id).await?;
    if found.is_empty() {
        return Ok(());
    }
    Err(StoreError::Inconsistent {
        table: "head",
        record: "restoring".into(),
        reason: "says that a restore was cut off; remove the store and restore again".into(),
    })
}

/// Checks a backup from its first byte to its last without writing anything, and returns what it
/// contains.
///
/// # Errors
/// [`StoreError::BadBackup`] with the place when it was cut off or altered.
pub async fn check_backup(from: &Path) -> Result<Manifest, StoreError> {
    let from = from.to_owned();
    blocking(move || check(&from)).await?
}

/// Restores a backup into an empty store and returns it open. `progress` is told of each revision.
///
/// # Errors
/// [`StoreError::BadBackup`] when the backup was cut off or altered, before anything is written;
/// [`StoreError::NotEmpty`] when the store is not empty; otherwise as the store fails. A restore that
/// failed leaves a store that is refused on opening.
pub async fn restore(
    from: &Path,
    into: Options,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Store, StoreError> {
    let manifest = check_backup(from).await?;
    let store = Store::open(into).await?;
    let mut tail = store.tail.lock().await;
    if tail.revision != Revision(0) || tail.audit_seq != 0 {
        return Err(StoreError::NotEmpty(tail.revision));
    }
    run(&store, "UPSERT head:restoring SET revision = $revision, digest = $digest RETURN NONE", &manifest).await?;
    let half = manifest.revision.0 / 2 + 1;
    let mut next = Next::of(from.to_owned()).await?;
    while let Some(step) = next.step().await? {
        match step {
            Step::Part(digest, number, bytes) => write_part(&store, digest, number, bytes).await?,
            Step::Commit(commit, chunks) => {
                let revision = commit.header.revision;
                progress(Progress { revision, last: manifest.revision });
                if revision.0 == half {
                    store.pause.at("restore: half written");
                }
                restore_commit(&store, *commit, chunks).await?;
            }
            Step::Audit(entries) => restore_audit(&store, entries).await?,
        }
    }
    store.pause.at("restore: before publication");
    if let Some(session) = &store.session {
        session.keep(Vec::new(), true).await?;
    }
    let publish = if manifest.revision.0 == 0 {
        "DELETE head:restoring"
    } else {
        "BEGIN; UPSERT head:main SET revision = $revision, digest = $digest RETURN NONE; DELETE head:restoring; COMMIT;"
    };
    run(&store, publish, &manifest).await?;
    *tail = read::tail(&store).await?;
    if let Some(headfile) = &store.headfile {
        headfile.write(Acknowledged { revision: tail.revision, digest: tail.digest })?;
    }
    drop(tail);
    Ok(store)
}

async fn run(store: &Store, text: &'static str, manifest: &Manifest) -> Result<(), StoreError> {
    const DOING: &str = "restoring";
    let asked =
        store.db.query(text).bind(("revision", manifest.revision.0)).bind(("digest", manifest.digest.to_string()));
    let mut answer = asked.await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

async fn restore_commit(store: &Store, commit: ArchivedCommit, chunks: Vec<Vec<u8>>) -> Result<(), StoreError> {
    const DOING: &str = "restoring a commit";
    let ArchivedCommit { header, beside } = commit;
    if let Some(session) = &store.session {
        let commit = SessionCommit { header: header.clone(), beside: beside.clone(), audit: None };
        session.keep(frames(&commit, chunks.clone())?, false).await?;
    }
    let mut changes = Vec::new();
    for (at, bytes) in chunks.into_iter().enumerate() {
        let digest = header.chunks.get(at).copied().unwrap_or_default();
        let record = format!("[{}, {at}]", header.revision);
        let (row, some) = blocking(move || {
            let some = chunk::decode(&record, &bytes, digest);
            some.map(|some| (bytes, some))
        })
        .await??;
        write(store, "INSERT INTO chunk $rows RETURN NONE", vec![chunk_row(header.revision, at, row)]).await?;
        changes.extend(some);
    }
    write_rows(store, &Arc::new(changes), &mut Lease::of(header.revision)).await?;
    let (payloads, findings) = kept::rows(&beside.kept);
    let create = "CREATE type::record('commit', $revision) SET header = $header, digest = $digest, kept = $kept, \
                  state = 'published' RETURN NONE";
    let asked = store
        .db
        .query(format!("BEGIN; {} {create}; COMMIT;", if beside.kept.is_empty() { "" } else { KEEP }))
        .bind(("revision", header.revision.0))
        .bind(("header", text(&header)))
        .bind(("digest", header.digest().to_string()))
        .bind(("kept", text(&beside)))
        .bind(("payloads", payloads))
        .bind(("findings", findings));
    let mut answer = asked.await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

async fn restore_audit(store: &Store, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
    if let Some(session) = &store.session {
        session.keep(entries.iter().map(audit_frame).collect(), false).await?;
    }
    write_audit(store, entries).await
}

/// Writes audit entries that are not there.
pub(crate) async fn write_audit(store: &Store, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
    let rows = entries.into_iter().map(|entry| {
        let mut row = surrealdb::types::Object::new();
        row.insert("id", RecordId::new("audit", i64::try_from(entry.seq).unwrap_or(i64::MAX)));
        row.insert("entry", entry.canonical());
        row.insert("hash", entry.hash().to_string());
        Value::Object(row)
    });
    write(store, "INSERT INTO audit $rows RETURN NONE", rows.collect()).await
}

/// Entries of the audit log that are written together.
const AUDIT_ROWS: usize = 1_000;

/// One thing to restore.
enum Step {
    Part(Digest, u32, Vec<u8>),
    Commit(Box<ArchivedCommit>, Vec<Vec<u8>>),
    Audit(Vec<AuditEntry>),
}

/// The steps of an archive, each read on a thread of its own. One commit, compressed, is held in
/// memory.
struct Next {
    reader: Option<Reader>,
    /// A frame that was read to see where a commit or a run of audit entries ends.
    ahead: Option<(Kind, Vec<u8>)>,
}

impl Next {
    async fn of(path: PathBuf) -> Result<Self, StoreError> {
        let reader = blocking(move || Reader::open(&path)).await??;
        Ok(Self { reader: Some(reader), ahead: None })
    }

    async fn step(&mut self) -> Result<Option<Step>, StoreError> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        let mut ahead = self.ahead.take();
        let (reader, ahead, step) = blocking(move || {
            let step = read_step(&mut reader, &mut ahead);
            (reader, ahead, step)
        })
        .await?;
        (self.reader, self.ahead) = (Some(reader), ahead);
        step
    }
}

fn read_step(reader: &mut Reader, ahead: &mut Option<(Kind, Vec<u8>)>) -> Result<Option<Step>, StoreError> {
    loop {
        let frame = match ahead.take() {
            Some(frame) => Some(frame),
            None => reader.next()?,
        };
        let Some((kind, body)) = frame else { return Ok(None) };
        match kind {
            Kind::Manifest => {}
            Kind::End => return Ok(None),
            Kind::Part => {
                let (digest, number, bytes) = part(reader, &body)?;
                return Ok(Some(Step::Part(digest, number, bytes.to_vec())));
            }
            Kind::Commit => {
                let commit: ArchivedCommit = json(reader, &body)?;
                let mut chunks = Vec::with_capacity(commit.header.chunks.len());
                for _ in 0..commit.header.chunks.len() {
                    match reader.next()? {
                        Some((Kind::Chunk, body)) => chunks.push(body),
                        _ => return Err(reader.bad("lacks a chunk of a commit")),
                    }
                }
                return Ok(Some(Step::Commit(Box::new(commit), chunks)));
            }
            Kind::Chunk => return Err(reader.bad("has a chunk that belongs to no commit")),
            Kind::Audit => {
                let mut entries = vec![json(reader, &body)?];
                while entries.len() < AUDIT_ROWS {
                    match reader.next()? {
                        Some((Kind::Audit, body)) => entries.push(json(reader, &body)?),
                        other => {
                            *ahead = other;
                            break;
                        }
                    }
                }
                return Ok(Some(Step::Audit(entries)));
            }
        }
    }
}

fn json<T: serde::de::DeserializeOwned>(reader: &Reader, body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|error| reader.bad(format!("has a record that cannot be read: {error}")))
}

fn part<'b>(reader: &Reader, body: &'b [u8]) -> Result<(Digest, u32, &'b [u8]), StoreError> {
    let split = body.split_first_chunk::<32>();
    let split = split.and_then(|(digest, rest)| Some((digest, rest.split_first_chunk::<4>()?)));
    let (digest, (number, bytes)) = split.ok_or_else(|| reader.bad("has a part that is too short"))?;
    Ok((Digest(*digest), u32::from_le_bytes(*number), bytes))
}

/// What has been seen while an archive is checked.
#[derive(Default)]
struct Seen {
    revision: Revision,
    digest: Digest,
    audit_seq: u64,
    audit_hash: Digest,
    /// Parts and digest so far of the content that is being read.
    open: HashMap<Digest, (u32, Sha256)>,
    /// Parts of each content that is whole.
    whole: HashMap<Digest, u32>,
}

fn check(path: &Path) -> Result<Manifest, StoreError> {
    let mut reader = Reader::open(path)?;
    let manifest: Manifest = match reader.next()? {
        Some((Kind::Manifest, body)) => json(&reader, &body)?,
        _ => return Err(reader.bad("does not begin with a manifest")),
    };
    if manifest.format != FORMAT {
        return Err(reader.bad(format!("has the format {}, but this version reads {FORMAT}", manifest.format)));
    }
    let mut seen = Seen::default();
    let mut ahead = None;
    while let Some(step) = read_step(&mut reader, &mut ahead)? {
        match step {
            Step::Part(digest, number, bytes) => check_part(&reader, &mut seen, digest, number, &bytes)?,
            Step::Commit(commit, chunks) => check_commit(&reader, &mut seen, &commit, &chunks)?,
            Step::Audit(entries) => {
                for entry in entries {
                    if entry.seq != seen.audit_seq + 1 || entry.prev_hash != seen.audit_hash {
                        return Err(reader.bad(format!("has an audit log whose entry {} breaks the chain", entry.seq)));
                    }
                    (seen.audit_seq, seen.audit_hash) = (entry.seq, entry.hash());
                }
            }
        }
    }
    let found = (seen.revision, seen.digest, seen.audit_seq, seen.audit_hash);
    if found != (manifest.revision, manifest.digest, manifest.audit_entries, manifest.audit_hash) {
        return Err(reader.bad("does not contain what its manifest says"));
    }
    Ok(manifest)
}

fn check_part(reader: &Reader, seen: &mut Seen, digest: Digest, number: u32, bytes: &[u8]) -> Result<(), StoreError> {
    let (parts, hasher) = seen.open.entry(digest).or_insert_with(|| (0, Sha256::new()));
    if *parts != number {
        return Err(reader.bad(format!("lacks part {parts} of the content {digest}")));
    }
    let plain =
        zstd::decode_all(bytes).map_err(|error| reader.bad(format!("has a part that cannot be unpacked: {error}")))?;
    hasher.update(&plain);
    *parts += 1;
    Ok(())
}

fn check_commit(
    reader: &Reader,
    seen: &mut Seen,
    commit: &ArchivedCommit,
    chunks: &[Vec<u8>],
) -> Result<(), StoreError> {
    let ArchivedCommit { header, beside } = commit;
    let revision = header.revision;
    if revision != seen.revision.next() || header.previous != seen.digest {
        return Err(reader.bad(format!("has a revision {revision} that does not follow the one before")));
    }
    for (digest, (parts, hasher)) in seen.open.drain() {
        if Digest(hasher.finalize().into()) != digest {
            return Err(reader.bad(format!("has other content under the digest {digest}")));
        }
        seen.whole.insert(digest, parts);
    }
    check_kept(reader, seen, beside)?;
    let changes = check_chunks(header, chunks).map_err(|error| reader.bad(format!("has a bad commit: {error}")))?;
    check_count(header, changes).map_err(|error| reader.bad(format!("has a bad commit: {error}")))?;
    (seen.revision, seen.digest) = (revision, header.digest());
    Ok(())
}

fn check_kept(reader: &Reader, seen: &Seen, beside: &Beside) -> Result<(), StoreError> {
    for kept in &beside.kept {
        let (digest, bytes, parts) = kept.content();
        let whole = if bytes == 0 { 0 } else { seen.whole.get(&digest).copied().unwrap_or(0) };
        if whole != parts || (bytes == 0 && digest != Digest::of(&[])) {
            return Err(reader.bad(format!("lacks parts of the content {digest}")));
        }
    }
    Ok(())
}

fn check_chunks(header: &CommitHeader, chunks: &[Vec<u8>]) -> Result<u64, StoreError> {
    let mut changes = 0;
    for (at, bytes) in chunks.iter().enumerate() {
        let digest = header.chunks.get(at).copied().unwrap_or_default();
        let some: Vec<RecordChange> = chunk::decode(&format!("[{}, {at}]", header.revision), bytes, digest)?;
        changes += some.len() as u64;
    }
    Ok(changes)
}
