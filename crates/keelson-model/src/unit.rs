//! Units of quantities: which ones are known and how they convert.
//!
//! A quantity keeps the unit it was given in unless the attribute fixes one; then it is converted
//! exactly, or refused when the two measure different things.

use rust_decimal::Decimal;

/// What a unit measures. Only units of one dimension convert into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Bytes.
    Information,
    /// Bytes per second.
    Throughput,
    /// Seconds.
    Time,
    /// Hertz.
    Frequency,
    /// Watts.
    Power,
    /// A share of a whole.
    Ratio,
    /// Things per second, minute, hour or day; one dimension per kind of thing.
    Rate(&'static str),
    /// Plain counts of one kind of thing.
    Count(&'static str),
    /// Money of one currency.
    Money(&'static str),
}

/// A known unit.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// How it is written.
    pub symbol: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// Numerator and denominator of the factor to the dimension's base unit.
    factor: (u64, u64),
}

macro_rules! units {
    ($($symbol:literal $dimension:expr, $numerator:expr, $denominator:expr;)*) => {
        &[$(Unit { symbol: $symbol, dimension: $dimension, factor: ($numerator, $denominator) },)*]
    };
}

use Dimension::{Count, Frequency, Information, Money, Power, Rate, Ratio, Throughput, Time};

const UNITS: &[Unit] = units! {
    "B" Information, 1, 1;
    "kB" Information, 1_000, 1;
    "MB" Information, 1_000_000, 1;
    "GB" Information, 1_000_000_000, 1;
    "TB" Information, 1_000_000_000_000, 1;
    "KiB" Information, 1 << 10, 1;
    "MiB" Information, 1 << 20, 1;
    "GiB" Information, 1 << 30, 1;
    "TiB" Information, 1 << 40, 1;
    "bit/s" Throughput, 1, 8;
    "kbit/s" Throughput, 125, 1;
    "Mbit/s" Throughput, 125_000, 1;
    "Gbit/s" Throughput, 125_000_000, 1;
    "B/s" Throughput, 1, 1;
    "MB/s" Throughput, 1_000_000, 1;
    "MiB/s" Throughput, 1 << 20, 1;
    "ms" Time, 1, 1_000;
    "s" Time, 1, 1;
    "min" Time, 60, 1;
    "h" Time, 3_600, 1;
    "d" Time, 86_400, 1;
    "week" Time, 604_800, 1;
    "Hz" Frequency, 1, 1;
    "MHz" Frequency, 1_000_000, 1;
    "GHz" Frequency, 1_000_000_000, 1;
    "W" Power, 1, 1;
    "kW" Power, 1_000, 1;
    "1" Ratio, 1, 1;
    "%" Ratio, 1, 100;
    "transactions/s" Rate("transactions"), 1, 1;
    "transactions/min" Rate("transactions"), 1, 60;
    "requests/s" Rate("requests"), 1, 1;
    "requests/min" Rate("requests"), 1, 60;
    "messages/s" Rate("messages"), 1, 1;
    "messages/h" Rate("messages"), 1, 3_600;
    "messages/d" Rate("messages"), 1, 86_400;
    "queries/s" Rate("queries"), 1, 1;
    "iops" Rate("operations"), 1, 1;
    "h/week" Rate("hours"), 1, 604_800;
    "vCPU" Count("vCPU"), 1, 1;
    "core" Count("core"), 1, 1;
    "seats" Count("seats"), 1, 1;
    "instances" Count("instances"), 1, 1;
    "connections" Count("connections"), 1, 1;
    "ports" Count("ports"), 1, 1;
    "people" Count("people"), 1, 1;
    "EUR" Money("EUR"), 1, 1;
    "USD" Money("USD"), 1, 1;
    "GBP" Money("GBP"), 1, 1;
    "CHF" Money("CHF"), 1, 1;
};

/// Returns the unit written `symbol`; units are compared with case, because `MB` and `mb` differ.
#[must_use]
pub fn unit(symbol: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.symbol == symbol)
}

/// Symbols of all known units, for messages and documentation.
pub fn symbols() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|unit| unit.symbol)
}

/// Whether a unit is a currency.
#[must_use]
pub fn is_currency(symbol: &str) -> bool {
    unit(symbol).is_some_and(|unit| matches!(unit.dimension, Money(_)))
}

/// Symbols of the known currencies, for messages.
pub fn currencies() -> impl Iterator<Item = &'static str> {
    symbols().filter(|symbol| is_currency(symbol))
}

/// Converts `value` from one unit into another of the same dimension; `None` when they measure
/// different things, one is unknown, or the result does not fit.
#[must_use]
pub fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    if from == to {
        return Some(value);
    }
    let (from, to) = (unit(from)?, unit(to)?);
    if from.dimension != to.dimension {
        return None;
    }
    let numerator = Decimal::from(from.factor.0).checked_mul(Decimal::from(to.factor.1))?;
    let denominator = Decimal::from(from.factor.1).checked_mul(Decimal::from(to.factor.0))?;
    value.checked_mul(numerator)?.checked_div(denominator).map(|v| v.normalize())
}

/// What turns measured values in one unit into another of the same dimension; `None` as for [`convert`].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "factors are far below 2^52")]
pub fn factor(from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(1.0);
    }
    let (from, to) = (unit(from)?, unit(to)?);
    let of = |unit: &Unit| unit.factor.0 as f64 / unit.factor.1 as f64;
    (from.dimension == to.dimension).then(|| of(from) / of(to))
}

/// The seconds in which things of a unit are counted: 1 for `requests/s`, 86 400 for `messages/d`; `None` for what is no
/// rate of things.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "factors are far below 2^52")]
pub fn time_base(symbol: &str) -> Option<f64> {
    let known = unit(symbol)?;
    match known.dimension {
        Rate(_) => Some(known.factor.1 as f64 / known.factor.0 as f64),
        Throughput => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_within_a_dimension_only() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(convert(d("2"), "GiB", "MiB"), Some(d("2048")));
        assert_eq!(convert(d("90"), "s", "min"), Some(d("1.5")));
        assert_eq!(convert(d("5"), "%", "1"), Some(d("0.05")));
        assert_eq!(convert(d("5"), "GB", "min"), None);
        assert_eq!(convert(d("5"), "mb", "MB"), None);
        assert_eq!(convert(d("5"), "furlong", "furlong"), Some(d("5")));
        assert_eq!((factor("%", "1"), factor("requests/min", "messages/s")), (Some(0.01), None));
    }

    #[test]
    fn currencies_are_told_from_other_units_and_convert_into_none() {
        assert_eq!(currencies().collect::<Vec<_>>(), ["EUR", "USD", "GBP", "CHF"]);
        assert!(!is_currency("GiB") && !is_currency("eur"));
        assert_eq!(convert(Decimal::ONE, "EUR", "USD"), None);
    }

    #[test]
    fn every_symbol_is_listed_once() {
        let mut all: Vec<_> = symbols().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), UNITS.len());
    }
}
