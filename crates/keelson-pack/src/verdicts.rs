//! The verdict on each service, worst first.

use keelson_answers::change::{EffectLine, PointFailure, Summary};
use keelson_answers::impact::{Because, ProtectedBy};
use keelson_model::Effect;
use keelson_report::document::{Cell, Section, Table};

use crate::part::Part;
use crate::words::{NAMES, any_of, clauses, count, effect, hours, item, names, percent, state, verdict};

/// Services that find room in a document; what a board reads to the end.
const MOST: usize = 40;

/// The section with the table.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let answer = part.answer;
    let section = part.section("services", "Services");
    if answer.services.is_empty() {
        return section.paragraph("No service: nothing that is altered or down anyway has a service depending on it.");
    }
    let section = section.block(table(part));
    let rest = rest(&answer.summary, answer.services.iter().take(MOST));
    if rest.is_empty() {
        return section;
    }
    section.paragraph(format!("Not shown: {rest}. The worst verdicts come first, then the most critical services."))
}

fn table(part: &Part<'_>) -> Table {
    let services = &part.answer.services;
    let cut = match services.len().min(MOST) {
        all if all == total(&part.answer.summary) => String::new(),
        shown => format!("; {shown} of {}, the worst off first", total(&part.answer.summary)),
    };
    let mut table = Table::new(&part.file("services"), format!("What becomes of services ({}{cut})", part.stamp()))
        .naming_column("Service (criticality)")
        .column("Verdict")
        .number_column("Hours")
        .column("Reason")
        .column("Margin")
        .column("Owner")
        .column("Customers");
    for line in services.iter().take(MOST) {
        table.push(Some(state(line.effect).severity()), row(part, line));
    }
    table
}

fn row(part: &Part<'_>, line: &EffectLine) -> [Cell; 7] {
    let service = match line.criticality {
        Some(criticality) => item(&line.subject).plain(format!(" ({})", criticality.as_str())),
        None => item(&line.subject),
    };
    let owners = match line.owners.len() {
        0 => "not stated".to_owned(),
        total => names(&line.owners, total, NAMES),
    };
    let customers = match line.customers.len() {
        0 => "none stated".to_owned(),
        total => names(line.customers.iter().map(|customer| &customer.name), total, NAMES),
    };
    [
        service.into(),
        verdict(line),
        harmed(line).into(),
        reason(part, line).into(),
        margin(line).into(),
        owners.into(),
        customers.into(),
    ]
}

/// For how many hours it is so: those of the window.
fn harmed(line: &EffectLine) -> String {
    match line.hours {
        None => "no window".to_owned(),
        Some(_) if line.effect == Effect::Protected => "0".to_owned(),
        Some(window) => hours(window),
    }
}

/// Why, in a sentence.
fn reason(part: &Part<'_>, line: &EffectLine) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(because) = &line.because {
        parts.push(lost(because));
    } else if line.loss > 0.0 && line.lost_by_load.is_none() {
        parts.push("it is itself altered or down".to_owned());
    }
    if let Some(lost) = line.lost_by_load {
        let when = if line.loss < lost { " at the peak" } else { "" };
        parts.push(format!("what is left does not carry its load{when}: {} of it lost", percent(lost)));
    } else if line.loss > 0.0 && line.loss < 1.0 {
        parts.push(format!("{} of it lost", percent(line.loss)));
    }
    if line.lost_before > 0.0 {
        parts.push(format!("{} of it lost anyway", percent(line.lost_before)));
    }
    if parts.is_empty()
        && let Some(guard) = guards(part, line).first()
    {
        parts.push(holds(guard));
    }
    if !line.new_single_points.is_empty() {
        let points = any_of(&line.new_single_points);
        parts.push(format!("down if {} fails{}", points.trim_end_matches(','), likely(line.point_failure)));
    }
    if parts.is_empty() && !line.is_certain {
        parts.push("holds as written; unknown facts may turn out badly".to_owned());
    }
    if parts.is_empty() { "nothing it needs is lost".to_owned() } else { clauses(&parts, parts.len(), parts.len()) }
}

