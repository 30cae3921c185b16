//! What a sample proves that is drawn from each part of a population by itself.
//!
//! A part of which a smaller share is looked at hides deviations better than the whole does, so that such a sample proves
//! less than one of the same size from anywhere. Nobody knows in which parts deviations lie; what is stated holds wherever
//! they do: of all ways to spread as many deviations as would be tolerable over the parts, the one under which fewest are
//! found counts. How many are found in one part is hypergeometric, and parts are drawn independently.

use statrs::function::factorial::ln_binomial;

use super::{ROUNDING, SamplingError, check, deviating, fraction, smallest, whole};

/// A part of a population, and how much of it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many items it has.
    pub population: u64,
    /// How many of them are in the sample.
    pub size: u64,
}

/// Products that looking at the ways to spread deviations may take, and the fewest ways that are looked at whatever each
/// takes.
const MOST_PRODUCTS: u64 = 1_000_000;
const FEWEST_WAYS: u64 = 500;

/// The confidence with which a sample drawn part by part proves that less than a tolerable share of the whole population
/// deviates, if at most so many deviations are found in it, wherever deviations lie. It is exact where no deviation is
/// allowed, and where there are few ways to spread deviations; elsewhere the true confidence is not below it.
///
/// # Errors
/// When the share lies outside 0..1, or a sample is larger than its part.
pub fn confidence_of_parts(parts: &[Part], tolerable: f64, deviations: u64) -> Result<f64, SamplingError> {
    let tolerable = fraction("the tolerable share", tolerable)?;
    let population = checked(parts)?;
    if population == 0 {
        return Ok(0.0);
    }
    let chance = likeliest(parts, deviating(population, tolerable).min(population), deviations);
    // What rounding leaves of nothing proves nothing.
    Ok(Some((1.0 - chance).min(1.0)).filter(|reached| *reached > ROUNDING).unwrap_or(0.0))
}

/// The smallest sample that reaches a confidence when it is drawn part by part, as [`confidence_of_parts`] says;
/// `shares` says how many of each part a sample of so many takes.
///
/// # Errors
/// As [`size_of`](super::size_of), of the whole population.
pub fn size_of_parts(
    parts: &[u64],
    shares: impl Fn(u64) -> Vec<u64>,
    (confidence, tolerable): (f64, f64),
    deviations: u64,
) -> Result<u64, SamplingError> {
    let population = parts.iter().sum();
    // A sample from anywhere that is too small is too small part by part as well.
    let least = super::size_of(population, confidence, tolerable, deviations)?;
    let fits = |size: u64| {
        let drawn = parts.iter().zip(shares(size)).map(|(population, size)| Part { population: *population, size });
        let reached = confidence_of_parts(&drawn.collect::<Vec<_>>(), tolerable, deviations);
        reached.is_ok_and(|reached| reached + ROUNDING >= confidence)
    };
    smallest(least, population, fits).ok_or(SamplingError::Impossible { population, deviations })
}

/// The largest share of the whole population that may deviate without so few deviations being found less often than one
/// minus the confidence, wherever they lie. It agrees with [`confidence_of_parts`].
///
/// # Errors
/// When the confidence lies outside 0..1, a sample is larger than its part, or more deviations were found than items were
/// looked at.
pub fn upper_limit_of_parts(parts: &[Part], deviations: u64, confidence: f64) -> Result<f64, SamplingError> {
    let risk = 1.0 - fraction("the confidence", confidence)?;
    let population = checked(parts)?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    check(size, deviations)?;
    if population == 0 {
        return Ok(0.0);
    }
    let most = deviations + (population - size);
    let is_unlikely = |deviating: u64| likeliest(parts, deviating, deviations) <= risk + ROUNDING;
    let rejected = smallest(deviations, most, is_unlikely);
    Ok(whole(rejected.map_or(most, |rejected| rejected.saturating_sub(1))) / whole(population))
}

fn checked(parts: &[Part]) -> Result<u64, SamplingError> {
    parts.iter().try_for_each(|part| check(part.population, part.size))?;
    Ok(parts.iter().map(|part| part.population).sum())
}

/// The chance of finding at most so many deviations when as many as are said are spread over the parts in the way that
/// hides them best, or more than that chance.
fn likeliest(parts: &[Part], deviating: u64, found: u64) -> f64 {
    if found >= deviating {
        return 1.0;
    }
    if found == 0 {
        return hidden(parts, deviating);
    }
    // Fewer deviations are hidden better. So where there are too many ways, those are looked at in which each part has a
    // multiple of a step, and no more deviations altogether than any way leaves when each part is rounded down.
    let each = (found + 1).saturating_mul(found + 1);
    let most = (MOST_PRODUCTS / each).max(FEWEST_WAYS);
    let mut step = 1;
    while ways(steps(parts, deviating, step), parts.len(), most) > most {
        step += (step / 8).max(1);
    }
    Spread::new(parts, steps(parts, deviating, step), step, found).likeliest()
}

