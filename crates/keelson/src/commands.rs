//! What each command does.

mod ask;
mod import;
mod keep;
mod review;
mod serve;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};

pub(crate) use import::print_summary;
pub(crate) use serve::serve_until_stopped;

/// Runs the command asked for.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    if let Some(server) = &global.server {
        crate::remote::refuse(server, &command)?;
    }
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
        Command::Needs(args) => ask::walk(&global, args, keelson_app::answers::walk::Way::Needs).await,
        Command::Dependents(args) => ask::walk(&global, args, keelson_app::answers::walk::Way::Dependents).await,
        Command::Path(args) => ask::path(&global, args).await,
        Command::Check(args) => ask::check(&global, args).await,
        Command::Export(args) => crate::export::run(&global, &args).await,
        Command::Backup(args) => keep::backup(&global, &args).await,
        Command::Restore(args) => keep::restore(&global, &args).await,
        Command::Verify => keep::verify(&global).await,
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut Cli::command(), "keelson", &mut std::io::stdout());
            eprintln!(
                "# keys complete too with:  source <(COMPLETE={} keelson)",
                args.shell.to_string().to_lowercase()
            );
            Ok(Exit::Done)
        }
    }
}
