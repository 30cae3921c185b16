//! What the author of an importer sees.
//!
//! An importer turns what a source says into [`keelson_model::Batch`]es: observations,
//! relationships, needs and findings, named as the source names them and already in the one
//! direction *dependent needs dependency*. It is a pure function of its input: the same files give
//! the same batches, byte for byte.
//!
//! This crate offers the trait ([`Importer`]), bounded reading of files ([`Input`], [`lines`]), one
//! reader for YAML with line numbers ([`yaml`]), the rules about secrets ([`redaction`]) and a
//! conformance kit ([`conformance`]) that every importer runs. It refuses to know the store, to merge, to decide
//! which configuration item a row is, and to guess: what is unclear becomes a finding.
//!
//! What several importers need stands here once:
//!
//! | To | Use |
//! | --- | --- |
//! | make a source key, or a finding where there is none | [`rows::source_key`] |
//! | say where something stood | [`rows::position`], [`yaml::Document::position`] |
//! | keep a payload without its secrets | [`rows::redacted_payload`] |
//! | hold the limits of names, values and counts | [`rows::keep_within_limits`] |
//! | merge the same source key seen twice | [`merge::duplicates`] |
//! | merge a relationship stated twice or from both ends | [`merge::relationships`], [`merge::sort_ends`] |
//! | report what is related to itself or described nowhere | [`merge::report_self_loops`], [`merge::report_missing_targets`] |

pub mod conformance;
mod input;
mod limited;
mod lines;
pub mod merge;
pub mod redaction;
pub mod rows;
pub mod yaml;

use chrono::{DateTime, Utc};
use keelson_model::{Batch, Scope};
use thiserror::Error;

pub use input::{Input, InputError, Limits, SourceFile};
pub use lines::{LineError, Lines, lines};

/// What the caller says about an import beyond the files themselves.
#[derive(Clone, Debug)]
pub struct Context {
    /// Name of the configured source: `aws-prod`. Importers of formats that state their own
    /// source (the batch format) prefer that one.
    pub source: String,
    /// What the import covers, where the caller says so; otherwise the importer's own rule.
    pub scope: Option<Scope>,
    /// Whether the caller vouches that the files list everything in the scope. Where the format
    /// itself proves completeness the importer says so without it.
    pub complete: bool,
    /// When the source was read; used where the format does not say.
    pub observed_at: DateTime<Utc>,
    /// Further options of one importer, for example `cluster` or `mapping`.
    pub options: std::collections::BTreeMap<String, String>,
}

/// A reason why nothing of the input can be used: unreadable never means "all gone".
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// A file could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file is not what the importer reads.
    #[error("{file}{}: {reason}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Unreadable {
        /// The file, relative to what was imported.
        file: String,
        /// The line, where known.
        line: Option<u32>,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A format version that is not read.
    #[error("{file}: {what} {found} is not supported; supported: {supported}")]
    UnsupportedVersion {
        /// The file.
        file: String,
        /// What has the version: `terraform state version`.
        what: String,
        /// The version found.
        found: String,
        /// The versions that are read.
        supported: String,
    },
    /// No file the importer could read.
    #[error("none of the {files} files given is {expected}")]
    NothingToRead {
        /// Number of files given.
        files: usize,
        /// What the importer looks for.
        expected: String,
    },
    /// An option is missing or makes no sense.
    #[error("option '{option}': {reason}")]
    Option {
        /// The option.
        option: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Turns the files of one kind of source into batches.
pub trait Importer: Send + Sync {
    /// The name by which people choose it: `terraform`.
    fn name(&self) -> &'static str;

    /// Its version; raised whenever the same files would give other batches.
    fn version(&self) -> &'static str;

    /// One sentence on what it reads, for `--help`.
    fn reads(&self) -> &'static str;

    /// Reads the files. Bad rows become findings; the batches are in an order in which they can be
    /// applied one after the other.
    ///
    /// # Errors
    /// Fails when nothing can be used, or when what can be used could be mistaken for all there is.
    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError>;
}
