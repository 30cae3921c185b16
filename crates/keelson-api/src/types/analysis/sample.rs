//! A sample of the catalogue for an auditor.

use std::sync::Arc;

use super::{LISTED, answered};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::words::Criticality;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::sample::{
    EvidenceLine, SampleAnswer, SampleQuestion, SampleVerdict as SampleVerdictLine, SampledItem as SampledItemLine,
    Stratum, sample,
};

/// Most items a sample may have.
const MOST_SAMPLED: u32 = 100_000;

/// What is drawn.
#[derive(Clone, Debug, InputObject)]
pub struct AuditSampleInput {
    /// The period that is audited, in the auditor's words: `2026-Q3`. It is part of the seed.
    pub period: String,
    /// Only this class and those below it; absent: everything in service.
    pub class: Option<String>,
    /// The confidence wanted, between 0 and 1.
    #[graphql(default = 0.95)]
    pub confidence: f64,
    /// The share of deviations that would be tolerable, between 0 and 1.
    #[graphql(default = 0.05)]
    pub tolerable: f64,
    /// Deviations that are allowed in the sample.
    #[graphql(default = 0)]
    pub deviations: u32,
    /// How many items to draw, at most 100000, instead of as many as follow from the others.
    pub size: Option<u32>,
    /// Deviations found, once it has been looked at; then the answer judges them.
    pub found: Option<u32>,
}

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &AuditSampleInput) -> Result<AuditSample, Refusal> {
    let question = SampleQuestion {
        period: input.period.clone(),
        class: input.class.clone(),
        confidence: input.confidence,
        tolerable: input.tolerable,
        deviations: u64::from(input.deviations),
        size: input.size.map(|size| u64::from(size.min(MOST_SAMPLED))),
        found: input.found.map(u64::from),
        most: LISTED,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| sample(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(AuditSample { at, answer })
}

/// A sample for an auditor.
pub struct AuditSample {
    at: Arc<Moment>,
    answer: SampleAnswer,
}

/// A sample for an auditor.
#[Object]
impl AuditSample {
    /// The period that is audited.
    async fn period(&self) -> String {
        self.answer.period.clone()
    }

    /// The class the population is of; absent: everything in service.
    async fn class(&self) -> Option<String> {
        self.answer.class.clone()
    }

    /// How many items the population has: those in service that somebody has described.
    async fn population(&self) -> usize {
        self.answer.population
    }

    /// How many items are referred to beside these that nobody has described: none of them is drawn.
    async fn placeholders(&self) -> usize {
        self.answer.placeholders
    }

    /// SHA-256 of the population: the keys and versions of its items, in order of their keys.
    async fn population_digest(&self) -> String {
        self.answer.population_digest.clone()
    }

    /// SHA-256 of period and population digest: from this the same sample is drawn again.
    async fn seed(&self) -> String {
        self.answer.seed.clone()
    }

    /// The confidence wanted.
    async fn confidence(&self) -> f64 {
        self.answer.confidence
    }

    /// The share of deviations that would be tolerable.
    async fn tolerable(&self) -> f64 {
        self.answer.tolerable
    }

    /// Deviations that are allowed in the sample.
    async fn deviations(&self) -> u64 {
        self.answer.deviations
    }

    /// How many items are drawn.
    async fn size(&self) -> usize {
        self.answer.size
    }

    /// The confidence a sample of this size gives when no more deviations are found than are allowed.
    async fn reached_confidence(&self) -> f64 {
        self.answer.reached_confidence
    }

    /// The parts of the population, the most critical first.
    async fn strata(&self) -> Vec<SampleStratum> {
        let at = &self.at;
        self.answer.strata.iter().take(LONGEST_LIST).map(|one| SampleStratum::of(at, one)).collect()
    }

    /// The items drawn, in the order of drawing; at most the first 10000.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SampledItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("auditSample.items", String::new());
        placed(ctx, &self.at, list, &self.answer.items, &paging, |one| SampledItem::of(&self.at, one))
    }

    /// What the deviations found prove; absent while nobody said how many there are.
    async fn verdict(&self) -> Option<SampleVerdict> {
        let at = &self.at;
        self.answer.verdict.as_ref().map(|one| SampleVerdict::of(at, one))
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// What the deviations found prove.
#[derive(SimpleObject)]
pub struct SampleVerdict {
    /// How many deviations were found.
    found: u64,
    /// The share that deviates at most, with the confidence wanted.
    upper_limit: f64,
    /// Whether that is tolerable.
    is_tolerable: bool,
}

impl SampleVerdict {
    fn of(_at: &Arc<Moment>, line: &SampleVerdictLine) -> Self {
        Self { found: line.found, upper_limit: line.upper_limit, is_tolerable: line.is_tolerable }
    }
}

/// An item that was drawn, with the evidence there is of it.
#[derive(SimpleObject)]
pub struct SampledItem {
    /// Its number in the order of drawing, from 1.
    number: usize,
    /// The item.
    item: Option<ConfigurationItem>,
    /// The highest criticality of a service that rests on it.
    criticality: Option<Criticality>,
    /// Its stage of life.
    lifecycle: String,
    /// Its version: how often its record changed.
    version: u32,
    /// How many commits changed it.
    changes: usize,
    /// The sources that state it, each with when it last confirmed it; the first 100.
    evidence: Vec<SampleEvidence>,
    /// How many relationships and needs it has of its own.
    relationships: usize,
    /// Whether it was last seen longer ago than its class allows.
    is_stale: bool,
    /// Digest of its record as it stood, SHA-256.
    digest: String,
}

impl SampledItem {
    fn of(at: &Arc<Moment>, line: &SampledItemLine) -> Self {
        Self {
            number: line.number,
            item: by_key(at, &line.subject.key),
            criticality: line.criticality.map(Into::into),
            lifecycle: line.lifecycle.clone(),
            version: line.version,
            changes: line.changes,
            evidence: line.evidence.iter().take(LONGEST_LIST).map(|one| SampleEvidence::of(at, one)).collect(),
            relationships: line.relationships,
            is_stale: line.is_stale,
            digest: line.digest.clone(),
        }
    }
}

/// Who states an item.
#[derive(SimpleObject)]
pub struct SampleEvidence {
    /// The source.
    source: String,
    /// What the source calls it.
    source_key: String,
    /// When it last confirmed it.
    confirmed_at: DateTime<Utc>,
}

impl SampleEvidence {
    fn of(_at: &Arc<Moment>, line: &EvidenceLine) -> Self {
        Self { source: line.source.clone(), source_key: line.source_key.clone(), confirmed_at: line.confirmed_at }
    }
}

/// A part of the population: what rests on services up to a criticality.
#[derive(SimpleObject)]
pub struct SampleStratum {
    /// The highest criticality of a service that rests on its items; absent where none states one, or nothing rests.
    criticality: Option<Criticality>,
    /// How many items it has.
    population: usize,
    /// How many of them are drawn.
    drawn: usize,
}

impl SampleStratum {
    fn of(_at: &Arc<Moment>, line: &Stratum) -> Self {
        Self { criticality: line.criticality.map(Into::into), population: line.population, drawn: line.drawn }
    }
}
