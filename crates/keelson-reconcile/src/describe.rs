//! What rows say about their configuration items, laid down as claims.

use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{Claim, ConfigurationItem, Facts, Finding, FindingCode, Observation, Severity, Standing, Symbol};
use serde_json::Value as Json;

use crate::merge;
use crate::plan::{AttributeChange, RowKind, RowOutcome, RowResult};
use crate::planner::Planner;
use crate::results::About;
use crate::reviews::{self, Matter, Question};
use crate::rows::Fate;
use crate::typing;
use crate::words::a;

impl Planner<'_> {
    /// Lays the claims of all identified rows down.
    pub(crate) fn describe(&mut self) {
        for at in 0..self.rows.len() {
            let Fate::Is(ix) = self.rows[at].fate else {
                self.protect(at);
                continue;
            };
            let typed = match self.rows[at].facts.take() {
                Some(facts) => Ok(facts),
                None => self.typed(at),
            };
            match typed {
                Ok(facts) => {
                    self.listed.entry(ix).or_insert(true);
                    self.claim(at, ix, facts);
                }
                Err(finding) => {
                    self.listed.insert(ix, false);
                    self.reject(at, *finding);
                }
            }
        }
    }

    /// What hangs on a row that does not apply is not known to be gone.
    fn protect(&mut self, at: usize) {
        let key = &self.rows[at].observation.source_key;
        if let Some(ix) = self.context.find_source(key) {
            self.listed.insert(ix, false);
        }
    }

    fn claim(&mut self, at: usize, ix: CiIx, mut facts: Facts) {
        let observation = self.rows[at].observation.clone();
        self.end_earlier_lifetime(at, ix);
        self.reviews.put_aside(&observation.source_key, Matter::Identity);
        let place = self.claim_place(ix, &observation);
        if let Some(place) = place {
            self.settle_class(&observation, ix, place, &mut facts);
        }
        self.rename(&observation, at, ix);
        let self_relationships = self.self_relationships.remove(&ix).unwrap_or_default();
        let Some(place) = place else {
            let claim = Claim {
                provenance: self.context.provenance(&observation.position),
                source_key: observation.source_key.clone(),
                stated_key: observation.key.clone(),
                native_id: observation.native_id.clone(),
                native_version: observation.native_version,
                facts,
                self_relationships,
            };
            self.drafts.ci_mut(ix).claims.push(claim);
            self.rows[at].changed = true;
            return;
        };
        let known = &self.drafts.ci(ix).claims[place];
        let adds = !self.context.complete && known.provenance.is_live() && merge::describes(known);
        let next = Claim {
            provenance: known.provenance.clone(),
            source_key: known.source_key.clone(),
            stated_key: observation.key.clone().or_else(|| known.stated_key.clone().filter(|_| adds)),
            native_id: observation.native_id.clone().or_else(|| known.native_id.clone()),
            native_version: observation.native_version.or(known.native_version),
            facts: if adds { self.overlaid(&known.facts, facts) } else { facts },
            self_relationships: if adds {
                joined(&known.self_relationships, self_relationships)
            } else {
                self_relationships
            },
        };
        self.replace_claim(at, ix, place, next, &observation);
    }

    /// Replaces a claim by what it says now, if that is something else.
    fn replace_claim(&mut self, at: usize, ix: CiIx, place: usize, mut next: Claim, observation: &Observation) {
        let ci = self.drafts.ci(ix);
        let known = &ci.claims[place];
        // A complete listing is ordered by its own time; there a version that rises while nothing
        // else changes (every object of a state file does) is not worth a change of the record.
        let same = known.provenance.is_live()
            && known.facts == next.facts
            && known.stated_key == next.stated_key
            && known.native_id == next.native_id
            && known.self_relationships == next.self_relationships
            && (self.context.complete || known.native_version == next.native_version);
        let class = self.class_named(&ci.class).map(|class| &**class);
        if same && !self.context.is_due(&known.provenance, class) {
            if ci.merged.is_some() {
                // Freshness may have changed whose values are the effective ones.
                self.drafts.ci_mut(ix);
            }
            return;
        }
        self.context.renew(&mut next.provenance, &observation.position);
        self.drafts.ci_mut(ix).claims[place] = next;
        self.rows[at].changed |= !same;
    }

    /// Where the claim of a row stands among those of the item. A delta speaks within the scope
    /// it finds the claim in.
    fn claim_place(&self, ix: CiIx, observation: &Observation) -> Option<usize> {
        let claims = &self.drafts.ci(ix).claims;
        let of_key = |claim: &&Claim| {
            claim.provenance.source == self.context.source && claim.source_key == observation.source_key
        };
        let exact = claims.iter().position(|claim| of_key(&claim) && claim.provenance.scope == self.context.scope);
        let overlapping = || {
            claims.iter().position(|claim| {
                of_key(&claim) && claim.provenance.is_live() && claim.provenance.scope.overlaps(&self.context.scope)
            })
        };
        exact.or_else(|| if self.context.complete { None } else { overlapping() })
    }

    /// The same name with another native id is another lifetime: the earlier one ends.
    fn end_earlier_lifetime(&mut self, at: usize, ix: CiIx) {
        let Some(earlier) = self.rows[at].succeeds else { return };
        let key = self.rows[at].observation.source_key.clone();
        let tombstone = self.context.tombstone("another lifetime under the same source key");
        let source = self.context.source.clone();
        let earlier_id = self.drafts.id(earlier);
        for claim in &mut self.drafts.ci_mut(earlier).claims {
            if claim.provenance.source == source && claim.source_key == key && claim.provenance.is_live() {
                claim.provenance.tombstone = Some(tombstone.clone());
            }
        }
        self.drafts.pass_on(earlier);
        self.gone.replaced.insert(earlier);
        if !self.drafts.is_known(ix) {
            self.drafts.ci_mut(ix).succeeds = Some(earlier_id);
        }
    }

    /// A source may refine the class of an item; any other change is for a person to say. Until
    /// then the class stays.
    fn settle_class(&mut self, observation: &Observation, ix: CiIx, place: usize, facts: &mut Facts) {
        let known = &self.drafts.ci(ix).claims[place];
        let Some(old) = known.facts.class.clone().filter(|_| known.provenance.is_live()) else { return };
        let new = &observation.class;
        let classes = &self.context.catalogue.schema().classes;
        if classes.is_a(new, &old) {
            self.reviews.put_aside(&observation.source_key, Matter::Class);
            return;
        }
        let change = reviews::class_change(&old, new);
        if self.reviews.class(&observation.source_key, &change).is_some() {
            return;
        }
        facts.class = Some(old.clone());
        if let Some(class) = classes.get(&old) {
            *facts = typing::retyped(std::mem::take(facts), class);
        }
        let key = self.drafts.ci(ix).key.clone();
        let question = format!(
            "{key} of {} was {} and is said to be {} now; has it changed, or is it something else?",
            self.context.source,
            a(&old),
            a(new)
        );
        let finding = Self::finding(observation, FindingCode::AmbiguousIdentity, question.clone());
        self.notes.add(finding.in_field("class").with_severity(Severity::Warning));
        let question = Question {
            source_key: observation.source_key.clone(),
            question,
            candidates: vec![self.drafts.id(ix)],
            evidence: vec![change],
            position: observation.position.clone(),
        };
        self.reviews.ask(question, Matter::Class, &self.context, self.ids);
    }

    /// Gives an item the key its only source states, and a placeholder the key its description
    /// gives it, unless the reference stated the key.
    fn rename(&mut self, observation: &Observation, at: usize, ix: CiIx) {
        if !self.drafts.is_known(ix) {
            return;
        }
        let ci = self.drafts.ci(ix);
        let placeholder = !ci.claims.iter().any(merge::describes);
        let Some(key) = &observation.key else {
            let by_key = ci.claims.iter().any(|claim| claim.source_key.as_str() == ci.key.as_str());
            if placeholder && !by_key {
                let (key, apart) = (self.generated_key(at), self.told_apart_by(&observation.source_key));
                self.drafts.want(ix, key, apart);
            }
            return;
        };
        let of_others = ci.live_claims().any(|claim| claim.provenance.source != self.context.source);
        // Another row of the batch may be the same item and state the key it has.
        let stated = self.by_stated_key.get(&ci.key).is_some_and(|other| self.rows[*other].fate == Fate::Is(ix));
        if ci.key == *key || of_others || stated {
            return;
        }
        let holder = self.drafts.holder(key).filter(|holder| *holder != ix);
        match holder.filter(|holder| self.drafts.ci(*holder).standing != Standing::Withdrawn) {
            None => self.drafts.rename(ix, key.clone()),
            Some(_) => {
                let message = format!("the key '{key}' belongs to another item; '{}' keeps its own", ci.key);
                let finding = Self::finding(observation, FindingCode::DuplicateConflict, message);
                self.notes.add(finding.in_field("key").with_severity(Severity::Warning));
            }
        }
    }

    /// Counts rows by what became of their items. Call after the drafts are settled.
    pub(crate) fn report_rows(&mut self) {
        let mut told: std::collections::HashSet<CiIx> = std::collections::HashSet::new();
        for row in &self.rows {
            let Fate::Is(ix) = row.fate else { continue };
            let before = self.drafts.before(ix).map(|ci| &**ci);
            let after = self.drafts.ci(ix);
            let first = !self.drafts.is_touched(ix) || told.insert(ix);
            let outcome = match before {
                None if first => RowOutcome::Created,
                None => RowOutcome::Updated,
                Some(ci) if first && ci.standing == Standing::Placeholder && after.standing == Standing::Live => {
                    RowOutcome::FilledPlaceholder
                }
                Some(ci) if first && ci.standing == Standing::Withdrawn && after.standing == Standing::Live => {
                    RowOutcome::Revived
                }
                Some(ci) if row.changed || (first && differs(ci, after)) => RowOutcome::Updated,
                Some(_) => RowOutcome::Unchanged,
            };
            self.results.add(About::Ci, outcome, || RowResult {
                position: row.observation.position.clone(),
                row: RowKind::Ci,
                source_key: row.observation.source_key.as_str().into(),
                ci: Some(after.id),
                key: Some(after.key.clone()),
                outcome,
                succeeds: row.succeeds.map(|earlier| self.drafts.id(earlier)),
                changed: if first { changed(before, after) } else { Vec::new() },
            });
        }
    }

    /// What a delta says on top of what its source said before: absent is not gone.
    fn overlaid(&self, known: &Facts, new: Facts) -> Facts {
        let mut facts = known.clone();
        facts.class = new.class.or(facts.class);
        facts.name = new.name.or(facts.name);
        facts.lifecycle = new.lifecycle.or(facts.lifecycle);
        facts.criticality = new.criticality.or(facts.criticality);
        for name in new.attributes.keys() {
            facts.unmodelled.remove(name);
        }
        for name in new.unmodelled.keys() {
            facts.attributes.remove(name);
        }
        facts.attributes.extend(new.attributes);
        facts.unmodelled.extend(new.unmodelled);
        match facts.class.as_ref().and_then(|class| self.class_named(class)) {
            Some(class) if facts.class != known.class => typing::retyped(facts, class),
            _ => facts,
        }
    }

    /// A finding about a reference or a statement at a position.
    pub(crate) fn finding_at(code: FindingCode, position: &keelson_model::Position, message: String) -> Finding {
        Finding::new(code, position.clone(), message)
    }
}

