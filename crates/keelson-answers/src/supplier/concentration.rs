//! How much rests on few suppliers (analyses 5.2).
//!
//! Suppliers are ranked by what would fall with them, not by what is paid to them: a sub-contractor nobody buys from
//! has no spend, and may take everything.

mod place;
mod work;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use keelson_analysis::Pool;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::horizon::Horizon;
use super::{country_code, critical_services};
use crate::attributes::{Money, money, text};
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, View};

pub use place::Place;
pub(super) use place::place;
use work::{Fall, Work};

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
    /// The share of their value that falls, in the currency most of them state it in; absent where none is.
    pub value_share: Option<f64>,
    /// The services that fall over, by key.
    pub felled: Vec<String>,
    /// How many critical services are touched.
    pub touched_count: usize,
    /// What is paid in a year, where stated; where it is paid in several currencies, in the one that most suppliers are.
    pub spend: Option<Money>,
    /// The share of all that is paid in that currency.
    pub spend_share: Option<f64>,
    /// What is paid in other currencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_spend: Vec<PaidShare>,
    /// Months it would take to replace it, where stated; of a group the longest, where all of it state theirs.
    pub substitution_months: Option<f64>,
    /// Months until the first of its contracts ends, or something that rests on one runs out; below 0 where that is past.
    pub months_left: Option<f64>,
    /// Whether it can be replaced by then; absent where one of the two is not known.
    pub is_replaceable_in_time: Option<bool>,
}

/// What is paid in a currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaidShare {
    /// What is paid in a year.
    pub paid: Money,
    /// The share of all that is paid in that currency; absent where that is nothing.
    pub share: Option<f64>,
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
    let horizon = Horizon::of(view, asked, pool, stop, &mut basis);
    let critical = critical_services(view);
    let loaded = view.loaded_beneath(&critical.services);
    let view = &loaded.view;
    let work = Work::of((view, critical), asked, (pool, stop), &horizon, &mut basis);
    loaded.note(&mut basis);
    let all = &work.all;
    let alone: Vec<(ItemIx, Fall)> =
        all.iter().map(|one| Ok((*one, work.fall(&[*one])?))).collect::<Result<_, QuestionError>>()?;
    let mut lines: Vec<ShareLine> =
        alone.iter().map(|(one, fall)| work.line(&key_of(&view.catalogue, *one), &[*one], fall)).collect();
    rank(&mut lines);
    let by = |name: &dyn Fn(ItemIx) -> Option<String>| work.grouped(name);
    let named = owners_of(view, all);
    let owners = by(&|one| named.get(&one).cloned())?;
    let countries =
        by(&|one| text(view, one, "country").map(|stated| country_code(&stated).unwrap_or_else(|as_is| as_is)))?;
    let regions = by(&|one| text(view, one, "region"))?;
    let pairs = work.pairs(&alone, question.pairs, &mut basis)?;
    basis.stopped(stop);
    let without = all.iter().filter(|one| money(view, **one, "annual_spend").is_none()).count();
    if without > 0 {
        basis.limit(LimitCode::FigureMissing, format!("{without} of {} suppliers state no annual spend", all.len()));
    }
    note_unplaced(view, all, &mut basis);
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
        all.iter().chain(&work.critical.services).copied().map(ci_of).collect::<BTreeSet<_>>().into_iter(),
        asked,
    );
    let cut = |mut lines: Vec<ShareLine>| {
        lines.truncate(question.most);
        lines
    };
    Ok(ConcentrationAnswer {
        critical_count: work.critical.services.len(),
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
    let stated = all.iter().filter_map(|one| Some((*one, text(view, *one, "country")?)));
    let wrong: Vec<(ItemIx, String)> = stated.filter(|(_, country)| country_code(country).is_err()).collect();
    if let Some((first, country)) = wrong.first() {
        let message = format!(
            "{} suppliers state a country that is no code of two letters ('{country}' of '{}' first): each such text is a \
             group of its own; state ISO 3166-1 alpha-2",
            wrong.len(),
            key_of(&view.catalogue, *first)
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// With which of two more falls: that comes first.
fn order(a: &ShareLine, b: &ShareLine) -> Ordering {
    let worth = |line: &ShareLine| line.value_share.unwrap_or(line.share);
    let order = worth(b).total_cmp(&worth(a)).then_with(|| b.felled_count.cmp(&a.felled_count));
    order.then_with(|| b.touched_count.cmp(&a.touched_count)).then_with(|| a.name.cmp(&b.name))
}

fn rank(lines: &mut [ShareLine]) {
    lines.sort_by(order);
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
