//! One connection, from its first byte to its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::ServerOptions;

/// Most requests at the same time on one HTTP/2 connection.
const MOST_STREAMS: u32 = 64;
/// Largest headers of a request, bytes.
const HEADER_BYTES: u32 = 16 << 10;
/// Time an HTTP/2 peer may take to answer when it is tried.
const PING_TIME: Duration = Duration::from_secs(20);

/// Times that decide when a connection ends.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
}

/// The builder of all connections.
pub(crate) fn builder(options: &ServerOptions) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.header_time);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(options.idle_time)
        .keep_alive_timeout(PING_TIME)
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(HEADER_BYTES);
    builder
}

/// Serves a connection until its end, or until it is idle once the server stops.
pub(crate) async fn serve(
    stream: TcpStream,
    routes: Router,
    builder: Arc<Builder<TokioExecutor>>,
    times: Times,
    stopping: CancellationToken,
) {
    let use_of = Arc::new(Use::new());
    let counted = Arc::clone(&use_of);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (routes, guard) = (routes.clone(), Use::begin(&counted));
        async move {
            let response = routes.oneshot(request.map(Body::new)).await;
            drop(guard);
            response
        }
    });
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut told = false;
    loop {
        let check = use_of.next_check(times);
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = stopping.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(check) => match use_of.state(times) {
                State::InUse => {}
                State::Silent => {
                    tracing::debug!("a connection sent no request in time");
                    return;
                }
                State::Idle if told => return,
                State::Idle => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

/// What a connection is used for.
struct Use(Mutex<Count>);

struct Count {
    in_flight: usize,
    served: bool,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A request is in flight, or was a short time ago.
    InUse,
    /// No request ever came, and the time for one is over.
    Silent,
    /// No request has come for long.
    Idle,
}

/// A request in flight.
struct InFlight(Arc<Use>);

impl Use {
    fn new() -> Self {
        Self(Mutex::new(Count { in_flight: 0, served: false, since: Instant::now() }))
    }

    fn count<T>(&self, with: impl FnOnce(&mut Count) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(shared: &Arc<Self>) -> InFlight {
        shared.count(|count| {
            count.in_flight += 1;
            count.served = true;
        });
        InFlight(Arc::clone(shared))
    }

    /// When the state has to be looked at again.
    fn next_check(&self, times: Times) -> Instant {
        self.count(|count| match (count.served, count.in_flight) {
            (false, _) => count.since + times.header,
            (true, 0) => (count.since + times.idle).max(Instant::now() + Duration::from_millis(10)),
            (true, _) => Instant::now() + times.idle,
        })
    }

    fn state(&self, times: Times) -> State {
        self.count(|count| {
            if !count.served {
                return if count.since.elapsed() >= times.header { State::Silent } else { State::InUse };
            }
            let idle = count.in_flight == 0 && count.since.elapsed() >= times.idle;
            if idle { State::Idle } else { State::InUse }
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.count(|count| {
            count.in_flight -= 1;
            count.since = Instant::now();
        });
    }
}
