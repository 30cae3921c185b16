//! Checking that log, rows, audit log and head file agree.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use keelson_model::{Digest, RecordChange, Revision};
use surrealdb::method::StreamItem;
use surrealdb::types::{RecordId, SurrealValue, Value};

use crate::error::classify;
use crate::rows::{Record, TABLES, fingerprint};
use crate::{AuditEntry, Store, StoreError, kept, read};

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: table and record.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// The outcome of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Commits checked.
    pub commits: u64,
    /// Changes read.
    pub changes: u64,
    /// Rows compared.
    pub rows: u64,
    /// Audit entries checked.
    pub audit_entries: u64,
    /// What does not agree, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// Most problems one verification reports.
pub const MAX_PROBLEMS: usize = 100;

const RESTORE: &str = "restore the last backup with `keelson restore`";

impl Verification {
    /// Whether everything agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn report(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { place: place.into(), what: what.into(), advice: RESTORE.to_owned() });
        }
    }
}

/// Digest of each record's last state by table and id, as the log has it.
type Expected = HashMap<(usize, String), Digest>;

impl Store {
    /// Reads the whole log and every row and compares them. `progress` is told the revision reached
    /// and may stop the verification by returning `false`.
    ///
    /// # Errors
    /// Fails only when the store cannot be read; what it finds is in the answer.
    pub async fn verify(&self, mut progress: impl FnMut(Revision) -> bool) -> Result<Verification, StoreError> {
        let mut found = Verification::default();
        let head = self.head().await;
        let mut expected = Expected::new();
        let mut previous = Digest::default();
        {
            let mut log = std::pin::pin!(self.replay(Revision(0), head.revision));
            while let Some(next) = log.next().await {
                let (commit, _) = match next {
                    Ok(commit) => commit,
                    Err(StoreError::Inconsistent { table, record, reason }) => {
                        found.report(format!("{table} {record}"), reason);
                        return Ok(found);
                    }
                    Err(error) => return Err(error),
                };
                let revision = commit.header.revision;
                if commit.header.previous != previous {
                    found.report(format!("commit {revision}"), "does not follow the commit before it");
                }
                previous = commit.header.digest();
                found.commits += 1;
                found.changes += commit.changes.len() as u64;
                for change in &commit.changes {
                    let (table, id, digest) = expected_row(change, revision)?;
                    expected.insert((table, id), digest);
                }
                if !progress(revision) {
                    return Ok(found);
                }
            }
        }
        if previous != head.digest {
            found.report("head", "does not name the last commit");
        }
        self.verify_rows(&mut expected, &mut found).await?;
        self.verify_kept(head.revision, &mut found).await?;
        self.verify_audit(head.revision, &mut found).await?;
        Ok(found)
    }

    /// Checks that the payloads and findings that commits name are there and are what they were.
    async fn verify_kept(&self, head: Revision, found: &mut Verification) -> Result<(), StoreError> {
        let mut checked = HashSet::new();
        for revision in (1..=head.0).map(Revision) {
            for kept in read::require(self, revision).await?.beside.kept {
                if !checked.insert(kept.content().0) {
                    continue;
                }
                match kept::check(self, &kept).await {
                    Err(StoreError::Inconsistent { table, record, reason }) => {
                        found.report(format!("{table} {record} of commit {revision}"), reason);
                    }
                    other => other?,
                }
            }
        }
        Ok(())
    }

    async fn verify_rows(&self, expected: &mut Expected, found: &mut Verification) -> Result<(), StoreError> {
        const DOING: &str = "reading rows";
        for (at, table) in TABLES.into_iter().enumerate() {
            let mut rows = self
                .db
                .query("SELECT * FROM type::table($table)")
                .bind(("table", table))
                .stream_items()
                .map_err(|error| classify(DOING, &error))?;
            while let Some(item) = rows.next().await {
                let row = match item.map_err(|error| classify(DOING, &error))? {
                    StreamItem::Row { value, .. } => value,
                    StreamItem::StatementEnd { result, .. } => {
                        result.map_err(|error| classify(DOING, &error))?;
                        continue;
                    }
                };
                found.rows += 1;
                match fingerprint(table, &row) {
                    Err(StoreError::Inconsistent { record, reason, .. }) => {
                        found.report(format!("{table} {record}"), reason);
                    }
                    Err(error) => return Err(error),
                    Ok((id, digest)) => match expected.remove(&(at, id.clone())) {
                        None => found.report(format!("{table} {id}"), "is a row that the log does not know"),
                        Some(known) if known != digest => {
                            found.report(format!("{table} {id}"), "differs from what the log says");
                        }
                        Some(_) => {}
                    },
                }
            }
        }
        let mut missing: Vec<_> = expected.keys().collect();
        missing.sort();
        for (table, id) in missing.into_iter().take(MAX_PROBLEMS) {
            found.report(format!("{} {id}", TABLES[*table]), "is missing from the rows");
        }
        Ok(())
    }

    async fn verify_audit(&self, head: Revision, found: &mut Verification) -> Result<(), StoreError> {
        const DOING: &str = "reading the audit log";
        let (mut seq, mut previous, mut last) = (0u64, Digest::default(), Revision(0));
        loop {
            let ids: Vec<RecordId> = (seq + 1..=seq + 500)
                .map(|seq| RecordId::new("audit", i64::try_from(seq).unwrap_or(i64::MAX)))
                .collect();
            let mut answer = self
                .db
                .query("SELECT VALUE [entry, hash] FROM $ids")
                .bind(("ids", ids))
                .await
                .map_err(|error| classify(DOING, &error))?;
            let value: Value = answer.take(0).map_err(|error| classify(DOING, &error))?;
            let entries = <Vec<(String, String)>>::from_value(value)
                .map_err(|error| StoreError::Failed { doing: DOING, reason: error.to_string() })?;
            let ended = entries.len() < 500;
            for (text, hash) in entries {
                seq += 1;
                let Ok(entry) = serde_json::from_str::<AuditEntry>(&text) else {
                    found.report(format!("audit {seq}"), "cannot be read");
                    return Ok(());
                };
                if entry.seq != seq || entry.prev_hash != previous || entry.hash().to_string() != hash {
                    found.report(format!("audit {seq}"), "breaks the chain: an entry was altered, removed or inserted");
                    return Ok(());
                }
                previous = entry.hash();
                last = entry.revision.unwrap_or(last);
                found.audit_entries += 1;
            }
            if ended {
                break;
            }
        }
        if last != head {
            found.report("audit", format!("ends at revision {last}, but the log ends at {head}"));
        }
        Ok(())
    }
}

/// Table, id and digest of the row a change leads to.
fn expected_row(change: &RecordChange, revision: Revision) -> Result<(usize, String, Digest), StoreError> {
    let Some(record) = Record::after(change) else {
        return Err(StoreError::Inconsistent {
            table: "chunk",
            record: revision.to_string(),
            reason: "holds a change that removes a record".into(),
        });
    };
    let (key, digest) = fingerprint(TABLES[record.table()], &record.row(revision)?)?;
    Ok((record.table(), key, digest))
}
