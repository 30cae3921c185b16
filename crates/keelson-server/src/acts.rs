//! `POST /acts`: one act of change management, as an embedded store does it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use keelson_api::errors::{Code, Refusal};
use keelson_app::{Act, ActError, Actor};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::received::json_body;
use crate::routes::App;

/// The body of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Acting {
    /// What is done.
    pub act: Act,
    /// The version of its record somebody has seen; when it is no longer the last, nothing is done.
    #[serde(default)]
    pub expected_version: Option<u32>,
    /// Who does it; absent: the name the server runs under.
    #[serde(default)]
    pub actor: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `POST /acts`.
pub(crate) async fn act(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let acting: Acting = json_body(request, &app.limits, "act").await?;
    let name = acting.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty());
    let mut actor = Actor::named(name.unwrap_or(&app.principal));
    actor.reason = acting.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()).map(Arc::from);
    let turn = Arc::clone(&app.turns).acquire_owned().await.map_err(|error| Refusal::internal(&error))?;
    let work = tokio::spawn(async move {
        let _turn = turn;
        app.keelson.act_on(acting.act, acting.expected_version, actor).await
    });
    let acted = work.await.map_err(|error| Refusal::internal(&error))??;
    let body = serde_json::to_vec(&acted.outcome()).map(Bytes::from).map_err(|error| Refusal::internal(&error))?;
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(([json], body).into_response())
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(problems) => Self::new(Code::BadUserInput, problems.to_string()),
            ActError::Question(error) => Refusal::from(error).into(),
            ActError::Failed(error) => error.into(),
        }
    }
}
