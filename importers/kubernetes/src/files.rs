//! Which files of an import hold objects, and in which form.

use std::sync::Arc;

use keelson_importer::yaml::{self, Document};
use keelson_importer::{EnvelopeError, Input, SourceFile};
use keelson_model::{Finding, FindingCode, Position, Severity};
use serde_json::Value as Json;

/// Where something stands: a file, a document of it, a JSON pointer in there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    /// Knows lines; JSON has none.
    document: Option<Arc<Document>>,
    /// Number of the document in its file, where there are several.
    number: Option<u32>,
    pub(crate) base: String,
}

impl Place {
    /// The position of a part, given by its JSON pointer from here.
    pub(crate) fn at(&self, pointer: &str) -> Position {
        let whole = format!("{}{pointer}", self.base);
        let position = match &self.document {
            Some(document) => document.position(&self.file, &whole),
            None => Position { document: self.number, ..Position::pointer(&self.file, &whole) },
        };
        if whole.is_empty() { Position { pointer: None, ..position } } else { position }
    }

    /// The place of a part.
    pub(crate) fn within(&self, pointer: &str) -> Self {
        Self { base: format!("{}{pointer}", self.base), ..self.clone() }
    }
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An answer of the API to a listing: `PodList`, whose items do not say their kind.
    ApiList,
    /// A list that a client put together: `List`.
    ClientList,
    /// A part of a support bundle: a list whose items repeat their kind, or a bare array.
    Bundle,
    /// One object.
    Object,
    /// Nothing of Kubernetes.
    Foreign,
}

/// One document.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) form: Form,
    pub(crate) place: Place,
    pub(crate) value: Json,
}

/// One file with its documents.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: Arc<str>,
    pub(crate) parts: Vec<Part>,
    /// Whether its end is marked, so that nothing can be missing behind what was read.
    pub(crate) ended: bool,
}

/// All files that may hold objects.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) files: Vec<File>,
    pub(crate) findings: Vec<Finding>,
    /// Whether every one of them was understood.
    pub(crate) understood: bool,
}

/// Reads the files of an import. A JSON file that cannot be read stops it, because it was cut off
/// or is no answer at all; a YAML document that cannot be read is refused alone.
pub(crate) fn read(input: &Input) -> Result<Files, EnvelopeError> {
    let mut all = Files { understood: true, ..Files::default() };
    for source in &input.files {
        let plain = source.name.strip_suffix(".gz").unwrap_or(&source.name);
        let is_json = plain.ends_with(".json");
        if is_json || plain.ends_with(".yaml") || plain.ends_with(".yml") {
            let file = all.read_file(source, input, is_json)?;
            all.files.extend(file);
        }
    }
    Ok(all)
}

fn unreadable(file: &str, line: Option<u32>, reason: impl Into<String>) -> EnvelopeError {
    EnvelopeError::Unreadable { file: file.to_owned(), line, reason: reason.into() }
}

impl Files {
    fn read_file(
        &mut self,
        source: &SourceFile,
        input: &Input,
        named_json: bool,
    ) -> Result<Option<File>, EnvelopeError> {
        let text = source.text(&input.limits)?;
        if text.trim().is_empty() {
            return Err(unreadable(&source.name, None, "it is empty; an answer without objects says so"));
        }
        let name: Arc<str> = source.name.as_str().into();
        let looks_json = text.trim_start().starts_with(['{', '[']);
        let parts = match json_parts(&text, &name) {
            Ok(parts) => parts,
            Err(error) if named_json || (looks_json && error.is_eof()) => {
                let line = u32::try_from(error.line()).ok();
                let reason = format!("it is no whole JSON: {error}");
                return Err(unreadable(&source.name, line, reason));
            }
            Err(_) if !text.contains("apiVersion") => {
                self.pass_over(&name);
                return Ok(None);
            }
            Err(_) => {
                let parts = self.yaml_parts(&text, &name, input.limits.nesting);
                return self.judge(name, parts, true).map(Some);
            }
        };
        self.judge(name, parts, false).map(Some)
    }

    /// Tells what the documents of a file are.
    fn judge(&mut self, name: Arc<str>, mut parts: Vec<Part>, is_yaml: bool) -> Result<File, EnvelopeError> {
        for part in &mut parts {
            part.form = form(&part.value);
            if let Some(reason) = failure(&part.value) {
                let reason = format!("it is an error of the API instead of an answer: {reason}");
                return Err(unreadable(&name, None, reason));
            }
        }
        if parts.iter().any(|part| part.form == Form::Foreign) {
            self.pass_over(&name);
        }
        let ended = match parts.as_slice() {
            [part] if is_yaml => is_ended(part),
            [_] => true,
            _ => false,
        };
        Ok(File { name, parts, ended })
    }

