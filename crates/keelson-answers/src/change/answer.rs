//! The assessment of a change as it is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::impact::Protection;
use keelson_change::{Criterion, Policy};
use keelson_graph::ItemIx;
use keelson_model::{Digest, Effect, EffectOn, FrozenAssessment, KnownCollision, RequestForChange, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::effects::ServiceEffect;
use super::joint::Joint;
use super::lines::{ChangeLine, CollisionLine, EffectLine, NotImpactedLine, ShiftLine, StandingLine, ViolationLine};
use super::risk::{self, RiskLine, hours, value};
use super::{ChangeQuestion, Computed, Standing, id_of, parties};
use crate::capacity::LoadLine;
use crate::impact::{CertaintyAnswer, proof_lines};
use crate::register::EntryLine;
use crate::schedule::is_overrun;
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, Subject, View};

/// Most lines of the proof of one service.
const MOST_PROOF: usize = 100;

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
    /// How redundancy that loses members stands against its load, hour by hour, by what the catalogue states; that worst
    /// off first.
    pub loads: Vec<LoadLine>,
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
    /// What a request keeps of it; not part of the written answer.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) kept: Kept,
}

/// What a request keeps of an answer, by ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    effects: Vec<EffectOn>,
    collisions: Vec<KnownCollision>,
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
    pub(super) loads: Vec<LoadLine>,
    pub(super) basis: Basis,
}

pub(super) fn write(parts: &Parts<'_>) -> ChangeAnswer {
    let Parts { view, question, computed, effects, joint, .. } = parts;
    let (view, request) = (*view, question.request);
    let at_stake: Vec<&ServiceEffect> = effects.iter().filter(|effect| effect.at_worst > Effect::Protected).collect();
    let mut basis = parts.basis.clone();
    let loads: Vec<LoadLine> = parts.loads.iter().take(question.most).cloned().collect();
    basis.page("needs with their loads", loads.len(), parts.loads.len());
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
        loads,
        assessed_with: joint.with.iter().map(|(key, _)| key.clone()).collect(),
        collisions: joint.collisions.clone(),
        smallest_shift: joint.shift.clone(),
        certainty: computed.assessment.certainty_answer(),
        risk: risk::line(view, question, effects, &joint.collisions),
        approvers,
        customers,
        inputs: inputs(request, &parts.standing, &joint.with, parts.asked).to_string(),
        kept: Kept { effects: kept(view, &at_stake), collisions: known(view, request, &joint.collisions) },
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
    let key = |item: &ItemIx| view.catalogue.ci(ci_of(*item)).key.to_string();
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
        lost_by_load: effect.by_load,
        lost_before: effect.before,
        hours: window.map(hours),
        margin_taken: effect.margin_taken,
        margin: effect.margin,
        new_single_points: effect.new_points.iter().map(key).collect(),
        point_failure: window.and_then(|window| risk::point_failure(view, &effect.new_points, window)),
        single_points_examined: effect.is_examined,
        because: assessment.because(effect.item),
        proof: proof_lines(assessment, effect.item, MOST_PROOF).0,
        protected_by: guards,
        owners: parties::owners(view, ix),
        customers: parties::customers(view, ix),
        value_per_hour: value(view, effect).map(|(value, currency)| format!("{value} {currency}")),
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

/// The collisions of a request that are to be expected if all goes to plan, in order.
fn known(view: &View, request: &RequestForChange, lines: &[CollisionLine]) -> Vec<KnownCollision> {
    let planned = lines.iter().filter(|line| line.reversed.is_none());
    let known = planned.filter_map(|line| {
        let ix = crate::find(&view.catalogue, &line.service.key).ok()?;
        let others = line.changes.iter().filter(|key| **key != *request.key);
        let mut with: Vec<Arc<str>> = others.map(|key| Arc::from(key.as_str())).collect();
        with.sort();
        Some(KnownCollision { service: view.catalogue.ci(ix).id, window: line.window, with })
    });
    let mut known: Vec<KnownCollision> = known.collect();
    known.sort_by(|a, b| (a.service, a.window, &a.with).cmp(&(b.service, b.window, &b.with)));
    known
}

/// The digest of everything of which the answer is a function, but the catalogue, which the revision
/// names.
fn inputs(request: &RequestForChange, standing: &[Standing], with: &[(String, u32)], asked: Asked) -> Digest {
    let standing: Vec<_> = standing.iter().map(|one| (&one.id, one.version, one.from, one.until)).collect();
    // When it is asked matters where work overran its window.
    let overrun = is_overrun(request, asked.at).then_some(asked.at);
    let judged: Vec<_> = request.not_impacted.iter().map(|marked| marked.ci).collect();
    let window = request.window.map_or_else(|| json!(asked.at), |window| json!(window));
    let all = json!([request.id, request.alterations, window, request.rollback, judged, standing, with, overrun]);
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
            collisions: self.kept.collisions.clone(),
            unsearched: unsearched(&self.basis),
            effects: self.kept.effects.clone(),
        }
    }
}

/// Searches of an assessment that were ended before they had looked at everything. Said in the same words each
/// time, so that two assessments that lack the same are known to.
fn unsearched(basis: &Basis) -> Vec<Arc<str>> {
    let of = |code: LimitCode| match code {
        LimitCode::Depth | LimitCode::Items | LimitCode::Deadline => Some("what it reaches was not walked to its end"),
        LimitCode::MarginBudget => Some("new single points of failure were not looked for everywhere"),
        LimitCode::CollisionBudget => Some("collisions were not looked for everywhere"),
        LimitCode::Occurrences => Some("the calendar was not looked at to its end"),
        // A list that is paged, a doubt that is read both ways, a hint that is missing: nothing is overlooked.
        LimitCode::Page
        | LimitCode::RuleMissing
        | LimitCode::KindWithoutRule
        | LimitCode::Placeholder
        | LimitCode::Withdrawn
        | LimitCode::DecisiveBudget
        | LimitCode::CheckBudget
        | LimitCode::NotInService
        | LimitCode::ReversedTogether
        | LimitCode::FigureMissing
        | LimitCode::ExactBudget => None,
    };
    let cut: BTreeSet<&str> = basis.limits.iter().filter_map(|limit| of(limit.code)).collect();
    cut.into_iter().map(Arc::from).collect()
}
