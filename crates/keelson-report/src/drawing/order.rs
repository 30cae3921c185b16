//! The order of points within layers, and where they stand sideways.

/// How often layers are gone through, down and up.
const SWEEPS: usize = 12;
/// How strongly the middle draws points, measured in neighbours; it keeps parts without common lines together.
const PULL: f64 = 0.04;

/// Orders the points of each layer so that few lines cross.
///
/// Points are moved to the mean place of their neighbours on the layer before, down and up in turn; then
/// neighbours change places where that helps. The best order seen is kept.
pub(super) fn few_crossings(layers: &[usize], pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let sides = Sides::new(layers.len(), pairs);
    let mut rows = vec![Vec::new(); layers.iter().max().map_or(0, |last| last + 1)];
    for (point, &layer) in layers.iter().enumerate() {
        rows[layer].push(point);
    }
    let mut at = positions(&rows, layers.len());
    let mut best = rows.clone();
    let mut fewest = crossings(&rows, &sides, &at);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        for step in 1..rows.len() {
            let row = if down { step } else { rows.len() - 1 - step };
            by_mean(&mut rows[row], if down { &sides.above } else { &sides.below }, &mut at);
        }
        swap_neighbours(&mut rows, &sides, &mut at);
        let now = crossings(&rows, &sides, &at);
        if now < fewest {
            fewest = now;
            best.clone_from(&rows);
        }
    }
    best
}

