//! Puts rows, marks and the axis on paper.

use chrono::{DateTime, Utc};

use super::axis::{Tick, ticks};
use super::bands::{self, Bands};
use super::flags::{Flag, Flags};
use super::{BandKind, Change, Interval, Timeline, collision_name};
use crate::svg::{Canvas, Font, Rect, Svg};
use crate::text::{fit, plural, width};

/// The width of the names of rows.
pub(super) const NAMES: f64 = 270.0;
/// The width of the chart, and that of a narrow one.
const CHARTS: (f64, f64) = (800.0, 400.0);
const ROW: f64 = 26.0;
const MARGIN: f64 = 12.0;
/// How many ticks there may be, and how many on a narrow chart.
const TICKS: (usize, usize) = (12, 6);

pub(super) const LABEL: Font = Font::new(11.5);
const ID: Font = Font::new(11.5).bold();
const SMALL: Font = Font::new(10.5).colour("#333");
const MARK: Font = Font::new(10.5).bold().colour("#7d0a12");
/// How times at odds with the calendar are marked: a beam below the bar of the change.
const VIOLATION: &str = r##"fill="#7d0a12" stroke="#fff" stroke-width="0.6""##;

/// Where times are on paper.
pub(super) struct Scale {
    span: Interval,
    pub(super) left: f64,
    chart: f64,
}

impl Scale {
    fn x(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.span.end - self.span.start).num_milliseconds().max(1) as f64;
        let part = (time - self.span.start).num_milliseconds() as f64 / whole;
        self.left + part.clamp(0.0, 1.0) * self.chart
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.chart
    }

    /// Returns where an interval is, at least two pixels wide, or none if it is outside.
    pub(super) fn extent(&self, during: &Interval) -> Option<(f64, f64)> {
        if !during.overlaps(&self.span) {
            return None;
        }
        let (from, to) = (self.x(during.start), self.x(during.end));
        Some((from, to.max(from + 2.0)))
    }
}

pub(super) fn paint(timeline: &Timeline, rows: &[&Change], left_out: &[&Change], description: &str) -> Svg {
    let mut canvas = Canvas::default();
    let (chart, most_ticks) = if timeline.is_narrow { (CHARTS.1, TICKS.1) } else { (CHARTS.0, TICKS.0) };
    let width = NAMES + chart + 2.0 * MARGIN;
    let Some(span) = timeline.span(rows).map(padded) else {
        canvas.text(MARGIN, 24.0, LABEL, description);
        return canvas.finish(width, 40.0, &timeline.title, description);
    };
    let scale = Scale { span, left: MARGIN + NAMES, chart };
    define_patterns(&mut canvas);
    let collisions = collisions(timeline, &scale);
    let bands = Bands::new(timeline, &scale);
    let top = MARGIN + collisions.height + 4.0;
    let middle = top + ROW * rows.len().max(1) as f64;
    let bottom = middle + bands.height();

    let ticks = ticks(span, timeline.zone, most_ticks);
    grid(&mut canvas, &ticks, &scale, (top, bottom));
    for (number, change) in rows.iter().enumerate() {
        row(&mut canvas, timeline, change, &scale, top + ROW * number as f64, number % 2 == 1);
    }
    bands.draw(&mut canvas, timeline, &scale, middle);
    collision_bands(&mut canvas, &collisions.flags, (top, middle));
    collisions.draw_lines(&mut canvas, MARGIN, top);
    collisions.write(&mut canvas, MARGIN);
    axis(&mut canvas, &ticks, &scale, bottom);
    let mut y = bottom + 46.0;
    let zone = timeline.zone.describe(span.start, span.end);
    canvas.text(MARGIN, bottom + 16.0, SMALL, &fit(&zone, SMALL.size, NAMES - 24.0));
    let is_drawn = |id: &String| rows.iter().any(|change| change.id == *id);
    let unmarked = timeline.violations.iter().filter(|one| !is_drawn(&one.change)).count();
    if let Some(text) = left_out_text(timeline, left_out, &bands, unmarked, collisions.outside) {
        y += 4.0;
        canvas.text(MARGIN, y, ID, &text);
        y += 18.0;
    }
    let y = legend(&mut canvas, timeline, &bands, y, width);
    canvas.finish(width, y + 26.0, &timeline.title, description)
}

/// Leaves a little room at both ends.
fn padded(span: Interval) -> Interval {
    let pad = (span.end - span.start) / 40;
    let start = span.start.checked_sub_signed(pad).unwrap_or(span.start);
    Interval { start, end: span.end.checked_add_signed(pad).unwrap_or(span.end) }
}

