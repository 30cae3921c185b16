//! The assessment of a change as it is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::impact::Protection;
use keelson_analysis::risk::{Exposure, Stake, expected_loss};
use keelson_change::{Criterion, Policy};
use keelson_model::{
    CalendarKind, ChangeCategory, ChangeState, Criticality, Digest, DisruptionKind, Effect, EffectOn, FrozenAssessment,
    RequestForChange, Value, Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::effects::ServiceEffect;
use super::joint::Joint;
use super::{ChangeQuestion, Computed, Standing, id_of, parties, risk};
use crate::impact::{Because, CertaintyAnswer, ProofText, ProtectedBy, proof_lines};
use crate::register::EntryLine;
use crate::subject::ci_of;
use crate::{Asked, Basis, Subject, View};

/// Most lines of the proof of one service.
const MOST_PROOF: usize = 100;

/// An item with what a request does to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlterationLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What is done to it: `takes_down`, `degrades`, `restarts`, `replaces`, `retires`, `adds` or
    /// `no_interruption`.
    pub action: String,
    /// The fraction of it that is lost meanwhile.
    pub loss: f64,
}

/// The request in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeLine {
    /// What people call it.
    pub key: String,
    /// What, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How it is decided on.
    pub category: ChangeCategory,
    /// Where it stands.
    pub state: ChangeState,
    /// Number of its changes.
    pub version: u32,
    /// Who asks for it.
    pub requester: String,
    /// Who carries it out.
    pub team: Option<String>,
    /// When it is to be done.
    pub window: Option<Window>,
    /// How long it takes to reverse, in minutes.
    pub rollback_minutes: Option<u32>,
    /// What it alters.
    pub alterations: Vec<AlterationLine>,
}

impl ChangeLine {
    /// A request in short.
    #[must_use]
    pub fn of(view: &View, request: &RequestForChange) -> Self {
        let alterations = request.alterations.iter().filter_map(|alteration| {
            let ix = view.catalogue.find_id(alteration.ci)?;
            Some(AlterationLine {
                subject: Subject::of(&view.catalogue, ix),
                action: alteration.action.name().to_owned(),
                loss: alteration.action.loss(),
            })
        });
        Self {
            key: request.key.to_string(),
            title: request.title.to_string(),
            reason: request.reason.to_string(),
            category: request.category,
            state: request.state,
            version: request.version,
            requester: request.requester.to_string(),
            team: request.team.as_deref().map(str::to_owned),
            window: request.window,
            rollback_minutes: request.rollback.as_ref().map(|rollback| rollback.minutes),
            alterations: alterations.collect(),
        }
    }
}

/// Something that is down anyway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What kind of disruption it is.
    pub kind: DisruptionKind,
    /// The fraction of it that is lost.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it is known to end.
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on.
    pub reference: Option<String>,
}

/// The effect on one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What becomes of it, at worst.
    pub effect: Effect,
    /// Whether that is so however the unknown facts turn out.
    pub is_certain: bool,
    /// The fraction of it that is lost, needs as written.
    pub loss: f64,
    /// The fraction that is lost anyway, without the change.
    pub lost_before: f64,
    /// For how long, in hours; absent without a window.
    pub hours: Option<f64>,
    /// How many members of a redundancy need the change takes from it, of the need that loses most.
    pub margin_taken: u32,
    /// How many more members may then fail before a need gives way, of the need with the smallest margin;
    /// absent when no redundancy is in the way.
    pub margin: Option<u32>,
    /// Single failures that would then breach it and would not otherwise, by key.
    pub new_single_points: Vec<String>,
    /// Whether those were looked for; only where the change takes some redundancy.
    pub single_points_examined: bool,
    /// Why it loses something.
    pub because: Option<Because>,
    /// The whole proof, a line each; empty where nothing is lost.
    pub proof: Vec<ProofText>,
    /// What keeps it from losing anything.
    pub protected_by: Vec<ProtectedBy>,
    /// Who owns it, by key.
    pub owners: Vec<String>,
    /// Whom it is provided to.
    pub customers: Vec<Subject>,
    /// What an hour without it costs, where stated: `20000 EUR`.
    pub value_per_hour: Option<String>,
}

/// What violates the calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViolationLine {
    /// The freeze or maintenance window, by name.
    pub entry: String,
    /// Which of the two it is.
    pub kind: CalendarKind,
    /// What it is about; absent when it is about every service.
    pub item: Option<Subject>,
    /// When.
    pub during: Window,
    /// Whether it is only so if the change has to be reversed.
    pub only_if_reversed: bool,
    /// Why, in a sentence.
    pub text: String,
}

