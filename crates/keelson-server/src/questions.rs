//! `POST /questions`: the questions of the command line, answered as an embedded store answers.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use keelson_api::errors::{Code, Refusal};
use keelson_api::suppose::read_what_if;
use keelson_app::{AsOf, Given, Question, Stop, Suppose};
use keelson_importer::EnvelopeError;
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
/// Most nodes of decision diagrams an answer may take.
pub const MOST_NODES: usize = 20_000_000;
/// Most scenarios of a simulation.
pub const MOST_SCENARIOS: usize = 10_000_000;
/// Most items of a cut set that is listed.
pub const LARGEST_SET: usize = 16;
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
    /// What is supposed for this question alone.
    #[serde(default, skip_serializing_if = "Supposing::is_nothing")]
    pub suppose: Supposing,
}

/// What is supposed for one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Supposing {
    /// Scenarios by name or key.
    pub scenarios: Vec<String>,
    /// A file in the batch format: the question is answered as if it had been imported.
    pub what_if: Option<WhatIfFile>,
}

/// A file in the batch format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WhatIfFile {
    /// What the answer calls it.
    pub name: String,
    /// What it holds.
    pub content: String,
}

impl Supposing {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.scenarios.is_empty() && self.what_if.is_none()
    }

    /// What it says, read.
    ///
    /// # Errors
    /// When the file is not in the batch format.
    pub fn read(self) -> Result<Suppose, EnvelopeError> {
        let what_if = self.what_if.map(|file| read_what_if(&file.name, &file.content)).transpose()?;
        Ok(Suppose { scenarios: self.scenarios, what_if })
    }
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
        let Asking { question, as_of, suppose } = asking;
        at_most("scenarios", suppose.scenarios.len(), MOST_CONDITIONS)?;
        let unread = |error: EnvelopeError| Problem::new(Code::BadUserInput, error.to_string());
        let given = Given { as_of, suppose: suppose.read().map_err(unread)? };
        let answer = app.keelson.ask_given(question, given, &stop).await?;
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
        Question::SinglePoints(question) => {
            at_most("services named", question.services.len(), MOST_SEEDS)?;
            at_most("items down", question.down.len(), MOST_SEEDS)?;
            at_most("proofs", question.proofs, MOST_SEEDS)?;
            at_most("changes proposed", question.fixes, MOST_SEEDS)?;
            at_most("entries listed", question.most, MOST_LISTED)
        }
        Question::Availability(_)
        | Question::CutSets(_)
        | Question::Recovery(_)
        | Question::Demand(_)
        | Question::Capacity(_)
        | Question::Throughput(_)
        | Question::SupplierLoss(_)
        | Question::Concentration(_)
        | Question::Promise(_)
        | Question::Register(_)
        | Question::Sample(_)
        | Question::Drift(_)
        | Question::Health(_) => analysis(question),
        Question::Path { .. } | Question::Request { .. } | Question::Gate { .. } | Question::Calendar { .. } => Ok(()),
    }
}

/// Refuses analyses of the graph whose answer could be without bound.
fn analysis(question: &Question) -> Result<(), Problem> {
    let named = |count: usize| at_most("items named", count, MOST_SEEDS);
    let listed = |most: usize| at_most("entries listed", most, MOST_LISTED);
    match question {
        Question::Availability(one) => {
            named(one.services.len().max(one.down.len()))?;
            at_most("services computed", one.most, MOST_SEEDS)?;
            at_most("scenarios", usize::try_from(one.samples).unwrap_or(usize::MAX), MOST_SCENARIOS)?;
            at_most("nodes", one.nodes, MOST_NODES)?;
            listed(one.contributors)
        }
        Question::CutSets(one) => {
            named(one.down.len())?;
            at_most("nodes", one.nodes, MOST_NODES)?;
            at_most("items of a set", one.largest, LARGEST_SET)?;
            at_most("proofs", one.proofs, MOST_SEEDS)?;
            listed(one.most)
        }
        Question::Recovery(one) => {
            named(one.services.len().max(one.lost.len()))?;
            at_most("starts", one.budget as usize, MOST_PROPAGATIONS)?;
            listed(one.most)
        }
        Question::Demand(one) => {
            named(one.services.len().max(one.items.len()))?;
            listed(one.most)
        }
        Question::Capacity(one) => {
            named(one.services.len())?;
            listed(one.most)
        }
        Question::Throughput(one) => listed(one.most),
        Question::SupplierLoss(one) => {
            at_most("proofs", one.proofs, MOST_SEEDS)?;
            at_most("evaluations", one.budget, MOST_PROPAGATIONS)?;
            listed(one.most)
        }
        Question::Concentration(one) => {
            at_most("pairs", one.pairs, MOST_PROPAGATIONS)?;
            listed(one.most)
        }
        Question::Promise(one) => {
            named(one.services.len())?;
            at_most("services computed", one.most, MOST_SEEDS)
        }
        Question::Register(one) => listed(one.most),
        Question::Sample(one) => listed(one.most),
        Question::Drift(one) => {
            named(one.services.len())?;
            at_most("differences tried", one.budget, MOST_PROPAGATIONS)?;
            listed(one.most)
        }
        Question::Health(one) => {
            at_most("walks", one.budget, MOST_WALKS)?;
            listed(one.most)
        }
        _ => Ok(()),
    }
}

pub(crate) fn at_most(what: &str, asked: usize, limit: usize) -> Result<(), Problem> {
    if asked <= limit {
        return Ok(());
    }
    Err(Problem::new(Code::BadUserInput, format!("a server takes at most {limit} {what}; {asked} were asked for")))
}
