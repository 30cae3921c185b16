//! Series of measured points: what is read of them, how they are packed, and what they come to together.
//!
//! | what | where |
//! | --- | --- |
//! | a table with a point on each line | [`csv`] |
//! | the result of a range query of Prometheus | [`prometheus`] |
//! | points packed into few bytes, and back | [`packed`] |
//!
//! A point is a time in milliseconds and a number. A gap stays a gap: what is not measured is not made up. Points that
//! were read later count before earlier ones at the same time ([`overlaid`]); both are kept. A point can be taken back: a
//! later one at its time says so ([`WITHDRAWN`]).
//!
//! What cannot be read is listed with its place, and the rest is read: whoever asked decides what that means.
//!
//! The crate refuses effects: it neither opens files nor asks servers, and it does not know what the keys it reads mean.

pub mod csv;
pub mod packed;
pub mod prometheus;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use keelson_model::Metric;
use thiserror::Error;

/// Most points that are read at once.
pub const MOST_POINTS: usize = 20_000_000;

/// A point: milliseconds since 1970 in UTC, and a value.
pub type Point = (i64, f64);

/// The value of a point that takes back what was said of its time.
pub const WITHDRAWN: f64 = f64::NAN;
/// Refused lines and series that are listed; all are counted.
pub const MOST_REFUSED: usize = 10;
/// The largest value of a utilisation that says no unit: a fraction, and half as much again where something is overloaded.
pub const MOST_UNMARKED: f64 = 1.5;

/// Points of one series, as they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The key of the configuration item.
    pub key: String,
    /// What was measured.
    pub metric: Metric,
    /// The unit of the values.
    pub unit: String,
    /// The points, by time, each time once.
    pub points: Vec<Point>,
}

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// The series, by key and metric.
    pub readings: Vec<Reading>,
    /// Values that say that nothing was measured; they are gaps.
    pub gaps: u64,
    /// How many lines, series or values cannot be read; the rest is in the readings.
    pub refused_count: u64,
    /// The first of them, with place and reason.
    pub refused: Vec<String>,
}

impl Read {
    /// Notes something that cannot be read.
    pub fn refuse(&mut self, what: String) {
        self.refused_count += 1;
        if self.refused.len() < MOST_REFUSED {
            self.refused.push(what);
        }
    }

    /// How many points take back what was said of their time.
    #[must_use]
    pub fn withdrawn(&self) -> u64 {
        self.readings.iter().flat_map(|reading| &reading.points).filter(|(_, value)| value.is_nan()).count() as u64
    }
}

/// Why something cannot be read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ReadError {
    /// A line of a table.
    #[error("line {line}, column '{column}': {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A column that is not there.
    #[error(
        "there is no column '{column}'; a table of points has the columns key, metric, time and value, and may have unit"
    )]
    Column {
        /// The column.
        column: &'static str,
    },
    /// A document that is not what it should be.
    #[error("{0}")]
    Document(String),
    /// A series of a document.
    #[error("series {number} ({labels}): {what}")]
    Series {
        /// Its number, from 1.
        number: usize,
        /// Its labels.
        labels: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// Two values at one time.
    #[error("'{key}' has two values of {metric} at {at}: {first} and {second}; a series has one value at a time")]
    Twice {
        /// The key.
        key: String,
        /// The metric.
        metric: Metric,
        /// The time.
        at: String,
        /// One value.
        first: String,
        /// The other.
        second: String,
    },
    /// Two units for one series.
    #[error("'{key}' has {metric} in {first} and in {second}; a series has one unit")]
    Units {
        /// The key.
        key: String,
        /// The metric.
        metric: Metric,
        /// One unit.
        first: String,
        /// The other.
        second: String,
    },
    /// A utilisation that says no unit and is no fraction.
    #[error(
        "{value} is no fraction: a utilisation without a unit is one, so that this would be {} %; name the unit, '%' or '1'",
        .value * 100.0
    )]
    Unmarked {
        /// The value.
        value: f64,
    },
    /// More than is read at once.
    #[error("there are more than {MOST_POINTS} points; read them in parts")]
    TooMany,
}

/// Points gathered by series, which must not contradict each other.
#[derive(Default)]
pub(crate) struct Gathered {
    series: BTreeMap<(String, Metric), (String, BTreeMap<i64, f64>)>,
    count: usize,
    pub(crate) gaps: u64,
    pub(crate) refused: Read,
}

impl Gathered {
    pub(crate) fn add(&mut self, key: &str, metric: Metric, unit: &str, (at, value): Point) -> Result<(), ReadError> {
        self.count += 1;
        if self.count > MOST_POINTS {
            return Err(ReadError::TooMany);
        }
        let (known, points) =
            self.series.entry((key.to_owned(), metric)).or_insert_with(|| (unit.to_owned(), BTreeMap::new()));
        if known != unit {
            let (first, second) = (known.clone(), unit.to_owned());
            return Err(ReadError::Units { key: key.to_owned(), metric, first, second });
        }
        match points.entry(at) {
            Entry::Occupied(other) if other.get().to_bits() != value.to_bits() => {
                let at = time(at).map_or_else(|| at.to_string(), |at| at.to_rfc3339());
                let (first, second) = (shown(*other.get()), shown(value));
                Err(ReadError::Twice { key: key.to_owned(), metric, at, first, second })
            }
            Entry::Occupied(_) => Ok(()),
            Entry::Vacant(place) => {
                place.insert(value);
                Ok(())
            }
        }
    }

    pub(crate) fn done(self) -> Read {
        let reading = |((key, metric), (unit, points)): ((String, Metric), (String, BTreeMap<i64, f64>))| Reading {
            key,
            metric,
            unit,
            points: points.into_iter().collect(),
        };
        Read { readings: self.series.into_iter().map(reading).collect(), gaps: self.gaps, ..self.refused }
    }
}

fn shown(value: f64) -> String {
    if value.is_nan() { "withdrawn".to_owned() } else { value.to_string() }
}

/// A value in its unit: of a utilisation that says none, a fraction.
pub(crate) fn marked(metric: Metric, unit: Option<&str>, value: f64) -> Result<f64, ReadError> {
    let is_unmarked = metric == Metric::Utilisation && unit.is_none();
    if is_unmarked && value > MOST_UNMARKED { Err(ReadError::Unmarked { value }) } else { Ok(value) }
}

/// The metric of a name.
pub(crate) fn metric(name: &str) -> Option<Metric> {
    [Metric::Demand, Metric::Utilisation].into_iter().find(|metric| metric.as_str() == name)
}

/// Milliseconds as a time; absent beyond what a calendar holds.
#[must_use]
pub fn time(milliseconds: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp_millis(milliseconds)
}

/// Points laid over one another: of several at the same time, that of the last list counts; none where that takes back
/// what was said.
#[must_use]
pub fn overlaid(lists: impl IntoIterator<Item = Vec<Point>>) -> Vec<Point> {
    let mut lists = lists.into_iter();
    let Some(first) = lists.next() else { return Vec::new() };
    let mut points = first;
    for later in lists {
        // Appending is the usual case, and costs nothing.
        if points.last().zip(later.first()).is_none_or(|(last, first)| last.0 < first.0) {
            points.extend(later);
            continue;
        }
        let mut merged: BTreeMap<i64, f64> = points.into_iter().collect();
        merged.extend(later);
        points = merged.into_iter().collect();
    }
    points.retain(|(_, value)| !value.is_nan());
    points
}
