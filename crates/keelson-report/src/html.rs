//! A document as one HTML file that needs nothing else: no scripts, no fonts, no pictures from elsewhere.
//!
//! It can be used without sight and without a mouse: landmarks, one main heading, headings in order, captions,
//! heads of rows and columns, regions that scroll and can be reached by keyboard. It prints on A4 with repeated
//! table heads, unbroken rows and page numbers; wide drawings get a page of their own across.

use std::fmt::Write as _;

use crate::document::{
    Align, Block, Cell, Definition, Document, Figure, Id, Proof, Row, Section, Span, Table, Target, Text,
};
use crate::svg::Svg;
use crate::text::{escaped, one_line, push_escaped, push_escaped_lines};

/// Letters of a mark that stays on its line.
const LONGEST_MARK: usize = 28;

const STYLE: &str = include_str!("style.css");

/// The room for a drawing on an upright page and on one across, in millimetres; as in the style.
const UPRIGHT: (f64, f64) = (182.0, 225.0);
const ACROSS: (f64, f64) = (269.0, 140.0);
/// A pixel in millimetres.
const PIXEL: f64 = 25.4 / 96.0;

/// Up to so many bytes a word stays on one line.
const SHORT: usize = 20;
/// Longest fact of a head, in characters, that shares its line with others.
const LONG_FACT: usize = 60;

/// From this depth on the lines of a proof are no longer set in further.
const DEEPEST: u16 = 24;

/// Returns the document as HTML.
pub fn render(document: &Document) -> String {
    let mut writer =
        Writer { document, names: document.names(), tables: 0, figures: 0, out: String::with_capacity(32 * 1024) };
    writer.open();
    writer.header();
    if document.contents {
        writer.contents();
    }
    writer.out.push_str("<main id=\"document-main\" tabindex=\"-1\">\n");
    for section in document.sections() {
        let (id, level) = (section.section_id().as_str(), section.heading_level() + 1);
        let class = section_class(section);
        let _ = write!(writer.out, "<section{class} aria-labelledby=\"s-{id}\">\n<h{level} id=\"s-{id}\">");
        push_escaped(&mut writer.out, &section.title);
        let _ = writeln!(writer.out, "</h{level}>");
        for block in &section.blocks {
            writer.block(block);
        }
        writer.out.push_str("</section>\n");
    }
    writer.out.push_str("</main>\n");
    writer.footer();
    writer.out
}

struct Writer<'a> {
    document: &'a Document,
    names: std::vec::IntoIter<Id>,
    tables: usize,
    figures: usize,
    out: String,
}

