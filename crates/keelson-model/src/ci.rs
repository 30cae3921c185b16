//! Configuration items: everything that can be lost or run out.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::value::Attributes;
use crate::{CiId, CiKey, Provenance, SourceKey, Symbol, Value};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value as it is written in batches and answers.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("'{text}' is not one of {}", known.join(", "))
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Stage of life. Services pass through pipeline, live and retired; everything else through
    /// planned, build, test, live and retired.
    Lifecycle {
        /// A service that is being prepared.
        Pipeline = "pipeline",
        /// Decided on, nothing there yet.
        Planned = "planned",
        /// Being built.
        Build = "build",
        /// Being tested.
        Test = "test",
        /// In use.
        Live = "live",
        /// About to be removed by its platform.
        GoingAway = "going_away",
        /// Deliberately ended.
        Retired = "retired",
    }
}

words! {
    /// How much depends on it, as agreed with the business.
    Criticality {
        /// Little is lost without it.
        Low = "low",
        /// Work continues with effort.
        Medium = "medium",
        /// Important work stops.
        High = "high",
        /// The business stops.
        Critical = "critical",
    }
}

words! {
    /// What the catalogue knows of a configuration item's existence.
    Standing {
        /// Something refers to it; nobody has described it yet.
        Placeholder = "placeholder",
        /// At least one source describes it.
        Live = "live",
        /// No source lists it any longer. It stays readable and is revived when seen again.
        Withdrawn = "withdrawn",
    }
}

/// What one source says of a configuration item, or what all sources together say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Symbol>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Its stage of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// How much depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// Typed attributes of its class.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// What the source says beyond the class's attributes, as JSON text. Kept, not interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unmodelled: BTreeMap<Symbol, Arc<str>>,
}

/// One source's claim that a configuration item exists and what it is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who, when, where.
    pub provenance: Provenance,
    /// What the source calls it.
    pub source_key: SourceKey,
    /// The key in the catalogue that the source states for it. Two sources that state different ones
    /// speak of different items; a key that was made of class and name says nothing of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_key: Option<CiKey>,
    /// The source's id for this lifetime of it (a uid); another one under the same name is
    /// another configuration item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<Arc<str>>,
    /// The source's own version of it; a lower one is older news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_version: Option<u64>,
    /// What it says.
    pub facts: Facts,
    /// Relationship kinds by which the source says that it depends on itself; kept here because
    /// no relationship joins a configuration item to itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_relationships: Vec<Symbol>,
}

/// The outcome of several live claims: the effective facts, and whose value each of them is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The effective facts.
    pub facts: Facts,
    /// For each attribute, `name`, `class`, `lifecycle` and `criticality`: the winning source; a
    /// union of several names them all, separated by `+`.
    pub sources: BTreeMap<Symbol, Symbol>,
}

/// A configuration item: identity, effective facts and the claims they rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationItem {
    /// Its identifier, for life.
    pub id: CiId,
    /// Its key, unique in the catalogue.
    pub key: CiKey,
    /// Its effective class.
    pub class: Symbol,
    /// What is known of its existence.
    pub standing: Standing,
    /// Number of changes of this item, from 1; for stale-edit refusal.
    pub version: u32,
    /// One per source and source key that ever described it, oldest first.
    pub claims: SmallVec<[Claim; 1]>,
    /// Present when more than one claim is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Box<Merged>>,
    /// The earlier lifetime this one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<CiId>,
    /// When it was withdrawn, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl ConfigurationItem {
    /// The effective facts: what all live claims together say; of a withdrawn item what was last
    /// known; of a placeholder nothing.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        static NOTHING: Facts = Facts {
            class: None,
            name: None,
            lifecycle: None,
            criticality: None,
            attributes: Attributes::new(),
            unmodelled: BTreeMap::new(),
        };
        if let Some(merged) = &self.merged {
            return &merged.facts;
        }
        let live = self.claims.iter().find(|claim| claim.provenance.is_live());
        let last = || self.claims.iter().max_by_key(|claim| claim.provenance.observed_at);
        live.or_else(last).map_or(&NOTHING, |claim| &claim.facts)
    }

    /// The name for people; the part of the key behind the class where no source gives one.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.facts().name {
            Some(name) => name,
            None => self.key.split_once('/').map_or(self.key.as_str(), |(_, name)| name),
        }
    }

    /// The stage of life; live where no source says otherwise.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle {
        self.facts().lifecycle.unwrap_or(Lifecycle::Live)
    }

    /// The effective value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.facts().attributes.get(name)
    }

    /// The sources whose claims are live, in order of the claims.
    pub fn live_claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.provenance.is_live())
    }

    /// The source whose value of an attribute (or of `name`, `class`, `lifecycle`, `criticality`)
    /// is the effective one.
    #[must_use]
    pub fn source_of(&self, attribute: &str) -> Option<&Symbol> {
        match &self.merged {
            Some(merged) => merged.sources.get(attribute),
            None => self.live_claims().next().or(self.claims.last()).map(|claim| &claim.provenance.source),
        }
    }

    /// Whether analyses count it: described or referred to, and neither withdrawn nor retired.
    #[must_use]
    pub fn is_in_service(&self) -> bool {
        self.standing != Standing::Withdrawn && self.lifecycle() != Lifecycle::Retired
    }
}
