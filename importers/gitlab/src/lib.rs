//! The importer of GitLab service catalogues.
//!
//! The catalogue is one YAML document with a list of services and a list of teams; newer ones keep
//! the lists in separate files. Several versions of it, told apart by a date in the name of file or
//! folder, become one batch each, oldest first, so that they read as one history.
//!
//! | The catalogue says on service A | Keelson stores |
//! | --- | --- |
//! | `technical.dependencies[].service: x` | A depends on x |
//! | `teams[]`, `owner`, `infra_owner` | A is owned by the team |
//!
//! The rows are data ([`table::RELATIONS`]), as are the fields that become attributes. A service is
//! known by its `name` alone, exactly as written, so that renaming one is a withdrawal and a
//! creation; its label and its friendly name may repeat and identify nothing.
//!
//! A batch is complete when its document lists both services and teams and no row was refused.
//!
//! This crate refuses to read a catalogue in part: a document that cannot be read, or that lists
//! nothing, stops the import, because it could be mistaken for a catalogue of which everything has
//! gone. It refuses to guess what tiers and criticality numbers mean; they are kept as they are.

mod files;
mod read;
pub mod table;

use std::collections::BTreeMap;

use keelson_importer::{Context, EnvelopeError, Importer, Input, merge, rows};
use keelson_model::{Batch, Completeness, Finding, FindingCode, ImporterVersion, Payload, Position, Scope, Severity};
use serde_json::Value as Json;

use files::Part;

/// Reads GitLab service catalogues.
///
/// Options: `repository`, the address of the repository they lie in; it is the scope where the
/// caller gives none. `commit`, the commit at which they were read; it becomes the cursor of the
/// batch of a version without a date.
#[derive(Clone, Copy, Debug, Default)]
pub struct GitlabImporter;

impl Importer for GitlabImporter {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn reads(&self) -> &'static str {
        "GitLab service catalogues: services, teams and dependencies in YAML, one version or several with dates"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        let repository = context.options.get("repository").map(|repository| repository.trim());
        if repository == Some("") {
            let reason = "it is empty; give the address of the repository or leave the option out".to_owned();
            return Err(EnvelopeError::Option { option: "repository".to_owned(), reason });
        }
        let scope = context.scope.clone().or_else(|| Some(Scope::of(&[("repository", repository?)])));
        // Names are unique in a source and identify, so that a source is one catalogue.
        let scope = scope.unwrap_or_else(|| Scope::named("all"));
        let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
        let begin = |at| Batch::new(&context.source, scope.clone(), importer.clone(), at);
        let versions = files::versions(input, context)?;
        Ok(versions.into_iter().map(|(at, parts)| read_version(begin(at), parts, input, context)).collect())
    }
}

/// Reads one version of the catalogue.
fn read_version(mut batch: Batch, mut parts: Vec<Part>, input: &Input, context: &Context) -> Batch {
    let lists = |name: &str| parts.iter().any(|part| part.document.value.get(name).is_some());
    let missing = ["services", "teams"].into_iter().find(|name| !lists(name));
    let mut payloads: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for part in &mut parts {
        let value = read::take(&mut batch, part, input.limits.row_bytes);
        payloads.entry(part.file.clone()).or_default().push(value);
    }
    let content = |documents: Vec<Json>| Json::from(documents).to_string().into_bytes();
    let payloads = payloads.into_iter();
    batch.payloads = payloads.map(|(name, read)| Payload::new(&name, "application/json", content(read))).collect();
    if batch.observed_at == context.observed_at {
        batch.cursor = context.options.get("commit").cloned();
    }
    merge::duplicates(&mut batch.observations, &mut batch.findings);
    merge::relationships(&mut batch.relationships);
    merge::report_self_loops(&mut batch);
    read::report_case_differences(&mut batch);
    rows::keep_within_limits(&mut batch);
    judge_completeness(&mut batch, missing);
    // Of this version alone: what an earlier one described may have gone.
    merge::report_missing_targets(std::slice::from_mut(&mut batch));
    batch
}

/// Calls the batch complete where nothing speaks against it, and says what does otherwise.
fn judge_completeness(batch: &mut Batch, missing: Option<&str>) {
    let files: Vec<&str> = batch.payloads.iter().map(|payload| payload.name.as_str()).collect();
    let refused = batch.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let against = match (missing, refused) {
        (None, 0) => {
            let proof = format!("the whole of {} was read, with all services and teams", files.join(" and "));
            batch.completeness = Completeness::Complete { proof };
            return;
        }
        (Some(missing), _) => format!("no file lists the {missing}"),
        // What a refused row described would look as if it had gone.
        (None, refused) => format!("{refused} rows were refused"),
    };
    let position = files.first().map(|file| Position::line(file, 1)).unwrap_or_default();
    let message = format!("{against}, so nothing is withdrawn by this import");
    batch.findings.push(Finding::new(FindingCode::TruncatedSource, position, message));
}
