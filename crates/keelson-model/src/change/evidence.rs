//! Templates, baselines, and what is written down when the work is over.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Action, BaselineId, ChangeId, ChangeState, CiId, Digest, Revision, Symbol};

/// A kind of change that was decided on once for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeTemplate {
    /// Its name. Unique.
    pub name: Arc<str>,
    /// Number of changes, from 1.
    pub version: u32,
    /// What, in a line.
    pub title: Arc<str>,
    /// The classes of the items it may alter; subclasses are meant too.
    pub classes: Vec<Symbol>,
    /// What it may do to them.
    pub actions: Vec<Action>,
    /// The longest window, in minutes.
    pub longest_minutes: u32,
    /// How it is reversed.
    pub rollback: super::Rollback,
    /// How it is seen that it worked.
    pub verification: Arc<str>,
    /// Who wrote it.
    pub by: Arc<str>,
    /// Who approved it, another person; absent: it cannot be used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Arc<str>>,
    /// When it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was withdrawn, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// The state of chosen items at a revision. Never changes.
///
/// The log holds what the items were then; a baseline names which items, at which revision, and the
/// digest that proves that what is read from the log later is what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its identifier, for life.
    pub id: BaselineId,
    /// What people call it. Unique.
    pub name: Arc<str>,
    /// The revision whose state it is.
    pub revision: Revision,
    /// The items, in order of their ids.
    pub items: Vec<CiId>,
    /// How the items were chosen, in words: `chosen`, `cone of RFC-12`.
    pub chosen: Arc<str>,
    /// Digest of the items' state: their records, and the relationships and needs of which they are the
    /// dependent.
    pub digest: Digest,
    /// Who took it.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// The request it was taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeId>,
}

/// How the work ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// `done` or `backed_out`.
    pub outcome: ChangeState,
    /// When the work began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// The baseline compared with, and the revision it was compared at.
    pub compared_at: Revision,
    /// Altered items that differ from the baseline: the change shows in the catalogue.
    pub showing: Vec<CiId>,
    /// Altered items that do not.
    pub not_showing: Vec<CiId>,
    /// Why it is closed although not everything shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

/// What a service really lost while the work was under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObservedLoss {
    /// The service.
    pub ci: CiId,
    /// The largest fraction lost, above 0 and at most 1.
    pub loss: f64,
    /// For how long, in minutes.
    pub minutes: u32,
    /// Where it is written down: the number of an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
}

/// What was predicted against what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewRecord {
    /// Who reviewed it.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the services were watched while the work was under way; if not, nothing is known of
    /// what happened, and the review counts in no figure.
    pub is_monitored: bool,
    /// Incidents and problems linked to it, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Arc<str>>,
    /// What services lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<ObservedLoss>,
    /// Whether it failed: it was backed out, or an incident or problem inside its cone was linked to it
    /// within 72 hours.
    pub has_failed: bool,
    /// What was learnt.
    pub lessons: Arc<str>,
}
