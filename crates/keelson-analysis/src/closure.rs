//! What depends on this; what does this depend on.
//!
//! [`walk`] is the bare walk: it leaves the items met in the scratch and costs little more than the
//! relationships it looks at. [`closure`] gives an answer to keep, with filters; [`routes`] a
//! shortest way to each chosen target.

use std::hint::black_box;

use keelson_graph::{ItemIx, NeedIx, Snapshot};

use crate::{AnalysisError, Limits, Pool, Scratch, Truncation, Truncations, path::Step};

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To those that need the item.
    Dependents,
    /// To those the item needs.
    Dependencies,
}

impl Direction {
    #[inline]
    fn next(self, snapshot: &Snapshot, item: ItemIx) -> &[ItemIx] {
        match self {
            Self::Dependents => snapshot.owners(item),
            Self::Dependencies => snapshot.members(item),
        }
    }
}

/// What a bare walk did. The items it met are in the scratch, starts first, then by distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// How many distinct items it started from.
    pub starts: usize,
    /// How many items it met, starts left out.
    pub met: usize,
    /// How many steps it is to the farthest of them.
    pub depth: u32,
    /// The limits it hit.
    pub truncations: Truncations,
}

/// Items whose neighbours are looked up together.
const BLOCK: usize = 16;

/// Items that must wait in the queue for that to pay.
const WORTH_LOOKING_AHEAD: usize = 4;

/// Walks over running needs from `from`, which must be items of the graph, breadth first.
///
/// The items met stay in `scratch` (see [`Scratch::met`]) until its next use.
pub fn walk(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    from: &[ItemIx],
    direction: Direction,
    limits: &Limits<'_>,
) -> Walked {
    match direction {
        Direction::Dependents => {
            let (next, touch) = (|item| snapshot.owners(item), |item| snapshot.touch_owners(item));
            walk_by(snapshot, scratch, from, next, touch, limits)
        }
        Direction::Dependencies => {
            let (next, touch) = (|item| snapshot.members(item), |item| snapshot.touch_members(item));
            walk_by(snapshot, scratch, from, next, touch, limits)
        }
    }
}

#[inline]
fn walk_by<'s>(
    snapshot: &'s Snapshot,
    scratch: &mut Scratch,
    from: &[ItemIx],
    next: impl Fn(ItemIx) -> &'s [ItemIx],
    touch: impl Fn(ItemIx) -> u32,
    limits: &Limits<'_>,
) -> Walked {
    scratch.reset_walk(snapshot.slots());
    let met = &mut scratch.met;
    for start in from {
        met.insert(start.0);
    }
    let starts = met.len();
    let most = limits.max_items.saturating_add(starts);
    let mut truncations = Truncations::default();
    let (mut head, mut depth, mut blocks) = (0, 0, 1);
    'waves: while head < met.len() {
        let wave = met.len();
        if depth == limits.max_depth {
            let beyond = |item: &u32| next(ItemIx(*item)).iter().any(|next| !met.contains(next.0));
            if met.list()[head..].iter().any(beyond) {
                truncations.add(Truncation::Depth);
            }
            break;
        }
        while head < wave {
            if met.len() > most || limits.stopped(blocks) {
                let reason = if met.len() > most { Truncation::Items } else { Truncation::Deadline };
                truncations.add(reason);
                break 'waves;
            }
            blocks += 1;
            // Each row is far from the last one in memory. Touching the rows of a whole block, and their
            // first entries, lets the processor wait for all of them at once.
            let end = wave.min(head + BLOCK);
            if end - head >= WORTH_LOOKING_AHEAD {
                black_box(met.list()[head..end].iter().fold(0, |touched, &item| touched ^ touch(ItemIx(item))));
            }
            met.insert_rows(head..end, &next);
            head = end;
        }
        if met.len() > wave {
            depth += 1;
        }
    }
    if met.len() > most {
        truncations.add(Truncation::Items);
        met.truncate(most);
    }
    Walked { starts, met: met.len() - starts, depth, truncations }
}

/// Which items a closure passes through, and which of those it meets it lists.
pub struct Filter<T, S> {
    /// Whether the walk goes on from an item it has met. The items it starts from are not asked.
    pub through: T,
    /// Whether an item met is listed.
    pub select: S,
}

/// Everything that depends on some items, or that they depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    /// The items listed with their distance, nearest first; those asked about left out.
    pub items: Vec<(ItemIx, u32)>,
    /// How many items were met, listed or not.
    pub met: usize,
    /// The limits that were hit.
    pub truncations: Truncations,
}

