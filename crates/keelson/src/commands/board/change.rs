//! `keelson change`.

use anyhow::anyhow;
use keelson_app::answers::register::RequestFilter;
use keelson_app::{
    Act, AlterationInput, Answer, ObservedInput, PackOf, Question, RecordSort, RequestInput, ReviewInput, Subject,
};
use keelson_model::{Action, ChangeCategory, Rollback, Window};

use super::schedule::pack;
use super::{Doing, done, history};
use crate::cli::board::{
    AlterChange, AssessChange, CategoryArg, ChangeAction, ChangeContent, ListChanges, NewChange, OnRequest,
    ReviewChange,
};
use crate::cli::{Global, Past};
use crate::commands::ask::{ask, unexpected};
use crate::failure::{Exit, Failure};
use crate::{output, render};

fn subject(args: &OnRequest) -> Subject {
    Subject { key: args.key.clone() }
}

/// `keelson change`.
pub(crate) async fn change(global: &Global, action: ChangeAction) -> Result<Exit, Failure> {
    let (act, on) = match action {
        ChangeAction::New(args) => return new(global, &args).await,
        ChangeAction::Alter(args) => (alter(global, &args).await?, args.on),
        ChangeAction::Assess(args) => return assess(global, args).await,
        ChangeAction::Show(args) => {
            let question = Question::Request { key: args.key };
            let Answer::Request(answer) = ask(global, question, &args.past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &*answer, render::request)?;
            return Ok(Exit::Done);
        }
        ChangeAction::Pack { key, form, past } => return pack(global, PackOf::Request(key), &form, &past).await,
        ChangeAction::List(args) => return list(global, args).await,
        ChangeAction::Gate { key, past } => {
            let Answer::Gate(answer) = ask(global, Question::Gate { key }, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::gate)?;
            return Ok(if answer.is_open { Exit::Done } else { Exit::No });
        }
        ChangeAction::Trends { limit, past } => {
            let Answer::Trends(answer) = ask(global, Question::Trends { most: limit }, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &*answer, render::trends)?;
            return Ok(Exit::Done);
        }
        ChangeAction::Score { key, limit, past } => {
            let Answer::Score(answer) = ask(global, Question::Score { key, most: limit }, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &*answer, render::score)?;
            return Ok(Exit::Done);
        }
        ChangeAction::History(args) => return history(global, RecordSort::Request, args).await,
        ChangeAction::Review(args) => (review(&args)?, args.on),
        ChangeAction::NotImpacted(args) => {
            (Act::MarkNotImpacted { subject: subject(&args.on), item: args.item }, args.on)
        }
        ChangeAction::Finish(args) => {
            (Act::Finish { subject: subject(&args.on), backed_out: args.backed_out }, args.on)
        }
        ChangeAction::Submit(args) => (Act::Submit(subject(&args)), args),
        ChangeAction::Approve(args) => (Act::Approve(subject(&args)), args),
        ChangeAction::Reject(args) => (Act::Reject(subject(&args)), args),
        ChangeAction::Cancel(args) => (Act::Cancel(subject(&args)), args),
        ChangeAction::Schedule(args) => (Act::Schedule(subject(&args)), args),
        ChangeAction::Start(args) => (Act::Start(subject(&args)), args),
    };
    done(global, &Doing { act, seen: on.seen, reason: on.reason.as_deref() }.run(global).await?)
}

async fn new(global: &Global, args: &NewChange) -> Result<Exit, Failure> {
    let mut request =
        RequestInput { title: args.title.clone(), reason: args.because.clone(), ..RequestInput::default() };
    request.key.clone_from(&args.key);
    write(&mut request, &args.content)?;
    let act = Act::NewRequest(Box::new(request));
    let mut outcome = Doing::because(act, None).run(global).await?;
    if args.submit {
        let act = Act::Submit(Subject { key: outcome.name.clone() });
        outcome = Doing::because(act, None).run(global).await?;
    }
    done(global, &outcome)
}

/// The request as it is, with what is named in the place of what it says.
async fn alter(global: &Global, args: &AlterChange) -> Result<Act, Failure> {
    let question = Question::Request { key: args.on.key.clone() };
    let Answer::Request(known) = ask(global, question, &Past::default()).await? else { return Err(unexpected()) };
    let mut content = RequestInput::of(*known).map_err(|reason| Failure::trouble(anyhow!(reason)))?;
    if let Some(title) = &args.title {
        content.title.clone_from(title);
    }
    if let Some(because) = &args.because {
        content.reason.clone_from(because);
    }
    write(&mut content, &args.content)?;
    Ok(Act::AlterRequest { subject: subject(&args.on), content: Box::new(content) })
}

