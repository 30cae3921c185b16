//! The calendar: freezes and maintenance windows, and what violates them, in tables and over time.

use chrono::TimeDelta;
use keelson_answers::change::{ChangeLine, ViolationLine};
use keelson_answers::register::EntryLine;
use keelson_model::{CalendarKind, Window};
use keelson_report::document::{Cell, Section, Severity, Table};
use keelson_report::timeline::{Band, BandKind, Timeline, Violation};
use keelson_report::zone::Zone;

use crate::basics::left_out;
use crate::clashes::interval;
use crate::part::Part;
use crate::words::{NAMES, names, time, window};

/// Violations, and times of the calendar, that find room.
const MOST: usize = 60;

/// What an entry is about.
fn about(line: &EntryLine) -> String {
    match line.item_count {
        0 => "every service".to_owned(),
        total => names(line.items.iter().map(|item| &item.name), total, NAMES),
    }
}

/// An entry with what it means and is about: `freeze 'Closing of the month' (payments)`.
pub(crate) fn name(line: &EntryLine) -> String {
    format!("{} '{}' ({})", word(line.kind), line.name, about(line))
}

fn word(kind: CalendarKind) -> &'static str {
    match kind {
        CalendarKind::Freeze => "freeze",
        CalendarKind::Maintenance => "maintenance window",
    }
}

/// The times of entries, in the order of the entries: freezes first.
pub(crate) fn times(lines: &[EntryLine]) -> impl Iterator<Item = (&EntryLine, Window)> {
    lines.iter().flat_map(|line| line.occurrences.iter().map(move |when| (line, *when)))
}

/// The window of a request with the time for backing it out.
pub(crate) fn span(line: &ChangeLine) -> Option<Window> {
    let back = TimeDelta::minutes(i64::from(line.rollback_minutes.unwrap_or(0)));
    line.window.map(|window| window.through(window.followed_by(back)))
}

/// Draws entries on a timeline, whole; it shows of them what lies in its times.
pub(crate) fn add(timeline: &mut Timeline, lines: &[EntryLine]) {
    for line in lines {
        timeline.band(Band {
            kind: match line.kind {
                CalendarKind::Freeze => BandKind::Freeze,
                CalendarKind::Maintenance => BandKind::Maintenance,
            },
            label: format!("{}: {}", line.name, about(line)),
            times: line.occurrences.iter().copied().filter_map(interval).collect(),
        });
    }
}

/// Marks violations of requests on a timeline.
pub(crate) fn mark<'a>(timeline: &mut Timeline, lines: impl Iterator<Item = (&'a str, &'a ViolationLine)>) {
    for (key, line) in lines {
        let Some(during) = interval(line.during) else { continue };
        timeline.violation(Violation { change: key.to_owned(), during, reason: line.text.clone() });
    }
}

/// Says for which times a timeline shows the calendar, when it shows requests at other times as well.
pub(crate) fn looked_up<'a>(
    section: Section,
    zone: Zone,
    within: Option<Window>,
    mut drawn: impl Iterator<Item = &'a ChangeLine>,
) -> Section {
    let Some(within) = within else { return section };
    if drawn.all(|line| span(line).is_none_or(|span| within.covers(&span))) {
        return section;
    }
    let looked_up = window(zone, within);
    section.paragraph(format!("Freezes and maintenance windows were looked up for {looked_up}, and not beyond."))
}

/// The section on the calendar of one request.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let answer = part.answer;
    let section = part.section("calendar", "Calendar");
    let Some(within) = span(&answer.change) else {
        return section.paragraph("Not looked at: the request has no window.");
    };
    let section = if answer.violations.is_empty() {
        section.paragraph("No violations: no freeze and no maintenance window is violated.")
    } else {
        let lines = answer.violations.iter().map(|line| (part.key(), line));
        violations(section, &part.stamp(), part.zone, lines)
    };
    entries(section, &part.stamp(), part.zone, within, &answer.calendar)
}

/// Adds the table of violations, and how many found no room in it.
pub(crate) fn violations<'a>(
    section: Section,
    stamp: &str,
    zone: Zone,
    lines: impl Iterator<Item = (&'a str, &'a ViolationLine)>,
) -> Section {
    let mut table = Table::new("violations", format!("What violates the calendar ({stamp})"))
        .naming_column("Entry")
        .column("Kind")
        .column("Request")
        .column("About")
        .column("From")
        .column("Until")
        .column("When it is so")
        .column("Why");
    let mut left = 0;
    for (number, (key, line)) in lines.enumerate() {
        if number >= MOST {
            left += 1;
            continue;
        }
        let severity = if line.only_if_reversed { Severity::Caution } else { Severity::Serious };
        let cells: [Cell; 8] = [
            line.entry.as_str().into(),
            line.kind.as_str().into(),
            key.into(),
            line.item.as_ref().map_or("every service", |item| &item.name).into(),
            time(zone, line.during.start()).into(),
            time(zone, line.during.end()).into(),
            if line.only_if_reversed { "only if backed out" } else { "as planned" }.into(),
            line.text.as_str().into(),
        ];
        table.push(Some(severity), cells);
    }
    left_out(section.block(table), left, "violation", "violations")
}

/// Adds the table of freezes and maintenance windows that have a time within others, and how many times found no
/// room in it.
pub(crate) fn entries(section: Section, stamp: &str, zone: Zone, within: Window, lines: &[EntryLine]) -> Section {
    let looked_up = window(zone, within);
    if lines.is_empty() {
        return section.paragraph(format!("No freeze and no maintenance window has a time in {looked_up}."));
    }
    let caption = format!("Freezes and maintenance windows that have a time in {looked_up} ({stamp})");
    let mut table = Table::new("calendar", caption)
        .naming_column("Entry")
        .column("Kind")
        .column("About")
        .column("From")
        .column("Until")
        .column("Why");
    for (line, when) in times(lines).take(MOST) {
        let cells: [Cell; 6] = [
            line.name.as_str().into(),
            line.kind.as_str().into(),
            about(line).into(),
            time(zone, when.start()).into(),
            time(zone, when.end()).into(),
            line.reason.as_str().into(),
        ];
        table.push(None, cells);
    }
    left_out(section.block(table), times(lines).count().saturating_sub(MOST), "time", "times")
}
