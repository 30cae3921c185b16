//! Attributes: typed values by name.

use std::sync::Arc;

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_model::{ConfigurationItem, Quantity, Schema, Symbol, Value, unit};

use super::scalar::Decimal;
use crate::errors::Refusal;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ValueKind {
    /// Explicitly nothing.
    Nothing,
    /// Yes or no.
    Boolean,
    /// A number without a unit, or in the unit its attribute fixes.
    Number,
    /// A number with its unit.
    Quantity,
    /// Text; also one of an enumeration, and a reference by key.
    Text,
    /// A point in time.
    Time,
    /// Several values.
    List,
}

/// A typed value. `text` shows any value for people; the other fields hold it by its kind.
#[derive(Clone, Debug, SimpleObject)]
pub struct AttributeValue {
    /// Its type, which says which of the other fields hold it.
    kind: ValueKind,
    /// The value for people, whatever its kind.
    text: String,
    /// The number, of a number or quantity.
    number: Option<Decimal>,
    /// The unit, of a quantity.
    unit: Option<String>,
    /// The truth value, of a boolean.
    boolean: Option<bool>,
    /// The time, of a time.
    time: Option<DateTime<Utc>>,
    /// The values for people, of a list; as many as the source gave, within the limit of 64 KiB a
    /// value.
    items: Vec<String>,
}

impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        let mut out = Self {
            kind: ValueKind::Nothing,
            text: value.to_string(),
            number: value.as_decimal().map(Decimal),
            unit: None,
            boolean: None,
            time: None,
            items: Vec::new(),
        };
        out.kind = match value {
            Value::Null => ValueKind::Nothing,
            Value::Boolean(flag) => {
                out.boolean = Some(*flag);
                ValueKind::Boolean
            }
            Value::Integer(_) | Value::Decimal(_) => ValueKind::Number,
            Value::Quantity(quantity) => {
                out.unit = Some(quantity.unit.to_string());
                ValueKind::Quantity
            }
            Value::Text(_) => ValueKind::Text,
            Value::Time(time) => {
                out.time = Some(*time);
                ValueKind::Time
            }
            Value::List(values) => {
                out.items = values.iter().map(ToString::to_string).collect();
                ValueKind::List
            }
        };
        out
    }
}

/// What another source says of an attribute.
#[derive(Clone, Debug, SimpleObject)]
pub struct OtherValue {
    /// The source.
    source: String,
    /// What it says.
    value: AttributeValue,
}

/// An attribute of a configuration item.
#[derive(Clone, Debug, SimpleObject)]
pub struct Attribute {
    /// Its name.
    name: String,
    /// Its effective value.
    value: AttributeValue,
    /// The unit in which its class keeps the number, where it fixes one; a quantity has its own.
    unit: Option<String>,
    /// The source the value comes from; several joined by `+` for a union.
    source: Option<String>,
    /// What other sources say instead; at most one value per source.
    others: Vec<OtherValue>,
}

/// The effective attributes of a configuration item, by name.
pub(crate) fn attributes(schema: &Schema, ci: &ConfigurationItem) -> Vec<Attribute> {
    ci.facts().attributes.iter().map(|(name, value)| attribute(schema, ci, name, value)).collect()
}

/// One of them.
pub(crate) fn attribute(schema: &Schema, ci: &ConfigurationItem, name: &str, value: &Value) -> Attribute {
    let definition = schema.classes.get(&ci.class).and_then(|class| class.attributes.get(name));
    let others = ci.live_claims().filter_map(|claim| Some((claim, claim.facts.attributes.get(name)?)));
    let others = others.filter(|(_, said)| *said != value);
    Attribute {
        name: name.to_owned(),
        value: value.into(),
        unit: definition.and_then(|definition| definition.unit.as_ref()).map(ToString::to_string),
        source: ci.source_of(name).map(ToString::to_string),
        others: others
            .map(|(claim, said)| OtherValue { source: claim.provenance.source.to_string(), value: said.into() })
            .collect(),
    }
}

/// A fact beyond the attributes of the class: kept, not interpreted.
#[derive(Clone, Debug, SimpleObject)]
pub struct UnmodelledAttribute {
    /// Its name in the source.
    pub(crate) name: String,
    /// Its value, as JSON text.
    pub(crate) json: String,
}

/// A number with its unit.
#[derive(Clone, Debug, InputObject)]
pub struct QuantityInput {
    /// The number.
    pub value: Decimal,
    /// The unit: `GiB`, `transactions/s`.
    pub unit: String,
}

/// A value, given in one of its forms.
#[derive(Clone, Debug, OneofObject)]
pub enum AttributeValueInput {
    /// Text; also one of an enumeration, and a reference by key.
    Text(String),
    /// A number without a unit.
    Number(Decimal),
    /// A number with its unit.
    Quantity(QuantityInput),
    /// Yes or no.
    Boolean(bool),
    /// A point in time.
    Time(DateTime<Utc>),
    /// Several texts, at most 100.
    Texts(Vec<String>),
    /// Several numbers, at most 100.
    Numbers(Vec<Decimal>),
}

/// An attribute to set.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeInput {
    /// Its name.
    pub name: String,
    /// Its value; `null` removes the value people gave, so that the next source's counts.
    pub value: Option<AttributeValueInput>,
}

impl AttributeValueInput {
    /// The value meant.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a unit nobody knows and for lists that are too long.
    pub fn value(&self) -> Result<Value, Refusal> {
        let short = |length: usize| {
            let most = crate::limits::MOST_VALUES;
            if length > most {
                Err(Refusal::input(format!("a list may have {most} values; this one has {length}")))
            } else {
                Ok(())
            }
        };
        Ok(match self {
            Self::Text(text) => Value::Text(Arc::from(text.as_str())),
            Self::Number(number) => Value::Decimal(number.0),
            Self::Quantity(quantity) => {
                if unit::unit(&quantity.unit).is_none() {
                    let known = unit::symbols().collect::<Vec<_>>().join(", ");
                    return Err(Refusal::input(format!("there is no unit '{}'; known are {known}", quantity.unit)));
                }
                Value::Quantity(Quantity { value: quantity.value.0, unit: Symbol::new(&quantity.unit) })
            }
            Self::Boolean(flag) => Value::Boolean(*flag),
            Self::Time(time) => Value::Time(*time),
            Self::Texts(texts) => {
                short(texts.len())?;
                Value::List(texts.iter().map(|text| Value::text(text)).collect())
            }
            Self::Numbers(numbers) => {
                short(numbers.len())?;
                Value::List(numbers.iter().map(|number| Value::Decimal(number.0)).collect())
            }
        })
    }
}
