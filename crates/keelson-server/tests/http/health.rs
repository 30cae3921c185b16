//! Health, and the headers of every answer.

use std::time::Duration;

use keelson_server::ServerOptions;

use crate::support::{any_port, run, start, start_with};

#[test]
fn a_server_says_that_it_lives_and_is_ready() {
    run(async {
        let server = start().await;
        let live = server.get("/livez").await;
        assert_eq!((live.status, live.body.as_str()), (200, r#"{"status":"live"}"#));
        let ready = server.get("/readyz").await;
        assert_eq!((ready.status, ready.json()["status"].as_str().unwrap()), (200, "ready"));
        assert_eq!(server.send("HEAD", "/readyz", &[], "").await.status, 200);
    });
}

#[test]
fn every_answer_is_named_and_guarded() {
    run(async {
        let server = start().await;
        for path in ["/livez", "/none", "/questions"] {
            let reply = server.send("GET", path, &[("x-request-id", "abc-1")], "").await;
            assert_eq!(reply.headers["x-request-id"], "abc-1", "{path}");
            assert_eq!(reply.headers["x-content-type-options"], "nosniff");
            assert_eq!(reply.headers["referrer-policy"], "no-referrer");
            assert_eq!(reply.headers["content-security-policy"], "default-src 'self'; frame-ancestors 'none'");
        }
        let (first, second) = (server.get("/livez").await, server.get("/livez").await);
        assert_eq!(first.headers["x-request-id"].len(), 26);
        assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
        let long = "x".repeat(500);
        let reply = server.send("GET", "/livez", &[("x-request-id", &long)], "").await;
        assert_eq!(reply.headers["x-request-id"].len(), 26);
    });
}

#[test]
fn readiness_ends_before_listening() {
    run(async {
        let mut server = start_with(ServerOptions { drain_time: Duration::from_secs(5), ..any_port() }).await;
        assert_eq!(server.get("/readyz").await.status, 200);
        server.stop();
        let reply = loop {
            let reply = server.get("/readyz").await;
            if reply.status != 200 {
                break reply;
            }
        };
        assert_eq!(reply.problem(503, "OVERLOADED")["reason"], "draining");
        assert_eq!(reply.headers["retry-after"], "1");
        assert_eq!(server.get("/livez").await.status, 200);
        server.ended().await;
    });
}
