//! How much rests on few suppliers (analyses 5.2).
//!
//! Suppliers are ranked by what would fall with them, not by what is paid to them: a sub-contractor nobody buys from
//! has no spend, and may take everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use keelson_analysis::{Limits, Pool};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::horizon::Horizon;
use super::{critical_services, suppliers};
use crate::attributes::{Money, money, number, text, value_per_hour};
use crate::impact::{ImpactQuestion, assess};
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, View};

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConcentrationQuestion {
    /// Most lines of each list.
    pub most: usize,
    /// Most pairs of suppliers that are tried.
    pub pairs: usize,
}

/// What falls with a supplier, or with all of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareLine {
    /// Who: the key of a supplier or of an ultimate owner, or the code of a country or region.
    pub name: String,
    /// The suppliers lost together, by key.
    pub suppliers: Vec<String>,
    /// How many critical services fall over.
    pub felled_count: usize,
    /// The share of the critical services that fall over.
    pub share: f64,
    /// The share of their value that falls, in the currency most value is stated in; absent where none is.
    pub value_share: Option<f64>,
    /// The services that fall over, by key.
    pub felled: Vec<String>,
    /// How many critical services are touched.
    pub touched_count: usize,
    /// What is paid in a year, where stated.
    pub spend: Option<Money>,
    /// The share of all that is paid in that currency.
    pub spend_share: Option<f64>,
    /// Months it would take to replace it, where stated; of a group the longest, where all of it state theirs.
    pub substitution_months: Option<f64>,
    /// Months until the first of its contracts ends, or something that rests on one runs out; below 0 where that is past.
    pub months_left: Option<f64>,
    /// Whether it can be replaced by then; absent where one of the two is not known.
    pub is_replaceable_in_time: Option<bool>,
}

/// Two suppliers neither of which fells a service alone, and both together do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairLine {
    /// The suppliers, by key.
    pub suppliers: [String; 2],
    /// The services that only both together fell, by key.
    pub felled: Vec<String>,
}

/// The concentration of spend in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpendLine {
    /// All that is paid in a year.
    pub total: Money,
    /// To how many suppliers.
    pub suppliers: usize,
    /// The Herfindahl–Hirschman index: the sum of the squared shares in percent, up to 10 000.
    pub hhi: f64,
}

/// How much rests on few suppliers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConcentrationAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many critical services there are.
    pub critical_count: usize,
    /// How many suppliers there are.
    pub supplier_count: usize,
    /// By supplier, those that take most first.
    pub suppliers: Vec<ShareLine>,
    /// By ultimate owner.
    pub owners: Vec<ShareLine>,
    /// By country of the head office.
    pub countries: Vec<ShareLine>,
    /// By region, where suppliers state one.
    pub regions: Vec<ShareLine>,
    /// Pairs that fell together what neither fells alone.
    pub pairs: Vec<PairLine>,
    /// Spend, by currency.
    pub spend: Vec<SpendLine>,
    /// How many suppliers state no spend.
    pub without_spend: usize,
}

