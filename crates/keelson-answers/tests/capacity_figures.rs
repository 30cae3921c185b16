//! Plans on figures that are odd, old, missing, or in another unit: what is not known is never told as known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use keelson_analysis::Pool;
use keelson_answers::capacity::{
    CapacityAnswer, CapacityQuestion, GrowthBasis, LimitBasis, LoadBasis, ResourceKind, ResourceLine, capacity,
};
use keelson_answers::demand::{DemandQuestion, demand};
use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_answers::{Asked, View};
use keelson_model::Metric;
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"s","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[String]) -> View {
    Estate::of_text(&format!("{HEAD}\n{}", lines.join("\n"))).view()
}

fn ask(view: &View) -> CapacityAnswer {
    let question = CapacityQuestion { most: 100, ..CapacityQuestion::default() };
    capacity(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn of<'a>(answer: &'a CapacityAnswer, key: &str) -> &'a ResourceLine {
    answer.resources.iter().find(|line| line.subject.key == key).unwrap()
}

fn says(answer: &CapacityAnswer, what: &str) -> bool {
    !answer.basis.complete && answer.basis.limits.iter().any(|limit| format!("{limit:?}").contains(what))
}

fn service(key: &str, demand: f64, unit: &str, growth: Option<f64>) -> String {
    let growth = growth.map_or(String::new(), |growth| format!(",\"demand_growth_per_month\":{growth}"));
    format!(
        r#"{{"ci":{{"key":"service/{key}","class":"service","name":"{key}","attributes":{{"peak_demand":{{"value":{demand},"unit":"{unit}"}}{growth}}}}}}}"#
    )
}

fn cluster(key: &str, capacity: f64, unit: &str, more: &str) -> String {
    format!(
        r#"{{"ci":{{"key":"cluster/{key}","class":"cluster","name":"{key}","attributes":{{"capacity":{{"value":{capacity},"unit":"{unit}"}}{more}}}}}}}"#
    )
}

fn uses(dependent: &str, dependency: &str, visits: f64) -> String {
    format!(
        r#"{{"relationship":{{"dependent":"{dependent}","kind":"uses","dependency":"{dependency}","attributes":{{"visits":{visits}}}}}}}"#
    )
}

/// A service of 100 requests/s on a cluster of 180, with demand measured on so many days from a day on.
fn measured(unit: &str, from_day: i64, days: i64, value: f64) -> View {
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster("x", 180.0, "requests/s", ""),
        uses("service/a", "cluster/x", 1.0),
    ]);
    let day = |day: i64| ((minutes(0) + TimeDelta::days(from_day + day)).timestamp_millis(), value);
    let points: Vec<(i64, f64)> = (0..days).map(day).collect();
    let mut book = SeriesBook::default();
    let service = view.catalogue.find_key("service/a").unwrap();
    book.add(service, Metric::Demand, DailySeries::of(unit, &points, Vec::new()).unwrap());
    view.with_series(Arc::new(book))
}

/// 100 × 1.05^24 = 322.5; of 120, 202.5 are short at a limit of 1: 21 steps of 10.
#[test]
fn relief_follows_the_demand_that_fills_the_resource_not_that_of_others() {
    let increment = r#","maximum_utilisation":1,"increment":{"value":10,"unit":"requests/s"}"#;
    let answer = ask(&view(&[
        service("a", 100.0, "requests/s", Some(0.05)),
        service("b", 10_000.0, "transactions/s", Some(0.0)),
        cluster("x", 120.0, "requests/s", increment),
        cluster("y", 20_000.0, "transactions/s", ""),
        uses("service/a", "cluster/x", 1.0),
        uses("service/b", "cluster/y", 1.0),
    ]));
    assert_eq!(of(&answer, "cluster/x").relief.as_ref().map(|relief| relief.steps), Some(21));
}

