//! Times counted from one midnight.

use chrono::{DateTime, TimeDelta, Utc};
use keelson_model::Window;

/// Minutes from the midnight at which the tests begin.
#[must_use]
pub fn minutes(minutes: i64) -> DateTime<Utc> {
    let midnight: DateTime<Utc> = "2026-11-02T00:00:00Z".parse().unwrap();
    midnight + TimeDelta::minutes(minutes)
}

/// A window in hours from that midnight; halves are allowed.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn hours(from: f64, to: f64) -> Window {
    Window::new(minutes((from * 60.0) as i64), minutes((to * 60.0) as i64)).unwrap()
}
