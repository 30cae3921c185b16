//! Attributes of a class: their types, and the check every write passes.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use crate::unit;
use crate::value::{MAX_VALUE_BYTES, Quantity, Value, decimal_of};
use crate::{CiKey, Symbol};

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal number; with `unit`, in that unit.
    Decimal,
    /// A number that always carries its unit, any known one.
    Quantity,
    /// True or false.
    Boolean,
    /// A point in time, RFC 3339; a plain date means its first second in UTC.
    DateTime,
    /// One of `values`.
    Enum,
    /// The key of another configuration item.
    Reference,
    /// Several values of type `items`.
    List,
}

/// An attribute of a class.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeDefinition {
    /// Unique in the class and above, lower case with underscores.
    pub name: Symbol,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// What it means.
    pub description: String,
    /// The unit a decimal is kept in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Symbol>,
    /// Whether a quantity is an amount of money: its unit must be a currency.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub money: bool,
    /// Allowed values of an enumeration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Symbol>,
    /// Type of the values of a list; not itself a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<AttributeType>,
    /// Class that the target of a reference must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Symbol>,
    /// Smallest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Whether a configuration item without it is incomplete (a finding, not a refusal).
    #[serde(default)]
    pub recommended: bool,
}

/// Why a value is not one of its attribute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// The wrong JSON type.
    #[error("attribute '{attribute}' must be {expected}, but {found} was given")]
    WrongType {
        /// The attribute.
        attribute: Symbol,
        /// What it takes.
        expected: String,
        /// What was given, shortened.
        found: String,
    },
    /// A number outside its bounds.
    #[error("attribute '{attribute}' must be {bound}, but {found} was given")]
    OutOfBounds {
        /// The attribute.
        attribute: Symbol,
        /// The bound, in words.
        bound: String,
        /// The number given.
        found: String,
    },
    /// A unit nobody knows.
    #[error(
        "attribute '{attribute}' has the unknown unit '{unit}'; known units are {}",
        unit::symbols().collect::<Vec<_>>().join(", ")
    )]
    UnknownUnit {
        /// The attribute.
        attribute: Symbol,
        /// The unit given.
        unit: String,
    },
    /// Money in a unit that is no currency.
    #[error(
        "attribute '{attribute}' is money, and '{unit}' is no currency; known currencies are {}",
        unit::currencies().collect::<Vec<_>>().join(", ")
    )]
    NoCurrency {
        /// The attribute.
        attribute: Symbol,
        /// The unit given.
        unit: String,
    },
    /// A unit that measures something else.
    #[error("attribute '{attribute}' is kept in {expected}; '{unit}' measures something else")]
    WrongUnit {
        /// The attribute.
        attribute: Symbol,
        /// The unit of the attribute.
        expected: Symbol,
        /// The unit given.
        unit: String,
    },
    /// Longer than a value may be.
    #[error("attribute '{attribute}' has {bytes} bytes, more than the {MAX_VALUE_BYTES} allowed")]
    TooLong {
        /// The attribute.
        attribute: Symbol,
        /// Bytes given.
        bytes: usize,
    },
}

impl AttributeDefinition {
    /// Reads a JSON value as a value of this attribute, converting into its unit.
    ///
    /// # Errors
    /// Says what the attribute takes and what was given.
    pub fn read(&self, json: &Json) -> Result<Value, ValueError> {
        if json.is_null() {
            return Ok(Value::Null);
        }
        let value = match self.kind {
            AttributeType::List => {
                let Json::Array(items) = json else { return Err(self.wrong("a list", json)) };
                let kind = self.items.unwrap_or(AttributeType::String);
                let read: Result<_, _> = items.iter().map(|item| self.read_scalar(kind, item)).collect();
                Value::List(read?)
            }
            kind => self.read_scalar(kind, json)?,
        };
        let bytes = value.text_bytes();
        if bytes > MAX_VALUE_BYTES {
            return Err(ValueError::TooLong { attribute: self.name.clone(), bytes });
        }
        Ok(value)
    }

