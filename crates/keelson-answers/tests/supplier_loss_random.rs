//! The loss of a supplier on random estates, circles among them, against a plain fixpoint computed here: what is touched
//! is what reaches it, what falls over is breached, what loses something and is not breached is degraded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use keelson_analysis::Pool;
use keelson_answers::Asked;
use keelson_answers::supplier::loss::{SupplierLossAnswer, SupplierLossQuestion, TouchedService, supplier_loss};
use keelson_testkit::{Estate, minutes};
use proptest::prelude::*;

const HEAD: &str = r#"{"batch":{"format":"keelson/1","source":"random","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}"#;
/// Items of each class.
const EACH: usize = 4;
const CLASSES: [&str; 3] = ["supplier", "host", "service"];

/// How the members of a need combine.
#[derive(Clone, Copy, Debug)]
enum Combine {
    All,
    Any,
    AtLeast(usize),
}

#[derive(Clone, Debug)]
struct Need {
    owner: usize,
    members: BTreeSet<usize>,
    combine: Combine,
    /// In tenths; a hard need has ten.
    cap: u8,
}

#[derive(Clone, Debug)]
struct Random {
    needs: Vec<Need>,
    /// What each service must deliver, in tenths; 0 where it states nothing.
    least: Vec<u8>,
}

fn key(item: usize) -> String {
    format!("{}/n{item}", CLASSES[item / EACH])
}

fn random() -> impl Strategy<Value = Random> {
    let items = EACH * CLASSES.len();
    let combine = prop_oneof![Just(Combine::All), Just(Combine::Any), (1usize..4).prop_map(Combine::AtLeast)];
    let cap = prop_oneof![3 => Just(10u8), 1 => 1u8..10];
    let need = (0..items, prop::collection::btree_set(0..items, 1..4), combine, cap);
    let need = need.prop_filter_map("it needs something else", |(owner, mut members, combine, cap)| {
        members.remove(&owner);
        let most = members.len();
        let combine = match combine {
            Combine::AtLeast(k) => Combine::AtLeast(k.clamp(1, most.max(1))),
            other => other,
        };
        (most > 0).then_some(Need { owner, members, combine, cap })
    });
    let least = prop::collection::vec(0u8..=10, EACH);
    (prop::collection::vec(need, 4..18), least).prop_map(|(needs, least)| Random { needs, least })
}

fn answered(estate: &Random, supplier: usize) -> SupplierLossAnswer {
    let mut lines = vec![HEAD.to_owned()];
    for item in 0..EACH * CLASSES.len() {
        let (key, class) = (key(item), CLASSES[item / EACH]);
        let least = item.checked_sub(2 * EACH).map_or(0, |at| estate.least[at]);
        let stated =
            if least == 0 { String::new() } else { format!(r#""minimum_delivered":{}"#, f64::from(least) / 10.0) };
        lines.push(format!(
            r#"{{"ci":{{"key":"{key}","class":"{class}","name":"n{item}","attributes":{{{stated}}}}}}}"#
        ));
    }
    for (at, need) in estate.needs.iter().enumerate() {
        let members: Vec<String> = need.members.iter().map(|one| format!("\"{}\"", key(*one))).collect();
        let rule = match need.combine {
            Combine::All => r#""rule":"all""#.to_owned(),
            Combine::Any => r#""rule":"any""#.to_owned(),
            Combine::AtLeast(k) => format!(r#""rule":"at_least","k":{k}"#),
        };
        let cap = if need.cap == 10 { String::new() } else { format!(r#","cap":{}"#, f64::from(need.cap) / 10.0) };
        lines.push(format!(
            r#"{{"need":{{"dependent":"{}","name":"need {at}",{rule},"members":[{}]{cap}}}}}"#,
            key(need.owner),
            members.join(",")
        ));
    }
    let view = Estate::of_text(&(lines.join("\n") + "\n")).view();
    let question = SupplierLossQuestion { supplier: key(supplier), most: 100, ..SupplierLossQuestion::default() };
    supplier_loss(&view, &question, Asked::now(minutes(0)), &Pool::default(), None).unwrap()
}

/// The least losses that the loss of one item forces, in tenths: repeated until nothing changes.
fn losses(estate: &Random, lost: usize) -> Vec<u8> {
    let mut losses = vec![0u8; EACH * CLASSES.len()];
    losses[lost] = 10;
    loop {
        let before = losses.clone();
        for need in &estate.needs {
            let mut of: Vec<u8> = need.members.iter().map(|one| losses[*one]).collect();
            of.sort_unstable_by(|a, b| b.cmp(a));
            // With k of n needed, the need loses what the (n - k + 1)-th largest loss is.
            let needed = match need.combine {
                Combine::All => of.len(),
                Combine::Any => 1,
                Combine::AtLeast(k) => k,
            };
            let loss = of[of.len() - needed].min(need.cap);
            losses[need.owner] = losses[need.owner].max(loss);
        }
        if losses == before {
            return losses;
        }
    }
}

/// What reaches an item, directly or not.
fn reaching(estate: &Random, from: usize) -> BTreeSet<usize> {
    let mut met = BTreeSet::from([from]);
    loop {
        let before = met.len();
        for need in &estate.needs {
            if need.members.iter().any(|one| met.contains(one)) {
                met.insert(need.owner);
            }
        }
        if met.len() == before {
            met.remove(&from);
            return met;
        }
    }
}

fn told(lines: &[TouchedService]) -> BTreeMap<String, u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a loss is from 0 to 1")]
    let tenths = |loss: f64| (loss * 10.0).round() as u8;
    lines.iter().map(|one| (one.subject.key.clone(), tenths(one.loss))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_loss_of_a_supplier_is_what_a_plain_fixpoint_says(estate in random(), supplier in 0..EACH) {
        let answer = answered(&estate, supplier);
        let losses = losses(&estate, supplier);
        let touched: BTreeSet<usize> = reaching(&estate, supplier).into_iter().filter(|one| *one >= 2 * EACH).collect();
        let is_breached = |one: &usize| {
            let least = estate.least[one - 2 * EACH];
            // What states nothing is breached when it is gone.
            if least == 0 { losses[*one] == 10 } else { 10 - losses[*one] < least }
        };
        let of = |fits: &dyn Fn(&usize) -> bool| -> BTreeMap<String, u8> {
            touched.iter().filter(|one| fits(one)).map(|one| (key(*one), losses[*one])).collect()
        };
        let falls = of(&|one| losses[*one] > 0 && is_breached(one));
        prop_assert_eq!(answer.touched_count, touched.len());
        prop_assert_eq!(told(&answer.falls_over), falls.clone());
        prop_assert_eq!(told(&answer.degraded), of(&|one| losses[*one] > 0 && !is_breached(one)));
        prop_assert_eq!(told(&answer.holds), of(&|one| losses[*one] == 0));
        // No service states how critical it is, so all count.
        let place = answer.place.unwrap();
        prop_assert_eq!(place.line.felled.into_iter().collect::<BTreeSet<_>>(), falls.into_keys().collect());
        prop_assert_eq!(place.line.touched_count, touched.len());
    }
}
