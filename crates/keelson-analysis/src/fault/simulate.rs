//! Trying it out: 64 scenarios at a time, one in each bit of a word.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    Gate, Module,
    module::{Decision, Next, Node},
};

/// A sequence of pseudo-random numbers that follows from its seed (SplitMix64; Steele, Lea and Flood
/// 2014).
#[derive(Clone, Copy, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A word in which every bit is 1 with a probability given in parts of 2^64.
    ///
    /// Every bit compares a number of its own, drawn bit by bit from the top, with the probability,
    /// and is decided at the first bit in which the two differ; after some seven draws all are.
    fn word(&mut self, probability: u64) -> u64 {
        let (mut result, mut open) = (0, u64::MAX);
        for bit in (0..64).rev() {
            let drawn = self.next();
            if probability >> bit & 1 == 1 {
                result |= open & !drawn;
                open &= drawn;
            } else {
                open &= !drawn;
            }
            if open == 0 {
                break;
            }
        }
        result
    }
}

/// What came of trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    /// How many scenarios were tried.
    pub(crate) samples: u64,
    /// In how many of them one of the modules failed.
    pub(crate) failures: u64,
    /// Whether the stop flag ended it.
    pub(crate) is_stopped: bool,
}

/// Tries how often one of several modules fails, each given with the probabilities of its events.
/// Samples are rounded up to whole words.
pub(crate) fn simulate(modules: &[(&Module, Vec<f64>)], samples: u64, seed: u64, stop: Option<&AtomicBool>) -> Tried {
    let mut dice = Dice(seed);
    let mut tried = Tried { samples: 0, failures: 0, is_stopped: false };
    let mut trials: Vec<Trial<'_>> = modules.iter().map(|(module, chances)| Trial::new(module, chances)).collect();
    for _ in 0..samples.div_ceil(64) {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            tried.is_stopped = true;
            break;
        }
        let failed = trials.iter_mut().fold(0, |failed, trial| failed | trial.word(&mut dice));
        tried.samples += 64;
        tried.failures += u64::from(failed.count_ones());
    }
    tried
}

struct Trial<'a> {
    module: &'a Module,
    probabilities: Vec<u64>,
    events: Vec<u64>,
    failed: Vec<u64>,
    /// Working memory for counting.
    digits: Vec<u64>,
}

impl<'a> Trial<'a> {
    fn new(module: &'a Module, chances: &[f64]) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^64; 1 saturates")]
        let probabilities = chances.iter().map(|chance| (chance * 2_f64.powi(64)) as u64).collect();
        Self {
            module,
            probabilities,
            events: vec![0; chances.len()],
            failed: vec![0; module.nodes.len()],
            digits: Vec::new(),
        }
    }

    /// In which of 64 scenarios the module fails.
    fn word(&mut self, dice: &mut Dice) -> u64 {
        for (event, probability) in self.events.iter_mut().zip(&self.probabilities) {
            *event = dice.word(*probability);
        }
        let mut cycles = self.module.cycles.iter().peekable();
        let mut at = 0;
        while at < self.failed.len() {
            let Some(cycle) = cycles.next_if(|cycle| cycle.start == at) else {
                self.failed[at] = self.node(at);
                at += 1;
                continue;
            };
            self.failed[cycle.clone()].fill(0);
            loop {
                let mut is_settled = true;
                for node in cycle.clone().rev() {
                    let new = self.node(node);
                    is_settled &= std::mem::replace(&mut self.failed[node], new) == new;
                }
                if is_settled {
                    break;
                }
            }
            at = cycle.end;
        }
        self.failed.last().copied().unwrap_or(0)
    }

    fn node(&mut self, at: usize) -> u64 {
        let node: &Node = &self.module.nodes[at];
        let mut failed = node.event.map_or(0, |event| self.events[event as usize]);
        for member in &node.any {
            failed |= self.failed[*member as usize];
        }
        for gate in &node.gates {
            failed |= self.gate(gate);
        }
        failed
    }

    fn gate(&mut self, gate: &Gate) -> u64 {
        match gate {
            Gate::Every(members) => members.iter().fold(u64::MAX, |all, member| all & self.failed[*member as usize]),
            Gate::Count(count, members) => {
                self.digits.clear();
                for member in members {
                    count_in(&mut self.digits, self.failed[*member as usize]);
                }
                reaches(&self.digits, *count)
            }
            Gate::Weigh(_, _, decisions) => {
                self.digits.clear();
                for Decision { member, up, failed } in decisions {
                    let value = |next: &Next| match next {
                        Next::Holds => 0,
                        Next::GivesWay => u64::MAX,
                        Next::Decide(at) => self.digits[*at as usize],
                    };
                    let taken = value(up) | (self.failed[*member as usize] & value(failed));
                    self.digits.push(taken);
                }
                self.digits.last().copied().unwrap_or(0)
            }
        }
    }
}

/// Adds one to the numbers whose bits are set in `word`; each digit has a bit of every number.
fn count_in(digits: &mut Vec<u64>, mut word: u64) {
    for digit in digits.iter_mut() {
        (*digit, word) = (*digit ^ word, *digit & word);
    }
    if word != 0 {
        digits.push(word);
    }
}

/// Which of the numbers are at least `count`.
fn reaches(digits: &[u64], count: u32) -> u64 {
    let (mut above, mut equal) = (0, u64::MAX);
    for place in (0..digits.len().max(32)).rev() {
        let digit = digits.get(place).copied().unwrap_or(0);
        if u64::from(count) >> place & 1 == 1 {
            equal &= digit;
        } else {
            above |= equal & digit;
            equal &= !digit;
        }
    }
    above | equal
}
