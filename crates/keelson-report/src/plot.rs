//! A plot over time: what was measured, what is to come and how sure that is, limits, and days that matter.
//!
//! Drawn by the library `plotters`; this module decides what is drawn and how it is told without colour: history is a
//! full line, the middle of a forecast a dashed one, its band a shaded area between thin lines, limits are dotted lines
//! with their names on them, and days lines of their own kind, each with a sign and its name above the plot. What lies
//! outside of the plot is named at its edge.

mod marks;

use chrono::{DateTime, Duration, Utc};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::document::{Figure, Id};
use crate::svg::{Canvas, Svg};
use crate::text::visible;
use marks::Place;

/// Size of a plot.
const SIZE: (u32, u32) = (860, 360);
/// Most days that find room above a plot.
const MOST_DAYS: usize = 8;
/// Most points of a line; more are thinned, which the description says.
pub const MOST_POINTS: usize = 1_000;
/// Letters of a name that find room.
const LONGEST: usize = 64;

/// A day to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// When.
    pub at: DateTime<Utc>,
    /// The lower end.
    pub low: f64,
    /// The middle.
    pub middle: f64,
    /// The upper end.
    pub high: f64,
}

/// What a day means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// By then something is to be decided.
    Decide,
    /// Then something has run out.
    RunsOut,
}

/// A day that matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// What it is, and the day itself: `decide on database by 2027-03-01`.
    pub name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What it means.
    pub kind: DayKind,
}

/// What a plot shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimePlot {
    /// What it is.
    pub title: String,
    /// The unit of all values.
    pub unit: String,
    /// What was measured, by time.
    pub history: Vec<(DateTime<Utc>, f64)>,
    /// What is to come, by time.
    pub forecast: Vec<Ahead>,
    /// Limits with their names.
    pub limits: Vec<(String, f64)>,
    /// Days that matter; the first eight are drawn, all are told.
    pub days: Vec<Day>,
}

impl TimePlot {
    /// Draws it; absent where there is nothing to draw.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<Figure> {
        let shown = Shown::of(self)?;
        let mut inner = String::new();
        let place = shown.draw(&mut inner)?;
        let description = shown.description();
        let mut canvas = Canvas::default();
        canvas.raw(elements(&inner));
        marks::draw(&mut canvas, &shown, place);
        let svg: Svg = canvas.finish(f64::from(SIZE.0), f64::from(shown.height()), &self.title, &description);
        Some(Figure { name: Id::new(name), title: self.title.clone(), description, svg })
    }
}

/// The elements of a drawing without the element around them.
fn elements(svg: &str) -> &str {
    let from = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    let to = svg.rfind("</svg>").unwrap_or(svg.len());
    svg.get(from..to).unwrap_or("")
}

/// A plot whose points are few and whose ends are known.
struct Shown<'a> {
    plot: &'a TimePlot,
    history: Vec<(DateTime<Utc>, f64)>,
    forecast: Vec<Ahead>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    top: f64,
    is_thinned: bool,
}

impl<'a> Shown<'a> {
    fn of(plot: &'a TimePlot) -> Option<Self> {
        let finite = |value: &f64| value.is_finite();
        let history: Vec<_> = plot.history.iter().copied().filter(|(_, value)| finite(value)).collect();
        let is_whole = |ahead: &Ahead| [ahead.low, ahead.middle, ahead.high].iter().all(finite);
        let forecast: Vec<_> = plot.forecast.iter().copied().filter(is_whole).collect();
        let times = history.iter().map(|(at, _)| *at).chain(forecast.iter().map(|ahead| ahead.at));
        let (from, to) = times.fold(None, |ends: Option<(DateTime<Utc>, DateTime<Utc>)>, at| {
            Some(ends.map_or((at, at), |(from, to)| (from.min(at), to.max(at))))
        })?;
        let to = if to > from { to } else { from + Duration::days(1) };
        // Room for days soon after; one far away would press everything together.
        let reach = to + (to - from) / 2;
        let to = plot.days.iter().map(|day| day.at).filter(|at| *at <= reach).fold(to, DateTime::max);
        let values = history.iter().map(|(_, value)| *value).chain(forecast.iter().map(|ahead| ahead.high));
        let highest = values.fold(0.0_f64, f64::max);
        // A limit far above everything would press the lines flat.
        let limits =
            plot.limits.iter().map(|(_, limit)| *limit).filter(|limit| finite(limit) && *limit <= highest * 4.0);
        let top = limits.fold(highest, f64::max).max(1e-9) * 1.12;
        let is_thinned = history.len() > MOST_POINTS;
        let every = history.len().div_ceil(MOST_POINTS).max(1);
        let highest = |few: &[(DateTime<Utc>, f64)]| few.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let history = history.chunks(every).filter_map(highest).collect();
        Some(Self { plot, history, forecast, from, to, top, is_thinned })
    }

