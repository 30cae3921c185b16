//! Schedules and collisions against all subsets of changes, on random estates.

mod common {
    pub(crate) mod estates;
}

use std::collections::BTreeSet;

use common::estates::{Estate, Kinds, LOSSES, estates};
use keelson_analysis::{
    Pool, Reading,
    certainty::Target,
    collision::{Question, collisions},
    impact::{self, Seed, Verdict, impact, verdict},
    schedule::{Change, Finding, Plan, Planner, Policy, Scenario, Schedule, Standing, Window},
};
use keelson_graph::{ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;
use proptest::prelude::*;

const KINDS: Kinds = Kinds { cycles: true, shares: false, doubts: false };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };
const SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: false };

type Down = Vec<(u32, f64)>;

fn down() -> impl Strategy<Value = Down> {
    proptest::collection::vec((0..12_u32, prop::sample::select(&LOSSES[..])), 1..3)
}

fn seeds(estate: &Estate, down: &Down) -> Vec<Seed> {
    down.iter().map(|&(item, loss)| Seed { item: ItemIx(item % estate.items), loss }).collect()
}

fn targets(estate: &Estate) -> Vec<Target> {
    let target = |item: u32| Target { item: ItemIx(item), min_delivered: [0.5, 0.8, 0.2][item as usize % 3] };
    (0..estate.items).map(target).collect()
}

/// The losses of all items when everything in `down` is down.
fn losses(snapshot: &Snapshot, down: &[&[Seed]], reading: Reading) -> Vec<f64> {
    let seeds = down.concat();
    let question = impact::Question { reading, ..impact::Question::about(&seeds) };
    let impact = impact(snapshot, &question, &Pool::new()).expect("items");
    snapshot.item_numbers().map(|item| impact.loss(item)).collect()
}

/// Minimal sets among `active` that breach, from trying every subset; the empty set included.
fn minimal(
    snapshot: &Snapshot,
    active: &[(usize, &[Seed])],
    base: &[&[Seed]],
    target: Target,
    reading: Reading,
) -> Vec<Vec<usize>> {
    let mut breaching: Vec<u32> = (0..1_u32 << active.len())
        .filter(|subset| {
            let chosen = active.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, (_, s))| *s);
            let down: Vec<&[Seed]> = base.iter().copied().chain(chosen).collect();
            verdict(losses(snapshot, &down, reading)[target.item.index()], target.min_delivered) == Verdict::Breached
        })
        .collect();
    breaching.sort_by_key(|subset| subset.count_ones());
    let mut minimal: Vec<u32> = Vec::new();
    for subset in breaching {
        if minimal.iter().all(|less| less & subset != *less) {
            minimal.push(subset);
        }
    }
    let named = |subset: &u32| {
        active.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, (name, _))| *name).collect()
    };
    let mut sets: Vec<Vec<usize>> = minimal.iter().map(named).collect();
    sets.sort();
    sets
}

/// Redundancy over redundancy: eight leaves, and items above them that stand on two or three items
/// below, of which some must be up.
fn towers() -> impl Strategy<Value = Estate> {
    let need = (any::<[u32; 3]>(), 1..3_u32, any::<bool>());
    proptest::collection::vec(proptest::collection::vec(need, 1..3), 7).prop_map(|owners| {
        let mut needs = Vec::new();
        for (owner, drawn) in (8..).zip(owners) {
            for (dice, k, is_three) in drawn {
                // Any two or three different items below.
                let step = 1 + dice[1] % (owner / 2 - 1);
                let members = [0, step, 2 * step].map(|further| ItemIx((dice[0] % owner + further) % owner));
                let mut members = members[..if is_three { 3 } else { 2 }].to_vec();
                members.sort_unstable();
                members.dedup();
                let rule = Rule::AtLeast { k: k.min(u32::try_from(members.len()).expect("three at most")) };
                needs.push(NeedSpec::new(ItemIx(owner), members, rule, u64::from(owner)));
            }
        }
        Estate { items: 15, needs }
    })
}

#[derive(Clone, Debug)]
struct Drawn {
    changes: Vec<(i64, i64, u32, Down)>,
    standing: Vec<(i64, i64, Down)>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let change = (0..8_i64, 1..5_i64, 0..3_u32, down());
    let standing = (0..8_i64, 1..5_i64, down());
    let (changes, standing) = (proptest::collection::vec(change, 1..6), proptest::collection::vec(standing, 0..2));
    (changes, standing).prop_map(|(changes, standing)| Drawn { changes, standing })
}

fn plan(estate: &Estate, drawn: &Drawn) -> (Vec<Change>, Vec<Standing>) {
    let changes = drawn.changes.iter().map(|(start, length, rollback, down)| Change {
        window: Window::new(*start, start + length),
        rollback: *rollback,
        seeds: seeds(estate, down),
        agreed: None,
    });
    let standing = drawn.standing.iter().map(|(start, length, down)| Standing {
        window: Window::new(*start, start + length),
        seeds: seeds(estate, down),
    });
    (changes.collect(), standing.collect())
}

