//! What a drawing of a request's effect shows: the way from what it alters to the services at stake.
//!
//! Every item in it has a reason to be there: it is altered, it is a service at stake, it lies in the proof of
//! a loss, it is a member of a need that holds, it became a single point of failure, or it lies on the way to
//! one of those. All needs between items that are there are there, so that two items without a line between
//! them do not need each other directly.

use std::collections::{HashMap, HashSet};

use keelson_analysis::impact::{Impact, Protection, Question, Reason, impact};
use keelson_analysis::path::{PathScratch, explain};
use keelson_analysis::{Limits, Pool, Reading};
use keelson_graph::{ItemIx, NeedIx, NeedView};
use keelson_model::{Effect, RequestForChange, Revision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::ChangeAnswer;
use super::{Marks, seeds_of, standing_within};
use crate::needs::{rule_in_words, title};
use crate::subject::{ci_of, find, key_of};
use crate::{QuestionError, Subject, View, item};

/// What becomes of an item of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// The request alters it.
    Altered,
    /// It is wholly lost.
    Lost,
    /// A service that delivers less than it must.
    Breached,
    /// It loses something.
    Degraded,
    /// A service that stays up with less redundancy than before.
    MarginLost,
    /// It is up, and its failure would now breach a service that it would not have breached before.
    SinglePoint,
    /// It depends on what is lost, and holds.
    Protected,
    /// Nothing becomes of it.
    NotAffected,
}

/// An item of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureNode {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What becomes of it, at worst.
    pub state: PictureState,
    /// Whether it is so however the unknown facts turn out.
    pub is_certain: bool,
    /// Whether it is down or impaired apart from the request.
    pub is_down_anyway: bool,
}

/// A need between two items of a picture: the dependent needs the dependency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureEdge {
    /// The item that needs, by key.
    pub dependent: String,
    /// The item that is needed, by key.
    pub dependency: String,
    /// Whether the loss of the dependency is part of the proof of a loss of the dependent.
    pub is_in_proof: bool,
    /// What the need is called.
    pub need: String,
    /// How its members combine, in words; absent for a need of one item.
    pub rule: Option<String>,
}

/// The part of the graph that explains a request's effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// The revision it is drawn at.
    pub revision: Revision,
    /// The items: services at stake first, then what is altered, then the rest from the services down.
    pub nodes: Vec<PictureNode>,
    /// The needs between them.
    pub edges: Vec<PictureEdge>,
    /// How many items more belong to it than it may hold.
    pub left_out: usize,
    /// How many needs more there are between its items than it may hold.
    pub edges_left_out: usize,
}

/// Most items of a picture when nobody says otherwise.
pub const USUAL_ITEMS: usize = 500;
/// Most needs for each item a picture may hold.
const EDGES_PER_ITEM: usize = 8;
/// Most members of a need that holds which are shown for its sake.
const MEMBERS_OF_GUARD: usize = 50;

/// Returns the part of the graph that explains what `answer` says of `request`, with at most `most` items.
///
/// It is drawn from the services the answer lists; both must be of the same view and the same request.
///
/// # Errors
/// When the analyses refuse, as for the answer.
pub fn picture(
    view: &View,
    request: &RequestForChange,
    answer: &ChangeAnswer,
    most: usize,
    pool: &Pool,
) -> Result<Picture, QuestionError> {
    let marks = Marks::of(view, request);
    let view = marks.judged()?;
    let (own, _) = seeds_of(&view, request);
    let standing = standing_within(&view, answer.during);
    let anyway: HashSet<ItemIx> = standing.iter().map(|one| one.seed.item).collect();
    let down = marks.carried(standing.iter().map(|one| one.seed).collect(), pool)?;
    let seeds: Vec<_> = down.into_iter().chain(own).collect();
    let run = |reading| impact(&view.graph, &Question { reading, ..Question::about(&seeds) }, pool);
    let (worst, best) = (run(Reading::Pessimistic)?, run(Reading::Optimistic)?);
    let mut sketch = Sketch { view: &view, worst: &worst, order: Vec::new(), there: HashSet::new() };
    sketch.collect(answer);
    let left_out = sketch.order.len().saturating_sub(most);
    sketch.order.truncate(most);
    let states = States::of(&view, answer, &worst, &best);
    let nodes = sketch.order.iter().map(|&item| states.node(&view, item, anyway.contains(&item))).collect();
    let (edges, edges_left_out) = edges(&view, &worst, &sketch.order);
    Ok(Picture { revision: view.revision(), nodes, edges, left_out, edges_left_out })
}

/// The item of the graph with a key, if it takes part.
fn at(view: &View, key: &str) -> Option<ItemIx> {
    find(&view.catalogue, key).ok().map(item).filter(|item| view.graph.contains(*item))
}

/// Items on their way into a picture, in the order in which they deserve room.
struct Sketch<'a> {
    view: &'a View,
    worst: &'a Impact,
    order: Vec<ItemIx>,
    there: HashSet<ItemIx>,
}

