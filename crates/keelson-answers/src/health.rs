//! How healthy the catalogue is, weighted by what is at stake (analyses 6.1).
//!
//! One stale item under a service that costs 20 000 an hour outranks a thousand stale printers: each finding weighs the
//! value at risk of the item concerned, then what an hour without the services costs that rest on it, or, where nobody
//! states a value, how critical they are and how many.

mod at_risk;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::{Criticality, Standing, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Money, add, value_per_hour};
use crate::availability::rank;
use crate::check::{CheckCode, check};
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

/// Services that weigh, those worth most first.
const MOST_SERVICES: usize = 2_000;
/// Findings of each code that are weighed.
const MOST_FINDINGS: usize = 50_000;

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthQuestion {
    /// Most findings listed.
    pub most: usize,
    /// Walks the search for false redundancy may make.
    pub budget: usize,
}

/// Which side of health a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthKind {
    /// What should be stated is not.
    Completeness,
    /// What is stated is out of date, contradicted or refers to nothing.
    Correctness,
    /// Relationships and needs that cannot be as they are stated.
    Relationships,
    /// Questions that wait for a person.
    Compliance,
}

/// A finding with what is at stake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthLine {
    /// Which side.
    pub kind: HealthKind,
    /// What was found, in a word.
    pub code: String,
    /// The item concerned; absent where it is no item.
    pub item: Option<Subject>,
    /// The key of what is concerned.
    pub key: String,
    /// In words, with what to do.
    pub message: String,
    /// Value at risk, by currency: over the services, the value of an hour times how much likelier the service is breached
    /// when the item is down than when it is up.
    pub value_at_risk: Vec<Money>,
    /// What an hour without the services costs that rest on it, redundantly or not, by currency.
    pub value_at_stake: Vec<Money>,
    /// How many services rest on it.
    pub services_at_stake: usize,
    /// The highest criticality among them.
    pub criticality: Option<Criticality>,
}

/// A share of the catalogue that is as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthScore {
    /// What is counted.
    pub name: String,
    /// How many are as they should be.
    pub good: usize,
    /// How many there are.
    pub total: usize,
    /// The share, from 0 to 1; 1 where there is nothing to count.
    pub share: f64,
}

/// How healthy the catalogue is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many items are in service that somebody has described.
    pub item_count: usize,
    /// How many more are only referred to: nobody has described them, so that all of their data are missing.
    pub placeholder_count: usize,
    /// Shares of the catalogue that are as they should be.
    pub scores: Vec<HealthScore>,
    /// How many findings there are.
    pub finding_count: usize,
    /// The findings, those with most at stake first.
    pub findings: Vec<HealthLine>,
    /// What to mend next, in words: the finding with most at stake.
    pub next: Option<String>,
}

/// What rests on an item.
#[derive(Clone, Debug, Default)]
struct Stake {
    risk: Vec<Money>,
    value: Vec<Money>,
    services: usize,
    criticality: Option<Criticality>,
}

