//! The day on which something runs out is that of its forecast, where its load is forecast (analyses 4.1, 4.4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use keelson_analysis::Pool;
use keelson_answers::capacity::{CapacityAnswer, CapacityQuestion, RedundancyLine, ResourceLine, capacity};
use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_answers::suppose::{Supposed, scenarios};
use keelson_answers::{Asked, View};
use keelson_model::Metric;
use keelson_testkit::{Estate, minutes};

/// A service on two clusters of 180, of which one carries 144, and a steady one beside it; a scenario of its own growth.
const LINES: &str = r#"{"batch":{"format":"keelson/1","source":"s"}}
{"ci":{"key":"service/a","class":"service","name":"a","attributes":{"peak_demand":{"value":120,"unit":"requests/s"},"demand_growth_per_month":0.02}}}
{"ci":{"key":"service/b","class":"service","name":"b","attributes":{"peak_demand":{"value":10,"unit":"requests/s"},"demand_growth_per_month":0}}}
{"ci":{"key":"cluster/x","class":"cluster","name":"x","attributes":{"capacity":{"value":180,"unit":"requests/s"},"lead_time_days":30}}}
{"ci":{"key":"host/p","class":"host","name":"p","attributes":{"capacity":{"value":150,"unit":"requests/s"}}}}
{"ci":{"key":"host/q","class":"host","name":"q","attributes":{"capacity":{"value":150,"unit":"requests/s"}}}}
{"ci":{"key":"scenario/slow","class":"scenario","name":"slow","attributes":{"demand_growth_per_month":0.01}}}
{"need":{"dependent":"service/a","name":"pair","rule":"any","members":["host/p","host/q"]}}
{"relationship":{"dependent":"service/a","kind":"uses","dependency":"cluster/x","attributes":{"visits":1}}}
{"relationship":{"dependent":"service/b","kind":"uses","dependency":"cluster/x","attributes":{"visits":1}}}"#;

/// With the demand on the first service measured: from 100 by a fifth of one a day, 123.8 yesterday.
fn view() -> View {
    let view = Estate::of_text(LINES).view();
    let at = |day: i64| (minutes(0) + TimeDelta::days(day)).timestamp_millis();
    let points: Vec<(i64, f64)> =
        (0..120_u32).map(|day| (at(i64::from(day) - 120), 100.0 + 0.2 * f64::from(day))).collect();
    let mut book = SeriesBook::default();
    let item = view.catalogue.find_key("service/a").unwrap();
    book.add(item, Metric::Demand, DailySeries::of("requests/s", &points, Vec::new()).unwrap());
    view.with_series(Arc::new(book))
}

fn ask(view: &View) -> CapacityAnswer {
    let question = CapacityQuestion { most: 100, ..CapacityQuestion::default() };
    capacity(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn cluster(answer: &CapacityAnswer) -> &ResourceLine {
    answer.resources.iter().find(|line| line.subject.key == "cluster/x").unwrap()
}

fn pair(answer: &CapacityAnswer) -> &RedundancyLine {
    answer.redundancy.iter().find(|line| line.need == "pair").unwrap()
}

/// 134 is what b leaves of 144: after (134 - 124) / 0.2 = 50 days. Two per cent a month would take longer.
#[test]
fn what_grows_by_the_same_amount_each_day_runs_out_on_the_day_of_its_forecast() {
    let answer = ask(&view());
    let line = cluster(&answer);
    let days = |at: chrono::DateTime<chrono::Utc>| (at - minutes(0)).num_days();
    assert_eq!(Some(days(line.exhausted_at.unwrap())), line.chances.unwrap().even.map(days));
    assert!((49..=52).contains(&days(line.exhausted_at.unwrap())), "{:?}", line.exhausted_at);
    assert!((19..=22).contains(&days(line.decide_by.unwrap())), "a lead time of 30 days: {:?}", line.decide_by);
    // One of two carries 150: after (150 - 124) / 0.2 = 130 days.
    let line = pair(&answer);
    assert!((128..=132).contains(&days(line.expires_at.unwrap())), "{:?}", line.expires_at);
    assert_eq!(Some(days(line.expires_at.unwrap())), line.expires_chances.unwrap().even.map(days));
}

/// The day is the same whatever the time of day, and the part of a second, at which it is asked for.
#[test]
fn the_day_is_that_of_the_forecast_at_any_time_of_day() {
    let question = CapacityQuestion { most: 100, ..CapacityQuestion::default() };
    for milliseconds in [0, 1, 500, 59_321_777, 86_399_999] {
        let asked = Asked::now(minutes(0) + TimeDelta::milliseconds(milliseconds));
        let answer = capacity(&view(), &question, asked, &Pool::default(), None).unwrap();
        let line = cluster(&answer);
        let day = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.date_naive());
        assert_eq!(day(line.exhausted_at), day(line.chances.unwrap().even), "{milliseconds}");
    }
}

/// Growth that is supposed is not what was measured: its days follow from it, and have no chances.
#[test]
fn growth_that_is_supposed_has_no_chances_from_what_was_measured() {
    let view = view();
    let (growth, lines) = scenarios(&view.catalogue, &["slow".to_owned()]).unwrap();
    let answer = ask(&view.supposing(Supposed { base: view.revision(), growth, lines }).unwrap());
    let line = cluster(&answer);
    assert_eq!((line.chances, pair(&answer).expires_chances), (None, None));
    // From 133.8 to 144, all growing by 1 % a month.
    let months = (144.0_f64 / 133.8).ln() / 1.01_f64.ln();
    assert!((line.exhausted_months.unwrap() - months).abs() < 0.05, "{:?} is not {months}", line.exhausted_months);
}
