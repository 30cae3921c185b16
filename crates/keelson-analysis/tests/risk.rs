//! E7 of the worked estate, and the arithmetic of risk.

use keelson_analysis::risk::{
    Bin, Count, Exposure, History, Judged, Kind, Level, Match, Prior, Stake, beta_quantile, brier, expected_loss,
    match_up, reliability, window_failure,
};
use keelson_graph::ItemIx;
use proptest::prelude::*;

const KIND: Kind = Kind { class: Some(1), team: Some(2), template: Some(3) };

fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted}");
}

/// A cell with so many failures of so many changes below a portfolio whose mean is 3 %.
fn cell(failures: u32, changes: u32) -> keelson_analysis::risk::Estimate {
    let mut history = History::new();
    let kind = Kind { class: Some(1), ..Kind::default() };
    (0..changes).for_each(|change| history.note(kind, change < failures));
    // Enough changes elsewhere that this cell does not move the mean above it.
    (0..1_000_000).for_each(|change| history.note(Kind::default(), change < 30_000));
    history.estimate(Prior::default(), kind)
}

#[test]
fn the_worked_estimates_come_out() {
    let estimate = cell(4, 40);
    close(estimate.mean, 0.061, 0.0005);
    close(estimate.interval.0, 0.026, 0.0005);
    close(estimate.interval.1, 0.107, 0.0005);
    assert_eq!((estimate.level, estimate.count), (Level::Class, Count { failures: 4, changes: 40 }));

    let nothing = History::new().estimate(Prior::default(), KIND);
    close(nothing.mean, 0.03, 1e-12);
    close(nothing.interval.0, 0.004, 0.0005);
    close(nothing.interval.1, 0.077, 0.0005);
    assert_eq!((nothing.level, nothing.count), (Level::Template, Count::default()));
    close(nothing.alpha, 1.5, 1e-12);
    close(nothing.beta, 48.5, 1e-12);

    close(cell(0, 12).mean, 0.024, 0.0005);
    close(cell(1, 300).mean, 0.007, 0.0005);
}

#[test]
fn the_worked_loss_comes_out() {
    let stake = Stake {
        value_per_hour: 20_000.0,
        planned_breach: 0.0,
        loss_if_failed: 0.0,
        unavailability: 0.005_321,
        unavailability_during: 0.010_248_4,
    };
    let exposure = Exposure { fails: 0.0611, window: 4.0, rollback: 8.0 };
    let alone = expected_loss(exposure, &[stake]).total();
    close(alone, 442.0, 0.5);
    let collided = expected_loss(exposure, &[Stake { planned_breach: 1.0, ..stake }]);
    close(collided.planned, 20_000.0, 0.5);
    close((collided.planned / alone).round(), 45.0, 0.0);
    // A failed change that takes a service down costs the rollback as far as it is likely.
    let failing = expected_loss(exposure, &[Stake { loss_if_failed: 0.5, ..stake }]);
    close(failing.failed, 20_000.0 * 0.0611 * 0.5 * 8.0, 1e-9);
}

#[test]
fn the_chance_of_a_failure_within_a_window_comes_out() {
    close(window_failure(0.005, 4.0, 4.0), 0.005_012_520_806_793_597, 1e-15);
    assert_eq!(window_failure(0.0, 4.0, 4.0), 0.0);
    assert_eq!(window_failure(1.0, 4.0, 4.0), 1.0);
    assert_eq!(window_failure(0.5, 0.0, 4.0), 1.0);
    assert_eq!(window_failure(0.5, 4.0, 0.0), 0.0);
}

#[test]
fn every_cell_is_shrunk_to_the_one_above() {
    let prior = Prior { mean: 0.1, strength: 10.0 };
    let mut history = History::new();
    let (class, team) = (Kind { class: Some(1), ..Kind::default() }, Kind { template: None, ..KIND });
    (0..20).for_each(|at| history.note(KIND, at < 10));
    let portfolio = (1.0 + 10.0) / 30.0;
    let mean = |above: f64| (10.0 * above + 10.0) / 30.0;
    close(history.estimate(prior, Kind::default()).mean, portfolio, 1e-12);
    // The same twenty changes are all there is in every cell: they count once.
    close(history.estimate(prior, class).mean, mean(0.1), 1e-12);
    close(history.estimate(prior, team).mean, mean(0.1), 1e-12);
    close(history.estimate(prior, KIND).mean, mean(0.1), 1e-12);
    // Another template of the same team starts from the team; another team from the class.
    let other = history.estimate(prior, Kind { template: Some(9), ..KIND });
    close(other.mean, mean(0.1), 1e-12);
    close(history.estimate(prior, Kind { team: Some(9), ..KIND }).mean, mean(0.1), 1e-12);
    // Ten good changes by that other template: the team's twenty are its parent, and its own ten count.
    (0..10).for_each(|_| history.note(Kind { template: Some(9), ..KIND }, false));
    let other = history.estimate(prior, Kind { template: Some(9), ..KIND });
    close(other.mean, 10.0 * mean(0.1) / 20.0, 1e-12);
    // A team without a class says nothing.
    assert_eq!(history.estimate(prior, Kind { class: None, ..KIND }).level, Level::Portfolio);
}

