//! What the register of information counts under a contract, and what its rules find (analyses 5.4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::register::{FindingKind, RegisterAnswer, RegisterFinding, RegisterQuestion, register};
use keelson_answers::{Asked, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"procurement","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[String]) -> View {
    let batch: Vec<&str> = [HEAD].into_iter().chain(lines.iter().map(String::as_str)).collect();
    Estate::of_text(&(batch.join("\n") + "\n")).view()
}

fn ci(class: &str, name: &str, attributes: &str) -> String {
    format!(r#"{{"ci":{{"key":"{class}/{name}","class":"{class}","name":"{name}","attributes":{{{attributes}}}}}}}"#)
}

fn critical(name: &str, attributes: &str) -> String {
    format!(
        r#"{{"ci":{{"key":"service/{name}","class":"service","name":"{name}","criticality":"critical","attributes":{{{attributes}}}}}}}"#
    )
}

fn to(dependent: &str, kind: &str, dependency: &str) -> String {
    format!(r#"{{"relationship":{{"dependent":"{dependent}","kind":"{kind}","dependency":"{dependency}"}}}}"#)
}

fn registered(lines: &[String]) -> RegisterAnswer {
    let question = RegisterQuestion { most: 100, ..RegisterQuestion::default() };
    register(&view(lines), &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

fn found(answer: &RegisterAnswer, kind: FindingKind) -> Vec<&RegisterFinding> {
    answer.findings.iter().filter(|one| one.kind == kind).collect()
}

/// Some columns of the rows of a template.
fn rows<const N: usize>(answer: &RegisterAnswer, code: &str, columns: [usize; N]) -> Vec<[String; N]> {
    let template = answer.templates.iter().find(|one| one.code == code).unwrap();
    template.rows.iter().map(|row| columns.map(|at| row[at].clone())).collect()
}

/// Two contracts with one supplier, each beneath a critical service of its own.
fn two_contracts(kind: &str, first: &str) -> Vec<String> {
    vec![
        critical("s1", ""),
        critical("s2", ""),
        ci("contract", "c1", first),
        ci("contract", "c2", ""),
        ci("supplier", "A", ""),
        to("contract/c1", kind, "supplier/A"),
        to("contract/c2", kind, "supplier/A"),
        to("service/s1", "underpinned_by", "contract/c1"),
        to("service/s2", "underpinned_by", "contract/c2"),
    ]
}

#[test]
fn only_what_rests_on_a_contract_itself_stands_in_its_rows() {
    for kind in ["signed_with", "supplied_by"] {
        let answer = registered(&two_contracts(kind, r#""end":"2026-10-01T00:00:00Z""#));
        let wanted = [["c1", "supplier/A", "service/s1"], ["c2", "supplier/A", "service/s2"]];
        assert_eq!(rows(&answer, "B_02.02", [0, 2, 4]), wanted.map(|row| row.map(str::to_owned)), "{kind}");
        let ended = found(&answer, FindingKind::ContractEnded);
        assert_eq!(ended.len(), 1);
        assert!(ended[0].message.contains("1 services still rest on it, 1 of them critical"), "{}", ended[0].message);
        assert!(found(&answer, FindingKind::ContractNotNamed).is_empty());
    }
}

#[test]
fn what_is_supplied_without_naming_a_contract_is_told_and_not_spread_over_all_of_them() {
    let mut lines = two_contracts("signed_with", "");
    lines.push(critical("s3", ""));
    lines.push(ci("site", "hall", ""));
    lines.push(to("service/s3", "housed_in", "site/hall"));
    lines.push(to("site/hall", "supplied_by", "supplier/A"));
    // It names its contract by what stands beneath it.
    lines.push(to("service/s1", "supplied_by", "supplier/A"));
    let answer = registered(&lines);
    assert_eq!(rows(&answer, "B_02.02", [4]).concat(), ["service/s1", "service/s2"]);
    let unnamed = found(&answer, FindingKind::ContractNotNamed);
    assert_eq!(unnamed.len(), 1);
    assert_eq!(
        (unnamed[0].subject.as_str(), &unnamed[0].functions[..]),
        ("supplier/A", &["service/s3".to_owned()][..])
    );
    assert_eq!(unnamed[0].contracts, ["contract/c1", "contract/c2"]);
}

#[test]
fn under_the_only_contract_that_nobody_names_stands_what_its_party_supplies_and_that_is_told() {
    let lines = [
        critical("shop", ""),
        ci("contract", "only", ""),
        ci("supplier", "A", ""),
        to("contract/only", "signed_with", "supplier/A"),
        to("service/shop", "supplied_by", "supplier/A"),
    ];
    let answer = registered(&lines);
    assert_eq!(rows(&answer, "B_02.02", [0, 4]), [["only".to_owned(), "service/shop".to_owned()]]);
    let unnamed = found(&answer, FindingKind::ContractNotNamed);
    assert_eq!((unnamed.len(), unnamed[0].subject.as_str()), (1, "supplier/A"));
    assert!(unnamed[0].message.contains("the only one signed with it"), "{}", unnamed[0].message);
}
