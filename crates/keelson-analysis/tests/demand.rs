//! Demand through the graph and what runs out first (analyses E11).

use std::sync::atomic::AtomicBool;

use keelson_analysis::{
    Limits, Truncation,
    demand::{
        DemandError, Model, Origin, Source, Split, Visit, Visits,
        plan::{Growing, Plan, Question, Resource, Row, charges, plan, service_limits},
    },
    throughput::fixed,
};
use keelson_forecast::growth::Exhaustion;
use keelson_graph::{ItemIx, fixture::Fixture};

/// Ratios told like `payments web 1; web api 2`, a `~` before one that is inferred.
fn visits(graph: &Fixture, text: &str) -> Vec<Visit> {
    let visit = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        let origin = if words[2].starts_with('~') { Origin::Inferred } else { Origin::Given };
        let ratio = words[2].trim_start_matches('~').parse().expect("a ratio");
        Visit { owner: graph.item(words[0]), member: graph.item(words[1]), ratio, origin }
    };
    text.split(';').map(visit).collect()
}

fn arranged(graph: &Fixture, text: &str) -> Visits {
    Visits::new(&graph.snapshot, visits(graph, text)).expect("ratios of the fixture")
}

fn source(graph: &Fixture, name: &str, demand: f64) -> Source {
    Source { item: graph.item(name), demand }
}

const SHOP: &str = "
    payments: web | idp | mail
    web: api
    api: db";

const RATIOS: &str = "payments web 1; web api 2; api db 3; payments idp 0.2; payments mail 0.1";

/// Name, capacity, planning limit, lead time.
const RESOURCES: [(&str, f64, f64, f64); 5] = [
    ("web", 180.0, 0.8, 1.0),
    ("api", 360.0, 0.8, 1.0),
    ("db", 900.0, 0.8, 4.0),
    ("idp", 25.0, 1.0, 6.0),
    ("mail", 40.0, 1.0, 3.0),
];

fn resources(graph: &Fixture) -> Vec<Resource> {
    let resource = |&(name, capacity, planning_limit, lead_months): &(&str, f64, f64, f64)| Resource {
        item: graph.item(name),
        per_unit: 1.0,
        capacity,
        planning_limit,
        lead_months,
    };
    RESOURCES.iter().map(resource).collect()
}

fn ask(model: &Model<'_>, services: &[Growing], resources: &[Resource]) -> Result<Plan, DemandError> {
    plan(model, &Question { services, resources, horizon: 120.0, most: 10, limits: Limits::default() })
}

fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted} to {tolerance}");
}

#[test]
fn what_runs_out_first_is_sorted_by_the_decision() {
    let graph = Fixture::parse(SHOP).expect("well formed");
    let visits = arranged(&graph, RATIOS);
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let resources = resources(&graph);
    let service = |demand| Growing { source: source(&graph, "payments", demand), growth: 0.02 };
    let now = ask(&model, &[service(100.0)], &resources).expect("no loops");
    let later = ask(&model, &[service(130.0)], &resources).expect("no loops");
    let name = |row: &Row| RESOURCES[row.resource].0;
    assert_eq!(now.rows.iter().map(name).collect::<Vec<_>>(), ["db", "idp", "web", "api", "mail"]);
    assert_eq!(now.rows.iter().map(|row| row.rank).collect::<Vec<_>>(), [1, 2, 3, 3, 4], "web and api tie");

    let expected = [
        ("db", 120.0, 0.667, 0.867, 9.21, 5.21),
        ("idp", 125.0, 0.8, 1.04, 11.27, 5.27),
        ("web", 144.0, 0.556, 0.722, 18.41, 17.41),
        ("api", 144.0, 0.556, 0.722, 18.41, 17.41),
        ("mail", 400.0, 0.25, 0.325, 70.01, 67.01),
    ];
    let services = [source(&graph, "payments", 100.0)];
    let (limits, _) =
        service_limits(&model, &services, services[0].item, &resources, &Limits::default()).expect("known");
    for (row, (expected, limit, at_100, at_130, exhausted, decide)) in now.rows.iter().zip(expected) {
        assert_eq!(name(row), expected);
        near(row.utilisation, at_100, 0.005);
        let later = later.rows.iter().find(|other| other.resource == row.resource).expect("the same resources");
        near(later.utilisation, at_130, 0.005);
        near(row.exhaustion.months().expect("within ten years"), exhausted, 0.005);
        near(row.decide_in.expect("within ten years"), decide, 0.005);
        let found = limits.iter().find(|limit| limit.resource == row.resource).expect("payments use it");
        near(found.limit, limit, 1e-9);
    }
    let over: Vec<&str> = later.rows.iter().filter(|row| row.exhaustion == Exhaustion::Already).map(name).collect();
    let broken: Vec<&str> = later.rows.iter().filter(|row| row.utilisation > 1.0).map(name).collect();
    assert_eq!((over, broken), (vec!["idp", "db"], vec!["idp"]), "idp is planned up to its contract");
    assert_eq!((now.missing.ratio_count, now.missing.capacity_count, now.error), (0, 0, 0.0));

    let held = fixed(&model, &services, services[0].item, &resources, &Limits::default()).expect("known");
    assert_eq!((held.limit, held.binding.len()), (Some(120.0), 1));
}

