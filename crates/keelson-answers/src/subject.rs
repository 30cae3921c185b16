//! How answers name a configuration item, and how questions find one.

use keelson_catalogue::{Catalogue, CiIx};
use keelson_graph::ItemIx;
use keelson_model::Standing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{QuestionError, View, item};

/// A configuration item as answers name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its key.
    pub key: String,
    /// Its class.
    pub class: String,
    /// Its name for people.
    pub name: String,
}

impl Subject {
    /// The configuration item of a number.
    #[must_use]
    pub fn of(catalogue: &Catalogue, ix: CiIx) -> Self {
        let ci = catalogue.ci(ix);
        Self { key: ci.key.to_string(), class: ci.class.to_string(), name: ci.name().to_owned() }
    }
}

/// The catalogue's number of an item of the graph.
pub(crate) fn ci_of(item: ItemIx) -> CiIx {
    CiIx(item.0)
}

/// The key of an item of the graph.
pub(crate) fn key_of(catalogue: &Catalogue, item: ItemIx) -> String {
    catalogue.ci(ci_of(item)).key.to_string()
}

/// Finds a configuration item by key.
///
/// # Errors
/// When no configuration item has the key; names up to three that look like it.
pub fn find(catalogue: &Catalogue, key: &str) -> Result<CiIx, QuestionError> {
    let normal = keelson_model::CiKey::new(key).ok();
    let found = normal.as_ref().and_then(|normal| catalogue.find_key(normal.as_str()));
    found.ok_or_else(|| QuestionError::UnknownKey { key: key.to_owned(), similar: similar(catalogue, key) })
}

/// Finds an item of the graph by key.
///
/// # Errors
/// When no configuration item has the key, or it is withdrawn or retired.
pub(crate) fn find_item(view: &View, key: &str) -> Result<ItemIx, QuestionError> {
    let ix = find(&view.catalogue, key)?;
    if view.graph.contains(item(ix)) {
        return Ok(item(ix));
    }
    let withdrawn = view.catalogue.ci(ix).standing == Standing::Withdrawn;
    Err(QuestionError::NotInService { key: key.to_owned(), standing: if withdrawn { "withdrawn" } else { "retired" } })
}

/// Keys that end alike, contain the text or differ in case only; a help against typing errors.
fn similar(catalogue: &Catalogue, key: &str) -> Vec<String> {
    let wanted = key.rsplit('/').next().unwrap_or(key).to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let fits = |key: &str| key.to_lowercase().contains(&wanted);
    let mut found: Vec<String> = catalogue
        .cis()
        .map(|(_, slot)| slot.ci.key.as_str())
        .filter(|key| fits(key))
        .map(str::to_owned)
        .take(50)
        .collect();
    found.sort_by_key(|key| (key.len(), key.clone()));
    found.truncate(3);
    found
}
