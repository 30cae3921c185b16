//! What a schedule of changes does to services, hour by hour.
//!
//! Each change is also looked at while it is being reversed, one at a time. That several are reversed at once is not
//! looked at; an answer for which that could matter says so in its limits.

pub(crate) mod doubts;
pub(crate) mod reversals;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeZone, Utc};
use keelson_analysis::Pool;
use keelson_analysis::certainty::Target;
use keelson_analysis::impact::{Question, Seed, Verdict, impact};
use keelson_analysis::schedule::{
    self, Finding, Planner, Policy as ShiftPolicy, Scenario, Schedule, Standing as Outage,
};
use keelson_change::Policy;
use keelson_change::calendar::occurrences;
use keelson_graph::ItemIx;
use keelson_model::{CalendarKind, ChangeState, CiId, RequestForChange, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{ChangeLine, CollisionLine, ShiftLine, Standing, StandingLine, seeds_of, standing_within};
use crate::impact::VerdictWord;
use crate::register::{EntryLine, in_force, listed};
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// Most collisions for which a shift is looked for.
const MOST_SHIFTS: usize = 50;

/// What is asked of a schedule.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleQuestion<'a> {
    /// The times of interest; changes whose window or shadow has nothing in common with them are left
    /// out.
    pub within: Window,
    /// Only these requests, by key; empty means all that are open and no longer drafts.
    pub only: &'a [String],
    /// What the organisation decided for itself.
    pub policy: &'a Policy,
    /// Most lines of a list.
    pub most: usize,
    /// Raised by somebody who watches the clock, or who no longer wants the answer, which then says so.
    pub stop: Option<&'a AtomicBool>,
}

/// Harm that is no collision: what one change does by itself, and what several degrade without a breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HarmLine {
    /// The service.
    pub service: Subject,
    /// When.
    pub window: Window,
    /// The changes at fault, by key: one alone, or several that degrade it together; empty when what is
    /// down anyway does it.
    pub changes: Vec<String>,
    /// The fraction of the service that is lost.
    pub loss: f64,
    /// The verdict on it.
    pub verdict: VerdictWord,
    /// The change that is being reversed, when it is only so then.
    pub reversed: Option<String>,
    /// Whether it is only so if what nobody knows turns out badly.
    pub only_in_doubt: bool,
}

/// A time between two boundaries, in which nothing changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntervalLine {
    /// When.
    pub window: Window,
    /// The changes under way, by key.
    pub changes: Vec<String>,
    /// Services breached then.
    pub breached: usize,
    /// Services degraded then.
    pub degraded: usize,
}

/// A collision with the smallest shift that resolves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleCollision {
    /// The collision.
    #[serde(flatten)]
    pub collision: CollisionLine,
    /// The smallest shift of one of the changes that resolves it and makes no other; absent when there is
    /// none within the policy, or it was not looked for.
    pub smallest_shift: Option<ShiftLine>,
    /// The same in words.
    pub advice: String,
}

/// What a schedule does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The times of interest.
    pub within: Window,
    /// The changes, by start.
    pub changes: Vec<ChangeLine>,
    /// Requests of that time that interrupt nothing, or have no window, by key.
    pub without_interruption: Vec<String>,
    /// What is down anyway.
    pub starting_state: Vec<StandingLine>,
    /// Changes that breach together what none of them breaches alone, by time.
    pub collisions: Vec<ScheduleCollision>,
    /// What single changes do by themselves, and what several degrade together, by time.
    pub harm: Vec<HarmLine>,
    /// The times between boundaries.
    pub intervals: Vec<IntervalLine>,
    /// Freezes and maintenance windows in force that have a time within the times of interest, freezes first.
    pub calendar: Vec<EntryLine>,
}

/// Seconds since 1970 of a time.
pub(crate) fn seconds(at: DateTime<Utc>) -> i64 {
    at.timestamp()
}

