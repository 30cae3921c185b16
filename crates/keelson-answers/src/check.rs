//! What is wrong with the catalogue, or at least worth a look.

mod needs;
mod redundancy;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_catalogue::{Catalogue, CiIx};
use keelson_graph::components;
use keelson_model::{ReviewState, Severity, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::basis::{is_stale, last_seen};
use crate::review::unexplained;
use crate::subject::key_of;
use crate::{Asked, Basis, LimitCode, QuestionError, View};

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckCode {
    /// A redundant need that one single loss takes down.
    RedundancyThatIsNot,
    /// Items that need one another in a circle.
    Cycle,
    /// Something is referred to and nobody has described it.
    Placeholder,
    /// Withdrawn, and something in service still states that it needs it.
    StillNeeded,
    /// A need that has fewer members left than it states to need: the others are retired.
    NeedCannotHold,
    /// Nothing relates to it and it relates to nothing.
    Orphan,
    /// Redundant members without a stated rule.
    RuleMissing,
    /// Last seen longer ago than its class allows.
    Stale,
    /// A source says that it depends on itself.
    SelfLoop,
    /// Sources disagree about an attribute or a need.
    Disagreement,
    /// A question waits for a person.
    OpenReview,
    /// A service that does not say how much it must deliver.
    MinimumMissing,
    /// A service lost something during a change, and nothing in the catalogue explains why.
    UnexplainedLoss,
}

impl CheckCode {
    /// Every code, most serious first.
    pub const ALL: &'static [Self] = &[
        Self::NeedCannotHold,
        Self::RedundancyThatIsNot,
        Self::UnexplainedLoss,
        Self::Cycle,
        Self::StillNeeded,
        Self::Placeholder,
        Self::RuleMissing,
        Self::OpenReview,
        Self::Disagreement,
        Self::Stale,
        Self::SelfLoop,
        Self::Orphan,
        Self::MinimumMissing,
    ];

    /// The code as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RedundancyThatIsNot => "redundancy_that_is_not",
            Self::Cycle => "cycle",
            Self::StillNeeded => "still_needed",
            Self::NeedCannotHold => "need_cannot_hold",
            Self::Placeholder => "placeholder",
            Self::Orphan => "orphan",
            Self::RuleMissing => "rule_missing",
            Self::Stale => "stale",
            Self::SelfLoop => "self_loop",
            Self::Disagreement => "disagreement",
            Self::OpenReview => "open_review",
            Self::MinimumMissing => "minimum_missing",
            Self::UnexplainedLoss => "unexplained_loss",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::NeedCannotHold | Self::RedundancyThatIsNot => Severity::Error,
            Self::Orphan | Self::MinimumMissing => Severity::Info,
            _ => Severity::Warning,
        }
    }
}

/// One thing worth a look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckLine {
    /// What.
    pub code: CheckCode,
    /// How much it matters.
    pub severity: Severity,
    /// The item concerned.
    pub key: String,
    /// In words, with what to do.
    pub message: String,
    /// Further items concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
}

/// What is wrong with the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many findings there are of each code.
    pub counts: BTreeMap<CheckCode, usize>,
    /// The findings, most serious first.
    pub findings: Vec<CheckLine>,
}

impl CheckAnswer {
    /// The highest severity found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.counts.keys().map(|code| code.severity()).max()
    }
}

/// Looks at the whole catalogue and lists at most `most` findings of each code.
#[must_use]
pub fn check(view: &View, most: usize, budget: usize, asked: Asked, pool: &Pool) -> CheckAnswer {
    let mut basis = Basis::of(view, asked);
    let mut found = Found::default();
    items(view, asked, &mut found);
    basis.oldest_observation = found.oldest;
    cycles(view, &mut found);
    needs::check(&view.catalogue, &mut found);
    reviews(&view.catalogue, &mut found);
    if unexplained_losses(view, &mut found, pool).is_err() {
        basis.limit(LimitCode::CheckBudget, "what reviews of changes say could not be compared with the graph");
    }
    if !redundancy::check(view, budget, &mut found, pool) {
        basis.limit(LimitCode::CheckBudget, "not every redundant need was examined; raise the budget to go on");
    }
    basis.stale = found.lines.get(&CheckCode::Stale).map_or(0, Vec::len);
    let counts: BTreeMap<CheckCode, usize> = found.lines.iter().map(|(code, lines)| (*code, lines.len())).collect();
    let mut findings = Vec::new();
    for code in CheckCode::ALL {
        let mut lines = found.lines.remove(code).unwrap_or_default();
        lines.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.message.cmp(&b.message)));
        basis.page(&format!("findings '{}'", code.as_str()), most.min(lines.len()), lines.len());
        lines.truncate(most);
        findings.append(&mut lines);
    }
    CheckAnswer { basis, counts, findings }
}

/// Findings by code.
#[derive(Default)]
struct Found {
    lines: BTreeMap<CheckCode, Vec<CheckLine>>,
    /// The oldest observation of anything in service.
    oldest: Option<DateTime<Utc>>,
}

impl Found {
    fn add(&mut self, code: CheckCode, key: String, message: String, related: Vec<String>) {
        let line = CheckLine { code, severity: code.severity(), key, message, related };
        self.lines.entry(code).or_default().push(line);
    }
}

/// Keys of what is in service and states that it needs an item, at most ten.
fn dependents_of(catalogue: &Catalogue, ix: CiIx) -> Vec<String> {
    let dependents: BTreeSet<CiIx> = crate::projection::needing(catalogue, ix).collect();
    dependents.into_iter().map(|ix| catalogue.ci(ix).key.to_string()).take(10).collect()
}

