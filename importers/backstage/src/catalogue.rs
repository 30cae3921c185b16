//! The entities of all files together: one batch in the making.

use std::collections::{HashMap, HashSet};

use keelson_importer::{redaction, rows};
use keelson_model::{
    CiKey, CiRef, Finding, FindingCode, Observation, Position, RelationshipObservation, Severity, SourceKey, Symbol,
};
use serde_json::Value as Json;

use crate::entity::{self, Content, Identity, Place, Refusal};
use crate::reference::{EntityRef, NoReference};
use crate::table::{self, End, Relation};

/// What the documents said.
#[derive(Default)]
pub(crate) struct Catalogue {
    pub(crate) observations: Vec<Observation>,
    pub(crate) relationships: Vec<RelationshipObservation>,
    pub(crate) findings: Vec<Finding>,
    /// How every entity was first spelled, and where.
    spelled: HashMap<String, (String, Position)>,
    misspelled: HashSet<(String, String)>,
    /// Keys of the catalogue that entities claim.
    claimed: HashMap<CiKey, SourceKey>,
    /// What an entity said where it can say only one thing.
    said_once: HashMap<(SourceKey, &'static str), (String, Position)>,
}

/// The entity whose relationships are being read.
struct Stating<'a> {
    key: &'a SourceKey,
    class: &'a str,
    namespace: &'a str,
}

impl Catalogue {
    /// Takes one document, or one entity of an answer. Secrets are taken out of it in place; what
    /// is not an entity is left out of the payload as well, because nobody knows what it holds.
    pub(crate) fn take(&mut self, value: &mut Json, place: &Place<'_>, row_bytes: usize) {
        let refusal = match entity::recognise(value) {
            Ok(Content::Entity) => {
                for pointer in redaction::redact(value, &[]) {
                    let finding = Finding::new(FindingCode::Redacted, place.at(&pointer), "a secret was left out");
                    self.findings.push(finding);
                }
                self.take_entity(value, place, row_bytes).err()
            }
            Ok(Content::Foreign { api_version, kind }) => {
                let message = format!("a document of {api_version} {kind} is no entity of the catalogue; passed over");
                let finding = Finding::new(FindingCode::UnknownClass, place.at(""), message);
                self.findings.push(finding.with_severity(Severity::Info));
                *value = serde_json::json!({"passed_over": {"apiVersion": api_version, "kind": kind}});
                None
            }
            Err(refusal) => {
                *value = serde_json::json!({"refused": refusal.reason});
                Some(refusal)
            }
        };
        if let Some(refusal) = refusal {
            let message = format!("{}; it is left out", refusal.reason);
            self.findings.push(Finding::new(refusal.code, place.at(refusal.pointer), message));
        }
    }

    fn take_entity(&mut self, entity: &Json, place: &Place<'_>, row_bytes: usize) -> Result<(), Refusal> {
        let refuse = |code, pointer, reason: String| Refusal { code, pointer, reason };
        let bytes = entity.to_string().len();
        if bytes > row_bytes {
            let reason = format!("the entity has {bytes} bytes, but at most {row_bytes} are read");
            return Err(refuse(FindingCode::LimitExceeded, "", reason));
        }
        let identity = entity::identity(entity, place)?;
        let key = identity.reference.key();
        let mut trouble = Vec::new();
        let Some(source_key) = rows::source_key(&key, &place.at("/metadata/name"), &mut trouble) else {
            let first = trouble.pop();
            let (code, reason) = first.map_or((FindingCode::MalformedRow, key), |f| (f.code, f.message));
            return Err(refuse(code, "/metadata/name", reason));
        };
        let of_type = entity.pointer("/spec/type").and_then(Json::as_str);
        let (class, unknown) = entity::class(&identity.reference.kind, of_type);
        let observation = entity::observe(entity, place, &identity, source_key.clone(), class)?;
        self.claim(&observation)?;
        if let Some(pointer) = unknown {
            self.report_unknown(pointer, class, &identity, of_type, place);
        }
        self.note_spelling(&identity.reference, &place.at("/metadata/name"));
        self.observations.push(observation);
        self.relate(entity, place, &Stating { key: &source_key, class, namespace: &identity.namespace }, &identity);
        Ok(())
    }

    /// A key of the catalogue belongs to one entity.
    fn claim(&mut self, observation: &Observation) -> Result<(), Refusal> {
        let Some(key) = &observation.key else { return Ok(()) };
        let holder = self.claimed.entry(key.clone()).or_insert_with(|| observation.source_key.clone());
        if *holder == observation.source_key {
            return Ok(());
        }
        let reason = format!("the key '{key}' is already claimed by '{holder}'");
        let pointer = "/metadata/annotations/keelson~1key";
        Err(Refusal { code: FindingCode::AmbiguousIdentity, pointer, reason })
    }

    /// Says that the tables do not know a kind or type. The entity stays, as what it surely is.
    fn report_unknown(
        &mut self,
        pointer: &str,
        class: &str,
        identity: &Identity,
        of_type: Option<&str>,
        place: &Place<'_>,
    ) {
        let (what, severity) = match (pointer, of_type) {
            ("/spec/type", Some(of_type)) => (format!("type '{of_type}'"), Severity::Info),
            _ => (format!("kind '{}'", identity.reference.kind), Severity::Warning),
        };
        let message = format!("the {what} has no class of its own here; it is taken as {class}");
        let finding = Finding::new(FindingCode::UnknownClass, place.at(pointer), message);
        self.findings.push(finding.about(identity.reference.key()).with_severity(severity));
    }

