//! Layers: dependents above, dependencies below.
//!
//! The four steps of Sugiyama, Tagawa and Toda: relationships that close a cycle are turned round, boxes are put
//! on layers, long relationships get a waypoint on each layer they pass, layers are ordered so that few lines
//! cross, and boxes are moved sideways so that lines are straight.
//!
//! Two things are particular. A layer holds a limited number of boxes, because a drawing must fit a page. And
//! relationships with the same dependency share their waypoints: they join into one line on the way, so that a
//! thing that everything needs does not fill the drawing with lines.
//!
//! No step recurses, and every step goes by position, never by hash: the same input gives the same drawing.

use std::collections::{BTreeMap, BTreeSet};

use super::order;
use crate::svg::Rect;

/// The least distance between boxes of a layer.
const GAP: f64 = 14.0;
/// The room that a line takes that passes a layer.
const WAYPOINT: f64 = 9.0;
/// The distance between layers; it grows with the number of lines between them.
const LAYER_GAP: f64 = 40.0;

/// Boxes by size, and which needs which.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub(super) sizes: Vec<(f64, f64)>,
    /// Dependent and dependency; no pair twice, none with itself.
    pub(super) edges: Vec<(usize, usize)>,
}

/// A layered drawing. Points are the boxes, in order, and then the waypoints.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Where each point is; a waypoint has no height of its own, but that of its layer.
    pub(super) places: Vec<Rect>,
    pub(super) layers: Vec<usize>,
    pub(super) segments: Vec<Segment>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A line between two points on neighbouring layers, part of one or more edges.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// The edges that go along here, by number.
    pub(super) edges: Vec<usize>,
    /// Whether the dependency is above: the edge was turned round.
    pub(super) turned: bool,
}

/// Lays out a graph.
pub(super) fn lay_out(graph: &Graph) -> Layout {
    let count = graph.sizes.len();
    let turned = closing_cycles(count, &graph.edges);
    let downward: Vec<(usize, usize)> = graph
        .edges
        .iter()
        .zip(&turned)
        .map(|(&(from, to), &turned)| if turned { (to, from) } else { (from, to) })
        .collect();
    let mut layers = assign_layers(count, &downward);
    let segments = join_layers(&mut layers, &downward, &turned);
    let pairs: Vec<(usize, usize)> = segments.iter().map(|segment| (segment.upper, segment.lower)).collect();
    let rows = order::few_crossings(&layers, &pairs);
    let widths: Vec<f64> =
        (0..layers.len()).map(|point| graph.sizes.get(point).map_or(WAYPOINT, |size| size.0)).collect();
    let centres = order::straight_lines(&rows, &pairs, &widths, count, GAP);
    place(graph, layers, segments, &rows, &centres, &widths)
}

/// Returns which edges close a cycle on a walk from the top; turned round, they leave none.
fn closing_cycles(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut out = vec![Vec::new(); count];
    let mut needed = vec![false; count];
    for (number, &(from, to)) in edges.iter().enumerate() {
        out[from].push(number);
        needed[to] = true;
    }
    let mut turned = vec![false; edges.len()];
    let (mut open, mut done) = (vec![false; count], vec![false; count]);
    let tops = (0..count).filter(|&point| !needed[point]);
    for start in tops.chain(0..count) {
        let mut stack = vec![(start, 0)];
        while let Some((point, next)) = stack.pop() {
            if next == 0 {
                if done[point] || open[point] {
                    continue;
                }
                open[point] = true;
            }
            let Some(&number) = out[point].get(next) else {
                open[point] = false;
                done[point] = true;
                continue;
            };
            stack.push((point, next + 1));
            let to = edges[number].1;
            if open[to] {
                turned[number] = true;
            } else if !done[to] {
                stack.push((to, 0));
            }
        }
    }
    turned
}

