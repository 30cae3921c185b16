//! Answers of the analyses of the graph: a file for each, and what they share.
//!
//! An answer's lists are computed whole, up to `LISTED` entries, and paged here (`placed`).

pub mod availability;
pub mod capacity;
pub mod concentration;
pub mod cut_sets;
pub mod demand;
pub mod drift;
pub mod health;
pub mod promise;
pub mod recovery;
pub mod register;
pub mod sample;
pub mod single_points;
pub mod supplier_loss;
pub mod throughput;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_graphql::{Context, SimpleObject};
use keelson_analysis::Pool;
use keelson_app::View;
use keelson_app::answers::attributes::{Amount, Minutes};
use keelson_app::answers::{Asked, QuestionError, Subject};

use super::change::placed;
use super::impact::numbers;
use super::item::ConfigurationItem;
use super::lookup::ConfigurationItemBy;
use crate::connection::{Connection, Paging};
use crate::context::{Find, analyse};
use crate::errors::Refusal;
use crate::limits::{LONGEST_LIST, MOST_VALUES};
use crate::moment::Moment;
pub(crate) use crate::query::key_of;

/// Most entries of each list of an answer.
pub(crate) const LISTED: usize = 10_000;

/// Computes an answer at a moment, in its turn and its time.
pub(crate) async fn answered<T: Send + 'static>(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    work: impl FnOnce(&View, Asked, &Pool, Option<&AtomicBool>) -> Result<T, QuestionError> + Send + 'static,
) -> Result<T, Refusal> {
    let (at, pool) = (Arc::clone(at), Arc::clone(ctx.services().keelson.pool()));
    Ok(analyse(ctx.services(), move |stop| work(&at.view, at.asked, &pool, Some(stop))).await??)
}

/// The keys of items that a question names.
pub(crate) fn keys_of(at: &Moment, named: &[ConfigurationItemBy]) -> Result<Vec<String>, Refusal> {
    if named.len() > MOST_VALUES {
        return Err(Refusal::input(format!("{} items were named; {MOST_VALUES} are the most", named.len())));
    }
    named.iter().map(|by| key_of(at, by)).collect()
}

/// A number that a question bounds something with.
pub(crate) fn bounded(what: &str, number: i32, most: usize) -> Result<usize, Refusal> {
    let fits = usize::try_from(number).ok().filter(|number| *number <= most);
    fits.ok_or_else(|| Refusal::input(format!("{what} may be 0 to {most}; {number} was given")))
}

/// The first of some items that an answer names.
pub(crate) fn by_subjects(at: &Arc<Moment>, subjects: &[Subject]) -> Vec<ConfigurationItem> {
    let keys = subjects.iter().take(LONGEST_LIST).map(|subject| subject.key.as_str());
    numbers(at, keys).into_iter().map(|ix| ConfigurationItem::at(at, ix)).collect()
}

/// A page of some items that an answer names.
pub(crate) fn page_of_subjects(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    list: &'static str,
    subjects: &[Subject],
    paging: &Paging,
) -> Result<Connection<ConfigurationItem>, Refusal> {
    let items = numbers(at, subjects.iter().map(|subject| subject.key.as_str()));
    placed(ctx, at, (list, String::new()), &items, paging, |ix| ConfigurationItem::at(at, *ix))
}

/// A number with its unit, as computed.
#[derive(SimpleObject)]
pub struct AmountOfUnit {
    /// How much.
    value: f64,
    /// In which unit.
    unit: String,
}

impl AmountOfUnit {
    fn of(amount: &Amount) -> Self {
        Self { value: amount.value, unit: amount.unit.clone() }
    }
}

/// A span of minutes that holds the true number.
#[derive(SimpleObject)]
pub struct MinuteSpan {
    /// At least.
    least: f64,
    /// At most.
    most: f64,
}

impl MinuteSpan {
    fn of(minutes: Minutes) -> Self {
        Self { least: minutes.least, most: minutes.most }
    }
}
