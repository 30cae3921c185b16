//! Questions as data: what the command line asks, of an embedded store or of a server alike.
//!
//! A new question is a variant of [`Question`] and one of [`Answer`]. Who answers it is found in `ask`; the
//! analyses of the graph, which take nothing but a view, are in `analyses`.

mod analyses;
mod ask;

use keelson_answers::availability::{AvailabilityAnswer, AvailabilityQuestion};
use keelson_answers::capacity::throughput::{ThroughputAnswer, ThroughputQuestion};
use keelson_answers::capacity::{CapacityAnswer, CapacityQuestion};
use keelson_answers::change::ChangeAnswer;
use keelson_answers::check::CheckAnswer;
use keelson_answers::cut_sets::{CutSetsAnswer, CutSetsQuestion};
use keelson_answers::demand::{DemandAnswer, DemandQuestion};
use keelson_answers::drift::{DriftAnswer, DriftQuestion};
use keelson_answers::health::{HealthAnswer, HealthQuestion};
use keelson_answers::impact::{ImpactAnswer, Interval};
use keelson_answers::items::{ItemAnswer, ListAnswer};
use keelson_answers::recovery::{RecoveryAnswer, RecoveryQuestion};
use keelson_answers::register::{
    BaselineLine, BaselinesAnswer, CalendarAnswer, RequestAnswer, RequestFilter, RequestsAnswer,
};
use keelson_answers::review::{ReviewScore, TrendsAnswer};
use keelson_answers::sample::{SampleAnswer, SampleQuestion};
use keelson_answers::schedule::ScheduleAnswer;
use keelson_answers::single_points::{SinglePointsAnswer, SinglePointsQuestion};
use keelson_answers::supplier::concentration::{ConcentrationAnswer, ConcentrationQuestion};
use keelson_answers::supplier::loss::{SupplierLossAnswer, SupplierLossQuestion};
use keelson_answers::supplier::promise::{PromiseAnswer, PromiseQuestion};
use keelson_answers::supplier::register::{RegisterAnswer, RegisterQuestion};
use keelson_answers::walk::{PathAnswer, WalkAnswer, Way};
use keelson_answers::{Basis, QuestionError};
use keelson_model::{Revision, Window};
use keelson_report::zone::UnknownZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::board::{ActError, BaselineComparison};
use crate::condition::ConditionSyntaxError;
use crate::suppose::{Given, WhatIfError};
use crate::{Error, HistoryEntry};

