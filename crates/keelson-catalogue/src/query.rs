//! Filtering, ordering and paging of configuration items: the one reading code of the command line
//! and of GraphQL, on the present and on the past alike.

use std::cmp::Ordering;

use keelson_model::{ConfigurationItem, Criticality, Lifecycle, Quantity, Standing, Symbol, Value};

use crate::{Catalogue, CiIx};

/// Deepest nesting of a condition.
pub const MAX_CONDITION_DEPTH: usize = 8;
/// Most predicates in one condition.
pub const MAX_PREDICATES: usize = 50;

/// A field of a configuration item that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Its key.
    Key,
    /// Its name.
    Name,
    /// Its class; `Is` also fits the classes below.
    Class,
    /// Its stage of life.
    Lifecycle,
    /// How much depends on it.
    Criticality,
    /// What is known of its existence.
    Standing,
    /// A source that claims it.
    Source,
    /// An attribute of its class, or one that a source states beyond its class.
    Attribute(Symbol),
}

/// Kind of the relationship to who owns something.
pub const OWNER_KIND: &str = "owned_by";

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to one of these; a class also fits the classes below it.
    Is(Vec<Value>),
    /// Equal to none of these, or absent.
    IsNot(Vec<Value>),
    /// Less than.
    Less(Value),
    /// Less than or equal.
    AtMost(Value),
    /// Greater than.
    Greater(Value),
    /// Greater than or equal.
    AtLeast(Value),
    /// Contains the text, without ASCII case.
    Contains(String),
    /// Begins with the text, without ASCII case.
    StartsWith(String),
    /// Absent or explicitly nothing (`true`), or present (`false`).
    IsNull(bool),
}

/// A condition on configuration items.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One field fulfils one test.
    Field(Field, Test),
    /// The key of one of its owners fulfils a test. Ownership is a relationship ([`OWNER_KIND`]),
    /// not a field: there may be several owners, and none to sort by.
    Owner(Test),
    /// All hold; of none, always.
    And(Vec<Condition>),
    /// One holds; of none, never.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// What to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// The field.
    pub field: Field,
    /// From large to small; absent values come last either way.
    pub descending: bool,
}

/// A condition beyond its limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nested too deeply.
    #[error("a condition may be nested {MAX_CONDITION_DEPTH} deep; this one is deeper")]
    TooDeep,
    /// Too many predicates.
    #[error("a condition may have {MAX_PREDICATES} predicates; this one has {found}")]
    TooMany {
        /// Predicates found.
        found: usize,
    },
}

impl Condition {
    /// Checks the limits, without recursion.
    ///
    /// # Errors
    /// Fails when the condition is nested too deeply or has too many predicates.
    pub fn check(&self) -> Result<(), ConditionError> {
        let mut open = vec![(self, 1)];
        let mut found = 0;
        while let Some((condition, depth)) = open.pop() {
            if depth > MAX_CONDITION_DEPTH {
                return Err(ConditionError::TooDeep);
            }
            match condition {
                Self::Field(..) | Self::Owner(_) => found += 1,
                Self::And(all) | Self::Or(all) => open.extend(all.iter().map(|inner| (inner, depth + 1))),
                Self::Not(inner) => open.push((inner, depth + 1)),
            }
        }
        if found > MAX_PREDICATES { Err(ConditionError::TooMany { found }) } else { Ok(()) }
    }

    /// Whether a configuration item fulfils it. Call [`Condition::check`] first: evaluation is as
    /// deep as the condition.
    #[must_use]
    pub fn holds(&self, catalogue: &Catalogue, ci: &ConfigurationItem) -> bool {
        match self {
            Self::And(all) => all.iter().all(|inner| inner.holds(catalogue, ci)),
            Self::Or(any) => any.iter().any(|inner| inner.holds(catalogue, ci)),
            Self::Not(inner) => !inner.holds(catalogue, ci),
            Self::Field(Field::Class, Test::Is(classes)) => {
                classes.iter().filter_map(Value::as_text).any(|class| catalogue.schema().classes.is_a(&ci.class, class))
            }
            Self::Field(Field::Class, Test::IsNot(classes)) => !classes
                .iter()
                .filter_map(Value::as_text)
                .any(|class| catalogue.schema().classes.is_a(&ci.class, class)),
            Self::Field(Field::Source, test) => {
                one_fulfils(ci.live_claims().map(|claim| Value::text(&claim.provenance.source)), test)
            }
            Self::Field(field, test @ (Test::Contains(_) | Test::StartsWith(_))) => {
                fulfils(value(ci, field).as_ref(), test)
            }
            Self::Field(field, test) => fulfils(measured(catalogue, ci, field).as_ref(), test),
            Self::Owner(test) => one_fulfils(owners(catalogue, ci).map(|owner| Value::text(&owner.key)), test),
        }
    }
}

