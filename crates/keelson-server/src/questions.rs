//! `POST /questions`: the questions of the command line, answered as an embedded store answers.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use keelson_api::errors::{Code, Refusal};
use keelson_app::{AsOf, Question, Stop};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::received::json_body;
use crate::routes::App;

/// Most entries an answer lists.
pub const MOST_LISTED: usize = 100_000;
/// Most items an impact starts from.
pub const MOST_SEEDS: usize = 1_000;
/// Most propagations the search for decisive facts may compute.
pub const MOST_PROPAGATIONS: usize = 20_000;
/// Most walks a check may make.
pub const MOST_WALKS: usize = 20_000_000;
/// Most conditions, words or orders of a list.
pub const MOST_CONDITIONS: usize = 100;

/// The body of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Asking {
    /// What is asked.
    pub question: Question,
    /// The point in the past it is asked about; absent: the present.
    #[serde(default)]
    pub as_of: Option<AsOf>,
}

/// `POST /questions`.
pub(crate) async fn ask(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let asking: Asking = json_body(request, &app.limits, "question").await?;
    check(&asking.question)?;
    let time = app.limits.request_time;
    let stop = Stop::default();
    let _unwanted = stop.on_drop();
    let answer = tokio::time::timeout(time, answer(app, asking, stop.clone())).await;
    let body = answer.map_err(|_| Problem::timeout("the time for an answer has passed; ask for less"))??;
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(([json], body).into_response())
}

/// The answer as JSON. The turn is held as long as the work lasts, also when nobody waits for it any
/// more: otherwise impatient callers could pile up work without bound. The flag ends it soon then.
async fn answer(app: Arc<App>, asking: Asking, stop: Stop) -> Result<Bytes, Problem> {
    let turn = Arc::clone(&app.turns).acquire_owned().await.map_err(|error| Refusal::internal(&error))?;
    let work = tokio::spawn(async move {
        let _turn = turn;
        let answer = app.keelson.ask_until(asking.question, asking.as_of, &stop).await?;
        serde_json::to_vec(&answer).map(Bytes::from).map_err(|error| Refusal::internal(&error).into())
    });
    work.await.map_err(|error| Refusal::internal(&error))?
}

/// Refuses questions whose answer could be without bound.
fn check(question: &Question) -> Result<(), Problem> {
    match question {
        Question::Impact { seeds, budget, most, .. } => {
            at_most("items lost at once", seeds.len(), MOST_SEEDS)?;
            at_most("evaluations", *budget, MOST_PROPAGATIONS)?;
            at_most("items listed", *most, MOST_LISTED)
        }
        Question::List { conditions, text, order, most, .. } => {
            let conditions = conditions.len().max(text.len()).max(order.len());
            at_most("conditions, words or orders", conditions, MOST_CONDITIONS)?;
            at_most("items listed", *most, MOST_LISTED)
        }
        Question::Check { most, budget } => {
            at_most("walks", *budget, MOST_WALKS)?;
            at_most("findings listed", *most, MOST_LISTED)
        }
        Question::Get { most, .. }
        | Question::History { most, .. }
        | Question::RecordHistory { most, .. }
        | Question::Score { most, .. }
        | Question::Walk { most, .. } => at_most("entries listed", *most, MOST_LISTED),
        Question::Change { budget, most, .. } => {
            at_most("evaluations", *budget, MOST_PROPAGATIONS)?;
            at_most("services listed", *most, MOST_LISTED)
        }
        Question::Schedule { only, most, .. } => {
            at_most("requests named", only.len(), MOST_SEEDS)?;
            at_most("lines listed", *most, MOST_LISTED)
        }
        Question::Requests { most, .. } | Question::CompareBaselines { most, .. } | Question::Trends { most } => {
            at_most("entries listed", *most, MOST_LISTED)
        }
        Question::Baseline { most_keys, .. } => at_most("items listed", *most_keys, MOST_LISTED),
        Question::Baselines { most, most_keys, .. } => {
            at_most("items listed", most.saturating_mul(*most_keys), MOST_LISTED)
        }
        Question::Path { .. } | Question::Request { .. } | Question::Gate { .. } | Question::Calendar { .. } => Ok(()),
    }
}

pub(crate) fn at_most(what: &str, asked: usize, limit: usize) -> Result<(), Problem> {
    if asked <= limit {
        return Ok(());
    }
    Err(Problem::new(Code::BadUserInput, format!("a server takes at most {limit} {what}; {asked} were asked for")))
}
