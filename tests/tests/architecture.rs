//! Who may depend on whom, as `crates/README.md` has it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value as Json;

/// What each crate may depend on, ours and the outside ones that are watched.
const MAY: &[(&str, &[&str])] = &[
    ("keelson-model", &[]),
    ("keelson-catalogue", &["keelson-model"]),
    ("keelson-forecast", &[]),
    ("keelson-series", &["keelson-model"]),
    ("keelson-graph", &["keelson-model", "petgraph"]),
    ("keelson-analysis", &["keelson-model", "keelson-forecast", "keelson-graph", "petgraph"]),
    ("keelson-change", &["keelson-model", "keelson-catalogue"]),
    (
        "keelson-answers",
        &[
            "keelson-model",
            "keelson-catalogue",
            "keelson-change",
            "keelson-forecast",
            "keelson-graph",
            "keelson-analysis",
        ],
    ),
    ("keelson-reconcile", &["keelson-model", "keelson-catalogue"]),
    ("keelson-report", &[]),
    ("keelson-pack", &["keelson-model", "keelson-answers", "keelson-report"]),
    ("keelson-importer", &["keelson-model"]),
    (
        "keelson-testkit",
        &[
            "keelson-model",
            "keelson-catalogue",
            "keelson-change",
            "keelson-analysis",
            "keelson-answers",
            "keelson-reconcile",
            "keelson-importer",
            "keelson-import-batch",
        ],
    ),
    ("keelson-store", &["keelson-model", "surrealdb", "surrealdb-cnf", "surrealdb-engine-local", "tokio"]),
    (
        "keelson-app",
        &[
            "keelson-model",
            "keelson-catalogue",
            "keelson-graph",
            "keelson-analysis",
            "keelson-answers",
            "keelson-change",
            "keelson-pack",
            "keelson-report",
            "keelson-reconcile",
            "keelson-series",
            "keelson-store",
            "tokio",
        ],
    ),
    (
        "keelson-api",
        &[
            "keelson-app",
            "keelson-model",
            "keelson-catalogue",
            "keelson-graph",
            "keelson-analysis",
            "keelson-importer",
            "keelson-import-batch",
            "async-graphql",
            "axum",
            "tokio",
        ],
    ),
    (
        "keelson-server",
        &["keelson-app", "keelson-api", "keelson-model", "keelson-importer", "keelson-import-batch", "axum", "tokio"],
    ),
    ("keelson-import-*", &["keelson-importer", "keelson-model"]),
];

/// Outside crates of which only some of ours may know.
const WATCHED: &[&str] =
    &["surrealdb", "surrealdb-cnf", "surrealdb-engine-local", "petgraph", "axum", "async-graphql", "tokio"];

fn metadata() -> Json {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The ordinary dependencies of each of our crates.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let of = |package: &Json| {
        let ordinary = package["dependencies"].as_array().unwrap().iter().filter(|one| one["kind"].is_null());
        ordinary.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), of(package))).collect()
}

#[test]
fn crates_depend_on_what_they_may() {
    let mut wrong = Vec::new();
    for (name, on) in dependencies() {
        let key = if name.starts_with("keelson-import-") { "keelson-import-*" } else { name.as_str() };
        let Some((_, may)) = MAY.iter().find(|(known, _)| *known == key) else {
            assert!(["keelson", "keelson-tests", "keelson-benches"].contains(&key), "{name} is not in the table");
            continue;
        };
        let watched = on.iter().filter(|one| one.starts_with("keelson") || WATCHED.contains(&one.as_str()));
        wrong.extend(watched.filter(|one| !may.contains(&one.as_str())).map(|one| format!("{name} -> {one}")));
    }
    assert!(wrong.is_empty(), "not as crates/README.md has it: {wrong:?}");
}

#[test]
fn no_product_knows_the_test_kit() {
    let dependencies = dependencies();
    let who: Vec<&String> =
        dependencies.iter().filter(|(_, on)| on.contains("keelson-testkit")).map(|(name, _)| name).collect();
    assert_eq!(who, [""; 0]);
}

#[test]
fn the_database_is_named_in_one_crate_only() {
    let dependencies = dependencies();
    let who: Vec<&String> =
        dependencies.iter().filter(|(_, on)| on.contains("surrealdb")).map(|(name, _)| name).collect();
    assert_eq!(who, ["keelson-store"]);
}
