//! The rule of a need: how the loss of its members becomes the loss of the need.
//!
//! The meaning of every rule is the propagation model of the analyses: a need over *n* distinct
//! members gives way when too many of them are lost. [`Rule::check`] holds the conditions under
//! which a rule means anything at all; nothing that fails it is ever stored.

pub mod imported;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// When a need matters: to keep running, to start, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Needed to keep running (and therefore part of every impact answer).
    #[default]
    Run,
    /// Needed only while starting from nothing.
    Start,
    /// Needed to start and to keep running.
    Both,
}

impl Phase {
    /// Whether losing the need takes something from a running dependent.
    #[must_use]
    pub fn runs(self) -> bool {
        matches!(self, Self::Run | Self::Both)
    }

    /// The phase as it is written in batches and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Start => "start",
            Self::Both => "both",
        }
    }
}

/// How the losses of the members of a need combine.
///
/// With *n* distinct members and losses between 0 (whole) and 1 (gone):
///
/// | rule | loss of the need |
/// | --- | --- |
/// | `All` | the largest loss |
/// | `Any` | the smallest loss |
/// | `AtLeast { k }` | the (n − k + 1)-th largest loss |
/// | `Percent { percent }` | as `AtLeast` with k = ⌈n · percent / 100⌉ |
/// | `Weight` | the largest λ for which the weight of members with a loss below λ is under the threshold |
/// | `Share` | 1 − min(1, Σ capacity · (1 − loss) / demand) |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// Every member is needed.
    All,
    /// One member is enough.
    Any,
    /// At least `k` members are needed.
    AtLeast {
        /// Members that must be up; 1..=n.
        k: u32,
    },
    /// At least this share of the members, in whole percent, is needed.
    Percent {
        /// 1..=100.
        percent: u32,
    },
    /// Members of unequal weight; the weight still up must reach the threshold.
    Weight {
        /// One weight per member, in the order of the members; finite and above zero.
        weights: Vec<f64>,
        /// The weight that must be up; above zero and at most the sum of the weights.
        threshold: f64,
    },
    /// Members share a load; what they can still carry is compared with the demand.
    Share {
        /// Capacity of each member, in the order of the members, in `unit`.
        capacities: Vec<f64>,
        /// Unit of capacities and demand.
        unit: String,
        /// Demand on the need; without it the need loses nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        demand: Option<f64>,
    },
}

/// Why a rule is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RuleError {
    /// A need without members says nothing.
    #[error("a need must have at least one member")]
    NoMembers,
    /// `k` lies outside 1..=n.
    #[error("k is {k}, but it must lie between 1 and the number of members, {members}")]
    CountOutOfRange {
        /// The offending count.
        k: u32,
        /// Number of members.
        members: usize,
    },
    /// A percentage outside 1..=100.
    #[error("percent is {percent}, but it must lie between 1 and 100")]
    PercentOutOfRange {
        /// The offending percentage.
        percent: u32,
    },
    /// Weights or capacities do not match the members one to one.
    #[error("{what} must have one value per member: {given} given for {members} members")]
    WrongLength {
        /// `weights` or `capacities`.
        what: &'static str,
        /// Values given.
        given: usize,
        /// Number of members.
        members: usize,
    },
    /// A number that is not finite, or not above zero where it must be.
    #[error("{what} must be finite numbers above zero; found {value}")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: f64,
    },
    /// A threshold that even all members together cannot reach.
    #[error("threshold is {threshold}, but all weights together are only {total}")]
    ThresholdOutOfReach {
        /// The threshold.
        threshold: f64,
        /// Sum of the weights.
        total: f64,
    },
}

impl Rule {
    /// Checks that the rule is meaningful for `members` distinct members.
    ///
    /// # Errors
    /// Returns the first condition that does not hold.
    pub fn check(&self, members: usize) -> Result<(), RuleError> {
        if members == 0 {
            return Err(RuleError::NoMembers);
        }
        match self {
            Self::All | Self::Any => Ok(()),
            Self::AtLeast { k } => {
                if *k == 0 || *k as usize > members {
                    return Err(RuleError::CountOutOfRange { k: *k, members });
                }
                Ok(())
            }
            Self::Percent { percent } => {
                if !(1..=100).contains(percent) {
                    return Err(RuleError::PercentOutOfRange { percent: *percent });
                }
                Ok(())
            }
            Self::Weight { weights, threshold } => {
                check_numbers("weights", weights, members)?;
                let total: f64 = weights.iter().sum();
                if !threshold.is_finite() || *threshold <= 0.0 {
                    return Err(RuleError::BadNumber { what: "threshold", value: *threshold });
                }
                if *threshold > total {
                    return Err(RuleError::ThresholdOutOfReach { threshold: *threshold, total });
                }
                Ok(())
            }
            Self::Share { capacities, demand, .. } => {
                check_numbers("capacities", capacities, members)?;
                match demand {
                    Some(d) if !d.is_finite() || *d < 0.0 => Err(RuleError::BadNumber { what: "demand", value: *d }),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Members that must be up for a counting rule over `members` members; `None` for `Weight` and
    /// `Share`, which do not count.
    #[must_use]
    pub fn required(&self, members: usize) -> Option<u32> {
        let n = u32::try_from(members).unwrap_or(u32::MAX);
        match self {
            Self::All => Some(n),
            Self::Any => Some(1),
            Self::AtLeast { k } => Some(*k),
            Self::Percent { percent } => {
                let exact = u64::from(n) * u64::from(*percent);
                Some(u32::try_from(exact.div_ceil(100)).unwrap_or(u32::MAX))
            }
            Self::Weight { .. } | Self::Share { .. } => None,
        }
    }

    /// The name of the rule as it is written in batches and answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::AtLeast { .. } => "at_least",
            Self::Percent { .. } => "percent",
            Self::Weight { .. } => "weight",
            Self::Share { .. } => "share",
        }
    }
}

fn check_numbers(what: &'static str, values: &[f64], members: usize) -> Result<(), RuleError> {
    if values.len() != members {
        return Err(RuleError::WrongLength { what, given: values.len(), members });
    }
    match values.iter().find(|v| !v.is_finite() || **v <= 0.0) {
        Some(bad) => Err(RuleError::BadNumber { what, value: *bad }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_up_exactly() {
        // iTop's "50 % of 3" and Zabbix's "34 % of 3" both need two members.
        assert_eq!(Rule::Percent { percent: 50 }.required(3), Some(2));
        assert_eq!(Rule::Percent { percent: 34 }.required(3), Some(2));
        assert_eq!(Rule::Percent { percent: 33 }.required(3), Some(1));
        assert_eq!(Rule::Percent { percent: 100 }.required(7), Some(7));
    }

    #[test]
    fn meaningless_rules_are_refused() {
        assert_eq!(Rule::All.check(0), Err(RuleError::NoMembers));
        assert!(Rule::AtLeast { k: 3 }.check(2).is_err());
        assert!(Rule::AtLeast { k: 0 }.check(2).is_err());
        assert!(Rule::Percent { percent: 101 }.check(2).is_err());
        let weight = |threshold| Rule::Weight { weights: vec![1.0, 2.0], threshold };
        assert!(weight(3.0).check(2).is_ok());
        assert!(weight(3.1).check(2).is_err());
        assert!(weight(1.0).check(3).is_err());
    }
}
