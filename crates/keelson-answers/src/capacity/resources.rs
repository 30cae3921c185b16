//! What has a capacity, and what may be planned of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_analysis::demand::plan::Resource;
use keelson_analysis::demand::{Amounts, Model, Source};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_forecast::queue::{self, planning_limit};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::standing::{LoadBasis, Own};
use super::{CapacityQuestion, DAYS_A_MONTH, LimitBasis};
use crate::attributes::{
    Amount, WORKLOAD_LIMIT, amount, capacity, is_agreement, moment, number, stated_capacity, text,
};
use crate::demand::Outside;
use crate::subject::{ci_of, find_item, key_of};
use crate::supplier::SUPPLIER;
use crate::{Basis, LimitCode, QuestionError, View};

/// The planning limit of what queues, where nobody states one.
const USUAL_LIMIT: f64 = 0.8;
/// Kinds of relationship to what somebody signed.
const AGREEMENTS: [&str; 3] = ["underpinned_by", "licensed_by", "limited_by"];

/// Which kind of capacity something is (ISO/IEC 20000-1, 8.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// People and their hours.
    Human,
    /// Machines, links, software.
    Technical,
    /// Data and where they are kept.
    Information,
    /// Money, and what was agreed for it: contracts, licences, quotas, budgets, workloads promised for.
    Financial,
}

/// What is wrong with what a planning limit rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitFlaw {
    /// Nobody states how many servers work side by side: the knee is that of one.
    ServersAssumed,
    /// The longest acceptable response is not longer than the service time: it is missed at any load.
    OutOfReach,
}

/// A resource as the catalogue states it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) resource: Resource,
    pub(super) kind: ResourceKind,
    pub(super) capacity: Amount,
    pub(super) limit_basis: LimitBasis,
    pub(super) limit_flaw: Option<LimitFlaw>,
    pub(super) lead_months: Option<f64>,
    /// Growth per month of its load where its use is stated and no demand reaches it; absent otherwise.
    pub(super) standing_growth: Option<f64>,
    /// What its load is known from.
    pub(super) load_basis: LoadBasis,
    /// Its own forecast, where its use is measured and no demand reaches it.
    pub(super) own: Option<Own>,
}

/// Everything that has demand and states a capacity. What has demand from outside in another unit than its capacity has
/// cannot be compared; their keys come second.
pub(super) fn of(view: &View, amounts: &Amounts, outside: &Outside) -> (Vec<Known>, Vec<String>) {
    let units: BTreeMap<&str, &str> = outside
        .lines
        .iter()
        .filter_map(|line| Some((line.subject.key.as_str(), line.demand.as_ref()?.unit.as_str())))
        .collect();
    let (mut comparable, mut other) = (Vec::new(), Vec::new());
    for known in amounts.items().iter().filter_map(|item| known(view, *item)) {
        let key = key_of(&view.catalogue, known.resource.item);
        match units.get(key.as_str()) {
            Some(unit) if *unit != known.capacity.unit => other.push(key),
            _ => comparable.push(known),
        }
    }
    (comparable, other)
}

fn is_a(view: &View, item: ItemIx, class: &str) -> bool {
    view.catalogue.schema().classes.is_a(&view.catalogue.ci(ci_of(item)).class, class)
}

pub(super) fn known(view: &View, item: ItemIx) -> Option<Known> {
    capacity(view, item).map(|capacity| with(view, item, capacity))
}

/// A resource with so much of it.
pub(super) fn with(view: &View, item: ItemIx, capacity: Amount) -> Known {
    let (limit, limit_basis, limit_flaw) = limit(view, item);
    let lead_months = lead(view, item);
    let resource = Resource {
        item,
        per_unit: 1.0,
        capacity: capacity.value,
        planning_limit: limit,
        lead_months: lead_months.unwrap_or(0.0),
    };
    Known {
        resource,
        kind: kind(view, item),
        capacity,
        limit_basis,
        limit_flaw,
        lead_months,
        load_basis: LoadBasis::Demand,
        standing_growth: None,
        own: None,
    }
}

/// The utilisation to plan with: the smaller of the knee (analyses 4.2) and of what somebody stated.
fn limit(view: &View, item: ItemIx) -> (f64, LimitBasis, Option<LimitFlaw>) {
    let stated = number(view, item, "maximum_utilisation").filter(|limit| *limit > 0.0);
    if is_promise(view, item) {
        return (1.0, LimitBasis::Promised, None);
    }
    let usual = if is_agreement(view, item) { 1.0 } else { USUAL_LIMIT };
    let declared = stated.map_or((usual, LimitBasis::Assumed), |stated| (stated, LimitBasis::Stated));
    let servers = number(view, item, "servers");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here")]
    let many = servers.unwrap_or(1.0).clamp(1.0, 1e6) as u32;
    let times = (number(view, item, "service_seconds"), number(view, item, "response_seconds"));
    let flaw = servers.is_none().then_some(LimitFlaw::ServersAssumed);
    match planning_limit(many, times.0, times.1, declared.0) {
        Ok(found) if found.basis == queue::Basis::Response && found.utilisation <= 0.0 => {
            (declared.0, declared.1, Some(LimitFlaw::OutOfReach))
        }
        Ok(found) if found.basis == queue::Basis::Response => match stated.filter(|stated| *stated < found.utilisation)
        {
            Some(stated) => (stated, LimitBasis::Stated, flaw),
            None => (found.utilisation, LimitBasis::Response, flaw),
        },
        _ => (declared.0, declared.1, None),
    }
}

