//! Asking a running server instead of opening a store: the same questions, the same answers.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keelson_app::{Act, Actor, Answer, AsOf, Outcome, PackFile, PackForm, PackOf, Question, SeriesImported};
use keelson_model::{Batch, BatchId, Window};
use keelson_server::acts::Acting;
use keelson_server::delivery::{self, Delivery};
use keelson_server::documents::Packing;
use keelson_server::problem::ProblemDocument;
use keelson_server::questions::{Asking, Supposing};
use keelson_server::series::Wishes as SeriesWishes;
use keelson_server::summary::{ImportAnswer, Summary};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::Command;
use crate::cli::series::SeriesAction;
use crate::failure::Failure;

/// Time a server may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Time an answer may take; longer than any server's own deadline.
const ANSWER_TIME: Duration = Duration::from_secs(120);
/// Time an import may take; longer than any server's own deadline.
const IMPORT_TIME: Duration = Duration::from_secs(45 * 60);

/// A running server.
pub(crate) struct Remote {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// How batches are imported.
pub(crate) struct Wishes<'a> {
    pub(crate) dry_run: bool,
    pub(crate) rows: bool,
    pub(crate) actor: &'a str,
    pub(crate) reason: Option<&'a str>,
}

impl Remote {
    /// A server at an address such as `http://127.0.0.1:8080`.
    pub(crate) fn at(url: &str) -> Result<Self, Failure> {
        let bad = |why: &str| {
            Failure::input(anyhow!("'{url}' is not the address of a server: {why}; write http://127.0.0.1:8080"))
        };
        let address: Uri = url.parse().map_err(|_| bad("it cannot be read"))?;
        match address.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(bad("servers speak http on the local machine; reach others through a tunnel")),
            _ => return Err(bad("it does not begin with http://")),
        }
        let authority = address.authority().ok_or_else(|| bad("it names no host"))?;
        if !matches!(address.path(), "" | "/") || address.query().is_some() {
            return Err(bad("it must end behind host and port"));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { base: format!("http://{authority}"), client })
    }

    /// Asks a question.
    pub(crate) async fn ask(&self, question: Question, as_of: Option<AsOf>) -> Result<Answer, Failure> {
        self.ask_supposing(question, as_of, Supposing::default()).await
    }

    /// Asks a question under what is supposed for it.
    pub(crate) async fn ask_supposing(
        &self,
        question: Question,
        as_of: Option<AsOf>,
        suppose: Supposing,
    ) -> Result<Answer, Failure> {
        self.post("questions", &Asking { question, as_of, suppose }).await
    }

    /// Has a pack written, in a form.
    pub(crate) async fn pack(
        &self,
        of: PackOf,
        zone: &str,
        form: PackForm,
        as_of: Option<AsOf>,
    ) -> Result<Vec<PackFile>, Failure> {
        self.post("packs", &Packing { of, zone: zone.to_owned(), form, as_of }).await
    }

    /// The schedule of some time as calendar programs read it.
    pub(crate) async fn calendar_file(&self, within: Window, as_of: Option<AsOf>) -> Result<String, Failure> {
        let mut uri = format!("{}/schedule.ics?", self.base);
        for (name, at) in [("from", within.start()), ("to", within.end())] {
            uri += &format!("{name}={}&", escaped(&at.to_rfc3339()));
        }
        let as_of = as_of.map(|as_of| format!("asOf={}", escaped(&as_of.to_string())));
        let request = Request::builder().method(Method::GET).uri(uri + &as_of.unwrap_or_default());
        let (status, body) = self.send(request.body(Full::default()), ANSWER_TIME).await?;
        if status != StatusCode::OK {
            return Err(self.problem(status, &body).1);
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends a document and reads the one that comes back.
    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(Failure::trouble)?;
        let request = Request::builder().method(Method::POST).uri(format!("{}/{path}", self.base));
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (status, body) = self.send(request.body(Full::from(body)), ANSWER_TIME).await?;
        if status != StatusCode::OK {
            return Err(self.problem(status, &body).1);
        }
        self.known(serde_json::from_slice(&body))
    }

    /// Does something.
    pub(crate) async fn act(&self, act: Act, seen: Option<u32>, actor: &Actor) -> Result<Outcome, Failure> {
        let reason = actor.reason.as_deref().map(str::to_owned);
        let acting = Acting { act, expected_version: seen, actor: Some(actor.name.to_string()), reason };
        self.post("acts", &acting).await
    }

    /// Imports batches: one, or in a dry run any number. Refused ones are in the result, as they
    /// are of an embedded store.
    pub(crate) async fn import(&self, batches: Vec<Batch>, wishes: &Wishes<'_>) -> Result<Vec<Summary>, Failure> {
        let Some(first) = batches.first() else { return Ok(Vec::new()) };
        let id = BatchId::next(&mut keelson_app::system::RandomIds::new());
        let mut uri = format!(
            "{}/imports/{}/{id}?dryRun={}&rows={}&actor={}",
            self.base,
            escaped(&first.source),
            wishes.dry_run,
            wishes.rows,
            escaped(wishes.actor)
        );
        if let Some(reason) = wishes.reason {
            uri += &format!("&reason={}", escaped(reason));
        }
        let packing = tokio::task::spawn_blocking(move || {
            packed(|packer| {
                let delivery = Delivery { batches };
                serde_json::to_writer(packer, &delivery).map_err(std::io::Error::from)
            })
        });
        let body = packing.await.map_err(Failure::trouble)?.map_err(Failure::trouble)?;
        let request = Request::builder()
            .method(Method::PUT)
            .uri(uri)
            .header(CONTENT_TYPE, HeaderValue::from_static(delivery::MEDIA_TYPE))
            .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let (status, body) = self.send(request.body(Full::from(body)), IMPORT_TIME).await?;
        if status == StatusCode::OK {
            let answer = self.known(serde_json::from_slice::<ImportAnswer>(&body))?;
            return Ok(answer.batches);
        }
        let (problem, failure) = self.problem(status, &body);
        match problem {
            Some(problem) if !problem.batches.is_empty() => Ok(problem.batches),
            _ => Err(failure),
        }
    }

    /// Takes in measured points: a file as it is, which the server reads.
    pub(crate) async fn import_series(
        &self,
        source: &str,
        form: &'static str,
        points: Vec<u8>,
        wishes: &SeriesWishes,
    ) -> Result<SeriesImported, Failure> {
        let mut uri = format!("{}/series/{}?", self.base, escaped(source));
        let serde_json::Value::Object(wishes) = serde_json::to_value(wishes).map_err(Failure::trouble)? else {
            return Err(Failure::trouble(anyhow!("wishes are named")));
        };
        for (name, value) in &wishes {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            uri += &format!("{name}={}&", escaped(&value));
        }
        let packing = tokio::task::spawn_blocking(move || packed(|packer| packer.write_all(&points)));
        let body = packing.await.map_err(Failure::trouble)?.map_err(Failure::trouble)?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(CONTENT_TYPE, HeaderValue::from_static(form))
            .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let (status, body) = self.send(request.body(Full::from(body)), IMPORT_TIME).await?;
        if status != StatusCode::OK {
            return Err(self.problem(status, &body).1);
        }
        self.known(serde_json::from_slice(&body))
    }

    async fn send(
        &self,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
        time: Duration,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = request.map_err(Failure::trouble)?;
        let exchange = async {
            let response = self.client.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, anyhow::Error>((status, body))
        };
        let late = |_| Failure::trouble(anyhow!("the server at {} gave no answer in time", self.base));
        let answered = tokio::time::timeout(time, exchange).await.map_err(late)?;
        answered.with_context(|| format!("the server at {} cannot be asked", self.base)).map_err(Failure::trouble)
    }

    fn known<T>(&self, answer: serde_json::Result<T>) -> Result<T, Failure> {
        let other =
            || format!("the server at {} answers in a form not known here; is it of another version?", self.base);
        answer.with_context(other).map_err(Failure::trouble)
    }

    /// What a server refused, and how the command fails by it.
    fn problem(&self, status: StatusCode, body: &[u8]) -> (Option<ProblemDocument>, Failure) {
        let Ok(problem) = serde_json::from_slice::<ProblemDocument>(body) else {
            let error = anyhow!("what answers at {} ({status}) is not a Keelson server of this version", self.base);
            return (None, Failure::trouble(error));
        };
        let failure = if status.is_client_error() {
            Failure::input(anyhow!("{}", problem.detail))
        } else {
            let (code, id) = (&problem.code, &problem.request_id);
            Failure::trouble(anyhow!("{} (server at {}: {code}, request {id})", problem.detail, self.base))
        };
        (Some(problem), failure)
    }
}

