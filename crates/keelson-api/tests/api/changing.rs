//! Changing over GraphQL: payloads, versions, the past, batches.

use crate::common::{ESTATE, Place, each, run};
use serde_json::{Value as Json, json};

const CREATE: &str = "mutation($input: CreateConfigurationItemInput!) { createConfigurationItem(input: $input) { \
    configurationItem { id key class version attribute(name: \"memory\") { value { number } unit source } } \
    userErrors { code field message currentVersion } } }";
const UPDATE: &str = "mutation($input: UpdateConfigurationItemInput!) { updateConfigurationItem(input: $input) { \
    configurationItem { name version } userErrors { code field message currentVersion } } }";

async fn create(place: &Place, input: Json) -> Json {
    place.data(CREATE, json!({ "input": input })).await["createConfigurationItem"].clone()
}

#[test]
fn an_item_is_made_changed_retired_and_revived() {
    run(async {
        let place = Place::empty().await;
        let memory = json!([{ "name": "memory", "value": { "quantity": { "value": "16", "unit": "GiB" } } }]);
        let made = create(&place, json!({ "class": "host", "name": "web-1", "attributes": memory })).await;
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        let item = &made["configurationItem"];
        assert_eq!((&item["key"], &item["version"]), (&json!("host/web-1"), &json!(1)));
        assert_eq!(item["attribute"]["unit"], "MiB");
        assert_eq!(item["attribute"]["value"]["number"], "16384");
        assert_eq!(item["attribute"]["source"], "manual");

        let update = async |version: u32, name: &str| {
            let input = json!({ "id": item["id"], "expectedVersion": version, "name": name, "reason": "typo" });
            place.data(UPDATE, json!({ "input": input })).await["updateConfigurationItem"].clone()
        };
        let updated = update(1, "web one").await;
        assert_eq!(updated["configurationItem"], json!({ "name": "web one", "version": 2 }), "{updated:#}");
        let conflict = update(1, "web two").await;
        assert_eq!(conflict["configurationItem"], json!(null));
        assert_eq!(conflict["userErrors"][0]["code"], "VERSION_CONFLICT");
        assert_eq!(conflict["userErrors"][0]["currentVersion"], 2);

        let retire = "mutation($input: RetireConfigurationItemInput!) { retireConfigurationItem(input: $input) { \
            configurationItem { isRetired version } userErrors { message } } }";
        let input = json!({ "id": item["id"], "expectedVersion": 2 });
        let retired = place.data(retire, json!({ "input": input })).await["retireConfigurationItem"].clone();
        assert_eq!(retired["configurationItem"]["isRetired"], true, "{retired:#}");
        let revive = "mutation($input: ReviveConfigurationItemInput!) { reviveConfigurationItem(input: $input) { \
            configurationItem { isRetired version } userErrors { message } } }";
        let input = json!({ "id": item["id"], "expectedVersion": 3 });
        let revived = place.data(revive, json!({ "input": input })).await["reviveConfigurationItem"].clone();
        assert_eq!(revived["configurationItem"]["isRetired"], false, "{revived:#}");

        let history = "query($id: ID!) { node(id: $id) { ... on Component { history { totalCount nodes { what \
            revision { number actor action reason } changes { field before after } } } } } }";
        let history = place.data(history, json!({ "id": item["id"] })).await["node"]["history"].clone();
        assert_eq!(history["totalCount"], 4);
        let second = &history["nodes"][2];
        assert_eq!(second["revision"]["reason"], "typo");
        assert_eq!(second["revision"]["action"], "updateConfigurationItem");
        assert!(second["changes"].as_array().unwrap().iter().any(|change| change["after"] == "web one"), "{second:#}");
    });
}

#[test]
fn what_a_person_can_mend_is_a_user_error() {
    run(async {
        let place = Place::empty().await;
        let code = async |input: Json| create(&place, input).await["userErrors"][0].clone();
        assert_eq!(code(json!({ "class": "toaster", "name": "x" })).await["code"], "UNKNOWN_CLASS");
        let wrong = json!([{ "name": "memory", "value": { "text": "plenty" } }]);
        let error = code(json!({ "class": "host", "name": "x", "attributes": wrong })).await;
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("BAD_VALUE"), &json!(["attributes", "memory"])),
            "{error:#}"
        );
        create(&place, json!({ "class": "host", "name": "x", "key": "host/x" })).await;
        assert_eq!(code(json!({ "class": "host", "name": "x", "key": "host/x" })).await["code"], "DUPLICATE_KEY");
        let items = place.data("{ configurationItems { totalCount } }", json!({})).await;
        assert_eq!(items["configurationItems"]["totalCount"], 1);
    });
}

