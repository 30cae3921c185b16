//! The analyses of the graph through `keelson import batch` and their commands, of an embedded store and of a server:
//! answers known from outside, worked out by hand.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, Serving, each, fixture};
use serde_json::{Value as Json, json};

/// The third web server on a host of its own, in a hall that nothing else stands in.
const WEB3_MOVED: &str = r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"all","observed_at":"2026-11-02T00:00:00Z"}}
{"ci":{"key":"host/hv3","class":"host","name":"hv3"}}
{"need":{"dependent":"software-instance/web3","name":"host","rule":"all","members":["host/hv3"]}}
"#;

fn estate() -> Place {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    place
}

fn points<'a>(answer: &'a Json, service: &str) -> Vec<&'a str> {
    let services = answer["services"].as_array().unwrap();
    each(&services.iter().find(|one| one["key"] == service).unwrap()["certain"], "name")
}

#[test]
fn single_points_and_their_best_fix() {
    let place = estate();
    let answer = place.json(&["spof", "--fixes", "3"]);
    assert_eq!(points(&answer, "service/payments"), ["ColoY", "PowerCo", "dns", "hv2", "siteY", "sso", "swY"]);
    assert_eq!(points(&answer, "service/portal"), ["PowerCo", "dns", "sso"]);
    assert_eq!(answer["fixes"][0]["removed"], 4);
    assert_eq!((&answer["complete"], &answer["revision"]), (&json!(true), &json!(1)));
}

#[test]
fn a_file_is_supposed_and_nothing_is_written() {
    let place = estate();
    let file = place.file("web3-moved.ndjson", WEB3_MOVED);
    let answer = place.json(&["spof", "service/payments", "--what-if", &file]);
    assert_eq!(points(&answer, "service/payments"), ["PowerCo", "dns", "sso"]);
    let supposing = answer["supposing"][0].as_str().unwrap();
    assert!(supposing.ends_with("web3-moved.ndjson: 2 records of worked-estate as it would leave them"), "{supposing}");
    assert_eq!(answer["revision"], 1, "the revision is that of what is there");
    assert_eq!(place.json(&["impact", "host/hv2", "--what-if", &file])["breachedServices"], 0);

    assert_eq!(points(&place.json(&["spof"]), "service/payments").len(), 7, "nothing was written");
    assert_eq!(place.run(&["get", "host/hv3"]).status, 2);
}

#[test]
fn what_cannot_be_supposed_is_refused_with_reasons() {
    let place = estate();
    let unknown = place.file("unknown.ndjson", WEB3_MOVED.replace("\"host\",\"name\":\"hv3\"", "\"nonsense\""));
    for (args, says) in [
        (vec!["spof", "--scenario", "none"], "there is no scenario 'none'"),
        (vec!["spof", "--what-if", "nowhere.ndjson"], "nowhere.ndjson cannot be read"),
        (vec!["spof", "--what-if", &unknown], "supposes cannot be"),
        (vec!["spof", "--zone", "Nowhere/None"], "Nowhere/None"),
        (vec!["spof", "--form", "csv"], "--to-file"),
    ] {
        let ran = place.run(&args);
        assert_eq!(ran.status, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_report_is_the_same_in_every_form() {
    let place = estate();
    let table = place.ok(&["spof"]);
    for says in ["4 of 4 services have single points of failure", "supplier/PowerCo", "COMPLETENESS", "complete"] {
        assert!(table.to_uppercase().contains(&says.to_uppercase()), "{says}: {table}");
    }
    let markdown = place.ok(&["spof", "--form", "markdown"]);
    assert!(markdown.starts_with("# Single points of failure\n"), "{markdown}");
    let page = place.ok(&["spof", "--form", "html"]);
    assert!(page.contains("<title>Single points of failure"), "{page}");
    let csv = place.ok(&["spof", "--output", "csv"]);
    assert_eq!(csv.lines().next().unwrap().split(',').next(), Some("Service"));
    assert_eq!(csv.lines().count(), 5);
    assert_eq!(place.ok(&["spof", "--output", "ndjson"]).lines().count(), 4);
    let folder = place.path("tables");
    place.ok(&["spof", "--form", "csv", "--to-file", &folder.display().to_string()]);
    assert!(folder.join("services.csv").is_file() && folder.join("items.csv").is_file());
}

#[test]
fn a_server_answers_as_an_embedded_store_does() {
    let place = estate();
    let file = place.file("web3-moved.ndjson", WEB3_MOVED);
    let questions: [&[&str]; 4] = [
        &["spof", "--proofs", "2", "--fixes", "2"],
        &["spof", "service/payments", "--down", "database/dbA"],
        &["spof", "--what-if", &file],
        &["impact", "host/hv2", "--what-if", &file],
    ];
    let embedded: Vec<Json> = questions.iter().map(|question| place.json(question)).collect();
    let refused = place.run(&["spof", "--scenario", "none"]);
    let (mut server, client) = (Serving::start(&place, &["serve"]), Place::new());
    for (question, embedded) in questions.iter().zip(embedded) {
        assert_eq!(server.json(&client, question), embedded, "{question:?}");
    }
    let remote = server.run(&client, &["spof", "--scenario", "none"]);
    assert_eq!((remote.status, remote.err), (refused.status, refused.err));
    assert_eq!(server.terminate(), Some(0));
}
