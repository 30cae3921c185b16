//! Connections: pages of lists, by the Relay convention.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use async_graphql::{Object, OutputType, SimpleObject, TypeName};
use serde::{Serialize, de::DeserializeOwned};

use crate::cursor::{CursorKey, ListName};
use crate::errors::{Code, Refusal};
use crate::limits::{LARGEST_PAGE, USUAL_PAGE};
use crate::types::words::SortDirection;

/// The paging arguments of a connection, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// How many from the beginning.
    pub first: Option<i32>,
    /// Only what comes behind this cursor.
    pub after: Option<String>,
    /// How many from the end.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<String>,
}

impl Paging {
    /// The arguments of a connection field.
    #[must_use]
    pub fn new(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Self {
        Self { first, after, last, before }
    }

    /// How many entries are asked for, and whether from the end.
    fn size(&self) -> Result<(usize, bool), Refusal> {
        let (given, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Refusal::input("give either first or last, not both")),
            (None, None) => return Ok((USUAL_PAGE, false)),
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
        };
        match usize::try_from(given) {
            Ok(size) if (1..=LARGEST_PAGE).contains(&size) => Ok((size, from_end)),
            _ => {
                let message = format!("a page has 1 to {LARGEST_PAGE} entries; {given} were asked for");
                Err(Refusal::new(Code::PageTooLarge, message))
            }
        }
    }

    /// The part of a sorted list that is asked for. `compare` tells on which side of a sort key an
    /// entry stands.
    ///
    /// # Errors
    /// `PAGE_TOO_LARGE`, `BAD_CURSOR`, and `BAD_USER_INPUT` for arguments that contradict each
    /// other.
    pub fn window<T, K: DeserializeOwned>(
        &self,
        sorted: &[T],
        name: &ListName,
        seal: &CursorKey,
        compare: impl Fn(&T, &K) -> Ordering,
    ) -> Result<Range<usize>, Refusal> {
        let (size, from_end) = self.size()?;
        let (mut start, mut end) = (0, sorted.len());
        if let Some(after) = &self.after {
            let key: K = seal.open(name, after)?;
            start = sorted.partition_point(|entry| compare(entry, &key).is_le());
        }
        if let Some(before) = &self.before {
            let key: K = seal.open(name, before)?;
            end = sorted.partition_point(|entry| compare(entry, &key).is_lt()).max(start);
        }
        if end - start > size {
            if from_end {
                start = end - size;
            } else {
                end = start + size;
            }
        }
        Ok(start..end)
    }
}

/// Where a page stands in its list.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether entries come before this page.
    pub has_previous_page: bool,
    /// Whether entries come behind this page.
    pub has_next_page: bool,
    /// The cursor of the first entry of this page.
    pub start_cursor: Option<String>,
    /// The cursor of the last entry of this page.
    pub end_cursor: Option<String>,
}

/// An entry of a page.
pub struct Edge<N> {
    cursor: String,
    node: N,
}

/// A page of a list.
pub struct Connection<N> {
    edges: Vec<Edge<N>>,
    total: usize,
    range: Range<usize>,
}

impl<N> Connection<N> {
    /// A page of a list of `total` entries. Entries come with their sort keys.
    pub fn new<K: Serialize>(
        entries: impl IntoIterator<Item = (K, N)>,
        range: Range<usize>,
        total: usize,
        name: &ListName,
        seal: &CursorKey,
    ) -> Self {
        let edges = entries.into_iter().map(|(key, node)| Edge { cursor: seal.seal(name, &key), node }).collect();
        Self { edges, total, range }
    }

    /// The page asked for of a list sorted by a key.
    ///
    /// # Errors
    /// As [`Paging::window`].
    pub fn page<T, K: Serialize + DeserializeOwned + Ord>(
        sorted: &[T],
        paging: &Paging,
        name: &ListName,
        seal: &CursorKey,
        key: impl Fn(&T) -> K,
        node: impl Fn(&T) -> N,
    ) -> Result<Self, Refusal> {
        debug_assert!(sorted.is_sorted_by_key(&key), "a list that is paged must be sorted");
        let range = paging.window(sorted, name, seal, |entry, wanted: &K| key(entry).cmp(wanted))?;
        let entries = sorted[range.clone()].iter().map(|entry| (key(entry), node(entry)));
        Ok(Self::new(entries, range, sorted.len(), name, seal))
    }
}

