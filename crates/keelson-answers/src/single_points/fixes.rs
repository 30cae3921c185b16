//! Which change of placement removes most single points.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use keelson_analysis::best_fix::{Candidate, Edit, Effect, Fix, Shared, best_fix, shared_placements};
use keelson_analysis::single_points::{self, Question};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gains::{Gains, HoursChange};
use super::{SinglePointsQuestion, Watched, levels};
use crate::attributes::is_agreement;
use crate::needs::title;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, QuestionError, View};

/// Needs with a hidden fault that are looked at.
const MOST_SHARED: usize = 50;
/// Places of the same class that something may be moved to.
const MOST_PLACES: usize = 12;
/// Changes that are tried.
const MOST_CANDIDATES: usize = 300;

/// What a change does to the single points of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FixEffect {
    /// The service, by key.
    pub service: String,
    /// The points it no longer has.
    pub removed: Vec<String>,
    /// The points it has instead.
    pub added: Vec<String>,
    /// What it does to the hours the service is expected to be down in a year; told of the ten services worth most,
    /// where it can be found exactly.
    pub hours_per_year: Option<HoursChange>,
}

/// A change that removes single points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FixLine {
    /// What to do, in words.
    pub action: String,
    /// Why: which redundancy is none as it stands.
    pub because: String,
    /// Points removed, over all services.
    pub removed: usize,
    /// Points added.
    pub added: usize,
    /// How many services it changes anything for.
    pub effect_count: usize,
    /// What it does to each of them, those worth most first.
    pub effects: Vec<FixEffect>,
}

/// A candidate and the hidden fault it mends.
struct Try<'a> {
    shared: &'a Shared,
    candidate: Candidate,
}

/// Proposes changes of placement, the best first.
pub(super) fn propose(
    view: &View,
    question: &SinglePointsQuestion,
    watched: &[Watched],
    down: &[ItemIx],
    stop: Option<&AtomicBool>,
    basis: &mut Basis,
) -> Result<Vec<FixLine>, QuestionError> {
    if question.fixes == 0 {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    let items: Vec<ItemIx> = watched.iter().map(|one| one.item).collect();
    let mut gains = Gains::of(view, down, stop)?;
    for level in levels(view, &items) {
        let walk = Question { level: level.level, stop, ..Question::default() };
        let alike: Vec<&Watched> = level.places.iter().map(|place| &watched[*place]).collect();
        let search = Search { view, watched: &alike, walk, down, most: question.most };
        lines.extend(search.fixes(question.fixes, &mut gains, basis)?);
    }
    gains.note(basis);
    let mut lines = joined(lines);
    let found = lines.len();
    lines.retain(|(_, line)| !line.costs_hours());
    if lines.len() < found {
        let message = format!(
            "{} changes of placement remove single points and are expected to cost more hours than they save: they are not \
             proposed",
            found - lines.len()
        );
        basis.remark(LimitCode::FigureMissing, message);
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(lines.into_iter().map(|(_, line)| line).take(question.fixes).collect())
}

/// The same change, found for services that fail at different levels of loss, is one change.
fn joined(lines: Vec<(f64, FixLine)>) -> Vec<(f64, FixLine)> {
    let mut found: Vec<(f64, FixLine)> = Vec::new();
    for (gain, line) in lines {
        match found.iter_mut().find(|(_, known)| known.action == line.action && known.because == line.because) {
            Some((sum, known)) => {
                *sum += gain;
                known.removed += line.removed;
                known.added += line.added;
                known.effect_count += line.effect_count;
                known.effects.extend(line.effects);
            }
            None => found.push((gain, line)),
        }
    }
    found
}

impl FixLine {
    /// Whether the services are expected to be down for longer with it, as far as that is told.
    fn costs_hours(&self) -> bool {
        let told = self.effects.iter().filter_map(|effect| effect.hours_per_year);
        told.map(|hours| hours.after - hours.before).sum::<f64>() > ROUNDING
    }
}

/// Hours that rounding may make of nothing.
const ROUNDING: f64 = 1e-9;

/// The search for changes that help services which fail at the same level of loss.
struct Search<'a> {
    view: &'a View,
    watched: &'a [&'a Watched],
    walk: Question<'a>,
    down: &'a [ItemIx],
    /// Most effects of a change that are told.
    most: usize,
}

