//! Subscriptions over WebSocket: what is followed, and what the protocol refuses.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures::{SinkExt, StreamExt};
use http::HeaderValue;
use keelson_api::limits::Limits;
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::common::{Place, run};

const SCHEDULE: &str = "subscription($from: DateTime!, $to: DateTime!) { changeSchedule(from: $from, to: $to) { \
    changes { nodes { key state } } completeness { revision { number } } } }";

/// One end of a socket.
struct Client(WebSocketStream<TcpStream>);

/// Listens with the interface.
async fn listen(place: &Place) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = place.api.router("tester");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Opens a socket, with a header if one is given; otherwise with which status it is refused.
async fn connect(address: SocketAddr, protocol: &'static str, origin: Option<&str>) -> Result<Client, u16> {
    let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(Client(socket)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn ready(address: SocketAddr) -> Client {
    let mut client = connect(address, "graphql-transport-ws", None).await.unwrap_or_else(|status| panic!("{status}"));
    client.say(json!({ "type": "connection_init", "payload": {} })).await;
    assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
    client
}

impl Client {
    async fn say(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Json) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query, "variables": variables } })).await;
    }

    /// The next message.
    async fn hear(&mut self) -> Json {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.unwrap();
        match next.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code with which the socket is closed.
    async fn closed(&mut self) -> u16 {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.unwrap();
            if let Message::Close(frame) = next.unwrap().unwrap() {
                return frame.unwrap().code.into();
            }
        }
    }

    /// Whether nothing comes for a while.
    async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(400), self.0.next()).await.is_err()
    }
}

#[test]
fn a_schedule_is_followed_and_told_only_when_it_changes() {
    run(async {
        let place = Place::with_estate().await;
        let mut client = ready(listen(&place).await).await;
        let (from, to) = (Utc::now(), Utc::now() + TimeDelta::days(2));
        client.subscribe("one", SCHEDULE, json!({ "from": from, "to": to })).await;
        let first = client.hear().await;
        assert_eq!((&first["type"], &first["id"]), (&json!("next"), &json!("one")), "{first:#}");
        assert_eq!(first["payload"]["data"]["changeSchedule"]["changes"]["nodes"], json!([]));
        assert!(first["payload"]["extensions"]["cost"]["requested"].as_u64().unwrap() >= 500);

        let create = "mutation($input: CreateRequestForChangeInput!) { createRequestForChange(input: $input) { \
            requestForChange { id version } userErrors { message } } }";
        let content = json!({
            "title": "patch", "reason": "due", "window": { "start": from, "end": from + TimeDelta::hours(1) },
            "alterations": [{ "itemId": place.id("host/hv1").await, "action": "RESTARTS" }],
        });
        let made = place.data(create, json!({ "input": { "content": content } })).await;
        assert!(client.is_silent().await, "a draft is in no schedule");
        let submit = "mutation($input: SubmitRequestForChangeInput!) { submitRequestForChange(input: $input) { \
            userErrors { message } } }";
        let made = &made["createRequestForChange"]["requestForChange"];
        let input = json!({ "id": made["id"], "expectedVersion": made["version"] });
        place.data(submit, json!({ "input": input })).await;
        let second = client.hear().await;
        let nodes = &second["payload"]["data"]["changeSchedule"]["changes"]["nodes"];
        assert_eq!(*nodes, json!([{ "key": "RFC-1", "state": "SUBMITTED" }]), "{second:#}");

        client.say(json!({ "id": "one", "type": "complete" })).await;
        client.say(json!({ "type": "ping" })).await;
        assert_eq!(client.hear().await, json!({ "type": "pong" }));
        // The same id may be used again.
        client.subscribe("one", SCHEDULE, json!({ "from": to, "to": from })).await;
        let backwards = client.hear().await;
        assert_eq!(backwards["payload"]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{backwards:#}");
        place.api.stop();
        assert_eq!(client.closed().await, 1001);
    });
}

#[test]
fn the_protocol_is_kept() {
    run(async {
        let place = Place::with(Limits { socket_operations: 2, ..Limits::default() }).await;
        let address = listen(&place).await;
        let ours = format!("http://{address}");
        assert_eq!(connect(address, "graphql-ws", None).await.err(), Some(400));
        assert_eq!(connect(address, "graphql-transport-ws", Some("https://example.org")).await.err(), Some(403));
        assert_eq!(connect(address, "graphql-transport-ws", Some("null")).await.err(), Some(403));
        assert!(connect(address, "graphql-transport-ws", Some(&ours)).await.is_ok());

        let mut early = connect(address, "graphql-transport-ws", None).await.ok().unwrap();
        early.subscribe("a", "subscription { __typename }", json!({})).await;
        assert_eq!(early.closed().await, 4401);
        let mut twice = ready(address).await;
        twice.say(json!({ "type": "connection_init" })).await;
        assert_eq!(twice.closed().await, 4429);
        for bad in [json!({ "type": "shout" }), json!([]), json!({ "type": "subscribe", "id": "a" })] {
            let mut client = ready(address).await;
            client.say(bad).await;
            assert_eq!(client.closed().await, 4400);
        }
        let mut long = ready(address).await;
        long.say(json!({ "type": "ping", "payload": { "text": "x".repeat(70_000) } })).await;
        assert_eq!(long.closed().await, 4400);

        let mut client = ready(address).await;
        let code = |message: &Json| message["payload"][0]["extensions"]["code"].clone();
        client.subscribe("a", "{ revision { number } }", json!({})).await;
        let query = client.hear().await;
        assert_eq!((&query["type"], code(&query)), (&json!("error"), json!("UNSUPPORTED_REQUEST")), "{query:#}");
        client.subscribe("a", &"{ a ".repeat(2_000), json!({})).await;
        assert_eq!(code(&client.hear().await), "DOCUMENT_TOO_DEEP");
        client.subscribe("a", "subscription { nothing }", json!({})).await;
        assert_eq!(code(&client.hear().await), "GRAPHQL_VALIDATION_FAILED");
        let times = json!({ "from": Utc::now(), "to": Utc::now() + TimeDelta::days(1) });
        for id in ["a", "b", "c"] {
            client.subscribe(id, SCHEDULE, times.clone()).await;
        }
        let mut heard = Vec::new();
        for _ in 0..3 {
            let message = client.hear().await;
            heard.push((message["id"].clone(), message["type"].clone()));
        }
        assert!(heard.contains(&(json!("c"), json!("error"))), "{heard:?}");
        client.subscribe("a", SCHEDULE, times).await;
        assert_eq!(client.closed().await, 4409);
        let over_http = place.code("subscription { __typename }", json!({})).await;
        assert_eq!(over_http, "UNSUPPORTED_REQUEST");
    });
}

#[test]
fn sockets_are_few_and_must_be_initialised_in_time() {
    run(async {
        let limits = Limits { sockets: 1, init_time: Duration::from_millis(300), ..Limits::default() };
        let place = Place::with(limits).await;
        let address = listen(&place).await;
        let mut first = connect(address, "graphql-transport-ws", None).await.ok().unwrap();
        assert_eq!(connect(address, "graphql-transport-ws", None).await.err(), Some(429));
        assert_eq!(first.closed().await, 4408);
        drop(first);
        let mut tries = 0;
        while connect(address, "graphql-transport-ws", None).await.is_err() {
            tries += 1;
            assert!(tries < 100, "the place of a closed socket is free again");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}
