//! One request: what was predicted against what happened, and whether it failed.

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_model::{CiId, DisruptionKind, Effect, RequestForChange, Revision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Figures;
use super::compare::{Compared, Comparison, Cone, Outage, Outages, compare, is_linked};
use super::outcome::{FAILURE_HOURS, Work, outcome_of, work_of};
use crate::change::ChangeLine;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// What is asked about a request whose work is over.
#[derive(Clone, Copy, Debug)]
pub struct ScoreQuestion<'a> {
    /// The request.
    pub request: &'a RequestForChange,
    /// Most lines of a list.
    pub most: usize,
}

/// Whether the services were watched while the work was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Monitoring {
    /// They were, says the review.
    Watched,
    /// They were not, says the review: nothing is known of what happened.
    Unwatched,
    /// There is no review yet: nobody has said.
    NotReviewed,
}

impl Monitoring {
    pub(crate) fn of(request: &RequestForChange) -> Self {
        match &request.review {
            Some(review) if review.is_monitored => Self::Watched,
            Some(_) => Self::Unwatched,
            None => Self::NotReviewed,
        }
    }
}

/// What became of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Harmed without being predicted.
    Miss,
    /// Predicted, and not harmed.
    FalseAlarm,
    /// Predicted, and harmed.
    Hit,
    /// Neither predicted nor harmed.
    Spared,
    /// Nobody knows.
    Unknown,
}

/// A service with what was predicted of it and what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// What was predicted at worst; absent when the assessment does not name it.
    pub predicted: Option<Effect>,
    /// What was predicted at best.
    pub predicted_at_best: Option<Effect>,
    /// The fraction that was to be lost.
    pub predicted_loss: Option<f64>,
    /// The largest fraction that was recorded as lost.
    pub observed_loss: Option<f64>,
    /// The longest time recorded for that, in minutes.
    pub observed_minutes: Option<i64>,
    /// Where it is written down.
    pub references: Vec<String>,
    /// What became of the prediction.
    pub verdict: Verdict,
}

/// A disruption of a service meanwhile that is not put down to the change: it had begun before and was
/// not predicted, or the service does not depend on what was altered and nobody links it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElsewhereLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// The fraction lost.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on.
    pub reference: Option<String>,
}

/// An incident that speaks for a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentLine {
    /// Its number.
    pub reference: String,
    /// The item it is on.
    #[serde(flatten)]
    pub subject: Subject,
    /// The fraction lost.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub until: Option<DateTime<Utc>>,
    /// Whether the review links it to the change.
    pub is_linked: bool,
}

/// Whether a change failed by the definition: it was backed out, or an incident was met inside its cone
/// from its start to 72 hours after its end. A person decides; this is what the records say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureSuggestion {
    /// Whether it failed, by what is recorded.
    pub has_failed: bool,
    /// Whether nothing new can make it a failed one: the 72 hours are over, or it was backed out.
    pub is_settled: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// The incidents that speak for it, by time.
    pub incidents: Vec<IncidentLine>,
}

/// One request's predictions against what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewScore {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub change: ChangeLine,
    /// When the work began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// Whether it was backed out.
    pub backed_out: bool,
    /// The revision the predictions were made at; absent when no approval is kept.
    pub predicted_at: Option<Revision>,
    /// Whether the services were watched.
    pub monitoring: Monitoring,
    /// How well harm was predicted; `null` while it is unknown what happened.
    pub figures: Option<Figures>,
    /// The services, misses first.
    pub services: Vec<ScoreLine>,
    /// What else happened to services meanwhile, by time.
    pub elsewhere: Vec<ElsewhereLine>,
    /// Incidents and problems the review links to it, by number.
    pub incidents: Vec<String>,
    /// Whether it counts as failed; `null` while nobody knows.
    pub failed: Option<bool>,
    /// What the records say about that.
    pub suggestion: FailureSuggestion,
    /// The outcome in a sentence.
    pub summary: String,
}

