//! Copies of a store and their return.

use super::*;
use crate::{check_backup, restore};

/// A store with a small commit, a payload, findings and a commit that is journalled.
async fn filled(folder: &Path) -> Store {
    let store = Store::open(Options::in_folder(folder)).await.unwrap();
    let mut first = draft(0, some_changes());
    first.batch = Some(batch(5));
    first.payloads = vec![Payload::new("a.json", "application/json", vec![7u8; 3 << 20])];
    first.findings = vec![Finding::new(FindingCode::NullTarget, Position::line("a", 1), "nothing named")];
    store.commit(first).await.unwrap();
    store.commit(draft(1, scopes(commit::ONE_TRANSACTION + 1))).await.unwrap();
    store
}

#[test]
fn a_copy_holds_everything_and_can_be_brought_back() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder.path().join("a")).await;
        let copy = folder.path().join("copy.backup");
        let written = store.backup(&copy, |_| {}).await.unwrap();
        assert_eq!(written.manifest.revision, Revision(2));
        assert_eq!(check_backup(&copy).await.unwrap(), written.manifest);
        let restored = restore(&copy, Options::in_folder(&folder.path().join("b")), |_| {}).await.unwrap();
        assert_eq!(restored.head().await.digest, written.manifest.digest);
        assert_eq!(restored.verify(|_| true).await.unwrap().problems, []);
        let log =
            |store: Store| async move { store.replay(Revision(0), Revision(2)).try_collect::<Vec<_>>().await.unwrap() };
        assert!(log(store.clone()).await == log(restored.clone()).await);
        assert_eq!(restored.findings(batch(5)).await.unwrap(), store.findings(batch(5)).await.unwrap());
        let digest = Payload::new("a.json", "application/json", vec![7u8; 3 << 20]).digest;
        assert_eq!(restored.payload(&digest).await.unwrap().unwrap().len(), 3 << 20);
        // It goes on where it stopped.
        let next = RecordChange::Ci(Change::updated(Arc::new(ci(1, 1)), ci(1, 2)));
        restored.commit(draft(2, vec![next])).await.unwrap();
    });
}

#[test]
fn a_copy_that_was_cut_off_or_altered_is_refused_and_nothing_is_written() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder.path().join("a")).await;
        let copy = folder.path().join("copy.backup");
        store.backup(&copy, |_| {}).await.unwrap();
        let whole = std::fs::read(&copy).unwrap();
        let bad = folder.path().join("bad.backup");
        let steps = (0..whole.len()).step_by(whole.len() / 40 + 1);
        for (number, at) in steps.enumerate() {
            let mut bytes = whole.clone();
            if number % 2 == 0 {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 0x10;
            }
            std::fs::write(&bad, &bytes).unwrap();
            let into = folder.path().join(format!("into-{number}"));
            let refused = restore(&bad, Options::in_folder(&into), |_| {}).await.err();
            assert!(matches!(refused, Some(StoreError::BadBackup { .. })), "byte {at}: {refused:?}");
            assert!(!into.exists(), "byte {at}: something was written");
        }
        let refused = restore(&folder.path().join("none"), Options::at("mem://"), |_| {}).await.err().unwrap();
        assert!(matches!(refused, StoreError::Unreadable { .. }), "{refused}");
    });
}

#[test]
fn nothing_is_restored_into_a_store_that_holds_something() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder.path().join("a")).await;
        let copy = folder.path().join("copy.backup");
        store.backup(&copy, |_| {}).await.unwrap();
        let other = Store::open(Options::in_folder(&folder.path().join("b"))).await.unwrap();
        other.commit(draft(0, scopes(1))).await.unwrap();
        drop(other);
        let refused = loop {
            match restore(&copy, Options::in_folder(&folder.path().join("b")), |_| {}).await {
                Err(StoreError::Locked { .. }) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
                restored => break restored.err().unwrap(),
            }
        };
        assert!(matches!(refused, StoreError::NotEmpty(Revision(1))), "{refused}");
    });
}
