//! What this needs, what depends on it, and why this depends on that.

use std::collections::{BTreeMap, BTreeSet};

use keelson_analysis::closure::{Direction, Filter, closure};
use keelson_analysis::path::{PathScratch, explain};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::basis::withdrawn;
use crate::needs::{NeedLine, NeedRule, lines_of, title};
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, QuestionError, Subject, View};

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To what the item needs.
    Needs,
    /// To what depends on the item.
    Dependents,
}

/// An item met on a walk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Met {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Steps from the start.
    pub distance: u32,
}

/// What an item needs, or what depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalkAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The item asked about.
    pub start: Subject,
    /// Which way the walk went.
    pub way: Way,
    /// Walking to needs: the item's own needs with their rules. Walking to dependents: the needs of
    /// others in which the item is a member.
    pub needs: Vec<OwnedNeed>,
    /// The items met, nearest first.
    pub items: Vec<Met>,
    /// How many items were met; `items` may show only the first of them.
    pub met: usize,
    /// How many of the items met are of each class.
    pub classes: BTreeMap<String, usize>,
}

/// A need with the item it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnedNeed {
    /// The item whose need it is.
    pub dependent: String,
    /// The need.
    #[serde(flatten)]
    pub line: NeedLine,
}

/// How far a walk goes and what it lists.
#[derive(Clone, Debug)]
pub struct WalkQuestion<'a> {
    /// Which way.
    pub way: Way,
    /// Only items of this class or below it are listed; the walk passes through all.
    pub class: Option<String>,
    /// Most items and needs listed.
    pub most: usize,
    /// How far to walk.
    pub limits: Limits<'a>,
}

/// Walks from an item.
///
/// # Errors
/// When the key or the class is unknown, or the item is not in service.
pub fn walk(
    view: &View,
    key: &str,
    question: &WalkQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<WalkAnswer, QuestionError> {
    let (catalogue, graph) = (&view.catalogue, &view.graph);
    let start = find_item(view, key)?;
    let class = question.class.as_deref();
    if let Some(class) = class {
        crate::items::known_class(catalogue, class)?;
    }
    let direction = match question.way {
        Way::Needs => Direction::Dependencies,
        Way::Dependents => Direction::Dependents,
    };
    let listed = |item: ItemIx| {
        class.is_none_or(|class| catalogue.schema().classes.is_a(&catalogue.ci(ci_of(item)).class, class))
    };
    let filter = Filter { through: |_| true, select: listed };
    let found = closure(graph, &[start], direction, &filter, &question.limits, pool)?;
    let mut basis = Basis::of(view, asked);
    basis.truncated(found.truncations);
    let mut all: BTreeSet<CiIx> = found.items.iter().map(|(item, _)| ci_of(*item)).chain([ci_of(start)]).collect();
    if question.way == Way::Dependents {
        // The other members of the needs it is a member of.
        let needs = graph.owners(start).iter().flat_map(|owner| graph.needs(*owner));
        let needs = needs.filter(|need| need.members.contains(&start));
        all.extend(withdrawn(view, needs.flat_map(|need| need.members)));
    }
    basis.rests_on(view, all.into_iter(), asked);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for (item, _) in &found.items {
        *classes.entry(catalogue.ci(ci_of(*item)).class.to_string()).or_default() += 1;
    }
    let mut needs = needs_at(view, start, question.way);
    basis.page("needs", question.most.min(needs.len()), needs.len());
    needs.truncate(question.most);
    basis.page("items", question.most.min(found.items.len()), found.items.len());
    let met =
        |(item, distance): &(ItemIx, u32)| Met { subject: Subject::of(catalogue, ci_of(*item)), distance: *distance };
    Ok(WalkAnswer {
        basis,
        start: Subject::of(catalogue, ci_of(start)),
        way: question.way,
        needs,
        items: found.items.iter().take(question.most).map(met).collect(),
        met: found.items.len(),
        classes,
    })
}

/// The needs an item has, or those it is a member of.
fn needs_at(view: &View, item: ItemIx, way: Way) -> Vec<OwnedNeed> {
    let (catalogue, graph) = (&view.catalogue, &view.graph);
    let owned = |owner: ItemIx, line: NeedLine| OwnedNeed { dependent: key_of(catalogue, owner), line };
    match way {
        Way::Needs => lines_of(catalogue, graph, item).into_iter().map(|line| owned(item, line)).collect(),
        Way::Dependents => {
            let mut owners: Vec<ItemIx> = graph.owners(item).to_vec();
            owners.sort_unstable();
            owners.dedup();
            let has_it = |owner: &ItemIx| {
                let needs = graph.needs(*owner).filter(|need| need.members.contains(&item));
                needs.map(|need| owned(*owner, crate::needs::line(catalogue, &need))).collect::<Vec<_>>()
            };
            let mut found: Vec<OwnedNeed> = owners.iter().flat_map(has_it).collect();
            found.sort_by(|a, b| (&a.dependent, &a.line.need.name).cmp(&(&b.dependent, &b.line.need.name)));
            found
        }
    }
}

/// One step of a chain of needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// The need through which it needs the next item; `null` on the last step.
    pub need: Option<NeedLine>,
}

