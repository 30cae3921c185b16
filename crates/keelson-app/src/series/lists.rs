//! Reading kept points back: as days for questions, and as they are for export.

use std::collections::BTreeMap;
use std::sync::Arc;

use keelson_answers::QuestionError;
use keelson_answers::series::{DailySeries, SeriesBook};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{Metric, SeriesBatch, SeriesPart, Value, unit};
use keelson_series::packed::unpack;
use keelson_series::{Point, overlaid};

use super::SLACK;
use crate::keelson::blocking;
use crate::{Error, Keelson, View};

/// Most points that are laid beside a view; those read last come first.
const MOST_POINTS: u64 = 50_000_000;
/// The points of a series as they count: of several at one time the last, without what was taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredSeries {
    /// What it is about.
    pub key: String,
    /// What was measured.
    pub metric: Metric,
    /// The unit of the values.
    pub unit: String,
    /// Who measured, in order of their names.
    pub sources: Vec<String>,
    /// Milliseconds since 1970 and values, in order of time.
    pub points: Vec<Point>,
}

/// Series, and what of them is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredPoints {
    /// The series, by key and metric.
    pub series: Vec<MeasuredSeries>,
    /// Points of the batches read first, which found no room.
    pub left_out: u64,
    /// What was not taken, in words.
    pub set_aside: Vec<String>,
}

impl Keelson {
    /// The measured points of some items, or of all where none is named.
    ///
    /// # Errors
    /// When a key names nothing; as the store fails, or when kept points cannot be read back.
    pub async fn measured_points(&self, view: &View, keys: &[String]) -> Result<MeasuredPoints, crate::AskError> {
        let wanted = keys.iter().map(|key| keelson_answers::find(&view.catalogue, key));
        let wanted = wanted.collect::<Result<Vec<CiIx>, QuestionError>>()?;
        let catalogue = Arc::clone(&view.catalogue);
        let lists = self.read_lists(view, &wanted).await?;
        Ok(blocking(move || lists.points(&catalogue)).await?)
    }

    pub(super) async fn read_book(&self, view: &View) -> Result<SeriesBook, Error> {
        let lists = self.read_lists(view, &[]).await?;
        blocking(move || lists.book()).await
    }

    /// What was read of some items; of all where none is named.
    async fn read_lists(&self, view: &View, wanted: &[CiIx]) -> Result<Lists, Error> {
        let mut lists = Lists::default();
        let is_wanted = |part: &SeriesPart| {
            let known = view.catalogue.find_id(part.ci);
            known.filter(|ix| wanted.is_empty() || wanted.contains(ix))
        };
        for kept in view.catalogue.series().rev() {
            let batch = &kept.record;
            let points: u64 = batch.parts.iter().filter(|part| is_wanted(part).is_some()).map(|part| part.points).sum();
            if points == 0 {
                continue;
            }
            if lists.count + points > MOST_POINTS {
                lists.left_out += points;
                continue;
            }
            lists.count += points;
            let payload = self.store().payload(&batch.payload).await?.ok_or_else(|| lost(batch))?;
            let mut at = 0_usize;
            for part in &batch.parts {
                let end = at.saturating_add(usize::try_from(part.bytes).unwrap_or(usize::MAX));
                let bytes = payload.get(at..end).ok_or_else(|| lost(batch))?;
                at = end;
                if let Some(ix) = is_wanted(part) {
                    let points = unpack(bytes, part.points).map_err(|error| Error::Stopped(error.to_string()))?;
                    lists.add(&view.catalogue, ix, (batch, part), points);
                }
            }
        }
        Ok(lists)
    }
}

fn lost(batch: &SeriesBatch) -> Error {
    Error::Stopped(format!("the points of series {} are not in the store; run `keelson verify`", batch.id))
}

/// What was read of one series, the last batch first.
#[derive(Default)]
struct List {
    unit: Arc<str>,
    sources: Vec<String>,
    points: Vec<Vec<Point>>,
}

impl List {
    /// Its unit, its sources and its points as they count.
    fn whole(mut self) -> (Arc<str>, Vec<String>, Vec<Point>) {
        self.sources.sort();
        self.sources.dedup();
        (self.unit, self.sources, overlaid(self.points.into_iter().rev()))
    }
}

/// What was read of all series.
#[derive(Default)]
struct Lists {
    lists: BTreeMap<(CiIx, Metric), List>,
    count: u64,
    left_out: u64,
    set_aside: Vec<String>,
}

impl Lists {
    /// Adds the points of one part. They are converted into the unit of the demand that is stated, or else into that of the
    /// last batch, and told where they cannot be. So are points of a time that had not come when they were read.
    fn add(&mut self, catalogue: &Catalogue, ix: CiIx, (batch, part): (&SeriesBatch, &SeriesPart), points: Vec<Point>) {
        let about = || format!("{} of '{}'", part.metric, catalogue.ci(ix).key);
        let list = self.lists.entry((ix, part.metric)).or_default();
        if list.points.is_empty() {
            list.unit = unit_for(catalogue, ix, part);
        }
        let Some(factor) = unit::factor(&part.unit, &list.unit) else {
            let (many, unit, now) = (part.points, &part.unit, &list.unit);
            let aside =
                format!("{many} points of {} are in {unit}, and the last in {now}: they are not taken", about());
            self.set_aside.push(aside);
            return;
        };
        let until = (batch.read_at + SLACK).timestamp_millis();
        let all = points.len();
        let points: Vec<Point> = points
            .into_iter()
            .filter(|(at, _)| (0..=until).contains(at))
            .map(|(at, value)| (at, value * factor))
            .collect();
        if points.len() < all {
            let many = all - points.len();
            self.set_aside.push(format!(
                "{many} points of {} are of times that had not come when they were read, or before 1970: they are not taken",
                about()
            ));
        }
        list.sources.push(batch.source.to_string());
        list.points.push(points);
    }

    fn points(self, catalogue: &Catalogue) -> MeasuredPoints {
        let series = self.lists.into_iter().map(|((ix, metric), list)| {
            let (unit, sources, points) = list.whole();
            MeasuredSeries { key: catalogue.ci(ix).key.to_string(), metric, unit: unit.to_string(), sources, points }
        });
        let mut series: Vec<MeasuredSeries> = series.filter(|one| !one.points.is_empty()).collect();
        series.sort_by(|a, b| (&a.key, a.metric).cmp(&(&b.key, b.metric)));
        MeasuredPoints { series, left_out: self.left_out, set_aside: self.set_aside }
    }

    fn book(self) -> SeriesBook {
        let mut book = SeriesBook::default();
        (book.left_out, book.set_aside) = (self.left_out, self.set_aside);
        for ((ix, metric), list) in self.lists {
            let (unit, sources, points) = list.whole();
            if let Some(series) = DailySeries::of(&unit, &points, sources) {
                book.add(ix, metric, series);
            }
        }
        book
    }
}

/// The unit in which a series is told: that of the demand that is stated, where the measured one converts into it.
fn unit_for(catalogue: &Catalogue, ix: CiIx, part: &SeriesPart) -> Arc<str> {
    let stated = match catalogue.ci(ix).attribute(PEAK_DEMAND) {
        Some(Value::Quantity(stated)) if part.metric == Metric::Demand => Some(&stated.unit),
        _ => None,
    };
    let stated = stated.filter(|stated| unit::factor(&part.unit, stated).is_some());
    stated.map_or_else(|| Arc::clone(&part.unit), |stated| Arc::from(stated.to_string()))
}

/// The attribute of services that states the demand on them.
const PEAK_DEMAND: &str = "peak_demand";
