//! Reading commands: they ask one question and write its answer.

use std::path::Path;

use anyhow::anyhow;
use keelson_app::answers::check::CheckAnswer;
use keelson_app::answers::impact::{ImpactAnswer, Interval};
use keelson_app::answers::walk::Way;
use keelson_app::{Answer, Given, Question, SeedInput, Stop};
use keelson_model::{Revision, Severity};
use keelson_server::questions::{self, WhatIfFile};

use crate::cli::analyses::Supposing;
use crate::cli::{Check, FailOn, Get, Global, History, Impact, ListOptions, Past, PathArgs, SeverityArg, Walk};
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::{open, output, render};

/// Asks a question, here or of a server.
pub(crate) async fn ask(global: &Global, question: Question, past: &Past) -> Result<Answer, Failure> {
    let as_of = open::as_of(past)?;
    if let Some(server) = &global.server {
        return Remote::at(server)?.ask(question, as_of).await;
    }
    let keelson = open::shared(global).await?;
    Ok(keelson.ask(question, as_of).await?)
}

/// Asks a question under what is supposed for it, here or of a server.
pub(crate) async fn ask_supposing(
    global: &Global,
    question: Question,
    past: &Past,
    supposing: &Supposing,
) -> Result<Answer, Failure> {
    let as_of = open::as_of(past)?;
    let what_if = supposing.what_if.as_deref().map(what_if_file).transpose()?;
    let suppose = questions::Supposing { scenarios: supposing.scenarios.clone(), what_if };
    if let Some(server) = &global.server {
        return Remote::at(server)?.ask_supposing(question, as_of, suppose).await;
    }
    let given = Given { as_of, suppose: suppose.read().map_err(Failure::input)? };
    let keelson = open::shared(global).await?;
    let stop = Stop::default();
    let _unwanted = stop.on_drop();
    Ok(keelson.ask_given(question, given, &stop).await?)
}

fn what_if_file(path: &Path) -> Result<WhatIfFile, Failure> {
    let named = |error| Failure::input(anyhow!("{} cannot be read: {error}", path.display()));
    let content = std::fs::read_to_string(path).map_err(named)?;
    Ok(WhatIfFile { name: path.display().to_string(), content })
}

/// The failure when an answer is not of the kind that was asked for.
pub(crate) fn unexpected() -> Failure {
    Failure::trouble(anyhow!("the answer does not fit the question"))
}

/// `keelson get`.
pub(crate) async fn get(global: &Global, args: Get) -> Result<Exit, Failure> {
    let question = Question::Get { key: args.key, most: args.limit };
    let Answer::Item(item) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &*item, render::item)?;
    Ok(Exit::Done)
}

/// `keelson list` and `keelson search`.
pub(crate) async fn list(global: &Global, list: ListOptions, text: Vec<String>) -> Result<Exit, Failure> {
    if list.order.len() > 3 {
        return Err(Failure::input(anyhow!("--order may be given up to three times")));
    }
    let question = Question::List {
        class: list.class,
        conditions: list.conditions,
        text,
        order: list.order,
        withdrawn: list.withdrawn,
        skip: list.skip,
        most: list.limit,
    };
    let Answer::List(answer) = ask(global, question, &list.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::list)?;
    Ok(Exit::Done)
}

/// `keelson history`.
pub(crate) async fn history(global: &Global, args: History) -> Result<Exit, Failure> {
    let question = Question::History { key: args.key, before: args.before.map(Revision), most: args.limit };
    let Answer::History(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::history)?;
    Ok(Exit::Done)
}

