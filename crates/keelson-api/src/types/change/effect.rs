//! What a change does to one service.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::TimeDelta;
use keelson_app::answers::change::{EffectLine, PointFailure};
use rust_decimal::prelude::FromPrimitive;

use super::words::Effect;
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::impact::{Because, ProtectingNeed, by_key, by_keys, numbers};
use crate::types::item::{ConfigurationItem, listed};
use crate::types::scalar::{Decimal, Duration};

/// An amount of money.
#[derive(SimpleObject)]
pub struct Money {
    /// How much.
    amount: Decimal,
    /// The currency: `EUR`.
    currency: String,
}

impl Money {
    /// `20000 EUR`.
    fn read(text: &str) -> Option<Self> {
        let (amount, currency) = text.split_once(' ')?;
        Some(Self { amount: Decimal(amount.parse().ok()?), currency: currency.to_owned() })
    }

    /// A computed amount of a currency, to a hundredth.
    pub(crate) fn of(amount: f64, currency: &str) -> Self {
        Self { amount: Self::rounded(amount), currency: currency.to_owned() }
    }

    /// A computed amount, to a hundredth.
    pub(super) fn rounded(amount: f64) -> Decimal {
        Decimal(rust_decimal::Decimal::from_f64(amount).unwrap_or_default().round_dp(2))
    }
}

/// Somebody to be asked or told.
#[derive(SimpleObject)]
pub struct Party {
    /// Who, as a configuration item; absent when only a text says who.
    item: Option<ConfigurationItem>,
    /// Who, in words: the key of the item, or what somebody wrote.
    name: String,
}

impl Party {
    pub(super) fn of(at: &Arc<Moment>, name: &str) -> Self {
        Self { item: by_key(at, name), name: name.to_owned() }
    }
}

/// One line of a proof that a service loses something.
#[derive(SimpleObject)]
pub struct ProofLine {
    /// How far it is indented.
    depth: u32,
    /// The item.
    item: Option<ConfigurationItem>,
    /// The item's loss.
    loss: f64,
    /// Why, in words: `web pool: needs 2 of 3`.
    because: String,
    /// Whether its own reasons were shown further up.
    is_shown_above: bool,
}

/// The effect of a change on one service.
pub struct ServiceEffect {
    pub(super) at: Arc<Moment>,
    pub(super) line: EffectLine,
}

/// The effect of a change on one service.
#[Object]
impl ServiceEffect {
    /// The service.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// What becomes of it, at worst.
    async fn effect(&self) -> Effect {
        self.line.effect.into()
    }

    /// Whether that is so however the unknown facts turn out.
    async fn is_certain(&self) -> bool {
        self.line.is_certain
    }

    /// The fraction of it that is lost: needs as written, and what is known to fall short of its load.
    async fn loss(&self) -> f64 {
        self.line.loss
    }

    /// The fraction that is lost at worst because what is left of some redundancy does not carry its load, though enough
    /// of it is left by what is declared; absent where that is no more than by the needs as written.
    async fn loss_by_load(&self) -> Option<f64> {
        self.line.lost_by_load
    }

    /// The fraction that is lost anyway, without the change.
    async fn loss_before(&self) -> f64 {
        self.line.lost_before
    }

    /// For how long; absent without a window.
    async fn duration(&self) -> Option<Duration> {
        #[expect(clippy::cast_possible_truncation, reason = "windows lie within a few centuries")]
        let seconds = |hours: f64| (hours * 3_600.0).round() as i64;
        self.line.hours.and_then(|hours| TimeDelta::try_seconds(seconds(hours))).map(Duration)
    }

    /// How many members of a redundancy need the change takes from it, of the need that loses most.
    async fn margin_taken(&self) -> u32 {
        self.line.margin_taken
    }

    /// How many more members may then fail before a need gives way, of the need with the smallest margin;
    /// absent when no redundancy is in the way.
    async fn margin(&self) -> Option<u32> {
        self.line.margin
    }

    /// Single failures that would then breach it and would not otherwise, by key.
    async fn new_single_points(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers(&self.at, self.line.new_single_points.iter().map(String::as_str));
        listed(&ctx.services().seal, &self.at, "serviceEffect.newSinglePoints", found, &paging)
    }

    /// How likely one of those is to fail while the change is under way; absent without a window, and where there are none.
    async fn new_single_point_failure(&self) -> Option<SinglePointFailure> {
        let PointFailure { chance, unstated } = self.line.point_failure?;
        Some(SinglePointFailure { chance, unstated_count: unstated })
    }

    /// Whether those were looked for; only where the change takes some redundancy.
    async fn is_examined_for_single_points(&self) -> bool {
        self.line.single_points_examined
    }

    /// Why it loses something.
    async fn because(&self) -> Option<Because> {
        let line = self.line.because.clone()?;
        Some(Because { at: Arc::clone(&self.at), line })
    }

    /// The whole proof, a line each, at most 100; empty where nothing is lost.
    async fn proof(&self) -> Vec<ProofLine> {
        let line = |line: &keelson_app::answers::impact::ProofText| ProofLine {
            depth: line.depth,
            item: by_key(&self.at, &line.key),
            loss: line.loss,
            because: line.why.clone(),
            is_shown_above: line.shown_above,
        };
        self.line.proof.iter().take(LONGEST_LIST).map(line).collect()
    }

    /// What keeps it from losing anything; the first 100.
    async fn protected_by(&self) -> Vec<ProtectingNeed> {
        self.line.protected_by.iter().take(LONGEST_LIST).map(|by| ProtectingNeed::of(&self.at, by)).collect()
    }

    /// Who owns it; the first 100.
    async fn owners(&self) -> Vec<Party> {
        self.line.owners.iter().take(LONGEST_LIST).map(|owner| Party::of(&self.at, owner)).collect()
    }

    /// Whom it is provided to; the first 100.
    async fn customers(&self) -> Vec<ConfigurationItem> {
        let keys = self.line.customers.iter().take(LONGEST_LIST).map(|customer| customer.key.clone());
        by_keys(&self.at, &keys.collect::<Vec<_>>())
    }

    /// What an hour without it costs, where stated.
    async fn value_per_hour(&self) -> Option<Money> {
        self.line.value_per_hour.as_deref().and_then(Money::read)
    }
}

/// How likely one of some items is to fail in a time, each independently of the others.
#[derive(SimpleObject)]
pub struct SinglePointFailure {
    /// The chance, from those that state their unavailability and their time to repair.
    chance: f64,
    /// How many do not: the true chance is higher.
    unstated_count: usize,
}
