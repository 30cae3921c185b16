//! Decides about requests for change.
//!
//! | To | Look in |
//! | --- | --- |
//! | see which step may follow which, and on what conditions | [`workflow`] |
//! | see what a request must say | [`draft`] |
//! | see when a freeze or maintenance window is, and what violates it | [`calendar`] |
//! | see what makes a change a major one | [`Policy::major`] |
//! | find a record by what people call it | [`lookup`] |
//! | see what of an approval still holds | [`recheck`] |
//! | change what an organisation decides for itself | [`Policy`] |
//!
//! Every function takes records as they are and what somebody wants, and gives the record as it would
//! be or every reason why not ([`Problem`]). What a change does to services is computed elsewhere; this
//! crate judges it. It refuses to compute impact, to know the clock, to keep anything.

pub mod calendar;
pub mod draft;
pub mod lookup;
mod policy;
mod problem;
pub mod recheck;
pub mod records;
pub mod workflow;

pub use policy::{Criterion, MajorCriteria, Policy, Reapproval};
pub use problem::{Problem, ProblemCode, Problems};
