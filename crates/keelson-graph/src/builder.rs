//! Building a snapshot from nothing.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::{
    GraphError, ItemIx, NeedSpec, Snapshot,
    base::{Base, Plain},
    spec::{Compiled, compile},
};

/// Collects items and needs, in any order, and builds a [`Snapshot`] of them.
#[derive(Default)]
pub struct Builder {
    present: FixedBitSet,
    plain: Vec<Plain>,
    counted: Vec<Compiled>,
}

impl Builder {
    /// Returns an empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a builder with room for items numbered below `slots` and for `relationships` plain
    /// needs. Both are hints.
    #[must_use]
    pub fn with_capacity(slots: usize, relationships: usize) -> Self {
        let plain = Vec::with_capacity(relationships);
        Self { present: FixedBitSet::with_capacity(slots), plain, counted: Vec::new() }
    }

    /// Adds an item. Adding it again changes nothing.
    pub fn item(&mut self, item: ItemIx) -> &mut Self {
        self.present.grow_and_insert(item.index());
        self
    }

    /// Adds a need.
    ///
    /// # Errors
    /// When the need itself is not meaningful; whether its items are there is checked by
    /// [`build`](Self::build).
    pub fn need(&mut self, spec: NeedSpec) -> Result<&mut Self, GraphError> {
        let need = compile(spec)?;
        self.push(need);
        Ok(self)
    }

    /// Adds a hard need of one member: [`NeedSpec::plain`] without the trouble of making one.
    pub fn plain(&mut self, owner: ItemIx, member: ItemIx, tag: u64) -> &mut Self {
        self.plain.push(Plain { owner, member, tag });
        self
    }

    pub(crate) fn push(&mut self, need: Compiled) {
        if need.is_plain() {
            self.plain.push(Plain { owner: need.owner, member: need.members[0], tag: need.tag });
        } else {
            self.counted.push(need);
        }
    }

    /// Builds the snapshot.
    ///
    /// # Errors
    /// When a need refers to an item that was not added, or when there are too many relationships to
    /// number.
    pub fn build(self) -> Result<Snapshot, GraphError> {
        let Self { present, plain, counted } = self;
        let check = |owner: ItemIx, tag: u64, item: ItemIx| {
            if present.contains(item.index()) { Ok(()) } else { Err(GraphError::UnknownItem { owner, tag, item }) }
        };
        for need in &plain {
            check(need.owner, need.tag, need.owner)?;
            check(need.owner, need.tag, need.member)?;
        }
        for need in &counted {
            check(need.owner, need.tag, need.owner)?;
            for &member in &need.members {
                check(need.owner, need.tag, member)?;
            }
        }
        Ok(Snapshot::from_base(Arc::new(Base::build(present, plain, counted)?)))
    }
}