fn differs(before: &ConfigurationItem, after: &ConfigurationItem) -> bool {
    before.key != after.key || before.class != after.class || before.facts() != after.facts()
}

fn joined(known: &[Symbol], new: Vec<Symbol>) -> Vec<Symbol> {
    let mut all = known.to_vec();
    all.extend(new);
    all.sort();
    all.dedup();
    all
}

/// Effective values that differ.
fn changed(before: Option<&ConfigurationItem>, after: &ConfigurationItem) -> Vec<AttributeChange> {
    let nothing = Facts::default();
    let old = before.map_or(&nothing, |ci| ci.facts());
    let new = after.facts();
    let mut changes = Vec::new();
    let mut compare = |attribute: &str, a: Option<Json>, b: Option<Json>| {
        if a != b {
            let source = after.source_of(attribute).or_else(|| before?.source_of(attribute)).cloned();
            changes.push(AttributeChange { attribute: Symbol::new(attribute), before: a, after: b, source });
        }
    };
    let text = |text: &str| Some(Json::from(text));
    compare("key", before.and_then(|ci| text(&ci.key)), text(&after.key));
    compare("class", before.and_then(|ci| text(&ci.class)), text(&after.class));
    compare("name", old.name.as_deref().and_then(text), new.name.as_deref().and_then(text));
    let stage = |facts: &Facts| facts.lifecycle.and_then(|stage| text(stage.as_str()));
    compare("lifecycle", stage(old), stage(new));
    let criticality = |facts: &Facts| facts.criticality.and_then(|criticality| text(criticality.as_str()));
    compare("criticality", criticality(old), criticality(new));
    let names: std::collections::BTreeSet<&Symbol> = old.attributes.keys().chain(new.attributes.keys()).collect();
    for name in names {
        let (a, b) = (old.attributes.get(name), new.attributes.get(name));
        if a != b {
            compare(name, a.map(keelson_model::Value::to_json), b.map(keelson_model::Value::to_json));
        }
    }
    let unmodelled: std::collections::BTreeSet<&Symbol> = old.unmodelled.keys().chain(new.unmodelled.keys()).collect();
    for name in unmodelled {
        let json = |facts: &Facts| facts.unmodelled.get(name).map(|text: &Arc<str>| Json::from(&**text));
        compare(name, json(old), json(new));
    }
    changes
}
