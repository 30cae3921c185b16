//! `keelson demo`: the demonstration estate through the real importers, and questions about it.

mod estate;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use anyhow::anyhow;
use chrono::TimeDelta;
use keelson_app::answers::impact::{USUAL_BUDGET, VerdictWord};
use keelson_app::{Actor, Answer, ImportOptions, Keelson, Question, SeedInput, system};
use keelson_importer::{Context, Input, SourceFile};
use keelson_model::{Batch, Scope};
use keelson_server::ServerOptions;
use keelson_server::summary::Summary;

use crate::cli::{Demo, Global};
use crate::commands::{print_summary, serve_until_stopped};
use crate::failure::{Exit, Failure};
use crate::{complete, importers, open, render};
use estate::{Assessment, Estate, Source};

/// How long ago the newest source of the demonstration was read.
const AGE_HOURS: i64 = 5;

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Demo) -> Result<Exit, Failure> {
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
    let keelson = open::for_writing(&global).await?;
    import(&keelson, &estate).await?;
    complete::leave_keys(folder, &keelson.view().catalogue);
    assess(&keelson, &estate).await?;
    if args.once {
        if let Some(kept) = &args.keep {
            println!("\nThe estate is kept in {}: keelson check --data {}", kept.display(), kept.display());
        } else {
            println!("\nTo look around yourself: keelson demo --once --keep estate, then keelson check --data estate");
        }
        return Ok(Exit::Done);
    }
    println!();
    let options = ServerOptions { data: Some(folder.to_owned()), ..ServerOptions::at(args.listen) };
    serve_until_stopped(keelson, options).await
}

async fn import(keelson: &Keelson, estate: &Estate) -> Result<(), Failure> {
    println!("{}, a service provider that does not exist, as {} sources tell it\n", estate.title, estate.sources.len());
    let newest = estate.sources.iter().map(|source| source.observed_at).max().unwrap_or_default();
    // The estate is always as fresh as on its first day: all times move together.
    let shift = system::now() - TimeDelta::hours(AGE_HOURS) - newest;
    for source in &estate.sources {
        for batch in read(source, shift).map_err(Failure::trouble)? {
            let options =
                ImportOptions { actor: Actor::named("demo"), batch_id: None, dry_run: false, backdated: false };
            let imported = keelson.import(batch, options).await?;
            let summary = Summary::of(&imported, false, false);
            print_summary(&mut io::stdout().lock(), &summary, 0)?;
            if let Some(reason) = summary.refused {
                return Err(Failure::trouble(anyhow!(
                    "the demonstration's source '{}' was refused: {reason}",
                    source.source
                )));
            }
        }
    }
    let view = keelson.view();
    let (items, needs) = (view.graph.items(), view.catalogue.need_count());
    println!("\n{items} configuration items, {} relationships, {needs} needs", view.catalogue.relationship_count());
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

async fn assess(keelson: &Keelson, estate: &Estate) -> Result<(), Failure> {
    for (number, assessment) in estate.assessments.iter().enumerate() {
        println!("\n{}\n{}. {}\n", "─".repeat(100), number + 1, assessment.title);
        println!("{}\n", assessment.why.trim());
        let seeds = assessment.seeds.iter().map(|seed| SeedInput { key: seed.key.clone(), loss: seed.loss }).collect();
        let question = Question::Impact { seeds, interval: None, budget: USUAL_BUDGET, most: 1_000 };
        let Answer::Impact(answer) = keelson.ask(question, None).await? else {
            return Err(Failure::trouble(anyhow!("the answer does not fit the question")));
        };
        let mut out = io::stdout().lock();
        render::impact(&mut out, &answer)?;
        out.flush()?;
        let keys = |verdict: VerdictWord| -> Vec<String> {
            let services = answer.items.iter().filter(|line| line.is_service && line.verdict == verdict);
            services.map(|line| line.subject.key.clone()).collect()
        };
        check(assessment, keys(VerdictWord::Breached), keys(VerdictWord::Degraded))?;
    }
    Ok(())
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
