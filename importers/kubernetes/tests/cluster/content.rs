//! What a cluster and its manifests become.

use keelson_importer::conformance::{self, context};
use keelson_model::{FindingCode, Lifecycle};
use serde_json::{Value as Json, json};

use crate::common::*;

#[test]
fn every_relation_is_stored_as_dependent_needs_dependency() {
    let batch = read(&fixture("cluster.yaml"), &with(&[("cluster", "c")], vouched()));
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    let said: Vec<_> = said.iter().filter(|line| !line.contains(" part_of ")).map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "c/apps/Deployment/shop/web managed_by c/autoscaling/HorizontalPodAutoscaler/shop/web",
            "c/apps/Deployment/shop/web uses c/core/Service/shop/db",
            "c/apps/Deployment/shop/web uses c/core/Service/shop/loyalty",
            "c/batch/CronJob/shop/digest uses c/core/Service/shop/web",
            "c/core/PersistentVolumeClaim/shop/data-db-0 bound_to c/core/PersistentVolume/vol-1",
            "c/core/PersistentVolumeClaim/shop/data-db-0 depends_on c/storage.k8s.io/StorageClass/fast",
            "c/core/Pod/shop/cache-0 managed_by c/cache.example/Cache/shop/cache",
            "c/core/Pod/shop/cache-0 uses c/core/Service/shop/db",
            "c/core/Pod/shop/db-0 managed_by c/apps/StatefulSet/shop/db",
            "c/core/Pod/shop/db-0 mounts c/core/PersistentVolumeClaim/shop/data-db-0",
            "c/core/Pod/shop/db-0 runs_on c/core/Node/node-1",
            "c/core/Pod/shop/web-1-a managed_by c/apps/Deployment/shop/web",
            "c/core/Pod/shop/web-1-a mounts c/core/ConfigMap/shop/settings",
            "c/core/Pod/shop/web-1-a runs_on c/core/Node/node-1",
            "c/core/Pod/shop/web-1-a uses c/core/ServiceAccount/shop/web",
            "c/core/Pod/shop/web-1-b managed_by c/apps/Deployment/shop/web",
            "c/core/Pod/shop/web-1-b runs_on c/core/Node/node-2",
            "c/networking.k8s.io/Ingress/shop/shop routes_to c/core/Service/shop/legacy",
            "c/networking.k8s.io/Ingress/shop/shop routes_to c/core/Service/shop/web",
        ]
    );
    let env = batch.relationships.iter().find(|r| r.dependency.as_str().ends_with("/loyalty")).unwrap();
    assert_eq!((env.evidence.as_deref(), env.source_type.as_deref()), (Some("env"), Some("env")));
    let at = "cluster.yaml, document 1, line 86, /items/10/spec/template/spec/containers/0/env/1/value";
    assert_eq!(env.position.to_string(), at);
}

#[test]
fn what_stands_in_for_each_other_is_one_need() {
    let batch = read(&fixture("cluster.yaml"), &with(&[("cluster", "c")], vouched()));
    assert_eq!(
        needs(std::slice::from_ref(&batch)),
        [
            "c runs_on [c/core/Node/node-1, c/core/Node/node-2] nodes by membership",
            "c/apps/Deployment/shop/web depends_on [c/core/Pod/shop/web-1-a, c/core/Pod/shop/web-1-b] pods by \
             owner_reference",
            "c/apps/StatefulSet/shop/db depends_on [c/core/Pod/shop/db-0] pods by owner_reference",
            "c/core/Service/shop/db routes_to [c/core/Pod/shop/db-0] endpoints by endpoints",
            "c/core/Service/shop/web routes_to [c/core/Pod/shop/web-1-a, c/core/Pod/shop/web-1-b] endpoints by selector",
        ]
    );
    // Every rule comes from the classes of both ends.
    let schema = keelson_model::builtin::schema([]).unwrap();
    for (of, members) in [
        ("kubernetes-cluster", "host"),
        ("deployment", "pod"),
        ("stateful-set", "pod"),
        ("daemon-set", "pod"),
        ("job", "pod"),
        ("replica-set", "pod"),
        ("kubernetes-service", "pod"),
        ("kubernetes-service", "host"),
        ("kubernetes-service", "deployment"),
    ] {
        assert!(schema.classes.need_rule(of, members).is_some(), "{of} {members}");
    }
}