    fn pass_over(&mut self, name: &str) {
        self.understood = false;
        let message = "something in here is no object of Kubernetes; it is passed over";
        let finding =
            Finding::new(FindingCode::UnknownClass, Position { line: None, ..Position::line(name, 1) }, message);
        self.findings.push(finding.with_severity(Severity::Info));
    }

    fn yaml_parts(&mut self, text: &str, name: &Arc<str>, nesting: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        for document in yaml::documents(text, nesting) {
            match document {
                Ok(mut document) => {
                    let value = std::mem::take(&mut document.value);
                    let (number, base) = (Some(document.number), String::new());
                    let place = Place { file: Arc::clone(name), document: Some(Arc::new(document)), number, base };
                    parts.push(Part { form: Form::Foreign, place, value });
                }
                Err(error) => {
                    let position = Position::line(name, error.line);
                    self.understood = false;
                    self.findings.push(Finding::new(FindingCode::MalformedRow, position, error.reason));
                }
            }
        }
        parts
    }
}

/// The JSON documents of a text, one after the other.
fn json_parts(text: &str, name: &Arc<str>) -> Result<Vec<Part>, serde_json::Error> {
    let values: Vec<Json> = serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>()?;
    let several = values.len() > 1;
    let part = |(value, number)| {
        let number = several.then_some(number);
        let place = Place { file: Arc::clone(name), document: None, number, base: String::new() };
        Part { form: Form::Foreign, place, value }
    };
    Ok(values.into_iter().zip(1..).map(part).collect())
}

/// Whether a list in YAML says something behind its items, as every client writes it: without
/// that it may have been cut off between two of them.
fn is_ended(part: &Part) -> bool {
    let Some(document) = &part.place.document else { return false };
    let behind = |pointer: &str| document.line_of(pointer) > document.line_of("/items");
    let version = part.value.pointer("/metadata/resourceVersion").is_some_and(Json::is_string);
    version && behind("/kind") && behind("/metadata")
}

/// What a document is.
fn form(value: &Json) -> Form {
    let fields = match value {
        Json::Array(_) => return Form::Bundle,
        Json::Object(fields) => fields,
        _ => return Form::Foreign,
    };
    let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    if kind.is_empty() || version.is_empty() {
        return Form::Foreign;
    }
    let items = fields.get("items").filter(|items| items.is_array() || items.is_null());
    let Some(items) = items.filter(|_| kind.ends_with("List")) else { return Form::Object };
    let said = |item: &Json| item.get("kind").is_some_and(|kind| !kind.is_null());
    if kind == "List" {
        Form::ClientList
    } else if items.as_array().into_iter().flatten().any(said) {
        Form::Bundle
    } else {
        Form::ApiList
    }
}

/// The reason in an answer that says the request failed.
fn failure(value: &Json) -> Option<String> {
    let text = |name: &str| value.get(name).and_then(Json::as_str);
    let failed = text("kind") == Some("Status") && text("status") == Some("Failure");
    failed.then(|| {
        let code = value.get("code").and_then(Json::as_u64).map(|code| format!(" (code {code})")).unwrap_or_default();
        format!("{}{code}", text("reason").unwrap_or("no reason given"))
    })
}

/// The items of a document with their pointers: those of a list, or the document itself.
pub(crate) fn items(part: &mut Part) -> Vec<(Place, &mut Json)> {
    let Part { form, place, value } = part;
    let (rows, base) = match form {
        Form::Foreign => return Vec::new(),
        Form::Object => return vec![(place.clone(), value)],
        Form::Bundle if value.is_array() => (Some(value), ""),
        _ => (value.get_mut("items"), "/items"),
    };
    let rows = rows.and_then(Json::as_array_mut).into_iter().flatten().enumerate();
    rows.map(|(index, row)| (place.within(&format!("{base}/{index}")), row)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_told_by_their_content() {
        let of = |value: Json| form(&value);
        assert_eq!(of(json!({"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {}}]})), Form::ApiList);
        assert_eq!(of(json!({"kind": "PodList", "apiVersion": "v1", "items": null})), Form::ApiList);
        assert_eq!(of(json!({"kind": "PodList", "apiVersion": "v1", "items": [{"kind": "Pod"}]})), Form::Bundle);
        assert_eq!(of(json!({"kind": "List", "apiVersion": "v1", "items": []})), Form::ClientList);
        assert_eq!(of(json!({"kind": "Pod", "apiVersion": "v1"})), Form::Object);
        assert_eq!(of(json!([{"verbs": ["*"]}])), Form::Bundle);
        for foreign in [json!(null), json!(1), json!({"services": {}}), json!({"kind": "Pod"})] {
            assert_eq!(of(foreign), Form::Foreign);
        }
    }
}
