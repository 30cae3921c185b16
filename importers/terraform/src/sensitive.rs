//! Where a state says, or it is known, that a secret stands.

use std::collections::HashSet;

use keelson_importer::redaction;
use serde_json::{Map, Value as Json};

use crate::files::{Document, Form};
use crate::flat;
use crate::table::fields;

/// Leaves only the state out of a plan: everything else in it repeats values without saying of
/// each whether it is a secret.
pub(crate) fn reduce(document: &mut Document) {
    if let (Form::Plan, Json::Object(fields)) = (&document.form, &mut document.value) {
        fields.retain(|name, _| ["format_version", "terraform_version", "prior_state"].contains(&name.as_str()));
    }
}

/// JSON pointers of everything in the document that is secret beyond what names and shapes tell.
pub(crate) fn pointers(document: &Document) -> Vec<String> {
    let mut found = marked(document);
    copies(&document.value, &mut found);
    found
}

/// Shortest text of which a copy is taken for the secret it equals.
const SHORTEST_COPY: usize = 10;
/// Fields that say what something is; what they equal was no secret.
const NO_COPIES: &[&str] = &[
    "address",
    "arn",
    "id",
    "lineage",
    "mode",
    "module",
    "name",
    "provider",
    "provider_name",
    "region",
    "self_link",
    "terraform_version",
    "type",
];

