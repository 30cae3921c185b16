//! Demand on random graphs with cycles against the linear system, solved as slowly as can be.

use keelson_analysis::{
    Limits,
    demand::{DemandError, Model, Origin, Source, Visit, Visits},
};
use keelson_graph::{Builder, ItemIx, Snapshot};
use proptest::prelude::*;

/// Items needing each other, with a ratio each.
#[derive(Clone, Debug)]
struct Estate {
    items: u32,
    ratios: Vec<(u32, u32, f64)>,
    sources: Vec<(u32, f64)>,
}

impl Estate {
    fn build(&self) -> (Snapshot, Visits) {
        let mut builder = Builder::new();
        for item in 0..self.items {
            builder.item(ItemIx(item));
        }
        for (tag, &(owner, member, _)) in (0..).zip(&self.ratios) {
            builder.plain(ItemIx(owner), ItemIx(member), tag);
        }
        let snapshot = builder.build().expect("all items are there");
        let visit = |&(owner, member, ratio): &(u32, u32, f64)| Visit {
            owner: ItemIx(owner),
            member: ItemIx(member),
            ratio,
            origin: Origin::Given,
        };
        let visits = Visits::new(&snapshot, self.ratios.iter().map(visit).collect()).expect("all are needed");
        (snapshot, visits)
    }

    fn sources(&self) -> Vec<Source> {
        self.sources.iter().map(|&(item, demand)| Source { item: ItemIx(item), demand }).collect()
    }

    /// The ratio matrix, a row per owner.
    fn matrix(&self) -> Vec<Vec<f64>> {
        let size = self.items as usize;
        let mut matrix = vec![vec![0.0; size]; size];
        for &(owner, member, ratio) in &self.ratios {
            matrix[owner as usize][member as usize] += ratio;
        }
        matrix
    }
}

fn estates(most: u32) -> impl Strategy<Value = Estate> {
    (2..most).prop_flat_map(|items| {
        let ratio = prop_oneof![1 => Just(0.0), 6 => 0.01..0.9_f64, 1 => 0.9..3.0_f64];
        let ratios = proptest::collection::vec((0..items, 0..items, ratio), 1..(3 * items as usize));
        let sources = proptest::collection::vec((0..items, 0.0..100.0_f64), 1..4);
        (ratios, sources).prop_map(move |(ratios, sources)| Estate { items, ratios, sources })
    })
}

