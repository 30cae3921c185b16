//! What can be done, and what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_answers::QuestionError;
use keelson_answers::register::RequestAnswer;
use keelson_change::{Problem, Problems};
use keelson_model::{
    Action, CalendarKind, ChangeCategory, ChangeState, CommitHeader, DisruptionKind, RecordChange, Recurrence,
    Revision, Rollback, Window,
};
use keelson_store::Draft;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::plan::{Planned, Stand, plan};
use crate::committing::Made;
use crate::keelson::blocking;
use crate::system::now;
use crate::{Actor, AsOf, Error, Keelson, View};

/// What is done to an item, by its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlterationInput {
    /// The item.
    pub key: String,
    /// What is done to it.
    #[serde(flatten)]
    pub action: Action,
}

/// What a service lost while the work was under way, by its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedInput {
    /// The service.
    pub key: String,
    /// The largest fraction lost, above 0 and at most 1.
    pub loss: f64,
    /// For how long, in minutes.
    pub minutes: u32,
    /// Where it is written down.
    #[serde(default)]
    pub reference: Option<String>,
}

/// What a reviewer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewInput {
    /// Whether the services were watched while the work was under way.
    pub is_monitored: bool,
    /// Incidents and problems linked to it.
    #[serde(default)]
    pub incidents: Vec<String>,
    /// What services lost.
    #[serde(default)]
    pub observed: Vec<ObservedInput>,
    /// Whether it failed; absent: it did when it was backed out or an incident is linked to it.
    #[serde(default)]
    pub has_failed: Option<bool>,
    /// What was learnt.
    pub lessons: String,
}

/// Which items a baseline holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// These, by key.
    Items(Vec<String>),
    /// These and everything they depend on.
    Cone(Vec<String>),
    /// What a request alters, and everything that depends on that.
    Change(String),
}

/// The request in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Its key.
    pub key: String,
}

/// What a request says, with keys instead of ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestInput {
    /// What people call it; absent: numbered.
    pub key: Option<String>,
    /// What, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How it is decided on.
    pub category: Option<ChangeCategory>,
    /// The template it is made from.
    pub template: Option<String>,
    /// Who carries it out.
    pub team: Option<String>,
    /// Who asks for it, where that is not who writes it down.
    pub requester: Option<String>,
    /// The items it alters.
    pub alterations: Vec<AlterationInput>,
    /// When.
    pub window: Option<Window>,
    /// How it is reversed.
    pub rollback: Option<Rollback>,
    /// How it is seen that it worked.
    pub verification: Option<String>,
    /// The releases it brings in.
    pub releases: Vec<String>,
}

