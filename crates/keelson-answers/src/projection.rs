//! Drawing the dependency graph of a catalogue.
//!
//! What is in the graph, and what is left out:
//!
//! - a configuration item that is neither withdrawn nor retired, placeholders included;
//! - a withdrawn one that something in service still states that it needs, plainly or as a member
//!   of a need: its source no longer lists it, but it was not said to be needed no more. It has no
//!   needs, and answers that meet it say so;
//! - a live need with its members. A withdrawn one stays a member, and its membership is in doubt:
//!   rule and count stay what the source states. A retired one was ended deliberately: it no longer
//!   counts, and a count is lowered to the members that remain;
//! - a live relationship that carries loss and that a source states on its own, as a need of one,
//!   unless a running need of the same dependent already has the dependency as a member and no
//!   source gives the relationship a strength of its own;
//! - what is only observed, or below the confidence cut, as a need whose existence is in doubt.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use keelson_catalogue::{Catalogue, CiIx, NeedIx, RelationshipIx};
use keelson_graph::spec::Doubt;
use keelson_graph::{Builder, Changes, GraphError, ItemIx, NeedSpec, Snapshot};
use keelson_model::{
    Basis, ConfigurationItem, Lifecycle, Member, NeedDefinition, RecordChange, Relationship, Rule, Standing, Strength,
};

use crate::view::item;

/// Confidence below which a need is in doubt.
pub const CONFIDENCE_CUT: f64 = 0.5;

const NEED_TAG: u64 = 1 << 63;
const LOAD_TAG: u64 = 1 << 62;

/// What a need of the graph was drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnFrom {
    /// A need of the catalogue.
    Need(NeedIx),
    /// A plain relationship.
    Relationship(RelationshipIx),
    /// The load that the members of a need of the catalogue share, where it takes more of them than are declared.
    Load(NeedIx),
}

impl DrawnFrom {
    pub(crate) fn tag(self) -> u64 {
        match self {
            Self::Load(ix) => LOAD_TAG | u64::from(ix.0),
            Self::Need(ix) => NEED_TAG | u64::from(ix.0),
            Self::Relationship(ix) => u64::from(ix.0),
        }
    }

    /// Reads the tag of a need of the graph.
    #[must_use]
    pub fn of_tag(tag: u64) -> Self {
        let number = (tag & u64::from(u32::MAX)) as u32;
        if tag & NEED_TAG != 0 {
            Self::Need(NeedIx(number))
        } else if tag & LOAD_TAG != 0 {
            Self::Load(NeedIx(number))
        } else {
            Self::Relationship(RelationshipIx(number))
        }
    }
}

/// Draws the whole graph.
///
/// # Errors
/// Fails when a stored need cannot be drawn.
pub fn draw(catalogue: &Catalogue) -> Result<Snapshot, GraphError> {
    let mut builder = Builder::with_capacity(catalogue.ci_count(), catalogue.relationship_count());
    for (ix, _) in catalogue.cis() {
        if is_drawn(catalogue, ix) {
            builder.item(item(ix));
        }
    }
    for (ix, slot) in catalogue.cis() {
        if slot.ci.is_in_service() {
            for spec in needs_of(catalogue, ix) {
                builder.need(spec)?;
            }
        }
    }
    builder.build()
}

/// Whether an item is in the graph.
#[must_use]
pub fn is_drawn(catalogue: &Catalogue, ix: CiIx) -> bool {
    catalogue.ci(ix).is_in_service() || is_still_needed(catalogue, ix)
}

/// Whether an item is withdrawn although something in service still states that it needs it.
#[must_use]
pub fn is_still_needed(catalogue: &Catalogue, ix: CiIx) -> bool {
    can_be_needed_still(&catalogue.slot(ix).ci) && needing(catalogue, ix).next().is_some()
}

/// What is in service and states that it needs an item, plainly or as a member of a need. Something
/// that states both comes twice.
pub(crate) fn needing(catalogue: &Catalogue, ix: CiIx) -> impl Iterator<Item = CiIx> + '_ {
    let slot = catalogue.slot(ix);
    let plainly = slot.dependents.iter().map(|relationship| catalogue.relationship(*relationship));
    let plainly = plainly.filter(|slot| carries(catalogue, &slot.relationship)).map(|slot| slot.dependent);
    let as_member = slot.member_of.iter().map(|need| catalogue.need(*need));
    let as_member = as_member.filter(|slot| slot.need.standing == Standing::Live).map(|slot| slot.dependent);
    plainly.chain(as_member).filter(|dependent| catalogue.ci(*dependent).is_in_service())
}

