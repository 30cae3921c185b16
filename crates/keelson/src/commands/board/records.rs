//! `keelson baseline`, `freeze`, `disruption` and `template`.

use anyhow::anyhow;
use chrono::TimeDelta;
use keelson_app::{Act, Answer, Question, RecordSort, Selection, system};
use keelson_model::{Action, CalendarKind, DisruptionKind, Recurrence, Rollback, Window};

use super::schedule::within;
use super::{Doing, done, history};
use crate::cli::Global;
use crate::cli::board::{BaselineAction, DisruptionAction, FreezeAction, SetFreeze, Span, TemplateAction};
use crate::commands::ask::{ask, unexpected};
use crate::failure::{Exit, Failure};
use crate::{open, output, render};

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
            done(global, &Doing::because(doing, reason.as_deref()).run(global).await?)
        }
        BaselineAction::Show { name, past } => {
            let question = Question::Baseline { name, most_keys: 1_000 };
            let Answer::Baseline(answer) = ask(global, question, &past).await? else {
                return Err(unexpected());
            };
            output::write(global.output, &answer, render::baseline)?;
            Ok(if answer.is_proven { Exit::Done } else { Exit::No })
        }
        BaselineAction::Compare { earlier, later, limit, past } => {
            let question = Question::CompareBaselines { earlier, later, most: limit };
            let Answer::Comparison(answer) = ask(global, question, &past).await? else {
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
            done(global, &Doing::because(entry(*args)?, Some(&reason)).run(global).await?)
        }
        FreezeAction::Lift { name, reason } => {
            done(global, &Doing::because(Act::LiftCalendar { name }, reason.as_deref()).run(global).await?)
        }
        FreezeAction::History(args) => history(global, RecordSort::Calendar, args).await,
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
        DisruptionAction::History(args) => return history(global, RecordSort::Disruption, args).await,
        DisruptionAction::End { disruption, until } => (Act::EndDisruption { disruption, until }, None),
    };
    done(global, &Doing::because(doing, reason.as_deref()).run(global).await?)
}

/// `keelson template`.
pub(crate) async fn template(global: &Global, action: TemplateAction) -> Result<Exit, Failure> {
    let (doing, reason) = match action {
        TemplateAction::Approve { name, reason } => (Act::ApproveTemplate { name }, reason),
        TemplateAction::Withdraw { name, reason } => (Act::WithdrawTemplate { name }, Some(reason)),
        TemplateAction::History(args) => return history(global, RecordSort::Template, args).await,
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
    done(global, &Doing::because(doing, reason.as_deref()).run(global).await?)
}
