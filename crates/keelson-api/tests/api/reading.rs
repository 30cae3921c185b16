//! Reading over GraphQL: items, relations, pages, the past, analyses.

use crate::common::{Place, each, run};
use serde_json::json;

#[test]
fn the_worked_examples_of_impact() {
    run(async {
        let place = Place::with_estate().await;
        let query = "query($seeds: [ImpactSeedInput!]!) { impact(input: { seeds: $seeds }) { touchedCount lostCount \
            services { totalCount nodes { item { key } loss verdict because { need rule required memberCount \
              members { nodes { key } } } } } \
            items(first: 100) { nodes { item { key } loss } } \
            protectedServices { nodes { item { key } by { need margin up memberCount lost { key } } } } \
            completeness { isComplete truncated revision { number } } } }";
        let ask = async |seeds: serde_json::Value| place.data(query, json!({ "seeds": seeds })).await["impact"].clone();
        let gone = |key: &str| json!([{ "item": { "key": key } }]);

        // dbA down: nothing is lost, payments holds by the database pair with margin 0.
        let answer = ask(gone("database/dbA")).await;
        assert_eq!((&answer["touchedCount"], &answer["lostCount"]), (&json!(1), &json!(0)), "{answer:#}");
        let by = &answer["protectedServices"]["nodes"][0];
        assert_eq!(by["item"]["key"], "service/payments");
        assert_eq!((&by["by"]["need"], &by["by"]["margin"]), (&json!("db pair"), &json!(0)));

        // hv1 down: nine are reachable, five lost, no service.
        let answer = ask(gone("host/hv1")).await;
        assert_eq!((&answer["touchedCount"], &answer["lostCount"]), (&json!(9), &json!(5)), "{answer:#}");
        assert_eq!(answer["services"]["totalCount"], 0);

        // hv2 down: payments, because the web pool has one of the two members it needs.
        let answer = ask(gone("host/hv2")).await;
        assert_eq!(each(&answer["services"]["nodes"], "/item/key"), ["service/payments"]);
        let because = &answer["services"]["nodes"][0]["because"];
        assert_eq!(because["need"], "web pool");
        assert_eq!(
            (&because["rule"], &because["required"], &because["memberCount"]),
            (&json!("AT_LEAST"), &json!(2), &json!(3))
        );
        let mut members = each(&because["members"]["nodes"], "/key");
        members.sort();
        assert_eq!(members, ["software-instance/web2", "software-instance/web3"]);

        // A soft need costs at most its cap.
        let answer = ask(gone("supplier-service/mailapi")).await;
        assert_eq!(answer["services"]["nodes"][0]["item"]["key"], "service/portal");
        assert_eq!(answer["services"]["nodes"][0]["loss"], 0.3);
        assert_eq!(answer["services"]["nodes"][0]["verdict"], "DEGRADED");

        // Graded losses.
        let seed = |key: &str, loss: f64| json!({ "item": { "key": key }, "loss": loss });
        let answer = ask(json!([seed("database/dbA", 0.5), seed("database/dbB", 0.2)])).await;
        assert_eq!(answer["services"]["nodes"][0]["loss"], 0.2);
    });
}

