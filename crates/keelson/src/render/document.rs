//! A document as a terminal shows it.

use std::io;

use comfy_table::CellAlignment;
use keelson_report::document::{Align, Block, Cell, Definition, Document, Proof, Row, Section, Table};
use keelson_report::text::{one_line, visible};

use super::{Out, wrapped};
use crate::output::{print, table as plain_table};

/// Writes a document: its sections, then what it rests on.
pub(crate) fn document(out: Out<'_>, document: &Document) -> io::Result<()> {
    writeln!(out, "{}", seen(&document.title))?;
    if let Some(subtitle) = &document.subtitle {
        writeln!(out, "{}", wrapped(&seen(subtitle), ""))?;
    }
    for section in document.sections() {
        heading(out, section)?;
        section.blocks.iter().try_for_each(|one| block(out, one))?;
    }
    writeln!(out)?;
    definitions(out, &document.metadata)
}

/// Text without what a terminal would act on.
fn seen(text: &str) -> String {
    one_line(&visible(text)).into_owned()
}

fn heading(out: Out<'_>, section: &Section) -> io::Result<()> {
    let title = seen(&section.title);
    writeln!(out)?;
    if section.heading_level() > 1 {
        return writeln!(out, "{title}");
    }
    writeln!(out, "{}\n{}", title.to_uppercase(), "-".repeat(title.chars().count()))
}

fn block(out: Out<'_>, block: &Block) -> io::Result<()> {
    match block {
        Block::Paragraph(text) => writeln!(out, "{}", wrapped(&seen(&text.to_plain()), "")),
        Block::Note(note) => {
            let line = format!("{} {}: {}", note.severity.symbol(), note.severity.word(), seen(&note.text.to_plain()));
            writeln!(out, "{}", wrapped(&line, "  "))
        }
        Block::List { ordered, items } => {
            for (number, item) in items.iter().enumerate() {
                let mark = if *ordered { format!("{}.", number + 1) } else { "-".to_owned() };
                writeln!(out, "  {mark} {}", wrapped(&seen(&item.to_plain()), "    "))?;
            }
            Ok(())
        }
        Block::Definitions(lines) => definitions(out, lines),
        Block::Table(table) => rows(out, table),
        Block::Proof(lines) => proof(out, lines),
        Block::Figure(figure) => {
            let line = format!("[figure] {}: {}", seen(&figure.title), seen(&figure.description));
            writeln!(out, "{}", wrapped(&line, "  "))
        }
        Block::PageBreak => Ok(()),
    }
}

fn definitions(out: Out<'_>, lines: &[Definition]) -> io::Result<()> {
    let width = lines.iter().map(|line| line.term.to_plain().chars().count()).max().unwrap_or(0);
    let indent = " ".repeat(width + 2);
    lines.iter().try_for_each(|line| {
        let (term, meaning) = (seen(&line.term.to_plain()), seen(&line.meaning.to_plain()));
        writeln!(out, "{term:width$}  {}", wrapped(&meaning, &indent))
    })
}

fn rows(out: Out<'_>, of: &Table) -> io::Result<()> {
    writeln!(out, "{}", seen(&of.caption))?;
    if of.rows().is_empty() {
        return writeln!(out, "  nothing to list");
    }
    let heads: Vec<String> = of.columns().iter().map(|column| seen(&column.title)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut lines = plain_table(&heads);
    for (number, column) in of.columns().iter().enumerate() {
        let alignment = match column.align {
            Align::Start => CellAlignment::Left,
            Align::Centre => CellAlignment::Center,
            Align::End => CellAlignment::Right,
        };
        if let Some(column) = lines.column_mut(number) {
            column.set_cell_alignment(alignment);
        }
    }
    for row in of.rows() {
        lines.add_row(cells(row, of.row_header.unwrap_or(0)));
    }
    print(out, &lines)
}

/// The cells of a row; a weight that no cell tells stands before the one that names it.
fn cells(row: &Row, naming: usize) -> Vec<String> {
    let weight = row.severity.filter(|_| !row.cells.iter().any(|cell| matches!(cell, Cell::Mark { .. })));
    let cell = |(number, cell): (usize, &Cell)| match (cell, weight) {
        (Cell::Mark { symbol, word, .. }, _) => format!("{symbol} {}", seen(word)),
        (Cell::Text(text), Some(weight)) if number == naming => {
            format!("{} {}", weight.symbol(), seen(&text.to_plain()))
        }
        (Cell::Text(text), _) => seen(&text.to_plain()),
    };
    row.cells.iter().enumerate().map(cell).collect()
}

fn proof(out: Out<'_>, proof: &Proof) -> io::Result<()> {
    proof.lines().iter().try_for_each(|line| {
        let indent = "  ".repeat(usize::from(line.depth) + 1);
        writeln!(out, "{indent}{}", wrapped(&seen(&line.text.to_plain()), &format!("{indent}  ")))
    })
}
