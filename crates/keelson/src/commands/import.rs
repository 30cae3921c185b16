//! `keelson import`: read, plan, print, commit.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::anyhow;
use indicatif::ProgressBar;
use keelson_app::reconcile::{Detail, Settings};
use keelson_app::{ImportOptions, system};
use keelson_importer::{Context, Input, Limits};
use keelson_model::{Batch, Finding, RowCounts, Scope, Severity};
use keelson_server::summary::Summary;

use crate::cli::{Format, Global, Import};
use crate::complete::leave_keys;
use crate::failure::{Exit, Failure};
use crate::remote::{Remote, Wishes};
use crate::{importers, open, output};

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    if args.importer == "help" {
        print!("{}", importers::help());
        return Ok(Exit::Done);
    }
    let batches = read(args).await?;
    let mut printer = Printer { args, format: global.output, summaries: Vec::new() };
    match &global.server {
        Some(server) => import_over(&Remote::at(server)?, global, batches, &mut printer).await?,
        None => import_here(global, batches, &mut printer).await?,
    }
    let summaries = printer.summaries;
    match global.output {
        Format::Json => print_json(&serde_json::json!({ "dryRun": args.dry_run, "batches": summaries }))?,
        Format::Csv => print_csv(&summaries)?,
        // Printed batch by batch: what is printed is committed.
        Format::Table | Format::Ndjson => {}
    }
    if let Some(reason) = summaries.iter().find_map(|summary| summary.refused.clone()) {
        return Err(Failure::input(anyhow!("{reason}")));
    }
    let limit = args.fail_on.map(Severity::from);
    let reached = limit.is_some_and(|limit| summaries.iter().any(|summary| summary.worst() >= Some(limit)));
    Ok(if reached { Exit::No } else { Exit::Done })
}

/// Reads the files into batches, off the threads that serve other tasks.
async fn read(args: &Import) -> Result<Vec<Batch>, Failure> {
    let Some(importer) = importers::find(&args.importer) else {
        let known = importers::help();
        return Err(Failure::input(anyhow!("there is no importer '{}'; there are:\n{known}", args.importer)));
    };
    if args.paths.is_empty() {
        return Err(Failure::input(anyhow!("no files given; 'keelson import --help' shows examples")));
    }
    let mut options = BTreeMap::new();
    for option in &args.options {
        let Some((name, value)) = option.split_once('=') else {
            return Err(Failure::input(anyhow!("--option '{option}' must read NAME=VALUE")));
        };
        options.insert(name.to_owned(), value.to_owned());
    }
    if args.keep_going {
        options.insert("keep-going".to_owned(), "true".to_owned());
    }
    let context = Context {
        source: args.source.clone().unwrap_or_else(|| args.importer.clone()),
        scope: args.scope.as_deref().map(Scope::named),
        complete: args.complete,
        observed_at: args.observed_at.unwrap_or_else(system::now),
        options,
    };
    let paths = args.paths.clone();
    let progress = spinner("reading");
    let reading = tokio::task::spawn_blocking(move || -> Result<Vec<Batch>, Failure> {
        let input = Input::from_paths(&paths, Limits::default()).map_err(Failure::input)?;
        importer.normalise(&input, &context).map_err(Failure::input)
    });
    let batches = reading.await.map_err(Failure::trouble)?;
    progress.finish_and_clear();
    batches
}

/// Prints what became of batches as soon as it is known: what is printed is committed.
struct Printer<'a> {
    args: &'a Import,
    format: Format,
    summaries: Vec<Summary>,
}

impl Printer<'_> {
    fn print(&mut self, summary: Summary) -> Result<(), Failure> {
        match self.format {
            Format::Table => print_summary(&mut io::stdout().lock(), &summary, self.args.findings)?,
            Format::Ndjson => print_line(&serde_json::to_value(&summary).map_err(Failure::trouble)?)?,
            // Printed as a whole, at the end.
            Format::Json | Format::Csv => {}
        }
        self.summaries.push(summary);
        Ok(())
    }

    fn spinner(&self) -> ProgressBar {
        spinner(if self.args.dry_run { "planning" } else { "planning and committing" })
    }
}

/// Imports batches one after the other into a store. A dry run plans each on what the ones before
/// would leave.
async fn import_here(global: &Global, batches: Vec<Batch>, printer: &mut Printer<'_>) -> Result<(), Failure> {
    let args = printer.args;
    let keelson = open::with_settings(global, settings(global, args)?).await?;
    let actor = open::actor(global, args.reason.as_deref());
    let progress = printer.spinner();
    if args.dry_run {
        let planned = keelson.dry_run(batches).await?;
        progress.finish_and_clear();
        return planned.iter().try_for_each(|planned| printer.print(Summary::of(planned, args.rows, true)));
    }
    for batch in batches {
        let options = ImportOptions { actor: actor.clone(), batch_id: None, dry_run: false, backdated: args.backdate };
        let imported = keelson.import(batch, options).await?;
        progress.suspend(|| printer.print(Summary::of(&imported, args.rows, false)))?;
    }
    progress.finish_and_clear();
    if global.store.is_none() && printer.summaries.iter().any(|summary| summary.revision.is_some()) {
        leave_keys(&global.data, &keelson.view().catalogue);
    }
    Ok(())
}

