//! `PUT /imports/{source}/{batchId}`: a batch, planned and committed as the command line does it.
//!
//! The id in the address makes a repetition harmless: the same delivery again is known already, and
//! another one under the same id is refused.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use chrono::{DateTime, Utc};
use keelson_api::errors::{Code, Refusal};
use keelson_app::{Actor, ImportOptions, Imported, system};
use keelson_import_batch::BatchImporter;
use keelson_importer::{Context, EnvelopeError, Importer, InputError};
use keelson_model::{Batch, BatchId};
use serde::Deserialize;

use crate::delivery::{self, Delivery};
use crate::problem::Problem;
use crate::received::{Kept, kept, media_type, plain_or_packed, unread, unusable};
use crate::routes::{App, in_turn};
use crate::summary::{ImportAnswer, Outcome, Summary};

/// The name by which findings call the body.
const FILE: &str = "batch.ndjson";
/// Largest source name and scope, bytes.
const MOST_NAME_BYTES: usize = 512;

/// What an address says besides source and batch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Wishes {
    /// Plan only.
    dry_run: bool,
    /// Refuse bad lines and go on with the others (batch format).
    keep_going: bool,
    /// Show the rows.
    rows: bool,
    /// Who imports, as the caller says; nobody is authenticated yet.
    actor: Option<String>,
    /// Why, for the history.
    reason: Option<String>,
}

/// The form of a body.
#[derive(Clone, Copy)]
enum Form {
    /// The batch format.
    Lines,
    /// A [`Delivery`].
    Delivery,
}

/// `PUT /imports/{source}/{batchId}`.
pub(crate) async fn import(
    State(app): State<Arc<App>>,
    address: Result<Path<(String, String)>, PathRejection>,
    wishes: Result<Query<Wishes>, QueryRejection>,
    request: Request,
) -> Result<Json<ImportAnswer>, Problem> {
    let unreadable = |reason: String| Problem::new(Code::UnsupportedRequest, format!("the address: {reason}"));
    let Path((source, id)) = address.map_err(|rejection| unreadable(rejection.body_text()))?;
    let Query(wishes) = wishes.map_err(|rejection| unreadable(rejection.body_text()))?;
    let id: BatchId = id.parse().map_err(|error| Problem::new(Code::BadUserInput, format!("the batch id: {error}")))?;
    let form = form(&request)?;
    let kept = kept(request, FILE, &app).await?;
    let taken = Taken { source, id, form, wishes };
    let late = "the time for an import has passed; send it again under the same id to see its end";
    in_turn(Arc::clone(&app), late, async move { taken.import(&app, kept).await }).await.map(Json)
}

fn form(request: &Request) -> Result<Form, Problem> {
    plain_or_packed(request)?;
    match media_type(request).as_deref() {
        Some("application/x-ndjson") => Ok(Form::Lines),
        Some(delivery::MEDIA_TYPE) => Ok(Form::Delivery),
        _ => Err(Problem::unsupported_media("send a batch in Keelson's batch format, as application/x-ndjson")),
    }
}

/// An import whose body has arrived.
struct Taken {
    source: String,
    id: BatchId,
    form: Form,
    wishes: Wishes,
}

impl Taken {
    async fn import(self, app: &App, kept: Kept) -> Result<ImportAnswer, Problem> {
        let form = self.form;
        let context = self.context();
        let reading = tokio::task::spawn_blocking(move || {
            let batches = read(form, &kept, &context);
            drop(kept);
            batches
        });
        let batches = reading.await.map_err(|error| Refusal::internal(&error))??;
        self.check(&batches)?;
        let imported = self.plan_and_commit(app, batches).await?;
        let summary = |imported: &Imported| Summary::of(imported, self.wishes.rows, self.wishes.dry_run);
        let summaries: Vec<Summary> = imported.iter().map(summary).collect();
        let Some(refused) = summaries.iter().find(|summary| summary.outcome == Outcome::Refused) else {
            return Ok(ImportAnswer { dry_run: self.wishes.dry_run, batches: summaries });
        };
        let reason = refused.refused.clone().unwrap_or_default();
        if imported.iter().any(|imported| is_reused(app, imported)) {
            return Err(Problem::new(Code::BatchIdReused, reason).about(summaries));
        }
        Err(unusable(reason).about(summaries))
    }

