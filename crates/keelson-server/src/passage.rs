//! What every request passes, from the outside in: id and headers, panics, the name of the host,
//! overload, a deadline.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, header};
use keelson_api::errors::Code;
use keelson_app::system::RandomIds;
use keelson_model::IdSource;

use crate::problem::{PROBLEM, Problem};
use crate::routes::App;

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that is taken over from the caller.
const MOST_ID_BYTES: usize = 128;
/// Headers of every answer that does not bring its own.
const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'")),
];

/// Names the request, gives the answer its headers, writes problems out and keeps the log.
pub(crate) async fn outermost(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let shown = id.to_str().unwrap_or_default().to_owned();
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        // A document made of texts and numbers serialises.
        let document = serde_json::to_vec(&problem.document(&shown)).unwrap_or_default();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(document);
    }
    for (name, value) in SECURITY {
        // A page that says more strictly what it may do knows better.
        response.headers_mut().entry(name).or_insert(value);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    let (status, duration_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::info!(request.id = %shown, %method, path, status, duration_ms, "answered");
    response
}

/// The caller's own id of the request where it can be shown, otherwise a new one.
fn request_id(request: &Request) -> HeaderValue {
    let can_be_shown = |value: &&HeaderValue| {
        (1..=MOST_ID_BYTES).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let given = request.headers().get(REQUEST_ID).filter(can_be_shown).cloned();
    given.unwrap_or_else(|| {
        let id = RandomIds::new().next_ulid().to_string();
        HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}

/// The answer to a request whose handling panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer asks for a function of this type")]
pub(crate) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words");
    tracing::error!(panic = words, "the handling of a request panicked");
    Problem::new(Code::Internal, "internal error; the log tells more under the id of the request").into_response()
}

/// Refuses requests that name a foreign host: a page that was given this machine's address under a
/// name of its own (DNS rebinding) shall not read the answers.
pub(crate) async fn local_host(request: Request, next: Next) -> Response {
    let mut named = false;
    let authority = request.uri().authority().map(Authority::as_str);
    let hosts = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    for host in authority.into_iter().chain(hosts) {
        named = true;
        if !is_local(host) {
            return foreign_host();
        }
    }
    if named { next.run(request).await } else { foreign_host() }
}

fn foreign_host() -> Response {
    let detail = "the host named is not this machine; ask under localhost, 127.0.0.1 or [::1]";
    Problem::new(Code::Forbidden, detail).into_response()
}

/// Whether the host of an authority is this machine.
fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Refuses requests beyond those that may be in flight.
pub(crate) async fn admitted(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Ok(_place) = app.places.try_acquire() else {
        return Problem::new(Code::Overloaded, "there is too much to do; try again soon").into_response();
    };
    next.run(request).await
}

/// Ends the waiting for routes that keep no deadline of their own, or fail to.
pub(crate) async fn deadline(State(time): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timeout("the time for a request has passed; what was to be written may have been written")
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:80", "127.9.9.9", "[::1]", "[::1]:8080"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.nip.io",
            "10.0.0.1:8080",
            "0.0.0.0",
            "[::]",
            "localhost@example.org",
            "a@localhost",
            "[::ffff:10.0.0.1]",
            "localhost, example.org",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
