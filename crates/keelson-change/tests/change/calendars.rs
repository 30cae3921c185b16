//! Freezes and maintenance windows.

use std::collections::HashSet;
use std::sync::Arc;

use keelson_change::ProblemCode::{BadValue, DuplicateKey, IllegalTransition};
use keelson_change::calendar::{AtStake, Doing, Timed, occurrences, violations};
use keelson_change::records::{EntryFields, lift, new_entry};
use keelson_model::{
    CalendarEntry, CalendarEntryId, CalendarKind, CiId, Effect, RecordChange, Recurrence, SequentialIds, Window,
};

use super::world::{World, codes, hours, name};

fn entry(kind: CalendarKind, items: Vec<CiId>, window: Window, rule: Option<(&str, &str)>) -> CalendarEntry {
    CalendarEntry {
        id: CalendarEntryId::next(&mut SequentialIds::default()),
        name: name("quarter end"),
        version: 1,
        kind,
        items,
        window,
        recurrence: rule.map(|(rule, zone)| Recurrence { rule: Arc::from(rule), zone: Arc::from(zone) }),
        margin: None,
        reason: name("books"),
        by: name("ann"),
        lifted_at: None,
    }
}

fn window(from: &str, to: &str) -> Window {
    Window::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

#[test]
fn what_repeats_keeps_its_hour_when_the_clocks_change() {
    // Sundays at 02:00 in Berlin: 00:00 UTC in summer, 01:00 UTC from 25 October 2026 on.
    let sundays = entry(
        CalendarKind::Maintenance,
        Vec::new(),
        window("2026-10-11T00:00:00Z", "2026-10-11T02:00:00Z"),
        Some(("FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin")),
    );
    let found = occurrences(&sundays, window("2026-10-12T00:00:00Z", "2026-11-09T00:00:00Z"));
    let starts: Vec<String> = found.windows.iter().map(|one| one.start().format("%m-%d %H:%M").to_string()).collect();
    assert_eq!(starts, ["10-18 00:00", "10-25 00:00", "11-01 01:00", "11-08 01:00"]);
    assert!(!found.is_cut);
}

#[test]
fn an_occurrence_that_ends_when_the_question_starts_is_not_part_of_it() {
    let daily = entry(CalendarKind::Freeze, Vec::new(), hours(0, 2), Some(("FREQ=DAILY;COUNT=3", "UTC")));
    assert_eq!(occurrences(&daily, hours(26, 48)).windows, []);
    assert_eq!(occurrences(&daily, hours(25, 48)).windows, [hours(24, 26)]);
    assert_eq!(occurrences(&daily, hours(0, 24 * 365)).windows.len(), 3);
}

#[test]
fn the_first_time_counts_even_where_the_rule_would_not_have_it() {
    // A Monday, although it is to be repeated on Sundays.
    let sundays = entry(CalendarKind::Freeze, Vec::new(), hours(0, 2), Some(("FREQ=WEEKLY;BYDAY=SU", "UTC")));
    assert_eq!(occurrences(&sundays, hours(0, 24 * 7)).windows, [hours(0, 2), hours(24 * 6, 24 * 6 + 2)]);
    let daily = entry(CalendarKind::Freeze, Vec::new(), hours(0, 2), Some(("FREQ=DAILY", "UTC")));
    assert_eq!(occurrences(&daily, hours(0, 24)).windows, [hours(0, 2)], "and once where it would");
}

#[test]
fn times_at_the_end_of_all_time_are_refused_and_harmless() {
    let ever = window("-262143-01-02T00:00:00Z", "2026-12-31T00:00:00Z");
    let since_ever = entry(CalendarKind::Freeze, Vec::new(), ever, Some(("FREQ=YEARLY", "UTC")));
    assert_eq!(occurrences(&since_ever, hours(0, 24)).windows, [ever]);
    let refused = keelson_change::calendar::check(ever, since_ever.recurrence.as_ref().unwrap()).unwrap_err();
    assert!(refused.contains("between 1900 and 9999"), "{refused}");
    let to_the_end = window("2026-11-02T00:00:00Z", "+262142-12-31T23:59:59Z");
    assert!(to_the_end.followed_by(chrono::TimeDelta::days(30)).is_some());
}

fn stake(ci: CiId, effect: Effect, margin_taken: u32) -> AtStake<'static> {
    AtStake { ci, name: "payments", effect, margin_taken }
}

