//! E8, E9 and E10: how available the worked estate is, what breaks it, and what matters for it.

mod common;

use std::sync::atomic::AtomicBool;

use common::{ESTATE, UNAVAILABILITY, chances};
use keelson_analysis::{
    AnalysisError, Reading,
    availability::{Availability, Budget, Chance, Composition, Method, Question, availability},
    common_cause::{CommonCauseError, Group, draw, split},
    cut_sets::{Count, CutSets, Listing, Resilience, Select, cut_sets},
    importance::{importance, value_at_risk},
    single_points::breach_level,
};
use keelson_graph::{ItemIx, fixture::Fixture};

fn estate() -> Fixture {
    Fixture::parse(ESTATE).expect("the worked estate is well formed")
}

fn compose<'q>(graph: &Fixture, question: &Question<'q>) -> Composition<'q> {
    Composition::of(&graph.snapshot, question, chances(graph, UNAVAILABILITY)).expect("known items")
}

fn ask(graph: &Fixture, question: &Question<'_>) -> Availability {
    availability(&compose(graph, question))
}

fn exact(graph: &Fixture, item: &str, chances: &str) -> f64 {
    let question = Question::about(graph.item(item));
    let composition = Composition::of(&graph.snapshot, &question, self::chances(graph, chances)).expect("known items");
    let answer = availability(&composition);
    assert_eq!((answer.method, answer.has_failed, answer.is_stopped), (Method::Exact, false, false));
    assert_eq!(answer.with_least, answer.with_most);
    answer.with_most.value
}

fn is_near(value: f64, expected: f64, tolerance: f64) -> bool {
    (value - expected).abs() <= tolerance
}

/// The sets as text, each with its items in order, sorted.
fn texts(graph: &Fixture, answer: &CutSets) -> Vec<String> {
    let mut sets: Vec<String> = answer.sets.iter().map(|set| graph.names(set.items.iter().copied())).collect();
    sets.sort();
    sets
}

#[test]
fn the_services_of_the_worked_estate_are_as_available_as_they_are() {
    let graph = estate();
    let expected = [
        ("payments", 0.005_320_953_861_331_006),
        ("portal", 0.000_376_020_532_842_137_1),
        ("sso", 0.000_330_399_910_373_948_96),
        ("dns", 0.000_142_038_291_529_109_95),
    ];
    for (service, unavailability) in expected {
        let found = exact(&graph, service, UNAVAILABILITY);
        assert!(is_near(found, unavailability, 1e-12), "{service}: {found}");
    }
    let hours = exact(&graph, "payments", UNAVAILABILITY) * keelson_analysis::availability::Estimate::HOURS_PER_YEAR;
    assert!(is_near(hours, 46.61, 0.005), "{hours}");
}

#[test]
fn shared_parts_are_not_counted_as_if_members_had_their_own() {
    let graph = estate();
    let found = exact(&graph, "payments", UNAVAILABILITY);
    let bottom_up = 0.001_186_327_128_620_212_6;
    assert!(is_near(found / bottom_up, 4.5, 0.05), "4.5 times what multiplying from the bottom up says");
}

#[test]
fn a_third_host_is_worth_what_it_is_worth() {
    let moved = ESTATE.replace("web3: hv2", "web3: hv3");
    let graph = Fixture::parse(&moved).expect("well formed");
    let found = exact(&graph, "payments", &format!("{UNAVAILABILITY} hv3 0.0045"));
    assert!(is_near(found, 0.001_180_627_360_701_828, 1e-12), "{found}");
}

#[test]
fn demand_decides_how_many_are_needed() {
    let expected = [("any", 0.000_631), ("2of", 0.005_321), ("3of", 0.038_717)];
    for (rule, unavailability) in expected {
        let text = ESTATE.replace("2of", rule);
        let graph = Fixture::parse(&text).expect("well formed");
        let found = exact(&graph, "payments", UNAVAILABILITY);
        assert!(is_near(found, unavailability, 5e-7), "{rule}: {found}");
    }
}

