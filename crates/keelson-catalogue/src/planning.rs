//! Requests for change, the calendar, disruptions and baselines at one revision.

use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};
use keelson_model::{
    Baseline, BaselineId, CalendarEntry, CalendarEntryId, Change, ChangeId, ChangeTemplate, Disruption, DisruptionId,
    Metric, RecordChange, RequestForChange, SeriesBatch, SeriesBatchId, SeriesPart,
};
use smallvec::SmallVec;

use crate::apply::unexpected;
use crate::{ApplyError, Catalogue, LogRef};

/// A record with where in the log it changed, oldest first.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    /// The record.
    pub record: Arc<T>,
    /// Where in the log it changed, oldest first.
    pub trail: SmallVec<[LogRef; 1]>,
}

/// What is planned, forbidden and known to be down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planning {
    requests: OrdMap<ChangeId, Kept<RequestForChange>>,
    /// Requests by key, lower case.
    by_key: HashMap<Box<str>, ChangeId>,
    /// Requests whose work may be ahead or under way.
    open: OrdSet<ChangeId>,
    templates: OrdMap<Arc<str>, Kept<ChangeTemplate>>,
    calendar: OrdMap<CalendarEntryId, Kept<CalendarEntry>>,
    disruptions: OrdMap<DisruptionId, Kept<Disruption>>,
    baselines: OrdMap<BaselineId, Kept<Baseline>>,
    series: OrdMap<SeriesBatchId, Kept<SeriesBatch>>,
}

impl Planning {
    /// Applies a change of one of its records; others are none of its business.
    pub(crate) fn apply(&mut self, change: &RecordChange, at: LogRef) -> Result<(), ApplyError> {
        match change {
            RecordChange::Request(change) => {
                let what = |request: &RequestForChange| format!("request for change {}", request.key);
                let Some(after) = put(&mut self.requests, change, |r| r.id, |r| r.version, what, at)? else {
                    return Ok(());
                };
                self.by_key.insert(lower(&after.key), after.id);
                if after.state.is_open() {
                    self.open.insert(after.id);
                } else {
                    self.open.remove(&after.id);
                }
            }
            RecordChange::Template(change) => {
                let what = |template: &ChangeTemplate| format!("template {}", template.name);
                put(&mut self.templates, change, |t| Arc::clone(&t.name), |t| t.version, what, at)?;
            }
            RecordChange::Calendar(change) => {
                let what = |entry: &CalendarEntry| format!("{} {}", entry.kind, entry.name);
                put(&mut self.calendar, change, |e| e.id, |e| e.version, what, at)?;
            }
            RecordChange::Disruption(change) => {
                let what = |disruption: &Disruption| format!("disruption {}", disruption.id);
                put(&mut self.disruptions, change, |d| d.id, |d| d.version, what, at)?;
            }
            RecordChange::Baseline(change) => {
                // A baseline never changes: it is there or it is not.
                let what = |baseline: &Baseline| format!("baseline {}", baseline.name);
                put(&mut self.baselines, change, |b| b.id, |_| 1, what, at)?;
            }
            RecordChange::Series(change) => {
                // Points never change: later ones come in further batches.
                let what = |batch: &SeriesBatch| format!("series {}", batch.id);
                put(&mut self.series, change, |s| s.id, |_| 1, what, at)?;
            }
            RecordChange::Ci(_)
            | RecordChange::Relationship(_)
            | RecordChange::Need(_)
            | RecordChange::Scope(_)
            | RecordChange::Run(_)
            | RecordChange::Review(_) => {}
        }
        Ok(())
    }
}

