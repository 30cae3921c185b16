//! The session journal: outside the engine's files, what was committed since the store was opened.
//!
//! The engine keeps what was written last in memory and, until that is written to a table, in a
//! segment of its log. When the memory is full it begins another segment, and the one transaction
//! that no longer fitted has its record in the old segment, which is deleted, and its data in the new
//! memory. If the process ends then, that transaction is gone, though it was acknowledged; everything
//! before and after it is there. So every commit is written here too before it is acknowledged, and
//! [`crate::redo`] brings back what an opening finds missing.
//!
//! ```text
//! "KEELSON SESSION 1\n"
//! frame*     as in a backup, but the chain of digests begins anew with each Start
//! ```
//!
//! | Frame | Holds |
//! | --- | --- |
//! | [`Kind::Manifest`] | a [`Start`] |
//! | [`Kind::Part`] | a part of a payload or of findings, before the commit that keeps it |
//! | [`Kind::Commit`] | a [`SessionCommit`]; its chunks follow as [`Kind::Chunk`] |
//! | [`Kind::Audit`] | an audit entry that belongs to no commit, or of a restored one |
//!
//! The file grows with the session, compressed as the log is, and is begun anew by an opening that finds
//! nothing to bring back. A file that was cut off is good up to the last commit that is whole in it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use keelson_model::{CommitHeader, Digest, Revision};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::archive::{Kind, MAX_BODY, frame_digest};
use crate::kept::{Beside, blocking};
use crate::{AuditEntry, StoreError};

const MAGIC: &[u8] = b"KEELSON SESSION 1\n";

/// Where the engine and the log stood when a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The newest segment of the engine's log, before anything of ours was written.
    pub(crate) segment: Option<u64>,
    /// The last commit.
    pub(crate) revision: Revision,
    /// Its digest.
    pub(crate) digest: Digest,
}

/// A commit as the journal has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionCommit {
    pub(crate) header: CommitHeader,
    pub(crate) beside: Beside,
    /// Its audit entry; a restored commit has it in a frame of its own.
    pub(crate) audit: Option<AuditEntry>,
}

/// What is written as one frame.
pub(crate) type Frame = (Kind, Vec<u8>);

/// The frames of one commit.
pub(crate) fn frames(commit: &SessionCommit, chunks: Vec<Vec<u8>>) -> Result<Vec<Frame>, StoreError> {
    let first = (Kind::Commit, json(commit)?);
    Ok(std::iter::once(first).chain(chunks.into_iter().map(|bytes| (Kind::Chunk, bytes))).collect())
}

/// The frame of a part.
pub(crate) fn part_frame(digest: Digest, number: u32, bytes: &[u8]) -> Frame {
    (Kind::Part, [&digest.0[..], &number.to_le_bytes(), bytes].concat())
}

/// The frame of an audit entry that stands alone.
pub(crate) fn audit_frame(entry: &AuditEntry) -> Frame {
    (Kind::Audit, entry.canonical().into_bytes())
}

fn json(what: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(what)
        .map_err(|error| StoreError::Failed { doing: "writing the session journal", reason: error.to_string() })
}

/// The number of the newest segment of the log of an engine in a folder; `None` without any.
pub(crate) fn newest_segment(folder: &Path) -> Result<Option<u64>, StoreError> {
    let path = folder.join("wal");
    let failed = |source| StoreError::Unreadable { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut newest = None;
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal")).and_then(|number| number.parse().ok());
        newest = newest.max(number);
    }
    Ok(newest)
}

/// The journal of the session that is running. Clones share the file.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) path: PathBuf,
    open: Arc<Mutex<Open>>,
}

struct Open {
    file: File,
    /// Where the next frame goes; what a failed write left behind it is written over.
    end: u64,
    last: [u8; 32],
}

