//! The form of a backup: one file, independent of the engine.
//!
//! ```text
//! "KEELSON BACKUP 1\n"
//! frame*     kind: u8, length of the body: u32 little-endian, body, digest: 32 bytes
//! ```
//!
//! A frame's digest is SHA-256 over the digest of the frame before (zeros before the first), kind,
//! length and body. So a frame that was altered, removed, moved or put in is found where it stands.
//! The first frame is the [`Manifest`], the last one, [`Kind::End`], is empty; without it the file was
//! cut off.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use keelson_model::{Digest, Revision};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::StoreError;

const MAGIC: &[u8] = b"KEELSON BACKUP 1\n";
/// Largest body of a frame. Chunks and parts hold a megabyte before compression; a single change
/// may be larger, but not by this much.
pub(crate) const MAX_BODY: u32 = 256 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The [`Manifest`].
    Manifest = 1,
    /// A part of a payload or of findings: digest (32 bytes), number (u32), compressed bytes. It
    /// precedes the commit that keeps it.
    Part = 2,
    /// A commit: [`ArchivedCommit`].
    Commit = 3,
    /// A chunk of the commit before, in order, compressed.
    Chunk = 4,
    /// An audit entry in canonical JSON, in order of the log.
    Audit = 5,
    /// Nothing; the archive is whole.
    End = 6,
}

impl Kind {
    pub(crate) fn of(byte: u8) -> Option<Self> {
        [Self::Manifest, Self::Part, Self::Commit, Self::Chunk, Self::Audit, Self::End]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What a backup contains: the first thing in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The last revision in it.
    pub revision: Revision,
    /// The digest of that commit; of an empty catalogue, all zeros.
    pub digest: Digest,
    /// The number of audit entries.
    pub audit_entries: u64,
    /// The hash of the last audit entry; without one, all zeros.
    pub audit_hash: Digest,
}

/// The body of a [`Kind::Commit`].
#[derive(Serialize, Deserialize)]
pub(crate) struct ArchivedCommit {
    pub(crate) header: keelson_model::CommitHeader,
    pub(crate) beside: crate::kept::Beside,
}

/// Writes an archive beside its final path, and moves it there when it is whole.
pub(crate) struct Writer {
    path: PathBuf,
    fresh: PathBuf,
    file: BufWriter<File>,
    last: [u8; 32],
    pub(crate) bytes: u64,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let fresh = path.with_file_name(name);
        let failed = |source| StoreError::File { path: fresh.clone(), source };
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&fresh).map_err(failed)?);
        file.write_all(MAGIC).map_err(failed)?;
        let bytes = MAGIC.len() as u64;
        Ok(Self { path: path.to_owned(), file, last: [0; 32], bytes, fresh: fresh.clone() })
    }

    pub(crate) fn write(&mut self, kind: Kind, body: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let written = if length > MAX_BODY {
            Err(std::io::Error::other(format!("a record of {} bytes is too large for a backup", body.len())))
        } else {
            self.last = frame_digest(&self.last, kind as u8, length, body);
            let head = [&[kind as u8][..], &length.to_le_bytes()].concat();
            [&head, body, &self.last[..]].into_iter().try_for_each(|part| self.file.write_all(part))
        };
        self.bytes += 37 + u64::from(length);
        written.map_err(|source| StoreError::File { path: self.fresh.clone(), source })
    }

    /// Writes the end, makes the file durable and gives it its name.
    pub(crate) fn finish(mut self, before_rename: impl FnOnce()) -> Result<u64, StoreError> {
        self.write(Kind::End, &[])?;
        let finished = (|| {
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            before_rename();
            std::fs::rename(&self.fresh, &self.path)?;
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        })();
        finished.map_err(|source| StoreError::File { path: self.path.clone(), source })?;
        Ok(self.bytes)
    }
}

pub(crate) fn frame_digest(last: &[u8; 32], kind: u8, length: u32, body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(last);
    hasher.update([kind]);
    hasher.update(length.to_le_bytes());
    hasher.update(body);
    hasher.finalize().into()
}

/// Reads an archive frame by frame, checking each.
pub(crate) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    last: [u8; 32],
    at: u64,
    frame: u64,
    ended: bool,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Unreadable { path: path.to_owned(), source };
        let file = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
        let mut reader = Self { path: path.to_owned(), file, last: [0; 32], at: 0, frame: 0, ended: false };
        let mut magic = [0; MAGIC.len()];
        reader.fill(&mut magic)?;
        if magic != MAGIC {
            return Err(reader.bad("is not a backup of this program, or of another format"));
        }
        Ok(reader)
    }

    /// The error of an archive that cannot be used, with the place.
    pub(crate) fn bad(&self, reason: impl Into<String>) -> StoreError {
        StoreError::BadBackup { path: self.path.clone(), frame: self.frame, byte: self.at, reason: reason.into() }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), StoreError> {
        match self.file.read_exact(buffer) {
            Ok(()) => {
                self.at += buffer.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(self.bad("is cut off")),
            Err(source) => Err(StoreError::Unreadable { path: self.path.clone(), source }),
        }
    }

    /// The next frame; `None` behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<(Kind, Vec<u8>)>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        self.frame += 1;
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let Some(kind) = Kind::of(head[0]).filter(|_| length <= MAX_BODY) else {
            return Err(self.bad("was altered: a record starts that no backup contains"));
        };
        let body = self.body(length)?;
        let mut digest = [0; 32];
        self.fill(&mut digest)?;
        self.last = frame_digest(&self.last, head[0], length, &body);
        if self.last != digest {
            return Err(self.bad("was altered: a record does not have its digest"));
        }
        if kind == Kind::End {
            self.ended = true;
            if self.file.read(&mut [0]).map_err(|source| StoreError::Unreadable { path: self.path.clone(), source })?
                > 0
            {
                return Err(self.bad("was altered: something follows its end"));
            }
        }
        Ok(Some((kind, body)))
    }

    /// Reads a body without believing its length: memory grows with what is really there.
    fn body(&mut self, length: u32) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::new();
        let read = (&mut self.file).take(u64::from(length)).read_to_end(&mut body);
        let read = read.map_err(|source| StoreError::Unreadable { path: self.path.clone(), source })?;
        self.at += read as u64;
        if read as u64 == u64::from(length) { Ok(body) } else { Err(self.bad("is cut off")) }
    }
}
