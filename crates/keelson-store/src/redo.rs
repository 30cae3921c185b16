//! Bringing back what the engine lost of a session.
//!
//! An opening that finds that the engine began another segment of its log during the last session, or
//! that the log ends before its end was acknowledged, goes through the session journal and writes
//! what is missing: parts, chunks, commit records, audit entries, the head, and those rows that are not
//! what the last commit of the session made them. All of it is idempotent, and the journal keeps its
//! content, with a new start behind it, until an opening finds that no segment was begun since.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use keelson_model::{Digest, RecordChange, Revision};
use surrealdb::types::{RecordId, SurrealValue, Value};

use crate::audit::AuditEntry;
use crate::commit::{Tail, text};
use crate::error::{cause, classify};
use crate::headfile::Acknowledged;
use crate::journal::{self, chunk_row, write};
use crate::kept::{self, KEEP, blocking};
use crate::rows::{Record, Rows, TABLES, fingerprint};
use crate::session::{Entries, Entry, Session, SessionCommit, Start, Survey, bad, newest_segment};
use crate::{MAX_PAGE, Store, StoreError, chunk, read};

const DOING: &str = "bringing back what the engine lost";
/// Rows that are compared, and written, by one statement.
const ROWS: usize = 500;

/// What an opening knows of the session before.
pub(crate) struct Before {
    folder: PathBuf,
    path: PathBuf,
    /// Whether the engine had a folder.
    existed: bool,
    segment: Option<u64>,
    /// How many tables the engine had.
    tables: usize,
    /// The newest segment when the engine was open and nothing of ours written.
    opened: Option<u64>,
    /// Whether the engine wrote a table while it opened. It does when a segment does not fit its
    /// memory, and then no longer reads that segment, though it goes on writing to it: if the process
    /// is killed, this session is lost, and the end of the one before.
    has_split: bool,
    survey: Option<Survey>,
}

/// How much was written back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repaired {
    pub(crate) commits: usize,
    pub(crate) chunks: usize,
    pub(crate) parts: usize,
    pub(crate) audit_entries: usize,
    pub(crate) rows: usize,
}

impl Before {
    /// Looks at the engine's folder before the engine opens it.
    pub(crate) fn look(folder: PathBuf, path: PathBuf) -> Result<Self, StoreError> {
        let segment = newest_segment(&folder)?;
        let (existed, tables) = (folder.exists(), tables(&folder));
        Ok(Self { existed, folder, path, segment, tables, opened: None, has_split: false, survey: None })
    }

    /// Looks again when the engine has its folder open, and locked, and reads the journal.
    pub(crate) async fn opened(mut self) -> Result<Self, StoreError> {
        self.opened = newest_segment(&self.folder)?;
        self.has_split = tables(&self.folder) > self.tables;
        let path = self.path.clone();
        self.survey = blocking(move || Survey::of(&path)).await??;
        Ok(self)
    }

    /// Brings back what is missing, if something may be; says whether the journal must be kept: when
    /// it was needed, or may be.
    pub(crate) async fn bring_back(&self, store: &Store) -> Result<bool, StoreError> {
        let Some(survey) = self.survey.as_ref() else { return Ok(false) };
        let head = head(store).await?;
        let acknowledged = store.headfile.as_ref().map(crate::headfile::HeadFile::read).transpose()?.flatten();
        let last = survey.last();
        let is_empty = survey.commits.is_empty() && last.0 <= head;
        // Without commits it may hold audit entries, which are no use to a store that is new.
        if is_empty && (!self.existed || !self.has_rotated(survey)) {
            return Ok(false);
        }
        if !self.existed || head < survey.start.revision {
            return self.refuse(head, last.0, acknowledged);
        }
        self.check_fit(store, survey, head).await?;
        let is_behind = last.0 > head || acknowledged.is_some_and(|known| known.revision > head);
        let is_whole = last.0.0 == 0 || read::commit_digest(store, last.0).await?.is_some();
        if !self.has_rotated(survey) && !is_behind && is_whole {
            return Ok(self.has_split);
        }
        let repaired = self.redo(store, survey, head).await?;
        if repaired == Repaired::default() {
            tracing::info!("the session journal was compared with the store; nothing was missing");
        } else {
            tracing::warn!(?repaired, "the engine had lost a part of the last session; it was brought back");
        }
        Ok(true)
    }