/// What the schedule says breaches a service at a second.
fn said(schedule: &Schedule, service: usize, second: i64, scenario: Scenario) -> Vec<Vec<usize>> {
    let here = |f: &&Finding| {
        f.service == service && f.scenario == scenario && f.verdict == Verdict::Breached && f.window.contains(second)
    };
    let mut sets: Vec<Vec<usize>> = schedule.findings.iter().filter(here).map(|f| f.changes.clone()).collect();
    sets.sort();
    sets
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn collisions_are_all_minimal_sets(
        estate in estates(KINDS), changes in proptest::collection::vec(down(), 0..6), starting in down(), empty: bool,
    ) {
        collide(&estate, &changes, &starting, empty)?;
    }

    #[test]
    fn collisions_over_shared_loads_are_all_minimal_sets(
        estate in estates(SHARES), changes in proptest::collection::vec(down(), 0..5), starting in down(), empty: bool,
    ) {
        collide(&estate, &changes, &starting, empty)?;
    }

    #[test]
    fn a_schedule_says_what_every_second_says(estate in estates(KINDS), drawn in drawn()) {
        every_second(&estate, &drawn, Reading::AsWritten)?;
    }

    #[test]
    fn so_does_a_schedule_over_shared_loads(estate in estates(SHARES), drawn in drawn()) {
        every_second(&estate, &drawn, Reading::AsWritten)?;
    }

    #[test]
    fn so_does_a_schedule_in_doubt(estate in estates(DOUBTS), drawn in drawn(), pessimistic: bool) {
        every_second(&estate, &drawn, if pessimistic { Reading::Pessimistic } else { Reading::Optimistic })?;
    }

    #[test]
    fn so_does_a_schedule_over_redundancy_upon_redundancy(estate in towers(), mut drawn in drawn()) {
        let leaves = |down: &mut Down| down.iter_mut().for_each(|(item, loss)| (*item, *loss) = (*item % 8, 1.0));
        drawn.changes.iter_mut().for_each(|(start, _, _, down)| {
            *start /= 3;
            leaves(down);
        });
        drawn.standing.iter_mut().for_each(|(_, _, down)| leaves(down));
        every_second(&estate, &drawn, Reading::AsWritten)?;
    }

    #[test]
    fn the_smallest_shift_is_the_smallest(estate in estates(KINDS), drawn in drawn()) {
        let snapshot = estate.build();
        let (changes, standing) = plan(&estate, &drawn);
        let services = targets(&estate);
        let plan = Plan { standing: &standing, back_out: false, ..Plan::of(&changes, &services) };
        let pool = Pool::new();
        let mut planner = Planner::new(&snapshot, plan, &pool).expect("items");
        let schedule = planner.schedule();
        let Some(collision) = schedule.collisions().next() else { return Ok(()) };
        let policy = Policy { most: 6, earliest: -2, latest: 16 };
        let shift = planner.smallest_shift(&schedule, &collision.changes, &policy).shift;
        let alone = |schedule: &Schedule, change: usize| -> BTreeSet<usize> {
            let alone = |f: &&Finding| f.verdict == Verdict::Breached && f.changes == [change];
            schedule.findings.iter().filter(alone).map(|f| f.service).collect()
        };
        // Smallest first; later before earlier; then in the order of the plan.
        let tries = (1..=6).flat_map(|by| [by, -by]).flat_map(|by| collision.changes.iter().map(move |c| (*c, by)));
        let mut expected = None;
        for (change, by) in tries {
            let mut moved = changes.clone();
            moved[change].window = moved[change].window.moved(by);
            if moved[change].window.start < -2 || moved[change].window.end > 16 {
                continue;
            }
            let plan = Plan { changes: &moved, ..plan };
            let after = Planner::new(&snapshot, plan, &pool).expect("items").schedule();
            if after.collisions().all(|left| !left.changes.contains(&change))
                && alone(&after, change).is_subset(&alone(&schedule, change))
            {
                expected = Some((change, by, after.collisions().cloned().collect::<Vec<_>>()));
                break;
            }
        }
        prop_assert_eq!(shift.map(|shift| (shift.change, shift.by, shift.remaining)), expected);
    }
}

