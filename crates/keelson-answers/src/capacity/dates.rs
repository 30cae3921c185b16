//! The days on which resources run out by the forecasts of their loads.
//!
//! Rows are found with loads that grow by the same part each month. What is forecast need not: demand that grows by the
//! same amount each day passes a limit sooner than growth by an even part, taken over the same years, would say. So where
//! the load of a resource is forecast, the day with an even chance is the day.

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::Truncations;
use keelson_analysis::demand::plan::Row;
use keelson_forecast::growth::Exhaustion;
use keelson_forecast::ladder::Band;

use super::lines::{MOST_CHANCES, Telling};
use super::resources::Known;
use super::{DAYS_A_MONTH, forecasts};
use crate::QuestionError;

impl Telling<'_> {
    /// The load of a resource to come, and the day it begins; absent where it is not forecast.
    pub(super) fn load_to_come(
        &self,
        known: &Known,
        truncations: &mut Truncations,
    ) -> Result<Option<(Band, DateTime<Utc>)>, QuestionError> {
        if let Some(own) = &known.own {
            return Ok(Some((own.band.clone(), own.begins)));
        }
        if self.measured.is_empty() {
            return Ok(None);
        }
        let taken = self.taken_from(&[(known.resource.item, 1.0)], truncations)?;
        Ok(forecasts::load_of(self.demand, self.measured, &taken))
    }

    /// Dates the first rows anew, those to be decided on first.
    pub(super) fn date(&self, rows: &mut [Row], truncations: &mut Truncations) -> Result<(), QuestionError> {
        for row in rows.iter_mut().take(MOST_CHANCES).filter(|row| row.exhaustion != Exhaustion::Already) {
            let known = &self.known[row.resource];
            let Some((band, begins)) = self.load_to_come(known, truncations)? else { continue };
            let lead = known.resource.lead_months;
            let even = band.passing(known.resource.allowed()).chance_50;
            let months = |step| months_to(self.from, begins, step);
            let found = dated(even.map(months), row.exhaustion.months(), months(band.len()), self.horizon + lead);
            row.exhaustion = found.map_or(Exhaustion::NotWithin(self.horizon), Exhaustion::In);
            row.decide_in = found.map(|months| months - lead);
        }
        Ok(())
    }
}

/// In how many months something passes its limit: with an even chance by its forecast, and beyond the months that are
/// forecast as it would with an even growth, and not before. Absent where that is not within some months.
pub(super) fn dated(even: Option<f64>, by_growth: Option<f64>, forecast: f64, within: f64) -> Option<f64> {
    even.or(by_growth.map(|months| months.max(forecast))).filter(|months| *months <= within)
}

/// Months to a step of a forecast that begins on a day.
pub(super) fn months_to(from: DateTime<Utc>, begins: DateTime<Utc>, step: usize) -> f64 {
    let at = begins + TimeDelta::days(i64::try_from(step).unwrap_or(0));
    // Up to the next whole second: one that began before midnight would tell the day before.
    #[expect(clippy::cast_precision_loss, reason = "seconds of some years are far below 2^52")]
    let seconds = ((at - from).num_milliseconds() as f64 / 1_000.0).ceil();
    (seconds / 86_400.0 / DAYS_A_MONTH).max(0.0)
}
