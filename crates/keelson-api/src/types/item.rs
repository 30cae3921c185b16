//! Configuration items.
//!
//! Classes are data, so the schema cannot have a type for each of them. It has two: `Service`, the
//! promises made to customers, and `Component`, everything else. Both have the fields of the
//! interface `ConfigurationItem`, and `class` says what exactly they are.

#![expect(clippy::duplicated_attributes, reason = "fields of an interface may share type and words")]

mod listing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::connection::EmptyFields;
use async_graphql::{Context, ID, Interface, Object, ObjectType, SimpleObject, TypeName};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_app::answers::basis::{is_stale, last_seen};
use keelson_app::answers::impact::SERVICE_CLASS;
use keelson_catalogue::{CiIx, Slot};
use keelson_model as model;

use super::attribute::{Attribute, UnmodelledAttribute, attribute, attributes};
use super::history::{HistoryEntry, Revision, history, revision};
use super::need::{Need, NeedOrder, NeedWhere, needs};
use super::provenance::{Claim, sources};
use super::relationship::{Relationship, RelationshipOrder, RelationshipWhere, relationships};
use super::words::{Criticality, Lifecycle, Standing};
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::loader::{NeedsOf, RelationshipsOf, Side};
use crate::moment::{ItemRef, Moment};

pub(crate) use listing::{Wanted, items, listed};

/// A sort of configuration item that has a type of its own.
pub trait Sort: Send + Sync + 'static {
    /// The name of the type.
    const NAME: &'static str;
    /// Its further fields.
    type Extra: ObjectType;
    /// The values of the further fields.
    fn extra(ci: &model::ConfigurationItem) -> Self::Extra;
}

/// Promises made to customers.
pub struct Services;

/// Everything that is not a service.
pub struct Components;

/// What only a service has.
#[derive(SimpleObject)]
pub struct ServiceFields {
    /// The smallest fraction it must deliver, from 0 to 1; where it states none, only its whole loss
    /// is a breach.
    minimum_delivered: Option<f64>,
}

impl Sort for Services {
    const NAME: &'static str = "Service";
    type Extra = ServiceFields;

    fn extra(ci: &model::ConfigurationItem) -> ServiceFields {
        ServiceFields { minimum_delivered: ci.attribute("minimum_delivered").and_then(model::Value::as_f64) }
    }
}

impl Sort for Components {
    const NAME: &'static str = "Component";
    type Extra = EmptyFields;

    fn extra(_: &model::ConfigurationItem) -> EmptyFields {
        EmptyFields
    }
}

/// A configuration item of a sort.
pub struct Item<S>(ItemRef, PhantomData<S>);

impl<S: Sort> TypeName for Item<S> {
    fn type_name() -> Cow<'static, str> {
        S::NAME.into()
    }
}

impl<S> Item<S> {
    fn slot(&self) -> &Slot {
        self.0.at.catalogue().slot(self.0.ix)
    }

    fn ci(&self) -> &Arc<model::ConfigurationItem> {
        &self.slot().ci
    }
}

