//! One request as it stands.

use chrono::{DateTime, Utc};
use keelson_model::{
    ChangeState, Effect, EffectOn, FrozenAssessment, RecheckReason, RequestForChange, Revision, Rollback, Step,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{keys, subject, text, texts};
use crate::change::{ChangeLine, NotImpactedLine};
use crate::schedule::find_request;
use crate::{Asked, Basis, QuestionError, Subject, View};

/// The effect on one service, as a request keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptEffect {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// What becomes of it, with every doubt read as good.
    pub at_best: Effect,
    /// What becomes of it, with every doubt read as bad.
    pub at_worst: Effect,
    /// The fraction of it that is lost.
    pub loss: f64,
    /// New single points of failure, by key.
    pub new_single_points: Vec<String>,
}

/// An assessment, as a request keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptAssessment {
    /// The revision it was computed at.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked for it.
    pub by: String,
    /// Digest of what went in.
    pub inputs: String,
    /// Digest of the whole answer, under which it is kept.
    pub document: String,
    /// Whether nothing was cut off, hidden or without a rule.
    pub is_complete: bool,
    /// What made it a major change.
    pub major: Vec<String>,
    /// What it violates.
    pub violations: Vec<String>,
    /// With which requests it collides.
    pub collides_with: Vec<String>,
    /// Searches that were ended before they had looked at everything.
    pub unsearched: Vec<String>,
    /// Services that are breached, degraded or lose margin.
    pub effects: Vec<KeptEffect>,
}

/// The decision in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalLine {
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// What it was decided on.
    pub assessment: KeptAssessment,
}

/// A difference from what was approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecheckLine {
    /// The commit that caused it.
    pub cause: Revision,
    /// What kind of cause it is.
    pub reason: RecheckReason,
    /// When it was noticed.
    pub at: DateTime<Utc>,
    /// Services that are worse off than when it was approved.
    pub worse: Vec<KeptEffect>,
    /// Services that are better off.
    pub better: Vec<KeptEffect>,
    /// What it violates and did not when it was approved.
    pub violations: Vec<String>,
    /// With which requests it collides and did not when it was approved.
    pub collides_with: Vec<String>,
    /// Whether it must be approved again.
    pub needs_approval: bool,
}

/// How the work ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionLine {
    /// `done` or `backed_out`.
    pub outcome: ChangeState,
    /// When the work began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// Altered items that differ from the baseline, by key.
    pub showing: Vec<String>,
    /// Altered items that do not.
    pub not_showing: Vec<String>,
    /// Why it was closed although not everything shows.
    pub reason: Option<String>,
}

/// What was learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewLine {
    /// Who reviewed it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the services were watched.
    pub is_monitored: bool,
    /// Whether it failed.
    pub has_failed: bool,
    /// Incidents and problems linked to it.
    pub incidents: Vec<String>,
    /// What services lost: key, fraction, minutes.
    pub observed: Vec<(String, f64, u32)>,
    /// What was learnt.
    pub lessons: String,
}

/// One request as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub change: ChangeLine,
    /// The template it was made from.
    pub template: Option<String>,
    /// How it is reversed.
    pub rollback: Option<Rollback>,
    /// How it is seen that it worked.
    pub verification: Option<String>,
    /// The releases it brings in.
    pub releases: Vec<String>,
    /// How it came where it stands, oldest first.
    pub steps: Vec<Step>,
    /// What was judged by hand to be not impacted.
    pub not_impacted: Vec<NotImpactedLine>,
    /// The last assessment.
    pub assessment: Option<KeptAssessment>,
    /// The decision in force.
    pub approval: Option<ApprovalLine>,
    /// What has changed since, oldest first.
    pub rechecks: Vec<RecheckLine>,
    /// The baseline taken when the work began, by name.
    pub baseline: Option<String>,
    /// How the work ended.
    pub completion: Option<CompletionLine>,
    /// What was learnt.
    pub review: Option<ReviewLine>,
}