/// 78 × 1.02^24 = 125.5; at a limit of 0.8 that takes 156.8, so 6 steps of 10 beside the 100 there are.
#[test]
fn what_states_its_use_is_relieved_as_well() {
    let answer = ask(&view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster(
            "x",
            100.0,
            "TiB",
            r#","utilisation":0.78,"maximum_utilisation":0.8,"increment":{"value":10,"unit":"TiB"}"#,
        ),
        r#"{"relationship":{"dependent":"service/a","kind":"uses","dependency":"cluster/x"}}"#.to_owned(),
    ]));
    let line = of(&answer, "cluster/x");
    assert!(line.exhausted_months.is_some_and(|months| (months - 1.278).abs() < 0.01), "{:?}", line.exhausted_months);
    assert_eq!(line.relief.as_ref().map(|relief| relief.steps), Some(6));
}

#[test]
fn a_series_in_another_unit_is_not_taken_for_the_stated_one() {
    let answer = ask(&measured("requests/min", -60, 60, 6_000.0));
    let line = of(&answer, "cluster/x");
    assert!((line.load - 100.0).abs() < 1e-9 && !line.is_over_capacity);
    assert!(says(&answer, "requests/min"), "{:?}", answer.basis.limits);
    assert!(answer.forecasts.is_empty());
}

#[test]
fn a_series_that_ended_long_ago_is_not_what_is_asked_now() {
    let answer = ask(&measured("requests/s", -1_160, 60, 10.0));
    assert!((of(&answer, "cluster/x").load - 100.0).abs() < 1e-9);
    assert_eq!(answer.services[0].growth_basis, GrowthBasis::Stated);
    assert!(says(&answer, "days ago"), "{:?}", answer.basis.limits);
    let answer = ask(&measured("requests/s", -60, 60, 10.0));
    assert!((of(&answer, "cluster/x").load - 10.0).abs() < 1e-9, "what was measured lately is");
}