/// Everything that can be lost or run out.
#[Object(name_type)]
impl<S: Sort> Item<S> {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Ci(self.ci().id).into()
    }

    /// Its key, unique in the catalogue: `service/payments`.
    async fn key(&self) -> &str {
        &self.ci().key
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        self.ci().name()
    }

    /// Its class: `virtual-machine`.
    async fn class(&self) -> &str {
        &self.ci().class
    }

    /// Its class and those above it, nearest first; fewer than 100.
    async fn lineage(&self) -> Vec<&str> {
        let class = self.0.at.catalogue().schema().classes.get(&self.ci().class);
        class.map(|class| class.lineage.iter().map(model::Symbol::as_str).collect()).unwrap_or_default()
    }

    /// What is known of its existence.
    async fn standing(&self) -> Standing {
        self.ci().standing.into()
    }

    /// Its stage of life; live where no source says otherwise.
    async fn lifecycle(&self) -> Lifecycle {
        self.ci().lifecycle().into()
    }

    /// How much depends on it, where stated.
    async fn criticality(&self) -> Option<Criticality> {
        self.ci().facts().criticality.map(Into::into)
    }

    /// Whether it was deliberately ended.
    async fn is_retired(&self) -> bool {
        self.ci().lifecycle() == model::Lifecycle::Retired
    }

    /// Whether it was last seen longer ago than its class allows.
    async fn is_stale(&self) -> bool {
        let catalogue = self.0.at.catalogue();
        let seen = last_seen(catalogue, self.0.ix);
        seen.is_some_and(|seen| is_stale(catalogue, &self.ci().class, seen, self.0.at.asked.at))
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.ci().version
    }

    /// The sources that claim it, by name; one for each configured source at most.
    async fn sources(&self) -> Vec<String> {
        sources(self.ci().live_claims().map(|claim| &claim.provenance))
    }

    /// When a source last saw it.
    async fn last_seen(&self) -> Option<DateTime<Utc>> {
        last_seen(self.0.at.catalogue(), self.0.ix)
    }

    /// When it was withdrawn, while it is.
    async fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.ci().withdrawn_at
    }

    /// Its effective attributes, by name; at most 512 of each source.
    async fn attributes(&self) -> Vec<Attribute> {
        attributes(self.0.at.catalogue().schema(), self.ci())
    }

    /// One effective attribute.
    async fn attribute(&self, #[graphql(desc = "Its name.")] name: String) -> Option<Attribute> {
        let schema = self.0.at.catalogue().schema();
        self.ci().attribute(&name).map(|value| attribute(schema, self.ci(), &name, value))
    }

    /// What its sources say beyond the attributes of its class; at most 512 of each source.
    async fn unmodelled(&self) -> Vec<UnmodelledAttribute> {
        let facts = self.ci().facts().unmodelled.iter();
        facts.map(|(name, json)| UnmodelledAttribute { name: name.to_string(), json: json.to_string() }).collect()
    }

    /// Who says that it exists: one claim for each source and each key it has there.
    async fn claims(&self) -> Vec<Claim> {
        self.ci().claims.iter().map(|claim| Claim::of_item(self.0.at.catalogue(), claim)).collect()
    }

    /// The earlier lifetime this one follows.
    async fn succeeds(&self) -> Option<ConfigurationItem> {
        let ix = self.0.at.catalogue().find_id(self.ci().succeeds?)?;
        Some(ConfigurationItem::of(ItemRef { at: Arc::clone(&self.0.at), ix }))
    }

    /// The commit that changed it last.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        let last = self.slot().trail.last().map_or(model::Revision(0), |at| at.revision());
        revision(ctx, last).await
    }

    /// The relationships in which it is the dependent: what it needs.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn dependencies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<RelationshipWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<RelationshipOrder>>,
    ) -> Result<Connection<Relationship>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        self.related(ctx, Side::Dependencies, &paging, filter.as_ref(), &order_by.unwrap_or_default()).await
    }

    /// The relationships in which it is the dependency: what needs it.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn dependents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<RelationshipWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<RelationshipOrder>>,
    ) -> Result<Connection<Relationship>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        self.related(ctx, Side::Dependents, &paging, filter.as_ref(), &order_by.unwrap_or_default()).await
    }

    /// Its needs: rules over what it depends on. All of them must hold.
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
    ) -> Result<Connection<Need>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        self.need_page(ctx, false, &paging, filter.as_ref(), &order_by.unwrap_or_default()).await
    }

    /// The needs of others in which it is a member.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn member_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<NeedWhere>,
        #[graphql(desc = "In which order; at most 3 keys.")] order_by: Option<Vec<NeedOrder>>,
    ) -> Result<Connection<Need>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        self.need_page(ctx, true, &paging, filter.as_ref(), &order_by.unwrap_or_default()).await
    }

    /// How it changed, newest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<HistoryEntry>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        history(ctx, &self.0.at, RecordRef::Ci(self.0.ix), &self.slot().trail, &paging).await
    }

    #[graphql(flatten)]
    async fn extra(&self) -> S::Extra {
        S::extra(self.ci())
    }
}

impl<S> Item<S> {
    async fn related(
        &self,
        ctx: &Context<'_>,
        side: Side,
        paging: &Paging,
        filter: Option<&RelationshipWhere>,
        order: &[RelationshipOrder],
    ) -> Result<Connection<Relationship>, Refusal> {
        let key = RelationshipsOf { at: Arc::clone(&self.0.at), ix: self.0.ix, side };
        let found = ctx.services().loaders.view.load_one(key).await?.unwrap_or_else(|| Arc::from([]));
        let list = match side {
            Side::Dependencies => "dependencies",
            Side::Dependents => "dependents",
        };
        relationships(&ctx.services().seal, list, &self.0.at, &found, paging, filter, order)
    }

    async fn need_page(
        &self,
        ctx: &Context<'_>,
        as_member: bool,
        paging: &Paging,
        filter: Option<&NeedWhere>,
        order: &[NeedOrder],
    ) -> Result<Connection<Need>, Refusal> {
        let key = NeedsOf { at: Arc::clone(&self.0.at), ix: self.0.ix, as_member };
        let found = ctx.services().loaders.view.load_one(key).await?.unwrap_or_else(|| Arc::from([]));
        needs(
            &ctx.services().seal,
            if as_member { "memberOf" } else { "needs" },
            &self.0.at,
            &found,
            paging,
            filter,
            order,
        )
    }
}

