//! What is drawn for a board, at a size that grows: the reach of a request, and a schedule.

use chrono::{DateTime, TimeDelta, Utc};
use keelson_report::drawing::{Drawing, Item, Relationship, State};
use keelson_report::timeline::{Band, BandKind, Change, Collision, Interval, Timeline, Violation};
use keelson_report::zone::Zone;

use crate::estate::Dice;

/// The layers of a drawing from the top: the class, its share of the items in tenths, and what becomes of one in
/// seven of them.
const LAYERS: [(&str, u32, State); 5] = [
    ("service", 1, State::Breached),
    ("application", 2, State::Degraded),
    ("virtual-machine", 5, State::Lost),
    ("hypervisor", 1, State::Lost),
    ("network-switch", 1, State::Changed),
];

/// A drawing of so many items, at least ten, in nine racks; each needs three of the layer below.
#[must_use]
pub fn reach(items: u32) -> Drawing {
    let mut dice = Dice::new(17);
    let mut drawing = Drawing::new("What a change reaches");
    let id = |class: &str, number: u32| format!("{class}/{number}");
    let count = |share: u32| (items * share / 10).max(1);
    for (class, share, hit) in LAYERS {
        for number in 0..count(share) {
            let state = if dice.below(7) == 0 { hit } else { State::Neutral };
            let group = Some(format!("rack {}", dice.below(9)));
            drawing.item(Item { id: id(class, number), label: id(class, number), class: class.into(), state, group });
        }
    }
    for ((upper, share, _), (lower, below, _)) in LAYERS.into_iter().zip(LAYERS.into_iter().skip(1)) {
        for number in 0..count(share) {
            for _ in 0..3 {
                let mut need = Relationship::new(id(upper, number), id(lower, dice.below(count(below))));
                need.need = Some("needs 2 of 3".to_owned());
                need.in_proof = dice.below(7) == 0;
                drawing.relationship(need);
            }
        }
    }
    drawing
}

/// A timeline of so many changes within four weeks, a tenth of which collide with the next one and a tenth of which
/// violate the calendar, with a freeze or a nightly maintenance window for each fiftieth.
///
/// # Panics
/// Never: every interval is longer than nothing.
#[must_use]
pub fn schedule(changes: u32) -> Timeline {
    let mut dice = Dice::new(19);
    let mut timeline = Timeline::new("Four weeks", Zone::UTC);
    let hour = |hour: u32| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::hours(i64::from(hour));
    let interval = |from: u32, to: u32| Interval::new(hour(from), hour(to)).expect("it ends after it starts");
    let id = |number: u32| format!("CHG-{number:04}");
    for number in 0..changes {
        let (from, length) = (dice.below(27 * 24), 1 + dice.below(6));
        let window = interval(from, from + length);
        timeline.change(Change {
            id: id(number),
            label: format!("Change number {number}"),
            window,
            backed_out_by: (dice.below(3) > 0).then(|| hour(from + length + 2)),
            verdict: None,
        });
        match number % 10 {
            0 => timeline.collision(Collision {
                changes: vec![id(number), id(number + 1)],
                during: window,
                reason: "both take members of the same pool".to_owned(),
            }),
            5 => timeline.violation(Violation {
                change: id(number),
                during: window,
                reason: "a service is breached during a freeze".to_owned(),
            }),
            _ => {}
        }
    }
    for number in 0..changes / 50 {
        let (kind, times) = match number % 2 {
            0 => (BandKind::Freeze, vec![interval(number * 24, number * 24 + 72)]),
            _ => (BandKind::Maintenance, (0..28).map(|day| interval(day * 24, day * 24 + 4)).collect()),
        };
        timeline.band(Band { kind, label: format!("Entry {number}"), times });
    }
    timeline
}
