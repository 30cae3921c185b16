//! Whether contracts are in force: one that has ended, or has not begun, promises nothing.

use keelson_graph::ItemIx;

use super::{UNDERPINNED_BY, is_bought, target};
use crate::attributes::moment;
use crate::subject::ci_of;
use crate::supplier::{CONTRACT, is_a, targets};
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
pub(super) fn pledged(view: &View, one: ItemIx, asked: Asked) -> Option<f64> {
    if !is_bought(view, one) {
        return None;
    }
    target(view, one).filter(|_| is_in_force(view, one, asked))
}

/// Whether its availability is covered by a contract in force that states a target.
pub(super) fn is_covered(view: &View, one: ItemIx, asked: Asked) -> bool {
    targets(view, ci_of(one), UNDERPINNED_BY).into_iter().any(|ix| pledged(view, item(ix), asked).is_some())
}
