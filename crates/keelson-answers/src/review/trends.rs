//! All requests whose work is over: how often they fail, and how good the predictions were.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_analysis::risk::{History, Judged, Kind, Match, Prior, brier, reliability};
use keelson_change::Policy;
use keelson_model::{CiId, RequestForChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Figures;
use super::compare::{Outages, compare};
use super::outcome::{FAILURE_HOURS, Kinds, Outcome, Work, outcome_of, work_of};
use super::score::{Monitoring, Verdict, verdict};
use crate::{Asked, Basis, QuestionError, Subject, View};

/// Bounds between the bins of predicted chances: most changes are predicted to fail rarely.
const BINS: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/// What is asked of all requests.
#[derive(Clone, Copy, Debug)]
pub struct TrendsQuestion<'a> {
    /// What the organisation decided for itself.
    pub policy: &'a Policy,
    /// Most lines of a list.
    pub most: usize,
}

/// Which changes a rate is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellLevel {
    /// All changes.
    Portfolio,
    /// Changes to one class of items.
    Class,
    /// Changes of one team to one class.
    Team,
    /// Changes by one template, of one team to one class.
    Template,
}

/// How often changes of one kind fail: what the next of that kind is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLine {
    /// Which changes these are.
    pub level: CellLevel,
    /// The class most of the altered items have.
    pub class: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The template.
    pub template: Option<String>,
    /// Changes of which it is known how they turned out.
    pub changes: u32,
    /// Those of them that failed.
    pub failures: u32,
    /// Further ones that nobody watched: they count in nothing.
    pub unmonitored: u32,
    /// Further ones that may still turn out to have failed: not reviewed, and done less than 72 hours ago.
    pub too_early: u32,
    /// The chance that the next one fails: the posterior mean.
    pub failure: f64,
    /// The middle 90 % of the posterior.
    pub interval: (f64, f64),
}

/// Predictions of about the same chance of failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReliabilityLine {
    /// The smallest chance in it.
    pub from: f64,
    /// The first chance above it.
    pub to: f64,
    /// How many changes.
    pub changes: usize,
    /// The mean chance predicted.
    pub predicted: f64,
    /// The fraction that failed.
    pub observed: f64,
}

/// How well harm to one service was predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTrend {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// Watched changes whose assessment names it, or in which it lost something.
    pub changes: usize,
    /// Those in which the prediction about it was right.
    pub right: usize,
    /// How well harm to it was predicted.
    #[serde(flatten)]
    pub figures: Figures,
    /// The same in words.
    pub text: String,
}

/// How the work that ended in one month ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthLine {
    /// Year and month, UTC.
    pub month: String,
    /// Changes done as planned.
    pub done: u32,
    /// Changes backed out.
    pub backed_out: u32,
    /// Those of both that are known to have failed.
    pub failed: u32,
    /// Those of both that nobody watched.
    pub unmonitored: u32,
}

/// What became of all requests whose work is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrendsAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many requests there are whose work is over.
    pub over: usize,
    /// How many of them are not reviewed.
    pub not_reviewed: usize,
    /// All changes.
    pub portfolio: RateLine,
    /// By class of items, the most changes first.
    pub classes: Vec<RateLine>,
    /// By team and class, the most changes first.
    pub teams: Vec<RateLine>,
    /// By template, with team and class, the most changes first.
    pub templates: Vec<RateLine>,
    /// The mean squared difference between the chance of failure predicted and the outcome: 0 is perfect.
    /// Each prediction is made again from the changes that were over when its own work began, with what
    /// is known of them by now. `null` without outcomes.
    pub brier: Option<f64>,
    /// What always predicting the fraction that failed would have scored.
    pub brier_of_base_rate: Option<f64>,
    /// Predicted chance against the fraction that failed.
    pub reliability: Vec<ReliabilityLine>,
    /// Changes whose review says that the services were watched, and that have predictions.
    pub watched: usize,
    /// Those of them whose predictions were right for every service.
    pub right: usize,
    /// How well harm to services was predicted, over all of them.
    pub figures: Figures,
    /// The same by service, the most wrong predictions first.
    pub services: Vec<ServiceTrend>,
    /// How the work ended, by month, oldest first.
    pub months: Vec<MonthLine>,
    /// How the figures are to be read, a sentence each.
    pub notes: Vec<String>,
}

