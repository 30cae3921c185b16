//! What a GitLab service catalogue becomes, by fixtures of our own.

use std::collections::BTreeSet;
use std::path::Path;

use keelson_import_gitlab::GitlabImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Context, EnvelopeError, Importer, Input, Limits, SourceFile};
use keelson_model::{Batch, FindingCode, Severity};
use proptest::prelude::*;
use serde_json::json;

const SECRET: &str = "dummy-secret-91ac";

fn fixture(name: &str) -> Input {
    conformance::input(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

fn files(files: &[(&str, &str)]) -> Input {
    Input::from_files(files.iter().map(|(name, text)| SourceFile::from_bytes(name, text.as_bytes())).collect())
}

fn read(input: &Input) -> Vec<Batch> {
    assert_conforms(&GitlabImporter, input, &context("gitlab"), &Expectations { secrets: &[SECRET], schema: None })
}

/// Reads one catalogue of these services; gives the batch and its findings as people see them.
fn read_services(services: &str) -> (Batch, Vec<String>) {
    let text = format!("teams:\n- name: t\nservices:\n{services}");
    let batch = read(&files(&[("service-catalog.yml", &text)])).remove(0);
    let findings = batch.findings.iter().map(ToString::to_string).collect();
    (batch, findings)
}

fn keys(batch: &Batch) -> BTreeSet<&str> {
    batch.observations.iter().map(|o| o.source_key.as_str()).collect()
}

#[test]
fn versions_read_as_one_history() {
    let batches = read(&fixture("history"));
    let [january, july] = &batches[..] else { panic!("{}", batches.len()) };
    assert_eq!(january.observed_at.to_rfc3339(), "2024-01-01T00:00:00+00:00");
    assert_eq!(july.observed_at.to_rfc3339(), "2024-07-01T00:00:00+00:00");
    assert_eq!((january.scope.as_str(), july.scope.as_str()), ("all", "all"));
    assert!(january.is_complete() && july.is_complete());
    // A rename is a withdrawal and a creation, because the name is all that identifies.
    let (before, after) = (keys(january), keys(july));
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), [&"service/postgres"]);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), [&"service/patroni"]);
    assert_eq!(conformance::missing(std::slice::from_ref(january)), Vec::<String>::new());
    // What went is missing although an earlier version of the same import described it.
    assert_eq!(conformance::missing(std::slice::from_ref(july)), ["service/postgres", "team/infrastructure"]);
    assert_eq!(conformance::findings(std::slice::from_ref(july), FindingCode::MissingTarget), 2);
}

#[test]
fn services_need_what_they_name_and_are_owned_by_teams() {
    let batches = read(&fixture("history"));
    let january = &batches[..1];
    assert_eq!(
        conformance::spelled_out(january),
        [
            "service/postgres owned_by team/storage",
            "service/sessions depends_on service/postgres",
            "service/sessions depends_on service/sessions",
            "service/sessions owned_by team/storage",
            "service/web depends_on service/postgres",
            "service/web depends_on service/sessions",
            "service/web owned_by team/web",
        ]
    );
    let typed = january[0].relationships.iter().find(|r| !r.attributes.is_empty()).unwrap();
    assert_eq!((typed.dependent.as_str(), &typed.attributes["type"]), ("service/sessions", &json!("hard")));
    assert_eq!(typed.source_type.as_deref(), Some("technical.dependencies"));
    let findings: Vec<_> = january[0].findings.iter().map(ToString::to_string).collect();
    let file = "service-catalog.2024-01-01.yml, document 1";
    assert_eq!(
        findings,
        [
            format!(
                "{file}, line 41, /services/0/technical/security/deploy_token: info redacted: a secret was left out"
            ),
            format!(
                "{file}, line 35, /services/0/technical/dependencies/2: warning null_target: 'technical.dependencies' \
                 names nothing in this row (field technical.dependencies)"
            ),
            format!(
                "{file}, line 63, /services/2/technical/dependencies/0: warning self_loop: 'service/sessions' is said to \
                 be related to itself by 'depends_on'"
            ),
        ]
    );
}

