//! Rules of other products in ours.
//!
//! A catalogue that is brought over must answer as it did before (analyses 1.10). Other products say
//! when *trouble* passes on ("at least N in trouble"), ours say what must be *up*: N of *n* in
//! trouble pass on exactly when fewer than k = n − N + 1 are up. A percentage of *n* members means
//! N = ⌈n · p / 100⌉ in both directions.
//!
//! Rules that fire when *fewer* members are in trouble, and exclusive or, and not, are not monotone:
//! a further loss would heal something. No rule of ours says that, and none approximates it, so they
//! are refused and belong in the report of an import. A rule that can never pass trouble on is
//! refused as well; the need should be left out.

use thiserror::Error;

use super::{Rule, RuleError};

/// Why a rule of another product has no counterpart.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ImportedRuleError {
    /// Losing more would harm less.
    #[error("{rule} is not monotone: a further loss can undo it. It has no counterpart here and must be modelled anew")]
    NotMonotone {
        /// The rule in the words of its product.
        rule: &'static str,
    },
    /// The rule passes nothing on, whatever is lost.
    #[error("the rule never passes trouble on ({because}); leave the need out")]
    NeverGivesWay {
        /// Why that is so.
        because: &'static str,
    },
    /// The rule limits how bad things get, which is not the rule's but the need's to say.
    #[error("{rule} limits the loss rather than counting members; give the need a cap")]
    NeedsCap {
        /// The rule in the words of its product.
        rule: &'static str,
    },
    /// A number that the product itself would not accept.
    #[error("{what} is {value}; it must lie between {least} and {most}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: u64,
        /// The smallest value allowed.
        least: u64,
        /// The largest value allowed.
        most: u64,
    },
    /// What it turns into is refused.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

type Imported = Result<Rule, ImportedRuleError>;

/// iTop: a redundancy of which a number must be up. Impact passes on when more than
/// max(0, members − `min_up`) are reached, so more than all of them means all of them.
///
/// # Errors
/// When there are no members, or none has to be up.
pub fn itop_count(members: u32, min_up: u32) -> Imported {
    if min_up == 0 {
        return Err(ImportedRuleError::NeverGivesWay { because: "no member has to be up" });
    }
    checked(if min_up >= members { Rule::All } else { Rule::AtLeast { k: min_up } }, members)
}

/// iTop: a redundancy of which a percentage must be up. Its threshold is not rounded, and impact
/// passes on when it is exceeded; in whole members that is rounding up what must be up.
///
/// # Errors
/// When there are no members, or none has to be up.
pub fn itop_percent(members: u32, min_up_percent: u32) -> Imported {
    match min_up_percent {
        0 => Err(ImportedRuleError::NeverGivesWay { because: "no member has to be up" }),
        1..100 => checked(Rule::Percent { percent: min_up_percent }, members),
        _ => checked(Rule::All, members),
    }
}

/// Icinga 2: a redundancy group fails when none of its members is available. Dependencies without a
/// group are needed one by one: [`Rule::All`].
///
/// # Errors
/// When there are no members.
pub fn icinga_group(members: u32) -> Imported {
    checked(Rule::Any, members)
}

/// Operators of Icinga Business Process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcingaProcess {
    /// All must be fine.
    And,
    /// One must be fine.
    Or,
    /// This many must be fine.
    AtLeast(u32),
    /// Exactly one must be fine.
    Xor,
    /// The child must not be fine.
    Not,
    /// As bad as the worst child, but no worse than a warning.
    Degraded,
}

/// Icinga Business Process: one operator over its children.
///
/// # Errors
/// When the operator is not monotone, says what a cap says, or does not fit the children.
pub fn icinga_process(children: u32, operator: IcingaProcess) -> Imported {
    match operator {
        IcingaProcess::And => checked(Rule::All, children),
        IcingaProcess::Or => checked(Rule::Any, children),
        IcingaProcess::AtLeast(k) => checked(Rule::AtLeast { k }, children),
        IcingaProcess::Xor => Err(ImportedRuleError::NotMonotone { rule: "XOR" }),
        IcingaProcess::Not => Err(ImportedRuleError::NotMonotone { rule: "NOT" }),
        IcingaProcess::Degraded => Err(ImportedRuleError::NeedsCap { rule: "DEGRADED" }),
    }
}

