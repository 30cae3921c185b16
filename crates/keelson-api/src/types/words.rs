//! Enumerations of the schema, and the words of the model they stand for.

use async_graphql::Enum;
use keelson_app::answers::difference::What;
use keelson_app::answers::impact::VerdictWord;
use keelson_app::answers::walk::Way;
use keelson_app::reconcile::RowOutcome;
use keelson_model as model;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $model:path { $($(#[$vdoc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, async_graphql::Enum)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl From<$model> for $name {
            fn from(word: $model) -> Self {
                match word { $(<$model>::$variant => Self::$variant,)* }
            }
        }

        impl From<$name> for $model {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant,)* }
            }
        }
    )*};
}

pub(crate) use words;

words! {
    /// Stage of life.
    Lifecycle = model::Lifecycle {
        /// A service that is being prepared.
        Pipeline,
        /// Decided on, nothing there yet.
        Planned,
        /// Being built.
        Build,
        /// Being tested.
        Test,
        /// In use.
        Live,
        /// About to be removed by its platform.
        GoingAway,
        /// Deliberately ended.
        Retired,
    }

    /// How much depends on it, as agreed with the business.
    Criticality = model::Criticality {
        /// Little is lost without it.
        Low,
        /// Work continues with effort.
        Medium,
        /// Important work stops.
        High,
        /// The business stops.
        Critical,
    }

    /// What is known of a record's existence.
    Standing = model::Standing {
        /// Something refers to it; nobody has described it yet.
        Placeholder,
        /// At least one source describes it.
        Live,
        /// No source lists it any longer. It stays readable and is revived when seen again.
        Withdrawn,
    }

    /// How a source knows of a relationship.
    Basis = model::Basis {
        /// Somebody or something states it.
        Declared,
        /// It was seen happening.
        Observed,
    }

    /// When a need matters.
    Phase = model::Phase {
        /// To keep running.
        Run,
        /// To start from nothing.
        Start,
        /// To start and to keep running.
        Both,
    }

    /// How an import ended.
    ImportOutcome = model::ImportOutcome {
        /// Its changes are in the catalogue; there may have been none.
        Committed,
        /// The same batch had been committed before; nothing was done.
        AlreadyKnown,
        /// Findings or the guard stopped it; nothing was changed.
        Refused,
    }

    /// Where a review task stands.
    ReviewState = model::ReviewState {
        /// Waiting for a person.
        Open,
        /// Answered; the decision is in force.
        Settled,
        /// No longer a question.
        Obsolete,
    }

    /// What a check of the catalogue found.
    CheckCode = keelson_app::answers::check::CheckCode {
        /// A redundant need that one single loss takes down.
        RedundancyThatIsNot,
        /// Items that need one another in a circle.
        Cycle,
        /// Something is referred to and nobody has described it.
        Placeholder,
        /// Withdrawn, and something in service still states that it needs it.
        StillNeeded,
        /// A need that has fewer members left than it states to need: the others are retired.
        NeedCannotHold,
        /// Nothing relates to it and it relates to nothing.
        Orphan,
        /// Redundant members without a stated rule.
        RuleMissing,
        /// Last seen longer ago than its class allows.
        Stale,
        /// A source says that it depends on itself.
        SelfLoop,
        /// Sources disagree about an attribute or a need.
        Disagreement,
        /// A question waits for a person.
        OpenReview,
        /// A service that does not say how much it must deliver.
        MinimumMissing,
        /// A service lost something during a change, and nothing in the catalogue explains why.
        UnexplainedLoss,
    }

    /// How much a finding matters.
    Severity = model::Severity {
        /// Worth knowing.
        Info,
        /// Something is not as it should be; nothing was lost.
        Warning,
        /// A row was refused.
        Error,
    }

    /// What an importer or the reconciliation noticed.
    FindingCode = model::FindingCode {
        /// A dependency row that names nothing.
        NullTarget,
        /// A relationship to something the batch does not describe.
        MissingTarget,
        /// A configuration item said to depend on itself.
        SelfLoop,
        /// The same thing twice with the same content.
        Duplicate,
        /// The same thing twice with differing content.
        DuplicateConflict,
        /// Two spellings that differ in case only.
        CaseOnlyDifference,
        /// A type of relationship the importer's table does not know.
        UnknownRelationType,
        /// A class nobody defined.
        UnknownClass,
        /// Redundant members without a rule; all of them are taken to be needed.
        NeedRuleMissing,
        /// A format version the importer does not read.
        UnsupportedVersion,
        /// A row that cannot be read or used.
        MalformedRow,
        /// A row without what identifies it.
        IdentityMissing,
        /// A row that could be more than one configuration item.
        AmbiguousIdentity,
        /// A row outside what the batch claims to cover.
        OutOfScope,
        /// News older than what is known.
        OlderThanKnown,
        /// Something beyond a limit.
        LimitExceeded,
        /// A secret that was left out.
        Redacted,
        /// A listing that ended early.
        TruncatedSource,
        /// A withdrawal larger than the guard allows.
        GuardTripped,
        /// An attribute the class does not define; kept, not interpreted.
        UnmodelledAttribute,
        /// A selector or reference that matches nothing.
        EmptySelection,
    }

    /// What happened to a record.
    ChangeKind = What {
        /// It was new.
        Created,
        /// It got new content.
        Updated,
        /// It was withdrawn.
        Withdrawn,
        /// It was seen again.
        Revived,
        /// A placeholder was described.
        Described,
    }

    /// The verdict on a configuration item.
    Verdict = VerdictWord {
        /// It loses nothing.
        Protected,
        /// It loses something and still delivers what it must.
        Degraded,
        /// It delivers less than it must.
        Breached,
    }

    /// Which way to walk from a configuration item.
    Direction = Way {
        /// To what it needs.
        Needs,
        /// To what depends on it.
        Dependents,
    }

    /// What became of a row of a batch.
    RowResultOutcome = RowOutcome {
        /// A new record.
        Created,
        /// A record with new content.
        Updated,
        /// The record already said so.
        Unchanged,
        /// A placeholder is described now.
        FilledPlaceholder,
        /// A withdrawn record was seen again.
        Revived,
        /// A record lost the claim of this source.
        Withdrawn,
        /// The row waits for a person.
        Ambiguous,
        /// The row was left out on purpose.
        Skipped,
        /// The row was refused.
        Rejected,
    }
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum SortDirection {
    /// From small to large. Absent values come last.
    #[default]
    Ascending,
    /// From large to small. Absent values come last.
    Descending,
}
