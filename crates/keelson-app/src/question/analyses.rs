//! Analyses of the graph: each takes a view and a question, and nothing else.

use keelson_analysis::Pool;
use keelson_answers::Asked;
use keelson_answers::single_points::single_points;

use super::{Answer, AskError, Question};
use crate::{Stop, View};

/// Whether a question is one of these.
pub(super) fn is_analysis(question: &Question) -> bool {
    matches!(question, Question::SinglePoints(_))
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
        _ => return None,
    };
    Some(answered.map_err(AskError::from))
}