#[test]
fn services_and_teams_keep_what_they_say() {
    let batches = read(&fixture("history"));
    let web = &batches[0].observations[0];
    assert_eq!((web.class.as_str(), web.name.as_deref()), ("application", Some("Web front end")));
    assert_eq!(web.position.to_string(), "service-catalog.2024-01-01.yml, document 1, line 15, /services/0");
    let attributes: Vec<_> = web.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        attributes,
        [
            r#"business.SLA: {"availability":null,"overall_sla_weighting":5}"#,
            r#"data_classification: "RED""#,
            r#"description: "Serves the pages people see.""#,
            r#"label: "Service:Web""#,
            r#"monitored_by_url: "web-main/web-overview""#,
            r#"observability.monitors: {"primary_grafana_dashboard":"web-main/web-overview"}"#,
            r#"provider: "gcp""#,
            r#"repository_url: "https://git.example/web""#,
            r#"technical.criticality: 1"#,
            r#"technical.project: ["https://git.example/web","https://git.example/web-assets"]"#,
            r#"technical.security: {"data_classification":"RED","deploy_token":null}"#,
            r#"tier: "sv""#,
            r#"url: "https://runbooks.example/web""#,
        ]
    );
    let team = batches[0].observations.iter().find(|o| o.source_key.as_str() == "team/web").unwrap();
    let attributes: Vec<_> = team.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(attributes, [r#"chat_channel: "team_web""#, r#"on_call: "https://rota.example/web""#]);
}

#[test]
fn lists_may_lie_in_separate_files() {
    let parts = [("service-catalog.yml", "services:\n- name: a\n  owner: t\n"), ("teams.yml", "teams:\n- name: t\n")];
    let mut given = context("gitlab");
    given.options.insert("repository".to_owned(), "https://git.example/runbooks".to_owned());
    given.options.insert("commit".to_owned(), "0123abc".to_owned());
    let both = GitlabImporter.normalise(&files(&parts), &given).unwrap().remove(0);
    assert_eq!((both.is_complete(), both.payloads.len(), both.findings.len()), (true, 2, 0));
    assert_eq!(
        (both.scope.as_str(), both.cursor.as_deref()),
        ("repository=https:%2F%2Fgit.example%2Frunbooks", Some("0123abc"))
    );
    let one = read(&files(&parts[..1])).remove(0);
    assert!(!one.is_complete(), "the teams would look as if they had gone");
    assert!(one.findings[0].to_string().contains("truncated_source: no file lists the teams"), "{:?}", one.findings);
}

#[test]
fn rows_that_name_nothing_or_cannot_be_read_are_reported() {
    let (batch, findings) = read_services(
        "- name: a\n  teams: [t, null, [x]]\n  infra_owner:\n  technical:\n    dependencies: [null, {service: None}, \
         {service: ''}, {type: x}, {service: {x: y}}, b, {database: b}, {service: A}, {service: 010}]\n",
    );
    assert_eq!(
        conformance::spelled_out(std::slice::from_ref(&batch)),
        ["service/a depends_on service/010", "service/a depends_on service/A", "service/a owned_by team/t"]
    );
    let expected = [
        "dependencies/0: warning null_target",
        "dependencies/1: warning null_target",
        "dependencies/2: warning null_target",
        "dependencies/3: warning null_target",
        "dependencies/4: error malformed_row: 'technical.dependencies' must name its target by a text",
        "dependencies/5: error malformed_row: a row must be a mapping such as 'service: name'",
        "dependencies/6: warning unknown_relation_type: a dependency on a 'database' has no direction here",
        "document 1, line 5, /services/0/teams/1: warning null_target",
        "/services/0/teams/2: error malformed_row",
        "dependencies/7: warning case_only_difference: 'service/A' and 'service/a' differ in case only",
        "warning truncated_source: 3 rows were refused",
        "dependencies/7: warning missing_target",
        "dependencies/8: warning missing_target: 'service/010'",
    ];
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "found {finding}\nexpected {expected}");
    }
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    assert!(!batch.is_complete());
}

#[test]
fn services_without_a_name_are_refused_and_doubles_are_one() {
    let long = "x".repeat(3_000);
    let rows = format!(
        "- tier: sv\n- null\n- name: ''\n- name: [a]\n- name: {long}\n- name: a\n  tier: sv\n- name: a\n  tier: db\n  label: l\n"
    );
    let (batch, findings) = read_services(&rows);
    assert_eq!(batch.observations.len(), 2);
    assert_eq!(batch.observations[0].attributes["tier"], json!("sv"));
    assert_eq!(batch.observations[0].attributes["label"], json!("l"));
    let expected = [
        "line 4, /services/0/name: error identity_missing: the application has no name",
        "line 5, /services/1: error malformed_row",
        "line 6, /services/2/name: error identity_missing",
        "line 7, /services/3/name: error identity_missing",
        "line 8, /services/4/name: error limit_exceeded",
        "line 11, /services/6: warning duplicate_conflict: 'service/a' is listed again with other content",
        "truncated_source",
    ];
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "found {finding}\nexpected {expected}");
    }
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
}

