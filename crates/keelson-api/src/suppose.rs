//! What a question supposes, as clients say it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject};
use chrono::{DateTime, Utc};
use keelson_app::{Suppose, WhatIf};
use keelson_import_batch::BatchImporter;
use keelson_importer::{Context as ImportContext, EnvelopeError, Importer, Input, SourceFile};
use keelson_model::Batch;

use crate::context::{Find, compute, moment};
use crate::errors::Refusal;
use crate::limits::MOST_VALUES;
use crate::moment::Moment;

/// The source of a batch that names none.
const SOURCE: &str = "what-if";

/// Something supposed for one question alone. Nothing is written.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SuppositionInput {
    /// Scenarios by name or key; at most 100.
    #[graphql(default)]
    pub scenarios: Vec<String>,
    /// A batch that would be imported, in the batch format: the question is answered as if it had been. It names
    /// the source whose rows it would replace.
    pub what_if: Option<String>,
}

/// Reads batches out of text in the batch format.
///
/// # Errors
/// When it is not in the batch format.
pub fn read_batches(
    name: &str,
    content: &str,
    source: String,
    options: BTreeMap<String, String>,
) -> Result<Vec<Batch>, EnvelopeError> {
    let input = Input::from_files(vec![SourceFile::from_bytes(name, content.as_bytes())]);
    let observed_at = keelson_app::system::now();
    let context = ImportContext { source, scope: None, complete: false, observed_at, options };
    BatchImporter.normalise(&input, &context)
}

/// Reads what a file supposes: one or several batches in the batch format.
///
/// # Errors
/// When it is not in the batch format.
pub fn read_what_if(name: &str, content: &str) -> Result<WhatIf, EnvelopeError> {
    let batches = read_batches(name, content, SOURCE.to_owned(), BTreeMap::new())?;
    Ok(WhatIf { name: name.to_owned(), batches })
}

/// A moment with its measured series beside it.
pub(crate) async fn measured(ctx: &Context<'_>, at: Arc<Moment>) -> Result<Arc<Moment>, Refusal> {
    let view = ctx.services().keelson.with_series(at.view.clone()).await?;
    Ok(Arc::new(Moment { view, asked: at.asked }))
}

/// The moment a field reads, under what is supposed for it.
pub(crate) async fn supposed(
    ctx: &Context<'_>,
    as_of: Option<DateTime<Utc>>,
    suppose: Option<SuppositionInput>,
) -> Result<Arc<Moment>, Refusal> {
    let at = moment(ctx, as_of).await?;
    let Some(SuppositionInput { scenarios, what_if }) = suppose else { return Ok(at) };
    if scenarios.len() > MOST_VALUES {
        let message = format!("{} scenarios were given; {MOST_VALUES} are the most", scenarios.len());
        return Err(Refusal::input(message));
    }
    let keelson = ctx.services().keelson.clone();
    let work = move || {
        let read = what_if.map(|content| read_what_if("what-if", &content)).transpose();
        let what_if = read.map_err(|error| Refusal::input(error.to_string()))?;
        let view = keelson.suppose(&at.view, &Suppose { scenarios, what_if })?;
        Ok(Arc::new(Moment { view, asked: at.asked }))
    };
    compute(ctx.services(), work).await?
}
