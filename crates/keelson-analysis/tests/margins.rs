//! Margins of redundancy where something about the need is in doubt (analyses 1.6, 2.1, 2.2).

mod common;

use common::{run, seeds};
use keelson_analysis::{
    Limits, Pool,
    certainty::{Target, certainty},
    impact::{Guard, Protection},
};
use keelson_graph::fixture::Fixture;

/// What protects the shop when `down` is lost.
fn guard(graph: &Fixture, down: &str) -> Guard {
    let impact = run(graph, down);
    let guards = Protection::new(&graph.snapshot, &impact).of(graph.item("shop"));
    let [guard] = &guards[..] else { panic!("one need protects: {guards:?}") };
    guard.clone()
}

/// Members up, least and most further failures it stands, and whether it holds for certain.
fn told(need: &str, down: &str) -> (u32, u32, u32, bool) {
    let graph = Fixture::parse(&format!("shop: {need}")).expect("well formed");
    let guard = guard(&graph, down);
    let margin = guard.margin.expect("its members count alike");
    (guard.up, margin.least, margin.most, margin.is_certain)
}

#[test]
fn what_is_known_has_one_margin() {
    assert_eq!(told("any a b c", "a"), (2, 1, 1, true));
    assert_eq!(told("2of a b c d e", "a"), (4, 2, 2, true));
    assert_eq!(told("40% a b c d e", "a"), (4, 2, 2, true));
}

#[test]
fn doubtful_members_are_no_margin_but_a_possible_one() {
    assert_eq!(told("any a b c?", "a"), (2, 0, 1, true));
    assert_eq!(told("2of a b c d? e?", "a"), (4, 0, 2, true));
    // Two thirds of three is two, of five four: with more members more are needed.
    assert_eq!(told("60% a b c d? e?", "a"), (4, 0, 1, true));
    // A doubtful member that is lost costs nothing where the certain ones are enough.
    assert_eq!(told("any a? b c", "a"), (2, 1, 1, true));

    let graph = Fixture::parse("shop: 2of a b c d? e?").expect("well formed");
    let guard = guard(&graph, "a d");
    assert_eq!((graph.names(guard.lost), graph.names(guard.doubtful)), ("a d".to_owned(), "e".to_owned()));
}

#[test]
fn what_holds_by_doubtful_members_alone_may_have_given_way() {
    assert_eq!(told("any a b?", "a"), (1, 0, 0, false));
    assert_eq!(told("2of a b c?", "a"), (2, 0, 0, false));
    assert_eq!(told("any a? b?", "a"), (1, 0, 0, false));
}

#[test]
fn a_count_in_doubt_is_bracketed_too() {
    assert_eq!(told("k 1,2,3 2of a b c d", "a"), (3, 0, 2, true));
    assert_eq!(told("k 1,2,3 2of a b c", "a"), (2, 0, 1, false));
}

#[test]
fn whether_there_is_such_a_need_does_not_change_what_it_stands() {
    assert_eq!(told("doubtful any a b c?", "a"), (2, 0, 1, true));
}

#[test]
fn members_that_do_not_count_alike_have_no_margin() {
    let graph = Fixture::parse("shop: weight 3 a=2 b=2 c=2").expect("well formed");
    assert_eq!(guard(&graph, "a").margin, None);
}

#[test]
fn what_is_perhaps_lost_is_no_margin_either() {
    let graph = Fixture::parse(
        "
        shop: any a b c
        b: k 1,2 1of x y",
    )
    .expect("well formed");
    let seeds = seeds(&graph, "a x");
    let targets = [Target { item: graph.item("shop"), min_delivered: 1.0 }];
    let bracket =
        certainty(&graph.snapshot, &seeds, &targets, 0, &Limits::default(), &Pool::new()).expect("known items");
    let impact = run(&graph, "a x");
    let protection = Protection::new(&graph.snapshot, &impact).between(&bracket.optimistic, &bracket.pessimistic);
    let guards = protection.of(graph.item("shop"));
    let margin = guards[0].margin.expect("its members count alike");
    assert_eq!((guards[0].up, margin.least, margin.most), (2, 0, 1));
}

#[test]
fn what_is_least_sure_comes_first() {
    let graph = Fixture::parse("shop: [sure] any a b | [unsure] any a b? | [wide] any a b c").expect("well formed");
    let impact = run(&graph, "a");
    let guards = Protection::new(&graph.snapshot, &impact).of(graph.item("shop"));
    let names: Vec<&str> = guards.iter().map(|guard| graph.label(graph.snapshot.need(guard.need).tag)).collect();
    assert_eq!(names, ["unsure", "sure", "wide"]);
}

#[test]
fn redundancy_beneath_redundancy_is_found_too() {
    // The nearest need lost one member; one beneath it, whose owner holds, lost two.
    let graph = Fixture::parse(
        "
        shop: [front] any a b | [rest] all store
        store: [disks] 2of w x y z",
    )
    .expect("well formed");
    let impact = run(&graph, "a w x");
    let protection = Protection::new(&graph.snapshot, &impact);
    let shop = graph.item("shop");
    let names = |guards: &[Guard]| -> Vec<(String, usize)> {
        let label = |guard: &Guard| graph.label(graph.snapshot.need(guard.need).tag).to_owned();
        guards.iter().map(|guard| (label(guard), guard.lost.len())).collect()
    };
    assert_eq!(names(&protection.of(shop)), [("front".to_owned(), 1)], "the nearest");
    let beneath = protection.beneath(shop);
    assert_eq!(names(&beneath.guards), [("front".to_owned(), 1), ("disks".to_owned(), 2)]);
    assert!(!beneath.is_cut);
    assert!(protection.beneath(graph.item("a")).guards.is_empty(), "what is lost is held by nothing");
}
