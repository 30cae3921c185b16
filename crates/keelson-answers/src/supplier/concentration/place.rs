//! The place of one supplier among all of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::critical_services;
use super::super::horizon::Horizon;
use super::work::{Fall, Work};
use super::{ShareLine, order};
use crate::subject::key_of;
use crate::{Asked, Basis, LimitCode, QuestionError, View};

/// Most suppliers behind critical services whose losses are compared with that of one.
const MOST_COMPARED: usize = 2_000;

/// Where a supplier stands among all of them, by what falls with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Its rank; with the first one most falls. Absent where not all of the others could be compared.
    pub rank: Option<usize>,
    /// Of how many suppliers.
    pub supplier_count: usize,
    /// How many critical services there are.
    pub critical_count: usize,
    /// What falls with it, and what is paid to it.
    #[serde(flatten)]
    pub line: ShareLine,
}

/// Finds the place of a supplier.
pub(in super::super) fn place(
    view: &View,
    supplier: ItemIx,
    asked: Asked,
    (pool, stop): (&Pool, Option<&AtomicBool>),
    horizon: &Horizon,
    basis: &mut Basis,
) -> Result<Place, QuestionError> {
    let critical = critical_services(view);
    let loaded = view.loaded_beneath(&critical.services);
    let view = &loaded.view;
    let work = Work::of((view, critical), asked, (pool, stop), horizon, basis);
    let line = |one: ItemIx, fall: &Fall| work.line(&key_of(&view.catalogue, one), &[one], fall);
    let own = line(supplier, &work.fall(&[supplier])?);
    // With whoever stands behind no critical service, none falls.
    let mut scratch = Scratch::default();
    let limits = Limits { stop, ..Limits::default() };
    closure::walk(&view.graph, &mut scratch, &work.critical.services, closure::Direction::Dependencies, &limits);
    let behind: BTreeSet<ItemIx> = scratch.met().filter(|one| work.all.binary_search(one).is_ok()).collect();
    let mut rank = None;
    if behind.len() > MOST_COMPARED {
        let message = format!(
            "{} suppliers stand behind critical services, more than the {MOST_COMPARED} that are compared: its rank among them \
             is not told",
            behind.len()
        );
        basis.limit(LimitCode::Items, message);
    } else {
        let mut before = 0;
        for one in work.all.iter().filter(|one| **one != supplier) {
            let fall = if behind.contains(one) { work.fall(&[*one])? } else { Fall::default() };
            before += usize::from(order(&line(*one, &fall), &own) == Ordering::Less);
        }
        let is_stopped = stop.is_some_and(|stop| stop.load(std::sync::atomic::Ordering::Relaxed));
        rank = (!is_stopped).then_some(before + 1);
    }
    Ok(Place { rank, supplier_count: work.all.len(), critical_count: work.critical.services.len(), line: own })
}
