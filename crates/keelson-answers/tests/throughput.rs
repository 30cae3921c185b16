//! How much a service can carry (analyses 4.5).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::capacity::throughput::{Carries, ThroughputAnswer, ThroughputQuestion, throughput};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

/// A shop on two web servers, and a bank that uses the larger one too.
fn view(lines: &[&str]) -> View {
    let item = |key: &str, class: &str, attributes: &str| {
        format!(r#"{{"ci":{{"key":"{key}","class":"{class}","name":"{key}","attributes":{{{attributes}}}}}}}"#)
    };
    let quantity =
        |name: &str, value: f64| format!(r#""{name}":{{"value":{value},"unit":"requests/s"}},"maximum_utilisation":1"#);
    let asked = |value: f64| quantity("peak_demand", value).replace(r#","maximum_utilisation":1"#, "");
    let visit = |owner: &str, member: &str, ratio: f64| {
        format!(
            r#"{{"relationship":{{"dependent":"{owner}","kind":"uses","dependency":"{member}","attributes":{{"visits":{ratio}}}}}}}"#
        )
    };
    let mut text = vec![r#"{"batch":{"format":"keelson/1","source":"estate"}}"#.to_owned()];
    text.extend([
        item("service/shop", "service", &format!("{},{}", asked(50.0), asked(40.0).replace("peak_demand", "workload_limit"))),
        item("service/bank", "service", &asked(20.0)),
        item("software-instance/big", "software-instance", &quantity("capacity", 80.0)),
        item("software-instance/small", "software-instance", &quantity("capacity", 30.0)),
        item("database/db", "database", &quantity("capacity", 400.0)),
        r#"{"need":{"dependent":"service/shop","name":"web","rule":"any","members":["software-instance/big","software-instance/small"]}}"#.to_owned(),
        visit("service/shop", "software-instance/big", 0.5),
        visit("service/shop", "software-instance/small", 0.5),
        visit("service/bank", "software-instance/big", 1.0),
        visit("software-instance/big", "database/db", 2.0),
        visit("software-instance/small", "database/db", 2.0),
    ]);
    text.extend(lines.iter().map(|line| (*line).to_owned()));
    Estate::of_text(&text.join("\n")).view()
}

fn ask(view: &View, service: &str) -> ThroughputAnswer {
    let question = ThroughputQuestion { service: service.to_owned(), most: 10 };
    throughput(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

/// The limit to four digits, as the solver's own tolerance is finer, and what holds it back.
fn held(carries: &Carries) -> (Option<f64>, Vec<&str>) {
    let mut names: Vec<&str> = carries.binding.iter().map(|one| one.subject.name.as_str()).collect();
    names.sort_unstable();
    (carries.limit.map(|limit| (limit * 1e4).round() / 1e4), names)
}

#[test]
fn a_service_carries_more_where_members_take_over() {
    let answer = ask(&view(&[]), "service/shop");
    assert_eq!(held(&answer.as_spread), (Some(60.0), vec!["software-instance/small"]), "half of it is 30");
    // The bank leaves 60 of the larger one.
    assert_eq!(held(&answer.spread_freely), (Some(90.0), vec!["software-instance/big", "software-instance/small"]));
    assert_eq!((answer.pool_count, answer.unrated_count, answer.without_capacity_count), (1, 0, 0));
    let now: Vec<f64> = answer.pools[0].members.iter().map(|member| member.now).collect();
    let then: Vec<f64> = answer.pools[0].members.iter().map(|member| (member.then.unwrap() * 1e4).round()).collect();
    assert_eq!((now, then), (vec![0.5, 0.5], vec![6_667.0, 3_333.0]));
    assert_eq!(answer.demand.map(|demand| demand.value), Some(50.0));
    assert!(answer.basis.complete, "{:?}", answer.basis.limits);
    assert_eq!(answer.promised_up_to.map(|promised| promised.value), Some(40.0), "and that holds nothing back");
}

#[test]
fn what_is_not_known_limits_the_answer_and_what_others_take_is_told() {
    let answer = ask(
        &view(&[
            r#"{"ci":{"key":"database/log","class":"database","name":"log"}}"#,
            r#"{"relationship":{"dependent":"software-instance/small","kind":"uses","dependency":"database/log","attributes":{"visits":1}}}"#,
        ]),
        "service/shop",
    );
    assert_eq!(answer.without_capacity.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["log"]);
    assert!(!answer.basis.complete);
    // The bank alone takes 90 of the 80 that the larger one carries; the shop could do with the smaller alone.
    let busy = ask(
        &view(&[
            r#"{"ci":{"key":"service/till","class":"service","name":"till","attributes":{"peak_demand":{"value":70,"unit":"requests/s"}}}}"#,
            r#"{"relationship":{"dependent":"service/till","kind":"uses","dependency":"software-instance/big","attributes":{"visits":1}}}"#,
        ]),
        "service/shop",
    );
    assert!(busy.as_spread.is_exhausted && busy.spread_freely.is_exhausted && busy.as_spread.limit.is_none());
    let nothing = ask(&view(&[r#"{"ci":{"key":"service/idle","class":"service","name":"idle"}}"#]), "service/idle");
    assert_eq!((nothing.as_spread.limit, nothing.spread_freely.limit, nothing.demand), (None, None, None));
}
