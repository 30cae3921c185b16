//! The same thing said twice in one batch, put together in one fixed way.
//!
//! "Earlier" and "later" mean the order of the list. Importers read files in order of their names
//! and every file from its start, so that this is the order of files and positions.

use std::collections::HashMap;

use indexmap::IndexMap;
use keelson_model::{
    Basis, Batch, CiRef, Finding, FindingCode, Observation, RelationshipObservation, SourceKey, Strength, Symbol,
};

/// Puts observations of one source key together: the earlier value wins, the later one fills gaps.
///
/// Every later row yields one finding at its own position: `duplicate` when it says nothing else,
/// `duplicate_conflict` naming every field that differs with both values. The latter is a warning,
/// because nothing was refused. Returns how many rows were folded into earlier ones.
pub fn duplicates(observations: &mut Vec<Observation>, findings: &mut Vec<Finding>) -> usize {
    let before = observations.len();
    let mut merged: IndexMap<SourceKey, Observation> = IndexMap::with_capacity(before);
    for later in observations.drain(..) {
        let Some(earlier) = merged.get_mut(&later.source_key) else {
            merged.insert(later.source_key.clone(), later);
            continue;
        };
        findings.push(earlier.fold(later));
    }
    observations.extend(merged.into_values());
    before - observations.len()
}

/// Puts relationships of one kind between the same two ends together, as when both ends state it.
///
/// The first keeps its place and position. Declared wins over observed, the higher confidence and
/// the greater strength win, evidences and the source's own types are joined by `+`, attributes
/// fill gaps. Returns how many rows were folded into earlier ones.
pub fn relationships(relationships: &mut Vec<RelationshipObservation>) -> usize {
    let before = relationships.len();
    let mut merged: IndexMap<(Symbol, CiRef, CiRef), RelationshipObservation> = IndexMap::with_capacity(before);
    for later in relationships.drain(..) {
        let identity = (later.kind.clone(), later.dependent.bare(), later.dependency.bare());
        match merged.get_mut(&identity) {
            None => {
                merged.insert(identity, later);
            }
            Some(earlier) => {
                know_more(&mut earlier.dependent, later.dependent);
                know_more(&mut earlier.dependency, later.dependency);
                if later.basis == Basis::Declared {
                    earlier.basis = Basis::Declared;
                }
                earlier.confidence = match (earlier.confidence, later.confidence) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    // One that does not say counts as certain.
                    _ => None,
                };
                earlier.strength = Strength::strongest([earlier.strength, later.strength]);
                earlier.evidence = joined(earlier.evidence.take(), later.evidence);
                earlier.source_type = joined(earlier.source_type.take(), later.source_type);
                for (attribute, value) in later.attributes {
                    earlier.attributes.entry(attribute).or_insert(value);
                }
            }
        }
    }
    relationships.extend(merged.into_values());
    before - relationships.len()
}

fn know_more(earlier: &mut CiRef, later: CiRef) {
    if let (CiRef::Source { class, name, .. }, CiRef::Source { class: more, name: named, .. }) = (earlier, later) {
        *class = class.take().or(more);
        *name = name.take().or(named);
    }
}

fn joined(a: Option<Symbol>, b: Option<Symbol>) -> Option<Symbol> {
    match (a, b) {
        (Some(a), Some(b)) if a.split('+').all(|part| *part != *b) => Some(Symbol::new(&format!("{a}+{b}"))),
        (a, b) => a.or(b),
    }
}

/// Puts the ends of an undirected relationship in sorted order, so that both ways of stating it
/// are one.
pub fn sort_ends(relationship: &mut RelationshipObservation) {
    if relationship.dependency < relationship.dependent {
        std::mem::swap(&mut relationship.dependent, &mut relationship.dependency);
    }
}

/// Reports every relationship that joins a configuration item to itself. It stays in the batch:
/// the reconciliation keeps its kind with the claim and stores no relationship.
pub fn report_self_loops(batch: &mut Batch) {
    for relationship in &batch.relationships {
        if relationship.dependent.bare() == relationship.dependency.bare() {
            let key = relationship.dependent.as_str();
            let message = format!("'{key}' is said to be related to itself by '{}'", relationship.kind);
            let finding = Finding::new(FindingCode::SelfLoop, relationship.position.clone(), message);
            batch.findings.push(finding.about(key));
        }
    }
}

