//! Every question on a chain and a cycle of a million items, on a stack of 2 MiB.

use std::sync::atomic::AtomicBool;

use keelson_analysis::{
    Limits, Pool, Truncation,
    certainty::{Class, Target, certainty},
    closure::{Direction, Filter, closure, routes},
    impact::{Protection, Question, Seed, count_lost, impact},
    path::{PathScratch, explain},
    recovery::{self, OwnTime},
    schedule::{Change, Plan, Window, schedule},
    single_points,
};
use keelson_graph::{Builder, Changes, ItemIx, NeedSpec, Snapshot, components};
use keelson_model::{Phase, Rule};

const MILLION: u32 = 1_000_000;

/// Item 0 needs 1, 1 needs 2, and so on; every hundredth need is doubtful.
fn chain(items: u32, closed: bool) -> Snapshot {
    let mut builder = Builder::with_capacity(items as usize, items as usize);
    for item in 0..items {
        builder.item(ItemIx(item));
    }
    let last = if closed { items } else { items - 1 };
    for item in 0..last {
        let mut need = NeedSpec::plain(ItemIx(item), ItemIx((item + 1) % items), u64::from(item));
        need.doubt.existence = item % 100 == 0;
        builder.need(need).expect("plain needs are meaningful");
    }
    builder.build().expect("every item was added")
}

/// Runs a story where the stack would overflow if anything recursed over the data.
fn on_a_small_stack(story: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(story).expect("threads can be started");
    thread.join().expect("the story ends well");
}

fn every_question(snapshot: &Snapshot, start: ItemIx, affected: usize) {
    let pool = Pool::new();
    let unlimited = Limits::default();
    let seeds = [Seed::gone(start)];
    let answer = impact(snapshot, &Question::about(&seeds), &pool).expect("an item");
    assert_eq!(answer.lost().count(), affected);
    assert_eq!(answer.touched().map(<[ItemIx]>::len), Some(affected));
    assert_eq!(count_lost(snapshot, &[start], &mut pool.lease()), Some(affected));
    let farthest = answer.lost().last().expect("something is lost");
    let proof = answer.proof(snapshot, farthest, usize::MAX).expect("it is lost");
    assert_eq!(proof.lines.len(), affected);
    assert!(Protection::new(snapshot, &answer).of(farthest).is_empty());
    drop((answer.clone(), proof));

    let everything = Filter { through: |_| true, select: |_| true };
    let walked = closure(snapshot, &[start], Direction::Dependents, &everything, &unlimited, &pool);
    assert_eq!(walked.expect("an item").items.len(), affected);
    let found = routes(snapshot, start, Direction::Dependents, |item| item == farthest, &unlimited, &pool);
    assert_eq!(found.expect("an item").routes[0].steps.len(), affected + 1);
    let found = explain(snapshot, farthest, start, &unlimited, &mut PathScratch::default()).expect("items");
    assert_eq!(found.steps.len(), affected + 1);

    let targets = [Target { item: farthest, min_delivered: 0.5 }];
    let answer = certainty(snapshot, &seeds, &targets, 6, &unlimited, &pool).expect("items");
    assert_eq!(answer.of(Class::Possible).count(), 1);
    assert!(answer.unknowns > 9_000 && answer.is_budget_spent);

    let change =
        |item: ItemIx| Change { window: Window::new(0, 10), rollback: 5, seeds: vec![Seed::gone(item)], agreed: None };
    let changes = [change(start), change(ItemIx(MILLION / 2))];
    let answer = schedule(snapshot, &Plan::of(&changes, &targets), &pool).expect("items");
    assert_eq!(answer.findings.len(), 4, "each alone, and each while it is backed out");
    let question = single_points::Question::default();
    assert!(
        single_points::single_points(snapshot, farthest, &question, &[]).expect("items").is_cut,
        "there are too many"
    );
}

#[test]
fn a_chain_starts_and_a_cycle_does_not() {
    on_a_small_stack(|| {
        let everything = recovery::Question::of(recovery::Off::Everything);
        let snapshot = chain(MILLION, false);
        let found = recovery::recovery(&snapshot, &everything, |_| OwnTime::Stated(1)).expect("a level");
        assert_eq!(found.of(ItemIx(0)).map(|started| started.up.most), Some(u64::from(MILLION)));
        assert_eq!(found.critical_path(ItemIx(0)).len(), MILLION as usize);

        let snapshot = chain(MILLION, true);
        let found = recovery::recovery(&snapshot, &everything, |_| OwnTime::Stated(1)).expect("a level");
        assert_eq!(found.stuck.len(), MILLION as usize);
        let why = recovery::blockage(&snapshot, &everything, &found, ItemIx(7)).expect("it is stuck");
        assert_eq!(why.cycle().len(), MILLION as usize + 1);
        let ways = recovery::break_glass(&snapshot, &everything, None, &recovery::Budget::default(), |_| 1);
        assert_eq!(ways.expect("a level").hopeless.len(), MILLION as usize);
    });
}

#[test]
fn one_need_to_start_opens_a_long_circle() {
    on_a_small_stack(|| {
        let mut builder = Builder::new();
        for item in 0..MILLION {
            builder.item(ItemIx(item));
        }
        for item in 1..MILLION {
            builder.plain(ItemIx(item - 1), ItemIx(item), 0);
        }
        let mut need = NeedSpec::plain(ItemIx(MILLION - 1), ItemIx(0), 7);
        need.phase = Phase::Start;
        builder.need(need).expect("meaningful");
        let snapshot = builder.build().expect("every item was added");
        let everything = recovery::Question::of(recovery::Off::Everything);
        let found = recovery::break_glass(&snapshot, &everything, None, &recovery::Budget::default(), |_| 1);
        let found = found.expect("a level");
        assert!(found.is_smallest && found.hopeless.is_empty());
        assert_eq!((found.ways.len(), found.ways[0].up), (1, u64::from(MILLION)));
        assert_eq!(snapshot.need(found.ways[0].needs[0]).tag, 7);
    });
}