#[test]
fn sensitivities_are_the_products_along_the_ways() {
    let graph = Fixture::parse(SHOP).expect("well formed");
    let visits = arranged(&graph, RATIOS);
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let payments = graph.item("payments");
    let taken = model.taken_by(payments, &Limits::default()).expect("no loops");
    for (name, sigma) in [("web", 1.0), ("api", 2.0), ("db", 6.0), ("idp", 0.2), ("mail", 0.1)] {
        near(taken.of(graph.item(name)), sigma, 1e-12);
        near(model.taken_from(graph.item(name), &Limits::default()).expect("known").of(payments), sigma, 1e-12);
    }
    let sources = [source(&graph, "payments", 100.0)];
    let demand = model.demand(&sources, &Limits::default()).expect("no loops");
    let path = |most| model.main_path(&sources, &demand, graph.item("db"), most);
    assert_eq!(path(10), graph.items("payments web api db"));
    assert_eq!(path(2), graph.items("api db"));
}

#[test]
fn a_cycle_is_solved_as_a_system() {
    let graph = Fixture::parse("a: b\nb: a").expect("well formed");
    let visits = arranged(&graph, "a b 0.5; b a 0.4");
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let demand = model.demand(&[source(&graph, "a", 10.0)], &Limits::default()).expect("it dies out");
    near(demand.of(graph.item("a")), 12.5, 1e-12);
    near(demand.of(graph.item("b")), 6.25, 1e-12);
    let gain = model.loops().next().expect("one loop").gain;
    near(gain.low, 0.2_f64.sqrt(), 1e-9);
    near(gain.high, 0.2_f64.sqrt(), 1e-9);
}

#[test]
fn an_amplifying_loop_is_named_where_demand_reaches_it() {
    let graph = Fixture::parse("s: a\na: b\nb: a | c\nt: d\nquiet: quiet").expect("well formed");
    let visits = arranged(&graph, "s a 1; a b 2; b a 0.5; b c 1; t d 1; quiet quiet 1");
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let error = model.demand(&[source(&graph, "s", 1.0)], &Limits::default()).expect_err("each round gives a round");
    let DemandError::AmplifyingLoop { mut items, gain } = error.clone() else { panic!("{error}") };
    items.sort_unstable();
    assert_eq!(items, graph.items("a b"));
    near(gain.high, 1.0, 1e-9);
    assert!(error.to_string().contains("an amplifying loop of 2 items"), "{error}");
    // What does not reach it is answered all the same.
    let demand = model.demand(&[source(&graph, "t", 3.0)], &Limits::default()).expect("no loop on the way");
    assert_eq!(demand.of(graph.item("d")), 3.0);
    let taken = model.taken_from(graph.item("c"), &Limits::default()).expect("known");
    assert!(taken.of(graph.item("s")).is_infinite());
    assert!(model.demand(&[source(&graph, "quiet", 1.0)], &Limits::default()).is_err(), "a retry for every call");
}

#[test]
fn what_is_missing_is_reported_and_never_endless() {
    let graph = Fixture::parse(
        "shop: web | cache | dns
         web: db
         cache: disk
         other: lonely
         start: start boot",
    )
    .expect("well formed");
    let visits = arranged(&graph, "shop web ~2; web db 1; shop dns 0");
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let services = [Growing { source: source(&graph, "shop", 10.0), growth: 0.0 }];
    let resource = |name: &str| Resource {
        item: graph.item(name),
        per_unit: 1.0,
        capacity: 100.0,
        planning_limit: 0.8,
        lead_months: 1.0,
    };
    let found = ask(&model, &services, &[resource("db"), resource("disk"), resource("dns")]).expect("no loops");
    assert_eq!(found.missing.ratios, [(graph.item("shop"), graph.item("cache"))]);
    assert_eq!(found.missing.capacities, [graph.item("web")]);
    let grounds: Vec<(bool, bool)> =
        found.rows.iter().map(|row| (row.grounds.inferred, row.grounds.understated)).collect();
    assert_eq!(grounds, [(true, false), (false, true), (false, false)]);
    assert!(found.rows.iter().all(|row| row.exhaustion == Exhaustion::NotWithin(120.0) && row.decide_in.is_none()));
    let few = plan(
        &model,
        &Question { services: &services, resources: &[], horizon: 12.0, most: 0, limits: Limits::default() },
    );
    let few = few.expect("no loops").missing;
    assert_eq!((few.ratio_count, few.capacity_count, few.ratios.len(), few.capacities.len()), (1, 2, 0, 0));
}

