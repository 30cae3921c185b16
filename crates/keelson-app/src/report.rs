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
        Answer::Availability(answer) => told(&**answer, reports::availability(answer, frame), "/services"),
        Answer::CutSets(answer) => told(&**answer, reports::cut_sets(answer, frame), "/sets"),
        Answer::Recovery(answer) => told(&**answer, reports::recovery(answer, frame), "/services"),
        Answer::Demand(answer) => told(&**answer, reports::demand(answer, frame), "/items"),
        Answer::Capacity(answer) => told(&**answer, reports::capacity(answer, frame), "/resources"),
        Answer::Throughput(answer) => told(&**answer, reports::throughput(answer, frame), "/pools"),
        Answer::SupplierLoss(answer) => told(&**answer, reports::supplier_loss(answer, frame), "/fallsOver"),
        Answer::Concentration(answer) => told(&**answer, reports::concentration(answer, frame), "/suppliers"),
        Answer::Promise(answer) => told(&**answer, reports::promise(answer, frame), "/services"),
        Answer::Register(answer) => told(&**answer, reports::register(answer, frame), "/findings"),
        Answer::Sample(answer) => told(&**answer, reports::sample(answer, frame), "/items"),
        Answer::Drift(answer) => told(&**answer, reports::drift(answer, frame), "/services"),
        Answer::Health(answer) => told(&**answer, reports::health(answer, frame), "/findings"),
        _ => return Ok(None),
    };
    told.map(Some)
}

/// The short report of a capacity plan: what runs out first, alone.
///
/// # Errors
/// As [`report`].
pub fn runs_out(answer: &Answer, frame: &Frame) -> Result<Option<Report>, AskError> {
    match answer {
        Answer::Capacity(answer) => told(&**answer, reports::runs_out(answer, frame), "/resources").map(Some),
        _ => Ok(None),
    }
}

fn told<T: Serialize>(answer: &T, document: Document, main: &str) -> Result<Report, AskError> {
    let fault = |error: serde_json::Error| AskError::Failed(crate::Error::Stopped(error.to_string()));
    let answer = serde_json::to_value(answer).map_err(fault)?;
    let rows = answer.pointer(main).and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Report { document, answer, rows })
}
