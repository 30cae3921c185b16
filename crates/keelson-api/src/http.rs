//! GraphQL over HTTP: what is asked for, in which form, and with which status it is answered.
//!
//! The order is that of the [crate] documentation. The rules are those of the *GraphQL over HTTP*
//! specification: under `application/graphql-response+json` a document that cannot be executed has a
//! status of its own, under `application/json` it is answered with 200.

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, Variables};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use http::header::{ACCEPT, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::Api;
use crate::context::Principal;
use crate::errors::{Code, Refusal};
use crate::guard::GuardedDocument;
use crate::measure;
use crate::moment::Moment;
use crate::schema::{Price, sdl, server_error};

/// The header that names a request in logs and answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Headers a browser does not send across sites without asking first.
const PREFLIGHTED: [&str; 2] = ["apollo-require-preflight", "x-apollo-operation-name"];

/// In which form an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `application/graphql-response+json`.
    GraphqlResponse,
    /// `application/json`.
    Json,
}

impl Form {
    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// The form a client accepts; `application/json` where it does not care.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut any = false;
        for header in headers.get_all(ACCEPT) {
            for range in header.to_str().unwrap_or_default().split(',') {
                any |= !range.trim().is_empty();
                let (form, weight) = Self::of_range(range);
                if let Some(form) = form
                    && weight > 0
                    && best.is_none_or(|(heaviest, _)| weight > heaviest)
                {
                    best = Some((weight, form));
                }
            }
        }
        if any { best.map(|(_, form)| form) } else { Some(Self::Json) }
    }

    /// The form of one media range, with its weight in thousandths.
    fn of_range(range: &str) -> (Option<Self>, u16) {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        };
        let mut weight = 1_000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name.trim().to_ascii_lowercase().as_str(), value.trim().trim_matches('"')) {
                ("q", value) => {
                    let quality = value.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
                    {
                        weight = (quality * 1_000.0) as u16;
                    }
                }
                ("charset", charset) if !charset.eq_ignore_ascii_case("utf-8") => return (None, 0),
                _ => {}
            }
        }
        (form, weight)
    }
}

/// What a client sends.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Sent {
    query: Option<Json>,
    #[serde(rename = "operationName")]
    operation_name: Option<Json>,
    variables: Option<Json>,
    extensions: Option<Json>,
}

/// A request that is refused before it is a document.
struct Refused {
    refusal: Refusal,
    /// Another status than the usual one of the code.
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, status: None, headers: Vec::new() }
    }
}

impl Refused {
    fn unsupported(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status: Some(status), ..Refusal::new(Code::UnsupportedRequest, message).into() }
    }

    fn method(allowed: &'static str, message: &str) -> Self {
        let headers = vec![(ALLOW, HeaderValue::from_static(allowed))];
        Self { headers, ..Self::unsupported(StatusCode::METHOD_NOT_ALLOWED, message) }
    }
}

/// The routes of the interface.
pub(crate) fn router(api: Api, principal: Principal) -> Router {
    Router::new()
        .route("/graphql", any(graphql))
        .route("/schema.graphql", get(async || ([(CONTENT_TYPE, "text/plain; charset=utf-8")], sdl())))
        .with_state((api, principal))
}

async fn graphql(State((api, principal)): State<(Api, Principal)>, request: http::Request<Body>) -> impl IntoResponse {
    let headers = request.headers().clone();
    let request_id = request_id(&headers);
    let form = Form::accepted(&headers);
    let answered = match form {
        Some(form) => answered(&api, principal, request, form).await,
        None => {
            let message = "answers are application/graphql-response+json or application/json; accept one of them";
            Err(Refused::unsupported(StatusCode::NOT_ACCEPTABLE, message))
        }
    };
    let form = form.unwrap_or(Form::Json);
    let (status, mut more, body) = match answered {
        Ok(answer) => (answer.status, Vec::new(), answer.body(&request_id, &api)),
        Err(refused) => {
            let status = refused.status.unwrap_or_else(|| refused.refusal.code.status());
            let body = json!({
                "errors": [{
                    "message": refused.refusal.message,
                    "extensions": { "code": refused.refusal.code.as_str() },
                }],
                "extensions": { "requestId": request_id },
            });
            (status, refused.headers, body)
        }
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        more.push((RETRY_AFTER, HeaderValue::from_static("1")));
    }
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, form.media_type());
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    for (name, value) in more {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The identifier of a request: the one it came with if that is a plain word, otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(is_plain).map_or_else(|| ulid::Ulid::new().to_string(), str::to_owned)
}

