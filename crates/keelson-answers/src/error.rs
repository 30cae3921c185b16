//! Questions that cannot be answered.

use keelson_analysis::AnalysisError;
use keelson_catalogue::query::ConditionError;
use keelson_graph::GraphError;
use thiserror::Error;

/// Why a question cannot be answered; always something the asker can mend.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum QuestionError {
    /// No configuration item has the key.
    #[error("no configuration item has the key '{key}'{}", hint(.similar))]
    UnknownKey {
        /// The key asked for.
        key: String,
        /// Keys that look like it.
        similar: Vec<String>,
    },
    /// The configuration item takes no part in analyses.
    #[error("'{key}' is {standing} and takes no part in analyses; ask as of a time when it was in service")]
    NotInService {
        /// The key asked for.
        key: String,
        /// Why: `withdrawn` or `retired`.
        standing: &'static str,
    },
    /// Something that is no supplier where one is asked for.
    #[error("'{key}' is of class '{class}' and no supplier: name a configuration item of class supplier")]
    NoSupplier {
        /// The key asked for.
        key: String,
        /// Its class.
        class: String,
    },
    /// A loss outside 0..=1.
    #[error("the loss of '{key}' is {loss}; it must lie between 0 (whole) and 1 (gone)")]
    LossOutOfRange {
        /// The key.
        key: String,
        /// The offending loss.
        loss: f64,
    },
    /// A condition beyond its limits.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A class nobody defined.
    #[error("there is no class '{class}'{}", hint(.similar))]
    UnknownClass {
        /// The class asked for.
        class: String,
        /// Classes that look like it.
        similar: Vec<String>,
    },
    /// A graph that cannot be drawn.
    #[error(transparent)]
    Graph(GraphError),
    /// Nobody knows the request.
    #[error("there is no request for change '{key}'{}", hint(.similar))]
    UnknownRequest {
        /// The key asked for.
        key: String,
        /// Keys that look like it.
        similar: Vec<String>,
    },
    /// Nobody defined the scenario.
    #[error("there is no scenario '{name}'{}", known_ones(.known))]
    UnknownScenario {
        /// The name asked for.
        name: String,
        /// Those there are; the first ten by name.
        known: Vec<String>,
    },
    /// Several scenarios have the name.
    #[error("'{name}' names several scenarios: {}; give the key of one", .keys.join(", "))]
    AmbiguousScenario {
        /// The name asked for.
        name: String,
        /// Their keys.
        keys: Vec<String>,
    },
    /// A scenario is supposed twice.
    #[error("the scenario '{name}' is given twice; what it supposes counts once, so give it once")]
    ScenarioTwice {
        /// The name it was given by the second time.
        name: String,
    },
    /// Figures of the catalogue that contradict each other or mean nothing.
    #[error("{0}")]
    Figures(String),
    /// Something the analyses refuse.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

fn hint(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; did you mean {}?", similar.join(", ")) }
}

fn known_ones(known: &[String]) -> String {
    if known.is_empty() {
        return "; the catalogue has none: a scenario is a configuration item of class scenario".to_owned();
    }
    format!("; there are {}", known.join(", "))
}
