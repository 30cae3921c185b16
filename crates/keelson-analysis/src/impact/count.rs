//! What is wholly lost, and nothing else.
//!
//! The walk of `spread.rs` without what an answer with reasons takes: no causes, no distances, no
//! lesser losses, no limits. Only the set of what is lost matters, not the order in which it was
//! met; so the plain needs of a whole block of items come first, which is the inner loop of a plain
//! breadth-first walk, and the counted needs of those that have any come after it.

use keelson_graph::{Dependents, ItemIx, NeedIx};

use super::spread::{BLOCK, Run, ShareMet, WORTH_LOOKING_AHEAD, look_ahead, read_member};
use crate::Scratch;

/// Spreads whole losses alone and leaves the lost items in the scratch. `None` when a need that
/// shares a load lies in the way.
pub(super) fn count_lost(run: &Run<'_>, seeds: &[ItemIx], scratch: &mut Scratch) -> Option<usize> {
    let snapshot = run.snapshot;
    scratch.reset(snapshot.slots(), snapshot.need_slots());
    for seed in seeds {
        scratch.met.insert(seed.0);
    }
    let started = scratch.met.len();
    let mut head = 0;
    while head < scratch.met.len() {
        let end = scratch.met.len().min(head + BLOCK);
        if end - head >= WORTH_LOOKING_AHEAD {
            look_ahead(snapshot, &scratch.met.list()[head..end]);
        }
        let (mut counted, mut len) = ([ItemIx(0); BLOCK], 0);
        scratch.met.insert_rows(head..end, |item| {
            let (plain, has_counted) = snapshot.plain_owners(item);
            counted[len % BLOCK] = item;
            len += usize::from(has_counted);
            plain
        });
        for &item in &counted[..len] {
            lose_counted(run, scratch, item, snapshot.dependents(item)).ok()?;
        }
        head = end;
    }
    Some(scratch.met.len() - started)
}

/// Takes an item as lost for the counted needs it is a member of.
#[inline]
fn lose_counted(
    run: &Run<'_>,
    scratch: &mut Scratch,
    item: ItemIx,
    dependents: Dependents<'_>,
) -> Result<(), ShareMet> {
    for (need, owner, trip) in dependents.counted_with_trips() {
        if trip == 0 {
            lose_read(run, scratch, need, item)?;
        } else {
            let lost = scratch.tallies.add(need);
            scratch.met.insert_if(owner.0, lost == trip);
        }
    }
    Ok(())
}

/// The same for a need that has to be read. What it passes on is whole only if it is hard.
#[cold]
fn lose_read(run: &Run<'_>, scratch: &mut Scratch, need: NeedIx, member: ItemIx) -> Result<(), ShareMet> {
    if read_member(run, scratch, need, member)? {
        let view = run.snapshot.need(need);
        if view.cap() >= 1.0 {
            scratch.met.insert(view.owner().0);
        }
    }
    Ok(())
}
