//! What of an approval still holds, and the gate.

use std::sync::Arc;

use keelson_change::ProblemCode::{BadValue, CalendarViolated, IllegalTransition, Outdated};
use keelson_change::recheck::{difference, gate, recheck};
use keelson_change::{Policy, ProblemCode, Reapproval};
use keelson_model::{
    Effect, EffectOn, FrozenAssessment, KnownCollision, RecheckReason, RecordChange, RequestForChange, Revision,
};

use super::world::{World, assessment, at, effect, hours, name};

#[test]
fn assessments_differ_by_what_joined_what_left_and_what_got_worse() {
    let world = World::new();
    let (hv1, payments) = (world.id("host/hv1"), world.id("business-service/payments"));
    let before = [effect(payments, Effect::Protected)];
    assert!(difference(&before, &before).is_empty());
    let found = difference(&before, &[effect(payments, Effect::Breached), effect(hv1, Effect::Protected)]);
    assert_eq!(found.worse.len(), 2);
    let found = difference(&[effect(hv1, Effect::Breached)], &[]);
    assert_eq!(found.better, [effect(hv1, Effect::Protected)]);
    let fewer_doubts = EffectOn { at_best: Effect::Protected, ..effect(payments, Effect::Breached) };
    assert_eq!(
        difference(&[effect(payments, Effect::Breached)], std::slice::from_ref(&fewer_doubts)).better,
        [fewer_doubts]
    );
    let new_point = EffectOn { new_single_points: vec![hv1], ..effect(payments, Effect::MarginLost) };
    assert_eq!(
        difference(&[effect(payments, Effect::MarginLost)], std::slice::from_ref(&new_point)).worse,
        [new_point]
    );
    let degraded = |loss: f64| EffectOn { loss, ..effect(payments, Effect::Degraded) };
    let less_but_new = EffectOn { new_single_points: vec![hv1], ..degraded(0.2) };
    let found = difference(&[degraded(0.3)], std::slice::from_ref(&less_but_new));
    assert_eq!((found.worse, found.better), (vec![less_but_new], Vec::new()));
}

#[test]
fn a_difference_is_noted_once_and_counts_by_the_policy() {
    let mut world = World::new();
    let payments = world.id("business-service/payments");
    let fields = world.fields();
    let request = world.approved(&fields, vec![effect(payments, Effect::Protected)]);
    let again = |request: &RequestForChange, to: Effect, policy: &Policy| {
        let fresh = assessment(9, vec![effect(payments, to)]);
        recheck(request, &fresh, Revision(9), RecheckReason::Catalogue, at(1), policy)
    };
    let policy = world.policy.clone();
    assert_eq!(again(&request, Effect::Protected, &policy), None);
    let found = again(&request, Effect::MarginLost, &policy).unwrap();
    assert_eq!((found.cause, found.needs_approval), (Revision(9), true));
    let lenient = Policy { reapproval: Reapproval::Breached, ..policy.clone() };
    assert!(!again(&request, Effect::Degraded, &lenient).unwrap().needs_approval);
    assert!(again(&request, Effect::Breached, &lenient).unwrap().needs_approval);
    let mut noted = RequestForChange::clone(&request);
    noted.rechecks.push(found);
    assert!(noted.needs_approval_again());
    assert_eq!(again(&noted, Effect::MarginLost, &policy), None);
    // A freeze or another request that came in the way is a difference too.
    let mut frozen = assessment(9, vec![effect(payments, Effect::Protected)]);
    frozen.violations = vec![name("payments loses margin during the freeze 'year end'")];
    let calendar = recheck(&request, &frozen, Revision(9), RecheckReason::Schedule, at(1), &policy).unwrap();
    assert!(calendar.worse.is_empty() && calendar.needs_approval);
    assert_eq!(calendar.violations, frozen.violations);
    // When it is as it was, the approval holds again.
    let back = again(&noted, Effect::Protected, &policy).unwrap();
    assert!(!back.needs_approval && back.worse.is_empty());
}

/// What keeps the gate of a request closed at an hour.
fn closed(world: &World, request: &RequestForChange, fresh: &FrozenAssessment, hour: i64) -> Vec<ProblemCode> {
    let closed = gate(&world.catalogue, request, fresh, at(hour), &world.policy);
    closed.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn the_gate_opens_for_what_was_approved_in_its_window_as_it_was() {
    let mut world = World::new();
    let payments = world.id("business-service/payments");
    let fields = world.fields();
    let request = world.approved(&fields, vec![effect(payments, Effect::Protected)]);
    let same = assessment(4, vec![effect(payments, Effect::Protected)]);
    assert_eq!(closed(&world, &request, &same, 22), []);
    assert_eq!(closed(&world, &request, &same, 21), [BadValue]);
    assert_eq!(closed(&world, &request, &same, 26), [BadValue], "the end is not part of the window");
    let worse = assessment(5, vec![effect(payments, Effect::Breached)]);
    assert_eq!(closed(&world, &request, &worse, 23), [Outdated]);
    let violating = FrozenAssessment { violations: vec![name("a freeze")], ..same.clone() };
    assert_eq!(closed(&world, &request, &violating, 23), [CalendarViolated]);
    // A search that was cut short has found nothing, which is not the same as there being nothing.
    let cut = FrozenAssessment { unsearched: vec![name("the search for collisions")], ..same.clone() };
    assert_eq!(closed(&world, &request, &cut, 23), [Outdated]);
    let draft = world.new_request(&world.fields()).unwrap().after.unwrap();
    assert_eq!(closed(&world, &draft, &same, 23), [IllegalTransition]);
}

#[test]
fn the_gate_closes_for_collisions_that_were_not_approved_with_requests_that_may_be_done() {
    let mut world = World::new();
    let payments = world.id("business-service/payments");
    let fields = world.fields();
    let mut request = RequestForChange::clone(&world.approved(&fields, Vec::new()));
    let other = world.new_request(&fields).unwrap();
    let key = Arc::clone(&other.after.as_ref().unwrap().key);
    world.commit(&[RecordChange::Request(other)]);
    let with = |key: &str, from, to| {
        let collision = KnownCollision { service: payments, window: hours(from, to), with: vec![name(key)] };
        FrozenAssessment { collisions: vec![collision], ..assessment(4, Vec::new()) }
    };
    assert_eq!(closed(&world, &request, &with("RFC-9", 23, 24), 23), [Outdated], "it may be done for all we know");
    assert_eq!(closed(&world, &request, &with(&key, 23, 24), 23), [], "nobody has decided on it");
    // What was approved is approved for that service and time alone.
    request.approval.as_mut().unwrap().assessment = with("RFC-9", 23, 24);
    assert_eq!(closed(&world, &request, &with("RFC-9", 23, 24), 23), []);
    assert_eq!(closed(&world, &request, &with("RFC-9", 22, 24), 23), [Outdated]);
}