impl Sketch<'_> {
    fn add(&mut self, item: ItemIx) -> bool {
        let is_new = self.there.insert(item);
        if is_new {
            self.order.push(item);
        }
        is_new
    }

    fn collect(&mut self, answer: &ChangeAnswer) {
        let at_stake = answer.services.iter().filter(|line| line.effect > Effect::Protected);
        let services: Vec<_> = at_stake.filter_map(|line| Some((at(self.view, &line.subject.key)?, line))).collect();
        for (service, _) in &services {
            self.add(*service);
        }
        for line in &answer.change.alterations {
            if let Some(item) = at(self.view, &line.subject.key) {
                self.add(item);
            }
        }
        let protection = Protection::new(&self.view.graph, self.worst);
        let mut scratch = PathScratch::default();
        for (service, line) in services {
            if self.worst.loses(service) {
                self.add_proof(service);
            } else {
                self.add_guards(service, &protection, &mut scratch);
            }
            for point in line.new_single_points.iter().filter_map(|key| at(self.view, key)) {
                self.add_way(service, point, &mut scratch);
            }
        }
    }

    /// Adds what makes an item lose something, down to what is taken.
    fn add_proof(&mut self, start: ItemIx) {
        let mut level = vec![start];
        // An item that is there already may be so without its reasons: those of this walk are looked at once.
        let mut met = HashSet::from([start]);
        while let Some(item) = level.pop() {
            self.add(item);
            if let Some(Reason::Need { because, .. }) = self.worst.reason(&self.view.graph, item) {
                level.extend(because.into_iter().rev().filter(|member| met.insert(*member)));
            }
        }
    }

    /// Adds the needs that keep a service up, with their members, and the way to them.
    fn add_guards(&mut self, service: ItemIx, protection: &Protection<'_>, scratch: &mut PathScratch) {
        for guard in protection.of(service) {
            self.add_way(service, guard.owner, scratch);
            for lost in &guard.lost {
                self.add_proof(*lost);
            }
            for &member in self.view.graph.need(guard.need).members.iter().take(MEMBERS_OF_GUARD) {
                self.add(member);
            }
        }
    }

    /// Adds a shortest way between two items.
    fn add_way(&mut self, from: ItemIx, to: ItemIx, scratch: &mut PathScratch) {
        // Both ends are in the graph, so that there is an explanation or an empty one.
        let way = explain(&self.view.graph, from, to, &Limits::default(), scratch).unwrap_or_default();
        for step in way.steps {
            self.add(step.item);
        }
        self.add(to);
    }
}

/// What becomes of items, from the answer where it says so.
struct States<'a> {
    worst: &'a Impact,
    best: &'a Impact,
    altered: HashSet<ItemIx>,
    services: HashMap<ItemIx, (Effect, bool)>,
    points: HashSet<ItemIx>,
    touched: HashSet<ItemIx>,
}

impl<'a> States<'a> {
    fn of(view: &View, answer: &ChangeAnswer, worst: &'a Impact, best: &'a Impact) -> Self {
        let services = answer.services.iter().filter_map(|line| {
            let item = at(view, &line.subject.key)?;
            Some((item, (line.effect, line.is_certain)))
        });
        let points = answer.services.iter().flat_map(|line| &line.new_single_points);
        Self {
            worst,
            best,
            altered: answer.change.alterations.iter().filter_map(|line| at(view, &line.subject.key)).collect(),
            services: services.collect(),
            points: points.filter_map(|key| at(view, key)).collect(),
            touched: worst.touched().unwrap_or_default().iter().copied().collect(),
        }
    }

    fn node(&self, view: &View, item: ItemIx, is_down_anyway: bool) -> PictureNode {
        let (state, is_certain) = self.state(item);
        PictureNode { subject: Subject::of(&view.catalogue, ci_of(item)), state, is_certain, is_down_anyway }
    }

    fn state(&self, item: ItemIx) -> (PictureState, bool) {
        if self.altered.contains(&item) {
            return (PictureState::Altered, true);
        }
        let of_service = self.services.get(&item).map(|(effect, is_certain)| {
            let state = match effect {
                Effect::Breached => PictureState::Breached,
                Effect::Degraded => PictureState::Degraded,
                Effect::MarginLost => PictureState::MarginLost,
                Effect::Protected => PictureState::Protected,
            };
            (state, *is_certain)
        });
        if let Some(known) = of_service.filter(|(state, _)| *state != PictureState::Protected) {
            return known;
        }
        let (loss, at_best) = (self.worst.loss(item), self.best.loss(item));
        if loss > 0.0 {
            let state = if loss >= 1.0 { PictureState::Lost } else { PictureState::Degraded };
            return (state, at_best >= loss);
        }
        if self.points.contains(&item) {
            return (PictureState::SinglePoint, true);
        }
        let state = if self.touched.contains(&item) { PictureState::Protected } else { PictureState::NotAffected };
        (state, true)
    }
}

/// The running needs between items, those of the proof first, and how many there is no room for.
fn edges(view: &View, worst: &Impact, items: &[ItemIx]) -> (Vec<PictureEdge>, usize) {
    let there: HashSet<ItemIx> = items.iter().copied().collect();
    let mut edges = Vec::new();
    for &owner in items {
        let reason: Option<(NeedIx, Vec<ItemIx>)> = match worst.reason(&view.graph, owner) {
            Some(Reason::Need { need, because }) => Some((need, because)),
            _ => None,
        };
        for need in view.graph.running_needs(owner) {
            for &member in need.members.iter().filter(|member| there.contains(member)) {
                let proves = |(ix, because): &(NeedIx, Vec<ItemIx>)| *ix == need.ix && because.contains(&member);
                edges.push(edge(view, &need, member, reason.as_ref().is_some_and(proves)));
            }
        }
    }
    edges.sort_by_key(|edge| !edge.is_in_proof);
    let left_out = edges.len().saturating_sub(items.len() * EDGES_PER_ITEM);
    edges.truncate(edges.len() - left_out);
    (edges, left_out)
}

fn edge(view: &View, need: &NeedView<'_>, member: ItemIx, is_in_proof: bool) -> PictureEdge {
    let of = u32::try_from(need.members.len()).unwrap_or(u32::MAX);
    PictureEdge {
        dependent: key_of(&view.catalogue, need.owner()),
        dependency: key_of(&view.catalogue, member),
        is_in_proof,
        need: title(&view.catalogue, need).0,
        rule: (of > 1).then(|| rule_in_words(&need.rule(), need.required(), of)),
    }
}
