//! Change management: requests, their assessment, the calendar, disruptions, templates, baselines.
//!
//! Every [`Act`] is planned on the last revision by [`keelson_change`], and committed with what it keeps
//! as evidence, on the one write path.

mod act;
mod baselines;
mod pack;
mod plan;
mod recheck;

pub use act::{
    Act, ActError, Acted, AlterationInput, ObservedInput, Outcome, RequestInput, ReviewInput, Selection, Subject,
};
pub use baselines::{BaselineComparison, ItemDifference, Side};
pub use pack::{MOST_OF_A_MEETING, Pack, PackFile, PackForm, PackOf};
