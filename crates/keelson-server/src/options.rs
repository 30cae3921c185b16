//! What a server is told, and why it does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keelson_api::limits::Limits;
use thiserror::Error;

/// What a server is told.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Who makes the requests, as history names it, as long as nobody is authenticated.
    pub principal: String,
    /// Folder of the data: the key of cursors is kept there, and the room left on its disk is part
    /// of readiness. Without one cursors end with the process.
    pub data: Option<PathBuf>,
    /// Limits of requests, questions and imports, and the time they may take.
    pub limits: Limits,
    /// Most connections; further ones wait until one ends.
    pub connections: usize,
    /// Most requests at the same time; further ones are refused. Health is not counted.
    pub in_flight: usize,
    /// Most imports at the same time; further ones are refused.
    pub imports: usize,
    /// Time the headers of a request may take. An HTTP/1 connection on which nothing is asked for as
    /// long is closed too: to the protocol that is the time before the next headers.
    pub header_time: Duration,
    /// Time a connection may lie idle; also the pace at which HTTP/2 connections are tried.
    pub idle_time: Duration,
    /// Time between two pieces of an import's body.
    pub stall_time: Duration,
    /// Time between the end of readiness and the end of listening, for those who send requests here
    /// to notice. Requests are answered as before during it.
    pub drain_time: Duration,
    /// Time requests may take to finish once the server stops.
    pub stop_time: Duration,
    /// How often to take in what other processes committed to the same store; only a store on a
    /// database server can have others.
    pub follow: Option<Duration>,
}

impl ServerOptions {
    /// The usual options, for an address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            principal: "local".to_owned(),
            data: None,
            limits: Limits::default(),
            connections: 1_024,
            in_flight: 256,
            imports: 2,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            drain_time: Duration::ZERO,
            stop_time: Duration::from_secs(30),
            follow: None,
        }
    }
}

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// An address that others can reach.
    #[error(
        "{address} can be reached from other machines, and authentication is not built yet; listen on a loopback \
         address such as 127.0.0.1:{} and let a tunnel or an authenticating proxy reach it", .address.port()
    )]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key of cursors cannot be kept.
    #[error("failed to keep the key of cursors in the data folder: {0}")]
    CursorKey(#[source] io::Error),
}