#[test]
fn a_cycle_fails_with_its_members_and_never_by_itself() {
    let graph = Fixture::parse("a: b | any x c\nb: a").expect("well formed");
    let found = exact(&graph, "a", "a 0.01 b 0.01 c 0.01 x 0.01");
    assert!(is_near(found, 0.019_998_01, 1e-15), "{found}");
    assert!(exact(&graph, "a", "") == 0.0);
    // A cycle through gates: each of the two pools has the other for a member.
    let graph = Fixture::parse("top: any p q\np: any q x\nq: any p y").expect("well formed");
    let found = exact(&graph, "top", "p 0.1 q 0.1 x 0.1 y 0.1");
    // Both fail when one does and the other's own reason is there, or both do.
    let expected = 0.01 + 2.0 * 0.1 * 0.9 * 0.1;
    assert!(is_near(found, expected, 1e-15), "{found}");
}

#[test]
fn a_contract_is_weaker_than_the_promise() {
    let graph = Fixture::parse("service: idp gateway | any db1 db2").expect("well formed");
    let found = exact(&graph, "service", "idp 0.001 gateway 0.0005 db1 0.005 db2 0.005");
    assert!(is_near(1.0 - found, 0.998_475_537_487_5, 1e-13), "{found}");
}

#[test]
fn the_cut_sets_of_payments_are_known() {
    let graph = estate();
    let composition = compose(&graph, &Question::about(graph.item("payments")));
    let answer = cut_sets(&composition, &Listing::default());
    assert_eq!(answer.count, Count { at_least: 36, is_exact: true });
    assert_eq!(answer.by_size, [0, 5, 31]);
    assert_eq!(answer.resilience, Resilience::Exactly(1));
    assert!(answer.is_complete && !answer.is_stopped);
    let expected = "ColoY|PowerCo|hv2|siteY|swY|ColoX api2|ColoX dbB|ColoX dns2|ColoX idp2|ColoX web2|ColoX web3|\
        api1 api2|api2 hv1|api2 siteX|api2 swX|dbA dbB|dbB hv1|dbB siteX|dbB swX|dns1 dns2|dns2 hv1|dns2 siteX|\
        dns2 swX|hv1 idp2|hv1 web2|hv1 web3|idp1 idp2|idp2 siteX|idp2 swX|siteX web2|siteX web3|swX web2|swX web3|\
        web1 web2|web1 web3|web2 web3";
    let mut expected: Vec<&str> = expected.split('|').collect();
    expected.sort_unstable();
    assert_eq!(texts(&graph, &answer), expected);
    let bounds = answer.bounds.expect("all sets are known");
    assert!(is_near(bounds.sum, 0.005_340_5, 1e-12), "{bounds:?}");
    assert!(is_near(bounds.upper, 0.005_329_408_088_507_015, 1e-12), "{bounds:?}");
}

#[test]
fn sets_come_in_the_order_asked_for() {
    let graph = estate();
    let composition = compose(&graph, &Question::about(graph.item("payments")));
    let first = cut_sets(&composition, &Listing { select: Select::Size(2), most: 6 });
    assert!(!first.is_complete, "there are more of that size");
    let sizes: Vec<usize> = first.sets.iter().map(|set| set.items.len()).collect();
    assert_eq!(sizes, [1, 1, 1, 1, 1, 2]);
    assert_eq!(graph.names(first.sets[0].items.iter().copied()), "hv2");
    assert_eq!(cut_sets(&composition, &Listing { select: Select::Size(1), most: 6 }).sets.len(), 5);

    let likely = cut_sets(&composition, &Listing { select: Select::Chance(0.99e-4), most: 100 });
    assert!(likely.is_complete);
    let chances: Vec<f64> = likely.sets.iter().map(|set| set.chance).collect();
    assert!(chances.is_sorted_by(|a, b| a >= b));
    let names = texts(&graph, &likely);
    assert_eq!(names.len(), 10, "{names:?}");
    assert!(names.contains(&"PowerCo".to_owned()) && names.contains(&"web2 web3".to_owned()));
}

