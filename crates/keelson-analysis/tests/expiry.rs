//! Redundancy as a function of load (analyses E13).

use keelson_analysis::{
    Pool as Memory,
    expiry::{Disagreement, ExpiryError, Level, Outage, Pool, SURVIVAL, timeline},
    impact::{Question, Seed, impact},
};
use keelson_forecast::{
    growth::{Exhaustion, Part},
    ladder::{Band, Passing},
};
use keelson_graph::fixture::Fixture;
use proptest::prelude::*;

fn web() -> Pool {
    Pool::new(&[Some(60.0); 3], SURVIVAL, Some(2)).expect("capacities are known")
}

#[test]
fn the_margin_of_the_web_pool_follows_its_load() {
    let pool = web();
    for (load, required, margin, delivered) in
        [(40.0, Some(1), Some(1), 1.0), (100.0, Some(2), Some(0), 1.0), (130.0, None, None, 120.0 / 130.0)]
    {
        let found = pool.standing(load, &[0]).expect("a member");
        assert_eq!((found.up, found.required, found.margin), (2, required, margin), "at {load}");
        assert!((found.delivered.expect("known") - delivered).abs() < 5e-4);
    }
    for (load, k) in [(40.0, 1), (100.0, 2), (120.0, 2), (130.0, 3)] {
        assert_eq!(pool.standing(load, &[]).expect("nothing down").required, Some(k));
    }
    assert_eq!(pool.carries_without(1), Some(120.0));
}

#[test]
fn a_shared_need_in_the_graph_delivers_the_same() {
    let graph = Fixture::parse("payments: share 130 tps web1=60 web2=60 web3=60").expect("well formed");
    let seeds = [Seed::gone(graph.item("web1"))];
    let lost = impact(&graph.snapshot, &Question::about(&seeds), &Memory::new()).expect("an item");
    let delivered = web().standing(130.0, &[0]).expect("a member").delivered.expect("known");
    assert!((1.0 - lost.loss(graph.item("payments")) - delivered).abs() < 1e-12);
}

#[test]
fn redundancy_expires_before_anything_runs_out() {
    let found = web().expiry(|_| vec![Part { load: 100.0, growth: 0.02 }], 120.0).expect("sound").expect("known");
    assert!((found.months().expect("it grows") - 9.21).abs() < 5e-3, "{found:?}");
    let late = web().expiry(|_| vec![Part { load: 130.0, growth: 0.02 }], 120.0).expect("sound");
    assert_eq!(late, Some(Exhaustion::Already));
    let alone = Pool::new(&[Some(60.0)], SURVIVAL, None).expect("known");
    assert_eq!(
        alone.expiry(|_| vec![Part { load: 1.0, growth: 0.0 }], 12.0),
        Ok(Some(Exhaustion::Already)),
        "it never had any"
    );
    let peaks = [90.0, 119.0, 130.0, 100.0, 121.0];
    assert_eq!(web().first_without_redundancy(peaks), Some(2));
    let band = Band::new(peaks.map(|peak| [-20.0, -15.0, -5.0, 0.0, 5.0, 15.0, 20.0].map(|off| peak + off)).to_vec());
    let wanted = Passing { chance_10: Some(1), chance_50: Some(2), chance_90: None };
    assert_eq!(web().carries_without(1).map(|limit| band.passing(limit)), Some(wanted));
}

#[test]
fn a_declared_count_is_compared_with_the_derived_one() {
    let pool = web();
    assert_eq!(pool.disagreement(100.0), Ok(None));
    let night = pool.disagreement(40.0).expect("sound").expect("fewer are needed");
    assert_eq!((night, night.is_dangerous()), (Disagreement { declared: 2, derived: Some(1) }, false));
    let peak = pool.disagreement(130.0).expect("sound").expect("more are needed");
    assert_eq!((peak.derived, peak.is_dangerous()), (Some(3), true));
    assert!(pool.disagreement(200.0).expect("sound").expect("too much").is_dangerous());
}