/// The neighbours of each point on the layers above and below.
struct Sides {
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Sides {
    fn new(count: usize, pairs: &[(usize, usize)]) -> Self {
        let mut sides = Self { above: vec![Vec::new(); count], below: vec![Vec::new(); count] };
        for &(upper, lower) in pairs {
            sides.above[lower].push(upper);
            sides.below[upper].push(lower);
        }
        sides
    }
}

fn positions(rows: &[Vec<usize>], count: usize) -> Vec<usize> {
    let mut at = vec![0; count];
    for row in rows {
        for (place, &point) in row.iter().enumerate() {
            at[point] = place;
        }
    }
    at
}

fn by_mean(row: &mut [usize], neighbours: &[Vec<usize>], at: &mut [usize]) {
    let mean = |point: usize| {
        let near = &neighbours[point];
        let sum: usize = near.iter().map(|&other| at[other]).sum();
        if near.is_empty() { at[point] as f64 } else { sum as f64 / near.len() as f64 }
    };
    let mut keyed: Vec<(f64, usize, usize)> = row.iter().map(|&point| (mean(point), at[point], point)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (place, (_, _, point)) in keyed.into_iter().enumerate() {
        row[place] = point;
        at[point] = place;
    }
}

/// Lets neighbours change places as long as fewer lines cross, within bounds.
fn swap_neighbours(rows: &mut [Vec<usize>], sides: &Sides, at: &mut [usize]) {
    for _ in 0..4 {
        let mut better = false;
        for row in rows.iter_mut() {
            for place in 1..row.len() {
                let (left, right) = (row[place - 1], row[place]);
                let now = crossed(left, right, sides, at);
                if now > 0 && crossed(right, left, sides, at) < now {
                    row.swap(place - 1, place);
                    (at[left], at[right]) = (place, place - 1);
                    better = true;
                }
            }
        }
        if !better {
            break;
        }
    }
}

/// Returns how many lines of two points cross if one stands left of the other.
fn crossed(left: usize, right: usize, sides: &Sides, at: &[usize]) -> usize {
    let count = |neighbours: &[Vec<usize>]| -> usize {
        let crossing = |&a: &usize| neighbours[right].iter().filter(|&&b| at[a] > at[b]).count();
        neighbours[left].iter().map(crossing).sum()
    };
    count(&sides.above) + count(&sides.below)
}

/// Counts crossings, layer by layer, with a tree of sums over the places of the lower layer.
fn crossings(rows: &[Vec<usize>], sides: &Sides, at: &[usize]) -> u64 {
    let mut total = 0_u64;
    for (row, next) in rows.iter().zip(rows.iter().skip(1)) {
        let mut sums = vec![0_u64; next.len() + 1];
        let mut seen = 0_u64;
        for &point in row {
            let mut ends: Vec<usize> = sides.below[point].iter().map(|&lower| at[lower]).collect();
            ends.sort_unstable();
            for &end in &ends {
                total += seen - sum_to(&sums, end + 1);
            }
            for end in ends {
                seen += 1;
                let mut index = end + 1;
                while index < sums.len() {
                    sums[index] += 1;
                    index += index & index.wrapping_neg();
                }
            }
        }
    }
    total
}

fn sum_to(sums: &[u64], mut index: usize) -> u64 {
    let mut sum = 0;
    while index > 0 {
        sum += sums[index];
        index &= index - 1;
    }
    sum
}

/// Returns the middle of each point, so that lines are as straight as the order and the widths allow.
pub(super) fn straight_lines(
    rows: &[Vec<usize>],
    pairs: &[(usize, usize)],
    widths: &[f64],
    boxes: usize,
    gap: f64,
) -> Vec<f64> {
    let sides = Sides::new(widths.len(), pairs);
    let mut centres = vec![0.0; widths.len()];
    for row in rows {
        let offsets = offsets(row, widths, boxes, gap);
        let middle = offsets.last().copied().unwrap_or(0.0) / 2.0;
        for (&point, offset) in row.iter().zip(offsets) {
            centres[point] = offset - middle;
        }
    }
    for sweep in 0..3 * SWEEPS {
        let down = sweep % 2 == 0;
        let last = sweep + 2 >= 3 * SWEEPS;
        let pull = if last { 0.0 } else { PULL };
        let middle = centres.iter().sum::<f64>() / centres.len().max(1) as f64;
        for step in 0..rows.len() {
            let row = &rows[if down { step } else { rows.len() - 1 - step }];
            // Both sides at the end, so that neither direction has the last word.
            let near = |point: usize| {
                let (above, below) = (sides.above[point].as_slice(), sides.below[point].as_slice());
                match (last, down) {
                    (false, true) if !above.is_empty() => [above, &[]],
                    (false, false) if !below.is_empty() => [&[], below],
                    _ => [above, below],
                }
            };
            settle(row, &near, &offsets(row, widths, boxes, gap), &Draw { boxes, pull, middle }, &mut centres);
        }
    }
    centres
}

/// Returns how far right of the first point each point of a layer stands at least.
fn offsets(row: &[usize], widths: &[f64], boxes: usize, gap: f64) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(row.len());
    let mut at = 0.0;
    for (place, &point) in row.iter().enumerate() {
        if place > 0 {
            let before = row[place - 1];
            let between = if before >= boxes && point >= boxes { 0.0 } else { gap };
            at += (widths[before] + widths[point]) / 2.0 + between;
        }
        offsets.push(at);
    }
    offsets
}

/// What draws points besides their neighbours.
struct Draw {
    /// From this number on, points are waypoints.
    boxes: usize,
    pull: f64,
    middle: f64,
}

/// Moves the points of a layer as near as possible to their neighbours, keeping order and distance.
///
/// With the least distances taken off, this is isotonic regression, which pooling neighbours solves.
fn settle<'a>(
    row: &[usize],
    near: &impl Fn(usize) -> [&'a [usize]; 2],
    offsets: &[f64],
    draw: &Draw,
    centres: &mut [f64],
) {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(row.len());
    for (&point, offset) in row.iter().zip(offsets) {
        let neighbours = near(point);
        let count: usize = neighbours.iter().map(|side| side.len()).sum();
        let sum: f64 = neighbours.iter().flat_map(|side| side.iter()).map(|&other| centres[other]).sum();
        let (wish, weight) = match count {
            // What has no lines stays as near to the middle as the others let it.
            0 => (draw.middle, 0.01),
            _ => (
                (sum + draw.pull * draw.middle) / (count as f64 + draw.pull),
                if point >= draw.boxes { 4.0 } else { 1.0 },
            ),
        };
        let mut pool = (wish - offset, weight, 1);
        while let Some(&(value, mass, size)) = pools.last() {
            if value <= pool.0 {
                break;
            }
            pools.pop();
            let weight = mass + pool.1;
            pool = ((value * mass + pool.0 * pool.1) / weight, weight, size + pool.2);
        }
        pools.push(pool);
    }
    let values = pools.into_iter().flat_map(|(value, _, size)| std::iter::repeat_n(value, size));
    for ((&point, offset), value) in row.iter().zip(offsets).zip(values) {
        centres[point] = value + offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted_and_undone() {
        let layers = [0, 0, 1, 1];
        let pairs = [(0, 3), (1, 2)];
        let sides = Sides::new(4, &pairs);
        let rows = vec![vec![0, 1], vec![2, 3]];
        assert_eq!(crossings(&rows, &sides, &positions(&rows, 4)), 1);
        let rows = few_crossings(&layers, &pairs);
        assert_eq!(crossings(&rows, &sides, &positions(&rows, 4)), 0);
    }

    #[test]
    fn a_dependency_stands_below_the_middle_of_its_dependents() {
        let rows = [vec![0, 1], vec![2]];
        let centres = straight_lines(&rows, &[(0, 2), (1, 2)], &[100.0, 100.0, 100.0], 3, 20.0);
        assert!((centres[2] - (centres[0] + centres[1]) / 2.0).abs() < 1e-6, "{centres:?}");
    }
}
