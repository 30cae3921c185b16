//! Requests for change: what they say, how they came where they stand, what was decided about them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_app::answers::change::{ChangeAnswer, ChangeQuestion, assess};
use keelson_app::answers::review::{ScoreQuestion, scorecard};
use keelson_app::change::recheck::gate;
use keelson_catalogue::Kept;
use keelson_model as model;
use tokio::sync::OnceCell;

use super::assessed::{Approval, FrozenAssessment, Recheck};
use super::baseline::Baseline;
use super::impact::ChangeImpact;
use super::outcome::{ChangeReview, Completion};
use super::review::ChangeScore;
use super::words::{ChangeAction, RequestForChangeCategory, RequestForChangeState};
use super::{Rollback, Window, item_of, placed, texts};
use crate::connection::{Connection, Paging};
use crate::context::{Find, analyse};
use crate::errors::Refusal;
use crate::ids::{self, GlobalId};
use crate::limits::{ASSESSMENT_EVALUATIONS, LISTED_SERVICES};
use crate::moment::Moment;
use crate::types::history::{HistoryEntry, Revision, history, revision};
use crate::types::item::ConfigurationItem;
use crate::types::payload::{UserErrorCode, camel};

/// One way to name a request for change.
#[derive(Clone, Debug, OneofObject)]
pub enum RequestForChangeBy {
    /// By its identifier.
    Id(ID),
    /// By its key: `RFC-12`.
    Key(String),
}

/// A request for change at a moment.
#[derive(Clone)]
pub struct RequestForChange {
    at: Arc<Moment>,
    kept: Kept<model::RequestForChange>,
    /// What it does, once somebody has asked.
    answer: Arc<OnceCell<Arc<ChangeAnswer>>>,
}

impl RequestForChange {
    /// A request as it is kept.
    pub(super) fn of(at: &Arc<Moment>, kept: &Kept<model::RequestForChange>) -> Self {
        Self { at: Arc::clone(at), kept: kept.clone(), answer: Arc::default() }
    }

    /// The request of an identifier, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, id: model::ChangeId) -> Option<Self> {
        at.catalogue().request(id).map(|kept| Self::of(at, kept))
    }

    /// The request of a key, if there is one.
    #[must_use]
    pub fn named(at: &Arc<Moment>, key: &str) -> Option<Self> {
        at.catalogue().find_request(key).map(|kept| Self::of(at, kept))
    }

    /// The request that a client names, if there is one.
    ///
    /// # Errors
    /// When an identifier is of another sort of record.
    pub fn by(at: &Arc<Moment>, by: &RequestForChangeBy) -> Result<Option<Self>, Refusal> {
        Ok(match by {
            RequestForChangeBy::Id(id) => Self::find(at, ids::change(id)?),
            RequestForChangeBy::Key(key) => Self::named(at, key.trim()),
        })
    }

    fn record(&self) -> &Arc<model::RequestForChange> {
        &self.kept.record
    }

    /// Tells its lists from those of other requests.
    fn of_it(&self) -> String {
        self.record().id.to_string()
    }

    /// What it does, computed once for everything that is asked about it.
    async fn answer(&self, ctx: &Context<'_>) -> Result<Arc<ChangeAnswer>, Refusal> {
        let compute = || async {
            let keelson = ctx.services().keelson.clone();
            let (at, request) = (Arc::clone(&self.at), Arc::clone(self.record()));
            let answer = analyse(ctx.services(), move |stop| {
                let question = ChangeQuestion {
                    request: &request,
                    policy: keelson.policy(),
                    budget: ASSESSMENT_EVALUATIONS,
                    most: LISTED_SERVICES,
                    stop: Some(stop),
                };
                assess(&at.view, &question, at.asked, keelson.pool())
            });
            Ok::<_, Refusal>(Arc::new(answer.await??))
        };
        self.answer.get_or_try_init(compute).await.map(Arc::clone)
    }
}

