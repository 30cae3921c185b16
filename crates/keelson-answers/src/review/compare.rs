//! What was predicted of services against what was recorded of them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::closure::{Direction, Filter, closure};
use keelson_analysis::risk::{Match, match_up};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_change::workflow::is_same;
use keelson_model::{CiId, Disruption, DisruptionKind, Effect, EffectOn, RequestForChange};

use super::outcome::{Work, work_of};
use crate::subject::ci_of;
use crate::{QuestionError, View, item};

/// A disruption with the item it is on.
pub(crate) struct Outage {
    pub(crate) ix: CiIx,
    pub(crate) record: Arc<Disruption>,
}

/// Disruptions by when they began.
pub(crate) struct Outages {
    list: Vec<Outage>,
    /// When the last of those up to each one ends; absent: nobody knows of one of them.
    latest: Vec<Option<DateTime<Utc>>>,
}

impl Outages {
    /// Those recorded on services.
    pub(crate) fn on_services(view: &View) -> Self {
        let all = view.catalogue.disruptions().filter_map(|kept| {
            let ix = view.catalogue.find_id(kept.record.ci)?;
            view.is_service(ix).then(|| Outage { ix, record: Arc::clone(&kept.record) })
        });
        let mut list: Vec<Outage> = all.collect();
        list.sort_by_key(|outage| (outage.record.from, outage.record.id));
        let mut latest: Vec<Option<DateTime<Utc>>> = Vec::with_capacity(list.len());
        for outage in &list {
            let before = latest.last().copied().unwrap_or(Some(DateTime::<Utc>::MIN_UTC));
            latest.push(before.zip(outage.record.until).map(|(before, until)| before.max(until)));
        }
        Self { list, latest }
    }

    /// Those that had something in common with some work, the latest first.
    fn during(&self, work: Work) -> impl Iterator<Item = &Outage> {
        let is_after = move |until: Option<DateTime<Utc>>| until.is_none_or(|until| until > work.started);
        let begun = self.list.partition_point(|outage| outage.record.from < work.finished);
        let near = (0..begun).rev().take_while(move |at| is_after(self.latest[*at]));
        near.map(|at| &self.list[at]).filter(move |outage| is_after(outage.record.until))
    }
}

/// The items a request alters, with everything that depends on them.
pub(crate) struct Cone {
    items: HashSet<CiIx>,
    /// Altered items of which it is not known what depends on them.
    pub(crate) left_out: Vec<CiIx>,
}

impl Cone {
    pub(crate) fn of(view: &View, request: &RequestForChange, pool: &Pool) -> Result<Self, QuestionError> {
        let altered = request.alterations.iter().filter_map(|alteration| view.catalogue.find_id(alteration.ci));
        let altered: HashSet<CiIx> = altered.collect();
        let is_drawn = |ix: &CiIx| view.graph.contains(item(*ix));
        let mut starts: Vec<_> = altered.iter().copied().filter(is_drawn).map(item).collect();
        starts.sort_unstable();
        let mut left_out: Vec<CiIx> = altered.iter().copied().filter(|ix| !is_drawn(ix)).collect();
        left_out.sort_unstable();
        let filter = Filter { through: |_| true, select: |_| true };
        let found = closure(&view.graph, &starts, Direction::Dependents, &filter, &Limits::default(), pool)?;
        let items = found.items.into_iter().map(|(item, _)| ci_of(item)).chain(altered).collect();
        Ok(Self { items, left_out })
    }

    pub(crate) fn contains(&self, ix: CiIx) -> bool {
        self.items.contains(&ix)
    }
}

/// What a service lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) loss: f64,
    pub(crate) minutes: i64,
    pub(crate) references: Vec<String>,
}

impl Observed {
    fn also(&mut self, loss: f64, minutes: i64, reference: Option<&str>) {
        self.loss = self.loss.max(loss);
        self.minutes = self.minutes.max(minutes);
        if let Some(reference) = reference.filter(|new| !self.references.iter().any(|known| is_same(known, new))) {
            self.references.push(reference.to_owned());
        }
    }
}

