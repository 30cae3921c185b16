//! Pages of requests for change.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject};
use chrono::{DateTime, Utc};
use keelson_catalogue::Kept;
use keelson_model as model;

use super::WindowInput;
use super::request::RequestForChange;
use super::words::{RequestForChangeCategory, RequestForChangeState};
use crate::connection::{Connection, Paging, Place};
use crate::context::list_name;
use crate::cursor::CursorKey;
use crate::errors::Refusal;
use crate::filter::{StringFilter, check_nodes, few_orders};
use crate::ids;
use crate::limits::MOST_VALUES;
use crate::moment::Moment;
use crate::types::words::SortDirection;

/// Which requests for change. All that is given must hold. At most 8 levels and 50 predicates.
#[derive(Clone, Debug, Default, InputObject)]
pub struct RequestForChangeWhere {
    /// All of these hold.
    pub and: Option<Vec<RequestForChangeWhere>>,
    /// One of these holds.
    pub or: Option<Vec<RequestForChangeWhere>>,
    /// This does not hold.
    pub not: Option<Box<RequestForChangeWhere>>,
    /// They stand at one of these, at most 100.
    pub states: Option<Vec<RequestForChangeState>>,
    /// They are decided on in one of these ways, at most 100.
    pub categories: Option<Vec<RequestForChangeCategory>>,
    /// Whether the work may still be ahead or under way.
    pub is_open: Option<bool>,
    /// Their window, or the time behind it in which they may be reversed, has something in common with this.
    pub overlaps: Option<WindowInput>,
    /// Who asks for them.
    pub requester: Option<StringFilter>,
    /// Who carries them out.
    pub team: Option<StringFilter>,
    /// An item they alter.
    pub item_id: Option<ID>,
    /// Words that must all occur in key, title or reason, without regard to case.
    pub text: Option<String>,
}

/// A filter, checked. It is as deep as the filter, which [`RequestForChangeWhere::check`] has limited.
struct Wanted<'a> {
    filter: &'a RequestForChangeWhere,
    and: Vec<Wanted<'a>>,
    or: Option<Vec<Wanted<'a>>>,
    not: Option<Box<Wanted<'a>>>,
    overlaps: Option<model::Window>,
    item: Option<model::CiId>,
    words: Vec<String>,
}

impl RequestForChangeWhere {
    /// Holds its limits.
    fn check(&self) -> Result<(), Refusal> {
        let own = |one: &Self| {
            let values = one.states.as_ref().map_or(0, Vec::len).max(one.categories.as_ref().map_or(0, Vec::len));
            if values > MOST_VALUES {
                return Err(Refusal::input(format!("states and categories take {MOST_VALUES} values")));
            }
            let texts = one.requester.iter().chain(&one.team);
            Ok(texts.map(StringFilter::check).sum::<Result<usize, Refusal>>()? + 1)
        };
        check_nodes(self, own, |one| one.and.iter().chain(&one.or).flatten().chain(one.not.as_deref()).collect())
    }
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a RequestForChangeWhere) -> Result<Self, Refusal> {
        let all = |list: &'a [RequestForChangeWhere]| list.iter().map(Self::of).collect::<Result<Vec<_>, Refusal>>();
        let text = filter.text.as_deref().unwrap_or_default();
        Ok(Self {
            filter,
            and: all(filter.and.as_deref().unwrap_or_default())?,
            or: filter.or.as_deref().map(all).transpose()?,
            not: filter.not.as_deref().map(|one| Self::of(one).map(Box::new)).transpose()?,
            overlaps: filter.overlaps.as_ref().map(WindowInput::window).transpose().map_err(Refusal::input)?,
            item: filter.item_id.as_ref().map(ids::ci).transpose()?,
            words: text.split_whitespace().map(str::to_lowercase).take(MOST_VALUES).collect(),
        })
    }

    fn holds(&self, request: &model::RequestForChange) -> bool {
        let filter = self.filter;
        let meets = |wanted: &model::Window| {
            let own = [request.window, request.shadow()];
            own.iter().flatten().any(|window| window.overlap(wanted).is_some())
        };
        let says = |word: &String| {
            [&request.key, &request.title, &request.reason].iter().any(|text| text.to_lowercase().contains(word))
        };
        filter.states.as_ref().is_none_or(|states| states.contains(&request.state.into()))
            && filter.categories.as_ref().is_none_or(|known| known.contains(&request.category.into()))
            && filter.is_open.is_none_or(|wanted| request.state.is_open() == wanted)
            && filter.requester.as_ref().is_none_or(|text| text.holds(&std::iter::once(&*request.requester)))
            && filter.team.as_ref().is_none_or(|text| text.holds(&request.team.as_deref().into_iter()))
            && self.overlaps.as_ref().is_none_or(meets)
            && self.item.is_none_or(|item| request.alterations.iter().any(|one| one.ci == item))
            && self.words.iter().all(says)
            && self.and.iter().all(|inner| inner.holds(request))
            && self.or.as_ref().is_none_or(|any| any.iter().any(|inner| inner.holds(request)))
            && !self.not.as_ref().is_some_and(|inner| inner.holds(request))
    }
}

