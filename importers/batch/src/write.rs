//! Writing batches in Keelson's own form.

use std::collections::HashMap;
use std::io::{self, Write};

use keelson_model::{
    Basis, Batch, CiKey, CiRef, NeedObservation, Observation, RelationshipObservation, Removal, RemovalTarget, Rule,
    SourceKey, Strength,
};
use thiserror::Error;

use crate::line::{
    CiLine, FORMAT, Header, Line, NeedLine, RelationshipLine, RuleName, StrengthName, WithdrawLine, WithdrawnNeed,
    WithdrawnRelationship,
};
use crate::understand::DEFAULT_NEED_KIND;

/// Why a batch cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The writer failed.
    #[error("failed to write the batch: {0}")]
    Io(#[from] io::Error),
    /// The form names configuration items by their key, and this one has none.
    #[error("'{source_key}' has no key of the catalogue, so nothing can refer to it in the batch form")]
    NoKey {
        /// What its source calls it.
        source_key: String,
    },
}

/// Writes one line and its line end.
///
/// # Errors
/// Fails when the writer does.
pub fn line(mut writer: impl Write, line: &Line) -> Result<(), WriteError> {
    serde_json::to_writer(&mut writer, line).map_err(io::Error::from)?;
    writer.write_all(b"\n")?;
    Ok(())
}

/// Writes a whole batch: header, configuration items, relationships, needs, withdrawals.
///
/// Reading it back gives the same batch but for positions, payloads, findings and the importer.
///
/// # Errors
/// Fails when the writer does, or when something has no key of the catalogue.
pub fn batch(mut writer: impl Write, batch: &Batch) -> Result<(), WriteError> {
    let keys = Keys::of(batch);
    line(&mut writer, &Line::Batch(header(batch)))?;
    for observation in &batch.observations {
        line(&mut writer, &Line::Ci(ci(observation)?))?;
    }
    for relationship in &batch.relationships {
        line(&mut writer, &Line::Relationship(keys.relationship(relationship)?))?;
    }
    for need in &batch.needs {
        line(&mut writer, &Line::Need(keys.need(need)?))?;
    }
    for removal in &batch.removals {
        line(&mut writer, &Line::Withdraw(keys.withdraw(removal)?))?;
    }
    Ok(())
}

fn header(batch: &Batch) -> Header {
    Header {
        format: FORMAT.to_owned(),
        source: batch.source.clone(),
        scope: Some(batch.scope.as_str().to_owned()),
        complete: Some(batch.is_complete()),
        observed_at: Some(batch.observed_at),
        cursor: batch.cursor.clone(),
    }
}

fn ci(observation: &Observation) -> Result<CiLine, WriteError> {
    let no_key = || WriteError::NoKey { source_key: observation.source_key.to_string() };
    let key = observation.key.clone().ok_or_else(no_key)?;
    let external_id = (observation.source_key.as_str() != key.as_str()).then(|| observation.source_key.clone());
    Ok(CiLine {
        key,
        class: observation.class.clone(),
        name: observation.name.clone(),
        external_id,
        native_id: observation.native_id.clone(),
        native_version: observation.native_version,
        lifecycle: observation.lifecycle,
        criticality: observation.criticality,
        // Written as the relationship it is short for.
        owner: None,
        attributes: observation.attributes.clone(),
    })
}

impl NeedLine {
    /// A line for a need of these members with this rule; `None` where nobody stated the rule.
    #[must_use]
    pub fn new(dependent: CiKey, name: &str, rule: Option<&Rule>, members: Vec<CiKey>) -> Self {
        let mut line = Self {
            dependent,
            name: name.into(),
            rule: None,
            members,
            k: None,
            percent: None,
            weights: None,
            threshold: None,
            capacities: None,
            unit: None,
            demand: None,
            assumed: false,
            possible_counts: Vec::new(),
            doubtful: Vec::new(),
            kind: None,
            cap: None,
            judged_by: None,
            judged_at: None,
            phase: None,
            basis: None,
            confidence: None,
            common_cause: None,
            evidence: None,
        };
        match rule {
            None => {}
            Some(Rule::All) => line.rule = Some(RuleName::All),
            Some(Rule::Any) => line.rule = Some(RuleName::Any),
            Some(Rule::AtLeast { k }) => (line.rule, line.k) = (Some(RuleName::AtLeast), Some(*k)),
            Some(Rule::Percent { percent }) => {
                (line.rule, line.percent) = (Some(RuleName::Percent), Some(*percent));
            }
            Some(Rule::Weight { weights, threshold }) => {
                line.rule = Some(RuleName::Weight);
                (line.weights, line.threshold) = (Some(weights.clone()), Some(*threshold));
            }
            Some(Rule::Share { capacities, unit, demand }) => {
                line.rule = Some(RuleName::Share);
                line.capacities = Some(capacities.clone());
                (line.unit, line.demand) = (Some(unit.clone()), *demand);
            }
        }
        line
    }
}

