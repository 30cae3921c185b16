//! The timeline of a schedule: a row for each change with its window and the time for backing it out, marks where
//! changes collide and where one is at odds with the calendar, and below a row for each freeze and maintenance
//! window.
//!
//! Intervals are half-open: a window contains its start but not its end, so that one change may begin when
//! another ends. Times are UTC; a [`Zone`] only decides what the axis says. Changes that collide or violate the
//! calendar have the first claim on the rows. The changes decide which times are drawn: freezes and maintenance
//! windows are cut to those, and counted below where they lie outside. What finds no room is counted there, too.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::document::{Cell, Figure, Id, Severity, Table};
use crate::svg::Svg;
use crate::text::plural;
use crate::zone::Zone;

mod axis;
mod bands;
mod flags;
mod paint;

/// Freezes and maintenance windows that a description names of each kind.
const NAMED: usize = 3;

/// A time from a start up to, but without, an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Interval {
    /// Returns the interval, or none if it ends before it starts or holds no time at all.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Returns the first moment in it.
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// Returns the first moment after it.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// Returns whether some moment is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What is to be drawn.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What it is.
    pub title: String,
    /// How the axis tells times.
    pub zone: Zone,
    /// How many rows there may be.
    pub max_rows: usize,
    /// Whether it is narrow enough for an upright page at its full size. A few changes can be told apart there;
    /// many want a page across.
    pub is_narrow: bool,
    changes: Vec<Change>,
    bands: Vec<Band>,
    violations: Vec<Violation>,
    collisions: Vec<Collision>,
}

/// A change with its window.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What collisions call it.
    pub id: String,
    /// What it does.
    pub label: String,
    /// When it is carried out.
    pub window: Interval,
    /// Until when it may take to back it out, if that is later than the end of the window.
    pub backed_out_by: Option<DateTime<Utc>>,
    /// A verdict on it, if there is one.
    pub verdict: Option<(Severity, String)>,
}

/// What times of the calendar mean for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BandKind {
    /// Changes are not wanted.
    Freeze,
    /// Changes are expected.
    Maintenance,
}

/// Times of the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// What they mean.
    pub kind: BandKind,
    /// What they are for.
    pub label: String,
    /// When; without a time, there is nothing to draw.
    pub times: Vec<Interval>,
}

/// A time in which a change is at odds with the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The id of the change.
    pub change: String,
    /// When.
    pub during: Interval,
    /// Why.
    pub reason: String,
}

/// A time in which changes are in each other's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Collision {
    /// The ids of the changes.
    pub changes: Vec<String>,
    /// When.
    pub during: Interval,
    /// Why.
    pub reason: String,
}

/// A finished timeline.
#[derive(Clone, Debug)]
pub struct DrawnTimeline {
    /// The picture.
    pub svg: Svg,
    /// What it is.
    pub title: String,
    /// What it shows, in a few sentences.
    pub description: String,
    /// The ids of the changes that have a row, from the top.
    pub rows: Vec<String>,
    /// The ids of the changes that found no room.
    pub left_out: Vec<String>,
}

impl Timeline {
    /// Starts a timeline of at most 60 rows.
    pub fn new(title: impl Into<String>, zone: Zone) -> Self {
        Self {
            title: title.into(),
            zone,
            max_rows: 60,
            is_narrow: false,
            changes: Vec::new(),
            bands: Vec::new(),
            violations: Vec::new(),
            collisions: Vec::new(),
        }
    }