impl Writer<'_> {
    fn open(&mut self) {
        let document = self.document;
        let (language, title) = (language(&document.language), escaped(&document.title));
        let below = document.subtitle.as_deref().map_or_else(String::new, |text| format!(" \u{2013} {text}"));
        let foot = style_string(&format!("{}{below}", document.title));
        let _ = write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}\
             @page {{ size: A4; margin: 16mm 14mm 18mm; @bottom-left {{ content: \"{foot}\"; font: 8pt sans-serif; color: #333; }} \
             @bottom-right {{ content: counter(page) \" / \" counter(pages); font: 8pt sans-serif; color: #333; }} }}\n\
             @page wide {{ size: A4 landscape; }}\n</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#document-main\">Skip to the document</a>\n"
        );
    }

    fn header(&mut self) {
        let document = self.document;
        self.out.push_str("<header>\n<h1>");
        push_escaped(&mut self.out, &document.title);
        self.out.push_str("</h1>\n");
        if let Some(subtitle) = &document.subtitle {
            self.out.push_str("<p class=\"subtitle\">");
            push_escaped(&mut self.out, subtitle);
            self.out.push_str("</p>\n");
        }
        if !document.metadata.is_empty() {
            self.definitions("facts", &document.metadata);
        }
        self.out.push_str("</header>\n");
    }

    fn contents(&mut self) {
        self.out.push_str(
            "<nav aria-labelledby=\"document-contents\">\n<h2 id=\"document-contents\">Contents</h2>\n<ol>\n",
        );
        for section in self.document.sections() {
            let (id, level) = (section.section_id().as_str(), section.heading_level());
            let _ = write!(self.out, "<li class=\"l{level}\"><a href=\"#s-{id}\">");
            push_escaped(&mut self.out, &section.title);
            self.out.push_str("</a></li>\n");
        }
        self.out.push_str("</ol>\n</nav>\n");
    }

    fn footer(&mut self) {
        self.out.push_str("<footer>\n<p>");
        push_escaped(&mut self.out, &self.document.title);
        for fact in &self.document.metadata {
            self.out.push_str(" \u{b7} ");
            push_escaped(&mut self.out, &format!("{}: {}", fact.term.to_plain(), fact.meaning.to_plain()));
        }
        self.out.push_str("</p>\n</footer>\n</body>\n</html>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(text) => {
                self.out.push_str("<p>");
                self.text(text);
                self.out.push_str("</p>\n");
            }
            Block::Note(note) => {
                let severity = note.severity;
                let _ = write!(
                    self.out,
                    "<div class=\"note {}\" role=\"note\">\n<p><strong class=\"tag\">",
                    severity.class()
                );
                self.symbol(severity.symbol());
                let _ = write!(self.out, "{}:</strong> ", severity.word());
                self.text(&note.text);
                self.out.push_str("</p>\n</div>\n");
            }
            Block::List { ordered, items } => self.list(if *ordered { "ol" } else { "ul" }, items),
            Block::Definitions(definitions) => self.definitions("terms", definitions),
            Block::Table(table) => self.table(table),
            Block::Proof(proof) => self.proof(proof),
            Block::Figure(figure) => self.figure(figure),
            Block::PageBreak => self.out.push_str("<div class=\"break\"></div>\n"),
        }
    }

    fn list(&mut self, tag: &str, items: &[Text]) {
        let _ = writeln!(self.out, "<{tag}>");
        for item in items {
            self.out.push_str("<li>");
            self.text(item);
            self.out.push_str("</li>\n");
        }
        let _ = writeln!(self.out, "</{tag}>");
    }

    fn definitions(&mut self, class: &str, definitions: &[Definition]) {
        let grouped = class == "facts";
        let _ = writeln!(self.out, "<dl class=\"{class}\">");
        for one in definitions {
            // What takes several lines has the whole width.
            let is_long = one.meaning.to_plain().chars().count() > LONG_FACT;
            self.out.push_str(match (grouped, is_long) {
                (true, true) => "<div class=\"long\"><dt>",
                (true, false) => "<div><dt>",
                (false, _) => "<dt>",
            });
            self.text(&one.term);
            self.out.push_str("</dt><dd>");
            self.text(&one.meaning);
            self.out.push_str(if grouped { "</dd></div>\n" } else { "</dd>\n" });
        }
        self.out.push_str("</dl>\n");
    }

    fn table(&mut self, table: &Table) {
        let name = self.names.next().unwrap_or_else(|| table.name.clone());
        let name = name.as_str();
        self.tables += 1;
        let _ = write!(
            self.out,
            "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-labelledby=\"t-{name}\">\n<table>\n<caption id=\"t-{name}\">Table {}. ",
            self.tables
        );
        push_escaped(&mut self.out, &table.caption);
        self.out.push_str("</caption>\n<thead>\n<tr>");
        for column in table.columns() {
            let _ = write!(self.out, "<th scope=\"col\"{}>", align(column.align));
            push_escaped(&mut self.out, &column.title);
            self.out.push_str("</th>");
        }
        self.out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in table.rows() {
            self.row(table, row);
        }
        self.out.push_str("</tbody>\n</table>\n");
        if table.rows().is_empty() {
            self.out.push_str("<p class=\"empty\">Nothing to list.</p>\n");
        }
        self.out.push_str("</div>\n");
    }

    fn row(&mut self, table: &Table, row: &Row) {
        match row.severity {
            Some(severity) => {
                let _ = write!(self.out, "<tr class=\"{}\">", severity.class());
            }
            None => self.out.push_str("<tr>"),
        }
        // A verdict among the cells says it already; otherwise the cell that names the row does.
        let marked = row.cells.iter().any(|cell| matches!(cell, Cell::Mark { .. }));
        let carries = table.row_header.unwrap_or(0);
        for (number, (cell, column)) in row.cells.iter().zip(table.columns()).enumerate() {
            let align = align(column.align);
            let names = table.row_header == Some(number);
            let _ = if names { write!(self.out, "<th scope=\"row\"{align}>") } else { write!(self.out, "<td{align}>") };
            if let Some(severity) = row.severity.filter(|_| !marked && number == carries) {
                self.symbol(severity.symbol());
                let _ = write!(self.out, "<span class=\"hidden\">{}: </span>", severity.word());
            }
            match cell {
                Cell::Text(text) => self.text(text),
                Cell::Mark { severity, symbol, word } => {
                    // A verdict stays on its line; a sentence would make the table wider than the page.
                    let long = if word.len() > LONGEST_MARK { " long" } else { "" };
                    let _ = write!(self.out, "<span class=\"mark {}{long}\">", severity.class());
                    self.symbol(*symbol);
                    push_escaped(&mut self.out, word);
                    self.out.push_str("</span>");
                }
            }
            self.out.push_str(if names { "</th>" } else { "</td>" });
        }
        self.out.push_str("</tr>\n");
    }

    fn proof(&mut self, proof: &Proof) {
        let mut open: Option<u16> = None;
        for line in proof.lines() {
            let depth = line.depth.min(DEEPEST);
            match open {
                None => self.out.push_str("<ul class=\"proof\">\n"),
                Some(before) if depth > before => self.out.push_str("\n<ul>\n"),
                Some(before) => {
                    self.out.push_str("</li>\n");
                    for _ in depth..before {
                        self.out.push_str("</ul>\n</li>\n");
                    }
                }
            }
            self.out.push_str("<li>");
            self.text(&line.text);
            open = Some(depth);
        }
        if let Some(depth) = open {
            self.out.push_str("</li>\n");
            for _ in 0..depth {
                self.out.push_str("</ul>\n</li>\n");
            }
            self.out.push_str("</ul>\n");
        }
    }

    fn figure(&mut self, figure: &Figure) {
        let name = self.names.next().unwrap_or_else(|| figure.name.clone());
        self.figures += 1;
        let (number, label) = (self.figures, escaped(&figure.title));
        let _ = writeln!(
            self.out,
            "<figure>\n<div class=\"drawing\" role=\"region\" tabindex=\"0\" aria-label=\"Figure {number}: {label}\">"
        );
        self.out.push_str(&figure.svg.markup(&Id::new(&format!("f-{}", name.as_str()))));
        let _ = write!(self.out, "</div>\n<figcaption><b>Figure {number}. {label}.</b> ");
        push_escaped_lines(&mut self.out, &figure.description);
        self.out.push_str("</figcaption>\n</figure>\n");
    }

    fn symbol(&mut self, symbol: char) {
        self.out.push_str("<span class=\"symbol\" aria-hidden=\"true\">");
        push_escaped(&mut self.out, symbol.encode_utf8(&mut [0; 4]));
        self.out.push_str("</span>");
    }

    fn text(&mut self, text: &Text) {
        for span in &text.spans {
            match span {
                Span::Plain(text) => push_escaped_lines(&mut self.out, text),
                Span::Emphasis(text) => self.tagged("em", text),
                Span::Strong(text) => self.tagged("strong", text),
                Span::Code(text) if is_digest(text) => {
                    self.out.push_str("<code class=\"digest\">");
                    push_escaped_lines(&mut self.out, text);
                    self.out.push_str("</code>");
                }
                Span::Code(text) => self.tagged("code", text),
                Span::Link { text, target } => self.link(text, target),
            }
        }
    }

    fn tagged(&mut self, tag: &str, text: &str) {
        let _ = write!(self.out, "<{tag}>");
        push_escaped_lines(&mut self.out, text);
        let _ = write!(self.out, "</{tag}>");
    }

    fn link(&mut self, text: &str, target: &Target) {
        let address = match target {
            Target::Section(id) if self.document.has_section(id) => format!("#s-{}", id.as_str()),
            _ => match target.safe_address() {
                Some(address) => address.to_owned(),
                None => return push_escaped_lines(&mut self.out, text),
            },
        };
        // A number such as CHG-101 is not to be broken at its hyphen.
        let is_word = text.len() <= SHORT && !text.contains(char::is_whitespace);
        self.out.push_str(if is_word { "<a class=\"word\" href=\"" } else { "<a href=\"" });
        push_escaped(&mut self.out, &address);
        self.out.push_str("\">");
        push_escaped_lines(&mut self.out, text);
        self.out.push_str("</a>");
    }
}

