//! Secrets of a state never enter, wherever they stand.

use std::collections::BTreeSet;
use std::path::Path;

use keelson_import_terraform::TerraformImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Input, SourceFile};
use keelson_model::{Batch, FindingCode};
use serde_json::{Value as Json, json};

const SECRET: &str = "dummy-secret-7d1a";

/// Reads a file; the conformance kit looks for the secret in everything it becomes.
fn read(input: &Input) -> Batch {
    let expectations = Expectations { secrets: &[SECRET], schema: None };
    assert_conforms(&TerraformImporter, input, &context("tf"), &expectations).remove(0)
}

/// Reads a state of one resource with one instance.
fn read_instance(kind: &str, instance: &Json) -> Batch {
    let resource =
        json!({"mode": "managed", "type": kind, "name": "a", "provider": "provider.p", "instances": [instance]});
    let state = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [resource]}).to_string();
    read(&Input::from_files(vec![SourceFile::from_bytes("a.tfstate", state.into_bytes())]))
}

fn fixture(name: &str) -> Batch {
    read(&conformance::input(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)))
}

/// Where something was left out.
fn redacted(batch: &Batch) -> Vec<&str> {
    let findings = batch.findings.iter().filter(|finding| finding.code == FindingCode::Redacted);
    findings.filter_map(|finding| finding.position.pointer.as_deref()).collect()
}

#[test]
fn secrets_of_a_state_are_named_and_left_out() {
    let batch = fixture("shop.tfstate");
    let redacted = redacted(&batch);
    let fields: BTreeSet<_> = redacted.iter().filter_map(|pointer| pointer.rsplit('/').next()).collect();
    let expected = [
        "ApiToken",
        "DB_PASSWORD",
        "container_definitions",
        "master_password",
        "private",
        "result",
        "user_data",
        "value",
    ];
    assert_eq!(fields, expected.into_iter().collect());
    assert_eq!(redacted.len(), 11);
    let payload = String::from_utf8_lossy(&batch.payloads[0].content).into_owned();
    assert!(payload.contains("jobs-eu") && payload.contains("plain"), "only secrets are left out");
}

#[test]
fn secrets_that_are_shown_are_left_out() {
    let values = "/values/root_module/child_modules/0/resources/0/values/environment/0/variables/A";
    assert_eq!(redacted(&fixture("show.json")), ["/values/outputs/key/value", values]);
    let batch = fixture("plan.json");
    let expected = ["/prior_state/values/outputs/key/value".to_owned(), format!("/prior_state{values}")];
    assert_eq!(redacted(&batch), expected);
}

#[test]
fn paths_hide_what_they_may_mean() {
    let step = |name: &str| json!({"type": "get_attr", "value": name});
    let index = |key: Json| json!({"type": "index", "value": {"value": key, "type": "number"}});
    for path in [
        json!([[step("list"), index(json!(0)), step("note")]]),
        json!([[step("list"), index(json!("0")), step("note")]]),
        // Into a set, whose members are their own keys.
        json!([[step("list"), index(json!({"note": "?"}))]]),
        json!([[step("list")]]),
        // One step without its list, and what nobody understands.
        json!([step("list")]),
        json!([[{"type": "odd"}]]),
        json!(["?"]),
    ] {
        let attributes = json!({"id": "i-0000000a1", "list": [{"note": SECRET}, {"note": "plain"}]});
        let batch = read_instance("x_thing", &json!({"attributes": attributes, "sensitive_attributes": path}));
        assert_eq!((batch.observations.len(), redacted(&batch).len()), (1, 1), "{path}");
    }
}

#[test]
fn values_of_any_type_and_copies_are_found() {
    let wrapped = json!({"value": {"n": 1, "pw": SECRET}, "type": ["object", {"n": "number", "pw": "string"}]});
    let path = json!([[{"type": "get_attr", "value": "input"}, {"type": "get_attr", "value": "pw"}]]);
    let attributes = json!({"id": "i", "input": wrapped, "output": wrapped});
    let batch = read_instance("terraform_data", &json!({"attributes": attributes, "sensitive_attributes": path}));
    let at = |field: &str| format!("/resources/0/instances/0/attributes/{field}/value/pw");
    assert_eq!(redacted(&batch), [at("input"), at("output")]);
    // What is marked once and says elsewhere what something is was no secret.
    let arn = "arn:aws:sqs:eu-west-1:000011112222:jobs";
    let path = json!([[{"type": "get_attr", "value": "note"}]]);
    let attributes = json!({"id": arn, "arn": arn, "note": arn, "other": arn});
    let batch = read_instance("aws_sqs_queue", &json!({"attributes": attributes, "sensitive_attributes": path}));
    assert_eq!(redacted(&batch).len(), 2);
    assert_eq!(batch.observations[0].attributes["arn"], json!(arn));
}

#[test]
fn flat_attributes_have_secrets_too() {
    let flat =
        json!({"id": "i", "settings.#": "1", "settings.0.note": SECRET, "db.password": SECRET, "user_data": SECRET});
    let path = json!([[{"type": "get_attr", "value": "settings"}]]);
    let batch = read_instance("aws_codedeploy_app", &json!({"attributes_flat": flat, "sensitive_attributes": path}));
    assert_eq!(batch.observations[0].attributes["native_id"], json!("i"));
    assert_eq!(redacted(&batch).len(), 4);
}