/// Writes into a request what the arguments name.
fn write(request: &mut RequestInput, args: &ChangeContent) -> Result<(), Failure> {
    let alterations = alterations(args)?;
    if !alterations.is_empty() {
        request.alterations = alterations;
    }
    if let Some((start, end)) = args.start.zip(args.end) {
        request.window = Some(Window::new(start, end).map_err(Failure::input)?);
    }
    if let Some((plan, minutes)) = args.rollback.as_deref().zip(args.rollback_minutes) {
        request.rollback = Some(Rollback { plan: plan.into(), minutes });
    }
    if let Some(category) = args.category {
        request.category = Some(match category {
            CategoryArg::Standard => ChangeCategory::Standard,
            CategoryArg::Normal => ChangeCategory::Normal,
            CategoryArg::Emergency => ChangeCategory::Emergency,
        });
    }
    for (known, named) in [
        (&mut request.verification, &args.verification),
        (&mut request.template, &args.template),
        (&mut request.team, &args.team),
        (&mut request.requester, &args.requester),
    ] {
        if named.is_some() {
            known.clone_from(named);
        }
    }
    if !args.release.is_empty() {
        request.releases.clone_from(&args.release);
    }
    Ok(())
}

fn alterations(args: &ChangeContent) -> Result<Vec<AlterationInput>, Failure> {
    let mut alterations = Vec::new();
    let whole = [
        (&args.takes_down, Action::TakesDown),
        (&args.restarts, Action::Restarts),
        (&args.replaces, Action::Replaces),
        (&args.retires, Action::Retires),
        (&args.adds, Action::Adds),
        (&args.alters, Action::NoInterruption),
    ];
    for (keys, action) in whole {
        alterations.extend(keys.iter().map(|key| AlterationInput { key: key.clone(), action }));
    }
    for text in &args.degrades {
        let read = text.rsplit_once('=').and_then(|(key, loss)| Some((key, loss.parse::<f64>().ok()?)));
        let (key, loss) = read.ok_or_else(|| Failure::input(anyhow!("--degrades '{text}' must read KEY=LOSS")))?;
        let action =
            Action::read("degrades", Some(loss)).map_err(|reason| Failure::input(anyhow!("{key}: {reason}")))?;
        alterations.push(AlterationInput { key: key.to_owned(), action });
    }
    Ok(alterations)
}

async fn assess(global: &Global, args: AssessChange) -> Result<Exit, Failure> {
    if !args.dry_run && args.past.as_of.is_none() {
        let (act, on) = (Act::Assess(subject(&args.on)), &args.on);
        let outcome = Doing { act, seen: on.seen, reason: on.reason.as_deref() }.run(global).await?;
        eprintln!("{} {} is assessed (revision {})", outcome.record, outcome.name, outcome.revision);
    }
    let question = Question::Change { key: args.on.key, budget: args.budget, most: args.limit };
    let Answer::Change(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &*answer, render::change)?;
    Ok(Exit::Done)
}

async fn list(global: &Global, args: ListChanges) -> Result<Exit, Failure> {
    let states: Result<_, String> = args.state.iter().map(|state| state.parse()).collect();
    let filter = RequestFilter {
        states: states.map_err(|error| Failure::input(anyhow!("--state: {error}")))?,
        all: args.all,
        within: None,
        item: args.item,
    };
    let question = Question::Requests { filter, skip: args.skip, most: args.limit };
    let Answer::Requests(answer) = ask(global, question, &args.past).await? else { return Err(unexpected()) };
    output::write(global.output, &answer, render::requests)?;
    Ok(Exit::Done)
}

fn review(args: &ReviewChange) -> Result<Act, Failure> {
    let observed = args.observed.iter().map(|text| {
        let read = text.rsplit_once('=').and_then(|(key, rest)| {
            let (loss, minutes) = rest.split_once(':')?;
            Some((key, loss.parse::<f64>().ok()?, minutes.parse::<u32>().ok()?))
        });
        let (key, loss, minutes) =
            read.ok_or_else(|| Failure::input(anyhow!("--observed '{text}' must read KEY=LOSS:MINUTES")))?;
        Ok::<_, Failure>(ObservedInput { key: key.to_owned(), loss, minutes, reference: None })
    });
    let review = ReviewInput {
        is_monitored: !args.unmonitored,
        incidents: args.incident.clone(),
        observed: observed.collect::<Result<_, _>>()?,
        has_failed: args.failed,
        lessons: args.lessons.clone(),
    };
    Ok(Act::Review { subject: subject(&args.on), review })
}
