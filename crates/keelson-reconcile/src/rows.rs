//! The observations of a batch as rows: one per source key, checked, and looked up by source key.

use std::borrow::Cow;
use std::collections::HashMap;

use keelson_catalogue::CiIx;
use keelson_model::{Claim, Facts, Finding, FindingCode, Observation, Severity, SourceKey};

use crate::plan::{RowKind, RowOutcome, RowResult};
use crate::planner::Planner;
use crate::results::About;
use crate::words::a;
use crate::{merge, reviews, typing};

/// What is known of the identity of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// To be identified.
    Pending,
    /// It is this configuration item.
    Is(CiIx),
    /// A person has to say.
    Waits,
    /// It cannot be used.
    Rejected,
    /// It is older than what is known.
    Skipped,
}

/// One source key of a batch.
pub(crate) struct Row<'a> {
    pub(crate) observation: Cow<'a, Observation>,
    pub(crate) fate: Fate,
    /// Its typed facts, once they were needed. Rows that the source key identifies are typed only
    /// when they are compared, so that an unchanged batch does not hold them all at once.
    pub(crate) facts: Option<Facts>,
    /// The earlier lifetime under the same source key.
    pub(crate) succeeds: Option<CiIx>,
    /// A person decided that it is a new item.
    pub(crate) surely_new: bool,
    /// Whether its claim changed.
    pub(crate) changed: bool,
}

impl<'a> Planner<'a> {
    /// Puts rows of one source key together, orders rows by it (so that the order in the batch
    /// plays no part), and settles what can be settled without looking at other rows.
    pub(crate) fn read_rows(&mut self) {
        let mut first: HashMap<&'a SourceKey, usize> = HashMap::with_capacity(self.batch.observations.len());
        let mut rows: Vec<Cow<'a, Observation>> = Vec::with_capacity(self.batch.observations.len());
        for observation in &self.batch.observations {
            match first.get(&observation.source_key) {
                None => {
                    first.insert(&observation.source_key, rows.len());
                    rows.push(Cow::Borrowed(observation));
                }
                Some(at) => {
                    let finding = rows[*at].to_mut().fold(observation.clone());
                    self.notes.add(finding);
                    self.ci_result(observation, None, RowOutcome::Skipped);
                }
            }
        }
        drop(first);
        rows.sort_by(|a, b| a.source_key.cmp(&b.source_key));
        self.rows = rows
            .into_iter()
            .map(|observation| Row {
                observation,
                fate: Fate::Pending,
                facts: None,
                succeeds: None,
                surely_new: false,
                changed: false,
            })
            .collect();
        for at in 0..self.rows.len() {
            self.look_up(at);
        }
        self.index_rows();
    }

    fn index_rows(&mut self) {
        let place: HashMap<&SourceKey, usize> =
            self.rows.iter().enumerate().map(|(at, row)| (&row.observation.source_key, at)).collect();
        // The keys are borrowed from the batch, which outlives the rows.
        let mut by_source_key = HashMap::with_capacity(place.len());
        let mut by_stated_key = HashMap::new();
        for observation in &self.batch.observations {
            let Some(at) = place.get(&observation.source_key) else { continue };
            by_source_key.entry(&observation.source_key).or_insert(*at);
            if let Some(key) = &observation.key {
                by_stated_key.entry(key).or_insert(*at);
            }
        }
        drop(place);
        self.by_source_key = by_source_key;
        self.by_stated_key = by_stated_key;
    }

    /// Checks the class of a row and looks its source key up.
    fn look_up(&mut self, at: usize) {
        let observation = &self.rows[at].observation;
        let classes = &self.context.catalogue.schema().classes;
        if classes.get(&observation.class).is_none() {
            let near = classes.resembling(&observation.class);
            let hint = match near.first() {
                Some(near) => format!("did you mean '{near}'?"),
                None => "define it in a class file".to_owned(),
            };
            let message = format!("nobody defined the class '{}'; {hint}", observation.class);
            let finding = Self::finding(observation, FindingCode::UnknownClass, message).in_field("class");
            return self.reject(at, finding);
        }
        match self.context.find_source(&observation.source_key) {
            Some(ix) => self.look_at_claim(at, ix),
            None => self.look_at_decision(at),
        }
    }

