//! Finding one configuration item by one of its names.

use async_graphql::{ID, InputObject, OneofObject};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{CiKey, SourceKey, Symbol};

use crate::errors::Refusal;
use crate::ids;

/// What a source calls a configuration item.
#[derive(Clone, Debug, InputObject)]
pub struct ExternalReferenceInput {
    /// The source: `aws-prod`.
    pub source: String,
    /// The item's key there.
    pub key: String,
}

/// One way to name a configuration item.
#[derive(Clone, Debug, OneofObject)]
pub enum ConfigurationItemBy {
    /// By its identifier.
    Id(ID),
    /// By its key.
    Key(String),
    /// By what a source calls it.
    ExternalReference(ExternalReferenceInput),
}

impl ConfigurationItemBy {
    /// The item meant, if there is one.
    ///
    /// # Errors
    /// When an identifier is of another sort of record.
    pub fn find(&self, catalogue: &Catalogue) -> Result<Option<CiIx>, Refusal> {
        Ok(match self {
            Self::Id(id) => catalogue.find_id(ids::ci(id)?),
            Self::Key(key) => CiKey::new(key).ok().and_then(|key| catalogue.find_key(key.as_str())),
            Self::ExternalReference(reference) => SourceKey::new(&reference.key)
                .ok()
                .filter(|_| {
                    catalogue.scopes().any(|scope| scope.source == reference.source.as_str())
                        || reference.source == keelson_model::provenance::MANUAL_SOURCE
                })
                .and_then(|key| catalogue.find_source(&Symbol::new(&reference.source), &key)),
        })
    }

    /// How it was named, for messages.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Id(id) => format!("the identifier '{}'", id.as_str()),
            Self::Key(key) => format!("the key '{key}'"),
            Self::ExternalReference(reference) => {
                format!("the key '{}' in source '{}'", reference.key, reference.source)
            }
        }
    }
}
