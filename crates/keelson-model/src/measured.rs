//! Series of measured points: which there are, and where their points are kept.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ci::words;
use crate::{CiId, SeriesBatchId, Symbol};

words! {
    /// What was measured of a configuration item.
    Metric {
        /// Demand on it, in its own unit.
        Demand = "demand",
        /// How much of its capacity is in use, as a fraction.
        Utilisation = "utilisation",
    }
}

/// Points of several series that were read together. Never changed: later points come in further batches, and of two
/// points at the same time the one read later counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesBatch {
    /// Its id.
    pub id: SeriesBatchId,
    /// Who measured: the name of the source.
    pub source: Symbol,
    /// File or address they were read from, as shown to people.
    pub name: Arc<str>,
    /// When they were read.
    pub read_at: DateTime<Utc>,
    /// Digest of the payload that holds the points, SHA-256 in lower-case hexadecimal.
    pub payload: Arc<str>,
    /// The series, in the order in which their points lie in the payload.
    pub parts: Vec<SeriesPart>,
}

/// Points of one series within a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesPart {
    /// What was measured.
    pub ci: CiId,
    /// What of it.
    pub metric: Metric,
    /// The unit of its values.
    pub unit: Arc<str>,
    /// The first point.
    pub first: DateTime<Utc>,
    /// The last point.
    pub last: DateTime<Utc>,
    /// How many points, those among them that take back what was said of their time.
    pub points: u64,
    /// How many of them take back what was said of their time, and have no value of their own.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub withdrawn: u64,
    /// How many bytes of the payload they take, behind those of the parts before.
    pub bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_nothing(count: &u64) -> bool {
    *count == 0
}