#[test]
fn relationships_and_needs_by_hand_are_visible_to_the_next_question() {
    run(async {
        let place = Place::with_estate().await;
        let (portal, database) = (place.id("service/portal").await, place.id("database/dbA").await);
        let create = "mutation($input: CreateRelationshipInput!) { createRelationship(input: $input) { \
            relationship { id kind version readsForward } userErrors { code message } } }";
        let input = json!({ "kind": "uses", "dependentId": portal, "dependencyId": database });
        let made = place.data(create, json!({ "input": input })).await["createRelationship"].clone();
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        let impact = r#"{ impact(input: { seeds: [{ item: { key: "database/dbA" } }] }) { services { nodes { item { key } } } } }"#;
        let services = async || each(&place.data(impact, json!({})).await["impact"]["services"]["nodes"], "/item/key");
        assert_eq!(services().await, ["service/portal"]);
        let itself = json!({ "kind": "uses", "dependentId": portal, "dependencyId": portal });
        let refused = place.data(create, json!({ "input": itself })).await["createRelationship"].clone();
        assert_eq!(refused["userErrors"][0]["code"], "SELF_RELATIONSHIP");
        let remove = "mutation($input: RemoveRelationshipInput!) { removeRelationship(input: $input) { \
            relationship { standing } userErrors { code message } } }";
        let relationship = &made["relationship"];
        let input = json!({ "id": relationship["id"], "expectedVersion": relationship["version"] });
        let removed = place.data(remove, json!({ "input": input })).await["removeRelationship"].clone();
        assert_eq!(removed["relationship"]["standing"], "WITHDRAWN", "{removed:#}");
        assert_eq!(services().await, Vec::<String>::new());

        let need = "mutation($input: CreateNeedInput!) { createNeed(input: $input) { need { name rule { text } } \
            userErrors { code field message } } }";
        let member = |id: &str| json!({ "itemId": id });
        let other = place.id("database/dbB").await;
        let content = json!({ "rule": { "atLeast": { "count": 3 } }, "members": [member(&database), member(&other)] });
        let input = json!({ "dependentId": portal, "name": "too many", "content": content });
        let refused = place.data(need, json!({ "input": input })).await["createNeed"].clone();
        assert_eq!(refused["userErrors"][0]["code"], "BAD_VALUE", "{refused:#}");
        let content = json!({ "rule": { "any": true }, "members": [member(&database), member(&other)] });
        let input = json!({ "dependentId": portal, "name": "databases", "content": content });
        let made = place.data(need, json!({ "input": input })).await["createNeed"].clone();
        assert_eq!(made["need"]["name"], "databases", "{made:#}");
    });
}

#[test]
fn a_batch_is_planned_committed_and_known_again() {
    run(async {
        let place = Place::empty().await;
        let planned = place.submit(ESTATE, true).await;
        assert_eq!((&planned["outcome"], &planned["importRun"]), (&json!("PLANNED"), &json!(null)));
        assert_eq!(place.keelson.view().revision().0, 0, "a dry run changes nothing");
        let committed = place.submit(ESTATE, false).await;
        assert_eq!(committed["outcome"], "COMMITTED");
        assert_eq!(committed["configurationItems"], planned["configurationItems"]);
        assert_eq!(committed["configurationItems"]["created"], 25);
        let again = place.submit(ESTATE, false).await;
        assert_eq!(again["outcome"], "ALREADY_KNOWN");
        assert_eq!(place.keelson.view().revision().0, 1);
        let runs = "{ importRuns { totalCount nodes { source outcome importer claimsCompleteness } } }";
        let runs = place.data(runs, json!({})).await["importRuns"].clone();
        assert_eq!(runs["totalCount"], 1);
        assert_eq!(runs["nodes"][0]["source"], "worked-estate");
    });
}

#[test]
fn a_bad_batch_is_refused_with_line_and_field_and_changes_nothing() {
    run(async {
        let place = Place::empty().await;
        let bad = format!("{ESTATE}{{\"ci\":{{\"key\":\"toaster/x\",\"class\":\"toaster\"}}}}\n");
        for dry_run in [true, false] {
            let refused = place.submit(&bad, dry_run).await;
            assert_eq!(refused["outcome"], "REFUSED");
            assert_eq!(refused["userErrors"][0]["code"], "BATCH_REFUSED");
            let findings = refused["findings"]["nodes"].as_array().unwrap();
            let lines = ESTATE.lines().count() + 1;
            assert!(findings.iter().any(|finding| finding["position"]["line"] == lines), "{refused:#}");
        }
        let unreadable = place.submit("hello", false).await;
        assert_eq!(unreadable["outcome"], json!(null));
        assert!(unreadable["userErrors"][0]["message"].as_str().unwrap().contains("line 1"), "{unreadable:#}");
        assert_eq!(place.keelson.view().revision().0, 0);
    });
}

