//! An answer as people read it.

use keelson_pack::reports::{self, Frame};
use keelson_report::document::{Document, Table};
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
    /// The name of the table of its main list in the document, where that is not the first one.
    pub main_table: Option<&'static str>,
}

impl Report {
    fn with_main_table(mut self, name: &'static str) -> Self {
        self.main_table = Some(name);
        self
    }

    /// The table of its main list; absent where that list is empty and the document says so in words.
    #[must_use]
    pub fn main_table(&self) -> Option<&Table> {
        let mut tables = self.document.named_tables();
        let found = match self.main_table {
            Some(name) => tables.find(|(_, table)| table.name.as_str() == name),
            None => tables.next(),
        };
        found.map(|(_, table)| table)
    }
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
        Answer::Sample(answer) => {
            told(&**answer, reports::sample(answer, frame), "/items").map(|told| told.with_main_table("items"))
        }
        Answer::Drift(answer) => told(&**answer, reports::drift(answer, frame), "/services"),
        Answer::Health(answer) => {
            told(&**answer, reports::health(answer, frame), "/findings").map(|told| told.with_main_table("findings"))
        }
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
    Ok(Report { document, answer, rows, main_table: None })
}
