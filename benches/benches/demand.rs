//! How much of everything the demand on all services takes, and what of it runs out first.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::Limits;
use keelson_analysis::demand::plan::{Growing, Question, Resource, plan};
use keelson_analysis::demand::{Model, Origin, Source, Visit, Visits};
use keelson_benches::{
    estate::{Estate, SIZES},
    layers::Layers,
};
use keelson_graph::{ItemIx, Snapshot};

fn demand(criterion: &mut Criterion) {
    for size in SIZES {
        let estate = Estate::of(size);
        ask(criterion, size.name, &estate.build(), &estate.services);
    }
    let layers = Layers::of(10);
    ask(criterion, "layers_M", &layers.snapshot, &layers.services);
}

fn ask(criterion: &mut Criterion, size: &str, snapshot: &Snapshot, services: &[ItemIx]) {
    // Ratios small enough that no circle calls itself more often than it is called.
    let visit = |owner: ItemIx, member: ItemIx| Visit { owner, member, ratio: 0.2, origin: Origin::Given };
    let given: Vec<Visit> = snapshot
        .item_numbers()
        .flat_map(|owner| snapshot.members(owner).iter().map(move |member| visit(owner, *member)))
        .collect();
    let visits = Visits::new(snapshot, given).expect("every member is needed");
    let limits = Limits::default();
    let id = |what: &str| format!("demand/{size}/{what}");
    criterion.bench_function(&id("model"), |b| b.iter(|| Model::new(snapshot, black_box(&visits), &limits)));
    let model = Model::new(snapshot, &visits, &limits);
    let sources: Vec<Source> = services.iter().map(|item| Source { item: *item, demand: 100.0 }).collect();
    criterion.bench_function(&id("pass"), |b| b.iter(|| model.demand(black_box(&sources), &limits)));
    let growing: Vec<Growing> = sources
        .iter()
        .map(|source| Growing { source: *source, growth: f64::from(source.item.0 % 5) / 100.0 })
        .collect();
    let resource =
        |item: ItemIx| Resource { item, per_unit: 1.0, capacity: 1e4, planning_limit: 0.8, lead_months: 3.0 };
    let resources: Vec<Resource> = snapshot.item_numbers().filter(|item| item.0 % 10 == 0).map(resource).collect();
    let question = Question { services: &growing, resources: &resources, horizon: 120.0, most: 100, limits };
    criterion.bench_function(&id("plan"), |b| b.iter(|| plan(&model, black_box(&question))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = demand
}
criterion_main!(benches);
