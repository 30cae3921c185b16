//! Redundancy by hour, and when it ends by what was measured: example E13 of the design.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use chrono::TimeDelta;
use keelson_analysis::Pool;
use keelson_answers::capacity::{
    CapacityAnswer, CapacityQuestion, HourDays, HourWindow, LoadLine, ProfileBasis, RedundancyLine, capacity,
};
use keelson_answers::change::EffectLine;
use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_answers::{Asked, View};
use keelson_model::{Effect, Metric};
use keelson_testkit::{Estate, hours, minutes};

const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keelson/tests/fixtures/worked-estate-figures.ndjson");

/// The worked estate, whose payments have three web servers of 60 a second.
fn estate(peak: u32, profile: &str) -> View {
    let text = std::fs::read_to_string(FIGURES).unwrap();
    let payments = r#"service/payments", "class": "service", "name": "payments", "attributes": {"#;
    let demand = format!(
        "{payments}\"peak_demand\": {{\"value\": {peak}, \"unit\": \"transactions/s\"}}, \"demand_growth_per_month\": 0.02, {profile}"
    );
    Estate::of_text(&text.replace(payments, &demand)).view()
}

/// At night, until six, 40 a second; then the peak.
fn nightly(peak: u32) -> View {
    let night = 40.0 / f64::from(peak);
    let shares: Vec<String> = (0..24).map(|hour| if hour < 6 { night } else { 1.0 }.to_string()).collect();
    estate(peak, &format!("\"demand_profile\": [{}], ", shares.join(", ")))
}