/// An answer of GraphQL with its status.
struct Answered {
    status: StatusCode,
    response: Response,
    points: u64,
}

impl Answered {
    fn body(self, request_id: &str, api: &Api) -> Json {
        let mut body = body_of(&self.response, self.points, api);
        body["extensions"]["requestId"] = request_id.into();
        body
    }
}

/// An answer as clients see it.
pub(crate) fn body_of(response: &Response, points: u64, api: &Api) -> Json {
    let limit = api.services.limits.cost;
    let mut body = serde_json::Map::new();
    let errors = errors_of(response, api);
    if !is_request_error(response) {
        body.insert("data".to_owned(), serde_json::to_value(&response.data).unwrap_or_default());
    }
    if !errors.is_empty() {
        body.insert("errors".to_owned(), errors.into());
    }
    let cost = json!({ "requested": points, "limit": limit, "remaining": limit.saturating_sub(points) });
    body.insert("extensions".to_owned(), json!({ "cost": cost }));
    body.into()
}

/// The errors of an answer as clients see them.
pub(crate) fn errors_of(response: &Response, api: &Api) -> Vec<Json> {
    response.errors.iter().take(api.services.limits.errors).map(shown).collect()
}

/// Whether nothing was executed: the document was no document of this schema, or cost too much.
pub(crate) fn is_request_error(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

fn code_of(error: &ServerError) -> Option<Code> {
    let word = error.extensions.as_ref()?.get("code")?;
    Code::ALL.iter().copied().find(|code| *word == async_graphql::Value::from(code.as_str()))
}

/// An error as clients see it: always with a code.
fn shown(error: &ServerError) -> Json {
    let usual = if error.path.is_empty() { Code::GraphqlValidationFailed } else { Code::BadUserInput };
    let mut shown = serde_json::to_value(error).unwrap_or_default();
    if code_of(error).is_none()
        && let Some(fields) = shown.as_object_mut()
    {
        fields.insert("extensions".to_owned(), json!({ "code": usual.as_str() }));
    }
    shown
}

/// Reads a request and answers it. Reading has a time of its own.
async fn answered(
    api: &Api,
    principal: Principal,
    request: http::Request<Body>,
    form: Form,
) -> Result<Answered, Refused> {
    let is_get = request.method() == Method::GET;
    let sent = match *request.method() {
        Method::GET => from_query(request.uri(), request.headers())?,
        Method::POST => from_body(api, request).await?,
        _ => return Err(Refused::method("GET, POST", "only GET and POST are answered")),
    };
    let sent = Understood::of(sent)?;
    let time = api.services.limits.request_time;
    tokio::time::timeout(time, answer(api, principal, sent, is_get, form)).await.unwrap_or_else(|_| {
        let message = "the time for the request was up; a change may have been made all the same";
        Err(Refusal::new(Code::Timeout, message).into())
    })
}

async fn answer(
    api: &Api,
    principal: Principal,
    sent: Understood,
    is_get: bool,
    form: Form,
) -> Result<Answered, Refused> {
    let limits = &api.services.limits;
    measure::check_variables(&sent.variables, limits)?;
    let guarded = GuardedDocument::check(&sent.query, limits)?;
    let failed = |refusal: Refusal| Answered {
        status: status_of(&Response::from_errors(vec![server_error(refusal.clone())]), form),
        response: Response::from_errors(vec![server_error(refusal)]),
        points: 0,
    };
    let document = match guarded.parse() {
        Ok(document) => document,
        Err(error) => {
            let response = Response::from_errors(vec![unparsed(error)]);
            return Ok(Answered { status: status_of(&response, form), response, points: 0 });
        }
    };
    let kind = match measure::operation(&document, sent.operation_name.as_deref()) {
        Ok(operation) => operation.node.ty,
        Err(refusal) => return Ok(failed(refusal)),
    };
    if is_get && kind != OperationType::Query {
        return Err(Refused::method("POST", "GET runs queries only; send changes by POST"));
    }
    if kind == OperationType::Subscription {
        let message = "subscriptions are answered over /graphql/ws";
        return Ok(failed(Refusal::new(Code::UnsupportedRequest, message)));
    }
    let (ready, price) = ready(api, principal, sent, document);
    let response = api.schema.execute(ready).await;
    Ok(Answered { status: status_of(&response, form), response, points: price.points() })
}

/// A request with everything its resolvers look for, and what will tell its price.
fn ready(api: &Api, principal: Principal, sent: Understood, document: ExecutableDocument) -> (Request, Price) {
    let price = Price::default();
    let mut ready = Request::new(sent.query)
        .variables(Variables::from_json(sent.variables))
        .data(price.clone())
        .data(principal)
        .data(Moment::present(&api.services.keelson));
    ready.set_parsed_query(document);
    ready.operation_name = sent.operation_name;
    (ready, price)
}

fn unparsed(error: async_graphql::parser::Error) -> ServerError {
    let mut error = ServerError::from(error);
    error.extensions.get_or_insert_default().set("code", Code::GraphqlParseFailed.as_str());
    error
}

/// A subscription that a socket is sent, past guard and parser.
///
/// # Errors
/// `None` for what is no request at all.
pub(crate) fn subscription(
    api: &Api,
    principal: Principal,
    sent: Sent,
) -> Result<(Request, Price), Option<ServerError>> {
    let sent = Understood::of(sent).map_err(|_| None)?;
    let limits = &api.services.limits;
    let refused = |refusal| Some(server_error(refusal));
    measure::check_variables(&sent.variables, limits).map_err(refused)?;
    let document = GuardedDocument::check(&sent.query, limits).map_err(refused)?;
    let document = document.parse().map_err(|error| Some(unparsed(error)))?;
    let operation = measure::operation(&document, sent.operation_name.as_deref()).map_err(refused)?;
    if operation.node.ty != OperationType::Subscription {
        let message = "a socket answers subscriptions only; send queries and mutations to /graphql";
        return Err(refused(Refusal::new(Code::UnsupportedRequest, message)));
    }
    Ok(ready(api, principal, sent, document))
}

/// The status of an answer of GraphQL.
fn status_of(response: &Response, form: Form) -> StatusCode {
    if !is_request_error(response) || form == Form::Json {
        return StatusCode::OK;
    }
    response.errors.first().and_then(code_of).unwrap_or(Code::GraphqlValidationFailed).status()
}

fn from_query(uri: &Uri, headers: &HeaderMap) -> Result<Sent, Refused> {
    let preflighted = |name: &&str| headers.get(*name).is_some_and(|value| !value.is_empty());
    if !PREFLIGHTED.iter().any(preflighted) {
        let message = format!("a GET must carry a non-empty header {} or {}", PREFLIGHTED[0], PREFLIGHTED[1]);
        return Err(Refused::unsupported(StatusCode::BAD_REQUEST, message));
    }
    #[derive(Deserialize)]
    struct Parameters {
        query: Option<String>,
        #[serde(rename = "operationName")]
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let axum::extract::Query(parameters) = axum::extract::Query::<Parameters>::try_from_uri(uri)
        .map_err(|_| Refused::unsupported(StatusCode::BAD_REQUEST, "the parameters of the address cannot be read"))?;
    let read = |name: &str, text: Option<String>| -> Result<Option<Json>, Refused> {
        let text = text.filter(|text| !text.is_empty());
        let wrong = |_| Refused::unsupported(StatusCode::BAD_REQUEST, format!("the parameter '{name}' is not JSON"));
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(wrong)
    };
    Ok(Sent {
        query: parameters.query.map(Json::String),
        operation_name: parameters.operation_name.filter(|name| !name.is_empty()).map(Json::String),
        variables: read("variables", parameters.variables)?,
        extensions: read("extensions", parameters.extensions)?,
    })
}

async fn from_body(api: &Api, request: http::Request<Body>) -> Result<Sent, Refused> {
    let limits = &api.services.limits;
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refused::unsupported(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as it is, not packed"));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if !is_json || !is_utf8 {
        let message = "send application/json in UTF-8";
        return Err(Refused::unsupported(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let reading = Limited::new(request.into_body(), limits.body_bytes).collect();
    let read = tokio::time::timeout(limits.body_time, reading).await.map_err(|_| {
        Refused::unsupported(StatusCode::REQUEST_TIMEOUT, "the body of the request did not arrive in time")
    })?;
    let bytes = match read {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("a request may have {} bytes", limits.body_bytes);
            return Err(Refusal::new(Code::PayloadTooLarge, message).into());
        }
        Err(_) => {
            let message = "the body of the request could not be read";
            return Err(Refused::unsupported(StatusCode::BAD_REQUEST, message));
        }
    };
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let message = "one operation at a time: an array of operations is not answered";
        return Err(Refusal::new(Code::BatchNotAllowed, message).into());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Refused::unsupported(StatusCode::BAD_REQUEST, format!("the body is not a request: {error}")))
}

/// A request of which every part has its type.
struct Understood {
    query: String,
    operation_name: Option<String>,
    variables: Json,
}

impl Understood {
    fn of(sent: Sent) -> Result<Self, Refused> {
        let wrong = |message: &str| Refused::unsupported(StatusCode::BAD_REQUEST, message);
        let Some(Json::String(query)) = sent.query else { return Err(wrong("'query' must be a text")) };
        let operation_name = match sent.operation_name {
            None | Some(Json::Null) => None,
            Some(Json::String(name)) => Some(name),
            Some(_) => return Err(wrong("'operationName' must be a text")),
        };
        let variables = match sent.variables {
            None | Some(Json::Null) => json!({}),
            Some(variables @ Json::Object(_)) => variables,
            Some(_) => return Err(wrong("'variables' must be an object")),
        };
        if !matches!(sent.extensions, None | Some(Json::Null | Json::Object(_))) {
            return Err(wrong("'extensions' must be an object"));
        }
        Ok(Self { query, operation_name, variables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(text).unwrap());
        Form::accepted(&headers)
    }

    #[test]
    fn the_form_is_the_one_the_client_prefers() {
        assert_eq!(Form::accepted(&HeaderMap::new()), Some(Form::Json));
        assert_eq!(accepted("*/*"), Some(Form::Json));
        assert_eq!(accepted("application/graphql-response+json"), Some(Form::GraphqlResponse));
        assert_eq!(accepted("application/graphql-response+json, application/json"), Some(Form::GraphqlResponse));
        assert_eq!(accepted("application/json;q=0.9, application/graphql-response+json"), Some(Form::GraphqlResponse));
        assert_eq!(accepted("application/graphql-response+json;q=0.1, application/json"), Some(Form::Json));
        assert_eq!(accepted("application/graphql-response+json; charset=utf-8"), Some(Form::GraphqlResponse));
        assert_eq!(accepted("text/html"), None);
        assert_eq!(accepted("application/json;q=0"), None);
    }

    #[test]
    fn a_request_is_named_by_a_plain_word_only() {
        let id = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(text));
            request_id(&headers)
        };
        assert_eq!(id("abc-1"), "abc-1");
        assert_ne!(id("a b"), "a b");
        assert_eq!(request_id(&HeaderMap::new()).len(), 26);
    }
}