/// Puts the record after a change in the place of the one before, which must be the one that is there.
fn put<K: Ord + Clone, T: Clone>(
    records: &mut OrdMap<K, Kept<T>>,
    change: &Change<T>,
    key: impl Fn(&T) -> K,
    version: impl Fn(&T) -> u32,
    what: impl Fn(&T) -> String,
    at: LogRef,
) -> Result<Option<Arc<T>>, ApplyError> {
    let Some(after) = &change.after else { return Ok(None) };
    let key = key(after);
    let known = records.get(&key);
    if change.before.as_deref().map(&version) != known.map(|kept| version(&kept.record)) {
        return Err(unexpected(at, &what(after)));
    }
    let mut trail = known.map(|kept| kept.trail.clone()).unwrap_or_default();
    trail.push(at);
    records.insert(key, Kept { record: Arc::clone(after), trail });
    Ok(Some(Arc::clone(after)))
}

fn lower(key: &str) -> Box<str> {
    key.to_lowercase().into_boxed_str()
}

impl Catalogue {
    /// The request for change of an id.
    #[must_use]
    pub fn request(&self, id: ChangeId) -> Option<&Kept<RequestForChange>> {
        self.planning.requests.get(&id)
    }

    /// The request for change people call `key`, in any case of letters.
    #[must_use]
    pub fn find_request(&self, key: &str) -> Option<&Kept<RequestForChange>> {
        self.planning.by_key.get(&*lower(key)).and_then(|id| self.request(*id))
    }

    /// All requests for change, in order of their ids.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &Kept<RequestForChange>> {
        self.planning.requests.values()
    }

    /// Requests for change whose work may be ahead or under way, in order of their ids.
    pub fn open_requests(&self) -> impl DoubleEndedIterator<Item = &Kept<RequestForChange>> {
        self.planning.open.iter().filter_map(|id| self.request(*id))
    }

    /// How many requests for change there ever were.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.planning.requests.len()
    }

    /// The template of a name.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&Kept<ChangeTemplate>> {
        self.planning.templates.get(name)
    }

    /// All templates, in order of their names.
    pub fn templates(&self) -> impl DoubleEndedIterator<Item = &Kept<ChangeTemplate>> {
        self.planning.templates.values()
    }

    /// All freezes and maintenance windows, lifted ones included, in order of their ids.
    pub fn calendar(&self) -> impl DoubleEndedIterator<Item = &Kept<CalendarEntry>> {
        self.planning.calendar.values()
    }

    /// The freeze or maintenance window of an id.
    #[must_use]
    pub fn calendar_entry(&self, id: CalendarEntryId) -> Option<&Kept<CalendarEntry>> {
        self.planning.calendar.get(&id)
    }

    /// All disruptions, ended ones included, in order of their ids.
    pub fn disruptions(&self) -> impl DoubleEndedIterator<Item = &Kept<Disruption>> {
        self.planning.disruptions.values()
    }

    /// The disruption of an id.
    #[must_use]
    pub fn disruption(&self, id: DisruptionId) -> Option<&Kept<Disruption>> {
        self.planning.disruptions.get(&id)
    }

    /// All batches of measured points, in the order in which they were read.
    pub fn series(&self) -> impl DoubleEndedIterator<Item = &Kept<SeriesBatch>> {
        self.planning.series.values()
    }

    /// The parts of all batches that hold points of one metric, by configuration item, in the order in which they were
    /// read, each with its batch.
    pub fn series_parts(&self, metric: Metric) -> impl Iterator<Item = (&SeriesBatch, &SeriesPart)> {
        let parts = self.series().flat_map(|kept| kept.record.parts.iter().map(|part| (&*kept.record, part)));
        parts.filter(move |(_, part)| part.metric == metric)
    }

    /// All baselines, in order of their ids.
    pub fn baselines(&self) -> impl DoubleEndedIterator<Item = &Kept<Baseline>> {
        self.planning.baselines.values()
    }

    /// The baseline of an id.
    #[must_use]
    pub fn baseline(&self, id: BaselineId) -> Option<&Kept<Baseline>> {
        self.planning.baselines.get(&id)
    }

    /// The baseline of a name.
    #[must_use]
    pub fn find_baseline(&self, name: &str) -> Option<&Kept<Baseline>> {
        self.baselines().find(|kept| &*kept.record.name == name)
    }
}
