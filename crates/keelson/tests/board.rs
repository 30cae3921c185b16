//! The change advisory board's commands on the worked estate: E3 and E4, the way to an approval, and the
//! gate in a pipeline.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, Ran, Serving, fixture};
use serde_json::{Value as Json, json};

fn estate() -> Place {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    place
}

/// Somebody runs a command.
fn by(place: &Place, who: &str, args: &[&str]) -> Ran {
    place.command().env("KEELSON_ACTOR", who).args(args).output().unwrap().into()
}

fn new(place: &Place, key: &str, down: &str, start: &str, end: &str) {
    place.ok(&[
        "change",
        "new",
        key,
        "--key",
        key,
        "--because",
        "test",
        "--takes-down",
        down,
        "--start",
        start,
        "--end",
        end,
        "--rollback",
        "back",
        "--rollback-minutes",
        "30",
        "--submit",
    ]);
}

/// The five requests of E3; midnight of day 0 is that of 1 December.
fn five(place: &Place) {
    new(place, "C1", "database/dbA", "2026-12-01T22:00:00Z", "2026-12-02T02:00:00Z");
    new(place, "C2", "database/dbB", "2026-12-02T01:00:00Z", "2026-12-02T03:00:00Z");
    new(place, "C3", "software-instance/web3", "2026-12-02T01:30:00Z", "2026-12-02T04:00:00Z");
    new(place, "C4", "software-instance/web1", "2026-12-02T03:00:00Z", "2026-12-02T05:00:00Z");
    new(place, "C5", "software-instance/idp1", "2026-12-02T00:00:00Z", "2026-12-02T01:00:00Z");
}

const WEEK: [&str; 4] = ["--from", "2026-12-01", "--to", "2026-12-02"];

fn planned(answer: &Json) -> Vec<(&str, &str, &str, &Json)> {
    let all = answer["collisions"].as_array().unwrap().iter().filter(|line| line["reversed"].is_null());
    all.map(|line| {
        (
            line["service"]["key"].as_str().unwrap(),
            line["window"]["start"].as_str().unwrap(),
            line["window"]["end"].as_str().unwrap(),
            &line["changes"],
        )
    })
    .collect()
}

#[test]
fn the_schedule_finds_what_is_safe_alone_and_harmful_together() {
    let place = estate();
    five(&place);
    let args: Vec<&str> = ["schedule", "assess"].into_iter().chain(WEEK).collect();
    let answer = place.json(&args);
    assert_eq!(
        planned(&answer),
        [
            ("service/payments", "2026-12-02T01:00:00Z", "2026-12-02T02:00:00Z", &json!(["C1", "C2"])),
            ("service/payments", "2026-12-02T03:00:00Z", "2026-12-02T04:00:00Z", &json!(["C3", "C4"])),
        ]
    );
    let shift = &answer["collisions"][0]["smallestShift"];
    assert_eq!((shift["change"].as_str(), shift["seconds"].as_i64()), (Some("C2"), Some(3_600)));
    let gate: Vec<&str> = args.iter().copied().chain(["--fail-on-collision"]).collect();
    assert_eq!(place.run(&gate).status, 1);
    let ics: String = place.ok(&["schedule", "ics", "--from", "2026-12-01", "--to", "2026-12-02"]);
    assert_eq!(ics.matches("BEGIN:VEVENT").count(), 5);
    assert!(ics.contains("DTSTART:20261201T220000Z"));
}

#[test]
fn a_request_tells_which_single_failure_would_then_do_harm() {
    let place = estate();
    new(&place, "A", "database/dbA", "2026-12-01T22:00:00Z", "2026-12-02T02:00:00Z");
    new(&place, "W", "software-instance/web1", "2026-12-03T22:00:00Z", "2026-12-04T02:00:00Z");
    let points = |key: &str| {
        let answer = place.json(&["change", "assess", key]);
        let services = answer["services"].as_array().unwrap();
        let payments = services.iter().find(|line| line["key"] == "service/payments").unwrap();
        assert_eq!(payments["effect"], "margin_lost");
        payments["newSinglePoints"].clone()
    };
    assert_eq!(points("A"), json!(["database/dbB"]));
    assert_eq!(points("W"), json!(["software-instance/web2", "software-instance/web3"]));
}

#[test]
fn requester_and_approver_differ_and_the_gate_says_no_with_reasons() {
    let place = estate();
    new(&place, "RFC-7", "database/dbA", "2026-12-01T22:00:00Z", "2026-12-02T02:00:00Z");
    let early = by(&place, "bob", &["change", "approve", "RFC-7"]);
    assert_eq!(early.status, 2);
    assert!(early.err.contains("it can be approved when it is assessed"), "{}", early.err);
    place.ok(&["change", "assess", "RFC-7"]);
    let own = by(&place, "Test", &["change", "approve", "RFC-7"]);
    assert!(own.status == 2 && own.err.contains("cannot approve it"), "{}", own.err);
    let decided = by(&place, "bob", &["change", "approve", "RFC-7", "--reason", "agreed"]);
    assert_eq!(decided.status, 0, "{}", decided.err);
    let gate = place.run(&["change", "gate", "RFC-7"]);
    assert_eq!(gate.status, 1);
    assert!(gate.out.contains("has not begun"), "{}", gate.out);
    let shown = place.json(&["change", "show", "rfc-7"]);
    assert_eq!((shown["approval"]["by"].as_str(), shown["approval"]["reason"].as_str()), (Some("bob"), Some("agreed")));
    let before = shown["revision"].as_u64().unwrap();
    let past = place.json(&["change", "show", "RFC-7", "--as-of", &format!("r{}", before - 1)]);
    assert_eq!((past["change"]["state"].as_str(), &past["approval"]), (Some("assessed"), &Json::Null));
    let unknown = place.run(&["change", "show", "RFC-70"]);
    assert!(unknown.status == 2 && unknown.err.contains("did you mean RFC-7?"), "{}", unknown.err);
}