/// A window of the analyses as one of the model; one without an end is shown up to `horizon`, the last time
/// that was looked at.
pub(crate) fn window_from(window: schedule::Window, horizon: DateTime<Utc>) -> Option<Window> {
    let at = |second: i64| Utc.timestamp_opt(second, 0).single();
    Window::new(at(window.start)?, at(window.end).unwrap_or(horizon)).ok()
}

/// Whether the work of a request was begun and is not over although its window is.
pub(crate) fn is_overrun(request: &RequestForChange, at: DateTime<Utc>) -> bool {
    request.state == ChangeState::InProgress && request.window.is_some_and(|window| window.end() <= at)
}

/// Whether nobody knows when a request gives back what it takes: it retires something, or its work was begun
/// and is not over although its window is.
fn is_unending(request: &RequestForChange, at: DateTime<Utc>) -> bool {
    let retires = request.alterations.iter().any(|alteration| alteration.action.is_permanent());
    retires || is_overrun(request, at)
}

/// The times for which a request may take something away, its reversal included; absent without a window.
pub fn reach(request: &RequestForChange, at: DateTime<Utc>) -> Option<Window> {
    let window = request.window?;
    let whole = window.through(request.shadow());
    Some(if is_unending(request, at) { Window::new(window.start(), DateTime::<Utc>::MAX_UTC).ok()? } else { whole })
}

/// The last time at which one of some requests ends or is reversed, as far as it was planned.
pub(crate) fn horizon<'a>(requests: impl Iterator<Item = &'a RequestForChange>, least: DateTime<Utc>) -> DateTime<Utc> {
    let ends = requests.filter_map(|request| Some(request.window?.through(request.shadow()).end()));
    ends.fold(least, DateTime::max)
}

/// A request as the analyses plan with it, at a time; absent without a window or an interruption.
///
/// What it retires does not come back, so that its window has no end for the items it retires; a request
/// that retires something keeps all of its items for as long. So does one whose work has not ended with its
/// window: nobody knows when it will.
pub(crate) fn planned(view: &View, request: &RequestForChange, at: DateTime<Utc>) -> Option<schedule::Change> {
    let (seeds, _) = seeds_of(view, request);
    let window = request.window.filter(|_| !seeds.is_empty())?;
    let is_unending = is_unending(request, at);
    // A window within one second takes that second.
    let start = seconds(window.start());
    let end = if is_unending { i64::MAX } else { seconds(window.end()).max(start + 1) };
    let rollback = request.rollback.as_ref().filter(|_| !is_unending).map_or(0, |rollback| rollback.minutes * 60);
    Some(schedule::Change { window: schedule::Window::new(start, end), rollback, seeds, agreed: None })
}

/// What is down anyway, as the analyses take it.
pub(crate) fn standing_outages(standing: &[Standing]) -> Vec<Outage> {
    let outage = |one: &Standing| Outage {
        window: schedule::Window::new(seconds(one.from), one.until.map_or(i64::MAX, seconds)),
        seeds: vec![one.seed],
    };
    standing.iter().map(outage).filter(|outage| !outage.window.is_empty()).collect()
}