/// Whether an item is withdrawn and was not deliberately ended.
fn can_be_needed_still(ci: &ConfigurationItem) -> bool {
    ci.standing == Standing::Withdrawn && ci.lifecycle() != Lifecycle::Retired
}

/// Whether a source states a relationship on its own, and loss travels along it.
pub(crate) fn carries(catalogue: &Catalogue, record: &Relationship) -> bool {
    record.standing == Standing::Live && record.is_plain() && catalogue.schema().kinds.carries_loss(&record.key.kind)
}

/// What changes in the graph when `changes` have led to `catalogue`.
#[must_use]
pub fn redraw(graph: &Snapshot, catalogue: &Catalogue, changes: &[RecordChange]) -> Changes {
    let mut touched: BTreeSet<CiIx> = BTreeSet::new();
    let mut redrawn: BTreeSet<CiIx> = BTreeSet::new();
    // Items that entered or left service: whoever names them is drawn again, its counts may change.
    let mut moved: BTreeSet<CiIx> = BTreeSet::new();
    for change in changes {
        match change {
            RecordChange::Ci(change) => {
                let ci = change.after.as_ref().or(change.before.as_ref());
                let Some(ix) = ci.and_then(|ci| catalogue.find_id(ci.id)) else { continue };
                touched.insert(ix);
                if change.before.as_ref().is_some_and(|ci| ci.is_in_service()) != catalogue.ci(ix).is_in_service() {
                    moved.insert(ix);
                }
            }
            RecordChange::Relationship(change) => {
                let relationship = change.after.as_ref().or(change.before.as_ref());
                redrawn.extend(relationship.and_then(|r| catalogue.find_id(r.key.dependent)));
                touched.extend(relationship.and_then(|r| catalogue.find_id(r.key.dependency)));
            }
            RecordChange::Need(change) => {
                for need in change.before.iter().chain(&change.after) {
                    redrawn.extend(catalogue.find_id(need.dependent));
                    touched.extend(members(catalogue, &need.definition));
                }
            }
            // Books about the catalogue, and plans, are not in the graph.
            _ => {}
        }
    }
    let mut delta = Changes::new();
    for ix in moved {
        let slot = catalogue.slot(ix);
        redrawn.insert(ix);
        redrawn.extend(slot.member_of.iter().map(|need| catalogue.need(*need).dependent));
        // What only it still needed comes or goes with it.
        touched.extend(slot.dependencies.iter().map(|relationship| catalogue.relationship(*relationship).dependency));
        for need in &slot.needs {
            touched.extend(members(catalogue, &catalogue.need(*need).need.definition));
        }
    }
    for ix in touched {
        let (was, is) = (graph.contains(item(ix)), is_drawn(catalogue, ix));
        if was != is {
            let slot = catalogue.slot(ix);
            redrawn.extend(slot.dependents.iter().map(|relationship| catalogue.relationship(*relationship).dependent));
            redrawn.extend(slot.member_of.iter().map(|need| catalogue.need(*need).dependent));
            if is {
                delta.add(item(ix));
            } else {
                delta.remove(item(ix));
                redrawn.remove(&ix);
            }
        }
    }
    for ix in redrawn {
        if catalogue.ci(ix).is_in_service() {
            delta.replace_needs(item(ix), needs_of(catalogue, ix));
        } else if graph.contains(item(ix)) && is_drawn(catalogue, ix) {
            delta.replace_needs(item(ix), Vec::new());
        }
    }
    delta
}

/// The needs of one configuration item as the graph has them.
#[must_use]
pub fn needs_of(catalogue: &Catalogue, ix: CiIx) -> Vec<NeedSpec> {
    let slot = catalogue.slot(ix);
    let mut specs = Vec::new();
    let mut covered: BTreeSet<CiIx> = BTreeSet::new();
    for need in &slot.needs {
        let record = &catalogue.need(*need).need;
        if record.standing != Standing::Live {
            continue;
        }
        let Some(definition) = remaining(catalogue, &record.definition, counts) else { continue };
        if definition.phase.runs() {
            covered.extend(members(catalogue, &definition));
        }
        let existence = record.definition.confidence.is_some_and(|confidence| confidence < CONFIDENCE_CUT);
        specs.push(spec_of_need(catalogue, item(ix), &definition, DrawnFrom::Need(*need).tag(), existence));
    }
    specs.extend(plain_needs(catalogue, ix, &covered));
    specs
}

/// Whether an item counts as a dependency while something in service states that it needs it.
fn counts(ci: &ConfigurationItem) -> bool {
    ci.is_in_service() || can_be_needed_still(ci)
}

