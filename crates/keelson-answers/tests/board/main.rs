//! What a change advisory board is told, on the worked estate (analyses 1.11, 2.2 to 2.4).

#![expect(clippy::unwrap_used, reason = "what cannot be had in a test fails it")]

mod calendar;
mod pictures;
mod requests;
mod reviews;
mod schedules;
