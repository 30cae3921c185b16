//! The arguments of every command.

pub(crate) mod analyses;
pub(crate) mod board;
mod keeping;
pub(crate) mod series;
mod times;

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::complete::{class_completer, key_completer};
pub(crate) use keeping::{Backup, Completions, Export, ExportFormat, Restore};

/// Keeps services, components and suppliers as one typed graph, and answers what a change, a
/// failure or a supplier puts at risk, with reasons.
#[derive(Debug, Parser)]
#[command(name = "keelson", version, about, long_about = None, propagate_version = true)]
#[command(after_help = "Exit status: 0 done; 1 the answer is \"no\"; 2 bad usage or bad input, nothing changed; \
3 the store or a server failed.\n\nStart with:  keelson demo --once")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Folder of the embedded store; made when it does not exist
    #[arg(long, global = true, env = "KEELSON_DATA", value_name = "DIR", default_value = "keelson-data")]
    pub(crate) data: PathBuf,
    /// Address of a SurrealDB server to keep the store on, instead of a folder
    #[arg(long, global = true, env = "KEELSON_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Address of a running Keelson server to ask instead of opening a store: http://127.0.0.1:8080
    #[arg(long, global = true, env = "KEELSON_SERVER", value_name = "URL", conflicts_with = "store")]
    pub(crate) server: Option<String>,
    /// User of the SurrealDB server; the password comes from KEELSON_STORE_PASSWORD
    #[arg(long, global = true, env = "KEELSON_STORE_USER", value_name = "NAME", requires = "store")]
    pub(crate) store_user: Option<String>,
    /// Folder with class files (*.toml) of your own, beside the built-in classes
    #[arg(long, global = true, env = "KEELSON_CLASSES", value_name = "DIR")]
    pub(crate) classes: Option<PathBuf>,
    /// File with settings of the reconciliation: ranks of sources, guard, staleness (TOML)
    #[arg(long, global = true, env = "KEELSON_SETTINGS", value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// File with rules of change management: what makes a change major, who approves emergencies (TOML)
    #[arg(long, global = true, env = "KEELSON_POLICY", value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Form of the answer on standard output
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Who does it, as history and audit log name it
    #[arg(long, global = true, env = "KEELSON_ACTOR", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// More log lines on standard error; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// What the command opened, for closing it at the end.
    #[arg(skip)]
    pub(crate) opened: crate::open::Opened,
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document; its schema is in schema/answers.
    Json,
    /// One JSON document per row.
    Ndjson,
    /// Comma-separated values, the rows of the answer's main list.
    Csv,
}