fn ask(view: &View) -> CapacityAnswer {
    let services = vec!["service/payments".to_owned()];
    let question = CapacityQuestion { services, most: 100, ..CapacityQuestion::default() };
    capacity(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn web(answer: &CapacityAnswer) -> &RedundancyLine {
    answer.redundancy.iter().find(|one| one.need == "web pool").unwrap()
}

#[test]
fn e13_a_member_may_be_out_at_night_and_not_at_the_peak() {
    let answer = ask(&nightly(100));
    let hours = web(&answer).hours.clone().unwrap();
    assert_eq!((hours.basis, hours.is_partial), (ProfileBasis::Stated, false));
    let window = |from, to| HourWindow { days: HourDays::EveryDay, from, to };
    let night = hours.quietest;
    assert_eq!(
        (night.window, night.required, night.margin, night.margin_without_one),
        (window(0, 6), Some(1), Some(2), Some(1))
    );
    let day = hours.busiest;
    assert_eq!(
        (day.window, day.required, day.margin, day.margin_without_one),
        (window(6, 24), Some(2), Some(1), Some(0))
    );
    assert!(hours.short_without_one.is_empty());

    let answer = ask(&nightly(130));
    let hours = web(&answer).hours.clone().unwrap();
    assert_eq!((hours.busiest.required, hours.busiest.margin_without_one), (Some(3), None));
    assert!((hours.busiest.delivered_without_one.unwrap() - 120.0 / 130.0).abs() < 1e-9);
    assert_eq!(hours.short_without_one, [window(6, 24)]);
    assert_eq!(hours.quietest.margin_without_one, Some(1));
}

/// What becomes of the web pool while its first server is out, from four to eight in the morning.
fn web_meanwhile(view: &View) -> LoadLine {
    let mut estate = Estate::over(view);
    estate.request("CHG-1", &["web1"], Some(hours(4.0, 8.0)), 60);
    let answer = estate.assess("CHG-1");
    answer.loads.into_iter().find(|line| line.need == "web pool" && line.subject.name == "payments").unwrap()
}

/// What becomes of payments while web1 is out in some hours.
fn payments_meanwhile(view: &View, from: f64, to: f64) -> EffectLine {
    let mut estate = Estate::over(view);
    estate.request("CHG-1", &["web1"], Some(hours(from, to)), 60);
    let answer = estate.assess("CHG-1");
    answer.services.into_iter().find(|line| line.subject.name == "payments").unwrap()
}

/// Two of three web servers are declared to be enough; at 130 transactions/s they deliver 120.
#[test]
fn what_does_not_carry_its_load_is_a_loss_whatever_is_declared() {
    let lost = 1.0 - 120.0 / 130.0;
    let at_the_peak = payments_meanwhile(&nightly(130), 4.0, 8.0);
    assert_eq!((at_the_peak.effect, at_the_peak.is_certain), (Effect::Degraded, true));
    assert!((at_the_peak.loss - lost).abs() < 1e-9 && at_the_peak.lost_by_load == Some(at_the_peak.loss));
    let at_night = payments_meanwhile(&nightly(130), 4.0, 6.0);
    assert_eq!((at_night.effect, at_night.lost_by_load), (Effect::MarginLost, None));
    // Nobody says how the load goes through the day: it may be that of the peak.
    let perhaps = payments_meanwhile(&estate(130, ""), 4.0, 6.0);
    assert_eq!((perhaps.effect, perhaps.is_certain, perhaps.loss), (Effect::Degraded, false, 0.0));
    assert!((perhaps.lost_by_load.unwrap() - lost).abs() < 1e-9);
}

#[test]
fn e13_a_change_at_night_leaves_a_margin_and_at_the_peak_none() {
    let line = web_meanwhile(&nightly(100));
    assert_eq!((line.members, line.lost.as_slice()), (3, &["software-instance/web1".to_owned()][..]));
    let told = |line: &LoadLine| -> Vec<_> {
        let hour = |at: chrono::DateTime<chrono::Utc>| (at - minutes(0)).num_hours();
        line.spans.iter().map(|span| (hour(span.from), hour(span.until), span.required, span.margin)).collect()
    };
    assert!(line.has_profile && !line.falls_short());
    assert_eq!(told(&line), [(4, 6, Some(1), Some(1)), (6, 8, Some(2), Some(0))]);
    // Of 130 at the peak, two servers deliver 120.
    let line = web_meanwhile(&nightly(130));
    assert_eq!(told(&line), [(4, 6, Some(1), Some(1)), (6, 8, None, None)]);
    assert!(line.falls_short() && (line.spans[1].delivered.unwrap() - 120.0 / 130.0).abs() < 1e-9);
    // Without a profile the peak counts all the time.
    let line = web_meanwhile(&estate(100, ""));
    assert!(!line.has_profile);
    assert_eq!(told(&line), [(4, 8, Some(2), Some(0))]);
}

#[test]
fn hours_are_measured_where_demand_is_and_told_by_the_kind_of_day() {
    // 2026-11-01 is a Sunday; five weeks of hours end then.
    let view = estate(500, "");
    let value = |hour: i64| {
        let (day, hour) = (hour.div_euclid(24).rem_euclid(7), hour.rem_euclid(24));
        match (day, hour) {
            (0 | 6, _) => 20.0,
            (_, 8..16) => 130.0,
            _ => 40.0,
        }
    };
    let at = |hour: i64| (minutes(0) + TimeDelta::hours(hour)).timestamp_millis();
    let first = chrono::Datelike::weekday(&minutes(0)).num_days_from_sunday();
    let points: Vec<(i64, f64)> = (-35 * 24..0).map(|hour| (at(hour), value(hour + 24 * i64::from(first)))).collect();
    let mut book = SeriesBook::default();
    let item = view.catalogue.find_key("service/payments").unwrap();
    book.add(item, Metric::Demand, DailySeries::of("transactions/s", &points, Vec::new()).unwrap());
    let answer = ask(&view.with_series(Arc::new(book)));
    let hours = web(&answer).hours.clone().unwrap();
    assert_eq!(hours.basis, ProfileBasis::Measured);
    assert_eq!(hours.short_without_one, [HourWindow { days: HourDays::Weekdays, from: 8, to: 16 }]);
    assert_eq!(hours.quietest.window, HourWindow { days: HourDays::Weekend, from: 0, to: 24 });
    assert!((hours.quietest.load - 20.0).abs() < 1e-9 && (hours.busiest.load - 130.0).abs() < 1e-9);
}

#[test]
fn without_a_profile_nothing_is_said_of_hours_and_a_bad_one_is_named() {
    let answer = ask(&estate(100, ""));
    assert_eq!(web(&answer).hours, None);
    let answer = ask(&estate(100, "\"demand_profile\": [0.5, 1.0], "));
    assert_eq!(web(&answer).hours, None);
    let says = |what: &str| answer.basis.limits.iter().any(|limit| limit.message.contains(what));
    assert!(says("is not 24 shares") && !answer.basis.complete, "{:?}", answer.basis.limits);
}

/// A tenth a day from 88: 100 now, and beyond the 120 that two members carry after 200 days.
#[test]
fn the_end_of_redundancy_has_its_chances_where_demand_is_forecast() {
    let view = estate(100, "");
    let at = |day: i64| (minutes(0) + TimeDelta::days(day)).timestamp_millis();
    let points: Vec<(i64, f64)> =
        (0..121_u32).map(|day| (at(i64::from(day) - 121), 88.0 + 0.1 * f64::from(day))).collect();
    let mut book = SeriesBook::default();
    let item = view.catalogue.find_key("service/payments").unwrap();
    book.add(item, Metric::Demand, DailySeries::of("transactions/s", &points, Vec::new()).unwrap());
    let answer = ask(&view.with_series(Arc::new(book)));
    let chances = web(&answer).expires_chances.unwrap();
    let even = (chances.even.unwrap() - minutes(0)).num_days();
    assert!((197..=203).contains(&even), "{even}");
    assert!(chances.one_in_ten <= chances.even && chances.even <= chances.nine_in_ten);
    assert_eq!(web(&ask(&estate(100, ""))).expires_chances, None);
}

/// While dbA is out, payments is one failure from an outage: dbB, 0.5 % of the time down, four hours to repair.
#[test]
fn e4_a_new_single_point_has_its_chance_to_fail_in_the_window() {
    let meanwhile = |repair: &str| {
        let text = std::fs::read_to_string(FIGURES).unwrap();
        let said = r#""name": "dbB", "attributes": {"#;
        assert!(text.contains(said));
        let view = Estate::of_text(&text.replace(said, &format!("{said}{repair}"))).view();
        let mut estate = Estate::over(&view);
        estate.request("CHG-1", &["dbA"], Some(hours(4.0, 8.0)), 60);
        let answer = estate.assess("CHG-1");
        answer.services.into_iter().find(|line| line.subject.name == "payments").unwrap()
    };
    let known = meanwhile("\"repair_minutes\": 240, ");
    assert_eq!(known.new_single_points, ["database/dbB"]);
    let failure = known.point_failure.unwrap();
    assert!((failure.chance - 0.005_012_520_806_793_597).abs() < 1e-15 && failure.unstated == 0, "{failure:?}");
    let unknown = meanwhile("").point_failure.unwrap();
    assert_eq!((unknown.chance, unknown.unstated), (0.0, 1));
}
