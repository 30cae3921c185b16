//! When does growth take the redundancy of a pool (analyses 4.3, 1.5).
//!
//! How many members of a load-sharing pool must be up is a function of the load: the smallest *k* for
//! which the *k* smallest members up carry it. Here a member may be used up to the *survival* limit
//! (1 unless said otherwise), because the state with members missing is short; the planning limit of
//! [`demand::plan`](crate::demand::plan) is another one. The margin is how many more members may be
//! lost, whichever they are. Redundancy expires when the load at its peak takes the margin of the
//! whole pool to 0, which is when it exceeds what all but the largest member carry.
//!
//! Where the capacity of a member is unknown, the declared *k* is used, nothing is derived from load,
//! and dates are unknown.

use keelson_forecast::growth::{Exhaustion, Part, exhaustion};
use thiserror::Error;

/// Why a pool means nothing.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ExpiryError {
    /// A number that means nothing where it stands.
    #[error("{what} is {value}; it must be {wanted}")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// Neither the capacity of every member nor a declared count is known.
    #[error("neither the capacities of all members are known nor how many of them must be up; give one of both")]
    NothingKnown,
    /// A place beyond the members.
    #[error("member {member} is said to be down, but the pool has {members} members")]
    NoSuchMember {
        /// The place.
        member: usize,
        /// How many members there are.
        members: usize,
    },
    /// A stretch of time that ends before, or when, it starts.
    #[error("a stretch of time must end after it starts; this one lasts from {start} to {end}")]
    EmptyStretch {
        /// Where it starts, in seconds.
        start: i64,
        /// Where it ends.
        end: i64,
    },
    /// A question about growth that cannot be answered.
    #[error("failed to find when the load passes what the pool carries")]
    Growth(#[source] keelson_forecast::ForecastError),
}

/// The survival limit unless something else is said.
pub const SURVIVAL: f64 = 1.0;

/// Members that share a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// What each member may be made to carry for a short while, in the order of the members; `None` if a
    /// capacity is unknown.
    whole: Option<Vec<f64>>,
    /// The same without what each carries for others alone.
    usable: Option<Vec<f64>>,
    members: usize,
    declared: Option<u32>,
}

/// How a pool stands at a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Members up.
    pub up: u32,
    /// How many of them must be up, whichever; `None` if not even all carry the load.
    pub required: Option<u32>,
    /// How many more may be lost; `None` if not even all carry the load.
    pub margin: Option<u32>,
    /// The fraction of the load that is carried; `None` if it is not known.
    pub delivered: Option<f64>,
    /// Whether `required` follows from the load, rather than being declared.
    pub is_derived: bool,
}

/// A declared count that the load contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// How many members must be up, as declared.
    pub declared: u32,
    /// How many must be up at the load; `None` if not even all carry it.
    pub derived: Option<u32>,
}

impl Disagreement {
    /// Whether redundancy is believed in that is not there.
    #[must_use]
    pub fn is_dangerous(&self) -> bool {
        self.derived.is_none_or(|derived| derived > self.declared)
    }
}

impl Pool {
    /// A pool of members with these capacities, usable up to the survival limit, of which so many are
    /// declared to be needed.
    ///
    /// # Errors
    /// When a capacity or the limit is no number above 0; or when a capacity is unknown and no count is
    /// declared.
    pub fn new(capacities: &[Option<f64>], survival: f64, declared: Option<u32>) -> Result<Self, ExpiryError> {
        positive("the survival limit", survival)?;
        for &capacity in capacities.iter().flatten() {
            positive("the capacity of a member", capacity)?;
        }
        let usable: Option<Vec<f64>> =
            capacities.iter().map(|capacity| capacity.map(|capacity| capacity * survival)).collect();
        if usable.is_none() && declared.is_none() {
            return Err(ExpiryError::NothingKnown);
        }
        Ok(Self { whole: usable.clone(), usable, members: capacities.len(), declared })
    }