impl Session {
    /// Begins a journal, in the place of one that is no longer needed.
    pub(crate) fn begin(path: &Path, start: Start) -> Result<Self, StoreError> {
        let begun = || {
            let fresh = path.with_extension("session.new");
            let mut file = File::create(&fresh)?;
            file.write_all(MAGIC)?;
            let mut open = Open { file, end: MAGIC.len() as u64, last: [0; 32] };
            open.write(&[(Kind::Manifest, serde_json::to_vec(&start)?)], true)?;
            fs::rename(&fresh, path)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(open)
        };
        let open = begun().map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), open: Arc::new(Mutex::new(open)) })
    }

    /// Goes on with a journal behind what is whole in it.
    pub(crate) fn resume(path: &Path, whole: u64, start: Start) -> Result<Self, StoreError> {
        let resumed = || {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(whole)?;
            let mut open = Open { file, end: whole, last: [0; 32] };
            open.write(&[(Kind::Manifest, serde_json::to_vec(&start)?)], true)?;
            Ok(open)
        };
        let open = resumed().map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), open: Arc::new(Mutex::new(open)) })
    }

    /// Appends frames; with `durable`, they and all before them are on the disk when it returns.
    pub(crate) async fn keep(&self, frames: Vec<Frame>, durable: bool) -> Result<(), StoreError> {
        let session = self.clone();
        let kept = blocking(move || {
            let mut open = session.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.write(&frames, durable)
        });
        kept.await?.map_err(|source| StoreError::File { path: self.path.clone(), source })
    }
}

impl Open {
    fn write(&mut self, frames: &[Frame], durable: bool) -> std::io::Result<()> {
        let mut last = self.last;
        let mut bytes = Vec::with_capacity(frames.iter().map(|(_, body)| body.len() + 37).sum());
        for (kind, body) in frames {
            let length = u32::try_from(body.len()).ok().filter(|length| *length <= MAX_BODY);
            let length =
                length.ok_or_else(|| std::io::Error::other("a record is too large for the session journal"))?;
            if *kind == Kind::Manifest {
                last = [0; 32];
            }
            last = frame_digest(&last, *kind as u8, length, body);
            bytes.push(*kind as u8);
            bytes.extend(length.to_le_bytes());
            bytes.extend(body);
            bytes.extend(last);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&bytes)?;
        if durable {
            self.file.sync_data()?;
        }
        self.last = last;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// One thing the journal holds.
pub(crate) enum Entry {
    Start(Start),
    Part(Digest, u32, Vec<u8>),
    Commit(Box<SessionCommit>, Vec<Vec<u8>>),
    Audit(Box<AuditEntry>),
}

/// Reads a journal up to where it is whole.
pub(crate) struct Entries {
    path: PathBuf,
    file: BufReader<File>,
    size: u64,
    at: u64,
    last: [u8; 32],
    /// Where the last entry that is whole ends.
    pub(crate) whole: u64,
}

impl Entries {
    /// Opens a journal; `None` when there is none.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let failed = |source| StoreError::Unreadable { path: path.to_owned(), source };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let size = file.metadata().map_err(failed)?.len();
        let mut magic = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(failed)?;
        if magic != MAGIC {
            return Err(bad(path, "is not a session journal of this version; move it away if the store is whole"));
        }
        let at = MAGIC.len() as u64;
        let file = BufReader::with_capacity(1 << 20, file);
        Ok(Some(Self { path: path.to_owned(), file, size, at, last: [0; 32], whole: at }))
    }

    /// Whether something follows that is not whole.
    pub(crate) fn is_torn(&self) -> bool {
        self.whole < self.size
    }

    /// The next entry; `None` at the end and where the file was cut off.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some((kind, body)) = self.frame()? else { return Ok(None) };
        let entry = match kind {
            Kind::Manifest => Entry::Start(self.parse(&body)?),
            Kind::Audit => Entry::Audit(Box::new(self.parse(&body)?)),
            Kind::Part => {
                let split = body.split_first_chunk::<32>();
                let split = split.and_then(|(digest, rest)| Some((digest, rest.split_first_chunk::<4>()?)));
                let (digest, (number, bytes)) = split.ok_or_else(|| bad(&self.path, "has a part that is too short"))?;
                Entry::Part(Digest(*digest), u32::from_le_bytes(*number), bytes.to_vec())
            }
            Kind::Commit => {
                let commit: Box<SessionCommit> = self.parse(&body)?;
                let mut chunks = Vec::with_capacity(commit.header.chunks.len());
                for _ in 0..commit.header.chunks.len() {
                    match self.frame()? {
                        Some((Kind::Chunk, body)) => chunks.push(body),
                        _ => return Ok(None),
                    }
                }
                Entry::Commit(commit, chunks)
            }
            Kind::Chunk | Kind::End => return Err(bad(&self.path, "has a record out of place")),
        };
        self.whole = self.at;
        Ok(Some(entry))
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(body)
            .map_err(|error| bad(&self.path, format!("has a record that cannot be read: {error}")))
    }

