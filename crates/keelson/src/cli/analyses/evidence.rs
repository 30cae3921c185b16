//! The arguments of the analyses of the catalogue itself: drift, health, samples.

use clap::Args;
use keelson_app::Question;
use keelson_app::answers::drift::DriftQuestion;
use keelson_app::answers::health::HealthQuestion;
use keelson_app::answers::sample::SampleQuestion;

use super::{Analysis, Asking};
use crate::complete::{class_completer, key_completer};

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
