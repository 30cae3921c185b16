//! How certain breaches are, as it is written.

use keelson_analysis::certainty::{Answer, Class, Decisive, Fact, Shift, Unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assessment, key_of};
use crate::{Subject, needs};

/// How certain the breaches of services are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertaintyAnswer {
    /// Services breached however the unknown facts turn out.
    pub certain: Vec<Subject>,
    /// Services breached only if unknown facts turn out badly.
    pub possible: Vec<Subject>,
    /// Number of unknown facts in the way of the loss.
    pub unknowns: usize,
    /// The unknown facts which, settled one way, move a service: the questions worth asking.
    pub decisive: Vec<DecisiveFacts>,
}

/// One unknown fact, or a pair of which neither alone decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisiveFacts {
    /// The facts.
    pub facts: Vec<FactLine>,
    /// What each answer leads to.
    pub outcomes: Vec<OutcomeLine>,
}

/// A fact about a need that is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactLine {
    /// The item whose need it is.
    pub dependent: String,
    /// The need.
    pub need: String,
    /// What is not known: `count`, `rule`, `existence` or `member`.
    pub fact: FactWord,
    /// The member, when membership is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The question in words.
    pub question: String,
}

/// What is not known about a need, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactWord {
    /// How many members must be up.
    Count,
    /// How the members combine at all.
    Rule,
    /// Whether there is such a need.
    Existence,
    /// Whether an item is a member of it.
    Member,
}

/// What answers lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeLine {
    /// One answer per fact: a number of members, `yes` or `no`.
    pub answers: Vec<String>,
    /// The services that move; empty when the answer changes nothing.
    pub shifts: Vec<ShiftLine>,
}

/// A service that moves from one class of certainty to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftLine {
    /// The service.
    pub key: String,
    /// Its class while the facts are unknown: `certain`, `possible` or `protected`.
    pub from: ClassWord,
    /// Its class once they are known.
    pub to: ClassWord,
}

/// A class of certainty, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWord {
    /// Not breached, whatever the facts.
    Protected,
    /// Breached for some facts.
    Possible,
    /// Breached, whatever the facts.
    Certain,
}

impl From<Class> for ClassWord {
    fn from(class: Class) -> Self {
        match class {
            Class::Protected => Self::Protected,
            Class::Possible => Self::Possible,
            Class::Certain => Self::Certain,
        }
    }
}

impl Assessment {
    /// How certain the breaches are; `None` when the question left it out.
    #[must_use]
    pub fn certainty_answer(&self) -> Option<CertaintyAnswer> {
        let certainty = self.certainty.as_ref()?;
        let subjects = |class: Class| {
            let mut found: Vec<Subject> =
                certainty.of(class).map(|item| Subject::of(&self.view.catalogue, super::ci_of(item))).collect();
            found.sort();
            found
        };
        Some(CertaintyAnswer {
            certain: subjects(Class::Certain),
            possible: subjects(Class::Possible),
            unknowns: certainty.unknowns,
            decisive: certainty.decisive.iter().map(|decisive| self.decisive_line(decisive)).collect(),
        })
    }

    fn decisive_line(&self, decisive: &Decisive) -> DecisiveFacts {
        let outcome = |outcome: &keelson_analysis::certainty::Outcome| OutcomeLine {
            answers: outcome.answers.iter().map(answer_word).collect(),
            shifts: outcome.shifts.iter().map(|shift| self.shift_line(shift)).collect(),
        };
        DecisiveFacts {
            facts: decisive.facts.iter().map(|fact| self.fact_line(fact)).collect(),
            outcomes: decisive.outcomes.iter().map(outcome).collect(),
        }
    }

    fn shift_line(&self, shift: &Shift) -> ShiftLine {
        ShiftLine { key: key_of(&self.view.catalogue, shift.item), from: shift.from.into(), to: shift.to.into() }
    }

    fn fact_line(&self, unknown: &Unknown) -> FactLine {
        let catalogue = &self.view.catalogue;
        let view = self.view.graph.need(unknown.need);
        let line = needs::line(catalogue, &view);
        let dependent = key_of(catalogue, view.owner());
        let member = match unknown.fact {
            Fact::Member(item) => Some(key_of(catalogue, item)),
            _ => None,
        };
        let need = &line.need.name;
        let (fact, question) = match unknown.fact {
            Fact::Count | Fact::Rule => {
                let fact = if unknown.fact == Fact::Rule { FactWord::Rule } else { FactWord::Count };
                (fact, format!("how many of the {} members of '{need}' does {dependent} need?", line.need.of))
            }
            Fact::Existence if needs::is_load(&view) => {
                let rule = needs::rule_in_words(&view.rule(), None, line.need.of);
                let question = "do its members carry as little as they state, and is it asked of them all the time?";
                (FactWord::Existence, format!("'{need}' of {dependent} {rule}: {question}"))
            }
            Fact::Existence => {
                (FactWord::Existence, format!("does {dependent} need {} ('{need}')?", line.members.join(", ")))
            }
            Fact::Member(item) => {
                let still = if needs::is_withdrawn(catalogue, item) { " still" } else { "" };
                let member = member.as_deref().unwrap_or_default();
                (FactWord::Member, format!("is {member}{still} a member of '{need}' of {dependent}?"))
            }
        };
        FactLine { dependent, need: line.need.name, fact, member, question }
    }
}

fn answer_word(answer: &Answer) -> String {
    match answer {
        Answer::Count(k) => k.to_string(),
        Answer::Yes => "yes".to_owned(),
        Answer::No => "no".to_owned(),
    }
}
