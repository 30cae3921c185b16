//! Points from a table: a line for each point, with the columns `key`, `metric`, `time`, `value` and, where not every
//! line means the same, `unit`.
//!
//! Times are RFC 3339, or a day and a time in UTC, or seconds since 1970. A value that is empty, or `NaN`, is a gap; the
//! word `withdrawn` takes back the point that was given at that time.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use keelson_model::unit;

use crate::{Gathered, Read, ReadError, WITHDRAWN, marked, metric};

/// What stands in the place of a value to take back what was said of its time.
pub const TAKEN_BACK: &str = "withdrawn";
/// Numbers of seconds beyond this are of times no measurement has, the year 5138: they are milliseconds, or worse.
const MOST_SECONDS: f64 = 1e11;

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
/// Lines that cannot be read are listed with line and column, and left out.
///
/// # Errors
/// When it is no table of points, or has too many.
pub fn read(text: &[u8], defaults: Defaults<'_>) -> Result<Read, ReadError> {
    let mut table = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).flexible(false).from_reader(text);
    let unreadable = |error: ::csv::Error| ReadError::Document(format!("the table cannot be read: {error}"));
    let heads = table.headers().map_err(unreadable)?.clone();
    let place = |name: &str| heads.iter().position(|head| head.eq_ignore_ascii_case(name));
    let need = |name: &'static str| place(name).ok_or(ReadError::Column { column: name });
    let (key, time, value) = (need("key")?, need("time")?, need("value")?);
    let places = Places { key, time, value, metric: place("metric"), unit: place("unit") };
    if places.metric.is_none() && defaults.metric.is_none() {
        return Err(ReadError::Column { column: "metric" });
    }
    let mut gathered = Gathered::default();
    for (number, record) in (2..).zip(table.records()) {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(number, ::csv::Position::line);
        match taken(&mut gathered, &record, &places, defaults, line) {
            Ok(()) => {}
            Err(ReadError::TooMany) => return Err(ReadError::TooMany),
            Err(error @ ReadError::Line { .. }) => gathered.refused.refuse(error.to_string()),
            Err(error) => gathered.refused.refuse(format!("line {line}: {error}")),
        }
    }
    Ok(gathered.done())
}

/// Where the columns of a table are.
struct Places {
    key: usize,
    time: usize,
    value: usize,
    metric: Option<usize>,
    unit: Option<usize>,
}

/// Takes in one line.
fn taken(
    gathered: &mut Gathered,
    record: &::csv::StringRecord,
    places: &Places,
    defaults: Defaults<'_>,
    line: u64,
) -> Result<(), ReadError> {
    let cell = |at: usize| record.get(at).unwrap_or("");
    let (key, time, value) = (cell(places.key), cell(places.time), cell(places.value));
    let wrong = |column: &str, what: String| ReadError::Line { line, column: column.to_owned(), what };
    let named = places.metric.map(cell).filter(|cell| !cell.is_empty()).or(defaults.metric).unwrap_or("");
    let metric = metric(named)
        .ok_or_else(|| wrong("metric", format!("'{named}' is no metric; there are demand and utilisation")))?;
    let given = places.unit.map(cell).filter(|cell| !cell.is_empty()).or(defaults.unit);
    let unit = known_unit(given, metric).map_err(|what| wrong("unit", what))?;
    if key.is_empty() {
        return Err(wrong("key", "it is empty".to_owned()));
    }
    let at = instant(time).map_err(|what| wrong("time", what))?;
    let number = match value {
        "" => {
            gathered.gaps += 1;
            return Ok(());
        }
        TAKEN_BACK => WITHDRAWN,
        text => match text.parse::<f64>() {
            Ok(number) if number.is_nan() => {
                gathered.gaps += 1;
                return Ok(());
            }
            Ok(number) if number.is_finite() && number >= 0.0 => {
                marked(metric, given, number).map_err(|error| wrong("value", error.to_string()))?
            }
            _ => return Err(wrong("value", format!("'{text}' is no number of 0 or above"))),
        },
    };
    gathered.add(key, metric, &unit, (at, number))
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
fn instant(text: &str) -> Result<i64, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.timestamp_millis());
    }
    for form in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(at.and_utc().timestamp_millis());
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
    }
    let unknown = || format!("'{text}' is no time; write 2026-11-01T12:00:00Z, or seconds since 1970");
    seconds(text.parse().map_err(|_| unknown())?)
}

/// Seconds since 1970 as milliseconds.
///
/// # Errors
/// When they are none, with the reason in words.
pub(crate) fn seconds(seconds: f64) -> Result<i64, String> {
    if seconds.abs() > MOST_SECONDS {
        let hint = "times are seconds since 1970, and these look like milliseconds";
        return Err(format!("{seconds} is no time: {hint}; write {}", (seconds / 1_000.0).round()));
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let whole = (seconds * 1_000.0).round() as i64;
    if seconds.is_nan() { Err("NaN is no time".to_owned()) } else { Ok(whole) }
}
