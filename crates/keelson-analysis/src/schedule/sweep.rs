//! The sweep over time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Effect, Finding, Interval, Planner, Scenario, Schedule, Window,
    around::{Memo, Part},
    number, places,
};
use crate::{
    impact::Verdict,
    joint::{Found, Harm, Hunt, Losses, ROUNDING, is_subset, together},
};

/// Findings that go on are merged as they come.
#[derive(Default)]
struct Merger {
    open: HashMap<(u32, Vec<u32>, Option<u32>), Finding>,
    done: Vec<Finding>,
    cut: HashMap<u32, Vec<Window>>,
}

impl Merger {
    fn add(&mut self, window: Window, part: &Part, backed_out: Option<u32>) {
        let key = (part.service, part.changes.clone(), backed_out);
        let goes_on =
            |known: &&mut Finding| known.window.end == window.start && (known.loss - part.loss).abs() <= ROUNDING;
        if let Some(known) = self.open.get_mut(&key).filter(goes_on) {
            known.window.end = window.end;
            return;
        }
        let scenario = backed_out.map_or(Scenario::Plan, |change| Scenario::BackOut(change as usize));
        let (service, changes) = (part.service as usize, places(&part.changes));
        let finding = Finding { window, service, changes, loss: part.loss, verdict: part.verdict, scenario };
        self.done.extend(self.open.insert(key, finding));
    }

    fn cut(&mut self, window: Window, service: u32) {
        let windows = self.cut.entry(service).or_default();
        match windows.last_mut() {
            Some(last) if last.end >= window.start && last.start <= window.start => last.end = last.end.max(window.end),
            _ => windows.push(window),
        }
    }

    fn finish(self) -> (Vec<Finding>, Vec<(usize, Window)>) {
        let mut findings = self.done;
        findings.extend(self.open.into_values());
        findings.sort_by(|a, b| {
            let key = |f: &Finding| (f.window, f.service, f.scenario);
            key(a).cmp(&key(b)).then_with(|| a.changes.cmp(&b.changes))
        });
        let windows = |(service, windows): (u32, Vec<Window>)| windows.into_iter().map(move |w| (service as usize, w));
        let mut cut: Vec<(usize, Window)> = self.cut.into_iter().flat_map(windows).collect();
        cut.sort_unstable();
        (findings, cut)
    }
}

/// The collisions on one service that are known, among some changes.
#[derive(Default)]
struct Known {
    among: Vec<u32>,
    found: Found,
}

/// What is remembered from one interval to the next, while the same outages stand.
#[derive(Default)]
struct Memory {
    standing: Vec<u32>,
    breaches: HashMap<u32, Known>,
    lesser: HashMap<(u32, u64, Vec<u32>), Found>,
}

/// One interval of the sweep.
struct Now {
    window: Window,
    standing: Vec<u32>,
    before: Arc<Losses>,
}

