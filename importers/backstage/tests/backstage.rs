//! What a Backstage catalogue becomes, by fixtures of our own.

use std::path::Path;

use keelson_import_backstage::BackstageImporter;
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Context, EnvelopeError, Importer, Input, Limits, SourceFile};
use keelson_model::{Batch, FindingCode, Lifecycle, Observation, Scope, Severity};
use proptest::prelude::*;
use serde_json::json;

const SECRET: &str = "dummy-secret-5f2c";

fn fixture(name: &str) -> Input {
    conformance::input(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

fn files(files: &[(&str, &str)]) -> Input {
    Input::from_files(files.iter().map(|(name, text)| SourceFile::from_bytes(name, text.as_bytes())).collect())
}

fn scoped() -> Context {
    Context { scope: Some(Scope::of(&[("repository", "shop")])), ..context("backstage") }
}

/// Reads files as a complete import would and checks everything that always holds.
fn read(input: &Input, context: &Context) -> Batch {
    assert_conforms(&BackstageImporter, input, context, &Expectations { secrets: &[SECRET], schema: None }).remove(0)
}

/// Reads one file of these entities; gives the batch and its findings as people see them.
fn read_text(text: &str) -> (Batch, Vec<String>) {
    let batch = read(&files(&[("catalog-info.yaml", text)]), &scoped());
    let findings = batch.findings.iter().map(ToString::to_string).collect();
    (batch, findings)
}

fn entity(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n---\n")
}

fn observed<'a>(batch: &'a Batch, key: &str) -> &'a Observation {
    batch.observations.iter().find(|o| o.source_key.as_str() == key).expect("the batch describes it")
}

#[test]
fn every_relation_is_stored_as_dependent_needs_dependency() {
    let batch = read(&fixture("shop"), &scoped());
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    assert_eq!(
        said,
        [
            "api:default/orders depends_on component:default/checkout",
            "api:default/orders owned_by group:default/checkout-team",
            "api:default/orders part_of system:default/shop",
            "component:default/checkout depends_on component:default/payments",
            "component:default/checkout depends_on resource:default/orders-db",
            "component:default/checkout owned_by group:default/checkout-team",
            "component:default/checkout part_of system:default/shop",
            "component:default/checkout uses api:default/rates",
            "component:default/checkout-client owned_by group:default/checkout-team",
            "component:default/checkout-client part_of component:default/checkout",
            "domain:default/commerce owned_by group:default/commerce",
            "domain:default/online owned_by group:default/commerce",
            "domain:default/online part_of domain:default/commerce",
            "group:default/checkout-team part_of group:default/commerce",
            "group:default/data part_of group:default/commerce",
            "resource:default/orders-db owned_by group:default/data",
            "resource:default/orders-db part_of system:default/shop",
            "system:default/shop owned_by group:default/commerce",
            "system:default/shop part_of domain:default/online",
            "user:default/ada member_of group:default/checkout-team",
            "user:default/ada member_of group:default/data",
            "user:default/grace member_of group:default/checkout-team",
        ]
    );
    // Stated from both ends: one relationship that keeps both pieces of evidence.
    let both = batch.relationships.iter().find(|r| r.dependency.as_str() == "resource:default/orders-db").unwrap();
    assert_eq!(both.evidence.as_deref(), Some("stated_by_dependent+stated_by_dependency"));
    assert_eq!(both.source_type.as_deref(), Some("dependsOn+dependencyOf"));
    assert_eq!(both.position.to_string(), "services/checkout/entities.yaml, document 1, line 26, /spec/dependsOn/0");
}

