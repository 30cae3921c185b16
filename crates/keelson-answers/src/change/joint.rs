//! The change together with the others planned then.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::certainty::Target;
use keelson_analysis::impact::Seed;
use keelson_analysis::schedule::{
    Change, Finding, Plan, Planner, Policy as ShiftPolicy, Scenario, Schedule, Standing as Outage,
};
use keelson_graph::ItemIx;
use keelson_model::{ChangeState, RequestForChange, Window};

use super::lines::{CollisionLine, ShiftLine};
use super::{ChangeQuestion, Setting, seeds_of, standing_within};
use crate::schedule::{
    doubts, freezes_met, horizon, planned, reach, reversals, seconds, services_among, standing_outages, window_from,
};
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// What was found about the change together with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joint {
    /// The others, by key and version.
    pub(crate) with: Vec<(String, u32)>,
    pub(crate) collisions: Vec<CollisionLine>,
    pub(crate) shift: Option<ShiftLine>,
}

/// Requests that may take something away within some times, in their windows or while they are reversed.
fn others<'a>(view: &'a View, request: &RequestForChange, within: Window, asked: Asked) -> Vec<&'a RequestForChange> {
    let open = view.catalogue.open_requests().map(|kept| &*kept.record);
    let meets = |other: &&RequestForChange| {
        reach(other, asked.at).is_some_and(|reach| reach.overlap(&within).is_some())
            && !seeds_of(view, other).0.is_empty()
    };
    open.filter(|other| other.id != request.id && other.state != ChangeState::Draft).filter(meets).collect()
}

/// Collisions of a request with others, and how it would have to be moved. `reached` are the items the
/// request itself can reach.
pub(crate) fn of(
    setting: Setting<'_>,
    seeds: &[Seed],
    reached: &HashSet<ItemIx>,
    basis: &mut Basis,
) -> Result<Joint, QuestionError> {
    let Setting { view, asked, pool, .. } = setting;
    let ChangeQuestion { request, stop, .. } = *setting.question;
    let Some(whole) = reach(request, asked.at) else { return Ok(Joint::default()) };
    let others = others(view, request, whole, asked);
    let with = others.iter().map(|other| (other.key.to_string(), other.version)).collect();
    if seeds.is_empty() || others.is_empty() {
        return Ok(Joint { with, ..Joint::default() });
    }
    let all: Vec<&RequestForChange> = std::iter::once(request).chain(others).collect();
    let (changes, outages) = plan(setting, &all, whole)?;
    let services = services_among(view, reached.iter().copied());
    let plan = Plan { standing: &outages, stop, ..Plan::of(&changes, &services) };
    let found = Planner::new(&view.graph, plan, pool)?.schedule();
    let doubtful = doubts::findings(view, plan, &found, reached.iter().copied(), pool)?;
    if found.is_truncated || !found.cut.is_empty() || doubtful.is_cut {
        basis.limit(LimitCode::CollisionBudget, "the search for colliding changes was cut short; there may be more");
    }
    reversals::note(basis, &all, &changes, Some(whole));
    let collisions = lines(view, &all, &services, &found, &doubtful.findings);
    let is_movable = request.state != ChangeState::InProgress;
    let collides = found.collisions().any(|finding| is_own(finding) && finding.scenario == Scenario::Plan);
    let shift = if is_movable && collides { shift(setting, whole, &services, &found, basis)? } else { None };
    Ok(Joint { with, collisions, shift })
}

/// Requests, the one in question first, and what is down anyway, as the analyses take them.
fn plan(
    setting: Setting<'_>,
    all: &[&RequestForChange],
    within: Window,
) -> Result<(Vec<Change>, Vec<Outage>), QuestionError> {
    let Setting { view, marks, asked, pool, .. } = setting;
    let mut changes: Vec<Change> = all.iter().filter_map(|request| planned(view, request, asked.at)).collect();
    for other in changes.iter_mut().skip(1) {
        other.seeds = marks.carried(std::mem::take(&mut other.seeds), pool)?;
    }
    let mut outages = standing_outages(&standing_within(view, within));
    for outage in &mut outages {
        outage.seeds = marks.carried(std::mem::take(&mut outage.seeds), pool)?;
    }
    Ok((changes, outages))
}

/// The smallest shift of a request that ends its collisions: to a time that is still ahead, and away from
/// everything that is planned or down there.
fn shift(
    setting: Setting<'_>,
    whole: Window,
    services: &[Target],
    found: &Schedule,
    basis: &mut Basis,
) -> Result<Option<ShiftLine>, QuestionError> {
    let Setting { view, asked, pool, .. } = setting;
    let ChangeQuestion { request, policy, stop, .. } = *setting.question;
    let most = TimeDelta::hours(i64::from(policy.longest_shift_hours));
    let from = whole.start().checked_sub_signed(most).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let to = whole.end().checked_add_signed(most).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let near = Window::new(from, to).unwrap_or(whole);
    let all: Vec<&RequestForChange> = std::iter::once(request).chain(others(view, request, near, asked)).collect();
    let (changes, outages) = plan(setting, &all, near)?;
    let plan = Plan { standing: &outages, stop, ..Plan::of(&changes, services) };
    let mut planner = Planner::new(&view.graph, plan, pool)?;
    let earliest = seconds(asked.at.min(whole.start()));
    let limits = ShiftPolicy { most: most.num_seconds(), earliest, latest: i64::MAX / 2 };
    let search = planner.smallest_shift(found, &[0], &limits);
    if search.is_truncated {
        basis.limit(LimitCode::CollisionBudget, "the search for a shift was cut short; there may be one");
    }
    Ok(search.shift.and_then(|shift| {
        let window = window_from(shift.window, whole.end())?;
        Some(ShiftLine {
            change: request.key.to_string(),
            seconds: shift.by,
            window,
            leaves_agreed: shift.leaves_agreed,
            left: shift.remaining.len(),
            meets: freezes_met(view, window, services),
        })
    }))
}

/// Whether the request in question has a part in a collision.
fn is_own(finding: &Finding) -> bool {
    finding.changes.contains(&0)
}

/// Collisions this change has a part in: those that are so, then those that are so if doubts turn out badly.
fn lines(
    view: &View,
    all: &[&RequestForChange],
    services: &[Target],
    found: &Schedule,
    doubtful: &[Finding],
) -> Vec<CollisionLine> {
    let horizon = horizon(all.iter().copied(), DateTime::<Utc>::MIN_UTC);
    let certain = found.collisions().map(|finding| (finding, false));
    let possible = doubtful.iter().filter(|finding| finding.is_collision()).map(|finding| (finding, true));
    let own = certain.chain(possible).filter(|(finding, _)| is_own(finding));
    let lines = own.filter_map(|(finding, only_in_doubt)| {
        Some(CollisionLine {
            service: Subject::of(&view.catalogue, ci_of(services[finding.service].item)),
            window: window_from(finding.window, horizon)?,
            changes: finding.changes.iter().map(|at| all[*at].key.to_string()).collect(),
            loss: finding.loss,
            reversed: match finding.scenario {
                Scenario::Plan => None,
                Scenario::BackOut(at) => Some(all[at].key.to_string()),
            },
            only_in_doubt,
        })
    });
    lines.collect()
}
