//! Bad input: a clear message with file, line and field, exit status 2, nothing written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, fixture};

const HEADER: &str = r#"{"batch":{"format":"keelson/1","source":"test","scope":"bad","complete":true,"observed_at":"2026-11-02T00:00:00Z"}}"#;

/// Imports a batch of a good line and the given one; checks status, message and that nothing came in.
fn refused(line: &str, says: &[&str]) {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    let before = place.json(&["list"]);
    let good = r#"{"ci":{"key":"host/good","class":"host"}}"#;
    let file = place.file("bad.ndjson", format!("{HEADER}\n{good}\n{line}\n"));
    for dry_run in [true, false] {
        let mut args = vec!["import", "batch", &file];
        args.extend(dry_run.then_some("--dry-run"));
        let ran = place.run(&args);
        assert_eq!(ran.status, 2, "{}\n{}", ran.out, ran.err);
        for word in says {
            assert!(ran.err.contains(word), "'{word}' is missing in: {}", ran.err);
        }
    }
    let after = place.json(&["list"]);
    assert_eq!(before["items"], after["items"]);
    assert_eq!(before["revision"], after["revision"]);
    assert_eq!(place.run(&["get", "host/good"]).status, 2);
}

#[test]
fn broken_json() {
    refused(r#"{"ci":{"key":"host/x","#, &["bad.ndjson", "line 3"]);
}

#[test]
fn an_unknown_class() {
    refused(r#"{"ci":{"key":"toaster/x","class":"toaster"}}"#, &["bad.ndjson", "line 3", "class", "toaster"]);
}

#[test]
fn a_wrong_unit() {
    let line = r#"{"ci":{"key":"host/x","class":"host","attributes":{"memory":{"value":4,"unit":"furlong"}}}}"#;
    refused(line, &["line 3", "memory", "furlong"]);
}

#[test]
fn a_line_of_ten_megabytes() {
    let line = format!(r#"{{"ci":{{"key":"host/x","class":"host","name":"{}"}}}}"#, "x".repeat(10 << 20));
    refused(&line, &["line 3"]);
}

#[test]
fn a_relationship_with_itself_and_a_count_above_its_members() {
    refused(
        r#"{"need":{"dependent":"host/good","name":"pair","rule":"at_least","k":3,"members":["host/a","host/b"]}}"#,
        &["line 3", "k"],
    );
}

#[test]
fn no_members() {
    refused(r#"{"need":{"dependent":"host/good","name":"none","rule":"any","members":[]}}"#, &["line 3", "members"]);
}

#[test]
fn an_unknown_field() {
    refused(r#"{"ci":{"key":"host/x","class":"host","colour":"red"}}"#, &["line 3", "colour"]);
}

#[test]
fn a_duplicate_key_with_other_content() {
    refused(r#"{"ci":{"key":"host/good","class":"host","name":"another"}}"#, &["line 3", "host/good"]);
}

#[test]
fn a_self_loop_is_reported_and_kept_as_a_remark() {
    let place = Place::new();
    let line = r#"{"relationship":{"kind":"uses","dependent":"host/a","dependency":"host/a"}}"#;
    let ci = r#"{"ci":{"key":"host/a","class":"host"}}"#;
    let ran = place.run(&["import", "batch", &place.file("loop.ndjson", format!("{HEADER}\n{ci}\n{line}\n"))]);
    assert!(ran.out.contains("self_loop"), "{}", ran.out);
    assert_eq!(place.json(&["get", "host/a"])["selfRelationships"], serde_json::json!(["uses"]));
}

#[test]
fn a_dangling_member_becomes_a_flagged_placeholder() {
    let place = Place::new();
    let lines = r#"{"ci":{"key":"service/s","class":"service"}}
{"need":{"dependent":"service/s","name":"pair","rule":"any","members":["database/a","database/b"]}}"#;
    let ran = place.run(&["import", "batch", &place.file("dangling.ndjson", format!("{HEADER}\n{lines}\n"))]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("missing_target") && ran.out.contains("line 3"), "{}", ran.out);
    assert_eq!(place.json(&["get", "database/a"])["standing"], "placeholder");
    let answer = place.json(&["impact", "database/a"]);
    assert_eq!(answer["complete"], false, "a placeholder's own needs are not known");
}

#[test]
fn a_withdrawal_beyond_the_guard() {
    let place = Place::new();
    let estate = std::fs::read_to_string(fixture("worked-estate.ndjson")).unwrap();
    place.ok(&["import", "batch", &place.file("all.ndjson", &estate)]);
    let later = estate.replace("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    let few: String = later.lines().take(6).map(|line| format!("{line}\n")).collect();
    let file = place.file("few.ndjson", few);
    let ran = place.run(&["import", "batch", &file]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("5 %") && ran.err.contains("withdraw"), "{}", ran.err);
    assert_eq!(place.json(&["list"])["total"], 25, "nothing was withdrawn");
    // A person lets exactly this withdrawal go ahead.
    let tasks = place.json(&["review"]);
    let id = tasks[0]["id"].as_str().unwrap();
    place.ok(&["review", "settle", id, "--reason", "the halls were closed"]);
    place.ok(&["import", "batch", &file]);
    assert_eq!(place.json(&["list"])["total"], 5);
}

#[test]
fn a_file_that_is_no_batch_and_an_importer_nobody_knows() {
    let place = Place::new();
    let file = place.file("text.ndjson", "hello\n");
    let ran = place.run(&["import", "batch", &file]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("text.ndjson, line 1"), "{}", ran.err);
    let ran = place.run(&["import", "excel", &file]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("kubernetes") || ran.err.contains("backstage"), "{}", ran.err);
    assert_eq!(place.run(&["import", "batch", "no-such-file"]).status, 2);
    assert_eq!(place.run(&["list"]).status, 2, "no store was made");
}
