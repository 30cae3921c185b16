//! The routes, and what their handlers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use http::StatusCode;
use keelson_api::errors::{Code, Refusal};
use keelson_api::limits::Limits;
use keelson_app::Keelson;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;
use crate::{ServerOptions, acts, documents, health, imports, passage, questions, series};

/// How much later than the API's own deadline the outer one passes.
const GRACE: Duration = Duration::from_secs(5);

/// What handlers share.
pub(crate) struct App {
    pub(crate) keelson: Keelson,
    pub(crate) limits: Limits,
    pub(crate) principal: Arc<str>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) stall_time: Duration,
    /// Set when the server stops.
    pub(crate) draining: AtomicBool,
    /// Places for requests in flight.
    pub(crate) places: Semaphore,
    /// Turns for questions.
    pub(crate) turns: Arc<Semaphore>,
    /// Turns for imports.
    pub(crate) imports: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(options: &ServerOptions, keelson: Keelson) -> Self {
        Self {
            keelson,
            limits: options.limits.clone(),
            principal: Arc::from(options.principal.as_str()),
            data: options.data.clone(),
            stall_time: options.stall_time,
            draining: AtomicBool::new(false),
            places: Semaphore::new(options.in_flight),
            turns: Arc::new(Semaphore::new(options.limits.analyses.max(1))),
            imports: Arc::new(Semaphore::new(options.imports)),
        }
    }
}

/// Does what an import asks for, whose body has arrived: a body that arrives slowly must not keep others from importing.
///
/// The work goes on when nobody waits for it any more, and holds its turn as long as it does. `late` is told when the
/// time has passed.
pub(crate) async fn in_turn<T: Send + 'static>(
    app: Arc<App>,
    late: &'static str,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let busy = |_| Problem::new(Code::Overloaded, "other imports are under way; try again when they have ended");
    let turn = Arc::clone(&app.imports).try_acquire_owned().map_err(busy)?;
    let time = app.limits.import_time;
    let work = tokio::spawn(async move {
        let _turn = turn;
        work.await
    });
    let ended = tokio::time::timeout(time, work).await.map_err(|_| Problem::timeout(late))?;
    ended.map_err(|error| Refusal::internal(&error))?
}

/// All routes, with what every request passes.
pub(crate) fn all(app: &Arc<App>, api: Router) -> Router {
    let outer = app.limits.body_time + app.limits.request_time + GRACE;
    let work = Router::new()
        .route("/questions", post(questions::ask))
        .route("/acts", post(acts::act))
        .route("/packs", post(documents::pack))
        .route("/packs/schedule", get(documents::schedule_page))
        .route("/packs/changes/{key}", get(documents::change_page))
        .route("/schedule.ics", get(documents::calendar))
        .route("/imports/{source}/{batch}", put(imports::import))
        .route("/series/{source}", post(series::import))
        .with_state(Arc::clone(app))
        .method_not_allowed_fallback(method_not_allowed)
        .merge(api.layer(from_fn_with_state(outer, passage::deadline)))
        .layer(from_fn_with_state(Arc::clone(app), passage::admitted));
    let health = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(Arc::clone(app))
        .method_not_allowed_fallback(method_not_allowed);
    passing(work.merge(health).fallback(not_found))
}

/// Puts what every request passes around routes.
fn passing(routes: Router) -> Router {
    routes
        .layer(from_fn(passage::local_host))
        .layer(CatchPanicLayer::custom(passage::panicked))
        .layer(from_fn(passage::outermost))
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path")
}

async fn method_not_allowed() -> Problem {
    Problem::new(Code::UnsupportedRequest, "this path does not take this method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::problem::ProblemDocument;

    #[tokio::test]
    async fn a_panic_is_a_problem_and_shows_nothing() {
        async fn panicking() -> StatusCode {
            panic!("secret words")
        }
        let routes = passing(Router::new().route("/", get(panicking)));
        let request = Request::get("/").header("host", "localhost").header("x-request-id", "abc");
        let response = routes.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-request-id"], "abc");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
        let problem: ProblemDocument = serde_json::from_slice(&body).unwrap();
        assert_eq!((problem.code.as_str(), problem.request_id.as_str()), ("INTERNAL", "abc"));
    }

    #[tokio::test]
    async fn a_deadline_ends_the_waiting() {
        async fn endless() {
            std::future::pending::<()>().await;
        }
        let layer = from_fn_with_state(Duration::from_millis(10), passage::deadline);
        let routes = passing(Router::new().route("/", get(endless)).layer(layer));
        let request = Request::get("/").header("host", "localhost").body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 503);
    }
}
