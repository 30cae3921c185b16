//! Growth, trends and non-negative fits.

use keelson_forecast::{
    ForecastError,
    growth::{Exhaustion, Part, exhaustion, load_in},
    nnls::fit,
    trend::theil_sen,
};
use proptest::prelude::*;

const GAP: f64 = f64::NAN;

fn months(parts: &[Part], limit: f64) -> Option<f64> {
    exhaustion(parts, limit, 600.0).expect("a sound question").months()
}

#[test]
fn growth_reaches_a_limit_when_compounding_says_so() {
    let load = |load: f64| [Part { load, growth: 0.02 }];
    let near = |found: Option<f64>, wanted: f64| assert!((found.expect("reached") - wanted).abs() < 0.005, "{found:?}");
    near(months(&load(100.0), 120.0), 9.21);
    near(months(&load(100.0), 125.0), 11.27);
    near(months(&load(100.0), 144.0), 18.41);
    near(months(&load(100.0), 400.0), 70.01);
    assert_eq!(months(&load(100.0), 100.0), Some(0.0), "at the limit it is passed at once");
    assert_eq!(exhaustion(&load(101.0), 100.0, 12.0), Ok(Exhaustion::Already));
    assert_eq!(exhaustion(&load(1.0), 100.0, 12.0), Ok(Exhaustion::NotWithin(12.0)));
    assert_eq!(months(&[Part { load: 50.0, growth: -0.01 }], 60.0), None);
    assert!(exhaustion(&[Part { load: 1.0, growth: -1.0 }], 2.0, 12.0).is_err());
}

#[test]
fn the_slope_of_the_published_series_is_exact() {
    let text = include_str!("known-answers/mk_arbitrary_1d.csv");
    let values: Vec<f64> = text.lines().map(|line| line.trim().parse().unwrap_or(GAP)).collect();
    assert_eq!((values.len(), values.iter().filter(|value| value.is_nan()).count()), (360, 7));
    let trend = theil_sen(&values, usize::MAX).expect("many values");
    assert!((trend.slope / -0.006_369_426_751_592_357 - 1.0).abs() < 1e-12, "{}", trend.slope);
    assert!((trend.intercept / 96.152_866_242_038_21 - 1.0).abs() < 1e-12, "{}", trend.intercept);
    assert_eq!((trend.score, trend.is_exact), (-1959, true));
    let fewer = theil_sen(&values, 5_000).expect("many values");
    assert!(!fewer.is_exact && (fewer.slope - trend.slope).abs() < 0.05, "{fewer:?}");
}

#[test]
fn outliers_do_not_bend_the_line() {
    let mut values: Vec<f64> = (0..100).map(|at| 5.0 + 0.5 * f64::from(at)).collect();
    for at in [3, 17, 40, 41, 42, 77, 90] {
        values[at] = 1_000.0;
    }
    values[50] = GAP;
    let trend = theil_sen(&values, usize::MAX).expect("many values");
    assert!((trend.slope - 0.5).abs() < 1e-9);
    assert_eq!(theil_sen(&[1.0, GAP], usize::MAX), None);
}

#[test]
fn ratios_are_found_in_series_and_gaps_left_out() {
    let (a, mut b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 7.0], [3.0, 1.0, 4.0, 1.0, 5.0, 9.0]);
    let load: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 2.0 * a + 0.5 * b).collect();
    b[2] = GAP;
    let idle = [0.0; 6];
    let found = fit(&[&a, &b, &idle], &load).expect("enough points");
    assert!((found.factors[0] - 2.0).abs() < 1e-9 && (found.factors[1] - 0.5).abs() < 1e-9, "{found:?}");
    assert_eq!((found.factors[2], found.points, found.is_settled), (0.0, 5, true));
    assert!(found.determination.expect("the load varies") > 1.0 - 1e-12 && found.undetermined.is_empty());
}

#[test]
fn columns_that_move_together_are_named() {
    let (a, twice) = ([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]);
    let found = fit(&[&a, &twice], &[3.0, 6.0, 9.0, 12.0]).expect("enough points");
    let load = found.factors[0] + 2.0 * found.factors[1];
    assert!((load - 3.0).abs() < 1e-9);
    assert_eq!(found.undetermined.len(), 1);
}

#[test]
fn fits_that_mean_nothing_are_refused() {
    assert!(matches!(fit(&[&[1.0]], &[1.0, 2.0]), Err(ForecastError::WrongLength { .. })));
    assert!(matches!(fit(&[&[1.0, GAP], &[1.0, 2.0]], &[1.0, 2.0]), Err(ForecastError::TooShort { have: 1, need: 2 })));
    assert!(fit(&[&[f64::INFINITY]], &[1.0]).is_err());
    assert!(fit(&[&[1.0, 2.0]], &[-1.0, -2.0]).is_ok_and(|found| found.factors == [0.0]));
}

/// The slope of the squared error in each factor, for columns of length 1.
fn gradient(columns: &[Vec<f64>], load: &[f64], factors: &[f64]) -> Vec<f64> {
    let met = |row: usize| columns.iter().zip(factors).map(|(column, factor)| column[row] * factor).sum::<f64>();
    let left: Vec<f64> = load.iter().enumerate().map(|(row, load)| load - met(row)).collect();
    let norm = |column: &[f64]| column.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-300);
    columns.iter().map(|column| column.iter().zip(&left).map(|(a, r)| a * r).sum::<f64>() / norm(column)).collect()
}

fn systems() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<f64>)> {
    (1..8_usize, 8..30_usize).prop_flat_map(|(columns, rows)| {
        let value = prop_oneof![Just(0.0), -5.0..10.0_f64];
        let column = proptest::collection::vec(value, rows);
        (proptest::collection::vec(column, columns), proptest::collection::vec(-10.0..20.0_f64, rows))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn factors_meet_the_conditions_of_the_best_fit((columns, load) in systems()) {
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let found = fit(&slices, &load).expect("enough points");
        prop_assert!(found.is_settled);
        let scale = load.iter().map(|value| value * value).sum::<f64>().sqrt();
        for (factor, gain) in found.factors.iter().zip(gradient(&columns, &load, &found.factors)) {
            // Karush, Kuhn, Tucker: no factor below 0; none that would gain by rising; those above 0 level.
            prop_assert!(*factor >= 0.0);
            prop_assert!(gain <= 1e-8 * scale, "{gain} could still be gained");
            prop_assert!(*factor == 0.0 || gain.abs() <= 1e-8 * scale, "{gain} at {factor}");
        }
    }

    #[test]
    fn the_load_at_the_date_found_is_the_limit(
        parts in proptest::collection::vec((0.0..100.0_f64, -0.05..0.1_f64), 1..5), head in 1.0..3.0_f64,
    ) {
        let parts: Vec<Part> = parts.into_iter().map(|(load, growth)| Part { load, growth }).collect();
        let limit = load_in(&parts, 0.0) * head + 1.0;
        match exhaustion(&parts, limit, 240.0).expect("a sound question") {
            Exhaustion::Already => prop_assert!(false, "the load lies below the limit"),
            Exhaustion::In(months) => prop_assert!((load_in(&parts, months) / limit - 1.0).abs() < 1e-9),
            Exhaustion::NotWithin(months) => prop_assert!(load_in(&parts, months) <= limit),
        }
    }
}