#[test]
fn everything_in_a_chain_or_a_cycle_fells_it() {
    for is_closed in [false, true] {
        let snapshot = chain(4_000, is_closed);
        let question = single_points::Question::default();
        let found = single_points::single_points(&snapshot, ItemIx(0), &question, &[]).expect("items");
        assert!(!found.is_cut && found.items.len() == 3_999);
    }
}

fn every_way_on(snapshot: &Snapshot) {
    let mut changes = Changes::new();
    changes.add(ItemIx(MILLION));
    changes.replace_needs(ItemIx(MILLION), vec![NeedSpec::plain(ItemIx(MILLION), ItemIx(0), 0)]);
    let changed = snapshot.with_changes(changes).expect("a meaningful change");
    drop(changed.compact().expect("it was there before"));
    assert_eq!(changed.clone().items(), MILLION as usize + 1);
    assert_eq!(components(&changed).iter().map(<[ItemIx]>::len).sum::<usize>(), MILLION as usize + 1);
}

#[test]
fn a_chain_of_a_million() {
    on_a_small_stack(|| {
        let snapshot = chain(MILLION, false);
        every_question(&snapshot, ItemIx(MILLION - 1), MILLION as usize - 1);
        every_way_on(&snapshot);
        assert_eq!(components(&snapshot).cycles().count(), 0);
    });
}

#[test]
fn a_cycle_of_a_million() {
    on_a_small_stack(|| {
        let snapshot = chain(MILLION, true);
        every_question(&snapshot, ItemIx(0), MILLION as usize - 1);
        every_way_on(&snapshot);
        assert_eq!(components(&snapshot).cycles().map(<[ItemIx]>::len).collect::<Vec<_>>(), [MILLION as usize]);
    });
}

#[test]
fn a_shared_load_in_front_of_a_long_chain() {
    on_a_small_stack(|| {
        let mut builder = Builder::new();
        for item in 0..MILLION {
            builder.item(ItemIx(item));
        }
        let share = Rule::Share { capacities: vec![60.0, 60.0], unit: "x".to_owned(), demand: Some(100.0) };
        builder.need(NeedSpec::new(ItemIx(2), vec![ItemIx(0), ItemIx(1)], share, 0)).expect("meaningful");
        for item in 3..MILLION {
            builder.plain(ItemIx(item), ItemIx(item - 1), 0);
        }
        let snapshot = builder.build().expect("every item was added");
        let seeds = [Seed::gone(ItemIx(0))];
        let answer = impact(&snapshot, &Question::about(&seeds), &Pool::new()).expect("an item");
        assert!((answer.loss(ItemIx(MILLION - 1)) - 0.4).abs() < 1e-9);
    });
}

#[test]
fn a_star_a_ladder_and_two_complete_layers() {
    on_a_small_stack(|| {
        let items = 100_000;
        let build = |needs: &mut dyn Iterator<Item = (u32, u32)>| {
            let mut builder = Builder::new();
            for item in 0..items {
                builder.item(ItemIx(item));
            }
            for (owner, member) in needs {
                builder.plain(ItemIx(owner), ItemIx(member), 0);
            }
            builder.build().expect("every item was added")
        };
        let lost = |snapshot: &Snapshot, seed| {
            let seeds = [Seed::gone(ItemIx(seed))];
            impact(snapshot, &Question::about(&seeds), &Pool::new()).expect("an item").lost().count()
        };
        let star = build(&mut (1..items).map(|item| (item, 0)));
        assert_eq!(lost(&star, 0), items as usize - 1);
        let ladder = build(&mut (2..items).flat_map(|item| [(item, item - 1), (item, item - 2)]));
        assert_eq!(lost(&ladder, 0), items as usize - 2);
        let layers = build(&mut (0..300).flat_map(|owner| (300..600).map(move |member| (owner, member))));
        assert_eq!(lost(&layers, 300), 300);
    });
}

#[test]
fn a_raised_flag_stops_every_walk() {
    let snapshot = chain(10_000, false);
    let stop = AtomicBool::new(true);
    let limits = Limits { stop: Some(&stop), ..Limits::default() };
    let (pool, start) = (Pool::new(), ItemIx(9_999));
    let seeds = [Seed::gone(start)];
    let answer = impact(&snapshot, &Question { limits, ..Question::about(&seeds) }, &pool).expect("an item");
    assert!(answer.truncations().contains(Truncation::Deadline));
    let everything = Filter { through: |_| true, select: |_| true };
    let walked = closure(&snapshot, &[start], Direction::Dependents, &everything, &limits, &pool).expect("an item");
    assert!(walked.truncations.contains(Truncation::Deadline));
    let found = explain(&snapshot, ItemIx(0), start, &limits, &mut PathScratch::default()).expect("items");
    assert!(found.truncations.contains(Truncation::Deadline) && found.steps.is_empty());
    let question = single_points::Question { stop: Some(&stop), ..single_points::Question::default() };
    assert!(single_points::single_points(&snapshot, ItemIx(0), &question, &[]).expect("items").is_cut);
    let changes = [Change { window: Window::new(0, 1), rollback: 0, seeds: seeds.to_vec(), agreed: None }];
    let plan = Plan { stop: Some(&stop), ..Plan::of(&changes, &[]) };
    assert!(schedule(&snapshot, &plan, &pool).expect("items").is_truncated);
}
