//! What holds whatever a cluster says.

use keelson_import_kubernetes::KubernetesImporter;
use keelson_importer::conformance::{Expectations, assert_conforms, context, input};
use keelson_importer::{Context, Importer, Input, SourceFile, yaml};
use keelson_model::{Batch, Position};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn text(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let input = input(&path);
    input.files[0].text(&input.limits).expect("the fixture is whole")
}

fn cluster() -> Json {
    yaml::documents(&text("cluster.yaml"), 64).remove(0).expect("the fixture is whole").value
}

fn file(name: &str, text: impl Into<Vec<u8>>) -> Input {
    Input::from_files(vec![SourceFile::from_bytes(name, text.into())])
}

/// A caller who vouches for everything.
fn vouched() -> Context {
    let options = [("cluster".to_owned(), "c".to_owned())];
    Context { complete: true, options: options.into(), ..context("prod") }
}

fn read(input: &Input) -> Vec<Batch> {
    let expectations = Expectations { secrets: &["dummy-secret-"], schema: None };
    assert_conforms(&KubernetesImporter, input, &vouched(), &expectations)
}

/// What batches say, without where it stood and how it was written.
fn told(mut batches: Vec<Batch>) -> Vec<String> {
    let mut all = Vec::new();
    for batch in &mut batches {
        let nowhere = Position::default();
        batch.observations.iter_mut().for_each(|row| row.position = nowhere.clone());
        batch.relationships.iter_mut().for_each(|row| row.position = nowhere.clone());
        batch.needs.iter_mut().for_each(|row| row.position = nowhere.clone());
        let mut findings: Vec<_> = batch.findings.drain(..).map(|f| format!("{} {}", f.code, f.message)).collect();
        findings.sort();
        batch.payloads.clear();
        all.push(format!("{batch:?} {findings:?}"));
    }
    all
}

/// One object of few words, so that they meet each other.
fn object(choice: &[usize]) -> Json {
    const KINDS: &[(&str, &str)] = &[
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "Service"),
        ("networking.k8s.io/v1", "Ingress"),
        ("v1", "PersistentVolumeClaim"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("v1", "Secret"),
        ("x.example/v1", "Widget"),
        ("v1", "Widget"),
        ("v1", "Node"),
    ];
    const WORDS: &[&str] = &["a", "b", "c", "", " ", "null", "a/b"];
    let pick = |at: usize| WORDS[choice[at] % WORDS.len()];
    let (version, kind) = KINDS[choice[0] % KINDS.len()];
    let (of_version, of) = KINDS[choice[3] % 3];
    let values = [json!("a:80"), json!("dummy-secret-1"), json!(1), Json::Null, json!(["dummy-secret-2"])];
    let env = json!([{"name": "X_ADDR", "value": values[choice[5] % values.len()]}]);
    let pod = json!({
        "nodeName": pick(4), "serviceAccountName": pick(5),
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": pick(6)}}, {"configMap": {"name": pick(3)}}],
        "containers": [{"name": "c", "env": env, "args": ["--token", "dummy-secret-3"]}],
    });
    let mut spec = pod.clone();
    spec["replicas"] = json!(choice[6] % 3);
    spec["template"] = json!({"metadata": {"labels": {"app": pick(4)}}, "spec": pod});
    spec["selector"] = json!({"app": pick(4)});
    spec["volumeName"] = json!(pick(5));
    spec["providerID"] = json!(pick(5));
    spec["scaleTargetRef"] = json!({"apiVersion": of_version, "kind": of, "name": pick(4)});
    spec["defaultBackend"] = json!({"service": {"name": pick(5)}});
    let owner = json!({"apiVersion": of_version, "kind": of, "name": pick(4), "uid": pick(6), "controller": true});
    json!({
        "apiVersion": version, "kind": kind,
        "metadata": {
            "name": pick(1), "namespace": pick(2), "uid": pick(3), "labels": {"app": pick(4), "my-token": "dummy-secret-4"},
            "ownerReferences": [owner, 1, {}], "annotations": {"keelson/key": pick(5)},
        },
        "spec": spec, "endpoints": [{"targetRef": {"kind": "Pod", "name": pick(4)}}, 1],
        "status": {"conditions": [1], "addresses": [{}], "containerStatuses": [{}]},
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_objects_plays_no_part(seed in proptest::collection::vec(any::<u32>(), 40)) {
        let whole = cluster();
        let mut shuffled = whole.clone();
        let items = shuffled["items"].as_array_mut().unwrap();
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_key(|at| seed[*at % seed.len()]);
        *items = order.iter().map(|at| whole["items"][*at].clone()).collect();
        prop_assert_eq!(told(read(&file("a.json", shuffled.to_string()))), told(read(&file("a.json", whole.to_string()))));
    }

}

proptest! {
    #[test]
    fn a_file_cut_off_anywhere_is_never_complete(cut in any::<proptest::sample::Index>(), form in 0..5_usize) {
        let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [
            {"metadata": {"name": "a", "namespace": "n", "uid": "u"}, "spec": {"nodeName": "Größe"}},
        ]});
        let (name, text) = match form {
            0 => ("a.json", cluster().to_string()),
            1 => ("a.json", list.to_string()),
            2 => ("a.yaml", text("cluster.yaml")),
            3 => ("a.yaml", text("manifests.yaml")),
            // Written by hand: the kind first, and nothing behind the items.
            _ => ("a.yaml", text("cluster.yaml").replace("items:", "kind: List\nmetadata: {resourceVersion: \"1\"}\nitems:")
                .replace("kind: List\nmetadata:\n", "")),
        };
        let at = cut.index(text.len());
        let is_whole = text.as_bytes()[at..].iter().all(u8::is_ascii_whitespace);
        let input = file(name, &text.as_bytes()[..at]);
        if let Ok(batches) = KubernetesImporter.normalise(&input, &vouched()) {
            prop_assert!(is_whole || batches.iter().all(|batch| !batch.is_complete()), "cut at {}", at);
        }
    }

    #[test]
    fn one_list_cut_off_leaves_nothing_complete_that_hangs_on_it(cut in any::<proptest::sample::Index>()) {
        let whole = cluster().to_string();
        let half = &whole.as_bytes()[..cut.index(whole.len())];
        let list = json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []});
        let files = [SourceFile::from_bytes("a.json", list.to_string().into_bytes()), SourceFile::from_bytes("b.json", half.to_vec())];
        prop_assert!(KubernetesImporter.normalise(&Input::from_files(files.into()), &vouched()).is_err());
    }

    #[test]
    fn whatever_objects_say_no_rule_is_broken(
        rows in proptest::collection::vec(proptest::collection::vec(0..60_usize, 7), 1..14),
        is_yaml in any::<bool>(),
    ) {
        let items: Vec<Json> = rows.iter().map(|row| object(row)).collect();
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": ""}, "items": items});
        let name = if is_yaml { "a.yaml" } else { "a.json" };
        read(&file(name, list.to_string()));
    }

    #[test]
    fn values_of_the_environment_never_enter(name in "[A-Z_]{1,10}", value in "[a-z0-9:=/@]{8,24}") {
        let service = value.rsplit_once(':').is_some_and(|(host, _)| !host.contains(['=', '/', '@', ':']));
        prop_assume!(!service);
        let marker = format!("q{value}q");
        let container = json!({"name": "x", "env": [{"name": name, "value": marker}]});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}});
        let expectations = Expectations { secrets: &[&marker], schema: None };
        let _ = assert_conforms(&KubernetesImporter, &file("a.json", pod.to_string()), &vouched(), &expectations);
    }
}
