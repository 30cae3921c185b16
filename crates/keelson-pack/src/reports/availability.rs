//! The availability report, and the one about cut sets.

use keelson_answers::availability::{AvailabilityAnswer, Contributor, MethodWord, ServiceAvailability};
use keelson_answers::cut_sets::{CutSetsAnswer, ResilienceNumber};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table};

use super::promise;
use super::{Frame, amounts, limits, proof};
use crate::words::{NAMES, count, item, money, names};

/// The availability report: what can be expected of each service, beside what is promised and measured.
#[must_use]
pub fn availability(answer: &AvailabilityAnswer, frame: &Frame) -> Document {
    let mut document = frame.document("Availability", &answer.basis);
    document.push(summary(answer));
    document.push(services(answer));
    if !answer.promises.is_empty() {
        document.push(promise::gap(&answer.promises, PERIOD_DAYS));
    }
    for service in answer.services.iter().filter(|one| !one.hurts.is_empty()) {
        document.push(contributors(service));
    }
    if !answer.stakes.is_empty() {
        document.push(stakes(answer));
    }
    document.push(common(answer, grounds(&answer.independence, answer.missing_count, &answer.missing)));
    document.push(limits(&answer.basis));
    document
}

/// Days of the period that gaps are told for.
const PERIOD_DAYS: u32 = 30;

/// A probability with as many digits as matter.
pub(super) fn probability(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 0.001 {
        format!("{value:.2e}")
    } else {
        format!("{value:.6}")
    }
}

/// An availability in percent, with the nines it has.
pub(super) fn nines(availability: f64) -> String {
    let percent = availability * 100.0;
    let digits = if percent < 99.0 {
        2
    } else if percent < 99.99 {
        4
    } else {
        6
    };
    format!("{percent:.digits$} %")
}

fn hours(unavailability: f64) -> String {
    let hours = unavailability * 8_760.0;
    if hours >= 10.0 { format!("{hours:.1} h") } else { format!("{hours:.2} h") }
}

fn verdict(service: &ServiceAvailability) -> Cell {
    match service {
        one if one.has_failed => Cell::mark(Severity::Critical, "down already"),
        one if one.target.is_none() => Cell::mark(Severity::Information, "no target stated"),
        one if one.meets_target == Some(true) => Cell::mark(Severity::Good, "meets its target"),
        one if one.meets_target == Some(false) => Cell::mark(Severity::Serious, "misses its target"),
        _ => Cell::mark(Severity::Caution, "depends on what is missing"),
    }
}

fn summary(answer: &AvailabilityAnswer) -> Section {
    let missing: Vec<&ServiceAvailability> =
        answer.services.iter().filter(|one| one.meets_target == Some(false)).collect();
    let keys: Vec<&str> = missing.iter().map(|one| one.subject.key.as_str()).collect();
    let with_target = answer.services.iter().filter(|one| one.target.is_some()).count();
    let (severity, sentence) = match (missing.len(), with_target) {
        (0, 0) => (Severity::Information, "No service looked at states a target for its availability.".to_owned()),
        (0, with) if answer.services.iter().any(|one| one.target.is_some() && one.meets_target.is_none()) => (
            Severity::Caution,
            format!(
                "{} of those looked at: none misses its target for certain; for some it depends on what is missing.",
                with_targets(with)
            ),
        ),
        (0, with) => {
            (Severity::Good, format!("{} of those looked at: none misses its target for certain.", with_targets(with)))
        }
        (some, with) => {
            let listed = names(&keys, some, NAMES);
            (
                Severity::Serious,
                format!("{some} of {} cannot be expected to meet their target: {listed}.", with_targets(with)),
            )
        }
    };
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() });
    if let Some(worst) = answer.services.iter().max_by(|a, b| a.unavailability.total_cmp(&b.unavailability)) {
        let mut text = format!("Most hours a year without it: {}, {}", worst.subject.name, hours(worst.unavailability));
        if let Some(cost) = &worst.cost_per_year {
            text += &format!(", or {} a year", money(cost.amount, &cost.currency));
        }
        if let Some(first) = worst.hurts.first() {
            text += &format!("; what hurts it most is {}", first.subject.name);
        }
        section = section.paragraph(text + ".");
    }
    section
}

fn with_targets(count: usize) -> String {
    if count == 1 { "1 service with a target".to_owned() } else { format!("{count} services with a target") }
}

