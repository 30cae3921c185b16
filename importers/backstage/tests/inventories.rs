//! The real catalogues of the shared example data, with the counts known of them. Passed over
//! where the data are not there.

use std::collections::HashSet;

use keelson_import_backstage::BackstageImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, input, inventories};
use keelson_importer::{Context, Input, SourceFile};
use keelson_model::{Batch, CiRef, FindingCode, Scope};
use serde_json::Value;

fn read(input: &Input) -> Vec<Batch> {
    let context = Context { scope: Some(Scope::of(&[("repository", "r")])), ..context("backstage") };
    assert_conforms(&BackstageImporter, input, &context, &Expectations::default())
}

fn counts(found: std::collections::BTreeMap<String, usize>) -> Vec<(String, usize)> {
    found.into_iter().collect()
}

fn expect(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn giantswarm_catalogs() {
    let Some(folder) = inventories("backstage/giantswarm-catalogs") else { return };
    let batches = read(&input(&folder));
    let batch = &batches[0];
    // 105 documents, 96 distinct; 8 references repeat, one of them three times, all differing.
    assert_eq!(conformance::observations(&batches), 96);
    assert_eq!(conformance::findings(&batches, FindingCode::DuplicateConflict), 9);
    assert_eq!(conformance::findings(&batches, FindingCode::Duplicate), 0);
    let repeated: HashSet<_> = batch
        .findings
        .iter()
        .filter(|finding| finding.code == FindingCode::DuplicateConflict)
        .filter_map(|finding| finding.key.clone())
        .collect();
    assert_eq!(repeated.len(), 8);
    assert_eq!(repeated.iter().filter(|key| key.starts_with("api:")).count(), 2);
    assert_eq!(counts(conformance::by_class(&batches)), expect(&[("api", 16), ("application", 68), ("team", 12)]));
    // 93 owner rows of 84 entities; 12 parents and 5 systems are all there is to part_of.
    let kinds = counts(conformance::by_kind(&batches));
    assert_eq!(kinds, expect(&[("member_of", 54), ("owned_by", 84), ("part_of", 17)]));
    let missing = conformance::missing(&batches);
    let of_kind = |kind: &str| missing.iter().filter(|key| key.starts_with(kind)).count();
    assert_eq!((missing.len(), of_kind("user:"), of_kind("group:"), of_kind("system:")), (46, 40, 4, 2));
    assert_eq!(conformance::findings(&batches, FindingCode::MissingTarget), 46);
    assert_eq!(batch.payloads.len(), 3);
    assert!(batch.is_complete());
}

#[test]
fn giantswarm_rows_to_missing_references() {
    let Some(folder) = inventories("backstage/giantswarm-catalogs") else { return };
    let batches = read(&input(&folder));
    let missing = conformance::missing(&batches);
    let known: HashSet<_> = missing.iter().map(String::as_str).collect();
    let short = |text: &str| text.rsplit(['/', ':']).next().unwrap_or(text).to_ascii_lowercase();
    let missing: HashSet<_> = missing.iter().map(|key| (key.split(':').next().unwrap(), short(key))).collect();
    // The rows as they lie there, from the payloads.
    let rows_of = |document: &Value| -> Vec<(&'static str, String)> {
        let at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(short);
        let members = document.pointer("/spec/members").and_then(Value::as_array).cloned().unwrap_or_default();
        let single = [("group", "/spec/owner"), ("group", "/spec/parent"), ("system", "/spec/system")];
        let single = single.into_iter().filter_map(|(kind, pointer)| Some((kind, at(pointer)?)));
        single.chain(members.iter().map(|member| ("user", short(member.as_str().unwrap())))).collect()
    };
    let documents: Vec<Value> = batches[0]
        .payloads
        .iter()
        .flat_map(|payload| serde_json::from_slice::<Vec<Value>>(&payload.content).unwrap())
        .collect();
    assert_eq!(documents.len(), 105);
    let rows: Vec<_> = documents.iter().flat_map(rows_of).collect();
    assert_eq!(rows.len(), 93 + 54 + 12 + 5);
    assert_eq!(rows.iter().filter(|row| missing.contains(*row)).count(), 85);
    // Three of them are said again by documents that repeat an entity.
    let to_missing = |end: &CiRef| known.contains(end.as_str());
    let stored = batches[0].relationships.iter();
    assert_eq!(stored.filter(|r| to_missing(&r.dependent) || to_missing(&r.dependency)).count(), 82);
}

#[test]
fn janus_showcase() {
    let Some(folder) = inventories("backstage/janus-showcase") else { return };
    let flat = input(&folder);
    let batches = read(&flat);
    assert_eq!(conformance::observations(&batches), 19);
    assert!(!batches[0].is_complete(), "the files lie in one folder, so that no target of a Location is found");
    assert_eq!(conformance::findings(&batches, FindingCode::TruncatedSource), 17);

    // As they lay in their repository.
    let files = flat.files.iter().map(|file| {
        let text = file.text(&flat.limits).unwrap();
        SourceFile::from_bytes(&file.name.replace("__", "/"), text.into_bytes())
    });
    let batches = read(&Input::from_files(files.collect()));
    assert_eq!(
        counts(conformance::by_class(&batches)),
        expect(&[
            ("api", 2),
            ("catalogue-location", 6),
            ("database", 1),
            ("identity-provider", 2),
            ("object-store", 1),
            ("repository", 1),
            ("software", 1),
            ("system", 2),
            ("team", 2),
            ("website", 1),
        ])
    );
    assert_eq!(counts(conformance::by_kind(&batches)), expect(&[("depends_on", 5), ("owned_by", 11), ("part_of", 9)]));
    assert_eq!(conformance::missing(&batches), Vec::<String>::new());
    // The type `product` is the one without a class of its own.
    assert_eq!(counts(conformance::by_code(&batches)), expect(&[("unknown_class", 1)]));
    assert!(batches[0].is_complete());
}
