//! An answer as people read it.

use keelson_pack::reports::{self, Frame};
use keelson_report::document::Document;
use serde::Serialize;
use serde_json::Value;

use crate::{Answer, AskError};

/// An answer in each form it is written in.
#[derive(Clone, Debug)]
pub struct Report {
    /// What people read: the command line, browsers, printers.
    pub document: Document,
    /// The answer itself, for machines.
    pub answer: Value,
    /// The rows of its main list.
    pub rows: Vec<Value>,
}

/// The report of an answer that has one: those about the graph, which take what is supposed.
///
/// # Errors
/// When an answer cannot be written as JSON, which is a fault of the program.
pub fn report(answer: &Answer, frame: &Frame) -> Result<Option<Report>, AskError> {
    let told = match answer {
        Answer::SinglePoints(answer) => told(answer, reports::single_points(answer, frame), "/services"),
        _ => return Ok(None),
    };
    told.map(Some)
}

fn told<T: Serialize>(answer: &T, document: Document, main: &str) -> Result<Report, AskError> {
    let fault = |error: serde_json::Error| AskError::Failed(crate::Error::Stopped(error.to_string()));
    let answer = serde_json::to_value(answer).map_err(fault)?;
    let rows = answer.pointer(main).and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Report { document, answer, rows })
}