/// A request whose work is over.
struct Over<'a> {
    request: &'a RequestForChange,
    work: Work,
    outcome: Outcome,
    kind: Kind,
}

/// What became of all requests whose work is over.
///
/// # Errors
/// When the analyses refuse: a stored need that cannot be drawn, which no write lets in.
pub fn trends(
    view: &View,
    question: &TrendsQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<TrendsAnswer, QuestionError> {
    let prior = Prior { mean: question.policy.usual_failure, strength: question.policy.prior_strength };
    let mut kinds = Kinds::default();
    let over = over(view, asked.at, &mut kinds);
    let mut basis = Basis::of(view, asked);
    let rates = Rates::of(&over, &kinds, prior);
    let judged = judged(&over, prior);
    let bins = reliability(&judged, &BINS).into_iter().map(|bin| ReliabilityLine {
        from: bin.from,
        to: bin.to,
        changes: bin.count,
        predicted: bin.predicted,
        observed: bin.observed,
    });
    let impact = impact(view, &over, pool)?;
    let portfolio = rates.line(Kind::default());
    let not_reviewed = over.iter().filter(|one| one.request.review.is_none()).count();
    let most = question.most;
    Ok(TrendsAnswer {
        over: over.len(),
        not_reviewed,
        classes: rates.lines(CellLevel::Class, "classes", most, &mut basis),
        teams: rates.lines(CellLevel::Team, "teams with a class", most, &mut basis),
        templates: rates.lines(CellLevel::Template, "templates with team and class", most, &mut basis),
        brier: brier(&judged),
        brier_of_base_rate: base_rate(portfolio.failures, portfolio.changes).map(|rate| rate * (1.0 - rate)),
        reliability: bins.collect(),
        watched: impact.watched,
        right: impact.right,
        figures: impact.all.into(),
        services: first(impact.lines(view), "services", most, &mut basis),
        months: months(&over, most, &mut basis),
        notes: notes(&portfolio, not_reviewed),
        portfolio,
        basis,
    })
}

fn over<'a>(view: &'a View, now: DateTime<Utc>, kinds: &mut Kinds) -> Vec<Over<'a>> {
    let requests = view.catalogue.requests().map(|kept| &*kept.record);
    let known = requests.filter_map(|request| {
        let (work, outcome) = (work_of(request)?, outcome_of(request, now)?);
        Some(Over { request, work, outcome, kind: kinds.of(view, request) })
    });
    known.collect()
}

fn base_rate(failures: u32, changes: u32) -> Option<f64> {
    (changes > 0).then(|| f64::from(failures) / f64::from(changes))
}

/// The first lines of a list; the basis says when there are more.
fn first<T>(mut lines: Vec<T>, what: &str, most: usize, basis: &mut Basis) -> Vec<T> {
    basis.page(what, lines.len().min(most), lines.len());
    lines.truncate(most);
    lines
}

/// The cells a change belongs to, from the portfolio down, as the analyses have them.
fn cells(kind: Kind) -> impl Iterator<Item = (CellLevel, Kind)> {
    let Kind { class, team, template } = kind;
    let cells = [
        Some((CellLevel::Portfolio, Kind::default())),
        class.map(|_| (CellLevel::Class, Kind { class, ..Kind::default() })),
        class.and(team).map(|_| (CellLevel::Team, Kind { class, team, template: None })),
        class.and(team).and(template).map(|_| (CellLevel::Template, kind)),
    ];
    cells.into_iter().flatten()
}

