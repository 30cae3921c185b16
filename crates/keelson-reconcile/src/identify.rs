//! Identification: which configuration item a row is.
//!
//! In this order, first answer wins: the source key (see [`crate::rows`]); identity rules of the
//! class and the key the batch states, which must all mean the same item; a placeholder that waits
//! for exactly the key the row would get; otherwise a new item. Two rows of one batch that fit one
//! identity are one item with two claims.
//!
//! A rule may ask for a relative ("the same name inside the same cluster"). Relatives come from the
//! batch's own relationships, so that rows wait for each other; rows that wait in a circle are
//! identified without the relatives still missing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_catalogue::identity::{Identity, IdentityKey, identities};
use keelson_model::{Attributes, CiId, CiKey, CiRef, Class, Finding, FindingCode, SourceKey, Standing, Symbol};
use smallvec::SmallVec;

use crate::merge;
use crate::plan::RowOutcome;
use crate::planner::Planner;
use crate::reviews::{Matter, Question};
use crate::rows::Fate;

/// References of a row along the kinds its identity rules ask for.
type Relatives<'a> = HashMap<usize, Vec<(&'a Symbol, &'a CiRef)>>;

/// Identities that rows of this batch state, new items included.
#[derive(Default)]
struct Stated {
    by_key: HashMap<IdentityKey, SmallVec<[CiIx; 1]>>,
    /// Rows that the source key identified: what the catalogue says of them is about to change.
    restated: HashMap<CiIx, Vec<IdentityKey>>,
}

impl Stated {
    fn insert(&mut self, key: IdentityKey, ix: CiIx) {
        let found = self.by_key.entry(key).or_default();
        if !found.contains(&ix) {
            found.push(ix);
        }
    }
}

impl<'a> Planner<'a> {
    /// Gives every row its fate.
    pub(crate) fn identify(&mut self) {
        if !self.rows.iter().any(|row| row.fate == Fate::Pending) {
            return;
        }
        let relatives = self.collect_relatives();
        let mut stated = self.restated(&relatives);
        let (mut waiting, waited_for) = self.waits(&relatives);
        let mut ready: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
        let mut blocked: BTreeSet<usize> = BTreeSet::new();
        for at in (0..self.rows.len()).filter(|at| self.rows[*at].fate == Fate::Pending) {
            match waiting.get(&at) {
                None | Some(0) => ready.push(Reverse(at)),
                Some(_) => {
                    blocked.insert(at);
                }
            }
        }
        loop {
            let next = ready.pop().map(|Reverse(at)| at).or_else(|| blocked.pop_first());
            let Some(at) = next else { break };
            blocked.remove(&at);
            if self.rows[at].fate == Fate::Pending {
                self.identify_row(at, &relatives, &mut stated);
            }
            for freed in waited_for.get(&at).into_iter().flatten() {
                let Some(left) = waiting.get_mut(freed) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 && blocked.remove(freed) {
                    ready.push(Reverse(*freed));
                }
            }
        }
    }

