//! Change management: requests, what they do, the calendar, disruptions, templates, baselines, schedules.

pub mod assessed;
pub mod baseline;
pub mod calendar;
pub mod disruption;
pub mod effect;
pub mod impact;
pub mod listing;
pub mod load;
pub mod outcome;
pub mod payload;
pub mod request;
pub mod review;
pub mod schedule;
pub mod template;
pub mod words;

use std::sync::Arc;

use async_graphql::{Context, InputObject, SimpleObject};
use chrono::{DateTime, TimeZone, Utc};
use keelson_catalogue::CiIx;
use keelson_model as model;

use super::item::ConfigurationItem;
use super::scalar::Duration;
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::moment::Moment;

/// A time from its start up to, and not including, its end.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Window {
    /// Its first instant.
    start: DateTime<Utc>,
    /// The first instant after it.
    end: DateTime<Utc>,
}

impl From<model::Window> for Window {
    fn from(window: model::Window) -> Self {
        Self { start: window.start(), end: window.end() }
    }
}

/// A time from its start up to, and not including, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, InputObject)]
pub struct WindowInput {
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

impl WindowInput {
    /// The window meant.
    ///
    /// # Errors
    /// A sentence when it is empty, or at a time nobody plans for.
    pub fn window(&self) -> Result<model::Window, String> {
        window(self.start, self.end)
    }
}

/// The first year whose times are taken.
const FIRST_YEAR: i32 = 1970;
/// The first year whose times are no longer taken.
const LAST_YEAR: i32 = 2200;

/// The window between two times.
pub(crate) fn window(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<model::Window, String> {
    let year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
    if year(FIRST_YEAR).is_some_and(|first| start < first) || year(LAST_YEAR).is_some_and(|last| last < end) {
        return Err(format!("times lie between the years {FIRST_YEAR} and {LAST_YEAR}"));
    }
    model::Window::new(start, end).map_err(|error| error.to_string())
}

/// How everything is brought back to where it was.
#[derive(Clone, Debug, SimpleObject)]
pub struct Rollback {
    /// What is done, in words.
    plan: String,
    /// How long it takes.
    duration: Duration,
}

impl From<&model::Rollback> for Rollback {
    fn from(rollback: &model::Rollback) -> Self {
        Self { plan: rollback.plan.to_string(), duration: minutes(rollback.minutes) }
    }
}

/// Minutes as a duration.
pub(crate) fn minutes(minutes: u32) -> Duration {
    Duration(chrono::TimeDelta::minutes(i64::from(minutes)))
}

/// The numbers of some items, those nobody knows left out.
fn numbers_of(at: &Moment, ids: &[model::CiId]) -> Vec<CiIx> {
    ids.iter().filter_map(|id| at.catalogue().find_id(*id)).collect()
}

/// The configuration item of an id at a moment.
fn item_of(at: &Arc<Moment>, id: model::CiId) -> Option<ConfigurationItem> {
    at.catalogue().find_id(id).map(|ix| ConfigurationItem::at(at, ix))
}

/// A page of what stands in a record or an answer, in its order. `of` tells which record.
pub(crate) fn placed<T, N>(
    ctx: &Context<'_>,
    at: &Moment,
    (list, of): (&'static str, String),
    all: &[T],
    paging: &Paging,
    node: impl Fn(&T) -> N,
) -> Result<Connection<N>, Refusal> {
    let places: Vec<(usize, &T)> = all.iter().enumerate().collect();
    let name = list_name(list, of, at);
    Connection::page(&places, paging, &name, &ctx.services().seal, |(place, _)| *place, |(_, one)| node(one))
}

/// The first entries of a list of texts that is not paged.
fn texts(all: &[Arc<str>]) -> Vec<String> {
    all.iter().take(crate::limits::LONGEST_LIST).map(ToString::to_string).collect()
}
