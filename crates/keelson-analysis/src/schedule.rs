//! What a plan of changes does to services, hour by hour, and what to move.
//!
//! Every interval is half-open, `[start, end)`, in seconds: what ends when something else starts
//! does not overlap with it. Between two neighbouring boundaries nothing changes, so each such
//! interval is evaluated once, on top of the outages that stand during it (analyses 1.7, 2.3). A
//! [`Finding`] names the smallest set of changes that does the harm by itself: one change, or a
//! collision of several (see [`collision`](crate::collision)), or none, when the standing outages do
//! it. Findings that go on through neighbouring intervals are merged.
//!
//! A change that fails has to be backed out, and its items stay down meanwhile: its *shadow* is
//! `[end, end + rollback)`. Shadows are a second scenario. They are looked at one at a time, on top
//! of the plan; two changes backed out at once are not considered. A finding of that scenario always
//! takes in the change that is backed out, and says so.
//!
//! # Cost
//!
//! Each change is evaluated alone once. Only changes that can do anything together are evaluated
//! together: those that make worse different members of a need which takes several to give way, on
//! their own or through what they lose jointly. A group of such changes is looked into once, however
//! often it is under way. The question has a budget, counted in evaluations of the graph. When it is
//! used up, what was found so far is true, and the answer says that it may be incomplete.

mod group;
mod shift;
mod sweep;

use std::{collections::HashMap, sync::atomic::AtomicBool};

use fixedbitset::FixedBitSet;
use keelson_graph::Snapshot;

pub use shift::{Policy, Search, Shift};

use crate::{
    AnalysisError, Pool, Reading, Settled,
    certainty::Target,
    collision::Question,
    impact::{Seed, Verdict},
    joint::{Joint, Setting},
};

/// A span of time in seconds, half-open: `end` no longer belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// The first second.
    pub start: i64,
    /// The first second after it.
    pub end: i64,
}

impl Window {
    /// All of time: the window of an outage with no end in sight.
    pub const ALWAYS: Self = Self { start: i64::MIN, end: i64::MAX };

    /// The window from `start` up to `end`.
    #[must_use]
    pub fn new(start: i64, end: i64) -> Self {
        Self { start, end }
    }

    /// Whether a second belongs to it.
    #[must_use]
    pub fn contains(self, second: i64) -> bool {
        (self.start..self.end).contains(&second)
    }

    /// Whether another window lies wholly within it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether no second belongs to it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The window moved by so many seconds.
    #[must_use]
    pub fn moved(self, by: i64) -> Self {
        Self { start: self.start.saturating_add(by), end: self.end.saturating_add(by) }
    }
}

/// A planned change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When its items are down.
    pub window: Window,
    /// How long backing it out takes, in seconds, from the end of the window.
    pub rollback: u32,
    /// What it takes down.
    pub seeds: Vec<Seed>,
    /// The window agreed for it, which it should not be moved out of.
    pub agreed: Option<Window>,
}

/// Something that is down without being planned: an open incident, a change that overran.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// When; [`Window::ALWAYS`] if nobody knows.
    pub window: Window,
    /// What is down.
    pub seeds: Vec<Seed>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The planned changes.
    pub changes: &'a [Change],
    /// What is down anyhow.
    pub standing: &'a [Standing],
    /// The services watched, each with the smallest fraction it must deliver.
    pub services: &'a [Target],
    /// Whether to look at the shadows of changes being backed out, too.
    pub back_out: bool,
    /// Which way doubts are read.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Evaluations of the graph, at most.
    pub budget: u32,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl<'a> Plan<'a> {
    /// What `changes` do to `services`, every need as written, with back-outs, nothing else down.
    #[must_use]
    pub fn of(changes: &'a [Change], services: &'a [Target]) -> Self {
        let (reading, budget) = (Reading::AsWritten, Question::BUDGET);
        Self { changes, standing: &[], services, back_out: true, reading, settled: None, budget, stop: None }
    }
}

/// Whether a finding comes true if all goes to plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// It does.
    Plan,
    /// Only while this change, by its place in the plan, is backed out.
    BackOut(usize),
}

