//! What the engine loses of a session, and its return.

use std::path::PathBuf;

use super::*;
use crate::session::{Survey, newest_segment};
use crate::{Attempt, AuditDetails, AuditOutcome, restore};

async fn open(folder: &Path) -> Store {
    Store::open(Options::in_folder(folder)).await.unwrap()
}

/// Opens a folder as soon as nobody else has it open.
async fn try_open(folder: &Path) -> Result<Store, StoreError> {
    loop {
        match Store::open(Options::in_folder(folder)).await {
            Err(StoreError::Locked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
            opened => return opened,
        }
    }
}

async fn ask(store: &Store, text: &'static str) {
    let errors = store.db.query(text).await.unwrap().take_errors();
    assert!(errors.is_empty(), "{text}: {errors:?}");
}

/// Makes the next opening believe that the engine began another segment of its log.
fn rotate(folder: &Path) {
    let engine = folder.join("store");
    let next = newest_segment(&engine).unwrap().map_or(99, |newest| newest + 1);
    std::fs::write(engine.join("wal").join(format!("{next:020}.wal")), []).unwrap();
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("store.session")
}

fn survey(folder: &Path) -> Survey {
    Survey::of(&journal(folder)).unwrap().unwrap()
}

async fn assert_whole(store: &Store, head: keelson_model::Digest) {
    assert_eq!(store.head().await.digest, head);
    assert_eq!(store.verify(|_| true).await.unwrap().problems, []);
}

fn update(from: u32) -> RecordChange {
    RecordChange::Ci(Change::updated(Arc::new(ci(1, from)), ci(1, from + 1)))
}

fn attempt() -> Attempt {
    Attempt {
        at: time(),
        actor: Arc::from("tester"),
        action: Arc::from("test"),
        batch: None,
        outcome: AuditOutcome::Denied,
        details: AuditDetails::default(),
    }
}

/// Commits with a payload, findings, a refused attempt, a journalled commit and an update.
async fn filled(store: &Store) -> keelson_model::Digest {
    let mut first = draft(0, some_changes());
    first.batch = Some(batch(5));
    first.payloads = vec![Payload::new("a.json", "application/json", vec![7u8; 3 << 20])];
    first.findings = vec![Finding::new(FindingCode::NullTarget, Position::line("a", 1), "nothing named")];
    store.commit(first).await.unwrap();
    store.record(attempt()).await.unwrap();
    store.commit(draft(1, scopes(commit::ONE_TRANSACTION + 1))).await.unwrap();
    store.commit(draft(2, vec![update(1)])).await.unwrap().digest
}

#[test]
fn what_the_engine_lost_is_brought_back() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let digest = filled(&store).await;
        ask(
            &store,
            "BEGIN; DELETE (SELECT VALUE id FROM scope_state LIMIT 1000); DELETE relationship; DELETE chunk:[2, 0]; DELETE commit:1; \
             DELETE audit:2; DELETE audit:4; DELETE part; DELETE payload; DELETE finding; DELETE commit:3; \
             UPDATE head:main SET revision = 2; COMMIT;",
        )
        .await;
        rotate(folder.path());
        let store = reopened(folder.path(), store).await;
        assert_whole(&store, digest).await;
        assert_eq!(store.findings(batch(5)).await.unwrap().len(), 1);
        let payload = Payload::new("a.json", "application/json", vec![7u8; 3 << 20]);
        assert_eq!(store.payload(&payload.digest).await.unwrap().as_deref(), Some(&*payload.content));
        assert_eq!(store.audit(0, 100).await.unwrap().len(), 4);
        // It goes on, and keeps what it has until an opening finds that no segment was begun.
        let digest = store.commit(draft(3, vec![update(2)])).await.unwrap().digest;
        assert_eq!(survey(folder.path()).commits.len(), 4);
        ask(&store, "BEGIN; DELETE scope_state; DELETE ci; COMMIT;").await;
        rotate(folder.path());
        let store = reopened(folder.path(), store).await;
        assert_whole(&store, digest).await;
        let store = reopened(folder.path(), store).await;
        assert_eq!(survey(folder.path()).commits, []);
        assert_whole(&store, digest).await;
    });
}

#[test]
fn a_closed_store_has_everything_in_its_tables() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let digest = filled(&store).await;
        store.close().await.unwrap();
        assert_eq!(newest_segment(&folder.path().join("store")).unwrap(), None);
        let refused = store.commit(draft(3, vec![update(2)])).await.err().unwrap();
        assert!(matches!(refused, CommitError::Store(StoreError::Closed)), "{refused}");
        let store = reopened(folder.path(), store).await;
        assert_whole(&store, digest).await;
        assert_eq!(survey(folder.path()).commits, []);
    });
}

