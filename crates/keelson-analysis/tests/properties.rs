//! Properties of the propagation on random estates (analyses, acceptance 24).

mod common {
    pub(crate) mod estates;
}

use common::estates::{Estate, Kinds, LOSSES, estates, fixpoint, need, truth};
use keelson_analysis::{
    Limits, Pool, Reading, Truncation,
    closure::{Direction, Filter, closure, routes},
    impact::{Impact, Protection, Question, Reason, Seed, count_lost, impact},
    path::{PathScratch, explain},
};
use keelson_graph::{Builder, Changes, ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;
use proptest::prelude::*;

const THRESHOLDS: Kinds = Kinds { cycles: true, shares: false, doubts: false };
const SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: false };
const SHARING_CYCLES: Kinds = Kinds { cycles: true, shares: true, doubts: false };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };
const DOUBTFUL_SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: true };

type Seeds = Vec<(u32, f64)>;

fn seeds() -> impl Strategy<Value = Seeds> {
    proptest::collection::vec((0..12_u32, prop::sample::select(&LOSSES[..])), 0..4)
}

fn within(estate: &Estate, seeds: &Seeds) -> Seeds {
    seeds.iter().map(|(item, loss)| (item % estate.items, *loss)).collect()
}

fn ask(snapshot: &Snapshot, seeds: &Seeds, reading: Reading) -> Impact {
    let seeds: Vec<Seed> = seeds.iter().map(|&(item, loss)| Seed { item: ItemIx(item), loss }).collect();
    let question = Question { reading, ..Question::about(&seeds) };
    impact(snapshot, &question, &Pool::new()).expect("seeds are items")
}

fn losses(snapshot: &Snapshot, seeds: &Seeds, reading: Reading) -> Vec<f64> {
    let impact = ask(snapshot, seeds, reading);
    snapshot.item_numbers().map(|item| impact.loss(item)).collect()
}

/// What the fixpoint says about the items the seeds reach.
fn expected(estate: &Estate, snapshot: &Snapshot, seeds: &Seeds) -> Vec<f64> {
    let mut loss = fixpoint(estate, seeds);
    let impact = ask(snapshot, seeds, Reading::AsWritten);
    let touched = impact.touched().expect("asked for");
    for (item, loss) in (0..).zip(&mut loss) {
        if !touched.contains(&ItemIx(item)) && !impact.seeds().contains(&ItemIx(item)) {
            *loss = 0.0;
        }
    }
    loss
}

/// What is wholly lost when items are gone, by the walk that only counts.
fn counted(snapshot: &Snapshot, gone: &[ItemIx], pool: &Pool) -> Option<Vec<ItemIx>> {
    let mut scratch = pool.lease();
    let count = count_lost(snapshot, gone, &mut scratch)?;
    let mut lost: Vec<ItemIx> = scratch.met().skip(gone.len()).collect();
    assert_eq!(lost.len(), count);
    lost.sort_unstable();
    Some(lost)
}

/// The same by the walk that also says why.
fn lost(snapshot: &Snapshot, gone: &[ItemIx]) -> Vec<ItemIx> {
    let seeds: Seeds = gone.iter().map(|item| (item.0, 1.0)).collect();
    let mut lost: Vec<ItemIx> = ask(snapshot, &seeds, Reading::AsWritten).lost().collect();
    lost.sort_unstable();
    lost
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}