#[test]
fn what_is_no_whole_catalogue_stops_the_import() {
    let normalise = |name: &str, text: &str| GitlabImporter.normalise(&files(&[(name, text)]), &context("gitlab"));
    for (name, text) in [
        ("service-catalog.yml", ""),
        ("service-catalog.yml", "services:\nteams:\n- name: t\n"),
        ("service-catalog.yml", "services: []\n"),
        ("service-catalog.yml", "teams:\n- name: t\nservices: {a: b}\n"),
        ("service-catalog.yml", "teams:\n- name: t\nservices:\n- name: [a\n"),
        ("service-catalog.yml", "services:\n- name: !!python/object a\n"),
        ("service-catalog.yml", "services:\n- name: a\n  name: b\n"),
        ("other.yml", "services:\n- name: [a\n"),
        ("service-catalog.json", "{\"error\": \"not found\"}"),
    ] {
        assert!(matches!(normalise(name, text), Err(EnvelopeError::Unreadable { .. })), "{name}: {text}");
    }
    let deep = format!("services:\n- {}{}\n", "[".repeat(100), "]".repeat(100));
    assert!(matches!(normalise("a.yml", &deep), Err(EnvelopeError::Unreadable { .. })));
    for (name, text) in [("compose.yml", "services:\n  web: {image: x}\n"), ("a.md", "services:\n- name: a\n")] {
        assert!(matches!(normalise(name, text), Err(EnvelopeError::NothingToRead { .. })), "{name}");
    }
    let bad = Input::from_files(vec![SourceFile::from_bytes("a.yml", b"services:\n- name: \xff".to_vec())]);
    assert!(matches!(GitlabImporter.normalise(&bad, &context("gitlab")), Err(EnvelopeError::Input(_))));
    let mut large = files(&[("a.yml", "services:\n- name: a\n")]);
    large.limits = Limits { plain_bytes: 10, ..large.limits };
    assert!(matches!(GitlabImporter.normalise(&large, &context("gitlab")), Err(EnvelopeError::Input(_))));
    let mut named: Context = context("gitlab");
    named.options.insert("repository".to_owned(), " ".to_owned());
    assert!(matches!(GitlabImporter.normalise(&fixture("history"), &named), Err(EnvelopeError::Option { .. })));
}

#[test]
fn cycles_and_long_chains_are_ordinary() {
    let row = |number: usize| {
        format!("- name: s{number}\n  technical: {{dependencies: [{{service: s{}}}]}}\n", (number + 1) % 2_000)
    };
    let (batch, findings) = read_services(&(0..2_000).map(row).collect::<String>());
    assert_eq!((batch.observations.len(), batch.relationships.len()), (2_001, 2_000));
    assert!(findings.is_empty());
    let (batch, _) = read_services(&format!("- name: a\n  label: {}\n", "x".repeat(70_000)));
    assert!(batch.findings.iter().any(|f| (f.code, f.severity) == (FindingCode::LimitExceeded, Severity::Error)));
    assert!(!batch.is_complete());
}

proptest! {
    #[test]
    fn whatever_the_services_say_no_rule_is_broken(rows in proptest::collection::vec((0..4_u8, 0..6_u8, 0..6_u8), 1..12)) {
        let names = ["a", "A", "b", "''", "null", "01"];
        let text: String = rows
            .iter()
            .map(|(form, name, target)| {
                let (name, target) = (names[usize::from(*name)], names[usize::from(*target)]);
                match form {
                    0 => format!("- name: {name}\n  technical: {{dependencies: [{{service: {target}}}]}}\n"),
                    1 => format!("- name: {name}\n  teams: [{target}, t]\n  tier: {target}\n"),
                    2 => format!("- {name}\n"),
                    _ => format!("- name: {name}\n  technical: {{dependencies: {target}}}\n"),
                }
            })
            .collect();
        let (batch, _) = read_services(&text);
        let refused = batch.findings.iter().any(|finding| finding.severity == Severity::Error);
        prop_assert_eq!(batch.is_complete(), !refused);
    }
}
