//! The connection to the database: an engine of our own process, or a server's.
//!
//! The embedded engine is opened by hand instead of through an address, for two reasons. An address
//! cannot say how much memory the engine may take, and by itself it takes up to a gigabyte of writes
//! and half of the machine for its cache. And an engine that is dropped is not closed before the
//! process ends; what then still stands in memory has to be brought back by the next opening.
//!
//! The functions used for that are outside the stable interface of the `surrealdb` crate, whose
//! version is therefore pinned exactly.

use std::borrow::Cow;
use std::future::IntoFuture;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use surrealdb::engine::any::{Any, connect};
use surrealdb::engine::local::Db;
use surrealdb::method::ItemStream;
use surrealdb::opt::auth::Root;
use surrealdb::types::{Object, SurrealValue};
use surrealdb::{IndexedResults, Surreal};
use surrealdb_cnf::ConfigMap;
use surrealdb_engine_local::Datastore;

use crate::StoreError;
use crate::error::classify;

const NAMESPACE: &str = "keelson";
const DATABASE: &str = "catalogue";

/// Bytes of writes the embedded engine holds before it writes them into its tables. No transaction
/// may be larger; ours stay below a tenth of it.
const MEMTABLE_BYTES: u64 = 256 << 20;
/// Bytes of blocks the embedded engine keeps for reading. The log is read through once, on opening.
const CACHE_BYTES: u64 = 128 << 20;

/// A connection to the database. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Connection>);

enum Connection {
    Embedded { db: Surreal<Db>, datastore: Arc<Datastore> },
    Remote(Surreal<Any>),
}

impl Engine {
    /// Opens an engine in this process: `mem://`, or `surrealkv://` with its parameters.
    pub(crate) async fn embedded(url: &str) -> Result<Self, StoreError> {
        let memory = ConfigMap::empty()
            .with_key_value("surrealkv_max_memtable_size", MEMTABLE_BYTES.to_string())
            .with_key_value("surrealkv_block_cache_capacity", CACHE_BYTES.to_string());
        let builder = Datastore::builder().with_config(memory).with_auth(false).without_maintenance_tasks();
        // In the order in which the engine opens itself: a task that wrote before the version is there
        // would make a new store look like one of an old version.
        let opened = async {
            let datastore = builder.build_with_path(url).await?;
            datastore.check_version().await?;
            datastore.bootstrap().await?;
            datastore.start_maintenance_tasks();
            Ok::<_, anyhow::Error>(datastore)
        };
        let datastore = opened
            .await
            .map_err(|error| classify("opening the store", &surrealdb::Error::internal(error.to_string())))?;
        let db = Surreal::<Db>::unstable_from_datastore(Arc::clone(&datastore), None).await;
        let db = db.map_err(|error| classify("opening the store", &error))?;
        db.use_ns(NAMESPACE).use_db(DATABASE).await.map_err(|error| classify("opening the database", &error))?;
        Ok(Self(Arc::new(Connection::Embedded { db, datastore })))
    }

    /// Connects to a server, and signs in where credentials are given.
    pub(crate) async fn remote(url: &str, credentials: Option<(String, String)>) -> Result<Self, StoreError> {
        let db = connect(url).await.map_err(|error| classify("opening the store", &error))?;
        if let Some((username, password)) = credentials {
            db.signin(Root { username, password }).await.map_err(|error| classify("signing in", &error))?;
        }
        db.use_ns(NAMESPACE).use_db(DATABASE).await.map_err(|error| classify("opening the database", &error))?;
        Ok(Self(Arc::new(Connection::Remote(db))))
    }

    /// Statements to ask.
    pub(crate) fn query(&self, statements: impl Into<Cow<'static, str>>) -> Ask<'_> {
        Ask { engine: self, statements: statements.into(), bound: Object::new() }
    }

    /// Writes what the embedded engine still holds in memory into its tables and stops it. Nothing
    /// can be asked afterwards. A server is left alone.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match &*self.0 {
            Connection::Embedded { datastore, .. } => datastore
                .shutdown()
                .await
                .map_err(|error| classify("closing the store", &surrealdb::Error::internal(error.to_string()))),
            Connection::Remote(_) => Ok(()),
        }
    }
}

/// Statements with what is bound to their parameters; asked when awaited.
pub(crate) struct Ask<'a> {
    engine: &'a Engine,
    statements: Cow<'static, str>,
    bound: Object,
}

impl Ask<'_> {
    /// Binds a value to a parameter.
    pub(crate) fn bind(mut self, (name, value): (impl Into<String>, impl SurrealValue)) -> Self {
        self.bound.insert(name.into(), value.into_value());
        self
    }

    /// The rows one after the other, as the engine finds them.
    pub(crate) fn stream_items(self) -> Result<ItemStream, surrealdb::Error> {
        match &*self.engine.0 {
            Connection::Embedded { db, .. } => db.query(self.statements).bind(self.bound).stream_items(),
            Connection::Remote(db) => db.query(self.statements).bind(self.bound).stream_items(),
        }
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Result<IndexedResults, surrealdb::Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { engine, statements, bound } = self;
        async move {
            match &*engine.0 {
                Connection::Embedded { db, .. } => db.query(statements).bind(bound).await,
                Connection::Remote(db) => db.query(statements).bind(bound).await,
            }
        }
        .boxed()
    }
}
