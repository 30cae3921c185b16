//! The contract of the store, held on every engine.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use keelson_model::{
    Attributes, BatchId, Change, CiId, CiKey, Claim, ConfigurationItem, Facts, Finding, FindingCode, Payload, Position,
    Provenance, RecordChange, Relationship, RelationshipClaim, RelationshipKey, Revision, Scope, ScopeState,
    SequentialIds, SourceKey, Standing, Stated, Symbol, Value,
};
use surrealdb::types::SurrealValue;

use crate::engine::Engine;
use crate::{CommitError, Draft, Options, Store, StoreError, WORKER_STACK_BYTES, commit};

mod copies;
mod planned;
mod session;

fn run<F: Future<Output = ()> + Send + 'static>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(WORKER_STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    // On a worker, because the caller's thread has the smaller stack of a test.
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

/// Runs a test on every engine: in memory, embedded on disk, and the one that `KEELSON_TEST_STORE`
/// names: the address of a server kept for that, which is emptied for each test, so that its tests
/// run one at a time.
fn on_every_engine<F: Future<Output = ()> + Send + 'static>(test: impl Fn(Store) -> F + Send + Sync + 'static) {
    run(async move {
        test(Store::open(Options::at("mem://")).await.unwrap()).await;
        let folder = tempfile::tempdir().unwrap();
        test(Store::open(Options::in_folder(folder.path())).await.unwrap()).await;
        if let Ok(url) = std::env::var("KEELSON_TEST_STORE") {
            let server = Engine::remote(&url, None).await.unwrap();
            server.query("REMOVE NAMESPACE IF EXISTS keelson").await.unwrap().check().unwrap();
            test(Store::open(Options::at(url)).await.unwrap()).await;
        }
    });
}

fn time() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn batch(number: u128) -> BatchId {
    BatchId::next(&mut SequentialIds::after(number))
}

fn provenance() -> Provenance {
    Provenance {
        source: Symbol::new("test"),
        scope: Scope::named("all"),
        batch: batch(0),
        first_observed: time(),
        observed_at: time(),
        position: Position::line("a.ndjson", 3),
        tombstone: None,
    }
}

fn ci(number: u128, version: u32) -> ConfigurationItem {
    let attributes: Attributes = [
        ("unavailability", Value::Decimal("0.005".parse().unwrap())),
        ("capacity", Value::List(vec![Value::Integer(1), Value::text("a.b\u{0}")])),
        ("odd.name", Value::Null),
    ]
    .into_iter()
    .map(|(name, value)| (Symbol::new(name), value))
    .collect();
    ConfigurationItem {
        id: CiId::next(&mut SequentialIds::after(number)),
        key: CiKey::new(&format!("host/{number}")).unwrap(),
        class: Symbol::new("host"),
        standing: Standing::Live,
        version,
        claims: smallvec::smallvec![Claim {
            provenance: provenance(),
            source_key: SourceKey::new(&format!("key {number}")).unwrap(),
            stated_key: None,
            native_id: None,
            native_version: Some(7),
            facts: Facts { name: Some(Arc::from("näme")), attributes, ..Facts::default() },
            self_relationships: vec![Symbol::new("uses")],
        }],
        merged: None,
        succeeds: None,
        withdrawn_at: None,
    }
}

fn relationship(dependent: u128, dependency: u128) -> Relationship {
    Relationship {
        key: RelationshipKey {
            dependent: ci(dependent, 1).id,
            kind: Symbol::new("uses"),
            dependency: ci(dependency, 1).id,
        },
        standing: Standing::Live,
        version: 1,
        claims: smallvec::smallvec![RelationshipClaim {
            provenance: provenance(),
            stated: Stated::Plain,
            basis: keelson_model::Basis::Observed,
            confidence: Some(0.1),
            strength: Some(keelson_model::Strength::Soft { cap: 0.3 }),
            evidence: None,
            source_type: None,
            attributes: Attributes::new(),
        }],
        withdrawn_at: None,
    }
}

fn draft(planned_at: u64, changes: Vec<RecordChange>) -> Draft {
    Draft {
        planned_at: Revision(planned_at),
        at: time(),
        recorded_at: None,
        actor: Arc::from("tester"),
        action: Arc::from("test"),
        source: None,
        reason: None,
        batch: None,
        changes,
        payloads: Vec::new(),
        findings: Vec::new(),
    }
}

fn some_changes() -> Vec<RecordChange> {
    vec![
        RecordChange::Ci(Change::created(ci(1, 1))),
        RecordChange::Ci(Change::created(ci(2, 1))),
        RecordChange::Relationship(Change::created(relationship(1, 2))),
    ]
}

fn scopes(number: usize) -> Vec<RecordChange> {
    let state = |at: usize| ScopeState {
        source: Symbol::new("test"),
        scope: Scope::of(&[("file", &at.to_string())]),
        last_complete: None,
        last_seen: time(),
        cursor: None,
        batch: batch(1),
        digest: Arc::from("d"),
    };
    (0..number).map(|at| RecordChange::Scope(Change::created(state(at)))).collect()
}

