//! What a group of changes does while certain outages stand, whenever that may be.

use std::{collections::HashMap, sync::Arc};

use super::{Planner, Window, number};
use crate::{
    impact::Verdict,
    interplay::Interplay,
    joint::{Harm, Hunt, ROUNDING, together},
};

/// A time during which the same parts surround a change.
pub(super) struct Piece {
    pub(super) window: Window,
    /// The changes under way that share a service with it, ascending.
    pub(super) others: Vec<u32>,
    pub(super) standing: Vec<u32>,
}

/// Harm to a service, and a minimal set of changes that does it.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) service: u32,
    pub(super) changes: Vec<u32>,
    pub(super) loss: f64,
    pub(super) verdict: Verdict,
}

/// All harm that a group does beyond the standing outages.
#[derive(Default)]
pub(super) struct Harms {
    pub(super) parts: Vec<Part>,
    /// Services for which there may be more.
    pub(super) cut: Vec<u32>,
}

/// What was found out while certain outages stand.
pub(super) struct State {
    pub(super) interplay: Interplay,
    /// By group, and the change that must take part.
    harms: HashMap<(Vec<u32>, Option<u32>), Arc<Harms>>,
}

impl Planner<'_> {
    /// Takes a window apart for a change that might take place in it.
    pub(super) fn pieces(&self, change: u32, window: Window) -> Vec<Piece> {
        let around = &self.touching[change as usize];
        let neighbours: Vec<(u32, Window)> = around
            .ones()
            .map(|at| (number(at), self.plan.changes[at].window))
            .filter(|(_, other)| other.start < window.end && other.end > window.start)
            .collect();
        let standing = self.plan.standing.iter().map(|standing| standing.window);
        let windows = neighbours.iter().map(|(_, window)| *window).chain(standing).chain([window]);
        let mut bounds: Vec<i64> = windows
            .flat_map(|other| [other.start, other.end])
            .filter(|second| (window.start..=window.end).contains(second))
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        let piece = |pair: &[i64]| Piece {
            window: Window::new(pair[0], pair[1]),
            others: neighbours.iter().filter(|(_, window)| window.contains(pair[0])).map(|(other, _)| *other).collect(),
            standing: self.standing_at(pair[0]),
        };
        bounds.windows(2).map(piece).collect()
    }

    /// Makes sure that it is known how changes act on each other while these outages stand.
    pub(super) fn settle(&mut self, standing: &[u32]) -> Option<()> {
        if !self.states.contains_key(standing) {
            let interplay = Interplay::new(&mut self.joint, self.plan.changes.len(), standing)?;
            self.states.insert(standing.to_vec(), State { interplay, harms: HashMap::new() });
        }
        Some(())
    }

    /// The groups of active changes that can do anything together.
    pub(super) fn groups(&mut self, active: &[u32], standing: &[u32]) -> Option<Vec<Vec<u32>>> {
        self.settle(standing)?;
        self.states.get_mut(standing)?.interplay.groups(&mut self.joint, active)
    }

    /// All harm in which `change` takes part during a piece; `None` when the budget is used up.
    pub(super) fn around(&mut self, change: u32, piece: &Piece) -> Option<Arc<Harms>> {
        let among = together(&piece.others, &[change]);
        let groups = self.groups(&among, &piece.standing)?;
        let group = groups.into_iter().find(|group| group.contains(&change))?;
        self.harms(group, &piece.standing, Some(change))
    }

    /// All harm that a group does; only that in which `focus` takes part, if there is one.
    pub(super) fn harms(&mut self, group: Vec<u32>, standing: &[u32], focus: Option<u32>) -> Option<Arc<Harms>> {
        self.settle(standing)?;
        let key = (group, focus);
        if let Some(known) = self.states.get(standing).and_then(|state| state.harms.get(&key)) {
            return Some(Arc::clone(known));
        }
        let harms = Arc::new(self.find_harms(&key.0, standing, focus)?);
        self.states.get_mut(standing)?.harms.insert(key, Arc::clone(&harms));
        Some(harms)
    }

    fn find_harms(&mut self, group: &[u32], standing: &[u32], focus: Option<u32>) -> Option<Harms> {
        let before = self.joint.losses(standing)?;
        let all = self.joint.losses(&together(group, standing))?;
        let mut alone = Vec::with_capacity(group.len());
        for &change in group {
            alone.push((change, self.joint.losses(&together(&[change], standing))?));
        }
        let mut harms = Harms::default();
        for (service, loss) in all.iter() {
            let base = before.of(service);
            let is_harmed = loss > base + ROUNDING && self.joint.verdict(service, base) != Verdict::Breached;
            if !is_harmed || focus.is_some_and(|change| !self.joint.reaches_service(change, service)) {
                continue;
            }
            let (mut worst, mut innocent) = (base, Vec::with_capacity(group.len()));
            for (change, losses) in &alone {
                let loss = losses.of(service);
                let verdict = self.joint.verdict(service, loss);
                worst = worst.max(loss);
                if verdict != Verdict::Breached {
                    innocent.push(*change);
                }
                if loss > base + ROUNDING && focus.is_none_or(|focus| focus == *change) {
                    harms.parts.push(Part { service, changes: vec![*change], loss, verdict });
                }
            }
            let harm = match self.joint.verdict(service, loss) {
                Verdict::Breached => Harm::Breach,
                _ if loss > worst + ROUNDING => Harm::Loss(loss),
                _ => continue,
            };
            self.find_sets(&Hunt { standing, among: &innocent, service, harm, focus }, &mut harms)?;
        }
        Some(harms)
    }

    /// Finds the minimal sets of several changes that do one harm.
    fn find_sets(&mut self, hunt: &Hunt<'_>, harms: &mut Harms) -> Option<()> {
        let service = hunt.service;
        let reaching = hunt.among.iter().filter(|&&change| self.joint.reaches_service(change, service)).count();
        if reaching < 2 || hunt.focus.is_some_and(|focus| !hunt.among.contains(&focus)) {
            return Some(());
        }
        let found = self.joint.minimal_sets(hunt);
        if found.is_cut {
            harms.cut.push(service);
        }
        for changes in found.sets {
            let loss = self.joint.losses(&together(&changes, hunt.standing))?.of(service);
            let verdict = self.joint.verdict(service, loss);
            harms.parts.push(Part { service, changes, loss, verdict });
        }
        Some(())
    }
}
