//! What can be done in change management.

mod given;

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use keelson_app::answers::View;
use keelson_app::{Act, AsOf, Subject};
use keelson_model::RecordChange;

use self::given::{
    Given, Stopped, content, in_content, item_key, item_keys, line, recurrence, request_key, review, rollback,
    selection, subject, template, unseen_template, window,
};
use super::Done;
use crate::context::Find;
use crate::errors::Refusal;
use crate::ids;
use crate::inputs::change::{
    ApproveChangeTemplateInput, ApproveRequestForChangeInput, AssessRequestForChangeInput, CancelRequestForChangeInput,
    CreateCalendarEntryInput, CreateRequestForChangeInput, EndDisruptionInput, FinishRequestForChangeInput,
    LiftCalendarEntryInput, MarkNotImpactedInput, PutChangeTemplateInput, RejectRequestForChangeInput,
    ReportDisruptionInput, ReviewRequestForChangeInput, ScheduleRequestForChangeInput, StartRequestForChangeInput,
    SubmitRequestForChangeInput, TakeBaselineInput, UpdateRequestForChangeInput, WithdrawChangeTemplateInput,
};
use crate::moment::Moment;
use crate::types::change::baseline::Baseline;
use crate::types::change::calendar::CalendarEntry;
use crate::types::change::disruption::Disruption;
use crate::types::change::payload::{
    ApproveChangeTemplatePayload, ApproveRequestForChangePayload, AssessRequestForChangePayload,
    CancelRequestForChangePayload, CreateCalendarEntryPayload, CreateRequestForChangePayload, EndDisruptionPayload,
    FinishRequestForChangePayload, LiftCalendarEntryPayload, MarkNotImpactedPayload, PutChangeTemplatePayload,
    RejectRequestForChangePayload, ReportDisruptionPayload, ReviewRequestForChangePayload,
    ScheduleRequestForChangePayload, StartRequestForChangePayload, SubmitRequestForChangePayload, TakeBaselinePayload,
    UpdateRequestForChangePayload, WithdrawChangeTemplatePayload,
};
use crate::types::change::request::RequestForChange;
use crate::types::change::template::ChangeTemplate;
use crate::types::payload::UserError;

/// What can be done in change management.
pub struct ChangeMutation;