/// Changes that breach together what none of them breaches alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollisionLine {
    /// The service.
    pub service: Subject,
    /// When.
    pub window: Window,
    /// The smallest set of changes at fault, by key.
    pub changes: Vec<String>,
    /// The fraction of the service that is lost then.
    pub loss: f64,
    /// The change that is being reversed, when it is only so then.
    pub reversed: Option<String>,
}

/// The smallest shift that resolves the collisions of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftLine {
    /// The change to move, by key.
    pub change: String,
    /// By how many seconds; above 0 means later.
    pub seconds: i64,
    /// Its new window.
    pub window: Window,
    /// Whether it would leave the window agreed for it.
    pub leaves_agreed: bool,
    /// How many collisions of others are left.
    pub left: usize,
}

/// An item somebody judged to be not impacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotImpactedLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// The chance that it fails, and what may be expected of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RiskLine {
    /// The chance that it fails.
    pub failure: f64,
    /// The middle 90 % of what that chance may be.
    pub interval: (f64, f64),
    /// Which changes that rests on.
    pub like: String,
    /// How many of those there were.
    pub changes: u32,
    /// How many of them failed.
    pub failures: u32,
    /// What is lost on average, by currency, over the services whose value is known.
    pub expected_loss: Vec<ExpectedLine>,
    /// Services at stake whose value nobody stated.
    pub without_value: usize,
}

/// What is lost on average in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedLine {
    /// The currency.
    pub currency: String,
    /// Breaches that are part of the plan.
    pub planned: f64,
    /// Harm if it fails and is reversed.
    pub failed: f64,
    /// Failures of new single points meanwhile: the sum of their own unavailabilities, at most.
    pub exposed: f64,
}

/// How many services there are of each effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Services that deliver less than they must, at worst.
    pub breached: usize,
    /// Of those, the ones that are breached however the unknown facts turn out.
    pub certainly_breached: usize,
    /// Services that lose something and still deliver what they must, at worst.
    pub degraded: usize,
    /// Services that stay up and are one failure from being breached that they were not before.
    pub margin_lost: usize,
    /// Services that are touched and keep what protects them.
    pub protected: usize,
}

/// What a request for change does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub change: ChangeLine,
    /// The times the answer is about: the request's window, or the hour it was asked in.
    pub during: Window,
    /// When it may still be in the middle of being reversed.
    pub shadow: Option<Window>,
    /// What is down anyway meanwhile.
    pub starting_state: Vec<StandingLine>,
    /// What was judged by hand to be not impacted; nothing spreads through it.
    pub not_impacted: Vec<NotImpactedLine>,
    /// How many services there are of each effect.
    pub summary: Summary,
    /// The services it touches, the worst off first; of those that are protected, only the first.
    pub services: Vec<EffectLine>,
    /// What makes it a major change; empty when it is not.
    pub major: Vec<String>,
    /// Freezes and maintenance windows it violates.
    pub violations: Vec<ViolationLine>,
    /// Freezes and maintenance windows in force that have a time within its window or the time of reversing it,
    /// freezes first, violated or not; none without a window.
    pub calendar: Vec<EntryLine>,
    /// The other requests it was assessed with, by key.
    pub assessed_with: Vec<String>,
    /// Collisions with them.
    pub collisions: Vec<CollisionLine>,
    /// How it would have to be moved to collide with nothing.
    pub smallest_shift: Option<ShiftLine>,
    /// How certain it is, and the questions that decide.
    pub certainty: Option<CertaintyAnswer>,
    /// The chance that it fails, and what may be expected of it.
    pub risk: RiskLine,
    /// Owners of services that are breached, degraded or lose margin: to be asked.
    pub approvers: Vec<String>,
    /// Customers of services that are breached or degraded: to be told.
    pub customers: Vec<Subject>,
    /// Digest of what went in.
    pub inputs: String,
    /// What a request keeps of the effects; not part of the written answer.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) kept: Vec<EffectOn>,
}

pub(super) struct Parts<'a> {
    pub(super) view: &'a View,
    pub(super) question: &'a ChangeQuestion<'a>,
    pub(super) asked: Asked,
    pub(super) window: Window,
    pub(super) computed: &'a Computed,
    pub(super) standing: Vec<Standing>,
    pub(super) effects: Vec<ServiceEffect>,
    pub(super) joint: Joint,
    pub(super) violations: Vec<ViolationLine>,
    pub(super) calendar: Vec<EntryLine>,
    pub(super) basis: Basis,
}

