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

/// What an answer says. Which of several equally good reasons it names, and in which order, depends
/// on the order in which records came in.
fn essence(answer: &Json) -> Json {
    let of = |list: &Json, fields: &[&str]| -> Vec<Json> {
        let entries = list.as_array().unwrap().iter();
        entries.map(|entry| fields.iter().map(|field| entry[*field].clone()).collect()).collect()
    };
    let certainty = &answer["certainty"];
    json!({
        "complete": answer["complete"], "limits": answer["limits"], "touched": answer["touched"],
        "items": of(&answer["items"], &["key", "class", "name", "criticality", "loss", "verdict"]),
        "protected": of(&answer["protected"], &["key"]),
        "certainty": [certainty["certain"], certainty["possible"], certainty["unknowns"]],
        "decisive": certainty["decisive"].as_array().unwrap().len(),
    })
}

#[test]
fn an_export_of_the_demonstration_brings_back_the_same_answers() {
    let (first, second) = (Place::new(), Place::new());
    first.ok(&["demo", "--once", "--keep", &first.data().display().to_string()]);
    let exported = first.ok(&["export"]);
    assert!(exported.contains(r#""assumed":true"#), "the demonstration has a rule that nobody stated");
    second.ok(&["import", "batch", &second.file("export.ndjson", &exported)]);
    let again = second.ok(&["export"]);
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let missing: Vec<String> = lines(&exported).into_iter().filter(|line| !again.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let demand = |place: &Place| {
        let answer = place.json(&["demand", "--limit", "1000"]);
        let mut keys: Vec<String> = each(&answer["items"], "key").into_iter().map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(demand(&first), demand(&second), "ratios of visits come back");
    for class in ["database", "hypervisor", "virtual-machine", "site", "supplier"] {
        for item in first.json(&["list", "--class", class, "--limit", "3"])["items"].as_array().unwrap() {
            let key = item["key"].as_str().unwrap();
            assert_eq!(essence(&impact(&first, &[key])), essence(&impact(&second, &[key])), "{key}");
        }
    }
}

const DOUBT: &str = r#"{"batch":{"format":"keelson/1","source":"worked-estate","scope":"doubt","complete":false,"observed_at":"2026-11-02T00:00:00Z"}}"#;

#[test]
fn a_breach_that_is_not_certain_is_not_printed_as_if_it_were() {
    let place = estate();
    let need = r#"{"need":{"dependent":"service/payments","name":"web pool","assumed":true,"members":["software-instance/web1","software-instance/web2","software-instance/web3"]}}"#;
    place.ok(&["import", "batch", &place.file("doubt.ndjson", format!("{DOUBT}\n{need}\n"))]);
    let table = place.ok(&["impact", "software-instance/web2"]);
    assert!(table.contains("BREACHED (possibly)  service/payments"), "{table}");
    let answer = impact(&place, &["software-instance/web2"]);
    assert_eq!(answer["items"][0]["verdict"], "breached", "the JSON is as it was, and certainty tells");
    assert_eq!(each(&answer["certainty"]["possible"], "key"), ["service/payments"]);
    let outcomes = answer["certainty"]["decisive"][0]["outcomes"].as_array().unwrap();
    let answers: Vec<&str> = outcomes.iter().map(|outcome| outcome["answers"][0].as_str().unwrap()).collect();
    assert_eq!(answers, ["1", "2", "3"]);
    let moved = |at: usize| outcomes[at]["shifts"][0]["to"].as_str().unwrap();
    assert_eq!((moved(0), moved(1), moved(2)), ("protected", "protected", "certain"));
    let table = place.ok(&["impact", "software-instance/web1", "software-instance/web2", "software-instance/web3"]);
    assert!(table.contains("BREACHED  service/payments"), "{table}");
}

#[test]
fn a_gate_for_degraded_services_fails_for_a_possible_breach() {
    let place = estate();
    let need = r#"{"need":{"dependent":"service/payments","name":"web pool","rule":"at_least","k":2,"doubtful":["software-instance/web3"],"members":["software-instance/web1","software-instance/web2","software-instance/web3"]}}"#;
    place.ok(&["import", "batch", &place.file("doubt.ndjson", format!("{DOUBT}\n{need}\n"))]);
    let gate = |on: &str| place.run(&["impact", "software-instance/web1", "--fail-on", on]).status;
    assert_eq!((gate("breached"), gate("degraded"), gate("possible")), (0, 1, 1));
    let table = place.ok(&["impact", "software-instance/web1"]);
    assert!(table.contains("; possibly breached"), "{table}");
    let ran = place.run(&["impact", "software-instance/web1", "--fail-on", "degraded", "--budget", "0"]);
    assert_eq!(ran.status, 2, "without certainty the gate could not keep its word");
}

#[test]
fn the_history_of_an_item_shows_its_relationships_and_needs() {
    let place = estate();
    let changed = r#"{"need":{"dependent":"service/payments","name":"db pair","rule":"all","members":["database/dbA","database/dbB"]}}
{"relationship":{"kind":"uses","dependent":"service/payments","dependency":"supplier-service/mailapi"}}"#;
    place.ok(&["import", "batch", &place.file("changed.ndjson", format!("{DOUBT}\n{changed}\n"))]);
    let records = |args: &[&str]| -> Vec<String> {
        let answer = place.json(&[&["history"], args].concat());
        let entries = answer["entries"].as_array().unwrap().iter();
        entries.map(|entry| format!("r{} {}", entry["revision"], entry["record"].as_str().unwrap())).collect()
    };
    let payments = records(&["service/payments", "--limit", "100"]);
    assert_eq!(payments[..2], ["r2 relationship uses -> supplier-service/mailapi", "r2 need db pair"]);
    assert!(payments.contains(&"r1 item".to_owned()), "{payments:?}");
    assert!(payments.contains(&"r1 need web pool".to_owned()), "{payments:?}");
    assert_eq!(records(&["service/payments", "--limit", "1"]), payments[..1]);
    let first = records(&["service/payments", "--limit", "100", "--before", "2"]);
    assert!(!first.is_empty() && first.iter().all(|record| record.starts_with("r1 ")), "{first:?}");
    let database = records(&["database/dbA", "--limit", "100"]);
    assert!(database.contains(&"r2 need db pair of service/payments".to_owned()), "{database:?}");
    let mail = records(&["supplier-service/mailapi", "--limit", "100"]);
    assert_eq!(mail[0], "r2 relationship uses <- service/payments");
}

#[test]
fn what_is_withdrawn_and_still_needed_survives_an_export() {
    let (place, second) = (Place::new(), Place::new());
    let take = |name: &str, source: &str, lines: &[&str]| {
        let head = format!(
            r#"{{"batch":{{"format":"keelson/1","source":"{source}","scope":"all","complete":true,"observed_at":"2026-11-0{}T00:00:00Z"}}}}"#,
            name.len()
        );
        let text = std::iter::once(head.as_str()).chain(lines.iter().copied()).collect::<Vec<_>>().join("\n");
        place.ok(&["import", "batch", &place.file(name, text), "--guard", "100"]);
    };
    let service = r#"{"ci":{"key":"service/shop","class":"service","attributes":{"minimum_delivered":1.0}}}"#;
    let pool = r#"{"need":{"dependent":"service/shop","name":"pool","rule":"at_least","k":2,"members":["host/h1","host/h2","host/h3"]}}"#;
    let hosts = ["h1", "h2", "h3"].map(|host| format!(r#"{{"ci":{{"key":"host/{host}","class":"host"}}}}"#));
    take("a", "services", &[service, pool]);
    take("bb", "hosts", &[&hosts[0], &hosts[1], &hosts[2]]);
    take("ccc", "hosts", &[&hosts[0]]);
    let before = impact(&place, &["host/h1"]);
    assert_eq!(before["complete"], false);
    assert_eq!(before["limits"][0]["code"], "withdrawn");
    assert_eq!(each(&before["certainty"]["possible"], "key"), ["service/shop"]);
    second.ok(&["import", "batch", &second.file("export.ndjson", place.ok(&["export"]))]);
    let after = impact(&second, &["host/h1"]);
    for field in ["items", "protected", "certainty", "touched"] {
        assert_eq!(before[field].to_string().replace(" still", ""), after[field].to_string(), "{field}");
    }
}
