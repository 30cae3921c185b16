//! What was predicted of changes against what happened, and what their like teach.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};
use keelson_app::answers::review::{
    Figures as Counts, RateLine, ReviewScore, ScoreLine, ServiceTrend as TrendLine, TrendsAnswer, TrendsQuestion,
    trends,
};

use super::placed;
use super::words::{Effect, Monitoring, PredictionVerdict};
use crate::connection::{Connection, Paging};
use crate::context::{Services, analyse};
use crate::errors::Refusal;
use crate::limits::LISTED_FINDINGS;
use crate::moment::Moment;
use crate::types::completeness::Completeness;
use crate::types::item::ConfigurationItem;
use crate::types::scalar::Duration;

/// How well harm to services was predicted.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct PredictionFigures {
    /// Predicted, and harmed.
    hits: usize,
    /// Predicted, and not harmed.
    false_alarms: usize,
    /// Harmed without being predicted.
    misses: usize,
    /// The fraction of the predicted that was harmed; `null` if nothing was predicted.
    precision: Option<f64>,
    /// The fraction of the harmed that was predicted; `null` if nothing was harmed.
    recall: Option<f64>,
}

impl From<&Counts> for PredictionFigures {
    fn from(counts: &Counts) -> Self {
        let Counts { hits, false_alarms, misses, precision, recall } = *counts;
        Self { hits, false_alarms, misses, precision, recall }
    }
}

/// A service with what was predicted of it and what happened.
#[derive(SimpleObject)]
pub struct PredictionOutcome {
    /// The service.
    service: Option<ConfigurationItem>,
    /// What became of the prediction.
    verdict: PredictionVerdict,
    /// What was predicted at worst; `null` when the assessment does not name it.
    predicted: Option<Effect>,
    /// The fraction that was to be lost.
    predicted_loss: Option<f64>,
    /// The largest fraction that was recorded as lost.
    observed_loss: Option<f64>,
    /// The longest time recorded for that.
    observed_duration: Option<Duration>,
    /// Where it is written down; the first 100.
    references: Vec<String>,
}

impl PredictionOutcome {
    fn of(at: &Arc<Moment>, line: &ScoreLine) -> Self {
        Self {
            service: by_key(at, &line.subject.key),
            verdict: line.verdict.into(),
            predicted: line.predicted.map(Into::into),
            predicted_loss: line.predicted_loss,
            observed_loss: line.observed_loss,
            observed_duration: line.observed_minutes.map(|minutes| Duration(TimeDelta::minutes(minutes))),
            references: line.references.iter().take(crate::limits::LONGEST_LIST).cloned().collect(),
        }
    }
}

fn by_key(at: &Arc<Moment>, key: &str) -> Option<ConfigurationItem> {
    keelson_app::answers::find(at.catalogue(), key).ok().map(|ix| ConfigurationItem::at(at, ix))
}

/// What was predicted of one request against what happened.
pub struct ChangeScore {
    pub(super) at: Arc<Moment>,
    pub(super) answer: Arc<ReviewScore>,
}

/// What was predicted of one request against what happened.
#[Object]
impl ChangeScore {
    /// The outcome in a sentence.
    async fn summary(&self) -> &str {
        &self.answer.summary
    }

    /// When the work began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.answer.started_at
    }

    /// When it ended.
    async fn finished_at(&self) -> DateTime<Utc> {
        self.answer.finished_at
    }

    /// Whether it was backed out.
    async fn is_backed_out(&self) -> bool {
        self.answer.backed_out
    }

    /// Whether the services were watched meanwhile.
    async fn monitoring(&self) -> Monitoring {
        self.answer.monitoring.into()
    }

    /// How well harm was predicted; `null` while it is unknown what happened.
    async fn figures(&self) -> Option<PredictionFigures> {
        self.answer.figures.as_ref().map(PredictionFigures::from)
    }

    /// Whether it counts as failed; `null` while nobody knows.
    async fn has_failed(&self) -> Option<bool> {
        self.answer.failed
    }

    /// What the records say about that, in a sentence.
    async fn suggestion(&self) -> &str {
        &self.answer.suggestion.reason
    }

    /// The services, misses first.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<PredictionOutcome>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("changeScore.services", self.answer.change.key.clone());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |line| PredictionOutcome::of(&self.at, line))
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// How often changes of one kind fail: what the next of that kind is judged by.
#[derive(Clone, Debug, SimpleObject)]
pub struct ChangeFailureRate {
    /// The class most of the altered items have; `null` for all classes.
    class: Option<String>,
    /// The team; `null` for all teams.
    team: Option<String>,
    /// The template; `null` for all.
    template: Option<String>,
    /// Changes of which it is known how they turned out.
    changes: u32,
    /// Those of them that failed.
    failures: u32,
    /// Further ones that nobody watched: they count in nothing.
    unmonitored: u32,
    /// The chance that the next one fails: the posterior mean of a beta-binomial, shrunk to all others.
    failure: f64,
    /// The 5 % quantile of that chance.
    failure_from: f64,
    /// The 95 % quantile of that chance.
    failure_to: f64,
}

