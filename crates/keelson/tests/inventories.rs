//! Real inventories of the world, through the whole program: taken in without a panic, every finding
//! with its reason, and nothing changes the second time. Passed over where the data are not there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, each};
use keelson_importer::conformance::inventories;
use serde_json::Value as Json;

/// The arguments of an import of a folder of the shared data.
struct Taken {
    importer: &'static str,
    folder: &'static str,
    options: &'static [&'static str],
    /// Configuration items in the catalogue afterwards, placeholders left out.
    described: u64,
}

const TAKEN: &[Taken] = &[
    Taken { importer: "backstage", folder: "backstage/giantswarm-catalogs", options: &["--complete"], described: 96 },
    Taken { importer: "backstage", folder: "backstage/janus-showcase", options: &["--complete"], described: 19 },
    Taken {
        importer: "terraform",
        folder: "terraform/state-shapes/aws_state_cyclic.tfstate.json",
        options: &[],
        described: 0,
    },
    Taken { importer: "terraform", folder: "terraform/state-fleet", options: &[], described: 0 },
    Taken {
        importer: "terraform",
        folder: "terraform/show-json-state",
        options: &["--option", "lineage=shown"],
        described: 0,
    },
    Taken {
        importer: "terraform",
        folder: "terraform/show-json-plan",
        options: &["--option", "lineage=planned"],
        described: 0,
    },
    Taken { importer: "kubernetes", folder: "kubernetes/api-lists", options: &["--complete"], described: 0 },
    Taken {
        importer: "kubernetes",
        folder: "kubernetes/support-bundle",
        options: &["--option", "cluster=bundle"],
        described: 0,
    },
    Taken {
        importer: "kubernetes",
        folder: "kubernetes/manifests-online-boutique",
        options: &["--option", "cluster=boutique"],
        described: 0,
    },
    Taken {
        importer: "kubernetes",
        folder: "kubernetes/manifests-sock-shop",
        options: &["--option", "cluster=sock-shop"],
        described: 0,
    },
];

fn import(place: &Place, taken: &Taken, path: &str, observed_at: &str) -> Json {
    let args = [&["import", taken.importer, path, "--observed-at", observed_at], taken.options].concat();
    place.json(&args)
}

#[test]
fn what_was_taken_in_changes_nothing_the_second_time() {
    for taken in TAKEN {
        let Some(path) = inventories(taken.folder) else { continue };
        let path = path.display().to_string();
        let place = Place::new();
        let first = import(&place, taken, &path, "2026-11-01T00:00:00Z");
        for batch in first["batches"].as_array().unwrap() {
            // A state without resources leaves nothing but its entry in the ledger.
            let outcome = batch["outcome"].as_str().unwrap();
            assert!(["committed", "unchanged"].contains(&outcome), "{}: {batch:#}", taken.folder);
            for finding in batch["findings"].as_array().unwrap() {
                assert!(finding["message"].as_str().is_some_and(|message| message.len() > 10), "{finding:#}");
            }
        }
        let stands = |place: &Place| {
            let list = place.json(&["list", "--limit", "100000"]);
            (list["revision"].clone(), list["items"].clone())
        };
        let (revision, items) = stands(&place);
        assert!(!items.as_array().unwrap().is_empty(), "{}", taken.folder);
        if taken.described > 0 {
            let described = items.as_array().unwrap().iter().filter(|item| item["standing"] == "live").count();
            assert_eq!(described as u64, taken.described, "{}", taken.folder);
        }
        let again = import(&place, taken, &path, "2026-11-01T00:00:00Z");
        let outcomes = each(&again["batches"], "outcome");
        assert!(outcomes.iter().all(|outcome| *outcome == "already_known"), "{}: {outcomes:?}", taken.folder);
        assert_eq!(stands(&place).0, revision, "{}", taken.folder);
        // The same files read later say nothing new but that they were seen.
        let later = import(&place, taken, &path, "2026-11-02T00:00:00Z");
        for batch in later["batches"].as_array().unwrap() {
            for part in ["configurationItems", "relationships", "needs"] {
                for what in ["created", "updated", "filled_placeholder", "revived", "withdrawn"] {
                    assert_eq!(batch[part][what], 0, "{}: {part} {what}: {batch:#}", taken.folder);
                }
            }
        }
        let strip = |items: &Json| {
            let mut items = items.clone();
            items.as_array_mut().unwrap().iter_mut().for_each(|item| item["lastSeen"] = Json::Null);
            items
        };
        assert_eq!(strip(&stands(&place).1), strip(&items), "{}", taken.folder);
        assert_eq!(place.run(&["verify"]).status, 0, "{}", taken.folder);
    }
}

#[test]
fn states_of_a_version_nobody_reads_are_refused() {
    for name in ["version_3_state", "empty", "invalid_version_state"] {
        let Some(path) = inventories(&format!("terraform/state-shapes/{name}.tfstate.json")) else { continue };
        let ran = Place::new().run(&["import", "terraform", &path.display().to_string()]);
        assert_eq!(ran.status, 2, "{name}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("version"), "{name}: {}", ran.err);
    }
}
