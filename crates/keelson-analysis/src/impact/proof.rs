//! The because tree: why an item lost something.

use std::collections::HashSet;

use keelson_graph::{ItemIx, NeedIx, Snapshot};

use super::{Cause, Impact};
use crate::reading::Read;

/// Why an item lost something.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The loss is its own.
    Seed,
    /// One of its needs gave way.
    Need {
        /// The need.
        need: NeedIx,
        /// The members whose loss made it give way, in the order in which they were lost. There may
        /// be further lost members; these were enough.
        because: Vec<ItemIx>,
    },
}

/// One line of a proof.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofLine {
    /// How far the line is indented; the item asked about is at 0.
    pub depth: u32,
    /// The item.
    pub item: ItemIx,
    /// Its loss.
    pub loss: f64,
    /// Why.
    pub reason: Reason,
    /// Whether the item's own reasons were shown further up, so that they are not repeated below.
    pub shown_above: bool,
}

/// A proof, ready to be printed line by line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proof {
    /// The lines, each followed by the lines of its reasons. The item asked about comes first, and
    /// for each item the reason that was reached in the fewest steps.
    pub lines: Vec<ProofLine>,
    /// Whether the proof is longer than was asked for.
    pub is_cut: bool,
}

impl Impact {
    /// Why an item lost something; `None` if it lost nothing.
    #[must_use]
    pub fn reason(&self, snapshot: &Snapshot, item: ItemIx) -> Option<Reason> {
        let place = self.place(item)?;
        let cause = self.causes[place as usize];
        if cause == Cause::SEED {
            return Some(Reason::Seed);
        }
        let need = cause.need(snapshot, item)?;
        let because = match cause.plain_member() {
            Some(member) => vec![member],
            None => self.members_that_tripped(snapshot, need, place),
        };
        Some(Reason::Need { need, because })
    }

    /// The members lost before `place`, in order, up to the one with which the need gave way.
    fn members_that_tripped(&self, snapshot: &Snapshot, need: NeedIx, place: u32) -> Vec<ItemIx> {
        let view = snapshot.need(need);
        let mut lost: Vec<(u32, ItemIx)> =
            view.members.iter().filter_map(|&member| Some((self.place(member)?, member))).collect();
        lost.sort_unstable();
        let read = Read::new(view, self.reading, &self.settled);
        if read.is_share() {
            return lost.into_iter().map(|(_, member)| member).collect();
        }
        let mut trip = read.trip();
        let mut because = Vec::new();
        for (at, member) in lost {
            if at >= place {
                break;
            }
            because.push(member);
            if read.lose(&mut trip, member) {
                break;
            }
        }
        because
    }

    /// The whole proof that an item lost something, shared parts shown once, in at most `most`
    /// lines. Seeds are shown where they are named as a reason and have no lines of their own,
    /// unless the item asked about is one. `None` if the item lost nothing.
    #[must_use]
    pub fn proof(&self, snapshot: &Snapshot, item: ItemIx, most: usize) -> Option<Proof> {
        self.place(item)?;
        let mut proof = Proof::default();
        let mut shown = HashSet::new();
        let mut stack = vec![(0, item)];
        while let Some((depth, item)) = stack.pop() {
            let Some(reason) = self.reason(snapshot, item) else { continue };
            if reason == Reason::Seed && depth > 0 {
                continue;
            }
            if proof.lines.len() == most {
                proof.is_cut = true;
                break;
            }
            let shown_above = !shown.insert(item);
            if let (Reason::Need { because, .. }, false) = (&reason, shown_above) {
                stack.extend(because.iter().rev().map(|&member| (depth + 1, member)));
            }
            proof.lines.push(ProofLine { depth, item, loss: self.loss(item), reason, shown_above });
        }
        Some(proof)
    }
}
