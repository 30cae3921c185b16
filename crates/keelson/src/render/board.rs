//! Answers of change management, for people.

mod records;
mod review;

use std::collections::HashSet;
use std::io::{self, Write};

use keelson_app::GateAnswer;
use keelson_app::answers::change::{ChangeAnswer, EffectLine, RiskLine};
use keelson_app::answers::register::{KeptAssessment, KeptEffect, RequestAnswer, RequestsAnswer};
use keelson_app::answers::schedule::ScheduleAnswer;
use keelson_app::change::draft::said;
use keelson_model::Effect;

use super::{counted, day, footer, wrapped};
use crate::output::{percent, print, table};

pub(crate) use records::{baseline, baselines, calendar, comparison};
pub(crate) use review::{score, trends};

type Out<'a> = &'a mut dyn Write;

/// Services named of each effect but the first two.
const MOST_NAMED: usize = 12;

fn effect_words(effect: Effect) -> &'static str {
    match effect {
        Effect::Breached => "breached",
        Effect::Degraded => "degraded",
        Effect::MarginLost => "one failure from a breach",
        Effect::Protected => "protected",
    }
}

/// What a request does.
pub(crate) fn change(out: Out<'_>, answer: &ChangeAnswer) -> io::Result<()> {
    let change = &answer.change;
    let category =
        if answer.major.is_empty() { change.category.to_string() } else { format!("{}, MAJOR", change.category) };
    writeln!(out, "{}  {} ({category}, {})", change.key, change.title, said(change.state))?;
    let when = change.window.map_or("no window yet".to_owned(), |window| window.to_string());
    let rollback =
        change.rollback_minutes.map_or("NO ROLLBACK PLAN".to_owned(), |minutes| format!("rollback {minutes} min"));
    writeln!(out, "  {when}; {rollback}; asked for by {}", change.requester)?;
    for line in &change.alterations {
        let loss =
            if line.loss > 0.0 && line.loss < 1.0 { format!(" by {}", percent(line.loss)) } else { String::new() };
        writeln!(out, "  {} {}{loss}", line.action.replace('_', " "), line.subject.key)?;
    }
    for line in &answer.starting_state {
        let number = line.reference.as_ref().map(|number| format!(" ({number})")).unwrap_or_default();
        writeln!(out, "  meanwhile down anyway: {}{number}", line.subject.key)?;
    }
    for line in &answer.not_impacted {
        writeln!(out, "  judged not impacted: {} ({}, {})", line.subject.key, line.by, line.reason)?;
    }
    let summary = &answer.summary;
    writeln!(
        out,
        "\n{} breached ({} for certain), {} degraded, {} one failure from a breach, {} protected",
        summary.breached, summary.certainly_breached, summary.degraded, summary.margin_lost, summary.protected
    )?;
    for reason in &answer.major {
        writeln!(out, "  major: {reason}")?;
    }
    for violation in &answer.violations {
        writeln!(out, "  VIOLATES THE CALENDAR: {}", violation.text)?;
    }
    services(out, answer)?;
    loads(out, answer)?;
    collisions(out, answer)?;
    decisive(out, answer)?;
    risk(out, &answer.risk)?;
    if !answer.approvers.is_empty() {
        writeln!(out, "Ask:  {}", answer.approvers.join(", "))?;
    }
    if !answer.customers.is_empty() {
        let keys: Vec<&str> = answer.customers.iter().map(|customer| customer.key.as_str()).collect();
        writeln!(out, "Tell: {}", keys.join(", "))?;
    }
    footer(out, &answer.basis)
}

/// Whether what is left of a redundancy carries its load.
fn loads(out: &mut dyn Write, answer: &ChangeAnswer) -> io::Result<()> {
    if answer.loads.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLOAD MEANWHILE")?;
    for line in answer.loads.iter().take(MOST_NAMED) {
        let flat = if line.has_profile { "" } else { ", at its peak all the time" };
        writeln!(out, "{} '{}': {} of {} out{flat}", line.subject.key, line.need, line.lost.len(), line.members)?;
        for span in line.spans.iter().take(MOST_NAMED) {
            let stands = match (span.delivered, span.margin) {
                (Some(delivered), None) => format!("delivers {:.1} % of the load", delivered * 100.0),
                (_, Some(margin)) => format!("{margin} more may fail"),
                (None, None) => "not known".to_owned(),
            };
            let when = (span.from.format("%Y-%m-%d %H:%M"), span.until.format("%Y-%m-%d %H:%M"));
            writeln!(out, "  {} to {} UTC, {:.1} {}: {stands}", when.0, when.1, span.load, line.peak.unit)?;
        }
    }
    Ok(())
}