/// What of the demand is beyond a capacity that is stated as nothing; no utilisation can be told of it.
pub(super) fn spent(view: &View, amounts: &Amounts) -> Vec<ItemIx> {
    let is_spent = |item: &ItemIx| stated_capacity(view, *item).is_some_and(|capacity| capacity.value <= 0.0);
    amounts.items().iter().copied().filter(is_spent).collect()
}

/// Says what is wrong with what planning limits rest on, and what has demand and a capacity of nothing.
pub(super) fn note(basis: &mut Basis, view: &View, known: &[&Known], spent: &[ItemIx]) {
    let mut say = |flaw: LimitFlaw, words: &str| {
        let found: Vec<&Known> = known.iter().copied().filter(|one| one.limit_flaw == Some(flaw)).collect();
        if let [first, ..] = found[..] {
            let (many, key) = (found.len(), key_of(&view.catalogue, first.resource.item));
            basis.limit(LimitCode::FigureMissing, format!("{many} resources {words}: '{key}' first"));
        }
    };
    say(
        LimitFlaw::OutOfReach,
        "cannot answer within 'response_seconds' at any load, as 'service_seconds' is not below it; the limit they are \
         planned to keeps no promise of response",
    );
    say(
        LimitFlaw::ServersAssumed,
        "state times of service and response and no number of 'servers', so one is taken: with more, more may be planned of \
         them",
    );
    if let [first, ..] = spent {
        let message = format!(
            "{} items have demand and state a capacity of 0, '{}' first: they are beyond it, and by how much cannot be told",
            spent.len(),
            key_of(&view.catalogue, *first)
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// Whether it is a service of which nobody states more than the workload up to which its targets are promised.
fn is_promise(view: &View, item: ItemIx) -> bool {
    let states = |name| amount(view, item, name).is_some();
    view.is_service(ci_of(item)) && states(WORKLOAD_LIMIT) && !states("capacity")
}

/// Months from a decision until there is more: the lead time, or the notice of a contract.
fn lead(view: &View, item: ItemIx) -> Option<f64> {
    let days = number(view, item, "lead_time_days").or_else(|| number(view, item, "notice_days"));
    days.map(|days| days / DAYS_A_MONTH)
}

fn kind(view: &View, item: ItemIx) -> ResourceKind {
    match text(view, item, "resource_kind").as_deref() {
        Some("human") => ResourceKind::Human,
        Some("technical") => ResourceKind::Technical,
        Some("information") => ResourceKind::Information,
        Some("financial") => ResourceKind::Financial,
        _ if is_a(view, item, "team") || is_a(view, item, "person") => ResourceKind::Human,
        _ if is_agreement(view, item) || is_promise(view, item) || is_a(view, item, "supplier-service") => {
            ResourceKind::Financial
        }
        _ if ["data-store", "volume", "backup"].iter().any(|class| is_a(view, item, class)) => {
            ResourceKind::Information
        }
        _ => ResourceKind::Technical,
    }
}

/// The contracts, licences and quotas an item rests on, by key, and when the first of them ends; of an agreement itself.
pub(super) fn contracts(view: &View, item: ItemIx) -> (Vec<String>, Option<DateTime<Utc>>) {
    let catalogue = &view.catalogue;
    let ix = ci_of(item);
    let found: BTreeSet<CiIx> = if is_agreement(view, item) {
        BTreeSet::from([ix])
    } else {
        AGREEMENTS.iter().flat_map(|kind| crate::supplier::targets(view, ix, kind)).collect()
    };
    let end = found.iter().filter_map(|one| moment(view, crate::item(*one), "end")).min();
    let mut keys: Vec<String> = found.iter().map(|one| catalogue.ci(*one).key.to_string()).collect();
    keys.sort();
    (keys, end)
}

/// The supplier that is asked about.
pub(super) fn supplier(view: &View, question: &CapacityQuestion) -> Result<Option<ItemIx>, QuestionError> {
    let Some(key) = &question.supplier else { return Ok(None) };
    let found = find_item(view, key)?;
    if !is_a(view, found, SUPPLIER) {
        let class = view.catalogue.ci(ci_of(found)).class.to_string();
        return Err(QuestionError::NoSupplier { key: key.clone(), class });
    }
    Ok(Some(found))
}

/// Which resources are asked about: what the services use, and what rests on the supplier.
pub(super) fn wanted(
    view: &View,
    model: &Model<'_>,
    question: &CapacityQuestion,
    sources: &[Source],
    limits: &Limits<'_>,
) -> Result<Box<dyn Fn(ItemIx) -> bool>, QuestionError> {
    let mut used = None;
    if !question.services.is_empty() {
        let keys = question.services.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
        let theirs: Vec<Source> = sources.iter().copied().filter(|source| keys.contains(&source.item)).collect();
        let amounts = model.demand(&theirs, limits).map_err(|error| crate::demand::refused(view, &error))?;
        // What they rest on counts as well: its use may be stated instead.
        let mut scratch = Scratch::default();
        closure::walk(&view.graph, &mut scratch, &keys, closure::Direction::Dependencies, limits);
        let owners =
            keys.iter().flat_map(|key| crate::supplier::targets(view, ci_of(*key), "owned_by")).map(crate::item);
        let mut theirs: BTreeSet<ItemIx> = scratch.met().chain(owners).collect();
        theirs.extend(amounts.items());
        used = Some(theirs);
    }
    let mut resting = None;
    if let Some(supplier) = supplier(view, question)? {
        let mut scratch = Scratch::default();
        closure::walk(&view.graph, &mut scratch, &[supplier], closure::Direction::Dependents, limits);
        resting = Some(scratch.met().collect::<BTreeSet<ItemIx>>());
    }
    Ok(Box::new(move |item| {
        used.as_ref().is_none_or(|used| used.contains(&item))
            && resting.as_ref().is_none_or(|resting| resting.contains(&item))
    }))
}
