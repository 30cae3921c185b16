//! Working memory of walks, reused between questions.

use std::{
    collections::BinaryHeap,
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

use keelson_graph::{ItemIx, Marks, NeedIx};

use crate::{impact::Pending, reading::Trip};

/// Working memory for one walk at a time.
///
/// It grows to the largest graph it has seen. Nothing in it is cleared as a whole between walks:
/// each walk undoes the entries of the one before, so that its cost follows what it visits.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Items met, in order; the queue of every walk.
    pub(crate) met: Marks,
    /// For each item met, why (see `impact`), or from which place in the queue (see `closure`).
    pub(crate) from: Vec<u32>,
    /// For each item met, how many steps from the start.
    pub(crate) depths: Vec<u32>,
    /// Lost members of each need whose trip the graph gives with its members.
    pub(crate) tallies: Tallies,
    /// Lost members of every other counted need; of a need that is read, one more than its place in
    /// `trips`.
    pub(crate) counts: Vec<u32>,
    /// Needs with an entry in `counts`.
    pub(crate) counted: Vec<u32>,
    pub(crate) trips: Vec<Trip>,
    pub(crate) pending: BinaryHeap<Pending>,
}

impl Scratch {
    /// Makes the memory ready for a walk over needs.
    pub(crate) fn reset(&mut self, slots: usize, need_slots: usize) {
        self.reset_walk(slots);
        self.tallies.reset(need_slots);
        for &need in &self.counted {
            self.counts[need as usize] = 0;
        }
        self.counted.clear();
        if self.counts.len() < need_slots {
            self.counts.resize(need_slots, 0);
        }
        self.trips.clear();
        self.pending.clear();
    }

    /// Makes the memory ready for a plain walk.
    pub(crate) fn reset_walk(&mut self, slots: usize) {
        self.met.reset(slots);
        self.from.clear();
        self.depths.clear();
    }

    /// The items the last walk met, in the order it met them.
    pub fn met(&self) -> impl ExactSizeIterator<Item = ItemIx> + '_ {
        self.met.list().iter().map(|&item| ItemIx(item))
    }
}

/// How many members each need has lost, for needs of which up to 255 matter.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// In one byte a need, so that those of a large graph fit into the second cache.
    lost: Vec<u8>,
    /// The needs with a tally, then room: one entry more than there are needs, so that one may be
    /// written before it is known whether it was there.
    list: Vec<u32>,
    len: usize,
}

impl Tallies {
    /// Forgets all tallies and makes room for needs numbered below `need_slots`.
    fn reset(&mut self, need_slots: usize) {
        for &need in &self.list[..self.len] {
            self.lost[need as usize] = 0;
        }
        self.len = 0;
        if self.list.len() <= need_slots {
            self.lost.resize(need_slots, 0);
            self.list.resize(need_slots + 1, 0);
        }
    }

    /// Takes one more member of a need as lost and says how many are now, 255 for more than that.
    #[inline]
    pub(crate) fn add(&mut self, need: NeedIx) -> u8 {
        let lost = &mut self.lost[need.index()];
        self.list[self.len] = need.number();
        self.len += usize::from(*lost == 0);
        *lost = lost.saturating_add(1);
        *lost
    }
}

/// Working memory shared by everybody who asks.
#[derive(Debug, Default)]
pub struct Pool {
    #[expect(clippy::vec_box, reason = "handed out and back for every question; a box is moved in one word")]
    idle: Mutex<Vec<Box<Scratch>>>,
}

impl Pool {
    /// Returns an empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lends working memory until the lease is dropped.
    pub fn lease(&self) -> Lease<'_> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lease { pool: self, scratch: Some(idle.unwrap_or_default()) }
    }
}

/// Working memory on loan from a [`Pool`].
#[derive(Debug)]
pub struct Lease<'a> {
    pool: &'a Pool,
    scratch: Option<Box<Scratch>>,
}

impl Deref for Lease<'_> {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        self.scratch.as_ref().expect("a lease holds its scratch until it is dropped")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Scratch {
        self.scratch.as_mut().expect("a lease holds its scratch until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(scratch) = self.scratch.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        }
    }
}
