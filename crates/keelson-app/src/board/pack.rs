//! The board's pack: a document for one request, or for all of a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use keelson_answers::change::{self, ChangeAnswer, ChangeLine, ChangeQuestion, Picture, USUAL_ITEMS, picture};
use keelson_answers::schedule::{self, ScheduleQuestion, find_request};
use keelson_answers::{Asked, Subject};
use keelson_change::recheck::difference;
use keelson_model::{CiId, CommitHeader, Effect, EffectOn, RequestForChange, Revision, Window};
use keelson_pack::{Cause, ChangeInput, MeetingInput, Moved, RequestInput, Since, Then};
use keelson_report::document::Document;
use keelson_report::zone::Zone;
use keelson_report::{csv, html, markdown};
use serde::{Deserialize, Serialize};

use crate::keelson::blocking;
use crate::system::now;
use crate::{Answer, AsOf, AskError, Keelson, Question, Stop, View};

/// Propagations the search for decisive facts may compute for each request.
const BUDGET: usize = 500;
/// Most services listed of each request.
const MOST: usize = 500;
/// Most events of a calendar file.
const MOST_EVENTS: usize = 10_000;
/// Most requests of a meeting.
pub const MOST_OF_A_MEETING: usize = 200;

/// A document, and the answers it is made of.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The document.
    pub document: Document,
    /// The answers, as JSON.
    pub json: Vec<u8>,
}

/// The form of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackForm {
    /// One page for browsers, which prints well.
    #[default]
    Html,
    /// Markdown.
    Markdown,
    /// The tables, a file each.
    Csv,
    /// The answers it is made of.
    Json,
}

impl PackForm {
    /// The media type of its files.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackFile {
    /// Its name, with ending.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl Pack {
    /// The pack in a form: one file, or of CSV one for each table.
    #[must_use]
    pub fn files(&self, form: PackForm) -> Vec<PackFile> {
        let one = |name: &str, text: String| vec![PackFile { name: name.to_owned(), text }];
        match form {
            PackForm::Html => one("pack.html", html::render(&self.document)),
            PackForm::Markdown => one("pack.md", markdown::render(&self.document, &markdown::Options::default())),
            PackForm::Json => one("pack.json", String::from_utf8_lossy(&self.json).into_owned()),
            PackForm::Csv => {
                let files = csv::render(&self.document).into_iter();
                files.map(|file| PackFile { name: file.name, text: file.text }).collect()
            }
        }
    }
}

/// What a pack is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PackOf {
    /// One request.
    Request(String),
    /// All requests of a time, or those named.
    Meeting {
        /// The times of interest.
        within: Window,
        /// Only these requests; empty means all that are open and no longer drafts.
        only: Vec<String>,
        /// What the document is called.
        title: String,
    },
}

/// One request with what is told of it.
struct Told {
    answer: ChangeAnswer,
    picture: Picture,
    since: Option<Since>,
}

impl Told {
    fn input(&self) -> RequestInput<'_> {
        RequestInput { answer: &self.answer, picture: Some(&self.picture), since: self.since.as_ref() }
    }
}

impl Keelson {
    /// Writes a pack, with times in a zone of the IANA.
    ///
    /// # Errors
    /// When a request is named that nobody knows, or there is no such zone; otherwise as the store fails.
    pub async fn pack(&self, of: PackOf, zone: &str, as_of: Option<AsOf>) -> Result<Pack, AskError> {
        let stop = Stop::default();
        let _unwanted = stop.on_drop();
        let zone: Zone = zone.parse()?;
        let (view, asked) = self.view_for(as_of).await?;
        let causes = self.causes(&view, &of).await?;
        let (keelson, stop) = (self.clone(), stop.clone());
        blocking(move || {
            let writing = Writing { keelson: &keelson, view: &view, zone, asked, causes: &causes, stop: stop.flag() };
            match of {
                PackOf::Request(key) => writing.request(&key),
                PackOf::Meeting { within, only, title } => writing.meeting(within, &only, &title),
            }
        })
        .await?
    }

    /// The schedule of some time as calendar programs read it (RFC 5545).
    ///
    /// # Errors
    /// As the store fails.
    pub async fn calendar_file(&self, within: Window, as_of: Option<AsOf>) -> Result<String, AskError> {
        let question = Question::Schedule { within, only: Vec::new(), most: MOST_EVENTS };
        let Answer::Schedule(answer) = self.ask(question, as_of).await? else {
            unreachable!("a schedule is answered by a schedule")
        };
        Ok(keelson_pack::calendar_file(&answer, now()).to_ics())
    }

