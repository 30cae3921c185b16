//! The audit log: one entry per commit, chained by hash.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{BatchId, Digest, Revision};
use serde::{Deserialize, Serialize};

/// Who did what, when, and how it ended. `hash` of the next entry covers this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place in the log, from 1 without gaps; the order of the log.
    pub seq: u64,
    /// Hash of the entry before; of the first, all zeros.
    pub prev_hash: Digest,
    /// When, for information only.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Arc<str>,
    /// What: `import backstage`, `createConfigurationItem`.
    pub action: Arc<str>,
    /// The revision it led to; absent when it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Digest of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_digest: Option<Digest>,
    /// The batch, for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<BatchId>,
    /// How it ended: `done`.
    pub outcome: Arc<str>,
}

impl AuditEntry {
    /// The hash of the entry: SHA-256 over its JSON, which contains the hash of the one before.
    ///
    /// # Panics
    /// Never: an entry always serialises.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("an entry of strings and numbers serialises"))
    }
}
