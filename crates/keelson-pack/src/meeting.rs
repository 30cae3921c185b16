//! A schedule and its requests: one table to decide by, one timeline, then each request.

use keelson_answers::change::{ChangeAnswer, EffectLine, ViolationLine};
use keelson_answers::schedule::{ScheduleAnswer, ScheduleCollision};
use keelson_model::{Digest, Effect};
use keelson_report::document::{Cell, Document, Note, Section, Severity, Table, Text};
use keelson_report::timeline::Timeline;
use serde::Serialize;

use crate::clashes::{self, Group, groups};
use crate::part::Part;
use crate::words::{NAMES, count, hours, item, length, names, percent, said, time, verdict, window};
use crate::{MeetingInput, basics, calendar, facts, summary};

/// Rows that find room.
const MOST: usize = 60;

/// Makes the pack for a meeting.
#[must_use]
pub fn meeting(input: &MeetingInput<'_>) -> Document {
    let schedule = input.schedule;
    let within = (schedule.within.start(), schedule.within.end());
    let mut document = Document::new(input.title).subtitle(format!(
        "For the change advisory board: {}, {} {}",
        count(input.requests.len(), "request for change", "requests for change"),
        window(input.zone, schedule.within),
        input.zone
    ));
    document.contents = false;
    document = facts::common(document, &schedule.basis, input.zone, input.computed_at, within)
        .fact("Digest", facts::digest_text(&Digest::of(&meeting_json(input))))
        .fact("Completeness", completeness(input));
    let requests = input.requests.iter().enumerate();
    let parts: Vec<Part<'_>> = requests.map(|(at, request)| Part::of_meeting(request, at + 1, input.zone)).collect();
    document.push(decisions(input, &parts));
    for section in over_time(input) {
        document.push(section);
    }
    document.push(services(input, &parts));
    for part in &parts {
        let title = format!("{}: {}", part.key(), part.answer.change.title);
        let section = Section::new(title).id(part.id("request").as_str()).on_new_page();
        document.push(summary::fill(part, section));
        for section in part.sections() {
            document.push(section);
        }
    }
    document
}

/// Returns the JSON of the pack for a meeting: the schedule and the answer for each request, in the order of the
/// agenda. Its SHA-256 is the digest that the document shows.
///
/// # Panics
/// Never: answers always serialise.
#[must_use]
pub fn meeting_json(input: &MeetingInput<'_>) -> Vec<u8> {
    let requests = input.requests.iter().map(|request| request.answer).collect();
    let all = Answers { schedule: input.schedule, requests };
    serde_json::to_vec_pretty(&all).expect("answers of texts and numbers serialise")
}

/// The answers of a meeting.
#[derive(Serialize)]
struct Answers<'a> {
    schedule: &'a ScheduleAnswer,
    requests: Vec<&'a ChangeAnswer>,
}

/// Whether the schedule and all of the requests are answered in full.
fn completeness(input: &MeetingInput<'_>) -> String {
    let short: Vec<&str> = input
        .requests
        .iter()
        .filter(|request| !request.answer.basis.complete)
        .map(|request| request.answer.change.key.as_str())
        .collect();
    let schedule = format!("the schedule is {}", facts::completeness(&input.schedule.basis));
    match short.len() {
        0 => format!("{schedule}; every request is complete"),
        total => format!("{schedule}; incomplete: {}", names(&short, total, NAMES)),
    }
}

