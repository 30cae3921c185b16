//! How far a walk may go, and what it says when it had to stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// How far a walk may go. The default is without limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Steps from the start, at most; items at this distance are still in the answer.
    pub max_depth: u32,
    /// Items in the answer, at most; those the question starts from are not counted.
    pub max_items: usize,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { max_depth: u32::MAX, max_items: usize::MAX, stop: None }
    }
}

impl Limits<'_> {
    /// How many items are handled between two looks at the stop flag; a few microseconds' work.
    const STRIDE: usize = 256;

    /// Whether the stop flag is up, looking only every so often.
    #[inline]
    pub(crate) fn stopped(&self, step: usize) -> bool {
        step.is_multiple_of(Self::STRIDE) && self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// A limit that an answer hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truncation {
    /// There was more beyond the largest depth.
    Depth,
    /// There were more items than allowed.
    Items,
    /// The stop flag was raised.
    Deadline,
}

/// The limits that an answer hit; empty for a complete answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truncations {
    depth: bool,
    items: bool,
    deadline: bool,
}

impl Truncations {
    /// Whether no limit was hit.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The limits hit.
    pub fn iter(self) -> impl Iterator<Item = Truncation> {
        let hit =
            [(self.depth, Truncation::Depth), (self.items, Truncation::Items), (self.deadline, Truncation::Deadline)];
        hit.into_iter().filter_map(|(hit, truncation)| hit.then_some(truncation))
    }

    /// Whether a limit was hit.
    #[must_use]
    pub fn contains(self, truncation: Truncation) -> bool {
        self.iter().any(|hit| hit == truncation)
    }

    pub(crate) fn add(&mut self, truncation: Truncation) {
        match truncation {
            Truncation::Depth => self.depth = true,
            Truncation::Items => self.items = true,
            Truncation::Deadline => self.deadline = true,
        }
    }

    /// Adds the limits another answer hit.
    pub fn merge(&mut self, other: Self) {
        self.depth |= other.depth;
        self.items |= other.items;
        self.deadline |= other.deadline;
    }
}
