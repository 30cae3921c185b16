//! Quantities as Kubernetes writes them: `250m`, `8Gi`, `1e3`.

use serde_json::Value as Json;

/// Suffixes with the factor they stand for.
const SUFFIXES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Bytes in a mebibyte.
pub(crate) const MEBI: f64 = 1_048_576.0;
/// Bytes in a gibibyte.
pub(crate) const GIBI: f64 = 1_073_741_824.0;

/// The number a quantity stands for; nothing where it is none.
pub(crate) fn read(value: &Json) -> Option<f64> {
    let text = match value {
        Json::Number(number) => return number.as_f64().filter(|number| number.is_finite()),
        Json::String(text) => text.trim(),
        _ => return None,
    };
    let suffix = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = suffix.unwrap_or((text, 1.0));
    if !digits.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    let number = digits.parse::<f64>().ok()?;
    // Thousandths are divided, because a thousandth itself is no exact number.
    let number = if factor < 1.0 { number / (1.0 / factor).round() } else { number * factor };
    number.is_finite().then_some(number)
}

/// A number as JSON, whole where it is.
pub(crate) fn json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        // Exact: the range was checked.
        #[allow(clippy::cast_possible_truncation)]
        return Json::from(number as i64);
    }
    Json::from(number)
}

/// A quantity in a larger unit, such as bytes in mebibytes.
pub(crate) fn in_unit(value: &Json, unit: f64) -> Option<Json> {
    read(value).map(|number| json(number / unit))
}

#[cfg(test)]
mod tests {
    use serde_json::json as j;

    use super::*;

    #[test]
    fn quantities_are_read_in_every_spelling() {
        let cases = [
            (j!("250m"), 1.0, j!(0.25)),
            (j!("2"), 1.0, j!(2)),
            (j!(2), 1.0, j!(2)),
            (j!(0.5), 1.0, j!(0.5)),
            (j!("8Gi"), MEBI, j!(8192)),
            (j!("1536Ki"), MEBI, j!(1.5)),
            (j!("50Gi"), GIBI, j!(50)),
            (j!("1073741824"), GIBI, j!(1)),
            (j!("1G"), 1e9, j!(1)),
            (j!("1e3"), 1.0, j!(1000)),
            (j!("1E"), 1e18, j!(1)),
            (j!("100n"), 1.0, j!(1e-7)),
        ];
        for (text, unit, expected) in cases {
            assert_eq!(in_unit(&text, unit), Some(expected), "{text}");
        }
        for text in [j!(""), j!("x"), j!("Gi"), j!("inf"), j!("nan"), j!(null), j!([1]), j!("1 Gi x")] {
            assert_eq!(read(&text), None, "{text}");
        }
    }
}
