//! A catalogue's past, loaded version by version, reads as of each date: what was there, what was
//! lost with what, and when something went.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, each};
use keelson_importer::conformance::inventories;
use serde_json::Value as Json;

/// Loads a version. Where the guard stops it, which is the answer, it is loaded with a wider one.
fn load(place: &Place, file: &str) -> bool {
    let args = ["import", "gitlab", file, "--complete", "--backdate", "--source", "catalogue"];
    let ran = place.run(&args);
    if ran.status == 0 {
        return false;
    }
    assert!(ran.status == 2 && ran.err.contains("withdraw"), "{}{}", ran.out, ran.err);
    place.ok(&[&args[..], &["--guard", "25"]].concat());
    true
}

fn keys(place: &Place, as_of: &str) -> Vec<String> {
    let list = place.json(&["list", "--class", "application", "--limit", "1000", "--as-of", as_of]);
    let live = list["items"].as_array().unwrap().iter().filter(|item| item["standing"] == "live");
    live.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

fn touched(place: &Place, key: &str, as_of: &str) -> Json {
    place.json(&["impact", key, "--as-of", as_of])
}

#[test]
fn two_versions_of_our_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../importers/gitlab/tests/fixtures/history");
    let place = Place::new();
    load(&place, &format!("{folder}/service-catalog.2024-01-01.yml"));
    load(&place, &format!("{folder}/service-catalog.2024-07-01.yml"));
    let (first, second) = (keys(&place, "2024-03-01"), keys(&place, "2024-08-01"));
    assert_ne!(first, second);
    assert_eq!(keys(&place, "2024-01-01"), first);
    assert_eq!(place.run(&["list", "--as-of", "2023-12-31"]).status, 2, "nothing was known then");
    // What was dated back says when it was recorded, and nothing older can follow.
    let key = &first[0];
    let history = place.json(&["history", key]);
    let entry = history["entries"].as_array().unwrap().last().unwrap();
    assert!(entry["at"].as_str().unwrap().starts_with("2024-01-01"), "{entry:#}");
    assert!(entry["recordedAt"].as_str().unwrap() > "2026", "{entry:#}");
    let file = format!("{folder}/service-catalog.2024-01-01.yml");
    let ran = place.run(&["import", "gitlab", &file, "--backdate", "--source", "other"]);
    assert_eq!(ran.status, 2, "{}", ran.out);
    assert!(ran.err.contains("before anything newer"), "{}", ran.err);
}

#[test]
fn six_versions_of_a_real_catalogue() {
    let Some(folder) = inventories("gitlab/catalogue-2019-2021") else { return };
    let place = Place::new();
    let dates = ["2019-02-01", "2019-07-01", "2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01"];
    let stopped: Vec<bool> = dates
        .iter()
        .map(|date| load(&place, &folder.join(format!("service-catalog.{date}.yml")).display().to_string()))
        .collect();
    assert!(stopped[2], "6 of 34 services gone is more than the guard lets pass");
    let counts: Vec<usize> = dates.iter().map(|date| keys(&place, date).len()).collect();
    assert_eq!(counts, [21, 34, 37, 38, 41, 47]);
    // `api` needs gitaly, postgres and redis throughout.
    for date in dates {
        for needed in ["application/gitaly", "application/postgres", "application/redis"] {
            let answer = touched(&place, needed, date);
            assert!(each(&answer["items"], "key").contains(&"application/api"), "{date}: {answer:#}");
        }
    }
    // What falls with redis, year by year, counted in the files alone by following who lists whom.
    let without_redis = [
        ("2019-02-01", "api console fe-lb git gitaly mailroom"),
        ("2020-01-01", "api console frontend git gitaly mailroom praefect registry sidekiq web"),
        ("2021-01-01", "api console frontend git gitaly mailroom praefect registry sidekiq web"),
        // `kas` came with its friendly name.
        ("2021-07-01", "Kubernetes Agent api console frontend git gitaly mailroom praefect registry sidekiq web"),
    ];
    for (date, names) in without_redis {
        let answer = touched(&place, "application/redis", date);
        let lost = answer["items"].as_array().unwrap().iter().filter(|item| item["loss"] == 1.0);
        let lost = lost.filter_map(|item| item["key"].as_str()?.strip_prefix("application/"));
        let mut lost: Vec<&str> = lost.collect();
        lost.sort_unstable();
        assert_eq!(lost.join(" "), names, "{date}");
        assert_eq!(answer["asOf"], format!("{date}T23:59:59.999Z"));
    }
    // postgres was listed until it became patroni. What the others state of it stands, and answers say
    // that nothing describes it any longer.
    let standing = |date| place.json(&["get", "application/postgres", "--as-of", date])["standing"].clone();
    assert_eq!(standing("2019-07-01"), "live");
    assert_eq!(standing("2020-01-01"), "withdrawn");
    let complete = |date| touched(&place, "application/postgres", date)["complete"].clone();
    assert_eq!((complete("2019-07-01"), complete("2020-01-01")), (Json::Bool(true), Json::Bool(false)));
    let check = place.json(&["check"]);
    assert_eq!(check["counts"]["still_needed"], 2, "{check:#}");
    assert_eq!(place.run(&["verify"]).status, 0);
    // One year's baseline against the next. In the files `api` got a friendly name, `frontend` as well and
    // lost its team; both go on needing what they needed.
    for (name, date) in [("2020", dates[2]), ("2021", dates[4])] {
        place.ok(&["baseline", "take", name, "--cone", "application/frontend", "--as-of", date]);
        assert_eq!(place.json(&["baseline", "show", name])["isProven"], true);
    }
    let compared = place.json(&["baseline", "compare", "2020", "2021"]);
    let between = (compared["earlier"]["revision"].as_u64().unwrap(), compared["later"]["revision"].as_u64().unwrap());
    let item =
        |key: &str| compared["items"].as_array().unwrap().iter().find(|item| item["key"] == key).unwrap().clone();
    for (key, before, after) in
        [("application/api", "api", "GitLab API"), ("application/frontend", "frontend", "HAProxy Frontend")]
    {
        let item = item(key);
        let records = item["records"].as_array().unwrap();
        let own = records.iter().find(|record| record["record"] == "item").unwrap();
        let by = own["revision"].as_u64().unwrap();
        assert!(between.0 < by && by <= between.1 && own["actor"] == "test", "{own:#}");
        let name = own["changes"].as_array().unwrap().iter().find(|change| change["field"] == "name").unwrap();
        assert_eq!((name["before"].as_str(), name["after"].as_str()), (Some(before), Some(after)));
        let needed = records.iter().filter(|record| record["record"].as_str().unwrap().contains("depends_on"));
        assert_eq!(needed.count(), 0, "{item:#}");
        // Owners that came and went within the year are no difference.
        assert!(
            records
                .iter()
                .all(|record| record["what"] != "created" || !record["changes"].to_string().contains("withdrawn"))
        );
    }
}
