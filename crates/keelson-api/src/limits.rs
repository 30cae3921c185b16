//! Every limit and every cost of the API, in one place.

use std::time::Duration;

/// The page a connection gives when nobody says otherwise.
pub const USUAL_PAGE: usize = 20;
/// The largest page a connection gives.
pub const LARGEST_PAGE: usize = 100;
/// Most identifiers in one `nodes` field, most values in one `in`, most items an impact starts from.
pub const MOST_VALUES: usize = 100;

/// Most entries of a list that is not paged.
pub const LONGEST_LIST: usize = 100;
/// Propagations an assessment of a request for change may compute to find the facts that decide.
pub const ASSESSMENT_EVALUATIONS: usize = 500;
/// Most services an assessment of a request for change lists.
pub const LISTED_SERVICES: usize = 1_000;
/// Most entries of each list of a schedule.
pub const LISTED_FINDINGS: usize = 10_000;
/// Most items of which a comparison of baselines says how they differ.
pub const LISTED_DIFFERENCES: usize = 1_000;

/// What one request may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest body of a GraphQL request, bytes.
    pub body_bytes: usize,
    /// Largest body of an import over HTTP, bytes.
    pub import_bytes: usize,
    /// Largest document, bytes.
    pub document_bytes: usize,
    /// Deepest nesting of brackets in a document.
    pub brackets: usize,
    /// Most tokens of a document, and most values of its variables.
    pub tokens: usize,
    /// Deepest nesting of variables.
    pub variables: usize,
    /// Deepest selection, fragments expanded.
    pub selection_depth: usize,
    /// Most fields once every fragment is expanded.
    pub expanded_fields: u64,
    /// Most values in an answer, scalars included.
    pub values: u64,
    /// Highest cost of an operation.
    pub cost: u64,
    /// Most directives on one field, fragment or variable.
    pub directives: usize,
    /// Most aliases in a document.
    pub aliases: usize,
    /// Most root fields of an operation.
    pub root_fields: u64,
    /// Most fragments in a document.
    pub fragments: usize,
    /// Most errors in an answer.
    pub errors: usize,
    /// Steps an analysis walks.
    pub analysis_depth: u32,
    /// Items an analysis walks.
    pub analysis_items: usize,
    /// Time an analysis may take.
    pub analysis_time: Duration,
    /// Analyses at the same time; further ones wait for their turn until the request's deadline.
    pub analyses: usize,
    /// Time a request may take.
    pub request_time: Duration,
    /// Time the body of a request may take to arrive.
    pub body_time: Duration,
    /// Time an import may take.
    pub import_time: Duration,
    /// Sockets of one principal at the same time.
    pub sockets: usize,
    /// Operations of one socket at the same time.
    pub socket_operations: usize,
    /// Largest message of a socket, bytes.
    pub message_bytes: usize,
    /// Messages that may wait for the other side of a socket.
    pub message_queue: usize,
    /// Time a socket may take to be initialised.
    pub init_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            body_bytes: 1 << 20,
            import_bytes: 256 << 20,
            document_bytes: 64 << 10,
            brackets: 32,
            tokens: 5_000,
            variables: 24,
            selection_depth: 15,
            expanded_fields: 10_000,
            values: 200_000,
            cost: 10_000,
            directives: 5,
            aliases: 30,
            root_fields: 20,
            fragments: 50,
            errors: 20,
            analysis_depth: 50,
            analysis_items: 100_000,
            analysis_time: Duration::from_secs(5),
            analyses: 4 * cores,
            request_time: Duration::from_secs(30),
            body_time: Duration::from_secs(60),
            import_time: Duration::from_secs(30 * 60),
            sockets: 10,
            socket_operations: 20,
            message_bytes: 64 << 10,
            message_queue: 256,
            init_time: Duration::from_secs(5),
        }
    }
}

/// Cost of one object.
pub const OBJECT_COST: u64 = 1;
/// Cost of a `totalCount`.
pub const TOTAL_COUNT_COST: u64 = 10;
/// Cost of starting an analysis.
pub const ANALYSIS_COST: u64 = 500;
/// Cost of finding the times of a repeating window.
pub const OCCURRENCES_COST: u64 = 10;

/// The cost of a field by itself: what it selects comes on top. Scalars cost nothing.
#[must_use]
pub fn own_cost(parent: &str, field: &str, is_composite: bool) -> u64 {
    match (parent, field) {
        (
            "Query",
            "impact"
            | "closure"
            | "path"
            | "changeSchedule"
            | "compareBaselines"
            | "changeTrends"
            | "catalogueCheck"
            | "singlePoints"
            | "availability"
            | "cutSets"
            | "recovery"
            | "demand"
            | "capacityPlan"
            | "throughput"
            | "supplierLoss"
            | "supplierConcentration"
            | "promiseGap"
            | "informationRegister"
            | "auditSample"
            | "drift"
            | "catalogueHealth",
        )
        | ("Subscription", "changeSchedule")
        | ("RequestForChange", "impact" | "gate" | "score")
        | ("Baseline", "isProven")
        | (
            "Mutation",
            "assessRequestForChange" | "approveRequestForChange" | "startRequestForChange" | "takeBaseline",
        ) => ANALYSIS_COST,
        ("CalendarEntry", "occurrences") => OCCURRENCES_COST,
        (_, "totalCount") if parent.ends_with("Connection") => TOTAL_COUNT_COST,
        _ if is_composite => OBJECT_COST,
        _ => 0,
    }
}
