//! Markup of drawings, written by this crate alone.
//!
//! A drawing that stands in a page must not share ids with another one, and is drawn before it is known where it
//! will stand. So ids begin with a mark that no text can contain ([`text::visible`](crate::text::visible) replaces
//! control characters), and the mark is replaced when the drawing is put somewhere.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use crate::document::Id;
use crate::text::push_escaped;

/// Stands for the name of the drawing in its ids.
const NAME: &str = "\u{1}";

/// The typefaces of all text in drawings.
const FONTS: &str = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// A finished drawing. Only this crate makes one, so it can stand in a page as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Svg {
    markup: String,
    width: f64,
    height: f64,
}

impl Svg {
    /// Returns the drawing for a page or a file; its ids begin with the name.
    pub fn markup(&self, name: &Id) -> String {
        self.markup.replace(NAME, name.as_str())
    }

    /// Returns the width in pixels at which text has its intended size.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Returns the height in pixels at which text has its intended size.
    pub fn height(&self) -> f64 {
        self.height
    }
}

impl Serialize for Svg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.markup(&Id::new("drawing")))
    }
}

/// Where a drawing is drawn.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    out: String,
}

/// How a piece of text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Font {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) anchor: &'static str,
    pub(crate) colour: &'static str,
}

impl Font {
    pub(crate) const fn new(size: f64) -> Self {
        Self { size, bold: false, italic: false, anchor: "start", colour: "#111" }
    }

    pub(crate) const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(crate) const fn italic(mut self) -> Self {
        self.italic = true;
        self
    }

    pub(crate) const fn anchor(mut self, anchor: &'static str) -> Self {
        self.anchor = anchor;
        self
    }

    pub(crate) const fn colour(mut self, colour: &'static str) -> Self {
        self.colour = colour;
        self
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Returns the rectangle made smaller by a distance on each side.
    pub(crate) fn inset(&self, by: f64) -> Self {
        Self::new(self.x + by, self.y + by, self.width - 2.0 * by, self.height - 2.0 * by)
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// Writes a number with at most one decimal.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{:.1}", value + 0.0);
    let text = text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    if text == "-0" { "0".to_owned() } else { text }
}

impl Canvas {
    /// Appends markup that holds no data.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// Appends an id, or the reference to one, of this drawing.
    pub(crate) fn local(part: &str) -> String {
        format!("{NAME}-{part}")
    }

    /// Opens a group that shows the whole of a text when it is pointed at.
    pub(crate) fn open_group(&mut self, title: &str) {
        self.out.push_str("<g><title>");
        push_escaped(&mut self.out, title);
        self.out.push_str("</title>");
    }

    pub(crate) fn close_group(&mut self) {
        self.out.push_str("</g>\n");
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, font: Font, text: &str) {
        let _ = write!(self.out, r#"<text x="{}" y="{}" font-size="{}""#, number(x), number(y), number(font.size));
        if font.bold {
            self.out.push_str(r#" font-weight="700""#);
        }
        if font.italic {
            self.out.push_str(r#" font-style="italic""#);
        }
        if font.anchor != "start" {
            let _ = write!(self.out, r#" text-anchor="{}""#, font.anchor);
        }
        if font.colour != "#111" {
            let _ = write!(self.out, r#" fill="{}""#, font.colour);
        }
        self.out.push('>');
        push_escaped(&mut self.out, text);
        self.out.push_str("</text>");
    }

    /// Draws a rectangle; the style is attributes without data.
    pub(crate) fn rect(&mut self, rect: &Rect, style: &str) {
        let [x, y, width, height] = [rect.x, rect.y, rect.width.max(0.0), rect.height.max(0.0)].map(number);
        let _ = write!(self.out, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" {style}/>"#);
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ = write!(self.out, r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>"#);
    }

    pub(crate) fn path(&mut self, path: &str, style: &str) {
        let _ = write!(self.out, r#"<path d="{path}" {style}/>"#);
    }

    /// Finishes a drawing.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str, description: &str) -> Svg {
        let [w, h] = [width, height].map(|value| number(value.ceil()));
        let mut out = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{NAME}-title {NAME}-desc" viewBox="0 0 {w} {h}" width="{w}" height="{h}" font-family="{FONTS}" fill="#111"><title id="{NAME}-title">"##
        );
        push_escaped(&mut out, title);
        let _ = write!(out, r#"</title><desc id="{NAME}-desc">"#);
        push_escaped(&mut out, description);
        let _ = writeln!(out, r##"</desc><rect width="{w}" height="{h}" fill="#fff"/>"##);
        out.push_str(&self.out);
        out.push_str("</svg>\n");
        Svg { markup: out, width: width.ceil(), height: height.ceil() }
    }
}
