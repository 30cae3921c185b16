//! The mapping: what each column or JSON pointer means.

use std::collections::BTreeMap;

use keelson_importer::EnvelopeError;
use keelson_model::unit;
use serde::Deserialize;
use toml::Spanned;

use crate::refusal::nearest;

/// A mapping file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    /// Who says it; otherwise the configured source.
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) format: Format,
    /// What separates the fields of a CSV row.
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    /// Class of every row.
    pub(super) class: String,
    /// Columns that together identify a row; all must be there.
    pub(super) key: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) lifecycle: Option<String>,
    pub(super) criticality: Option<String>,
    pub(super) native_id: Option<String>,
    /// Texts that stand for nothing; where the mapping names none, the empty text and the words that
    /// generators write for it.
    pub(super) null_tokens: Option<Vec<String>>,
    /// Whether white space around a value belongs to it (no) or is left out (yes).
    #[serde(default)]
    pub(super) trim: bool,
    /// First field of a last row whose second field counts the rows.
    pub(super) trailer: Option<String>,
    /// Dimensions of the scope as the reader gives them, in order of their names.
    #[serde(default, rename = "scope")]
    dimensions: BTreeMap<String, Spanned<Dimension>>,
    /// Dimensions of the scope in the order of the file, outermost first.
    #[serde(skip)]
    pub(super) scope: Vec<(String, Dimension)>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    pub(super) relations: Vec<Relation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    Csv,
    Ndjson,
}

/// Where a dimension of the scope comes from: exactly one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dimension {
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attribute {
    pub(super) column: String,
    /// How the text is read; a text where absent, or what the JSON says.
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
    pub(super) unit: Option<String>,
    /// What separates the values of a list.
    pub(super) separator: Option<String>,
    /// Words for true; `true` where absent.
    #[serde(default)]
    pub(super) yes: Vec<String>,
    /// Words for false; `false` where absent.
    #[serde(default)]
    pub(super) no: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    String,
    Integer,
    Decimal,
    Boolean,
    DateTime,
    List,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Relation {
    pub(super) column: String,
    /// What separates several targets in one field.
    pub(super) separator: Option<String>,
    pub(super) kind: String,
    /// Which end of the relationship the row is. There is no default.
    pub(super) this_row: End,
    pub(super) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    Dependent,
    Dependency,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) class: String,
    pub(super) key: Vec<String>,
}

fn comma() -> char {
    ','
}

/// Words that generators write where there is nothing, in any case. None of them names anything.
const NULL_WORDS: [&str; 4] = ["null", "none", "n/a", "-"];

/// Whether a text is empty or a word for nothing.
pub(super) fn names_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || NULL_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A class or a kind of relationship that a mapping names. Which ones there are is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedName {
    /// Whether it is a kind of relationship; otherwise it is a class.
    pub is_kind: bool,
    /// The name.
    pub name: String,
    /// The line of the mapping.
    pub line: u32,
}

/// The classes and kinds that a mapping names, in order of their lines, so that unknown ones can be
/// refused before anything is read by it.
///
/// # Errors
/// As the import by that mapping.
pub fn mapped_names(text: &str) -> Result<Vec<MappedName>, EnvelopeError> {
    #[derive(Deserialize)]
    struct Names {
        class: Spanned<String>,
        #[serde(default)]
        relations: Vec<RelationNames>,
    }
    #[derive(Deserialize)]
    struct RelationNames {
        kind: Spanned<String>,
        target: TargetNames,
    }
    #[derive(Deserialize)]
    struct TargetNames {
        class: Spanned<String>,
    }
    Mapping::read(text)?;
    let names: Names = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
    let mut mapped = vec![(names.class, false)];
    for relation in names.relations {
        mapped.extend([(relation.kind, true), (relation.target.class, false)]);
    }
    mapped.sort_by_key(|(name, _)| name.span().start);
    let named = |(name, is_kind): (Spanned<String>, bool)| {
        let line = line_of(text, name.span().start);
        MappedName { is_kind, name: name.into_inner(), line }
    };
    Ok(mapped.into_iter().map(named).collect())
}

fn unreadable(text: &str, error: &toml::de::Error) -> EnvelopeError {
    EnvelopeError::Unreadable {
        file: FILE.to_owned(),
        line: error.span().map(|span| line_of(text, span.start)),
        reason: error.message().to_owned(),
    }
}

/// The name under which messages show the mapping.
const FILE: &str = "mapping";

