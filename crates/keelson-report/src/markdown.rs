//! A document as GitHub-flavoured Markdown.
//!
//! Every character of a text that Markdown could take for markup is escaped, so a name is read as it is written.
//! Figures cannot stand in Markdown; their description does, with a link to their file if there is one.

use std::fmt::Write as _;

use crate::document::{Align, Block, Cell, Definition, Document, Id, Proof, Severity, Span, Table, Target, Text};
use crate::text::{one_line, visible};

/// What a caller decides.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the names of the files begin in which figures are stored beside the document, as `PREFIXNAME.svg`; they are
    /// shown from there. Absent: they are stored nowhere.
    pub figure_files: Option<String>,
}

/// Returns the document as Markdown.
pub fn render(document: &Document, options: &Options) -> String {
    let mut writer = Writer { document, options, names: document.names(), tables: 0, figures: 0, out: String::new() };
    writer.head();
    if document.contents {
        writer.contents();
    }
    for section in document.sections() {
        let marks = "#".repeat(usize::from(section.heading_level()) + 1);
        let id = section.section_id().as_str();
        let _ = writeln!(writer.out, "<a id=\"{id}\"></a>\n\n{marks} {}\n", inline(&section.title));
        for block in &section.blocks {
            writer.block(block);
        }
    }
    let end = writer.out.trim_end().len();
    writer.out.truncate(end);
    writer.out.push('\n');
    writer.out
}

struct Writer<'a> {
    document: &'a Document,
    options: &'a Options,
    names: std::vec::IntoIter<Id>,
    tables: usize,
    figures: usize,
    out: String,
}

impl Writer<'_> {
    fn head(&mut self) {
        let _ = writeln!(self.out, "# {}\n", inline(&self.document.title));
        if let Some(subtitle) = &self.document.subtitle {
            let _ = writeln!(self.out, "{}\n", line_start(&inline(subtitle)));
        }
        self.definitions(&self.document.metadata);
    }

    fn contents(&mut self) {
        for section in self.document.sections() {
            let indent = "  ".repeat(usize::from(section.heading_level()) - 1);
            let (title, id) = (inline(&section.title), section.section_id().as_str());
            let _ = writeln!(self.out, "{indent}- [{title}](#{id})");
        }
        self.out.push('\n');
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(text) => {
                let _ = writeln!(self.out, "{}\n", line_start(&self.text(text)));
            }
            Block::Note(note) => {
                let (symbol, word) = (symbol(note.severity), note.severity.word());
                let _ = writeln!(self.out, "> **{symbol} {word}:** {}\n", self.text(&note.text));
            }
            Block::List { ordered, items } => self.list(*ordered, items),
            Block::Definitions(definitions) => self.definitions(definitions),
            Block::Table(table) => self.table(table),
            Block::Proof(proof) => self.proof(proof),
            Block::Figure(figure) => {
                let name = self.names.next().unwrap_or_else(|| figure.name.clone());
                let (title, description) = (inline(&figure.title), inline(&figure.description));
                if let Some(prefix) = &self.options.figure_files {
                    let _ = writeln!(self.out, "![{title}](<{prefix}{}.svg>)\n", name.as_str());
                }
                self.figures += 1;
                let _ = writeln!(self.out, "*Figure {}. {title}.* {description}\n", self.figures);
            }
            Block::PageBreak => self.out.push_str("---\n\n"),
        }
    }

    fn list(&mut self, ordered: bool, items: &[Text]) {
        for (number, item) in items.iter().enumerate() {
            let mark = if ordered { format!("{}.", number + 1) } else { "-".to_owned() };
            let _ = writeln!(self.out, "{mark} {}", line_start(&self.text(item)));
        }
        self.out.push('\n');
    }

    fn definitions(&mut self, definitions: &[Definition]) {
        for one in definitions {
            let _ = writeln!(self.out, "- **{}:** {}", inline(&one.term.to_plain()), self.text(&one.meaning));
        }
        if !definitions.is_empty() {
            self.out.push('\n');
        }
    }

    fn proof(&mut self, proof: &Proof) {
        for line in proof.lines() {
            let indent = "  ".repeat(usize::from(line.depth));
            let _ = writeln!(self.out, "{indent}- {}", line_start(&self.text(&line.text)));
        }
        self.out.push('\n');
    }

    fn table(&mut self, table: &Table) {
        self.names.next();
        self.tables += 1;
        let _ = writeln!(self.out, "**Table {}. {}**\n", self.tables, inline(&table.caption));
        let heads: Vec<String> = table.columns().iter().map(|column| inline(&column.title)).collect();
        let rules = table.columns().iter().map(|column| match column.align {
            Align::Start => "---",
            Align::Centre => ":-:",
            Align::End => "--:",
        });
        let rules: Vec<&str> = rules.collect();
        let _ = writeln!(self.out, "| {} |\n| {} |", heads.join(" | "), rules.join(" | "));
        for row in table.rows() {
            let mark = row.severity.filter(|_| !row.cells.iter().any(|cell| matches!(cell, Cell::Mark { .. })));
            let carries = table.row_header.unwrap_or(0);
            let cells = row.cells.iter().enumerate().map(|(column, cell)| match (cell, mark) {
                (Cell::Mark { symbol, word, .. }, _) => format!("{} {}", escape_symbol(*symbol), inline(word)),
                (Cell::Text(text), Some(severity)) if column == carries => {
                    format!("{} {}: {}", symbol(severity), severity.word(), self.text(text))
                }
                (Cell::Text(text), _) => self.text(text),
            });
            let cells: Vec<String> = cells.collect();
            let _ = writeln!(self.out, "| {} |", cells.join(" | "));
        }
        if table.rows().is_empty() {
            self.out.push_str("\n*Nothing to list.*\n");
        }
        self.out.push('\n');
    }

    fn text(&self, text: &Text) -> String {
        text.spans.iter().map(|span| self.span(span)).collect()
    }

    fn span(&self, span: &Span) -> String {
        match span {
            Span::Plain(text) => inline(text),
            Span::Emphasis(text) => around("*", text),
            Span::Strong(text) => around("**", text),
            Span::Code(text) => code(text),
            Span::Link { text, target } => match target {
                Target::Section(id) if self.document.has_section(id) => format!("[{}](#{})", inline(text), id.as_str()),
                _ => match target.safe_address() {
                    Some(address) => format!("[{}](<{}>)", inline(text), escape_address(address)),
                    None => inline(text),
                },
            },
        }
    }
}

