//! Arguments of the commands that write copies and files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Past;
use crate::complete::key_completer;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson export > estate.ndjson\n  \
keelson export --format dot --cone service/payments | dot -Tsvg > payments.svg")]
pub(crate) struct Export {
    /// The form; 'batch' can be imported again
    #[arg(long, value_enum, default_value_t = ExportFormat::Batch, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// Only this item and everything it needs
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) cone: Option<String>,
    /// Source the batch names itself by
    #[arg(long, value_name = "NAME", default_value = "keelson-export")]
    pub(crate) source: String,
    /// File to write; default: standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) past: Past,
}

/// An open form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Keelson's own form, one JSON object per line.
    Batch,
    /// GraphML, for graph tools.
    Graphml,
    /// Graphviz.
    Dot,
    /// Two tables, items then relationships, as comma-separated values.
    Csv,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  keelson backup keelson-2026-11-01.backup")]
pub(crate) struct Backup {
    /// Where to write; must not exist
    #[arg(value_name = "PATH")]
    pub(crate) to: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  keelson restore keelson-2026-11-01.backup --data restored")]
pub(crate) struct Restore {
    /// The copy
    #[arg(value_name = "PATH")]
    pub(crate) from: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  keelson completions bash > /etc/bash_completion.d/keelson")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
