//! Opening a store: address, migrations, an interrupted commit, the head file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keelson_model::Digest;
use surrealdb::Surreal;
use surrealdb::engine::any::{Any, connect};
use surrealdb::types::{SurrealValue, Value};
use tokio::sync::Mutex;

use crate::commit::{Tail, arbitrary};
use crate::error::{cause, classify};
use crate::headfile::{Acknowledged, HeadFile};
use crate::pause::Pause;
use crate::{StoreError, journal, read, restore};

const NAMESPACE: &str = "keelson";
const DATABASE: &str = "catalogue";

/// Migrations in order: name and text. Never edited once released; the last one's result is
/// `current.surql`.
const MIGRATIONS: &[(&str, &str)] = &[("0001_first", include_str!("../../../schema/surrealql/0001_first.surql"))];

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

    /// The embedded store in a data folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self::at(format!("surrealkv://{}", folder.join("store").display()))
    }
}

/// An open store. Cheap to clone; clones share the connection and the one writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Surreal<Any>,
    pub(crate) headfile: Option<HeadFile>,
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
    /// Opens a store, makes or migrates its schema, finishes or removes a commit that was cut off,
    /// and checks that nothing acknowledged is missing.
    ///
    /// # Errors
    /// Fails when the address is wrong, the store is in use or unreachable, was made by a newer
    /// version, or has lost commits.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let address = address(&options.url)?;
        if let Some(folder) = &address.folder {
            let parent = folder_of(folder);
            std::fs::create_dir_all(&parent).map_err(|source| StoreError::File { path: parent, source })?;
        }
        let db = connect(&address.url).await.map_err(|error| classify("opening the store", &error))?;
        if let Some((username, password)) = options.credentials {
            let credentials = surrealdb::opt::auth::Root { username, password };
            db.signin(credentials).await.map_err(|error| classify("signing in", &error))?;
        }
        db.use_ns(NAMESPACE).use_db(DATABASE).await.map_err(|error| classify("opening the database", &error))?;
        migrate(&db).await?;
        let headfile = address.folder.map(|folder| HeadFile { path: beside(&folder, ".head.json") });
        let store = Self {
            db,
            headfile,
            tail: Arc::default(),
            writer: Arc::from(format!("{:016x}{:016x}", arbitrary(), arbitrary())),
            is_remote: address.is_remote,
            pause: options.pause,
        };
        restore::refuse_unfinished(&store).await?;
        let mut tail = read::tail(&store).await?;
        store.check_not_lost(tail)?;
        journal::recover(&store, &mut tail).await?;
        *store.tail.lock().await = tail;
        store.check_head().await?;
        Ok(store)
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

async fn migrate(db: &Surreal<Any>) -> Result<(), StoreError> {
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

async fn apply_migration(db: &Surreal<Any>, name: &str, text: &str, digest: String) -> Result<(), StoreError> {
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
