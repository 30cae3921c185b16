//! `keelson demo`: the demonstration estate through the real importers, and questions about it.

mod estate;
mod measured;
#[cfg(test)]
mod tests;
mod week;

use std::fmt;
use std::io::{self, Write};

use anyhow::anyhow;
use chrono::TimeDelta;
use clap::parser::ValueSource;
use keelson_app::answers::impact::{USUAL_BUDGET, VerdictWord};
use keelson_app::answers::schedule::ScheduleAnswer;
use keelson_app::{Actor, Answer, ImportOptions, Keelson, Question, SeedInput, SeriesOptions, system};
use keelson_importer::{Context, Input, SourceFile};
use keelson_model::{Batch, Effect, Scope, Symbol};
use keelson_server::ServerOptions;
use keelson_server::summary::Summary;
use serde_json::json;

use crate::cli::{Demo, Format, Global};
use crate::commands::{print_summary, serve_until_stopped};
use crate::failure::{Exit, Failure};
use crate::{complete, importers, open, render};
use estate::{Assessment, Estate, Source};

/// How long ago the newest source of the demonstration was read.
const AGE_HOURS: i64 = 5;

/// Refuses a data folder that somebody named: the demonstration would not use it. That the environment
/// names one for other commands is no reason.
pub(crate) fn refuse_data(matches: &clap::ArgMatches) -> Result<(), Failure> {
    let is_named = |matches: &clap::ArgMatches| matches.value_source("data") == Some(ValueSource::CommandLine);
    match matches.subcommand() {
        Some(("demo", demo)) if is_named(demo) || is_named(matches) => Err(Failure::input(anyhow!(
            "the demonstration has a folder of its own, so --data means nothing to it; keep it with --keep FOLDER"
        ))),
        _ => Ok(()),
    }
}

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Demo) -> Result<Exit, Failure> {
    let form = match global.output {
        Format::Table => Form::Text,
        Format::Json => Form::Document,
        Format::Ndjson | Format::Csv => {
            return Err(Failure::input(anyhow!("'keelson demo' answers as table or json, not as rows")));
        }
    };
    let estate = Estate::built_in().map_err(Failure::trouble)?;
    let temporary = tempfile::Builder::new().prefix("keelson-demo-").tempdir()?;
    let folder = args.keep.as_deref().unwrap_or(temporary.path());
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::input(anyhow!(
            "{} is not empty; the demonstration needs a folder of its own",
            folder.display()
        )));
    }
    let global = Global { data: folder.to_owned(), store: None, ..global.clone() };
    let shown = show(&global, args, form, &estate).await;
    // The folder goes away at the end, so the store in it is closed before.
    global.opened.close().await;
    shown
}

/// Imports the estate, assesses it, and serves it unless that was all.
async fn show(global: &Global, args: &Demo, form: Form, estate: &Estate) -> Result<Exit, Failure> {
    let keelson = open::for_writing(global).await?;
    let imports = import(&keelson, estate, form).await?;
    complete::leave_keys(&global.data, &keelson.view().catalogue);
    let assessments = assess(&keelson, estate, form).await?;
    let schedule = schedule(&keelson, estate.assessments.len() + 1, form).await?;
    if form == Form::Document {
        let document = json!({ "imports": imports, "assessments": assessments, "schedule": schedule });
        writeln!(io::stdout().lock(), "{document:#}")?;
    }
    if args.once {
        if let Some(kept) = &args.keep {
            say(
                form,
                format_args!(
                    "\nThe estate is kept in {0}. For the board:  keelson schedule pack --data {0} --to-file pack.html\n\
                     What runs out first:  keelson capacity plan --data {0} --scenario growth-30\n\
                     What falls alone, with whom, and how to start again:  keelson spof|supplier concentration|recovery --data {0}",
                    kept.display()
                ),
            )?;
        } else {
            let advice = "To look around yourself: keelson demo --once --keep estate, then keelson check --data estate";
            say(form, format_args!("\n{advice}"))?;
        }
        return Ok(Exit::Done);
    }
    say(form, format_args!(""))?;
    let options = ServerOptions { data: Some(global.data.clone()), ..ServerOptions::at(args.listen) };
    serve_until_stopped(keelson, options).await
}

/// In what form the demonstration tells what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it goes, for people.
    Text,
    /// As one JSON document at the end.
    Document,
}

/// Writes a line for people.
fn say(form: Form, line: fmt::Arguments<'_>) -> io::Result<()> {
    if form == Form::Text { writeln!(io::stdout().lock(), "{line}") } else { Ok(()) }
}

async fn import(keelson: &Keelson, estate: &Estate, form: Form) -> Result<Vec<Summary>, Failure> {
    let (title, sources) = (&estate.title, estate.sources.len());
    say(form, format_args!("{title}, a service provider that does not exist, as {sources} sources tell it\n"))?;
    let mut summaries = Vec::new();
    let newest = estate.sources.iter().map(|source| source.observed_at).max().unwrap_or_default();
    // The estate is always as fresh as on its first day: all times move together.
    let shift = system::now() - TimeDelta::hours(AGE_HOURS) - newest;
    for source in &estate.sources {
        for batch in read(source, shift).map_err(Failure::trouble)? {
            let options =
                ImportOptions { actor: Actor::named("demo"), batch_id: None, dry_run: false, backdated: false };
            let imported = keelson.import(batch, options).await?;
            let summary = Summary::of(&imported, false, false);
            if form == Form::Text {
                print_summary(&mut io::stdout().lock(), &summary, 0)?;
            }
            if let Some(reason) = &summary.refused {
                return Err(Failure::trouble(anyhow!(
                    "the demonstration's source '{}' was refused: {reason}",
                    source.source
                )));
            }
            summaries.push(summary);
        }
    }
    measure(keelson, form).await?;
    let view = keelson.view();
    let (items, needs) = (view.graph.items(), view.catalogue.need_count());
    let relationships = view.catalogue.relationship_count();
    say(form, format_args!("\n{items} configuration items, {relationships} relationships, {needs} needs"))?;
    Ok(summaries)
}

