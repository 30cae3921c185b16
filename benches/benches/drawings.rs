//! The drawings of a board's pack, of few and of hundreds of items.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_benches::picture::{reach, schedule};

/// How many items or changes are drawn.
const SIZES: [u32; 3] = [50, 200, 800];

fn drawings(criterion: &mut Criterion) {
    for size in SIZES {
        // As packs have it, alike items share a box; and with a box for each.
        let drawing = reach(size);
        let unfolded = drawing.clone().max_boxes(size as usize);
        for (kind, drawing) in [("folded", &drawing), ("unfolded", &unfolded)] {
            criterion.bench_function(&format!("drawing/{size}/{kind}"), |b| b.iter(|| black_box(drawing).draw()));
        }
        let timeline = schedule(size);
        criterion.bench_function(&format!("timeline/{size}"), |b| b.iter(|| black_box(&timeline).draw()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = drawings
}
criterion_main!(benches);