    /// A row whose source key is known: older news, another lifetime, or simply this item.
    fn look_at_claim(&mut self, at: usize, ix: CiIx) {
        let observation = &self.rows[at].observation;
        let ci = self.context.catalogue.ci(ix);
        let Some(claim) = self.own_claim(&ci.claims, &observation.source_key) else {
            // The claim stands under another scope of the source.
            self.rows[at].fate = Fate::Is(ix);
            return;
        };
        let versions = observation.native_version.zip(claim.native_version);
        let older = match versions {
            Some((new, known)) if !self.context.complete => new < known || self.context.is_before_listing(),
            _ => self.context.is_older_than(&claim.provenance),
        };
        if older {
            return self.skip(at);
        }
        let lifetimes = observation.native_id.as_ref().zip(claim.native_id.as_ref());
        let another = lifetimes.is_some_and(|(new, known)| new != known);
        let decided = claim.facts.class.as_ref().and_then(|old| {
            let change = reviews::class_change(old, &observation.class);
            self.reviews.class(&observation.source_key, &change).filter(|decision| decision.candidate.is_none())
        });
        if another || decided.is_some() {
            self.rows[at].succeeds = Some(ix);
            self.rows[at].surely_new = decided.is_some();
            return self.make_facts(at);
        }
        self.rows[at].fate = Fate::Is(ix);
    }

    /// The claim of this source under a key: of this scope, else a live one (of a scope that
    /// overlaps), else any.
    pub(crate) fn own_claim<'c>(&self, claims: &'c [Claim], key: &SourceKey) -> Option<&'c Claim> {
        let of_source =
            || claims.iter().filter(|claim| claim.provenance.source == self.context.source && claim.source_key == *key);
        of_source()
            .find(|claim| claim.provenance.scope == self.context.scope)
            .or_else(|| of_source().find(|claim| claim.provenance.is_live()))
            .or_else(|| of_source().next())
    }

    /// A row whose source key is new: a person's decision, or to be identified.
    fn look_at_decision(&mut self, at: usize) {
        let decision = self.reviews.identity(&self.rows[at].observation.source_key);
        if self.context.is_before_listing() {
            return self.skip(at);
        }
        if let Some(decision) = decision {
            let known = decision.candidate.and_then(|id| self.context.catalogue.find_id(id));
            match (decision.candidate, known) {
                (Some(_), Some(ix)) if self.is_compatible(at, ix) => {
                    self.rows[at].fate = Fate::Is(ix);
                    return;
                }
                (Some(_), Some(ix)) => self.cannot_be(at, ix),
                (Some(_), None) => {}
                (None, _) => self.rows[at].surely_new = true,
            }
        }
        self.make_facts(at);
    }

    /// Says that the answer to a question does not fit what the row describes.
    fn cannot_be(&mut self, at: usize, ix: CiIx) {
        let observation = &self.rows[at].observation;
        let message = format!(
            "'{}' was said to be {}, which is {}, but is {}; the answer is not followed",
            observation.source_key.as_str(),
            self.drafts.ci(ix).key,
            a(self.class_of(ix)),
            a(&observation.class)
        );
        let finding = Self::finding(observation, FindingCode::AmbiguousIdentity, message).in_field("class");
        self.notes.add(finding.with_severity(Severity::Warning));
    }

    /// Types the facts of a row that is yet to be identified.
    fn make_facts(&mut self, at: usize) {
        match self.typed(at) {
            Ok(facts) => self.rows[at].facts = Some(facts),
            Err(finding) => self.reject(at, *finding),
        }
    }

    /// The typed facts of a row.
    pub(crate) fn typed(&mut self, at: usize) -> Result<Facts, Box<Finding>> {
        let row = &self.rows[at];
        let class = self.context.catalogue.schema().classes.get(&row.observation.class);
        let class = class.expect("rows of unknown classes were rejected when they were looked up");
        let limits = &self.context.settings.limits;
        typing::facts(&row.observation, class, limits, self.batch.on_error, &mut self.notes)
    }

    pub(crate) fn reject(&mut self, at: usize, finding: Finding) {
        self.notes.add(finding.with_severity(Severity::Error));
        let known = match self.rows[at].fate {
            Fate::Is(ix) => Some(ix),
            _ => None,
        };
        self.rows[at].fate = Fate::Rejected;
        let observation = self.rows[at].observation.clone();
        self.ci_result(&observation, known, RowOutcome::Rejected);
    }

    fn skip(&mut self, at: usize) {
        let observation = self.rows[at].observation.clone();
        let message =
            format!("'{}' was seen in a newer state before; this one is left out", observation.source_key.as_str());
        self.notes.add(Self::finding(&observation, FindingCode::OlderThanKnown, message));
        self.rows[at].fate = Fate::Skipped;
        self.ci_result(&observation, None, RowOutcome::Skipped);
    }

    pub(crate) fn ci_result(&mut self, observation: &Observation, ix: Option<CiIx>, outcome: RowOutcome) {
        let drafts = &self.drafts;
        self.results.add(About::Ci, outcome, || RowResult {
            position: observation.position.clone(),
            row: RowKind::Ci,
            source_key: observation.source_key.as_str().into(),
            ci: ix.map(|ix| drafts.id(ix)),
            key: ix.map(|ix| drafts.ci(ix).key.clone()),
            outcome,
            succeeds: None,
            changed: Vec::new(),
        });
    }
}

/// Whether an item was ever described by anybody.
pub(crate) fn was_described(claims: &[Claim]) -> bool {
    claims.iter().any(merge::describes)
}
