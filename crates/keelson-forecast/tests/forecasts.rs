//! The ladder, its intervals, and changes of level.

use keelson_forecast::{
    ForecastError,
    changes::changes,
    ladder::{Band, Forecast, LEVELS, Method, Passing, Question, forecast},
    score::{Trial, intervals, naive_error},
    series::{DAY, Daily, Days, Sample, daily},
};
use proptest::prelude::*;

const GAP: f64 = f64::NAN;

/// Pseudo-random numbers between -1 and 1 (SplitMix64), the same everywhere.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits")) / 2_147_483_648.0 - 1.0
    }

    /// Roughly normal, deviation 1.
    fn normal(&mut self) -> f64 {
        (0..3).map(|_| self.next()).sum()
    }
}

/// A daily series with a week, a slope and noise.
fn weeks(days: u32, slope: f64, noise: f64, seed: u64) -> Vec<f64> {
    let week = [10.0, 12.0, 11.0, 9.0, 6.0, -24.0, -24.0];
    let mut dice = Noise(seed);
    (0..days).map(|day| 100.0 + slope * f64::from(day) + week[day as usize % 7] + noise * dice.normal()).collect()
}

fn ask(values: &[f64], seasons: &[usize], horizon: usize) -> Forecast {
    forecast(&Question::about(values, seasons, horizon)).expect("a sound question")
}

fn middle(forecast: &Forecast) -> Vec<f64> {
    forecast.band.path(0.5).collect()
}

#[test]
fn a_season_and_a_slope_are_carried_on() {
    let (known, truth) = (weeks(140, 0.5, 2.0, 1), weeks(168, 0.5, 0.0, 1));
    let found = ask(&known, &[7], 28);
    assert_ne!(found.method, Method::SeasonalNaive);
    for (found, truth) in middle(&found).iter().zip(&truth[140..]) {
        assert!((found - truth).abs() < 4.0, "{found} is not near {truth}");
    }
    assert_eq!((found.season, found.history.clone(), found.gaps), (7, 0..140, 0));
    assert!(found.ladder.iter().all(|step| step.error.is_some()));
    let best = found.ladder.iter().find(|step| step.method == found.method).and_then(|step| step.error);
    assert!(best < found.ladder[0].error);
}

#[test]
fn nothing_better_than_naive_is_used_on_a_random_walk() {
    let mut dice = Noise(5);
    let mut at = 1_000.0;
    let values: Vec<f64> = (0..300)
        .map(|_| {
            at += 5.0 * dice.normal();
            at
        })
        .collect();
    let question = Question { resets: false, ..Question::about(&values, &[], 10) };
    let found = forecast(&question).expect("a sound question");
    let naive = found.ladder[0].error.expect("tried");
    let used = found.ladder.iter().find(|step| step.method == found.method).and_then(|step| step.error);
    assert!(used <= Some(naive));
    // The interval ten steps ahead is about as wide as ten steps wander.
    let last = found.band.steps()[9];
    assert!((20.0..80.0).contains(&(last[6] - last[0])), "{last:?}");
}

#[test]
fn short_and_gappy_series_end_lower_on_the_ladder() {
    let short = ask(&weeks(12, 3.0, 0.5, 2), &[7], 5);
    let tried =
        |forecast: &Forecast, method| forecast.ladder.iter().find(|step| step.method == method).and_then(|s| s.error);
    assert_eq!(tried(&short, Method::Decomposition), None);
    assert_eq!(short.season, 1);

    let mut gappy = weeks(100, 0.5, 1.0, 3);
    for at in (0..100).filter(|at| at % 3 == 0) {
        gappy[at] = GAP;
    }
    let found = ask(&gappy, &[7], 14);
    assert_eq!(tried(&found, Method::Decomposition), None, "a third is missing");
    assert_eq!(found.gaps, 34);
    let truth = weeks(114, 0.5, 0.0, 3);
    for (found, truth) in middle(&found).iter().zip(&truth[100..]) {
        assert!((found - truth).abs() < 6.0, "{found} is not near {truth}");
    }
}

#[test]
fn intervals_hold_as_often_as_they_say() {
    // 40 series, the truth known: what lies within 5 and 95 % should be about nine tenths.
    let (mut within, mut all) = (0, 0);
    for seed in 0..40 {
        let whole = weeks(154, 0.3, 3.0, 100 + seed);
        let found = ask(&whole[..140], &[7], 14);
        for (step, came) in found.band.steps().iter().zip(&whole[140..]) {
            within += u32::from((step[0]..=step[6]).contains(came));
            all += 1;
        }
        let score = found.score.expect("enough origins");
        assert!(score.trials > 50 && score.msis > 0.0 && score.miscoverage() < 0.35, "{score:?}");
    }
    let coverage = f64::from(within) / f64::from(all);
    assert!((0.84..=0.97).contains(&coverage), "{coverage}");
}

