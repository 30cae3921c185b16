//! The sweep over time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Effect, Finding, Interval, Planner, Scenario, Schedule, Window,
    group::{Harms, Part},
    number, places,
};
use crate::joint::{ROUNDING, together};

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

/// What groups do, each for as long as it goes on unchanged.
#[derive(Default)]
struct Spans {
    /// By the harms themselves, which are kept once per group.
    open: HashMap<*const Harms, (Window, Arc<Harms>)>,
    done: Vec<(Window, Arc<Harms>)>,
}

impl Spans {
    fn add(&mut self, window: Window, harms: Arc<Harms>) {
        match self.open.get_mut(&Arc::as_ptr(&harms)) {
            Some((known, _)) if known.end == window.start => known.end = window.end,
            _ => self.done.extend(self.open.insert(Arc::as_ptr(&harms), (window, harms))),
        }
    }

    /// Hands everything on, in order of time.
    fn finish(self, merger: &mut Merger, backed_out: Option<u32>) {
        let mut spans = self.done;
        spans.extend(self.open.into_values());
        spans.sort_by_key(|(window, _)| *window);
        for (window, harms) in spans {
            harms.parts.iter().for_each(|part| merger.add(window, part, backed_out));
            harms.cut.iter().for_each(|&service| merger.cut(window, service));
        }
    }
}

impl Planner<'_> {
    /// Says what the plan does to its services.
    pub fn schedule(&mut self) -> Schedule {
        let (mut merger, mut spans, mut intervals) = (Merger::default(), Spans::default(), Vec::new());
        let swept = self.sweep(&mut intervals, &mut spans, &mut merger);
        spans.finish(&mut merger, None);
        let swept = swept.and_then(|()| if self.plan.back_out { self.back_outs(&mut merger) } else { Some(()) });
        let (findings, cut) = merger.finish();
        let is_truncated = swept.is_none() || self.joint.is_spent;
        Schedule { intervals, findings, cut, evaluations: self.joint.evaluations, is_truncated }
    }

    fn sweep(&mut self, intervals: &mut Vec<Interval>, spans: &mut Spans, merger: &mut Merger) -> Option<()> {
        let changes = self.plan.changes;
        let mut bounds: BTreeSet<i64> = changes.iter().flat_map(|c| [c.window.start, c.window.end]).collect();
        let (Some(&first), Some(&last)) = (bounds.first(), bounds.last()) else { return Some(()) };
        let standing = self.plan.standing.iter().flat_map(|standing| [standing.window.start, standing.window.end]);
        bounds.extend(standing.filter(|second| (first..last).contains(second)));
        let mut starts: Vec<u32> = (0..changes.len()).map(number).collect();
        starts.sort_by_key(|&change| changes[change as usize].window.start);
        let (mut starts, mut active) = (starts.into_iter().peekable(), BTreeSet::new());
        for (&start, &end) in bounds.iter().zip(bounds.iter().skip(1)) {
            active.retain(|&change: &u32| changes[change as usize].window.end > start);
            while let Some(change) = starts.next_if(|&change| changes[change as usize].window.start <= start) {
                active.insert(change);
            }
            if active.is_empty() {
                continue;
            }
            let standing = self.standing_at(start);
            let window = Window::new(start, end);
            let active: Vec<u32> = active.iter().copied().collect();
            let effects = self.interval(window, &standing, &active, spans, merger)?;
            let standing = standing.iter().map(|&part| part as usize - changes.len()).collect();
            intervals.push(Interval { window, active: places(&active), standing, effects });
        }
        Some(())
    }

    /// Evaluates one interval.
    fn interval(
        &mut self,
        window: Window,
        standing: &[u32],
        active: &[u32],
        spans: &mut Spans,
        merger: &mut Merger,
    ) -> Option<Vec<Effect>> {
        let before = self.joint.losses(standing)?;
        let mut worst = vec![0.0_f64; self.plan.services.len()];
        for (service, loss) in before.iter() {
            let verdict = self.joint.verdict(service, loss);
            merger.add(window, &Part { service, changes: Vec::new(), loss, verdict }, None);
            worst[service as usize] = loss;
        }
        for group in self.groups(active, standing)? {
            // No two groups do anything together, so every loss is that under some group.
            for (service, loss) in self.joint.losses(&together(&group, standing))?.iter() {
                let known = &mut worst[service as usize];
                *known = known.max(loss);
            }
            spans.add(window, self.harms(group, standing, None)?);
        }
        let effect = |(service, loss): (usize, f64)| {
            let verdict = self.joint.verdict(number(service), loss);
            Effect { service, loss, verdict }
        };
        Some(worst.into_iter().enumerate().filter(|(_, loss)| *loss > 0.0).map(effect).collect())
    }

    /// Looks at each change being backed out on top of the plan.
    fn back_outs(&mut self, merger: &mut Merger) -> Option<()> {
        for (at, change) in self.plan.changes.iter().enumerate() {
            let end = change.window.end;
            let shadow = Window::new(end, end.saturating_add(i64::from(change.rollback)));
            let mut spans = Spans::default();
            for piece in self.pieces(number(at), shadow) {
                spans.add(piece.window, self.around(number(at), &piece)?);
            }
            spans.finish(merger, Some(number(at)));
        }
        Some(())
    }
}
