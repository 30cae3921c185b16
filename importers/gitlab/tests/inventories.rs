//! The six real versions of the shared example data, with the counts known of them. Passed over
//! where the data are not there.

use std::collections::BTreeSet;

use keelson_import_gitlab::GitlabImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, input, inventories};
use keelson_model::{Batch, FindingCode};
use serde_json::Value;

fn read() -> Option<Vec<Batch>> {
    let folder = inventories("gitlab/catalogue-2019-2021")?;
    Some(assert_conforms(&GitlabImporter, &input(&folder), &context("gitlab"), &Expectations::default()))
}

fn services(batch: &Batch) -> BTreeSet<&str> {
    batch.observations.iter().filter(|o| o.class == "application").map(|o| o.source_key.as_str()).collect()
}

/// What is known of a version.
struct Known {
    date: &'static str,
    services: usize,
    rows: usize,
    null: usize,
    missing_rows: usize,
    missing: &'static [&'static str],
    between_known: usize,
    new: usize,
    gone: usize,
}

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    Known { date: "2019-02-01", services: 21, rows: 24, null: 6, missing_rows: 2, missing: &["prometheus"], between_known: 15, new: 21, gone: 0 },
    Known { date: "2019-07-01", services: 34, rows: 35, null: 7, missing_rows: 0, missing: &[], between_known: 27, new: 13, gone: 0 },
    Known { date: "2020-01-01", services: 37, rows: 36, null: 7, missing_rows: 8, missing: &["postgres", "prometheus"], between_known: 20, new: 9, gone: 6 },
    Known { date: "2020-07-01", services: 38, rows: 36, null: 9, missing_rows: 7, missing: &["postgres", "prometheus"], between_known: 19, new: 3, gone: 2 },
    Known { date: "2021-01-01", services: 41, rows: 37, null: 9, missing_rows: 8, missing: &["elasticsearch", "postgres", "prometheus"], between_known: 19, new: 3, gone: 0 },
    Known { date: "2021-07-01", services: 47, rows: 42, null: 11, missing_rows: 8, missing: &["elasticsearch", "postgres", "prometheus"], between_known: 22, new: 9, gone: 3 },
];

#[test]
fn six_versions_are_one_history() {
    let Some(batches) = read() else { return };
    assert_eq!(batches.len(), KNOWN.len());
    let mut before = BTreeSet::new();
    for (batch, known) in batches.iter().zip(KNOWN) {
        let at = known.date;
        assert_eq!(batch.observed_at.date_naive().to_string(), at);
        assert_eq!(batch.scope, batches[0].scope);
        assert!(batch.is_complete(), "{at}: {:?}", batch.findings);
        let listed = services(batch);
        assert_eq!(listed.len(), known.services, "{at}");
        assert_eq!(listed.difference(&before).count(), known.new, "{at}");
        assert_eq!(before.difference(&listed).count(), known.gone, "{at}");
        before = listed;
    }
}

#[test]
fn dependencies_of_every_version() {
    let Some(batches) = read() else { return };
    for (batch, known) in batches.iter().zip(KNOWN) {
        let at = known.date;
        let one = std::slice::from_ref(batch);
        let listed = services(batch);
        let needs: Vec<_> = batch.relationships.iter().filter(|r| r.kind == "depends_on").collect();
        let null = conformance::findings(one, FindingCode::NullTarget);
        assert_eq!((needs.len() + null, null), (known.rows, known.null), "{at}");
        let missing_rows = needs.iter().filter(|r| !listed.contains(r.dependency.as_str())).count();
        assert_eq!(missing_rows, known.missing_rows, "{at}");
        let missing = conformance::missing(one);
        let missing: Vec<_> = missing.iter().filter_map(|key| key.strip_prefix("service/")).collect();
        assert_eq!(missing, known.missing, "{at}");
        let loops: Vec<_> = needs.iter().filter(|r| r.dependent.as_str() == r.dependency.as_str()).collect();
        assert_eq!(loops.iter().map(|r| r.dependent.as_str()).collect::<Vec<_>>(), ["service/gitaly"], "{at}");
        assert_eq!(conformance::findings(one, FindingCode::SelfLoop), 1, "{at}");
        assert_eq!(needs.len() - missing_rows - loops.len(), known.between_known, "{at}");
        let of_api = needs.iter().filter(|r| r.dependent.as_str() == "service/api");
        let of_api: BTreeSet<_> = of_api.map(|r| r.dependency.as_str()).collect();
        assert_eq!(of_api, BTreeSet::from(["service/gitaly", "service/postgres", "service/redis"]), "{at}");
    }
}

#[test]
fn nothing_else_is_noticed() {
    let Some(batches) = read() else { return };
    for batch in &batches {
        let other: Vec<_> = batch
            .findings
            .iter()
            .filter(|f| ![FindingCode::NullTarget, FindingCode::SelfLoop, FindingCode::MissingTarget].contains(&f.code))
            .collect();
        assert!(other.is_empty(), "{other:#?}");
    }
}

#[test]
fn labels_repeat_and_identify_nothing() {
    let Some(batches) = read() else { return };
    let repeated = |batch: &Batch| -> Vec<String> {
        let mut seen = BTreeSet::new();
        let labels = batch.observations.iter().filter_map(|o| o.attributes.get("label").and_then(Value::as_str));
        labels.filter(|label| !seen.insert(*label)).map(str::to_owned).collect()
    };
    let repeated: Vec<_> = batches.iter().map(repeated).collect();
    assert!(repeated[0].is_empty() && repeated[1].is_empty(), "{repeated:?}");
    assert!(repeated[2..].iter().all(|labels| labels.contains(&"Service:Pages".to_owned())), "{repeated:?}");
    assert!(repeated[5].contains(&"Service:Redis".to_owned()), "{repeated:?}");
}