/// An item with its own loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeedInput {
    /// Its key.
    pub key: String,
    /// Its loss, from 0 (whole) to 1 (gone).
    pub loss: f64,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "question", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Question {
    /// What losing these costs.
    Impact {
        /// The items with their own losses.
        seeds: Vec<SeedInput>,
        /// The interval in which they are lost.
        interval: Option<Interval>,
        /// Propagations the search for decisive facts may compute; 0 leaves certainty out.
        budget: usize,
        /// Most items listed.
        most: usize,
    },
    /// Everything about one configuration item.
    Get {
        /// Its key.
        key: String,
        /// Most relationships listed each way.
        most: usize,
    },
    /// Which configuration items there are.
    List {
        /// Only this class and those below it.
        class: Option<String>,
        /// Conditions such as `memory >= 16 GiB`; all must hold.
        conditions: Vec<String>,
        /// Words that must all occur.
        text: Vec<String>,
        /// Fields to order by, `-` before one for descending.
        order: Vec<String>,
        /// Also withdrawn ones.
        withdrawn: bool,
        /// How many to pass over.
        skip: usize,
        /// Most items listed.
        most: usize,
    },
    /// How one configuration item, its relationships and its needs changed, newest first.
    History {
        /// Its key.
        key: String,
        /// Only changes before this revision.
        before: Option<Revision>,
        /// Most changes listed.
        most: usize,
    },
    /// How a record of change management changed, newest first.
    RecordHistory {
        /// What sort of record it is.
        sort: RecordSort,
        /// What people call it.
        name: String,
        /// Only changes before this revision.
        before: Option<Revision>,
        /// Most changes listed.
        most: usize,
    },
    /// What an item needs, or what depends on it.
    Walk {
        /// Its key.
        key: String,
        /// Which way.
        way: Way,
        /// Only items of this class or below it are listed.
        class: Option<String>,
        /// Most steps from the start; absent: all.
        depth: Option<u32>,
        /// Most items listed.
        most: usize,
    },
    /// Why one item depends on another.
    Path {
        /// The dependent.
        from: String,
        /// The dependency.
        to: String,
    },
    /// What is wrong with the catalogue.
    Check {
        /// Most findings of each code listed.
        most: usize,
        /// Walks the search for false redundancy may make.
        budget: usize,
    },
    /// What a request for change does.
    Change {
        /// Its key.
        key: String,
        /// Propagations the search for decisive facts may compute.
        budget: usize,
        /// Most services listed.
        most: usize,
    },
    /// A request for change as it stands.
    Request {
        /// Its key.
        key: String,
    },
    /// Which requests for change there are.
    Requests {
        /// Which of them.
        filter: RequestFilter,
        /// How many to pass over.
        skip: usize,
        /// Most listed.
        most: usize,
    },
    /// What keeps a request for change from going ahead now.
    Gate {
        /// Its key.
        key: String,
    },
    /// What a schedule of changes does, hour by hour.
    Schedule {
        /// The times of interest.
        within: Window,
        /// Only these requests; empty means all that are open and no longer drafts.
        only: Vec<String>,
        /// Most lines of a list.
        most: usize,
    },
    /// Freezes, maintenance windows, disruptions and templates.
    Calendar {
        /// The times of interest.
        within: Window,
    },
    /// Which baselines there are.
    Baselines {
        /// How many to pass over.
        skip: usize,
        /// Most listed.
        most: usize,
        /// Most items named of each.
        most_keys: usize,
    },
    /// One baseline, proved from the log.
    Baseline {
        /// Its name.
        name: String,
        /// Most items named.
        most_keys: usize,
    },
    /// How often changes of each kind fail, and how good predictions were.
    Trends {
        /// Most lines of each list.
        most: usize,
    },
    /// What was predicted of one request against what happened.
    Score {
        /// Its key.
        key: String,
        /// Most lines of each list.
        most: usize,
    },
    /// How two baselines differ, or a baseline and now.
    CompareBaselines {
        /// One, by name.
        earlier: String,
        /// The other; absent: now.
        later: Option<String>,
        /// Most items listed.
        most: usize,
    },
    /// Whose failure alone takes a service down, and which change mends most of that.
    SinglePoints(SinglePointsQuestion),
    /// How available services can be, given what they rest on.
    Availability(AvailabilityQuestion),
    /// Which smallest sets of failures breach a service.
    CutSets(CutSetsQuestion),
    /// In which order things start, and what never can.
    Recovery(RecoveryQuestion),
    /// How much of everything the demand on services takes.
    Demand(DemandQuestion),
    /// What runs out first, and by when to decide.
    Capacity(CapacityQuestion),
    /// How much a service can carry, and what holds it back.
    Throughput(ThroughputQuestion),
    /// What falls over with a supplier.
    SupplierLoss(SupplierLossQuestion),
    /// How much rests on few suppliers.
    Concentration(ConcentrationQuestion),
    /// Whether contracts are as strong as the promises resting on them.
    Promise(PromiseQuestion),
    /// The register of information on contracts for ICT services.
    Register(RegisterQuestion),
    /// A sample of the catalogue for an auditor.
    Sample(SampleQuestion),
    /// Where what is declared and what is observed differ.
    Drift(DriftQuestion),
    /// How healthy the catalogue is, weighted by what is at stake.
    Health(HealthQuestion),
}

impl Question {
    /// Whether it can be asked of a catalogue that is supposed: whether its answer is computed from the
    /// graph alone.
    #[must_use]
    pub fn may_suppose(&self) -> bool {
        match self {
            Self::Impact { .. } | Self::Walk { .. } | Self::Path { .. } | Self::Check { .. } => true,
            _ => analyses::is_analysis(self),
        }
    }
}

/// The sorts of records of change management that have a history of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordSort {
    /// A request for change, by key.
    Request,
    /// A template, by name.
    Template,
    /// A freeze or maintenance window, by name or id.
    Calendar,
    /// A disruption, by id or reference.
    Disruption,
}

/// One baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselineAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The baseline.
    pub baseline: BaselineLine,
    /// Whether the log, read as of its revision, has the digest that was taken.
    pub is_proven: bool,
}

/// Whether a request for change may go ahead now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub key: String,
    /// Whether it may go ahead.
    pub is_open: bool,
    /// What keeps it from going ahead.
    pub reasons: Vec<keelson_change::Problem>,
}

