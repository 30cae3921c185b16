//! Findings: what an importer or the reconciliation noticed, with the place where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ci::words;
use crate::provenance::Position;

words! {
    /// How much a finding matters. In our own strict format anything above `Warning` stops the
    /// batch.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// Something is not as it should be; nothing was lost.
        Warning = "warning",
        /// A row was refused.
        Error = "error",
    }
}

words! {
    /// What was noticed. The list is closed: an importer expresses itself in these.
    FindingCode {
        /// A dependency row that names nothing.
        NullTarget = "null_target",
        /// A relationship to something the batch does not describe.
        MissingTarget = "missing_target",
        /// A configuration item said to depend on itself.
        SelfLoop = "self_loop",
        /// The same thing twice with the same content.
        Duplicate = "duplicate",
        /// The same thing twice with differing content.
        DuplicateConflict = "duplicate_conflict",
        /// Two spellings that differ in case only.
        CaseOnlyDifference = "case_only_difference",
        /// A type of relationship the importer's table does not know.
        UnknownRelationType = "unknown_relation_type",
        /// A class nobody defined.
        UnknownClass = "unknown_class",
        /// Redundant members without a rule; all of them are taken to be needed.
        NeedRuleMissing = "need_rule_missing",
        /// A format version the importer does not read.
        UnsupportedVersion = "unsupported_version",
        /// A row that cannot be read or used.
        MalformedRow = "malformed_row",
        /// A row without what identifies it.
        IdentityMissing = "identity_missing",
        /// A row that could be more than one configuration item.
        AmbiguousIdentity = "ambiguous_identity",
        /// A row outside what the batch claims to cover.
        OutOfScope = "out_of_scope",
        /// News older than what is known.
        OlderThanKnown = "older_than_known",
        /// Something beyond a limit.
        LimitExceeded = "limit_exceeded",
        /// A secret that was left out.
        Redacted = "redacted",
        /// A listing that ended early.
        TruncatedSource = "truncated_source",
        /// A withdrawal larger than the guard allows.
        GuardTripped = "guard_tripped",
        /// An attribute the class does not define; kept, not interpreted.
        UnmodelledAttribute = "unmodelled_attribute",
        /// A selector or reference that matches nothing.
        EmptySelection = "empty_selection",
    }
}

/// One thing noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
    /// The key concerned, as the source writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The field concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// In words: what is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// A finding with its usual severity.
    #[must_use]
    pub fn new(code: FindingCode, position: Position, message: impl Into<String>) -> Self {
        Self { code, severity: code.usual_severity(), position, key: None, field: None, message: message.into() }
    }

    /// Names the key concerned.
    #[must_use]
    pub fn about(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Names the field concerned.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Sets another severity than the usual one.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

impl FindingCode {
    /// The severity findings of the code usually have.
    #[must_use]
    pub fn usual_severity(self) -> Severity {
        match self {
            Self::Duplicate | Self::Redacted | Self::EmptySelection => Severity::Info,
            Self::NullTarget
            | Self::MissingTarget
            | Self::SelfLoop
            | Self::CaseOnlyDifference
            | Self::NeedRuleMissing
            | Self::TruncatedSource
            | Self::UnknownRelationType
            | Self::UnmodelledAttribute
            | Self::OlderThanKnown => Severity::Warning,
            Self::DuplicateConflict
            | Self::UnknownClass
            | Self::UnsupportedVersion
            | Self::MalformedRow
            | Self::IdentityMissing
            | Self::AmbiguousIdentity
            | Self::OutOfScope
            | Self::LimitExceeded
            | Self::GuardTripped => Severity::Error,
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.position.is_empty() {
            write!(f, "{}: ", self.position)?;
        }
        write!(f, "{} {}: {}", self.severity, self.code, self.message)?;
        if let Some(field) = &self.field {
            write!(f, " (field {field})")?;
        }
        Ok(())
    }
}
