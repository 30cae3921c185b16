//! Whether what was read is all there is. Nothing is complete unless the caller vouches for it,
//! because no answer says whether it was asked for with a selector; and nothing is complete
//! because the caller vouches for it, unless the answers can prove that they were not cut off.

use std::collections::BTreeSet;

use keelson_model::{Batch, Completeness, Finding, FindingCode, Position, Severity};

use crate::draft::Section;
use crate::files::Form;
use crate::read::{List, Reading};
use crate::table;

/// Calls the one batch of an import complete where nothing speaks against it, and says what does
/// otherwise.
pub(crate) fn judge_whole(batch: &mut Batch, reading: &Reading, vouched: bool) {
    report_continued(&mut batch.findings, reading.lists.iter());
    if !vouched {
        return;
    }
    let lists = &reading.lists;
    let has = |form: Form| lists.iter().any(|list| list.form == form);
    let single = lists.iter().any(|list| list.live_object);
    let versions = || lists.iter().filter(|list| list.form == Form::ApiList).any(|list| list.version.is_none());
    let against = if has(Form::Bundle) {
        Some("a support bundle is a partial export".to_owned())
    } else if single {
        Some("single objects are no listing".to_owned())
    } else if has(Form::Object) && batch.cursor.is_none() {
        Some("manifests do not prove that they are whole unless the option 'commit' says at which commit".to_owned())
    } else if !reading.understood {
        Some("not every file was understood".to_owned())
    } else if lists.iter().any(|list| list.form != Form::Object && !list.ended) {
        Some("a list does not show where it ends".to_owned())
    } else if versions() || mixed_version(lists) {
        Some("lists of one kind do not have one resourceVersion".to_owned())
    } else {
        against_rows(&batch.findings)
    };
    let rows: usize = lists.iter().map(|list| list.rows).sum();
    let files = reading.payloads.len();
    let listed = match (&batch.cursor, has(Form::Object)) {
        (Some(commit), true) => format!("all {files} files at commit {commit} were read"),
        _ => format!("every list ended without continue and every row was read (files: {files}, rows: {rows})"),
    };
    conclude(batch, against, format!("{listed}; that they cover the scope is the caller's word"));
}

/// Calls the batch of one kind complete where nothing speaks against it. `broken` are the kinds of
/// which rows were refused.
pub(crate) fn judge_kind(
    batch: &mut Batch,
    section: &Section,
    reading: &Reading,
    vouched: bool,
    broken: &BTreeSet<String>,
) {
    let own: Vec<&List> = reading.lists.iter().filter(|list| is_of(list, &section.kind)).collect();
    report_continued(&mut batch.findings, own.iter().copied());
    if !vouched {
        return;
    }
    let row = table::KINDS.iter().find(|kind| Section::named(kind.name) == *section);
    let missing = row.into_iter().flat_map(|row| row.told_by).find(|kind| !is_told(reading, kind, broken));
    let against = if own.iter().any(|list| list.version.is_none()) || mixed_version(own.iter().copied()) {
        Some("its lists do not have one resourceVersion".to_owned())
    } else if own.iter().any(|list| list.continued.is_some() || !list.ended) {
        Some("a list does not show where it ends".to_owned())
    } else if let Some(missing) = missing {
        Some(format!("what they need is told by the list of {missing}, which was not read as a whole"))
    } else {
        against_rows(&batch.findings)
    };
    let rows: usize = own.iter().map(|list| list.rows).sum();
    let version = batch.cursor.clone().unwrap_or_default();
    let proof = format!(
        "the list of {} ended without continue at resourceVersion {version} and every row was read (rows: {rows}); \
         that it covers the scope is the caller's word",
        section.kind
    );
    conclude(batch, against, proof);
}

fn is_of(list: &List, kind: &str) -> bool {
    list.kind.as_ref().is_some_and(|header| header.kind_in_group() == kind)
}

/// Whether a kind that tells of others was read as a whole.
fn is_told(reading: &Reading, kind: &str, broken: &BTreeSet<String>) -> bool {
    let names: &[&str] = if kind == "EndpointSlice" { &["discovery.k8s.io/EndpointSlice", "Endpoints"] } else { &[] };
    let section = Section::named(kind);
    let names = if names.is_empty() { vec![section.kind.as_str()] } else { names.to_vec() };
    names.iter().any(|name| {
        let mut lists = reading.lists.iter().filter(|list| is_of(list, name)).peekable();
        let known = lists.peek().is_some();
        known
            && !broken.contains(*name)
            && lists.all(|list| list.version.is_some() && list.continued.is_none() && list.ended)
    })
}

/// Whether lists of one kind are of several versions.
fn mixed_version<'l>(lists: impl IntoIterator<Item = &'l List>) -> bool {
    let mut seen: Vec<(String, Option<&String>)> = Vec::new();
    for list in lists {
        let Some(kind) = list.kind.as_ref().filter(|_| list.form == Form::ApiList) else { continue };
        let kind = kind.kind_in_group();
        match seen.iter().find(|(known, _)| *known == kind) {
            Some((_, version)) if *version != list.version.as_ref() => return true,
            Some(_) => {}
            None => seen.push((kind, list.version.as_ref())),
        }
    }
    false
}

/// What a refused row described would look as if it had gone.
fn against_rows(findings: &[Finding]) -> Option<String> {
    if findings.iter().any(|finding| finding.code == FindingCode::TruncatedSource) {
        return Some("a list says that more follows".to_owned());
    }
    let refused = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (refused > 0).then(|| format!("{refused} rows were refused"))
}

fn report_continued<'l>(findings: &mut Vec<Finding>, lists: impl Iterator<Item = &'l List>) {
    for position in lists.filter_map(|list| list.continued.clone()) {
        let message = "the list says that more follows; it was not read to its end";
        findings.push(Finding::new(FindingCode::TruncatedSource, position, message));
    }
}

fn conclude(batch: &mut Batch, against: Option<String>, proof: String) {
    let Some(reason) = against else {
        batch.completeness = Completeness::Complete { proof };
        return;
    };
    let position = batch.payloads.first().map(|first| Position { line: None, ..Position::line(&first.name, 1) });
    let message = format!("{reason}, so nothing is withdrawn by this import");
    batch.findings.push(Finding::new(FindingCode::TruncatedSource, position.unwrap_or_default(), message));
}
