//! What the objects say, sorted by the kind it belongs to, on its way to one or several batches.

use std::collections::BTreeMap;

use keelson_model::{Finding, NeedObservation, Observation, RelationshipObservation};

use crate::object::Header;
use crate::table;

/// The kind of object that something is said about, in the order of the table of kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Section {
    order: usize,
    /// The kind with its group.
    pub(crate) kind: String,
}

impl Section {
    pub(crate) fn of(header: &Header) -> Self {
        let order = table::KINDS.iter().position(|kind| header.row() == Some(kind)).unwrap_or(table::KINDS.len());
        Self { order, kind: header.kind_in_group() }
    }

    /// The section of a kind of the table.
    pub(crate) fn named(kind: &str) -> Self {
        let row = table::named(kind);
        Self::of(&Header::new(row.groups[0], row.name, None, "", ""))
    }
}

/// What is said about the objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) observations: Vec<Observation>,
    pub(crate) relationships: Vec<RelationshipObservation>,
    pub(crate) needs: Vec<NeedObservation>,
    pub(crate) findings: Vec<Finding>,
}

impl Content {
    /// Takes in what another one says.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.observations.append(&mut other.observations);
        self.relationships.append(&mut other.relationships);
        self.needs.append(&mut other.needs);
        self.findings.append(&mut other.findings);
    }
}

/// Everything that is said.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) sections: BTreeMap<Section, Content>,
    /// Findings about files as a whole.
    pub(crate) findings: Vec<Finding>,
}

impl Draft {
    pub(crate) fn section(&mut self, section: &Section) -> &mut Content {
        self.sections.entry(section.clone()).or_default()
    }
}
