//! E19: sizes of audit samples and what they prove.

use keelson_analysis::sampling::{
    SamplingError, confidence, confidence_of, interval, size, size_of, upper_limit, upper_limit_of,
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
