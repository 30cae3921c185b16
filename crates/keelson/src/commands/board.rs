//! The commands of change management: an act, or a question, and what is printed of it.

mod change;
mod records;
mod schedule;

use keelson_app::{Act, Actor, Answer, Outcome, Question, RecordSort};
use keelson_model::Revision;

use super::ask::{ask, unexpected};
use crate::cli::Global;
use crate::cli::board::RecordHistory;
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::{open, output, render};

pub(crate) use change::change;
pub(crate) use records::{baseline, disruption, freeze, template};
pub(crate) use schedule::schedule;

/// Something to do, on the version of a record that somebody has seen, and why.
struct Doing<'a> {
    act: Act,
    seen: Option<u32>,
    reason: Option<&'a str>,
}

impl<'a> Doing<'a> {
    fn because(act: Act, reason: Option<&'a str>) -> Self {
        Self { act, seen: None, reason }
    }

    /// Does it, here or on a server.
    async fn run(self, global: &Global) -> Result<Outcome, Failure> {
        let actor = open::actor(global, self.reason);
        if let Some(server) = &global.server {
            return Remote::at(server)?.act(self.act, self.seen, &actor).await;
        }
        let keelson = open::shared(global).await?;
        let acted = keelson.act_on(self.act, self.seen, Actor { name: actor.name, reason: actor.reason }).await?;
        Ok(acted.outcome())
    }
}

/// Prints what came of an act.
fn done(global: &Global, outcome: &Outcome) -> Result<Exit, Failure> {
    output::write(global.output, outcome, |out, outcome| {
        let state = outcome.state.map(|state| format!(" is {}", keelson_app::change::draft::said(state)));
        let state = state.unwrap_or_else(|| " is kept".to_owned());
        writeln!(out, "{} {}{state} (revision {})", outcome.record, outcome.name, outcome.revision)
    })?;
    Ok(Exit::Done)
}

/// How a record of change management changed.
async fn history(global: &Global, sort: RecordSort, args: RecordHistory) -> Result<Exit, Failure> {
    let (name, before) = (args.name, args.before.map(Revision));
    let question = Question::RecordHistory { sort, name, before, most: args.limit };
    let Answer::History(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::history)?;
    Ok(Exit::Done)
}
