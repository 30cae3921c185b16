//! What falls with suppliers, and what is paid to them: what is alike for every loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use keelson_analysis::impact::{Question, Seed, Verdict, impact, verdict};
use keelson_analysis::{Limits, Pool};
use keelson_graph::ItemIx;

use super::super::horizon::Horizon;
use super::super::{Critical, suppliers};
use super::{PaidShare, PairLine, ShareLine, rank};
use crate::attributes::{Money, money, number, value_per_hour};
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, View};

/// What is paid, by currency and supplier.
pub(super) type Spend = BTreeMap<String, Vec<f64>>;

fn spend(view: &View, all: &[ItemIx]) -> Spend {
    let mut spend = Spend::new();
    for paid in all.iter().filter_map(|one| money(view, *one, "annual_spend")) {
        spend.entry(paid.currency).or_default().push(paid.amount);
    }
    spend
}

/// What falls.
#[derive(Clone, Debug, Default)]
pub(super) struct Fall {
    pub(super) felled: BTreeSet<ItemIx>,
    pub(super) touched: BTreeSet<ItemIx>,
}

/// What is the same for every loss.
pub(super) struct Work<'a> {
    pub(super) view: &'a View,
    pub(super) asked: Asked,
    pub(super) pool: &'a Pool,
    pub(super) stop: Option<&'a AtomicBool>,
    /// Every supplier.
    pub(super) all: Vec<ItemIx>,
    pub(super) critical: Critical,
    /// The value of an hour of critical services, in the currency most of them state theirs in.
    values: BTreeMap<ItemIx, f64>,
    pub(super) spend: Spend,
    horizon: &'a Horizon,
}

