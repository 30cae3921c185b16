//! What an answer rests on: its revision, and how complete it is.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use keelson_analysis::{Truncation, Truncations};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_graph::ItemIx;
use keelson_model::{Provenance, Revision, Standing, Symbol};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::View;
use crate::subject::ci_of;

/// When a question is asked, and about which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The time the question counts from: now, or the time in the past it is about.
    pub at: DateTime<Utc>,
    /// The time in the past the question is about; absent for the present.
    pub as_of: Option<DateTime<Utc>>,
}

impl Asked {
    /// A question about the present.
    #[must_use]
    pub fn now(at: DateTime<Utc>) -> Self {
        Self { at, as_of: None }
    }

    /// A question about a time in the past.
    #[must_use]
    pub fn about(time: DateTime<Utc>) -> Self {
        Self { at: time, as_of: Some(time) }
    }
}

/// A limit of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitCode {
    /// The walk stopped at its largest depth.
    Depth,
    /// The walk stopped at its largest number of items.
    Items,
    /// The walk was stopped by its deadline, or by the asker.
    Deadline,
    /// Only the first part of a list is shown.
    Page,
    /// The rule of a need on the way was not stated by anybody.
    RuleMissing,
    /// Kinds of relationship on the way that the registry does not know.
    KindWithoutRule,
    /// Something on the way is a placeholder: nobody has described it.
    Placeholder,
    /// Something on the way, or a member of a need on the way, is withdrawn, and something in
    /// service still states that it needs it.
    Withdrawn,
    /// The search for the facts that decide ended because its budget was spent.
    DecisiveBudget,
    /// The check ended because its budget was spent.
    CheckBudget,
    /// The margins of some services were not computed.
    MarginBudget,
    /// The search for colliding changes ended because its budget was spent.
    CollisionBudget,
    /// Something a request alters takes no part in analyses.
    NotInService,
    /// Times of a repeating window beyond the number that is looked at.
    Occurrences,
    /// Several changes being reversed at once: each is looked at by itself.
    ReversedTogether,
    /// A figure that nobody stated was bracketed or left out.
    FigureMissing,
    /// A budget for an exact result was spent: what is told is a bound or an estimate.
    ExactBudget,
}

/// A limit of an answer, with what it means for this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Which limit.
    pub code: LimitCode,
    /// In words.
    pub message: String,
    /// What it is about, where one name says it: the kind of relationship without a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Limit {
    /// A limit with what it means.
    #[must_use]
    pub fn new(code: LimitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), subject: None }
    }
}

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Basis {
    /// The last commit the answer takes into account.
    pub revision: Revision,
    /// The time in the past the answer is about; `null` for the present.
    pub as_of: Option<DateTime<Utc>>,
    /// Whether nothing was cut off, hidden or assumed.
    pub complete: bool,
    /// What limits the answer. When it is complete, at most what finds no room in its lists, and what the question
    /// does not ask about.
    pub limits: Vec<Limit>,
    /// The oldest observation the answer rests on.
    pub oldest_observation: Option<DateTime<Utc>>,
    /// How many of the items it rests on were last seen longer ago than their class allows.
    pub stale: usize,
    /// What the answer supposes beside what is known, in words; empty for an answer about what is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supposing: Vec<String>,
}

impl Basis {
    /// The basis of an answer read straight from the catalogue.
    #[must_use]
    pub fn of(view: &View, asked: Asked) -> Self {
        Self {
            revision: view.revision(),
            as_of: asked.as_of,
            complete: true,
            limits: Vec::new(),
            oldest_observation: None,
            stale: 0,
            supposing: view.supposed.as_ref().map(|supposed| supposed.lines.clone()).unwrap_or_default(),
        }
    }

    /// Notes a limit that leaves something out of the answer.
    pub fn limit(&mut self, code: LimitCode, message: impl Into<String>) {
        self.complete = false;
        self.limits.push(Limit::new(code, message));
    }

