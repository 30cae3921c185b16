//! What is told of a resource.

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::Limits;
use keelson_analysis::demand::plan::{Grounds, Row, service_limits};
use keelson_analysis::demand::{Amounts, Model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::{self, Known, ResourceKind};
use super::{CapacityQuestion, DAYS_A_MONTH, Demand, ExhaustionChances, RELIEF_MONTHS, ReliefLine, relief};
use crate::attributes::Amount;
use crate::change::parties::owners;
use crate::demand::refused;
use crate::subject::{ci_of, find_item, key_of};
use crate::{QuestionError, Subject, View};

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
    /// The utilisation to plan with.
    pub planning_limit: f64,
    /// What that rests on.
    pub limit_basis: LimitBasis,
    /// Whether the load passes what may be planned.
    pub is_over_limit: bool,
    /// Whether the load passes the whole capacity: overloaded, or a contract broken.
    pub is_over_capacity: bool,
    /// In how many months it runs out, 0 where it has; absent where it does not within the months looked ahead.
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
    /// Who owns it.
    pub owners: Vec<String>,
    /// The way by which most of its demand comes, from a service down to it, by key.
    pub path: Vec<String>,
    /// What its load rests on.
    #[serde(flatten)]
    pub grounds: GroundsLine,
}

/// What the one service asked about can grow to, by resource; empty where several are.
pub(super) type Single = Vec<(usize, f64, f64)>;

pub(super) fn single(
    view: &View,
    model: &Model<'_>,
    question: &CapacityQuestion,
    demand: &Demand,
    known: &[Known],
    limits: &Limits<'_>,
) -> Result<Single, QuestionError> {
    let [key] = &question.services[..] else { return Ok(Vec::new()) };
    let service = find_item(view, key)?;
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    let found = service_limits(model, &demand.outside.sources, service, &resources, limits);
    let (found, _) = found.map_err(|error| refused(view, &error))?;
    Ok(found.into_iter().map(|one| (one.resource, one.limit, one.sensitivity)).collect())
}

/// What every line is told from.
pub(super) struct Telling<'a> {
    pub(super) view: &'a View,
    pub(super) model: &'a Model<'a>,
    pub(super) demand: &'a Demand,
    pub(super) amounts: &'a Amounts,
    pub(super) known: &'a [Known],
    pub(super) from: DateTime<Utc>,
    pub(super) horizon: f64,
    pub(super) limits: Limits<'a>,
}

impl Telling<'_> {
    /// The line of a row.
    pub(super) fn line(&self, row: &Row, single: &Single) -> Result<ResourceLine, QuestionError> {
        let Self { view, model, demand, amounts, from, .. } = *self;
        let known = &self.known[row.resource];
        let item = known.resource.item;
        let path = model.main_path(&demand.outside.sources, amounts, item, LONGEST_PATH);
        let of_single = single.iter().find(|(resource, ..)| *resource == row.resource);
        let at = |months: f64| after(from, months);
        let exhausted = row.exhaustion.months();
        let Grounds { inferred, understated } = row.grounds;
        Ok(ResourceLine {
            subject: Subject::of(&view.catalogue, ci_of(item)),
            kind: known.kind,
            capacity: known.capacity.clone(),
            load: row.load / known.resource.per_unit,
            utilisation: row.utilisation,
            planning_limit: known.resource.planning_limit,
            limit_basis: known.limit_basis,
            is_over_limit: row.load > known.resource.allowed(),
            is_over_capacity: row.utilisation > 1.0,
            exhausted_months: exhausted,
            exhausted_at: exhausted.and_then(at),
            chances: None,
            lead_months: known.lead_months,
            decide_months: row.decide_in,
            decide_by: row.decide_in.and_then(at),
            rank: row.rank,
            service_limit: of_single.map(|(_, limit, _)| *limit),
            sensitivity: of_single.map(|(_, _, sensitivity)| *sensitivity),
            relief: relief::relief(view, (model, demand), (known, row), self.relief_months(), &self.limits)?,
            contracts: resources::contracts(view, item),
            owners: owners(view, ci_of(item)),
            path: path.into_iter().map(|item| key_of(&view.catalogue, item)).collect(),
            grounds: GroundsLine { is_inferred: inferred, is_understated: understated },
        })
    }

    /// Until when relief is to be enough.
    fn relief_months(&self) -> f64 {
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
