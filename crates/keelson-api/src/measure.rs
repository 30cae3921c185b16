//! What an operation would cost, before anything is validated or executed.
//!
//! The library computes costs too, but not for fields of an interface, and it walks every
//! expansion of a fragment again: thirty fragments that each spread the next one twice are a
//! thousand million walks. Here every fragment is measured once, innermost first, and its measure
//! is used wherever it is spread.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Value, Variables};

use crate::errors::{Code, Refusal};
use crate::limits::{LARGEST_PAGE, Limits, USUAL_PAGE, own_cost};

/// The measure of a selection, fragments expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    /// What is paid once.
    once: u64,
    /// What is paid for every entry of the page, on a connection.
    per_entry: u64,
    depth: usize,
    fields: u64,
    top_fields: u64,
    /// Values that are computed once, scalars included.
    values: u64,
    /// Values that are computed for every entry of the page.
    values_per_entry: u64,
}

impl Sum {
    /// Adds what stands beside it.
    fn add(&mut self, other: Self) {
        self.once = self.once.saturating_add(other.once);
        self.per_entry = self.per_entry.saturating_add(other.per_entry);
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.top_fields = self.top_fields.saturating_add(other.top_fields);
        self.values = self.values.saturating_add(other.values);
        self.values_per_entry = self.values_per_entry.saturating_add(other.values_per_entry);
    }
}

/// Finds the operation a request means.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` when there is none of that name, or several and no name.
pub fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d Positioned<OperationDefinition>, Refusal> {
    let invalid = |message: String| Refusal::new(Code::GraphqlValidationFailed, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).ok_or_else(|| invalid(format!("there is no operation named '{name}'")))
        }
        (DocumentOperations::Single(_), Some(name)) => Err(invalid(format!("there is no operation named '{name}'"))),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().ok_or_else(|| invalid("there is no operation".to_owned()))
        }
        (DocumentOperations::Multiple(_), None) => {
            Err(invalid("the document has several operations; say which one with operationName".to_owned()))
        }
    }
}

/// Computes the cost of an operation and holds the limits on its shape. The limits hold for every
/// operation of the document, because the library walks all of them.
///
/// # Errors
/// `DOCUMENT_TOO_LARGE`, `COMPLEXITY_EXCEEDED`, and `GRAPHQL_VALIDATION_FAILED` for fragments that
/// spread themselves, which no cost can be computed of.
pub fn cost(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    registry: &Registry,
    limits: &Limits,
) -> Result<u64, Refusal> {
    check_counts(document, limits)?;
    let mut measure = Measure { operation, variables, registry, fragments: HashMap::new() };
    for name in innermost_first(&document.fragments)? {
        let fragment = &document.fragments[name].node;
        let on = fragment.type_condition.node.on.node.as_str();
        let sum = measure.selection(&fragment.selection_set.node, on)?;
        measure.fragments.insert(name, sum);
    }
    for (_, other) in document.operations.iter() {
        if !std::ptr::eq(&raw const other.node, operation) {
            measure.operation = &other.node;
            hold(&measure.whole()?, limits)?;
        }
    }
    measure.operation = operation;
    let sum = measure.whole()?;
    hold(&sum, limits)?;
    Ok(sum.once)
}

/// Holds the limits on the shape and cost of one operation.
fn hold(sum: &Sum, limits: &Limits) -> Result<(), Refusal> {
    if sum.top_fields > limits.root_fields {
        let message =
            format!("an operation may have {} root fields; this one has {}", limits.root_fields, sum.top_fields);
        return Err(Refusal::new(Code::DocumentTooLarge, message));
    }
    let exceeded = |what: &str, limit: u64, found: u64| {
        let message = format!("{what} may be {limit}; this operation has {found}");
        Err(Refusal::new(Code::ComplexityExceeded, message))
    };
    if sum.depth > limits.selection_depth {
        return exceeded("the depth of a selection", limits.selection_depth as u64, sum.depth as u64);
    }
    if sum.fields > limits.expanded_fields {
        return exceeded("the number of fields with all fragments expanded", limits.expanded_fields, sum.fields);
    }
    if sum.once > limits.cost {
        return exceeded("the cost of an operation", limits.cost, sum.once);
    }
    if sum.values > limits.values {
        return exceeded("the number of values in an answer", limits.values, sum.values);
    }
    Ok(())
}

