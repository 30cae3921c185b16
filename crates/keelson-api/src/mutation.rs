//! What can be changed. Every mutation plans, commits and answers through one use case.

mod change;
mod series;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, MergedObject, Object};
use keelson_app::reconcile::edit::{CiFields, Edit, MemberEdit, NeedFields, Touched};
use keelson_app::{Edited, ImportOptions};
use keelson_importer::EnvelopeError;
use keelson_model::{BatchId, Cap, CiKey, Strength, Symbol};

use crate::context::{Find, compute};
use crate::errors::Refusal;
use crate::ids;
use crate::inputs::{
    CreateConfigurationItemInput, CreateNeedInput, CreateRelationshipInput, DismissReviewTaskInput,
    MergeConfigurationItemsInput, NeedContent, RemoveNeedInput, RemoveRelationshipInput, RetireConfigurationItemInput,
    ReviveConfigurationItemInput, SettleReviewTaskInput, UndoConfigurationItemMergeInput, UpdateConfigurationItemInput,
    UpdateNeedInput,
};
use crate::moment::Moment;
use crate::suppose::read_batches;
use crate::types::attribute::AttributeInput;
use crate::types::batch::{SubmitBatchInput, SubmitBatchPayload};
use crate::types::item::ConfigurationItem;
use crate::types::need::Need;
use crate::types::payload::{
    CreateConfigurationItemPayload, CreateNeedPayload, CreateRelationshipPayload, DismissReviewTaskPayload,
    MergeConfigurationItemsPayload, RemoveNeedPayload, RemoveRelationshipPayload, RetireConfigurationItemPayload,
    ReviveConfigurationItemPayload, SettleReviewTaskPayload, UndoConfigurationItemMergePayload,
    UpdateConfigurationItemPayload, UpdateNeedPayload, UserError, UserErrorCode, check_text, in_content, user_errors,
};
use crate::types::relationship::Relationship;
use crate::types::review::ReviewTask;

pub use change::ChangeMutation;
pub use series::SeriesMutation;

/// What can be changed. All that one mutation does is one commit, or nothing.
#[derive(MergedObject)]
pub struct Mutation(pub CatalogueMutation, pub ChangeMutation, pub SeriesMutation);

/// What can be changed in the catalogue.
pub struct CatalogueMutation;

