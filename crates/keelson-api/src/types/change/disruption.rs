//! What is down or impaired, apart from what requests for change do.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_catalogue::Kept;
use keelson_model as model;

use super::item_of;
use super::words::DisruptionKind;
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::ids::{self, GlobalId};
use crate::moment::Moment;
use crate::types::history::{HistoryEntry, Revision, history, revision};
use crate::types::item::ConfigurationItem;

/// Something that is down or impaired.
pub struct Disruption {
    at: Arc<Moment>,
    kept: Kept<model::Disruption>,
}

impl Disruption {
    /// The disruption of an identifier, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, id: model::DisruptionId) -> Option<Self> {
        at.catalogue().disruption(id).map(|kept| Self { at: Arc::clone(at), kept: kept.clone() })
    }
}

fn is_open(at: &Moment, disruption: &model::Disruption) -> bool {
    disruption.until.is_none_or(|until| at.asked.at < until)
}

/// Something that is down or impaired, apart from what requests for change do: part of the state from
/// which every assessment starts.
#[Object]
impl Disruption {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Disruption(self.kept.record.id).into()
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.kept.record.version
    }

    /// The commit that changed it last.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        let last = self.kept.trail.last().map(|at| at.revision());
        revision(ctx, last.unwrap_or_else(|| self.at.view.revision())).await
    }

    /// The item.
    async fn item(&self) -> Option<ConfigurationItem> {
        item_of(&self.at, self.kept.record.ci)
    }

    /// What kind it is.
    async fn kind(&self) -> DisruptionKind {
        self.kept.record.kind.into()
    }

    /// The fraction of the item that is lost, above 0 and at most 1.
    async fn loss(&self) -> f64 {
        self.kept.record.loss
    }

    /// When it began.
    async fn start(&self) -> DateTime<Utc> {
        self.kept.record.from
    }

    /// When it ended, or is known to end; absent: nobody knows.
    async fn end(&self) -> Option<DateTime<Utc>> {
        self.kept.record.until
    }

    /// Whether it has not ended.
    async fn is_open(&self) -> bool {
        is_open(&self.at, &self.kept.record)
    }

    /// Where it is worked on: the number of an incident.
    async fn reference(&self) -> Option<&str> {
        self.kept.record.reference.as_deref()
    }

    /// What happened, in words.
    async fn description(&self) -> Option<&str> {
        self.kept.record.description.as_deref()
    }

    /// Who reported it.
    async fn by(&self) -> &str {
        &self.kept.record.by
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
        history(ctx, &self.at, RecordRef::Disruption(self.kept.record.id), &self.kept.trail, &paging).await
    }
}

/// Which disruptions. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct DisruptionWhere {
    /// Whether they have not ended.
    pub is_open: Option<bool>,
    /// What kind they are.
    pub kind: Option<DisruptionKind>,
    /// The item.
    pub item_id: Option<ID>,
}

/// A page of disruptions, the latest begun first.
pub(crate) fn disruptions(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    filter: &DisruptionWhere,
    paging: &Paging,
) -> Result<Connection<Disruption>, Refusal> {
    let item = filter.item_id.as_ref().map(ids::ci).transpose()?;
    let wanted = |kept: &&Kept<model::Disruption>| {
        let one = &kept.record;
        filter.is_open.is_none_or(|wanted| is_open(at, one) == wanted)
            && filter.kind.is_none_or(|kind| DisruptionKind::from(one.kind) == kind)
            && item.is_none_or(|item| one.ci == item)
    };
    let mut found: Vec<&Kept<model::Disruption>> = at.catalogue().disruptions().filter(wanted).collect();
    let place = |kept: &&Kept<model::Disruption>| std::cmp::Reverse((kept.record.from, kept.record.id));
    found.sort_by_key(place);
    let node = |kept: &&Kept<model::Disruption>| Disruption { at: Arc::clone(at), kept: (*kept).clone() };
    let name = list_name("disruptions", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, place, node)
}
