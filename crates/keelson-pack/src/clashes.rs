//! Collisions, in a table and over time.

use std::collections::BTreeSet;

use keelson_answers::change::{ChangeAnswer, ChangeLine, CollisionLine};
use keelson_answers::{Basis, LimitCode};
use keelson_model::Window;
use keelson_report::document::{Cell, Section, Severity, Table};
use keelson_report::timeline::{Change, Collision, Interval, Timeline};
use keelson_report::zone::Zone;

use crate::basics::left_out;
use crate::calendar;
use crate::part::Part;
use crate::summary::{self, advice};
use crate::words::{NAMES, capital, count, names, percent, time, window};

/// Collisions that find room.
const MOST: usize = 60;
/// Rows of a timeline.
const MOST_ROWS: usize = 40;

/// A collision of the same changes at the same time, with all the services it breaches.
#[derive(Debug, PartialEq)]
pub(crate) struct Group<'a> {
    pub(crate) window: Window,
    /// In the order of their keys.
    pub(crate) changes: Vec<&'a str>,
    pub(crate) reversed: Option<&'a str>,
    /// Whether it is only so if what nobody knows turns out badly.
    pub(crate) only_in_doubt: bool,
    pub(crate) services: Vec<&'a str>,
    /// The largest loss among them.
    pub(crate) loss: f64,
}

impl Group<'_> {
    /// The collision in words, for the request that it is told of.
    pub(crate) fn told(&self, own: &str, zone: Zone) -> String {
        let others: Vec<&str> = self.changes.iter().copied().filter(|key| *key != own).collect();
        let services = names(&self.services, self.services.len(), 3);
        format!("With {} on {services}, {}", names(&others, others.len(), NAMES), window(zone, self.window))
    }

    /// Whether it is to be expected if all goes to plan.
    pub(crate) fn is_planned(&self) -> bool {
        self.reversed.is_none() && !self.only_in_doubt
    }

    /// On what it depends, as the end of a sentence: nothing, a request that is backed out, a doubt.
    fn only_if(&self) -> String {
        let reversed = self.reversed.map(|key| format!(" if {key} is backed out"));
        let doubt = self.only_in_doubt.then(|| " if what nobody knows turns out badly".to_owned());
        reversed.into_iter().chain(doubt).collect::<Vec<_>>().join(" and")
    }

    /// The services, for a table.
    pub(crate) fn services_told(&self) -> String {
        names(&self.services, self.services.len(), NAMES)
    }
}

/// Collisions of the same changes at the same time as one, in order of time; those as planned come before those
/// while something is being reversed.
pub(crate) fn groups<'a>(lines: impl Iterator<Item = &'a CollisionLine>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for line in lines {
        let mut changes: Vec<&str> = line.changes.iter().map(String::as_str).collect();
        changes.sort_unstable();
        let reversed = line.reversed.as_deref();
        let same = |group: &&mut Group<'_>| {
            group.window == line.window
                && group.changes == changes
                && group.reversed == reversed
                && group.only_in_doubt == line.only_in_doubt
        };
        if let Some(group) = groups.iter_mut().find(same) {
            group.services.push(&line.service.name);
            group.loss = group.loss.max(line.loss);
        } else {
            let services = vec![line.service.name.as_str()];
            let (window, only_in_doubt, loss) = (line.window, line.only_in_doubt, line.loss);
            groups.push(Group { window, changes, reversed, only_in_doubt, services, loss });
        }
    }
    let key = |group: &Group<'a>| (group.window.start(), group.window.end(), group.changes.clone());
    groups.sort_by_key(|group| (group.reversed.is_some(), group.only_in_doubt, key(group)));
    groups
}

/// The other requests that this one collides with as planned.
pub(crate) fn partners(answer: &ChangeAnswer) -> Vec<&str> {
    let planned = answer.collisions.iter().filter(|line| line.reversed.is_none() && !line.only_in_doubt);
    let keys: BTreeSet<&str> = planned.flat_map(|line| line.changes.iter().map(String::as_str)).collect();
    keys.into_iter().filter(|key| *key != answer.change.key).collect()
}

