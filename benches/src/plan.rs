//! A week of requested changes, to measure schedules on.

use keelson_analysis::{
    certainty::Target,
    impact::Seed,
    schedule::{Change, Window},
};
use keelson_graph::{ItemIx, Snapshot};

use crate::estate::Dice;

const HOUR: i64 = 3_600;

/// When in a week changes take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// At any hour.
    Spread,
    /// Between 22:00 and 04:00, so that four times as many are under way at once.
    Nights,
}

/// Requests for one week: each takes one to three items of the graph down for half an hour to six hours, and
/// takes half an hour to three hours to back out.
#[must_use]
pub fn week(snapshot: &Snapshot, requests: u32, habit: Habit) -> Vec<Change> {
    let mut dice = Dice::new(11);
    let items: Vec<ItemIx> = snapshot.item_numbers().collect();
    let count = u32::try_from(items.len()).expect("items are numbered by u32");
    let change = |_| {
        let day = i64::from(dice.below(7));
        let hour = match habit {
            Habit::Spread => i64::from(dice.below(24 * 4)) * HOUR / 4,
            Habit::Nights => 22 * HOUR + i64::from(dice.below(6 * 4)) * HOUR / 4,
        };
        let start = day * 24 * HOUR + hour;
        let length = i64::from(1 + dice.below(12)) * HOUR / 2;
        let seeds = (0..=dice.below(3)).map(|_| Seed::gone(items[dice.below(count) as usize])).collect();
        let rollback = (1 + dice.below(6)) * 1_800;
        Change { window: Window::new(start, start + length), rollback, seeds, agreed: None }
    };
    (0..requests).map(change).collect()
}

/// Services to watch, each of which must deliver at least half.
pub fn watched(services: impl IntoIterator<Item = ItemIx>) -> Vec<Target> {
    services.into_iter().map(|item| Target { item, min_delivered: 0.5 }).collect()
}