    /// Height of the drawing, with a line of its own for the name of each day.
    fn height(&self) -> u32 {
        SIZE.1 + self.lanes()
    }

    fn lanes(&self) -> u32 {
        let days = u8::try_from(self.days().len()).unwrap_or(u8::MAX);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few lines of a few pixels")]
        let lanes = (marks::LANE * f64::from(days)) as u32;
        lanes
    }

    fn days(&self) -> &'a [Day] {
        &self.plot.days[..self.plot.days.len().min(MOST_DAYS)]
    }

    fn draw(&self, out: &mut String) -> Option<Place> {
        let area = SVGBackend::with_string(out, (SIZE.0, self.height())).into_drawing_area();
        let place = self.paint(&area).ok()?;
        area.present().ok()?;
        Some(place)
    }

    fn paint<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<Place, DrawingAreaErrorKind<DB::ErrorType>> {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_top(12 + self.lanes())
            .margin_bottom(28)
            .margin_right(24)
            .x_label_area_size(30)
            .y_label_area_size(64)
            .build_cartesian_2d(self.from..self.to, 0.0..self.top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(225, 225, 225))
            .label_style(("sans-serif", 12))
            .y_desc(short(&self.plot.unit))
            .x_label_formatter(&|at| at.format("%Y-%m-%d").to_string())
            .x_labels(7)
            .y_labels(6)
            .draw()?;
        let band: Vec<(DateTime<Utc>, f64)> = self
            .forecast
            .iter()
            .map(|ahead| (ahead.at, ahead.high))
            .chain(self.forecast.iter().rev().map(|ahead| (ahead.at, ahead.low)))
            .collect();
        if self.forecast.len() > 1 {
            chart.draw_series(std::iter::once(Polygon::new(band, RGBColor(220, 228, 240).filled())))?;
            let thin = RGBColor(110, 130, 160).stroke_width(1);
            chart.draw_series(LineSeries::new(self.forecast.iter().map(|ahead| (ahead.at, ahead.high)), thin))?;
            chart.draw_series(LineSeries::new(self.forecast.iter().map(|ahead| (ahead.at, ahead.low)), thin))?;
            let middle = self.forecast.iter().map(|ahead| (ahead.at, ahead.middle));
            chart.draw_series(DashedLineSeries::new(middle, 7, 4, RGBColor(20, 60, 120).stroke_width(2)))?;
        }
        chart.draw_series(LineSeries::new(self.history.iter().copied(), RGBColor(20, 60, 120).stroke_width(2)))?;
        let (left, bottom) = chart.backend_coord(&(self.from, 0.0));
        let (right, top) = chart.backend_coord(&(self.to, self.top));
        let [left, right, top, bottom] = [left, right, top, bottom].map(f64::from);
        Ok(Place { left, right, top, bottom })
    }

    /// What can be seen, in words.
    fn description(&self) -> String {
        let unit = &self.plot.unit;
        let mut parts = Vec::new();
        // Of the points as they were given: those drawn are the highest of every few.
        let mut whole = self.plot.history.iter().filter(|(_, value)| value.is_finite());
        if let Some(first) = whole.next() {
            let last = whole.next_back().unwrap_or(first);
            parts.push(format!(
                "Measured from {} to {}, last {} {unit}",
                first.0.format("%Y-%m-%d"),
                last.0.format("%Y-%m-%d"),
                number(last.1)
            ));
        }
        if let Some(last) = self.forecast.last() {
            parts.push(format!(
                "forecast for {}: {} {unit}, between {} and {} with a chance of eight in ten",
                last.at.format("%Y-%m-%d"),
                number(last.middle),
                number(last.low),
                number(last.high)
            ));
        }
        let limits = self.plot.limits.iter().filter(|(_, limit)| limit.is_finite());
        parts.extend(limits.map(|(name, limit)| format!("{name}: {} {unit}", number(*limit))));
        parts.extend(self.plot.days.iter().map(|day| day.name.clone()));
        if self.is_thinned {
            parts.push("of many points the highest of every few are drawn".to_owned());
        }
        parts.join("; ") + "."
    }
}

