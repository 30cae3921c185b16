//! Kinds of change that were decided on once for all.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_catalogue::Kept;
use keelson_model as model;

use super::words::ChangeAction;
use super::{Rollback, minutes};
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::history::{HistoryEntry, Revision, history, revision};
use crate::types::scalar::Duration;

/// A kind of change that was decided on once for all.
pub struct ChangeTemplate {
    at: Arc<Moment>,
    kept: Kept<model::ChangeTemplate>,
}

impl ChangeTemplate {
    /// The template of a name, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, name: &str) -> Option<Self> {
        at.catalogue().template(name).map(|kept| Self { at: Arc::clone(at), kept: kept.clone() })
    }

    fn record(&self) -> &Arc<model::ChangeTemplate> {
        &self.kept.record
    }
}

/// What a template lets a change do.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct PermittedAction {
    /// What is done to an item.
    action: ChangeAction,
    /// The largest fraction of it that may be lost meanwhile, from 0 to 1.
    largest_loss: f64,
}

/// A kind of change that was decided on once for all: standard changes follow it.
#[Object]
impl ChangeTemplate {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Template(Arc::clone(&self.record().name)).into()
    }

    /// Its name. Unique.
    async fn name(&self) -> &str {
        &self.record().name
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

    /// The classes of the items it may alter, those below them included; the first 100.
    async fn classes(&self) -> Vec<&str> {
        self.record().classes.iter().take(LONGEST_LIST).map(model::Symbol::as_str).collect()
    }

    /// What it may do to them; the first 100.
    async fn actions(&self) -> Vec<PermittedAction> {
        let actions = self.record().actions.iter().take(LONGEST_LIST);
        actions.map(|action| PermittedAction { action: (*action).into(), largest_loss: action.loss() }).collect()
    }

    /// The longest window.
    async fn longest_window(&self) -> Duration {
        minutes(self.record().longest_minutes)
    }

    /// How it is reversed.
    async fn rollback(&self) -> Rollback {
        Rollback::from(&self.record().rollback)
    }

    /// How it is seen that it worked.
    async fn verification(&self) -> &str {
        &self.record().verification
    }

    /// Who wrote it.
    async fn by(&self) -> &str {
        &self.record().by
    }

    /// Who approved it, another person; absent: it cannot be used yet.
    async fn approved_by(&self) -> Option<&str> {
        self.record().approved_by.as_deref()
    }

    /// When it was approved.
    async fn approved_at(&self) -> Option<DateTime<Utc>> {
        self.record().approved_at
    }

    /// When it was withdrawn, if it was.
    async fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.record().withdrawn_at
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
        history(ctx, &self.at, RecordRef::Template(Arc::clone(&self.record().name)), &self.kept.trail, &paging).await
    }

    /// Whether standard changes may follow it.
    async fn is_usable(&self) -> bool {
        self.record().approved_by.is_some() && self.record().withdrawn_at.is_none()
    }
}

/// A page of templates, by name.
pub(crate) fn change_templates(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    paging: &Paging,
) -> Result<Connection<ChangeTemplate>, Refusal> {
    let found: Vec<&Kept<model::ChangeTemplate>> = at.catalogue().templates().collect();
    let node = |kept: &&Kept<model::ChangeTemplate>| ChangeTemplate { at: Arc::clone(at), kept: (*kept).clone() };
    let name = list_name("changeTemplates", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, |kept| kept.record.name.to_string(), node)
}
