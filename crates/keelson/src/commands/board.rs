//! The commands of change management: an act, or a question, and what is printed of it.

use std::io::Write;

use anyhow::anyhow;
use chrono::TimeDelta;
use keelson_app::answers::register::RequestFilter;
use keelson_app::{
    Act, Actor, AlterationInput, Answer, ObservedInput, Outcome, PackOf, Question, RequestInput, ReviewInput,
    Selection, Subject, system,
};
use keelson_model::{Action, CalendarKind, ChangeCategory, DisruptionKind, Recurrence, Rollback, Window};
use keelson_report::zone::Zone;
use keelson_report::{csv, html, markdown};

use super::ask::{ask, unexpected};
use crate::cli::board::{
    AssessChange, BaselineAction, CategoryArg, ChangeAction, DisruptionAction, DocumentForm, FreezeAction, ListChanges,
    NewChange, OnRequest, PackForm, ReviewChange, ScheduleAction, SetFreeze, Span, TemplateAction,
};
use crate::cli::{Global, Past};
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::{open, output, render};

/// Does something, here or on a server.
async fn act(global: &Global, act: Act, reason: Option<&str>) -> Result<Outcome, Failure> {
    let actor = open::actor(global, reason);
    if let Some(server) = &global.server {
        return Remote::at(server)?.act(act, &actor).await;
    }
    let keelson = open::shared(global).await?;
    let acted = keelson.act(act, Actor { name: actor.name, reason: actor.reason }).await?;
    Ok(acted.outcome())
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

fn on(args: &OnRequest) -> Subject {
    Subject { key: args.key.clone(), expected_version: args.seen }
}

/// `keelson change`.
pub(crate) async fn change(global: &Global, action: ChangeAction) -> Result<Exit, Failure> {
    let simple = |args: OnRequest, act: fn(Subject) -> Act| (act(on(&args)), args.reason);
    let (doing, reason) = match action {
        ChangeAction::New(args) => return new(global, &args).await,
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
        ChangeAction::Gate { key } => {
            let Answer::Gate(answer) = ask(global, Question::Gate { key }, &Past::default()).await? else {
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
        ChangeAction::Review(args) => (review(&args)?, args.on.reason),
        ChangeAction::NotImpacted(args) => {
            (Act::MarkNotImpacted { subject: on(&args.on), item: args.item }, args.on.reason)
        }
        ChangeAction::Finish(args) => {
            (Act::Finish { subject: on(&args.on), backed_out: args.backed_out }, args.on.reason)
        }
        ChangeAction::Submit(args) => simple(args, Act::Submit),
        ChangeAction::Approve(args) => simple(args, Act::Approve),
        ChangeAction::Reject(args) => simple(args, Act::Reject),
        ChangeAction::Cancel(args) => simple(args, Act::Cancel),
        ChangeAction::Schedule(args) => simple(args, Act::Schedule),
        ChangeAction::Start(args) => simple(args, Act::Start),
    };
    done(global, &act(global, doing, reason.as_deref()).await?)
}

async fn new(global: &Global, args: &NewChange) -> Result<Exit, Failure> {
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
    let window = args.start.zip(args.end).map(|(start, end)| Window::new(start, end)).transpose();
    let rollback = args.rollback.as_deref().zip(args.rollback_minutes);
    let content = RequestInput {
        key: args.key.clone(),
        title: args.title.clone(),
        reason: args.because.clone(),
        category: args.category.map(|category| match category {
            CategoryArg::Standard => ChangeCategory::Standard,
            CategoryArg::Normal => ChangeCategory::Normal,
            CategoryArg::Emergency => ChangeCategory::Emergency,
        }),
        template: args.template.clone(),
        team: args.team.clone(),
        requester: args.requester.clone(),
        alterations,
        window: window.map_err(Failure::input)?,
        rollback: rollback.map(|(plan, minutes)| Rollback { plan: plan.into(), minutes }),
        verification: args.verification.clone(),
        releases: args.release.clone(),
    };
    let mut outcome = act(global, Act::NewRequest(Box::new(content)), None).await?;
    if args.submit {
        let subject = Subject { key: outcome.name.clone(), expected_version: None };
        outcome = act(global, Act::Submit(subject), None).await?;
    }
    done(global, &outcome)
}

async fn assess(global: &Global, args: AssessChange) -> Result<Exit, Failure> {
    if !args.dry_run && args.past.as_of.is_none() {
        let outcome = act(global, Act::Assess(on(&args.on)), args.on.reason.as_deref()).await?;
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
    Ok(Act::Review { subject: on(&args.on), review })
}

/// The times of interest: a week from now, where nothing else is said.
fn within(span: &Span) -> Result<Window, Failure> {
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
            let collides = answer.collisions.iter().any(|line| line.collision.reversed.is_none());
            Ok(if fail_on_collision && collides { Exit::No } else { Exit::Done })
        }
        ScheduleAction::Pack { span, only, title, form, past } => {
            let of = PackOf::Meeting { within: within(&span)?, only, title };
            pack(global, of, &form, &past).await
        }
        ScheduleAction::Ics { span, to_file } => {
            let question = Question::Schedule { within: within(&span)?, only: Vec::new(), most: 10_000 };
            let Answer::Schedule(answer) = ask(global, question, &Past::default()).await? else {
                return Err(unexpected());
            };
            let text = render::calendar_file(&answer, system::now()).to_ics();
            match to_file {
                Some(path) => std::fs::write(&path, text)?,
                None => std::io::stdout().lock().write_all(text.as_bytes())?,
            }
            Ok(Exit::Done)
        }
    }
}

/// Writes a pack in the form asked for.
async fn pack(global: &Global, of: PackOf, form: &PackForm, past: &Past) -> Result<Exit, Failure> {
    if let Some(server) = &global.server {
        return Err(Failure::input(anyhow!(
            "a pack is written where the store is, not by the server at {server}; leave out --server, or ask it for the \
             answers with 'keelson change assess' and 'keelson schedule assess'"
        )));
    }
    let zone: Zone = form.zone.parse().map_err(|error| Failure::input(anyhow!("--zone: {error}")))?;
    let pack = open::shared(global).await?.pack(of, zone, open::as_of(past)?).await?;
    let text = match form.form {
        DocumentForm::Html => html::render(&pack.document).into_bytes(),
        DocumentForm::Markdown => markdown::render(&pack.document, &markdown::Options::default()).into_bytes(),
        DocumentForm::Json => pack.json,
        DocumentForm::Csv => {
            let folder = form.to_file.as_ref();
            let folder =
                folder.ok_or_else(|| Failure::input(anyhow!("name the folder for the tables with --to-file")))?;
            std::fs::create_dir_all(folder)?;
            for file in csv::render(&pack.document) {
                std::fs::write(folder.join(&file.name), file.text)?;
            }
            return Ok(Exit::Done);
        }
    };
    match &form.to_file {
        Some(path) => std::fs::write(path, text)?,
        None => std::io::stdout().lock().write_all(&text)?,
    }
    Ok(Exit::Done)
}

/// `keelson baseline`.
pub(crate) async fn baseline(global: &Global, action: BaselineAction) -> Result<Exit, Failure> {
    match action {
        BaselineAction::Take { name, item, cone, of_change, past, reason } => {
            let items = match (&of_change, cone.is_empty()) {
                (Some(key), _) => Selection::Change(key.clone()),
                (None, false) => Selection::Cone(cone),
                (None, true) => Selection::Items(item),
            };
            let doing = Act::TakeBaseline { name, items, as_of: open::as_of(&past)?, change: of_change };
            done(global, &act(global, doing, reason.as_deref()).await?)
        }
        BaselineAction::Show { name } => {
            let question = Question::Baseline { name, most_keys: 1_000 };
            let Answer::Baseline(answer) = ask(global, question, &Past::default()).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::baseline)?;
            Ok(if answer.is_proven { Exit::Done } else { Exit::No })
        }
        BaselineAction::Compare { earlier, later, limit } => {
            let question = Question::CompareBaselines { earlier, later, most: limit };
            let Answer::Comparison(answer) = ask(global, question, &Past::default()).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::comparison)?;
            Ok(Exit::Done)
        }
        BaselineAction::List { limit, past } => {
            let question = Question::Baselines { skip: 0, most: limit, most_keys: 5 };
            let Answer::Baselines(answer) = ask(global, question, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::baselines)?;
            Ok(Exit::Done)
        }
    }
}