/// Looks at the health of the whole catalogue.
///
/// # Errors
/// Never for what the catalogue holds.
pub fn health(
    view: &View,
    question: &HealthQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<HealthAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let services = weighing(view, &mut basis);
    let mut stakes = stakes(view, &services, stop, &mut basis);
    let checked = check(view, MOST_FINDINGS, question.budget, asked, pool);
    let attributes = attributes(view);
    let mut concerned = vec![false; view.graph.slots()];
    let found = checked.findings.iter().filter_map(|found| crate::find(&view.catalogue, &found.key).ok());
    for ix in found.chain(attributes.missing.iter().map(|(ix, _)| *ix)) {
        if let Some(is_concerned) = concerned.get_mut(item(ix).index()) {
            *is_concerned = true;
        }
    }
    for (one, risk) in at_risk::at_risk(view, &services, &concerned, stop, &mut basis)? {
        stakes.entry(one).or_default().risk = risk;
    }
    for limit in checked.basis.limits.iter().filter(|limit| limit.code == LimitCode::CheckBudget) {
        basis.limit(limit.code, limit.message.clone());
    }
    let weighed = |ix: Option<CiIx>| ix.and_then(|ix| stakes.get(&item(ix))).cloned().unwrap_or_default();
    let mut findings: Vec<HealthLine> = checked
        .findings
        .iter()
        .map(|found| {
            let ix = crate::find(&view.catalogue, &found.key).ok();
            let stake = weighed(ix);
            HealthLine {
                kind: kind(found.code),
                code: found.code.as_str().to_owned(),
                item: ix.map(|ix| Subject::of(&view.catalogue, ix)),
                key: found.key.clone(),
                message: found.message.clone(),
                value_at_risk: stake.risk,
                value_at_stake: stake.value,
                services_at_stake: stake.services,
                criticality: stake.criticality,
            }
        })
        .collect();
    findings.extend(attributes.missing.iter().map(|(ix, names)| {
        let (ix, stake) = (*ix, weighed(Some(*ix)));
        HealthLine {
            kind: HealthKind::Completeness,
            code: "attributes_missing".to_owned(),
            item: Some(Subject::of(&view.catalogue, ix)),
            key: view.catalogue.ci(ix).key.to_string(),
            message: format!("it does not state {}, which its class recommends", names.join(", ")),
            value_at_risk: stake.risk,
            value_at_stake: stake.value,
            services_at_stake: stake.services,
            criticality: stake.criticality,
        }
    }));
    basis.stopped(stop);
    sort(&mut findings);
    let total = findings.len();
    basis.page("findings", total.min(question.most), total);
    let next = findings.first().map(|first| format!("{}: {}", first.key, first.message));
    if attributes.placeholders > 0 {
        let message = format!(
            "{} items are referred to and described by nobody: what they would state counts as missing",
            attributes.placeholders
        );
        basis.limit(LimitCode::Placeholder, message);
    }
    let scores = scores(view, &checked.counts, &attributes);
    findings.truncate(question.most);
    Ok(HealthAnswer {
        item_count: attributes.items,
        placeholder_count: attributes.placeholders,
        scores,
        finding_count: total,
        findings,
        next,
        basis,
    })
}

/// Those with more at risk first, then those with more resting on them, then the more critical, then the more services.
fn sort(findings: &mut [HealthLine]) {
    let worth = |values: &[Money]| values.iter().map(|value| value.amount).fold(0.0, f64::max);
    findings.sort_by(|a, b| {
        let order = worth(&b.value_at_risk).total_cmp(&worth(&a.value_at_risk));
        let order = order.then_with(|| worth(&b.value_at_stake).total_cmp(&worth(&a.value_at_stake)));
        let order = order.then_with(|| b.criticality.cmp(&a.criticality));
        let order = order.then_with(|| b.services_at_stake.cmp(&a.services_at_stake));
        order.then_with(|| a.code.cmp(&b.code)).then_with(|| a.key.cmp(&b.key))
    });
}

fn kind(code: CheckCode) -> HealthKind {
    match code {
        CheckCode::Placeholder | CheckCode::RuleMissing | CheckCode::MinimumMissing => HealthKind::Completeness,
        CheckCode::Stale | CheckCode::Disagreement | CheckCode::Orphan | CheckCode::UnexplainedLoss => {
            HealthKind::Correctness
        }
        CheckCode::RedundancyThatIsNot
        | CheckCode::Cycle
        | CheckCode::StillNeeded
        | CheckCode::NeedCannotHold
        | CheckCode::SelfLoop => HealthKind::Relationships,
        CheckCode::OpenReview => HealthKind::Compliance,
    }
}

/// The services that weigh, those worth most first.
fn weighing(view: &View, basis: &mut Basis) -> Vec<ItemIx> {
    let mut services: Vec<ItemIx> = view.graph.item_numbers().filter(|one| view.is_service(ci_of(*one))).collect();
    rank(view, &mut services, basis);
    if services.len() > MOST_SERVICES {
        let message = format!("findings are weighed by the {MOST_SERVICES} services worth most of {}", services.len());
        basis.limit(LimitCode::Items, message);
        services.truncate(MOST_SERVICES);
    }
    services
}

