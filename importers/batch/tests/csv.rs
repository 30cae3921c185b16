//! Tables and foreign NDJSON by a mapping.

use keelson_import_batch::{CsvImporter, mapped_names};
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Context, EnvelopeError, Importer, Input, Limits, SourceFile};
use keelson_model::{Batch, CiRef, Completeness, Criticality, FindingCode, Lifecycle, Scope};
use serde_json::json;

const MAPPING: &str = r#"
source = "site-spreadsheet"
class = "host"
key = ["hostname", "site"]
name = "hostname"
lifecycle = "stage"
criticality = "weight"
null_tokens = ["", "n/a", "-"]
[scope]
zone = { value = "emea" }
site = { column = "site" }
[attributes]
memory = { column = "RAM (GB)", type = "decimal", unit = "GiB" }
cores = { column = "cores", type = "integer" }
virtual = { column = "virtual", type = "boolean", yes = ["Y"], no = ["N"] }
bought = { column = "bought", type = "date_time" }
tags = { column = "tags", type = "list", separator = "|" }
note = { column = "note" }
[[relations]]
column = "runs_on"
separator = ";"
kind = "hosted_on"
this_row = "dependent"
target = { class = "cluster", key = ["runs_on"] }
[[relations]]
column = "serves"
kind = "uses"
this_row = "dependency"
target = { class = "service", key = ["serves"] }
"#;

const HEADER: &str =
    "hostname,site,stage,weight,RAM (GB),cores,virtual,bought,tags,note,runs_on,serves,db password\r\n";

fn with(mapping: &str) -> Context {
    let mut context = context("caller");
    context.options.insert("mapping".to_owned(), mapping.to_owned());
    context
}

fn input(content: impl AsRef<[u8]>) -> Input {
    Input::from_files(vec![SourceFile::from_bytes("t.csv", content.as_ref().to_vec())])
}

fn read(mapping: &str, content: impl AsRef<[u8]>) -> Result<Vec<Batch>, EnvelopeError> {
    CsvImporter.normalise(&input(content), &with(mapping))
}

fn findings(batches: &[Batch]) -> Vec<String> {
    batches.iter().flat_map(|batch| &batch.findings).map(ToString::to_string).collect()
}

#[test]
fn a_table_is_read_by_its_mapping() {
    let table = format!(
        "{HEADER}{}{}{}",
        "web1,bern,live,high,16,4,Y,2026-01-01T00:00:00+02:00,a|b,\"=HYPERLINK(\"\"x\"\")\",c1;c2,shop,hunter2\r\n",
        "web2,bern,,n/a,-,,N,,,-1,,,\r\n",
        "web1,zug,planned,low,0.5,2,,,,\"two\nlines\",c1,-,hunter2\r\n",
    );
    let expectations = Expectations { secrets: &["hunter2"], schema: None };
    let batches = assert_conforms(&CsvImporter, &input(&table), &with(MAPPING), &expectations);
    let scopes: Vec<_> = batches.iter().map(|batch| batch.scope.as_str()).collect();
    assert_eq!(scopes, ["zone=emea/site=bern", "zone=emea/site=zug"]);
    assert_eq!(batches[0].source.as_str(), "site-spreadsheet");
    let [web1, web2] = &batches[0].observations[..] else { panic!() };
    assert_eq!((web1.source_key.as_str(), web1.name.as_deref()), ("host/web1/bern", Some("web1")));
    assert_eq!((web1.lifecycle, web1.criticality), (Some(Lifecycle::Live), Some(Criticality::High)));
    let expected = json!({
        "memory": {"value": 16, "unit": "GiB"},
        "cores": 4,
        "virtual": true,
        "bought": "2026-01-01T00:00:00+02:00",
        "tags": ["a", "b"],
        "note": "=HYPERLINK(\"x\")",
    });
    assert_eq!(serde_json::to_value(&web1.attributes).unwrap(), expected);
    assert_eq!(serde_json::to_value(&web2.attributes).unwrap(), json!({"virtual": false, "note": "-1"}));
    assert_eq!(batches[1].observations[0].attributes["note"], "two\nlines");
    assert_eq!(batches[1].observations[0].position.line, Some(4));
    assert_eq!(
        conformance::spelled_out(&batches),
        [
            "host/web1/bern hosted_on cluster/c1",
            "host/web1/bern hosted_on cluster/c2",
            "host/web1/zug hosted_on cluster/c1",
            "service/shop uses host/web1/bern",
        ]
    );
    assert_eq!(
        findings(&batches),
        ["t.csv, line 1: info redacted: the column 'db password' holds secrets; it is left out"]
    );
    assert!(batches.iter().all(|batch| !batch.is_complete()));
}

