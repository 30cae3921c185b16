//! The smallest shift of one change that ends a collision.

use std::collections::HashSet;

use super::{Finding, Planner, Scenario, Schedule, Window, number};
use crate::impact::Verdict;

/// How far a change may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Seconds, at most, in either direction.
    pub most: i64,
    /// The first second at which it may start.
    pub earliest: i64,
    /// The second by which it must have ended.
    pub latest: i64,
}

/// A change moved so that it collides with nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The change, by its place in the plan.
    pub change: usize,
    /// Seconds by which it is moved; above 0 means later.
    pub by: i64,
    /// Its new window.
    pub window: Window,
    /// Whether it then leaves the window agreed for it.
    pub leaves_agreed: bool,
    /// The collisions of the plan that are left.
    pub remaining: Vec<Finding>,
}

/// What a search for a shift found.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The smallest shift, if there is one within the policy.
    pub shift: Option<Shift>,
    /// How many shifts were tried.
    pub tried: u32,
    /// Whether the budget was used up or the stop flag raised; there may then be a shift that was
    /// not found, but none smaller than the one found.
    pub is_truncated: bool,
}

impl Planner<'_> {
    /// Finds the smallest shift of one of `changes` that leaves no collision with it in the plan and
    /// makes no new one; nor may the change, moved, breach a service by itself that it did not
    /// breach before. Of two equally small shifts the later is taken, then the change named first in
    /// the plan.
    ///
    /// What surrounds a change only differs by which windows overlap with it and which cover it, so
    /// the shifts to try are those with which it starts or ends where another window starts or ends.
    /// Covered by an outage that breaches the service anyhow it collides with nothing, too.
    /// Judged is the plan itself, not its back-outs, and breaches, not lesser harm. `schedule` is
    /// this planner's answer, from which the collisions that are left are taken: those without the
    /// moved change, which it cannot affect.
    ///
    /// # Panics
    /// When a change is not in the plan.
    pub fn smallest_shift(&mut self, schedule: &Schedule, changes: &[usize], policy: &Policy) -> Search {
        let mut candidates: Vec<(u64, bool, usize, i64)> = Vec::new();
        for &change in changes {
            candidates.extend(self.shifts(change, policy).map(|by| (by.unsigned_abs(), by < 0, change, by)));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut search = Search { shift: None, tried: 0, is_truncated: false };
        for (_, _, change, by) in candidates {
            let old = self.plan.changes[change].window;
            search.tried += 1;
            let verdict = self.breached_alone(change, old).zip(self.alone_at(change, old.moved(by)));
            let Some((before, after)) = verdict else {
                search.is_truncated = true;
                break;
            };
            if after.is_some_and(|after| after.is_subset(&before)) {
                let window = old.moved(by);
                let agreed = self.plan.changes[change].agreed;
                let remaining = schedule
                    .collisions()
                    .filter(|left| left.scenario == Scenario::Plan && !left.changes.contains(&change))
                    .cloned()
                    .collect();
                let leaves_agreed = agreed.is_some_and(|agreed| !agreed.covers(window));
                search.shift = Some(Shift { change, by, window, leaves_agreed, remaining });
                break;
            }
        }
        search
    }

    /// The shifts worth trying.
    fn shifts(&self, change: usize, policy: &Policy) -> impl Iterator<Item = i64> {
        let Window { start, end } = self.plan.changes[change].window;
        let others = self.touching[change].ones().map(|other| self.plan.changes[other].window);
        let standing = self.plan.standing.iter().map(|standing| standing.window);
        let policy = *policy;
        let within = move |by: &i64| {
            *by != 0
                && by.unsigned_abs() <= policy.most.unsigned_abs()
                && start.checked_add(*by).is_some_and(|start| start >= policy.earliest)
                && end.checked_add(*by).is_some_and(|end| end <= policy.latest)
        };
        let bounds = |other: Window| [other.start, other.end];
        let shifts = move |bound: i64| [bound.checked_sub(start), bound.checked_sub(end)];
        others.chain(standing).flat_map(bounds).flat_map(shifts).flatten().filter(within)
    }

    /// The services a change breaches by itself in a window; `None` when the budget is used up.
    fn breached_alone(&mut self, change: usize, window: Window) -> Option<HashSet<u32>> {
        Some(self.breaches(change, window)?.0)
    }

    /// The services a change breaches by itself in a window, inner `None` if it collides there.
    #[expect(clippy::option_option, reason = "no answer and the answer none are different things")]
    fn alone_at(&mut self, change: usize, window: Window) -> Option<Option<HashSet<u32>>> {
        let (alone, collides) = self.breaches(change, window)?;
        Some((!collides).then_some(alone))
    }

    /// The services a change breaches by itself, and whether it collides; outside of the budget
    /// nothing, and what may be incomplete counts as a collision.
    fn breaches(&mut self, change: usize, window: Window) -> Option<(HashSet<u32>, bool)> {
        let (mut alone, mut collides) = (HashSet::new(), false);
        let change = number(change);
        for piece in self.pieces(change, window) {
            let around = self.around(change, &piece)?;
            collides |= !around.cut.is_empty();
            for part in around.parts.iter().filter(|part| part.verdict == Verdict::Breached) {
                if part.changes.len() > 1 {
                    collides = true;
                } else {
                    alone.insert(part.service);
                }
            }
        }
        Some((alone, collides))
    }
}
