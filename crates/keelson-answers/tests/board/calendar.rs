//! Freezes and maintenance windows act through what a change does.

use keelson_answers::register::EntryLine;
use keelson_answers::{LimitCode, Subject};
use keelson_change::records::{EntryFields, lift};
use keelson_model::{CalendarKind, CiId, RecordChange, Recurrence, Window};
use keelson_testkit::{Estate, hours, minutes};

fn enter(estate: &mut Estate, name: &str, kind: CalendarKind, items: Vec<CiId>, window: Window, margin: Option<u32>) {
    estate.enter_calendar(fields(name, kind, items, window, margin));
}

fn daily(estate: &mut Estate, name: &str, kind: CalendarKind, items: Vec<CiId>, window: Window) {
    let recurrence = Some(Recurrence { rule: "FREQ=DAILY".into(), zone: "UTC".into() });
    estate.enter_calendar(EntryFields { recurrence, ..fields(name, kind, items, window, None) });
}

fn fields(name: &str, kind: CalendarKind, items: Vec<CiId>, window: Window, margin: Option<u32>) -> EntryFields {
    EntryFields { name: name.into(), kind, items, window, recurrence: None, margin, reason: "because".into() }
}

/// Name, kind and times of entries.
fn told(entries: &[EntryLine]) -> Vec<(&str, &'static str, &[Window])> {
    entries.iter().map(|entry| (entry.name.as_str(), entry.kind.as_str(), &entry.occurrences[..])).collect()
}

fn violations(estate: &Estate, key: &str) -> Vec<String> {
    estate.assess(key).violations.into_iter().map(|line| line.text).collect()
}

#[test]
fn a_freeze_is_violated_by_a_breach_and_by_lost_margin_beyond_what_it_allows() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    estate.request("A", &["dbA"], Some(hours(1.0, 3.0)), 30);
    estate.request("M", &["mailapi"], Some(hours(1.0, 3.0)), 30);
    let payments = estate.id("payments");
    enter(&mut estate, "year end", CalendarKind::Freeze, vec![payments], hours(2.0, 24.0), None);
    assert!(violations(&estate, "H")[0].starts_with("payments is breached during the freeze 'year end'"));
    assert!(violations(&estate, "A")[0].starts_with("payments loses 1 of its redundancy"));
    assert_eq!(violations(&estate, "M"), [""; 0], "portal is degraded, and payments not touched");
    let frozen = estate.assess("H").frozen(&"ann".into(), hours(0.0, 1.0).start());
    assert_eq!(frozen.violations.len(), 1);
}

#[test]
fn a_freeze_of_a_site_is_about_what_stands_there() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(1.0, 3.0)), 30);
    estate.request("B", &["dbB"], Some(hours(1.0, 3.0)), 30);
    let site = estate.id("siteX");
    enter(&mut estate, "power works", CalendarKind::Freeze, vec![site], hours(0.0, 24.0), None);
    assert!(violations(&estate, "A")[0].starts_with("something at siteX is interrupted"));
    assert_eq!(violations(&estate, "B"), [""; 0]);
}

#[test]
fn a_freeze_of_an_item_is_violated_by_what_takes_it_down() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv1"], Some(hours(1.0, 3.0)), 30);
    estate.request("O", &["hv2"], Some(hours(1.0, 3.0)), 30);
    let database = estate.id("dbA");
    enter(&mut estate, "year end", CalendarKind::Freeze, vec![database], hours(0.0, 24.0), None);
    assert!(violations(&estate, "H")[0].starts_with("something at dbA is interrupted"));
    assert_eq!(violations(&estate, "O"), [""; 0]);
}

#[test]
fn harm_outside_of_agreed_windows_is_a_violation() {
    let mut estate = Estate::worked();
    estate.request("H", &["hv2"], Some(hours(1.0, 3.0)), 30);
    estate.request("L", &["hv2"], Some(hours(30.0, 33.0)), 30);
    let payments = estate.id("payments");
    enter(&mut estate, "nights", CalendarKind::Maintenance, vec![payments], hours(0.0, 4.0), None);
    assert_eq!(violations(&estate, "H"), [""; 0]);
    assert_eq!(estate.assess("L").violations[0].kind, CalendarKind::Maintenance);
    assert!(violations(&estate, "L")[0].contains("outside of its maintenance windows (nights)"));
}

#[test]
fn a_schedule_and_a_request_name_what_of_the_calendar_has_a_time_in_theirs() {
    let mut estate = Estate::worked();
    estate.request("M", &["mailapi"], Some(hours(26.0, 27.0)), 120);
    estate.request("X", &["mailapi"], None, 30);
    let (payments, portal) = (estate.id("payments"), estate.id("portal"));
    daily(&mut estate, "nights", CalendarKind::Maintenance, vec![payments, portal], hours(0.0, 4.0));
    enter(&mut estate, "year end", CalendarKind::Freeze, Vec::new(), hours(28.5, 400.0), Some(1));
    enter(&mut estate, "audit", CalendarKind::Freeze, vec![payments], hours(30.0, 31.0), None);
    enter(&mut estate, "over", CalendarKind::Freeze, Vec::new(), hours(20.0, 26.0), None);
    enter(&mut estate, "lifted", CalendarKind::Freeze, Vec::new(), hours(0.0, 100.0), None);
    let entry = estate.catalogue.calendar().find(|kept| &*kept.record.name == "lifted").unwrap().record.clone();
    estate.commit(&[RecordChange::Calendar(lift(&entry, minutes(0)).unwrap())]);

    let answer = estate.schedule(hours(26.0, 52.0));
    let (year_end, audit) = ([hours(28.5, 400.0)], [hours(30.0, 31.0)]);
    let nights = [hours(24.0, 28.0), hours(48.0, 52.0)];
    assert_eq!(
        told(&answer.calendar),
        [("year end", "freeze", &year_end[..]), ("audit", "freeze", &audit), ("nights", "maintenance", &nights)],
        "whole, freezes first; what ends when the times begin has none in them"
    );
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
    let names = |items: &[Subject]| items.iter().map(|item| item.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&answer.calendar[2].items), answer.calendar[2].item_count),
        (vec!["payments".to_owned(), "portal".to_owned()], 2)
    );
    assert_eq!((answer.calendar[0].items.len(), answer.calendar[0].item_count), (0, 0));
    // Half of what follows the work of M lies in the freeze; the mail gateway harms only the portal.
    let answer = estate.assess("M");
    assert_eq!(
        told(&answer.calendar),
        [("year end", "freeze", &year_end[..]), ("nights", "maintenance", &nights[..1])]
    );
    assert_eq!(answer.violations.len(), 1, "named, though one alone is violated: {:?}", answer.violations);
    assert_eq!(told(&estate.assess("X").calendar), [], "no window, no calendar");
}

#[test]
fn times_that_are_not_looked_at_to_their_end_are_said() {
    let mut estate = Estate::worked();
    daily(&mut estate, "nights", CalendarKind::Maintenance, Vec::new(), hours(0.0, 4.0));
    let answer = estate.schedule(hours(0.0, 24.0 * 2_000.0));
    assert_eq!(answer.calendar[0].occurrences.len(), 1_000);
    let limit = &answer.basis.limits[0];
    assert_eq!(
        (limit.code, &*limit.message, answer.basis.complete),
        (LimitCode::Occurrences, "the times of 'nights' were not looked at to their end", false)
    );
}
