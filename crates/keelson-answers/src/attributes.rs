//! Figures that configuration items state about themselves, as the analyses take them. What is not stated is
//! absent: whoever asks decides what that means, and says so in its answer.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::subject::ci_of;
use crate::{Basis, LimitCode, View};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// How much.
    pub amount: f64,
    /// In which currency, by its ISO 4217 code.
    pub currency: String,
}

/// A number with its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Amount {
    /// How much.
    pub value: f64,
    /// In which unit.
    pub unit: String,
}

/// A span of minutes that holds the true number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Minutes {
    /// At least.
    pub least: f64,
    /// At most.
    pub most: f64,
}

/// Minutes in a year of 365 days.
pub const MINUTES_A_YEAR: f64 = 525_600.0;
/// Hours in a year of 365 days.
pub const HOURS_A_YEAR: f64 = 8_760.0;

/// A number an item states, in the unit of its attribute.
pub(crate) fn number(view: &View, item: ItemIx, name: &str) -> Option<f64> {
    value(view, ci_of(item), name)?.as_f64()
}

/// A text an item states.
pub(crate) fn text(view: &View, item: ItemIx, name: &str) -> Option<String> {
    value(view, ci_of(item), name)?.as_text().map(str::to_owned)
}

/// A list of texts an item states; a single text is a list of one.
pub(crate) fn texts(view: &View, item: ItemIx, name: &str) -> Option<Vec<String>> {
    match value(view, ci_of(item), name)? {
        Value::List(values) => Some(values.iter().filter_map(Value::as_text).map(str::to_owned).collect()),
        one => one.as_text().map(|text| vec![text.to_owned()]),
    }
}

/// The attribute of a service that states up to which demand its targets are promised.
pub(crate) const WORKLOAD_LIMIT: &str = "workload_limit";

/// How much there is of an item: its capacity, the volume of a contract, or the limit of a quota; above 0.
pub(crate) fn capacity(view: &View, item: ItemIx) -> Option<Amount> {
    stated_capacity(view, item).filter(|capacity| capacity.value > 0.0)
}

/// As [`capacity`], also where it is stated as nothing.
pub(crate) fn stated_capacity(view: &View, item: ItemIx) -> Option<Amount> {
    ["capacity", "volume", "limit", WORKLOAD_LIMIT].iter().find_map(|name| amount(view, item, name))
}

/// A number with a unit that an item states.
pub(crate) fn amount(view: &View, item: ItemIx, name: &str) -> Option<Amount> {
    let value = value(view, ci_of(item), name)?;
    let Value::Quantity(quantity) = value else { return None };
    Some(Amount { value: value.as_f64()?, unit: quantity.unit.to_string() })
}

/// An amount of money an item states.
pub(crate) fn money(view: &View, item: ItemIx, name: &str) -> Option<Money> {
    amount(view, item, name).map(|amount| Money { amount: amount.value, currency: amount.unit })
}

/// What an hour without an item costs, where stated.
pub(crate) fn value_per_hour(view: &View, item: ItemIx) -> Option<Money> {
    money(view, item, "value_per_hour")
}

/// Yes or no, as an item states it.
pub(crate) fn flag(view: &View, item: ItemIx, name: &str) -> Option<bool> {
    match value(view, ci_of(item), name)? {
        Value::Boolean(flag) => Some(*flag),
        _ => None,
    }
}

/// A moment an item states.
pub(crate) fn moment(view: &View, item: ItemIx, name: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    match value(view, ci_of(item), name)? {
        Value::Time(at) => Some(*at),
        _ => None,
    }
}

/// Own unavailability: lower and upper end, alike where it is known exactly.
pub(crate) fn unavailability(view: &View, item: ItemIx) -> Option<(f64, f64)> {
    own_unavailability(view, item).map(|own| (own.low, own.high))
}

/// What an item states of its own unavailability, as fractions of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnUnavailability {
    /// It is not below this.
    pub(crate) low: f64,
    /// It is not above this.
    pub(crate) high: f64,
    /// What is to be expected: what is stated, or else the middle of the interval.
    pub(crate) expected: f64,
    /// How what is stated contradicts itself.
    pub(crate) fault: Option<UnavailabilityFault>,
}

/// How what an item states of its unavailability contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UnavailabilityFault {
    /// The lower end of the interval lies above the upper one.
    Inverted,
    /// The figure lies outside the interval that is stated beside it.
    Outside,
}

