//! The analyses of the graph through `keelson import batch` and their commands, of an embedded store and of a server:
//! answers known from outside, worked out by hand.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

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

fn with(files: &[&str]) -> Place {
    let place = Place::new();
    for file in files {
        place.ok(&["import", "batch", &fixture(file)]);
    }
    place
}

/// A number of the entry with a key in a list.
#[track_caller]
fn number(list: &Json, key: &str, field: &str) -> f64 {
    let entries = list.as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("no {key} in {list}"));
    entry[field].as_f64().unwrap_or_else(|| panic!("{key} has no {field}"))
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted} ± {tolerance}");
}

#[test]
fn availability_cut_sets_and_recovery_of_the_worked_estate() {
    let place = with(&["worked-estate-figures.ndjson"]);
    let answer = place.json(&["availability", "--contributors", "3"]);
    near(number(&answer["services"], "service/payments", "unavailability"), 0.005_320_953_861_331_006, 1e-9);
    near(number(&answer["services"], "service/dns", "unavailability"), 0.000_142_038_291_529_109_95, 1e-9);
    let payments = answer["services"].as_array().unwrap().iter().find(|one| one["key"] == "service/payments").unwrap();
    near(number(&payments["hurts"], "host/hv2", "birnbaum"), 0.996_672, 1e-6);

    let answer = place.json(&["cutsets", "service/payments"]);
    assert_eq!(
        (&answer["count"], &answer["byOrder"][0], &answer["byOrder"][1]),
        (&json!("36"), &json!("5"), &json!("31"))
    );
    let given =
        place.json(&["cutsets", "service/payments", "--down", "database/dbA", "--down", "software-instance/web1"]);
    assert_eq!(given["byOrder"][0], "8");

    let answer = place.json(&["recovery"]);
    assert_eq!(answer["stuckCount"], 17);
    let partial = place.json(&["recovery", "--lost", "site/siteY"]);
    assert_eq!(partial["stuckCount"], 0, "the name service stays up on the other site");
    let payments = partial["services"].as_array().unwrap().iter().find(|one| one["key"] == "service/payments").unwrap();
    assert_eq!(payments["outcome"], "no_objective");
}

#[test]
fn capacity_runs_out_first_where_the_decision_is_due_first() {
    let place = with(&["capacity-model.ndjson"]);
    let answer = place.json(&["capacity", "runs-out", "service/payments"]);
    let rows = &answer["resources"];
    assert_eq!((&rows[0]["key"], &rows[1]["key"]), (&json!("licence/db"), &json!("contract/idp")));
    for (key, limit, exhausted, decide) in [
        ("licence/db", 120.0, 9.21, 5.21),
        ("contract/idp", 125.0, 11.27, 5.27),
        ("cluster/web", 144.0, 18.41, 17.41),
        ("cluster/api", 144.0, 18.41, 17.41),
        ("contract/mail", 400.0, 70.01, 67.01),
    ] {
        near(number(rows, key, "serviceLimit"), limit, 0.005);
        near(number(rows, key, "exhaustedMonths"), exhausted, 0.005);
        near(number(rows, key, "decideMonths"), decide, 0.005);
    }
    let grown = place.json(&["capacity", "plan", "--scenario", "growth-30"]);
    near(number(&grown["resources"], "contract/idp", "utilisation"), 1.04, 0.0005);
    assert_eq!(grown["supposing"].as_array().unwrap().len(), 1);
    let carries = place.json(&["capacity", "throughput", "service/payments"]);
    near(carries["asSpread"]["limit"].as_f64().unwrap(), 120.0, 0.005);
    assert_eq!(carries["asSpread"]["binding"][0]["key"], "licence/db");
    assert_eq!((&carries["poolCount"], &carries["demand"]["value"]), (&json!(0), &json!(100.0)));
    let demand = place.json(&["demand", "service/payments"]);
    near(number(&demand["items"], "licence/db", "sensitivity"), 6.0, 0.005);
}