#[test]
fn bad_rows_are_refused_one_by_one() {
    let table = format!(
        "{HEADER}{}",
        concat!(
            "a,b\n",
            ",bern,,,,,,,,,,,\n",
            "a,,,,,,,,,,,,\n",
            "a,bern,alive,,,,,,,,,,\n",
            "a,bern,,,\"1,5\",,,,,,,,\n",
            "a,bern,,,,4.5,,,,,,,\n",
            "a,bern,,,,,yes,,,,,,\n",
            "a,bern,,,,,,01.02.2026,,,,,\n",
            "a,bern,,,,,,,,5\" disk,,,\n",
            "a,bern,,,,,,,,,c1;;c2,,\n",
            "b,bern,,,,1,,,,,,,\n",
            "b,bern,,,,2,,,,,,,\n",
        )
    );
    let mut batches = read(MAPPING, &table).unwrap();
    let found: Vec<_> = batches[0].findings.drain(..).skip(1).map(|f| (f.position.line.unwrap(), f.code)).collect();
    let malformed = FindingCode::MalformedRow;
    assert_eq!(
        found,
        [
            (2, malformed),
            (3, FindingCode::IdentityMissing),
            (4, FindingCode::OutOfScope),
            (5, malformed),
            (6, malformed),
            (7, malformed),
            (8, malformed),
            (9, malformed),
            (10, malformed),
            (11, FindingCode::NullTarget),
            (13, FindingCode::DuplicateConflict),
        ]
    );
    assert_eq!(conformance::observations(&batches), 2);
}

const RUNS_ON: &str = r#"
class = "host"
key = ["name"]
[attributes]
note = { column = "note" }
[[relations]]
column = "runs_on"
separator = ";"
kind = "hosted_on"
this_row = "dependent"
target = { class = "cluster", key = ["runs_on"] }
"#;

#[test]
fn targets_are_called_as_other_sources_call_them() {
    let batches = read(RUNS_ON, "name,note,runs_on\nweb1,,c1\nhost/web2,,cluster/c1;c2\n").unwrap();
    let expected =
        ["host/web1 hosted_on cluster/c1", "host/web2 hosted_on cluster/c1", "host/web2 hosted_on cluster/c2"];
    assert_eq!(conformance::spelled_out(&batches), expected);
    let names = |r: &keelson_model::RelationshipObservation| match &r.dependency {
        CiRef::Source { name, .. } => name.as_deref().map(str::to_owned),
        CiRef::Catalogue(_) => None,
    };
    let names: Vec<_> = batches[0].relationships.iter().filter_map(names).collect();
    assert_eq!(names, ["c1", "c1", "c2"]);
    let names: Vec<_> = batches[0].observations.iter().filter_map(|o| o.name.as_deref()).collect();
    assert_eq!(names, ["web1", "web2"], "without a column for the name, the key is the name");
}

#[test]
fn words_for_nothing_name_nothing() {
    for word in ["null", "NULL", "None", "n/a", "-", " N/A "] {
        let batches = read(RUNS_ON, format!("name,note,runs_on\na,{word},{word}\nb,x,c1;{word}\n")).unwrap();
        assert_eq!(conformance::spelled_out(&batches), ["host/b hosted_on cluster/c1"], "{word}");
        assert_eq!(conformance::findings(&batches, FindingCode::NullTarget), 2, "{word}");
        assert!(batches[0].observations[0].attributes.is_empty(), "{word}");
        let batches = read(RUNS_ON, format!("name,note,runs_on\n{word},x,\n")).unwrap();
        assert_eq!(conformance::findings(&batches, FindingCode::IdentityMissing), 1, "{word}");
    }
    let batches = read(RUNS_ON, "name,note,runs_on\na,,\n").unwrap();
    assert!(batches[0].findings.is_empty(), "an empty field says nothing");
    // Who says which words stand for nothing has others as values, but never as names of things.
    let stated = RUNS_ON.replacen("[attributes]", "null_tokens = [\"\"]\n[attributes]", 1);
    let batches = read(&stated, "name,note,runs_on\na,None,null\n").unwrap();
    assert_eq!(batches[0].observations[0].attributes["note"], "None");
    assert_eq!(conformance::findings(&batches, FindingCode::NullTarget), 1);
    assert!(batches[0].relationships.is_empty());
}

