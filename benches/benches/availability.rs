//! How available services are, what breaches them, and in which order everything starts again.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::availability::{Chance, Composition, Question, availability};
use keelson_analysis::cut_sets::{Listing, cut_sets};
use keelson_analysis::importance::importance;
use keelson_analysis::recovery::{self, Off, OwnTime, recovery as start};
use keelson_benches::{
    estate::{Estate, SIZES},
    layers::Layers,
};
use keelson_graph::{ItemIx, Snapshot};

/// Services whose availability is asked for together.
const SERVICES: usize = 20;

fn composed(criterion: &mut Criterion) {
    for size in &SIZES[..2] {
        let estate = Estate::of(*size);
        ask(criterion, size.name, &estate.build(), &estate.services);
    }
    let layers = Layers::of(100);
    ask(criterion, "layers_S", &layers.snapshot, &layers.services);
}

fn ask(criterion: &mut Criterion, size: &str, snapshot: &Snapshot, services: &[ItemIx]) {
    let chance = |item: ItemIx| Chance::exactly(f64::from(item.0 % 97 + 1) * 1e-5);
    let services = &services[..services.len().min(SERVICES)];
    let id = |what: &str| format!("availability/{size}/{what}");
    criterion.bench_function(&id("twenty_services"), |b| {
        b.iter(|| {
            for service in black_box(services) {
                let composition = Composition::of(snapshot, &Question::about(*service), chance).expect("known items");
                let answer = availability(&composition);
                black_box(importance(&composition, &answer));
            }
        });
    });
    criterion.bench_function(&id("cut_sets_of_one"), |b| {
        b.iter(|| {
            let composition = Composition::of(snapshot, &Question::about(services[0]), chance).expect("known items");
            cut_sets(&composition, &Listing::default())
        });
    });
    let question = recovery::Question::of(Off::Everything);
    criterion.bench_function(&id("cold_start"), |b| {
        b.iter(|| start(snapshot, black_box(&question), |item| OwnTime::Stated(u64::from(item.0 % 600))));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = composed
}
criterion_main!(benches);
