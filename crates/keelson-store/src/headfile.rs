//! The head file: outside the engine's files, the last revision that was acknowledged.
//!
//! An engine whose log lost its end opens without an error. The head file is how we notice: it is
//! written and fsynced after a commit and before the commit is acknowledged.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use keelson_model::{Digest, Revision};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The last acknowledged commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acknowledged {
    pub(crate) revision: Revision,
    pub(crate) digest: Digest,
}

/// A head file at a path.
#[derive(Clone, Debug)]
pub(crate) struct HeadFile {
    pub(crate) path: PathBuf,
}

impl HeadFile {
    /// Reads it; `None` when there is none.
    pub(crate) fn read(&self) -> Result<Option<Acknowledged>, StoreError> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::Inconsistent {
                table: "head file",
                record: self.path.display().to_string(),
                reason: format!("cannot be read: {error}; if the store itself is whole, remove the file"),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::File { path: self.path.clone(), source }),
        }
    }

    /// Replaces it durably: a new file, synced, renamed over the old one, and the folder synced.
    pub(crate) fn write(&self, acknowledged: Acknowledged) -> Result<(), StoreError> {
        self.replace(acknowledged).map_err(|source| StoreError::File { path: self.path.clone(), source })
    }

    fn replace(&self, acknowledged: Acknowledged) -> std::io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(&acknowledged)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}
