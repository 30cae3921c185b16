//! The real clusters and manifests of the shared example data, with the counts known of them, and
//! the cluster of the demonstration estate. Passed over where the data are not there.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use keelson_import_kubernetes::KubernetesImporter;
use keelson_importer::Context;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, input, inventories};
use keelson_model::{Batch, FindingCode, Lifecycle};
use serde_json::Value as Json;

/// Reads files for which the caller vouches.
fn read(path: &Path, cluster: Option<&str>, secrets: &[&str]) -> Vec<Batch> {
    let options = cluster.map(|cluster| ("cluster".to_owned(), cluster.to_owned()));
    let context = Context { complete: true, options: options.into_iter().collect(), ..context("kubernetes") };
    assert_conforms(&KubernetesImporter, &input(path), &context, &Expectations { secrets, schema: None })
}

fn counts(found: std::collections::BTreeMap<String, usize>) -> Vec<(String, usize)> {
    found.into_iter().collect()
}

fn expect(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// Number of relationships whose ends have these kinds, members of needs included.
fn between(batches: &[Batch], dependent: &str, dependency: &str) -> usize {
    let is = |key: &str, kind: &str| key.contains(&format!("/{kind}/"));
    let plain = batches.iter().flat_map(|batch| &batch.relationships).filter(|r| r.kind != "managed_by");
    let plain = plain.map(|r| (r.dependent.as_str(), r.dependency.as_str()));
    let needs = batches.iter().flat_map(|batch| &batch.needs);
    let members = needs.flat_map(|n| n.members.iter().map(|member| (n.dependent.as_str(), member.ci.as_str())));
    plain.chain(members).filter(|(from, to)| is(from, dependent) && is(to, dependency)).count()
}

/// The objects of the payloads: what the lists hold after secrets were taken out.
fn objects(batch: &Batch) -> Vec<Json> {
    let lists = batch
        .payloads
        .iter()
        .map(|payload| serde_json::from_slice::<Json>(&payload.content).expect("payloads are whole"));
    lists.flat_map(|list| list["items"].as_array().cloned().unwrap_or_default()).collect()
}

/// Every owner reference of these objects, and how many of them lead to none of them.
fn owners(objects: &[Json]) -> (usize, usize) {
    let uid = |object: &Json| object["metadata"]["uid"].as_str().map(str::to_owned);
    let known: HashSet<String> = objects.iter().filter_map(uid).collect();
    let owners = objects.iter().filter_map(|object| object["metadata"]["ownerReferences"].as_array()).flatten();
    let owners: Vec<_> = owners.map(|owner| owner["uid"].as_str().expect("payloads are whole").to_owned()).collect();
    (owners.len(), owners.iter().filter(|uid| !known.contains(*uid)).count())
}

#[test]
fn api_lists() {
    let Some(folder) = inventories("kubernetes/api-lists") else { return };
    let batches = read(&folder, None, &[]);
    let all = objects(&batches[0]);
    assert_eq!((batches[0].payloads.len(), all.len()), (23, 268));
    let uids: HashSet<_> = all.iter().filter_map(|object| object["metadata"]["uid"].as_str()).collect();
    assert_eq!(uids.len(), 268);
    assert!(all.iter().all(|object| object.get("kind").is_none()));
    // Of 22 ReplicaSets 9 are at zero, and Deployments keep the others: none is an item.
    assert_eq!(
        counts(conformance::by_class(&batches)),
        expect(&[
            ("daemon-set", 5),
            ("deployment", 13),
            ("host", 3),
            ("ingress", 3),
            ("kubernetes-cluster", 1),
            ("kubernetes-service", 25),
            ("namespace", 9),
            ("pod", 33),
            ("service-account", 65),
            ("stateful-set", 2),
            ("storage-class", 1),
            ("volume", 2),
            ("volume-claim", 2),
        ])
    );
    assert_eq!(between(&batches, "Pod", "Node"), 33);
    assert_eq!(between(&batches, "Service", "Pod"), 26);
    assert_eq!(between(&batches, "Service", "Node"), 3, "one Service without selector has Nodes as endpoints");
    assert_eq!(between(&batches, "Ingress", "Service"), 3);
    assert_eq!(between(&batches, "Pod", "PersistentVolumeClaim"), 1);
    assert_eq!(between(&batches, "PersistentVolumeClaim", "PersistentVolume"), 2);
    assert_eq!(between(&batches, "Pod", "Deployment"), 0, "a pod never needs its controller");
    assert_eq!(between(&batches, "Deployment", "Pod"), 15);
    assert_eq!(between(&batches, "DaemonSet", "Pod"), 15);
    assert_eq!(between(&batches, "StatefulSet", "Pod"), 2);
    assert_eq!(conformance::findings(&batches, FindingCode::EmptySelection), 3);
    let services = batches.iter().flat_map(|batch| &batch.observations).filter(|o| o.class == "kubernetes-service");
    let unselective: Vec<_> = services.filter(|o| !o.attributes.contains_key("selector")).collect();
    assert_eq!(unselective.len(), 2);
    assert!(unselective.iter().any(|o| o.attributes.contains_key("external_endpoints")));
    let going =
        batches.iter().flat_map(|batch| &batch.observations).filter(|o| o.lifecycle == Some(Lifecycle::GoingAway));
    assert_eq!(going.count(), 2);
}

#[test]
fn api_lists_owners_and_batches() {
    let Some(folder) = inventories("kubernetes/api-lists") else { return };
    let batches = read(&folder, None, &[]);
    assert_eq!(owners(&objects(&batches[0])), (110, 11));
    // 43 of them are of items; the others of what stands in between or only tells of others.
    assert_eq!(conformance::by_kind(&batches)["managed_by"], 43);
    let missing = conformance::missing(&batches);
    let custom: BTreeSet<_> =
        missing.iter().filter(|key| key.contains("arangodb.com/") || key.contains("coreos.com/")).collect();
    let to_custom = batches
        .iter()
        .flat_map(|b| &b.relationships)
        .filter(|r| custom.iter().any(|key| **key == r.dependency.as_str()));
    let mut kinds: Vec<_> = to_custom.map(|r| r.dependency.as_str().split('/').nth(2).unwrap()).collect();
    kinds.sort_unstable();
    let expected =
        [["ArangoMember"; 1].as_slice(), &["Alertmanager"; 2], &["Prometheus"; 2], &["ArangoDeployment"; 6]].concat();
    let mut expected = expected;
    expected.sort_unstable();
    assert_eq!(kinds, expected);
    assert_eq!(batches.len(), 13);
    assert!(batches.iter().all(Batch::is_complete), "the caller vouches and every list ends");
    let pods = batches.iter().find(|batch| batch.scope.as_str().ends_with("/kind=Pod")).unwrap();
    assert_eq!(pods.cursor.as_deref(), Some("58114399"));
    assert_eq!(conformance::findings(&batches, FindingCode::NeedRuleMissing), 0);
}

#[test]
fn support_bundle() {
    let Some(folder) = inventories("kubernetes/support-bundle") else { return };
    let batches = read(&folder, None, &[]);
    assert_eq!(batches.len(), 1);
    assert!(!batches[0].is_complete(), "a partial export, whoever vouches for it");
    assert_eq!(batches[0].payloads.len(), 57 + 4);
    let all = objects(&batches[0]);
    let left_out = all.iter().filter(|object| object.get("left_out").is_some()).count();
    assert_eq!((all.len(), left_out), (93, 54));
    assert_eq!(
        counts(conformance::by_class(&batches)),
        expect(&[
            ("deployment", 5),
            ("host", 1),
            ("job", 2),
            ("kubernetes-cluster", 1),
            ("kubernetes-service", 4),
            ("namespace", 4),
            ("pod", 8),
            ("storage-class", 1),
            ("volume", 4),
            ("volume-claim", 4),
        ])
    );
    assert_eq!(all.iter().filter(|object| object["kind"] == "ReplicaSet").count(), 6);
    assert_eq!(between(&batches, "Pod", "Node"), 8);
    assert_eq!(between(&batches, "Service", "Pod"), 3);
    assert_eq!(owners(&all), (14, 1));
    let missing = conformance::missing(&batches);
    assert!(
        missing.iter().any(|key| key.ends_with("apps/DaemonSet/kube-system/svclb-traefik-8ea5448e")),
        "{missing:?}"
    );
}

/// Relationships by an address in the environment, and those of them that lead to nothing.
fn addresses(batches: &[Batch]) -> (usize, Vec<&str>) {
    let missing = conformance::missing(batches);
    let found = batches.iter().flat_map(|batch| &batch.relationships).filter(|r| r.evidence.as_deref() == Some("env"));
    let found: Vec<_> = found.map(|r| r.dependency.as_str()).collect();
    let gone = found.iter().copied().filter(|key| missing.iter().any(|missing| missing == key)).collect();
    (found.len(), gone)
}

#[test]
fn manifests_online_boutique() {
    let Some(folder) = inventories("kubernetes/manifests-online-boutique") else { return };
    let batches = read(&folder, Some("shop"), &[]);
    assert_eq!(
        counts(conformance::by_class(&batches)),
        expect(&[("deployment", 12), ("kubernetes-cluster", 1), ("kubernetes-service", 12), ("service-account", 11)])
    );
    assert_eq!(addresses(&batches), (17, vec!["shop/core/Service/default/shoppingassistantservice"]));
    assert_eq!(between(&batches, "Service", "Deployment"), 12);
    assert!(!batches[0].is_complete());
}

#[test]
fn manifests_sock_shop() {
    let Some(folder) = inventories("kubernetes/manifests-sock-shop") else { return };
    let batches = read(&folder, Some("shop"), &["fake_password"]);
    assert_eq!(
        counts(conformance::by_class(&batches)),
        expect(&[("deployment", 14), ("kubernetes-cluster", 1), ("kubernetes-service", 14), ("namespace", 1)])
    );
    assert_eq!(addresses(&batches), (1, Vec::new()));
    assert_eq!(between(&batches, "Service", "Deployment"), 14);
}

#[test]
fn the_demonstration_estate() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/keelson/demo/kubernetes-tarn-eu1.json");
    if !path.exists() {
        println!("passed over: there is no {}", path.display());
        return;
    }
    let batches = read(&path, Some("tarn-eu1"), &["demo-dummy-", "ZGVtby1kdW1teS"]);
    let batch = &batches[0];
    assert!(batch.is_complete());
    let observed = |key: &str| batch.observations.iter().find(|o| o.source_key.as_str() == key).unwrap();
    let cluster = observed("tarn-eu1");
    assert_eq!(cluster.class, "kubernetes-cluster");
    assert_eq!(cluster.attributes["cluster_uid"], "27a110c2-32f3-1ef4-b95e-36e5d28d1f8e");
    let node = observed("tarn-eu1/core/Node/tarn-wk-1");
    assert_eq!(node.class, "host");
    assert_eq!(node.attributes["provider_id"], "aws:///eu-central-1a/i-05788128487ec2562");
    let found: Vec<_> = batch
        .findings
        .iter()
        .filter(|f| f.code != FindingCode::Redacted)
        .map(|f| (f.code, f.key.as_deref().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            (FindingCode::EmptySelection, "tarn-eu1/core/Service/portal/portal-beta"),
            (FindingCode::MissingTarget, "tarn-eu1/core/Service/portal/loyalty"),
            (FindingCode::MissingTarget, "tarn-eu1/core/ServiceAccount/kube-system/default"),
        ]
    );
    assert_eq!(conformance::by_class(&batches)["deployment"], 9);
}
