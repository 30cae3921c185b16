//! A reader that counts what passes and stops at a limit.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// A limit that a stream went beyond; travels inside an [`io::Error`].
#[derive(Debug, Error)]
pub(crate) enum Exceeded {
    #[error("it has more than {limit} {what}")]
    Size { limit: u64, what: &'static str },
    #[error("it unpacks to more than {ratio} times its size")]
    Ratio { ratio: u64 },
}

/// Bytes that passed a reader, readable from elsewhere.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes unpacked before their ratio to the packed ones means anything.
const RATIO_FREE_BYTES: u64 = 1 << 20;

pub(crate) struct Limited<R> {
    inner: R,
    passed: Counter,
    limit: u64,
    what: &'static str,
    ratio: Option<(Counter, u64)>,
}

impl<R: Read> Limited<R> {
    pub(crate) fn new(inner: R, passed: Counter, limit: u64, what: &'static str) -> Self {
        Self { inner, passed, limit, what, ratio: None }
    }

    /// Stops as well when more than `ratio` times the bytes of `packed` have passed.
    pub(crate) fn with_ratio(mut self, packed: Counter, ratio: u64) -> Self {
        self.ratio = Some((packed, ratio));
        self
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let passed = self.passed.0.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
        if passed > self.limit {
            return Err(io::Error::other(Exceeded::Size { limit: self.limit, what: self.what }));
        }
        match &self.ratio {
            Some((packed, ratio)) if passed > RATIO_FREE_BYTES && passed > packed.get().saturating_mul(*ratio) => {
                Err(io::Error::other(Exceeded::Ratio { ratio: *ratio }))
            }
            _ => Ok(read),
        }
    }
}