impl From<&RateLine> for ChangeFailureRate {
    fn from(line: &RateLine) -> Self {
        Self {
            class: line.class.clone(),
            team: line.team.clone(),
            template: line.template.clone(),
            changes: line.changes,
            failures: line.failures,
            unmonitored: line.unmonitored,
            failure: line.failure,
            failure_from: line.interval.0,
            failure_to: line.interval.1,
        }
    }
}

/// How well harm to one service was predicted.
#[derive(SimpleObject)]
pub struct ServiceTrend {
    /// The service.
    service: Option<ConfigurationItem>,
    /// Watched changes whose assessment names it, or in which it lost something.
    changes: usize,
    /// Those in which the prediction about it was right.
    right: usize,
    /// How well harm to it was predicted.
    figures: PredictionFigures,
}

impl ServiceTrend {
    fn of(at: &Arc<Moment>, line: &TrendLine) -> Self {
        Self {
            service: by_key(at, &line.subject.key),
            changes: line.changes,
            right: line.right,
            figures: PredictionFigures::from(&line.figures),
        }
    }
}

/// What became of all requests whose work is over.
pub struct ChangeTrends {
    at: Arc<Moment>,
    answer: TrendsAnswer,
}

/// Answers what became of all requests whose work is over.
pub(crate) async fn change_trends(services: &Services, at: Arc<Moment>) -> Result<ChangeTrends, Refusal> {
    let (asked, keelson) = (Arc::clone(&at), services.keelson.clone());
    let answer = analyse(services, move |_| {
        let question = TrendsQuestion { policy: keelson.policy(), most: LISTED_FINDINGS };
        trends(&asked.view, &question, asked.asked, keelson.pool())
    });
    Ok(ChangeTrends { at, answer: answer.await?? })
}

/// What became of all requests whose work is over: how often they fail, and how good predictions were.
#[Object]
impl ChangeTrends {
    /// How many requests there are whose work is over.
    async fn over(&self) -> usize {
        self.answer.over
    }

    /// How many of them are not reviewed.
    async fn not_reviewed(&self) -> usize {
        self.answer.not_reviewed
    }

    /// Changes whose review says that the services were watched, and that have predictions.
    async fn watched(&self) -> usize {
        self.answer.watched
    }

    /// Those of them whose predictions were right for every service.
    async fn right(&self) -> usize {
        self.answer.right
    }

    /// The mean squared difference between the chance of failure predicted and the outcome: 0 is perfect.
    async fn brier_score(&self) -> Option<f64> {
        self.answer.brier
    }

    /// What always predicting the fraction that failed would have scored.
    async fn brier_score_of_mean_rate(&self) -> Option<f64> {
        self.answer.brier_of_base_rate
    }

    /// How well harm to services was predicted, over all of them.
    async fn figures(&self) -> PredictionFigures {
        PredictionFigures::from(&self.answer.figures)
    }

    /// How often changes fail: all of them, then by class, by team and by template.
    async fn rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ChangeFailureRate>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let TrendsAnswer { portfolio, classes, teams, templates, .. } = &self.answer;
        let all: Vec<&RateLine> = std::iter::once(portfolio).chain(classes).chain(teams).chain(templates).collect();
        placed(ctx, &self.at, ("changeTrends.rates", String::new()), &all, &paging, |line| {
            ChangeFailureRate::from(*line)
        })
    }

    /// How well harm to each service was predicted, the most wrong predictions first.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceTrend>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeTrends.services", String::new()), &self.answer.services, &paging, |line| {
            ServiceTrend::of(&self.at, line)
        })
    }

    /// How the figures are to be read, a sentence each.
    async fn notes(&self) -> Vec<&str> {
        self.answer.notes.iter().take(crate::limits::LONGEST_LIST).map(String::as_str).collect()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}
