//! E4 and the sets of E5, and single points against the loss of every single item.

mod common;
#[path = "common/estates.rs"]
mod estates;

use common::ESTATE;
use estates::{Estate, Kinds, estates};
use keelson_analysis::{
    Pool, Reading,
    impact::{self, Seed, impact},
    single_points::{
        Cut, Keep, Question, SinglePoints, Watched, breach_level, new_single_points, single_points, single_points_of,
        survey,
    },
};
use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot, fixture::Fixture};
use keelson_model::Rule;
use proptest::{prelude::*, test_runner::RngSeed};

const KINDS: Kinds = Kinds { cycles: true, shares: false, doubts: false };
const SHARES: Kinds = Kinds { cycles: false, shares: true, doubts: false };
const DOUBTS: Kinds = Kinds { cycles: true, shares: false, doubts: true };

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

fn points(graph: &Fixture, item: &str) -> String {
    let question = Question::default();
    let points = single_points(&graph.snapshot, graph.item(item), &question, &[]).expect("known items");
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
    let (payments, question) = (graph.item("payments"), Question::default());
    let new = |seeds: &str| {
        let margin = new_single_points(&graph.snapshot, payments, &question, &graph.items(seeds)).expect("known items");
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
        let question = Question { level: breach_level(min_delivered), ..Question::default() };
        let portal = graph.item("portal");
        graph.names(single_points(&graph.snapshot, portal, &question, &[]).expect("known items").items)
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
    let question = Question { level: breach_level(0.7), ..Question::default() };
    let points = single_points(&graph.snapshot, graph.item("shared"), &question, &[]).expect("known items");
    assert_eq!(graph.names(points.items), "feed left right");
}

#[test]
fn a_limit_is_admitted_and_nothing_false_is_said() {
    let graph = estate();
    let payments = graph.item("payments");
    for max_words in 0..40 {
        let question = Question { max_words, ..Question::default() };
        let points = single_points(&graph.snapshot, payments, &question, &[]).expect("known items");
        assert!(points.is_cut && points.items.is_empty());
    }
    let question = Question { level: 0.0, ..Question::default() };
    assert!(single_points(&graph.snapshot, payments, &question, &[]).is_err());
    let question = Question::default();
    assert!(single_points(&graph.snapshot, payments, &question, &[ItemIx(9_999)]).is_err());
}

#[test]
fn several_items_are_answered_in_the_order_asked_and_as_far_as_a_limit_allows() {
    let graph = estate();
    let asked = graph.items("sso payments dns sso");
    let (points, pass) = single_points_of(&graph.snapshot, &asked, &Question::default(), &[]).expect("known items");
    let named: Vec<String> = points.into_iter().map(|points| graph.names(points.items)).collect();
    assert_eq!(named, ["PowerCo dns", "ColoY PowerCo dns hv2 siteY sso swY", "PowerCo", "PowerCo dns"]);
    assert_eq!((pass.items, pass.visited, pass.cut), (23, 23, None), "all but portal and mailapi");

    let whole = pass.words;
    for max_words in 0..whole {
        let question = Question { max_words, ..Question::default() };
        let (points, pass) = single_points_of(&graph.snapshot, &asked, &question, &[]).expect("known items");
        assert!(pass.cut == Some(Cut::Words) || pass.visited == pass.items);
        for (item, points) in asked.iter().zip(points) {
            let alone = single_points(&graph.snapshot, *item, &Question::default(), &[]).expect("a known item");
            assert!(points.is_cut && points.items.is_empty() || points == alone, "whole or nothing");
        }
    }
}

#[test]
fn who_can_take_down_what_is_ranked_by_what_it_is_worth() {
    let graph = estate();
    let watched: Vec<Watched> = [("payments", 100.0), ("portal", 10.0), ("sso", 1.0), ("dns", 1.0)]
        .map(|(name, value)| Watched { item: graph.item(name), value })
        .to_vec();
    let survey = survey(&graph.snapshot, &watched, Keep::Points, &Question::default(), &[]).expect("known items");
    let ranked: Vec<(&str, u32, f64)> =
        survey.felling.iter().map(|felling| (graph.name(felling.item), felling.felled, felling.value)).collect();
    assert_eq!(ranked[..3], [("PowerCo", 4, 112.0), ("dns", 3, 111.0), ("sso", 2, 110.0)]);
    assert!(ranked[3..].iter().all(|(_, felled, value)| (*felled, *value) == (1, 100.0)));
    assert_eq!(graph.names(ranked[3..].iter().map(|(name, ..)| graph.item(name))), "ColoY hv2 siteY swY");
    assert_eq!(graph.names(survey.felled_by(graph.item("dns"))), "payments portal sso");
    assert_eq!(survey.felled_by(graph.item("hv1")).count(), 0);
}

#[test]
fn sets_are_given_up_when_nobody_needs_them_any_longer() {
    // A chain: each set is needed for one step.
    let items = 1_000;
    let snapshot = chain(items);
    let last = ItemIx(items - 1);
    let (points, pass) = single_points_of(&snapshot, &[last, last], &Question::default(), &[]).expect("an item");
    assert_eq!(points[0].items.len(), items as usize - 1);
    assert_eq!((pass.words, pass.most_live), (500_500, 1_999), "the last two");
    // Of one item alone, no sets are made of what it needs wholly.
    let (alone, pass) = single_points_of(&snapshot, &[last], &Question::default(), &[]).expect("an item");
    assert_eq!((alone[0] == points[0], pass.words, pass.most_live), (true, 1_000, 0));

    let tight = Question { max_live: 1_500, ..Question::default() };
    let (points, pass) = single_points_of(&snapshot, &[ItemIx(99), last], &tight, &[]).expect("items");
    assert_eq!(pass.cut, Some(Cut::Live));
    assert_eq!((points[0].items.len(), points[1].is_cut), (99, true));

    // What is kept counts as held.
    let watched: Vec<Watched> = snapshot.item_numbers().map(|item| Watched { item, value: 1.0 }).collect();
    let question = Question { max_live: 10_000, ..Question::default() };
    let kept = survey(&snapshot, &watched, Keep::Points, &question, &[]).expect("items");
    assert_eq!(kept.pass.cut, Some(Cut::Live));
    let bare = survey(&snapshot, &watched, Keep::Felling, &question, &[]).expect("items");
    assert_eq!((bare.pass.cut, bare.felling[0].item, bare.felling[0].felled), (None, ItemIx(0), items - 1));
}

/// Item 1 needs 0, 2 needs 1, and so on.
fn chain(items: u32) -> Snapshot {
    let mut builder = Builder::new();
    for item in 0..items {
        builder.item(ItemIx(item));
    }
    for item in 1..items {
        builder.plain(ItemIx(item), ItemIx(item - 1), 0);
    }
    builder.build().expect("every item was added")
}

#[test]
fn large_sets_are_the_same_sets() {
    // Two chains long enough for bitmaps, short ones beside them, a pool over both and a cycle on top.
    let items = 4_000;
    let mut builder = Builder::new();
    for item in 0..2 * items + 4 {
        builder.item(ItemIx(item));
    }
    for item in 2..items {
        builder.plain(ItemIx(item), ItemIx(item - 1), 0);
        builder.plain(ItemIx(items + item), ItemIx(items + item - 1), 0);
    }
    let [pool, turn, back, weighed] = [0, 1, 2, 3].map(|at| ItemIx(2 * items + at));
    let (left, right, short) = (ItemIx(items - 1), ItemIx(2 * items - 1), ItemIx(items + 7));
    builder.plain(ItemIx(1), ItemIx(0), 0).plain(ItemIx(items + 1), ItemIx(0), 0);
    builder.need(NeedSpec::new(pool, vec![left, right], Rule::Any, 0)).expect("meaningful");
    builder.plain(turn, back, 0).plain(back, turn, 0).plain(turn, left, 0).plain(back, short, 0);
    let rule = Rule::Weight { weights: vec![1.0, 2.0], threshold: 2.0 };
    builder.need(NeedSpec::new(weighed, vec![left, right], rule, 0)).expect("meaningful");
    let snapshot = builder.build().expect("every item was added");
    let points = |item| single_points(&snapshot, item, &Question::default(), &[]).expect("an item").items;
    assert_eq!(points(pool), [ItemIx(0)]);
    let both = (0..items).chain(items + 1..items + 8).chain([back.0]).map(ItemIx);
    assert!(points(turn).into_iter().eq(both));
    assert!(points(weighed).into_iter().eq([0].into_iter().chain(items + 1..2 * items).map(ItemIx)));
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
    let question = Question { level, reading, ..Question::default() };
    let items: Vec<ItemIx> = snapshot.item_numbers().collect();
    let (all, pass) = single_points_of(&snapshot, &items, &question, &down).expect("items");
    prop_assert!(pass.cut.is_none() && pass.visited == items.len());
    check_survey(&snapshot, &question, &down, &all)?;
    for (item, together) in items.into_iter().zip(all) {
        let found = single_points(&snapshot, item, &question, &down).expect("items");
        prop_assert!(!found.is_cut);
        prop_assert_eq!(&found, &together, "alone and together");
        let expected = by_trying(estate, item, level, &down, reading);
        prop_assert_eq!((!found.has_failed).then_some(found.items), expected);
    }
    Ok(())
}

/// What each item takes down is what has it among its single points, whatever is kept.
fn check_survey(
    snapshot: &Snapshot,
    question: &Question<'_>,
    down: &[ItemIx],
    all: &[SinglePoints],
) -> Result<(), TestCaseError> {
    // Every second item is watched.
    let watched: Vec<Watched> =
        (0..all.len()).step_by(2).map(|item| Watched { item: ItemIx::of(item), value: item as f64 + 0.5 }).collect();
    let found = survey(snapshot, &watched, Keep::Points, question, down).expect("items");
    prop_assert!(found.points.iter().eq(all.iter().step_by(2)));
    let bare = survey(snapshot, &watched, Keep::Felling, question, down).expect("items");
    prop_assert_eq!(&found.felling, &bare.felling);
    prop_assert!(found.felling.is_sorted_by(|a, b| a.value >= b.value));
    for item in snapshot.item_numbers() {
        let felled: Vec<ItemIx> =
            (0..all.len()).step_by(2).filter(|other| all[*other].items.contains(&item)).map(ItemIx::of).collect();
        let value: f64 = felled.iter().map(|item| f64::from(item.0) + 0.5).sum();
        prop_assert_eq!(found.felled_by(item).collect::<Vec<_>>(), felled.clone());
        let felling = found.felling.iter().find(|felling| felling.item == item);
        prop_assert_eq!(felling.map_or((0, 0.0), |f| (f.felled as usize, f.value)), (felled.len(), value));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::with_cases(400)
    })]

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
            let margin = new_single_points(&snapshot, item, &Question::default(), &down).expect("items");
            let before = by_trying(&estate, item, 1.0, &[], Reading::AsWritten).expect("nothing fails by itself");
            let mut after = by_trying(&estate, item, 1.0, &down, Reading::AsWritten).unwrap_or_default();
            after.retain(|point| !before.contains(point));
            prop_assert_eq!(margin.new, after);
        }
    }
}
