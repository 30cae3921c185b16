//! The report about the register of information.

use keelson_answers::supplier::register::{FindingKind, RegisterAnswer};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::{Frame, limits};
use crate::words::{count, said};

/// The register of information: its templates as tables named by their codes, and what its rules find.
#[must_use]
pub fn register(answer: &RegisterAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Register of information", &answer.basis);
    let grave = answer.findings.iter().filter(|one| severity(one.kind) >= Severity::Serious).count();
    let total = count(answer.findings.len(), "finding", "findings");
    let (level, sentence) = match (answer.findings.len(), grave) {
        (0, _) => (Severity::Good, "No rule finds anything.".to_owned()),
        (_, 0) => (Severity::Caution, format!("{total}, none of them grave.")),
        (_, grave) => (Severity::Serious, format!("{total}, {grave} of them grave.")),
    };
    document.push(
        Section::new("Summary")
            .block(Note { severity: level, text: sentence.into() })
            .paragraph(answer.caveat.as_str()),
    );
    let mut table = Table::new("findings", "What the rules find, the gravest first")
        .naming_column("About")
        .column("Finding")
        .column("Template")
        .column("What to do")
        .column("Contracts")
        .column("Functions");
    for one in &answer.findings {
        let kind = serde_json::to_value(one.kind).ok().and_then(|kind| kind.as_str().map(said)).unwrap_or_default();
        table.push(
            Some(severity(one.kind)),
            [
                one.subject.as_str().into(),
                kind.into(),
                one.template.as_str().into(),
                one.message.as_str().into(),
                one.contracts.join(", ").into(),
                one.functions.join(", ").into(),
            ],
        );
    }
    document.push(Section::new("Findings").block(table));
    for template in &answer.templates {
        let mut table =
            Table::new(&template.code, format!("{} {}", template.code, template.title)).filed_as(&template.code);
        for column in &template.columns {
            table = table.column(column.as_str());
        }
        for row in &template.rows {
            table.push(None, row.iter().map(|cell| Cell::from(cell.as_str())));
        }
        document.push(Section::new(format!("{} {}", template.code, template.title)).block(table));
    }
    document.push(limits(&answer.basis));
    document
}

fn severity(kind: FindingKind) -> Severity {
    match kind {
        FindingKind::ContractEnded | FindingKind::AlternativesNotIndependent | FindingKind::CircleOfSubcontractors => {
            Severity::Serious
        }
        FindingKind::SupplierWithoutContract
        | FindingKind::UnknownReference
        | FindingKind::ObjectiveMissed
        | FindingKind::DatesContradict => Severity::Serious,
        FindingKind::ContractWithoutProvider
        | FindingKind::ContractNotNamed
        | FindingKind::RankWithoutRecipient
        | FindingKind::NotAssessed
        | FindingKind::ServiceTypeMissing
        | FindingKind::ServiceTypeUnknown
        | FindingKind::ChainDeeperThanKnown
        | FindingKind::CountryMalformed => Severity::Caution,
        FindingKind::IdentifierMissing | FindingKind::ObjectiveMissing | FindingKind::ChainUnknown => {
            Severity::Information
        }
    }
}
