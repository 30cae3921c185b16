//! What people type: conditions, times, mappings and forms mean what they say, or are refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Stdio;

use common::{Place, each, fixture};
use serde_json::Value as Json;

/// A place with the worked estate and a few items more.
fn estate() -> Place {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    let lines = r#"{"batch":{"format":"keelson/1","source":"more","scope":"all","observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"team/x","class":"team"}}
{"ci":{"key":"host/owned","class":"host","owner":"team/x","attributes":{"memory":16384,"colour":"red"}}}
{"ci":{"key":"host/small","class":"host","attributes":{"memory":4096}}}
"#;
    place.ok(&["import", "batch", &place.file("more.ndjson", lines)]);
    place
}

/// A command that must be refused as bad input, and what it says.
fn refused(place: &Place, args: &[&str], says: &[&str]) {
    let ran = place.run(args);
    assert_eq!(ran.status, 2, "{args:?}\n{}\n{}", ran.out, ran.err);
    for word in says {
        assert!(ran.err.contains(word), "{args:?}: '{word}' is missing in: {}", ran.err);
    }
}

#[test]
fn owners_and_units_in_conditions() {
    let place = estate();
    let keys = |conditions: &[&str]| -> Vec<String> {
        let mut args = vec!["list", "--class", "host"];
        conditions.iter().for_each(|condition| args.extend(["--where", condition]));
        each(&place.json(&args)["items"], "key").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(keys(&["owner = team/x"]), ["host/owned"]);
    assert_eq!(keys(&["owner != null"]), ["host/owned"]);
    assert!(keys(&["owner = null"]).contains(&"host/small".to_owned()));
    assert!(!keys(&["owner = null"]).contains(&"host/owned".to_owned()));
    assert_eq!(keys(&["memory >= 16 GiB"]), ["host/owned"]);
    assert_eq!(keys(&["memory < 16GiB", "memory != null"]), ["host/small"]);
    assert_eq!(keys(&["colour = red"]), ["host/owned"], "what no class describes");
    refused(&place, &["list", "--where", "critcality >= high"], &["no field 'critcality'", "criticality"]);
    refused(&place, &["list", "--where", "memory >= 16 GIB"], &["'GIB'", "did you mean GiB"]);
    refused(&place, &["list", "--where", "memory >= 16 s"], &["kept in MiB"]);
}

#[test]
fn revisions_that_are_not_there() {
    let place = estate();
    assert_eq!(place.json(&["list", "--as-of", "r2"])["revision"], 2);
    refused(&place, &["list", "--as-of", "r99"], &["no revision 99", "revision 2"]);
    refused(&place, &["list", "--as-of", "r0"], &["nothing was known at revision 0"]);
}

#[test]
fn times_in_the_future_and_times_that_are_none() {
    let place = Place::new();
    let batch = |time: &str| {
        format!(
            r#"{{"batch":{{"format":"keelson/1","source":"s","scope":"all","complete":true,"observed_at":"{time}"}}}}"#
        ) + "\n{\"ci\":{\"key\":\"host/a\",\"class\":\"host\"}}\n"
    };
    let future = place.file("future.ndjson", batch("2999-01-01T00:00:00Z"));
    refused(&place, &["import", "batch", &future], &["2999-01-01", "future"]);
    refused(&place, &["import", "batch", &future, "--dry-run"], &["2999-01-01", "future"]);
    let file = place.file("bad.ndjson", batch("1.11.2026"));
    refused(&place, &["import", "batch", &file], &["line 1", "observed_at", "2026-11-01T12:00:00Z"]);
    let file = place.file("good.ndjson", batch("2026-11-01T00:00:00Z"));
    refused(&place, &["import", "batch", &file, "--observed-at", "gestern"], &["2026-11-01T12:00:00Z"]);
    assert!(!place.data().join("store.head.json").exists() || place.json(&["list"])["total"] == 0);
    place.ok(&["import", "batch", &file, "--observed-at", "2026-11-01"]);
    refused(&place, &["impact", "host/a", "--start", "soon", "--end", "2026-11-02"], &["2026-11-01T12:00:00Z"]);
    let answer = place.json(&["impact", "host/a", "--start", "2026-11-01", "--end", "2026-11-01"]);
    assert!(answer.is_object());
}

const MAPPING: &str = r#"source = "sheet"
class = "host"
key = ["hostname"]
[attributes]
memory = { column = "RAM", type = "decimal", unit = "GiB" }
[[relations]]
column = "runs_on"
kind = "hosted_on"
this_row = "dependent"
target = { class = "virtualisation-cluster", key = ["runs_on"] }
"#;

const TABLE: &str = "hostname,RAM,runs_on\nweb1,16,c1\nweb2,n/a,null\n";

#[test]
fn a_table_by_a_mapping_in_a_file() {
    let place = Place::new();
    let table = place.file("servers.csv", TABLE);
    let mapping = |name: &str, text: &str| format!("mapping={}", place.file(name, text));
    let import = |mapping: &str| place.run(&["import", "csv", &table, "--option", mapping]);
    let wrong = import(&mapping("wrong.toml", &MAPPING.replace("\"host\"", "\"hosst\"")));
    assert_eq!(wrong.status, 2);
    assert!(wrong.err.contains("wrong.toml, line 2: there is no class 'hosst'"), "{}", wrong.err);
    let wrong = import(&mapping("wrong.toml", &MAPPING.replace("hosted_on", "hosted")));
    assert!(wrong.status == 2 && wrong.err.contains("line 8") && wrong.err.contains("hosted_on"), "{}", wrong.err);
    let wrong = import("mapping=servers.toml");
    assert!(wrong.status == 2 && wrong.err.contains("'servers.toml' does not exist"), "{}", wrong.err);
    assert!(!place.data().exists(), "nothing was made");
    let good = import(&mapping("servers.toml", MAPPING));
    assert_eq!(good.status, 0, "{}", good.err);
    assert!(good.out.contains("null_target"), "{}", good.out);
    let all = place.json(&["list"]);
    assert_eq!(each(&all["items"], "key"), ["host/web1", "host/web2", "virtualisation-cluster/c1"]);
    assert_eq!(place.json(&["get", "virtualisation-cluster/c1"])["standing"], "placeholder");
    // Another source describes what the table only names.
    let lines = r#"{"batch":{"format":"keelson/1","source":"more","scope":"all","observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"virtualisation-cluster/c1","class":"virtualisation-cluster"}}
"#;
    place.ok(&["import", "batch", &place.file("more.ndjson", lines)]);
    assert_eq!(place.json(&["list"])["total"], 3);
    assert_eq!(place.json(&["get", "virtualisation-cluster/c1"])["standing"], "live");
}

#[test]
fn two_shown_states_are_two() {
    let place = Place::new();
    let shown = |name: &str| {
        let state = serde_json::json!({"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {
            "resources": [{"address": "aws_instance.web", "mode": "managed", "type": "aws_instance", "name": "web",
                "provider_name": "registry.terraform.io/hashicorp/aws", "values": {"id": format!("i-{name}"), "tags": {"Name": name}}}]}}});
        std::fs::create_dir_all(place.path(name)).unwrap();
        place.file(&format!("{name}/state.json"), state.to_string())
    };
    let (prod, test) = (shown("prod"), shown("test"));
    refused(&place, &["import", "terraform", &prod], &["--option lineage=", "state.json"]);
    place.ok(&["import", "terraform", &prod, "--option", "lineage=prod", "--guard", "100"]);
    place.ok(&["import", "terraform", &test, "--option", "lineage=test", "--guard", "100"]);
    assert_eq!(place.json(&["list"])["total"], 2, "one does not replace the other");
}

