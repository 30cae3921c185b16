//! Which redundancy growth takes away, and when: members that share a load (analyses 1.5, 4.3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_analysis::Truncations;
use keelson_analysis::demand::plan::parts_of;
use keelson_analysis::demand::{Amounts, Model};
use keelson_analysis::expiry::{ExpiryError, Pool};
use keelson_forecast::growth::Part;
use keelson_forecast::ladder::{Band, Passing};
use keelson_graph::{ItemIx, NeedView};
use keelson_model::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dates::{dated, months_to};
use super::hours::{Profiles, RedundancyHours};
use super::lines::{MOST_CHANCES, Telling};
use super::{ExhaustionChances, after, forecasts, standing};
use crate::attributes::{Amount, amount, number};
use crate::demand::refused;
use crate::needs::title;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, QuestionError, Subject, View};

/// How a need of several members stands against its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedundancyLine {
    /// Whose need it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it is called.
    pub need: String,
    /// Its members, by key.
    pub members: Vec<String>,
    /// The load on it now, with what is supposed; absent where it is not known.
    pub load: Option<Amount>,
    /// How many members must be up at that load; absent where not even all carry it, or it is not known.
    pub required: Option<u32>,
    /// How many are declared to be needed; absent where nobody says.
    pub declared: Option<u32>,
    /// Whether fewer are declared than the load takes: redundancy that is not there.
    pub is_redundancy_false: bool,
    /// How many members may be lost; absent where not even all carry the load.
    pub margin: Option<u32>,
    /// What is delivered with the largest member lost, as a fraction; absent where it is not known.
    pub delivered_without_one: Option<f64>,
    /// The largest load at which one member may be lost.
    pub carries_without_one: Option<f64>,
    /// In how many months that load is passed, 0 where it is; absent where it is not within the months looked ahead.
    pub expires_months: Option<f64>,
    /// The day on which it is passed.
    pub expires_at: Option<DateTime<Utc>>,
    /// The days on which it is passed, by chance, where the demand on it is forecast from measurements.
    pub expires_chances: Option<ExhaustionChances>,
    /// How it stands hour by hour; absent where nobody knows how its load goes through the day.
    pub hours: Option<RedundancyHours>,
    /// Why nothing is known about it; absent where something is.
    pub unknown: Option<String>,
}

/// How the loads of needs grow.
struct Growths {
    /// Of those whose owners have demand: the demand on them in parts that grow alike, as it is caused.
    parts: BTreeMap<ItemIx, Vec<Part>>,
    /// Of others: the growth of the fastest growing service that rests on them, or that they own.
    fastest: BTreeMap<ItemIx, f64>,
}

impl Growths {
    /// Those of the owners of needs.
    fn of(
        telling: &Telling<'_>,
        owners: &BTreeSet<ItemIx>,
        truncations: &mut Truncations,
    ) -> Result<Self, QuestionError> {
        let Telling { view, model, amounts, demand, limits, .. } = telling;
        let (with, without): (Vec<ItemIx>, Vec<ItemIx>) = owners.iter().partition(|owner| amounts.of(**owner) > 0.0);
        let found = parts_of(model, &demand.growing, &with, limits).map_err(|error| refused(view, &error))?;
        truncations.merge(found.1);
        let fastest = if without.is_empty() { BTreeMap::new() } else { standing::growths(view, demand, limits) };
        Ok(Self { parts: with.into_iter().zip(found.0).collect(), fastest })
    }

    /// A load in parts that grow alike; absent where nobody knows how it grows.
    fn parts(&self, view: &View, owner: ItemIx, load: f64) -> Option<Vec<Part>> {
        let Some(parts) = self.parts.get(&owner) else {
            let growth = standing::growth(view, owner, &self.fastest)?;
            return Some(vec![Part { load, growth }]);
        };
        let whole: f64 = parts.iter().map(|part| part.load).sum();
        Some(parts.iter().map(|part| Part { load: load * part.load / whole, ..*part }).collect())
    }
}

/// A line, and what the hours and the days of it are told from; absent where its load is not known.
pub(super) struct Found {
    line: RedundancyLine,
    owner: ItemIx,
    known: Option<Carried>,
    /// Whether nobody knows how its load grows.
    is_still: bool,
}

impl Found {
    /// Whether its redundancy ends within so many months.
    pub(super) fn ends_within(&self, months: f64) -> bool {
        self.line.expires_months.is_some_and(|ends| ends <= months)
    }
}

/// A pool with its load.
pub(super) struct Carried {
    pub(super) pool: Pool,
    largest: usize,
    pub(super) load: f64,
    /// The load by the demand on its owner; absent where it is stated.
    pub(super) scale: Option<f64>,
}

