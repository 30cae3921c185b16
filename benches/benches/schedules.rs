//! A week of a thousand requested changes, assessed as one schedule.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::{
    Pool,
    schedule::{Plan, schedule},
    single_points::{Question, new_single_points},
};
use keelson_benches::{
    estate::{Estate, SIZES},
    plan::{Habit, watched, week},
};

fn schedules(criterion: &mut Criterion) {
    let pool = Pool::new();
    for size in &SIZES[..2] {
        let estate = Estate::of(*size);
        let snapshot = estate.build();
        let services = watched(estate.services.iter().copied());
        for (kind, habit) in [("spread", Habit::Spread), ("nights", Habit::Nights)] {
            let changes = week(&snapshot, 1_000, habit);
            for (scenario, back_out) in [("plan", false), ("back_out", true)] {
                let plan = Plan { back_out, budget: u32::MAX, ..Plan::of(&changes, &services) };
                criterion.bench_function(&format!("schedule/{}/{kind}/{scenario}", size.name), |b| {
                    b.iter(|| schedule(&snapshot, black_box(&plan), &pool).expect("items of the estate"));
                });
            }
        }
        let (service, question) = (estate.services[0], Question::default());
        criterion.bench_function(&format!("new_single_points/{}", size.name), |b| {
            b.iter(|| new_single_points(&snapshot, black_box(service), &question, &[estate.hubs[0]]));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = schedules
}
criterion_main!(benches);
