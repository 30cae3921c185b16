//! The guard before the parser.
//!
//! The parser reads nested values and selections by recursion, and nesting costs it more than its
//! length. The guard counts brackets and tokens in one pass over the bytes, without recursion and
//! without allocation, and only what passed it is parsed: [`GuardedDocument`] is the only way to
//! the parser.
//!
//! It judges size and depth and nothing else. Unbalanced brackets and unterminated strings pass
//! and become syntax errors of the parser. What matters is that guard and parser agree about where
//! strings and comments end, because brackets inside them do not count.

use async_graphql::parser::types::ExecutableDocument;

use crate::errors::{Code, Refusal};
use crate::limits::Limits;

/// A document that is small and flat enough to be parsed.
#[derive(Clone, Copy, Debug)]
pub struct GuardedDocument<'a>(&'a str);

/// What a document is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    depth: usize,
    tokens: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excess {
    Depth,
    Tokens,
}

impl<'a> GuardedDocument<'a> {
    /// Checks a document.
    ///
    /// # Errors
    /// `DOCUMENT_TOO_LARGE` and `DOCUMENT_TOO_DEEP`.
    pub fn check(text: &'a str, limits: &Limits) -> Result<Self, Refusal> {
        if text.len() > limits.document_bytes {
            let message = format!("a document may have {} bytes; this one has {}", limits.document_bytes, text.len());
            return Err(Refusal::new(Code::DocumentTooLarge, message));
        }
        match scan(text.as_bytes(), limits.brackets, limits.tokens) {
            Ok(_) => Ok(Self(text)),
            Err(Excess::Depth) => {
                let message = format!("brackets may be nested {} deep; use variables for long values", limits.brackets);
                Err(Refusal::new(Code::DocumentTooDeep, message))
            }
            Err(Excess::Tokens) => {
                let message = format!("a document may have {} tokens; use variables for long values", limits.tokens);
                Err(Refusal::new(Code::DocumentTooLarge, message))
            }
        }
    }

    /// Parses it.
    ///
    /// # Errors
    /// As the parser: it is not a GraphQL document.
    pub fn parse(self) -> Result<ExecutableDocument, async_graphql::parser::Error> {
        async_graphql::parser::parse_query(self.0)
    }
}