/// Puts every point below all that need it, as high as a limited number of boxes to a layer allows.
fn assign_layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let limit = ((count as f64).sqrt() * 0.8).ceil().max(6.0) as usize;
    let (mut above, mut below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for &(upper, lower) in edges {
        above[lower].push(upper);
        below[upper].push(lower);
    }
    let depth = depth_below(&above, &below);
    let mut waiting: Vec<usize> = above.iter().map(Vec::len).collect();
    // The deepest first, then those with many lines, then by number.
    let rank = |point: usize| {
        let lines = above[point].len() + below[point].len();
        (usize::MAX - depth[point], usize::MAX - lines, point)
    };
    let mut ready: BTreeSet<_> = (0..count).filter(|&point| waiting[point] == 0).map(rank).collect();
    let mut layers = vec![0; count];
    let mut layer = 0;
    while !ready.is_empty() {
        let chosen: Vec<_> = ready.iter().take(limit).copied().collect();
        for one in &chosen {
            ready.remove(one);
            layers[one.2] = layer;
        }
        for &(_, _, point) in &chosen {
            for &lower in &below[point] {
                waiting[lower] -= 1;
                if waiting[lower] == 0 {
                    ready.insert(rank(lower));
                }
            }
        }
        layer += 1;
    }
    sink(&mut layers, &above, &below, limit);
    layers
}

/// Returns the longest way down from each point.
fn depth_below(above: &[Vec<usize>], below: &[Vec<usize>]) -> Vec<usize> {
    let mut depth = vec![0; above.len()];
    let mut waiting: Vec<usize> = below.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..above.len()).filter(|&point| waiting[point] == 0).collect();
    while let Some(point) = ready.pop() {
        for &upper in &above[point] {
            depth[upper] = depth[upper].max(depth[point] + 1);
            waiting[upper] -= 1;
            if waiting[upper] == 0 {
                ready.push(upper);
            }
        }
    }
    depth
}

/// Moves points down to what they need, where that makes lines shorter and there is room.
fn sink(layers: &mut [usize], above: &[Vec<usize>], below: &[Vec<usize>], limit: usize) {
    let mut filled = vec![0_usize; layers.iter().max().map_or(0, |last| last + 1)];
    for &layer in layers.iter() {
        filled[layer] += 1;
    }
    let mut points: Vec<usize> = (0..layers.len()).filter(|&point| below[point].len() > above[point].len()).collect();
    points.sort_by_key(|&point| (usize::MAX - layers[point], point));
    for point in points {
        let Some(lowest) = below[point].iter().map(|&lower| layers[lower] - 1).min() else { continue };
        let room = (layers[point] + 1..=lowest).rev().find(|&layer| filled[layer] < limit);
        if let Some(layer) = room {
            filled[layers[point]] -= 1;
            filled[layer] += 1;
            layers[point] = layer;
        }
    }
}

/// Cuts edges into segments between neighbouring layers, adding waypoints to the layers.
fn join_layers(layers: &mut Vec<usize>, downward: &[(usize, usize)], turned: &[bool]) -> Vec<Segment> {
    let mut waypoints: BTreeMap<(usize, bool, usize), usize> = BTreeMap::new();
    let mut segments: BTreeMap<(usize, usize, bool), Vec<usize>> = BTreeMap::new();
    for (number, (&(upper, lower), &turned)) in downward.iter().zip(turned).enumerate() {
        // An edge that was turned round joins others that lead to its own dependency, which is above.
        let shared = if turned { upper } else { lower };
        let mut at = upper;
        for layer in layers[upper] + 1..layers[lower] {
            let waypoint = *waypoints.entry((shared, turned, layer)).or_insert_with(|| {
                layers.push(layer);
                layers.len() - 1
            });
            segments.entry((at, waypoint, turned)).or_default().push(number);
            at = waypoint;
        }
        segments.entry((at, lower, turned)).or_default().push(number);
    }
    let segments = segments.into_iter();
    segments.map(|((upper, lower, turned), edges)| Segment { upper, lower, edges, turned }).collect()
}

