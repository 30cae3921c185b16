//! What moved since the last time anybody looked. Whoever keeps assessments compares them.

use chrono::{DateTime, Utc};
use keelson_answers::Subject;
use keelson_model::{Effect, Revision};
use keelson_report::document::{Cell, Section, Table};
use serde::{Deserialize, Serialize};

use crate::part::Part;
use crate::words::{count, item, said, state, time};

/// Rows that find room.
const MOST: usize = 40;

/// What moved since last time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Since {
    /// What it is compared with.
    pub last: Then,
    /// Services that are worse off than then, the worst first.
    pub worse: Vec<Moved>,
    /// Services that are better off than then.
    pub better: Vec<Moved>,
}

/// The last time anybody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Then {
    /// The revision it was looked at.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
}

/// A service of which something else becomes than last time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// The service.
    pub service: Subject,
    /// What became of it last time; absent when it was not reached.
    pub before: Option<Effect>,
    /// What becomes of it now; absent when it is no longer reached.
    pub after: Option<Effect>,
    /// The commit that made the difference, where one is known to have.
    pub cause: Option<Cause>,
}

/// A commit that made a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Its revision.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
}

/// The section of differences.
pub(crate) fn section(part: &Part<'_>) -> Section {
    let section = part.section("differences", "Differences since last time");
    let Some(since) = part.since else {
        return section.paragraph("Nothing to compare with: no earlier assessment was given.");
    };
    let last = format!("revision {} of {}", since.last.revision.0, time(part.zone, since.last.at));
    let total = since.worse.len() + since.better.len();
    if total == 0 {
        return section.paragraph(format!("None: every service is as well off as at {last}."));
    }
    let lead = format!(
        "Against {last}: {} worse off, {} better off.",
        count(since.worse.len(), "service", "services"),
        since.better.len()
    );
    let caption = format!("What moved since revision {} ({})", since.last.revision.0, part.stamp());
    let mut table = Table::new(&part.file("differences"), caption)
        .naming_column("Service")
        .column("Now it is")
        .column("Then")
        .column("Now")
        .number_column("Commit")
        .column("When")
        .column("Who")
        .column("What");
    let moved = since.worse.iter().map(|one| (one, "worse")).chain(since.better.iter().map(|one| (one, "better")));
    for (one, way) in moved.take(MOST) {
        table.push(None, row(part, one, way));
    }
    let section = section.paragraph(lead).block(table);
    match total.saturating_sub(MOST) {
        0 => section,
        left => section.paragraph(format!("{} more that moved are not shown.", count(left, "service", "services"))),
    }
}

fn row(part: &Part<'_>, moved: &Moved, way: &str) -> [Cell; 8] {
    let cell =
        |effect: Option<Effect>| effect.map_or_else(|| "not reached".into(), |effect| Cell::state(state(effect)));
    let cause = moved.cause.as_ref();
    [
        item(&moved.service).into(),
        way.into(),
        cell(moved.before),
        cell(moved.after),
        cause.map_or_else(|| "not known".to_owned(), |cause| cause.revision.0.to_string()).into(),
        cause.map_or_else(String::new, |cause| time(part.zone, cause.at)).into(),
        cause.map_or_else(String::new, |cause| cause.actor.clone()).into(),
        cause.map_or_else(String::new, |cause| said(&cause.action)).into(),
    ]
}
