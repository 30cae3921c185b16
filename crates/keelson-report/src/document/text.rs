//! What a reader reads: pieces of text, some of them set apart.

use serde::Serialize;

use super::Id;

/// A text with pieces that are set apart. All of it is data; nothing in it is markup.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Text {
    /// The pieces in order.
    pub spans: Vec<Span>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// As it is.
    Plain(String),
    /// Stressed.
    Emphasis(String),
    /// Important.
    Strong(String),
    /// A key, a digest, a command.
    Code(String),
    /// Leads somewhere.
    Link {
        /// What is shown.
        text: String,
        /// Where it leads.
        target: Target,
    },
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To a section of the same document. If there is none, the link is plain text.
    Section(Id),
    /// To an address. Only `http`, `https` and `mailto` become links; others are plain text.
    Address(String),
}

impl Target {
    /// Returns the address if it is one that a document may link to.
    pub fn safe_address(&self) -> Option<&str> {
        let Self::Address(address) = self else { return None };
        let scheme = address.split_once(':')?.0.to_ascii_lowercase();
        let known = ["http", "https", "mailto"].contains(&scheme.as_str());
        let clean = !address.chars().any(|c| c.is_whitespace() || c.is_control());
        (known && clean).then_some(address)
    }
}

impl Text {
    /// Starts an empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text as it is.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.span(Span::Plain(text.into()))
    }

    /// Adds stressed text.
    #[must_use]
    pub fn emphasis(self, text: impl Into<String>) -> Self {
        self.span(Span::Emphasis(text.into()))
    }

    /// Adds important text.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.span(Span::Strong(text.into()))
    }

    /// Adds a key, a digest, a command.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.span(Span::Code(text.into()))
    }

    /// Adds a link to an address.
    #[must_use]
    pub fn link(self, text: impl Into<String>, address: impl Into<String>) -> Self {
        self.span(Span::Link { text: text.into(), target: Target::Address(address.into()) })
    }

    /// Adds a link to a section.
    #[must_use]
    pub fn to_section(self, text: impl Into<String>, id: &Id) -> Self {
        self.span(Span::Link { text: text.into(), target: Target::Section(id.clone()) })
    }

    /// Returns the text without anything set apart.
    pub fn to_plain(&self) -> String {
        self.spans.iter().map(Span::text).collect()
    }

    /// Returns whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.spans.iter().all(|span| span.text().is_empty())
    }

    fn span(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }
}

impl Span {
    /// Returns what is shown.
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Emphasis(text) | Self::Strong(text) | Self::Code(text) => text,
            Self::Link { text, .. } => text,
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { spans: vec![Span::Plain(text)] }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}