impl Search<'_> {
    /// The best changes with what each gains.
    fn fixes(
        &self,
        most: usize,
        gains: &mut Gains<'_>,
        basis: &mut Basis,
    ) -> Result<Vec<(f64, FixLine)>, QuestionError> {
        let items: Vec<ItemIx> = self.watched.iter().map(|one| one.item).collect();
        let hidden = shared_placements(&self.view.graph, &items, MOST_SHARED, &self.walk, self.down)?;
        let mut tries: Vec<Try<'_>> = hidden.found.iter().flat_map(|shared| tries(self.view, shared)).collect();
        if hidden.pass.cut.is_some() || tries.len() > MOST_CANDIDATES {
            let message = format!(
                "changes of placement were looked for in the first {} needs with a hidden fault, and {} were tried",
                hidden.found.len(),
                tries.len().min(MOST_CANDIDATES)
            );
            basis.remark(LimitCode::Items, message);
        }
        tries.truncate(MOST_CANDIDATES);
        let candidates: Vec<Candidate> = tries.iter().map(|one| one.candidate.clone()).collect();
        let of_value = |one: &&Watched| single_points::Watched { item: one.item, value: worth(one) };
        let valued: Vec<_> = self.watched.iter().map(of_value).collect();
        let found = best_fix(&self.view.graph, &candidates, &valued, &self.walk, self.down, |_, _| ())?;
        if !found.untried.is_empty() {
            basis.remark(LimitCode::Deadline, format!("{} changes of placement were not tried", found.untried.len()));
        }
        let mut mended = BTreeSet::new();
        let mut lines = Vec::new();
        for fix in found.fixes.iter().filter(|fix| fix.removed > fix.added && fix.gain > 0.0) {
            // Of the ways to mend one fault alike, the first will do.
            let of = &tries[fix.candidate];
            if mended.insert((of.shared.need, fix.removed, fix.added)) {
                lines.push((fix.gain, self.line(of, fix, gains)?));
            }
            if lines.len() == most {
                break;
            }
        }
        Ok(lines)
    }

    fn line(&self, of: &Try<'_>, fix: &Fix<()>, gains: &mut Gains<'_>) -> Result<FixLine, QuestionError> {
        let known: Vec<&Effect> = fix.effects.iter().filter(|effect| !effect.is_unknown).collect();
        let told = &known[..known.len().min(self.most)];
        let services: Vec<ItemIx> = told.iter().map(|effect| effect.item).collect();
        let hours = gains.by(&of.candidate, &services)?;
        let keys = |items: &[ItemIx]| items.iter().map(|item| place(self.view, *item, of.shared)).collect();
        let effect = |(effect, hours_per_year): (&&Effect, Option<HoursChange>)| FixEffect {
            service: key_of(&self.view.catalogue, effect.item),
            removed: keys(&effect.removed),
            added: keys(&effect.added),
            hours_per_year,
        };
        Ok(FixLine {
            action: action(self.view, &of.candidate, of.shared),
            because: because(self.view, of.shared),
            removed: fix.removed,
            added: fix.added,
            effect_count: known.len(),
            effects: told.iter().zip(hours).map(effect).collect(),
        })
    }
}

/// What a service is worth to the ranking: its value per hour, or 1 where nobody states one.
fn worth(one: &Watched) -> f64 {
    one.value.as_ref().map_or(1.0, |value| value.amount.max(1.0))
}

/// Whether one of a class does what any other does: what things stand on and in. A supplier, a contract or a service of the
/// same class may be about something else altogether.
fn is_place(view: &View, item: ItemIx) -> bool {
    let is_party = view.catalogue.schema().classes.is_a(&view.catalogue.ci(ci_of(item)).class, "party");
    !is_party && !is_agreement(view, item) && !view.is_service(ci_of(item))
}

/// The ways to mend one hidden fault: to another place of the same class, or to a new one.
fn tries<'a>(view: &View, shared: &'a Shared) -> Vec<Try<'a>> {
    let Some(from) = shared.points.first() else { return Vec::new() };
    let class = &view.catalogue.ci(ci_of(*from)).class;
    let is_place = is_place(view, *from);
    let alike = view.graph.item_numbers().filter(|item| is_place && view.catalogue.ci(ci_of(*item)).class == *class);
    let mut places: Vec<ItemIx> = alike.filter(|item| !shared.points.contains(item)).take(MOST_PLACES).collect();
    let slots = u32::try_from(view.graph.slots()).unwrap_or(u32::MAX);
    let new: Vec<ItemIx> = (0..u32::try_from(shared.surplus).unwrap_or(1)).map(|n| ItemIx(slots + n)).collect();
    places.extend(&new);
    let candidates = shared.candidates(&places).into_iter().filter_map(|mut candidate| {
        let to = |edit: &Edit| match edit {
            Edit::Replace { to, .. } => Some(*to),
            _ => None,
        };
        let used: BTreeSet<ItemIx> = candidate.edits.iter().filter_map(to).filter(|to| new.contains(to)).collect();
        // New places are alike: only the first ones are used.
        let is_first = used.iter().zip(&new).all(|(used, new)| used == new);
        candidate.edits.splice(0..0, used.into_iter().map(|item| Edit::Add { item }));
        is_first.then_some(candidate)
    });
    candidates.map(|candidate| Try { shared, candidate }).collect()
}

fn action(view: &View, candidate: &Candidate, shared: &Shared) -> String {
    let key = |item: ItemIx| key_of(&view.catalogue, item);
    let moves = candidate.edits.iter().filter_map(|edit| {
        let Edit::Replace { need, from, to } = edit else { return None };
        let owner = key(view.graph.need(*need).owner());
        let is_new = if view.graph.contains(*to) { "" } else { " that depends on nothing that is there" };
        Some(format!("move {owner} from {} to {}{is_new}", key(*from), place(view, *to, shared)))
    });
    moves.collect::<Vec<String>>().join(", and ")
}

/// What a place is called: its key, or what it would be where it is not there yet.
fn place(view: &View, item: ItemIx, shared: &Shared) -> String {
    match shared.points.first() {
        Some(from) if !view.graph.contains(item) => format!("a new {}", view.catalogue.ci(ci_of(*from)).class),
        _ => key_of(&view.catalogue, item),
    }
}

fn because(view: &View, shared: &Shared) -> String {
    let key = |item: &ItemIx| key_of(&view.catalogue, *item);
    let need = view.graph.need(shared.need);
    let members: Vec<String> = shared.members.iter().map(key).collect();
    let points: Vec<String> = shared.points.iter().take(5).map(key).collect();
    format!(
        "'{}' of {} counts on {} members, but {} fall together with {}",
        title(&view.catalogue, &need).0,
        key(&shared.owner),
        need.members.len(),
        members.join(", "),
        points.join(", or with ")
    )
}
