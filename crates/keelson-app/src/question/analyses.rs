//! Analyses of the graph: each takes a view and a question, and nothing else.

use keelson_analysis::Pool;
use keelson_answers::Asked;
use keelson_answers::availability::availability;
use keelson_answers::capacity::capacity;
use keelson_answers::capacity::throughput::throughput;
use keelson_answers::cut_sets::cut_sets;
use keelson_answers::demand::demand;
use keelson_answers::drift::drift;
use keelson_answers::health::health;
use keelson_answers::recovery::recovery;
use keelson_answers::sample::sample;
use keelson_answers::single_points::single_points;
use keelson_answers::supplier::concentration::concentration;
use keelson_answers::supplier::loss::supplier_loss;
use keelson_answers::supplier::promise::promise;
use keelson_answers::supplier::register::register;

use super::{Answer, AskError, Question};
use crate::{Stop, View};

/// Whether a question is one of these.
pub(super) fn is_analysis(question: &Question) -> bool {
    matches!(
        question,
        Question::SinglePoints(_)
            | Question::Availability(_)
            | Question::CutSets(_)
            | Question::Recovery(_)
            | Question::Demand(_)
            | Question::Capacity(_)
            | Question::Throughput(_)
            | Question::SupplierLoss(_)
            | Question::Concentration(_)
            | Question::Promise(_)
            | Question::Register(_)
            | Question::Sample(_)
            | Question::Drift(_)
            | Question::Health(_)
    )
}

/// Whether its answer rests on measured series.
pub(super) fn reads_series(question: &Question) -> bool {
    // Loss, concentration and drift tell when things run out, by the same plan.
    matches!(
        question,
        Question::Demand(_)
            | Question::Capacity(_)
            | Question::Throughput(_)
            | Question::SupplierLoss(_)
            | Question::Concentration(_)
            | Question::Drift(_)
    )
}

/// Answers one of these; `None` for other questions.
pub(super) fn answer(
    view: &View,
    question: &Question,
    asked: Asked,
    pool: &Pool,
    stop: &Stop,
) -> Option<Result<Answer, AskError>> {
    let stop = Some(stop.flag());
    let answered = match question {
        Question::SinglePoints(question) => single_points(view, question, asked, pool, stop).map(Answer::SinglePoints),
        Question::Availability(question) => {
            availability(view, question, asked, pool, stop).map(Box::new).map(Answer::Availability)
        }
        Question::CutSets(question) => cut_sets(view, question, asked, pool, stop).map(Box::new).map(Answer::CutSets),
        Question::Recovery(question) => recovery(view, question, asked, pool, stop).map(Box::new).map(Answer::Recovery),
        Question::Demand(question) => demand(view, question, asked, pool, stop).map(Box::new).map(Answer::Demand),
        Question::Capacity(question) => capacity(view, question, asked, pool, stop).map(Box::new).map(Answer::Capacity),
        Question::Throughput(question) => {
            throughput(view, question, asked, pool, stop).map(Box::new).map(Answer::Throughput)
        }
        Question::SupplierLoss(question) => {
            supplier_loss(view, question, asked, pool, stop).map(Box::new).map(Answer::SupplierLoss)
        }
        Question::Concentration(question) => {
            concentration(view, question, asked, pool, stop).map(Box::new).map(Answer::Concentration)
        }
        Question::Promise(question) => promise(view, question, asked, pool, stop).map(Box::new).map(Answer::Promise),
        Question::Register(question) => register(view, question, asked, pool, stop).map(Box::new).map(Answer::Register),
        Question::Sample(question) => sample(view, question, asked, pool, stop).map(Box::new).map(Answer::Sample),
        Question::Drift(question) => drift(view, question, asked, pool, stop).map(Box::new).map(Answer::Drift),
        Question::Health(question) => health(view, question, asked, pool, stop).map(Box::new).map(Answer::Health),
        _ => return None,
    };
    Some(answered.map_err(AskError::from))
}