fn services(answer: &AvailabilityAnswer) -> Section {
    let section = Section::new("Services");
    if answer.services.is_empty() {
        return section.paragraph("No service was looked at.");
    }
    let mut table = Table::new("services", "What can be expected of each service")
        .naming_column("Service")
        .column("Verdict")
        .number_column("Expected")
        .number_column("Down a year")
        .number_column("At least")
        .number_column("At most")
        .number_column("Target")
        .number_column("Measured")
        .number_column("Cost a year")
        .column("How found");
    for one in &answer.services {
        let stated = |value: Option<f64>| value.map_or_else(|| "not stated".to_owned(), nines);
        table.push(
            None,
            [
                item(&one.subject).into(),
                verdict(one),
                if is_unknown(one) { "not known".to_owned() } else { nines(1.0 - one.unavailability) }.into(),
                if is_unknown(one) { "not known".to_owned() } else { hours(one.unavailability) }.into(),
                hours(one.least).into(),
                hours(one.most).into(),
                stated(one.target).into(),
                stated(one.measured).into(),
                cost(one).into(),
                method(one).into(),
            ],
        );
    }
    section.block(table)
}

/// What it costs in a year, in words.
fn cost(service: &ServiceAvailability) -> String {
    if service.value_per_hour.is_some() && service.cost_per_year.is_none() {
        return "not known".to_owned();
    }
    amounts(service.cost_per_year.as_slice())
}

/// Whether nothing is known of what the service rests on: it may always be there, and never.
fn is_unknown(service: &ServiceAvailability) -> bool {
    service.unavailability <= 0.0 && service.least <= 0.0 && service.most >= 1.0
}

fn method(service: &ServiceAvailability) -> String {
    match (service.method, service.samples) {
        (MethodWord::Exact, _) => "exactly".to_owned(),
        (MethodWord::Bounds, _) => "bounds from the likelier cut sets; they hold for certain".to_owned(),
        (MethodWord::Simulated, Some(samples)) => format!("simulation of {samples} scenarios; ends at 95 % confidence"),
        (MethodWord::Simulated, None) => "simulation; ends at 95 % confidence".to_owned(),
    }
}

fn contributors(service: &ServiceAvailability) -> Section {
    let name = &service.subject.name;
    let mut table =
        Table::new(&format!("contributors-{name}"), format!("What {name} is unavailable by, most critical first"))
            .naming_column("Item")
            .column("Class")
            .number_column("Own unavailability")
            .number_column("Criticality")
            .number_column("Birnbaum");
    for one in &service.hurts {
        table.push(
            None,
            [
                item(&one.subject).into(),
                one.subject.class.as_str().into(),
                probability(one.unavailability).into(),
                format!("{:.1} %", one.criticality * 100.0).into(),
                format!("{:.6}", one.birnbaum).into(),
            ],
        );
    }
    let vital: Vec<&str> = service.vital.iter().take(5).map(|one: &Contributor| one.subject.name.as_str()).collect();
    Section::new(format!("{name}: what costs most"))
        .paragraph(
            "Criticality says what hurts most now: how much of the unavailability goes when the item never fails. Birnbaum \
             says what may never be lost.",
        )
        .block(table)
        .paragraph(format!("May never be lost: {}.", names(&vital, service.contributor_count, 5)))
}

fn stakes(answer: &AvailabilityAnswer) -> Section {
    let mut table = Table::new("stakes", "What is at stake with each item, over all services looked at")
        .naming_column("Item")
        .column("Class")
        .number_column("Value at risk, an hour");
    for one in &answer.stakes {
        let value = money(one.value_per_hour.amount, &one.value_per_hour.currency);
        table.push(None, [item(&one.subject).into(), one.subject.class.as_str().into(), value.into()]);
    }
    Section::new("Value at risk").block(table)
}

fn grounds(independence: &str, missing: usize, listed: &[String]) -> Section {
    let section = Section::new("What the figures take for granted").paragraph(independence);
    if missing == 0 {
        return section.paragraph("Every item in the way states its unavailability.");
    }
    let state = if missing == 1 { "1 item states".to_owned() } else { format!("{missing} items state") };
    if listed.is_empty() {
        return section.paragraph(format!("{state} no unavailability."));
    }
    section.paragraph(format!("{state} no unavailability: {}.", names(listed, missing, 40)))
}

/// What fails members of a need together, as far as it is stated.
fn common(answer: &AvailabilityAnswer, section: Section) -> Section {
    if answer.redundancy_count == 0 {
        return section;
    }
    let silent = answer.without_common_cause;
    let sentence = format!(
        "{} of {} do not say how much of what fails a member fails all; their members are taken to fail independently, \
         which makes redundancy look better than it may be.",
        silent,
        count(answer.redundancy_count, "redundancy need", "redundancy needs")
    );
    let section = if silent > 0 { section.paragraph(sentence) } else { section };
    if answer.common_causes.is_empty() {
        return section;
    }
    let mut table = Table::new("common-causes", "Needs whose members now and then fail together")
        .naming_column("Item")
        .column("Need")
        .number_column("Of what fails a member")
        .number_column("All together");
    for one in &answer.common_causes {
        let chance = match (probability(one.least), probability(one.most)) {
            (least, most) if least == most => most,
            (least, most) => format!("{least}\u{2013}{most}"),
        };
        let fraction = format!("{:.0} %", one.fraction * 100.0);
        table.push(None, [item(&one.subject).into(), one.need.as_str().into(), fraction.into(), chance.into()]);
    }
    section.block(table)
}