/// The place of an entry in a list that clients sort: the fields sorted by, then what tells it apart.
pub(crate) type Place = (Vec<String>, Vec<String>);

impl<N> Connection<N> {
    /// The page asked for of entries that are sorted by their places, each field in its direction.
    ///
    /// # Errors
    /// As [`Paging::window`].
    pub(crate) fn sorted<T>(
        mut entries: Vec<(Place, T)>,
        directions: &[SortDirection],
        paging: &Paging,
        name: &ListName,
        seal: &CursorKey,
        node: impl Fn(T) -> N,
    ) -> Result<Self, Refusal> {
        let compare = |a: &Place, b: &Place| {
            let fields = directions.iter().zip(a.0.iter().zip(&b.0)).map(|(direction, (a, b))| match direction {
                SortDirection::Ascending => a.cmp(b),
                SortDirection::Descending => b.cmp(a),
            });
            fields.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.1.cmp(&b.1))
        };
        entries.sort_by(|(a, _), (b, _)| compare(a, b));
        let range = paging.window(&entries, name, seal, |(place, _), wanted: &Place| compare(place, wanted))?;
        let total = entries.len();
        let page = entries.drain(range.clone()).map(|(place, entry)| (place, node(entry)));
        Ok(Self::new(page, range, total, name, seal))
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// An entry of a page, with its place in the list.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// Its place in the list, for `after` and `before`. Opaque.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The entry.
    async fn node(&self) -> &N {
        &self.node
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The entries with their places.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The entries.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.range.start > 0,
            has_next_page: self.range.end < self.total,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// How many entries the whole list has.
    async fn total_count(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> ListName {
        ListName { list: "numbers", order: String::new(), as_of: None }
    }

    fn pages(list: &[u32], size: i32, from_end: bool) -> Vec<u32> {
        let seal = CursorKey::new([1; 32]);
        let mut read = Vec::new();
        let mut cursor = None;
        for _ in 0..=list.len() {
            let paging = if from_end {
                Paging::new(None, None, Some(size), cursor.take())
            } else {
                Paging::new(Some(size), cursor.take(), None, None)
            };
            let window = paging.window(list, &name(), &seal, |a, b: &u32| a.cmp(b)).unwrap();
            let mut page = list[window].to_vec();
            if page.is_empty() {
                break;
            }
            let edge = if from_end { page[0] } else { page[page.len() - 1] };
            cursor = Some(seal.seal(&name(), &edge));
            if from_end {
                page.extend(&read);
                read = page;
            } else {
                read.append(&mut page);
            }
        }
        read
    }

    proptest! {
        #[test]
        fn pages_add_up_to_the_list(list in prop::collection::btree_set(0_u32..1_000, 0..60), size in 1_i32..20) {
            let list: Vec<u32> = list.into_iter().collect();
            prop_assert_eq!(&pages(&list, size, false), &list);
            prop_assert_eq!(&pages(&list, size, true), &list);
        }

        #[test]
        fn a_cursor_outlives_its_entry(list in prop::collection::btree_set(0_u32..50, 1..20), gone in 0_u32..50) {
            let list: Vec<u32> = list.into_iter().filter(|entry| *entry != gone).collect();
            let seal = CursorKey::new([1; 32]);
            let paging = Paging::new(Some(100), Some(seal.seal(&name(), &gone)), None, None);
            let window = paging.window(&list, &name(), &seal, |a, b: &u32| a.cmp(b)).unwrap();
            prop_assert!(list[window].iter().eq(list.iter().filter(|entry| **entry > gone)));
        }
    }

    #[test]
    fn page_sizes_are_refused_and_never_clamped() {
        let window = |first, last| {
            let paging = Paging::new(first, None, last, None);
            paging.window(&[1, 2], &name(), &CursorKey::new([1; 32]), |a, b: &u32| a.cmp(b)).map_err(|e| e.code)
        };
        assert_eq!(window(None, None), Ok(0..2));
        assert_eq!(window(Some(100), None), Ok(0..2));
        assert_eq!(window(None, Some(1)), Ok(1..2));
        for bad in [0, -1, 101, i32::MAX, i32::MIN] {
            assert_eq!(window(Some(bad), None), Err(Code::PageTooLarge));
            assert_eq!(window(None, Some(bad)), Err(Code::PageTooLarge));
        }
        assert_eq!(window(Some(1), Some(1)), Err(Code::BadUserInput));
    }
}