struct Measure<'d> {
    operation: &'d OperationDefinition,
    variables: &'d Variables,
    registry: &'d Registry,
    fragments: HashMap<&'d Name, Sum>,
}

impl Measure<'_> {
    /// Measures the whole operation.
    fn whole(&self) -> Result<Sum, Refusal> {
        let root = match self.operation.ty {
            OperationType::Query => Some(self.registry.query_type.as_str()),
            OperationType::Mutation => self.registry.mutation_type.as_deref(),
            OperationType::Subscription => self.registry.subscription_type.as_deref(),
        };
        self.selection(&self.operation.selection_set.node, root.unwrap_or_default())
    }

    /// Measures a selection on a type. Recursion is as deep as brackets are nested in the document,
    /// which the guard has limited; spreads are looked up and not entered.
    fn selection(&self, set: &SelectionSet, parent: &str) -> Result<Sum, Refusal> {
        let mut sum = Sum::default();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => sum.add(self.field(&field.node, parent)?),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let missing = || {
                        let message = format!("there is no fragment '{name}'");
                        Refusal::new(Code::GraphqlValidationFailed, message)
                    };
                    sum.add(*self.fragments.get(name).ok_or_else(missing)?);
                    // Walking to an empty fragment is work too.
                    sum.fields = sum.fields.saturating_add(1);
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map_or(parent, |on| on.node.on.node.as_str());
                    sum.add(self.selection(&inline.node.selection_set.node, on)?);
                    sum.fields = sum.fields.saturating_add(1);
                }
            }
        }
        Ok(sum)
    }

    fn field(&self, field: &Field, parent: &str) -> Result<Sum, Refusal> {
        let name = field.name.node.as_str();
        let meta = self.registry.types.get(parent).and_then(|meta| meta.field_by_name(name));
        let returned = meta.map_or("", |meta| MetaTypeName::concrete_typename(&meta.ty));
        let is_composite =
            self.registry.types.get(returned).is_some_and(async_graphql::registry::MetaType::is_composite);
        let inner = self.selection(&field.selection_set.node, returned)?;
        let entries = self.entries(field, returned);
        let times = if name == "nodes" && parent == "Query" { entries } else { 1 };
        let with_entries = |own: u64, once: u64, per_entry: u64| {
            own.saturating_add(once.saturating_mul(times)).saturating_add(per_entry.saturating_mul(entries))
        };
        let cost = with_entries(own_cost(parent, name, is_composite), inner.once, inner.per_entry);
        let values = with_entries(1, inner.values, inner.values_per_entry);
        let is_entry = parent.ends_with("Connection") && matches!(name, "edges" | "nodes");
        let (once, per_entry) = if is_entry { (0, cost) } else { (cost, 0) };
        let (values, values_per_entry) = if is_entry { (0, values) } else { (values, 0) };
        let fields = inner.fields.saturating_add(1);
        Ok(Sum { once, per_entry, depth: inner.depth + 1, fields, top_fields: 1, values, values_per_entry })
    }

    /// How many entries a field may return: its page, or the identifiers it was given.
    fn entries(&self, field: &Field, returned: &str) -> u64 {
        if let Some(ids) = self.argument(field, "ids") {
            return if let Value::List(ids) = ids { ids.len() as u64 } else { 1 };
        }
        if !returned.ends_with("Connection") {
            return 1;
        }
        let size = |name| match self.argument(field, name) {
            Some(Value::Number(number)) => number.as_u64(),
            _ => None,
        };
        size("first").or_else(|| size("last")).unwrap_or(USUAL_PAGE as u64).min(LARGEST_PAGE as u64)
    }

    /// The value of an argument, with the variables of the request or their defaults.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let given = field.get_argument(name)?.node.clone();
        let default = |variable: &Name| {
            let definitions = &self.operation.variable_definitions;
            let definition = definitions.iter().find(|definition| definition.node.name.node == *variable)?;
            definition.node.default_value().cloned()
        };
        let value = |variable: Name| self.variables.get(&variable).cloned().or_else(|| default(&variable)).ok_or(());
        given.into_const_with(value).ok()
    }
}

