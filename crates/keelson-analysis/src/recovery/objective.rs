//! Whether things are up again as soon as they have to be.

use keelson_graph::ItemIx;

use super::{Recovery, Span};

/// By when an item has to be up: its recovery time objective (RTO).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The item, usually a service.
    pub item: ItemIx,
    /// Seconds from the beginning.
    pub within: u64,
}

/// What becomes of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The item was never off.
    Unaffected,
    /// The item is up in time, with so many seconds to spare.
    Met {
        /// What is left of the time.
        spare: Span,
    },
    /// In time at best and late at worst: recovery times that nobody stated decide.
    Open {
        /// Seconds to spare at best.
        spare: u64,
        /// Seconds too late at worst.
        late: u64,
    },
    /// The item is up too late, by so many seconds.
    Missed {
        /// What it is too late by.
        by: Span,
    },
    /// The item cannot start.
    Stuck,
    /// The question was stopped before its turn came.
    Unknown,
}

impl Recovery {
    /// Whether an item is up as soon as it has to be.
    #[must_use]
    pub fn outcome(&self, objective: Objective) -> Outcome {
        let Objective { item, within } = objective;
        let Some(started) = self.of(item) else {
            return match (self.is_cut, self.stuck.binary_search(&item)) {
                (true, _) => Outcome::Unknown,
                (false, Ok(_)) => Outcome::Stuck,
                (false, Err(_)) => Outcome::Unaffected,
            };
        };
        let Span { least, most } = started.up;
        if most <= within {
            Outcome::Met { spare: Span { least: within - most, most: within - least } }
        } else if least <= within {
            Outcome::Open { spare: within - least, late: most - within }
        } else {
            Outcome::Missed { by: Span { least: least - within, most: most - within } }
        }
    }
}
