//! What is declared and what is observed, relationship by relationship.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::{CiIx, RelationshipIx, RelationshipSlot};
use keelson_graph::{ItemIx, NeedView};
use keelson_model::{Basis as Ground, Standing, Symbol};

use super::{DriftKind, DriftLine, UNLIKELY};
use crate::projection::DrawnFrom;
use crate::subject::{ci_of, key_of};
use crate::{Asked, View};

/// The kind of relationship of whoever does not say which kind it is.
const UNSAID: &str = "depends_on";

/// A difference with its place in the graph.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) line: DriftLine,
    pub(super) owner: ItemIx,
    pub(super) member: ItemIx,
    /// The plain relationship; absent for a membership of a need, which is not taken out.
    pub(super) relationship: Option<RelationshipIx>,
}

/// What was found in the catalogue.
#[derive(Default)]
pub(super) struct Found {
    pub(super) missing: Vec<Difference>,
    /// What was seen to be used although one of both ends is ended: the graph knows nothing of it.
    pub(super) ended: Vec<DriftLine>,
    pub(super) unobserved: Vec<Difference>,
    pub(super) in_sight: usize,
    pub(super) confirmed: usize,
    pub(super) out_of_sight: usize,
    /// Relationships that are observed only, and were not within the window.
    pub(super) old: BTreeSet<RelationshipIx>,
}

/// Compares relationship by relationship, dependent by dependent.
pub(super) fn compare(view: &View, window_days: f64, unseen_chance: f64, asked: Asked) -> Found {
    let mut found = Found::default();
    #[expect(clippy::cast_possible_truncation, reason = "windows are far below what a time delta holds")]
    let since = asked.at - TimeDelta::seconds((window_days * 86_400.0).min(1e11) as i64);
    let kind = if unseen_chance < UNLIKELY { DriftKind::Aspirational } else { DriftKind::Unobserved };
    let watched = Watched::of(view, since, asked);
    found.ended = ended(view, since, asked);
    for owner in view.graph.item_numbers() {
        let seen = seen(view, ci_of(owner), since, asked);
        for need in view.graph.needs(owner).filter(|need| need.phase().runs()) {
            let relationship = match DrawnFrom::of_tag(need.tag) {
                DrawnFrom::Relationship(ix) => Some(ix),
                DrawnFrom::Need(_) | DrawnFrom::Load(_) => None,
            };
            let only_observed =
                relationship.is_some_and(|ix| view.catalogue.relationship(ix).relationship.basis() == Ground::Observed);
            for member in need.members {
                let difference = |kind| Difference {
                    line: DriftLine {
                        kind,
                        dependent: key_of(&view.catalogue, owner),
                        dependency: key_of(&view.catalogue, *member),
                        name: crate::needs::title(&view.catalogue, &need).0,
                    },
                    owner,
                    member: *member,
                    relationship,
                };
                if let (true, Some(relationship)) = (only_observed, relationship) {
                    // What was seen before the window alone says nothing about today.
                    if seen.contains(&ci_of(*member)) {
                        found.missing.push(difference(DriftKind::Missing));
                    } else {
                        found.old.insert(relationship);
                    }
                } else if seen.is_empty() || !watched.has(view, &need, *member) {
                    found.out_of_sight += 1;
                } else if seen.contains(&ci_of(*member)) {
                    (found.in_sight, found.confirmed) = (found.in_sight + 1, found.confirmed + 1);
                } else {
                    found.in_sight += 1;
                    found.unobserved.push(difference(kind));
                }
            }
        }
    }
    found
}

/// What was seen within the window between two items of which one takes no part in analyses any more: it is retired, or
/// withdrawn, and still talks.
fn ended(view: &View, since: DateTime<Utc>, asked: Asked) -> Vec<DriftLine> {
    let is_ended = |ix: CiIx| !crate::projection::is_drawn(&view.catalogue, ix);
    let records = view.catalogue.relationships().filter(|(_, slot)| {
        crate::projection::carries(&view.catalogue, &slot.relationship)
            && (is_ended(slot.dependent) || is_ended(slot.dependency))
            && is_seen(view, slot, since, asked)
    });
    let line = |(_, slot): (RelationshipIx, &RelationshipSlot)| DriftLine {
        kind: DriftKind::Ended,
        dependent: view.catalogue.ci(slot.dependent).key.to_string(),
        dependency: view.catalogue.ci(slot.dependency).key.to_string(),
        name: slot.relationship.key.kind.to_string(),
    };
    records.map(line).collect()
}

/// What whoever watches sees: the kinds of relationship and the classes of dependencies of which anything was seen within
/// the window. Who watches the network sees who talks to whom, and neither licences nor libraries: of those, not being seen
/// says nothing.
#[derive(Default)]
struct Watched {
    kinds: BTreeSet<Symbol>,
    classes: BTreeSet<Symbol>,
}

impl Watched {
    fn of(view: &View, since: DateTime<Utc>, asked: Asked) -> Self {
        let mut watched = Self::default();
        let live = view.catalogue.relationships().filter(|(_, slot)| slot.relationship.standing == Standing::Live);
        for (_, slot) in live.filter(|(_, slot)| is_seen(view, slot, since, asked)) {
            watched.kinds.insert(slot.relationship.key.kind.clone());
            watched.classes.insert(view.catalogue.ci(slot.dependency).class.clone());
        }
        watched
    }

    /// Whether a member of a need would be seen: something of the kind was, or, where nobody says which kind it is,
    /// something of the member's class.
    fn has(&self, view: &View, need: &NeedView<'_>, member: ItemIx) -> bool {
        let kind = match DrawnFrom::of_tag(need.tag) {
            DrawnFrom::Relationship(ix) => &view.catalogue.relationship(ix).relationship.key.kind,
            DrawnFrom::Need(ix) | DrawnFrom::Load(ix) => &view.catalogue.need(ix).need.definition.kind,
        };
        let is_of_class = || self.classes.contains(&view.catalogue.ci(ci_of(member)).class);
        self.kinds.contains(kind) || (kind.as_str() == UNSAID && is_of_class())
    }
}

fn is_seen(view: &View, slot: &RelationshipSlot, since: DateTime<Utc>, asked: Asked) -> bool {
    slot.relationship.live_claims().any(|claim| {
        let at = crate::basis::confirmed(&view.catalogue, &claim.provenance);
        claim.basis == Ground::Observed && at >= since && at <= asked.at
    })
}

/// What was seen to be used by an item within the window.
fn seen(view: &View, ix: CiIx, since: DateTime<Utc>, asked: Asked) -> BTreeSet<CiIx> {
    let slots = view.catalogue.slot(ix).dependencies.iter().map(|at| view.catalogue.relationship(*at));
    let live = slots.filter(|slot| slot.relationship.standing == Standing::Live);
    live.filter(|slot| is_seen(view, slot, since, asked)).map(|slot| slot.dependency).collect()
}
