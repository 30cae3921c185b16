//! Dense numbers of records, and places in the log.

use keelson_model::Revision;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The number as an index.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The number of a position.
            ///
            /// # Panics
            /// When a catalogue holds more than 2³² records of a sort.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("a catalogue holds fewer than 2^32 records of a sort"))
            }
        }
    )*};
}

numbers! {
    /// A configuration item, in order of creation. The same in every catalogue of one log.
    CiIx;
    /// A relationship, in order of creation.
    RelationshipIx;
    /// A need, in order of creation.
    NeedIx;
}

/// Where in the log a record changed: revision and chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogRef(u64);

impl LogRef {
    /// A chunk of a commit.
    #[must_use]
    pub fn new(revision: Revision, chunk: u32) -> Self {
        debug_assert!(revision.0 < 1 << 40 && chunk < 1 << 24, "40 bits of revisions, 24 of chunks");
        Self(revision.0 << 24 | u64::from(chunk))
    }

    /// The revision.
    #[must_use]
    pub fn revision(self) -> Revision {
        Revision(self.0 >> 24)
    }

    /// The chunk within the commit, from 0.
    #[must_use]
    pub fn chunk(self) -> u32 {
        (self.0 & 0xff_ffff) as u32
    }
}
