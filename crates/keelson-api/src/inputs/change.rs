//! The inputs of mutations of change management.

use async_graphql::{ID, InputObject, OneofObject};
use chrono::{DateTime, Utc};

use super::record_inputs;
use crate::types::change::WindowInput;
use crate::types::change::words::{CalendarEntryKind, ChangeAction, DisruptionKind, RequestForChangeCategory};
use crate::types::scalar::Duration;

/// An item with what is done to it.
#[derive(Clone, Debug, InputObject)]
pub struct AlterationInput {
    /// The item.
    pub item_id: ID,
    /// What is done to it.
    pub action: ChangeAction,
    /// For `DEGRADES`: the fraction that is lost, above 0 and at most 1.
    pub loss: Option<f64>,
}

/// How everything is brought back to where it was.
#[derive(Clone, Debug, InputObject)]
pub struct RollbackInput {
    /// What is done, in words.
    pub plan: String,
    /// How long it takes: whole minutes, at most 30 days.
    pub duration: Duration,
}

/// What a request for change says.
#[derive(Clone, Debug, InputObject)]
pub struct RequestForChangeContent {
    /// What, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How it is decided on; absent: normal, or standard with a template.
    pub category: Option<RequestForChangeCategory>,
    /// The template it is made from, by name.
    pub template: Option<String>,
    /// Who carries it out.
    pub team: Option<String>,
    /// The items it alters, each once; at most 1000.
    #[graphql(default)]
    pub alterations: Vec<AlterationInput>,
    /// When it is to be done.
    pub window: Option<WindowInput>,
    /// How it is reversed.
    pub rollback: Option<RollbackInput>,
    /// How it is seen that it worked.
    pub verification: Option<String>,
    /// The releases it brings in, by name or address; at most 100.
    #[graphql(default)]
    pub releases: Vec<String>,
}

/// A new request for change. Whoever makes it asks for it.
#[derive(Clone, Debug, InputObject)]
pub struct CreateRequestForChangeInput {
    /// What people call it; absent: numbered.
    pub key: Option<String>,
    /// What it says.
    pub content: RequestForChangeContent,
}

/// Other content of a request for change. What was assessed and approved of it no longer holds.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateRequestForChangeInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// All that it says now.
    pub content: RequestForChangeContent,
    /// Why, for the history.
    pub reason: Option<String>,
}

record_inputs! {
    /// A draft to hand in.
    SubmitRequestForChangeInput;
    /// A request for change to assess.
    AssessRequestForChangeInput;
    /// A request for change that may be done.
    ApproveRequestForChangeInput;
    /// A request for change that must not be done; needs a reason.
    RejectRequestForChangeInput;
    /// A request for change to give up; needs a reason.
    CancelRequestForChangeInput;
    /// A request for change to give its place in the calendar.
    ScheduleRequestForChangeInput;
    /// A request for change to begin with.
    StartRequestForChangeInput;
    /// A freeze or maintenance window to lift.
    LiftCalendarEntryInput;
    /// A template to approve.
    ApproveChangeTemplateInput;
    /// A template to withdraw; needs a reason.
    WithdrawChangeTemplateInput;
}

/// An item that is not impacted by a request for change.
#[derive(Clone, Debug, InputObject)]
pub struct MarkNotImpactedInput {
    /// The request.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// The item.
    pub item_id: ID,
    /// Why it is not impacted.
    pub reason: String,
}

/// A request for change of which the work is over.
#[derive(Clone, Debug, InputObject)]
pub struct FinishRequestForChangeInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// Whether everything was brought back to where it was.
    #[graphql(default)]
    pub is_backed_out: bool,
    /// Why, for the history; needed when the change does not show in the catalogue.
    pub reason: Option<String>,
}

/// What a service lost while the work was under way.
#[derive(Clone, Debug, InputObject)]
pub struct ObservedLossInput {
    /// The service.
    pub item_id: ID,
    /// The largest fraction lost, above 0 and at most 1.
    pub loss: f64,
    /// For how long: whole minutes.
    pub duration: Duration,
    /// Where it is written down: the number of an incident.
    pub reference: Option<String>,
}

