//! Changes together and over time: E3 of the worked estate, and stories of its kind.

mod common;

use common::{ESTATE, seeds};
use keelson_analysis::{
    Pool,
    certainty::Target,
    collision::{self, Collisions, collisions},
    impact::{Seed, Verdict},
    schedule::{Change, Finding, Plan, Planner, Policy, Scenario, Schedule, Standing, Window, schedule},
};
use keelson_graph::fixture::Fixture;

const HOUR: i64 = 3_600;

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

fn targets(graph: &Fixture, names: &str) -> Vec<Target> {
    graph.items(names).into_iter().map(|item| Target { item, min_delivered: 0.5 }).collect()
}

/// A change from and to these half hours, with hours of rollback.
fn change(graph: &Fixture, half_hours: [i64; 2], rollback: u32, down: &str) -> Change {
    let [start, end] = half_hours.map(|half| half * HOUR / 2);
    Change { window: Window::new(start, end), rollback: rollback * 3_600, seeds: seeds(graph, down), agreed: None }
}

/// C1 to C5 of E3.
fn worked_plan(graph: &Fixture) -> Vec<Change> {
    vec![
        change(graph, [44, 52], 0, "dbA"),
        change(graph, [50, 54], 0, "dbB"),
        change(graph, [51, 56], 0, "web3"),
        change(graph, [54, 58], 0, "web1"),
        change(graph, [48, 50], 0, "idp1"),
    ]
}

/// A finding as hours and changes counted from 1.
fn told(finding: &Finding) -> (f64, f64, Vec<usize>) {
    #[expect(clippy::cast_precision_loss, reason = "a few hours")]
    let hours = |second: i64| second as f64 / HOUR as f64;
    let changes = finding.changes.iter().map(|change| change + 1).collect();
    (hours(finding.window.start), hours(finding.window.end), changes)
}

fn collided(schedule: &Schedule) -> Vec<(f64, f64, Vec<usize>)> {
    schedule.collisions().map(told).collect()
}

fn ask(graph: &Fixture, changes: &[&str], starting: &str, services: &[Target]) -> Collisions {
    let changes: Vec<Vec<Seed>> = changes.iter().map(|down| seeds(graph, down)).collect();
    let starting = seeds(graph, starting);
    let question = collision::Question { starting: &starting, ..collision::Question::about(&changes, services) };
    collisions(&graph.snapshot, &question, &Pool::new()).expect("known items")
}

fn sets(collisions: &Collisions, service: usize) -> Vec<Vec<usize>> {
    let effect = collisions.effects.iter().find(|effect| effect.service == service).expect("it loses something");
    assert!(!effect.is_cut);
    effect.collisions.iter().map(|collision| collision.changes.clone()).collect()
}

#[test]
fn the_worked_plan_has_exactly_two_collisions() {
    let graph = estate();
    let (changes, services) = (worked_plan(&graph), targets(&graph, "payments portal sso"));
    let answer = schedule(&graph.snapshot, &Plan::of(&changes, &services), &Pool::new()).expect("known items");
    assert_eq!(collided(&answer), [(25.0, 26.0, vec![1, 2]), (27.0, 28.0, vec![3, 4])]);
    assert!(answer.findings.iter().all(|finding| finding.service == 0 && finding.scenario == Scenario::Plan));
    assert_eq!(answer.findings.len(), 2, "no change breaches or degrades anything alone");
    assert!(answer.cut.is_empty() && !answer.is_truncated);

    let hour = |from: i64, to: i64| Window::new(from * HOUR / 2, to * HOUR / 2);
    let three = answer.intervals.iter().find(|interval| interval.window == hour(51, 52)).expect("25:30 to 26:00");
    assert_eq!(three.active, [0, 1, 2]);
    assert_eq!(three.effects.len(), 1);
    assert_eq!((three.effects[0].loss, three.effects[0].verdict), (1.0, Verdict::Breached));
    // C2 ends as C4 starts: never together.
    assert!(answer.intervals.iter().all(|i| !(i.active.contains(&1) && i.active.contains(&3))));
    assert_eq!(answer.intervals.len(), 7);
}

#[test]
fn moving_the_second_change_by_an_hour_leaves_one_collision() {
    let graph = estate();
    let (changes, services, pool) = (worked_plan(&graph), targets(&graph, "payments portal sso"), Pool::new());
    let mut planner = Planner::new(&graph.snapshot, Plan::of(&changes, &services), &pool).expect("known items");
    let answer = planner.schedule();
    let policy = Policy { most: 4 * HOUR, earliest: 0, latest: 48 * HOUR };
    let search = planner.smallest_shift(&answer, &[0, 1], &policy);
    let shift = search.shift.expect("there is one");
    assert_eq!((shift.change, shift.by, shift.window), (1, HOUR, Window::new(26 * HOUR, 28 * HOUR)));
    assert_eq!(shift.remaining.iter().map(told).collect::<Vec<_>>(), [(27.0, 28.0, vec![3, 4])]);
    assert!(!search.is_truncated && !shift.leaves_agreed);

    // The moved plan is what was promised.
    let mut moved = changes.clone();
    moved[1].window = shift.window;
    let answer = schedule(&graph.snapshot, &Plan::of(&moved, &services), &pool).expect("known items");
    assert_eq!(collided(&answer), [(27.0, 28.0, vec![3, 4])]);
}

