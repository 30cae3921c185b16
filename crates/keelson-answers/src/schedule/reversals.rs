//! What is not looked at: several changes being reversed at once.
//!
//! The analyses look at each change being reversed by itself, on top of the plan (analyses 2.3). That is what is
//! asked, so that an answer lacks nothing it promises and stays complete. But a reader may take "no collision" for
//! more than it is. So where the times of two or more changes for being reversed overlap, the answer names them.

use keelson_analysis::schedule::{Change, Window as Span};
use keelson_model::{RequestForChange, Window};

use super::seconds;
use crate::{Basis, LimitCode};

/// Changes that are named.
const MOST_NAMES: usize = 6;

/// Says of which changes it was not looked at that several are reversed at once. `requests` and `changes` are the
/// same ones in the same order; of the times for being reversed, only those `within` a window count, if one is given.
pub(crate) fn note(basis: &mut Basis, requests: &[&RequestForChange], changes: &[Change], within: Option<Window>) {
    let (from, until) = within.map_or((i64::MIN, i64::MAX), |within| (seconds(within.start()), seconds(within.end())));
    let shadow = |change: &Change| {
        let end = change.window.end;
        Span::new(end.max(from), end.saturating_add(i64::from(change.rollback)).min(until))
    };
    let shadows: Vec<Span> = changes.iter().map(shadow).collect();
    let together = overlapping(&shadows);
    if together.is_empty() {
        return;
    }
    let names: Vec<&str> = together.iter().take(MOST_NAMES).map(|at| &*requests[*at].key).collect();
    let more = match together.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "changes are looked at as being reversed one at a time: that several of {}{more}, whose times for that \
         overlap, are reversed at once was not looked at",
        names.join(", ")
    );
    basis.remark(LimitCode::ReversedTogether, message);
}

/// The places of spans that have something in common with another one, ascending. Empty spans have nothing in
/// common with any.
fn overlapping(spans: &[Span]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..spans.len()).filter(|at| !spans[*at].is_empty()).collect();
    order.sort_by_key(|at| spans[*at]);
    let mut found: Vec<usize> = Vec::new();
    let mut latest = i64::MIN;
    for (place, at) in order.iter().enumerate() {
        let span = spans[*at];
        // Whoever begins next is the first to meet it, if anybody does.
        let meets_next = order.get(place + 1).is_some_and(|next| spans[*next].start < span.end);
        if span.start < latest || meets_next {
            found.push(*at);
        }
        latest = latest.max(span.end);
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn those_that_overlap_are_those_of_all_pairs(spans in prop::collection::vec((0..30_i64, 0..6_i64), 0..12)) {
            let spans: Vec<Span> = spans.into_iter().map(|(start, length)| Span::new(start, start + length)).collect();
            let meets = |a: usize, b: usize| {
                a != b && (0..40).any(|second| spans[a].contains(second) && spans[b].contains(second))
            };
            let all = 0..spans.len();
            let slow: Vec<usize> = all.clone().filter(|a| all.clone().any(|b| meets(*a, b))).collect();
            prop_assert_eq!(overlapping(&spans), slow);
        }
    }
}
