//! E19: sizes of audit samples and what they prove.

use keelson_analysis::sampling::{
    Part, SamplingError, confidence, confidence_of, confidence_of_parts, interval, size, size_of, size_of_parts,
    upper_limit, upper_limit_of, upper_limit_of_parts,
};
use proptest::prelude::*;

#[test]
fn sizes_without_a_deviation() {
    let wanted =
        [(2, 149), (3, 99), (4, 74), (5, 59), (6, 49), (7, 42), (8, 36), (9, 32), (10, 29), (15, 19), (20, 14)];
    for (percent, wanted) in wanted {
        assert_eq!(size(0.95, f64::from(percent) / 100.0, 0).unwrap(), wanted, "{percent} %");
    }
    assert_eq!((size(0.90, 0.05, 0).unwrap(), size(0.90, 0.10, 0).unwrap()), (45, 22));
}

#[test]
fn sizes_with_deviations() {
    assert_eq!([0, 1, 2].map(|deviations| size(0.95, 0.05, deviations).unwrap()), [59, 93, 124]);
    assert_eq!([0, 1].map(|deviations| size(0.95, 0.10, deviations).unwrap()), [29, 46]);
}

#[test]
fn sizes_of_small_populations() {
    for (population, wanted) in [(50, 31), (100, 45), (200, 51), (500, 56), (1_000, 57), (5_000, 59)] {
        assert_eq!(size_of(population, 0.95, 0.05, 0).unwrap(), wanted, "{population}");
    }
}

#[test]
fn what_the_usual_samples_prove() {
    for (n, at_5, at_10, limit_90, limit_95) in [
        (25, 0.7226, 0.9282, 0.0880, 0.1129),
        (40, 0.8715, 0.9852, 0.0559, 0.0722),
        (60, 0.9539, 0.9982, 0.0376, 0.0487),
    ] {
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() <= 5e-5, "{n}: {found} is not {wanted}");
        near(confidence(n, 0.05).unwrap(), at_5);
        near(confidence(n, 0.10).unwrap(), at_10);
        near(upper_limit(n, 0, 0.90).unwrap(), limit_90);
        near(upper_limit(n, 0, 0.95).unwrap(), limit_95);
    }
}

#[test]
fn an_interval_by_clopper_and_pearson() {
    let (low, high) = interval(60, 57, 0.95).unwrap();
    assert!((low - 0.861).abs() < 0.0005 && (high - 0.990).abs() < 0.0005, "{low} {high}");
    assert_eq!(interval(10, 0, 0.95).unwrap().0, 0.0);
    assert_eq!(interval(10, 10, 0.95).unwrap().1, 1.0);
}

#[test]
fn what_means_nothing_is_refused() {
    assert!(matches!(size(1.0, 0.05, 0), Err(SamplingError::OutOfRange { .. })));
    assert!(matches!(size(0.95, 0.0, 0), Err(SamplingError::OutOfRange { .. })));
    assert!(matches!(size_of(10, 0.95, 0.05, 5), Err(SamplingError::Impossible { .. })));
    assert!(matches!(upper_limit(5, 6, 0.95), Err(SamplingError::TooMany { .. })));
}

#[test]
fn all_of_a_population_is_certain() {
    assert_eq!(confidence_of(30, 30, 0.05, 0).unwrap(), 1.0);
    assert_eq!(upper_limit_of(30, 30, 3, 0.95).unwrap(), 0.1);
    assert_eq!(upper_limit_of(30, 0, 0, 0.95).unwrap(), 1.0);
    assert_eq!(upper_limit_of(0, 0, 0, 0.95).unwrap(), 0.0);
    assert!(matches!(upper_limit_of(5, 6, 0, 0.95), Err(SamplingError::TooMany { .. })));
}

proptest! {
    #[test]
    fn what_a_sample_was_planned_to_prove_it_proves(
        population in 1u64..3_000, confidence in 0.5f64..0.999, tolerable in 0.01f64..0.5, deviations in 0u64..5,
    ) {
        if let Ok(n) = size_of(population, confidence, tolerable, deviations) {
            prop_assert!(upper_limit_of(population, n, deviations, confidence).unwrap() < tolerable);
            prop_assert!(confidence_of(population, n, tolerable, deviations).unwrap() >= confidence - 1e-9);
            // One item less proves less than was wanted.
            prop_assert!(
                n == deviations + 1
                    || confidence_of(population, n - 1, tolerable, deviations).unwrap() < confidence + 1e-9
            );
        }
    }

    #[test]
    fn a_sample_is_as_small_as_it_may_be(confidence in 0.5f64..0.999, tolerable in 0.01f64..0.5, deviations in 0u64..5) {
        let n = size(confidence, tolerable, deviations).unwrap();
        // The limit after as many deviations as are allowed lies at the tolerable share or below, and one item less would
        // not have been enough.
        prop_assert!(upper_limit(n, deviations, confidence).unwrap() <= tolerable + 1e-9);
        if n > deviations + 1 {
            prop_assert!(upper_limit(n - 1, deviations, confidence).unwrap() > tolerable - 1e-9);
        }
    }
}

