//! A server for one test, and a client that shows every byte.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keelson_app::{Keelson, Options};
use keelson_model::builtin;
use keelson_server::{Server, ServerOptions};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const ESTATE: &str = include_str!("estate.ndjson");
pub(crate) const BATCH: &str = "01KA0000000000000000000001";
/// Time after which a test that waits has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stack the engine of the store needs.
const STACK_BYTES: usize = 8 << 20;

/// Runs a test on a runtime as the program has it.
pub(crate) fn run(test: impl Future<Output = ()> + Send + 'static) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, tokio::spawn(test)).await.unwrap().unwrap() });
}

/// An empty catalogue in memory.
pub(crate) async fn empty() -> Keelson {
    Keelson::open(Options::at("mem://"), Arc::new(builtin::schema([]).unwrap())).await.unwrap()
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) keelson: Keelson,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

pub(crate) fn any_port() -> ServerOptions {
    ServerOptions::at("127.0.0.1:0".parse().unwrap())
}

/// Starts a server over an empty catalogue.
pub(crate) async fn start() -> Running {
    start_with(any_port()).await
}

pub(crate) async fn start_with(options: ServerOptions) -> Running {
    let keelson = empty().await;
    let server = Server::bind(options, keelson.clone()).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let address = server.address();
    let task = tokio::spawn(server.run(async move { stopped.await.unwrap_or_default() }));
    Running { address, keelson, stop: Some(stop), task }
}

impl Running {
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end of the server.
    pub(crate) async fn ended(self) {
        self.task.await.unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(&request(method, path, headers, body.as_ref())).await.unwrap();
        reply(stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn ask(&self, body: &Json) -> Reply {
        self.send("POST", "/questions", &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn import(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("PUT", path, &[("content-type", "application/x-ndjson")], body).await
    }
}

/// A request as bytes; a `host` among the headers replaces the usual one.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += "host: localhost\r\n";
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// Reads until the server closes the connection.
pub(crate) async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that is cut off may end with an error; what came before counts.
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

pub(crate) async fn reply(stream: TcpStream) -> Reply {
    Reply::read(&rest(stream).await)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that this is a problem document with a code, and returns it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Json {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["requestId"], self.headers["x-request-id"].as_str());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        for secret in ["/tmp", "/root", "surreal", "panicked", ".rs:"] {
            assert!(!self.body.contains(secret), "'{secret}' in {problem}");
        }
        problem
    }
}
