//! Completion in the shell, keys included.
//!
//! Opening the store for every press of a key would be slow and would collide with a running
//! server, so keys come from a list that commands which commit leave beside the store.

use std::ffi::OsStr;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

/// File beside the store with one key per line.
pub(crate) const KEYS_FILE: &str = "keys.txt";
/// Candidates offered at once.
const MOST: usize = 500;

/// Answers the shell when it asks for candidates, and ends the program then.
pub(crate) fn answer_shell() {
    clap_complete::CompleteEnv::with_factory(crate::cli::Cli::command).complete();
}

/// Completes keys.
pub(crate) fn key_completer() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let folder = std::env::var_os("KEELSON_DATA").unwrap_or_else(|| "keelson-data".into());
        let keys = std::fs::read_to_string(Path::new(&folder).join(KEYS_FILE)).unwrap_or_default();
        let typed = typed.to_string_lossy();
        keys.lines().filter(|key| key.starts_with(&*typed)).take(MOST).map(CompletionCandidate::new).collect()
    })
}

/// Completes built-in classes.
pub(crate) fn class_completer() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let Ok(schema) = keelson_model::builtin::schema([]) else { return Vec::new() };
        let typed = typed.to_string_lossy();
        let classes = schema.classes.iter().map(|class| class.definition.name.to_string());
        classes.filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
    })
}

/// Leaves the list of keys beside the store. A list that cannot be written is no failure of the
/// command that committed.
pub(crate) fn leave_keys(folder: &Path, catalogue: &keelson_catalogue::Catalogue) {
    let mut keys: Vec<&str> =
        catalogue.cis().filter(|(_, slot)| slot.ci.is_in_service()).map(|(_, slot)| slot.ci.key.as_str()).collect();
    keys.sort_unstable();
    keys.push("");
    if let Err(error) = std::fs::write(folder.join(KEYS_FILE), keys.join("\n")) {
        tracing::warn!(%error, "the list of keys for completion was not written");
    }
}