#[test]
fn growth_that_nobody_states_is_no_reassurance() {
    let answer = ask(&view(&[cluster("x", 100.0, "TiB", r#","utilisation":0.79,"maximum_utilisation":0.8"#)]));
    assert!(of(&answer, "cluster/x").grounds.is_understated);
    assert!(says(&answer, "may run out earlier"), "{:?}", answer.basis.limits);
    let known = ask(&view(&[
        service("a", 100.0, "requests/s", Some(0.0)),
        cluster("x", 100.0, "TiB", r#","utilisation":0.79,"maximum_utilisation":0.8"#),
        r#"{"relationship":{"dependent":"service/a","kind":"uses","dependency":"cluster/x"}}"#.to_owned(),
    ]));
    assert!(!of(&known, "cluster/x").grounds.is_understated, "that it does not grow was stated");
}

#[test]
fn seats_are_not_compared_with_requests() {
    let line = r#"{"ci":{"key":"service/a","class":"service","name":"a","attributes":{"peak_demand":{"value":100,"unit":"transactions/s"},"capacity":{"value":50,"unit":"seats"}}}}"#;
    let answer = ask(&view(&[line.to_owned()]));
    assert!(answer.resources.is_empty(), "{:?}", answer.resources);
    assert!(says(&answer, "different units"), "{:?}", answer.basis.limits);
}

#[test]
fn the_volume_of_a_contract_is_a_capacity_for_both_questions() {
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        r#"{"ci":{"key":"contract/m","class":"contract","name":"m","attributes":{"volume":{"value":40,"unit":"requests/s"}}}}"#.to_owned(),
        r#"{"relationship":{"dependent":"service/a","kind":"underpinned_by","dependency":"contract/m","attributes":{"visits":0.1}}}"#.to_owned(),
    ]);
    let question = DemandQuestion { most: 10, ..DemandQuestion::default() };
    let demanded = demand(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap();
    assert_eq!((ask(&view).without_capacity_count, demanded.without_capacity_count), (0, 0));
}

#[test]
fn a_survival_limit_can_be_stated() {
    let view = view(&[
        r#"{"ci":{"key":"service/a","class":"service","name":"a","attributes":{"survival_limit":1.1}}}"#.to_owned(),
    ]);
    let ix = view.catalogue.find_key("service/a").unwrap();
    assert!(view.catalogue.ci(ix).attribute("survival_limit").is_some());
}

#[test]
fn what_is_missing_is_told_of_what_is_asked_about() {
    let view = view(&[
        service("a", 10.0, "requests/s", Some(0.0)),
        service("b", 10.0, "requests/s", Some(0.0)),
        r#"{"ci":{"key":"cluster/x","class":"cluster","name":"x"}}"#.to_owned(),
        r#"{"ci":{"key":"cluster/y","class":"cluster","name":"y"}}"#.to_owned(),
        r#"{"ci":{"key":"cluster/z","class":"cluster","name":"z"}}"#.to_owned(),
        uses("service/a", "cluster/x", 1.0),
        uses("service/b", "cluster/y", 1.0),
        r#"{"relationship":{"dependent":"cluster/y","kind":"uses","dependency":"cluster/z"}}"#.to_owned(),
    ]);
    let everything = ask(&view);
    assert_eq!((everything.without_capacity_count, everything.unrated_count, everything.services.len()), (2, 1, 2));
    let question = CapacityQuestion { services: vec!["service/a".to_owned()], most: 100, ..Default::default() };
    let answer = capacity(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap();
    let keys: Vec<&str> = answer.without_capacity.iter().map(|one| one.key.as_str()).collect();
    assert_eq!((keys, answer.without_capacity_count, answer.unrated_count), (vec!["cluster/x"], 1, 0));
    assert_eq!(answer.services.iter().map(|one| one.source.subject.key.as_str()).collect::<Vec<_>>(), ["service/a"]);
}

#[test]
fn a_forecast_names_its_lowest_limits_with_their_days_and_its_last_value() {
    let mut points = vec![100.0; 150];
    points[149] = 90.0;
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster("x", 180.0, "requests/s", ""),
        cluster("y", 100.0, "requests/s", r#","lead_time_days":30.4375"#),
        uses("service/a", "cluster/x", 1.0),
        uses("service/a", "cluster/y", 0.5),
    ]);
    let answer = ask(&with_series(&view, "service/a", Metric::Demand, "requests/s", &points));
    let line = &answer.forecasts[0];
    let told: Vec<(&str, f64)> = line.limits.iter().map(|one| (one.resource.as_str(), one.limit.round())).collect();
    assert_eq!(told, [("cluster/x", 144.0), ("cluster/y", 160.0)]);
    assert_eq!((line.limit, line.limited_by.as_deref()), (Some(144.0), Some("cluster/x")));
    assert_eq!(line.history.last().map(|point| point.value), Some(90.0), "the last day is not thinned away");
}

/// A view with a value a day in a series that ends today.
fn with_series(view: &View, key: &str, metric: Metric, unit: &str, values: &[f64]) -> View {
    let mut book = SeriesBook::default();
    add(&mut book, view, (key, metric, unit), values);
    view.with_series(Arc::new(book))
}

fn add(book: &mut SeriesBook, view: &View, (key, metric, unit): (&str, Metric, &str), values: &[f64]) {
    let first = -i64::try_from(values.len()).unwrap();
    let day = |(day, value): (i64, &f64)| ((minutes(0) + TimeDelta::days(day)).timestamp_millis(), *value);
    let points: Vec<(i64, f64)> = (first..).zip(values).map(day).collect();
    let item = view.catalogue.find_key(key).unwrap();
    book.add(item, metric, DailySeries::of(unit, &points, Vec::new()).unwrap());
}

/// A resource of 100 TiB of which 30 % are said to be in use.
fn store() -> View {
    view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster("x", 100.0, "TiB", r#","utilisation":0.3,"maximum_utilisation":0.8"#),
        r#"{"relationship":{"dependent":"service/a","kind":"uses","dependency":"cluster/x"}}"#.to_owned(),
    ])
}

/// From 50 % by a tenth of a per cent a day: 61.9 % after 120 days, and 80 % another 181 days on.
#[test]
fn measured_use_is_taken_before_stated_use_and_grows_by_itself() {
    let values: Vec<f64> = (0..120).map(|day| 0.5 + 0.001 * f64::from(day)).collect();
    let answer = ask(&with_series(&store(), "cluster/x", Metric::Utilisation, "1", &values));
    let line = of(&answer, "cluster/x");
    assert_eq!((line.load_basis, line.is_model_doubtful), (LoadBasis::Measured, false));
    assert!((line.load - 61.9).abs() < 1e-9 && !line.grounds.is_inferred, "{line:?}");
    let even = line.chances.unwrap().even.unwrap();
    let days = (even - minutes(0)).num_days();
    assert!((178..=184).contains(&days), "{days}");
    let line = of(&ask(&store()), "cluster/x").clone();
    assert_eq!((line.load_basis, line.load.round(), line.measured_utilisation), (LoadBasis::Stated, 30.0, None));
}

#[test]
fn measured_use_may_be_a_share_per_cent_or_an_amount_and_nothing_else() {
    for (unit, value, load) in [("1", 0.6, 60.0), ("%", 60.0, 60.0), ("TiB", 60.0, 60.0), ("requests/s", 60.0, 30.0)] {
        let answer = ask(&with_series(&store(), "cluster/x", Metric::Utilisation, unit, &[value; 30]));
        assert!((of(&answer, "cluster/x").load - load).abs() < 1e-9, "{unit}");
        assert_eq!(says(&answer, "neither a share nor the unit"), unit == "requests/s", "{unit}");
    }
}

/// 100 of 180 are 56 %.
#[test]
fn use_that_contradicts_the_model_is_told_and_does_not_replace_it() {
    let modelled = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster("x", 180.0, "requests/s", ""),
        uses("service/a", "cluster/x", 1.0),
    ]);
    for (share, doubtful) in [(0.9, true), (0.2, true), (0.6, false)] {
        let answer = ask(&with_series(&modelled, "cluster/x", Metric::Utilisation, "1", &[share; 30]));
        let line = of(&answer, "cluster/x");
        assert!((line.load - 100.0).abs() < 1e-9 && line.load_basis == LoadBasis::Demand);
        assert_eq!((line.is_model_doubtful, line.measured_utilisation), (doubtful, Some(share)));
        assert_eq!(says(&answer, "differs by more than a fifth"), doubtful);
    }
}

#[test]
fn what_states_no_capacity_and_is_measured_is_planned_by_its_share() {
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.0)),
        r#"{"ci":{"key":"cluster/x","class":"cluster","name":"x"}}"#.to_owned(),
        uses("service/a", "cluster/x", 1.0),
    ]);
    let answer = ask(&with_series(&view, "cluster/x", Metric::Utilisation, "1", &[0.9; 30]));
    let line = of(&answer, "cluster/x");
    assert_eq!((line.capacity.unit.as_str(), line.load.round(), line.is_over_limit), ("%", 90.0, true));
    assert_eq!(answer.without_capacity_count, 0);
}

