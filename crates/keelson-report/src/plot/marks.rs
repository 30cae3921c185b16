//! Limits and days on a plot: lines with a sign and their names, so that no colour is needed to tell them apart.

use chrono::{DateTime, Utc};

use super::{DayKind, Shown, number, short};
use crate::svg::{Canvas, Font, Rect, number as coordinate};

/// Height of a line of names above the plot.
pub(super) const LANE: f64 = 15.0;
/// Names nearer to each other than this would touch.
const APART: f64 = 14.0;
/// Width of a letter of a name, about.
const LETTER: f64 = 6.4;
/// The style of the line of a limit.
const LIMIT_STYLE: &str = r##"stroke="#962020" stroke-width="2" stroke-dasharray="2 4" stroke-linecap="round""##;

/// Where the plot lies on the drawing, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Draws limits, days and a legend over a plot.
pub(super) fn draw(canvas: &mut Canvas, shown: &Shown<'_>, place: Place) {
    limits(canvas, shown, place);
    days(canvas, shown, place);
    legend(canvas, shown, place);
}

fn limits(canvas: &mut Canvas, shown: &Shown<'_>, place: Place) {
    let limits = shown.plot.limits.iter().filter(|(_, limit)| limit.is_finite());
    let told = |(name, limit): &(String, f64)| {
        let y = place.bottom - limit.max(0.0) / shown.top * (place.bottom - place.top);
        (format!("{}: {} {}", short(name), number(*limit), shown.plot.unit), (*limit <= shown.top).then_some(y))
    };
    let limits: Vec<(String, Option<f64>)> = limits.map(told).collect();
    // All lines before the first name, so that none is struck through.
    for y in limits.iter().filter_map(|(_, y)| *y) {
        canvas.line((place.left, y), (place.right, y), LIMIT_STYLE);
    }
    let mut taken: Vec<(f64, Side)> = Vec::new();
    let mut above = 0.0;
    let font = Font::new(12.0).colour("#781414");
    for (label, y) in limits {
        canvas.open_group(&label);
        if let Some(y) = y {
            let at = y - 4.0;
            let touches = |side: Side| taken.iter().any(|known| known.1 == side && (known.0 - at).abs() < APART);
            let side = [Side::Left, Side::Middle].into_iter().find(|side| !touches(*side)).unwrap_or(Side::Right);
            taken.push((at, side));
            named(canvas, (place, at), side, font, &label);
        } else {
            above += APART;
            let label = format!("\u{25b2} {label}, above this plot");
            canvas.text(place.right - 4.0, place.top + above, font.anchor("end"), &label);
        }
        canvas.close_group();
    }
}

/// Where on its line the name of a limit stands: names of limits near to each other stand beside each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Middle,
}

fn named(canvas: &mut Canvas, (place, y): (Place, f64), side: Side, font: Font, label: &str) {
    let width = LETTER * letters(label);
    let (x, left, anchor) = match side {
        Side::Left => (place.left + 4.0, place.left + 4.0, "start"),
        Side::Right => (place.right - 4.0, place.right - 4.0 - width, "end"),
        Side::Middle => {
            let x = f64::midpoint(place.left, place.right);
            (x, x - width / 2.0, "middle")
        }
    };
    canvas.rect(&Rect::new(left - 1.0, y - 10.0, width + 2.0, 12.0), r##"fill="#fff" fill-opacity="0.8""##);
    canvas.text(x, y, font.anchor(anchor), label);
}

fn days(canvas: &mut Canvas, shown: &Shown<'_>, place: Place) {
    let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| to.signed_duration_since(from).as_seconds_f64();
    let mut days: Vec<_> = shown.days().iter().collect();
    days.sort_by_key(|day| day.at);
    for (lane, day) in (1_u8..).zip(days) {
        let y = LANE * f64::from(lane);
        let label = short(&day.name);
        canvas.open_group(&label);
        let part = seconds(shown.from, day.at) / seconds(shown.from, shown.to);
        if (0.0..=1.0).contains(&part) {
            let x = place.left + part * (place.right - place.left);
            canvas.line((x, y), (x, place.bottom), style(day.kind));
            sign(canvas, day.kind, x, y - 4.0);
            let is_wide = x + 9.0 + LETTER * letters(&label) > place.right;
            let (x, anchor) = if is_wide { (x - 9.0, "end") } else { (x + 9.0, "start") };
            canvas.text(x, y, Font::new(12.0).anchor(anchor), &label);
        } else if part > 1.0 {
            let label = format!("{label}, after this plot \u{25b6}");
            canvas.text(place.right, y, Font::new(12.0).anchor("end"), &label);
        } else {
            canvas.text(place.left, y, Font::new(12.0), &format!("\u{25c0} {label}, before this plot"));
        }
        canvas.close_group();
    }
}

fn letters(label: &str) -> f64 {
    label.chars().fold(0.0, |sum, _| sum + 1.0)
}

fn style(kind: DayKind) -> &'static str {
    match kind {
        DayKind::Decide => r##"stroke="#222" stroke-width="1.5" stroke-dasharray="9 4""##,
        DayKind::RunsOut => r##"stroke="#222" stroke-width="1.5""##,
    }
}

/// A diamond for a decision, a cross for an end.
fn sign(canvas: &mut Canvas, kind: DayKind, x: f64, y: f64) {
    let [left, right, top, bottom] = [x - 5.0, x + 5.0, y - 5.0, y + 5.0].map(coordinate);
    let [x, y] = [x, y].map(coordinate);
    match kind {
        DayKind::Decide => {
            canvas.path(&format!("M{x} {top}L{right} {y}L{x} {bottom}L{left} {y}Z"), r##"fill="#222""##);
        }
        DayKind::RunsOut => {
            let path = format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}");
            canvas.path(&path, r##"stroke="#222" stroke-width="2.5" fill="none""##);
        }
    }
}

/// What the lines are, below the plot.
fn legend(canvas: &mut Canvas, shown: &Shown<'_>, place: Place) {
    let y = place.bottom + 42.0;
    let font = Font::new(12.0);
    let mut x = place.left;
    if !shown.history.is_empty() {
        canvas.line((x, y - 4.0), (x + 28.0, y - 4.0), r##"stroke="#143c78" stroke-width="2""##);
        canvas.text(x + 34.0, y, font, "measured");
        x += 120.0;
    }
    if shown.forecast.len() > 1 {
        canvas.line((x, y - 4.0), (x + 28.0, y - 4.0), r##"stroke="#143c78" stroke-width="2" stroke-dasharray="7 4""##);
        canvas.text(x + 34.0, y, font, "middle of the forecast");
        x += 190.0;
        let band = r##"fill="#dce4f0" stroke="#6e82a0""##;
        canvas.rect(&Rect::new(x, y - 10.0, 28.0, 11.0), band);
        canvas.text(x + 34.0, y, font, "chance of eight in ten to lie within");
    }
}