fn short(name: &str) -> String {
    let name = visible(name);
    if name.chars().count() <= LONGEST {
        return name.into_owned();
    }
    name.chars().take(LONGEST - 1).chain(['\u{2026}']).collect()
}

fn number(value: f64) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(name: &str) -> TimePlot {
        let day = |n: i64| DateTime::from_timestamp(1_793_491_200 + n * 86_400, 0).unwrap_or_default();
        let value = |n: i64| 40.0 + f64::from(u32::try_from(n).unwrap_or(0)) / 4.0;
        let ahead = |n: i64| Ahead { at: day(n), low: value(n) * 0.9, middle: value(n), high: value(n) * 1.1 };
        TimePlot {
            title: format!("Demand on {name}"),
            unit: "transactions/s".to_owned(),
            history: (0..90).map(|n| (day(n), value(n))).collect(),
            forecast: (90..180).map(ahead).collect(),
            limits: vec![(format!("limit of {name}"), 80.0)],
            days: vec![
                Day { name: "decide by 2027-03-01".to_owned(), at: day(120), kind: DayKind::Decide },
                Day { name: "runs out on 2027-03-31".to_owned(), at: day(150), kind: DayKind::RunsOut },
            ],
        }
    }

    #[test]
    fn a_plot_is_told_in_words_and_names_are_no_markup() {
        let figure = plot("<b>&x").figure("demand");
        let markup = figure.as_ref().map(|figure| figure.svg.markup(&figure.name)).unwrap_or_default();
        assert!(markup.contains("&lt;b&gt;&amp;x") && !markup.contains("<b>"), "{markup}");
        assert!(!markup.contains("style=") && !markup.contains("<script"), "it keeps to the policy of pages");
        let description = figure.map(|figure| figure.description).unwrap_or_default();
        assert!(
            description.starts_with("Measured from 2026-11-01 to 2027-01-29, last 62.25 transactions/s; forecast for")
        );
        assert!(description.contains("decide by 2027-03-01; runs out on 2027-03-31"), "{description}");
    }

    #[test]
    fn the_same_plot_has_the_same_bytes_and_nothing_is_no_plot() {
        let bytes = || plot("a").figure("demand").map(|figure| figure.svg.markup(&figure.name));
        assert_eq!(bytes(), bytes());
        assert_eq!(TimePlot::default().figure("none").map(|_| ()), None);
        let odd = TimePlot { history: vec![(DateTime::UNIX_EPOCH, f64::NAN)], ..TimePlot::default() };
        assert_eq!(odd.figure("none").map(|_| ()), None);
    }

    #[test]
    fn limits_and_days_are_drawn_also_where_they_lie_outside() {
        let markup = |plot: &TimePlot| {
            let figure = plot.figure("demand");
            figure.as_ref().map(|figure| figure.svg.markup(&figure.name)).unwrap_or_default()
        };
        let mut inside = plot("a");
        let drawn = markup(&inside);
        for label in ["limit of a: 80 transactions/s", "decide by 2027-03-01", "runs out on 2027-03-31", "measured"] {
            assert!(drawn.contains(&format!(">{label}</text>")), "{label}");
        }
        inside.limits[0].1 = 10_000.0;
        inside.days[0].at += Duration::days(4_000);
        inside.days[1].at -= Duration::days(4_000);
        let drawn = markup(&inside);
        for label in ["transactions/s, above this plot", ", after this plot", ", before this plot"] {
            assert!(drawn.contains(label), "{label}");
        }
    }

    #[test]
    fn the_last_value_is_told_as_measured_however_many_are_drawn() {
        let mut plot = plot("a");
        let from = DateTime::UNIX_EPOCH;
        let value = |n: i64| if n % 10 == 0 { 50.0 } else { 7.0 };
        plot.history = (0..5_002).map(|n| (from + Duration::hours(n), value(n))).collect();
        let description = plot.figure("demand").map(|figure| figure.description).unwrap_or_default();
        assert!(description.contains(", last 7 transactions/s;"), "{description}");
    }
}
