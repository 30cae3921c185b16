//! What is altered, what is down anyway, and what was judged by hand.

use keelson_answers::change::StandingLine;
use keelson_report::document::{Cell, Section, Table};
use keelson_report::zone::Zone;

use crate::part::Part;
use crate::words::{count, item, percent, said, time};

/// Rows that find room.
const MOST: usize = 60;

/// The sections about what the answer starts from.
pub(crate) fn sections(part: &Part<'_>) -> Vec<Section> {
    let mut sections = vec![altered(part)];
    // A meeting tells once what is down anyway.
    if !part.is_of_meeting() {
        let section = part.section("starting-state", "Down anyway");
        sections.push(standing(section, &part.answer.starting_state, part.zone, &part.stamp()));
    }
    if !part.answer.not_impacted.is_empty() {
        sections.push(judged(part));
    }
    sections
}

fn altered(part: &Part<'_>) -> Section {
    let section = part.section("alterations", "What is altered");
    let lines = &part.answer.change.alterations;
    if lines.is_empty() {
        return section.paragraph("Nothing: the request names no item that the catalogue knows.");
    }
    let mut table = Table::new(&part.file("alterations"), format!("What is altered ({})", part.stamp()))
        .naming_column("Item")
        .column("Class")
        .column("What is done")
        .number_column("Lost meanwhile");
    for line in lines.iter().take(MOST) {
        let cells: [Cell; 4] = [
            item(&line.subject).into(),
            line.subject.class.as_str().into(),
            said(&line.action).into(),
            percent(line.loss).into(),
        ];
        table.push(None, cells);
    }
    more(section.block(table), lines.len(), "altered item", "altered items")
}

/// Says how many of so many rows found no room.
pub(crate) fn more(section: Section, total: usize, one: &str, many: &str) -> Section {
    left_out(section, total.saturating_sub(MOST), one, many)
}

/// Says how many rows found no room.
pub(crate) fn left_out(section: Section, left: usize, one: &str, many: &str) -> Section {
    match left {
        0 => section,
        left => section.paragraph(format!("{} more not shown.", count(left, one, many))),
    }
}

/// Fills a section with what is down anyway.
pub(crate) fn standing(section: Section, lines: &[StandingLine], zone: Zone, stamp: &str) -> Section {
    if lines.is_empty() {
        return section.paragraph("Nothing: no incident and no maintenance is recorded for these times.");
    }
    let mut table = Table::new("starting-state", format!("What is down anyway ({stamp})"))
        .naming_column("Item")
        .column("Class")
        .column("Why")
        .number_column("Lost")
        .column("From")
        .column("Until")
        .column("Reference");
    for line in lines.iter().take(MOST) {
        let cells: [Cell; 7] = [
            item(&line.subject).into(),
            line.subject.class.as_str().into(),
            line.kind.as_str().into(),
            percent(line.loss).into(),
            time(zone, line.from).into(),
            line.until.map_or_else(|| "not known".to_owned(), |until| time(zone, until)).into(),
            line.reference.as_deref().unwrap_or("none").into(),
        ];
        table.push(None, cells);
    }
    more(section.block(table), lines.len(), "disruption", "disruptions")
}

fn judged(part: &Part<'_>) -> Section {
    let lines = &part.answer.not_impacted;
    let caption = format!("Judged by hand to be not impacted ({})", part.stamp());
    let mut table =
        Table::new(&part.file("ruled-out"), caption).naming_column("Item").column("By").column("When").column("Why");
    for line in lines.iter().take(MOST) {
        let cells: [Cell; 4] = [
            item(&line.subject).into(),
            line.by.as_str().into(),
            time(part.zone, line.at).into(),
            line.reason.as_str().into(),
        ];
        table.push(None, cells);
    }
    let section = part
        .section("ruled-out", "Ruled out by hand")
        .paragraph("Nothing spreads through these in this answer, because somebody said so.");
    more(section.block(table), lines.len(), "item", "items")
}
