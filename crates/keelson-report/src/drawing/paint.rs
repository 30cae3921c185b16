//! Puts the boxes and lines on paper.

use std::collections::BTreeMap;

use super::fold::{Folded, FoldedBox};
use super::layout::{self, Graph, Layout, Segment};
use super::{Drawing, State, counts_by_state};
use crate::svg::{Canvas, Font, Rect, Svg, number};
use crate::text::{fit, one_line, width};

const NAME: Font = Font::new(12.5).bold();
const SMALL: Font = Font::new(10.5).colour("#333");
const WORD: Font = Font::new(10.5).bold();
const NEED: Font = Font::new(10.5).italic();

/// The least and greatest width of a box.
const WIDTHS: (f64, f64) = (104.0, 176.0);
/// The room left of the text of a box, for the band that carries the pattern of the state.
const TEXT: f64 = 17.0;
const MARGIN: f64 = 14.0;
/// The room for the symbol before the word of a state.
const SYMBOL: f64 = 15.0;

/// A point on paper.
type Point = (f64, f64);

/// Draws a folded drawing; also returns the boxes by number, from the top left.
pub(super) fn paint(drawing: &Drawing, folded: &Folded, description: &str) -> (Svg, Vec<usize>) {
    let graph = Graph {
        sizes: folded.boxes.iter().map(|one| size(drawing, one)).collect(),
        edges: folded.lines.iter().map(|line| (line.dependent, line.dependency)).collect(),
    };
    let layout = layout::lay_out(&graph);
    let legend = legend_width(folded);
    let width = (layout.width.max(legend).max(320.0) + 2.0 * MARGIN).ceil();
    let shift = ((width - layout.width) / 2.0, MARGIN);
    let mut canvas = Canvas::default();
    define_patterns(&mut canvas);
    canvas.raw(&format!("<g transform=\"translate({} {})\">\n", number(shift.0), number(shift.1)));
    lines(&mut canvas, folded, &layout);
    let mut order: Vec<usize> = (0..folded.boxes.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&layout.places[a], &layout.places[b]);
        a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x))
    });
    for &number in &order {
        paint_box(&mut canvas, drawing, &folded.boxes[number], &layout.places[number]);
    }
    canvas.raw("</g>\n");
    let mut y = layout.height + 2.0 * MARGIN + 6.0;
    if !folded.left_out.is_empty() {
        let states = counts_by_state(folded.left_out.iter().map(|&item| drawing.items[item].state));
        let text = format!("and {} more that found no room: {states}", folded.left_out.len());
        canvas.text(MARGIN, y + 10.0, NAME, &fit(&text, NAME.size, width - 2.0 * MARGIN));
        y += 22.0;
    }
    y = legend_rows(&mut canvas, folded, width, y);
    (canvas.finish(width, y + MARGIN / 2.0, &drawing.title, description), order)
}

fn second_line(drawing: &Drawing, one: &FoldedBox) -> String {
    if one.members.len() == 1 {
        return one.class.clone();
    }
    let names: Vec<&str> = one.members.iter().take(12).map(|&item| drawing.items[item].label.as_str()).collect();
    names.join(", ")
}

fn need_line(one: &FoldedBox) -> Option<String> {
    let first = one.needs.first()?;
    Some(match one.needs.len() {
        1 => first.clone(),
        more => format!("{first} (+{})", more - 1),
    })
}

fn size(drawing: &Drawing, one: &FoldedBox) -> (f64, f64) {
    let mut widest = width(&one_line(&one.label), NAME.size);
    widest = widest.max(width(&one_line(&second_line(drawing, one)), SMALL.size));
    widest = widest.max(width(one.state.word(), WORD.size) + SYMBOL);
    let need = need_line(one);
    if let Some(need) = &need {
        widest = widest.max(width(&one_line(need), NEED.size));
    }
    let stack = if one.members.len() > 1 { 6.0 } else { 0.0 };
    let room = (widest + TEXT + 10.0).clamp(WIDTHS.0, WIDTHS.1);
    (room.ceil() + stack, if need.is_some() { 72.0 } else { 56.0 } + stack)
}

