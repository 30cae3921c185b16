//! Tables (CSV) and foreign NDJSON, read by a mapping.

mod mapping;
mod records;
mod rows;

use std::collections::BTreeMap;

use keelson_importer::{Context, EnvelopeError, Importer, Input, InputError, LineError, SourceFile, lines, merge};
use keelson_model::{Batch, Completeness, Finding, FindingCode, ImporterVersion, Payload, Position, Scope, Severity};
use sha2::{Digest, Sha256};

pub use mapping::{MappedName, mapped_names};

use mapping::{Format, Mapping};
use records::RecordError;
use rows::{Row, Said};

/// Reads CSV (RFC 4180) and NDJSON files by a mapping that says what every column or JSON pointer
/// means. Nothing is sniffed: not the delimiter, not the header, not a type.
///
/// Options: `mapping`, the text of the mapping (TOML), required; `rows`, the number of rows there
/// must be, and `sha256`, the digest the one file must have. Either of the latter, a trailer row
/// with the count, or the caller's word makes the batches complete; otherwise they are deltas.
///
/// The source key of a row is its class and its key columns, `host/web1/site1`. What a row refers to
/// and nothing describes is called by class and name, `cluster/c1`, as other sources call it; a field
/// may hold either. Words for nothing (null, none, n/a, -) name nothing. All rows of all files with
/// one scope make one batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct CsvImporter;

impl Importer for CsvImporter {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn version(&self) -> &'static str {
        "2"
    }

    fn reads(&self) -> &'static str {
        "CSV tables and NDJSON files, with a mapping that says what each column means"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        let text = context.options.get("mapping").ok_or_else(|| EnvelopeError::Option {
            option: "mapping".to_owned(),
            reason: "a mapping is required; it says what each column means (on the command line: --option \
                     mapping=FILE)"
                .to_owned(),
        })?;
        let mapping = Mapping::read(text)?;
        if input.files.is_empty() {
            return Err(EnvelopeError::NothingToRead { files: 0, expected: "a table to map".to_owned() });
        }
        let mut table = Table::default();
        for file in &input.files {
            match mapping.format {
                Format::Csv => table.read_csv(file, input, &mapping)?,
                Format::Ndjson => table.read_ndjson(file, input, &mapping)?,
            }
        }
        let proof = proof(&table, input, &mapping, context)?;
        Ok(table.into_batches(&mapping, context, proof.as_deref()))
    }
}

/// What all files together said.
#[derive(Default)]
struct Table {
    by_scope: BTreeMap<Option<Scope>, Said>,
    findings: Vec<Finding>,
    payloads: Vec<Payload>,
    /// Rows that are not header, blank or trailer, readable or not.
    rows: u64,
    /// What the trailers counted, when every file had one.
    trailers: Vec<u64>,
}

impl Table {
    fn refuse(&mut self, code: FindingCode, position: Position, message: impl Into<String>) {
        self.findings.push(Finding::new(code, position, message).with_severity(Severity::Error));
    }