/// Whether it is a long word of hexadecimal digits, which has no place to break.
fn is_digest(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the language if it is written as one, else that it is not known.
fn language(tag: &str) -> &str {
    let parts = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if tag.split('-').all(parts) { tag } else { "und" }
}

/// Returns whether a drawing is larger on a page across than on an upright one.
fn prints_across(svg: &Svg) -> bool {
    let scale = |room: (f64, f64)| (room.0 / svg.width()).min(room.1 / svg.height()).min(PIXEL);
    scale(ACROSS) > 1.1 * scale(UPRIGHT)
}

/// A section with a wide drawing is printed across as a whole, so that its heading stays with the drawing.
fn section_class(section: &Section) -> &'static str {
    let wide = section.blocks.iter().any(|block| matches!(block, Block::Figure(figure) if prints_across(&figure.svg)));
    match (wide, section.page_break) {
        (true, _) => " class=\"across\"",
        (false, true) => " class=\"break\"",
        (false, false) => "",
    }
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Start => "",
        Align::Centre => " class=\"centre\"",
        Align::End => " class=\"end\"",
    }
}

/// Returns a text for a string within a style: everything but letters, digits and spaces as a number.
fn style_string(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if c.is_ascii_alphanumeric() || c == ' ' {
            out.push(c);
        } else {
            // The space ends the number and is not shown.
            let _ = write!(out, "\\{:x} ", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{language, style_string};

    #[test]
    fn a_language_is_a_language() {
        assert_eq!((language("de-CH"), language("en\" onload=\"x"), language("")), ("de-CH", "und", "und"));
    }

    #[test]
    fn a_text_cannot_leave_a_style() {
        assert_eq!(style_string("CHG-1: a"), "CHG\\2d 1\\3a  a");
        assert_eq!(style_string("\"} </style>\\\n"), "\\22 \\7d  \\3c \\2f style\\3e \\5c  ");
    }
}
