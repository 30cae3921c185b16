//! Opening a store: address, migrations, the session before, an interrupted commit, the head file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keelson_model::{Digest, Revision};
use surrealdb::types::{SurrealValue, Value};
use tokio::sync::Mutex;

use crate::commit::{Tail, arbitrary};
use crate::engine::Engine;
use crate::error::{cause, classify, is_disk_failure};
use crate::headfile::{Acknowledged, HeadFile};
use crate::pause::Pause;
use crate::redo::Before;
use crate::session::Session;
use crate::{StoreError, journal, read, restore};

/// Migrations in order: name and text. Never edited once released; the last one's result is
/// `current.surql`.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first", include_str!("../../../schema/surrealql/0001_first.surql")),
    ("0002_change", include_str!("../../../schema/surrealql/0002_change.surql")),
    ("0003_series", include_str!("../../../schema/surrealql/0003_series.surql")),
];

/// Which store to open.
#[derive(Clone, Debug)]
pub struct Options {
    /// `mem://`, `surrealkv://FOLDER`, or `ws://HOST:PORT` and `wss://HOST:PORT`.
    pub url: String,
    /// User and password of a remote database.
    pub credentials: Option<(String, String)>,
    /// For tests of crashes.
    #[doc(hidden)]
    pub pause: Pause,
}

impl Options {
    /// A store at an address that needs no credentials.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), credentials: None, pause: Pause::default() }
    }

    /// The last revision that was acknowledged, as the head file beside an embedded store says.
    /// `None` when there is no such file, it cannot be read, or nothing was committed yet.
    #[must_use]
    pub fn acknowledged(&self) -> Option<Revision> {
        let folder = address(&self.url).ok()?.folder?;
        let acknowledged = HeadFile { path: beside(&folder, ".head.json") }.read().ok()??;
        Some(acknowledged.revision).filter(|revision| revision.0 > 0)
    }

    /// The embedded store in a data folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self::at(format!("surrealkv://{}", folder.join("store").display()))
    }
}

/// An open store. Cheap to clone; clones share the connection and the one writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Engine,
    pub(crate) headfile: Option<HeadFile>,
    /// Of an embedded store on the disk, once it is open.
    pub(crate) session: Option<Session>,
    pub(crate) tail: Arc<Mutex<Tail>>,
    /// Names this process in the journal.
    pub(crate) writer: Arc<str>,
    /// Whether other servers may be writing.
    pub(crate) is_remote: bool,
    pub(crate) pause: Pause,
}

/// An address with what it means.
struct Address {
    url: String,
    folder: Option<PathBuf>,
    is_remote: bool,
}

fn address(url: &str) -> Result<Address, StoreError> {
    let bad = |reason: &str| StoreError::Address { url: url.to_owned(), reason: reason.to_owned() };
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| bad("expected mem://, surrealkv://FOLDER, ws://HOST:PORT or wss://HOST:PORT"))?;
    match scheme {
        "mem" => Ok(Address { url: "mem://".into(), folder: None, is_remote: false }),
        "surrealkv" => {
            let (folder, parameters) = rest.split_once('?').unwrap_or((rest, ""));
            if folder.is_empty() {
                return Err(bad("expected a folder behind surrealkv://"));
            }
            match parameters {
                // An acknowledged write must be on the disk; nothing else is on offer.
                "" | "sync=every" => {
                    let url = format!("surrealkv://{folder}?sync=every");
                    Ok(Address { url, folder: Some(PathBuf::from(folder)), is_remote: false })
                }
                _ => Err(bad("the only parameter allowed is sync=every")),
            }
        }
        "ws" | "wss" => Ok(Address { url: url.to_owned(), folder: None, is_remote: true }),
        _ => Err(bad("unknown scheme; expected mem, surrealkv, ws or wss")),
    }
}

