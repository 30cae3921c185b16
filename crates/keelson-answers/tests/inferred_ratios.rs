//! Ratios of visits that nobody states and that measurements tell, or do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use keelson_analysis::Pool;
use keelson_answers::demand::{DemandAnswer, DemandQuestion, demand};
use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_answers::{Asked, View};
use keelson_model::Metric;
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"s","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

/// Services a, b and c use a cluster; only c says how often.
fn estate() -> View {
    with_cluster("")
}

/// The same with more said of the cluster.
fn with_cluster(more: &str) -> View {
    let ci = |key: &str, class: &str| format!(r#"{{"ci":{{"key":"{class}/{key}","class":"{class}","name":"{key}"}}}}"#);
    let uses = |from: &str, more: &str| {
        format!(r#"{{"relationship":{{"dependent":"service/{from}","kind":"uses","dependency":"cluster/x"{more}}}}}"#)
    };
    let lines = [
        HEAD.to_owned(),
        ci("a", "service"),
        ci("b", "service"),
        ci("c", "service"),
        format!(r#"{{"ci":{{"key":"cluster/x","class":"cluster","name":"x"{more}}}}}"#),
        uses("a", ""),
        uses("b", ""),
        uses("c", r#","attributes":{"visits":3}"#),
    ];
    Estate::of_text(&lines.join("\n")).view()
}

/// Numbers that repeat after so many days, and are nothing like those that repeat after others.
fn wave(day: u32, days: u32, base: f64, swing: f64) -> f64 {
    base + swing * f64::from(day * day % days) / f64::from(days)
}

fn a(day: u32) -> f64 {
    wave(day, 7, 80.0, 40.0)
}

fn b(day: u32) -> f64 {
    wave(day, 11, 50.0, 60.0)
}

fn c(day: u32) -> f64 {
    wave(day, 5, 20.0, 10.0)
}

fn ask(days: u32, series: &[(&str, &dyn Fn(u32) -> f64)]) -> DemandAnswer {
    ask_of(&estate(), days, series, &[])
}

fn ask_of(
    view: &View,
    days: u32,
    series: &[(&str, &dyn Fn(u32) -> f64)],
    used: &[(&str, &dyn Fn(u32) -> f64)],
) -> DemandAnswer {
    let mut book = SeriesBook::default();
    let demands = series.iter().map(|one| (one, Metric::Demand, "requests/s"));
    for ((key, value), metric, unit) in demands.chain(used.iter().map(|one| (one, Metric::Utilisation, "1"))) {
        let at = |day: u32| (minutes(0) - TimeDelta::days(i64::from(days - day))).timestamp_millis();
        let points: Vec<(i64, f64)> = (0..days).map(|day| (at(day), value(day))).collect();
        let item = view.catalogue.find_key(key).unwrap();
        book.add(item, metric, DailySeries::of(unit, &points, Vec::new()).unwrap());
    }
    let question = DemandQuestion { most: 100, ..DemandQuestion::default() };
    let view = view.with_series(Arc::new(book));
    demand(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn reasons(answer: &DemandAnswer) -> Vec<&str> {
    answer.unrated.iter().filter_map(|one| one.reason.as_deref()).collect()
}

fn x(day: u32) -> f64 {
    2.0 * a(day) + 0.5 * b(day) + 3.0 * c(day)
}

#[test]
fn ratios_are_found_beside_those_that_are_stated() {
    let answer = ask(90, &[("service/a", &a), ("service/b", &b), ("service/c", &c), ("cluster/x", &x)]);
    let found: Vec<(&str, f64)> =
        answer.inferred.iter().map(|one| (one.dependent.as_str(), (one.ratio * 1e6).round() / 1e6)).collect();
    assert_eq!(found, [("service/a", 2.0), ("service/b", 0.5)]);
    assert!(answer.inferred.iter().all(|one| one.explained > 0.999_999 && one.days == 90));
    let line = answer.items.iter().find(|one| one.subject.key == "cluster/x").unwrap();
    let peak = |of: fn(u32) -> f64| (62..90).map(of).fold(0.0, f64::max);
    assert!((line.demand - (2.0 * peak(a) + 0.5 * peak(b) + 3.0 * peak(c))).abs() < 1e-6, "{}", line.demand);
    assert!(line.is_inferred && answer.unrated_count == 0);
    let told = answer.basis.limits.iter().any(|limit| limit.message.starts_with("2 ratios of visits are inferred"));
    assert!(told && !answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn nothing_is_credited_to_one_that_another_may_take() {
    let answer = ask(90, &[("service/a", &a), ("service/c", &c), ("cluster/x", &x)]);
    assert!(answer.inferred.is_empty());
    assert!(reasons(&answer).iter().all(|why| why.contains("'service/b' uses it too, and is not measured")));
    let answer = ask(90, &[("service/a", &a), ("service/b", &b), ("cluster/x", &x)]);
    assert!(reasons(&answer)[0].contains("'service/c' uses it too"), "what c takes is not known either");
}

#[test]
fn what_moves_together_cannot_be_told_apart() {
    let twice = |day: u32| 2.0 * a(day);
    let answer = ask(90, &[("service/a", &a), ("service/b", &twice), ("service/c", &c), ("cluster/x", &x)]);
    assert!(answer.inferred.is_empty() && reasons(&answer)[0].contains("move together"), "{:?}", answer.unrated);
}

#[test]
fn a_poor_fit_and_a_short_one_are_no_ratio() {
    let other = |day: u32| wave(day, 13, 100.0, 90.0);
    let answer = ask(90, &[("service/a", &a), ("service/b", &b), ("service/c", &c), ("cluster/x", &other)]);
    assert!(answer.inferred.is_empty() && reasons(&answer)[0].contains("80 % are needed"), "{:?}", answer.unrated);
    let answer = ask(27, &[("service/a", &a), ("service/b", &b), ("service/c", &c), ("cluster/x", &x)]);
    assert!(reasons(&answer)[0].contains("28 are needed"), "{:?}", answer.unrated);
}

/// The cluster of 1 000 requests/s is used by a thousandth of what is asked of it.
#[test]
fn ratios_are_found_from_the_use_of_a_capacity_that_is_a_rate_and_from_no_other() {
    let demands: [(&str, &dyn Fn(u32) -> f64); 3] = [("service/a", &a), ("service/b", &b), ("service/c", &c)];
    let share = |day: u32| x(day) / 1_000.0;
    let of = |unit: &str| {
        let more = format!(r#","attributes":{{"capacity":{{"value":1000,"unit":"{unit}"}}}}"#);
        ask_of(&with_cluster(&more), 90, &demands, &[("cluster/x", &share)])
    };
    let answer = of("requests/s");
    let found: Vec<(&str, f64)> =
        answer.inferred.iter().map(|one| (one.dependent.as_str(), (one.ratio * 1e6).round() / 1e6)).collect();
    assert_eq!(found, [("service/a", 2.0), ("service/b", 0.5)]);
    let answer = of("TiB");
    assert!(answer.inferred.is_empty() && reasons(&answer)[0].contains("held rather than asked for"));
    let answer = ask_of(&estate(), 90, &demands, &[("cluster/x", &share)]);
    assert!(answer.inferred.is_empty() && reasons(&answer)[0].contains("states no capacity"), "{:?}", answer.unrated);
}
