//! `keelson series`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use keelson_app::series_files::csv::{self, Defaults};
use keelson_app::series_files::prometheus::{self, Meaning};
use keelson_app::series_files::{Read, ReadError};
use keelson_app::{SeriesError, SeriesImported, SeriesOptions};
use keelson_model::Symbol;
use keelson_server::series::{RANGE, TABLE, Wishes};

use crate::cli::series::{SeriesAction, SeriesImport};
use crate::cli::{Format, Global};
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::{open, output};

/// Runs what is asked.
pub(super) async fn run(global: &Global, action: SeriesAction) -> Result<Exit, Failure> {
    let args = match action {
        SeriesAction::Import(args) => args,
        SeriesAction::Export(args) => return crate::export::series::run(global, &args).await,
    };
    if let Some(server) = &global.server {
        return import_over(&Remote::at(server)?, global, &args).await;
    }
    let keelson = open::shared(global).await?;
    for (name, _, points) in every(&args)? {
        let options = SeriesOptions {
            actor: open::actor(global, args.reason.as_deref()),
            source: Symbol::new(&args.source),
            name: name.clone(),
            dry_run: args.dry_run,
            keep_going: args.keep_going,
        };
        let imported = keelson.import_series(points, options).await.map_err(|error| failed(&name, error))?;
        told(global.output, &name, &imported, args.dry_run)?;
    }
    Ok(Exit::Done)
}

/// As [`run`], into the store of a server. Every file can be read before any is sent; the server reads them itself.
async fn import_over(remote: &Remote, global: &Global, args: &SeriesImport) -> Result<Exit, Failure> {
    let actor = open::actor(global, args.reason.as_deref());
    for (name, text, _) in every(args)? {
        let wishes = Wishes {
            dry_run: args.dry_run,
            keep_going: args.keep_going,
            metric: args.metric.clone(),
            unit: args.unit.clone(),
            key: args.key.clone(),
            name: Some(name.clone()),
            actor: Some(actor.name.to_string()),
            reason: args.reason.clone(),
        };
        let form = if args.prometheus { RANGE } else { TABLE };
        let imported = remote.import_series(&args.source, form, text, &wishes).await?;
        told(global.output, &name, &imported, args.dry_run)?;
    }
    Ok(Exit::Done)
}

/// Every file with its name and its points: all are read before anything is written.
fn every(args: &SeriesImport) -> Result<Vec<(String, Vec<u8>, Read)>, Failure> {
    let file = |path: &PathBuf| {
        let name = path.display().to_string();
        let text = std::fs::read(path).map_err(|error| Failure::input(anyhow!("{name} cannot be read: {error}")))?;
        let read = points(&text, args).map_err(|error| Failure::input(anyhow!("{name}: {error}")))?;
        if !args.keep_going && read.refused_count > 0 {
            let refused = SeriesError::Refused { count: read.refused_count, first: read.refused };
            return Err(failed(&name, refused));
        }
        Ok((name, text, read))
    };
    args.files.iter().map(file).collect()
}

fn points(text: &[u8], args: &SeriesImport) -> Result<Read, ReadError> {
    let (metric, unit) = (args.metric.as_deref(), args.unit.as_deref());
    match (&args.key, metric) {
        (Some(key), Some(metric)) if args.prometheus => prometheus::read(text, Meaning { key, metric, unit }),
        _ => csv::read(text, Defaults { metric, unit }),
    }
}

fn failed(name: &str, error: SeriesError) -> Failure {
    match error {
        SeriesError::Failed(error) => error.into(),
        error => Failure::input(anyhow!("{name}: {error}")),
    }
}

fn told(format: Format, name: &str, imported: &SeriesImported, dry_run: bool) -> Result<(), Failure> {
    if format != Format::Table {
        let text = serde_json::to_string(imported).map_err(Failure::trouble)?;
        return Ok(output::whole(&format!("{text}\n"))?);
    }
    let SeriesImported { series, points, gaps, bytes, revision, already_known, withdrawn, .. } = imported;
    let what = match revision {
        Some(revision) => format!("committed, revision {revision}"),
        None if *already_known => "there already; nothing was written".to_owned(),
        None if dry_run => "would be committed; nothing was written".to_owned(),
        None => "nothing was written".to_owned(),
    };
    let gaps = if *gaps > 0 { format!(", {gaps} gaps") } else { String::new() };
    let withdrawn = if *withdrawn > 0 { format!(", {withdrawn} taken back") } else { String::new() };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {what}\n  {points} points of {series} series in {bytes} bytes{gaps}{withdrawn}")?;
    if imported.refused_count > 0 {
        writeln!(out, "  {} left out:", imported.refused_count)?;
        imported.refused.iter().try_for_each(|line| writeln!(out, "    {line}"))?;
    }
    Ok(())
}