/// Settings of the reconciliation, with what the arguments say otherwise.
fn settings(global: &Global, args: &Import) -> Result<Settings, Failure> {
    let mut settings = open::settings(global)?;
    if let Some(percent) = args.guard {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Failure::input(anyhow!("--guard is {percent}; it must lie between 0 and 100")));
        }
        settings.guard_percent = percent;
        settings.sources.values_mut().for_each(|source| source.guard_percent = None);
    }
    if args.rows {
        settings.detail = Detail::All;
    }
    Ok(settings)
}

/// As [`import_here`], into the store of a server, whose own settings hold.
async fn import_over(
    remote: &Remote,
    global: &Global,
    batches: Vec<Batch>,
    printer: &mut Printer<'_>,
) -> Result<(), Failure> {
    let args = printer.args;
    if args.guard.is_some() {
        return Err(Failure::input(anyhow!(
            "--guard cannot be given with --server: the settings the server was started with hold; settle the review \
             task of the withdrawal instead"
        )));
    }
    let actor = open::actor(global, args.reason.as_deref());
    let wishes = Wishes { dry_run: args.dry_run, rows: args.rows, actor: &actor.name, reason: actor.reason.as_deref() };
    let progress = printer.spinner();
    let deliveries = if args.dry_run { vec![batches] } else { batches.into_iter().map(|batch| vec![batch]).collect() };
    for delivery in deliveries {
        let summaries = remote.import(delivery, &wishes).await?;
        progress.suspend(|| summaries.into_iter().try_for_each(|summary| printer.print(summary)))?;
    }
    progress.finish_and_clear();
    Ok(())
}

/// A spinner on a terminal; nothing elsewhere.
pub(crate) fn spinner(doing: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(doing);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Prints what became of a batch, with at most `most` findings.
pub(crate) fn print_summary(out: &mut dyn Write, summary: &Summary, most: usize) -> io::Result<()> {
    let complete = if summary.complete { "complete" } else { "delta" };
    let revision = summary.revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
    writeln!(
        out,
        "{} ({}, scope {}, {complete}, read {}): {}{revision}",
        summary.source,
        summary.importer,
        summary.scope,
        summary.observed_at.format("%Y-%m-%d %H:%M"),
        summary.outcome.as_str().replace('_', " ")
    )?;
    for (what, counts) in [
        ("configuration items", &summary.configuration_items),
        ("relationships", &summary.relationships),
        ("needs", &summary.needs),
    ] {
        let words = words(counts);
        if !words.is_empty() {
            writeln!(out, "  {what:<20} {}", words.join(", "))?;
        }
    }
    if !summary.finding_counts.is_empty() {
        let counts: Vec<String> =
            summary.finding_counts.iter().map(|(code, count)| format!("{count} {code}")).collect();
        writeln!(out, "  {:<20} {}", "findings", counts.join(", "))?;
    }
    let mut findings: Vec<&Finding> = summary.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in findings.iter().take(most) {
        writeln!(out, "    {finding}")?;
    }
    if findings.len() > most && most > 0 {
        writeln!(out, "    … and {} more (--findings {})", findings.len() - most, findings.len())?;
    }
    for row in &summary.rows {
        let place = if row.position.is_empty() { String::new() } else { format!(" [{}]", row.position) };
        writeln!(out, "    {:<18} {}{place}", row.outcome.as_str().replace('_', " "), row.source_key)?;
        for change in &row.changed {
            let value = |value: &Option<serde_json::Value>| value.as_ref().map_or("–".to_owned(), ToString::to_string);
            writeln!(out, "        {}: {} → {}", change.attribute, value(&change.before), value(&change.after))?;
        }
    }
    Ok(())
}

fn words(counts: &RowCounts) -> Vec<String> {
    [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.filled_placeholder, "placeholders filled"),
        (counts.revived, "revived"),
        (counts.withdrawn, "withdrawn"),
        (counts.ambiguous, "waiting for review"),
        (counts.skipped, "skipped"),
        (counts.rejected, "rejected"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect()
}

fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

fn print_line(value: &serde_json::Value) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{value}")?;
    Ok(())
}

fn print_csv(summaries: &[Summary]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(io::stdout().lock());
    csv.write_record([
        "source",
        "scope",
        "outcome",
        "revision",
        "what",
        "created",
        "updated",
        "unchanged",
        "withdrawn",
        "rejected",
    ])
    .map_err(io::Error::other)?;
    for summary in summaries {
        let revision = summary.revision.map(|revision| revision.to_string()).unwrap_or_default();
        for (what, counts) in [
            ("configuration items", &summary.configuration_items),
            ("relationships", &summary.relationships),
            ("needs", &summary.needs),
        ] {
            let numbers = [counts.created, counts.updated, counts.unchanged, counts.withdrawn, counts.rejected];
            let cells = [
                output::harmless(&summary.source),
                output::harmless(&summary.scope),
                summary.outcome.to_string(),
                revision.clone(),
                what.to_owned(),
            ];
            csv.write_record(cells.into_iter().chain(numbers.iter().map(u64::to_string))).map_err(io::Error::other)?;
        }
    }
    csv.flush()?;
    Ok(())
}
