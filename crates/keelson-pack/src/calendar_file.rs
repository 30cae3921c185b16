//! A schedule as calendar programs read it.

use chrono::{DateTime, Utc};
use keelson_answers::change::ChangeLine;
use keelson_answers::schedule::ScheduleAnswer;
use keelson_report::ics::{Calendar, Event, Status};

/// A schedule for calendar programs.
/// Its events are tentative until the request is approved. `stamp` is when it is written.
#[must_use]
pub fn calendar_file(answer: &ScheduleAnswer, stamp: DateTime<Utc>) -> Calendar {
    use keelson_model::ChangeState::{Approved, InProgress, Scheduled};
    let event = |line: &ChangeLine| {
        let window = line.window?;
        let collides = answer.collisions.iter().filter(|found| found.collision.changes.contains(&line.key));
        let altered: Vec<String> = line
            .alterations
            .iter()
            .map(|one| format!("{} {}", one.action.replace('_', " "), one.subject.key))
            .collect();
        let description: Vec<String> = std::iter::once(line.reason.clone())
            .chain(altered)
            .chain(collides.map(|found| format!("COLLISION: {}", found.advice)))
            .collect();
        Some(Event {
            uid: format!("{}@keelson", line.key),
            stamp,
            start: window.start(),
            end: window.end(),
            summary: format!("{} {}", line.key, line.title),
            description: Some(description.join("\n")),
            categories: vec![line.category.to_string()],
            status: if matches!(line.state, Approved | Scheduled | InProgress) {
                Status::Confirmed
            } else {
                Status::Tentative
            },
            url: None,
            last_modified: None,
            sequence: line.version,
        })
    };
    Calendar { name: "Changes".to_owned(), events: answer.changes.iter().filter_map(event).collect() }
}
