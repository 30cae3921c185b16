//! The change together with the others planned then.

use std::collections::HashSet;

use keelson_analysis::Pool;
use keelson_analysis::certainty::Target;
use keelson_analysis::impact::Seed;
use keelson_analysis::schedule::{Planner, Policy as ShiftPolicy, Scenario, Schedule};
use keelson_change::Policy;
use keelson_graph::ItemIx;
use keelson_model::{ChangeState, RequestForChange, Window};

use super::lines::{CollisionLine, ShiftLine};
use super::{Standing, seeds_of};
use crate::schedule::{planned, reversals, services_among, standing_outages, window_from};
use crate::subject::ci_of;
use crate::{Basis, LimitCode, QuestionError, Subject, View};

/// What was found about the change together with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joint {
    /// The others, by key and version.
    pub(crate) with: Vec<(String, u32)>,
    pub(crate) collisions: Vec<CollisionLine>,
    pub(crate) shift: Option<ShiftLine>,
}

/// Requests that may be done while this one is, or is being reversed.
fn others<'a>(view: &'a View, request: &RequestForChange, span: Window) -> Vec<&'a RequestForChange> {
    let open = view.catalogue.open_requests().map(|kept| &*kept.record);
    let meets = |other: &&RequestForChange| {
        let shadow = other.shadow().is_some_and(|shadow| shadow.overlap(&span).is_some());
        shadow || other.window.is_some_and(|window| window.overlap(&span).is_some())
    };
    open.filter(|other| other.id != request.id && other.state != ChangeState::Draft).filter(meets).collect()
}

/// Collisions of a request with others, and how it would have to be moved. `reached` are the items the
/// request itself can reach.
#[allow(clippy::too_many_arguments)]
pub(crate) fn of(
    view: &View,
    request: &RequestForChange,
    seeds: &[Seed],
    reached: &HashSet<ItemIx>,
    standing: &[Standing],
    policy: &Policy,
    basis: &mut Basis,
    pool: &Pool,
) -> Result<Joint, QuestionError> {
    let Some(window) = request.window else { return Ok(Joint::default()) };
    let whole = window.through(request.shadow());
    let others: Vec<&RequestForChange> =
        others(view, request, whole).into_iter().filter(|other| !seeds_of(view, other).0.is_empty()).collect();
    let with = others.iter().map(|other| (other.key.to_string(), other.version)).collect();
    if seeds.is_empty() || others.is_empty() {
        return Ok(Joint { with, ..Joint::default() });
    }
    let all: Vec<&RequestForChange> = std::iter::once(request).chain(others).collect();
    let changes = all.iter().filter_map(|request| planned(view, request)).collect::<Vec<_>>();
    let services = services_among(view, reached.iter().copied());
    let outages = standing_outages(standing);
    let plan = keelson_analysis::schedule::Plan {
        standing: &outages,
        ..keelson_analysis::schedule::Plan::of(&changes, &services)
    };
    let mut planner = Planner::new(&view.graph, plan, pool)?;
    let found = planner.schedule();
    if found.is_truncated || !found.cut.is_empty() {
        basis.limit(LimitCode::CollisionBudget, "the search for colliding changes was cut short; there may be more");
    }
    reversals::note(basis, &all, &changes, Some(whole));
    let collisions = lines(view, &all, &services, &found);
    let shift = collisions.iter().any(|line| line.reversed.is_none()).then(|| {
        let most = i64::from(policy.longest_shift_hours) * 3_600;
        let policy = ShiftPolicy { most, earliest: i64::MIN / 2, latest: i64::MAX / 2 };
        planner.smallest_shift(&found, &[0], &policy).shift
    });
    let shift = shift.flatten().and_then(|shift| {
        let window = window_from(shift.window)?;
        Some(ShiftLine {
            change: request.key.to_string(),
            seconds: shift.by,
            window,
            leaves_agreed: shift.leaves_agreed,
            left: shift.remaining.len(),
        })
    });
    Ok(Joint { with, collisions, shift })
}

/// Collisions this change has a part in.
fn lines(view: &View, all: &[&RequestForChange], services: &[Target], found: &Schedule) -> Vec<CollisionLine> {
    let own = found.collisions().filter(|finding| finding.changes.contains(&0));
    let lines = own.filter_map(|finding| {
        Some(CollisionLine {
            service: Subject::of(&view.catalogue, ci_of(services[finding.service].item)),
            window: window_from(finding.window)?,
            changes: finding.changes.iter().map(|at| all[*at].key.to_string()).collect(),
            loss: finding.loss,
            reversed: match finding.scenario {
                Scenario::Plan => None,
                Scenario::BackOut(at) => Some(all[at].key.to_string()),
            },
        })
    });
    lines.collect()
}
