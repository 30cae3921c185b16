//! Which files of an import belong to the catalogue, and what their documents are.

use std::collections::{BTreeMap, BTreeSet};

use keelson_importer::yaml::{self, Document, YamlError};
use keelson_importer::{EnvelopeError, Input, InputError, SourceFile};
use keelson_model::{Finding, FindingCode, Position};
use serde_json::Value as Json;

use crate::entity::shown;
use crate::location::{Unresolved, resolve};

/// One file of the catalogue.
pub(crate) struct CatalogueFile {
    pub(crate) name: String,
    pub(crate) documents: Vec<Result<Document, YamlError>>,
    /// Its digest, which stands for documents that cannot be read.
    pub(crate) sha256: String,
}

/// All files of the catalogue, and how much of it they are.
#[derive(Default)]
pub(crate) struct Files {
    /// In order of their names.
    pub(crate) files: Vec<CatalogueFile>,
    pub(crate) findings: Vec<Finding>,
    /// Targets of Locations that were found among the files.
    pub(crate) resolved: usize,
    /// Whether some part of the catalogue is known to be elsewhere.
    pub(crate) parts_missing: bool,
    /// Whether any of it is an answer of the catalogue's interface, which does not say whether it
    /// is all there is.
    pub(crate) from_interface: bool,
    /// Whether an answer has no page behind it.
    last_page: bool,
    /// Where the last answer that has one says so.
    continued: Option<Position>,
}

/// Reads the files that are recognised as part of a catalogue, and every file that a Location in
/// one of them points at.
pub(crate) fn read(input: &Input, repository: Option<&str>) -> Result<Files, EnvelopeError> {
    let names: Vec<&str> = input.files.iter().map(|file| file.name.as_str()).collect();
    let mut found: BTreeMap<usize, CatalogueFile> = BTreeMap::new();
    let mut all = Files::default();
    let candidates = (0..names.len()).filter(|number| may_be_catalogue(names[*number]));
    let mut open: Vec<(usize, bool)> = candidates.map(|number| (number, is_descriptor(names[number]))).collect();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    while !open.is_empty() {
        let mut next = Vec::new();
        for (number, certain) in open {
            if seen.contains(&number) {
                continue;
            }
            if let Some(file) = all.read_file(&input.files[number], input, certain)? {
                seen.insert(number);
                next.extend(all.follow(&file, &names, repository).into_iter().map(|number| (number, true)));
                found.insert(number, file);
            }
        }
        open = next;
    }
    all.judge_pages();
    all.files = found.into_values().collect();
    Ok(all)
}

