//! What an operator may set: guard, precedence, intervals, limits.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use keelson_model::value::{MAX_ATTRIBUTES, MAX_VALUE_BYTES};
use keelson_model::{Class, Symbol};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How batches are reconciled. Everything has a default; a file names only what differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Largest share of what a source holds in a scope that one batch may withdraw, in percent.
    pub guard_percent: f64,
    /// Largest share of what a source holds in a scope that one batch may replace by other lifetimes
    /// under the same source keys, in percent. Fewer than ten are always allowed.
    pub replacement_guard_percent: f64,
    /// What is special about single sources.
    pub sources: BTreeMap<Symbol, SourceSettings>,
    /// Whose value wins.
    pub precedence: Precedence,
    /// Beyond these a row is rejected, never cut.
    pub limits: Limits,
    /// Which rows a plan lists.
    pub detail: Detail,
    /// Most rows a plan lists of those that changed something, and again of those that are
    /// problems; the others are counted only.
    pub rows_at_most: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            guard_percent: 5.0,
            replacement_guard_percent: 50.0,
            sources: BTreeMap::new(),
            precedence: Precedence::default(),
            limits: Limits::default(),
            detail: Detail::Changed,
            rows_at_most: 20_000,
        }
    }
}

impl Settings {
    /// The guard of a source, in percent.
    #[must_use]
    pub fn guard(&self, source: &str) -> f64 {
        self.sources.get(source).and_then(|own| own.guard_percent).unwrap_or(self.guard_percent)
    }

    /// The guard of a source against replacement, in percent.
    #[must_use]
    pub fn replacement_guard(&self, source: &str) -> f64 {
        let own = self.sources.get(source).and_then(|own| own.replacement_guard_percent);
        own.unwrap_or(self.replacement_guard_percent)
    }

    /// How long what a source says of an item of a class stays fresh: three of the source's
    /// intervals, or the days the class says where the source declares none.
    #[must_use]
    pub fn fresh_for(&self, source: &str, class: Option<&Class>) -> TimeDelta {
        let declared = self.sources.get(source).and_then(|own| own.interval_minutes);
        match declared {
            Some(minutes) => TimeDelta::minutes(i64::from(minutes) * 3),
            None => TimeDelta::days(class.map_or(60, |class| i64::from(class.stale_after_days))),
        }
    }
}

/// What is special about one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// Its own guard, in percent.
    pub guard_percent: Option<f64>,
    /// Its own guard against replacement, in percent.
    pub replacement_guard_percent: Option<f64>,
    /// How often it is read; what it says is fresh for three of these.
    pub interval_minutes: Option<u32>,
}

/// Whose value wins where sources disagree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Precedence {
    /// Sources from the most to the least trusted. People's own edits come before them unless
    /// `manual` is named here; sources that are not named come after, in order of their names.
    pub sources: Vec<Symbol>,
    /// Exceptions for classes and attributes; the most specific one applies.
    #[serde(rename = "rule")]
    pub rules: Vec<PrecedenceRule>,
}

/// An exception for a class (and the classes below it) or for one attribute of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecedenceRule {
    /// The class.
    pub class: Symbol,
    /// The attribute (or `name`, `lifecycle`, `criticality`); absent: all of them.
    #[serde(default)]
    pub attribute: Option<Symbol>,
    /// How the winner is found.
    #[serde(default)]
    pub strategy: Strategy,
    /// Sources from the most to the least trusted; empty: as everywhere.
    #[serde(default)]
    pub sources: Vec<Symbol>,
}

/// How the winner among several values is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The most trusted source that is fresh.
    #[default]
    Ranked,
    /// The value observed last.
    Latest,
    /// Of lists, all values of all sources; of anything else as `ranked`.
    Union,
    /// What a person says, always; otherwise as `ranked`.
    ManualLock,
}

/// Limits of one batch (rule 10 of the importers).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest name, in characters.
    pub name_characters: usize,
    /// Most attributes of one configuration item.
    pub attributes: usize,
    /// Largest value of one attribute, in bytes.
    pub value_bytes: usize,
    /// Most relationships of one dependent.
    pub relationships_per_ci: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            name_characters: 1_024,
            attributes: MAX_ATTRIBUTES,
            value_bytes: MAX_VALUE_BYTES,
            relationships_per_ci: 100_000,
        }
    }
}

/// Which rows a plan lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Only rows that somebody may have to do something about.
    Problems,
    /// Also rows that change something.
    #[default]
    Changed,
    /// Every row, without limit.
    All,
}