    fn read_scalar(&self, kind: AttributeType, json: &Json) -> Result<Value, ValueError> {
        match (kind, json) {
            (AttributeType::String, Json::String(text)) => Ok(Value::Text(Arc::from(text.as_str()))),
            (AttributeType::Boolean, Json::Bool(flag)) => Ok(Value::Boolean(*flag)),
            (AttributeType::Integer, Json::Number(number)) => {
                let whole = number.as_i64().ok_or_else(|| self.wrong("a whole number", json))?;
                self.bounded(Decimal::from(whole))?;
                Ok(Value::Integer(whole))
            }
            (AttributeType::Decimal, Json::Number(number)) => {
                let decimal = decimal_of(number).ok_or_else(|| self.wrong("a decimal number", json))?;
                self.bounded(decimal)?;
                Ok(Value::Decimal(decimal))
            }
            (AttributeType::Decimal, Json::Object(_)) if self.unit.is_some() => {
                let quantity = self.quantity(json)?;
                let expected = self.unit.clone().unwrap_or_else(|| quantity.unit.clone());
                let converted = unit::convert(quantity.value, &quantity.unit, &expected);
                let decimal = converted.ok_or_else(|| ValueError::WrongUnit {
                    attribute: self.name.clone(),
                    expected,
                    unit: quantity.unit.to_string(),
                })?;
                self.bounded(decimal)?;
                Ok(Value::Decimal(decimal))
            }
            (AttributeType::Quantity, Json::Object(_)) => {
                let quantity = self.quantity(json)?;
                if self.money && !unit::is_currency(&quantity.unit) {
                    let unit = quantity.unit.to_string();
                    return Err(ValueError::NoCurrency { attribute: self.name.clone(), unit });
                }
                self.bounded(quantity.value)?;
                Ok(Value::Quantity(quantity))
            }
            (AttributeType::DateTime, Json::String(text)) => {
                time_of(text).map(Value::Time).ok_or_else(|| self.wrong("a time such as 2026-11-01T00:00:00Z", json))
            }
            (AttributeType::Enum, Json::String(text)) if self.values.iter().any(|v| v == text.as_str()) => {
                Ok(Value::Text(Arc::from(text.as_str())))
            }
            (AttributeType::Reference, Json::String(text)) => match CiKey::new(text) {
                Ok(key) => Ok(Value::Text(Arc::from(key.as_str()))),
                Err(_) => Err(self.wrong("the key of a configuration item", json)),
            },
            _ => Err(self.wrong(&self.expectation(kind), json)),
        }
    }

    fn quantity(&self, json: &Json) -> Result<Quantity, ValueError> {
        let expected = r#"a number with its unit such as {"value": 60, "unit": "transactions/s"}"#;
        let wrong = || self.wrong(expected, json);
        let object = json.as_object().ok_or_else(wrong)?;
        let value = object.get("value").and_then(Json::as_number).and_then(decimal_of).ok_or_else(wrong)?;
        let symbol = object.get("unit").and_then(Json::as_str).ok_or_else(wrong)?;
        if object.len() != 2 {
            return Err(wrong());
        }
        if unit::unit(symbol).is_none() {
            return Err(ValueError::UnknownUnit { attribute: self.name.clone(), unit: symbol.to_owned() });
        }
        Ok(Quantity { value, unit: Symbol::new(symbol) })
    }

    fn bounded(&self, number: Decimal) -> Result<(), ValueError> {
        use rust_decimal::prelude::ToPrimitive;
        let value = number.to_f64().unwrap_or(f64::NAN);
        let bound = match (self.minimum, self.maximum) {
            (Some(minimum), _) if value < minimum => format!("at least {minimum}"),
            (_, Some(maximum)) if value > maximum => format!("at most {maximum}"),
            _ => return Ok(()),
        };
        Err(ValueError::OutOfBounds { attribute: self.name.clone(), bound, found: number.to_string() })
    }

