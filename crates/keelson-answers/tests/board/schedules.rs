//! E3: collisions over time, half-open, minimal, with the smallest shift.

use std::sync::Arc;

use chrono::TimeDelta;
use keelson_answers::schedule::ScheduleAnswer;
use keelson_answers::{Basis, LimitCode};
use keelson_model::{Action, Alteration, Change, ChangeState, RecordChange, RequestForChange, Window};
use keelson_testkit::{Estate, hours, minutes};

fn worked() -> Estate {
    let mut estate = Estate::worked();
    // A rollback of a minute each, so that the second scenario stays out of the way.
    for (key, down, from, to) in [
        ("C1", "dbA", 22.0, 26.0),
        ("C2", "dbB", 25.0, 27.0),
        ("C3", "web3", 25.5, 28.0),
        ("C4", "web1", 27.0, 29.0),
        ("C5", "idp1", 24.0, 25.0),
    ] {
        estate.request(key, &[down], Some(hours(from, to)), 1);
    }
    estate
}

fn collisions(answer: &ScheduleAnswer) -> Vec<(String, String, Vec<String>)> {
    let planned = answer.collisions.iter().filter(|line| line.collision.reversed.is_none());
    planned
        .map(|line| {
            let collision = &line.collision;
            (collision.service.name.clone(), collision.window.to_string(), collision.changes.clone())
        })
        .collect()
}

fn payments(from: f64, to: f64, changes: [&str; 2]) -> (String, String, Vec<String>) {
    ("payments".to_owned(), hours(from, to).to_string(), changes.map(str::to_owned).to_vec())
}

#[test]
fn changes_that_are_safe_alone_and_harmful_together_are_found_with_their_hours() {
    let estate = worked();
    let answer = estate.schedule(hours(0.0, 48.0));
    assert_eq!(collisions(&answer), [payments(25.0, 26.0, ["C1", "C2"]), payments(27.0, 28.0, ["C3", "C4"])]);
    let alone = answer.harm.iter().filter(|line| line.reversed.is_none());
    assert_eq!(alone.count(), 0, "each alone breaches nothing");
    let three = answer.intervals.iter().find(|interval| interval.window == hours(25.5, 26.0)).unwrap();
    assert_eq!((&three.changes[..], three.breached), (&["C1".into(), "C2".into(), "C3".into()][..], 1));
    let quiet = answer.intervals.iter().filter(|interval| interval.breached == 0);
    let quiet: Vec<_> = quiet.map(|interval| interval.window).collect();
    assert!(quiet.contains(&hours(26.0, 27.0)) && quiet.contains(&hours(28.0, 29.0)), "{quiet:?}");
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn the_smallest_shift_is_named() {
    let answer = worked().schedule(hours(0.0, 48.0));
    let first = &answer.collisions[0];
    let shift = first.smallest_shift.as_ref().unwrap();
    assert_eq!((&*shift.change, shift.seconds, shift.window, shift.left), ("C2", 3_600, hours(26.0, 28.0), 1));
    assert!(
        first
            .advice
            .ends_with("move C2 by 1 h later, to 2026-11-03 02:00\u{2013}04:00 UTC: 1 collision of others is left")
    );
}

#[test]
fn a_request_alone_says_with_whom_it_collides() {
    let estate = worked();
    let answer = estate.assess("c2");
    // C5 ends when C2 starts, and C4 starts when C2 ends: one of each pair may then be being reversed.
    assert_eq!(answer.assessed_with, ["C1", "C3", "C4", "C5"]);
    let planned: Vec<_> = answer.collisions.iter().filter(|line| line.reversed.is_none()).collect();
    assert_eq!(planned.len(), 1);
    assert_eq!((&planned[0].changes[..], planned[0].window), (&["C2".into(), "C1".into()][..], hours(25.0, 26.0)));
    assert_eq!(answer.smallest_shift.as_ref().unwrap().seconds, 3_600);
    let frozen = answer.frozen(&"ann".into(), hours(0.0, 1.0).start());
    assert_eq!(frozen.collides_with().iter().map(|key| &**key).collect::<Vec<_>>(), ["C1"]);
    assert!(!answer.collisions.iter().any(|line| line.reversed.is_none() && line.changes.contains(&"C4".to_owned())));
}

#[test]
fn windows_apart_collide_only_while_one_is_being_reversed() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(1.0, 2.0)), 1);
    estate.request("B", &["dbB"], Some(hours(3.0, 4.0)), 1);
    assert_eq!(estate.schedule(hours(0.0, 24.0)).collisions, []);
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(1.0, 2.0)), 90);
    estate.request("B", &["dbB"], Some(hours(3.0, 4.0)), 1);
    let answer = estate.schedule(hours(0.0, 24.0));
    assert_eq!(collisions(&answer), []);
    let collision = &answer.collisions[0].collision;
    assert_eq!((collision.reversed.as_deref(), collision.window), (Some("A"), hours(3.0, 3.5)));
    assert!(answer.collisions[0].advice.ends_with("if A has to be reversed"));
}

