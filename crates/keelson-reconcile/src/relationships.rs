//! Relationships: rows to ends, and claims on what joins them.

use std::collections::HashMap;
use std::sync::Arc;

use keelson_catalogue::{CiIx, RelationshipIx};
use keelson_model::{
    Basis, Carries, CiRef, Finding, FindingCode, Position, RelationshipClaim, RelationshipObservation, Severity,
    Standing, Stated, Strength, Symbol,
};

use crate::drafts::Ends;
use crate::plan::{RowKind, RowOutcome, RowResult};
use crate::planner::Planner;
use crate::results::About;
use crate::typing;

/// A statement that two items are related, by a row of the batch.
pub(crate) struct Statement {
    pub(crate) dependent: CiIx,
    pub(crate) dependency: CiIx,
    pub(crate) kind: Symbol,
    pub(crate) stated: Stated,
    /// The row: of the relationships, or (for members) of the needs.
    pub(crate) row: u32,
}

/// The bit that stands for a form of statement.
pub(crate) fn bit(stated: Stated) -> u8 {
    match stated {
        Stated::Plain => 1,
        Stated::Member => 2,
    }
}

/// What several rows say together of one relationship.
struct Said {
    position: Position,
    basis: Basis,
    confidence: Option<f64>,
    strength: Option<Strength>,
    evidence: Option<Symbol>,
    source_type: Option<Symbol>,
    attributes: keelson_model::Attributes,
}