fn below(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| *a <= b + 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn the_answer_is_the_least_fixpoint(estate in estates(THRESHOLDS), seeds in seeds()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        prop_assert_eq!(losses(&snapshot, &seeds, Reading::AsWritten), fixpoint(&estate, &seeds));
    }

    #[test]
    fn counting_meets_what_is_wholly_lost(
        estate in estates(DOUBTS), rounds in proptest::collection::vec(proptest::collection::btree_set(0..12_u32, 1..4), 1..4),
    ) {
        let (snapshot, pool) = (estate.build(), Pool::new());
        for gone in rounds {
            let gone: Vec<ItemIx> = gone.into_iter().filter(|item| *item < estate.items).map(ItemIx).collect();
            // The working memory is the one of the round before.
            prop_assert_eq!(counted(&snapshot, &gone, &pool), Some(lost(&snapshot, &gone)));
        }
    }

    #[test]
    fn shared_loads_are_the_least_fixpoint_too(estate in estates(SHARES), seeds in seeds()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        let (found, wanted) = (losses(&snapshot, &seeds, Reading::AsWritten), expected(&estate, &snapshot, &seeds));
        prop_assert!(close(&found, &wanted), "{found:?} is not {wanted:?}");
    }

    #[test]
    fn shared_loads_in_cycles_are_never_understated(estate in estates(SHARING_CYCLES), seeds in seeds()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        let (found, wanted) = (losses(&snapshot, &seeds, Reading::AsWritten), expected(&estate, &snapshot, &seeds));
        prop_assert!(below(&wanted, &found), "{found:?} is below {wanted:?}");
    }

    #[test]
    fn a_further_seed_never_reduces_a_loss(
        estate in estates(SHARING_CYCLES), seeds in seeds(), more in (0..12_u32, prop::sample::select(&LOSSES[..])),
    ) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        let mut further = seeds.clone();
        further.push((more.0 % estate.items, more.1));
        let before = losses(&snapshot, &seeds, Reading::AsWritten);
        let after = losses(&snapshot, &further, Reading::AsWritten);
        prop_assert!(below(&before, &after), "{before:?} exceeds {after:?}");
    }

    #[test]
    fn order_does_not_matter(estate in estates(THRESHOLDS), seeds in seeds(), shift in 0..12_u32) {
        let seeds = within(&estate, &seeds);
        let moved = |item: u32| (estate.items - 1 - item + shift) % estate.items;
        let mut renumbered = estate.clone();
        renumbered.needs.reverse();
        for need in &mut renumbered.needs {
            need.owner = ItemIx(moved(need.owner.0));
            need.members.iter_mut().for_each(|member| *member = ItemIx(moved(member.0)));
        }
        let mut other: Seeds = seeds.iter().map(|&(item, loss)| (moved(item), loss)).collect();
        other.reverse();
        let first = losses(&estate.build(), &seeds, Reading::AsWritten);
        let second = losses(&renumbered.build(), &other, Reading::AsWritten);
        for item in 0..estate.items {
            prop_assert_eq!(first[item as usize], second[moved(item) as usize]);
        }
    }

    #[test]
    fn level_sets_of_graded_losses_are_boolean_fixpoints(estate in estates(THRESHOLDS), seeds in seeds()) {
        let seeds = within(&estate, &seeds);
        let graded = losses(&estate.build(), &seeds, Reading::AsWritten);
        for level in [0.25, 0.5, 0.6, 0.75, 1.0] {
            let mut hard = estate.clone();
            hard.needs.retain(|need| need.cap >= level);
            hard.needs.iter_mut().for_each(|need| need.cap = 1.0);
            let whole: Seeds = seeds.iter().filter(|(_, loss)| *loss >= level).map(|(item, _)| (*item, 1.0)).collect();
            let boolean = losses(&hard.build(), &whole, Reading::AsWritten);
            for (graded, boolean) in graded.iter().zip(boolean) {
                prop_assert_eq!(*graded >= level, boolean > 0.0);
            }
        }
    }

    #[test]
    fn the_truth_lies_between_the_readings(estate in estates(DOUBTS), seeds in seeds(), dice in any::<[u64; 20]>()) {
        bracketed(&estate, &seeds, &dice)?;
    }

    #[test]
    fn the_truth_about_shared_loads_lies_between_the_readings(
        estate in estates(DOUBTFUL_SHARES), seeds in seeds(), dice in any::<[u64; 20]>(),
    ) {
        bracketed(&estate, &seeds, &dice)?;
    }

    #[test]
    fn every_proof_holds(estate in estates(DOUBTS), seeds in seeds()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        for reading in [Reading::AsWritten, Reading::Optimistic, Reading::Pessimistic] {
            let impact = ask(&snapshot, &seeds, reading);
            let places: Vec<ItemIx> = impact.affected().map(|affected| affected.item).collect();
            for (place, affected) in impact.affected().enumerate() {
                match impact.reason(&snapshot, affected.item).expect("it is affected") {
                    Reason::Seed => prop_assert!(seeds.contains(&(affected.item.0, affected.loss))),
                    Reason::Need { need, because } => {
                        prop_assert_eq!(snapshot.need(need).owner(), affected.item);
                        prop_assert!(!because.is_empty());
                        for member in because {
                            // Reasons come earlier, so following them ends, and they lose at least as much.
                            prop_assert!(places[..place].contains(&member));
                            prop_assert!(impact.loss(member) >= affected.loss);
                        }
                    }
                }
                let proof = impact.proof(&snapshot, affected.item, 1_000).expect("it is affected");
                prop_assert!(!proof.is_cut && proof.lines[0].item == affected.item);
            }
        }
    }

    #[test]
    fn what_is_touched_loses_something_or_is_protected(estate in estates(THRESHOLDS), seeds in seeds()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        let impact = ask(&snapshot, &seeds, Reading::AsWritten);
        let protection = Protection::new(&snapshot, &impact);
        for &item in impact.touched().expect("asked for") {
            let guards = protection.of(item);
            prop_assert_eq!(impact.loss(item) > 0.0, guards.is_empty());
            prop_assert!(guards.iter().all(|guard| guard.required.is_none_or(|k| guard.up >= k)));
        }
    }

    #[test]
    fn margins_bracket_what_the_needs_truly_stand(estate in estates(DOUBTS), seeds in seeds(), dice in any::<u64>()) {
        let (snapshot, seeds) = (estate.build(), within(&estate, &seeds));
        let impact = ask(&snapshot, &seeds, Reading::AsWritten);
        let protection = Protection::new(&snapshot, &impact);
        for guard in impact.touched().expect("asked for").iter().flat_map(|item| protection.of(*item)) {
            let spec = snapshot.need(guard.need).to_spec();
            let mut certain = spec.clone();
            certain.doubt.existence = false;
            let (Some(margin), Some(true_need)) = (guard.margin, truth(&certain, dice)) else { continue };
            let up = true_need.members.iter().filter(|member| !guard.lost.contains(member)).count();
            let required = true_need.rule.required(true_need.members.len()).expect("its members count alike");
            let stands = i64::try_from(up).expect("small") - i64::from(required);
            prop_assert!(stands <= i64::from(margin.most), "{spec:?} {guard:?} truly {true_need:?}");
            prop_assert!(!margin.is_certain || stands >= i64::from(margin.least), "{spec:?} {guard:?} truly {true_need:?}");
        }
    }

    #[test]
    fn a_changed_snapshot_answers_as_one_built_anew(
        estate in estates(DOUBTS), seeds in seeds(),
        edits in proptest::collection::vec((0..12_u32, proptest::collection::vec(need(12, DOUBTS), 0..4)), 1..8),
    ) {
        let mut edited = estate.clone();
        let mut snapshot = estate.build();
        for (round, (owner, needs)) in edits.into_iter().enumerate() {
            // Every round brings one item more and replaces the needs of one owner.
            let owner = ItemIx(owner % edited.items);
            edited.items += 1;
            edited.needs.retain(|need| need.owner != owner);
            let mut new: Vec<NeedSpec> = needs.into_iter().flatten().collect();
            new.retain_mut(|need| {
                need.owner = owner;
                need.members.iter().all(|member| member.0 < edited.items)
            });
            edited.needs.extend(new.iter().cloned());
            let mut changes = Changes::new();
            changes.add(ItemIx(edited.items - 1)).replace_needs(owner, new);
            snapshot = snapshot.with_changes(changes).expect("edits are meaningful");
            if round == 4 {
                snapshot = snapshot.compact().expect("small");
            }
        }
        let (seeds, fresh) = (within(&edited, &seeds), edited.build());
        for reading in [Reading::AsWritten, Reading::Optimistic, Reading::Pessimistic] {
            prop_assert_eq!(losses(&snapshot, &seeds, reading), losses(&fresh, &seeds, reading));
        }
        for item in fresh.item_numbers() {
            let expected = Some(lost(&fresh, &[item]));
            prop_assert_eq!(counted(&snapshot, &[item], &Pool::new()), expected);
        }
        let reached = |snapshot: &Snapshot| {
            let impact = ask(snapshot, &seeds, Reading::AsWritten);
            let mut touched = impact.touched().expect("asked for").to_vec();
            touched.sort_unstable();
            touched
        };
        prop_assert_eq!(reached(&snapshot), reached(&fresh));
    }

    #[test]
    fn limits_are_kept_and_admitted(
        estate in estates(THRESHOLDS), start in 0..12_u32, max_depth in 0..5_u32, max_items in 0..8_usize,
    ) {
        let (snapshot, start) = (estate.build(), [ItemIx(start % estate.items)]);
        let pool = Pool::new();
        let everything = Filter { through: |_| true, select: |_| true };
        let limits = Limits { max_depth, max_items, stop: None };
        for direction in [Direction::Dependents, Direction::Dependencies] {
            let ask = |limits| closure(&snapshot, &start, direction, &everything, limits, &pool).expect("an item");
            let (whole, cut) = (ask(&Limits::default()), ask(&limits));
            let deep = whole.items.iter().any(|(_, depth)| *depth > max_depth);
            let near = whole.items.iter().filter(|(_, depth)| *depth <= max_depth).count();
            prop_assert_eq!(&cut.items[..], &whole.items[..near.min(max_items)]);
            prop_assert_eq!(cut.truncations.contains(Truncation::Items), near > max_items);
            if near <= max_items {
                prop_assert_eq!(cut.truncations.contains(Truncation::Depth), deep);
            }
            prop_assert_eq!(cut.truncations.is_empty(), cut.items == whole.items);
        }
        let seeds = [Seed::gone(start[0])];
        let whole = impact(&snapshot, &Question::about(&seeds), &pool).expect("an item");
        let cut = impact(&snapshot, &Question { limits, ..Question::about(&seeds) }, &pool).expect("an item");
        prop_assert!(cut.lost().count() <= max_items);
        if cut.truncations().is_empty() {
            let affected = |impact: &Impact| impact.affected().collect::<Vec<_>>();
            prop_assert_eq!(affected(&cut), affected(&whole));
            prop_assert_eq!(cut.touched(), whole.touched());
        }
    }

    #[test]
    fn explanations_are_shortest_chains_of_needs(estate in estates(THRESHOLDS)) {
        let snapshot = estate.build();
        let (pool, mut scratch) = (Pool::new(), PathScratch::default());
        for from in snapshot.item_numbers() {
            let all = routes(&snapshot, from, Direction::Dependencies, |_| true, &Limits::default(), &pool).expect("an item");
            for to in snapshot.item_numbers().filter(|to| *to != from) {
                let found = explain(&snapshot, from, to, &Limits::default(), &mut scratch).expect("items").steps;
                let route = all.routes.iter().find(|route| route.target == to);
                prop_assert_eq!(found.len(), route.map_or(0, |route| route.steps.len()));
                for steps in [Some(&found), route.map(|route| &route.steps)].into_iter().flatten() {
                    for pair in steps.windows(2) {
                        let need = snapshot.need(pair[0].need.expect("only the last step has none"));
                        prop_assert!(need.owner() == pair[0].item && need.members.contains(&pair[1].item));
                        prop_assert!(need.phase().runs());
                    }
                }
            }
        }
    }
}

