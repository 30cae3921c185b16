//! The report about the health of the catalogue.

use keelson_answers::health::{HealthAnswer, HealthKind, HealthLine};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::{Frame, amounts, limits};
use crate::words::{count, percent, said};

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
        "{total} about {}, weighed by the value at risk: what an hour without each service costs, times how much likelier \
         the service is breached when the item is down.",
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
        .number_column("Value at risk, an hour")
        .number_column("Value resting on it")
        .number_column("Services")
        .column("Most critical")
        .column("What to do");
    for one in &answer.findings {
        table.push(None, row(one));
    }
    section.block(table)
}

fn row(one: &HealthLine) -> [Cell; 8] {
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
        amounts(&one.value_at_risk).into(),
        amounts(&one.value_at_stake).into(),
        one.services_at_stake.to_string().into(),
        one.criticality.map_or_else(|| "\u{2013}".to_owned(), |criticality| criticality.to_string()).into(),
        one.message.as_str().into(),
    ]
}