#[test]
fn what_is_down_already_leaves_less_to_fail() {
    let graph = estate();
    let seeds = graph.items("dbA web1");
    let composition = compose(&graph, &Question { seeds: &seeds, ..Question::about(graph.item("payments")) });
    let answer = cut_sets(&composition, &Listing { select: Select::Size(1), most: 100 });
    assert_eq!(answer.by_size[1], 8);
    assert_eq!(texts(&graph, &answer), ["ColoY", "PowerCo", "dbB", "hv2", "siteY", "swY", "web2", "web3"]);
    assert_eq!(answer.seeds, seeds);

    let seeds = graph.items("dbA dbB");
    let composition = compose(&graph, &Question { seeds: &seeds, ..Question::about(graph.item("payments")) });
    let found = availability(&composition);
    assert!(found.has_failed && found.with_most.value == 1.0);
    assert_eq!(cut_sets(&composition, &Listing::default()).resilience, Resilience::Exactly(0));
    assert!(importance(&composition, &found).items.is_empty());
}

#[test]
fn unavailability_given_a_change_is_conditional() {
    let graph = estate();
    let seeds = graph.items("dbA");
    let found = ask(&graph, &Question { seeds: &seeds, ..Question::about(graph.item("payments")) });
    assert!(is_near(found.with_most.value, 0.010_248_4, 5e-8), "{found:?}");
}

#[test]
fn what_matters_for_payments_is_known() {
    let graph = estate();
    let composition = compose(&graph, &Question::about(graph.item("payments")));
    let found = importance(&composition, &availability(&composition));
    assert!(found.is_exact);
    let expected = [
        ("hv2", 0.996_672_391, 0.374_621_7),
        ("swY", 0.995_674_721, 0.187_123_4),
        ("ColoY", 0.995_674_721, 0.187_123_4),
        ("siteY", 0.995_176_634, 0.093_514_9),
        ("web3", 0.023_925_225, 0.044_964_2),
        ("web2", 0.023_925_225, 0.044_964_2),
        ("web1", 0.019_616_022, 0.036_865_6),
        ("idp2", 0.014_214_323, 0.026_713_9),
        ("api2", 0.014_214_323, 0.026_713_9),
        ("PowerCo", 0.994_778_524, 0.018_695_5),
        ("idp1", 0.009_905_12, 0.018_615_3),
        ("api1", 0.009_905_12, 0.018_615_3),
        ("hv1", 0.045_268_893, 0.017_015_3),
        ("dbB", 0.009_239_737, 0.008_682_4),
        ("swX", 0.045_223_579, 0.008_499_1),
        ("ColoX", 0.045_223_579, 0.008_499_1),
        ("dbA", 0.004_952_188, 0.004_653_5),
        ("siteX", 0.045_200_956, 0.004_247_4),
        ("dns2", 0.006_255_494, 0.002_351_3),
        ("dns1", 0.001_980_834, 0.000_744_5),
    ];
    assert_eq!(found.items.len(), expected.len());
    for (name, birnbaum, criticality) in expected {
        let weight = found.items.iter().find(|weight| weight.item == graph.item(name)).expect("it matters");
        assert!(is_near(weight.birnbaum.value, birnbaum, 1e-9), "{name}: {weight:?}");
        assert!(is_near(weight.criticality, criticality, 1e-7), "{name}: {weight:?}");
        // The other measures, as they are defined, from the two conditional probabilities.
        let with = |chance: f64| {
            let known = chances(&graph, UNAVAILABILITY);
            let chance = |item| if item == weight.item { Chance::exactly(chance) } else { known(item) };
            let question = Question::about(graph.item("payments"));
            let composition = Composition::of(&graph.snapshot, &question, chance).expect("known items");
            availability(&composition).with_most.value
        };
        let (whole, failed, up) = (with(weight.chance), with(1.0), with(0.0));
        assert!(is_near(weight.birnbaum.value, failed - up, 1e-12));
        assert!(is_near(weight.diagnosis, weight.chance * failed / whole, 1e-9));
        assert!(is_near(weight.risk_achievement, failed / whole, 1e-7));
        assert!(is_near(weight.risk_reduction.expect("others fell it too"), whole / up, 1e-9));
    }
    assert_eq!(graph.name(found.items[0].item), "hv2");
    assert_eq!(graph.name(found.by_birnbaum()[4].item), "PowerCo");
}