/// What can be changed in the catalogue.
#[Object]
impl CatalogueMutation {
    /// Makes a new configuration item.
    async fn create_configuration_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is.")] input: CreateConfigurationItemInput,
    ) -> Result<CreateConfigurationItemPayload, Refusal> {
        let read = || -> Result<Edit, Vec<UserError>> {
            let key = input.key.as_deref().map(CiKey::new).transpose();
            let key = key.map_err(|error| bad("key", error.to_string()))?;
            Ok(Edit::CreateCi {
                key,
                class: known_class(ctx, &input.class)?,
                name: input.name.clone(),
                lifecycle: input.lifecycle.map(Into::into),
                criticality: input.criticality.map(Into::into),
                attributes: attributes(input.attributes.as_deref().unwrap_or_default())?,
            })
        };
        Ok(item_done(ctx, read(), input.reason.clone(), "createConfigurationItem").await?.into())
    }

    /// Sets what a person says of a configuration item. What is left out stays; `null` takes the
    /// person's own value back, so that the next source's counts.
    async fn update_configuration_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to set.")] input: UpdateConfigurationItemInput,
    ) -> Result<UpdateConfigurationItemPayload, Refusal> {
        let id = ids::ci(&input.id)?;
        let read = || -> Result<Edit, Vec<UserError>> {
            let class = match input.class.as_opt_deref() {
                None => None,
                Some(None) => Some(None),
                Some(Some(class)) => Some(Some(known_class(ctx, class)?)),
            };
            let set = CiFields {
                class,
                name: input.name.as_opt_ref().map(Option::<&String>::cloned),
                lifecycle: input.lifecycle.as_opt_ref().map(|word| word.copied().map(Into::into)),
                criticality: input.criticality.as_opt_ref().map(|word| word.copied().map(Into::into)),
                attributes: attributes(input.attributes.as_deref().unwrap_or_default())?,
            };
            Ok(Edit::UpdateCi { id, expected_version: input.expected_version, set })
        };
        Ok(item_done(ctx, read(), input.reason.clone(), "updateConfigurationItem").await?.into())
    }

    /// Ends a configuration item deliberately.
    async fn retire_configuration_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: RetireConfigurationItemInput,
    ) -> Result<RetireConfigurationItemPayload, Refusal> {
        let edit = Edit::RetireCi { id: ids::ci(&input.id)?, expected_version: input.expected_version };
        Ok(item_done(ctx, Ok(edit), input.reason, "retireConfigurationItem").await?.into())
    }

    /// Takes a retirement back, or says that a withdrawn configuration item is there after all.
    async fn revive_configuration_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ReviveConfigurationItemInput,
    ) -> Result<ReviveConfigurationItemPayload, Refusal> {
        let edit = Edit::ReviveCi { id: ids::ci(&input.id)?, expected_version: input.expected_version };
        Ok(item_done(ctx, Ok(edit), input.reason, "reviveConfigurationItem").await?.into())
    }

    /// Makes two configuration items one: the claims, relationships and needs of the absorbed one
    /// become those of the one that stays.
    async fn merge_configuration_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: MergeConfigurationItemsInput,
    ) -> Result<MergeConfigurationItemsPayload, Refusal> {
        let edit = Edit::MergeCis {
            keep: ids::ci(&input.keep.id)?,
            keep_version: input.keep.expected_version,
            absorb: ids::ci(&input.absorb.id)?,
            absorb_version: input.absorb.expected_version,
        };
        Ok(item_done(ctx, Ok(edit), input.reason, "mergeConfigurationItems").await?.into())
    }

    /// Takes a merge back: what the absorbed item brought returns to it.
    async fn undo_configuration_item_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item that was absorbed.")] input: UndoConfigurationItemMergeInput,
    ) -> Result<UndoConfigurationItemMergePayload, Refusal> {
        let edit = Edit::UndoMerge { absorbed: ids::ci(&input.id)?, expected_version: input.expected_version };
        Ok(item_done(ctx, Ok(edit), input.reason, "undoConfigurationItemMerge").await?.into())
    }

    /// Makes a new relationship, or confirms one that a source states.
    async fn create_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What needs what.")] input: CreateRelationshipInput,
    ) -> Result<CreateRelationshipPayload, Refusal> {
        let (dependent, dependency) = (ids::ci(&input.dependent_id)?, ids::ci(&input.dependency_id)?);
        let read = || -> Result<Edit, Vec<UserError>> {
            let strength =
                input.largest_loss.map(|cap| if cap >= 1.0 { Strength::Hard } else { Strength::Soft { cap } });
            let confidence = input.confidence;
            Ok(Edit::CreateRelationship {
                kind: known_kind(ctx, &input.kind)?,
                dependent,
                dependency,
                strength,
                confidence,
            })
        };
        Ok(relationship_done(ctx, read(), input.reason.clone(), "createRelationship").await?.into())
    }

    /// Withdraws a person's statement of a relationship.
    async fn remove_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: RemoveRelationshipInput,
    ) -> Result<RemoveRelationshipPayload, Refusal> {
        let key = ids::relationship(&input.id)?;
        let edit = Edit::RemoveRelationship { key, expected_version: input.expected_version };
        Ok(relationship_done(ctx, Ok(edit), input.reason, "removeRelationship").await?.into())
    }

    /// Makes a new need.
    async fn create_need(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and what it says.")] input: CreateNeedInput,
    ) -> Result<CreateNeedPayload, Refusal> {
        let dependent = ids::ci(&input.dependent_id)?;
        let members = members(&input.content)?;
        let rule = input.content.rule.rule()?;
        let read = need_fields(ctx, &input.content, rule, members);
        let edit = read.map(|fields| Edit::CreateNeed { dependent, name: input.name.clone(), fields });
        Ok(need_done(ctx, edit, input.reason.clone(), "createNeed").await?.into())
    }

    /// Gives a need a new definition; it wins over what sources say.
    async fn update_need(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and what it says.")] input: UpdateNeedInput,
    ) -> Result<UpdateNeedPayload, Refusal> {
        let id = ids::need(&input.id)?;
        let members = members(&input.content)?;
        let rule = input.content.rule.rule()?;
        let read = need_fields(ctx, &input.content, rule, members);
        let edit = read.map(|fields| Edit::UpdateNeed { id, expected_version: input.expected_version, fields });
        Ok(need_done(ctx, edit, input.reason.clone(), "updateNeed").await?.into())
    }

    /// Withdraws a person's statement of a need.
    async fn remove_need(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: RemoveNeedInput,
    ) -> Result<RemoveNeedPayload, Refusal> {
        let edit = Edit::RemoveNeed { id: ids::need(&input.id)?, expected_version: input.expected_version };
        Ok(need_done(ctx, Ok(edit), input.reason, "removeNeed").await?.into())
    }

    /// Answers a review task. The next import of the source acts on it.
    async fn settle_review_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and the answer.")] input: SettleReviewTaskInput,
    ) -> Result<SettleReviewTaskPayload, Refusal> {
        let edit = Edit::SettleReview {
            id: ids::review(&input.id)?,
            expected_version: input.expected_version,
            candidate: input.candidate_id.as_ref().map(ids::ci).transpose()?,
            by: ctx.principal().name.to_string(),
            reason: input.reason.clone(),
        };
        Ok(review_done(ctx, edit, Some(input.reason), "settleReviewTask").await?.into())
    }

    /// Puts a review task aside without an answer.
    async fn dismiss_review_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: DismissReviewTaskInput,
    ) -> Result<DismissReviewTaskPayload, Refusal> {
        let edit = Edit::DismissReview { id: ids::review(&input.id)?, expected_version: input.expected_version };
        Ok(review_done(ctx, edit, input.reason, "dismissReviewTask").await?.into())
    }

    /// Takes in a batch in Keelson's own form, or plans it only.
    async fn submit_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The batch.")] input: SubmitBatchInput,
    ) -> Result<SubmitBatchPayload, Refusal> {
        let keelson = &ctx.services().keelson;
        let batch_id = input.batch_id.as_ref().map(batch_id).transpose()?;
        let (content, keep_going, actor) = (input.content, input.keep_going, ctx.principal().actor(input.reason));
        let source = actor.name.to_string();
        let read = compute(ctx.services(), move || read_batch(&content, keep_going, source)).await?;
        let batch = match read {
            Ok(batch) => batch,
            Err(error) => return Ok(SubmitBatchPayload::unreadable(Moment::present(keelson), error.to_string())),
        };
        let options = ImportOptions { actor, batch_id, dry_run: input.dry_run, backdated: false };
        let imported = keelson.import(batch, options).await?;
        Ok(SubmitBatchPayload::of(Moment::present(keelson), imported, input.dry_run))
    }
}

