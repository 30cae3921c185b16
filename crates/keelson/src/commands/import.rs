//! `keelson import`: read, plan, print, commit.

mod printing;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;
use keelson_app::reconcile::{Detail, Settings};
use keelson_app::{ImportOptions, system};
use keelson_import_batch::{MappedName, mapped_names};
use keelson_importer::{Context, EnvelopeError, Input, Limits};
use keelson_model::{Batch, Schema, Scope, Severity, Symbol};
use keelson_server::summary::Summary;

use crate::cli::{Format, Global, Import};
use crate::complete::leave_keys;
use crate::failure::{Exit, Failure};
use crate::remote::{Remote, Wishes};
use crate::{importers, open};
use printing::{print_csv, print_json, print_line};

pub(crate) use printing::print_summary;

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    if args.importer == "help" {
        write!(io::stdout().lock(), "{}", importers::help())?;
        return Ok(Exit::Done);
    }
    let batches = read(global, args).await?;
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
async fn read(global: &Global, args: &Import) -> Result<Vec<Batch>, Failure> {
    let Some(importer) = importers::find(&args.importer) else {
        let known = importers::help();
        return Err(Failure::input(anyhow!("there is no importer '{}'; there are:\n{known}", args.importer)));
    };
    if args.paths.is_empty() {
        return Err(Failure::input(anyhow!("no files given; 'keelson import --help' shows examples")));
    }
    let options = options(global, args)?;
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

/// The options of the importer.
fn options(global: &Global, args: &Import) -> Result<BTreeMap<String, String>, Failure> {
    let mut options = BTreeMap::new();
    for option in &args.options {
        let Some((name, value)) = option.split_once('=') else {
            return Err(Failure::input(anyhow!("--option '{option}' must read NAME=VALUE")));
        };
        let value = if name == MAPPING { mapping(global, value)? } else { value.to_owned() };
        options.insert(name.to_owned(), value);
    }
    if args.keep_going {
        options.insert("keep-going".to_owned(), "true".to_owned());
    }
    Ok(options)
}

/// The option of the importer of tables that holds a whole file.
const MAPPING: &str = "mapping";

/// The text of a mapping: that of a file, or given as it is. Classes and kinds that nobody knows are
/// refused here, because the importer does not know which there are.
fn mapping(global: &Global, value: &str) -> Result<String, Failure> {
    let path = Path::new(value);
    let (text, file) = if path.is_file() {
        let read = fs::read_to_string(path).with_context(|| format!("failed to read the mapping {value}"));
        (read.map_err(Failure::input)?, value)
    } else if value.contains(['\n', '=']) {
        (value.to_owned(), MAPPING)
    } else {
        let what = if path.exists() { "is no file" } else { "does not exist" };
        return Err(Failure::input(anyhow!("the mapping '{value}' {what}; name a file that holds the mapping (TOML)")));
    };
    let named = mapped_names(&text).map_err(|error| match error {
        EnvelopeError::Unreadable { line, reason, .. } => {
            EnvelopeError::Unreadable { file: file.to_owned(), line, reason }
        }
        other => other,
    });
    let named = named.map_err(Failure::input)?;
    // A server may have classes of its own, and refuses unknown ones itself.
    if global.server.is_none() {
        let schema = open::schema(global)?;
        named.iter().try_for_each(|name| known(&schema, name, file))?;
    }
    Ok(text)
}

/// Refuses a class or kind of a mapping that nobody defined.
fn known(schema: &Schema, mapped: &MappedName, file: &str) -> Result<(), Failure> {
    let name = mapped.name.as_str();
    let (what, is_known, similar) = if mapped.is_kind {
        let kinds = schema.kinds.all();
        let wanted = name.to_lowercase().replace('-', "_");
        let alike = |kind: &str| kind.contains(&wanted) || wanted.contains(kind);
        let similar = kinds.iter().map(|kind| kind.name.clone()).filter(|kind| alike(kind)).take(3).collect();
        ("kind of relationship", schema.kinds.get(name).is_some(), similar)
    } else {
        ("class", schema.classes.get(name).is_some(), schema.classes.resembling(name))
    };
    if is_known {
        return Ok(());
    }
    let similar: Vec<&str> = similar.iter().map(Symbol::as_str).collect();
    let hint = if similar.is_empty() { String::new() } else { format!("; did you mean {}?", similar.join(", ")) };
    Err(Failure::input(anyhow!("{file}, line {}: there is no {what} '{name}'{hint}", mapped.line)))
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
    // A dry run leaves nothing behind, so where there is no store it plans on an empty one.
    let nowhere = Global { store: Some("mem://".to_owned()), store_user: None, ..global.clone() };
    let is_new = global.store.is_none() && !global.data.join("store").exists();
    let place = if args.dry_run && is_new { &nowhere } else { global };
    let keelson = open::with_settings(place, settings(global, args)?).await?;
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