/// Whether a file of this name can hold entities at all.
fn may_be_catalogue(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// Whether a file has the name that Backstage looks for.
fn is_descriptor(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name == "catalog-info.yaml" || name == "catalog-info.yml"
}

impl Files {
    /// Reads one file; nothing where it is not known to belong to the catalogue and does not look
    /// as if it did.
    fn read_file(
        &mut self,
        file: &SourceFile,
        input: &Input,
        certain: bool,
    ) -> Result<Option<CatalogueFile>, EnvelopeError> {
        let name = file.name.clone();
        let at = |line| Position { line, ..Position::line(&name, 1) };
        let text = match file.text(&input.limits) {
            Ok(text) => text,
            Err(error @ InputError::Encoding { .. }) => {
                self.findings.push(Finding::new(FindingCode::MalformedRow, at(None), error.to_string()));
                let documents = Vec::new();
                return Ok(Some(CatalogueFile { documents, sha256: file.sha256()?, name }));
            }
            Err(error) => return Err(error.into()),
        };
        // Every entity names the version of its format, so that a file without these words holds
        // none.
        if !certain && !text.contains("backstage.io/") {
            return Ok(None);
        }
        let documents = yaml::documents(&text, input.limits.nesting);
        // What cannot be read may have been an entity, so that it is kept and reported.
        let belongs = |document: &Result<Document, YamlError>| document.as_ref().map_or(true, holds_entity);
        if !certain && !documents.iter().any(belongs) {
            return Ok(None);
        }
        if documents.is_empty() {
            let message = "the file is empty, but it belongs to the catalogue; it may have been cut off";
            self.findings.push(Finding::new(FindingCode::TruncatedSource, at(Some(1)), message));
            self.parts_missing = true;
        }
        Ok(Some(CatalogueFile { documents, sha256: file.sha256()?, name }))
    }

    /// The files that the Locations in a file point at.
    fn follow(&mut self, file: &CatalogueFile, names: &[&str], repository: Option<&str>) -> BTreeSet<usize> {
        let mut targets = BTreeSet::new();
        for document in file.documents.iter().flatten() {
            if answer_rows(&document.value).is_some() {
                self.note_answer(file, document);
                continue;
            }
            if !is_location(&document.value) {
                continue;
            }
            let optional = document.value.pointer("/spec/presence").and_then(Json::as_str) == Some("optional");
            for (pointer, target) in location_targets(&document.value) {
                let found = target.as_str().map(|path| resolve(path, &file.name, names, repository));
                match found {
                    Some(Ok(found)) => {
                        self.resolved += 1;
                        targets.extend(found);
                    }
                    Some(Err(_)) if optional => {}
                    unresolved => {
                        let (code, message) = why_unread(target, unresolved.and_then(Result::err));
                        self.parts_missing = true;
                        self.findings.push(Finding::new(code, document.position(&file.name, &pointer), message));
                    }
                }
            }
        }
        targets
    }

    /// Notes an answer of the interface, and whether it says that another page follows.
    fn note_answer(&mut self, file: &CatalogueFile, document: &Document) {
        self.from_interface = true;
        let pointer = "/pageInfo/nextCursor";
        let more = document.value.pointer(pointer).is_some_and(|cursor| !cursor.is_null());
        self.last_page |= !more;
        if more {
            self.continued = Some(document.position(&file.name, pointer));
        }
    }

    /// Reports a listing whose last page is not among the files.
    fn judge_pages(&mut self) {
        let Some(position) = self.continued.take().filter(|_| !self.last_page) else { return };
        self.parts_missing = true;
        let message = "another page follows, but no last page is among the files; import all pages together";
        self.findings.push(Finding::new(FindingCode::TruncatedSource, position, message));
    }
}

/// The rows of a saved answer of the interface, with the name of the field that holds them.
pub(crate) fn answer_rows(value: &Json) -> Option<(&'static str, &Vec<Json>)> {
    match value {
        Json::Array(rows) => Some(("", rows)),
        Json::Object(fields) if !fields.contains_key("kind") => {
            fields.get("items")?.as_array().map(|rows| ("/items", rows))
        }
        _ => None,
    }
}

/// Whether a document is an entity, or an answer that begins with one.
fn holds_entity(document: &Document) -> bool {
    let first = answer_rows(&document.value).map_or(Some(&document.value), |(_, rows)| rows.first());
    let version = first.and_then(|entity| entity.get("apiVersion")).and_then(Json::as_str);
    let group = version.and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    group == "backstage.io" || group.ends_with(".backstage.io")
}

fn is_location(entity: &Json) -> bool {
    let says = |pointer: &str, test: fn(&str) -> bool| entity.pointer(pointer).and_then(Json::as_str).is_some_and(test);
    says("/kind", |kind| kind.eq_ignore_ascii_case("location"))
        && says("/apiVersion", |v| v.starts_with("backstage.io/"))
}

/// What to say of a target that leads to no file.
fn why_unread(target: &Json, unresolved: Option<Unresolved>) -> (FindingCode, String) {
    // Secrets are taken out of the entities later than this.
    let shown = shown(target.as_str().unwrap_or_default());
    match unresolved {
        Some(Unresolved::NoMatch) => {
            (FindingCode::EmptySelection, format!("the target '{shown}' is not read: no file matches it"))
        }
        Some(Unresolved::Elsewhere(reason)) => {
            (FindingCode::TruncatedSource, format!("the target '{shown}' is not read: {reason}"))
        }
        None if target.is_null() => (FindingCode::NullTarget, "the target names nothing in this row".to_owned()),
        None => (FindingCode::MalformedRow, "a target is a text: a path, a pattern or an address".to_owned()),
    }
}

/// The targets of a Location with their JSON pointers.
fn location_targets(entity: &Json) -> Vec<(String, &Json)> {
    let one = entity.pointer("/spec/target").map(|target| ("/spec/target".to_owned(), target));
    let many = match entity.pointer("/spec/targets") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(targets)) => {
            targets.iter().enumerate().map(|(index, target)| (format!("/spec/targets/{index}"), target)).collect()
        }
        Some(target) => vec![("/spec/targets".to_owned(), target)],
    };
    one.into_iter().chain(many).collect()
}
