//! The packs that the files in `golden/` show.

use keelson_answers::change::{ChangeAnswer, ChangeLine, Picture, USUAL_ITEMS};
use keelson_answers::schedule::{ScheduleAnswer, find_request};
use keelson_change::draft::Fields;
use keelson_change::records::{DisruptionFields, EntryFields};
use keelson_model::{CalendarKind, ChangeState, DisruptionKind, Effect, Recurrence, Revision, Window};
use keelson_pack::{Cause, ChangeInput, MeetingInput, Moved, RequestInput, Since, Then};
use keelson_report::zone::Zone;
use keelson_testkit::{Estate, hours, minutes};

pub(crate) fn zone() -> Zone {
    "Europe/Berlin".parse().unwrap()
}

/// What a request of the platform's says that takes an item down.
fn said(estate: &Estate, key: &str, title: &str, down: &str, window: Option<Window>, rollback: u32) -> Fields {
    Fields {
        title: title.into(),
        reason: "its support ends this quarter".into(),
        team: Some("platform".into()),
        ..estate.taking_down(key, &[down], window, rollback)
    }
}

/// Commits it as submitted.
pub(crate) fn request_for(
    estate: &mut Estate,
    key: &str,
    title: &str,
    down: &str,
    window: Option<Window>,
    rollback: u32,
) {
    let fields = said(estate, key, title, down, window, rollback);
    estate.enter(&fields, ChangeState::Submitted);
}

/// The requests an answer was assessed with.
fn others(estate: &Estate, answer: &ChangeAnswer) -> Vec<ChangeLine> {
    let view = estate.view();
    let line = |key: &String| ChangeLine::of(&view, find_request(&view, key).unwrap());
    answer.assessed_with.iter().map(line).collect()
}

/// The worked estate with a week of changes, a freeze, a maintenance window, an incident and a history.
pub(crate) fn estate() -> Estate {
    let mut estate = Estate::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pack/fixtures/estate.ndjson"));
    for number in 0..12 {
        let state = if number == 5 { ChangeState::BackedOut } else { ChangeState::Done };
        let fields = said(&estate, &format!("CHG-{}", 10 + number), "Patch", "dbB", None, 30);
        estate.enter(&fields, state);
    }
    for (key, title, down, from, to, rollback) in [
        ("CHG-101", "Move dbA to new storage", "dbA", 22.0, 26.0, 480),
        ("CHG-102", "Firmware of dbB's controller", "dbB", 25.0, 27.0, 30),
        ("CHG-103", "Replace the fans of hv2", "hv2", 49.0, 51.5, 60),
        ("CHG-104", "Renew the certificate of the mail gateway", "mailapi", 30.0, 30.5, 10),
        ("CHG-105", "Upgrade idp1", "idp1", 24.0, 25.0, 15),
    ] {
        request_for(&mut estate, key, title, down, Some(hours(from, to)), rollback);
    }
    request_for(&mut estate, "CHG-106", "Retire the old web server", "web1", None, 30);
    let daily = Recurrence { rule: "FREQ=DAILY".into(), zone: "UTC".into() };
    for (name, kind, item, window, recurrence, reason) in [
        ("Closing of the month", CalendarKind::Freeze, "payments", hours(48.0, 96.0), None, "books are closed"),
        ("Nights", CalendarKind::Maintenance, "reporting", hours(0.0, 4.0), Some(daily), "nobody reads reports then"),
    ] {
        let fields = EntryFields {
            name: name.into(),
            kind,
            items: vec![estate.id(item)],
            window,
            recurrence,
            margin: None,
            reason: reason.into(),
        };
        estate.enter_calendar(fields);
    }
    let fields = DisruptionFields {
        ci: estate.id("api1"),
        kind: DisruptionKind::Incident,
        loss: 1.0,
        from: minutes(-90),
        until: None,
        reference: Some("INC-7".into()),
        description: None,
    };
    estate.disrupt(&fields);
    estate
}

/// Everything that the packs of the estate are made of.
pub(crate) struct Week {
    pub(crate) schedule: ScheduleAnswer,
    pub(crate) answers: Vec<ChangeAnswer>,
    pictures: Vec<Picture>,
    pub(crate) others: Vec<Vec<ChangeLine>>,
    since: Since,
}

impl Week {
    pub(crate) fn new() -> Self {
        let estate = estate();
        let keys = ["CHG-101", "CHG-102", "CHG-103", "CHG-104", "CHG-105", "CHG-106"];
        let answers: Vec<ChangeAnswer> = keys.iter().map(|key| estate.assess(key)).collect();
        let hv2 = &answers[2].services;
        let since = Since {
            last: Then { revision: Revision(20), at: minutes(-24 * 60) },
            worse: vec![Moved {
                service: hv2[0].subject.clone(),
                before: Some(Effect::MarginLost),
                after: Some(hv2[0].effect),
                cause: Some(Cause {
                    revision: Revision(22),
                    at: minutes(-90),
                    actor: "monitoring".to_owned(),
                    action: "note_disruption".to_owned(),
                }),
            }],
            better: Vec::new(),
        };
        Self {
            schedule: estate.schedule(hours(0.0, 72.0)),
            pictures: answers.iter().map(|answer| estate.picture(answer, USUAL_ITEMS)).collect(),
            others: answers.iter().map(|answer| others(&estate, answer)).collect(),
            since,
            answers,
        }
    }

    pub(crate) fn input(&self, at: usize) -> RequestInput<'_> {
        RequestInput {
            answer: &self.answers[at],
            picture: Some(&self.pictures[at]),
            since: (at == 2).then_some(&self.since),
        }
    }

    pub(crate) fn request(&self, at: usize) -> ChangeInput<'_> {
        ChangeInput {
            title: None,
            computed_at: minutes(0),
            zone: zone(),
            request: self.input(at),
            others: &self.others[at],
        }
    }

    /// Gives the input of the meeting to whoever needs it.
    pub(crate) fn meeting<T>(&self, use_it: impl FnOnce(&MeetingInput<'_>) -> T) -> T {
        let requests: Vec<RequestInput<'_>> = (0..self.answers.len()).map(|at| self.input(at)).collect();
        use_it(&MeetingInput {
            title: "Changes of the week of 2 November",
            computed_at: minutes(0),
            zone: zone(),
            schedule: &self.schedule,
            requests: &requests,
        })
    }
}
