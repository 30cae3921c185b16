//! The arguments of the analyses of suppliers.

use clap::{Args, Subcommand};
use keelson_app::Question;
use keelson_app::answers::supplier::concentration::ConcentrationQuestion;
use keelson_app::answers::supplier::loss::SupplierLossQuestion;
use keelson_app::answers::supplier::promise::PromiseQuestion;
use keelson_app::answers::supplier::register::RegisterQuestion;

use super::{Analysis, Asking};
use crate::complete::key_completer;

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