#[test]
fn value_at_risk_adds_up_over_services() {
    let graph = estate();
    let of = |service: &str| {
        let composition = compose(&graph, &Question::about(graph.item(service)));
        importance(&composition, &availability(&composition))
    };
    let (payments, portal) = (of("payments"), of("portal"));
    let ranked = value_at_risk(&[(20_000.0, &payments), (1_000.0, &portal)]);
    // hv2 matters most for payments, but PowerCo for both.
    assert_eq!((graph.name(ranked[0].0), graph.name(ranked[1].0)), ("PowerCo", "hv2"));
    let of = |name: &str| ranked.iter().find(|(item, _)| *item == graph.item(name)).expect("it matters").1;
    let portal_on_power = portal.items.iter().find(|weight| weight.item == graph.item("PowerCo")).expect("it matters");
    assert!(is_near(of("PowerCo"), 20_000.0 * 0.994_778_524 + 1_000.0 * portal_on_power.birnbaum.value, 1e-4));
}

#[test]
fn a_soft_need_counts_where_it_alone_breaches() {
    let graph = estate();
    let with = |min_delivered: f64| {
        let question = Question { level: breach_level(min_delivered), ..Question::about(graph.item("portal")) };
        ask(&graph, &question).with_most.value
    };
    let without = exact(&graph, "portal", UNAVAILABILITY);
    assert!(is_near(with(0.7), without, 1e-15), "exactly what it must deliver");
    assert!(is_near(with(0.71), 1.0 - (1.0 - without) * 0.995, 1e-15));
}

#[test]
fn intervals_give_answers_for_both_ends() {
    let graph = Fixture::parse("top: any left right").expect("well formed");
    let question = Question::about(graph.item("top"));
    let chance = |item| if item == graph.item("top") { Chance::NEVER } else { Chance::between(0.01, 0.1) };
    let composition = Composition::of(&graph.snapshot, &question, chance).expect("known items");
    let found = availability(&composition);
    assert_eq!(found.method, Method::Exact);
    assert!(is_near(found.with_least.value, 0.000_1, 1e-18) && is_near(found.with_most.value, 0.01, 1e-16));
}

#[test]
fn doubts_are_bracketed() {
    let graph = Fixture::parse("top: assumed all a b | doubtful c").expect("well formed");
    let with = |reading| {
        let question = Question { reading, ..Question::about(graph.item("top")) };
        let composition = Composition::of(&graph.snapshot, &question, chances(&graph, "a 0.1 b 0.1 c 0.1"));
        availability(&composition.expect("known items")).with_most.value
    };
    assert!(is_near(with(Reading::Optimistic), 0.01, 1e-15));
    assert!(is_near(with(Reading::AsWritten), 0.271, 1e-15));
    assert!(is_near(with(Reading::Pessimistic), 0.271, 1e-15));
}

#[test]
fn weights_and_shares_give_way_as_they_are_written() {
    let graph = Fixture::parse(
        "heavy: weight 5 a=4 b=3 c=2 d=1\nshared: share 100 tps x=50 y=40 z=30\nover: share 100 tps x=50 y=40",
    )
    .expect("well formed");
    let all = "a 0.1 b 0.1 c 0.1 d 0.1 x 0.1 y 0.1 z 0.1";
    let sets = |item: &str, level: f64| {
        let question = Question { level, ..Question::about(graph.item(item)) };
        let composition = Composition::of(&graph.snapshot, &question, chances(&graph, all)).expect("known items");
        texts(&graph, &cut_sets(&composition, &Listing::default()))
    };
    assert_eq!(sets("heavy", 1.0), ["a b", "a c", "b c d"]);
    assert_eq!(sets("shared", 1.0), ["x y z"]);
    assert_eq!(sets("shared", breach_level(0.75)), ["x", "y z"]);
    assert_eq!(sets("shared", breach_level(0.6)), ["x y", "x z", "y z"]);
    let question = Question { level: breach_level(0.95), ..Question::about(graph.item("over")) };
    let composition = Composition::of(&graph.snapshot, &question, chances(&graph, all)).expect("known items");
    assert!(availability(&composition).has_failed, "it carries 90 of 100 at best");
}

