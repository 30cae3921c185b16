//! The analyses of the graph over GraphQL.

use serde_json::json;

use crate::common::{Place, each, run};

const SINGLE_POINTS: &str = "query($input: SinglePointsInput!, $suppose: SuppositionInput) { \
    singlePoints(input: $input, suppose: $suppose) { serviceCount exposedCount itemCount \
    services { totalCount nodes { item { key } hasFailed isUnknown \
      certain { totalCount nodes { item { name } proof { depth key why loss isShownAbove } } } \
      possible { totalCount } } } \
    items(first: 1) { nodes { item { key } serviceCount services(first: 2) { totalCount nodes { key } } } } \
    fixes { action because removedCount addedCount effectCount effects { service { key } removed { name } added { name } \
      hoursPerYearBefore hoursPerYearAfter } } \
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
        assert_eq!(answer["fixes"][0]["effectCount"], 1);
        let hours = &answer["fixes"][0]["effects"][0]["hoursPerYearBefore"];
        assert_eq!(hours, &json!(null), "nothing here states how often it fails");
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

#[test]
fn every_analysis_answers_with_its_completeness() {
    run(async {
        let place = Place::with_estate().await;
        let complete = "completeness { isComplete supposing limits revision { number } }";
        let payments = "services: [{ key: \"service/payments\" }]";
        let queries = [
            format!(
                "availability(input: {{ {payments} }}) {{ serviceCount services {{ nodes {{ item {{ key }} unavailability \
                     least most method hurts {{ item {{ key }} criticality birnbaum }} }} }} stakes {{ totalCount }} {complete} }}"
            ),
            format!(
                "cutSets(input: {{ service: {{ key: \"service/payments\" }} }}) {{ service {{ key }} count isCountExact \
                     resilience {{ atLeast atMost isUnbreakable }} sets {{ nodes {{ items {{ key }} order probability }} }} {complete} }}"
            ),
            format!(
                "recovery(input: {{}}) {{ stuckCount startedCount services {{ nodes {{ item {{ key }} outcome up {{ least most }} }} }} \
                     circle {{ item waitsFor need }} ways {{ upMinutes needs {{ item need }} }} order {{ totalCount }} {complete} }}"
            ),
            format!(
                "demand(input: {{ {payments} }}) {{ itemCount services {{ nodes {{ item {{ key }} factor }} }} loops {{ totalCount }} {complete} }}"
            ),
            format!(
                "capacityPlan(input: {{ {payments} }}) {{ resourceCount horizonMonths redundancy {{ nodes {{ need margin }} }} {complete} }}"
            ),
            format!(
                "throughput(input: {{ service: {{ key: \"service/payments\" }} }}) {{ service {{ key }} asSpread {{ limit isExhausted \
                     binding {{ item {{ key }} takes }} }} spreadFreely {{ limit }} poolCount pools {{ totalCount nodes {{ need members {{ key now }} }} }} \
                     withoutCapacity {{ totalCount }} {complete} }}"
            ),
            format!(
                "supplierLoss(input: {{ supplier: {{ key: \"supplier/PowerCo\" }}, proofs: 1 }}) {{ touchedCount fallsOver {{ totalCount \
                     nodes {{ item {{ key }} loss proof {{ key why }} }} }} chain {{ totalCount }} \
                     place {{ rank supplierCount share {{ share otherSpend {{ share }} }} }} alternative {{ key loss shared }} circles {{ provider }} \
                     standingIn {{ totalCount nodes {{ need rule holds }} }} substitutability {complete} }}"
            ),
            format!(
                "supplierConcentration {{ criticalCount suppliers {{ nodes {{ name share felled }} }} pairs {{ totalCount }} {complete} }}"
            ),
            format!("promiseGap {{ serviceCount services {{ totalCount }} {complete} }}"),
            format!(
                "informationRegister {{ caveat templates {{ totalCount nodes {{ code columns rows }} }} findings {{ nodes {{ kind message }} }} {complete} }}"
            ),
            format!(
                "auditSample(input: {{ period: \"2026-Q3\", size: 5 }}) {{ seed size strata {{ population drawn }} items {{ nodes {{ item {{ key }} digest }} }} {complete} }}"
            ),
            format!(
                "drift(input: {{}}) {{ missing inSight services {{ totalCount }} differences {{ totalCount }} {complete} }}"
            ),
            format!(
                "catalogueHealth {{ findingCount next scores {{ name share }} findings(first: 3) {{ nodes {{ code message valueAtRisk {{ amount }} valueAtStake {{ amount }} }} }} {complete} }}"
            ),
        ];
        for query in queries {
            let data = place.data(&format!("{{ {query} }}"), json!({})).await;
            let answer = data.as_object().unwrap().values().next().unwrap();
            assert_eq!(answer["completeness"]["revision"]["number"], 1, "{query}: {answer:#}");
        }
        let loss = "{ supplierLoss(input: { supplier: { key: \"supplier/PowerCo\" } }) { fallsOver { totalCount } } }";
        assert_eq!(place.data(loss, json!({})).await["supplierLoss"]["fallsOver"]["totalCount"], 4);
        let stuck = "{ recovery(input: {}) { stuckCount circle { item } } }";
        assert_eq!(place.data(stuck, json!({})).await["recovery"]["stuckCount"], 17);
        for wrong in [
            "{ availability(input: { contributors: 1000 }) { serviceCount } }",
            "{ capacityPlan(input: { horizonMonths: -1 }) { resourceCount } }",
            "{ drift(input: { sampling: 2.0 }) { missing } }",
            "{ auditSample(input: { period: \"x\", confidence: 1.5 }) { size } }",
            "{ auditSample(input: { period: \"x\", class: \"nonsense\" }) { size } }",
        ] {
            assert_eq!(place.code(wrong, json!({})).await, "BAD_USER_INPUT", "{wrong}");
        }
    });
}

