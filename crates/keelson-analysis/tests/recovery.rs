//! E6, and starts of random estates against times found as they are defined.

mod common;
#[path = "common/estates.rs"]
mod estates;

use std::sync::atomic::AtomicBool;

use common::{ESTATE, recovery_minutes};
use estates::{Estate, Kinds, estates, group_loss, truth};
use keelson_analysis::{
    AnalysisError, Reading,
    recovery::{
        BreakGlass, Budget, Objective, Off, Outcome, OwnTime, Question, Recovery, Span, blockage, break_glass, recovery,
    },
};
use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot, fixture::Fixture};
use keelson_model::{Phase, Rule};
use proptest::{prelude::*, test_runner::RngSeed};

const EVERYTHING: Question<'static> =
    Question { off: Off::Everything, level: 1.0, reading: Reading::AsWritten, settled: None, stop: None };

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

/// The estate with the host names hv2 needs in a file of its own.
fn static_hosts() -> Fixture {
    Fixture::parse(&ESTATE.replace("hv2:   swY | start dns", "hv2:   swY")).expect("well formed")
}

fn start(graph: &Fixture, question: &Question<'_>) -> Recovery {
    let own = |item: ItemIx| OwnTime::Stated(60 * recovery_minutes(graph.name(item)));
    recovery(&graph.snapshot, question, own).expect("known items")
}

fn minutes(graph: &Fixture, recovery: &Recovery, item: &str) -> u64 {
    let up = recovery.of(graph.item(item)).expect("it starts").up;
    assert_eq!(up.least, up.most);
    up.most / 60
}

#[test]
fn from_everything_off_the_worked_estate_cannot_start() {
    let graph = estate();
    let recovery = start(&graph, &EVERYTHING);
    assert_eq!(
        graph.names(recovery.stuck.iter().copied()),
        "api1 api2 dbA dbB dns dns1 dns2 hv1 hv2 idp1 idp2 payments portal sso web1 web2 web3"
    );
    assert_eq!(recovery.stuck.len(), 17);
    for item in &recovery.stuck {
        let blockage = blockage(&graph.snapshot, &EVERYTHING, &recovery, *item).expect("it is stuck");
        let cycle: Vec<&str> = blockage.cycle().into_iter().map(|item| graph.name(item)).collect();
        // There is the same circle through the other host; every chain leads to the first of the two.
        assert_eq!(cycle, ["dns", "dns1", "hv1", "dns"]);
        assert_eq!(blockage.waits[0].item, *item);
    }
    assert_eq!(blockage(&graph.snapshot, &EVERYTHING, &recovery, graph.item("swX")), None);
    let objective = Objective { item: graph.item("payments"), within: 30 * 60 };
    assert_eq!(recovery.outcome(objective), Outcome::Stuck);
}

#[test]
fn either_host_with_names_of_its_own_breaks_the_circle() {
    let graph = estate();
    let own = |item: ItemIx| 60 * recovery_minutes(graph.name(item));
    let found = break_glass(&graph.snapshot, &EVERYTHING, None, &Budget::default(), own).expect("known items");
    assert!(found.is_smallest && !found.is_cut && found.hopeless.is_empty());
    let owners: Vec<String> = found
        .ways
        .iter()
        .map(|way| graph.names(way.needs.iter().map(|need| graph.snapshot.need(*need).owner())))
        .collect();
    assert_eq!(owners, ["hv1", "hv2"]);
    // The last to start is the data base on the other host.
    assert!(found.ways.iter().all(|way| way.up == 52 * 60));
    let goals = graph.items("payments swX");
    let some = break_glass(&graph.snapshot, &EVERYTHING, Some(&goals), &Budget::default(), own).expect("known items");
    assert_eq!(some.ways.iter().map(|way| way.up / 60).collect::<Vec<_>>(), [40, 40]);
}

