//! The `keelson` command: an operator's tool, an importer's tool, and what a script in a pipeline
//! calls to gate a change.
//!
//! It reads arguments, opens a store, asks `keelson-app` and writes the answer: JSON on standard
//! output alone, everything else on standard error. It refuses to compute answers of its own.
//!
//! | To | Look in |
//! | --- | --- |
//! | see or add a command | `cli.rs` for its arguments, `commands/` for what it does |
//! | change how an answer looks | `render/` |
//! | change how a running server is asked | `remote.rs` |
//! | add an importer | `importers.rs` |
//! | add a form of export | `export/` |
//! | change the demonstration estate | `../demo/` |

mod cli;
mod commands;
mod complete;
mod demo;
mod export;
mod failure;
mod importers;
mod open;
mod output;
mod remote;
mod render;

use clap::{CommandFactory, FromArgMatches};

use failure::{Exit, Failure};

/// How long work that goes on behind the end of a command is waited for.
const LAST_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

fn main() -> std::process::ExitCode {
    complete::answer_shell();
    let matches = cli::Cli::command().get_matches();
    let cli = cli::Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Err(failure) = demo::refuse_data(&matches) {
        failure.print();
        return failure.exit.into();
    }
    trace(cli.global.verbose);
    // The engine of the store needs more stack than tokio gives its workers by default.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(keelson_store::WORKER_STACK_BYTES)
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(async move {
                let opened = cli.global.opened.clone();
                let work = tokio::spawn(commands::run(cli));
                let outcome = work.await;
                opened.close().await;
                outcome.unwrap_or_else(|error| Err(Failure::trouble(anyhow::anyhow!("stopped: {error}"))))
            });
            // Computing that nobody waits for any more must not keep the program.
            runtime.shutdown_timeout(LAST_WAIT);
            outcome
        }
        Err(error) => Err(Failure::trouble(error)),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            failure.exit.into()
        }
    }
}

/// Sends log lines to standard error; `RUST_LOG` decides which, `-v` raises the level.
fn trace(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    let level = match verbose {
        0 => "warn,surrealdb=off,surrealdb_core=off,surrealkv=off",
        1 => "info,surrealdb=warn,surrealdb_core::kvs::tasks=off,surrealkv=warn",
        _ => "debug,surrealdb=info,surrealkv=info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
