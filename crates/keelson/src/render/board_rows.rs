//! The main list of each answer of change management as rows, for NDJSON and CSV.

use keelson_app::answers::change::ChangeAnswer;
use keelson_app::answers::register::{BaselinesAnswer, CalendarAnswer, RequestAnswer, RequestsAnswer};
use keelson_app::answers::review::{ReviewScore, TrendsAnswer};
use keelson_app::answers::schedule::ScheduleAnswer;
use keelson_app::{BaselineAnswer, BaselineComparison, GateAnswer, Outcome};
use keelson_model::Window;
use serde_json::Value as Json;

use super::plain;
use crate::output::{Rows, documents};

/// Implements [`Rows`] for an answer: its columns, its list, and a row of that.
macro_rules! rows {
    ($answer:ty, [$($column:literal),* $(,)?], |$this:ident| $list:expr, |$line:ident| $row:expr $(,)?) => {
        impl Rows for $answer {
            fn columns(&self) -> Vec<&'static str> {
                vec![$($column),*]
            }

            fn rows(&self) -> Vec<Vec<String>> {
                let $this = self;
                $list.iter().map(|$line| $row).collect()
            }

            fn documents(&self) -> Vec<Json> {
                let $this = self;
                documents($list)
            }
        }
    };
}

/// When a window begins, where there is one.
fn start(window: Option<Window>) -> String {
    window.map(|window| window.start().to_rfc3339()).unwrap_or_default()
}

fn end(window: Option<Window>) -> String {
    window.map(|window| window.end().to_rfc3339()).unwrap_or_default()
}

rows!(Outcome, ["record", "name", "state", "revision"], |answer| std::slice::from_ref(answer), |line| vec![
    line.record.clone(),
    line.name.clone(),
    line.state.map(|state| state.to_string()).unwrap_or_default(),
    line.revision.to_string(),
]);

rows!(
    ChangeAnswer,
    ["service", "effect", "certain", "loss", "hours", "margin", "new_single_points", "owners", "customers"],
    |answer| answer.services.as_slice(),
    |line| vec![
        line.subject.key.clone(),
        line.effect.to_string(),
        line.is_certain.to_string(),
        line.loss.to_string(),
        line.hours.map(|hours| hours.to_string()).unwrap_or_default(),
        line.margin.map(|margin| margin.to_string()).unwrap_or_default(),
        line.new_single_points.join("+"),
        line.owners.join("+"),
        line.customers.iter().map(|customer| customer.key.as_str()).collect::<Vec<_>>().join("+"),
    ]
);

rows!(RequestAnswer, ["state", "at", "by", "reason"], |answer| answer.steps.as_slice(), |step| vec![
    step.to.to_string(),
    step.at.to_rfc3339(),
    step.by.to_string(),
    step.reason.as_deref().unwrap_or_default().to_owned(),
]);

rows!(
    RequestsAnswer,
    ["key", "title", "category", "state", "start", "end", "requester", "team", "worst", "needs_approval"],
    |answer| answer.requests.as_slice(),
    |line| vec![
        line.key.clone(),
        line.title.clone(),
        line.category.to_string(),
        line.state.to_string(),
        start(line.window),
        end(line.window),
        line.requester.clone(),
        line.team.clone().unwrap_or_default(),
        line.worst.map(|worst| worst.to_string()).unwrap_or_default(),
        line.needs_approval.to_string(),
    ]
);

rows!(GateAnswer, ["field", "code", "message"], |answer| answer.reasons.as_slice(), |problem| vec![
    problem.field.join("."),
    plain(&serde_json::to_value(problem.code).unwrap_or_default()),
    problem.message.clone(),
]);

rows!(
    ScheduleAnswer,
    ["service", "start", "end", "changes", "loss", "reversed", "only_in_doubt", "advice"],
    |answer| answer.collisions.as_slice(),
    |line| vec![
        line.collision.service.key.clone(),
        start(Some(line.collision.window)),
        end(Some(line.collision.window)),
        line.collision.changes.join("+"),
        line.collision.loss.to_string(),
        line.collision.reversed.clone().unwrap_or_default(),
        line.collision.only_in_doubt.to_string(),
        line.advice.clone(),
    ]
);

rows!(
    CalendarAnswer,
    ["name", "kind", "items", "start", "end", "reason"],
    |answer| answer.entries.as_slice(),
    |line| vec![
        line.name.clone(),
        line.kind.to_string(),
        line.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>().join("+"),
        start(Some(line.window)),
        end(Some(line.window)),
        line.reason.clone(),
    ]
);

rows!(
    BaselinesAnswer,
    ["name", "revision", "at", "by", "items", "chosen", "digest"],
    |answer| answer.baselines.as_slice(),
    |line| vec![
        line.name.clone(),
        line.revision.to_string(),
        line.at.to_rfc3339(),
        line.by.clone(),
        line.items.to_string(),
        line.chosen.clone(),
        line.digest.clone(),
    ]
);

rows!(BaselineAnswer, ["item"], |answer| answer.baseline.keys.as_slice(), |key| vec![key.clone()]);

rows!(BaselineComparison, ["item", "held", "records"], |answer| answer.items.as_slice(), |line| vec![
    line.subject.key.clone(),
    line.held.clone(),
    line.records.iter().map(|record| record.record.as_str()).collect::<Vec<_>>().join("+"),
]);

rows!(TrendsAnswer, ["class", "changes", "failures", "chance"], |answer| answer.classes.as_slice(), |line| vec![
    line.class.clone().unwrap_or_default(),
    line.changes.to_string(),
    line.failures.to_string(),
    line.failure.to_string(),
]);

rows!(
    ReviewScore,
    ["service", "verdict", "predicted", "observed_loss", "observed_minutes", "references"],
    |answer| answer.services.as_slice(),
    |line| vec![
        line.subject.key.clone(),
        plain(&serde_json::to_value(line.verdict).unwrap_or_default()),
        line.predicted.map(|effect| effect.to_string()).unwrap_or_default(),
        line.observed_loss.map(|loss| loss.to_string()).unwrap_or_default(),
        line.observed_minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
        line.references.join("+"),
    ]
);