/// Assesses a schedule.
///
/// # Errors
/// When a request is named that nobody knows, or the analyses refuse.
pub fn assess(
    view: &View,
    question: &ScheduleQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<ScheduleAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let requests = requests(view, question, asked.at)?;
    let (mut all, mut changes, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for request in requests {
        let (_, left_out) = seeds_of(view, request);
        if !left_out.is_empty() {
            let message =
                format!("{} alters items that take no part in analyses: {}", request.key, left_out.join(", "));
            basis.limit(LimitCode::NotInService, message);
        }
        match planned(view, request, asked.at) {
            Some(change) => {
                all.push(request);
                changes.push(change);
            }
            None => without.push(request.key.to_string()),
        }
    }
    let standing = standing_within(view, question.within);
    let outages = standing_outages(&standing);
    let seeds: Vec<Seed> = changes.iter().flat_map(|change| change.seeds.iter().copied()).collect();
    let (reached, services) = services(view, &seeds, pool)?;
    let plan = schedule::Plan { standing: &outages, stop: question.stop, ..schedule::Plan::of(&changes, &services) };
    let mut planner = Planner::new(&view.graph, plan, pool)?;
    let found = planner.schedule();
    let touched = seeds.iter().map(|seed| seed.item).chain(reached.iter().copied());
    let doubtful = doubts::findings(view, plan, &found, touched, pool)?;
    if found.is_truncated || !found.cut.is_empty() || doubtful.is_cut {
        basis.limit(LimitCode::CollisionBudget, "the search for colliding changes was cut short; there may be more");
    }
    reversals::note(&mut basis, &all, &changes, None);
    let horizon = horizon(all.iter().copied(), question.within.end());
    let told = Told { view, all: &all, services: &services, found: &found, doubtful: &doubtful.findings, horizon };
    let collisions = told.collisions(&mut planner, question, asked, &mut basis);
    let mut harm = told.harm();
    basis.page("collisions", collisions.len().min(question.most), collisions.len());
    basis.page("harm", harm.len().min(question.most), harm.len());
    harm.truncate(question.most);
    let mut intervals = told.intervals();
    basis.page("intervals", intervals.len().min(question.most), intervals.len());
    intervals.truncate(question.most);
    let calendar = in_force(view, question.within, &mut basis);
    let calendar = listed(view, calendar, question.most, &mut basis);
    let touched = seeds.iter().map(|seed| ci_of(seed.item)).chain(services.iter().map(|target| ci_of(target.item)));
    basis.rests_on(view, touched, asked);
    basis.stopped(question.stop);
    Ok(ScheduleAnswer {
        basis,
        within: question.within,
        changes: all.iter().take(question.most).map(|request| ChangeLine::of(view, request)).collect(),
        without_interruption: without,
        starting_state: standing.into_iter().map(|one| one.line).collect(),
        collisions: collisions.into_iter().take(question.most).collect(),
        harm,
        intervals,
        calendar,
    })
}

/// The requests of a question, by start and key.
fn requests<'a>(
    view: &'a View,
    question: &ScheduleQuestion<'_>,
    at: DateTime<Utc>,
) -> Result<Vec<&'a RequestForChange>, QuestionError> {
    let mut requests: Vec<&RequestForChange> = if question.only.is_empty() {
        let open = view.catalogue.open_requests().map(|kept| &*kept.record);
        let planned = open.filter(|request| request.state != ChangeState::Draft);
        let within = |request: &&RequestForChange| {
            reach(request, at).is_none_or(|reach| reach.overlap(&question.within).is_some())
        };
        planned.filter(within).collect()
    } else {
        question.only.iter().map(|key| find_request(view, key)).collect::<Result<_, _>>()?
    };
    requests.sort_by_key(|request| (request.window.map(|window| window.start()), std::sync::Arc::clone(&request.key)));
    requests.dedup_by_key(|request| request.id);
    Ok(requests)
}

/// Finds a request by what people call it.
///
/// # Errors
/// When there is none; names up to three that look like it.
pub fn find_request<'a>(view: &'a View, key: &str) -> Result<&'a RequestForChange, QuestionError> {
    if let Some(kept) = view.catalogue.find_request(key) {
        return Ok(&kept.record);
    }
    let wanted = key.to_lowercase();
    let similar = view.catalogue.requests().rev().map(|kept| kept.record.key.to_string());
    let similar = similar.filter(|known| {
        let known = known.to_lowercase();
        known.contains(&wanted) || wanted.contains(&known)
    });
    Err(QuestionError::UnknownRequest { key: key.to_owned(), similar: similar.take(3).collect() })
}

/// What any of the changes can reach, and the services among that.
fn services(view: &View, seeds: &[Seed], pool: &Pool) -> Result<(Vec<ItemIx>, Vec<Target>), QuestionError> {
    let reached = impact(&view.graph, &Question::about(seeds), pool)?;
    let touched = reached.touched().unwrap_or_default().to_vec();
    let services = services_among(view, touched.iter().copied().chain(seeds.iter().map(|seed| seed.item)));
    Ok((touched, services))
}