/// The needs with several members of services, and of what their demand reaches; those whose redundancy expires first.
pub(super) fn find(
    telling: &Telling<'_>,
    owners: &BTreeSet<ItemIx>,
    (basis, truncations): (&mut Basis, &mut Truncations),
) -> Result<Vec<Found>, QuestionError> {
    let view = telling.view;
    let is_pool = |need: &NeedView<'_>| {
        need.members.len() > 1
            && need.phase().runs()
            && need.members.iter().any(|member| amount(view, *member, "capacity").is_some())
    };
    let needs: Vec<NeedView<'_>> = owners.iter().flat_map(|owner| view.graph.needs(*owner)).filter(is_pool).collect();
    let growths = Growths::of(telling, &needs.iter().map(NeedView::owner).collect(), truncations)?;
    let mut found = needs.iter().map(|need| line(telling, need, &growths)).collect::<Result<Vec<_>, _>>()?;
    note(basis, &found);
    let date = |found: &Found| found.line.expires_months.unwrap_or(f64::INFINITY);
    found.sort_by(|a, b| {
        let order = date(a).total_cmp(&date(b)).then_with(|| a.line.subject.key.cmp(&b.line.subject.key));
        order.then_with(|| a.line.need.cmp(&b.line.need))
    });
    Ok(found)
}