/// Compares what a request was approved on with what happened; `None` while its work is not over.
///
/// # Errors
/// When the analyses refuse: a stored need that cannot be drawn, which no write lets in.
pub fn scorecard(
    view: &View,
    question: &ScoreQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<Option<ReviewScore>, QuestionError> {
    let ScoreQuestion { request, most } = *question;
    let Some(work) = work_of(request) else { return Ok(None) };
    let mut basis = Basis::of(view, asked);
    let cone = Cone::of(view, request, pool)?;
    if !cone.left_out.is_empty() {
        let keys: Vec<&str> = cone.left_out.iter().map(|ix| view.catalogue.ci(*ix).key.as_str()).collect();
        let message = format!(
            "{} altered items take no part in analyses, and what depended on them is not known any longer: {}",
            keys.len(),
            keys.join(", ")
        );
        basis.limit(LimitCode::NotInService, message);
    }
    let mut suggestion = suggestion(view, request, work, &cone, asked.at);
    let monitoring = Monitoring::of(request);
    let outages = Outages::on_services(view);
    let compared = compare(view, &outages, request, pool)?;
    let (mut services, mut elsewhere, figures) = match &compared {
        Some(compared) => {
            let figures = (monitoring == Monitoring::Watched).then(|| Figures::from(compared.figures));
            (score_lines(view, compared, monitoring), elsewhere(view, compared), figures)
        }
        None => (Vec::new(), Vec::new(), None),
    };
    basis.page("services", services.len().min(most), services.len());
    services.truncate(most);
    basis.page("disruptions elsewhere", elsewhere.len().min(most), elsewhere.len());
    elsewhere.truncate(most);
    basis.page("incidents", suggestion.incidents.len().min(most), suggestion.incidents.len());
    suggestion.incidents.truncate(most);
    let summary = summary(monitoring, figures.as_ref(), compared.is_some());
    Ok(Some(ReviewScore {
        basis,
        change: ChangeLine::of(view, request),
        started_at: work.started,
        finished_at: work.finished,
        backed_out: work.is_backed_out,
        predicted_at: request.approval.as_ref().map(|approval| approval.assessment.revision),
        monitoring,
        figures,
        services,
        elsewhere,
        incidents: request.review.iter().flat_map(|review| &review.incidents).map(ToString::to_string).collect(),
        failed: outcome_of(request, asked.at).and_then(super::Outcome::has_failed),
        suggestion,
        summary,
    }))
}

/// Whether a change failed by what is recorded, with the reason: it was backed out, or an incident with a
/// number on an item that is altered or depends on what is began after the work did and no later than 72
/// hours after its end.
///
/// # Errors
/// When the analyses refuse: a stored need that cannot be drawn, which no write lets in.
pub fn suggest_failure(
    view: &View,
    request: &RequestForChange,
    now: DateTime<Utc>,
    pool: &Pool,
) -> Result<FailureSuggestion, QuestionError> {
    let Some(work) = work_of(request) else {
        return Ok(FailureSuggestion {
            has_failed: false,
            is_settled: false,
            reason: "its work is not over".to_owned(),
            incidents: Vec::new(),
        });
    };
    Ok(suggestion(view, request, work, &Cone::of(view, request, pool)?, now))
}

fn suggestion(
    view: &View,
    request: &RequestForChange,
    work: Work,
    cone: &Cone,
    now: DateTime<Utc>,
) -> FailureSuggestion {
    let incidents = incidents(view, request, work, cone, now);
    let is_over = now >= work.settles();
    let met = match &incidents[..] {
        [] => None,
        [one] => Some(format!("the incident {} on {}", one.reference, one.subject.key)),
        [first, others @ ..] => {
            Some(format!("the incident {} on {} and {} more", first.reference, first.subject.key, others.len()))
        }
    };
    let reason = match (work.is_backed_out, met) {
        (true, None) => "it was backed out".to_owned(),
        (true, Some(met)) => format!("it was backed out; {met} began inside its cone"),
        (false, Some(met)) => {
            format!("{met} began inside its cone, after the work did and within {FAILURE_HOURS} hours of its end")
        }
        (false, None) if is_over => {
            format!("no incident with a number began inside its cone within {FAILURE_HOURS} hours of its end")
        }
        (false, None) => {
            let until = work.settles().format("%Y-%m-%d %H:%M UTC");
            format!("no incident with a number has begun inside its cone so far; one may until {until}")
        }
    };
    FailureSuggestion {
        has_failed: work.is_backed_out || !incidents.is_empty(),
        is_settled: is_over || work.is_backed_out,
        reason,
        incidents,
    }
}

fn incidents(
    view: &View,
    request: &RequestForChange,
    work: Work,
    cone: &Cone,
    now: DateTime<Utc>,
) -> Vec<IncidentLine> {
    let in_time = |from: DateTime<Utc>| from >= work.started && from <= work.settles() && from <= now;
    let all = view.catalogue.disruptions().map(|kept| &*kept.record);
    let found = all.filter(|record| record.kind == DisruptionKind::Incident && in_time(record.from));
    let lines = found.filter_map(|record| {
        let reference = record.reference.as_ref()?.to_string();
        let ix = view.catalogue.find_id(record.ci).filter(|ix| cone.contains(*ix))?;
        Some(IncidentLine {
            reference,
            subject: Subject::of(&view.catalogue, ix),
            loss: record.loss,
            from: record.from,
            until: record.until,
            is_linked: is_linked(request, record),
        })
    });
    let mut lines: Vec<IncidentLine> = lines.collect();
    lines.sort_by(|a, b| (a.from, &a.reference, &a.subject).cmp(&(b.from, &b.reference, &b.subject)));
    lines
}

/// What became of the prediction about one service.
pub(crate) fn verdict(compared: &Compared<'_>) -> Verdict {
    match (compared.is_predicted(), compared.observed.is_some()) {
        (true, true) => Verdict::Hit,
        (true, false) => Verdict::FalseAlarm,
        (false, true) => Verdict::Miss,
        (false, false) => Verdict::Spared,
    }
}

fn score_lines(view: &View, comparison: &Comparison<'_>, monitoring: Monitoring) -> Vec<ScoreLine> {
    let line = |(ci, compared): (&CiId, &Compared<'_>)| {
        let observed = compared.observed.as_ref();
        Some(ScoreLine {
            subject: Subject::of(&view.catalogue, view.catalogue.find_id(*ci)?),
            predicted: compared.effect.map(|effect| effect.at_worst),
            predicted_at_best: compared.effect.map(|effect| effect.at_best),
            predicted_loss: compared.effect.map(|effect| effect.loss),
            observed_loss: observed.map(|observed| observed.loss),
            observed_minutes: observed.map(|observed| observed.minutes),
            references: observed.map(|observed| observed.references.clone()).unwrap_or_default(),
            verdict: if monitoring == Monitoring::Watched { verdict(compared) } else { Verdict::Unknown },
        })
    };
    let mut lines: Vec<ScoreLine> = comparison.services.iter().filter_map(line).collect();
    lines.sort_by(|a, b| {
        let rank = |line: &ScoreLine| (line.verdict, std::cmp::Reverse(line.predicted));
        (rank(a), &a.subject).cmp(&(rank(b), &b.subject))
    });
    lines
}

fn elsewhere(view: &View, comparison: &Comparison<'_>) -> Vec<ElsewhereLine> {
    let line = |outage: &&Outage| ElsewhereLine {
        subject: Subject::of(&view.catalogue, outage.ix),
        loss: outage.record.loss,
        from: outage.record.from,
        until: outage.record.until,
        reference: outage.record.reference.as_deref().map(str::to_owned),
    };
    comparison.elsewhere.iter().rev().map(line).collect()
}

fn summary(monitoring: Monitoring, figures: Option<&Figures>, has_predictions: bool) -> String {
    match (monitoring, figures) {
        _ if !has_predictions => "no approval is kept with it, so there is nothing to compare with".to_owned(),
        (Monitoring::Unwatched, _) => {
            "nobody watched the services: what happened is unknown, and it counts in no figure".to_owned()
        }
        (_, Some(figures)) if figures.false_alarms + figures.misses == 0 => {
            format!("the prediction was right: {} services harmed, as predicted", figures.hits)
        }
        (_, Some(figures)) => format!(
            "{} services harmed as predicted, {} predicted and not harmed, {} harmed and not predicted",
            figures.hits, figures.false_alarms, figures.misses
        ),
        (_, None) => "it is not reviewed yet: nobody has said whether the services were watched".to_owned(),
    }
}