    /// Notes what a reader has to know and what leaves nothing out of what was asked: the answer is no less complete.
    pub fn remark(&mut self, code: LimitCode, message: impl Into<String>) {
        self.limits.push(Limit::new(code, message));
    }

    /// Notes that a list shows only its first part. The answer itself is no less complete.
    pub fn page(&mut self, what: &str, shown: usize, total: usize) {
        if shown < total {
            self.remark(LimitCode::Page, format!("{shown} of {total} {what} are shown"));
        }
    }

    /// Notes that whoever asked no longer wanted the answer, or its time was up, before it was whole.
    pub fn stopped(&mut self, stop: Option<&AtomicBool>) {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
            && self.limits.iter().all(|limit| limit.code != LimitCode::Deadline)
        {
            self.truncated_at_deadline();
        }
    }

    fn truncated_at_deadline(&mut self) {
        self.limit(LimitCode::Deadline, "the time for the answer was up");
    }

    /// Notes the limits a walk hit.
    pub fn truncated(&mut self, truncations: Truncations) {
        for truncation in truncations.iter() {
            match truncation {
                Truncation::Depth => self.limit(LimitCode::Depth, "there is more beyond the largest depth"),
                Truncation::Items => self.limit(LimitCode::Items, "there are more items than one answer may hold"),
                Truncation::Deadline => self.truncated_at_deadline(),
            }
        }
    }

    /// Takes the age of what the answer rests on into account, and placeholders among it. Every item
    /// is to be named once.
    pub fn rests_on(&mut self, view: &View, items: impl Iterator<Item = CiIx>, asked: Asked) {
        let (mut placeholders, mut withdrawn) = (0_usize, 0_usize);
        let mut oldest = self.oldest_observation;
        for ix in items {
            let brief = view.brief(ix);
            placeholders += usize::from(brief.standing == Standing::Placeholder);
            withdrawn += usize::from(brief.standing == Standing::Withdrawn);
            oldest = oldest.into_iter().chain(brief.last_seen).min();
            self.stale += usize::from(brief.is_stale(asked.at));
        }
        self.oldest_observation = oldest;
        if placeholders > 0 {
            let message = format!("{placeholders} items on the way are placeholders: what they need is not known");
            self.limit(LimitCode::Placeholder, message);
        }
        if withdrawn > 0 {
            let message = format!(
                "{withdrawn} items on the way are listed by no source any longer, though something still states that \
                 it needs them; what they need is not known"
            );
            self.limit(LimitCode::Withdrawn, message);
        }
    }
}

/// Those of some items of the graph that are withdrawn.
pub(crate) fn withdrawn<'a>(view: &'a View, items: impl IntoIterator<Item = &'a ItemIx>) -> impl Iterator<Item = CiIx> {
    let items = items.into_iter().map(|item| ci_of(*item));
    items.filter(|ix| view.brief(*ix).standing == Standing::Withdrawn)
}

/// When a claim was last confirmed: by the batch that stated it, or by a later complete batch of
/// its scope that listed it unchanged.
#[must_use]
pub fn confirmed(catalogue: &Catalogue, provenance: &Provenance) -> DateTime<Utc> {
    let complete = catalogue.scope(&provenance.source, &provenance.scope).and_then(|scope| scope.last_complete);
    complete.map_or(provenance.observed_at, |complete| complete.max(provenance.observed_at))
}

/// When a configuration item was last seen by any source that still claims it.
#[must_use]
pub fn last_seen(catalogue: &Catalogue, ix: CiIx) -> Option<DateTime<Utc>> {
    catalogue.ci(ix).live_claims().map(|claim| confirmed(catalogue, &claim.provenance)).max()
}

/// Whether something of a class last seen at `seen` is stale at `now`.
#[must_use]
pub fn is_stale(catalogue: &Catalogue, class: &Symbol, seen: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let Some(class) = catalogue.schema().classes.get(class) else { return false };
    now - seen > chrono::TimeDelta::days(i64::from(class.stale_after_days))
}
