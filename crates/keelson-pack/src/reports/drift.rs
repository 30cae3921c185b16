//! The report about drift between what is declared and observed.

use keelson_answers::drift::{Change, DriftAnswer, DriftKind, DriftLine, DriftService, RedundancyFault};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::availability::nines;
use super::{Frame, limits};
use crate::words::{NAMES, count, item, names, percent};

/// The report about drift: what differs, and for which services that matters.
#[must_use]
pub fn drift(answer: &DriftAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Drift between declared and observed", &answer.basis);
    document.push(summary(answer));
    document.push(services(answer));
    document.push(redundancy(answer));
    document.push(evidence(answer));
    document.push(differences(answer));
    document.push(limits(&answer.basis));
    document
}

fn summary(answer: &DriftAnswer) -> Section {
    let of = count(answer.service_count, "service", "services");
    let (severity, sentence) = match answer.services.first() {
        None => (Severity::Good, format!("No difference changes an answer about any of {of}.")),
        Some(first) => (
            Severity::Serious,
            format!(
                "Answers about {} of {of} depend on whether declaration or observation is right; least stable is {}.",
                answer.services.len(),
                first.subject.name
            ),
        ),
    };
    let section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    let section = section.paragraph(format!(
        "{} on something that differs.",
        count(answer.affected_count, "service rests", "services rest")
    ));
    let section = if answer.ended == 0 {
        section
    } else {
        section.paragraph(format!(
            "{} observed although one end is retired or withdrawn.",
            count(answer.ended, "relationship is", "relationships are")
        ))
    };
    section.paragraph(format!(
        "{} observed and not declared; {} so unlikely unseen that {} aspirational.",
        count(answer.missing, "relationship is", "relationships are"),
        count(answer.aspirational, "declared one is", "declared ones are"),
        if answer.aspirational == 1 { "it counts as" } else { "they count as" }
    ))
}

fn services(answer: &DriftAnswer) -> Section {
    let section = Section::new("Services whose answers change").paragraph(
        "Single points say what every single loss does. A service is listed when one of them comes or goes, when another \
         number of failures is enough, when its target is met or missed, or when the day of a decision moves.",
    );
    if answer.services.is_empty() {
        return section.paragraph("None.");
    }
    let mut table = Table::new("services", "Single points as declared, as observed, and without what is aspirational")
        .naming_column("Service")
        .number_column("Stable")
        .column("What changes")
        .column("As declared")
        .column("With what is observed")
        .column("Without what is aspirational")
        .column("Because of");
    for one in &answer.services {
        let listed = |keys: &[String]| if keys.is_empty() { "none".to_owned() } else { names(keys, keys.len(), 12) };
        let changes: Vec<&str> = one.changes.iter().map(|change| changed(*change)).collect();
        table.push(
            None,
            [
                item(&one.subject).into(),
                percent(one.stability).into(),
                changes.join(", ").into(),
                listed(&one.declared_points).into(),
                listed(&one.observed_points).into(),
                listed(&one.certain_points).into(),
                because(one).into(),
            ],
        );
    }
    section.block(table).block(figures(answer))
}

fn changed(change: Change) -> &'static str {
    match change {
        Change::SinglePoints => "single points",
        Change::Resilience => "how many failures it takes",
        Change::Target => "whether its target is met",
        Change::DecisionDate => "day of a decision",
    }
}

fn figures(answer: &DriftAnswer) -> Table {
    let mut table = Table::new("figures", "Other answers on each graph")
        .naming_column("Service")
        .column("Graph")
        .number_column("Failures enough")
        .number_column("Available")
        .number_column("At least")
        .number_column("At most")
        .column("Target")
        .column("Decide by");
    for one in &answer.services {
        for (graph, of) in [
            ("as declared", &one.declared),
            ("with what is observed", &one.observed),
            ("without what is aspirational", &one.certain),
        ] {
            let failures = match of.resilience {
                found if found.is_unbreakable => "no number".to_owned(),
                found => match found.at_most {
                    Some(most) if most == found.at_least => most.to_string(),
                    Some(most) => format!("{} to {most}", found.at_least),
                    None => format!("{} or more", found.at_least),
                },
            };
            let target = match of.meets_target {
                Some(true) => Cell::mark(Severity::Good, "met"),
                Some(false) => Cell::mark(Severity::Serious, "missed"),
                None => Cell::from("cannot be told"),
            };
            let day = of.decide_by.map_or_else(|| "not known".to_owned(), |day| day.format("%Y-%m-%d").to_string());
            table.push(
                None,
                [
                    item(&one.subject).into(),
                    graph.into(),
                    failures.into(),
                    nines(1.0 - of.unavailability).into(),
                    nines(1.0 - of.most).into(),
                    nines(1.0 - of.least).into(),
                    target,
                    day.into(),
                ],
            );
        }
    }
    table
}

fn redundancy(answer: &DriftAnswer) -> Section {
    let section = Section::new("Redundancy that is not what it is declared to be");
    if answer.redundancy.is_empty() {
        return section.paragraph("None was found.");
    }
    let mut table =
        Table::new("redundancy", "Needs of several members, against their load and against what is observed")
            .column("State")
            .naming_column("Whose need")
            .column("Need")
            .column("What was found")
            .column("Shared as observed");
    for one in &answer.redundancy {
        let (severity, word) = match one.fault {
            RedundancyFault::NeedsMore => (Severity::Serious, "the load takes more"),
            RedundancyFault::SharedAsObserved => (Severity::Serious, "shared as observed"),
            RedundancyFault::NeedsFewer => (Severity::Information, "the load takes fewer"),
        };
        table.push(
            None,
            [
                Cell::mark(severity, word),
                item(&one.subject).into(),
                one.need.as_str().into(),
                one.message.as_str().into(),
                names(&one.shared, one.shared.len(), NAMES).into(),
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
        DriftKind::Ended => (Severity::Serious, "observed, although one end is retired or withdrawn"),
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
    let section = section.paragraph(confirmed).paragraph(format!(
        "{} of dependents, or of kinds, of which nothing is observed say nothing either way.",
        answer.out_of_sight
    ));
    if answer.old == 0 {
        return section;
    }
    section.paragraph(format!(
        "{} observed only, and before the window: neither missing nor confirmed.",
        count(answer.old, "relationship was", "relationships were")
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
