//! Where the axis has ticks, and what they say.

use chrono::{DateTime, Datelike as _, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _, Utc};

use super::Interval;
use crate::zone::Zone;

/// The distances that ticks may have, in minutes.
const STEPS: [i64; 16] = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 20_160, 40_320, 80_640];

/// A tick of the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) at: DateTime<Utc>,
    /// The time of the day; the day, if ticks are days.
    pub(super) label: String,
    /// The day, where a new one begins and ticks are shorter.
    pub(super) day: Option<String>,
}

/// Returns at most so many ticks, at times that are round on the wall.
pub(super) fn ticks(span: Interval, zone: Zone, most: usize) -> Vec<Tick> {
    let minutes = (span.end - span.start).num_minutes().max(1);
    let fits = |step: i64| minutes / step < i64::try_from(most).unwrap_or(i64::MAX);
    let step = STEPS.into_iter().find(|&step| fits(step)).unwrap_or_else(|| {
        let weeks = minutes / 10_080 / i64::try_from(most.max(1)).unwrap_or(1) + 1;
        weeks * 10_080
    });
    let mut ticks: Vec<Tick> = Vec::new();
    let mut local = first(zone.local(span.start), step);
    // A few more than expected: clocks may be put back within the span.
    for _ in 0..most + 6 {
        // A time that the clocks leave out has no tick.
        if let Some(at) = zone.at(local)
            && at >= span.start
            && ticks.last().is_none_or(|last| last.at < at)
        {
            if at > span.end {
                break;
            }
            let before = ticks.last().map(|last| zone.local(last.at));
            ticks.push(tick(at, local, step, before));
        }
        let Some(next) = local.checked_add_signed(TimeDelta::minutes(step)) else { break };
        local = next;
    }
    ticks
}

/// Returns the last round time that is not after a time: counted from midnight, or from a Monday for weeks.
fn first(local: NaiveDateTime, step: i64) -> NaiveDateTime {
    let midnight = local.date().and_time(NaiveTime::MIN);
    if step < 1_440 {
        let since = i64::from(local.num_seconds_from_midnight()) / 60;
        return midnight + TimeDelta::minutes(since / step * step);
    }
    // 1969-12-29 was a Monday.
    let days = midnight.and_utc().timestamp().div_euclid(86_400) + 3;
    let back = if step % 10_080 == 0 { days.rem_euclid(7) } else { days.rem_euclid(step / 1_440) };
    midnight.checked_sub_signed(TimeDelta::days(back)).unwrap_or(midnight)
}

fn tick(at: DateTime<Utc>, local: NaiveDateTime, step: i64, before: Option<NaiveDateTime>) -> Tick {
    let new_year = before.is_none_or(|before| before.year() != local.year());
    if step >= 1_440 {
        return Tick {
            at,
            label: local.format("%a %-d %b").to_string(),
            day: new_year.then(|| local.format("%Y").to_string()),
        };
    }
    let new_day = before.is_none_or(|before| before.date() != local.date());
    let day = new_day.then(|| local.format("%a %-d %b %Y").to_string());
    Tick { at, label: local.format("%H:%M").to_string(), day }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn shown(start: &str, end: &str, zone: &str) -> Vec<String> {
        ticks(interval(start, end), zone.parse().unwrap(), 10).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_on_the_wall() {
        let minutes = shown("2026-03-02T20:03:00Z", "2026-03-02T20:41:00Z", "Asia/Kolkata");
        assert_eq!(minutes, ["01:35", "01:40", "01:45", "01:50", "01:55", "02:00", "02:05", "02:10"]);
        let hours = shown("2026-03-02T20:00:00Z", "2026-03-03T04:00:00Z", "UTC");
        assert_eq!(hours, ["20:00", "21:00", "22:00", "23:00", "00:00", "01:00", "02:00", "03:00", "04:00"]);
        let weeks = shown("2026-03-02T00:00:00Z", "2026-04-28T00:00:00Z", "Europe/Berlin");
        assert_eq!(weeks[..2], ["Mon 9 Mar", "Mon 16 Mar"]);
        let span = interval("2026-12-24T00:00:00Z", "2027-01-06T00:00:00Z");
        let years: Vec<String> = ticks(span, Zone::UTC, 10).into_iter().filter_map(|tick| tick.day).collect();
        assert_eq!(years, ["2026", "2027"]);
    }

    #[test]
    fn an_hour_that_is_left_out_has_no_tick_and_one_that_comes_twice_has_one() {
        let spring = shown("2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z", "Europe/Berlin");
        assert_eq!(spring, ["00:00", "01:00", "03:00", "04:00", "05:00", "06:00"]);
        assert!(!spring.iter().any(|label| label.starts_with("02:")), "{spring:?}");
        let autumn = shown("2026-10-24T22:00:00Z", "2026-10-25T04:00:00Z", "Europe/Berlin");
        assert_eq!(autumn.iter().filter(|label| *label == "02:00").count(), 1, "{autumn:?}");
    }
}
