//! Needs: rules over what a configuration item depends on.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_app::answers::needs::rule_in_words;
use keelson_catalogue::{Catalogue, NeedIx, NeedSlot};
use keelson_model as model;

use super::history::{HistoryEntry, Revision, history, revision};
use super::item::ConfigurationItem;
use super::provenance::{Claim, sources};
use super::words::{Phase, SortDirection, Standing};
use crate::connection::{Connection, Paging, Place};
use crate::context::{Find, list_name};
use crate::cursor::CursorKey;
use crate::errors::Refusal;
use crate::filter::{StringFilter, check_nodes, few_orders};
use crate::ids::GlobalId;
use crate::moment::Moment;

/// How the members of a need combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RuleKind {
    /// Every member is needed.
    All,
    /// One member is enough.
    Any,
    /// At least a number of members is needed.
    AtLeast,
    /// At least a share of the members, in percent, is needed.
    Percent,
    /// Members have weights; the weight still up must reach a threshold.
    Weight,
    /// Members share a load.
    Share,
}

impl RuleKind {
    /// The rule of a name, as answers write it.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "any" => Self::Any,
            "at_least" => Self::AtLeast,
            "percent" => Self::Percent,
            "weight" => Self::Weight,
            "share" => Self::Share,
            _ => Self::All,
        }
    }
}

/// The rule of a need.
#[derive(Clone, Debug, SimpleObject)]
pub struct Rule {
    /// How the members combine.
    kind: RuleKind,
    /// The rule for people: `needs 2 of 3`.
    text: String,
    /// How many members must be up, where members count alike.
    required: Option<u32>,
    /// The percentage, where there is one.
    percent: Option<u32>,
    /// The weight that must be up, where members have weights.
    threshold: Option<f64>,
    /// The demand on a shared load, where stated.
    demand: Option<f64>,
    /// The unit of a shared load.
    unit: Option<String>,
    /// Whether nobody stated the rule: analyses bracket it between one and all.
    is_assumed: bool,
}

impl Rule {
    fn of(definition: &model::NeedDefinition) -> Self {
        let members = definition.members.len();
        let rule = &definition.rule;
        let required = rule.required(members);
        let mut out = Self {
            kind: RuleKind::All,
            text: rule_in_words(rule, required, u32::try_from(members).unwrap_or(u32::MAX)),
            required,
            percent: None,
            threshold: None,
            demand: None,
            unit: None,
            is_assumed: definition.assumed,
        };
        out.kind = match rule {
            model::Rule::All => RuleKind::All,
            model::Rule::Any => RuleKind::Any,
            model::Rule::AtLeast { .. } => RuleKind::AtLeast,
            model::Rule::Percent { percent } => {
                out.percent = Some(*percent);
                RuleKind::Percent
            }
            model::Rule::Weight { threshold, .. } => {
                out.threshold = Some(*threshold);
                RuleKind::Weight
            }
            model::Rule::Share { unit, demand, .. } => {
                (out.unit, out.demand) = (Some(unit.clone()), *demand);
                RuleKind::Share
            }
        };
        out
    }
}

/// A member of a need.
pub struct NeedMember {
    at: Arc<Moment>,
    need: NeedIx,
    place: usize,
}

impl NeedMember {
    fn definition(&self) -> &model::NeedDefinition {
        &self.at.catalogue().need(self.need).need.definition
    }
}

/// A member of a need.
#[Object]
impl NeedMember {
    /// The configuration item needed; `null` when it is not in the catalogue.
    async fn item(&self) -> Option<ConfigurationItem> {
        let ix = self.at.catalogue().find_id(self.definition().members.get(self.place)?.ci)?;
        Some(ConfigurationItem::at(&self.at, ix))
    }

    /// Whether its membership is doubtful.
    async fn is_doubtful(&self) -> bool {
        self.definition().members.get(self.place).is_some_and(|member| member.doubtful)
    }

    /// Its weight, or its capacity for a shared load.
    async fn weight(&self) -> Option<f64> {
        match &self.definition().rule {
            model::Rule::Weight { weights, .. } => weights.get(self.place).copied(),
            model::Rule::Share { capacities, .. } => capacities.get(self.place).copied(),
            _ => None,
        }
    }
}

/// A need at a moment.
pub struct Need {
    at: Arc<Moment>,
    ix: NeedIx,
}

impl Need {
    /// The need of a number at a moment.
    #[must_use]
    pub fn at(at: &Arc<Moment>, ix: NeedIx) -> Self {
        Self { at: Arc::clone(at), ix }
    }

