//! Interned names: the few thousand strings that millions of records share.
//!
//! Class, attribute, source, kind and scope names repeat in every record. A [`Symbol`] keeps one
//! copy of each per process, so that reading a large catalogue does not allocate the word
//! `depends_on` five million times. Only names of low cardinality belong here; keys of
//! configuration items do not.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, RwLock};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

static INTERNED: LazyLock<RwLock<HashSet<Arc<str>>>> = LazyLock::new(RwLock::default);

/// A shared, immutable name. Cloning costs a reference count; comparing equal names usually costs
/// a pointer comparison.
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// Returns the one copy of `name` in this process.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let known = INTERNED.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(name).cloned();
        if let Some(shared) = known {
            return Self(shared);
        }
        let mut names = INTERNED.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(shared) = names.get(name) {
            return Self(Arc::clone(shared));
        }
        let shared: Arc<str> = Arc::from(name);
        names.insert(Arc::clone(&shared));
        Self(shared)
    }

    /// Returns the one copy of `name` if this process has it already. For names that come from
    /// outside and only make sense when somebody else has used them: asking for one keeps nothing.
    #[must_use]
    pub fn known(name: &str) -> Option<Self> {
        INTERNED.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(name).cloned().map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl std::hash::Hash for Symbol {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // The same hash as `str`, because `Borrow<str>` promises it.
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for Symbol {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Symbol {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Deref for Symbol {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Symbol {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Symbol {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Symbol {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Symbol;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Symbol, E> {
                Ok(Symbol::new(name))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl JsonSchema for Symbol {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "String".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
