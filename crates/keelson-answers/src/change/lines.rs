//! What the assessment of a change is written in: a line for each thing it names.

use chrono::{DateTime, Utc};
use keelson_model::{
    CalendarKind, ChangeCategory, ChangeState, Criticality, DisruptionKind, Effect, RequestForChange, Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::impact::{Because, ProofText, ProtectedBy};
use crate::{Subject, View};

/// An item with what a request does to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlterationLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What is done to it: `takes_down`, `degrades`, `restarts`, `replaces`, `retires`, `adds` or
    /// `no_interruption`.
    pub action: String,
    /// The fraction of it that is lost meanwhile.
    pub loss: f64,
}

/// The request in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeLine {
    /// What people call it.
    pub key: String,
    /// What, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How it is decided on.
    pub category: ChangeCategory,
    /// Where it stands.
    pub state: ChangeState,
    /// Number of its changes.
    pub version: u32,
    /// Who asks for it.
    pub requester: String,
    /// Who carries it out.
    pub team: Option<String>,
    /// When it is to be done.
    pub window: Option<Window>,
    /// How long it takes to reverse, in minutes.
    pub rollback_minutes: Option<u32>,
    /// What it alters.
    pub alterations: Vec<AlterationLine>,
}

impl ChangeLine {
    /// A request in short.
    #[must_use]
    pub fn of(view: &View, request: &RequestForChange) -> Self {
        let alterations = request.alterations.iter().filter_map(|alteration| {
            let ix = view.catalogue.find_id(alteration.ci)?;
            Some(AlterationLine {
                subject: Subject::of(&view.catalogue, ix),
                action: alteration.action.name().to_owned(),
                loss: alteration.action.loss(),
            })
        });
        Self {
            key: request.key.to_string(),
            title: request.title.to_string(),
            reason: request.reason.to_string(),
            category: request.category,
            state: request.state,
            version: request.version,
            requester: request.requester.to_string(),
            team: request.team.as_deref().map(str::to_owned),
            window: request.window,
            rollback_minutes: request.rollback.as_ref().map(|rollback| rollback.minutes),
            alterations: alterations.collect(),
        }
    }
}

/// Something that is down anyway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What kind of disruption it is.
    pub kind: DisruptionKind,
    /// The fraction of it that is lost.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it is known to end.
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on.
    pub reference: Option<String>,
}

/// The effect on one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What becomes of it, at worst.
    pub effect: Effect,
    /// Whether that is so however the unknown facts turn out.
    pub is_certain: bool,
    /// The fraction of it that is lost: needs as written, and what is known to fall short of its load.
    pub loss: f64,
    /// The fraction that is lost at worst because what is left of some redundancy does not carry its load, though enough
    /// of it is left by what is declared; absent where that is no more than by the needs as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_by_load: Option<f64>,
    /// The fraction that is lost anyway, without the change.
    pub lost_before: f64,
    /// For how long, in hours; absent without a window.
    pub hours: Option<f64>,
    /// How many members of a redundancy need the change takes from it, of the need that loses most.
    pub margin_taken: u32,
    /// How many more members may then fail before a need gives way, of the need with the smallest margin;
    /// absent when no redundancy is in the way.
    pub margin: Option<u32>,
    /// Single failures that would then breach it and would not otherwise, by key.
    pub new_single_points: Vec<String>,
    /// How likely one of those is to fail while the change is under way; absent without a window, and where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_failure: Option<PointFailure>,
    /// Whether those were looked for; only where the change takes some redundancy.
    pub single_points_examined: bool,
    /// Why it loses something.
    pub because: Option<Because>,
    /// The whole proof, a line each; empty where nothing is lost.
    pub proof: Vec<ProofText>,
    /// What keeps it from losing anything.
    pub protected_by: Vec<ProtectedBy>,
    /// Who owns it, by key.
    pub owners: Vec<String>,
    /// Whom it is provided to.
    pub customers: Vec<Subject>,
    /// What an hour without it costs, where stated: `20000 EUR`.
    pub value_per_hour: Option<String>,
}

/// How likely one of some items is to fail in a time, each independently of the others: 1 − Π e^(−rate · time), with the
/// rate of failures q / ((1 − q) · time to repair) (analyses 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointFailure {
    /// The chance, from those that state their unavailability and their time to repair.
    pub chance: f64,
    /// How many do not: the true chance is higher.
    pub unstated: usize,
}

/// What violates the calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViolationLine {
    /// The freeze or maintenance window, by name.
    pub entry: String,
    /// Which of the two it is.
    pub kind: CalendarKind,
    /// What it is about; absent when it is about every service.
    pub item: Option<Subject>,
    /// When.
    pub during: Window,
    /// Whether it is only so if the change has to be reversed.
    pub only_if_reversed: bool,
    /// Why, in a sentence.
    pub text: String,
}

/// Changes that breach together what none of them breaches alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollisionLine {
    /// The service.
    pub service: Subject,
    /// When.
    pub window: Window,
    /// The smallest set of changes at fault, by key.
    pub changes: Vec<String>,
    /// The fraction of the service that is lost then.
    pub loss: f64,
    /// The change that is being reversed, when it is only so then.
    pub reversed: Option<String>,
    /// Whether it is only so if what nobody knows turns out badly.
    pub only_in_doubt: bool,
}

/// The smallest shift that resolves the collisions of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftLine {
    /// The change to move, by key.
    pub change: String,
    /// By how many seconds; above 0 means later.
    pub seconds: i64,
    /// Its new window.
    pub window: Window,
    /// Whether it would leave the window agreed for it.
    pub leaves_agreed: bool,
    /// How many collisions of others are left.
    pub left: usize,
    /// Freezes in force then that are about everything, or about something that the change touches, by name:
    /// to be looked at before it is moved there.
    pub meets: Vec<String>,
}

/// An item somebody judged to be not impacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotImpactedLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}
