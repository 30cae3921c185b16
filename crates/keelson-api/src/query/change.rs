//! What can be asked of change management.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::connection::{Connection, Paging};
use crate::context::{Find, compute, moment};
use crate::errors::Refusal;
use crate::types::change::baseline::{
    Baseline, BaselineBy, BaselineComparison, CompareBaselinesInput, baselines, compare,
};
use crate::types::change::calendar::{CalendarEntry, CalendarEntryWhere, calendar};
use crate::types::change::disruption::{Disruption, DisruptionWhere, disruptions};
use crate::types::change::listing::{RequestForChangeOrder, RequestForChangeWhere, requests_for_change};
use crate::types::change::request::{RequestForChange, RequestForChangeBy};
use crate::types::change::review::{ChangeTrends, change_trends};
use crate::types::change::schedule::{ChangeScheduleInput, ScheduleAnswer, change_schedule};
use crate::types::change::template::{ChangeTemplate, change_templates};

/// What can be asked of change management.
pub struct ChangeQuery;

/// What can be asked of change management.
#[Object]
impl ChangeQuery {
    /// One request for change; `null` when there is none.
    async fn request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is named.")] by: RequestForChangeBy,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<RequestForChange>, Refusal> {
        RequestForChange::by(&moment(ctx, as_of).await?, &by)
    }

    /// Requests for change, the newest first where no order is given.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn requests_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<RequestForChangeWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<RequestForChangeOrder>>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<RequestForChange>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let at = moment(ctx, as_of).await?;
        let seal = ctx.services().seal.clone();
        let (filter, order) = (filter.unwrap_or_default(), order_by.unwrap_or_default());
        compute(ctx.services(), move || requests_for_change(&seal, &at, &filter, &order, &paging)).await?
    }

    /// What the changes planned within a time do to services together, hour by hour.
    async fn change_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The times of interest, and which changes.")] input: ChangeScheduleInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<ScheduleAnswer>, Refusal> {
        change_schedule(ctx.services(), moment(ctx, as_of).await?, &input).await.map(Some)
    }

    /// Freezes and agreed maintenance windows, by the start of their first time.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<CalendarEntryWhere>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<CalendarEntry>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        calendar(ctx, &moment(ctx, as_of).await?, &filter.unwrap_or_default(), &paging)
    }

    /// What is or was down or impaired apart from changes, the latest begun first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn disruptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<DisruptionWhere>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<Disruption>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        disruptions(ctx, &moment(ctx, as_of).await?, &filter.unwrap_or_default(), &paging)
    }

    /// Kinds of change that were decided on once for all, by name.
    async fn change_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<ChangeTemplate>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        change_templates(ctx, &moment(ctx, as_of).await?, &paging)
    }

    /// One baseline; `null` when there is none.
    async fn baseline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is named.")] by: BaselineBy,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<Baseline>, Refusal> {
        Baseline::named(&moment(ctx, as_of).await?, &by)
    }

    /// Baselines, the newest first.
    async fn baselines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Connection<Baseline>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        baselines(ctx, &moment(ctx, as_of).await?, &paging)
    }

    /// How two baselines differ, or a baseline and the present.
    async fn compare_baselines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: CompareBaselinesInput,
        #[graphql(desc = "A time in the past, in the place of the present.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<BaselineComparison>, Refusal> {
        compare(ctx, moment(ctx, as_of).await?, &input).await.map(Some)
    }

    /// How often changes fail, and how good the predictions about them were.
    async fn change_trends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<ChangeTrends>, Refusal> {
        change_trends(ctx.services(), moment(ctx, as_of).await?).await.map(Some)
    }
}