/// How likely a failure meanwhile is, as far as that is stated.
fn likely(failure: Option<PointFailure>) -> String {
    match failure {
        Some(PointFailure { chance, unstated: 0 }) => format!(" ({} likely meanwhile)", percent(chance)),
        Some(PointFailure { chance, .. }) if chance > 0.0 => {
            format!(" (more than {} likely meanwhile)", percent(chance))
        }
        _ => String::new(),
    }
}

fn lost(because: &Because) -> String {
    let members = names(&because.members, because.members.len(), NAMES);
    match rule(because.need.k, because.need.of, &because.need.rule) {
        Some(rule) => format!("{} ({rule}): lost {members}", because.need.name),
        None => format!("{} {members}", because.need.name),
    }
}

/// What keeps up a service: first the needs from which the request takes something, then those that only what is
/// down anyway has weakened.
pub(crate) fn guards<'a>(part: &Part<'_>, line: &'a EffectLine) -> Vec<&'a ProtectedBy> {
    let down = |key: &String| part.answer.starting_state.iter().any(|one| one.subject.key == *key);
    let mut guards: Vec<&ProtectedBy> = line.protected_by.iter().collect();
    guards.sort_by_key(|guard| guard.lost.iter().all(down));
    guards
}

/// The need that keeps something up, with what it has lost and what is left.
pub(crate) fn held(guard: &ProtectedBy) -> String {
    match guard.lost.len() {
        0 => format!("{}, nothing is lost", holds(guard)),
        total => format!("{}, lost {}", holds(guard), names(&guard.lost, total, NAMES)),
    }
}

/// The need that keeps something up, in short.
fn holds(guard: &ProtectedBy) -> String {
    let of = guard.of_item.as_ref().map_or_else(String::new, |owner| format!(" of {owner}"));
    let rule = rule(guard.need.k, guard.need.of, &guard.need.rule).unwrap_or_else(|| "needs it".to_owned());
    let word = if guard.may_have_given_way { "holds unless unknown facts turn out badly" } else { "holds" };
    format!("{}{of} {word} ({rule}): {} up", guard.need.name, guard.up)
}

/// How members combine, in words; absent for a need of one.
fn rule(k: Option<u32>, of: u32, rule: &str) -> Option<String> {
    match (k, of) {
        (_, 1) => None,
        (Some(k), of) if k == of => Some(format!("needs all {of}")),
        (Some(k), of) => Some(format!("needs {k} of {of}")),
        (None, of) if rule == "share" => Some(format!("shares its load among {of}")),
        (None, of) => Some(format!("{} of {of}", crate::words::said(rule))),
    }
}

/// How much redundancy is left.
fn margin(line: &EffectLine) -> String {
    let taken = match line.margin_taken {
        0 => String::new(),
        taken => format!("{taken} taken, "),
    };
    match line.margin {
        None if line.effect >= Effect::Degraded => "none left".to_owned(),
        None => "no redundancy in the way".to_owned(),
        Some(0) => format!("{taken}none may fail"),
        Some(left) => format!("{taken}{left} more may fail"),
    }
}

/// How many services there are.
pub(crate) fn total(summary: &Summary) -> usize {
    summary.breached + summary.degraded + summary.margin_lost + summary.protected
}

/// The services that are not among those shown, counted by effect.
fn rest<'a>(summary: &Summary, shown: impl Iterator<Item = &'a EffectLine>) -> String {
    let shown: Vec<Effect> = shown.map(|line| line.effect).collect();
    let all = [
        (Effect::Breached, summary.breached),
        (Effect::Degraded, summary.degraded),
        (Effect::MarginLost, summary.margin_lost),
        (Effect::Protected, summary.protected),
    ];
    let left = all.into_iter().filter_map(|(of, total)| {
        let left = total.saturating_sub(shown.iter().filter(|effect| **effect == of).count());
        (left > 0).then(|| format!("{} {}", count(left, "service", "services"), effect(of)))
    });
    let left: Vec<String> = left.collect();
    names(&left, left.len(), left.len())
}
