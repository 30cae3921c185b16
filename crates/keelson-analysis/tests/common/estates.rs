//! Random small estates for properties: every rule, soft needs, phases, cycles, doubts.
#![allow(dead_code, reason = "each test file uses its own part")]

use keelson_graph::{Builder, Doubt, ItemIx, NeedSpec, Snapshot};
use keelson_model::{Phase, Rule};
use proptest::{prelude::*, sample::subsequence};

/// What a random estate may contain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    pub(crate) cycles: bool,
    pub(crate) shares: bool,
    pub(crate) doubts: bool,
}

/// A random estate: how many items, and their needs.
#[derive(Clone, Debug)]
pub(crate) struct Estate {
    pub(crate) items: u32,
    pub(crate) needs: Vec<NeedSpec>,
}

impl Estate {
    pub(crate) fn build(&self) -> Snapshot {
        let mut builder = Builder::new();
        for item in 0..self.items {
            builder.item(ItemIx(item));
        }
        for need in &self.needs {
            builder.need(need.clone()).expect("generated needs are meaningful");
        }
        builder.build().expect("generated estates are whole")
    }
}

pub(crate) const LOSSES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

pub(crate) fn estates(kinds: Kinds) -> impl Strategy<Value = Estate> {
    (2..12_u32)
        .prop_flat_map(move |items| (Just(items), proptest::collection::vec(need(items, kinds), 0..20)))
        .prop_map(|(items, needs)| {
            let mut needs: Vec<NeedSpec> = needs.into_iter().flatten().collect();
            for (tag, need) in (0..).zip(&mut needs) {
                need.tag = tag;
            }
            Estate { items, needs }
        })
}

/// A need, or nothing where the owner has nobody to need.
pub(crate) fn need(items: u32, kinds: Kinds) -> impl Strategy<Value = Option<NeedSpec>> {
    (0..items).prop_flat_map(move |owner| {
        // Without cycles an item needs only items of smaller numbers.
        let candidates: Vec<u32> = (0..if kinds.cycles { items } else { owner }).collect();
        let most = candidates.len().min(5);
        let least = most.min(1);
        let members = subsequence(candidates, least..=most);
        (members, 0..12_u8, any::<[u8; 6]>(), any::<[u8; 5]>())
            .prop_map(move |(members, kind, dice, values)| spec(owner, &members, kind, dice, &values, kinds))
    })
}

fn spec(owner: u32, members: &[u32], kind: u8, dice: [u8; 6], values: &[u8], kinds: Kinds) -> Option<NeedSpec> {
    let n = u32::try_from(members.len()).ok().filter(|n| *n > 0)?;
    let numbers: Vec<f64> = values[..members.len()].iter().map(|value| f64::from(value % 4 + 1)).collect();
    let total: f64 = numbers.iter().sum();
    let rule = match kind {
        0..=3 => Rule::All,
        4 | 5 => Rule::Any,
        6 | 7 => Rule::AtLeast { k: u32::from(dice[0]) % n + 1 },
        8 => Rule::Percent { percent: u32::from(dice[0]) % 100 + 1 },
        10 | 11 if kinds.shares => {
            let demand = total * f64::from(dice[0] % 6) / 4.0;
            Rule::Share { capacities: numbers, unit: "x".to_owned(), demand: Some(demand) }
        }
        _ => {
            let threshold = (total * f64::from(dice[0] % 4 + 1) / 4.0).ceil();
            Rule::Weight { weights: numbers, threshold }
        }
    };
    let members: Vec<ItemIx> = members.iter().rev().map(|&member| ItemIx(member)).collect();
    let mut need = NeedSpec::new(ItemIx(owner), members, rule, 0);
    need.cap = [1.0, 1.0, 1.0, 0.6, 0.25][usize::from(dice[1] % 5)];
    need.phase = [Phase::Run, Phase::Run, Phase::Run, Phase::Both, Phase::Start][usize::from(dice[2] % 5)];
    if kinds.doubts {
        need.doubt = Doubt {
            rule_assumed: dice[3].is_multiple_of(5),
            counts: if dice[3] % 5 == 1 { (1..=n).step_by(2).collect() } else { Vec::new() },
            existence: dice[4].is_multiple_of(4),
            members: need
                .members
                .iter()
                .enumerate()
                .filter(|(at, _)| dice[5] >> at & 3 == 3)
                .map(|(_, m)| *m)
                .collect(),
        };
    }
    Some(need)
}