    /// Whether a segment was begun in a session that did not end as it should. An engine that is
    /// closed writes its memory to a table and leaves no segment; as long as it runs there is one.
    fn has_rotated(&self, survey: &Survey) -> bool {
        self.segment.is_some() && (self.segment != survey.segment || self.opened != survey.segment)
    }

    /// The journal cannot help: it begins behind the end of the store. When commits were
    /// acknowledged that are missing, the opening says so itself.
    fn refuse(&self, head: Revision, last: Revision, acknowledged: Option<Acknowledged>) -> Result<bool, StoreError> {
        if acknowledged.is_some_and(|known| known.revision > head.next()) {
            return Ok(false);
        }
        Err(bad(
            &self.path,
            format!(
                "ends at revision {last}, but the store ends at {head} and was replaced or emptied; if this is the \
                 store you want, move the journal away"
            ),
        ))
    }

    /// Refuses a journal of another store before anything is written. Commits are chained by digest, so
    /// the last one that both have stands for all before it.
    async fn check_fit(&self, store: &Store, survey: &Survey, head: Revision) -> Result<(), StoreError> {
        let start = (survey.start.revision, survey.start.digest);
        let all = survey.commits.iter().rev().copied().chain(std::iter::once(start));
        for (revision, digest) in all.filter(|(revision, _)| revision.0 > 0 && *revision <= head) {
            match read::commit_digest(store, revision).await? {
                None => {}
                Some(known) if known == digest => return Ok(()),
                Some(_) => {
                    return Err(bad(
                        &self.path,
                        format!(
                            "has another revision {revision} than the store: it belongs to another store; nothing \
                             was changed. Move it away if the store is the one you want"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Begins the journal of this session: behind the last one's content when that must be kept.
    pub(crate) async fn begin(&self, keep: bool, tail: Tail) -> Result<Session, StoreError> {
        let kept = self.survey.as_ref().filter(|_| keep).map(|survey| (survey.last(), survey.whole));
        let (revision, digest) = kept.map_or((tail.revision, tail.digest), |(last, _)| last);
        let start = Start { segment: self.opened, revision, digest };
        let path = self.path.clone();
        blocking(move || match kept {
            Some((_, whole)) => Session::resume(&path, whole, start),
            None => Session::begin(&path, start),
        })
        .await?
    }

    /// Writes to a journal that was kept what the store has beyond it: the commit that was not
    /// acknowledged when the process ended.
    pub(crate) async fn close_gap(&self, store: &Store, tail: Tail) -> Result<(), StoreError> {
        let last = self.survey.as_ref().map_or(tail.revision, |survey| survey.last().0);
        if last >= tail.revision {
            return Ok(());
        }
        let entries = store.audit(tail.audit_seq.saturating_sub(MAX_PAGE as u64), MAX_PAGE).await?;
        for revision in (last.0 + 1..=tail.revision.0).map(Revision) {
            let commit = read::require(store, revision).await?;
            let audit = entries.iter().find(|entry| entry.revision == Some(revision)).cloned();
            journal::keep(store, &commit.header, &commit.beside, audit).await?;
        }
        Ok(())
    }

    async fn redo(&self, store: &Store, survey: &Survey, head: Revision) -> Result<Repaired, StoreError> {
        let mut repaired = Repaired::default();
        let mut last_states = HashMap::new();
        let mut entries = Next::of(&self.path).await?;
        let mut audit = Vec::new();
        while let Some(entry) = entries.next().await? {
            match entry {
                Entry::Start(_) => {}
                Entry::Part(digest, number, bytes) => {
                    repaired.parts += usize::from(redo_part(store, digest, number, bytes).await?);
                }
                Entry::Audit(entry) => audit.push(*entry),
                Entry::Commit(mut commit, chunks) => {
                    audit.extend(commit.audit.take());
                    for (at, change) in (0..).zip(decode(&commit, chunks.clone()).await?) {
                        if let Some(record) = Record::after(&change) {
                            last_states.insert((record.table(), record.key()), (commit.header.revision, at));
                        }
                    }
                    redo_commit(store, &commit, chunks, &mut repaired).await?;
                }
            }
            if audit.len() >= ROWS {
                repaired.audit_entries += redo_audit(store, std::mem::take(&mut audit)).await?;
            }
        }
        repaired.audit_entries += redo_audit(store, audit).await?;
        repaired.rows = redo_rows(store, Next::of(&self.path).await?, &last_states).await?;
        let last = survey.last();
        if last.0 > head {
            write_head(store, last).await?;
        }
        Ok(repaired)
    }
}

/// How many tables an engine has in a folder.
fn tables(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("sstables")).map_or(0, Iterator::count)
}

/// Entries of a journal, each read on a thread of its own.
struct Next(Option<Entries>);

impl Next {
    async fn of(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Ok(Self(blocking(move || Entries::open(&path)).await??))
    }

    async fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some(mut entries) = self.0.take() else { return Ok(None) };
        let (entries, next) = blocking(move || {
            let next = entries.next();
            (entries, next)
        })
        .await?;
        self.0 = Some(entries);
        next
    }
}

/// The revision of the head, whether or not its commit is there.
async fn head(store: &Store) -> Result<Revision, StoreError> {
    let head = Value::RecordId(RecordId::new("head", "main"));
    let found: Vec<i64> = read::ask(store, "SELECT VALUE revision FROM $what", head).await?;
    Ok(Revision(found.first().map_or(0, |revision| u64::try_from(*revision).unwrap_or(0))))
}

async fn write_head(store: &Store, (revision, digest): (Revision, Digest)) -> Result<(), StoreError> {
    let asked = store
        .db
        .query("UPSERT head:main SET revision = $revision, digest = $digest RETURN NONE")
        .bind(("revision", revision.0))
        .bind(("digest", digest.to_string()));
    let mut answer = asked.await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

/// What a read finds, or nothing where it finds nothing.
fn found<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Inconsistent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn redo_part(store: &Store, digest: Digest, number: u32, bytes: Vec<u8>) -> Result<bool, StoreError> {
    if found(kept::part(store, digest, number).await)?.is_some() {
        return Ok(false);
    }
    kept::write_part(store, digest, number, bytes).await?;
    Ok(true)
}

/// The changes of a commit of the journal.
async fn decode(commit: &SessionCommit, chunks: Vec<Vec<u8>>) -> Result<Vec<RecordChange>, StoreError> {
    let revision = commit.header.revision;
    let digests = commit.header.chunks.clone();
    blocking(move || {
        let mut changes = Vec::new();
        for (at, (bytes, digest)) in chunks.iter().zip(digests).enumerate() {
            changes.extend(chunk::decode(&format!("[{revision}, {at}]"), bytes, digest)?);
        }
        Ok(changes)
    })
    .await?
}

async fn redo_commit(
    store: &Store,
    commit: &SessionCommit,
    chunks: Vec<Vec<u8>>,
    repaired: &mut Repaired,
) -> Result<(), StoreError> {
    let SessionCommit { header, beside, .. } = commit;
    for (at, bytes) in chunks.into_iter().enumerate() {
        let stored = found(read::chunk_bytes(store, header.revision, at).await)?;
        if stored.is_some_and(|stored| *stored == bytes) {
            continue;
        }
        let statement = "INSERT INTO chunk $rows ON DUPLICATE KEY UPDATE bytes = $input.bytes RETURN NONE";
        write(store, statement, vec![chunk_row(header.revision, at, bytes)]).await?;
        repaired.chunks += 1;
    }
    let is_published = read::commit_digest(store, header.revision).await?.is_some();
    let mut query = String::from("BEGIN; ");
    if !beside.kept.is_empty() {
        query.push_str(KEEP);
    }
    if !is_published {
        query.push_str(
            "UPSERT type::record('commit', $revision) SET header = $header, digest = $digest, kept = $kept, \
             state = 'published', writer = NONE, renewed = NONE RETURN NONE;",
        );
        repaired.commits += 1;
    } else if beside.kept.is_empty() {
        return Ok(());
    }
    query.push_str(" COMMIT;");
    let (payloads, findings) = kept::rows(&beside.kept);
    let asked = store
        .db
        .query(query)
        .bind(("revision", header.revision.0))
        .bind(("header", text(header)))
        .bind(("digest", header.digest().to_string()))
        .bind(("kept", text(beside)))
        .bind(("payloads", payloads))
        .bind(("findings", findings));
    let mut answer = asked.await.map_err(|error| classify(DOING, &error))?;
    cause(answer.take_errors()).map_or(Ok(()), |error| Err(classify(DOING, &error)))
}

/// Writes the audit entries that are missing and returns how many there were.
async fn redo_audit(store: &Store, entries: Vec<AuditEntry>) -> Result<usize, StoreError> {
    if entries.is_empty() {
        return Ok(0);
    }
    let id = |entry: &AuditEntry| RecordId::new("audit", i64::try_from(entry.seq).unwrap_or(i64::MAX));
    let ids: Vec<Value> = entries.iter().map(|entry| Value::RecordId(id(entry))).collect();
    let stored: Vec<(i64, String)> =
        read::ask(store, "SELECT VALUE [record::id(id), hash] FROM $what", Value::Array(ids.into())).await?;
    let stored: HashMap<i64, String> = stored.into_iter().collect();
    let mut missing = Vec::new();
    for entry in entries {
        match stored.get(&i64::try_from(entry.seq).unwrap_or(i64::MAX)) {
            None => missing.push(entry),
            Some(hash) if *hash == entry.hash().to_string() => {}
            Some(_) => {
                return Err(StoreError::Inconsistent {
                    table: "audit",
                    record: entry.seq.to_string(),
                    reason: "is another entry than the session journal has".into(),
                });
            }
        }
    }
    let count = missing.len();
    if count > 0 {
        crate::restore::write_audit(store, missing).await?;
    }
    Ok(count)
}

/// The commit and the place in it at which a record, by table and key, was changed last.
type LastStates = HashMap<(usize, String), (Revision, usize)>;

/// Compares the rows that the session wrote last with what is stored, and writes those that differ.
async fn redo_rows(store: &Store, mut entries: Next, last_states: &LastStates) -> Result<usize, StoreError> {
    let mut repaired = 0;
    while let Some(entry) = entries.next().await? {
        let Entry::Commit(commit, chunks) = entry else { continue };
        let revision = commit.header.revision;
        let changes = decode(&commit, chunks).await?;
        let is_last =
            |at: usize, record: &Record<'_>| last_states.get(&(record.table(), record.key())) == Some(&(revision, at));
        let mut by_table: [Vec<&RecordChange>; TABLES.len()] = Default::default();
        for (at, change) in changes.iter().enumerate() {
            if let Some(record) = Record::after(change).filter(|record| is_last(at, record)) {
                by_table[record.table()].push(change);
            }
        }
        for (table, changes) in TABLES.into_iter().zip(by_table) {
            for some in changes.chunks(ROWS) {
                repaired += redo_some(store, table, some, revision).await?;
            }
        }
    }
    Ok(repaired)
}

/// The same for some rows of one table and one commit.
async fn redo_some(
    store: &Store,
    table: &'static str,
    changes: &[&RecordChange],
    revision: Revision,
) -> Result<usize, StoreError> {
    let records: Vec<Record<'_>> = changes.iter().filter_map(|change| Record::after(change)).collect();
    let ids: Vec<Value> = records.iter().map(|record| Value::RecordId(record.id())).collect();
    let rows: Vec<Value> = read::ask(store, "SELECT * FROM $what", Value::Array(ids.into())).await?;
    let mut stored = HashMap::new();
    for row in rows {
        let (key, digest) = fingerprint(table, &row)?;
        stored.insert(key, (revision_of(&row), digest));
    }
    let mut differ = Vec::new();
    for record in records {
        let row = record.row(revision)?;
        let (key, digest) = fingerprint(table, &row)?;
        match stored.get(&key) {
            // Written by a commit that was not acknowledged and is not in the journal.
            Some((later, _)) if *later > read::number(revision) => {}
            Some((_, known)) if *known == digest => {}
            _ => differ.push((record.table(), row)),
        }
    }
    let count = differ.len();
    for statement in Rows::replacing(differ).into_statements() {
        write(store, statement.text, statement.rows).await?;
    }
    Ok(count)
}

fn revision_of(row: &Value) -> i64 {
    let Value::Object(fields) = row else { return 0 };
    fields.get("revision").and_then(|revision| i64::from_value(revision.clone()).ok()).unwrap_or(0)
}
