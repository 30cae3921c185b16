//! The inputs of mutations.

pub mod change;

/// Makes an input that is left out mean what an empty one does: every field as its schema states. `Default` derived would
/// take zeroes and nothing instead.
macro_rules! defaults_as_stated {
    ($input:ty) => {
        impl Default for $input {
            fn default() -> Self {
                let nothing = async_graphql::Value::Object(async_graphql::indexmap::IndexMap::new());
                let parsed = <Self as async_graphql::InputType>::parse(Some(nothing));
                parsed.unwrap_or_else(|_| unreachable!("every field of it states a default"))
            }
        }
    };
}
pub(crate) use defaults_as_stated;

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::types::attribute::AttributeInput;
use crate::types::need::RuleInput;
use crate::types::payload::Target;
use crate::types::words::{Criticality, Lifecycle, Phase};

/// A new configuration item.
#[derive(Clone, Debug, InputObject)]
pub struct CreateConfigurationItemInput {
    /// Its key, unique in the catalogue; made of class and name when it is left out.
    pub key: Option<String>,
    /// Its class.
    pub class: String,
    /// Its name for people.
    pub name: String,
    /// Its stage of life; live when it is left out.
    pub lifecycle: Option<Lifecycle>,
    /// How much depends on it.
    pub criticality: Option<Criticality>,
    /// Its attributes, each once.
    pub attributes: Option<Vec<AttributeInput>>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// New values of a configuration item. What is left out stays; `null` takes the person's own value
/// back, so that the next source's counts.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateConfigurationItemInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// Its class.
    #[graphql(default)]
    pub class: MaybeUndefined<String>,
    /// Its name for people.
    #[graphql(default)]
    pub name: MaybeUndefined<String>,
    /// Its stage of life.
    #[graphql(default)]
    pub lifecycle: MaybeUndefined<Lifecycle>,
    /// How much depends on it.
    #[graphql(default)]
    pub criticality: MaybeUndefined<Criticality>,
    /// Attributes to set, each once.
    pub attributes: Option<Vec<AttributeInput>>,
    /// Why, for the history.
    pub reason: Option<String>,
}

macro_rules! record_inputs {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, InputObject)]
        pub struct $name {
            /// Which.
            pub id: ID,
            /// The version the caller saw; another one is a conflict.
            pub expected_version: u32,
            /// Why, for the history.
            pub reason: Option<String>,
        }
    )*};
}

pub(crate) use record_inputs;

record_inputs! {
    /// A configuration item to end.
    RetireConfigurationItemInput;
    /// A configuration item to bring back.
    ReviveConfigurationItemInput;
    /// A configuration item that was absorbed by another.
    UndoConfigurationItemMergeInput;
    /// A relationship that a person stated.
    RemoveRelationshipInput;
    /// A need that a person stated.
    RemoveNeedInput;
    /// A review task to put aside.
    DismissReviewTaskInput;
}

/// Two configuration items that are one.
#[derive(Clone, Debug, InputObject)]
pub struct MergeConfigurationItemsInput {
    /// The one that stays.
    pub keep: Target,
    /// The one whose claims, relationships and needs it takes over.
    pub absorb: Target,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// A new relationship.
#[derive(Clone, Debug, InputObject)]
pub struct CreateRelationshipInput {
    /// Its kind: `depends_on`.
    pub kind: String,
    /// What needs.
    pub dependent_id: ID,
    /// What is needed.
    pub dependency_id: ID,
    /// The largest loss it can cause in the dependent: 1 for a hard one, less for a soft one.
    pub largest_loss: Option<f64>,
    /// How sure the caller is, 0 to 1.
    pub confidence: Option<f64>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// A member of a need.
#[derive(Clone, Debug, InputObject)]
pub struct NeedMemberInput {
    /// The configuration item needed.
    pub item_id: ID,
    /// Whether its membership is in doubt.
    #[graphql(default)]
    pub is_doubtful: bool,
}

/// What a need says.
#[derive(Clone, Debug, InputObject)]
pub struct NeedContent {
    /// How the members combine.
    pub rule: RuleInput,
    /// The members, each once; at most 1000.
    pub members: Vec<NeedMemberInput>,
    /// The kind of relationship to each member.
    #[graphql(default_with = "\"depends_on\".to_owned()")]
    pub kind: String,
    /// The largest loss it can cause, above 0; 1 or absent for a hard need.
    pub largest_loss: Option<f64>,
    /// When it matters.
    #[graphql(default_with = "Phase::Run")]
    pub phase: Phase,
    /// How sure the caller is that it exists, 0 to 1.
    pub confidence: Option<f64>,
    /// The fraction, 0 to 1, of what fails one member that fails all of them, and is drawn nowhere else.
    pub common_cause: Option<f64>,
}

/// A new need.
#[derive(Clone, Debug, InputObject)]
pub struct CreateNeedInput {
    /// What needs.
    pub dependent_id: ID,
    /// Its name, unique among the needs of the dependent.
    pub name: String,
    /// What it says.
    pub content: NeedContent,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// A new definition of a need.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateNeedInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// What it says.
    pub content: NeedContent,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// The answer to a review task.
#[derive(Clone, Debug, InputObject)]
pub struct SettleReviewTaskInput {
    /// Which.
    pub id: ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
    /// The configuration item it is; absent for a new one, and for "go ahead".
    pub candidate_id: Option<ID>,
    /// Why.
    pub reason: String,
}
