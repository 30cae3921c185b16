//! What ratios between items mean: counts per count, whatever the time of either; several uses add up (analyses 4.1).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::capacity::{CapacityAnswer, CapacityQuestion, capacity};
use keelson_answers::{Asked, LimitCode};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch": {"format": "keelson/1", "source": "ratios", "scope": "all", "complete": true, "observed_at": "2026-11-01T00:00:00Z"}}
{"ci": {"key": "service/a", "class": "service", "name": "a", "attributes": {"peak_demand": {"value": 100, "unit": "messages/s"}, "demand_growth_per_month": 0.0}}}
"#;

fn plan(rest: &str) -> CapacityAnswer {
    let question = CapacityQuestion { most: 10, ..CapacityQuestion::default() };
    let view = Estate::of_text(&format!("{HEAD}{rest}")).view();
    capacity(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

#[test]
fn a_hundred_a_second_are_more_than_four_hundred_thousand_a_day() {
    let answer = plan(
        r#"{"ci": {"key": "application/mid", "class": "application", "name": "mid"}}
{"ci": {"key": "contract/mail", "class": "contract", "name": "mail", "attributes": {"volume": {"value": 400000, "unit": "messages/d"}}}}
{"relationship": {"dependent": "service/a", "kind": "uses", "dependency": "application/mid", "attributes": {"visits": 1}}}
{"relationship": {"dependent": "application/mid", "kind": "underpinned_by", "dependency": "contract/mail", "attributes": {"visits": 1}}}
"#,
    );
    let line = answer.resources.iter().find(|line| line.subject.key == "contract/mail").unwrap();
    assert!((line.utilisation - 21.6).abs() < 1e-9, "{line:?}");
    assert!(line.is_over_capacity);
}

#[test]
fn two_kinds_of_use_between_the_same_two_add_up() {
    let answer = plan(
        r#"{"ci": {"key": "application/q", "class": "application", "name": "q", "attributes": {"capacity": {"value": 1000, "unit": "messages/s"}}}}
{"relationship": {"dependent": "service/a", "kind": "uses", "dependency": "application/q", "attributes": {"visits": 1}}}
{"relationship": {"dependent": "service/a", "kind": "calls", "dependency": "application/q", "attributes": {"visits": 2}}}
"#,
    );
    assert!((answer.resources[0].load - 300.0).abs() < 1e-9, "{:?}", answer.resources);
    assert!(
        !answer
            .basis
            .limits
            .iter()
            .any(|limit| limit.code == LimitCode::FigureMissing && limit.message.contains("visits"))
    );
}

#[test]
fn use_that_is_stated_and_not_explained_by_demand_is_told() {
    let answer = plan(
        r#"{"ci": {"key": "application/q", "class": "application", "name": "q", "attributes": {"capacity": {"value": 5000, "unit": "messages/s"}, "utilisation": 0.95}}}
{"relationship": {"dependent": "service/a", "kind": "uses", "dependency": "application/q", "attributes": {"visits": 1}}}
"#,
    );
    let told = answer.basis.limits.iter().any(|limit| limit.message.contains("95 % stated and 2 % computed"));
    assert!(told, "{:?}", answer.basis.limits);
}
