//! The worked estate through `keelson import batch` and `keelson impact --output json`: answers
//! known from outside, worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, each, fixture};
use serde_json::{Value as Json, json};

fn estate() -> Place {
    let place = Place::new();
    place.ok(&["import", "batch", &fixture("worked-estate.ndjson")]);
    place
}

fn impact(place: &Place, seeds: &[&str]) -> Json {
    let mut args = vec!["impact"];
    args.extend(seeds);
    place.json(&args)
}

/// Keys of items at loss 1.
fn lost(answer: &Json) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter().filter(|item| item["loss"] == 1.0);
    let mut keys: Vec<&str> = items.map(|item| item["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys
}

fn loss(answer: &Json, key: &str) -> f64 {
    let items = answer["items"].as_array().unwrap();
    items.iter().find(|item| item["key"] == key).map_or(0.0, |item| item["loss"].as_f64().unwrap())
}

#[test]
fn a_database_of_a_pair_costs_nothing_and_leaves_no_margin() {
    let answer = impact(&estate(), &["database/dbA"]);
    assert_eq!((answer["touched"].as_u64(), answer["lost"].as_u64()), (Some(1), Some(0)));
    assert_eq!(answer["complete"], true);
    assert_eq!(answer["items"], json!([]));
    let protected = &answer["protected"][0];
    assert_eq!(protected["key"], "service/payments");
    let by = &protected["by"];
    assert_eq!((by["need"].as_str(), by["k"].as_u64(), by["margin"].as_u64()), (Some("db pair"), Some(1), Some(0)));
}

#[test]
fn the_first_hypervisor_takes_no_service() {
    let answer = impact(&estate(), &["host/hv1"]);
    assert_eq!((answer["touched"].as_u64(), answer["lost"].as_u64()), (Some(9), Some(5)));
    assert_eq!(
        lost(&answer),
        [
            "database/dbA",
            "software-instance/api1",
            "software-instance/dns1",
            "software-instance/idp1",
            "software-instance/web1"
        ]
    );
    assert_eq!(each(&answer["protected"], "key"), ["service/dns", "service/payments", "service/portal", "service/sso"]);
}

#[test]
fn the_second_hypervisor_takes_payments_and_says_why() {
    let answer = impact(&estate(), &["host/hv2"]);
    assert_eq!(answer["lost"], 7);
    let first = &answer["items"][0];
    assert_eq!((first["key"].as_str(), first["verdict"].as_str()), (Some("service/payments"), Some("breached")));
    assert_eq!(
        first["because"],
        json!({"need": "web pool", "rule": "at_least", "k": 2, "of": 3,
               "members": ["software-instance/web2", "software-instance/web3"]})
    );
    // Following the members gives the whole proof.
    for member in ["software-instance/web2", "software-instance/web3"] {
        let line = answer["items"].as_array().unwrap().iter().find(|item| item["key"] == member).unwrap();
        assert_eq!(line["because"]["members"], json!(["host/hv2"]));
    }
    let table = estate().ok(&["impact", "host/hv2"]);
    assert!(table.contains("BREACHED  service/payments"), "{table}");
    assert!(table.contains("<- web pool needs 2 of 3: software-instance/web2, software-instance/web3"), "{table}");
}

#[test]
fn losses_are_graded_and_capped() {
    let place = estate();
    let mail = impact(&place, &["supplier-service/mailapi"]);
    assert!((loss(&mail, "service/portal") - 0.3).abs() < 1e-9);
    assert_eq!(mail["items"][0]["verdict"], "degraded");
    let databases = impact(&place, &["database/dbA=0.5", "database/dbB=0.2"]);
    assert!((loss(&databases, "service/payments") - 0.2).abs() < 1e-9);
    let web =
        impact(&place, &["software-instance/web1=0.5", "software-instance/web2=0.2", "software-instance/web3=0.4"]);
    assert!((loss(&web, "service/payments") - 0.4).abs() < 1e-9);
    assert!((loss(&web, "service/portal") - 0.2).abs() < 1e-9);
}

#[test]
fn an_unknown_count_makes_a_breach_possible_and_decides() {
    let place = estate();
    let doubt = r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"doubt","complete":false,"observed_at":"2026-11-02T00:00:00Z"}}
{"need":{"dependent":"service/payments","name":"web pool","rule":"at_least","k":2,"possible_counts":[1,2,3],"members":["software-instance/web1","software-instance/web2","software-instance/web3"]}}
"#;
    place.ok(&["import", "batch", &place.file("doubt.ndjson", doubt)]);
    for (seed, decides) in [("software-instance/web2", vec!["3"]), ("host/hv2", vec!["2", "3"])] {
        let answer = impact(&place, &[seed]);
        let certainty = &answer["certainty"];
        assert_eq!(certainty["certain"], json!([]), "{seed}");
        assert_eq!(each(&certainty["possible"], "key"), ["service/payments"], "{seed}");
        let decisive = certainty["decisive"].as_array().unwrap();
        assert_eq!(decisive.len(), 1);
        assert_eq!(decisive[0]["facts"][0]["need"], "web pool");
        assert_eq!(decisive[0]["facts"][0]["fact"], "count");
        let certain: Vec<&str> = decisive[0]["outcomes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|outcome| outcome["shifts"][0]["to"] == "certain")
            .map(|outcome| outcome["answers"][0].as_str().unwrap())
            .collect();
        assert_eq!(certain, decides, "{seed}");
    }
}