#[test]
fn with_static_host_names_everything_starts_in_time_or_not() {
    let graph = static_hosts();
    let recovery = start(&graph, &EVERYTHING);
    assert_eq!(recovery.stuck, []);
    let expected = "PowerCo=0 ColoX=0 ColoY=0 mailapi=0 siteX=10 siteY=10 swX=15 swY=15 hv2=25 dns2=27 dns=27 api2=28 \
                    web2=28 web3=28 idp2=29 sso=29 portal=29 hv1=37 dns1=39 api1=40 dbB=40 payments=40 web1=40 \
                    idp1=41 dbA=52";
    assert_eq!(recovery.order.len(), expected.split_whitespace().count());
    for (name, time) in expected.split_whitespace().filter_map(|word| word.split_once('=')) {
        assert_eq!(minutes(&graph, &recovery, name).to_string(), time, "{name}");
    }
    let payments = graph.item("payments");
    let late = recovery.outcome(Objective { item: payments, within: 30 * 60 });
    assert_eq!(late, Outcome::Missed { by: Span::known(10 * 60) });
    let met = recovery.outcome(Objective { item: payments, within: 45 * 60 });
    assert_eq!(met, Outcome::Met { spare: Span::known(5 * 60) });
    let path: Vec<(&str, u64)> = recovery
        .critical_path(payments)
        .into_iter()
        .map(|step| (graph.name(step.item), step.own.most / 60))
        .filter(|(_, own)| *own > 0)
        .collect();
    assert_eq!(path, [("siteY", 10), ("swY", 5), ("hv2", 10), ("dbB", 15)]);
    let nothing = break_glass(&graph.snapshot, &EVERYTHING, None, &Budget::default(), |_| 0).expect("known items");
    assert!(nothing.ways.is_empty() && nothing.is_smallest);
}

#[test]
fn after_the_loss_of_one_site_the_rest_is_up() {
    let graph = estate();
    let lost = graph.items("siteY swY hv2 web2 web3 api2 dbB dns2 idp2 payments");
    let recovery = start(&graph, &Question::of(Off::Items(&lost)));
    assert_eq!((recovery.stuck.len(), recovery.order.len()), (0, lost.len()));
    // dns is up through the other site; two of three web servers are needed.
    assert_eq!(minutes(&graph, &recovery, "hv2"), 25);
    assert_eq!(minutes(&graph, &recovery, "payments"), 28);
    let unaffected = Objective { item: graph.item("sso"), within: 0 };
    assert_eq!(recovery.outcome(unaffected), Outcome::Unaffected);
    // With dns lost as well, and both of its servers, nothing on the site starts.
    let lost = graph.items("siteY swY hv2 dns2 dns1 dns hv1");
    let recovery = start(&graph, &Question::of(Off::Items(&lost)));
    assert_eq!(graph.names(recovery.stuck.iter().copied()), "dns dns1 dns2 hv1 hv2");
}

#[test]
fn times_nobody_stated_are_bracketed_and_listed() {
    let graph = static_hosts();
    let own = |item: ItemIx| match graph.name(item) {
        "dbB" => OwnTime::Assumed(Span { least: 60, most: 30 * 60 }),
        name => OwnTime::Stated(60 * recovery_minutes(name)),
    };
    let recovery = recovery(&graph.snapshot, &EVERYTHING, own).expect("known items");
    assert_eq!(graph.names(recovery.assumed.iter().copied()), "dbB");
    let payments = graph.item("payments");
    // At best sso at 29 is the last; at worst dbA at 52 is earlier than dbB at 55.
    let up = recovery.of(payments).expect("it starts").up;
    assert_eq!(up, Span { least: 29 * 60, most: 52 * 60 });
    let open = recovery.outcome(Objective { item: payments, within: 30 * 60 });
    assert_eq!(open, Outcome::Open { spare: 60, late: 22 * 60 });
    assert_eq!(graph.name(recovery.critical_path(payments).iter().rev().nth(1).expect("a path").item), "dbA");
}