/// Reads a batch out of the content of a request.
fn read_batch(content: &str, keep_going: bool, source: String) -> Result<keelson_model::Batch, EnvelopeError> {
    let options =
        if keep_going { BTreeMap::from([("keep-going".to_owned(), "true".to_owned())]) } else { BTreeMap::new() };
    let mut batches = read_batches("content", content, source, options)?;
    batches.pop().ok_or_else(|| EnvelopeError::NothingToRead { files: 1, expected: "a batch".to_owned() })
}

fn batch_id(id: &async_graphql::ID) -> Result<BatchId, Refusal> {
    let text = id.as_str().strip_prefix("run_").unwrap_or(id.as_str());
    text.parse().map_err(|_| Refusal::input("a batch id is a ULID: 26 characters of Crockford base 32"))
}

fn bad(field: &str, message: impl Into<String>) -> Vec<UserError> {
    vec![UserError::of(UserErrorCode::BadValue, &[field], message)]
}

/// The name of a class, if somebody defined it. Names are interned for the life of the process, so
/// only known ones are let in.
fn known_class(ctx: &Context<'_>, class: &str) -> Result<Symbol, Vec<UserError>> {
    let found = ctx.present().catalogue().schema().classes.get(class).map(|class| class.definition.name.clone());
    found.ok_or_else(|| {
        vec![UserError::of(UserErrorCode::UnknownClass, &["class"], format!("there is no class '{class}'"))]
    })
}

/// The name of a kind of relationship, if somebody defined it.
fn known_kind(ctx: &Context<'_>, kind: &str) -> Result<Symbol, Vec<UserError>> {
    let found = ctx.present().catalogue().schema().kinds.get(kind).map(|kind| kind.name.clone());
    found.ok_or_else(|| {
        let message = format!("there is no kind of relationship '{kind}'");
        vec![UserError::of(UserErrorCode::UnknownKind, &["kind"], message)]
    })
}

fn attributes(given: &[AttributeInput]) -> Result<BTreeMap<Symbol, serde_json::Value>, Vec<UserError>> {
    let mut attributes = BTreeMap::new();
    for attribute in given {
        let at = || vec!["attributes".to_owned(), attribute.name.clone()];
        let wrong = |message: String| {
            vec![UserError { field: at(), code: UserErrorCode::BadValue, message, current_version: None }]
        };
        let name = crate::filter::attribute_name(&attribute.name).map_err(|refusal| wrong(refusal.message))?;
        let value = match &attribute.value {
            None => serde_json::Value::Null,
            Some(value) => value.value().map_err(|refusal| wrong(refusal.message))?.to_json(),
        };
        if attributes.insert(name, value).is_some() {
            return Err(wrong(format!("the attribute '{}' is given twice", attribute.name)));
        }
    }
    Ok(attributes)
}

