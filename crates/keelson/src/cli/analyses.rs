//! The arguments of the analyses of the graph. Each gives a question; how it is asked and written is the same for all.

use std::path::PathBuf;

use clap::Args;
use keelson_app::Question;
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
    /// Write the answer as a document; 'csv' writes its tables into a folder, which --to-file names
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
