//! Which answers depend on whether declaration or observation is right (analyses 6.2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::Asked;
use keelson_answers::availability::{AvailabilityQuestion, availability};
use keelson_answers::drift::{Change, DriftAnswer, DriftKind, DriftQuestion, RedundancyFault, drift};
use keelson_testkit::{Estate, minutes};

const DECLARED: &str = r#"{"batch":{"format":"keelson/1","source":"cmdb","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn seen(day: &str) -> String {
    format!(r#"{{"batch":{{"format":"keelson/1","source":"traces","scope":"all","observed_at":"{day}T00:00:00Z"}}}}"#)
}

fn ask(declared: &[&str], day: &str, observed: &[&str]) -> DriftAnswer {
    let mut estate = Estate::of_text(&[&[DECLARED], declared].concat().join("\n"));
    let head = seen(day);
    estate.import_text(&[&[head.as_str()], observed].concat().join("\n"));
    drift(&estate.view(), &DriftQuestion::default(), Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

const THREE: [&str; 6] = [
    r#"{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"target_availability":0.9999}}}"#,
    r#"{"ci":{"key":"host/a","class":"host","name":"a","attributes":{"unavailability":0.01}}}"#,
    r#"{"ci":{"key":"host/b","class":"host","name":"b","attributes":{"unavailability":0.01}}}"#,
    r#"{"ci":{"key":"host/c","class":"host","name":"c","attributes":{"unavailability":0.01}}}"#,
    r#"{"ci":{"key":"switch/x","class":"switch","name":"x","attributes":{"unavailability":0.05}}}"#,
    r#"{"need":{"dependent":"service/shop","name":"hosts","rule":"any","members":["host/a","host/b","host/c"]}}"#,
];
const ON_X: [&str; 2] = [
    r#"{"relationship":{"dependent":"host/a","kind":"runs_on","dependency":"switch/x","basis":"observed"}}"#,
    r#"{"relationship":{"dependent":"host/b","kind":"runs_on","dependency":"switch/x","basis":"observed"}}"#,
];

#[test]
fn a_service_whose_single_points_stay_may_take_fewer_failures_and_miss_its_target() {
    let answer = ask(&THREE, "2026-11-01", &ON_X);
    let shop = &answer.services[0];
    assert!(shop.declared_points.is_empty() && shop.observed_points.is_empty());
    assert_eq!(shop.changes, [Change::Resilience, Change::Target]);
    assert_eq!((shop.declared.resilience.at_most, shop.observed.resilience.at_most), (Some(3), Some(2)));
    assert_eq!((shop.declared.meets_target, shop.observed.meets_target), (Some(true), Some(false)));
    assert_eq!(shop.stability.to_bits(), 0.0_f64.to_bits(), "neither of its two answers stays");
    assert!(answer.redundancy.is_empty(), "one host of three is left, and one is enough");
}

#[test]
fn what_was_seen_before_the_window_is_neither_missing_nor_confirmed() {
    let answer = ask(&THREE, "2026-09-01", &ON_X);
    assert_eq!((answer.missing, answer.confirmed, answer.old), (0, 0, 2));
    assert!(answer.services.is_empty() && answer.differences.is_empty());
    assert_eq!(answer.affected_count, 0);
}

#[test]
fn members_seen_on_one_thing_are_no_redundancy() {
    let third =
        r#"{"relationship":{"dependent":"host/c","kind":"runs_on","dependency":"switch/x","basis":"observed"}}"#;
    let answer = ask(&THREE, "2026-11-01", &[ON_X[0], ON_X[1], third]);
    let found = &answer.redundancy[0];
    assert_eq!(
        (found.fault, found.need.as_str(), found.declared),
        (RedundancyFault::SharedAsObserved, "hosts", Some(1))
    );
    assert_eq!(found.shared, ["switch/x"]);
}

#[test]
fn a_call_nobody_declared_brings_the_day_of_a_decision() {
    let declared = [
        r#"{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"peak_demand":{"value":100,"unit":"requests/s"},"demand_growth_per_month":0.02}}}"#,
        r#"{"ci":{"key":"database/db","class":"database","name":"db","attributes":{"unavailability":0.001,"capacity":{"value":200,"unit":"requests/s"},"lead_time_days":30}}}"#,
    ];
    let observed = r#"{"relationship":{"dependent":"service/shop","kind":"calls","dependency":"database/db","basis":"observed","attributes":{"visits":1}}}"#;
    let answer = ask(&declared, "2026-11-01", &[observed]);
    let shop = &answer.services[0];
    assert!(shop.changes.contains(&Change::DecisionDate), "{:?} {:?}", shop.changes, answer.basis.limits);
    assert!(shop.declared.decide_by.is_none() && shop.observed.decide_by.is_some());
    assert_eq!(shop.because.len(), 1);
}

#[test]
fn a_load_that_takes_more_members_than_declared_is_a_finding() {
    let declared = [
        r#"{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"peak_demand":{"value":130,"unit":"requests/s"}}}}"#,
        r#"{"ci":{"key":"host/a","class":"host","name":"a","attributes":{"capacity":{"value":60,"unit":"requests/s"}}}}"#,
        r#"{"ci":{"key":"host/b","class":"host","name":"b","attributes":{"capacity":{"value":60,"unit":"requests/s"}}}}"#,
        r#"{"ci":{"key":"host/c","class":"host","name":"c","attributes":{"capacity":{"value":60,"unit":"requests/s"}}}}"#,
        r#"{"need":{"dependent":"service/shop","name":"pool","rule":"at_least","k":2,"members":["host/a","host/b","host/c"]}}"#,
    ];
    let found = ask(&declared, "2026-11-01", &[]).redundancy;
    assert_eq!((found.len(), found[0].fault), (1, RedundancyFault::NeedsMore));
    assert_eq!((found[0].declared, found[0].derived), (Some(2), Some(3)));
}

#[test]
fn the_unavailability_of_drift_is_that_of_availability() {
    let declared: Vec<&str> = THREE
        .iter()
        .map(|line| match *line {
            line if line.contains("host/a\",\"class") => {
                r#"{"ci":{"key":"host/a","class":"host","name":"a","attributes":{"unavailability_low":0.1,"unavailability_high":0.3}}}"#
            }
            line => line,
        })
        .collect();
    let found = ask(&declared, "2026-11-01", &ON_X);
    let shop = &found.services[0];
    let view = Estate::of_text(&[&[DECLARED], &declared[..]].concat().join("\n")).view();
    let question = AvailabilityQuestion { most: 10, ..AvailabilityQuestion::default() };
    let plain = availability(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap();
    let plain = &plain.services[0];
    assert!(plain.least < plain.unavailability && plain.unavailability < plain.most);
    assert_eq!(
        (shop.declared.least, shop.declared.unavailability, shop.declared.most),
        (plain.least, plain.unavailability, plain.most)
    );
}

#[test]
fn what_still_talks_to_something_retired_is_drift() {
    let declared = [
        r#"{"ci":{"key":"service/shop","class":"service","name":"shop"}}"#,
        r#"{"ci":{"key":"host/old","class":"host","name":"old","lifecycle":"retired"}}"#,
    ];
    let observed =
        r#"{"relationship":{"dependent":"service/shop","kind":"runs_on","dependency":"host/old","basis":"observed"}}"#;
    let answer = ask(&declared, "2026-11-01", &[observed]);
    assert_eq!((answer.ended, answer.missing), (1, 0));
    let line = &answer.differences[0];
    assert_eq!((line.kind, line.dependency.as_str()), (DriftKind::Ended, "host/old"));
    assert!(!answer.basis.complete);
}