#[test]
fn entities_keep_what_they_say() {
    let batch = read(&fixture("shop"), &scoped());
    let checkout = observed(&batch, "component:default/checkout");
    assert_eq!((checkout.class.as_str(), checkout.name.as_deref()), ("application", Some("Checkout")));
    assert_eq!(checkout.key.as_deref(), Some("application/checkout"));
    assert_eq!(checkout.lifecycle, Some(Lifecycle::Live));
    assert_eq!(checkout.position.to_string(), "services/checkout/entities.yaml, document 1, line 1");
    let attributes: Vec<_> = checkout.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        attributes,
        [
            r#"backstage.io/kubernetes-id: "checkout""#,
            r#"backstage.io/source-location: "url:https://git.example/shop/checkout""#,
            r#"description: "Takes baskets to orders.""#,
            r#"labels: ["revision=1.10","tier=backend"]"#,
            r#"links: [{"title":"Runbook","url":"https://wiki.example/checkout"}]"#,
            r#"repository_url: "https://git.example/shop/checkout""#,
            r#"resource_type: "service""#,
            r#"source_lifecycle: "production""#,
            r#"url: "https://wiki.example/checkout""#,
        ]
    );
    let api = observed(&batch, "api:default/orders");
    assert_eq!(
        (&api.attributes["api_type"], &api.attributes["definition_url"]),
        (&json!("openapi"), &json!("./openapi.yaml"))
    );
    assert_eq!(observed(&batch, "component:default/checkout-client").lifecycle, None);
    let team = observed(&batch, "group:default/checkout-team");
    assert_eq!(
        (&team.attributes["team_type"], &team.attributes["email"]),
        (&json!("team"), &json!("checkout@shop.example"))
    );
    let classes: Vec<_> = conformance::by_class(std::slice::from_ref(&batch)).into_iter().collect();
    let classes: Vec<_> = classes.iter().map(|(class, count)| (class.as_str(), *count)).collect();
    assert_eq!(
        classes,
        [
            ("api", 1),
            ("application", 1),
            ("catalogue-location", 2),
            ("database", 1),
            ("domain", 2),
            ("library", 1),
            ("person", 1),
            ("system", 1),
            ("team", 3),
        ]
    );
}

#[test]
fn what_is_noticed_in_an_ordinary_catalogue() {
    let batch = read(&fixture("shop"), &scoped());
    let findings: Vec<_> = batch.findings.iter().map(ToString::to_string).collect();
    let text = findings.join("\n");
    assert!(text.contains("services/checkout/entities.yaml, document 1, line 14, /metadata/annotations/vault.example~1token: info redacted"), "{text}");
    assert!(
        text.contains("org/people.yaml, document 3, line 26, /metadata/name: warning case_only_difference"),
        "{text}"
    );
    let missing = conformance::missing(std::slice::from_ref(&batch));
    assert_eq!(missing, ["api:default/rates", "component:default/payments", "user:default/grace"]);
    assert_eq!(conformance::findings(std::slice::from_ref(&batch), FindingCode::MissingTarget), 3);
    assert_eq!(findings.len(), 5, "{text}");
}

#[test]
fn completeness_is_declared_and_proven() {
    let proof =
        "Complete { proof: \"all 4 files of the catalogue were read and all 3 targets of Locations were among them\" }";
    let shop = fixture("shop");
    assert_eq!(format!("{:?}", read(&shop, &scoped()).completeness), proof);
    assert!(!read(&shop, &context("backstage")).is_complete(), "nobody said what these files are all of");
    assert!(read(&shop, &Context { complete: true, ..context("backstage") }).is_complete());
    let mut by_option = context("backstage");
    by_option.options.insert("repository".to_owned(), "https://git.example/shop".to_owned());
    by_option.options.insert("commit".to_owned(), "0123abc".to_owned());
    let batch = read(&shop, &by_option);
    assert_eq!((batch.scope.as_str(), batch.is_complete()), ("repository=https:%2F%2Fgit.example%2Fshop", true));
    assert_eq!(batch.cursor.as_deref(), Some("0123abc"));
    let mut less = shop;
    less.files.retain(|file| file.name != "org/people.yaml");
    let batch = read(&less, &Context { complete: true, ..scoped() });
    assert!(!batch.is_complete());
    let truncated: Vec<_> = batch.findings.iter().filter(|f| f.code == FindingCode::TruncatedSource).collect();
    assert_eq!(
        truncated[0].to_string(),
        "catalog-info.yaml, document 1, line 8, /spec/targets/0: warning truncated_source: the target \
         './org/people.yaml' is not read: there is no such file in this import"
    );
}

#[test]
fn an_answer_of_the_interface_states_everything_twice() {
    let batch = read(&fixture("answer.json"), &scoped());
    assert!(!batch.is_complete(), "a saved answer does not say whether it is all there is");
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    assert_eq!(
        said,
        [
            "component:default/checkout depends_on resource:default/orders-db",
            "component:default/checkout owned_by group:default/checkout-team",
        ]
    );
    let checkout = observed(&batch, "component:default/checkout");
    assert_eq!(checkout.native_id.as_deref(), Some("5d5a0c3c-4f7e-4c6a-8f07-0a1e6f8f1f11"));
    assert_eq!(checkout.attributes["backstage.io/orphan"], json!("true"));
    let unknown: Vec<_> = batch.findings.iter().filter(|f| f.code == FindingCode::UnknownRelationType).collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].position.pointer.as_deref(), Some("/0/relations/2"));
    let vouched = read(&fixture("answer.json"), &Context { complete: true, ..scoped() });
    assert!(vouched.is_complete());
}