#[derive(Clone, Copy, Default)]
struct Tally {
    changes: u32,
    failures: u32,
    unmonitored: u32,
    too_early: u32,
}

impl Tally {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Held => self.changes += 1,
            Outcome::Failed => {
                self.changes += 1;
                self.failures += 1;
            }
            Outcome::Unmonitored => self.unmonitored += 1,
            Outcome::TooEarly => self.too_early += 1,
        }
    }
}

/// How often changes fail, by cell.
struct Rates<'a> {
    kinds: &'a Kinds,
    prior: Prior,
    history: History,
    tallies: BTreeMap<(CellLevel, Kind), Tally>,
}

impl<'a> Rates<'a> {
    fn of(over: &[Over<'_>], kinds: &'a Kinds, prior: Prior) -> Self {
        let mut rates = Self { kinds, prior, history: History::new(), tallies: BTreeMap::new() };
        for one in over {
            if let Some(failed) = one.outcome.has_failed() {
                rates.history.note(one.kind, failed);
            }
            for cell in cells(one.kind) {
                rates.tallies.entry(cell).or_default().note(one.outcome);
            }
        }
        rates
    }

    fn line(&self, kind: Kind) -> RateLine {
        let estimate = self.history.estimate(self.prior, kind);
        let cell = cells(kind).last().unwrap_or((CellLevel::Portfolio, kind));
        let tally = self.tallies.get(&cell).copied().unwrap_or_default();
        let name = |name: Option<&str>| name.map(str::to_owned);
        RateLine {
            level: cell.0,
            class: name(self.kinds.class(kind)),
            team: name(self.kinds.team(kind)),
            template: name(self.kinds.template(kind)),
            changes: tally.changes,
            failures: tally.failures,
            unmonitored: tally.unmonitored,
            too_early: tally.too_early,
            failure: estimate.mean,
            interval: estimate.interval,
        }
    }

    fn lines(&self, level: CellLevel, what: &str, most: usize, basis: &mut Basis) -> Vec<RateLine> {
        let names = |kind: Kind| (self.kinds.template(kind), self.kinds.team(kind), self.kinds.class(kind));
        let named = |kind: Kind| level != CellLevel::Team || self.kinds.team(kind).is_some();
        let of_level = self.tallies.iter().filter(|((at, kind), _)| *at == level && named(*kind));
        let mut kinds: Vec<(u32, Kind)> = of_level.map(|((_, kind), tally)| (tally.changes, *kind)).collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| names(a.1).cmp(&names(b.1))));
        first(kinds, what, most, basis).into_iter().map(|(_, kind)| self.line(kind)).collect()
    }
}