#[test]
fn updates_are_brought_back_and_later_ones_stay() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        store.commit(draft(0, some_changes())).await.unwrap();
        // From here on, another session: the record was made before it.
        let store = reopened(folder.path(), store).await;
        store.commit(draft(1, vec![update(1)])).await.unwrap();
        let two = RecordChange::Ci(Change::updated(Arc::new(ci(2, 1)), ci(2, 2)));
        store.commit(draft(2, vec![two])).await.unwrap();
        let digest = store.commit(draft(3, vec![update(2)])).await.unwrap().digest;
        ask(&store, "UPDATE ci SET version = 1, revision = 1, record = 'x' WHERE key = 'host/2'").await;
        rotate(folder.path());
        let store = reopened(folder.path(), store).await;
        assert_whole(&store, digest).await;
    });
}

/// Copies a data folder that is open, as a process leaves it that is killed.
fn killed(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            killed(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_journal_is_replaced_and_rows_are_not_read_where_no_segment_was_begun() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("one")).await;
        filled(&store).await;
        assert_eq!(survey(&folder.path().join("one")).commits.len(), 3);
        ask(&store, "DELETE relationship").await;
        killed(&folder.path().join("one"), &folder.path().join("killed"));
        drop(store);
        for name in ["one", "killed"] {
            let path = folder.path().join(name);
            let before = newest_segment(&path.join("store")).unwrap();
            let store = try_open(&path).await.unwrap();
            let fresh = survey(&path);
            assert_eq!((fresh.commits.len(), fresh.start.revision), (0, Revision(3)), "{name}: {before:?}");
            assert_eq!(store.verify(|_| true).await.unwrap().problems.len(), 1, "{name}: nobody looked at the rows");
        }
    });
}

#[test]
fn a_killed_session_is_brought_back_after_a_rotation() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let store = open(&one).await;
        let digest = filled(&store).await;
        ask(&store, "BEGIN; DELETE relationship; DELETE commit:3; DELETE chunk:[3, 0]; DELETE audit:4; COMMIT;").await;
        rotate(&one);
        killed(&one, &other);
        let store = open(&other).await;
        assert_whole(&store, digest).await;
        assert_eq!(survey(&other).commits.len(), 3, "the journal is kept");
    });
}

#[test]
fn a_journal_that_was_cut_off_is_good_up_to_there() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let digest = filled(&store).await;
        let whole = std::fs::metadata(journal(folder.path())).unwrap().len();
        ask(&store, "BEGIN; DELETE relationship; DELETE chunk:[2, 0]; COMMIT;").await;
        let store = {
            // The last commit's frames are cut off, as a process leaves them that dies meanwhile.
            let file = std::fs::OpenOptions::new().write(true).open(journal(folder.path())).unwrap();
            file.set_len(whole - 7).unwrap();
            rotate(folder.path());
            reopened(folder.path(), store).await
        };
        assert_whole(&store, digest).await;
        // The commit that was cut off is written to it again, and what comes after it can be read.
        assert_eq!(survey(folder.path()).commits.len(), 3);
        let digest = store.commit(draft(3, vec![update(2)])).await.unwrap().digest;
        assert_eq!(survey(folder.path()).commits.len(), 4);
        ask(&store, "BEGIN; DELETE ci; DELETE commit:3; DELETE audit:4; COMMIT;").await;
        rotate(folder.path());
        let store = reopened(folder.path(), store).await;
        assert_whole(&store, digest).await;
    });
}

#[test]
fn a_journal_of_another_store_is_refused() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let store = open(&other).await;
        store.commit(draft(0, scopes(3))).await.unwrap();
        store.commit(draft(1, scopes(2))).await.unwrap();
        let store = open(&one).await;
        let digest = store.commit(draft(0, some_changes())).await.unwrap().digest;
        let own = std::fs::read(journal(&one)).unwrap();
        let foreign = std::fs::read(journal(&other)).unwrap();
        std::fs::write(journal(&one), &foreign).unwrap();
        drop(store);
        for rotated in [false, true] {
            if rotated {
                rotate(&one);
            }
            let Err(refused) = try_open(&one).await else { panic!("opened with the journal of another store") };
            assert!(refused.to_string().contains("belongs to another store"), "{refused}");
            assert_eq!(std::fs::read(journal(&one)).unwrap(), foreign);
        }
        std::fs::write(journal(&one), own).unwrap();
        assert_whole(&try_open(&one).await.unwrap(), digest).await;
    });
}

#[test]
fn a_restored_store_is_brought_back_too() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let store = open(&one).await;
        let digest = filled(&store).await;
        let copy = folder.path().join("copy.backup");
        store.backup(&copy, |_| {}).await.unwrap();
        let store = restore(&copy, Options::in_folder(&other), |_| {}).await.unwrap();
        ask(&store, "BEGIN; DELETE (SELECT VALUE id FROM scope_state LIMIT 1000); DELETE chunk; DELETE commit:2; DELETE audit:3; DELETE part; COMMIT;")
            .await;
        rotate(&other);
        let store = reopened(&other, store).await;
        assert_whole(&store, digest).await;
    });
}

#[test]
fn stores_without_a_folder_have_no_journal() {
    run(async {
        let store = Store::open(Options::at("mem://")).await.unwrap();
        assert!(store.session.is_none());
    });
}
