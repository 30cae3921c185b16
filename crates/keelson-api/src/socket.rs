//! Subscriptions over WebSocket, by the sub-protocol `graphql-transport-ws`.
//!
//! Documents pass the same guard, limits and costs as over HTTP. A side that reads too slowly, or breaks the
//! protocol, is closed with a code that says why.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{Response as Answer, ServerError};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::SinkExt;
use futures::stream::{SplitSink, StreamExt};
use http::header::{CONTENT_TYPE, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::uri::Uri;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::Api;
use crate::context::Principal;
use crate::errors::{Code, Refusal};
use crate::http::{Sent, body_of, errors_of, is_request_error, subscription};
use crate::schema::server_error;

/// The sub-protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// Time the other side may take to hear that it is closed.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// What all sockets of a principal share.
#[derive(Clone)]
struct Sockets {
    api: Api,
    principal: Principal,
    places: Arc<Semaphore>,
}

/// The route of sockets.
pub(crate) fn router(api: Api, principal: Principal) -> Router {
    let places = Arc::new(Semaphore::new(api.services.limits.sockets));
    Router::new().route("/graphql/ws", any(open)).with_state(Sockets { api, principal, places })
}

async fn open(
    State(sockets): State<Sockets>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !is_own_origin(&headers) {
        let message = "pages of other origins may not open a socket";
        return refused(StatusCode::FORBIDDEN, &Refusal::new(Code::Forbidden, message));
    }
    let unsupported =
        |message: &str| refused(StatusCode::BAD_REQUEST, &Refusal::new(Code::UnsupportedRequest, message));
    let Ok(upgrade) = upgrade else { return unsupported("open a WebSocket here") };
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == PROTOCOL) {
        return unsupported("speak the sub-protocol graphql-transport-ws");
    }
    let Ok(place) = Arc::clone(&sockets.places).try_acquire_owned() else {
        let message = format!("{} sockets at a time are the most", sockets.api.services.limits.sockets);
        return refused(StatusCode::TOO_MANY_REQUESTS, &Refusal::new(Code::RateLimited, message));
    };
    let most = sockets.api.services.limits.message_bytes;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(most).max_frame_size(most);
    upgrade.on_upgrade(async move |socket| {
        serve(socket, sockets.api, sockets.principal).await;
        drop(place);
    })
}

/// Whether a page, if it is one that asks, comes from where it asks.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = origin.as_ref().and_then(Uri::authority);
    authority.zip(host).is_some_and(|(authority, host)| authority.as_str().eq_ignore_ascii_case(host))
}

fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let problem = json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "code": refusal.code.as_str(),
        "detail": refusal.message,
    });
    (status, [(CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Close(u16, String);

impl Close {
    fn bad() -> Self {
        Self(4400, "not a message of graphql-transport-ws".to_owned())
    }
}

/// What a client says.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Json>,
}

/// Operations under way, by their ids. The number tells apart two that had the same id one after the other.
type Active = Arc<Mutex<HashMap<String, (u64, AbortHandle)>>>;

/// A socket from its opening to its end.
struct Session {
    api: Api,
    principal: Principal,
    out: mpsc::Sender<Message>,
    active: Active,
    started: u64,
    /// Told when a message did not fit into the queue.
    overrun: Arc<Notify>,
    is_acknowledged: bool,
}

async fn serve(socket: WebSocket, api: Api, principal: Principal) {
    let (sink, mut stream) = socket.split();
    let (out, queue) = mpsc::channel(api.services.limits.message_queue);
    let (close, closing) = oneshot::channel();
    let writer = tokio::spawn(write(sink, queue, closing));
    let mut stopping = api.services.stopping.subscribe();
    let mut stopped = std::pin::pin!(async { drop(stopping.wait_for(|is_so| *is_so).await) });
    let mut init = std::pin::pin!(tokio::time::sleep(api.services.limits.init_time));
    let overrun = Arc::new(Notify::new());
    let mut session = Session {
        api: api.clone(),
        principal,
        out,
        active: Active::default(),
        started: 0,
        overrun: Arc::clone(&overrun),
        is_acknowledged: false,
    };
    let end = loop {
        tokio::select! {
            () = init.as_mut(), if !session.is_acknowledged => {
                break Some(Close(4408, "Connection initialisation timeout".to_owned()));
            }
            () = overrun.notified() => break Some(Close(1013, "the other side reads too slowly".to_owned())),
            () = stopped.as_mut() => break Some(Close(1001, "the server stops".to_owned())),
            message = stream.next() => match message {
                None | Some(Ok(Message::Close(_))) => break None,
                Some(Ok(Message::Text(text))) => {
                    if let Err(close) = session.hear(&text) {
                        break Some(close);
                    }
                }
                Some(Ok(Message::Binary(_)) | Err(_)) => break Some(Close::bad()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            },
        }
    };
    // The reason first: without the session nothing can be queued any more, which ends the writer too.
    match end {
        Some(reason) => drop(close.send(reason)),
        None => drop(close),
    }
    session.end();
    let _ = writer.await;
}

/// Sends what is queued, until the socket is closed.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Message>,
    mut closing: oneshot::Receiver<Close>,
) {
    let writing = async {
        while let Some(message) = queue.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    let close = tokio::select! {
        close = &mut closing => close.ok(),
        // The reason was given before the queue ended.
        () = writing => closing.try_recv().ok(),
    };
    let frame = close.map(|Close(code, reason)| CloseFrame { code, reason: reason.into() });
    let ending = async {
        while let Ok(message) = queue.try_recv() {
            sink.send(message).await?;
        }
        sink.send(Message::Close(frame)).await
    };
    // Whoever does not listen is not waited for.
    let _ = tokio::time::timeout(CLOSE_TIME, ending).await;
}

fn lock(active: &Active) -> std::sync::MutexGuard<'_, HashMap<String, (u64, AbortHandle)>> {
    active.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queues a message; gives up on the socket when the queue is full.
fn tell(out: &mpsc::Sender<Message>, overrun: &Notify, message: &Json) -> bool {
    let is_queued = out.try_send(Message::Text(message.to_string().into())).is_ok();
    if !is_queued {
        overrun.notify_one();
    }
    is_queued
}

impl Session {
    fn tell(&self, message: &Json) {
        tell(&self.out, &self.overrun, message);
    }

    /// Takes one message of the client.
    fn hear(&mut self, text: &str) -> Result<(), Close> {
        let said: Said = serde_json::from_str(text).map_err(|_| Close::bad())?;
        if !matches!(said.payload, None | Some(Json::Null | Json::Object(_))) {
            return Err(Close::bad());
        }
        match (said.kind.as_str(), said.id) {
            ("connection_init", _) if self.is_acknowledged => {
                return Err(Close(4429, "Too many initialisation requests".to_owned()));
            }
            ("connection_init", _) => {
                self.is_acknowledged = true;
                self.tell(&json!({ "type": "connection_ack" }));
            }
            ("ping", _) => self.tell(&json!({ "type": "pong" })),
            ("pong", _) => {}
            ("subscribe", _) if !self.is_acknowledged => return Err(Close(4401, "Unauthorized".to_owned())),
            ("subscribe", Some(id)) => self.begin(id, said.payload.ok_or_else(Close::bad)?)?,
            ("complete", Some(id)) => {
                if let Some((_, operation)) = lock(&self.active).remove(&id) {
                    operation.abort();
                }
            }
            _ => return Err(Close::bad()),
        }
        Ok(())
    }

    /// Begins an operation.
    fn begin(&mut self, id: String, payload: Json) -> Result<(), Close> {
        let sent: Sent = serde_json::from_value(payload).map_err(|_| Close::bad())?;
        let mut active = lock(&self.active);
        if active.contains_key(&id) {
            // The reason of a closed socket has 123 bytes at most.
            let shown: String = id.chars().take(20).collect();
            return Err(Close(4409, format!("Subscriber for {shown} already exists")));
        }
        let most = self.api.services.limits.socket_operations;
        if active.len() >= most {
            let refusal = Refusal::new(Code::RateLimited, format!("{most} operations at a time are the most"));
            self.tell(&error_message(&id, &self.api, server_error(refusal)));
            return Ok(());
        }
        let (request, price) = match subscription(&self.api, self.principal.clone(), sent) {
            Ok(ready) => ready,
            Err(None) => return Err(Close::bad()),
            Err(Some(error)) => {
                self.tell(&error_message(&id, &self.api, error));
                return Ok(());
            }
        };
        self.started += 1;
        let number = self.started;
        let (api, out, overrun) = (self.api.clone(), self.out.clone(), Arc::clone(&self.overrun));
        let (running, key) = (Arc::clone(&self.active), id.clone());
        let operation = tokio::spawn(async move {
            let mut events = api.schema.execute_stream(request);
            let mut last = json!({ "id": id, "type": "complete" });
            while let Some(event) = events.next().await {
                if is_request_error(&event) {
                    last = json!({ "id": id, "type": "error", "payload": errors_of(&event, &api) });
                    break;
                }
                let payload = body_of(&event, price.points(), &api);
                if !tell(&out, &overrun, &json!({ "id": id, "type": "next", "payload": payload })) {
                    return;
                }
            }
            let mut running = lock(&running);
            if running.get(&id).is_some_and(|(known, _)| *known == number) {
                running.remove(&id);
                tell(&out, &overrun, &last);
            }
        });
        active.insert(key, (number, operation.abort_handle()));
        Ok(())
    }

    /// Ends all operations.
    fn end(self) {
        for (_, (_, operation)) in lock(&self.active).drain() {
            operation.abort();
        }
    }
}

fn error_message(id: &str, api: &Api, error: ServerError) -> Json {
    json!({ "id": id, "type": "error", "payload": errors_of(&Answer::from_errors(vec![error]), api) })
}
