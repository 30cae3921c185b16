//! What an import covers, and when it is all there is.

use keelson_import_kubernetes::KubernetesImporter;
use keelson_importer::conformance::{self, context};
use keelson_importer::{Context, EnvelopeError, Importer, Input, SourceFile};
use keelson_model::{Batch, FindingCode, Scope};
use serde_json::{Value as Json, json};

use crate::common::*;

#[test]
fn the_cluster_is_never_guessed() {
    let normalise = |input: &Input, context: &Context| KubernetesImporter.normalise(input, context);
    let error = normalise(&fixture("manifests.yaml"), &context("prod")).unwrap_err();
    assert!(matches!(&error, EnvelopeError::Option { option, .. } if option == "cluster"), "{error}");
    let error = normalise(&fixture("manifests.yaml"), &with(&[("cluster", " ")], context("prod"))).unwrap_err();
    assert!(matches!(error, EnvelopeError::Option { .. }));
    let batch = read(&fixture("cluster.yaml"), &context("prod"));
    assert_eq!(
        (batch.scope.as_str(), observed(&batch, "u-kube-system").name.as_deref()),
        ("cluster=u-kube-system", None)
    );
    let one = cluster();
    let mut other = one.clone();
    other["items"][0]["metadata"]["uid"] = json!("another");
    let both = as_files(&[("a.json".to_owned(), one), ("b.json".to_owned(), other)]);
    let error = normalise(&both, &context("prod")).unwrap_err();
    assert!(error.to_string().starts_with("b.json: it is of another cluster than a.json"), "{error}");
}

#[test]
fn lists_of_the_api_become_one_batch_each() {
    let lists = api_lists(&cluster());
    let batches = read_all(&as_files(&lists), &vouched());
    assert_eq!(batches.len(), 15);
    assert!(batches.iter().all(Batch::is_complete));
    let scopes: Vec<_> = batches.iter().map(|batch| batch.scope.as_str()).collect();
    assert!(scopes.contains(&"cluster=u-kube-system/kind=Pod"), "{scopes:?}");
    assert!(scopes.contains(&"cluster=u-kube-system/kind=apps%2FDeployment"), "{scopes:?}");
    assert!(batches.iter().all(|batch| batch.cursor.as_deref() == Some("100")));
    // They say together what the one list of a client says.
    let whole = [read_json(&cluster(), &vouched())];
    assert_eq!(conformance::spelled_out(&batches), conformance::spelled_out(&whole));
    let sorted = |batches: &[Batch]| {
        let mut needs = needs(batches);
        needs.sort();
        needs
    };
    assert_eq!(sorted(&batches), sorted(&whole));
    assert_eq!(conformance::by_class(&batches), conformance::by_class(&whole));

    let unvouched = read_all(&as_files(&lists), &context("prod"));
    assert!(unvouched.iter().all(|batch| !batch.is_complete()), "an answer does not say what it was asked for");
    let scoped = Context { scope: Some(Scope::named("all")), ..vouched() };
    assert!(read(&as_files(&lists), &scoped).is_complete());
}

/// The kinds whose batches are not complete when one list is changed.
fn incomplete(change: impl Fn(&str, &mut Json)) -> Vec<String> {
    let mut lists = api_lists(&cluster());
    for (name, list) in &mut lists {
        change(name, list);
    }
    lists.retain(|(_, list)| !list.is_null());
    let batches = read_all(&as_files(&lists), &vouched());
    let open = batches.iter().filter(|batch| !batch.is_complete());
    open.map(|batch| {
        let truncated = |finding: &keelson_model::Finding| finding.code == FindingCode::TruncatedSource;
        assert!(batch.findings.iter().any(truncated), "{}", batch.scope);
        batch.scope.as_str().rsplit_once('=').map_or("", |(_, kind)| kind).to_owned()
    })
    .collect()
}

#[test]
fn a_list_that_may_be_cut_off_proves_nothing() {
    let of_pods = ["Pod", "apps%2FReplicaSet", "apps%2FDeployment", "apps%2FStatefulSet", "Service"];
    for metadata in [
        json!({"resourceVersion": "100", "continue": "x"}),
        json!({"resourceVersion": "100", "continue": "", "remainingItemCount": 3}),
        json!({"resourceVersion": ""}),
        json!({}),
    ] {
        let open = incomplete(|name, list| {
            if name == "pod.json" {
                list["metadata"] = metadata.clone();
            }
        });
        assert_eq!(open, of_pods, "{metadata}");
    }
    // Without the pods nobody knows what the others need.
    let open = incomplete(|name, list| {
        if name == "pod.json" {
            *list = Json::Null;
        }
    });
    assert_eq!(open, of_pods[1..]);
    let open = incomplete(|name, list| {
        if name == "endpointslice.json" {
            list["items"].as_array_mut().unwrap().push(json!({"metadata": {}}));
        }
    });
    assert_eq!(open, ["Namespace", "Service"], "a finding of no kind of its own stands with the first batch");
    let open = incomplete(|name, list| {
        if name == "ingress.json" {
            list["items"].as_array_mut().unwrap().push(json!({"metadata": {"name": "a b"}}));
        }
    });
    assert_eq!(open, ["networking.k8s.io%2FIngress"]);
    let open = incomplete(|name, list| {
        if name == "ingress.json" {
            list["items"] = Json::Null;
        }
    });
    assert_eq!(open, Vec::<String>::new(), "an empty list is a whole list");
}

