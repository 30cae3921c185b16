//! What can be asked.

mod analyses;
mod change;

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object};
use chrono::{DateTime, Utc};
use keelson_analysis::Limits as WalkLimits;
use keelson_app::answers::impact::{ImpactQuestion, Interval, assess};
use keelson_app::answers::walk::{WalkQuestion, path, walk};
use keelson_catalogue::{CiIx, NeedIx, RelationshipIx};
use keelson_model::Standing;

use crate::connection::{Connection, Paging};
use crate::context::{Find, analyse, compute, moment};
use crate::errors::{Code, Refusal};
use crate::filter::{ConfigurationItemOrder, ConfigurationItemWhere};
use crate::limits::MOST_VALUES;
use crate::moment::Moment;
use crate::suppose::{SuppositionInput, supposed};
use crate::types::check::{CatalogueCheck, catalogue_check};
use crate::types::history::{Revision, revision, revisions};
use crate::types::impact::{ImpactAnswer, ImpactInput};
use crate::types::item::{ConfigurationItem, Wanted, items};
use crate::types::lookup::ConfigurationItemBy;
use crate::types::need::{Need, NeedOrder, NeedWhere, needs};
use crate::types::node::{Node, node};
use crate::types::relationship::{Relationship, RelationshipOrder, RelationshipWhere, relationships};
use crate::types::review::{ReviewTask, ReviewTaskWhere, review_tasks};
use crate::types::run::{ImportRun, ImportRunWhere, import_runs};
use crate::types::walk::{Closure, ClosureInput, Explanation, PathInput};

pub use analyses::AnalysisQuery;
pub use change::ChangeQuery;

/// Most evaluations a client may ask the search for decisive facts to take.
const MOST_EVALUATIONS: i32 = 1_000;

/// What can be asked. Every list is paged; `asOf` asks the same of a time in the past.
#[derive(MergedObject)]
pub struct Query(pub CatalogueQuery, pub ChangeQuery, pub AnalysisQuery);

/// What can be asked of the catalogue.
pub struct CatalogueQuery;