    fn read_csv(&mut self, file: &SourceFile, input: &Input, mapping: &Mapping) -> Result<(), EnvelopeError> {
        let unreadable = |line, reason| EnvelopeError::Unreadable { file: file.name.clone(), line: Some(line), reason };
        let delimiter = u8::try_from(mapping.delimiter).unwrap_or(b',');
        let mut records = records::records(file.open(&input.limits)?, delimiter, input.limits.row_bytes);
        let header = match records.next() {
            None => return Err(unreadable(1, "the file is empty; its first row must name the columns".to_owned())),
            Some((_, Err(RecordError::Io(error)))) => return Err(InputError::from_stream(&file.name, error).into()),
            Some((line, Err(error))) => return Err(unreadable(line, error.to_string())),
            Some((line, Ok(header))) => {
                let columns = rows::columns(&header, mapping).map_err(|reason| unreadable(line, reason))?;
                for secret in &columns.secret {
                    let message = format!("the column '{}' holds secrets; it is left out", header[*secret]);
                    self.findings.push(Finding::new(FindingCode::Redacted, Position::line(&file.name, line), message));
                }
                (header, columns)
            }
        };
        let (header, columns) = header;
        let mut content = Vec::new();
        records::write(&mut content, &header, delimiter);
        for (line, record) in records {
            let position = Position::line(&file.name, line);
            let mut fields = match record {
                Ok(fields) => fields,
                Err(RecordError::Io(error)) => return Err(InputError::from_stream(&file.name, error).into()),
                Err(error @ RecordError::Unclosed { .. }) => return Err(unreadable(line, error.to_string())),
                Err(error) => {
                    self.rows += 1;
                    let too_long = matches!(error, RecordError::TooLong { .. });
                    let code = if too_long { FindingCode::LimitExceeded } else { FindingCode::MalformedRow };
                    self.refuse(code, position, error.to_string());
                    records::write(&mut content, &["refused".to_owned()], delimiter);
                    continue;
                }
            };
            if let Some(count) = mapping.trailer_count(&fields) {
                let count = count.map_err(|reason| unreadable(line, reason))?;
                self.trailers.push(count);
                continue;
            }
            self.rows += 1;
            for index in columns.redact(&mut fields) {
                let message = "a secret was left out";
                let finding = Finding::new(FindingCode::Redacted, position.clone(), message);
                self.findings.push(finding.in_field(header.get(index).map_or("", String::as_str)));
            }
            records::write(&mut content, &fields, delimiter);
            if fields.len() != header.len() {
                let message =
                    format!("the row has {} fields, but the header names {} columns", fields.len(), header.len());
                self.refuse(FindingCode::MalformedRow, position, message);
                continue;
            }
            self.take(&Row::Fields(&columns, &fields), &position, mapping);
        }
        self.payloads.push(Payload::new(&file.name, "text/csv", content));
        Ok(())
    }

    fn read_ndjson(&mut self, file: &SourceFile, input: &Input, mapping: &Mapping) -> Result<(), EnvelopeError> {
        let mut lines = lines(file.open(&input.limits)?, input.limits.row_bytes);
        let mut content = Vec::new();
        while let Some((line, read)) = lines.next_line() {
            let position = Position::line(&file.name, line);
            let bytes = match read {
                Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(bytes) => bytes,
                Err(LineError::Io(error)) => return Err(InputError::from_stream(&file.name, error).into()),
                Err(error @ LineError::TooLong { .. }) => {
                    self.rows += 1;
                    self.refuse(FindingCode::LimitExceeded, position, error.to_string());
                    continue;
                }
            };
            self.rows += 1;
            match serde_json::from_slice::<serde_json::Value>(bytes) {
                Ok(mut value) if value.is_object() => {
                    for pointer in keelson_importer::redaction::redact(&mut value, &[]) {
                        let finding = Finding::new(FindingCode::Redacted, position.clone(), "a secret was left out");
                        self.findings.push(finding.in_field(pointer));
                    }
                    content.extend_from_slice(value.to_string().as_bytes());
                    content.push(b'\n');
                    self.take(&Row::Json(&value), &position, mapping);
                }
                other => {
                    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                    content.extend_from_slice(format!("{{\"refused\":\"{digest}\"}}\n").as_bytes());
                    let reason = other.err().map_or_else(|| "it is something else".to_owned(), |e| e.to_string());
                    let message = format!("the line is not one JSON object: {reason}");
                    self.refuse(FindingCode::MalformedRow, position, message);
                }
            }
        }
        self.payloads.push(Payload::new(&file.name, "application/x-ndjson", content));
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>, position: &Position, mapping: &Mapping) {
        let scope = match rows::scope(row, mapping) {
            Ok(scope) => scope,
            Err(refusal) => return self.findings.push(refusal.into_finding(position.clone())),
        };
        match rows::read(row, mapping, position) {
            Ok((said, findings)) => {
                self.by_scope.entry(scope).or_default().extend(said);
                self.findings.extend(findings);
            }
            Err(refusal) => self.findings.push(refusal.into_finding(position.clone())),
        }
    }

    /// Refuses rows outside what the caller says the import covers.
    fn refuse_out_of_scope(&mut self, claimed: &Scope) {
        let findings = &mut self.findings;
        self.by_scope.retain(|scope, said| match scope {
            Some(scope) if !within(scope, claimed) => {
                for observation in &said.observations {
                    let message = format!("the row is of '{scope}', but the import is said to cover '{claimed}'");
                    findings.push(Finding::new(FindingCode::OutOfScope, observation.position.clone(), message));
                }
                false
            }
            _ => true,
        });
    }

