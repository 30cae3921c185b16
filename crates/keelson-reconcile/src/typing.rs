//! From what a source writes to typed facts.

use std::sync::Arc;

use keelson_model::class::{Stages, ValueError};
use keelson_model::{Class, Facts, Finding, FindingCode, Lifecycle, Observation, OnError, Severity, Symbol, Value};
use serde_json::Value as Json;

use crate::Limits;
use crate::notes::Notes;
use crate::words::a;

/// Reads an observation as facts of its class.
///
/// A bad value of an attribute that identifies rejects the row, because nobody could say what the
/// row is about. Any other bad value is kept as it was written, not interpreted, with a finding:
/// an error in a strict batch (which stops it), otherwise a warning.
pub(crate) fn facts(
    observation: &Observation,
    class: &Class,
    limits: &Limits,
    on_error: OnError,
    notes: &mut Notes,
) -> Result<Facts, Box<Finding>> {
    within_limits(observation, limits)?;
    let severity = match on_error {
        OnError::Stop => Severity::Error,
        OnError::KeepGoing => Severity::Warning,
    };
    let mut facts = Facts {
        class: Some(observation.class.clone()),
        name: observation.name.clone(),
        lifecycle: observation.lifecycle,
        criticality: observation.criticality,
        ..Facts::default()
    };
    if let Some(lifecycle) = observation.lifecycle
        && !has_stage(class.stages, lifecycle)
    {
        let message = format!("{} is never '{lifecycle}'; the stage is left out", a(&observation.class));
        notes.add(finding(observation, FindingCode::MalformedRow, "lifecycle", message).with_severity(severity));
        facts.lifecycle = None;
    }
    for (name, json) in &observation.attributes {
        let Some(definition) = class.attributes.get(name) else {
            notes.unmodelled(&observation.class, name, &observation.position);
            facts.unmodelled.insert(name.clone(), Arc::from(json.to_string()));
            continue;
        };
        match definition.read(json) {
            Ok(value) => {
                facts.attributes.insert(name.clone(), value);
            }
            Err(error) => {
                let code = match error {
                    ValueError::TooLong { .. } => FindingCode::LimitExceeded,
                    _ => FindingCode::MalformedRow,
                };
                let bad = finding(observation, code, name, error.to_string());
                if code == FindingCode::LimitExceeded || identifies(class, name) {
                    return Err(Box::new(bad));
                }
                notes.add(bad.with_severity(severity));
                facts.unmodelled.insert(name.clone(), Arc::from(json.to_string()));
            }
        }
    }
    Ok(facts)
}

/// The facts as those of an item of a class: what the class does not define, or reads otherwise, is
/// kept and not interpreted, and what was not interpreted so far is where the class defines it.
pub(crate) fn retyped(facts: Facts, class: &Class) -> Facts {
    let Facts { class: stated, name, lifecycle, criticality, attributes, unmodelled } = facts;
    let lifecycle = lifecycle.filter(|stage| has_stage(class.stages, *stage));
    let mut facts = Facts { class: stated, name, lifecycle, criticality, ..Facts::default() };
    let read = |name: &Symbol, json: &Json| class.attributes.get(name)?.read(json).ok();
    for (name, text) in unmodelled {
        match serde_json::from_str(&text).ok().and_then(|json| read(&name, &json)) {
            Some(value) => drop(facts.attributes.insert(name, value)),
            None => drop(facts.unmodelled.insert(name, text)),
        }
    }
    for (name, value) in attributes {
        let json = value.to_json();
        match read(&name, &json) {
            Some(value) => drop(facts.attributes.insert(name, value)),
            None => drop(facts.unmodelled.insert(name, Arc::from(json.to_string()))),
        }
    }
    facts
}

/// Whether a stage of life is one of the class's.
pub(crate) fn has_stage(stages: Stages, lifecycle: Lifecycle) -> bool {
    match stages {
        Stages::Service => matches!(lifecycle, Lifecycle::Pipeline | Lifecycle::Live | Lifecycle::Retired),
        Stages::Component => lifecycle != Lifecycle::Pipeline,
    }
}

fn identifies(class: &Class, attribute: &Symbol) -> bool {
    class.identities.iter().any(|rule| rule.attributes.contains(attribute))
}

fn within_limits(observation: &Observation, limits: &Limits) -> Result<(), Box<Finding>> {
    let beyond =
        |field: &str, message: String| Box::new(finding(observation, FindingCode::LimitExceeded, field, message));
    let characters = observation.name.as_ref().map_or(0, |name| name.chars().count());
    if characters > limits.name_characters {
        let message = format!("the name has {characters} characters; at most {} are kept", limits.name_characters);
        return Err(beyond("name", message));
    }
    let attributes = observation.attributes.len();
    if attributes > limits.attributes {
        let message = format!("there are {attributes} attributes; at most {} are kept", limits.attributes);
        return Err(beyond("attributes", message));
    }
    for (name, json) in &observation.attributes {
        let bytes = json_bytes(json);
        if bytes > limits.value_bytes {
            let message = format!("the value has {bytes} bytes; at most {} are kept", limits.value_bytes);
            return Err(beyond(name, message));
        }
    }
    Ok(())
}

/// Bytes of a value as it would be kept.
fn json_bytes(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 16,
        Json::Array(_) | Json::Object(_) => json.to_string().len(),
    }
}

fn finding(observation: &Observation, code: FindingCode, field: &str, message: String) -> Finding {
    Finding::new(code, observation.position.clone(), message).about(observation.source_key.as_str()).in_field(field)
}

/// A further attribute of a relationship: scalars keep their type, anything else becomes its JSON
/// text.
pub(crate) fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::String(text) => Value::text(text),
        Json::Number(number) => match (number.as_i64(), keelson_model::value::decimal_of(number)) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(decimal)) => Value::Decimal(decimal),
            (None, None) => Value::text(&number.to_string()),
        },
        Json::Array(_) | Json::Object(_) => Value::text(&json.to_string()),
    }
}
