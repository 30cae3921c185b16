//! What an assessment said, kept with the request.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ci::words;
use crate::{CiId, Digest, Revision, Window};

words! {
    /// What becomes of a service while a change is under way, from the mildest to the worst.
    Effect {
        /// Something it depends on is touched; it loses nothing and keeps its margin.
        Protected = "protected",
        /// It loses nothing, but is closer to losing something: it has less redundancy than before.
        MarginLost = "margin_lost",
        /// It loses something and still delivers what it must.
        Degraded = "degraded",
        /// It delivers less than it must.
        Breached = "breached",
    }
}

/// The effect on one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectOn {
    /// The service.
    pub ci: CiId,
    /// What becomes of it, with every doubt read as good.
    pub at_best: Effect,
    /// What becomes of it, with every doubt read as bad.
    pub at_worst: Effect,
    /// The fraction of it that is lost, as written.
    pub loss: f64,
    /// Single failures that would then breach it and would not otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_single_points: Vec<CiId>,
}

/// A collision as an assessment keeps it: what the request and others breach together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCollision {
    /// The service that is breached.
    pub service: CiId,
    /// When.
    pub window: Window,
    /// The other requests, by key, in order.
    pub with: Vec<Arc<str>>,
}

impl KnownCollision {
    /// Whether it says no more than another one: the same service and requests, at no other time.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.service == other.service && self.with == other.with && other.window.covers(&self.window)
    }
}

/// An assessment as a request keeps it: what it said in short, and the digests that prove the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenAssessment {
    /// The revision it was computed at.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked for it.
    pub by: Arc<str>,
    /// Digest of what went in: the request's items, window and rollback time, what was said to be not
    /// impacted, the starting state, and the other requests it was assessed with.
    pub inputs: Digest,
    /// Digest of the whole answer, which is kept as a payload under it.
    pub document: Digest,
    /// Whether nothing was cut off, hidden or without a rule.
    pub is_complete: bool,
    /// What made the request a major one; empty when it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub major: Vec<Arc<str>>,
    /// Freezes and maintenance windows it violates, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Arc<str>>,
    /// What it and other requests breach together, if all goes to plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collisions: Vec<KnownCollision>,
    /// Searches that were ended before they had looked at everything, in words: what they did not find may be
    /// there all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsearched: Vec<Arc<str>>,
    /// The services it touches, in order of their ids.
    pub effects: Vec<EffectOn>,
}

impl FrozenAssessment {
    /// The other requests it collides with, by key, each once.
    #[must_use]
    pub fn collides_with(&self) -> Vec<Arc<str>> {
        let with: BTreeSet<&Arc<str>> = self.collisions.iter().flat_map(|collision| &collision.with).collect();
        with.into_iter().cloned().collect()
    }
}

/// The decision that a request may be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Who decided; for a standard change, who approved its template.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// What it was decided on.
    pub assessment: FrozenAssessment,
}

words! {
    /// Why an assessment was made again.
    RecheckReason {
        /// A commit changed something it rests on.
        Catalogue = "catalogue",
        /// The request itself was altered.
        Request = "request",
        /// The calendar, the starting state or another request changed.
        Schedule = "schedule",
    }
}

/// An assessment made again after the approval that differed from the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recheck {
    /// The commit that caused it.
    pub cause: Revision,
    /// What kind of cause it is.
    pub reason: RecheckReason,
    /// When it was noticed.
    pub at: DateTime<Utc>,
    /// Services whose effect is worse than before, or that were not touched before.
    pub worse: Vec<EffectOn>,
    /// Services whose effect is milder than before, or that are no longer touched.
    pub better: Vec<EffectOn>,
    /// Freezes and maintenance windows that are violated and were not when it was approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Arc<str>>,
    /// Requests with which it collides otherwise than when it was approved, by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collides_with: Vec<Arc<str>>,
    /// Whether the difference is beyond what the policy lets pass: it must be approved again.
    pub needs_approval: bool,
}
