//! The vocabulary of Keelson: the types of the domain and the conditions they always fulfil.
//!
//! Everything that can be lost or run out is a [`ConfigurationItem`] of a [`ClassRegistry`] class;
//! [`Relationship`]s and [`Need`]s say what needs what; every fact knows the source that claims it
//! ([`Provenance`]). A source speaks in [`Batch`]es; what they change is written down in
//! [`Commit`]s, the append-only history of which everything else is a view. [`RequestForChange`]s, the
//! calendar and baselines are records of the same history.
//!
//! This crate refuses to do anything: no input or output, no clock, no randomness, no runtime, no
//! database, no graph algorithm. Start reading at [`ci`] and [`relationship`].

pub mod batch;
pub mod builtin;
pub mod change;
pub mod ci;
pub mod class;
pub mod commit;
pub mod finding;
pub mod id;
pub mod key;
pub mod kind;
pub mod measured;
pub mod provenance;
pub mod records;
pub mod relationship;
pub mod rule;
mod schema;
mod symbol;
pub mod unit;
pub mod value;
mod window;

pub use batch::{
    Batch, CiRef, Completeness, ImporterVersion, MemberObservation, NeedObservation, Observation, OnError, Payload,
    RelationshipObservation, Removal, RemovalTarget,
};
pub use change::{
    Action, Alteration, Approval, Baseline, CalendarEntry, CalendarKind, ChangeCategory, ChangeState, ChangeTemplate,
    Completion, Disruption, DisruptionKind, Effect, EffectOn, FrozenAssessment, KnownCollision, NotImpacted,
    ObservedLoss, Recheck, RecheckReason, Recurrence, RequestForChange, ReviewRecord, Rollback, Step,
};
pub use ci::{Claim, ConfigurationItem, Criticality, Facts, Lifecycle, Merged, Standing};
pub use class::{
    AttributeDefinition, AttributeType, Class, ClassError, ClassRegistry, IdentityRule, NeedRule, UnavailabilityRange,
};
pub use commit::{Change, Commit, CommitHeader, Digest, RecordChange, Revision};
pub use finding::{Finding, FindingCode, Severity};
pub use id::{
    BaselineId, BatchId, CalendarEntryId, ChangeId, CiId, DisruptionId, IdError, IdSource, NeedId, ReviewTaskId,
    SequentialIds, SeriesBatchId,
};
pub use key::{CiKey, KeyError, SourceKey};
pub use kind::{Carries, KindRegistry, RelationshipKind};
pub use measured::{Metric, SeriesBatch, SeriesPart};
pub use provenance::{Position, Provenance, Scope, Tombstone};
pub use records::{ImportOutcome, ImportRun, ReviewState, ReviewTask, RowCounts, ScopeState};
pub use relationship::{
    Basis, Cap, Member, Need, NeedClaim, NeedDefinition, Relationship, RelationshipClaim, RelationshipKey, Stated,
    Strength,
};
pub use rule::{Phase, Rule, RuleError};
pub use schema::Schema;
pub use symbol::Symbol;
pub use value::{Attributes, Quantity, Value};
pub use window::{Window, WindowError};
