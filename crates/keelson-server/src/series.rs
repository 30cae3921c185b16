//! `POST /series/{source}`: measured points, taken in as the command line does it.
//!
//! The same points of the same source are known when they come again, so that a repetition is harmless.

use std::io::Read as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use keelson_api::errors::{Code, Refusal};
use keelson_app::series_files::csv::{self, Defaults};
use keelson_app::series_files::prometheus::{self, Meaning};
use keelson_app::series_files::{Read, ReadError};
use keelson_app::{Actor, SeriesError, SeriesImported, SeriesOptions};
use keelson_importer::InputError;
use keelson_model::Symbol;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::received::{Kept, kept, media_type, plain_or_packed, unread, unusable};
use crate::routes::{App, in_turn};

/// The media type of a table of points.
pub const TABLE: &str = "text/csv";
/// The media type of the result of a range query.
pub const RANGE: &str = "application/json";
/// Largest name of a source, bytes.
const MOST_NAME_BYTES: usize = 100;

/// What an address says besides the source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Wishes {
    /// Say what would be taken in, and change nothing.
    pub dry_run: bool,
    /// Leave out what cannot be taken in, and list it.
    pub keep_going: bool,
    /// What was measured, where the points do not say: `demand` or `utilisation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The unit of the values, where the points do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Key of what each series of a range query is about, with labels in braces: `service/{job}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// File or address the points come from, as shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who imports, as the caller says; nobody is authenticated yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why, for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The form of a body.
#[derive(Clone, Copy)]
enum Form {
    /// A table ([`TABLE`]).
    Table,
    /// The result of a range query of Prometheus ([`RANGE`]).
    Range,
}

/// `POST /series/{source}`.
pub(crate) async fn import(
    State(app): State<Arc<App>>,
    address: Result<Path<String>, PathRejection>,
    wishes: Result<Query<Wishes>, QueryRejection>,
    request: Request,
) -> Result<Json<SeriesImported>, Problem> {
    let unreadable = |reason: String| Problem::new(Code::UnsupportedRequest, format!("the address: {reason}"));
    let Path(source) = address.map_err(|rejection| unreadable(rejection.body_text()))?;
    let Query(wishes) = wishes.map_err(|rejection| unreadable(rejection.body_text()))?;
    if source.is_empty() || source.len() > MOST_NAME_BYTES {
        return Err(unusable(format!("a source has a name of 1 to {MOST_NAME_BYTES} bytes")));
    }
    let form = form(&request)?;
    let kept = kept(request, form.file(), &app).await?;
    let late = "the time for an import has passed; send it again to see its end";
    in_turn(Arc::clone(&app), late, async move { taken(&app, source, wishes, form, kept).await }).await.map(Json)
}

impl Form {
    /// The name by which messages call the body.
    fn file(self) -> &'static str {
        match self {
            Self::Table => "points.csv",
            Self::Range => "range.json",
        }
    }
}

fn form(request: &Request) -> Result<Form, Problem> {
    plain_or_packed(request)?;
    match media_type(request).as_deref() {
        Some(TABLE) => Ok(Form::Table),
        Some(RANGE) => Ok(Form::Range),
        _ => Err(Problem::unsupported_media(format!(
            "send a table as {TABLE}, or what /api/v1/query_range of Prometheus answers as {RANGE}"
        ))),
    }
}

/// Takes in points whose body has arrived.
async fn taken(app: &App, source: String, wishes: Wishes, form: Form, kept: Kept) -> Result<SeriesImported, Problem> {
    let named = wishes.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty());
    let mut actor = Actor::named(named.unwrap_or(&app.principal));
    actor.reason = wishes.reason.as_deref().map(Arc::from);
    let options = SeriesOptions {
        actor,
        source: Symbol::new(&source),
        name: wishes.name.clone().unwrap_or_else(|| format!("/series/{source}")),
        dry_run: wishes.dry_run,
        keep_going: wishes.keep_going,
    };
    let reading = tokio::task::spawn_blocking(move || {
        let text = text(&kept, form.file())?;
        drop(kept);
        points(&text, form, &wishes).map_err(|error| unusable(error.to_string()))
    });
    let read = reading.await.map_err(|error| Refusal::internal(&error))??;
    match app.keelson.import_series(read, options).await {
        Ok(imported) => Ok(imported),
        Err(SeriesError::Failed(error)) => Err(error.into()),
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// The body, unpacked within limits.
fn text(kept: &Kept, name: &str) -> Result<Vec<u8>, Problem> {
    let input = kept.input()?;
    let mut text = Vec::new();
    let Some(file) = input.files.first() else { return Ok(text) };
    let mut reader = file.open(&kept.limits).map_err(|error| unread(&error))?;
    reader.read_to_end(&mut text).map_err(|error| unread(&InputError::from_stream(name, error)))?;
    Ok(text)
}

fn points(text: &[u8], form: Form, wishes: &Wishes) -> Result<Read, ReadError> {
    let (metric, unit) = (wishes.metric.as_deref(), wishes.unit.as_deref());
    match (form, &wishes.key) {
        (Form::Table, _) => csv::read(text, Defaults { metric, unit }),
        (Form::Range, Some(key)) => prometheus::read(text, Meaning { key, metric: metric.unwrap_or(""), unit }),
        (Form::Range, None) => {
            let what = "say by 'key' what each series is about, with labels in braces: service/{job}";
            Err(ReadError::Document(what.to_owned()))
        }
    }
}
