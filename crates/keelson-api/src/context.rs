//! What resolvers find in their context.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use keelson_app::{Actor, Keelson, Stop};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::cursor::{CursorKey, ListName};
use crate::errors::{Code, Refusal};
use crate::limits::Limits;
use crate::loader::Loaders;
use crate::moment::{Moment, Past};

/// Who makes a request. Where requests are authenticated, it comes from the credential; until
/// then it is whoever started the server, which listens to the local machine only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name that history shows.
    pub name: Arc<str>,
}

impl Principal {
    /// A principal of a name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: Arc::from(name) }
    }

    /// The principal as the actor of a change.
    #[must_use]
    pub fn actor(&self, reason: Option<String>) -> Actor {
        Actor { name: Arc::clone(&self.name), reason: reason.map(Arc::from) }
    }
}

/// What all requests share.
pub struct Services {
    /// The catalogue.
    pub keelson: Keelson,
    /// The limits.
    pub limits: Limits,
    /// The key of cursors.
    pub seal: CursorKey,
    /// The loaders.
    pub loaders: Loaders,
    /// Views of the past.
    pub past: Past,
    /// Turns for analyses.
    pub turns: Arc<Semaphore>,
    /// Whether the server stops: sockets end then.
    pub stopping: watch::Sender<bool>,
}

/// Shortcuts into the context of a request.
pub(crate) trait Find<'a> {
    /// What all requests share.
    fn services(&self) -> &'a Services;
    /// The present as this request sees it.
    fn present(&self) -> &'a Arc<Moment>;
    /// Who asks.
    fn principal(&self) -> &'a Principal;
}

impl<'a> Find<'a> for Context<'a> {
    fn services(&self) -> &'a Services {
        self.data_unchecked::<Arc<Services>>()
    }

    fn present(&self) -> &'a Arc<Moment> {
        self.data_unchecked()
    }

    fn principal(&self) -> &'a Principal {
        self.data_unchecked()
    }
}

/// The moment a field reads: the request's present, or a time in the past.
pub(crate) async fn moment(ctx: &Context<'_>, as_of: Option<DateTime<Utc>>) -> Result<Arc<Moment>, Refusal> {
    match as_of {
        None => Ok(Arc::clone(ctx.present())),
        Some(time) => ctx.services().past.at(&ctx.services().keelson, time).await,
    }
}

/// The name of a list at a moment, for its cursors.
pub(crate) fn list_name(list: &'static str, order: String, at: &Moment) -> ListName {
    let order = at.view.supposed_lines().iter().fold(order, |order, line| order + "\n" + line);
    ListName { list, order, as_of: at.as_of() }
}

/// Waits for the turn to compute something.
pub(crate) async fn turn(services: &Services) -> Result<OwnedSemaphorePermit, Refusal> {
    let turn = Arc::clone(&services.turns).acquire_owned().await;
    turn.map_err(|_| Refusal::new(Code::Overloaded, "the server is stopping"))
}

/// Computes something short, such as a page of a filtered list, where it holds up nobody.
pub(crate) async fn compute<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let turn = turn(services).await?;
    let task = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    task.await.map_err(|error| Refusal::internal(&error))
}

/// Computes an analysis where it holds up nobody, with a stop flag that its deadline raises.
pub(crate) async fn analyse<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let turn = turn(services).await?;
    let stop = Stop::default();
    let _unwanted = stop.on_drop();
    let flag = stop.clone();
    let mut task = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work(flag.flag())
    });
    let done = tokio::select! {
        done = &mut task => done,
        () = tokio::time::sleep(services.limits.analysis_time) => {
            stop.raise();
            task.await
        }
    };
    done.map_err(|error| Refusal::internal(&error))
}