#[test]
fn a_mapping_tells_the_classes_and_kinds_it_names() {
    let names: Vec<_> = mapped_names(RUNS_ON).unwrap().into_iter().map(|n| (n.line, n.is_kind, n.name)).collect();
    let expected = [(2, false, "host"), (9, true, "hosted_on"), (11, false, "cluster")];
    assert_eq!(names, expected.map(|(line, is_kind, name)| (line, is_kind, name.to_owned())));
    assert!(mapped_names("class = \"host\"").is_err());
}

#[test]
fn a_mapping_is_strict() {
    let refusal = |mapping: &str| read(mapping, HEADER).unwrap_err().to_string();
    let changed = |from: &str, to: &str| {
        assert!(MAPPING.contains(from), "{from}");
        refusal(&MAPPING.replace(from, to))
    };
    assert!(changed("class = \"host\"", "klass = \"host\"").starts_with("mapping, line 3: unknown field `klass`"));
    assert!(changed("this_row = \"dependency\"", "").contains("this_row"));
    assert!(changed("key = [\"hostname\", \"site\"]", "key = []").contains("at least one column"));
    assert_eq!(
        changed("unit = \"GiB\"", "unit = \"GIB\""),
        "mapping, line 13: the attribute 'memory' has the unknown unit 'GIB'; did you mean 'GiB'?"
    );
    assert!(changed("separator = \"|\"", "").contains("must have a separator"));
    assert!(changed("{ value = \"emea\" }", "{}").contains("either a column or a value"));
    assert!(changed("column = \"cores\"", "column = \"core\"").contains("did you mean 'cores'?"));
    assert!(changed("name = \"hostname\"", "name = \"hostname\"\ndelimiter = \"\\\"\"").contains("delimiter"));
    assert!(refusal("class = 'host'\nkey = [").starts_with("mapping, line 2"));
    let none = CsvImporter.normalise(&input(HEADER), &context("c")).unwrap_err();
    assert!(none.to_string().contains("a mapping is required"));
}

#[test]
fn a_bad_header_or_open_quote_refuses_the_file() {
    let mapping = "class = \"host\"\nkey = [\"a\"]\n";
    let refusal = |table: &str| read(mapping, table).unwrap_err().to_string();
    assert!(refusal("").contains("the file is empty"));
    assert!(refusal("a,b,a\n").contains("the column 'a' is there twice, as number 1 and 3"));
    assert!(refusal("b\n").contains("not in the header"));
    assert!(refusal("a,b\n1,2\n3,\"open\n4,5\n").contains("line 3: a quote opened"));
    let other = read(&format!("delimiter = \";\"\n{mapping}"), "a;b\n1,5;2\n").unwrap();
    assert_eq!(other[0].observations[0].source_key.as_str(), "host/1,5");
}

