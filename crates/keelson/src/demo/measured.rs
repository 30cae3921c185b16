//! Demand and use of the demonstration estate as if they had been measured: fourteen months, a point every two hours.
//!
//! The same in every run but for the day it ends on. Growth, weeks and days have their shapes; what looks like chance is
//! a hash of the hour. Three days are missing, as they do in the world.

use chrono::{DateTime, Utc};
use keelson_app::series_files::{Read, Reading};
use keelson_model::Metric;

/// Days that were measured.
const DAYS: i64 = 425;
/// Points a day.
const A_DAY: i64 = 12;
/// Days, counted back from the last, of which nothing was measured.
const MISSING: std::ops::RangeInclusive<i64> = 170..=172;

/// A service whose demand was measured: its key, unit, peak now, growth a month, and what a weekend has of a weekday.
const SERVICES: [(&str, &str, f64, f64, f64); 3] = [
    ("service/card-payments", "transactions/s", 95.0, 0.020, 0.70),
    ("service/ticketing", "requests/s", 150.0, 0.015, 1.15),
    ("service/customer-portal", "requests/s", 220.0, 0.030, 0.45),
];

/// A component whose use was measured: its key, the share of it in use at its peak now, and growth a month.
const COMPONENTS: [(&str, f64, f64); 2] =
    [("storage-array/san-1", 0.79, 0.012), ("virtualisation-cluster/kelder-h1", 0.66, 0.015)];

/// What was measured up to the last midnight before a time.
pub(super) fn series(now: DateTime<Utc>) -> Read {
    let midnight = now.timestamp().div_euclid(86_400);
    let reading = |(key, unit, peak, growth, weekend): (&str, &str, f64, f64, f64)| {
        let mut points = Vec::new();
        for back in (1..=DAYS).rev().filter(|back| !MISSING.contains(back)) {
            let day = midnight - back;
            for part in 0..A_DAY {
                let at = day * 86_400 + part * 86_400 / A_DAY;
                points.push((at * 1_000, value(peak, growth, weekend, back, day, part)));
            }
        }
        Reading { key: key.to_owned(), metric: Metric::Demand, unit: unit.to_owned(), points }
    };
    let used = |(key, peak, growth): (&str, f64, f64)| {
        let mut points = Vec::new();
        for back in (1..=DAYS).rev().filter(|back| !MISSING.contains(back)) {
            points.push(((midnight - back) * 86_400_000, share(peak, growth, back, midnight - back)));
        }
        Reading { key: key.to_owned(), metric: Metric::Utilisation, unit: "1".to_owned(), points }
    };
    let components = COMPONENTS.into_iter().map(used);
    Read { readings: SERVICES.into_iter().map(reading).chain(components).collect(), ..Read::default() }
}

/// The share of a component in use on a day.
#[expect(clippy::cast_precision_loss, reason = "days are small")]
fn share(peak: f64, growth: f64, back: i64, day: i64) -> f64 {
    let level = peak / (1.0 + growth).powf(back as f64 / 30.4375);
    let chance = f64::from(u32::try_from(day.wrapping_mul(2_654_435_761).rem_euclid(1_000)).unwrap_or(0));
    (level * (0.985 + 0.03 * chance / 1_000.0) * 1e4).round() / 1e4
}

#[expect(clippy::cast_precision_loss, reason = "days and parts of days are small")]
fn value(peak: f64, growth: f64, weekend: f64, back: i64, day: i64, part: i64) -> f64 {
    let months = back as f64 / 30.4375;
    let level = peak / (1.0 + growth).powf(months);
    // Day 0 of 1970 was a Thursday.
    let week = if matches!((day + 4).rem_euclid(7), 0 | 6) { weekend } else { 1.0 };
    let hour = part as f64 / A_DAY as f64;
    let shape = 0.25 + 0.75 * (std::f64::consts::PI * (hour - 0.25).clamp(0.0, 0.65) / 0.65).sin().max(0.0);
    let chance =
        f64::from(u32::try_from((day * A_DAY + part).wrapping_mul(2_654_435_761).rem_euclid(1_000)).unwrap_or(0));
    (level * week * shape * (0.96 + 0.08 * chance / 1_000.0) * 100.0).round() / 100.0
}
