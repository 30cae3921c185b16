//! What becomes of each service a change touches.

use std::sync::atomic::AtomicBool;

use keelson_analysis::Reading;
use keelson_analysis::impact::{Guard, Impact, MOST_BENEATH, Protection, Verdict, verdict};
use keelson_analysis::single_points::{self, breach_level};
use keelson_graph::ItemIx;
use keelson_model::{Criticality, Effect};

use super::overload::Overload;
use super::{ChangeQuestion, Computed};
use crate::impact::Assessment;
use crate::{Basis, LimitCode};

/// Words of sets of single points that may be written for one service: a fraction of a second's work.
const MOST_WORDS: usize = 2_000_000;

/// Losses that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// The effect on one service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceEffect {
    pub(crate) item: ItemIx,
    pub(crate) criticality: Option<Criticality>,
    pub(crate) at_best: Effect,
    pub(crate) at_worst: Effect,
    /// As written, with what is known to fall short of its load.
    pub(crate) loss: f64,
    /// What it loses at worst because something falls short of its load, where that is more than by its needs as written.
    pub(crate) by_load: Option<f64>,
    /// What it lost anyway.
    pub(crate) before: f64,
    /// Members of the need that loses most, at any depth, lost by this change.
    pub(crate) margin_taken: u32,
    /// How many more may fail, of the need with the smallest margin.
    pub(crate) margin: Option<u32>,
    pub(crate) new_points: Vec<ItemIx>,
    /// Whether the new single points were looked for.
    pub(crate) is_examined: bool,
    /// Whether there was more redundancy beneath it than is looked at: more may be taken of it.
    pub(crate) is_cut: bool,
}

impl ServiceEffect {
    /// Whether the change takes something from the service, margin included, that it would not lack anyway: the
    /// repair of what is down does not.
    pub(crate) fn adds_harm(&self) -> bool {
        let is_known = self.at_best == self.at_worst;
        let loses_more = !is_known || self.by_load.is_some() || self.loss > self.before + ROUNDING;
        loses_more || !self.new_points.is_empty()
    }
}

/// The effects on every service the change reaches, the worst first, then the most critical.
pub(crate) fn of(
    computed: &Computed,
    overload: &Overload,
    question: &ChangeQuestion<'_>,
    basis: &mut Basis,
) -> Vec<ServiceEffect> {
    let assessment = &computed.assessment;
    let touched = assessment.impact().touched().unwrap_or_default();
    let reached = touched.iter().chain(computed.seeds.iter().map(|seed| &seed.item)).copied();
    let mut services: Vec<ItemIx> =
        reached.filter(|item| assessment.is_service(*item) && computed.reached.contains(item)).collect();
    services.sort_unstable();
    services.dedup();
    let protection = assessment.protection();
    let mut effects: Vec<ServiceEffect> =
        services.into_iter().map(|item| without_points(computed, overload, &protection, item)).collect();
    effects.sort_by_key(|effect| (std::cmp::Reverse(effect.criticality), effect.item));
    find_points(computed, question, &mut effects, basis);
    let name =
        |effect: &ServiceEffect| assessment.view().catalogue.ci(keelson_catalogue::CiIx(effect.item.0)).key.clone();
    effects.sort_by_cached_key(|effect| {
        let rank = (std::cmp::Reverse(effect.at_worst), std::cmp::Reverse(effect.at_best));
        (rank, std::cmp::Reverse(effect.criticality), std::cmp::Reverse(effect.loss.to_bits()), name(effect))
    });
    effects
}

fn without_points(
    computed: &Computed,
    overload: &Overload,
    protection: &Protection<'_>,
    item: ItemIx,
) -> ServiceEffect {
    let assessment = &computed.assessment;
    let (best, worst) = bracket(assessment, item);
    let (short, shortest) = overload.loss(item);
    let written = assessment.impact().loss(item);
    let before = computed.before.loss(item);
    let guards = protection.of(item);
    // What is lost anyway, as much and for as long, is not taken by this change.
    let is_taken = |member: &ItemIx| {
        let loss = assessment.impact().loss(*member);
        let anyway = if computed.reached.contains(member) { &computed.throughout } else { &computed.before };
        loss > anyway.loss(*member) + ROUNDING
    };
    let taken = |guard: &Guard| guard.lost.iter().filter(|member| is_taken(member)).count();
    let beneath = protection.beneath(item);
    let margin_taken = beneath.guards.iter().map(taken).max().unwrap_or(0);
    let effect = |loss: f64| match verdict(loss, assessment.least_delivered(item)) {
        Verdict::Breached => Effect::Breached,
        Verdict::Degraded => Effect::Degraded,
        Verdict::Protected => Effect::Protected,
    };
    ServiceEffect {
        item,
        criticality: assessment.criticality(item),
        at_best: effect(best.max(short)),
        at_worst: effect(worst.max(shortest)),
        loss: written.max(short),
        by_load: (shortest > written + ROUNDING).then_some(shortest),
        before,
        margin_taken: u32::try_from(margin_taken).unwrap_or(u32::MAX),
        margin: guards.iter().filter_map(|guard| guard.margin).map(|margin| margin.least).min(),
        new_points: Vec::new(),
        is_examined: false,
        is_cut: beneath.is_cut,
    }
}

