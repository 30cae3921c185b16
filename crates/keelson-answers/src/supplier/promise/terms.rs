//! The terms of single contracts, compared with what a service promises.

use keelson_analysis::single_points::{Question, single_points_of};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compared::Compared;
use super::composed::TIMES;
use super::force::out_of_force;
use super::{hours, target};
use crate::attributes::{Money, money, number, text, texts};
use crate::subject::ci_of;
use crate::supplier::signers;
use crate::{Asked, QuestionError, Subject, View, item};

/// Days in a month, for notice.
const NOTICE_DAYS_A_MONTH: f64 = 30.0;

/// A promise compared with the terms of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermLine {
    /// The contract.
    #[serde(flatten)]
    pub contract: Subject,
    /// Whether its loss alone breaches the service.
    pub is_alone: bool,
    /// What is compared: `support hours`, `response`, `resolution`, `recovery time`, `recovery point`, `notice`,
    /// `credits`, `measurement period`, `exclusions`; of a contract that has ended or not begun `in force` alone.
    pub term: String,
    /// What the service promises, or what replacing takes.
    pub promised: String,
    /// What the contract says.
    pub contracted: String,
    /// Whether the contract is as strong as the promise; absent where it cannot be told.
    pub holds: Option<bool>,
}

impl Compared<'_> {
    /// The terms of every contract beneath the service; those whose loss alone breaches it come first, with all terms.
    pub(super) fn terms(&self, contracts: &[ItemIx]) -> Result<Vec<TermLine>, QuestionError> {
        let view = self.view;
        if contracts.is_empty() {
            return Ok(Vec::new());
        }
        let level = view.breach_level(self.service);
        let question = Question { level, stop: self.stop, ..Question::default() };
        let (points, _) = single_points_of(&view.graph, &[self.service], &question, &[])?;
        let points = points.into_iter().next().unwrap_or_default();
        let is_alone = |one: &ItemIx| points.items.binary_search(one).is_ok();
        let (alone, others): (Vec<ItemIx>, Vec<ItemIx>) = contracts.iter().partition(|one| is_alone(one));
        let mut lines: Vec<TermLine> =
            alone.into_iter().flat_map(|one| self.of(one, true).told(Contract::all)).collect();
        lines.extend(others.into_iter().flat_map(|one| self.of(one, false).told(Contract::own)));
        Ok(lines)
    }

    fn of(&self, contract: ItemIx, is_alone: bool) -> Contract<'_> {
        Contract { view: self.view, asked: self.asked, service: self.service, contract, is_alone }
    }
}

/// A contract beneath a service.
struct Contract<'a> {
    view: &'a View,
    asked: Asked,
    service: ItemIx,
    contract: ItemIx,
    is_alone: bool,
}

fn said(value: Option<String>) -> String {
    value.unwrap_or_else(|| "not stated".to_owned())
}

