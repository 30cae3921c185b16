//! The analyses of the graph over GraphQL.

use serde_json::json;

use crate::common::{Place, each, run};

const SINGLE_POINTS: &str = "query($input: SinglePointsInput!, $suppose: SuppositionInput) { \
    singlePoints(input: $input, suppose: $suppose) { serviceCount exposedCount itemCount \
    services { totalCount nodes { item { key } hasFailed isUnknown \
      certain { totalCount nodes { item { name } proof { depth key why loss isShownAbove } } } \
      possible { totalCount } } } \
    items(first: 1) { nodes { item { key } serviceCount services(first: 2) { totalCount nodes { key } } } } \
    fixes { action because removedCount addedCount effects { service { key } removed { name } added { name } } } \
    completeness { isComplete supposing limits revision { number } } } }";

#[test]
fn single_points_have_proofs_fixes_and_pages() {
    run(async {
        let place = Place::with_estate().await;
        let input = json!({ "services": [{ "key": "service/payments" }], "proofs": 1, "fixes": 2 });
        let answer = place.data(SINGLE_POINTS, json!({ "input": input })).await["singlePoints"].clone();
        let service = &answer["services"]["nodes"][0];
        assert_eq!(service["item"]["key"], "service/payments");
        assert_eq!(
            each(&service["certain"]["nodes"], "/item/name"),
            ["hv2", "swY", "dns", "sso", "siteY", "ColoY", "PowerCo"]
        );
        let proved = service["certain"]["nodes"].as_array().unwrap().iter();
        assert_eq!(proved.filter(|point| point["proof"] != json!([])).count(), 1);
        assert_eq!(answer["fixes"][0]["removedCount"], 4);
        assert_eq!(answer["completeness"]["isComplete"], true);
        assert_eq!(answer["completeness"]["supposing"], json!([]));

        let all = place.data(SINGLE_POINTS, json!({ "input": {} })).await["singlePoints"].clone();
        assert_eq!((&all["serviceCount"], &all["exposedCount"]), (&json!(4), &json!(4)));
        assert_eq!(all["items"]["nodes"][0]["services"]["totalCount"], 4);
    });
}

#[test]
fn a_batch_is_supposed_and_nothing_is_written() {
    run(async {
        let place = Place::with_estate().await;
        let what_if = "{\"batch\":{\"format\":\"keelson/1\",\"source\":\"worked-estate\",\"scope\":\"all\",\
            \"observed_at\":\"2026-11-02T00:00:00Z\"}}\n{\"ci\":{\"key\":\"host/hv3\",\"class\":\"host\"}}\n\
            {\"need\":{\"dependent\":\"software-instance/web3\",\"name\":\"host\",\"rule\":\"all\",\
            \"members\":[\"host/hv3\"]}}\n";
        let input = json!({ "services": [{ "key": "service/payments" }] });
        let variables = json!({ "input": input, "suppose": { "whatIf": what_if } });
        let answer = place.data(SINGLE_POINTS, variables).await["singlePoints"].clone();
        assert_eq!(each(&answer["services"]["nodes"][0]["certain"]["nodes"], "/item/name"), ["dns", "sso", "PowerCo"]);
        assert_eq!(answer["completeness"]["revision"]["number"], 1);
        assert_eq!(answer["completeness"]["supposing"].as_array().unwrap().len(), 1);
        let found = place.data("{ configurationItem(by: { key: \"host/hv3\" }) { key } }", json!({})).await;
        assert_eq!(found["configurationItem"], json!(null));

        for suppose in [json!({ "whatIf": "nonsense" }), json!({ "scenarios": ["none"] })] {
            let code = place.code(SINGLE_POINTS, json!({ "input": {}, "suppose": suppose })).await;
            assert_eq!(code, "BAD_USER_INPUT");
        }
        let none = json!({ "input": { "services": [{ "key": "service/none" }] } });
        assert_eq!(place.code(SINGLE_POINTS, none).await, "NOT_FOUND");
        let many = json!({ "input": { "proofs": 1000 } });
        assert_eq!(place.code(SINGLE_POINTS, many).await, "BAD_USER_INPUT");
    });
}
