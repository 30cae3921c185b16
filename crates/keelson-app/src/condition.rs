//! Conditions as people type them: `memory >= 16 GiB`, `name ~ pay`, `owner = null`.
//!
//! A condition that no item could ever fulfil, because nobody knows the field or the unit, is an
//! error: an empty answer would be taken for a fact.

use std::collections::BTreeSet;
use std::sync::Arc;

use keelson_answers::QuestionError;
use keelson_answers::items::known_class;
use keelson_catalogue::Catalogue;
use keelson_catalogue::query::{Condition, Field, Test};
use keelson_model::{AttributeDefinition, Quantity, Symbol, Value, unit};
use rust_decimal::Decimal;
use thiserror::Error;

/// A condition that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionSyntaxError {
    /// It is not field, operator and value.
    #[error(
        "the condition '{text}' cannot be read; write FIELD OPERATOR VALUE with one of = != < <= > >= ~ (contains), \
         for example: criticality >= high"
    )]
    Unreadable {
        /// What was given.
        text: String,
    },
    /// A field that nothing has.
    #[error("there is no field '{field}': no class has such an attribute and no item has it stored{}", hint(.similar))]
    UnknownField {
        /// The field asked for.
        field: String,
        /// Fields that look like it.
        similar: Vec<String>,
    },
    /// A unit that nobody knows.
    #[error("'{unit}' in the condition on '{field}' is not a known unit{}", hint(.similar))]
    UnknownUnit {
        /// The field asked for.
        field: String,
        /// The unit given.
        unit: String,
        /// Units that look like it.
        similar: Vec<String>,
    },
    /// A unit that measures something else than the field.
    #[error("'{field}' is kept in {expected}; '{unit}' measures something else")]
    WrongUnit {
        /// The field asked for.
        field: String,
        /// The unit of the field.
        expected: Symbol,
        /// The unit given.
        unit: Symbol,
    },
}

fn hint(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; did you mean {}?", similar.join(", ")) }
}

/// The operators, longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];
/// Fields that every item has.
const FIELDS: [&str; 8] = ["key", "name", "class", "lifecycle", "criticality", "standing", "source", OWNER];
/// The field that stands for a relationship.
const OWNER: &str = "owner";

/// A class and conditions as one condition; `None` when nothing is asked.
///
/// # Errors
/// When the class is unknown or a condition cannot be understood.
pub(crate) fn all(
    catalogue: &Catalogue,
    class: Option<&str>,
    texts: &[String],
) -> Result<Option<Condition>, crate::AskError> {
    let mut conditions = Vec::new();
    if let Some(class) = class {
        known_class(catalogue, class).map_err(|error: QuestionError| crate::AskError::Question(error))?;
        conditions.push(Condition::Field(Field::Class, Test::Is(vec![Value::text(class)])));
    }
    for text in texts {
        conditions.push(read(text, catalogue)?);
    }
    Ok(if conditions.is_empty() { None } else { Some(Condition::And(conditions)) })
}

/// Reads one condition, as the classes of a catalogue understand it.
///
/// # Errors
/// When it is not `FIELD OPERATOR VALUE`, or names a field or unit that nobody knows.
pub fn read(text: &str, catalogue: &Catalogue) -> Result<Condition, ConditionSyntaxError> {
    let unreadable = || ConditionSyntaxError::Unreadable { text: text.to_owned() };
    let at = text.find(['!', '<', '>', '=', '~']).ok_or_else(unreadable)?;
    let operator = OPERATORS.iter().find(|operator| text[at..].starts_with(**operator)).ok_or_else(unreadable)?;
    let (name, value) = (text[..at].trim(), text[at + operator.len()..].trim());
    if name.is_empty() {
        return Err(unreadable());
    }
    let definitions = definitions(catalogue, name);
    if !FIELDS.contains(&name) && definitions.is_empty() && !is_stored(catalogue, name) {
        return Err(ConditionSyntaxError::UnknownField {
            field: name.to_owned(),
            similar: similar_fields(catalogue, name),
        });
    }
    let test = match (*operator, value) {
        ("=", "null") => Test::IsNull(true),
        ("!=", "null") => Test::IsNull(false),
        ("=", value) => Test::Is(readings(name, value, &definitions)?),
        ("!=", value) => Test::IsNot(readings(name, value, &definitions)?),
        ("~", value) => Test::Contains(value.to_owned()),
        (operator, value) => {
            let value = readings(name, value, &definitions)?.swap_remove(0);
            match operator {
                "<" => Test::Less(value),
                "<=" => Test::AtMost(value),
                ">" => Test::Greater(value),
                _ => Test::AtLeast(value),
            }
        }
    };
    let is_owner = name == OWNER && definitions.is_empty();
    Ok(if is_owner { Condition::Owner(test) } else { Condition::Field(field(name), test) })
}

/// The field of a name; what is not a field of every item is an attribute.
pub(crate) fn field(name: &str) -> Field {
    match name {
        "key" => Field::Key,
        "name" => Field::Name,
        "class" => Field::Class,
        "lifecycle" => Field::Lifecycle,
        "criticality" => Field::Criticality,
        "standing" => Field::Standing,
        "source" => Field::Source,
        attribute => Field::Attribute(Symbol::new(attribute)),
    }
}

/// What classes say of an attribute. A field of every item is none of theirs.
fn definitions(catalogue: &Catalogue, name: &str) -> Vec<Arc<AttributeDefinition>> {
    if name != OWNER && FIELDS.contains(&name) {
        return Vec::new();
    }
    catalogue.schema().classes.iter().filter_map(|class| class.attributes.get(name).map(Arc::clone)).collect()
}

