//! Relationships between configuration items, and needs that group them.
//!
//! A relationship is always stored in the direction *dependent needs dependency*.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::ci::words;
use crate::value::Attributes;
use crate::{CiId, NeedId, Phase, Provenance, Rule, Standing, Symbol};

/// The identity of a relationship: at most one of a kind joins two configuration items.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelationshipKey {
    /// What needs.
    pub dependent: CiId,
    /// The kind of relationship.
    pub kind: Symbol,
    /// What is needed.
    pub dependency: CiId,
}

words! {
    /// How a source knows of a relationship.
    Basis {
        /// Somebody or something states it.
        Declared = "declared",
        /// It was seen happening.
        Observed = "observed",
    }
}

words! {
    /// In which form a source stated a relationship.
    Stated {
        /// As a relationship of its own.
        Plain = "plain",
        /// As a member of a need.
        Member = "member",
    }
}

/// How much of the dependent a plain relationship can take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// All of it.
    Hard,
    /// At most this share, above 0 and below 1.
    Soft {
        /// The largest loss it can cause.
        cap: f64,
    },
}

impl Strength {
    /// The largest loss it can cause.
    #[must_use]
    pub fn cap(self) -> f64 {
        match self {
            Self::Hard => 1.0,
            Self::Soft { cap } => cap,
        }
    }

    /// The strongest of those that are stated.
    #[must_use]
    pub fn strongest(stated: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        stated.into_iter().flatten().max_by(|a, b| a.cap().total_cmp(&b.cap()))
    }
}

/// One source's claim that a relationship exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationshipClaim {
    /// Who, when, where.
    pub provenance: Provenance,
    /// As a relationship of its own or as a member of a need.
    pub stated: Stated,
    /// Declared or observed.
    pub basis: Basis,
    /// How sure the source is, 0 to 1; absent means it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// How much it can take, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// What kind of evidence it is: `iac_order`, `env`, `selector`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Symbol>,
    /// The source's own words for the type of relationship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<Symbol>,
    /// Further attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A typed, directed relationship.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relationship {
    /// Its identity.
    pub key: RelationshipKey,
    /// Live or withdrawn.
    pub standing: Standing,
    /// Number of changes, from 1.
    pub version: u32,
    /// One per source and form that ever stated it, oldest first.
    pub claims: SmallVec<[RelationshipClaim; 1]>,
    /// When it was withdrawn, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl Relationship {
    /// The claims that still hold.
    pub fn live_claims(&self) -> impl Iterator<Item = &RelationshipClaim> {
        self.claims.iter().filter(|claim| claim.provenance.is_live())
    }

    /// Whether a source states it as a relationship of its own.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.live_claims().any(|claim| claim.stated == Stated::Plain)
    }

    /// The strength that holds: the strongest any live claim states; absent when none does.
    #[must_use]
    pub fn strength(&self) -> Option<Strength> {
        Strength::strongest(self.live_claims().map(|claim| claim.strength))
    }

    /// Declared as soon as one live claim declares it, otherwise observed.
    #[must_use]
    pub fn basis(&self) -> Basis {
        if self.live_claims().any(|claim| claim.basis == Basis::Declared) { Basis::Declared } else { Basis::Observed }
    }

    /// The highest confidence among the live claims; a claim that does not say counts as certain.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.live_claims().map(|claim| claim.confidence.unwrap_or(1.0)).fold(0.0, f64::max)
    }
}

/// The largest loss a need can cause: a judgement, so it names who judged and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cap {
    /// Above 0 and below 1.
    pub limit: f64,
    /// Who judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<Arc<str>>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<DateTime<Utc>>,
}

/// A member of a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The dependency.
    pub ci: CiId,
    /// Whether its membership is doubtful; the analyses then evaluate with and without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

/// What a need says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedDefinition {
    /// How the members combine.
    pub rule: Rule,
    /// The rule was not stated by anybody: analyses bracket it between *any* and *all*.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// For a count nobody is sure of: the counts it could be, each in 1..=n.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub possible_counts: Vec<u32>,
    /// The members, distinct, in the order stated.
    pub members: Vec<Member>,
    /// The kind of relationship to each member.
    pub kind: Symbol,
    /// The largest loss it can cause; absent means hard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// When it matters.
    #[serde(default)]
    pub phase: Phase,
    /// How sure the source is that the need exists, 0 to 1; absent means certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The fraction β, 0 to 1, of what fails one member that fails all of them, and is drawn nowhere else: the same release,
    /// the same mistake in a configuration (beta-factor model; Fleming 1975). Absent: nobody states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_cause: Option<f64>,
}

/// One source's statement of a need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedClaim {
    /// Who, when, where.
    pub provenance: Provenance,
    /// What it says.
    pub definition: NeedDefinition,
}

/// A rule over dependencies of one dependent. The needs of one dependent are conjunctive: all
/// must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// Its identifier, for life.
    pub id: NeedId,
    /// What needs.
    pub dependent: CiId,
    /// Its name, unique among the needs of its dependent.
    pub name: Arc<str>,
    /// Live or withdrawn.
    pub standing: Standing,
    /// Number of changes, from 1.
    pub version: u32,
    /// The effective definition.
    pub definition: NeedDefinition,
    /// One per source that ever stated it, oldest first; losing definitions are kept.
    pub claims: SmallVec<[NeedClaim; 1]>,
    /// When it was withdrawn, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}
