//! What is lost when these items are lost, and why.
//!
//! [`impact`] computes the least fixpoint of loss from a set of seeds (analyses 1.3, 1.8). The
//! answer lists every item that loses something, with the reason that tripped it, so that following
//! reasons gives the whole proof ([`Impact::proof`]), and every item that depends on a seed at all,
//! so that what was touched but holds can be shown with what protects it ([`Protection`]).
//!
//! Four walks share the work. `count.rs` says what is wholly lost and nothing else. `spread.rs` is
//! exact for every threshold rule, cycles included, in one pass in descending order of loss; with
//! whole losses it is a plain queue. `shares.rs` takes over when a need that shares a load lies in the
//! way. Plain reachability is [`closure`](crate::closure)'s.

mod count;
mod places;
mod proof;
mod protection;
mod shares;
mod spread;

use std::{cmp::Ordering, sync::OnceLock};

use keelson_graph::{ItemIx, NeedIx, Snapshot};

use places::Places;
pub use proof::{Proof, ProofLine, Reason};
pub use protection::{Guard, Guards, MOST_BENEATH, Margin, Protection};

use crate::{
    AnalysisError, Limits, Pool, Reading, Settled, Truncations,
    closure::{Direction, walk},
};

/// An item with an own loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seed {
    /// The item.
    pub item: ItemIx,
    /// Its own loss, from 0 (whole) to 1 (gone).
    pub loss: f64,
}

impl Seed {
    /// An item that is gone.
    #[must_use]
    pub fn gone(item: ItemIx) -> Self {
        Self { item, loss: 1.0 }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The items with an own loss. An item named twice has the larger loss.
    pub seeds: &'a [Seed],
    /// Which way doubts are read.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Whether to list what depends on the seeds at all. It is a walk of its own, and as redundancy
    /// stops losses but not reachability, usually the longer one.
    pub touched: bool,
    /// How far to go.
    pub limits: Limits<'a>,
}

impl<'a> Question<'a> {
    /// What losing `seeds` costs, every need as written, without limits.
    #[must_use]
    pub fn about(seeds: &'a [Seed]) -> Self {
        Self { seeds, reading: Reading::AsWritten, settled: None, touched: true, limits: Limits::default() }
    }
}

/// What becomes of an item under the smallest fraction it must deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It loses nothing.
    Protected,
    /// It loses something, but still delivers what it must.
    Degraded,
    /// It delivers less than it must.
    Breached,
}

/// Returns the verdict on an item with a loss that must deliver at least `min_delivered`, both
/// fractions between 0 and 1 (analyses 1.3). Differences below 1e-9 are taken for rounding.
#[must_use]
pub fn verdict(loss: f64, min_delivered: f64) -> Verdict {
    if 1.0 - loss < min_delivered - 1e-9 {
        Verdict::Breached
    } else if loss > 0.0 {
        Verdict::Degraded
    } else {
        Verdict::Protected
    }
}

/// An item that loses something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affected {
    /// The item.
    pub item: ItemIx,
    /// Its loss, above 0 and at most 1.
    pub loss: f64,
    /// Whether the loss is its own, rather than brought about by its needs.
    pub is_seed: bool,
}

/// Why an item lost something, packed in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cause(u32);

impl Cause {
    const SEED: Self = Self(u32::MAX);
    const PLAIN: u32 = 1 << 31;

    /// A plain need of `member`.
    #[inline]
    fn plain(member: u32) -> u32 {
        member | Self::PLAIN
    }

    fn plain_member(self) -> Option<ItemIx> {
        (self != Self::SEED && self.0 & Self::PLAIN != 0).then_some(ItemIx(self.0 & !Self::PLAIN))
    }
}

/// A loss waiting for its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    loss: f64,
    depth: u32,
    /// Order of arrival, so that answers do not depend on the heap's inner order.
    number: u32,
    item: u32,
    cause: u32,
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |p: &Self| (std::cmp::Reverse(p.depth), std::cmp::Reverse(p.number));
        self.loss.total_cmp(&other.loss).then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Pending {}

/// What losing the seeds costs.
#[derive(Clone, Debug)]
pub struct Impact {
    seeds: Vec<ItemIx>,
    reading: Reading,
    settled: Settled,
    /// Items that lose something, largest loss first, and within one loss in the order in which
    /// reasons reached them, so that every item comes after the items that brought it down.
    items: Vec<ItemIx>,
    causes: Vec<Cause>,
    /// Where each loss begins in `items`.
    levels: Vec<(u32, f64)>,
    touched: Option<Vec<ItemIx>>,
    /// Places in `items`, by item; sorted out when first asked for.
    places: OnceLock<Places>,
    truncations: Truncations,
}