    /// The commits that changed what approvals rest on.
    async fn causes(&self, view: &View, of: &PackOf) -> Result<BTreeMap<Revision, CommitHeader>, AskError> {
        let of_one = |request: &RequestForChange| -> Vec<Revision> {
            request.rechecks.iter().map(|recheck| recheck.cause).collect()
        };
        let revisions: Vec<Revision> = match of {
            PackOf::Request(key) => of_one(find_request(view, key)?),
            PackOf::Meeting { .. } => view.catalogue.open_requests().flat_map(|kept| of_one(&kept.record)).collect(),
        };
        let mut causes = BTreeMap::new();
        for revision in revisions {
            if !causes.contains_key(&revision)
                && let Some(header) = self.store().header(revision).await.map_err(crate::Error::from)?
            {
                causes.insert(revision, header);
            }
        }
        Ok(causes)
    }
}

/// A pack in the making.
struct Writing<'a> {
    keelson: &'a Keelson,
    view: &'a View,
    zone: Zone,
    asked: Asked,
    causes: &'a BTreeMap<Revision, CommitHeader>,
    stop: &'a AtomicBool,
}

impl Writing<'_> {
    fn tell(&self, request: &RequestForChange) -> Result<Told, AskError> {
        let Self { keelson, view, asked, causes, stop, .. } = *self;
        let policy = keelson.policy();
        let question = ChangeQuestion { request, policy, budget: BUDGET, most: MOST, stop: Some(stop) };
        let answer = change::assess(view, &question, asked, keelson.pool())?;
        let picture = picture(view, request, &answer, USUAL_ITEMS, keelson.pool())?;
        let since = since(view, request, &answer, asked, causes);
        Ok(Told { answer, picture, since })
    }

    fn request(&self, key: &str) -> Result<Pack, AskError> {
        let told = self.tell(find_request(self.view, key)?)?;
        let with = told.answer.assessed_with.iter().filter_map(|key| find_request(self.view, key).ok());
        let others: Vec<ChangeLine> = with.map(|request| ChangeLine::of(self.view, request)).collect();
        let (computed_at, zone) = (self.asked.at, self.zone);
        let input = ChangeInput { title: None, computed_at, zone, request: told.input(), others: &others };
        Ok(Pack { document: keelson_pack::request(&input), json: keelson_pack::request_json(&input) })
    }

    fn meeting(&self, within: Window, only: &[String], title: &str) -> Result<Pack, AskError> {
        let (policy, stop) = (self.keelson.policy(), Some(self.stop));
        let question = ScheduleQuestion { within, only, policy, most: MOST, stop };
        let schedule = schedule::assess(self.view, &question, self.asked, self.keelson.pool())?;
        if schedule.changes.len() > MOST_OF_A_MEETING {
            return Err(AskError::TooMany { found: schedule.changes.len(), most: MOST_OF_A_MEETING });
        }
        let mut told = Vec::new();
        for line in &schedule.changes {
            told.push(self.tell(find_request(self.view, &line.key)?)?);
        }
        let requests: Vec<RequestInput<'_>> = told.iter().map(Told::input).collect();
        let (computed_at, zone) = (self.asked.at, self.zone);
        let input = MeetingInput { title, computed_at, zone, schedule: &schedule, requests: &requests };
        Ok(Pack { document: keelson_pack::meeting(&input), json: keelson_pack::meeting_json(&input) })
    }
}

/// What differs from the last assessment people have seen: the one approved, or else the last one kept.
fn since(
    view: &View,
    request: &RequestForChange,
    answer: &ChangeAnswer,
    asked: Asked,
    causes: &BTreeMap<Revision, CommitHeader>,
) -> Option<Since> {
    let approved = request.approval.as_ref().map(|approval| &approval.assessment);
    let last = approved.or(request.assessment.as_ref())?;
    let fresh = answer.frozen(&Arc::from("keelson"), asked.at);
    let found = difference(&last.effects, &fresh.effects);
    let effect =
        |effects: &[EffectOn], ci: CiId| effects.iter().find(|effect| effect.ci == ci).map(|effect| effect.at_worst);
    let moved = |effect_on: &EffectOn| {
        let ci = effect_on.ci;
        let ix = view.catalogue.find_id(ci)?;
        let named = |recheck: &&keelson_model::Recheck| {
            recheck.worse.iter().chain(&recheck.better).any(|effect| effect.ci == ci)
        };
        // The first that names the service is what moved it.
        let cause = request.rechecks.iter().find(named).and_then(|recheck| causes.get(&recheck.cause));
        Some(Moved {
            service: Subject::of(&view.catalogue, ix),
            before: effect(&last.effects, ci),
            after: effect(&fresh.effects, ci).or(Some(Effect::Protected)),
            cause: cause.map(|header| Cause {
                revision: header.revision,
                at: header.at,
                actor: header.actor.to_string(),
                action: header.action.to_string(),
            }),
        })
    };
    Some(Since {
        last: Then { revision: last.revision, at: last.at },
        worse: found.worse.iter().filter_map(moved).collect(),
        better: found.better.iter().filter_map(moved).collect(),
    })
}
