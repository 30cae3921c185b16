//! Findings of one planning, each said once.

use std::collections::{BTreeMap, HashSet};

use keelson_model::{Finding, FindingCode, Position, Severity, Symbol};

/// Findings of one planning.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) findings: Vec<Finding>,
    /// What the importer (or an earlier row) already said of a key.
    said: HashSet<(FindingCode, String)>,
    /// Attributes no class defines: how often, and where first.
    unmodelled: BTreeMap<(Symbol, Symbol), (u64, Position)>,
}

impl Notes {
    /// Starts with what the importer noticed.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let said = findings
            .iter()
            .filter(|finding| matches!(finding.code, FindingCode::MissingTarget | FindingCode::SelfLoop))
            .filter_map(|finding| Some((finding.code, finding.key.clone()?)))
            .collect();
        Self { findings: findings.to_vec(), said, unmodelled: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds a finding unless the same was already said of the key.
    pub(crate) fn add_once(&mut self, code: FindingCode, position: &Position, key: &str, message: String) {
        if self.said.insert((code, key.to_owned())) {
            self.findings.push(Finding::new(code, position.clone(), message).about(key));
        }
    }

    pub(crate) fn unmodelled(&mut self, class: &Symbol, attribute: &Symbol, position: &Position) {
        let entry = self.unmodelled.entry((class.clone(), attribute.clone())).or_insert((0, position.clone()));
        entry.0 += 1;
    }

    /// Everything noticed: attributes nobody defined are told once per class and attribute, with
    /// their number, because a source repeats them in every row.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        for ((class, attribute), (count, position)) in self.unmodelled {
            let message = format!(
                "the class '{class}' has no attribute '{attribute}'; kept as it is, not interpreted ({count} rows)"
            );
            let finding = Finding::new(FindingCode::UnmodelledAttribute, position, message);
            self.findings.push(finding.in_field(attribute.as_str()));
        }
        self.findings
    }

    /// The first finding that stops a strict batch.
    pub(crate) fn first_error(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.severity == Severity::Error)
    }
}
