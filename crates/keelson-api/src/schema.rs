//! The schema, and the extension that holds its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextRequest, NextResolve, NextSubscribe,
    ResolveInfo,
};
use async_graphql::{Request, Response, SDLExportOptions, Schema, ServerError, ServerResult, Value};
use futures::stream::{BoxStream, StreamExt};

use crate::context::Services;
use crate::errors::Refusal;
use crate::failed;
use crate::limits::Limits;
use crate::measure;
use crate::mutation::{CatalogueMutation, ChangeMutation, Mutation, SeriesMutation};
use crate::query::{AnalysisQuery, CatalogueQuery, ChangeQuery, Query};
use crate::subscription::Subscription;
use crate::types::item::ConfigurationItem;
use crate::types::node::Node;

/// Keelson's schema.
pub type KeelsonSchema = Schema<Query, Mutation, Subscription>;

/// Deepest nesting of selections the library may walk; the guard has refused deeper ones before.
const DEEPEST: usize = 32;

/// The schema over a catalogue.
pub(crate) fn over(services: Arc<Services>) -> KeelsonSchema {
    let limits = services.limits.clone();
    builder().extension(Passage { limits, errors: Arc::default() }).data(services).finish()
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    let query = Query(CatalogueQuery, ChangeQuery, AnalysisQuery);
    let mutation = Mutation(CatalogueMutation, ChangeMutation, SeriesMutation);
    Schema::build(query, mutation, Subscription)
        .limit_directives(5)
        .limit_recursive_depth(DEEPEST)
        .register_output_type::<Node>()
        .register_output_type::<ConfigurationItem>()
}

/// The schema in the schema definition language, the same on every machine.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    builder().finish().sdl_with_options(options)
}

/// What an operation costs, for whoever answers it.
#[derive(Clone, Default)]
pub(crate) struct Price(Arc<AtomicU64>);

impl Price {
    pub(crate) fn points(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What we do around every request: refuses what costs too much before anything is validated, and
/// makes answers of fields that failed.
struct Passage {
    limits: Limits,
    errors: Arc<failed::Errors>,
}

/// Puts the errors of fields into the answer they belong to.
fn settled(mut response: Response, errors: &failed::Errors) -> Response {
    let mut errors = errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    response.errors.append(&mut errors);
    response.data = failed::settle(std::mem::take(&mut response.data));
    response
}

impl ExtensionFactory for Passage {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self { limits: self.limits.clone(), errors: Arc::default() })
    }
}

#[async_trait]
impl Extension for Passage {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        settled(next.run(ctx).await, &self.errors)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let errors = Arc::clone(&self.errors);
        // The events of one operation are answered one after the other.
        next.run(ctx, stream).map(move |response| settled(response, &errors)).boxed()
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        failed::resolve(&self.errors, ctx, info, next).await
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        let name = request.operation_name.clone();
        let variables = request.variables.clone();
        let document = request.parsed_query()?;
        let points = measure::operation(document, name.as_deref()).and_then(|operation| {
            measure::cost(document, &operation.node, &variables, &ctx.schema_env.registry, &self.limits)
        });
        let points = points.map_err(server_error)?;
        if let Some(price) =
            request.data.get(&std::any::TypeId::of::<Price>()).and_then(|price| price.downcast_ref::<Price>())
        {
            price.0.store(points, Ordering::Relaxed);
        }
        Ok(request)
    }
}

/// A refusal as an error of the whole request.
pub(crate) fn server_error(refusal: Refusal) -> ServerError {
    let mut error = async_graphql::Error::from(refusal).into_server_error(async_graphql::Pos::default());
    error.locations.clear();
    error
}
