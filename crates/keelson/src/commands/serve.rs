//! `keelson serve`.

use std::time::Duration;

use keelson_app::Keelson;
use keelson_server::{Server, ServerOptions};

use crate::cli::{Global, Serve};
use crate::failure::{Exit, Failure};
use crate::open;

/// How often to look for commits of other processes on the same database server.
const FOLLOW_PACE: Duration = Duration::from_secs(1);

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Serve) -> Result<Exit, Failure> {
    let keelson = open::for_writing(global).await?;
    let mut options = ServerOptions::at(args.listen);
    options.principal = open::actor(global, None).name.to_string();
    match &global.store {
        None => options.data = Some(global.data.clone()),
        Some(_) => {
            // A data folder is only made for an embedded store; one that is there keeps cursors good.
            options.data = Some(global.data.clone()).filter(|folder| folder.is_dir());
            options.follow = Some(FOLLOW_PACE);
        }
    }
    serve_until_stopped(keelson, options).await
}

/// Serves until interrupted or told to stop.
pub(crate) async fn serve_until_stopped(keelson: Keelson, options: ServerOptions) -> Result<Exit, Failure> {
    let server = Server::bind(options, keelson).await.map_err(Failure::input)?;
    let address = server.address();
    eprintln!("serving GraphQL on http://{address}/graphql (schema: /schema.graphql); stop with Ctrl-C");
    eprintln!("ask it from elsewhere on this machine: keelson check --server http://{address}");
    server.run(stopped()).await;
    eprintln!("stopped");
    Ok(Exit::Done)
}

/// Ends when the process is interrupted or asked to terminate.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupted => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupted.await;
}
