//! What is told of a resource.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::demand::plan::{Grounds, Row, ServiceLimit, service_limits};
use keelson_analysis::demand::{Amounts, Model};
use keelson_analysis::{Limits, Truncations};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::{self, Known, ResourceKind};
use super::standing::{self, LoadBasis, Uses, is_supposing};
use super::{DAYS_A_MONTH, Demand, DemandLimit, ExhaustionChances, ForecastLine, RELIEF_MONTHS, ReliefLine};
use super::{forecasts, relief};
use crate::attributes::Amount;
use crate::change::parties::owners;
use crate::demand::refused;
use crate::subject::{ci_of, find_item, key_of};
use crate::{QuestionError, Subject, View};

/// Limits that are told of a service with a forecast.
const MOST_LIMITS: usize = 3;
/// Resources whose days are told with their chances.
pub(super) const MOST_CHANCES: usize = 200;
/// Items of a path that find room.
const LONGEST_PATH: usize = 20;

/// What a load rests on beside what was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroundsLine {
    /// A ratio on the way was inferred from measurements.
    pub is_inferred: bool,
    /// A ratio on the way is missing, or nobody knows how its stated use grows: the load may be higher, and the date
    /// earlier.
    pub is_understated: bool,
}

/// What a planning limit rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitBasis {
    /// Service time and longest acceptable response: the knee of a queue (analyses 4.2).
    Response,
    /// The workload up to which a service's targets are promised.
    Promised,
    /// What somebody stated.
    Stated,
    /// Nobody stated one: 80 % for what queues, all of it for contracts, licences and quotas.
    Assumed,
}

/// A resource, and when it runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLine {
    /// The resource.
    #[serde(flatten)]
    pub subject: Subject,
    /// Which kind of capacity it is.
    pub kind: ResourceKind,
    /// How much there is of it.
    pub capacity: Amount,
    /// Its load now, in the same unit, with what is supposed.
    pub load: f64,
    /// Load by capacity.
    pub utilisation: f64,
    /// What the load is known from.
    pub load_basis: LoadBasis,
    /// The use that was measured lately at its peak, as a fraction of the capacity, whatever the load is known from.
    pub measured_utilisation: Option<f64>,
    /// Whether that differs by more than a fifth (and more than 5 % of the capacity) from what demand makes of it: the
    /// model of its load may be wrong. Never where demand is supposed.
    pub is_model_doubtful: bool,
    /// The utilisation to plan with.
    pub planning_limit: f64,
    /// What that rests on.
    pub limit_basis: LimitBasis,
    /// Whether the load passes what may be planned.
    pub is_over_limit: bool,
    /// Whether the load passes the whole capacity: overloaded, or a contract broken.
    pub is_over_capacity: bool,
    /// In how many months it runs out, 0 where it has; absent where the decision on it is not due within the months looked
    /// ahead.
    pub exhausted_months: Option<f64>,
    /// The day on which it runs out.
    pub exhausted_at: Option<DateTime<Utc>>,
    /// The days on which it runs out, by chance, where the demand on it is forecast from measurements.
    pub chances: Option<ExhaustionChances>,
    /// Months from a decision until there is more; absent where nobody states a lead time.
    pub lead_months: Option<f64>,
    /// In how many months to decide; below 0 where that is past. Without a lead time, when it runs out.
    pub decide_months: Option<f64>,
    /// The day by which to decide.
    pub decide_by: Option<DateTime<Utc>>,
    /// 1 for what is to be decided first; what is due together has the same rank.
    pub rank: u32,
    /// The largest demand on the service asked about, everything else staying as it is; only where one is asked about.
    pub service_limit: Option<f64>,
    /// What one more unit of that service takes of it.
    pub sensitivity: Option<f64>,
    /// What would carry the demand for two years, or for the months looked ahead if those are fewer; and what it costs.
    pub relief: Option<ReliefLine>,
    /// Contracts and licences it rests on, by key.
    pub contracts: Vec<String>,
    /// The first moment at which one of them no longer holds, where stated: past it nobody says how much there is.
    pub contracts_end: Option<DateTime<Utc>>,
    /// Whether that is past, or comes before it runs out; absent where no end is stated.
    pub ends_before_it_runs_out: Option<bool>,
    /// Who owns it.
    pub owners: Vec<String>,
    /// The way by which most of its demand comes, from a service down to it, by key.
    pub path: Vec<String>,
    /// What its load rests on.
    #[serde(flatten)]
    pub grounds: GroundsLine,
}

/// What the one service asked about can grow to, by resource; empty where several are.
type Single = Vec<(usize, f64, f64)>;

/// What every line is told from.
pub(super) struct Telling<'a> {
    pub(super) view: &'a View,
    /// The services asked about, by key.
    pub(super) services: &'a [String],
    pub(super) model: &'a Model<'a>,
    pub(super) demand: &'a Demand,
    pub(super) amounts: &'a Amounts,
    pub(super) known: &'a [Known],
    /// Forecasts of measured demand.
    pub(super) measured: &'a [forecasts::Known<'a>],
    /// Measured use.
    pub(super) uses: &'a Uses<'a>,
    pub(super) from: DateTime<Utc>,
    pub(super) horizon: f64,
    pub(super) limits: Limits<'a>,
}