/// Finds how much rests on few suppliers.
///
/// # Errors
/// Never for what the catalogue holds; as assessments fail.
pub fn concentration(
    view: &View,
    question: &ConcentrationQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<ConcentrationAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let all = suppliers(view);
    let horizon = Horizon::of(view, asked, pool, stop, &mut basis);
    let (critical, paid) = (critical_services(view), spend(view, &all));
    let work = Work { view, asked, pool, stop, critical, spend: paid, horizon };
    let alone: Vec<(ItemIx, Fall)> =
        all.iter().map(|one| Ok((*one, work.fall(&[*one])?))).collect::<Result<_, QuestionError>>()?;
    let mut lines: Vec<ShareLine> =
        alone.iter().map(|(one, fall)| work.line(&key_of(&view.catalogue, *one), &[*one], fall)).collect();
    rank(&mut lines);
    let by = |name: &dyn Fn(ItemIx) -> Option<String>| work.grouped(&all, name);
    let named = owners_of(view, &all);
    let owners = by(&|one| named.get(&one).cloned())?;
    let countries = by(&|one| text(view, one, "country"))?;
    let regions = by(&|one| text(view, one, "region"))?;
    let pairs = work.pairs(&alone, question.pairs, &mut basis)?;
    basis.stopped(stop);
    let without = all.iter().filter(|one| money(view, **one, "annual_spend").is_none()).count();
    if without > 0 {
        basis.limit(LimitCode::FigureMissing, format!("{without} of {} suppliers state no annual spend", all.len()));
    }
    note_unplaced(view, &all, &mut basis);
    for (what, shown) in [
        ("suppliers", lines.len()),
        ("ultimate owners", owners.len()),
        ("countries", countries.len()),
        ("regions", regions.len()),
        ("pairs of suppliers", pairs.len()),
    ] {
        basis.page(what, shown.min(question.most), shown);
    }
    basis.rests_on(
        view,
        all.iter().chain(&work.critical).copied().map(ci_of).collect::<BTreeSet<_>>().into_iter(),
        asked,
    );
    let cut = |mut lines: Vec<ShareLine>| {
        lines.truncate(question.most);
        lines
    };
    Ok(ConcentrationAnswer {
        critical_count: work.critical.len(),
        supplier_count: all.len(),
        suppliers: cut(lines),
        owners: cut(owners),
        countries: cut(countries),
        regions: cut(regions),
        pairs: pairs.into_iter().take(question.most).collect(),
        spend: work.spend.iter().map(|(currency, paid)| spend_line(currency, paid)).collect(),
        without_spend: without,
        basis,
    })
}

/// The ultimate owner of each supplier, by key. Somebody whom others name is at the top of its own group.
fn owners_of(view: &View, all: &[ItemIx]) -> BTreeMap<ItemIx, String> {
    let mut owners: BTreeMap<ItemIx, String> =
        all.iter().filter_map(|one| Some((*one, text(view, *one, "ultimate_owner")?))).collect();
    let named: BTreeSet<String> = owners.values().cloned().collect();
    for one in all {
        let key = key_of(&view.catalogue, *one);
        if named.contains(&key) {
            owners.entry(*one).or_insert(key);
        }
    }
    owners
}

/// Says how many suppliers are in no group, because nobody says where they belong.
fn note_unplaced(view: &View, all: &[ItemIx], basis: &mut Basis) {
    let owners = owners_of(view, all);
    let without = |name: &str| all.iter().filter(|one| text(view, **one, name).is_none()).count();
    for (what, count) in [
        ("no ultimate owner", all.iter().filter(|one| !owners.contains_key(one)).count()),
        ("no country", without("country")),
        ("no region", without("region")),
    ] {
        if count > 0 {
            let message = format!("{count} of {} suppliers state {what}, and are in no group of that kind", all.len());
            basis.remark(LimitCode::FigureMissing, message);
        }
    }
}

fn rank(lines: &mut [ShareLine]) {
    let worth = |line: &ShareLine| line.value_share.unwrap_or(line.share);
    lines.sort_by(|a, b| {
        let order = worth(b).total_cmp(&worth(a)).then_with(|| b.felled_count.cmp(&a.felled_count));
        order.then_with(|| b.touched_count.cmp(&a.touched_count)).then_with(|| a.name.cmp(&b.name))
    });
}

/// What is paid, by currency and supplier.
type Spend = BTreeMap<String, Vec<f64>>;

fn spend(view: &View, all: &[ItemIx]) -> Spend {
    let mut spend = Spend::new();
    for paid in all.iter().filter_map(|one| money(view, *one, "annual_spend")) {
        spend.entry(paid.currency).or_default().push(paid.amount);
    }
    spend
}

/// The Herfindahl–Hirschman index of shares: the sum of their squares, in percent.
#[must_use]
pub fn hhi(paid: &[f64]) -> f64 {
    let total: f64 = paid.iter().sum();
    if total <= 0.0 { 0.0 } else { paid.iter().map(|one| (100.0 * one / total).powi(2)).sum() }
}

fn spend_line(currency: &str, paid: &[f64]) -> SpendLine {
    let total = Money { amount: paid.iter().sum(), currency: currency.to_owned() };
    SpendLine { total, suppliers: paid.len(), hhi: hhi(paid) }
}

/// What falls.
#[derive(Clone, Debug, Default)]
struct Fall {
    felled: BTreeSet<ItemIx>,
    touched: BTreeSet<ItemIx>,
}

