//! The rows of the calendar, below those of the changes: one for each freeze or maintenance window.

use super::paint::{NAMES, Scale, write_name};
use super::{Band, BandKind, Timeline};
use crate::svg::{Canvas, Rect};
use crate::text::plural;

/// The height of a row.
const ROW: f64 = 20.0;
/// How many rows there may be.
const MOST: usize = 12;
/// Times that are told when a row is pointed at.
const TIMES: usize = 3;
/// Times that are nearer to each other than this are drawn as one.
const GAP: f64 = 0.5;

/// What stands in the `defs` of a drawing for the hatching of a kind: its name, path, colour and stroke.
pub(super) const PATTERNS: [(&str, &str, &str, f64); 2] = [
    ("freeze", "M-1 1L1 -1M0 8L8 0M7 9L9 7M-1 7L1 9M0 0L8 8M7 -1L9 1", "#555", 0.9),
    ("maintenance", "M0 2H8M0 6H8", "#3d6b35", 1.4),
];

/// A freeze or maintenance window with where its times are on paper.
struct BandRow<'a> {
    band: &'a Band,
    extents: Vec<(f64, f64)>,
}

/// The rows of the calendar, and what has none.
pub(super) struct Bands<'a> {
    rows: Vec<BandRow<'a>>,
    /// Those that have no time in the chart.
    outside: Vec<&'a Band>,
    /// Those for which there is no room.
    left_out: Vec<&'a Band>,
}

impl<'a> Bands<'a> {
    /// Gives rows to what has a time in the chart: freezes first, since they forbid, then by time.
    pub(super) fn new(timeline: &'a Timeline, scale: &Scale) -> Self {
        let (mut rows, mut outside) = (Vec::new(), Vec::new());
        for band in timeline.bands_in_order() {
            let extents = joined(band.times.iter().filter_map(|during| scale.extent(during)).collect());
            if extents.is_empty() {
                outside.push(band);
            } else {
                rows.push(BandRow { band, extents });
            }
        }
        let left_out = rows.split_off(MOST.min(rows.len())).into_iter().map(|row| row.band).collect();
        Self { rows, outside, left_out }
    }

    /// The height of all rows.
    pub(super) fn height(&self) -> f64 {
        ROW * self.rows.len() as f64
    }

    /// What has no row, and why.
    pub(super) fn untold(&self) -> impl Iterator<Item = String> {
        let told = |bands: &[&Band], why: &str| (!bands.is_empty()).then(|| format!("{} {why}", counted(bands)));
        [told(&self.left_out, "without a row"), told(&self.outside, "outside these times")].into_iter().flatten()
    }

    /// Whether a kind has a row.
    pub(super) fn has(&self, kind: BandKind) -> bool {
        self.rows.iter().any(|row| row.band.kind == kind)
    }

    /// Draws the rows.
    pub(super) fn draw(&self, canvas: &mut Canvas, timeline: &Timeline, scale: &Scale, top: f64) {
        if self.rows.is_empty() {
            return;
        }
        for (number, row) in self.rows.iter().enumerate() {
            row.draw(canvas, timeline, scale, top + ROW * number as f64);
        }
        canvas.line((scale.left - NAMES, top), (scale.right(), top), r##"stroke="#444" stroke-width="1""##);
    }
}

impl BandRow<'_> {
    fn draw(&self, canvas: &mut Canvas, timeline: &Timeline, scale: &Scale, y: f64) {
        let band = self.band;
        canvas.open_group(&title(band, timeline));
        canvas.line((scale.left - NAMES, y + ROW), (scale.right(), y + ROW), r##"stroke="#ddd" stroke-width="0.7""##);
        write_name(canvas, y + 14.0, band.kind.word(), &band.label);
        for (from, to) in &self.extents {
            let rect = Rect::new(*from, y + 4.0, to - from, ROW - 8.0);
            canvas.rect(&rect, r##"fill="#fff""##);
            canvas.rect(&rect, &style(band.kind));
        }
        canvas.close_group();
    }
}

/// How the times of a kind look: what forbids is crossed and has a firm edge, what allows is ruled and has a
/// broken one.
pub(super) fn style(kind: BandKind) -> String {
    let (name, edge) = match kind {
        BandKind::Freeze => ("freeze", r##"stroke="#333" stroke-width="1.2""##),
        BandKind::Maintenance => ("maintenance", r##"stroke="#3d6b35" stroke-width="1" stroke-dasharray="3 2""##),
    };
    format!(r##"fill="url(#{})" {edge}"##, Canvas::local(name))
}

/// A band with its first times.
fn title(band: &Band, timeline: &Timeline) -> String {
    let zone = &timeline.zone;
    let times: Vec<String> = band
        .times
        .iter()
        .take(TIMES)
        .map(|during| format!("{} until {}", zone.show(during.start), zone.show(during.end)))
        .collect();
    let more = match band.times.len().saturating_sub(TIMES) {
        0 => String::new(),
        more => format!(" and {}", plural(more, "more time", "more times")),
    };
    format!("{} {}: {}{more}", band.kind.word(), band.label, times.join(", "))
}

/// How many there are of each kind: `1 freeze and 2 maintenance windows`.
fn counted(bands: &[&Band]) -> String {
    let parts = BandKind::ALL.into_iter().filter_map(|kind| {
        let count = bands.iter().filter(|band| band.kind == kind).count();
        (count > 0).then(|| kind.counted(count))
    });
    parts.collect::<Vec<_>>().join(" and ")
}

/// Joins extents that nothing can be seen between. What is left fits the width of the chart, however many times
/// there are.
fn joined(mut extents: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    extents.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (from, to) in extents {
        match joined.last_mut() {
            Some(last) if from <= last.1 + GAP => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}
