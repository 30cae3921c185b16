//! Identification: which configuration item a row is.
//!
//! In this order, first answer wins: the source key (see [`crate::rows`]); identity rules of the
//! class and the key the batch states, which must all mean the same item; a placeholder that waits
//! for exactly the key the row would get; otherwise a new item. Two rows of one batch that fit one
//! identity are one item with two claims, unless something better tells them apart (see
//! [`crate::contradictions`]).
//!
//! A rule may ask for a relative ("the same name inside the same cluster"). Relatives come from the
//! batch's own relationships, so that rows wait for each other; rows that wait in a circle are
//! identified without the relatives still missing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_catalogue::identity::{Identity, IdentityKey, identities};
use keelson_model::{
    Attributes, CiId, CiKey, CiRef, Class, Finding, FindingCode, Severity, SourceKey, Standing, Symbol,
};

use crate::contradictions::{Apart, MOST_SHARING, Match, Rules, Stated, Told};
use crate::plan::RowOutcome;
use crate::planner::Planner;
use crate::reviews::{self, Matter, Question};
use crate::rows::Fate;
use crate::words::a;

/// References of a row along the kinds its identity rules ask for.
type Relatives<'a> = HashMap<usize, Vec<(&'a Symbol, &'a CiRef)>>;

/// What could be said of the identity of a row.
#[derive(Default)]
struct Weighed {
    /// Items it could be, with what speaks for each.
    candidates: BTreeMap<CiIx, Vec<Arc<str>>>,
    /// Whether something speaks against the only candidate.
    is_doubtful: bool,
    /// Items that resemble it.
    apart: Vec<Apart>,
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
        rules: &Rules,
    ) -> Vec<Told> {
        let own = |kind: &Symbol| -> Vec<CiId> {
            let references = relatives.get(&at).into_iter().flatten();
            references.filter(|(of, _)| *of == kind).filter_map(|(_, reference)| self.peek(reference)).collect()
        };
        rules.of(&self.rows[at].observation.class).iter().flat_map(|rule| rule.read(name, attributes, own)).collect()
    }

    /// The identities that rows with known source keys state now. They may differ from what the
    /// catalogue knows of these items, and a new row must meet what is true after the batch.
    fn restated(&mut self, relatives: &Relatives<'_>) -> Stated {
        let mut stated = Stated::default();
        for row in &self.rows {
            if let Some(class) = self.context.catalogue.schema().classes.get(&row.observation.class) {
                stated.rules.learn(class);
            }
        }
        for at in 0..self.rows.len() {
            let Fate::Is(ix) = self.rows[at].fate else { continue };
            let mut found = Vec::new();
            if !stated.rules.of(&self.rows[at].observation.class).is_empty() {
                // The row is typed again when it is compared; its findings belong there.
                let notes = std::mem::take(&mut self.notes);
                let typed = self.typed(at);
                self.notes = notes;
                let Ok(facts) = typed else { continue };
                let name = facts.name.as_deref();
                found = self.identities_of(at, name, &facts.attributes, relatives, &stated.rules);
                stated.restate(ix);
            }
            stated.note(ix, at, &found);
        }
        stated
    }

    fn identify_row(&mut self, at: usize, relatives: &Relatives<'_>, stated: &mut Stated) {
        let facts = self.rows[at].facts.take().unwrap_or_default();
        let found = self.identities_of(at, facts.name.as_deref(), &facts.attributes, relatives, &stated.rules);
        self.rows[at].facts = Some(facts);
        let weighed = if self.rows[at].surely_new { Weighed::default() } else { self.weigh(at, &found, stated) };
        let mut candidates = weighed.candidates.keys().copied();
        let ix = match (candidates.next(), candidates.next()) {
            (None, _) => self.awaited(at).unwrap_or_else(|| self.create(at)),
            (Some(only), None) if !weighed.is_doubtful => only,
            _ => return self.ask_identity(at, weighed.candidates),
        };
        self.keep_apart(at, &weighed.apart);
        self.rows[at].fate = Fate::Is(ix);
        stated.note(ix, at, &found);
    }

    /// What speaks for and against each item a row could be.
    fn weigh(&self, at: usize, found: &[Told], stated: &Stated) -> Weighed {
        let mut weighed = Weighed::default();
        let mut met: BTreeMap<CiIx, Vec<&Told>> = BTreeMap::new();
        for told in found {
            for ix in self.meets(at, &told.identity, stated) {
                met.entry(ix).or_default().push(told);
            }
        }
        let holder = self.holder_of_stated_key(at, stated);
        for (ix, by) in met {
            let against = self.contradiction(at, found, ix, Match::Rules(&by), stated);
            match against {
                None => {
                    let key = &self.drafts.ci(ix).key;
                    let evidence = by.iter().map(|told| format!("{key}: {}", told.identity.explanation).into());
                    weighed.candidates.insert(ix, evidence.collect());
                }
                Some(_) if holder == Some(ix) => {}
                Some(differs_in) => {
                    let agrees_in = by[0].identity.explanation.as_str().into();
                    weighed.apart.push(Apart { ix, agrees_in, differs_in });
                }
            }
        }
        let Some(holder) = holder else { return weighed };
        let mut against = None;
        if !self.is_compatible(at, holder) {
            against = Some(format!("but is {}", a(self.class_of(holder))));
        } else if !weighed.candidates.contains_key(&holder) {
            let differs_in = self.contradiction(at, found, holder, Match::Key, stated);
            against = differs_in.map(|differs_in| format!("but {differs_in}"));
        }
        let key = self.rows[at].observation.key.as_ref().map_or("", |key| key.as_str());
        let evidence = match &against {
            None => format!("{key}: has the key the batch states"),
            Some(against) => format!("{key}: has the key the batch states, {against}"),
        };
        weighed.is_doubtful = against.is_some();
        weighed.candidates.entry(holder).or_default().push(evidence.into());
        weighed
    }

    /// Says what a row resembles without being it.
    fn keep_apart(&mut self, at: usize, apart: &[Apart]) {
        let Some(first) = apart.first() else { return };
        let observation = &self.rows[at].observation;
        let more = match apart.len() - 1 {
            0 => String::new(),
            more => format!(", and the like holds of {more} others"),
        };
        let message = format!(
            "'{}' agrees with {} in {}, but has {}{more}; they are different items: correct the source if they are one, \
             or merge them",
            observation.source_key.as_str(),
            self.drafts.ci(first.ix).key,
            first.agrees_in,
            first.differs_in
        );
        let finding = Self::finding(observation, FindingCode::AmbiguousIdentity, message);
        self.notes.add(finding.with_severity(Severity::Warning));
    }

    /// The items an identity of a row meets: those of the catalogue that still have it after this
    /// batch, and those of the batch itself.
    fn meets(&self, at: usize, identity: &Identity, stated: &Stated) -> Vec<CiIx> {
        let earlier = self.rows[at].succeeds;
        let known = self.context.catalogue.find_identity(&identity.key).iter().copied();
        let known = known.filter(|ix| self.still_has(*ix, &identity.key, stated));
        let mut met: Vec<CiIx> = known
            .chain(stated.sharing(&identity.key))
            // Rules of classes that have nothing to do with each other may share their attributes.
            .filter(|ix| Some(*ix) != earlier && self.is_compatible(at, *ix))
            .take(MOST_SHARING)
            .collect();
        met.sort_unstable();
        met.dedup();
        met
    }

    /// Whether an item of the catalogue still has an identity after this batch.
    fn still_has(&self, ix: CiIx, key: &IdentityKey, stated: &Stated) -> bool {
        if !stated.is_restated(ix) {
            return true;
        }
        if stated.spoken(ix).iter().any(|spoken| spoken.identities.iter().any(|(_, own)| own == key)) {
            return true;
        }
        let slot = self.context.catalogue.slot(ix);
        let Some(class) = self.context.catalogue.schema().classes.get(&slot.ci.class) else { return false };
        let mut others = slot.ci.live_claims().filter(|claim| !self.is_superseded(claim));
        others.any(|claim| {
            let relatives = |kind: &Symbol| self.known_relatives(ix, kind);
            let found = identities(class, claim.facts.name.as_deref(), &claim.facts.attributes, relatives);
            found.iter().any(|identity| identity.key == *key)
        })
    }

    pub(crate) fn class_of(&self, ix: CiIx) -> &Symbol {
        &self.drafts.ci(ix).class
    }

    /// Whether a row may be an item by their classes: one of them refines the other, or nobody has
    /// described the item yet, so that its class is only what a reference said.
    pub(crate) fn is_compatible(&self, at: usize, ix: CiIx) -> bool {
        let classes = &self.context.catalogue.schema().classes;
        let class = &self.rows[at].observation.class;
        let other = self.class_of(ix);
        self.drafts.before(ix).is_some_and(|ci| ci.standing == Standing::Placeholder)
            || classes.is_a(class, other)
            || classes.is_a(other, class)
    }

    /// The item that has the key a row states. A withdrawn item keeps its key for the same thing
    /// seen again, but not against something of another class.
    fn holder_of_stated_key(&self, at: usize, stated: &Stated) -> Option<CiIx> {
        let row = &self.rows[at];
        let key = row.observation.key.as_ref()?;
        let of_batch = self.by_stated_key.get(key).and_then(|other| match self.rows[*other].fate {
            Fate::Is(ix) if *other != at => Some(ix),
            _ => None,
        });
        let known = || self.drafts.holder(key).map(|ix| self.context.follow(ix));
        let holder = of_batch.or_else(known).filter(|ix| Some(*ix) != row.succeeds)?;
        // A row of the batch may be the holder and state another key for it from now on.
        let mut now = stated.spoken(holder).iter().filter_map(|other| self.rows[other.row].observation.key.as_ref());
        if now.clone().next().is_some() && !now.any(|other| other == key) {
            return None;
        }
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
        let by_key = ci.live_claims().any(|claim| self.is_awaited_as(&key, claim));
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
        let may_be = |ix: &CiIx| self.drafts.is_known(*ix) && self.is_compatible(at, *ix);
        let known: Vec<CiIx> = candidates.keys().copied().filter(may_be).collect();
        let class = reviews::class_of_row(&observation.class);
        let question = Question {
            source_key: observation.source_key.clone(),
            question,
            candidates: known.into_iter().map(|ix| self.drafts.id(ix)).collect(),
            evidence: candidates.values().flatten().cloned().chain([class]).collect(),
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
