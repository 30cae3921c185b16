//! Harm that was not predicted and that the catalogue still does not explain: something is missing in it.

use keelson_analysis::Pool;
use keelson_analysis::impact::{Question, impact};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;

use super::compare::{Outages, compare};
use super::score::{Verdict, verdict};
use crate::change::seeds_of;
use crate::{QuestionError, View, item};

/// A service that lost something during a change, of which neither the assessment nor today's catalogue says
/// that it would.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missed {
    /// The request, by key.
    pub(crate) request: String,
    /// The service.
    pub(crate) service: CiIx,
    /// The largest fraction that was lost.
    pub(crate) loss: f64,
    /// Whether the service depends on what was altered, and was only expected to hold.
    pub(crate) depends: bool,
    /// The altered items, by key.
    pub(crate) altered: Vec<String>,
}

/// What reviews of changes that were watched could not explain, by request and service. What somebody has
/// put right in the catalogue since, so that the same change would now be expected to do that harm, is left
/// out.
///
/// # Errors
/// When the analyses refuse: a stored need that cannot be drawn, which no write lets in.
pub(crate) fn unexplained(view: &View, pool: &Pool) -> Result<Vec<Missed>, QuestionError> {
    let mut found = Vec::new();
    let outages = Outages::on_services(view);
    let requests = view.catalogue.requests().map(|kept| &*kept.record);
    for request in requests.filter(|request| request.review.as_ref().is_some_and(|review| review.is_monitored)) {
        let Some(compared) = compare(view, &outages, request, pool)? else { continue };
        let missed = compared.services.iter().filter(|(_, compared)| verdict(compared) == Verdict::Miss);
        let missed: Vec<(CiIx, f64)> = missed
            .filter_map(|(ci, compared)| Some((view.catalogue.find_id(*ci)?, compared.observed.as_ref()?.loss)))
            .collect();
        if missed.is_empty() {
            continue;
        }
        let (seeds, _) = seeds_of(view, request);
        let today = impact(&view.graph, &Question::about(&seeds), pool)?;
        let touched: Vec<ItemIx> = today.touched().unwrap_or_default().to_vec();
        let altered = request.alterations.iter().filter_map(|alteration| view.catalogue.find_id(alteration.ci));
        let altered: Vec<String> = altered.map(|ix| view.catalogue.ci(ix).key.to_string()).collect();
        let still = missed.into_iter().filter(|(service, _)| today.loss(item(*service)) == 0.0);
        found.extend(still.map(|(service, loss)| Missed {
            request: request.key.to_string(),
            service,
            loss,
            depends: touched.contains(&item(service)),
            altered: altered.clone(),
        }));
    }
    Ok(found)
}
