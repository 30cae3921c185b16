//! What fails all members of a redundancy need at once, as catalogues state it (analyses 3.1).
//!
//! A need may say which fraction of what fails one member fails all of them. Each such need gets an item that its members
//! need: it has a number beyond those of the catalogue, a name of its own, and a place in cut sets and importance.

use std::collections::BTreeMap;

use keelson_analysis::availability::Chance;
use keelson_analysis::common_cause::{Drawn, Group, draw};
use keelson_catalogue::{CiIx, NeedIx};
use keelson_graph::{ItemIx, Snapshot};
use keelson_model::Standing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::subject::ci_of;
use crate::{QuestionError, Subject, View, item};

/// What answers give as the class of what members of a need have in common. It is no class of the schema.
pub const COMMON_CAUSE: &str = "common cause";

/// A redundancy need whose members now and then fail together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonCauseLine {
    /// Whose need it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What the need is called.
    pub need: String,
    /// Which fraction of what fails a member fails all, 0 to 1.
    pub fraction: f64,
    /// How likely all fail together: at least.
    pub least: f64,
    /// At most.
    pub most: f64,
}

/// The graph of a view with its common causes drawn.
pub(crate) struct CommonCauses {
    /// The needs, by the number of the item that stands for the cause.
    needs: BTreeMap<ItemIx, Stated>,
    written: Drawn,
    pessimistic: Drawn,
}

/// A need that states a fraction, with its members in the graph.
struct Stated {
    need: NeedIx,
    fraction: f64,
    members: Vec<ItemIx>,
}

impl CommonCauses {
    /// What needs state; absent where none does. `chance` says how likely an item fails of itself, as written and at
    /// worst.
    pub(crate) fn of(
        view: &View,
        written: impl Fn(ItemIx) -> Chance,
        pessimistic: impl Fn(ItemIx) -> Chance,
    ) -> Result<Option<Self>, QuestionError> {
        let mut number = u32::try_from(view.graph.slots().max(view.catalogue.ci_count())).unwrap_or(u32::MAX);
        let mut needs = BTreeMap::new();
        for stated in stated(view) {
            needs.insert(ItemIx(number), stated);
            number = number.saturating_add(1);
        }
        if needs.is_empty() {
            return Ok(None);
        }
        let groups: Vec<Group<'_>> = needs
            .iter()
            .map(|(cause, stated)| Group { members: &stated.members, beta: stated.fraction, cause: *cause })
            .collect();
        let refused =
            |error: keelson_analysis::common_cause::CommonCauseError| QuestionError::Figures(error.to_string());
        let written = draw(&view.graph, &groups, written).map_err(refused)?;
        let pessimistic = draw(&view.graph, &groups, pessimistic).map_err(refused)?;
        Ok(Some(Self { needs, written, pessimistic }))
    }

    /// The graph, with an item for each cause.
    pub(crate) fn graph(&self) -> &Snapshot {
        &self.written.snapshot
    }

    /// Whether an item stands for a cause.
    pub(crate) fn is_cause(&self, item: ItemIx) -> bool {
        self.needs.contains_key(&item)
    }

    /// The chance of an item, where a common cause changes it.
    pub(crate) fn chance(&self, item: ItemIx, at_worst: bool) -> Option<Chance> {
        if at_worst { self.pessimistic.chance(item) } else { self.written.chance(item) }
    }

    /// What an item that stands for a cause takes down.
    pub(crate) fn members(&self, cause: ItemIx) -> &[ItemIx] {
        self.needs.get(&cause).map_or(&[], |stated| &stated.members)
    }

    /// How answers name a cause; absent for other items.
    pub(crate) fn subject(&self, view: &View, cause: ItemIx) -> Option<Subject> {
        let stated = self.needs.get(&cause)?;
        let (owner, need) = named(view, stated.need);
        Some(Subject {
            key: format!("{}#{need}", owner.key),
            class: COMMON_CAUSE.to_owned(),
            name: format!("What '{need}' of {} has in common", owner.name),
        })
    }

    /// The needs that state a fraction, in the order of their items.
    pub(crate) fn lines(&self, view: &View) -> Vec<CommonCauseLine> {
        let line = |(cause, stated): (&ItemIx, &Stated)| {
            let (subject, need) = named(view, stated.need);
            let chance = |drawn: &Drawn| drawn.chance(*cause).unwrap_or(Chance::NEVER);
            CommonCauseLine {
                subject,
                need,
                fraction: stated.fraction,
                least: chance(&self.written).least,
                most: chance(&self.pessimistic).most,
            }
        };
        self.needs.iter().map(line).collect()
    }
}

/// Whose a need is, and what it is called.
fn named(view: &View, need: NeedIx) -> (Subject, String) {
    let record = &view.catalogue.need(need).need;
    let owner = view.catalogue.find_id(record.dependent).unwrap_or(CiIx(0));
    (Subject::of(&view.catalogue, owner), record.name.to_string())
}

/// The live needs that state a fraction above 0 over several members of the graph, in the order of their numbers.
fn stated(view: &View) -> impl Iterator<Item = Stated> + '_ {
    redundant(view).filter_map(|(need, members)| {
        let fraction = view.catalogue.need(need).need.definition.common_cause.filter(|fraction| *fraction > 0.0)?;
        Some(Stated { need, fraction, members })
    })
}

/// The live needs over several members of the graph that do not need all of them.
fn redundant(view: &View) -> impl Iterator<Item = (NeedIx, Vec<ItemIx>)> + '_ {
    // A graph drawn for a question may have items that no catalogue knows.
    let owners = view.graph.item_numbers().filter(|item| item.index() < view.catalogue.ci_count());
    let needs = owners.flat_map(|owner| view.catalogue.slot(ci_of(owner)).needs.iter().copied());
    needs.filter_map(|need| {
        let record = &view.catalogue.need(need).need;
        let definition = &record.definition;
        if record.standing != Standing::Live || !definition.phase.runs() {
            return None;
        }
        let found = definition.members.iter().filter_map(|member| view.catalogue.find_id(member.ci));
        let mut members: Vec<ItemIx> = found.map(item).filter(|member| view.graph.contains(*member)).collect();
        members.sort_unstable();
        members.dedup();
        let is_redundant = members.len() > 1
            && definition.rule.required(members.len()).is_none_or(|required| (required as usize) < members.len());
        is_redundant.then_some((need, members))
    })
}

/// How many redundancy needs there are, and how many of them state no fraction, not even 0.
pub(crate) fn silent(view: &View) -> (usize, usize) {
    redundant(view).fold((0, 0), |(all, silent), (need, _)| {
        let is_silent = view.catalogue.need(need).need.definition.common_cause.is_none();
        (all + 1, silent + usize::from(is_silent))
    })
}