/// What can be done in change management.
#[Object]
impl ChangeMutation {
    /// Writes a request for change down, in draft. Whoever does so asks for it.
    async fn create_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it says.")] input: CreateRequestForChangeInput,
    ) -> Result<CreateRequestForChangePayload, Refusal> {
        let given = content(&view(ctx), input.key, &input.content);
        let act = given.map(|content| Act::NewRequest(Box::new(content)));
        let done = request_done(ctx, act, None, None).await?;
        Ok(done.map_err(in_content).into())
    }

    /// Gives a request for change other content, before its work begins. What was assessed and decided no
    /// longer holds.
    async fn update_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and all that it says now.")] input: UpdateRequestForChangeInput,
    ) -> Result<UpdateRequestForChangePayload, Refusal> {
        let act = || -> Given<Act> {
            let view = view(ctx);
            let subject = subject(&view, &input.id)?;
            let content = Box::new(content(&view, None, &input.content)?);
            Ok(Act::AlterRequest { subject, content })
        };
        let done = request_done(ctx, act(), Some(input.expected_version), input.reason.clone()).await?;
        Ok(done.map_err(in_content).into())
    }

    /// Hands a draft in.
    async fn submit_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: SubmitRequestForChangeInput,
    ) -> Result<SubmitRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Submit).await?.into())
    }

    /// Computes what a request for change does, and keeps that with it. One that was approved has to be
    /// approved again.
    async fn assess_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: AssessRequestForChangeInput,
    ) -> Result<AssessRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Assess).await?.into())
    }

    /// Says that an item is not impacted by a request for change: loss does not spread through it. What was
    /// assessed without that no longer holds.
    async fn mark_not_impacted(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request, the item, and why.")] input: MarkNotImpactedInput,
    ) -> Result<MarkNotImpactedPayload, Refusal> {
        let act = || -> Given<Act> {
            let view = view(ctx);
            let subject = subject(&view, &input.id)?;
            Ok(Act::MarkNotImpacted { subject, item: item_key(&view, &input.item_id, &["itemId"])? })
        };
        Ok(request_done(ctx, act(), Some(input.expected_version), Some(input.reason)).await?.into())
    }

    /// Decides that a request for change may be done, on what was assessed. Never by whoever asks for it.
    async fn approve_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ApproveRequestForChangeInput,
    ) -> Result<ApproveRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Approve).await?.into())
    }

    /// Decides that a request for change must not be done.
    async fn reject_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: RejectRequestForChangeInput,
    ) -> Result<RejectRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Reject).await?.into())
    }

    /// Gives a request for change up before its work has begun.
    async fn cancel_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: CancelRequestForChangeInput,
    ) -> Result<CancelRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Cancel).await?.into())
    }

    /// Gives an approved request for change its place in the calendar.
    async fn schedule_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ScheduleRequestForChangeInput,
    ) -> Result<ScheduleRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Schedule).await?.into())
    }

    /// Begins the work on a request for change, if its gate is open. A baseline of what it affects is taken.
    async fn start_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: StartRequestForChangeInput,
    ) -> Result<StartRequestForChangePayload, Refusal> {
        Ok(step(ctx, &input.id, input.expected_version, input.reason, Act::Start).await?.into())
    }

    /// Ends the work on a request for change.
    async fn finish_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and how.")] input: FinishRequestForChangeInput,
    ) -> Result<FinishRequestForChangePayload, Refusal> {
        let backed_out = input.is_backed_out;
        let act = |subject| Act::Finish { subject, backed_out };
        Ok(step(ctx, &input.id, input.expected_version, input.reason, act).await?.into())
    }

    /// Writes down what was learnt of a request for change.
    async fn review_request_for_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and what was learnt.")] input: ReviewRequestForChangeInput,
    ) -> Result<ReviewRequestForChangePayload, Refusal> {
        let act = || -> Given<Act> {
            let view = view(ctx);
            let subject = subject(&view, &input.id)?;
            Ok(Act::Review { subject, review: review(&view, &input)? })
        };
        Ok(request_done(ctx, act(), Some(input.expected_version), input.reason.clone()).await?.into())
    }

    /// Makes a freeze or a maintenance window.
    async fn create_calendar_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is.")] input: CreateCalendarEntryInput,
    ) -> Result<CreateCalendarEntryPayload, Refusal> {
        let act = || -> Given<Act> {
            line("name", &input.name)?;
            Ok(Act::EnterCalendar {
                name: input.name.clone(),
                kind: input.kind.into(),
                items: item_keys(&view(ctx), &input.item_ids, &["itemIds"])?,
                window: window(input.window)?,
                recurrence: input.recurrence.as_ref().map(recurrence),
                margin: input.margin,
            })
        };
        Ok(calendar_done(ctx, act(), None, Some(input.reason.clone())).await?.into())
    }

    /// Lifts a freeze, or ends a maintenance window for good.
    async fn lift_calendar_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: LiftCalendarEntryInput,
    ) -> Result<LiftCalendarEntryPayload, Refusal> {
        let act = Act::LiftCalendar { name: ids::calendar(&input.id)?.to_string() };
        Ok(calendar_done(ctx, Ok(act), Some(input.expected_version), input.reason).await?.into())
    }

    /// Says that something is down or impaired.
    async fn report_disruption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and since when.")] input: ReportDisruptionInput,
    ) -> Result<ReportDisruptionPayload, Refusal> {
        let act = || -> Given<Act> {
            Ok(Act::ReportDisruption {
                item: item_key(&view(ctx), &input.item_id, &["itemId"])?,
                kind: input.kind.into(),
                loss: input.loss,
                from: input.start,
                until: input.end,
                reference: input.reference.clone(),
            })
        };
        Ok(disruption_done(ctx, act(), None, input.description.clone()).await?.into())
    }

    /// Says that something is up again.
    async fn end_disruption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and when.")] input: EndDisruptionInput,
    ) -> Result<EndDisruptionPayload, Refusal> {
        let disruption = ids::disruption(&input.id)?.to_string();
        let act = Act::EndDisruption { disruption, until: input.end };
        Ok(disruption_done(ctx, Ok(act), Some(input.expected_version), input.reason).await?.into())
    }

    /// Writes a kind of change that is to be decided on once for all, or writes it anew. It cannot be used until
    /// another person approves it.
    async fn put_change_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it says.")] input: PutChangeTemplateInput,
    ) -> Result<PutChangeTemplatePayload, Refusal> {
        let act = || -> Given<Act> {
            let view = view(ctx);
            unseen_template(&view, &input.name, input.expected_version)?;
            let (classes, actions, longest_minutes) = template(&view, &input)?;
            Ok(Act::PutTemplate {
                name: input.name.clone(),
                title: input.title.clone(),
                classes,
                actions,
                longest_minutes,
                rollback: rollback(&input.rollback)?,
                verification: input.verification.clone(),
            })
        };
        Ok(template_done(ctx, act(), input.expected_version, input.reason.clone()).await?.into())
    }

    /// Approves a template. Never by whoever wrote it.
    async fn approve_change_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ApproveChangeTemplateInput,
    ) -> Result<ApproveChangeTemplatePayload, Refusal> {
        let act = Act::ApproveTemplate { name: ids::template(&input.id)?.to_string() };
        Ok(template_done(ctx, Ok(act), Some(input.expected_version), input.reason).await?.into())
    }

    /// Withdraws a template: nothing new follows it. What was approved by it stays approved.
    async fn withdraw_change_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: WithdrawChangeTemplateInput,
    ) -> Result<WithdrawChangeTemplatePayload, Refusal> {
        let act = Act::WithdrawTemplate { name: ids::template(&input.id)?.to_string() };
        Ok(template_done(ctx, Ok(act), Some(input.expected_version), input.reason).await?.into())
    }

    /// Takes a baseline of the present, or of a time in the past.
    async fn take_baseline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its name, and which items it holds.")] input: TakeBaselineInput,
    ) -> Result<TakeBaselinePayload, Refusal> {
        let act = || -> Given<Act> {
            let view = view(ctx);
            line("name", &input.name)?;
            let change = input.request_for_change_id.as_ref();
            let change = change.map(|id| request_key(&view, id, "requestForChangeId")).transpose()?;
            let (items, as_of) = (selection(&view, &input.items)?, input.as_of.map(AsOf::Time));
            Ok(Act::TakeBaseline { name: input.name.clone(), items, as_of, change })
        };
        Ok(baseline_done(ctx, act(), input.reason.clone()).await?.into())
    }
}

