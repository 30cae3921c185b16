//! The lines of a batch: the written form, for reading, for writing and for its JSON Schema.
//!
//! One set of types serves all three, so that they cannot drift apart. What a type cannot say (that
//! `k` is no more than the members, that a cap is below 1) is checked when a line is understood.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{Basis, CiKey, Criticality, Lifecycle, Phase, SourceKey, Symbol};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

/// The format and version written and read.
pub const FORMAT: &str = "keelson/1";

/// One line of a batch. The first line is the header; the others come in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schemars(title = "A line of a Keelson batch")]
pub enum Line {
    /// The header: who says it, about what part of the world, when.
    Batch(Header),
    /// A configuration item.
    Ci(CiLine),
    /// A relationship: the dependent needs the dependency.
    Relationship(RelationshipLine),
    /// A need: a rule over dependencies of one dependent.
    Need(NeedLine),
    /// Something that has gone; only in a batch that is not complete.
    Withdraw(WithdrawLine),
}

/// The header of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format and its version: `keelson/1`.
    pub format: String,
    /// Who says it. Precedence and withdrawal are per source.
    pub source: Symbol,
    /// What part of the world the batch covers; `all` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether the batch lists everything in its scope. Only then is withdrawn what the scope no
    /// longer mentions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// When the source saw it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<DateTime<Utc>>,
    /// Where the source's next batch of changes starts; opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A configuration item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CiLine {
    /// Unique, human and stable: `service/payments`. Up to 512 bytes, no control characters.
    pub key: CiKey,
    /// A class of the catalogue.
    pub class: Symbol,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The source's own identifier, tried first when identifying; the key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<SourceKey>,
    /// The source's identifier of this lifetime of it; another one is another configuration item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<Arc<str>>,
    /// The source's own version of it; a lower one is older news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_version: Option<u64>,
    /// Its stage of life; live when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// How much depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// Key of who owns it; short for a relationship `owned_by`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<CiKey>,
    /// Attributes, typed by the class. A quantity is written `{"value": 60, "unit": "GiB"}`;
    /// `null` says that there is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "attributes")]
    pub attributes: BTreeMap<Symbol, Json>,
}

/// Whether a relationship can take all of its dependent or only a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrengthName {
    /// All of it.
    Hard,
    /// At most the share `cap`.
    Soft,
}

/// A relationship.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipLine {
    /// The kind, from the registry of kinds.
    pub kind: Symbol,
    /// Key of what needs.
    pub dependent: CiKey,
    /// Key of what is needed.
    pub dependency: CiKey,
    /// Hard (the meaning when absent), or soft with `cap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<StrengthName>,
    /// The largest loss it can cause, above 0 and below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub cap: Option<f64>,
    /// `declared` (the meaning when absent) or `observed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// How sure the source is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: Option<f64>,
    /// What kind of evidence it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Symbol>,
    /// The source's own words for the type of relationship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<Symbol>,
    /// Further attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "attributes")]
    pub attributes: BTreeMap<Symbol, Json>,
}

/// How the members of a need combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// Every member is needed.
    All,
    /// One member is enough.
    Any,
    /// At least `k` members are needed.
    AtLeast,
    /// At least `percent` of the members are needed.
    Percent,
    /// Members have `weights`; what is still up must reach `threshold`.
    Weight,
    /// Members have `capacities` in `unit`; they share the `demand`.
    Share,
}

/// A need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedLine {
    /// Key of what needs.
    pub dependent: CiKey,
    /// Its name, unique among the needs of the dependent.
    pub name: Arc<str>,
    /// How the members combine. When absent, the class of the dependent decides, and where it
    /// does not, all members are taken to be needed with a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// Keys of what is needed, each once. Unknown ones become flagged placeholders.
    #[schemars(length(min = 1))]
    pub members: Vec<CiKey>,
    /// Rule `at_least`: members that must be up, 1 to the number of members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub k: Option<u32>,
    /// Rule `percent`: share of the members that must be up, in whole percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub percent: Option<u32>,
    /// Rule `weight`: one weight above 0 for each member, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// Rule `weight`: the weight that must be up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Rule `share`: one capacity above 0 for each member, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacities: Option<Vec<f64>>,
    /// Rule `share`: unit of capacities and demand, one of the known units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Rule `share`: demand on the need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<f64>,
    /// Extension: says outright that nobody stated the rule. Stands instead of `rule`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// Extension: for a count nobody is sure of, the counts it could be, each from 1 to the number
    /// of members. Analyses then answer for each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub possible_counts: Vec<u32>,
    /// Extension: keys of those members whose membership is doubtful. Analyses then answer with
    /// and without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubtful: Vec<CiKey>,
    /// Kind of the relationship to each member; `depends_on` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Symbol>,
    /// The largest loss it can cause, above 0 and below 1; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub cap: Option<f64>,
    /// Who judged the cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<Arc<str>>,
    /// When the cap was judged, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<DateTime<Utc>>,
    /// When it matters: `run` (the meaning when absent), `start` or `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// `declared` (the meaning when absent) or `observed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// How sure the source is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: Option<f64>,
    /// The fraction, 0 to 1, of what fails one member that fails all of them, and is drawn nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub common_cause: Option<f64>,
    /// What kind of evidence it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Symbol>,
}

/// Something that has gone: exactly one of `key`, `relationship` and `need`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawLine {
    /// Key of a configuration item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CiKey>,
    /// A relationship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<WithdrawnRelationship>,
    /// A need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<WithdrawnNeed>,
    /// Why, in the source's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

/// A relationship that has gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnRelationship {
    /// Its kind.
    pub kind: Symbol,
    /// Key of what needed.
    pub dependent: CiKey,
    /// Key of what was needed.
    pub dependency: CiKey,
}

/// A need that has gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnNeed {
    /// Key of what needed.
    pub dependent: CiKey,
    /// The name of the need.
    pub name: Arc<str>,
}

/// Attributes, each given once: a JSON reader would otherwise keep the last one silently.
fn attributes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Symbol, Json>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = BTreeMap<Symbol, Json>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("attributes by name")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut attributes = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<Symbol, Json>()? {
                if let Some(already) = attributes.insert(name.clone(), value) {
                    return Err(serde::de::Error::custom(format!(
                        "the attribute `{name}` is given twice, first as {already}"
                    )));
                }
            }
            Ok(attributes)
        }
    }
    deserializer.deserialize_map(Visitor)
}

/// The JSON Schema of a line, as published in `schema/batch-line.schema.json`.
#[must_use]
pub fn schema() -> Json {
    let mut schema = schemars::schema_for!(Line).to_value();
    if let Some(fields) = schema.as_object_mut() {
        let about = "One line of a Keelson batch. The first line is the header; the others come in any order.";
        fields.insert("description".to_owned(), Json::from(about));
    }
    schema
}