/// One way the doubts of a need may truly be settled, chosen by dice; `None` if there is no such need.
pub(crate) fn truth(need: &NeedSpec, dice: u64) -> Option<NeedSpec> {
    let mut dice = dice;
    let mut roll = |sides: u64| {
        let rolled = dice % sides;
        dice /= sides;
        rolled
    };
    let mut need = need.clone();
    let doubt = std::mem::take(&mut need.doubt);
    if doubt.existence && roll(2) == 0 {
        return None;
    }
    let all = need.members.len();
    if !doubt.counts.is_empty() {
        let k = doubt.counts[usize::try_from(roll(doubt.counts.len() as u64)).expect("small")];
        need.rule = Rule::AtLeast { k };
    } else if doubt.rule_assumed {
        let k = u32::try_from(roll(all as u64) + 1).expect("small");
        need.rule = if k as usize == all { Rule::All } else { Rule::AtLeast { k } };
    }
    let kept: Vec<bool> = need.members.iter().map(|m| !doubt.members.contains(m) || roll(2) == 0).collect();
    let keep = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(value, _)| *value).collect()
    };
    need.members = need.members.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(m, _)| *m).collect();
    let n = u32::try_from(need.members.len()).ok().filter(|n| *n > 0)?;
    need.rule = match need.rule {
        Rule::AtLeast { k } => Rule::AtLeast { k: k.min(n) },
        Rule::Weight { weights, threshold } => {
            let weights = keep(&weights);
            let total: f64 = weights.iter().sum();
            Rule::Weight { weights, threshold: threshold.min(total) }
        }
        Rule::Share { capacities, unit, demand } => Rule::Share { capacities: keep(&capacities), unit, demand },
        rule => rule,
    };
    Some(need)
}

/// The least fixpoint of loss, computed as it is defined and as slowly as can be.
pub(crate) fn fixpoint(estate: &Estate, seeds: &[(u32, f64)]) -> Vec<f64> {
    let mut loss = vec![0.0_f64; estate.items as usize];
    for &(item, own) in seeds {
        loss[item as usize] = loss[item as usize].max(own);
    }
    for _ in 0..20_000 {
        let mut is_stable = true;
        for need in estate.needs.iter().filter(|need| need.phase.runs()) {
            let members: Vec<f64> = need.members.iter().map(|member| loss[member.index()]).collect();
            let new = group_loss(&need.rule, &members).min(need.cap);
            let old = &mut loss[need.owner.index()];
            if new > *old + 1e-13 {
                *old = new;
                is_stable = false;
            }
        }
        if is_stable {
            break;
        }
    }
    loss
}

/// The table of analyses 1.2, word for word.
pub(crate) fn group_loss(rule: &Rule, losses: &[f64]) -> f64 {
    let mut sorted = losses.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let n = losses.len();
    match rule {
        Rule::All => sorted[0],
        Rule::Any => sorted[n - 1],
        Rule::AtLeast { k } => sorted[n - *k as usize],
        Rule::Percent { percent } => sorted[n - (n * *percent as usize).div_ceil(100)],
        Rule::Weight { weights, threshold } => {
            let whole = |level: f64| -> f64 {
                weights.iter().zip(losses).filter(|(_, loss)| **loss < level).map(|(weight, _)| weight).sum()
            };
            sorted.iter().copied().filter(|level| whole(*level) < *threshold).fold(0.0, f64::max)
        }
        Rule::Share { capacities, demand, .. } => match demand {
            Some(demand) if *demand > 0.0 => {
                let carried: f64 = capacities.iter().zip(losses).map(|(capacity, loss)| capacity * (1.0 - loss)).sum();
                1.0 - (carried / demand).min(1.0)
            }
            _ => 0.0,
        },
    }
}
