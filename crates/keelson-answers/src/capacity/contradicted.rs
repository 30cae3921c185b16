//! Declared redundancy that the load contradicts (analyses 1.5), for answers that hold by what is declared.
//!
//! Only what the catalogue states counts, nothing that was measured since.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::demand::Model;
use keelson_analysis::expiry::{Disagreement, ExpiryError};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_graph::{ItemIx, NeedView};

use super::growth::demand_of;
use super::pools::carried;
use crate::attributes::amount;
use crate::demand::{refused, visits};
use crate::needs::title;
use crate::single_points::services;
use crate::subject::key_of;
use crate::{Asked, Basis, LimitCode, QuestionError, View};

/// Needs that are named.
const MOST_NAMED: usize = 3;

/// Says which needs of some items, and of all these rest on, are declared to be redundant and are not at their load.
pub(crate) fn note_beneath(basis: &mut Basis, view: &View, items: &[ItemIx], asked: Asked, stop: Option<&AtomicBool>) {
    let limits = Limits { stop, ..Limits::default() };
    let mut scratch = Scratch::default();
    closure::walk(&view.graph, &mut scratch, items, closure::Direction::Dependencies, &limits);
    let mut owners: Vec<ItemIx> = scratch.met().chain(items.iter().copied()).collect();
    owners.sort_unstable();
    owners.dedup();
    note(basis, view, &owners, asked, stop);
}

/// Says which needs of some items are declared to be redundant and are not at their load.
pub(crate) fn note(basis: &mut Basis, view: &View, owners: &[ItemIx], asked: Asked, stop: Option<&AtomicBool>) {
    let found = match contradicted(view, owners, asked.at, stop) {
        Ok(found) => found,
        Err(error) => {
            let message = format!("declared redundancy is not compared with what loads take: {error}");
            basis.limit(LimitCode::FigureMissing, message);
            return;
        }
    };
    if found.is_empty() {
        return;
    }
    let shown = found.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ");
    let more = found.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = format!(
        "the load contradicts declared redundancy, and what is told here holds by what is declared: {shown}{more}"
    );
    basis.limit(LimitCode::FigureMissing, message);
}

/// Each need in words that takes more members at its load than are declared to be needed.
fn contradicted(
    view: &View,
    owners: &[ItemIx],
    now: DateTime<Utc>,
    stop: Option<&AtomicBool>,
) -> Result<Vec<String>, QuestionError> {
    let has_capacity = |member: &ItemIx| amount(view, *member, "capacity").is_some();
    let is_pool = |need: &NeedView<'_>| {
        let is_redundant = need.members.len() > 1 && need.phase().runs() && !need.head.is_share();
        is_redundant && need.required().is_some() && need.members.iter().all(has_capacity)
    };
    let needs: Vec<NeedView<'_>> = owners.iter().flat_map(|owner| view.graph.needs(*owner)).filter(is_pool).collect();
    if needs.is_empty() {
        return Ok(Vec::new());
    }
    let stated = View { series: None, ..view.clone() };
    let limits = Limits { stop, ..Limits::default() };
    let (visits, _) = visits(&stated, now)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let all = services(&stated, &[])?;
    let demand = demand_of(&stated, &model, &all, &[], now, &limits)?;
    let amounts = model.demand(&demand.outside.sources, &limits).map_err(|error| refused(view, &error))?;
    let mut found = Vec::new();
    for need in &needs {
        let Ok((known, unit)) = carried(&stated, &model, &amounts, need, |_| 1.0)? else { continue };
        let figures = |error: ExpiryError| QuestionError::Figures(error.to_string());
        let differs = known.pool.disagreement(known.load).map_err(figures)?;
        let Some(differs) = differs.filter(Disagreement::is_dangerous) else { continue };
        let takes = differs
            .derived
            .map_or_else(|| "more than all of them carry".to_owned(), |derived| format!("{derived} of them"));
        found.push(format!(
            "'{}' of '{}' is declared to need {} of {}, and its load of {} {unit} takes {takes}",
            title(&view.catalogue, need).0,
            key_of(&view.catalogue, need.owner()),
            differs.declared,
            need.members.len(),
            (known.load * 1e4).round() / 1e4
        ));
    }
    Ok(found)
}