    /// The pool while each member, in their order, carries so much that it shares with no other: what is lost with the
    /// member, and leaves it that much less for the load they share. Members beyond those given carry nothing alone.
    ///
    /// # Errors
    /// When one is no number or below 0.
    pub fn holding(mut self, alone: &[f64]) -> Result<Self, ExpiryError> {
        for held in alone {
            not_negative("what a member carries alone", *held)?;
        }
        if let (Some(usable), Some(whole)) = (&mut self.usable, &self.whole) {
            for ((usable, whole), held) in usable.iter_mut().zip(whole).zip(alone) {
                *usable = (whole - held).max(0.0);
            }
        }
        Ok(self)
    }

    /// What each member may be made to carry of the load they share for a short while, in the order of the members;
    /// `None` if a capacity is unknown.
    #[must_use]
    pub fn usable(&self) -> Option<&[f64]> {
        self.usable.as_deref()
    }

    /// How the pool stands at a load with some members down, given by their places.
    ///
    /// # Errors
    /// When the load is no number or below 0, or a place lies beyond the members.
    pub fn standing(&self, load: f64, down: &[usize]) -> Result<Standing, ExpiryError> {
        not_negative("the load", load)?;
        if let Some(&member) = down.iter().find(|member| **member >= self.members) {
            return Err(ExpiryError::NoSuchMember { member, members: self.members });
        }
        let mut is_up = vec![true; self.members];
        for &member in down {
            is_up[member] = false;
        }
        let up = count(is_up.iter().filter(|up| **up).count());
        let Some(usable) = &self.usable else {
            let required = self.declared.filter(|k| *k <= up);
            let margin = required.map(|k| up - k);
            return Ok(Standing { up, required, margin, delivered: None, is_derived: false });
        };
        let mut left: Vec<f64> = usable.iter().zip(is_up).filter(|(_, up)| *up).map(|(usable, _)| *usable).collect();
        left.sort_unstable_by(f64::total_cmp);
        let required = smallest(&left, load);
        let carried: f64 = left.iter().sum();
        let delivered = if load > 0.0 { (carried / load).min(1.0) } else { 1.0 };
        let margin = required.map(|k| up - k);
        Ok(Standing { up, required, margin, delivered: Some(delivered), is_derived: true })
    }

    /// The declared count, where the load contradicts it.
    ///
    /// # Errors
    /// When the load is no number or below 0.
    pub fn disagreement(&self, load: f64) -> Result<Option<Disagreement>, ExpiryError> {
        let standing = self.standing(load, &[])?;
        let derived = standing.required;
        let differing = self.declared.filter(|declared| standing.is_derived && Some(*declared) != derived);
        Ok(differing.map(|declared| Disagreement { declared, derived }))
    }

    /// The largest load at which so many members may still be lost, whichever they are; `None` if a
    /// capacity is unknown, 0 if there are not as many members.
    #[must_use]
    pub fn carries_without(&self, lost: usize) -> Option<f64> {
        let mut sorted = self.usable.clone()?;
        sorted.sort_unstable_by(f64::total_cmp);
        Some(sorted[..sorted.len().saturating_sub(lost)].iter().sum())
    }

    /// What all members but one may be made to carry together, for whomever; `None` if a capacity is unknown.
    #[must_use]
    pub fn whole_without(&self, lost: usize) -> Option<f64> {
        let whole = self.whole.as_ref()?.iter().enumerate();
        Some(whole.filter(|(place, _)| *place != lost).map(|(_, whole)| whole).sum())
    }

    /// When the redundancy of the pool expires: the first time at which what is on it without one of its members is more
    /// than the others carry, whichever that is. The load without each member, given by its place, is in parts that grow
    /// as said, and includes what each of the others carries alone. `None` if a capacity is unknown.
    ///
    /// # Errors
    /// When a load, a growth or the horizon means nothing.
    pub fn expiry(
        &self,
        load_without: impl Fn(usize) -> Vec<Part>,
        horizon: f64,
    ) -> Result<Option<Exhaustion>, ExpiryError> {
        let Some(whole) = &self.whole else { return Ok(None) };
        // Where nobody carries anything alone, the loss of the largest is the worst.
        let largest = (0..self.members).max_by(|a, b| whole[*a].total_cmp(&whole[*b]));
        let lost = if self.usable == self.whole { largest.map_or(0..0, |at| at..at + 1) } else { 0..self.members };
        let mut first: Option<Exhaustion> = None;
        for lost in lost {
            let Some(limit) = self.whole_without(lost) else { continue };
            let found = exhaustion(&load_without(lost), limit, horizon).map_err(ExpiryError::Growth)?;
            let months = |found: Exhaustion| found.months().unwrap_or(f64::INFINITY);
            if first.is_none_or(|first| months(found) < months(first)) {
                first = Some(found);
            }
        }
        Ok(first)
    }

