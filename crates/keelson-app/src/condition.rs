//! Conditions as people type them: `memory >= 16 GiB`, `name ~ pay`, `owner = null`.

use keelson_answers::QuestionError;
use keelson_answers::items::known_class;
use keelson_catalogue::Catalogue;
use keelson_catalogue::query::{Condition, Field, Test};
use keelson_model::{Quantity, Symbol, Value, unit};
use rust_decimal::Decimal;
use thiserror::Error;

/// A condition that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the condition '{text}' cannot be read; write FIELD OPERATOR VALUE with one of = != < <= > >= ~ (contains), \
     for example: criticality >= high"
)]
pub struct ConditionSyntaxError {
    /// What was given.
    pub text: String,
}

/// The operators, longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];

/// A class and conditions as one condition; `None` when nothing is asked.
///
/// # Errors
/// When the class is unknown or a condition cannot be read.
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
        conditions.push(read(text)?);
    }
    Ok(if conditions.is_empty() { None } else { Some(Condition::And(conditions)) })
}

/// Reads one condition.
///
/// # Errors
/// When it is not `FIELD OPERATOR VALUE`.
pub fn read(text: &str) -> Result<Condition, ConditionSyntaxError> {
    let error = || ConditionSyntaxError { text: text.to_owned() };
    let at = text.find(['!', '<', '>', '=', '~']).ok_or_else(error)?;
    let operator = OPERATORS.iter().find(|operator| text[at..].starts_with(**operator)).ok_or_else(error)?;
    let (name, value) = (text[..at].trim(), text[at + operator.len()..].trim());
    if name.is_empty() {
        return Err(error());
    }
    let test = match (*operator, value) {
        ("=", "null") => Test::IsNull(true),
        ("!=", "null") => Test::IsNull(false),
        ("=", value) => Test::Is(readings(value)),
        ("!=", value) => Test::IsNot(readings(value)),
        ("~", value) => Test::Contains(value.to_owned()),
        (operator, value) => {
            let value = readings(value).swap_remove(0);
            match operator {
                "<" => Test::Less(value),
                "<=" => Test::AtMost(value),
                ">" => Test::Greater(value),
                _ => Test::AtLeast(value),
            }
        }
    };
    Ok(Condition::Field(field(name), test))
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

/// What a typed value can mean, the most special reading first and the plain text last.
fn readings(text: &str) -> Vec<Value> {
    let mut readings = Vec::new();
    if let Ok(flag) = text.parse::<bool>() {
        readings.push(Value::Boolean(flag));
    }
    if let Ok(number) = text.parse::<Decimal>() {
        readings.push(Value::Decimal(number));
    }
    if let Some((number, name)) = text.split_once(' ')
        && let (Ok(value), true) = (number.parse::<Decimal>(), unit::unit(name.trim()).is_some())
    {
        readings.push(Value::Quantity(Quantity { value, unit: Symbol::new(name.trim()) }));
    }
    if let Ok(time) = text.parse() {
        readings.push(Value::Time(time));
    }
    readings.push(Value::text(text));
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        let is = |text: &str| read(text).expect("readable");
        assert_eq!(
            is("memory >= 16 GiB"),
            Condition::Field(
                Field::Attribute(Symbol::new("memory")),
                Test::AtLeast(Value::Quantity(Quantity { value: Decimal::from(16), unit: Symbol::new("GiB") }))
            )
        );
        assert_eq!(is("name~pay"), Condition::Field(Field::Name, Test::Contains("pay".into())));
        assert_eq!(is("owner = null"), Condition::Field(Field::Attribute(Symbol::new("owner")), Test::IsNull(true)));
        assert!(read("nonsense").is_err());
        assert!(read("= 3").is_err());
    }
}
