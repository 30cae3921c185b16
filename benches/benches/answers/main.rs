//! Whole answers over a catalogue, as commands and the API give them: graph, figures, reasons and names.

mod catalogue;

use std::hint::black_box;

use chrono::{TimeZone, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use keelson_analysis::Pool;
use keelson_answers::availability::{AvailabilityQuestion, availability};
use keelson_answers::capacity::throughput::{ThroughputQuestion, throughput};
use keelson_answers::capacity::{CapacityQuestion, capacity};
use keelson_answers::recovery::{RecoveryQuestion, recovery};
use keelson_answers::single_points::{SinglePointsQuestion, single_points};
use keelson_answers::{Asked, View};
use keelson_benches::estate::SIZES;

/// Lines listed at most.
const MOST: usize = 100;

fn answers(criterion: &mut Criterion) {
    // The largest takes twelve gigabytes and some minutes to tell.
    let most = if std::env::var_os("KEELSON_BENCH_LARGE").is_some() { SIZES.len() } else { 2 };
    for size in &SIZES[..most] {
        ask(criterion, size.name, &catalogue::view(*size));
    }
}

fn ask(criterion: &mut Criterion, size: &str, view: &View) {
    let asked = Asked::now(Utc.with_ymd_and_hms(2026, 11, 2, 0, 0, 0).single().expect("a time that exists"));
    let pool = Pool::new();
    let id = |what: &str| format!("answers/{size}/{what}");
    // The services worth most come first: the twenty most critical.
    let twenty = AvailabilityQuestion { most: 20, ..AvailabilityQuestion::default() };
    criterion.bench_function(&id("availability_of_twenty"), |b| {
        b.iter(|| availability(view, black_box(&twenty), asked, &pool, None).expect("an answer"));
    });
    let all = SinglePointsQuestion { most: MOST, ..SinglePointsQuestion::default() };
    criterion.bench_function(&id("single_points_of_all"), |b| {
        b.iter(|| single_points(view, black_box(&all), asked, &pool, None).expect("an answer"));
    });
    let plan = CapacityQuestion { most: MOST, ..CapacityQuestion::default() };
    criterion.bench_function(&id("capacity_plan"), |b| {
        b.iter(|| capacity(view, black_box(&plan), asked, &pool, None).expect("an answer"));
    });
    let service = view.catalogue.cis().find(|(ix, _)| view.is_service(*ix)).map(|(_, slot)| slot.ci.key.to_string());
    let carried = ThroughputQuestion { service: service.expect("a service"), most: MOST };
    criterion.bench_function(&id("throughput_of_one"), |b| {
        b.iter(|| throughput(view, black_box(&carried), asked, &pool, None).expect("an answer"));
    });
    let cold = RecoveryQuestion { most: MOST, ..RecoveryQuestion::default() };
    criterion.bench_function(&id("cold_start"), |b| {
        b.iter(|| recovery(view, black_box(&cold), asked, &pool, None).expect("an answer"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = answers
}
criterion_main!(benches);