#[test]
fn what_is_committed_is_replayed_and_agrees_with_the_rows() {
    on_every_engine(|store| async move {
        let committed = store.commit(draft(0, some_changes())).await.unwrap();
        let update = RecordChange::Ci(Change::updated(Arc::new(ci(1, 1)), ci(1, 2)));
        store.commit(draft(1, vec![update])).await.unwrap();
        let log: Vec<_> = store.replay(Revision(0), Revision(2)).try_collect().await.unwrap();
        assert_eq!(log[0].0.changes, some_changes());
        assert_eq!(log[0].0.header, committed.header);
        assert_eq!(log[1].0.header.previous, committed.digest);
        let report = store.verify(|_| true).await.unwrap();
        assert_eq!(report.problems, []);
        assert_eq!((report.commits, report.rows, report.audit_entries), (2, 3, 2));
    });
}

#[test]
fn a_stale_plan_is_refused_and_changes_nothing() {
    on_every_engine(|store| async move {
        store.commit(draft(0, some_changes())).await.unwrap();
        let refused = store.commit(draft(0, scopes(1))).await.unwrap_err();
        assert!(matches!(refused, CommitError::Stale { current: Revision(1), .. }), "{refused}");
        // Also when this process does not know of the other writer's commit.
        store.tail.lock().await.revision = Revision(0);
        let refused = store.commit(draft(0, scopes(1))).await.unwrap_err();
        assert!(matches!(refused, CommitError::Stale { current: Revision(1), .. }), "{refused}");
        // It has learned of it by the refusal, and can go on.
        store.commit(draft(1, scopes(1))).await.unwrap();
        assert!(store.verify(|_| true).await.unwrap().is_clean());
    });
}

#[test]
fn altered_rows_and_logs_are_found() {
    on_every_engine(|store| async move {
        store.commit(draft(0, some_changes())).await.unwrap();
        let sabotage = |text: &'static str| {
            let store = store.clone();
            async move { assert!(store.db.query(text).await.unwrap().take_errors().is_empty(), "{text}") }
        };
        sabotage("UPDATE ci SET version = 9").await;
        sabotage("DELETE relationship").await;
        let report = store.verify(|_| true).await.unwrap();
        let places: Vec<&str> = report.problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places.len(), 3, "{report:#?}");
        sabotage("UPDATE audit SET hash = 'x'").await;
        let report = store.verify(|_| true).await.unwrap();
        assert!(report.problems.iter().any(|problem| problem.place == "audit 1"), "{report:#?}");
        sabotage("UPDATE chunk SET bytes = <bytes>'x'").await;
        let report = store.verify(|_| true).await.unwrap();
        assert!(report.problems[0].place.starts_with("chunk"), "{report:#?}");
    });
}

#[test]
fn payloads_and_findings_are_kept() {
    on_every_engine(|store| async move {
        let payload = Payload::new("a.json", "application/json", vec![7u8; 3 << 20]);
        let finding = Finding::new(FindingCode::NullTarget, Position::line("a", 1), "nothing named");
        let mut draft = draft(0, some_changes());
        draft.batch = Some(batch(5));
        draft.payloads = vec![payload.clone()];
        draft.findings = vec![finding.clone()];
        store.commit(draft).await.unwrap();
        assert_eq!(store.findings(batch(5)).await.unwrap(), [finding]);
        assert_eq!(store.payload(&payload.digest).await.unwrap().as_deref(), Some(&*payload.content));
        assert_eq!(store.payload("none").await.unwrap(), None);
        assert_eq!(store.verify(|_| true).await.unwrap().problems, []);
        let altered = "UPDATE part SET bytes = <bytes>'x'";
        assert!(store.db.query(altered).await.unwrap().take_errors().is_empty());
        let problems = store.verify(|_| true).await.unwrap().problems;
        assert_eq!(problems.len(), 2, "{problems:#?}");
        assert!(problems.iter().all(|problem| problem.place.starts_with("part")), "{problems:#?}");
    });
}

async fn reopened(folder: &Path, store: Store) -> Store {
    drop(store);
    for _ in 0..200 {
        match Store::open(Options::in_folder(folder)).await {
            Err(StoreError::Locked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the store stays locked");
}

#[test]
fn a_large_commit_is_journalled_and_survives_reopening() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Options::in_folder(folder.path())).await.unwrap();
        let committed = store.commit(draft(0, scopes(commit::ONE_TRANSACTION + 1))).await.unwrap();
        assert_eq!(committed.chunked_changes().count(), commit::ONE_TRANSACTION + 1);
        let store = reopened(folder.path(), store).await;
        assert_eq!(store.head().await.digest, committed.digest);
        assert!(store.verify(|_| true).await.unwrap().is_clean());
    });
}

/// Removes what says which commits were acknowledged.
fn forget(store: &Store) {
    std::fs::remove_file(&store.headfile.as_ref().unwrap().path).unwrap();
    std::fs::remove_file(&store.session.as_ref().unwrap().path).unwrap();
}