/// What is the same for every loss.
struct Work<'a> {
    view: &'a View,
    asked: Asked,
    pool: &'a Pool,
    stop: Option<&'a AtomicBool>,
    critical: Vec<ItemIx>,
    spend: Spend,
    horizon: Horizon,
}

impl Work<'_> {
    fn fall(&self, lost: &[ItemIx]) -> Result<Fall, QuestionError> {
        let seeds = lost.iter().map(|one| (key_of(&self.view.catalogue, *one), 1.0)).collect();
        let limits = Limits { stop: self.stop, ..Limits::default() };
        let question = ImpactQuestion { seeds, interval: None, budget: 0, limits };
        let found = assess(self.view, &question, self.asked, self.pool)?;
        let is_critical = |one: &ItemIx| self.critical.binary_search(one).is_ok();
        let losing = found.affected_services().iter().copied().filter(is_critical);
        let breached = |one: &ItemIx| found.verdict(*one) == keelson_analysis::impact::Verdict::Breached;
        let touched = losing.clone().chain(found.protected().iter().copied().filter(is_critical)).collect();
        Ok(Fall { felled: losing.filter(breached).collect(), touched })
    }

    fn line(&self, name: &str, lost: &[ItemIx], fall: &Fall) -> ShareLine {
        let view = self.view;
        let key = |one: &ItemIx| key_of(&view.catalogue, *one);
        let paid: Vec<Money> = lost.iter().filter_map(|one| money(view, *one, "annual_spend")).collect();
        let spend = paid.first().map(|first| Money {
            amount: paid.iter().filter(|one| one.currency == first.currency).map(|one| one.amount).sum(),
            currency: first.currency.clone(),
        });
        let share_of = |spend: &Money| {
            let total: f64 = self.spend.get(&spend.currency).map_or(0.0, |paid| paid.iter().sum());
            (total > 0.0).then(|| spend.amount / total)
        };
        let months: Option<Vec<f64>> = lost.iter().map(|one| number(view, *one, "substitution_months")).collect();
        let substitution_months = months.and_then(|months| months.into_iter().reduce(f64::max));
        let left = lost.iter().filter_map(|one| self.horizon.months(view, ci_of(*one), self.asked));
        let months_left = left.reduce(f64::min);
        ShareLine {
            name: name.to_owned(),
            suppliers: lost.iter().map(key).collect(),
            felled_count: fall.felled.len(),
            share: share(fall.felled.len(), self.critical.len()),
            value_share: self.value_share(&fall.felled),
            felled: fall.felled.iter().map(key).collect(),
            touched_count: fall.touched.len(),
            spend_share: spend.as_ref().and_then(share_of),
            spend,
            substitution_months,
            months_left,
            is_replaceable_in_time: substitution_months.zip(months_left).map(|(takes, left)| takes <= left),
        }
    }

    /// The share of value that falls, in the currency in which most value is stated.
    fn value_share(&self, felled: &BTreeSet<ItemIx>) -> Option<f64> {
        let mut totals: BTreeMap<String, f64> = BTreeMap::new();
        let values: Vec<(ItemIx, Money)> =
            self.critical.iter().filter_map(|one| Some((*one, value_per_hour(self.view, *one)?))).collect();
        for (_, value) in &values {
            *totals.entry(value.currency.clone()).or_default() += value.amount;
        }
        let (currency, total) =
            totals.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, total)| *total > 0.0)?;
        let fallen = values.iter().filter(|(one, value)| value.currency == currency && felled.contains(one));
        // An empty sum of floats is -0.
        Some((fallen.map(|(_, value)| value.amount).sum::<f64>() + 0.0) / total)
    }

    fn grouped(
        &self,
        all: &[ItemIx],
        name: &dyn Fn(ItemIx) -> Option<String>,
    ) -> Result<Vec<ShareLine>, QuestionError> {
        let mut groups: BTreeMap<String, Vec<ItemIx>> = BTreeMap::new();
        for one in all {
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
    fn pairs(&self, alone: &[(ItemIx, Fall)], most: usize, basis: &mut Basis) -> Result<Vec<PairLine>, QuestionError> {
        let mut candidates: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut is_cut = false;
        for service in &self.critical {
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
