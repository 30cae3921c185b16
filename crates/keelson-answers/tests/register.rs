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

#[test]
fn terms_of_a_contract_that_mean_nothing_are_found() {
    let of = |attributes: &str| {
        registered(&[
            critical("shop", ""),
            ci("contract", "c", attributes),
            ci("supplier", "A", r#""country":"Deutschland""#),
            to("contract/c", "signed_with", "supplier/A"),
            to("service/shop", "underpinned_by", "contract/c"),
        ])
    };
    let fine = of(
        r#""ict_service_type":"S19","start":"2026-01-01T00:00:00Z","end":"2027-01-01T00:00:00Z","data_location":"ie""#,
    );
    for kind in [FindingKind::ServiceTypeUnknown, FindingKind::DatesContradict] {
        assert!(found(&fine, kind).is_empty(), "{kind:?}");
    }
    let country: Vec<&str> =
        found(&fine, FindingKind::CountryMalformed).iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(country, ["supplier/A"]);
    assert_eq!(rows(&fine, "B_02.02", [14]), [["IE".to_owned()]]);
    for wrong in ["S00", "S20", "S1", "hosting", ""] {
        let answer = of(&format!(r#""ict_service_type":"{wrong}""#));
        let unknown = found(&answer, FindingKind::ServiceTypeUnknown);
        assert_eq!((unknown.len(), unknown[0].subject.as_str()), (1, "contract/c"), "{wrong}");
    }
    let answer = of(r#""start":"2027-01-01T00:00:00Z","end":"2026-12-01T00:00:00Z","governing_law":"Irish""#);
    let dates = found(&answer, FindingKind::DatesContradict);
    assert!(dates[0].message.contains("2027-01-01") && dates[0].message.contains("2026-12-01"), "{dates:?}");
    let country: Vec<&str> =
        found(&answer, FindingKind::CountryMalformed).iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(country, ["contract/c", "supplier/A"]);
}

#[test]
fn what_discontinuing_a_function_costs_has_its_currency() {
    let answer = registered(&[critical("shop", r#""value_per_hour":{"value":5000.50,"unit":"CHF"}"#)]);
    assert_eq!(rows(&answer, "B_06.01", [9]), [["5000.5 CHF".to_owned()]]);
}

#[test]
fn a_sub_contractor_that_a_contract_itself_names_stands_in_its_chain() {
    let mut lines = vec![
        critical("shop", ""),
        ci("contract", "c", ""),
        ci("contract", "other", ""),
        ci("supplier", "A", ""),
        ci("supplier", "Sub", ""),
        ci("supplier", "Deep", ""),
        to("contract/c", "signed_with", "supplier/A"),
        to("contract/other", "signed_with", "supplier/A"),
        to("contract/c", "subcontracts_to", "supplier/Sub"),
        to("supplier/Sub", "subcontracts_to", "supplier/Deep"),
        to("service/shop", "underpinned_by", "contract/c"),
    ];
    let chain = |answer: &RegisterAnswer| -> Vec<String> {
        rows(answer, "B_05.02", [0, 2, 4, 5]).iter().map(|row| row.join(" ")).collect()
    };
    let answer = registered(&lines);
    assert_eq!(
        chain(&answer),
        ["c supplier/A 1 ", "c supplier/Sub 2 supplier/A", "c supplier/Deep 3 supplier/Sub", "other supplier/A 1 "]
    );
    assert!(found(&answer, FindingKind::RankWithoutRecipient).is_empty());
    // Who says it twice says it once; and of two parties it is not known which passes the work on.
    lines.push(to("supplier/A", "subcontracts_to", "supplier/Sub"));
    assert_eq!(chain(&registered(&lines)).iter().filter(|row| row.starts_with("c supplier/Sub")).count(), 1);
    lines.pop();
    lines.push(ci("supplier", "B", ""));
    lines.push(to("contract/c", "signed_with", "supplier/B"));
    let answer = registered(&lines);
    assert!(chain(&answer).contains(&"c supplier/Sub 2 ".to_owned()));
    assert_eq!(found(&answer, FindingKind::RankWithoutRecipient)[0].subject, "supplier/Sub");
}

#[test]
fn a_chain_that_is_deeper_than_it_is_said_to_be_known_contradicts_itself() {
    let of = |known: u32| {
        registered(&[
            critical("shop", ""),
            ci("contract", "c", ""),
            ci("supplier", "A", &format!(r#""chain_known_to_rank":{known}"#)),
            ci("supplier", "B", ""),
            ci("supplier", "C", ""),
            to("contract/c", "signed_with", "supplier/A"),
            to("supplier/A", "subcontracts_to", "supplier/B"),
            to("supplier/B", "subcontracts_to", "supplier/C"),
            to("service/shop", "underpinned_by", "contract/c"),
        ])
    };
    let answer = of(2);
    let deeper = found(&answer, FindingKind::ChainDeeperThanKnown);
    assert_eq!((deeper.len(), deeper[0].subject.as_str(), deeper[0].rank), (1, "supplier/A", Some(3)));
    assert!(found(&of(3), FindingKind::ChainDeeperThanKnown).is_empty());
}