#[test]
fn the_strength_is_fitted_to_how_much_cells_differ() {
    let with_failures = |failures: [u32; 6]| {
        let mut history = History::new();
        for (class, failures) in (0..).zip(failures) {
            let kind = Kind { class: Some(class), ..Kind::default() };
            (0..200).for_each(|change| history.note(kind, change < failures));
        }
        history
    };
    let alike = with_failures([20; 6]).fitted(0.1).expect("there is history").strength;
    let apart = with_failures([0, 60, 2, 50, 1, 7]).fitted(0.1).expect("there is history").strength;
    assert!(alike > 1_000.0 && apart < 20.0, "{alike} and {apart}");
    let history = with_failures([10, 40, 15, 30, 12, 13]);
    let best = history.fitted(0.1).expect("there is history");
    for factor in [0.5, 0.9, 1.1, 2.0] {
        let other = Prior { strength: best.strength * factor, ..best };
        assert!(history.likelihood(other) < history.likelihood(best), "{factor} times {}", best.strength);
    }
    assert!(History::new().fitted(0.1).is_none());
}

#[test]
fn quantiles_are_exact_where_they_are_known() {
    // Beta(1, b) has the quantile 1 − (1 − p)^(1/b); Beta(a, 1) has p^(1/a).
    for p in [0.05, 0.5, 0.95] {
        for parameter in [0.5, 1.0, 3.0, 48.5, 10_000.0] {
            close(beta_quantile(1.0, parameter, p), -((1.0 - p).ln() / parameter).exp_m1(), 1e-12);
            close(beta_quantile(parameter, 1.0, p), p.powf(1.0 / parameter), 1e-12);
        }
    }
    assert!(beta_quantile(0.005, 50.0, 0.05) < 1e-100, "far below anything that matters, and no hang");
}

#[test]
fn predictions_are_scored() {
    let judged = |predicted, failed| Judged { predicted, failed };
    let all = [judged(0.1, false), judged(0.1, false), judged(0.3, true), judged(1.0, true)];
    close(brier(&all).expect("four of them"), (0.01 + 0.01 + 0.49) / 4.0, 1e-12);
    assert_eq!(brier(&[]), None);
    let bins = reliability(&all, &[0.2, 0.5, 0.8]);
    let told: Vec<(f64, usize, f64)> = bins.iter().map(|bin: &Bin| (bin.from, bin.count, bin.observed)).collect();
    assert_eq!(told, [(0.0, 2, 0.0), (0.2, 1, 1.0), (0.8, 1, 1.0)]);

    let items = |numbers: &[u32]| -> Vec<ItemIx> { numbers.iter().copied().map(ItemIx).collect() };
    let found = match_up(&items(&[1, 2, 3, 3]), &items(&[3, 4]));
    assert_eq!(found, Match { hits: 1, false_alarms: 2, misses: 1 });
    assert_eq!((found.precision(), found.recall()), (Some(1.0 / 3.0), Some(0.5)));
    assert!(match_up(&[], &[]).is_right() && match_up(&[], &[]).precision().is_none());
    assert_eq!(found.with(found).hits, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn quantiles_rise_with_the_probability(a in 0.01..500.0_f64, b in 0.01..500.0_f64, p in 0.001..0.999_f64) {
        let [low, middle, high] = [p / 2.0, p, f64::midpoint(p, 1.0)].map(|p| beta_quantile(a, b, p));
        prop_assert!((0.0..=1.0).contains(&middle) && low <= middle && middle <= high);
        if middle > 1e-9 && middle < 1.0 - 1e-9 {
            prop_assert!((statrs::function::beta::beta_reg(a, b, middle) - p).abs() < 1e-6);
        }
    }
}
