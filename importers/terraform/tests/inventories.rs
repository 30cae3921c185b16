//! The real states of the shared example data, with the counts known of them. Passed over where the
//! data are not there.

use std::collections::BTreeSet;

use keelson_import_terraform::TerraformImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, input, inventories};
use keelson_importer::{EnvelopeError, Importer, Input};
use keelson_model::{Batch, FindingCode};

/// The dummy secrets that the descriptions of the data name.
const SECRETS: &[&str] = &["YourPwdShouldBeLongAndSecure", "foobarbaz", "bar12345678"];

fn read(input: &Input) -> Vec<Batch> {
    assert_conforms(&TerraformImporter, input, &context("tf"), &Expectations { secrets: SECRETS, schema: None })
}

/// One file of the shapes as a batch.
fn shape(name: &str) -> Option<Batch> {
    let folder = inventories("terraform/state-shapes")?;
    Some(read(&input(&folder.join(format!("{name}.tfstate.json")))).remove(0))
}

/// Managed instances, which is everything described but the modules.
fn managed(batch: &Batch) -> usize {
    batch.observations.iter().filter(|o| o.class != "module").count()
}

/// The rows of lists of dependencies: each is a relationship, a need of all instances, or part of
/// the evidence of what an attribute states.
fn rows(batch: &Batch) -> Vec<(String, String)> {
    let ordered = |evidence: &Option<keelson_model::Symbol>| evidence.as_ref().is_some_and(|e| e.contains("iac_order"));
    let mut rows = Vec::new();
    for r in batch.relationships.iter().filter(|r| ordered(&r.evidence)) {
        rows.push((r.dependent.as_str().to_owned(), r.dependency.as_str().to_owned()));
    }
    for need in batch.needs.iter().filter(|need| ordered(&need.evidence)) {
        rows.push((need.dependent.as_str().to_owned(), need.name.to_string()));
    }
    rows
}

fn missing(batch: &Batch) -> BTreeSet<&str> {
    let missing = batch.findings.iter().filter(|f| f.code == FindingCode::MissingTarget);
    missing.filter_map(|f| f.key.as_deref()).collect()
}

/// A key without the key among instances at its end.
fn block(key: &str) -> &str {
    key.strip_suffix(']').and_then(|key| key.rsplit_once('[')).map_or(key, |(block, _)| block)
}

#[test]
fn the_fleet() {
    let Some(folder) = inventories("terraform/state-fleet") else { return };
    let batches = read(&input(&folder));
    assert_eq!(batches.len(), 73);
    assert!(batches.iter().all(Batch::is_complete));
    assert_eq!(batches.iter().map(managed).sum::<usize>(), 141);
    let indexed = batches.iter().flat_map(|b| &b.observations).filter(|o| o.source_key.ends_with(']')).count();
    assert_eq!(indexed, 19);
    let providers = batches.iter().flat_map(|b| &b.observations).filter_map(|o| o.attributes.get("provider")?.as_str());
    assert_eq!(providers.collect::<BTreeSet<_>>(), BTreeSet::from(["aws", "azure", "github", "google"]));
    assert_eq!(batches.iter().map(|batch| rows(batch).len()).sum::<usize>(), 143);
    let pairs = |batch: &Batch| -> BTreeSet<(String, String)> {
        rows(batch).iter().map(|(a, b)| (block(a).to_owned(), block(b).to_owned())).collect()
    };
    assert_eq!(batches.iter().map(|batch| pairs(batch).len()).sum::<usize>(), 133);
    let to_missing = |batch: &Batch| rows(batch).iter().filter(|(_, b)| missing(batch).contains(b.as_str())).count();
    assert_eq!(batches.iter().map(to_missing).sum::<usize>(), 125);
    assert_eq!(batches.iter().map(|batch| missing(batch).len()).sum::<usize>(), 81);
    assert_eq!(conformance::findings(&batches, FindingCode::SelfLoop), 0);
    assert_eq!(conformance::findings(&batches, FindingCode::Duplicate), 0);
    assert_eq!(conformance::findings(&batches, FindingCode::DuplicateConflict), 0);
    assert_eq!(conformance::findings(&batches, FindingCode::UnknownRelationType), 0);
}