/// Everything that can be lost or run out.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Its identifier, for life."),
    field(name = "key", ty = "&str", desc = "Its key, unique in the catalogue: `service/payments`."),
    field(name = "name", ty = "&str", desc = "Its name for people."),
    field(name = "class", ty = "&str", desc = "Its class: `virtual-machine`."),
    field(name = "lineage", ty = "Vec<&str>", desc = "Its class and those above it, nearest first; fewer than 100."),
    field(name = "standing", ty = "Standing", desc = "What is known of its existence."),
    field(name = "lifecycle", ty = "Lifecycle", desc = "Its stage of life; live where no source says otherwise."),
    field(name = "criticality", ty = "Option<Criticality>", desc = "How much depends on it, where stated."),
    field(name = "is_retired", ty = "bool", desc = "Whether it was deliberately ended."),
    field(name = "is_stale", ty = "bool", desc = "Whether it was last seen longer ago than its class allows."),
    field(name = "version", ty = "u32", desc = "Number of its changes, for `expectedVersion`."),
    field(
        name = "sources",
        ty = "Vec<String>",
        desc = "The sources that claim it, by name; one for each configured source at most."
    ),
    field(name = "last_seen", ty = "Option<DateTime<Utc>>", desc = "When a source last saw it."),
    field(name = "withdrawn_at", ty = "Option<DateTime<Utc>>", desc = "When it was withdrawn, while it is."),
    field(
        name = "attributes",
        ty = "Vec<Attribute>",
        desc = "Its effective attributes, by name; at most 512 of each source."
    ),
    field(
        name = "attribute",
        ty = "Option<Attribute>",
        desc = "One effective attribute.",
        arg(name = "name", ty = "String", desc = "Its name.")
    ),
    field(
        name = "unmodelled",
        ty = "Vec<UnmodelledAttribute>",
        desc = "What its sources say beyond the attributes of its class; at most 512 of each source."
    ),
    field(
        name = "claims",
        ty = "Vec<Claim>",
        desc = "Who says that it exists: one claim for each source and each key it has there."
    ),
    field(name = "succeeds", ty = "Option<ConfigurationItem>", desc = "The earlier lifetime this one follows."),
    field(name = "revision", ty = "Revision", desc = "The commit that changed it last."),
    field(
        name = "dependencies",
        ty = "Connection<Relationship>",
        desc = "The relationships in which it is the dependent: what it needs.",
        arg(name = "first", ty = "Option<i32>", desc = "How many from the beginning, 1 to 100; 20 by default."),
        arg(name = "after", ty = "Option<String>", desc = "Only what comes behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "How many from the end, 1 to 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only what comes before this cursor."),
        arg(name = "where", ty = "Option<RelationshipWhere>", desc = "Which ones."),
        arg(name = "order_by", ty = "Option<Vec<RelationshipOrder>>", desc = "In which order; at most 3 keys.")
    ),
    field(
        name = "dependents",
        ty = "Connection<Relationship>",
        desc = "The relationships in which it is the dependency: what needs it.",
        arg(name = "first", ty = "Option<i32>", desc = "How many from the beginning, 1 to 100; 20 by default."),
        arg(name = "after", ty = "Option<String>", desc = "Only what comes behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "How many from the end, 1 to 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only what comes before this cursor."),
        arg(name = "where", ty = "Option<RelationshipWhere>", desc = "Which ones."),
        arg(name = "order_by", ty = "Option<Vec<RelationshipOrder>>", desc = "In which order; at most 3 keys.")
    ),
    field(
        name = "needs",
        ty = "Connection<Need>",
        desc = "Its needs: rules over what it depends on. All of them must hold.",
        arg(name = "first", ty = "Option<i32>", desc = "How many from the beginning, 1 to 100; 20 by default."),
        arg(name = "after", ty = "Option<String>", desc = "Only what comes behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "How many from the end, 1 to 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only what comes before this cursor."),
        arg(name = "where", ty = "Option<NeedWhere>", desc = "Which ones."),
        arg(name = "order_by", ty = "Option<Vec<NeedOrder>>", desc = "In which order; at most 3 keys.")
    ),
    field(
        name = "member_of",
        ty = "Connection<Need>",
        desc = "The needs of others in which it is a member.",
        arg(name = "first", ty = "Option<i32>", desc = "How many from the beginning, 1 to 100; 20 by default."),
        arg(name = "after", ty = "Option<String>", desc = "Only what comes behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "How many from the end, 1 to 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only what comes before this cursor."),
        arg(name = "where", ty = "Option<NeedWhere>", desc = "Which ones."),
        arg(name = "order_by", ty = "Option<Vec<NeedOrder>>", desc = "In which order; at most 3 keys.")
    ),
    field(
        name = "history",
        ty = "Connection<HistoryEntry>",
        desc = "How it changed, newest first.",
        arg(name = "first", ty = "Option<i32>", desc = "How many from the beginning, 1 to 100; 20 by default."),
        arg(name = "after", ty = "Option<String>", desc = "Only what comes behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "How many from the end, 1 to 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only what comes before this cursor.")
    )
)]
pub enum ConfigurationItem {
    /// A promise made to customers.
    Service(Item<Services>),
    /// Everything that is not a service.
    Component(Item<Components>),
}

impl ConfigurationItem {
    /// The configuration item, under the type its class calls for.
    #[must_use]
    pub fn of(item: ItemRef) -> Self {
        let catalogue = item.at.catalogue();
        if catalogue.schema().classes.is_a(&catalogue.ci(item.ix).class, SERVICE_CLASS) {
            Self::Service(Item(item, PhantomData))
        } else {
            Self::Component(Item(item, PhantomData))
        }
    }

    /// The configuration item of a number at a moment.
    #[must_use]
    pub fn at(at: &Arc<Moment>, ix: CiIx) -> Self {
        Self::of(ItemRef { at: Arc::clone(at), ix })
    }
}