/// A service with what was said of it and what was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Compared<'a> {
    pub(crate) effect: Option<&'a EffectOn>,
    pub(crate) observed: Option<Observed>,
}

impl Compared<'_> {
    /// Whether it was predicted to lose something.
    pub(crate) fn is_predicted(&self) -> bool {
        self.effect.is_some_and(|effect| effect.at_worst >= Effect::Degraded)
    }
}

/// One request's predictions against what was recorded.
pub(crate) struct Comparison<'a> {
    /// The services that the assessment names or that lost something.
    pub(crate) services: BTreeMap<CiId, Compared<'a>>,
    /// Disruptions of services meanwhile that are not put down to the change.
    pub(crate) elsewhere: Vec<&'a Outage>,
    /// The counts.
    pub(crate) figures: Match,
}

/// Compares what a request was approved on with what was recorded while it was under way. Absent while
/// its work is not over, and when there is no approval to compare with.
///
/// What its review says that services lost counts. So does a disruption of a service then, if the
/// service depends on an altered item or the review links its incident; one that had begun before the
/// work counts only where harm was predicted. Maintenance recorded for the request itself is the plan
/// again and no observation.
pub(crate) fn compare<'a>(
    view: &View,
    outages: &'a Outages,
    request: &'a RequestForChange,
    pool: &Pool,
) -> Result<Option<Comparison<'a>>, QuestionError> {
    let (Some(work), Some(approval)) = (work_of(request), &request.approval) else { return Ok(None) };
    let mut services: BTreeMap<CiId, Compared<'a>> = BTreeMap::new();
    for effect in &approval.assessment.effects {
        services.entry(effect.ci).or_default().effect = Some(effect);
    }
    for seen in request.review.iter().flat_map(|review| &review.observed) {
        let observed = services.entry(seen.ci).or_default().observed.get_or_insert_default();
        observed.also(seen.loss, i64::from(seen.minutes), seen.reference.as_deref());
    }
    let mut cone: Option<Cone> = None;
    let mut elsewhere = Vec::new();
    for outage in outages.during(work).filter(|outage| !is_own(request, &outage.record)) {
        let record = &*outage.record;
        let is_predicted = services.get(&record.ci).is_some_and(Compared::is_predicted);
        let is_near = if is_predicted || is_linked(request, record) {
            true
        } else {
            let cone = match &mut cone {
                Some(cone) => cone,
                none => none.insert(Cone::of(view, request, pool)?),
            };
            record.from >= work.started && cone.contains(outage.ix)
        };
        if is_near {
            let end = record.until.map_or(work.finished, |until| until.min(work.finished));
            let minutes = (end - record.from.max(work.started)).num_minutes();
            let observed = services.entry(record.ci).or_default().observed.get_or_insert_default();
            observed.also(record.loss, minutes, record.reference.as_deref());
        } else {
            elsewhere.push(outage);
        }
    }
    let figures = figures(view, &services);
    Ok(Some(Comparison { services, elsewhere, figures }))
}

/// Whether a disruption is the request's own downtime, written down as maintenance.
fn is_own(request: &RequestForChange, record: &Disruption) -> bool {
    let names = record.reference.as_deref().is_some_and(|reference| is_same(reference, &request.key));
    record.kind == DisruptionKind::Maintenance && names
}

/// Whether the review of a request links the incident of a disruption to it.
pub(crate) fn is_linked(request: &RequestForChange, record: &Disruption) -> bool {
    let (Some(reference), Some(review)) = (&record.reference, &request.review) else { return false };
    let observed = review.observed.iter().filter_map(|seen| seen.reference.as_ref());
    review.incidents.iter().chain(observed).any(|linked| is_same(linked, reference))
}

fn figures(view: &View, services: &BTreeMap<CiId, Compared<'_>>) -> Match {
    let (mut predicted, mut harmed) = (Vec::new(), Vec::new());
    for (ci, compared) in services {
        let Some(ix) = view.catalogue.find_id(*ci).map(item) else { continue };
        predicted.extend(compared.is_predicted().then_some(ix));
        harmed.extend(compared.observed.is_some().then_some(ix));
    }
    match_up(&predicted, &harmed)
}
