//! `keelson review`: questions only a person can settle.

use anyhow::anyhow;
use chrono::SecondsFormat;
use keelson_app::reconcile::edit::Edit;
use keelson_app::{Keelson, View};
use keelson_model::{ReviewState, ReviewTask, ReviewTaskId};
use serde::Serialize;

use crate::cli::{Format, Global, Past, Review, ReviewAction};
use crate::failure::{Exit, Failure};
use crate::open;
use crate::output::{self, Rows};

/// Runs the command.
pub(crate) async fn run(global: &Global, args: Review) -> Result<Exit, Failure> {
    let keelson = open::unchecked(global).await?;
    match args.action.unwrap_or(ReviewAction::List { all: false, past: Past::default() }) {
        ReviewAction::List { all, past } => {
            let past = if past.as_of.is_some() { past } else { args.past };
            let (view, _) = keelson.view_for(open::as_of(&past)?).await?;
            list(&view, all || args.all, global.output)
        }
        ReviewAction::Settle { id, candidate, reason } => {
            let task = find(&keelson, &id)?;
            let candidate = match candidate {
                None => None,
                Some(key) => {
                    let view = keelson.view();
                    let ix = keelson_app::answers::find(&view.catalogue, &key).map_err(Failure::input)?;
                    Some(view.catalogue.ci(ix).id)
                }
            };
            let actor = open::actor(global, Some(&reason));
            let edit = Edit::SettleReview {
                id: task.id,
                expected_version: task.version,
                candidate,
                by: actor.name.to_string(),
                reason,
            };
            keelson.edit(vec![edit], actor, "settleReviewTask").await?;
            eprintln!("settled; import the source again and it acts on it");
            Ok(Exit::Done)
        }
        ReviewAction::Dismiss { id, reason } => {
            let task = find(&keelson, &id)?;
            let edit = Edit::DismissReview { id: task.id, expected_version: task.version };
            keelson.edit(vec![edit], open::actor(global, Some(&reason)), "dismissReviewTask").await?;
            eprintln!("put aside");
            Ok(Exit::Done)
        }
    }
}

fn find(keelson: &Keelson, id: &str) -> Result<ReviewTask, Failure> {
    let id: ReviewTaskId = id.parse().map_err(Failure::input)?;
    let view = keelson.view();
    let task = view.catalogue.review(id).ok_or_else(|| Failure::input(anyhow!("there is no review task {id}")))?;
    Ok(ReviewTask::clone(task))
}

/// The review tasks listed.
#[derive(Serialize)]
#[serde(transparent)]
struct Tasks<'a>(Vec<&'a ReviewTask>);

impl Rows for Tasks<'_> {
    fn columns(&self) -> Vec<&'static str> {
        vec!["id", "state", "code", "source", "raised_at", "question"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |task: &&ReviewTask| {
            let raised = task.raised_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let words = [task.id.to_string(), task.state.to_string(), task.code.to_string(), task.source.to_string()];
            words.into_iter().chain([raised, task.question.to_string()]).collect()
        };
        self.0.iter().map(row).collect()
    }

    fn documents(&self) -> Vec<serde_json::Value> {
        output::documents(&self.0)
    }
}

fn list(view: &View, all: bool, format: Format) -> Result<Exit, Failure> {
    let shown = view.catalogue.reviews().filter(|task| all || task.state == ReviewState::Open);
    output::write(format, &Tasks(shown.map(|task| &**task).collect()), |out, tasks| {
        for task in &tasks.0 {
            let raised = task.raised_at.format("%Y-%m-%d %H:%M");
            writeln!(out, "{}  {}, raised {raised} by {}, {}", task.id, task.code, task.source, task.state)?;
            writeln!(out, "  {}", task.question)?;
            for candidate in task.candidates.iter().filter_map(|id| view.catalogue.find_id(*id)) {
                writeln!(out, "    candidate {}", view.catalogue.ci(candidate).key)?;
            }
            for evidence in task.evidence.iter().take(10) {
                writeln!(out, "    {evidence}")?;
            }
            if task.evidence.len() > 10 {
                writeln!(out, "    … and {} more (--output json)", task.evidence.len() - 10)?;
            }
        }
        writeln!(out, "{} review tasks", tasks.0.len())
    })?;
    Ok(Exit::Done)
}
