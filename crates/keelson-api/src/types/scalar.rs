//! Scalars of our own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::TimeDelta;

/// An exact decimal number, as a string: `"0.005"`. Numbers without quotes are taken as input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub rust_decimal::Decimal);

/// An exact decimal number, written as a string: `"0.005"`. A JSON number is accepted as input.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        let number = text.parse().or_else(|_| rust_decimal::Decimal::from_scientific(&text));
        number.map(Self).map_err(|_| InputValueError::custom(format!("'{text}' is not a decimal number")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.normalize().to_string())
    }
}

/// A length of time of ISO 8601: `PT1H30M`. Below zero it begins with a minus sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub TimeDelta);

/// A length of time of ISO 8601, in days, hours, minutes and seconds: `PT1H30M`, `-P1D`. Years and
/// months have no fixed length and are not taken as input.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#duration")]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let bad = || InputValueError::custom(format!("'{text}' is not a duration such as PT1H30M or P2D"));
        read(text).map(Self).ok_or_else(bad)
    }

    fn to_value(&self) -> Value {
        Value::String(written(self.0))
    }
}

/// Longest text that can be a duration.
const MOST_CHARACTERS: usize = 64;

fn read(text: &str) -> Option<TimeDelta> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let rest = rest.strip_prefix('P').filter(|_| text.len() <= MOST_CHARACTERS)?;
    let (days, times) = rest.split_once('T').map_or((rest, None), |(days, times)| (days, Some(times)));
    if times.is_some_and(str::is_empty) || (days.is_empty() && times.is_none()) {
        return None;
    }
    let mut seconds = 0_i64;
    let mut add = |part: &str, units: &[(char, i64)]| {
        let (mut rest, mut units) = (part, units.iter());
        while !rest.is_empty() {
            let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
            let unit = rest[end..].chars().next()?;
            // Each unit once, the larger ones first.
            let (_, length) = units.find(|(name, _)| *name == unit)?;
            seconds = seconds.checked_add(rest[..end].parse::<i64>().ok()?.checked_mul(*length)?)?;
            rest = &rest[end + unit.len_utf8()..];
        }
        Some(())
    };
    add(days, &[('W', 604_800), ('D', 86_400)])?;
    add(times.unwrap_or_default(), &[('H', 3_600), ('M', 60), ('S', 1)])?;
    TimeDelta::try_seconds(sign * seconds)
}

fn written(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let sign = if seconds < 0 { "-" } else { "" };
    let all = seconds.unsigned_abs();
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3_600 % 24, all / 60 % 60, all % 60);
    let part = |number: u64, unit: &str| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let date = part(days, "D");
    let time = part(hours, "H") + &part(minutes, "M") + &part(seconds, "S");
    match (date.is_empty(), time.is_empty()) {
        (true, true) => "PT0S".to_owned(),
        (_, true) => format!("{sign}P{date}"),
        _ => format!("{sign}P{date}T{time}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back() {
        for text in ["PT0S", "PT1H30M", "P1D", "P1DT1S", "-PT2H"] {
            assert_eq!(written(read(text).unwrap()), text);
        }
        assert_eq!(read("P1W").unwrap(), TimeDelta::days(7));
        for bad in ["", "P", "PT", "1H", "P1Y", "P1M", "PT1H1H", "PT1M1H", "PT1.5H", "P99999999999999999999D", "P1ä"] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