#[test]
fn a_shift_keeps_to_its_policy_and_admits_leaving_the_agreed_window() {
    let graph = estate();
    let (mut changes, services, pool) = (worked_plan(&graph), targets(&graph, "payments"), Pool::new());
    changes[1].agreed = Some(Window::new(24 * HOUR, 27 * HOUR));
    let mut planner = Planner::new(&graph.snapshot, Plan::of(&changes, &services), &pool).expect("known items");
    let answer = planner.schedule();
    let mut shift = |changes: &[usize], policy: Policy| planner.smallest_shift(&answer, changes, &policy).shift;
    let policy = Policy { most: 5 * HOUR, earliest: 0, latest: 48 * HOUR };
    assert!(shift(&[1], policy).expect("later").leaves_agreed);
    // No later than 27:00, so it must end before the first change starts.
    let early = shift(&[1], Policy { latest: 27 * HOUR, ..policy }).expect("earlier");
    assert_eq!((early.by, early.window.end), (-5 * HOUR, 22 * HOUR));
    assert!(shift(&[1], Policy { most: HOUR / 2, ..policy }).is_none());
    // Of two shifts by an hour the later wins; where only the first change may move, it goes earlier.
    assert_eq!(shift(&[0], policy).expect("earlier").by, -HOUR);
}

#[test]
fn a_shift_into_another_collision_is_no_solution() {
    let graph = estate();
    let (mut changes, services, pool) = (worked_plan(&graph), targets(&graph, "payments"), Pool::new());
    // From 26:00 to 29:00 api1 is down, and the second change takes api2 down, too.
    changes[1].seeds = seeds(&graph, "dbB api2");
    changes.push(change(&graph, [52, 58], 0, "api1"));
    changes[1].window = Window::new(25 * HOUR, 26 * HOUR);
    let mut planner = Planner::new(&graph.snapshot, Plan::of(&changes, &services), &pool).expect("known items");
    let answer = planner.schedule();
    let policy = Policy { most: 24 * HOUR, earliest: 0, latest: 48 * HOUR };
    let shift = planner.smallest_shift(&answer, &[1], &policy).shift.expect("after both or before both");
    assert_eq!((shift.by, shift.window), (4 * HOUR, Window::new(29 * HOUR, 30 * HOUR)));
}

const DEEP: &str = "
    shop: [pool] any left right | clock
    left: l1
    l1: l2
    l2: l3
    l3: roomA
    right: r1
    r1: r2
    r2: r3
    r3: roomB
    roomA: [a] any feed1 feed2
    roomB: [b] any feed1 feed3
    clock: spare";

#[test]
fn two_safe_changes_break_a_redundancy_need_deep_down_through_shared_placement() {
    let graph = Fixture::parse(DEEP).expect("well formed");
    let services = targets(&graph, "shop");
    let pool = Pool::new();
    // Neither the shared feed nor the other two bring a room down alone.
    let plan = |first: [i64; 2], second: [i64; 2], rollback: u32| {
        vec![change(&graph, first, rollback, "feed1"), change(&graph, second, 0, "feed2 feed3")]
    };
    let ask = |changes: &[Change]| schedule(&graph.snapshot, &Plan::of(changes, &services), &pool).expect("known");
    let together = ask(&plan([0, 4], [2, 6], 0));
    assert_eq!(collided(&together), [(1.0, 2.0, vec![1, 2])]);
    assert_eq!(together.findings.len(), 1);
    let apart = ask(&plan([0, 4], [4, 6], 0));
    assert!(apart.findings.is_empty(), "one ends as the other starts");
    let backed_out = ask(&plan([0, 4], [4, 6], 2));
    assert_eq!(collided(&backed_out), [(2.0, 3.0, vec![1, 2])]);
    assert_eq!(backed_out.findings[0].scenario, Scenario::BackOut(0));
    let without = Plan { back_out: false, ..Plan::of(&plan([0, 4], [4, 6], 2), &services) }.changes.to_vec();
    let without = Plan { back_out: false, ..Plan::of(&without, &services) };
    assert!(schedule(&graph.snapshot, &without, &pool).expect("known").findings.is_empty());
}

#[test]
fn what_two_changes_lose_together_meets_a_third() {
    let graph = Fixture::parse(
        "
        shop: any store spare
        store: any disk1 disk2
        spare: any host1 host2
        other: store",
    )
    .expect("well formed");
    let services = targets(&graph, "shop other");
    // The last change takes the whole store down, which must not hide the first two.
    let changes: Vec<Change> =
        ["disk1", "disk2", "host1", "host2", "store"].into_iter().map(|down| change(&graph, [0, 2], 0, down)).collect();
    let answer = schedule(&graph.snapshot, &Plan::of(&changes, &services), &Pool::new()).expect("known items");
    let shop: Vec<_> = answer.findings.iter().filter(|finding| finding.service == 0).map(told).collect();
    assert_eq!(shop, [(0.0, 1.0, vec![1, 2, 3, 4]), (0.0, 1.0, vec![3, 4, 5])]);
    let other: Vec<_> = answer.findings.iter().filter(|finding| finding.service == 1).map(told).collect();
    assert_eq!(other, [(0.0, 1.0, vec![1, 2]), (0.0, 1.0, vec![5])]);
}

