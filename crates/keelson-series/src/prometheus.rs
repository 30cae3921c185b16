//! Points from the result of a range query of Prometheus: the JSON that `GET /api/v1/query_range` answers.
//!
//! The labels of each series say which configuration item it is about, by a template such as `service/{job}`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::csv::{known_unit, seconds};
use crate::{Gathered, Read, ReadError, metric};

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
/// # Errors
/// When it is none, or with number and labels of the first series that cannot be read.
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
        let wrong = |what: String| ReadError::Series { number, labels: labels(), what };
        let key = filled(meaning.key, &series.metric).map_err(&wrong)?;
        for (at, value) in &series.values {
            let at = seconds(*at).ok_or_else(|| wrong(format!("{at} is no time")))?;
            match value.parse::<f64>() {
                Ok(number) if number.is_nan() => gathered.gaps += 1,
                Ok(number) if number.is_finite() && number >= 0.0 => gathered.add(&key, named, &unit, (at, number))?,
                _ => return Err(wrong(format!("'{value}' is no number of 0 or above"))),
            }
        }
    }
    Ok(gathered.done())
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
