//! The arguments of the analyses of the graph. Each gives a question; how it is asked and written is the same for all.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keelson_app::Question;
use keelson_app::answers::availability::AvailabilityQuestion;
use keelson_app::answers::capacity::{CapacityQuestion, MOST_MONTHS};
use keelson_app::answers::cut_sets::CutSetsQuestion;
use keelson_app::answers::demand::DemandQuestion;
use keelson_app::answers::drift::DriftQuestion;
use keelson_app::answers::health::HealthQuestion;
use keelson_app::answers::recovery::RecoveryQuestion;
use keelson_app::answers::sample::SampleQuestion;
use keelson_app::answers::single_points::SinglePointsQuestion;
use keelson_app::answers::supplier::concentration::ConcentrationQuestion;
use keelson_app::answers::supplier::loss::SupplierLossQuestion;
use keelson_app::answers::supplier::promise::PromiseQuestion;
use keelson_app::answers::supplier::register::RegisterQuestion;

use super::Past;
use super::board::DocumentForm;
use crate::complete::{class_completer, key_completer};

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
}

#[derive(Args, Debug)]
pub(crate) struct SupplierArgs {
    #[command(subcommand)]
    pub(crate) action: SupplierAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SupplierAction {
    /// What falls over with a supplier, at any depth
    Loss(SupplierLoss),
    /// How much rests on few suppliers
    Concentration(Concentration),
    /// Whether contracts are as strong as the promises resting on them
    Gap(Gap),
    /// The register of information on contracts for ICT services, with what its rules find
    Register(Register),
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson supplier loss supplier/PowerCo\n  \
keelson supplier loss supplier/ColoY --form html --to-file coloy.html")]
pub(crate) struct SupplierLoss {
    /// The supplier, or another item such as a contract
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) supplier: String,
    /// Services and contracts listed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Services that get a proof
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) proofs: usize,
    /// Evaluations the search for decisive unknown facts may take; 0 leaves certainty out
    #[arg(long, value_name = "N", default_value_t = keelson_app::answers::impact::USUAL_BUDGET)]
    pub(crate) budget: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for SupplierLoss {
    fn question(&self) -> Question {
        Question::SupplierLoss(SupplierLossQuestion {
            supplier: self.supplier.clone(),
            most: self.limit,
            proofs: self.proofs,
            budget: self.budget,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  keelson supplier concentration")]
pub(crate) struct Concentration {
    /// Lines of each list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Pairs of suppliers that are tried
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) pairs: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Concentration {
    fn question(&self) -> Question {
        Question::Concentration(ConcentrationQuestion { most: self.limit, pairs: self.pairs })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson supplier gap\n  keelson supplier gap service/payments")]
pub(crate) struct Gap {
    /// The services; none means every service that promises an availability
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// Services computed, those worth most first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Gap {
    fn question(&self) -> Question {
        Question::Promise(PromiseQuestion { services: self.services.clone(), most: self.limit })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson supplier register\n  \
keelson supplier register --entity organisation/bank --form csv --to-file register   # a file for each template")]
pub(crate) struct Register {
    /// The organisation that keeps the register
    #[arg(long, value_name = "KEY", add = key_completer())]
    pub(crate) entity: Option<String>,
    /// Rows of each template
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Register {
    fn question(&self) -> Question {
        Question::Register(RegisterQuestion { entity: self.entity.clone(), most: self.limit })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson drift\n  keelson drift --window-days 7 --sampling 0.1 service/payments")]
pub(crate) struct Drift {
    /// The services, or other items; none means every service
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) services: Vec<String>,
    /// Days in which an observation counts
    #[arg(long, value_name = "DAYS", default_value_t = 14.0)]
    pub(crate) window_days: f64,
    /// The share of what happens that is sampled, above 0 and at most 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub(crate) sampling: f64,
    /// Sightings a day expected of a relationship that is real
    #[arg(long, value_name = "N", default_value_t = 0.5)]
    pub(crate) rate_per_day: f64,
    /// Lines of each list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Single differences tried, to find which are responsible
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) budget: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Drift {
    fn question(&self) -> Question {
        Question::Drift(DriftQuestion {
            services: self.services.clone(),
            window_days: self.window_days,
            sampling: self.sampling,
            rate_per_day: self.rate_per_day,
            most: self.limit,
            budget: self.budget,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson health\n  keelson health --output ndjson --limit 1000")]
pub(crate) struct Health {
    /// Findings listed
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Walks the search for false redundancy may make
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) budget: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Health {
    fn question(&self) -> Question {
        Question::Health(HealthQuestion { most: self.limit, budget: self.budget })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson sample 2026-Q3 --class host\n  \
keelson sample 2026-Q3 --as-of r41 --form html --to-file sample.html   # the same again\n  \
keelson sample 2026-Q3 --found 1   # what one deviation proves")]
pub(crate) struct Sample {
    /// The period that is audited, in the auditor's words; it is part of the seed
    #[arg(value_name = "PERIOD")]
    pub(crate) period: String,
    /// Only this class and those below it
    #[arg(long, value_name = "CLASS", add = class_completer())]
    pub(crate) class: Option<String>,
    /// The confidence wanted, between 0 and 1
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    pub(crate) confidence: f64,
    /// The share of deviations that would be tolerable, between 0 and 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) tolerable: f64,
    /// Deviations that are allowed in the sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) deviations: u64,
    /// How many items to draw instead of as many as follow from the others
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u64>,
    /// Deviations found, once it has been looked at
    #[arg(long, value_name = "N")]
    pub(crate) found: Option<u64>,
    /// Items listed
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

impl Analysis for Sample {
    fn question(&self) -> Question {
        Question::Sample(SampleQuestion {
            period: self.period.clone(),
            class: self.class.clone(),
            confidence: self.confidence,
            tolerable: self.tolerable,
            deviations: self.deviations,
            size: self.size,
            found: self.found,
            most: self.limit,
        })
    }

    fn asking(&self) -> &Asking {
        &self.asking
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson series import demand.csv --source monitoring\n  \
keelson series import utilisation.csv --metric utilisation --dry-run\n  \
curl 'http://prometheus:9090/api/v1/query_range?query=…' > range.json\n  \
keelson series import range.json --prometheus --key 'service/{job}' --metric demand --unit requests/s\n\n\
A table has the columns key, metric, time and value, and may have unit. An empty value or NaN is a gap. Of two values at \
the same time the one read later counts; both are kept. With --server the points go to a running server.")]
pub(crate) struct SeriesArgs {
    #[command(subcommand)]
    pub(crate) action: SeriesAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SeriesAction {
    /// Take in points from files: tables (CSV), or results of range queries of Prometheus
    Import(SeriesImport),
}

#[derive(Args, Debug)]
#[command(
    after_help = "A table has the columns key, metric (demand or utilisation), time and value, and may have unit:\n\n  \
key,metric,time,value,unit\n  service/payments,demand,2026-11-01T12:00:00Z,100.5,transactions/s\n  \
host/hv1,utilisation,1793491200,60,%\n\n\
Times are of the past, in RFC 3339 or in seconds since 1970. An empty value is a gap. The word 'withdrawn' in place of a\n\
value takes back the point that was given at that time. A utilisation without a unit is a fraction.\n\n\
Examples:\n  keelson series import points.csv\n  keelson series import points.csv --keep-going --dry-run\n  \
keelson series import range.json --prometheus --key 'service/{job}' --metric demand --unit requests/s"
)]
pub(crate) struct SeriesImport {
    /// Files
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// The files are results of range queries of Prometheus (/api/v1/query_range)
    #[arg(long, requires = "key", requires = "metric")]
    pub(crate) prometheus: bool,
    /// Key of what each series is about, with labels in braces: service/{job}
    #[arg(long, value_name = "TEMPLATE", requires = "prometheus")]
    pub(crate) key: Option<String>,
    /// What was measured, where the file does not say: demand or utilisation
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<String>,
    /// Unit of the values, where the file does not say
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Who measured: name of the source
    #[arg(long, value_name = "NAME", default_value = "series")]
    pub(crate) source: String,
    /// Say what would be taken in, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave out lines, points and series that cannot be taken in, and list them; otherwise one keeps its file out
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}
