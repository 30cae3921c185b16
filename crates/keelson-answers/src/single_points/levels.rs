//! Each service at the loss at which it counts as breached.

use keelson_analysis::single_points::{Pass, Question, SinglePoints, single_points_of};
use keelson_graph::{ItemIx, Snapshot};

use crate::{QuestionError, View};

/// Items that fail at the same level of loss, by their places in the list they come from.
pub(crate) struct Level {
    /// The loss at which they have failed.
    pub(crate) level: f64,
    /// Where they stand in the list.
    pub(crate) places: Vec<usize>,
}

/// The levels at which items count as breached, the highest first: a service that must deliver much may be breached by
/// a soft need alone (analyses 1.3).
pub(crate) fn levels(view: &View, items: &[ItemIx]) -> Vec<Level> {
    let mut found: Vec<Level> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let level = view.breach_level(*item);
        match found.iter_mut().find(|one| one.level.total_cmp(&level).is_eq()) {
            Some(one) => one.places.push(place),
            None => found.push(Level { level, places: vec![place] }),
        }
    }
    found.sort_by(|a, b| b.level.total_cmp(&a.level));
    found
}

/// The single points of items of a graph, in the order of the items, each at the loss at which it counts as breached.
pub(crate) fn points_at_levels(
    view: &View,
    graph: &Snapshot,
    items: &[ItemIx],
    walk: &Question<'_>,
    down: &[ItemIx],
) -> Result<(Vec<SinglePoints>, Pass), QuestionError> {
    let mut found = vec![SinglePoints::default(); items.len()];
    let mut all = Pass::default();
    for Level { level, places } in levels(view, items) {
        let alike: Vec<ItemIx> = places.iter().map(|place| items[*place]).collect();
        let (points, pass) = single_points_of(graph, &alike, &Question { level, ..*walk }, down)?;
        for (place, points) in places.into_iter().zip(points) {
            found[place] = points;
        }
        all.items += pass.items;
        all.visited += pass.visited;
        all.words += pass.words;
        all.most_live = all.most_live.max(pass.most_live);
        all.cut = all.cut.or(pass.cut);
    }
    Ok((found, all))
}