/// Counts brackets and tokens, stopping at the first excess.
fn scan(bytes: &[u8], most_depth: usize, most_tokens: usize) -> Result<Shape, Excess> {
    let mut shape = Shape::default();
    let (mut at, mut open) = (0, 0_usize);
    // Once a block string has no end, no later one has: the search is made at most once in vain.
    let mut blocks_end = true;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b' ' | b',' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = skip_while(bytes, at, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => at = after_string(bytes, at, &mut blocks_end),
            b'{' | b'[' | b'(' => {
                open += 1;
                shape.depth = shape.depth.max(open);
            }
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'.' => at = skip_while(bytes, at, |byte| byte == b'.'),
            byte if is_word(*byte) => at = skip_while(bytes, at, is_word),
            _ => {}
        }
        at = at.max(start + 1);
        shape.tokens += 1;
        if shape.depth > most_depth {
            return Err(Excess::Depth);
        }
        if shape.tokens > most_tokens {
            return Err(Excess::Tokens);
        }
    }
    Ok(shape)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip_while(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !wanted(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Where the string that begins at `from` ends. A string that cannot be one ends where that shows:
/// the parser gets no further either.
fn after_string(bytes: &[u8], from: usize, blocks_end: &mut bool) -> usize {
    if bytes[from..].starts_with(b"\"\"\"") {
        if *blocks_end {
            if let Some(end) = block_end(bytes, from + 3) {
                return end;
            }
            *blocks_end = false;
        }
        // Without an end it is no block string but an empty string and what follows, and so the
        // parser reads it.
        return from + 2;
    }
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn block_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\"\"\"") {
            return Some(at + 3);
        }
        at += if bytes[at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;
    use async_graphql::parser::types::Selection;
    use proptest::prelude::*;

    use super::*;

    fn shape(text: &str) -> Shape {
        scan(text.as_bytes(), usize::MAX, usize::MAX).unwrap()
    }

    fn code(text: &str) -> Option<Code> {
        GuardedDocument::check(text, &Limits::default()).err().map(|refusal| refusal.code)
    }

    #[test]
    fn counts_brackets_and_tokens() {
        assert_eq!(shape("{a}"), Shape { depth: 1, tokens: 3 });
        assert_eq!(shape("query Q($a: [Int!] = [1]) { a(b: {c: [$a]}) ... on T { d } }").depth, 4);
        assert_eq!(shape("{ a # [[[[ \r }").tokens, 3);
        assert_eq!(shape("...").tokens, 1);
    }

    #[test]
    fn strings_and_comments_do_not_count() {
        assert_eq!(shape(r#"{a(b:"[[[\"[[[")}"#).depth, 2);
        assert_eq!(shape("{a(b:\"\"\" [[[ \\\"\"\" {{{ \"\"\")}").depth, 2);
        assert_eq!(shape("# {{{{\n{a}").depth, 1);
        assert_eq!(shape("# {{{{\r{a}").depth, 1);
    }

    #[test]
    fn a_block_string_without_an_end_hides_nothing() {
        assert_eq!(shape("{a(b:[\"\"\"x\" [[[[ \"y\"").depth, 7);
        assert_eq!(shape("{a(b:[\"\"\"x\" \"\"\" \" [[[[").depth, 3);
    }

    #[test]
    fn refuses_deep_and_long_documents() {
        let values = |depth: usize| format!("{{a(b:{}{})}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(code(&values(30)), None);
        assert_eq!(code(&values(31)), Some(Code::DocumentTooDeep));
        assert_eq!(code(&values(2_000)), Some(Code::DocumentTooDeep));
        assert_eq!(code(&"{a".repeat(2_000)), Some(Code::DocumentTooDeep));
        assert_eq!(code(&format!("{{{}}}", "a ".repeat(5_000))), Some(Code::DocumentTooLarge));
        assert_eq!(code(&"#".repeat(70_000)), Some(Code::DocumentTooLarge));
        assert_eq!(code("{ a"), None, "syntax errors are for the parser");
    }

    /// Nesting of lists and objects in a value.
    fn depth_of(value: &Value) -> usize {
        match value {
            Value::List(values) => 1 + values.iter().map(depth_of).max().unwrap_or(0),
            Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn only_argument(text: &str) -> Option<Value> {
        let document = async_graphql::parser::parse_query(text).ok()?;
        let (_, operation) = document.operations.iter().next()?;
        let Selection::Field(field) = &operation.node.selection_set.node.items.first()?.node else { return None };
        let (_, value) = field.node.arguments.first()?;
        value.node.clone().into_const()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// Whatever the parser reads, the guard has seen at its true depth.
        #[test]
        fn agrees_with_the_parser(pieces in prop::collection::vec(prop::sample::select(vec![
            "\"", "\"\"\"", "\\\"\"\"", "\\\"", "\\\\", "\\", "#", "\n", "\r", "\r\n", "[", "]", "{b:", "}",
            "a", " ", ",", "\\u0041", "1", "\"\"", "[\"", "\"]", "]\"", "ä", "\u{feff}",
        ]), 0..14)) {
            let text = format!("{{a(x:[{}])}}", pieces.concat());
            if let Some(value) = only_argument(&text) {
                prop_assert_eq!(shape(&text).depth, 2 + depth_of(&value), "{}", text);
            }
        }

        /// Strings of any content never count.
        #[test]
        fn strings_of_any_content_are_skipped(content in any::<String>(), block in any::<bool>()) {
            let literal = if block {
                format!("\"\"\"{}\"\"\"", content.replace("\"\"\"", "").trim_end_matches(['"', '\\']))
            } else {
                serde_json::to_string(&content).unwrap()
            };
            let text = format!("{{a(x:{literal} y:[1])}}");
            prop_assert_eq!(shape(&text).depth, 3, "{}", text);
        }
    }
}