fn decisions(input: &MeetingInput<'_>, parts: &[Part<'_>]) -> Section {
    let section = Section::new("Decisions").id("decisions");
    if parts.is_empty() {
        return rest(section.paragraph("Nothing to decide: no request was given."), input);
    }
    let worst = parts.iter().map(|part| summary::severity(part.answer)).max().unwrap_or(Severity::Good);
    let that = |wanted: fn(&ChangeAnswer) -> bool| parts.iter().filter(|part| wanted(part.answer)).count();
    let planned = input.schedule.collisions.iter();
    let planned = planned.filter(|line| line.collision.reversed.is_none() && !line.collision.only_in_doubt);
    let text =
        Text::new().strong(format!("{} to decide on.", count(parts.len(), "request", "requests"))).plain(format!(
            " By themselves {} a service for certain and {} at worst; {} redundancy only; {} major; {} the \
             calendar. Together: {}.",
            breach(that(|answer| answer.summary.certainly_breached > 0)),
            that(|answer| answer.summary.breached > 0 && answer.summary.certainly_breached == 0),
            take(that(
                |answer| answer.summary.breached + answer.summary.degraded == 0 && answer.summary.margin_lost > 0
            )),
            are(that(|answer| !answer.major.is_empty())),
            violate(that(|answer| answer.violations.iter().any(|line| !line.only_if_reversed))),
            count(groups(planned.map(|line| &line.collision)).len(), "collision", "collisions"),
        ));
    let mut table = Table::new("requests", format!("What is to be decided (revision {})", revision(input)))
        .naming_column("Request")
        .column("What")
        .column("When")
        .column("Services")
        .column("How sure")
        .column("To be weighed")
        .column("Risk of failure");
    for part in parts {
        table.push(Some(summary::severity(part.answer)), decision(part));
    }
    rest(section.block(Note { severity: worst, text }).block(table), input)
}

fn breach(number: usize) -> String {
    format!("{number} {}", if number == 1 { "breaches" } else { "breach" })
}

fn take(number: usize) -> String {
    format!("{number} {}", if number == 1 { "takes" } else { "take" })
}

fn are(number: usize) -> String {
    format!("{number} {}", if number == 1 { "is" } else { "are" })
}

fn violate(number: usize) -> String {
    format!("{number} {}", if number == 1 { "violates" } else { "violate" })
}

fn revision(input: &MeetingInput<'_>) -> u64 {
    input.schedule.basis.revision.0
}

fn decision(part: &Part<'_>) -> [Cell; 7] {
    let answer = part.answer;
    let change = &answer.change;
    let _stated = Text::new().to_section(change.key.as_str(), &part.id("request")).plain(format!(
        " {}, {}",
        change.title,
        said(change.state.as_str())
    ));
    let sure = match &answer.certainty {
        None => "not examined".to_owned(),
        Some(certainty) if certainty.unknowns == 0 => "certain".to_owned(),
        Some(certainty) => format!(
            "{}, {}",
            count(certainty.unknowns, "unknown", "unknowns"),
            count(certainty.decisive.len(), "decides", "decide")
        ),
    };
    let risk = &answer.risk;
    [
        Text::new().to_section(change.key.as_str(), &part.id("request")).into(),
        format!("{} ({})", change.title, said(change.state.as_str())).into(),
        change.window.map_or_else(|| "no window".to_owned(), |when| window(part.zone, when)).into(),
        summary::headline(answer).trim_end_matches('.').into(),
        sure.into(),
        weighed(answer).into(),
        format!("{} (n\u{a0}=\u{a0}{})", percent(risk.failure), risk.changes).into(),
    ]
}

/// What speaks against a request besides what becomes of services.
fn weighed(answer: &ChangeAnswer) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !answer.major.is_empty() {
        parts.push("major change".to_owned());
    }
    let violations = answer.violations.iter().filter(|line| !line.only_if_reversed).count();
    if violations > 0 {
        parts.push(format!("calendar: {}", count(violations, "violation", "violations")));
    }
    let partners = clashes::partners(answer);
    if !partners.is_empty() {
        parts.push(format!("collides with {}", names(&partners, partners.len(), 4)));
    }
    if !answer.basis.complete {
        parts.push("answer incomplete".to_owned());
    }
    if parts.is_empty() { "nothing besides".to_owned() } else { parts.join("; ") }
}