    fn expectation(&self, kind: AttributeType) -> String {
        match kind {
            AttributeType::String => "text".into(),
            AttributeType::Integer => "a whole number".into(),
            AttributeType::Decimal => match &self.unit {
                Some(unit) => format!("a decimal number in {unit}"),
                None => "a decimal number".into(),
            },
            AttributeType::Quantity if self.money => {
                r#"an amount of money such as {"value": 60, "unit": "EUR"}"#.into()
            }
            AttributeType::Quantity => r#"a number with its unit such as {"value": 60, "unit": "GiB"}"#.into(),
            AttributeType::Boolean => "true or false".into(),
            AttributeType::DateTime => "a time such as 2026-11-01T00:00:00Z".into(),
            AttributeType::Enum => {
                format!("one of {}", self.values.iter().map(Symbol::as_str).collect::<Vec<_>>().join(", "))
            }
            AttributeType::Reference => "the key of a configuration item".into(),
            AttributeType::List => "a list".into(),
        }
    }

    fn wrong(&self, expected: &str, found: &Json) -> ValueError {
        let mut text = found.to_string();
        if text.len() > 60 {
            let end = (0..=57).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        ValueError::WrongType { attribute: self.name.clone(), expected: expected.to_owned(), found: text }
    }
}

/// Reads an RFC 3339 time or a plain date (its first second, UTC).
fn time_of(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let date: NaiveDate = text.parse().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(toml: &str) -> AttributeDefinition {
        toml::from_str(&format!("name = \"x\"\ndescription = \"\"\n{toml}")).unwrap()
    }

    #[test]
    fn values_are_read_by_type() {
        let ok = |toml: &str, json: &str| attribute(toml).read(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(ok("type = 'string'", "\"a\""), Value::text("a"));
        assert_eq!(ok("type = 'decimal'\nunit = 'min'", "1.50"), Value::Decimal("1.5".parse().unwrap()));
        assert_eq!(
            ok("type = 'decimal'\nunit = 'min'", r#"{"value": 90, "unit": "s"}"#),
            Value::Decimal("1.5".parse().unwrap())
        );
        assert_eq!(
            ok("type = 'list'\nitems = 'integer'", "[1, 2]"),
            Value::List(vec![Value::Integer(1), Value::Integer(2)])
        );
        assert_eq!(ok("type = 'integer'", "null"), Value::Null);
        assert!(matches!(ok("type = 'date_time'", "\"2026-11-01\""), Value::Time(_)));
    }

    #[test]
    fn errors_say_what_is_taken_and_what_was_given() {
        let message = |toml: &str, json: &str| {
            attribute(toml).read(&serde_json::from_str(json).unwrap()).unwrap_err().to_string()
        };
        assert_eq!(
            message("type = 'enum'\nvalues = ['a', 'b']", "\"c\""),
            "attribute 'x' must be one of a, b, but \"c\" was given"
        );
        assert_eq!(
            message("type = 'decimal'\nunit = 'min'", r#"{"value": 90, "unit": "GiB"}"#),
            "attribute 'x' is kept in min; 'GiB' measures something else"
        );
        assert_eq!(
            message("type = 'quantity'\nmoney = true", r#"{"value": 90, "unit": "GiB"}"#),
            "attribute 'x' is money, and 'GiB' is no currency; known currencies are EUR, USD, GBP, CHF"
        );
        assert_eq!(
            message("type = 'quantity'\nmoney = true", "90"),
            r#"attribute 'x' must be an amount of money such as {"value": 60, "unit": "EUR"}, but 90 was given"#
        );
        assert!(message("type = 'quantity'", r#"{"value": 90, "unit": "furlong"}"#).contains("unknown unit 'furlong'"));
        assert_eq!(
            message("type = 'decimal'\nminimum = 0\nmaximum = 1", "1.2"),
            "attribute 'x' must be at most 1, but 1.2 was given"
        );
        assert!(message("type = 'string'", &format!("[\"{}\"]", "ü".repeat(100))).len() < 200);
    }
}
