//! What losing things costs, with reasons.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::impact::{
    Assessment, Because as BecauseLine, ImpactLine, ProtectedBy, ProtectedLine, SeedLine,
};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;

use super::certainty::Certainty;
use super::completeness::Completeness;
use super::item::ConfigurationItem;
use super::lookup::ConfigurationItemBy;
use super::need::RuleKind;
use super::words::Verdict;
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::moment::Moment;

/// A configuration item with its own loss.
#[derive(Clone, Debug, InputObject)]
pub struct ImpactSeedInput {
    /// Which.
    pub item: ConfigurationItemBy,
    /// Its own loss, from 0 (whole) to 1 (gone).
    #[graphql(default = 1.0)]
    pub loss: f64,
}

/// What is lost, and when.
#[derive(Clone, Debug, InputObject)]
pub struct ImpactInput {
    /// What is lost; 1 to 100 items.
    pub seeds: Vec<ImpactSeedInput>,
    /// The first moment of the interval in which it is lost.
    pub start: Option<DateTime<Utc>>,
    /// The first moment after the interval.
    pub end: Option<DateTime<Utc>>,
    /// Evaluations the search for decisive unknown facts may take, 0 to 1000; 0 leaves certainty out.
    #[graphql(default = 200)]
    pub certainty_budget: i32,
}

/// What losing things costs.
pub struct ImpactAnswer {
    at: Arc<Moment>,
    assessment: Arc<Assessment>,
}

impl ImpactAnswer {
    /// The answer of an assessment.
    #[must_use]
    pub fn of(at: Arc<Moment>, assessment: Assessment) -> Self {
        Self { at, assessment: Arc::new(assessment) }
    }

    fn key(&self, item: ItemIx) -> String {
        self.at.catalogue().ci(CiIx(item.0)).key.to_string()
    }

    /// A page of what loses something: the larger loss first, then the more critical, then by key.
    fn affected(
        &self,
        ctx: &Context<'_>,
        list: &'static str,
        found: &[ItemIx],
        paging: &Paging,
    ) -> Result<Connection<ImpactedItem>, Refusal> {
        let catalogue = self.at.catalogue();
        let place = |item: &ItemIx| {
            let loss = self.assessment.impact().loss(*item);
            let criticality = catalogue.ci(CiIx(item.0)).facts().criticality;
            (!self.assessment.is_service(*item), Reverse(loss.to_bits()), Reverse(criticality), self.key(*item))
        };
        let node = |item: &ItemIx| ImpactedItem { at: Arc::clone(&self.at), line: self.assessment.line(*item) };
        Connection::page(found, paging, &list_name(list, String::new(), &self.at), &ctx.services().seal, place, node)
    }
}

/// What losing the seeds costs, and why.
#[Object]
impl ImpactAnswer {
    /// What is lost to begin with; as many as were given, at most 100.
    async fn seeds(&self) -> Vec<ImpactSeed> {
        let lines = self.assessment.seed_lines();
        let seed = |line: &SeedLine| {
            let item = by_key(&self.at, &line.subject.key)?;
            Some(ImpactSeed { item, loss: line.loss, whole_loss: line.whole_loss, verdict: line.verdict.into() })
        };
        lines.iter().filter_map(seed).collect()
    }

    /// How many items depend on a seed, directly or not.
    async fn touched_count(&self) -> usize {
        self.assessment.touched()
    }

    /// How many items are wholly lost, seeds left out.
    async fn lost_count(&self) -> usize {
        self.assessment.lost()
    }

    /// How many items lose something, seeds left out.
    async fn affected_count(&self) -> usize {
        self.assessment.affected_count()
    }

    /// How many services are breached, seeds among them.
    async fn breached_service_count(&self) -> usize {
        self.assessment.services_with(keelson_analysis::impact::Verdict::Breached)
    }

    /// How many services are degraded, seeds among them.
    async fn degraded_service_count(&self) -> usize {
        self.assessment.services_with(keelson_analysis::impact::Verdict::Degraded)
    }

    /// The services that lose something: the larger loss first, then the more critical.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ImpactedItem>, Refusal> {
        let services = self.assessment.affected_services();
        self.affected(ctx, "impact.services", services, &Paging::new(first, after, last, before))
    }

    /// Everything that loses something, seeds left out: services first. Following `because` from item
    /// to item gives the whole proof.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ImpactedItem>, Refusal> {
        self.affected(ctx, "impact.items", self.assessment.affected(), &Paging::new(first, after, last, before))
    }

    /// The services that were touched and hold, the most critical first, with what holds them.
    async fn protected_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ProtectedService>, Refusal> {
        let place =
            |item: &ItemIx| (Reverse(self.at.catalogue().ci(CiIx(item.0)).facts().criticality), self.key(*item));
        let protection = self.assessment.protection();
        let node = |item: &ItemIx| ProtectedService {
            at: Arc::clone(&self.at),
            line: self.assessment.protected_line(&protection, *item),
        };
        let (name, paging) =
            (list_name("impact.protectedServices", String::new(), &self.at), Paging::new(first, after, last, before));
        Connection::page(self.assessment.protected(), &paging, &name, &ctx.services().seal, place, node)
    }

    /// How certain the breaches are, and which unknown facts decide; absent when it was left out.
    async fn certainty(&self) -> Option<Certainty> {
        let answer = self.assessment.certainty_answer()?;
        Some(Certainty { at: Arc::clone(&self.at), answer })
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(self.assessment.basis())
    }
}

/// The item of a key at a moment.
pub(super) fn by_key(at: &Arc<Moment>, key: &str) -> Option<ConfigurationItem> {
    at.catalogue().find_key(key).map(|ix| ConfigurationItem::at(at, ix))
}

