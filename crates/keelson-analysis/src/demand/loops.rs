//! Loops of demand: whether they amplify, and what goes round in them.
//!
//! For a loop with the ratios R, everything rests on its *gain*, the spectral radius of R: below 1
//! demand dies out going round, from 1 on it grows without end. A positive vector x with R·x < x proves
//! a gain below 1, and the smallest and largest of (R·x)ᵢ/xᵢ enclose it (Collatz 1942, Wielandt 1950;
//! loops are strongly connected, so that this holds). The same x bounds the error of an approximate
//! solution: with x − R·x ≥ 1 in every place, a residual r of `y = b + Rᵀ·y` leaves errors that add up
//! to at most xᵀ|r|, and one of `y = b + R·y` leaves none above xᵢ·max|r|.

use std::collections::HashMap;

use keelson_graph::ItemIx;

use super::Visits;
use crate::{Limits, Truncation, Truncations};

/// Loops up to this size are solved by elimination.
const DENSE: usize = 64;

/// The gain of loops up to this size is found to nine digits by halving.
const HALVED: usize = 16;

/// Rounds of iteration, at most.
const ROUNDS: usize = 10_000;

/// Entries looked at while the gain of a loop is sought, at most; about half a second's work.
const LOOKS: usize = 200_000_000;

/// The part of the demand of a loop that is left as error where it is solved step by step.
const ENOUGH: f64 = 1e-12;

/// Bounds for the gain of a loop: each round gives so many rounds more. From 1 on it amplifies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// No smaller than this.
    pub low: f64,
    /// No larger than this.
    pub high: f64,
}

/// Which way is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// What demand becomes: `y = b + Rᵀ·y`.
    Down,
    /// What is taken: `y = b + R·y`.
    Up,
}

/// A matrix with few entries, row by row.
#[derive(Clone, Debug, Default)]
struct Sparse {
    starts: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f64>,
}

impl Sparse {
    fn size(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, at: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[at]..self.starts[at + 1];
        self.places[range.clone()].iter().zip(&self.values[range]).map(|(&place, &value)| (place as usize, value))
    }

    fn times(&self, at: usize, x: &[f64]) -> f64 {
        self.row(at).map(|(place, value)| value * x[place]).sum()
    }

    fn transposed(&self) -> Self {
        let size = self.size();
        let mut starts = vec![0; size + 1];
        for &place in &self.places {
            starts[place as usize + 1] += 1;
        }
        for at in 0..size {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let (mut places, mut values) = (vec![0; self.places.len()], vec![0.0; self.values.len()]);
        for (at, number) in (0..size).zip(0_u32..) {
            for (place, value) in self.row(at) {
                (places[next[place]], values[next[place]]) = (number, value);
                next[place] += 1;
            }
        }
        Self { starts, places, values }
    }
}

/// A loop of demand.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    /// Its items, each handing demand on to later ones for the most part.
    pub(super) items: Vec<ItemIx>,
    pub(super) gain: Gain,
    rows: Sparse,
    columns: Sparse,
    /// A positive vector x with x − R·x ≥ 1; empty for a loop that amplifies or is solved by elimination.
    weights: Vec<f64>,
}

/// The solution of a loop.
pub(super) struct Solved {
    pub(super) amounts: Vec<f64>,
    /// The error, as a part of all amounts (down) or of the largest one (up).
    pub(super) error: f64,
    pub(super) truncations: Truncations,
}

