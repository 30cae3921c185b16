//! The audit log: one entry per commit or refused attempt, chained by hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use keelson_model::{BatchId, Digest, Revision};
use serde::{Deserialize, Serialize};

use crate::commit::{MAX_RETRIES, jitter};
use crate::error::{cause, classify};
use crate::session::audit_frame;
use crate::{Store, StoreError, read};

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
    /// How the actor proved who they are, in which role they acted, and on what.
    #[serde(flatten)]
    pub details: AuditDetails,
    /// What: `import backstage`, `createConfigurationItem`.
    pub action: Arc<str>,
    /// The revision it led to; absent when it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Digest of the commit before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_digest: Option<Digest>,
    /// Digest of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_digest: Option<Digest>,
    /// The batch, for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<BatchId>,
    /// How it ended: `done`, or one of [`AuditOutcome`].
    pub outcome: Arc<str>,
}

/// What the audit log keeps about an action beyond actor, action and time. Persons are referred to,
/// never described, so that erasing one does not break the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDetails {
    /// How the actor proved who they are: `token`, `oidc`, `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<Arc<str>>,
    /// The role that permitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arc<str>>,
    /// What it was done to: an id or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Arc<str>>,
    /// The request for change it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<Arc<str>>,
    /// The request of the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Arc<str>>,
}

/// How an attempt ended that changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// A rule of the catalogue refused it.
    Refused,
    /// The actor may not do it.
    Denied,
    /// Somebody else was quicker.
    Conflict,
}

impl AuditOutcome {
    /// The outcome as it stands in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
        }
    }
}

/// An attempt that changed nothing, to be kept in the audit log.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When, for information only.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Arc<str>,
    /// What was attempted.
    pub action: Arc<str>,
    /// The batch, for imports.
    pub batch: Option<BatchId>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// The rest.
    pub details: AuditDetails,
}

impl AuditEntry {
    /// The entry in canonical JSON (RFC 8785): names in order, no white space. What is hashed, and
    /// what is stored, so that a third party verifies the log with a SHA-256 and no knowledge of
    /// this program.
    ///
    /// # Panics
    /// Never: an entry always serialises.
    #[must_use]
    pub fn canonical(&self) -> String {
        // Names are ASCII, values texts and whole numbers: sorting is all that RFC 8785 asks beyond
        // what the serialiser does already.
        let plain = serde_json::to_value(self).expect("an entry of strings and numbers serialises");
        let sorted: BTreeMap<String, serde_json::Value> = match plain {
            serde_json::Value::Object(fields) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        serde_json::to_string(&sorted).expect("an entry of strings and numbers serialises")
    }

    /// The hash of the entry: SHA-256 over [`Self::canonical`], which contains the hash of the one
    /// before.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }
}

impl Store {
    /// Keeps an attempt that changed nothing in the audit log.
    ///
    /// # Errors
    /// Fails when the store does; [`StoreError::Conflict`] when other servers were quicker too often.
    pub async fn record(&self, attempt: Attempt) -> Result<AuditEntry, StoreError> {
        const DOING: &str = "writing the audit log";
        let mut tail = self.tail.lock().await;
        if tail.closed {
            return Err(StoreError::Closed);
        }
        for retry in 0.. {
            let entry = AuditEntry {
                seq: tail.audit_seq + 1,
                prev_hash: tail.audit_hash,
                at: attempt.at.trunc_subsecs(6),
                actor: Arc::clone(&attempt.actor),
                details: attempt.details.clone(),
                action: Arc::clone(&attempt.action),
                revision: None,
                before_digest: None,
                after_digest: None,
                batch_id: attempt.batch,
                outcome: Arc::from(attempt.outcome.as_str()),
            };
            let asked = self
                .db
                .query("CREATE type::record('audit', $seq) SET entry = $entry, hash = $hash RETURN NONE")
                .bind(("seq", entry.seq))
                .bind(("entry", entry.canonical()))
                .bind(("hash", entry.hash().to_string()));
            let failed = match asked.await {
                Ok(mut answer) => cause(answer.take_errors()),
                Err(error) => Some(error),
            };
            match failed.map(|error| classify(DOING, &error)) {
                None => {
                    (tail.audit_seq, tail.audit_hash) = (entry.seq, entry.hash());
                    if let Some(session) = &self.session {
                        let kept = session.keep(vec![audit_frame(&entry)], true).await;
                        kept.inspect_err(|_| tail.closed = true)?;
                    }
                    return Ok(entry);
                }
                Some(StoreError::Conflict { .. }) if retry < MAX_RETRIES => {
                    tokio::time::sleep(jitter(retry)).await;
                    read::refresh_audit(self, &mut tail).await?;
                }
                Some(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict { doing: DOING })
    }
}