/// The items of some keys at a moment.
pub(super) fn by_keys(at: &Arc<Moment>, keys: &[String]) -> Vec<ConfigurationItem> {
    keys.iter().filter_map(|key| by_key(at, key)).collect()
}

/// The numbers of some keys at a moment.
pub(super) fn numbers<'a>(at: &Moment, keys: impl Iterator<Item = &'a str>) -> Vec<CiIx> {
    keys.filter_map(|key| at.catalogue().find_key(key)).collect()
}

/// What is lost to begin with.
#[derive(SimpleObject)]
pub struct ImpactSeed {
    /// The configuration item.
    item: ConfigurationItem,
    /// Its own loss, from 0 (whole) to 1 (gone).
    loss: f64,
    /// What it loses in all: more than its own loss where what it needs takes more of it.
    whole_loss: f64,
    /// The verdict on it, with all it loses.
    verdict: Verdict,
}

/// A configuration item that loses something.
pub struct ImpactedItem {
    at: Arc<Moment>,
    line: ImpactLine,
}

/// A configuration item that loses something.
#[Object]
impl ImpactedItem {
    /// The configuration item; every item of the answer is in the catalogue it was computed on.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// Its loss, above 0 and at most 1.
    async fn loss(&self) -> f64 {
        self.line.loss
    }

    /// Breached when it delivers less than it must, otherwise degraded.
    async fn verdict(&self) -> Verdict {
        self.line.verdict.into()
    }

    /// The need that gave way.
    async fn because(&self) -> Option<Because> {
        let line = self.line.because.clone()?;
        Some(Because { at: Arc::clone(&self.at), line })
    }
}

/// Why an item lost something.
pub struct Because {
    pub(super) at: Arc<Moment>,
    pub(super) line: BecauseLine,
}

/// Why an item lost something: the need that gave way, and the members that tripped it.
#[Object]
impl Because {
    /// The need's name; of a plain relationship, how its kind reads.
    async fn need(&self) -> &str {
        &self.line.need.name
    }

    /// How its members combine.
    async fn rule(&self) -> RuleKind {
        RuleKind::named(&self.line.need.rule)
    }

    /// Members that must be up, for a rule that counts.
    async fn required(&self) -> Option<u32> {
        self.line.need.k
    }

    /// Number of members.
    async fn member_count(&self) -> u32 {
        self.line.need.of
    }

    /// The members whose loss made it give way, in the order in which they were lost.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let places: Vec<(usize, CiIx)> =
            numbers(&self.at, self.line.members.iter().map(String::as_str)).into_iter().enumerate().collect();
        let (name, paging) =
            (list_name("because.members", String::new(), &self.at), Paging::new(first, after, last, before));
        let node = |(_, ix): &(usize, CiIx)| ConfigurationItem::at(&self.at, *ix);
        Connection::page(&places, &paging, &name, &ctx.services().seal, |(place, _)| *place, node)
    }

    /// The largest loss it can cause, above 0 and below 1; absent where it is hard.
    async fn largest_loss(&self) -> Option<f64> {
        self.line.need.cap
    }
}

/// A service that was touched and holds.
pub struct ProtectedService {
    at: Arc<Moment>,
    line: ProtectedLine,
}

/// A service that was touched and holds.
#[Object]
impl ProtectedService {
    /// The service.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// What holds it with the smallest margin, least certain first.
    async fn by(&self) -> Option<ProtectingNeed> {
        self.line.by.as_ref().map(|by| ProtectingNeed::of(&self.at, by))
    }

    /// What else holds it, nearest first; at most 100.
    async fn also_by(&self) -> Vec<ProtectingNeed> {
        self.line.also_by.iter().take(100).map(|by| ProtectingNeed::of(&self.at, by)).collect()
    }
}

/// A need that lost members and held.
#[derive(SimpleObject)]
pub struct ProtectingNeed {
    /// The need's name.
    need: String,
    /// The item the need belongs to, when it is not the service itself.
    of_item: Option<ConfigurationItem>,
    /// How its members combine.
    rule: RuleKind,
    /// Members that must be up, for a rule that counts.
    required: Option<u32>,
    /// Number of members.
    member_count: u32,
    /// Members that lost nothing, doubtful ones among them.
    up: u32,
    /// Those of them of which it is in doubt whether they are members; at most 100.
    doubtful: Vec<ConfigurationItem>,
    /// How many further members may fail for certain, however doubts about the need are settled, before it gives way;
    /// absent where members do not count alike.
    margin: Option<u32>,
    /// How many may fail at best, where that depends on how the doubts are settled.
    possible_margin: Option<u32>,
    /// Whether it may have given way already, depending on how the doubts are settled.
    may_have_given_way: bool,
    /// The members that lost something; at most 100.
    lost: Vec<ConfigurationItem>,
}

impl ProtectingNeed {
    pub(super) fn of(at: &Arc<Moment>, by: &ProtectedBy) -> Self {
        Self {
            need: by.need.name.clone(),
            of_item: by.of_item.as_deref().and_then(|key| by_key(at, key)),
            rule: RuleKind::named(&by.need.rule),
            required: by.need.k,
            member_count: by.need.of,
            up: by.up,
            doubtful: by_keys(at, &by.doubtful[..by.doubtful.len().min(100)]),
            margin: by.margin,
            possible_margin: by.possible_margin,
            may_have_given_way: by.may_have_given_way,
            lost: by_keys(at, &by.lost[..by.lost.len().min(100)]),
        }
    }
}