/// Every way to spread so many over parts of these sizes.
fn spreads(parts: &[u64], left: u64) -> Vec<Vec<u64>> {
    let Some((first, others)) = parts.split_first() else {
        return if left == 0 { vec![Vec::new()] } else { Vec::new() };
    };
    let with = |one: u64| {
        let rest = spreads(others, left - one);
        rest.into_iter().map(move |rest| [vec![one], rest].concat())
    };
    (0..=left.min(*first)).flat_map(with).collect()
}

/// In how many ways so many can be picked, without the crate under test.
fn choose(of: u64, picked: u64) -> f64 {
    if picked > of { 0.0 } else { (0..picked).map(|at| (of - at) as f64 / (at + 1) as f64).product() }
}

/// The chance of finding at most so many when deviations lie as they are said to.
fn chance(parts: &[Part], lie: &[u64], found: u64) -> f64 {
    let Some((part, others)) = parts.split_first() else { return 1.0 };
    let all = choose(part.population, part.size);
    let of = |hits: u64| choose(lie[0], hits) * choose(part.population - lie[0], part.size - hits) / all;
    (0..=found.min(lie[0]).min(part.size)).map(|hits| of(hits) * chance(others, &lie[1..], found - hits)).sum()
}

#[test]
fn a_sample_of_strata_reaches_what_it_states() {
    // 12 of 16 in proportion reach less than 12 from anywhere.
    let parts = [(10, 8), (3, 2), (1, 1), (2, 1)].map(|(population, size)| Part { population, size });
    let reached = confidence_of_parts(&parts, 0.1, 0).unwrap();
    assert!(reached < confidence_of(16, 12, 0.1, 0).unwrap() && reached < 0.95, "{reached}");
    // One in proportion of each, so few that a stratum stays unseen: nothing is proved of what lies there.
    let unseen = [Part { population: 90, size: 90 }, Part { population: 10, size: 0 }];
    assert_eq!(confidence_of_parts(&unseen, 0.1, 0).unwrap(), 0.0);
}

proptest! {
    #[test]
    fn strata_hold_wherever_deviations_lie(
        parts in proptest::collection::vec((1..9_u64, 0..=100_u64), 1..5), tolerable in 0.05..0.6_f64, found in 0..4_u64,
        confidence in 0.5..0.99_f64,
    ) {
        let drawn: Vec<Part> = parts.iter().map(|(all, share)| Part { population: *all, size: all * share / 100 }).collect();
        let sizes: Vec<u64> = drawn.iter().map(|part| part.population).collect();
        let population: u64 = sizes.iter().sum();
        let worst = |deviating: u64| {
            spreads(&sizes, deviating).iter().map(|lie| chance(&drawn, lie, found)).fold(0.0, f64::max)
        };
        let deviating = ((population as f64 * tolerable - 1e-12).ceil().max(1.0) as u64).min(population);
        let reached = confidence_of_parts(&drawn, tolerable, found).unwrap();
        prop_assert!((reached - (1.0 - worst(deviating))).abs() < 1e-9, "{reached} {}", 1.0 - worst(deviating));
        if found <= drawn.iter().map(|part| part.size).sum() {
            let limit = upper_limit_of_parts(&drawn, found, confidence).unwrap();
            // One more than may deviate would be found out.
            let more = (limit * population as f64).round() as u64 + 1;
            let at_most = found + population - drawn.iter().map(|part| part.size).sum::<u64>();
            prop_assert!(more > at_most || worst(more) <= 1.0 - confidence + 1e-9);
            prop_assert!(more == 1 || more - 1 <= found || worst(more - 1) > 1.0 - confidence - 1e-9);
        }
    }
}

#[test]
fn a_sample_of_strata_is_large_enough_for_what_is_wanted() {
    // In proportion, one of each at least, as samples are drawn.
    let shares = |size: u64| [10_u64, 3, 1, 2].map(|all| (all * size).div_ceil(16)).to_vec();
    let size = size_of_parts(&[10, 3, 1, 2], shares, (0.95, 0.1), 0).unwrap();
    let parts =
        |size| [10, 3, 1, 2].iter().zip(shares(size)).map(|(population, size)| Part { population: *population, size });
    assert!(confidence_of_parts(&parts(size).collect::<Vec<_>>(), 0.1, 0).unwrap() >= 0.95);
    // Large populations are bounded from below within the time for an answer.
    let large =
        [600_000_u64, 300_000, 90_000, 9_000, 1_000].map(|population| Part { population, size: population / 2_000 });
    let (parts, whole) =
        (confidence_of_parts(&large, 0.05, 3).unwrap(), confidence_of(1_000_000, 499, 0.05, 3).unwrap());
    assert!(parts > 0.99 && parts <= whole, "{parts} {whole}");
}