    /// The references that identity rules of pending rows (and of rows they may meet) ask for.
    fn collect_relatives(&self) -> Relatives<'a> {
        let classes = &self.context.catalogue.schema().classes;
        let mut kinds: HashMap<&str, Vec<&Symbol>> = HashMap::new();
        for row in &self.rows {
            let class = &row.observation.class;
            if !kinds.contains_key(class.as_str()) {
                let rules = classes.get(class).map_or(&[][..], |class| &class.identities);
                kinds.insert(class, rules.iter().filter_map(|rule| rule.relative.as_ref()).collect());
            }
        }
        let mut relatives = Relatives::new();
        if kinds.values().all(Vec::is_empty) {
            return relatives;
        }
        let plain = self.batch.relationships.iter().map(|r| (&r.kind, &r.dependent, &r.dependency));
        for (kind, dependent, dependency) in plain {
            let Some(at) = self.row_of(dependent) else { continue };
            let wanted = &kinds[self.rows[at].observation.class.as_str()];
            if wanted.contains(&kind) {
                relatives.entry(at).or_default().push((kind, dependency));
            }
        }
        relatives
    }

    /// The row that a reference of the batch means.
    pub(crate) fn row_of(&self, reference: &CiRef) -> Option<usize> {
        match reference {
            CiRef::Source { key, .. } => self.by_source_key.get(key).copied(),
            CiRef::Catalogue(key) => self.by_stated_key.get(key).copied(),
        }
    }

    /// How many pending rows each pending row waits for, and who waits for whom.
    fn waits(&self, relatives: &Relatives<'_>) -> (HashMap<usize, usize>, HashMap<usize, Vec<usize>>) {
        let mut waiting: HashMap<usize, usize> = HashMap::new();
        let mut waited_for: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, references) in relatives {
            if self.rows[*at].fate != Fate::Pending {
                continue;
            }
            for (_, reference) in references {
                let Some(other) = self.row_of(reference) else { continue };
                if other != *at && self.rows[other].fate == Fate::Pending {
                    *waiting.entry(*at).or_default() += 1;
                    waited_for.entry(other).or_default().push(*at);
                }
            }
        }
        (waiting, waited_for)
    }

    /// The item a reference means, as far as that is known now.
    fn peek(&self, reference: &CiRef) -> Option<CiId> {
        if let Some(at) = self.row_of(reference) {
            return match self.rows[at].fate {
                Fate::Is(ix) => Some(self.drafts.id(ix)),
                _ => None,
            };
        }
        let catalogue = self.context.catalogue;
        let ix = match reference {
            CiRef::Source { key, .. } => self.context.find_source(key),
            CiRef::Catalogue(key) => catalogue.find_key(key).map(|ix| self.context.follow(ix)),
        };
        ix.map(|ix| catalogue.ci(ix).id)
    }

    fn identities_of(
        &self,
        at: usize,
        name: Option<&str>,
        attributes: &Attributes,
        relatives: &Relatives<'_>,
    ) -> Vec<Identity> {
        let Some(class) = self.context.catalogue.schema().classes.get(&self.rows[at].observation.class) else {
            return Vec::new();
        };
        identities(class, name, attributes, |kind| {
            let references = relatives.get(&at).into_iter().flatten();
            references.filter(|(of, _)| *of == kind).filter_map(|(_, reference)| self.peek(reference)).collect()
        })
    }

    /// The identities that rows with known source keys state now. They may differ from what the
    /// catalogue knows of these items, and a new row must meet what is true after the batch.
    fn restated(&mut self, relatives: &Relatives<'_>) -> Stated {
        let mut stated = Stated::default();
        for at in 0..self.rows.len() {
            let Fate::Is(ix) = self.rows[at].fate else { continue };
            let classes = &self.context.catalogue.schema().classes;
            if classes.get(&self.rows[at].observation.class).is_none_or(|class| class.identities.is_empty()) {
                continue;
            }
            // The row is typed again when it is compared; its findings belong there.
            let notes = std::mem::take(&mut self.notes);
            let typed = self.typed(at);
            self.notes = notes;
            let Ok(facts) = typed else { continue };
            let found = self.identities_of(at, facts.name.as_deref(), &facts.attributes, relatives);
            for identity in &found {
                stated.insert(identity.key, ix);
            }
            stated.restated.entry(ix).or_default().extend(found.into_iter().map(|identity| identity.key));
        }
        stated
    }

    fn identify_row(&mut self, at: usize, relatives: &Relatives<'_>, stated: &mut Stated) {
        let facts = self.rows[at].facts.take().unwrap_or_default();
        let found = self.identities_of(at, facts.name.as_deref(), &facts.attributes, relatives);
        self.rows[at].facts = Some(facts);
        let mut candidates: BTreeMap<CiIx, Vec<Arc<str>>> = BTreeMap::new();
        if !self.rows[at].surely_new {
            for identity in &found {
                for ix in self.meets(at, identity, stated) {
                    let evidence = format!("{}: {}", self.drafts.ci(ix).key, identity.explanation);
                    candidates.entry(ix).or_default().push(evidence.into());
                }
            }
            if let Some(ix) = self.holder_of_stated_key(at) {
                let key = self.rows[at].observation.key.as_ref().map_or("", |key| key.as_str());
                candidates.entry(ix).or_default().push(format!("{key}: has the key the batch states").into());
            }
        }
        let unfit = candidates.keys().copied().find(|ix| !self.is_compatible(at, *ix));
        let ix = match (candidates.len(), unfit) {
            (0, _) => self.awaited(at).unwrap_or_else(|| self.create(at)),
            (1, None) => *candidates.keys().next().expect("there is one candidate"),
            _ => return self.ask_identity(at, candidates),
        };
        self.rows[at].fate = Fate::Is(ix);
        for identity in found {
            stated.insert(identity.key, ix);
        }
    }

    /// The items an identity of a row meets: those of the catalogue that still have it after this
    /// batch, and those of the batch itself.
    fn meets(&self, at: usize, identity: &Identity, stated: &Stated) -> Vec<CiIx> {
        let earlier = self.rows[at].succeeds;
        let known = self.context.catalogue.find_identity(&identity.key).iter().copied();
        let known = known.filter(|ix| self.still_has(*ix, &identity.key, stated));
        let own = stated.by_key.get(&identity.key).into_iter().flatten().copied();
        let mut met: Vec<CiIx> = known
            .chain(own)
            // Rules of classes that have nothing to do with each other may share their attributes.
            .filter(|ix| Some(*ix) != earlier && self.is_compatible(at, *ix))
            .collect();
        met.sort_unstable();
        met.dedup();
        met
    }

    /// Whether an item of the catalogue still has an identity after this batch.
    fn still_has(&self, ix: CiIx, key: &IdentityKey, stated: &Stated) -> bool {
        let Some(now) = stated.restated.get(&ix) else { return true };
        if now.contains(key) {
            return true;
        }
        let slot = self.context.catalogue.slot(ix);
        let Some(class) = self.context.catalogue.schema().classes.get(&slot.ci.class) else { return false };
        let relatives = |kind: &Symbol| -> Vec<CiId> {
            let own = slot.dependencies.iter().map(|r| &self.context.catalogue.relationship(*r).relationship);
            own.filter(|r| r.key.kind == *kind && r.standing == Standing::Live).map(|r| r.key.dependency).collect()
        };
        let others = slot.ci.live_claims().filter(|claim| {
            claim.provenance.source != self.context.source || !self.by_source_key.contains_key(&claim.source_key)
        });
        others.into_iter().any(|claim| {
            let found = identities(class, claim.facts.name.as_deref(), &claim.facts.attributes, relatives);
            found.iter().any(|identity| identity.key == *key)
        })
    }

    fn class_of(&self, ix: CiIx) -> &Symbol {
        &self.drafts.ci(ix).class
    }

    /// Whether a row may be an item by their classes: one of them refines the other, or nobody has
    /// described the item yet, so that its class is only what a reference said.
    fn is_compatible(&self, at: usize, ix: CiIx) -> bool {
        let classes = &self.context.catalogue.schema().classes;
        let class = &self.rows[at].observation.class;
        let other = self.class_of(ix);
        self.drafts.before(ix).is_some_and(|ci| ci.standing == Standing::Placeholder)
            || classes.is_a(class, other)
            || classes.is_a(other, class)
    }

    /// The item that has the key a row states. A withdrawn item keeps its key for the same thing
    /// seen again, but not against something of another class.
    fn holder_of_stated_key(&self, at: usize) -> Option<CiIx> {
        let row = &self.rows[at];
        let key = row.observation.key.as_ref()?;
        let of_batch = self.by_stated_key.get(key).and_then(|other| match self.rows[*other].fate {
            Fate::Is(ix) if *other != at => Some(ix),
            _ => None,
        });
        let known = || self.drafts.holder(key).map(|ix| self.context.follow(ix));
        let holder = of_batch.or_else(known).filter(|ix| Some(*ix) != row.succeeds)?;
        let withdrawn = self.drafts.before(holder).is_some_and(|ci| ci.standing == Standing::Withdrawn);
        (!withdrawn || self.is_compatible(at, holder)).then_some(holder)
    }

    /// The placeholder that somebody refers to by exactly the key the row would get.
    fn awaited(&self, at: usize) -> Option<CiIx> {
        let row = &self.rows[at];
        if row.observation.key.is_some() || row.surely_new || row.succeeds.is_some() {
            return None;
        }
        let key = self.generated_key(at);
        let ix = self.drafts.holder(&key)?;
        let ci = self.drafts.before(ix)?;
        let by_key = ci.live_claims().any(|claim| merge::refers(claim) && claim.source_key.as_str() == key.as_str());
        let taken = self.drafts.is_touched(ix);
        (ci.standing == Standing::Placeholder && by_key && !taken && self.is_compatible(at, ix)).then_some(ix)
    }

    /// The key of an item whose source states none: its class with its name, or with its source
    /// key.
    pub(crate) fn generated_key(&self, at: usize) -> CiKey {
        let observation = &self.rows[at].observation;
        let name = observation.name.as_deref().filter(|name| !name.trim().is_empty());
        CiKey::of(&observation.class, name.unwrap_or(observation.source_key.as_str()))
    }

    /// What tells an item apart from others of its name.
    pub(crate) fn told_apart_by(&self, key: &SourceKey) -> String {
        format!("{} {}", self.context.source, key.as_str())
    }

    fn create(&mut self, at: usize) -> CiIx {
        let observation = &self.rows[at].observation;
        let class = observation.class.clone();
        let apart = self.told_apart_by(&observation.source_key);
        let earlier = self.rows[at].succeeds.map(|earlier| self.drafts.ci(earlier));
        match (&observation.key, earlier) {
            // The key follows the name through its lifetimes.
            (None, Some(earlier)) => {
                let key = earlier.key.clone();
                self.drafts.create_wanting(key, apart, class, self.ids)
            }
            (None, None) => {
                let key = self.generated_key(at);
                self.drafts.create_wanting(key, apart, class, self.ids)
            }
            (Some(key), _) => {
                let key = key.clone();
                let holder = self.drafts.holder(&key).filter(|ix| Some(*ix) != self.rows[at].succeeds);
                let free = holder.is_none_or(|ix| self.drafts.ci(ix).standing == Standing::Withdrawn);
                if free {
                    self.drafts.create(key, class, self.ids)
                } else {
                    self.drafts.create_wanting(key, apart, class, self.ids)
                }
            }
        }
    }

    fn ask_identity(&mut self, at: usize, candidates: BTreeMap<CiIx, Vec<Arc<str>>>) {
        let observation = self.rows[at].observation.clone();
        let keys: Vec<&str> = candidates.keys().map(|ix| self.drafts.ci(*ix).key.as_str()).collect();
        let question = format!(
            "'{}' of {} ({}) could be {}; which one is it, or is it a new one?",
            observation.source_key.as_str(),
            self.context.source,
            observation.class,
            keys.join(" or ")
        );
        let key = observation.source_key.as_str();
        let finding = Finding::new(FindingCode::AmbiguousIdentity, observation.position.clone(), &question);
        self.notes.add(finding.about(key));
        // Candidates that this very batch creates have no id a person could choose yet.
        let known: Vec<CiIx> = candidates.keys().copied().filter(|ix| self.drafts.is_known(*ix)).collect();
        let question = Question {
            source_key: observation.source_key.clone(),
            question,
            candidates: known.into_iter().map(|ix| self.drafts.id(ix)).collect(),
            evidence: candidates.values().flatten().cloned().collect(),
            position: observation.position.clone(),
        };
        self.reviews.ask(question, Matter::Identity, &self.context, self.ids);
        self.candidates.extend(candidates.into_keys());
        self.rows[at].fate = Fate::Waits;
        self.ci_result(&observation, None, RowOutcome::Ambiguous);
    }

    /// The class of a row, for look-ups that need it whole.
    pub(crate) fn class_named(&self, name: &str) -> Option<&'a Arc<Class>> {
        self.context.catalogue.schema().classes.get(name)
    }
}
