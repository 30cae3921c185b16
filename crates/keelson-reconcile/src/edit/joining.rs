//! Making two configuration items one, and taking that back.
//!
//! The absorbed item keeps its claims, ended and with the reason [`MERGED`](crate::merge::MERGED); live copies of them go
//! to the item that stays, so that every source key leads there. Relationships and needs are copied
//! in the same way. Copies carry the batch of the merge, by which an undo knows them as long as
//! their sources have not said anything else; what sources have changed meanwhile they put right
//! with their next complete batch.

use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{
    BatchId, Carries, CiId, Member, Need, NeedClaim, Provenance, RelationshipClaim, Standing, Symbol, Tombstone,
};

use super::editor::Editor;
use super::{EditCode, Touched};
use crate::drafts::Ends;
use crate::merge::{self, MERGED};
use crate::words::a;

impl Editor<'_> {
    pub(super) fn merge_cis(&mut self, keep: (CiId, u32), absorb: (CiId, u32)) -> Option<Touched> {
        let into = self.find_at(keep.0, keep.1, &["keep"]);
        let from = self.find_at(absorb.0, absorb.1, &["absorb"]);
        let (into, from) = (into?, from?);
        if into == from {
            let message = "a configuration item cannot be merged with itself";
            return self.problem(EditCode::SelfRelationship, &["absorb"], message);
        }
        self.find_present(keep.0, &["keep"])?;
        self.find_present(absorb.0, &["absorb"])?;
        let (kept, absorbed) = (self.drafts.ci(into), self.drafts.ci(from));
        if !self.are_compatible(&absorbed.class, kept) && absorbed.standing != Standing::Placeholder {
            let message = format!(
                "{} is {} and {} {}; only items of one class, or of a class and one below it, can be one: correct the \
                 class of one of them first",
                absorbed.key,
                a(&absorbed.class),
                kept.key,
                a(&kept.class)
            );
            return self.problem(EditCode::BadValue, &["absorb"], message);
        }
        let tombstone = self.context.tombstone(&format!("{MERGED}{}", keep.0));
        self.move_claims(from, into, &tombstone);
        self.move_relationships(from, into, &tombstone);
        self.move_needs(from, into, &tombstone);
        self.move_membership(from, into)?;
        Some(Touched::Ci(keep.0))
    }

    /// A copy of what a claim rests on, recognisable as one.
    fn copied(&self, provenance: &Provenance) -> Provenance {
        Provenance { batch: self.context.batch, ..provenance.clone() }
    }

    fn move_claims(&mut self, from: CiIx, into: CiIx, tombstone: &Tombstone) {
        self.drafts.pass_on(from);
        let live: Vec<_> = self.drafts.ci(from).live_claims().cloned().collect();
        for claim in &mut self.drafts.ci_mut(from).claims {
            if claim.provenance.is_live() {
                claim.provenance.tombstone = Some(tombstone.clone());
            }
        }
        let claims = &mut self.drafts.ci_mut(into).claims;
        for claim in live {
            let known = claims.iter_mut().find(|known| {
                known.provenance.source == claim.provenance.source
                    && known.provenance.scope == claim.provenance.scope
                    && known.source_key == claim.source_key
            });
            match known {
                Some(known) => *known = claim,
                None => claims.push(claim),
            }
        }
    }

    /// Live relationships of an item, with the end that is not it.
    fn relationships_of(&self, ix: CiIx) -> Vec<Ends> {
        let slot = self.context.catalogue.slot(ix);
        let all = slot.dependencies.iter().chain(&slot.dependents);
        all.map(|relationship| {
            let slot = self.context.catalogue.relationship(*relationship);
            (slot.dependent, slot.relationship.key.kind.clone(), slot.dependency)
        })
        .collect()
    }

    fn redirected(&self, ends: &Ends, from: CiIx, into: CiIx) -> Option<Ends> {
        let other = |ix: CiIx| if ix == from { into } else { ix };
        let (mut a, mut b) = (other(ends.0), other(ends.2));
        if a == b {
            return None;
        }
        let carries = self.context.catalogue.schema().kinds.get(&ends.1).map(|kind| kind.carries);
        if carries == Some(Carries::Undirected) && self.drafts.id(b) < self.drafts.id(a) {
            std::mem::swap(&mut a, &mut b);
        }
        Some((a, ends.1.clone(), b))
    }

    fn move_relationships(&mut self, from: CiIx, into: CiIx, tombstone: &Tombstone) {
        for ends in self.relationships_of(from) {
            let Some(relationship) = self.drafts.relationship(&ends) else { continue };
            let live: Vec<RelationshipClaim> = relationship.live_claims().cloned().collect();
            if live.is_empty() {
                continue;
            }
            for claim in &mut self.drafts.relationship_mut(&ends).claims {
                if claim.provenance.is_live() {
                    claim.provenance.tombstone = Some(tombstone.clone());
                }
            }
            // What joined the two items themselves has nowhere to go.
            let Some(new) = self.redirected(&ends, from, into) else { continue };
            for claim in live {
                let copy = RelationshipClaim { provenance: self.copied(&claim.provenance), ..claim };
                let claims = &mut self.drafts.relationship_mut(&new).claims;
                let known = claims.iter_mut().find(|known| same_speaker(known, &copy));
                match known {
                    Some(known) if known.provenance.is_live() => {}
                    Some(known) => *known = copy,
                    None => claims.push(copy),
                }
            }
        }
    }

    fn move_needs(&mut self, from: CiIx, into: CiIx, tombstone: &Tombstone) {
        let keep = self.drafts.id(into);
        for need in self.drafts.needs_of(from) {
            let live: Vec<NeedClaim> = need.claims.iter().filter(|claim| claim.provenance.is_live()).cloned().collect();
            if live.is_empty() {
                continue;
            }
            for claim in &mut self.drafts.need_mut(from, &need.name, |_| Need::clone(&need)).claims {
                if claim.provenance.is_live() {
                    claim.provenance.tombstone = Some(tombstone.clone());
                }
            }
            for claim in live {
                let mut copy = NeedClaim { provenance: self.copied(&claim.provenance), definition: claim.definition };
                copy.definition.members.retain(|member| member.ci != keep);
                if copy.definition.rule.check(copy.definition.members.len()).is_ok() {
                    self.add_need_claim(into, &need.name, copy);
                }
            }
        }
    }

    fn add_need_claim(&mut self, dependent: CiIx, name: &Arc<str>, claim: NeedClaim) {
        let need = self.drafts.need_or_new(dependent, name, &claim.definition, self.ids);
        let same = |known: &&mut NeedClaim| {
            known.provenance.source == claim.provenance.source && known.provenance.scope == claim.provenance.scope
        };
        match need.claims.iter_mut().find(same) {
            Some(known) if known.provenance.is_live() => {}
            Some(known) => *known = claim,
            None => need.claims.push(claim),
        }
    }

    /// Puts the item that stays in the absorbed one's place among the members of needs.
    fn move_membership(&mut self, from: CiIx, into: CiIx) -> Option<()> {
        let (old, new) = (self.drafts.id(from), self.drafts.id(into));
        let batch = self.context.batch;
        let catalogue = self.context.catalogue;
        for ix in &catalogue.slot(from).member_of {
            let slot = catalogue.need(*ix);
            if slot.dependent == from || slot.dependent == into {
                continue;
            }
            let name = &slot.need.name;
            let need = self.drafts.need_mut(slot.dependent, name, |_| Need::clone(&slot.need));
            for claim in need.claims.iter_mut().filter(|claim| claim.provenance.is_live()) {
                if !replace_member(&mut claim.definition.members, old, new) {
                    continue;
                }
                claim.provenance.batch = batch;
                if let Err(error) = claim.definition.rule.check(claim.definition.members.len()) {
                    let message =
                        format!("both are members of the need '{name}', whose rule does not hold for one: {error}");
                    return self.problem(EditCode::BadValue, &["absorb"], message);
                }
            }
        }
        Some(())
    }

    pub(super) fn undo_merge(&mut self, absorbed: CiId, version: u32) -> Option<Touched> {
        let back = self.find_at(absorbed, version, &["absorbed"])?;
        let reason = self.drafts.ci(back).claims.iter().find_map(|claim| {
            Some((merge::merged_into(&claim.provenance)?, claim.provenance.tombstone.as_ref()?.batch))
        });
        let Some((keep, batch)) = reason else {
            let message = format!("{} was not merged into another item", self.drafts.ci(back).key);
            return self.problem(EditCode::IllegalTransition, &["absorbed"], message);
        };
        let from = self.find(keep, &["absorbed"])?;
        let merge = Merge { keep, batch };
        self.return_claims(from, back, &merge);
        self.return_relationships(from, back, &merge);
        self.return_needs(from, back, &merge);
        self.return_membership(from, back, &merge);
        Some(Touched::Ci(absorbed))
    }

    fn return_claims(&mut self, from: CiIx, back: CiIx, merge: &Merge) {
        self.drafts.pass_on(from);
        let mut own = self.drafts.ci(back).claims.clone();
        for claim in own.iter_mut().filter(|claim| merge.ended(&claim.provenance)) {
            let claims = &mut self.drafts.ci_mut(from).claims;
            let place = claims.iter().position(|copy| {
                copy.provenance.source == claim.provenance.source
                    && copy.provenance.scope == claim.provenance.scope
                    && copy.source_key == claim.source_key
            });
            // The copy may know more by now: its source has gone on speaking to it.
            if let Some(place) = place {
                *claim = claims.remove(place);
            }
        }
        self.drafts.ci_mut(back).claims = own;
        if !self.drafts.ci(from).claims.iter().any(merge::describes) {
            self.drafts.ci_mut(from).merged = None;
        }
    }

    fn return_relationships(&mut self, from: CiIx, back: CiIx, merge: &Merge) {
        let tombstone = self.context.tombstone("the merge was taken back");
        for ends in self.relationships_of(back) {
            let ended = |claims: &[RelationshipClaim]| claims.iter().any(|claim| merge.ended(&claim.provenance));
            if !self.drafts.relationship(&ends).is_some_and(|relationship| ended(&relationship.claims)) {
                continue;
            }
            let mut returned = Vec::new();
            for claim in &mut self.drafts.relationship_mut(&ends).claims {
                if merge.ended(&claim.provenance) {
                    claim.provenance.tombstone = None;
                    returned.push(claim.clone());
                }
            }
            let Some(copied) = self.redirected(&ends, back, from) else { continue };
            for claim in &mut self.drafts.relationship_mut(&copied).claims {
                let copy = claim.provenance.batch == merge.batch && returned.iter().any(|own| same_speaker(own, claim));
                if copy && claim.provenance.is_live() {
                    claim.provenance.tombstone = Some(tombstone.clone());
                }
            }
        }
    }

    fn return_needs(&mut self, from: CiIx, back: CiIx, merge: &Merge) {
        let tombstone = self.context.tombstone("the merge was taken back");
        for need in self.drafts.needs_of(back) {
            if !need.claims.iter().any(|claim| merge.ended(&claim.provenance)) {
                continue;
            }
            for claim in &mut self.drafts.need_mut(back, &need.name, |_| Need::clone(&need)).claims {
                if merge.ended(&claim.provenance) {
                    claim.provenance.tombstone = None;
                }
            }
            let Some(copied) = self.drafts.need(from, &need.name).map(Arc::clone) else { continue };
            for claim in &mut self.drafts.need_mut(from, &need.name, |_| Need::clone(&copied)).claims {
                if claim.provenance.batch == merge.batch && claim.provenance.is_live() {
                    claim.provenance.tombstone = Some(tombstone.clone());
                }
            }
        }
    }

    fn return_membership(&mut self, from: CiIx, back: CiIx, merge: &Merge) {
        let (old, new) = (self.drafts.id(from), self.drafts.id(back));
        let catalogue = self.context.catalogue;
        for ix in &catalogue.slot(from).member_of {
            let slot = catalogue.need(*ix);
            let marked = |claim: &NeedClaim| claim.provenance.is_live() && claim.provenance.batch == merge.batch;
            if slot.dependent == back || slot.dependent == from || !slot.need.claims.iter().any(marked) {
                continue;
            }
            let kinds: Vec<bool> = slot
                .need
                .claims
                .iter()
                .map(|claim| self.is_member_itself(slot.dependent, &claim.definition.kind, from, &claim.provenance))
                .collect();
            let need = self.drafts.need_mut(slot.dependent, &slot.need.name, |_| Need::clone(&slot.need));
            for (claim, stays) in need.claims.iter_mut().zip(kinds) {
                if !marked(claim) {
                    continue;
                }
                let members = &mut claim.definition.members;
                if stays {
                    // Both were members, and the merge had left one.
                    members.push(Member { ci: new, doubtful: false });
                } else {
                    replace_member(members, old, new);
                }
            }
        }
    }

    /// Whether the item that stays is a member on its own account, as the source says.
    fn is_member_itself(&self, dependent: CiIx, kind: &Symbol, ix: CiIx, of: &Provenance) -> bool {
        self.drafts.relationship(&(dependent, kind.clone(), ix)).is_some_and(|relationship| {
            relationship.live_claims().any(|claim| {
                claim.stated == keelson_model::Stated::Member
                    && claim.provenance.source == of.source
                    && claim.provenance.scope == of.scope
            })
        })
    }
}

/// A merge that is being taken back.
struct Merge {
    keep: CiId,
    batch: BatchId,
}

impl Merge {
    /// Whether it was this merge that ended a claim.
    fn ended(&self, provenance: &Provenance) -> bool {
        let batch = provenance.tombstone.as_ref().map(|tombstone| tombstone.batch);
        batch == Some(self.batch) && merge::merged_into(provenance) == Some(self.keep)
    }
}

/// Whether two claims are the same source's about the same scope in the same form.
fn same_speaker(a: &RelationshipClaim, b: &RelationshipClaim) -> bool {
    a.stated == b.stated && a.provenance.source == b.provenance.source && a.provenance.scope == b.provenance.scope
}

/// Puts one item in another's place; of two memberships one is left. Whether there was anything to
/// replace.
fn replace_member(members: &mut Vec<Member>, old: CiId, new: CiId) -> bool {
    let Some(place) = members.iter().position(|member| member.ci == old) else { return false };
    if members.iter().any(|member| member.ci == new) {
        members.remove(place);
    } else {
        members[place].ci = new;
    }
    true
}
