//! Measured points: what can be taken in of them.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::series_files::csv::{self, Defaults};
use keelson_app::series_files::prometheus::{self, Meaning};
use keelson_app::series_files::{Read, ReadError};
use keelson_app::{SeriesError, SeriesOptions};
use keelson_model::Symbol;

use crate::context::{Find, compute};
use crate::errors::Refusal;
use crate::types::payload::{UserError, UserErrorCode};

/// Longest name of a source.
const LONGEST_NAME: usize = 100;

/// The result of a range query of Prometheus.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct PrometheusInput {
    /// The JSON that `GET /api/v1/query_range` answered.
    pub result: String,
    /// Key of what each series is about, with labels in braces: `service/{job}`.
    pub key: String,
}

/// Measured points; either a table or the result of a range query.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct SubmitSeriesInput {
    /// Who measured: the name of the source.
    pub source: String,
    /// A table with the columns `key`, `metric`, `time` and `value`, which may have `unit` (CSV).
    pub table: Option<String>,
    /// The result of a range query of Prometheus.
    pub prometheus: Option<PrometheusInput>,
    /// What was measured, where the points do not say: `demand` or `utilisation`.
    pub metric: Option<String>,
    /// The unit of the values, where the points do not say.
    pub unit: Option<String>,
    /// File or address they come from, as shown to people.
    pub name: Option<String>,
    /// Say what would be taken in, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Leave out lines, points and series that cannot be taken in, and list them; otherwise one keeps all of them out.
    #[graphql(default)]
    pub keep_going: bool,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// What became of measured points.
#[derive(SimpleObject)]
pub(crate) struct SubmitSeriesPayload {
    /// How many series.
    series_count: usize,
    /// How many points.
    point_count: u64,
    /// Values that say that nothing was measured; they stay gaps.
    gap_count: u64,
    /// Bytes the points are kept in.
    bytes: u64,
    /// The number of the commit that has them; absent after a dry run, and when nothing was written.
    revision: Option<u64>,
    /// Whether the same points of the same source were there already; nothing was written then.
    was_known: bool,
    /// Points among them that take back what was said of their time.
    withdrawn_count: u64,
    /// How many lines, points or series were left out.
    refused_count: u64,
    /// The first of them, with place and reason; at most 10.
    refused: Vec<String>,
    /// What kept them from being taken in; at most one, and then nothing was written.
    user_errors: Vec<UserError>,
}

impl SubmitSeriesPayload {
    fn failed(field: &str, message: String) -> Self {
        let user_errors = vec![UserError::of(UserErrorCode::BadValue, &[field], message)];
        Self {
            series_count: 0,
            point_count: 0,
            gap_count: 0,
            bytes: 0,
            revision: None,
            was_known: false,
            withdrawn_count: 0,
            refused_count: 0,
            refused: Vec::new(),
            user_errors,
        }
    }
}

/// What can be taken in of measured points.
pub struct SeriesMutation;

/// What can be taken in of measured points.
#[Object]
impl SeriesMutation {
    /// Takes in measured points, or says what would be taken in. Of two values at the same time the one read later counts;
    /// both are kept.
    async fn submit_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The points.")] input: SubmitSeriesInput,
    ) -> Result<SubmitSeriesPayload, Refusal> {
        if input.source.is_empty() || input.source.len() > LONGEST_NAME {
            let message = format!("a source has a name of 1 to {LONGEST_NAME} bytes");
            return Ok(SubmitSeriesPayload::failed("source", message));
        }
        let field = if input.prometheus.is_some() { "prometheus" } else { "table" };
        let options = SeriesOptions {
            actor: ctx.principal().actor(input.reason.clone()),
            source: Symbol::new(&input.source),
            name: input.name.clone().unwrap_or_else(|| "submitSeries".to_owned()),
            dry_run: input.dry_run,
            keep_going: input.keep_going,
        };
        let read = match compute(ctx.services(), move || points(&input)).await? {
            Ok(read) => read,
            Err(error) => return Ok(SubmitSeriesPayload::failed(field, error.to_string())),
        };
        match ctx.services().keelson.import_series(read, options).await {
            Ok(done) => Ok(SubmitSeriesPayload {
                series_count: done.series,
                point_count: done.points,
                gap_count: done.gaps,
                bytes: done.bytes,
                revision: done.revision,
                was_known: done.already_known,
                withdrawn_count: done.withdrawn,
                refused_count: done.refused_count,
                refused: done.refused,
                user_errors: Vec::new(),
            }),
            Err(SeriesError::Failed(error)) => Err(error.into()),
            Err(error) => Ok(SubmitSeriesPayload::failed(field, error.to_string())),
        }
    }
}

fn points(input: &SubmitSeriesInput) -> Result<Read, ReadError> {
    let (metric, unit) = (input.metric.as_deref(), input.unit.as_deref());
    match (&input.table, &input.prometheus) {
        (Some(table), None) => csv::read(table.as_bytes(), Defaults { metric, unit }),
        (None, Some(found)) => {
            let metric = metric.unwrap_or("");
            prometheus::read(found.result.as_bytes(), Meaning { key: &found.key, metric, unit })
        }
        _ => Err(ReadError::Document("give a table or the result of a range query, one of them".to_owned())),
    }
}
