//! `keelson schedule`, and documents.

use std::io::Write;

use anyhow::anyhow;
use chrono::TimeDelta;
use keelson_app::{Answer, PackForm, PackOf, Question, system};
use keelson_model::Window;

use crate::cli::board::{DocumentForm, PackArgs, ScheduleAction, Span};
use crate::cli::{Global, Past};
use crate::commands::ask::{ask, unexpected};
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::{open, output, render};

/// The times of interest: a week from now, where nothing else is said.
pub(super) fn within(span: &Span) -> Result<Window, Failure> {
    let from = span.from.unwrap_or_else(system::now);
    let to = span.to.unwrap_or(from + TimeDelta::days(7));
    Window::new(from, to).map_err(Failure::input)
}

/// `keelson schedule`.
pub(crate) async fn schedule(global: &Global, action: ScheduleAction) -> Result<Exit, Failure> {
    match action {
        ScheduleAction::Assess { span, only, limit, fail_on_collision, past } => {
            let question = Question::Schedule { within: within(&span)?, only, most: limit };
            let Answer::Schedule(answer) = ask(global, question, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::schedule)?;
            // What is only possible is no reason to pass.
            let collides = answer.collisions.iter().any(|line| line.collision.reversed.is_none());
            Ok(if fail_on_collision && collides { Exit::No } else { Exit::Done })
        }
        ScheduleAction::Pack { span, only, title, form, past } => {
            let of = PackOf::Meeting { within: within(&span)?, only, title };
            pack(global, of, &form, &past).await
        }
        ScheduleAction::Ics { span, to_file, past } => {
            let (within, as_of) = (within(&span)?, open::as_of(&past)?);
            let text = match &global.server {
                Some(server) => Remote::at(server)?.calendar_file(within, as_of).await?,
                None => open::shared(global).await?.calendar_file(within, as_of).await?,
            };
            match to_file {
                Some(path) => std::fs::write(&path, text)?,
                None => std::io::stdout().lock().write_all(text.as_bytes())?,
            }
            Ok(Exit::Done)
        }
    }
}

/// Writes a pack in the form asked for.
pub(super) async fn pack(global: &Global, of: PackOf, form: &PackArgs, past: &Past) -> Result<Exit, Failure> {
    let as_of = open::as_of(past)?;
    let kind = match form.form {
        DocumentForm::Html => PackForm::Html,
        DocumentForm::Markdown => PackForm::Markdown,
        DocumentForm::Json => PackForm::Json,
        DocumentForm::Csv => PackForm::Csv,
    };
    if kind == PackForm::Csv && form.to_file.is_none() {
        return Err(Failure::input(anyhow!("name the folder for the tables with --to-file")));
    }
    let files = match &global.server {
        Some(server) => Remote::at(server)?.pack(of, &form.zone, kind, as_of).await?,
        None => open::shared(global).await?.pack(of, &form.zone, as_of).await?.files(kind),
    };
    if let (PackForm::Csv, Some(folder)) = (kind, &form.to_file) {
        std::fs::create_dir_all(folder)?;
        for file in files {
            std::fs::write(folder.join(&file.name), file.text)?;
        }
        return Ok(Exit::Done);
    }
    for file in files {
        match &form.to_file {
            Some(path) => std::fs::write(path, file.text)?,
            None => std::io::stdout().lock().write_all(file.text.as_bytes())?,
        }
    }
    Ok(Exit::Done)
}