impl Loop {
    pub(super) fn new(items: &[ItemIx], visits: &Visits, limits: &Limits<'_>) -> Self {
        let places: HashMap<ItemIx, u32> = items.iter().copied().zip(0..).collect();
        let mut rows = Sparse { starts: vec![0], ..Sparse::default() };
        for &item in items {
            let (members, ratios) = visits.row(item);
            for (member, &ratio) in members.iter().zip(ratios) {
                if let Some(&place) = places.get(member) {
                    rows.places.push(place);
                    rows.values.push(ratio);
                }
            }
            rows.starts.push(rows.places.len());
        }
        let columns = rows.transposed();
        let (gain, weights) = match items.len() {
            ..=HALVED => (halved_gain(&rows), Vec::new()),
            size => {
                let (mut gain, weights) = enclosed_gain(&rows, limits);
                // What the bounds leave open, elimination decides; where it cannot be asked, it stays open.
                let is_damped =
                    !weights.is_empty() || (size <= DENSE && eliminated(&rows, 1.0, vec![1.0; size]).is_some());
                let bound = if is_damped { f64::min } else { f64::max };
                gain.high = bound(gain.high, if is_damped { 1.0_f64.next_down() } else { 1.0 });
                (gain, weights)
            }
        };
        Self { items: items.to_vec(), gain, rows, columns, weights }
    }

    /// Solves a loop whose gain is below 1.
    pub(super) fn solve(&self, entering: Vec<f64>, way: Way, limits: &Limits<'_>) -> Solved {
        let matrix = if way == Way::Down { &self.columns } else { &self.rows };
        if self.items.len() <= DENSE {
            let amounts = eliminated(matrix, 1.0, entering).unwrap_or_default();
            return Solved { amounts, error: 0.0, truncations: Truncations::default() };
        }
        self.iterated(matrix, &entering, way, limits)
    }

    /// Gauss–Seidel from below, until the proven bound of the error is small.
    fn iterated(&self, matrix: &Sparse, entering: &[f64], way: Way, limits: &Limits<'_>) -> Solved {
        let mut amounts = entering.to_vec();
        let (mut error, mut truncations) = (f64::INFINITY, Truncations::default());
        for _ in 0..ROUNDS {
            if limits.stopped(0) {
                truncations.add(Truncation::Deadline);
                break;
            }
            sweep(matrix, entering, &mut amounts, way);
            let residual = |at: usize| (entering[at] + matrix.times(at, &amounts) - amounts[at]).abs();
            let places = 0..amounts.len();
            let (bound, whole) = match way {
                Way::Down => (places.map(|at| self.weights[at] * residual(at)).sum(), amounts.iter().sum::<f64>()),
                Way::Up => {
                    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
                    (largest(&self.weights) * places.map(residual).fold(0.0, f64::max), largest(&amounts))
                }
            };
            let before = std::mem::replace(&mut error, bound / whole);
            // Rounding ends the progress at last.
            if error <= ENOUGH || (error < 1e-9 && error >= before) {
                break;
            }
        }
        Solved { amounts, error, truncations }
    }
}

/// One round of Gauss–Seidel, along the way in which amounts are handed on.
fn sweep(matrix: &Sparse, entering: &[f64], amounts: &mut [f64], way: Way) {
    let size = amounts.len();
    for step in 0..size {
        let at = if way == Way::Down { step } else { size - 1 - step };
        let (mut sum, mut own) = (entering[at], 0.0);
        for (place, value) in matrix.row(at) {
            if place == at {
                own = value;
            } else {
                sum += value * amounts[place];
            }
        }
        amounts[at] = sum / (1.0 - own);
    }
}

/// Solves `scale·y = b + M·y` for a small matrix without negative entries; `None` unless its spectral
/// radius is below `scale`.
///
/// Then, and only then, all pivots are positive without exchanging rows (Fiedler and Pták 1962), and
/// nothing is ever subtracted from what it nearly equals but the diagonal.
fn eliminated(matrix: &Sparse, scale: f64, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = matrix.size();
    let mut full = vec![0.0; size * size];
    for at in 0..size {
        full[at * size + at] = scale;
        for (place, value) in matrix.row(at) {
            full[at * size + place] -= value;
        }
    }
    for pivot in 0..size {
        let (above, below) = full.split_at_mut((pivot + 1) * size);
        let row = &above[pivot * size..];
        if row[pivot] <= 0.0 || !row[pivot].is_finite() {
            return None;
        }
        let value = right[pivot];
        for (lower, right) in below.chunks_exact_mut(size).zip(&mut right[pivot + 1..]) {
            let factor = lower[pivot] / row[pivot];
            if factor != 0.0 {
                for (lower, row) in lower[pivot..].iter_mut().zip(&row[pivot..]) {
                    *lower -= factor * row;
                }
                *right -= factor * value;
            }
        }
    }
    for at in (0..size).rev() {
        let row = &full[at * size..(at + 1) * size];
        let known: f64 = row[at + 1..].iter().zip(&right[at + 1..]).map(|(a, y)| a * y).sum();
        right[at] = (right[at] - known) / row[at];
    }
    Some(right)
}

