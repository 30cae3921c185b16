//! How much a fixed number of users gets out of stations they visit in turn (analyses 4.2).
//!
//! Users think, then visit each station, then think again. [`ClosedSystem::bounds`] needs no
//! assumption about distributions: it follows from the operational laws (Denning and Buzen 1978).
//! [`ClosedSystem::solve`] is exact mean value analysis (Reiser and Lavenberg 1980), which holds for
//! product-form networks: one line per station, exponential service, or processor sharing.

use crate::{ForecastError, not_negative, positive};

/// A closed system.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedSystem {
    demands: Vec<f64>,
    think_time: f64,
    users: u32,
}

/// What the operational laws say about throughput and response, whatever the distributions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// No less throughput than this, in rounds per unit of time.
    pub throughput_low: f64,
    /// No more than this: `min(1/D_max, N/(D + Z))`.
    pub throughput_high: f64,
    /// No shorter response than this: `max(D, N·D_max − Z)`.
    pub response_low: f64,
    /// The number of users from which on they certainly wait for each other: `(D + Z) / D_max`.
    pub saturation_users: f64,
}

/// What a throughput means at each station.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Rounds per unit of time.
    pub throughput: f64,
    /// How long a round takes, thinking left out: `N/X − Z`.
    pub response: f64,
    /// The fraction of time each station is busy, in the order of the demands: `X·D`.
    pub utilisation: Vec<f64>,
}

/// Steps of mean value analysis in one question.
const MAX_STEPS: u64 = 100_000_000;

impl ClosedSystem {
    /// A system in which a round takes so much service at each station (visits times service time),
    /// and so much time to think.
    ///
    /// # Errors
    /// When there is no demand or no user, or a time is no number, or below 0; or when all demands
    /// are 0.
    pub fn new(demands: Vec<f64>, think_time: f64, users: u32) -> Result<Self, ForecastError> {
        not_negative("the time to think", think_time)?;
        for &demand in &demands {
            not_negative("a service demand", demand)?;
        }
        positive("the sum of the service demands", demands.iter().sum())?;
        if users == 0 {
            return Err(ForecastError::BadNumber { what: "the number of users", value: 0.0, wanted: "1 or more" });
        }
        Ok(Self { demands, think_time, users })
    }

    fn total(&self) -> f64 {
        self.demands.iter().sum()
    }

    fn largest(&self) -> f64 {
        self.demands.iter().copied().fold(0.0, f64::max)
    }

    /// What holds whatever the distributions.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let (total, largest, users) = (self.total(), self.largest(), f64::from(self.users));
        Bounds {
            throughput_low: users / (self.think_time + users * total),
            throughput_high: (1.0 / largest).min(users / (total + self.think_time)),
            response_low: total.max(users * largest - self.think_time),
            saturation_users: (total + self.think_time) / largest,
        }
    }

    /// What a measured throughput means at each station.
    ///
    /// # Errors
    /// When the throughput is no number above 0.
    pub fn at(&self, throughput: f64) -> Result<Operation, ForecastError> {
        positive("the throughput", throughput)?;
        Ok(self.operation(throughput))
    }

    fn operation(&self, throughput: f64) -> Operation {
        let response = f64::from(self.users) / throughput - self.think_time;
        let utilisation = self.demands.iter().map(|demand| throughput * demand).collect();
        Operation { throughput, response, utilisation }
    }

    /// The throughput of a product-form network with these demands, exactly.
    ///
    /// # Errors
    /// When users times stations are more steps than a question may take.
    pub fn solve(&self) -> Result<Operation, ForecastError> {
        let size = u64::from(self.users).saturating_mul(self.demands.len() as u64);
        if size > MAX_STEPS {
            return Err(ForecastError::TooLarge { what: "mean value analysis", size, limit: MAX_STEPS });
        }
        let mut inside = vec![0.0; self.demands.len()];
        let mut throughput = 0.0;
        for users in 1..=self.users {
            // Who arrives finds the queues of a system with one user less.
            let response: f64 = self.demands.iter().zip(&inside).map(|(demand, inside)| demand * (1.0 + inside)).sum();
            throughput = f64::from(users) / (self.think_time + response);
            for (inside, demand) in inside.iter_mut().zip(&self.demands) {
                *inside = throughput * demand * (1.0 + *inside);
            }
        }
        Ok(self.operation(throughput))
    }
}

/// The service demand of a station with so many visits a round, each taking so long.
#[must_use]
pub fn demand(visits: f64, service_time: f64) -> f64 {
    visits * service_time
}

/// Rounds per unit of time, when a station with so many visits a round is seen to serve this many
/// requests per unit of time: the forced flow law.
#[must_use]
pub fn rounds(station_throughput: f64, visits: f64) -> f64 {
    station_throughput / visits
}
