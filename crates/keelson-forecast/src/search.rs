//! Finding where a function is smallest, or where it passes a value.

/// Where a function with one valley is smallest, between two bounds: golden section, a stated number
/// of rounds, each of which costs one value and leaves 0.618 of the range.
pub(crate) fn golden(mut low: f64, mut high: f64, rounds: u32, mut value: impl FnMut(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (value(left), value(right));
    for _ in 0..rounds {
        if at_left <= at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - ratio * (high - low);
            at_left = value(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + ratio * (high - low);
            at_right = value(right);
        }
    }
    if at_left <= at_right { left } else { right }
}

/// The last point between two bounds at which something holds that holds at `low` and, from some
/// point on, no more: bisection to the last bit, in at most 1 100 rounds.
pub(crate) fn last_where(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return low;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}