/// How one configuration item changed, with its relationships, its needs and the needs it is a
/// member of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The key asked for.
    pub key: String,
    /// How many changes there are in all.
    pub total: usize,
    /// The changes, newest first.
    pub entries: Vec<HistoryEntry>,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// What losing these costs.
    Impact(ImpactAnswer),
    /// Everything about one configuration item.
    Item(Box<ItemAnswer>),
    /// Configuration items.
    List(ListAnswer),
    /// How one configuration item changed.
    History(HistoryAnswer),
    /// What an item needs, or what depends on it.
    Walk(WalkAnswer),
    /// Why one item depends on another.
    Path(PathAnswer),
    /// What is wrong with the catalogue.
    Check(CheckAnswer),
    /// What a request for change does.
    Change(Box<ChangeAnswer>),
    /// A request for change as it stands.
    Request(Box<RequestAnswer>),
    /// Requests for change.
    Requests(RequestsAnswer),
    /// Whether a request for change may go ahead now.
    Gate(GateAnswer),
    /// What a schedule of changes does.
    Schedule(ScheduleAnswer),
    /// Freezes, maintenance windows, disruptions and templates.
    Calendar(CalendarAnswer),
    /// Baselines.
    Baselines(BaselinesAnswer),
    /// One baseline.
    Baseline(BaselineAnswer),
    /// Trends of changes.
    Trends(Box<TrendsAnswer>),
    /// What was predicted of one request against what happened.
    Score(Box<ReviewScore>),
    /// How two baselines differ.
    Comparison(BaselineComparison),
    /// Single points of failure, by service and by item.
    SinglePoints(SinglePointsAnswer),
    /// How available services can be, given what they rest on.
    Availability(Box<AvailabilityAnswer>),
    /// Which smallest sets of failures breach a service.
    CutSets(Box<CutSetsAnswer>),
    /// In which order things start, and what never can.
    Recovery(Box<RecoveryAnswer>),
    /// How much of everything the demand on services takes.
    Demand(Box<DemandAnswer>),
    /// What runs out first, and by when to decide.
    Capacity(Box<CapacityAnswer>),
    /// How much a service can carry, and what holds it back.
    Throughput(Box<ThroughputAnswer>),
    /// What falls over with a supplier.
    SupplierLoss(Box<SupplierLossAnswer>),
    /// How much rests on few suppliers.
    Concentration(Box<ConcentrationAnswer>),
    /// Whether contracts are as strong as the promises resting on them.
    Promise(Box<PromiseAnswer>),
    /// The register of information on contracts for ICT services.
    Register(Box<RegisterAnswer>),
    /// A sample of the catalogue for an auditor.
    Sample(Box<SampleAnswer>),
    /// Where what is declared and what is observed differ.
    Drift(Box<DriftAnswer>),
    /// How healthy the catalogue is, weighted by what is at stake.
    Health(Box<HealthAnswer>),
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The question makes no sense here.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// A condition that cannot be read.
    #[error(transparent)]
    Condition(#[from] ConditionSyntaxError),
    /// There is no such baseline.
    #[error("there is no baseline '{0}'; 'keelson baseline list' lists them")]
    UnknownBaseline(String),
    /// More requests than one document holds.
    #[error(
        "{found} requests fall into that time, and a pack holds {most} at most; name a shorter time, or the requests"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// There is no such record.
    #[error("there is no {sort} '{name}'")]
    UnknownRecord {
        /// What sort.
        sort: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A request whose work is not over cannot be compared with what happened.
    #[error("{key} is {state}; what was predicted is compared with what happened once its work is over")]
    NotOver {
        /// The request.
        key: String,
        /// Where it stands.
        state: &'static str,
    },
    /// What is supposed cannot be.
    #[error(transparent)]
    WhatIf(#[from] WhatIfError),
    /// A question about records, which nobody can suppose.
    #[error(
        "this question is about what is recorded; scenarios and what-if files are for questions about the graph, such \
         as impact, single points of failure and capacity"
    )]
    NotSupposed,
    /// There is no such time zone.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// The catalogue failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<ActError> for AskError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Question(error) => Self::Question(error),
            ActError::Failed(error) => Self::Failed(error),
            // Nothing is asked of people by a question.
            ActError::Refused(problems) => Self::Failed(Error::Stopped(problems.to_string())),
        }
    }
}
