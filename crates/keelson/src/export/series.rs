//! `keelson series export`: measured points as a table that can be taken in again.

use std::io::{self, BufWriter, Write};

use chrono::SecondsFormat;
use keelson_app::MeasuredSeries;
use keelson_app::series_files::time;

use crate::cli::Global;
use crate::cli::series::SeriesExport;
use crate::failure::{Exit, Failure};
use crate::open;

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &SeriesExport) -> Result<Exit, Failure> {
    let as_of = open::as_of(&args.past)?;
    let keelson = open::unchecked(global).await?;
    let (view, _) = keelson.view_for(as_of).await?;
    let mut measured = keelson.measured_points(&view, &args.keys).await?;
    measured.series.retain(|one| args.metric.is_none_or(|metric| metric == one.metric));
    let out = super::writer(args.to.as_deref())?;
    let (series, points) = (measured.series.len(), measured.series.iter().map(|one| one.points.len()).sum::<usize>());
    let (left_out, set_aside, series_points) = (measured.left_out, measured.set_aside, measured.series);
    let written = tokio::task::spawn_blocking(move || write(out, &series_points));
    written.await.map_err(Failure::trouble)??;
    eprintln!("{points} points of {series} series written");
    if left_out > 0 {
        eprintln!("{left_out} points of the batches read first found no room: name what to write");
    }
    set_aside.iter().for_each(|line| eprintln!("left out: {line}"));
    Ok(Exit::Done)
}

fn write(out: Box<dyn Write + Send>, series: &[MeasuredSeries]) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(BufWriter::new(out));
    table.write_record(["key", "metric", "time", "value", "unit"])?;
    for one in series {
        for (at, value) in &one.points {
            let at = time(*at).map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            table.write_record([&one.key, one.metric.as_str(), &at, &value.to_string(), &one.unit])?;
        }
    }
    table.flush()
}
