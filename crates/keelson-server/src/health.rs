//! Whether the process runs, and whether it can answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use keelson_api::errors::Code;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::routes::App;

/// Time the store may take to give a sign of life.
const STORE_TIME: Duration = Duration::from_secs(1);
/// Least room on the disk of the data folder, percent.
const LEAST_FREE_PERCENT: u64 = 5;

/// `/livez`: the process runs its event loop.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// `/readyz`: the store gives an answer in time, the disk has room and the server is not stopping.
/// The graph was loaded before the server began to listen. Where the room cannot be known, it is
/// left out.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    if app.draining.load(Ordering::Acquire) {
        return Err(Problem::new(Code::Overloaded, "the server is stopping").because("draining"));
    }
    let revision = app.keelson.view().revision();
    let store = tokio::time::timeout(STORE_TIME, app.keelson.store().header(revision));
    let unreachable = |detail| Problem::new(Code::StorageUnavailable, detail).because("store");
    match store.await {
        Err(_) => return Err(unreachable("the store gave no answer within a second")),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store failed when asked for a sign of life");
            return Err(unreachable("the store cannot be read"));
        }
        Ok(Ok(_)) => {}
    }
    if let Some(folder) = app.data.clone() {
        let free = tokio::task::spawn_blocking(move || free_percent(&folder)).await.ok().flatten();
        if free.is_some_and(|free| free < LEAST_FREE_PERCENT) {
            return Err(Problem::new(Code::StorageUnavailable, "the disk is nearly full").because("disk"));
        }
    }
    Ok(Json(json!({ "status": "ready", "revision": revision })))
}

/// Room left on the disk of a folder, in percent.
#[cfg(unix)]
fn free_percent(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.saturating_mul(100).checked_div(disk.f_blocks)
}

/// Room left on the disk of a folder, in percent; not known on this system.
#[cfg(not(unix))]
fn free_percent(_: &Path) -> Option<u64> {
    None
}
