//! `PUT /imports/{source}/{batchId}`.

use std::io::Write;
use std::time::Duration;

use keelson_importer::{Context, Importer, Input, SourceFile};
use keelson_server::ServerOptions;
use keelson_server::delivery::{Delivery, MEDIA_TYPE};
use serde_json::json;

use crate::support::{BATCH, ESTATE, Running, any_port, run, start, start_with};

const OTHER: &str = "01KA0000000000000000000002";

fn revision(server: &Running) -> u64 {
    server.keelson.view().revision().0
}

fn to(batch: &str, wishes: &str) -> String {
    format!("/imports/estate/{batch}{wishes}")
}

#[test]
fn a_batch_is_planned_then_committed_then_known() {
    run(async {
        // Following a store that nobody else writes to changes nothing.
        let server = start_with(ServerOptions { follow: Some(Duration::from_millis(1)), ..any_port() }).await;
        let planned = server.import(&to(BATCH, "?dryRun=true"), ESTATE).await;
        assert_eq!(planned.status, 200, "{planned:?}");
        assert_eq!(planned.json()["dryRun"], true);
        assert_eq!(planned.json()["batches"][0]["outcome"], "planned");
        assert_eq!(revision(&server), 0);
        let committed = server.import(&to(BATCH, "?actor=alice&reason=first%20import"), ESTATE).await.json();
        let summary = &committed["batches"][0];
        assert_eq!((summary["outcome"].as_str(), summary["batch"].as_str()), (Some("committed"), Some(BATCH)));
        assert_eq!((summary["revision"].as_u64(), summary["source"].as_str()), (Some(1), Some("estate")));
        assert_eq!(summary["configurationItems"]["created"], 5);
        let counts = |document: &serde_json::Value| document["batches"][0]["configurationItems"].clone();
        assert_eq!(counts(&planned.json()), counts(&committed));
        let header = server.keelson.store().header(server.keelson.view().revision()).await.unwrap().unwrap();
        assert_eq!((&*header.actor, header.reason.as_deref()), ("alice", Some("first import")));
        let known = server.import(&to(BATCH, ""), ESTATE).await;
        assert_eq!((known.status, known.json()["batches"][0]["outcome"].as_str()), (200, Some("already_known")));
        assert_eq!(revision(&server), 1);
    });
}

#[test]
fn the_same_id_with_another_batch_is_refused() {
    run(async {
        let server = start().await;
        assert_eq!(server.import(&to(BATCH, ""), ESTATE).await.status, 200);
        let other = ESTATE.replace("hv1", "hv3");
        for wishes in ["", "?dryRun=true"] {
            let problem = server.import(&to(BATCH, wishes), &other).await.problem(409, "BATCH_ID_REUSED");
            assert_eq!(problem["batches"][0]["outcome"], "refused");
        }
        assert_eq!(revision(&server), 1);
    });
}