#[test]
fn the_past_stays_readable() {
    run(async {
        let place = Place::with_estate().await;
        let at = place.data("{ revision { at } }", json!({})).await["revision"]["at"].clone();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let item =
            place.data(r#"{ configurationItem(by: { key: "service/payments" }) { id version } }"#, json!({})).await;
        let item = &item["configurationItem"];
        let input = json!({ "id": item["id"], "expectedVersion": item["version"], "name": "Card payments" });
        place.data(UPDATE, json!({ "input": input })).await;
        let query = "query($at: DateTime) { now: configurationItem(by: { key: \"service/payments\" }) { name } \
            then: configurationItem(by: { key: \"service/payments\" }, asOf: $at) { name needs { totalCount } \
            dependencies { nodes { dependency { name } } } } \
            impact(input: { seeds: [{ item: { key: \"host/hv2\" } }] }, asOf: $at) { \
            services { nodes { item { name } } } completeness { revision { number } } } }";
        let data = place.data(query, json!({ "at": at })).await;
        assert_eq!(data["now"]["name"], "Card payments");
        assert_ne!(data["then"]["name"], "Card payments");
        assert_ne!(data["impact"]["services"]["nodes"][0]["item"]["name"], "Card payments");
        assert_eq!(data["impact"]["completeness"]["revision"]["number"], 1);
        let before = r#"{ configurationItems(asOf: "2020-01-01T00:00:00Z") { totalCount } }"#;
        assert_eq!(place.code(before, json!({})).await, "BAD_USER_INPUT");
    });
}

#[test]
fn import_runs_come_by_revision_whatever_their_ids() {
    run(async {
        let place = Place::empty().await;
        // Ids of the caller's own need not ascend.
        for number in [5, 1, 9, 3, 7, 2, 8] {
            let content = format!(
                "{{\"batch\":{{\"format\":\"keelson/1\",\"source\":\"s{number}\",\"scope\":\"all\",\"complete\":true,\
                 \"observed_at\":\"2026-11-01T00:00:00Z\"}}}}\n{{\"ci\":{{\"key\":\"host/h{number}\",\"class\":\"host\"}}}}\n"
            );
            let input = json!({ "content": content, "batchId": format!("0000000000000000000000000{number}") });
            let query = "mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { outcome } }";
            assert_eq!(place.data(query, json!({ "input": input })).await["submitBatch"]["outcome"], "COMMITTED");
        }
        let query = "query($after: String) { importRuns(first: 2, after: $after) { nodes { revision { number } } \
            pageInfo { hasNextPage endCursor } } }";
        let (mut numbers, mut after) = (Vec::new(), json!(null));
        for _ in 0..10 {
            let page = place.data(query, json!({ "after": after })).await["importRuns"].clone();
            numbers.extend(
                page["nodes"].as_array().unwrap().iter().map(|run| run["revision"]["number"].as_u64().unwrap()),
            );
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
    });
}

#[test]
fn many_who_edit_at_once_all_come_through() {
    run(async {
        let place = std::sync::Arc::new(Place::empty().await);
        let edits: Vec<_> = (0..40)
            .map(|number| {
                let place = std::sync::Arc::clone(&place);
                tokio::spawn(
                    async move { create(&place, json!({ "class": "host", "name": format!("h{number}") })).await },
                )
            })
            .collect();
        for edit in edits {
            assert_eq!(edit.await.unwrap()["userErrors"], json!([]));
        }
        assert_eq!(place.keelson.view().revision().0, 40);
    });
}

#[test]
fn texts_that_nobody_could_read_are_refused() {
    run(async {
        let place = Place::empty().await;
        for (name, reason) in [("\u{1b}[31mred", "fine"), ("fine", "nul\u{0}")] {
            let payload = create(&place, json!({ "class": "host", "name": name, "reason": reason })).await;
            assert_eq!(payload["userErrors"][0]["code"], "BAD_VALUE", "{payload:#}");
        }
        let long = "x".repeat(5_000);
        let payload = create(&place, json!({ "class": "host", "name": "fine", "reason": long })).await;
        assert_eq!(payload["userErrors"][0]["field"], json!(["reason"]), "{payload:#}");
    });
}

/// An attribute that its class keeps as a number of mebibytes, asked for in other units.
#[test]
fn amounts_are_compared_in_the_unit_of_their_attribute() {
    run(async {
        let place = Place::empty().await;
        for (name, gib) in [("small", "16"), ("large", "64")] {
            let memory = json!([{ "name": "memory", "value": { "quantity": { "value": gib, "unit": "GiB" } } }]);
            let made = create(&place, json!({ "class": "host", "name": name, "attributes": memory })).await;
            assert_eq!(made["userErrors"], json!([]), "{made:#}");
        }
        let count = async |test: &str| {
            let query = format!(
                "{{ configurationItems(where: {{ attribute: {{ name: \"memory\", {test} }} }}) {{ nodes {{ name }} }} }}"
            );
            each(&place.data(&query, json!({})).await["configurationItems"]["nodes"], "/name")
        };
        let amount = |value: u32, unit: &str| format!("{{ quantity: {{ value: {value}, unit: \"{unit}\" }} }}");
        assert_eq!(count(&format!("gte: {}", amount(64, "GiB"))).await, ["large"]);
        assert_eq!(count(&format!("lt: {}", amount(64, "GiB"))).await, ["small"]);
        assert_eq!(count(&format!("eq: {}", amount(16, "GiB"))).await, ["small"]);
        assert_eq!(count(&format!("ne: {}", amount(16, "GiB"))).await, ["large"]);
        assert_eq!(count("gte: { number: 65536 }").await, ["large"]);
        // What measures something else is neither more nor less.
        assert_eq!(count(&format!("gte: {}", amount(1, "requests/s"))).await, Vec::<String>::new());
    });
}
