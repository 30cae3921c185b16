//! The capacity plan (ISO/IEC 20000-1, 8.4.3).

mod forecasts;
mod purchases;
mod redundancy;

use keelson_answers::attributes::Amount;
use keelson_answers::capacity::{
    CapacityAnswer, ExhaustionChances, GrowthBasis, LimitBasis, LoadBasis, RELIEF_MONTHS, RedundancyLine, ResourceKind,
    ResourceLine,
};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::demand::{inferred, loops, source_row, unrated};
use super::{Frame, amounts, limits};
use crate::words::{NAMES, count, item, names, percent};

/// The capacity plan: what runs out first and by when to decide, redundancy and when growth takes it away, requirements
/// by kind, assumptions and the quality of the data.
#[must_use]
pub fn capacity(answer: &CapacityAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Capacity plan", &answer.basis);
    document.push(summary(answer, frame));
    document.push(first(answer));
    for kind in [ResourceKind::Human, ResourceKind::Technical, ResourceKind::Information, ResourceKind::Financial] {
        document.push(of_kind(answer, kind));
    }
    document.push(purchases::purchases(answer));
    forecasts::forecasts(&mut document, answer, frame);
    document.push(redundancy::redundancy(answer));
    document.push(assumptions(answer));
    quality(&mut document, answer);
    document.push(limits(&answer.basis));
    document
}

/// What runs out first: the table alone.
#[must_use]
pub fn runs_out(answer: &CapacityAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("What runs out first", &answer.basis);
    document.push(summary(answer, frame));
    document.push(first(answer));
    document.push(limits(&answer.basis));
    document
}

pub(crate) fn number(value: f64) -> String {
    let digits = if value.abs() >= 100.0 || value.fract().abs() < 1e-9 { 0 } else { 2 };
    format!("{value:.digits$}")
}

pub(super) fn amount(amount: &Amount) -> String {
    format!("{} {}", number(amount.value), amount.unit)
}

fn months(months: f64) -> String {
    format!("{months:.1} months")
}

/// A span that is looked ahead.
fn span(months: f64) -> String {
    if months < 24.0 { format!("{} months", number(months)) } else { format!("{} years", number(months / 12.0)) }
}

fn summary(answer: &CapacityAnswer, frame: &Frame) -> Section {
    let over: Vec<&ResourceLine> = answer.resources.iter().filter(|one| one.is_over_limit).collect();
    let due: Vec<&ResourceLine> = answer
        .resources
        .iter()
        .filter(|one| one.decide_months.is_some_and(|months| months <= 0.0) && !one.is_over_limit)
        .collect();
    let keys = |lines: &[&ResourceLine]| {
        let keys: Vec<&str> = lines.iter().map(|one| one.subject.key.as_str()).collect();
        names(&keys, keys.len(), NAMES)
    };
    let mut section = Section::new("Summary");
    let first = answer.resources.iter().find(|one| one.decide_by.is_some());
    section = match (&over[..], first) {
        ([], None) if answer.resources.is_empty() => {
            section.block(Note { severity: Severity::Caution, text: without_resources(answer).into() })
        }
        ([], None) => {
            let (severity, text) = lasting(answer);
            section.block(Note { severity, text: text.into() })
        }
        ([], Some(first)) => {
            let severity = if due.is_empty() { Severity::Caution } else { Severity::Serious };
            section.block(Note { severity, text: sentence(first, frame).into() })
        }
        (over, _) => {
            let verb = if over.len() == 1 { "is" } else { "are" };
            let what = if over.len() == 1 { "it" } else { "them" };
            let text = format!("{} {verb} beyond what may be planned of {what} already.", keys(over));
            section.block(Note { severity: Severity::Critical, text: text.into() })
        }
    };
    let broken: Vec<&ResourceLine> = over.iter().copied().filter(|one| one.is_over_capacity).collect();
    if !broken.is_empty() {
        section = section
            .paragraph(format!("Beyond the whole capacity, so overloaded or a contract broken: {}.", keys(&broken)));
    }
    if let Some(first) = first.filter(|_| !over.is_empty()) {
        section = section.paragraph(sentence(first, frame));
    }
    if let Some(expiring) = answer.redundancy.iter().find(|one| one.expires_months.is_some()) {
        section = section.paragraph(expiry(expiring, frame));
    }
    section
}

