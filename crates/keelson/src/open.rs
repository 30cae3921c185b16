//! Opening the catalogue a command works on.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use keelson_app::change::Policy;
use keelson_app::reconcile::Settings;
use keelson_app::{Actor, AsOf, Error, Keelson, Options, StoreError};
use keelson_model::{Schema, builtin};

use crate::cli::{Global, Past};
use crate::failure::Failure;

/// The catalogues a command opened. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Opened(Arc<Mutex<Vec<Keelson>>>);

impl Opened {
    /// Closes them.
    pub(crate) async fn close(&self) {
        let opened = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for keelson in opened {
            if let Err(error) = keelson.close().await {
                tracing::warn!(%error, "the store could not be closed; nothing is lost, but the next opening takes longer");
            }
        }
    }

    /// The one opened last.
    pub(crate) fn last(&self) -> Option<Keelson> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// Remembers one.
    pub(crate) fn add(&self, keelson: &Keelson) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(keelson.clone());
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

/// Where the store is.
pub(crate) fn options(global: &Global) -> Options {
    match &global.store {
        None => Options::in_folder(&global.data),
        Some(url) => {
            let mut options = Options::at(url);
            if let Some(user) = &global.store_user {
                let password = std::env::var("KEELSON_STORE_PASSWORD").unwrap_or_default();
                options.credentials = Some((user.clone(), password));
            }
            options
        }
    }
}

/// Opens the catalogue for reading; a folder without a store is bad usage, not an empty catalogue.
pub(crate) async fn existing(global: &Global) -> Result<Keelson, Failure> {
    checked(unchecked(global).await?)
}

/// As [`existing`], also when the class files contradict what is stored: for commands that find
/// out what is wrong, mend it, or get the data out.
pub(crate) async fn unchecked(global: &Global) -> Result<Keelson, Failure> {
    if global.store.is_none() && !global.data.join("store").exists() {
        return Err(Failure::input(anyhow!(
            "there is no store in {}; import something first, or name its folder with --data",
            global.data.display()
        )));
    }
    opened(global, settings(global)?).await
}

/// Opens the catalogue, making the store when there is none.
pub(crate) async fn for_writing(global: &Global) -> Result<Keelson, Failure> {
    with_settings(global, settings(global)?).await
}

/// As [`existing`], opened once for all that a command does.
pub(crate) async fn shared(global: &Global) -> Result<Keelson, Failure> {
    match global.opened.last() {
        Some(keelson) => Ok(keelson),
        None => existing(global).await,
    }
}

fn checked(keelson: Keelson) -> Result<Keelson, Failure> {
    keelson.check_schema().map_err(Failure::input)?;
    Ok(keelson)
}

/// As [`for_writing`], with settings of the reconciliation.
pub(crate) async fn with_settings(global: &Global, settings: Settings) -> Result<Keelson, Failure> {
    checked(opened(global, settings).await?)
}

async fn opened(global: &Global, settings: Settings) -> Result<Keelson, Failure> {
    let schema = schema(global)?;
    let opened = Keelson::open_with(options(global), schema, settings).await;
    let keelson = opened.map_err(|error| match error {
        Error::Store(locked @ StoreError::Locked { .. }) => Failure::trouble(anyhow!(locked)),
        error => error.into(),
    })?;
    let keelson = keelson.with_policy(policy(global)?);
    global.opened.add(&keelson);
    Ok(keelson)
}

/// Built-in classes and those of the user's own folder.
pub(crate) fn schema(global: &Global) -> Result<Arc<Schema>, Failure> {
    let own = match &global.classes {
        None => Vec::new(),
        Some(folder) => class_files(folder).map_err(Failure::input)?,
    };
    let files = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let schema = builtin::schema(files).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::input(anyhow!("the class files cannot be used:\n  {}", lines.join("\n  ")))
    })?;
    Ok(Arc::new(schema))
}

fn class_files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(read).collect()
}

/// Settings of the reconciliation, from the file named or as they usually are.
pub(crate) fn settings(global: &Global) -> Result<Settings, Failure> {
    from_file(global.settings.as_deref())
}

/// Rules of change management, from the file named or as they usually are.
fn policy(global: &Global) -> Result<Policy, Failure> {
    from_file(global.policy.as_deref())
}

/// What a TOML file says; without one, what is usual.
fn from_file<T: Default + serde::de::DeserializeOwned>(path: Option<&Path>) -> Result<T, Failure> {
    let Some(path) = path else { return Ok(T::default()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))
        .map_err(Failure::input)?;
    toml::from_str(&text).map_err(|error| Failure::input(anyhow!("{}: {error}", path.display())))
}

/// Who does it.
pub(crate) fn actor(global: &Global, reason: Option<&str>) -> Actor {
    let name = global.actor.clone().or_else(|| std::env::var("USER").ok()).filter(|name| !name.is_empty());
    let mut actor = Actor::named(name.as_deref().unwrap_or("unknown"));
    actor.reason = reason.map(Arc::from);
    actor
}

/// Reads `--as-of`: a time, a day (its end, UTC), or `r12`.
pub(crate) fn as_of(past: &Past) -> Result<Option<AsOf>, Failure> {
    past.as_of.as_deref().map(|text| text.parse().map_err(Failure::input)).transpose()
}
