//! Bodies of requests, never larger and never slower than allowed.

use std::path::Path;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use keelson_api::errors::{Code, Refusal};
use keelson_api::limits::Limits;
use keelson_importer::{Input, InputError, Limits as ReadLimits};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::problem::Problem;
use crate::routes::App;

/// The media type of a body, without parameters, in lower case.
pub(crate) fn media_type(request: &Request) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The encoding of a body, in lower case; `identity` where none is named.
fn encoding(request: &Request) -> String {
    let value = request.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    value.unwrap_or("identity").trim().to_ascii_lowercase()
}

/// Whether a body is not compressed.
pub(crate) fn is_plain(request: &Request) -> bool {
    encoding(request) == "identity"
}

/// Refuses a body that is packed in another way than by gzip.
pub(crate) fn plain_or_packed(request: &Request) -> Result<(), Problem> {
    if matches!(encoding(request).as_str(), "identity" | "gzip" | "x-gzip") {
        return Ok(());
    }
    Err(Problem::unsupported_media("the body may be plain or packed with gzip, nothing else"))
}

/// What was sent cannot be used.
pub(crate) fn unusable(detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadUserInput, detail).with_status(StatusCode::UNPROCESSABLE_ENTITY)
}

/// A body that cannot be read back: beyond a limit when unpacked, or damaged.
pub(crate) fn unread(error: &InputError) -> Problem {
    match error {
        InputError::Limit { .. } => Problem::new(Code::PayloadTooLarge, error.to_string()),
        _ => unusable(error.to_string()),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("the body has more than the {limit} bytes that are taken"))
}

fn cut_off(error: &dyn std::fmt::Display) -> Problem {
    tracing::debug!(%error, "a body was cut off");
    Problem::new(Code::UnsupportedRequest, "the body was cut off")
}

/// Refuses a body that says of itself that it is too large, before anything of it is read.
fn announced(request: &Request, limit: usize) -> Result<(), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limit as u64) { Err(too_large(limit)) } else { Ok(()) }
}

/// The whole body, in memory.
pub(crate) async fn whole_body(request: Request, limit: usize, time: Duration) -> Result<Bytes, Problem> {
    announced(&request, limit)?;
    let collected = tokio::time::timeout(time, Limited::new(request.into_body(), limit).collect()).await;
    match collected.map_err(|_| Problem::too_slow())? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(error) => Err(cut_off(&error)),
    }
}

/// A whole body read as JSON; `what` names it in refusals: `question`.
pub(crate) async fn json_body<T: DeserializeOwned>(
    request: Request,
    limits: &Limits,
    what: &'static str,
) -> Result<T, Problem> {
    if media_type(&request).as_deref() != Some("application/json") || !is_plain(&request) {
        return Err(Problem::unsupported_media(format!("send the {what} as application/json, not compressed")));
    }
    let body = whole_body(request, limits.body_bytes, limits.body_time).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let code = if error.is_data() { Code::BadUserInput } else { Code::UnsupportedRequest };
        let article = if what.starts_with('a') { "an" } else { "a" };
        Problem::new(code, format!("the body is not {article} {what}: {error}"))
    })
}

/// A body that was kept on the disk; it goes away with this.
pub(crate) struct Kept {
    folder: TempDir,
    name: &'static str,
    /// What may be read of it.
    pub(crate) limits: ReadLimits,
}

impl Kept {
    /// The body as importers read files.
    pub(crate) fn input(&self) -> Result<Input, Problem> {
        let file = self.folder.path().join(self.name);
        Input::from_paths(&[file], self.limits).map_err(|error| Refusal::internal(&error).into())
    }
}

/// Keeps a body on the disk until it is read; `name` is what messages call it.
pub(crate) async fn kept(request: Request, name: &'static str, app: &App) -> Result<Kept, Problem> {
    let folder = TempDir::new().map_err(|error| unwritten(&error))?;
    to_file(request, &folder.path().join(name), app.limits.import_bytes, app.stall_time).await?;
    let limits = ReadLimits { compressed_bytes: app.limits.import_bytes as u64, ..ReadLimits::default() };
    Ok(Kept { folder, name, limits })
}

/// Writes a body to a file. It may take as long as it likes in all, but not between two pieces.
async fn to_file(request: Request, file: &Path, limit: usize, stall: Duration) -> Result<(), Problem> {
    announced(&request, limit)?;
    let mut file = File::create_new(file).await.map_err(|error| unwritten(&error))?;
    let mut body: Body = request.into_body();
    let mut bytes = 0_usize;
    loop {
        let frame = tokio::time::timeout(stall, body.frame()).await.map_err(|_| Problem::too_slow())?;
        let Some(frame) = frame else { break };
        let Ok(piece) = frame.map_err(|error| cut_off(&error))?.into_data() else { continue };
        bytes = bytes.saturating_add(piece.len());
        if bytes > limit {
            return Err(too_large(limit));
        }
        file.write_all(&piece).await.map_err(|error| unwritten(&error))?;
    }
    file.flush().await.map_err(|error| unwritten(&error))
}

fn unwritten(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a body could not be kept on the disk");
    Refusal::new(Code::StorageUnavailable, "the body could not be kept; try again later").into()
}
