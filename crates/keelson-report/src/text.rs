//! Text as data: what every format does to a text before it escapes it in its own way, and how wide it is.
//!
//! A text may come from any source, so nothing in it may act. Characters that have no shape are made visible
//! rather than dropped: a reader sees that something strange stands there. That includes the marks that change
//! the direction of text, with which a name can be made to read as another name.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the text with line ends made `\n` and everything invisible made visible.
///
/// Control characters, directional marks and others that have no shape become as `[U+202E]`; tabs become spaces.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(needs_care) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' => {
                rest.next_if_eq(&'\n');
                out.push('\n');
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push(' '),
            c if needs_care(c) => {
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Returns the text on one line, everything invisible made visible.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    if text.contains('\n') { Cow::Owned(text.replace('\n', " ")) } else { text }
}

fn needs_care(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(u32::from(c),
            0x061C | 0x200B | 0x200E | 0x200F | 0x2028 | 0x2029 | 0x202A..=0x202E | 0x2060 | 0x2066..=0x2069
            | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
        || matches!(u32::from(c) & 0xFFFF, 0xFFFE | 0xFFFF)
}

/// Appends a text to HTML or XML (content or quoted attribute), on one line.
pub fn push_escaped(out: &mut String, text: &str) {
    for c in one_line(text).chars() {
        push_escaped_char(out, c);
    }
}

/// Appends a text to HTML content; its line ends become `<br>`.
pub fn push_escaped_lines(out: &mut String, text: &str) {
    for c in visible(text).chars() {
        if c == '\n' {
            out.push_str("<br>");
        } else {
            push_escaped_char(out, c);
        }
    }
}

fn push_escaped_char(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Returns the text escaped for HTML or XML, on one line.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push_escaped(&mut out, text);
    out
}

/// Returns how wide a text is at a font size, in the same unit; rather too wide than too narrow.
///
/// The widths are those of a wide sans-serif face, since which one a reader has is not known.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.32,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 't' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' => 0.41,
        'r' | 's' | 'c' | 'z' | 'J' | '"' => 0.57,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | '+' | '=' | '<' | '>' | '~' | '#' | '&' => 0.8,
        '\u{300}'..='\u{36f}' => 0.0,
        '\u{20}'..='\u{7e}' => 0.65,
        c if u32::from(c) < 0x1100 => 0.8,
        _ => 1.1,
    }
}

/// Returns the text cut to a width, ending in an ellipsis if something was cut.
pub fn fit(text: &str, size: f64, room: f64) -> Cow<'_, str> {
    let text = one_line(text);
    if width(&text, size) <= room {
        return text;
    }
    let mut left = room - em('\u{2026}') * size;
    let mut kept = String::new();
    for c in text.chars() {
        left -= em(c) * size;
        if left < 0.0 {
            break;
        }
        kept.push(c);
    }
    Cow::Owned(format!("{}\u{2026}", kept.trim_end()))
}

/// Returns a count with its noun.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\r\nb\rc\u{2028}d\te"), "a\nb\nc\nd e");
        assert_eq!(visible("\u{1b}[31m\0\u{7f}"), "[U+001B][31m[U+0000][U+007F]");
        assert_eq!(visible("bank\u{202e}gpj.exe"), "bank[U+202E]gpj.exe");
        assert_eq!(visible("\u{200f}\u{feff}\u{9b}"), "[U+200F][U+FEFF][U+009B]");
        assert!(matches!(visible("plain, Größe, שלום"), Cow::Borrowed(_)));
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escaped("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"
        );
    }

    #[test]
    fn a_text_is_cut_to_its_room() {
        assert_eq!(fit("short", 10.0, 100.0), "short");
        let cut = fit("a rather long name of a configuration item", 10.0, 100.0);
        assert!(cut.ends_with('\u{2026}') && width(&cut, 10.0) <= 100.0, "{cut}");
        assert!(width(&fit("漢字漢字漢字漢字", 10.0, 40.0), 10.0) <= 40.0);
    }
}
