//! States that are damaged, odd or very large.

use std::path::Path;

use keelson_import_terraform::TerraformImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, violations};
use keelson_importer::{EnvelopeError, Importer, Input, Limits, SourceFile};
use keelson_model::{Batch, FindingCode, Position};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value as Json, json};

const SECRETS: &[&str] = &["dummy-secret-7d1a"];

fn shop() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shop.tfstate");
    std::fs::read_to_string(path).expect("the fixture is there")
}

fn input(name: &str, text: impl Into<Vec<u8>>) -> Input {
    Input::from_files(vec![SourceFile::from_bytes(name, text.into())])
}

fn normalise(text: impl Into<Vec<u8>>) -> Result<Vec<Batch>, EnvelopeError> {
    TerraformImporter.normalise(&input("a.tfstate", text), &context("tf"))
}

fn read(resources: &Json) -> Batch {
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": resources}).to_string();
    let expectations = Expectations { secrets: SECRETS, schema: None };
    assert_conforms(&TerraformImporter, &input("a.tfstate", state), &context("tf"), &expectations).remove(0)
}

fn resource(kind: &str, name: &str, instances: &Json) -> Json {
    json!({"mode": "managed", "type": kind, "name": name, "provider": "provider.aws", "instances": instances})
}

fn findings(batch: &Batch) -> Vec<String> {
    batch.findings.iter().map(ToString::to_string).collect()
}

/// A batch without what depends on where in the file something stood.
fn without_places(mut batch: Batch) -> String {
    let mut findings: Vec<_> =
        batch.findings.drain(..).map(|f| format!("{} {:?} {}", f.code, f.key, f.message)).collect();
    findings.sort();
    batch.payloads.clear();
    let nowhere = Position::default;
    batch.observations.iter_mut().for_each(|o| o.position = nowhere());
    batch.relationships.iter_mut().for_each(|r| r.position = nowhere());
    batch.needs.iter_mut().for_each(|n| n.position = nowhere());
    format!("{batch:#?}{findings:#?}")
}