/// Why there is nothing to tell.
fn without_resources(answer: &CapacityAnswer) -> &'static str {
    let demands: Vec<f64> =
        answer.services.iter().filter_map(|one| one.source.demand.as_ref()).map(|demand| demand.value).collect();
    if demands.is_empty() {
        "No capacity data: no demand is stated or measured, and no use of anything."
    } else if demands.iter().all(|demand| *demand <= 0.0) {
        "The demand on the services is stated or measured as 0: nothing fills a resource."
    } else {
        "No capacity data: nothing with demand states a capacity."
    }
}

/// That nothing runs out, and how sure that is.
fn lasting(answer: &CapacityAnswer) -> (Severity, String) {
    let span = span(answer.horizon_months);
    let understated = answer.resources.iter().filter(|one| one.grounds.is_understated).count();
    if understated > 0 {
        let many = count(understated, "resource", "resources");
        let text = format!(
            "By what is known nothing has to be decided on within {span}, but of {many} it is not known how its load grows, \
             or all that fills it."
        );
        return (Severity::Caution, text);
    }
    if !answer.basis.complete {
        let text = format!(
            "By what is known nothing has to be decided on within {span}; the limits below say what is not known."
        );
        return (Severity::Caution, text);
    }
    (Severity::Good, format!("Nothing runs out, and nothing has to be decided on, within {span}."))
}

fn sentence(first: &ResourceLine, frame: &Frame) -> String {
    let day =
        |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(|| "a day not known".to_owned(), |at| frame.day(at));
    let lead = first
        .lead_months
        .map_or_else(|| "no lead time is stated".to_owned(), |lead| format!("it takes {} to get more", months(lead)));
    let (name, by) = (&first.subject.name, day(first.decide_by));
    let out = match first.exhausted_months {
        Some(months) if months <= 0.0 => "has run out".to_owned(),
        _ => format!("runs out on {}", day(first.exhausted_at)),
    };
    if first.decide_months.is_some_and(|months| months < 0.0) {
        return format!("Decide first on {name}: it {out} and {lead}; the day to decide was {by}.");
    }
    format!("Decide first on {name}: it {out} and {lead}, so decide by {by}.")
}

fn expiry(line: &RedundancyLine, frame: &Frame) -> String {
    match (line.expires_months, line.expires_at) {
        (Some(months), _) if months <= 0.0 => {
            format!("{} of {} has no redundancy left at its load.", line.need, line.subject.name)
        }
        (Some(in_months), Some(at)) => format!(
            "{} of {} loses its last spare member on {}, in {}.",
            line.need,
            line.subject.name,
            frame.day(at),
            months(in_months)
        ),
        _ => format!("{} of {} keeps its redundancy.", line.need, line.subject.name),
    }
}

fn state(one: &ResourceLine) -> Cell {
    match one {
        one if one.is_over_capacity => Cell::mark(Severity::Critical, "over its capacity"),
        one if one.is_over_limit => Cell::mark(Severity::Serious, "over its limit"),
        one if one.decide_months.is_some_and(|months| months <= 0.0) => Cell::mark(Severity::Serious, "decide now"),
        one if one.decide_months.is_some_and(|months| months <= 3.0) => Cell::mark(Severity::Caution, "decide soon"),
        one if one.exhausted_months.is_some() => Cell::mark(Severity::Information, "runs out"),
        one if one.grounds.is_understated => Cell::mark(Severity::Caution, "seems to last"),
        _ => Cell::mark(Severity::Good, "lasts"),
    }
}

