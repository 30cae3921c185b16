//! Measures the store: one commit of a synthetic estate, then opening and replaying it.
//!
//! ```text
//! cargo run -p keelson-store --example load -- [CIS [RELATIONSHIPS [FOLDER]]]
//! ```
//!
//! Without arguments the estate has 100 000 configuration items and 500 000 relationships and lies
//! in a temporary folder. Commit and reopening run in a process each, so that the second peak is
//! that of a start and not of the import before it. Figures go to the standard output, one a line.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use keelson_catalogue::Catalogue;
use keelson_model::{
    Attributes, Basis, BatchId, Change, CiId, CiKey, Claim, Commit, ConfigurationItem, Facts, Position, Provenance,
    RecordChange, Relationship, RelationshipClaim, RelationshipKey, Revision, Schema, Scope, SequentialIds, SourceKey,
    Standing, Stated, Symbol, Value,
};
use keelson_store::{Draft, Options, Store, WORKER_STACK_BYTES};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to load and where.
struct Task {
    cis: usize,
    relationships: usize,
    folder: std::path::PathBuf,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    let step = arguments.next_if(|first| first.starts_with("--"));
    let cis = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let relationships = arguments.next().map_or(Ok(500_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), Into::into);
    let task = Task { cis, relationships, folder };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_stack_size(WORKER_STACK_BYTES).enable_all().build()?;
    match step.as_deref() {
        Some("--load") => runtime.block_on(async move { tokio::spawn(load(task)).await? }),
        Some("--reopen") => runtime.block_on(async move { tokio::spawn(reopen(task)).await? }),
        Some(other) => Err(format!("unknown step {other}").into()),
        None => {
            step_in_process("--load", &task)?;
            step_in_process("--reopen", &task)
        }
    }
}

/// Runs one step in a process of its own.
fn step_in_process(step: &str, task: &Task) -> Result<(), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([step, &task.cis.to_string(), &task.relationships.to_string()]).arg(&task.folder);
    if command.status()?.success() { Ok(()) } else { Err(format!("{step} failed").into()) }
}

async fn load(task: Task) -> Result<(), Failure> {
    let Task { cis, relationships, folder } = task;
    println!("estate: {cis} configuration items, {relationships} relationships");
    let changes = estate(cis, relationships)?;
    println!("peak memory with the estate alone: {} MiB", peak_mib());
    let store = Store::open(Options::in_folder(&folder)).await?;
    let begun = Instant::now();
    let committed = store.commit(draft(changes)).await?;
    println!("commit: {:.1} s, {} chunks", begun.elapsed().as_secs_f64(), committed.header.chunks.len());
    println!("peak memory after the commit: {} MiB", peak_mib());
    println!("on disk: {} MiB", bytes_in(&folder)? >> 20);
    Ok(())
}

async fn reopen(task: Task) -> Result<(), Failure> {
    let begun = Instant::now();
    let store = Store::open(Options::in_folder(&task.folder)).await?;
    let opened = begun.elapsed().as_secs_f64();
    let head = store.head().await;
    let mut catalogue = Catalogue::new(Arc::new(Schema::default()));
    let mut log = std::pin::pin!(store.replay(Revision(0), head.revision));
    while let Some((Commit { header, changes }, chunked)) = log.try_next().await? {
        let numbers = (0u32..).zip(chunked).flat_map(|(chunk, held)| std::iter::repeat_n(chunk, held));
        catalogue.apply(&header, numbers.zip(&changes))?;
    }
    let replayed = begun.elapsed().as_secs_f64();
    println!("reopen: {opened:.1} s; reopen and replay: {replayed:.1} s");
    println!("peak memory of the second process: {} MiB", peak_mib());
    let held = (catalogue.ci_count(), catalogue.relationship_count());
    if held == (task.cis, task.relationships) { Ok(()) } else { Err(format!("replayed {held:?}").into()) }
}

fn draft(changes: Vec<RecordChange>) -> Draft {
    Draft {
        planned_at: Revision(0),
        at: time(),
        recorded_at: None,
        actor: Arc::from("load"),
        action: Arc::from("import load"),
        source: Some(Arc::from("load")),
        reason: None,
        batch: Some(batch()),
        changes,
        payloads: Vec::new(),
        findings: Vec::new(),
    }
}