/// Returns everything that depends on `from`, or that `from` depends on, in the order of distance.
///
/// # Errors
/// When an item of `from` is not in the graph.
pub fn closure<T, S>(
    snapshot: &Snapshot,
    from: &[ItemIx],
    direction: Direction,
    filter: &Filter<T, S>,
    limits: &Limits<'_>,
    pool: &Pool,
) -> Result<Closure, AnalysisError>
where
    T: Fn(ItemIx) -> bool,
    S: Fn(ItemIx) -> bool,
{
    let mut scratch = pool.lease();
    let walked = traced(snapshot, &mut scratch, from, direction, &filter.through, limits)?;
    let depths = scratch.depths.iter().copied();
    let items = scratch.met().zip(depths).skip(walked.starts).filter(|(item, _)| (filter.select)(*item)).collect();
    Ok(Closure { items, met: walked.met, truncations: walked.truncations })
}

/// A shortest way from an item to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The target.
    pub target: ItemIx,
    /// The steps, each item needing the next; the last step's item is the one without a need. Walked
    /// to dependents the target comes first, walked to dependencies it comes last.
    pub steps: Vec<Step>,
}

/// Shortest ways to the targets met within the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// One way to each target, nearest first.
    pub routes: Vec<Route>,
    /// How many items were met.
    pub met: usize,
    /// The limits that were hit.
    pub truncations: Truncations,
}

/// Returns a shortest way from `from` to every item for which `is_target` holds.
///
/// # Errors
/// When `from` is not in the graph.
pub fn routes(
    snapshot: &Snapshot,
    from: ItemIx,
    direction: Direction,
    is_target: impl Fn(ItemIx) -> bool,
    limits: &Limits<'_>,
    pool: &Pool,
) -> Result<Routes, AnalysisError> {
    let mut scratch = pool.lease();
    let walked = traced(snapshot, &mut scratch, &[from], direction, &|_| true, limits)?;
    let list = scratch.met.list();
    let mut routes = Vec::new();
    for place in walked.starts..list.len() {
        let target = ItemIx(list[place]);
        if !is_target(target) {
            continue;
        }
        // Following the queue back gives the way from the target to the start.
        let mut chain = vec![target];
        let mut at = place;
        while at >= walked.starts {
            at = scratch.from[at] as usize;
            chain.push(ItemIx(list[at]));
        }
        if direction == Direction::Dependencies {
            chain.reverse();
        }
        routes.push(Route { target, steps: steps(snapshot, &chain) });
    }
    Ok(Routes { routes, met: walked.met, truncations: walked.truncations })
}

/// Names the needs along a chain of items in which each needs the next.
pub(crate) fn steps(snapshot: &Snapshot, chain: &[ItemIx]) -> Vec<Step> {
    let need = |at: usize| -> Option<NeedIx> { snapshot.need_between(chain[at], *chain.get(at + 1)?) };
    (0..chain.len()).map(|at| Step { item: chain[at], need: need(at) }).collect()
}

/// As [`walk`], remembering for each item its distance and the place of the item it was met from.
fn traced(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    from: &[ItemIx],
    direction: Direction,
    through: &impl Fn(ItemIx) -> bool,
    limits: &Limits<'_>,
) -> Result<Walked, AnalysisError> {
    scratch.reset_walk(snapshot.slots());
    let Scratch { met, from: origins, depths, .. } = scratch;
    for &item in from {
        if !snapshot.contains(item) {
            return Err(AnalysisError::UnknownItem { item });
        }
        if met.insert(item.0) {
            origins.push(0);
            depths.push(0);
        }
    }
    let starts = met.len();
    let most = limits.max_items.saturating_add(starts);
    let mut truncations = Truncations::default();
    let mut head = 0;
    while head < met.len() {
        if met.len() > most || limits.stopped(head) {
            truncations.add(if met.len() > most { Truncation::Items } else { Truncation::Deadline });
            break;
        }
        let (item, depth) = (ItemIx(met.list()[head]), depths[head]);
        if head < starts || through(item) {
            let next = direction.next(snapshot, item);
            if depth < limits.max_depth {
                let origin = u32::try_from(head).expect("items are numbered by u32");
                for found in next {
                    if met.insert(found.0) {
                        origins.push(origin);
                        depths.push(depth + 1);
                    }
                }
            } else if next.iter().any(|found| !met.contains(found.0)) {
                truncations.add(Truncation::Depth);
            }
        }
        head += 1;
    }
    if met.len() > most {
        truncations.add(Truncation::Items);
        met.truncate(most);
        origins.truncate(most);
        depths.truncate(most);
    }
    let depth = depths.last().copied().unwrap_or(0);
    Ok(Walked { starts, met: met.len() - starts, depth, truncations })
}