/// The report about the cut sets of a service.
#[must_use]
pub fn cut_sets(answer: &CutSetsAnswer, frame: &Frame) -> Document {
    let name = &answer.service.name;
    let mut document = frame.document(format!("Cut sets of {name}"), &answer.basis);
    document.push(resilience(answer));
    document.push(sets(answer));
    let proved: Vec<_> = answer.sets.iter().filter(|set| !set.proof.is_empty()).collect();
    if !proved.is_empty() {
        let mut section = Section::new("Why").paragraph("Each line is explained by the deeper ones below it.");
        for set in proved {
            let keys: Vec<&str> = set.items.iter().map(|one| one.key.as_str()).collect();
            let verb = if keys.len() == 1 { "fails" } else { "fail" };
            section = section.paragraph(format!("If {} {verb}:", keys.join(" and "))).block(proof(&set.proof));
        }
        document.push(section);
    }
    document.push(grounds(&answer.independence, answer.missing_count, &[]));
    document.push(limits(&answer.basis));
    document
}

fn resilience(answer: &CutSetsAnswer) -> Section {
    let name = &answer.service.name;
    let ResilienceNumber { at_least, at_most, is_unbreakable } = answer.resilience;
    let failures = |number: usize| count(number, "failure", "failures");
    let (severity, sentence) = match (at_least, at_most) {
        _ if is_unbreakable => (Severity::Good, format!("Nothing that may fail breaches {name}.")),
        (0, _) => (Severity::Critical, format!("{name} is breached already.")),
        (least, Some(most)) if least == most && least == 1 => {
            (Severity::Serious, format!("A single failure is enough to breach {name}."))
        }
        (least, Some(most)) if least == most => {
            (Severity::Good, format!("It takes {} to breach {name}.", failures(least)))
        }
        (least, Some(most)) => {
            (Severity::Caution, format!("It takes at least {least} and at most {} to breach {name}.", failures(most)))
        }
        (least, None) if answer.is_count_exact => (
            Severity::Caution,
            format!("It takes at least {} to breach {name}; how many depends on what is missing.", failures(least)),
        ),
        (least, None) => (
            Severity::Caution,
            format!("It takes at least {} to breach {name}; not fully enumerated.", failures(least)),
        ),
    };
    let exact = if answer.is_count_exact { "There are" } else { "Not all were enumerated: there are at least" };
    let orders: Vec<String> = (1..).zip(&answer.by_order).map(|(order, count)| format!("{count} of {order}")).collect();
    let mut section = Section::new("Summary").block(Note { severity, text: sentence.into() }).paragraph(format!(
        "{exact} {} minimal cut sets ({}).",
        answer.count,
        orders.join(", ")
    ));
    if answer.missing_count > 0 {
        section = section.paragraph(format!(
            "How likely {name} is breached is not told: {} of the items in the way state no unavailability, so that the \
             probabilities here may be too low.",
            answer.missing_count
        ));
    }
    if let (Some(sum), Some(bound)) = (answer.probability_sum, answer.probability_bound)
        && answer.missing_count == 0
    {
        section = section.paragraph(format!(
            "Their probabilities add up to {}; the unavailability of {name} is at most {}.",
            probability(sum),
            probability(bound)
        ));
    }
    if !answer.down.is_empty() {
        section =
            section.paragraph(format!("Counted as down already: {}.", names(&answer.down, answer.down.len(), NAMES)));
    }
    section
}

fn sets(answer: &CutSetsAnswer) -> Section {
    let section = Section::new("Cut sets");
    if answer.sets.is_empty() {
        return section.paragraph("None to list.");
    }
    let mut table =
        Table::new("cut-sets", "Smallest sets of failures that breach it; none of their items can be spared")
            .number_column("Order")
            .naming_column("Items")
            .number_column("Probability");
    for set in &answer.sets {
        let items: Vec<&str> = set.items.iter().map(|one| one.key.as_str()).collect();
        table.push(
            None,
            [set.order.to_string().into(), items.join(" and ").into(), probability(set.probability).into()],
        );
    }
    let section = section.block(table);
    if answer.is_listed_whole {
        section
    } else {
        section.paragraph("There are more of those asked for; list more to see them.")
    }
}