impl Mapping {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// Says in which line what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, EnvelopeError> {
        let mut mapping: Self = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        // The order of the dimensions is the order in which they stand in the file.
        let mut dimensions: Vec<_> = std::mem::take(&mut mapping.dimensions).into_iter().collect();
        dimensions.sort_by_key(|(_, dimension)| dimension.span().start);
        mapping.scope = dimensions.into_iter().map(|(name, dimension)| (name, dimension.into_inner())).collect();
        match mapping.fault() {
            None => Ok(mapping),
            Some((field, reason)) => {
                let line = text.find(&field).map(|at| line_of(text, at));
                Err(EnvelopeError::Unreadable { file: FILE.to_owned(), line, reason })
            }
        }
    }

    /// The first thing wrong that a type cannot hold: text to look for, and what is wrong.
    fn fault(&self) -> Option<(String, String)> {
        let fault = |field: &str, reason: String| Some((field.to_owned(), reason));
        if self.class.trim().is_empty() {
            return fault("class", "class must not be empty".to_owned());
        }
        if self.key.is_empty() {
            return fault("key", "key must name at least one column".to_owned());
        }
        if !self.delimiter.is_ascii() || matches!(self.delimiter, '"' | '\r' | '\n') {
            return fault("delimiter", "the delimiter must be one ASCII character that is no quote".to_owned());
        }
        if self.format == Format::Ndjson {
            if let Some(column) = self.columns().into_iter().find(|column| !column.starts_with('/')) {
                let reason = format!("'{column}' is not a JSON pointer; write '/{column}'");
                return Some((format!("\"{column}\""), reason));
            }
            if self.trailer.is_some() {
                return fault("trailer", "only CSV has trailer rows".to_owned());
            }
        }
        for (name, dimension) in &self.scope {
            if dimension.column.is_some() == dimension.value.is_some() {
                return fault(name, format!("the dimension '{name}' must have either a column or a value"));
            }
        }
        for (name, attribute) in &self.attributes {
            if let Some(reason) = attribute.fault() {
                return fault(name, format!("the attribute '{name}' {reason}"));
            }
        }
        for relation in &self.relations {
            if relation.target.key.is_empty() || relation.separator.as_deref() == Some("") {
                let reason = format!("the relation by '{}' needs key columns and no empty separator", relation.column);
                return Some((format!("\"{}\"", relation.column), reason));
            }
            if relation.separator.is_some() && !relation.target.key.contains(&relation.column) {
                let reason = format!("the target's key must contain the column '{}' that is split", relation.column);
                return Some((format!("\"{}\"", relation.column), reason));
            }
        }
        None
    }

    /// Every column the mapping names.
    pub(super) fn columns(&self) -> Vec<&str> {
        let single = [&self.name, &self.lifecycle, &self.criticality, &self.native_id];
        let mut columns: Vec<&str> = self.key.iter().map(String::as_str).collect();
        columns.extend(single.into_iter().flatten().map(String::as_str));
        columns.extend(self.scope.iter().filter_map(|(_, dimension)| dimension.column.as_deref()));
        columns.extend(self.attributes.values().map(|attribute| attribute.column.as_str()));
        for relation in &self.relations {
            columns.push(&relation.column);
            columns.extend(relation.target.key.iter().map(String::as_str));
        }
        columns
    }

    /// What the trailer counts, when these fields are the trailer.
    pub(super) fn trailer_count(&self, fields: &[String]) -> Option<Result<u64, String>> {
        let trailer = self.trailer.as_ref().filter(|trailer| fields.first() == Some(trailer))?;
        let count = fields.get(1).map_or("", |text| text.trim());
        Some(count.parse().map_err(|_| format!("the trailer '{trailer}' must be followed by a number of rows")))
    }
}

impl Attribute {
    fn fault(&self) -> Option<String> {
        if let Some(symbol) = &self.unit {
            if self.kind != Some(Kind::Decimal) {
                return Some("has a unit, so its type must be \"decimal\"".to_owned());
            }
            if unit::unit(symbol).is_none() {
                let known: Vec<_> = unit::symbols().collect();
                let hint = nearest(symbol, &known).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |near| format!("did you mean '{near}'?"),
                );
                return Some(format!("has the unknown unit '{symbol}'; {hint}"));
            }
        }
        if self.separator.is_some() != (self.kind == Some(Kind::List)) || self.separator.as_deref() == Some("") {
            return Some("must have a separator if, and only if, its type is \"list\"".to_owned());
        }
        if self.kind != Some(Kind::Boolean) && !(self.yes.is_empty() && self.no.is_empty()) {
            return Some("has words for yes or no, so its type must be \"boolean\"".to_owned());
        }
        None
    }
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}
