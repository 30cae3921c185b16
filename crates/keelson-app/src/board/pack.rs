//! The board's pack: a document for one request, or for all of a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use keelson_answers::change::{self, ChangeAnswer, ChangeLine, ChangeQuestion, Picture, USUAL_ITEMS, picture};
use keelson_answers::schedule::{self, ScheduleAnswer, ScheduleQuestion, find_request};
use keelson_answers::{Asked, Subject};
use keelson_change::recheck::difference;
use keelson_model::{CiId, CommitHeader, Effect, EffectOn, RequestForChange, Revision, Window};
use keelson_pack::{Cause, ChangeInput, MeetingInput, Moved, RequestInput, Since, Then};
use keelson_report::document::Document;
use keelson_report::zone::Zone;

use crate::keelson::blocking;
use crate::{AsOf, AskError, Keelson, View};

/// Propagations the search for decisive facts may compute for each request.
const BUDGET: usize = 500;
/// Most services listed of each request.
const MOST: usize = 500;
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

/// What a pack is about.
#[derive(Clone, Debug, PartialEq)]
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
    /// Writes a pack.
    ///
    /// # Errors
    /// When a request is named that nobody knows; otherwise as the store fails.
    pub async fn pack(&self, of: PackOf, zone: Zone, as_of: Option<AsOf>) -> Result<Pack, AskError> {
        let (view, asked) = self.view_for(as_of).await?;
        let causes = self.causes(&view, &of).await?;
        let keelson = self.clone();
        blocking(move || match of {
            PackOf::Request(key) => keelson.pack_request(&view, &key, zone, asked, &causes),
            PackOf::Meeting { within, only, title } => {
                keelson.pack_meeting(&view, within, &only, &title, zone, asked, &causes)
            }
        })
        .await?
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

    fn tell(
        &self,
        view: &View,
        request: &RequestForChange,
        asked: Asked,
        causes: &BTreeMap<Revision, CommitHeader>,
    ) -> Result<Told, AskError> {
        let question = ChangeQuestion { request, policy: self.policy(), budget: BUDGET, most: MOST };
        let answer = change::assess(view, &question, asked, self.pool())?;
        let picture = picture(view, request, &answer, USUAL_ITEMS, self.pool())?;
        let since = since(view, request, &answer, asked, causes);
        Ok(Told { answer, picture, since })
    }

    fn pack_request(
        &self,
        view: &View,
        key: &str,
        zone: Zone,
        asked: Asked,
        causes: &BTreeMap<Revision, CommitHeader>,
    ) -> Result<Pack, AskError> {
        let request = find_request(view, key)?;
        let told = self.tell(view, request, asked, causes)?;
        let with = told.answer.assessed_with.iter().filter_map(|key| find_request(view, key).ok());
        let others: Vec<ChangeLine> = with.map(|request| ChangeLine::of(view, request)).collect();
        let input = ChangeInput { title: None, computed_at: asked.at, zone, request: told.input(), others: &others };
        Ok(Pack { document: keelson_pack::request(&input), json: keelson_pack::request_json(&input) })
    }

    #[allow(clippy::too_many_arguments)]
    fn pack_meeting(
        &self,
        view: &View,
        within: Window,
        only: &[String],
        title: &str,
        zone: Zone,
        asked: Asked,
        causes: &BTreeMap<Revision, CommitHeader>,
    ) -> Result<Pack, AskError> {
        let question = ScheduleQuestion { within, only, policy: self.policy(), most: MOST };
        let schedule: ScheduleAnswer = schedule::assess(view, &question, asked, self.pool())?;
        if schedule.changes.len() > MOST_OF_A_MEETING {
            return Err(AskError::TooMany { found: schedule.changes.len(), most: MOST_OF_A_MEETING });
        }
        let mut told = Vec::new();
        for line in &schedule.changes {
            told.push(self.tell(view, find_request(view, &line.key)?, asked, causes)?);
        }
        let requests: Vec<RequestInput<'_>> = told.iter().map(Told::input).collect();
        let input = MeetingInput { title, computed_at: asked.at, zone, schedule: &schedule, requests: &requests };
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
