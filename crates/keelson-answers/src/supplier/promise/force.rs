//! Whether contracts are in force: one that has ended, or has not begun, promises nothing.

use std::sync::atomic::AtomicBool;

use keelson_analysis::{Limits, Scratch, closure};
use keelson_graph::ItemIx;

use super::{UNDERPINNED_BY, is_bought, target};
use crate::attributes::{is_agreement, moment, number, rests_on_needs, unavailability};
use crate::subject::ci_of;
use crate::supplier::{CONTRACT, SUPPLIER, is_a, sources, targets};
use crate::{Asked, View, item};

/// Why a contract is not in force, in words; absent where it is.
pub(super) fn out_of_force(view: &View, contract: ItemIx, asked: Asked) -> Option<String> {
    let of = |name| moment(view, contract, name);
    if let Some(end) = of("end").filter(|end| *end <= asked.at) {
        return Some(format!("ended on {}", end.format("%Y-%m-%d")));
    }
    let start = of("start").filter(|start| *start > asked.at)?;
    Some(format!("begins on {}", start.format("%Y-%m-%d")))
}

/// Whether what is bought is bought still: a contract is in force, or one beneath something else is; it may have none.
fn is_in_force(view: &View, one: ItemIx, asked: Asked) -> bool {
    if is_a(view, ci_of(one), CONTRACT) {
        return out_of_force(view, one, asked).is_none();
    }
    let contracts = targets(view, ci_of(one), UNDERPINNED_BY);
    contracts.is_empty() || contracts.into_iter().any(|contract| out_of_force(view, item(contract), asked).is_none())
}

/// The target that something bought is promised to meet; absent where it is not bought, states none, or no contract on it
/// is in force.
fn pledged(view: &View, one: ItemIx, asked: Asked) -> Option<f64> {
    if !is_bought(view, one) {
        return None;
    }
    target(view, one).filter(|_| is_in_force(view, one, asked))
}

/// What agreements and measurements say of an item.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub(super) is_contract: bool,
    /// Whether its availability is covered by a contract in force that states a target.
    pub(super) is_covered: bool,
    /// The target it is promised to meet.
    pub(super) pledged: Option<f64>,
    /// Whether it is a supplier that stands behind a target, at any depth: what it does is in that target.
    pub(super) is_behind: bool,
    pub(super) measured: Option<f64>,
    /// Whether nothing is measured, stated or promised of how available it is, and somebody should.
    pub(super) is_silent: bool,
}

impl Said {
    /// Whether what is contracted of it may be another figure than what is observed.
    pub(super) fn is_bought(&self) -> bool {
        self.is_contract || self.is_covered || self.pledged.is_some() || self.is_behind
    }
}

/// What is said of every item, read once: it is asked of each item beneath each service.
pub(super) struct Agreed(Vec<Said>);

impl Agreed {
    pub(super) fn of(view: &View, asked: Asked, stop: Option<&AtomicBool>) -> Self {
        let mut all = vec![Said::default(); view.graph.slots()];
        let mut bought = Vec::new();
        for one in view.graph.item_numbers() {
            let said = &mut all[one.index()];
            said.is_contract = is_a(view, ci_of(one), CONTRACT);
            said.pledged = pledged(view, one, asked);
            said.measured = number(view, one, "measured_availability");
            if said.pledged.is_some() {
                bought.push(one);
            }
        }
        for covered in bought.iter().flat_map(|one| sources(view, ci_of(*one), UNDERPINNED_BY)) {
            if let Some(said) = all.get_mut(item(covered).index()) {
                said.is_covered = true;
            }
        }
        let mut scratch = Scratch::default();
        let limits = Limits { stop, ..Limits::default() };
        closure::walk(&view.graph, &mut scratch, &bought, closure::Direction::Dependencies, &limits);
        for one in scratch.met().filter(|one| is_a(view, ci_of(*one), SUPPLIER)) {
            all[one.index()].is_behind = true;
        }
        for one in view.graph.item_numbers() {
            let said = &mut all[one.index()];
            let is_known = said.is_behind || said.is_covered || said.pledged.is_some() || said.measured.is_some();
            said.is_silent = !is_known
                && unavailability(view, one).is_none()
                && !is_agreement(view, one)
                && !rests_on_needs(view, one);
        }
        Self(all)
    }

    /// Of an item; nothing is said of what no catalogue knows.
    pub(super) fn on(&self, one: ItemIx) -> Said {
        self.0.get(one.index()).copied().unwrap_or_default()
    }
}