/// What the table cannot say: requests it leaves out, and answers of another revision.
fn rest(mut section: Section, input: &MeetingInput<'_>) -> Section {
    let schedule = input.schedule;
    let known = |key: &str| input.requests.iter().any(|request| request.answer.change.key == key);
    let missing: Vec<&str> =
        schedule.changes.iter().map(|change| change.key.as_str()).filter(|key| !known(key)).collect();
    if !missing.is_empty() {
        let keys = names(&missing, missing.len(), 12);
        section = section.paragraph(format!("Planned in these times and not on this agenda: {keys}."));
    }
    let quiet = &schedule.without_interruption;
    if !quiet.is_empty() {
        let keys = names(quiet, quiet.len(), 12);
        section = section.paragraph(format!("Interrupt nothing, or have no window: {keys}."));
    }
    let other: Vec<String> = input
        .requests
        .iter()
        .filter(|request| request.answer.basis.revision != schedule.basis.revision)
        .map(|request| format!("{} at revision {}", request.answer.change.key, request.answer.basis.revision.0))
        .collect();
    if other.is_empty() {
        return section;
    }
    let text = format!(
        "The schedule is of revision {}, these answers of others: {}. They may contradict each other.",
        revision(input),
        names(&other, other.len(), 12)
    );
    section.block(Note { severity: Severity::Caution, text: text.into() })
}

/// What happens when: the timeline, collisions, hours, the calendar, what is down anyway.
fn over_time(input: &MeetingInput<'_>) -> Vec<Section> {
    let stamp = format!("revision {}", revision(input));
    let section = Section::new("Calendar").id("calendar");
    let section = if violations(input).next().is_none() {
        section.paragraph("No violations: none of the requests violates a freeze or a maintenance window.")
    } else {
        calendar::violations(section, &stamp, input.zone, violations(input))
    };
    let schedule = input.schedule;
    let calendar = calendar::entries(section, &stamp, input.zone, schedule.within, &schedule.calendar);
    let down = Section::new("Down anyway").id("starting-state");
    let down = basics::standing(down, &schedule.starting_state, input.zone, &stamp);
    let mut sections = vec![collisions(input, &stamp), by_hour(input, &stamp), calendar, down];
    let limits = &schedule.basis.limits;
    if !limits.is_empty() {
        let section = Section::new("What limits the schedule").id("limits");
        sections.push(section.list(limits.iter().map(|limit| limit.message.as_str())));
    }
    sections
}

/// What of the calendar the requests of the agenda violate, each with the request.
fn violations<'a>(input: &MeetingInput<'a>) -> impl Iterator<Item = (&'a str, &'a ViolationLine)> {
    input.requests.iter().flat_map(|request| {
        let answer = request.answer;
        answer.violations.iter().map(|line| (answer.change.key.as_str(), line))
    })
}

fn collisions(input: &MeetingInput<'_>, stamp: &str) -> Section {
    let schedule = input.schedule;
    let section = Section::new("Collisions").id("collisions");
    let groups = groups(schedule.collisions.iter().map(|line| &line.collision));
    let section = if groups.is_empty() {
        section.paragraph(match schedule.changes.len() {
            0 => "No collisions: nothing that interrupts is planned for these times.".to_owned(),
            total => format!(
                "No collisions: none of the {total} requests of this time breaches a service together with others."
            ),
        })
    } else {
        section.paragraph("Requests that breach together what none of them breaches alone.")
    };
    let section = clashes::one_at_a_time(section, &schedule.basis);
    let mut timeline = Timeline::new(format!("What is planned, {stamp}"), input.zone).max_rows(MOST);
    for change in &schedule.changes {
        clashes::add(&mut timeline, change, None);
    }
    clashes::mark(&mut timeline, &groups);
    calendar::add(&mut timeline, &schedule.calendar);
    calendar::mark(&mut timeline, violations(input));
    let section = section.block(timeline.draw().figure("timeline-drawing"));
    let section = calendar::looked_up(section, input.zone, Some(schedule.within), schedule.changes.iter());
    if groups.is_empty() {
        return section;
    }
    clashes::table(section, "collisions", stamp, input.zone, &groups, |group| Some(advice(input, group)))
}

