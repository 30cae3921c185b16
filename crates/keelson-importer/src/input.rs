//! Reading the files of an import: bounded, in a fixed order, plain or gzipped.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// How much an import may read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest file as it lies there, bytes.
    pub compressed_bytes: u64,
    /// Largest file when unpacked, bytes.
    pub plain_bytes: u64,
    /// Largest ratio of unpacked to packed size.
    pub ratio: u64,
    /// Longest row, bytes.
    pub row_bytes: usize,
    /// Deepest nesting.
    pub nesting: usize,
    /// Most files.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { compressed_bytes: 256 << 20, plain_bytes: 1 << 30, ratio: 100, row_bytes: 1 << 20, nesting: 64, files: 10_000 }
    }
}

/// One file of an import.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name relative to what was imported, with forward slashes.
    pub name: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
}

/// The files of an import, in order of their names.
#[derive(Clone, Debug)]
pub struct Input {
    /// The files.
    pub files: Vec<SourceFile>,
    /// How much may be read of them.
    pub limits: Limits,
}

/// A file that cannot be read.
#[derive(Debug, Error)]
pub enum InputError {
    /// The operating system refused.
    #[error("failed to read {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Beyond a limit.
    #[error("{file} is refused: {reason}")]
    Limit {
        /// The file.
        file: String,
        /// Which limit, and its value.
        reason: String,
    },
    /// Bytes that are not UTF-8.
    #[error("{file} is not UTF-8 (first bad byte at offset {offset})")]
    Encoding {
        /// The file.
        file: String,
        /// Byte offset.
        offset: usize,
    },
}

impl SourceFile {
    /// A file held in memory.
    #[must_use]
    pub fn from_bytes(name: &str, content: impl Into<Arc<[u8]>>) -> Self {
        Self { name: name.to_owned(), origin: Origin::Bytes(content.into()) }
    }

    /// Opens the file for streaming, unpacking gzip (recognised by its magic bytes) and stopping
    /// with an error at the limits.
    ///
    /// # Errors
    /// Fails when the file cannot be opened or is over a limit; reading fails likewise.
    pub fn open(&self, limits: &Limits) -> Result<Box<dyn BufRead + Send>, InputError> {
        let _ = (&self.origin, limits);
        todo!("implemented next")
    }

    /// Reads the whole file as text, without a byte-order mark.
    ///
    /// # Errors
    /// Fails when it cannot be read, is over a limit or is not UTF-8.
    pub fn text(&self, limits: &Limits) -> Result<String, InputError> {
        let _ = limits;
        todo!("implemented next")
    }
}

impl Input {
    /// Files held in memory, for tests and for what is shipped inside the binary.
    #[must_use]
    pub fn from_files(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { files, limits: Limits::default() }
    }

    /// Finds the files under the paths given: a file is taken as it is, a folder is walked without
    /// following symbolic links, hidden files are left out.
    ///
    /// # Errors
    /// Fails when a path does not exist or there are too many files.
    pub fn from_paths(paths: &[PathBuf], limits: Limits) -> Result<Self, InputError> {
        let _ = (paths, limits);
        todo!("implemented next")
    }
}