impl Contract<'_> {
    fn line(&self, term: &str, promised: String, contracted: String, holds: Option<bool>) -> TermLine {
        let contract = Subject::of(&self.view.catalogue, ci_of(self.contract));
        TermLine { contract, is_alone: self.is_alone, term: term.to_owned(), promised, contracted, holds }
    }

    /// Its terms, or else that it is not in force.
    fn told(&self, terms: impl Fn(&Self) -> Vec<TermLine>) -> Vec<TermLine> {
        match out_of_force(self.view, self.contract, self.asked) {
            None => terms(self),
            Some(why) => vec![self.line("in force", "in force".to_owned(), why, Some(false))],
        }
    }

    /// Every term.
    fn all(&self) -> Vec<TermLine> {
        let view = self.view;
        let mut lines = Vec::new();
        if let Some(promised) = text(view, self.service, "support_hours") {
            let contracted = text(view, self.contract, "support_hours");
            let holds = contracted.as_deref().and_then(|contracted| hours::covers(contracted, &promised));
            lines.push(self.line("support hours", promised, said(contracted), holds));
        }
        for (name, term) in TIMES {
            let Some(promised) = number(view, self.service, name) else { continue };
            let contracted = number(view, self.contract, name);
            let told = said(contracted.map(|minutes| format!("{minutes} min")));
            let holds = contracted.map(|contracted| contracted <= promised);
            lines.push(self.line(term, format!("{promised} min"), told, holds));
        }
        lines.extend(self.own());
        lines
    }

    /// The terms that are not composed: each contract has its own.
    fn own(&self) -> Vec<TermLine> {
        [self.notice(), self.credits(), self.measured_over(), self.exclusions()].into_iter().flatten().collect()
    }

    /// Whether the supplier's notice leaves time enough to replace it.
    fn notice(&self) -> Option<TermLine> {
        let signed: Vec<CiIx> = signers(self.view, ci_of(self.contract));
        let months =
            signed.iter().filter_map(|one| number(self.view, item(*one), "substitution_months")).reduce(f64::max)?;
        let notice = number(self.view, self.contract, "supplier_notice_days");
        let contracted = said(notice.map(|days| format!("{days} days")));
        let holds = notice.map(|days| days >= months * NOTICE_DAYS_A_MONTH);
        Some(self.line("notice", format!("{months} months to replace"), contracted, holds))
    }

    /// Whether a missed target brings in what it costs towards customers.
    fn credits(&self) -> Option<TermLine> {
        let penalty = money(self.view, self.service, "missed_target_penalty")?;
        let credit = money(self.view, self.contract, "missed_target_credit");
        let told = |money: &Money| format!("{} {} for a missed target", money.amount, money.currency);
        let words = text(self.view, self.contract, "service_credits");
        let contracted = said(credit.as_ref().map(told).or(words));
        let same = credit.filter(|credit| credit.currency == penalty.currency || credit.amount == 0.0);
        let holds = same.map(|credit| credit.amount >= penalty.amount);
        Some(self.line("credits", told(&penalty), contracted, holds))
    }

    /// Whether what a contract allows over its period would break the promise if it came at once.
    fn measured_over(&self) -> Option<TermLine> {
        let promised = target(self.view, self.service)?;
        let contracted = target(self.view, self.contract)?;
        let (ours, theirs) = (self.period(self.service), self.period(self.contract));
        if ours.is_none() && theirs.is_none() {
            return None;
        }
        let days = |period: &Option<String>| period.as_deref().and_then(days);
        let told = |period: Option<String>, target: f64| {
            let allowed = days(&period).map(|days| allowed_minutes(target, days));
            match (period, allowed) {
                (Some(period), Some(allowed)) => format!("over a {period}: {allowed:.1} min at once"),
                (period, _) => said(period),
            }
        };
        let holds = days(&ours).zip(days(&theirs)).map(|(our_days, their_days)| {
            // Over the same period or a shorter one the target itself is what is compared.
            let allowed = allowed_minutes(contracted, their_days);
            their_days <= our_days || allowed <= allowed_minutes(promised, our_days)
        });
        Some(self.line("measurement period", told(ours, promised), told(theirs, contracted), holds))
    }

    fn period(&self, one: ItemIx) -> Option<String> {
        text(self.view, one, "measurement_period").map(|period| period.trim().to_lowercase())
    }

    /// Whether the contract leaves out of account what the promise does not.
    fn exclusions(&self) -> Option<TermLine> {
        let (ours, theirs) =
            (texts(self.view, self.service, "exclusions"), texts(self.view, self.contract, "exclusions"));
        if ours.is_none() && theirs.is_none() {
            return None;
        }
        let told = |listed: &Option<Vec<String>>| match listed.as_deref() {
            None => "not stated".to_owned(),
            Some([]) => "none".to_owned(),
            Some(listed) => listed.join(", "),
        };
        let alike = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
        let holds = match (&ours, &theirs) {
            // Nothing is left out, so it is as strong whatever the promise leaves out.
            (_, Some(theirs)) if theirs.is_empty() => Some(true),
            (Some(ours), Some(theirs)) => Some(theirs.iter().all(|one| ours.iter().any(|other| alike(one, other)))),
            _ => None,
        };
        Some(self.line("exclusions", told(&ours), told(&theirs), holds))
    }
}

/// Minutes down that a target allows in some days.
fn allowed_minutes(target: f64, days: f64) -> f64 {
    (1.0 - target) * days * 1_440.0
}

/// How many days a period of measurement has; `None` where it cannot be read.
fn days(period: &str) -> Option<f64> {
    match period {
        "day" => Some(1.0),
        "week" => Some(7.0),
        "month" => Some(30.0),
        "quarter" => Some(91.25),
        "half-year" | "half year" => Some(182.5),
        "year" => Some(365.0),
        other => {
            let (number, unit) = other.split_once(' ')?;
            let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)?;
            Some(number * days(unit.trim().strip_suffix('s').unwrap_or(unit.trim())).filter(|_| !unit.contains(' '))?)
        }
    }
}
