//! The zone in which times are shown. Times themselves are always UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use thiserror::Error;

/// At how many times between two others a zone is asked for its distance from UTC.
const SAMPLES: i32 = 48;

/// A zone for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
    /// A named zone with its rules, as `Europe/Berlin`.
    Named(Tz),
}

/// A text that names no zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no time zone; expected a name such as Europe/Berlin, an offset such as +02:00, or UTC")]
pub struct UnknownZone(String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// Returns what a clock on the wall shows.
    pub fn local(&self, time: DateTime<Utc>) -> NaiveDateTime {
        let utc = time.naive_utc();
        utc.checked_add_offset(self.offset(time)).unwrap_or(utc)
    }

    /// Returns the distance from UTC at a time.
    pub fn offset(&self, time: DateTime<Utc>) -> FixedOffset {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Named(zone) => zone.offset_from_utc_datetime(&time.naive_utc()).fix(),
        }
    }

    /// Returns the first time at which a clock on the wall shows this, or none if it never does.
    pub fn at(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Fixed(offset) => utc(&offset.from_local_datetime(&local)),
            Self::Named(zone) => utc(&zone.from_local_datetime(&local)),
        }
    }

    /// Returns a time as `2026-03-29 02:30`.
    pub fn show(&self, time: DateTime<Utc>) -> String {
        self.local(time).format("%Y-%m-%d %H:%M").to_string()
    }

    /// Returns the name and the distances from UTC between two times, in their order.
    pub fn describe(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let name = match self {
            Self::Fixed(offset) => return format!("UTC{offset}"),
            Self::Named(Tz::UTC) => return "UTC".to_owned(),
            Self::Named(zone) => zone.name(),
        };
        let mut offsets: Vec<FixedOffset> =
            (0..SAMPLES).map(|part| self.offset(from + (to - from) / SAMPLES * part)).collect();
        offsets.push(self.offset(to));
        offsets.dedup();
        let offsets: Vec<String> = offsets.into_iter().map(|offset| format!("UTC{offset}")).collect();
        format!("{name} ({})", offsets.join(", then "))
    }
}

fn utc<T: TimeZone>(mapped: &MappedLocalTime<DateTime<T>>) -> Option<DateTime<Utc>> {
    match mapped {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => Some(time.to_utc()),
        MappedLocalTime::None => None,
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        if let Ok(zone) = text.parse::<Tz>() {
            return Ok(Self::Named(zone));
        }
        text.parse::<FixedOffset>().map(Self::Fixed).map_err(|_| UnknownZone(text.to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(offset) => write!(f, "UTC{offset}"),
            Self::Named(zone) => f.write_str(zone.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_and_shown() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let time: DateTime<Utc> = "2026-03-29T00:30:00Z".parse().unwrap();
        let later: DateTime<Utc> = "2026-03-29T01:30:00Z".parse().unwrap();
        assert_eq!(berlin.show(time), "2026-03-29 01:30");
        assert_eq!(berlin.show(later), "2026-03-29 03:30");
        assert_eq!(berlin.describe(time, later), "Europe/Berlin (UTC+01:00, then UTC+02:00)");
        let year = time + chrono::TimeDelta::days(365);
        assert_eq!(
            berlin.describe(time, year),
            "Europe/Berlin (UTC+01:00, then UTC+02:00, then UTC+01:00, then UTC+02:00)"
        );
        assert_eq!(berlin.at("2026-03-29T02:30:00".parse().unwrap()), None);
        let fixed: Zone = "+05:30".parse().unwrap();
        assert_eq!(fixed.show(time), "2026-03-29 06:00");
        assert_eq!(fixed.local(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC.naive_utc());
        assert_eq!("UTC".parse::<Zone>().unwrap(), Zone::UTC);
        assert!("Mars/Olympus".parse::<Zone>().unwrap_err().to_string().contains("`Mars/Olympus` is no time zone"));
    }
}