impl Store {
    /// Opens a store, makes or migrates its schema, brings back what the engine lost, finishes or removes a commit that was cut off,
    /// and checks that nothing acknowledged is missing.
    ///
    /// # Errors
    /// Fails when the address is wrong, the store is in use or unreachable, was made by a newer
    /// version, or has lost commits.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let address = address(&options.url)?;
        let acknowledged = options.acknowledged();
        let folder = address.folder.clone();
        let opened = Self::open_at(address, options).await;
        opened.map_err(|error| match folder {
            Some(folder) => damaged(folder, acknowledged, error),
            None => error,
        })
    }

    async fn open_at(address: Address, options: Options) -> Result<Self, StoreError> {
        if let Some(folder) = &address.folder {
            let parent = folder_of(folder);
            std::fs::create_dir_all(&parent).map_err(|source| StoreError::File { path: parent, source })?;
        }
        let before = address.folder.clone().map(|folder| {
            let path = beside(&folder, ".session");
            Before::look(folder, path)
        });
        let before = before.transpose()?;
        let db = if address.is_remote {
            Engine::remote(&address.url, options.credentials).await?
        } else {
            Engine::embedded(&address.url).await?
        };
        let before = match before {
            Some(before) => Some(before.opened().await?),
            None => None,
        };
        migrate(&db).await?;
        let headfile = address.folder.map(|folder| HeadFile { path: beside(&folder, ".head.json") });
        let mut store = Self {
            db,
            headfile,
            session: None,
            tail: Arc::default(),
            writer: Arc::from(format!("{:016x}{:016x}", arbitrary(), arbitrary())),
            is_remote: address.is_remote,
            pause: options.pause,
        };
        restore::refuse_unfinished(&store).await?;
        let keep = match &before {
            Some(before) => before.bring_back(&store).await?,
            None => false,
        };
        let mut tail = read::tail(&store).await?;
        store.check_not_lost(tail)?;
        if let Some(before) = before {
            store.session = Some(before.begin(keep, tail).await?);
            if keep {
                // The audit log is read up to where the tail says it ends.
                *store.tail.lock().await = tail;
                before.close_gap(&store, tail).await?;
            }
        }
        journal::recover(&store, &mut tail).await?;
        *store.tail.lock().await = tail;
        store.check_head().await?;
        Ok(store)
    }

    /// Whether other processes may commit to it as well.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_remote
    }

    /// Closes the store: waits for the commit under way, then has the embedded engine write what it
    /// holds in memory into its tables, so that the next opening has nothing to bring back. Nothing
    /// is lost without it. Every clone of the store is closed with it.
    ///
    /// # Errors
    /// Fails as the engine does; what was acknowledged is safe all the same.
    pub async fn close(&self) -> Result<(), StoreError> {
        let mut tail = self.tail.lock().await;
        tail.closed = true;
        self.db.close().await
    }

    /// Refuses a store that has lost commits before anything in it is touched. The very next commit
    /// may still be whole in the journal, so that recovery can bring it back.
    fn check_not_lost(&self, tail: Tail) -> Result<(), StoreError> {
        let Some(headfile) = &self.headfile else { return Ok(()) };
        match headfile.read()? {
            Some(acknowledged) if acknowledged.revision > tail.revision.next() => {
                Err(lost(headfile, acknowledged, tail))
            }
            _ => Ok(()),
        }
    }

    async fn check_head(&self) -> Result<(), StoreError> {
        let Some(headfile) = &self.headfile else { return Ok(()) };
        let tail = *self.tail.lock().await;
        let found = Acknowledged { revision: tail.revision, digest: tail.digest };
        match headfile.read()? {
            Some(acknowledged) if acknowledged.revision > found.revision => Err(lost(headfile, acknowledged, tail)),
            Some(acknowledged) if acknowledged == found => Ok(()),
            Some(acknowledged) => {
                // The engine may be ahead: a commit that was durable but not yet acknowledged.
                let known = read::commit_digest(self, acknowledged.revision).await?;
                if acknowledged.revision.0 > 0 && known != Some(acknowledged.digest) {
                    return Err(StoreError::Inconsistent {
                        table: "commit",
                        record: acknowledged.revision.to_string(),
                        reason: "is another commit than the one acknowledged; the store was replaced by another \
                                 or its log was altered"
                            .into(),
                    });
                }
                headfile.write(found)
            }
            None => headfile.write(found),
        }
    }
}

/// Says of a failure of the engine on the disk which store it is about and what to do. Other failures
/// say so themselves.
fn damaged(folder: PathBuf, acknowledged: Option<Revision>, error: StoreError) -> StoreError {
    let is_engine = matches!(error, StoreError::Failed { .. } | StoreError::Unavailable(_));
    if !is_engine || is_disk_failure(&error) {
        return error;
    }
    let acknowledged = match acknowledged {
        Some(revision) => format!("The last acknowledged revision is {revision}"),
        None => "No head file says which revision was the last".to_owned(),
    };
    StoreError::Damaged { folder, acknowledged, source: Box::new(error) }
}

fn lost(headfile: &HeadFile, acknowledged: Acknowledged, tail: Tail) -> StoreError {
    StoreError::LostTail {
        acknowledged: acknowledged.revision,
        found: tail.revision,
        first: tail.revision.next(),
        headfile: headfile.path.clone(),
    }
}

/// The folder something lies in; of a bare name, the current one.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file beside a folder, named after it.
fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    folder_of(folder).join(name)
}

async fn migrate(db: &Engine) -> Result<(), StoreError> {
    const DOING: &str = "reading the applied migrations";
    let mut answer =
        db.query("SELECT VALUE [record::id(id), digest] FROM migration").await.map_err(|e| classify(DOING, &e))?;
    let applied: Vec<(String, String)> = match answer.take::<Value>(0) {
        Ok(value) => SurrealValue::from_value(value)
            .map_err(|error| StoreError::Failed { doing: DOING, reason: error.to_string() })?,
        // A store without the table has no migration.
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(classify(DOING, &error)),
    };
    if let Some((name, _)) = applied.iter().find(|(name, _)| !MIGRATIONS.iter().any(|(known, _)| known == name)) {
        return Err(StoreError::Newer(name.clone()));
    }
    for (name, text) in MIGRATIONS {
        let digest = Digest::of(text.as_bytes()).to_string();
        match applied.iter().find(|(applied, _)| applied == name) {
            Some((_, known)) if *known == digest => {}
            Some(_) => return Err(StoreError::EditedMigration((*name).to_owned())),
            None => apply_migration(db, name, text, digest).await?,
        }
    }
    Ok(())
}

async fn apply_migration(db: &Engine, name: &str, text: &str, digest: String) -> Result<(), StoreError> {
    const DOING: &str = "migrating the schema";
    let whole = format!("BEGIN; {text}; CREATE type::record('migration', $name) SET digest = $digest; COMMIT;");
    let mut answer = db
        .query(whole)
        .bind(("name", name.to_owned()))
        .bind(("digest", digest))
        .await
        .map_err(|error| classify(DOING, &error))?;
    match cause(answer.take_errors()) {
        None => Ok(()),
        Some(error) => Err(classify(DOING, &error)),
    }
}