/// Freezes in force within a window that are about everything, or about one of some services, by name.
pub(crate) fn freezes_met(view: &View, window: Window, services: &[Target]) -> Vec<String> {
    let touched: HashSet<CiId> = services.iter().map(|target| view.catalogue.ci(ci_of(target.item)).id).collect();
    let entries = view.catalogue.calendar().map(|kept| &kept.record);
    let freezes = entries.filter(|entry| entry.kind == CalendarKind::Freeze && entry.lifted_at.is_none());
    let about = freezes.filter(|entry| entry.items.is_empty() || entry.items.iter().any(|item| touched.contains(item)));
    let met = about.filter(|entry| {
        let times = occurrences(entry, window);
        times.is_cut || !times.windows.is_empty()
    });
    met.map(|entry| entry.name.to_string()).collect()
}

/// The services among items, each once and in order, with what they must deliver.
pub(crate) fn services_among(view: &View, items: impl Iterator<Item = ItemIx>) -> Vec<Target> {
    let mut services: Vec<ItemIx> = items.filter(|item| view.is_service(ci_of(*item))).collect();
    services.sort_unstable();
    services.dedup();
    services.into_iter().map(|item| view.target(item)).collect()
}

/// What was found, with names.
struct Told<'a> {
    view: &'a View,
    all: &'a [&'a RequestForChange],
    services: &'a [Target],
    found: &'a Schedule,
    /// What is only so if doubts turn out badly.
    doubtful: &'a [Finding],
    /// The last time looked at.
    horizon: DateTime<Utc>,
}