/// 100 × 1.02^24 = 160.8 of 180: enough, but not with one of three servers of 60 lost; one more of 60 makes it so. One
/// of 100 would be the one to lose.
#[test]
fn what_is_bought_together_still_carries_with_a_server_lost() {
    let asked = |more: &str| {
        ask(&view(&[
            service("a", 100.0, "requests/s", Some(0.02)),
            cluster("x", 180.0, "requests/s", &format!(r#","maximum_utilisation":1{more}"#)),
            uses("service/a", "cluster/x", 1.0),
        ]))
        .purchases
    };
    assert_eq!(asked(r#","increment":{"value":60,"unit":"requests/s"}"#).purchase_count, 0);
    let one = asked(r#","servers":3,"increment":{"value":60,"unit":"requests/s"}"#);
    let line = &one.purchases[0];
    assert_eq!((line.steps, line.is_for_redundancy, &line.cost, one.without_cost_count), (1, true, &None, 1));
    let larger = asked(r#","servers":3,"increment":{"value":100,"unit":"requests/s"}"#);
    assert_eq!(larger.purchases[0].steps, 1, "the 180 there are carry it without the new one");
    let none = asked(r#","servers":3"#);
    assert_eq!((none.purchase_count, none.unrelieved_count), (0, 1));
    assert!((none.unrelieved[0].short.value - (100.0 * 1.02_f64.powi(24) - 120.0)).abs() < 1e-9);
}

#[test]
fn the_workload_that_targets_are_promised_for_runs_out_too() {
    let service = r#"{"ci":{"key":"service/a","class":"service","name":"a","attributes":{"peak_demand":{"value":100,"unit":"requests/s"},"demand_growth_per_month":0.02,"workload_limit":{"value":110,"unit":"requests/s"}}}}"#;
    let answer = ask(&view(&[service.to_owned()]));
    let promise = of(&answer, "service/a");
    assert_eq!((promise.limit_basis, promise.planning_limit), (LimitBasis::Promised, 1.0));
    assert_eq!((promise.kind, promise.is_over_limit), (ResourceKind::Financial, false));
    // 100 × 1.02^m = 110.
    let months = 1.1_f64.ln() / 1.02_f64.ln();
    assert!((promise.exhausted_months.unwrap() - months).abs() < 1e-6, "{:?}", promise.exhausted_months);
}

/// A pair of clusters that share the load of a platform, which two services use.
fn shared_pair(capacity: f64) -> Vec<String> {
    let member = |key: &str| cluster(key, capacity, "requests/s", "");
    let pair =
        r#"{"need":{"dependent":"application/p","name":"pair","rule":"any","members":["cluster/x","cluster/y"]}}"#;
    let half = |key: &str| {
        format!(
            r#"{{"relationship":{{"dependent":"application/p","kind":"uses","dependency":"cluster/{key}","attributes":{{"visits":0.5}}}}}}"#
        )
    };
    vec![
        r#"{"ci":{"key":"application/p","class":"application","name":"p"}}"#.to_owned(),
        member("x"),
        member("y"),
        pair.to_owned(),
        half("x"),
        half("y"),
    ]
}

/// 50 grow by 1 % and 50 do not: 150 when 1.01^m = 2. Another service that grows fast takes nothing of them.
#[test]
fn redundancy_expires_with_the_demand_that_uses_it_and_not_with_that_of_others() {
    let mut lines = shared_pair(150.0);
    lines.extend([
        service("a", 50.0, "requests/s", Some(0.01)),
        service("b", 50.0, "requests/s", Some(0.0)),
        service("fast", 1.0, "requests/s", Some(0.5)),
        uses("service/a", "application/p", 1.0),
        uses("service/b", "application/p", 1.0),
    ]);
    let answer = ask(&view(&lines));
    let pair = answer.redundancy.iter().find(|line| line.need == "pair").unwrap();
    let months = 2.0_f64.ln() / 1.01_f64.ln();
    assert!((pair.expires_months.unwrap() - months).abs() < 1e-3, "{:?} is not {months}", pair.expires_months);
}

#[test]
fn a_decision_within_the_months_looked_ahead_is_told_though_its_resource_runs_out_later() {
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        // 120 · 0.8 = 96 … of 150 · 0.8 = 120: 9.2 months, of which the lead takes 6.
        cluster("x", 150.0, "requests/s", r#","lead_time_days":182.625"#),
        uses("service/a", "cluster/x", 1.0),
    ]);
    let within = |months: f64| {
        let question = CapacityQuestion { horizon_months: months, most: 10, ..CapacityQuestion::default() };
        capacity(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
    };
    let line = of(&within(4.0), "cluster/x").clone();
    assert!(line.decide_months.is_some_and(|months| (months - 3.207).abs() < 0.01), "{:?}", line.decide_months);
    assert_eq!(of(&within(3.0), "cluster/x").exhausted_months, None);
}

#[test]
fn months_that_mean_nothing_are_refused() {
    let view = view(&[service("a", 100.0, "requests/s", Some(0.02))]);
    for months in [f64::NAN, -1.0, 601.0, f64::INFINITY] {
        let question = CapacityQuestion { horizon_months: months, most: 10, ..CapacityQuestion::default() };
        let error = capacity(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap_err();
        assert!(error.to_string().contains("months to look ahead"), "{error}");
    }
}

#[test]
fn a_capacity_of_nothing_is_named() {
    let answer = ask(&view(&[
        service("a", 100.0, "requests/s", Some(0.0)),
        cluster("x", 0.0, "requests/s", ""),
        uses("service/a", "cluster/x", 1.0),
    ]));
    assert!(says(&answer, "'cluster/x' first: they are beyond it"), "{:?}", answer.basis.limits);
    assert_eq!(answer.without_capacity_count, 0, "it states one");
    // As a member of a pair it blocks nothing.
    let mut lines = shared_pair(0.0);
    lines.extend([service("a", 50.0, "requests/s", Some(0.01)), uses("service/a", "application/p", 1.0)]);
    let answer = ask(&view(&lines));
    let unknown = answer.redundancy[0].unknown.clone().unwrap();
    assert!(unknown.contains("'cluster/x' states a capacity of 0"), "{unknown}");
}

#[test]
fn a_ratio_that_means_nothing_is_named_and_blocks_nothing() {
    for (ratio, shown) in [("-1", "as -1,"), ("\"twice\"", "as twice,")] {
        let bad = format!(
            r#"{{"relationship":{{"dependent":"service/a","kind":"uses","dependency":"cluster/y","attributes":{{"visits":{ratio}}}}}}}"#
        );
        let answer = ask(&view(&[
            service("a", 100.0, "requests/s", Some(0.02)),
            cluster("x", 180.0, "requests/s", ""),
            cluster("y", 180.0, "requests/s", ""),
            uses("service/a", "cluster/x", 1.0),
            bad,
        ]));
        assert!((of(&answer, "cluster/x").load - 100.0).abs() < 1e-9);
        assert!(says(&answer, shown) && says(&answer, "counts as not stated"), "{:?}", answer.basis.limits);
    }
}

#[test]
fn a_planning_limit_is_the_smaller_of_the_knee_and_what_is_stated_and_its_flaws_are_named() {
    let of_times = |more: &str| {
        ask(&view(&[
            service("a", 10.0, "requests/s", Some(0.0)),
            cluster("x", 100.0, "requests/s", more),
            uses("service/a", "cluster/x", 1.0),
        ]))
    };
    let knee = r#","service_seconds":1,"response_seconds":2"#;
    let answer = of_times(&format!(r#"{knee},"servers":4,"maximum_utilisation":0.6"#));
    let line = of(&answer, "cluster/x");
    assert_eq!((line.planning_limit, line.limit_basis), (0.6, LimitBasis::Stated), "the knee of four is 0.835");
    let answer = of_times(&format!(r#"{knee},"maximum_utilisation":0.6"#));
    let line = of(&answer, "cluster/x");
    assert!((line.planning_limit - 0.5).abs() < 1e-9 && line.limit_basis == LimitBasis::Response);
    assert!(says(&answer, "no number of 'servers'"), "{:?}", answer.basis.limits);
    let answer = of_times(r#","service_seconds":2,"response_seconds":1"#);
    assert!(says(&answer, "cannot answer within 'response_seconds'"), "{:?}", answer.basis.limits);
}

#[test]
fn growth_and_use_that_measurements_contradict_are_told() {
    let view = view(&[
        service("a", 100.0, "requests/s", Some(0.2)),
        cluster("x", 180.0, "requests/s", r#","utilisation":0.3"#),
        r#"{"relationship":{"dependent":"service/a","kind":"uses","dependency":"cluster/x"}}"#.to_owned(),
    ]);
    let mut book = SeriesBook::default();
    add(&mut book, &view, ("service/a", Metric::Demand, "requests/s"), &[100.0; 120]);
    add(&mut book, &view, ("cluster/x", Metric::Utilisation, "1"), &[0.7; 60]);
    let answer = ask(&view.with_series(Arc::new(book)));
    let told = |what: &str| answer.basis.limits.iter().any(|limit| limit.message.contains(what));
    assert!(told("20.0 % a month is stated, 0.0 % forecast"), "{:?}", answer.basis.limits);
    assert!(told("'cluster/x' first: 70 % measured, 30 % stated"), "{:?}", answer.basis.limits);
}

/// Half of one a day less: what somebody once stated of growth does not make it run out.
#[test]
fn demand_that_falls_to_nothing_does_not_grow_as_stated() {
    let modelled = view(&[
        service("a", 100.0, "requests/s", Some(0.02)),
        cluster("x", 180.0, "requests/s", ""),
        uses("service/a", "cluster/x", 1.0),
    ]);
    let values: Vec<f64> = (0..200).map(|day| 200.0 - 0.5 * f64::from(day)).collect();
    let answer = ask(&with_series(&modelled, "service/a", Metric::Demand, "requests/s", &values));
    let growth = &answer.services[0];
    assert_eq!(growth.growth_basis, GrowthBasis::Forecast);
    // From 98.5, the mean of the first week, to its half after 99 days: by a fifth a month.
    assert!((-0.22..-0.17).contains(&growth.growth_per_month.unwrap()), "{growth:?}");
    assert_eq!(of(&answer, "cluster/x").exhausted_months, None);
    let told = |what: &str| answer.basis.limits.iter().any(|limit| limit.message.contains(what));
    assert!(told("2.0 % a month is stated"), "{:?}", answer.basis.limits);
}

#[test]
fn a_contract_that_ends_before_it_runs_out_is_told() {
    let with = |end: &str| {
        let contract = format!(
            r#"{{"ci":{{"key":"contract/m","class":"contract","name":"m","attributes":{{"volume":{{"value":180,"unit":"requests/s"}},"end":"{end}"}}}}}}"#
        );
        ask(&view(&[
            service("a", 100.0, "requests/s", Some(0.02)),
            contract,
            r#"{"relationship":{"dependent":"service/a","kind":"underpinned_by","dependency":"contract/m","attributes":{"visits":1}}}"#.to_owned(),
        ]))
    };
    // 180 is reached in 29.7 months.
    for (end, first) in [("2027-01-01T00:00:00Z", true), ("2040-01-01T00:00:00Z", false)] {
        let answer = with(end);
        let line = of(&answer, "contract/m");
        assert_eq!((line.ends_before_it_runs_out, says(&answer, "has ended")), (Some(first), false), "{end}");
    }
    assert!(says(&with("2026-01-01T00:00:00Z"), "has ended, 'contract/m' first"));
}

/// Demand that grows ever faster: no forecast of its past held.
#[test]
fn a_forecast_that_never_held_is_no_complete_answer() {
    let view = view(&[
        service("a", 100.0, "requests/s", None),
        cluster("x", 1e9, "requests/s", ""),
        uses("service/a", "cluster/x", 1.0),
    ]);
    let of = |values: &[f64]| ask(&with_series(&view, "service/a", Metric::Demand, "requests/s", values));
    let runaway: Vec<f64> = (0..120).map(|day| 1.04_f64.powi(day)).collect();
    let answer = of(&runaway);
    assert!(answer.forecasts[0].coverage.unwrap() < 0.4, "{:?}", answer.forecasts[0].coverage);
    assert!(says(&answer, "did not hold in their own past, 'service/a' first"), "{:?}", answer.basis.limits);
    let calm: Vec<f64> = (0..120).map(|day| 100.0 + f64::from(day * 7 % 5)).collect();
    assert!(!says(&of(&calm), "did not hold"), "{:?}", of(&calm).basis.limits);
}
