//! Row results: counted all, kept as many as the settings ask for.

use keelson_model::RowCounts;

use crate::plan::{RowKind, RowOutcome, RowResult};
use crate::{Detail, Settings};

/// Row results of one planning.
pub(crate) struct Results {
    detail: Detail,
    most: usize,
    rows: Vec<RowResult>,
    problems: usize,
    left_out: u64,
    pub(crate) configuration_items: RowCounts,
    pub(crate) relationships: RowCounts,
    pub(crate) needs: RowCounts,
}

/// What a row is about, for its counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Ci,
    Relationship,
    Need,
}

impl Results {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            detail: settings.detail,
            most: settings.rows_at_most,
            rows: Vec::new(),
            problems: 0,
            left_out: 0,
            configuration_items: RowCounts::default(),
            relationships: RowCounts::default(),
            needs: RowCounts::default(),
        }
    }

    /// Counts a row, and keeps its result when it is asked for.
    pub(crate) fn add(&mut self, about: About, outcome: RowOutcome, row: impl FnOnce() -> RowResult) {
        let counts = match about {
            About::Ci => &mut self.configuration_items,
            About::Relationship => &mut self.relationships,
            About::Need => &mut self.needs,
        };
        *counter(counts, outcome) += 1;
        let problem = outcome.is_problem();
        let wanted = match self.detail {
            Detail::All => true,
            Detail::Changed => outcome != RowOutcome::Unchanged,
            Detail::Problems => problem,
        };
        let kept = if problem { self.problems } else { self.rows.len() - self.problems };
        if !wanted || (self.detail != Detail::All && kept >= self.most) {
            self.left_out += 1;
            return;
        }
        self.problems += usize::from(problem);
        self.rows.push(row());
    }

    /// The results kept, by part of the batch and position, and how many were not kept.
    pub(crate) fn finish(mut self) -> (Vec<RowResult>, u64) {
        self.rows.sort_by(|a, b| {
            let of = |row: &RowResult| (row.row == RowKind::Withdrawal, row.row);
            of(a).cmp(&of(b)).then_with(|| a.position.cmp(&b.position))
        });
        (self.rows, self.left_out)
    }
}

fn counter(counts: &mut RowCounts, outcome: RowOutcome) -> &mut u64 {
    match outcome {
        RowOutcome::Created => &mut counts.created,
        RowOutcome::Updated => &mut counts.updated,
        RowOutcome::Unchanged => &mut counts.unchanged,
        RowOutcome::FilledPlaceholder => &mut counts.filled_placeholder,
        RowOutcome::Revived => &mut counts.revived,
        RowOutcome::Withdrawn => &mut counts.withdrawn,
        RowOutcome::Ambiguous => &mut counts.ambiguous,
        RowOutcome::Skipped => &mut counts.skipped,
        RowOutcome::Rejected => &mut counts.rejected,
    }
}
