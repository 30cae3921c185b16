//! Who says so, and where it stood.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::basis::confirmed;
use keelson_catalogue::Catalogue;
use keelson_model as model;

use crate::ids::GlobalId;

/// Where something stood in what was imported.
#[derive(Clone, Debug, SimpleObject)]
pub struct Position {
    /// The file, relative to what was imported.
    file: Option<String>,
    /// The line, counted from 1.
    line: Option<u32>,
    /// The document in a file of several, counted from 1.
    document: Option<u32>,
    /// JSON pointer inside file or document.
    pointer: Option<String>,
}

impl Position {
    /// A position, unless nothing is known of it.
    pub(crate) fn of(position: &model::Position) -> Option<Self> {
        (!position.is_empty()).then(|| Self {
            file: position.file.as_ref().map(ToString::to_string),
            line: position.line,
            document: position.document,
            pointer: position.pointer.as_ref().map(ToString::to_string),
        })
    }
}

/// One source's statement.
#[derive(Clone, Debug, SimpleObject)]
pub struct Claim {
    /// The source.
    source: String,
    /// The part of the world its batch covered.
    scope: String,
    /// What the source calls the configuration item; absent for relationships and needs.
    source_key: Option<String>,
    /// The source's identifier for this lifetime of it.
    native_id: Option<String>,
    /// Whether the source still says so.
    is_live: bool,
    /// When the source was first read with it.
    first_observed: DateTime<Utc>,
    /// When the source was last read with it.
    last_seen: DateTime<Utc>,
    /// The import that said it last with this content.
    import_run_id: ID,
    /// Where it stood.
    position: Option<Position>,
}

impl Claim {
    pub(crate) fn of(catalogue: &Catalogue, provenance: &model::Provenance) -> Self {
        let is_live = provenance.is_live();
        Self {
            source: provenance.source.to_string(),
            scope: provenance.scope.to_string(),
            source_key: None,
            native_id: None,
            is_live,
            first_observed: provenance.first_observed,
            last_seen: if is_live { confirmed(catalogue, provenance) } else { provenance.observed_at },
            import_run_id: GlobalId::Run(provenance.batch).into(),
            position: Position::of(&provenance.position),
        }
    }

    pub(crate) fn of_item(catalogue: &Catalogue, claim: &model::Claim) -> Self {
        Self {
            source_key: Some(claim.source_key.to_string()),
            native_id: claim.native_id.as_ref().map(ToString::to_string),
            ..Self::of(catalogue, &claim.provenance)
        }
    }
}

/// The sources of some claims, each once, by name.
pub(crate) fn sources<'a>(claims: impl Iterator<Item = &'a model::Provenance>) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = claims.map(|provenance| provenance.source.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}
