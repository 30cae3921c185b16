//! What is refused, with which code and status, and in which form answers come.

use crate::common::{Place, post, run};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use keelson_api::limits::Limits;
use serde_json::json;

const GRAPHQL: &str = "application/graphql-response+json";

fn request(method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let builder = Request::builder().method(method).uri(uri);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Body::from(body.to_owned())).unwrap()
}

fn code(json: &serde_json::Value) -> &str {
    json["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{json:#}"))
}

#[test]
fn documents_beyond_the_guard_are_refused_before_they_are_parsed() {
    run(async {
        let place = Place::empty().await;
        let send = async |query: String| {
            let got = place.post(&json!({ "query": query })).await;
            assert_eq!(got.status, StatusCode::BAD_REQUEST);
            code(&got.json).to_owned()
        };
        let value = |open: &str, close: &str| {
            format!("{{ node(id: {}1{}) {{ id }} }}", open.repeat(2_000), close.repeat(2_000))
        };
        assert_eq!(send(value("[", "]")).await, "DOCUMENT_TOO_DEEP");
        assert_eq!(send(value("{a:", "}")).await, "DOCUMENT_TOO_DEEP");
        assert_eq!(send("{ a ".repeat(2_000)).await, "DOCUMENT_TOO_DEEP");
        assert_eq!(send(format!("query($a: Int = {}) {{ a }}", "[".repeat(2_000))).await, "DOCUMENT_TOO_DEEP");
        assert_eq!(send(format!("{{ {} }}", "__typename ".repeat(5_001))).await, "DOCUMENT_TOO_LARGE");
        assert_eq!(send(format!("{{ {} }}", "#".repeat(70_000))).await, "DOCUMENT_TOO_LARGE");
        let aliases: String = (0..31).map(|number| format!("a{number}: __typename ")).collect();
        assert_eq!(send(format!("{{ {aliases} }}")).await, "DOCUMENT_TOO_LARGE");
        let mut deep = json!(1);
        for _ in 0..30 {
            deep = json!([deep]);
        }
        let got = place.post(&json!({ "query": "{ __typename }", "variables": { "deep": deep } })).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "DOCUMENT_TOO_DEEP"));
    });
}

#[test]
fn expensive_operations_are_refused_and_costs_are_told() {
    run(async {
        let place = Place::empty().await;
        let got = place.post(&json!({ "query": "{ configurationItems(first: 100) { totalCount nodes { key dependents(first: 10) { nodes { id } } } } }" })).await;
        let cost = &got.json["extensions"]["cost"];
        assert_eq!(cost["limit"], 10_000, "{:#}", got.json);
        assert!(cost["requested"].as_u64().unwrap() > 1_000);
        let query =
            "{ configurationItems(first: 100) { nodes { dependents(first: 100) { nodes { dependent { key } } } } } }";
        let got = place.post(&json!({ "query": query })).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "COMPLEXITY_EXCEEDED"));
        assert!(got.json.get("data").is_none());
        let deep = "dependencies(first: 1) { nodes { dependency { ".repeat(5);
        let query = format!("{{ configurationItems(first: 1) {{ nodes {{ {deep} key {} }} }} }}", "} } }".repeat(5));
        let got = place.post(&json!({ "query": query })).await;
        assert_eq!(code(&got.json), "COMPLEXITY_EXCEEDED", "{:#}", got.json);
    });
}

#[test]
fn the_status_follows_the_form_of_the_answer() {
    run(async {
        let place = Place::empty().await;
        let send = async |query: &str, accept: &str| {
            let headers = [("content-type", "application/json"), ("accept", accept)];
            place.send(request(Method::POST, "/graphql", &headers, &json!({ "query": query }).to_string())).await
        };
        for (query, code_wanted) in [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")] {
            let got = send(query, GRAPHQL).await;
            assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, code_wanted), "{:#}", got.json);
            assert!(got.json.get("data").is_none());
            let got = send(query, "application/json").await;
            assert_eq!(got.status, StatusCode::OK);
            assert!(got.json.get("data").is_none());
        }
        let got = send("{ __typename }", GRAPHQL).await;
        assert_eq!(got.headers["content-type"], "application/graphql-response+json; charset=utf-8");
        assert_eq!(got.headers["x-request-id"].to_str().unwrap(), got.json["extensions"]["requestId"]);
        let got = send("{ __typename }", "text/html").await;
        assert_eq!(got.status, StatusCode::NOT_ACCEPTABLE);
    });
}

