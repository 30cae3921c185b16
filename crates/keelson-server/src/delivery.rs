//! Batches on their way to a server: what an importer read elsewhere, in the form of the model.
//!
//! The types of the model are described a second time here, because their form on the wire is an
//! agreement between two versions of this program and nobody else's: [`Delivery`] is what
//! `keelson import --server` sends. Others send the batch format, which is documented and stable.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{
    Basis, Batch, Cap, CiKey, CiRef, Completeness, Criticality, Finding, ImporterVersion, Lifecycle, MemberObservation,
    NeedObservation, Observation, OnError, Payload, Phase, Position, RelationshipObservation, Removal, RemovalTarget,
    Rule, Scope, SourceKey, Strength, Symbol,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// The media type of a [`Delivery`].
pub const MEDIA_TYPE: &str = "application/vnd.keelson.batches+json";

/// Batches in the order in which they apply.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The batches.
    #[serde(with = "batches")]
    pub batches: Vec<Batch>,
}

/// Writes and reads lists of types that are described here.
macro_rules! lists {
    ($($list:ident: $item:ident as $form:ident;)*) => {$(
        mod $list {
            use super::*;

            struct Written<'a>(&'a $item);

            impl Serialize for Written<'_> {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $form::serialize(self.0, serializer)
                }
            }

            struct Read($item);

            impl<'de> Deserialize<'de> for Read {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $form::deserialize(deserializer).map(Self)
                }
            }

            pub(super) fn serialize<S: Serializer>(items: &[$item], serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(items.iter().map(Written))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<$item>, D::Error> {
                Ok(Vec::<Read>::deserialize(deserializer)?.into_iter().map(|read| read.0).collect())
            }
        }
    )*};
}