/// Puts the items of a list in another order.
fn shuffle(items: &mut [Json], order: &[Index]) {
    for at in 1..items.len() {
        items.swap(at, order[at % order.len()].index(at + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_resources_plays_no_part(order in proptest::collection::vec(any::<Index>(), 1..40)) {
        let mut state: Json = serde_json::from_str(&shop()).unwrap();
        let expected = without_places(normalise(state.to_string()).unwrap().remove(0));
        let resources = state["resources"].as_array_mut().unwrap();
        shuffle(resources, &order);
        for resource in resources {
            shuffle(resource["instances"].as_array_mut().unwrap(), &order);
        }
        let found = without_places(normalise(state.to_string()).unwrap().remove(0));
        prop_assert!(found == expected, "{found}\n{expected}");
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused(cut in any::<Index>()) {
        let mut bytes = shop().trim_end().as_bytes().to_vec();
        bytes.truncate(cut.index(bytes.len()));
        let refused = matches!(normalise(bytes), Err(EnvelopeError::Unreadable { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn damaged_files_break_no_rule(damage in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..20)) {
        let mut bytes = shop().into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(batches) = normalise(bytes) {
            let broken = violations(&batches, &Expectations::default());
            prop_assert!(broken.is_empty(), "{broken:?}");
        }
    }

    #[test]
    fn whatever_an_instance_holds_no_rule_is_broken(rows in proptest::collection::vec((0..9_usize, 0..9_usize, 0..9_usize), 1..8)) {
        let odd = [
            json!(null), json!(""), json!("null"), json!(0), json!([]), json!({}), json!("aws_vpc.a"), json!(["a", null]),
            json!("x".repeat(5_000)),
        ];
        let resources: Vec<_> = rows
            .into_iter()
            .map(|(a, b, c)| {
                let instance = json!({
                    "index_key": odd[a], "attributes": {"id": odd[b], "arn": odd[c], "name": odd[a], "tags": odd[b]},
                    "dependencies": [odd[a], odd[b], odd[c]], "sensitive_attributes": odd[c], "deposed": odd[b],
                });
                json!({"mode": "managed", "type": "aws_vpc", "name": "a", "module": odd[c], "instances": [instance, odd[a]]})
            })
            .collect();
        let batch = read(&Json::from(resources));
        let refused = batch.findings.iter().any(|f| f.severity == keelson_model::Severity::Error);
        prop_assert_eq!(batch.is_complete(), !refused);
    }
}

#[test]
fn every_cut_of_a_small_state_is_refused() {
    let state =
        json!({"version": 4, "serial": 1, "lineage": "l", "resources": [resource("aws_vpc", "a", &json!([{}]))]});
    let text = state.to_string();
    assert!(normalise(text.as_str()).is_ok());
    for cut in 0..text.len() {
        assert!(matches!(normalise(&text[..cut]), Err(EnvelopeError::Unreadable { .. })), "{}", &text[..cut]);
    }
}

#[test]
fn bad_rows_do_not_stop_the_others() {
    let good = resource("aws_vpc", "good", &json!([{"attributes": {"id": "vpc-00000001"}}]));
    let mut odd_mode = good.clone();
    odd_mode["mode"] = json!("odd");
    let mut no_type = good.clone();
    no_type["type"] = json!("");
    let mut odd_module = good.clone();
    odd_module["module"] = json!("a.b");
    let batch = read(&json!([
        odd_mode,
        no_type,
        odd_module,
        good,
        7,
        resource("aws_vpc", "a", &json!("none")),
        resource("aws_vpc", "b", &json!([{"index_key": [1]}, {"attributes": 7}, 7])),
        resource("aws_vpc", "c\u{7}", &json!([{}])),
        resource("aws_vpc", &"n".repeat(3_000), &json!([{}])),
        resource("aws_vpc", "d", &json!([{"dependencies": [null, "", 7, "vpc", "aws_vpc.good", "aws_vpc.d"]}])),
    ]));
    let expected = [
        "/resources/0: error malformed_row: a resource must be of mode",
        "/resources/1: error identity_missing",
        "/resources/2/module: error malformed_row",
        "/resources/4: error malformed_row",
        "/resources/5: error malformed_row",
        "/resources/6/instances/0: error malformed_row",
        "/resources/6/instances/1: error malformed_row",
        "/resources/6/instances/2: error malformed_row",
        "/resources/7/instances/0: error malformed_row",
        "/resources/8/instances/0: error limit_exceeded",
        "/resources/9/instances/0/dependencies/0: warning null_target",
        "/resources/9/instances/0/dependencies/1: warning null_target",
        "/resources/9/instances/0/dependencies/2: error malformed_row",
        "/resources/9/instances/0/dependencies/3: error malformed_row",
        "/resources/9/instances/0/dependencies/5: warning self_loop",
        "truncated_source: 12 rows were refused",
    ];
    for (finding, expected) in findings(&batch).iter().zip(expected) {
        assert!(finding.contains(expected), "found {finding}\nexpected {expected}");
    }
    assert_eq!(batch.findings.len(), expected.len(), "{:#?}", findings(&batch));
    assert_eq!(batch.observations.len(), 2);
    assert!(!batch.is_complete(), "what was refused would look as if it had gone");
}

#[test]
fn limits_refuse_whole_rows() {
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let batch = read(&json!([
        resource("aws_vpc", "deep", &json!([{"attributes": {"id": "a", "note": deep}}])),
        resource("aws_vpc", "large", &json!([{"attributes": {"id": "a", "note": "x".repeat(1_100_000)}}])),
        resource("aws_vpc", "long", &json!([{"attributes": {"name": "n".repeat(1_025)}}])),
        resource("aws_vpc", "text", &json!([{"attributes": {"description": "d".repeat(70_000)}}])),
        resource("aws_vpc", "fine", &json!([{"attributes": {"name": "n".repeat(1_024)}}])),
    ]));
    let slice = std::slice::from_ref(&batch);
    assert_eq!(conformance::findings(slice, FindingCode::LimitExceeded), 4);
    assert_eq!((batch.observations.len(), batch.is_complete()), (1, false));
    let mut small = input("a.tfstate", shop());
    small.limits = Limits { plain_bytes: 1_000, ..Limits::default() };
    assert!(matches!(TerraformImporter.normalise(&small, &context("tf")), Err(EnvelopeError::Input(_))));
}

#[test]
fn the_same_address_twice_is_one_resource() {
    let first = resource("aws_vpc", "a", &json!([{"attributes": {"id": "vpc-00000001", "cidr_block": "10.0.0.0/16"}}]));
    let second =
        resource("aws_vpc", "a", &json!([{"attributes": {"id": "vpc-00000001", "cidr_block": "10.1.0.0/16"}}]));
    let third = resource("aws_subnet", "s", &json!([{"attributes": {}, "dependencies": ["aws_vpc.a"]}]));
    let batch = read(&json!([first, first, second, third]));
    assert_eq!((batch.observations.len(), batch.relationships.len(), batch.needs.len()), (2, 1, 0));
    let codes = conformance::by_code(std::slice::from_ref(&batch));
    assert_eq!((codes["duplicate"], codes["duplicate_conflict"]), (1, 1));
}

#[test]
fn chains_and_rings_of_any_length_are_ordinary() {
    let resources: Vec<_> = (0..20_000)
        .map(|number| {
            let needed = json!([format!("aws_codedeploy_app.a{}", (number + 1) % 20_000)]);
            resource("aws_codedeploy_app", &format!("a{number}"), &json!([{"dependencies": needed}]))
        })
        .collect();
    let batch = read(&Json::from(resources));
    assert_eq!((batch.observations.len(), batch.relationships.len()), (20_000, 20_000));
    let nested = |depth: usize| {
        let mut nested = resource("aws_vpc", "a", &json!([{}]));
        nested["module"] = json!((0..depth).map(|number| format!("module.m{number}")).collect::<Vec<_>>().join("."));
        read(&json!([nested]))
    };
    let batch = nested(60);
    assert_eq!((batch.observations.len(), batch.relationships.len(), batch.is_complete()), (61, 60, true));
    let batch = nested(300);
    assert_eq!((batch.observations.len(), batch.is_complete()), (0, false), "the key would be too long");
}

#[test]
fn many_times_many_dependencies_end_at_a_limit() {
    let many: Vec<_> = (0..1_500).map(|key| json!({"index_key": key})).collect();
    let needing: Vec<_> = (0..1_500).map(|key| json!({"index_key": key, "dependencies": ["aws_vpc.a"]})).collect();
    let batch = TerraformImporter
        .normalise(
            &input(
                "a.tfstate",
                json!({"version": 4, "serial": 1, "lineage": "l", "resources": [
                    resource("aws_vpc", "a", &Json::from(many)), resource("aws_vpc", "b", &Json::from(needing)),
                ]})
                .to_string(),
            ),
            &context("tf"),
        )
        .unwrap()
        .remove(0);
    assert_eq!(batch.needs.len(), 666);
    assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::LimitExceeded), 1);
    assert!(!batch.is_complete());
}
