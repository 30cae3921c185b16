//! What becomes of each service a change touches.

use keelson_analysis::impact::{Guard, Protection, Verdict, verdict};
use keelson_analysis::single_points::{self, breach_level};
use keelson_graph::ItemIx;
use keelson_model::{Criticality, Effect};

use super::{ChangeQuestion, Computed};
use crate::impact::Assessment;
use crate::{Basis, LimitCode};

/// Entries of sets of single points that may be held for one service: a fraction of a second's work.
const MOST_ENTRIES: usize = 2_000_000;

/// The effect on one service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceEffect {
    pub(crate) item: ItemIx,
    pub(crate) criticality: Option<Criticality>,
    pub(crate) at_best: Effect,
    pub(crate) at_worst: Effect,
    /// As written.
    pub(crate) loss: f64,
    /// What it lost anyway.
    pub(crate) before: f64,
    /// Members of the need that loses most, lost by this change.
    pub(crate) margin_taken: u32,
    /// How many more may fail, of the need with the smallest margin.
    pub(crate) margin: Option<u32>,
    pub(crate) new_points: Vec<ItemIx>,
    /// Whether the new single points were looked for.
    pub(crate) is_examined: bool,
}

/// The effects on every service the change reaches, the worst first, then the most critical.
pub(crate) fn of(computed: &Computed, question: &ChangeQuestion<'_>, basis: &mut Basis) -> Vec<ServiceEffect> {
    let assessment = &computed.assessment;
    let touched = assessment.impact().touched().unwrap_or_default();
    let reached = touched.iter().chain(computed.seeds.iter().map(|seed| &seed.item)).copied();
    let mut services: Vec<ItemIx> =
        reached.filter(|item| assessment.is_service(*item) && computed.reached.contains(item)).collect();
    services.sort_unstable();
    services.dedup();
    let protection = assessment.protection();
    let mut effects: Vec<ServiceEffect> =
        services.into_iter().map(|item| without_points(computed, &protection, item)).collect();
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

fn without_points(computed: &Computed, protection: &Protection<'_>, item: ItemIx) -> ServiceEffect {
    let assessment = &computed.assessment;
    let (best, worst) = bracket(assessment, item);
    let before = computed.before.loss(item);
    let guards = protection.of(item);
    // What was lost anyway was not taken by this change.
    let taken = |guard: &Guard| guard.lost.iter().filter(|member| computed.before.loss(**member) == 0.0).count();
    let margin_taken = guards.iter().map(taken).max().unwrap_or(0);
    let effect = |loss: f64| match verdict(loss, assessment.least_delivered(item)) {
        Verdict::Breached => Effect::Breached,
        Verdict::Degraded => Effect::Degraded,
        Verdict::Protected => Effect::Protected,
    };
    ServiceEffect {
        item,
        criticality: assessment.criticality(item),
        at_best: effect(best),
        at_worst: effect(worst),
        loss: assessment.impact().loss(item),
        before,
        margin_taken: u32::try_from(margin_taken).unwrap_or(u32::MAX),
        margin: guards.iter().filter_map(|guard| guard.margin).map(|margin| margin.least).min(),
        new_points: Vec::new(),
        is_examined: false,
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
    let assessment = &computed.assessment;
    let graph = &assessment.view().graph;
    // Only what is wholly down counts as failed.
    let down = |loss: f64| loss >= 1.0;
    let seeds: Vec<ItemIx> =
        assessment.impact().seeds().iter().copied().filter(|item| down(assessment.impact().loss(*item))).collect();
    let anyway: Vec<ItemIx> =
        seeds.iter().copied().filter(|item| !computed.seeds.iter().any(|seed| seed.item == *item)).collect();
    let (mut looked_at, mut left_out, mut cut) = (0, 0, 0);
    // A service loses margin only where some redundancy of it lost a member.
    for effect in effects.iter_mut().filter(|effect| effect.at_worst < Effect::Breached && effect.margin_taken > 0) {
        if looked_at == question.policy.most_margins {
            left_out += 1;
            // Without knowing better, a need that no longer has a member to spare is taken for a lost margin.
            if effect.margin == Some(0) {
                raise(effect);
            }
            continue;
        }
        looked_at += 1;
        let level = breach_level(assessment.least_delivered(effect.item));
        let question = single_points::Question {
            level,
            max_entries: MOST_ENTRIES,
            stop: question.stop,
            ..single_points::Question::about(effect.item)
        };
        let points = |down: &[ItemIx]| single_points::single_points(graph, &question, down);
        let (Ok(known), Ok(meanwhile)) = (points(&anyway), points(&seeds)) else {
            cut += 1;
            continue;
        };
        cut += usize::from(known.is_cut || meanwhile.is_cut);
        let is_new = |point: &ItemIx| known.items.binary_search(point).is_err();
        effect.new_points = meanwhile.items.into_iter().filter(is_new).collect();
        effect.is_examined = true;
        if !effect.new_points.is_empty() {
            raise(effect);
        }
    }
    if left_out + cut > 0 {
        let message = format!(
            "new single points of failure were looked for in the {looked_at} most critical services that lose some \
             redundancy; {left_out} were left out, {cut} not searched to the end"
        );
        basis.limit(LimitCode::MarginBudget, message);
    }
}

/// A service that loses nothing else loses its margin.
fn raise(effect: &mut ServiceEffect) {
    effect.at_best = effect.at_best.max(Effect::MarginLost);
    effect.at_worst = effect.at_worst.max(Effect::MarginLost);
}