const SUBMIT: &str = "mutation($input: SubmitSeriesInput!) { submitSeries(input: $input) { seriesCount pointCount gapCount \
    revision wasKnown userErrors { code field message } } }";

#[test]
fn measured_points_are_taken_in_once_and_forecast() {
    run(async {
        let place = Place::with_estate().await;
        // What ended long ago tells nothing about today, so the points end where the test begins.
        let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
        let day = |n: u64| (today - 60 + n) * 86_400;
        let lines: Vec<String> = (0..60).map(|n| format!("service/payments,demand,{},{}", day(n), 100 + n)).collect();
        let table = format!("key,metric,time,value\n{}\n", lines.join("\n"));
        let input = json!({ "source": "monitoring", "table": table, "unit": "transactions/s" });
        let done = place.data(SUBMIT, json!({ "input": input })).await["submitSeries"].clone();
        assert_eq!((&done["pointCount"], &done["revision"], &done["userErrors"]), (&json!(60), &json!(2), &json!([])));
        let again = place.data(SUBMIT, json!({ "input": input })).await["submitSeries"].clone();
        assert_eq!((&again["wasKnown"], &again["revision"]), (&json!(true), &json!(null)));

        let plan = "{ capacityPlan(input: { services: [{ key: \"service/payments\" }] }) { \
            services { nodes { growthBasis source { isMeasured demand { value unit } } } } \
            forecasts { nodes { item { key } method days history { value } band { low middle high } } } } }";
        let plan = place.data(plan, json!({})).await["capacityPlan"].clone();
        let demand = &plan["services"]["nodes"][0];
        assert_eq!((&demand["growthBasis"], &demand["source"]["isMeasured"]), (&json!("FORECAST"), &json!(true)));
        assert_eq!(demand["source"]["demand"]["value"], 159.0);
        let forecast = &plan["forecasts"]["nodes"][0];
        assert_eq!((&forecast["days"], &forecast["item"]["key"]), (&json!(60), &json!("service/payments")));
        let last = forecast["band"].as_array().unwrap().last().unwrap();
        assert!(last["low"].as_f64().unwrap() <= last["middle"].as_f64().unwrap());

        let unknown = json!({ "source": "monitoring", "table": "key,time,value\nservice/none,1,2\n", "metric": "demand", "unit": "requests/s" });
        let refused = place.data(SUBMIT, json!({ "input": unknown })).await["submitSeries"].clone();
        assert_eq!(refused["userErrors"][0]["code"], "BAD_VALUE");
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("service/none"), "{refused}");
        let neither = place.data(SUBMIT, json!({ "input": { "source": "monitoring" } })).await["submitSeries"].clone();
        assert_eq!(neither["pointCount"], 0);
        assert_eq!(neither["userErrors"].as_array().unwrap().len(), 1);
    });
}