#[test]
fn completeness_needs_a_proof() {
    let mapping = "class = \"host\"\nkey = [\"a\"]\n";
    let trailer = format!("trailer = \"TOTAL\"\n{mapping}");
    let run = |mapping: &str, table: &str, options: &[(&str, &str)], vouched: bool| {
        let mut context = with(mapping);
        context.complete = vouched;
        context.options.extend(options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        CsvImporter.normalise(&input(table), &context).map(|batches| batches[0].completeness.clone())
    };
    let complete = |proof: &str| Completeness::Complete { proof: proof.to_owned() };
    assert_eq!(run(mapping, "a\n1\n", &[], false).unwrap(), Completeness::Delta);
    assert!(matches!(run(mapping, "a\n1\n", &[], true).unwrap(), Completeness::Complete { .. }));
    assert_eq!(
        run(mapping, "a\n1\n2\n", &[("rows", "2")], false).unwrap(),
        complete("the files have the 2 rows the caller announced")
    );
    assert!(run(mapping, "a\n1\n", &[("rows", "2")], false).is_err());
    assert!(matches!(run(&trailer, "a,b\n1,\nTOTAL,1\n", &[], false).unwrap(), Completeness::Complete { .. }));
    assert!(run(&trailer, "a,b\n1,\nTOTAL,2\n", &[], false).is_err());
    assert!(run(&trailer, "a,b\n1,\n", &[], false).is_err());
    let digest = SourceFile::from_bytes("t", &b"a\n1\n"[..]).sha256().unwrap();
    assert!(matches!(run(mapping, "a\n1\n", &[("sha256", &digest)], false).unwrap(), Completeness::Complete { .. }));
    assert!(run(mapping, "a\n2\n", &[("sha256", &digest)], false).is_err());
    // A refused row would look as if it had gone.
    assert_eq!(run(mapping, "a\n1\n1,2\n", &[("rows", "2")], true).unwrap(), Completeness::Delta);
}

#[test]
fn rows_outside_what_the_caller_claims_are_refused() {
    let mut context = with("class = \"host\"\nkey = [\"a\"]\n[scope]\nsite = { column = \"site\" }\n");
    context.scope = Some(Scope::of(&[("site", "bern")]));
    let batches = CsvImporter.normalise(&input("a,site\n1,bern\n2,zug\n"), &context).unwrap();
    assert_eq!((batches.len(), conformance::observations(&batches)), (1, 1));
    assert_eq!(conformance::findings(&batches, FindingCode::OutOfScope), 1);
}

#[test]
fn foreign_ndjson_is_read_by_pointers() {
    let mapping = r#"
format = "ndjson"
class = "host"
key = ["/id"]
name = "/meta/name"
[attributes]
cores = { column = "/cores", type = "integer" }
raw = { column = "/raw" }
[[relations]]
column = "/on"
kind = "hosted_on"
this_row = "dependent"
target = { class = "cluster", key = ["/on"] }
"#;
    let text = concat!(
        "{\"id\":7,\"meta\":{\"name\":\"seven\"},\"cores\":4,\"raw\":{\"x\":[1]},\"on\":[\"c1\",null,\"c2\"],\"token\":\"hunter2\"}\n",
        "\n",
        "broken\n",
        "[1]\n",
        "{\"id\":null}\n",
        "{\"id\":{}}\n",
        "{\"id\":\"a/b\",\"on\":\"c1\"}\n",
    );
    let expectations = Expectations { secrets: &["hunter2"], schema: None };
    let batches = assert_conforms(&CsvImporter, &input(text), &with(mapping), &expectations);
    let keys: Vec<_> = batches[0].observations.iter().map(|o| o.source_key.as_str()).collect();
    assert_eq!(keys, ["host/7", "host/a/b"]);
    assert_eq!(batches[0].observations[0].attributes["raw"], json!({"x": [1]}));
    assert_eq!(batches[0].source.as_str(), "caller");
    let found: Vec<_> = batches[0].findings.iter().map(|f| (f.position.line.unwrap(), f.code)).collect();
    assert_eq!(
        found,
        [
            (1, FindingCode::Redacted),
            (1, FindingCode::NullTarget),
            (3, FindingCode::MalformedRow),
            (4, FindingCode::MalformedRow),
            (5, FindingCode::IdentityMissing),
            (6, FindingCode::MalformedRow),
        ]
    );
    assert!(read(&mapping.replace("\"/cores\"", "\"cores\""), text).unwrap_err().to_string().contains("'/cores'"));
}

#[test]
fn a_very_long_row_or_a_million_columns_are_bounded() {
    let mapping = "class = \"host\"\nkey = [\"a\"]\n";
    let table = format!("a\n{}\n2\n", "x".repeat(10 << 20));
    let batches = read(mapping, table).unwrap();
    assert_eq!(batches[0].findings[0].code, FindingCode::LimitExceeded);
    assert_eq!(batches[0].observations[0].source_key.as_str(), "host/2");
    let wide = format!("a{}\n", ",".repeat(1_000_000));
    assert!(read(mapping, wide).unwrap_err().to_string().contains("there twice"));
    let mut small = input("a\n1\n");
    small.limits = Limits { plain_bytes: 3, ..Limits::default() };
    assert!(CsvImporter.normalise(&small, &with(mapping)).is_err());
}

proptest::proptest! {
    #[test]
    fn no_table_makes_the_importer_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
        let table = [b"a,site\n".as_slice(), &bytes].concat();
        let _ = read("class = \"host\"\nkey = [\"a\"]\n[scope]\nsite = { column = \"site\" }\n", table);
    }

    #[test]
    fn no_mapping_makes_the_importer_panic(at in 0..MAPPING.len(), with in "[a-z\"=\\[\\]{}\n,;]{0,3}") {
        let mut mapping = MAPPING.to_owned();
        mapping.replace_range(at..=at, &with);
        let _ = read(&mapping, HEADER);
    }
}