    fn slot(&self) -> &NeedSlot {
        self.at.catalogue().need(self.ix)
    }

    fn record(&self) -> &model::Need {
        &self.slot().need
    }
}

/// A rule over dependencies of one dependent. The needs of one dependent must all hold.
#[Object]
impl Need {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Need(self.record().id).into()
    }

    /// Its name, unique among the needs of its dependent.
    async fn name(&self) -> &str {
        &self.record().name
    }

    /// What needs.
    async fn dependent(&self) -> ConfigurationItem {
        ConfigurationItem::at(&self.at, self.slot().dependent)
    }

    /// The kind of relationship to each member.
    async fn kind(&self) -> &str {
        &self.record().definition.kind
    }

    /// How the members combine.
    async fn rule(&self) -> Rule {
        Rule::of(&self.record().definition)
    }

    /// For a count nobody is sure of: the counts it could be; at most one for each member.
    async fn possible_counts(&self) -> &[u32] {
        &self.record().definition.possible_counts
    }

    /// The members, in the order stated.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<NeedMember>, Refusal> {
        let places: Vec<usize> = (0..self.record().definition.members.len()).collect();
        let name = list_name("members", String::new(), &self.at);
        let paging = Paging::new(first, after, last, before);
        let member = |place: &usize| NeedMember { at: Arc::clone(&self.at), need: self.ix, place: *place };
        Connection::page(&places, &paging, &name, &ctx.services().seal, |place| *place, member)
    }

    /// The largest loss it can cause, above 0 and below 1; absent where it is hard.
    async fn largest_loss(&self) -> Option<f64> {
        self.record().definition.cap.as_ref().map(|cap| cap.limit)
    }

    /// When it matters.
    async fn phase(&self) -> Phase {
        self.record().definition.phase.into()
    }

    /// How sure its source is that it exists, 0 to 1; absent means certain.
    async fn confidence(&self) -> Option<f64> {
        self.record().definition.confidence
    }

    /// The fraction, 0 to 1, of what fails one member that fails all of them, and is drawn nowhere else; absent where
    /// nobody states one.
    async fn common_cause(&self) -> Option<f64> {
        self.record().definition.common_cause
    }

    /// Live or withdrawn.
    async fn standing(&self) -> Standing {
        self.record().standing.into()
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.record().version
    }

    /// The sources that state it, by name; one for each configured source at most.
    async fn sources(&self) -> Vec<String> {
        sources(self.record().claims.iter().map(|claim| &claim.provenance).filter(|provenance| provenance.is_live()))
    }

    /// Who states it; one claim for each source at most.
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
        history(ctx, &self.at, RecordRef::Need(self.ix), &self.slot().trail, &paging).await
    }
}

/// Which needs. All that is given must hold. At most 8 levels and 50 predicates.
#[derive(Clone, Debug, Default, InputObject)]
pub struct NeedWhere {
    /// All of these hold.
    pub and: Option<Vec<NeedWhere>>,
    /// One of these holds.
    pub or: Option<Vec<NeedWhere>>,
    /// This does not hold.
    pub not: Option<Box<NeedWhere>>,
    /// Its name.
    pub name: Option<StringFilter>,
    /// The kind of relationship to its members.
    pub kind: Option<StringFilter>,
    /// The key of what needs.
    pub dependent_key: Option<StringFilter>,
    /// A source that states it.
    pub source: Option<StringFilter>,
}

impl NeedWhere {
    /// Holds its limits.
    fn check(&self) -> Result<(), Refusal> {
        let own = |one: &Self| {
            let filters = [&one.name, &one.kind, &one.dependent_key, &one.source].into_iter().flatten();
            filters.map(StringFilter::check).sum::<Result<usize, Refusal>>()
        };
        check_nodes(self, own, |one| one.and.iter().chain(&one.or).flatten().chain(one.not.as_deref()).collect())
    }

    /// Evaluation is as deep as the filter, which [`Self::check`] has limited.
    fn holds(&self, catalogue: &Catalogue, slot: &NeedSlot) -> bool {
        let record = &slot.need;
        let text = |filter: &Option<StringFilter>, text: &str| {
            filter.as_ref().is_none_or(|filter| filter.holds(&std::iter::once(text)))
        };
        let live = || record.claims.iter().filter(|claim| claim.provenance.is_live());
        text(&self.name, &record.name)
            && text(&self.kind, &record.definition.kind)
            && text(&self.dependent_key, &catalogue.ci(slot.dependent).key)
            && self.source.as_ref().is_none_or(|f| f.holds(&live().map(|claim| claim.provenance.source.as_str())))
            && self.and.iter().flatten().all(|inner| inner.holds(catalogue, slot))
            && self.or.as_ref().is_none_or(|any| any.iter().any(|inner| inner.holds(catalogue, slot)))
            && !self.not.as_ref().is_some_and(|inner| inner.holds(catalogue, slot))
    }
}

