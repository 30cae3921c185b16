//! The tables of a document as CSV (RFC 4180), one file each.
//!
//! A spreadsheet takes a cell that begins with `=` for a formula and may run it. Such cells get an apostrophe in
//! front, which spreadsheets take for "this is text". Plain numbers stay numbers, also negative ones.

use std::borrow::Cow;

use ::csv::{Terminator, WriterBuilder};

use crate::document::{Cell, Document, Id, Row, Severity, Table};

/// A file of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with ending.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Returns the tables of a document as files.
pub fn render(document: &Document) -> Vec<File> {
    let tables = document.named_tables();
    let file = |(name, table): (Id, &Table)| {
        let name = table.file.as_deref().unwrap_or(name.as_str());
        File { name: format!("{name}.csv"), text: table_text(table) }
    };
    tables.map(file).collect()
}

/// Returns a table as CSV with a line of column heads.
///
/// Where a row has a weight and no verdict among its cells that tells it, the weight is a column of its own.
pub fn table_text(table: &Table) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let weighed = table.rows().iter().any(|row| weight(row).is_some());
    let mut write = |fields: Vec<Cow<'_, str>>| {
        // Memory does not fail, and all rows have the same length.
        let _ = writer.write_record(fields.iter().map(AsRef::as_ref));
    };
    let heads = table.columns().iter().map(|column| harmless(column.title.clone().into()));
    write(heads.chain(weighed.then_some("Severity".into())).collect());
    for row in table.rows() {
        let cells = row.cells.iter().map(|cell| harmless(cell.to_plain().into()));
        let weight = weight(row).map_or("", Severity::word);
        write(cells.chain(weighed.then_some(weight.into())).collect());
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// Returns the weight of a row that none of its cells tells.
fn weight(row: &Row) -> Option<Severity> {
    row.severity.filter(|_| !row.cells.iter().any(|cell| matches!(cell, Cell::Mark { .. })))
}

/// Returns the text so that no spreadsheet takes it for a formula.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let starts = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.starts_with(starts) && !is_number(&text) { Cow::Owned(format!("'{text}")) } else { text }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && part.is_none_or(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_harmless_and_numbers_stay_numbers() {
        for text in ["=1+2", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "--1", "-", "-1.", "＝1"] {
            assert_eq!(harmless(text.into()), format!("'{text}"));
        }
        for text in ["-1", "-12.50", "0", "plain", "", "a=b", "'quoted"] {
            assert_eq!(harmless(text.into()), text);
        }
    }

    #[test]
    fn cells_are_quoted() {
        let table = Table::new("t", "T")
            .column("a")
            .column("=b")
            .row(None, [Cell::from("say \"no\", twice"), Cell::from("two\nlines")]);
        assert_eq!(table_text(&table), "a,'=b\r\n\"say \"\"no\"\", twice\",\"two\nlines\"\r\n");
    }

    #[test]
    fn the_weight_of_a_row_is_told() {
        let table = Table::new("t", "T").column("a").row(Some(Severity::Serious), ["x".into()]).row(None, ["y".into()]);
        assert_eq!(table_text(&table), "a,Severity\r\nx,Serious\r\ny,\r\n");
    }
}