/// An item with what a request does to it.
#[derive(SimpleObject)]
pub struct Alteration {
    /// The item.
    item: Option<ConfigurationItem>,
    /// What is done to it.
    action: ChangeAction,
    /// The fraction of it that is lost meanwhile, from 0 to 1.
    loss: f64,
}

/// One step of a request through its states.
#[derive(SimpleObject)]
pub struct RequestForChangeStep {
    /// The state it led to.
    to: RequestForChangeState,
    /// Who took it.
    by: String,
    /// When.
    at: DateTime<Utc>,
    /// Why, in their words.
    reason: Option<String>,
}

impl From<&model::Step> for RequestForChangeStep {
    fn from(step: &model::Step) -> Self {
        let reason = step.reason.as_ref().map(ToString::to_string);
        Self { to: step.to.into(), by: step.by.to_string(), at: step.at, reason }
    }
}

/// A person's word that an item is not impacted: the loss does not spread through it.
#[derive(SimpleObject)]
pub struct NotImpacted {
    /// The item.
    item: Option<ConfigurationItem>,
    /// Who says so.
    by: String,
    /// When.
    at: DateTime<Utc>,
    /// Why.
    reason: String,
}

/// Why a request must not go ahead.
#[derive(SimpleObject)]
pub struct GateReason {
    /// The field of the request concerned, from the outside in; empty when it is about the whole.
    field: Vec<String>,
    /// Why, for programs.
    code: UserErrorCode,
    /// Why, for people, and what to do.
    message: String,
}

/// Whether a request may go ahead.
#[derive(SimpleObject)]
pub struct GateAnswer {
    /// Whether it may.
    is_open: bool,
    /// Everything that keeps it from going ahead; a handful, and none when it may.
    reasons: Vec<GateReason>,
    /// The time for which that is so.
    at: DateTime<Utc>,
}

