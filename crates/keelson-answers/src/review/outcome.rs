//! How the work of a request ended, and what kind of change it was.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::risk::Kind;
use keelson_model::{ChangeState, RequestForChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::View;

/// Hours after the end of its work within which an incident still makes a change a failed one.
pub const FAILURE_HOURS: i64 = 72;

/// What is known of how a change turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was not backed out, and its review found no failure; or it is not reviewed, and 72 hours have
    /// gone by.
    Held,
    /// It was backed out, or its review says that it failed.
    Failed,
    /// It was reviewed, and nobody had watched: it counts in no figure, whatever else is said of it.
    Unmonitored,
    /// It was done less than 72 hours ago and is not reviewed: it may still turn out to have failed.
    TooEarly,
}

impl Outcome {
    /// Whether it failed; absent where nobody knows.
    #[must_use]
    pub fn has_failed(self) -> Option<bool> {
        match self {
            Self::Held => Some(false),
            Self::Failed => Some(true),
            Self::Unmonitored | Self::TooEarly => None,
        }
    }
}

/// Work that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) started: DateTime<Utc>,
    pub(crate) finished: DateTime<Utc>,
    pub(crate) is_backed_out: bool,
}

impl Work {
    fn new(started: DateTime<Utc>, finished: DateTime<Utc>, is_backed_out: bool) -> Self {
        Self { started: started.min(finished), finished, is_backed_out }
    }

    /// Whether it was over when another work began. Of two without length at the same instant neither
    /// was.
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.finished <= other.started && self.started < other.started
    }

    /// Up to when an incident makes it a failed one.
    pub(crate) fn settles(self) -> DateTime<Utc> {
        self.finished + TimeDelta::hours(FAILURE_HOURS)
    }
}

/// When the work of a request was done; absent while it is not over, or was never begun.
pub(crate) fn work_of(request: &RequestForChange) -> Option<Work> {
    if !matches!(request.state, ChangeState::Done | ChangeState::BackedOut | ChangeState::Reviewed) {
        return None;
    }
    if let Some(done) = &request.completion {
        let is_backed_out = done.outcome == ChangeState::BackedOut;
        return Some(Work::new(done.started_at, done.finished_at, is_backed_out));
    }
    let ended = request.step_to(ChangeState::BackedOut).or_else(|| request.step_to(ChangeState::Done))?;
    let started = request.step_to(ChangeState::InProgress).map_or(ended.at, |step| step.at);
    Some(Work::new(started, ended.at, ended.to == ChangeState::BackedOut))
}

/// What is known at a time of how a change turned out; absent while its work is not over.
#[must_use]
pub fn outcome_of(request: &RequestForChange, now: DateTime<Utc>) -> Option<Outcome> {
    let work = work_of(request)?;
    Some(match &request.review {
        Some(review) if !review.is_monitored => Outcome::Unmonitored,
        Some(review) if review.has_failed || work.is_backed_out => Outcome::Failed,
        Some(_) => Outcome::Held,
        None if work.is_backed_out => Outcome::Failed,
        None if now < work.settles() => Outcome::TooEarly,
        None => Outcome::Held,
    })
}

/// Numbers for names, in order of their first use.
#[derive(Default)]
struct Numbers {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Numbers {
    /// The number of a name; names that differ in case or outer blanks only are the same.
    fn of(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(name.trim().to_lowercase()).or_insert(next);
        if number == next {
            self.names.push(name.trim().to_owned());
        }
        number
    }

    fn name(&self, number: Option<u32>) -> Option<&str> {
        self.names.get(number? as usize).map(String::as_str).filter(|name| !name.is_empty())
    }
}

/// Kinds of changes as the analyses number them. Kinds are comparable only when one of these gave
/// them all.
#[derive(Default)]
pub(crate) struct Kinds {
    classes: Numbers,
    teams: Numbers,
    templates: Numbers,
}

impl Kinds {
    /// The kind of a request. One by a template that names no team counts as one of a team of its own,
    /// so that it is compared with its template all the same.
    pub(crate) fn of(&mut self, view: &View, request: &RequestForChange) -> Kind {
        let nobody = request.template.as_ref().map(|_| "");
        Kind {
            class: class_of(view, request).map(|class| self.classes.of(class)),
            team: request.team.as_deref().or(nobody).map(|team| self.teams.of(team)),
            template: request.template.as_ref().map(|template| self.templates.of(template)),
        }
    }

    pub(crate) fn class(&self, kind: Kind) -> Option<&str> {
        self.classes.name(kind.class)
    }

    pub(crate) fn team(&self, kind: Kind) -> Option<&str> {
        self.teams.name(kind.team)
    }

    pub(crate) fn template(&self, kind: Kind) -> Option<&str> {
        self.templates.name(kind.template)
    }
}

/// The class most of the altered items have; of two as frequent, the first by name.
fn class_of<'a>(view: &'a View, request: &RequestForChange) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for alteration in &request.alterations {
        if let Some(ix) = view.catalogue.find_id(alteration.ci) {
            *counts.entry(view.catalogue.ci(ix).class.as_str()).or_default() += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(class, _)| class)
}