/// Status rules of Zabbix services. Each becomes a need of its own, as the worst of them wins.
///
/// The children's numbers are whole, percentages are cut off (33.3 is 33), and *trouble* is the
/// status that the rule names or a worse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZabbixRule {
    /// The base rule that passes nothing on: "Set status to OK".
    Ok,
    /// The base rule "most critical if all children have problems".
    WorstIfAll,
    /// The base rule "most critical of child services".
    WorstOfAny,
    /// At least this many children in trouble.
    AtLeast(u32),
    /// At least this percentage of children in trouble.
    AtLeastPercent(u32),
    /// Children of at least this weight in trouble.
    WeightAtLeast(u32),
    /// Children of at least this percentage of the weight in trouble.
    WeightAtLeastPercent(u32),
    /// Fewer than this many children in this status or worse.
    LessThan(u32),
    /// Less than this percentage of children in this status or worse.
    LessThanPercent(u32),
    /// Children of less than this weight in this status or worse.
    WeightLessThan(u32),
    /// Children of less than this percentage of the weight in this status or worse.
    WeightLessThanPercent(u32),
}

/// Zabbix: one status rule over children of these weights (0 unless somebody set them).
///
/// # Errors
/// When the rule is not monotone, can never pass trouble on, or rests on weights of which some are 0:
/// such children count for nothing and must be left out first.
pub fn zabbix(rule: ZabbixRule, weights: &[u32]) -> Imported {
    let children = u32::try_from(weights.len()).unwrap_or(u32::MAX);
    match rule {
        ZabbixRule::Ok => Err(ImportedRuleError::NeverGivesWay { because: "its status is always OK" }),
        ZabbixRule::WorstIfAll => checked(Rule::Any, children),
        ZabbixRule::WorstOfAny => checked(Rule::All, children),
        ZabbixRule::AtLeast(trouble) => counted(children, trouble),
        ZabbixRule::AtLeastPercent(percent) => {
            let trouble = share_of(u64::from(children), percent)?;
            counted(children, u32::try_from(trouble).unwrap_or(u32::MAX))
        }
        ZabbixRule::WeightAtLeast(trouble) => weighted(weights, u64::from(trouble)),
        ZabbixRule::WeightAtLeastPercent(percent) => {
            weighted(weights, share_of(weights.iter().copied().map(u64::from).sum(), percent)?)
        }
        ZabbixRule::LessThan(_) => Err(ImportedRuleError::NotMonotone { rule: "less than N children" }),
        ZabbixRule::LessThanPercent(_) => Err(ImportedRuleError::NotMonotone { rule: "less than N % of children" }),
        ZabbixRule::WeightLessThan(_) => Err(ImportedRuleError::NotMonotone { rule: "weight less than W" }),
        ZabbixRule::WeightLessThanPercent(_) => {
            Err(ImportedRuleError::NotMonotone { rule: "weight less than N % of the total" })
        }
    }
}

/// The smallest part of a whole that makes a percentage when percentages are cut off.
fn share_of(whole: u64, percent: u32) -> Result<u64, ImportedRuleError> {
    if !(1..=100).contains(&percent) {
        let value = u64::from(percent);
        return Err(ImportedRuleError::OutOfRange { what: "the percentage", value, least: 1, most: 100 });
    }
    Ok((whole * u64::from(percent)).div_ceil(100))
}

/// Passes trouble on from so many members in trouble: k = n − N + 1.
fn counted(members: u32, trouble: u32) -> Imported {
    if members == 0 {
        return Err(RuleError::NoMembers.into());
    }
    if trouble == 0 {
        return Err(ImportedRuleError::OutOfRange {
            what: "the number of children",
            value: 0,
            least: 1,
            most: u64::from(members),
        });
    }
    if trouble > members {
        return Err(ImportedRuleError::NeverGivesWay { because: "there are fewer children than it asks for" });
    }
    let rule = match members - trouble + 1 {
        1 => Rule::Any,
        k if k == members => Rule::All,
        k => Rule::AtLeast { k },
    };
    checked(rule, members)
}

/// Passes trouble on from so much weight in trouble: W − w + 1 must be up.
fn weighted(weights: &[u32], trouble: u64) -> Imported {
    let total: u64 = weights.iter().copied().map(u64::from).sum();
    if let Some(&weight) = weights.iter().find(|weight| **weight == 0) {
        let value = u64::from(weight);
        return Err(ImportedRuleError::OutOfRange { what: "a weight", value, least: 1, most: u64::from(u32::MAX) });
    }
    if weights.is_empty() {
        return Err(RuleError::NoMembers.into());
    }
    if trouble == 0 {
        return Err(ImportedRuleError::OutOfRange { what: "the weight in trouble", value: 0, least: 1, most: total });
    }
    if trouble > total {
        return Err(ImportedRuleError::NeverGivesWay { because: "all children together weigh less than it asks for" });
    }
    #[expect(clippy::cast_precision_loss, reason = "weights are sums of few 32-bit numbers")]
    let threshold = (total - trouble + 1) as f64;
    let rule = Rule::Weight { weights: weights.iter().copied().map(f64::from).collect(), threshold };
    rule.check(weights.len())?;
    Ok(rule)
}

