//! Edits of relationships.

use keelson_catalogue::CiIx;
use keelson_model::{
    Attributes, Basis, Carries, CiId, RelationshipClaim, RelationshipKey, Standing, Stated, Strength, Symbol,
};

use super::editor::Editor;
use super::{EditCode, Touched};
use crate::drafts::Ends;

impl Editor<'_> {
    pub(super) fn create_relationship(
        &mut self,
        kind: &Symbol,
        ends: (CiId, CiId),
        strength: Option<Strength>,
        confidence: Option<f64>,
    ) -> Option<Touched> {
        let problems = self.problem_count();
        let carries = self.carries(kind);
        let dependent = self.find_present(ends.0, &["dependent"]);
        let dependency = self.find_present(ends.1, &["dependency"]);
        if ends.0 == ends.1 {
            let message = "a configuration item cannot be related to itself";
            self.problem::<()>(EditCode::SelfRelationship, &["dependency"], message);
        }
        self.check_confidence(confidence);
        self.check_cap(match strength {
            Some(Strength::Soft { cap }) => Some(cap),
            _ => None,
        });
        let (mut from, mut to) = (dependent?, dependency?);
        if self.problem_count() > problems {
            return None;
        }
        if carries == Some(Carries::Undirected) && ends.1 < ends.0 {
            std::mem::swap(&mut from, &mut to);
        }
        let ends = (from, kind.clone(), to);
        self.claim_relationship(&ends, Stated::Plain, strength, confidence);
        Some(Touched::Relationship(self.key(&ends)))
    }

    fn key(&self, ends: &Ends) -> RelationshipKey {
        RelationshipKey { dependent: self.drafts.id(ends.0), kind: ends.1.clone(), dependency: self.drafts.id(ends.2) }
    }

    /// Lets the person's claim on a relationship say this.
    pub(super) fn claim_relationship(
        &mut self,
        ends: &Ends,
        stated: Stated,
        strength: Option<Strength>,
        confidence: Option<f64>,
    ) {
        let mut claim = RelationshipClaim {
            provenance: self.context.provenance(&Self::position()),
            stated,
            basis: Basis::Declared,
            confidence,
            strength,
            evidence: None,
            source_type: None,
            attributes: Attributes::new(),
        };
        let known = self.drafts.relationship(ends).map(|relationship| &relationship.claims);
        let place = known.and_then(|claims| {
            claims.iter().position(|known| known.stated == stated && self.context.is_own(&known.provenance))
        });
        let Some((claims, place)) = known.zip(place) else {
            self.drafts.relationship_mut(ends).claims.push(claim);
            return;
        };
        let known = &claims[place];
        if known.provenance.is_live() && known.strength == strength && known.confidence == confidence {
            return;
        }
        claim.provenance.first_observed = known.provenance.first_observed;
        self.drafts.relationship_mut(ends).claims[place] = claim;
    }

    pub(super) fn remove_relationship(&mut self, key: &RelationshipKey, version: u32) -> Option<Touched> {
        let catalogue = self.context.catalogue;
        let Some(ix) = catalogue.find_relationship_key(key) else {
            return self.problem(EditCode::NotFound, &["key"], "there is no such relationship");
        };
        let slot = catalogue.relationship(ix);
        self.check_version("the relationship", slot.relationship.version, version)?;
        if slot.relationship.standing == Standing::Withdrawn {
            return self.problem(EditCode::IllegalTransition, &["key"], "the relationship is withdrawn already");
        }
        let ends = (slot.dependent, key.kind.clone(), slot.dependency);
        if !self.end_relationship(&ends, Stated::Plain) {
            let sources: Vec<&str> =
                slot.relationship.live_claims().map(|claim| claim.provenance.source.as_str()).collect();
            let message = format!(
                "no person states the relationship on its own, but {}; mend it there, or change the need it belongs to",
                sources.join(", ")
            );
            return self.problem(EditCode::NotManual, &["key"], message);
        }
        Some(Touched::Relationship(key.clone()))
    }

    /// Ends the person's claim on a relationship; whether there was one.
    pub(super) fn end_relationship(&mut self, ends: &Ends, stated: Stated) -> bool {
        let known = self.drafts.relationship(ends);
        let place = known.and_then(|relationship| {
            relationship.claims.iter().position(|claim| {
                claim.stated == stated && claim.provenance.is_live() && self.context.is_own(&claim.provenance)
            })
        });
        let Some(place) = place else { return false };
        let tombstone = self.context.tombstone(&format!("removed by {}", self.actor));
        self.drafts.relationship_mut(ends).claims[place].provenance.tombstone = Some(tombstone);
        true
    }

    /// The ends of a membership.
    pub(super) fn membership(&self, dependent: CiIx, kind: &Symbol, member: CiId) -> Option<Ends> {
        Some((dependent, kind.clone(), self.drafts.find_id(member)?))
    }
}
