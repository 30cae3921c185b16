//! Relationship kinds: how a relationship reads from both ends, and whether it carries loss.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Symbol;

/// What a relationship of a kind means for the propagation of loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// The dependent needs the dependency: loss travels from dependency to dependent.
    Loss,
    /// Order, place or responsibility: loss does not travel.
    Nothing,
    /// Stored with its ends in sorted order; loss does not travel until a person directs it.
    Undirected,
}

/// A kind of relationship.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipKind {
    /// Unique name, lower case with underscores: `depends_on`.
    pub name: Symbol,
    /// How it reads from the dependent: "payments *uses* sso".
    pub forward: String,
    /// How it reads from the dependency: "sso *is used by* payments".
    pub backward: String,
    /// Whether loss travels along it.
    pub carries: Carries,
    /// What it is for.
    pub description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindFile {
    kind: Vec<RelationshipKind>,
}

/// All known kinds of relationship.
#[derive(Clone, Debug, Default)]
pub struct KindRegistry {
    kinds: HashMap<Symbol, Arc<RelationshipKind>>,
}

impl KindRegistry {
    /// Reads a file of `[[kind]]` tables.
    ///
    /// # Errors
    /// Says what is wrong with the file, or which kind is defined twice.
    pub fn build<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut kinds = HashMap::new();
        for (name, text) in files {
            let file: KindFile = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            for kind in file.kind {
                if kinds.contains_key(&kind.name) {
                    return Err(format!("{name}: relationship kind '{}' is defined twice", kind.name));
                }
                kinds.insert(kind.name.clone(), Arc::new(kind));
            }
        }
        Ok(Self { kinds })
    }

    /// Returns the kind of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<RelationshipKind>> {
        self.kinds.get(name)
    }

    /// Whether loss travels along relationships of the kind.
    #[must_use]
    pub fn carries_loss(&self, name: &str) -> bool {
        self.get(name).is_some_and(|kind| kind.carries == Carries::Loss)
    }

    /// Every kind, in order of their names.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<RelationshipKind>> {
        let mut all: Vec<_> = self.kinds.values().map(Arc::clone).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}
