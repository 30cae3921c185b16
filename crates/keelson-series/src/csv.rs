//! Points from a table: a line for each point, with the columns `key`, `metric`, `time`, `value` and, where not every
//! line means the same, `unit`.
//!
//! Times are RFC 3339, or a day and a time in UTC, or seconds since 1970. A value that is empty, or `NaN`, is a gap.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use keelson_model::unit;

use crate::{Gathered, Read, ReadError, metric};

/// What stands in for columns that a table does not have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults<'a> {
    /// The metric of every line.
    pub metric: Option<&'a str>,
    /// The unit of every line; of a utilisation it is 1, a fraction.
    pub unit: Option<&'a str>,
}

/// Reads a table of points.
///
/// # Errors
/// With line and column of the first thing that cannot be read.
pub fn read(text: &[u8], defaults: Defaults<'_>) -> Result<Read, ReadError> {
    let mut table = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).flexible(false).from_reader(text);
    let unreadable = |error: ::csv::Error| ReadError::Document(format!("the table cannot be read: {error}"));
    let heads = table.headers().map_err(unreadable)?.clone();
    let place = |name: &str| heads.iter().position(|head| head.eq_ignore_ascii_case(name));
    let need = |name: &'static str| place(name).ok_or(ReadError::Column { column: name });
    let (key, time, value) = (need("key")?, need("time")?, need("value")?);
    let (metrics, units) = (place("metric"), place("unit"));
    if metrics.is_none() && defaults.metric.is_none() {
        return Err(ReadError::Column { column: "metric" });
    }
    let mut gathered = Gathered::default();
    for (number, record) in (2..).zip(table.records()) {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(number, ::csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or("");
        let wrong = |column: &str, what: String| ReadError::Line { line, column: column.to_owned(), what };
        let named = metrics.map(cell).filter(|cell| !cell.is_empty()).or(defaults.metric).unwrap_or("");
        let metric = metric(named)
            .ok_or_else(|| wrong("metric", format!("'{named}' is no metric; there are demand and utilisation")))?;
        let unit = units.map(cell).filter(|cell| !cell.is_empty()).or(defaults.unit);
        let unit = known_unit(unit, metric).map_err(|what| wrong("unit", what))?;
        if cell(key).is_empty() {
            return Err(wrong("key", "it is empty".to_owned()));
        }
        let at = instant(cell(time)).ok_or_else(|| {
            wrong("time", format!("'{}' is no time; write 2026-11-01T12:00:00Z, or seconds since 1970", cell(time)))
        })?;
        match cell(value) {
            "" => gathered.gaps += 1,
            text => match text.parse::<f64>() {
                Ok(number) if number.is_nan() => gathered.gaps += 1,
                Ok(number) if number.is_finite() && number >= 0.0 => {
                    gathered.add(cell(key), metric, &unit, (at, number))?;
                }
                _ => return Err(wrong("value", format!("'{text}' is no number of 0 or above"))),
            },
        }
    }
    Ok(gathered.done())
}

/// A unit that is known; of a utilisation that says none, a plain fraction.
pub(crate) fn known_unit(given: Option<&str>, metric: keelson_model::Metric) -> Result<String, String> {
    let symbol = match (given, metric) {
        (Some(symbol), _) => symbol,
        (None, keelson_model::Metric::Utilisation) => "1",
        (None, keelson_model::Metric::Demand) => return Err("demand has a unit; name it: transactions/s".to_owned()),
    };
    unit::unit(symbol).map(|unit| unit.symbol.to_owned()).ok_or_else(|| {
        let known: Vec<&str> = unit::symbols().collect();
        format!("'{symbol}' is no unit; there are {}", known.join(", "))
    })
}

/// A time in milliseconds.
fn instant(text: &str) -> Option<i64> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_millis());
    }
    for form in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Some(at.and_utc().timestamp_millis());
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
    }
    seconds(text.parse().ok()?)
}

/// Seconds since 1970 as milliseconds; absent beyond what a calendar holds.
pub(crate) fn seconds(seconds: f64) -> Option<i64> {
    let milliseconds = (seconds * 1_000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "bounded just here")]
    let whole = (milliseconds.abs() < 8e15).then_some(milliseconds as i64)?;
    crate::time(whole).map(|_| whole)
}
