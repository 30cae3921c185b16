//! Sets of single points, small ones as lists and large ones as compressed bitmaps.

use roaring::RoaringBitmap;

/// Sets of no more places than this are lists.
const LONGEST_LIST: usize = 1_024;

/// Larger sets that hold more than one in so many of the places below theirs are bitmaps.
///
/// The union of lists is one pass with a stamp for every place, twice as fast as with bitmaps where
/// sets are scattered. Where a set holds a good part of what lies below it, a bitmap takes a tenth of
/// the memory and of the time.
const DENSE: usize = 16;

/// The items whose failure fells an item, as places in the cone.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Set {
    /// The item has failed already.
    Everything,
    /// Each once, in no order.
    List(Box<[u32]>),
    Bitmap(RoaringBitmap),
}

impl Set {
    pub(super) fn empty() -> Self {
        Self::List(Box::default())
    }

    /// How many places are in the set; none where all are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Everything => 0,
            Self::List(places) => places.len(),
            Self::Bitmap(places) => usize::try_from(places.len()).unwrap_or(usize::MAX),
        }
    }

    /// What the set takes in memory, in words of four bytes; for a list, an entry is one.
    pub(super) fn words(&self) -> usize {
        match self {
            Self::Everything => 0,
            Self::List(places) => places.len(),
            Self::Bitmap(places) => places.serialized_size().div_ceil(4),
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = u32> + '_ {
        let (list, bitmap) = match self {
            Self::Everything => (&[][..], None),
            Self::List(places) => (&places[..], None),
            Self::Bitmap(places) => (&[][..], Some(places)),
        };
        list.iter().copied().chain(bitmap.into_iter().flatten())
    }
}

/// Working memory for the union of sets.
#[derive(Default)]
pub(super) struct Union {
    /// Whether a place is in the list, by the number of the list.
    stamps: Vec<u32>,
    number: u32,
    list: Vec<u32>,
    bitmap: RoaringBitmap,
    /// Words read since somebody last looked.
    pub(super) read: usize,
}

impl Union {
    /// Returns working memory for places below `places`.
    pub(super) fn new(places: usize) -> Self {
        Self { stamps: vec![0; places], ..Self::default() }
    }

    pub(super) fn start(&mut self) {
        self.number += 1;
        self.list.clear();
        self.bitmap.clear();
    }

    pub(super) fn add(&mut self, set: &Set) {
        self.read += set.words();
        match set {
            Set::Everything => {}
            Set::List(places) => places.iter().for_each(|&place| self.add_place(place)),
            Set::Bitmap(places) => self.bitmap |= places,
        }
    }

    pub(super) fn add_place(&mut self, place: u32) {
        let stamp = &mut self.stamps[place as usize];
        if *stamp != self.number {
            *stamp = self.number;
            self.list.push(place);
        }
    }

    /// The union of everything added since the start, most of which lies below `last`.
    pub(super) fn finish(&mut self, last: u32) -> Set {
        let is_dense = self.list.len() > LONGEST_LIST.max(last as usize / DENSE);
        if self.bitmap.is_empty() && !is_dense {
            return Set::List(self.list[..].into());
        }
        self.list.sort_unstable();
        let mut bitmap = std::mem::take(&mut self.bitmap);
        bitmap |= self.list.iter().copied().collect::<RoaringBitmap>();
        Set::Bitmap(bitmap)
    }
}
