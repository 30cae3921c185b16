//! Review tasks: questions only a person can settle.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_model as model;

use super::item::{ConfigurationItem, listed};
use super::provenance::Position;
use super::words::{FindingCode, ReviewState};
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::moment::Moment;

/// A review task at a moment.
pub struct ReviewTask {
    at: Arc<Moment>,
    task: Arc<model::ReviewTask>,
}

/// A person's answer to a review task.
#[derive(SimpleObject)]
pub struct ReviewDecision {
    /// Who decided.
    by: String,
    /// When.
    at: DateTime<Utc>,
    /// Why.
    reason: String,
    /// The configuration item it is; absent for a new one, and for "go ahead".
    candidate: Option<ConfigurationItem>,
}

impl ReviewTask {
    /// The review task of an identifier, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, id: model::ReviewTaskId) -> Option<Self> {
        at.catalogue().review(id).map(|task| Self { at: Arc::clone(at), task: Arc::clone(task) })
    }

    fn item(&self, id: model::CiId) -> Option<ConfigurationItem> {
        self.at.catalogue().find_id(id).map(|ix| ConfigurationItem::at(&self.at, ix))
    }
}

/// A question only a person can settle.
#[Object]
impl ReviewTask {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Review(self.task.id).into()
    }

    /// What raised it.
    async fn code(&self) -> FindingCode {
        self.task.code.into()
    }

    /// Where it stands.
    async fn state(&self) -> ReviewState {
        self.task.state.into()
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.task.version
    }

    /// The question, in words.
    async fn question(&self) -> &str {
        &self.task.question
    }

    /// The source whose batch raised it.
    async fn source(&self) -> &str {
        &self.task.source
    }

    /// The scope of the batch.
    async fn scope(&self) -> String {
        self.task.scope.to_string()
    }

    /// The import that raised it.
    async fn import_run_id(&self) -> ID {
        GlobalId::Run(self.task.batch).into()
    }

    /// The row concerned, by the source's key.
    async fn source_key(&self) -> Option<String> {
        self.task.source_key.as_ref().map(ToString::to_string)
    }

    /// Where the row stood.
    async fn position(&self) -> Option<Position> {
        Position::of(&self.task.position)
    }

    /// The configuration items it could be, by key.
    async fn candidates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let found = self.task.candidates.iter().filter_map(|id| self.at.catalogue().find_id(*id)).collect();
        let paging = Paging::new(first, after, last, before);
        listed(&ctx.services().seal, &self.at, "candidates", found, &paging)
    }

    /// What speaks for each candidate; a line for each at most.
    async fn evidence(&self) -> Vec<&str> {
        self.task.evidence.iter().map(AsRef::as_ref).collect()
    }

    /// When it was raised.
    async fn raised_at(&self) -> DateTime<Utc> {
        self.task.raised_at
    }

    /// The decision, once there is one.
    async fn decision(&self) -> Option<ReviewDecision> {
        self.task.decision.as_ref().map(|decision| ReviewDecision {
            by: decision.by.to_string(),
            at: decision.at,
            reason: decision.reason.to_string(),
            candidate: decision.candidate.and_then(|id| self.item(id)),
        })
    }
}

/// Which review tasks. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ReviewTaskWhere {
    /// Where they stand.
    pub state: Option<ReviewState>,
    /// What raised them.
    pub code: Option<FindingCode>,
    /// The source whose batch raised them.
    pub source: Option<String>,
}

/// A page of review tasks, the oldest first.
pub(crate) fn review_tasks(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    filter: &ReviewTaskWhere,
    paging: &Paging,
) -> Result<Connection<ReviewTask>, Refusal> {
    let wanted = |task: &&Arc<model::ReviewTask>| {
        filter.state.is_none_or(|state| ReviewState::from(task.state) == state)
            && filter.code.is_none_or(|code| FindingCode::from(task.code) == code)
            && filter.source.as_deref().is_none_or(|source| task.source == source)
    };
    let mut found: Vec<Arc<model::ReviewTask>> = at.catalogue().reviews().filter(wanted).cloned().collect();
    found.sort_by_key(|task| task.id);
    let node = |task: &Arc<model::ReviewTask>| ReviewTask { at: Arc::clone(at), task: Arc::clone(task) };
    let name = list_name("reviewTasks", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, |task| task.id, node)
}
