//! Requests on their way through the workflow, the calendar, and what becomes of approvals.

#![expect(clippy::unwrap_used, reason = "what cannot be had in a test fails it")]

mod calendars;
mod rechecks;
mod workflows;
mod world;
