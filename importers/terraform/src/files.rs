//! Which files are states, and what form they have.

use keelson_importer::{EnvelopeError, Input, SourceFile};
use serde_json::{Map, Value as Json};

/// The versions of the state format that are read.
const STATE_VERSION: u64 = 4;
/// The versions of what `terraform show -json` prints that are read, by what they begin with.
const SHOW_VERSIONS: &[&str] = &["0.1", "0.2", "1."];

/// The form of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A state file.
    State { lineage: String, serial: u64 },
    /// What `terraform show -json` prints of a state.
    Show,
    /// What it prints of a plan; only the state before the plan is read.
    Plan,
}

/// A file that is read.
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) form: Form,
    pub(crate) value: Json,
}

impl Document {
    /// JSON pointer of the state that is read.
    pub(crate) fn base(&self) -> &'static str {
        match self.form {
            Form::State { .. } | Form::Show => "",
            Form::Plan => "/prior_state",
        }
    }
}

/// Reads every file that is a state, in order of their names.
pub(crate) fn read(input: &Input) -> Result<Vec<Document>, EnvelopeError> {
    let mut documents = Vec::new();
    let alone = input.files.len() == 1;
    for file in &input.files {
        let name = file.name.rsplit('/').next().unwrap_or(&file.name);
        let certain = alone || name.contains(".tfstate");
        if certain || is_json(name) {
            let read = read_file(file, input, certain);
            documents.extend(if alone { read? } else { read.map_err(among_others)? });
        }
    }
    if documents.is_empty() {
        let expected = "a Terraform state (version 4) or the output of 'terraform show -json'".to_owned();
        return Err(EnvelopeError::NothingToRead { files: input.files.len(), expected });
    }
    Ok(documents)
}

/// Says of a file that stops an import of several what to do about the others.
fn among_others(error: EnvelopeError) -> EnvelopeError {
    match error {
        EnvelopeError::UnsupportedVersion { file, what, found, supported } => {
            let supported = format!("{supported}; nothing was imported, leave {file} out to import the other files");
            EnvelopeError::UnsupportedVersion { file, what, found, supported }
        }
        other => other,
    }
}

fn is_json(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.ends_with(".json")
}

/// Reads one file; nothing where it is JSON of another kind and nobody said it was a state.
fn read_file(file: &SourceFile, input: &Input, certain: bool) -> Result<Option<Document>, EnvelopeError> {
    let text = file.text(&input.limits)?;
    if text.trim().is_empty() {
        return Err(unreadable(file, None, "the file is empty; the state may have been cut off"));
    }
    let value: Json = serde_json::from_str(&text).map_err(|error| {
        let line = u32::try_from(error.line()).ok();
        // What the parser says quotes nothing of the file.
        unreadable(file, line, &format!("this is no complete JSON: {error}"))
    })?;
    let form = match &value {
        Json::Object(fields) if fields.is_empty() => {
            return Err(unreadable(file, None, "the state is '{}'; it may have been cut off"));
        }
        Json::Object(fields) if fields.contains_key("format_version") => show_form(file, fields)?,
        Json::Object(fields) if is_state(fields) => Some(state_form(file, fields)?),
        _ => None,
    };
    match form {
        Some(form) => Ok(Some(Document { file: file.name.clone(), form, value })),
        None if certain => {
            Err(unreadable(file, None, "this is neither a Terraform state nor the output of 'terraform show -json'"))
        }
        None => Ok(None),
    }
}

fn unreadable(file: &SourceFile, line: Option<u32>, reason: &str) -> EnvelopeError {
    EnvelopeError::Unreadable { file: file.name.clone(), line, reason: reason.to_owned() }
}

/// Whether an object looks like a state of any version.
fn is_state(fields: &Map<String, Json>) -> bool {
    fields.contains_key("version")
        && ["serial", "lineage", "terraform_version", "modules"].iter().any(|name| fields.contains_key(*name))
}

fn state_form(file: &SourceFile, fields: &Map<String, Json>) -> Result<Form, EnvelopeError> {
    if fields.get("version").and_then(Json::as_u64) != Some(STATE_VERSION) {
        return Err(EnvelopeError::UnsupportedVersion {
            file: file.name.clone(),
            what: "Terraform state version".to_owned(),
            found: shown(&fields["version"]),
            supported: format!(
                "{STATE_VERSION} (Terraform 0.12 and later; older states are upgraded by 'terraform apply')"
            ),
        });
    }
    let lineage = fields.get("lineage").and_then(Json::as_str).unwrap_or_default();
    if lineage.trim().is_empty() {
        return Err(unreadable(file, None, "the state has no lineage, so that nobody can say which state it is"));
    }
    let Some(serial) = fields.get("serial").and_then(Json::as_u64) else {
        return Err(unreadable(file, None, "the state has no serial, so that nobody can say how new it is"));
    };
    if !fields.get("resources").is_some_and(Json::is_array) {
        return Err(unreadable(file, None, "the state has no list of resources; it may have been cut off"));
    }
    Ok(Form::State { lineage: lineage.to_owned(), serial })
}

/// The form of what `terraform show -json` prints; nothing where it is something else that has a
/// format version.
fn show_form(file: &SourceFile, fields: &Map<String, Json>) -> Result<Option<Form>, EnvelopeError> {
    let is_plan = ["planned_values", "resource_changes", "prior_state"].iter().any(|name| fields.contains_key(*name));
    if !is_plan && !fields.contains_key("values") && !fields.contains_key("terraform_version") {
        return Ok(None);
    }
    check_show_version(file, fields)?;
    if !is_plan {
        check_values(file, fields)?;
        return Ok(Some(Form::Show));
    }
    let Some(Json::Object(prior)) = fields.get("prior_state") else {
        return Err(unreadable(file, None, "the plan has no prior state; a plan of something new is no inventory"));
    };
    check_show_version(file, prior)?;
    check_values(file, prior)?;
    Ok(Some(Form::Plan))
}

/// A state without resources prints no values at all, which is not told apart from one cut off.
fn check_values(file: &SourceFile, fields: &Map<String, Json>) -> Result<(), EnvelopeError> {
    if fields.get("values").and_then(|values| values.get("root_module")).is_some_and(Json::is_object) {
        return Ok(());
    }
    Err(unreadable(file, None, "it has no values with a root module; the state is empty or was cut off"))
}

fn check_show_version(file: &SourceFile, fields: &Map<String, Json>) -> Result<(), EnvelopeError> {
    let found = fields.get("format_version").and_then(Json::as_str).unwrap_or_default();
    let known = |version: &str| found == version || (version.ends_with('.') && found.starts_with(version));
    if SHOW_VERSIONS.iter().any(|version| known(version)) {
        return Ok(());
    }
    Err(EnvelopeError::UnsupportedVersion {
        file: file.name.clone(),
        what: "format version of 'terraform show -json'".to_owned(),
        found: fields.get("format_version").map_or_else(|| "none".to_owned(), shown),
        supported: "0.1, 0.2 and 1.x".to_owned(),
    })
}

/// A version as it may be shown: short and on one line.
fn shown(version: &Json) -> String {
    version.to_string().chars().take(40).collect()
}
