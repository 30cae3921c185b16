//! Who said it, about what part of the world, when, and where exactly it stood.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BatchId, Symbol};

/// The source under which people's own edits are recorded.
pub const MANUAL_SOURCE: &str = "manual";

/// What a batch claims to cover: dimensions with values, outermost first, for example
/// `cluster=prod/kind=pods`. The unit of completeness, of locking and of withdrawal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scope(Symbol);

impl Scope {
    /// A scope without dimensions, named as a whole (`all`).
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Symbol::new(name))
    }

    /// A scope of dimensions with values, outermost first. `/` and `=` in values are kept apart
    /// from the separators by percent-encoding.
    #[must_use]
    pub fn of(dimensions: &[(&str, &str)]) -> Self {
        let parts: Vec<String> = dimensions
            .iter()
            .map(|(name, value)| {
                let value = value.replace('%', "%25").replace('/', "%2F").replace('=', "%3D");
                format!("{name}={value}")
            })
            .collect();
        Self(Symbol::new(&parts.join("/")))
    }

    /// The scope in its one written form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the two cover something in common: they are equal, or one contains the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let within = |outer: &str, inner: &str| {
            inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        self.as_str() == "all"
            || other.as_str() == "all"
            || within(self.as_str(), other.as_str())
            || within(other.as_str(), self.as_str())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Where in its payload something stood.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// The file, relative to what was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Symbol>,
    /// Line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Document in a file of several, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<u32>,
    /// JSON pointer inside file or document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<Arc<str>>,
}

impl Position {
    /// A line of a file.
    #[must_use]
    pub fn line(file: &str, line: u32) -> Self {
        Self { file: Some(Symbol::new(file)), line: Some(line), ..Self::default() }
    }

    /// A place in a JSON file.
    #[must_use]
    pub fn pointer(file: &str, pointer: &str) -> Self {
        Self { file: Some(Symbol::new(file)), pointer: Some(Arc::from(pointer)), ..Self::default() }
    }

    /// Whether nothing is known of the place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(file) = &self.file {
            parts.push(file.to_string());
        }
        if let Some(document) = self.document {
            parts.push(format!("document {document}"));
        }
        if let Some(line) = self.line {
            parts.push(format!("line {line}"));
        }
        if let Some(pointer) = &self.pointer {
            parts.push(pointer.to_string());
        }
        f.write_str(&parts.join(", "))
    }
}

/// The end of a claim: the source no longer says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tombstone {
    /// The batch in which it was missing or removed.
    pub batch: BatchId,
    /// When the source was read.
    pub at: DateTime<Utc>,
    /// Why: absent from a complete batch, or the reason the source gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

/// What every claim of a source carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Who says it.
    pub source: Symbol,
    /// The part of the world the batch covered.
    pub scope: Scope,
    /// The batch that said it last with this content.
    pub batch: BatchId,
    /// When the source was first read with this claim.
    pub first_observed: DateTime<Utc>,
    /// When the source was last read with this claim by a batch that changed the record. A later
    /// complete batch of the same scope that lists the claim unchanged moves only the scope's
    /// own time (see [`crate::ScopeState`]).
    pub observed_at: DateTime<Utc>,
    /// Where it stood.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
    /// Set when the source no longer says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone: Option<Tombstone>,
}

impl Provenance {
    /// Whether the source still says it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.tombstone.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_overlap_when_one_contains_the_other() {
        let cluster = Scope::of(&[("cluster", "prod")]);
        let pods = Scope::of(&[("cluster", "prod"), ("kind", "pods")]);
        let nodes = Scope::of(&[("cluster", "prod"), ("kind", "nodes")]);
        let other = Scope::of(&[("cluster", "production")]);
        assert!(cluster.overlaps(&pods) && pods.overlaps(&cluster));
        assert!(!pods.overlaps(&nodes));
        assert!(!cluster.overlaps(&other));
        assert!(Scope::named("all").overlaps(&pods));
        assert_eq!(Scope::of(&[("path", "a/b=c")]).as_str(), "path=a%2Fb%3Dc");
    }
}