pub(super) fn write(parts: &Parts<'_>) -> ChangeAnswer {
    let Parts { view, question, computed, effects, joint, .. } = parts;
    let (view, request) = (*view, question.request);
    let at_stake: Vec<&ServiceEffect> = effects.iter().filter(|effect| effect.at_worst > Effect::Protected).collect();
    let mut basis = parts.basis.clone();
    let shown = effects.len().min(question.most);
    basis.page("services", shown, effects.len());
    let protection = computed.assessment.protection();
    let write = |effect: &ServiceEffect| line(view, computed, &protection, effect, request.window);
    let lines: Vec<EffectLine> = effects.iter().take(shown).map(write).collect();
    let customers = customers_of(view, effects.iter().filter(|effect| effect.at_worst >= Effect::Degraded));
    let mut approvers: Vec<String> =
        at_stake.iter().flat_map(|effect| parties::owners(view, ci_of(effect.item))).collect();
    approvers.sort();
    approvers.dedup();
    ChangeAnswer {
        change: ChangeLine::of(view, request),
        during: parts.window,
        shadow: request.shadow(),
        starting_state: parts.standing.iter().map(|one| one.line.clone()).collect(),
        not_impacted: not_impacted(view, request),
        summary: summary(effects),
        major: major(view, &at_stake, customers.len(), question.policy),
        violations: parts.violations.clone(),
        calendar: parts.calendar.clone(),
        assessed_with: joint.with.iter().map(|(key, _)| key.clone()).collect(),
        collisions: joint.collisions.clone(),
        smallest_shift: joint.shift.clone(),
        certainty: computed.assessment.certainty_answer(),
        risk: risk_line(view, question, effects),
        approvers,
        customers,
        inputs: inputs(request, &parts.standing, &joint.with, parts.asked).to_string(),
        kept: kept(view, &at_stake),
        services: lines,
        basis,
    }
}

fn line(
    view: &View,
    computed: &Computed,
    protection: &Protection<'_>,
    effect: &ServiceEffect,
    window: Option<Window>,
) -> EffectLine {
    let assessment = &computed.assessment;
    let ix = ci_of(effect.item);
    let key = |item: &keelson_graph::ItemIx| view.catalogue.ci(ci_of(*item)).key.to_string();
    let guards = if effect.loss == 0.0 {
        let line = assessment.protected_line(protection, effect.item);
        line.by.into_iter().chain(line.also_by).collect()
    } else {
        Vec::new()
    };
    EffectLine {
        subject: Subject::of(&view.catalogue, ix),
        criticality: effect.criticality,
        effect: effect.at_worst,
        is_certain: effect.at_best == effect.at_worst,
        loss: effect.loss,
        lost_before: effect.before,
        hours: window.map(hours),
        margin_taken: effect.margin_taken,
        margin: effect.margin,
        new_single_points: effect.new_points.iter().map(key).collect(),
        single_points_examined: effect.is_examined,
        because: assessment.because(effect.item),
        proof: proof_lines(assessment, effect.item, MOST_PROOF).0,
        protected_by: guards,
        owners: parties::owners(view, ix),
        customers: parties::customers(view, ix),
        value_per_hour: value(view, effect).map(|(value, currency)| format!("{value} {currency}")),
    }
}

#[allow(clippy::cast_precision_loss)]
fn hours(window: Window) -> f64 {
    window.length().num_seconds() as f64 / 3_600.0
}

/// What an hour without a service costs, with its currency.
fn value(view: &View, effect: &ServiceEffect) -> Option<(f64, String)> {
    match view.catalogue.ci(ci_of(effect.item)).attribute("value_per_hour")? {
        Value::Quantity(quantity) => {
            let value = Value::Decimal(quantity.value).as_f64()?;
            Some((value, quantity.unit.to_string()))
        }
        _ => None,
    }
}

fn customers_of<'a>(view: &View, effects: impl Iterator<Item = &'a ServiceEffect>) -> Vec<Subject> {
    let customers: BTreeSet<Subject> =
        effects.flat_map(|effect| parties::customers(view, ci_of(effect.item))).collect();
    customers.into_iter().collect()
}

fn not_impacted(view: &View, request: &RequestForChange) -> Vec<NotImpactedLine> {
    let lines = request.not_impacted.iter().filter_map(|marked| {
        Some(NotImpactedLine {
            subject: Subject::of(&view.catalogue, view.catalogue.find_id(marked.ci)?),
            by: marked.by.to_string(),
            at: marked.at,
            reason: marked.reason.to_string(),
        })
    });
    lines.collect()
}

fn summary(effects: &[ServiceEffect]) -> Summary {
    let count = |effect: Effect| effects.iter().filter(|one| one.at_worst == effect).count();
    Summary {
        breached: count(Effect::Breached),
        certainly_breached: effects.iter().filter(|one| one.at_best == Effect::Breached).count(),
        degraded: count(Effect::Degraded),
        margin_lost: count(Effect::MarginLost),
        protected: count(Effect::Protected),
    }
}

