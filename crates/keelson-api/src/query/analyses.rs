//! What can be asked of the graph beside impact: whose failure alone takes a service down, and more.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::errors::Refusal;
use crate::suppose::{SuppositionInput, supposed};
use crate::types::analysis::single_points::{self, SinglePoints, SinglePointsInput};

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
}