#[test]
fn scopes_of_the_fleet() {
    let Some(folder) = inventories("terraform/state-fleet") else { return };
    let batches = read(&input(&folder));
    let scopes: BTreeSet<_> = batches.iter().map(|batch| batch.scope.as_str()).collect();
    assert_eq!(scopes.len(), 73);
    let lineages: BTreeSet<_> = scopes.iter().filter_map(|scope| scope.split('/').next()).collect();
    assert_eq!(lineages.len(), 33);
    let shared: BTreeSet<_> = scopes.iter().filter_map(|scope| Some(scope.split_once("/file=")?.0)).collect();
    assert_eq!(shared.len(), 14);
}

#[test]
fn secrets_of_the_fleet_are_noticed() {
    let Some(folder) = inventories("terraform/state-fleet") else { return };
    let batches = read(&input(&folder));
    let redacted = |end: &str| {
        let findings = batches.iter().flat_map(|batch| &batch.findings);
        findings.filter(|f| f.code == FindingCode::Redacted && f.position.to_string().ends_with(end)).count()
    };
    assert_eq!((redacted("attributes/password"), redacted("attributes/master_password")), (1, 1));
}

/// A shape: managed instances, rows of dependencies.
const SHAPES: &[(&str, usize, usize)] = &[
    ("aws_state_cyclic", 19, 20),
    ("aws_state_sg", 7, 5),
    ("aws_state_with_count", 3, 1),
    ("flexibleengine_state", 9, 8),
    ("multi_module_state", 3, 2),
    ("openstack_state_lb", 12, 11),
];

#[test]
fn shapes() {
    for (name, instances, dependencies) in SHAPES {
        let Some(batch) = shape(name) else { return };
        assert!(batch.is_complete(), "{name}");
        assert_eq!((managed(&batch), rows(&batch).len()), (*instances, *dependencies), "{name}");
        assert_eq!(missing(&batch).len(), 0, "{name}");
        assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::SelfLoop), 0, "{name}");
    }
    let Some(modules) = shape("multi_module_state") else { return };
    assert_eq!(modules.observations.iter().filter(|o| o.class == "module").count(), 2);
    let (Some(count), Some(whole)) = (shape("aws_state_with_count"), shape("flexibleengine_state")) else { return };
    assert_eq!((&count.scope, &count.cursor), (&whole.scope, &whole.cursor));
    // Under other addresses, but the same machines and volumes.
    let ids = |batch: &Batch| -> BTreeSet<String> {
        batch.observations.iter().filter_map(|o| Some(o.attributes.get("resource_id")?.to_string())).collect()
    };
    assert_eq!(ids(&count).intersection(&ids(&whole)).count(), 3);
}

#[test]
fn old_versions_are_refused() {
    let Some(folder) = inventories("terraform/state-shapes") else { return };
    for name in ["version_3_state", "empty", "invalid_version_state"] {
        let refused = TerraformImporter.normalise(&input(&folder.join(format!("{name}.tfstate.json"))), &context("tf"));
        assert!(matches!(refused, Err(EnvelopeError::UnsupportedVersion { .. })), "{name}");
    }
    // Nothing of a folder is applied where one of its states cannot be read.
    assert!(TerraformImporter.normalise(&input(&folder), &context("tf")).is_err());
}

#[test]
fn a_shown_state() {
    let Some(folder) = inventories("terraform/show-json-state") else { return };
    let batch = read(&input(&folder)).remove(0);
    assert!(batch.is_complete());
    assert_eq!((managed(&batch), rows(&batch).len()), (14, 15));
    let missing = missing(&batch);
    let missing: Vec<_> = missing.iter().filter_map(|key| key.rsplit("module.").next()).collect();
    assert_eq!(missing, ["db_instance.random_id.snapshot_identifier", "db_1.random_password.master_password"]);
}

#[test]
fn the_state_before_a_plan() {
    let Some(folder) = inventories("terraform/show-json-plan") else { return };
    let batch = read(&input(&folder)).remove(0);
    assert!(batch.is_complete());
    // Twenty, of which six were only looked up.
    assert_eq!((managed(&batch), rows(&batch).len()), (14, 15));
    assert_eq!(missing(&batch).len(), 2);
    let payload = String::from_utf8_lossy(&batch.payloads[0].content).into_owned();
    assert!(!payload.contains("planned_values") && !payload.contains("resource_changes"));
}
