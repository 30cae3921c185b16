//! How a command ends, as scripts see it.

use keelson_app::{ActError, AskError, EditError, Error};

/// The exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The answer is "no": a gate that fails, findings at or above the limit.
    No = 1,
    /// Bad usage or bad input; nothing was changed by it.
    Input = 2,
    /// The store or a server failed.
    Trouble = 3,
}

/// A command that could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// Bad usage or bad input.
    pub(crate) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Input, error: error.into() }
    }

    /// The store or a server failed.
    pub(crate) fn trouble(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Trouble, error: error.into() }
    }

    /// Writes the failure and its causes to standard error. That nobody reads on is none.
    pub(crate) fn print(&self) {
        if self.exit == Exit::Done {
            return;
        }
        eprintln!("error: {}", self.error);
        let mut said = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            if !said.contains(&cause) {
                eprintln!("  because: {cause}");
                said = cause;
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::BeforeTheFirst(_)
            | Error::RevisionZero
            | Error::BeyondTheHead { .. }
            | Error::ImportRunning { .. }
            | Error::ReadInTheFuture { .. }
            | Error::TooLateToBackdate { .. } => Self::input(error),
            error => Self::trouble(error),
        }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Failed(error) => error.into(),
            error => Self::input(error),
        }
    }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Failed(error) => error.into(),
            ActError::Refused(problems) => {
                let lines: Vec<&str> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
                let text =
                    if lines.len() == 1 { lines[0].to_owned() } else { format!("\n  - {}", lines.join("\n  - ")) };
                Self::input(anyhow::anyhow!("{text}"))
            }
            error => Self::input(error),
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Failed(error) => error.into(),
            error => Self::input(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let error = anyhow::Error::from(error);
        // A reader that has seen enough (`keelson list | head`) is no trouble.
        let is_closed = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe)
        };
        let exit = if error.chain().any(is_closed) { Exit::Done } else { Exit::Trouble };
        Self { exit, error }
    }
}
