//! An open catalogue.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use futures::TryStreamExt;
use keelson_analysis::Pool;
use keelson_answers::View;
use keelson_catalogue::{ApplyError, Catalogue};
use keelson_change::Policy;
use keelson_graph::GraphError;
use keelson_model::{Commit, CommitHeader, Revision, Schema};
use keelson_reconcile::Settings;
use keelson_store::{CommitError, Committed, Draft, Options, Store, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::series::Books;

use crate::import::Running;

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
    /// Another import of the same source and scope is under way.
    #[error("an import of source '{source_name}', scope '{scope}' is under way, started by {holder}; wait for its end")]
    ImportRunning {
        /// The source.
        source_name: String,
        /// The scope of the import under way.
        scope: String,
        /// Who started it.
        holder: String,
    },
    /// Others kept committing in between.
    #[error("others committed in between {attempts} times in a row; try again")]
    Contended {
        /// How often it was planned.
        attempts: usize,
    },
    /// A task ended before its work did.
    #[error("the work was stopped: {0}")]
    Stopped(String),
    /// A batch from before the last commit cannot be dated when it was read.
    #[error(
        "the batch was read at {observed_at}, but the catalogue already has a commit of {head}; the past is loaded in \
         order and before anything newer"
    )]
    TooLateToBackdate {
        /// When the source was read.
        observed_at: DateTime<Utc>,
        /// The time of the last commit.
        head: DateTime<Utc>,
    },
    /// A time before the first commit, or after now.
    #[error("nothing is known as of {0}: the first commit is later")]
    BeforeTheFirst(DateTime<Utc>),
    /// Revision 0, which is before the first commit.
    #[error("nothing was known at revision 0; the first commit is revision 1")]
    RevisionZero,
    /// A revision that is not there yet.
    #[error("there is no revision {asked} yet; the last one is revision {head}")]
    BeyondTheHead {
        /// The revision asked for.
        asked: Revision,
        /// The last one there is.
        head: Revision,
    },
    /// A batch that claims to have been read later than now. Once taken in, everything read until
    /// then would count as older.
    #[error(
        "the batch of source '{source_name}' says that it was read at {observed_at}, but it is {now} here; nothing \
         can be read in the future, so mend the clock or the time given as observed_at"
    )]
    ReadInTheFuture {
        /// The source.
        source_name: String,
        /// When the source is said to have been read.
        observed_at: DateTime<Utc>,
        /// The time here.
        now: DateTime<Utc>,
    },
}

/// A point in the history of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// After a commit.
    Revision(Revision),
    /// At a time: after the last commit made at or before it.
    Time(DateTime<Utc>),
}

/// A text that names no point in history.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "'{0}' is neither a time (2026-11-01T12:00:00Z), a day (2026-11-01, meaning its end in UTC) nor a revision (r12)"
)]
pub struct AsOfSyntaxError(String);

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(revision) => write!(f, "r{revision}"),
            Self::Time(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// A time, a day, meaning its end in UTC, or a revision: `r12`.
impl FromStr for AsOf {
    type Err = AsOfSyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(number) = text.strip_prefix('r').and_then(|number| number.parse().ok()) {
            return Ok(Self::Revision(Revision(number)));
        }
        if let Ok(time) = text.parse::<DateTime<Utc>>() {
            return Ok(Self::Time(time));
        }
        let day = text.parse::<NaiveDate>().ok();
        let end = day.and_then(|day| day.and_hms_milli_opt(23, 59, 59, 999));
        end.map(|end| Self::Time(end.and_utc())).ok_or_else(|| AsOfSyntaxError(text.to_owned()))
    }
}

/// An open catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Keelson {
    store: Store,
    schema: Arc<Schema>,
    settings: Arc<Settings>,
    policy: Arc<Policy>,
    pool: Arc<Pool>,
    running: Running,
    published: Arc<watch::Sender<View>>,
    /// Held while a commit is made and its view published, so that views follow in order.
    writer: Arc<Mutex<()>>,
    /// Held from plan to commit by edits, and by whoever was overtaken before, so that nobody plans
    /// in vain for ever. Waiting for it is fair.
    planning: Arc<Mutex<()>>,
    /// The series of the last view that was asked about the future.
    books: Books,
}

impl Keelson {
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// Opens a store and brings its last revision into memory.
    ///
    /// # Errors
    /// Fails when the store cannot be opened or its log does not add up.
    pub async fn open(options: Options, schema: Arc<Schema>) -> Result<Self, Error> {
        Self::open_with(options, schema, Settings::default()).await
    }

