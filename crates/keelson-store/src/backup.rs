//! Writing a backup while the store is in use.
//!
//! The log is append-only: what belongs to the revisions up to the one at which the backup began
//! does not change under it. Rows are not in a backup; they follow from the log.

use std::collections::HashSet;
use std::path::Path;

use keelson_model::{Digest, Revision};

use crate::archive::{ArchivedCommit, Kind, Manifest, Writer};
use crate::kept::blocking;
use crate::{MAX_PAGE, Store, StoreError, kept, read};

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// How far a backup or a restore has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The revision that is being written.
    pub revision: Revision,
    /// The last one.
    pub last: Revision,
}

/// What a backup became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// What is in it.
    pub manifest: Manifest,
    /// The size of the file.
    pub bytes: u64,
}

impl Store {
    /// Writes the catalogue, its whole history, payloads, findings and audit log to a file, as they
    /// are when it begins. `progress` is told of each revision. Writers are not held up.
    ///
    /// The file appears under its name when it is whole and on the disk; a file that is there already
    /// is replaced.
    ///
    /// # Errors
    /// Fails when the store cannot be read or the file not be written.
    pub async fn backup(&self, to: &Path, mut progress: impl FnMut(Progress)) -> Result<BackedUp, StoreError> {
        let tail = *self.tail.lock().await;
        let manifest = Manifest {
            format: FORMAT,
            revision: tail.revision,
            digest: tail.digest,
            audit_entries: tail.audit_seq,
            audit_hash: tail.audit_hash,
        };
        let mut archive = Writer::create(to)?;
        archive.write(Kind::Manifest, &json(&manifest)?)?;
        let mut written = HashSet::new();
        for revision in (1..=tail.revision.0).map(Revision) {
            progress(Progress { revision, last: tail.revision });
            self.back_up_commit(&mut archive, revision, &mut written).await?;
        }
        let mut seq = 0;
        while seq < tail.audit_seq {
            let page = self.audit(seq, MAX_PAGE).await?;
            for entry in page.iter().filter(|entry| entry.seq <= tail.audit_seq) {
                archive.write(Kind::Audit, entry.canonical().as_bytes())?;
            }
            seq = page.last().map_or(u64::MAX, |entry| entry.seq);
        }
        let pause = self.pause.clone();
        let bytes = blocking(move || archive.finish(|| pause.at("backup: before the rename"))).await??;
        Ok(BackedUp { manifest, bytes })
    }

    async fn back_up_commit(
        &self,
        archive: &mut Writer,
        revision: Revision,
        written: &mut HashSet<Digest>,
    ) -> Result<(), StoreError> {
        let read::StoredCommit { header, beside, .. } = read::require(self, revision).await?;
        for kept in &beside.kept {
            let (digest, _, parts) = kept.content();
            if !written.insert(digest) {
                continue;
            }
            for number in 0..parts {
                let bytes = kept::part(self, digest, number).await?;
                archive.write(Kind::Part, &[&digest.0[..], &number.to_le_bytes(), &bytes].concat())?;
            }
        }
        let chunks = header.chunks.len();
        archive.write(Kind::Commit, &json(&ArchivedCommit { header, beside })?)?;
        for at in 0..chunks {
            archive.write(Kind::Chunk, &read::chunk_bytes(self, revision, at).await?)?;
        }
        Ok(())
    }
}

fn json(what: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(what)
        .map_err(|error| StoreError::Failed { doing: "writing a backup", reason: error.to_string() })
}
