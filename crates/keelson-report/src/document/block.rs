//! The blocks that stand below a heading.

use serde::Serialize;

use super::{Id, Text};
use crate::drawing::State;
use crate::svg::Svg;

/// What can stand below a heading.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph(Text),
    /// A remark with a weight.
    Note(Note),
    /// A list.
    List {
        /// Whether the order means something, and the items are numbered.
        ordered: bool,
        /// The items.
        items: Vec<Text>,
    },
    /// Terms and what they mean.
    Definitions(Vec<Definition>),
    /// A table.
    Table(Table),
    /// Why something is so.
    Proof(Proof),
    /// A drawing.
    Figure(Figure),
    /// A new page begins here in print.
    PageBreak,
}

/// How much something matters. It is shown by a word and a symbol; colour only helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Holds or succeeds.
    Good,
    /// To be known.
    Information,
    /// To be considered.
    Caution,
    /// Breaks something that was promised.
    Serious,
    /// Lost, refused, not possible.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Good, Self::Information, Self::Caution, Self::Serious, Self::Critical];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Information => "Note",
            Self::Caution => "Caution",
            Self::Serious => "Serious",
            Self::Critical => "Critical",
        }
    }

    /// Returns the symbol for it.
    pub fn symbol(self) -> char {
        match self {
            Self::Good => '\u{2713}',
            Self::Information => 'i',
            Self::Caution => '!',
            Self::Serious => '\u{25bd}',
            Self::Critical => '\u{2715}',
        }
    }

    /// Returns the name under which styles know it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Information => "information",
            Self::Caution => "caution",
            Self::Serious => "serious",
            Self::Critical => "critical",
        }
    }
}

/// A remark with a weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// What it says.
    pub text: Text,
}

/// A term and what it means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Definition {
    /// The term.
    pub term: Text,
    /// What it means.
    pub meaning: Text,
}

/// A table with a caption. Each row has a cell for each column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The name of its file, without ending.
    pub name: Id,
    /// What it shows.
    pub caption: String,
    /// The name of its file instead, without ending, where others expect a certain one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Which column names the row, if any.
    pub row_header: Option<usize>,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// What stands there.
    pub title: String,
    /// How its cells are aligned.
    pub align: Align,
}

/// How the cells of a column are aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// As text begins.
    #[default]
    Start,
    /// In the middle.
    Centre,
    /// As text ends; for numbers.
    End,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How much it matters.
    pub severity: Option<Severity>,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A text.
    Text(Text),
    /// A verdict: shown as a symbol and a word.
    Mark {
        /// How much it matters.
        severity: Severity,
        /// The symbol.
        symbol: char,
        /// The word.
        word: String,
    },
}

impl Cell {
    /// Makes a verdict with the symbol of its severity.
    pub fn mark(severity: Severity, word: impl Into<String>) -> Self {
        Self::Mark { severity, symbol: severity.symbol(), word: word.into() }
    }

    /// Makes a verdict of a state, with the word and the symbol that drawings have for it.
    pub fn state(state: State) -> Self {
        Self::Mark { severity: state.severity(), symbol: state.symbol(), word: state.word().to_owned() }
    }

    /// Returns what can be read without symbols.
    pub fn to_plain(&self) -> String {
        match self {
            Self::Text(text) => text.to_plain(),
            Self::Mark { word, .. } => word.clone(),
        }
    }
}

impl<T: Into<Text>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Table {
    /// Starts a table; its file is called as its name says.
    pub fn new(name: &str, caption: impl Into<String>) -> Self {
        Self {
            name: Id::new(name),
            caption: caption.into(),
            file: None,
            row_header: None,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Sets the name of its file, without ending: what is no letter, digit, hyphen, point or low line is left out.
    #[must_use]
    pub fn filed_as(mut self, name: &str) -> Self {
        let is_fit = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name: String = name.chars().filter(is_fit).take(80).collect();
        self.file = Some(name.trim_start_matches('.').to_owned()).filter(|name| !name.is_empty());
        self
    }

    /// Adds a column, aligned as text begins. Rows that are there get an empty cell.
    #[must_use]
    pub fn column(self, title: impl Into<String>) -> Self {
        self.aligned(title, Align::Start)
    }

    /// Adds a column of numbers, aligned as text ends.
    #[must_use]
    pub fn number_column(self, title: impl Into<String>) -> Self {
        self.aligned(title, Align::End)
    }

    /// Adds a column that names the row.
    #[must_use]
    pub fn naming_column(mut self, title: impl Into<String>) -> Self {
        self.row_header = Some(self.columns.len());
        self.column(title)
    }

    fn aligned(mut self, title: impl Into<String>, align: Align) -> Self {
        self.columns.push(Column { title: title.into(), align });
        for row in &mut self.rows {
            row.cells.push(Cell::from(""));
        }
        self
    }

    /// Adds a row. Cells that are missing at its end are empty.
    ///
    /// # Panics
    ///
    /// If there are more cells than columns: what a caller wanted to say must not get lost silently.
    pub fn push(&mut self, severity: Option<Severity>, cells: impl IntoIterator<Item = Cell>) {
        let mut cells: Vec<Cell> = cells.into_iter().collect();
        assert!(cells.len() <= self.columns.len(), "a row of table {} has too many cells", self.name.as_str());
        cells.resize_with(self.columns.len(), || Cell::from(""));
        self.rows.push(Row { severity, cells });
    }

    /// Adds a row, as [`Table::push`] does.
    #[must_use]
    pub fn row(mut self, severity: Option<Severity>, cells: impl IntoIterator<Item = Cell>) -> Self {
        self.push(severity, cells);
        self
    }

    /// Returns the columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// Why something is so: lines, each of which may be explained by deeper ones below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Proof {
    lines: Vec<ProofLine>,
}

/// A line of a proof.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProofLine {
    /// How deep it stands; at most one deeper than the line before.
    pub depth: u16,
    /// What it says.
    pub text: Text,
}

impl Proof {
    /// Starts an empty proof.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line. A depth that would skip one is raised.
    #[must_use]
    pub fn line(mut self, depth: u16, text: impl Into<Text>) -> Self {
        self.push(depth, text);
        self
    }

    /// Adds a line, as [`Proof::line`] does.
    pub fn push(&mut self, depth: u16, text: impl Into<Text>) {
        let deepest = self.lines.last().map_or(0, |last| last.depth.saturating_add(1));
        self.lines.push(ProofLine { depth: depth.min(deepest), text: text.into() });
    }

    /// Returns the lines in order.
    pub fn lines(&self) -> &[ProofLine] {
        &self.lines
    }
}

/// A drawing with what it shows in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The name of its file, without ending.
    pub name: Id,
    /// What it is.
    pub title: String,
    /// What can be seen, for those who cannot see it.
    pub description: String,
    /// The drawing.
    pub svg: Svg,
}

impl From<Text> for Block {
    fn from(text: Text) -> Self {
        Self::Paragraph(text)
    }
}

impl From<Note> for Block {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Proof> for Block {
    fn from(proof: Proof) -> Self {
        Self::Proof(proof)
    }
}

impl From<Figure> for Block {
    fn from(figure: Figure) -> Self {
        Self::Figure(figure)
    }
}

impl From<Vec<Definition>> for Block {
    fn from(definitions: Vec<Definition>) -> Self {
        Self::Definitions(definitions)
    }
}