fn first(answer: &CapacityAnswer) -> Section {
    let section = Section::new("What runs out first, by the day to decide");
    if answer.resources.is_empty() {
        return section.paragraph("No capacity data.");
    }
    let mut table = Table::new("resources", "Resources in the order in which they are to be decided on")
        .number_column("Rank")
        .naming_column("Resource")
        .column("State")
        .column("In use")
        .number_column("Plan to")
        .number_column("Runs out")
        .number_column("Lead time")
        .number_column("Decide by")
        .column("Contract")
        .column("Owner");
    for one in &answer.resources {
        let day = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.format("%Y-%m-%d").to_string());
        let never = || format!("not in {}", span(answer.horizon_months));
        table.push(
            None,
            [
                one.rank.to_string().into(),
                item(&one.subject).into(),
                state(one),
                in_use(one).into(),
                percent(one.planning_limit).into(),
                day(one.exhausted_at).unwrap_or_else(never).into(),
                one.lead_months.map_or_else(|| "not stated".to_owned(), months).into(),
                day(one.decide_by).unwrap_or_else(|| "\u{2013}".to_owned()).into(),
                contract(answer, one),
                if one.owners.is_empty() { "not stated".to_owned() } else { one.owners.join(", ") }.into(),
            ],
        );
    }
    let mut section = section.block(table);
    let chances: Vec<String> = answer.resources.iter().filter_map(chances).collect();
    if !chances.is_empty() {
        section = section.paragraph("When each runs out by what was measured, with its chance:").list(chances);
    }
    let singles: Vec<String> = answer
        .resources
        .iter()
        .filter_map(|one| {
            let (limit, taken) = (one.service_limit?, one.sensitivity?);
            Some(format!("{}: up to {} of it; each unit takes {}", one.subject.key, number(limit), number(taken)))
        })
        .collect();
    if !singles.is_empty() {
        section = section.paragraph("How far the service may grow before each resource is at its limit:").list(singles);
    }
    section
}

/// What it rests on, and until when that holds where it ends before it runs out.
fn contract(answer: &CapacityAnswer, one: &ResourceLine) -> Cell {
    if one.contracts.is_empty() {
        return "none".into();
    }
    let names = one.contracts.join(", ");
    let Some(end) = one.contracts_end else { return names.into() };
    let day = end.format("%Y-%m-%d");
    if end <= answer.from {
        return Cell::mark(Severity::Serious, format!("{names}: ended on {day}"));
    }
    if one.ends_before_it_runs_out == Some(true) && one.exhausted_at.is_some() {
        return Cell::mark(Severity::Caution, format!("{names}: ends on {day}, before it runs out"));
    }
    format!("{names} until {day}").into()
}

/// The use of the capacity, and where it comes from if not from demand; what was measured beside it where that
/// contradicts it.
fn in_use(one: &ResourceLine) -> String {
    let used = format!("{} of {}", percent(one.utilisation), amount(&one.capacity));
    match (one.load_basis, one.measured_utilisation) {
        (LoadBasis::Measured, _) => format!("{used} (measured)"),
        (LoadBasis::Stated, _) => format!("{used} (stated)"),
        (LoadBasis::Demand, Some(measured)) if one.is_model_doubtful => {
            format!("{used} computed, but {} measured", percent(measured))
        }
        (LoadBasis::Demand, _) => used,
    }
}

fn chances(one: &ResourceLine) -> Option<String> {
    Some(format!("{}: {}", one.subject.key, days_words(one.chances.as_ref()?)?))
}

/// Days by chance; absent where none of them lies within the days looked ahead.
fn days_words(chances: &ExhaustionChances) -> Option<String> {
    chances.one_in_ten?;
    let day = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "not within two years".to_owned(), |at| format!("by {}", at.format("%Y-%m-%d")))
    };
    Some(format!(
        "one chance in ten {}, even {}, nine in ten {}",
        day(chances.one_in_ten),
        day(chances.even),
        day(chances.nine_in_ten)
    ))
}