/// The gain of a small loop, by halving between bounds.
fn halved_gain(rows: &Sparse) -> Gain {
    let ones = vec![1.0; rows.size()];
    let sums = (0..rows.size()).map(|at| rows.times(at, &ones));
    // The smallest and the largest sum of a row enclose the gain.
    let (mut low, mut high) = sums.fold((f64::INFINITY, 0.0_f64), |(low, high), sum| (low.min(sum), high.max(sum)));
    while high - low > 1e-10 * high {
        let middle = f64::midpoint(low, high);
        if eliminated(rows, middle, ones.clone()).is_some() {
            high = middle;
        } else {
            low = middle;
        }
    }
    Gain { low, high }
}

/// Bounds for the gain of a large loop, and the vector that proves one below 1.
fn enclosed_gain(rows: &Sparse, limits: &Limits<'_>) -> (Gain, Vec<f64>) {
    let rounds = ROUNDS.min(LOOKS / (2 * rows.values.len()).max(1));
    let ones = vec![1.0; rows.size()];
    let mut gain = Gain { low: 0.0, high: f64::INFINITY };
    let (mut x, mut weights) = (ones.clone(), Vec::new());
    // Where the gain is below 1, (1 − R)⁻¹·1 is such a vector, and this goes towards it from below.
    for _ in 0..rounds {
        weigh(rows, &x, &mut gain, &mut weights);
        let is_lost = gain.low >= 1.0 || x.iter().any(|value| *value > 1e15);
        if !weights.is_empty() || is_lost || limits.stopped(0) {
            break;
        }
        if (0..rows.size()).any(|at| rows.row(at).any(|(place, value)| place == at && value >= 1.0)) {
            gain.low = gain.low.max(1.0);
            break;
        }
        sweep(rows, &ones, &mut x, Way::Up);
    }
    // Powers of 1 + R lead to the vector for which both bounds meet.
    for _ in 0..rounds.min(200) {
        if gain.high - gain.low <= 1e-6 * gain.high || limits.stopped(0) {
            break;
        }
        let next: Vec<f64> = (0..x.len()).map(|at| x[at] + rows.times(at, &x)).collect();
        let largest = next.iter().copied().fold(0.0, f64::max);
        x = next.into_iter().map(|value| (value / largest).max(f64::MIN_POSITIVE)).collect();
        weigh(rows, &x, &mut gain, &mut weights);
    }
    (gain, weights)
}

/// Narrows the bounds by a positive vector, and keeps it if it proves a gain below 1.
fn weigh(rows: &Sparse, x: &[f64], gain: &mut Gain, weights: &mut Vec<f64>) {
    let (mut low, mut high, mut slack) = (f64::INFINITY, 0.0_f64, f64::INFINITY);
    for (at, &value) in x.iter().enumerate() {
        let next = rows.times(at, x);
        low = low.min(next / value);
        high = high.max(next / value);
        slack = slack.min(value - next);
    }
    gain.low = gain.low.max(low);
    gain.high = gain.high.min(high);
    // A slack that is not clear of rounding proves nothing.
    if weights.is_empty() && slack > 0.0 && high < 1.0 - 1e-12 {
        *weights = x.iter().map(|value| value / slack).collect();
    }
}
