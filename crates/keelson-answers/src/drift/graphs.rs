//! The graphs that are compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use keelson_catalogue::RelationshipIx;
use keelson_graph::{Changes, ItemIx, NeedSpec, Snapshot};

use super::DriftKind;
use super::compare::{Difference, Found};
use crate::projection::DrawnFrom;
use crate::{QuestionError, View, item};

/// The graph as it is declared, with all that is observed, and without what is aspirational.
pub(super) struct Graphs {
    pub(super) declared: Arc<Snapshot>,
    pub(super) all: Arc<Snapshot>,
    pub(super) certain: Arc<Snapshot>,
}

impl Graphs {
    pub(super) fn of(view: &View, found: &Found, aspirational: &[&Difference]) -> Result<Self, QuestionError> {
        let observed: BTreeSet<RelationshipIx> = found.missing.iter().filter_map(|one| one.relationship).collect();
        let old = &found.old;
        let gone: BTreeSet<RelationshipIx> = aspirational.iter().filter_map(|one| one.relationship).collect();
        let old_owners = old.iter().map(|ix| item(view.catalogue.relationship(*ix).dependent));
        let owners: BTreeSet<ItemIx> = found.missing.iter().map(|one| one.owner).chain(old_owners).collect();
        let declared = changed(&view.graph, &owners, |drawn| {
            if observed.contains(&drawn) || old.contains(&drawn) { Fate::Out } else { Fate::Stays }
        })?;
        let all = changed(&view.graph, &owners, |drawn| match drawn {
            drawn if old.contains(&drawn) => Fate::Out,
            drawn if observed.contains(&drawn) => Fate::Certain,
            _ => Fate::Stays,
        })?;
        let owners: BTreeSet<ItemIx> = aspirational.iter().map(|one| one.owner).collect();
        let certain = changed(&declared, &owners, |drawn| if gone.contains(&drawn) { Fate::Out } else { Fate::Stays })?;
        Ok(Self { declared: Arc::new(declared), all: Arc::new(all), certain: Arc::new(certain) })
    }

    /// The declared graph with one difference made.
    pub(super) fn with(&self, view: &View, one: &Difference) -> Result<Snapshot, QuestionError> {
        if one.line.kind == DriftKind::Missing {
            let mut specs: Vec<NeedSpec> = self.declared.needs(one.owner).map(|need| need.to_spec()).collect();
            let all = view.graph.needs(one.owner);
            let same = |tag: u64| matches!(DrawnFrom::of_tag(tag), DrawnFrom::Relationship(ix) if Some(ix) == one.relationship);
            for need in all.filter(|need| same(need.tag) && need.members.contains(&one.member)) {
                let mut spec = need.to_spec();
                spec.doubt.existence = false;
                specs.push(spec);
            }
            let mut changes = Changes::new();
            changes.replace_needs(one.owner, specs);
            return self.declared.with_changes(changes).map_err(QuestionError::Graph);
        }
        let fate = |drawn: RelationshipIx| if Some(drawn) == one.relationship { Fate::Out } else { Fate::Stays };
        changed(&self.declared, &BTreeSet::from([one.owner]), fate)
    }
}

/// What becomes of a plain need.
enum Fate {
    Stays,
    Out,
    Certain,
}

/// A graph in which some plain needs of some items are taken out, or taken for certain.
fn changed(
    graph: &Snapshot,
    owners: &BTreeSet<ItemIx>,
    fate: impl Fn(RelationshipIx) -> Fate,
) -> Result<Snapshot, QuestionError> {
    let mut changes = Changes::new();
    for owner in owners {
        let specs = graph.needs(*owner).filter_map(|need| {
            let mut spec: NeedSpec = need.to_spec();
            match DrawnFrom::of_tag(need.tag) {
                DrawnFrom::Relationship(ix) => match fate(ix) {
                    Fate::Stays => Some(spec),
                    Fate::Out => None,
                    Fate::Certain => {
                        spec.doubt.existence = false;
                        Some(spec)
                    }
                },
                DrawnFrom::Need(_) | DrawnFrom::Load(_) => Some(spec),
            }
        });
        changes.replace_needs(*owner, specs.collect());
    }
    graph.with_changes(changes).map_err(QuestionError::Graph)
}
