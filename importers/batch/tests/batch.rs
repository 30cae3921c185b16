//! Keelson's own batch format: what is read, what is refused, and that nothing is lost on the way
//! out and in again.

use std::io::Write;

use keelson_import_batch::{BatchImporter, line, write};
use keelson_importer::conformance::{self, Expectations, assert_conforms, context, shared};
use keelson_importer::{EnvelopeError, Importer, Input, Limits, SourceFile};
use keelson_model::{Basis, Batch, Completeness, FindingCode, OnError, Phase, RemovalTarget, Rule, Severity, Strength};

const HEADER: &str = r#"{"batch":{"format":"keelson/1","source":"example","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;
const DELTA: &str = r#"{"batch":{"format":"keelson/1","source":"example"}}"#;

fn input(content: impl AsRef<[u8]>) -> Input {
    Input::from_files(vec![SourceFile::from_bytes("b.ndjson", content.as_ref().to_vec())])
}

fn read(content: impl AsRef<[u8]>) -> Result<Batch, EnvelopeError> {
    BatchImporter.normalise(&input(content), &context("caller")).map(|mut batches| batches.remove(0))
}

fn lines(header: &str, lines: &[&str]) -> String {
    let mut text = format!("{header}\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The findings of a batch of these lines, as people see them.
fn findings(of: &[&str]) -> Vec<String> {
    read(lines(HEADER, of)).expect("every line can be read").findings.iter().map(ToString::to_string).collect()
}

#[test]
fn every_kind_of_line_is_read() {
    let text = lines(
        DELTA,
        &[
            r#"{"relationship":{"kind":"uses","dependent":"service/a","dependency":"component/b","strength":"soft","cap":0.25,"basis":"observed","confidence":0.5,"evidence":"trace","source_type":"calls","attributes":{"port":443}}}"#,
            r#"{"ci":{"key":"service/a","class":"service","name":"A","external_id":"arn:a","native_id":"u1","native_version":7,"lifecycle":"live","criticality":"critical","owner":"team/t","attributes":{"min_delivered":1.0,"none":null,"load":{"value":60,"unit":"transactions/s"}}}}"#,
            "",
            r#"{"ci":{"key":"component/b","class":"component"}}"#,
            r#"{"need":{"dependent":"service/a","name":"all","rule":"all","members":["x/1"],"cap":0.3,"judged_by":"ann","judged_at":"2026-01-01T00:00:00Z","phase":"start","kind":"uses","confidence":0.9,"basis":"observed","evidence":"env"}}"#,
            r#"{"need":{"dependent":"service/a","name":"any","rule":"any","members":["x/1","x/2"]}}"#,
            r#"{"need":{"dependent":"service/a","name":"k","rule":"at_least","k":2,"members":["x/1","x/2","x/3"],"possible_counts":[1,2],"doubtful":["x/3"],"phase":"both"}}"#,
            r#"{"need":{"dependent":"service/a","name":"p","rule":"percent","percent":50,"members":["x/1","x/2"]}}"#,
            r#"{"need":{"dependent":"service/a","name":"w","rule":"weight","weights":[1,2.5],"threshold":3,"members":["x/1","x/2"]}}"#,
            r#"{"need":{"dependent":"service/a","name":"s","rule":"share","capacities":[10,20],"unit":"requests/s","demand":25,"members":["x/1","x/2"]}}"#,
            r#"{"need":{"dependent":"service/a","name":"?","assumed":true,"members":["x/1","x/2"]}}"#,
            r#"{"withdraw":{"key":"component/old","reason":"switched off"}}"#,
            r#"{"withdraw":{"relationship":{"kind":"uses","dependent":"service/a","dependency":"component/old"}}}"#,
            r#"{"withdraw":{"need":{"dependent":"service/a","name":"old"}}}"#,
        ],
    );
    let batches = assert_conforms(&BatchImporter, &input(&text), &context("caller"), &Expectations::default());
    let batch = &batches[0];
    assert_eq!((batch.source.as_str(), batch.scope.as_str()), ("example", "all"));
    assert_eq!((batch.on_error, batch.is_complete()), (OnError::Stop, false));
    assert_eq!((batch.observations.len(), batch.relationships.len(), batch.needs.len()), (2, 2, 7));
    let a = &batch.observations[0];
    assert_eq!((a.source_key.as_str(), a.key.as_deref()), ("arn:a", Some("service/a")));
    assert_eq!((a.native_id.as_deref(), a.native_version), (Some("u1"), Some(7)));
    assert_eq!(a.attributes["none"], serde_json::Value::Null);
    assert_eq!(a.position.to_string(), "b.ndjson, line 3");
    assert_eq!(batch.observations[1].source_key.as_str(), "component/b");
    let uses = &batch.relationships[0];
    assert_eq!((uses.strength, uses.basis), (Some(Strength::Soft { cap: 0.25 }), Basis::Observed));
    assert_eq!(conformance::spelled_out(&batches)[0], "service/a owned_by team/t");
    let [all, any, k, p, w, s, unknown] = &batch.needs[..] else { panic!() };
    let cap = all.cap.as_ref().unwrap();
    assert_eq!((cap.limit, cap.judged_by.as_deref(), all.phase), (0.3, Some("ann"), Phase::Start));
    assert_eq!((any.rule.clone(), any.kind.as_str()), (Some(Rule::Any), "depends_on"));
    assert_eq!((k.rule.clone(), &k.possible_counts[..]), (Some(Rule::AtLeast { k: 2 }), &[1, 2][..]));
    assert_eq!(k.members.iter().map(|member| member.doubtful).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(p.rule, Some(Rule::Percent { percent: 50 }));
    assert_eq!(w.rule, Some(Rule::Weight { weights: vec![1.0, 2.5], threshold: 3.0 }));
    let share = Rule::Share { capacities: vec![10.0, 20.0], unit: "requests/s".to_owned(), demand: Some(25.0) };
    assert_eq!(s.rule, Some(share));
    assert_eq!(unknown.rule, None);
    assert!(matches!(&batch.removals[2].target, RemovalTarget::Need { name, .. } if &**name == "old"));
    assert_eq!(batch.removals[0].reason.as_deref(), Some("switched off"));
    assert!(batch.findings.is_empty(), "{:?}", batch.findings);
}

#[test]
fn what_is_written_reads_back_the_same() {
    let text = lines(
        DELTA,
        &[
            r#"{"ci":{"key":"service/a","class":"service","external_id":"arn:a","owner":"team/t","attributes":{"x":0.005,"n":null}}}"#,
            r#"{"relationship":{"kind":"uses","dependent":"service/a","dependency":"b","strength":"hard"}}"#,
            r#"{"need":{"dependent":"service/a","name":"s","rule":"share","capacities":[10,0.1],"unit":"requests/s","members":["x/1","x/2"],"doubtful":["x/2"],"phase":"both"}}"#,
            r#"{"need":{"dependent":"service/a","name":"w","rule":"weight","weights":[1,2.5],"threshold":3,"members":["x/1","x/2"],"cap":0.5,"judged_by":"ann"}}"#,
            r#"{"need":{"dependent":"service/a","name":"?","members":["x/1"]}}"#,
            r#"{"withdraw":{"key":"old","reason":"gone"}}"#,
        ],
    );
    let first = read(&text).unwrap();
    let mut written = Vec::new();
    write::batch(&mut written, &first).unwrap();
    let second = read(&written).unwrap();
    let said = |batch: &Batch| {
        // Positions follow the lines, which stand in another order.
        let said = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            batch.source, batch.completeness, batch.observations, batch.relationships, batch.needs, batch.removals
        );
        let parts: Vec<_> =
            said.split("position: Position {").map(|part| part.split_once('}').unwrap_or(("", part)).1).collect();
        parts.concat()
    };
    assert_eq!(said(&first), said(&second));
    let mut again = Vec::new();
    write::batch(&mut again, &second).unwrap();
    assert_eq!(String::from_utf8(written), String::from_utf8(again));
}

#[test]
fn what_cannot_be_used_is_refused_with_line_and_field() {
    let ci = r#"{"ci":{"key":"a","class":"host"}}"#;
    let cases: &[(&[&str], &str)] = &[
        (
            &[r#"{"ci":{"key":"a","clas":"x"}}"#],
            "b.ndjson, line 2: error malformed_row: 'clas' is not known here; did you mean 'class'? (field ci/clas)",
        ),
        (&["{\"ci\":"], "line 2: error malformed_row: the line is not one JSON object"),
        (&[ci, "nonsense"], "line 3: error malformed_row"),
        (&[HEADER], "line 2: error malformed_row: a file has one header"),
        (
            &[ci, r#"{"ci":{"key":"a","class":"device"}}"#],
            "line 3: error duplicate_conflict: 'a' is given with other content than at b.ndjson, line 2",
        ),
        (
            &[ci, r#"{"ci":{"key":"b","external_id":"a","class":"host"}}"#],
            "line 3: error duplicate_conflict: 'a' is given with other content",
        ),
        (&[ci, ci], "line 3: info duplicate: 'a' is given again"),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"at_least","k":3,"members":["b","c"]}}"#],
            "k is 3, but it must lie between 1 and the number of members, 2 (field need/k)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"at_least","members":["b","c"]}}"#],
            "the rule 'at_least' needs 'k'",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","k":1,"members":["b"]}}"#],
            "'k' belongs to the rule 'at_least'",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","members":[]}}"#],
            "at least one member (field need/members)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","members":["b",null]}}"#],
            "error null_target: invalid type: null",
        ),
        (&[r#"{"need":{"dependent":"a","name":"n","rule":"all","members":["b",""]}}"#], "(field need/members/1)"),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","members":["b","b"]}}"#],
            "the member 'b' is listed twice",
        ),
        (&[r#"{"need":{"dependent":"a","name":"n","rule":"all","members":["a"]}}"#], "error self_loop"),
        (&[r#"{"need":{"dependent":"a","name":" ","rule":"all","members":["b"]}}"#], "must have a name"),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","cap":1,"members":["b"]}}"#],
            "a cap must lie above 0 and below 1, not 1",
        ),
        (
            &[
                r#"{"need":{"dependent":"a","name":"n","rule":"share","capacities":[1],"unit":"request/s","members":["b"]}}"#,
            ],
            "'request/s' is not a known unit; did you mean 'requests/s'? (field need/unit)",
        ),
        (
            &[
                r#"{"need":{"dependent":"a","name":"n","rule":"share","capacities":["1 GB"],"unit":"GB","members":["b"]}}"#,
            ],
            "(field need/capacities/0)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"weight","weights":[1],"threshold":2,"members":["b"]}}"#],
            "(field need/threshold)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"all","assumed":true,"members":["b"]}}"#],
            "(field need/assumed)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"at_least","k":1,"possible_counts":[3],"members":["b"]}}"#],
            "(field need/possible_counts)",
        ),
        (
            &[r#"{"need":{"dependent":"a","name":"n","rule":"any","doubtful":["c"],"members":["b"]}}"#],
            "'c' is not among the members",
        ),
        (
            &[
                r#"{"need":{"dependent":"a","name":"n","rule":"any","members":["b"]}}"#,
                r#"{"need":{"dependent":"a","name":"n","rule":"all","members":["b"]}}"#,
            ],
            "error duplicate_conflict: the need 'n' of 'a'",
        ),
        (
            &[r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"a"}}"#],
            "warning self_loop: 'a' is said to be related to itself",
        ),
        (&[r#"{"relationship":{"kind":"uses","dependent":"a","dependency":null}}"#], "error null_target"),
        (
            &[r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b","confidence":1.5}}"#],
            "(field relationship/confidence)",
        ),
        (
            &[r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b","strength":"soft"}}"#],
            "(field relationship/cap)",
        ),
        (
            &[r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b","strength":"hard","cap":0.5}}"#],
            "(field relationship/cap)",
        ),
        (
            &[
                r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b"}}"#,
                r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b","cap":0.5}}"#,
            ],
            "error duplicate_conflict: the relationship 'a' uses 'b'",
        ),
        (&[r#"{"ci":["a","host"]}"#], "error malformed_row: the fields of a line stand in an object by name"),
        (&[r#"{"withdraw":{"key":"a"}}"#], "a complete batch withdraws by leaving out"),
    ];
    for (rows, expected) in cases {
        let found = findings(rows);
        assert_eq!(found.len(), 1, "{rows:?}: {found:?}");
        assert!(found[0].contains(expected), "{rows:?}\n  found {}\n  expected {expected}", found[0]);
    }
    let long = format!(r#"{{"ci":{{"key":"a","class":"host","name":"{}"}}}}"#, "n".repeat(1_025));
    assert!(findings(&[&long])[0].contains("error limit_exceeded: the name has 1025 characters"));
    let deep =
        format!(r#"{{"ci":{{"key":"a","class":"host","attributes":{{"x":{}1{}}}}}}}"#, "[".repeat(62), "]".repeat(62));
    assert!(findings(&[&deep])[0].contains("nested deeper than 64 levels"));
    let deeper = format!(r#"{{"ci":{{"attributes":{{"x":{}"#, "[".repeat(900_000));
    assert!(findings(&[&deeper])[0].contains("recursion limit"));
}

#[test]
fn withdrawals_are_for_deltas_and_do_not_contradict() {
    let found = |rows: &[&str]| read(lines(DELTA, rows)).unwrap();
    let both = found(&[r#"{"withdraw":{"key":"a"}}"#, r#"{"ci":{"key":"a","class":"host"}}"#]);
    assert!(both.removals.is_empty());
    assert_eq!(both.findings[0].position.line, Some(2));
    let unclear = found(&[r#"{"withdraw":{"key":"a","need":{"dependent":"a","name":"n"}}}"#]);
    assert!(unclear.findings[0].message.contains("exactly one"));
}

#[test]
fn a_bad_envelope_gives_nothing() {
    let refusal = |content: &[u8]| read(content).unwrap_err().to_string();
    assert!(refusal(b"").contains("the file is empty"));
    assert!(refusal(b"\n\n").contains("the file is empty"));
    assert!(refusal(br#"{"ci":{"key":"a","class":"host"}}"#).contains("line 1: the first line must be a header"));
    assert!(refusal(br#"{"batch":{"format":"keelson/1"}}"#).contains("(field batch/source)"));
    assert!(refusal(br#"{"batch":{"format":"keelson/1","source":" "}}"#).contains("the source must be"));
    assert!(refusal(br#"{"batch":{"format":"keelson/1","source":"a","scop":"b"}}"#).contains("did you mean 'scope'"));
    assert!(
        refusal(br#"{"batch":{"format":"keelson/1","source":"a","observed_at":"yesterday"}}"#).contains("observed_at")
    );
    let newer = read(br#"{"batch":{"format":"keelson/2","source":"a","new":1}}"#).unwrap_err();
    assert_eq!(newer.to_string(), "b.ndjson: batch format 'keelson/2' is not supported; supported: keelson/1");
    let nothing = BatchImporter.normalise(&Input::from_files(Vec::new()), &context("c")).unwrap_err();
    assert!(matches!(nothing, EnvelopeError::NothingToRead { files: 0, .. }));
}

#[test]
fn packed_files_are_read_and_truncated_ones_refused() {
    let text = lines(HEADER, &[r#"{"ci":{"key":"a","class":"host"}}"#]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(read(&packed).unwrap().observations.len(), 1);
    // The digest is of the lines, however they were packed.
    assert_eq!(read(&packed).unwrap().digest(), read(&text).unwrap().digest());
    for cut in 1..packed.len() {
        assert!(read(&packed[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_row_of_ten_megabytes_is_one_refused_row() {
    let long = format!(r#"{{"ci":{{"key":"a","class":"host","name":"{}"}}}}"#, "x".repeat(10 << 20));
    let batch = read(lines(HEADER, &[&long, r#"{"ci":{"key":"b","class":"host"}}"#])).unwrap();
    assert_eq!(batch.observations[0].position.line, Some(3));
    let finding = &batch.findings[0];
    assert_eq!((finding.code, finding.position.line), (FindingCode::LimitExceeded, Some(2)));
    let header_too_long = read(vec![b'x'; 2 << 20]).unwrap_err();
    assert!(header_too_long.to_string().contains("at most 1048576"));
}

#[test]
fn keeping_going_never_makes_refused_rows_look_gone() {
    let text = lines(HEADER, &[r#"{"ci":{"key":"a","class":"host"}}"#, "broken"]);
    let mut context = context("caller");
    let strict = BatchImporter.normalise(&input(&text), &context).unwrap().remove(0);
    assert_eq!((strict.on_error, strict.is_complete()), (OnError::Stop, true));
    assert_eq!(strict.completeness, Completeness::Complete { proof: "the batch's header says so".to_owned() });
    context.options.insert("keep-going".to_owned(), "true".to_owned());
    let going = BatchImporter.normalise(&input(&text), &context).unwrap().remove(0);
    assert_eq!((going.on_error, going.is_complete()), (OnError::KeepGoing, false));
    assert_eq!(going.findings.last().unwrap().code, FindingCode::TruncatedSource);
    let good = lines(HEADER, &[r#"{"ci":{"key":"a","class":"host"}}"#]);
    assert!(BatchImporter.normalise(&input(good), &context).unwrap()[0].is_complete());
    context.options.insert("keep-going".to_owned(), "perhaps".to_owned());
    assert!(matches!(BatchImporter.normalise(&input(&text), &context), Err(EnvelopeError::Option { .. })));
}

#[test]
fn secrets_are_left_out_everywhere() {
    let text = lines(
        HEADER,
        &[
            r#"{"ci":{"key":"a","class":"host","attributes":{"db_password":"hunter2","http_tokens":"required","url":"https://u:hunter2@x/","deep":{"apiKey":"hunter2","x":1}}}}"#,
            r#"{"relationship":{"kind":"uses","dependent":"a","dependency":"b","attributes":{"token":"hunter2"}}}"#,
            r#"{"ci":{"password":"hunter2""#,
        ],
    );
    let expectations = Expectations { secrets: &["hunter2"], schema: None };
    let batches = assert_conforms(&BatchImporter, &input(&text), &context("c"), &expectations);
    let fields: Vec<_> = batches[0].findings.iter().filter_map(|finding| finding.field.as_deref()).collect();
    assert_eq!(
        fields,
        [
            "ci/attributes/db_password",
            "ci/attributes/deep/apiKey",
            "ci/attributes/url",
            "relationship/attributes/token",
            "ci/password",
        ]
    );
    let kept: Vec<_> = batches[0].observations[0].attributes.keys().map(keelson_model::Symbol::as_str).collect();
    assert_eq!(kept, ["deep", "http_tokens"]);
}

#[test]
fn text_is_taken_as_it_is() {
    let batch = read(lines(
        "\u{feff}{\"batch\":{\"format\":\"keelson/1\",\"source\":\"x\"}}\r",
        &[
            "{\"ci\":{\"key\":\"host/caf\u{e9}\",\"class\":\"host\",\"name\":\"=1+1\"}}\r",
            "{\"ci\":{\"key\":\"host/cafe\u{301}\",\"class\":\"host\",\"name\":\"=1+1\"}}",
            r#"{"ci":{"key":"host/rtl","class":"host","name":"\u202eevil\u200b"}}"#,
            r#"{"ci":{"key":"host/a\u0000","class":"host"}}"#,
            r#"{"ci":{"key":"host/\ud800","class":"host"}}"#,
        ],
    ))
    .unwrap();
    assert_eq!(batch.observations.len(), 2);
    let found: Vec<_> = batch.findings.iter().map(|f| (f.position.line, f.code)).collect();
    let expected =
        [(Some(3), FindingCode::Duplicate), (Some(5), FindingCode::MalformedRow), (Some(6), FindingCode::MalformedRow)];
    assert_eq!(found, expected);
}

#[test]
fn the_worked_estate_is_read() {
    let Some(path) = shared("data/acceptance/estate.ndjson") else { return };
    let input = conformance::input(&path);
    let batches = assert_conforms(&BatchImporter, &input, &context("c"), &Expectations::default());
    assert_eq!(conformance::observations(&batches), 25);
    assert_eq!(batches[0].needs.len(), 31);
    assert_eq!(batches[0].source.as_str(), "worked-estate");
    assert!(batches[0].is_complete());
    assert!(batches[0].findings.is_empty(), "{:?}", batches[0].findings);
    assert!(conformance::missing(&batches).is_empty());
}

#[test]
fn the_published_schema_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/batch-line.schema.json");
    let generated = serde_json::to_string_pretty(&line::schema()).unwrap() + "\n";
    if std::env::var_os("KEELSON_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // Compared as values: the order of fields depends on features other crates switch on.
    let committed: serde_json::Value = serde_json::from_str(&committed).unwrap_or_default();
    let message = "schema/batch-line.schema.json is out of date; run this test with KEELSON_BLESS=1";
    assert_eq!(committed, line::schema(), "{message}");
}

const SAMPLE: &str = concat!(
    r#"{"batch":{"format":"keelson/1","source":"s","complete":false}}"#,
    "\n",
    r#"{"ci":{"key":"service/a","class":"service","owner":"team/t","attributes":{"x":{"value":1.5,"unit":"GiB"}}}}"#,
    "\n",
    r#"{"need":{"dependent":"service/a","name":"n","rule":"at_least","k":1,"members":["b","c"]}}"#,
    "\n",
    r#"{"withdraw":{"key":"old"}}"#,
    "\n",
);

proptest::proptest! {
    #[test]
    fn no_mutation_makes_the_importer_panic(
        at in 0..SAMPLE.len(),
        with in proptest::collection::vec(proptest::num::u8::ANY, 0..4),
        cut in 0..SAMPLE.len(),
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes.splice(at..=at, with);
        bytes.truncate(cut.max(1));
        let _ = read(bytes);
    }

    #[test]
    fn no_field_makes_the_importer_panic(json in "[{}\\[\\]\":,a-k0-9 .e-]{0,60}") {
        let text = format!("{DELTA}\n{{\"need\":{json}}}\n{{\"ci\":{{\"key\":{json}}}}}\n");
        let _ = read(text);
    }
}

#[test]
fn a_limit_on_the_whole_file_holds() {
    let mut input = input(lines(HEADER, &[r#"{"ci":{"key":"a","class":"host"}}"#]));
    input.limits = Limits { plain_bytes: 100, ..Limits::default() };
    let error = BatchImporter.normalise(&input, &context("c")).unwrap_err();
    assert!(error.to_string().contains("more than 100 bytes"), "{error}");
    assert!(BatchImporter.normalise(&input, &context("c")).is_err());
}

#[test]
fn severities_of_refusals_stop_the_batch() {
    let batch = read(lines(HEADER, &[r#"{"relationship":{"kind":"u","dependent":"a","dependency":""}}"#])).unwrap();
    assert_eq!(batch.findings[0].severity, Severity::Error);
}
