//! What nobody states is bracketed and named: it never makes an answer better than is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::availability::{AvailabilityAnswer, AvailabilityQuestion, MethodWord, availability};
use keelson_answers::cut_sets::{CutSetsAnswer, CutSetsQuestion, cut_sets};
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
fn a_promise_of_a_service_whose_needs_nobody_states_is_not_covered() {
    let line = promised(&view(&[SHOP]));
    assert_eq!((line.without_figure, line.has_gap), (1, None));
    assert_eq!((line.contracted.least, line.contracted.most), (0.0, 1.0));
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
    // What one other of its class states is no range; what two state brackets it, and is too long for the promise.
    let other = r#"{"ci":{"key":"database/d2","class":"database","name":"d2","attributes":{"recovery_minutes":90}}}"#;
    let shop = recovered(&[known, unknown, other, &needs("all")]);
    assert_eq!((shop.outcome, shop.unknown.len()), (RecoveryOutcome::Open, 1));
    let third = other.replace("d2", "d3");
    let shop = recovered(&[known, unknown, other, &third, &needs("all")]);
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

#[test]
fn what_an_item_does_not_state_its_class_may() {
    let classes = r#"
[[class]]
name = "blade"
is_a = "host"
title = "Blade"
description = "A host in a chassis."
unavailability = { low = 0.001, high = 0.01 }
"#;
    let lines = [
        HEAD,
        SHOP,
        r#"{"ci":{"key":"blade/b1","class":"blade","name":"b1"}}"#,
        r#"{"ci":{"key":"blade/b2","class":"blade","name":"b2","attributes":{"unavailability":0.5}}}"#,
        r#"{"need":{"dependent":"service/shop","name":"blade","rule":"all","members":["blade/b1"]}}"#,
    ];
    let answer = available(&Estate::of_text_under(classes, &(lines.join("\n") + "\n")).view());
    // What the class says counts, not what the one other of it happens to state.
    let shop = &answer.services[0];
    assert_eq!((shop.least, shop.most, shop.meets_target), (0.001, 0.01, None));
    assert_eq!((answer.missing, answer.basis.complete), (vec!["blade/b1".to_owned()], false));
}

/// A shop on a host that states nothing, beside others that state these unavailabilities.
fn beside(others: &[f64]) -> AvailabilityAnswer {
    let other = |(at, value): (usize, &f64)| {
        format!(
            r#"{{"ci":{{"key":"host/o{at}","class":"host","name":"o{at}","attributes":{{"unavailability":{value}}}}}}}"#
        )
    };
    let others: Vec<String> = others.iter().enumerate().map(other).collect();
    let host = r#"{"ci":{"key":"host/h1","class":"host","name":"h1"}}"#;
    let need = r#"{"need":{"dependent":"service/shop","name":"host","rule":"all","members":["host/h1"]}}"#;
    let lines: Vec<&str> = [SHOP, host, need].into_iter().chain(others.iter().map(String::as_str)).collect();
    available(&view(&lines))
}

#[test]
fn what_a_single_other_of_a_class_states_is_no_range() {
    let alone = beside(&[0.0001]);
    let shop = &alone.services[0];
    assert_eq!((shop.least, shop.most, shop.meets_target), (0.0, 1.0, None), "it may be anything");
    assert!(alone.basis.limits[0].message.contains("more than one other"), "{:?}", alone.basis.limits);
    let two = beside(&[0.0001, 0.0005]);
    let shop = &two.services[0];
    assert_eq!((shop.least, shop.most, shop.meets_target), (0.0001, 0.0005, Some(true)));
    assert!(two.basis.limits[0].message.contains("others of it (2 items)"), "{:?}", two.basis.limits);
}

#[test]
fn failures_and_repairs_say_how_often_something_is_down() {
    let answer = available(&on_one_host(r#""mtbf_hours":999,"repair_minutes":60"#));
    assert_eq!((answer.services[0].least, answer.services[0].most), (0.001, 0.001));
    assert!(answer.missing.is_empty() && answer.basis.complete);
    // One of the two says nothing, and what is stated outright counts before both.
    assert_eq!(available(&on_one_host(r#""mtbf_hours":999"#)).missing, ["host/h1"]);
    let answer = available(&on_one_host(r#""mtbf_hours":999,"repair_minutes":60,"unavailability":0.2"#));
    assert_eq!(answer.services[0].most, 0.2);
}

/// A shop that needs one of so many clusters, each of which needs three hosts out of as many as are given: which ones,
/// `pick` says by the cluster and the place.
fn on_clusters(clusters: usize, hosts: usize, pick: impl Fn(usize, usize) -> usize) -> View {
    let mut lines = vec![SHOP.to_owned()];
    for host in 0..hosts {
        lines.push(format!(
            r#"{{"ci":{{"key":"host/h{host}","class":"host","name":"h{host}","attributes":{{"unavailability":0.05}}}}}}"#
        ));
    }
    for cluster in 0..clusters {
        let members: Vec<String> = (0..3).map(|place| format!("\"host/h{}\"", pick(cluster, place))).collect();
        lines.push(format!(
            r#"{{"ci":{{"key":"cluster/c{cluster}","class":"cluster","name":"c{cluster}","attributes":{{"unavailability":0}}}}}}"#
        ));
        lines.push(format!(
            r#"{{"need":{{"dependent":"cluster/c{cluster}","name":"hosts","rule":"all","members":[{}]}}}}"#,
            members.join(",")
        ));
    }
    let members: Vec<String> = (0..clusters).map(|cluster| format!("\"cluster/c{cluster}\"")).collect();
    lines.push(format!(
        r#"{{"need":{{"dependent":"service/shop","name":"clusters","rule":"any","members":[{}]}}}}"#,
        members.join(",")
    ));
    view(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn cut(view: &View, nodes: usize) -> CutSetsAnswer {
    let question =
        CutSetsQuestion { service: "service/shop".to_owned(), most: 10, nodes, ..CutSetsQuestion::default() };
    cut_sets(view, &question, now(), &Pool::default(), None).unwrap()
}

#[test]
fn more_cut_sets_than_anyone_could_list_are_counted() {
    let view = on_clusters(30, 90, |cluster, place| cluster * 3 + place);
    let answer = cut(&view, 0);
    // One host of each of thirty clusters: 3³⁰.
    assert_eq!((answer.count.as_str(), answer.is_count_exact), ("205891132094649", true));
    assert_eq!((answer.resilience.at_least, answer.resilience.at_most), (30, Some(30)));
    assert!(answer.sets.is_empty(), "none has so few items as are asked for");
}

#[test]
fn beyond_its_budget_an_answer_is_honest_and_encloses_the_truth() {
    // Clusters that share hosts in no order hang together wholly.
    let pick =
        |cluster: usize, place: usize| place * 30 + (((cluster * 31 + place * 7 + 3) * 2_654_435_761) >> 13) % 30;
    let view = on_clusters(50, 90, pick);
    let whole = available_within(&view, 4_000_000);
    assert_eq!(whole.services[0].method, MethodWord::Exact);
    let truth = whole.services[0].unavailability;
    assert!(cut(&view, 0).count.parse::<u128>().unwrap() > 10_000_000_000, "{}", cut(&view, 0).count);

    let poor = available_within(&view, 2_000);
    let shop = &poor.services[0];
    assert_ne!(shop.method, MethodWord::Exact);
    assert!(shop.least <= truth && truth <= shop.most, "{truth} in {shop:?}");
    assert!(poor.basis.limits.iter().any(|limit| limit.message.contains("no exact answer")), "{:?}", poor.basis.limits);
    let all = cut(&view, 0);
    assert!(all.is_count_exact, "{}", all.count);
    let known = all.resilience;
    let sets = cut(&view, 2_000);
    assert!(!sets.is_count_exact && sets.basis.limits.iter().any(|limit| limit.message.contains("at least")));
    assert!(sets.resilience.at_least <= known.at_least, "{:?}", sets.resilience);
    assert!(sets.resilience.at_most.is_none_or(|most| Some(most) >= known.at_most), "{:?}", sets.resilience);
}

fn available_within(view: &View, nodes: usize) -> AvailabilityAnswer {
    let question = AvailabilityQuestion { most: 1, nodes, samples: 10_000, ..AvailabilityQuestion::default() };
    availability(view, &question, now(), &Pool::default(), None).unwrap()
}

#[test]
fn what_is_expected_of_an_interval_is_no_end_of_it() {
    let answer = available(&on_one_host(r#""unavailability_low":0.001,"unavailability_high":0.003"#));
    let shop = &answer.services[0];
    assert_eq!((shop.least, shop.unavailability, shop.most), (0.001, 0.002, 0.003));
    let stated = r#""unavailability_low":0.001,"unavailability_high":0.003,"unavailability":0.0015"#;
    let answer = available(&on_one_host(stated));
    let shop = &answer.services[0];
    assert_eq!((shop.least, shop.unavailability, shop.most), (0.001, 0.0015, 0.003));
    assert_eq!(shop.hurts[0].unavailability, 0.0015);
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
}

#[test]
fn a_figure_outside_its_interval_is_told_and_an_inverted_interval_as_well() {
    for (attributes, (least, expected, most), word) in [
        (
            r#""unavailability_low":0.001,"unavailability_high":0.003,"unavailability":0.5"#,
            (0.001, 0.5, 0.5),
            "outside the interval",
        ),
        (r#""unavailability_low":0.003,"unavailability_high":0.001"#, (0.001, 0.002, 0.003), "lower end lies above"),
    ] {
        let answer = available(&on_one_host(attributes));
        let shop = &answer.services[0];
        assert_eq!((shop.least, shop.unavailability, shop.most), (least, expected, most));
        assert!(!answer.basis.complete);
        let limits = &answer.basis.limits;
        assert!(limits.iter().any(|one| one.message.contains(word) && one.message.contains("host/h1")), "{limits:?}");
    }
}

#[test]
fn what_is_not_known_costs_nobody_knows_what() {
    let lines = [
        r#"{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"value_per_hour":{"value":100,"unit":"EUR"}}}}"#,
        r#"{"ci":{"key":"host/h1","class":"host","name":"h1"}}"#,
        r#"{"need":{"dependent":"service/shop","name":"host","rule":"all","members":["host/h1"]}}"#,
    ];
    let shop = &available(&view(&lines)).services[0];
    assert!(shop.value_per_hour.is_some());
    assert_eq!(shop.cost_per_year, None);
}

/// A shop that must deliver 0.9, with a host that starts in 10 minutes and a soft need of mail that starts in 60.
fn with_mail(at_least: f64, lost: &[&str]) -> ServiceRecovery {
    let shop = format!(
        r#"{{"ci":{{"key":"service/shop","class":"service","name":"shop","attributes":{{"minimum_delivered":{at_least},"rto_minutes":30}}}}}}"#
    );
    let lines = [
        shop.as_str(),
        r#"{"ci":{"key":"host/h1","class":"host","name":"h1","attributes":{"recovery_minutes":10}}}"#,
        r#"{"ci":{"key":"host/mail","class":"host","name":"mail","attributes":{"recovery_minutes":60}}}"#,
        r#"{"need":{"dependent":"service/shop","name":"host","rule":"all","members":["host/h1"]}}"#,
        r#"{"need":{"dependent":"service/shop","name":"mail","rule":"all","cap":0.7,"members":["host/mail"]}}"#,
    ];
    let lost = lost.iter().map(|key| (*key).to_owned()).collect();
    let question = RecoveryQuestion { most: 10, lost, ..RecoveryQuestion::default() };
    let mut answer = recovery(&view(&lines), &question, now(), &Pool::default(), None).unwrap();
    let steps: Vec<f64> = answer.order.iter().map(|one| one.up.most).collect();
    assert!(steps.is_sorted(), "{steps:?}");
    answer.services.remove(0)
}

#[test]
fn a_soft_need_that_breaches_a_service_is_recovered_before_it_counts_as_up() {
    for lost in [&[][..], &["host/h1", "host/mail"]] {
        let shop = with_mail(0.9, lost);
        assert_eq!((shop.up.unwrap().most, shop.outcome), (60.0, RecoveryOutcome::Missed), "{lost:?}");
        assert_eq!(shop.critical_path[0].subject.key, "host/mail");
        // A shop that may deliver as little as mail leaves it does not wait for mail.
        let shop = with_mail(0.3, lost);
        assert_eq!((shop.up.unwrap().most, shop.outcome), (10.0, RecoveryOutcome::Met), "{lost:?}");
    }
    assert_eq!(with_mail(0.9, &["host/mail"]).outcome, RecoveryOutcome::Missed);
    assert_eq!(with_mail(0.3, &["host/mail"]).outcome, RecoveryOutcome::Unaffected);
}
