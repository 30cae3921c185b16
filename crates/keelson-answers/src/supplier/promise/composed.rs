//! What the terms of contracts come to for a service, over the whole graph (analyses 5.3).
//!
//! The time within which enough is dealt with is the smallest *t* for which the service holds although every contract
//! whose term is longer than *t* is still without: the largest term over needs that need all their members, the *k*-th
//! smallest over those that need *k*. It is the least fixpoint of loss, asked once for each term that is a candidate, so
//! circles, shared loads and soft needs mean what they mean everywhere else. Hours of support are composed alike, minute
//! by minute of a week: a minute is covered when the service holds without the contracts that do not cover it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::impact::{Question, Seed, Verdict, impact, verdict};
use keelson_analysis::{Limits, Pool, Reading};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::force::out_of_force;
use super::hours;
use crate::attributes::{number, text};
use crate::recovery::{RecoveryOutcome, ServiceRecovery};
use crate::subject::{ci_of, key_of};
use crate::{Asked, QuestionError, Subject, View};

/// Most contracts of one service whose terms are composed.
pub const MOST_COMPOSED: usize = 200;

/// Terms in minutes: the attribute of services and contracts, and what it is called.
pub(super) const TIMES: [(&str, &str); 4] = [
    ("response_minutes", "response"),
    ("resolution_minutes", "resolution"),
    ("rto_minutes", "recovery time"),
    ("rpo_minutes", "recovery point"),
];

/// A promise compared with what everything beneath the service comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComposedTerm {
    /// What is compared: `support hours`, `response`, `resolution`, `recovery time`, `recovery point` as contracts
    /// promise them; `start from nothing` against the recovery time objective of the service itself.
    pub term: String,
    /// What the service promises.
    pub promised: String,
    /// What it comes to, in words.
    pub contracted: String,
    /// At least so many minutes, whatever is missing; of support hours the minutes of a week that are promised and not
    /// covered. Absent where the service cannot start at all.
    pub least: Option<f64>,
    /// So many with every need as it is written, contracts that do not state the term left aside; absent where the
    /// service cannot start at all, or what it promises cannot be read.
    pub stated: Option<f64>,
    /// At most so many, whatever is missing; absent where there is no such limit.
    pub most: Option<f64>,
    /// Whether it is as strong as the promise; absent where that depends on what is missing.
    pub holds: Option<bool>,
    /// What decides it: the contracts whose term it is, or what takes longest on the way to a start.
    pub decided_by: Vec<Subject>,
    /// Contracts beneath the service that do not state the term, not so that it can be read, or are not in force, by key.
    pub unstated: Vec<String>,
}

/// A service and the contracts beneath it, ascending.
pub(super) struct Composing<'a> {
    pub(super) view: &'a View,
    pub(super) asked: Asked,
    pub(super) service: ItemIx,
    pub(super) contracts: &'a [ItemIx],
    pub(super) pool: &'a Pool,
    pub(super) stop: Option<&'a AtomicBool>,
}

