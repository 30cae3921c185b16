//! Commits: the append-only history of the catalogue.
//!
//! A commit holds, for every record it touched, the record before and after. Its digest covers
//! its header, the digests of its chunks and the digest of the commit before it, so that a missing
//! or altered commit is found. Current state, state as of a time, differences between two times
//! and the audit trail are all views of this one log.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::key::hex;
use crate::{
    Baseline, BatchId, CalendarEntry, ChangeTemplate, ConfigurationItem, Disruption, ImportRun, Need, Relationship,
    RequestForChange, ReviewTask, ScopeState, SeriesBatch,
};

/// The number of a commit; 0 is the empty catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is not a SHA-256 digest");
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a record was and what it became; at least one of the two is present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change<T> {
    /// The record before; absent when it was created.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub before: Option<Arc<T>>,
    /// The record after; absent when it was physically removed, which no import does.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub after: Option<Arc<T>>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Change<T> {
    /// A record that did not exist before.
    #[must_use]
    pub fn created(after: T) -> Self {
        Self { before: None, after: Some(Arc::new(after)) }
    }

    /// A record with new content.
    #[must_use]
    pub fn updated(before: Arc<T>, after: T) -> Self {
        Self { before: Some(before), after: Some(Arc::new(after)) }
    }
}

/// A change of one record of any sort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordChange {
    /// A configuration item.
    Ci(Change<ConfigurationItem>),
    /// A relationship.
    Relationship(Change<Relationship>),
    /// A need.
    Need(Change<Need>),
    /// The state of a scope.
    Scope(Change<ScopeState>),
    /// An entry of the batch ledger.
    Run(Change<ImportRun>),
    /// A review task.
    Review(Change<ReviewTask>),
    /// A request for change.
    Request(Change<RequestForChange>),
    /// A template of requests for change.
    Template(Change<ChangeTemplate>),
    /// A freeze or maintenance window.
    Calendar(Change<CalendarEntry>),
    /// Something that is down or impaired.
    Disruption(Change<Disruption>),
    /// A baseline.
    Baseline(Change<Baseline>),
    /// Measured points.
    Series(Change<SeriesBatch>),
}

/// Who changed the catalogue, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitHeader {
    /// Its number.
    pub revision: Revision,
    /// When it was made; times of commits never decrease.
    pub at: DateTime<Utc>,
    /// When it was recorded, where that is not when it is dated: a commit that loads the past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// Who made it: a person's or a machine's name.
    pub actor: Arc<str>,
    /// What made it: `import backstage`, `createConfigurationItem`.
    pub action: Arc<str>,
    /// The source, for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// The batch, for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// Digest of the commit before; of revision 1, all zeros.
    pub previous: Digest,
    /// Number of changes.
    pub changes: u64,
    /// Digests of the chunks the changes are written in, in order.
    pub chunks: Vec<Digest>,
}

impl CommitHeader {
    /// The digest of the commit: SHA-256 over its header as JSON, which contains the digests of
    /// its chunks and of the commit before.
    ///
    /// # Panics
    /// Never: the header always serialises.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a header of strings and numbers serialises"))
    }
}

/// A commit with its changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Who, when, why.
    pub header: CommitHeader,
    /// What.
    pub changes: Vec<RecordChange>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_read_back() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("zz".parse::<Digest>().is_err());
    }
}