    /// Makes one batch of all rows of a scope. What was noticed stands in the first one.
    fn into_batches(mut self, mapping: &Mapping, context: &Context, proof: Option<&str>) -> Vec<Batch> {
        if let Some(claimed) = &context.scope {
            self.refuse_out_of_scope(claimed);
        }
        let Self { mut by_scope, mut findings, payloads, .. } = self;
        let refused = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        if proof.is_some() && refused > 0 {
            // What a refused row described would look as if it had gone.
            let message = format!("{refused} rows were refused, so nothing is withdrawn by this import");
            let position = findings.first().map(|first| first.position.clone()).unwrap_or_default();
            findings.push(Finding::new(FindingCode::TruncatedSource, position, message));
        }
        if by_scope.is_empty() {
            by_scope.insert(None, Said::default());
        }
        let source = mapping.source.as_deref().unwrap_or(&context.source);
        let name = CsvImporter.name().to_owned();
        let importer = ImporterVersion { name, version: CsvImporter.version().to_owned() };
        let whole = context.scope.clone().unwrap_or_else(|| Scope::named("all"));
        let mut batches: Vec<Batch> = Vec::with_capacity(by_scope.len());
        for (scope, said) in by_scope {
            // Without a single row nothing says which scope would be complete.
            let known = scope.is_some() || mapping.scope.is_empty();
            let scope = scope.unwrap_or_else(|| whole.clone());
            let mut batch = Batch::new(source, scope, importer.clone(), context.observed_at);
            batch.observations = said.observations;
            batch.relationships = said.relationships;
            batch.payloads.clone_from(&payloads);
            batch.findings = std::mem::take(&mut findings);
            merge::duplicates(&mut batch.observations, &mut batch.findings);
            merge::relationships(&mut batch.relationships);
            merge::report_self_loops(&mut batch);
            let noticed = batch.findings.len();
            keelson_importer::rows::keep_within_limits(&mut batch);
            let whole = refused == 0 && known && batch.findings.len() == noticed;
            if let Some(proof) = proof.filter(|_| whole) {
                batch.completeness = Completeness::Complete { proof: proof.to_owned() };
            }
            batches.push(batch);
        }
        batches
    }
}

/// Whether a scope is what was claimed or inside it.
fn within(scope: &Scope, claimed: &Scope) -> bool {
    claimed.as_str() == "all"
        || scope == claimed
        || scope.as_str().strip_prefix(claimed.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

/// Why the files are known to list everything, where that is known.
fn proof(table: &Table, input: &Input, mapping: &Mapping, context: &Context) -> Result<Option<String>, EnvelopeError> {
    let option = |option: &str, reason: String| EnvelopeError::Option { option: option.to_owned(), reason };
    let mut proof = context.complete.then(|| "the caller vouches that the files list everything".to_owned());
    if let Some(expected) = context.options.get("sha256") {
        let [file] = &input.files[..] else {
            return Err(option("sha256", format!("it is for one file, but {} are given", input.files.len())));
        };
        let found = file.sha256()?;
        if !found.eq_ignore_ascii_case(expected) {
            return Err(option(
                "sha256",
                format!("{} has the digest {found}; the file is not the one meant", file.name),
            ));
        }
        proof = Some("the file has the digest the caller named".to_owned());
    }
    if let Some(expected) = context.options.get("rows") {
        let expected: u64 = expected.parse().map_err(|_| option("rows", format!("'{expected}' is not a number")))?;
        if expected != table.rows {
            return Err(option("rows", format!("{expected} rows were announced, but there are {}", table.rows)));
        }
        proof = Some(format!("the files have the {expected} rows the caller announced"));
    }
    if mapping.trailer.is_some() {
        let counted: u64 = table.trailers.iter().sum();
        if table.trailers.len() == input.files.len() && counted == table.rows {
            proof = Some(format!("the trailer counts {counted} rows, and so many there are"));
        } else {
            let file = input.files.last().map_or_else(String::new, |file| file.name.clone());
            let reason = format!(
                "the trailers count {counted} rows in {} files, but {} rows in {} files were read; \
                 the listing is not whole",
                table.trailers.len(),
                table.rows,
                input.files.len()
            );
            return Err(EnvelopeError::Unreadable { file, line: None, reason });
        }
    }
    Ok(proof)
}
