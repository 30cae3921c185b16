//! Documents and drawings: what a change advisory board reads, prints and files.
//!
//! | what | where |
//! | --- | --- |
//! | what a document is made of | [`document`] |
//! | a document as one HTML file, as Markdown, as CSV files; as JSON | [`html`], [`markdown`], [`csv`], [`Document::to_json`](document::Document::to_json) |
//! | what is lost by a change, and why, drawn in layers | [`drawing`] |
//! | a schedule drawn as a timeline; as iCalendar | [`timeline`], [`ics`] |
//! | measurements over time, with what is to come | [`plot`] |
//! | the zone in which times are shown | [`zone`] |
//!
//! Whoever has an answer builds a [`document::Document`] of it, with drawings made by [`drawing::Drawing`] and
//! [`timeline::Timeline`], and hands it to the renderers. All renderers say the same.
//!
//! # Promises
//!
//! - All text is data. Nothing in a name can become markup, a formula or an event, and what cannot be seen is
//!   shown ([`text::visible`]).
//! - The same input gives the same bytes.
//! - Nothing is told by colour alone.
//! - What is left out is counted.
//!
//! # What this crate refuses to do
//!
//! No input or output, no clock, no randomness, no recursion over data. It knows neither graphs nor answers nor
//! catalogues: it draws what it is told and judges nothing.

pub mod csv;
pub mod document;
pub mod drawing;
pub mod html;
pub mod ics;
pub mod markdown;
pub mod plot;
mod svg;
pub mod text;
pub mod timeline;
pub mod zone;

pub use svg::Svg;
