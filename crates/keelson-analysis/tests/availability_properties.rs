//! Availability, cut sets and importance against trying every combination of failures, on random
//! estates with cycles.

mod common {
    pub(crate) mod estates;
}

use common::estates::{Estate, Kinds, estates, truth};
use keelson_analysis::{
    Pool, Reading,
    availability::{Availability, Budget, Chance, Composition, Estimate, Method, Question, availability},
    cut_sets::{CutSets, Listing, Resilience, Select, cut_sets},
    impact::{self, Seed, impact},
    importance::importance,
};
use keelson_graph::{ItemIx, Snapshot};
use keelson_model::Rule;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngSeed, TestRunner},
};

const CYCLES: Kinds = Kinds { cycles: true, shares: false, doubts: false };
const SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: true };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };
const READINGS: [Reading; 3] = [Reading::Optimistic, Reading::AsWritten, Reading::Pessimistic];

/// What is asked of a random estate.
#[derive(Clone, Debug)]
struct Case {
    estate: Estate,
    item: ItemIx,
    level: f64,
    reading: Reading,
    down: Vec<ItemIx>,
    chances: Vec<f64>,
}

impl Case {
    fn chance(&self, item: ItemIx) -> Chance {
        Chance::exactly(self.chances[item.index()])
    }

    fn compose<'q>(&'q self, snapshot: &Snapshot, budget: Budget) -> Composition<'q> {
        let Self { item, level, reading, .. } = *self;
        let question = Question { level, reading, seeds: &self.down, budget, ..Question::about(item) };
        Composition::of(snapshot, &question, |item| self.chance(item)).expect("items")
    }

    /// The items that may fail of themselves, and for every combination of them whether it fells the
    /// item: by walking through the estate.
    fn tried(&self, snapshot: &Snapshot) -> (Vec<ItemIx>, Vec<bool>) {
        let pool = Pool::new();
        let is_open = |item: &ItemIx| self.chances[item.index()] > 0.0 && !self.down.contains(item);
        let items: Vec<ItemIx> = snapshot.item_numbers().filter(is_open).collect();
        let fails = |combination: usize| {
            let chosen = items.iter().enumerate().filter(|(at, _)| combination >> at & 1 == 1).map(|(_, item)| *item);
            let seeds: Vec<Seed> = self.down.iter().copied().chain(chosen).map(Seed::gone).collect();
            let question = impact::Question { reading: self.reading, ..impact::Question::about(&seeds) };
            impact(snapshot, &question, &pool).expect("items").loss(self.item) >= self.level - 1e-9
        };
        let fails = (0..1 << items.len()).map(fails).collect();
        (items, fails)
    }

    fn probability(&self, (items, fails): &(Vec<ItemIx>, Vec<bool>), fixed: Option<(ItemIx, bool)>) -> f64 {
        let mut sum = 0.0;
        for (combination, _) in fails.iter().enumerate().filter(|(_, fails)| **fails) {
            let chance = |(at, item): (usize, &ItemIx)| {
                let has_failed = combination >> at & 1 == 1;
                match (fixed, has_failed) {
                    (Some((known, failed)), _) if known == *item => f64::from(u8::from(failed == has_failed)),
                    (_, true) => self.chances[item.index()],
                    (_, false) => 1.0 - self.chances[item.index()],
                }
            };
            sum += items.iter().enumerate().map(chance).product::<f64>();
        }
        sum
    }
}

/// The combinations that fell the item, and of which no part does.
fn minimal((items, fails): &(Vec<ItemIx>, Vec<bool>)) -> Vec<Vec<ItemIx>> {
    let is_minimal = |combination: &usize| {
        let parts = (0..items.len()).filter(|at| combination >> at & 1 == 1).map(|at| combination & !(1 << at));
        fails[*combination] && parts.into_iter().all(|part| !fails[part])
    };
    let chosen = |combination: usize| {
        items.iter().enumerate().filter(|(at, _)| combination >> at & 1 == 1).map(|(_, item)| *item).collect()
    };
    let mut sets: Vec<Vec<ItemIx>> = (0..fails.len()).filter(is_minimal).map(chosen).collect();
    sets.sort();
    sets
}

fn sorted(answer: &CutSets) -> Vec<Vec<ItemIx>> {
    let mut sets: Vec<Vec<ItemIx>> = answer.sets.iter().map(|set| set.items.clone()).collect();
    sets.sort();
    sets
}

fn cases(kinds: Kinds, levels: &'static [f64]) -> impl Strategy<Value = Case> {
    let chance = prop_oneof![2 => Just(0.0), 6 => 0.001..0.5_f64, 1 => Just(1.0)];
    let down = proptest::collection::vec(0..12_u32, 0..3);
    let reading = prop::sample::select(&READINGS[..]);
    (estates(kinds), 0..12_u32, prop::sample::select(levels), reading, down, proptest::collection::vec(chance, 12))
        .prop_map(|(estate, item, level, reading, down, chances)| {
            let within = |item: u32| ItemIx(item % estate.items);
            Case { item: within(item), level, reading, down: down.into_iter().map(within).collect(), chances, estate }
        })
}