/// Harm to a service, and the smallest set of changes that does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// When.
    pub window: Window,
    /// The service, by its place in the plan.
    pub service: usize,
    /// The changes at fault, by their places in the plan, ascending: one does it alone, several
    /// collide, and if there are none the standing outages do it.
    pub changes: Vec<usize>,
    /// The loss of the service under exactly these changes and the standing outages, 0 to 1.
    pub loss: f64,
    /// The verdict on that loss; never protected.
    pub verdict: Verdict,
    /// Whether it belongs to the plan or to a change being backed out.
    pub scenario: Scenario,
}

impl Finding {
    /// Whether several changes breach together what none of them breaches alone.
    #[must_use]
    pub fn is_collision(&self) -> bool {
        self.changes.len() > 1 && self.verdict == Verdict::Breached
    }
}

/// A service that loses something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The service, by its place in the plan.
    pub service: usize,
    /// Its loss under everything that is down, 0 to 1.
    pub loss: f64,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// An interval in which nothing changes, if all goes to plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// When.
    pub window: Window,
    /// The changes under way, by their places in the plan.
    pub active: Vec<usize>,
    /// The standing outages, by their places in the plan.
    pub standing: Vec<usize>,
    /// The services that lose something.
    pub effects: Vec<Effect>,
}

/// What a plan does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// The intervals in which a change is under way, in order of time.
    pub intervals: Vec<Interval>,
    /// What harms which service, by start, service and changes.
    pub findings: Vec<Finding>,
    /// Services and times for which there may be more sets of changes at fault than were found.
    pub cut: Vec<(usize, Window)>,
    /// Evaluations of the graph made so far.
    pub evaluations: u32,
    /// Whether the budget was used up or the stop flag raised, so that intervals and findings may be
    /// missing.
    pub is_truncated: bool,
}

impl Schedule {
    /// The collisions: several changes that breach together what none of them breaches alone.
    pub fn collisions(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_collision())
    }
}

/// Answers questions about one plan, remembering what was evaluated.
pub struct Planner<'a> {
    plan: Plan<'a>,
    joint: Joint<'a>,
    /// For each change, those that share a watched service with it.
    touching: Vec<FixedBitSet>,
    /// What was found out, by the outages that stand.
    states: HashMap<Vec<u32>, group::State>,
}

impl<'a> Planner<'a> {
    /// Makes ready for questions about a plan.
    ///
    /// # Errors
    /// When an item is not in the graph, a loss lies outside 0..=1, or a window is empty.
    pub fn new(snapshot: &'a Snapshot, plan: Plan<'a>, pool: &'a Pool) -> Result<Self, AnalysisError> {
        let windows = plan.changes.iter().map(|change| change.window);
        for window in windows.chain(plan.standing.iter().map(|standing| standing.window)) {
            if window.is_empty() {
                return Err(AnalysisError::EmptyWindow { start: window.start, end: window.end });
            }
        }
        let Plan { services, reading, settled, budget, stop, .. } = plan;
        let setting = Setting { snapshot, pool, services, reading, settled, budget, stop };
        let changes = plan.changes.iter().map(|change| &change.seeds[..]);
        let standing = plan.standing.iter().map(|standing| &standing.seeds[..]);
        let joint = Joint::new(setting, changes.chain(standing).collect())?;
        let count = plan.changes.len();
        let mut touching = vec![FixedBitSet::with_capacity(count); count];
        for a in 0..count {
            for b in 0..a {
                if joint.touch(number(a), number(b)) {
                    touching[a].insert(b);
                    touching[b].insert(a);
                }
            }
        }
        Ok(Self { plan, joint, touching, states: HashMap::new() })
    }

    /// The standing outages at a second, as parts.
    fn standing_at(&self, second: i64) -> Vec<u32> {
        let first = self.plan.changes.len();
        let down = self.plan.standing.iter().enumerate().filter(|(_, standing)| standing.window.contains(second));
        down.map(|(at, _)| number(first + at)).collect()
    }
}

/// Says what a plan does to its services: [`Planner::schedule`] for those with no further question.
///
/// # Errors
/// When an item is not in the graph, a loss lies outside 0..=1, or a window is empty.
pub fn schedule(snapshot: &Snapshot, plan: &Plan<'_>, pool: &Pool) -> Result<Schedule, AnalysisError> {
    Ok(Planner::new(snapshot, *plan, pool)?.schedule())
}

/// The number of a part.
fn number(place: usize) -> u32 {
    u32::try_from(place).expect("changes are numbered by u32")
}

/// The places of parts.
fn places(parts: &[u32]) -> Vec<usize> {
    parts.iter().map(|&part| part as usize).collect()
}