/// One request as it stands.
///
/// # Errors
/// When nobody knows it.
pub fn request(view: &View, key: &str, asked: Asked) -> Result<RequestAnswer, QuestionError> {
    let request = find_request(view, key)?;
    let baseline = request.baseline.and_then(|id| view.catalogue.baseline(id));
    let judged = request.not_impacted.iter().map(|marked| NotImpactedLine {
        subject: subject(view, marked.ci),
        by: marked.by.to_string(),
        at: marked.at,
        reason: marked.reason.to_string(),
    });
    Ok(RequestAnswer {
        basis: Basis::of(view, asked),
        change: ChangeLine::of(view, request),
        template: text(&request.template),
        rollback: request.rollback.clone(),
        verification: text(&request.verification),
        releases: texts(&request.releases),
        steps: request.steps.clone(),
        not_impacted: judged.collect(),
        assessment: request.assessment.as_ref().map(|kept| assessment(view, kept)),
        approval: request.approval.as_ref().map(|approval| ApprovalLine {
            by: approval.by.to_string(),
            at: approval.at,
            reason: text(&approval.reason),
            assessment: assessment(view, &approval.assessment),
        }),
        rechecks: rechecks(view, request),
        baseline: baseline.map(|kept| kept.record.name.to_string()),
        completion: completion(view, request),
        review: review(view, request),
    })
}

fn effects(view: &View, effects: &[EffectOn]) -> Vec<KeptEffect> {
    let line = |effect: &EffectOn| KeptEffect {
        subject: subject(view, effect.ci),
        at_best: effect.at_best,
        at_worst: effect.at_worst,
        loss: effect.loss,
        new_single_points: keys(view, &effect.new_single_points),
    };
    let mut lines: Vec<KeptEffect> = effects.iter().map(line).collect();
    lines.sort_by(|a, b| b.at_worst.cmp(&a.at_worst).then_with(|| a.subject.key.cmp(&b.subject.key)));
    lines
}

fn assessment(view: &View, kept: &FrozenAssessment) -> KeptAssessment {
    KeptAssessment {
        revision: kept.revision,
        at: kept.at,
        by: kept.by.to_string(),
        inputs: kept.inputs.to_string(),
        document: kept.document.to_string(),
        is_complete: kept.is_complete,
        major: texts(&kept.major),
        violations: texts(&kept.violations),
        collides_with: texts(&kept.collides_with()),
        unsearched: texts(&kept.unsearched),
        effects: effects(view, &kept.effects),
    }
}

fn rechecks(view: &View, request: &RequestForChange) -> Vec<RecheckLine> {
    let line = |recheck: &keelson_model::Recheck| RecheckLine {
        cause: recheck.cause,
        reason: recheck.reason,
        at: recheck.at,
        worse: effects(view, &recheck.worse),
        better: effects(view, &recheck.better),
        violations: texts(&recheck.violations),
        collides_with: texts(&recheck.collides_with),
        needs_approval: recheck.needs_approval,
    };
    request.rechecks.iter().map(line).collect()
}

fn completion(view: &View, request: &RequestForChange) -> Option<CompletionLine> {
    let done = request.completion.as_ref()?;
    Some(CompletionLine {
        outcome: done.outcome,
        started_at: done.started_at,
        finished_at: done.finished_at,
        showing: keys(view, &done.showing),
        not_showing: keys(view, &done.not_showing),
        reason: text(&done.reason),
    })
}

fn review(view: &View, request: &RequestForChange) -> Option<ReviewLine> {
    let review = request.review.as_ref()?;
    Some(ReviewLine {
        by: review.by.to_string(),
        at: review.at,
        is_monitored: review.is_monitored,
        has_failed: review.has_failed,
        incidents: texts(&review.incidents),
        observed: review.observed.iter().map(|loss| (subject(view, loss.ci).key, loss.loss, loss.minutes)).collect(),
        lessons: review.lessons.to_string(),
    })
}