/// A body, packed as it is written.
fn packed(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<Vec<u8>> {
    let mut packer = std::io::BufWriter::new(GzEncoder::new(Vec::new(), Compression::fast()));
    write(&mut packer)?;
    packer.flush()?;
    packer.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
}

/// A text as part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            byte => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}

/// Refuses commands that work on the store itself when a server is named.
pub(crate) fn refuse(server: &str, command: &Command) -> Result<(), Failure> {
    let (name, instead) = match command {
        Command::Verify => ("verify", "stop the server, and run it where the data is, with --data"),
        Command::Backup(_) => ("backup", "stop the server, and run it where the data is, with --data"),
        Command::Restore(_) => ("restore", "run it where the data shall be, with --data, and start a server on that"),
        Command::Export(_) => ("export", "stop the server, and run it where the data is, with --data"),
        Command::Series(args) if matches!(args.action, SeriesAction::Export(_)) => {
            ("series export", "stop the server, and run it where the data is, with --data")
        }
        Command::Review(_) => ("review", "stop the server and run it with --data, or settle the task over GraphQL"),
        Command::Serve(_) => ("serve", "name the data to serve with --data or --store"),
        Command::Demo(_) => ("demo", "it brings a store and a server of its own"),
        _ => return Ok(()),
    };
    Err(Failure::input(anyhow!(
        "'keelson {name}' cannot ask the server at {server}: it works on the store itself; leave out --server (and \
         KEELSON_SERVER): {instead}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for good in ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:80"] {
            assert!(Remote::at(good).is_ok(), "{good}");
        }
        for bad in ["", "localhost:8080", "https://localhost", "http://", "http://localhost/x", "http://a/?b", "ws://a"]
        {
            assert!(Remote::at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("aws/prod é&b=1"), "aws%2Fprod%20%C3%A9%26b%3D1");
    }
}
