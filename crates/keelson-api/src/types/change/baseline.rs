//! Baselines: the state of chosen items at a revision, proven, and how two of them differ.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject};
use chrono::{DateTime, Utc};
use keelson_app::{BaselineComparison as Answer, ItemDifference, Side};
use keelson_model as model;

use super::request::RequestForChange;
use super::{numbers_of, placed};
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name, turn};
use crate::errors::{Code, Refusal};
use crate::ids::{self, GlobalId};
use crate::limits::{LISTED_DIFFERENCES, LONGEST_LIST};
use crate::moment::Moment;
use crate::types::completeness::Completeness;
use crate::types::history::{HistoryEntry, Revision, revision};
use crate::types::impact::by_key;
use crate::types::item::{ConfigurationItem, listed};

/// One way to name a baseline.
#[derive(Clone, Debug, OneofObject)]
pub enum BaselineBy {
    /// By its identifier.
    Id(ID),
    /// By its name.
    Name(String),
}

/// A baseline.
pub struct Baseline {
    at: Arc<Moment>,
    record: Arc<model::Baseline>,
}

impl Baseline {
    /// The baseline of an identifier, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, id: model::BaselineId) -> Option<Self> {
        at.catalogue().baseline(id).map(|kept| Self { at: Arc::clone(at), record: Arc::clone(&kept.record) })
    }

    /// The baseline that a client names, if there is one.
    ///
    /// # Errors
    /// When an identifier is of another sort of record.
    pub fn named(at: &Arc<Moment>, by: &BaselineBy) -> Result<Option<Self>, Refusal> {
        Ok(match by {
            BaselineBy::Id(id) => Self::find(at, ids::baseline(id)?),
            BaselineBy::Name(name) => at
                .catalogue()
                .find_baseline(name.trim())
                .map(|kept| Self { at: Arc::clone(at), record: Arc::clone(&kept.record) }),
        })
    }
}

/// The state of chosen items at a revision. It never changes.
#[Object]
impl Baseline {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Baseline(self.record.id).into()
    }

    /// What people call it. Unique.
    async fn name(&self) -> &str {
        &self.record.name
    }

    /// The state it is of.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.record.revision).await
    }

    /// How the items were chosen, in words.
    async fn chosen(&self) -> &str {
        &self.record.chosen
    }

    /// SHA-256 of the state of the items: their records, and the relationships and needs of which they are
    /// the dependent; in hexadecimal.
    async fn digest(&self) -> String {
        self.record.digest.to_string()
    }

    /// Whether what the log says today of the items at that revision has this digest. Read from the log when
    /// it is asked for.
    async fn is_proven(&self, ctx: &Context<'_>) -> Result<bool, Refusal> {
        let services = ctx.services();
        let _turn = turn(services).await?;
        Ok(services.keelson.prove_baseline(&self.record).await?)
    }

    /// Who took it.
    async fn by(&self) -> &str {
        &self.record.by
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.record.at
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.record.reason.as_deref()
    }

    /// The request it was taken for.
    async fn request_for_change(&self) -> Option<RequestForChange> {
        RequestForChange::find(&self.at, self.record.change?)
    }

    /// The items, by key.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers_of(&self.at, &self.record.items);
        listed(&ctx.services().seal, &self.at, "baseline.items", found, &paging)
    }
}

/// A page of baselines, the newest first.
pub(crate) fn baselines(ctx: &Context<'_>, at: &Arc<Moment>, paging: &Paging) -> Result<Connection<Baseline>, Refusal> {
    let found: Vec<_> = at.catalogue().baselines().rev().map(|kept| Arc::clone(&kept.record)).collect();
    let node = |record: &Arc<model::Baseline>| Baseline { at: Arc::clone(at), record: Arc::clone(record) };
    let name = list_name("baselines", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, |record| std::cmp::Reverse(record.id), node)
}

/// Two baselines to compare.
#[derive(Clone, Debug, InputObject)]
pub struct CompareBaselinesInput {
    /// The one to compare from.
    pub earlier: BaselineBy,
    /// The one to compare with; absent: the present.
    pub later: Option<BaselineBy>,
}