#[test]
fn objects_keep_what_they_say() {
    let batch = read(&fixture("cluster.yaml"), &with(&[("cluster", "c")], vouched()));
    let attributes = |key: &str| -> Vec<String> {
        observed(&batch, key).attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect()
    };
    let web = observed(&batch, "c/apps/Deployment/shop/web");
    assert_eq!((web.class.as_str(), web.name.as_deref()), ("deployment", Some("web")));
    assert_eq!((web.native_id.as_deref(), web.native_version), (Some("u-web"), Some(77)));
    assert_eq!(web.key.as_deref(), Some("deployment/shop-web"));
    assert_eq!(
        attributes("c/apps/Deployment/shop/web"),
        [
            r#"image: "web:1.4.0""#,
            r#"images: ["web:1.4.0"]"#,
            r#"labels: ["app.kubernetes.io/version=1.4.0"]"#,
            r#"namespace: "shop""#,
            "ready_replicas: 2",
            "replicas: 2",
            r#"strategy: "RollingUpdate""#,
            r#"version: "1.4.0""#,
        ]
    );
    let node = attributes("c/core/Node/node-1");
    for expected in [
        r#"provider_id: "aws:///eu-1a/i-0aaa""#,
        r#"region: "eu-1""#,
        r#"zone: "eu-1a""#,
        "memory: 8192",
        "processors: 2",
        r#"roles: ["worker"]"#,
        r#"ip_addresses: ["10.0.0.1","192.0.2.1"]"#,
    ] {
        assert!(node.contains(&expected.to_owned()), "{node:?}");
    }
    let pod = attributes("c/core/Pod/shop/web-1-a");
    for expected in ["processors_requested: 0.3", "memory_requested: 128", "restarts: 3", r#"phase: "Running""#] {
        assert!(pod.contains(&expected.to_owned()), "{pod:?}");
    }
    assert_eq!(observed(&batch, "c/core/PersistentVolumeClaim/shop/data-db-0").lifecycle, Some(Lifecycle::GoingAway));
    assert_eq!(web.lifecycle, None);
    let outside = &observed(&batch, "c/core/Service/shop/rates").attributes["external_endpoints"];
    assert_eq!(*outside, json!(["rates.example"]));
    let cluster = observed(&batch, "c");
    assert_eq!(
        (cluster.class.as_str(), &cluster.attributes["cluster_uid"]),
        ("kubernetes-cluster", &json!("u-kube-system"))
    );
    // What several machines say, or only one desk, identifies nothing.
    assert!(!node.iter().any(|line| line.starts_with("system_uuid")));
    assert_eq!(attributes("c/core/Node/node-2"), [r#"native_id: "k3s://node-2""#]);
}

#[test]
fn every_attribute_is_one_of_the_class() {
    let schema = keelson_model::builtin::schema([]).unwrap();
    for name in ["cluster.yaml", "manifests.yaml"] {
        let batch = read(&fixture(name), &with(&[("cluster", "c")], vouched()));
        for observation in &batch.observations {
            let class = schema.classes.get(&observation.class).unwrap();
            for (attribute, value) in &observation.attributes {
                let definition = class.attributes.get(attribute);
                let read = definition.map(|definition| definition.read(value));
                assert!(matches!(read, Some(Ok(_))), "{} {attribute}: {read:?}", observation.class);
            }
        }
    }
}

#[test]
fn what_is_noticed_in_an_ordinary_cluster() {
    let batch = read(&fixture("cluster.yaml"), &with(&[("cluster", "c")], vouched()));
    let found = findings(&batch, &[FindingCode::Redacted, FindingCode::AmbiguousIdentity]);
    assert_eq!(
        found,
        [
            "cluster.yaml, document 1, line 179, /items/21/spec/selector: info empty_selection: the selector of \
             'c/core/Service/shop/beta' meets no pod in its namespace",
            "cluster.yaml, document 1, line 195, /items/23/spec/rules/0/http/paths/2/backend/service/name: warning \
             null_target: this row names nothing",
            "cluster.yaml, document 1, line 86, /items/10/spec/template/spec/containers/0/env/1/value: warning \
             missing_target: 'c/core/Service/shop/loyalty' is referred to, but nothing here describes it",
            "cluster.yaml, document 1, line 160, /items/17/metadata/ownerReferences/0: warning missing_target: \
             'c/cache.example/Cache/shop/cache' is referred to, but nothing here describes it",
            "cluster.yaml, document 1, line 194, /items/23/spec/rules/0/http/paths/1/backend/serviceName: warning \
             missing_target: 'c/core/Service/shop/legacy' is referred to, but nothing here describes it",
        ]
    );
    let redacted: Vec<_> = batch.findings.iter().filter(|f| f.code == FindingCode::Redacted).collect();
    assert_eq!(redacted.len(), 11);
    // Neither do objects enter that hold secrets or permissions, nor those that pass.
    let content = String::from_utf8_lossy(&batch.payloads[0].content).into_owned();
    for gone in ["u-secret", "u-event", "u-role", "u-lease"] {
        assert!(!content.contains(gone), "{gone}");
    }
    for kept in ["db:5432", "u-slice", "u-web-0"] {
        assert!(content.contains(kept), "{kept}");
    }
}

#[test]
fn manifests_declare_what_has_no_pods_yet() {
    let context = with(&[("cluster", "c")], vouched());
    let batch = read(&fixture("manifests.yaml"), &context);
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    let said: Vec<_> = said.iter().filter(|line| !line.contains(" part_of ")).map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "c/apps/Deployment/default/web mounts c/core/ConfigMap/default/settings",
            "c/apps/Deployment/default/web uses c/core/Service/trade/carts",
            "c/apps/Deployment/default/web uses c/core/ServiceAccount/default/web",
        ]
    );
    assert_eq!(
        needs(std::slice::from_ref(&batch)),
        ["c/core/Service/default/web routes_to [c/apps/Deployment/default/web] endpoints by selector"]
    );
    assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::EmptySelection), 2);
    let cache = observed(&batch, "c/cache.example/Cache/trade/cache");
    assert_eq!((cache.class.as_str(), cache.native_id.as_deref()), ("custom-resource", None));
    assert_eq!(cache.attributes["api_group"], json!("cache.example/v1"));
    assert!(!batch.is_complete(), "a file of manifests may end anywhere");

    let at = [("cluster", "c"), ("repository", "https://git.example/shop"), ("commit", "0123abc"), ("namespace", "n")];
    let batch = read(&fixture("manifests.yaml"), &with(&at, vouched()));
    assert!(batch.is_complete());
    assert_eq!(
        (batch.scope.as_str(), batch.cursor.as_deref()),
        ("repository=https:%2F%2Fgit.example%2Fshop", Some("0123abc"))
    );
    observed(&batch, "c/apps/Deployment/n/web");
}

