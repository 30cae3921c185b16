//! Points from the result of a range query of Prometheus: the JSON that `GET /api/v1/query_range` answers.
//!
//! The labels of each series say which configuration item it is about, by a template such as `service/{job}`.

use std::collections::BTreeMap;

use keelson_model::Metric;
use serde::Deserialize;

use crate::csv::{known_unit, seconds};
use crate::{Gathered, Read, ReadError, marked, metric};

/// What the labels of series mean.
#[derive(Clone, Copy, Debug)]
pub struct Meaning<'a> {
    /// The key, with labels in braces: `service/{job}`.
    pub key: &'a str,
    /// The metric of every series.
    pub metric: &'a str,
    /// The unit of every series; of a utilisation it is 1, a fraction.
    pub unit: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// Reads the result of a range query.
///
/// Series and values that cannot be read are listed with number and labels, and left out.
///
/// # Errors
/// When it is no such result, or has too many values.
pub fn read(text: &[u8], meaning: Meaning<'_>) -> Result<Read, ReadError> {
    let answer: Answer = serde_json::from_slice(text)
        .map_err(|error| ReadError::Document(format!("it is no result of a range query of Prometheus: {error}")))?;
    let Some(data) = answer.data.filter(|_| answer.status == "success") else {
        let why = answer.error.unwrap_or_else(|| "it does not say why".to_owned());
        return Err(ReadError::Document(format!("the query failed: {why}")));
    };
    if data.result_type != "matrix" {
        let what = format!("the result is a {}; a range query gives a matrix", data.result_type);
        return Err(ReadError::Document(what));
    }
    let named = metric(meaning.metric).ok_or_else(|| {
        ReadError::Document(format!("'{}' is no metric; there are demand and utilisation", meaning.metric))
    })?;
    let unit = known_unit(meaning.unit, named).map_err(ReadError::Document)?;
    let mut gathered = Gathered::default();
    for (number, series) in (1..).zip(&data.result) {
        let labels =
            || series.metric.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
        let wrong = |what: String| ReadError::Series { number, labels: labels(), what }.to_string();
        let key = match filled(meaning.key, &series.metric) {
            Ok(key) => key,
            Err(what) => {
                gathered.refused.refuse(wrong(what));
                continue;
            }
        };
        for (at, value) in &series.values {
            match point(&mut gathered, (&key, named), (meaning.unit, &unit), (*at, value)) {
                Ok(()) => {}
                Err(ReadError::TooMany) => return Err(ReadError::TooMany),
                Err(error) => gathered.refused.refuse(wrong(error.to_string())),
            }
        }
    }
    Ok(gathered.done())
}

/// Takes in one value.
fn point(
    gathered: &mut Gathered,
    (key, metric): (&str, Metric),
    (given, unit): (Option<&str>, &str),
    (at, value): (f64, &str),
) -> Result<(), ReadError> {
    let at = seconds(at).map_err(ReadError::Document)?;
    match value.parse::<f64>() {
        Ok(number) if number.is_nan() => {
            gathered.gaps += 1;
            Ok(())
        }
        Ok(number) if number.is_finite() && number >= 0.0 => {
            gathered.add(key, metric, unit, (at, marked(metric, given, number)?))
        }
        _ => Err(ReadError::Document(format!("'{value}' is no number of 0 or above"))),
    }
}

/// A template with labels in the place of their names.
fn filled(template: &str, labels: &BTreeMap<String, String>) -> Result<String, String> {
    let mut key = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) =
            behind.split_once('}').ok_or_else(|| format!("'{template}' has a brace that nothing closes"))?;
        let value = labels.get(name).ok_or_else(|| format!("it has no label '{name}', which '{template}' asks for"))?;
        key.push_str(before);
        key.push_str(value);
        rest = after;
    }
    key.push_str(rest);
    Ok(key)
}
