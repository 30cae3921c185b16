//! Times as people type them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Reads when a source was read: a time, or a day, meaning its end. Of today, the end is not there
/// yet, so it means now.
pub(crate) fn observed(text: &str) -> Result<DateTime<Utc>, String> {
    match read(text)? {
        Typed::Time(time) => Ok(time),
        Typed::Day(first) => Ok(end_of(first)?.min(first.max(keelson_app::system::now()))),
    }
}

/// Reads the start of an interval: a time, or a day, meaning its first moment.
pub(crate) fn start(text: &str) -> Result<DateTime<Utc>, String> {
    let (Typed::Time(time) | Typed::Day(time)) = read(text)?;
    Ok(time)
}

/// Reads the end of an interval, the first moment after it: a time, or a day, which is still in it.
pub(crate) fn end(text: &str) -> Result<DateTime<Utc>, String> {
    match read(text)? {
        Typed::Time(time) => Ok(time),
        Typed::Day(first) => Ok(end_of(first)? + TimeDelta::milliseconds(1)),
    }
}

enum Typed {
    Time(DateTime<Utc>),
    /// The first moment of a day in UTC.
    Day(DateTime<Utc>),
}

fn read(text: &str) -> Result<Typed, String> {
    if let Ok(time) = text.parse() {
        return Ok(Typed::Time(time));
    }
    let day: NaiveDate = text.parse().map_err(|_| {
        "expected a time with its zone as in RFC 3339, such as 2026-11-01T12:00:00Z, or a day, such as 2026-11-01"
            .to_owned()
    })?;
    Ok(Typed::Day(day.and_time(NaiveTime::MIN).and_utc()))
}

/// The last millisecond of the day that begins then.
fn end_of(first: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let next = first.checked_add_days(Days::new(1)).ok_or("the day is beyond the calendar")?;
    Ok(next - TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_taken_whole() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(start("2026-06-01"), Ok(time("2026-06-01T00:00:00Z")));
        assert_eq!(end("2026-06-01"), Ok(time("2026-06-02T00:00:00Z")));
        assert_eq!(observed("2020-06-01"), Ok(time("2020-06-01T23:59:59.999Z")));
        assert_eq!(end("2026-06-01T12:00:00+02:00"), Ok(time("2026-06-01T10:00:00Z")));
        let today = keelson_app::system::now();
        assert!(observed(&today.format("%Y-%m-%d").to_string()).unwrap() <= keelson_app::system::now());
        for bad in ["yesterday", "2026-13-01", "2026-11-01T12:00:00"] {
            assert!(observed(bad).is_err() && start(bad).is_err() && end(bad).is_err(), "{bad}");
        }
        assert!(observed("12:00").unwrap_err().contains("2026-11-01T12:00:00Z"));
    }
}
