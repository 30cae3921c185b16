//! One object: what identifies it.

use std::cmp::Reverse;
use std::collections::HashMap;

use keelson_model::{CiRef, Finding, FindingCode, Severity, SourceKey, Symbol};
use serde_json::Value as Json;

use crate::files::Place;
use crate::table::{self, Kind};

/// The namespace of objects that state none: by the API's own convention an empty namespace is
/// this one.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Why an object is left out.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: FindingCode,
    pub(crate) pointer: &'static str,
    pub(crate) reason: String,
}

/// What identifies an object in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The API group, by which its kind is known now.
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) uid: Option<String>,
}

/// The group of an `apiVersion`.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl Header {
    /// The header of an object, with what it leaves out taken from the list it stands in.
    pub(crate) fn read(object: &Json, list: Option<(&str, &str)>, default: &str) -> Result<Self, Refusal> {
        let refuse = |code, pointer, reason: &str| Refusal { code, pointer, reason: reason.to_owned() };
        let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).filter(|text| !text.is_empty());
        let version = text("/apiVersion").or(list.map(|(version, _)| version));
        let (Some(version), Some(kind)) = (version, text("/kind").or(list.map(|(_, kind)| kind))) else {
            let reason = "the object does not say its apiVersion and kind";
            return Err(refuse(FindingCode::MalformedRow, "", reason));
        };
        let Some(name) = text("/metadata/name") else {
            let reason = "the object does not say its name, by which it would be known";
            return Err(refuse(FindingCode::IdentityMissing, "/metadata/name", reason));
        };
        let namespace = text("/metadata/namespace");
        let parts = [("/kind", kind), ("/metadata/name", name), ("/metadata/namespace", namespace.unwrap_or("-"))];
        for (pointer, part) in parts {
            if part.contains('/') || part.contains(|c: char| c.is_whitespace() || c.is_control()) {
                let reason = "it contains a blank, a control character or '/', which no name has";
                return Err(refuse(FindingCode::MalformedRow, pointer, reason));
            }
        }
        let uid = text("/metadata/uid").map(str::to_owned);
        Ok(Self::new(group_of(version), kind, namespace, name, default).with_uid(uid))
    }

    /// The header of something that is referred to by these words.
    pub(crate) fn new(group: &str, kind: &str, namespace: Option<&str>, name: &str, default: &str) -> Self {
        let row = table::kind(group, kind);
        let group = row.map_or(group, |row| row.groups[0]);
        let namespace = match row {
            Some(row) if !row.namespaced => None,
            Some(_) => Some(namespace.unwrap_or(default)),
            None => namespace,
        };
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Self { group: group.to_owned(), kind, namespace: namespace.map(str::to_owned), name, uid: None }
    }

    fn with_uid(self, uid: Option<String>) -> Self {
        Self { uid, ..self }
    }

    /// The row of its kind.
    pub(crate) fn row(&self) -> Option<&'static Kind> {
        table::kind(&self.group, &self.kind)
    }

    /// Its class; nothing where its kind makes no configuration item.
    pub(crate) fn class(&self) -> Option<&'static str> {
        self.row().map(|row| row.class).or_else(|| table::is_custom(&self.group).then_some(table::CUSTOM))
    }

    /// Its kind with its group: `apps/Deployment`, `Pod`.
    pub(crate) fn kind_in_group(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}/{}", self.group, self.kind) }
    }

    /// Its source key: `prod/apps/Deployment/shop/carts`. The core group has no name of its own
    /// and is written as `core`.
    pub(crate) fn key(&self, cluster: &str) -> String {
        let group = if self.group.is_empty() { "core" } else { &self.group };
        let Self { kind, name, .. } = self;
        match &self.namespace {
            Some(namespace) => format!("{cluster}/{group}/{kind}/{namespace}/{name}"),
            None => format!("{cluster}/{group}/{kind}/{name}"),
        }
    }
}

/// One object whose identity is known. Secrets were taken out of it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) header: Header,
    pub(crate) key: SourceKey,
    pub(crate) place: Place,
    pub(crate) value: Json,
}