impl Impact {
    /// The items that lose something, seeds included, largest loss first.
    pub fn affected(&self) -> impl Iterator<Item = Affected> + '_ {
        let mut level = 0;
        self.items.iter().zip(&self.causes).enumerate().map(move |(place, (&item, &cause))| {
            while self.levels.get(level + 1).is_some_and(|(start, _)| *start as usize <= place) {
                level += 1;
            }
            Affected { item, loss: self.levels[level].1, is_seed: cause == Cause::SEED }
        })
    }

    /// The items wholly lost, seeds left out.
    pub fn lost(&self) -> impl Iterator<Item = ItemIx> + '_ {
        let end = match self.levels.first() {
            Some((_, loss)) if *loss >= 1.0 => self.levels.get(1).map_or(self.items.len(), |(at, _)| *at as usize),
            _ => 0,
        };
        self.items[..end].iter().copied().filter(|item| self.seeds.binary_search(item).is_err())
    }

    /// The items that depend on a seed, directly or not, seeds left out: what plain reachability
    /// reports. `None` if the question did not ask for it.
    #[must_use]
    pub fn touched(&self) -> Option<&[ItemIx]> {
        self.touched.as_deref()
    }

    /// The loss of an item; 0 for an item that loses nothing.
    #[must_use]
    pub fn loss(&self, item: ItemIx) -> f64 {
        self.place(item).map_or(0.0, |place| self.loss_at(place))
    }

    /// The seeds with a loss above 0, ascending.
    #[must_use]
    pub fn seeds(&self) -> &[ItemIx] {
        &self.seeds
    }

    /// The limits that were hit; empty when the answer is complete.
    #[must_use]
    pub fn truncations(&self) -> Truncations {
        self.truncations
    }

    fn loss_at(&self, place: u32) -> f64 {
        self.levels[self.levels.partition_point(|(start, _)| *start <= place) - 1].1
    }

    /// Whether an item loses something, seeds included.
    #[must_use]
    pub fn loses(&self, item: ItemIx) -> bool {
        self.place(item).is_some()
    }

    /// The place of an item among those that lose something.
    fn place(&self, item: ItemIx) -> Option<u32> {
        self.places.get_or_init(|| Places::of(&self.items)).get(item)
    }
}

/// What a walk over losses found.
#[derive(Debug, Default)]
struct Outcome {
    items: Vec<ItemIx>,
    causes: Vec<Cause>,
    levels: Vec<(u32, f64)>,
    truncations: Truncations,
}

impl Outcome {
    /// Notes that the items from `start` on have this loss.
    fn level(&mut self, start: usize, loss: f64) {
        if self.levels.last().is_none_or(|(_, last)| last.total_cmp(&loss).is_ne()) {
            self.levels.push((u32::try_from(start).expect("items are numbered by u32"), loss));
        }
    }
}

/// Computes what losing the seeds of a question costs.
///
/// # Errors
/// When a seed is not in the graph or its loss lies outside 0..=1.
pub fn impact(snapshot: &Snapshot, question: &Question<'_>, pool: &Pool) -> Result<Impact, AnalysisError> {
    let seeds = checked_seeds(snapshot, question.seeds)?;
    let nothing_settled = Settled::new();
    let settled = question.settled.unwrap_or(&nothing_settled);
    let mut scratch = pool.lease();
    let run = spread::Run { snapshot, reading: question.reading, settled, limits: question.limits };
    let overloaded = snapshot.overloaded().next().is_some();
    let outcome = if overloaded { None } else { spread::spread(&run, &seeds, &mut scratch) };
    let outcome = outcome.unwrap_or_else(|| shares::spread(&run, &seeds, &mut scratch));

    let mut truncations = outcome.truncations;
    let items: Vec<ItemIx> = seeds.iter().map(|seed| seed.item).collect();
    let touched = question.touched.then(|| {
        let walked = walk(snapshot, &mut scratch, &items, Direction::Dependents, &question.limits);
        truncations.merge(walked.truncations);
        scratch.met().skip(walked.starts).collect()
    });
    Ok(Impact {
        seeds: items,
        reading: question.reading,
        settled: settled.clone(),
        items: outcome.items,
        causes: outcome.causes,
        levels: outcome.levels,
        touched,
        places: OnceLock::new(),
        truncations,
    })
}

/// The part of an impact that costs least: how many items are wholly lost, seeds left out, every
/// need as written. The items themselves stay in `scratch` ([`Scratch::met`](crate::Scratch::met)),
/// seeds first. `None` when a need that shares a load lies in the way; ask [`impact`] then.
pub fn count_lost(snapshot: &Snapshot, seeds: &[ItemIx], scratch: &mut crate::Scratch) -> Option<usize> {
    if snapshot.overloaded().next().is_some() {
        return None;
    }
    let settled = Settled::new();
    let limits = Limits::default();
    let run = spread::Run { snapshot, reading: Reading::AsWritten, settled: &settled, limits };
    count::count_lost(&run, seeds, scratch)
}

/// Seeds with a loss, ascending, each item once with its largest loss.
fn checked_seeds(snapshot: &Snapshot, seeds: &[Seed]) -> Result<Vec<Seed>, AnalysisError> {
    let mut checked = Vec::with_capacity(seeds.len());
    for &Seed { item, loss } in seeds {
        if !snapshot.contains(item) {
            return Err(AnalysisError::UnknownItem { item });
        }
        if !(0.0..=1.0).contains(&loss) {
            return Err(AnalysisError::LossOutOfRange { item, loss });
        }
        if loss > 0.0 {
            checked.push(Seed { item, loss });
        }
    }
    checked.sort_by(|a, b| a.item.cmp(&b.item).then(b.loss.total_cmp(&a.loss)));
    checked.dedup_by_key(|seed| seed.item);
    Ok(checked)
}

impl Cause {
    /// The need behind the cause, for the item it brought down; `None` for a seed.
    fn need(self, snapshot: &Snapshot, item: ItemIx) -> Option<NeedIx> {
        if self == Self::SEED {
            return None;
        }
        match self.plain_member() {
            Some(member) => snapshot.need_between(item, member),
            None => Some(NeedIx::counted(self.0)),
        }
    }
}