fn major(view: &View, at_stake: &[&ServiceEffect], customers: usize, policy: &Policy) -> Vec<String> {
    let criteria: Vec<Criterion<'_>> = at_stake
        .iter()
        .map(|effect| Criterion {
            name: view.catalogue.ci(ci_of(effect.item)).key.as_str(),
            criticality: effect.criticality,
            effect: effect.at_worst,
        })
        .collect();
    policy.major(&criteria, customers)
}

fn kept(view: &View, at_stake: &[&ServiceEffect]) -> Vec<EffectOn> {
    let mut kept: Vec<EffectOn> = at_stake
        .iter()
        .map(|effect| EffectOn {
            ci: id_of(view, effect.item),
            at_best: effect.at_best,
            at_worst: effect.at_worst,
            loss: effect.loss,
            new_single_points: effect.new_points.iter().map(|point| id_of(view, *point)).collect(),
        })
        .collect();
    kept.sort_by_key(|effect| effect.ci);
    kept
}

fn risk_line(view: &View, question: &ChangeQuestion<'_>, effects: &[ServiceEffect]) -> RiskLine {
    let estimate = risk::estimate(view, question.request, question.policy);
    let request = question.request;
    let exposure = Exposure {
        fails: estimate.mean,
        window: request.window.map_or(0.0, hours),
        rollback: request.rollback.as_ref().map_or(0.0, |rollback| f64::from(rollback.minutes) / 60.0),
    };
    let mut by_currency: std::collections::BTreeMap<String, Vec<Stake>> = std::collections::BTreeMap::new();
    let mut without_value = 0;
    for effect in effects.iter().filter(|effect| effect.at_worst > Effect::Protected) {
        let Some((value_per_hour, currency)) = value(view, effect) else {
            without_value += 1;
            continue;
        };
        let is_breached = effect.at_best == Effect::Breached;
        let own = |point: &keelson_graph::ItemIx| {
            view.catalogue.ci(ci_of(*point)).attribute("unavailability").and_then(Value::as_f64).unwrap_or(0.0)
        };
        by_currency.entry(currency).or_default().push(Stake {
            value_per_hour,
            planned_breach: if is_breached { exposure.window } else { 0.0 },
            loss_if_failed: if is_breached { 1.0 } else { 0.0 },
            unavailability: 0.0,
            unavailability_during: effect.new_points.iter().map(own).sum::<f64>().min(1.0),
        });
    }
    let expected = by_currency.into_iter().map(|(currency, stakes)| {
        let loss = expected_loss(exposure, &stakes);
        ExpectedLine { currency, planned: loss.planned, failed: loss.failed, exposed: loss.exposed }
    });
    RiskLine {
        failure: estimate.mean,
        interval: estimate.interval,
        like: risk::like(estimate.level).to_owned(),
        changes: estimate.count.changes,
        failures: estimate.count.failures,
        expected_loss: expected.collect(),
        without_value,
    }
}

/// The digest of everything of which the answer is a function, but the catalogue, which the revision
/// names.
fn inputs(request: &RequestForChange, standing: &[Standing], with: &[(String, u32)], asked: Asked) -> Digest {
    let standing: Vec<_> = standing.iter().map(|one| (&one.id, one.version, one.from, one.until)).collect();
    let judged: Vec<_> = request.not_impacted.iter().map(|marked| marked.ci).collect();
    let window = request.window.map_or_else(|| json!(asked.at), |window| json!(window));
    let all = json!([request.id, request.alterations, window, request.rollback, judged, standing, with]);
    Digest::of(all.to_string().as_bytes())
}

impl ChangeAnswer {
    /// The answer as bytes, for keeping: JSON, its fields in a fixed order.
    ///
    /// # Panics
    /// Never: the answer always serialises.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("an answer of texts and numbers serialises")
    }

    /// What a request keeps of it.
    #[must_use]
    pub fn frozen(&self, by: &Arc<str>, at: DateTime<Utc>) -> FrozenAssessment {
        let text = |text: &String| Arc::from(text.as_str());
        let own = &self.change.key;
        let collides: BTreeSet<&String> = self
            .collisions
            .iter()
            .filter(|line| line.reversed.is_none())
            .flat_map(|line| line.changes.iter().filter(|key| *key != own))
            .collect();
        FrozenAssessment {
            revision: self.basis.revision,
            at,
            by: Arc::clone(by),
            inputs: self.inputs.parse().unwrap_or_default(),
            document: Digest::of(&self.document()),
            is_complete: self.basis.complete,
            major: self.major.iter().map(text).collect(),
            violations: self
                .violations
                .iter()
                .filter(|line| !line.only_if_reversed)
                .map(|line| text(&line.text))
                .collect(),
            collides_with: collides.into_iter().map(text).collect(),
            effects: self.kept.clone(),
        }
    }
}
