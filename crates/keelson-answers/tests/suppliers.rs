//! Chains of suppliers, what is left of contracts, and what the register of information finds (analyses 5.1, 5.2, 5.4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::concentration::{ConcentrationQuestion, concentration};
use keelson_answers::supplier::loss::{SupplierLossQuestion, supplier_loss};
use keelson_answers::supplier::register::{FindingKind, RegisterAnswer, RegisterQuestion, register};
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

fn to(dependent: &str, kind: &str, dependency: &str) -> String {
    format!(r#"{{"relationship":{{"dependent":"{dependent}","kind":"{kind}","dependency":"{dependency}"}}}}"#)
}

fn now() -> Asked {
    Asked::now(minutes(0))
}

fn registered(view: &View) -> RegisterAnswer {
    let question = RegisterQuestion { most: 100, ..RegisterQuestion::default() };
    register(view, &question, now(), &Pool::default(), None).unwrap()
}

fn found(answer: &RegisterAnswer, kind: FindingKind) -> Vec<&str> {
    answer.findings.iter().filter(|one| one.kind == kind).map(|one| one.subject.as_str()).collect()
}

/// A shop under a contract with a supplier.
fn shop(contract: &str, supplier: &str) -> Vec<String> {
    vec![
        ci("service", "shop", ""),
        ci("contract", "hosting", contract),
        ci("supplier", "Host", supplier),
        to("service/shop", "underpinned_by", "contract/hosting"),
        to("contract/hosting", "signed_with", "supplier/Host"),
    ]
}

#[test]
fn two_sub_contractors_of_one_rank_that_work_for_each_other_are_a_circle() {
    let mut lines = shop("", "");
    lines.extend([ci("supplier", "B", ""), ci("supplier", "C", "")]);
    lines.extend([
        to("supplier/Host", "subcontracts_to", "supplier/B"),
        to("supplier/Host", "subcontracts_to", "supplier/C"),
        to("supplier/B", "subcontracts_to", "supplier/C"),
    ]);
    assert!(found(&registered(&view(&lines)), FindingKind::CircleOfSubcontractors).is_empty());
    lines.push(to("supplier/C", "subcontracts_to", "supplier/B"));
    let answer = registered(&view(&lines));
    assert_eq!(found(&answer, FindingKind::CircleOfSubcontractors), ["supplier/B", "supplier/C"]);
    assert!(found(&answer, FindingKind::RankWithoutRecipient).is_empty());
}

#[test]
fn who_signed_a_contract_is_direct_though_it_works_for_another_who_did() {
    let mut lines = shop("", "");
    lines.extend([
        ci("supplier", "B", ""),
        to("contract/hosting", "signed_with", "supplier/B"),
        to("supplier/Host", "subcontracts_to", "supplier/B"),
    ]);
    let answer = registered(&view(&lines));
    let chain = answer.templates.iter().find(|one| one.code == "B_05.02").unwrap();
    let rows: Vec<(&str, &str)> = chain.rows.iter().map(|row| (row[2].as_str(), row[4].as_str())).collect();
    assert_eq!(rows, [("supplier/B", "1"), ("supplier/Host", "1")]);
}

#[test]
fn the_register_names_what_is_not_in_it() {
    let mut lines = shop(r#""overarching_reference":"FRAME-1","end":"2026-10-01T00:00:00Z""#, "");
    lines.extend([
        r#"{"ci":{"key":"service/till","class":"service","name":"till","criticality":"critical","attributes":{"rto_minutes":10}}}"#
            .to_owned(),
        ci("supplier", "Loose", ""),
        ci("host", "h1", r#""recovery_minutes":30"#),
        to("service/till", "supplied_by", "supplier/Loose"),
        to("service/till", "runs_on", "host/h1"),
    ]);
    let answer = registered(&view(&lines));
    assert_eq!(found(&answer, FindingKind::UnknownReference), ["contract/hosting"]);
    assert_eq!(found(&answer, FindingKind::SupplierWithoutContract), ["supplier/Loose"]);
    assert_eq!(found(&answer, FindingKind::ObjectiveMissed), ["service/till"]);
    assert_eq!(
        found(&answer, FindingKind::ContractEnded),
        ["contract/hosting"],
        "a service rests on it, critical or not"
    );
}

#[test]
fn a_supplier_that_takes_longer_to_replace_than_its_contract_runs_is_told() {
    let share = |months: &str| {
        let supplier = format!(r#""substitution_months":{months},"ultimate_owner":"supplier/Group""#);
        let mut lines = shop(r#""end":"2027-05-02T00:00:00Z""#, &supplier);
        lines.push(ci("supplier", "Group", r#""country":"DE""#));
        let question = ConcentrationQuestion { most: 10, pairs: 10 };
        concentration(&view(&lines), &question, now(), &Pool::default(), None).unwrap()
    };
    let answer = share("9");
    let host = answer.suppliers.iter().find(|one| one.name == "supplier/Host").unwrap();
    assert!((host.months_left.unwrap() - 5.946).abs() < 0.01, "{:?}", host.months_left);
    assert_eq!(host.is_replaceable_in_time, Some(false));
    let owner = &answer.owners[0];
    assert_eq!((owner.name.as_str(), owner.suppliers.len()), ("supplier/Group", 2), "the owner is in its own group");
    assert_eq!((owner.substitution_months, owner.is_replaceable_in_time), (None, None), "the owner states nothing");
    let host = share("3").suppliers.into_iter().find(|one| one.name == "supplier/Host").unwrap();
    assert_eq!(host.is_replaceable_in_time, Some(true));
}

#[test]
fn a_volume_that_runs_out_before_its_contract_ends_is_told_with_the_contract() {
    let mut lines = shop(
        r#""end":"2028-01-01T00:00:00Z","volume":{"value":120,"unit":"requests/s"}"#,
        r#""chain_known_to_rank":3"#,
    );
    lines[0] =
        ci("service", "shop", r#""peak_demand":{"value":100,"unit":"requests/s"},"demand_growth_per_month":0.02"#);
    lines[3] = r#"{"relationship":{"dependent":"service/shop","kind":"underpinned_by","dependency":"contract/hosting","attributes":{"visits":1}}}"#.to_owned();
    lines.push(ci("supplier", "Sub", r#""chain_known_to_rank":1"#));
    lines.push(to("supplier/Host", "subcontracts_to", "supplier/Sub"));
    let question = SupplierLossQuestion { supplier: "supplier/Host".to_owned(), most: 10, ..Default::default() };
    let answer = supplier_loss(&view(&lines), &question, now(), &Pool::default(), None).unwrap();
    let contract = &answer.contracts[0];
    assert_eq!((contract.runs_out.as_deref(), contract.runs_out_first), (Some("contract/hosting"), Some(true)));
    assert_eq!(answer.chain_known_to_rank, Some(2.0), "its sub-contractor knows nobody behind itself");
}
