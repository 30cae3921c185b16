//! Systems with more smallest sets of failures than anybody can list: counted where that is possible, otherwise bounded,
//! and said so.

use keelson_analysis::availability::{Budget, Chance, Composition, Method, Question, availability};
use keelson_analysis::cut_sets::{Listing, Resilience, Select, cut_sets};
use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;

const CHANCE: Chance = Chance::exactly(0.01);

/// A service that any of some members is enough for, each of which needs all of some parts of its own.
fn apart(members: u32, parts: u32) -> (Snapshot, ItemIx) {
    let mut builder = Builder::new();
    let (service, first) = (ItemIx(0), 1 + members);
    builder.item(service);
    for member in 0..members {
        builder.item(ItemIx(1 + member));
        for part in 0..parts {
            let item = ItemIx(first + member * parts + part);
            builder.item(item);
            builder.plain(ItemIx(1 + member), item, 0);
        }
    }
    let pool = (1..=members).map(ItemIx).collect();
    builder.need(NeedSpec::new(service, pool, Rule::Any, 0)).expect("a need of several members");
    (builder.build().expect("it is whole"), service)
}

/// A service that needs half of some members, each of which needs eight of forty parts that others need as well.
fn entangled(members: u32) -> (Snapshot, ItemIx) {
    const PARTS: u32 = 40;
    let mut builder = Builder::new();
    let service = ItemIx(0);
    builder.item(service);
    for item in 1..=members + PARTS {
        builder.item(ItemIx(item));
    }
    for member in 1..=members {
        let mut parts: Vec<u32> = (0..8).map(|n| (member * 7 + n * n * 5 + n * member) % PARTS).collect();
        parts.sort_unstable();
        parts.dedup();
        for part in parts {
            builder.plain(ItemIx(member), ItemIx(members + 1 + part), 0);
        }
    }
    let pool = (1..=members).map(ItemIx).collect();
    builder.need(NeedSpec::new(service, pool, Rule::AtLeast { k: members / 2 }, 0)).expect("a need of several members");
    (builder.build().expect("it is whole"), service)
}

fn parts_only(members: u32) -> impl Fn(ItemIx) -> Chance {
    move |item| if item.0 > members { CHANCE } else { Chance::NEVER }
}

#[test]
fn a_million_million_sets_are_counted_and_not_listed() {
    let (snapshot, service) = apart(12, 10);
    let composition = Composition::of(&snapshot, &Question::about(service), parts_only(12)).expect("known items");
    let found = cut_sets(&composition, &Listing { select: Select::Size(3), most: 1_000 });
    assert_eq!((found.count.at_least, found.count.is_exact), (1_000_000_000_000, true));
    assert!(found.sets.is_empty(), "the smallest has twelve items");
    assert_eq!(found.resilience, Resilience::Exactly(12));
    let answer = availability(&composition);
    assert_eq!(answer.method, Method::Exact);
    let member: f64 = 1.0 - 0.99_f64.powi(10);
    assert!((answer.with_most.value / member.powi(12) - 1.0).abs() < 1e-9, "{answer:?}");
}

#[test]
fn a_list_of_them_ends_where_it_was_told_to() {
    let (snapshot, service) = apart(12, 10);
    let composition = Composition::of(&snapshot, &Question::about(service), parts_only(12)).expect("known items");
    let found = cut_sets(&composition, &Listing { select: Select::Size(12), most: 100 });
    assert_eq!((found.sets.len(), found.is_complete), (100, false));
    assert!(found.sets.iter().all(|set| set.items.len() == 12));
}

#[test]
fn what_outgrows_its_budget_is_bounded_and_says_so() {
    let (snapshot, service) = entangled(30);
    let budget = Budget { nodes: 5_000, samples: 6_400, ..Budget::default() };
    let question = Question { budget, ..Question::about(service) };
    let composition = Composition::of(&snapshot, &question, parts_only(30)).expect("known items");
    assert!(!composition.is_exact(), "it is too much for so small a budget");
    let answer = availability(&composition);
    assert_ne!(answer.method, Method::Exact);
    let estimate = answer.with_most;
    assert!(estimate.least <= estimate.value && estimate.value <= estimate.most, "{estimate:?}");
    assert!(answer.nodes <= 4 * budget.nodes, "the budget is held: {} nodes", answer.nodes);
    let found = cut_sets(&composition, &Listing::default());
    assert!(!found.count.is_exact && found.bounds.is_none());
    assert!(matches!(found.resilience, Resilience::Between(..)), "{:?}", found.resilience);

    // With room enough the exact answer lies within the bounds.
    let wide = Question::about(service);
    let composition = Composition::of(&snapshot, &wide, parts_only(30)).expect("known items");
    let exact = availability(&composition);
    if exact.method == Method::Exact {
        assert!(estimate.least <= exact.with_most.value + 1e-12, "{estimate:?} {exact:?}");
    }
}
