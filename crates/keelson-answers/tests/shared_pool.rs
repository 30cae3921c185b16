//! A redundancy that several services load: it carries what all of them put on it (analyses 1.5, 4.3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::capacity::{CapacityAnswer, CapacityQuestion, RedundancyLine, capacity};
use keelson_answers::impact::{ImpactQuestion, assess};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

/// Three servers of 60, and two services on them; `ratio` says how relationships tell what they take.
fn estate(ratio: &str, of_other: &str) -> View {
    Estate::of_text(&text(ratio, of_other)).view()
}

fn text(ratio: &str, of_other: &str) -> String {
    let mut lines = vec![
        r#"{"batch": {"format": "keelson/1", "source": "shared", "scope": "all", "complete": true, "observed_at": "2026-11-01T00:00:00Z"}}"#.to_owned(),
        r#"{"ci": {"key": "service/a", "class": "service", "name": "a", "attributes": {"peak_demand": {"value": 100, "unit": "requests/s"}, "demand_growth_per_month": 0.0}}}"#.to_owned(),
        r#"{"ci": {"key": "service/b", "class": "service", "name": "b", "attributes": {"peak_demand": {"value": 70, "unit": "requests/s"}, "demand_growth_per_month": 0.02}}}"#.to_owned(),
    ];
    for n in 1..=3 {
        lines.push(format!(
            r#"{{"ci": {{"key": "virtual-machine/{n}", "class": "virtual-machine", "name": "{n}", "attributes": {{"capacity": {{"value": 60, "unit": "requests/s"}}}}}}}}"#
        ));
        for (service, ratio) in [("a", ratio), ("b", of_other)] {
            lines.push(format!(
                r#"{{"relationship": {{"dependent": "service/{service}", "kind": "runs_on", "dependency": "virtual-machine/{n}"{ratio}}}}}"#
            ));
        }
    }
    for service in ["a", "b"] {
        lines.push(format!(
            r#"{{"need": {{"dependent": "service/{service}", "name": "servers", "rule": "at_least", "k": 2, "kind": "runs_on", "members": ["virtual-machine/1", "virtual-machine/2", "virtual-machine/3"]}}}}"#
        ));
    }
    lines.join("\n") + "\n"
}

fn plan(view: &View) -> CapacityAnswer {
    let question = CapacityQuestion { most: 10, ..CapacityQuestion::default() };
    capacity(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn close(value: Option<f64>, known: f64) {
    assert!(value.is_some_and(|value| (value - known).abs() < 1e-3), "{value:?} is not {known}");
}

fn is_full(line: &RedundancyLine) {
    close(line.load.as_ref().map(|load| load.value), 170.0);
    assert_eq!(line.margin, Some(0), "{line:?}");
    close(line.delivered_without_one, 120.0 / 170.0);
    close(line.expires_months, 0.0);
    assert!(line.held.is_sign_positive(), "{}", line.held);
}

#[test]
fn what_others_put_on_the_members_of_a_redundancy_counts() {
    let third = r#", "attributes": {"visits": 0.333333333}"#;
    for (a, b) in [(third, third), ("", ""), (third, "")] {
        let answer = plan(&estate(a, b));
        assert_eq!(answer.redundancy.len(), 2);
        answer.redundancy.iter().for_each(is_full);
    }
}

/// 50, and 60 that grow by 2 % a month, pass the 120 that two of three carry when 60·1.02ⁿ is 70.
#[test]
fn redundancy_ends_as_the_load_of_everybody_grows() {
    let text =
        text("", "").replace(r#""value": 100,"#, r#""value": 50,"#).replace(r#""value": 70,"#, r#""value": 60,"#);
    let answer = plan(&Estate::of_text(&text).view());
    for line in &answer.redundancy {
        assert_eq!(line.margin, Some(1));
        close(line.expires_months, (70.0_f64 / 60.0).ln() / 1.02_f64.ln());
    }
}

/// What needs one server alone is lost with it, and leaves that server less to share.
#[test]
fn what_is_on_one_member_alone_is_held_by_it() {
    let alone = r#"{"ci": {"key": "service/c", "class": "service", "name": "c", "attributes": {"peak_demand": {"value": 40, "unit": "requests/s"}, "demand_growth_per_month": 0.0}}}
{"relationship": {"dependent": "service/c", "kind": "runs_on", "dependency": "virtual-machine/3", "attributes": {"visits": 1}}}
"#;
    let text = text("", "").replace(r#""value": 100,"#, r#""value": 30,"#) + alone;
    let answer = plan(&Estate::of_text(&text).view());
    for line in &answer.redundancy {
        close(line.load.as_ref().map(|load| load.value), 100.0);
        close(Some(line.held), 40.0);
        // 60, 60 and 20 are left: without one of the first, 80.
        assert_eq!(line.margin, Some(0));
        close(line.delivered_without_one, 0.8);
    }
}

/// Of one service alone two of three carry the load; of both they do not, so that either may be breached by a loss.
#[test]
fn a_loss_may_breach_whoever_shares_the_pool() {
    let text = text("", "").replace(
        r#""unit": "requests/s"}, "demand_growth"#,
        r#""unit": "requests/s"}, "minimum_delivered": 0.9, "demand_growth"#,
    );
    let possible = |text: &str| {
        let question = ImpactQuestion { budget: 100, ..ImpactQuestion::gone(["virtual-machine/1"]) };
        let view = Estate::of_text(text).view();
        let found = assess(&view, &question, Asked::now(minutes(0)), &Pool::default()).unwrap();
        let mut keys: Vec<String> = found
            .certainty_answer()
            .map(|found| found.possible)
            .unwrap_or_default()
            .into_iter()
            .map(|one| one.key)
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(possible(&text), ["service/a", "service/b"]);
    let alone = text.replace(r#""value": 70,"#, r#""value": 15,"#);
    assert!(possible(&alone).is_empty());
}