    /// Reports the first use of every spelling that differs from the first one in case only.
    fn note_spelling(&mut self, reference: &EntityRef, position: &Position) {
        let key = reference.key();
        let Some((first, at)) = self.spelled.get(&key) else {
            self.spelled.insert(key, (reference.spelled.clone(), position.clone()));
            return;
        };
        if *first == reference.spelled || !self.misspelled.insert((key.clone(), reference.spelled.clone())) {
            return;
        }
        let message = format!("'{}' and '{first}' (at {at}) differ in case only; they are one", reference.spelled);
        let finding = Finding::new(FindingCode::CaseOnlyDifference, position.clone(), message);
        self.findings.push(finding.about(key));
    }

    /// Reads every relationship an entity states.
    fn relate(&mut self, entity: &Json, place: &Place<'_>, stating: &Stating<'_>, identity: &Identity) {
        for relation in table::SPEC {
            let applies =
                relation.stated_in.is_empty() || relation.stated_in.contains(&identity.reference.kind.as_str());
            let Some(value) = entity.get("spec").and_then(|spec| spec.get(relation.stated_as)).filter(|_| applies)
            else {
                continue;
            };
            let pointer = format!("/spec/{}", relation.stated_as);
            match value {
                Json::Array(targets) => {
                    for (index, target) in targets.iter().enumerate() {
                        self.state(relation, target, place, &format!("{pointer}/{index}"), stating);
                    }
                }
                // A list that is not there; a single value that is not there was forgotten.
                Json::Null if !relation.single => {}
                target => self.state(relation, target, place, &pointer, stating),
            }
        }
        for (index, row) in entity.get("relations").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("/relations/{index}");
            let stated_as = row.get("type").and_then(Json::as_str).unwrap_or_default();
            match table::RELATIONS.iter().find(|relation| relation.stated_as == stated_as) {
                Some(relation) => {
                    // The shape up to 2022 was a mapping under `target`.
                    let field = if row.get("targetRef").is_some() { "targetRef" } else { "target" };
                    let target = row.get(field).unwrap_or(&Json::Null);
                    self.state(relation, target, place, &format!("{pointer}/{field}"), stating);
                }
                None => {
                    let message = format!("the relation type '{stated_as}' has no direction here; it is left out");
                    let finding = Finding::new(FindingCode::UnknownRelationType, place.at(&pointer), message);
                    self.findings.push(finding.about(stating.key.as_str()).in_field("relations"));
                }
            }
        }
    }

    /// Takes one row: the stating entity and one other.
    fn state(
        &mut self,
        relation: &'static Relation,
        target: &Json,
        place: &Place<'_>,
        at: &str,
        stating: &Stating<'_>,
    ) {
        let position = place.at(at);
        let read = match target {
            Json::Object(_) => EntityRef::of_parts(target, relation.target, stating.namespace),
            Json::Null => Err(NoReference::Null),
            Json::String(_) | Json::Number(_) => {
                let text = place.text(target, at).unwrap_or_default();
                EntityRef::parse(&text, relation.target, stating.namespace)
            }
            Json::Bool(_) | Json::Array(_) => {
                Err(NoReference::Malformed("a reference is a text such as component:default/name".to_owned()))
            }
        };
        let (code, message) = match read {
            Ok(reference) => return self.add(relation, &reference, position, stating),
            Err(NoReference::Null) => {
                (FindingCode::NullTarget, format!("'{}' names nothing in this row", relation.stated_as))
            }
            Err(NoReference::Malformed(reason)) => {
                (FindingCode::MalformedRow, format!("{reason}; the row is left out"))
            }
        };
        let finding = Finding::new(code, position, message);
        self.findings.push(finding.about(stating.key.as_str()).in_field(relation.stated_as));
    }

    fn add(&mut self, relation: &'static Relation, reference: &EntityRef, position: Position, stating: &Stating<'_>) {
        let other = reference.key();
        let Some(key) = rows::source_key(&other, &position, &mut self.findings) else { return };
        if relation.single && !self.says_the_same(relation, &other, &position, stating) {
            return;
        }
        self.note_spelling(reference, &position);
        let class = table::kind(&reference.kind).map(|kind| Symbol::new(kind.referred));
        let name = reference.spelled.rsplit('/').next().map(Into::into);
        let other = CiRef::Source { key, class, name };
        let this = CiRef::of_class(stating.key.clone(), stating.class);
        let (dependent, dependency) = match relation.stated_by {
            End::Dependent => (this, other),
            End::Dependency => (other, this),
        };
        let mut observed = RelationshipObservation::new(relation.kind, dependent, dependency, position);
        observed.evidence = Some(Symbol::new(relation.stated_by.evidence()));
        observed.source_type = Some(Symbol::new(relation.stated_as));
        self.relationships.push(observed);
    }

    /// Whether this is what the entity's earlier documents said, if there were any.
    fn says_the_same(
        &mut self,
        relation: &'static Relation,
        other: &str,
        position: &Position,
        stating: &Stating<'_>,
    ) -> bool {
        let said = (stating.key.clone(), relation.stated_as);
        let (kept, at) = self.said_once.entry(said).or_insert_with(|| (other.to_owned(), position.clone()));
        if *kept == other {
            return true;
        }
        let message = format!("'{}' is '{kept}' at {at}, which is kept; '{other}' is left out", relation.stated_as);
        let finding = Finding::new(FindingCode::DuplicateConflict, position.clone(), message);
        let finding = finding.about(stating.key.as_str()).in_field(relation.stated_as);
        self.findings.push(finding.with_severity(Severity::Warning));
        false
    }
}
