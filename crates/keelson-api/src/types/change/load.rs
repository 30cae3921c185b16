//! Whether what is left of a redundancy carries its load while a change is under way.

use std::sync::Arc;

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use keelson_app::answers::capacity::{LoadLine, LoadSpan};

use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::impact::{by_key, by_keys};
use crate::types::item::ConfigurationItem;

/// How a need of several members stands against its load while some of them are out, by what the catalogue states.
#[derive(SimpleObject)]
pub struct LoadMeanwhile {
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What the need is called.
    need: String,
    /// How many members it has.
    member_count: usize,
    /// Those that are out, wholly or in part; the first 100.
    lost: Vec<ConfigurationItem>,
    /// The load at its peak.
    peak: f64,
    /// The unit of the load.
    unit: String,
    /// Whether it is stated how the load goes through the day; otherwise it counts with its peak all the time.
    has_profile: bool,
    /// Whether what is left does not carry the load at some time.
    falls_short: bool,
    /// How many times there are in which it stands alike.
    span_count: usize,
    /// These times in order; the first 100.
    spans: Vec<LoadMeanwhileSpan>,
}

/// A time in which a need stands alike against its load.
#[derive(SimpleObject)]
pub struct LoadMeanwhileSpan {
    /// From when.
    from: DateTime<Utc>,
    /// Until when, itself left out.
    until: DateTime<Utc>,
    /// The highest load in it.
    load: f64,
    /// How many members must be up at that load; null where not even all that are left carry it.
    required: Option<u32>,
    /// How many more may be lost; null where what is left does not carry the load.
    margin: Option<u32>,
    /// What is delivered of the load, as a fraction.
    delivered: Option<f64>,
}

impl LoadMeanwhile {
    pub(super) fn of(at: &Arc<Moment>, line: &LoadLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            need: line.need.clone(),
            member_count: line.members,
            lost: by_keys(at, &line.lost[..line.lost.len().min(LONGEST_LIST)]),
            peak: line.peak.value,
            unit: line.peak.unit.clone(),
            has_profile: line.has_profile,
            falls_short: line.falls_short(),
            span_count: line.spans.len(),
            spans: line.spans.iter().take(LONGEST_LIST).map(Into::into).collect(),
        }
    }
}

impl From<&LoadSpan> for LoadMeanwhileSpan {
    fn from(span: &LoadSpan) -> Self {
        let LoadSpan { from, until, load, required, margin, delivered } = *span;
        Self { from, until, load, required, margin, delivered }
    }
}
