//! Reading fixtures, and showing what came of them.

use std::collections::BTreeMap;
use std::path::Path;

use keelson_import_kubernetes::KubernetesImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Context, Input, SourceFile, yaml};
use keelson_model::{Batch, FindingCode, Observation};
use serde_json::{Value as Json, json};

pub(crate) const SECRETS: &[&str] = &["dummy-secret-"];

pub(crate) fn fixture(name: &str) -> Input {
    conformance::input(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

pub(crate) fn files(files: &[(&str, &str)]) -> Input {
    Input::from_files(files.iter().map(|(name, text)| SourceFile::from_bytes(name, text.as_bytes())).collect())
}

/// The cluster of the fixture as JSON.
pub(crate) fn cluster() -> Json {
    let input = fixture("cluster.yaml");
    let text = input.files[0].text(&input.limits).expect("the fixture is whole");
    yaml::documents(&text, 64).remove(0).expect("the fixture is whole").value
}

/// The same as the API would answer it: one list of every kind, whose items do not say it.
pub(crate) fn api_lists(list: &Json) -> Vec<(String, Json)> {
    let mut kinds: BTreeMap<String, Json> = BTreeMap::new();
    for item in list["items"].as_array().expect("the fixture is whole") {
        let (version, kind) = (
            item["apiVersion"].as_str().expect("the fixture is whole"),
            item["kind"].as_str().expect("the fixture is whole"),
        );
        let name = format!("{}.json", kind.to_ascii_lowercase());
        let metadata = json!({"resourceVersion": "100"});
        let empty = json!({"kind": format!("{kind}List"), "apiVersion": version, "metadata": metadata, "items": []});
        let mut item = item.clone();
        let fields = item.as_object_mut().expect("the fixture is whole");
        fields.remove("kind");
        fields.remove("apiVersion");
        kinds.entry(name).or_insert(empty)["items"].as_array_mut().expect("the fixture is whole").push(item);
    }
    kinds.into_iter().collect()
}

pub(crate) fn as_files(lists: &[(String, Json)]) -> Input {
    let file = |(name, list): &(String, Json)| SourceFile::from_bytes(name, list.to_string().into_bytes());
    Input::from_files(lists.iter().map(file).collect())
}

pub(crate) fn vouched() -> Context {
    Context { complete: true, ..context("prod") }
}

pub(crate) fn with(options: &[(&str, &str)], context: Context) -> Context {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context { options: options.collect(), ..context }
}

pub(crate) fn read_all(input: &Input, context: &Context) -> Vec<Batch> {
    assert_conforms(&KubernetesImporter, input, context, &Expectations { secrets: SECRETS, schema: None })
}

pub(crate) fn read(input: &Input, context: &Context) -> Batch {
    let mut batches = read_all(input, context);
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

pub(crate) fn read_json(list: &Json, context: &Context) -> Batch {
    read(&files(&[("list.json", &list.to_string())]), context)
}

pub(crate) fn observed<'a>(batch: &'a Batch, key: &str) -> &'a Observation {
    batch.observations.iter().find(|o| o.source_key.as_str() == key).expect("the batch describes it")
}

pub(crate) fn findings(batch: &Batch, leaving_out: &[FindingCode]) -> Vec<String> {
    let shown = batch.findings.iter().filter(|finding| !leaving_out.contains(&finding.code));
    shown.map(ToString::to_string).collect()
}

pub(crate) fn needs(batches: &[Batch]) -> Vec<String> {
    let needs = batches.iter().flat_map(|batch| &batch.needs).map(|need| {
        assert!(need.rule.is_none(), "the class decides");
        let members: Vec<_> = need.members.iter().map(|member| member.ci.as_str()).collect();
        let evidence = need.evidence.as_deref().unwrap_or_default();
        format!("{} {} [{}] {} by {evidence}", need.dependent.as_str(), need.kind, members.join(", "), need.name)
    });
    needs.collect()
}