#[test]
fn a_name_with_another_uid_is_another_lifetime() {
    let pod = |uid: &str, created: &str, owner: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "db-0", "namespace": "shop", "uid": uid, "creationTimestamp": created,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": owner, "controller": true}],
            },
        })
    };
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop", "uid": "s2"}});
    let items = [pod("p1", "2026-01-01T00:00:00Z", "s2"), pod("p2", "2026-01-02T00:00:00Z", "s1"), set];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let batch = read_json(&list, &with(&[("cluster", "c")], context("prod")));
    let kept = observed(&batch, "c/core/Pod/shop/db-0");
    assert_eq!(kept.native_id.as_deref(), Some("p2"));
    assert_eq!(kept.position.to_string(), "list.json, /items/1");
    let found = findings(&batch, &[]);
    assert!(found[0].contains("/items/0/metadata/uid: warning duplicate_conflict"), "{found:?}");
    assert!(found[1].contains("its owner is an earlier lifetime of 'c/apps/StatefulSet/shop/db'"), "{found:?}");
    assert!(batch.needs.is_empty());
}

#[test]
fn a_replica_set_of_nobody_is_an_item_and_one_of_others_stands_between() {
    let set = |name: &str, owner: Json| {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "n", "uid": name, "ownerReferences": owner},
        })
    };
    let owner = |version: &str, kind: &str, name: &str| json!([{"apiVersion": version, "kind": kind, "name": name, "uid": name, "controller": true}]);
    let pod = |name: &str, set: &str| {
        let owner = owner("apps/v1", "ReplicaSet", set);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n", "uid": name, "ownerReferences": owner}})
    };
    let items = [
        set("bare", json!([])),
        set("rolled", owner("argoproj.io/v1alpha1", "Rollout", "roll")),
        set("between", owner("apps/v1", "Deployment", "gone")),
        pod("a", "bare"),
        pod("b", "rolled"),
        pod("c", "between"),
        pod("d", "unknown"),
    ];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let batch = read_json(&list, &with(&[("cluster", "c")], context("prod")));
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    let said: Vec<_> = said.iter().filter(|line| !line.contains(" part_of ")).map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "c/apps/ReplicaSet/n/rolled managed_by c/argoproj.io/Rollout/n/roll",
            "c/core/Pod/n/a managed_by c/apps/ReplicaSet/n/bare",
            "c/core/Pod/n/b managed_by c/apps/ReplicaSet/n/rolled",
            "c/core/Pod/n/c managed_by c/apps/Deployment/n/gone",
            "c/core/Pod/n/d managed_by c/apps/ReplicaSet/n/unknown",
        ]
    );
    assert_eq!(batch.needs.len(), 2, "what was not read has no needs");
}