impl Composing<'_> {
    /// Every term that the service promises.
    pub(super) fn all(&self) -> Result<Vec<ComposedTerm>, QuestionError> {
        let mut found = Vec::new();
        if self.contracts.is_empty() {
            return Ok(found);
        }
        found.extend(self.support_hours()?);
        for (name, term) in TIMES {
            if let Some(promised) = number(self.view, self.service, name) {
                found.push(self.time(name, term, promised)?);
            }
        }
        Ok(found)
    }

    /// Whether a contract is in force: only then its terms are terms.
    fn is_in_force(&self, contract: ItemIx) -> bool {
        out_of_force(self.view, contract, self.asked).is_none()
    }

    /// Whether the service is breached without some contracts.
    fn is_breached(&self, reading: Reading, without: &[ItemIx]) -> Result<bool, QuestionError> {
        let seeds: Vec<Seed> = without.iter().map(|one| Seed::gone(*one)).collect();
        let limits = Limits { stop: self.stop, ..Limits::default() };
        let question = Question { reading, touched: false, limits, ..Question::about(&seeds) };
        let found = impact(&self.view.graph, &question, self.pool)?;
        let least = self.view.target(self.service).min_delivered;
        Ok(verdict(found.loss(self.service), least) == Verdict::Breached)
    }

    /// The largest term without which, and without all longer ones, the service is breached; 0 where none breaches it.
    fn level(&self, reading: Reading, terms: &[(ItemIx, f64)]) -> Result<f64, QuestionError> {
        let mut levels: Vec<f64> = terms.iter().map(|(_, term)| *term).filter(|term| *term > 0.0).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        // Fewer contracts are out the larger the level is, so the breach ends at one place.
        let (mut low, mut high) = (0, levels.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.is_breached(reading, &from(terms, levels[middle]))? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.checked_sub(1).map_or(0.0, |at| levels[at]))
    }

    /// A smallest set of those that breaches the service, if all of them do.
    fn needed(&self, mut without: Vec<ItemIx>) -> Result<Vec<ItemIx>, QuestionError> {
        if !self.is_breached(Reading::AsWritten, &without)? {
            return Ok(Vec::new());
        }
        let mut at = 0;
        while at < without.len() {
            let one = without.remove(at);
            if !self.is_breached(Reading::AsWritten, &without)? {
                without.insert(at, one);
                at += 1;
            }
        }
        Ok(without)
    }

    fn subjects(&self, items: impl IntoIterator<Item = ItemIx>) -> Vec<Subject> {
        items.into_iter().map(|one| Subject::of(&self.view.catalogue, ci_of(one))).collect()
    }

    fn keys(&self, items: impl IntoIterator<Item = ItemIx>) -> Vec<String> {
        items.into_iter().map(|one| key_of(&self.view.catalogue, one)).collect()
    }

    /// A term in minutes.
    fn time(&self, name: &str, term: &str, promised: f64) -> Result<ComposedTerm, QuestionError> {
        let of = |one: &ItemIx| number(self.view, *one, name).filter(|_| self.is_in_force(*one));
        let known: Vec<(ItemIx, f64)> = self.contracts.iter().filter_map(|one| Some((*one, of(one)?))).collect();
        let open = |one: &ItemIx| (*one, of(one).unwrap_or(f64::INFINITY));
        let every: Vec<(ItemIx, f64)> = self.contracts.iter().map(open).collect();
        let least = self.level(Reading::Optimistic, &known)?;
        let stated = self.level(Reading::AsWritten, &known)?;
        let most = self.level(Reading::Pessimistic, &every)?.max(stated);
        let most = most.is_finite().then_some(most);
        let longest = self.needed(from(&known, stated))?;
        let is_it = |one: &ItemIx| stated > 0.0 && of(one).is_some_and(|term| term <= stated);
        Ok(ComposedTerm {
            term: term.to_owned(),
            promised: format!("{promised} min"),
            contracted: span(least, most),
            least: Some(least),
            stated: Some(stated),
            most,
            holds: within(least, most, promised),
            decided_by: self.subjects(longest.into_iter().filter(is_it)),
            unstated: self.keys(self.contracts.iter().copied().filter(|one| of(one).is_none())),
        })
    }

    /// Hours of support that nobody can read are promised, and are compared contract by contract only where alike.
    fn unreadable(&self, promised: String) -> ComposedTerm {
        ComposedTerm {
            term: "support hours".to_owned(),
            promised,
            contracted: "not composed: the promised hours cannot be read".to_owned(),
            least: Some(0.0),
            stated: None,
            most: None,
            holds: None,
            decided_by: Vec::new(),
            unstated: Vec::new(),
        }
    }

    /// The promised minutes of a week that are not covered.
    fn support_hours(&self) -> Result<Option<ComposedTerm>, QuestionError> {
        let Some(promised) = text(self.view, self.service, "support_hours") else { return Ok(None) };
        let Some(wanted) = hours::minutes(&promised) else { return Ok(Some(self.unreadable(promised))) };
        let stated = |one: &ItemIx| text(self.view, *one, "support_hours").filter(|_| self.is_in_force(*one));
        let read = |one: &ItemIx| stated(one).and_then(|text| hours::minutes(&text));
        let weeks: Vec<(ItemIx, Option<Vec<bool>>)> = self.contracts.iter().map(|one| (*one, read(one))).collect();
        let unread: Vec<ItemIx> = weeks.iter().filter(|(_, week)| week.is_none()).map(|(one, _)| *one).collect();
        // Minutes at which the same contracts are without are one question.
        let mut alike: BTreeMap<Vec<ItemIx>, u32> = BTreeMap::new();
        for minute in (0..wanted.len()).filter(|minute| wanted[*minute]) {
            let is_out = |week: &Option<Vec<bool>>| week.as_ref().is_some_and(|week| !week[minute]);
            let out = weeks.iter().filter(|(_, week)| is_out(week)).map(|(one, _)| *one).collect();
            *alike.entry(out).or_default() += 1;
        }
        let uncovered = |reading, open: &[ItemIx]| -> Result<(f64, Vec<ItemIx>), QuestionError> {
            let (mut sum, mut largest) = (0, (0, Vec::new()));
            for (out, minutes) in &alike {
                let mut without = out.clone();
                without.extend(open);
                if self.is_breached(reading, &without)? {
                    sum += minutes;
                    largest = if *minutes > largest.0 { (*minutes, out.clone()) } else { largest };
                }
            }
            Ok((f64::from(sum), largest.1))
        };
        let (least, _) = uncovered(Reading::Optimistic, &[])?;
        let (stated, longest) = uncovered(Reading::AsWritten, &[])?;
        let (most, _) = uncovered(Reading::Pessimistic, &unread)?;
        let hours = |minutes: f64| (minutes / 6.0).round() / 10.0;
        let contracted = match (least, most) {
            (_, 0.0) => "covered".to_owned(),
            (least, most) if least >= most => format!("{} hours of a week are not covered", hours(most)),
            (least, most) => format!("{} to {} hours of a week are not covered", hours(least), hours(most)),
        };
        let decided_by = if longest.is_empty() { Vec::new() } else { self.subjects(self.needed(longest)?) };
        Ok(Some(ComposedTerm {
            term: "support hours".to_owned(),
            promised,
            contracted,
            least: Some(least),
            stated: Some(stated),
            most: Some(most),
            holds: within(least, Some(most), 0.0),
            decided_by,
            unstated: self.keys(unread),
        }))
    }
}

