//! The continuity report: the order of recovery, and what prevents one.

use std::collections::BTreeSet;

use keelson_answers::attributes::Minutes;
use keelson_answers::recovery::{RecoveryAnswer, RecoveryOutcome, ServiceRecovery, StartLine, WaitLine, WayLine};
use keelson_report::document::{Cell, Document, Note, Proof, Section, Severity, Table, Text};

use super::{Frame, amounts, limits};
use crate::words::{NAMES, count, item, names};

/// The continuity report: services against their objectives, the order of recovery, circles and ways around them.
#[must_use]
pub fn recovery(answer: &RecoveryAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Continuity: order of recovery", &answer.basis);
    document.push(summary(answer));
    document.push(services(answer));
    if answer.stuck_count > 0 {
        document.push(circle(answer));
    }
    paths(&mut document, answer);
    document.push(order(answer));
    if answer.assumed_count > 0 {
        let listed = names(&answer.assumed, answer.assumed_count, 40);
        document.push(Section::new("Recovery times nobody stated").paragraph(format!("{listed}.")));
    }
    document.push(limits(&answer.basis));
    document
}

fn summary(answer: &RecoveryAnswer) -> Section {
    let what = match &answer.lost[..] {
        [] => "With everything off".to_owned(),
        lost => format!("After the loss of {}", names(lost, lost.len(), NAMES)),
    };
    let with = |outcomes: &[RecoveryOutcome]| -> Vec<&ServiceRecovery> {
        answer.services.iter().filter(|one| outcomes.contains(&one.outcome)).collect()
    };
    let keys = |found: &[&ServiceRecovery]| {
        let keys: Vec<&str> = found.iter().map(|one| one.subject.key.as_str()).collect();
        names(&keys, keys.len(), NAMES)
    };
    let stuck = with(&[RecoveryOutcome::Stuck, RecoveryOutcome::PossiblyStuck]);
    let missed = with(&[RecoveryOutcome::Missed, RecoveryOutcome::MayMiss]);
    let open = with(&[RecoveryOutcome::Open]);
    let (severity, sentence) = if !stuck.is_empty() {
        (
            Severity::Critical,
            format!("{what}, {} cannot start: {}.", count(stuck.len(), "service", "services"), keys(&stuck)),
        )
    } else if answer.stuck_count > 0 {
        (Severity::Serious, format!("{what}, {} cannot start.", count(answer.stuck_count, "item", "items")))
    } else if !missed.is_empty() {
        let of = count(missed.len(), "service", "services");
        (Severity::Serious, format!("{what}, {of} come back later than promised: {}.", keys(&missed)))
    } else if !open.is_empty() {
        let of = count(open.len(), "service", "services");
        let sentence = format!("{what}, everything asked about starts again; whether in time is not known of {of}.");
        (Severity::Caution, sentence)
    } else {
        (Severity::Good, format!("{what}, everything asked about starts again."))
    };
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    if let Some(way) = answer.ways.first() {
        section = section.paragraph(format!(
            "The fastest way around: {}. Then everything asked about is up after {}.",
            way_in_words(way),
            way_up(answer, way)
        ));
    }
    if let Some(worst) = missed.iter().max_by(|a, b| late(a).total_cmp(&late(b))) {
        section = section.paragraph(format!(
            "{} is up after {}, where {} are promised.",
            worst.subject.name,
            worst.up.map_or_else(|| "a time not known".to_owned(), span),
            worst.objective_minutes.map_or_else(|| "no minutes".to_owned(), minutes)
        ));
    }
    let asked: BTreeSet<&str> = answer.services.iter().flat_map(|one| &one.unknown).map(String::as_str).collect();
    if !asked.is_empty() {
        let keys: Vec<&str> = asked.into_iter().collect();
        let listed = names(&keys, keys.len(), NAMES);
        section = section.paragraph(format!(
            "To find out first: how long these take to start, which nobody states and no other of their class: {listed}."
        ));
    }
    section
}

fn late(service: &ServiceRecovery) -> f64 {
    service.late.map_or(0.0, |late| late.most)
}

fn minutes(minutes: f64) -> String {
    let rounded = (minutes * 10.0).round() / 10.0;
    format!("{rounded} min")
}

fn span(span: Minutes) -> String {
    if (span.most - span.least).abs() < 1e-9 {
        minutes(span.most)
    } else {
        format!("{}\u{2013}{}", (span.least * 10.0).round() / 10.0, minutes(span.most))
    }
}

/// A time by what is known: at least so long where something on the way is not.
fn known(up: Minutes, service: &ServiceRecovery) -> String {
    if service.unknown.is_empty() { span(up) } else { format!("at least {}", minutes(up.least)) }
}

fn outcome(outcome: RecoveryOutcome) -> Cell {
    let (severity, word) = match outcome {
        RecoveryOutcome::Stuck => (Severity::Critical, "cannot start"),
        RecoveryOutcome::PossiblyStuck => (Severity::Serious, "possibly cannot start"),
        RecoveryOutcome::Missed => (Severity::Serious, "too late"),
        RecoveryOutcome::MayMiss => (Severity::Caution, "possibly too late"),
        RecoveryOutcome::Open => (Severity::Caution, "in time by what is known"),
        RecoveryOutcome::NoObjective => (Severity::Information, "no objective stated"),
        RecoveryOutcome::Met => (Severity::Good, "in time"),
        RecoveryOutcome::Unaffected => (Severity::Good, "not affected"),
        RecoveryOutcome::Unknown => (Severity::Caution, "not known"),
    };
    Cell::mark(severity, word)
}