/// What requests for change are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RequestForChangeOrderField {
    /// Their keys.
    Key,
    /// Their titles.
    Title,
    /// When they were written down.
    CreatedAt,
    /// The starts of their windows.
    WindowStart,
    /// Where they stand, in the order of the work.
    State,
    /// Who asks for them.
    Requester,
}

/// One key that requests for change are sorted by.
#[derive(Clone, Debug, InputObject)]
pub struct RequestForChangeOrder {
    /// The field.
    pub field: RequestForChangeOrderField,
    /// Which way.
    #[graphql(default)]
    pub direction: SortDirection,
}

/// The place of a request in a list. Texts are compared, so times are written with all their digits.
fn place(request: &model::RequestForChange, order: &[RequestForChangeOrder]) -> Place {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
    let field = |by: &RequestForChangeOrder| match by.field {
        RequestForChangeOrderField::Key => request.key.to_string(),
        RequestForChangeOrderField::Title => request.title.to_string(),
        RequestForChangeOrderField::CreatedAt => request.id.to_string(),
        RequestForChangeOrderField::State => format!("{:02}", RequestForChangeState::from(request.state) as u8),
        RequestForChangeOrderField::Requester => request.requester.to_string(),
        RequestForChangeOrderField::WindowStart => match (request.window, by.direction) {
            (Some(window), _) => time(window.start()),
            // Absent values come last either way.
            (None, SortDirection::Ascending) => "~".to_owned(),
            (None, SortDirection::Descending) => String::new(),
        },
    };
    (order.iter().map(field).collect(), vec![request.id.to_string()])
}

/// A page of requests for change, the newest first where no order is given.
pub(crate) fn requests_for_change(
    seal: &CursorKey,
    at: &Arc<Moment>,
    filter: &RequestForChangeWhere,
    order: &[RequestForChangeOrder],
    paging: &Paging,
) -> Result<Connection<RequestForChange>, Refusal> {
    few_orders(order.len())?;
    let newest =
        [RequestForChangeOrder { field: RequestForChangeOrderField::CreatedAt, direction: SortDirection::Descending }];
    let order = if order.is_empty() { &newest } else { order };
    filter.check()?;
    let wanted = Wanted::of(filter)?;
    let found = at.catalogue().requests().filter(|kept| wanted.holds(&kept.record));
    let entries: Vec<(Place, &Kept<model::RequestForChange>)> =
        found.map(|kept| (place(&kept.record, order), kept)).collect();
    let directions: Vec<SortDirection> = order.iter().map(|by| by.direction).collect();
    let name = list_name("requestsForChange", format!("{order:?}"), at);
    let node = |kept: &Kept<model::RequestForChange>| RequestForChange::of(at, kept);
    Connection::sorted(entries, &directions, paging, &name, seal, node)
}
