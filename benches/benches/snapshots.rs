//! Making snapshots: from nothing, by a change, and by compaction.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keelson_benches::estate::{Estate, SIZES};
use keelson_graph::{Changes, ItemIx, NeedSpec};

fn snapshots(criterion: &mut Criterion) {
    for size in SIZES {
        let estate = Estate::of(size);
        let snapshot = estate.build();
        criterion.bench_function(&format!("build/{}", size.name), |b| b.iter(|| black_box(&estate).build()));

        let owner = estate.services[0];
        let needs: Vec<NeedSpec> = snapshot.needs(owner).map(|need| need.to_spec()).collect();
        for (kind, member) in [("any", ItemIx(estate.items / 2)), ("hub", estate.hubs[0])] {
            let mut more = needs.clone();
            more.push(NeedSpec::plain(owner, member, 1));
            let mut changes = Changes::new();
            changes.replace_needs(owner, more);
            criterion.bench_function(&format!("change/{}/{kind}", size.name), |b| {
                b.iter(|| snapshot.with_changes(black_box(changes.clone())));
            });
        }

        let mut changed = snapshot.clone();
        for &service in &estate.services {
            let mut changes = Changes::new();
            let needs: Vec<NeedSpec> = snapshot.needs(service).skip(1).map(|need| need.to_spec()).collect();
            changes.replace_needs(service, needs);
            changed = changed.with_changes(changes).expect("a meaningful change");
        }
        criterion.bench_function(&format!("compact/{}", size.name), |b| b.iter(|| black_box(&changed).compact()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = snapshots
}
criterion_main!(benches);
