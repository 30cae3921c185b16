//! What is declared and what is observed, relationship by relationship.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use keelson_catalogue::{CiIx, RelationshipIx};
use keelson_graph::ItemIx;
use keelson_model::{Basis as Ground, Standing};

use super::{DriftKind, DriftLine, UNLIKELY};
use crate::projection::DrawnFrom;
use crate::subject::{ci_of, key_of};
use crate::{Asked, View};

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
    for owner in view.graph.item_numbers() {
        let seen = seen(view, ci_of(owner), since, asked);
        for need in view.graph.needs(owner).filter(|need| need.phase().runs()) {
            let relationship = match DrawnFrom::of_tag(need.tag) {
                DrawnFrom::Relationship(ix) => Some(ix),
                DrawnFrom::Need(_) => None,
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
                } else if seen.is_empty() {
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

/// What was seen to be used by an item within the window.
fn seen(view: &View, ix: CiIx, since: chrono::DateTime<chrono::Utc>, asked: Asked) -> BTreeSet<CiIx> {
    let slots = view.catalogue.slot(ix).dependencies.iter().map(|at| view.catalogue.relationship(*at));
    let live = slots.filter(|slot| slot.relationship.standing == Standing::Live);
    let within = |slot: &&keelson_catalogue::RelationshipSlot| {
        slot.relationship.live_claims().any(|claim| {
            let at = crate::basis::confirmed(&view.catalogue, &claim.provenance);
            claim.basis == Ground::Observed && at >= since && at <= asked.at
        })
    };
    live.filter(within).map(|slot| slot.dependency).collect()
}