/// Solves A·x = b by elimination with row exchanges.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let size = b.len();
    for pivot in 0..size {
        let best = (pivot..size).max_by(|x, y| a[*x][pivot].abs().total_cmp(&a[*y][pivot].abs()))?;
        if a[best][pivot].abs() < 1e-12 {
            return None;
        }
        a.swap(pivot, best);
        b.swap(pivot, best);
        for row in pivot + 1..size {
            let factor = a[row][pivot] / a[pivot][pivot];
            let top = a[pivot].clone();
            for (value, top) in a[row].iter_mut().zip(&top).skip(pivot) {
                *value -= factor * top;
            }
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|k| a[row][k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    Some(b)
}

/// Λ = λ + RᵀΛ as a dense system.
fn dense(estate: &Estate) -> Option<Vec<f64>> {
    let (matrix, size) = (estate.matrix(), estate.items as usize);
    let mut system = vec![vec![0.0; size]; size];
    for row in 0..size {
        for column in 0..size {
            system[row][column] = f64::from(u8::from(row == column)) - matrix[column][row];
        }
    }
    let mut right = vec![0.0; size];
    for &(item, demand) in &estate.sources {
        right[item as usize] += demand;
    }
    solve(system, right)
}

/// Whether demand from the sources dies out: adding up rounds stays finite.
fn dies_out(estate: &Estate) -> bool {
    let (matrix, size) = (estate.matrix(), estate.items as usize);
    let mut round = vec![0.0; size];
    for &(item, demand) in &estate.sources {
        round[item as usize] += demand;
    }
    for _ in 0..5_000 {
        let next: Vec<f64> =
            (0..size).map(|member| (0..size).map(|owner| round[owner] * matrix[owner][member]).sum()).collect();
        round = next;
        if round.iter().any(|value| *value > 1e12) {
            return false;
        }
    }
    round.iter().sum::<f64>() < 1e-6
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// A wheel of so many items, each calling the next and, every so often, one far ahead.
fn wheel(items: u32, next: f64, far: f64) -> Estate {
    let mut ratios = Vec::new();
    for item in 0..items {
        ratios.push((item, (item + 1) % items, next));
        if item % 3 == 0 {
            ratios.push((item, (item * 7 + 5) % items, far));
        }
    }
    Estate { items, ratios, sources: vec![(0, 10.0), (items / 2, 5.0)] }
}

#[test]
fn large_loops_are_solved_within_the_error_they_state() {
    for (items, next, far) in [(65, 0.3, 0.2), (150, 0.9, 0.05), (150, 0.5, 0.4)] {
        let estate = wheel(items, next, far);
        let (snapshot, visits) = estate.build();
        let model = Model::new(&snapshot, &visits, &Limits::default());
        let gain = model.loops().next().expect("one loop").gain;
        assert!(gain.low <= gain.high && gain.high < 1.0, "{gain:?}");
        let found = model.demand(&estate.sources(), &Limits::default()).expect("it dies out");
        let wanted = dense(&estate).expect("regular");
        let (sum, off) = (0..items)
            .map(ItemIx)
            .zip(&wanted)
            .fold((0.0, 0.0), |(sum, off), (item, wanted)| (sum + wanted, off + (found.of(item) - wanted).abs()));
        assert!(off / sum <= found.error + 1e-13 && found.error <= 1e-9, "{} against {}", off / sum, found.error);
        let taken = model.taken_from(ItemIx(3), &Limits::default()).expect("known");
        let forward = model.taken_by(ItemIx(40), &Limits::default()).expect("it dies out");
        assert!(close(taken.of(ItemIx(40)), forward.of(ItemIx(3)), 1e-9));
    }
}

#[test]
fn a_ring_of_a_hundred_thousand_is_an_ordinary_loop() {
    let items = 100_000;
    // Ratios far from each other whose product around the ring is a little below 1.
    let ratios: Vec<(u32, u32, f64)> =
        (0..items).map(|item| (item, (item + 1) % items, if item % 2 == 0 { 4.0 } else { 0.249_999_9 })).collect();
    let estate = Estate { items, ratios, sources: vec![(0, 1.0)] };
    let (snapshot, visits) = estate.build();
    let model = Model::new(&snapshot, &visits, &Limits::default());
    let found = model.demand(&estate.sources(), &Limits::default()).expect("the product is below 1");
    let round = (4.0 * 0.249_999_9_f64).powi(50_000);
    assert!(close(found.of(ItemIx(0)), 1.0 / (1.0 - round), 1e-6), "{}", found.of(ItemIx(0)));
    assert!(found.error < 1e-9);

    let ratios = estate.ratios.iter().map(|&(a, b, _)| (a, b, if a % 2 == 0 { 4.0 } else { 0.250_01 })).collect();
    let estate = Estate { ratios, ..estate };
    let (snapshot, visits) = estate.build();
    let model = Model::new(&snapshot, &visits, &Limits::default());
    let error = model.demand(&estate.sources(), &Limits::default()).expect_err("the product is above 1");
    assert!(matches!(error, DemandError::AmplifyingLoop { items, .. } if items.len() == 100_000));
}

#[test]
fn a_chain_of_a_million_is_no_recursion() {
    let items = 1_000_000;
    let ratios = (0..items - 1).map(|item| (item, item + 1, 1.0)).collect();
    let estate = Estate { items, ratios, sources: vec![(0, 7.0)] };
    let (snapshot, visits) = estate.build();
    let model = Model::new(&snapshot, &visits, &Limits::default());
    let found = model.demand(&estate.sources(), &Limits::default()).expect("no loops");
    assert_eq!(found.of(ItemIx(items - 1)), 7.0);
    assert_eq!(model.main_path(&estate.sources(), &found, ItemIx(items - 1), usize::MAX).len(), items as usize);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn demand_solves_the_linear_system(estate in estates(14)) {
        let (snapshot, visits) = estate.build();
        let model = Model::new(&snapshot, &visits, &Limits::default());
        match model.demand(&estate.sources(), &Limits::default()) {
            Ok(found) => {
                let wanted = dense(&estate).expect("a system with a solution");
                for (item, wanted) in (0..estate.items).map(ItemIx).zip(wanted) {
                    prop_assert!(close(found.of(item), wanted, 1e-9), "{} is not {}", found.of(item), wanted);
                    prop_assert_eq!(found.items().contains(&item), found.of(item) > 0.0);
                }
            }
            Err(DemandError::AmplifyingLoop { gain, items }) => {
                prop_assert!(!dies_out(&estate), "{gain:?} {items:?}");
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn sensitivities_are_differences(estate in estates(14), dice in (0..14_u32, 0..14_u32)) {
        let (snapshot, visits) = estate.build();
        let model = Model::new(&snapshot, &visits, &Limits::default());
        let (service, item) = (ItemIx(dice.0 % estate.items), ItemIx(dice.1 % estate.items));
        let limits = Limits::default();
        let mut more = estate.sources();
        let before = model.demand(&more, &limits);
        more.push(Source { item: service, demand: 0.5 });
        if let (Ok(before), Ok(after)) = (before, model.demand(&more, &limits)) {
            let difference = (after.of(item) - before.of(item)) / 0.5;
            let by = model.taken_by(service, &limits).expect("as before").of(item);
            let from = model.taken_from(item, &limits).expect("an item").of(service);
            // Differences of large numbers lose digits; the two passes do not.
            prop_assert!(close(by, difference, 1e-9 * (1.0 + before.of(item))), "{by} is not {difference}");
            prop_assert!(from.is_infinite() || close(from, by, 1e-9), "{from} is not {by}");
        }
    }

    #[test]
    fn gains_enclose_the_spectral_radius(estate in estates(14)) {
        let (snapshot, visits) = estate.build();
        let model = Model::new(&snapshot, &visits, &Limits::default());
        for found in model.loops() {
            prop_assert!(found.gain.low <= found.gain.high);
            // A little above the gain (1·t − R) has a positive inverse, a little below it has not.
            let size = found.items.len();
            let ratio = |a: usize, b: usize| visits.ratio(found.items[a], found.items[b]);
            let inverse_is_positive = |t: f64| {
                let system = (0..size).map(|a| (0..size).map(|b| f64::from(u8::from(a == b)) * t - ratio(a, b)).collect());
                solve(system.collect(), vec![1.0; size]).is_some_and(|x| x.iter().all(|value| *value > 0.0))
            };
            prop_assert!(inverse_is_positive(found.gain.high * (1.0 + 1e-6)));
            prop_assert!(!inverse_is_positive(found.gain.low * (1.0 - 1e-6)));
        }
    }
}
