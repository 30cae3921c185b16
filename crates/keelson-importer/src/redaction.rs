//! Secrets never enter: which names and values are secret, and taking them out.
//!
//! Refuses to be clever about context: whatever stands under a secret name goes, and whatever is
//! shaped like a secret goes, wherever it stands. Importers that know more about their source (the
//! paths a Terraform state calls sensitive) name those places to [`redact`].

mod shapes;

use std::borrow::Cow;

use serde_json::Value as Json;

pub use shapes::is_secret_value;

/// Parts of names that mean a secret, in squashed spelling.
const SECRET_PARTS: &[&str] =
    &["password", "passwd", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "connectionstring"];

/// Names that contain a secret part and hold none, in squashed spelling: settings about secrets,
/// and references that name a secret without telling it.
const HARMLESS: &[&str] = &[
    "allowuserstochangepassword",
    "authoritykeyid",
    "authoritykeyidentifier",
    "automountserviceaccounttoken",
    "credentialtype",
    "disablepasswordauthentication",
    "externalsecret",
    "httptokens",
    "imagepullsecret",
    "imagepullsecrets",
    "managemasteruserpassword",
    "masterusersecretkmskeyid",
    "maxpasswordage",
    "minimumpasswordlength",
    "nextcontinuationtoken",
    "passwordreuseprevention",
    "passwordtype",
    "secretkeyref",
    "secretname",
    "secretnamespace",
    "secretref",
    "secretversion",
    "serviceaccounttoken",
    "tokenendpoint",
    "tokenexpirationseconds",
    "tokenreviews",
    "tokentype",
    "tokenvalidityunits",
];

/// Ends of names that speak about a secret (how long it lives, whether it is used, where it is
/// kept) without telling it, in squashed spelling.
const HARMLESS_ENDS: &[&str] =
    &["arn", "enabled", "expiration", "expiry", "lastchanged", "lastused", "length", "policy", "ttl", "validity"];

/// Whether an attribute of this name is to be left out: it contains `password`, `passwd`, `secret`,
/// `token`, `api_key`, `access_key`, `private_key`, `credential`, `connection_string`, or both
/// `auth` and `key`, in any case or separator style, and is not on the list of harmless names.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let squashed: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let named = SECRET_PARTS.iter().any(|part| squashed.contains(part))
        || (squashed.contains("auth") && squashed.contains("key"));
    named && !HARMLESS.contains(&squashed.as_str()) && !HARMLESS_ENDS.iter().any(|end| squashed.ends_with(end))
}

/// Takes secrets out of a JSON value in place: by name, by shape, and at the pointers given.
/// Returns the JSON pointers of what was taken out, sorted; each such value is `null` afterwards.
///
/// Beyond names and shapes it knows two customs: the pair `{"name": "DB_PASSWORD", "value": …}`,
/// whose value is secret by the name beside it, and JSON inside a text, which goes as a whole when
/// anything in it is secret. Nothing and yes or no are never secret.
pub fn redact(value: &mut Json, also: &[String]) -> Vec<String> {
    let mut taken = Vec::new();
    for pointer in also {
        if let Some(found) = value.pointer_mut(pointer).filter(|found| !found.is_null()) {
            *found = Json::Null;
            taken.push(pointer.clone());
        }
    }
    // Paths are kept as segments with a link to the enclosing one, so that a pointer is only put
    // together for what is taken out.
    let mut paths: Vec<(usize, Cow<'static, str>)> = vec![(0, Cow::Borrowed(""))];
    if take(value, false) {
        taken.push(String::new());
    }
    let mut open = vec![(0, value)];
    while let Some((at, value)) = open.pop() {
        match value {
            Json::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if take(item, false) {
                        taken.push(pointer(&paths, at, &index.to_string()));
                    } else if is_container(item) {
                        paths.push((at, Cow::Owned(index.to_string())));
                        open.push((paths.len() - 1, item));
                    }
                }
            }
            Json::Object(fields) => {
                let pair = secret_pair(fields);
                for (name, field) in fields.iter_mut() {
                    if take(field, is_secret_name(name) || pair == Some(name.as_str())) {
                        taken.push(pointer(&paths, at, name));
                    } else if is_container(field) {
                        paths.push((at, Cow::Owned(name.clone())));
                        open.push((paths.len() - 1, field));
                    }
                }
            }
            _ => {}
        }
    }
    taken.sort();
    taken.dedup();
    taken
}

/// Makes a secret nothing; says whether it was one.
fn take(value: &mut Json, by_name: bool) -> bool {
    let secret = match &*value {
        Json::Null | Json::Bool(_) => false,
        Json::String(text) if !by_name => is_secret_value(text) || embeds_secret(text),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => by_name && !items.is_empty(),
        Json::Object(fields) => by_name && !fields.is_empty(),
        Json::Number(_) => by_name,
    };
    if secret {
        *value = Json::Null;
    }
    secret
}

fn is_container(value: &Json) -> bool {
    value.is_array() || value.is_object()
}

fn pointer(paths: &[(usize, Cow<'static, str>)], at: usize, last: &str) -> String {
    let mut segments = vec![last];
    let mut at = at;
    while at != 0 {
        let (within, segment) = &paths[at];
        segments.push(segment);
        at = *within;
    }
    segments.iter().rev().map(|segment| format!("/{}", segment.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The field that holds the value of a name-and-value pair whose name is secret.
fn secret_pair(fields: &serde_json::Map<String, Json>) -> Option<&'static str> {
    const PAIRS: &[(&str, &str)] = &[
        ("name", "value"),
        ("Name", "Value"),
        ("key", "value"),
        ("Key", "Value"),
        ("ParameterKey", "ParameterValue"),
        ("OptionName", "Value"),
    ];
    let secret = |name: &str| fields.get(name).and_then(Json::as_str).is_some_and(is_secret_name);
    PAIRS.iter().find(|(name, value)| fields.contains_key(*value) && secret(name)).map(|(_, value)| *value)
}

/// Most texts inside texts that are looked into; deeper ones are taken for secret.
const MAX_EMBEDDED: usize = 1_000;

/// Whether a text is JSON that holds a secret somewhere, also in JSON texts inside it.
fn embeds_secret(text: &str) -> bool {
    let mut texts: Vec<Cow<'_, str>> = vec![Cow::Borrowed(text)];
    let mut looked = 0;
    while let Some(text) = texts.pop() {
        let Some(parsed) = embedded(&text) else { continue };
        looked += 1;
        if looked > MAX_EMBEDDED {
            return true;
        }
        let mut open = vec![&parsed];
        while let Some(value) = open.pop() {
            match value {
                Json::String(inner) if is_secret_value(inner) => return true,
                Json::String(inner) => texts.extend(looks_like_json(inner).then(|| Cow::Owned(inner.clone()))),
                Json::Array(items) => open.extend(items),
                Json::Object(fields) => {
                    let pair = secret_pair(fields);
                    for (name, field) in fields {
                        let mut probe = if is_container(field) { Json::from(1) } else { field.clone() };
                        let named = is_secret_name(name) || pair == Some(name.as_str());
                        if named && take(&mut probe, true) {
                            return true;
                        }
                        open.push(field);
                    }
                }
                _ => {}
            }
        }
    }
    false
}

fn looks_like_json(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

fn embedded(text: &str) -> Option<Json> {
    if looks_like_json(text) { serde_json::from_str(text).ok() } else { None }
}

#[cfg(test)]
mod tests;