#[test]
fn pages_of_an_answer_belong_together() {
    let page = |name: &str, cursor: &str| {
        let entity = json!({"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": name}});
        format!(r#"{{"items": [{entity}], "pageInfo": {{{cursor}}}}}"#)
    };
    let (first, last) = (page("a", r#""nextCursor": "x1""#), page("b", ""));
    let vouched = Context { complete: true, ..scoped() };
    let both = read(&files(&[("1.json", &first), ("2.json", &last)]), &vouched);
    assert!(both.is_complete(), "{:?}", both.findings);
    assert_eq!(both.observations[1].position.to_string(), "2.json, document 1, line 1, /items/0");
    let one = read(&files(&[("1.json", &first)]), &vouched);
    assert!(!one.is_complete());
    let finding = one.findings[0].to_string();
    assert!(finding.contains("/pageInfo/nextCursor: warning truncated_source: another page follows"), "{finding}");
}

#[test]
fn rows_that_name_nothing_or_cannot_be_read_are_reported() {
    let text = entity("Component", "a", "type: service, owner: , dependsOn: [b, null, '', 'component:', 'x:y:z', [c]]")
        + &entity("Component", "b", "type: service, owner: none, dependsOn: , dependencyOf: ['component:B']");
    let (batch, findings) = read_text(&text);
    assert_eq!(
        conformance::spelled_out(std::slice::from_ref(&batch)),
        ["component:default/b depends_on component:default/b"]
    );
    let expected = [
        "/spec/dependsOn/0: error malformed_row: 'b' does not say its kind, and this field has no usual one; write \
         component:b; the row is left out",
        "/spec/dependsOn/1: warning null_target",
        "/spec/dependsOn/2: warning null_target",
        "/spec/dependsOn/3: warning null_target",
        "/spec/dependsOn/4: error malformed_row: the name 'y:z' contains ':'",
        "/spec/dependsOn/5: error malformed_row: a reference is a text",
        "line 4, /spec/owner: warning null_target: 'owner' names nothing in this row",
        "/spec/dependencyOf/0: warning case_only_difference: 'default/B' and 'default/b'",
        "document 2, line 9, /spec/owner: warning null_target",
        "/spec/dependencyOf/0: warning self_loop",
        "warning truncated_source: 3 rows were refused, so nothing is withdrawn by this import",
    ];
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "found {finding}\nexpected {expected}");
    }
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    assert!(!batch.is_complete());
}

#[test]
fn references_take_the_namespace_of_the_entity_that_states_them() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a, namespace: pay}\n\
                spec: {type: service, owner: team, dependsOn: ['resource:db', 'resource:default/db', {kind: API, name: p}]}\n";
    let (batch, _) = read_text(text);
    assert_eq!(
        conformance::spelled_out(std::slice::from_ref(&batch)),
        [
            "component:pay/a depends_on api:pay/p",
            "component:pay/a depends_on resource:default/db",
            "component:pay/a depends_on resource:pay/db",
            "component:pay/a owned_by group:pay/team",
        ]
    );
}

#[test]
fn the_same_entity_twice_is_one_and_the_earlier_wins() {
    let text = entity("Component", "a", "type: service, owner: x, dependsOn: ['resource:r']")
        + &entity("Component", "a", "type: library, owner: Y, dependsOn: ['resource:s'], extra: 1")
        + &entity("Component", "A", "type: service, owner: x");
    let (batch, findings) = read_text(&text);
    assert_eq!(batch.observations.len(), 1);
    let a = &batch.observations[0];
    assert_eq!((a.class.as_str(), &a.attributes["spec.extra"]), ("application", &json!(1)));
    assert_eq!(
        conformance::spelled_out(std::slice::from_ref(&batch)),
        [
            "component:default/a depends_on resource:default/r",
            "component:default/a depends_on resource:default/s",
            "component:default/a owned_by group:default/x",
        ]
    );
    let codes: Vec<_> = batch.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes.iter().filter(|code| **code == FindingCode::DuplicateConflict).count(), 3, "{findings:#?}");
    assert!(
        findings.iter().any(|f| f.contains("'owner' is 'group:default/x' at catalog-info.yaml, document 1")),
        "{findings:#?}"
    );
    assert!(findings.iter().any(|f| f.contains("'default/A' and 'default/a'")), "{findings:#?}");
    assert!(batch.is_complete(), "a clash refuses nothing");
}