    fn frame(&mut self) -> Result<Option<Frame>, StoreError> {
        match self.read() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            other => other.map_err(|source| StoreError::Unreadable { path: self.path.clone(), source }),
        }
    }

    fn read(&mut self) -> std::io::Result<Option<Frame>> {
        let mut head = [0; 5];
        self.file.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let end = self.at + 37 + u64::from(length);
        let Some(kind) = Kind::of(head[0]).filter(|_| end <= self.size) else { return Ok(None) };
        let mut body = vec![0; length as usize];
        self.file.read_exact(&mut body)?;
        let mut digest = [0; 32];
        self.file.read_exact(&mut digest)?;
        let before = if kind == Kind::Manifest { [0; 32] } else { self.last };
        self.last = frame_digest(&before, head[0], length, &body);
        if self.last != digest {
            return Ok(None);
        }
        self.at = end;
        Ok(Some((kind, body)))
    }
}

/// The error of a journal that cannot be used.
pub(crate) fn bad(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::Inconsistent { table: "session journal", record: path.display().to_string(), reason: reason.into() }
}

/// What a journal holds, in short.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    /// Where its first session began.
    pub(crate) start: Start,
    /// The newest segment when its last session began.
    pub(crate) segment: Option<u64>,
    /// Its commits in order.
    pub(crate) commits: Vec<(Revision, Digest)>,
    /// Where it is whole to.
    pub(crate) whole: u64,
}

impl Survey {
    /// Reads a journal from its beginning, checking that its commits follow each other; `None` when
    /// there is none, or none of it is whole.
    pub(crate) fn of(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(mut entries) = Entries::open(path)? else { return Ok(None) };
        let mut survey: Option<Self> = None;
        let mut last = (Revision(0), Digest::default());
        while let Some(entry) = entries.next()? {
            match (entry, &mut survey) {
                (Entry::Start(start), found) => {
                    let was = found.get_or_insert_with(|| Self { start, segment: None, commits: Vec::new(), whole: 0 });
                    was.segment = start.segment;
                    last = (start.revision, start.digest);
                }
                (Entry::Commit(commit, _), Some(survey)) => {
                    let header = commit.header;
                    if (header.revision, header.previous) != (last.0.next(), last.1) {
                        return Err(bad(path, format!("has a revision {} that does not follow", header.revision)));
                    }
                    last = (header.revision, header.digest());
                    survey.commits.push(last);
                }
                (_, None) => return Err(bad(path, "does not begin with a start")),
                (Entry::Part(..) | Entry::Audit(_), Some(_)) => {}
            }
        }
        if entries.is_torn() {
            tracing::warn!(path = %path.display(), at = entries.whole, "the session journal was cut off");
        }
        Ok(survey.map(|survey| Self { whole: entries.whole, ..survey }))
    }

    /// The last commit in it, or the one it begins after.
    pub(crate) fn last(&self) -> (Revision, Digest) {
        self.commits.last().copied().unwrap_or((self.start.revision, self.start.digest))
    }
}
