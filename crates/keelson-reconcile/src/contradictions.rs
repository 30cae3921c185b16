//! What speaks against two being one item, although something speaks for it.
//!
//! A match by an identity rule does not hold when a rule of the same or of better priority has
//! values on both sides that differ, when one source gives both an id of its own and they differ, or
//! when the keys that sources state for both differ; keys made of class and name do not count. The item that has the key a row states is in
//! doubt when anything that identifies by itself differs. Only what is there after the batch
//! counts: what its rows say now, and what other live claims say.

use std::collections::HashMap;
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_catalogue::identity::{Identity, IdentityKey, identities};
use keelson_model::{Attributes, CiId, CiKey, Claim, Class, IdentityRule, Standing, Symbol};
use smallvec::SmallVec;

use crate::planner::Planner;

/// Most items that are looked at because they share an identity. A value that more of them share
/// identifies none.
pub(crate) const MOST_SHARING: usize = 64;

/// An identity rule by itself, under a number that it has in all classes that inherit it.
pub(crate) struct OneRule {
    number: usize,
    pub(crate) priority: u32,
    is_relative: bool,
    /// What it goes by, in words.
    words: String,
    class: Class,
}

/// The identity rules of classes, one by one.
#[derive(Default)]
pub(crate) struct Rules {
    known: Vec<(Vec<Symbol>, Option<Symbol>)>,
    of_class: HashMap<Symbol, Vec<OneRule>>,
}

impl Rules {
    pub(crate) fn of(&self, class: &str) -> &[OneRule] {
        self.of_class.get(class).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn learn(&mut self, class: &Class) {
        if self.of_class.contains_key(&class.definition.name) {
            return;
        }
        let rules = class.identities.iter().map(|rule| OneRule {
            number: self.number(rule),
            priority: rule.priority,
            is_relative: rule.relative.is_some(),
            words: rule.attributes.iter().map(Symbol::as_str).collect::<Vec<_>>().join(", "),
            class: Class {
                definition: class.definition.clone(),
                lineage: Vec::new(),
                attributes: Default::default(),
                identities: vec![rule.clone()],
                needs: Vec::new(),
                stages: class.stages,
                stale_after_days: class.stale_after_days,
                unavailability: class.unavailability,
            },
        });
        let rules = rules.collect();
        self.of_class.insert(class.definition.name.clone(), rules);
    }

    fn number(&mut self, rule: &IdentityRule) -> usize {
        let wanted = (rule.attributes.clone(), rule.relative.clone());
        let known = self.known.iter().position(|known| *known == wanted);
        known.unwrap_or_else(|| {
            self.known.push(wanted);
            self.known.len() - 1
        })
    }
}

/// An identity with the number of its rule.
pub(crate) struct Told {
    pub(crate) rule: usize,
    pub(crate) identity: Identity,
}

impl OneRule {
    pub(crate) fn read(
        &self,
        name: Option<&str>,
        attributes: &Attributes,
        relatives: impl Fn(&Symbol) -> Vec<CiId>,
    ) -> impl Iterator<Item = Told> {
        let found = identities(&self.class, name, attributes, relatives);
        found.into_iter().map(|identity| Told { rule: self.number, identity })
    }
}

/// What a row of the batch says of the item it is.
pub(crate) struct Spoken {
    pub(crate) row: usize,
    pub(crate) identities: Vec<(usize, IdentityKey)>,
}

/// Identities that rows of this batch state, new items included.
#[derive(Default)]
pub(crate) struct Stated {
    pub(crate) rules: Rules,
    by_key: HashMap<IdentityKey, SmallVec<[CiIx; 1]>>,
    spoken: HashMap<CiIx, Vec<Spoken>>,
    /// Items whose rows the source key identified: what the catalogue says of them is about to
    /// change.
    restated: std::collections::HashSet<CiIx>,
}

impl Stated {
    /// Notes what a row says of its item.
    pub(crate) fn note(&mut self, ix: CiIx, row: usize, found: &[Told]) {
        for told in found {
            let sharing = self.by_key.entry(told.identity.key).or_default();
            if sharing.len() < MOST_SHARING && !sharing.contains(&ix) {
                sharing.push(ix);
            }
        }
        let identities = found.iter().map(|told| (told.rule, told.identity.key)).collect();
        self.spoken.entry(ix).or_default().push(Spoken { row, identities });
    }

    pub(crate) fn restate(&mut self, ix: CiIx) {
        self.restated.insert(ix);
    }

    pub(crate) fn is_restated(&self, ix: CiIx) -> bool {
        self.restated.contains(&ix)
    }

    /// Items of the batch with an identity.
    pub(crate) fn sharing(&self, key: &IdentityKey) -> impl Iterator<Item = CiIx> {
        self.by_key.get(key).into_iter().flatten().copied()
    }

    /// Rows that are an item.
    pub(crate) fn spoken(&self, ix: CiIx) -> &[Spoken] {
        self.spoken.get(&ix).map_or(&[], Vec::as_slice)
    }
}

/// What is to be contradicted.
#[derive(Clone, Copy)]
pub(crate) enum Match<'f> {
    /// That a row and an item agree in these identities.
    Rules(&'f [&'f Told]),
    /// That an item has the key a row states.
    Key,
}

