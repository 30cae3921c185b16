//! Which redundancy growth takes away, and when: members that share a load (analyses 1.5, 4.3).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use keelson_analysis::Truncations;
use keelson_analysis::demand::plan::parts_of;
use keelson_analysis::expiry::{ExpiryError, Pool};
use keelson_forecast::growth::Part;
use keelson_forecast::ladder::Passing;
use keelson_graph::{ItemIx, NeedView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dates::{dated, months_to};
use super::hours::{Profiles, RedundancyHours};
use super::lines::{MOST_CHANCES, Telling};
use super::shared::{Loaded, Share, Shared, Taken, sum};
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
    /// The load its members share now, whoever puts it on them, with what is supposed; absent where it is not known.
    pub load: Option<Amount>,
    /// What of it comes from its owner; absent where it is not known.
    pub own_load: Option<f64>,
    /// What its members carry beside, each for itself; 0 where nothing comes to one of them alone.
    pub held: f64,
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

    /// Loads in parts that grow alike, as they are caused, and whether it is known of all how they grow.
    fn parts<'s>(&self, view: &View, shares: impl Iterator<Item = &'s Share>) -> (Vec<Part>, bool) {
        let (mut parts, mut is_known) = (BTreeMap::new(), true);
        let mut add = |part: Part| {
            parts.entry(part.growth.to_bits()).or_insert(Part { load: 0.0, ..part }).load += part.load;
        };
        for share in shares.filter(|share| share.load > 0.0) {
            let of_owner = self.parts.get(&share.owner).filter(|parts| !parts.is_empty());
            if let Some(of_owner) = of_owner {
                let whole: f64 = of_owner.iter().map(|part| part.load).sum();
                of_owner.iter().for_each(|part| add(Part { load: share.load * part.load / whole, ..*part }));
                continue;
            }
            let growth = standing::growth(view, share.owner, &self.fastest);
            is_known &= growth.is_some();
            add(Part { load: share.load, growth: growth.unwrap_or(0.0) });
        }
        (parts.into_values().collect(), is_known)
    }
}