fn left_out_text(
    timeline: &Timeline,
    left_out: &[&Change],
    bands: &Bands<'_>,
    violations: usize,
    collisions: usize,
) -> Option<String> {
    let mut parts = Vec::new();
    if !left_out.is_empty() {
        let from = left_out.iter().map(|one| one.window.start).min().unwrap_or_default();
        let to = left_out.iter().map(|one| one.over()).max().unwrap_or_default();
        let (from, to) = (timeline.zone.show(from), timeline.zone.show(to));
        let count = plural(left_out.len(), "more change", "more changes");
        parts.push(format!("{count} without a row, from {from} until {to}"));
    }
    if violations > 0 {
        let count = plural(violations, "violation of the calendar", "violations of the calendar");
        parts.push(format!("{count} by changes without a row"));
    }
    parts.extend(bands.untold());
    if collisions > 0 {
        parts.push(format!("{} outside these times", plural(collisions, "collision", "collisions")));
    }
    (!parts.is_empty()).then(|| format!("and {}", parts.join("; ")))
}

fn collisions(timeline: &Timeline, scale: &Scale) -> Flags {
    let collisions = timeline.collisions_in_order();
    let named = collisions.into_iter().enumerate().map(|(number, one)| {
        let name = collision_name(number);
        (scale.extent(&one.during), format!("{name} {}", one.changes.join(" \u{d7} ")), name)
    });
    Flags::new(named, MARK, scale.left..scale.right())
}

fn define_patterns(canvas: &mut Canvas) {
    canvas.raw("<defs>");
    let backout = ("backout", "M-1 -1L9 9M-1 7L1 9M7 -1L9 1", "#2a4a73", 1.3);
    for (name, path, colour, stroke) in bands::PATTERNS.into_iter().chain([backout]) {
        let id = Canvas::local(name);
        canvas.raw(&format!(
            r#"<pattern id="{id}" width="8" height="8" patternUnits="userSpaceOnUse"><path d="{path}" stroke="{colour}" stroke-width="{stroke}" fill="none"/></pattern>"#
        ));
    }
    canvas.raw("</defs>\n");
}

fn collision_bands(canvas: &mut Canvas, flags: &[Flag], (top, bottom): (f64, f64)) {
    for flag in flags {
        let rect = Rect::new(flag.from, top, flag.to - flag.from, bottom - top);
        canvas.open_group(&flag.title);
        let style =
            r##"fill="#b3131f" fill-opacity="0.13" stroke="#7d0a12" stroke-width="1.4" stroke-dasharray="5 3""##;
        canvas.rect(&rect, style);
        canvas.close_group();
    }
}

