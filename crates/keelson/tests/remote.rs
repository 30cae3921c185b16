//! The `keelson` command against a running server: the same answers as from an embedded store.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, Ran, Serving, fixture};
use serde_json::{Value as Json, json};

#[test]
fn reading_commands_answer_as_an_embedded_store_does() {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    let questions: [&[&str]; 12] = [
        &["get", "service/payments"],
        &["get", "host/hv1", "--as-of", "r1"],
        &["search", "web"],
        &["list", "--class", "host", "--order", "-name"],
        &["history", "host/hv1"],
        &["impact", "host/hv1"],
        &["impact", "host/hv2=0.3", "database/dbA"],
        &["impact", "host/hv2", "--start", "2026-11-02T00:00:00Z", "--end", "2026-11-02T04:00:00Z"],
        &["needs", "service/payments"],
        &["dependents", "supplier/PowerCo", "--depth", "2"],
        &["path", "service/payments", "supplier/PowerCo"],
        &["check"],
    ];
    let embedded: Vec<Json> = questions.iter().map(|question| place.json(question)).collect();
    let failing: [&[&str]; 4] = [
        &["impact", "host/hv1", "host/hv2", "--fail-on", "breached"],
        &["path", "supplier/PowerCo", "service/payments"],
        &["get", "host/none"],
        &["list", "--where", "nonsense"],
    ];
    let failed: Vec<Ran> = failing.iter().map(|question| place.run(question)).collect();
    let tables = place.ok(&["impact", "host/hv2"]);

    let (mut server, client) = (Serving::start(&place, &["serve"]), Place::new());
    for (question, embedded) in questions.iter().zip(embedded) {
        assert_eq!(server.json(&client, question), embedded, "{question:?}");
    }
    for (question, embedded) in failing.iter().zip(failed) {
        let remote = server.run(&client, question);
        assert_eq!(
            (remote.status, remote.out, remote.err),
            (embedded.status, embedded.out, embedded.err),
            "{question:?}"
        );
    }
    assert_eq!(server.run(&client, &["impact", "host/hv2"]).out, tables);
    assert!(!client.data().exists(), "a store was made beside the server's");
    assert_eq!(server.terminate(), Some(0));
}

/// An answer without identifiers, which differ from one store to the next.
fn lasting(mut answer: Json) -> Json {
    match &mut answer {
        Json::Array(entries) => entries.iter_mut().for_each(|entry| *entry = lasting(entry.take())),
        Json::Object(fields) => {
            fields.retain(|name, _| !["id", "ci", "batch"].contains(&name.as_str()));
            fields.values_mut().for_each(|value| *value = lasting(value.take()));
        }
        _ => {}
    }
    answer
}

#[test]
fn packs_and_calendars_are_written_by_a_server_too() {
    let (place, client) = (Place::new(), Place::new());
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    let new = ["change", "new", "Replace hv2", "--because", "it is old", "--takes-down", "host/hv2", "--submit"];
    let window = ["--start", "2026-12-01T22:00:00Z", "--end", "2026-12-02T02:00:00Z"];
    let rollback = ["--rollback", "put it back", "--rollback-minutes", "30"];
    place.ok(&[&new[..], &window, &rollback].concat());
    place.ok(&[
        "change",
        "alter",
        "RFC-1",
        "--title",
        "Replace the old hv2",
        "--end",
        "2026-12-02T03:00:00Z",
        "--start",
        "2026-12-01T22:00:00Z",
    ]);
    let at = ["--as-of", "r4"];
    let json = [&["change", "pack", "RFC-1", "--form", "json"][..], &at].concat();
    let here = place.json(&json);
    assert_eq!(here["change"]["title"], "Replace the old hv2");
    assert_eq!(here["change"]["alterations"][0]["key"], "host/hv2", "what is not named stays");
    let server = Serving::start(&place, &["serve"]);
    assert_eq!(server.json(&client, &json), here);
    let pack = client.path("pack.html").display().to_string();
    let times = ["--from", "2026-12-01", "--to", "2026-12-07"];
    let ran = server.run(&client, &[&["schedule", "pack", "--to-file", &pack][..], &times].concat());
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(std::fs::read_to_string(&pack).unwrap().contains("Replace the old hv2"));
    let tables = client.path("tables").display().to_string();
    let csv = ["change", "pack", "RFC-1", "--form", "csv"];
    assert_eq!(server.run(&client, &csv).status, 2, "a folder is needed for the tables");
    assert_eq!(server.run(&client, &[&csv[..], &["--to-file", &tables]].concat()).status, 0);
    assert!(std::fs::read_dir(&tables).unwrap().count() > 2);
    let ics = server.run(&client, &[&["schedule", "ics"][..], &times].concat());
    assert!(ics.out.contains("DTEND:20261202T030000Z"), "{}", ics.out);
    let history = server.json(&client, &["change", "history", "RFC-1"]);
    assert_eq!((&history["total"], &history["entries"][0]["action"]), (&json!(3), &json!("updateRequestForChange")));
}

