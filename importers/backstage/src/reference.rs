//! References to entities: `[kind:][namespace/]name`, compared without case.

use serde_json::Value as Json;

/// The namespace of entities that name none.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Which entity is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityRef {
    /// The kind, in lower case.
    pub(crate) kind: String,
    /// Namespace and name as they are spelled: `default/Petstore`.
    pub(crate) spelled: String,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoReference {
    /// It names nothing.
    Null,
    /// It cannot be read; with the reason.
    Malformed(String),
}

impl EntityRef {
    /// An entity of this kind, namespace and name.
    pub(crate) fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_ascii_lowercase(), spelled: format!("{namespace}/{name}") }
    }

    /// The one written form, by which entities are compared: `component:default/petstore`.
    pub(crate) fn key(&self) -> String {
        format!("{}:{}", self.kind, self.spelled.to_ascii_lowercase())
    }

    /// Reads the text of a reference. What it leaves out comes from where it stands: the kind from
    /// the field, the namespace from the entity that states it, as Backstage itself does.
    pub(crate) fn parse(text: &str, kind: Option<&str>, namespace: &str) -> Result<Self, NoReference> {
        let text = text.trim();
        if names_nothing(text) {
            return Err(NoReference::Null);
        }
        let (kind, rest) = match (text.split_once(':'), kind) {
            (Some((kind, rest)), _) => (kind, rest),
            (None, Some(kind)) => (kind, text),
            (None, None) => {
                let reason =
                    format!("'{text}' does not say its kind, and this field has no usual one; write component:{text}");
                return Err(NoReference::Malformed(reason));
            }
        };
        let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
        Self::checked(kind, namespace, name)
    }

    /// Reads the longer form, a mapping of kind, namespace and name.
    pub(crate) fn of_parts(parts: &Json, kind: Option<&str>, namespace: &str) -> Result<Self, NoReference> {
        let part = |name: &str| parts.get(name).and_then(Json::as_str).map(str::trim);
        let Some(name) = part("name").filter(|name| !names_nothing(name)) else { return Err(NoReference::Null) };
        let Some(kind) = part("kind").or(kind) else {
            return Err(NoReference::Malformed(format!("the reference to '{name}' does not say its kind")));
        };
        Self::checked(kind, part("namespace").unwrap_or(namespace), name)
    }

    fn checked(kind: &str, namespace: &str, name: &str) -> Result<Self, NoReference> {
        if names_nothing(name) {
            return Err(NoReference::Null);
        }
        for (what, part) in [("kind", kind), ("namespace", namespace), ("name", name)] {
            if let Err(reason) = check_part(what, part) {
                return Err(NoReference::Malformed(reason));
            }
        }
        Ok(Self::new(kind, namespace, name))
    }
}

/// Whether a text stands for nothing, in the ways generators print it.
pub(crate) fn names_nothing(text: &str) -> bool {
    ["", "null", "none", "nil", "undefined"].iter().any(|nothing| text.eq_ignore_ascii_case(nothing))
}

/// Whether a text can be a part of a reference. Backstage allows less; what matters here is that
/// the written form of a reference can be taken apart again in one way only.
pub(crate) fn check_part(what: &str, text: &str) -> Result<(), String> {
    let bad = |c: char| c == ':' || c == '/' || c.is_whitespace() || c.is_control();
    if text.is_empty() {
        return Err(format!("the {what} is empty"));
    }
    match text.chars().find(|c| bad(*c)) {
        Some(found) => Err(format!("the {what} '{}' contains {found:?}", text.escape_debug())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn key(text: &str, kind: Option<&str>) -> Result<String, NoReference> {
        EntityRef::parse(text, kind, "default").map(|reference| reference.key())
    }

    #[test]
    fn what_a_reference_leaves_out_comes_from_where_it_stands() {
        assert_eq!(key("Petstore", Some("api")).unwrap(), "api:default/petstore");
        assert_eq!(key("Resource:Pay/DB", Some("api")).unwrap(), "resource:pay/db");
        assert_eq!(key("pay/db", Some("resource")).unwrap(), "resource:pay/db");
        assert_eq!(EntityRef::parse("db", Some("resource"), "pay").unwrap().key(), "resource:pay/db");
        let parts = json!({"kind": "Group", "name": "Team-A"});
        assert_eq!(EntityRef::of_parts(&parts, None, "pay").unwrap().spelled, "pay/Team-A");
    }

    #[test]
    fn what_is_no_reference_is_said() {
        for nothing in ["", " ", "null", "None", "group:", "group:x/", "group:null"] {
            assert_eq!(key(nothing, Some("group")), Err(NoReference::Null), "{nothing}");
        }
        for bad in ["a b", "x:y:z", "a/b/c", ":x", "/x", "group:/x", "a\u{7}b"] {
            assert!(matches!(key(bad, Some("group")), Err(NoReference::Malformed(_))), "{bad}");
        }
        assert!(matches!(key("pgdb", None), Err(NoReference::Malformed(reason)) if reason.contains("component:pgdb")));
        assert_eq!(EntityRef::of_parts(&json!({"kind": "Group"}), None, "d"), Err(NoReference::Null));
    }

    proptest! {
        #[test]
        fn the_written_form_reads_back_as_itself(text in "[A-Za-z:/ .-]{0,12}", kind in "[a-z]{1,4}") {
            if let Ok(reference) = EntityRef::parse(&text, Some(&kind), "ns") {
                let key = reference.key();
                prop_assert_eq!(EntityRef::parse(&key, None, "other").unwrap().key(), key);
            }
        }
    }
}