/// `keelson freeze`.
pub(crate) async fn freeze(global: &Global, action: FreezeAction) -> Result<Exit, Failure> {
    match action {
        FreezeAction::Set(args) => {
            let reason = args.reason.clone();
            done(global, &act(global, entry(*args)?, Some(&reason)).await?)
        }
        FreezeAction::Lift { name, reason } => {
            done(global, &act(global, Act::LiftCalendar { name }, reason.as_deref()).await?)
        }
        FreezeAction::List { span, past } => {
            let to = span.to.or_else(|| Some(span.from.unwrap_or_else(system::now) + TimeDelta::days(365)));
            let question = Question::Calendar { within: within(&Span { to, ..span })? };
            let Answer::Calendar(answer) = ask(global, question, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::calendar)?;
            Ok(Exit::Done)
        }
    }
}

fn entry(args: SetFreeze) -> Result<Act, Failure> {
    Ok(Act::EnterCalendar {
        name: args.name,
        kind: if args.maintenance { CalendarKind::Maintenance } else { CalendarKind::Freeze },
        items: args.item,
        window: Window::new(args.start, args.end).map_err(Failure::input)?,
        recurrence: args.repeat.zip(args.zone).map(|(rule, zone)| Recurrence { rule: rule.into(), zone: zone.into() }),
        margin: args.margin,
    })
}