impl Telling<'_> {
    /// The lines of rows, the first of them with the days on which they run out, by chance.
    pub(super) fn lines(
        &self,
        rows: &[&Row],
        truncations: &mut Truncations,
    ) -> Result<Vec<ResourceLine>, QuestionError> {
        let single = self.single()?;
        let mut lines: Vec<ResourceLine> = rows.iter().map(|row| self.line(row, &single)).collect::<Result<_, _>>()?;
        for (line, row) in lines.iter_mut().zip(rows).take(MOST_CHANCES) {
            line.chances = self.chances(&self.known[row.resource], truncations)?;
        }
        Ok(lines)
    }

    /// When a resource runs out, each day with its chance; absent where its load is not forecast.
    fn chances(
        &self,
        known: &Known,
        truncations: &mut Truncations,
    ) -> Result<Option<ExhaustionChances>, QuestionError> {
        let load = self.load_to_come(known, truncations)?;
        Ok(load.map(|(band, begins)| forecasts::days_of(band.passing(known.resource.allowed()), begins)))
    }

    /// What one unit of every service takes of items together, each counted so many times.
    pub(super) fn taken_from(
        &self,
        items: &[(ItemIx, f64)],
        truncations: &mut Truncations,
    ) -> Result<Amounts, QuestionError> {
        let taken = self.model.taken_from_all(items, &self.limits).map_err(|error| refused(self.view, &error))?;
        truncations.merge(taken.truncations);
        Ok(taken)
    }

    /// The line of a row.
    fn line(&self, row: &Row, single: &Single) -> Result<ResourceLine, QuestionError> {
        let Self { view, model, demand, amounts, from, .. } = *self;
        let known = &self.known[row.resource];
        let item = known.resource.item;
        let path = model.main_path(&demand.outside.sources, amounts, item, LONGEST_PATH);
        let of_single = single.iter().find(|(resource, ..)| *resource == row.resource);
        let at = |months: f64| after(from, months);
        let exhausted = row.exhaustion.months();
        let Grounds { inferred, understated } = row.grounds;
        let measured = self.uses.share(item);
        let (contracts, contracts_end) = resources::contracts(view, item);
        let exhausted_at = exhausted.and_then(at);
        let is_model_doubtful = known.load_basis == LoadBasis::Demand
            && measured.is_some_and(|measured| standing::disagree(measured, row.utilisation));
        Ok(ResourceLine {
            subject: Subject::of(&view.catalogue, ci_of(item)),
            kind: known.kind,
            capacity: known.capacity.clone(),
            load: row.load / known.resource.per_unit,
            utilisation: row.utilisation,
            load_basis: known.load_basis,
            measured_utilisation: measured,
            is_model_doubtful: is_model_doubtful && !is_supposing(view),
            planning_limit: known.resource.planning_limit,
            limit_basis: known.limit_basis,
            is_over_limit: row.load > known.resource.allowed(),
            is_over_capacity: row.utilisation > 1.0,
            exhausted_months: exhausted,
            exhausted_at,
            chances: None,
            lead_months: known.lead_months,
            decide_months: row.decide_in,
            decide_by: row.decide_in.and_then(at),
            rank: row.rank,
            service_limit: of_single.map(|(_, limit, _)| *limit),
            sensitivity: of_single.map(|(_, _, sensitivity)| *sensitivity),
            relief: relief::relief(self, (known, row), self.relief_months())?,
            contracts,
            contracts_end,
            ends_before_it_runs_out: contracts_end
                .map(|end| end <= from || exhausted_at.is_none_or(|exhausted| end < exhausted)),
            owners: owners(view, ci_of(item)),
            path: path.into_iter().map(|item| key_of(&view.catalogue, item)).collect(),
            grounds: GroundsLine { is_inferred: inferred, is_understated: understated },
        })
    }

    fn single(&self) -> Result<Single, QuestionError> {
        let [key] = self.services else { return Ok(Vec::new()) };
        let found = self.limits_of(find_item(self.view, key)?)?;
        Ok(found.into_iter().map(|one| (one.resource, one.limit, one.sensitivity)).collect())
    }

    fn limits_of(&self, service: ItemIx) -> Result<Vec<ServiceLimit>, QuestionError> {
        let resources: Vec<_> = self.known.iter().map(|one| one.resource).collect();
        let found = service_limits(self.model, &self.demand.outside.sources, service, &resources, &self.limits);
        found.map(|(found, _)| found).map_err(|error| refused(self.view, &error))
    }

    /// The forecasts of services, with the resources that stop each of them first.
    pub(super) fn forecasts(
        &self,
        asked: &BTreeSet<ItemIx>,
        rows: &[Row],
        most: usize,
    ) -> Result<Vec<ForecastLine>, QuestionError> {
        let mut lines = Vec::new();
        for one in self.measured.iter().filter(|one| asked.contains(&one.service)).take(most) {
            let mut line = one.line(self.view);
            for limit in self.limits_of(one.service)?.iter().take(MOST_LIMITS) {
                let row = rows.iter().find(|row| row.resource == limit.resource);
                let day = |months: Option<f64>| months.and_then(|months| after(self.from, months));
                line.limits.push(DemandLimit {
                    resource: key_of(&self.view.catalogue, self.known[limit.resource].resource.item),
                    limit: limit.limit,
                    decide_by: day(row.and_then(|row| row.decide_in)),
                    exhausted_at: day(row.and_then(|row| row.exhaustion.months())),
                });
            }
            if let Some(first) = line.limits.first().cloned() {
                (line.limit, line.limited_by, line.decide_by) =
                    (Some(first.limit), Some(first.resource), first.decide_by);
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// Until when relief is to be enough.
    pub(super) fn relief_months(&self) -> f64 {
        self.horizon.min(RELIEF_MONTHS)
    }
}

/// A time so many months on; absent beyond what a calendar holds.
pub(crate) fn after(from: DateTime<Utc>, months: f64) -> Option<DateTime<Utc>> {
    let seconds = months * DAYS_A_MONTH * 86_400.0;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let delta = (seconds.abs() < 1e11).then(|| TimeDelta::seconds(seconds.round() as i64))?;
    from.checked_add_signed(delta)
}
