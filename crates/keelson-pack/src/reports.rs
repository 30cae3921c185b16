//! Reports: one document for each answer about availability, capacity, continuity, suppliers and evidence.
//!
//! A report sets in order and in words what its answer says, as packs do; the command line prints the same document
//! that HTML, Markdown and CSV are made of. A new one is a file here with a function that takes an answer and a
//! [`Frame`], begins with [`Frame::document`] and ends with [`limits`].

mod availability;
mod capacity;
mod demand;
mod drift;
mod health;
mod promise;
mod recovery;
mod register;
mod sample;
mod single_points;
mod supplier;
mod throughput;

use chrono::{DateTime, Utc};
use keelson_answers::attributes::Money;
use keelson_answers::impact::ProofText;
use keelson_answers::{Basis, LimitCode};
use keelson_report::document::{Document, Proof, Section, Text};
use keelson_report::zone::Zone;

use crate::{facts, words};

pub use availability::{availability, cut_sets};
pub use capacity::{capacity, runs_out};
pub use demand::demand;
pub use drift::drift;
pub use health::health;
pub use promise::promise;
pub use recovery::recovery;
pub use register::register;
pub use sample::sample;
pub use single_points::single_points;
pub use supplier::{concentration, supplier_loss};
pub use throughput::throughput;

/// Lines of a proof that find room.
const MOST_LINES: usize = 40;

/// What every report says beside its answer.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// When the answer was computed.
    pub computed_at: DateTime<Utc>,
    /// The zone in which times are shown.
    pub zone: Zone,
}

impl Frame {
    /// A day in the zone of the report.
    #[must_use]
    pub fn day(&self, at: DateTime<Utc>) -> String {
        self.zone.local(at).format("%Y-%m-%d").to_string()
    }

    /// Starts a report: its title, and what it rests on.
    #[must_use]
    pub fn document(&self, title: impl Into<String>, basis: &Basis) -> Document {
        let mut document = Document::new(title);
        document.contents = false;
        let at = (self.computed_at, self.computed_at);
        let document = facts::common(document, basis, self.zone, self.computed_at, at);
        let document = document.fact("Completeness", facts::completeness(basis));
        basis.supposing.iter().fold(document, |document, line| document.fact("Supposing", line.as_str()))
    }
}

/// Everything that limits an answer; the last section of a report.
#[must_use]
pub fn limits(basis: &Basis) -> Section {
    let section = Section::new("What limits this answer");
    let told: Vec<&str> =
        basis.limits.iter().filter(|limit| limit.code != LimitCode::Page).map(|limit| limit.message.as_str()).collect();
    let pages = basis.limits.iter().filter(|limit| limit.code == LimitCode::Page).map(|limit| limit.message.as_str());
    let all: Vec<&str> = told.into_iter().chain(pages).collect();
    if all.is_empty() {
        section.paragraph("Nothing: no limit was hit, and nothing was assumed.")
    } else {
        section.list(all)
    }
}

/// A proof as an answer has it.
pub(crate) fn proof(lines: &[ProofText]) -> Proof {
    let mut proof = Proof::new();
    for step in lines.iter().take(MOST_LINES) {
        let mut text = Text::new().code(step.key.as_str()).plain(": ").plain(step.why.as_str());
        if step.loss < 1.0 {
            text = text.plain(format!(", {} lost", words::percent(step.loss)));
        }
        if step.shown_above {
            text = text.emphasis(" (shown above)");
        }
        proof.push(u16::try_from(step.depth).unwrap_or(u16::MAX), text);
    }
    if let Some(left) = lines.len().checked_sub(MOST_LINES).filter(|left| *left > 0) {
        proof.push(0, format!("{} more", words::count(left, "line", "lines")));
    }
    proof
}

pub(crate) use capacity::number as capacity_number;

/// Amounts in several currencies, or that none is stated.
pub(crate) fn amounts(amounts: &[Money]) -> String {
    if amounts.is_empty() {
        return "not stated".to_owned();
    }
    amounts.iter().map(|one| words::money(one.amount, &one.currency)).collect::<Vec<_>>().join(" + ")
}
