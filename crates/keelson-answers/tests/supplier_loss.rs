//! What is told beside what falls over with a supplier: its place, alternatives, circles (analyses 5.1, 5.2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use keelson_analysis::Pool;
use keelson_answers::supplier::concentration::{ConcentrationQuestion, concentration};
use keelson_answers::supplier::loss::{SupplierLossAnswer, SupplierLossQuestion, supplier_loss};
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

fn lost(view: &View, supplier: &str) -> SupplierLossAnswer {
    let question = SupplierLossQuestion { supplier: supplier.to_owned(), most: 10, ..Default::default() };
    supplier_loss(view, &question, now(), &Pool::default(), None).unwrap()
}

/// A shop on a line of A and one of B, of which one is enough, and a till on A alone; C works for B, D is spare.
fn lines() -> Vec<String> {
    vec![
        ci("service", "shop", r#""value_per_hour":{"value":30,"unit":"EUR"}"#),
        ci("service", "till", r#""value_per_hour":{"value":10,"unit":"EUR"}"#),
        ci("circuit", "a", ""),
        ci("circuit", "b", ""),
        ci(
            "supplier",
            "A",
            r#""alternative_supplier":"supplier/B","substitutability":"difficult","substitution_months":9,"annual_spend":{"value":30,"unit":"EUR"}"#,
        ),
        ci("supplier", "B", r#""annual_spend":{"value":90,"unit":"EUR"},"alternative_supplier":"supplier/Nobody""#),
        ci("supplier", "C", r#""chain_known_to_rank":1,"alternative_supplier":"supplier/B""#),
        ci("supplier", "D", ""),
        to("circuit/a", "supplied_by", "supplier/A"),
        to("circuit/b", "supplied_by", "supplier/B"),
        to("service/till", "uses", "circuit/a"),
        to("supplier/B", "subcontracts_to", "supplier/C"),
        r#"{"need":{"dependent":"service/shop","name":"lines","rule":"any","members":["circuit/a","circuit/b"]}}"#
            .to_owned(),
    ]
}

#[test]
fn its_place_is_that_of_the_concentration() {
    let view = view(&lines());
    let question = ConcentrationQuestion { most: 10, pairs: 10 };
    let all = concentration(&view, &question, now(), &Pool::default(), None).unwrap();
    for (at, line) in all.suppliers.iter().enumerate() {
        let place = lost(&view, &line.name).place.unwrap();
        assert_eq!((place.rank, place.supplier_count, place.critical_count), (Some(at + 1), 4, 2), "{}", line.name);
        assert_eq!(&place.line, line);
    }
    let place = lost(&view, "supplier/A").place.unwrap();
    assert_eq!((place.rank, place.line.value_share, place.line.spend_share), (Some(1), Some(0.25), Some(0.25)));
    assert!(lost(&view, "circuit/a").place.is_none(), "it is no supplier");
}

#[test]
fn who_could_take_its_place_is_told_and_whether_it_falls_too() {
    let view = view(&lines());
    let answer = lost(&view, "supplier/A");
    assert_eq!((answer.substitutability.as_deref(), answer.substitution_months), (Some("difficult"), Some(9.0)));
    let other = answer.alternative.unwrap();
    assert_eq!((other.key.as_str(), other.name.as_deref(), other.loss), ("supplier/B", Some("B"), Some(0.0)));
    assert!(other.shared.is_empty());
    let other = lost(&view, "supplier/C").alternative.unwrap();
    assert_eq!((other.loss, other.shared), (Some(1.0), vec!["supplier/C".to_owned()]), "B rests on C itself");
    let answer = lost(&view, "supplier/B");
    let other = answer.alternative.unwrap();
    assert_eq!((other.key.as_str(), other.name, other.loss), ("supplier/Nobody", None, None));
    assert!(answer.basis.limits.iter().any(|limit| limit.message.contains("'supplier/Nobody'")));
    assert!(lost(&view, "supplier/D").alternative.is_none());
}

#[test]
fn what_stands_in_for_what_is_lost_is_told_need_by_need() {
    let view = view(&lines());
    let answer = lost(&view, "supplier/A");
    let [line] = &answer.standing_in[..] else { unreachable!("{:?}", answer.standing_in) };
    assert_eq!((line.of_item.key.as_str(), line.need.name.as_str(), line.holds), ("service/shop", "lines", Some(true)));
    assert_eq!((&line.lost[..], &line.standing[..]), (&["circuit/a".to_owned()][..], &["circuit/b".to_owned()][..]));
    assert_eq!(lost(&view, "supplier/C").standing_in[0].lost, ["circuit/b"], "at any depth");
    assert!(lost(&view, "supplier/D").standing_in.is_empty());
}

#[test]
fn circles_of_sub_contractors_and_chains_that_contradict_themselves_are_told() {
    let mut lines = lines();
    assert!(lost(&view(&lines), "supplier/B").circles.is_empty());
    lines.push(to("supplier/C", "subcontracts_to", "supplier/D"));
    lines.push(to("supplier/D", "subcontracts_to", "supplier/B"));
    let answer = lost(&view(&lines), "supplier/B");
    let [circle] = &answer.circles[..] else { unreachable!("{:?}", answer.circles) };
    assert_eq!((circle.recipient.as_str(), circle.provider.as_str()), ("supplier/D", "supplier/B"));
    let said =
        answer.basis.limits.iter().any(|limit| limit.message.contains("'supplier/C' says that its chain is known"));
    assert!(said, "{:?}", answer.basis.limits);
}

#[test]
fn what_falls_is_counted_whatever_finds_room() {
    let mut lines = lines();
    lines.push(ci("service", "kiosk", ""));
    lines.push(to("service/kiosk", "uses", "circuit/a"));
    let view = view(&lines);
    let question = SupplierLossQuestion { supplier: "supplier/A".to_owned(), most: 1, ..Default::default() };
    let answer = supplier_loss(&view, &question, now(), &Pool::default(), None).unwrap();
    assert_eq!((answer.falls_over_count, answer.falls_over.len()), (2, 1));
}
