//! The days on which resources run out by the forecasts of their loads.
//!
//! Rows are found with loads that grow by the same part each month. What is forecast need not: demand that grows by the
//! same amount each day passes a limit sooner than growth by an even part, taken over the same years, would say. So where
//! the load of a resource is forecast, the day with an even chance is the day.

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::demand::Model;
use keelson_analysis::demand::plan::Row;
use keelson_analysis::{Limits, Truncations};
use keelson_forecast::growth::Exhaustion;

use super::growth::Demand;
use super::lines::MOST_CHANCES;
use super::resources::Known;
use super::{DAYS_A_MONTH, forecasts};
use crate::demand::refused;
use crate::{QuestionError, View};

/// Loads that are forecast.
pub(super) struct Forecast<'a> {
    pub(super) view: &'a View,
    pub(super) model: &'a Model<'a>,
    pub(super) demand: &'a Demand,
    pub(super) measured: &'a [forecasts::Known<'a>],
    /// When it is asked.
    pub(super) from: DateTime<Utc>,
    /// Months to look ahead for decisions.
    pub(super) horizon: f64,
    pub(super) limits: Limits<'a>,
}

impl Forecast<'_> {
    /// Dates the first rows anew, those to be decided on first.
    pub(super) fn date(
        &self,
        rows: &mut [Row],
        known: &[Known],
        truncations: &mut Truncations,
    ) -> Result<(), QuestionError> {
        for row in rows.iter_mut().take(MOST_CHANCES).filter(|row| row.exhaustion != Exhaustion::Already) {
            let one = &known[row.resource];
            let found = match &one.own {
                Some(own) => Some((own.band.clone(), own.begins)),
                None if self.measured.is_empty() => None,
                None => {
                    let taken = self.model.taken_from(one.resource.item, &self.limits);
                    let taken = taken.map_err(|error| refused(self.view, &error))?;
                    truncations.merge(taken.truncations);
                    forecasts::load_of(self.demand, self.measured, &taken)
                }
            };
            let Some((band, begins)) = found else { continue };
            let months = |step: usize| months_to(self.from, begins, step);
            let even = band.passing(one.resource.allowed()).chance_50.map(months);
            // Beyond the days that are forecast it may run out as it would with an even growth, and not before.
            let later = row.exhaustion.months().map(|even| even.max(months(band.len())));
            let lead = one.resource.lead_months;
            let found = even.or(later).filter(|months| *months <= self.horizon + lead);
            row.exhaustion = found.map_or(Exhaustion::NotWithin(self.horizon), Exhaustion::In);
            row.decide_in = found.map(|months| months - lead);
        }
        Ok(())
    }
}

/// Months to a step of a forecast that begins on a day.
pub(super) fn months_to(from: DateTime<Utc>, begins: DateTime<Utc>, step: usize) -> f64 {
    let at = begins + TimeDelta::days(i64::try_from(step).unwrap_or(0));
    // Up to the next whole second: one that began before midnight would tell the day before.
    #[expect(clippy::cast_precision_loss, reason = "seconds of some years are far below 2^52")]
    let seconds = ((at - from).num_milliseconds() as f64 / 1_000.0).ceil();
    (seconds / 86_400.0 / DAYS_A_MONTH).max(0.0)
}