#[test]
fn circles_of_needs_to_run_are_hopeless_and_overloads_have_no_circle() {
    let graph = Fixture::parse(
        "
        left: right
        right: left
        site: start left
        shop: start cart
        cart: shop
        fed: share 100 tps pump=60
        soft: cap 0.5 left
        pump",
    )
    .expect("well formed");
    let found = break_glass(&graph.snapshot, &EVERYTHING, None, &Budget::default(), |_| 1).expect("known items");
    assert_eq!(graph.names(found.hopeless.iter().copied()), "left right");
    assert_eq!((found.ways.len(), found.ways[0].needs.len(), found.ways[0].up), (1, 2, 2));
    let everything_up = recovery(&graph.snapshot, &EVERYTHING, |_| OwnTime::Stated(1)).expect("known items");
    assert_eq!(graph.names(everything_up.stuck.iter().copied()), "cart left right shop site");
    // Where 70 % must be delivered, 60 of 100 are no start.
    let strict = Question { level: 0.3, ..EVERYTHING };
    let stalled = recovery(&graph.snapshot, &strict, |_| OwnTime::Stated(1)).expect("known items");
    let why = blockage(&graph.snapshot, &strict, &stalled, graph.item("fed")).expect("it is stuck");
    assert_eq!((why.waits.len(), why.circle, why.waits[0].waits_for), (1, None, None));
    assert!(why.cycle().is_empty());
    assert!(stalled.stuck.contains(&graph.item("soft")), "half is too much to lose");
}

#[test]
fn more_than_three_needs_are_found_one_by_one() {
    // Six pairs, each with a circle of its own that either of two needs to start opens.
    let text: String = (0..6).map(|at| format!("a{at}: start b{at}\nb{at}: start a{at}\n")).collect();
    let graph = Fixture::parse(&text).expect("well formed");
    let found = break_glass(&graph.snapshot, &EVERYTHING, None, &Budget::default(), |_| 1).expect("known items");
    assert_eq!((found.ways.len(), found.ways[0].needs.len()), (1, 6));
    assert!(!found.is_smallest && found.hopeless.is_empty());
    let poor = Budget { evaluations: 5, ..Budget::default() };
    let found = break_glass(&graph.snapshot, &EVERYTHING, None, &poor, |_| 1).expect("known items");
    assert!(found.is_cut && found.ways.is_empty() && found.evaluations == 5);
}

#[test]
fn what_makes_no_sense_is_refused_and_a_raised_flag_is_heeded() {
    let graph = estate();
    let strangers = [ItemIx(9_999)];
    let refused = recovery(&graph.snapshot, &Question::of(Off::Items(&strangers)), |_| OwnTime::Stated(0));
    assert_eq!(refused.err(), Some(AnalysisError::UnknownItem { item: strangers[0] }));
    let senseless = Question { level: 0.0, ..EVERYTHING };
    assert!(recovery(&graph.snapshot, &senseless, |_| OwnTime::Stated(0)).is_err());
    assert!(break_glass(&graph.snapshot, &EVERYTHING, Some(&strangers), &Budget::default(), |_| 0).is_err());

    let stop = AtomicBool::new(true);
    let mut builder = Builder::new();
    (0..1_000).for_each(|item| _ = builder.item(ItemIx(item)));
    let snapshot = builder.build().expect("every item was added");
    let stopped = Question { stop: Some(&stop), ..EVERYTHING };
    let cut = recovery(&snapshot, &stopped, |_| OwnTime::Stated(0)).expect("known items");
    assert!(cut.is_cut && cut.stuck.is_empty() && cut.order.len() < 1_000);
    assert_eq!(cut.outcome(Objective { item: ItemIx(999), within: 5 }), Outcome::Unknown);
    assert!(break_glass(&snapshot, &stopped, None, &Budget::default(), |_| 0).expect("known items").is_cut);
}