fn time() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(20_000)
}

fn batch() -> BatchId {
    BatchId::next(&mut SequentialIds::after(1))
}

/// Configuration items, then relationships: each item but the first needs some that came before it.
fn estate(cis: usize, relationships: usize) -> Result<Vec<RecordChange>, Failure> {
    let ids: Vec<CiId> = {
        let mut ids = SequentialIds::after(1 << 64);
        (0..cis).map(|_| CiId::next(&mut ids)).collect()
    };
    let mut changes = Vec::with_capacity(cis + relationships);
    for (at, id) in ids.iter().enumerate() {
        changes.push(RecordChange::Ci(Change::created(ci(*id, at)?)));
    }
    // Another dependency every round, so that no relationship comes twice.
    let mut made = 0;
    for round in 0.. {
        if made == relationships {
            break;
        }
        if round == cis {
            return Err("more relationships than pairs of configuration items".into());
        }
        for at in round + 1..cis {
            if made == relationships {
                break;
            }
            let dependency = (at * 7_919 / 10_007 + at - round) % at;
            changes.push(RecordChange::Relationship(Change::created(relationship(ids[at], ids[dependency], round))));
            made += 1;
        }
    }
    Ok(changes)
}

fn provenance(file: &str, line: usize) -> Provenance {
    Provenance {
        source: Symbol::new("load"),
        scope: Scope::of(&[("cluster", "prod"), ("kind", "all")]),
        batch: batch(),
        first_observed: time(),
        observed_at: time(),
        position: Position::line(file, u32::try_from(line).unwrap_or(u32::MAX)),
        tombstone: None,
    }
}

fn ci(id: CiId, at: usize) -> Result<ConfigurationItem, Failure> {
    const CLASSES: [&str; 6] = ["service", "application", "database", "host", "queue", "network_device"];
    let class = CLASSES[at % CLASSES.len()];
    let attributes: Attributes = [
        ("environment", Value::text(["production", "acceptance", "test"][at % 3])),
        ("region", Value::text(["eu-west-1", "eu-central-1"][at % 2])),
        ("address", Value::text(&format!("10.{}.{}.{}", at >> 16 & 255, at >> 8 & 255, at & 255))),
        ("capacity", Value::Integer(i64::try_from(at % 640)?)),
    ]
    .into_iter()
    .map(|(name, value)| (Symbol::new(name), value))
    .collect();
    let name = format!("{class}-{at:06}");
    Ok(ConfigurationItem {
        id,
        key: CiKey::new(&format!("{class}/{name}"))?,
        class: Symbol::new(class),
        standing: Standing::Live,
        version: 1,
        claims: smallvec::smallvec![Claim {
            provenance: provenance("configuration-items.ndjson", at + 1),
            source_key: SourceKey::new(&format!("urn:load:{name}"))?,
            stated_key: None,
            native_id: None,
            native_version: None,
            facts: Facts {
                class: Some(Symbol::new(class)),
                name: Some(Arc::from(name)),
                attributes,
                ..Facts::default()
            },
            self_relationships: Vec::new(),
        }],
        merged: None,
        succeeds: None,
        withdrawn_at: None,
    })
}

fn relationship(dependent: CiId, dependency: CiId, round: usize) -> Relationship {
    Relationship {
        key: RelationshipKey {
            dependent,
            kind: Symbol::new(["depends_on", "runs_on", "connects_to", "uses"][round % 4]),
            dependency,
        },
        standing: Standing::Live,
        version: 1,
        claims: smallvec::smallvec![RelationshipClaim {
            provenance: provenance("relationships.ndjson", round + 1),
            stated: Stated::Plain,
            basis: Basis::Declared,
            confidence: None,
            strength: None,
            evidence: None,
            source_type: None,
            attributes: Attributes::new(),
        }],
        withdrawn_at: None,
    }
}

/// The largest resident size of this process so far; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) >> 10
}

fn bytes_in(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += about.len();
            }
        }
    }
    Ok(bytes)
}