fn of_kind(answer: &CapacityAnswer, kind: ResourceKind) -> Section {
    let (title, name) = match kind {
        ResourceKind::Human => ("Human requirement", "human"),
        ResourceKind::Technical => ("Technical requirement", "technical"),
        ResourceKind::Information => ("Information requirement", "information"),
        ResourceKind::Financial => ("Financial requirement", "financial"),
    };
    let section = Section::new(title);
    let lines: Vec<&ResourceLine> = answer.resources.iter().filter(|one| one.kind == kind).collect();
    if lines.is_empty() {
        return section.paragraph("No resource of this kind states a capacity.");
    }
    let mut table = Table::new(name, format!("{title}: now, and what would carry the demand"))
        .naming_column("Resource")
        .number_column("Load now")
        .number_column("Capacity")
        .column("Limit rests on")
        .column("Demand comes by")
        .column("What would carry it")
        .number_column("Cost");
    for one in lines {
        let relief = one.relief.as_ref();
        let basis = match one.limit_basis {
            LimitBasis::Response => "the response promised",
            LimitBasis::Promised => "the workload its targets are promised for",
            LimitBasis::Stated => "a stated threshold",
            LimitBasis::Assumed => "the usual threshold; nobody states one",
        };
        let steps = relief.map_or_else(
            || without_relief(one, answer.horizon_months),
            |relief| {
                format!(
                    "{}, {} in all, enough for {}",
                    count(relief.steps as usize, "step", "steps"),
                    amount(&relief.adds),
                    months(relief.lasts_months)
                )
            },
        );
        table.push(
            None,
            [
                item(&one.subject).into(),
                number(one.load).into(),
                amount(&one.capacity).into(),
                basis.into(),
                one.path.join(" \u{2192} ").into(),
                steps.into(),
                amounts(relief.and_then(|relief| relief.cost.clone()).as_slice()).into(),
            ],
        );
    }
    section.block(table)
}

/// Why nothing is proposed to carry the load.
fn without_relief(one: &ResourceLine, horizon: f64) -> String {
    let until = horizon.min(RELIEF_MONTHS);
    match one.exhausted_months {
        Some(months) if months <= until => "more is needed; nobody states the size of a step in its unit".to_owned(),
        None if one.grounds.is_understated => "nothing, by what is known".to_owned(),
        _ => format!("nothing for {}", span(until)),
    }
}

fn assumptions(answer: &CapacityAnswer) -> Section {
    let mut table = Table::new("demand", "Demand on services, and how it grows")
        .naming_column("Service")
        .number_column("Demand at its peak")
        .number_column("Supposed factor")
        .column("Growth a month")
        .column("Left out");
    for one in &answer.services {
        let basis = match one.growth_basis {
            GrowthBasis::Supposed => " (supposed)",
            GrowthBasis::Forecast => " (forecast)",
            GrowthBasis::Stated | GrowthBasis::Nothing => "",
        };
        let growth = one
            .growth_per_month
            .map_or_else(|| "not stated, so none".to_owned(), |growth| format!("{:.1} %{basis}", growth * 100.0));
        table.push(None, source_row(&one.source, growth));
    }
    let section = Section::new("Assumptions").paragraph(format!(
        "Months are counted from {}, and looked ahead for {}. Loads follow visit ratios; growth compounds monthly. \
         What does not state its 'resource_kind' is sorted by its class: teams and people are human, contracts, licences, \
         quotas and bought services financial, stored data information, everything else technical.",
        answer.from.format("%Y-%m-%d"),
        span(answer.horizon_months)
    ));
    section.block(table)
}

fn quality(document: &mut Document, answer: &CapacityAnswer) {
    let mut section = Section::new("Quality of the data");
    let stated = answer.services.iter().filter(|one| one.source.demand.is_some()).count();
    section = section.paragraph(format!(
        "{stated} of {} services state their demand; {} with demand state no capacity; {} state no ratio of visits.",
        answer.services.len(),
        count(answer.without_capacity_count, "item", "items"),
        count(answer.unrated_count, "relationship", "relationships")
    ));
    if !answer.without_capacity.is_empty() {
        let keys: Vec<&str> = answer.without_capacity.iter().map(|one| one.key.as_str()).collect();
        section = section.paragraph(format!("No capacity data: {}.", names(&keys, answer.without_capacity_count, 40)));
    }
    section = inferred(loops(section, &answer.loops), &answer.inferred);
    document.push(unrated(section, &answer.unrated, answer.unrated_count));
}
