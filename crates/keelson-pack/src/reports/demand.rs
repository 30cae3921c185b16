//! The report about demand, and what the capacity plan tells of demand as well.

use keelson_answers::demand::{DemandAnswer, InferredLine, LoopLine, SourceLine, UnratedLine};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::capacity::{amount, number};
use super::{Frame, limits};
use crate::words::{NAMES, count, item, names, percent};

/// Inferred ratios that find room.
const MOST_INFERRED: usize = 40;

/// The report about demand: how much of everything services take.
#[must_use]
pub fn demand(answer: &DemandAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Demand", &answer.basis);
    let amplifying = answer.loops.iter().filter(|one| one.is_amplifying).count();
    let (severity, sentence) = match (amplifying, answer.items.first()) {
        (0, None) => (Severity::Caution, "No service asked about states a demand.".to_owned()),
        (0, Some(first)) => {
            let used = first.utilisation.map_or_else(
                || "its capacity is not stated".to_owned(),
                |used| format!("{} of its capacity", percent(used)),
            );
            (
                Severity::Information,
                format!(
                    "{} have demand; most used is {}: {used}.",
                    count(answer.item_count, "item", "items"),
                    first.subject.name
                ),
            )
        }
        (some, _) => (
            Severity::Serious,
            format!(
                "{} calls itself more often than it is called: its demand cannot be computed.",
                count(some, "loop", "loops")
            ),
        ),
    };
    let section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    document.push(loops(section, &answer.loops));
    document.push(items(answer));
    let mut table = Table::new("services", "Demand on services from outside")
        .naming_column("Service")
        .number_column("Demand at its peak")
        .number_column("Supposed factor")
        .column("Growth a month")
        .column("Left out");
    for one in &answer.services {
        table.push(None, source_row(one, "not asked".to_owned()));
    }
    let section = inferred(Section::new("Where it comes from").block(table), &answer.inferred);
    document.push(unrated(section, &answer.unrated, answer.unrated_count));
    document.push(limits(&answer.basis));
    document
}

fn items(answer: &DemandAnswer) -> Section {
    let section = Section::new("Demand on items");
    if answer.items.is_empty() {
        return section.paragraph("Nothing has demand.");
    }
    let mut table = Table::new("items", "Items with demand, the most used first")
        .naming_column("Item")
        .number_column("Demand")
        .number_column("Capacity")
        .number_column("In use")
        .number_column("Taken by a unit of the service")
        .column("Demand comes by");
    for one in &answer.items {
        let inferred = if one.is_inferred { " (inferred)" } else { "" };
        table.push(
            None,
            [
                item(&one.subject).into(),
                number(one.demand).into(),
                one.capacity.as_ref().map_or_else(|| "no capacity data".to_owned(), amount).into(),
                one.utilisation.map_or_else(|| "\u{2013}".to_owned(), percent).into(),
                one.sensitivity.map_or_else(|| "\u{2013}".to_owned(), number).into(),
                (one.path.join(" \u{2192} ") + inferred).into(),
            ],
        );
    }
    section.block(table)
}

pub(super) fn source_row(source: &SourceLine, growth: String) -> [Cell; 5] {
    [
        item(&source.subject).into(),
        source
            .demand
            .as_ref()
            .map_or_else(
                || "not stated".to_owned(),
                |demand| amount(demand) + if source.is_measured { " (measured)" } else { "" },
            )
            .into(),
        format!("{}", source.factor).into(),
        growth.into(),
        source.left_out.as_deref().unwrap_or("").into(),
    ]
}

pub(super) fn unrated(section: Section, lines: &[UnratedLine], total: usize) -> Section {
    if lines.is_empty() {
        return section;
    }
    let told: Vec<String> = lines.iter().take(40).map(unrated_words).collect();
    section.paragraph(format!("No ratio of visits: {}.", names(&told, total, 40)))
}

fn unrated_words(one: &UnratedLine) -> String {
    let reason = one.reason.as_ref().map_or_else(String::new, |reason| format!(" (none inferred: {reason})"));
    format!("{} on {}{reason}", one.dependent, one.dependency)
}

/// Ratios inferred from measurements.
pub(super) fn inferred(section: Section, lines: &[InferredLine]) -> Section {
    if lines.is_empty() {
        return section;
    }
    let told = lines.iter().take(MOST_INFERRED).map(|one| {
        format!(
            "{} on {}: {} each, explains {} over {}",
            one.dependent,
            one.dependency,
            number(one.ratio),
            percent(one.explained),
            count(one.days, "day", "days")
        )
    });
    let told: Vec<String> = told.collect();
    let left = lines.len().saturating_sub(MOST_INFERRED);
    let more = if left > 0 { format!(" The first {MOST_INFERRED} of {}.", lines.len()) } else { String::new() };
    section.paragraph(format!("Ratios of visits inferred from measurements, not stated by anybody:{more}")).list(told)
}

pub(super) fn loops(section: Section, lines: &[LoopLine]) -> Section {
    let told: Vec<String> = lines
        .iter()
        .take(20)
        .map(|one| {
            let word = if one.is_amplifying { "AMPLIFYING, not computed" } else { "solved" };
            format!("{word}: {} with a gain of {:.3}", names(&one.items, one.size, NAMES), one.gain_high)
        })
        .collect();
    if told.is_empty() { section } else { section.paragraph("Loops that pass demand on to themselves:").list(told) }
}