#[test]
fn what_has_no_identity_or_another_format_is_refused() {
    let with = |annotation: &str, name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: {name}, annotations: {{keelson/key: {annotation}}}}}\n---\n"
        )
    };
    let text = [
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {}\n---\n",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: 'null'}\n---\n",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a/b}\n---\n",
        "apiVersion: backstage.io/v9\nkind: Component\nmetadata: {name: a}\n---\n",
        "kind: Component\nmetadata: {name: a}\n---\n",
        "- just\n- texts\n---\n",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: [unclosed}\n---\n",
        &with("x/1", "first"),
        &with("x/1", "second"),
        &with("' x'", "third"),
    ]
    .concat();
    let (batch, findings) = read_text(&text);
    assert_eq!(batch.observations.len(), 1);
    let expected = [
        "document 1, line 3, /metadata/name: error identity_missing: the entity does not say its name",
        "document 2, line 7, /metadata/name: error identity_missing",
        "document 3, line 11, /metadata/name: error malformed_row: the name 'a/b' contains '/'",
        "document 4, line 13, /apiVersion: error unsupported_version: apiVersion backstage.io/v9 is not read",
        "document 5, line 17: error malformed_row: the entity does not say its apiVersion",
        "document 6, line 20, /0: error malformed_row: this is no entity",
        "document 6, line 21, /1: error malformed_row: this is no entity",
        "error malformed_row",
        "document 9, line 33, /metadata/annotations/keelson~1key: error ambiguous_identity: the key 'x/1' is already \
         claimed by 'api:default/first'",
        "error malformed_row: the annotation keelson/key is no key of the catalogue: a key must not begin or end",
        "truncated_source",
    ];
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "found {finding}\nexpected {expected}");
    }
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
}

#[test]
fn unknown_kinds_and_types_stay_what_they_surely_are() {
    let text = entity("Widget", "w", "owner: team") + &entity("Resource", "r", "type: teapot");
    let (batch, findings) = read_text(&text);
    let classes: Vec<_> = batch.observations.iter().map(|o| o.class.as_str()).collect();
    assert_eq!(classes, ["configuration-item", "resource"]);
    let unknown: Vec<_> = batch.findings.iter().filter(|f| f.code == FindingCode::UnknownClass).collect();
    assert_eq!(
        unknown.iter().map(|f| f.severity).collect::<Vec<_>>(),
        [Severity::Warning, Severity::Info],
        "{findings:?}"
    );
    assert!(batch.is_complete());
}

#[test]
fn what_stands_beside_entities_never_enters() {
    let text = entity("API", "a", "type: grpc")
        + "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {value: dummy-secret-5f2c}\n";
    let (batch, findings) = read_text(&text);
    assert_eq!(batch.observations.len(), 1);
    assert!(findings[0].contains("info unknown_class: a document of v1 Secret is no entity"), "{findings:?}");
    assert!(batch.is_complete());
}

#[test]
fn targets_with_passwords_are_not_told() {
    let address = format!("https://reader:{SECRET}@git.example/x/catalog-info.yaml");
    let (batch, findings) = read_text(&entity("Location", "l", &format!("target: '{address}'")));
    assert!(findings[0].contains("the target '(a secret)' is not read"), "{findings:?}");
    assert!(findings[1].contains("/spec/target: info redacted"), "{findings:?}");
    assert!(!batch.is_complete());
}

