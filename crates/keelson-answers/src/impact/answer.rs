//! The impact answer as it is written.

use chrono::{DateTime, Utc};
use keelson_analysis::impact::{Guard, Protection, Reason, Verdict};
use keelson_graph::{ItemIx, NeedIx};
use keelson_model::Criticality;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certain::CertaintyAnswer;
use super::{Assessment, ci_of, key_of};
use crate::needs::NeedRule;
use crate::{Basis, Subject};

/// A half-open interval of time, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The first moment after it.
    pub end: DateTime<Utc>,
}

/// An item with an own loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeedLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its own loss.
    pub loss: f64,
    /// What it loses in all: more than its own loss where what it needs takes more of it.
    pub whole_loss: f64,
    /// The verdict on it, with all it loses.
    pub verdict: VerdictWord,
}

/// Why an item lost something: the need that gave way and the members that tripped it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Because {
    /// The need that gave way.
    #[serde(flatten)]
    pub need: NeedRule,
    /// The members whose loss made it give way, in the order in which they were lost.
    pub members: Vec<String>,
}

/// An item that loses something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImpactLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Whether it is of class `service` or one below it: a promise made to customers.
    pub is_service: bool,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// Its loss, above 0 and at most 1.
    pub loss: f64,
    /// `breached` when it delivers less than it must, otherwise `degraded`.
    pub verdict: VerdictWord,
    /// Why; `null` only for a seed that its own needs would also bring down.
    pub because: Option<Because>,
}

/// The verdict on an item, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// It loses nothing.
    Protected,
    /// It loses something and still delivers what it must.
    Degraded,
    /// It delivers less than it must.
    Breached,
}

impl From<Verdict> for VerdictWord {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Protected => Self::Protected,
            Verdict::Degraded => Self::Degraded,
            Verdict::Breached => Self::Breached,
        }
    }
}

impl VerdictWord {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Degraded => "degraded",
            Self::Breached => "breached",
        }
    }
}

/// What kept an item from losing anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedBy {
    /// The need that lost members and held.
    #[serde(flatten)]
    pub need: NeedRule,
    /// The item the need belongs to, when it is not the item itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_item: Option<String>,
    /// Members that lost nothing, doubtful ones among them.
    pub up: u32,
    /// Those of them of which it is in doubt whether they are members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubtful: Vec<String>,
    /// How many further members may fail for certain, however doubts about the need are settled,
    /// before it gives way; `null` where members do not count alike.
    pub margin: Option<u32>,
    /// How many may fail at best, where that depends on how the doubts are settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possible_margin: Option<u32>,
    /// Whether it may have given way already, depending on how the doubts are settled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_have_given_way: bool,
    /// The members that lost something.
    pub lost: Vec<String>,
}

/// A service that was touched and holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What holds it with the smallest margin, least certain first.
    pub by: Option<ProtectedBy>,
    /// What else holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_by: Vec<ProtectedBy>,
}

/// What losing the seeds costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImpactAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The items with an own loss.
    pub seeds: Vec<SeedLine>,
    /// The interval in which they are lost, when the question names one.
    pub interval: Option<Interval>,
    /// How many items depend on a seed, directly or not.
    pub touched: usize,
    /// How many items are wholly lost, seeds left out.
    pub lost: usize,
    /// How many items lose something, seeds left out; `items` may show only the first of them.
    pub affected: usize,
    /// How many services are breached: all of them, whatever `items` shows, seeds among them.
    pub breached_services: usize,
    /// How many services are degraded: all of them, whatever `items` shows, seeds among them.
    pub degraded_services: usize,
    /// What loses something: services first, then by loss and criticality. Following `because` from
    /// item to item gives the whole proof.
    pub items: Vec<ImpactLine>,
    /// Services that were touched and hold, with what held them.
    pub protected: Vec<ProtectedLine>,
    /// How certain the breaches are, and which unknown facts decide; absent when not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certainty: Option<CertaintyAnswer>,
}