#[test]
fn measured_points_come_in_from_tables_and_from_prometheus() {
    let place = with(&["capacity-model.ndjson"]);
    // What ended long ago tells nothing about today, so the points end where the test begins.
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let day = |n: u64| (today - 90 + n) * 86_400;
    let lines: Vec<String> = (0..90).map(|n| format!("service/payments,demand,{},{}", day(n), 100 + n / 2)).collect();
    let table = place.file("demand.csv", format!("key,metric,time,value\n{}\n", lines.join("\n")));
    let import = ["series", "import", &table, "--unit", "transactions/s", "--source", "monitoring"];
    let dry = place.ok(&[&import[..], &["--dry-run"]].concat());
    assert!(dry.contains("would be committed") && dry.contains("90 points of 1 series"), "{dry}");
    assert!(place.ok(&import).contains("committed, revision 2"));
    assert!(place.ok(&import).contains("there already"));
    let plan = place.json(&["capacity", "plan", "service/payments"]);
    assert_eq!(
        (&plan["services"][0]["isMeasured"], &plan["services"][0]["growthBasis"]),
        (&json!(true), &json!("forecast"))
    );
    let forecast = &plan["forecasts"][0];
    assert_eq!(
        (&forecast["key"], &forecast["days"], &forecast["limitedBy"]),
        (&json!("service/payments"), &json!(90), &json!("licence/db"))
    );
    let chances =
        &plan["resources"].as_array().unwrap().iter().find(|one| one["key"] == "licence/db").unwrap()["chances"];
    assert!(!chances["oneInTen"].is_null(), "{chances}");
    let earlier = place.json(&["capacity", "plan", "service/payments", "--as-of", "r1"]);
    assert_eq!(earlier["services"][0]["isMeasured"], false, "nothing was measured then");
    let page = place.ok(&["capacity", "plan", "service/payments", "--form", "html"]);
    assert!(
        page.contains("Demand on payments: daily peaks, forecast and limit") && page.contains("<polygon"),
        "a plot is in it"
    );

    let range = place.file(
        "range.json",
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"payments"},"values":[[1793577600,"150"],[1793664000,"NaN"]]}]}}"#,
    );
    let prometheus = [
        "series",
        "import",
        &range,
        "--prometheus",
        "--key",
        "service/{job}",
        "--metric",
        "demand",
        "--unit",
        "transactions/s",
    ];
    assert!(place.ok(&prometheus).contains("1 points of 1 series") && place.ok(&["verify"]).contains("r"));
    let wrong = place.file("wrong.csv", "key,metric,time,value,unit\nservice/payments,demand,yesterday,1,requests/s\n");
    let ran = place.run(&["series", "import", &wrong]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("line 2, column 'time'"), "{}", ran.err);
    let nobody = place.file("nobody.csv", "key,metric,time,value,unit\nservice/none,demand,2026-11-01,1,requests/s\n");
    assert!(place.run(&["series", "import", &nobody]).err.contains("service/none"));
}

