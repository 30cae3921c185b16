//! Identity keys: what makes two observations the same configuration item.
//!
//! An identity rule of a class names attributes that together identify. Its key for a
//! configuration item is a digest of those attributes and their values, so that items of a class
//! and of the classes above and below it meet under one key.

use std::collections::BTreeSet;

use keelson_model::{Attributes, CiId, Class, IdentityRule, Symbol};
use sha2::{Digest, Sha256};

/// The digest of the identifying values of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKey([u8; 16]);

/// An identity key with the words to explain it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key to look up.
    pub key: IdentityKey,
    /// Priority of its rule; lower ones are tried first.
    pub priority: u32,
    /// `serial_number 4711, manufacturer Acme`.
    pub explanation: String,
}

/// The identity keys of an item with these facts, in order of priority. A rule applies only when
/// every attribute it names is present and none of its values is to be ignored. `relatives` gives
/// the dependencies of the item along a kind of relationship, for rules about identity inside
/// something else.
pub fn identities(
    class: &Class,
    name: Option<&str>,
    attributes: &Attributes,
    relatives: impl Fn(&Symbol) -> Vec<CiId>,
) -> Vec<Identity> {
    let mut found = Vec::new();
    for rule in &class.identities {
        let Some((values, explanation)) = values(rule, name, attributes) else { continue };
        match &rule.relative {
            None => found.push(Identity { key: key(rule, &values, None), priority: rule.priority, explanation }),
            Some(kind) => {
                let inside: BTreeSet<CiId> = relatives(kind).into_iter().collect();
                found.extend(inside.into_iter().map(|relative| Identity {
                    key: key(rule, &values, Some(relative)),
                    priority: rule.priority,
                    explanation: format!("{explanation} inside the same {kind}"),
                }));
            }
        }
    }
    found
}

fn values(rule: &IdentityRule, name: Option<&str>, attributes: &Attributes) -> Option<(Vec<String>, String)> {
    let mut values = Vec::with_capacity(rule.attributes.len());
    let mut words = Vec::with_capacity(rule.attributes.len());
    for attribute in &rule.attributes {
        let value = match attributes.get(attribute) {
            Some(value) => value.to_string(),
            None if *attribute == "name" => name?.to_owned(),
            None => return None,
        };
        if value.trim().is_empty() || rule.ignore_values.contains(&value) {
            return None;
        }
        words.push(format!("{attribute} {value}"));
        values.push(if rule.ignore_case { value.to_ascii_lowercase() } else { value });
    }
    Some((values, words.join(", ")))
}

fn key(rule: &IdentityRule, values: &[String], relative: Option<CiId>) -> IdentityKey {
    let mut hasher = Sha256::new();
    for (attribute, value) in rule.attributes.iter().zip(values) {
        hasher.update((attribute.len() as u64).to_le_bytes());
        hasher.update(attribute.as_bytes());
        hasher.update((value.len() as u64).to_le_bytes());
        hasher.update(value.as_bytes());
    }
    if let (Some(kind), Some(relative)) = (&rule.relative, relative) {
        hasher.update(kind.as_bytes());
        hasher.update(relative.0.0.to_le_bytes());
    }
    let digest = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    IdentityKey(bytes)
}