/// Reports every configuration item that relationships and needs of these batches refer to and
/// none of them describes, once each, where it is first referred to. The reconciliation makes
/// placeholders of those the catalogue does not know either.
pub fn report_missing_targets(batches: &mut [Batch]) {
    let described = batches.iter().flat_map(|batch| &batch.observations);
    let mut known: HashMap<CiRef, ()> = HashMap::new();
    for observation in described {
        known.insert(CiRef::source(observation.source_key.clone()), ());
        known.extend(observation.key.clone().map(|key| (CiRef::Catalogue(key), ())));
    }
    for batch in batches {
        let of_relationships = batch.relationships.iter().flat_map(|r| [(&r.dependent, r), (&r.dependency, r)]);
        let of_needs = batch.needs.iter().flat_map(|need| {
            let ends = std::iter::once(&need.dependent).chain(need.members.iter().map(|member| &member.ci));
            ends.map(move |ci| (ci, &need.position))
        });
        for (ci, position) in of_relationships.map(|(ci, r)| (ci, &r.position)).chain(of_needs) {
            if known.insert(ci.bare(), ()).is_none() {
                let key = ci.as_str();
                let message = format!("'{key}' is referred to, but nothing here describes it");
                let finding = Finding::new(FindingCode::MissingTarget, position.clone(), message);
                batch.findings.push(finding.about(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use keelson_model::Position;

    use super::*;

    fn key(text: &str) -> SourceKey {
        SourceKey::new(text).unwrap()
    }

    fn at(line: u32) -> Position {
        Position::line("f", line)
    }

    #[test]
    fn the_earlier_observation_wins_and_the_later_fills_gaps() {
        let mut observations = vec![
            Observation::new(key("a"), "server", at(1)).with("x", 1).with("y", 1),
            Observation::new(key("b"), "server", at(2)),
            Observation::new(key("a"), "server", at(3)).with("x", 2).with("z", 3),
            Observation::new(key("b"), "server", at(4)),
        ];
        observations[2].name = Some("Name".into());
        let mut findings = Vec::new();
        assert_eq!(duplicates(&mut observations, &mut findings), 2);
        assert_eq!(observations.len(), 2);
        assert_eq!(observations[0].name.as_deref(), Some("Name"));
        let attributes: Vec<_> = observations[0].attributes.values().map(ToString::to_string).collect();
        assert_eq!(attributes, ["1", "1", "3"]);
        assert_eq!(observations[0].position, at(1));
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "f, line 3: warning duplicate_conflict: 'a' is listed again with other content than at f, line 1: \
                 x '1' kept, '2' left out (field x)",
                "f, line 4: info duplicate: 'b' is listed again; it was first at f, line 2",
            ]
        );
    }

    #[test]
    fn a_relationship_stated_from_both_ends_is_one() {
        let state = |evidence: &str, basis, confidence, line| {
            let (a, b) = (CiRef::source(key("a")), CiRef::of_class(key("b"), "server"));
            let mut stated = RelationshipObservation::new("uses", a, b, at(line));
            (stated.evidence, stated.basis, stated.confidence) = (Some(evidence.into()), basis, confidence);
            stated
        };
        let mut stated = vec![
            state("env", Basis::Observed, Some(0.5), 1),
            state("spec", Basis::Declared, Some(0.7), 2),
            state("env", Basis::Observed, Some(0.2), 3),
        ];
        stated[0].dependency = CiRef::source(key("b"));
        assert_eq!(relationships(&mut stated), 2);
        assert_eq!(stated[0].dependency, CiRef::of_class(key("b"), "server"));
        assert_eq!(stated[0].evidence, Some("env+spec".into()));
        assert_eq!((stated[0].basis, stated[0].confidence), (Basis::Declared, Some(0.7)));
        assert_eq!(stated[0].position, at(1));
    }

    #[test]
    fn undirected_ends_are_sorted() {
        let mut stated =
            RelationshipObservation::new("connected_to", CiRef::source(key("b")), CiRef::source(key("a")), at(1));
        sort_ends(&mut stated);
        assert_eq!(stated.dependent.as_str(), "a");
    }

    #[test]
    fn self_loops_and_missing_targets_are_reported() {
        let importer = keelson_model::ImporterVersion { name: "t".into(), version: "1".into() };
        let when = chrono::DateTime::UNIX_EPOCH;
        let mut batch = Batch::new("s", keelson_model::Scope::named("all"), importer, when);
        batch.observations.push(Observation::new(key("a"), "server", at(1)));
        for (line, to) in [(2, "a"), (3, "b"), (4, "b")] {
            let (a, b) = (CiRef::source(key("a")), CiRef::source(key(to)));
            batch.relationships.push(RelationshipObservation::new("uses", a, b, at(line)));
        }
        report_self_loops(&mut batch);
        report_missing_targets(std::slice::from_mut(&mut batch));
        let codes: Vec<_> = batch.findings.iter().map(|f| (f.code, f.position.line)).collect();
        assert_eq!(codes, [(FindingCode::SelfLoop, Some(2)), (FindingCode::MissingTarget, Some(3))]);
        assert_eq!(batch.relationships.len(), 3);
    }
}
