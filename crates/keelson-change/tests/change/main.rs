//! Requests on their way through the workflow, the calendar, and what becomes of approvals.

mod calendars;
mod rechecks;
mod workflows;
mod world;