impl Planner<'_> {
    /// Resolves relationships and needs, describes the items (which need their self-loops), and
    /// lays the claims on relationships and needs down.
    pub(crate) fn relationships(&mut self) {
        let mut statements = self.resolve_rows();
        let needs = self.resolve_needs(&mut statements);
        self.describe();
        self.state(statements);
        self.state_needs(needs);
    }

    fn resolve_rows(&mut self) -> Vec<Statement> {
        let batch = self.batch;
        let mut statements = Vec::with_capacity(batch.relationships.len());
        let mut of_dependent: HashMap<CiIx, usize> = HashMap::new();
        let mut carries: HashMap<&Symbol, Option<Carries>> = HashMap::new();
        for (row, observation) in (0u32..).zip(&batch.relationships) {
            let kind = &observation.kind;
            let known = *carries
                .entry(kind)
                .or_insert_with(|| self.context.catalogue.schema().kinds.get(kind).map(|kind| kind.carries));
            let Some(carries) = known else {
                self.reject_relationship(observation, self.unknown_kind(kind, &observation.position));
                continue;
            };
            if let Some(finding) = bad_numbers(observation) {
                self.reject_relationship(observation, finding);
                continue;
            }
            let ends = (
                self.resolve(&observation.dependent, &observation.position),
                self.resolve(&observation.dependency, &observation.position),
            );
            let (Some(dependent), Some(dependency)) = ends else {
                if let Some(dependent) = ends.0 {
                    self.listed.insert(dependent, false);
                }
                self.relationship_result(observation, ends.0, RowOutcome::Ambiguous);
                continue;
            };
            if dependent == dependency {
                self.self_loop(observation, dependent);
                continue;
            }
            let count = of_dependent.entry(dependent).or_default();
            *count += 1;
            let most = self.context.settings.limits.relationships_per_ci;
            if *count > most {
                let first = *count == most + 1;
                self.beyond_limit(observation, dependent, first, most);
                continue;
            }
            let (dependent, dependency) = match carries {
                Carries::Undirected => self.sorted(dependent, dependency),
                Carries::Loss | Carries::Nothing => (dependent, dependency),
            };
            statements.push(Statement { dependent, dependency, kind: kind.clone(), stated: Stated::Plain, row });
        }
        statements
    }

    /// The ends of an undirected relationship, in order of their ids.
    fn sorted(&self, a: CiIx, b: CiIx) -> (CiIx, CiIx) {
        if self.drafts.id(b) < self.drafts.id(a) { (b, a) } else { (a, b) }
    }

    pub(crate) fn unknown_kind(&self, kind: &Symbol, position: &Position) -> Finding {
        let message = format!("nobody defined the kind of relationship '{kind}'; the row is left out");
        let finding = Finding::new(FindingCode::UnknownRelationType, position.clone(), message);
        finding.in_field("kind").with_severity(Severity::Error)
    }

    fn beyond_limit(&mut self, observation: &RelationshipObservation, dependent: CiIx, first: bool, most: usize) {
        self.listed.insert(dependent, false);
        if first {
            let key = observation.dependent.as_str();
            let message = format!("'{key}' has more than {most} relationships; the rest is left out");
            self.notes.add(Self::finding_at(FindingCode::LimitExceeded, &observation.position, message).about(key));
        }
        self.relationship_result(observation, Some(dependent), RowOutcome::Rejected);
    }

    fn reject_relationship(&mut self, observation: &RelationshipObservation, finding: Finding) {
        self.notes.add(finding.about(observation.dependent.as_str()));
        self.relationship_result(observation, None, RowOutcome::Rejected);
    }

    fn self_loop(&mut self, observation: &RelationshipObservation, ci: CiIx) {
        let key = observation.dependent.as_str();
        let message = format!("'{key}' is said to be related to itself by '{}'", observation.kind);
        self.notes.add_once(FindingCode::SelfLoop, &observation.position, key, message);
        let kinds = self.self_relationships.entry(ci).or_default();
        if let Err(place) = kinds.binary_search(&observation.kind) {
            kinds.insert(place, observation.kind.clone());
        }
        self.relationship_result(observation, Some(ci), RowOutcome::Skipped);
    }

    fn relationship_result(&mut self, row: &RelationshipObservation, ix: Option<CiIx>, outcome: RowOutcome) {
        let drafts = &self.drafts;
        self.results.add(About::Relationship, outcome, || RowResult {
            position: row.position.clone(),
            row: RowKind::Relationship,
            source_key: arrow(&row.dependent, &row.kind, &row.dependency),
            ci: ix.map(|ix| drafts.id(ix)),
            key: ix.map(|ix| drafts.ci(ix).key.clone()),
            outcome,
            succeeds: None,
            changed: Vec::new(),
        });
    }

    /// Lays claims down, one per relationship and form; several rows of one are one claim.
    fn state(&mut self, mut statements: Vec<Statement>) {
        statements.sort_unstable_by(|a, b| {
            let of = |s: &Statement| (s.dependent, s.dependency, s.stated, s.row);
            (a.dependent, a.dependency)
                .cmp(&(b.dependent, b.dependency))
                .then_with(|| a.kind.cmp(&b.kind))
                .then_with(|| of(a).cmp(&of(b)))
        });
        let mut from = 0;
        while from < statements.len() {
            let first = &statements[from];
            let same = |other: &Statement| {
                (other.dependent, other.dependency, other.stated) == (first.dependent, first.dependency, first.stated)
                    && other.kind == first.kind
            };
            let rows = 1 + statements[from + 1..].iter().take_while(|other| same(other)).count();
            self.state_one(&statements[from..from + rows]);
            from += rows;
        }
    }

    fn state_one(&mut self, rows: &[Statement]) {
        let batch = self.batch;
        let Statement { dependent, dependency, kind, stated, .. } = &rows[0];
        let said = self.said(rows);
        let known = self.known_relationship(*dependent, kind, *dependency);
        if let Some(ix) = known {
            self.stated[ix.index()] |= bit(*stated);
        }
        let ends: Ends = (*dependent, kind.clone(), *dependency);
        let outcome = self.lay_down(&ends, *stated, said);
        if *stated == Stated::Plain {
            let mut folded = rows.iter();
            if let Some(row) = folded.next() {
                self.relationship_result(&batch.relationships[row.row as usize], Some(*dependent), outcome);
            }
            for row in folded {
                let observation = &batch.relationships[row.row as usize];
                self.relationship_result(observation, Some(*dependent), RowOutcome::Skipped);
            }
        }
    }

    /// The number of a relationship of the catalogue.
    pub(crate) fn known_relationship(
        &self,
        dependent: CiIx,
        kind: &Symbol,
        dependency: CiIx,
    ) -> Option<RelationshipIx> {
        let known = self.drafts.is_known(dependent) && self.drafts.is_known(dependency);
        known.then(|| self.context.catalogue.find_relationship(dependent, kind, dependency))?
    }

    /// What rows of one relationship and form say together. The first keeps its position; declared
    /// wins over observed, the higher confidence (one that does not say is certain) and the
    /// greater strength win, evidences are joined, attributes fill gaps.
    fn said(&self, rows: &[Statement]) -> Said {
        let mut all = rows.iter().map(|row| self.said_by(row));
        let mut said = all.next().expect("there is at least one row");
        for other in all {
            if other.basis == Basis::Declared {
                said.basis = Basis::Declared;
            }
            said.confidence = said.confidence.zip(other.confidence).map(|(a, b)| a.max(b));
            said.strength = Strength::strongest([said.strength, other.strength]);
            said.evidence = joined(said.evidence, other.evidence);
            said.source_type = joined(said.source_type, other.source_type);
            for (name, value) in other.attributes {
                said.attributes.entry(name).or_insert(value);
            }
        }
        said
    }

    fn said_by(&self, row: &Statement) -> Said {
        match row.stated {
            Stated::Plain => {
                let row = &self.batch.relationships[row.row as usize];
                Said {
                    position: row.position.clone(),
                    basis: row.basis,
                    confidence: row.confidence,
                    strength: row.strength,
                    evidence: row.evidence.clone(),
                    source_type: row.source_type.clone(),
                    attributes: row.attributes.iter().map(|(name, json)| (name.clone(), typing::plain(json))).collect(),
                }
            }
            Stated::Member => {
                let row = &self.batch.needs[row.row as usize];
                Said {
                    position: row.position.clone(),
                    basis: row.basis,
                    confidence: row.confidence,
                    strength: None,
                    evidence: row.evidence.clone(),
                    source_type: None,
                    attributes: keelson_model::Attributes::new(),
                }
            }
        }
    }

    /// Makes the claim of this batch on a relationship say what is said.
    fn lay_down(&mut self, ends: &Ends, stated: Stated, said: Said) -> RowOutcome {
        let before = self.drafts.relationship(ends);
        let outcome = match before {
            None => RowOutcome::Created,
            Some(before) if before.standing == Standing::Withdrawn => RowOutcome::Revived,
            Some(_) => RowOutcome::Updated,
        };
        let place = before.and_then(|before| self.statement_place(&before.claims, stated));
        let mut next = RelationshipClaim {
            provenance: self.context.provenance(&said.position),
            stated,
            basis: said.basis,
            confidence: said.confidence,
            strength: said.strength,
            evidence: said.evidence,
            source_type: said.source_type,
            attributes: said.attributes,
        };
        let (Some(before), Some(place)) = (before, place) else {
            if self.context.is_before_listing() {
                return self.skip_older(&next.provenance.position);
            }
            self.drafts.relationship_mut(ends).claims.push(next);
            return outcome;
        };
        let claim = &before.claims[place];
        if self.context.is_older_than(&claim.provenance) {
            return self.skip_older(&next.provenance.position);
        }
        let same = claim.provenance.is_live()
            && claim.basis == next.basis
            && claim.confidence == next.confidence
            && claim.strength == next.strength
            && claim.evidence == next.evidence
            && claim.source_type == next.source_type
            && claim.attributes == next.attributes;
        if same && !self.context.is_due(&claim.provenance, None) {
            return RowOutcome::Unchanged;
        }
        let mut provenance = claim.provenance.clone();
        self.context.renew(&mut provenance, &next.provenance.position);
        next.provenance = provenance;
        self.drafts.relationship_mut(ends).claims[place] = next;
        if same { RowOutcome::Unchanged } else { outcome }
    }

    /// Leaves out what is older than what is known.
    pub(crate) fn skip_older(&mut self, position: &Position) -> RowOutcome {
        let message = "something newer was said of it before; this is left out".to_owned();
        self.notes.add(Self::finding_at(FindingCode::OlderThanKnown, position, message));
        RowOutcome::Skipped
    }

    /// Where the claim of this source and form stands; a delta speaks within the scope it finds
    /// the claim in.
    fn statement_place(&self, claims: &[RelationshipClaim], stated: Stated) -> Option<usize> {
        let exact = claims.iter().position(|claim| claim.stated == stated && self.context.is_own(&claim.provenance));
        let overlapping = || {
            claims.iter().position(|claim| {
                claim.stated == stated
                    && claim.provenance.source == self.context.source
                    && claim.provenance.is_live()
                    && claim.provenance.scope.overlaps(&self.context.scope)
            })
        };
        exact.or_else(|| if self.context.complete { None } else { overlapping() })
    }
}

