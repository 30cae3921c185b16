//! A sparse map from small numbers, cheap to copy.

use std::sync::Arc;

const BITS: usize = 8;
const PAGE: usize = 1 << BITS;

/// A map from array indices to values of which most are missing.
///
/// Values sit in shared pages of 256. Copying the map copies one pointer per page (4 000 for a
/// million items, and most of them null), and writing copies one page. Reading costs one look at a
/// table that stays in the first cache, so a walk can ask for every item it meets.
#[derive(Clone, Debug)]
pub(crate) struct Paged<T> {
    pages: Vec<Option<Arc<[Option<T>]>>>,
    len: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Paged<T> {
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index >> BITS)?.as_ref()?[index & (PAGE - 1)].as_ref()
    }

    pub(crate) fn set(&mut self, index: usize, value: T) {
        let page = index >> BITS;
        if page >= self.pages.len() {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| vec![None; PAGE].into());
        let slot = &mut Arc::make_mut(page)[index & (PAGE - 1)];
        self.len += usize::from(slot.is_none());
        *slot = Some(value);
    }

    /// How many values the map holds.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count();
        self.pages.capacity() * size_of::<usize>() * 2 + pages * PAGE * size_of::<Option<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_later_writes() {
        let mut first = Paged::default();
        first.set(700, 'a');
        let mut second = first.clone();
        second.set(700, 'b');
        second.set(3, 'c');
        assert_eq!((first.get(700), first.get(3), first.len()), (Some(&'a'), None, 1));
        assert_eq!((second.get(700), second.get(3), second.len()), (Some(&'b'), Some(&'c'), 2));
        assert_eq!(second.get(1_000_000), None);
    }
}
