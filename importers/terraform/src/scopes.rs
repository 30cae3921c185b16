//! Which part of the world each file covers, and which of several versions of a state counts.

use std::collections::{BTreeMap, HashMap};

use keelson_importer::{Context, EnvelopeError};
use keelson_model::{Finding, FindingCode, Position, Scope};

use crate::files::{Document, Form};

/// A document with what it covers.
pub(crate) struct Part {
    pub(crate) document: Document,
    pub(crate) scope: Scope,
    /// What its source keys begin with: the lineage.
    pub(crate) lineage: String,
    /// Older versions of the same state that were left out.
    pub(crate) findings: Vec<Finding>,
}

/// The source that nobody named: an import without `--source` is called as its importer is.
const USUAL_SOURCE: &str = "terraform";

/// Gives every document its scope. Of several versions of one state (a state beside its backups)
/// only the one of the highest serial is kept.
///
/// A shown state does not say which one it is. Its file name does not either: `prod/state.json` and
/// `test/state.json` are both `state.json` where they are imported one by one, and each would replace
/// the other. So somebody has to name it.
pub(crate) fn assign(documents: Vec<Document>, context: &Context) -> Result<Vec<Part>, EnvelopeError> {
    let given = context.options.get("lineage").map(|lineage| lineage.trim());
    if given == Some("") {
        let reason = "it is empty; give the lineage of the state or leave the option out".to_owned();
        return Err(EnvelopeError::Option { option: "lineage".to_owned(), reason });
    }
    let lineage = |document: &Document| match &document.form {
        Form::State { lineage, .. } => Some(lineage.clone()),
        Form::Show | Form::Plan => given.map(str::to_owned),
    };
    let is_named = context.scope.is_some() || context.source != USUAL_SOURCE;
    if let Some(nameless) = documents.iter().find(|document| lineage(document).is_none() && !is_named) {
        return Err(nobody_named(&nameless.file));
    }
    let mut versions: BTreeMap<(Option<String>, String), Vec<Document>> = BTreeMap::new();
    for document in documents {
        let base = base_name(&document.file).to_owned();
        versions.entry((lineage(&document), base)).or_default().push(document);
    }
    let mut sharing: HashMap<Option<String>, usize> = HashMap::new();
    for (lineage, _) in versions.keys() {
        *sharing.entry(lineage.clone()).or_default() += 1;
    }
    let alone = versions.len() == 1;
    let mut parts = Vec::with_capacity(versions.len());
    for ((lineage, _), states) in versions {
        let (document, findings) = newest(states);
        let Some(document) = document else { continue };
        let is_shared = sharing.get(&lineage).is_some_and(|sharing| *sharing > 1);
        let scope = scope(context, lineage.as_deref(), &document.file, Others { alone, is_shared });
        let lineage = match (lineage, &document.form) {
            (Some(lineage), Form::Show | Form::Plan) if is_shared => format!("{lineage}/{}", document.file),
            (Some(lineage), _) => lineage,
            (None, _) if context.scope.is_some() => scope.to_string(),
            (None, _) => document.file.clone(),
        };
        parts.push(Part { document, scope, lineage, findings });
    }
    parts.sort_by(|a, b| a.document.file.cmp(&b.document.file));
    Ok(parts)
}

/// Which other states are imported together with one.
#[derive(Clone, Copy)]
struct Others {
    /// None.
    alone: bool,
    /// Some of the same lineage.
    is_shared: bool,
}

/// What a state covers. A file is named by its path below the file or folder that was given, so that
/// the same folder gives the same scopes wherever it lies.
fn scope(context: &Context, lineage: Option<&str>, file: &str, others: Others) -> Scope {
    match (&context.scope, lineage) {
        (Some(scope), _) if others.alone => scope.clone(),
        (Some(scope), _) => Scope::named(&format!("{scope}/{}", Scope::of(&[("file", file)]))),
        (None, Some(lineage)) if others.is_shared => Scope::of(&[("lineage", lineage), ("file", file)]),
        (None, Some(lineage)) => Scope::of(&[("lineage", lineage)]),
        (None, None) => Scope::of(&[("file", file)]),
    }
}

fn nobody_named(file: &str) -> EnvelopeError {
    let reason = format!(
        "{file} does not say which state it is ('terraform show -json' leaves the lineage out), and another state may \
         have a file of the same name; give a name that no other state has, such as --option lineage=prod-network, \
         or the state's own lineage from 'terraform state pull'; --scope or a --source of its own will do as well"
    );
    EnvelopeError::Option { option: "lineage".to_owned(), reason }
}

/// The version with the highest serial; of equal ones the one with the shortest name, which is no
/// backup.
fn newest(states: Vec<Document>) -> (Option<Document>, Vec<Finding>) {
    let serial = |document: &Document| match document.form {
        Form::State { serial, .. } => serial,
        Form::Show | Form::Plan => 0,
    };
    let mut states = states;
    states.sort_by(|a, b| {
        let by_name = || (a.file.len(), &a.file).cmp(&(b.file.len(), &b.file));
        serial(b).cmp(&serial(a)).then_with(by_name)
    });
    let mut states = states.into_iter();
    let kept = states.next();
    let findings = states.map(|left_out| {
        let than = kept.as_ref().map_or("", |kept| kept.file.as_str());
        let message = format!("serial {} of the state is not newer than {than}; it is left out", serial(&left_out));
        Finding::new(FindingCode::OlderThanKnown, Position::pointer(&left_out.file, "/serial"), message)
    });
    let findings = findings.collect();
    (kept, findings)
}

/// The name of a state file without what Terraform adds to the names of backups:
/// `terraform.tfstate.1700000000.backup`.
fn base_name(file: &str) -> &str {
    let mut name = file.strip_suffix(".gz").unwrap_or(file);
    if let Some(before) = name.strip_suffix(".backup") {
        name = before;
        if let Some((before, number)) = name.rsplit_once('.')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            name = before;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_are_versions_of_their_state() {
        for name in ["a/terraform.tfstate", "a/terraform.tfstate.backup", "a/terraform.tfstate.1700.backup"] {
            assert_eq!(base_name(name), "a/terraform.tfstate");
        }
        assert_eq!(base_name("x.tfstate.gz"), "x.tfstate");
        assert_eq!(base_name("b.17.tfstate"), "b.17.tfstate");
    }
}
