//! `keelson verify`, `backup` and `restore`.

use std::io::{self, Write};

use anyhow::anyhow;
use keelson_app::Keelson;
use serde_json::json;

use crate::cli::{Backup, Format, Global, Restore};
use crate::commands::import::spinner;
use crate::failure::{Exit, Failure};
use crate::open;

/// `keelson verify`.
pub(crate) async fn verify(global: &Global) -> Result<Exit, Failure> {
    if matches!(global.output, Format::Ndjson | Format::Csv) {
        return Err(Failure::input(anyhow!("'keelson verify' answers as table or json, not as rows")));
    }
    let keelson = open::unchecked(global).await?;
    let progress = spinner("verifying");
    let found = keelson.verify(|revision| progress.set_message(format!("verified revision {revision}"))).await?;
    progress.finish_and_clear();
    let problem = |problem: &keelson_app::Problem| json!({ "place": problem.place, "what": problem.what, "advice": problem.advice });
    let mut out = io::stdout().lock();
    if global.output == Format::Table {
        writeln!(out, "{} commits, {} changes, {} rows verified", found.commits, found.changes, found.rows)?;
        for problem in &found.problems {
            writeln!(out, "  {}: {}; {}", problem.place, problem.what, problem.advice)?;
        }
        writeln!(out, "{}", if found.is_clean() { "records, history, ledger and graph agree" } else { "NOT CLEAN" })?;
    } else {
        let document = json!({
            "clean": found.is_clean(), "commits": found.commits, "changes": found.changes, "rows": found.rows,
            "problems": found.problems.iter().map(problem).collect::<Vec<_>>(),
        });
        writeln!(out, "{document:#}")?;
    }
    Ok(if found.is_clean() { Exit::Done } else { Exit::No })
}

/// `keelson backup`.
pub(crate) async fn backup(global: &Global, args: &Backup) -> Result<Exit, Failure> {
    if args.to.exists() {
        return Err(Failure::input(anyhow!("{} exists already; a backup never overwrites", args.to.display())));
    }
    let keelson = open::unchecked(global).await?;
    let progress = spinner("copying");
    keelson.backup(&args.to, |revision| progress.set_message(format!("copied revision {revision}"))).await?;
    progress.finish_and_clear();
    eprintln!("revision {} copied to {}", keelson.view().revision(), args.to.display());
    Ok(Exit::Done)
}

/// `keelson restore`.
pub(crate) async fn restore(global: &Global, args: &Restore) -> Result<Exit, Failure> {
    let schema = open::schema(global)?;
    let progress = spinner("restoring");
    let restored = Keelson::restore(&args.from, open::options(global), schema, |revision| {
        progress.set_message(format!("restored revision {revision}"));
    })
    .await;
    progress.finish_and_clear();
    let keelson = restored.map_err(Failure::input)?;
    global.opened.add(&keelson);
    eprintln!("revision {} restored from {}", keelson.view().revision(), args.from.display());
    Ok(Exit::Done)
}
