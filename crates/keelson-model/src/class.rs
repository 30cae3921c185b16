//! CI classes: what kinds of configuration item there are and what is known of each, as data.
//!
//! Classes come from TOML files: the built-in ones of `schema/classes` and those of the user's own
//! folder. [`ClassRegistry::build`] puts them together, checks that the hierarchy holds and lets
//! every class inherit the attributes and identity rules of the classes above it.

mod attribute;
mod registry;

pub use attribute::{AttributeDefinition, AttributeType, ValueError};
pub use registry::{Class, ClassError, ClassRegistry};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Rule, Symbol};

/// The class every other class descends from.
pub const ROOT_CLASS: &str = "configuration-item";

/// One class file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassFile {
    /// The classes the file defines.
    #[serde(default, rename = "class")]
    pub classes: Vec<ClassDefinition>,
    /// Attributes the file adds to classes that another file defines.
    #[serde(default, rename = "extend")]
    pub extensions: Vec<ClassExtension>,
}

/// Attributes of the user's own for a class that is there already.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassExtension {
    /// The class.
    pub class: Symbol,
    /// The attributes added to it, and so to every class below it.
    #[serde(rename = "attribute")]
    pub attributes: Vec<AttributeDefinition>,
}

/// A class as a file writes it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassDefinition {
    /// Unique name, lower case with hyphens: `virtual-machine`.
    pub name: Symbol,
    /// The class above; only `configuration-item` has none.
    #[serde(default, rename = "is_a", skip_serializing_if = "Option::is_none")]
    pub is_a: Option<Symbol>,
    /// Name for people: `Virtual machine`.
    pub title: String,
    /// What belongs to the class, and what does not.
    pub description: String,
    /// Which stages of life its configuration items pass through; inherited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// Attributes this class adds to those of the class above.
    #[serde(default, rename = "attribute", skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeDefinition>,
    /// How two observations are known to be the same configuration item.
    #[serde(default, rename = "identity", skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<IdentityRule>,
    /// The rule of a redundancy need whose source names only its members.
    #[serde(default, rename = "need", skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<NeedRule>,
    /// Days after which an observation is stale; inherited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_days: Option<u32>,
    /// Between what the unavailability of one that states none lies; inherited when absent. Nothing is taken for granted
    /// where no class above states it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailability: Option<UnavailabilityRange>,
}

/// Between what a share of time lies in which something is down.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnavailabilityRange {
    /// At least, from 0 to 1.
    pub low: f64,
    /// At most, from 0 to 1.
    pub high: f64,
}

impl UnavailabilityRange {
    /// Whether its ends are shares of time in order.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (0.0..=1.0).contains(&self.low) && (self.low..=1.0).contains(&self.high)
    }
}

/// Which stages of life a class knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stages {
    /// Pipeline, live, retired.
    Service,
    /// Planned, build, test, live, retired.
    Component,
}

/// A set of attributes that together identify a configuration item of a class.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// Rules are tried in ascending order.
    pub priority: u32,
    /// Attributes that must all be present and equal. `name` stands for the name.
    pub attributes: Vec<Symbol>,
    /// Values that identify nothing, such as `To be filled by O.E.M.`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore_values: Vec<String>,
    /// Kind of a relationship whose dependency must be the same too: identity inside a host,
    /// cluster or database server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<Symbol>,
    /// Whether texts are compared without ASCII case.
    #[serde(default)]
    pub ignore_case: bool,
}

/// The rule that a redundancy need of a class takes when its source does not say.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NeedRule {
    /// Class of the members, or a class above theirs.
    pub members: Symbol,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}