#[test]
fn a_migration_ends_the_history() {
    let mut values = weeks(200, 0.0, 2.0, 7);
    for value in &mut values[120..] {
        *value += 80.0;
    }
    let found = ask(&values, &[7], 7);
    assert_eq!(found.changes.len(), 1, "{:?}", found.changes);
    let at = found.changes[0].at;
    assert!((118..=122).contains(&at), "{at}");
    assert_eq!(found.history, at..200);
    let truth = weeks(207, 0.0, 0.0, 7);
    for (found, truth) in middle(&found).iter().zip(&truth[200..]) {
        assert!((found - truth - 80.0).abs() < 6.0);
    }
    let kept = forecast(&Question { resets: false, ..Question::about(&values, &[7], 7) }).expect("a sound question");
    assert_eq!(kept.history, 0..200);
}

#[test]
fn slopes_seasons_outliers_and_gaps_are_no_changes_of_level() {
    let mut spiky = weeks(150, 1.0, 2.0, 9);
    for at in [30, 31, 75, 120] {
        spiky[at] = 900.0;
    }
    spiky[50..58].fill(GAP);
    assert_eq!(changes(&spiky, 7), []);
    for seed in 0..50 {
        assert_eq!(changes(&weeks(120, 0.5, 5.0, seed), 7), [], "seed {seed}");
    }
    assert_eq!(changes(&[5.0; 60], 0), []);
    let steps: Vec<f64> = (0..60).map(|at| if at < 25 { 5.0 } else { 9.0 }).collect();
    let found = changes(&steps, 0);
    assert_eq!(
        found.iter().map(|change| (change.at, change.before, change.after)).collect::<Vec<_>>(),
        [(25, 5.0, 9.0)]
    );
}

#[test]
fn dates_come_with_their_chances() {
    let found = ask(&weeks(140, 0.5, 2.0, 1), &[7], 200);
    let Passing { chance_10, chance_50, chance_90 } = found.band.passing(220.0);
    let (early, likely, late) = (chance_10.expect("passed"), chance_50.expect("passed"), chance_90.expect("passed"));
    assert!(early <= likely && likely <= late, "{early} {likely} {late}");
    // 100 + 0.5 a day and 12 on the best day pass 220 on day 216.
    assert!((70..=90).contains(&likely), "{likely}");
    let chance = found.band.chance_above(likely, 220.0);
    assert!(chance.at_least >= 0.5 - 1e-12 && chance.at_most < 1.0, "{chance:?}");
    assert_eq!(found.band.passing(10_000.0), Passing::default());
    let never = found.band.chance_above(0, 10_000.0);
    assert!(never.at_least == 0.0 && (never.at_most - 0.05).abs() < 1e-12);
}

#[test]
fn sums_add_equal_quantiles() {
    let (a, b) = (ask(&weeks(60, 0.0, 1.0, 1), &[7], 5), ask(&weeks(60, 1.0, 1.0, 2), &[7], 9));
    let sum = Band::sum(&[&a.band, &b.band]).expect("two bands");
    assert_eq!(sum.len(), 5);
    for (at, step) in sum.steps().iter().enumerate() {
        for (level, found) in step.iter().enumerate() {
            assert_eq!(*found, a.band.steps()[at][level] + b.band.steps()[at][level]);
        }
    }
    assert!(Band::sum(&[]).is_err());
}

#[test]
fn constant_series_stay_as_they_are() {
    let found = ask(&[42.0; 30], &[7], 6);
    assert_eq!(found.method, Method::SeasonalNaive);
    assert!(found.band.steps().iter().flatten().all(|value| *value == 42.0));
    assert_eq!(found.score, None);
}

#[test]
fn questions_that_mean_nothing_are_refused() {
    let ask = |values: &[f64], horizon| forecast(&Question::about(values, &[], horizon));
    assert_eq!(ask(&[1.0, GAP], 3).expect_err("short"), ForecastError::TooShort { have: 1, need: 8 });
    assert!(ask(&[1.0; 10], 0).is_err());
    assert!(ask(&[f64::INFINITY; 10], 1).is_err());
    assert!(matches!(ask(&[1.0; 10], usize::MAX), Err(ForecastError::TooLarge { .. })));
}

