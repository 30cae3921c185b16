//! The arguments of the analyses of the graph. Each gives a question; how it is asked and written is the same for all.

pub(crate) mod evidence;
pub(crate) mod suppliers;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keelson_app::Question;
use keelson_app::answers::availability::AvailabilityQuestion;
use keelson_app::answers::capacity::throughput::ThroughputQuestion;
use keelson_app::answers::capacity::{CapacityQuestion, MOST_MONTHS};
use keelson_app::answers::cut_sets::CutSetsQuestion;
use keelson_app::answers::demand::DemandQuestion;
use keelson_app::answers::recovery::RecoveryQuestion;
use keelson_app::answers::single_points::SinglePointsQuestion;

use super::Past;
use super::board::DocumentForm;
use crate::complete::key_completer;

/// What is supposed for one question. Nothing is written.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Supposing {
    /// Suppose a scenario of the catalogue, by name or key; may be given several times
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,
    /// Suppose that a file in the batch format had been imported; it names the source whose rows it replaces
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) what_if: Option<PathBuf>,
}

/// How an analysis is asked, and how its answer is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct Asking {
    #[command(flatten)]
    pub(crate) past: Past,
    #[command(flatten)]
    pub(crate) supposing: Supposing,
    /// Write the answer as a document; 'markdown' into a file has its plots beside it; 'csv' writes its tables into a folder, which --to-file names, beside 'about.csv',
    /// which says what they rest on and leave out
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) form: Option<DocumentForm>,
    /// File to write the document to, or for 'csv' the folder; default: standard output
    #[arg(long, value_name = "PATH", requires = "form")]
    pub(crate) to_file: Option<PathBuf>,
    /// Zone in which times are shown, of the IANA: Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

/// An analysis as arguments tell it.
pub(crate) trait Analysis {
    /// What is asked.
    fn question(&self) -> Question;
    /// How.
    fn asking(&self) -> &Asking;
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson spof\n  keelson spof service/payments --proofs 10 --fixes 5\n  \
keelson spof --down database/dbA   # what is left while dbA is out\n  \
keelson spof --what-if web3-moved.json --form html --to-file spof.html")]
pub(crate) struct SinglePoints {
    /// The services, or other items; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// What counts as down already; may be given several times
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) down: Vec<String>,
    /// What is known to be down now counts as down
    #[arg(long)]
    pub(crate) with_disruptions: bool,
    /// Points that get a proof
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) proofs: usize,
    /// Changes proposed; 0 leaves the search for them out
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) fixes: usize,
    /// Services, points of each and items listed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for SinglePoints {
    fn question(&self) -> Question {
        Question::SinglePoints(SinglePointsQuestion {
            services: self.services.clone(),
            down: self.down.clone(),
            with_disruptions: self.with_disruptions,
            most: self.limit,
            proofs: self.proofs,
            fixes: self.fixes,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson availability\n  keelson availability service/payments --contributors 20\n  \
keelson availability --down database/dbA --form html --to-file availability.html"
)]
pub(crate) struct Availability {
    /// The services, or other items; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// What counts as down already; may be given several times
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) down: Vec<String>,
    /// Services computed, those worth most first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Contributing items named of each service
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) contributors: usize,
    /// Nodes of decision diagrams an exact answer of a service may take; 0: a million, or for more than four services
    /// four million shared among them, and no less than a hundred thousand each
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) nodes: usize,
    /// Scenarios of a simulation where no exact answer comes about
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) samples: u64,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Availability {
    fn question(&self) -> Question {
        Question::Availability(AvailabilityQuestion {
            services: self.services.clone(),
            down: self.down.clone(),
            most: self.limit,
            contributors: self.contributors,
            nodes: self.nodes,
            samples: self.samples,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson cutsets service/payments\n  keelson cutsets service/payments --proofs 5 --largest 2\n  \
keelson cutsets service/payments --least-probability 1e-5"
)]
pub(crate) struct CutSets {
    /// The service, or another item
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) service: String,
    /// What counts as down already; may be given several times
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) down: Vec<String>,
    /// Most items of a set that is listed
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) largest: usize,
    /// List sets at least so probable, the most probable first, instead of those of few items
    #[arg(long, value_name = "P")]
    pub(crate) least_probability: Option<f64>,
    /// Sets listed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Sets that get a proof
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) proofs: usize,
    /// Nodes of decision diagrams the answer may take
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) nodes: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for CutSets {
    fn question(&self) -> Question {
        Question::CutSets(CutSetsQuestion {
            service: self.service.clone(),
            down: self.down.clone(),
            largest: self.largest,
            least_chance: self.least_probability,
            most: self.limit,
            proofs: self.proofs,
            nodes: self.nodes,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson recovery                       # everything is off\n  \
keelson recovery --lost site/siteY service/payments\n  keelson recovery --form html --to-file continuity.html")]
pub(crate) struct Recovery {
    /// What is to be up again; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// What was lost, with all that depends on it; may be given several times; none means that everything is off
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) lost: Vec<String>,
    /// Services, steps and items listed
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) limit: usize,
    /// Starts that the search for ways around a circle may try; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) budget: u32,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Recovery {
    fn question(&self) -> Question {
        Question::Recovery(RecoveryQuestion {
            services: self.services.clone(),
            lost: self.lost.clone(),
            most: self.limit,
            budget: self.budget,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson demand\n  keelson demand service/payments   # with what each unit of it takes\n  \
keelson demand --scenario growth-30"
)]
pub(crate) struct Demand {
    /// The services whose demand counts; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// Only this item; may be given several times
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) item: Vec<String>,
    /// Items listed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Demand {
    fn question(&self) -> Question {
        Question::Demand(DemandQuestion { services: self.services.clone(), items: self.item.clone(), most: self.limit })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson capacity plan\n  keelson capacity plan service/payments --scenario growth-30\n  \
keelson capacity plan --supplier supplier/ColoY --form html --to-file plan.html\n  keelson capacity runs-out --months 24"
)]
pub(crate) struct Plan {
    /// Only resources that these services use; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// Only resources that rest on this supplier
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) supplier: Option<String>,
    /// Months to look ahead for decisions, above 0 and at most 600
    #[arg(long, value_name = "N", default_value_t = 120.0, value_parser = months)]
    pub(crate) months: f64,
    /// Rows of each list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Months to look ahead.
fn months(text: &str) -> Result<f64, String> {
    let months: f64 = text.parse().map_err(|_| format!("'{text}' is no number"))?;
    if months > 0.0 && months <= MOST_MONTHS {
        Ok(months)
    } else {
        Err(format!("it must be above 0 and at most {MOST_MONTHS}"))
    }
}

impl Analysis for Plan {
    fn question(&self) -> Question {
        Question::Capacity(CapacityQuestion {
            services: self.services.clone(),
            supplier: self.supplier.clone(),
            horizon_months: self.months,
            most: self.limit,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
pub(crate) struct CapacityArgs {
    #[command(subcommand)]
    pub(crate) action: CapacityAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CapacityAction {
    /// The capacity plan: requirements by kind, redundancy under load, assumptions, quality of the data
    Plan(Plan),
    /// What runs out first, by the day to decide
    RunsOut(Plan),
    /// How much a service can carry, as its load is spread now and if members take over from each other
    Throughput(Throughput),
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson capacity throughput service/payments\n  \
keelson capacity throughput service/payments --what-if bigger-web1.ndjson")]
pub(crate) struct Throughput {
    /// The service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) service: String,
    /// Lines of each list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Throughput {
    fn question(&self) -> Question {
        Question::Throughput(ThroughputQuestion { service: self.service.clone(), most: self.limit })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}
