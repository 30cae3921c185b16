//! Series of measured points: taking them in, and laying them beside a view.

mod lists;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use keelson_answers::series::SeriesBook;
use keelson_catalogue::Catalogue;
use keelson_model::batch::Payload;
use keelson_model::unit;
use keelson_model::{
    Change, CiId, CommitHeader, IdSource, Metric, RecordChange, SeriesBatch, SeriesBatchId, SeriesPart, Symbol,
};
use keelson_series::packed::{PackError, pack};
use keelson_series::{Read, Reading, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use lists::{MeasuredPoints, MeasuredSeries};

use crate::committing::Made;
use crate::keelson::blocking;
use crate::system::{RandomIds, now};
use crate::{Actor, Error, Keelson, View};

/// Media type of packed points.
const MEDIA_TYPE: &str = "application/vnd.keelson.points";
/// Keys that are named in a message.
const MOST_NAMED: usize = 10;

/// How series are taken in.
#[derive(Clone, Debug)]
pub struct SeriesOptions {
    /// Who imports, and why.
    pub actor: Actor,
    /// Who measured: the name of the source.
    pub source: Symbol,
    /// File or address they were read from, as shown to people.
    pub name: String,
    /// Say what would be taken in, and change nothing.
    pub dry_run: bool,
    /// Take in what can be taken in, and list the rest. Otherwise one bad line keeps everything out.
    pub keep_going: bool,
}

/// What became of series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeriesImported {
    /// How many series.
    pub series: usize,
    /// How many points.
    pub points: u64,
    /// Values that say that nothing was measured.
    pub gaps: u64,
    /// Bytes they are kept in.
    pub bytes: u64,
    /// The revision that has them; absent after a dry run, and when there was nothing new.
    pub revision: Option<u64>,
    /// Whether the same points of the same source were there already.
    pub already_known: bool,
    /// Points among them that take back what was said of their time.
    #[serde(default)]
    pub withdrawn: u64,
    /// How many lines, series or points were refused and left out.
    #[serde(default)]
    pub refused_count: u64,
    /// The first of them, with place and reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// Why series are not taken in. Nothing is written then.
#[derive(Debug, Error)]
pub enum SeriesError {
    /// Some keys name nothing.
    #[error("{count} of the keys name no configuration item: {}; import what they are first", .first.join(", "))]
    UnknownKeys {
        /// How many.
        count: usize,
        /// The first of them.
        first: Vec<String>,
    },
    /// Something cannot be read, or taken for a measurement.
    #[error("{count} of what was given cannot be taken in; nothing was written\n  {}", .first.join("\n  "))]
    Refused {
        /// How many lines, series or points.
        count: u64,
        /// The first of them, with place and reason.
        first: Vec<String>,
    },
    /// A series is known in a unit into which this one does not convert.
    #[error(
        "{metric} of '{key}' is known in {known}, and {given} does not convert into it: write it in {known}, or take the \
         earlier points back first"
    )]
    Unit {
        /// The key.
        key: String,
        /// The metric.
        metric: Metric,
        /// The unit it is known in.
        known: String,
        /// The unit given.
        given: String,
    },
    /// There is nothing to take in.
    #[error("there is no point to take in")]
    Nothing,
    /// Points cannot be packed.
    #[error(transparent)]
    Packed(#[from] PackError),
    /// The catalogue failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// The last book that was made, with the batches it is of.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Option<Held>>>);

#[derive(Clone)]
struct Held {
    batches: Vec<SeriesBatchId>,
    items: usize,
    book: Arc<SeriesBook>,
}

impl Keelson {
    /// Takes in measured points: one commit, or nothing.
    ///
    /// # Errors
    /// When a key names nothing, something cannot be read, or is in a unit that does not fit; otherwise as the store fails.
    pub async fn import_series(&self, read: Read, options: SeriesOptions) -> Result<SeriesImported, SeriesError> {
        let mut read = timely(read, now());
        if options.keep_going {
            let view = self.view();
            known_only(&view.catalogue, &mut read);
        } else if read.refused_count > 0 {
            return Err(SeriesError::Refused { count: read.refused_count, first: read.refused });
        }
        let withdrawn = read.withdrawn();
        let (gaps, refused_count, refused) = (read.gaps, read.refused_count, std::mem::take(&mut read.refused));
        let (parts, packed) = blocking(move || packed(read.readings)).await??;
        let payload = Payload::new(&options.name, MEDIA_TYPE, packed);
        let all: u64 = parts.iter().map(|(reading, _)| reading.points.len() as u64).sum();
        let mut imported = SeriesImported {
            series: parts.len(),
            points: all - withdrawn,
            gaps,
            bytes: payload.bytes,
            revision: None,
            already_known: false,
            withdrawn,
            refused_count,
            refused,
        };
        if parts.is_empty() {
            let SeriesImported { refused_count, refused, .. } = imported;
            let nothing = refused.is_empty();
            return Err(if nothing {
                SeriesError::Nothing
            } else {
                SeriesError::Refused { count: refused_count, first: refused }
            });
        }
        let mut turn = self.turn().await;
        loop {
            let view = turn.view()?;
            let parts = resolved(&view.catalogue, &parts)?;
            let same = |batch: &SeriesBatch| *batch.payload == *payload.digest && batch.source == options.source;
            // The same bytes may stand for other series.
            if is_known(&view.catalogue, |batch| same(batch) && batch.parts == parts) {
                imported.already_known = true;
                return Ok(imported);
            }
            self.one_unit(&view, &parts).await?;
            if options.dry_run {
                return Ok(imported);
            }
            let batch = SeriesBatch {
                id: SeriesBatchId(RandomIds::new().next_ulid()),
                source: options.source.clone(),
                name: Arc::from(options.name.as_str()),
                read_at: now(),
                payload: Arc::from(payload.digest.as_str()),
                parts,
            };
            let changes = vec![RecordChange::Series(Change::created(batch))];
            let draft = keelson_store::Draft {
                source: Some(Arc::from(options.source.as_str())),
                payloads: vec![payload.clone()],
                ..options.actor.draft("import series", view.revision(), now(), changes)
            };
            if let Some(Made { committed, .. }) = turn.commit(&view, draft).await? {
                let CommitHeader { revision, .. } = committed.header;
                imported.revision = Some(revision.0);
                return Ok(imported);
            }
        }
    }

    /// Refuses parts in a unit into which what is known does not convert, where any of that is still there.
    async fn one_unit(&self, view: &View, parts: &[SeriesPart]) -> Result<(), SeriesError> {
        let mut units: BTreeMap<(CiId, Metric), Arc<str>> = BTreeMap::new();
        for kept in view.catalogue.series() {
            units.extend(kept.record.parts.iter().map(|part| ((part.ci, part.metric), Arc::clone(&part.unit))));
        }
        let known = |part: &&SeriesPart| {
            units.get(&(part.ci, part.metric)).is_some_and(|unit| unit::factor(unit, &part.unit).is_none())
        };
        let other: Vec<&SeriesPart> = parts.iter().filter(known).collect();
        if other.is_empty() {
            return Ok(());
        }
        let measured = self.with_series(view.clone()).await?;
        for part in other {
            let Some(ix) = view.catalogue.find_id(part.ci) else { continue };
            let there = measured.series(ix, part.metric);
            if let Some(there) = there.filter(|there| unit::factor(&there.unit, &part.unit).is_none()) {
                return Err(SeriesError::Unit {
                    key: view.catalogue.ci(ix).key.to_string(),
                    metric: part.metric,
                    known: there.unit.clone(),
                    given: part.unit.to_string(),
                });
            }
        }
        Ok(())
    }

    /// A view with its measured series beside it. The last book is kept: most questions are about the same points.
    ///
    /// # Errors
    /// As the store fails, or when kept points cannot be read back.
    pub async fn with_series(&self, view: View) -> Result<View, Error> {
        let batches: Vec<SeriesBatchId> = view.catalogue.series().map(|kept| kept.record.id).collect();
        if batches.is_empty() {
            return Ok(view);
        }
        let items = view.catalogue.ci_count();
        let held = self.books().0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = held.filter(|held| held.batches == batches && held.items == items) {
            return Ok(view.with_series(held.book));
        }
        let book = Arc::new(self.read_book(&view).await?);
        let held = Held { batches, items, book: Arc::clone(&book) };
        *self.books().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(view.with_series(book))
    }
}

/// Whether a batch is there, and nothing of it was taken back since, nor said again of what it takes back.
fn is_known(catalogue: &Catalogue, same: impl Fn(&SeriesBatch) -> bool) -> bool {
    let mut later: Vec<&SeriesPart> = Vec::new();
    for kept in catalogue.series().rev() {
        let batch = &kept.record;
        if same(batch) {
            let undone = |part: &SeriesPart| {
                later.iter().any(|other| {
                    (other.ci, other.metric) == (part.ci, part.metric)
                        && (other.withdrawn > 0 || part.withdrawn > 0)
                        && other.first <= part.last
                        && part.first <= other.last
                })
            };
            return !batch.parts.iter().any(undone);
        }
        later.extend(&batch.parts);
    }
    false
}

/// What clocks may differ by: points may be so much ahead.
const SLACK: TimeDelta = TimeDelta::days(1);

/// What was read without points of times that have not come, or before 1970; those are refused.
fn timely(mut read: Read, now: DateTime<Utc>) -> Read {
    let until = (now + SLACK).timestamp_millis();
    let mut refusals = Vec::new();
    for reading in &mut read.readings {
        let all = reading.points.len();
        let first = reading.points.iter().find(|(at, _)| !(0..=until).contains(at)).map(|(at, _)| *at);
        let Some(first) = first else { continue };
        reading.points.retain(|(at, _)| (0..=until).contains(at));
        let shown = time(first).map_or_else(|| first.to_string(), |at| at.to_rfc3339());
        let many = all - reading.points.len();
        let what = if first < 0 { "before 1970" } else { "after now" };
        refusals.push((
            many,
            format!(
                "{} of '{}': {many} points are of times {what}, {shown} first; times are seconds since 1970 (not \
                 milliseconds), or written like 2026-11-01T12:00:00Z",
                reading.metric, reading.key
            ),
        ));
    }
    for (many, what) in refusals {
        read.refuse(what);
        read.refused_count += many as u64 - 1;
    }
    read.readings.retain(|reading| !reading.points.is_empty());
    read
}

/// Leaves out series whose keys name nothing; those are refused.
fn known_only(catalogue: &Catalogue, read: &mut Read) {
    let is_known = |reading: &Reading| keelson_answers::find(catalogue, &reading.key).is_ok();
    let (known, unknown): (Vec<Reading>, Vec<Reading>) =
        std::mem::take(&mut read.readings).into_iter().partition(is_known);
    read.readings = known;
    for one in unknown {
        let many = one.points.len();
        read.refuse(format!(
            "'{}' names no configuration item: its {many} points of {} are left out",
            one.key, one.metric
        ));
    }
}

/// Readings with the bytes each takes.
type Sized = Vec<(Reading, u64)>;

/// The readings with the bytes each takes, and all bytes.
fn packed(readings: Vec<Reading>) -> Result<(Sized, Vec<u8>), PackError> {
    let (mut parts, mut all) = (Vec::new(), Vec::new());
    for reading in readings.into_iter().filter(|reading| !reading.points.is_empty()) {
        let bytes = pack(&reading.points)?;
        parts.push((reading, bytes.len() as u64));
        all.extend(bytes);
    }
    Ok((parts, all))
}

fn resolved(catalogue: &Catalogue, parts: &[(Reading, u64)]) -> Result<Vec<SeriesPart>, SeriesError> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for (reading, bytes) in parts {
        let ends = (reading.points.first(), reading.points.last());
        let ends = ends.0.zip(ends.1).and_then(|(first, last)| time(first.0).zip(time(last.0)));
        match (keelson_answers::find(catalogue, &reading.key), ends) {
            (Ok(ix), Some((first, last))) => found.push(SeriesPart {
                ci: catalogue.ci(ix).id,
                metric: reading.metric,
                unit: Arc::from(reading.unit.as_str()),
                first,
                last,
                points: reading.points.len() as u64,
                withdrawn: reading.points.iter().filter(|(_, value)| value.is_nan()).count() as u64,
                bytes: *bytes,
            }),
            _ => unknown.push(reading.key.clone()),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    unknown.sort();
    unknown.dedup();
    let count = unknown.len();
    unknown.truncate(MOST_NAMED);
    Err(SeriesError::UnknownKeys { count, first: unknown })
}