fn every_second(estate: &Estate, drawn: &Drawn, reading: Reading) -> Result<(), TestCaseError> {
    let snapshot = estate.build();
    let (changes, standing) = plan(estate, drawn);
    let services = targets(estate);
    let plan = Plan { standing: &standing, reading, ..Plan::of(&changes, &services) };
    let pool = Pool::new();
    let schedule = Planner::new(&snapshot, plan, &pool).expect("items").schedule();
    prop_assert!(schedule.cut.is_empty() && !schedule.is_truncated);
    for second in 0..14 {
        let base: Vec<&[Seed]> = standing.iter().filter(|s| s.window.contains(second)).map(|s| &s.seeds[..]).collect();
        let active: Vec<(usize, &[Seed])> = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.window.contains(second))
            .map(|(at, change)| (at, &change.seeds[..]))
            .collect();
        let interval = schedule.intervals.iter().find(|interval| interval.window.contains(second));
        prop_assert_eq!(interval.is_some(), !active.is_empty());
        if let Some(interval) = interval {
            prop_assert_eq!(&interval.active, &active.iter().map(|(at, _)| *at).collect::<Vec<_>>());
            let down: Vec<&[Seed]> = base.iter().copied().chain(active.iter().map(|(_, s)| *s)).collect();
            let losses = losses(&snapshot, &down, reading);
            let told: Vec<(usize, f64)> = interval.effects.iter().map(|e| (e.service, e.loss)).collect();
            let lossy: Vec<(usize, f64)> = losses.into_iter().enumerate().filter(|(_, loss)| *loss > 0.0).collect();
            prop_assert_eq!(told, lossy);
        }
        for (service, target) in services.iter().enumerate() {
            let expected =
                if active.is_empty() { vec![] } else { minimal(&snapshot, &active, &base, *target, reading) };
            prop_assert_eq!(said(&schedule, service, second, Scenario::Plan), expected);
            for (at, change) in changes.iter().enumerate() {
                let end = change.window.end;
                let shadow = Window::new(end, end + i64::from(change.rollback));
                let mut with = active.clone();
                with.push((at, &change.seeds));
                with.sort_unstable_by_key(|(at, _)| *at);
                let mut expected = Vec::new();
                if shadow.contains(second) {
                    expected = minimal(&snapshot, &with, &base, *target, reading);
                    expected.retain(|set| set.contains(&at));
                }
                prop_assert_eq!(said(&schedule, service, second, Scenario::BackOut(at)), expected);
            }
        }
    }
    let bad = |finding: &&Finding| finding.verdict == Verdict::Protected || finding.window.is_empty();
    prop_assert_eq!(schedule.findings.iter().find(bad), None);
    Ok(())
}

fn collide(estate: &Estate, changes: &[Down], starting: &Down, empty: bool) -> Result<(), TestCaseError> {
    let snapshot = estate.build();
    let changes: Vec<Vec<Seed>> = changes.iter().map(|down| seeds(estate, down)).collect();
    let starting = if empty { Vec::new() } else { seeds(estate, starting) };
    let services = targets(estate);
    let question = Question { starting: &starting, ..Question::about(&changes, &services) };
    let answer = collisions(&snapshot, &question, &Pool::new()).expect("items");
    prop_assert!(!answer.is_truncated);
    let active: Vec<(usize, &[Seed])> = changes.iter().map(|seeds| &seeds[..]).enumerate().collect();
    for (service, target) in services.iter().enumerate() {
        let expected = minimal(&snapshot, &active, &[&starting], *target, Reading::AsWritten);
        let Some(effect) = answer.effects.iter().find(|effect| effect.service == service) else {
            prop_assert!(expected.is_empty());
            continue;
        };
        prop_assert!(!effect.is_cut);
        if effect.verdict == Verdict::Breached {
            let several: Vec<Vec<usize>> = expected.iter().filter(|set| set.len() > 1).cloned().collect();
            let found: Vec<Vec<usize>> = effect.collisions.iter().map(|c| c.changes.clone()).collect();
            prop_assert_eq!(found, several);
            let alone = effect.alone.iter().filter(|alone| alone.verdict == Verdict::Breached);
            let single: Vec<Vec<usize>> = expected.iter().filter(|set| set.len() == 1).cloned().collect();
            if !expected.contains(&vec![]) {
                prop_assert_eq!(alone.map(|alone| vec![alone.change]).collect::<Vec<_>>(), single);
            }
        } else {
            // Each lesser set costs as much as all together, and no less does.
            for set in &effect.collisions {
                prop_assert!((set.loss - effect.together).abs() < 1e-9 && set.changes.len() > 1);
                for left_out in &set.changes {
                    let rest = set.changes.iter().filter(|c| *c != left_out).map(|c| &changes[*c][..]);
                    let down: Vec<&[Seed]> = rest.chain([&starting[..]]).collect();
                    prop_assert!(losses(&snapshot, &down, Reading::AsWritten)[service] < effect.together - 1e-9);
                }
            }
            let worst = effect.alone.iter().fold(effect.before, |worst, alone| worst.max(alone.loss));
            prop_assert_eq!(effect.collisions.is_empty(), effect.together <= worst + 1e-9);
        }
    }
    Ok(())
}
