//! Series of measured points: taking them in, and laying them beside a view.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::batch::Payload;
use keelson_model::{
    Change, CommitHeader, IdSource, Metric, RecordChange, SeriesBatch, SeriesBatchId, SeriesPart, Symbol,
};
use keelson_series::packed::{PackError, pack, unpack};
use keelson_series::{Point, Read, Reading, overlaid, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::committing::Made;
use crate::keelson::blocking;
use crate::system::{RandomIds, now};
use crate::{Actor, Error, Keelson, View};

/// Media type of packed points.
const MEDIA_TYPE: &str = "application/vnd.keelson.points";
/// Most points that are laid beside a view; those read last come first.
const MOST_POINTS: u64 = 50_000_000;
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
    /// When a key names nothing; otherwise as the store fails.
    pub async fn import_series(&self, read: Read, options: SeriesOptions) -> Result<SeriesImported, SeriesError> {
        let gaps = read.gaps;
        let (parts, packed) = blocking(move || packed(read.readings)).await??;
        let payload = Payload::new(&options.name, MEDIA_TYPE, packed);
        let mut imported = SeriesImported {
            series: parts.len(),
            points: parts.iter().map(|(reading, _)| reading.points.len() as u64).sum(),
            gaps,
            bytes: payload.bytes,
            revision: None,
            already_known: false,
        };
        if parts.is_empty() {
            return Err(SeriesError::Nothing);
        }
        let mut turn = self.turn().await;
        loop {
            let view = turn.view()?;
            let parts = resolved(&view.catalogue, &parts)?;
            let same = |batch: &SeriesBatch| *batch.payload == *payload.digest && batch.source == options.source;
            // The same bytes may stand for other series.
            if view.catalogue.series().any(|kept| same(&kept.record) && kept.record.parts == parts) {
                imported.already_known = true;
                return Ok(imported);
            }
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

    async fn read_book(&self, view: &View) -> Result<SeriesBook, Error> {
        let (mut lists, mut count, mut left_out) = (Lists::new(), 0_u64, 0_u64);
        for kept in view.catalogue.series().rev() {
            let batch = &kept.record;
            let points: u64 = batch.parts.iter().map(|part| part.points).sum();
            if count + points > MOST_POINTS {
                left_out += points;
                continue;
            }
            count += points;
            let payload = self.store().payload(&batch.payload).await?.ok_or_else(|| lost(batch))?;
            let mut at = 0_usize;
            for part in &batch.parts {
                let end = at.saturating_add(usize::try_from(part.bytes).unwrap_or(usize::MAX));
                let bytes = payload.get(at..end).ok_or_else(|| lost(batch))?;
                at = end;
                if let Some(ix) = view.catalogue.find_id(part.ci) {
                    let points = unpack(bytes, part.points).map_err(|error| Error::Stopped(error.to_string()))?;
                    let list = lists.entry((ix, part.metric)).or_default();
                    // The last batch says in which unit it is measured now; older points in another are no part of it.
                    if list.points.is_empty() {
                        list.unit.clone_from(&part.unit);
                    } else if list.unit != part.unit {
                        left_out += part.points;
                        continue;
                    }
                    list.sources.push(batch.source.to_string());
                    list.points.push(points);
                }
            }
        }
        blocking(move || book(lists, left_out)).await
    }
}

/// What was read of one series, the last batch first.
#[derive(Default)]
struct List {
    unit: Arc<str>,
    sources: Vec<String>,
    points: Vec<Vec<Point>>,
}

type Lists = BTreeMap<(CiIx, Metric), List>;

fn book(lists: Lists, left_out: u64) -> SeriesBook {
    let mut book = SeriesBook::default();
    book.left_out = left_out;
    for ((ix, metric), mut list) in lists {
        list.sources.sort();
        list.sources.dedup();
        let points = overlaid(list.points.into_iter().rev());
        if let Some(series) = DailySeries::of(&list.unit, &points, list.sources) {
            book.add(ix, metric, series);
        }
    }
    book
}

fn lost(batch: &SeriesBatch) -> Error {
    Error::Stopped(format!("the points of series {} are not in the store; run `keelson verify`", batch.id))
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
