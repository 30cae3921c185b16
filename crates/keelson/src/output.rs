//! Writing answers to standard output.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

use keelson_app::answers::basis::Limit;

use crate::cli::Format;
use crate::failure::Failure;

/// Rows of an answer's main list, for NDJSON and CSV.
pub(crate) trait Rows {
    /// The column names.
    fn columns(&self) -> Vec<&'static str>;
    /// The rows, as wide as the columns.
    fn rows(&self) -> Vec<Vec<String>>;
    /// The rows as JSON documents.
    fn documents(&self) -> Vec<serde_json::Value>;
}

/// What an answer rests on, as far as rows alone do not tell it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Grounds {
    /// The last commit the answer takes into account.
    pub(crate) revision: u64,
    /// Whether nothing was cut off, hidden or assumed.
    pub(crate) complete: bool,
    /// What limits it.
    pub(crate) limits: Vec<Limit>,
    /// What it supposes.
    #[serde(default)]
    pub(crate) supposing: Vec<String>,
}

impl Grounds {
    /// Those of an answer; absent where it is no answer about the catalogue.
    pub(crate) fn of(answer: &serde_json::Value) -> Option<Self> {
        Self::deserialize(answer).ok()
    }

    /// Rows alone say nothing of what was cut off or is not known: that goes to standard error.
    pub(crate) fn aside(&self) {
        if self.complete && self.limits.is_empty() {
            return;
        }
        let complete = if self.complete { "complete" } else { "NOT COMPLETE" };
        eprintln!("revision {}; {complete}", self.revision);
        for limit in &self.limits {
            eprintln!("  - {}", limit.message);
        }
    }
}

/// Writes an answer in the form asked for; `table` writes it for people. Of rows, what limits the answer is said on
/// standard error.
pub(crate) fn write<T: Serialize + Rows>(
    format: Format,
    answer: &T,
    table: impl FnOnce(&mut dyn Write, &T) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Table => table(&mut out, answer)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, answer).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for document in answer.documents() {
                serde_json::to_writer(&mut out, &document).map_err(io::Error::from)?;
                writeln!(out)?;
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            csv.write_record(answer.columns()).map_err(io::Error::other)?;
            for row in answer.rows() {
                csv.write_record(row.iter().map(|cell| harmless(cell))).map_err(io::Error::other)?;
            }
            csv.flush()?;
        }
    }
    out.flush()?;
    if matches!(format, Format::Ndjson | Format::Csv)
        && let Some(grounds) = serde_json::to_value(answer).ok().and_then(|answer| Grounds::of(&answer))
    {
        grounds.aside();
    }
    Ok(())
}

/// Writes a text as it is.
pub(crate) fn whole(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err() {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A table for people: no frames, columns as wide as they need.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !columns.is_empty() {
        table.set_header(columns.iter().map(|column| column.to_uppercase()));
    }
    table
}

/// Writes a table without trailing blanks.
pub(crate) fn print(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Documents of a list of serialisable rows.
pub(crate) fn documents<T: Serialize>(rows: &[T]) -> Vec<serde_json::Value> {
    rows.iter().map(|row| serde_json::to_value(row).unwrap_or_default()).collect()
}

/// A fraction as a percentage: `30 %`.
pub(crate) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if (percent - percent.round()).abs() < 1e-9 { format!("{percent:.0} %") } else { format!("{percent:.2} %") }
}
