//! The half page by which a board decides.

use keelson_answers::change::{ChangeAnswer, EffectLine, RiskLine, ShiftLine};
use keelson_model::Effect;
use keelson_report::document::{Definition, Note, Section, Severity, Text};

use crate::clashes;
use crate::part::Part;
use crate::words::{
    NAMES, any_of, capital, clauses, count, length, length_of, money, names, percent, said, time, window,
};

/// The summary as a section of its own.
pub(crate) fn section(part: &Part<'_>) -> Section {
    fill(part, part.section("summary", "Summary"))
}

/// Adds the summary to a section.
pub(crate) fn fill(part: &Part<'_>, section: Section) -> Section {
    let answer = part.answer;
    let note = Note { severity: severity(answer), text: Text::new().strong(headline(answer)).plain(against(answer)) };
    let mut terms = asked_for(part);
    terms.extend(effects(part));
    terms.extend(judgement(part));
    terms.extend(parties(answer));
    section.block(note).block(terms)
}

fn term(term: &str, meaning: impl Into<Text>) -> Definition {
    Definition { term: term.into(), meaning: meaning.into() }
}

/// How much a request matters.
pub(crate) fn severity(answer: &ChangeAnswer) -> Severity {
    let summary = &answer.summary;
    let violates = answer.violations.iter().any(|line| !line.only_if_reversed);
    let collides = answer.collisions.iter().any(|line| line.reversed.is_none() && !line.only_in_doubt);
    if summary.certainly_breached > 0 {
        Severity::Critical
    } else if summary.breached > 0 || violates || collides {
        Severity::Serious
    } else if summary.degraded + summary.margin_lost + answer.violations.len() + answer.collisions.len() > 0 {
        Severity::Caution
    } else {
        Severity::Good
    }
}

/// How many services are at stake.
pub(crate) fn at_stake(answer: &ChangeAnswer) -> usize {
    answer.summary.breached + answer.summary.degraded + answer.summary.margin_lost
}