    /// As [`Keelson::open`], with settings of the reconciliation.
    ///
    /// # Errors
    /// As [`Keelson::open`].
    pub async fn open_with(options: Options, schema: Arc<Schema>, settings: Settings) -> Result<Self, Error> {
        Self::on(Store::open(options).await?, schema, settings).await
    }

    /// Brings the last revision of an open store into memory.
    pub(crate) async fn on(store: Store, schema: Arc<Schema>, settings: Settings) -> Result<Self, Error> {
        let head = store.head().await.revision;
        let catalogue = replay(&store, &schema, head, |_| true).await?;
        let view = View::of(Arc::new(catalogue))?;
        Ok(Self {
            store,
            schema,
            settings: Arc::new(settings),
            policy: Arc::default(),
            pool: Arc::new(Pool::new()),
            running: Running::default(),
            published: Arc::new(watch::channel(view).0),
            writer: Arc::default(),
            planning: Arc::default(),
            books: Books::default(),
        })
    }

    /// The same catalogue under other rules of change management.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// The rules of change management.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The view of the last revision.
    #[must_use]
    pub fn view(&self) -> View {
        self.published.borrow().clone()
    }

    /// The views that follow: a receiver that is told of every later revision and holds the last one.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<View> {
        self.published.subscribe()
    }

    /// Settings of the reconciliation.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Working memory of analyses, shared by all questions.
    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Waits for the turn to plan and commit without being overtaken by others of this process.
    pub(crate) async fn planning_turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.planning).lock_owned().await
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The view of a past revision or time, from the log. Costs what the log up to there is long.
    ///
    /// # Errors
    /// Fails when there was nothing yet, when the revision is still to come, or as the store fails.
    pub async fn view_as_of(&self, as_of: AsOf) -> Result<View, Error> {
        let present = self.view();
        let head = present.catalogue.head();
        let at = match as_of {
            AsOf::Revision(Revision(0)) => return Err(Error::RevisionZero),
            AsOf::Revision(asked) if asked > head.revision => {
                return Err(Error::BeyondTheHead { asked, head: head.revision });
            }
            AsOf::Revision(revision) if revision == head.revision => return Ok(present),
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
    /// Commit and publication go on when the caller stops waiting.
    ///
    /// # Errors
    /// Fails as the store does; nothing is published then.
    pub async fn commit(&self, draft: Draft) -> Result<Committed, Error> {
        let keelson = self.clone();
        let work = tokio::spawn(async move {
            let _writing = keelson.writer.lock().await;
            let committed = keelson.store.commit(draft).await?;
            let before = keelson.view();
            let (after, committed) = blocking(move || (next_view(&before, &committed), committed)).await?;
            keelson.published.send_replace(after?);
            Ok(committed)
        });
        work.await.map_err(|error| Error::Stopped(error.to_string()))?
    }

    /// Closes the store, so that the next opening finds everything in its place and is quick. Every
    /// clone is closed with it; nothing can be committed any more.
    ///
    /// # Errors
    /// Fails as the store does; what was acknowledged is safe all the same.
    pub async fn close(&self) -> Result<(), Error> {
        let _writing = self.writer.lock().await;
        Ok(self.store.close().await?)
    }

    /// Takes in what others committed to the same store.
    ///
    /// # Errors
    /// Fails as the store does, or when the log does not add up.
    pub async fn catch_up(&self) -> Result<(), Error> {
        let _writing = self.writer.lock().await;
        let known = self.view();
        let head = self.store.head().await.revision;
        if head <= known.revision() {
            return Ok(());
        }
        let mut catalogue = Catalogue::clone(&known.catalogue);
        let mut log = std::pin::pin!(self.store.replay(known.revision(), head));
        while let Some((Commit { header, changes }, chunked)) = log.try_next().await? {
            catalogue.apply(&header, numbered(&chunked).zip(&changes))?;
        }
        self.published.send_replace(blocking(move || View::of(Arc::new(catalogue))).await??);
        Ok(())
    }
}

/// The view after a commit.
fn next_view(before: &View, committed: &Committed) -> Result<View, Error> {
    let mut catalogue = Catalogue::clone(&before.catalogue);
    catalogue.apply(&committed.header, committed.chunked_changes())?;
    Ok(before.after(Arc::new(catalogue), &committed.changes)?)
}

/// Runs work that computes for long where it does not hold up other tasks.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Stopped(error.to_string()))
}

/// The number of the chunk each change of a commit stands in.
fn numbered(chunked: &[usize]) -> impl Iterator<Item = u32> + '_ {
    (0u32..).zip(chunked).flat_map(|(chunk, held)| std::iter::repeat_n(chunk, *held))
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
        catalogue.apply(&header, numbered(&chunked).zip(&changes))?;
    }
    Ok(catalogue)
}