/// The smallest shift that resolves a collision.
fn advice(input: &MeetingInput<'_>, group: &Group<'_>) -> String {
    if !group.is_planned() {
        return "none looked for".to_owned();
    }
    let same = |line: &&ScheduleCollision| {
        let mut changes: Vec<&str> = line.collision.changes.iter().map(String::as_str).collect();
        changes.sort_unstable();
        line.collision.window == group.window && line.collision.reversed.is_none() && changes == group.changes
    };
    let found = input.schedule.collisions.iter().filter(same).find_map(|line| line.smallest_shift.as_ref());
    let Some(shift) = found else { return "none found within the policy".to_owned() };
    let way = if shift.seconds > 0 { "later" } else { "earlier" };
    let left = match shift.left {
        0 => "no collision left".to_owned(),
        left => format!("{} of others left", count(left, "collision", "collisions")),
    };
    let leaves = if shift.leaves_agreed { "; leaves its agreed window" } else { "" };
    let to = window(input.zone, shift.window);
    let meets = summary::met(shift);
    format!("{} by {} {way}, to {to}; {left}{leaves}{meets}", shift.change, length(shift.seconds.unsigned_abs()))
}

/// The times between boundaries, in which nothing changes.
fn by_hour(input: &MeetingInput<'_>, stamp: &str) -> Section {
    let section = Section::new("Hour by hour").id("hours");
    let intervals = &input.schedule.intervals;
    if intervals.is_empty() {
        return section.paragraph("Nothing that interrupts is planned for these times.");
    }
    let mut table = Table::new("timeline", format!("What is under way when ({stamp})"))
        .naming_column("From")
        .column("Until")
        .column("Requests under way")
        .number_column("Services breached")
        .number_column("Services degraded");
    for line in intervals.iter().take(MOST) {
        let severity = match (line.breached, line.degraded) {
            (0, 0) => None,
            (0, _) => Some(Severity::Caution),
            _ => Some(Severity::Serious),
        };
        let under_way = if line.changes.is_empty() { "none".to_owned() } else { line.changes.join(", ") };
        let cells: [Cell; 5] = [
            time(input.zone, line.window.start()).into(),
            time(input.zone, line.window.end()).into(),
            under_way.into(),
            line.breached.to_string().into(),
            line.degraded.to_string().into(),
        ];
        table.push(severity, cells);
    }
    basics::more(section.block(table), intervals.len(), "interval", "intervals")
}

/// Every service at stake with the requests it is at stake in.
fn services(input: &MeetingInput<'_>, parts: &[Part<'_>]) -> Section {
    let section = Section::new("Services at stake").id("services");
    let mut rows: Vec<(&Part<'_>, &EffectLine)> = Vec::new();
    for part in parts {
        let at_stake = part.answer.services.iter().filter(|line| line.effect > Effect::Protected);
        rows.extend(at_stake.map(|line| (part, line)));
    }
    if rows.is_empty() {
        return section.paragraph("No service is at stake: none goes down, works less well or loses redundancy.");
    }
    rows.sort_by(|(a_part, a), (b_part, b)| {
        let worst = b.effect.cmp(&a.effect).then(b.criticality.cmp(&a.criticality));
        worst.then_with(|| (&a.subject, a_part.key()).cmp(&(&b.subject, b_part.key())))
    });
    let caption = format!("Services at stake, over all requests (revision {})", revision(input));
    let mut table = Table::new("services", caption)
        .naming_column("Service")
        .column("Request")
        .column("Verdict")
        .number_column("Hours")
        .column("When")
        .column("Owner");
    let total = rows.len();
    for (part, line) in rows.into_iter().take(MOST) {
        let owners = names(&line.owners, line.owners.len(), NAMES);
        let cells: [Cell; 6] = [
            item(&line.subject).into(),
            Text::new().to_section(part.key(), &part.id("request")).into(),
            verdict(line),
            line.hours.map_or_else(|| "no window".to_owned(), hours).into(),
            part.answer.change.window.map_or_else(String::new, |when| window(part.zone, when)).into(),
            if owners.is_empty() { "not stated".to_owned() } else { owners }.into(),
        ];
        table.push(Some(crate::words::state(line.effect).severity()), cells);
    }
    let section = basics::more(section.block(table), total, "service and request", "services and requests");
    let all = parts.iter().map(|part| summary::at_stake(part.answer)).sum::<usize>();
    match all.saturating_sub(total) {
        0 => section,
        left => section.paragraph(format!("{left} more that the answers count and do not list.")),
    }
}