#[test]
fn a_schedule_is_of_the_times_and_the_requests_asked_for() {
    let estate = worked();
    let later = estate.schedule(hours(27.0, 48.0));
    let keys: Vec<&str> = later.changes.iter().map(|line| &*line.key).collect();
    // C2 ends at 27:00, and may be being reversed for a minute.
    assert_eq!(keys, ["C2", "C3", "C4"]);
    let view = estate.view();
    let only = ["c1".to_owned(), "C9".to_owned()];
    let question = keelson_answers::schedule::ScheduleQuestion {
        within: hours(0.0, 48.0),
        only: &only,
        policy: &estate.policy,
        most: 10,
        stop: None,
    };
    let asked = keelson_answers::Asked::now(hours(0.0, 1.0).start());
    let refused =
        keelson_answers::schedule::assess(&view, &question, asked, &keelson_analysis::Pool::new()).unwrap_err();
    assert!(refused.to_string().contains("no request for change 'C9'"), "{refused}");
}

/// What an answer says of changes that are reversed at once.
fn together(basis: &Basis) -> Option<&str> {
    basis.limits.iter().find(|limit| limit.code == LimitCode::ReversedTogether).map(|limit| limit.message.as_str())
}

#[test]
fn that_changes_reversed_at_once_are_not_looked_at_is_said_where_it_could_matter() {
    let estate = worked();
    assert_eq!(together(&estate.schedule(hours(0.0, 48.0)).basis), None, "no two may be being reversed at once");
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(1.0, 2.0)), 120);
    estate.request("B", &["dbB"], Some(hours(3.5, 3.75)), 60);
    estate.request("C", &["web1"], Some(hours(3.0, 4.75)), 60);
    estate.request("D", &["web2"], Some(hours(20.0, 21.0)), 60);
    let answer = estate.schedule(hours(0.0, 24.0));
    let said = together(&answer.basis).unwrap();
    assert!(said.contains("that several of A, B, whose times for that overlap, are reversed at once"), "{said}");
    assert!(answer.basis.complete, "nothing of what was asked is missing");
    // The time for C begins when that for B ends; but A and B may be being reversed while C is under way.
    let said = |key: &str| together(&estate.assess(key).basis).map(str::to_owned);
    assert!(said("A").unwrap().contains("several of A, B,"));
    assert!(said("C").unwrap().contains("several of A, B,"));
    assert_eq!(said("D"), None);
    // What does not come back is not reversed.
    let dba = Alteration { ci: estate.id("dbA"), action: Action::Retires };
    estate.request_of("R", vec![dba], Some(hours(20.0, 21.0)), 60);
    assert_eq!(together(&estate.assess("D").basis), None);
}

