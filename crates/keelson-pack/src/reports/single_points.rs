//! The report about single points of failure.

use keelson_answers::single_points::{FixLine, ServicePoints, SinglePointsAnswer};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::{Frame, amounts, limits, proof};
use crate::words::{NAMES, capital, count, item, names};

/// The report about single points of failure: by service, by item, and what mends most.
#[must_use]
pub fn single_points(answer: &SinglePointsAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Single points of failure", &answer.basis);
    document.push(summary(answer));
    document.push(by_service(answer));
    document.push(by_item(answer));
    if !answer.fixes.is_empty() {
        document.push(fixes(&answer.fixes));
    }
    proofs(&mut document, answer);
    document.push(limits(&answer.basis));
    document
}

fn summary(answer: &SinglePointsAnswer) -> Section {
    let total = answer.service_count;
    let exposed = answer.exposed_count;
    let sentence = match (total, exposed) {
        (0, _) => "No service was looked at.".to_owned(),
        (1, 0) => "The service has no certain single point of failure.".to_owned(),
        (1, _) => "The service has single points of failure.".to_owned(),
        (total, 0) => format!("None of {total} services has a certain single point of failure."),
        (total, exposed) => {
            let have = if exposed == 1 { "has a single point" } else { "have single points" };
            format!("{exposed} of {total} services {have} of failure.")
        }
    };
    let severity = if exposed > 0 { Severity::Serious } else { Severity::Good };
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    if let Some(worst) = answer.items.first() {
        let fells = names(&worst.services, worst.service_count, NAMES);
        section = section.paragraph(format!(
            "{} alone takes down {} ({fells}).",
            capital(&worst.subject.name),
            count(worst.service_count, "service", "services")
        ));
    }
    if let Some(fix) = answer.fixes.first() {
        section = section.paragraph(format!("What mends most: {}.", sentence_end(fix)));
    }
    if !answer.down.is_empty() {
        let down = names(&answer.down, answer.down.len(), NAMES);
        section = section.paragraph(format!("Counted as down already: {down}."));
    }
    section
}

fn sentence_end(fix: &FixLine) -> String {
    let added = if fix.added > 0 { format!(", adds {}", fix.added) } else { String::new() };
    format!("{}; it removes {}{added}", fix.action, count(fix.removed, "single point", "single points"))
}

fn state(service: &ServicePoints) -> Cell {
    match service {
        one if one.is_unknown => Cell::mark(Severity::Caution, "not known"),
        one if one.has_failed => Cell::mark(Severity::Critical, "down already"),
        one if one.certain_count > 0 => Cell::mark(Severity::Serious, "exposed"),
        one if one.possible_count > 0 => Cell::mark(Severity::Caution, "possibly exposed"),
        _ => Cell::mark(Severity::Good, "none"),
    }
}

fn by_service(answer: &SinglePointsAnswer) -> Section {
    let section = Section::new("By service");
    if answer.services.is_empty() {
        return section.paragraph("Nothing to list.");
    }
    let mut table = Table::new("services", "Single points of failure of each service")
        .naming_column("Service")
        .column("State")
        .column("Criticality")
        .number_column("Value of an hour")
        .number_column("Certain")
        .number_column("Possible")
        .column("Certain points");
    for one in &answer.services {
        let keys: Vec<&str> = one.certain.iter().map(|point| point.subject.key.as_str()).collect();
        table.push(
            None,
            [
                item(&one.subject).into(),
                state(one),
                one.criticality.map_or_else(|| "not stated".to_owned(), |criticality| criticality.to_string()).into(),
                amounts(one.value_per_hour.as_slice()).into(),
                one.certain_count.to_string().into(),
                one.possible_count.to_string().into(),
                if keys.is_empty() { "none".into() } else { names(&keys, one.certain_count, 12).into() },
            ],
        );
    }
    section.block(table)
}

fn by_item(answer: &SinglePointsAnswer) -> Section {
    let section = Section::new("By item");
    if answer.items.is_empty() {
        return section.paragraph("No item takes a service down alone, for certain.");
    }
    let mut table = Table::new("items", "What each item takes down alone")
        .naming_column("Item")
        .column("Class")
        .number_column("Services")
        .number_column("Value of an hour")
        .number_column("Possibly more")
        .column("Which");
    for one in &answer.items {
        table.push(
            None,
            [
                item(&one.subject).into(),
                one.subject.class.as_str().into(),
                one.service_count.to_string().into(),
                amounts(&one.value_per_hour).into(),
                one.possible_count.to_string().into(),
                names(&one.services, one.service_count, NAMES).into(),
            ],
        );
    }
    section.block(table)
}

fn fixes(fixes: &[FixLine]) -> Section {
    let mut table = Table::new("fixes", "Changes of placement that remove single points, the best first")
        .naming_column("Change")
        .number_column("Removes")
        .number_column("Adds")
        .column("Hours down a year")
        .column("Because")
        .column("Services");
    for fix in fixes {
        let services: Vec<&str> = fix.effects.iter().map(|effect| effect.service.as_str()).collect();
        table.push(
            None,
            [
                fix.action.as_str().into(),
                fix.removed.to_string().into(),
                fix.added.to_string().into(),
                downtime(fix).into(),
                fix.because.as_str().into(),
                names(&services, fix.effect_count, NAMES).into(),
            ],
        );
    }
    Section::new("What would mend it").block(table)
}

/// What a change does to the service worth most for which that is known.
fn downtime(fix: &FixLine) -> String {
    let known = fix.effects.iter().find_map(|effect| Some((&effect.service, effect.hours_per_year?)));
    known.map_or_else(
        || "not known".to_owned(),
        |(service, hours)| format!("{:.1} → {:.1} h ({service})", hours.before, hours.after),
    )
}

fn proofs(document: &mut Document, answer: &SinglePointsAnswer) {
    let proved = answer.services.iter().filter(|one| one.certain.iter().any(|point| !point.proof.is_empty()));
    for (number, service) in proved.enumerate() {
        if number == 0 {
            let section = Section::new("Why").paragraph("Each line is explained by the deeper ones below it.");
            document.push(section.id("proofs"));
        }
        let mut section = Section::new(format!("{}: why", service.subject.name)).level(2);
        for point in service.certain.iter().filter(|point| !point.proof.is_empty()) {
            section = section.paragraph(format!("If only {} fails:", point.subject.key)).block(proof(&point.proof));
        }
        document.push(section);
    }
}
