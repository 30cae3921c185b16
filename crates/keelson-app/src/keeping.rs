//! Verification of an open catalogue, its copy and its return.

use std::path::Path;
use std::sync::Arc;

use keelson_catalogue::Catalogue;
use keelson_model::{Revision, Schema};
use keelson_reconcile::Settings;
use keelson_store::{BackedUp, Options, Problem, Verification};

use crate::keelson::blocking;
use crate::{Error, Keelson, View, schema_check};

impl Keelson {
    /// Checks that records, history, ledger and graph agree, that the log has kept its tail, and
    /// that the classes in force fit what is stored.
    ///
    /// # Errors
    /// Fails as the store does; what does not agree is in the result.
    pub async fn verify(&self, mut progress: impl FnMut(Revision) + Send) -> Result<Verification, Error> {
        let mut found = self
            .store()
            .verify(|revision| {
                progress(revision);
                true
            })
            .await?;
        let view = self.view();
        let problems = blocking(move || {
            let mut problems = graph_problems(&view);
            problems.extend(schema_check::problems(&view.catalogue));
            problems
        });
        found.problems.extend(problems.await?);
        Ok(found)
    }
}

impl Keelson {
    /// Writes a consistent copy: catalogue, whole history, payloads, findings, audit log. Writers
    /// are not held up.
    ///
    /// # Errors
    /// Fails when the store cannot be read or the file not be written.
    pub async fn backup(&self, to: &Path, mut progress: impl FnMut(Revision) + Send) -> Result<BackedUp, Error> {
        Ok(self.store().backup(to, |step| progress(step.revision)).await?)
    }

    /// Restores a copy into an empty store and opens it.
    ///
    /// # Errors
    /// Fails when the copy was cut off or altered, when the store is not empty, or as the store
    /// fails.
    pub async fn restore(
        from: &Path,
        into: Options,
        schema: Arc<Schema>,
        mut progress: impl FnMut(Revision) + Send,
    ) -> Result<Self, Error> {
        let store = keelson_store::restore(from, into, |step| progress(step.revision)).await?;
        Self::on(store, schema, Settings::default()).await
    }
}

/// Compares the graph in memory and what summaries count, which grew commit by commit, with those
/// drawn afresh.
fn graph_problems(view: &View) -> Vec<Problem> {
    let catalogue: &Catalogue = &view.catalogue;
    let afresh = match View::of(view.catalogue.clone()) {
        Ok(afresh) => afresh,
        Err(error) => return vec![problem(format!("it cannot be drawn: {error}"))],
    };
    let mut problems = Vec::new();
    if afresh.graph.items() != view.graph.items() {
        problems.push(problem(format!("{} items, drawn afresh {}", view.graph.items(), afresh.graph.items())));
    }
    for (ix, slot) in catalogue.cis() {
        let item = keelson_answers::item(ix);
        let needs = |view: &View| {
            let mut needs: Vec<String> = view.graph.needs(item).map(|need| format!("{:?}", need.to_spec())).collect();
            needs.sort();
            needs
        };
        let present = (view.graph.contains(item), afresh.graph.contains(item));
        if present.0 != present.1 || (present.0 && needs(view) != needs(&afresh)) {
            problems.push(problem(format!("the needs of '{}' are not those of the records", slot.ci.key)));
        }
        if view.brief(ix) != afresh.brief(ix) {
            problems.push(problem(format!("what summaries count of '{}' is not what its record says", slot.ci.key)));
        }
        if problems.len() > keelson_store::MAX_PROBLEMS {
            break;
        }
    }
    problems
}

fn problem(what: String) -> Problem {
    Problem { place: "graph".to_owned(), what, advice: "open the store again, and report this".to_owned() }
}