fn members(content: &NeedContent) -> Result<Vec<MemberEdit>, Refusal> {
    if content.members.len() > 1_000 {
        return Err(Refusal::input("a need made by hand may have 1000 members"));
    }
    let member = |member: &crate::inputs::NeedMemberInput| {
        Ok(MemberEdit { ci: ids::ci(&member.item_id)?, doubtful: member.is_doubtful })
    };
    content.members.iter().map(member).collect()
}

fn need_fields(
    ctx: &Context<'_>,
    content: &NeedContent,
    (rule, possible_counts): (keelson_model::Rule, Vec<u32>),
    members: Vec<MemberEdit>,
) -> Result<NeedFields, Vec<UserError>> {
    let cap = content.largest_loss.filter(|limit| *limit < 1.0).map(|limit| Cap {
        limit,
        judged_by: Some(Arc::clone(&ctx.principal().name)),
        judged_at: Some(keelson_app::system::now()),
    });
    Ok(NeedFields {
        rule,
        possible_counts,
        members,
        kind: known_kind(ctx, &content.kind)?,
        cap,
        phase: content.phase.into(),
        confidence: content.confidence,
        common_cause: content.common_cause,
    })
}

/// Refuses names and reasons that nobody could read.
fn readable(edit: &Edit, reason: Option<&str>) -> Result<(), Vec<UserError>> {
    match edit {
        Edit::CreateCi { name, .. } | Edit::CreateNeed { name, .. } => check_text("name", name)?,
        Edit::UpdateCi { set, .. } => {
            if let Some(Some(name)) = &set.name {
                check_text("name", name)?;
            }
        }
        _ => {}
    }
    reason.map_or(Ok(()), |reason| check_text("reason", reason))
}

/// Makes one edit; gives the view that contains it and the record it is about.
async fn edit(
    ctx: &Context<'_>,
    edit: Result<Edit, Vec<UserError>>,
    reason: Option<String>,
    action: &str,
) -> Result<Result<(Arc<Moment>, Touched), Vec<UserError>>, Refusal> {
    let edit = match edit.and_then(|edit| readable(&edit, reason.as_deref()).map(|()| edit)) {
        Ok(edit) => edit,
        Err(errors) => return Ok(Err(errors)),
    };
    match ctx.services().keelson.edit(vec![edit], ctx.principal().actor(reason), action).await {
        Ok(Edited { plan, view, .. }) => {
            let touched = plan.touched.into_iter().next();
            let touched = touched.ok_or_else(|| Refusal::internal(&"an edit touched nothing"))?;
            Ok(Ok((Moment::of(view), touched)))
        }
        Err(error) => Ok(Err(user_errors(error)?)),
    }
}

/// What a mutation leads to: the record it is about, or what a person can mend.
type Done<T> = Result<Result<Option<T>, Vec<UserError>>, Refusal>;

async fn item_done(
    ctx: &Context<'_>,
    given: Result<Edit, Vec<UserError>>,
    reason: Option<String>,
    action: &str,
) -> Done<ConfigurationItem> {
    let done = edit(ctx, given, reason, action).await?;
    Ok(done.map(|(at, touched)| match touched {
        Touched::Ci(id) => at.catalogue().find_id(id).map(|ix| ConfigurationItem::at(&at, ix)),
        _ => None,
    }))
}

async fn relationship_done(
    ctx: &Context<'_>,
    given: Result<Edit, Vec<UserError>>,
    reason: Option<String>,
    action: &str,
) -> Done<Relationship> {
    let done = edit(ctx, given, reason, action).await?;
    Ok(done.map(|(at, touched)| match touched {
        Touched::Relationship(key) => at.catalogue().find_relationship_key(&key).map(|ix| Relationship::at(&at, ix)),
        _ => None,
    }))
}

async fn need_done(
    ctx: &Context<'_>,
    given: Result<Edit, Vec<UserError>>,
    reason: Option<String>,
    action: &str,
) -> Done<Need> {
    let done = edit(ctx, given, reason, action).await?.map_err(in_content);
    Ok(done.map(|(at, touched)| match touched {
        Touched::Need(id) => at.catalogue().find_need(id).map(|ix| Need::at(&at, ix)),
        _ => None,
    }))
}

async fn review_done(ctx: &Context<'_>, given: Edit, reason: Option<String>, action: &str) -> Done<ReviewTask> {
    let done = edit(ctx, Ok(given), reason, action).await?;
    Ok(done.map(|(at, touched)| match touched {
        Touched::Review(id) => ReviewTask::find(&at, id),
        _ => None,
    }))
}
