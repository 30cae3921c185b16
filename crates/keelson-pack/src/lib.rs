//! The board's pack: what a change advisory board needs to decide on a request for change, or on all of a meeting.
//!
//! [`request`] makes one document of what is known about one request, [`meeting`] of a schedule and its requests.
//! The renderers of `keelson-report` turn it into HTML, Markdown and CSV. Half a page at the top of each request
//! says what goes down, when, how sure that is, what speaks against it, who is to be asked and what may be lost;
//! the rest says why.
//!
//! | part | file |
//! | --- | --- |
//! | what the document rests on | `facts` |
//! | the half page to decide by | `summary` |
//! | the verdict on each service | `verdicts` |
//! | why, line by line | `proofs` |
//! | collisions, and all of it drawn over time | `clashes` |
//! | freezes and maintenance windows, and what violates them | `calendar` |
//! | what the request reaches, drawn in layers | `impact` |
//! | what is altered, what is down anyway, what was judged by hand | `basics` |
//! | what moved since last time | `since` |
//! | what nobody knows, and what limits the answer | `questions` |
//! | a schedule and all of its requests | `meeting` |
//! | a schedule as calendar programs read it | `calendar_file` |
//! | reports about answers that are no request's: single points of failure and others | [`reports`] |
//!
//! # JSON
//!
//! The JSON of a pack is the answers, not the document: a document is cut to what people read, and its sentences
//! are no interface. [`request_json`] is [`ChangeAnswer::document`] byte for byte, so that its SHA-256 is the
//! digest that the document shows, and the one that an approval keeps.
//!
//! # What this crate refuses to do
//!
//! No input or output, no clock, no randomness. It computes no effect, compares no revisions and recommends
//! nothing: it sets in order and in words what the answers say. What they do not say is called not known. What
//! finds no room is counted, and every part says which revision it is about.

mod basics;
mod calendar;
mod calendar_file;
mod clashes;
mod facts;
mod impact;
mod loads;
mod meeting;
mod part;
mod proofs;
mod questions;
pub mod reports;
mod since;
mod summary;
mod verdicts;
mod words;

use chrono::{DateTime, Utc};
use keelson_answers::change::{ChangeAnswer, ChangeLine, Picture};
use keelson_answers::schedule::ScheduleAnswer;
use keelson_report::document::Document;
use keelson_report::zone::Zone;

pub use calendar_file::calendar_file;
pub use meeting::{meeting, meeting_json};
pub use since::{Cause, Moved, Since, Then};

use part::Part;

/// What is known about one request.
#[derive(Clone, Copy, Debug)]
pub struct RequestInput<'a> {
    /// What it does.
    pub answer: &'a ChangeAnswer,
    /// What its drawing shows, if one is wanted; made by [`keelson_answers::change::picture`].
    pub picture: Option<&'a Picture>,
    /// What moved since the last time anybody looked; absent the first time.
    pub since: Option<&'a Since>,
}

/// What a pack for one request is made of.
#[derive(Clone, Debug)]
pub struct ChangeInput<'a> {
    /// What stands on top; absent: the request's key and title.
    pub title: Option<&'a str>,
    /// When the answer was computed.
    pub computed_at: DateTime<Utc>,
    /// The zone in which times are shown.
    pub zone: Zone,
    /// The request.
    pub request: RequestInput<'a>,
    /// The other requests it was assessed with, so that the timeline can show their windows; those that are not
    /// here are not drawn.
    pub others: &'a [ChangeLine],
}

/// What a pack for a meeting is made of.
#[derive(Clone, Debug)]
pub struct MeetingInput<'a> {
    /// What stands on top.
    pub title: &'a str,
    /// When the answers were computed.
    pub computed_at: DateTime<Utc>,
    /// The zone in which times are shown.
    pub zone: Zone,
    /// The schedule.
    pub schedule: &'a ScheduleAnswer,
    /// The requests to be decided on, in the order of the agenda.
    pub requests: &'a [RequestInput<'a>],
}

/// Makes the pack for one request.
#[must_use]
pub fn request(input: &ChangeInput<'_>) -> Document {
    let part = Part::alone(input);
    let change = &part.answer.change;
    let title = input.title.map_or_else(|| format!("{}: {}", change.key, change.title), str::to_owned);
    let mut document = Document::new(title).subtitle(format!(
        "For the change advisory board: request for change {}, version {}, {}",
        change.key,
        change.version,
        words::said(change.state.as_str())
    ));
    document.contents = false;
    document = facts::request(document, &part, input.computed_at);
    document.push(summary::section(&part));
    for section in part.sections() {
        document.push(section);
    }
    document
}

/// Returns the JSON of the pack for one request: the answer, as its digest was taken of.
#[must_use]
pub fn request_json(input: &ChangeInput<'_>) -> Vec<u8> {
    input.request.answer.document()
}
