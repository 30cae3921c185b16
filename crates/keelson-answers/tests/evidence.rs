//! What an auditor draws, and how healthy a catalogue is in which some things are retired and some only referred to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_analysis::sampling::{Part, confidence_of_parts};
use keelson_answers::health::{HealthAnswer, HealthQuestion, health};
use keelson_answers::sample::{SampleAnswer, SampleQuestion, sample};
use keelson_answers::{Asked, LimitCode, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"cmdb","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[String]) -> View {
    let lines: Vec<&str> = [HEAD].into_iter().chain(lines.iter().map(String::as_str)).collect();
    Estate::of_text(&(lines.join("\n") + "\n")).view()
}

fn host(name: &str, more: &str) -> String {
    format!(r#"{{"ci":{{"key":"host/{name}","class":"host","name":"{name}"{more}}}}}"#)
}

fn service(name: &str, criticality: &str) -> String {
    format!(r#"{{"ci":{{"key":"service/{name}","class":"service","name":"{name}","criticality":"{criticality}"}}}}"#)
}

fn runs(service: &str, host: &str) -> String {
    format!(r#"{{"relationship":{{"dependent":"service/{service}","kind":"runs_on","dependency":"host/{host}"}}}}"#)
}

/// A host that is described, one that is retired, and one that is only referred to.
fn mixed() -> View {
    let lines = [
        service("shop", "critical"),
        host("here", ""),
        host("old", r#","lifecycle":"retired""#),
        runs("shop", "here"),
        runs("shop", "ghost"),
    ];
    view(&lines)
}

fn drawn(view: &View, question: &SampleQuestion) -> SampleAnswer {
    sample(view, question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn looked_at(view: &View) -> HealthAnswer {
    health(view, &HealthQuestion::default(), Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

#[test]
fn a_population_has_neither_what_is_retired_nor_what_nobody_described() {
    let answer = drawn(&mixed(), &SampleQuestion::default());
    assert_eq!((answer.population, answer.placeholders), (2, 1));
    let mut keys: Vec<&str> = answer.items.iter().map(|one| one.subject.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["host/here", "service/shop"]);
    assert!(answer.basis.limits.iter().any(|one| one.code == LimitCode::Placeholder), "{:?}", answer.basis.limits);
}

#[test]
fn a_sample_of_strata_reaches_the_confidence_it_states() {
    // Strata of 10, 3, 1 and 2.
    let mut lines = Vec::new();
    for (criticality, hosts) in [("critical", 9), ("high", 2), ("medium", 0), ("low", 1)] {
        lines.push(service(criticality, criticality));
        for at in 0..hosts {
            let name = format!("{criticality}{at}");
            lines.extend([host(&name, ""), runs(criticality, &name)]);
        }
    }
    let question = SampleQuestion { tolerable: 0.1, ..SampleQuestion::default() };
    let answer = drawn(&view(&lines), &question);
    let parts: Vec<Part> =
        answer.strata.iter().map(|one| Part { population: one.population as u64, size: one.drawn as u64 }).collect();
    assert_eq!(parts.iter().map(|part| part.population).collect::<Vec<_>>(), [10, 3, 1, 2]);
    let reached = confidence_of_parts(&parts, 0.1, 0).unwrap();
    assert!(reached >= 0.95 && (answer.reached_confidence - reached).abs() < 1e-12, "{reached} {parts:?}");
    // With one fewer, drawn by hand, what is stated is what is reached.
    let fewer = drawn(&view(&lines), &SampleQuestion { size: Some(answer.size as u64 - 1), ..question });
    assert!(fewer.reached_confidence < 0.95, "{}", fewer.reached_confidence);
}

#[test]
fn what_is_only_referred_to_is_missing_data_to_health() {
    let answer = looked_at(&mixed());
    assert_eq!((answer.item_count, answer.placeholder_count), (2, 1));
    let score = |name: &str| {
        let found = answer.scores.iter().find(|one| one.name == name);
        found.map(|one| (one.good, one.total)).unwrap()
    };
    assert_eq!(score("items somebody has described"), (2, 3));
    assert_eq!(score("items that relate to something"), (2, 2));
    assert_eq!(score("relationships to what is there"), (1, 2));
    assert!(answer.basis.limits.iter().any(|one| one.code == LimitCode::Placeholder), "{:?}", answer.basis.limits);
}