/// Gives every point its rectangle.
fn place(
    graph: &Graph,
    layers: Vec<usize>,
    segments: Vec<Segment>,
    rows: &[Vec<usize>],
    centres: &[f64],
    widths: &[f64],
) -> Layout {
    let left = (0..centres.len()).map(|point| centres[point] - widths[point] / 2.0).fold(f64::INFINITY, f64::min);
    let mut lines = vec![0_usize; rows.len()];
    for segment in &segments {
        lines[layers[segment.upper]] += 1;
    }
    let mut places = vec![Rect::new(0.0, 0.0, 0.0, 0.0); layers.len()];
    let (mut y, mut height, mut width) = (0.0, 0.0_f64, 0.0_f64);
    for (row, lines) in rows.iter().zip(lines) {
        let tallest = row.iter().filter_map(|&point| graph.sizes.get(point)).map(|size| size.1).fold(0.0, f64::max);
        for &point in row {
            let own = graph.sizes.get(point).map_or(tallest, |size| size.1);
            let x = centres[point] - widths[point] / 2.0 - left;
            places[point] = Rect::new(x, y, widths[point], own);
            width = width.max(places[point].right());
        }
        height = y + tallest;
        y = height + LAYER_GAP + (lines as f64 * 1.5).min(40.0);
    }
    Layout { places, layers, segments, width, height }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graphs() -> impl Strategy<Value = Graph> {
        let edges = prop::collection::btree_set((0..40_usize, 0..40_usize), 0..120);
        (1..40_usize, edges).prop_map(|(count, edges)| Graph {
            sizes: (0..count).map(|number| (90.0 + (number % 7) as f64 * 15.0, 60.0)).collect(),
            edges: edges.into_iter().filter(|&(a, b)| a != b && a < count && b < count).collect(),
        })
    }

    fn check(graph: &Graph) {
        let layout = lay_out(graph);
        let count = graph.sizes.len();
        for segment in &layout.segments {
            assert_eq!(layout.layers[segment.upper] + 1, layout.layers[segment.lower]);
            assert!(layout.places[segment.upper].bottom() < layout.places[segment.lower].y);
        }
        for one in 0..layout.places.len() {
            for other in 0..one {
                let both = (&layout.places[one], &layout.places[other]);
                let apart = !both.0.inset(0.01).overlaps(&both.1.inset(0.01));
                assert!(apart || (one >= count && other >= count), "{one} and {other}: {both:?}");
            }
            let place = &layout.places[one];
            assert!(place.x >= -0.01 && place.right() <= layout.width + 0.01, "{place:?}");
        }
        for (number, &(from, to)) in graph.edges.iter().enumerate() {
            let parts: Vec<&Segment> = layout.segments.iter().filter(|part| part.edges.contains(&number)).collect();
            assert!(parts.windows(2).all(|pair| pair[0].turned == pair[1].turned));
            let (upper, lower) = if parts[0].turned { (to, from) } else { (from, to) };
            assert_eq!(parts.len(), layout.layers[lower] - layout.layers[upper]);
            assert!(parts.iter().any(|part| part.upper == upper) && parts.iter().any(|part| part.lower == lower));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn boxes_are_apart_and_lines_go_down(graph in graphs()) {
            check(&graph);
        }
    }

    #[test]
    fn without_a_cycle_nothing_is_turned_round() {
        let edges = vec![(0, 1), (1, 2), (0, 2), (3, 2), (2, 4)];
        assert!(closing_cycles(5, &edges).iter().all(|turned| !turned));
        let ring = [(0, 1), (1, 2), (2, 0)];
        assert_eq!(closing_cycles(3, &ring), [false, false, true]);
    }

    #[test]
    fn a_long_chain_does_not_recurse() {
        let count = 20_000;
        let edges: Vec<(usize, usize)> = (1..count).map(|to| (to - 1, to)).collect();
        let layout = lay_out(&Graph { sizes: vec![(100.0, 60.0); count], edges });
        assert_eq!(layout.layers[count - 1], count - 1);
    }

    #[test]
    fn lines_to_the_same_dependency_join() {
        // 0 → 1 → 2 → 3, and both 0 and 4 need 3: one waypoint above 3 serves both.
        let edges = vec![(0, 1), (1, 2), (2, 3), (0, 3), (4, 1), (4, 3)];
        let layout = lay_out(&Graph { sizes: vec![(100.0, 60.0); 5], edges });
        let waypoints = layout.layers.len() - 5;
        assert_eq!(waypoints, 2, "{:?}", layout.layers);
    }
}
