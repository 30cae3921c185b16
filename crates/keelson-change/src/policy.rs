//! What an organisation decides for itself.

use keelson_model::{Criticality, Effect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rules of change management. Everything has a default; a file names only what differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What makes a change a major one.
    pub major: MajorCriteria,
    /// Who may approve emergency changes: names of people or roles as they act. Nobody else may.
    pub emergency_approvers: Vec<String>,
    /// How many members of a redundancy need a service under a freeze may lose, unless the freeze says
    /// otherwise, before that violates it.
    pub freeze_margin: u32,
    /// From which difference on an approval has to be given again.
    pub reapproval: Reapproval,
    /// How far a change may be moved to resolve a collision, in hours, either way.
    pub longest_shift_hours: u32,
    /// Chance that a change fails, before anything is known of its like, above 0 and below 1.
    pub usual_failure: f64,
    /// How many changes that prior is worth.
    pub prior_strength: f64,
    /// Most services whose new single points of failure are looked for, the most critical first.
    pub most_margins: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            major: MajorCriteria::default(),
            emergency_approvers: Vec::new(),
            freeze_margin: 0,
            reapproval: Reapproval::MarginLost,
            longest_shift_hours: 72,
            usual_failure: 0.03,
            prior_strength: 50.0,
            most_margins: 200,
        }
    }
}

/// What makes a change a major one; each criterion can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MajorCriteria {
    /// A service at least this critical is breached.
    pub breached: Option<Criticality>,
    /// A service at least this critical loses its margin.
    pub margin_lost: Option<Criticality>,
    /// More than this many customers are served by services that are breached or degraded.
    pub customers: Option<u32>,
}

impl Default for MajorCriteria {
    fn default() -> Self {
        Self { breached: Some(Criticality::Critical), margin_lost: Some(Criticality::Critical), customers: Some(10) }
    }
}

/// From which difference on an approval has to be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reapproval {
    /// A service newly loses its margin, or worse.
    MarginLost,
    /// A service is newly degraded, or worse.
    Degraded,
    /// A service is newly breached.
    Breached,
}

impl Reapproval {
    /// The mildest effect that counts.
    #[must_use]
    pub fn from(self) -> Effect {
        match self {
            Self::MarginLost => Effect::MarginLost,
            Self::Degraded => Effect::Degraded,
            Self::Breached => Effect::Breached,
        }
    }
}

/// A service as the criteria see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion<'a> {
    /// Its name, for the reason.
    pub name: &'a str,
    /// How critical it is, where anybody said.
    pub criticality: Option<Criticality>,
    /// What becomes of it, at worst.
    pub effect: Effect,
}

impl Policy {
    /// What makes a change a major one, in words; empty when nothing does. `customers` are those of the
    /// services that are breached or degraded, each counted once.
    #[must_use]
    pub fn major(&self, services: &[Criterion<'_>], customers: usize) -> Vec<String> {
        let mut reasons = Vec::new();
        let at_least = |limit: Option<Criticality>, service: &Criterion<'_>| {
            limit.is_some_and(|limit| service.criticality.is_some_and(|criticality| criticality >= limit))
        };
        for service in services {
            let word = service.criticality.map(Criticality::as_str).unwrap_or_default();
            if service.effect == Effect::Breached && at_least(self.major.breached, service) {
                reasons.push(format!("{} ({word}) is breached", service.name));
            } else if service.effect >= Effect::MarginLost && at_least(self.major.margin_lost, service) {
                let what = if service.effect == Effect::MarginLost { "loses its margin" } else { "is degraded" };
                reasons.push(format!("{} ({word}) {what}", service.name));
            }
        }
        if let Some(limit) = self.major.customers.filter(|limit| customers > *limit as usize) {
            reasons.push(format!("{customers} customers are affected, more than {limit}"));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(criticality: Criticality, effect: Effect) -> Criterion<'static> {
        Criterion { name: "payments", criticality: Some(criticality), effect }
    }

    #[test]
    fn the_answer_says_what_made_it_major() {
        let policy = Policy::default();
        assert_eq!(policy.major(&[service(Criticality::High, Effect::Breached)], 10), Vec::<String>::new());
        let reasons = policy.major(&[service(Criticality::Critical, Effect::Breached)], 11);
        assert_eq!(reasons, ["payments (critical) is breached", "11 customers are affected, more than 10"]);
        let reasons = policy.major(&[service(Criticality::Critical, Effect::MarginLost)], 0);
        assert_eq!(reasons, ["payments (critical) loses its margin"]);
    }

    #[test]
    fn a_file_names_only_what_differs() {
        let text = "emergency_approvers = [\"duty manager\"]\n[major]\nbreached = \"high\"\n";
        let policy: Policy = toml::from_str(text).unwrap();
        assert_eq!(policy.major.breached, Some(Criticality::High));
        assert_eq!(policy.emergency_approvers, ["duty manager"]);
        assert_eq!(policy.longest_shift_hours, Policy::default().longest_shift_hours);
        let refused = toml::from_str::<Policy>("reaproval = \"any\"").unwrap_err().to_string();
        assert!(refused.contains("reaproval"), "{refused}");
    }
}
