//! What can be asked of the graph beside impact: whose failure alone takes a service down, and more.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::errors::Refusal;
use crate::suppose::{SuppositionInput, measured, supposed};
use crate::types::analysis::availability::{self, Availability, AvailabilityInput};
use crate::types::analysis::capacity::{self, CapacityPlan, CapacityPlanInput};
use crate::types::analysis::concentration::{self, SupplierConcentration, SupplierConcentrationInput};
use crate::types::analysis::cut_sets::{self, CutSets, CutSetsInput};
use crate::types::analysis::demand::{self, Demand, DemandInput};
use crate::types::analysis::drift::{self, Drift, DriftInput};
use crate::types::analysis::health::{self, CatalogueHealth, CatalogueHealthInput};
use crate::types::analysis::promise::{self, PromiseGap, PromiseGapInput};
use crate::types::analysis::recovery::{self, Recovery, RecoveryInput};
use crate::types::analysis::register::{self, InformationRegister, InformationRegisterInput};
use crate::types::analysis::sample::{self, AuditSample, AuditSampleInput};
use crate::types::analysis::single_points::{self, SinglePoints, SinglePointsInput};
use crate::types::analysis::supplier_loss::{self, SupplierLoss, SupplierLossInput};
use crate::types::analysis::throughput::{self, Throughput, ThroughputInput};

/// What can be asked of the graph beside impact.
pub struct AnalysisQuery;

/// What can be asked of the graph beside impact.
#[Object]
impl AnalysisQuery {
    /// Whose failure alone takes a service down, what each item takes down alone, and which change mends most of it.
    async fn single_points(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which services.", default)] input: SinglePointsInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<SinglePoints>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        single_points::find(ctx, at, &input).await.map(Some)
    }

    /// How available services can be, given what they rest on, and what costs them most.
    async fn availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which services.", default)] input: AvailabilityInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<Availability>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        availability::find(ctx, at, &input).await.map(Some)
    }

    /// Which smallest sets of failures breach a service, and how many failures it takes.
    async fn cut_sets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which service.")] input: CutSetsInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<CutSets>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        cut_sets::find(ctx, at, &input).await.map(Some)
    }

    /// In which order things start, how long that takes, and what can never start.
    async fn recovery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is off.", default)] input: RecoveryInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<Recovery>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        recovery::find(ctx, at, &input).await.map(Some)
    }

    /// How much of everything the demand on services takes.
    async fn demand(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose demand.", default)] input: DemandInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<Demand>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        demand::find(ctx, at, &input).await.map(Some)
    }

    /// What runs out first and by when to decide; which redundancy growth takes away, and when.
    async fn capacity_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is planned.", default)] input: CapacityPlanInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<CapacityPlan>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        capacity::find(ctx, at, &input).await.map(Some)
    }

    /// How much a service can carry: as its load is spread now, and if members of redundancy take over from each other.
    async fn throughput(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what.")] input: ThroughputInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<Throughput>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        throughput::find(ctx, at, &input).await.map(Some)
    }

    /// What falls over with a supplier, at any depth.
    async fn supplier_loss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which supplier.")] input: SupplierLossInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<SupplierLoss>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        supplier_loss::find(ctx, at, &input).await.map(Some)
    }

    /// How much rests on few suppliers.
    async fn supplier_concentration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.", default)] input: SupplierConcentrationInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<SupplierConcentration>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        concentration::find(ctx, at, &input).await.map(Some)
    }

    /// Whether contracts are as strong as the promises that rest on them.
    async fn promise_gap(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose promises.", default)] input: PromiseGapInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<PromiseGap>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        promise::find(ctx, at, &input).await.map(Some)
    }

    /// The register of information on contracts for ICT services, and what its rules find.
    async fn information_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.", default)] input: InformationRegisterInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<InformationRegister>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        register::find(ctx, at, &input).await.map(Some)
    }

    /// A sample of the catalogue for an auditor, which can be drawn again from its seed.
    async fn audit_sample(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is drawn.")] input: AuditSampleInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<AuditSample>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        sample::find(ctx, at, &input).await.map(Some)
    }

    /// Where what is declared and what is observed differ, and for which services that matters.
    async fn drift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is compared.")] input: DriftInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<Drift>, Refusal> {
        let at = measured(ctx, supposed(ctx, as_of, suppose).await?).await?;
        drift::find(ctx, at, &input).await.map(Some)
    }

    /// How healthy the catalogue is, weighted by what is at stake.
    async fn catalogue_health(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is looked at.", default)] input: CatalogueHealthInput,
        #[graphql(desc = "A time in the past.")] as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "What is supposed for this question alone.")] suppose: Option<SuppositionInput>,
    ) -> Result<Option<CatalogueHealth>, Refusal> {
        let at = supposed(ctx, as_of, suppose).await?;
        health::find(ctx, at, &input).await.map(Some)
    }
}