impl RequestInput {
    /// What a request says, from an answer about it. Its key stays out: it never changes.
    ///
    /// # Errors
    /// A sentence, when the answer names an action nobody knows.
    pub fn of(answer: RequestAnswer) -> Result<Self, String> {
        let RequestAnswer { change, template, rollback, verification, releases, .. } = answer;
        let alterations = change.alterations.into_iter().map(|line| {
            let loss = (line.action == "degrades").then_some(line.loss);
            Ok(AlterationInput { key: line.subject.key, action: Action::read(&line.action, loss)? })
        });
        Ok(Self {
            key: None,
            title: change.title,
            reason: change.reason,
            category: Some(change.category),
            template,
            team: change.team,
            requester: Some(change.requester),
            alterations: alterations.collect::<Result<_, String>>()?,
            window: change.window,
            rollback,
            verification,
            releases,
        })
    }
}

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// A new request, in draft.
    NewRequest(Box<RequestInput>),
    /// A request with other content.
    AlterRequest {
        /// The request.
        #[serde(flatten)]
        subject: Subject,
        /// What it says now.
        content: Box<RequestInput>,
    },
    /// Hand a request in.
    Submit(Subject),
    /// Compute what it does, and keep that.
    Assess(Subject),
    /// Mark an item as not impacted; needs a reason.
    MarkNotImpacted {
        /// The request.
        #[serde(flatten)]
        subject: Subject,
        /// The item, by key.
        item: String,
    },
    /// Decide that it may be done.
    Approve(Subject),
    /// Decide that it must not; needs a reason.
    Reject(Subject),
    /// Give it up; needs a reason.
    Cancel(Subject),
    /// Give it its place in the calendar.
    Schedule(Subject),
    /// Begin the work: the gate must be open; a baseline of what it affects is taken.
    Start(Subject),
    /// End the work.
    Finish {
        /// The request.
        #[serde(flatten)]
        subject: Subject,
        /// Whether everything was brought back to where it was.
        #[serde(default)]
        backed_out: bool,
    },
    /// Write down what was learnt.
    Review {
        /// The request.
        #[serde(flatten)]
        subject: Subject,
        /// What the reviewer says.
        review: ReviewInput,
    },
    /// A freeze or maintenance window.
    EnterCalendar {
        /// What people call it.
        name: String,
        /// What it means.
        kind: CalendarKind,
        /// What it is about, by key; empty means every service.
        #[serde(default)]
        items: Vec<String>,
        /// When; the first time.
        window: Window,
        /// How it repeats.
        #[serde(default)]
        recurrence: Option<Recurrence>,
        /// For a freeze: how many members a service may lose.
        #[serde(default)]
        margin: Option<u32>,
    },
    /// Lift a freeze, or end a maintenance window for good.
    LiftCalendar {
        /// Its name, or its id.
        name: String,
    },
    /// Something is down or impaired.
    ReportDisruption {
        /// The item, by key.
        item: String,
        /// What kind.
        kind: DisruptionKind,
        /// The fraction lost, above 0 and at most 1.
        loss: f64,
        /// When it began; absent: now.
        #[serde(default)]
        from: Option<DateTime<Utc>>,
        /// When it ended or will end.
        #[serde(default)]
        until: Option<DateTime<Utc>>,
        /// Where it is worked on.
        #[serde(default)]
        reference: Option<String>,
    },
    /// It is up again.
    EndDisruption {
        /// Its id, or where it is worked on.
        disruption: String,
        /// When; absent: now.
        #[serde(default)]
        until: Option<DateTime<Utc>>,
    },
    /// A kind of change that is to be decided on once for all; written anew when it is there.
    PutTemplate {
        /// Its name.
        name: String,
        /// What, in a line.
        title: String,
        /// The classes of the items it may alter.
        classes: Vec<String>,
        /// What it may do to them.
        actions: Vec<Action>,
        /// The longest window, in minutes.
        longest_minutes: u32,
        /// How it is reversed.
        rollback: Rollback,
        /// How it is seen that it worked.
        verification: String,
    },
    /// Approve a template.
    ApproveTemplate {
        /// Its name.
        name: String,
    },
    /// Withdraw a template: nothing new follows it; needs a reason.
    WithdrawTemplate {
        /// Its name.
        name: String,
    },
    /// Take a baseline.
    TakeBaseline {
        /// What people call it.
        name: String,
        /// Which items it holds.
        items: Selection,
        /// The point in the past whose state it is; absent: now.
        #[serde(default)]
        as_of: Option<AsOf>,
        /// The request it is taken for, by key.
        #[serde(default)]
        change: Option<String>,
    },
}

impl Act {
    /// What history and audit log call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NewRequest(_) => "createRequestForChange",
            Self::AlterRequest { .. } => "updateRequestForChange",
            Self::Submit(_) => "submitRequestForChange",
            Self::Assess(_) => "assessRequestForChange",
            Self::MarkNotImpacted { .. } => "markNotImpacted",
            Self::Approve(_) => "approveRequestForChange",
            Self::Reject(_) => "rejectRequestForChange",
            Self::Cancel(_) => "cancelRequestForChange",
            Self::Schedule(_) => "scheduleRequestForChange",
            Self::Start(_) => "startRequestForChange",
            Self::Finish { .. } => "finishRequestForChange",
            Self::Review { .. } => "reviewRequestForChange",
            Self::EnterCalendar { .. } => "createCalendarEntry",
            Self::LiftCalendar { .. } => "liftCalendarEntry",
            Self::ReportDisruption { .. } => "reportDisruption",
            Self::EndDisruption { .. } => "endDisruption",
            Self::PutTemplate { .. } => "putChangeTemplate",
            Self::ApproveTemplate { .. } => "approveChangeTemplate",
            Self::WithdrawTemplate { .. } => "withdrawChangeTemplate",
            Self::TakeBaseline { .. } => "takeBaseline",
        }
    }

    /// The request it is about, of an act on one that is there.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::AlterRequest { subject, .. }
            | Self::Submit(subject)
            | Self::Assess(subject)
            | Self::MarkNotImpacted { subject, .. }
            | Self::Approve(subject)
            | Self::Reject(subject)
            | Self::Cancel(subject)
            | Self::Schedule(subject)
            | Self::Start(subject)
            | Self::Finish { subject, .. }
            | Self::Review { subject, .. } => Some(subject),
            _ => None,
        }
    }
}