fn symbol(severity: Severity) -> String {
    escape_symbol(severity.symbol())
}

fn escape_symbol(symbol: char) -> String {
    inline(symbol.encode_utf8(&mut [0; 4]))
}

/// Sets marks around a text; spaces stay outside, since marks beside a space are none.
fn around(marks: &str, text: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return inline(text);
    }
    let (before, after) = text.split_once(inner).unwrap_or(("", ""));
    let space = |part: &str| if part.is_empty() { "" } else { " " };
    format!("{}{marks}{}{marks}{}", space(before), inline(inner), space(after))
}

/// Escapes a text on one line; line ends become `<br>`, which tables can hold.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Escapes what only means something where a line begins: lists, rules, headings.
fn line_start(text: &str) -> String {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if text.starts_with(['-', '+', '=', ':']) {
        return format!("\\{text}");
    }
    if digits > 0 && text[digits..].starts_with(['.', ')']) {
        return format!("{}\\{}", &text[..digits], &text[digits..]);
    }
    text.to_owned()
}

/// Returns code, between more backticks than the text has in a row.
fn code(text: &str) -> String {
    let text = one_line(text);
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() {
        return String::new();
    }
    // Within tables a bar ends a cell even in code, and a backslash is the only way out; outside of tables the
    // backslash would be seen, so code with a bar is set as plain text.
    if text.contains('|') { inline(&text) } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

fn escape_address(address: &str) -> String {
    address.replace('<', "%3C").replace('>', "%3E").replace('\\', "%5C").replace('|', "%7C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(inline("a|b*c_d`e"), "a\\|b\\*c\\_d\\`e");
        assert_eq!(inline("<script>&amp;"), "&lt;script&gt;&amp;amp;");
        assert_eq!(inline("two\r\nlines"), "two<br>lines");
        assert_eq!(line_start("- no list"), "\\- no list");
        assert_eq!(line_start("12. no list"), "12\\. no list");
        assert_eq!(line_start("12 boxes"), "12 boxes");
        assert_eq!(inline("# no heading"), "\\# no heading");
    }

    #[test]
    fn code_holds_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a|b"), "a\\|b");
    }

    #[test]
    fn stress_keeps_spaces_outside() {
        assert_eq!(around("**", " a "), " **a** ");
        assert_eq!(around("*", "  "), "  ");
    }
}