#[test]
fn a_dry_run_leaves_nothing_behind() {
    let place = Place::new();
    let planned = place.json(&["import", "batch", &fixture("worked-estate.ndjson"), "--dry-run"]);
    assert_eq!(planned["dryRun"], true);
    assert!(!place.data().exists());
}

#[test]
fn forms_are_kept_or_refused() {
    let place = estate();
    let demo: Json = place.json(&["demo", "--once"]);
    assert!(!demo["imports"].as_array().unwrap().is_empty() && !demo["assessments"].as_array().unwrap().is_empty());
    refused(&place, &["demo", "--once", "--output", "csv"], &["table or json"]);
    refused(&place, &["demo", "--once", "--data", "elsewhere"], &["--keep"]);
    refused(&place, &["verify", "--output", "csv"], &["table or json"]);
    refused(&place, &["export", "--output", "csv"], &["--format"]);
    assert_eq!(place.json(&["verify"])["clean"], true);
    assert!(place.ok(&["review", "--all", "--output", "csv"]).starts_with("id,state,code,source"));
    assert_eq!(place.ok(&["review", "--all", "--output", "ndjson"]), "");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_trouble() {
    let place = estate();
    let help = ["import", "help"];
    for args in [&["completions", "bash"][..], &["verify"], &["list", "--output", "csv"], &["review"], &help] {
        let mut child = place.command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = common::Ran::from(child.wait_with_output().unwrap());
        assert!(
            ran.status == 0 && !ran.err.contains("panicked") && !ran.err.contains("Broken pipe"),
            "{args:?}: {}",
            ran.err
        );
    }
}

#[test]
fn a_lost_or_damaged_store_says_what_was_acknowledged() {
    let place = estate();
    let store = place.data().join("store");
    let away = place.path("away");
    std::fs::rename(&store, &away).unwrap();
    for args in [&["list"][..], &["verify"], &["import", "batch", &fixture("worked-estate.ndjson")]] {
        let ran = place.run(args);
        assert_eq!(ran.status, 3, "{args:?}: {}", ran.err);
        for word in ["revision 2", "keelson restore", "is gone"] {
            assert!(ran.err.contains(word), "{args:?}: '{word}' is missing in: {}", ran.err);
        }
    }
    std::fs::rename(&away, &store).unwrap();
    place.ok(&["verify"]);
    overwrite(&store);
    let ran = place.run(&["list"]);
    assert_eq!(ran.status, 3, "{}", ran.err);
    for word in ["revision", "keelson restore", "store"] {
        assert!(ran.err.contains(word), "'{word}' is missing in: {}", ran.err);
    }
    assert!(!ran.err.contains("upgrade"), "{}", ran.err);
}

/// Overwrites every file of a store with something else.
fn overwrite(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            overwrite(&path);
        } else if path.metadata().unwrap().len() > 0 {
            let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
            std::fs::write(&path, vec![b'x'; length]).unwrap();
        }
    }
}