/// What came of an act.
#[derive(Clone)]
pub struct Acted {
    /// The record it made or changed; the last of several.
    pub record: RecordChange,
    /// The commit.
    pub committed: CommitHeader,
    /// The view that contains it.
    pub view: View,
}

/// What came of an act, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What sort of record it made or changed: `request for change`, `baseline`.
    pub record: String,
    /// What people call that record, or its id.
    pub name: String,
    /// Where a request stands now.
    pub state: Option<ChangeState>,
    /// The commit.
    pub revision: Revision,
}

impl Acted {
    /// What came of it, in short.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let (name, state) = match &self.record {
            RecordChange::Request(change) => {
                let request = change.after.as_ref();
                (request.map(|request| request.key.to_string()), request.map(|request| request.state))
            }
            RecordChange::Template(change) => (change.after.as_ref().map(|after| after.name.to_string()), None),
            RecordChange::Calendar(change) => (change.after.as_ref().map(|after| after.name.to_string()), None),
            RecordChange::Baseline(change) => (change.after.as_ref().map(|after| after.name.to_string()), None),
            RecordChange::Disruption(change) => (change.after.as_ref().map(|after| after.id.to_string()), None),
            _ => (None, None),
        };
        Outcome {
            record: keelson_answers::difference::sort_of(&self.record).to_owned(),
            name: name.unwrap_or_default(),
            state,
            revision: self.committed.revision,
        }
    }
}

/// Why something was not done. Nothing of it is in the catalogue.
#[derive(Debug, Error)]
pub enum ActError {
    /// Something speaks against it; every reason is listed.
    #[error(transparent)]
    Refused(#[from] Problems),
    /// It cannot be computed.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl ActError {
    /// The reasons against it, when there are any.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(problems) => &problems.0,
            Self::Question(_) | Self::Failed(_) => &[],
        }
    }
}

impl Keelson {
    /// Does something, wholly or not at all.
    ///
    /// # Errors
    /// [`ActError::Refused`] with every reason; otherwise as the store fails.
    pub async fn act(&self, act: Act, actor: Actor) -> Result<Acted, ActError> {
        self.act_on(act, None, actor).await
    }

    /// As [`Keelson::act`], unless the record it changes is no longer at the version somebody has `seen`.
    ///
    /// # Errors
    /// As [`Keelson::act`].
    pub async fn act_on(&self, act: Act, seen: Option<u32>, actor: Actor) -> Result<Acted, ActError> {
        let keelson = self.clone();
        let work = tokio::spawn(async move { keelson.plan_and_commit_act(Arc::new(act), seen, &actor).await });
        work.await.map_err(|error| Error::Stopped(error.to_string()))?
    }

    async fn plan_and_commit_act(&self, act: Arc<Act>, seen: Option<u32>, actor: &Actor) -> Result<Acted, ActError> {
        let past = match &*act {
            Act::TakeBaseline { as_of: Some(as_of), .. } => Some(self.view_as_of(*as_of).await?),
            _ => None,
        };
        let mut turn = self.turn().await;
        loop {
            let (view, at) = (turn.view()?, now());
            let showing = match &*act {
                Act::Finish { subject, .. } => self.showing(&view, &subject.key).await?,
                _ => BTreeSet::new(),
            };
            let (keelson, on, past) = (self.clone(), view.clone(), past.clone());
            let (doing, who) = (Arc::clone(&act), actor.clone());
            let planned = blocking(move || {
                let (policy, pool) = (keelson.policy(), keelson.pool());
                plan(Stand { view: &on, past: past.as_ref(), showing, policy, pool }, &doing, seen, &who, at)
            });
            let Planned { changes, payloads } = planned.await??;
            let record = changes.last().cloned();
            let record = record.ok_or_else(|| Error::Stopped("an act that changes nothing was planned".to_owned()))?;
            let draft = Draft { payloads, ..actor.draft(act.name(), view.revision(), at, changes) };
            if let Some(Made { committed, view }) = turn.commit(&view, draft).await? {
                return Ok(Acted { record, committed: committed.header, view });
            }
        }
    }
}