    /// The first peak at which redundancy is gone: a scan, for loads that rise and fall. `None` if that
    /// does not happen, or a capacity is unknown.
    pub fn first_without_redundancy(&self, peaks: impl IntoIterator<Item = f64>) -> Option<usize> {
        let limit = self.carries_without(1)?;
        peaks.into_iter().position(|peak| peak > limit)
    }
}

/// The smallest *k* for which the first *k* of some ascending capacities carry a load.
fn smallest(ascending: &[f64], load: f64) -> Option<u32> {
    let mut carried = 0.0;
    for (k, capacity) in ascending.iter().enumerate() {
        if carried >= load {
            return Some(count(k));
        }
        carried += capacity;
    }
    (carried >= load).then(|| count(ascending.len()))
}

fn count(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}

fn positive(what: &'static str, value: f64) -> Result<(), ExpiryError> {
    let wanted = "a finite number above 0";
    if value.is_finite() && value > 0.0 { Ok(()) } else { Err(ExpiryError::BadNumber { what, value, wanted }) }
}

fn not_negative(what: &'static str, value: f64) -> Result<(), ExpiryError> {
    let wanted = "a finite number, 0 or above";
    if value.is_finite() && value >= 0.0 { Ok(()) } else { Err(ExpiryError::BadNumber { what, value, wanted }) }
}

/// A member that is down from `start` to just before `end`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The place of the member.
    pub member: usize,
    /// Where it starts.
    pub start: i64,
    /// Where it ends; not part of it.
    pub end: i64,
}

/// A load from a time on, until the next one begins; in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Where it begins.
    pub from: i64,
    /// The load.
    pub load: f64,
}

/// A stretch of time in which a pool stands the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Where it starts, in seconds.
    pub start: i64,
    /// Where it ends; not part of it.
    pub end: i64,
    /// The load; before the first level it is 0.
    pub load: f64,
    /// How the pool stands.
    pub standing: Standing,
}

/// How a pool stands between `start` and `end`, boundary by boundary (analyses 1.7): a boundary is where
/// a member goes down or comes back, or the load changes.
///
/// # Errors
/// When the time asked about or an outage is empty; or as [`Pool::standing`].
pub fn timeline(
    pool: &Pool,
    (start, end): (i64, i64),
    levels: &[Level],
    outages: &[Outage],
) -> Result<Vec<Stretch>, ExpiryError> {
    let windows = outages.iter().map(|outage| (outage.start, outage.end));
    if let Some((start, end)) = windows.chain([(start, end)]).find(|(start, end)| start >= end) {
        return Err(ExpiryError::EmptyStretch { start, end });
    }
    let mut levels = levels.to_vec();
    levels.sort_by_key(|level| level.from);
    let ends = outages.iter().flat_map(|outage| [outage.start, outage.end]);
    let mut boundaries: Vec<i64> = levels.iter().map(|level| level.from).chain(ends).chain([start]).collect();
    boundaries.retain(|at| (start..end).contains(at));
    boundaries.sort_unstable();
    boundaries.dedup();
    let mut stretches: Vec<Stretch> = Vec::with_capacity(boundaries.len());
    for (place, &from) in boundaries.iter().enumerate() {
        let to = boundaries.get(place + 1).copied().unwrap_or(end);
        let known = levels.partition_point(|level| level.from <= from);
        let load = known.checked_sub(1).map_or(0.0, |at| levels[at].load);
        let down: Vec<usize> = outages.iter().filter(|o| (o.start..o.end).contains(&from)).map(|o| o.member).collect();
        let standing = pool.standing(load, &down)?;
        match stretches.last_mut() {
            Some(last) if last.load == load && last.standing == standing => last.end = to,
            _ => stretches.push(Stretch { start: from, end: to, load, standing }),
        }
    }
    Ok(stretches)
}
