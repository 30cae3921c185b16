//! `keelson serve`.

use keelson_app::Keelson;
use keelson_server::{Server, ServerOptions};

use crate::cli::{Global, Serve};
use crate::failure::{Exit, Failure};
use crate::open;

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Serve) -> Result<Exit, Failure> {
    let keelson = open::for_writing(global).await?;
    serve_until_stopped(keelson, ServerOptions::at(args.listen)).await
}

/// Serves until interrupted or told to stop.
pub(crate) async fn serve_until_stopped(keelson: Keelson, options: ServerOptions) -> Result<Exit, Failure> {
    let server = Server::bind(options, keelson).await.map_err(Failure::input)?;
    eprintln!("serving GraphQL on http://{}/graphql (schema: /schema.graphql); stop with Ctrl-C", server.address());
    server.run(stopped()).await.map_err(Failure::trouble)?;
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
