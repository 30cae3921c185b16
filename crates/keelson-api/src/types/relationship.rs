//! Relationships: what needs what.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_catalogue::{Catalogue, RelationshipIx, RelationshipSlot};
use keelson_model as model;
use keelson_model::Strength;

use super::history::{HistoryEntry, Revision, history, revision};
use super::item::ConfigurationItem;
use super::provenance::{Claim, sources};
use super::words::{Basis, SortDirection, Standing};
use crate::connection::{Connection, Paging, Place};
use crate::context::list_name;
use crate::cursor::CursorKey;
use crate::errors::Refusal;
use crate::filter::{StringFilter, check_nodes, few_orders};
use crate::ids::GlobalId;
use crate::moment::Moment;

/// A relationship at a moment.
pub struct Relationship {
    at: Arc<Moment>,
    ix: RelationshipIx,
}

impl Relationship {
    /// The relationship of a number at a moment.
    #[must_use]
    pub fn at(at: &Arc<Moment>, ix: RelationshipIx) -> Self {
        Self { at: Arc::clone(at), ix }
    }

    fn slot(&self) -> &RelationshipSlot {
        self.at.catalogue().relationship(self.ix)
    }

    fn record(&self) -> &model::Relationship {
        &self.slot().relationship
    }
}

/// A typed relationship. It always reads: the dependent needs the dependency.
#[Object]
impl Relationship {
    /// Its identifier.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Relationship(self.record().key.clone()).into()
    }

    /// Its kind: `depends_on`.
    async fn kind(&self) -> &str {
        &self.record().key.kind
    }

    /// How it reads from the dependent: `uses`.
    async fn reads_forward(&self) -> &str {
        let kind = self.at.catalogue().schema().kinds.get(&self.record().key.kind);
        kind.map_or(&self.record().key.kind, |kind| &kind.forward)
    }

    /// How it reads from the dependency: `is used by`.
    async fn reads_backward(&self) -> &str {
        let kind = self.at.catalogue().schema().kinds.get(&self.record().key.kind);
        kind.map_or(&self.record().key.kind, |kind| &kind.backward)
    }

    /// Whether loss travels along relationships of its kind.
    async fn carries_loss(&self) -> bool {
        self.at.catalogue().schema().kinds.carries_loss(&self.record().key.kind)
    }

    /// What needs.
    async fn dependent(&self) -> ConfigurationItem {
        ConfigurationItem::at(&self.at, self.slot().dependent)
    }

    /// What is needed.
    async fn dependency(&self) -> ConfigurationItem {
        ConfigurationItem::at(&self.at, self.slot().dependency)
    }

    /// Live or withdrawn.
    async fn standing(&self) -> Standing {
        self.record().standing.into()
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.record().version
    }

    /// Declared as soon as one source declares it, otherwise observed.
    async fn basis(&self) -> Basis {
        self.record().basis().into()
    }

    /// How sure its sources are, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.record().confidence()
    }

    /// The largest loss it can cause in the dependent: 1 where it is hard, less where it is soft;
    /// absent where nobody says.
    async fn largest_loss(&self) -> Option<f64> {
        self.record().strength().map(Strength::cap)
    }

    /// Whether sources state it only as a member of a need.
    async fn is_member_only(&self) -> bool {
        !self.record().is_plain()
    }

    /// The sources that state it, by name; one for each configured source at most.
    async fn sources(&self) -> Vec<String> {
        sources(self.record().live_claims().map(|claim| &claim.provenance))
    }

    /// Who states it; at most two claims for each source.
    async fn claims(&self) -> Vec<Claim> {
        let claims = self.record().claims.iter();
        claims.map(|claim| Claim::of(self.at.catalogue(), &claim.provenance)).collect()
    }

    /// When it was withdrawn, while it is.
    async fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        self.record().withdrawn_at
    }

    /// The commit that changed it last.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        let last = self.slot().trail.last().map_or(model::Revision(0), |at| at.revision());
        revision(ctx, last).await
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
        history(ctx, &self.at, RecordRef::Relationship(self.ix), &self.slot().trail, &paging).await
    }
}

/// Which relationships. All that is given must hold. At most 8 levels and 50 predicates.
#[derive(Clone, Debug, Default, InputObject)]
pub struct RelationshipWhere {
    /// All of these hold.
    pub and: Option<Vec<RelationshipWhere>>,
    /// One of these holds.
    pub or: Option<Vec<RelationshipWhere>>,
    /// This does not hold.
    pub not: Option<Box<RelationshipWhere>>,
    /// Its kind.
    pub kind: Option<StringFilter>,
    /// The key of what needs.
    pub dependent_key: Option<StringFilter>,
    /// The class of what needs; also fits the classes below.
    pub dependent_class: Option<StringFilter>,
    /// The key of what is needed.
    pub dependency_key: Option<StringFilter>,
    /// The class of what is needed; also fits the classes below.
    pub dependency_class: Option<StringFilter>,
    /// A source that states it.
    pub source: Option<StringFilter>,
    /// How sources know of it.
    pub basis: Option<Basis>,
}