/// A line, and what the hours and the days of it are told from; absent where its load is not known.
pub(super) struct Found {
    line: RedundancyLine,
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
    /// The place of the member that leaves least when it is lost.
    largest: usize,
    /// What its members share.
    pub(super) load: f64,
    /// Whose that is, and what members carry alone.
    pub(super) shared: Rc<Shared>,
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
    let needs = owners.iter().flat_map(|owner| view.graph.needs(*owner)).filter(is_pool);
    let loaded = Loaded::new(view, telling.model, telling.amounts);
    let needs = needs.map(|need| carried(&loaded, &need, |_| 1.0).map(|known| (need, known)));
    let needs = needs.collect::<Result<Vec<_>, QuestionError>>()?;
    let loading: BTreeSet<ItemIx> = needs
        .iter()
        .filter_map(|(_, known)| known.as_ref().ok())
        .flat_map(|(known, _)| known.shared.everybody())
        .map(|share| share.owner)
        .collect();
    let growths = Growths::of(telling, &loading, truncations)?;
    let found = needs.into_iter().map(|(need, known)| line(telling, &need, known, &growths));
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
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
    for (place, Found { mut line, known, .. }) in found.into_iter().take(most).enumerate() {
        let is_quiet = telling.measured.is_empty() && profiles.is_empty();
        if let Some(known) = known.filter(|_| place < MOST_CHANCES && !is_quiet) {
            let shared = known.shared.shares.iter();
            let shared = Taken::of(shared, |items| telling.taken_from(items, truncations))?;
            let hours = profiles.standing(telling.demand, (&known.pool, known.largest), &shared);
            line.hours = hours.map_err(|error| figures(&line.need, &line.subject.key, &error))?;
            let without = if known.shared.is_shared_only() {
                shared
            } else {
                Taken::of(known.shared.without(known.largest), |items| telling.taken_from(items, truncations))?
            };
            if let Some((passing, begins, days)) = passing(telling, &known, &without) {
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

/// The steps of the forecast of what is on the others at which the loss of the largest is too much, by chance; the day of
/// the first, and how many there are.
fn passing(telling: &Telling<'_>, known: &Carried, without: &Taken) -> Option<(Passing, DateTime<Utc>, usize)> {
    if !without.stated.is_empty() {
        return None;
    }
    let (band, begins) = forecasts::load_of(telling.demand, telling.measured, &without.per_unit)?;
    Some((band.passing(known.pool.whole_without(known.largest)?), begins, band.len()))
}

fn figures(need: &str, owner: &str, error: &ExpiryError) -> QuestionError {
    QuestionError::Figures(format!("the need '{need}' of '{owner}': {error}"))
}

/// How many members are declared to be needed; a share of a load is derived.
fn declared(need: &NeedView<'_>) -> Option<u32> {
    if need.head.is_share() { None } else { need.required() }
}

/// A need as a pool with its load, and the unit of both; or why nothing is known. `left` says which fraction of a member
/// is there.
pub(super) fn carried(
    loaded: &Loaded<'_>,
    need: &NeedView<'_>,
    left: impl Fn(ItemIx) -> f64,
) -> Result<Result<(Carried, String), String>, QuestionError> {
    let view = loaded.view;
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
    if loaded.own(need, &unit).is_none() {
        return Ok(Err(format!("its load is not known: the demand of its owner is not stated in {unit}")));
    }
    let shared = loaded.on(need.members, &unit);
    let survival = number(view, need.owner(), "survival_limit").unwrap_or(keelson_analysis::expiry::SURVIVAL);
    let there = capacities.iter().zip(need.members.iter());
    let numbers: Vec<Option<f64>> =
        there.map(|(one, member)| one.as_ref().map(|one| one.value * left(*member))).collect();
    let refused =
        |error: ExpiryError| figures(&title(&view.catalogue, need).0, &key_of(&view.catalogue, need.owner()), &error);
    let pool = Pool::new(&numbers, survival, declared(need)).and_then(|pool| pool.holding(&shared.held()));
    let pool = pool.map_err(refused)?;
    let usable = pool.usable().unwrap_or_default();
    let largest = (0..usable.len()).max_by(|a, b| usable[*a].total_cmp(&usable[*b])).unwrap_or(0);
    Ok(Ok((Carried { largest, load: shared.load(), pool, shared }, unit)))
}

fn line(
    telling: &Telling<'_>,
    need: &NeedView<'_>,
    known: Result<(Carried, String), String>,
    growths: &Growths,
) -> Result<Found, QuestionError> {
    let Telling { view, horizon, from, .. } = *telling;
    let owner = need.owner();
    let mut line = RedundancyLine {
        subject: Subject::of(&view.catalogue, ci_of(owner)),
        need: title(&view.catalogue, need).0,
        members: need.members.iter().map(|member| key_of(&view.catalogue, *member)).collect(),
        load: None,
        own_load: None,
        held: 0.0,
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
    let (known, unit) = match known {
        Ok(found) => found,
        Err(unknown) => {
            line.unknown = Some(unknown);
            return Ok(Found { line, known: None, is_still: false });
        }
    };
    let is_still = !growths.parts(view, known.shared.everybody()).1;
    let told = tell(&mut line, &known, |lost| growths.parts(view, known.shared.without(lost)).0, horizon, from);
    told.map_err(|error| figures(&line.need, &line.subject.key, &error))?;
    line.load = Some(Amount { value: known.load, unit });
    line.own_load = Some(known.shared.of(owner));
    line.held = sum(known.shared.held.iter().flatten());
    Ok(Found { line, known: Some(known), is_still })
}

fn tell(
    line: &mut RedundancyLine,
    known: &Carried,
    parts_without: impl Fn(usize) -> Vec<Part>,
    horizon: f64,
    from: DateTime<Utc>,
) -> Result<(), ExpiryError> {
    let (pool, now) = (&known.pool, known.load);
    let standing = pool.standing(now, &[])?;
    (line.required, line.margin) = (standing.required, standing.margin);
    line.is_redundancy_false = pool.disagreement(now)?.is_some_and(|found| found.is_dangerous());
    line.delivered_without_one = pool.standing(now, &[known.largest])?.delivered;
    line.carries_without_one = pool.carries_without(1);
    line.expires_months = pool.expiry(parts_without, horizon)?.and_then(keelson_forecast::growth::Exhaustion::months);
    line.expires_at = line.expires_months.and_then(|months| after(from, months));
    Ok(())
}