impl Assessment {
    /// The whole answer, with at most `most` items and as many protected services.
    #[must_use]
    pub fn answer(&self, most: usize) -> ImpactAnswer {
        let mut basis = self.basis.clone();
        basis.page("affected items", most.min(self.affected_count), self.affected_count);
        basis.page("protected services", most.min(self.protected.len()), self.protected.len());
        let protection = self.protection();
        ImpactAnswer {
            basis,
            seeds: self.seed_lines(),
            interval: self.interval,
            touched: self.touched,
            lost: self.lost,
            affected: self.affected_count,
            breached_services: self.services_with(Verdict::Breached),
            degraded_services: self.services_with(Verdict::Degraded),
            items: self.affected().iter().take(most).map(|item| self.line(*item)).collect(),
            protected: self.protected.iter().take(most).map(|item| self.protected_line(&protection, *item)).collect(),
            certainty: self.certainty_answer(),
        }
    }

    /// How many services get a verdict, seeds among them: a change that takes a service itself down
    /// breaches it.
    #[must_use]
    pub fn services_with(&self, verdict: Verdict) -> usize {
        let seeds = self.impact.seeds().iter().filter(|item| self.is_service(**item));
        self.services.iter().chain(seeds).filter(|item| self.verdict(**item) == verdict).count()
    }

    /// The items with an own loss.
    #[must_use]
    pub fn seed_lines(&self) -> Vec<SeedLine> {
        let line = |(item, loss): &(ItemIx, f64)| SeedLine {
            subject: Subject::of(&self.view.catalogue, ci_of(*item)),
            loss: *loss,
            whole_loss: self.impact.loss(*item),
            verdict: self.verdict(*item).into(),
        };
        self.seeds.iter().map(line).collect()
    }

    /// One item that loses something.
    #[must_use]
    pub fn line(&self, item: ItemIx) -> ImpactLine {
        ImpactLine {
            subject: Subject::of(&self.view.catalogue, ci_of(item)),
            is_service: self.is_service(item),
            criticality: self.criticality(item),
            loss: self.impact.loss(item),
            verdict: self.verdict(item).into(),
            because: self.because(item),
        }
    }

    /// Why an item lost something; `None` for a seed and for what lost nothing.
    #[must_use]
    pub fn because(&self, item: ItemIx) -> Option<Because> {
        match self.impact.reason(&self.view.graph, item)? {
            Reason::Seed => None,
            Reason::Need { need, because } => Some(self.because_of(need, &because)),
        }
    }

    fn because_of(&self, need: NeedIx, members: &[ItemIx]) -> Because {
        let catalogue = &self.view.catalogue;
        Because {
            need: NeedRule::of(catalogue, &self.view.graph.need(need)),
            members: members.iter().map(|member| key_of(catalogue, *member)).collect(),
        }
    }

    /// Prepares for questions about what protects.
    #[must_use]
    pub fn protection(&self) -> Protection<'_> {
        let protection = Protection::new(&self.view.graph, &self.impact);
        match &self.certainty {
            Some(certainty) => protection.between(&certainty.optimistic, &certainty.pessimistic),
            None => protection,
        }
    }

    /// One service that was touched and holds.
    #[must_use]
    pub fn protected_line(&self, protection: &Protection<'_>, item: ItemIx) -> ProtectedLine {
        let mut by = protection.of(item).into_iter().map(|guard| self.protected_by(item, &guard));
        ProtectedLine {
            subject: Subject::of(&self.view.catalogue, ci_of(item)),
            criticality: self.criticality(item),
            by: by.next(),
            also_by: by.collect(),
        }
    }

    fn protected_by(&self, item: ItemIx, guard: &Guard) -> ProtectedBy {
        let catalogue = &self.view.catalogue;
        let keys = |members: &[ItemIx]| members.iter().map(|member| key_of(catalogue, *member)).collect();
        ProtectedBy {
            need: NeedRule::of(catalogue, &self.view.graph.need(guard.need)),
            of_item: (guard.owner != item).then(|| key_of(catalogue, guard.owner)),
            up: guard.up,
            doubtful: keys(&guard.doubtful),
            margin: guard.margin.map(|margin| margin.least),
            possible_margin: guard.margin.filter(|margin| margin.most != margin.least).map(|margin| margin.most),
            may_have_given_way: guard.margin.is_some_and(|margin| !margin.is_certain),
            lost: keys(&guard.lost),
        }
    }
}