lists! {
    batches: Batch as BatchForm;
    payloads: Payload as PayloadForm;
    observations: Observation as ObservationForm;
    relationships: RelationshipObservation as RelationshipForm;
    needs: NeedObservation as NeedForm;
    members: MemberObservation as MemberForm;
    removals: Removal as RemovalForm;
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Batch", deny_unknown_fields)]
struct BatchForm {
    source: Symbol,
    scope: Scope,
    completeness: Completeness,
    observed_at: DateTime<Utc>,
    cursor: Option<String>,
    importer: ImporterVersion,
    #[serde(with = "payloads")]
    payloads: Vec<Payload>,
    #[serde(with = "observations")]
    observations: Vec<Observation>,
    #[serde(with = "relationships")]
    relationships: Vec<RelationshipObservation>,
    #[serde(with = "needs")]
    needs: Vec<NeedObservation>,
    #[serde(with = "removals")]
    removals: Vec<Removal>,
    findings: Vec<Finding>,
    #[serde(with = "OnErrorForm")]
    on_error: OnError,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OnError", rename_all = "snake_case")]
enum OnErrorForm {
    Stop,
    KeepGoing,
}

/// A payload travels with its bytes; its digest is computed again where it arrives.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadForm {
    name: String,
    media_type: String,
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl PayloadForm {
    fn serialize<S: Serializer>(payload: &Payload, serializer: S) -> Result<S::Ok, S::Error> {
        let content = match std::str::from_utf8(&payload.content) {
            Ok(text) => Content::Text(text.to_owned()),
            Err(_) => Content::Bytes(payload.content.to_vec()),
        };
        let form = Self { name: payload.name.clone(), media_type: payload.media_type.clone(), content };
        Serialize::serialize(&form, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        let form: Self = Deserialize::deserialize(deserializer)?;
        let content = match form.content {
            Content::Text(text) => text.into_bytes(),
            Content::Bytes(bytes) => bytes,
        };
        Ok(Payload::new(&form.name, &form.media_type, content))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CiRef", rename_all = "snake_case")]
enum CiRefForm {
    Source {
        key: SourceKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<Symbol>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
    },
    Catalogue(CiKey),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Observation", deny_unknown_fields)]
struct ObservationForm {
    source_key: SourceKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<CiKey>,
    class: Symbol,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifecycle: Option<Lifecycle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    criticality: Option<Criticality>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    native_id: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    native_version: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<Symbol, Json>,
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RelationshipObservation", deny_unknown_fields)]
struct RelationshipForm {
    kind: Symbol,
    #[serde(with = "CiRefForm")]
    dependent: CiRef,
    #[serde(with = "CiRefForm")]
    dependency: CiRef,
    basis: Basis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strength: Option<Strength>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Symbol>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_type: Option<Symbol>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<Symbol, Json>,
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MemberObservation", deny_unknown_fields)]
struct MemberForm {
    #[serde(with = "CiRefForm")]
    ci: CiRef,
    doubtful: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NeedObservation", deny_unknown_fields)]
struct NeedForm {
    #[serde(with = "CiRefForm")]
    dependent: CiRef,
    name: Arc<str>,
    kind: Symbol,
    #[serde(with = "members")]
    members: Vec<MemberObservation>,
    rule: Option<Rule>,
    possible_counts: Vec<u32>,
    cap: Option<Cap>,
    phase: Phase,
    confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    common_cause: Option<f64>,
    basis: Basis,
    evidence: Option<Symbol>,
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Removal", deny_unknown_fields)]
struct RemovalForm {
    #[serde(with = "RemovalTargetForm")]
    target: RemovalTarget,
    reason: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RemovalTarget", rename_all = "snake_case")]
enum RemovalTargetForm {
    Ci(#[serde(with = "CiRefForm")] CiRef),
    Relationship {
        kind: Symbol,
        #[serde(with = "CiRefForm")]
        dependent: CiRef,
        #[serde(with = "CiRefForm")]
        dependency: CiRef,
    },
    Need {
        #[serde(with = "CiRefForm")]
        dependent: CiRef,
        name: Arc<str>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SourceKey {
        SourceKey::new(text).unwrap()
    }

    fn full() -> Batch {
        let importer = ImporterVersion { name: "test".into(), version: "1".into() };
        let mut batch = Batch::new("aws-prod", Scope::of(&[("region", "eu")]), importer, DateTime::UNIX_EPOCH);
        batch.completeness = Completeness::Complete { proof: "the listing ended".into() };
        batch.on_error = OnError::Stop;
        batch.payloads = vec![Payload::new("a.json", "application/json", *b"{}"), Payload::new("b", "x/y", [255, 0])];
        let at = Position::line("a.json", 3);
        let mut seen = Observation::new(key("i-1"), "host", at.clone()).with("memory", 4).with("tags", Json::Null);
        seen.criticality = Some(Criticality::High);
        seen.native_version = Some(7);
        batch.observations = vec![seen, Observation::new(key("i-2"), "host", Position::default())];
        let (a, b) = (CiRef::of_class(key("i-1"), "host"), CiRef::Catalogue(CiKey::new("host/b").unwrap()));
        let mut needs = RelationshipObservation::new("depends_on", a.clone(), b.clone(), at.clone());
        needs.strength = Some(Strength::Soft { cap: 0.25 });
        batch.relationships = vec![needs];
        batch.needs = vec![NeedObservation {
            dependent: a.clone(),
            name: "pair".into(),
            kind: Symbol::new("depends_on"),
            members: vec![MemberObservation { ci: b.clone(), doubtful: true }],
            rule: Some(Rule::AtLeast { k: 1 }),
            possible_counts: vec![1, 2],
            cap: None,
            phase: Phase::Start,
            confidence: Some(0.5),
            common_cause: Some(0.1),
            basis: Basis::Observed,
            evidence: Some(Symbol::new("trace")),
            position: at,
        }];
        let gone = |target| Removal { target, reason: Some("said so".into()), position: Position::default() };
        batch.removals = vec![
            gone(RemovalTarget::Ci(a.clone())),
            gone(RemovalTarget::Relationship { kind: Symbol::new("uses"), dependent: a.clone(), dependency: b }),
            gone(RemovalTarget::Need { dependent: a, name: "pair".into() }),
        ];
        batch
    }

    #[test]
    fn a_batch_arrives_as_it_was_sent() {
        let sent = Delivery { batches: vec![full(), full()] };
        let json = serde_json::to_string(&sent).unwrap();
        let arrived: Delivery = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("{arrived:?}"), format!("{sent:?}"));
        assert_eq!(arrived.batches[0].digest(), sent.batches[0].digest());
        assert_eq!(arrived.batches[0].payloads[1].content.as_ref(), [255, 0]);
    }

    #[test]
    fn what_no_importer_sends_is_refused() {
        let json = serde_json::to_string(&Delivery { batches: vec![full()] }).unwrap();
        for (old, new) in [("i-2", " "), ("\"at_least\"", "\"most\""), ("\"scope\"", "\"scopes\"")] {
            let altered = json.replacen(old, new, 1);
            assert_ne!(altered, json);
            assert!(serde_json::from_str::<Delivery>(&altered).is_err(), "{old}");
        }
    }
}