fn retire(estate: &mut Estate, key: &str, item: &str, window: Window) {
    let alteration = Alteration { ci: estate.id(item), action: Action::Retires };
    estate.request_of(key, vec![alteration], Some(window), 1);
}

fn begin(estate: &mut Estate, key: &str) {
    let before = Arc::clone(&estate.catalogue.find_request(key).unwrap().record);
    let after = RequestForChange {
        state: ChangeState::InProgress,
        version: before.version + 1,
        ..RequestForChange::clone(&before)
    };
    estate.commit(&[RecordChange::Request(Change::updated(before, after))]);
}

#[test]
fn what_is_retired_stays_away_after_the_window() {
    let mut estate = Estate::worked();
    retire(&mut estate, "H", "hv2", hours(22.0, 24.0));
    let answer = estate.schedule(hours(0.0, 48.0));
    let harmed: Vec<_> = answer.harm.iter().map(|line| (line.service.name.as_str(), line.window)).collect();
    assert_eq!(harmed, [("payments", hours(22.0, 48.0))]);
    assert_eq!(answer.intervals.len(), 1);
    // Both of a pair are retired: nothing ends, and nothing is left out for that.
    let mut estate = Estate::worked();
    retire(&mut estate, "A", "dbA", hours(22.0, 24.0));
    retire(&mut estate, "B", "dbB", hours(23.0, 24.0));
    assert_eq!(collisions(&estate.schedule(hours(0.0, 48.0))), [payments(23.0, 48.0, ["A", "B"])]);
    assert_eq!(estate.assess("A").collisions.len(), 1);
    assert_eq!(estate.assess("B").collisions.len(), 1);
}

#[test]
fn work_long_after_a_retirement_still_meets_it() {
    let mut estate = Estate::worked();
    retire(&mut estate, "A", "dbA", hours(22.0, 24.0));
    estate.request("B", &["dbB"], Some(hours(40.0, 42.0)), 1);
    assert_eq!(collisions(&estate.schedule(hours(39.0, 48.0))), [payments(40.0, 42.0, ["A", "B"])]);
    for key in ["A", "B"] {
        let planned = estate.assess(key).collisions.into_iter().filter(|line| line.reversed.is_none());
        assert_eq!(planned.map(|line| line.window).collect::<Vec<_>>(), [hours(40.0, 42.0)], "{key}");
    }
}

#[test]
fn work_that_overran_its_window_is_still_under_way() {
    let mut estate = Estate::worked();
    estate.request("A", &["dbA"], Some(hours(-4.0, -2.0)), 1);
    estate.request("B", &["dbB"], Some(hours(0.0, 2.0)), 1);
    assert_eq!(estate.assess("B").collisions, [], "not begun, and over");
    begin(&mut estate, "A");
    let collision = &estate.assess("B").collisions[0];
    assert_eq!((&collision.changes[..], collision.window), (&["B".into(), "A".into()][..], hours(0.0, 2.0)));
    assert_eq!(collisions(&estate.schedule(hours(0.0, 4.0))).len(), 1);
}

#[test]
fn a_shift_leads_to_times_that_are_ahead_and_free() {
    let mut estate = Estate::worked();
    estate.request("C1", &["dbA"], Some(hours(22.0, 26.0)), 1);
    estate.request("C2", &["dbB"], Some(hours(25.0, 27.0)), 1);
    // Too far away to meet C2 where it is, and in the way of moving it by an hour.
    estate.request("C3", &["dbA"], Some(hours(27.5, 29.0)), 1);
    let shift = estate.assess("C2").smallest_shift.unwrap();
    assert_eq!((shift.seconds, shift.window), (4 * 3_600, hours(29.0, 31.0)));
    // What begins within the half hour is not moved into the past; asked at midnight.
    let mut estate = Estate::worked();
    estate.request("C1", &["dbA"], Some(hours(1.0, 5.0)), 1);
    estate.request("C2", &["dbB"], Some(hours(0.5, 2.0)), 1);
    assert_eq!(estate.assess("C2").smallest_shift.unwrap().window, hours(5.0, 6.5));
    let ahead = estate.schedule(hours(0.0, 48.0)).collisions.remove(0).smallest_shift.unwrap();
    assert_eq!((&*ahead.change, ahead.window), ("C1", hours(2.0, 6.0)));
}

