//! Names above the chart, for what lasts a while: freezes and collisions.

use std::ops::Range;

use crate::svg::{Canvas, Font, Rect};
use crate::text::{fit, width};

/// The height of a lane.
const LANE: f64 = 15.0;
/// How many lanes of names there may be.
const LANES: usize = 4;

/// A part of the chart with a name above it.
pub(super) struct Flag {
    pub(super) from: f64,
    pub(super) to: f64,
    /// All of the name, to be shown when it is pointed at.
    pub(super) title: String,
    label: String,
    lane: Option<usize>,
}

/// Flags, each on a lane where its name hides no other.
pub(super) struct Flags {
    pub(super) flags: Vec<Flag>,
    /// The height of all lanes.
    pub(super) height: f64,
    /// How many are not within the chart.
    pub(super) outside: usize,
    font: Font,
    chart: Range<f64>,
}

impl Flags {
    /// Makes flags of extents with a long and a short name each. The short ones serve where there is no room.
    pub(super) fn new(
        named: impl Iterator<Item = (Option<(f64, f64)>, String, String)>,
        font: Font,
        chart: Range<f64>,
    ) -> Self {
        let (mut flags, mut short, mut outside) = (Vec::new(), Vec::new(), 0);
        for (extent, long, name) in named {
            let Some((from, to)) = extent else {
                outside += 1;
                continue;
            };
            flags.push(Flag { from, to, title: long.clone(), label: long, lane: None });
            short.push(name);
        }
        let mut flags = Self { flags, height: 0.0, outside, font, chart };
        if !flags.find_lanes() {
            for (flag, name) in flags.flags.iter_mut().zip(short) {
                flag.label = name;
            }
            flags.find_lanes();
        }
        flags
    }

    /// Gives flags their lanes from left to right; returns whether there are enough.
    fn find_lanes(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.flags.len()).collect();
        order.sort_by(|&a, &b| self.flags[a].from.total_cmp(&self.flags[b].from).then(a.cmp(&b)));
        let mut ends: Vec<f64> = Vec::new();
        let mut enough = true;
        for number in order {
            let extent = self.extent(&self.flags[number]);
            let mut lane = ends.iter().position(|&end| end <= extent.start);
            if lane.is_none() && ends.len() < LANES {
                ends.push(0.0);
                lane = Some(ends.len() - 1);
            }
            if let Some(lane) = lane {
                ends[lane] = extent.end;
            }
            enough &= lane.is_some();
            self.flags[number].lane = lane;
        }
        self.height = (ends.len() as f64 + if enough { 0.0 } else { 1.0 }) * LANE;
        enough
    }

    /// Where a name stands: from where the flag begins, but within the chart.
    fn extent(&self, flag: &Flag) -> Range<f64> {
        let room = (width(&flag.label, self.font.size) + 10.0).min(self.chart.end - self.chart.start);
        let from = flag.from.min(self.chart.end - room).max(self.chart.start);
        from..from + room
    }

    fn named(&self) -> impl Iterator<Item = (&Flag, f64)> {
        self.flags.iter().filter_map(|flag| flag.lane.map(|lane| (flag, LANE * lane as f64)))
    }

    /// Draws lines from the names down to the chart. Names are written later, so that no line crosses one.
    pub(super) fn draw_lines(&self, canvas: &mut Canvas, top: f64, chart: f64) {
        let style = format!(r#"stroke="{}" stroke-width="0.8""#, self.font.colour);
        for (flag, y) in self.named() {
            canvas.line((flag.from, top + y + 2.0), (flag.from, chart), &style);
        }
    }

    /// Writes the names.
    pub(super) fn write(&self, canvas: &mut Canvas, top: f64) {
        for (flag, y) in self.named() {
            let extent = self.extent(flag);
            let text = fit(&flag.label, self.font.size, extent.end - extent.start - 6.0);
            let back = Rect::new(extent.start + 1.0, top + y, width(&text, self.font.size) + 3.0, LANE - 1.0);
            canvas.open_group(&flag.title);
            canvas.rect(&back, r##"fill="#fff""##);
            canvas.text(extent.start + 3.0, top + y + 10.5, self.font, &text);
            canvas.close_group();
        }
        let unnamed = self.flags.iter().filter(|flag| flag.lane.is_none()).count();
        if unnamed > 0 {
            let text = format!("and {unnamed} more, marked but not named here");
            canvas.text(self.chart.start, top + LANE * LANES as f64 + 10.5, self.font, &text);
        }
    }
}
