//! `keelson review`: questions only a person can settle.

use anyhow::anyhow;
use keelson_app::Keelson;
use keelson_app::reconcile::edit::Edit;
use keelson_model::{ReviewState, ReviewTask, ReviewTaskId};

use crate::cli::{Format, Global, Review, ReviewAction};
use crate::failure::{Exit, Failure};
use crate::open;

/// Runs the command.
pub(crate) async fn run(global: &Global, args: Review) -> Result<Exit, Failure> {
    let keelson = open::existing(global).await?;
    match args.action.unwrap_or(ReviewAction::List { all: false }) {
        ReviewAction::List { all } => list(&keelson, all, global.output),
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

fn list(keelson: &Keelson, all: bool, format: Format) -> Result<Exit, Failure> {
    let view = keelson.view();
    let shown: Vec<_> = view.catalogue.reviews().filter(|task| all || task.state == ReviewState::Open).collect();
    if format != Format::Table {
        println!("{:#}", serde_json::to_value(&shown).map_err(Failure::trouble)?);
        return Ok(Exit::Done);
    }
    for task in &shown {
        let raised = task.raised_at.format("%Y-%m-%d %H:%M");
        println!("{}  {}, raised {raised} by {}, {}", task.id, task.code, task.source, task.state);
        println!("  {}", task.question);
        for candidate in task.candidates.iter().filter_map(|id| view.catalogue.find_id(*id)) {
            println!("    candidate {}", view.catalogue.ci(candidate).key);
        }
        for evidence in task.evidence.iter().take(10) {
            println!("    {evidence}");
        }
        if task.evidence.len() > 10 {
            println!("    … and {} more (--output json)", task.evidence.len() - 10);
        }
    }
    println!("{} review tasks", shown.len());
    Ok(Exit::Done)
}
