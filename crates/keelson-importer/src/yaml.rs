//! YAML with line numbers, as JSON values.
//!
//! Reads multi-document streams. Refuses custom tags and repeated keys, bounds alias expansion and
//! nesting, and never recurses on the call stack. Scalars follow the YAML 1.2 core schema, so an
//! unquoted `1.10` is the number 1.1 and `yes` is a text; [`Document::text_of`] gives the spelling
//! of a number where it says more than the number does. What the core schema calls a number and
//! JSON cannot hold (`.inf`, `.nan`, whole numbers beyond 64 bits) stays text. `<<` is an ordinary
//! key, as in YAML 1.2.

mod lines;
mod scalar;

use std::borrow::Cow;
use std::collections::HashMap;

use keelson_model::Position;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};
use serde_json::Value as Json;

use lines::Places;

/// Most aliases expanded in one document, counting those inside what other aliases stand for.
pub const MAX_ALIAS_EXPANSIONS: usize = 10_000;
/// Most values and bytes of text that anchors and aliases may copy in one document.
const MAX_COPIED: usize = 64 << 20;
/// Nesting beyond which values could not be dropped or printed safely, whatever the caller asks.
const MAX_NESTING: usize = 128;

/// One document of a stream.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its content. Keys that are not text become their text.
    pub value: Json,
    /// Line of its first content, counted from 1.
    pub line: u32,
    /// Number in its stream, counted from 1. Empty documents count although they are left out.
    pub number: u32,
    /// Line of every value, by JSON pointer.
    places: Places,
}

/// A document that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct YamlError {
    /// Line, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub reason: String,
}

impl Document {
    /// The line at which the value under a JSON pointer stands, which for an entry of a mapping is
    /// the line of its key; the nearest enclosing value's line where the pointer names nothing or
    /// leads into an alias.
    #[must_use]
    pub fn line_of(&self, pointer: &str) -> u32 {
        self.places.nearest(pointer).unwrap_or(self.line)
    }

    /// The whole position of the value under a JSON pointer of this document in a file.
    #[must_use]
    pub fn position(&self, file: &str, pointer: &str) -> Position {
        Position { line: Some(self.line_of(pointer)), document: Some(self.number), ..Position::pointer(file, pointer) }
    }

    /// How the number under a JSON pointer is written, where that is not how JSON writes it:
    /// `1.10` for 1.1, `010` for 10.
    #[must_use]
    pub fn text_of(&self, pointer: &str) -> Option<&str> {
        self.places.text(pointer)
    }
}

/// Reads all documents of a stream; empty documents are left out. A document that cannot be read
/// is an error of its own, and reading goes on behind it at the next line that begins with `---`.
///
/// At most `nesting` levels are read, and never more than 128.
#[must_use]
pub fn documents(text: &str, nesting: usize) -> Vec<Result<Document, YamlError>> {
    let mut read = Vec::new();
    let mut number = 0;
    let mut markers = markers(text);
    let mut rest = Some(Segment { text, lines_before: 0 });
    while let Some(segment) = rest.take() {
        let mut stream = Stream::new(&segment, nesting.min(MAX_NESTING), number);
        loop {
            match stream.next_document() {
                Ok(None) => break,
                Ok(Some(document)) => read.extend((!document.places.is_empty()).then_some(Ok(document))),
                Err(error) => {
                    // `---` at the start of a line is a document marker wherever it stands, so
                    // that reading can begin again there whatever state the error left.
                    let from = stream.started.max(segment.lines_before + 1);
                    let next = markers.find(|(line, _)| *line > from && *line >= error.line);
                    read.push(Err(error));
                    rest = next.map(|(line, at)| Segment { text: &text[at..], lines_before: line - 1 });
                    break;
                }
            }
        }
        number = stream.number;
    }
    read
}

/// The rest of a stream from some line on.
struct Segment<'a> {
    text: &'a str,
    lines_before: u32,
}

/// Lines that begin a document: their number, counted from 1, and byte offset.
fn markers(text: &str) -> impl Iterator<Item = (u32, usize)> {
    let mut at = 0;
    (1..).zip(text.split_inclusive('\n')).filter_map(move |(number, line)| {
        let start = at;
        at += line.len();
        let behind = line.strip_prefix("---")?;
        behind.chars().next().is_none_or(char::is_whitespace).then_some((number, start))
    })
}