fn members<'a>(catalogue: &'a Catalogue, definition: &'a NeedDefinition) -> impl Iterator<Item = CiIx> + 'a {
    definition.members.iter().filter_map(|member| catalogue.find_id(member.ci))
}

/// A definition over the members that `counts` leaves in it, with the count lowered to them; `None`
/// when there are none. The membership of what is withdrawn is in doubt.
pub fn remaining<'a>(
    catalogue: &Catalogue,
    definition: &'a NeedDefinition,
    counts: impl Fn(&ConfigurationItem) -> bool,
) -> Option<Cow<'a, NeedDefinition>> {
    let member = |member: &Member| {
        let ci = catalogue.ci(catalogue.find_id(member.ci)?);
        counts(ci).then(|| Member { doubtful: member.doubtful || ci.standing == Standing::Withdrawn, ..member.clone() })
    };
    let kept: Vec<Option<Member>> = definition.members.iter().map(member).collect();
    if kept.iter().zip(&definition.members).all(|(kept, stated)| kept.as_ref() == Some(stated)) {
        return Some(Cow::Borrowed(definition));
    }
    let present: Vec<usize> = (0..kept.len()).filter(|at| kept[*at].is_some()).collect();
    let most = u32::try_from(present.len()).ok().filter(|most| *most > 0)?;
    let mut definition = definition.clone();
    definition.rule = rule_over(&definition.rule, &present);
    definition.possible_counts.iter_mut().for_each(|count| *count = most.min(*count));
    definition.possible_counts.dedup();
    definition.members = kept.into_iter().flatten().collect();
    Some(Cow::Owned(definition))
}

fn spec_of_need(
    catalogue: &Catalogue,
    owner: ItemIx,
    definition: &NeedDefinition,
    tag: u64,
    existence: bool,
) -> NeedSpec {
    let doubtful = definition.members.iter().filter(|member| member.doubtful);
    NeedSpec {
        owner,
        members: members(catalogue, definition).map(item).collect(),
        rule: definition.rule.clone(),
        cap: definition.cap.as_ref().map_or(1.0, |cap| cap.limit),
        phase: definition.phase,
        doubt: Doubt {
            rule_assumed: definition.assumed,
            counts: definition.possible_counts.clone(),
            existence,
            members: doubtful.filter_map(|member| catalogue.find_id(member.ci)).map(item).collect(),
        },
        tag,
    }
}

/// A rule over the members that remain.
fn rule_over(rule: &Rule, present: &[usize]) -> Rule {
    let of = |values: &[f64]| present.iter().filter_map(|at| values.get(*at).copied()).collect::<Vec<f64>>();
    match rule {
        Rule::All => Rule::All,
        Rule::Any => Rule::Any,
        Rule::AtLeast { k } => Rule::AtLeast { k: (*k).min(u32::try_from(present.len()).unwrap_or(u32::MAX)) },
        Rule::Percent { percent } => Rule::Percent { percent: *percent },
        Rule::Weight { weights, threshold } => {
            let weights = of(weights);
            let total: f64 = weights.iter().sum();
            Rule::Weight { weights, threshold: threshold.min(total) }
        }
        Rule::Share { capacities, unit, demand } => {
            Rule::Share { capacities: of(capacities), unit: unit.clone(), demand: *demand }
        }
    }
}

/// Plain relationships as needs of one, one per dependency: the strongest statement counts.
fn plain_needs(catalogue: &Catalogue, ix: CiIx, covered: &BTreeSet<CiIx>) -> Vec<NeedSpec> {
    let mut strongest: BTreeMap<CiIx, NeedSpec> = BTreeMap::new();
    for relationship in &catalogue.slot(ix).dependencies {
        let slot = catalogue.relationship(*relationship);
        let record = &slot.relationship;
        let dependency = catalogue.ci(slot.dependency);
        let is_drawn = carries(catalogue, record) && counts(dependency);
        let strength = record.strength();
        if !is_drawn || (covered.contains(&slot.dependency) && strength.is_none()) {
            continue;
        }
        let tag = DrawnFrom::Relationship(*relationship).tag();
        let mut spec = NeedSpec::plain(item(ix), item(slot.dependency), tag);
        if let Some(Strength::Soft { cap }) = strength {
            spec.cap = cap;
        }
        spec.doubt.existence = record.basis() == Basis::Observed || record.confidence() < CONFIDENCE_CUT;
        let stronger = strongest
            .get(&slot.dependency)
            .is_none_or(|known| (spec.doubt.existence, -spec.cap) < (known.doubt.existence, -known.cap));
        if stronger {
            strongest.insert(slot.dependency, spec);
        }
    }
    strongest.into_values().collect()
}
