//! The report about how much a service can carry.

use keelson_answers::capacity::throughput::{BindingLine, Carries, SharedBy, SpreadLine, ThroughputAnswer};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::capacity::{amount, number};
use super::{Frame, limits};
use crate::words::{NAMES, count, item, names, percent};

/// The report about how much a service can carry.
#[must_use]
pub fn throughput(answer: &ThroughputAnswer, frame: &Frame) -> Document {
    let mut document = frame.document(format!("What {} can carry", answer.service.name), &answer.basis);
    document.push(summary(answer));
    document.push(ways(answer));
    document.push(pools(answer));
    document.push(limits(&answer.basis));
    document
}

fn unit(answer: &ThroughputAnswer) -> String {
    answer.demand.as_ref().map_or_else(String::new, |demand| format!(" {}", demand.unit))
}

/// How much, in words.
fn most(answer: &ThroughputAnswer, carries: &Carries) -> String {
    match carries.limit {
        Some(limit) => format!("{}{}", number(limit), unit(answer)),
        None if carries.is_exhausted => "nothing more: others take it all".to_owned(),
        None => "not known".to_owned(),
    }
}

fn held_by(carries: &Carries) -> String {
    let keys: Vec<&str> = carries.binding.iter().map(|one| one.subject.key.as_str()).collect();
    names(&keys, keys.len(), NAMES)
}

fn summary(answer: &ThroughputAnswer) -> Section {
    let (now, free) = (&answer.as_spread, &answer.spread_freely);
    let name = &answer.service.name;
    let asked = answer.demand.as_ref();
    let (severity, text) = match now.limit {
        _ if now.is_exhausted => (
            Severity::Critical,
            format!("The demand on others alone takes more than may be planned of {}.", held_by(now)),
        ),
        None => (
            Severity::Caution,
            format!("Nothing that {name} uses states a capacity: how much it carries is not known."),
        ),
        Some(limit) => {
            let severity = match asked {
                Some(demand) if demand.value > limit => Severity::Critical,
                _ => Severity::Information,
            };
            (severity, format!("{name} can carry {}, held back by {}.", most(answer, now), held_by(now)))
        }
    };
    let mut section = Section::new("Summary").block(Note { severity, text: text.into() });
    if let Some(demand) = asked {
        section = section.paragraph(format!("Asked of it at its peak: {}.", amount(demand)));
    }
    if let Some(promised) = &answer.promised_up_to {
        section = section.paragraph(format!("Its targets are promised up to {}.", amount(promised)));
    }
    match (now.limit, free.limit) {
        (Some(limit), Some(more)) if more > limit * (1.0 + 1e-6) => section.paragraph(format!(
            "If members of redundancy took over from each other freely it would carry {}, {} more; then {} {} it back.",
            most(answer, free),
            percent(more / limit - 1.0),
            held_by(free),
            if free.binding.len() == 1 { "holds" } else { "together hold" },
        )),
        (Some(_), Some(_)) if answer.pool_count > 0 => {
            section.paragraph("Spreading its load otherwise would not make it carry more.")
        }
        _ => section,
    }
}

fn ways(answer: &ThroughputAnswer) -> Section {
    let mut table = Table::new("held-back-by", "What holds it back")
        .column("Load spread")
        .number_column("Carries")
        .naming_column("Held back by")
        .number_column("Capacity")
        .number_column("Planned to")
        .number_column("Taken by a unit of the service");
    for (way, carries) in [("as now", &answer.as_spread), ("freely", &answer.spread_freely)] {
        for one in &carries.binding {
            table.push(None, row(answer, way, carries, one));
        }
    }
    let section = Section::new("What holds it back");
    let mut section = if answer.as_spread.binding.is_empty() && answer.spread_freely.binding.is_empty() {
        section.paragraph("Nothing with a capacity.")
    } else {
        section.block(table)
    };
    if answer.without_capacity_count > 0 {
        let keys: Vec<&str> = answer.without_capacity.iter().map(|one| one.key.as_str()).collect();
        section = section.paragraph(format!(
            "{} that its load reaches state no capacity and may hold it back earlier: {}.",
            count(answer.without_capacity_count, "item", "items"),
            names(&keys, answer.without_capacity_count, NAMES)
        ));
    }
    section
}

fn row(answer: &ThroughputAnswer, way: &str, carries: &Carries, one: &BindingLine) -> [Cell; 6] {
    [
        way.into(),
        most(answer, carries).into(),
        item(&one.subject).into(),
        amount(&one.capacity).into(),
        percent(one.planning_limit).into(),
        number(one.takes).into(),
    ]
}

fn pools(answer: &ThroughputAnswer) -> Section {
    let section = Section::new("How load is spread");
    if answer.pools.is_empty() {
        return section.paragraph("No redundancy beneath it among whose members load could be shifted.");
    }
    let mut table = Table::new("spread", "Parts that members take")
        .naming_column("Whose need")
        .column("Need")
        .column("Now")
        .column("Where most is carried");
    for one in &answer.pools {
        let parts = |part: &dyn Fn(&SharedBy) -> Option<f64>| parts(one, part);
        table.push(
            None,
            [
                item(&one.subject).into(),
                one.need.clone().into(),
                parts(&|member| Some(member.now)).into(),
                parts(&|member| member.then).into(),
            ],
        );
    }
    section.block(table)
}

/// The parts of the members of a redundancy.
fn parts(one: &SpreadLine, part: &dyn Fn(&SharedBy) -> Option<f64>) -> String {
    let told = one.members.iter().map(|member| {
        let part = part(member).map_or_else(|| "\u{2013}".to_owned(), percent);
        format!("{} {part}", member.key)
    });
    let told: Vec<String> = told.collect();
    names(&told, told.len(), 12)
}