/// What becomes of services, in a sentence.
pub(crate) fn headline(answer: &ChangeAnswer) -> String {
    let summary = &answer.summary;
    let perhaps = summary.breached - summary.certainly_breached.min(summary.breached);
    let parts = [
        (summary.certainly_breached, "service goes down", "services go down"),
        (perhaps, "may go down", "may go down"),
        (summary.degraded, "works less well", "work less well"),
        (summary.margin_lost, "loses redundancy", "lose redundancy"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .enumerate()
        .map(|(at, (number, one, many))| {
            let noun = if at > 0 || one.starts_with("service") {
                ""
            } else if number == 1 {
                "service "
            } else {
                "services "
            };
            format!("{number} {noun}{}", if number == 1 { one } else { many })
        })
        .collect();
    if told.is_empty() {
        return "No service goes down, works less well or loses redundancy.".to_owned();
    }
    format!("{}.", told.join(", "))
}

/// What speaks against it, in short.
fn against(answer: &ChangeAnswer) -> String {
    let mut parts = Vec::new();
    if !answer.major.is_empty() {
        parts.push("it is a major change".to_owned());
    }
    let violations = answer.violations.iter().filter(|line| !line.only_if_reversed).count();
    if violations > 0 {
        parts.push(format!("it violates the calendar in {}", count(violations, "place", "places")));
    }
    let with = clashes::partners(answer);
    if !with.is_empty() {
        parts.push(format!("it collides with {}", names(&with, with.len(), NAMES)));
    }
    if !answer.basis.complete {
        parts.push("the answer is incomplete".to_owned());
    }
    let Some(first) = parts.first_mut() else { return String::new() };
    // A sentence begins with a capital.
    first.replace_range(..1, &first[..1].to_uppercase());
    format!(" {}.", parts.join(", "))
}

fn asked_for(part: &Part<'_>) -> Vec<Definition> {
    let change = &part.answer.change;
    let team =
        change.team.as_deref().map_or_else(|| "no team named".to_owned(), |team| format!("carried out by {team}"));
    let about = Text::new().strong(change.title.as_str()).plain(format!(
        " \u{2013} {}. {} change, {}, version {}; asked for by {}, {team}.",
        change.reason.trim_end_matches('.'),
        capital(&said(change.category.as_str())),
        said(change.state.as_str()),
        change.version,
        change.requester,
    ));
    let altered = change.alterations.iter().map(|line| format!("{} {}", said(&line.action), line.subject.name));
    let altered = match change.alterations.len() {
        0 => "Nothing that the catalogue knows.".to_owned(),
        total => names(altered, total, NAMES),
    };
    vec![term("Request", about), term("Alters", altered), term("When", when(part))]
}

fn when(part: &Part<'_>) -> String {
    let answer = part.answer;
    let Some(planned) = answer.change.window else {
        return format!("No window yet; looked at for {}.", window(part.zone, answer.during));
    };
    let back = match (answer.shadow, answer.change.rollback_minutes) {
        (Some(shadow), Some(minutes)) => {
            format!(
                "backing out takes {} more, until {}",
                length(u64::from(minutes) * 60),
                time(part.zone, shadow.end())
            )
        }
        _ => "how long backing out takes is not stated".to_owned(),
    };
    format!("{} ({}); {back}.", window(part.zone, planned), length_of(planned))
}

fn effects(part: &Part<'_>) -> Vec<Definition> {
    let answer = part.answer;
    let of = |effect: Effect| answer.services.iter().filter(move |line| line.effect == effect);
    let summary = &answer.summary;
    let told = |effect, total, describe: fn(&EffectLine) -> String| match total {
        0 => "No service.".to_owned(),
        _ if of(effect).next().is_none() => format!("{total}, which the answer counts and does not list."),
        _ => clauses(of(effect).map(describe), total, NAMES),
    };
    vec![
        term("Goes down", told(Effect::Breached, summary.breached, service)),
        term("Works less well", told(Effect::Degraded, summary.degraded, degraded)),
        term("Loses redundancy", told(Effect::MarginLost, summary.margin_lost, thinner)),
    ]
}

/// A service with what is known of its weight.
fn service(line: &EffectLine) -> String {
    let mut known: Vec<String> = Vec::new();
    known.extend(line.criticality.map(|criticality| criticality.as_str().to_owned()));
    if !line.is_certain {
        known.push("only if unknown facts turn out badly".to_owned());
    }
    if line.lost_before > 0.0 {
        known.push(format!("{} lost anyway", percent(line.lost_before)));
    }
    if known.is_empty() { line.subject.name.clone() } else { format!("{} ({})", line.subject.name, known.join(", ")) }
}

fn degraded(line: &EffectLine) -> String {
    match line.lost_by_load {
        Some(lost) => format!("{}, {} lost of its load", service(line), percent(lost)),
        None if line.loss > 0.0 => format!("{}, {} lost", service(line), percent(line.loss)),
        None => service(line),
    }
}

fn thinner(line: &EffectLine) -> String {
    match line.new_single_points.len() {
        0 => service(line),
        _ => format!("{}: down if {} fails meanwhile", service(line), any_of(&line.new_single_points)),
    }
}

fn judgement(part: &Part<'_>) -> Vec<Definition> {
    let answer = part.answer;
    let major = match &answer.major[..] {
        [] => "No: none of the organisation's criteria is met.".to_owned(),
        reasons => format!("Yes: {}.", clauses(reasons, reasons.len(), 4)),
    };
    let mut terms = vec![
        term("How sure", how_sure(part)),
        term("Major change", major),
        term("Calendar", calendar(answer)),
        term("Collisions", collisions(part)),
        term("Risk of failure", risk(&answer.risk)),
        term("Expected loss", expected_loss(answer)),
    ];
    if !answer.starting_state.is_empty() {
        let items = answer.starting_state.iter().map(|line| &line.subject.name);
        terms.push(term("Down anyway", names(items, answer.starting_state.len(), NAMES)));
    }
    if !answer.not_impacted.is_empty() {
        let items = answer.not_impacted.iter().map(|line| format!("{} by {}", line.subject.name, line.by));
        terms.push(term("Ruled out by hand", names(items, answer.not_impacted.len(), NAMES)));
    }
    terms
}

fn how_sure(part: &Part<'_>) -> Text {
    let answer = part.answer;
    let summary = &answer.summary;
    let questions = part.id("questions");
    let Some(certainty) = &answer.certainty else {
        return "Not examined: what unknown facts could change was not asked.".into();
    };
    if certainty.unknowns == 0 {
        return "For certain, as far as the catalogue is right: no unknown fact lies in the way.".into();
    }
    let facts = count(certainty.unknowns, "unknown fact lies", "unknown facts lie");
    let text = Text::from(match summary.breached {
        0 => format!("{facts} in the way; however they turn out, no service goes down. "),
        breached => format!(
            "{facts} in the way; {} of {} come about however they turn out. ",
            summary.certainly_breached,
            count(breached, "breach", "breaches")
        ),
    });
    match certainty.decisive.len() {
        0 => text.plain("No single answer found would move a service."),
        decisive => text.to_section(count(decisive, "question decides", "questions decide"), &questions).plain("."),
    }
}

fn calendar(answer: &ChangeAnswer) -> String {
    if answer.change.window.is_none() {
        return "Not looked at: there is no window.".to_owned();
    }
    if answer.violations.is_empty() {
        return "No freeze and no maintenance window is violated.".to_owned();
    }
    let sentences = answer.violations.iter().map(|line| capital(&line.text));
    clauses(sentences, answer.violations.len(), 3)
}

fn collisions(part: &Part<'_>) -> String {
    let answer = part.answer;
    let groups = clashes::groups(answer.collisions.iter());
    let (planned, conditional): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.is_planned());
    if groups.is_empty() {
        return clashes::none(answer);
    }
    let mut text = match planned.len() {
        0 => "None as planned".to_owned(),
        total => clauses(planned.iter().map(|group| group.told(part.key(), part.zone)), total, 2),
    };
    if !planned.is_empty() {
        text = format!("{text}. {}", advice(part, answer.smallest_shift.as_ref()));
    }
    let doubtful = conditional.iter().filter(|group| group.only_in_doubt).count();
    let condition = match (doubtful, conditional.len() - doubtful) {
        (0, _) => "only if a request has to be backed out",
        (_, 0) => "only if what nobody knows turns out badly",
        _ => "only if a request has to be backed out or what nobody knows turns out badly",
    };
    match conditional.len() {
        0 => format!("{text}."),
        number if planned.is_empty() => format!("{text}; {} {condition}.", count(number, "collision", "collisions")),
        more => format!("{text}; {} {condition}.", count(more, "more", "more")),
    }
}

/// How a request would have to be moved.
pub(crate) fn advice(part: &Part<'_>, shift: Option<&ShiftLine>) -> String {
    let Some(shift) = shift else {
        return "No shift of it within the policy resolves that".to_owned();
    };
    let way = if shift.seconds > 0 { "later" } else { "earlier" };
    let left = match shift.left {
        0 => "no collision is left".to_owned(),
        left => format!("{} of others left", count(left, "collision", "collisions")),
    };
    let leaves = if shift.leaves_agreed { "; it would leave its agreed window" } else { "" };
    let meets = met(shift);
    format!(
        "Smallest shift: {} by {} {way}, to {} ({left}{leaves}{meets})",
        shift.change,
        length(shift.seconds.unsigned_abs()),
        window(part.zone, shift.window)
    )
}

/// The freezes that are to be minded where a request would be moved to.
pub(crate) fn met(shift: &ShiftLine) -> String {
    match &shift.meets[..] {
        [] => String::new(),
        freezes => {
            let named: Vec<&str> = freezes.iter().map(String::as_str).collect();
            format!("; mind the freezes then: {}", names(&named, named.len(), NAMES))
        }
    }
}

/// The chance of failure with what it rests on.
fn risk(risk: &RiskLine) -> String {
    let (low, high) = risk.interval;
    let chance = format!("{} (90 %: {} to {})", percent(risk.failure), percent(low), percent(high));
    match risk.changes {
        0 => format!("{chance}; n = 0 of {}, so wider groups and the usual rate stand in.", risk.like),
        n => format!("{chance}; n = {n} of {}, {} failed.", risk.like, risk.failures),
    }
}

fn expected_loss(answer: &ChangeAnswer) -> String {
    let risk = &answer.risk;
    let unknown = count(risk.without_value, "service at stake states", "services at stake state");
    if risk.expected_loss.is_empty() {
        return match at_stake(answer) {
            0 => "None: no service is at stake.".to_owned(),
            _ => format!("Not known: {unknown} no value per hour."),
        };
    }
    let sums = risk.expected_loss.iter().map(|line| {
        let sum = |sum: f64| money(sum, &line.currency);
        let most = if line.exposed > 0.0 { "at most " } else { "" };
        format!(
            "{most}{} (planned breaches {}, a failed change {}, new single points {most}{})",
            sum(line.planned + line.failed + line.exposed),
            sum(line.planned),
            sum(line.failed),
            sum(line.exposed)
        )
    });
    let sums = capital(&sums.collect::<Vec<_>>().join("; "));
    match risk.without_value {
        0 => format!("{sums}."),
        _ => format!("{sums}; besides, {unknown} no value per hour."),
    }
}

fn parties(answer: &ChangeAnswer) -> Vec<Definition> {
    let summary = &answer.summary;
    let asked = match (answer.approvers.len(), at_stake(answer)) {
        (0, 0) => "Nobody on account of a service: none is at stake.".to_owned(),
        (0, _) => "Not known: no service at stake has an owner stated.".to_owned(),
        (total, _) => names(&answer.approvers, total, NAMES),
    };
    let told = match (answer.customers.len(), summary.breached + summary.degraded) {
        (0, 0) => "Nobody: no service goes down or works less well.".to_owned(),
        (0, _) => "Not known: the services have no customer stated.".to_owned(),
        (total, _) => names(answer.customers.iter().map(|customer| &customer.name), total, NAMES),
    };
    vec![term("To be asked", asked), term("To be told", told)]
}