#[test]
fn hostile_files_are_refused_and_nothing_is_withdrawn() {
    let good = entity("API", "a", "type: grpc");
    let deep = format!("apiVersion: backstage.io/v1alpha1\nx: {}{}\n---\n", "[".repeat(100), "]".repeat(100));
    let bomb = format!(
        "apiVersion: backstage.io/v1alpha1\na: &a [{0}]\nb: &b [{1}]\nc: &c [{2}]\nd: [{3}]\n---\n",
        vec!["x"; 20].join(","),
        vec!["*a"; 100].join(","),
        vec!["*b"; 100].join(","),
        vec!["*c"; 100].join(",")
    );
    let tagged = "apiVersion: backstage.io/v1alpha1\nkind: !!python/object x\n---\n";
    let long = entity("Component", "b", &format!("type: {}", "x".repeat(70_000)));
    let huge = entity("Component", "c", &format!("definition: {}", "x".repeat(1 << 20)));
    for (what, bad) in [("deep", deep.as_str()), ("bomb", &bomb), ("tag", tagged), ("long", &long), ("huge", &huge)] {
        let (batch, findings) = read_text(&(bad.to_owned() + &good));
        assert_eq!(batch.observations.len(), 1, "{what}: {findings:?}");
        assert!(!batch.is_complete(), "{what}: {findings:?}");
        assert!(batch.findings.iter().any(|finding| finding.severity == Severity::Error), "{what}");
    }
    let bytes = [b"apiVersion: backstage.io/v1alpha1\nkind: \xff".to_vec(), Vec::new()];
    for bytes in bytes {
        let mut input = files(&[("a.yaml", &good)]);
        input.files.push(SourceFile::from_bytes("catalog-info.yaml", bytes));
        assert!(!read(&input, &scoped()).is_complete());
    }
}

#[test]
fn cycles_and_long_chains_are_ordinary() {
    let next = |number: usize| (number + 1) % 2_000;
    let text: String = (0..2_000)
        .map(|number| {
            entity(
                "Component",
                &format!("c{number}"),
                &format!("type: service, dependsOn: ['component:c{}']", next(number)),
            )
        })
        .collect();
    let (batch, findings) = read_text(&text);
    assert_eq!((batch.observations.len(), batch.relationships.len()), (2_000, 2_000));
    assert!(findings.is_empty());
    assert_eq!(batch.observations[1_999].position.document, Some(2_000));
}

#[test]
fn without_a_catalogue_there_is_no_batch() {
    let normalise = |input: &Input| BackstageImporter.normalise(input, &scoped());
    for input in
        [files(&[]), files(&[("a.yaml", "x: 1"), ("b.md", "backstage.io/")]), files(&[("catalog-info.yaml", "")])]
    {
        assert!(matches!(normalise(&input), Err(EnvelopeError::NothingToRead { .. })));
    }
    let cut = files(&[("catalog-info.yaml", "apiVersion: backstage.io/v1alpha1\nkind: {")]);
    assert!(matches!(normalise(&cut), Err(EnvelopeError::Unreadable { .. })));
    let mut large = files(&[("catalog-info.yaml", &entity("API", "a", ""))]);
    large.limits = Limits { plain_bytes: 10, ..large.limits };
    assert!(matches!(normalise(&large), Err(EnvelopeError::Input(_))));
    let mut named = scoped();
    named.options.insert("repository".to_owned(), " ".to_owned());
    assert!(matches!(BackstageImporter.normalise(&fixture("shop"), &named), Err(EnvelopeError::Option { .. })));
}

proptest! {
    #[test]
    fn whatever_entities_say_no_rule_is_broken(
        rows in proptest::collection::vec((0..7_usize, 0..6_usize, 0..8_usize, 0..8_usize), 1..12)
    ) {
        const KINDS: [&str; 7] = ["Component", "api", "Group", "User", "Location", "Widget", "''"];
        const NAMES: [&str; 6] = ["a", "A", "b", "null", "01", "'x y'"];
        const FIELDS: [&str; 8] =
            ["dependsOn", "dependencyOf", "owner", "members", "children", "targets", "type", "definition"];
        const VALUES: [&str; 8] = [
            "[component:a, b]", "a", "", "[null, Group:A]", "{kind: api, name: a}", "[[a]]", "1.50", "'component:default/B'",
        ];
        let said = |(kind, name, field, value): &(usize, usize, usize, usize)| {
            entity(KINDS[*kind], NAMES[*name], &format!("{}: {}", FIELDS[*field], VALUES[*value]))
        };
        let text: String = rows.iter().map(said).collect();
        let (batch, findings) = read_text(&(text + &entity("API", "always", "type: grpc")));
        let refused = batch.findings.iter().any(|f| f.severity == Severity::Error);
        let missing = findings.iter().any(|f| f.contains("/spec/targets"));
        prop_assert_eq!(batch.is_complete(), !refused && !missing, "{:#?}", findings);
    }
}