impl Object {
    /// A text in it, unless it is empty.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// The rows of a list in it; none where there is no list.
    pub(crate) fn rows(&self, pointer: &str) -> impl Iterator<Item = (usize, &Json)> + use<'_> {
        self.value.pointer(pointer).and_then(Json::as_array).into_iter().flatten().enumerate()
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.header.kind == kind && self.header.row().is_some()
    }

    /// Whether it was seen in a cluster; a manifest has no uid.
    pub(crate) fn is_live(&self) -> bool {
        self.header.uid.is_some()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.header.namespace.as_deref().unwrap_or_default()
    }

    /// Its labels, or those its pods get, given the pointer of the metadata.
    pub(crate) fn labels(&self, metadata: &str) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.value.pointer(metadata).and_then(|metadata| metadata.get("labels"));
        let labels = labels.and_then(Json::as_object).into_iter().flatten();
        labels.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// The number of its copies that are wanted.
    fn replicas(&self) -> u64 {
        self.value.pointer("/spec/replicas").and_then(Json::as_u64).unwrap_or(1)
    }

    /// Its reference.
    pub(crate) fn ci(&self) -> CiRef {
        let class = self.header.class().map(Symbol::new);
        CiRef::Source { key: self.key.clone(), class, name: Some(self.header.name.as_str().into()) }
    }

    /// The owner that controls it, as a row of its owner references.
    pub(crate) fn controller(&self) -> Option<(usize, &Json)> {
        self.rows("/metadata/ownerReferences").find(|(_, owner)| owner.get("controller") == Some(&Json::Bool(true)))
    }

    /// Whether it is a ReplicaSet that a Deployment keeps, which stands in between only.
    pub(crate) fn is_between(&self) -> bool {
        let owner = self.controller().and_then(|(_, owner)| owner.get("kind"));
        self.is("ReplicaSet") && owner.and_then(Json::as_str) == Some("Deployment")
    }

    /// Whether it becomes a configuration item.
    pub(crate) fn is_described(&self) -> bool {
        let history = self.is("ReplicaSet") && self.replicas() == 0;
        self.header.class().is_some() && !history && !self.is_between()
    }

    /// What tells a later lifetime of a name from an earlier one.
    fn age(&self) -> (Option<&str>, Option<u64>, Option<&str>) {
        let version = self.text("/metadata/resourceVersion").and_then(|version| version.parse().ok());
        (self.text("/metadata/creationTimestamp"), version, self.header.uid.as_deref())
    }
}

/// Orders objects by their keys, and keeps of several lifetimes of one name the latest only.
pub(crate) fn settle(mut objects: Vec<Object>, findings: &mut Vec<Finding>) -> Vec<Object> {
    // Stable: rows of one key stay in order of files and positions.
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    let mut latest: HashMap<SourceKey, (String, usize)> = HashMap::new();
    let mut lived: Vec<usize> = (0..objects.len()).filter(|at| objects[*at].is_live()).collect();
    lived.sort_by_key(|at| (Reverse(objects[*at].age()), *at));
    for at in lived {
        let object = &objects[at];
        if let Some(uid) = &object.header.uid {
            latest.entry(object.key.clone()).or_insert_with(|| (uid.clone(), at));
        }
    }
    let another = |object: &Object| {
        let (uid, at) = latest.get(&object.key)?;
        object.header.uid.as_ref().is_some_and(|own| own != uid).then_some(*at)
    };
    let later = objects.iter().filter_map(|object| {
        let at = another(object)?;
        Some((object.key.clone(), objects[at].place.at("").to_string()))
    });
    let later: HashMap<SourceKey, String> = later.collect();
    let mut kept = Vec::with_capacity(objects.len());
    for object in objects {
        let at = later.get(&object.key).filter(|_| another(&object).is_some());
        if let Some(at) = at {
            let message = format!("'{}' is an earlier lifetime of what is at {at}; it is left out", object.key);
            let finding = Finding::new(FindingCode::DuplicateConflict, object.place.at("/metadata/uid"), message);
            findings.push(finding.about(object.key.as_str()).in_field("uid").with_severity(Severity::Warning));
        } else {
            kept.push(object);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_are_read_with_what_the_list_says() {
        let item = json!({"metadata": {"name": "a", "namespace": "n", "uid": "u"}});
        let read = Header::read(&item, Some(("extensions/v1beta1", "Ingress")), "default").unwrap();
        assert_eq!(read.key("c"), "c/networking.k8s.io/Ingress/n/a");
        assert_eq!(read.uid.as_deref(), Some("u"));
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}});
        assert_eq!(Header::read(&pod, None, "default").unwrap().key("c"), "c/core/Pod/default/a");
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a", "namespace": "x"}});
        assert_eq!(Header::read(&node, None, "default").unwrap().key("c"), "c/core/Node/a");
        let custom = json!({"apiVersion": "x.example/v1", "kind": "Pod", "metadata": {"name": "a"}});
        let custom = Header::read(&custom, None, "default").unwrap();
        assert_eq!((custom.key("c").as_str(), custom.class()), ("c/x.example/Pod/a", Some(table::CUSTOM)));
    }

    #[test]
    fn what_has_no_identity_is_refused() {
        let refused = |object: Json| Header::read(&object, None, "default").unwrap_err().code;
        assert_eq!(refused(json!({"kind": "Pod"})), FindingCode::MalformedRow);
        assert_eq!(refused(json!({"apiVersion": "v1", "kind": "Pod"})), FindingCode::IdentityMissing);
        let generated = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-", "name": null}});
        assert_eq!(refused(generated), FindingCode::IdentityMissing);
        let slash = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a/b"}});
        assert_eq!(refused(slash), FindingCode::MalformedRow);
    }
}