#[test]
fn methods_types_and_bodies() {
    run(async {
        let place = Place::with(Limits { body_bytes: 4 << 10, ..Limits::default() }).await;
        let json_type = [("content-type", "application/json")];
        let query = r#"{"query":"{ __typename }"}"#;
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin1",
        ] {
            let got = place.send(request(Method::POST, "/graphql", &[("content-type", content_type)], query)).await;
            assert_eq!(got.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        let got = place.send(request(Method::POST, "/graphql", &[], query)).await;
        assert_eq!(got.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let got = place.send(request(Method::POST, "/graphql", &json_type, "[]")).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "BATCH_NOT_ALLOWED"));
        for body in [
            "",
            "{",
            "1",
            r#"{"query":1}"#,
            r#"{"variables":{}}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":1}"#,
        ] {
            let got = place.send(request(Method::POST, "/graphql", &json_type, body)).await;
            assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "UNSUPPORTED_REQUEST"), "{body}");
        }
        let got = place.send(post(&json!({ "query": "#".repeat(5_000) }).to_string())).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"));
        let got = place.send(request(Method::DELETE, "/graphql", &json_type, query)).await;
        assert_eq!((got.status, got.headers["allow"].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"));
    });
}

#[test]
fn a_get_asks_and_never_changes() {
    run(async {
        let place = Place::empty().await;
        let preflight = [("apollo-require-preflight", "1")];
        let got = place.send(request(Method::GET, "/graphql?query=%7B__typename%7D", &preflight, "")).await;
        assert_eq!((got.status, &got.json["data"]["__typename"]), (StatusCode::OK, &json!("Query")), "{:#}", got.json);
        let got = place.send(request(Method::GET, "/graphql?query=%7B__typename%7D", &[], "")).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST);
        let mutation = "/graphql?query=mutation%7B__typename%7D";
        let got = place.send(request(Method::GET, mutation, &preflight, "")).await;
        assert_eq!((got.status, got.headers["allow"].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
        let two = "/graphql?query=query%20A%7B__typename%7Dmutation%20B%7B__typename%7D&operationName=A";
        let got = place.send(request(Method::GET, two, &preflight, "")).await;
        assert_eq!(got.status, StatusCode::OK, "{:#}", got.json);
        let got = place.send(request(Method::GET, "/schema.graphql", &[], "")).await;
        assert_eq!(got.json.as_str().unwrap(), keelson_api::sdl());
    });
}

#[test]
fn the_usual_introspection_query_passes() {
    run(async {
        let place = Place::empty().await;
        let query = "query IntrospectionQuery { __schema { description queryType { name } mutationType { name } \
            subscriptionType { name } types { ...FullType } directives { name description isRepeatable locations \
            args(includeDeprecated: true) { ...InputValue } } } } \
            fragment FullType on __Type { kind name description specifiedByURL fields(includeDeprecated: true) { name \
            description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } \
            inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } \
            enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } \
            possibleTypes { ...TypeRef } } \
            fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated \
            deprecationReason } \
            fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { \
            kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } \
            } } } } } } } } }";
        let data = place.data(query, json!({})).await;
        assert!(data["__schema"]["types"].as_array().unwrap().len() > 100);
    });
}

#[test]
fn an_analysis_that_hits_a_limit_says_so() {
    run(async {
        let place = Place::with(Limits { analysis_items: 2, ..Limits::default() }).await;
        place.submit(crate::common::ESTATE, false).await;
        let query = r#"{ impact(input: { seeds: [{ item: { key: "host/hv1" } }], certaintyBudget: 0 }) {
            completeness { isComplete truncated truncatedBy } } }"#;
        let found = place.data(query, json!({})).await["impact"]["completeness"].clone();
        assert_eq!(found, json!({ "isComplete": false, "truncated": true, "truncatedBy": ["NODES"] }));
    });
}

