//! Scalars of the YAML 1.2 core schema (YAML 1.2.2, section 10.3).

use saphyr_parser::Tag;
use serde_json::{Number, Value as Json};

/// The name of a tag of the core schema (`str`, `int`, …), `!` for the non-specific tag, `None`
/// for any other tag.
pub(super) fn core_tag(tag: &Tag) -> Option<&str> {
    const PREFIX: &str = "tag:yaml.org,2002:";
    if tag.handle.is_empty() && tag.suffix == "!" {
        return Some("!");
    }
    let name = match tag.handle.as_str() {
        PREFIX => tag.suffix.as_str(),
        "" => tag.suffix.strip_prefix(PREFIX)?,
        _ => return None,
    };
    ["null", "bool", "int", "float", "str", "seq", "map"].contains(&name).then_some(name)
}

pub(super) fn refused(tag: &Tag) -> String {
    format!("the tag {tag} is not read; write plain YAML without custom tags")
}

/// The value a scalar stands for.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Json, String> {
    let Some(tag) = tag else {
        return Ok(if plain { untagged(text) } else { Json::from(text) });
    };
    let value = match core_tag(tag) {
        Some("str" | "!") => Some(Json::from(text)),
        Some("null") => is_null(text).then_some(Json::Null),
        Some("bool") => boolean(text).map(Json::from),
        Some("int") => integer(text),
        Some("float") => float(text),
        _ => return Err(refused(tag)),
    };
    value.ok_or_else(|| format!("'{text}' is not what its tag {tag} says"))
}

fn untagged(text: &str) -> Json {
    if is_null(text) {
        return Json::Null;
    }
    boolean(text).map(Json::from).or_else(|| integer(text)).or_else(|| float(text)).unwrap_or_else(|| Json::from(text))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A whole number; as text where 64 bits do not hold it, because a rounded account number is
/// another account.
fn integer(text: &str) -> Option<Json> {
    let radix = |digits: &str, radix: u32| {
        let fits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        fits.then(|| u64::from_str_radix(digits, radix).map_or_else(|_| Json::from(text), Json::from))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<u64>().map(Json::from));
    Some(number.unwrap_or_else(|_| Json::from(text)))
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, `.inf` and `.nan`.
fn float(text: &str) -> Option<Json> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Json::from(text));
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_reads = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) || !exponent_reads {
        return None;
    }
    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
    Some(number.map_or_else(|| Json::from(text), Json::Number))
}
