//! What a question supposes: scenarios by name, and batches that would be imported. Nothing is written.

use std::sync::Arc;

use keelson_answers::suppose::{Growth, Supposed, scenarios};
use keelson_catalogue::Catalogue;
use keelson_model::{Batch, BatchId, Change, Claim, RecordChange};
use keelson_reconcile::{Plan, PlanOutcome, RowOutcome, RowResult, plan};
use thiserror::Error;

use crate::import::imagined;
use crate::keelson::blocking;
use crate::system::{RandomIds, now};
use crate::{AsOf, AskError, Error, Keelson, View};

/// What a question is asked under.
#[derive(Debug, Default)]
pub struct Given {
    /// The point in the past it is about; absent: the present.
    pub as_of: Option<AsOf>,
    /// What is supposed.
    pub suppose: Suppose,
}

/// What is supposed for one question.
#[derive(Debug, Default)]
pub struct Suppose {
    /// Scenarios by name or key.
    pub scenarios: Vec<String>,
    /// What would be imported.
    pub what_if: Option<WhatIf>,
}

impl Suppose {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.scenarios.is_empty() && self.what_if.is_none()
    }
}

/// Batches that would be imported, one after the other.
#[derive(Debug)]
pub struct WhatIf {
    /// What the answer calls them: the name of the file.
    pub name: String,
    /// The batches.
    pub batches: Vec<Batch>,
}

/// Why something cannot be supposed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WhatIfError {
    /// An import of it would be refused.
    #[error("what {name} supposes cannot be: its import from {origin} would be refused: {why}")]
    Refused {
        /// The file.
        name: String,
        /// The source of the batch.
        origin: String,
        /// Why.
        why: String,
    },
    /// Some of its rows would not be taken in.
    #[error("what {name} supposes cannot be: {count} rows from {origin} would not be taken in, the first at {first}")]
    Rows {
        /// The file.
        name: String,
        /// The source of the batch.
        origin: String,
        /// How many.
        count: u64,
        /// Where the first stands, and what would become of it.
        first: String,
    },
}

impl Keelson {
    /// A view under a supposition.
    pub(crate) async fn supposing(&self, view: View, suppose: Suppose) -> Result<View, AskError> {
        let keelson = self.clone();
        blocking(move || keelson.suppose(&view, &suppose)).await?
    }

    /// A view under a supposition, computed where the caller stands.
    ///
    /// # Errors
    /// When a scenario is unknown, or what a batch says would not be taken in.
    pub fn suppose(&self, view: &View, suppose: &Suppose) -> Result<View, AskError> {
        let base = view.revision();
        let (mut view, mut lines) = (view.clone(), Vec::new());
        if let Some(what_if) = &suppose.what_if {
            for batch in &what_if.batches {
                let Imagined { view: imagined, changes, outranked } = self.imagine(&view, &what_if.name, batch)?;
                view = imagined;
                let (name, source) = (&what_if.name, &batch.source);
                if changes == 0 {
                    lines.push(format!("{name}: nothing changes, as all that {source} says in it is there already"));
                    continue;
                }
                let of = if changes == 1 { "1 record".to_owned() } else { format!("{changes} records") };
                let outranked = match &outranked[..] {
                    [] => String::new(),
                    [first, ..] => format!(
                        "; {} of its values change nothing, as other sources are ranked higher, first {first}",
                        outranked.len()
                    ),
                };
                lines.push(format!("{name}: {of} of {source} as it would leave them{outranked}"));
            }
        }
        let (growth, more) = if suppose.scenarios.is_empty() {
            (Growth::default(), Vec::new())
        } else {
            scenarios(&view.catalogue, &suppose.scenarios)?
        };
        lines.extend(more);
        Ok(view.supposing(Supposed { base, growth, lines })?)
    }

    fn imagine(&self, view: &View, name: &str, batch: &Batch) -> Result<Imagined, AskError> {
        let mut ids = RandomIds::new();
        let at = now().max(batch.observed_at);
        let plan = plan(&view.catalogue, batch, BatchId::next(&mut ids), at, self.settings(), &mut ids);
        refuse(name, batch, &plan)?;
        if plan.changes.is_empty() {
            return Ok(Imagined { view: view.clone(), changes: 0, outranked: Vec::new() });
        }
        let mut catalogue = Catalogue::clone(&view.catalogue);
        let header = imagined(&catalogue, batch, &plan);
        catalogue.apply(&header, plan.changes.iter().map(|change| (0, change))).map_err(Error::from)?;
        let view = view.after(Arc::new(catalogue), &plan.changes).map_err(Error::from)?;
        let run = &plan.run;
        let changes = run.configuration_items.changes() + run.relationships.changes() + run.needs.changes();
        Ok(Imagined { view, changes, outranked: outranked(batch, &plan.changes) })
    }
}

/// A view under a batch.
struct Imagined {
    view: View,
    /// How many records the batch changes.
    changes: u64,
    /// Values it states anew that do not count, each in words.
    outranked: Vec<String>,
}

/// The values that a batch states anew and that do not count, because another source of the item is ranked higher.
fn outranked(batch: &Batch, changes: &[RecordChange]) -> Vec<String> {
    let mut found = Vec::new();
    for change in changes {
        let RecordChange::Ci(Change { before, after: Some(after) }) = change else { continue };
        let is_its = |claim: &&Claim| claim.provenance.source == batch.source;
        let known = before.iter().flat_map(|before| before.live_claims()).find(is_its);
        for (name, value) in after.live_claims().find(is_its).iter().flat_map(|claim| &claim.facts.attributes) {
            let is_new = known.and_then(|known| known.facts.attributes.get(name)) != Some(value);
            if is_new && after.attribute(name) != Some(value) {
                let counts = after.attribute(name).map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let by = after.source_of(name).map_or_else(String::new, |source| format!(", which {source} says"));
                found.push(format!("'{name}' of '{}': {counts} holds{by}", after.key));
            }
        }
    }
    found
}

fn refuse(name: &str, batch: &Batch, plan: &Plan) -> Result<(), WhatIfError> {
    let (name, origin) = (name.to_owned(), batch.source.to_string());
    if let PlanOutcome::Refused { reason, .. } = &plan.outcome {
        return Err(WhatIfError::Refused { name, origin, why: reason.to_string() });
    }
    let counts = [&plan.run.configuration_items, &plan.run.relationships, &plan.run.needs];
    let count = counts.iter().map(|counts| counts.rejected + counts.ambiguous).sum();
    if count == 0 {
        return Ok(());
    }
    let lost = |row: &&RowResult| matches!(row.outcome, RowOutcome::Rejected | RowOutcome::Ambiguous);
    let first = plan.rows.iter().find(lost);
    let first = first.map(|row| format!("{} ('{}': {})", row.position, row.source_key, row.outcome.as_str()));
    Err(WhatIfError::Rows {
        name,
        origin,
        count,
        first: first.unwrap_or_else(|| "a row that is not listed".to_owned()),
    })
}
