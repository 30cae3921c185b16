//! An open catalogue.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use keelson_answers::View;
use keelson_catalogue::{ApplyError, Catalogue};
use keelson_graph::GraphError;
use keelson_model::{Commit, CommitHeader, Revision, Schema};
use keelson_store::{CommitError, Committed, Draft, Options, Store, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, watch};

/// What can go wrong with an open catalogue.
#[derive(Debug, Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit was not made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The log does not add up.
    #[error("the log does not add up: {0}; run `keelson verify`")]
    Log(#[from] ApplyError),
    /// The graph cannot be drawn.
    #[error("the graph cannot be drawn from the catalogue: {0}; run `keelson verify`")]
    Graph(#[from] GraphError),
    /// A time before the first commit, or after now.
    #[error("nothing is known as of {0}: the first commit is later")]
    BeforeTheFirst(DateTime<Utc>),
}

/// A point in the history of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After a commit.
    Revision(Revision),
    /// At a time: after the last commit made at or before it.
    Time(DateTime<Utc>),
}

/// An open catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Keelson {
    store: Store,
    schema: Arc<Schema>,
    published: Arc<watch::Sender<View>>,
    /// Held while a commit is made and its view published, so that views follow in order.
    writer: Arc<Mutex<()>>,
}

impl Keelson {
    /// Opens a store and brings its last revision into memory.
    ///
    /// # Errors
    /// Fails when the store cannot be opened or its log does not add up.
    pub async fn open(options: Options, schema: Arc<Schema>) -> Result<Self, Error> {
        let store = Store::open(options).await?;
        let head = store.head().await.revision;
        let catalogue = replay(&store, &schema, head, |_| true).await?;
        let view = View::of(Arc::new(catalogue))?;
        Ok(Self { store, schema, published: Arc::new(watch::channel(view).0), writer: Arc::default() })
    }

    /// The view of the last revision.
    #[must_use]
    pub fn view(&self) -> View {
        self.published.borrow().clone()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The view of a past revision or time, from the log. Costs what the log up to there is long.
    ///
    /// # Errors
    /// Fails when there was nothing yet, or as the store fails.
    pub async fn view_as_of(&self, as_of: AsOf) -> Result<View, Error> {
        let present = self.view();
        let head = present.catalogue.head();
        let at = match as_of {
            AsOf::Revision(revision) if revision >= head.revision => return Ok(present),
            AsOf::Time(time) if head.at.is_some_and(|at| at <= time) => return Ok(present),
            other => other,
        };
        let included = |header: &CommitHeader| match at {
            AsOf::Revision(revision) => header.revision <= revision,
            AsOf::Time(time) => header.at <= time,
        };
        let catalogue = replay(&self.store, &self.schema, head.revision, included).await?;
        match at {
            AsOf::Time(time) if catalogue.revision() == Revision(0) => Err(Error::BeforeTheFirst(time)),
            _ => Ok(View::of(Arc::new(catalogue))?),
        }
    }

    /// Commits a draft and publishes the view that follows from it: the next question sees it.
    ///
    /// # Errors
    /// Fails as the store does; nothing is published then.
    pub async fn commit(&self, draft: Draft) -> Result<Committed, Error> {
        let _writing = self.writer.lock().await;
        let committed = self.store.commit(draft).await?;
        let before = self.view();
        let mut catalogue = Catalogue::clone(&before.catalogue);
        catalogue.apply(&committed.header, committed.chunked_changes())?;
        let view = before.after(Arc::new(catalogue), &committed.changes)?;
        self.published.send_replace(view);
        Ok(committed)
    }
}

/// Applies the log from its beginning for as long as commits are `included`.
async fn replay(
    store: &Store,
    schema: &Arc<Schema>,
    until: Revision,
    included: impl Fn(&CommitHeader) -> bool,
) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::new(Arc::clone(schema));
    let mut log = std::pin::pin!(store.replay(Revision(0), until));
    while let Some((Commit { header, changes }, chunked)) = log.try_next().await? {
        if !included(&header) {
            break;
        }
        let numbers = (0u32..).zip(chunked).flat_map(|(chunk, held)| std::iter::repeat_n(chunk, held));
        catalogue.apply(&header, numbers.zip(&changes))?;
    }
    Ok(catalogue)
}