#[test]
fn services_grow_each_at_its_own_rate() {
    let graph = Fixture::parse("fast: db\nslow: db").expect("well formed");
    let visits = arranged(&graph, "fast db 1; slow db 2");
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let services = [
        Growing { source: source(&graph, "fast", 10.0), growth: 0.1 },
        Growing { source: source(&graph, "slow", 20.0), growth: -0.01 },
    ];
    let item = graph.item("db");
    let resources = [Resource::servers(item, 8.0, 0.1, 0.9, 2.0)];
    let found = ask(&model, &services, &resources).expect("no loops");
    let months = found.rows[0].exhaustion.months().expect("the fast one fills it");
    let load = 0.1 * (10.0 * 1.1_f64.powf(months) + 40.0 * 0.99_f64.powf(months));
    near(load, 7.2, 1e-9);
    near(found.rows[0].utilisation, 5.0 / 8.0, 1e-12);
    let sources: Vec<Source> = services.iter().map(|service| service.source).collect();
    let (parts, _) = charges(&model, &sources, item, &Limits::default()).expect("known");
    assert_eq!(parts, [source(&graph, "slow", 40.0), source(&graph, "fast", 10.0)]);
    let (limits, _) =
        service_limits(&model, &sources, graph.item("fast"), &resources, &Limits::default()).expect("known");
    near(limits[0].limit, 72.0 - 40.0, 1e-9);
}

#[test]
fn members_share_the_visits_of_a_pool() {
    let graph = Fixture::parse("shop: 2of web1 web2 web3").expect("well formed");
    let (shop, members) = (graph.item("shop"), graph.items("web1 web2 web3"));
    let ratios = |split| -> Vec<f64> {
        Visit::shared(shop, &members, 3.0, split, Origin::Given).map(|visit| visit.ratio).collect()
    };
    assert_eq!(ratios(Split::Even), [1.0, 1.0, 1.0]);
    assert_eq!(ratios(Split::Weighted(&[2.0, 1.0, 0.0])), [2.0, 1.0, 0.0]);
    assert_eq!(ratios(Split::Weighted(&[])), [0.0, 0.0, 0.0]);
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let graph = Fixture::parse("a: b | start c").expect("well formed");
    let give = |owner: &str, member: &str, ratio| {
        let visit = Visit { owner: graph.item(owner), member: graph.item(member), ratio, origin: Origin::Given };
        Visits::new(&graph.snapshot, vec![visit]).map(|_| ())
    };
    assert_eq!(give("a", "b", 1.0), Ok(()));
    let (a, b, c) = (graph.item("a"), graph.item("b"), graph.item("c"));
    assert_eq!(give("b", "a", 1.0), Err(DemandError::NoRelationship { owner: b, member: a }));
    assert_eq!(give("a", "c", 1.0), Err(DemandError::NoRelationship { owner: a, member: c }), "only to start");
    assert!(matches!(give("a", "b", -1.0), Err(DemandError::BadNumber { what: "a visit ratio", .. })));
    let visits = arranged(&graph, "a b 1");
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    assert!(model.demand(&[source(&graph, "a", f64::NAN)], &Limits::default()).is_err());
    assert!(model.demand(&[Source { item: ItemIx(9), demand: 1.0 }], &Limits::default()).is_err());
    let bad = Resource { item: b, per_unit: 1.0, capacity: 0.0, planning_limit: 1.0, lead_months: 0.0 };
    assert!(matches!(ask(&model, &[], &[bad]), Err(DemandError::BadNumber { what: "the capacity", .. })));
    let shrinking = Growing { source: source(&graph, "a", 1.0), growth: -1.0 };
    assert!(matches!(ask(&model, &[shrinking], &[]), Err(DemandError::BadNumber { what: "the growth per month", .. })));
}

#[test]
fn a_raised_flag_stops_a_pass_and_is_told() {
    let graph = Fixture::parse(SHOP).expect("well formed");
    let visits = arranged(&graph, RATIOS);
    let model = Model::new(&graph.snapshot, &visits, &Limits::default());
    let flag = AtomicBool::new(true);
    let limits = Limits { stop: Some(&flag), ..Limits::default() };
    let demand = model.demand(&[source(&graph, "payments", 1.0)], &limits).expect("no loops");
    assert!(demand.truncations.contains(Truncation::Deadline));
}
