//! Putting the lines of one file together into a batch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::sync::Arc;

use keelson_importer::redaction;
use keelson_model::{
    Batch, CiKey, CiRef, Completeness, Finding, FindingCode, NeedObservation, Observation, OnError, Payload, Position,
    RelationshipObservation, RemovalTarget, Severity, SourceKey, Symbol,
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::line::Line;
use crate::refusal::{self, Refusal};
use crate::understand;

/// A batch in the making.
pub(crate) struct Assembly {
    batch: Batch,
    /// Deepest nesting of an attribute.
    nesting: usize,
    content: Vec<u8>,
    by_key: HashMap<CiKey, usize>,
    by_source_key: HashMap<SourceKey, usize>,
    relationships: HashMap<(Symbol, CiRef, CiRef), usize>,
    needs: HashMap<(CiRef, Arc<str>), usize>,
    /// Whether attributes of a name are secret; names repeat in every line.
    secret_names: HashMap<Symbol, bool>,
}

impl Assembly {
    pub(crate) fn new(batch: Batch, header: &[u8], nesting: usize) -> Self {
        let mut assembly = Self {
            batch,
            nesting,
            content: Vec::new(),
            by_key: HashMap::new(),
            by_source_key: HashMap::new(),
            relationships: HashMap::new(),
            needs: HashMap::new(),
            secret_names: HashMap::new(),
        };
        assembly.keep(header);
        assembly
    }

    fn keep(&mut self, line: &[u8]) {
        self.content.extend_from_slice(line);
        self.content.push(b'\n');
    }

    /// Takes one line behind the header.
    pub(crate) fn take(&mut self, bytes: &[u8], position: Position) {
        match refusal::decode(bytes) {
            Err(refusal) => {
                self.refuse(refusal, position);
                // What a line that cannot be read may hold, nobody knows; its digest stands for it.
                let mut stand_in = "{\"refused\":\"".to_owned();
                for byte in Sha256::digest(bytes) {
                    let _ = write!(stand_in, "{byte:02x}");
                }
                self.keep((stand_in + "\"}").as_bytes());
            }
            Ok(mut line) => {
                if self.redact(&mut line, &position) {
                    let redacted = serde_json::to_vec(&line).unwrap_or_default();
                    self.keep(&redacted);
                } else {
                    self.keep(bytes);
                }
                if let Err(refusal) = self.add(line, &position) {
                    self.refuse(refusal, position);
                }
            }
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal, position: Position) {
        self.batch.findings.push(refusal.into_finding(position));
    }

    fn add(&mut self, line: Line, position: &Position) -> Result<(), Refusal> {
        match line {
            Line::Batch(_) => {
                let message = "a file has one header, and it is the first line";
                Err(Refusal::malformed("batch", message))
            }
            Line::Ci(line) => {
                self.check_nesting("ci/attributes", line.attributes.values())?;
                let (observation, owner) = understand::ci(line, position)?;
                self.add_ci(observation)?;
                owner.map_or(Ok(()), |owner| self.add_relationship(owner))
            }
            Line::Relationship(line) => {
                self.check_nesting("relationship/attributes", line.attributes.values())?;
                self.add_relationship(understand::relationship(line, position.clone())?)
            }
            Line::Need(line) => self.add_need(understand::need(line, position.clone())?),
            Line::Withdraw(line) => {
                if self.batch.is_complete() {
                    let message = "a complete batch withdraws by leaving out; say complete: false to withdraw by name";
                    return Err(Refusal::malformed("withdraw", message));
                }
                let removal = understand::withdraw(line, position.clone())?;
                self.batch.removals.push(removal);
                Ok(())
            }
        }
    }

    fn add_ci(&mut self, observation: Observation) -> Result<(), Refusal> {
        let known = observation.key.as_ref().and_then(|key| self.by_key.get(key));
        let (at, field) = match (known, self.by_source_key.get(&observation.source_key)) {
            (Some(at), _) => (*at, "ci/key"),
            (None, Some(at)) => (*at, "ci/external_id"),
            (None, None) => {
                let at = self.batch.observations.len();
                self.by_source_key.insert(observation.source_key.clone(), at);
                self.by_key.extend(observation.key.clone().map(|key| (key, at)));
                self.batch.observations.push(observation);
                return Ok(());
            }
        };
        let earlier = &self.batch.observations[at];
        let name = if field == "ci/key" { observation.key.as_deref() } else { Some(observation.source_key.as_str()) };
        let what = format!("'{}'", name.unwrap_or_default());
        let position = observation.position.clone();
        let same = Observation { position: earlier.position.clone(), ..observation } == *earlier;
        let earlier = earlier.position.clone();
        self.again(same, &what, field, position, &earlier)
    }

    fn add_relationship(&mut self, relationship: RelationshipObservation) -> Result<(), Refusal> {
        let identity = (relationship.kind.clone(), relationship.dependent.clone(), relationship.dependency.clone());
        let at = match self.relationships.entry(identity) {
            Entry::Vacant(free) => {
                free.insert(self.batch.relationships.len());
                self.batch.relationships.push(relationship);
                return Ok(());
            }
            Entry::Occupied(known) => *known.get(),
        };
        let earlier = &self.batch.relationships[at];
        let (dependent, dependency) = (relationship.dependent.as_str(), relationship.dependency.as_str());
        let what = format!("the relationship '{dependent}' {} '{dependency}'", relationship.kind);
        let position = relationship.position.clone();
        let same = RelationshipObservation { position: earlier.position.clone(), ..relationship } == *earlier;
        let earlier = earlier.position.clone();
        self.again(same, &what, "relationship", position, &earlier)
    }

    fn add_need(&mut self, need: NeedObservation) -> Result<(), Refusal> {
        let at = match self.needs.entry((need.dependent.clone(), Arc::clone(&need.name))) {
            Entry::Vacant(free) => {
                free.insert(self.batch.needs.len());
                self.batch.needs.push(need);
                return Ok(());
            }
            Entry::Occupied(known) => *known.get(),
        };
        let earlier = &self.batch.needs[at];
        let what = format!("the need '{}' of '{}'", need.name, need.dependent.as_str());
        let position = need.position.clone();
        let same = NeedObservation { position: earlier.position.clone(), ..need } == *earlier;
        let earlier = earlier.position.clone();
        self.again(same, &what, "need/name", position, &earlier)
    }

    /// What is said a second time is noted when it is the same, and refused when it differs.
    fn again(
        &mut self,
        same: bool,
        what: &str,
        field: &str,
        position: Position,
        earlier: &Position,
    ) -> Result<(), Refusal> {
        if !same {
            let message = format!("{what} is given with other content than at {earlier}; keep one of them");
            return Err(Refusal::malformed(field, message).with_code(FindingCode::DuplicateConflict));
        }
        let message = format!("{what} is given again with the same content as at {earlier}");
        self.batch.findings.push(Finding::new(FindingCode::Duplicate, position, message).in_field(field));
        Ok(())
    }

    /// Takes secrets out of the attributes of a line; says whether there were any.
    fn redact(&mut self, line: &mut Line, position: &Position) -> bool {
        let (kind, attributes) = match line {
            Line::Ci(line) => ("ci", &mut line.attributes),
            Line::Relationship(line) => ("relationship", &mut line.attributes),
            Line::Batch(_) | Line::Need(_) | Line::Withdraw(_) => return false,
        };
        let mut taken = Vec::new();
        attributes.retain(|name, value| {
            let by_name = match self.secret_names.get(name) {
                Some(secret) => *secret,
                None => {
                    let secret = redaction::is_secret_name(name);
                    self.secret_names.insert(name.clone(), secret);
                    secret
                }
            };
            if by_name && !matches!(value, Json::Null | Json::Bool(_)) {
                taken.push(format!("{kind}/attributes/{name}"));
                return false;
            }
            if matches!(value, Json::Null | Json::Bool(_) | Json::Number(_)) {
                return true;
            }
            let pointers = redaction::redact(value, &[]);
            let whole = pointers.first().is_some_and(String::is_empty);
            taken.extend(pointers.into_iter().map(|pointer| format!("{kind}/attributes/{name}{pointer}")));
            !whole
        });
        for field in &taken {
            let message = "a secret was left out; keep secrets where they belong and refer to them";
            let finding = Finding::new(FindingCode::Redacted, position.clone(), message);
            self.batch.findings.push(finding.in_field(field));
        }
        !taken.is_empty()
    }

    fn check_nesting<'a>(&self, field: &str, values: impl Iterator<Item = &'a Json>) -> Result<(), Refusal> {
        // The two levels of the line itself and the one of the attributes count.
        let mut open: Vec<(&Json, usize)> = values.map(|value| (value, 3)).collect();
        while let Some((value, depth)) = open.pop() {
            let below: &mut dyn Iterator<Item = &Json> = match value {
                Json::Array(items) => &mut items.iter(),
                Json::Object(fields) => &mut fields.values(),
                _ => continue,
            };
            if depth >= self.nesting {
                let message = format!("a value is nested deeper than {} levels", self.nesting);
                return Err(Refusal::malformed(field, message).with_code(FindingCode::LimitExceeded));
            }
            open.extend(below.filter(|value| value.is_array() || value.is_object()).map(|value| (value, depth + 1)));
        }
        Ok(())
    }

    /// The finished batch.
    pub(crate) fn finish(mut self, name: &str) -> Batch {
        keelson_importer::rows::keep_within_limits(&mut self.batch);
        keelson_importer::merge::report_self_loops(&mut self.batch);
        self.refuse_contradictions();
        let refused = self.batch.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        if refused > 0 && self.batch.on_error == OnError::KeepGoing && self.batch.is_complete() {
            // What a refused row described would look as if it had gone.
            self.batch.completeness = Completeness::Delta;
            let message = format!(
                "{refused} rows were refused, so the batch no longer lists everything; nothing is withdrawn by it"
            );
            self.batch.findings.push(Finding::new(FindingCode::TruncatedSource, Position::line(name, 1), message));
        }
        self.batch.payloads.push(Payload::new(name, "application/x-ndjson", self.content));
        self.batch
    }

    /// A batch cannot both describe and withdraw one thing: the withdrawal is refused.
    fn refuse_contradictions(&mut self) {
        let Self { batch, by_key, relationships, needs, .. } = self;
        let findings = &mut batch.findings;
        batch.removals.retain(|removal| {
            let described = match &removal.target {
                RemovalTarget::Ci(CiRef::Catalogue(key)) => by_key.contains_key(key),
                RemovalTarget::Ci(CiRef::Source { .. }) => false,
                RemovalTarget::Relationship { kind, dependent, dependency } => {
                    relationships.contains_key(&(kind.clone(), dependent.clone(), dependency.clone()))
                }
                RemovalTarget::Need { dependent, name } => needs.contains_key(&(dependent.clone(), Arc::clone(name))),
            };
            if described {
                let message = "the batch both describes and withdraws it; keep one of them";
                let refusal = Refusal::malformed("withdraw", message);
                findings.push(refusal.into_finding(removal.position.clone()));
            }
            !described
        });
    }
}
