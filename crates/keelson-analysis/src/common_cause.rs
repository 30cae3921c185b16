//! What members of a pool share without its being drawn: the same release, the same batch, the same
//! mistake in their configuration.
//!
//! A fraction β of what fails a member fails all of them (the beta-factor model; analyses 3.1). This
//! is data made ready before the question, not a method of its own: every pool gets an item that its
//! members need, with the common part of their chance; each member keeps the rest. Everything that is
//! asked of the graph then sees the item, with its own importance and its place in cut sets.

use std::collections::HashMap;

use keelson_graph::{Changes, GraphError, ItemIx, NeedSpec, Snapshot};
use thiserror::Error;

use crate::availability::Chance;

/// Items that fail together now and then.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// The members.
    pub members: &'a [ItemIx],
    /// Which fraction of what fails one of them fails all, between 0 and 1.
    pub beta: f64,
    /// The number of the item that stands for it; no item of the graph has it yet.
    pub cause: ItemIx,
}

/// Why common causes cannot be drawn.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CommonCauseError {
    /// A fraction outside 0..=1.
    #[error("the common part of item {} is {beta}; it must lie between 0 and 1", cause.0)]
    BetaOutOfRange {
        /// The item that stands for the common cause.
        cause: ItemIx,
        /// The offending fraction.
        beta: f64,
    },
    /// The number of an item that is there already.
    #[error("item {} is in the graph already and cannot stand for a common cause", cause.0)]
    Taken {
        /// The number.
        cause: ItemIx,
    },
    /// The graph cannot be changed like that.
    #[error("the items of common causes cannot be added")]
    Graph(#[from] GraphError),
}

/// A graph with its common causes drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The graph.
    pub snapshot: Snapshot,
    /// The chances of members and common causes.
    chances: HashMap<ItemIx, Chance>,
}

impl Drawn {
    /// The chance of an item, if drawing common causes has changed it.
    #[must_use]
    pub fn chance(&self, item: ItemIx) -> Option<Chance> {
        self.chances.get(&item).copied()
    }
}

/// Splits a chance into the part that is common to a pool, and the part that is a member's own.
#[must_use]
pub fn split(chance: Chance, beta: f64) -> (Chance, Chance) {
    let part = |share: f64| Chance::between(chance.least * share, chance.most * share);
    (part(beta), part(1.0 - beta))
}

/// Draws the common causes of groups.
///
/// Where members of a group have different chances, the common part is that of the most reliable one:
/// no member may fail by it more often than it does at all. The others keep what is left of theirs.
///
/// # Errors
/// When a fraction lies outside 0..=1, a number is taken, or the graph knows nothing of a member.
pub fn draw(
    snapshot: &Snapshot,
    groups: &[Group<'_>],
    chance: impl Fn(ItemIx) -> Chance,
) -> Result<Drawn, CommonCauseError> {
    let mut changes = Changes::new();
    let mut chances: HashMap<ItemIx, Chance> = HashMap::new();
    let mut causes: HashMap<ItemIx, Vec<ItemIx>> = HashMap::new();
    for &Group { members, beta, cause } in groups {
        if !(0.0..=1.0).contains(&beta) {
            return Err(CommonCauseError::BetaOutOfRange { cause, beta });
        }
        if snapshot.contains(cause) || chances.contains_key(&cause) {
            return Err(CommonCauseError::Taken { cause });
        }
        changes.add(cause);
        let known =
            |chances: &HashMap<ItemIx, Chance>, member| chances.get(&member).copied().unwrap_or_else(|| chance(member));
        let mut common = Chance::exactly(if members.is_empty() { 0.0 } else { 1.0 });
        for &member in members {
            let (part, _) = split(known(&chances, member), beta);
            common = Chance::between(common.least.min(part.least), common.most.min(part.most));
        }
        for &member in members {
            let whole = known(&chances, member);
            let (one, other) = (whole.least - common.least, whole.most - common.most);
            chances.insert(member, Chance::between(one.min(other).max(0.0), one.max(other)));
            causes.entry(member).or_default().push(cause);
        }
        chances.insert(cause, common);
    }
    for (member, causes) in causes {
        let needs = snapshot.needs(member).map(|need| need.to_spec());
        let causes = causes.into_iter().map(|cause| NeedSpec::plain(member, cause, 0));
        changes.replace_needs(member, needs.chain(causes).collect());
    }
    Ok(Drawn { snapshot: snapshot.with_changes(changes)?, chances })
}