/// The keys of what a batch describes, by source key.
struct Keys<'a>(HashMap<&'a SourceKey, &'a CiKey>);

impl<'a> Keys<'a> {
    fn of(batch: &'a Batch) -> Self {
        let described = batch.observations.iter();
        Self(described.filter_map(|o| o.key.as_ref().map(|key| (&o.source_key, key))).collect())
    }

    fn key(&self, ci: &CiRef) -> Result<CiKey, WriteError> {
        match ci {
            CiRef::Catalogue(key) => Ok(key.clone()),
            CiRef::Source { key, .. } => {
                let known = self.0.get(key).map(|key| (*key).clone());
                known.ok_or_else(|| WriteError::NoKey { source_key: key.to_string() })
            }
        }
    }

    fn relationship(&self, relationship: &RelationshipObservation) -> Result<RelationshipLine, WriteError> {
        let (strength, cap) = match relationship.strength {
            None => (None, None),
            Some(Strength::Hard) => (Some(StrengthName::Hard), None),
            Some(Strength::Soft { cap }) => (Some(StrengthName::Soft), Some(cap)),
        };
        Ok(RelationshipLine {
            kind: relationship.kind.clone(),
            dependent: self.key(&relationship.dependent)?,
            dependency: self.key(&relationship.dependency)?,
            strength,
            cap,
            basis: said(relationship.basis),
            confidence: relationship.confidence,
            evidence: relationship.evidence.clone(),
            source_type: relationship.source_type.clone(),
            attributes: relationship.attributes.clone(),
        })
    }

    fn need(&self, need: &NeedObservation) -> Result<NeedLine, WriteError> {
        let members = need.members.iter().map(|member| self.key(&member.ci)).collect::<Result<_, _>>()?;
        let doubtful = need.members.iter().filter(|member| member.doubtful);
        let mut line = NeedLine::new(self.key(&need.dependent)?, &need.name, need.rule.as_ref(), members);
        line.doubtful = doubtful.map(|member| self.key(&member.ci)).collect::<Result<_, _>>()?;
        line.possible_counts.clone_from(&need.possible_counts);
        line.kind = (need.kind != DEFAULT_NEED_KIND).then(|| need.kind.clone());
        if let Some(cap) = &need.cap {
            (line.cap, line.judged_by, line.judged_at) = (Some(cap.limit), cap.judged_by.clone(), cap.judged_at);
        }
        line.phase = (need.phase != keelson_model::Phase::default()).then_some(need.phase);
        line.basis = said(need.basis);
        line.confidence = need.confidence;
        line.common_cause = need.common_cause;
        line.evidence.clone_from(&need.evidence);
        Ok(line)
    }

    fn withdraw(&self, removal: &Removal) -> Result<WithdrawLine, WriteError> {
        let mut line = WithdrawLine { reason: removal.reason.clone(), ..WithdrawLine::default() };
        match &removal.target {
            RemovalTarget::Ci(ci) => line.key = Some(self.key(ci)?),
            RemovalTarget::Relationship { kind, dependent, dependency } => {
                line.relationship = Some(WithdrawnRelationship {
                    kind: kind.clone(),
                    dependent: self.key(dependent)?,
                    dependency: self.key(dependency)?,
                });
            }
            RemovalTarget::Need { dependent, name } => {
                line.need = Some(WithdrawnNeed { dependent: self.key(dependent)?, name: name.clone() });
            }
        }
        Ok(line)
    }
}

/// Declared goes without saying.
fn said(basis: Basis) -> Option<Basis> {
    (basis != Basis::Declared).then_some(basis)
}
