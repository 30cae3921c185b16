//! Redundancy under load, and when growth takes it away.

use keelson_answers::capacity::{CapacityAnswer, HourDays, HourStanding, HourWindow, ProfileBasis, RedundancyLine};
use keelson_report::document::{Cell, Section, Severity, Table};

use super::{amount, days_words, months, number};
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
    let mut section = section.block(table);
    let chances: Vec<String> = answer.redundancy.iter().filter_map(chances_words).collect();
    if !chances.is_empty() {
        section = section.paragraph("When redundancy ends by what was measured, with its chance:").list(chances);
    }
    let hours: Vec<String> = answer.redundancy.iter().filter_map(hours_words).collect();
    if !hours.is_empty() {
        section = section
            .paragraph("When a member may be out: how each stands by the hour, now; hours are in UTC.")
            .list(hours);
    }
    section
}

fn chances_words(one: &RedundancyLine) -> Option<String> {
    let chances = one.expires_chances.as_ref()?;
    Some(format!("{} of {}: {}", one.need, one.subject.name, days_words(chances)?))
}

fn hours_words(one: &RedundancyLine) -> Option<String> {
    let hours = one.hours.as_ref()?;
    let basis = match hours.basis {
        ProfileBasis::Measured => "measured",
        ProfileBasis::Stated => "stated",
        ProfileBasis::Mixed => "partly measured, partly stated",
    };
    let partial = if hours.is_partial { "; part of it counts with its peak all day" } else { "" };
    let short = match &hours.short_without_one[..] {
        [] => "the others carry the load in every hour".to_owned(),
        windows => {
            let windows: Vec<String> = windows.iter().map(window_words).collect();
            format!("the others do not carry the load {}", windows.join(", "))
        }
    };
    Some(format!(
        "{} of {}: lowest load {}; highest load {}. With the largest member out, {short}. Profile {basis}{partial}.",
        one.need,
        one.subject.name,
        standing_words(&hours.quietest),
        standing_words(&hours.busiest)
    ))
}

fn standing_words(one: &HourStanding) -> String {
    let margin = |margin: Option<u32>| margin.map_or_else(|| "not even 0".to_owned(), |margin| margin.to_string());
    let out = match (one.margin_without_one, one.delivered_without_one) {
        (Some(margin), _) => format!("margin {margin} with a member out"),
        (None, Some(delivered)) => format!("{} delivered with a member out", percent(delivered)),
        (None, None) => "not known what is delivered with a member out".to_owned(),
    };
    format!("{}: {}, margin {}, {out}", window_words(&one.window), number(one.load), margin(one.margin))
}

fn window_words(window: &HourWindow) -> String {
    let days = match window.days {
        HourDays::EveryDay => "every day",
        HourDays::Weekdays => "Monday to Friday",
        HourDays::Weekend => "Saturday and Sunday",
    };
    format!("{days} {:02}:00 to {:02}:00", window.from, window.to)
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