/// What needs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum NeedOrderField {
    /// Their names.
    Name,
    /// The keys of what needs.
    DependentKey,
}

/// One key that needs are sorted by.
#[derive(Clone, Debug, InputObject)]
pub struct NeedOrder {
    /// The field.
    pub field: NeedOrderField,
    /// Which way.
    #[graphql(default)]
    pub direction: SortDirection,
}

/// A page of needs. Without an order they come by dependent and name.
pub(crate) fn needs(
    seal: &CursorKey,
    list: &'static str,
    at: &Arc<Moment>,
    found: &[NeedIx],
    paging: &Paging,
    filter: Option<&NeedWhere>,
    order: &[NeedOrder],
) -> Result<Connection<Need>, Refusal> {
    few_orders(order.len())?;
    if let Some(filter) = filter {
        filter.check()?;
    }
    let catalogue = at.catalogue();
    let place = |ix: NeedIx| -> Place {
        let slot = catalogue.need(ix);
        let (dependent, name) = (catalogue.ci(slot.dependent).key.to_string(), slot.need.name.to_string());
        let field = |by: &NeedOrder| match by.field {
            NeedOrderField::Name => name.clone(),
            NeedOrderField::DependentKey => dependent.clone(),
        };
        (order.iter().map(field).collect(), vec![dependent.clone(), name.clone()])
    };
    let wanted = found.iter().filter(|ix| filter.is_none_or(|filter| filter.holds(catalogue, catalogue.need(**ix))));
    let entries = wanted.map(|ix| (place(*ix), *ix)).collect();
    let directions: Vec<SortDirection> = order.iter().map(|by| by.direction).collect();
    let name = list_name(list, format!("{order:?}"), at);
    Connection::sorted(entries, &directions, paging, &name, seal, |ix| Need::at(at, ix))
}

/// A count rule.
#[derive(Clone, Debug, InputObject)]
pub struct AtLeastInput {
    /// How many members must be up; 1 to the number of members.
    pub count: u32,
    /// For a count nobody is sure of: the counts it could be, at most 100.
    #[graphql(default)]
    pub possible_counts: Vec<u32>,
}

/// A rule over weights.
#[derive(Clone, Debug, InputObject)]
pub struct WeightInput {
    /// One weight for each member, in their order.
    pub weights: Vec<f64>,
    /// The weight that must be up.
    pub threshold: f64,
}

/// A rule over a shared load.
#[derive(Clone, Debug, InputObject)]
pub struct ShareInput {
    /// One capacity for each member, in their order.
    pub capacities: Vec<f64>,
    /// The unit of capacities and demand.
    pub unit: String,
    /// The demand, where known.
    pub demand: Option<f64>,
}

/// A rule, in one of its forms. `all: true` needs every member, `any: true` one of them.
#[derive(Clone, Debug, OneofObject)]
pub enum RuleInput {
    /// Every member is needed; must be `true`.
    All(bool),
    /// One member is enough; must be `true`.
    Any(bool),
    /// At least a number of members is needed.
    AtLeast(AtLeastInput),
    /// At least this share of the members is needed, 1 to 100 percent.
    Percent(u32),
    /// The weight still up must reach a threshold.
    Weight(WeightInput),
    /// Members share a load.
    Share(ShareInput),
}

impl RuleInput {
    /// The rule meant, and the counts it could be.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for `all: false` and `any: false`, which say nothing.
    pub fn rule(&self) -> Result<(model::Rule, Vec<u32>), Refusal> {
        let rule = match self {
            Self::All(true) => model::Rule::All,
            Self::Any(true) => model::Rule::Any,
            Self::All(false) | Self::Any(false) => {
                return Err(Refusal::input("all and any take the value true; otherwise give another rule"));
            }
            Self::AtLeast(given) => {
                return Ok((model::Rule::AtLeast { k: given.count }, given.possible_counts.clone()));
            }
            Self::Percent(percent) => model::Rule::Percent { percent: *percent },
            Self::Weight(given) => model::Rule::Weight { weights: given.weights.clone(), threshold: given.threshold },
            Self::Share(given) => model::Rule::Share {
                capacities: given.capacities.clone(),
                unit: given.unit.clone(),
                demand: given.demand,
            },
        };
        Ok((rule, Vec::new()))
    }
}
