//! Chunks: the changes of a commit as they lie in the log.
//!
//! A chunk is JSON, one change a line, compressed by zstd. Its digest is that of the uncompressed
//! bytes, so that it stays the same when the compression changes.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use keelson_model::{Digest, RecordChange};

use crate::StoreError;
use crate::kept::blocking;

/// Bytes of JSON after which a chunk is closed.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;
/// Most changes in a chunk: one that is read to show one change should not cost much.
const CHUNK_CHANGES: usize = 2_000;
const LEVEL: i32 = 3;

/// A compressed chunk.
pub(crate) struct Chunk {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    /// How many changes it holds.
    pub(crate) changes: usize,
}

/// How many tasks prepare work at a time: one a core, because that is all they use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Ranges of at most `step` out of `0..len`.
pub(crate) fn ranges(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(step).map(move |from| from..len.min(from + step))
}

/// Cuts changes into chunks, on every core.
pub(crate) async fn encode(changes: &Arc<Vec<RecordChange>>) -> Result<Vec<Chunk>, StoreError> {
    let mut whole = if changes.is_empty() { vec![encode_some(&[])?] } else { Vec::new() };
    let tasks = ranges(changes.len(), CHUNK_CHANGES).map(|range| {
        let changes = Arc::clone(changes);
        blocking(move || encode_some(&changes[range]))
    });
    let mut done = stream::iter(tasks).buffered(cores());
    while let Some(some) = done.try_next().await? {
        whole.extend(some?);
    }
    Ok(whole)
}

fn encode_some(changes: &[RecordChange]) -> Result<Vec<Chunk>, StoreError> {
    todo_encode(changes)
}
