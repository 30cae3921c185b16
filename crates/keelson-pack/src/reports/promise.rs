//! The report about promises: whether contracts are as strong as what rests on them.

use keelson_answers::supplier::promise::{PromiseAnswer, PromiseLine};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::availability::nines;
use super::{Frame, limits};
use crate::words::{NAMES, count, item, names};

/// The report about promises: whether contracts are as strong as what rests on them.
#[must_use]
pub fn promise(answer: &PromiseAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Promises and what they rest on", &answer.basis);
    document.push(promise_summary(answer));
    document.push(promises(&answer.services, answer.period_days));
    for one in &answer.services {
        document.push(promise_details(one));
    }
    document.push(Section::new("What the figures take for granted").paragraph(answer.independence.as_str()));
    document.push(limits(&answer.basis));
    document
}

fn minutes(minutes: f64) -> String {
    // Neither "-0.0" nor more digits than are known.
    format!("{:.1} min", (minutes * 10.0).round() / 10.0 + 0.0)
}

fn promise_summary(answer: &PromiseAnswer) -> Section {
    let of = count(answer.service_count, "service promises", "services promise");
    let worst = answer.services.first().filter(|one| one.gap_minutes > 0.0);
    let open = answer.services.iter().filter(|one| one.has_gap.is_none()).count();
    // Only what finds room was looked at.
    let unseen = answer.service_count.saturating_sub(answer.services.len());
    let (severity, sentence) = match (answer.gap_count, open) {
        (gaps, _) if unseen > 0 => {
            let severity = if gaps > 0 { Severity::Serious } else { Severity::Caution };
            let seen = answer.services.len();
            (
                severity,
                format!(
                    "{of} an availability; of {seen} that were looked at, contracts are weaker than the promise for {gaps}, \
                     and {unseen} were not looked at."
                ),
            )
        }
        _ if answer.service_count == 0 => (Severity::Information, format!("{of} an availability.")),
        (0, 0) => {
            (Severity::Good, format!("{of} an availability; no contract is weaker than the promise resting on it."))
        }
        (0, open) => (
            Severity::Caution,
            format!("{of} an availability; none has a gap for certain, and for {open} it depends on what is missing."),
        ),
        (gaps, _) => {
            (Severity::Serious, format!("{of} an availability; for {gaps} the contracts are weaker than the promise."))
        }
    };
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    if let Some(worst) = worst {
        let mut text = format!(
            "{} is promised to be down {} in {} days at most; its contracts allow {}, {} more.",
            worst.subject.name,
            minutes(worst.promised_minutes),
            answer.period_days,
            minutes(worst.contracted.minutes),
            minutes(worst.gap_minutes)
        );
        if let Some(weakest) = worst.contracts.first() {
            text += &match weakest.needed {
                Some(needed) => format!(" The weakest is {}; it would need {}.", weakest.subject.name, nines(needed)),
                None => format!(" The weakest is {}; no target of it alone would be enough.", weakest.subject.name),
            };
        }
        section = section.paragraph(text);
    }
    section
}

/// The promise gap of services whose availability is told: a table of each, and the weakest contract.
pub(super) fn gap(lines: &[PromiseLine], period_days: u32) -> Section {
    let mut section = promises(lines, period_days);
    let weakest = |one: &PromiseLine| {
        let weakest = one.contracts.first().filter(|_| one.gap_minutes > 0.0)?;
        Some(match weakest.needed {
            Some(needed) => format!(
                "{}: the weakest contract is {}, with {}; it would need {}.",
                one.subject.name,
                weakest.subject.name,
                nines(weakest.target),
                nines(needed)
            ),
            None => format!(
                "{}: the weakest contract is {}, with {}; no target of it alone would be enough.",
                one.subject.name,
                weakest.subject.name,
                nines(weakest.target)
            ),
        })
    };
    let weakest: Vec<String> = lines.iter().filter_map(weakest).collect();
    if !weakest.is_empty() {
        section = section.list(weakest);
    }
    section
}

fn promises(lines: &[PromiseLine], period_days: u32) -> Section {
    let section = Section::new("Promised, contracted, observed");
    if lines.is_empty() {
        return section.paragraph("No service asked about promises an availability.");
    }
    let mut table = Table::new("promises", "Availability as promised, contracted and observed")
        .naming_column("Service")
        .column("Verdict")
        .number_column("Promised")
        .number_column("Contracted, at best")
        .number_column("Observed, at best")
        .number_column("Measured itself");
    for one in lines {
        let verdict = match one.has_gap {
            Some(true) => Cell::mark(Severity::Serious, "contracts are weaker"),
            Some(false) => Cell::mark(Severity::Good, "covered"),
            None => Cell::mark(Severity::Caution, "depends on what is missing"),
        };
        table.push(
            None,
            [
                item(&one.subject).into(),
                verdict,
                nines(one.promised).into(),
                nines(one.contracted.availability).into(),
                nines(one.observed.availability).into(),
                one.measured.map_or_else(|| "not stated".to_owned(), nines).into(),
            ],
        );
    }
    section.block(table).block(gaps(lines, period_days))
}