fn services(out: Out<'_>, answer: &ChangeAnswer) -> io::Result<()> {
    for line in &answer.services {
        if line.effect == Effect::Protected {
            continue;
        }
        writeln!(out, "\n{}", headline(line))?;
        let mut above = HashSet::new();
        for proof in line.proof.iter().take(40) {
            let indent = "  ".repeat(proof.depth as usize + 1);
            let again = if above.insert(&proof.key) { proof.why.as_str() } else { "as above" };
            writeln!(out, "{indent}{}  {again}", proof.key)?;
        }
        if !line.new_single_points.is_empty() {
            let points = line.new_single_points.join(", ");
            let likely = match line.point_failure {
                Some(failure) if failure.unstated == 0 => format!(", {} likely meanwhile", percent(failure.chance)),
                Some(failure) if failure.chance > 0.0 => {
                    format!(", more than {} likely meanwhile", percent(failure.chance))
                }
                _ => String::new(),
            };
            let text = format!("would then be breached by a failure of {points}{likely}");
            writeln!(out, "  {}", wrapped(&text, "    "))?;
        }
        for by in line.protected_by.iter().take(3) {
            writeln!(out, "  held by {}: {} of {} up (lost {})", by.need.name, by.up, by.need.of, by.lost.join(", "))?;
        }
    }
    let protected = answer.services.iter().filter(|line| line.effect == Effect::Protected);
    let keys: Vec<&str> = protected.map(|line| line.subject.key.as_str()).collect();
    if !keys.is_empty() {
        let more = keys.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = keys[..keys.len().min(MOST_NAMED)].join(", ");
        writeln!(out, "\n{}", wrapped(&format!("Touched and protected: {named}{more}"), "  "))?;
    }
    Ok(())
}

fn headline(line: &EffectLine) -> String {
    let criticality = line.criticality.map(|criticality| format!(", {criticality}")).unwrap_or_default();
    let doubt = if line.is_certain { "" } else { " possibly" };
    let loss = match line.lost_by_load {
        Some(lost) => format!(", what is left does not carry its load and {} of it is lost", percent(lost)),
        None if line.loss > 0.0 && line.loss < 1.0 => format!(", loses {}", percent(line.loss)),
        None => String::new(),
    };
    let hours = line.hours.map(|hours| format!(", {hours} h")).unwrap_or_default();
    format!("{}{criticality}: {}{doubt}{loss}{hours}", line.subject.key, effect_words(line.effect).to_uppercase())
}

fn collisions(out: Out<'_>, answer: &ChangeAnswer) -> io::Result<()> {
    if answer.assessed_with.is_empty() {
        return writeln!(out, "\nNo other request interrupts anything at that time.");
    }
    if answer.collisions.is_empty() {
        return writeln!(out, "\nCollides with none of {}.", answer.assessed_with.join(", "));
    }
    writeln!(out)?;
    for line in &answer.collisions {
        let condition = line.reversed.as_ref().map(|key| format!(", if {key} has to be reversed")).unwrap_or_default();
        let doubt = if line.only_in_doubt { ", if what nobody knows turns out badly" } else { "" };
        let changes = line.changes.join(" and ");
        let word = if line.only_in_doubt { "POSSIBLE COLLISION" } else { "COLLISION" };
        writeln!(out, "{word} {}: {} breached by {changes} together{condition}{doubt}", line.window, line.service.key)?;
    }
    if let Some(shift) = &answer.smallest_shift {
        writeln!(out, "  move {} to {}: no collision left with it", shift.change, shift.window)?;
        if !shift.meets.is_empty() {
            writeln!(out, "  mind the freezes then: {}", shift.meets.join(", "))?;
        }
    }
    Ok(())
}

fn decisive(out: Out<'_>, answer: &ChangeAnswer) -> io::Result<()> {
    let Some(certainty) = answer.certainty.as_ref().filter(|certainty| !certainty.decisive.is_empty()) else {
        return Ok(());
    };
    writeln!(out, "\nQuestions that decide")?;
    for decisive in &certainty.decisive {
        let questions: Vec<&str> = decisive.facts.iter().map(|fact| fact.question.as_str()).collect();
        writeln!(out, "  - {}", questions.join(" and "))?;
    }
    Ok(())
}