/// The look of a state: fill, colour of border and symbol, style of border.
fn look(state: State) -> (&'static str, &'static str, &'static str) {
    match state {
        State::Changed => ("#e4ecf7", "#0b2e59", r#"stroke-width="2.5""#),
        State::Lost => ("#fbe3e3", "#7d0a12", r#"stroke-width="3.5""#),
        State::Breached => ("#fdebd9", "#7a3b00", r#"stroke-width="1.2""#),
        State::Degraded => ("#fdf5d3", "#5c4700", r#"stroke-width="2" stroke-dasharray="9 4""#),
        State::AtRisk => ("#f3ecf9", "#4a2a70", r#"stroke-width="2" stroke-dasharray="2.5 3""#),
        State::SinglePoint => ("#eef0f4", "#2b3644", r#"stroke-width="2" stroke-dasharray="10 3 2 3""#),
        State::Protected => ("#e8f4ea", "#14532d", r#"stroke-width="1.2""#),
        State::Neutral => ("#fff", "#555", r#"stroke-width="1""#),
    }
}

fn symbol(state: State) -> &'static str {
    match state {
        State::Changed => "M0 5L5 0L10 5L5 10Z",
        State::Lost => "M1 1L9 9M9 1L1 9",
        State::Breached => "M0.5 1.5H9.5L5 9.5Z",
        State::Degraded => "M5 0.5V8M1.5 5L5 9L8.5 5",
        State::AtRisk => "M5 0V6.2M5 8.2V10",
        State::SinglePoint => "M1 5a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        State::Protected => "M0.5 5.5L4 9L9.5 1",
        State::Neutral => "M1 5H9",
    }
}

fn paint_symbol(canvas: &mut Canvas, state: State, x: f64, y: f64) {
    let (_, colour, _) = look(state);
    let fill = if matches!(state, State::Changed) { colour } else { "none" };
    let style = format!(
        r#"transform="translate({} {})" fill="{fill}" stroke="{colour}" stroke-width="2.2""#,
        number(x),
        number(y)
    );
    canvas.path(symbol(state), &style);
}

fn define_patterns(canvas: &mut Canvas) {
    canvas.raw("<defs>");
    let patterns = [
        (State::Lost, "M-1 1L1 -1M0 6L6 0M5 7L7 5M-1 5L1 7M0 0L6 6M5 -1L7 1", 1.6),
        (State::Breached, "M-1 1L1 -1M0 6L6 0M5 7L7 5", 1.6),
        (State::Degraded, "M0 1.5H6M0 4.5H6", 1.2),
        (State::AtRisk, "M1.5 1.5h1.6M4.5 4.5h1.6", 1.6),
        (State::SinglePoint, "M0 0L6 6M-1 5L1 7M5 -1L7 1", 1.2),
        (State::Protected, "M3 0V6", 1.2),
    ];
    for (state, path, stroke) in patterns {
        let id = Canvas::local(look_id(state));
        let (_, colour, _) = look(state);
        canvas.raw(&format!(
            r#"<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse"><path d="{path}" stroke="{colour}" stroke-width="{stroke}" fill="none"/></pattern>"#
        ));
    }
    canvas.raw("</defs>\n");
}

fn look_id(state: State) -> &'static str {
    match state {
        State::Changed => "changed",
        State::Lost => "lost",
        State::Breached => "breached",
        State::Degraded => "degraded",
        State::AtRisk => "risk",
        State::SinglePoint => "single",
        State::Protected => "protected",
        State::Neutral => "neutral",
    }
}

/// Draws the frame of a state: filled, bordered, with a band of its pattern on the left.
fn frame(canvas: &mut Canvas, rect: &Rect, state: State) {
    let (fill, colour, border) = look(state);
    canvas.rect(rect, &format!(r#"rx="3" fill="{fill}" stroke="{colour}" {border}"#));
    if state == State::Breached {
        canvas.rect(&rect.inset(2.8), &format!(r#"rx="1.5" fill="none" stroke="{colour}" stroke-width="1.2""#));
    }
    let inner = rect.inset(if state == State::Breached { 3.4 } else { 1.8 });
    let band = Rect::new(inner.x, inner.y, 7.0, inner.height);
    match state {
        State::Neutral => {}
        State::Changed => canvas.rect(&band, &format!(r#"fill="{colour}""#)),
        _ => canvas.rect(&band, &format!(r#"fill="url(#{})""#, Canvas::local(look_id(state)))),
    }
}

fn paint_box(canvas: &mut Canvas, drawing: &Drawing, one: &FoldedBox, place: &Rect) {
    canvas.open_group(&tooltip(drawing, one));
    let (mut rect, colour) = (*place, look(one.state).1);
    if one.members.len() > 1 {
        // A box that stands for several looks like a stack.
        rect = Rect::new(place.x, place.y, place.width - 6.0, place.height - 6.0);
        for by in [6.0, 3.0] {
            let behind = Rect::new(rect.x + by, rect.y + by, rect.width, rect.height);
            canvas.rect(&behind, &format!(r##"rx="3" fill="#fff" stroke="{colour}" stroke-width="1""##));
        }
    }
    frame(canvas, &rect, one.state);
    let (x, room) = (rect.x + TEXT, rect.width - TEXT - 6.0);
    canvas.text(x, rect.y + 17.0, NAME, &fit(&one.label, NAME.size, room));
    canvas.text(x, rect.y + 31.0, SMALL, &fit(&second_line(drawing, one), SMALL.size, room));
    paint_symbol(canvas, one.state, x, rect.y + 36.5);
    canvas.text(x + SYMBOL, rect.y + 46.0, WORD, one.state.word());
    if let Some(need) = need_line(one) {
        canvas.text(x, rect.y + 62.0, NEED, &fit(&need, NEED.size, room));
    }
    canvas.close_group();
}

fn tooltip(drawing: &Drawing, one: &FoldedBox) -> String {
    let names = one.members.iter().map(|&item| {
        let item = &drawing.items[item];
        if item.label == item.id { item.id.clone() } else { format!("{} ({})", item.label, item.id) }
    });
    let names: Vec<String> = names.collect();
    let mut text = format!("{}, {}: {}", one.class, one.state.word(), names.join(", "));
    if !one.needs.is_empty() {
        text = format!("{text}; {}", one.needs.join("; "));
    }
    text
}

/// Where lines meet a point: spread over the middle of its side, in the order of their other ends.
fn ports(layout: &Layout, boxes: usize) -> Vec<(Point, Point)> {
    let middle = |point: usize| layout.places[point].x + layout.places[point].width / 2.0;
    let mut sides: BTreeMap<(usize, bool), Vec<usize>> = BTreeMap::new();
    for (number, segment) in layout.segments.iter().enumerate() {
        sides.entry((segment.upper, true)).or_default().push(number);
        sides.entry((segment.lower, false)).or_default().push(number);
    }
    let mut ports = vec![((0.0, 0.0), (0.0, 0.0)); layout.segments.len()];
    for ((point, below), mut numbers) in sides {
        let other = |number: usize| {
            let segment = &layout.segments[number];
            middle(if below { segment.lower } else { segment.upper })
        };
        numbers.sort_by(|&a, &b| other(a).total_cmp(&other(b)).then(a.cmp(&b)));
        let place = &layout.places[point];
        let spread = if point < boxes { place.width * 0.6 } else { 0.0 };
        let step = (spread / numbers.len() as f64).min(22.0);
        let start = middle(point) - step * (numbers.len() as f64 - 1.0) / 2.0;
        for (place_in_row, number) in numbers.into_iter().enumerate() {
            let x = start + step * place_in_row as f64;
            if below {
                ports[number].0 = (x, place.bottom());
            } else {
                ports[number].1 = (x, place.y);
            }
        }
    }
    ports
}

fn lines(canvas: &mut Canvas, folded: &Folded, layout: &Layout) {
    let boxes = folded.boxes.len();
    let ports = ports(layout, boxes);
    let in_proof = |segment: &Segment| segment.edges.iter().any(|&edge| folded.lines[edge].in_proof);
    let bottom = |point: usize| {
        let layer = layout.layers[point];
        let row = (0..boxes).filter(|&other| layout.layers[other] == layer);
        row.map(|other| layout.places[other].bottom()).fold(layout.places[point].bottom(), f64::max)
    };
    // The proof is drawn last, so that it lies on top.
    let mut order: Vec<usize> = (0..layout.segments.len()).collect();
    order.sort_by_key(|&number| in_proof(&layout.segments[number]));
    for number in order {
        let segment = &layout.segments[number];
        let (from, to) = ports[number];
        let proof = in_proof(segment);
        let ends = Ends { from, to, straight_to: bottom(segment.upper) };
        let from_box = segment.upper < boxes;
        let to_box = segment.lower < boxes;
        canvas.open_group(&line_title(folded, segment));
        let style = if proof {
            r##"fill="none" stroke="#111" stroke-width="2.4""##
        } else {
            r##"fill="none" stroke="#6b6b6b" stroke-width="1.1" stroke-dasharray="5 3""##
        };
        canvas.path(&curve(&ends, segment.turned && from_box, !segment.turned && to_box), style);
        let fill = if proof { "#111" } else { "#6b6b6b" };
        match (segment.turned, from_box, to_box) {
            (false, _, true) => arrow(canvas, to, 1.0, fill),
            (true, true, _) => arrow(canvas, from, -1.0, fill),
            _ => {}
        }
        canvas.close_group();
        if !to_box {
            let place = &layout.places[segment.lower];
            canvas.line(to, (to.0, place.bottom()), style);
        }
    }
    labels(canvas, folded, layout, &ports);
}

struct Ends {
    from: Point,
    to: Point,
    /// As far down as this a line goes straight, to pass the boxes beside it.
    straight_to: f64,
}

/// Returns the path of a line; it ends short of an arrow.
fn curve(ends: &Ends, arrow_above: bool, arrow_below: bool) -> String {
    let (x1, y1) = (ends.from.0, ends.from.1 + if arrow_above { 6.0 } else { 0.0 });
    let (x2, y2) = (ends.to.0, ends.to.1 - if arrow_below { 6.0 } else { 0.0 });
    let bend = ends.straight_to.max(y1);
    let middle = (bend + y2) / 2.0;
    let [x1, y1, x2, y2, bend, middle] = [x1, y1, x2, y2, bend, middle].map(number);
    format!("M{x1} {y1}V{bend}C{x1} {middle} {x2} {middle} {x2} {y2}")
}

fn arrow(canvas: &mut Canvas, tip: Point, down: f64, fill: &str) {
    let [x, left, right] = [tip.0, tip.0 - 4.0, tip.0 + 4.0].map(number);
    let [y, back] = [tip.1, tip.1 - 8.0 * down].map(number);
    canvas.path(&format!("M{x} {y}L{left} {back}L{right} {back}Z"), &format!(r#"fill="{fill}""#));
}

fn line_title(folded: &Folded, segment: &Segment) -> String {
    let titles = segment.edges.iter().take(20).map(|&edge| {
        let line = &folded.lines[edge];
        let (from, to) = (&folded.boxes[line.dependent].label, &folded.boxes[line.dependency].label);
        let kind = if line.labels.is_empty() { "needs".to_owned() } else { line.labels.join(", ") };
        let count = if line.count > 1 { format!(" ({} relationships)", line.count) } else { String::new() };
        format!("{from} {kind} {to}{count}")
    });
    let titles: Vec<String> = titles.collect();
    titles.join("; ")
}

/// Writes the kinds of relationships beside lines, where there is room for them.
fn labels(canvas: &mut Canvas, folded: &Folded, layout: &Layout, ports: &[(Point, Point)]) {
    let font = Font::new(9.5).anchor("middle").colour("#333");
    let mut taken: Vec<Rect> = layout.places[..folded.boxes.len()].to_vec();
    for (segment, &(from, to)) in layout.segments.iter().zip(ports) {
        let [edge] = segment.edges[..] else { continue };
        let line = &folded.lines[edge];
        let starts = if segment.turned { segment.lower == line.dependent } else { segment.upper == line.dependent };
        let Some(label) = line.labels.first().filter(|_| starts && line.labels.len() == 1) else { continue };
        let label = fit(label, font.size, 110.0);
        let room = width(&label, font.size) + 6.0;
        let (x, y) = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let place = Rect::new(x - room / 2.0, y - 7.0, room, 13.0);
        if taken.iter().any(|other| other.overlaps(&place)) {
            continue;
        }
        canvas.rect(&place, r##"fill="#fff" fill-opacity="0.9""##);
        canvas.text(x, y + 3.0, font, &label);
        taken.push(place);
    }
}

/// Returns the states that the legend explains.
fn present(folded: &Folded) -> Vec<State> {
    State::ALL.into_iter().filter(|state| folded.boxes.iter().any(|one| one.state == *state)).collect()
}

fn legend_entry(state: State) -> f64 {
    30.0 + SYMBOL + width(state.word(), SMALL.size) + 12.0
}

fn legend_width(folded: &Folded) -> f64 {
    present(folded).into_iter().map(legend_entry).sum::<f64>().min(700.0)
}

fn legend_rows(canvas: &mut Canvas, folded: &Folded, width_of_all: f64, top: f64) -> f64 {
    let edge = width_of_all - MARGIN;
    canvas.line((MARGIN, top), (edge, top), r##"stroke="#999" stroke-width="0.8""##);
    let (mut x, mut y) = (MARGIN, top + 10.0);
    for state in present(folded) {
        let room = legend_entry(state);
        if x + room - 12.0 > edge && x > MARGIN {
            (x, y) = (MARGIN, y + 22.0);
        }
        frame(canvas, &Rect::new(x + 2.0, y, 24.0, 14.0), state);
        paint_symbol(canvas, state, x + 33.0, y + 2.0);
        canvas.text(x + 33.0 + SYMBOL, y + 11.0, SMALL, state.word());
        x += room;
    }
    (x, y) = (MARGIN, y + 24.0);
    let kinds = [
        ("part of the proof", r##"stroke="#111" stroke-width="2.4""##),
        ("needs (arrow to what is needed)", r##"stroke="#6b6b6b" stroke-width="1.1" stroke-dasharray="5 3""##),
    ];
    for (word, style) in kinds {
        let room = 32.0 + width(word, SMALL.size) + 18.0;
        if x + room - 18.0 > edge && x > MARGIN {
            (x, y) = (MARGIN, y + 18.0);
        }
        canvas.line((x, y + 6.0), (x + 26.0, y + 6.0), style);
        canvas.text(x + 32.0, y + 10.0, SMALL, word);
        x += room;
    }
    y + 16.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How light a colour is, as contrast is measured (WCAG 2).
    fn luminance(colour: &str) -> f64 {
        let digits = &colour[1..];
        let step = digits.len() / 3;
        let part = |index: usize| {
            let value = &digits[index * step..(index + 1) * step];
            let value = f64::from(u8::from_str_radix(&value.repeat(2 / step), 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(1) + 0.0722 * part(2)
    }

    #[test]
    fn text_and_symbols_stand_out_from_their_boxes() {
        for state in State::ALL {
            let (fill, colour, _) = look(state);
            for text in [NAME.colour, SMALL.colour, colour] {
                let contrast = (luminance(fill) + 0.05) / (luminance(text) + 0.05);
                assert!(contrast >= 4.5, "{text} on {fill}: {contrast}");
            }
        }
    }

    #[test]
    fn states_differ_without_colour() {
        let looks: std::collections::BTreeSet<_> =
            State::ALL.into_iter().map(|state| (look(state).2, symbol(state), state.word())).collect();
        let symbols: std::collections::BTreeSet<_> = State::ALL.into_iter().map(State::symbol).collect();
        assert_eq!((looks.len(), symbols.len()), (State::ALL.len(), State::ALL.len()));
    }
}
