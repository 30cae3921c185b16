//! One entity: its identity, its class, its attributes.

use std::collections::BTreeMap;

use keelson_importer::redaction;
use keelson_importer::yaml::Document;
use keelson_model::{CiKey, FindingCode, Lifecycle, Observation, Position, SourceKey, Symbol};
use serde_json::{Map, Value as Json};

use crate::reference::{DEFAULT_NAMESPACE, EntityRef, check_part, names_nothing};
use crate::table;

/// Where an entity stands: a document of a file, or a part of one.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) document: &'a Document,
    /// JSON pointer of the entity in the document.
    pub(crate) base: &'a str,
}

impl Place<'_> {
    /// The position of a part of the entity, given by its JSON pointer in there.
    pub(crate) fn at(&self, pointer: &str) -> Position {
        let whole = format!("{}{pointer}", self.base);
        let position = self.document.position(self.file, &whole);
        if whole.is_empty() { Position { pointer: None, ..position } } else { position }
    }

    /// A scalar as the text that was written: `1.10` stays `1.10`.
    pub(crate) fn text(&self, value: &Json, pointer: &str) -> Option<String> {
        match value {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => {
                let spelled = self.document.text_of(&format!("{}{pointer}", self.base));
                Some(spelled.map_or_else(|| number.to_string(), str::to_owned))
            }
            Json::Bool(flag) => Some(flag.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

/// Why an entity is left out.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: FindingCode,
    pub(crate) pointer: &'static str,
    pub(crate) reason: String,
}

impl Refusal {
    fn new(code: FindingCode, pointer: &'static str, reason: impl Into<String>) -> Self {
        Self { code, pointer, reason: reason.into() }
    }
}

/// What a document of a catalogue file is.
pub(crate) enum Content {
    Entity,
    /// Something of another system that only lies in the same file.
    Foreign {
        api_version: String,
        kind: String,
    },
}

/// Versions of the format whose fields are known.
const VERSIONS: &[&str] = &["v1alpha1", "v1beta1"];

/// A text as it may be shown before secrets were taken out.
pub(crate) fn shown(text: &str) -> &str {
    if redaction::is_secret_value(text) { "(a secret)" } else { text }
}

/// Tells entities from what merely stands beside them.
pub(crate) fn recognise(value: &Json) -> Result<Content, Refusal> {
    let Json::Object(fields) = value else {
        return Err(Refusal::new(FindingCode::MalformedRow, "", "this is no entity; an entity is a mapping"));
    };
    let field = |name: &str| shown(fields.get(name).and_then(Json::as_str).unwrap_or_default());
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if api_version.is_empty() {
        let reason = "the entity does not say its apiVersion; write backstage.io/v1alpha1";
        return Err(Refusal::new(FindingCode::MalformedRow, "", reason));
    }
    if group == "backstage.io" && !VERSIONS.contains(&version) {
        let reason = format!(
            "apiVersion backstage.io/{} is not read; supported: {}",
            version.escape_debug(),
            VERSIONS.join(", ")
        );
        return Err(Refusal::new(FindingCode::UnsupportedVersion, "/apiVersion", reason));
    }
    if group == "backstage.io" || group.ends_with(".backstage.io") {
        return Ok(Content::Entity);
    }
    Ok(Content::Foreign { api_version: api_version.to_owned(), kind: kind.to_owned() })
}

/// What identifies an entity.
pub(crate) struct Identity {
    pub(crate) reference: EntityRef,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Reads what identifies an entity.
pub(crate) fn identity(entity: &Json, place: &Place<'_>) -> Result<Identity, Refusal> {
    let part = |pointer: &'static str| entity.pointer(pointer).and_then(|value| place.text(value, pointer));
    let missing = |pointer, what: &str| {
        let reason = format!("the entity does not say its {what}, by which it would be known");
        Refusal::new(FindingCode::IdentityMissing, pointer, reason)
    };
    let kind = part("/kind").filter(|kind| !kind.trim().is_empty()).ok_or_else(|| missing("/kind", "kind"))?;
    let name = part("/metadata/name").filter(|name| !names_nothing(name.trim()));
    let name = name.ok_or_else(|| missing("/metadata/name", "name"))?;
    let namespace = part("/metadata/namespace").unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    let parts: [(&'static str, &str, &str); 3] =
        [("/kind", "kind", &kind), ("/metadata/namespace", "namespace", &namespace), ("/metadata/name", "name", &name)];
    for (pointer, what, text) in parts {
        check_part(what, text).map_err(|reason| Refusal::new(FindingCode::MalformedRow, pointer, reason))?;
    }
    Ok(Identity { reference: EntityRef::new(&kind, &namespace, &name), namespace, name })
}

/// The class of an entity, and whether its kind (`/kind`) or type (`/spec/type`) is unknown.
pub(crate) fn class(kind: &str, of_type: Option<&str>) -> (&'static str, Option<&'static str>) {
    let Some(known) = table::kind(kind) else { return (table::UNKNOWN_KIND, Some("/kind")) };
    let Some(of_type) = of_type.filter(|_| !known.types.is_empty()) else { return (known.otherwise, None) };
    match known.types.iter().find(|(name, _)| name.eq_ignore_ascii_case(of_type)) {
        Some((_, class)) => (class, None),
        None => (known.otherwise, Some("/spec/type")),
    }
}

/// Fields of `metadata` that are read one by one.
const METADATA: &[&str] = &[
    "annotations",
    "description",
    "etag",
    "generation",
    "labels",
    "links",
    "name",
    "namespace",
    "tags",
    "title",
    "uid",
];
/// Fields of `spec` that are read one by one, beside those of [`table::SPEC`].
const SPEC: &[&str] = &["lifecycle", "profile", "type"];

/// Describes an entity whose identity and class are known.
pub(crate) fn observe(
    entity: &Json,
    place: &Place<'_>,
    identity: &Identity,
    source_key: SourceKey,
    class: &str,
) -> Result<Observation, Refusal> {
    let text = |pointer: &str| {
        entity.pointer(pointer).and_then(|value| place.text(value, pointer)).filter(|text| !text.trim().is_empty())
    };
    let mut observation = Observation::new(source_key, class, place.at(""));
    observation.name = Some(text("/metadata/title").unwrap_or_else(|| identity.name.clone()).into());
    observation.native_id = text("/metadata/uid").map(Into::into);
    let pointer = "/metadata/annotations/keelson~1key";
    if let Some(key) = text(pointer) {
        let wrong = |error: keelson_model::KeyError| {
            let reason = format!("the annotation {} is no key of the catalogue: {error}", table::KEY_ANNOTATION);
            Refusal::new(FindingCode::MalformedRow, "/metadata/annotations/keelson~1key", reason)
        };
        observation.key = Some(CiKey::new(&key).map_err(wrong)?);
    }
    let kind = table::kind(&identity.reference.kind);
    let lifecycle = text("/spec/lifecycle");
    // The other words, experimental and deprecated, say how much to rely on it, not whether it runs.
    if lifecycle.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("production")) {
        observation.lifecycle = Some(Lifecycle::Live);
    }
    let mut attributes = Attributes(&mut observation.attributes);
    attributes.put("description", text("/metadata/description").map(|text| Json::from(text.trim())));
    attributes.put("source_lifecycle", lifecycle.map(Json::from));
    attributes.put(kind.map_or("spec.type", |kind| kind.type_attribute), text("/spec/type").map(Json::from));
    attributes.put("email", text("/spec/profile/email").map(Json::from));
    attributes.put("display_name", text("/spec/profile/displayName").map(Json::from));
    attributes.put("definition_url", definition_address(entity));
    metadata(entity, place, &mut attributes);
    rest(entity, &identity.reference.kind, &mut attributes);
    Ok(observation)
}

/// The attributes being gathered; the first value of a name stays.
struct Attributes<'a>(&'a mut BTreeMap<Symbol, Json>);

impl Attributes<'_> {
    fn put(&mut self, name: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.0.entry(Symbol::new(name)).or_insert(value);
        }
    }
}

/// Tags, labels, links and annotations.
fn metadata(entity: &Json, place: &Place<'_>, attributes: &mut Attributes<'_>) {
    let list = |pointer: &str| entity.pointer(pointer).and_then(Json::as_array).filter(|list| !list.is_empty());
    let mapping = |pointer: &str| entity.pointer(pointer).and_then(Json::as_object);
    let tags = list("/metadata/tags").map(|tags| {
        let texts = tags.iter().enumerate();
        texts.filter_map(|(index, tag)| place.text(tag, &format!("/metadata/tags/{index}"))).collect::<Vec<_>>()
    });
    attributes.put("tags", tags.map(Json::from));
    let texts_of = |pointer: &str| -> Vec<(String, String)> {
        let entries = mapping(pointer).into_iter().flatten();
        let spelled = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        entries.filter_map(|(name, value)| Some((name.clone(), place.text(value, &spelled(name))?))).collect()
    };
    let labels: Vec<_> =
        texts_of("/metadata/labels").into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    attributes.put("labels", (!labels.is_empty()).then(|| Json::from(labels)));
    if let Some(links) = list("/metadata/links") {
        let first = links.iter().find_map(|link| link.get("url").and_then(Json::as_str));
        attributes.put("url", first.map(Json::from));
        attributes.put("links", Some(Json::from(links.clone())));
    }
    for (name, value) in texts_of("/metadata/annotations") {
        if name == table::KEY_ANNOTATION {
            continue;
        }
        if let Some((_, attribute)) = table::ANNOTATIONS.iter().find(|(annotation, _)| *annotation == name) {
            attributes.put(attribute, Some(Json::from(value.strip_prefix("url:").unwrap_or(&value))));
        }
        attributes.put(&name, Some(Json::from(value)));
    }
}

/// Where the definition of an interface is, when the document only refers to it:
/// `definition: {$text: …}`.
fn definition_address(entity: &Json) -> Option<Json> {
    let definition = entity.pointer("/spec/definition")?.as_object()?;
    let (name, address) = definition.iter().next()?;
    (definition.len() == 1 && name.starts_with('$') && address.is_string()).then(|| address.clone())
}

/// What has no attribute of its own is kept under where it stood: `spec.presence`.
fn rest(entity: &Json, kind: &str, attributes: &mut Attributes<'_>) {
    let states_relation = |name: &str| {
        table::SPEC
            .iter()
            .any(|row| row.stated_as == name && (row.stated_in.is_empty() || row.stated_in.contains(&kind)))
    };
    let fields = |part: &str| entity.get(part).and_then(Json::as_object).into_iter().flat_map(Map::iter);
    for (name, value) in fields("metadata") {
        if !METADATA.contains(&name.as_str()) && !value.is_null() {
            attributes.put(&format!("metadata.{name}"), Some(value.clone()));
        }
    }
    for (name, value) in fields("spec") {
        let known =
            SPEC.contains(&name.as_str()) || table::PAYLOAD_ONLY.contains(&name.as_str()) || states_relation(name);
        if !known && !value.is_null() {
            attributes.put(&format!("spec.{name}"), Some(value.clone()));
        }
    }
}