/// What was learnt of a request for change.
#[derive(Clone, Debug, InputObject)]
pub struct ReviewRequestForChangeInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// Whether the services were watched while the work was under way.
    pub is_monitored: bool,
    /// Incidents and problems linked to it, by number; at most 100.
    #[graphql(default)]
    pub incidents: Vec<String>,
    /// What services lost; at most 100 of them.
    #[graphql(default)]
    pub observed: Vec<ObservedLossInput>,
    /// Whether it failed; absent: it did when it was backed out or an incident is linked to it.
    pub has_failed: Option<bool>,
    /// What was learnt.
    pub lessons: String,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// How a window repeats.
#[derive(Clone, Debug, InputObject)]
pub struct RecurrenceInput {
    /// A recurrence rule of RFC 5545: `FREQ=WEEKLY;BYDAY=SU`.
    pub rule: String,
    /// The IANA name of the zone in which it repeats: `Europe/Berlin`.
    pub zone: String,
}

/// A new freeze or maintenance window.
#[derive(Clone, Debug, InputObject)]
pub struct CreateCalendarEntryInput {
    /// What people call it. Unique among those in force.
    pub name: String,
    /// What it means for changes.
    pub kind: CalendarEntryKind,
    /// The services and sites it is about, at most 1000; none: every service.
    #[graphql(default)]
    pub item_ids: Vec<ID>,
    /// When; of what repeats, the first time.
    pub window: WindowInput,
    /// How it repeats.
    pub recurrence: Option<RecurrenceInput>,
    /// For a freeze: how many members of a redundancy need a service may lose before that violates it; absent:
    /// as the policy says.
    pub margin: Option<u32>,
    /// Why.
    pub reason: String,
}

/// Something that is down or impaired.
#[derive(Clone, Debug, InputObject)]
pub struct ReportDisruptionInput {
    /// The item.
    pub item_id: ID,
    /// What kind it is.
    pub kind: DisruptionKind,
    /// The fraction that is lost, above 0 and at most 1.
    #[graphql(default = 1.0)]
    pub loss: f64,
    /// When it began; absent: now.
    pub start: Option<DateTime<Utc>>,
    /// When it ended, or is known to end; absent: nobody knows.
    pub end: Option<DateTime<Utc>>,
    /// Where it is worked on: the number of an incident.
    pub reference: Option<String>,
    /// What happened, in words.
    pub description: Option<String>,
}

/// A disruption that is over.
#[derive(Clone, Debug, InputObject)]
pub struct EndDisruptionInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// When it ended or will end; absent: now.
    pub end: Option<DateTime<Utc>>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// What a template lets a change do.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct PermittedActionInput {
    /// What is done to an item.
    pub action: ChangeAction,
    /// For `DEGRADES`: the largest fraction that may be lost, above 0 and at most 1.
    pub largest_loss: Option<f64>,
}

/// A kind of change that is to be decided on once for all; another person must approve it.
#[derive(Clone, Debug, InputObject)]
pub struct PutChangeTemplateInput {
    /// Its name; a template of that name is written anew.
    pub name: String,
    /// The version of the template the caller saw; absent: there is none of that name yet.
    pub expected_version: Option<u32>,
    /// What, in a line.
    pub title: String,
    /// The classes of the items it may alter, those below them included; at most 100.
    pub classes: Vec<String>,
    /// What it may do to them; at most 100.
    pub actions: Vec<PermittedActionInput>,
    /// The longest window: whole minutes.
    pub longest_window: Duration,
    /// How it is reversed.
    pub rollback: RollbackInput,
    /// How it is seen that it worked.
    pub verification: String,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// Which items a baseline holds.
#[derive(Clone, Debug, OneofObject)]
pub enum BaselineSelection {
    /// These; at most 1000.
    ItemIds(Vec<ID>),
    /// These, at most 1000, and everything they depend on, directly or not.
    WithDependenciesOf(Vec<ID>),
    /// What a request for change alters, and everything that depends on that, directly or not.
    RequestForChangeId(ID),
}

/// A new baseline of the present, or of a time in the past.
#[derive(Clone, Debug, InputObject)]
pub struct TakeBaselineInput {
    /// What people call it. Unique.
    pub name: String,
    /// Which items it holds.
    pub items: BaselineSelection,
    /// The time in the past whose state it is; absent: now.
    pub as_of: Option<DateTime<Utc>>,
    /// The request for change it is taken for.
    pub request_for_change_id: Option<ID>,
    /// Why.
    pub reason: Option<String>,
}
