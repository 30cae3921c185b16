//! What importers do with single rows: keys, positions, payloads and the limits of rule 10.

use std::collections::HashMap;

use keelson_model::value::{MAX_ATTRIBUTES, MAX_VALUE_BYTES};
use keelson_model::{Batch, CiRef, Finding, FindingCode, KeyError, Observation, Payload, Position, SourceKey, Symbol};
use serde_json::Value as Json;

use crate::redaction;

/// Longest name kept, in characters.
pub const MAX_NAME_CHARACTERS: usize = 1_024;
/// Most relationships of one dependent in one batch.
pub const MAX_RELATIONSHIPS: usize = 100_000;

/// A place known by file, line and JSON pointer.
#[must_use]
pub fn position(file: &str, line: u32, pointer: &str) -> Position {
    Position { line: Some(line), ..Position::pointer(file, pointer) }
}

/// Makes a source key of what identifies a row. What is no key becomes a finding and the row is to
/// be left out: `identity_missing` for nothing, `limit_exceeded` for a key too long,
/// `malformed_row` for anything else.
pub fn source_key(text: &str, position: &Position, findings: &mut Vec<Finding>) -> Option<SourceKey> {
    let error = match SourceKey::new(text) {
        Ok(key) => return Some(key),
        Err(error) => error,
    };
    let code = match &error {
        KeyError::Empty => FindingCode::IdentityMissing,
        KeyError::TooLong { .. } => FindingCode::LimitExceeded,
        KeyError::Control { .. } | KeyError::Untrimmed { .. } => FindingCode::MalformedRow,
    };
    findings.push(Finding::new(code, position.clone(), error.to_string()));
    None
}

/// The raw payload of a file that was read as JSON values: secrets are taken out first (see
/// [`redaction::redact`]), each with a finding `redacted` at its JSON pointer.
pub fn redacted_payload(name: &str, value: &mut Json, also: &[String], findings: &mut Vec<Finding>) -> Payload {
    for pointer in redaction::redact(value, also) {
        let position = Position::pointer(name, &pointer);
        findings.push(Finding::new(FindingCode::Redacted, position, "a secret was left out"));
    }
    Payload::new(name, "application/json", value.to_string().into_bytes())
}

/// Leaves out every observation and relationship beyond a limit of rule 10, with a finding
/// `limit_exceeded` each; nothing is cut to fit.
pub fn keep_within_limits(batch: &mut Batch) {
    let findings = &mut batch.findings;
    batch.observations.retain(|observation| match beyond_limit(observation) {
        None => true,
        Some((field, reason)) => {
            let message = format!("{reason}; the row is left out");
            let finding = Finding::new(FindingCode::LimitExceeded, observation.position.clone(), message);
            findings.push(finding.about(observation.source_key.as_str()).in_field(field));
            false
        }
    });
    if batch.relationships.len() <= MAX_RELATIONSHIPS {
        return;
    }
    let mut of_dependent: HashMap<CiRef, usize> = HashMap::new();
    batch.relationships.retain(|relationship| {
        let count = of_dependent.entry(relationship.dependent.clone()).or_default();
        *count += 1;
        if *count == MAX_RELATIONSHIPS + 1 {
            let key = relationship.dependent.as_str();
            let message = format!("'{key}' has more than {MAX_RELATIONSHIPS} relationships; the rest is left out");
            let finding = Finding::new(FindingCode::LimitExceeded, relationship.position.clone(), message);
            findings.push(finding.about(key));
        }
        *count <= MAX_RELATIONSHIPS
    });
}

/// The field of an observation that is beyond a limit, and how.
#[must_use]
pub fn beyond_limit(observation: &Observation) -> Option<(String, String)> {
    let characters = observation.name.as_ref().map_or(0, |name| name.chars().count());
    if characters > MAX_NAME_CHARACTERS {
        let reason = format!("the name has {characters} characters, but at most {MAX_NAME_CHARACTERS} are kept");
        return Some(("name".to_owned(), reason));
    }
    let attributes = observation.attributes.len();
    if attributes > MAX_ATTRIBUTES {
        let reason = format!("there are {attributes} attributes, but at most {MAX_ATTRIBUTES} are kept");
        return Some(("attributes".to_owned(), reason));
    }
    let too_long = |(name, value): (&Symbol, &Json)| {
        let bytes = json_bytes(value);
        let reason = || format!("the value has {bytes} bytes, but at most {MAX_VALUE_BYTES} are kept");
        (bytes > MAX_VALUE_BYTES).then(|| (name.to_string(), reason()))
    };
    observation.attributes.iter().find_map(too_long)
}

/// Bytes of a value as it would be kept: text as it is, everything else as JSON.
fn json_bytes(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 16,
        Json::Array(_) | Json::Object(_) => value.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use keelson_model::{ImporterVersion, RelationshipObservation, Scope};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_key_becomes_a_finding() {
        let mut findings = Vec::new();
        let at = Position::line("f", 1);
        assert!(source_key("a", &at, &mut findings).is_some());
        for text in ["", "a\u{7}", &"x".repeat(3_000)] {
            assert!(source_key(text, &at, &mut findings).is_none());
        }
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [FindingCode::IdentityMissing, FindingCode::MalformedRow, FindingCode::LimitExceeded]);
    }

    #[test]
    fn a_payload_has_no_secrets() {
        let mut findings = Vec::new();
        let payload = redacted_payload("f", &mut json!({"token": "abc", "x": 1}), &[], &mut findings);
        assert_eq!(&*payload.content, br#"{"token":null,"x":1}"#);
        assert_eq!(findings[0].to_string(), "f, /token: info redacted: a secret was left out");
    }

    #[test]
    fn rows_beyond_a_limit_are_left_out_whole() {
        let importer = ImporterVersion { name: "t".into(), version: "1".into() };
        let mut batch = Batch::new("s", Scope::named("all"), importer, chrono::DateTime::UNIX_EPOCH);
        let observe = |key: &str| Observation::new(SourceKey::new(key).unwrap(), "server", Position::line("f", 1));
        let mut named = observe("named");
        named.name = Some("n".repeat(1_025).into());
        let mut many = observe("many");
        many.attributes.extend((0..513).map(|number| (Symbol::new(&format!("a{number}")), json!(1))));
        let long = observe("long").with("text", "x".repeat(65_537));
        batch.observations = vec![named, many, long, observe("fine").with("text", "x".repeat(65_536))];
        let hub = CiRef::source(SourceKey::new("hub").unwrap());
        for number in 0..=MAX_RELATIONSHIPS {
            let to = CiRef::source(SourceKey::new(&number.to_string()).unwrap());
            batch.relationships.push(RelationshipObservation::new("uses", hub.clone(), to, Position::line("f", 1)));
        }
        keep_within_limits(&mut batch);
        assert_eq!(batch.observations.len(), 1);
        assert_eq!(batch.relationships.len(), MAX_RELATIONSHIPS);
        let fields: Vec<_> = batch.findings.iter().map(|f| f.field.as_deref()).collect();
        assert_eq!(fields, [Some("name"), Some("attributes"), Some("text"), None]);
    }
}