/// Documents whose expansion is enormous although they are short: refused at once, also when the
/// bomb stands in an operation nobody asked for, or ends in a fragment that is not there.
#[test]
fn fragments_that_multiply_are_refused_without_being_walked() {
    run(async {
        let place = Place::empty().await;
        let bomb = |leaf: &str| {
            let doubled: String =
                (0..28).map(|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }} ", n + 1, n + 1)).collect();
            format!("{doubled} fragment f28 on Query {{ {leaf} }}")
        };
        let other = format!("query A {{ __typename }} query B {{ ...f0 }} {}", bomb("__typename"));
        let got = place.post(&json!({ "query": other, "operationName": "A" })).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "DOCUMENT_TOO_LARGE"));
        let got = place.post(&json!({ "query": format!("query A {{ ...f0 }} {}", bomb("...nowhere")) })).await;
        assert_eq!((got.status, code(&got.json)), (StatusCode::BAD_REQUEST, "GRAPHQL_VALIDATION_FAILED"));
        let many = "kind ".repeat(2_000);
        let wide = format!(
            "{{ configurationItems(first: 100) {{ nodes {{ dependencies(first: 30) {{ nodes {{ {many} }} }} }} }} }}"
        );
        let got = place.post(&json!({ "query": wide })).await;
        assert_eq!(code(&got.json), "COMPLEXITY_EXCEEDED");
    });
}

#[test]
fn filters_that_multiply_are_refused_before_they_are_read() {
    run(async {
        let place = Place::empty().await;
        let query = "query($w: RelationshipWhere) { relationships(where: $w) { totalCount } }";
        let bomb = |nodes: usize| json!({ "w": { "or": vec![json!({ "not": {} }); nodes] } });
        assert_eq!(place.code(query, bomb(60_000)).await, "DOCUMENT_TOO_LARGE");
        assert_eq!(place.code(query, bomb(1_000)).await, "BAD_USER_INPUT");
        let items = "query($w: ConfigurationItemWhere) { configurationItems(where: $w) { totalCount } }";
        assert_eq!(place.code(items, bomb(1_000)).await, "BAD_USER_INPUT");
    });
}

#[test]
fn a_field_that_failed_is_null_and_has_a_path() {
    run(async {
        let place = Place::with_estate().await;
        let ask = async |query: &str| place.post(&json!({ "query": query })).await.json;
        let path = |json: &serde_json::Value| json["errors"][0]["path"].clone();
        // Nullable: itself is null, the rest stands.
        let got = ask(r#"{ configurationItem(by: { id: "bad" }) { key } revision { number } }"#).await;
        assert_eq!(got["data"], json!({ "configurationItem": null, "revision": { "number": 1 } }));
        assert_eq!(path(&got), json!(["configurationItem"]));
        // Not nullable at the top: there are no data.
        let got = ask("{ revision { number } configurationItems(first: 0) { totalCount } }").await;
        assert_eq!((got.get("data"), path(&got)), (Some(&json!(null)), json!(["configurationItems"])));
        // Deep inside lists that cannot hold null.
        let got =
            ask("{ configurationItems(first: 2) { edges { node { dependencies(first: 0) { totalCount } } } } }").await;
        assert_eq!(got["data"], json!(null), "{got:#}");
        assert_eq!(path(&got), json!(["configurationItems", "edges", 0, "node", "dependencies"]), "{got:#}");
        // A nullable place above stops it.
        let got = ask(r#"{ impact(input: { seeds: [{ item: { key: "host/hv1" } }] }) { lostCount items(first: 0) { totalCount } } }"#).await;
        assert_eq!(got["data"], json!({ "impact": null }), "{got:#}");
    });
}