#[test]
fn imports_do_what_they_do_to_an_embedded_store() {
    let (place, embedded, client) = (Place::new(), Place::new(), Place::new());
    let server = Serving::start(&place, &["serve"]);
    let estate = fixture("worked-estate.ndjson");
    let more = client.file(
        "more.ndjson",
        r#"{"batch":{"format":"keelson/1","source":"more/é","scope":"all","observed_at":"2026-11-02T00:00:00Z"}}
{"ci":{"key":"host/hv9","class":"host","name":"hv9"}}
"#,
    );
    let import: Vec<&str> = vec!["import", "batch", &estate, &more];
    for args in [
        [&import[..], &["--dry-run", "--rows"]].concat(),
        [&import[..], &["--reason", "first of all"]].concat(),
        import.clone(),
    ] {
        let (remote, here) = (server.json(&client, &args), embedded.json(&args));
        assert_eq!(lasting(remote), lasting(here), "{args:?}");
    }
    assert_eq!(lasting(server.json(&client, &["list"])), lasting(embedded.json(&["list"])));
    let history = server.json(&client, &["history", "host/hv9"]);
    let entry = &history["entries"][0];
    assert_eq!((&entry["actor"], &entry["reason"]), (&json!("test"), &json!("first of all")));
}

#[test]
fn a_refused_import_says_where_and_changes_nothing() {
    let (place, client) = (Place::new(), Place::new());
    let header = r#"{"batch":{"format":"keelson/1","source":"test","observed_at":"2026-11-02T00:00:00Z"}}"#;
    let bad = format!("{header}\n{}\n", r#"{"ci":{"key":"toaster/x","class":"toaster"}}"#);
    let bad = client.file("bad.ndjson", bad);
    let here = place.run(&["import", "batch", &bad, "--output", "json"]);
    let server = Serving::start(&place, &["serve"]);
    for wishes in [&["--dry-run"][..], &[]] {
        let ran = server.run(&client, &[&["import", "batch", &bad], wishes].concat());
        assert_eq!(ran.status, 2, "{}\n{}", ran.out, ran.err);
        assert_eq!(ran.err, here.err);
        for word in ["refused", "bad.ndjson, line 2", "toaster"] {
            assert!(ran.out.contains(word), "'{word}' is missing in: {}", ran.out);
        }
    }
    assert_eq!(server.json(&client, &["list"])["revision"], 0);
    let ran = server.run(&client, &["import", "batch", &bad, "--guard", "50"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--guard"), "{}", ran.err);
}

#[test]
fn what_cannot_be_asked_of_a_server_is_bad_usage_and_no_server_is_trouble() {
    let client = Place::new();
    // A port on which nothing listens: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let commands: [&[&str]; 7] = [
        &["verify"],
        &["backup", "copy"],
        &["restore", "copy"],
        &["export"],
        &["review"],
        &["serve"],
        &["demo", "--once"],
    ];
    for command in commands {
        let ran = client.run(&[command, &["--server", &url]].concat());
        assert_eq!(ran.status, 2, "{command:?}: {}", ran.err);
        assert!(ran.err.contains(command[0]) && ran.err.contains("--server"), "{}", ran.err);
    }
    let ran = client.run(&["list", "--server", &url]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    assert!(ran.err.contains(&url), "{}", ran.err);
    assert_eq!(client.run(&["list", "--server", "localhost:8080"]).status, 2);
    assert_eq!(client.run(&["list", "--server", &url, "--store", "mem://"]).status, 2);
    let from_environment = client.command().env("KEELSON_SERVER", &url).args(["list"]).output().unwrap();
    assert_eq!(from_environment.status.code(), Some(3));
    let open = client.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(open.status, 2);
    assert!(open.err.contains("authentication is not built yet"), "{}", open.err);
}

#[test]
fn the_demonstration_is_served() {
    let client = Place::new();
    let mut server = Serving::start(&client, &["demo"]);
    let found = server.json(&client, &["list", "--class", "service"]);
    assert!(found["total"].as_u64() > Some(0), "{found}");
    assert_eq!(server.terminate(), Some(0));
}