/// `keelson disruption`.
pub(crate) async fn disruption(global: &Global, action: DisruptionAction) -> Result<Exit, Failure> {
    let (doing, reason) = match action {
        DisruptionAction::Report { key, loss, maintenance, from, until, reference, reason } => {
            let kind = if maintenance { DisruptionKind::Maintenance } else { DisruptionKind::Incident };
            (Act::ReportDisruption { item: key, kind, loss, from, until, reference }, reason)
        }
        DisruptionAction::End { disruption, until } => (Act::EndDisruption { disruption, until }, None),
    };
    done(global, &act(global, doing, reason.as_deref()).await?)
}

/// `keelson template`.
pub(crate) async fn template(global: &Global, action: TemplateAction) -> Result<Exit, Failure> {
    let (doing, reason) = match action {
        TemplateAction::Approve { name, reason } => (Act::ApproveTemplate { name }, reason),
        TemplateAction::Put(args) => {
            let actions = args.action.iter().map(|text| {
                let (name, loss) = match text.split_once('=') {
                    None => (text.as_str(), None),
                    Some((name, loss)) => (name, Some(loss.parse::<f64>().map_err(|error| error.to_string())?)),
                };
                Action::read(name, loss)
            });
            let actions: Result<Vec<Action>, String> = actions.collect();
            let doing = Act::PutTemplate {
                name: args.name,
                title: args.title,
                classes: args.class,
                actions: actions.map_err(|error| Failure::input(anyhow!("--action: {error}")))?,
                longest_minutes: args.longest_minutes,
                rollback: Rollback { plan: args.rollback.into(), minutes: args.rollback_minutes },
                verification: args.verification,
            };
            (doing, None)
        }
    };
    done(global, &act(global, doing, reason.as_deref()).await?)
}