impl Told<'_> {
    fn key(&self, at: usize) -> String {
        self.all[at].key.to_string()
    }

    fn service(&self, at: usize) -> Subject {
        Subject::of(&self.view.catalogue, ci_of(self.services[at].item))
    }

    fn reversed(&self, finding: &Finding) -> Option<String> {
        match finding.scenario {
            Scenario::Plan => None,
            Scenario::BackOut(at) => Some(self.key(at)),
        }
    }

    fn collisions(
        &self,
        planner: &mut Planner<'_>,
        question: &ScheduleQuestion<'_>,
        asked: Asked,
        basis: &mut Basis,
    ) -> Vec<ScheduleCollision> {
        let mut lines = Vec::new();
        let mut shifts: BTreeMap<Vec<usize>, Option<ShiftLine>> = BTreeMap::new();
        let mut left_out = 0;
        let possible = self.doubtful.iter().filter(|finding| finding.is_collision()).map(|finding| (finding, true));
        for (finding, only_in_doubt) in self.found.collisions().map(|finding| (finding, false)).chain(possible) {
            let Some(window) = window_from(finding.window, self.horizon) else { continue };
            let reversed = self.reversed(finding);
            let shift = if reversed.is_some() || only_in_doubt {
                None
            } else if let Some(known) = shifts.get(&finding.changes) {
                known.clone()
            } else if shifts.len() < MOST_SHIFTS {
                let shift = self.shift(planner, &finding.changes, question, asked);
                shifts.insert(finding.changes.clone(), shift.clone());
                shift
            } else {
                left_out += 1;
                None
            };
            let collision = CollisionLine {
                service: self.service(finding.service),
                window,
                changes: finding.changes.iter().map(|at| self.key(*at)).collect(),
                loss: finding.loss,
                reversed,
                only_in_doubt,
            };
            let advice = advice(&collision, shift.as_ref());
            lines.push(ScheduleCollision { collision, smallest_shift: shift, advice });
        }
        lines.sort_by_key(|line| (line.collision.window, line.collision.only_in_doubt));
        if left_out > 0 {
            let message =
                format!("a shift was looked for in the first {MOST_SHIFTS} collisions; {left_out} were left out");
            basis.limit(LimitCode::CollisionBudget, message);
        }
        lines
    }

    /// The smallest shift to times that are still ahead and of which the requests are known: not into the past,
    /// unless the change is there already, and not out of the times asked about.
    fn shift(
        &self,
        planner: &mut Planner<'_>,
        changes: &[usize],
        question: &ScheduleQuestion<'_>,
        asked: Asked,
    ) -> Option<ShiftLine> {
        // What was begun cannot be moved.
        let movable: Vec<usize> =
            changes.iter().copied().filter(|at| self.all[*at].state != ChangeState::InProgress).collect();
        let windows = || movable.iter().filter_map(|at| self.all[*at].window);
        let ahead = question.within.start().max(asked.at);
        let earliest = windows().map(|window| window.start()).fold(ahead, DateTime::min);
        let latest = windows().map(|window| window.end()).fold(question.within.end(), DateTime::max);
        let most = i64::from(question.policy.longest_shift_hours) * 3_600;
        let policy = ShiftPolicy { most, earliest: seconds(earliest), latest: seconds(latest) };
        let shift = planner.smallest_shift(self.found, &movable, &policy).shift?;
        Some(ShiftLine {
            change: self.key(shift.change),
            seconds: shift.by,
            window: window_from(shift.window, self.horizon)?,
            leaves_agreed: shift.leaves_agreed,
            left: shift.remaining.len(),
            meets: freezes_met(self.view, window_from(shift.window, self.horizon)?, self.services),
        })
    }

    fn harm(&self) -> Vec<HarmLine> {
        let found = self.found.findings.iter().map(|finding| (finding, false));
        let all = found.chain(self.doubtful.iter().map(|finding| (finding, true)));
        let single = all.filter(|(finding, _)| !finding.is_collision());
        let lines = single.filter_map(|(finding, only_in_doubt)| {
            Some(HarmLine {
                service: self.service(finding.service),
                window: window_from(finding.window, self.horizon)?,
                changes: finding.changes.iter().map(|at| self.key(*at)).collect(),
                loss: finding.loss,
                verdict: finding.verdict.into(),
                reversed: self.reversed(finding),
                only_in_doubt,
            })
        });
        let mut lines: Vec<HarmLine> = lines.collect();
        lines.sort_by_key(|line| (line.window, line.only_in_doubt));
        lines
    }

    fn intervals(&self) -> Vec<IntervalLine> {
        let lines = self.found.intervals.iter().filter_map(|interval| {
            let count = |verdict: Verdict| interval.effects.iter().filter(|effect| effect.verdict == verdict).count();
            Some(IntervalLine {
                window: window_from(interval.window, self.horizon)?,
                changes: interval.active.iter().map(|at| self.key(*at)).collect(),
                breached: count(Verdict::Breached),
                degraded: count(Verdict::Degraded),
            })
        });
        lines.collect()
    }
}

/// What to do about a collision, in a sentence.
fn advice(collision: &CollisionLine, shift: Option<&ShiftLine>) -> String {
    let changes = collision.changes.join(" and ");
    let harm = format!("{}: {} is breached by {changes} together", collision.window, collision.service.key);
    if collision.only_in_doubt {
        return format!("{harm}, if what nobody knows of its needs turns out badly; find that out first");
    }
    if let Some(reversed) = &collision.reversed {
        return format!("{harm}, if {reversed} has to be reversed");
    }
    let Some(shift) = shift else { return format!("{harm}; no shift within the policy resolves it") };
    let (length, way) = (shift.seconds.unsigned_abs(), if shift.seconds > 0 { "later" } else { "earlier" });
    let left = match shift.left {
        0 => "no collision is left".to_owned(),
        1 => "1 collision of others is left".to_owned(),
        left => format!("{left} collisions of others are left"),
    };
    let meets = match &shift.meets[..] {
        [] => String::new(),
        names => format!("; mind the freezes then: {}", names.join(", ")),
    };
    format!("{harm}; move {} by {} {way}, to {}: {left}{meets}", shift.change, said(length), shift.window)
}

/// A length of time in words.
fn said(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
    match (hours, minutes) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