/// Compares two baselines, or a baseline and the present.
pub(crate) async fn compare(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &CompareBaselinesInput,
) -> Result<BaselineComparison, Refusal> {
    let services = ctx.services();
    let keelson = &services.keelson;
    let missing = || Refusal::new(Code::NotFound, "there is no such baseline");
    let name = |by: &BaselineBy| -> Result<String, Refusal> {
        Ok(Baseline::named(&at, by)?.ok_or_else(missing)?.record.name.to_string())
    };
    let earlier = name(&input.earlier)?;
    let later = input.later.as_ref().map(name).transpose()?;
    let _turn = turn(services).await?;
    let answer = keelson.compare_baselines(&at.view, &earlier, later.as_deref(), LISTED_DIFFERENCES, at.asked).await?;
    let answer = answer.ok_or_else(missing)?;
    // Taken after the answer, so that everything it names is there.
    Ok(BaselineComparison { at: Moment::present(keelson), answer: Arc::new(answer) })
}

/// How two baselines differ, or a baseline and the present.
pub struct BaselineComparison {
    at: Arc<Moment>,
    answer: Arc<Answer>,
}

/// How two baselines differ, or a baseline and the present.
#[Object]
impl BaselineComparison {
    /// The earlier side.
    async fn earlier(&self) -> BaselineSide {
        BaselineSide { at: Arc::clone(&self.at), side: self.answer.earlier.clone() }
    }

    /// The later side.
    async fn later(&self) -> BaselineSide {
        BaselineSide { at: Arc::clone(&self.at), side: self.answer.later.clone() }
    }

    /// How many items differ.
    async fn different_count(&self) -> usize {
        self.answer.different
    }

    /// The items that differ; the first 1000, while `differentCount` counts all of them.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<BaselineDifference>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |line: &ItemDifference| BaselineDifference { at: Arc::clone(&self.at), line: line.clone() };
        let of = format!("{:?} {:?}", self.answer.earlier.baseline, self.answer.later.baseline);
        placed(ctx, &self.at, ("baselineComparison.items", of), &self.answer.items, &paging, node)
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// One side of a comparison.
pub struct BaselineSide {
    at: Arc<Moment>,
    side: Side,
}

/// One side of a comparison.
#[Object]
impl BaselineSide {
    /// The baseline; absent for the present.
    async fn baseline(&self) -> Option<Baseline> {
        let record = &self.at.catalogue().find_baseline(self.side.baseline.as_deref()?)?.record;
        Some(Baseline { at: Arc::clone(&self.at), record: Arc::clone(record) })
    }

    /// The state it is of.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.side.revision).await
    }

    /// How many items it holds.
    async fn item_count(&self) -> usize {
        self.side.items
    }

    /// SHA-256 of their state, in hexadecimal.
    async fn digest(&self) -> Option<&str> {
        self.side.digest.as_deref()
    }
}

/// Which sides of a comparison hold an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BaselineHolding {
    /// The earlier alone.
    Removed,
    /// The later alone.
    Added,
    /// Both.
    Both,
}

/// How one item differs between two baselines.
pub struct BaselineDifference {
    at: Arc<Moment>,
    line: ItemDifference,
}

/// How one item differs between two baselines.
#[Object]
impl BaselineDifference {
    /// The item.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// Which sides hold it.
    async fn held(&self) -> BaselineHolding {
        match self.line.held.as_str() {
            "removed" => BaselineHolding::Removed,
            "added" => BaselineHolding::Added,
            _ => BaselineHolding::Both,
        }
    }

    /// How many of its records, relationships and needs changed.
    async fn record_count(&self) -> usize {
        self.line.records.len()
    }

    /// What happened to its record, relationships and needs in between, net, each with the commit of the
    /// last change; the first 100.
    async fn records(&self) -> Vec<HistoryEntry> {
        self.line.records.iter().take(LONGEST_LIST).cloned().map(HistoryEntry).collect()
    }
}