fn risk(out: Out<'_>, risk: &RiskLine) -> io::Result<()> {
    let (low, high) = risk.interval;
    writeln!(
        out,
        "\nFails with a chance of {} ({} to {}), from {}, {} of which {} failed",
        percent(risk.failure),
        percent(low),
        percent(high),
        risk.like,
        counted(risk.changes as usize, "change"),
        risk.failures
    )?;
    for line in &risk.expected_loss {
        let total = line.planned + line.failed + line.exposed;
        writeln!(
            out,
            "Expected loss {total:.0} {}: planned {:.0}, failing {:.0}, at most {:.0} for single points meanwhile",
            line.currency, line.planned, line.failed, line.exposed
        )?;
    }
    if risk.without_value > 0 {
        writeln!(out, "  nobody stated the value of {}", counted(risk.without_value, "service"))?;
    }
    if risk.without_unavailability > 0 {
        let points = counted(risk.without_unavailability, "new single point");
        writeln!(out, "  nobody stated how often {points} of failure fail; they count as never")?;
    }
    Ok(())
}

/// A request as it stands.
pub(crate) fn request(out: Out<'_>, answer: &RequestAnswer) -> io::Result<()> {
    let change = &answer.change;
    writeln!(
        out,
        "{}  {} ({}, {}, version {})",
        change.key,
        change.title,
        change.category,
        said(change.state),
        change.version
    )?;
    writeln!(out, "  {}", wrapped(&change.reason, "  "))?;
    let when = change.window.map_or("no window".to_owned(), |window| window.to_string());
    let team = change.team.as_ref().map(|team| format!("; by {team}")).unwrap_or_default();
    writeln!(out, "  {when}; asked for by {}{team}", change.requester)?;
    for line in &change.alterations {
        writeln!(out, "  {} {}", line.action.replace('_', " "), line.subject.key)?;
    }
    if let Some(rollback) = &answer.rollback {
        writeln!(out, "  rollback ({} min): {}", rollback.minutes, rollback.plan)?;
    }
    if let Some(verification) = &answer.verification {
        writeln!(out, "  verification: {verification}")?;
    }
    writeln!(out, "\nSteps")?;
    for step in &answer.steps {
        let reason = step.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(out, "  {}  {} by {}{reason}", day(step.at), said(step.to), step.by)?;
    }
    if let Some(approval) = &answer.approval {
        writeln!(out, "\nApproved by {} on", approval.by)?;
        kept(out, &approval.assessment)?;
    } else if let Some(assessment) = &answer.assessment {
        writeln!(out, "\nAssessed as")?;
        kept(out, assessment)?;
    }
    for recheck in &answer.rechecks {
        let again = if recheck.needs_approval { "; MUST BE APPROVED AGAIN" } else { "" };
        writeln!(
            out,
            "\nChanged by revision {} ({}), noticed {}{again}",
            recheck.cause,
            recheck.reason,
            day(recheck.at)
        )?;
        effects(out, "worse ", &recheck.worse)?;
        effects(out, "better", &recheck.better)?;
        for text in &recheck.violations {
            writeln!(out, "  {text}")?;
        }
        if !recheck.collides_with.is_empty() {
            writeln!(out, "  now collides with {}", recheck.collides_with.join(", "))?;
        }
    }
    if let Some(done) = &answer.completion {
        let (outcome, shows) = (said(done.outcome), done.showing.len());
        let of = shows + done.not_showing.len();
        writeln!(
            out,
            "\n{outcome} from {} to {}; shows in {shows} of {of} items",
            day(done.started_at),
            day(done.finished_at)
        )?;
    }
    if let Some(review) = &answer.review {
        let failed = if review.has_failed { "failed" } else { "succeeded" };
        writeln!(out, "\nReviewed by {}: {failed}; {}", review.by, review.lessons)?;
    }
    footer(out, &answer.basis)
}

fn kept(out: Out<'_>, kept: &KeptAssessment) -> io::Result<()> {
    let complete = if kept.is_complete { "complete" } else { "NOT COMPLETE" };
    writeln!(out, "  revision {}, {}, {complete}, document {}", kept.revision, day(kept.at), &kept.document[..16])?;
    for text in kept.major.iter().map(|text| format!("major: {text}")).chain(kept.violations.iter().cloned()) {
        writeln!(out, "  {text}")?;
    }
    if !kept.collides_with.is_empty() {
        writeln!(out, "  collides with {}", kept.collides_with.join(", "))?;
    }
    effects(out, "", &kept.effects)
}