/// Says of which needs nobody knows how their load grows.
fn note(basis: &mut Basis, found: &[Found]) {
    let still: Vec<&Found> = found.iter().filter(|one| one.is_still).collect();
    if let [first, ..] = still[..] {
        let message = format!(
            "how the load of {} redundancies grows is not known, '{}' of '{}' first: it counts as not growing, so they may \
             end earlier",
            still.len(),
            first.line.need,
            first.line.subject.key
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// The first lines, the first of them with their hours and the days on which redundancy expires, by chance.
pub(super) fn lines(
    telling: &Telling<'_>,
    found: Vec<Found>,
    most: usize,
    profiles: &Profiles,
    truncations: &mut Truncations,
) -> Result<Vec<RedundancyLine>, QuestionError> {
    let mut lines = Vec::new();
    for (place, Found { mut line, owner, known, .. }) in found.into_iter().take(most).enumerate() {
        let is_quiet = telling.measured.is_empty() && profiles.is_empty();
        if let Some(known) = known.filter(|_| place < MOST_CHANCES && !is_quiet) {
            let taken = telling.taken_from(owner, truncations)?;
            let carried = (&known.pool, known.largest);
            let hours = profiles.standing(telling.demand, carried, (owner, known.load, known.scale), &taken);
            line.hours = hours.map_err(|error| figures(&line.need, &line.subject.key, &error))?;
            if let Some((passing, begins, days)) = passing(telling, &known, &taken) {
                line.expires_chances = Some(forecasts::days_of(passing, begins));
                let months = |step| months_to(telling.from, begins, step);
                // What has ended already has.
                if line.expires_months.is_none_or(|ends| ends > 0.0) {
                    let even = passing.chance_50.map(months);
                    line.expires_months = dated(even, line.expires_months, months(days), telling.horizon);
                    line.expires_at = line.expires_months.and_then(|months| after(telling.from, months));
                }
            }
        }
        lines.push(line);
    }
    let date = |line: &RedundancyLine| line.expires_months.unwrap_or(f64::INFINITY);
    lines.sort_by(|a, b| date(a).total_cmp(&date(b)));
    Ok(lines)
}

/// The steps of the forecast of its load at which redundancy ends, by chance; the day of the first, and how many there are.
fn passing(telling: &Telling<'_>, known: &Carried, taken: &Amounts) -> Option<(Passing, DateTime<Utc>, usize)> {
    let scale = known.scale?;
    let (band, begins) = forecasts::load_of(telling.demand, telling.measured, taken)?;
    let steps = band.steps().iter().map(|step| step.map(|value| value * scale)).collect();
    Some((known.pool.expiry_by_forecast(&Band::new(steps))?, begins, band.len()))
}

fn figures(need: &str, owner: &str, error: &ExpiryError) -> QuestionError {
    QuestionError::Figures(format!("the need '{need}' of '{owner}': {error}"))
}

/// How many members are declared to be needed; a share of a load is derived.
fn declared(need: &NeedView<'_>) -> Option<u32> {
    if need.head.is_share() { None } else { need.required() }
}

/// The load on a need: what is stated with it, what its owner hands on to its members by their ratios, or else the demand
/// on its owner, if that is counted in the unit of the members; and how much that is for a unit of the demand on its owner.
fn load(
    view: &View,
    model: &Model<'_>,
    amounts: &Amounts,
    need: &NeedView<'_>,
    unit: &str,
) -> Option<(f64, Option<f64>)> {
    let owner = need.owner();
    let ratios: f64 = need.members.iter().map(|member| model.visits().ratio(owner, *member)).sum();
    if ratios > 0.0 && amounts.of(owner) > 0.0 {
        return Some((amounts.of(owner) * ratios, Some(ratios)));
    }
    if let Rule::Share { demand: Some(demand), .. } = need.rule() {
        return Some((demand, None));
    }
    // Suppositions are in what the pass handed on already.
    let is_same = amount(view, owner, "peak_demand").is_some_and(|own| own.unit == unit);
    (is_same && amounts.of(owner) > 0.0).then(|| (amounts.of(owner), Some(1.0)))
}

/// A need as a pool with its load, and the unit of both; or why nothing is known. `left` says which fraction of a member
/// is there.
pub(super) fn carried(
    view: &View,
    model: &Model<'_>,
    amounts: &Amounts,
    need: &NeedView<'_>,
    left: impl Fn(ItemIx) -> f64,
) -> Result<Result<(Carried, String), String>, QuestionError> {
    let capacities: Vec<Option<Amount>> = need.members.iter().map(|member| amount(view, *member, "capacity")).collect();
    let units: BTreeSet<&str> = capacities.iter().flatten().map(|one| one.unit.as_str()).collect();
    if let Some(place) = capacities.iter().flatten().position(|one| one.value <= 0.0) {
        let key = key_of(&view.catalogue, need.members[place]);
        return Ok(Err(format!(
            "'{key}' states a capacity of {}, so it carries nothing: state what it carries, or take \
            it out of the need",
            capacities[place].as_ref().map_or(0.0, |one| one.value)
        )));
    }
    if units.len() > 1 || capacities.iter().any(Option::is_none) {
        return Ok(Err("not every member states a capacity, in one unit".to_owned()));
    }
    let unit = units.first().map(|unit| (*unit).to_owned()).unwrap_or_default();
    let Some((now, scale)) = load(view, model, amounts, need, &unit) else {
        return Ok(Err(format!("its load is not known: the demand of its owner is not stated in {unit}")));
    };
    let survival = number(view, need.owner(), "survival_limit").unwrap_or(keelson_analysis::expiry::SURVIVAL);
    let there = capacities.iter().zip(need.members.iter());
    let numbers: Vec<Option<f64>> =
        there.map(|(one, member)| one.as_ref().map(|one| one.value * left(*member))).collect();
    let refused =
        |error: ExpiryError| figures(&title(&view.catalogue, need).0, &key_of(&view.catalogue, need.owner()), &error);
    let pool = Pool::new(&numbers, survival, declared(need)).map_err(refused)?;
    let largest = (0..numbers.len()).max_by(|a, b| numbers[*a].unwrap_or(0.0).total_cmp(&numbers[*b].unwrap_or(0.0)));
    Ok(Ok((Carried { pool, largest: largest.unwrap_or(0), load: now, scale }, unit)))
}

fn line(telling: &Telling<'_>, need: &NeedView<'_>, growths: &Growths) -> Result<Found, QuestionError> {
    let Telling { view, model, amounts, horizon, from, .. } = *telling;
    let owner = need.owner();
    let mut line = RedundancyLine {
        subject: Subject::of(&view.catalogue, ci_of(owner)),
        need: title(&view.catalogue, need).0,
        members: need.members.iter().map(|member| key_of(&view.catalogue, *member)).collect(),
        load: None,
        required: None,
        declared: declared(need),
        is_redundancy_false: false,
        margin: None,
        delivered_without_one: None,
        carries_without_one: None,
        expires_months: None,
        expires_at: None,
        expires_chances: None,
        hours: None,
        unknown: None,
    };
    let (known, unit) = match carried(view, model, amounts, need, |_| 1.0)? {
        Ok(found) => found,
        Err(unknown) => {
            line.unknown = Some(unknown);
            return Ok(Found { line, owner, known: None, is_still: false });
        }
    };
    let (pool, now) = ((&known.pool, known.largest), known.load);
    let parts = growths.parts(view, owner, now);
    let is_still = parts.is_none() && now > 0.0;
    let parts = parts.unwrap_or_else(|| vec![Part { load: now, growth: 0.0 }]);
    let told = tell(&mut line, pool, now, &parts, horizon, from);
    told.map_err(|error| figures(&line.need, &line.subject.key, &error))?;
    line.load = Some(Amount { value: now, unit });
    Ok(Found { line, owner, known: Some(known), is_still })
}

fn tell(
    line: &mut RedundancyLine,
    (pool, largest): (&Pool, usize),
    now: f64,
    parts: &[Part],
    horizon: f64,
    from: DateTime<Utc>,
) -> Result<(), ExpiryError> {
    let standing = pool.standing(now, &[])?;
    (line.required, line.margin) = (standing.required, standing.margin);
    line.is_redundancy_false = pool.disagreement(now)?.is_some_and(|found| found.is_dangerous());
    line.delivered_without_one = pool.standing(now, &[largest])?.delivered;
    line.carries_without_one = pool.carries_without(1);
    line.expires_months = pool.expiry(parts, horizon)?.and_then(keelson_forecast::growth::Exhaustion::months);
    line.expires_at = line.expires_months.and_then(|months| after(from, months));
    Ok(())
}