const KINDS: Kinds = Kinds { cycles: true, shares: true, doubts: false };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };

/// When everything is up, as it is defined: every time is never, until a finite chain says otherwise.
fn by_fixpoint(estate: &Estate, off: &[ItemIx], level: f64, own: &[u64], optional: &[u64]) -> Vec<Option<u64>> {
    let mut up: Vec<Option<u64>> = (0..estate.items).map(|item| (!off.contains(&ItemIx(item))).then_some(0)).collect();
    loop {
        let mut next = up.clone();
        for item in off {
            let needs = estate.needs.iter().filter(|need| need.owner == *item && !optional.contains(&need.tag));
            let times: Option<Vec<u64>> = needs.map(|need| held_from(need, level, &up)).collect();
            next[item.index()] = times.map(|times| times.into_iter().max().unwrap_or(0) + own[item.index()]);
        }
        if next == up {
            return up;
        }
        up = next;
    }
}

/// From when on a need holds, if ever.
fn held_from(need: &NeedSpec, level: f64, up: &[Option<u64>]) -> Option<u64> {
    let members = || need.members.iter().map(|member| up[member.index()]);
    let holds = |now: u64| {
        let losses: Vec<f64> = members().map(|up| if up.is_some_and(|up| up <= now) { 0.0 } else { 1.0 }).collect();
        group_loss(&need.rule, &losses).min(need.cap) < level - 1e-9
    };
    members().flatten().chain([0]).filter(|now| holds(*now)).min()
}

fn times(recovery: &Recovery, estate: &Estate, off: &[ItemIx]) -> Vec<Option<u64>> {
    let time = |item: ItemIx| match off.contains(&item) {
        true => recovery.of(item).map(|started| started.up.most),
        false => Some(0),
    };
    (0..estate.items).map(|item| time(ItemIx(item))).collect()
}

fn off_in(estate: &Estate, lost: &[u32]) -> Vec<ItemIx> {
    let mut off: Vec<ItemIx> = match lost {
        [] => (0..estate.items).map(ItemIx).collect(),
        lost => lost.iter().map(|item| ItemIx(item % estate.items)).collect(),
    };
    off.sort_unstable();
    off.dedup();
    off
}

/// Every second need is one to start, so that there is something to leave out.
fn with_starts(mut estate: Estate) -> Estate {
    for need in estate.needs.iter_mut().filter(|need| need.tag % 2 == 0) {
        need.phase = Phase::Start;
    }
    estate
}

fn check_blockages(snapshot: &Snapshot, question: &Question<'_>, found: &Recovery) -> Result<(), TestCaseError> {
    for item in &found.stuck {
        let why = blockage(snapshot, question, found, *item).expect("it is stuck");
        prop_assert_eq!(why.waits[0].item, *item);
        for (at, wait) in why.waits.iter().enumerate() {
            let need = snapshot.need(wait.need);
            prop_assert_eq!(need.owner(), wait.item);
            let up = |member: &ItemIx| if found.stuck.binary_search(member).is_ok() { 1.0 } else { 0.0 };
            let losses: Vec<f64> = need.members.iter().map(up).collect();
            prop_assert!(group_loss(&need.rule(), &losses).min(need.cap()) >= question.level - 1e-9);
            let next = why.waits.get(at + 1).map(|wait| wait.item);
            let back = why.circle.map(|circle| why.waits[circle].item);
            prop_assert_eq!(wait.waits_for, next.or(back));
            prop_assert!(wait.waits_for.is_none_or(|next| need.members.contains(&next)));
        }
    }
    Ok(())
}