#[test]
fn the_pack_is_written_in_every_form() {
    let place = estate();
    five(&place);
    let pack = |form: &str, file: &str| {
        let path = place.path(file).display().to_string();
        let args = ["schedule", "pack", "--form", form, "--to-file", &path, "--zone", "Europe/Berlin"];
        let args: Vec<&str> = args.into_iter().chain(WEEK).collect();
        place.ok(&args);
        path
    };
    let html = std::fs::read_to_string(pack("html", "pack.html")).unwrap();
    assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"));
    assert!(html.contains("<svg") && html.contains("C2 by 1 h later") && !html.contains("<script"));
    let markdown = std::fs::read_to_string(pack("markdown", "pack.md")).unwrap();
    assert!(markdown.starts_with("# Change advisory board"));
    let json: Json = serde_json::from_str(&std::fs::read_to_string(pack("json", "pack.json")).unwrap()).unwrap();
    assert!(json.is_object());
    let tables = pack("csv", "tables");
    assert!(std::fs::read_to_string(format!("{tables}/collisions.csv")).unwrap().contains("payments"));
}

#[test]
fn a_baseline_is_proved_and_compared_with_the_commit_that_changed_it() {
    let place = estate();
    place.ok(&["baseline", "take", "before", "--cone", "service/payments"]);
    let shown = place.json(&["baseline", "show", "before"]);
    assert_eq!((shown["isProven"].as_bool(), shown["baseline"]["items"].as_u64()), (Some(true), Some(23)));
    let same = place.json(&["baseline", "compare", "before"]);
    assert_eq!(same["different"], 0);
    let change = place.file(
        "change.ndjson",
        concat!(
            r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"all","complete":false,"observed_at":"2026-11-02T00:00:00Z"}}"#,
            "\n",
            r#"{"need":{"dependent":"service/payments","name":"db pair","rule":"all","members":["database/dbA","database/dbB"]}}"#,
            "\n"
        ),
    );
    place.ok(&["import", "batch", &change]);
    let compared = place.json(&["baseline", "compare", "before"]);
    assert_eq!(
        (compared["different"].as_u64(), compared["items"][0]["key"].as_str()),
        (Some(1), Some("service/payments"))
    );
    let record = &compared["items"][0]["records"][0];
    assert_eq!((record["record"].as_str(), record["actor"].as_str()), (Some("need db pair"), Some("test")));
    let twice = place.run(&["baseline", "take", "before", "--item", "service/payments"]);
    assert!(twice.status == 2 && twice.err.contains("baselines never change"), "{}", twice.err);
}

#[test]
fn freezes_disruptions_and_templates_have_their_say() {
    let place = estate();
    new(&place, "A", "database/dbA", "2026-12-21T22:00:00Z", "2026-12-22T02:00:00Z");
    place.ok(&[
        "freeze",
        "set",
        "year end",
        "--item",
        "service/payments",
        "--start",
        "2026-12-20",
        "--end",
        "2027-01-03",
        "--reason",
        "accounts",
    ]);
    let answer = place.json(&["change", "assess", "A"]);
    assert_eq!(answer["violations"][0]["entry"], "year end");
    let refused = by(&place, "bob", &["change", "approve", "A"]);
    assert!(refused.status == 2 && refused.err.contains("move the change"), "{}", refused.err);
    place.ok(&["freeze", "lift", "YEAR END", "--reason", "done early"]);
    place.ok(&["disruption", "report", "database/dbB", "--reference", "INC-1"]);
    let answer = place.json(&["change", "assess", "A"]);
    assert_eq!(answer["violations"], json!([]));
    assert_eq!(
        (answer["summary"]["breached"].as_u64(), answer["startingState"][0]["reference"].as_str()),
        (Some(1), Some("INC-1"))
    );
    let bad = place.run(&[
        "freeze",
        "set",
        "x",
        "--start",
        "2026-12-20",
        "--end",
        "2026-12-20",
        "--repeat",
        "FREQ=OFTEN",
        "--zone",
        "UTC",
        "--reason",
        "y",
    ]);
    assert!(bad.status == 2 && bad.err.contains("RFC 5545"), "{}", bad.err);
}

#[test]
fn a_server_takes_the_same_commands() {
    let place = estate();
    let serving = Serving::start(&place, &["serve"]);
    let url = serving.url.clone();
    let at = |args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain(["--server", &url]).collect();
        by(&place, "ann", &args)
    };
    let made = at(&["change", "new", "X", "--because", "y", "--takes-down", "database/dbA", "--submit"]);
    assert_eq!(made.status, 0, "{}", made.err);
    assert!(made.out.contains("RFC-1 is submitted"), "{}", made.out);
    assert_eq!(at(&["change", "assess", "RFC-1"]).status, 0);
    let listed = at(&["change", "list", "--output", "csv"]);
    assert!(listed.out.contains("RFC-1,X,normal,assessed"), "{}", listed.out);
    let refused = at(&["change", "approve", "RFC-1"]);
    assert!(refused.status == 2 && refused.err.contains("without a window"), "{}", refused.err);
    drop(serving);
}
