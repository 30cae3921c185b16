//! Numbers for items and needs.

/// The number of a configuration item, chosen by the caller (the catalogue's slot number).
///
/// Numbers should be dense, because arrays are as long as the largest number; single numbers may be
/// missing from a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemIx(pub u32);

impl ItemIx {
    /// The number as an array index.
    #[must_use]
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The item of an array index.
    ///
    /// The index must come from an array as long as the graph has slots, so it fits in 32 bits.
    #[must_use]
    #[inline]
    pub fn of(index: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "slots are numbered by u32")]
        Self(index as u32)
    }
}

/// The number of a need within one [`Snapshot`](crate::Snapshot).
///
/// It stays valid for exactly that snapshot; keep the need's tag to find it again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NeedIx(pub(crate) u32);

impl NeedIx {
    /// Marks the number of a plain need in the base arrays, which is a position rather than a record.
    pub(crate) const PLAIN: u32 = 1 << 31;

    /// The number of the record of a counted need, dense from 0 and below
    /// [`Snapshot::need_slots`](crate::Snapshot::need_slots); for arrays with one entry per need.
    #[must_use]
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The number as 32 bits, for packing.
    #[must_use]
    #[inline]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The counted need of a number that [`number`](Self::number) gave.
    #[must_use]
    #[inline]
    pub fn counted(number: u32) -> Self {
        Self(number)
    }

    /// The position of a plain base need in the dependency array.
    pub(crate) fn plain_position(self) -> Option<usize> {
        (self.0 & Self::PLAIN != 0).then_some((self.0 & !Self::PLAIN) as usize)
    }
}
