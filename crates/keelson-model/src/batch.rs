//! One delivery of an importer: what a source said about a part of the world.
//!
//! A batch is the only way in. It names things as its source names them; which configuration item
//! each of them is, is for the reconciliation to decide.

mod fold;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::key::hex;
use crate::{
    Basis, Cap, CiKey, Criticality, Finding, Lifecycle, Phase, Position, Rule, Scope, SourceKey, Strength, Symbol,
};

/// Whether a batch lists everything in its scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Everything: what the scope no longer mentions is withdrawn, under the guard.
    Complete {
        /// Why that is known: the listing ended, every file was read.
        proof: String,
    },
    /// Changes, or a listing that may have ended early: absence means nothing.
    Delta,
}

/// A raw payload, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payload {
    /// File or address it came from, as shown to people.
    pub name: String,
    /// SHA-256 of the bytes after redaction, lower-case hexadecimal.
    pub digest: String,
    /// Media type.
    pub media_type: String,
    /// Number of bytes.
    pub bytes: u64,
    /// The bytes after redaction; not part of the batch's own digest (the digest above is).
    #[serde(skip)]
    pub content: Arc<[u8]>,
}

impl Payload {
    /// A payload of these (already redacted) bytes.
    #[must_use]
    pub fn new(name: &str, media_type: &str, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        Self {
            name: name.to_owned(),
            digest: hex(&Sha256::digest(&content)),
            media_type: media_type.to_owned(),
            bytes: content.len() as u64,
            content,
        }
    }
}

/// The program that read the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImporterVersion {
    /// Its name: `terraform`.
    pub name: String,
    /// Its version; another version of the same importer may read the same payload differently.
    pub version: String,
}

/// How a batch names a configuration item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CiRef {
    /// By the source's own key, with what is known of an item that the batch does not describe.
    Source {
        /// The source's key.
        key: SourceKey,
        /// Its class, when the reference tells.
        class: Option<Symbol>,
        /// Its name, when the reference tells.
        name: Option<Arc<str>>,
    },
    /// By its key in the catalogue.
    Catalogue(CiKey),
}

impl CiRef {
    /// A reference by source key alone.
    #[must_use]
    pub fn source(key: SourceKey) -> Self {
        Self::Source { key, class: None, name: None }
    }

    /// A reference by source key to something of a known class.
    #[must_use]
    pub fn of_class(key: SourceKey, class: &str) -> Self {
        Self::Source { key, class: Some(Symbol::new(class)), name: None }
    }

    /// The reference without what it tells beyond its identity.
    #[must_use]
    pub fn bare(&self) -> Self {
        match self {
            Self::Source { key, .. } => Self::source(key.clone()),
            Self::Catalogue(key) => Self::Catalogue(key.clone()),
        }
    }

    /// The key as written, whichever it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Source { key, .. } => key.as_str(),
            Self::Catalogue(key) => key.as_str(),
        }
    }
}

/// One configuration item as a source saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What the source calls it.
    pub source_key: SourceKey,
    /// Its key in the catalogue, where the source's format can state it.
    pub key: Option<CiKey>,
    /// Its class.
    pub class: Symbol,
    /// Its name for people.
    pub name: Option<Arc<str>>,
    /// Its stage of life, where stated.
    pub lifecycle: Option<Lifecycle>,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// The source's id for this lifetime of it.
    pub native_id: Option<Arc<str>>,
    /// The source's version of it; rises with every change.
    pub native_version: Option<u64>,
    /// Attributes as the source gives them; the class types them.
    pub attributes: BTreeMap<Symbol, serde_json::Value>,
    /// Where it stood.
    pub position: Position,
}

impl Observation {
    /// An observation with nothing but its identity.
    #[must_use]
    pub fn new(source_key: SourceKey, class: &str, position: Position) -> Self {
        Self {
            source_key,
            key: None,
            class: Symbol::new(class),
            name: None,
            lifecycle: None,
            criticality: None,
            native_id: None,
            native_version: None,
            attributes: BTreeMap::new(),
            position,
        }
    }

    /// Adds an attribute; `null` is kept only where the caller means it.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl Into<serde_json::Value>) -> Self {
        self.attributes.insert(Symbol::new(attribute), value.into());
        self
    }
}

/// One relationship as a source saw it, already in the direction *dependent needs dependency*.
#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipObservation {
    /// The kind of relationship.
    pub kind: Symbol,
    /// What needs.
    pub dependent: CiRef,
    /// What is needed.
    pub dependency: CiRef,
    /// Declared or observed.
    pub basis: Basis,
    /// How sure the source is, 0 to 1.
    pub confidence: Option<f64>,
    /// How much it can take, where stated.
    pub strength: Option<Strength>,
    /// What kind of evidence it is.
    pub evidence: Option<Symbol>,
    /// The source's own words for the type.
    pub source_type: Option<Symbol>,
    /// Further attributes, kept as text where they are not scalars.
    pub attributes: BTreeMap<Symbol, serde_json::Value>,
    /// Where it stood.
    pub position: Position,
}

