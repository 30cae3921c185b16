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
    if changes.is_empty() {
        return encode_some(&[]);
    }
    let tasks = ranges(changes.len(), CHUNK_CHANGES).map(|range| {
        let changes = Arc::clone(changes);
        blocking(move || encode_some(&changes[range]))
    });
    let mut done = stream::iter(tasks).buffered(cores());
    let mut whole = Vec::new();
    while let Some(some) = done.try_next().await? {
        whole.extend(some?);
    }
    Ok(whole)
}

fn encode_some(changes: &[RecordChange]) -> Result<Vec<Chunk>, StoreError> {
    let mut chunks = Vec::new();
    let mut plain = Vec::new();
    let mut held = 0;
    for change in changes {
        serde_json::to_writer(&mut plain, change).map_err(|error| bad("change", &error))?;
        plain.push(b'\n');
        held += 1;
        if plain.len() >= CHUNK_BYTES {
            chunks.push(close(&mut plain, &mut held)?);
        }
    }
    if held > 0 || chunks.is_empty() {
        chunks.push(close(&mut plain, &mut held)?);
    }
    Ok(chunks)
}

fn close(plain: &mut Vec<u8>, held: &mut usize) -> Result<Chunk, StoreError> {
    let chunk = Chunk { digest: Digest::of(plain), bytes: compress(plain)?, changes: *held };
    plain.clear();
    *held = 0;
    Ok(chunk)
}

/// Reads a chunk back, checking its digest.
pub(crate) fn decode(record: &str, bytes: &[u8], digest: Digest) -> Result<Vec<RecordChange>, StoreError> {
    let inconsistent = |reason: String| StoreError::Inconsistent { table: "chunk", record: record.to_owned(), reason };
    let plain = zstd::decode_all(bytes).map_err(|error| inconsistent(format!("cannot be unpacked: {error}")))?;
    let found = Digest::of(&plain);
    if found != digest {
        return Err(inconsistent(format!("its digest is {found}, but its commit says {digest}")));
    }
    plain
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|error| inconsistent(format!("cannot be read: {error}"))))
        .collect()
}

/// Compresses bytes as everything in the store is compressed.
pub(crate) fn compress(plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::encode_all(plain, LEVEL).map_err(|error| bad("bytes", &error))
}

fn bad(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Inconsistent { table: "chunk", record: what.to_owned(), reason: error.to_string() }
}
