//! What is added up, divided and taken for granted where much rests on few suppliers (analyses 5.2).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::concentration::{ConcentrationAnswer, ConcentrationQuestion, concentration};
use keelson_answers::supplier::register::{RegisterQuestion, register};
use keelson_answers::{Asked, Basis, View};
use keelson_testkit::{Estate, minutes};

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"procurement","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;

fn view(lines: &[String]) -> View {
    let batch: Vec<&str> = [HEAD].into_iter().chain(lines.iter().map(String::as_str)).collect();
    Estate::of_text(&(batch.join("\n") + "\n")).view()
}

fn ci(class: &str, name: &str, criticality: &str, attributes: &str) -> String {
    format!(
        r#"{{"ci":{{"key":"{class}/{name}","class":"{class}","name":"{name}",{criticality}"attributes":{{{attributes}}}}}}}"#
    )
}

fn service(name: &str, attributes: &str) -> String {
    ci("service", name, r#""criticality":"high","#, attributes)
}

fn supplier(name: &str, attributes: &str) -> String {
    ci("supplier", name, "", attributes)
}

fn on(service: &str, supplier: &str) -> String {
    format!(
        r#"{{"relationship":{{"dependent":"service/{service}","kind":"supplied_by","dependency":"supplier/{supplier}"}}}}"#
    )
}

fn now() -> Asked {
    Asked::now(minutes(0))
}

fn asked(lines: &[String]) -> ConcentrationAnswer {
    let question = ConcentrationQuestion { most: 10, pairs: 10 };
    concentration(&view(lines), &question, now(), &Pool::default(), None).unwrap()
}

fn says(basis: &Basis, part: &str) -> bool {
    basis.limits.iter().any(|limit| limit.message.contains(part))
}

#[test]
fn that_all_services_count_as_critical_because_none_says_is_told() {
    const SAID: &str = "no service states how critical it is: all count as critical";
    let silent = [ci("service", "shop", "", ""), supplier("A", ""), on("shop", "A")];
    let answer = asked(&silent);
    assert_eq!((answer.critical_count, answer.basis.complete), (1, false));
    assert!(says(&answer.basis, SAID), "{:?}", answer.basis.limits);
    let question = RegisterQuestion { most: 10, ..RegisterQuestion::default() };
    let answer = register(&view(&silent), &question, now(), &Pool::default(), None).unwrap();
    assert!(says(&answer.basis, SAID), "{:?}", answer.basis.limits);
    assert!(!says(&asked(&[service("shop", ""), supplier("A", ""), on("shop", "A")]).basis, SAID));
}

#[test]
fn what_is_paid_in_two_currencies_is_neither_added_nor_divided() {
    let paid = |amount: u32, currency: &str| {
        format!(r#""country":"DE","annual_spend":{{"value":{amount},"unit":"{currency}"}}"#)
    };
    let answer = asked(&[
        service("shop", ""),
        supplier("A", &paid(100, "EUR")),
        supplier("B", &paid(300, "EUR")),
        supplier("C", &paid(1_000, "CHF")),
        on("shop", "A"),
    ]);
    let country = &answer.countries[0];
    let euros = country.spend.as_ref().unwrap();
    assert_eq!((euros.amount, euros.currency.as_str(), country.spend_share), (400.0, "EUR", Some(1.0)));
    let [francs] = &country.other_spend[..] else { panic!("{country:?}") };
    assert_eq!((francs.paid.amount, francs.paid.currency.as_str(), francs.share), (1_000.0, "CHF", Some(1.0)));
    let of = |name: &str| answer.suppliers.iter().find(|one| one.name == name).unwrap();
    assert_eq!((of("supplier/A").spend_share, of("supplier/C").spend_share), (Some(0.25), Some(1.0)));
    assert!(says(&answer.basis, "spend is stated in 2 currencies (CHF, EUR)"), "{:?}", answer.basis.limits);
}

#[test]
fn shares_of_value_are_of_one_currency_and_what_they_leave_out_is_told() {
    let worth = |amount: u32, currency: &str| format!(r#""value_per_hour":{{"value":{amount},"unit":"{currency}"}}"#);
    let answer = asked(&[
        service("a", &worth(10, "EUR")),
        service("b", &worth(30, "EUR")),
        service("c", &worth(9_000, "USD")),
        service("d", ""),
        supplier("A", ""),
        on("a", "A"),
    ]);
    assert_eq!(answer.suppliers[0].value_share, Some(0.25), "most services state euros");
    assert!(says(&answer.basis, "1 critical services state their value in another currency than EUR"));
    assert!(says(&answer.basis, "1 critical services state no value of an hour"));
}

#[test]
fn a_country_is_one_however_its_code_is_written_and_what_is_no_code_is_named() {
    let of = |name: &str, country: &str| supplier(name, &format!(r#""country":"{country}""#));
    let answer = asked(&[
        service("shop", ""),
        of("A", "DE"),
        of("B", "de"),
        of("C", "Germany"),
        of("D", " De"),
        on("shop", "A"),
    ]);
    let countries: Vec<(&str, usize)> =
        answer.countries.iter().map(|one| (one.name.as_str(), one.suppliers.len())).collect();
    assert_eq!(countries, [("DE", 3), ("Germany", 1)]);
    assert!(says(
        &answer.basis,
        "1 suppliers state a country that is no code of two letters ('Germany' of 'supplier/C'"
    ));
}
