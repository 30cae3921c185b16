//! Documents: the board's pack as a page a browser opens, or as files for a command, and the schedule as a
//! calendar that calendar programs subscribe to.
//!
//! | route | gives |
//! | --- | --- |
//! | `POST /packs` | the files of a pack, as JSON |
//! | `GET /packs/schedule` | the pack of a meeting: `from`, `to`, `title`, `zone`, `form`, `asOf` |
//! | `GET /packs/changes/{key}` | the pack of one request: `zone`, `form`, `asOf` |
//! | `GET /schedule.ics` | the schedule as iCalendar (RFC 5545): `from`, `to`, `asOf` |

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, header};
use keelson_api::errors::{Code, Refusal};
use keelson_app::{AsOf, AskError, PackFile, PackForm, PackOf, system};
use keelson_model::Window;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::questions::{MOST_SEEDS, at_most};
use crate::received::json_body;
use crate::routes::App;

/// How long before now a calendar begins that does not say from when.
const PAST: TimeDelta = TimeDelta::days(31);
/// How long after its beginning a calendar ends that does not say until when.
const AHEAD: TimeDelta = TimeDelta::days(366);
/// The times of a pack that does not say until when.
const WEEK: TimeDelta = TimeDelta::days(7);
/// What a page may do: nothing but show itself.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'; sandbox allow-modals";

/// The body of `POST /packs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Packing {
    /// What the pack is about.
    pub of: PackOf,
    /// The zone in which times are shown.
    #[serde(default = "utc")]
    pub zone: String,
    /// The form of its files.
    #[serde(default)]
    pub form: PackForm,
    /// The point in the past it is about; absent: the present.
    #[serde(default)]
    pub as_of: Option<AsOf>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What may be said of a document in its address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Wishes {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    title: Option<String>,
    #[serde(default = "utc")]
    zone: String,
    #[serde(default)]
    form: PackForm,
    as_of: Option<String>,
}

type Wished = Result<Query<Wishes>, QueryRejection>;

/// `POST /packs`.
pub(crate) async fn pack(State(app): State<Arc<App>>, request: Request) -> Result<Json<Vec<PackFile>>, Problem> {
    let Packing { of, zone, form, as_of } = json_body(request, &app.limits, "pack").await?;
    files(app, of, zone, form, as_of).await.map(Json)
}

/// `GET /packs/schedule`.
pub(crate) async fn schedule_page(State(app): State<Arc<App>>, wishes: Wished) -> Result<Response, Problem> {
    let wishes = read(wishes)?;
    let within = within(&wishes, system::now(), WEEK)?;
    let title = wishes.title.clone().unwrap_or_else(|| "Change advisory board".to_owned());
    page(app, PackOf::Meeting { within, only: Vec::new(), title }, wishes).await
}

/// `GET /packs/changes/{key}`.
pub(crate) async fn change_page(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    wishes: Wished,
) -> Result<Response, Problem> {
    page(app, PackOf::Request(key), read(wishes)?).await
}

/// `GET /schedule.ics`.
pub(crate) async fn calendar(State(app): State<Arc<App>>, wishes: Wished) -> Result<Response, Problem> {
    let wishes = read(wishes)?;
    let (within, as_of) = (within(&wishes, system::now() - PAST, AHEAD)?, as_of(&wishes)?);
    let text = held(&app, async |app| app.keelson.calendar_file(within, as_of).await).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"))], text).into_response())
}

/// A pack as a browser shows it.
async fn page(app: Arc<App>, of: PackOf, wishes: Wishes) -> Result<Response, Problem> {
    if wishes.form == PackForm::Csv {
        let detail =
            "a pack has several tables; post its description to /packs for all of them, or ask for another form";
        return Err(Problem::new(Code::BadUserInput, detail));
    }
    let as_of = as_of(&wishes)?;
    let file = files(app, of, wishes.zone, wishes.form, as_of).await?.pop();
    let text = file.map(|file| file.text).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(wishes.form.media_type())),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, text).into_response())
}

async fn files(
    app: Arc<App>,
    of: PackOf,
    zone: String,
    form: PackForm,
    as_of: Option<AsOf>,
) -> Result<Vec<PackFile>, Problem> {
    if let PackOf::Meeting { only, .. } = &of {
        at_most("requests named", only.len(), MOST_SEEDS)?;
    }
    held(&app, async |app| Ok(app.keelson.pack(of, &zone, as_of).await?.files(form))).await
}

/// What is computed within its turn and its time; it ends soon when that is up, or nobody waits any more.
async fn held<T>(app: &App, work: impl AsyncFnOnce(&App) -> Result<T, AskError>) -> Result<T, Problem> {
    let _turn = app.turns.acquire().await.map_err(|error| Refusal::internal(&error))?;
    let done = tokio::time::timeout(app.limits.request_time, work(app)).await;
    Ok(done.map_err(|_| Problem::timeout("the time for a document has passed; ask for less"))??)
}

fn read(wishes: Wished) -> Result<Wishes, Problem> {
    let unread = |error: QueryRejection| Problem::new(Code::BadUserInput, error.body_text());
    wishes.map(|Query(wishes)| wishes).map_err(unread)
}

fn as_of(wishes: &Wishes) -> Result<Option<AsOf>, Problem> {
    let read = wishes.as_of.as_deref().map(|text| text.parse().map_err(|error| (text, error))).transpose();
    read.map_err(|(_, error): (_, keelson_app::AsOfSyntaxError)| {
        Problem::new(Code::BadUserInput, format!("asOf: {error}"))
    })
}

fn within(wishes: &Wishes, from: DateTime<Utc>, length: TimeDelta) -> Result<Window, Problem> {
    let from = wishes.from.unwrap_or(from);
    let to = wishes.to.unwrap_or(from + length);
    Window::new(from, to).map_err(|error| Problem::new(Code::BadUserInput, error.to_string()))
}
