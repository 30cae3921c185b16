//! Redundancy under load, by the hour, and when growth takes it away.

use std::sync::Arc;

use super::ExhaustionDays;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::analysis::AmountOfUnit;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::words::words;
use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use keelson_app::answers::capacity::{HourStanding, HourWindow, RedundancyHours, RedundancyLine};

words! {
    /// Days of the week that hours belong to.
    HourDays = keelson_app::answers::capacity::HourDays {
        /// All days.
        EveryDay,
        /// Monday to Friday.
        Weekdays,
        /// Saturday and Sunday.
        Weekend,
    }

    /// Where profiles of demand come from.
    DemandProfileBasis = keelson_app::answers::capacity::ProfileBasis {
        /// All were measured.
        Measured,
        /// All were stated.
        Stated,
        /// Some were measured, others stated.
        Mixed,
    }
}

/// How a need of several members stands against its load.
#[derive(SimpleObject)]
pub struct RedundancyUnderLoad {
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What it is called.
    need: String,
    /// Its members, by key; the first 100.
    members: Vec<String>,
    /// The load on it now, with what is supposed; absent where it is not known.
    load: Option<AmountOfUnit>,
    /// How many members must be up at that load; absent where not even all carry it, or it is not known.
    required: Option<u32>,
    /// How many are declared to be needed; absent where nobody says.
    declared: Option<u32>,
    /// Whether fewer are declared than the load takes: redundancy that is not there.
    is_redundancy_false: bool,
    /// How many members may be lost; absent where not even all carry the load.
    margin: Option<u32>,
    /// What is delivered with the largest member lost, as a fraction; absent where it is not known.
    delivered_without_one: Option<f64>,
    /// The largest load at which one member may be lost.
    carries_without_one: Option<f64>,
    /// In how many months that load is passed, 0 where it is; absent where it is not within the months looked ahead.
    expires_months: Option<f64>,
    /// The day on which it is passed.
    expires_at: Option<DateTime<Utc>>,
    /// The days on which it is passed, by chance, where the demand on it is forecast from measurements.
    expires_chances: Option<ExhaustionDays>,
    /// How it stands hour by hour; absent where nobody knows how its load goes through the day.
    hours: Option<HourlyRedundancy>,
    /// Why nothing is known about it; absent where something is.
    unknown: Option<String>,
}

/// How a need of several members stands hour by hour, now, with what is supposed.
#[derive(SimpleObject)]
pub struct HourlyRedundancy {
    /// Where the profiles come from.
    basis: DemandProfileBasis,
    /// Whether part of the load has no profile and counts with its peak all day.
    is_partial: bool,
    /// The hours with the lowest load: when to take a member out.
    quietest: HourlyStanding,
    /// The hours with the highest load.
    busiest: HourlyStanding,
    /// The hours in which the others do not carry the load while the largest member is out; at most 48.
    short_without_one: Vec<HoursOfDay>,
}

impl HourlyRedundancy {
    pub(super) fn of(line: &RedundancyHours) -> Self {
        Self {
            basis: line.basis.into(),
            is_partial: line.is_partial,
            quietest: HourlyStanding::of(&line.quietest),
            busiest: HourlyStanding::of(&line.busiest),
            short_without_one: line.short_without_one.iter().take(LONGEST_LIST).map(HoursOfDay::of).collect(),
        }
    }
}

/// How a need stands in some hours of the day.
#[derive(SimpleObject)]
pub struct HourlyStanding {
    /// The hours: those beside each other in which as many members are required.
    window: HoursOfDay,
    /// The highest load in them.
    load: f64,
    /// How many members must be up; absent where not even all carry it.
    required: Option<u32>,
    /// How many members may be lost.
    margin: Option<u32>,
    /// How many more may be lost while the largest member is out; absent where the others do not carry the load.
    margin_without_one: Option<u32>,
    /// What is delivered while the largest member is out, as a fraction.
    delivered_without_one: Option<f64>,
}

impl HourlyStanding {
    pub(super) fn of(line: &HourStanding) -> Self {
        Self {
            window: HoursOfDay::of(&line.window),
            load: line.load,
            required: line.required,
            margin: line.margin,
            margin_without_one: line.margin_without_one,
            delivered_without_one: line.delivered_without_one,
        }
    }
}

/// Hours of the day, UTC.
#[derive(SimpleObject)]
pub struct HoursOfDay {
    /// On which days.
    days: HourDays,
    /// The hour at which it begins, 0 to 23.
    from: u8,
    /// The hour at which it ends, 1 to 24; not part of it.
    to: u8,
}

impl HoursOfDay {
    pub(super) fn of(line: &HourWindow) -> Self {
        Self { days: line.days.into(), from: line.from, to: line.to }
    }
}

impl RedundancyUnderLoad {
    pub(super) fn of(at: &Arc<Moment>, line: &RedundancyLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            need: line.need.clone(),
            members: line.members.iter().take(LONGEST_LIST).cloned().collect(),
            load: line.load.as_ref().map(AmountOfUnit::of),
            required: line.required,
            declared: line.declared,
            is_redundancy_false: line.is_redundancy_false,
            margin: line.margin,
            delivered_without_one: line.delivered_without_one,
            carries_without_one: line.carries_without_one,
            expires_months: line.expires_months,
            expires_at: line.expires_at,
            expires_chances: line.expires_chances.as_ref().map(|one| ExhaustionDays::of(at, one)),
            hours: line.hours.as_ref().map(HourlyRedundancy::of),
            unknown: line.unknown.clone(),
        }
    }
}