/// Whether one of several values fulfils a test; what must not be, none of them may be.
fn one_fulfils(mut values: impl Iterator<Item = Value>, test: &Test) -> bool {
    match test {
        Test::IsNull(wanted) => values.next().is_none() == *wanted,
        Test::IsNot(unwanted) => !values.any(|value| unwanted.contains(&value)),
        test => values.any(|value| fulfils(Some(&value), test)),
    }
}

/// Who owns a configuration item, by relationships that are not withdrawn.
fn owners<'a>(catalogue: &'a Catalogue, ci: &ConfigurationItem) -> impl Iterator<Item = &'a ConfigurationItem> {
    let dependencies = catalogue.find_id(ci.id).map_or(&[][..], |ix| &catalogue.slot(ix).dependencies);
    let slots = dependencies.iter().map(|ix| catalogue.relationship(*ix));
    let live = slots
        .filter(|slot| slot.relationship.key.kind == OWNER_KIND && slot.relationship.standing != Standing::Withdrawn);
    live.map(|slot| &**catalogue.ci(slot.dependency))
}

/// The value of a field; of the source, the first live one.
#[must_use]
pub fn value(ci: &ConfigurationItem, field: &Field) -> Option<Value> {
    match field {
        Field::Key => Some(Value::text(&ci.key)),
        Field::Name => Some(Value::text(ci.name())),
        Field::Class => Some(Value::text(&ci.class)),
        Field::Lifecycle => Some(Value::text(ci.lifecycle().as_str())),
        Field::Criticality => ci.facts().criticality.map(|criticality| Value::text(criticality.as_str())),
        Field::Standing => Some(Value::text(ci.standing.as_str())),
        Field::Source => ci.live_claims().next().map(|claim| Value::text(&claim.provenance.source)),
        Field::Attribute(name) => match ci.attribute(name) {
            Some(value) => Some(value).filter(|value| **value != Value::Null).cloned(),
            None => ci.facts().unmodelled.get(name).and_then(|text| unmodelled(text)),
        },
    }
}

/// The value of a field as tests compare it: a number that its class keeps in a unit, with that unit.
fn measured(catalogue: &Catalogue, ci: &ConfigurationItem, field: &Field) -> Option<Value> {
    let value = value(ci, field)?;
    let (Field::Attribute(name), true) = (field, is_plain_number(&value)) else { return Some(value) };
    let class = catalogue.schema().classes.get(&ci.class);
    let unit = class.and_then(|class| class.attributes.get(name)?.unit.clone());
    Some(match (unit, value.as_decimal()) {
        (Some(unit), Some(number)) => Value::Quantity(Quantity { value: number, unit }),
        _ => value,
    })
}

fn is_plain_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Decimal(_))
}

/// A value that no class describes, as far as its JSON text says what it is.
fn unmodelled(json: &str) -> Option<Value> {
    let quoted = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|text| !text.contains('\\'));
    match (json, quoted) {
        ("null", _) => None,
        (_, Some(text)) => Some(Value::text(text)),
        ("true" | "false", None) => Some(Value::Boolean(json == "true")),
        (json, None) => Some(json.parse().map_or_else(|_| Value::text(json), Value::Integer)),
    }
}

