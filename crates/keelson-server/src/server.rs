//! Listening, accepting, stopping.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use keelson_api::Api;
use keelson_api::cursor::CursorKey;
use keelson_app::Keelson;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::connection::{self, Times};
use crate::routes::{self, App};
use crate::{ServerError, ServerOptions};

/// Pause after the system refused to hand over a connection, which passes when others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// A server that listens.
pub struct Server {
    options: ServerOptions,
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    api: Api,
    routes: Router,
}

impl Server {
    /// Listens on the address. Connections are accepted from now on, and answered once
    /// [`Server::run`] runs.
    ///
    /// # Errors
    /// Refuses an address that is not a loopback address; fails when it cannot be listened on or
    /// the key of cursors cannot be kept.
    pub async fn bind(options: ServerOptions, keelson: Keelson) -> Result<Self, ServerError> {
        let address = options.address;
        if !address.ip().is_loopback() {
            return Err(ServerError::NotLoopback { address });
        }
        let listening = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening.await.map_err(|source| ServerError::Listen { address, source })?;
        let seal = match &options.data {
            Some(folder) => CursorKey::in_folder(folder).map_err(ServerError::CursorKey)?,
            None => CursorKey::random(),
        };
        let api = Api::new(keelson.clone(), options.limits.clone(), seal);
        let app = Arc::new(App::new(&options, keelson));
        let routes = routes::all(&app, api.router(&options.principal));
        Ok(Self { options, listener, address, app, api, routes })
    }

    /// The address it listens on, with the port the system chose where none was named.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopped` ends. Then readiness ends first, listening next; requests in flight
    /// are finished within the time the options give, and what is left is cut off.
    pub async fn run(self, stopped: impl Future<Output = ()> + Send) {
        let Self { options, listener, app, api, routes, .. } = self;
        let stopping = CancellationToken::new();
        let following = options.follow.map(|pace| tokio::spawn(follow(app.keelson.clone(), pace)));
        let mut connections = JoinSet::new();
        let mut accepting = Accepting::new(&options, routes, stopping.clone());
        accepting.until(&listener, &mut connections, stopped).await;
        app.draining.store(true, Ordering::Release);
        accepting.until(&listener, &mut connections, tokio::time::sleep(options.drain_time)).await;
        drop(listener);
        stopping.cancel();
        api.stop();
        let all_end = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(options.stop_time, all_end).await.is_err() {
            tracing::warn!(connections = connections.len(), "connections are cut off: they did not end in time");
            connections.shutdown().await;
        }
        if let Some(following) = following {
            following.abort();
        }
    }
}

/// What accepting connections takes.
struct Accepting {
    routes: Router,
    builder: Arc<hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>>,
    times: Times,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
}

impl Accepting {
    fn new(options: &ServerOptions, routes: Router, stopping: CancellationToken) -> Self {
        Self {
            routes,
            builder: Arc::new(connection::builder(options)),
            times: Times { header: options.header_time, idle: options.idle_time },
            places: Arc::new(Semaphore::new(options.connections)),
            stopping,
        }
    }

    /// Accepts connections until something ends.
    async fn until(&mut self, listener: &TcpListener, connections: &mut JoinSet<()>, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = end.as_mut() => return,
                Some(_) = connections.join_next() => {}
                (stream, place) = self.accept(listener) => {
                    let serving = connection::serve(
                        stream,
                        self.routes.clone(),
                        Arc::clone(&self.builder),
                        self.times,
                        self.stopping.clone(),
                    );
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
            }
        }
    }

    /// The next connection, once there is a place for it. May be dropped and asked again.
    async fn accept(&self, listener: &TcpListener) -> (TcpStream, OwnedSemaphorePermit) {
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { std::future::pending().await };
            match listener.accept().await {
                Ok((stream, _)) => {
                    // Answers are small and written whole; waiting for more only delays them.
                    let _ = stream.set_nodelay(true);
                    return (stream, place);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Takes in what others commit, again and again. A failure is told when it begins and when it ends.
async fn follow(keelson: Keelson, pace: Duration) {
    let mut ticks = tokio::time::interval(pace);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match keelson.catch_up().await {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("the store is followed again");
            }
            Ok(()) => {}
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "the store cannot be followed; trying on");
            }
            Err(_) => {}
        }
    }
}