/// A point in the past.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Past {
    /// The answer as it was at a time (2026-11-01T12:00:00Z, 2026-11-01) or revision (r12)
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Import the demonstration estate, assess a change on it, then serve it
    Demo(Demo),
    /// Serve GraphQL over HTTP
    Serve(Serve),
    /// Take in what a source says: plan, print, commit
    Import(Import),
    /// Questions only a person can settle: could be two things, a withdrawal beyond the guard
    Review(Review),
    /// Everything about one configuration item
    Get(Get),
    /// Find configuration items by words in key, name or attributes
    Search(Search),
    /// List configuration items
    List(List),
    /// How a configuration item, its relationships and its needs changed, newest first
    History(History),
    /// What losing these costs, with proof
    Impact(Impact),
    /// Whose failure alone takes a service down, and which change mends most of that
    Spof(analyses::SinglePoints),
    /// How available services can be, given what they rest on, and what costs them most
    Availability(analyses::Availability),
    /// Which smallest sets of failures breach a service
    Cutsets(analyses::CutSets),
    /// In which order things start, how long that takes, and what can never start
    Recovery(analyses::Recovery),
    /// How much of everything the demand on services takes
    Demand(analyses::Demand),
    /// What runs out first and by when to decide, as a plan or as a table
    Capacity(analyses::CapacityArgs),
    /// Suppliers: what falls with one, concentration, promises, the register of information
    Supplier(analyses::suppliers::SupplierArgs),
    /// Take in measured points, for forecasts and capacity plans
    Series(series::SeriesArgs),
    /// Where what is declared and what is observed differ, and for which services that matters
    Drift(analyses::evidence::Drift),
    /// How healthy the catalogue is, weighted by what is at stake
    Health(analyses::evidence::Health),
    /// A sample of the catalogue for an auditor, which can be drawn again from its seed
    Sample(analyses::evidence::Sample),
    /// What an item needs
    Needs(Walk),
    /// What depends on an item
    Dependents(Walk),
    /// Why one item depends on another
    Path(PathArgs),
    /// What is wrong with the catalogue: false redundancy, cycles, placeholders, orphans, stale data
    Check(Check),
    /// Requests for change: write, assess, approve, do, review
    Change(board::ChangeArgs),
    /// What the changes planned do together, hour by hour
    Schedule(board::ScheduleArgs),
    /// The state of chosen items at a revision, for comparing and proving
    Baseline(board::BaselineArgs),
    /// Times at which nothing may be harmed, and times agreed for work
    Freeze(board::FreezeArgs),
    /// What is down or impaired, as assessments start from it
    Disruption(board::DisruptionArgs),
    /// Kinds of change that are decided on once for all
    Template(board::TemplateArgs),
    /// Write everything, or a cone, in an open form
    Export(Export),
    /// Write a consistent copy of store and history
    Backup(Backup),
    /// Bring a copy back into an empty store
    Restore(Restore),
    /// Check that records, history, ledger and graph agree
    Verify,
    /// Write a completion script for a shell
    Completions(Completions),
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson demo --once\n  keelson demo --listen 127.0.0.1:9000")]
pub(crate) struct Demo {
    /// Exit after the assessments instead of serving
    #[arg(long)]
    pub(crate) once: bool,
    /// Keep the demonstration in this folder, which must be new or empty; otherwise it is temporary
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Address to serve on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson serve\n  keelson serve --listen 127.0.0.1:9000 --data /srv/keelson\n\n\
Only loopback addresses are served: authentication is not built yet.")]
pub(crate) struct Serve {
    /// Address to serve on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson import batch estate.ndjson\n  \
keelson import terraform terraform.tfstate --source aws-prod --dry-run\n  \
keelson import kubernetes cluster.json --option cluster=prod-1\n  \
keelson import csv servers.csv --option mapping=servers.toml\n  \
terraform show -json > state.json; keelson import terraform state.json --option lineage=prod-network\n  \
keelson import gitlab catalogue-2019 catalogue-2020 --backdate   # load the past\n\n\
A batch that is refused changes nothing and gives exit status 2. See 'keelson import help' for the importers.")]
pub(crate) struct Import {
    /// The importer: batch, csv, backstage, gitlab, terraform, kubernetes; 'help' lists them
    #[arg(value_name = "SOURCE")]
    pub(crate) importer: String,
    /// Files or folders
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Name of the configured source, for precedence and withdrawal; default: the importer's name.
    /// Give two catalogues or accounts of one sort two names: with one name (and one scope), what
    /// the first lists is withdrawn when the second is imported
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// What the import covers, as dimension=value/dimension=value, or a name
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// The files list everything in the scope: what is missing is withdrawn, under the guard.
    /// GitLab, Terraform and Kubernetes files that prove it themselves do so without this option
    #[arg(long)]
    pub(crate) complete: bool,
    /// When the source was read: a time, or a day, meaning its end in UTC; default: now
    #[arg(long, value_name = "TIME", value_parser = times::observed)]
    pub(crate) observed_at: Option<DateTime<Utc>>,
    /// Option of the importer; may be given several times. The mapping of 'csv' is a file
    #[arg(long = "option", value_name = "NAME=VALUE")]
    pub(crate) options: Vec<String>,
    /// Percentage of a source's items or relationships a complete batch may withdraw; default: 5,
    /// or what the settings say
    #[arg(long, value_name = "PERCENT")]
    pub(crate) guard: Option<f64>,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Date the commits at the times the source was read, to load the past: in order, and before
    /// anything newer; when it was recorded stays known
    #[arg(long, conflicts_with = "server")]
    pub(crate) backdate: bool,
    /// Refuse bad lines and commit the others (batch format)
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Show every row and what became of it
    #[arg(long)]
    pub(crate) rows: bool,
    /// Findings shown per batch
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) findings: usize,
    /// Exit with status 1 when there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<SeverityArg>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// A severity as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArg {
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warning,
    /// Something could not be used.
    Error,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson review\n  \
keelson review settle 01KA… --candidate host/web-1 --reason 'same serial number'\n  \
keelson review settle 01KA… --reason 'the hall was closed'   # a new item, or let the withdrawal go ahead")]
pub(crate) struct Review {
    /// Also settled and obsolete ones
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) past: Past,
    #[command(subcommand)]
    pub(crate) action: Option<ReviewAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewAction {
    /// List review tasks; the default
    List {
        /// Also settled and obsolete ones
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        past: Past,
    },
    /// Answer one; the next import of the source acts on it
    Settle {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
        /// Which configuration item it is; without it: a new one, or go ahead
        #[arg(long, value_name = "KEY", add = key_completer())]
        candidate: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put one aside without an answer
    Dismiss {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  keelson get service/payments\n  keelson get database/dbA --as-of 2026-06-01 --output json"
)]
pub(crate) struct Get {
    /// Key of the configuration item
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) past: Past,
    /// Relationships shown each way
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson search payments\n  keelson search db eu-central --class database")]
pub(crate) struct Search {
    /// Words that must all occur
    #[arg(value_name = "TEXT", required = true)]
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) list: ListOptions,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson list --class service\n  \
keelson list --class host --where 'memory >= 16 GiB' --order -memory --output csv\n  \
keelson list --where 'criticality >= high' --where 'owner = null'")]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) list: ListOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    /// Only this class and those below it
    #[arg(long, value_name = "CLASS", add = class_completer())]
    pub(crate) class: Option<String>,
    /// Condition FIELD OPERATOR VALUE with = != < <= > >= ~ (contains); all given must hold
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<String>,
    /// Field to order by, '-' before it for descending; may be given up to three times
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(crate) order: Vec<String>,
    /// Also withdrawn items
    #[arg(long)]
    pub(crate) withdrawn: bool,
    /// Items to pass over
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) skip: usize,
    /// Items shown
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  keelson history service/payments")]
pub(crate) struct History {
    /// Key of the configuration item
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) past: Past,
    /// Changes shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Only changes before this revision
    #[arg(long, value_name = "REVISION")]
    pub(crate) before: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson impact host/hv2\n  \
keelson impact database/dbA=0.5 database/dbB=0.2 --output json\n  \
keelson impact host/hv2 --fail-on breached   # exit status 1 if a service is breached")]
pub(crate) struct Impact {
    /// What is lost, with the fraction lost (KEY=LOSS, 0 to 1) if it is not all of it
    #[arg(value_name = "KEY[=LOSS]", required = true, add = key_completer())]
    pub(crate) seeds: Vec<String>,
    /// Start of the interval: a time, or a day, meaning its beginning in UTC
    #[arg(long, value_name = "TIME", requires = "end", value_parser = times::start)]
    pub(crate) start: Option<DateTime<Utc>>,
    /// End of the interval, the first moment after it; or a day, which is then still in it
    #[arg(long, value_name = "TIME", requires = "start", value_parser = times::end)]
    pub(crate) end: Option<DateTime<Utc>>,
    #[command(flatten)]
    pub(crate) past: Past,
    #[command(flatten)]
    pub(crate) supposing: analyses::Supposing,
    /// Items listed
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) limit: usize,
    /// Evaluations the search for decisive unknown facts may take; 0 leaves certainty out
    #[arg(long, value_name = "N", default_value_t = keelson_app::answers::impact::USUAL_BUDGET)]
    pub(crate) budget: usize,
    /// Exit with status 1 when any service, one that is itself lost included, gets this verdict or a
    /// worse one, however many items are listed
    #[arg(long, value_name = "VERDICT", value_enum)]
    pub(crate) fail_on: Option<FailOn>,
}

/// The verdict at which a gate fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A service loses anything with every need as it is written, or is breached for some answer to
    /// the unknown facts.
    Degraded,
    /// A service is breached with every need as it is written (a rule nobody stated means all
    /// members), or for every answer to the unknown facts.
    Breached,
    /// A service is breached as above, or for some answer to the unknown facts.
    Possible,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson needs service/payments\n  keelson dependents site/east --class service")]
pub(crate) struct Walk {
    /// Key of the configuration item
    #[arg(value_name = "KEY", add = key_completer())]
    pub(crate) key: String,
    /// List only this class and those below it
    #[arg(long, value_name = "CLASS", add = class_completer())]
    pub(crate) class: Option<String>,
    /// Most steps from the item
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<u32>,
    /// Items listed
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  keelson path service/payments supplier/PowerCo\n\nExit status 1 when it does not depend on it."
)]
pub(crate) struct PathArgs {
    /// The dependent
    #[arg(value_name = "FROM", add = key_completer())]
    pub(crate) from: String,
    /// The dependency
    #[arg(value_name = "TO", add = key_completer())]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  keelson check\n  keelson check --fail-on error --output json")]
pub(crate) struct Check {
    /// Findings shown of each sort
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) limit: usize,
    /// Walks the search for false redundancy may make
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) budget: usize,
    /// Exit with status 1 when there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<SeverityArg>,
    #[command(flatten)]
    pub(crate) past: Past,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        super::Cli::command().debug_assert();
    }
}