/// The fragments in an order in which every one comes after those it spreads.
fn innermost_first(fragments: &HashMap<Name, Positioned<FragmentDefinition>>) -> Result<Vec<&Name>, Refusal> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Entered,
        Done,
    }
    let mut marks: HashMap<&Name, Mark> = HashMap::new();
    let mut order = Vec::with_capacity(fragments.len());
    for start in fragments.keys() {
        let mut open = vec![(start, false)];
        while let Some((name, is_left)) = open.pop() {
            if is_left {
                marks.insert(name, Mark::Done);
                order.push(name);
                continue;
            }
            match marks.get(name) {
                Some(Mark::Done) => continue,
                Some(Mark::Entered) => {
                    let message = format!("the fragment '{name}' spreads itself");
                    return Err(Refusal::new(Code::GraphqlValidationFailed, message));
                }
                None => {}
            }
            marks.insert(name, Mark::Entered);
            open.push((name, true));
            for spread in spreads(&fragments[name].node.selection_set.node) {
                // A fragment nobody defined is for the validation to refuse.
                if let Some((inner, _)) = fragments.get_key_value(spread) {
                    if marks.get(inner) == Some(&Mark::Entered) {
                        let message = format!("the fragment '{inner}' spreads itself");
                        return Err(Refusal::new(Code::GraphqlValidationFailed, message));
                    }
                    if !marks.contains_key(inner) {
                        open.push((inner, false));
                    }
                }
            }
        }
    }
    Ok(order)
}

/// The fragments a selection spreads, each once.
fn spreads(set: &SelectionSet) -> std::collections::BTreeSet<&Name> {
    let mut found = std::collections::BTreeSet::new();
    let mut open = vec![set];
    while let Some(set) = open.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => open.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => open.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    found.insert(&spread.node.fragment_name.node);
                }
            }
        }
    }
    found
}

/// Holds the limits on what a document is made of.
fn check_counts(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    let too_large = |what: &str, limit: usize| {
        Err(Refusal::new(Code::DocumentTooLarge, format!("a document may have at most {limit} {what}")))
    };
    if document.fragments.len() > limits.fragments {
        return too_large("fragments", limits.fragments);
    }
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    let mut aliases = 0;
    let mut open: Vec<&SelectionSet> = Vec::new();
    let mut directives = 0;
    let mut see = |found: &[Positioned<Directive>]| directives = directives.max(found.len());
    for operation in operations {
        see(&operation.directives);
        operation.variable_definitions.iter().for_each(|variable| see(&variable.node.directives));
        open.push(&operation.selection_set.node);
    }
    for fragment in document.fragments.values() {
        see(&fragment.node.directives);
        open.push(&fragment.node.selection_set.node);
    }
    while let Some(set) = open.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    aliases += usize::from(field.node.alias.is_some());
                    see(&field.node.directives);
                    open.push(&field.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => see(&spread.node.directives),
                Selection::InlineFragment(inline) => {
                    see(&inline.node.directives);
                    open.push(&inline.node.selection_set.node);
                }
            }
        }
    }
    if aliases > limits.aliases {
        return too_large("aliases", limits.aliases);
    }
    if directives > limits.directives {
        let message = format!("a place may have at most {} directives; one has {directives}", limits.directives);
        return Err(Refusal::new(Code::ComplexityExceeded, message));
    }
    Ok(())
}

/// Holds the limits on nesting and number of variables, without recursion. How long a text is plays
/// no part: a batch is one.
///
/// # Errors
/// `DOCUMENT_TOO_DEEP` and `DOCUMENT_TOO_LARGE`.
pub fn check_variables(variables: &serde_json::Value, limits: &Limits) -> Result<(), Refusal> {
    let mut open = vec![(variables, 1_usize)];
    let mut values = 0;
    while let Some((value, depth)) = open.pop() {
        values += 1;
        if values > limits.tokens {
            let message = format!("variables may hold {} values", limits.tokens);
            return Err(Refusal::new(Code::DocumentTooLarge, message));
        }
        let inner = match value {
            serde_json::Value::Array(values) => values.iter().collect::<Vec<_>>(),
            serde_json::Value::Object(fields) => fields.values().collect(),
            _ => continue,
        };
        if depth > limits.variables {
            let message = format!("variables may be nested {} deep", limits.variables);
            return Err(Refusal::new(Code::DocumentTooDeep, message));
        }
        open.extend(inner.into_iter().map(|value| (value, depth + 1)));
    }
    Ok(())
}
