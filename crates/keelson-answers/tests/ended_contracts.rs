//! A contract that has ended, or has not begun, promises nothing (analyses 5.3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::promise::{PromiseAnswer, PromiseQuestion, promise};
use keelson_answers::{Asked, LimitCode, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"terms","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn ci(class: &str, name: &str, attributes: &str) -> String {
    format!(r#"{{"ci":{{"key":"{class}/{name}","class":"{class}","name":"{name}","attributes":{{{attributes}}}}}}}"#)
}

fn rests(on: &str, contract: &str) -> String {
    format!(r#"{{"relationship":{{"dependent":"{on}","kind":"underpinned_by","dependency":"contract/{contract}"}}}}"#)
}

fn view(lines: &[String]) -> View {
    let batch: Vec<&str> = [HEAD].into_iter().chain(lines.iter().map(String::as_str)).collect();
    Estate::of_text(&(batch.join("\n") + "\n")).view()
}

fn promised(lines: &[String]) -> PromiseAnswer {
    let question = PromiseQuestion { most: 10, ..PromiseQuestion::default() };
    promise(&view(lines), &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

/// A shop that promises 0.999 on a database which is covered by a contract on 0.9999 with these other terms.
fn shop(contract: &str, database: &str) -> Vec<String> {
    vec![
        ci("service", "shop", r#""target_availability":0.999,"response_minutes":30"#),
        ci("database", "d", database),
        ci("contract", "care", &format!(r#""target_availability":0.9999,"response_minutes":15,{contract}"#)),
        r#"{"need":{"dependent":"service/shop","name":"db","rule":"all","members":["database/d"]}}"#.to_owned(),
        rests("database/d", "care"),
    ]
}

#[test]
fn a_contract_in_force_covers_what_rests_on_it() {
    for dates in [r#""end":"2027-01-01T00:00:00Z""#, r#""start":"2020-01-01T00:00:00Z""#] {
        let answer = promised(&shop(dates, ""));
        let line = &answer.services[0];
        assert_eq!((line.has_gap, line.not_in_force.len()), (Some(false), 0), "{line:?}");
        assert!((line.contracted.availability - 0.9999).abs() < 1e-12);
    }
}

#[test]
fn a_contract_that_has_ended_or_not_begun_promises_nothing_and_is_named() {
    for (dates, said) in [
        (r#""end":"2026-10-01T00:00:00Z""#, "ended on 2026-10-01"),
        (r#""end":"2026-11-01T00:00:00Z""#, "ended on 2026-11-01"),
        (r#""start":"2026-12-01T00:00:00Z""#, "begins on 2026-12-01"),
    ] {
        let answer = promised(&shop(dates, ""));
        let line = &answer.services[0];
        assert_eq!(line.not_in_force, ["contract/care"], "{dates}");
        assert_eq!((line.has_gap, line.contracted.least, line.contracted.most), (None, 0.0, 1.0), "{dates}");
        assert!(line.contracts.is_empty() && line.without_target.is_empty());
        assert_eq!(line.without_figure, 1, "nobody says how available the database is of itself");
        let term = &line.terms[0];
        assert_eq!((term.term.as_str(), term.contracted.as_str(), term.holds), ("in force", said, Some(false)));
        assert_eq!(line.terms.len(), 1);
        assert_eq!(line.composed[0].unstated, ["contract/care"]);
        assert_eq!(line.composed[0].holds, None, "nobody promises a response any longer");
        let limit = answer.basis.limits.iter().find(|limit| limit.message.contains("not in force")).unwrap();
        assert!(limit.code == LimitCode::FigureMissing && limit.message.contains("'contract/care'"), "{limit:?}");
    }
}

#[test]
fn what_an_ended_contract_covered_fails_as_it_is_measured() {
    let answer = promised(&shop(r#""end":"2026-10-01T00:00:00Z""#, r#""unavailability":0.01"#));
    let line = &answer.services[0];
    // The contract itself, which the database may not run without, may be anything.
    assert!((line.contracted.most - 0.99).abs() < 1e-12, "{:?}", line.contracted);
    assert_eq!((line.has_gap, line.without_figure), (Some(true), 0));
}

#[test]
fn what_is_bought_under_an_ended_contract_does_not_keep_its_own_target() {
    let lines = |dates: &str| {
        [
            ci("service", "shop", r#""target_availability":0.999"#),
            ci("supplier-service", "mail", r#""target_availability":0.9999"#),
            ci("contract", "post", dates),
            r#"{"need":{"dependent":"service/shop","name":"mail","rule":"all","members":["supplier-service/mail"]}}"#
                .to_owned(),
            rests("supplier-service/mail", "post"),
        ]
    };
    let line = promised(&lines(r#""end":"2026-10-01T00:00:00Z""#)).services.remove(0);
    assert_eq!((line.has_gap, line.contracted.most, line.without_figure), (None, 1.0, 1));
    assert!(line.contracts.is_empty(), "{:?}", line.contracts);
    let line = promised(&lines(r#""end":"2027-10-01T00:00:00Z""#)).services.remove(0);
    assert_eq!(line.contracts[0].subject.key, "supplier-service/mail");
}