fn checked(rule: Rule, members: u32) -> Imported {
    rule.check(members as usize)?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many members of a rule must be lost before it gives way.
    fn gives_way_at(rule: &Rule, members: u32) -> u32 {
        members - rule.required(members as usize).expect("a counting rule") + 1
    }

    #[test]
    fn itop_passes_on_when_its_threshold_is_exceeded() {
        for members in 1..=12_u32 {
            for min_up in 1..=14 {
                let rule = itop_count(members, min_up).expect("meaningful");
                let threshold = members.saturating_sub(min_up);
                assert_eq!(gives_way_at(&rule, members), threshold + 1);
            }
            for percent in 1..=100_u32 {
                let rule = itop_percent(members, percent).expect("meaningful");
                // More than n − n·p/100 reached, not rounded.
                let first = (1..=members).find(|reached| reached * 100 > members * 100 - members * percent);
                assert_eq!(Some(gives_way_at(&rule, members)), first);
            }
        }
        assert_eq!(itop_count(4, 2), Ok(Rule::AtLeast { k: 2 }));
        assert!(matches!(itop_count(4, 0), Err(ImportedRuleError::NeverGivesWay { .. })));
        assert!(matches!(itop_percent(4, 0), Err(ImportedRuleError::NeverGivesWay { .. })));
        assert!(itop_count(0, 1).is_err());
    }

    #[test]
    fn zabbix_triggers_where_its_cut_off_percentages_do() {
        for children in 1..=12_u32 {
            let weights = vec![1; children as usize];
            for percent in 1..=100 {
                let rule = zabbix(ZabbixRule::AtLeastPercent(percent), &weights).expect("meaningful");
                let first = (1..=children).find(|trouble| trouble * 100 / children >= percent);
                assert_eq!(Some(gives_way_at(&rule, children)), first, "{percent} % of {children}");
            }
            for trouble in 1..=children {
                let rule = zabbix(ZabbixRule::AtLeast(trouble), &weights).expect("meaningful");
                assert_eq!(gives_way_at(&rule, children), trouble);
            }
            let never = zabbix(ZabbixRule::AtLeast(children + 1), &weights);
            assert!(matches!(never, Err(ImportedRuleError::NeverGivesWay { .. })));
        }
        assert_eq!(zabbix(ZabbixRule::WorstIfAll, &[1, 1]), Ok(Rule::Any));
        assert_eq!(zabbix(ZabbixRule::WorstOfAny, &[1, 1]), Ok(Rule::All));
        assert!(zabbix(ZabbixRule::Ok, &[1, 1]).is_err());
        assert!(zabbix(ZabbixRule::AtLeastPercent(0), &[1, 1]).is_err());
    }

    #[test]
    fn a_trouble_weight_becomes_the_weight_that_must_be_up() {
        let weights = [1, 2, 4];
        for trouble in 1..=7 {
            let rule = zabbix(ZabbixRule::WeightAtLeast(trouble), &weights).expect("meaningful");
            let Rule::Weight { threshold, .. } = rule else { panic!("a weight rule") };
            for lost in 0..8_u32 {
                let weight: u32 = (0..3).filter(|bit| lost >> bit & 1 == 1).map(|bit| weights[bit as usize]).sum();
                assert_eq!(f64::from(7 - weight) < threshold, weight >= trouble);
            }
        }
        let half = zabbix(ZabbixRule::WeightAtLeastPercent(50), &weights).expect("meaningful");
        assert!(matches!(half, Rule::Weight { threshold, .. } if threshold == 4.0), "4 of 7 is 57 %, 3 is 42 %");
        assert!(zabbix(ZabbixRule::WeightAtLeast(8), &weights).is_err());
        assert!(zabbix(ZabbixRule::WeightAtLeast(1), &[1, 0]).is_err());
    }

    #[test]
    fn what_a_further_loss_can_undo_is_refused() {
        for rule in [
            ZabbixRule::LessThan(1),
            ZabbixRule::LessThanPercent(1),
            ZabbixRule::WeightLessThan(1),
            ZabbixRule::WeightLessThanPercent(1),
        ] {
            let refused = zabbix(rule, &[1, 1]).expect_err("not monotone");
            assert!(refused.to_string().contains("not monotone"), "{refused}");
        }
        for operator in [IcingaProcess::Xor, IcingaProcess::Not] {
            assert!(matches!(icinga_process(3, operator), Err(ImportedRuleError::NotMonotone { .. })));
        }
        assert!(matches!(icinga_process(3, IcingaProcess::Degraded), Err(ImportedRuleError::NeedsCap { .. })));
        assert_eq!(icinga_process(3, IcingaProcess::And), Ok(Rule::All));
        assert_eq!(icinga_process(3, IcingaProcess::Or), Ok(Rule::Any));
        assert_eq!(icinga_process(3, IcingaProcess::AtLeast(2)), Ok(Rule::AtLeast { k: 2 }));
        assert!(icinga_process(3, IcingaProcess::AtLeast(4)).is_err());
    }
}
