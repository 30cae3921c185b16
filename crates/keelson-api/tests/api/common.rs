//! A catalogue with the worked estate behind the interface, and requests to it.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use keelson_api::Api;
use keelson_api::cursor::CursorKey;
use keelson_api::limits::Limits;
use keelson_app::{Keelson, Options};
use keelson_model::builtin;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// The worked estate, in the batch format.
pub(crate) const ESTATE: &str = include_str!("../../../keelson/tests/fixtures/worked-estate.ndjson");

/// Runs a test on threads with the stack that the store's engine needs.
pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

/// An interface over a catalogue of its own.
pub(crate) struct Place {
    pub(crate) api: Api,
    pub(crate) keelson: Keelson,
    router: axum::Router,
    _folder: TempDir,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) json: Json,
}

impl Place {
    /// An empty catalogue.
    pub(crate) async fn empty() -> Self {
        Self::with(Limits::default()).await
    }

    /// An empty catalogue behind other limits.
    pub(crate) async fn with(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let schema = Arc::new(builtin::schema([]).unwrap());
        let keelson = Keelson::open(Options::in_folder(folder.path()), schema).await.unwrap();
        let api = Api::new(keelson.clone(), limits, CursorKey::new([9; 32]));
        Self { router: api.router("tester"), api, keelson, _folder: folder }
    }

    /// A catalogue with the worked estate, delivered through the interface.
    pub(crate) async fn with_estate() -> Self {
        let place = Self::empty().await;
        let answer = place.submit(ESTATE, false).await;
        assert_eq!(answer["outcome"], "COMMITTED", "{answer:#}");
        place
    }

    /// Delivers a batch and gives the payload.
    pub(crate) async fn submit(&self, content: &str, dry_run: bool) -> Json {
        let query = "mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { outcome changeCount \
            importRun { id outcome revision { number } } configurationItems { created updated unchanged withdrawn } \
            findings { nodes { code severity message field position { file line } } } \
            rows(first: 100) { totalCount nodes { sourceKey outcome } } \
            userErrors { code field message } } }";
        let variables = json!({ "input": { "content": content, "dryRun": dry_run } });
        self.data(query, variables).await["submitBatch"].clone()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Got { status: parts.status, headers: parts.headers, json }
    }

    /// Sends a document as clients do.
    pub(crate) async fn post(&self, body: &Json) -> Got {
        self.send(post(&body.to_string())).await
    }

    /// Asks something as somebody else, and gives its data.
    pub(crate) async fn data_as(&self, name: &str, query: &str, variables: Json) -> Json {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let response = self.api.router(name).oneshot(post(&body)).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let json: Json = serde_json::from_slice(&bytes).unwrap();
        assert!(json.get("errors").is_none(), "{json:#}");
        json["data"].clone()
    }

    /// Asks something that must be answered, and gives its data.
    pub(crate) async fn data(&self, query: &str, variables: Json) -> Json {
        let got = self.post(&json!({ "query": query, "variables": variables })).await;
        assert_eq!(got.status, StatusCode::OK, "{:#}", got.json);
        assert!(got.json.get("errors").is_none(), "{:#}", got.json);
        got.json["data"].clone()
    }

    /// Asks something that must be refused, and gives the code of the first error.
    pub(crate) async fn code(&self, query: &str, variables: Json) -> String {
        let got = self.post(&json!({ "query": query, "variables": variables })).await;
        got.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{:#}", got.json)).to_owned()
    }

    /// The identifier of the item of a key.
    pub(crate) async fn id(&self, key: &str) -> String {
        let query = "query($key: String) { configurationItem(by: { key: $key }) { id } }";
        self.data(query, json!({ "key": key })).await["configurationItem"]["id"].as_str().unwrap().to_owned()
    }
}

/// A POST of a body.
pub(crate) fn post(body: &str) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json, application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// The strings of one field of every entry of a list.
pub(crate) fn each(list: &Json, pointer: &str) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("no list: {list:#}")).iter();
    entries.map(|entry| entry.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()).collect()
}