impl RelationshipWhere {
    fn filters(&self) -> [&Option<StringFilter>; 6] {
        let Self { kind, dependent_key, dependent_class, dependency_key, dependency_class, source, .. } = self;
        [kind, dependent_key, dependent_class, dependency_key, dependency_class, source]
    }

    /// Holds its limits.
    fn check(&self) -> Result<(), Refusal> {
        let own = |one: &Self| {
            let filters = one.filters().into_iter().flatten();
            filters
                .map(StringFilter::check)
                .sum::<Result<usize, Refusal>>()
                .map(|n| n + usize::from(one.basis.is_some()))
        };
        check_nodes(self, own, |one| one.and.iter().chain(&one.or).flatten().chain(one.not.as_deref()).collect())
    }

    /// Evaluation is as deep as the filter, which [`Self::check`] has limited.
    fn holds(&self, catalogue: &Catalogue, slot: &RelationshipSlot) -> bool {
        let record = &slot.relationship;
        let text = |filter: &Option<StringFilter>, text: &str| {
            filter.as_ref().is_none_or(|filter| filter.holds(&std::iter::once(text)))
        };
        let lineage = |filter: &Option<StringFilter>, class: &model::Symbol| {
            filter.as_ref().is_none_or(|filter| match catalogue.schema().classes.get(class) {
                Some(class) => filter.holds(&class.lineage.iter().map(model::Symbol::as_str)),
                None => filter.holds(&std::iter::once(class.as_str())),
            })
        };
        let (dependent, dependency) = (catalogue.ci(slot.dependent), catalogue.ci(slot.dependency));
        let stated: Vec<&str> = record.live_claims().map(|claim| claim.provenance.source.as_str()).collect();
        text(&self.kind, &record.key.kind)
            && text(&self.dependent_key, &dependent.key)
            && text(&self.dependency_key, &dependency.key)
            && lineage(&self.dependent_class, &dependent.class)
            && lineage(&self.dependency_class, &dependency.class)
            && self.source.as_ref().is_none_or(|filter| filter.holds(&stated.iter().copied()))
            && self.basis.is_none_or(|basis| model::Basis::from(basis) == record.basis())
            && self.and.iter().flatten().all(|inner| inner.holds(catalogue, slot))
            && self.or.as_ref().is_none_or(|any| any.iter().any(|inner| inner.holds(catalogue, slot)))
            && !self.not.as_ref().is_some_and(|inner| inner.holds(catalogue, slot))
    }
}

/// What relationships are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RelationshipOrderField {
    /// Their kinds.
    Kind,
    /// The keys of what needs.
    DependentKey,
    /// The keys of what is needed.
    DependencyKey,
}

/// One key that relationships are sorted by.
#[derive(Clone, Debug, InputObject)]
pub struct RelationshipOrder {
    /// The field.
    pub field: RelationshipOrderField,
    /// Which way.
    #[graphql(default)]
    pub direction: SortDirection,
}

/// A page of relationships. Without an order they come by kind, dependent and dependency.
pub(crate) fn relationships(
    seal: &CursorKey,
    list: &'static str,
    at: &Arc<Moment>,
    found: &[RelationshipIx],
    paging: &Paging,
    filter: Option<&RelationshipWhere>,
    order: &[RelationshipOrder],
) -> Result<Connection<Relationship>, Refusal> {
    few_orders(order.len())?;
    if let Some(filter) = filter {
        filter.check()?;
    }
    let catalogue = at.catalogue();
    let place = |ix: RelationshipIx| -> Place {
        let slot = catalogue.relationship(ix);
        let kind = slot.relationship.key.kind.to_string();
        let dependent = catalogue.ci(slot.dependent).key.to_string();
        let dependency = catalogue.ci(slot.dependency).key.to_string();
        let field = |by: &RelationshipOrder| match by.field {
            RelationshipOrderField::Kind => kind.clone(),
            RelationshipOrderField::DependentKey => dependent.clone(),
            RelationshipOrderField::DependencyKey => dependency.clone(),
        };
        (order.iter().map(field).collect(), vec![kind.clone(), dependent.clone(), dependency.clone()])
    };
    let wanted =
        found.iter().filter(|ix| filter.is_none_or(|filter| filter.holds(catalogue, catalogue.relationship(**ix))));
    let entries = wanted.map(|ix| (place(*ix), *ix)).collect();
    let directions: Vec<SortDirection> = order.iter().map(|by| by.direction).collect();
    let name = list_name(list, format!("{order:?}"), at);
    Connection::sorted(entries, &directions, paging, &name, seal, |ix| Relationship::at(at, ix))
}
