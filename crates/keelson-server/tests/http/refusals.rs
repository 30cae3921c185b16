//! What the server does not take.

use std::time::Duration;

use keelson_server::{Server, ServerError, ServerOptions};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{any_port, empty, reply, request, rest, run, start, start_with};

const JSON: (&str, &str) = ("content-type", "application/json");
const SHORT: Duration = Duration::from_millis(200);

#[test]
fn an_address_others_can_reach_is_refused() {
    run(async {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let options = ServerOptions::at(address.parse().unwrap());
            let Err(error) = Server::bind(options, empty().await).await else { panic!("{address} was listened on") };
            assert!(matches!(error, ServerError::NotLoopback { .. }));
            assert!(error.to_string().contains("authentication is not built yet"), "{error}");
        }
    });
}

#[test]
fn an_address_in_use_is_an_error() {
    run(async {
        let server = start().await;
        let again = Server::bind(ServerOptions::at(server.address), server.keelson.clone()).await;
        assert!(matches!(again, Err(ServerError::Listen { .. })));
    });
}

#[test]
fn wrong_paths_methods_types_and_sizes_are_problems() {
    run(async {
        let server = start().await;
        server.get("/none").await.problem(404, "NOT_FOUND");
        let reply = server.get("/questions").await;
        reply.problem(405, "UNSUPPORTED_REQUEST");
        assert_eq!(reply.headers["allow"], "POST");
        server.send("POST", "/livez", &[], "").await.problem(405, "UNSUPPORTED_REQUEST");
        for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"] {
            let reply = server.send("POST", "/questions", &[("content-type", media)], "{}").await;
            reply.problem(415, "UNSUPPORTED_REQUEST");
        }
        server.send("POST", "/questions", &[], "{}").await.problem(415, "UNSUPPORTED_REQUEST");
        let packed = [JSON, ("content-encoding", "gzip")];
        server.send("POST", "/questions", &packed, "{}").await.problem(415, "UNSUPPORTED_REQUEST");
        let charset = [("content-type", "Application/JSON; charset=utf-8")];
        server.send("POST", "/questions", &charset, "{}").await.problem(400, "BAD_USER_INPUT");
    });
}

#[test]
fn bodies_over_the_limit_are_refused() {
    run(async {
        let mut options = any_port();
        options.limits.body_bytes = 100;
        let server = start_with(options).await;
        server.send("POST", "/questions", &[JSON], "x".repeat(101)).await.problem(413, "PAYLOAD_TOO_LARGE");
        // One that does not say how large it is.
        let mut stream = server.connect().await;
        let head = "POST /questions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                    content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let body = format!("65\r\n{}\r\n0\r\n\r\n", "x".repeat(0x65));
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        reply(stream).await.problem(413, "PAYLOAD_TOO_LARGE");
    });
}

#[test]
fn foreign_hosts_are_refused() {
    run(async {
        let server = start().await;
        for host in ["example.org", "localhost.example.org:8080", "192.0.2.1", "127.0.0.1.nip.io", ""] {
            for path in ["/livez", "/questions", "/none"] {
                server.send("GET", path, &[("host", host)], "").await.problem(403, "FORBIDDEN");
            }
        }
        for host in ["localhost", "localhost:1", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(server.send("GET", "/livez", &[("host", host)], "").await.status, 200);
        }
        let two = [("host", "localhost"), ("host", "example.org")];
        server.send("GET", "/livez", &two, "").await.problem(403, "FORBIDDEN");
        server.send("GET", "http://example.org/livez", &[], "").await.problem(403, "FORBIDDEN");
        let mut stream = server.connect().await;
        stream.write_all(b"GET /livez HTTP/1.0\r\n\r\n").await.unwrap();
        reply(stream).await.problem(403, "FORBIDDEN");
    });
}

#[test]
fn half_sent_headers_are_closed() {
    run(async {
        let server = start_with(ServerOptions { header_time: SHORT, ..any_port() }).await;
        for begun in ["", "P", "PRI * HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /livez HTTP/1.1\r\nhost: lo"] {
            let mut stream = server.connect().await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            assert!(!String::from_utf8_lossy(&rest(stream).await).contains("200 OK"), "{begun}");
        }
        // Also behind a request that was answered.
        let mut stream = server.connect().await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\nGET /livez HTTP/1.1\r\n").await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest(stream).await).matches("200 OK").count(), 1);
        assert_eq!(server.get("/livez").await.status, 200);
    });
}

#[test]
fn a_body_that_stalls_is_a_timeout() {
    run(async {
        let mut options = ServerOptions { stall_time: SHORT, ..any_port() };
        options.limits.body_time = SHORT;
        let server = start_with(options).await;
        let import = "/imports/estate/01KA0000000000000000000001";
        for (method, path, media) in
            [("POST", "/questions", "application/json"), ("PUT", import, "application/x-ndjson")]
        {
            let whole = request(method, path, &[("content-type", media)], &[b'x'; 100]);
            let mut stream = server.connect().await;
            stream.write_all(&whole[..whole.len() - 50]).await.unwrap();
            reply(stream).await.problem(408, "TIMEOUT");
        }
    });
}

#[test]
fn more_than_fit_are_shed_and_health_is_not() {
    run(async {
        let server = start_with(ServerOptions { in_flight: 1, ..any_port() }).await;
        let question = json!({ "question": { "question": "path", "from": "a", "to": "b" } });
        let whole = request("POST", "/questions", &[JSON, ("expect", "100-continue")], question.to_string().as_bytes());
        let mut stream = server.connect().await;
        stream.write_all(&whole[..whole.len() - 5]).await.unwrap();
        // The server asks for the body once the request has its place.
        let mut line = [0; 25];
        stream.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
        let shed = server.ask(&question).await;
        shed.problem(503, "OVERLOADED");
        assert_eq!(shed.headers["retry-after"], "1");
        assert_eq!(server.get("/livez").await.status, 200);
        assert_eq!(server.get("/readyz").await.status, 200);
        stream.write_all(&whole[whole.len() - 5..]).await.unwrap();
        reply(stream).await.problem(404, "NOT_FOUND");
        server.ask(&question).await.problem(404, "NOT_FOUND");
    });
}

#[test]
fn connections_beyond_the_cap_wait_for_their_turn() {
    run(async {
        let server = start_with(ServerOptions { connections: 1, ..any_port() }).await;
        let mut first = server.connect().await;
        first.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut line = [0; 15];
        first.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"HTTP/1.1 200 OK");
        let mut second = std::pin::pin!(server.get("/livez"));
        assert!(tokio::time::timeout(SHORT, second.as_mut()).await.is_err(), "there was a place for it");
        drop(first);
        assert_eq!(second.await.status, 200);
    });
}