/// Each known outcome with the chance of failure predicted from what was over when the work began.
///
/// Only the means: estimates with their intervals cost far more, and there may be many requests.
fn judged(over: &[Over<'_>], prior: Prior) -> Vec<Judged> {
    let known = || over.iter().filter_map(|one| Some((one, one.outcome.has_failed()?)));
    let mut by_start: Vec<_> = known().collect();
    by_start.sort_by_key(|(one, _)| (one.work.started, one.request.id));
    let mut by_finish: Vec<_> = known().collect();
    by_finish.sort_by_key(|(one, _)| (one.work.finished, one.work.started, one.request.id));
    let mut finished = by_finish.into_iter().peekable();
    let mut history = History::new();
    let mut judged = Vec::new();
    for (one, failed) in by_start {
        while let Some((other, failed)) = finished.next_if(|(other, _)| other.work.is_before(one.work)) {
            history.note(other.kind, failed);
        }
        judged.push(Judged { predicted: history.mean(prior, one.kind), failed });
    }
    judged
}

/// How well harm was predicted.
#[derive(Default)]
struct Impact {
    watched: usize,
    right: usize,
    all: Match,
    services: BTreeMap<CiId, (usize, Match)>,
}

fn impact(view: &View, over: &[Over<'_>], pool: &Pool) -> Result<Impact, QuestionError> {
    let outages = Outages::on_services(view);
    let mut impact = Impact::default();
    for one in over.iter().filter(|one| Monitoring::of(one.request) == Monitoring::Watched) {
        let Some(compared) = compare(view, &outages, one.request, pool)? else { continue };
        impact.watched += 1;
        impact.right += usize::from(compared.figures.is_right());
        impact.all = impact.all.with(compared.figures);
        for (ci, service) in &compared.services {
            let (changes, counts) = impact.services.entry(*ci).or_default();
            *changes += 1;
            match verdict(service) {
                Verdict::Hit => counts.hits += 1,
                Verdict::FalseAlarm => counts.false_alarms += 1,
                Verdict::Miss => counts.misses += 1,
                Verdict::Spared | Verdict::Unknown => {}
            }
        }
    }
    Ok(impact)
}

impl Impact {
    fn lines(&self, view: &View) -> Vec<ServiceTrend> {
        let line = |(ci, (changes, counts)): (&CiId, &(usize, Match))| {
            let right = changes - counts.false_alarms - counts.misses;
            let noun = if *changes == 1 { "change" } else { "changes" };
            Some(ServiceTrend {
                subject: Subject::of(&view.catalogue, view.catalogue.find_id(*ci)?),
                changes: *changes,
                right,
                figures: (*counts).into(),
                text: format!("impact predictions right in {right} of {changes} {noun}"),
            })
        };
        let mut lines: Vec<ServiceTrend> = self.services.iter().filter_map(line).collect();
        lines.sort_by(|a, b| {
            let wrong = |line: &ServiceTrend| line.changes - line.right;
            wrong(b).cmp(&wrong(a)).then_with(|| b.changes.cmp(&a.changes)).then_with(|| a.subject.cmp(&b.subject))
        });
        lines
    }
}

/// By month, the last `most` of them.
fn months(over: &[Over<'_>], most: usize, basis: &mut Basis) -> Vec<MonthLine> {
    let mut months: BTreeMap<String, MonthLine> = BTreeMap::new();
    for one in over {
        let month = one.work.finished.format("%Y-%m").to_string();
        let none = || MonthLine { month: month.clone(), done: 0, backed_out: 0, failed: 0, unmonitored: 0 };
        let line = months.entry(month.clone()).or_insert_with(none);
        line.done += u32::from(!one.work.is_backed_out);
        line.backed_out += u32::from(one.work.is_backed_out);
        line.failed += u32::from(one.outcome == Outcome::Failed);
        line.unmonitored += u32::from(one.outcome == Outcome::Unmonitored);
    }
    basis.page("months", months.len().min(most), months.len());
    let left_out = months.len().saturating_sub(most);
    months.into_values().skip(left_out).collect()
}

fn notes(portfolio: &RateLine, not_reviewed: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if portfolio.unmonitored > 0 {
        notes.push(format!(
            "{} changes were reviewed without anybody having watched; they are unknown and count in no figure",
            portfolio.unmonitored
        ));
    }
    if portfolio.too_early > 0 {
        notes.push(format!(
            "{} changes were done less than {FAILURE_HOURS} hours ago and are not reviewed; they do not count yet",
            portfolio.too_early
        ));
    }
    let assumed = not_reviewed.saturating_sub(portfolio.too_early as usize);
    if assumed > 0 {
        notes.push(format!(
            "{assumed} changes are not reviewed and count as failed only when they were backed out; nobody has said \
             whether services were watched, so they say nothing about the predictions of harm"
        ));
    }
    notes.push(
        "chances rest on changes of a kind being alike, and on no two failures having a common cause; each kind is \
         drawn towards the one above it, of which only the other changes count for that, and whose own uncertainty \
         is not passed down"
            .to_owned(),
    );
    notes
}