/// Own unavailability as it is stated. An end that is not stated is the stated value, or else the whole range on its side.
/// Where none is stated, it is MTTR / (MTBF + MTTR) of what is stated of failures and repairs. The interval always holds
/// all that is stated, so that what contradicts itself makes an answer wider and never surer.
pub(crate) fn own_unavailability(view: &View, item: ItemIx) -> Option<OwnUnavailability> {
    let number = |name| number(view, item, name);
    let exact = number("unavailability");
    let (low, high) = (number("unavailability_low"), number("unavailability_high"));
    if exact.is_none() && low.is_none() && high.is_none() {
        let (up, down) = (number("mtbf_hours")?, number("repair_minutes")? / 60.0);
        let share = if up + down > 0.0 { down / (up + down) } else { return None };
        return Some(OwnUnavailability { low: share, high: share, expected: share, fault: None });
    }
    let is_inverted = low.zip(high).is_some_and(|(low, high)| low > high);
    let below = exact.zip(low).is_some_and(|(exact, low)| exact < low);
    let is_outside = below || exact.zip(high).is_some_and(|(exact, high)| exact > high);
    let fault = match () {
        () if is_inverted => Some(UnavailabilityFault::Inverted),
        () if is_outside => Some(UnavailabilityFault::Outside),
        () => None,
    };
    let low = low.or(exact).unwrap_or(0.0);
    let high = high.or(exact).unwrap_or(1.0);
    let among = exact.unwrap_or(low);
    let (low, high) = (low.min(high).min(among), high.max(low).max(among));
    Some(OwnUnavailability { low, high, expected: exact.unwrap_or(f64::midpoint(low, high)), fault })
}

/// Whether an item is an agreement: it is signed, and neither fails of itself nor has to be started.
pub(crate) fn is_agreement(view: &View, item: ItemIx) -> bool {
    let classes = &view.catalogue.schema().classes;
    ["contract", "licence", "quota"].iter().any(|class| classes.is_a(&view.catalogue.ci(ci_of(item)).class, class))
}

/// Whether an item is a service that has needs: it is there when they hold, and nothing of itself.
pub(crate) fn rests_on_needs(view: &View, item: ItemIx) -> bool {
    view.is_service(ci_of(item)) && view.graph.needs(item).next().is_some()
}

fn value<'a>(view: &'a View, ix: CiIx, name: &str) -> Option<&'a Value> {
    view.catalogue.ci(ix).attribute(name)
}

/// Adds amounts of money by currency.
pub(crate) fn add(sum: &mut Vec<Money>, more: &Money) {
    match sum.iter_mut().find(|one| one.currency == more.currency) {
        Some(one) => one.amount += more.amount,
        None => sum.push(more.clone()),
    }
}

/// Puts what states a value in order, those worth most first. Nothing is converted: of several currencies the one that is
/// stated most often comes first, and what states no value comes last.
pub(crate) struct Worth(Vec<String>);

impl Worth {
    /// The order of some values.
    pub(crate) fn of(values: impl IntoIterator<Item = Money>) -> Self {
        let mut stated: BTreeMap<String, usize> = BTreeMap::new();
        for value in values {
            *stated.entry(value.currency).or_default() += 1;
        }
        let mut currencies: Vec<(String, usize)> = stated.into_iter().collect();
        currencies.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self(currencies.into_iter().map(|(currency, _)| currency).collect())
    }

    /// Which of two comes first.
    pub(crate) fn compare(&self, a: Option<&Money>, b: Option<&Money>) -> Ordering {
        let place = |value: Option<&Money>| {
            let known = |value: &Money| self.0.iter().position(|one| *one == value.currency);
            value.and_then(known).unwrap_or(self.0.len())
        };
        let amount = |value: Option<&Money>| value.map_or(0.0, |value| value.amount);
        place(a).cmp(&place(b)).then_with(|| amount(b).total_cmp(&amount(a)))
    }

    /// Says that currencies were not compared.
    pub(crate) fn note(&self, basis: &mut Basis) {
        if self.0.len() > 1 {
            let message = format!(
                "the value of an hour is stated in {} currencies ({}): they are not compared, and those stated most often come \
                 first",
                self.0.len(),
                self.0.join(", ")
            );
            basis.remark(LimitCode::FigureMissing, message);
        }
    }
}