fn effects(out: Out<'_>, title: &str, effects: &[KeptEffect]) -> io::Result<()> {
    for effect in effects {
        let doubt = if effect.at_best == effect.at_worst { "" } else { " possibly" };
        writeln!(out, "  {title} {}: {}{doubt}", effect.subject.key, effect_words(effect.at_worst))?;
    }
    Ok(())
}

/// Requests in a list.
pub(crate) fn requests(out: Out<'_>, answer: &RequestsAnswer) -> io::Result<()> {
    let mut lines = table(&["key", "state", "category", "window", "worst effect", "requester", "title"]);
    for line in &answer.requests {
        let again = if line.needs_approval { " (approve again)" } else { "" };
        lines.add_row([
            line.key.clone(),
            format!("{}{again}", said(line.state)),
            line.category.to_string(),
            line.window.map(|window| window.to_string()).unwrap_or_default(),
            line.worst.map(effect_words).unwrap_or("not assessed").to_owned(),
            line.requester.clone(),
            line.title.clone(),
        ]);
    }
    if !answer.requests.is_empty() {
        print(out, &lines)?;
    }
    writeln!(out, "{}", counted(answer.total, "request"))?;
    footer(out, &answer.basis)
}

/// Whether the gate is open.
pub(crate) fn gate(out: Out<'_>, answer: &GateAnswer) -> io::Result<()> {
    if answer.is_open {
        writeln!(out, "{} may go ahead", answer.key)?;
    } else {
        writeln!(out, "{} must not go ahead now", answer.key)?;
    }
    for reason in &answer.reasons {
        writeln!(out, "  - {}", reason.message)?;
    }
    footer(out, &answer.basis)
}

/// What a schedule does.
pub(crate) fn schedule(out: Out<'_>, answer: &ScheduleAnswer) -> io::Result<()> {
    writeln!(out, "{}: {} that interrupt something", answer.within, counted(answer.changes.len(), "change"))?;
    let mut lines = table(&["key", "window", "state", "title"]);
    for line in &answer.changes {
        let window = line.window.map(|window| window.to_string()).unwrap_or_default();
        lines.add_row([line.key.clone(), window, said(line.state).to_owned(), line.title.clone()]);
    }
    if !answer.changes.is_empty() {
        print(out, &lines)?;
    }
    if !answer.without_interruption.is_empty() {
        writeln!(out, "without an interruption or a window: {}", answer.without_interruption.join(", "))?;
    }
    for line in &answer.starting_state {
        writeln!(out, "down anyway: {}", line.subject.key)?;
    }
    let (possible, sure): (Vec<_>, Vec<_>) = answer.collisions.iter().partition(|line| line.collision.only_in_doubt);
    let (planned, reversed): (Vec<_>, Vec<_>) = sure.into_iter().partition(|line| line.collision.reversed.is_none());
    if planned.is_empty() {
        writeln!(out, "\nNo service is breached by changes together that none of them breaches alone.")?;
    } else {
        writeln!(out, "\nCOLLISIONS")?;
    }
    for line in planned {
        writeln!(out, "  {}", wrapped(&line.advice, "    "))?;
    }
    if !possible.is_empty() {
        writeln!(out, "\nPossible, if what nobody knows turns out badly")?;
    }
    for line in possible {
        writeln!(out, "  {}", wrapped(&line.advice, "    "))?;
    }
    if !reversed.is_empty() {
        writeln!(out, "\nIf a change has to be reversed")?;
    }
    for line in reversed {
        writeln!(out, "  {}", wrapped(&line.advice, "    "))?;
    }
    let alone: Vec<_> = answer.harm.iter().filter(|line| line.reversed.is_none()).collect();
    if !alone.is_empty() {
        writeln!(out, "\nNo collision, and yet harm")?;
    }
    for line in alone {
        let who = if line.changes.is_empty() { "what is down anyway".to_owned() } else { line.changes.join(" and ") };
        let doubt = if line.only_in_doubt { ", if what nobody knows turns out badly" } else { "" };
        writeln!(out, "  {}: {} {} by {who}{doubt}", line.window, line.service.key, line.verdict.as_str())?;
    }
    footer(out, &answer.basis)
}