/// A supposition without effect says so.
#[test]
fn what_is_supposed_and_changes_nothing_says_so() {
    let place = with(&["worked-estate-figures.ndjson"]);
    let batch = |source: &str, lines: &str| {
        format!(
            "{}\n{lines}\n",
            json!({"batch": {"format": "keelson/1", "source": source, "scope": "all", "observed_at": "2026-11-02T00:00:00Z"}})
        )
    };
    let host = |value: f64| {
        json!({"ci": {"key": "host/hv1", "class": "host", "name": "hv1", "attributes": {"unavailability": value}}})
            .to_string()
    };
    let scenarios = [
        json!({"ci": {"key": "scenario/idle", "class": "scenario", "name": "idle"}}).to_string(),
        json!({"ci": {"key": "scenario/host", "class": "scenario", "name": "host", "attributes": {"demand_factor": 2}}}).to_string(),
        json!({"relationship": {"dependent": "scenario/host", "kind": "applies_to", "dependency": "host/hv1"}}).to_string(),
    ];
    place.ok(&["import", "batch", &place.file("scenarios.ndjson", batch("plans", &scenarios.join("\n")))]);
    let supposing = |args: &[&str]| {
        let answer = place.json(&[&["spof", "service/payments"], args].concat());
        answer["supposing"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let idle = supposing(&["--scenario", "idle"]);
    assert!(idle.contains("nothing changes, as it states neither"), "{idle}");
    let host_line = supposing(&["--scenario", "host"]);
    assert!(host_line.contains("nothing changes for host/hv1: demand is that of a service"), "{host_line}");
    let twice = place.run(&["spof", "--scenario", "idle", "--scenario", "scenario/idle"]);
    assert!(twice.status == 2 && twice.err.contains("is given twice"), "{}", twice.err);

    let other = place.file("other.ndjson", batch("another", &host(0.5)));
    place.ok(&["import", "batch", &other]);
    let same = supposing(&["--what-if", &other]);
    assert!(same.contains("nothing changes, as all that another says in it is there already"), "{same}");
}

#[test]
fn points_that_were_written_can_be_taken_in_elsewhere() {
    let place = with(&["capacity-model.ndjson"]);
    let day = |n: u64| 1_700_000_000 + n * 86_400;
    let rows: String =
        (0..3).map(|n| format!("service/payments,demand,{},{}.5,transactions/s\n", day(n), 100 + n)).collect();
    let table = format!("key,metric,time,value,unit\n{rows}licence/db,utilisation,{},0.25,\n", day(0));
    place.ok(&["series", "import", &place.file("points.csv", &table)]);
    let later = format!(
        "service/payments,demand,{},7,transactions/s\nservice/payments,demand,{},withdrawn,transactions/s\n",
        day(1),
        day(2)
    );
    place.ok(&["series", "import", &place.file("later.csv", format!("key,metric,time,value,unit\n{later}"))]);
    let written = place.ok(&["series", "export"]);
    let wanted = "key,metric,time,value,unit\n\
        licence/db,utilisation,2023-11-14T22:13:20Z,0.25,1\n\
        service/payments,demand,2023-11-14T22:13:20Z,100.5,transactions/s\n\
        service/payments,demand,2023-11-15T22:13:20Z,7,transactions/s\n";
    assert_eq!(written, wanted);
    let other = with(&["capacity-model.ndjson"]);
    other.ok(&["series", "import", &other.file("points.csv", &written)]);
    assert_eq!(other.ok(&["series", "export"]), written);
    let one = place.ok(&["series", "export", "licence/db", "--metric", "utilisation"]);
    assert_eq!(one.lines().count(), 2);
    let earlier = place.ok(&["series", "export", "service/payments", "--as-of", "r2"]);
    assert_eq!(earlier.lines().count(), 4, "{earlier}");
    let unknown = place.run(&["series", "export", "service/nobody"]);
    assert_eq!(unknown.status, 2, "{}", unknown.err);
}

#[test]
fn points_that_are_no_measurements_are_refused_named_and_can_be_left_out_or_taken_back() {
    let place = with(&["capacity-model.ndjson"]);
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let head = "key,metric,time,value,unit\n";
    let row = |key: &str, day: u64, value: &str, unit: &str| format!("{key},demand,{},{value},{unit}\n", day * 86_400);
    let payments = "service/payments";
    let good: String = (0..60).map(|n| row(payments, today - 60 + n, "100", "transactions/s")).collect();
    let refused = |name: &str, lines: &str, says: &str| {
        let table = place.file(name, format!("{head}{lines}"));
        let ran = place.run(&["series", "import", &table]);
        assert_eq!(ran.status, 2, "{lines}");
        assert!(ran.err.contains(says), "{lines}: {}", ran.err);
    };
    place.ok(&["series", "import", &place.file("good.csv", format!("{head}{good}"))]);
    refused("ahead.csv", &row(payments, today + 400, "1", "transactions/s"), "1 points are of times after now");
    refused("milliseconds.csv", &row(payments, today * 1_000, "1", "transactions/s"), "look like milliseconds");
    refused("unit.csv", &row(payments, today, "100", "messages/s"), "is known in transactions/s, and messages/s");
    let both = [row(payments, today, "x", "transactions/s"), row(payments, today + 9, "1", "transactions/s")].concat();
    refused("both.csv", &both, "line 2, column 'value'");
    assert!(place.json(&["capacity", "plan", payments])["services"][0]["isMeasured"].as_bool().unwrap());

    // One bad value: all else comes in, and it can be taken back. Another rate of the same thing is converted.
    let mixed = [
        row(payments, today - 1, "54000", "transactions/min"),
        row(payments, today - 2, "nonsense", "transactions/min"),
        row("service/nobody", today, "1", "requests/s"),
        row(payments, today + 9, "1", "transactions/min"),
    ];
    let mixed = place.file("mixed.csv", format!("{head}{}", mixed.concat()));
    let told = place.ok(&["series", "import", &mixed, "--keep-going"]);
    assert!(told.contains("1 points of 1 series") && told.contains("3 left out:"), "{told}");
    for says in ["line 3, column 'value'", "'service/nobody' names no configuration item", "times after now"] {
        assert!(told.contains(says), "{told}");
    }
    let peak = |place: &Place| place.json(&["demand", payments])["services"][0]["demand"].clone();
    assert_eq!(peak(&place), json!({"value": 900.0, "unit": "transactions/s"}));
    let back = place.file("back.csv", head.to_owned() + &row(payments, today - 1, "withdrawn", "transactions/s"));
    assert!(place.ok(&["series", "import", &back]).contains("1 taken back"));
    assert_eq!(peak(&place), json!({"value": 100.0, "unit": "transactions/s"}));
    assert!(place.ok(&["series", "import", &back]).contains("there already"));
    // What was taken back can come again.
    assert!(place.ok(&["series", "import", &mixed, "--keep-going"]).contains("committed"));
    assert_eq!(peak(&place), json!({"value": 900.0, "unit": "transactions/s"}));
    assert!(place.ok(&["series", "import", &back]).contains("committed"));
    place.ok(&["verify"]);
}

#[test]
fn suppliers_fall_concentrate_and_promise() {
    let place = with(&["worked-estate-figures.ndjson", "worked-contracts.ndjson"]);
    let loss = place.json(&["supplier", "loss", "supplier/PowerCo"]);
    assert_eq!(each(&loss["fallsOver"], "name"), ["dns", "payments", "portal", "sso"]);
    let held = place.json(&["supplier", "loss", "supplier/ColoX"]);
    assert_eq!((&held["touchedCount"], &held["fallsOver"]), (&json!(4), &json!([])));
    let concentration = place.json(&["supplier", "concentration"]);
    let power =
        concentration["suppliers"].as_array().unwrap().iter().find(|one| one["name"] == "supplier/PowerCo").unwrap();
    assert_eq!((&power["share"], &power["spend"]), (&json!(1.0), &json!(null)));

    let folder = place.path("register");
    let folder_name = folder.display().to_string();
    place.ok(&["supplier", "register", "--form", "csv", "--to-file", &folder_name]);
    let chain = std::fs::read_to_string(folder.join("B_05.02.csv")).unwrap();
    assert!(chain.contains("ColoY-2026,S05,supplier/PowerCo,catalogue key,2,supplier/ColoY,catalogue key"), "{chain}");
    assert_eq!(
        std::fs::read_dir(&folder)
            .unwrap()
            .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("B_"))
            .count(),
        15
    );
    let findings = std::fs::read_to_string(folder.join("findings.csv")).unwrap();
    assert!(findings.contains("the alternatives are not independent"), "{findings}");

    let place = with(&["promises.ndjson"]);
    let gap = place.json(&["supplier", "gap"]);
    near(number(&gap["services"], "service/checkout", "gapMinutes"), 22.7, 0.05);
    near(number(&gap["services"][0]["contracts"], "contract/identity", "needed"), 0.999_524_7, 1e-7);
}

#[test]
fn drift_health_and_samples() {
    let place = with(&["worked-estate-figures.ndjson"]);
    let seen = place.file(
        "seen.ndjson",
        r#"{"batch":{"format":"keelson/1","source":"traces","scope":"all","observed_at":"2026-11-01T00:00:00Z"}}
{"relationship":{"dependent":"service/portal","kind":"calls","dependency":"software-instance/web1","basis":"observed"}}
{"relationship":{"dependent":"software-instance/web1","kind":"runs_on","dependency":"host/hv2","basis":"observed"}}
"#,
    );
    place.ok(&["import", "batch", &seen]);
    let drift = place.json(&["drift", "--window-days", "400"]);
    assert_eq!(drift["missing"], 1);
    assert_eq!(each(&drift["services"], "name"), ["portal"], "all of its web servers stand on one host, if that is so");
    assert!(place.json(&["health"])["findingCount"].as_u64().unwrap() > 0);

    let drawn = place.json(&["sample", "2026-Q3", "--size", "5"]);
    assert_eq!(drawn["items"].as_array().unwrap().len(), 5);
    place.ok(&["import", "batch", &fixture("worked-contracts.ndjson")]);
    assert_ne!(place.json(&["sample", "2026-Q3", "--size", "5"])["seed"], drawn["seed"]);
    let again = place.json(&["sample", "2026-Q3", "--size", "5", "--as-of", "r2"]);
    assert_eq!((&again["seed"], &again["items"]), (&drawn["seed"], &drawn["items"]));
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
    let about = std::fs::read_to_string(folder.join("about.csv")).unwrap();
    assert!(about.contains("revision,1\n") && about.contains("complete,yes\n"), "{about}");
}

#[test]
fn rows_that_are_cut_off_say_so_on_standard_error() {
    let place = estate();
    for form in ["csv", "ndjson"] {
        let told = place.run(&["spof", "--limit", "1", "--output", form]);
        let error = told.err;
        assert!(error.contains("1 of 4 services are shown"), "{form}: {error}");
        let told = place.run(&["list", "--limit", "2", "--output", form]);
        let error = told.err;
        assert!(error.contains("2 of 25"), "{form}: {error}");
    }
    let folder = place.path("cut");
    place.ok(&["spof", "--limit", "1", "--form", "csv", "--to-file", &folder.display().to_string()]);
    let about = std::fs::read_to_string(folder.join("about.csv")).unwrap();
    assert!(about.contains("limit,1 of 4 services are shown"), "{about}");
}

/// An answer without the days and months that count from the moment it was asked for.
fn undated(mut answer: Json) -> Json {
    const DATED: [&str; 6] = ["from", "at", "exhaustedAt", "exhaustedMonths", "decideBy", "decideMonths"];
    match &mut answer {
        Json::Array(entries) => entries.iter_mut().for_each(|entry| *entry = undated(entry.take())),
        Json::Object(fields) => {
            fields.retain(|name, _| !DATED.contains(&name.as_str()));
            fields.values_mut().for_each(|value| *value = undated(value.take()));
        }
        _ => {}
    }
    answer
}

#[test]
fn a_server_answers_as_an_embedded_store_does() {
    let place = with(&["worked-estate.ndjson", "promises.ndjson", "capacity-model.ndjson"]);
    let file = place.file("web3-moved.ndjson", WEB3_MOVED);
    let questions: [&[&str]; 19] = [
        &["availability"],
        &["cutsets", "service/payments"],
        &["recovery", "--lost", "site/siteX"],
        &["demand"],
        &["capacity", "plan"],
        &["capacity", "runs-out", "service/payments"],
        &["capacity", "throughput", "service/payments"],
        &["supplier", "loss", "supplier/PowerCo"],
        &["supplier", "concentration"],
        &["supplier", "gap"],
        &["supplier", "gap", "service/checkout"],
        &["supplier", "register"],
        &["drift"],
        &["health"],
        &["sample", "2026-Q3"],
        &["spof", "--proofs", "2", "--fixes", "2"],
        &["spof", "service/payments", "--down", "database/dbA"],
        &["spof", "--what-if", &file],
        &["impact", "host/hv2", "--what-if", &file],
    ];
    let embedded: Vec<Json> = questions.iter().map(|question| undated(place.json(question))).collect();
    let refused = place.run(&["spof", "--scenario", "none"]);
    let (mut server, client) = (Serving::start(&place, &["serve"]), Place::new());
    for (question, embedded) in questions.iter().zip(embedded) {
        assert_eq!(undated(server.json(&client, question)), embedded, "{question:?}");
    }
    let remote = server.run(&client, &["spof", "--scenario", "none"]);
    assert_eq!((remote.status, remote.err), (refused.status, refused.err));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_server_takes_measured_points_in() {
    let (place, client) = (with(&["capacity-model.ndjson"]), Place::new());
    let server = Serving::start(&place, &["serve"]);
    let table = client.file("demand.csv", "key,metric,time,value\nservice/payments,demand,2026-11-01,100\n");
    let import =
        ["series", "import", &table, "--unit", "transactions/s", "--source", "monitoring/é", "--reason", "daily"];
    let dry = server.json(&client, &[&import[..], &["--dry-run"]].concat());
    assert_eq!((&dry["points"], &dry["revision"]), (&json!(1), &Json::Null));
    let taken = server.json(&client, &import);
    assert_eq!((&taken["series"], &taken["revision"], &taken["alreadyKnown"]), (&json!(1), &json!(2), &json!(false)));
    assert_eq!(server.json(&client, &import)["alreadyKnown"], true, "a repetition is harmless");
    let range = client.file(
        "range.json",
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"payments"},"values":[[1793577600,"150"]]}]}}"#,
    );
    let prometheus = ["series", "import", &range, "--prometheus", "--key", "service/{job}", "--metric", "demand"];
    let taken = server.json(&client, &[&prometheus[..], &["--unit", "transactions/s"]].concat());
    assert_eq!(taken["revision"], 3);
    let nobody = client.file("nobody.csv", "key,metric,time,value,unit\nservice/none,demand,2026-11-01,1,requests/s\n");
    let ran = server.run(&client, &["series", "import", &nobody]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("service/none"), "{}", ran.err);
    assert_eq!(server.json(&client, &["list", "--limit", "1"])["revision"], 3, "what is refused changes nothing");
}
