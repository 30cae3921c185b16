//! Where the values of a document stand, by JSON pointer.
//!
//! A tree of path segments rather than a map of whole pointers: its size follows the document,
//! however long keys are and however many values stand below them.

use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    lines: Vec<u32>,
    /// Number of a value by the number of what encloses it and its key or index there.
    below: HashMap<(u32, Box<str>), u32>,
    /// Spellings of numbers that JSON would write otherwise.
    spellings: HashMap<u32, Box<str>>,
}

impl Places {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn root(&mut self, line: u32) -> u32 {
        self.lines.push(line);
        0
    }

    pub(super) fn add(&mut self, within: u32, segment: &str, line: u32) -> u32 {
        let number = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        self.lines.push(line);
        self.below.insert((within, segment.into()), number);
        number
    }

    pub(super) fn spelled(&mut self, place: u32, text: &str) {
        self.spellings.insert(place, text.into());
    }

    /// The number of the deepest value on the way to `pointer`, and whether that is the way's end.
    fn walk(&self, pointer: &str) -> Option<(u32, bool)> {
        if self.is_empty() {
            return None;
        }
        let mut at = 0;
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            match self.below.get(&(at, segment.into_boxed_str())) {
                Some(next) => at = *next,
                None => return Some((at, false)),
            }
        }
        Some((at, true))
    }

    pub(super) fn nearest(&self, pointer: &str) -> Option<u32> {
        self.walk(pointer).and_then(|(at, _)| self.lines.get(at as usize).copied())
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        let (at, found) = self.walk(pointer)?;
        if found { self.spellings.get(&at).map(|text| &**text) } else { None }
    }
}
