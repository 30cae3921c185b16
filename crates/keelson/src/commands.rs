//! What each command does.

mod analyses;
mod ask;
mod board;
mod import;
mod keep;
mod review;
mod series;
mod serve;

use std::io::{self, Write};

use anyhow::anyhow;
use clap::CommandFactory;
use keelson_app::Options;

use crate::cli::{Cli, Command, Format, Global};
use crate::failure::{Exit, Failure};

pub(crate) use import::print_summary;
pub(crate) use serve::serve_until_stopped;

/// Runs the command asked for.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    if let Some(server) = &global.server {
        crate::remote::refuse(server, &command)?;
    }
    check_store_is_there(&global, &command)?;
    match command {
        Command::Demo(args) => crate::demo::run(&global, &args).await,
        Command::Serve(args) => serve::run(&global, &args).await,
        Command::Import(args) => import::run(&global, &args).await,
        Command::Review(args) => review::run(&global, args).await,
        Command::Get(args) => ask::get(&global, args).await,
        Command::Search(args) => ask::list(&global, args.list, args.text).await,
        Command::List(args) => ask::list(&global, args.list, Vec::new()).await,
        Command::History(args) => ask::history(&global, args).await,
        Command::Impact(args) => ask::impact(&global, args).await,
        Command::Spof(args) => analyses::run(&global, &args).await,
        Command::Availability(args) => analyses::run(&global, &args).await,
        Command::Cutsets(args) => analyses::run(&global, &args).await,
        Command::Recovery(args) => analyses::run(&global, &args).await,
        Command::Demand(args) => analyses::run(&global, &args).await,
        Command::Capacity(args) => analyses::capacity(&global, args.action).await,
        Command::Series(args) => series::run(&global, args.action).await,
        Command::Drift(args) => analyses::run(&global, &args).await,
        Command::Health(args) => analyses::run(&global, &args).await,
        Command::Sample(args) => analyses::run(&global, &args).await,
        Command::Supplier(args) => analyses::supplier(&global, args.action).await,
        Command::Needs(args) => ask::walk(&global, args, keelson_app::answers::walk::Way::Needs).await,
        Command::Dependents(args) => ask::walk(&global, args, keelson_app::answers::walk::Way::Dependents).await,
        Command::Path(args) => ask::path(&global, args).await,
        Command::Check(args) => ask::check(&global, args).await,
        Command::Change(args) => board::change(&global, args.action).await,
        Command::Schedule(args) => board::schedule(&global, args.action).await,
        Command::Baseline(args) => board::baseline(&global, args.action).await,
        Command::Freeze(args) => board::freeze(&global, args.action).await,
        Command::Disruption(args) => board::disruption(&global, args.action).await,
        Command::Template(args) => board::template(&global, args.action).await,
        Command::Export(_) if global.output != Format::Table => Err(Failure::input(anyhow!(
            "'keelson export' writes the form that --format names (batch, graphml, dot, csv); leave out --output"
        ))),
        Command::Export(args) => crate::export::run(&global, &args).await,
        Command::Backup(args) => keep::backup(&global, &args).await,
        Command::Restore(args) => keep::restore(&global, &args).await,
        Command::Verify => keep::verify(&global).await,
        Command::Completions(args) => {
            // What generates the script panics when it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "keelson", &mut script);
            io::stdout().write_all(&script)?;
            eprintln!(
                "# keys complete too with:  source <(COMPLETE={} keelson)",
                args.shell.to_string().to_lowercase()
            );
            Ok(Exit::Done)
        }
    }
}

/// Refuses to go on as if there were no store where one was lost: the head file beside it remembers
/// what was acknowledged.
fn check_store_is_there(global: &Global, command: &Command) -> Result<(), Failure> {
    let elsewhere = global.server.is_some() || global.store.is_some();
    let needs_none = matches!(command, Command::Demo(_) | Command::Completions(_));
    if elsewhere || needs_none || global.data.join("store").exists() {
        return Ok(());
    }
    let Some(revision) = Options::in_folder(&global.data).acknowledged() else { return Ok(()) };
    let data = global.data.display();
    Err(Failure::trouble(anyhow!(
        "the store in {data} is gone: there is no folder {data}/store, but the head file {data}/store.head.json says \
         that revision {revision} was acknowledged; restore the last backup into a new folder with `keelson restore \
         BACKUP --data NEW-FOLDER`, or accept the loss by removing the head file"
    )))
}
