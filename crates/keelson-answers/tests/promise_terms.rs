//! What contracts promise beside availability, composed over the graph and one by one (analyses 5.3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::promise::{ComposedTerm, PromiseLine, PromiseQuestion, promise};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"terms","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[String]) -> View {
    let batch: Vec<&str> = [HEAD].into_iter().chain(lines.iter().map(String::as_str)).collect();
    Estate::of_text(&(batch.join("\n") + "\n")).view()
}

fn shop(attributes: &str) -> String {
    format!(
        r#"{{"ci":{{"key":"service/shop","class":"service","name":"shop","attributes":{{"target_availability":0.999,{attributes}}}}}}}"#
    )
}

fn ci(class: &str, name: &str, attributes: &str) -> String {
    format!(r#"{{"ci":{{"key":"{class}/{name}","class":"{class}","name":"{name}","attributes":{{{attributes}}}}}}}"#)
}

fn rests(on: &str, contract: &str) -> String {
    format!(r#"{{"relationship":{{"dependent":"{on}","kind":"underpinned_by","dependency":"contract/{contract}"}}}}"#)
}

fn need(of: &str, name: &str, rule: &str, members: &str) -> String {
    format!(r#"{{"need":{{"dependent":"{of}","name":"{name}","rule":"{rule}","members":[{members}]}}}}"#)
}

fn promised(view: &View) -> PromiseLine {
    let question = PromiseQuestion { most: 10, ..PromiseQuestion::default() };
    promise(view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap().services.remove(0)
}

fn composed(line: &PromiseLine, term: &str) -> ComposedTerm {
    line.composed.iter().find(|one| one.term == term).unwrap().clone()
}

fn deciding(term: &ComposedTerm) -> Vec<&str> {
    term.decided_by.iter().map(|one| one.name.as_str()).collect()
}

/// A shop with a pair of databases of which one is enough, each under a contract of its own.
fn pair(promise: &str, first: &str, second: &str) -> Vec<String> {
    vec![
        shop(promise),
        ci("contract", "fast", first),
        ci("contract", "slow", second),
        ci("database", "a", r#""unavailability":0"#),
        ci("database", "b", r#""unavailability":0"#),
        rests("database/a", "fast"),
        rests("database/b", "slow"),
        need("service/shop", "pair", "any", r#""database/a","database/b""#),
    ]
}

#[test]
fn of_a_pair_the_faster_contract_decides_and_of_what_is_needed_the_slowest() {
    let mut lines = pair(r#""response_minutes":30"#, r#""response_minutes":15"#, r#""response_minutes":240"#);
    let term = composed(&promised(&view(&lines)), "response");
    assert_eq!((term.least, term.stated, term.most, term.holds), (Some(15.0), Some(15.0), Some(15.0), Some(true)));
    assert_eq!(deciding(&term), ["fast"]);

    lines.push(ci("contract", "network", r#""response_minutes":60"#));
    lines.push(rests("service/shop", "network"));
    let term = composed(&promised(&view(&lines)), "response");
    assert_eq!((term.stated, term.holds, deciding(&term)), (Some(60.0), Some(false), vec!["network"]));
}

#[test]
fn a_circle_of_needs_has_the_term_of_what_it_rests_on() {
    let lines = [
        shop(r#""resolution_minutes":30"#),
        ci("application", "a", ""),
        ci("application", "b", ""),
        ci("contract", "vendor", r#""resolution_minutes":45"#),
        need("service/shop", "a", "all", r#""application/a""#),
        need("application/a", "b", "all", r#""application/b""#),
        need("application/b", "a", "all", r#""application/a""#),
        rests("application/b", "vendor"),
    ];
    let term = composed(&promised(&view(&lines)), "resolution");
    assert_eq!((term.stated, term.holds, deciding(&term)), (Some(45.0), Some(false), vec!["vendor"]));
}

#[test]
fn a_term_that_a_contract_does_not_state_is_no_term_that_holds() {
    let lines = [
        shop(r#""response_minutes":30"#),
        ci("contract", "silent", ""),
        ci("contract", "stated", r#""response_minutes":20"#),
        rests("service/shop", "silent"),
        rests("service/shop", "stated"),
    ];
    let term = composed(&promised(&view(&lines)), "response");
    assert_eq!((term.least, term.stated, term.most, term.holds), (Some(20.0), Some(20.0), None, None));
    assert_eq!(term.unstated, ["contract/silent"]);
    // Behind a pair whose other half is fast enough it does not matter.
    let lines = pair(r#""response_minutes":30"#, r#""response_minutes":15"#, "");
    let term = composed(&promised(&view(&lines)), "response");
    assert_eq!((term.least, term.most, term.holds), (Some(0.0), Some(15.0), Some(true)));
}

#[test]
fn hours_that_two_contracts_cover_in_turn_are_covered() {
    let hours = |promise: &str, first: &str, second: &str| {
        let of = |hours: &str| format!(r#""support_hours":"{hours}""#);
        composed(&promised(&view(&pair(&of(promise), &of(first), &of(second)))), "support hours")
    };
    let term = hours("24x7", "Mo-Fr 00:00-24:00", "Sa-Su 00:00-24:00");
    assert_eq!((term.least, term.most, term.holds), (Some(0.0), Some(0.0), Some(true)));
    let term = hours("24x7", "Mo-Fr 00:00-24:00", "Mo-Sa 00:00-12:00");
    assert_eq!((term.stated, term.holds), (Some(36.0 * 60.0), Some(false)), "half of Saturday and all of Sunday");
    assert_eq!(deciding(&term), ["fast", "slow"]);
    let term = hours("Mo-Fr 08:00-18:00", "Mo-Fr 00:00-24:00", "when we feel like it");
    assert_eq!((term.holds, term.unstated), (Some(true), vec!["contract/slow".to_owned()]));
    let term = hours("office hours", "Mo-Fr 00:00-24:00", "Mo-Fr 00:00-24:00");
    assert_eq!((term.stated, term.most, term.holds), (None, None, None), "what cannot be read is told as such");
}

#[test]
fn a_service_that_starts_later_than_it_promises_is_named_with_what_takes_longest() {
    let lines = |recovery: &str| {
        view(&[
            shop(r#""rto_minutes":60,"recovery_minutes":0"#),
            ci("host", "h1", recovery),
            need("service/shop", "host", "all", r#""host/h1""#),
        ])
    };
    let term = composed(&promised(&lines(r#""recovery_minutes":90"#)), "start from nothing");
    assert_eq!((term.least, term.most, term.holds, deciding(&term)), (Some(90.0), Some(90.0), Some(false), vec!["h1"]));
    let term = composed(&promised(&lines(r#""recovery_minutes":45"#)), "start from nothing");
    assert_eq!((term.most, term.holds), (Some(45.0), Some(true)));
    let term = composed(&promised(&lines("")), "start from nothing");
    assert_eq!((term.most, term.holds), (None, None), "nobody says how long the host takes");
}

#[test]
fn credits_periods_and_exclusions_are_compared_contract_by_contract() {
    let answer = promised(&view(&[
        shop(
            r#""measurement_period":"month","exclusions":["Planned maintenance"],"missed_target_penalty":{"value":10000,"unit":"EUR"}"#,
        ),
        ci(
            "contract",
            "hosting",
            r#""target_availability":0.9995,"measurement_period":"year","exclusions":["planned maintenance","force majeure"],"missed_target_credit":{"value":500,"unit":"EUR"}"#,
        ),
        ci("contract", "silent", ""),
        rests("service/shop", "hosting"),
        rests("service/shop", "silent"),
    ]));
    let of = |contract: &str, term: &str| {
        let is_it =
            |line: &&keelson_answers::supplier::promise::TermLine| line.contract.name == contract && line.term == term;
        answer.terms.iter().find(is_it).unwrap().clone()
    };
    let period = of("hosting", "measurement period");
    assert_eq!((period.promised.as_str(), period.holds), ("over a month: 43.2 min at once", Some(false)));
    assert_eq!(period.contracted, "over a year: 262.8 min at once");
    assert_eq!(of("hosting", "exclusions").holds, Some(false));
    assert_eq!(of("hosting", "credits").holds, Some(false));
    assert_eq!(of("silent", "credits").holds, None);
    assert_eq!(
        (of("silent", "exclusions").contracted.as_str(), of("silent", "exclusions").holds),
        ("not stated", None)
    );
}

#[test]
fn a_contract_without_target_lies_in_the_range_its_class_states() {
    let contract = |class: &str| {
        [HEAD.to_owned(), shop(r#""users":1"#), ci(class, "line", ""), rests("service/shop", "line")]
            .join("\n")
            .replace("\"contract/line\"", &format!("\"{class}/line\""))
    };
    let open = promised(&Estate::of_text(&contract("contract")).view());
    assert_eq!((open.contracted.least, open.contracted.most, open.has_gap), (0.0, 1.0, None));
    assert_eq!((open.gap_least, open.gap_most.round()), ((0.999 - 1.0) * 43_200.0, 43_157.0));
    let classes = r#"
[[class]]
name = "leased-line"
is_a = "contract"
title = "Leased line"
description = "A contract on a line."
unavailability = { low = 0.001, high = 0.01 }
"#;
    let known = promised(&Estate::of_text_under(classes, &contract("leased-line")).view());
    assert_eq!((known.contracted.least, known.contracted.most), (0.99, 0.999));
    assert_eq!(known.without_target, ["leased-line/line"]);
}
