//! Until when a contract serves: its end, and the day on which what rests on it runs out (analyses 4.1, 5.1).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_catalogue::CiIx;

use super::{CONTRACT, is_a, signed};
use crate::attributes::moment;
use crate::capacity::{CapacityQuestion, capacity};
use crate::{Asked, Basis, LimitCode, QuestionError, View, item};

/// Resources that are looked at.
const MOST_RESOURCES: usize = 10_000;
/// Days in a month, on average.
const DAYS_A_MONTH: f64 = 30.4375;

/// The first day on which something that rests on a contract runs out, and what that is, by the key of the contract.
pub(super) struct Horizon {
    runs_out: BTreeMap<String, (DateTime<Utc>, String)>,
}

impl Horizon {
    /// Looks at everything that runs out. Where capacity cannot be computed nothing is known, and the answer says so.
    pub(super) fn of(view: &View, asked: Asked, pool: &Pool, stop: Option<&AtomicBool>, basis: &mut Basis) -> Self {
        let mut runs_out: BTreeMap<String, (DateTime<Utc>, String)> = BTreeMap::new();
        let question = CapacityQuestion { most: MOST_RESOURCES, ..CapacityQuestion::default() };
        let found: Result<_, QuestionError> = capacity(view, &question, asked, pool, stop);
        let resources = match found {
            Ok(found) => found.resources,
            Err(error) => {
                let message = format!("when contracts run out is not known: {error}");
                basis.limit(LimitCode::FigureMissing, message);
                Vec::new()
            }
        };
        for resource in resources {
            let Some(at) = resource.exhausted_at else { continue };
            let key = &resource.subject.key;
            for contract in resource.contracts.iter().chain([key]) {
                let entry = runs_out.entry(contract.clone()).or_insert_with(|| (at, key.clone()));
                if at < entry.0 {
                    *entry = (at, key.clone());
                }
            }
        }
        Self { runs_out }
    }

    /// When something that rests on a contract runs out first, and what.
    pub(super) fn runs_out(&self, view: &View, contract: CiIx) -> Option<&(DateTime<Utc>, String)> {
        self.runs_out.get(view.catalogue.ci(contract).key.as_str())
    }

    /// Months until the first of the contracts with a supplier ends, or something that rests on one runs out; below 0 where
    /// that is past. Absent where neither is known.
    pub(super) fn months(&self, view: &View, supplier: CiIx, asked: Asked) -> Option<f64> {
        let contracts = signed(view, supplier);
        let contracts = contracts.into_iter().filter(|ix| is_a(view, *ix, CONTRACT));
        let days = contracts.flat_map(|ix| {
            [moment(view, item(ix), "end"), self.runs_out(view, ix).map(|(at, _)| *at)].into_iter().flatten()
        });
        days.min().map(|first| months_until(first, asked))
    }
}

/// Whole days, as contracts count them, in months.
#[expect(clippy::cast_precision_loss, reason = "days between dates are far below 2^52")]
fn months_until(day: DateTime<Utc>, asked: Asked) -> f64 {
    (day.date_naive() - asked.at.date_naive()).num_days() as f64 / DAYS_A_MONTH
}