impl<'a> Work<'a> {
    /// Reads what is paid, and says what is missing of that and of what is critical.
    pub(super) fn of(
        (view, critical): (&'a View, Critical),
        asked: Asked,
        (pool, stop): (&'a Pool, Option<&'a AtomicBool>),
        horizon: &'a Horizon,
        basis: &mut Basis,
    ) -> Self {
        let all = suppliers(view);
        critical.note(basis);
        let (values, spend) = (values(view, &critical.services, basis), spend(view, &all));
        if spend.len() > 1 {
            let currencies: Vec<&str> = spend.keys().map(String::as_str).collect();
            let message = format!(
                "spend is stated in {} currencies ({}): each share is of all that is paid in the same one, and nothing is \
                 added across them",
                currencies.len(),
                currencies.join(", ")
            );
            basis.remark(LimitCode::FigureMissing, message);
        }
        Self { view, asked, pool, stop, all, critical, values, spend, horizon }
    }

    /// What falls when some suppliers are lost together.
    pub(super) fn fall(&self, lost: &[ItemIx]) -> Result<Fall, QuestionError> {
        let seeds: Vec<Seed> = lost.iter().map(|one| Seed::gone(*one)).collect();
        let limits = Limits { stop: self.stop, ..Limits::default() };
        let found = impact(&self.view.graph, &Question { limits, ..Question::about(&seeds) }, self.pool)?;
        let is_critical = |one: &ItemIx| self.critical.services.binary_search(one).is_ok() && !lost.contains(one);
        let touched: BTreeSet<ItemIx> =
            found.touched().unwrap_or_default().iter().copied().filter(is_critical).collect();
        let least = |one: ItemIx| self.view.target(one).min_delivered;
        let breached = |one: &ItemIx| verdict(found.loss(*one), least(*one)) == Verdict::Breached;
        Ok(Fall { felled: touched.iter().copied().filter(breached).collect(), touched })
    }

    pub(super) fn line(&self, name: &str, lost: &[ItemIx], fall: &Fall) -> ShareLine {
        let view = self.view;
        let key = |one: &ItemIx| key_of(&view.catalogue, *one);
        let mut paid = self.paid(lost).into_iter();
        let first = paid.next();
        let months: Option<Vec<f64>> = lost.iter().map(|one| number(view, *one, "substitution_months")).collect();
        let substitution_months = months.and_then(|months| months.into_iter().reduce(f64::max));
        let left = lost.iter().filter_map(|one| self.horizon.months(view, ci_of(*one), self.asked));
        let months_left = left.reduce(f64::min);
        ShareLine {
            name: name.to_owned(),
            suppliers: lost.iter().map(key).collect(),
            felled_count: fall.felled.len(),
            share: share(fall.felled.len(), self.critical.services.len()),
            value_share: self.value_share(&fall.felled),
            felled: fall.felled.iter().map(key).collect(),
            touched_count: fall.touched.len(),
            spend_share: first.as_ref().and_then(|first| first.share),
            spend: first.map(|first| first.paid),
            other_spend: paid.collect(),
            substitution_months,
            months_left,
            is_replaceable_in_time: substitution_months.zip(months_left).map(|(takes, left)| takes <= left),
        }
    }

    /// What is paid to some suppliers, by currency; the one that most suppliers of all are paid in first.
    fn paid(&self, lost: &[ItemIx]) -> Vec<PaidShare> {
        let theirs = spend(self.view, lost);
        let suppliers = |currency: &str| self.spend.get(currency).map_or(0, Vec::len);
        let line = |(currency, paid): (String, Vec<f64>)| {
            let amount: f64 = paid.iter().sum();
            let total: f64 = self.spend.get(&currency).map_or(0.0, |paid| paid.iter().sum());
            let share = (total > 0.0).then(|| amount / total);
            PaidShare { paid: Money { amount, currency }, share }
        };
        let mut lines: Vec<PaidShare> = theirs.into_iter().map(line).collect();
        lines.sort_by_key(|one| std::cmp::Reverse(suppliers(&one.paid.currency)));
        lines
    }

    /// The share of value that falls; absent where no critical service states any.
    fn value_share(&self, felled: &BTreeSet<ItemIx>) -> Option<f64> {
        let total: f64 = self.values.values().sum();
        let fallen = felled.iter().filter_map(|one| self.values.get(one));
        // An empty sum of floats is -0.
        (total > 0.0).then(|| (fallen.sum::<f64>() + 0.0) / total)
    }

    pub(super) fn grouped(&self, name: &dyn Fn(ItemIx) -> Option<String>) -> Result<Vec<ShareLine>, QuestionError> {
        let mut groups: BTreeMap<String, Vec<ItemIx>> = BTreeMap::new();
        for one in &self.all {
            if let Some(name) = name(*one) {
                groups.entry(name).or_default().push(*one);
            }
        }
        let lines = groups.iter().map(|(name, lost)| Ok(self.line(name, lost, &self.fall(lost)?)));
        let mut lines = lines.collect::<Result<Vec<ShareLine>, QuestionError>>()?;
        rank(&mut lines);
        Ok(lines)
    }

    /// Pairs that touch a service both, and of which neither fells it.
    pub(super) fn pairs(
        &self,
        alone: &[(ItemIx, Fall)],
        most: usize,
        basis: &mut Basis,
    ) -> Result<Vec<PairLine>, QuestionError> {
        let mut candidates: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut is_cut = false;
        for service in &self.critical.services {
            let touching: Vec<usize> = (0..alone.len())
                .filter(|at| alone[*at].1.touched.contains(service) && !alone[*at].1.felled.contains(service))
                .collect();
            for (place, first) in touching.iter().enumerate() {
                for second in &touching[place + 1..] {
                    if candidates.len() < most {
                        candidates.insert((*first, *second));
                    } else {
                        is_cut |= !candidates.contains(&(*first, *second));
                    }
                }
            }
        }
        if is_cut {
            basis.limit(LimitCode::Items, format!("joint losses of two suppliers were tried for {most} pairs only"));
        }
        let mut lines = Vec::new();
        for (first, second) in candidates {
            if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                break;
            }
            let ((a, alone_a), (b, alone_b)) = (&alone[first], &alone[second]);
            let both = self.fall(&[*a, *b])?;
            let is_new = |one: &&ItemIx| !alone_a.felled.contains(one) && !alone_b.felled.contains(one);
            let felled: Vec<String> =
                both.felled.iter().filter(is_new).map(|one| key_of(&self.view.catalogue, *one)).collect();
            if !felled.is_empty() {
                let key = |one: &ItemIx| key_of(&self.view.catalogue, *one);
                lines.push(PairLine { suppliers: [key(a), key(b)], felled });
            }
        }
        lines.sort_by(|a, b| b.felled.len().cmp(&a.felled.len()).then_with(|| a.suppliers.cmp(&b.suppliers)));
        Ok(lines)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of services are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What an hour of services is worth, in the currency that most of them state it in; says how many are left out for that.
fn values(view: &View, services: &[ItemIx], basis: &mut Basis) -> BTreeMap<ItemIx, f64> {
    let mut by_currency: BTreeMap<String, BTreeMap<ItemIx, f64>> = BTreeMap::new();
    for (one, value) in services.iter().filter_map(|one| Some((*one, value_per_hour(view, *one)?))) {
        by_currency.entry(value.currency).or_default().insert(one, value.amount);
    }
    let stated: usize = by_currency.values().map(BTreeMap::len).sum();
    let most = by_currency.into_iter().rev().max_by_key(|(_, values)| values.len());
    let Some((currency, values)) = most else { return BTreeMap::new() };
    let other = stated - values.len();
    if other > 0 {
        let message = format!(
            "{other} critical services state their value in another currency than {currency}: shares of value leave them out"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    let without = services.len() - stated;
    if without > 0 {
        let message = format!("{without} critical services state no value of an hour: shares of value leave them out");
        basis.limit(LimitCode::FigureMissing, message);
    }
    values
}
