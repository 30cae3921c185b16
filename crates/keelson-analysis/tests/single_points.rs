//! E4 and the sets of E5, and single points against the loss of every single item.

mod common;
#[path = "common/estates.rs"]
mod estates;

use common::ESTATE;
use estates::{Estate, Kinds, estates};
use keelson_analysis::{
    Pool, Reading,
    impact::{self, Seed, impact},
    single_points::{Question, breach_level, new_single_points, single_points},
};
use keelson_graph::{ItemIx, fixture::Fixture};
use proptest::prelude::*;

const KINDS: Kinds = Kinds { cycles: true, shares: false, doubts: false };
const SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: false };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

fn points(graph: &Fixture, item: &str) -> String {
    let question = Question::about(graph.item(item));
    let points = single_points(&graph.snapshot, &question, &[]).expect("known items");
    assert!(!points.is_cut && !points.has_failed);
    graph.names(points.items)
}

#[test]
fn the_services_of_the_worked_estate_have_their_single_points() {
    let graph = estate();
    assert_eq!(points(&graph, "payments"), "ColoY PowerCo dns hv2 siteY sso swY");
    assert_eq!(points(&graph, "portal"), "PowerCo dns sso");
    assert_eq!(points(&graph, "sso"), "PowerCo dns");
    assert_eq!(points(&graph, "dns"), "PowerCo");
}

#[test]
fn a_change_takes_margin_where_it_takes_it() {
    let graph = estate();
    let question = Question::about(graph.item("payments"));
    let new = |seeds: &str| {
        let margin = new_single_points(&graph.snapshot, &question, &graph.items(seeds)).expect("known items");
        (graph.names(margin.new), margin.meanwhile.has_failed)
    };
    assert_eq!(new("dbA"), ("dbB".to_owned(), false));
    assert_eq!(new("web1"), ("web2 web3".to_owned(), false));
    assert_eq!(new("mailapi"), (String::new(), false));
    assert_eq!(new("dbA dbB"), (String::new(), true));
}

#[test]
fn a_soft_need_counts_only_below_its_cap() {
    let graph = estate();
    let points = |min_delivered: f64| {
        let question = Question { level: breach_level(min_delivered), ..Question::about(graph.item("portal")) };
        graph.names(single_points(&graph.snapshot, &question, &[]).expect("known items").items)
    };
    assert_eq!(points(0.5), "PowerCo dns sso");
    assert_eq!(points(0.7), "PowerCo dns sso", "exactly what it must deliver");
    assert_eq!(points(0.71), "PowerCo dns mailapi sso");
}

#[test]
fn weights_shares_and_cycles_are_understood() {
    let graph = Fixture::parse(
        "
        heavy: weight 3 big=3 small=1 tiny=1
        shared: share 100 tps left=60 right=60
        left: feed
        right: feed
        turn: back | any x y
        back: turn
        big: disk",
    )
    .expect("well formed");
    assert_eq!(points(&graph, "heavy"), "big disk");
    assert_eq!(points(&graph, "shared"), "feed");
    assert_eq!(points(&graph, "turn"), "back");
    // Where it must deliver 70 %, one of the two is not enough; the overload below is there anyhow.
    let question = Question { level: breach_level(0.7), ..Question::about(graph.item("shared")) };
    let points = single_points(&graph.snapshot, &question, &[]).expect("known items");
    assert_eq!(graph.names(points.items), "feed left right");
}

#[test]
fn a_limit_is_admitted_and_nothing_false_is_said() {
    let graph = estate();
    for max_entries in 0..40 {
        let question = Question { max_entries, ..Question::about(graph.item("payments")) };
        let points = single_points(&graph.snapshot, &question, &[]).expect("known items");
        assert!(points.is_cut && points.items.is_empty());
    }
    let question = Question { level: 0.0, ..Question::about(graph.item("payments")) };
    assert!(single_points(&graph.snapshot, &question, &[]).is_err());
    let question = Question::about(graph.item("payments"));
    assert!(single_points(&graph.snapshot, &question, &[ItemIx(9_999)]).is_err());
}

/// Single points as they are defined: by losing every item in turn.
fn by_trying(estate: &Estate, item: ItemIx, level: f64, down: &[ItemIx], reading: Reading) -> Option<Vec<ItemIx>> {
    let (snapshot, pool) = (estate.build(), Pool::new());
    let fails = |more: Option<ItemIx>| {
        let seeds: Vec<Seed> = down.iter().copied().chain(more).map(Seed::gone).collect();
        let question = impact::Question { reading, ..impact::Question::about(&seeds) };
        impact(&snapshot, &question, &pool).expect("items").loss(item) >= level - 1e-9
    };
    let points = snapshot.item_numbers().filter(|&other| other != item && !down.contains(&other));
    (!fails(None)).then(|| points.filter(|&other| fails(Some(other))).collect())
}

fn check(estate: &Estate, level: f64, down: &[u32], reading: Reading) -> Result<(), TestCaseError> {
    let snapshot = estate.build();
    let down: Vec<ItemIx> = down.iter().map(|item| ItemIx(item % estate.items)).collect();
    for item in snapshot.item_numbers() {
        let question = Question { level, reading, ..Question::about(item) };
        let found = single_points(&snapshot, &question, &down).expect("items");
        prop_assert!(!found.is_cut);
        let expected = by_trying(estate, item, level, &down, reading);
        prop_assert_eq!((!found.has_failed).then_some(found.items), expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn single_points_are_what_trying_every_item_finds(
        estate in estates(KINDS), level in prop::sample::select(&[1.0, 0.5, 0.2][..]),
        down in proptest::collection::vec(0..12_u32, 0..3),
    ) {
        check(&estate, level, &down, Reading::AsWritten)?;
    }

    #[test]
    fn single_points_over_shared_loads_are_what_trying_finds(
        estate in estates(SHARES), down in proptest::collection::vec(0..12_u32, 0..3),
    ) {
        check(&estate, 1.0, &down, Reading::AsWritten)?;
    }

    #[test]
    fn doubts_are_read_as_they_are_for_losses(
        estate in estates(DOUBTS), pessimistic: bool, down in proptest::collection::vec(0..12_u32, 0..3),
    ) {
        check(&estate, 1.0, &down, if pessimistic { Reading::Pessimistic } else { Reading::Optimistic })?;
    }

    #[test]
    fn new_single_points_are_the_difference(estate in estates(KINDS), down in proptest::collection::vec(0..12_u32, 1..3)) {
        let snapshot = estate.build();
        let down: Vec<ItemIx> = down.iter().map(|item| ItemIx(item % estate.items)).collect();
        for item in snapshot.item_numbers() {
            let margin = new_single_points(&snapshot, &Question::about(item), &down).expect("items");
            let before = by_trying(&estate, item, 1.0, &[], Reading::AsWritten).expect("nothing fails by itself");
            let mut after = by_trying(&estate, item, 1.0, &down, Reading::AsWritten).unwrap_or_default();
            after.retain(|point| !before.contains(point));
            prop_assert_eq!(margin.new, after);
        }
    }
}