/// What rests on each item: a walk from each service that weighs.
fn stakes(view: &View, services: &[ItemIx], stop: Option<&AtomicBool>, basis: &mut Basis) -> BTreeMap<ItemIx, Stake> {
    let limits = Limits { stop, ..Limits::default() };
    let mut scratch = Scratch::default();
    let mut stakes: BTreeMap<ItemIx, Stake> = BTreeMap::new();
    for service in services {
        let value = value_per_hour(view, *service);
        let criticality = view.brief(ci_of(*service)).criticality;
        let walked = closure::walk(&view.graph, &mut scratch, &[*service], closure::Direction::Dependencies, &limits);
        basis.truncated(walked.truncations);
        for met in scratch.met() {
            let stake = stakes.entry(met).or_default();
            stake.services += 1;
            stake.criticality = stake.criticality.max(criticality);
            if let Some(value) = &value {
                add(&mut stake.value, value);
            }
        }
    }
    stakes
}

/// Recommended attributes, item by item.
struct Attributes {
    /// Items that somebody has described.
    items: usize,
    /// Items that are only referred to.
    placeholders: usize,
    stated: usize,
    recommended: usize,
    missing: Vec<(CiIx, Vec<String>)>,
}

fn attributes(view: &View) -> Attributes {
    let classes = &view.catalogue.schema().classes;
    let mut found = Attributes { items: 0, placeholders: 0, stated: 0, recommended: 0, missing: Vec::new() };
    for (ix, slot) in view.catalogue.cis() {
        if !slot.ci.is_in_service() {
            continue;
        }
        let class = classes.get(&slot.ci.class);
        let recommended = || class.into_iter().flat_map(|class| &class.attributes).filter(|(_, one)| one.recommended);
        if slot.ci.standing == Standing::Placeholder {
            // Nobody states anything of it: that is told once, of the whole item.
            found.placeholders += 1;
            found.recommended += recommended().count();
            continue;
        }
        found.items += 1;
        let mut missing = Vec::new();
        for (name, _) in recommended() {
            found.recommended += 1;
            match slot.ci.attribute(name) {
                None | Some(Value::Null) => missing.push(name.to_string()),
                Some(_) => found.stated += 1,
            }
        }
        if !missing.is_empty() {
            found.missing.push((ix, missing));
        }
    }
    found
}

fn scores(view: &View, counts: &BTreeMap<CheckCode, usize>, attributes: &Attributes) -> Vec<HealthScore> {
    let items = attributes.items;
    let is_there = |ix| {
        let ci = view.catalogue.ci(ix);
        ci.standing == Standing::Live && ci.is_in_service()
    };
    let live = view.catalogue.relationships().filter(|(_, slot)| slot.relationship.standing == Standing::Live);
    let (mut relationships, mut elsewhere) = (0, 0);
    for (_, slot) in live {
        relationships += 1;
        elsewhere += usize::from(!is_there(slot.dependency));
    }
    let of = |code: CheckCode| counts.get(&code).copied().unwrap_or(0);
    let score = |name: &str, bad: usize, total: usize| {
        let good = total.saturating_sub(bad);
        HealthScore { name: name.to_owned(), good, total, share: share(good, total) }
    };
    vec![
        score(
            "recommended attributes that are stated",
            attributes.recommended - attributes.stated,
            attributes.recommended,
        ),
        score("items somebody has described", attributes.placeholders, items + attributes.placeholders),
        score("items seen as lately as their class asks", of(CheckCode::Stale), items),
        score("items that relate to something", of(CheckCode::Orphan), items),
        score("items sources agree about", of(CheckCode::Disagreement), items),
        score("relationships to what is there", elsewhere, relationships),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
fn share(good: usize, total: usize) -> f64 {
    if total == 0 { 1.0 } else { good as f64 / total as f64 }
}