/// The catalogue as it is now.
fn view(ctx: &Context<'_>) -> View {
    ctx.services().keelson.view()
}

/// Does something; gives the view that contains it and the record it is about.
async fn act(
    ctx: &Context<'_>,
    given: Given<Act>,
    expected_version: Option<u32>,
    reason: Option<String>,
) -> Result<Result<(Arc<Moment>, RecordChange), Vec<UserError>>, Refusal> {
    let doing = async {
        let act = given?;
        reason.as_deref().map_or(Ok(()), |reason| line("reason", reason))?;
        let actor = ctx.principal().actor(reason);
        Ok::<_, Stopped>(ctx.services().keelson.act_on(act, expected_version, actor).await?)
    };
    match doing.await {
        Ok(acted) => Ok(Ok((Moment::of(acted.view), acted.record))),
        Err(Stopped::Errors(errors)) => Ok(Err(errors)),
        Err(Stopped::Refused(refusal)) => Err(refusal),
    }
}

/// Takes a step of a request.
async fn step(
    ctx: &Context<'_>,
    id: &ID,
    expected_version: u32,
    reason: Option<String>,
    act: impl FnOnce(Subject) -> Act,
) -> Done<RequestForChange> {
    let given = subject(&view(ctx), id).map(act);
    request_done(ctx, given, Some(expected_version), reason).await
}

async fn request_done(
    ctx: &Context<'_>,
    given: Given<Act>,
    expected_version: Option<u32>,
    reason: Option<String>,
) -> Done<RequestForChange> {
    let done = act(ctx, given, expected_version, reason).await?;
    Ok(done.map(|(at, record)| match record {
        RecordChange::Request(change) => RequestForChange::find(&at, change.after?.id),
        _ => None,
    }))
}

async fn calendar_done(
    ctx: &Context<'_>,
    given: Given<Act>,
    expected_version: Option<u32>,
    reason: Option<String>,
) -> Done<CalendarEntry> {
    let done = act(ctx, given, expected_version, reason).await?;
    Ok(done.map(|(at, record)| match record {
        RecordChange::Calendar(change) => CalendarEntry::find(&at, change.after?.id),
        _ => None,
    }))
}

async fn disruption_done(
    ctx: &Context<'_>,
    given: Given<Act>,
    expected_version: Option<u32>,
    reason: Option<String>,
) -> Done<Disruption> {
    let done = act(ctx, given, expected_version, reason).await?;
    Ok(done.map(|(at, record)| match record {
        RecordChange::Disruption(change) => Disruption::find(&at, change.after?.id),
        _ => None,
    }))
}

async fn template_done(
    ctx: &Context<'_>,
    given: Given<Act>,
    expected_version: Option<u32>,
    reason: Option<String>,
) -> Done<ChangeTemplate> {
    let done = act(ctx, given, expected_version, reason).await?;
    Ok(done.map(|(at, record)| match record {
        RecordChange::Template(change) => ChangeTemplate::find(&at, &change.after?.name),
        _ => None,
    }))
}

async fn baseline_done(ctx: &Context<'_>, given: Given<Act>, reason: Option<String>) -> Done<Baseline> {
    let done = act(ctx, given, None, reason).await?;
    Ok(done.map(|(at, record)| match record {
        RecordChange::Baseline(change) => Baseline::find(&at, change.after?.id),
        _ => None,
    }))
}