#[test]
fn owners_that_own_each_other_end() {
    let set = |name: &str, owner: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": "n", "uid": name,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": owner, "uid": owner, "controller": true}],
            },
        })
    };
    let mut pod = set("p", "a");
    (pod["kind"], pod["apiVersion"]) = (json!("Pod"), json!("v1"));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [set("a", "b"), set("b", "a"), pod]});
    let batch = read_json(&list, &with(&[("cluster", "c")], context("prod")));
    assert!(batch.relationships.iter().all(|r| r.kind == "part_of"));
}

#[test]
fn what_is_listed_twice_is_one() {
    let context = with(&[("cluster", "c")], vouched());
    let once = [read_json(&cluster(), &context)];
    let mut other = cluster();
    for item in other["items"].as_array_mut().unwrap() {
        if item["kind"] == json!("Deployment") {
            item["spec"]["replicas"] = json!(3);
        }
    }
    let twice = [read(&as_files(&[("a.json".to_owned(), cluster()), ("b.json".to_owned(), other)]), &context)];
    assert_eq!(conformance::spelled_out(&twice), conformance::spelled_out(&once));
    assert_eq!(needs(&twice), needs(&once));
    assert_eq!(observed(&twice[0], "c/apps/Deployment/shop/web").attributes["replicas"], json!(2));
    assert_eq!(conformance::findings(&twice, FindingCode::DuplicateConflict), 1);
    assert_eq!(conformance::findings(&twice, FindingCode::Duplicate), once[0].observations.len() - 2);
}

#[test]
fn a_kind_nobody_knows_is_reported_once() {
    let item = |name: &str| json!({"apiVersion": "apps/v9", "kind": "Fleet", "metadata": {"name": name, "uid": name}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [item("a"), item("b")]});
    let batch = read_json(&list, &with(&[("cluster", "c")], vouched()));
    let found = findings(&batch, &[]);
    let expected = "list.json, /items/0/kind: info unknown_class: the kind 'apps/Fleet' has no class here; objects of it \
                    are passed over";
    assert_eq!(found, [expected]);
    assert!(batch.is_complete());
}