/// A finished value and what copying it would cost.
#[derive(Clone)]
struct Built {
    value: Json,
    /// Levels of nesting in it; 0 for a scalar.
    height: usize,
    /// Values in it plus bytes of their text.
    weight: usize,
    /// Aliases expanded in it.
    expansions: usize,
}

impl Built {
    fn scalar(value: Json) -> Self {
        let text = value.as_str().map_or(0, str::len);
        Self { value, height: 0, weight: 1 + text, expansions: 0 }
    }
}

/// A sequence or mapping that is still open.
struct Frame {
    content: Content,
    anchor: usize,
    place: u32,
    height: usize,
    weight: usize,
    expansions: usize,
}

enum Content {
    Sequence(Vec<Json>),
    Mapping { entries: serde_json::Map<String, Json>, key: Option<(String, u32)> },
}

struct Stream<'a> {
    parser: Parser<'a, StrInput<'a>>,
    lines_before: u32,
    nesting: usize,
    /// Documents begun so far.
    number: u32,
    /// Line at which the document now being read began.
    started: u32,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    places: Places,
    expansions: usize,
    copied: usize,
    root: Option<Json>,
    first_line: u32,
}

impl<'a> Stream<'a> {
    fn new(segment: &Segment<'a>, nesting: usize, number: u32) -> Self {
        Self {
            parser: Parser::new_from_str(segment.text),
            lines_before: segment.lines_before,
            nesting,
            number,
            started: 0,
            stack: Vec::new(),
            anchors: HashMap::new(),
            places: Places::default(),
            expansions: 0,
            copied: 0,
            root: None,
            first_line: 0,
        }
    }

    /// Line in the whole stream of a line the parser names.
    fn line(&self, parsed: usize) -> u32 {
        u32::try_from(parsed.max(1)).unwrap_or(u32::MAX).saturating_add(self.lines_before)
    }

