//! Which files are catalogues, and of which day.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use keelson_importer::yaml::{self, Document};
use keelson_importer::{Context, EnvelopeError, Input, SourceFile};
use serde_json::Value as Json;

/// One document of a catalogue.
pub(crate) struct Part {
    pub(crate) file: String,
    pub(crate) document: Document,
}

/// The documents of every version of the catalogue, by the time they show.
pub(crate) fn versions(input: &Input, context: &Context) -> Result<BTreeMap<DateTime<Utc>, Vec<Part>>, EnvelopeError> {
    let mut versions: BTreeMap<DateTime<Utc>, Vec<Part>> = BTreeMap::new();
    for file in input.files.iter().filter(|file| may_be_catalogue(&file.name)) {
        let parts = read_file(file, input)?;
        if !parts.is_empty() {
            let at = date_in(&file.name).unwrap_or(context.observed_at);
            versions.entry(at).or_default().extend(parts);
        }
    }
    if versions.is_empty() {
        let expected = "a GitLab service catalogue (YAML with lists of services and teams)".to_owned();
        return Err(EnvelopeError::NothingToRead { files: input.files.len(), expected });
    }
    Ok(versions)
}

fn may_be_catalogue(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// Whether a file is a catalogue by its name. Others are catalogues if they have its lists.
fn is_named_catalogue(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("service-catalog") && !file.contains("schema")
}

/// Reads the documents of a file that are parts of a catalogue; none where it is another file.
fn read_file(file: &SourceFile, input: &Input) -> Result<Vec<Part>, EnvelopeError> {
    let unreadable = |line, reason: &str| {
        Err(EnvelopeError::Unreadable { file: file.name.clone(), line, reason: reason.to_owned() })
    };
    let text = file.text(&input.limits)?;
    let mut parts = Vec::new();
    if mentions_lists(&text) {
        for document in yaml::documents(&text, input.limits.nesting) {
            // A catalogue is one document: what cannot be read could be all of it.
            let document = match document {
                Ok(document) => document,
                Err(error) => return unreadable(Some(error.line), &error.reason),
            };
            let list = |name: &str| document.value.get(name).is_some_and(Json::is_array);
            if !list("services") && !list("teams") {
                continue;
            }
            for name in ["services", "teams"] {
                let nothing = document.value.get(name).map(|found| found.as_array().is_none_or(Vec::is_empty));
                if nothing == Some(true) {
                    let line = Some(document.line_of(&format!("/{name}")));
                    let reason = format!("'{name}' lists nothing; the catalogue may have been cut off");
                    return unreadable(line, &reason);
                }
            }
            parts.push(Part { file: file.name.clone(), document });
        }
    }
    if parts.is_empty() && is_named_catalogue(&file.name) {
        return unreadable(None, "it lists neither services nor teams; the catalogue may have been cut off");
    }
    Ok(parts)
}

/// Whether a text could have one of the lists, in YAML or JSON. Spares reading other files, which
/// need not be readable here.
fn mentions_lists(text: &str) -> bool {
    ["services", "teams"].iter().any(|name| {
        let begins = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'));
        text.lines().any(begins) || text.contains(&format!("\"{name}\""))
    })
}

/// The last date in the name of a file or of a folder above it, `2021-07-01`: its first second in
/// UTC.
fn date_in(name: &str) -> Option<DateTime<Utc>> {
    const LENGTH: usize = "2021-07-01".len();
    let bytes = name.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..bytes.len().saturating_sub(LENGTH - 1)).rev();
    let alone = starts.filter(|at| !digit(at + LENGTH) && !at.checked_sub(1).is_some_and(digit));
    let mut dates = alone.filter_map(|at| {
        let text = name.get(at..at + LENGTH)?;
        let shaped = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if shaped { text.parse::<NaiveDate>().ok() } else { None }
    });
    Some(dates.next()?.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_in_names() {
        let date = |name: &str| date_in(name).map(|at| at.to_rfc3339());
        let july = Some("2021-07-01T00:00:00+00:00".to_owned());
        for name in ["service-catalog.2021-07-01.yml", "2021-07-01/catalog.yml", "2020-01-01/x-2021-07-01é.yml"] {
            assert_eq!(date(name), july, "{name}");
        }
        for name in ["", "service-catalog.yml", "2021-13-01.yml", "12021-07-01.yml", "2021-07-012.yml", "é2021-07-0"] {
            assert_eq!(date(name), None, "{name}");
        }
    }
}
