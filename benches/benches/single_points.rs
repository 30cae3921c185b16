//! Whose failure alone fells what: one service, the services a change touches, and every item.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::single_points::{Keep, Question, Watched, single_points, single_points_of, survey};
use keelson_benches::{
    estate::{Estate, SIZES},
    layers::Layers,
};
use keelson_graph::{ItemIx, Snapshot};

fn single_points_of_failure(criterion: &mut Criterion) {
    for size in &SIZES[..2] {
        let estate = Estate::of(*size);
        ask(criterion, size.name, &estate.build(), &estate.services);
    }
    for (name, share) in [("layers_S", 100), ("layers_M", 10), ("layers_L", 1)] {
        let layers = Layers::of(share);
        ask(criterion, name, &layers.snapshot, &layers.services);
    }
}

fn ask(criterion: &mut Criterion, size: &str, snapshot: &Snapshot, services: &[ItemIx]) {
    let question = Question::default();
    let id = |what: &str| format!("single_points/{size}/{what}");
    criterion.bench_function(&id("one"), |b| {
        b.iter(|| single_points(snapshot, black_box(services[0]), &question, &[]));
    });
    let touched = &services[..services.len().min(200)];
    criterion.bench_function(&id("two_hundred"), |b| {
        b.iter(|| single_points_of(snapshot, black_box(touched), &question, &[]));
    });
    let watched: Vec<Watched> = snapshot.item_numbers().map(|item| Watched { item, value: 1.0 }).collect();
    criterion.bench_function(&id("all"), |b| {
        b.iter(|| survey(snapshot, black_box(&watched), Keep::Felling, &question, &[]));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = single_points_of_failure
}
criterion_main!(benches);