#[test]
fn a_client_list_is_complete_by_the_callers_word_alone() {
    assert!(read_json(&cluster(), &vouched()).is_complete());
    assert!(!read_json(&cluster(), &context("prod")).is_complete());
    let mut more = cluster();
    more["metadata"]["continue"] = json!("x");
    for context in [vouched(), context("prod")] {
        let batch = read_json(&more, &context);
        assert!(!batch.is_complete());
        assert_eq!(findings(&batch, &[]).iter().filter(|f| f.contains("/metadata/continue")).count(), 1);
    }
    // Of several documents in one file the last ones may be missing.
    let text = format!("{}\n{}", cluster(), json!({"kind": "List", "apiVersion": "v1", "items": []}));
    assert!(!read(&files(&[("a.json", &text)]), &vouched()).is_complete());
    let foreign = files(&[("a.json", &cluster().to_string()), ("b.yaml", "services: {}")]);
    assert!(!read(&foreign, &vouched()).is_complete());
}

#[test]
fn a_support_bundle_is_always_a_delta() {
    let mut lists = api_lists(&cluster());
    for (name, list) in &mut lists {
        let kind = list["kind"].as_str().unwrap().strip_suffix("List").unwrap().to_owned();
        let version = list["apiVersion"].clone();
        for item in list["items"].as_array_mut().unwrap() {
            item["kind"] = json!(kind);
            item["apiVersion"] = version.clone();
        }
        if name == "ingress.json" {
            // A bare array, as newer bundles have them.
            *list = list["items"].take();
        }
    }
    lists.push((
        "cronjobs__other.json".to_owned(),
        json!({"kind": "CronJobList", "apiVersion": "batch/v1", "items": null}),
    ));
    lists.push(("auth.json".to_owned(), json!([{"verbs": ["*"], "apiGroups": ["*"], "note": "dummy-secret-9"}])));
    lists.push(("errors.json".to_owned(), json!(["dummy-secret-9"])));
    let batch = read(&as_files(&lists), &vouched());
    assert!(!batch.is_complete());
    let whole = [read_json(&cluster(), &vouched())];
    assert_eq!(conformance::by_class(std::slice::from_ref(&batch)), conformance::by_class(&whole));
    assert_eq!(conformance::spelled_out(std::slice::from_ref(&batch)), conformance::spelled_out(&whole));
}

#[test]
fn one_namespace_can_be_asked_for() {
    let list = cluster();
    let batch = read_json(&list, &with(&[("namespace", "shop")], vouched()));
    assert_eq!(batch.scope.as_str(), "cluster=u-kube-system/namespace=shop");
    assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::OutOfScope), 5);
    assert!(!batch.is_complete());
    let mut inside = list;
    let kept =
        |item: &Json| item["metadata"]["namespace"] == json!("shop") || item["metadata"]["name"] == json!("shop");
    inside["items"].as_array_mut().unwrap().retain(kept);
    let batch = read_json(&inside, &with(&[("namespace", "shop"), ("cluster", "c")], vouched()));
    assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::OutOfScope), 0);
    assert!(batch.is_complete());
}

#[test]
fn what_is_no_answer_stops_the_import() {
    let normalise = |input: &Input| KubernetesImporter.normalise(input, &with(&[("cluster", "c")], vouched()));
    let whole = cluster().to_string();
    let failed = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410});
    for text in ["", " \n", &whole[..whole.len() - 1], &failed.to_string(), "Error from server", "{\"kind\": \"List\""]
    {
        let input = files(&[("a.json", text), ("b.json", &whole)]);
        let error = normalise(&input).unwrap_err();
        assert!(matches!(&error, EnvelopeError::Unreadable { file, .. } if file == "a.json"), "{error}");
    }
    for input in [files(&[]), files(&[("a.txt", &whole)]), files(&[("a.json", "null"), ("b.yaml", "services: {}")])] {
        assert!(matches!(normalise(&input), Err(EnvelopeError::NothingToRead { .. })));
    }
    let mut input = files(&[("a.json", &whole)]);
    input.files.push(SourceFile::from_bytes("b.json", b"{\"a\": \"\xff\"}".to_vec()));
    assert!(matches!(normalise(&input), Err(EnvelopeError::Input(_))));
}

#[test]
fn bad_rows_are_refused_alone() {
    let mut deep = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "deep"}});
    for _ in 0..70 {
        deep = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "deep"}, "spec": deep});
    }
    let long = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "l"}, "x": "y".repeat(1 << 20)});
    let name = "x".repeat(3_000);
    let items = json!([
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fine"}},
        {"kind": "Pod", "metadata": {"name": "a", "note": "dummy-secret-9"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": null}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}},
        deep, long, 1, null, [1], "dummy-secret-9",
    ]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let batch = read_json(&list, &with(&[("cluster", "c")], vouched()));
    assert!(!batch.is_complete());
    let codes = conformance::by_code(std::slice::from_ref(&batch));
    let codes: Vec<_> = codes.iter().map(|(code, count)| (code.as_str(), *count)).collect();
    assert_eq!(
        codes,
        [
            ("identity_missing", 1),
            ("limit_exceeded", 3),
            ("malformed_row", 5),
            ("missing_target", 1),
            ("truncated_source", 1)
        ]
    );
    assert_eq!(batch.observations.len(), 2);
}