/// Says that there are no collisions, and among how many requests.
pub(crate) fn none(answer: &ChangeAnswer) -> String {
    match answer.assessed_with.len() {
        _ if answer.change.window.is_none() => "Not looked for: the request has no window.".to_owned(),
        0 => "None: no other request that interrupts anything is planned for this time.".to_owned(),
        1 => format!(
            "None: {}, the only other request of this time, breaches no service together with it.",
            answer.assessed_with[0]
        ),
        total => format!("None: none of the {total} requests of this time breaches a service together with others."),
    }
}

/// The section on collisions of one request, with a timeline.
pub(crate) fn collisions(part: &Part<'_>) -> Section {
    let answer = part.answer;
    let section = part.section("collisions", "Collisions");
    let groups = groups(answer.collisions.iter());
    let mut section = match groups.len() {
        0 => section.paragraph(none(answer)),
        _ => {
            let lead = format!("{}.", advice(part, answer.smallest_shift.as_ref()));
            let planned = groups.iter().any(Group::is_planned);
            if planned {
                section.paragraph(lead)
            } else {
                section.paragraph(
                    "None as planned; only while something is being backed out, or if doubts turn out badly.",
                )
            }
        }
    };
    if answer.change.window.is_none() {
        return section;
    }
    section = one_at_a_time(section, &answer.basis);
    let title = format!("{} and what is planned beside it, revision {}", part.key(), answer.basis.revision.0);
    let mut timeline = Timeline::new(title, part.zone).max_rows(MOST_ROWS).narrow();
    add(&mut timeline, &answer.change, Some((summary::severity(answer), "this request".to_owned())));
    let others: Vec<&ChangeLine> =
        part.others.iter().filter(|other| answer.assessed_with.contains(&other.key)).collect();
    for other in &others {
        add(&mut timeline, other, None);
    }
    mark(&mut timeline, &groups);
    calendar::add(&mut timeline, &answer.calendar);
    calendar::mark(&mut timeline, answer.violations.iter().map(|line| (part.key(), line)));
    section = section.block(timeline.draw().figure(&part.file("timeline-drawing")));
    section = calendar::looked_up(section, part.zone, calendar::span(&answer.change), others.iter().copied());
    let undrawn =
        answer.assessed_with.len().saturating_sub(others.iter().filter(|other| other.window.is_some()).count());
    if undrawn > 0 {
        let requests = count(undrawn, "other request", "other requests");
        section =
            section.paragraph(format!("{requests} it was assessed with not drawn: their windows are not at hand."));
    }
    if !groups.is_empty() {
        section = table(section, &part.file("collisions"), &part.stamp(), part.zone, &groups, |_| None);
    }
    section.block(times(part, &groups))
}

/// Says that several requests being backed out at once were not looked at, where that could matter.
pub(crate) fn one_at_a_time(section: Section, basis: &Basis) -> Section {
    match basis.limits.iter().find(|limit| limit.code == LimitCode::ReversedTogether) {
        Some(limit) => section.paragraph(format!("{}.", capital(&limit.message))),
        None => section,
    }
}

/// Adds a request to a timeline, if it has a window.
pub(crate) fn add(timeline: &mut Timeline, line: &ChangeLine, verdict: Option<(Severity, String)>) {
    let Some(during) = line.window.and_then(interval) else { return };
    timeline.change(Change {
        id: line.key.clone(),
        label: line.title.clone(),
        window: during,
        backed_out_by: calendar::span(line).map(|span| span.end()),
        verdict,
    });
}

/// A window as timelines have it.
pub(crate) fn interval(window: Window) -> Option<Interval> {
    Interval::new(window.start(), window.end())
}