#[test]
fn a_repetition_is_known_when_the_batch_says_no_time() {
    run(async {
        let server = start().await;
        let timeless = ESTATE.replace(r#","observed_at":"2026-11-01T00:00:00Z""#, "");
        assert_ne!(timeless, ESTATE);
        let first = server.import(&to(BATCH, ""), &timeless).await.json();
        let second = server.import(&to(BATCH, ""), &timeless).await.json();
        assert_eq!(first["batches"][0]["outcome"], "committed", "{first}");
        assert_eq!(second["batches"][0]["outcome"], "already_known", "{second}");
    });
}

#[test]
fn a_refused_batch_changes_nothing_and_says_where() {
    run(async {
        let server = start().await;
        let bad = format!("{ESTATE}{}\n", r#"{"ci":{"key":"toaster/x","class":"toaster"}}"#);
        for wishes in ["?dryRun=true", ""] {
            let problem = server.import(&to(BATCH, wishes), &bad).await.problem(422, "BAD_USER_INPUT");
            let findings = problem["batches"][0]["findings"].as_array().unwrap();
            let finding = findings.iter().find(|finding| finding["code"] == "unknown_class").unwrap();
            assert_eq!(finding["position"], json!({ "file": "batch.ndjson", "line": 10 }), "{finding}");
        }
        let unreadable = server.import(&to(BATCH, ""), "nonsense").await.problem(422, "BAD_USER_INPUT");
        assert!(unreadable["detail"].as_str().unwrap().contains("batch.ndjson, line 1"), "{unreadable}");
        server.import(&to(BATCH, ""), "").await.problem(422, "BAD_USER_INPUT");
        let going = server.import(&to(OTHER, "?keepGoing=true"), &bad).await;
        assert_eq!((going.status, going.json()["batches"][0]["outcome"].as_str()), (200, Some("committed")));
        assert_eq!(revision(&server), 1);
    });
}

#[test]
fn an_address_that_makes_no_sense_is_refused() {
    run(async {
        let server = start().await;
        server.import("/imports/other/01KA0000000000000000000001", ESTATE).await.problem(422, "BAD_USER_INPUT");
        server.import(&to("first", ""), ESTATE).await.problem(400, "BAD_USER_INPUT");
        server.import(&to(BATCH, "?dry=true"), ESTATE).await.problem(400, "UNSUPPORTED_REQUEST");
        server.import(&to(BATCH, "?dryRun=perhaps"), ESTATE).await.problem(400, "UNSUPPORTED_REQUEST");
        let json = [("content-type", "application/json")];
        server.send("PUT", &to(BATCH, ""), &json, ESTATE).await.problem(415, "UNSUPPORTED_REQUEST");
        let brotli = [("content-type", "application/x-ndjson"), ("content-encoding", "br")];
        server.send("PUT", &to(BATCH, ""), &brotli, ESTATE).await.problem(415, "UNSUPPORTED_REQUEST");
        server.send("POST", &to(BATCH, ""), &[], "").await.problem(405, "UNSUPPORTED_REQUEST");
        assert_eq!(revision(&server), 0);
    });
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_packed_batch_is_unpacked_within_limits() {
    run(async {
        let mut options = any_port();
        options.limits.import_bytes = 50_000;
        let server = start_with(options).await;
        let gzip = [("content-type", "application/x-ndjson"), ("content-encoding", "gzip")];
        let reply = server.send("PUT", &to(BATCH, ""), &gzip, packed(ESTATE.as_bytes())).await;
        assert_eq!(
            (reply.status, reply.json()["batches"][0]["outcome"].as_str()),
            (200, Some("committed")),
            "{reply:?}"
        );
        let bomb = packed(&[ESTATE.as_bytes(), &vec![b' '; 16 << 20]].concat());
        server.send("PUT", &to(OTHER, ""), &gzip, bomb).await.problem(413, "PAYLOAD_TOO_LARGE");
        server.import(&to(OTHER, ""), ESTATE.repeat(100)).await.problem(413, "PAYLOAD_TOO_LARGE");
        let cut = packed(ESTATE.as_bytes());
        server.send("PUT", &to(OTHER, ""), &gzip, &cut[..cut.len() - 9]).await.problem(422, "BAD_USER_INPUT");
    });
}

#[test]
fn imports_beyond_their_turns_are_shed() {
    run(async {
        let server = start_with(ServerOptions { imports: 0, ..any_port() }).await;
        server.import(&to(BATCH, ""), ESTATE).await.problem(503, "OVERLOADED");
    });
}

#[test]
fn batches_read_elsewhere_are_taken_as_they_are() {
    run(async {
        let server = start().await;
        let input = Input::from_files(vec![SourceFile::from_bytes("estate.ndjson", ESTATE.as_bytes())]);
        let context = Context {
            source: "estate".into(),
            scope: None,
            complete: false,
            observed_at: chrono::DateTime::UNIX_EPOCH,
            options: std::collections::BTreeMap::new(),
        };
        let batch = keelson_import_batch::BatchImporter.normalise(&input, &context).unwrap().remove(0);
        let send = async |path: &str, batches: Vec<keelson_model::Batch>| {
            let body = serde_json::to_vec(&Delivery { batches }).unwrap();
            let headers = [("content-type", MEDIA_TYPE), ("content-encoding", "gzip")];
            server.send("PUT", path, &headers, packed(&body)).await
        };
        let two = send(&to(BATCH, "?dryRun=true"), vec![batch.clone(), batch.clone()]).await.json();
        // The second is planned on what the first would leave.
        let outcome = |at: usize| two["batches"][at]["outcome"].as_str().unwrap().to_owned();
        assert_eq!((outcome(0), outcome(1)), ("planned".into(), "already_known".into()), "{two}");
        send(&to(BATCH, ""), vec![batch.clone(), batch.clone()]).await.problem(422, "BAD_USER_INPUT");
        assert_eq!(revision(&server), 0);
        let committed = send(&to(BATCH, ""), vec![batch.clone()]).await.json();
        assert_eq!(committed["batches"][0]["outcome"], "committed", "{committed}");
        let headers = [("content-type", MEDIA_TYPE)];
        server.send("PUT", &to(OTHER, ""), &headers, "{\"batches\":[{}]}").await.problem(422, "BAD_USER_INPUT");
        server.send("PUT", &to(OTHER, ""), &headers, "{\"batches\":[]}").await.problem(422, "BAD_USER_INPUT");
    });
}

#[test]
fn measured_points_come_in_plain_or_packed_and_are_known_again() {
    run(async {
        let server = start().await;
        assert_eq!(server.import(&to(BATCH, ""), ESTATE).await.status, 200);
        let key = server.keelson.view().catalogue.cis().next().unwrap().1.ci.key.to_string();
        let table = format!("key,time,value\n{key},2026-11-01,5\n{key},2026-11-02,\n");
        let (to, csv) =
            ("/series/monitoring?metric=demand&unit=requests%2Fs&actor=alice", [("content-type", "text/csv")]);
        let dry = server.send("POST", &format!("{to}&dryRun=true"), &csv, &table).await.json();
        assert_eq!((&dry["points"], &dry["gaps"], &dry["revision"]), (&json!(1), &json!(1), &json!(null)));
        let taken = server.send("POST", to, &csv, &table).await.json();
        assert_eq!((&taken["series"], &taken["revision"]), (&json!(1), &json!(2)));
        let gzip = [csv[0], ("content-encoding", "gzip")];
        let again = server.send("POST", to, &gzip, packed(table.as_bytes())).await.json();
        assert_eq!((&again["alreadyKnown"], &again["revision"]), (&json!(true), &json!(null)));
        let header = server.keelson.store().header(server.keelson.view().revision()).await.unwrap().unwrap();
        assert_eq!(&*header.actor, "alice");
    });
}

#[test]
fn points_that_mean_nothing_are_refused() {
    run(async {
        let server = start().await;
        let csv = [("content-type", "text/csv")];
        let post = |path: &'static str, headers: [(&'static str, &'static str); 1], body: &'static str| {
            let server = &server;
            async move { server.send("POST", path, &headers, body).await }
        };
        let unknown =
            post("/series/m?metric=demand", csv, "key,time,value,unit\nhost/none,2026-11-01,1,requests/s\n").await;
        let problem = unknown.problem(422, "BAD_USER_INPUT");
        assert!(problem["detail"].as_str().unwrap().contains("host/none"), "{problem}");
        let bad = post("/series/m?metric=demand", csv, "key,time,value,unit\nhost/none,yesterday,1,requests/s\n").await;
        let problem = bad.problem(422, "BAD_USER_INPUT");
        assert!(problem["detail"].as_str().unwrap().contains("line 2, column 'time'"), "{problem}");
        let json = [("content-type", "application/json")];
        let problem = post("/series/m?metric=demand", json, "{}").await.problem(422, "BAD_USER_INPUT");
        assert!(problem["detail"].as_str().unwrap().contains("'key'"), "{problem}");
        post("/series/m", [("content-type", "text/plain")], "").await.problem(415, "UNSUPPORTED_REQUEST");
        post("/series/m?metrics=demand", csv, "").await.problem(400, "UNSUPPORTED_REQUEST");
        server.send("PUT", "/series/m", &csv, "").await.problem(405, "UNSUPPORTED_REQUEST");
        assert_eq!(revision(&server), 0);
    });
}