#[test]
fn a_doubtful_member_is_no_help_one_can_count_on() {
    let place = estate();
    let doubt = r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"doubt","complete":false,"observed_at":"2026-11-02T00:00:00Z"}}
{"need":{"dependent":"service/payments","name":"web pool","rule":"at_least","k":2,"doubtful":["software-instance/web3"],"members":["software-instance/web1","software-instance/web2","software-instance/web3"]}}
"#;
    place.ok(&["import", "batch", &place.file("doubt.ndjson", doubt)]);
    let answer = impact(&place, &["software-instance/web1"]);
    assert_eq!(answer["certainty"]["certain"], json!([]));
    assert_eq!(each(&answer["certainty"]["possible"], "key"), ["service/payments"]);
}

#[test]
fn a_gate_fails_with_status_one() {
    let place = estate();
    assert_eq!(place.run(&["impact", "host/hv2", "--fail-on", "breached"]).status, 1);
    assert_eq!(place.run(&["impact", "host/hv1", "--fail-on", "breached"]).status, 0);
    // What is shown does not change the verdict, and a service that is itself taken down is breached.
    assert_eq!(place.run(&["impact", "host/hv2", "--limit", "0", "--fail-on", "breached"]).status, 1);
    assert_eq!(place.run(&["impact", "service/portal", "--fail-on", "breached"]).status, 1);
    assert_eq!(place.run(&["impact", "supplier-service/mailapi", "--fail-on", "breached"]).status, 0);
    assert_eq!(place.run(&["impact", "supplier-service/mailapi", "--fail-on", "degraded"]).status, 1);
    assert_eq!(place.run(&["impact", "host/hv1", "--fail-on", "possible", "--budget", "0"]).status, 2);
    assert_eq!(place.run(&["path", "service/payments", "supplier/PowerCo"]).status, 0);
    assert_eq!(place.run(&["path", "supplier/PowerCo", "service/payments"]).status, 1);
}

#[test]
fn services_of_a_class_of_the_users_own_count_as_services() {
    let place = estate();
    let classes = place.path("classes");
    std::fs::create_dir(&classes).unwrap();
    let class = "[[class]]\nname = \"clearing-service\"\nis_a = \"service\"\ntitle = \"Clearing service\"\n\
                 description = \"A service between banks.\"\n";
    std::fs::write(classes.join("own.toml"), class).unwrap();
    let classes = classes.display().to_string();
    let lines = r#"{"batch":{"format":"keelson/1","source":"own","scope":"own","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"clearing-service/c","class":"clearing-service","name":"Clearing"}}
{"relationship":{"kind":"uses","dependent":"clearing-service/c","dependency":"database/dbA"}}"#;
    let file = place.file("own.ndjson", lines);
    assert_eq!(place.run(&["import", "batch", &file]).status, 2, "nobody defined the class");
    place.ok(&["import", "batch", &file, "--classes", &classes]);
    let ran = place.run(&["impact", "database/dbA", "--fail-on", "breached", "--classes", &classes]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("BREACHED  clearing-service/c"), "{}", ran.out);
    // Without the file that defines the class, what is stored contradicts the classes.
    let ran = place.run(&["list"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("clearing-service"), "{}", ran.err);
}

#[test]
fn an_export_brings_back_the_same_answers() {
    let (first, second) = (estate(), Place::new());
    let exported = first.ok(&["export"]);
    second.ok(&["import", "batch", &second.file("export.ndjson", &exported)]);
    for seed in ["host/hv1", "host/hv2", "supplier-service/mailapi", "supplier/PowerCo"] {
        let strip = |mut answer: Json| {
            answer["oldestObservation"] = Json::Null;
            answer
        };
        assert_eq!(strip(impact(&first, &[seed])), strip(impact(&second, &[seed])), "{seed}");
    }
    let again: Vec<&str> = exported.lines().skip(1).collect();
    let twice = second.ok(&["export"]);
    assert_eq!(again, twice.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn a_backup_restored_elsewhere_answers_the_same() {
    let place = estate();
    let copy = place.path("copy.backup").display().to_string();
    place.ok(&["backup", &copy]);
    let elsewhere = place.path("elsewhere").display().to_string();
    place.ok(&["restore", &copy, "--data", &elsewhere]);
    assert_eq!(impact(&place, &["host/hv2"]), place.json(&["impact", "host/hv2", "--data", &elsewhere]));
    place.ok(&["verify", "--data", &elsewhere]);
    // Never over something that is there.
    assert_eq!(place.run(&["backup", &copy]).status, 2);
    assert_eq!(place.run(&["restore", &copy]).status, 2);
}