#[test]
fn daily_peaks_come_from_samples_by_the_clocks_of_the_place() {
    let mut samples: Vec<Sample> = (0..48)
        .map(|hour| Sample { at: hour * 3_600, value: f64::from(u32::try_from(hour).expect("small")) })
        .collect();
    samples.push(Sample { at: 4 * DAY, value: 7.0 });
    samples.push(Sample { at: 4 * DAY + 60, value: GAP });
    samples.reverse();
    let plain = Days { is_busy_hour: false, ..Days::PEAKS };
    let found = daily(&samples, plain).expect("a sound question");
    assert_eq!((found.first, found.values.len()), (0, 5));
    // The 95th percentile of 0..=23 lies at place 21.85.
    assert!((found.values[0] - 21.85).abs() < 1e-12 && (found.values[1] - 45.85).abs() < 1e-12);
    assert!(found.values[2].is_nan() && found.values[3].is_nan());
    assert_eq!(found.values[4], 7.0);
    let east = daily(&samples, Days { ahead: 2 * 3_600, least: 5, ..plain }).expect("a sound question");
    assert_eq!((east.first, east.values.len()), (0, 5));
    assert!((east.values[0] - 19.95).abs() < 1e-12 && east.values[2].is_nan());
    assert_eq!(daily(&[], Days::PEAKS), Ok(Daily { first: 0, values: vec![] }));
    let far = [Sample { at: 0, value: 1.0 }, Sample { at: i64::MAX, value: 1.0 }];
    assert!(daily(&far, Days::PEAKS).is_err());
}

#[test]
fn scores_are_those_of_the_definitions() {
    assert_eq!(naive_error(&[1.0, 3.0, GAP, 4.0], 1), Some(2.0));
    assert_eq!(naive_error(&[1.0, 3.0, 2.0, 6.0], 2), Some(2.0));
    assert_eq!(naive_error(&[1.0], 1), None);
    let trials = [Trial { low: 0.0, high: 10.0, came: 5.0 }, Trial { low: 0.0, high: 10.0, came: 12.0 }];
    let score = intervals(&trials, 0.9, 2.0).expect("two trials");
    assert_eq!((score.coverage, score.trials), (0.5, 2));
    // (10 + 10 + 20·2) / 2 / 2.
    assert!((score.msis - 15.0).abs() < 1e-9 && (score.miscoverage() - 0.4).abs() < 1e-12);
}

fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![8 => 0.0..1_000.0_f64, 1 => Just(GAP), 1 => Just(0.0)];
    proptest::collection::vec(value, 8..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn quantiles_rise_and_bands_widen(values in any_series(), seasons in proptest::collection::vec(0..40_usize, 0..3), horizon in 1..80_usize) {
        let question = Question::about(&values, &seasons, horizon);
        let found = match forecast(&question) {
            Ok(found) => found,
            Err(ForecastError::TooShort { .. }) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        prop_assert_eq!(found.band.len(), horizon);
        for step in found.band.steps() {
            prop_assert!(step.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", step);
            prop_assert!(step.iter().all(|value| value.is_finite() && *value >= 0.0));
        }
        let free = forecast(&Question { floor: f64::NEG_INFINITY, ..question }).expect("as before");
        let widths: Vec<f64> = free.band.steps().iter().map(|step| step[LEVELS.len() - 1] - step[0]).collect();
        prop_assert!(widths.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9 * pair[1].abs()), "{:?}", widths);
        let passing = found.band.passing(500.0);
        let at = |step: Option<usize>| step.unwrap_or(usize::MAX);
        prop_assert!(at(passing.chance_10) <= at(passing.chance_50) && at(passing.chance_50) <= at(passing.chance_90));
        prop_assert_eq!(forecast(&question).expect("as before"), found, "the same numbers, the same answer");
    }
}

/// 95 in one hour of every day, else 20: the busy hour is the peak. One sample of sixty in an hour is a spike.
#[test]
fn the_peak_of_a_day_is_not_below_its_busiest_hour() {
    let sample = |minute: i64, value| Sample { at: minute * 60, value };
    let hourly: Vec<Sample> = (0..48).map(|h| sample(h * 60, if h % 24 == 9 { 95.0 } else { 20.0 })).collect();
    assert_eq!(daily(&hourly, Days::PEAKS).expect("a sound question").values, vec![95.0, 95.0]);
    let minutes: Vec<Sample> = (0..1_440).map(|m| sample(m, if m == 555 { 95.0 } else { 20.0 })).collect();
    assert_eq!(daily(&minutes, Days::PEAKS).expect("a sound question").values, vec![20.0]);
}
