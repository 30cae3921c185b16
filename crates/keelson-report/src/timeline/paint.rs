//! Puts rows, bands and the axis on paper.

use chrono::{DateTime, Utc};

use super::axis::{Tick, ticks};
use super::flags::{Flag, Flags};
use super::{Change, Interval, Timeline, collision_name};
use crate::svg::{Canvas, Font, Rect, Svg};
use crate::text::{fit, plural, width};

const NAMES: f64 = 270.0;
/// The width of the chart, and that of a narrow one.
const CHARTS: (f64, f64) = (800.0, 400.0);
const ROW: f64 = 26.0;
const MARGIN: f64 = 12.0;
/// How many ticks there may be, and how many on a narrow chart.
const TICKS: (usize, usize) = (12, 6);

const LABEL: Font = Font::new(11.5);
const ID: Font = Font::new(11.5).bold();
const SMALL: Font = Font::new(10.5).colour("#333");
const MARK: Font = Font::new(10.5).bold().colour("#7d0a12");
const BAND: Font = Font::new(10.5).colour("#3a3a3a");

/// Where times are on paper.
struct Scale {
    span: Interval,
    left: f64,
    chart: f64,
}

impl Scale {
    fn x(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.span.end - self.span.start).num_milliseconds().max(1) as f64;
        let part = (time - self.span.start).num_milliseconds() as f64 / whole;
        self.left + part.clamp(0.0, 1.0) * self.chart
    }

    fn right(&self) -> f64 {
        self.left + self.chart
    }

    /// Returns where an interval is, at least two pixels wide, or none if it is outside.
    fn extent(&self, during: &Interval) -> Option<(f64, f64)> {
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
    let freezes = freezes(timeline, &scale);
    let collisions = collisions(timeline, &scale);
    let top = MARGIN + freezes.height + collisions.height + 4.0;
    let bottom = top + ROW * rows.len().max(1) as f64;

    freeze_bands(&mut canvas, &freezes.flags, (top, bottom));
    let ticks = ticks(span, timeline.zone, most_ticks);
    grid(&mut canvas, &ticks, &scale, (top, bottom));
    for (number, change) in rows.iter().enumerate() {
        row(&mut canvas, timeline, change, &scale, top + ROW * number as f64, number % 2 == 1);
    }
    collision_bands(&mut canvas, &collisions.flags, (top, bottom));
    let names = [(&freezes, MARGIN), (&collisions, MARGIN + freezes.height)];
    for (flags, y) in names {
        flags.draw_lines(&mut canvas, y, top);
    }
    for (flags, y) in names {
        flags.write(&mut canvas, y);
    }
    axis(&mut canvas, &ticks, &scale, bottom);
    let mut y = bottom + 46.0;
    let zone = timeline.zone.describe(span.start, span.end);
    canvas.text(MARGIN, bottom + 16.0, SMALL, &fit(&zone, SMALL.size, NAMES - 24.0));
    if let Some(text) = left_out_text(timeline, left_out, freezes.outside, collisions.outside) {
        y += 4.0;
        canvas.text(MARGIN, y, ID, &text);
        y += 18.0;
    }
    legend(&mut canvas, timeline, y);
    canvas.finish(width, y + 26.0, &timeline.title, description)
}

/// Leaves a little room at both ends.
fn padded(span: Interval) -> Interval {
    let pad = (span.end - span.start) / 40;
    let start = span.start.checked_sub_signed(pad).unwrap_or(span.start);
    Interval { start, end: span.end.checked_add_signed(pad).unwrap_or(span.end) }
}