fn grid(canvas: &mut Canvas, ticks: &[Tick], scale: &Scale, (top, bottom): (f64, f64)) {
    for tick in ticks {
        let x = scale.x(tick.at);
        let style = if tick.day.is_some() {
            r##"stroke="#888" stroke-width="1""##
        } else {
            r##"stroke="#ccc" stroke-width="0.8""##
        };
        canvas.line((x, top), (x, bottom), style);
    }
    let frame = Rect::new(scale.left, top, scale.chart, bottom - top);
    canvas.rect(&frame, r##"fill="none" stroke="#444" stroke-width="1""##);
}

fn axis(canvas: &mut Canvas, ticks: &[Tick], scale: &Scale, bottom: f64) {
    let right = scale.right();
    for tick in ticks {
        let x = scale.x(tick.at);
        canvas.line((x, bottom), (x, bottom + 5.0), r##"stroke="#444" stroke-width="1""##);
        let room = width(&tick.label, SMALL.size);
        canvas.text(x.min(right - room / 2.0), bottom + 16.0, SMALL.anchor("middle"), &tick.label);
    }
    // From the right, so that a day that begins keeps its place and the rest of one gives way to it.
    let mut free = right;
    for (day, x) in ticks.iter().rev().filter_map(|tick| Some((tick.day.as_ref()?, scale.x(tick.at)))) {
        let room = width(day, SMALL.size);
        let start = (x - 14.0).min(free - room);
        if start > x - room.max(60.0) {
            canvas.text(start, bottom + 30.0, SMALL.bold(), day);
            free = start - 8.0;
        }
    }
}

fn row(canvas: &mut Canvas, timeline: &Timeline, change: &Change, scale: &Scale, y: f64, shaded: bool) {
    let zone = &timeline.zone;
    let mut title = format!(
        "{} {}: {} until {}",
        change.id,
        change.label,
        zone.show(change.window.start),
        zone.show(change.window.end)
    );
    if let Some(by) = change.backed_out_by {
        title = format!("{title}, backed out by {}", zone.show(by));
    }
    canvas.open_group(&title);
    if shaded {
        canvas.rect(&Rect::new(MARGIN, y, NAMES, ROW), r##"fill="#f3f4f6""##);
    }
    canvas.line((MARGIN, y + ROW), (scale.right(), y + ROW), r##"stroke="#ddd" stroke-width="0.7""##);
    write_name(canvas, y + 17.0, &change.id, &change.label);
    if let Some((from, to)) = scale.extent(&change.window) {
        if change.over() > change.window.end {
            let until = scale.x(change.over()).max(to + 2.0);
            let shadow = Rect::new(to, y + 8.0, until - to, ROW - 16.0);
            canvas.rect(&shadow, r##"fill="#fff""##);
            let fill = format!(r##"fill="url(#{})" stroke="#2a4a73" stroke-width="1""##, Canvas::local("backout"));
            canvas.rect(&shadow, &fill);
        }
        let bar = Rect::new(from, y + 5.0, to - from, ROW - 10.0);
        canvas.rect(&bar, r##"rx="2" fill="#2a4a73" stroke="#0b2238" stroke-width="1""##);
        verdict(canvas, change, &bar);
    }
    canvas.close_group();
    violations(canvas, timeline, change, scale, y);
}

/// Writes what a row is called, and what it is about.
pub(super) fn write_name(canvas: &mut Canvas, y: f64, name: &str, label: &str) {
    let name = fit(name, ID.size, NAMES * 0.5);
    let used = width(&name, ID.size) + 8.0;
    canvas.text(MARGIN + 4.0, y, ID, &name);
    canvas.text(MARGIN + 4.0 + used, y, LABEL, &fit(label, LABEL.size, NAMES - used - 10.0));
}

/// Marks the times in which a change is at odds with the calendar.
fn violations(canvas: &mut Canvas, timeline: &Timeline, change: &Change, scale: &Scale, y: f64) {
    for one in timeline.violations.iter().filter(|one| one.change == change.id) {
        if let Some((from, to)) = scale.extent(&one.during) {
            canvas.open_group(&one.reason);
            canvas.rect(&Rect::new(from, y + ROW - 5.0, to - from, 4.0), VIOLATION);
            canvas.close_group();
        }
    }
}

/// Writes the verdict into the bar if it is long enough.
fn verdict(canvas: &mut Canvas, change: &Change, bar: &Rect) {
    let Some((severity, word)) = &change.verdict else { return };
    let text = format!("{} {word}", severity.symbol());
    if width(&text, SMALL.size) + 8.0 <= bar.width {
        canvas.text(bar.x + 5.0, bar.y + 12.0, SMALL.colour("#fff").bold(), &text);
    }
}

/// Explains the marks that are there, in as many lines as that takes; returns where the last one is.
fn legend(canvas: &mut Canvas, timeline: &Timeline, bands: &Bands<'_>, mut y: f64, right: f64) -> f64 {
    let backout = format!(r##"fill="url(#{})" stroke="#2a4a73" stroke-width="1""##, Canvas::local("backout"));
    let collision =
        r##"fill="#b3131f" fill-opacity="0.13" stroke="#7d0a12" stroke-width="1.4" stroke-dasharray="5 3""##.to_owned();
    let window = r##"fill="#2a4a73" stroke="#0b2238""##.to_owned();
    let entries = [
        ("window, without its end", window, 11.0, true),
        ("time to back out", backout, 11.0, timeline.changes.iter().any(|one| one.over() > one.window.end)),
        ("collision", collision, 11.0, !timeline.collisions.is_empty()),
        ("violates the calendar", VIOLATION.to_owned(), 4.0, !timeline.violations.is_empty()),
        ("freeze", bands::style(BandKind::Freeze), 11.0, bands.has(BandKind::Freeze)),
        ("maintenance window", bands::style(BandKind::Maintenance), 11.0, bands.has(BandKind::Maintenance)),
    ];
    let mut x = MARGIN;
    for (word, style, height, _) in entries.into_iter().filter(|entry| entry.3) {
        let used = 28.0 + width(word, SMALL.size);
        if x + used > right {
            (x, y) = (MARGIN, y + 18.0);
        }
        canvas.rect(&Rect::new(x, y + (11.0 - height) / 2.0, 22.0, height), &style);
        canvas.text(x + 28.0, y + 9.5, SMALL, word);
        x += used + 20.0;
    }
    y
}
