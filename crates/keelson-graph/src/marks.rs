//! A set of numbers that empties at the cost of what it holds.

use std::ops::Range;

use crate::ItemIx;

/// A bitmap that remembers what was set, so that it can be reused without clearing all of it.
///
/// One bit per item keeps the set of a million items in 125 KB, which stays in the processor's
/// second cache where a stamp of four bytes per item would not. The list of what was set is
/// needed by a breadth-first walk anyway: it is its queue.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    words: Vec<u64>,
    /// The numbers in the set, then room: one entry more than there are slots, so that an insertion
    /// may write its number first and ask afterwards whether it was new.
    list: Vec<u32>,
    len: usize,
}

impl Marks {
    /// Empties the set and makes room for numbers below `slots`.
    pub fn reset(&mut self, slots: usize) {
        if self.len > self.words.len() {
            self.words.fill(0);
        } else {
            for &number in &self.list[..self.len] {
                self.words[number as usize / 64] = 0;
            }
        }
        self.len = 0;
        if self.list.len() <= slots {
            self.words.resize(slots.div_ceil(64), 0);
            self.list.resize(slots + 1, 0);
        }
    }

    /// Adds a number; `true` if it was not in the set. Numbers must be below the slots of the last
    /// [`reset`](Self::reset).
    #[inline]
    pub fn insert(&mut self, number: u32) -> bool {
        let word = &mut self.words[number as usize / 64];
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        self.list[self.len] = number;
        self.len += 1;
        true
    }

    /// Adds the numbers of items, as [`insert`](Self::insert) does.
    #[inline]
    pub fn insert_all(&mut self, items: &[ItemIx]) {
        let (words, list) = (&mut self.words[..], &mut self.list[..]);
        self.len = append(words, list, self.len, items);
    }

    /// Takes the items added at some places in turn, and adds the row that belongs to each.
    ///
    /// # Panics
    /// When there are no such places.
    #[inline]
    pub fn insert_rows<'r>(&mut self, places: Range<usize>, mut row: impl FnMut(ItemIx) -> &'r [ItemIx]) {
        let (words, list, mut len) = (&mut self.words[..], &mut self.list[..], self.len);
        assert!(places.end <= len, "only items added have rows");
        for place in places {
            let items = row(ItemIx(list[place]));
            len = append(words, list, len, items);
        }
        self.len = len;
    }

    /// Adds a number if `wanted`, without a branch on it.
    #[inline]
    pub fn insert_if(&mut self, number: u32, wanted: bool) {
        let word = &mut self.words[number as usize / 64];
        let before = *word;
        *word |= u64::from(wanted) << (number % 64);
        self.list[self.len] = number;
        self.len += usize::from(before < *word);
    }

    /// Whether a number is in the set; numbers beyond the slots are not.
    #[must_use]
    #[inline]
    pub fn contains(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// The numbers in the set, in the order in which they were added.
    #[must_use]
    #[inline]
    pub fn list(&self) -> &[u32] {
        &self.list[..self.len]
    }

    /// Keeps the first `len` numbers added and removes the others.
    pub fn truncate(&mut self, len: usize) {
        for &number in &self.list[len.min(self.len)..self.len] {
            self.words[number as usize / 64] &= !(1 << (number % 64));
        }
        self.len = len.min(self.len);
    }

    /// How many numbers are in the set.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Appends the numbers of items whose bits are not set yet to the first `len` of a list, sets the bits
/// and returns how many numbers the list holds now.
///
/// Whether a hub's dependents were met before is a toss of a coin that no branch predictor wins, so
/// there is no branch on it.
#[inline]
fn append(words: &mut [u64], list: &mut [u32], mut len: usize, items: &[ItemIx]) -> usize {
    for item in items {
        let number = item.0;
        let word = &mut words[number as usize / 64];
        let before = *word;
        *word |= 1 << (number % 64);
        list[len] = number;
        // A word grows by a bit that is new: one comparison whose carry is added.
        len += usize::from(before < *word);
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_set_is_empty_whatever_it_held() {
        let mut marks = Marks::default();
        for held in [vec![3], (0..200).collect::<Vec<u32>>(), vec![], vec![199, 0]] {
            marks.reset(200);
            assert!((0..200).all(|number| !marks.contains(number)));
            assert!(held.iter().all(|&number| marks.insert(number)));
            assert!(held.iter().all(|&number| !marks.insert(number) && marks.contains(number)));
            assert_eq!(marks.list(), held);
        }
    }

    #[test]
    fn a_set_may_grow_and_shrink_between_uses() {
        let mut marks = Marks::default();
        marks.reset(1000);
        assert!(marks.insert(999));
        marks.reset(10);
        assert!(!marks.contains(999));
        marks.reset(2000);
        assert!(!marks.contains(999) && marks.insert(1999));
    }
}