/// A need counts its lost members however many it takes: 1, as many as a byte holds, or more.
#[test]
fn a_need_gives_way_with_the_member_that_is_one_too_many() {
    const MEMBERS: u32 = 300;
    for trip in [1, 2, 254, 255, 256, 257, MEMBERS] {
        let mut builder = Builder::new();
        (0..=MEMBERS + 1).for_each(|item| {
            builder.item(ItemIx(item));
        });
        let members: Vec<ItemIx> = (1..=MEMBERS).map(ItemIx).collect();
        let rule = Rule::AtLeast { k: MEMBERS - trip + 1 };
        builder.need(NeedSpec::new(ItemIx(0), members.clone(), rule, 0)).expect("the need is meaningful");
        builder.need(NeedSpec::plain(ItemIx(MEMBERS + 1), ItemIx(0), 1)).expect("the need is meaningful");
        let snapshot = builder.build().expect("every item was added");
        let pool = Pool::new();
        for gone in [trip - 1, trip, MEMBERS].map(|gone| &members[..gone as usize]) {
            let falls = if gone.len() < trip as usize { vec![] } else { vec![ItemIx(0), ItemIx(MEMBERS + 1)] };
            assert_eq!(lost(&snapshot, gone), falls);
            assert_eq!(counted(&snapshot, gone, &pool), Some(falls));
        }
    }
}

