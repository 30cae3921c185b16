//! Times at which work is forbidden or agreed, and disruptions that are already there.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ci::words;
use crate::{CalendarEntryId, CiId, DisruptionId, Window};

words! {
    /// What an entry of the calendar means for changes.
    CalendarKind {
        /// Nothing may harm what it is about.
        Freeze = "freeze",
        /// Work that harms what it is about belongs here, and only here.
        Maintenance = "maintenance",
    }
}

/// How a window repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// A recurrence rule of RFC 5545: `FREQ=WEEKLY;BYDAY=SU`.
    pub rule: Arc<str>,
    /// IANA name of the zone in which it repeats, so that 02:00 stays 02:00 when the clocks change.
    pub zone: Arc<str>,
}

/// A freeze or an agreed maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalendarEntry {
    /// Its identifier, for life.
    pub id: CalendarEntryId,
    /// What people call it. Unique among those in force.
    pub name: Arc<str>,
    /// Number of changes, from 1.
    pub version: u32,
    /// What it means.
    pub kind: CalendarKind,
    /// The services and sites it is about; empty means every service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<CiId>,
    /// When; with a recurrence, the first time.
    pub window: Window,
    /// How it repeats; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// For a freeze: how many members of a redundancy need a service may lose before that violates
    /// it; absent: as the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<u32>,
    /// Why.
    pub reason: Arc<str>,
    /// Who set it.
    pub by: Arc<str>,
    /// When it was lifted, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<DateTime<Utc>>,
}

words! {
    /// What kind of disruption it is.
    DisruptionKind {
        /// Something broke.
        Incident = "incident",
        /// Somebody took it down on purpose.
        Maintenance = "maintenance",
    }
}

/// An item that is down or impaired, apart from what requests for change do: part of the state every
/// assessment starts from, and afterwards of what reviews compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disruption {
    /// Its identifier, for life.
    pub id: DisruptionId,
    /// Number of changes, from 1.
    pub version: u32,
    /// The item.
    pub ci: CiId,
    /// What kind.
    pub kind: DisruptionKind,
    /// The fraction of the item that is lost, above 0 and at most 1.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended, or is known to end; absent: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on: the number of an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Arc<str>>,
    /// Who reported it.
    pub by: Arc<str>,
}