const ANY_LEVEL: &[f64] = &[1.0, 0.5, 0.2];
const WHOLE: &[f64] = &[1.0];
/// Budgets of nodes from none at all to enough for everything.
const NODES: [usize; 7] = [0, 6, 15, 40, 100, 300, 1_000];

fn budget(nodes: usize, samples: u64) -> Budget {
    Budget { nodes, samples, tolerance: 0.0, ..Budget::default() }
}

fn everything() -> Listing {
    Listing { select: Select::Size(usize::MAX), most: 10_000 }
}

fn holds(estimate: Estimate, truth: f64) -> bool {
    estimate.least <= truth + 1e-12 && truth <= estimate.most + 1e-12
}

/// Everything exact about a case.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let snapshot = case.estate.build();
    let tried = case.tried(&snapshot);
    let composition = case.compose(&snapshot, Budget::default());
    let found = availability(&composition);
    prop_assert_eq!(found.method, Method::Exact);
    let expected = case.probability(&tried, None);
    let value = found.with_most.value;
    prop_assert!((value - expected).abs() < 1e-12, "{} is not {}", value, expected);
    prop_assert_eq!(found.has_failed, tried.1[0]);

    let sets = cut_sets(&composition, &everything());
    let minimal = minimal(&tried);
    if found.has_failed {
        prop_assert_eq!(sets.resilience, Resilience::Exactly(0));
        return Ok(());
    }
    prop_assert!(sets.is_complete && sets.count.is_exact);
    prop_assert_eq!(sorted(&sets), minimal.clone());
    prop_assert_eq!(sets.count.at_least, minimal.len() as u128);
    for (size, count) in sets.by_size.iter().enumerate() {
        prop_assert_eq!(*count, minimal.iter().filter(|set| set.len() == size).count() as u128);
    }
    let smallest = minimal.iter().map(Vec::len).min();
    prop_assert_eq!(sets.resilience, smallest.map_or(Resilience::Unbreakable, Resilience::Exactly));
    let bounds = sets.bounds.expect("all sets are known");
    prop_assert!(bounds.upper >= expected - 1e-12 && bounds.sum >= bounds.upper - 1e-12);
    for set in &sets.sets {
        let product: f64 = set.items.iter().map(|item| case.chances[item.index()]).product();
        prop_assert!((set.chance - product).abs() < 1e-12);
    }
    let least = 0.05;
    let likely = cut_sets(&composition, &Listing { select: Select::Chance(least), most: 10_000 });
    let expected = sets.sets.iter().filter(|set| set.chance >= least).count();
    prop_assert!(likely.is_complete && likely.sets.len() == expected);

    let importance = importance(&composition, &found);
    for item in tried.0.iter().copied() {
        let [failed, up] = [true, false].map(|failed| case.probability(&tried, Some((item, failed))));
        let weight = importance.items.iter().find(|weight| weight.item == item);
        let birnbaum = weight.map_or(0.0, |weight| weight.birnbaum.value);
        prop_assert!((birnbaum - (failed - up)).abs() < 1e-12, "{:?}: {} is not {}", item, birnbaum, failed - up);
    }
    Ok(())
}

/// Everything that is still true when there is not room for everything.
fn check_bounds(case: &Case, nodes: usize) -> Result<(), TestCaseError> {
    let snapshot = case.estate.build();
    let tried = case.tried(&snapshot);
    let composition = case.compose(&snapshot, budget(nodes, 0));
    let found = availability(&composition);
    let truth = case.probability(&tried, None);
    prop_assert!(found.method == Method::Exact || found.method == Method::Bounds);
    prop_assert!(holds(found.with_most, truth), "{:?} does not hold {}", found, truth);
    if found.method == Method::Exact {
        prop_assert!((found.with_most.value - truth).abs() < 1e-12);
    }
    if found.has_failed {
        return Ok(());
    }
    let importance = importance(&composition, &found);
    for weight in &importance.items {
        let [failed, up] = [true, false].map(|failed| case.probability(&tried, Some((weight.item, failed))));
        prop_assert!(holds(weight.birnbaum, failed - up), "{:?} does not hold {}", weight, failed - up);
    }

    let minimal = minimal(&tried);
    let smallest = minimal.iter().map(Vec::len).min();
    for select in [Select::Size(2), Select::Size(usize::MAX), Select::Chance(0.01)] {
        let sets = cut_sets(&composition, &Listing { select, most: 10_000 });
        let listed = sorted(&sets);
        prop_assert!(listed.iter().all(|set| minimal.binary_search(set).is_ok()), "{:?} of {:?}", listed, minimal);
        let is_wanted = |set: &&Vec<ItemIx>| match select {
            Select::Size(size) => set.len() <= size,
            Select::Chance(least) => set.iter().map(|item| case.chances[item.index()]).product::<f64>() >= least,
        };
        prop_assert!(!sets.is_complete || listed.len() == minimal.iter().filter(is_wanted).count());
        let count = minimal.len() as u128;
        prop_assert!(sets.count.at_least <= count);
        prop_assert!(!sets.count.is_exact || sets.count.at_least == count);
        for (size, count) in sets.by_size.iter().enumerate() {
            prop_assert_eq!(*count, minimal.iter().filter(|set| set.len() == size).count() as u128);
        }
        match sets.resilience {
            Resilience::Exactly(number) => prop_assert_eq!(Some(number), smallest),
            Resilience::Unbreakable => prop_assert_eq!(None, smallest),
            Resilience::Between(least, most) => {
                prop_assert!(smallest.is_none_or(|smallest| least <= smallest));
                prop_assert!(most.is_none_or(|most| smallest.is_some_and(|smallest| smallest <= most)));
            }
        }
    }
    Ok(())
}

