//! Identifiers of records: typed newtypes over ULIDs.
//!
//! People use a configuration item's key; machines use these. An id says nothing about the record
//! and is never reused. Pure code does not make ids up: it asks an [`IdSource`].

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ulid::Ulid;

/// An identifier that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is not an identifier: expected 26 characters of Crockford base 32")]
pub struct IdError {
    /// The text that was given.
    pub text: String,
}

/// Where new identifiers come from: the clock and randomness outside, a counter in tests.
pub trait IdSource {
    /// Returns an identifier that was never returned before.
    fn next_ulid(&mut self) -> Ulid;
}

impl<T: IdSource + ?Sized> IdSource for &mut T {
    fn next_ulid(&mut self) -> Ulid {
        (**self).next_ulid()
    }
}

/// Counts upwards from a seed: ids that are the same in every run. For tests and generated data.
#[derive(Clone, Debug, Default)]
pub struct SequentialIds {
    last: u128,
}

impl SequentialIds {
    /// Starts after `seed`.
    #[must_use]
    pub fn after(seed: u128) -> Self {
        Self { last: seed }
    }
}

impl IdSource for SequentialIds {
    fn next_ulid(&mut self) -> Ulid {
        self.last += 1;
        Ulid(self.last)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Ulid);

        impl $name {
            /// Takes the next identifier of a source.
            pub fn next(ids: &mut (impl IdSource + ?Sized)) -> Self {
                Self(ids.next_ulid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                // 26 characters of 5 bits hold two more than an id has: the first may be 7 at most.
                let fits = text.as_bytes().first().is_some_and(|first| (b'0'..=b'7').contains(first));
                let read = if fits { Ulid::from_string(text).ok() } else { None };
                read.map(Self).ok_or_else(|| IdError { text: text.to_owned() })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$" })
            }
        }
    )*};
}

ids! {
    /// A configuration item.
    CiId;
    /// A need of a configuration item.
    NeedId;
    /// One delivery of an importer.
    BatchId;
    /// A question only a person can settle.
    ReviewTaskId;
    /// A request for change.
    ChangeId;
    /// A freeze or maintenance window.
    CalendarEntryId;
    /// Something that is down or impaired.
    DisruptionId;
    /// The state of chosen items at a revision.
    BaselineId;
    /// Points of several series that were read together.
    SeriesBatchId;
}