#[test]
fn what_is_no_probability_or_no_item_is_refused() {
    let graph = estate();
    let question = Question::about(graph.item("payments"));
    for chance in [Chance::exactly(-0.1), Chance::exactly(1.1), Chance::between(0.2, 0.1), Chance::exactly(f64::NAN)] {
        let refused = Composition::of(&graph.snapshot, &question, |_| chance);
        assert!(matches!(refused, Err(AnalysisError::ChanceOutOfRange { .. })));
    }
    let none = |_| Chance::NEVER;
    let unknown = [ItemIx(9_999)];
    assert!(Composition::of(&graph.snapshot, &Question::about(unknown[0]), none).is_err());
    assert!(Composition::of(&graph.snapshot, &Question { seeds: &unknown, ..question }, none).is_err());
    assert!(Composition::of(&graph.snapshot, &Question { level: 0.0, ..question }, none).is_err());
}

#[test]
fn a_raised_flag_leaves_what_is_certain() {
    let graph = estate();
    let stop = AtomicBool::new(true);
    let budget = Budget { nodes: 0, ..Budget::default() };
    let question = Question { stop: Some(&stop), budget, ..Question::about(graph.item("payments")) };
    let found = ask(&graph, &question);
    assert!(found.is_stopped && found.method == Method::Bounds);
    assert!(found.with_most.least <= 0.005_320_953 && found.with_most.most >= 0.005_320_954);
}

#[test]
fn without_room_for_diagrams_there_are_bounds_or_trials() {
    let graph = estate();
    let of = |budget: Budget| ask(&graph, &Question { budget, ..Question::about(graph.item("payments")) });
    let bounds = of(Budget { nodes: 0, samples: 0, ..Budget::default() });
    assert_eq!(bounds.method, Method::Bounds);
    let truth = 0.005_320_953_861_331_006;
    assert!(bounds.with_most.least <= truth && truth <= bounds.with_most.most, "{bounds:?}");
    let budget = Budget { nodes: 0, samples: 20_000, tolerance: 0.0, seed: 7 };
    let tried = of(budget);
    assert!(matches!(tried.method, Method::Simulated { samples: 20_032, .. }));
    assert!(tried.with_most.least <= truth && truth <= tried.with_most.most, "{tried:?}");
    assert_eq!(of(budget), tried, "the same seed gives the same answer");
    assert_eq!(tried.budget, budget);
}

#[test]
fn common_causes_are_items_like_others() {
    let graph = Fixture::parse("top: any a b").expect("well formed");
    let members = graph.items("a b");
    let cause = ItemIx(3);
    let chance = chances(&graph, "a 0.1 b 0.1");
    let drawn = draw(&graph.snapshot, &[Group { members: &members, beta: 0.1, cause }], &chance).expect("well formed");
    let question = Question::about(graph.item("top"));
    let composition =
        Composition::of(&drawn.snapshot, &question, |item| drawn.chance(item).unwrap_or_else(|| chance(item)));
    let composition = composition.expect("known items");
    let found = availability(&composition).with_most.value;
    assert!(is_near(found, 1.0 - (1.0 - 0.01) * (1.0 - 0.09 * 0.09), 1e-15), "{found}");
    let sets = cut_sets(&composition, &Listing::default());
    assert_eq!(sets.sets[0].items, [cause]);
    assert_eq!(split(Chance::between(0.5, 1.0), 0.25), (Chance::between(0.125, 0.25), Chance::between(0.375, 0.75)));

    let taken = draw(&graph.snapshot, &[Group { members: &members, beta: 0.1, cause: members[0] }], &chance);
    assert_eq!(taken.err(), Some(CommonCauseError::Taken { cause: members[0] }));
    let beyond = draw(&graph.snapshot, &[Group { members: &members, beta: 1.1, cause }], &chance);
    assert_eq!(beyond.err(), Some(CommonCauseError::BetaOutOfRange { cause, beta: 1.1 }));
}