/// The loss of an item with every doubt read as good, and as bad.
fn bracket(assessment: &Assessment, item: ItemIx) -> (f64, f64) {
    match assessment.certainty() {
        Some(certainty) => (certainty.optimistic.loss(item), certainty.pessimistic.loss(item)),
        None => (assessment.impact().loss(item), assessment.impact().loss(item)),
    }
}

/// Looks for the single failures that would breach what now holds, and would not otherwise, of as many
/// services as the policy says.
fn find_points(computed: &Computed, question: &ChangeQuestion<'_>, effects: &mut [ServiceEffect], basis: &mut Basis) {
    let (mut looked_at, mut left_out, mut cut) = (0, 0, 0);
    // A service loses margin only where some redundancy of it lost a member.
    let may_lose = |effect: &&mut ServiceEffect| effect.margin_taken > 0 || effect.is_cut;
    for effect in effects.iter_mut().filter(|effect| effect.at_worst < Effect::Breached).filter(may_lose) {
        if looked_at == question.policy.most_margins {
            left_out += 1;
            raise_unknown(effect);
            continue;
        }
        looked_at += 1;
        let new_points = |reading: Reading| new_points(computed, effect.item, reading, question.stop);
        let Some(points) = new_points(Reading::AsWritten) else {
            cut += 1;
            raise_unknown(effect);
            continue;
        };
        // With doubts in the way, members that may be none are no redundancy at worst.
        let is_in_doubt = computed.assessment.certainty().is_some();
        let doubted = is_in_doubt.then(|| new_points(Reading::Pessimistic)).flatten();
        if points.is_cut || doubted.as_ref().is_some_and(|doubted| doubted.is_cut) {
            cut += 1;
            raise_unknown(effect);
        }
        effect.is_examined = true;
        effect.new_points = points.items;
        if !effect.new_points.is_empty() {
            raise(effect);
        }
        effect.new_points.extend(doubted.into_iter().flat_map(|doubted| doubted.items));
        effect.new_points.sort_unstable();
        effect.new_points.dedup();
        if !effect.new_points.is_empty() {
            effect.at_worst = effect.at_worst.max(Effect::MarginLost);
        }
    }
    let unseen = effects.iter().filter(|effect| effect.is_cut).count();
    if unseen > 0 {
        let message = format!(
            "beneath {unseen} services more than {MOST_BENEATH} items hold by redundancy: more margin may be taken of them than is \
             told"
        );
        basis.limit(LimitCode::MarginBudget, message);
    }
    if left_out + cut > 0 {
        let message = format!(
            "new single points of failure were looked for in the {looked_at} most critical services that lose some \
             redundancy; {left_out} were left out, {cut} not searched to the end"
        );
        basis.limit(LimitCode::MarginBudget, message);
    }
}

/// Single failures that only the change makes into such.
struct NewPoints {
    items: Vec<ItemIx>,
    is_cut: bool,
}

/// The single failures that, doubts read one way, breach a service while the change is under way, and would
/// not without it: with everything that is down at some time meanwhile, and with what is down all the time
/// alone. `None` when they cannot be told.
fn new_points(computed: &Computed, item: ItemIx, reading: Reading, stop: Option<&AtomicBool>) -> Option<NewPoints> {
    let assessment = &computed.assessment;
    let level = breach_level(assessment.least_delivered(item));
    let max_words = MOST_WORDS;
    let question = single_points::Question { level, reading, max_words, stop, ..single_points::Question::default() };
    // At the level at which the service is breached, what has lost as much has failed.
    let failed = |impact: &Impact| -> Vec<ItemIx> {
        impact.seeds().iter().copied().filter(|seed| impact.loss(*seed) >= level.min(1.0)).collect()
    };
    let own = |failed: &ItemIx| computed.seeds.iter().any(|seed| seed.item == *failed);
    let (all, lasting) = (failed(assessment.impact()), failed(&computed.throughout));
    let anyway: Vec<ItemIx> = all.iter().copied().filter(|item| !own(item) || lasting.contains(item)).collect();
    let lasting_and_own: Vec<ItemIx> = all.iter().copied().filter(|item| own(item) || lasting.contains(item)).collect();
    let mut pairs = vec![(anyway, all)];
    if pairs[0].0 != lasting {
        pairs.push((lasting, lasting_and_own));
    }
    let mut found = NewPoints { items: Vec::new(), is_cut: false };
    for (without, with) in pairs {
        let points =
            |down: &[ItemIx]| single_points::single_points(&assessment.view().graph, item, &question, down).ok();
        let (known, meanwhile) = (points(&without)?, points(&with)?);
        found.is_cut |= known.is_cut || meanwhile.is_cut;
        found.items.extend(meanwhile.items.into_iter().filter(|point| known.items.binary_search(point).is_err()));
    }
    found.items.sort_unstable();
    found.items.dedup();
    Some(found)
}

/// Without knowing better, a need that no longer has a member to spare is taken for a lost margin.
fn raise_unknown(effect: &mut ServiceEffect) {
    if effect.margin == Some(0) {
        raise(effect);
    }
}

/// A service that loses nothing else loses its margin.
fn raise(effect: &mut ServiceEffect) {
    effect.at_best = effect.at_best.max(Effect::MarginLost);
    effect.at_worst = effect.at_worst.max(Effect::MarginLost);
}
