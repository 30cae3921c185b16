//! How redundancy stands hour by hour: members that may be lost at night and not at the peak (analyses 4.3, 1.5).
//!
//! The load in an hour is what each service asks at its peak, times its share in that hour. A service without a profile
//! counts with its peak all day, which is the safe side; the answer says so.

use std::collections::BTreeMap;

use keelson_analysis::expiry::{ExpiryError, Pool};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Demand;
use super::shared::Taken;
use crate::profile::{Days, HOURS, Origin, Profile, profile};
use crate::{Basis, LimitCode, View};

/// Days of the week that hours belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HourDays {
    /// All days.
    EveryDay,
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekend,
}

/// Where profiles of demand come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileBasis {
    /// All were measured.
    Measured,
    /// All were stated.
    Stated,
    /// Some were measured, others stated.
    Mixed,
}

/// Hours of the day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HourWindow {
    /// On which days.
    pub days: HourDays,
    /// The hour at which it begins, 0 to 23.
    pub from: u8,
    /// The hour at which it ends, 1 to 24; not part of it.
    pub to: u8,
}

/// How a need stands in some hours of the day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HourStanding {
    /// The hours: those beside each other in which as many members are required.
    pub window: HourWindow,
    /// The highest load in them.
    pub load: f64,
    /// How many members must be up; absent where not even all carry it.
    pub required: Option<u32>,
    /// How many members may be lost.
    pub margin: Option<u32>,
    /// How many more may be lost while the largest member is out; absent where the others do not carry the load.
    pub margin_without_one: Option<u32>,
    /// What is delivered while the largest member is out, as a fraction.
    pub delivered_without_one: Option<f64>,
}

/// How a need of several members stands hour by hour, now, with what is supposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedundancyHours {
    /// Where the profiles come from.
    pub basis: ProfileBasis,
    /// Whether part of the load has no profile and counts with its peak all day.
    pub is_partial: bool,
    /// The hours with the lowest load: when to take a member out.
    pub quietest: HourStanding,
    /// The hours with the highest load.
    pub busiest: HourStanding,
    /// The hours in which the others do not carry the load while the largest member is out.
    pub short_without_one: Vec<HourWindow>,
}

/// The profiles of all services with demand.
pub(super) struct Profiles {
    by_service: BTreeMap<ItemIx, (Profile, Origin)>,
    set_aside: Vec<String>,
}

/// Loads by hour: weekdays, then the weekend.
pub(super) struct Loads {
    hours: [[f64; HOURS]; 2],
    basis: ProfileBasis,
    pub(super) is_partial: bool,
}

impl Loads {
    /// The load in an hour.
    pub(super) fn at(&self, days: Days, hour: usize) -> f64 {
        self.hours[usize::from(days == Days::Weekend)].get(hour).copied().unwrap_or(0.0)
    }
}

impl Profiles {
    /// The profiles of services with demand; lines are in the order of all services.
    pub(super) fn of(view: &View, demand: &Demand, all: &[ItemIx]) -> Self {
        let mut profiles = Self { by_service: BTreeMap::new(), set_aside: Vec::new() };
        for (service, line) in all.iter().zip(&demand.outside.lines) {
            match profile(view, *service, line.is_measured) {
                Ok(found) => profiles.by_service.extend(found.map(|found| (*service, found))),
                Err(reason) => profiles.set_aside.push(reason),
            }
        }
        profiles
    }

