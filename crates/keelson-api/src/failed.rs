//! Fields that failed, as the specification wants them: a nullable field becomes null, a field that
//! cannot be null takes what it stands in with it, up to the next that can, and every error has its
//! path.
//!
//! The library leaves failed fields out of the answer instead, so that a client could not tell one
//! from a field it never asked for (*GraphQL* specification, 6.4.4 Handling Field Errors).

use async_graphql::extensions::{NextResolve, ResolveInfo};
use async_graphql::{Name, PathSegment, QueryPathNode, QueryPathSegment, ServerError, ServerResult, Value};

/// Stands for a failed value that cannot be null, until what it stands in is known. No enumeration
/// has a word like it.
const MARK: &str = "\u{0}failed";

/// Errors of fields, collected while the request runs.
pub(crate) type Errors = std::sync::Mutex<Vec<ServerError>>;

/// Resolves a field, and puts null or a mark where it failed.
pub(crate) async fn resolve(
    errors: &Errors,
    ctx: &async_graphql::extensions::ExtensionContext<'_>,
    info: ResolveInfo<'_>,
    next: NextResolve<'_>,
) -> ServerResult<Option<Value>> {
    if info.is_for_introspection {
        return next.run(ctx, info).await;
    }
    let (node, is_nullable) = (info.path_node, !info.return_type.ends_with('!'));
    let failed = match next.run(ctx, info).await {
        Ok(Some(value)) if !holds_failed(&value) => return Ok(Some(value)),
        Ok(None) => return Ok(None),
        Ok(Some(_)) => None,
        Err(error) => Some(error),
    };
    if let Some(mut error) = failed {
        if error.path.is_empty() {
            error.path = path(node);
        }
        errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(error);
    }
    Ok(Some(if is_nullable { Value::Null } else { Value::Enum(Name::new(MARK)) }))
}

/// The data of an answer, or null when a failed field took all of it with it.
pub(crate) fn settle(data: Value) -> Value {
    if holds_failed(&data) { Value::Null } else { data }
}

fn is_mark(value: &Value) -> bool {
    matches!(value, Value::Enum(name) if name.as_str() == MARK)
}

/// Whether something directly in a value failed and could not be null.
fn holds_failed(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(is_mark),
        Value::List(values) => values.iter().any(is_mark),
        value => is_mark(value),
    }
}

fn path(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let mut path = Vec::new();
    let mut at = Some(node);
    while let Some(node) = at {
        path.push(match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        });
        at = node.parent;
    }
    path.reverse();
    path
}