/// So many steps of deviations are left at least, when each part is rounded down to a multiple of the step.
fn steps(parts: &[Part], deviating: u64, step: u64) -> u64 {
    let rounded_off = (step - 1) * parts.len() as u64;
    deviating.saturating_sub(rounded_off).div_ceil(step)
}

/// In how many ways so many steps spread over so many parts, if each is large enough; at most a little over the budget.
fn ways(steps: u64, parts: usize, most: u64) -> u64 {
    let mut ways: u64 = 1;
    for part in 1..parts as u64 {
        // After each turn this is a binomial coefficient, so the division leaves nothing.
        ways = ways.saturating_mul(steps + part) / part;
        if ways > most {
            return ways;
        }
    }
    ways
}

/// The chance that all of so many deviations stay hidden, spread so that it is largest. One more deviation in a part of N
/// with d of them, of which n are looked at, stays hidden with (N − n − d) / (N − d), which falls with d: so taking the part
/// in which this is largest, one deviation after another, gives the largest product.
fn hidden(parts: &[Part], deviating: u64) -> f64 {
    let mut lie = vec![0_u64; parts.len()];
    let mut chance = 1.0;
    for _ in 0..deviating {
        let next = parts.iter().zip(&lie).enumerate().filter(|(_, (part, lie))| part.population > **lie);
        let factor = |part: &Part, lie: u64| {
            whole((part.population - part.size).saturating_sub(lie)) / whole(part.population - lie)
        };
        let best = next.map(|(at, (part, lie))| (at, factor(part, *lie))).max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((at, factor)) = best else { break };
        lie[at] += 1;
        chance *= factor;
        if chance <= 0.0 {
            return 0.0;
        }
    }
    chance
}

/// Every way to spread deviations over parts.
struct Spread {
    /// For each part and each number of steps it may have: the chance of finding 0, 1, 2, … deviations in it.
    chances: Vec<Vec<Vec<f64>>>,
    /// The steps to spread.
    steps: u64,
}

impl Spread {
    fn new(parts: &[Part], steps: u64, step: u64, found: u64) -> Self {
        let of_part = |part: &Part| {
            let most = steps.min(part.population / step);
            (0..=most).map(|steps| found_in(*part, steps * step, found)).collect()
        };
        Self { chances: parts.iter().map(of_part).collect(), steps }
    }

    fn likeliest(&self) -> f64 {
        let Some((last, before)) = self.chances.split_last() else { return 1.0 };
        let width = last.first().map_or(0, Vec::len);
        let mut start = vec![0.0; width];
        start[0] = 1.0;
        // What is still to spread, from which part on, and the chances of what was found in the parts before.
        let mut open = vec![(self.steps, 0_usize, start)];
        let mut best: f64 = 0.0;
        while let Some((left, at, so_far)) = open.pop() {
            if at == before.len() {
                let Some(of_last) = usize::try_from(left).ok().and_then(|left| last.get(left)) else { continue };
                best = best.max(together(&so_far, of_last).iter().sum());
                continue;
            }
            for (steps, chances) in (0..=left).zip(&before[at]) {
                let joined = together(&so_far, chances);
                // Whatever the parts that follow have, no more than this is left.
                if joined.iter().sum::<f64>() > best {
                    open.push((left - steps, at + 1, joined));
                }
            }
        }
        best.min(1.0)
    }
}

/// The chances of finding 0, 1, 2, … deviations in two parts together.
fn together(a: &[f64], b: &[f64]) -> Vec<f64> {
    (0..a.len()).map(|sum| (0..=sum).map(|first| a[first] * b[sum - first]).sum()).collect()
}

/// The chances of finding from 0 up to so many deviations in a part that has as many as are said: hypergeometric, by
/// logarithms, because the number of ways to pick a sample of a large part is beyond what a number holds.
fn found_in(part: Part, deviating: u64, found: u64) -> Vec<f64> {
    let Part { population, size } = part;
    let all = ln_binomial(population, size);
    let chance = |hits: u64| {
        let misses = size.checked_sub(hits).filter(|misses| *misses <= population - deviating);
        let Some(misses) = misses.filter(|_| hits <= deviating) else { return 0.0 };
        (ln_binomial(deviating, hits) + ln_binomial(population - deviating, misses) - all).exp()
    };
    (0..=found).map(chance).collect()
}