/// Takes in what was measured of the demand on services and the use of components.
async fn measure(keelson: &Keelson, form: Form) -> Result<(), Failure> {
    let options = SeriesOptions {
        actor: Actor::named("demo"),
        source: Symbol::new("monitoring"),
        name: "demand and use of fourteen months".to_owned(),
        dry_run: false,
        keep_going: false,
    };
    let imported = keelson.import_series(measured::series(system::now()), options).await;
    let imported = imported.map_err(Failure::trouble)?;
    let (series, points) = (imported.series, imported.points);
    say(form, format_args!("monitoring: {points} points of {series} series: demand on services, use of components"))?;
    Ok(())
}

/// Reads one source of the estate into its batches.
pub(crate) fn read(source: &Source, shift: TimeDelta) -> anyhow::Result<Vec<Batch>> {
    let importer =
        importers::find(&source.importer).ok_or_else(|| anyhow!("there is no importer '{}'", source.importer))?;
    let files = source.files.iter().map(|name| {
        let content = estate::file(name).ok_or_else(|| anyhow!("the estate has no file '{name}'"))?;
        Ok(SourceFile::from_bytes(name, content))
    });
    let input = Input::from_files(files.collect::<anyhow::Result<_>>()?);
    let context = Context {
        source: source.source.clone(),
        scope: source.scope.as_deref().map(Scope::named),
        complete: source.complete,
        observed_at: source.observed_at + shift,
        options: source.options.clone(),
    };
    Ok(importer.normalise(&input, &context)?)
}

async fn assess(keelson: &Keelson, estate: &Estate, form: Form) -> Result<Vec<serde_json::Value>, Failure> {
    let mut assessments = Vec::new();
    for (number, assessment) in estate.assessments.iter().enumerate() {
        say(form, format_args!("\n{}\n{}. {}\n", "─".repeat(100), number + 1, assessment.title))?;
        say(form, format_args!("{}\n", assessment.why.trim()))?;
        let seeds = assessment.seeds.iter().map(|seed| SeedInput { key: seed.key.clone(), loss: seed.loss }).collect();
        let question = Question::Impact { seeds, interval: None, budget: USUAL_BUDGET, most: 1_000 };
        let Answer::Impact(answer) = keelson.ask(question, None).await? else {
            return Err(Failure::trouble(anyhow!("the answer does not fit the question")));
        };
        if form == Form::Text {
            let mut out = io::stdout().lock();
            render::impact(&mut out, &answer)?;
            out.flush()?;
        }
        let (id, title, why) = (&assessment.id, &assessment.title, assessment.why.trim());
        assessments.push(json!({ "id": id, "title": title, "why": why, "answer": answer }));
        let keys = |verdict: VerdictWord| -> Vec<String> {
            let services = answer.items.iter().filter(|line| line.is_service && line.verdict == verdict);
            services.map(|line| line.subject.key.clone()).collect()
        };
        check(assessment, keys(VerdictWord::Breached), keys(VerdictWord::Degraded))?;
    }
    Ok(assessments)
}

/// Plans the week of changes after the import, and says what they do together.
async fn schedule(keelson: &Keelson, number: usize, form: Form) -> Result<ScheduleAnswer, Failure> {
    let monday = week::monday_after(system::now());
    week::Week::built_in().map_err(Failure::trouble)?.plan(keelson, monday).await?;
    let title = "The change advisory board: a week of requests for change, together";
    say(form, format_args!("\n{}\n{number}. {title}\n", "─".repeat(100)))?;
    let question = Question::Schedule { within: week::whole(monday)?, only: Vec::new(), most: 100 };
    let Answer::Schedule(answer) = keelson.ask(question, None).await? else {
        return Err(Failure::trouble(anyhow!("the answer does not fit the question")));
    };
    if form == Form::Text {
        let mut out = io::stdout().lock();
        render::schedule(&mut out, &answer)?;
        for kept in keelson.view().catalogue.open_requests() {
            let request = &kept.record;
            let assessment = request.approval.as_ref().map(|approval| &approval.assessment);
            let Some(assessment) = assessment.or(request.assessment.as_ref()) else { continue };
            let margin = assessment.effects.iter().filter(|effect| effect.at_worst == Effect::MarginLost).count();
            if margin > 0 {
                let services = if margin == 1 { "service is" } else { "services are" };
                writeln!(out, "{}: {margin} {services} one failure from a breach meanwhile", request.key)?;
            }
            for violation in &assessment.violations {
                writeln!(out, "{}: {violation}", request.key)?;
            }
        }
        out.flush()?;
    }
    Ok(answer)
}

/// The estate says what the answer is; another one is a fault of the program.
fn check(assessment: &Assessment, mut breached: Vec<String>, mut degraded: Vec<String>) -> Result<(), Failure> {
    breached.sort();
    degraded.sort();
    if breached == assessment.breached && degraded == assessment.degraded {
        return Ok(());
    }
    Err(Failure::trouble(anyhow!(
        "this answer is wrong: '{}' should breach {:?} and degrade {:?}; please report it",
        assessment.id,
        assessment.breached,
        assessment.degraded
    )))
}