fn texts(entry: &CalendarEntry, services: &[AtStake<'_>], beneath: &[CiId], window: Window) -> Vec<String> {
    let beneath: HashSet<CiId> = beneath.iter().copied().collect();
    let shadow = window.followed_by(chrono::TimeDelta::hours(1));
    let doing = Doing { window, shadow, services, beneath: &beneath };
    let entries = [Timed::within(entry, doing.span())];
    violations(&entries, &doing, 0, |_| "site X".into()).into_iter().map(|found| found.text).collect()
}

#[test]
fn a_freeze_is_violated_by_harm_and_not_by_reach() {
    let world = World::new();
    let payments = world.id("business-service/payments");
    let freeze = entry(CalendarKind::Freeze, vec![payments], hours(0, 24), None);
    let during = hours(22, 26);
    assert_eq!(texts(&freeze, &[stake(payments, Effect::Protected, 0)], &[], during), [""; 0]);
    let breached = texts(&freeze, &[stake(payments, Effect::Breached, 1)], &[], during);
    assert_eq!(
        breached,
        ["payments is breached during the freeze 'quarter end' (2026-11-02 22:00 \u{2013} 2026-11-03 00:00 UTC)"]
    );
    assert!(texts(&freeze, &[stake(payments, Effect::MarginLost, 1)], &[], during)[0].contains("loses 1"));
    // The margin a freeze names itself goes before the policy's.
    let lenient = CalendarEntry { margin: Some(1), ..freeze.clone() };
    assert_eq!(texts(&lenient, &[stake(payments, Effect::MarginLost, 1)], &[], during), [""; 0]);
    // Half-open: work that begins when the freeze ends does not violate it.
    assert_eq!(texts(&freeze, &[stake(payments, Effect::Breached, 1)], &[], hours(24, 26)), [""; 0]);
    // Work that ends when it begins violates it only if it has to be reversed.
    let reversed = texts(&freeze, &[stake(payments, Effect::Breached, 1)], &[], hours(-2, 0));
    assert!(reversed[0].contains("if it has to be reversed"), "{reversed:?}");
    let lifted = CalendarEntry { lifted_at: Some(hours(0, 1).start()), ..freeze };
    assert_eq!(texts(&lifted, &[stake(payments, Effect::Breached, 1)], &[], during), [""; 0]);
}

#[test]
fn a_freeze_of_everything_and_one_of_a_place() {
    let world = World::new();
    let (payments, host) = (world.id("business-service/payments"), world.id("host/hv1"));
    let everything = entry(CalendarKind::Freeze, Vec::new(), hours(0, 24), None);
    assert_eq!(texts(&everything, &[stake(payments, Effect::Degraded, 0)], &[], hours(1, 2)).len(), 1);
    let place = entry(CalendarKind::Freeze, vec![host], hours(0, 24), None);
    assert_eq!(texts(&place, &[stake(payments, Effect::Breached, 0)], &[], hours(1, 2)), [""; 0]);
    assert!(texts(&place, &[], &[host], hours(1, 2))[0].starts_with("something at site X is interrupted"));
}

#[test]
fn harm_belongs_into_the_windows_agreed_for_it() {
    let world = World::new();
    let payments = world.id("business-service/payments");
    let nights = entry(CalendarKind::Maintenance, vec![payments], hours(0, 4), Some(("FREQ=DAILY", "UTC")));
    let breached = [stake(payments, Effect::Breached, 0)];
    assert_eq!(texts(&nights, &breached, &[], hours(24, 28)), [""; 0]);
    assert!(texts(&nights, &breached, &[], hours(25, 29))[0].contains("outside of its maintenance windows"));
    assert_eq!(texts(&nights, &[stake(payments, Effect::MarginLost, 1)], &[], hours(25, 29)), [""; 0]);
}

#[test]
fn agreed_windows_that_touch_are_one() {
    let world = World::new();
    let payments = world.id("business-service/payments");
    let first = entry(CalendarKind::Maintenance, vec![payments], hours(0, 4), None);
    let second = entry(CalendarKind::Maintenance, vec![payments], hours(4, 8), None);
    let services = [stake(payments, Effect::Breached, 0)];
    let found = |entries: &[&CalendarEntry], window: Window| {
        let doing = Doing { window, shadow: None, services: &services, beneath: &HashSet::new() };
        let entries: Vec<Timed<'_>> = entries.iter().map(|entry| Timed::within(entry, doing.span())).collect();
        violations(&entries, &doing, 0, |_| String::new()).len()
    };
    assert_eq!((found(&[&first], hours(2, 6)), found(&[&first, &second], hours(2, 6))), (1, 0));
    assert_eq!(found(&[&first, &second], hours(2, 9)), 1);
}

#[test]
fn windows_agreed_for_everything_and_for_a_place_bind_too() {
    let world = World::new();
    let (payments, host) = (world.id("business-service/payments"), world.id("host/hv1"));
    let breached = [stake(payments, Effect::Breached, 0)];
    let everything = entry(CalendarKind::Maintenance, Vec::new(), hours(0, 4), None);
    assert_eq!(texts(&everything, &breached, &[], hours(1, 3)), [""; 0]);
    assert!(texts(&everything, &breached, &[], hours(10, 12))[0].contains("outside of its maintenance windows"));
    let place = entry(CalendarKind::Maintenance, vec![host], hours(0, 4), None);
    assert_eq!(texts(&place, &[], &[host], hours(1, 3)), [""; 0]);
    assert_eq!(texts(&place, &breached, &[], hours(10, 12)), [""; 0], "nothing there is interrupted");
    assert_eq!(
        texts(&place, &[], &[host], hours(10, 12)),
        ["something at site X is interrupted outside of its maintenance windows (quarter end)"]
    );
}

#[test]
fn entries_are_checked_when_they_are_written() {
    let mut world = World::new();
    let fields = |rule: &str, zone: &str| EntryFields {
        name: "year end".into(),
        kind: CalendarKind::Freeze,
        items: Vec::new(),
        window: hours(0, 24),
        recurrence: Some(Recurrence { rule: Arc::from(rule), zone: Arc::from(zone) }),
        margin: None,
        reason: "books".into(),
    };
    for (rule, zone) in [("FREQ=OFTEN", "UTC"), ("FREQ=HOURLY", "UTC"), ("FREQ=DAILY", "Middle/Earth"), ("", "UTC")] {
        let refused = new_entry(&world.catalogue, fields(rule, zone), &name("ann"), &mut world.ids);
        assert_eq!(codes(refused), [BadValue], "{rule} in {zone}");
    }
    let change = new_entry(&world.catalogue, fields("FREQ=YEARLY", "UTC"), &name("ann"), &mut world.ids).unwrap();
    let entry = change.after.clone().unwrap();
    world.commit(&[RecordChange::Calendar(change)]);
    let again = new_entry(&world.catalogue, fields("FREQ=YEARLY", "UTC"), &name("ann"), &mut world.ids);
    assert_eq!(codes(again), [DuplicateKey]);
    let lifted = lift(&entry, hours(1, 2).start()).unwrap();
    let after = lifted.after.clone().unwrap();
    world.commit(&[RecordChange::Calendar(lifted)]);
    assert_eq!(codes(lift(&after, hours(1, 2).start())), [IllegalTransition]);
}
