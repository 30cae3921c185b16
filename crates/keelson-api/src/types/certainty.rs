//! How certain breaches are, and which unknown facts decide.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use keelson_app::answers::impact::{
    CertaintyAnswer, ClassWord, DecisiveFacts as DecisiveLine, FactLine, FactWord, OutcomeLine, ShiftLine,
};

use super::impact::{by_key, numbers};
use super::item::{ConfigurationItem, listed};
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::moment::Moment;

/// Decisive questions that an answer lists.
const MOST_DECISIVE: usize = 100;

/// How certain the breaches of services are.
pub struct Certainty {
    pub(super) at: Arc<Moment>,
    pub(super) answer: CertaintyAnswer,
}

/// How certain the breaches of services are.
#[Object]
impl Certainty {
    /// Services breached however the unknown facts turn out, by key.
    async fn certain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let found = numbers(&self.at, self.answer.certain.iter().map(|subject| subject.key.as_str()));
        let paging = Paging::new(first, after, last, before);
        listed(&ctx.services().seal, &self.at, "certainty.certain", found, &paging)
    }

    /// Services breached only if unknown facts turn out badly, by key.
    async fn possible(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let found = numbers(&self.at, self.answer.possible.iter().map(|subject| subject.key.as_str()));
        let paging = Paging::new(first, after, last, before);
        listed(&ctx.services().seal, &self.at, "certainty.possible", found, &paging)
    }

    /// Number of unknown facts in the way of the loss.
    async fn unknown_count(&self) -> usize {
        self.answer.unknowns
    }

    /// How many sets of facts decide; `decisive` lists the first 100.
    async fn decisive_count(&self) -> usize {
        self.answer.decisive.len()
    }

    /// The unknown facts which, settled one way, move a service: the questions worth asking. At most
    /// 100.
    async fn decisive(&self) -> Vec<DecisiveFacts> {
        self.answer.decisive.iter().take(MOST_DECISIVE).map(|line| DecisiveFacts::of(&self.at, line)).collect()
    }
}

/// One unknown fact, or a pair of which neither alone decides.
#[derive(SimpleObject)]
pub struct DecisiveFacts {
    /// The facts; one or two.
    facts: Vec<UnknownFact>,
    /// What each answer leads to; one for each possible answer, at most 100.
    outcomes: Vec<FactOutcome>,
}

impl DecisiveFacts {
    fn of(at: &Arc<Moment>, line: &DecisiveLine) -> Self {
        let shift = |shift: &ShiftLine| {
            let service = by_key(at, &shift.key)?;
            Some(CertaintyShift { service, before: shift.from.into(), after: shift.to.into() })
        };
        let outcome = |outcome: &OutcomeLine| FactOutcome {
            answers: outcome.answers.clone(),
            shifts: outcome.shifts.iter().take(100).filter_map(shift).collect(),
        };
        Self {
            facts: line.facts.iter().map(|fact| UnknownFact::of(at, fact)).collect(),
            outcomes: line.outcomes.iter().take(100).map(outcome).collect(),
        }
    }
}

/// What is not known about a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum FactKind {
    /// How many members must be up.
    Count,
    /// How the members combine at all.
    Rule,
    /// Whether there is such a need.
    Existence,
    /// Whether an item is a member of it.
    Member,
}

/// A fact about a need that is not known.
#[derive(SimpleObject)]
pub struct UnknownFact {
    /// What is not known.
    kind: FactKind,
    /// The question in words.
    question: String,
    /// The item whose need it is.
    dependent: Option<ConfigurationItem>,
    /// The need's name.
    need: String,
    /// The member, where membership is in doubt.
    member: Option<ConfigurationItem>,
}

impl UnknownFact {
    fn of(at: &Arc<Moment>, fact: &FactLine) -> Self {
        let kind = match fact.fact {
            FactWord::Count => FactKind::Count,
            FactWord::Rule => FactKind::Rule,
            FactWord::Existence => FactKind::Existence,
            FactWord::Member => FactKind::Member,
        };
        Self {
            kind,
            question: fact.question.clone(),
            dependent: by_key(at, &fact.dependent),
            need: fact.need.clone(),
            member: fact.member.as_deref().and_then(|key| by_key(at, key)),
        }
    }
}

/// What answers to unknown facts lead to.
#[derive(SimpleObject)]
pub struct FactOutcome {
    /// One answer for each fact: a number of members, `yes` or `no`.
    answers: Vec<String>,
    /// The services that move, at most 100; none when the answer changes nothing.
    shifts: Vec<CertaintyShift>,
}

/// How certain the breach of a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CertaintyClass {
    /// Not breached, whatever the facts.
    Protected,
    /// Breached for some facts.
    Possible,
    /// Breached, whatever the facts.
    Certain,
}

impl From<ClassWord> for CertaintyClass {
    fn from(class: ClassWord) -> Self {
        match class {
            ClassWord::Protected => Self::Protected,
            ClassWord::Possible => Self::Possible,
            ClassWord::Certain => Self::Certain,
        }
    }
}

/// A service that moves from one class of certainty to another.
#[derive(SimpleObject)]
pub struct CertaintyShift {
    /// The service.
    service: ConfigurationItem,
    /// Its class while the facts are unknown.
    before: CertaintyClass,
    /// Its class once they are known.
    after: CertaintyClass,
}
