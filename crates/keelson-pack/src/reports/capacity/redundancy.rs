//! Redundancy under load, and when growth takes it away.

use keelson_answers::capacity::{CapacityAnswer, RedundancyLine};
use keelson_report::document::{Cell, Section, Severity, Table};

use super::{amount, months, number};
use crate::words::{item, percent};

/// Needs of several members against their load.
pub(super) fn redundancy(answer: &CapacityAnswer) -> Section {
    let section = Section::new("Redundancy under load").paragraph(
        "How many members must be up follows from the load; growth takes redundancy away before anything runs out. Judged at \
         the whole capacity of the members, which they may reach for a short while.",
    );
    if answer.redundancy.is_empty() {
        return section.paragraph("No need of a service has several members with a stated capacity.");
    }
    let mut table = Table::new("redundancy", "Needs of several members against their load")
        .naming_column("Need")
        .column("Service")
        .column("State")
        .number_column("Load")
        .number_column("Members")
        .number_column("Needed")
        .number_column("Declared")
        .number_column("Spare")
        .number_column("Carries with one lost")
        .number_column("Delivered with one lost")
        .column("Redundancy ends");
    for one in &answer.redundancy {
        table.push(None, redundancy_row(one, answer));
    }
    section.block(table)
}

fn redundancy_row(one: &RedundancyLine, answer: &CapacityAnswer) -> [Cell; 11] {
    let known = |value: Option<u32>| value.map_or_else(|| "\u{2013}".to_owned(), |value| value.to_string());
    let state = match one {
        one if one.unknown.is_some() => Cell::mark(Severity::Caution, "not known"),
        one if one.is_redundancy_false => Cell::mark(Severity::Serious, "believed in, not there"),
        one if one.margin.is_none_or(|margin| margin == 0) => Cell::mark(Severity::Serious, "none"),
        one if one.expires_months.is_some_and(|months| months < 12.0) => {
            Cell::mark(Severity::Caution, "ends within a year")
        }
        _ => Cell::mark(Severity::Good, "there"),
    };
    let ends = match (&one.unknown, one.expires_months, one.expires_at) {
        (Some(why), ..) => why.clone(),
        (None, Some(months), _) if months <= 0.0 => "already".to_owned(),
        (None, Some(_), Some(at)) => at.format("%Y-%m-%d").to_string(),
        _ => format!("not in {}", months(answer.horizon_months)),
    };
    [
        one.need.as_str().into(),
        item(&one.subject).into(),
        state,
        one.load.as_ref().map_or_else(|| "not known".to_owned(), amount).into(),
        one.members.len().to_string().into(),
        known(one.required).into(),
        known(one.declared).into(),
        known(one.margin).into(),
        one.carries_without_one.map_or_else(|| "\u{2013}".to_owned(), number).into(),
        one.delivered_without_one.map_or_else(|| "\u{2013}".to_owned(), percent).into(),
        ends.into(),
    ]
}
