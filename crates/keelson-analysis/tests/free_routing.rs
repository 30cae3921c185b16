//! What a service can carry if members of pools take over from each other (analyses 4.5).

use keelson_analysis::{
    Limits, Truncation,
    demand::{Model, Origin, Source, Visit, Visits, plan::Resource},
    throughput::{
        fixed,
        flow::Network,
        free::{Free, MOST_ITEMS, Pool, free},
    },
};
use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot, fixture::Fixture};
use keelson_model::Rule;
use proptest::prelude::*;

/// A graph with ratios like `shop web1 0.5`, pools like `shop: web1 web2`, capacities and demand like `web1 60`.
struct Case {
    graph: Fixture,
    visits: Visits,
    pools: Vec<Pool>,
    resources: Vec<Resource>,
    sources: Vec<Source>,
}

impl Case {
    fn new(graph: &str, ratios: &str, pools: &str, capacities: &str, demand: &str) -> Self {
        let graph = Fixture::parse(graph).expect("well formed");
        let numbers = |text: &str| -> Vec<(ItemIx, f64)> {
            let pairs = text.split(';').map(|pair| pair.split_whitespace().collect::<Vec<_>>());
            pairs.map(|pair| (graph.item(pair[0]), pair[1].parse().expect("a number"))).collect()
        };
        let visit = |words: &str| {
            let words: Vec<&str> = words.split_whitespace().collect();
            let (owner, member) = (graph.item(words[0]), graph.item(words[1]));
            Visit { owner, member, ratio: words[2].parse().expect("a ratio"), origin: Origin::Given }
        };
        let pool = |text: &str| {
            let (owner, members) = text.split_once(':').expect("a pool");
            let members = members.split_whitespace().map(|name| graph.item(name)).collect();
            Pool { owner: graph.item(owner.trim()), members }
        };
        let resource =
            |(item, capacity)| Resource { item, per_unit: 1.0, capacity, planning_limit: 1.0, lead_months: 0.0 };
        let visits = Visits::new(&graph.snapshot, ratios.split(';').map(visit).collect()).expect("ratios");
        let pools = pools.split(';').filter(|text| !text.is_empty()).map(pool).collect();
        let resources = numbers(capacities).into_iter().map(resource).collect();
        let sources = numbers(demand).into_iter().map(|(item, demand)| Source { item, demand }).collect();
        Self { visits, pools, resources, sources, graph }
    }

    fn free(&self, service: &str) -> Free {
        let model = Model::new(&self.graph.snapshot, &self.visits, &Limits::default());
        let service = self.graph.item(service);
        free(&model, &self.sources, service, (&self.pools, &self.resources), &Limits::default()).expect("an answer")
    }

    fn fixed(&self, service: &str) -> f64 {
        let model = Model::new(&self.graph.snapshot, &self.visits, &Limits::default());
        let service = self.graph.item(service);
        let found = fixed(&model, &self.sources, service, &self.resources, &Limits::default()).expect("an answer");
        found.limit.expect("a limit")
    }

    fn names(&self, places: &[usize]) -> Vec<&str> {
        places.iter().map(|place| self.graph.name(self.resources[*place].item)).collect()
    }
}