/// Adds every copy of a marked text: Terraform marks the input of a resource and may not mark what
/// was computed from it.
fn copies(document: &Json, found: &mut Vec<String>) {
    let mut secrets: HashSet<&str> = HashSet::new();
    let mut open: Vec<&Json> = found.iter().filter_map(|pointer| document.pointer(pointer)).collect();
    while let Some(value) = open.pop() {
        match value {
            Json::String(text) if text.len() >= SHORTEST_COPY => {
                secrets.insert(text);
            }
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    if secrets.is_empty() {
        return;
    }
    let mut open = vec![(document, String::new())];
    while let Some((value, pointer)) = open.pop() {
        match value {
            Json::String(text) if secrets.contains(text.as_str()) => found.push(pointer),
            Json::Array(items) => {
                open.extend(items.iter().enumerate().map(|(number, item)| (item, format!("{pointer}/{number}"))));
            }
            Json::Object(fields) => {
                let fields = fields.iter().filter(|(name, _)| !NO_COPIES.contains(&name.as_str()));
                open.extend(fields.map(|(name, field)| (field, format!("{pointer}/{}", escaped(name)))));
            }
            _ => {}
        }
    }
}

/// What the document marks as sensitive, and what is known to be.
fn marked(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    match document.form {
        Form::State { .. } => {
            outputs(document.value.get("outputs"), "/outputs", &mut found);
            for (number, resource) in rows(&document.value, "resources") {
                let kind = resource.get("type").and_then(Json::as_str).unwrap_or_default();
                for (instance, row) in rows(resource, "instances") {
                    of_instance(row, kind, &format!("/resources/{number}/instances/{instance}"), &mut found);
                }
            }
        }
        Form::Show | Form::Plan => {
            let base = format!("{}/values", document.base());
            let Some(values) = document.value.pointer(&base) else { return found };
            outputs(values.get("outputs"), &format!("{base}/outputs"), &mut found);
            let mut open: Vec<(&Json, String)> = Vec::new();
            open.extend(values.get("root_module").map(|root| (root, format!("{base}/root_module"))));
            while let Some((module, pointer)) = open.pop() {
                for (number, row) in rows(module, "resources") {
                    of_shown(row, &format!("{pointer}/resources/{number}"), &mut found);
                }
                let children = rows(module, "child_modules");
                open.extend(children.map(|(number, child)| (child, format!("{pointer}/child_modules/{number}"))));
            }
        }
    }
    found
}

fn rows<'a>(value: &'a Json, field: &str) -> impl Iterator<Item = (usize, &'a Json)> {
    value.get(field).and_then(Json::as_array).into_iter().flatten().enumerate()
}

fn outputs(outputs: Option<&Json>, pointer: &str, found: &mut Vec<String>) {
    for (name, output) in outputs.and_then(Json::as_object).into_iter().flatten() {
        if output.get("sensitive").is_some_and(|sensitive| *sensitive != Json::Bool(false) && !sensitive.is_null()) {
            found.push(format!("{pointer}/{}/value", escaped(name)));
        }
    }
}

fn of_instance(row: &Json, kind: &str, pointer: &str, found: &mut Vec<String>) {
    found.push(format!("{pointer}/private"));
    let attributes = row.get("attributes").unwrap_or(&Json::Null);
    let at = format!("{pointer}/attributes");
    known(attributes, kind, &at, found);
    let flat = row.get("attributes_flat").and_then(Json::as_object);
    for (name, _) in flat.into_iter().flatten() {
        let secret =
            |listed: &str| name == listed || name.strip_prefix(listed).is_some_and(|rest| rest.starts_with('.'));
        if of_kind(kind).any(secret) || name.split('.').any(redaction::is_secret_name) {
            found.push(format!("{pointer}/attributes_flat/{}", escaped(name)));
        }
    }
    let paths = row.get("sensitive_attributes").and_then(Json::as_array).into_iter().flatten();
    for path in paths {
        // A path that is one step was written without its list by some versions.
        let steps = path.as_array().map_or_else(|| std::slice::from_ref(path), Vec::as_slice);
        found.push(along(attributes, steps, &at));
        if let Some(flat) = flat {
            flat_along(flat, steps, pointer, found);
        }
    }
}

/// The JSON pointer of a path of `sensitive_attributes`. Where a step cannot be followed, as into a
/// set, everything at that step is meant.
fn along(attributes: &Json, steps: &[Json], at: &str) -> String {
    let mut pointer = at.to_owned();
    let mut value = attributes;
    for step in steps {
        let key = match step.get("value") {
            Some(Json::Object(typed)) => typed.get("value").unwrap_or(&Json::Null),
            Some(key) => key,
            None => &Json::Null,
        };
        if let (Some(inner), Json::String(name)) = (dynamic(value), key)
            && name != "value"
        {
            pointer.push_str("/value");
            value = inner;
        }
        let (below, segment) = match (value, key) {
            (Json::Object(fields), Json::String(name)) => (fields.get(name), escaped(name)),
            (Json::Array(items), Json::Number(_) | Json::String(_)) => {
                // Numbers are written as text as well.
                let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                (text.parse::<usize>().ok().and_then(|index| items.get(index)), text)
            }
            _ => return pointer,
        };
        match below {
            Some(below) => {
                pointer = format!("{pointer}/{segment}");
                value = below;
            }
            None if value.is_object() => return format!("{pointer}/{segment}"),
            None => return pointer,
        }
    }
    pointer
}

/// The value inside one of any type, which a state writes together with its type.
fn dynamic(value: &Json) -> Option<&Json> {
    let fields = value.as_object().filter(|fields| fields.len() == 2 && fields.contains_key("type"))?;
    fields.get("value")
}

/// The same among flat attributes: everything under the first step.
fn flat_along(flat: &Map<String, Json>, steps: &[Json], pointer: &str, found: &mut Vec<String>) {
    let first = steps.first().and_then(|step| step.get("value")).and_then(Json::as_str);
    for name in flat.keys().filter(|name| first.is_none_or(|first| flat::first_part(name) == first)) {
        found.push(format!("{pointer}/attributes_flat/{}", escaped(name)));
    }
}

fn of_shown(row: &Json, pointer: &str, found: &mut Vec<String>) {
    let kind = row.get("type").and_then(Json::as_str).unwrap_or_default();
    known(row.get("values").unwrap_or(&Json::Null), kind, &format!("{pointer}/values"), found);
    let mut open: Vec<(&Json, String)> = Vec::new();
    open.extend(row.get("sensitive_values").map(|mask| (mask, format!("{pointer}/values"))));
    while let Some((mask, at)) = open.pop() {
        match mask {
            Json::Bool(true) => found.push(at),
            Json::Array(items) => open.extend(items.iter().enumerate().map(|(n, item)| (item, format!("{at}/{n}")))),
            Json::Object(fields) => {
                open.extend(fields.iter().map(|(name, field)| (field, format!("{at}/{}", escaped(name)))));
            }
            _ => {}
        }
    }
}

/// Attributes known to hold secrets.
fn known(attributes: &Json, kind: &str, at: &str, found: &mut Vec<String>) {
    let says_something = |name: &&str| match attributes.get(*name) {
        None | Some(Json::Null | Json::Bool(_)) => false,
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(items)) => !items.is_empty(),
        Some(Json::Object(fields)) => !fields.is_empty(),
        Some(Json::Number(_)) => true,
    };
    found.extend(of_kind(kind).filter(says_something).map(|name| format!("{at}/{name}")));
}

fn of_kind(kind: &str) -> impl Iterator<Item = &'static str> {
    fields::SECRET.iter().filter(move |(of, _)| of.is_empty() || *of == kind).map(|(_, attribute)| *attribute)
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