/// The same in minutes.
fn gaps(lines: &[PromiseLine], period_days: u32) -> Table {
    let mut table = Table::new("gaps", format!("Minutes down in {period_days} days, allowed and contracted"))
        .naming_column("Service")
        .number_column("Allowed by the promise")
        .number_column("By the contracts, at best")
        .number_column("Gap")
        .number_column("Gap at least")
        .number_column("Gap at most");
    for one in lines {
        table.push(
            None,
            [
                item(&one.subject).into(),
                minutes(one.promised_minutes).into(),
                minutes(one.contracted.minutes).into(),
                minutes(one.gap_minutes).into(),
                minutes(one.gap_least).into(),
                minutes(one.gap_most).into(),
            ],
        );
    }
    table
}

fn promise_details(line: &PromiseLine) -> Section {
    let name = &line.subject.name;
    let mut section = Section::new(format!("{name}: contracts"));
    if !line.contracts.is_empty() {
        section = section.block(targets(line));
    }
    if !line.composed.is_empty() {
        section = section.block(composed(line));
    }
    if !line.terms.is_empty() {
        section = section.block(terms(line));
    }
    if !line.without_target.is_empty() {
        let listed = names(&line.without_target, line.without_target.len(), 20);
        section = section.paragraph(format!("State no target: {listed}."));
    }
    if !line.not_in_force.is_empty() {
        let listed = names(&line.not_in_force, line.not_in_force.len(), 20);
        section = section.paragraph(format!("Have ended or not begun, and promise nothing: {listed}."));
    }
    section
}

fn targets(line: &PromiseLine) -> Table {
    let name = &line.subject.name;
    let mut table = Table::new(&format!("contracts-{name}"), format!("What {name} rests on, the weakest first"))
        .naming_column("Contract")
        .number_column("Promises")
        .number_column("Of the unavailability")
        .number_column("Would need")
        .number_column("Would need at worst");
    for one in &line.contracts {
        let told = |needed: Option<f64>| needed.map_or_else(|| "no target alone is enough".to_owned(), nines);
        table.push(
            None,
            [
                item(&one.subject).into(),
                nines(one.target).into(),
                format!("{:.1} %", one.criticality * 100.0).into(),
                told(one.needed).into(),
                told(one.needed_at_worst).into(),
            ],
        );
    }
    table
}

fn verdict(holds: Option<bool>) -> Cell {
    match holds {
        Some(true) => Cell::mark(Severity::Good, "holds"),
        Some(false) => Cell::mark(Severity::Serious, "weaker"),
        None => Cell::mark(Severity::Caution, "cannot be told"),
    }
}

fn composed(line: &PromiseLine) -> Table {
    let name = &line.subject.name;
    let title = format!("Terms that everything beneath {name} comes to, redundancy taken into account");
    let mut table = Table::new(&format!("composed-{name}"), title)
        .naming_column("Term")
        .column("Verdict")
        .column("Promised")
        .column("Comes to")
        .column("Decided by")
        .column("Do not state it");
    for one in &line.composed {
        let deciding: Vec<&str> = one.decided_by.iter().map(|by| by.name.as_str()).collect();
        table.push(
            None,
            [
                one.term.as_str().into(),
                verdict(one.holds),
                one.promised.as_str().into(),
                one.contracted.as_str().into(),
                names(&deciding, deciding.len(), NAMES).into(),
                names(&one.unstated, one.unstated.len(), NAMES).into(),
            ],
        );
    }
    table
}

fn terms(line: &PromiseLine) -> Table {
    let name = &line.subject.name;
    let mut table = Table::new(&format!("terms-{name}"), format!("Terms of the contracts beneath {name}, one by one"))
        .naming_column("Contract")
        .column("Alone enough to breach")
        .column("Term")
        .column("Verdict")
        .column("Promised")
        .column("Contracted");
    for one in &line.terms {
        table.push(
            None,
            [
                item(&one.contract).into(),
                if one.is_alone { "yes" } else { "no" }.into(),
                one.term.as_str().into(),
                verdict(one.holds),
                one.promised.as_str().into(),
                one.contracted.as_str().into(),
            ],
        );
    }
    table
}
