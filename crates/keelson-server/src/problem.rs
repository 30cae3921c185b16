//! Errors outside GraphQL: `application/problem+json` (RFC 9457) with the codes of the API.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use keelson_api::errors::{Code, Refusal};
use keelson_app::{AskError, Error};
use serde::{Deserialize, Serialize};

use crate::summary::Summary;

/// The media type of a [`ProblemDocument`].
pub const PROBLEM: &str = "application/problem+json";

/// A request that is refused. It becomes a [`ProblemDocument`] when the answer leaves, because only
/// then the request's id is at hand.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    detail: String,
    reason: Option<&'static str>,
    batches: Vec<Summary>,
}

/// An error as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDocument {
    /// Always `about:blank`: the code says what kind of problem it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The code, as in GraphQL errors.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// The request, as the log names it.
    pub request_id: String,
    /// Why the server is not ready, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What became of the batches of a refused import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<Summary>,
}

impl Problem {
    /// A problem with the status its code usually has.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { status: code.status(), code, detail: detail.into(), reason: None, batches: Vec::new() }
    }

    /// Gives another status than the usual one of the code.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Names the reason in one word.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Shows what became of the batches.
    pub(crate) fn about(mut self, batches: Vec<Summary>) -> Self {
        self.batches = batches;
        self
    }

    /// A media type or encoding that is not read.
    pub(crate) fn unsupported_media(detail: impl Into<String>) -> Self {
        Self::new(Code::UnsupportedRequest, detail).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// A body that did not arrive in time.
    pub(crate) fn too_slow() -> Self {
        Self::new(Code::Timeout, "the body of the request did not arrive in time")
            .with_status(StatusCode::REQUEST_TIMEOUT)
    }

    /// The deadline of a request has passed.
    pub(crate) fn timeout(detail: impl Into<String>) -> Self {
        Self::new(Code::Timeout, detail)
    }

    /// The document, with the id of the request.
    pub(crate) fn document(&self, request_id: &str) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.as_str().to_owned(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
            reason: self.reason.map(str::to_owned),
            batches: self.batches.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.code == Code::Overloaded {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Refusal::from(error).into()
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        Refusal::from(error).into()
    }
}
