//! The questions, one group each, at three sizes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::{
    Limits, Pool,
    certainty::{Target, certainty},
    closure::{Direction, routes, walk},
    impact::{Question, Seed, count_lost, impact},
    path::{PathScratch, explain},
};
use keelson_benches::estate::{Dice, Estate, SIZES};
use keelson_graph::{ItemIx, Snapshot, components};

fn questions(criterion: &mut Criterion) {
    for size in SIZES {
        let estate = Estate::of(size);
        let snapshot = estate.build();
        closures(criterion, size.name, &estate, &snapshot);
        impacts(criterion, size.name, &estate, &snapshot);
        explanations(criterion, size.name, &estate, &snapshot);
        criterion.bench_function(&format!("scc/{}", size.name), |b| b.iter(|| components(black_box(&snapshot)).len()));
    }
}

/// The item with most dependents, and one like most others.
fn starts(estate: &Estate) -> [(&'static str, ItemIx); 2] {
    [("hub", estate.hubs[0]), ("any", ItemIx(Dice::new(3).below(estate.items)))]
}

fn closures(criterion: &mut Criterion, size: &str, estate: &Estate, snapshot: &Snapshot) {
    let pool = Pool::new();
    let scratch = &mut pool.lease();
    for (kind, start) in starts(estate) {
        let id = |question: &str| format!("{question}/{size}/{kind}");
        criterion.bench_function(&id("dependents"), |b| {
            b.iter(|| walk(snapshot, scratch, &[black_box(start)], Direction::Dependents, &Limits::default()).met);
        });
        criterion.bench_function(&id("lost"), |b| {
            b.iter(|| count_lost(snapshot, &[black_box(start)], scratch));
        });
    }
    let service = estate.services[0];
    criterion.bench_function(&format!("dependencies/{size}"), |b| {
        b.iter(|| walk(snapshot, scratch, &[black_box(service)], Direction::Dependencies, &Limits::default()).met);
    });
}

fn impacts(criterion: &mut Criterion, size: &str, estate: &Estate, snapshot: &Snapshot) {
    let pool = Pool::new();
    for (kind, start) in starts(estate) {
        for (grade, loss) in [("whole", 1.0), ("half", 0.5)] {
            let seeds = [Seed { item: start, loss }];
            criterion.bench_function(&format!("impact/{size}/{kind}/{grade}"), |b| {
                b.iter(|| impact(snapshot, &Question::about(black_box(&seeds)), &pool));
            });
        }
    }
    let seeds = [Seed::gone(estate.hubs[0])];
    let targets: Vec<Target> =
        estate.services.iter().take(50).map(|&item| Target { item, min_delivered: 0.5 }).collect();
    criterion.bench_function(&format!("certainty/{size}"), |b| {
        b.iter(|| certainty(snapshot, black_box(&seeds), &targets, 100, &Limits::default(), &pool));
    });
}

fn explanations(criterion: &mut Criterion, size: &str, estate: &Estate, snapshot: &Snapshot) {
    let (pool, mut path) = (Pool::new(), PathScratch::default());
    let (service, hub) = (estate.services[1], estate.hubs[0]);
    criterion.bench_function(&format!("path/{size}"), |b| {
        b.iter(|| explain(snapshot, black_box(service), hub, &Limits::default(), &mut path));
    });
    let mut is_service = vec![false; snapshot.slots()];
    estate.services.iter().for_each(|item| is_service[item.index()] = true);
    let limits = Limits { max_depth: 3, ..Limits::default() };
    criterion.bench_function(&format!("three_steps/{size}"), |b| {
        b.iter(|| {
            routes(snapshot, black_box(hub), Direction::Dependents, |item| is_service[item.index()], &limits, &pool)
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = questions
}
criterion_main!(benches);
