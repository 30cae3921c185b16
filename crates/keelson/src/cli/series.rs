//! The arguments of `keelson series`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keelson_model::Metric;

use super::Past;
use crate::complete::key_completer;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson series import demand.csv --source monitoring\n  \
keelson series import utilisation.csv --metric utilisation --dry-run\n  \
curl 'http://prometheus:9090/api/v1/query_range?query=…' > range.json\n  \
keelson series import range.json --prometheus --key 'service/{job}' --metric demand --unit requests/s\n\n\
A table has the columns key, metric, time and value, and may have unit. An empty value or NaN is a gap. Of two values at \
the same time the one read later counts; both are kept. With --server the points go to a running server.")]
pub(crate) struct SeriesArgs {
    #[command(subcommand)]
    pub(crate) action: SeriesAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SeriesAction {
    /// Take in points from files: tables (CSV), or results of range queries of Prometheus
    Import(SeriesImport),
    /// Write points as a table (CSV) that can be taken in again
    Export(SeriesExport),
}

#[derive(Args, Debug)]
#[command(
    after_help = "Of several points at the same time the one read last is written, and none that was taken back. A \
demand is in the unit of the peak demand that is stated, where it converts into it.\n\n\
Examples:\n  keelson series export > points.csv\n  keelson series export service/payments --metric demand --to payments.csv"
)]
pub(crate) struct SeriesExport {
    /// What was measured; none means everything
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) keys: Vec<String>,
    /// Only this metric: demand or utilisation
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<Metric>,
    /// File to write; default: standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[derive(Args, Debug)]
#[command(
    after_help = "A table has the columns key, metric (demand or utilisation), time and value, and may have unit:\n\n  \
key,metric,time,value,unit\n  service/payments,demand,2026-11-01T12:00:00Z,100.5,transactions/s\n  \
host/hv1,utilisation,1793491200,60,%\n\n\
Times are of the past, in RFC 3339 or in seconds since 1970. An empty value is a gap. The word 'withdrawn' in place of a\n\
value takes back the point that was given at that time. A utilisation without a unit is a fraction.\n\n\
Examples:\n  keelson series import points.csv\n  keelson series import points.csv --keep-going --dry-run\n  \
keelson series import range.json --prometheus --key 'service/{job}' --metric demand --unit requests/s"
)]
pub(crate) struct SeriesImport {
    /// Files
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// The files are results of range queries of Prometheus (/api/v1/query_range)
    #[arg(long, requires = "key", requires = "metric")]
    pub(crate) prometheus: bool,
    /// Key of what each series is about, with labels in braces: service/{job}
    #[arg(long, value_name = "TEMPLATE", requires = "prometheus")]
    pub(crate) key: Option<String>,
    /// What was measured, where the file does not say: demand or utilisation
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<String>,
    /// Unit of the values, where the file does not say
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Who measured: name of the source
    #[arg(long, value_name = "NAME", default_value = "series")]
    pub(crate) source: String,
    /// Say what would be taken in, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave out lines, points and series that cannot be taken in, and list them; otherwise one keeps its file out
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}
