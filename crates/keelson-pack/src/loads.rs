//! Whether what is left of a redundancy carries its load while the change is under way.

use keelson_answers::capacity::{LoadLine, LoadSpan};
use keelson_report::document::{Cell, Section, Severity, Table};

use crate::part::Part;
use crate::reports::capacity_number as number;
use crate::words::{NAMES, item, names, percent, window};

/// Needs and times that find room in a document.
const MOST: usize = 40;

/// The section, where anything that loses a member states its load.
pub(crate) fn section(part: &Part<'_>) -> Option<Section> {
    let loads = &part.answer.loads;
    if loads.is_empty() {
        return None;
    }
    let rows: Vec<(&LoadLine, &LoadSpan)> =
        loads.iter().flat_map(|line| line.spans.iter().map(move |span| (line, span))).collect();
    let cut = if rows.len() > MOST { format!("; {MOST} of {} times", rows.len()) } else { String::new() };
    let mut table =
        Table::new(&part.file("loads"), format!("What is left against its load, by hour ({}{cut})", part.stamp()))
            .naming_column("Need")
            .column("When")
            .column("State")
            .number_column("Load")
            .number_column("Needs")
            .number_column("More may fail")
            .column("Out");
    for (line, span) in rows.iter().take(MOST) {
        table.push(None, row(part, line, span));
    }
    let section = part.section("loads", "Load meanwhile").block(table);
    let flat: Vec<&str> = loads.iter().filter(|line| !line.has_profile).map(|line| line.need.as_str()).collect();
    if flat.is_empty() {
        return Some(section);
    }
    let told = names(&flat, flat.len(), NAMES);
    Some(
        section
            .paragraph(format!("Nobody states how the load goes through the day, so it counts with its peak: {told}.")),
    )
}

fn row(part: &Part<'_>, line: &LoadLine, span: &LoadSpan) -> [Cell; 7] {
    let when = keelson_model::Window::new(span.from, span.until);
    let some = |count: Option<u32>| count.map_or_else(|| "\u{2013}".to_owned(), |count| count.to_string());
    let needs = match span.required {
        Some(required) => format!("{required} of {}", line.members),
        None => format!("more than {}", line.members - line.lost.len()),
    };
    [
        item(&line.subject).plain(format!(", {}", line.need)).into(),
        when.map_or_else(|_| String::new(), |when| window(part.zone, when)).into(),
        state(span),
        format!("{} {}", number(span.load), line.peak.unit).into(),
        needs.into(),
        some(span.margin).into(),
        names(&line.lost, line.lost.len(), NAMES).into(),
    ]
}

fn state(span: &LoadSpan) -> Cell {
    match (span.delivered, span.margin) {
        (Some(delivered), _) if span.falls_short() => {
            Cell::mark(Severity::Serious, format!("delivers {}", percent(delivered)))
        }
        (_, Some(0)) => Cell::mark(Severity::Caution, "carries it, nothing to spare"),
        (_, None) => Cell::mark(Severity::Caution, "not known"),
        _ => Cell::mark(Severity::Good, "carries it"),
    }
}
