//! Named states of chosen items.

use chrono::{DateTime, Utc};
use keelson_model::{Baseline, Revision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{keys, text};
use crate::{Asked, Basis, View};

/// A baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselineLine {
    /// What people call it.
    pub name: String,
    /// The revision whose state it is.
    pub revision: Revision,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Who took it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// How the items were chosen.
    pub chosen: String,
    /// How many items it holds.
    pub items: usize,
    /// The first of them, by key.
    pub keys: Vec<String>,
    /// Digest of their state.
    pub digest: String,
    /// The request it was taken for.
    pub change: Option<String>,
}

/// Baselines, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselinesAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many there are.
    pub total: usize,
    /// The baselines.
    pub baselines: Vec<BaselineLine>,
}

/// Baselines, newest first.
#[must_use]
pub fn baselines(view: &View, skip: usize, most: usize, most_keys: usize, asked: Asked) -> BaselinesAnswer {
    let total = view.catalogue.baselines().count();
    let lines: Vec<BaselineLine> = view
        .catalogue
        .baselines()
        .rev()
        .skip(skip)
        .take(most)
        .map(|kept| baseline(view, &kept.record, most_keys))
        .collect();
    let mut basis = Basis::of(view, asked);
    basis.page("baselines", lines.len(), total);
    BaselinesAnswer { basis, total, baselines: lines }
}

/// One baseline.
#[must_use]
pub fn baseline(view: &View, baseline: &Baseline, most_keys: usize) -> BaselineLine {
    let change = baseline.change.and_then(|id| view.catalogue.request(id));
    BaselineLine {
        name: baseline.name.to_string(),
        revision: baseline.revision,
        at: baseline.at,
        by: baseline.by.to_string(),
        reason: text(&baseline.reason),
        chosen: baseline.chosen.to_string(),
        items: baseline.items.len(),
        keys: keys(view, &baseline.items[..baseline.items.len().min(most_keys)]),
        digest: baseline.digest.to_string(),
        change: change.map(|kept| kept.record.key.to_string()),
    }
}
