//! The sample pack: what an auditor looks at, and how to draw the same again.

use chrono::SecondsFormat;
use keelson_answers::sample::{SampleAnswer, SampledItem};
use keelson_report::document::{Document, Note, Section, Severity, Table, Text};

use super::{Frame, limits};
use crate::words::{count, item};

/// The sample pack: population, seed, strata, the items with their evidence, and what the result proves.
#[must_use]
pub fn sample(answer: &SampleAnswer, frame: &Frame) -> Document {
    let mut document = frame.document(format!("Audit sample {}", answer.period), &answer.basis);
    document.push(summary(answer));
    document.push(drawing(answer, frame));
    document.push(strata(answer));
    document.push(items(answer, frame));
    document.push(limits(&answer.basis));
    document
}

fn percent(fraction: f64) -> String {
    let text = format!("{:.2}", fraction * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn summary(answer: &SampleAnswer) -> Section {
    let (confidence, tolerable) = (percent(answer.confidence), percent(answer.tolerable));
    let (severity, text) = match &answer.verdict {
        Some(verdict) if verdict.is_tolerable => (
            Severity::Good,
            format!(
                "{} among {}: with a confidence of {confidence} at most {} deviate, which is tolerable.",
                count(usize::try_from(verdict.found).unwrap_or(usize::MAX), "deviation", "deviations"),
                count(answer.size, "item", "items"),
                percent(verdict.upper_limit)
            ),
        ),
        Some(verdict) => (
            Severity::Serious,
            format!(
                "{} among {}: up to {} may deviate, more than the tolerable {tolerable}. Look at more, or mend the cause.",
                count(usize::try_from(verdict.found).unwrap_or(usize::MAX), "deviation", "deviations"),
                count(answer.size, "item", "items"),
                percent(verdict.upper_limit)
            ),
        ),
        None => (
            if answer.reached_confidence + ROUNDING < answer.confidence {
                Severity::Caution
            } else {
                Severity::Information
            },
            format!("{} of {} are drawn. {}", count(answer.size, "item", "items"), answer.population, proves(answer)),
        ),
    };
    Section::new("Summary").block(Note { severity, text: text.into() }).paragraph(format!(
        "A sample of this size in which {} gives a confidence of {}. An item that cannot be verified counts as a deviation.",
        allowed(answer),
        percent(answer.reached_confidence)
    ))
}

/// The deviations that are allowed, as a clause.
fn allowed(answer: &SampleAnswer) -> String {
    match answer.deviations {
        0 => "none deviates".to_owned(),
        1 => "at most one deviates".to_owned(),
        many => format!("at most {many} deviate"),
    }
}

/// What the sample proves if no more deviations are found than are allowed.
fn proves(answer: &SampleAnswer) -> String {
    let (confidence, tolerable) = (percent(answer.confidence), percent(answer.tolerable));
    let allowed = allowed(answer);
    let reached = answer.reached_confidence;
    if reached + ROUNDING >= answer.confidence {
        return format!("If {allowed}, less than {tolerable} of the population do, with a confidence of {confidence}.");
    }
    if reached <= 0.0 {
        return format!("That is too few to prove anything if {allowed}: look at more, or allow fewer deviations.");
    }
    format!(
        "That is fewer than a confidence of {confidence} takes: if {allowed}, less than {tolerable} of the population do \
         with a confidence of {} only.",
        percent(reached)
    )
}

/// What rounding may take from a confidence.
const ROUNDING: f64 = 1e-9;

fn drawing(answer: &SampleAnswer, frame: &Frame) -> Section {
    let class = answer.class.as_deref().unwrap_or("everything in service");
    Section::new("How to draw it again")
        .paragraph(
            "Whoever asks of the same revision, for the same period and class, draws the same items in the same order.",
        )
        .paragraph(
            Text::from(format!("Population: {} of {class}; its digest is SHA-256 ", answer.population))
                .code(&answer.population_digest),
        )
        .paragraph(Text::from("Seed, the digest of period and population: ").code(&answer.seed))
        .block(terms(answer, frame))
}

/// All that drawing it again takes, as a table: whoever has only the tables has it too.
fn terms(answer: &SampleAnswer, frame: &Frame) -> Table {
    let mut table = Table::new("drawing", "What the sample is drawn from").naming_column("What").column("Value");
    let as_of = answer.basis.as_of.unwrap_or(frame.computed_at).to_rfc3339_opts(SecondsFormat::Secs, true);
    let rows = [
        ("Period", answer.period.clone()),
        ("Class", answer.class.clone().unwrap_or_else(|| "everything in service".to_owned())),
        ("Revision", answer.basis.revision.to_string()),
        ("As of", as_of),
        ("Population", answer.population.to_string()),
        ("Referred to and described by nobody, not drawn", answer.placeholders.to_string()),
        ("Population (SHA-256)", answer.population_digest.clone()),
        ("Seed (SHA-256)", answer.seed.clone()),
        ("Confidence wanted", percent(answer.confidence)),
        ("Tolerable share", percent(answer.tolerable)),
        ("Deviations allowed", answer.deviations.to_string()),
        ("Items drawn", answer.size.to_string()),
        ("Confidence reached", percent(answer.reached_confidence)),
    ];
    for (what, value) in rows {
        table.push(None, [what.into(), value.as_str().into()]);
    }
    table
}

fn strata(answer: &SampleAnswer) -> Section {
    let mut table = Table::new("strata", "Parts of the population, by what rests on their items")
        .naming_column("Most critical service resting on it")
        .number_column("Population")
        .number_column("Drawn");
    for one in &answer.strata {
        let name =
            one.criticality.map_or_else(|| "none, or not stated".to_owned(), |criticality| criticality.to_string());
        table.push(None, [name.into(), one.population.to_string().into(), one.drawn.to_string().into()]);
    }
    Section::new("Strata").block(table)
}

fn items(answer: &SampleAnswer, frame: &Frame) -> Section {
    let mut table = Table::new("items", "The items drawn, with the evidence there is")
        .number_column("No.")
        .naming_column("Item")
        .column("Class")
        .column("Criticality")
        .column("Stage")
        .column("Stated by, last confirmed")
        .column("Verified")
        .column("Remark");
    for one in &answer.items {
        let severity = one.is_stale.then_some(Severity::Caution);
        table.push(
            severity,
            [
                one.number.to_string().into(),
                item(&one.subject).into(),
                one.subject.class.as_str().into(),
                one.criticality.map_or_else(|| "\u{2013}".to_owned(), |criticality| criticality.to_string()).into(),
                one.lifecycle.as_str().into(),
                evidence(one, frame).into(),
                "".into(),
                if one.is_stale { "not seen for longer than its class allows" } else { "" }.into(),
            ],
        );
    }
    Section::new("Items").block(table).block(records(answer))
}

/// The records as they stood, and the digest by which each is known again.
fn records(answer: &SampleAnswer) -> Table {
    let mut table = Table::new("records", "Their records as they stood")
        .number_column("No.")
        .naming_column("Item")
        .number_column("Version")
        .number_column("Commits")
        .number_column("Relationships")
        .column("Record (SHA-256)");
    for one in &answer.items {
        table.push(
            None,
            [
                one.number.to_string().into(),
                one.subject.key.as_str().into(),
                one.version.to_string().into(),
                one.changes.to_string().into(),
                one.relationships.to_string().into(),
                Text::new().code(&one.digest).into(),
            ],
        );
    }
    table
}

fn evidence(one: &SampledItem, frame: &Frame) -> String {
    if one.evidence.is_empty() {
        return "no source".to_owned();
    }
    let each = one
        .evidence
        .iter()
        .map(|line| format!("{} as '{}', {}", line.source, line.source_key, frame.day(line.confirmed_at)));
    each.collect::<Vec<_>>().join("; ")
}
