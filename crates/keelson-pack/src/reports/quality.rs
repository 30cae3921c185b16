//! Reports about the quality of the catalogue: health, and drift between what is declared and observed.

use keelson_answers::drift::{DriftAnswer, DriftKind, DriftLine, DriftService};
use keelson_answers::health::{HealthAnswer, HealthKind, HealthLine};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::{Frame, amounts, limits};
use crate::words::{NAMES, count, item, names, percent, said};

/// The report about health: shares as they should be, and findings weighted by what is at stake.
#[must_use]
pub fn health(answer: &HealthAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Health of the catalogue", &answer.basis);
    let (severity, sentence) = match &answer.next {
        None => (Severity::Good, format!("Nothing was found in {}.", count(answer.item_count, "item", "items"))),
        Some(next) => (Severity::Caution, format!("Mend next: {next}.")),
    };
    let total = count(answer.finding_count, "finding", "findings");
    document.push(Section::new("Summary").block(Note { severity, text: sentence.into() }).paragraph(format!(
        "{total} about {}, weighed by what an hour without the services costs that rest on the item.",
        count(answer.item_count, "item", "items")
    )));
    let mut table = Table::new("scores", "Shares of the catalogue that are as they should be")
        .naming_column("What")
        .number_column("Share")
        .number_column("Good")
        .number_column("Of");
    for one in &answer.scores {
        let cells = [
            one.name.as_str().into(),
            percent(one.share).into(),
            one.good.to_string().into(),
            one.total.to_string().into(),
        ];
        table.push(None, cells);
    }
    document.push(Section::new("Shares").block(table));
    document.push(findings(answer));
    document.push(limits(&answer.basis));
    document
}

fn findings(answer: &HealthAnswer) -> Section {
    let section = Section::new("Findings, by what is at stake");
    if answer.findings.is_empty() {
        return section.paragraph("None.");
    }
    let mut table = Table::new("findings", "What to mend, most at stake first")
        .naming_column("About")
        .column("Side")
        .column("Finding")
        .column("Value at stake, an hour")
        .number_column("Services resting on it")
        .column("Most critical")
        .column("What to do");
    for one in &answer.findings {
        table.push(None, row(one));
    }
    section.block(table)
}

fn row(one: &HealthLine) -> [Cell; 7] {
    let side = match one.kind {
        HealthKind::Completeness => "completeness",
        HealthKind::Correctness => "correctness",
        HealthKind::Relationships => "relationships",
        HealthKind::Compliance => "compliance",
    };
    [
        one.key.as_str().into(),
        side.into(),
        said(&one.code).into(),
        amounts(&one.value_at_stake).into(),
        one.services_at_stake.to_string().into(),
        one.criticality.map_or_else(|| "\u{2013}".to_owned(), |criticality| criticality.to_string()).into(),
        one.message.as_str().into(),
    ]
}

/// The report about drift: what differs, and for which services that matters.
#[must_use]
pub fn drift(answer: &DriftAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Drift between declared and observed", &answer.basis);
    document.push(summary(answer));
    document.push(services(answer));
    document.push(evidence(answer));
    document.push(differences(answer));
    document.push(limits(&answer.basis));
    document
}

fn summary(answer: &DriftAnswer) -> Section {
    let of = count(answer.service_count, "service", "services");
    let (severity, sentence) = match answer.services.first() {
        None => (Severity::Good, format!("No difference changes the single points of any of {of}.")),
        Some(first) => (
            Severity::Serious,
            format!(
                "The single points of {} of {of} depend on whether declaration or observation is right; least stable is {}.",
                answer.services.len(),
                first.subject.name
            ),
        ),
    };
    let section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    section.paragraph(format!(
        "{} observed and not declared; {} so unlikely unseen that {} aspirational.",
        count(answer.missing, "relationship is", "relationships are"),
        count(answer.aspirational, "declared one is", "declared ones are"),
        if answer.aspirational == 1 { "it counts as" } else { "they count as" }
    ))
}

fn services(answer: &DriftAnswer) -> Section {
    let section = Section::new("Services whose answers change").paragraph(
        "Single points say what every single loss does: a service is listed when one of them comes or goes.",
    );
    if answer.services.is_empty() {
        return section.paragraph("None.");
    }
    let mut table = Table::new("services", "Single points as declared, as observed, and without what is aspirational")
        .naming_column("Service")
        .number_column("Stable")
        .column("As declared")
        .column("With what is observed")
        .column("Without what is aspirational")
        .column("Because of");
    for one in &answer.services {
        let listed = |keys: &[String]| if keys.is_empty() { "none".to_owned() } else { names(keys, keys.len(), 12) };
        table.push(
            None,
            [
                item(&one.subject).into(),
                percent(one.stability).into(),
                listed(&one.declared_points).into(),
                listed(&one.observed_points).into(),
                listed(&one.certain_points).into(),
                because(one).into(),
            ],
        );
    }
    section.block(table)
}

fn because(service: &DriftService) -> String {
    let told: Vec<String> = service.because.iter().map(in_words).collect();
    if told.is_empty() { "several together".to_owned() } else { names(&told, told.len(), NAMES) }
}

fn in_words(line: &DriftLine) -> String {
    format!("{} \u{2192} {} ({})", line.dependent, line.dependency, kind(line.kind).1)
}

fn kind(kind: DriftKind) -> (Severity, &'static str) {
    match kind {
        DriftKind::Missing => (Severity::Serious, "observed, not declared"),
        DriftKind::Aspirational => (Severity::Caution, "aspirational"),
        DriftKind::Unobserved => (Severity::Information, "not seen; cannot tell"),
    }
}

fn evidence(answer: &DriftAnswer) -> Section {
    let section = Section::new("Evidence").paragraph(format!(
        "A relationship that is real goes unseen with a chance of {:.4}. Below 0.01 a declared one that was not seen is \
         aspirational; otherwise one cannot tell. Never is it called wrong.",
        answer.unseen_chance
    ));
    let confirmed = match (answer.confirmed_share, answer.confirmed_low, answer.confirmed_high) {
        (Some(share), Some(low), Some(high)) => format!(
            "{} of {} declared relationships in sight were seen: {:.1} % (95 % confidence: {:.1} to {:.1} %).",
            answer.confirmed,
            answer.in_sight,
            share * 100.0,
            low * 100.0,
            high * 100.0
        ),
        _ => "No declared relationship is in sight: nothing is observed of any dependent.".to_owned(),
    };
    section.paragraph(confirmed).paragraph(format!(
        "{} of dependents of which nothing is observed say nothing either way.",
        answer.out_of_sight
    ))
}

fn differences(answer: &DriftAnswer) -> Section {
    let section = Section::new("All differences");
    if answer.differences.is_empty() {
        return section.paragraph("None.");
    }
    let mut table = Table::new("differences", "Relationships that are declared or observed only")
        .column("State")
        .naming_column("Dependent")
        .column("Dependency")
        .column("Relationship or need");
    for one in &answer.differences {
        let (severity, word) = kind(one.kind);
        let cells = [
            Cell::mark(severity, word),
            one.dependent.as_str().into(),
            one.dependency.as_str().into(),
            one.name.as_str().into(),
        ];
        table.push(None, cells);
    }
    section.block(table)
}
