//! The importers of Keelson's own batch format, and of CSV and NDJSON with a mapping.
//!
//! [`BatchImporter`] reads the product's interchange form: one JSON object per line, strictly. Any
//! line that cannot be used stops the whole batch before anything is written, unless the option
//! `keep-going` is set. [`write::batch`] writes the same form back from the same types ([`mod@line`]).
//!
//! [`CsvImporter`] reads tables and foreign NDJSON by a mapping file that says what every column
//! means; nothing is guessed from their content.
//!
//! This crate refuses to know classes and kinds: whether a class exists and a value fits its
//! attribute is for the reconciliation to say, which knows the user's own classes.

mod assemble;
mod csv;
pub mod line;
mod refusal;
mod understand;
pub mod write;

use keelson_importer::{Context, EnvelopeError, Importer, Input, InputError, LineError, SourceFile, lines};
use keelson_model::{Batch, Completeness, FindingCode, ImporterVersion, OnError, Position, Scope};

use assemble::Assembly;
pub use csv::{CsvImporter, MappedName, mapped_names};
use line::{FORMAT, Header, Line};
use refusal::Refusal;

/// Reads batches in Keelson's own form, one per file.
///
/// Option `keep-going` (`true` or `false`): refuse bad lines and go on with the others. A complete
/// batch of which a line was refused is then no longer taken for complete.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchImporter;

impl Importer for BatchImporter {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn reads(&self) -> &'static str {
        "Keelson's own batch format: one JSON object per line, plain or gzipped"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        if input.files.is_empty() {
            return Err(EnvelopeError::NothingToRead { files: 0, expected: format!("a batch ({FORMAT})") });
        }
        let on_error = if flag(context, "keep-going")? { OnError::KeepGoing } else { OnError::Stop };
        input.files.iter().map(|file| self.read(file, input, context, on_error)).collect()
    }
}

impl BatchImporter {
    fn read(
        self,
        file: &SourceFile,
        input: &Input,
        context: &Context,
        on_error: OnError,
    ) -> Result<Batch, EnvelopeError> {
        let mut lines = lines(file.open(&input.limits)?, input.limits.row_bytes);
        let mut assembly: Option<Assembly> = None;
        while let Some((number, read)) = lines.next_line() {
            let position = Position::line(&file.name, number);
            let bytes = match (read, &mut assembly) {
                (Ok(bytes), _) => bytes,
                (Err(LineError::Io(error)), _) => return Err(InputError::from_stream(&file.name, error).into()),
                (Err(error @ LineError::TooLong { .. }), Some(assembly)) => {
                    let code = FindingCode::LimitExceeded;
                    assembly.refuse(Refusal { code, field: None, message: error.to_string() }, position);
                    continue;
                }
                (Err(error @ LineError::TooLong { .. }), None) => {
                    return Err(not_a_header(&file.name, number, &error.to_string()));
                }
            };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match &mut assembly {
                Some(assembly) => assembly.take(bytes, position),
                None => {
                    let header = header(&file.name, number, bytes)?;
                    let mut batch = self.begin(&file.name, number, header, context)?;
                    batch.on_error = on_error;
                    assembly = Some(Assembly::new(batch, bytes, input.limits.nesting));
                }
            }
        }
        match assembly {
            Some(assembly) => Ok(assembly.finish(&file.name)),
            None => Err(not_a_header(&file.name, 1, "the file is empty")),
        }
    }

    fn begin(self, file: &str, line: u32, header: Header, context: &Context) -> Result<Batch, EnvelopeError> {
        for (field, text) in [("source", header.source.as_str()), ("scope", header.scope.as_deref().unwrap_or("all"))] {
            if text.trim().is_empty() || text.trim() != text || text.len() > 512 || text.chars().any(char::is_control) {
                let reason = format!(
                    "the {field} must be a text of 1 to 512 bytes without control characters or white space around it"
                );
                return Err(EnvelopeError::Unreadable { file: file.to_owned(), line: Some(line), reason });
            }
        }
        let scope = match (&header.scope, &context.scope) {
            (Some(scope), _) => Scope::named(scope),
            (None, Some(scope)) => scope.clone(),
            (None, None) => Scope::named("all"),
        };
        let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
        let observed_at = header.observed_at.unwrap_or(context.observed_at);
        let mut batch = Batch::new(&header.source, scope, importer, observed_at);
        batch.cursor = header.cursor;
        let proof = match header.complete {
            Some(true) => Some("the batch's header says so"),
            None if context.complete => Some("the caller says so"),
            _ => None,
        };
        if let Some(proof) = proof {
            batch.completeness = Completeness::Complete { proof: proof.to_owned() };
        }
        Ok(batch)
    }
}

/// Reads the first line.
fn header(file: &str, line: u32, bytes: &[u8]) -> Result<Header, EnvelopeError> {
    // A later version may have other fields, so the version is looked at before them.
    let format = serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let format = format.as_ref().and_then(|value| value.pointer("/batch/format")?.as_str());
    if let Some(found) = format
        && found != FORMAT
    {
        return Err(EnvelopeError::UnsupportedVersion {
            file: file.to_owned(),
            what: "batch format".to_owned(),
            found: format!("'{}'", found.chars().take(40).collect::<String>()),
            supported: FORMAT.to_owned(),
        });
    }
    match refusal::decode(bytes) {
        Ok(Line::Batch(header)) => Ok(header),
        Ok(_) => Err(not_a_header(file, line, "it is another kind of line")),
        Err(refusal) => {
            let field = refusal.field.map(|field| format!(" (field {field})")).unwrap_or_default();
            Err(not_a_header(file, line, &format!("{}{field}", refusal.message)))
        }
    }
}

fn not_a_header(file: &str, line: u32, why: &str) -> EnvelopeError {
    let reason = format!(
        "the first line must be a header such as {{\"batch\":{{\"format\":\"{FORMAT}\",\"source\":\"…\"}}}}: {why}"
    );
    EnvelopeError::Unreadable { file: file.to_owned(), line: Some(line), reason }
}

/// A yes-or-no option; no where it is not given.
fn flag(context: &Context, option: &str) -> Result<bool, EnvelopeError> {
    match context.options.get(option).map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("" | "true") => Ok(true),
        Some(other) => Err(EnvelopeError::Option {
            option: option.to_owned(),
            reason: format!("'{other}' is neither true nor false"),
        }),
    }
}
