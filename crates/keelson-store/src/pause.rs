//! Named points at which a test stops, or ends, the process.

use std::fmt;
use std::sync::Arc;

/// What to do at named points of a write. Tests of crashes use it to stop a process exactly there;
/// nothing else does, and without it each point costs one comparison.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct Pause(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Pause {
    /// Calls a function with the name of every point that is reached.
    #[must_use]
    pub fn with(at: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(at)))
    }

    pub(crate) fn at(&self, point: &'static str) {
        if let Some(call) = &self.0 {
            call(point);
        }
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Pause(set)" } else { "Pause(none)" })
    }
}

/// Every point, in the order of a commit, so that a test can go through them all.
#[doc(hidden)]
pub const PAUSE_POINTS: &[&str] = &[
    "commit: begun",
    "commit: payloads and findings written",
    "commit: before the transaction",
    "commit: before the head file",
    "commit: after the head file",
    "journal: prepared",
    "journal: chunks half written",
    "journal: chunks written",
    "journal: rows half written",
    "journal: rows written",
    "journal: published",
    "backup: before the rename",
    "restore: half written",
    "restore: before publication",
];