/// How results name a relationship.
pub(crate) fn arrow(dependent: &CiRef, kind: &Symbol, dependency: &CiRef) -> Arc<str> {
    format!("{} -{kind}-> {}", dependent.as_str(), dependency.as_str()).into()
}

fn bad_numbers(row: &RelationshipObservation) -> Option<Finding> {
    let bad = |field: &str, message: String| {
        Some(Finding::new(FindingCode::MalformedRow, row.position.clone(), message).in_field(field))
    };
    if let Some(confidence) = row.confidence
        && !(0.0..=1.0).contains(&confidence)
    {
        return bad("confidence", format!("a confidence must lie between 0 and 1, not {confidence}"));
    }
    if let Some(Strength::Soft { cap }) = row.strength
        && !(cap > 0.0 && cap < 1.0)
    {
        return bad("cap", format!("a cap must lie above 0 and below 1, not {cap}; leave it out for all of it"));
    }
    None
}

/// Two words joined by `+` unless one contains the other.
fn joined(a: Option<Symbol>, b: Option<Symbol>) -> Option<Symbol> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let mut words: Vec<&str> = a.split('+').chain(b.split('+')).collect();
            words.sort_unstable();
            words.dedup();
            Some(Symbol::new(&words.join("+")))
        }
        (a, b) => a.or(b),
    }
}
