//! Families of sets of events as zero-suppressed diagrams (Minato 1993), and what is read from them.
//!
//! All families here are of minimal sets: none contains another. [`minimal`] takes them from a binary
//! decision diagram, all of them; [`likely`] collects those that cost little where there is no such
//! diagram.

pub(crate) mod likely;
mod list;
pub(crate) mod minimal;

pub(crate) use list::{Listed, Order};

use super::diagram::{ALL, Arena, Node};

/// Powers of probabilities that are looked at.
const POWERS: i32 = 60;

/// A family of sets of events.
#[derive(Debug)]
pub(crate) struct Family {
    arena: Arena,
    root: u32,
    /// The event decided at each level.
    order: Vec<u32>,
}

impl Family {
    /// Goes up the diagram: from what the two ends are worth to what the family is.
    fn fold<T: Clone>(&self, none: T, all: T, mut step: impl FnMut(u32, &T, &T) -> T) -> Vec<T> {
        let mut known = vec![none; self.root.max(ALL) as usize + 1];
        known[ALL as usize] = all;
        for at in self.arena.nodes_of(self.root) {
            let Node { level, low, high } = self.arena.node(at);
            known[at as usize] = step(self.order[level as usize], &known[low as usize], &known[high as usize]);
        }
        known
    }

    /// The sum over all sets of the product of the values of their events.
    pub(crate) fn sum(&self, values: &[f64]) -> f64 {
        self.fold(0.0, 1.0, |event, low, high| low + values[event as usize] * high)[self.root as usize]
    }

    /// The probability that a set happens, if sets were independent of each other: an upper bound of
    /// that in truth. `powers` gives for every event the sum of a power of the probabilities of what it
    /// stands for, `largest` the largest of those probabilities.
    ///
    /// One less the product of 1 − p over all sets p, which may be too many to go through: its
    /// logarithm is the sum of −p − p²/2 − p³/3 … , and the sum of a power over all sets takes one pass.
    /// What is left of the series is bounded by the geometric one of the largest p.
    pub(crate) fn any(&self, powers: impl Fn(i32) -> Vec<f64>, largest: &[f64]) -> f64 {
        let best = |event, low: &f64, high: &f64| low.max(largest[event as usize] * high);
        let largest = self.fold(0.0, 1.0, best)[self.root as usize];
        if largest >= 1.0 {
            return 1.0;
        }
        let mut sum = 0.0;
        for power in 1..=POWERS {
            let term = self.sum(&powers(power)) / f64::from(power);
            sum += term;
            let rest = term * largest / (1.0 - largest);
            if rest <= sum * 1e-16 || power == POWERS {
                sum += rest;
                break;
            }
        }
        -(-sum).exp_m1()
    }

    /// How fast [`Self::sum`] grows with the value of each event: the sum over the sets with that event
    /// of the product of the values of the others. With `most`, their largest instead.
    pub(crate) fn growth(&self, values: &[f64], most: bool) -> Vec<f64> {
        let join = |one: f64, other: f64| if most { one.max(other) } else { one + other };
        let below = self.fold(0.0, 1.0, |event, low, high| join(*low, values[event as usize] * high));
        let mut above = vec![0.0; below.len()];
        above[self.root as usize] = 1.0;
        let mut growth = vec![0.0; values.len()];
        for &at in self.arena.nodes_of(self.root).iter().rev() {
            let Node { level, low, high } = self.arena.node(at);
            let (event, here) = (self.order[level as usize] as usize, above[at as usize]);
            growth[event] = join(growth[event], here * below[high as usize]);
            above[low as usize] = join(above[low as usize], here);
            above[high as usize] = join(above[high as usize], here * values[event]);
        }
        growth
    }

    /// How many sets there are of each order up to `most`, and of all orders, when every event stands
    /// for so many items. Counts end at the largest number of 128 bits.
    pub(crate) fn counts(&self, items: &[u128], most: usize) -> (Vec<u128>, u128) {
        let total =
            |event: u32, low: &u128, high: &u128| low.saturating_add(high.saturating_mul(items[event as usize]));
        let total = self.fold(0, 1, total)[self.root as usize];
        let mut empty = vec![0_u128; most + 1];
        let none = empty.clone();
        empty[0] = 1;
        let by_order = self.fold(none, empty, |event, low, high| {
            let mut counts = low.clone();
            for (count, one_less) in counts[1..].iter_mut().zip(high) {
                *count = count.saturating_add(one_less.saturating_mul(items[event as usize]));
            }
            counts
        });
        (by_order[self.root as usize].clone(), total)
    }

    /// The size of the smallest set; `None` if there is none.
    pub(crate) fn smallest(&self) -> Option<u32> {
        let least = self.fold(u32::MAX, 0, |_, low, high| *low.min(&high.saturating_add(1)))[self.root as usize];
        (least != u32::MAX).then_some(least)
    }
}
