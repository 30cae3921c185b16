//! Intervals of time, half-open: from their start up to, and not including, their end.
//!
//! Two windows of which one ends when the other starts have nothing in common. Times are UTC; the
//! zone of a site is for showing them and for repeating them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A window that does not end after it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a window must end after it starts, but this one starts at {start} and ends at {end}")]
pub struct WindowError {
    /// The start given.
    pub start: DateTime<Utc>,
    /// The end given.
    pub end: DateTime<Utc>,
}

/// An interval `[start, end)` in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Ends")]
pub struct Window {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// A window as it is written, before its ends are compared.
#[derive(Deserialize, JsonSchema)]
struct Ends {
    /// Its first instant.
    start: DateTime<Utc>,
    /// The first instant after it.
    end: DateTime<Utc>,
}

impl TryFrom<Ends> for Window {
    type Error = WindowError;

    fn try_from(ends: Ends) -> Result<Self, WindowError> {
        Self::new(ends.start, ends.end)
    }
}

impl Window {
    /// The interval from `start` up to, and not including, `end`.
    ///
    /// # Errors
    /// Fails when it would be empty.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, WindowError> {
        if start < end { Ok(Self { start, end }) } else { Err(WindowError { start, end }) }
    }

    /// Its first instant.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether all of another window lies in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What it has in common with another window.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }

    /// The same window earlier or later.
    #[must_use]
    pub fn shifted(&self, by: TimeDelta) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }

    /// The same window, longer by what follows it.
    #[must_use]
    pub fn through(&self, following: Option<Self>) -> Self {
        Self { start: self.start, end: following.map_or(self.end, |following| following.end.max(self.end)) }
    }

    /// What follows it for some time, up to the end of all time; absent when that is nothing.
    #[must_use]
    pub fn followed_by(&self, length: TimeDelta) -> Option<Self> {
        Self::new(self.end, self.end.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC)).ok()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = "%Y-%m-%d %H:%M";
        let (start, end) = (self.start.format(form), self.end.format(form));
        if self.start.date_naive() == self.end.date_naive() {
            write!(f, "{start}\u{2013}{} UTC", self.end.format("%H:%M"))
        } else {
            write!(f, "{start} \u{2013} {end} UTC")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: i64, to: i64) -> Window {
        let at = |hour| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        Window::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn windows_that_touch_have_nothing_in_common() {
        assert_eq!(hours(25, 27).overlap(&hours(27, 29)), None);
        assert_eq!(hours(22, 26).overlap(&hours(25, 27)), Some(hours(25, 26)));
        assert!(!hours(25, 27).contains(hours(27, 28).start()));
        assert!(hours(25, 27).contains(hours(25, 28).start()));
    }

    #[test]
    fn a_window_goes_on_through_what_follows_it() {
        let window = hours(1, 3);
        assert_eq!(window.through(window.followed_by(TimeDelta::hours(2))), hours(1, 5));
        assert_eq!((window.through(None), window.through(Some(hours(0, 2)))), (window, window));
    }

    #[test]
    fn an_empty_window_is_refused_however_it_is_read() {
        let at = DateTime::UNIX_EPOCH;
        assert!(Window::new(at, at).is_err());
        let backwards = r#"{"start":"2026-11-02T00:00:00Z","end":"2026-11-01T00:00:00Z"}"#;
        let refused = serde_json::from_str::<Window>(backwards).unwrap_err().to_string();
        assert!(refused.contains("must end after it starts"), "{refused}");
    }

    #[test]
    fn windows_are_shown_with_their_zone() {
        assert_eq!(hours(1, 3).to_string(), "1970-01-01 01:00\u{2013}03:00 UTC");
        assert_eq!(hours(22, 26).to_string(), "1970-01-01 22:00 \u{2013} 1970-01-02 02:00 UTC");
    }
}
