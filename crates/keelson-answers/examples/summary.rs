//! Times the summary of an impact, phase by phase: `summary BATCH.ndjson KEY...`
//!
//! Reads a batch into an empty catalogue and asks what losing each key costs. The digest of the
//! whole answer tells whether two builds answer alike.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson_analysis::Pool;
use keelson_analysis::impact::{Question, Seed, impact};
use keelson_answers::impact::{Assessment, ImpactQuestion, assess};
use keelson_answers::{Asked, View, item};
use keelson_catalogue::Catalogue;
use keelson_import_batch::BatchImporter;
use keelson_importer::conformance::context;
use keelson_importer::{Importer, Input, Limits};
use keelson_model::{
    Batch, BatchId, CommitHeader, Completeness, Criticality, Digest, RecordChange, SequentialIds, builtin,
};
use keelson_reconcile::{Settings, plan};

const ROUNDS: usize = 41;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: summary BATCH.ndjson KEY...")?;
    let input = Input::from_paths(&[path.into()], Limits::default())?;
    let batch = BatchImporter.normalise(&input, &context("all"))?.remove(0);
    drop(input);
    let mut ids = SequentialIds::default();
    let mut catalogue = Catalogue::new(Arc::new(builtin::schema([]).expect("the built-in classes")));
    let changes = take(&mut catalogue, &batch, &mut ids)?;
    let catalogue = Arc::new(catalogue);
    let started = Instant::now();
    let mut view = View::of(catalogue)?;
    println!("{} changes; view drawn in {:?}", changes.len(), started.elapsed());
    let pool = Pool::new();
    for key in arguments {
        time_summary(&view, &key, &batch, &pool)?;
    }
    let mut one = Batch { completeness: Completeness::Delta, observations: Vec::new(), ..batch.clone() };
    (one.relationships, one.needs) = (Vec::new(), Vec::new());
    one.observations.extend(batch.observations.get(batch.observations.len() / 2).cloned());
    for observation in &mut one.observations {
        observation.criticality = Some(Criticality::Critical);
        observation.name = Some("changed".into());
    }
    view = time_step(&view, &one, &mut ids, "one item changed")?;
    // The same batch a day later changes the state of its scope, and with it when everything was last seen.
    let later = Batch { observed_at: batch.observed_at + chrono::TimeDelta::days(1), ..batch };
    time_step(&view, &later, &mut ids, "the whole listed again a day later")?;
    Ok(())
}

/// Times how a view follows a batch, and returns it.
fn time_step(
    view: &View,
    batch: &Batch,
    ids: &mut SequentialIds,
    what: &str,
) -> Result<View, Box<dyn std::error::Error>> {
    let mut catalogue = Catalogue::clone(&view.catalogue);
    let changes = take(&mut catalogue, batch, ids)?;
    let catalogue = Arc::new(catalogue);
    let after = timed(|| view.after(Arc::clone(&catalogue), &changes));
    println!("{what}: {} changes, view after {after} ms", changes.len());
    Ok(view.after(catalogue, &changes)?)
}

/// Takes a batch into a catalogue.
fn take(
    catalogue: &mut Catalogue,
    batch: &Batch,
    ids: &mut SequentialIds,
) -> Result<Vec<RecordChange>, Box<dyn std::error::Error>> {
    let plan = plan(catalogue, batch, BatchId::next(ids), batch.observed_at, &Settings::default(), ids);
    let header = keelson_testkit::header(catalogue, batch.observed_at, &plan.changes);
    let header = CommitHeader { batch: Some(plan.batch), ..header };
    catalogue.apply(&header, plan.changes.iter().map(|change| (0, change)))?;
    Ok(plan.changes)
}

fn time_summary(view: &View, key: &str, batch: &Batch, pool: &Pool) -> Result<(), Box<dyn std::error::Error>> {
    let asked = Asked::now(batch.observed_at + chrono::TimeDelta::days(40));
    let seed = Seed::gone(item(view.catalogue.find_key(key).ok_or("no such key")?));
    let walk = timed(|| impact(&view.graph, &Question::about(&[seed]), pool));
    let certain = ImpactQuestion::gone([key]);
    let plain = ImpactQuestion { budget: 0, ..certain.clone() };
    let (without, with) = (timed(|| assess(view, &plain, asked, pool)), timed(|| assess(view, &certain, asked, pool)));
    let assessment = assess(view, &certain, asked, pool)?;
    let page = timed(|| page(&assessment));
    let summary = timed(|| assess(view, &certain, asked, pool).map(|assessment| self::page(&assessment)));
    println!(
        "{key}: {} affected, {} touched; walks {walk}, assessed {without}, with certainty {with}, first page {page}, all {summary} ms",
        assessment.affected_count(),
        assessment.touched(),
    );
    println!(
        "  answer {} limits {:?}",
        Digest::of(&serde_json::to_vec(&assessment.answer(usize::MAX))?),
        assessment.basis().limits
    );
    Ok(())
}

/// What a client's first screen reads: the first services with verdict and loss.
fn page(assessment: &Assessment) -> usize {
    let lines = assessment.affected_services().iter().take(10).map(|item| assessment.line(*item));
    lines.map(|line| line.subject.key.len()).sum()
}

/// The least and the median time.
fn timed<T>(mut run: impl FnMut() -> T) -> Timed {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            black_box(run());
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    Timed { least: times[0], median: times[ROUNDS / 2] }
}

/// Of many rounds. On a machine that does other work as well, the least is what the work takes.
struct Timed {
    least: Duration,
    median: Duration,
}

impl std::fmt::Display for Timed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ({:.3})", self.least.as_secs_f64() * 1e3, self.median.as_secs_f64() * 1e3)
    }
}