fn config(cases: u32, seed: u64) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(600, 31))]

    #[test]
    fn exact_answers_are_what_trying_every_combination_finds(case in cases(CYCLES, ANY_LEVEL)) {
        check(&case)?;
    }

    #[test]
    fn so_they_are_where_loads_are_shared(case in cases(SHARES, WHOLE)) {
        check(&case)?;
    }

    #[test]
    fn so_they_are_where_needs_are_in_doubt(case in cases(DOUBTS, ANY_LEVEL)) {
        check(&case)?;
    }

    #[test]
    fn bounds_hold_whatever_room_there_is(case in cases(CYCLES, ANY_LEVEL), nodes in prop::sample::select(&NODES[..])) {
        check_bounds(&case, nodes)?;
    }

    #[test]
    fn bounds_hold_where_loads_are_shared(case in cases(SHARES, WHOLE), nodes in prop::sample::select(&NODES[..])) {
        check_bounds(&case, nodes)?;
    }

    #[test]
    fn the_readings_bracket_the_truth(mut case in cases(DOUBTS, WHOLE), dice in any::<[u64; 20]>()) {
        // What is written is one of the counts that are possible.
        for need in &mut case.estate.needs {
            need.rule = need.doubt.counts.first().map_or(need.rule.clone(), |&k| Rule::AtLeast { k });
        }
        let snapshot = case.estate.build();
        let of = |snapshot: &Snapshot, reading| {
            availability(&Case { reading, ..case.clone() }.compose(snapshot, Budget::default())).with_most.value
        };
        let [optimistic, written, pessimistic] = READINGS.map(|reading| of(&snapshot, reading));
        prop_assert!(optimistic <= written + 1e-12 && written <= pessimistic + 1e-12);
        let needs = case.estate.needs.iter().zip(dice.iter().cycle()).filter_map(|(need, dice)| truth(need, *dice));
        let true_estate = Estate { items: case.estate.items, needs: needs.collect() };
        let truth = of(&true_estate.build(), Reading::AsWritten);
        prop_assert!(optimistic <= truth + 1e-12 && truth <= pessimistic + 1e-12);
    }

    #[test]
    fn more_likely_failures_make_more_likely_breaches(case in cases(CYCLES, ANY_LEVEL), more in 0..12_usize) {
        let snapshot = case.estate.build();
        let of = |most: f64| {
            let question = Question { level: case.level, ..Question::about(case.item) };
            let chance = |item: ItemIx| {
                let least = case.chances[item.index()];
                Chance::between(least, if item.index() == more { least.max(most) } else { least })
            };
            availability(&Composition::of(&snapshot, &question, chance).expect("items"))
        };
        let (before, after) = (of(0.0), of(0.9));
        prop_assert!((before.with_most.value - after.with_least.value).abs() < 1e-12);
        prop_assert!(after.with_least.value <= after.with_most.value + 1e-12);
    }
}

/// Simulated answers say within what the truth lies in 95 of 100 cases, so in most of many they are right,
/// and nowhere far off.
#[test]
fn trials_are_right_within_what_they_say() {
    let mut runner = TestRunner::new(config(1, 32));
    let strategy = cases(CYCLES, ANY_LEVEL);
    let (mut tried, mut right) = (0, 0);
    while tried < 300 {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        let snapshot = case.estate.build();
        let found: Availability = availability(&case.compose(&snapshot, budget(0, 4_096)));
        let Method::Simulated { samples, .. } = found.method else { continue };
        assert_eq!(samples, 4_096);
        let truth = case.probability(&case.tried(&snapshot), None);
        tried += 1;
        right += u32::from(holds(found.with_most, truth));
        let deviation = (truth * (1.0 - truth) / 4_096.0).sqrt();
        assert!((found.with_most.value - truth).abs() <= 5.0 * deviation + 1e-3, "{found:?} is far from {truth}");
    }
    assert!(right >= 279, "{right} of 300 are fewer than 93 %");
}
