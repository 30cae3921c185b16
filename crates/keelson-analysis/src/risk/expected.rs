//! What a change may be expected to cost.

/// How long, and how surely, a change exposes services.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// The chance that the change fails, 0 to 1.
    pub fails: f64,
    /// Hours its window lasts.
    pub window: f64,
    /// Hours that backing it out takes.
    pub rollback: f64,
}

impl Exposure {
    /// Hours for which the items are expected to be down: the window, and the back-out as far as it
    /// is likely.
    #[must_use]
    pub fn hours(self) -> f64 {
        self.window + self.fails * self.rollback
    }
}

/// What a service has at stake in a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stake {
    /// What an hour of breach costs.
    pub value_per_hour: f64,
    /// Hours of breach if all goes to plan; from the schedule.
    pub planned_breach: f64,
    /// The loss of the service while the failed change is backed out, 0 to 1, beyond what the plan
    /// has anyway.
    pub loss_if_failed: f64,
    /// The long-run fraction of time for which the service is down.
    pub unavailability: f64,
    /// The same while the items of the change are down.
    pub unavailability_during: f64,
}

/// What a change is expected to cost, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpectedLoss {
    /// Breaches that are part of the plan.
    pub planned: f64,
    /// Harm by the change failing.
    pub failed: f64,
    /// Unrelated failures that meet a service with less redundancy than usual.
    pub exposed: f64,
}

impl ExpectedLoss {
    /// All of it.
    #[must_use]
    pub fn total(self) -> f64 {
        self.planned + self.failed + self.exposed
    }
}

/// What a change is expected to cost over all services (analyses 2.7), in the currency of the values
/// per hour: Σ value · (planned breach + P(fail) · loss if failed · rollback + added unavailability ·
/// exposure).
#[must_use]
pub fn expected_loss(exposure: Exposure, stakes: &[Stake]) -> ExpectedLoss {
    stakes.iter().fold(ExpectedLoss::default(), |sum, stake| {
        let added = stake.unavailability_during - stake.unavailability;
        ExpectedLoss {
            planned: sum.planned + stake.value_per_hour * stake.planned_breach,
            failed: sum.failed + stake.value_per_hour * exposure.fails * stake.loss_if_failed * exposure.rollback,
            exposed: sum.exposed + stake.value_per_hour * added * exposure.hours(),
        }
    })
}

/// The chance that an item fails within a window of so many hours (analyses 2.4): 1 − e^(−rate ·
/// window) with the rate q / ((1 − q) · MTTR), from its long-run unavailability q and its mean time
/// to repair in hours. Failures are taken to come at a constant rate, on an item that works when the
/// window opens. 1 for an item that is never up, or that is repaired at once and yet has an
/// unavailability.
#[must_use]
pub fn window_failure(unavailability: f64, repair_hours: f64, window_hours: f64) -> f64 {
    if unavailability <= 0.0 || window_hours <= 0.0 {
        return 0.0;
    }
    let up_hours_between = (1.0 - unavailability) * repair_hours / unavailability;
    if up_hours_between <= 0.0 { 1.0 } else { -(-window_hours / up_hours_between).exp_m1() }
}