/// Marks collisions on a timeline. Their numbers are those of the table, so the order is the timeline's.
pub(crate) fn mark(timeline: &mut Timeline, groups: &[Group<'_>]) {
    for group in groups {
        let Some(during) = interval(group.window) else { continue };
        let only_if = Some(group.only_if()).filter(|text| !text.is_empty()).map(|text| format!(",{text}"));
        timeline.collision(Collision {
            changes: group.changes.iter().map(|key| (*key).to_owned()).collect(),
            during,
            reason: format!("{}{}", group.services_told(), only_if.unwrap_or_default()),
        });
    }
}

/// Adds the table of collisions, and how many found no room in it.
pub(crate) fn table(
    section: Section,
    file: &str,
    stamp: &str,
    zone: Zone,
    groups: &[Group<'_>],
    advice: impl Fn(&Group<'_>) -> Option<String>,
) -> Section {
    let mut table = Table::new(file, format!("Collisions ({stamp})"))
        .naming_column("Collision")
        .column("From")
        .column("Until")
        .column("Requests")
        .column("Services breached")
        .number_column("Lost, at most")
        .column("Only if");
    let advised: Vec<Option<String>> = groups.iter().map(&advice).collect();
    let advises = advised.iter().any(Option::is_some);
    if advises {
        table = table.column("Smallest shift");
    }
    let numbers = numbers(groups);
    for ((group, number), advice) in groups.iter().zip(numbers).zip(advised).take(MOST) {
        let severity = if group.is_planned() { Severity::Serious } else { Severity::Caution };
        let mut cells: Vec<Cell> = vec![
            format!("\u{d7}{number}").into(),
            time(zone, group.window.start()).into(),
            time(zone, group.window.end()).into(),
            group.changes.join(", ").into(),
            group.services_told().into(),
            percent(group.loss).into(),
            if group.is_planned() { "as planned".into() } else { group.only_if().trim_start_matches(" if ").into() },
        ];
        if advises {
            cells.push(advice.unwrap_or_default().into());
        }
        table.push(Some(severity), cells);
    }
    left_out(section.block(table), groups.len().saturating_sub(MOST), "collision", "collisions")
}

/// The numbers that a timeline gives to collisions: in order of time, then of requests.
fn numbers(groups: &[Group<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|at| (groups[*at].window.start(), groups[*at].window.end(), groups[*at].changes.clone()));
    let mut numbers = vec![0; groups.len()];
    for (number, at) in order.into_iter().enumerate() {
        numbers[at] = number + 1;
    }
    numbers
}

/// All times of a request in one table.
fn times(part: &Part<'_>, groups: &[Group<'_>]) -> Table {
    let answer = part.answer;
    let mut rows: Vec<(Window, String)> = Vec::new();
    rows.extend(answer.change.window.map(|window| (window, format!("{} is carried out", part.key()))));
    rows.extend(answer.shadow.map(|window| (window, format!("{} may be being backed out", part.key()))));
    let others = part.others.iter().filter(|other| answer.assessed_with.contains(&other.key));
    rows.extend(others.filter_map(|other| Some((other.window?, format!("{} is carried out", other.key)))));
    let numbered = groups.iter().zip(numbers(groups)).take(MOST);
    rows.extend(numbered.map(|(group, number)| {
        (group.window, format!("collision C{number}: {}{}", group.services_told(), group.only_if()))
    }));
    rows.extend(answer.violations.iter().take(MOST).map(|line| (line.during, format!("violates {}", line.entry))));
    rows.extend(calendar::times(&answer.calendar).take(MOST).map(|(line, when)| (when, calendar::name(line))));
    rows.sort_by_key(|(window, _)| (window.start(), window.end()));
    let mut table = Table::new(&part.file("timeline"), format!("What happens when ({})", part.stamp()))
        .naming_column("What")
        .column("From")
        .column("Until");
    for (window, what) in rows {
        let cells: [Cell; 3] =
            [what.into(), time(part.zone, window.start()).into(), time(part.zone, window.end()).into()];
        table.push(None, cells);
    }
    table
}