/// `keelson impact`.
pub(crate) async fn impact(global: &Global, args: Impact) -> Result<Exit, Failure> {
    let interval = match (args.start, args.end) {
        (Some(start), Some(end)) if start < end => Some(Interval { start, end }),
        (Some(start), Some(end)) => {
            return Err(Failure::input(anyhow!("the interval ends ({end}) before it starts ({start})")));
        }
        _ => None,
    };
    if let Some(on @ (FailOn::Possible | FailOn::Degraded)) = args.fail_on
        && args.budget == 0
    {
        let on = if on == FailOn::Possible { "possible" } else { "degraded" };
        return Err(Failure::input(anyhow!("--fail-on {on} needs certainty; leave --budget 0 out")));
    }
    let seeds = args.seeds.iter().map(|text| seed(text)).collect::<Result<_, _>>()?;
    let question = Question::Impact { seeds, interval, budget: args.budget, most: args.limit };
    let Answer::Impact(answer) = ask_supposing(global, question, &args.past, &args.supposing).await? else {
        return Err(unexpected());
    };
    output::write(global.output, &answer, render::impact)?;
    Ok(if args.fail_on.is_some_and(|on| fails(&answer, on)) { Exit::No } else { Exit::Done })
}

/// Reads `KEY` or `KEY=LOSS`. A key may contain `=`, so only a number behind the last one is a loss.
fn seed(text: &str) -> Result<SeedInput, Failure> {
    let whole = SeedInput { key: text.to_owned(), loss: 1.0 };
    let Some((key, loss)) = text.rsplit_once('=') else { return Ok(whole) };
    match loss.parse::<f64>() {
        Ok(loss) if (0.0..=1.0).contains(&loss) => Ok(SeedInput { key: key.to_owned(), loss }),
        Ok(loss) => {
            Err(Failure::input(anyhow!("the loss of '{key}' is {loss}; it must lie between 0 (whole) and 1 (gone)")))
        }
        Err(_) => Ok(whole),
    }
}

/// Whether the answer fails a gate. The verdicts take every need as it is written; certainty settles
/// what is in doubt. An incomplete answer cannot promise that nothing is breached, but it fails only
/// by what it shows; the limits are printed.
fn fails(answer: &ImpactAnswer, on: FailOn) -> bool {
    let certainty = answer.certainty.as_ref();
    let is_certain = certainty.is_some_and(|certainty| !certainty.certain.is_empty());
    let is_possible = certainty.is_some_and(|certainty| !certainty.possible.is_empty());
    let breached = answer.breached_services > 0 || is_certain;
    match on {
        FailOn::Breached => breached,
        FailOn::Degraded => breached || is_possible || answer.degraded_services > 0,
        FailOn::Possible => breached || is_possible,
    }
}

/// `keelson needs` and `keelson dependents`.
pub(crate) async fn walk(global: &Global, args: Walk, way: Way) -> Result<Exit, Failure> {
    let question = Question::Walk { key: args.key, way, class: args.class, depth: args.depth, most: args.limit };
    let Answer::Walk(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::walk)?;
    Ok(Exit::Done)
}

/// `keelson path`.
pub(crate) async fn path(global: &Global, args: PathArgs) -> Result<Exit, Failure> {
    let question = Question::Path { from: args.from, to: args.to };
    let Answer::Path(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::path)?;
    Ok(if answer.depends { Exit::Done } else { Exit::No })
}

/// `keelson check`.
pub(crate) async fn check(global: &Global, args: Check) -> Result<Exit, Failure> {
    let question = Question::Check { most: args.limit, budget: args.budget };
    let Answer::Check(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::check)?;
    Ok(if reaches(&answer, args.fail_on) { Exit::No } else { Exit::Done })
}

fn reaches(answer: &CheckAnswer, fail_on: Option<SeverityArg>) -> bool {
    fail_on.is_some_and(|limit| answer.worst().is_some_and(|worst| worst >= limit.into()))
}

impl From<SeverityArg> for Severity {
    fn from(argument: SeverityArg) -> Self {
        match argument {
            SeverityArg::Info => Self::Info,
            SeverityArg::Warning => Self::Warning,
            SeverityArg::Error => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_stands_behind_the_last_equals_sign() {
        let read = |text| seed(text).map(|seed| (seed.key, seed.loss)).ok();
        assert_eq!(read("host/hv2"), Some(("host/hv2".to_owned(), 1.0)));
        assert_eq!(read("database/dbA=0.5"), Some(("database/dbA".to_owned(), 0.5)));
        assert_eq!(read("tag/a=b"), Some(("tag/a=b".to_owned(), 1.0)));
        assert_eq!(read("host/hv2=1.5"), None);
    }
}
