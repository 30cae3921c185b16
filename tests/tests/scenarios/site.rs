//! A server on a port of its own over a store on disk, and a client that speaks HTTP to it.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keelson_app::{Keelson, Options};
use keelson_model::builtin;
use keelson_server::{Server, ServerOptions};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Runs a test on threads with the stack that the store's engine needs.
pub(crate) fn run(test: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

/// A server that runs.
pub(crate) struct Site {
    address: SocketAddr,
    keelson: Keelson,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Site {
    /// Opens the store in a folder and serves it.
    pub(crate) async fn open(folder: &Path) -> Self {
        let schema = Arc::new(builtin::schema([]).unwrap());
        // The folder of a server that has just stopped may still be locked for a moment.
        let mut tries = 0;
        let keelson = loop {
            match Keelson::open(Options::in_folder(folder), Arc::clone(&schema)).await {
                Ok(keelson) => break keelson,
                Err(error) if tries == 200 => panic!("{error}"),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        };
        let server = Server::bind(ServerOptions::at("127.0.0.1:0".parse().unwrap()), keelson.clone()).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async move { stopped.await.unwrap_or_default() }));
        Self { address, keelson, stop, task }
    }

    /// Stops it as an operator does.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        drop(self.keelson);
    }

    /// Sends a request and gives status and body.
    pub(crate) async fn send(&self, method: &str, path: &str, content_type: &str, body: &str) -> (u16, Json) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Json::Null))
    }

    /// Delivers a batch, and gives what became of it.
    pub(crate) async fn deliver(&self, source: &str, id: &str, batch: &str) -> Json {
        let (status, answer) =
            self.send("PUT", &format!("/imports/{source}/{id}"), "application/x-ndjson", batch).await;
        assert_eq!(status, 200, "{answer:#}");
        answer["batches"][0].clone()
    }

    /// Asks over GraphQL something that must be answered.
    pub(crate) async fn ask(&self, query: &str, variables: Json) -> Json {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (status, answer) = self.send("POST", "/graphql", "application/json", &body).await;
        assert!(status == 200 && answer.get("errors").is_none(), "{status} {answer:#}");
        answer["data"].clone()
    }
}
