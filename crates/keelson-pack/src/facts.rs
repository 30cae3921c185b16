//! What a document rests on: revision, times, digest, completeness.

use chrono::{DateTime, Utc};
use keelson_answers::{Basis, LimitCode};
use keelson_model::Digest;
use keelson_report::document::{Document, Text};
use keelson_report::zone::Zone;

use crate::part::Part;
use crate::words::{count, time};

/// Limits that are told among the facts; the rest stands under the open questions.
const MOST_LIMITS: usize = 3;

/// Adds the facts of a document about one request.
pub(crate) fn request(document: Document, part: &Part<'_>, computed_at: DateTime<Utc>) -> Document {
    let answer = part.answer;
    let digest = Digest::of(&answer.document());
    let within = (answer.during.start(), answer.during.end());
    let document = common(document, &answer.basis, part.zone, computed_at, within);
    document.fact("Digest", digest_text(&digest)).fact("Completeness", completeness(&answer.basis))
}

/// Adds what documents about requests and about meetings have in common.
pub(crate) fn common(
    document: Document,
    basis: &Basis,
    zone: Zone,
    computed_at: DateTime<Utc>,
    within: (DateTime<Utc>, DateTime<Utc>),
) -> Document {
    let as_of = basis.as_of.map_or_else(|| "the present".to_owned(), |at| time(zone, at));
    document
        .fact("Revision", basis.revision.0.to_string())
        .fact("As of", as_of)
        .fact("Computed at", time(zone, computed_at))
        .fact("Times in", zone.describe(within.0, within.1))
        .fact("Observations", observations(basis, zone))
}

/// The digest of an answer, by which it can be proved later.
pub(crate) fn digest_text(digest: &Digest) -> Text {
    Text::from("SHA-256 ").code(digest.to_string())
}

fn observations(basis: &Basis, zone: Zone) -> String {
    let Some(oldest) = basis.oldest_observation else { return "none the answer rests on".to_owned() };
    let stale = match basis.stale {
        0 => "none is out of date".to_owned(),
        stale => format!("{} out of date", count(stale, "item", "items")),
    };
    format!("the oldest is of {}; {stale}", time(zone, oldest))
}

/// Whether an answer is whole, with what limits it. What it does not look at by its nature stands with the collisions.
pub(crate) fn completeness(basis: &Basis) -> String {
    let word = if basis.complete { "complete" } else { "incomplete" };
    let limits: Vec<_> = basis.limits.iter().filter(|limit| limit.code != LimitCode::ReversedTogether).collect();
    let messages: Vec<&str> = limits.iter().take(MOST_LIMITS).map(|limit| limit.message.as_str()).collect();
    let left = match limits.len().saturating_sub(MOST_LIMITS) {
        0 => String::new(),
        left => format!("; {left} more under the open questions"),
    };
    if messages.is_empty() { word.to_owned() } else { format!("{word}: {}{left}", messages.join("; ")) }
}