#[test]
fn pages_add_up_and_cursors_belong_to_their_list() {
    run(async {
        let place = Place::with_estate().await;
        let query = "query($after: String) { configurationItems(first: 7, after: $after) { totalCount \
            nodes { key } pageInfo { hasNextPage endCursor } } }";
        let (mut keys, mut after) = (Vec::new(), json!(null));
        loop {
            let page = place.data(query, json!({ "after": after })).await["configurationItems"].clone();
            assert_eq!(page["totalCount"], 25);
            keys.extend(each(&page["nodes"], "/key"));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let mut sorted = keys.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((keys.len(), &keys), (25, &sorted));
        let other = "query($after: String) { relationships(after: $after) { nodes { id } } }";
        assert_eq!(place.code(other, json!({ "after": after })).await, "BAD_CURSOR");
        let more = "{ configurationItems(first: 101) { nodes { key } } }";
        assert_eq!(place.code(more, json!({})).await, "PAGE_TOO_LARGE");
        let none = "{ configurationItems(first: 0) { nodes { key } } }";
        assert_eq!(place.code(none, json!({})).await, "PAGE_TOO_LARGE");
    });
}

#[test]
fn filters_and_orders() {
    run(async {
        let place = Place::with_estate().await;
        let keys = async |arguments: &str| {
            let query = format!("{{ configurationItems({arguments}) {{ nodes {{ key }} }} }}");
            each(&place.data(&query, json!({})).await["configurationItems"]["nodes"], "/key")
        };
        assert_eq!(
            keys(r#"where: { class: { eq: "service" } }"#).await,
            ["service/dns", "service/payments", "service/portal", "service/sso"]
        );
        let either = r#"where: { or: [{ key: { eq: "host/hv1" } }, { name: { startsWith: "PAY" } }] },
            orderBy: [{ field: KEY, direction: DESCENDING }]"#;
        assert_eq!(keys(either).await, ["service/payments", "host/hv1"]);
        assert_eq!(keys(r#"text: "dba""#).await, ["database/dbA"]);
        let deep = (0..9).fold(r#"{ key: { eq: "a" } }"#.to_owned(), |inner, _| format!("{{ not: {inner} }}"));
        let query = format!("{{ configurationItems(where: {deep}) {{ nodes {{ key }} }} }}");
        assert_eq!(place.code(&query, json!({})).await, "BAD_USER_INPUT");
    });
}

#[test]
fn relations_are_loaded_in_one_batch_however_long_the_page() {
    run(async {
        let place = Place::with_estate().await;
        let query = "{ configurationItems(first: 25) { nodes { key \
            dependencies(first: 5) { nodes { kind dependency { key } } } dependents { totalCount } \
            needs(first: 5) { nodes { name rule { text } members(first: 5) { nodes { item { key } } } } } revision { number actor } } } }";
        let before = place.api.loaded_batches();
        let page = place.data(query, json!({})).await["configurationItems"]["nodes"].clone();
        let batches = place.api.loaded_batches() - before;
        // Three on a machine that has time; on a busy one, what comes late makes a batch of its own. One by one they would be
        // more than a hundred.
        let items = page.as_array().unwrap().len();
        assert!(batches < items, "{batches} batches for one page of {items} items");
        let payments = page.as_array().unwrap().iter().find(|item| item["key"] == "service/payments").unwrap();
        let names = each(&payments["needs"]["nodes"], "/name");
        assert!(names.contains(&"db pair".to_owned()) && names.contains(&"web pool".to_owned()), "{payments:#}");
        assert_eq!(payments["revision"]["actor"], "tester");
    });
}

#[test]
fn nodes_are_fetched_again_by_their_identifiers() {
    run(async {
        let place = Place::with_estate().await;
        let page = "{ relationships(first: 1) { nodes { id } } needs(first: 1) { nodes { id } } \
            configurationItems(first: 1) { nodes { id } } importRuns { nodes { id } } }";
        let data = place.data(page, json!({})).await;
        let id = |list: &str| data[list]["nodes"][0]["id"].clone();
        let ids = [id("configurationItems"), id("relationships"), id("needs"), id("importRuns")];
        let mut asked = ids.to_vec();
        asked.push(json!("ci_00000000000000000000000000"));
        asked.push(json!("nonsense"));
        let nodes =
            place.data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", json!({ "ids": asked })).await;
        let found = nodes["nodes"].as_array().unwrap();
        assert!(ids.iter().zip(found).all(|(id, node)| *id == node["id"]), "{nodes:#}");
        assert_eq!(found[1]["__typename"], "Relationship");
        assert_eq!(found[4..], [json!(null), json!(null)]);
    });
}

#[test]
fn walks_and_paths() {
    run(async {
        let place = Place::with_estate().await;
        let query = r#"{ closure(input: { item: { key: "supplier/PowerCo" }, direction: DEPENDENTS, class: "service" }) {
            items { nodes { item { key } distance } } completeness { isComplete } }
            path(input: { dependent: { key: "service/payments" }, dependency: { key: "supplier/PowerCo" } }) {
            depends steps { nodes { item { key } need { name } } } } }"#;
        let data = place.data(query, json!({})).await;
        let mut services = each(&data["closure"]["items"]["nodes"], "/item/key");
        services.sort();
        assert_eq!(services, ["service/dns", "service/payments", "service/portal", "service/sso"]);
        let steps = each(&data["path"]["steps"]["nodes"], "/item/key");
        assert_eq!(
            (steps.first().unwrap().as_str(), steps.last().unwrap().as_str()),
            ("service/payments", "supplier/PowerCo")
        );
        assert_eq!(steps.len(), 7, "{steps:?}");
        let unknown = r#"{ path(input: { dependent: { key: "service/paymentz" }, dependency: { key: "host/hv1" } }) { depends } }"#;
        assert_eq!(place.code(unknown, json!({})).await, "NOT_FOUND");
    });
}

#[test]
fn certainty_names_the_question_that_decides() {
    run(async {
        let place = Place::with_estate().await;
        let id = place.id("service/payments").await;
        let web = [
            place.id("software-instance/web1").await,
            place.id("software-instance/web2").await,
            place.id("software-instance/web3").await,
        ];
        let need = place
            .data("query($id: ID!) { node(id: $id) { ... on Service { needs(where: { name: { eq: \"web pool\" } }) { nodes { id version } } } } }", json!({ "id": id }))
            .await["node"]["needs"]["nodes"][0]
            .clone();
        let update = "mutation($input: UpdateNeedInput!) { updateNeed(input: $input) { need { possibleCounts } userErrors { message } } }";
        let members: Vec<_> = web.iter().map(|id| json!({ "itemId": id })).collect();
        let content = json!({ "rule": { "atLeast": { "count": 2, "possibleCounts": [1, 2, 3] } }, "members": members });
        let input = json!({ "id": need["id"], "expectedVersion": need["version"], "content": content });
        let payload = place.data(update, json!({ "input": input })).await;
        assert_eq!(payload["updateNeed"]["need"]["possibleCounts"], json!([1, 2, 3]), "{payload:#}");
        let query = "query($key: String) { impact(input: { seeds: [{ item: { key: $key } }] }) { certainty { \
            certain { nodes { key } } possible { nodes { key } } decisive { facts { kind question } } } } }";
        let answer = place.data(query, json!({ "key": "software-instance/web2" })).await["impact"]["certainty"].clone();
        assert_eq!(answer["certain"]["nodes"], json!([]), "{answer:#}");
        assert_eq!(each(&answer["possible"]["nodes"], "/key"), ["service/payments"]);
        assert_eq!(answer["decisive"][0]["facts"][0]["kind"], "COUNT");
    });
}
