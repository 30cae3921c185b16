//! What nobody states is bracketed and named: it never makes an answer better than is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::availability::{AvailabilityAnswer, AvailabilityQuestion, availability};
use keelson_answers::cut_sets::{CutSetsQuestion, cut_sets};
use keelson_answers::recovery::{RecoveryOutcome, RecoveryQuestion, ServiceRecovery, recovery};
use keelson_answers::supplier::promise::{PromiseLine, PromiseQuestion, promise};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"unstated","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[&str]) -> View {
    let batch: Vec<&str> = [HEAD].iter().chain(lines).copied().collect();
    Estate::of_text(&(batch.join("\n") + "\n")).view()
}

fn now() -> Asked {
    Asked::now(minutes(0))
}

const SHOP: &str =
    r#"{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"target_availability":0.999}}}"#;

/// A shop that needs one host, which states these attributes.
fn on_one_host(attributes: &str) -> View {
    let host = format!(r#"{{"ci":{{"key":"host/h1","class":"host","name":"h1","attributes":{{{attributes}}}}}}}"#);
    view(&[SHOP, &host, r#"{"need":{"dependent":"service/shop","name":"host","rule":"all","members":["host/h1"]}}"#])
}

fn available(view: &View) -> AvailabilityAnswer {
    let question = AvailabilityQuestion { most: 10, contributors: 10, ..AvailabilityQuestion::default() };
    availability(view, &question, now(), &Pool::default(), None).unwrap()
}

fn promised(view: &View) -> PromiseLine {
    let question = PromiseQuestion { most: 10, ..PromiseQuestion::default() };
    promise(view, &question, now(), &Pool::default(), None).unwrap().services.remove(0)
}

#[test]
fn a_target_is_not_met_by_what_nobody_states() {
    let answer = available(&on_one_host(""));
    let shop = &answer.services[0];
    assert_eq!((shop.least, shop.most, shop.meets_target), (0.0, 1.0, None));
    assert_eq!(answer.missing, ["host/h1"]);
    assert!(!answer.basis.complete);
}

#[test]
fn what_states_that_it_never_fails_never_fails() {
    let answer = available(&on_one_host(r#""unavailability":0"#));
    assert_eq!((answer.services[0].most, answer.services[0].meets_target), (0.0, Some(true)));
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn a_service_whose_needs_nobody_states_is_not_always_there() {
    let answer = available(&view(&[SHOP]));
    assert_eq!((answer.services[0].most, answer.services[0].meets_target), (1.0, None));
    assert_eq!((answer.missing, answer.basis.complete), (vec!["service/shop".to_owned()], false));
}

#[test]
fn what_nobody_states_may_breach_a_service() {
    let question = CutSetsQuestion { service: "service/shop".to_owned(), most: 10, ..CutSetsQuestion::default() };
    let ask = |view: &View| cut_sets(view, &question, now(), &Pool::default(), None).unwrap().resilience;
    let unknown = ask(&on_one_host(""));
    assert_eq!((unknown.at_least, unknown.at_most, unknown.is_unbreakable), (1, None, false));
    assert!(ask(&on_one_host(r#""unavailability":0"#)).is_unbreakable);
}

#[test]
fn there_may_be_a_gap_where_figures_are_missing() {
    let line = promised(&on_one_host(""));
    assert_eq!((line.without_figure, line.has_gap), (1, None));
    assert_eq!(promised(&on_one_host(r#""unavailability":0"#)).has_gap, Some(false));
}

const SILENT: &str = r#"{"ci":{"key":"contract/silent","class":"contract","name":"silent"}}"#;
const WEAK: &str =
    r#"{"ci":{"key":"contract/weak","class":"contract","name":"weak","attributes":{"target_availability":0.99}}}"#;

#[test]
fn a_contract_without_target_promises_nothing_rather_than_zero() {
    let line = promised(&view(&[
        SHOP,
        SILENT,
        WEAK,
        r#"{"relationship":{"dependent":"service/shop","kind":"underpinned_by","dependency":"contract/silent"}}"#,
        r#"{"relationship":{"dependent":"service/shop","kind":"underpinned_by","dependency":"contract/weak"}}"#,
    ]));
    let contracts: Vec<&str> = line.contracts.iter().map(|one| one.subject.key.as_str()).collect();
    assert_eq!(contracts, ["contract/weak"]);
    assert!((line.contracts[0].needed.unwrap() - 0.999).abs() < 1e-9, "{:?}", line.contracts);
    assert_eq!((line.without_target, line.has_gap), (vec!["contract/silent".to_owned()], Some(true)));
}

#[test]
fn a_supplier_without_contract_fails_as_it_states() {
    let line = promised(&view(&[
        SHOP,
        r#"{"ci":{"key":"supplier/Power","class":"supplier","name":"Power","attributes":{"unavailability":0.01}}}"#,
        r#"{"need":{"dependent":"service/shop","name":"power","rule":"all","members":["supplier/Power"]}}"#,
    ]));
    assert!((line.contracted.availability - 0.99).abs() < 1e-12, "{:?}", line.contracted);
    assert_eq!(line.has_gap, Some(true));
}

/// How a shop comes back that must within an hour, and needs what these lines say.
fn recovered(lines: &[&str]) -> ServiceRecovery {
    let shop = SHOP.replace(r#""target_availability":0.999"#, r#""rto_minutes":60"#);
    let all: Vec<&str> = [shop.as_str()].into_iter().chain(lines.iter().copied()).collect();
    let question = RecoveryQuestion { most: 10, ..RecoveryQuestion::default() };
    recovery(&view(&all), &question, now(), &Pool::default(), None).unwrap().services.remove(0)
}

#[test]
fn what_waits_for_something_nobody_knows_the_time_of_is_not_said_to_be_in_time() {
    let known = r#"{"ci":{"key":"host/h1","class":"host","name":"h1","attributes":{"recovery_minutes":20}}}"#;
    let unknown = r#"{"ci":{"key":"database/d1","class":"database","name":"d1"}}"#;
    let needs = |rule: &str| {
        format!(
            r#"{{"need":{{"dependent":"service/shop","name":"both","rule":"{rule}","members":["host/h1","database/d1"]}}}}"#
        )
    };
    let shop = recovered(&[known, unknown, &needs("all")]);
    assert_eq!((shop.outcome, shop.unknown.as_slice()), (RecoveryOutcome::Open, &["database/d1".to_owned()][..]));
    // Where the other is enough, it does not matter how long this one takes.
    let shop = recovered(&[known, unknown, &needs("any")]);
    assert_eq!((shop.outcome, shop.unknown.len()), (RecoveryOutcome::Met, 0));
    assert_eq!(shop.up.map(|up| (up.least, up.most)), Some((0.0, 20.0)));
    // Another of its class states a time, which brackets it; too long for the promise.
    let other = r#"{"ci":{"key":"database/d2","class":"database","name":"d2","attributes":{"recovery_minutes":90}}}"#;
    let shop = recovered(&[known, unknown, other, &needs("all")]);
    assert_eq!((shop.outcome, shop.unknown.len()), (RecoveryOutcome::Missed, 0));
}

/// A shop on a pair of hosts, each down 1 % of the time, of whose failures this part is common to both.
fn on_a_pair(common: &str) -> View {
    let host = |name| {
        format!(
            r#"{{"ci":{{"key":"host/{name}","class":"host","name":"{name}","attributes":{{"unavailability":0.01}}}}}}"#
        )
    };
    let need = format!(
        r#"{{"need":{{"dependent":"service/shop","name":"pair","rule":"any","members":["host/a","host/b"]{common}}}}}"#
    );
    view(&[SHOP, &host("a"), &host("b"), &need])
}

#[test]
fn members_of_a_need_fail_together_as_often_as_it_says() {
    let answer = available(&on_a_pair(""));
    assert!((answer.services[0].most - 0.0001).abs() < 1e-12);
    assert_eq!((answer.redundancy_count, answer.without_common_cause, answer.common_causes.len()), (1, 1, 0));

    let view = on_a_pair(r#","common_cause":0.1"#);
    let answer = available(&view);
    // One in ten failures takes both: 0.001, or else both of themselves: 0.999 × 0.009².
    let wanted = 0.001 + 0.999 * 0.009 * 0.009;
    assert!((answer.services[0].most - wanted).abs() < 1e-12, "{}", answer.services[0].most);
    assert_eq!(answer.services[0].meets_target, Some(false));
    let hurts = &answer.services[0].hurts[0].subject;
    assert_eq!((hurts.key.as_str(), hurts.class.as_str()), ("service/shop#pair", "common cause"));
    let cause = &answer.common_causes[0];
    assert_eq!((cause.need.as_str(), cause.fraction, answer.without_common_cause), ("pair", 0.1, 0));
    assert!((cause.least - 0.001).abs() < 1e-12 && (cause.most - 0.001).abs() < 1e-12);

    let question =
        CutSetsQuestion { service: "service/shop".into(), most: 10, proofs: 2, ..CutSetsQuestion::default() };
    let found = cut_sets(&view, &question, now(), &Pool::default(), None).unwrap();
    assert_eq!((found.count.as_str(), found.resilience.at_most), ("2", Some(1)));
    assert_eq!(found.sets[0].items[0].key, "service/shop#pair");
    assert!(!found.sets[0].proof.is_empty(), "it is explained by both members");
}

#[test]
fn what_nobody_states_of_a_member_is_open_in_what_is_common_too() {
    let need = r#"{"need":{"dependent":"service/shop","name":"pair","rule":"any","members":["host/a","host/b"],"common_cause":0.2}}"#;
    let host = |name| format!(r#"{{"ci":{{"key":"host/{name}","class":"host","name":"{name}"}}}}"#);
    let answer = available(&view(&[SHOP, &host("a"), &host("b"), need]));
    let cause = &answer.common_causes[0];
    assert_eq!((cause.least, cause.most), (0.0, 0.2));
    assert_eq!((answer.services[0].least, answer.services[0].meets_target), (0.0, None));
}