fn near(found: Option<f64>, wanted: f64) {
    let found = found.expect("a limit");
    assert!((found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{found} is not {wanted}");
}

const PAIR: &str = "shop: any big small\nbig: db\nsmall: db";

#[test]
fn an_uneven_pool_carries_more_if_its_members_take_over() {
    let ratios = "shop big 0.5; shop small 0.5; big db 2; small db 2";
    let case = Case::new(PAIR, ratios, "shop: big small", "big 60; small 30; db 1000", "shop 10");
    near(Some(case.fixed("shop")), 60.0);
    let found = case.free("shop");
    near(found.limit, 90.0);
    assert_eq!(case.names(&found.binding), ["big", "small"]);
    let spread = &found.spread[0];
    assert!((spread[0] - 2.0 / 3.0).abs() < 1e-6 && (spread[1] - 1.0 / 3.0).abs() < 1e-6, "{spread:?}");
    // With a narrow database it does not matter how the load is spread.
    let case = Case::new(PAIR, ratios, "shop: big small", "big 60; small 30; db 100", "shop 10");
    let found = case.free("shop");
    near(found.limit, 50.0);
    assert_eq!(case.names(&found.binding), ["db"]);
    assert_eq!(found.spread[0], [0.5, 0.5], "so nothing is shifted");
    // Without a pool nothing may be shifted.
    let case = Case::new(PAIR, ratios, "", "big 60; small 30; db 1000", "shop 10");
    near(case.free("shop").limit, 60.0);
}

/// A standby that takes nothing now takes over; what costs less beneath is taken first.
#[test]
fn load_goes_where_it_costs_least() {
    let ratios = "shop big 1; shop small 0; big db 3; small db 1";
    let case = Case::new(PAIR, ratios, "shop: big small", "big 60; small 30; db 90", "shop 10");
    near(Some(case.fixed("shop")), 30.0);
    let found = case.free("shop");
    near(found.limit, 50.0);
    assert_eq!(case.names(&found.binding), ["small", "db"]);
    near(Some(found.spread[0][0]), 0.4);
}

#[test]
fn what_others_ask_for_is_carried_too() {
    let graph = "shop: any big small\nbank: any big small";
    let ratios = "shop big 0.5; shop small 0.5; bank big 1; bank small 0";
    let case = |bank: &str| {
        Case::new(graph, ratios, "shop: big small; bank: big small", "big 60; small 30", &format!("bank {bank}"))
    };
    // The bank's load stays where it is: its pool is not beneath the shop.
    near(case("50").free("shop").limit, 40.0);
    let full = case("70").free("shop");
    assert!(full.is_exhausted && full.limit.is_none() && full.binding.is_empty());
    let case = Case::new("shop: api", "shop api 1", "", "shop 5", "shop 1");
    near(case.free("shop").limit, 5.0);
    let unbound = Case::new("shop: api\nother: x", "shop api 1", "", "other 5", "shop 1").free("shop");
    assert!(!unbound.is_exhausted && unbound.limit.is_none());
}

#[test]
fn retries_are_carried_and_what_is_too_large_is_said() {
    let graph = "shop: any a b\na: back\nb: back\nback: shop";
    let ratios = "shop a 0.5; shop b 0.5; a back 1; b back 1; back shop 0.5";
    let case = Case::new(graph, ratios, "shop: a b", "a 60; b 30", "shop 1");
    // Each unit comes round again by half: twice the demand passes.
    near(Some(case.fixed("shop")), 30.0);
    near(case.free("shop").limit, 45.0);
    let graph: Vec<String> = (0..=MOST_ITEMS).map(|at| format!("i{at}: i{}", at + 1)).collect();
    let ratios: Vec<String> = (0..=MOST_ITEMS).map(|at| format!("i{at} i{} 1", at + 1)).collect();
    let found = Case::new(&graph.join("\n"), &ratios.join(";"), "", "i5 1", "i0 1").free("i0");
    assert!(found.truncations.contains(Truncation::Items) && found.limit.is_none());
}

/// Layers of pools in which each unit takes one unit of the next layer.
#[derive(Clone, Debug)]
struct Layers {
    /// By layer and place: capacity, and which of the next layer it uses.
    items: Vec<Vec<(u8, Vec<bool>)>>,
}

impl Layers {
    fn number(&self, layer: usize, place: usize) -> ItemIx {
        let before: usize = self.items[..layer].iter().map(Vec::len).sum();
        ItemIx::of(1 + before + place)
    }

    /// The items each item uses, the service first.
    fn uses(&self) -> Vec<(ItemIx, Vec<ItemIx>)> {
        let first = (0..self.items[0].len()).map(|place| self.number(0, place)).collect();
        let mut uses = vec![(ItemIx(0), first)];
        for (layer, items) in self.items.iter().enumerate() {
            for (place, (_, next)) in items.iter().enumerate() {
                let chosen = next.iter().enumerate().filter(|(_, is_used)| **is_used).map(|(at, _)| at);
                let members: Vec<ItemIx> = chosen.map(|at| self.number(layer + 1, at)).collect();
                if !members.is_empty() {
                    uses.push((self.number(layer, place), members));
                }
            }
        }
        uses
    }

    fn capacities(&self) -> Vec<f64> {
        self.items.iter().flatten().map(|(capacity, _)| 1.0 + f64::from(*capacity)).collect()
    }
}

fn layers() -> impl Strategy<Value = Layers> {
    let sizes = proptest::collection::vec(1_usize..5, 1..4);
    sizes.prop_flat_map(|sizes| {
        let layer = |at: usize| {
            let next = sizes.get(at + 1).copied().unwrap_or(0);
            let uses = proptest::collection::vec(any::<bool>(), next).prop_map(|mut uses| {
                if let (false, Some(first)) = (uses.iter().any(|used| *used), uses.first_mut()) {
                    *first = true;
                }
                uses
            });
            proptest::collection::vec((any::<u8>(), uses), sizes[at])
        };
        (0..sizes.len()).map(layer).collect::<Vec<_>>().prop_map(|items| Layers { items })
    })
}

fn built(layers: &Layers) -> (Snapshot, Visits, Vec<Pool>) {
    let (uses, count) = (layers.uses(), layers.capacities().len());
    let mut builder = Builder::with_capacity(count + 1, count);
    (0..=count).for_each(|item| _ = builder.item(ItemIx::of(item)));
    let (mut visits, mut pools) = (Vec::new(), Vec::new());
    for (owner, members) in uses {
        builder.need(NeedSpec::new(owner, members.clone(), Rule::Any, 0)).expect("a need");
        let share = 1.0 / f64::from(u32::try_from(members.len()).expect("few"));
        visits.extend(members.iter().map(|member| Visit {
            owner,
            member: *member,
            ratio: share,
            origin: Origin::Given,
        }));
        pools.push(Pool { owner, members });
    }
    let snapshot = builder.build().expect("a graph");
    let visits = Visits::new(&snapshot, visits).expect("ratios");
    (snapshot, visits, pools)
}

/// The largest flow from the service through the capacities to the last layer.
fn flow(layers: &Layers) -> f64 {
    let capacities = layers.capacities();
    let mut network = Network::new(2);
    let gates: Vec<_> = capacities.iter().map(|capacity| network.gate(*capacity).expect("a capacity")).collect();
    for (owner, members) in layers.uses() {
        let from = if owner == ItemIx(0) { 0 } else { gates[owner.index() - 1].leave };
        for member in members {
            network.arc(from, gates[member.index() - 1].enter, 1e9).expect("vertices");
        }
    }
    let last = layers.items.len() - 1;
    for place in 0..layers.items[last].len() {
        let gate = gates[layers.number(last, place).index() - 1];
        network.arc(gate.leave, 1, 1e9).expect("vertices");
    }
    network.largest_flow(0, 1, &Limits::default()).expect("two vertices").value
}

/// What the service carries with ratios that hand on so much of each pool to each member.
fn carried(snapshot: &Snapshot, pools: &[Pool], totals: &[f64], spread: &[Vec<f64>], resources: &[Resource]) -> f64 {
    let mut visits = Vec::new();
    for ((pool, total), parts) in pools.iter().zip(totals).zip(spread) {
        let visit = |(member, part): (&ItemIx, &f64)| Visit {
            owner: pool.owner,
            member: *member,
            ratio: total * part,
            origin: Origin::Given,
        };
        visits.extend(pool.members.iter().zip(parts).map(visit));
    }
    let visits = Visits::new(snapshot, visits).expect("ratios");
    let model = Model::new(snapshot, &visits, &Limits::default());
    fixed(&model, &[], ItemIx(0), resources, &Limits::default()).expect("an answer").limit.expect("a limit")
}

proptest! {
    /// For one commodity it is the largest flow; no fixed way of routing carries more; and each of what binds does.
    #[test]
    fn with_ratios_of_one_it_is_the_largest_flow(layers in layers()) {
        let (snapshot, visits, pools) = built(&layers);
        let model = Model::new(&snapshot, &visits, &Limits::default());
        let resource = |(at, capacity): (usize, f64)| Resource {
            item: ItemIx::of(at + 1), per_unit: 1.0, capacity, planning_limit: 1.0, lead_months: 0.0,
        };
        let resources: Vec<Resource> = layers.capacities().into_iter().enumerate().map(resource).collect();
        let ask = |resources: &[Resource]| {
            free(&model, &[], ItemIx(0), (&pools, resources), &Limits::default()).expect("an answer")
        };
        let found = ask(&resources);
        let limit = found.limit.expect("everything has a capacity");
        prop_assert!((limit - flow(&layers)).abs() < 1e-6 * limit, "{limit} is not {}", flow(&layers));
        let routed = fixed(&model, &[], ItemIx(0), &resources, &Limits::default()).expect("an answer");
        prop_assert!(routed.limit.expect("a limit") <= limit * (1.0 + 1e-9));
        // Spread as told, everything is within its limit.
        let mut loads = vec![0.0; resources.len() + 1];
        loads[0] = limit;
        for (pool, parts) in pools.iter().zip(&found.spread) {
            for (member, part) in pool.members.iter().zip(parts) {
                loads[member.index()] += loads[pool.owner.index()] * part;
            }
        }
        for (at, resource) in resources.iter().enumerate() {
            prop_assert!(loads[at + 1] <= resource.capacity * (1.0 + 1e-5), "{loads:?}");
        }
        // What binds holds it back alone, and no part of it does.
        let alone: Vec<Resource> = found.binding.iter().map(|at| resources[*at]).collect();
        let held = ask(&alone).limit.expect("held back");
        prop_assert!((held - limit).abs() < 1e-6 * limit);
        for spared in 0..alone.len() {
            let mut fewer = alone.clone();
            fewer.remove(spared);
            prop_assert!(ask(&fewer).limit.is_none_or(|more| more > limit * (1.0 + 1e-7)));
        }
    }

    /// With other ratios: spread as told it carries what is told, and spread otherwise no more.
    #[test]
    fn spread_as_told_it_carries_what_is_told(
        layers in layers(),
        totals in proptest::collection::vec(1_u8..5, 20),
        dice in proptest::collection::vec(1_u8..20, 80),
    ) {
        let (snapshot, _, pools) = built(&layers);
        let totals: Vec<f64> = totals.iter().map(|total| f64::from(*total) / 2.0).collect();
        let resource = |(at, capacity): (usize, f64)| Resource {
            item: ItemIx::of(at + 1), per_unit: 1.0, capacity, planning_limit: 0.8, lead_months: 0.0,
        };
        let resources: Vec<Resource> = layers.capacities().into_iter().enumerate().map(resource).collect();
        let mut dice = dice.iter().cycle();
        let other: Vec<Vec<f64>> = pools.iter().map(|pool| {
            let parts: Vec<f64> = pool.members.iter().map(|_| f64::from(*dice.next().expect("endless"))).collect();
            let all: f64 = parts.iter().sum();
            parts.iter().map(|part| part / all).collect()
        }).collect();
        let visit = |(pool, total): (&Pool, &f64)| {
            let share = total / f64::from(u32::try_from(pool.members.len()).expect("few"));
            let owner = pool.owner;
            let visit = move |member: &ItemIx| Visit { owner, member: *member, ratio: share, origin: Origin::Given };
            pool.members.iter().map(visit).collect::<Vec<_>>()
        };
        let visits: Vec<Visit> = pools.iter().zip(&totals).flat_map(visit).collect();
        let visits = Visits::new(&snapshot, visits).expect("ratios");
        let model = Model::new(&snapshot, &visits, &Limits::default());
        let found = free(&model, &[], ItemIx(0), (&pools, &resources), &Limits::default()).expect("an answer");
        let limit = found.limit.expect("everything has a capacity");
        // Pools that nothing reaches are spread as it comes.
        let spread = found.spread.iter().zip(&other);
        let told: Vec<Vec<f64>> = spread.map(|(told, any)| if told.is_empty() { any } else { told }.clone()).collect();
        let as_told = carried(&snapshot, &pools, &totals, &told, &resources);
        prop_assert!((as_told - limit).abs() <= 1e-5 * limit, "{as_told} is not {limit}");
        let otherwise = carried(&snapshot, &pools, &totals, &other, &resources);
        prop_assert!(otherwise <= limit * (1.0 + 1e-6), "{otherwise} is more than {limit}");
    }
}