fn left_out_text(timeline: &Timeline, left_out: &[&Change], freezes: usize, collisions: usize) -> Option<String> {
    let mut parts = Vec::new();
    if !left_out.is_empty() {
        let from = left_out.iter().map(|one| one.window.start).min().unwrap_or_default();
        let to = left_out.iter().map(|one| one.over()).max().unwrap_or_default();
        let (from, to) = (timeline.zone.show(from), timeline.zone.show(to));
        let count = plural(left_out.len(), "more change", "more changes");
        parts.push(format!("{count} without a row, from {from} until {to}"));
    }
    if freezes > 0 {
        parts.push(format!("{} outside these times", plural(freezes, "freeze", "freezes")));
    }
    if collisions > 0 {
        parts.push(format!("{} outside these times", plural(collisions, "collision", "collisions")));
    }
    (!parts.is_empty()).then(|| format!("and {}", parts.join("; ")))
}

fn freezes(timeline: &Timeline, scale: &Scale) -> Flags {
    let named = timeline.freezes.iter().map(|one| {
        let label = format!("Freeze: {}", one.label);
        (scale.extent(&one.during), label.clone(), label)
    });
    Flags::new(named, BAND, scale.left..scale.right())
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
    let patterns = [
        ("freeze", "M-1 1L1 -1M0 8L8 0M7 9L9 7", "#a8a8a8", 1.0),
        ("backout", "M-1 -1L9 9M-1 7L1 9M7 -1L9 1", "#2a4a73", 1.3),
    ];
    for (name, path, colour, stroke) in patterns {
        let id = Canvas::local(name);
        canvas.raw(&format!(
            r#"<pattern id="{id}" width="8" height="8" patternUnits="userSpaceOnUse"><path d="{path}" stroke="{colour}" stroke-width="{stroke}" fill="none"/></pattern>"#
        ));
    }
    canvas.raw("</defs>\n");
}

fn freeze_bands(canvas: &mut Canvas, flags: &[Flag], (top, bottom): (f64, f64)) {
    for flag in flags {
        let rect = Rect::new(flag.from, top, flag.to - flag.from, bottom - top);
        canvas.open_group(&flag.title);
        let fill = format!(r##"fill="url(#{})" stroke="#777" stroke-width="0.8""##, Canvas::local("freeze"));
        canvas.rect(&rect, &fill);
        canvas.close_group();
    }
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
    let id = fit(&change.id, ID.size, NAMES * 0.5);
    let used = width(&id, ID.size) + 8.0;
    canvas.text(MARGIN + 4.0, y + 17.0, ID, &id);
    canvas.text(MARGIN + 4.0 + used, y + 17.0, LABEL, &fit(&change.label, LABEL.size, NAMES - used - 10.0));
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
}

/// Writes the verdict into the bar if it is long enough.
fn verdict(canvas: &mut Canvas, change: &Change, bar: &Rect) {
    let Some((severity, word)) = &change.verdict else { return };
    let text = format!("{} {word}", severity.symbol());
    if width(&text, SMALL.size) + 8.0 <= bar.width {
        canvas.text(bar.x + 5.0, bar.y + 12.0, SMALL.colour("#fff").bold(), &text);
    }
}

fn legend(canvas: &mut Canvas, timeline: &Timeline, y: f64) {
    let mut x = MARGIN;
    let freeze = format!(r##"fill="url(#{})" stroke="#777" stroke-width="0.8""##, Canvas::local("freeze"));
    let backout = format!(r##"fill="url(#{})" stroke="#2a4a73" stroke-width="1""##, Canvas::local("backout"));
    let collision =
        r##"fill="#b3131f" fill-opacity="0.13" stroke="#7d0a12" stroke-width="1.4" stroke-dasharray="5 3""##.to_owned();
    let window = r##"fill="#2a4a73" stroke="#0b2238""##.to_owned();
    let entries = [
        ("window, without its end", window, true),
        ("time to back out", backout, timeline.changes.iter().any(|one| one.over() > one.window.end)),
        ("freeze", freeze, !timeline.freezes.is_empty()),
        ("collision", collision, !timeline.collisions.is_empty()),
    ];
    for (word, style, _) in entries.into_iter().filter(|entry| entry.2) {
        canvas.rect(&Rect::new(x, y, 22.0, 11.0), &style);
        canvas.text(x + 28.0, y + 9.5, SMALL, word);
        x += 28.0 + width(word, SMALL.size) + 20.0;
    }
}