impl Planner<'_> {
    /// What speaks against a row being an item, in words: `another arn`.
    pub(crate) fn contradiction(
        &self,
        at: usize,
        found: &[Told],
        ix: CiIx,
        by: Match<'_>,
        stated: &Stated,
    ) -> Option<String> {
        let claims = self.staying_claims(ix, by);
        let row = &self.rows[at].observation;
        let mut against: Vec<&str> = Vec::new();
        let best = match by {
            Match::Rules(met) => met.iter().map(|told| told.identity.priority).min(),
            Match::Key => None,
        };
        for rule in stated.rules.of(&row.class) {
            let counts = match by {
                Match::Rules(met) => Some(rule.priority) <= best && met.iter().all(|told| told.rule != rule.number),
                Match::Key => !rule.is_relative,
            };
            let mut own = found.iter().filter(|told| told.rule == rule.number).peekable();
            if !counts || own.peek().is_none() {
                continue;
            }
            let theirs = self.identities_by(rule, ix, &claims, stated);
            if !theirs.is_empty() && !own.any(|told| theirs.contains(&told.identity.key)) {
                against.push(&rule.words);
            }
        }
        if row.native_id.as_ref().is_some_and(|native_id| self.has_another_native_id(ix, native_id, &claims, stated)) {
            against.push("native id");
        }
        if let (Match::Rules(_), Some(key)) = (by, &row.key)
            && self.has_another_key(ix, key, &claims, stated)
        {
            against.push("stated key");
        }
        (!against.is_empty()).then(|| format!("another {}", against.join(", another ")))
    }

    /// Whether the source gives an item only other ids of its own.
    fn has_another_native_id(&self, ix: CiIx, native_id: &Arc<str>, claims: &[&Claim], stated: &Stated) -> bool {
        let of_rows = stated.spoken(ix).iter().map(|other| &self.rows[other.row].observation.native_id);
        let own = claims.iter().filter(|claim| claim.provenance.source == self.context.source);
        let mut known = of_rows.chain(own.map(|claim| &claim.native_id)).flatten().peekable();
        known.peek().is_some() && !known.any(|other| other == native_id)
    }

    /// What an item is called by a rule, after this batch.
    fn identities_by(&self, rule: &OneRule, ix: CiIx, claims: &[&Claim], stated: &Stated) -> Vec<IdentityKey> {
        let of_rows = stated.spoken(ix).iter().flat_map(|spoken| &spoken.identities);
        let mut keys: Vec<IdentityKey> =
            of_rows.filter(|(number, _)| *number == rule.number).map(|(_, key)| *key).collect();
        for claim in claims {
            let facts = &claim.facts;
            let told = rule.read(facts.name.as_deref(), &facts.attributes, |kind| self.known_relatives(ix, kind));
            keys.extend(told.map(|told| told.identity.key));
        }
        keys
    }

    /// The live dependencies of an item along a kind, as the catalogue has them.
    pub(crate) fn known_relatives(&self, ix: CiIx, kind: &Symbol) -> Vec<CiId> {
        let catalogue = self.context.catalogue;
        let own = catalogue.slot(ix).dependencies.iter().map(|r| &catalogue.relationship(*r).relationship);
        own.filter(|r| r.key.kind == *kind && r.standing == Standing::Live).map(|r| r.key.dependency).collect()
    }

    /// Whether a live claim is about to be made anew by a row of the batch.
    pub(crate) fn is_superseded(&self, claim: &Claim) -> bool {
        claim.provenance.source == self.context.source && self.by_source_key.contains_key(&claim.source_key)
    }

    /// Live claims on an item that the batch leaves as they are. A key passes from what a complete
    /// batch no longer lists to what takes its place; what identifies by itself does not.
    fn staying_claims(&self, ix: CiIx, by: Match<'_>) -> Vec<&Claim> {
        let Some(ci) = self.drafts.before(ix) else { return Vec::new() };
        let passes =
            |claim: &Claim| matches!(by, Match::Key) && self.context.complete && self.context.is_own(&claim.provenance);
        ci.live_claims().filter(|claim| !self.is_superseded(claim) && !passes(claim)).collect()
    }

    /// Whether only other keys are stated for an item, by whichever source. A key made of class and
    /// name is no statement.
    fn has_another_key(&self, ix: CiIx, key: &CiKey, claims: &[&Claim], stated: &Stated) -> bool {
        let rows = stated.spoken(ix).iter().map(|spoken| &self.rows[spoken.row].observation.key);
        // What a complete batch no longer lists states nothing any more.
        let stays = claims.iter().filter(|claim| !(self.context.complete && self.context.is_own(&claim.provenance)));
        let mut known = rows.chain(stays.map(|claim| &claim.stated_key)).flatten().peekable();
        known.peek().is_some() && !known.any(|other| other == key)
    }
}

/// What a row resembles without being it, for a finding.
pub(crate) struct Apart {
    pub(crate) ix: CiIx,
    pub(crate) agrees_in: Arc<str>,
    pub(crate) differs_in: String,
}