#[test]
fn a_commit_cut_off_is_finished_or_removed() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Options::in_folder(folder.path())).await.unwrap();
        let committed = store.commit(draft(0, some_changes())).await.unwrap();
        // As a process leaves it that dies between journal and publication.
        let undo = "BEGIN; UPDATE commit SET state = 'prepared'; DELETE head; DELETE audit; DELETE ci; COMMIT;";
        assert!(store.db.query(undo).await.unwrap().take_errors().is_empty());
        forget(&store);
        let store = reopened(folder.path(), store).await;
        assert_eq!(store.head().await.digest, committed.digest);
        assert_eq!(store.verify(|_| true).await.unwrap().problems, []);
        // As one leaves it that dies while it writes the journal.
        let undo = "BEGIN; UPDATE commit SET state = 'prepared'; DELETE head; DELETE audit; DELETE ci; \
                    DELETE relationship; DELETE chunk; COMMIT;";
        assert!(store.db.query(undo).await.unwrap().take_errors().is_empty());
        forget(&store);
        let store = reopened(folder.path(), store).await;
        assert_eq!(store.head().await.revision, Revision(0));
        store.commit(draft(0, some_changes())).await.unwrap();
        assert_eq!(store.verify(|_| true).await.unwrap().problems, []);
    });
}

#[test]
fn a_lost_tail_is_noticed_on_opening() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Options::in_folder(folder.path())).await.unwrap();
        store.commit(draft(0, some_changes())).await.unwrap();
        store.commit(draft(1, scopes(1))).await.unwrap();
        let lose = "BEGIN; DELETE commit:2; DELETE chunk:[2, 0]; DELETE scope_state; DELETE audit:2; \
                    UPDATE head:main SET revision = 1; COMMIT;";
        assert!(store.db.query(lose).await.unwrap().take_errors().is_empty());
        // With its journal, the session's commits would be brought back.
        std::fs::remove_file(&store.session.as_ref().unwrap().path).unwrap();
        drop(store);
        let refused = loop {
            match Store::open(Options::in_folder(folder.path())).await {
                Err(StoreError::Locked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
                opened => break opened.err().unwrap(),
            }
        };
        let StoreError::LostTail { acknowledged, found, .. } = &refused else { panic!("{refused}") };
        assert_eq!((*acknowledged, *found), (Revision(2), Revision(1)));
    });
}

#[test]
fn a_folder_in_use_is_refused_with_its_name() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let _store = Store::open(Options::in_folder(folder.path())).await.unwrap();
        let refused = Store::open(Options::in_folder(folder.path())).await.err().unwrap();
        assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
        assert!(refused.to_string().contains("in use by another process"), "{refused}");
    });
}

#[test]
fn a_failing_disk_stops_all_writing() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Options::in_folder(folder.path())).await.unwrap();
        let headfile = store.headfile.clone().unwrap().path;
        std::fs::create_dir(headfile.with_extension("new")).unwrap();
        let failed = store.commit(draft(0, some_changes())).await.unwrap_err();
        assert!(matches!(failed, CommitError::Store(StoreError::File { .. })), "{failed}");
        let refused = store.commit(draft(1, scopes(1))).await.unwrap_err();
        assert!(matches!(refused, CommitError::Store(StoreError::Closed)), "{refused}");
    });
}

#[test]
fn addresses_are_checked() {
    run(async {
        for url in ["nowhere", "file:///tmp/x", "surrealkv://", "surrealkv:///tmp/x?sync=never"] {
            let refused = Store::open(Options::at(url)).await.err().unwrap();
            assert!(matches!(refused, StoreError::Address { .. }), "{url}: {refused}");
        }
        let refused = Store::open(Options::at("ws://127.0.0.1:9")).await.err().unwrap();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    });
}

#[test]
fn migrations_lead_to_the_current_schema() {
    run(async {
        let migrated = Store::open(Options::at("mem://")).await.unwrap();
        let fresh = Engine::embedded("mem://").await.unwrap();
        let current = include_str!("../../../schema/surrealql/current.surql");
        assert!(fresh.query(current).await.unwrap().take_errors().is_empty());
        assert_eq!(structure(&migrated.db).await, structure(&fresh).await);
    });
}

async fn structure(db: &Engine) -> Vec<String> {
    let info = |text: String| async move {
        let value: surrealdb::types::Value = db.query(text).await.unwrap().take(0).unwrap();
        serde_json::Value::from_value(value).unwrap()
    };
    let whole = info("INFO FOR DB STRUCTURE".into()).await;
    let mut lines = Vec::new();
    for table in whole["tables"].as_array().unwrap() {
        let name = table["name"].as_str().unwrap();
        let mut inside = info(format!("INFO FOR TABLE {name} STRUCTURE")).await;
        for part in ["fields", "indexes"] {
            for one in inside[part].as_array_mut().unwrap() {
                let one = one.as_object_mut().unwrap();
                one.retain(|field, _| !field.ends_with("_id") && field != "id");
                lines.push(format!("{name} {part} {}", serde_json::Value::Object(one.clone())));
            }
        }
    }
    lines.sort();
    lines
}