fn services(answer: &RecoveryAnswer) -> Section {
    let section = Section::new("Services");
    if answer.services.is_empty() {
        return section.paragraph("No service was looked at.");
    }
    let mut table = Table::new("services", "When each service is up again, and when it is promised to be")
        .naming_column("Service")
        .column("Outcome")
        .number_column("Up after")
        .number_column("Objective")
        .number_column("Too late by")
        .number_column("Value of an hour")
        .column("Critical path");
    for one in &answer.services {
        let path: Vec<&str> = one.critical_path.iter().map(|step| step.subject.name.as_str()).collect();
        table.push(
            None,
            [
                item(&one.subject).into(),
                outcome(one.outcome),
                one.up.map_or_else(|| "\u{2013}".to_owned(), |up| known(up, one)).into(),
                one.objective_minutes.map_or_else(|| "not stated".to_owned(), minutes).into(),
                one.late.map_or_else(|| "\u{2013}".to_owned(), span).into(),
                amounts(one.value_per_hour.as_slice()).into(),
                path.join(" \u{2192} ").into(),
            ],
        );
    }
    section.block(table)
}

fn circle(answer: &RecoveryAnswer) -> Section {
    let mut section = Section::new("What cannot start, and why");
    let stuck: Vec<&str> = answer.stuck.iter().map(|one| one.key.as_str()).collect();
    section = section.paragraph(format!(
        "{} cannot start: {}.",
        count(answer.stuck_count, "item", "items"),
        names(&stuck, answer.stuck_count, 40)
    ));
    if !answer.circle.is_empty() {
        section = section.paragraph("The circle they wait for:").block(waits(&answer.circle));
    }
    if !answer.hopeless.is_empty() {
        section = section.paragraph(format!(
            "Even without any need that matters at a start alone, these cannot start: {}.",
            names(&answer.hopeless, answer.hopeless.len(), NAMES)
        ));
    }
    if answer.ways.is_empty() {
        return section.paragraph("No way around it was found within the budget.");
    }
    let smallest =
        if answer.is_smallest { "No smaller set of needs would do." } else { "Smaller sets were not ruled out." };
    section = section.paragraph(format!("Ways around it, the fastest first. {smallest}"));
    let mut table =
        Table::new("ways", "What to make dispensable at a start").naming_column("Need").number_column("All up after");
    for way in &answer.ways {
        table.push(None, [way_in_words(way).into(), way_up(answer, way).into()]);
    }
    section.block(table)
}

fn waits(circle: &[WaitLine]) -> Proof {
    let mut proof = Proof::new();
    for wait in circle {
        let text = Text::new().code(wait.item.as_str()).plain(format!(" waits for its need '{}'", wait.need));
        let text = match &wait.waits_for {
            Some(other) => text.plain(": ").code(other.as_str()),
            None => text.plain(", which cannot hold even with every member up"),
        };
        proof.push(0, text);
    }
    proof
}

/// When everything is up by a way around: at least, where times on the way count as 0.
fn way_up(answer: &RecoveryAnswer, way: &WayLine) -> String {
    let up = minutes(way.up_minutes);
    if answer.unknown_count > 0 { format!("at least {up}") } else { up }
}

fn way_in_words(way: &WayLine) -> String {
    let each = way.needs.iter().map(|need| {
        let members = names(&need.members, need.members.len(), 3);
        format!("{} starts without its need '{}' ({members})", need.item, need.need)
    });
    each.collect::<Vec<_>>().join(", and ")
}

fn paths(document: &mut Document, answer: &RecoveryAnswer) {
    let late = |one: &&ServiceRecovery| matches!(one.outcome, RecoveryOutcome::Missed | RecoveryOutcome::MayMiss);
    for service in answer.services.iter().filter(late).take(NAMES) {
        let caption = format!("What the time of {} is made of", service.subject.name);
        let name = format!("path-{}", service.subject.name);
        document.push(Section::new(format!("{}: critical path", service.subject.name)).block(steps(
            &name,
            &caption,
            &service.critical_path,
        )));
    }
}

fn order(answer: &RecoveryAnswer) -> Section {
    let mut section = Section::new("Order of recovery");
    if answer.started_count == 0 {
        return section.paragraph("Nothing starts.");
    }
    if answer.at_once_count > 0 {
        let of = count(answer.at_once_count, "item is", "items are");
        section = section.paragraph(format!("{of} up at once: waiting for nothing, and taking no time."));
    }
    section.block(steps("order", "In which order things start", &answer.order))
}

fn steps(name: &str, caption: &str, lines: &[StartLine]) -> Table {
    let mut table = Table::new(name, caption)
        .number_column("Up after")
        .naming_column("Item")
        .column("Class")
        .number_column("Takes itself")
        .column("Waited last for");
    for line in lines {
        let own = if line.is_assumed { format!("{} (assumed)", span(line.own)) } else { span(line.own) };
        table.push(
            None,
            [
                span(line.up).into(),
                item(&line.subject).into(),
                line.subject.class.as_str().into(),
                own.into(),
                line.after.as_deref().unwrap_or("nothing").into(),
            ],
        );
    }
    table
}
