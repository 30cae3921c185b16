//! Times planning: a first batch of 100,000 observations and 500,000 relationships, the same batch
//! again, a small change, and a batch that withdraws nearly everything.
//!
//! `cargo run --release -p keelson-reconcile --example plan_speed [observations] [relationships]`

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{
    Batch, BatchId, CiRef, CommitHeader, Completeness, Digest, ImporterVersion, Observation, Payload, Position,
    RelationshipObservation, Scope, SequentialIds, SourceKey,
};
use keelson_reconcile::{Plan, Settings, plan};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let observations = arguments.next().transpose()?.unwrap_or(100_000);
    let relationships = arguments.next().transpose()?.unwrap_or(500_000);
    let mut catalogue =
        Catalogue::new(Arc::new(keelson_model::builtin::schema([]).map_err(|errors| format!("{errors:?}"))?));
    let mut ids = SequentialIds::default();
    let mut settings = Settings::default();
    let start: DateTime<Utc> = "2026-11-01T00:00:00Z".parse()?;
    let batch = batch(observations, relationships, start)?;
    println!("{observations} observations, {relationships} relationships; {} MB resident with the batch", resident());

    run("first", &mut catalogue, &batch, &settings, &mut ids)?;
    let mut again = batch.clone();
    again.observed_at += TimeDelta::hours(1);
    run("again", &mut catalogue, &again, &settings, &mut ids)?;
    let mut changed = batch.clone();
    changed.observed_at += TimeDelta::hours(2);
    for observation in changed.observations.iter_mut().step_by(100) {
        observation.attributes.insert("memory".into(), 1.into());
    }
    run("1 % changed", &mut catalogue, &changed, &settings, &mut ids)?;
    let mut gone = batch.clone();
    gone.observed_at += TimeDelta::hours(3);
    gone.observations.truncate(1);
    gone.relationships.clear();
    settings.guard_percent = 100.0;
    run("withdrawn", &mut catalogue, &gone, &settings, &mut ids)?;
    Ok(())
}

fn batch(observations: usize, relationships: usize, at: DateTime<Utc>) -> Result<Batch, Failure> {
    let importer = ImporterVersion { name: "speed".into(), version: "1".into() };
    let mut batch = Batch::new("speed", Scope::named("all"), importer, at);
    batch.completeness = Completeness::Complete { proof: "generated".into() };
    let key = |number: usize| SourceKey::new(&format!("arn:aws:ec2:eu-central-1:123456789012:instance/i-{number:08x}"));
    for number in 0..observations {
        let line = u32::try_from(number)?;
        let mut observation = Observation::new(key(number)?, "host", Position::line("speed", line))
            .with("system_uuid", format!("00000000-0000-4000-8000-{number:012x}"))
            .with("memory", number % 64)
            .with("hostname", format!("host-{number}"))
            .with("operating_system", "linux")
            .with("region", "eu-central-1")
            .with("instance_type", "m6i.large");
        observation.name = Some(format!("host-{number}").into());
        batch.observations.push(observation);
    }
    let mut state = 42u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    for number in 0..relationships {
        let dependent = number % observations;
        let dependency = (dependent + 1 + random(observations - 1)) % observations;
        let position = Position::line("speed", u32::try_from(observations + number)?);
        let (from, to) = (CiRef::source(key(dependent)?), CiRef::source(key(dependency)?));
        batch.relationships.push(RelationshipObservation::new("uses", from, to, position));
    }
    Ok(batch)
}

fn run(
    name: &str,
    catalogue: &mut Catalogue,
    batch: &Batch,
    settings: &Settings,
    ids: &mut SequentialIds,
) -> Result<Plan, Failure> {
    let mut batch = batch.clone();
    batch.payloads.push(Payload::new(name, "text/plain", name.as_bytes()));
    let before = resident();
    let started = Instant::now();
    let plan = plan(catalogue, &batch, BatchId::next(ids), batch.observed_at, settings, ids);
    let planned = started.elapsed();
    let with_plan = resident();
    let started = Instant::now();
    let header = CommitHeader {
        revision: catalogue.revision().next(),
        at: batch.observed_at,
        recorded_at: None,
        actor: "speed".into(),
        action: "import".into(),
        source: None,
        reason: None,
        batch: Some(plan.batch),
        previous: catalogue.head().digest,
        changes: plan.changes.len() as u64,
        chunks: vec![Digest::of(b"")],
    };
    catalogue.apply(&header, plan.changes.iter().map(|change| (0, change)))?;
    println!(
        "{name:>12}: planned in {planned:.2?} ({} changes, {before} -> {with_plan} MB), applied in {:.2?}",
        plan.changes.len(),
        started.elapsed()
    );
    Ok(plan)
}

/// Resident memory in MB, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}