impl Planner<'_> {
    /// Says what the plan does to its services.
    pub fn schedule(&mut self) -> Schedule {
        let (mut merger, mut intervals) = (Merger::default(), Vec::new());
        let swept = self.sweep(&mut intervals, &mut merger);
        let swept = swept.and_then(|()| if self.plan.back_out { self.back_outs(&mut merger) } else { Some(()) });
        let (findings, cut) = merger.finish();
        let is_truncated = swept.is_none() || self.joint.is_spent;
        Schedule { intervals, findings, cut, evaluations: self.joint.evaluations, is_truncated }
    }

    fn sweep(&mut self, intervals: &mut Vec<Interval>, merger: &mut Merger) -> Option<()> {
        let changes = self.plan.changes;
        let mut bounds: BTreeSet<i64> = changes.iter().flat_map(|c| [c.window.start, c.window.end]).collect();
        let (Some(&first), Some(&last)) = (bounds.first(), bounds.last()) else { return Some(()) };
        let standing = self.plan.standing.iter().flat_map(|standing| [standing.window.start, standing.window.end]);
        bounds.extend(standing.filter(|second| (first..last).contains(second)));
        let mut starts: Vec<u32> = (0..changes.len()).map(number).collect();
        starts.sort_by_key(|&change| changes[change as usize].window.start);
        let (mut starts, mut active) = (starts.into_iter().peekable(), BTreeSet::new());
        let mut memory = Memory::default();
        for (&start, &end) in bounds.iter().zip(bounds.iter().skip(1)) {
            active.retain(|&change: &u32| changes[change as usize].window.end > start);
            while let Some(change) = starts.next_if(|&change| changes[change as usize].window.start <= start) {
                active.insert(change);
            }
            if active.is_empty() {
                continue;
            }
            let standing = self.standing_at(start);
            if standing != memory.standing {
                memory = Memory { standing: standing.clone(), ..Memory::default() };
            }
            let before = self.joint.losses(&standing)?;
            let now = Now { window: Window::new(start, end), standing, before };
            let active: Vec<u32> = active.iter().copied().collect();
            let effects = self.interval(&now, &active, &mut memory, merger)?;
            let first = changes.len();
            let standing = now.standing.iter().map(|&part| part as usize - first).collect();
            intervals.push(Interval { window: now.window, active: places(&active), standing, effects });
        }
        Some(())
    }

    /// Evaluates one interval.
    fn interval(&mut self, now: &Now, active: &[u32], memory: &mut Memory, merger: &mut Merger) -> Option<Vec<Effect>> {
        let mut worst: HashMap<u32, f64> = now.before.iter().collect();
        for (service, loss) in now.before.iter() {
            let verdict = self.joint.verdict(service, loss);
            merger.add(now.window, &Part { service, changes: Vec::new(), loss, verdict }, None);
        }
        for group in self.groups(active) {
            let all = self.joint.losses(&together(&group, &now.standing))?;
            let mut alone = Vec::with_capacity(group.len());
            for &change in &group {
                alone.push((change, self.joint.losses(&together(&[change], &now.standing))?));
            }
            for (service, loss) in all.iter() {
                let known = worst.entry(service).or_insert(0.0);
                *known = known.max(loss);
                if loss > now.before.of(service) + ROUNDING {
                    self.service(now, service, loss, &alone, memory, merger)?;
                }
            }
        }
        let mut effects: Vec<Effect> = worst
            .into_iter()
            .map(|(service, loss)| {
                let verdict = self.joint.verdict(service, loss);
                Effect { service: service as usize, loss, verdict }
            })
            .collect();
        effects.sort_unstable_by_key(|effect| effect.service);
        Some(effects)
    }

    /// Active changes that share services, directly or through each other; only those can do
    /// anything together.
    fn groups(&self, active: &[u32]) -> Vec<Vec<u32>> {
        let mut rest: BTreeSet<u32> = active.iter().copied().collect();
        let mut groups = Vec::new();
        while let Some(first) = rest.pop_first() {
            let (mut group, mut at) = (vec![first], 0);
            while at < group.len() {
                let touching = &self.touching[group[at] as usize];
                let near: Vec<u32> = rest.iter().copied().filter(|&other| touching.contains(other as usize)).collect();
                rest.retain(|other| near.binary_search(other).is_err());
                group.extend(near);
                at += 1;
            }
            group.sort_unstable();
            groups.push(group);
        }
        groups
    }

    /// Notes what harms one service in an interval. `alone` is what each change of its group does.
    fn service(
        &mut self,
        now: &Now,
        service: u32,
        loss: f64,
        alone: &[(u32, Arc<Losses>)],
        memory: &mut Memory,
        merger: &mut Merger,
    ) -> Option<()> {
        let base = now.before.of(service);
        if self.joint.verdict(service, base) == Verdict::Breached {
            return Some(());
        }
        let (mut worst, mut innocent) = (base, Vec::with_capacity(alone.len()));
        for (change, losses) in alone {
            let loss = losses.of(service);
            let verdict = self.joint.verdict(service, loss);
            worst = worst.max(loss);
            if verdict != Verdict::Breached {
                innocent.push(*change);
            }
            if loss > base + ROUNDING {
                merger.add(now.window, &Part { service, changes: vec![*change], loss, verdict }, None);
            }
        }
        let reaching: Vec<u32> =
            innocent.iter().copied().filter(|&change| self.joint.reaches_service(change, service)).collect();
        if reaching.len() < 2 {
            return Some(());
        }
        let found = if self.joint.verdict(service, loss) == Verdict::Breached {
            let known = memory.breaches.entry(service).or_default();
            self.update(known, now, service, &innocent, reaching)?;
            known.found.clone()
        } else if loss > worst + ROUNDING {
            let hunt = Hunt { standing: &now.standing, among: &innocent, service, harm: Harm::Loss(loss), focus: None };
            let key = (service, loss.to_bits(), reaching);
            let find = || self.joint.minimal_sets(&hunt, Vec::new());
            memory.lesser.entry(key).or_insert_with(find).clone()
        } else {
            Found::default()
        };
        if found.is_cut {
            merger.cut(now.window, service);
        }
        for changes in found.sets {
            let loss = self.joint.losses(&together(&changes, &now.standing))?.of(service);
            let verdict = self.joint.verdict(service, loss);
            merger.add(now.window, &Part { service, changes, loss, verdict }, None);
        }
        Some(())
    }

    /// Brings the known collisions on a service up to date with the changes that now reach it.
    fn update(
        &mut self,
        known: &mut Known,
        now: &Now,
        service: u32,
        innocent: &[u32],
        reaching: Vec<u32>,
    ) -> Option<()> {
        if known.among == reaching {
            return Some(());
        }
        known.found.sets.retain(|set| is_subset(set, &reaching));
        let came: Vec<u32> = reaching.iter().copied().filter(|c| known.among.binary_search(c).is_err()).collect();
        known.among = reaching;
        if came.is_empty() {
            return Some(());
        }
        // If together they do no harm, no part of them does.
        let loss = self.joint.losses(&together(innocent, &now.standing))?.of(service);
        if self.joint.verdict(service, loss) != Verdict::Breached {
            known.found = Found::default();
            return Some(());
        }
        // What was cut before stays cut. With one newcomer only sets with it can be new.
        let focus = if came.len() == 1 && !known.found.is_cut { Some(came[0]) } else { None };
        let hunt = Hunt { standing: &now.standing, among: innocent, service, harm: Harm::Breach, focus };
        let before = std::mem::take(&mut known.found);
        let new = self.joint.minimal_sets(&hunt, before.sets.clone());
        known.found.is_cut = new.is_cut;
        known.found.sets = before.sets.into_iter().chain(new.sets).collect();
        known.found.sets.sort();
        known.found.sets.dedup();
        Some(())
    }

    /// Looks at each change being backed out on top of the plan.
    fn back_outs(&mut self, merger: &mut Merger) -> Option<()> {
        for (at, change) in self.plan.changes.iter().enumerate() {
            let end = change.window.end;
            let shadow = Window::new(end, end.saturating_add(i64::from(change.rollback)));
            let mut memo = Memo::new();
            for piece in self.pieces(number(at), shadow) {
                let around = self.around(number(at), &piece, &mut memo)?;
                around.parts.iter().for_each(|part| merger.add(piece.window, part, Some(number(at))));
                around.cut.iter().for_each(|&service| merger.cut(piece.window, service));
            }
        }
        Some(())
    }
}
