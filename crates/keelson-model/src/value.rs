//! Values of attributes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Symbol;

/// Largest value of one attribute, in bytes of text.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Most attributes of one configuration item from one source.
pub const MAX_ATTRIBUTES: usize = 512;

/// Attributes by name, in order of the names.
pub type Attributes = BTreeMap<Symbol, Value>;

/// A typed value. `Null` is a value only where a source's format can say "there is none".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Explicitly nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// An exact decimal number without a unit, or in the unit its attribute fixes.
    Decimal(Decimal),
    /// A number with its unit.
    Quantity(Quantity),
    /// Text; also the value of an enumeration and a reference by key.
    Text(Arc<str>),
    /// A point in time, UTC.
    Time(DateTime<Utc>),
    /// Several values, in order.
    List(Vec<Value>),
}

/// An exact number with a unit, for example 60 transactions/s.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// The number.
    #[schemars(with = "f64")]
    pub value: Decimal,
    /// The unit, one of [`crate::unit::symbols`].
    pub unit: Symbol,
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// The text of a text value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a numeric value, whatever its unit.
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some(Decimal::from(*number)),
            Self::Decimal(number) => Some(*number),
            Self::Quantity(quantity) => Some(quantity.value),
            _ => None,
        }
    }

    /// The number of a numeric value as a floating-point number, whatever its unit.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        use rust_decimal::prelude::ToPrimitive;
        self.as_decimal().and_then(|number| number.to_f64())
    }

    /// Bytes of text this value holds, for limits.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(values) => values.iter().map(Self::text_bytes).sum(),
            _ => 16,
        }
    }

    /// The value in plain JSON, the form of batches and answers: `60`, `"text"`,
    /// `{"value": 60, "unit": "transactions/s"}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Boolean(flag) => Json::Bool(*flag),
            Self::Integer(number) => Json::from(*number),
            Self::Decimal(number) => decimal_to_json(*number),
            Self::Quantity(quantity) => serde_json::json!({
                "value": decimal_to_json(quantity.value),
                "unit": quantity.unit.as_str(),
            }),
            Self::Text(text) => Json::String(text.to_string()),
            Self::Time(time) => Json::String(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::List(values) => Json::Array(values.iter().map(Self::to_json).collect()),
        }
    }
}

/// A decimal as a JSON number when that loses nothing, otherwise as a string.
fn decimal_to_json(number: Decimal) -> serde_json::Value {
    let text = number.normalize().to_string();
    let parsed: Option<serde_json::Number> = serde_json::from_str(&text).ok();
    let exact = parsed.as_ref().and_then(decimal_of) == Some(number.normalize());
    match parsed {
        Some(json) if exact => serde_json::Value::Number(json),
        _ => serde_json::Value::String(text),
    }
}

/// The exact decimal a JSON number was written as; `None` when it does not fit.
#[must_use]
pub fn decimal_of(number: &serde_json::Number) -> Option<Decimal> {
    let text = number.to_string();
    text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok().map(|d| d.normalize())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("none"),
            Self::Boolean(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{}", number.normalize()),
            Self::Quantity(quantity) => write!(f, "{} {}", quantity.value.normalize(), quantity.unit),
            Self::Text(text) => f.write_str(text),
            Self::Time(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::List(values) => {
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    // Lists hold scalars only (see `class::AttributeType`), so this is one level deep.
                    write!(f, "{value}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["0.005", "60", "1e-7", "0.00847554", "123456789012345678"] {
            let number: serde_json::Number = serde_json::from_str(text).unwrap();
            let decimal = decimal_of(&number).unwrap();
            let back = Value::Decimal(decimal).to_json();
            assert_eq!(decimal_of(back.as_number().unwrap()), Some(decimal), "{text}");
        }
    }
}
