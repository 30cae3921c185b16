//! What one change does together with those around it, at any time it might take place.

use std::collections::HashMap;

use super::{Planner, Window, number};
use crate::{
    impact::Verdict,
    joint::{Found, Harm, Hunt, ROUNDING, together},
};

/// A time during which the same parts surround a change.
pub(super) struct Piece {
    pub(super) window: Window,
    /// The changes under way that share a service with it, ascending.
    pub(super) others: Vec<u32>,
    pub(super) standing: Vec<u32>,
}

/// Harm in which one change takes part.
pub(super) struct Part {
    pub(super) service: u32,
    pub(super) changes: Vec<u32>,
    pub(super) loss: f64,
    pub(super) verdict: Verdict,
}

/// All harm in which one change takes part.
#[derive(Default)]
pub(super) struct Around {
    pub(super) parts: Vec<Part>,
    /// Services for which there may be more.
    pub(super) cut: Vec<u32>,
}

/// Minimal sets with a change found before, by change, service, harm (a loss as bits, 0 for a
/// breach), standing outages and the changes that reach the service.
pub(super) type Memo = HashMap<(u32, u32, u64, Vec<u32>, Vec<u32>), Found>;

impl Planner<'_> {
    /// Takes a window apart for a change that might take place in it.
    pub(super) fn pieces(&self, change: u32, window: Window) -> Vec<Piece> {
        let around = &self.touching[change as usize];
        let neighbours = || around.ones().map(|at| (number(at), self.plan.changes[at].window));
        let standing = self.plan.standing.iter().map(|standing| standing.window);
        let windows = neighbours().map(|(_, window)| window).chain(standing).chain([window]);
        let mut bounds: Vec<i64> = windows
            .flat_map(|other| [other.start, other.end])
            .filter(|second| (window.start..=window.end).contains(second))
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        let piece = |pair: &[i64]| Piece {
            window: Window::new(pair[0], pair[1]),
            others: neighbours().filter(|(_, window)| window.contains(pair[0])).map(|(other, _)| other).collect(),
            standing: self.standing_at(pair[0]),
        };
        bounds.windows(2).map(piece).collect()
    }

    /// All harm in which `change` takes part during a piece; `None` when the budget is used up.
    pub(super) fn around(&mut self, change: u32, piece: &Piece, memo: &mut Memo) -> Option<Around> {
        let standing = &piece.standing;
        let among = together(&piece.others, &[change]);
        let before = self.joint.losses(standing)?;
        let all = self.joint.losses(&together(&among, standing))?;
        let mut alone = Vec::with_capacity(among.len());
        for &part in &among {
            alone.push((part, self.joint.losses(&together(&[part], standing))?));
        }
        let mut around = Around::default();
        for (service, loss) in all.iter() {
            let base = before.of(service);
            if !self.joint.reaches_service(change, service) || self.joint.verdict(service, base) == Verdict::Breached {
                continue;
            }
            let mut worst = base;
            let mut guilty = Vec::new();
            for (part, losses) in &alone {
                let loss = losses.of(service);
                worst = worst.max(loss);
                if self.joint.verdict(service, loss) == Verdict::Breached {
                    guilty.push(*part);
                }
                if *part == change && loss > base + ROUNDING {
                    let verdict = self.joint.verdict(service, loss);
                    around.parts.push(Part { service, changes: vec![change], loss, verdict });
                }
            }
            let harm = match self.joint.verdict(service, loss) {
                Verdict::Breached => Harm::Breach,
                _ if loss > worst + ROUNDING => Harm::Loss(loss),
                _ => continue,
            };
            if guilty.contains(&change) {
                continue;
            }
            let among: Vec<u32> = among.iter().copied().filter(|part| !guilty.contains(part)).collect();
            let found = self.sets_with(change, service, harm, &among, standing, memo);
            if found.is_cut {
                around.cut.push(service);
            }
            for set in found.sets {
                let loss = self.joint.losses(&together(&set, standing))?.of(service);
                let verdict = self.joint.verdict(service, loss);
                around.parts.push(Part { service, changes: set, loss, verdict });
            }
        }
        Some(around)
    }

    /// The minimal sets with a change that do a harm.
    fn sets_with(
        &mut self,
        change: u32,
        service: u32,
        harm: Harm,
        among: &[u32],
        standing: &[u32],
        memo: &mut Memo,
    ) -> Found {
        let reaching: Vec<u32> =
            among.iter().copied().filter(|&part| self.joint.reaches_service(part, service)).collect();
        if reaching.len() < 2 {
            return Found::default();
        }
        let bits = match harm {
            Harm::Breach => 0,
            Harm::Loss(loss) => loss.to_bits(),
        };
        let key = (change, service, bits, standing.to_vec(), reaching);
        if let Some(known) = memo.get(&key) {
            return known.clone();
        }
        let hunt = Hunt { standing, among, service, harm, focus: Some(change) };
        let found = self.joint.minimal_sets(&hunt, Vec::new());
        memo.insert(key, found.clone());
        found
    }
}
