//! Pages of the history and of the audit log.

use std::ops::Range;

use keelson_model::{CommitHeader, Revision};
use serde::de::DeserializeOwned;
use surrealdb::types::{RecordId, RecordIdKey, RecordIdKeyRange, Value};

use crate::read::{ask, parse};
use crate::{AuditEntry, Store, StoreError};

/// Most records of one page; a larger limit is cut to it.
pub const MAX_PAGE: usize = 1_000;

/// The numbers of a page that goes upwards from behind `after`, up to `last`.
fn upwards(after: u64, last: u64, limit: usize) -> Range<u64> {
    let from = after.saturating_add(1);
    from..last.saturating_add(1).min(from.saturating_add(limit.min(MAX_PAGE) as u64))
}

/// The numbers of a page that goes downwards from below `before` (from `last`, if absent).
fn downwards(before: Option<u64>, last: u64, limit: usize) -> Range<u64> {
    let to = before.unwrap_or(u64::MAX).min(last.saturating_add(1)).max(1);
    to.saturating_sub(limit.min(MAX_PAGE) as u64).max(1)..to
}

fn ids(table: &'static str, numbers: &Range<u64>) -> Value {
    let key = |number: u64| RecordIdKey::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let range = RecordIdKeyRange {
        start: std::ops::Bound::Included(key(numbers.start)),
        end: std::ops::Bound::Excluded(key(numbers.end)),
    };
    Value::RecordId(RecordId::new(table, range))
}

impl Store {
    /// The headers of published commits behind `after`, oldest first, at most `limit` and
    /// [`MAX_PAGE`].
    ///
    /// # Errors
    /// Fails when the store does, or when a commit is missing.
    pub async fn headers(&self, after: Revision, limit: usize) -> Result<Vec<CommitHeader>, StoreError> {
        let last = self.head().await.revision.0;
        let statement = "SELECT VALUE header FROM $what WHERE state = 'published'";
        self.page("commit", statement, upwards(after.0, last, limit)).await
    }

    /// The headers of published commits below `before` (of the last ones, if absent), newest first,
    /// at most `limit` and [`MAX_PAGE`].
    ///
    /// # Errors
    /// Fails when the store does, or when a commit is missing.
    pub async fn newest_headers(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<CommitHeader>, StoreError> {
        let last = self.head().await.revision.0;
        let statement = "SELECT VALUE header FROM $what WHERE state = 'published'";
        let numbers = downwards(before.map(|before| before.0), last, limit);
        let mut page: Vec<CommitHeader> = self.page("commit", statement, numbers).await?;
        page.reverse();
        Ok(page)
    }

    /// The number of the last audit entry; 0 when there is none.
    pub async fn last_audit_seq(&self) -> u64 {
        self.tail.lock().await.audit_seq
    }

    /// Audit entries behind `after`, oldest first, at most `limit` and [`MAX_PAGE`].
    ///
    /// # Errors
    /// Fails when the store does, or when an entry is missing.
    pub async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let last = self.last_audit_seq().await;
        self.page("audit", "SELECT VALUE entry FROM $what", upwards(after, last, limit)).await
    }

    /// Audit entries below `before` (the last ones, if absent), newest first, at most `limit` and
    /// [`MAX_PAGE`].
    ///
    /// # Errors
    /// Fails when the store does, or when an entry is missing.
    pub async fn newest_audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let last = self.last_audit_seq().await;
        let numbers = downwards(before, last, limit);
        let mut page: Vec<AuditEntry> = self.page("audit", "SELECT VALUE entry FROM $what", numbers).await?;
        page.reverse();
        Ok(page)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        table: &'static str,
        statement: &'static str,
        numbers: Range<u64>,
    ) -> Result<Vec<T>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<String> = ask(self, statement, ids(table, &numbers)).await?;
        let expected = numbers.end - numbers.start;
        if texts.len() as u64 != expected {
            return Err(StoreError::Inconsistent {
                table,
                record: format!("{} to {}", numbers.start, numbers.end - 1),
                reason: format!("has {} records instead of {expected}; run `keelson verify`", texts.len()),
            });
        }
        let records = numbers.zip(&texts);
        records.map(|(number, text)| parse(table, &number.to_string(), text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stay_inside_the_log() {
        assert_eq!(upwards(0, 5, 2), 1..3);
        assert_eq!(upwards(4, 5, 10), 5..6);
        assert!(upwards(5, 5, 10).is_empty() && upwards(9, 5, 10).is_empty() && upwards(u64::MAX, 5, 1).is_empty());
        assert_eq!(downwards(None, 5, 2), 4..6);
        assert_eq!(downwards(Some(4), 5, 10), 1..4);
        assert!(downwards(Some(1), 5, 10).is_empty() && downwards(None, 0, 10).is_empty());
    }
}
