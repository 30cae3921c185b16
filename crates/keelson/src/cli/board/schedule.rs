//! Arguments of `keelson schedule`, and of documents.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{Past, times};

/// How a document is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct PackArgs {
    /// Its form; 'csv' writes its tables into a folder, which --to-file names
    #[arg(long, value_enum, value_name = "FORM", default_value_t = DocumentForm::Html)]
    pub(crate) form: DocumentForm,
    /// File to write; default: standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to_file: Option<PathBuf>,
    /// Zone in which times are shown: Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

/// The form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentForm {
    /// One page for browsers, which prints well.
    Html,
    /// Markdown.
    Markdown,
    /// The tables, a file each.
    Csv,
    /// The answers it is made of.
    Json,
}

/// Some time from now, or between two times.
#[derive(Args, Clone, Debug)]
pub(crate) struct Span {
    /// Start of the times of interest; default: now
    #[arg(long, value_name = "TIME", value_parser = times::start)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// End of the times of interest; default: a week after their start
    #[arg(long, value_name = "TIME", value_parser = times::end)]
    pub(crate) to: Option<DateTime<Utc>>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson schedule assess\n  \
keelson schedule assess --from 2026-12-01 --to 2026-12-07 --fail-on-collision\n  keelson schedule ics > changes.ics\n  \
keelson schedule pack --from 2026-12-01 --zone Europe/Berlin --to-file pack.html")]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    pub(crate) action: ScheduleAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleAction {
    /// What the changes planned do together, hour by hour, and what to move
    Assess {
        #[command(flatten)]
        span: Span,
        /// Only these requests
        #[arg(value_name = "ID")]
        only: Vec<String>,
        /// Lines of each list
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Exit with status 1 when changes collide
        #[arg(long)]
        fail_on_collision: bool,
        #[command(flatten)]
        past: Past,
    },
    /// The board's pack: one document with the verdict on each request, proofs, collisions and drawings
    Pack {
        #[command(flatten)]
        span: Span,
        /// Only these requests
        #[arg(value_name = "ID")]
        only: Vec<String>,
        /// What the document is called
        #[arg(long, value_name = "TEXT", default_value = "Change advisory board")]
        title: String,
        #[command(flatten)]
        form: PackArgs,
        #[command(flatten)]
        past: Past,
    },
    /// The schedule as an iCalendar file, for calendars
    Ics {
        #[command(flatten)]
        span: Span,
        /// File to write; default: standard output
        #[arg(long, value_name = "FILE")]
        to_file: Option<PathBuf>,
        #[command(flatten)]
        past: Past,
    },
}