fn bracketed(estate: &Estate, seeds: &Seeds, dice: &[u64; 20]) -> Result<(), TestCaseError> {
    let seeds = within(estate, seeds);
    let needs = estate.needs.iter().zip(dice).filter_map(|(need, dice)| truth(need, *dice)).collect();
    let settled = Estate { items: estate.items, needs };
    let snapshot = estate.build();
    // Only what the seeds reach is reported, and doubtful needs reach further than settled ones.
    let truth = losses(&settled.build(), &seeds, Reading::AsWritten);
    let least = losses(&snapshot, &seeds, Reading::Optimistic);
    let most = losses(&snapshot, &seeds, Reading::Pessimistic);
    let reached = ask(&settled.build(), &seeds, Reading::AsWritten);
    for item in settled.build().item_numbers() {
        let at = item.index();
        let is_reached = reached.seeds().contains(&item) || reached.touched().is_some_and(|t| t.contains(&item));
        prop_assert!(!is_reached || least[at] <= truth[at] + 1e-9, "optimistic {least:?}, truth {truth:?}");
    }
    prop_assert!(below(&truth, &most), "truth {truth:?}, pessimistic {most:?}");
    prop_assert!(below(&least, &most), "optimistic {least:?}, pessimistic {most:?}");
    Ok(())
}
