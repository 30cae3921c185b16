//! An estate of layers in which every item is redundant somewhere: hard on single points of failure.
//!
//! Layers of 500, 9 500, 90 000, 400 000, 300 000, 130 000, 60 000 and 10 000 items, from the bottom.
//! Each item has two hard needs in the layer below and, three times out of ten, one more in any lower
//! layer; from the third layer up it has a redundancy need of two to four members below, one of which
//! must be up, or two of four. One item in two thousand closes a cycle.

use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;

use crate::estate::Dice;

/// Items in each layer of a million, from the bottom.
const LAYERS: [u32; 8] = [500, 9_500, 90_000, 400_000, 300_000, 130_000, 60_000, 10_000];

/// A layered estate.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The graph.
    pub snapshot: Snapshot,
    /// The items of the uppermost layer.
    pub services: Vec<ItemIx>,
}

impl Layers {
    /// Makes an estate with one `share`-th of the items of the largest, which has a million.
    ///
    /// # Panics
    /// When nothing would be left of the smallest layer.
    #[must_use]
    pub fn of(share: u32) -> Self {
        let mut dice = Dice::new(17);
        let mut builder = Builder::new();
        let (mut below, mut from) = (0..0, 0);
        for (layer, items) in LAYERS.into_iter().enumerate() {
            let items = from..from + items / share;
            assert!(!items.is_empty(), "no layer is empty");
            for item in items.clone().map(ItemIx) {
                builder.item(item);
                if layer > 0 {
                    needs(&mut builder, &mut dice, item, &below, layer >= 2);
                }
            }
            from = items.end;
            below = items;
        }
        let snapshot = builder.build().expect("generated estates are whole");
        Self { snapshot, services: below.map(ItemIx).collect() }
    }
}

fn needs(builder: &mut Builder, dice: &mut Dice, item: ItemIx, below: &std::ops::Range<u32>, is_redundant: bool) {
    let width = below.end - below.start;
    let mut hard = |member: u32| {
        builder.plain(item, ItemIx(member), 0);
        member
    };
    let first = hard(below.start + dice.below(width));
    hard(below.start + dice.below(width));
    if dice.below(10) < 3 {
        hard(dice.below(below.end));
    }
    if is_redundant {
        let count = 2 + dice.below(3);
        let required = if count == 4 && dice.below(2) == 0 { 2 } else { 1 };
        let mut members: Vec<ItemIx> = (0..count).map(|_| ItemIx(below.start + dice.below(width))).collect();
        members.sort_unstable();
        members.dedup();
        let k = required.min(u32::try_from(members.len()).unwrap_or(1));
        let spec = NeedSpec::new(item, members, Rule::AtLeast { k }, 0);
        builder.need(spec).expect("generated needs are meaningful");
    }
    if dice.below(2_000) == 0 {
        builder.plain(ItemIx(first), item, 0);
    }
}
