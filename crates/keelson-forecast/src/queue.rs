//! How long one waits at this load, and how much load a resource can take (analyses 4.2).
//!
//! [`Queue`] is the M/M/c queue: arrivals at random, service times exponential, `c` servers and one
//! line. Its formulas are Erlang's, computed through the recursion that stays exact for thousands of
//! servers. [`knee`] turns the question round: the highest utilisation at which the response is still
//! what was promised. It is not a fixed 80 %: one server must stay half idle to answer within twice
//! the service time, sixteen may be busy 95 % of the time.
//!
//! Rates are per unit of time and times in that unit; utilisations and probabilities are fractions.

use crate::{ForecastError, not_negative, positive, search::last_where};

/// Servers a queue may have: what bounds the recursion.
pub const MAX_SERVERS: u32 = 1_000_000;

/// The fraction of requests turned away when so many servers have no line before them: Erlang's
/// first formula, by the recursion `B ← a·B / (i + a·B)`. `erlangs` is arrival rate times service
/// time, 0 or above. Without a server everything is turned away.
#[must_use]
pub fn erlang_b(servers: u32, erlangs: f64) -> f64 {
    let mut blocked = 1.0;
    for server in 1..=servers {
        let offered = erlangs * blocked;
        blocked = offered / (f64::from(server) + offered);
    }
    blocked
}

/// The fraction of requests that have to wait: Erlang's second formula. Everything waits from the
/// load on that the servers cannot work off.
#[must_use]
pub fn erlang_c(servers: u32, erlangs: f64) -> f64 {
    let all = f64::from(servers);
    if erlangs >= all {
        return 1.0;
    }
    let blocked = erlang_b(servers, erlangs);
    all * blocked / (all - erlangs * (1.0 - blocked))
}

/// A queue with random arrivals, exponential service times and several servers, in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    arrivals: f64,
    service_rate: f64,
    servers: u32,
    waiting: f64,
}

impl Queue {
    /// A queue with so many arrivals per unit of time, served by each server at this rate.
    ///
    /// # Errors
    /// When a rate is no number above zero (arrivals may be 0), there is no server or more than
    /// [`MAX_SERVERS`], or the load exceeds what the servers can work off.
    pub fn new(arrivals: f64, service_rate: f64, servers: u32) -> Result<Self, ForecastError> {
        not_negative("the arrival rate", arrivals)?;
        positive("the service rate", service_rate)?;
        check_servers(servers)?;
        let erlangs = arrivals / service_rate;
        if erlangs >= f64::from(servers) {
            return Err(ForecastError::Overloaded { erlangs, servers });
        }
        Ok(Self { arrivals, service_rate, servers, waiting: erlang_c(servers, erlangs) })
    }

    /// The fraction of time a server is busy.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.arrivals / (self.service_rate * f64::from(self.servers))
    }

    /// How fast a line is worked off.
    fn slack(&self) -> f64 {
        f64::from(self.servers) * self.service_rate - self.arrivals
    }

    /// The fraction of requests that wait at all.
    #[must_use]
    pub fn waiting(&self) -> f64 {
        self.waiting
    }

    /// How long a request waits on average, those that do not wait included.
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.waiting / self.slack()
    }

    /// How long a request takes on average, waiting and being served.
    #[must_use]
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + 1.0 / self.service_rate
    }

    /// How many requests wait on average.
    #[must_use]
    pub fn mean_in_line(&self) -> f64 {
        self.arrivals * self.mean_wait()
    }

    /// How many requests wait or are being served on average.
    #[must_use]
    pub fn mean_inside(&self) -> f64 {
        self.arrivals * self.mean_response()
    }

    /// The fraction of requests that wait longer than a time: `C·e^(−(cμ−λ)t)`.
    #[must_use]
    pub fn waiting_longer(&self, time: f64) -> f64 {
        self.waiting * (-self.slack() * time.max(0.0)).exp()
    }

    /// The time that a fraction of requests, from 0 to below 1, does not wait longer than.
    #[must_use]
    pub fn wait_quantile(&self, fraction: f64) -> f64 {
        let beyond = 1.0 - fraction;
        if self.waiting <= beyond { 0.0 } else { (self.waiting / beyond).ln() / self.slack() }
    }
}

fn check_servers(servers: u32) -> Result<(), ForecastError> {
    if servers == 0 {
        return Err(ForecastError::BadNumber { what: "the number of servers", value: 0.0, wanted: "1 or more" });
    }
    if servers > MAX_SERVERS {
        let (size, limit) = (u64::from(servers), u64::from(MAX_SERVERS));
        return Err(ForecastError::TooLarge { what: "a queue of so many servers", size, limit });
    }
    Ok(())
}

/// The highest utilisation at which the mean response is at most `factor` times the service time:
/// 0 when that cannot be had at any load, which is so for a factor of 1 and below.
///
/// # Errors
/// When there is no server or more than [`MAX_SERVERS`], or the factor is no number above 0.
pub fn knee(servers: u32, factor: f64) -> Result<f64, ForecastError> {
    check_servers(servers)?;
    positive("the factor of the service time", factor)?;
    if factor <= 1.0 {
        return Ok(0.0);
    }
    let all = f64::from(servers);
    // The response in service times is 1 + C / (c·(1 − ρ)), which only rises with ρ.
    let holds = |busy: f64| erlang_c(servers, busy * all) <= (factor - 1.0) * all * (1.0 - busy);
    Ok(last_where(0.0, 1.0, holds))
}

/// What a planning limit rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The promised response and the service time.
    Response,
    /// A threshold somebody declared, because the service time or the promise is not known.
    Declared,
}

/// The highest utilisation to plan with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanningLimit {
    /// The utilisation, a fraction.
    pub utilisation: f64,
    /// What it rests on.
    pub basis: Basis,
}

/// The highest utilisation to plan with: the [`knee`] where the service time and the longest
/// acceptable mean response (in the same unit) are known, else the declared threshold.
///
/// # Errors
/// As [`knee`]; or when a time or the threshold is no number above 0.
pub fn planning_limit(
    servers: u32,
    service_time: Option<f64>,
    response: Option<f64>,
    declared: f64,
) -> Result<PlanningLimit, ForecastError> {
    let (Some(service_time), Some(response)) = (service_time, response) else {
        return Ok(PlanningLimit { utilisation: positive("the threshold", declared)?, basis: Basis::Declared });
    };
    let factor = positive("the response", response)? / positive("the service time", service_time)?;
    Ok(PlanningLimit { utilisation: knee(servers, factor)?, basis: Basis::Response })
}
