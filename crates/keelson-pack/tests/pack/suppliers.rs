//! The report on the loss of a supplier tells everything that the answer does.

use keelson_answers::supplier::loss::SupplierLossAnswer;
use keelson_pack::reports::{Frame, supplier_loss};
use keelson_report::markdown;
use keelson_testkit::minutes;
use serde_json::{Value, json};

use crate::sample::zone;

fn lost(name: &str) -> Value {
    json!({
        "revision": 1, "asOf": null, "complete": true, "limits": [], "oldestObservation": null, "stale": 0,
        "supplier": { "key": format!("supplier/{name}"), "class": "supplier", "name": name },
        "country": null, "substitutionMonths": 9.0, "substitutability": "difficult", "alternative": null,
        "exitPlan": null, "exitPlanTested": null, "chain": [], "circles": [], "chainKnownToRank": null, "worksFor": [],
        "contracts": [], "touchedCount": 2, "fallsOverCount": 0, "degradedCount": 0, "fallsOver": [], "mayFallOver": [], "degraded": [], "holds": [],
        "standingIn": [], "place": null, "valuePerHour": [], "lostItems": 0
    })
}

fn told(answer: Value) -> String {
    let answer: SupplierLossAnswer = serde_json::from_value(answer).unwrap();
    let frame = Frame { computed_at: minutes(0), zone: zone() };
    markdown::render(&supplier_loss(&answer, &frame), &markdown::Options::default())
}

#[test]
fn a_loss_is_told_with_its_place_alternatives_and_circles() {
    let mut answer = lost("A");
    answer["alternative"] = json!({ "key": "supplier/B", "name": "B", "loss": 0.5, "shared": ["supplier/C"] });
    answer["circles"] = json!([{ "recipient": "supplier/C", "provider": "supplier/A" }]);
    answer["standingIn"] = json!([{
        "ofItem": { "key": "service/shop", "class": "service", "name": "shop" }, "need": "lines", "rule": "any", "k": 1,
        "of": 2, "lost": ["circuit/a"], "standing": ["circuit/b"], "holds": true
    }]);
    let euros = json!({ "amount": 30.0, "currency": "EUR" });
    let francs = json!({ "paid": { "amount": 5.0, "currency": "CHF" }, "share": 1.0 });
    answer["place"] = json!({
        "rank": 3, "supplierCount": 7, "criticalCount": 4, "name": "supplier/A", "suppliers": ["supplier/A"],
        "felledCount": 1, "share": 0.25, "valueShare": 0.4, "felled": ["service/till"], "touchedCount": 2,
        "spend": euros, "spendShare": 0.6, "otherSpend": [francs], "substitutionMonths": 9.0, "monthsLeft": 5.5,
        "isReplaceableInTime": false
    });
    let text = told(answer);
    for part in [
        "it has rank 3 of 7 suppliers",
        "1 of 4 critical services",
        "40 %",
        "60 % of EUR, 100 % of CHF",
        "B is to take its place, and 50 % of it is lost as well",
        "How hard it would be to replace: difficult; months it would take: 9; months until the first contract ends",
        "supplier/C passes work on to supplier/A",
        "circuit/b",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_is_not_there_is_told_as_such() {
    let text = told(lost("A"));
    for part in ["No supplier is identified to take its place", "No item stands in for what is lost"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("Place in the concentration") && !text.contains("Circles"), "{text}");
}
