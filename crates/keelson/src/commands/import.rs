//! `keelson import`: read, plan, print, commit.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::anyhow;
use indicatif::ProgressBar;
use keelson_app::reconcile::{Plan, PlanOutcome, RowResult};
use keelson_app::{ImportOptions, Imported, Keelson, system};
use keelson_importer::{Context, Input, Limits};
use keelson_model::{Batch, Finding, FindingCode, Revision, RowCounts, Scope, Severity};
use serde::Serialize;

use crate::cli::{Format, Global, Import};
use crate::complete::leave_keys;
use crate::failure::{Exit, Failure};
use crate::{importers, open, output};

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    if args.importer == "help" {
        print!("{}", importers::help());
        return Ok(Exit::Done);
    }
    let batches = read(args).await?;
    let keelson = open::for_writing(global).await?;
    let actor = open::actor(global, args.reason.as_deref());
    let progress = spinner("planning and committing");
    let imported = import_all(&keelson, batches, args.dry_run, &actor).await;
    progress.finish_and_clear();
    let imported = imported?;
    let summaries: Vec<Summary> = imported.iter().map(|one| Summary::of(one, args.rows, args.dry_run)).collect();
    match global.output {
        Format::Table => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            for summary in &summaries {
                print_summary(&mut out, summary, args.findings)?;
            }
            out.flush()?;
        }
        Format::Json => print_json(&serde_json::json!({ "dryRun": args.dry_run, "batches": summaries }))?,
        Format::Ndjson => output::documents(&summaries).iter().try_for_each(print_line)?,
        Format::Csv => print_csv(&summaries)?,
    }
    if global.store.is_none() && imported.iter().any(|one| one.committed.is_some()) {
        leave_keys(&global.data, &keelson.view().catalogue);
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

/// Imports batches one after the other. A dry run plans each on what the ones before would leave.
async fn import_all(
    keelson: &Keelson,
    batches: Vec<Batch>,
    dry_run: bool,
    actor: &keelson_app::Actor,
) -> Result<Vec<Imported>, Failure> {
    if dry_run {
        return Ok(keelson.dry_run(batches).await?);
    }
    let mut imported = Vec::new();
    for batch in batches {
        let options = ImportOptions { actor: actor.clone(), batch_id: None, dry_run: false };
        imported.push(keelson.import(batch, options).await?);
    }
    Ok(imported)
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

/// What became of a batch, as it is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// The batch.
    pub(crate) batch: String,
    /// Its source.
    pub(crate) source: String,
    /// Its scope.
    pub(crate) scope: String,
    /// Its importer.
    pub(crate) importer: String,
    /// Whether it claims to be complete.
    pub(crate) complete: bool,
    /// When the source was read.
    pub(crate) observed_at: chrono::DateTime<chrono::Utc>,
    /// `committed`, `unchanged`, `already_known`, `refused` or `planned`.
    pub(crate) outcome: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    /// The revision it led to.
    pub(crate) revision: Option<Revision>,
    /// Configuration items by outcome.
    pub(crate) configuration_items: RowCounts,
    /// Relationships by outcome.
    pub(crate) relationships: RowCounts,
    /// Needs by outcome.
    pub(crate) needs: RowCounts,
    /// Findings by code.
    pub(crate) finding_counts: BTreeMap<FindingCode, u64>,
    /// The findings.
    pub(crate) findings: Vec<Finding>,
    /// The rows, when asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rows: Vec<RowResult>,
}

impl Summary {
    /// The summary of an import.
    pub(crate) fn of(imported: &Imported, rows: bool, dry_run: bool) -> Self {
        let Imported { plan, committed } = imported;
        let (outcome, refused) = outcome(plan, dry_run);
        Self {
            batch: plan.batch.to_string(),
            source: plan.run.source.to_string(),
            scope: plan.run.scope.to_string(),
            importer: plan.run.importer.to_string(),
            complete: plan.run.complete,
            observed_at: plan.run.observed_at,
            outcome,
            refused,
            revision: committed.as_ref().map(|header| header.revision),
            configuration_items: plan.run.configuration_items,
            relationships: plan.run.relationships,
            needs: plan.run.needs,
            finding_counts: plan.run.findings.clone(),
            findings: plan.findings.clone(),
            rows: if rows { plan.rows.clone() } else { Vec::new() },
        }
    }

    fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

fn outcome(plan: &Plan, dry_run: bool) -> (&'static str, Option<String>) {
    match &plan.outcome {
        PlanOutcome::Refused { reason, .. } => ("refused", Some(reason.clone())),
        PlanOutcome::AlreadyKnown { .. } => ("already_known", None),
        PlanOutcome::Ready if dry_run => ("planned", None),
        PlanOutcome::Ready if plan.changes_content() => ("committed", None),
        PlanOutcome::Ready => ("unchanged", None),
    }
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
        summary.outcome.replace('_', " ")
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
    csv.write_record(["source", "scope", "outcome", "revision", "what", "created", "updated", "unchanged", "withdrawn", "rejected"])
        .map_err(io::Error::other)?;
    for summary in summaries {
        let revision = summary.revision.map(|revision| revision.to_string()).unwrap_or_default();
        for (what, counts) in [
            ("configuration items", &summary.configuration_items),
            ("relationships", &summary.relationships),
            ("needs", &summary.needs),
        ] {
            let numbers = [counts.created, counts.updated, counts.unchanged, counts.withdrawn, counts.rejected];
            let cells = [output::harmless(&summary.source), output::harmless(&summary.scope), summary.outcome.to_owned(), revision.clone(), what.to_owned()];
            csv.write_record(cells.into_iter().chain(numbers.iter().map(u64::to_string))).map_err(io::Error::other)?;
        }
    }
    csv.flush()?;
    Ok(())
}