/// Why one item depends on another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PathAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The dependent.
    pub from: Subject,
    /// The dependency.
    pub to: Subject,
    /// Whether `from` depends on `to` at all. With `complete` false, "no" means "not found".
    pub depends: bool,
    /// A shortest chain of needs; empty when there is none.
    pub steps: Vec<PathStep>,
}

/// Finds a shortest chain of running needs through which `from` needs `to`.
///
/// # Errors
/// When a key is unknown or its item is not in service.
pub fn path(view: &View, from: &str, to: &str, limits: &Limits<'_>, asked: Asked) -> Result<PathAnswer, QuestionError> {
    let (catalogue, graph) = (&view.catalogue, &view.graph);
    let (dependent, dependency) = (find_item(view, from)?, find_item(view, to)?);
    let found = explain(graph, dependent, dependency, limits, &mut PathScratch::default())?;
    let mut basis = Basis::of(view, asked);
    basis.truncated(found.truncations);
    let mut all: BTreeSet<CiIx> = found.steps.iter().map(|step| ci_of(step.item)).collect();
    let needs = found.steps.iter().filter_map(|step| step.need);
    all.extend(withdrawn(view, needs.flat_map(|need| graph.need(need).members)));
    basis.rests_on(view, all.into_iter(), asked);
    let step = |step: &keelson_analysis::path::Step| PathStep {
        subject: Subject::of(catalogue, ci_of(step.item)),
        need: step.need.map(|need| crate::needs::line(catalogue, &graph.need(need))),
    };
    Ok(PathAnswer {
        basis,
        from: Subject::of(catalogue, ci_of(dependent)),
        to: Subject::of(catalogue, ci_of(dependency)),
        depends: !found.steps.is_empty(),
        steps: found.steps.iter().map(step).collect(),
    })
}

impl PathAnswer {
    /// The chain as indented text, one line per step.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let words = |need: &NeedRule| {
            if need.of == 1 {
                need.name.clone()
            } else {
                format!("{} ({} of {} members)", need.name, need.k.unwrap_or(need.of), need.of)
            }
        };
        let line = |step: &PathStep| match &step.need {
            Some(line) => format!("{}  --[{}]-->", step.subject.key, words(&line.need)),
            None => step.subject.key.clone(),
        };
        self.steps.iter().map(line).collect()
    }
}

/// The name of the need between two items, for drawings.
#[must_use]
pub fn label(view: &View, owner: ItemIx, member: ItemIx) -> Option<String> {
    let need = view.graph.need_between(owner, member)?;
    Some(title(&view.catalogue, &view.graph.need(need)).0)
}

/// An item with everything it needs, or everything that depends on it.
///
/// # Errors
/// When the key is unknown or the item is not in service.
pub fn cone(view: &View, key: &str, way: Way) -> Result<Vec<CiIx>, QuestionError> {
    let start = find_item(view, key)?;
    let direction = match way {
        Way::Needs => Direction::Dependencies,
        Way::Dependents => Direction::Dependents,
    };
    let filter = Filter { through: |_| true, select: |_| true };
    let found = closure(&view.graph, &[start], direction, &filter, &Limits::default(), &Pool::new())?;
    Ok(std::iter::once(ci_of(start)).chain(found.items.into_iter().map(|(item, _)| ci_of(item))).collect())
}
