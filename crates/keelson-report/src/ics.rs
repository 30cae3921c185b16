//! A schedule as iCalendar (RFC 5545), for the calendars of those concerned.
//!
//! All times are UTC. Nothing is taken from a clock and no identity is made up: the same schedule gives the same
//! file, and a calendar that has it already knows the events again by their uid and sequence. That is why this is
//! not left to a library that fills in the time of writing and random uids.

use chrono::{DateTime, Utc};

use crate::text::visible;

/// A calendar of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// What a calendar program calls it.
    pub name: String,
    /// The events in order.
    pub events: Vec<Event>,
}

/// Something that takes place.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it is known by, forever and everywhere.
    pub uid: String,
    /// When this was said.
    pub stamp: DateTime<Utc>,
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The first moment after it.
    pub end: DateTime<Utc>,
    /// What it is.
    pub summary: String,
    /// More about it; may have several lines.
    pub description: Option<String>,
    /// What kind of event it is.
    pub categories: Vec<String>,
    /// Whether it will take place.
    pub status: Status,
    /// Where more can be read. Left out unless it is an `http` or `https` address.
    pub url: Option<String>,
    /// When it was last altered.
    pub last_modified: Option<DateTime<Utc>>,
    /// How often it was altered.
    pub sequence: u32,
}

/// Whether an event will take place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It is planned.
    #[default]
    Tentative,
    /// It is settled.
    Confirmed,
    /// It will not take place.
    Cancelled,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Tentative => "TENTATIVE",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl Calendar {
    /// Returns the calendar as the text of an `.ics` file.
    pub fn to_ics(&self) -> String {
        let mut lines = Lines::default();
        lines.add("BEGIN", "VCALENDAR");
        lines.add("VERSION", "2.0");
        lines.add("PRODID", "-//Keelson//Schedule//EN");
        lines.add("CALSCALE", "GREGORIAN");
        lines.add("METHOD", "PUBLISH");
        lines.add("X-WR-CALNAME", &escaped(&self.name));
        for event in &self.events {
            event.write(&mut lines);
        }
        lines.add("END", "VCALENDAR");
        lines.0
    }
}

impl Event {
    fn write(&self, lines: &mut Lines) {
        lines.add("BEGIN", "VEVENT");
        lines.add("UID", &escaped(&self.uid));
        lines.add("DTSTAMP", &time(self.stamp));
        lines.add("DTSTART", &time(self.start));
        lines.add("DTEND", &time(self.end));
        lines.add("SUMMARY", &escaped(&self.summary));
        if let Some(description) = &self.description {
            lines.add("DESCRIPTION", &escaped(description));
        }
        if !self.categories.is_empty() {
            let categories: Vec<String> = self.categories.iter().map(|one| escaped(one)).collect();
            lines.add("CATEGORIES", &categories.join(","));
        }
        lines.add("STATUS", self.status.word());
        if let Some(url) = self.url.as_deref().filter(|url| is_address(url)) {
            lines.add("URL", url);
        }
        if let Some(modified) = self.last_modified {
            lines.add("LAST-MODIFIED", &time(modified));
        }
        lines.add("SEQUENCE", &self.sequence.to_string());
        lines.add("END", "VEVENT");
    }
}

fn is_address(url: &str) -> bool {
    let known = url.starts_with("https://") || url.starts_with("http://");
    known && url.is_ascii() && !url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ')
}

fn time(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Escapes a value of type TEXT (3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

/// Content lines, each folded so that no line is longer than 75 octets without its end (3.1).
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        let mut used = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if used + c.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                used = 1;
            }
            self.0.push(c);
            used += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_the_standard_says() {
        // The example of 3.3.11.
        let text = "Project XYZ Final Review\nConference Room - 3B\nCome Prepared.";
        assert_eq!(escaped(text), "Project XYZ Final Review\\nConference Room - 3B\\nCome Prepared.");
        assert_eq!(escaped("a;b,c\\d:e"), "a\\;b\\,c\\\\d:e");
        assert_eq!(escaped("a\r\nBEGIN:VEVENT"), "a\\nBEGIN:VEVENT");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let mut lines = Lines::default();
        lines.add("SUMMARY", &"äöü€".repeat(40));
        assert!(lines.0.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(lines.0.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "äöü€".repeat(40)));
    }

    #[test]
    fn a_line_of_just_75_octets_is_not_folded() {
        let mut lines = Lines::default();
        lines.add("X", &"y".repeat(73));
        assert_eq!(lines.0, format!("X:{}\r\n", "y".repeat(73)));
    }
}