    /// Sets how many rows there may be, at least 1.
    #[must_use]
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows.max(1);
        self
    }

    /// Makes it narrow enough for an upright page.
    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.is_narrow = true;
        self
    }

    /// Adds a change.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds a freeze or maintenance window.
    pub fn band(&mut self, band: Band) {
        self.bands.push(band);
    }

    /// Adds a violation of the calendar.
    pub fn violation(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// Adds a collision.
    pub fn collision(&mut self, collision: Collision) {
        self.collisions.push(collision);
    }

    /// Draws it.
    pub fn draw(&self) -> DrawnTimeline {
        let (rows, left_out) = self.rows();
        let description = self.describe(left_out.len());
        let svg = paint::paint(self, &rows, &left_out, &description);
        let ids = |changes: &[&Change]| changes.iter().map(|one| one.id.clone()).collect();
        DrawnTimeline { svg, title: self.title.clone(), description, rows: ids(&rows), left_out: ids(&left_out) }
    }

    /// Returns the collisions as a table; the numbers are those of the picture.
    pub fn table(&self, name: &str) -> Table {
        let mut table = Table::new(name, format!("{}: collisions", self.title))
            .naming_column("Collision")
            .column("From")
            .column("Until")
            .column("Changes")
            .column("Reason");
        for (number, one) in self.collisions_in_order().into_iter().enumerate() {
            let cells: [Cell; 5] = [
                collision_name(number).into(),
                self.zone.show(one.during.start).into(),
                self.zone.show(one.during.end).into(),
                one.changes.join(", ").into(),
                one.reason.as_str().into(),
            ];
            table.push(Some(Severity::Serious), cells);
        }
        table
    }

    fn collisions_in_order(&self) -> Vec<&Collision> {
        let mut collisions: Vec<&Collision> = self.collisions.iter().collect();
        collisions.sort_by(|a, b| a.during.cmp(&b.during).then_with(|| a.changes.cmp(&b.changes)));
        collisions
    }

    /// Freezes first, since they forbid, then by time.
    fn bands_in_order(&self) -> Vec<&Band> {
        let mut bands: Vec<&Band> = self.bands.iter().collect();
        bands.sort_by_key(|band| (band.kind, band.times.iter().min()));
        bands
    }

    /// Chooses the changes that get a row: those that collide or violate the calendar first, then the earliest; in
    /// order of time.
    fn rows(&self) -> (Vec<&Change>, Vec<&Change>) {
        let colliding = self.collisions.iter().flat_map(|one| &one.changes);
        let violating = self.violations.iter().map(|one| &one.change);
        let marked: HashSet<&String> = colliding.chain(violating).collect();
        let mut changes: Vec<(bool, &Change)> =
            self.changes.iter().map(|one| (marked.contains(&one.id), one)).collect();
        let in_time = |a: &Change, b: &Change| a.window.cmp(&b.window).then_with(|| a.id.cmp(&b.id));
        changes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| in_time(a.1, b.1)));
        let mut rows: Vec<&Change> = changes.into_iter().map(|(_, one)| one).collect();
        let mut left_out = rows.split_off(self.max_rows.min(rows.len()));
        rows.sort_by(|a, b| in_time(a, b));
        left_out.sort_by(|a, b| in_time(a, b));
        (rows, left_out)
    }

    fn span(&self, rows: &[&Change]) -> Option<Interval> {
        let changes = rows.iter().map(|one| (one.window.start, one.over()));
        let marks = self.violations.iter().map(|one| one.during).chain(self.collisions.iter().map(|one| one.during));
        let others = self.bands.iter().flat_map(|band| band.times.iter().copied()).chain(marks);
        // A freeze of a quarter would press the changes together, so changes decide where there are any.
        let all: Vec<(DateTime<Utc>, DateTime<Utc>)> =
            if rows.is_empty() { others.map(|one| (one.start, one.end)).collect() } else { changes.collect() };
        let start = all.iter().map(|one| one.0).min()?;
        Interval::new(start, all.iter().map(|one| one.1).max()?)
    }

    /// How many bands of a kind there are, with the first names: `1 freeze (Closing of the month)`.
    fn named(&self, kind: BandKind) -> String {
        let bands: Vec<&Band> = self.bands_in_order().into_iter().filter(|band| band.kind == kind).collect();
        let mut names: Vec<String> = bands.iter().take(NAMED).map(|band| band.label.clone()).collect();
        if bands.len() > NAMED {
            names.push(format!("{} more", bands.len() - NAMED));
        }
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join("; ")) };
        format!("{}{names}", kind.counted(bands.len()))
    }

    fn describe(&self, left_out: usize) -> String {
        let all: Vec<&Change> = self.changes.iter().collect();
        let Some(span) = self.span(&all) else { return "Nothing is scheduled.".to_owned() };
        let mut text = format!(
            "{} from {} until {} {}; {}, {}. Of the calendar: {}, {}. A window includes its start but not its end.",
            plural(self.changes.len(), "change", "changes"),
            self.zone.show(span.start),
            self.zone.show(span.end),
            self.zone,
            plural(self.collisions.len(), "collision", "collisions"),
            plural(self.violations.len(), "violation of the calendar", "violations of the calendar"),
            self.named(BandKind::Freeze),
            self.named(BandKind::Maintenance),
        );
        if left_out > 0 {
            text = format!("{text} {} found no room.", plural(left_out, "change", "changes"));
        }
        text
    }
}

impl BandKind {
    const ALL: [Self; 2] = [Self::Freeze, Self::Maintenance];

    fn word(self) -> &'static str {
        match self {
            Self::Freeze => "Freeze",
            Self::Maintenance => "Maintenance",
        }
    }

    fn counted(self, count: usize) -> String {
        match self {
            Self::Freeze => plural(count, "freeze", "freezes"),
            Self::Maintenance => plural(count, "maintenance window", "maintenance windows"),
        }
    }
}

impl Change {
    /// Returns when it is over, even if it has to be backed out.
    fn over(&self) -> DateTime<Utc> {
        self.backed_out_by.map_or(self.window.end, |by| by.max(self.window.end))
    }
}

impl DrawnTimeline {
    /// Returns the picture as a figure of a document.
    pub fn figure(&self, name: &str) -> Figure {
        let (title, description) = (self.title.clone(), self.description.clone());
        Figure { name: Id::new(name), title, description, svg: self.svg.clone() }
    }
}

fn collision_name(number: usize) -> String {
    format!("\u{d7}{}", number + 1)
}