impl RelationshipObservation {
    /// A plain declared relationship.
    #[must_use]
    pub fn new(kind: &str, dependent: CiRef, dependency: CiRef, position: Position) -> Self {
        Self {
            kind: Symbol::new(kind),
            dependent,
            dependency,
            basis: Basis::Declared,
            confidence: None,
            strength: None,
            evidence: None,
            source_type: None,
            attributes: BTreeMap::new(),
            position,
        }
    }
}

/// One member of an observed need.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberObservation {
    /// The dependency.
    pub ci: CiRef,
    /// Whether its membership is doubtful.
    pub doubtful: bool,
}

/// A rule over dependencies of one dependent, as a source states it.
#[derive(Clone, Debug, PartialEq)]
pub struct NeedObservation {
    /// What needs.
    pub dependent: CiRef,
    /// Its name, unique among the needs of the dependent.
    pub name: Arc<str>,
    /// The kind of relationship to each member.
    pub kind: Symbol,
    /// The members.
    pub members: Vec<MemberObservation>,
    /// How they combine; `None` lets the class of the dependent decide.
    pub rule: Option<Rule>,
    /// For a count nobody is sure of: the counts it could be.
    pub possible_counts: Vec<u32>,
    /// The largest loss it can cause.
    pub cap: Option<Cap>,
    /// When it matters.
    pub phase: Phase,
    /// How sure the source is, 0 to 1.
    pub confidence: Option<f64>,
    /// The fraction, 0 to 1, of what fails one member that fails all.
    pub common_cause: Option<f64>,
    /// Declared or observed.
    pub basis: Basis,
    /// What kind of evidence it is.
    pub evidence: Option<Symbol>,
    /// Where it stood.
    pub position: Position,
}

/// Something a source explicitly says has gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// What.
    pub target: RemovalTarget,
    /// Why, in the source's words.
    pub reason: Option<Arc<str>>,
    /// Where it stood.
    pub position: Position,
}

/// What has gone.
#[derive(Clone, Debug, PartialEq)]
pub enum RemovalTarget {
    /// A configuration item.
    Ci(CiRef),
    /// A relationship.
    Relationship {
        /// Its kind.
        kind: Symbol,
        /// What needed.
        dependent: CiRef,
        /// What was needed.
        dependency: CiRef,
    },
    /// A need, by its name.
    Need {
        /// What needed.
        dependent: CiRef,
        /// Its name.
        name: Arc<str>,
    },
}

/// How to treat rows that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Any finding of severity error stops the whole batch (our own format).
    Stop,
    /// A bad row is refused and reported; the others go on (foreign sources).
    KeepGoing,
}

/// One delivery.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The configured source: `aws-prod`.
    pub source: Symbol,
    /// What it claims to cover.
    pub scope: Scope,
    /// Whether it lists everything in there.
    pub completeness: Completeness,
    /// When the source was read (start of the listing).
    pub observed_at: DateTime<Utc>,
    /// Where the next delta starts; opaque.
    pub cursor: Option<String>,
    /// What read it.
    pub importer: ImporterVersion,
    /// Raw payloads.
    pub payloads: Vec<Payload>,
    /// Configuration items.
    pub observations: Vec<Observation>,
    /// Relationships.
    pub relationships: Vec<RelationshipObservation>,
    /// Needs.
    pub needs: Vec<NeedObservation>,
    /// Explicit removals.
    pub removals: Vec<Removal>,
    /// What the importer noticed.
    pub findings: Vec<Finding>,
    /// What to do about rows that cannot be used.
    pub on_error: OnError,
}

impl Batch {
    /// An empty delta of a source.
    #[must_use]
    pub fn new(source: &str, scope: Scope, importer: ImporterVersion, observed_at: DateTime<Utc>) -> Self {
        Self {
            source: Symbol::new(source),
            scope,
            completeness: Completeness::Delta,
            observed_at,
            cursor: None,
            importer,
            payloads: Vec::new(),
            observations: Vec::new(),
            relationships: Vec::new(),
            needs: Vec::new(),
            removals: Vec::new(),
            findings: Vec::new(),
            on_error: OnError::KeepGoing,
        }
    }

    /// Whether absence means withdrawal.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.completeness, Completeness::Complete { .. })
    }

    /// SHA-256 over source, scope, completeness, cursor, importer version and payload digests, in
    /// lower-case hexadecimal: two deliveries with one digest say the same.
    #[must_use]
    pub fn digest(&self) -> String {
        let identity = serde_json::json!([
            self.source,
            self.scope,
            self.completeness,
            self.cursor,
            self.importer,
            self.payloads.iter().map(|p| (&p.name, &p.digest)).collect::<Vec<_>>(),
        ]);
        hex(&Sha256::digest(identity.to_string().as_bytes()))
    }
}
