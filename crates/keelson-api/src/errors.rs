//! Errors outside the data: the closed list of codes, and how other crates' errors become them.
//!
//! What a person using the product correctly can meet is no error here but a `userErrors` entry of
//! a payload (see [`crate::types::payload`]).

use async_graphql::ErrorExtensions;
use http::StatusCode;
use keelson_app::answers::QuestionError;
use keelson_app::{AskError, CommitError, EditError, Error, StoreError};

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal, $status:ident;)*) => {
        /// Why a request, or a field of it, was refused. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The code as `extensions.code` shows it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $word,)* }
            }

            /// The HTTP status when the whole request is refused for it.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    /// No valid credential.
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
    /// The role lacks the permission.
    Forbidden = "FORBIDDEN", FORBIDDEN;
    /// The target of an analysis or a job is absent.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// A well typed but unusable argument.
    BadUserInput = "BAD_USER_INPUT", BAD_REQUEST;
    /// Method, media type, missing header, malformed JSON or parameters.
    UnsupportedRequest = "UNSUPPORTED_REQUEST", BAD_REQUEST;
    /// A body over its limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// An array of operations.
    BatchNotAllowed = "BATCH_NOT_ALLOWED", BAD_REQUEST;
    /// Brackets or variables nested too deeply.
    DocumentTooDeep = "DOCUMENT_TOO_DEEP", BAD_REQUEST;
    /// Too many bytes, tokens, aliases, fragments or root fields.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE", BAD_REQUEST;
    /// Not a GraphQL document.
    GraphqlParseFailed = "GRAPHQL_PARSE_FAILED", BAD_REQUEST;
    /// Not a document of this schema, or variables that do not fit.
    GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED", BAD_REQUEST;
    /// More cost, selection depth, expansion or directives than one operation may have.
    ComplexityExceeded = "COMPLEXITY_EXCEEDED", BAD_REQUEST;
    /// A page that is empty, negative or too large.
    PageTooLarge = "PAGE_TOO_LARGE", BAD_REQUEST;
    /// A cursor that was not made for this list, or was tampered with.
    BadCursor = "BAD_CURSOR", BAD_REQUEST;
    /// A storage conflict survived all retries; safe to retry.
    Conflict = "CONFLICT", CONFLICT;
    /// An idempotency key or batch id was used before with other content.
    BatchIdReused = "BATCH_ID_REUSED", CONFLICT;
    /// Too many requests.
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS;
    /// The deadline passed; a write may have happened.
    Timeout = "TIMEOUT", SERVICE_UNAVAILABLE;
    /// Shed, because there is too much to do or the server is stopping.
    Overloaded = "OVERLOADED", SERVICE_UNAVAILABLE;
    /// The database is down, full or read-only.
    StorageUnavailable = "STORAGE_UNAVAILABLE", SERVICE_UNAVAILABLE;
    /// A fault of the program; the message is the request id only.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
}

/// A refusal: code, and the reason in words. It is shown as an error of GraphQL or as a problem of
/// HTTP and by itself has no text: the library would turn any text into an error without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub code: Code,
    /// Why, and what to do. Shows no path, no stack and no query of the database.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A well typed but unusable argument.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// A fault of the program: logged in full, told only by the request id.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed by a fault of the program");
        Self::new(Code::Internal, "internal error")
    }
}

impl From<Refusal> for async_graphql::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.message).extend_with(|_, values| values.set("code", refusal.code.as_str()))
    }
}

impl From<QuestionError> for Refusal {
    fn from(error: QuestionError) -> Self {
        let code = match error {
            QuestionError::UnknownKey { .. } | QuestionError::UnknownRequest { .. } => Code::NotFound,
            _ => Code::BadUserInput,
        };
        Self::new(code, error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => conflict(),
            StoreError::Inconsistent { .. } | StoreError::EditedMigration(_) | StoreError::Newer(_) => {
                Self::internal(&error)
            }
            other => {
                tracing::error!(cause = %other, "the store failed");
                Self::new(Code::StorageUnavailable, "the store cannot be used now; try again later")
            }
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) | Error::Commit(CommitError::Store(error)) => error.into(),
            Error::Commit(CommitError::Stale { .. }) | Error::Contended { .. } => conflict(),
            Error::ImportRunning { .. } => Self::new(Code::Conflict, error.to_string()),
            Error::BeforeTheFirst(_)
            | Error::TooLateToBackdate { .. }
            | Error::RevisionZero
            | Error::BeyondTheHead { .. }
            | Error::ReadInTheFuture { .. } => Self::input(error.to_string()),
            other => Self::internal(&other),
        }
    }
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Question(error) => error.into(),
            AskError::Failed(error) => error.into(),
            unfit => Self::input(unfit.to_string()),
        }
    }
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Failed(error) => error.into(),
            // Problems of edits are user errors; whoever gets here forgot to map them.
            EditError::Refused(_) => Self::internal(&error),
        }
    }
}

fn conflict() -> Refusal {
    Refusal::new(Code::Conflict, "others kept changing the same records; nothing was written, try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_words() {
        let words: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_')));
    }
}
