//! What a document is made of, whatever it is rendered as.
//!
//! A document is flat: sections follow one another and carry their level, lines of a proof carry their depth.
//! So nothing that reads a document needs to recurse. A document in hand keeps three promises, because it is
//! only built through its methods: the ids of its sections are unique, a heading is at most one level deeper
//! than the one before, and every row of a table has as many cells as the table has columns.
//!
//! Start at [`Document::new`], add [`Section`]s of [`Block`]s; [`Text`] is what a reader reads.

use std::collections::BTreeSet;

use serde::Serialize;

mod block;
mod text;

pub use block::{Align, Block, Cell, Column, Definition, Figure, Note, Proof, ProofLine, Row, Severity, Table};
pub use text::{Span, Target, Text};

/// A document: what stands on top of it, and its sections.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// The language of the text, as in the `lang` attribute of HTML.
    pub language: String,
    /// The one main heading.
    pub title: String,
    /// A line below the title.
    pub subtitle: Option<String>,
    /// What the document rests on: revision, time, digest, completeness.
    pub metadata: Vec<Definition>,
    /// Whether a table of contents is wanted.
    pub contents: bool,
    sections: Vec<Section>,
}

/// A part of a document with a heading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    id: Id,
    level: u8,
    /// The heading.
    pub title: String,
    /// Whether a new page begins here in print.
    pub page_break: bool,
    /// What stands below the heading.
    pub blocks: Vec<Block>,
}

/// A name that can stand in an attribute, a link and a file name: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Id(String);

impl Id {
    /// Makes a name of any text; what cannot stand in a name becomes a hyphen.
    pub fn new(text: &str) -> Self {
        let mut name = String::with_capacity(text.len());
        for c in text.chars().take(80) {
            match c.to_ascii_lowercase() {
                c if c.is_ascii_alphanumeric() => name.push(c),
                _ if name.is_empty() || name.ends_with('-') => {}
                _ => name.push('-'),
            }
        }
        let name = name.trim_end_matches('-');
        Self(if name.is_empty() { "part".to_owned() } else { name.to_owned() })
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns this name, or this name and a number, so that it is new to the set; adds it to the set.
    pub(crate) fn unique(&self, taken: &mut BTreeSet<String>) -> Self {
        let mut name = self.0.clone();
        let mut number = 2_u32;
        while !taken.insert(name.clone()) {
            name = format!("{}-{number}", self.0);
            number += 1;
        }
        Self(name)
    }
}

impl Document {
    /// Starts a document in English with a table of contents.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            language: "en-GB".to_owned(),
            title: title.into(),
            subtitle: None,
            metadata: Vec::new(),
            contents: true,
            sections: Vec::new(),
        }
    }

    /// Sets the line below the title.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = Some(subtitle.into());
        self
    }

    /// Adds a fact that the document rests on.
    #[must_use]
    pub fn fact(mut self, key: impl Into<String>, value: impl Into<Text>) -> Self {
        self.metadata.push(Definition { term: Text::from(key.into()), meaning: value.into() });
        self
    }

    /// Adds a section. A level that would skip one is raised, an id that is taken gets a number.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.push(section);
        self
    }

    /// Adds a section, as [`Document::section`] does, and returns the id under which links find it.
    pub fn push(&mut self, mut section: Section) -> Id {
        let before = self.sections.last().map_or(0, |last| last.level);
        section.level = section.level.clamp(1, before + 1);
        let mut taken: BTreeSet<String> = self.sections.iter().map(|one| one.id.0.clone()).collect();
        section.id = section.id.unique(&mut taken);
        let id = section.id.clone();
        self.sections.push(section);
        id
    }

    /// Returns the sections in order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Returns whether a link to this id leads anywhere.
    pub fn has_section(&self, id: &Id) -> bool {
        self.sections.iter().any(|one| one.id == *id)
    }

    /// Returns the tables and figures with the names under which all renderers know them.
    ///
    /// A name that is taken gets a number, so that a link in one rendering finds the file that another one wrote.
    fn named(&self) -> impl Iterator<Item = (Id, &Block)> {
        let mut taken = BTreeSet::new();
        self.blocks().filter_map(move |block| match block {
            Block::Table(table) => Some((table.name.unique(&mut taken), block)),
            Block::Figure(figure) => Some((figure.name.unique(&mut taken), block)),
            _ => None,
        })
    }

    /// Returns the names of tables and figures, in their order.
    pub(crate) fn names(&self) -> std::vec::IntoIter<Id> {
        self.named().map(|(name, _)| name).collect::<Vec<_>>().into_iter()
    }

    /// Returns the tables in order, with the names of their files.
    pub fn named_tables(&self) -> impl Iterator<Item = (Id, &Table)> {
        self.named()
            .filter_map(|(name, block)| if let Block::Table(table) = block { Some((name, table)) } else { None })
    }

    /// Returns the figures in order, with the names of their files.
    pub fn named_figures(&self) -> impl Iterator<Item = (Id, &Figure)> {
        self.named()
            .filter_map(|(name, block)| if let Block::Figure(figure) = block { Some((name, figure)) } else { None })
    }

    /// Returns the document as JSON, indented.
    ///
    /// # Errors
    ///
    /// Never for a document built from this crate's types; the error is passed on all the same.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }
}

impl Section {
    /// Starts a section of the first level; its id comes from its title.
    pub fn new(title: impl Into<String>) -> Self {
        let title = title.into();
        Self { id: Id::new(&title), level: 1, title, page_break: false, blocks: Vec::new() }
    }

    /// Sets the level, 1 to 5.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = level.clamp(1, 5);
        self
    }

    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Id::new(id);
        self
    }

    /// Lets a new page begin before this section in print.
    #[must_use]
    pub fn on_new_page(mut self) -> Self {
        self.page_break = true;
        self
    }

    /// Adds a block.
    #[must_use]
    pub fn block(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(self, text: impl Into<Text>) -> Self {
        self.block(Block::Paragraph(text.into()))
    }

    /// Adds a list whose order means nothing.
    #[must_use]
    pub fn list(self, items: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        self.block(Block::List { ordered: false, items: items.into_iter().map(Into::into).collect() })
    }

    /// Adds a numbered list.
    #[must_use]
    pub fn numbered(self, items: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        self.block(Block::List { ordered: true, items: items.into_iter().map(Into::into).collect() })
    }

    /// Returns the id of the section; within a document it is unique.
    pub fn section_id(&self) -> &Id {
        &self.id
    }

    /// Returns the level of the heading, 1 to 5, where 1 is the level below the title.
    pub fn heading_level(&self) -> u8 {
        self.level
    }
}