#[test]
fn a_window_within_one_second_is_still_one() {
    let mut estate = Estate::worked();
    let at = |milliseconds| minutes(60) + TimeDelta::milliseconds(milliseconds);
    estate.request("A", &["dbA"], Some(Window::new(at(100), at(900)).unwrap()), 1);
    estate.request("B", &["dbB"], Some(hours(0.0, 2.0)), 1);
    let planned = |lines: Vec<keelson_answers::change::CollisionLine>| {
        lines.into_iter().filter(|line| line.reversed.is_none()).count()
    };
    assert_eq!((planned(estate.assess("A").collisions), planned(estate.assess("B").collisions)), (1, 1));
}

#[test]
fn what_collides_only_if_a_doubt_turns_out_badly_is_told_as_possible() {
    let stated = r#"{"dependent":"service/payments","name":"web pool","rule":"at_least","members":["software-instance/web1","software-instance/web2","software-instance/web3"],"k":2}"#;
    let doubtful = r#"{"dependent":"service/payments","name":"web pool","rule":"at_least","members":["software-instance/web1","software-instance/web2","software-instance/web3"],"k":1,"doubtful":["software-instance/web3"]}"#;
    let mut estate = Estate::worked_with(stated, doubtful);
    estate.request("A", &["web1"], Some(hours(1.0, 4.0)), 1);
    estate.request("B", &["web2"], Some(hours(2.0, 3.0)), 1);
    let answer = estate.schedule(hours(0.0, 24.0));
    let possible: Vec<_> = answer.collisions.iter().filter(|line| line.collision.reversed.is_none()).collect();
    assert!(possible.iter().all(|line| line.collision.only_in_doubt), "as written one is left");
    let on_payments = possible.iter().find(|line| line.collision.service.name == "payments").unwrap();
    assert_eq!((on_payments.collision.window, &on_payments.smallest_shift), (hours(2.0, 3.0), &None));
    assert!(on_payments.advice.contains("find that out first"), "{}", on_payments.advice);
    let answer = estate.assess("B");
    assert!(answer.collisions.iter().any(|line| line.only_in_doubt && line.service.name == "payments"));
    assert_eq!(answer.frozen(&"ann".into(), minutes(0)).collides_with(), ["A".into()]);
}

#[test]
fn a_shift_names_the_freezes_it_leads_into() {
    let mut estate = Estate::worked();
    estate.request("C1", &["dbA"], Some(hours(22.0, 26.0)), 1);
    estate.request("C2", &["dbB"], Some(hours(25.0, 27.0)), 1);
    let items = vec![estate.id("payments")];
    estate.enter_calendar(keelson_change::records::EntryFields {
        name: "quarter end".into(),
        kind: keelson_model::CalendarKind::Freeze,
        items,
        window: hours(27.0, 40.0),
        recurrence: None,
        margin: None,
        reason: "because".into(),
    });
    let freezes = ["quarter end".to_owned()];
    let line = estate.schedule(hours(0.0, 48.0)).collisions.remove(0);
    let shift = line.smallest_shift.unwrap();
    assert_eq!((&*shift.change, shift.window, &shift.meets[..]), ("C2", hours(26.0, 28.0), &freezes[..]));
    assert!(line.advice.ends_with("mind the freezes then: quarter end"), "{}", line.advice);
    let shift = estate.assess("C1").smallest_shift.unwrap();
    assert_eq!((shift.window, &shift.meets[..]), (hours(21.0, 25.0), &[][..]));
}
