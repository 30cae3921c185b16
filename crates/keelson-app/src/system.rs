//! The clock and the source of identifiers: the effects that planning is given as values.

use chrono::{DateTime, SubsecRound, Utc};
use keelson_model::IdSource;
use ulid::{Generator, Ulid};

/// The present time, to the millisecond, which is what stored times hold.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Identifiers from clock and randomness, ascending within one source.
#[derive(Default)]
pub struct RandomIds {
    generator: Generator,
}

impl RandomIds {
    /// A new source.
    #[must_use]
    pub fn new() -> Self {
        Self { generator: Generator::new() }
    }
}

impl IdSource for RandomIds {
    fn next_ulid(&mut self) -> Ulid {
        // Generation within one millisecond counts upwards and can run out after 2^80 of them.
        self.generator.generate().unwrap_or_else(|_| Ulid::new())
    }
}