/// What is to be altered, when, why, and what was decided about it.
#[Object]
impl RequestForChange {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Change(self.record().id).into()
    }

    /// What people call it: `RFC-12`. Unique.
    async fn key(&self) -> &str {
        &self.record().key
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.record().version
    }

    /// The commit that changed it last.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        let last = self.kept.trail.last().map(|at| at.revision());
        revision(ctx, last.unwrap_or_else(|| self.at.view.revision())).await
    }

    /// What, in a line.
    async fn title(&self) -> &str {
        &self.record().title
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.record().reason
    }

    /// How it is decided on.
    async fn category(&self) -> RequestForChangeCategory {
        self.record().category.into()
    }

    /// The name of the template it was made from.
    async fn template(&self) -> Option<&str> {
        self.record().template.as_deref()
    }

    /// Who carries it out.
    async fn team(&self) -> Option<&str> {
        self.record().team.as_deref()
    }

    /// Who asks for it.
    async fn requester(&self) -> &str {
        &self.record().requester
    }

    /// When it is to be done.
    async fn window(&self) -> Option<Window> {
        self.record().window.map(Window::from)
    }

    /// The time behind its window in which it may still be in the middle of being reversed.
    async fn shadow(&self) -> Option<Window> {
        self.record().shadow().map(Window::from)
    }

    /// How it is reversed.
    async fn rollback(&self) -> Option<Rollback> {
        self.record().rollback.as_ref().map(Rollback::from)
    }

    /// How it is seen that it worked.
    async fn verification(&self) -> Option<&str> {
        self.record().verification.as_deref()
    }

    /// The releases it brings in, by name or address; the first 100.
    async fn releases(&self) -> Vec<String> {
        texts(&self.record().releases)
    }

    /// Where it stands.
    async fn state(&self) -> RequestForChangeState {
        self.record().state.into()
    }

    /// The items it alters, each once, in the order in which they were named.
    async fn alterations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Alteration>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |one: &model::Alteration| Alteration {
            item: item_of(&self.at, one.ci),
            action: one.action.into(),
            loss: one.action.loss(),
        };
        placed(ctx, &self.at, ("requestForChange.alterations", self.of_it()), &self.record().alterations, &paging, node)
    }

    /// How it came where it stands, oldest first.
    async fn steps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RequestForChangeStep>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("requestForChange.steps", self.of_it()), &self.record().steps, &paging, |step| {
            RequestForChangeStep::from(step)
        })
    }

    /// What people said is not impacted.
    async fn not_impacted(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<NotImpacted>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |one: &model::NotImpacted| NotImpacted {
            item: item_of(&self.at, one.ci),
            by: one.by.to_string(),
            at: one.at,
            reason: one.reason.to_string(),
        };
        placed(
            ctx,
            &self.at,
            ("requestForChange.notImpacted", self.of_it()),
            &self.record().not_impacted,
            &paging,
            node,
        )
    }

    /// The last assessment somebody asked for.
    async fn assessment(&self) -> Option<FrozenAssessment> {
        let kept = self.record().assessment.clone()?;
        Some(FrozenAssessment { at: Arc::clone(&self.at), kept })
    }

    /// The decision in force, with the assessment it rests on.
    async fn approval(&self) -> Option<Approval> {
        let kept = self.record().approval.clone()?;
        Some(Approval { at: Arc::clone(&self.at), kept })
    }

    /// Assessments since the approval that differed from it, oldest first.
    async fn rechecks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Recheck>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |kept: &model::Recheck| Recheck { at: Arc::clone(&self.at), kept: kept.clone() };
        placed(ctx, &self.at, ("requestForChange.rechecks", self.of_it()), &self.record().rechecks, &paging, node)
    }

    /// The baseline of what it affects, taken when the work started.
    async fn baseline(&self) -> Option<Baseline> {
        Baseline::find(&self.at, self.record().baseline?)
    }

    /// How the work ended.
    async fn completion(&self) -> Option<Completion> {
        let kept = self.record().completion.clone()?;
        Some(Completion { at: Arc::clone(&self.at), kept })
    }

    /// What was learnt afterwards.
    async fn review(&self) -> Option<ChangeReview> {
        let kept = self.record().review.clone()?;
        Some(ChangeReview { at: Arc::clone(&self.at), kept })
    }

    /// Whether it may go ahead now, or at the time in the past that is asked about. It is assessed afresh
    /// for that.
    async fn gate(&self, ctx: &Context<'_>) -> Result<GateAnswer, Refusal> {
        let (answer, when) = (self.answer(ctx).await?, self.at.asked.at);
        let fresh = answer.frozen(&Arc::from("gate"), when);
        let closed = gate(self.record(), &fresh, when, ctx.services().keelson.policy());
        let reason = |problem: keelson_app::change::Problem| GateReason {
            field: problem.field.iter().map(|part| camel(part)).collect(),
            code: problem.code.into(),
            message: problem.message,
        };
        Ok(GateAnswer { is_open: closed.is_empty(), reasons: closed.into_iter().map(reason).collect(), at: when })
    }

    /// How it came to say what it says, the newest change first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<HistoryEntry>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        history(ctx, &self.at, RecordRef::Request(self.record().id), &self.kept.trail, &paging).await
    }

    /// What was predicted of it against what happened; `null` while its work is not over.
    async fn score(&self, ctx: &Context<'_>) -> Result<Option<ChangeScore>, Refusal> {
        let keelson = ctx.services().keelson.clone();
        let (at, request) = (Arc::clone(&self.at), Arc::clone(self.record()));
        let score = analyse(ctx.services(), move |_| {
            let question = ScoreQuestion { request: &request, most: LISTED_SERVICES };
            scorecard(&at.view, &question, at.asked, keelson.pool())
        });
        Ok(score.await??.map(|answer| ChangeScore { at: Arc::clone(&self.at), answer: Arc::new(answer) }))
    }

    /// What it does to services, alone and with the others planned then, computed now.
    async fn impact(&self, ctx: &Context<'_>) -> Result<ChangeImpact, Refusal> {
        Ok(ChangeImpact::of(&self.at, self.answer(ctx).await?))
    }
}