/// What has a term of a level or longer.
fn from(terms: &[(ItemIx, f64)], level: f64) -> Vec<ItemIx> {
    terms.iter().filter(|(_, term)| *term >= level).map(|(one, _)| *one).collect()
}

/// When the service is up if everything was off, against its own recovery time objective; absent where it states none.
/// Where recovery times are missing that no other of their class states either, it may be later without limit.
pub(super) fn started(found: &ServiceRecovery, are_times_known: bool) -> Option<ComposedTerm> {
    let promised = found.objective_minutes?;
    let is_stuck = matches!(found.outcome, RecoveryOutcome::Stuck);
    let least = found.up.map(|up| up.least);
    let most =
        found.up.map(|up| up.most).filter(|_| are_times_known && found.outcome != RecoveryOutcome::PossiblyStuck);
    let longest = found.critical_path.iter().max_by(|a, b| a.own.most.total_cmp(&b.own.most));
    Some(ComposedTerm {
        term: "start from nothing".to_owned(),
        promised: format!("{promised} min"),
        contracted: match least {
            _ if is_stuck => "cannot start".to_owned(),
            None => "not known".to_owned(),
            Some(least) => span(least, most).replace("not limited", "0 min or more"),
        },
        least,
        stated: found.critical_path.last().map(|last| last.up.most),
        most,
        holds: if is_stuck { Some(false) } else { least.and_then(|least| within(least, most, promised)) },
        decided_by: longest.map(|line| line.subject.clone()).into_iter().collect(),
        unstated: Vec::new(),
    })
}

/// Whether a span lies within what is promised.
fn within(least: f64, most: Option<f64>, promised: f64) -> Option<bool> {
    match most {
        _ if least > promised => Some(false),
        Some(most) if most <= promised => Some(true),
        _ => None,
    }
}

/// A span of minutes in words.
fn span(least: f64, most: Option<f64>) -> String {
    let round = |minutes: f64| (minutes * 10.0).round() / 10.0;
    match most {
        Some(0.0) => "0 min".to_owned(),
        Some(most) if least >= most => format!("{} min", round(most)),
        Some(most) => format!("{} to {} min", round(least), round(most)),
        None if least > 0.0 => format!("{} min or more", round(least)),
        None => "not limited".to_owned(),
    }
}