#[test]
fn only_the_changes_at_fault_are_named() {
    let graph = estate();
    let services = targets(&graph, "payments portal");
    let answer = ask(&graph, &["dbA", "dbB", "web3"], "", &services);
    assert_eq!(sets(&answer, 0), [[0, 1]]);
    assert_eq!(answer.effects.len(), 1, "portal is not harmed");
    assert!(answer.effects[0].alone.is_empty() && !answer.is_truncated);
}

#[test]
fn a_change_that_breaks_a_service_alone_hides_no_other_collision() {
    let graph = estate();
    let services = targets(&graph, "payments");
    let answer = ask(&graph, &["hv2", "dbA", "dbB", "web1 api1", "api2 web2"], "", &services);
    let effect = &answer.effects[0];
    assert_eq!(
        effect.alone.iter().map(|alone| (alone.change, alone.verdict)).collect::<Vec<_>>(),
        [(0, Verdict::Breached)]
    );
    assert_eq!(sets(&answer, 0), [[1, 2], [3, 4]]);
}

#[test]
fn what_is_down_already_counts_for_every_change() {
    let graph = estate();
    let services = targets(&graph, "payments portal");
    let answer = ask(&graph, &["dbB", "web1"], "dbA", &services);
    assert_eq!(answer.effects[0].alone[0].verdict, Verdict::Breached);
    assert!(sets(&answer, 0).is_empty());
    // A service that is down already cannot be brought down by anybody.
    let answer = ask(&graph, &["dbB", "web1", "web2"], "dbA dbB", &services);
    let effect = &answer.effects[0];
    assert_eq!((effect.before, effect.alone.len(), effect.collisions.len()), (1.0, 0, 0));
}

#[test]
fn lesser_harm_done_together_is_reported_with_its_loss() {
    let graph = Fixture::parse("shop: cap 0.3 any a b | cap 0.2 c").expect("well formed");
    let services = targets(&graph, "shop");
    let answer = ask(&graph, &["a", "b", "c"], "", &services);
    let effect = &answer.effects[0];
    assert_eq!((effect.together, effect.verdict), (0.3, Verdict::Degraded));
    assert_eq!(effect.alone.iter().map(|alone| (alone.change, alone.loss)).collect::<Vec<_>>(), [(2, 0.2)]);
    assert_eq!(sets(&answer, 0), [[0, 1]]);
    assert_eq!(effect.collisions[0].loss, 0.3);
}

#[test]
fn a_spent_budget_is_admitted() {
    let graph = estate();
    let services = targets(&graph, "payments");
    let changes: Vec<Vec<Seed>> = ["dbA", "dbB", "web3"].iter().map(|down| seeds(&graph, down)).collect();
    for budget in 0..6 {
        let question = collision::Question { budget, ..collision::Question::about(&changes, &services) };
        let answer = collisions(&graph.snapshot, &question, &Pool::new()).expect("known items");
        assert!(answer.evaluations <= budget);
        assert!(answer.is_truncated && answer.effects.iter().all(|effect| effect.is_cut));
    }
    let plan = worked_plan(&graph);
    let question = Plan { budget: 4, ..Plan::of(&plan, &services) };
    assert!(schedule(&graph.snapshot, &question, &Pool::new()).expect("known items").is_truncated);
}

#[test]
fn an_open_incident_makes_a_safe_change_harmful_while_it_lasts() {
    let graph = estate();
    let services = targets(&graph, "payments");
    let changes = [change(&graph, [0, 8], 0, "dbB")];
    let standing = [Standing { window: Window::new(HOUR, 3 * HOUR), seeds: seeds(&graph, "dbA") }];
    let plan = Plan { standing: &standing, ..Plan::of(&changes, &services) };
    let answer = schedule(&graph.snapshot, &plan, &Pool::new()).expect("known items");
    assert_eq!(answer.findings.iter().map(told).collect::<Vec<_>>(), [(1.0, 3.0, vec![1])]);
    let standing = [Standing { window: Window::ALWAYS, seeds: seeds(&graph, "hv2") }];
    let plan = Plan { standing: &standing, ..Plan::of(&changes, &services) };
    let answer = schedule(&graph.snapshot, &plan, &Pool::new()).expect("known items");
    assert_eq!(answer.findings.iter().map(told).collect::<Vec<_>>(), [(0.0, 4.0, vec![])]);
}

#[test]
fn windows_that_hold_no_second_are_refused() {
    let graph = estate();
    let services = targets(&graph, "payments");
    let changes = [change(&graph, [4, 4], 0, "dbB")];
    assert!(schedule(&graph.snapshot, &Plan::of(&changes, &services), &Pool::new()).is_err());
}
