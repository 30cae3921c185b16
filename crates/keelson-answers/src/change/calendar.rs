//! Freezes and maintenance windows a change violates.

use std::collections::HashSet;

use keelson_analysis::closure::{Direction, Filter, closure};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_change::Policy;
use keelson_change::calendar::{AtStake, Doing, Timed, violations as judge};
use keelson_model::{CiId, Effect, RequestForChange};

use super::effects::ServiceEffect;
use super::lines::ViolationLine;
use super::{Computed, id_of};
use crate::subject::ci_of;
use crate::{Subject, View, item};

/// What a request violates, in the order of the calendar, of which the times within its window and shadow are given.
pub(crate) fn violations(
    view: &View,
    request: &RequestForChange,
    entries: &[Timed<'_>],
    computed: &Computed,
    effects: &[ServiceEffect],
    policy: &Policy,
    pool: &Pool,
) -> Vec<ViolationLine> {
    let Some(window) = request.window else { return Vec::new() };
    if entries.is_empty() || computed.seeds.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> =
        effects.iter().map(|effect| view.catalogue.ci(ci_of(effect.item)).name().to_owned()).collect();
    let services: Vec<AtStake<'_>> = effects
        .iter()
        .zip(&names)
        .map(|(effect, name)| AtStake {
            ci: id_of(view, effect.item),
            name,
            effect: if effect.adds_harm() { effect.at_worst } else { Effect::Protected },
            margin_taken: effect.margin_taken,
        })
        .collect();
    let beneath = beneath(view, entries, computed, pool);
    let doing = Doing { window, shadow: request.shadow(), services: &services, beneath: &beneath };
    let subject = |id: CiId| view.catalogue.find_id(id).map(|ix| Subject::of(&view.catalogue, ix));
    let name = |id: CiId| subject(id).map_or_else(|| id.to_string(), |subject| subject.name);
    let found = judge(entries, &doing, policy.freeze_margin, name);
    let lines = found.into_iter().filter_map(|violation| {
        // What is violated is one of the entries looked at.
        let entry = entries.iter().find(|timed| timed.entry.id == violation.entry)?.entry;
        Some(ViolationLine {
            entry: entry.name.to_string(),
            kind: entry.kind,
            item: violation.ci.and_then(subject),
            during: violation.during,
            only_if_reversed: violation.only_in_shadow,
            text: violation.text,
        })
    });
    lines.collect()
}

/// The items the calendar is about that some interrupted item is, or depends on, or that lose something
/// themselves.
fn beneath(view: &View, entries: &[Timed<'_>], computed: &Computed, pool: &Pool) -> HashSet<CiId> {
    let seeds = &computed.seeds;
    let named: HashSet<CiIx> = entries
        .iter()
        .flat_map(|timed| &timed.entry.items)
        .filter_map(|id| view.catalogue.find_id(*id))
        .filter(|ix| !view.is_service(*ix))
        .collect();
    let mut beneath = HashSet::new();
    for ix in named.into_iter().filter(|ix| view.graph.contains(item(*ix))) {
        // What depends on the place, and not what the interrupted depends on: places are few.
        let loses = |found| {
            computed.reached.contains(&found) && computed.assessment.impact().loss(found) > computed.before.loss(found)
        };
        let interrupted = |found| seeds.iter().any(|seed| seed.item == found);
        let filter = Filter { through: |_| true, select: interrupted };
        let above = closure(&view.graph, &[item(ix)], Direction::Dependents, &filter, &Limits::default(), pool);
        if interrupted(item(ix)) || loses(item(ix)) || above.is_ok_and(|above| !above.items.is_empty()) {
            beneath.insert(view.catalogue.ci(ix).id);
        }
    }
    beneath
}
