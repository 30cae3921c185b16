//! Documents and drawings as a caller sees them.

mod drawing;
mod golden;
mod hostile;
mod ics;
mod sample;
mod timeline;
