//! What of an approval still holds, and the gate.

use keelson_change::ProblemCode::{BadValue, CalendarViolated, IllegalTransition, Outdated};
use keelson_change::recheck::{difference, gate, recheck};
use keelson_change::{Policy, Reapproval};
use keelson_model::{Effect, EffectOn, RecheckReason, RequestForChange, Revision};

use super::world::{World, assessment, at, effect, name};

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

#[test]
fn the_gate_opens_for_what_was_approved_in_its_window_as_it_was() {
    let mut world = World::new();
    let payments = world.id("business-service/payments");
    let fields = world.fields();
    let request = world.approved(&fields, vec![effect(payments, Effect::Protected)]);
    let same = assessment(4, vec![effect(payments, Effect::Protected)]);
    let policy = world.policy.clone();
    let codes = |request: &RequestForChange, fresh: &_, hour| -> Vec<_> {
        gate(request, fresh, at(hour), &policy).into_iter().map(|problem| problem.code).collect()
    };
    assert_eq!(codes(&request, &same, 22), []);
    assert_eq!(codes(&request, &same, 21), [BadValue]);
    assert_eq!(codes(&request, &same, 26), [BadValue], "the end is not part of the window");
    let worse = assessment(5, vec![effect(payments, Effect::Breached)]);
    assert_eq!(codes(&request, &worse, 23), [Outdated]);
    let mut joined = same.clone();
    joined.violations = vec![name("a freeze")];
    joined.collides_with = vec![name("RFC-9")];
    assert_eq!(codes(&request, &joined, 23), [CalendarViolated, Outdated]);
    let draft = world.new_request(&world.fields()).unwrap().after.unwrap();
    assert_eq!(codes(&draft, &same, 23), [IllegalTransition]);
}
