//! Where an item stands among many.

use keelson_graph::ItemIx;

/// Where each item stands in a list.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// Sorted by item.
    Sorted(Vec<(ItemIx, u32)>),
    /// By item number, [`Places::NOWHERE`] for those that are not in the list.
    Flat(Vec<u32>),
}

impl Places {
    const NOWHERE: u32 = u32::MAX;
    /// Entries of a flat array that cost what sorting one costs.
    const FLAT: usize = 32;

    pub(super) fn of(items: &[ItemIx]) -> Self {
        let slots = items.iter().map(|item| item.index() + 1).max().unwrap_or(0);
        if slots / Self::FLAT > items.len() {
            let mut places: Vec<(ItemIx, u32)> = items.iter().copied().zip(0..).collect();
            places.sort_unstable();
            return Self::Sorted(places);
        }
        let mut places = vec![Self::NOWHERE; slots];
        for (item, place) in items.iter().zip(0..) {
            places[item.index()] = place;
        }
        Self::Flat(places)
    }

    pub(super) fn get(&self, item: ItemIx) -> Option<u32> {
        match self {
            Self::Sorted(places) => places.binary_search_by_key(&item, |(known, _)| *known).ok().map(|at| places[at].1),
            Self::Flat(places) => places.get(item.index()).copied().filter(|place| *place != Self::NOWHERE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_items_and_many_are_found_where_they_stand() {
        for (items, is_flat) in [(vec![], true), (vec![5, 3, 900], false), ((0..100).rev().collect(), true)] {
            let items: Vec<ItemIx> = items.into_iter().map(ItemIx).collect();
            let places = Places::of(&items);
            assert_eq!(matches!(places, Places::Flat(_)), is_flat, "{items:?}");
            for number in 0..1_000 {
                let expected = items.iter().zip(0..).find(|(item, _)| item.0 == number).map(|(_, place)| place);
                assert_eq!(places.get(ItemIx(number)), expected, "{number} in {items:?}");
            }
        }
    }
}