    /// Says which profiles were not taken.
    pub(super) fn note(&self, basis: &mut Basis) {
        if let [first, others @ ..] = &self.set_aside[..] {
            let more = if others.is_empty() { String::new() } else { format!(", and so for {} more", others.len()) };
            basis.limit(LimitCode::FigureMissing, format!("{first}{more}"));
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_service.is_empty()
    }

    fn sum(&self, parts: &[(ItemIx, f64)]) -> Option<Loads> {
        let known: Vec<&(Profile, Origin)> =
            parts.iter().filter_map(|(service, _)| self.by_service.get(service)).collect();
        let origins = (known.iter().map(|one| one.1).min()?, known.iter().map(|one| one.1).max()?);
        let basis = match origins {
            (Origin::Measured, Origin::Measured) => ProfileBasis::Measured,
            (Origin::Stated, Origin::Stated) => ProfileBasis::Stated,
            _ => ProfileBasis::Mixed,
        };
        let share = |service: &ItemIx, days: Days, hour: usize| {
            self.by_service.get(service).map_or(1.0, |(profile, _)| profile.share(days, hour))
        };
        let load =
            |days: Days, hour: usize| parts.iter().map(|(service, load)| load * share(service, days, hour)).sum();
        let hours = Days::ALL.map(|days| std::array::from_fn(|hour| load(days, hour)));
        Some(Loads { hours, basis, is_partial: known.len() < parts.len() })
    }

    /// A load by hour; absent where no profile is known of anything it follows. What is stated goes as the demand on whoever
    /// states it.
    pub(super) fn by_hour(&self, demand: &Demand, taken: &Taken) -> Option<Loads> {
        let parts = demand.outside.sources.iter().map(|source| {
            let taken = taken.per_unit.of(source.item);
            (source.item, if taken > 0.0 { taken * source.demand } else { 0.0 })
        });
        let parts = parts.chain(taken.stated.iter().copied());
        let parts: Vec<(ItemIx, f64)> = parts.filter(|(_, load)| *load > 0.0 && load.is_finite()).collect();
        self.sum(&parts)
    }

    /// How a need stands by hour. What its members carry alone counts with its peak all day, which is the safe side.
    pub(super) fn standing(
        &self,
        demand: &Demand,
        (pool, largest): (&Pool, usize),
        taken: &Taken,
    ) -> Result<Option<RedundancyHours>, ExpiryError> {
        let loads = self.by_hour(demand, taken);
        loads.map(|loads| told(pool, largest, &loads)).transpose()
    }
}

fn told(pool: &Pool, largest: usize, loads: &Loads) -> Result<RedundancyHours, ExpiryError> {
    let is_same = loads.hours[0].iter().zip(&loads.hours[1]).all(|(a, b)| a.to_bits() == b.to_bits());
    let kinds: &[(HourDays, &[f64; HOURS])] = if is_same {
        &[(HourDays::EveryDay, &loads.hours[0])]
    } else {
        &[(HourDays::Weekdays, &loads.hours[0]), (HourDays::Weekend, &loads.hours[1])]
    };
    let mut runs: Vec<(HourStanding, f64)> = Vec::new();
    let mut short: Vec<HourWindow> = Vec::new();
    for (days, hours) in kinds {
        for (hour, load) in (0_u8..).zip(*hours) {
            let standing = at(pool, largest, *load, HourWindow { days: *days, from: hour, to: hour + 1 })?;
            if standing.margin_without_one.is_none() {
                extend(&mut short, standing.window);
            }
            match runs.last_mut() {
                Some((run, least)) if run.window.days == *days && run.required == standing.required => {
                    let window = HourWindow { to: hour + 1, ..run.window };
                    let busier = if standing.load > run.load { standing } else { *run };
                    (*run, *least) = (HourStanding { window, ..busier }, least.min(*load));
                }
                _ => runs.push((standing, *load)),
            }
        }
    }
    let order = |a: &&(HourStanding, f64), b: &&(HourStanding, f64)| a.1.total_cmp(&b.1);
    let busier = |a: &&(HourStanding, f64), b: &&(HourStanding, f64)| a.0.load.total_cmp(&b.0.load);
    let whole = HourWindow { days: HourDays::EveryDay, from: 0, to: 24 };
    let quietest = runs.iter().min_by(order).map_or_else(|| at(pool, largest, 0.0, whole), |run| Ok(run.0))?;
    let busiest = runs.iter().max_by(busier).map_or_else(|| at(pool, largest, 0.0, whole), |run| Ok(run.0))?;
    Ok(RedundancyHours {
        basis: loads.basis,
        is_partial: loads.is_partial,
        quietest,
        busiest,
        short_without_one: short,
    })
}

fn at(pool: &Pool, largest: usize, load: f64, window: HourWindow) -> Result<HourStanding, ExpiryError> {
    let whole = pool.standing(load, &[])?;
    let without = pool.standing(load, &[largest])?;
    Ok(HourStanding {
        window,
        load,
        required: whole.required,
        margin: whole.margin,
        margin_without_one: without.margin,
        delivered_without_one: without.delivered,
    })
}

fn extend(windows: &mut Vec<HourWindow>, next: HourWindow) {
    match windows.last_mut() {
        Some(last) if last.days == next.days && last.to == next.from => last.to = next.to,
        _ => windows.push(next),
    }
}
