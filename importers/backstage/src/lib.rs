//! The importer of Backstage software catalogues.
//!
//! Reads descriptor files (`catalog-info.yaml` and whatever its `Location`s point at) and answers
//! of the catalogue's interface saved as files. One import makes one batch.
//!
//! | Backstage says on A | Keelson stores |
//! | --- | --- |
//! | `dependsOn: [x]` | A depends on x |
//! | `dependencyOf: [x]` | x depends on A |
//! | `consumesApis: [p]` | A uses p |
//! | `providesApis: [p]` | p depends on A |
//! | `system`, `domain`, `subcomponentOf`, `subdomainOf`, a group's `parent` | A is part of x |
//! | a group's `children` | x is part of A |
//! | `owner` | A is owned by x |
//! | a group's `members`, a user's `memberOf` | the user is a member of the group |
//!
//! The rows are data ([`table::SPEC`], and [`table::RELATIONS`] for the types of `relations[]`),
//! as are the classes of kinds and types ([`table::KINDS`]). An entity is known by its kind,
//! namespace and name without case; the annotation `keelson/key` names its key in the catalogue.
//!
//! The batch is complete when the caller says what the files are all of, by a scope, by the option
//! `repository` or by its word, and when every file was read, every target of every `Location` was
//! found among them and no row was refused. Otherwise it is a delta, which withdraws nothing.
//!
//! This crate refuses to fetch anything: targets elsewhere and `$text` substitutions stay
//! addresses. It refuses to guess the kind of a bare name in `dependsOn`, as Backstage does.

mod catalogue;
mod entity;
mod files;
mod location;
mod reference;
pub mod table;

use keelson_importer::{Context, EnvelopeError, Importer, Input, merge, rows};
use keelson_model::{Batch, Completeness, Finding, FindingCode, ImporterVersion, Payload, Position, Scope, Severity};
use serde_json::{Value as Json, json};

use catalogue::Catalogue;
use entity::Place;
use files::{CatalogueFile, Files};

/// Reads Backstage catalogues.
///
/// Options: `repository`, the address of the repository whose files these are; it is the scope
/// where the caller gives none, and targets that point into it are files. `commit`, the commit at
/// which they were read; it becomes the batch's cursor.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackstageImporter;

impl Importer for BackstageImporter {
    fn name(&self) -> &'static str {
        "backstage"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn reads(&self) -> &'static str {
        "Backstage catalogues: YAML descriptor files with their Locations, and saved answers of the catalogue API"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        let repository = context.options.get("repository").map(String::as_str);
        if repository.is_some_and(|repository| repository.trim().is_empty()) {
            let reason = "it is empty; give the address of the repository or leave the option out".to_owned();
            return Err(EnvelopeError::Option { option: "repository".to_owned(), reason });
        }
        let mut files = files::read(input, repository)?;
        let mut catalogue = Catalogue::default();
        let mut payloads = Vec::with_capacity(files.files.len());
        let read = std::mem::take(&mut files.files);
        let count = read.len();
        let mut unreadable = None;
        for file in read {
            unreadable = unreadable.or_else(|| first_error(&file));
            payloads.push(take_file(file, &mut catalogue, input.limits.row_bytes));
        }
        if catalogue.observations.is_empty() {
            return Err(unreadable.unwrap_or_else(|| EnvelopeError::NothingToRead {
                files: input.files.len(),
                expected: "a Backstage catalogue file (entities of apiVersion backstage.io/v1alpha1)".to_owned(),
            }));
        }
        let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
        let scope = context.scope.clone().or_else(|| Some(Scope::of(&[("repository", repository?)])));
        let declared = scope.is_some() || context.complete;
        let scope = scope.unwrap_or_else(|| Scope::named("all"));
        let mut batch = Batch::new(&context.source, scope, importer, context.observed_at);
        batch.cursor = context.options.get("commit").cloned();
        batch.payloads = payloads;
        batch.observations = catalogue.observations;
        batch.relationships = catalogue.relationships;
        batch.findings = std::mem::take(&mut files.findings);
        batch.findings.append(&mut catalogue.findings);
        merge::duplicates(&mut batch.observations, &mut batch.findings);
        merge::relationships(&mut batch.relationships);
        merge::report_self_loops(&mut batch);
        rows::keep_within_limits(&mut batch);
        if declared {
            judge_completeness(&mut batch, &files, count, context);
        }
        merge::report_missing_targets(std::slice::from_mut(&mut batch));
        Ok(vec![batch])
    }
}

/// Takes every document of a file into the catalogue; gives the file's payload without secrets.
fn take_file(file: CatalogueFile, catalogue: &mut Catalogue, row_bytes: usize) -> Payload {
    let mut kept = Vec::with_capacity(file.documents.len());
    for document in file.documents {
        let mut document = match document {
            Ok(document) => document,
            Err(error) => {
                let position = Position::line(&file.name, error.line);
                catalogue.findings.push(Finding::new(FindingCode::MalformedRow, position, error.reason));
                kept.push(json!({"unreadable": {"line": error.line, "sha256": file.sha256}}));
                continue;
            }
        };
        let mut value = std::mem::take(&mut document.value);
        for (base, entity) in entities(&mut value) {
            catalogue.take(entity, &Place { file: &file.name, document: &document, base: &base }, row_bytes);
        }
        kept.push(value);
    }
    Payload::new(&file.name, "application/json", Json::from(kept).to_string().into_bytes())
}

/// The entities of a document with their JSON pointers: the document itself, or the rows of an
/// answer of the interface.
fn entities(value: &mut Json) -> Vec<(String, &mut Json)> {
    let Some((field, _)) = files::answer_rows(value) else { return vec![(String::new(), value)] };
    let rows = value.pointer_mut(field).and_then(Json::as_array_mut).into_iter().flatten();
    rows.enumerate().map(|(index, row)| (format!("{field}/{index}"), row)).collect()
}

fn first_error(file: &CatalogueFile) -> Option<EnvelopeError> {
    let error = file.documents.iter().find_map(|document| document.as_ref().err())?;
    let (line, reason) = (Some(error.line), error.reason.clone());
    Some(EnvelopeError::Unreadable { file: file.name.clone(), line, reason })
}

/// Calls the batch complete where nothing speaks against it, and says what does otherwise.
fn judge_completeness(batch: &mut Batch, files: &Files, count: usize, context: &Context) {
    let refused = batch.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let against = if refused > 0 {
        // What a refused row described would look as if it had gone.
        Some(format!("{refused} rows were refused"))
    } else if files.parts_missing {
        Some("parts of the catalogue were not among the files".to_owned())
    } else if files.from_interface && !context.complete {
        Some("a saved answer does not say whether it is all there is".to_owned())
    } else {
        None
    };
    if let Some(reason) = against {
        let position = batch.payloads.first().map(|first| Position::line(&first.name, 1)).unwrap_or_default();
        let message = format!("{reason}, so nothing is withdrawn by this import");
        batch.findings.push(Finding::new(FindingCode::TruncatedSource, position, message));
        return;
    }
    let commit = batch.cursor.as_ref().map(|commit| format!(" at commit {commit}")).unwrap_or_default();
    let proof = format!(
        "all {count} files of the catalogue were read{commit} and all {} targets of Locations were among them",
        files.resolved
    );
    batch.completeness = Completeness::Complete { proof };
}
