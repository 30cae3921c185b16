//! The demonstration estate as it is built in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/", $name)))),*]
    };
}

const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/estate.toml"));

const FILES: &[(&str, &[u8])] = files![
    "anchors.ndjson",
    "aws-production.tfstate",
    "backstage/apis.yaml",
    "backstage/catalog-info.yaml",
    "backstage/components.yaml",
    "backstage/organisation.yaml",
    "backstage/resources.yaml",
    "backstage/systems.yaml",
    "experience.ndjson",
    "facilities.ndjson",
    "google-insight.tfstate",
    "kelder-hall.ndjson",
    "kubernetes-tarn-eu1.json",
    "organisation.ndjson",
    "planning.ndjson",
    "services.ndjson",
    "sightings.ndjson",
    "suppliers.ndjson",
];

/// The estate: its sources in the order they are imported, and questions with their answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Estate {
    pub(crate) title: String,
    #[serde(rename = "source")]
    pub(crate) sources: Vec<Source>,
    #[serde(rename = "assessment")]
    pub(crate) assessments: Vec<Assessment>,
}

/// One source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) importer: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) scope: Option<String>,
    pub(crate) files: Vec<String>,
    pub(crate) complete: bool,
    pub(crate) observed_at: DateTime<Utc>,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

/// A question with its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assessment {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) why: String,
    #[expect(dead_code, reason = "the answer in words, for readers of the file")]
    pub(crate) expected: Vec<String>,
    pub(crate) breached: Vec<String>,
    pub(crate) degraded: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "checked by the tests"))]
    pub(crate) possible: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "checked by the tests"))]
    pub(crate) protected: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "checked by the tests"))]
    pub(crate) touched: usize,
    #[cfg_attr(not(test), expect(dead_code, reason = "checked by the tests"))]
    pub(crate) lost: usize,
}

/// What is lost in a question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    pub(crate) key: String,
    pub(crate) loss: f64,
}

impl Estate {
    /// Reads the built-in manifest.
    pub(crate) fn built_in() -> anyhow::Result<Self> {
        Ok(toml::from_str(MANIFEST)?)
    }
}

/// The content of one of the estate's files.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}
