//! Answers of the analyses of the graph: a file for each, and what they share.
//!
//! An answer's lists are computed whole, up to [`LISTED`] entries, and paged here (`placed`).

pub mod single_points;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_graphql::Context;
use keelson_analysis::Pool;
use keelson_app::View;
use keelson_app::answers::{Asked, QuestionError};

use super::lookup::ConfigurationItemBy;
use crate::context::{Find, analyse};
use crate::errors::Refusal;
use crate::limits::MOST_VALUES;
use crate::moment::Moment;
use crate::query::key_of;

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