    fn next_document(&mut self) -> Result<Option<Document>, YamlError> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| self.unreadable(&error))?;
            match event {
                Event::DocumentStart(_) => {
                    self.number += 1;
                    self.started = self.line(span.start.line());
                    self.stack.clear();
                    self.anchors.clear();
                    self.places = Places::default();
                    (self.expansions, self.copied, self.root) = (0, 0, None);
                }
                Event::DocumentEnd => {
                    return Ok(Some(Document {
                        value: self.root.take().unwrap_or(Json::Null),
                        line: self.first_line,
                        number: self.number,
                        places: std::mem::take(&mut self.places),
                    }));
                }
                Event::StreamEnd => return Ok(None),
                Event::StreamStart | Event::Nothing => {}
                content => {
                    let line = self.line(span.start.line());
                    self.content(content, line).map_err(|reason| YamlError { line, reason })?;
                }
            }
        }
        Ok(None)
    }

    fn unreadable(&mut self, error: &ScanError) -> YamlError {
        if self.root.is_none() && self.stack.is_empty() && self.places.is_empty() {
            // The error came before the document's own start was announced.
            self.number += u32::from(self.started == 0);
        }
        YamlError { line: self.line(error.marker().line()), reason: error.info().to_owned() }
    }

    fn content(&mut self, event: Event<'_>, line: u32) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), line),
            Event::SequenceStart(anchor, tag) => {
                expect_tag(tag.as_ref(), "seq")?;
                self.open(Content::Sequence(Vec::new()), anchor, line)
            }
            Event::MappingStart(anchor, tag) => {
                expect_tag(tag.as_ref(), "map")?;
                self.open(Content::Mapping { entries: serde_json::Map::new(), key: None }, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    /// Whether the next value is the key of an entry.
    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Mapping { key: None, .. }, .. }))
    }

    /// Notes where the next value stands: its number among the places of the document.
    fn place(&mut self, line: u32) -> u32 {
        match self.stack.last() {
            None => {
                self.first_line = line;
                self.places.root(line)
            }
            Some(Frame { content: Content::Sequence(items), place, .. }) => {
                self.places.add(*place, &items.len().to_string(), line)
            }
            Some(Frame { content: Content::Mapping { key, .. }, place, .. }) => {
                let (key, line) = key.as_ref().map_or(("", line), |(key, line)| (key, *line));
                self.places.add(*place, key, line)
            }
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: u32,
    ) -> Result<(), String> {
        if self.expects_key() {
            if anchor != 0 {
                self.remember(anchor, Built::scalar(Json::from(text)))?;
            }
            return self.key(text, line);
        }
        let plain = style == ScalarStyle::Plain;
        let nothing = plain && text.is_empty() && tag.is_none();
        if self.stack.is_empty() && nothing {
            return Ok(());
        }
        let value = scalar::resolve(text, plain, tag)?;
        let place = self.place(line);
        if value.as_number().is_some_and(|number| number.to_string() != text) {
            self.places.spelled(place, text);
        }
        let built = Built::scalar(value);
        if anchor != 0 {
            self.remember(anchor, built.clone())?;
        }
        self.add(built);
        Ok(())
    }

    fn key(&mut self, text: &str, line: u32) -> Result<(), String> {
        if let Some(Frame { content: Content::Mapping { entries, key }, .. }) = self.stack.last_mut() {
            if entries.contains_key(text) {
                return Err(format!("the key '{}' is given twice; keep one of them", shortened(text)));
            }
            *key = Some((text.to_owned(), line));
        }
        Ok(())
    }

    fn open(&mut self, content: Content, anchor: usize, line: u32) -> Result<(), String> {
        if self.expects_key() {
            return Err("a key must be a text, not a list or mapping".to_owned());
        }
        self.check_nesting(1)?;
        let place = self.place(line);
        self.stack.push(Frame { content, anchor, place, height: 0, weight: 1, expansions: 0 });
        Ok(())
    }

    fn check_nesting(&self, height: usize) -> Result<(), String> {
        if self.stack.len() + height > self.nesting {
            return Err(format!("it is nested deeper than {} levels", self.nesting));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::Sequence(items) => Json::Array(items),
            Content::Mapping { entries, .. } => Json::Object(entries),
        };
        let (height, weight, expansions) = (frame.height + 1, frame.weight, frame.expansions);
        let built = Built { value, height, weight, expansions };
        if frame.anchor != 0 {
            self.remember(frame.anchor, built.clone())?;
        }
        self.add(built);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(), String> {
        let Some(built) = self.anchors.get(&anchor) else {
            return Err("an alias stands inside the very value it refers to".to_owned());
        };
        let (weight, expansions, height) = (built.weight, built.expansions + 1, built.height);
        self.expansions += expansions;
        if self.expansions > MAX_ALIAS_EXPANSIONS {
            return Err(format!("its aliases expand to more than {MAX_ALIAS_EXPANSIONS} values"));
        }
        self.check_nesting(height)?;
        self.charge(weight)?;
        let Some(mut built) = self.anchors.get(&anchor).cloned() else { return Ok(()) };
        built.expansions = expansions;
        if self.expects_key() {
            return match &built.value {
                Json::String(text) => self.key(text, line),
                Json::Array(_) | Json::Object(_) => Err("a key must be a text, not a list or mapping".to_owned()),
                other => self.key(&other.to_string(), line),
            };
        }
        self.place(line);
        self.add(built);
        Ok(())
    }

    fn charge(&mut self, weight: usize) -> Result<(), String> {
        self.copied = self.copied.saturating_add(weight);
        if self.copied > MAX_COPIED {
            return Err(format!("its anchors and aliases expand to more than {} MiB", MAX_COPIED >> 20));
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, built: Built) -> Result<(), String> {
        self.charge(built.weight)?;
        self.anchors.insert(anchor, built);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, built: Built) {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(built.value);
            return;
        };
        frame.height = frame.height.max(built.height);
        frame.weight = frame.weight.saturating_add(built.weight);
        frame.expansions = frame.expansions.saturating_add(built.expansions);
        match &mut frame.content {
            Content::Sequence(items) => items.push(built.value),
            Content::Mapping { entries, key } => {
                if let Some((key, _)) = key.take() {
                    frame.weight = frame.weight.saturating_add(key.len());
                    entries.insert(key, built.value);
                }
            }
        }
    }
}

fn expect_tag(tag: Option<&Cow<'_, Tag>>, expected: &str) -> Result<(), String> {
    let Some(tag) = tag else { return Ok(()) };
    match scalar::core_tag(tag) {
        Some(name) if name == expected || name == "!" => Ok(()),
        _ => Err(scalar::refused(tag)),
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