    fn context(&self) -> Context {
        let mut options = std::collections::BTreeMap::new();
        options.insert("keep-going".to_owned(), self.wishes.keep_going.to_string());
        Context { source: self.source.clone(), scope: None, complete: false, observed_at: self.named_at(), options }
    }

    /// When the id was made: a batch that does not say when its source was read was read then. A
    /// repetition under the same id is the same delivery that way.
    fn named_at(&self) -> DateTime<Utc> {
        let millis = i64::try_from(self.id.0.timestamp_ms()).ok();
        let now = system::now();
        millis.and_then(DateTime::from_timestamp_millis).unwrap_or(now).min(now)
    }

    /// An address names one batch. A dry run may plan several, each on what the ones before would
    /// leave; the address names the source of the first then.
    fn check(&self, batches: &[Batch]) -> Result<(), Problem> {
        let Some(first) = batches.first() else { return Err(unusable("there is no batch in the body")) };
        if batches.len() > 1 && !self.wishes.dry_run {
            return Err(unusable("send one batch at a time; each needs an id of its own"));
        }
        if first.source != self.source.as_str() {
            let message = format!("the batch is of source '{}', but the address names '{}'", first.source, self.source);
            return Err(unusable(message));
        }
        let is_name = |name: &str| {
            (1..=MOST_NAME_BYTES).contains(&name.len()) && name.trim() == name && !name.contains(char::is_control)
        };
        if batches.iter().all(|batch| is_name(&batch.source) && is_name(batch.scope.as_str())) {
            return Ok(());
        }
        Err(unusable(format!(
            "source and scope must be texts of 1 to {MOST_NAME_BYTES} bytes without control characters"
        )))
    }

    async fn plan_and_commit(&self, app: &App, mut batches: Vec<Batch>) -> Result<Vec<Imported>, Problem> {
        if batches.len() > 1 {
            return Ok(app.keelson.dry_run(batches).await?);
        }
        let name = self.wishes.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty());
        let mut actor = Actor::named(name.unwrap_or(&app.principal));
        actor.reason = self.wishes.reason.as_deref().map(Arc::from);
        let options = ImportOptions { actor, batch_id: Some(self.id), dry_run: self.wishes.dry_run, backdated: false };
        match batches.pop() {
            Some(batch) => Ok(vec![app.keelson.import(batch, options).await?]),
            None => Ok(Vec::new()),
        }
    }
}

fn read(form: Form, kept: &Kept, context: &Context) -> Result<Vec<Batch>, Problem> {
    let input = kept.input()?;
    match form {
        Form::Lines => BatchImporter.normalise(&input, context).map_err(|error| envelope(&error)),
        Form::Delivery => {
            let Some(file) = input.files.first() else { return Ok(Vec::new()) };
            let reader = file.open(&kept.limits).map_err(|error| envelope(&error.into()))?;
            let delivery: Result<Delivery, _> = serde_json::from_reader(reader);
            delivery.map(|delivery| delivery.batches).map_err(|error| {
                if error.is_io() {
                    return envelope(&InputError::from_stream(FILE, error.into()).into());
                }
                unusable(format!("the body is no delivery of this version: {error}"))
            })
        }
    }
}

fn envelope(error: &EnvelopeError) -> Problem {
    match error {
        EnvelopeError::Input(error) => unread(error),
        _ => unusable(error.to_string()),
    }
}

/// Whether a batch was refused because its id belongs to another delivery.
fn is_reused(app: &App, imported: &Imported) -> bool {
    let run = &imported.plan.run;
    let view = app.keelson.view();
    view.catalogue.run(imported.plan.batch).is_some_and(|(_, known)| {
        known.digest != run.digest || known.source != run.source || known.observed_at != run.observed_at
    })
}