#[test]
fn without_capacities_the_declared_count_holds_and_dates_are_unknown() {
    let pool = Pool::new(&[Some(60.0), None, Some(60.0)], SURVIVAL, Some(2)).expect("a count is declared");
    let found = pool.standing(1_000.0, &[1]).expect("a member");
    assert_eq!((found.required, found.margin, found.delivered, found.is_derived), (Some(2), Some(0), None, false));
    assert_eq!(pool.standing(1.0, &[0, 1]).expect("members").margin, None);
    assert_eq!(pool.expiry(|_| vec![Part { load: 1.0, growth: 0.1 }], 12.0), Ok(None));
    assert_eq!(pool.disagreement(1_000.0), Ok(None));
    assert_eq!(Pool::new(&[None], SURVIVAL, None), Err(ExpiryError::NothingKnown));
    assert!(Pool::new(&[Some(0.0)], SURVIVAL, None).is_err());
    assert_eq!(pool.standing(1.0, &[3]), Err(ExpiryError::NoSuchMember { member: 3, members: 3 }));
}

#[test]
fn margins_change_at_boundaries_only() {
    let hour = 3_600;
    let levels =
        [Level { from: 8 * hour, load: 100.0 }, Level { from: 0, load: 40.0 }, Level { from: 20 * hour, load: 40.0 }];
    let outages =
        [Outage { member: 0, start: 2 * hour, end: 10 * hour }, Outage { member: 0, start: 9 * hour, end: 10 * hour }];
    let found = timeline(&web(), (hour, 24 * hour), &levels, &outages).expect("sound");
    let told: Vec<(i64, i64, f64, Option<u32>)> =
        found.iter().map(|s| (s.start / hour, s.end / hour, s.load, s.standing.margin)).collect();
    assert_eq!(
        told,
        [
            (1, 2, 40.0, Some(2)),
            (2, 8, 40.0, Some(1)),
            (8, 10, 100.0, Some(0)),
            (10, 20, 100.0, Some(1)),
            (20, 24, 40.0, Some(2)),
        ]
    );
    let none = timeline(&web(), (5, 5), &[], &[]);
    assert_eq!(none, Err(ExpiryError::EmptyStretch { start: 5, end: 5 }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_members_of_the_required_number_carry_the_load(
        capacities in proptest::collection::vec(1.0..100.0_f64, 1..8), load in 0.0..400.0_f64, down in any::<u8>(),
    ) {
        let members = capacities.len();
        let known: Vec<Option<f64>> = capacities.iter().copied().map(Some).collect();
        let pool = Pool::new(&known, SURVIVAL, None).expect("known");
        let down: Vec<usize> = (0..members).filter(|member| down >> member & 1 == 1).collect();
        let up: Vec<usize> = (0..members).filter(|member| !down.contains(member)).collect();
        let found = pool.standing(load, &down).expect("members");
        // Every subset of those up, by the number of its members.
        let carries = |set: u32| {
            let chosen = up.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1);
            chosen.map(|(_, member)| capacities[*member]).sum::<f64>() >= load
        };
        let all_of = |k: u32| (0..1_u32 << up.len()).filter(|set| set.count_ones() == k).all(carries);
        let wanted = (0..=u32::try_from(up.len()).expect("few")).find(|k| all_of(*k));
        prop_assert_eq!(found.required, wanted);
        if down.is_empty() && members > 1 {
            let limit = pool.carries_without(1).expect("known");
            prop_assert_eq!(load <= limit, found.margin.is_some_and(|margin| margin > 0));
        }
    }
}

/// Two loads of 100 and 70 on three members of 60: what is held by one member is lost with it, what is shared is not.
#[test]
fn what_a_member_carries_alone_leaves_it_less_to_share() {
    let held = web().holding(&[0.0, 0.0, 40.0]).expect("sound");
    // 60, 60 and 20 are left for 100: all must be up.
    assert_eq!(held.standing(100.0, &[]).expect("sound").margin, Some(0));
    assert_eq!(held.standing(100.0, &[2]).expect("sound").delivered, Some(1.0));
    assert_eq!(held.standing(100.0, &[0]).expect("sound").delivered, Some(0.8));
    assert_eq!(held.whole_without(0), Some(120.0));
    assert!(web().holding(&[-1.0]).is_err());
    // 70 that grow by 2 % and 40 held on the third: the first lost leaves 120, passed when 70·1.02ⁿ + 40 is.
    let without = |lost: usize| {
        let held = if lost == 2 { 0.0 } else { 40.0 };
        vec![Part { load: 70.0, growth: 0.02 }, Part { load: held, growth: 0.0 }]
    };
    let found = held.expiry(without, 120.0).expect("sound").expect("known").months().expect("within");
    assert!((found - (80.0_f64 / 70.0).ln() / 1.02_f64.ln()).abs() < 1e-6, "{found}");
}