fn fulfils(value: Option<&Value>, test: &Test) -> bool {
    let compared = |with: &Value, wanted: fn(Ordering) -> bool| {
        // A number of nobody knows what is neither more nor less than an amount.
        let comparable = value.filter(|value| !(is_plain_number(value) && matches!(with, Value::Quantity(_))));
        comparable.and_then(|value| compare(value, with)).is_some_and(wanted)
    };
    let text = |wanted: &str, fits: fn(&str, &str) -> bool| {
        let lower = wanted.to_ascii_lowercase();
        value.is_some_and(|value| fits(&value.to_string().to_ascii_lowercase(), &lower))
    };
    match test {
        Test::Is(wanted) => wanted.iter().any(|wanted| compared(wanted, Ordering::is_eq)),
        Test::IsNot(unwanted) => !unwanted.iter().any(|unwanted| compared(unwanted, Ordering::is_eq)),
        Test::Less(with) => compared(with, Ordering::is_lt),
        Test::AtMost(with) => compared(with, Ordering::is_le),
        Test::Greater(with) => compared(with, Ordering::is_gt),
        Test::AtLeast(with) => compared(with, Ordering::is_ge),
        Test::Contains(wanted) => text(wanted, |value, wanted| value.contains(wanted)),
        Test::StartsWith(wanted) => text(wanted, |value, wanted| value.starts_with(wanted)),
        Test::IsNull(wanted) => value.is_none() == *wanted,
    }
}

/// Compares two values where that means something: numbers with numbers of the same unit, times
/// with times, texts with texts. A text that is a stage of life or a criticality compares by rank.
fn compare(value: &Value, with: &Value) -> Option<Ordering> {
    match (value, with) {
        (Value::Quantity(a), Value::Quantity(b)) => {
            let converted = keelson_model::unit::convert(b.value, &b.unit, &a.unit)?;
            Some(a.value.cmp(&converted))
        }
        (Value::Text(a), Value::Text(b)) => {
            let ranks = |text: &str| text.parse::<Criticality>().ok().map(|rank| rank as u8);
            let stages = |text: &str| text.parse::<Lifecycle>().ok().map(|stage| stage as u8);
            match (ranks(a).zip(ranks(b)), stages(a).zip(stages(b))) {
                (Some((a, b)), _) | (None, Some((a, b))) => Some(a.cmp(&b)),
                (None, None) => Some(a.cmp(b)),
            }
        }
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        (Value::List(values), with) if !matches!(with, Value::List(_)) => {
            // A list fulfils a test when one of its values does; equality is what people ask for.
            values.iter().any(|value| value == with).then_some(Ordering::Equal)
        }
        _ => Some(value.as_decimal()?.cmp(&with.as_decimal()?)),
    }
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which ones; absent means all that are not withdrawn.
    pub condition: Option<Condition>,
    /// In which order; the key decides between equals.
    pub order: Vec<OrderBy>,
    /// Words that must all occur in key, name or attributes, without ASCII case.
    pub text: Vec<String>,
    /// Also withdrawn ones.
    pub withdrawn: bool,
}

impl Query {
    /// The numbers of the configuration items asked for, in order.
    ///
    /// # Errors
    /// Fails when the condition is beyond its limits.
    pub fn run(&self, catalogue: &Catalogue) -> Result<Vec<CiIx>, ConditionError> {
        if let Some(condition) = &self.condition {
            condition.check()?;
        }
        let words: Vec<String> = self.text.iter().map(|word| word.to_lowercase()).collect();
        let mut found: Vec<CiIx> = catalogue
            .cis()
            .filter(|(_, slot)| self.withdrawn || slot.ci.standing != Standing::Withdrawn)
            .filter(|(_, slot)| self.condition.as_ref().is_none_or(|c| c.holds(catalogue, &slot.ci)))
            .filter(|(_, slot)| words.is_empty() || mentions(&slot.ci, &words))
            .map(|(ix, _)| ix)
            .collect();
        found.sort_by(|a, b| self.compare(catalogue.ci(*a), catalogue.ci(*b)));
        Ok(found)
    }

    /// Which of two configuration items comes first.
    #[must_use]
    pub fn compare(&self, a: &ConfigurationItem, b: &ConfigurationItem) -> Ordering {
        for by in &self.order {
            let order = match (value(a, &by.field), value(b, &by.field)) {
                (Some(a), Some(b)) => {
                    let order = compare(&a, &b).unwrap_or_else(|| a.cmp(&b));
                    if by.descending { order.reverse() } else { order }
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            if order.is_ne() {
                return order;
            }
        }
        a.key.cmp(&b.key).then(a.id.cmp(&b.id))
    }
}

/// Whether every word occurs somewhere in the item.
fn mentions(ci: &ConfigurationItem, words: &[String]) -> bool {
    let facts = ci.facts();
    words.iter().all(|word| {
        ci.key.to_lowercase().contains(word)
            || ci.name().to_lowercase().contains(word)
            || facts.attributes.values().any(|value| value.to_string().to_lowercase().contains(word))
    })
}