/// What can be asked of the catalogue.
#[Object]
impl CatalogueQuery {
    /// The record of an identifier; `null` when there is none.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: ID,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<Node>, Refusal> {
        Ok(node(&moment(ctx, as_of).await?, &id))
    }

    /// The records of some identifiers, in their order; `null` where there is none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identifiers, at most 100.")] ids: Vec<ID>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Vec<Option<Node>>, Refusal> {
        if ids.len() > MOST_VALUES {
            let message = format!("{} identifiers were given; {MOST_VALUES} are the most", ids.len());
            return Err(Refusal::new(Code::PageTooLarge, message));
        }
        let at = moment(ctx, as_of).await?;
        Ok(ids.iter().map(|id| node(&at, id)).collect())
    }

    /// The last commit.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, ctx.present().view.revision()).await
    }

    /// All commits, the newest first.
    async fn revisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Revision>, Refusal> {
        revisions(ctx, &Paging::new(first, after, last, before)).await
    }

    /// One configuration item; `null` when there is none.
    async fn configuration_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is named.")] by: ConfigurationItemBy,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<ConfigurationItem>, Refusal> {
        let at = moment(ctx, as_of).await?;
        Ok(by.find(at.catalogue())?.map(|ix| ConfigurationItem::at(&at, ix)))
    }

    /// Configuration items, by key where no order is given.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn configuration_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<ConfigurationItemWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<ConfigurationItemOrder>>,
        #[graphql(desc = "Words that must all occur in key, name or attributes.")] text: Option<String>,
        #[graphql(desc = "Also withdrawn ones.", default)] include_withdrawn: bool,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let at = moment(ctx, as_of).await?;
        let wanted = Wanted { filter, order: order_by.unwrap_or_default(), text, withdrawn: include_withdrawn };
        let paging = Paging::new(first, after, last, before);
        let seal = ctx.services().seal.clone();
        compute(ctx.services(), move || items(&seal, &at, &wanted, &paging)).await?
    }

    /// Relationships that are in force, by kind, dependent and dependency where no order is given.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn relationships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<RelationshipWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<RelationshipOrder>>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<Relationship>, Refusal> {
        let at = moment(ctx, as_of).await?;
        let paging = Paging::new(first, after, last, before);
        let seal = ctx.services().seal.clone();
        compute(ctx.services(), move || {
            let live = at.catalogue().relationships();
            let live = live.filter(|(_, slot)| slot.relationship.standing == Standing::Live);
            let found: Vec<RelationshipIx> = live.map(|(ix, _)| ix).collect();
            relationships(&seal, "relationships", &at, &found, &paging, filter.as_ref(), &order_by.unwrap_or_default())
        })
        .await?
    }

    /// Needs that are in force, by dependent and name where no order is given.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn needs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<NeedWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<NeedOrder>>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<Need>, Refusal> {
        let at = moment(ctx, as_of).await?;
        let paging = Paging::new(first, after, last, before);
        let seal = ctx.services().seal.clone();
        compute(ctx.services(), move || {
            let live = at.catalogue().needs().filter(|(_, slot)| slot.need.standing == Standing::Live);
            let found: Vec<NeedIx> = live.map(|(ix, _)| ix).collect();
            needs(&seal, "needs", &at, &found, &paging, filter.as_ref(), &order_by.unwrap_or_default())
        })
        .await?
    }

    /// Imports, the newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn import_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<ImportRunWhere>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<ImportRun>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let at = moment(ctx, as_of).await?;
        import_runs(ctx, &at, &filter.unwrap_or_default(), &paging)
    }

    /// Questions only a person can settle, the oldest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn review_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<ReviewTaskWhere>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<ReviewTask>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let at = moment(ctx, as_of).await?;
        review_tasks(ctx, &at, &filter.unwrap_or_default(), &paging)
    }

    /// What is wrong with the catalogue, or at least worth a look.
    async fn catalogue_check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<CatalogueCheck>, Refusal> {
        catalogue_check(ctx.services(), moment(ctx, as_of).await?).await.map(Some)
    }

    /// What losing things costs, and why.
    async fn impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is lost, and when.")] input: ImpactInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<ImpactAnswer>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        if input.seeds.is_empty() || input.seeds.len() > MOST_VALUES {
            let message = format!("give 1 to {MOST_VALUES} seeds; {} were given", input.seeds.len());
            return Err(Refusal::input(message));
        }
        let budget = evaluations(input.certainty_budget)?;
        let seeds = input.seeds.iter().map(|seed| Ok((key_of(&at, &seed.item)?, seed.loss)));
        let seeds = seeds.collect::<Result<Vec<_>, Refusal>>()?;
        let interval = interval(input.start, input.end)?;
        let services = ctx.services();
        let (limits, pool) = (services.limits.clone(), Arc::clone(services.keelson.pool()));
        let asked = Arc::clone(&at);
        let assessment = analyse(services, move |stop| {
            let walk =
                WalkLimits { max_depth: limits.analysis_depth, max_items: limits.analysis_items, stop: Some(stop) };
            let question = ImpactQuestion { seeds, interval, budget, limits: walk };
            assess(&asked.view, &question, asked.asked, &pool)
        })
        .await??;
        Ok(Some(ImpactAnswer::of(at, assessment)))
    }

    /// What an item needs, or what depends on it, directly or not.
    async fn closure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to start, and how far to go.")] input: ClosureInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<Closure>, Refusal> {
        let at = moment(ctx, as_of).await?;
        let key = key_of(&at, &input.item)?;
        let services = ctx.services();
        let deepest = services.limits.analysis_depth;
        let depth = match input.depth {
            None => deepest,
            Some(depth) => u32::try_from(depth)
                .ok()
                .filter(|depth| (1..=deepest).contains(depth))
                .ok_or_else(|| Refusal::input(format!("the depth may be 1 to {deepest}; {depth} was given")))?,
        };
        let (most, pool) = (services.limits.analysis_items, Arc::clone(services.keelson.pool()));
        let asked = Arc::clone(&at);
        let answer = analyse(services, move |stop| {
            let limits = WalkLimits { max_depth: depth, max_items: most, stop: Some(stop) };
            let question = WalkQuestion { way: input.direction.into(), class: input.class, most, limits };
            walk(&asked.view, &key, &question, asked.asked, &pool)
        })
        .await??;
        Ok(Some(Closure::of(at, answer)))
    }

    /// Why one item depends on another: a shortest chain of needs.
    async fn path(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The two ends.")] input: PathInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<Explanation>, Refusal> {
        let at = moment(ctx, as_of).await?;
        let (from, to) = (key_of(&at, &input.dependent)?, key_of(&at, &input.dependency)?);
        let services = ctx.services();
        let most = services.limits.analysis_items;
        let asked = Arc::clone(&at);
        let found = analyse(services, move |stop| {
            let limits = WalkLimits { max_items: most, stop: Some(stop), ..WalkLimits::default() };
            path(&asked.view, &from, &to, &limits, asked.asked)
        })
        .await??;
        Ok(Some(Explanation::of(at, found)))
    }
}

/// The key of the item that an analysis starts from.
pub(super) fn key_of(at: &Moment, by: &ConfigurationItemBy) -> Result<String, Refusal> {
    if let ConfigurationItemBy::Key(key) = by {
        // Left to the analysis, which knows keys that look alike.
        return Ok(key.clone());
    }
    let found: Option<CiIx> = by.find(at.catalogue())?;
    let missing = || Refusal::new(Code::NotFound, format!("no configuration item has {}", by.words()));
    found.map(|ix| at.catalogue().ci(ix).key.to_string()).ok_or_else(missing)
}

fn evaluations(budget: i32) -> Result<usize, Refusal> {
    let message = || format!("the certainty budget may be 0 to {MOST_EVALUATIONS}; {budget} was given");
    usize::try_from(budget).ok().filter(|_| budget <= MOST_EVALUATIONS).ok_or_else(|| Refusal::input(message()))
}

fn interval(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> Result<Option<Interval>, Refusal> {
    match (start, end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) if start < end => Ok(Some(Interval { start, end })),
        (Some(_), Some(_)) => Err(Refusal::input("the interval is empty: it must end behind its start")),
        _ => Err(Refusal::input("an interval has a start and an end; give both or neither")),
    }
}