/// Whether an item has a value of that name that its class does not describe.
fn is_stored(catalogue: &Catalogue, name: &str) -> bool {
    let has = |facts: &keelson_model::Facts| facts.unmodelled.contains_key(name) || facts.attributes.contains_key(name);
    catalogue.cis().any(|(_, slot)| has(slot.ci.facts()))
}

/// Up to three names of fields that look like one.
fn similar_fields(catalogue: &Catalogue, name: &str) -> Vec<String> {
    let classes = catalogue.schema().classes.iter();
    let attributes = classes.flat_map(|class| class.attributes.keys().map(Symbol::as_str));
    similar(name, FIELDS.into_iter().chain(attributes))
}

/// Up to three names that look like one, nearest first.
fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(name);
    let most = (wanted.chars().count() / 3).max(1);
    let known: BTreeSet<&str> = known.collect();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|known| (distance(&wanted, &plain(known)), known))
        .filter(|(far, known)| *far <= most || (wanted.len() > 2 && plain(known).contains(&wanted)))
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

/// Levenshtein's distance: insertions, deletions and replacements from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What a typed value can mean, the most special reading first and the plain text last.
fn readings(
    name: &str,
    text: &str,
    definitions: &[Arc<AttributeDefinition>],
) -> Result<Vec<Value>, ConditionSyntaxError> {
    let mut readings = Vec::new();
    if let Ok(flag) = text.parse::<bool>() {
        readings.push(Value::Boolean(flag));
    }
    if let Ok(number) = text.parse::<Decimal>() {
        readings.push(Value::Decimal(number));
    } else if let Some((number, symbol)) = amount(text) {
        if unit::unit(symbol).is_some() {
            readings.push(amount_of_field(name, Quantity { value: number, unit: Symbol::new(symbol) }, definitions)?);
        } else if !definitions.is_empty() && definitions.iter().all(|definition| is_measured(definition)) {
            let similar = similar(symbol, unit::symbols());
            return Err(ConditionSyntaxError::UnknownUnit { field: name.to_owned(), unit: symbol.to_owned(), similar });
        }
    }
    if let Ok(time) = text.parse() {
        readings.push(Value::Time(time));
    }
    readings.push(Value::text(text));
    Ok(readings)
}

/// A number and the word behind it: `16 GiB`, `16GiB`.
fn amount(text: &str) -> Option<(Decimal, &str)> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | '_'))?;
    let symbol = text[end..].trim();
    Some((text[..end].parse().ok()?, symbol)).filter(|_| !symbol.is_empty())
}

/// Whether an attribute is a number, so that what stands behind a number must be a unit.
fn is_measured(definition: &AttributeDefinition) -> bool {
    use keelson_model::AttributeType::{Decimal, Integer, Quantity};
    matches!(definition.kind, Decimal | Integer | Quantity)
}

/// An amount, unless it measures something else than the field, where all classes agree on a unit.
/// Comparing it with the field converts it.
fn amount_of_field(
    name: &str,
    quantity: Quantity,
    definitions: &[Arc<AttributeDefinition>],
) -> Result<Value, ConditionSyntaxError> {
    let units: BTreeSet<Option<&Symbol>> = definitions.iter().map(|definition| definition.unit.as_ref()).collect();
    match (units.first(), units.len()) {
        (Some(Some(kept)), 1) if unit::convert(quantity.value, &quantity.unit, kept).is_none() => {
            Err(ConditionSyntaxError::WrongUnit {
                field: name.to_owned(),
                expected: (*kept).clone(),
                unit: quantity.unit,
            })
        }
        _ => Ok(Value::Quantity(quantity)),
    }
}

#[cfg(test)]
mod tests {
    use keelson_model::builtin;

    use super::*;

    fn is(text: &str) -> Result<Condition, String> {
        read(text, &Catalogue::new(Arc::new(builtin::schema([]).unwrap()))).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_people_type() {
        assert_eq!(is("name~pay"), Ok(Condition::Field(Field::Name, Test::Contains("pay".into()))));
        assert_eq!(is("owner = null"), Ok(Condition::Owner(Test::IsNull(true))));
        assert_eq!(is("owner=team/x"), Ok(Condition::Owner(Test::Is(vec![Value::text("team/x")]))));
        assert!(is("nonsense").unwrap_err().contains("FIELD OPERATOR VALUE"));
        assert!(is("= 3").is_err());
    }

    #[test]
    fn amounts_are_read_as_typed_and_in_a_unit_that_fits_the_field() {
        let amount = |value: u32, unit: &str| Quantity { value: value.into(), unit: Symbol::new(unit) };
        let cases = [
            ("memory >= 16384", Value::Decimal(16_384.into())),
            ("memory >= 16 GiB", Value::Quantity(amount(16, "GiB"))),
            ("memory>=16GiB", Value::Quantity(amount(16, "GiB"))),
            ("memory >= 16384 MiB", Value::Quantity(amount(16_384, "MiB"))),
        ];
        for (text, value) in cases {
            let expected = Condition::Field(Field::Attribute(Symbol::new("memory")), Test::AtLeast(value));
            assert_eq!(is(text), Ok(expected), "{text}");
        }
        let error = is("memory >= 16 GIB").unwrap_err();
        assert!(error.contains("'GIB'") && error.contains("did you mean GiB"), "{error}");
        assert!(is("memory >= 16 s").unwrap_err().contains("kept in MiB"));
        assert!(is("name = 3 Tigers").is_ok(), "a name is no amount");
    }

    #[test]
    fn a_field_nobody_has_is_told() {
        let error = is("critcality >= high").unwrap_err();
        assert!(error.contains("no field 'critcality'") && error.contains("did you mean criticality?"), "{error}");
        let error = is("memry = 4").unwrap_err();
        assert!(error.contains("memory"), "{error}");
    }
}