/// The smallest sets of needs to start without which the goals start, by trying all.
fn smallest_ways(estate: &Estate, off: &[ItemIx], goals: &[ItemIx]) -> Vec<Vec<u64>> {
    let starts: Vec<u64> = estate.needs.iter().filter(|need| need.phase == Phase::Start).map(|need| need.tag).collect();
    let own = vec![0; estate.items as usize];
    let mut ways: Vec<Vec<u64>> = (0..1_u32 << starts.len())
        .map(|chosen| starts.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, tag)| *tag).collect())
        .filter(|optional: &Vec<u64>| {
            let up = by_fixpoint(estate, off, 1.0, &own, optional);
            goals.iter().all(|goal| up[goal.index()].is_some())
        })
        .collect();
    let least = ways.iter().map(Vec::len).min().unwrap_or(0);
    ways.retain(|way| way.len() == least);
    ways
}

fn check_break_glass(estate: &Estate, off: &[ItemIx], found: &BreakGlass) -> Result<(), TestCaseError> {
    let own = vec![0; estate.items as usize];
    let all: Vec<u64> = estate.needs.iter().filter(|need| need.phase == Phase::Start).map(|need| need.tag).collect();
    let (cold, freed) = (by_fixpoint(estate, off, 1.0, &own, &[]), by_fixpoint(estate, off, 1.0, &own, &all));
    let (mut goals, mut hopeless) = (Vec::new(), Vec::new());
    for item in off.iter().filter(|item| cold[item.index()].is_none()) {
        if freed[item.index()].is_some() { goals.push(*item) } else { hopeless.push(*item) }
    }
    prop_assert_eq!(&found.hopeless, &hopeless);
    prop_assert!(!found.is_cut);
    let snapshot = estate.build();
    let mut ways: Vec<Vec<u64>> = found
        .ways
        .iter()
        .map(|way| way.needs.iter().map(|need| snapshot.need(*need).tag).collect::<Vec<u64>>())
        .collect();
    ways.iter_mut().for_each(|way| way.sort_unstable());
    ways.sort();
    if goals.is_empty() {
        prop_assert!(ways.is_empty() && found.is_smallest);
        return Ok(());
    }
    let mut expected = smallest_ways(estate, off, &goals);
    expected.sort();
    if expected[0].len() <= 3 {
        prop_assert!(found.is_smallest);
        prop_assert_eq!(ways, expected);
    } else {
        prop_assert!(!found.is_smallest && ways.len() == 1);
        let up = by_fixpoint(estate, off, 1.0, &own, &ways[0]);
        prop_assert!(goals.iter().all(|goal| up[goal.index()].is_some()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(6), ..ProptestConfig::with_cases(500)
    })]

    #[test]
    fn times_are_those_of_the_fixpoint_and_the_rest_is_stuck(
        estate in estates(KINDS), own in proptest::collection::vec(0..9_u64, 12),
        lost in proptest::collection::vec(0..12_u32, 0..6), level in prop::sample::select(&[1.0, 0.5, 0.2][..]),
    ) {
        let (snapshot, off) = (estate.build(), off_in(&estate, &lost));
        let question = Question { level, ..Question::of(Off::Items(&off)) };
        let found = recovery(&snapshot, &question, |item| OwnTime::Stated(own[item.index()])).expect("items");
        let expected = by_fixpoint(&estate, &off, level, &own, &[]);
        prop_assert_eq!(&times(&found, &estate, &off), &expected);
        let stuck: Vec<ItemIx> = off.iter().copied().filter(|item| expected[item.index()].is_none()).collect();
        prop_assert_eq!(&found.stuck, &stuck);
        prop_assert!(found.order.is_sorted_by_key(|started| started.up.most));
        for started in &found.order {
            let path = found.critical_path(started.item);
            prop_assert_eq!(path.iter().map(|step| step.own.most).sum::<u64>(), started.up.most);
            prop_assert!(started.after.is_none_or(|after| found.of(after).is_some()));
        }
        check_blockages(&snapshot, &question, &found)?;
    }

    #[test]
    fn assumed_times_bracket_whatever_they_turn_out_to_be(
        estate in estates(KINDS), own in proptest::collection::vec((0..9_u64, 0..9_u64, 0..9_u64), 12),
    ) {
        let (snapshot, off) = (estate.build(), off_in(&estate, &[]));
        let span = |item: ItemIx| {
            let (a, b, _) = own[item.index()];
            Span { least: a.min(b), most: a.max(b) }
        };
        let found = recovery(&snapshot, &EVERYTHING, |item| OwnTime::Assumed(span(item))).expect("items");
        prop_assert_eq!(found.assumed.len(), found.order.len());
        let at = |choose: &dyn Fn(Span, u64) -> u64| -> Vec<Option<u64>> {
            let own: Vec<u64> = off.iter().map(|item| choose(span(*item), own[item.index()].2)).collect();
            by_fixpoint(&estate, &off, 1.0, &own, &[])
        };
        let (least, most) = (at(&|span, _| span.least), at(&|span, _| span.most));
        let true_times = at(&|span, true_time| true_time.clamp(span.least, span.most));
        for item in &off {
            let up = found.of(*item).map(|started| started.up);
            prop_assert_eq!(up.map(|up| (Some(up.least), Some(up.most))), least[item.index()].map(|_| (least[item.index()], most[item.index()])));
            prop_assert!(up.is_none_or(|up| true_times[item.index()].is_some_and(|time| up.least <= time && time <= up.most)));
        }
    }

    #[test]
    fn optimistic_and_pessimistic_starts_bracket_the_truth(estate in estates(DOUBTS), dice: u64) {
        let off = off_in(&estate, &[]);
        let needs = estate.needs.iter().filter_map(|need| truth(need, dice.rotate_left(u32::try_from(need.tag).expect("small")))).collect();
        let true_estate = Estate { needs, ..estate.clone() };
        let own: Vec<u64> = (0..u64::from(estate.items)).map(|item| item % 3 + 1).collect();
        let expected = by_fixpoint(&true_estate, &off, 1.0, &own, &[]);
        let never = |time: Option<u64>| time.unwrap_or(u64::MAX);
        let read = |reading: Reading| {
            let question = Question { reading, ..EVERYTHING };
            let found = recovery(&estate.build(), &question, |item| OwnTime::Stated(own[item.index()])).expect("items");
            times(&found, &estate, &off)
        };
        let (best, worst) = (read(Reading::Optimistic), read(Reading::Pessimistic));
        for item in 0..off.len() {
            prop_assert!(never(best[item]) <= never(expected[item]) && never(expected[item]) <= never(worst[item]));
        }
    }

    #[test]
    fn ways_out_are_the_smallest_there_are(
        estate in estates(KINDS), lost in proptest::collection::vec(0..12_u32, 0..8),
    ) {
        let estate = with_starts(estate);
        let (snapshot, off) = (estate.build(), off_in(&estate, &lost));
        let budget = Budget { evaluations: 100_000, ways: 10_000, needs: 100 };
        let found = break_glass(&snapshot, &Question::of(Off::Items(&off)), None, &budget, |_| 0).expect("items");
        check_break_glass(&estate, &off, &found)?;
    }
}

#[test]
fn a_weighted_pool_is_up_when_the_weight_is() {
    let mut builder = Builder::new();
    (0..4).for_each(|item| _ = builder.item(ItemIx(item)));
    let rule = Rule::Weight { weights: vec![3.0, 1.0, 1.0], threshold: 4.0 };
    builder.need(NeedSpec::new(ItemIx(0), vec![ItemIx(1), ItemIx(2), ItemIx(3)], rule, 0)).expect("meaningful");
    let snapshot = builder.build().expect("every item was added");
    let own = |item: ItemIx| OwnTime::Stated([1, 50, 10, 70][item.index()]);
    let found = recovery(&snapshot, &EVERYTHING, own).expect("known items");
    assert_eq!(found.of(ItemIx(0)).expect("it starts").up, Span::known(51));
}
