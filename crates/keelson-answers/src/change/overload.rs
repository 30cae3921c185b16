//! What services lose because redundancy that holds by what is declared does not carry its load meanwhile.
//!
//! How many members a need takes follows from its load, and what is declared is the fallback (analyses 1.5). So what is
//! not delivered of a load is lost of the item whose need it is, and spreads from there as every loss does.

use keelson_analysis::Limits;
use keelson_analysis::impact::{Impact, Question, Seed, impact};
use keelson_graph::ItemIx;

use super::{Computed, Setting};
use crate::QuestionError;
use crate::capacity::during::Shortfall;

/// What is lost with what falls short of its load.
#[derive(Default)]
pub(super) struct Overload {
    /// Where it is known how the loads go through the day.
    certain: Option<Impact>,
    /// With loads that count with their peak.
    possible: Option<Impact>,
}

impl Overload {
    /// The loss of an item, at best and at worst.
    pub(super) fn loss(&self, item: ItemIx) -> (f64, f64) {
        let of = |impact: &Option<Impact>| impact.as_ref().map_or(0.0, |impact| impact.loss(item));
        let certain = of(&self.certain);
        (certain, of(&self.possible).max(certain))
    }
}

/// Spreads what falls short.
pub(super) fn of(
    setting: Setting<'_>,
    computed: &Computed,
    shortfalls: &[Shortfall],
) -> Result<Overload, QuestionError> {
    if shortfalls.is_empty() {
        return Ok(Overload::default());
    }
    let limits = Limits { stop: setting.question.stop, ..Limits::default() };
    let lost = computed.assessment.impact();
    let down = lost.seeds().iter().map(|item| Seed { item: *item, loss: lost.loss(*item) });
    let down: Vec<Seed> = down.collect();
    let spread = |is_counted: &dyn Fn(&Shortfall) -> bool| -> Result<Option<Impact>, QuestionError> {
        let more: Vec<Seed> = shortfalls
            .iter()
            .filter(|one| is_counted(one))
            .map(|one| Seed { item: one.item, loss: one.loss.clamp(0.0, 1.0) })
            .collect();
        if more.is_empty() {
            return Ok(None);
        }
        let seeds: Vec<Seed> = down.iter().copied().chain(more).collect();
        let question = Question { touched: false, limits, ..Question::about(&seeds) };
        Ok(Some(impact(&setting.view.graph, &question, setting.pool)?))
    };
    Ok(Overload { certain: spread(&|one| one.is_certain)?, possible: spread(&|_| true)? })
}