fn items(view: &View, asked: Asked, found: &mut Found) {
    let catalogue = &view.catalogue;
    for (ix, slot) in catalogue.cis() {
        let ci = &slot.ci;
        let key = || ci.key.to_string();
        if crate::projection::is_still_needed(catalogue, ix) {
            let message = "no source lists it any longer, and something in service states that it needs it; mend \
                           either source";
            found.add(CheckCode::StillNeeded, key(), message.into(), dependents_of(catalogue, ix));
        }
        if !ci.is_in_service() {
            continue;
        }
        if ci.standing == Standing::Placeholder {
            let referring = slot.dependents.iter().chain(&slot.dependencies);
            let referring = referring.filter(|r| catalogue.relationship(**r).relationship.standing == Standing::Live);
            let message = match referring.count() {
                1 => "1 relationship refers to it, and no source describes it".to_owned(),
                count => format!("{count} relationships refer to it, and no source describes it"),
            };
            found.add(CheckCode::Placeholder, key(), message, Vec::new());
        }
        let live = |r: &&keelson_catalogue::RelationshipIx| {
            catalogue.relationship(**r).relationship.standing == Standing::Live
        };
        let related = slot.dependents.iter().chain(&slot.dependencies).filter(live).count();
        let needs = slot.needs.iter().chain(&slot.member_of);
        let needed = needs.filter(|n| catalogue.need(**n).need.standing == Standing::Live).count();
        if related == 0 && needed == 0 && ci.standing != Standing::Placeholder {
            found.add(
                CheckCode::Orphan,
                key(),
                "it relates to nothing, so no analysis can speak of it".into(),
                Vec::new(),
            );
        }
        let seen = last_seen(catalogue, ix);
        found.oldest = found.oldest.into_iter().chain(seen).min();
        if let Some(seen) = seen.filter(|seen| is_stale(catalogue, &ci.class, *seen, asked.at)) {
            let days = (asked.at - seen).num_days();
            found.add(CheckCode::Stale, key(), format!("no source has seen it for {days} days"), Vec::new());
        }
        for claim in ci.live_claims().filter(|claim| !claim.self_relationships.is_empty()) {
            let message = format!("{} says that it depends on itself", claim.provenance.source);
            found.add(CheckCode::SelfLoop, key(), message, Vec::new());
        }
        disagreements(catalogue, ix, found);
        if catalogue.schema().classes.is_a(&ci.class, crate::impact::SERVICE_CLASS)
            && ci.attribute("minimum_delivered").is_none()
            && ci.standing == Standing::Live
        {
            let message = "it states no minimum_delivered: only its whole loss counts as a breach".to_owned();
            found.add(CheckCode::MinimumMissing, key(), message, Vec::new());
        }
    }
}

fn disagreements(catalogue: &Catalogue, ix: CiIx, found: &mut Found) {
    for (name, line) in crate::items::attributes(catalogue, ix) {
        if !line.others.is_empty() {
            let others: Vec<String> =
                line.others.iter().map(|(source, said)| format!("{source} says {}", short(said))).collect();
            let (value, source) = (short(&line.value), line.source.unwrap_or_default());
            let message = format!("{name}: {value} from {source} is in force, {}", others.join(", "));
            found.add(CheckCode::Disagreement, catalogue.ci(ix).key.to_string(), message, Vec::new());
        }
    }
}

/// Values of a list that a finding shows.
const MOST_VALUES: usize = 5;

/// A value in a sentence: of a long list, the first values and how many more there are.
fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(values) if values.len() > MOST_VALUES => {
            let shown: Vec<String> = values.iter().take(MOST_VALUES).map(ToString::to_string).collect();
            format!("[{}, … and {} more]", shown.join(", "), values.len() - MOST_VALUES)
        }
        serde_json::Value::Array(values) => {
            format!("[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

fn cycles(view: &View, found: &mut Found) {
    let catalogue = &view.catalogue;
    for cycle in components(&view.graph).cycles() {
        let mut keys: Vec<String> = cycle.iter().map(|item| key_of(catalogue, *item)).collect();
        keys.sort();
        let first = keys.remove(0);
        let others = if keys.len() == 1 { "1 other".to_owned() } else { format!("{} others", keys.len()) };
        let message = format!("it and {others} need one another in a circle; a loss in it can take all of them");
        found.add(CheckCode::Cycle, first, message, keys);
    }
}

/// What happened during changes and nobody had expected: a relationship is missing, or a redundancy is none.
fn unexplained_losses(view: &View, found: &mut Found, pool: &Pool) -> Result<(), QuestionError> {
    for missed in unexplained(view, pool)? {
        let (key, percent) = (view.catalogue.ci(missed.service).key.to_string(), missed.loss * 100.0);
        let altered = missed.altered.join(", ");
        let why = if missed.depends {
            format!("it depends on {altered} and was expected to hold; see whether its redundancy is real")
        } else {
            format!("nothing says that it depends on {altered}; a relationship is missing")
        };
        let message = format!("it lost {percent:.0} % during {}, which was not predicted: {why}", missed.request);
        found.add(CheckCode::UnexplainedLoss, key, message, missed.altered);
    }
    Ok(())
}

fn reviews(catalogue: &Catalogue, found: &mut Found) {
    for task in catalogue.reviews().filter(|task| task.state == ReviewState::Open) {
        let key = task.source_key.as_ref().map_or_else(|| task.id.to_string(), ToString::to_string);
        let candidates = task.candidates.iter().filter_map(|id| catalogue.find_id(*id));
        let related = candidates.map(|ix| catalogue.ci(ix).key.to_string()).collect();
        found.add(CheckCode::OpenReview, key, task.question.to_string(), related);
    }
}
