//! Is it certain that these services are breached, and which unknown facts decide it.
//!
//! Two runs bracket the truth (analyses 1.6): every doubt settled so that least is lost, and every
//! doubt settled so that most is. What is breached in both is *certain*, only in the second
//! *possible*, in neither *protected*. An unknown fact is *decisive* when settling it one way moves
//! a service from one of these classes to another; those are the questions worth asking.

use std::collections::HashMap;

use keelson_graph::{ItemIx, NeedIx, Snapshot};

use crate::{
    AnalysisError, Limits, Pool, Reading, Settled, Truncations,
    impact::{Impact, Question, Seed, Verdict, impact, verdict},
};

/// Most answers tried for a rule that nobody stated.
const MOST_ANSWERS: usize = 20;

/// An item about which certainty is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The item.
    pub item: ItemIx,
    /// The smallest fraction it must deliver, between 0 and 1.
    pub min_delivered: f64,
}

/// How certain a breach is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Not breached, however the doubts are settled.
    Protected,
    /// Breached for some settlement of the doubts.
    Possible,
    /// Breached, however the doubts are settled.
    Certain,
}

/// A fact about a need that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unknown {
    /// The need.
    pub need: NeedIx,
    /// What about it.
    pub fact: Fact,
}

/// What is not known about a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// How many members must be up, among some possible counts.
    Count,
    /// The rule altogether: any count from one member to all of them.
    Rule,
    /// Whether there is such a need.
    Existence,
    /// Whether an item is a member of it.
    Member(ItemIx),
}

/// A possible answer to an unknown fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// So many members must be up.
    Count(u32),
    /// It is so.
    Yes,
    /// It is not so.
    No,
}

/// What becomes of a service when facts are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The service.
    pub item: ItemIx,
    /// Its class while the facts are unknown.
    pub from: Class,
    /// Its class once they are settled.
    pub to: Class,
}

/// Facts which, settled in this way, move services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The answers, one for each fact of the decision.
    pub answers: Vec<Answer>,
    /// The services that change class; empty when this answer changes nothing.
    pub shifts: Vec<Shift>,
}

/// One unknown fact, or a pair of them, that decides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decisive {
    /// The facts: one, or two where neither alone decides.
    pub facts: Vec<Unknown>,
    /// What each answer leads to. For a pair, only answers that move something are listed.
    pub outcomes: Vec<Outcome>,
}

/// How certain the breach of each target is.
#[derive(Clone, Debug)]
pub struct Certainty {
    /// The class of each target, in the order of the question.
    pub classes: Vec<(ItemIx, Class)>,
    /// Facts that decide, single ones first.
    pub decisive: Vec<Decisive>,
    /// Unknown facts that lie in the way of the loss.
    pub unknowns: usize,
    /// Propagations computed.
    pub evaluations: usize,
    /// Whether the search for decisive facts ended because its budget was spent.
    pub is_budget_spent: bool,
    /// Limits that single propagations hit.
    pub truncations: Truncations,
    /// The pessimistic run: everything that may be lost, with proof.
    pub pessimistic: Impact,
    /// The optimistic run: what is lost for certain, with proof.
    pub optimistic: Impact,
}

impl Certainty {
    /// The targets of a class.
    pub fn of(&self, class: Class) -> impl Iterator<Item = ItemIx> + '_ {
        self.classes.iter().filter(move |(_, known)| *known == class).map(|(item, _)| *item)
    }
}

/// How certain is what losing `seeds` does to `targets`?
///
/// Computes two propagations, and at most two more for every answer to every unknown fact in the
/// way, up to `budget` propagations in all. Services that no single fact moves are then tried with pairs of
/// facts, one deciding pair for each.
///
/// # Errors
/// When a seed is not in the graph or its loss lies outside 0..=1.
pub fn certainty(
    snapshot: &Snapshot,
    seeds: &[Seed],
    targets: &[Target],
    budget: usize,
    limits: &Limits<'_>,
    pool: &Pool,
) -> Result<Certainty, AnalysisError> {
    let mut search =
        Search { snapshot, seeds, targets, limits, pool, evaluations: 0, budget, truncations: Truncations::default() };
    let settled = Settled::new();
    let optimistic = search.run(Reading::Optimistic, &settled)?;
    let pessimistic = search.run(Reading::Pessimistic, &settled)?;
    let classes = classes(targets, &optimistic, &pessimistic);
    let unknowns = unknowns(snapshot, &pessimistic);
    let mut decisive = Vec::new();
    let mut is_budget_spent = search.singles(&unknowns, &classes, &mut decisive)?.is_none();
    if !is_budget_spent {
        is_budget_spent = search.pairs(&unknowns, &classes, &mut decisive)?.is_none();
    }
    Ok(Certainty {
        classes: targets.iter().map(|target| target.item).zip(classes).collect(),
        decisive,
        unknowns: unknowns.len(),
        evaluations: search.evaluations,
        is_budget_spent,
        truncations: search.truncations,
        pessimistic,
        optimistic,
    })
}

fn classes(targets: &[Target], optimistic: &Impact, pessimistic: &Impact) -> Vec<Class> {
    let breached =
        |run: &Impact, target: &Target| verdict(run.loss(target.item), target.min_delivered) == Verdict::Breached;
    let class = |target| match (breached(optimistic, target), breached(pessimistic, target)) {
        (true, _) => Class::Certain,
        (false, true) => Class::Possible,
        (false, false) => Class::Protected,
    };
    targets.iter().map(class).collect()
}

/// The unknown facts of needs that lose a member in the pessimistic run, with their answers.
fn unknowns(snapshot: &Snapshot, pessimistic: &Impact) -> Vec<(Unknown, Vec<Answer>)> {
    let mut needs: Vec<NeedIx> = pessimistic
        .affected()
        .flat_map(|affected| snapshot.dependents(affected.item).counted())
        .copied()
        .filter(|&need| snapshot.head(need).is_doubtful())
        .collect();
    needs.sort_unstable();
    needs.dedup();
    let mut unknowns = Vec::new();
    for need in needs {
        let view = snapshot.need(need);
        let Some(detail) = view.detail else { continue };
        let doubt = &detail.doubt;
        if doubt.counts.len() > 1 {
            let answers = doubt.counts.iter().map(|&k| Answer::Count(k)).collect();
            unknowns.push((Unknown { need, fact: Fact::Count }, answers));
        } else if doubt.counts.is_empty() && doubt.rule_assumed && view.members.len() > 1 {
            unknowns.push((Unknown { need, fact: Fact::Rule }, counts_to(view.members.len())));
        }
        if doubt.existence {
            unknowns.push((Unknown { need, fact: Fact::Existence }, vec![Answer::Yes, Answer::No]));
        }
        for &member in &doubt.members {
            unknowns.push((Unknown { need, fact: Fact::Member(member) }, vec![Answer::Yes, Answer::No]));
        }
    }
    unknowns
}

/// The counts a rule that nobody stated could ask for: all of them, or so many of them, evenly
/// spread from one to all.
fn counts_to(members: usize) -> Vec<Answer> {
    let shown = members.min(MOST_ANSWERS);
    let spread = |at: usize| 1 + at * (members - 1) / (shown - 1).max(1);
    (0..shown).map(|at| Answer::Count(u32::try_from(spread(at)).unwrap_or(u32::MAX))).collect()
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    seeds: &'a [Seed],
    targets: &'a [Target],
    limits: &'a Limits<'a>,
    pool: &'a Pool,
    evaluations: usize,
    budget: usize,
    truncations: Truncations,
}

/// A step of a search with a budget: `None` when it was spent.
type Spent<T> = Result<Option<T>, AnalysisError>;

impl Search<'_> {
    fn run(&mut self, reading: Reading, settled: &Settled) -> Result<Impact, AnalysisError> {
        self.evaluations += 1;
        let question = Question {
            reading,
            settled: Some(settled),
            touched: false,
            limits: *self.limits,
            ..Question::about(self.seeds)
        };
        let impact = impact(self.snapshot, &question, self.pool)?;
        self.truncations.merge(impact.truncations());
        Ok(impact)
    }

    /// The services that change class when facts are settled.
    fn shifts(&mut self, facts: &[(Unknown, Answer)], known: &[Class]) -> Spent<Vec<Shift>> {
        if self.evaluations + 2 > self.budget || self.limits.stopped(0) {
            return Ok(None);
        }
        let settled = settle(facts);
        let optimistic = self.run(Reading::Optimistic, &settled)?;
        let pessimistic = self.run(Reading::Pessimistic, &settled)?;
        let now = classes(self.targets, &optimistic, &pessimistic);
        let changed = self.targets.iter().zip(known.iter().zip(now)).filter(|(_, (from, to))| *from != to);
        Ok(Some(changed.map(|(target, (&from, to))| Shift { item: target.item, from, to }).collect()))
    }

    /// Tries every answer to every fact alone.
    fn singles(
        &mut self,
        unknowns: &[(Unknown, Vec<Answer>)],
        known: &[Class],
        decisive: &mut Vec<Decisive>,
    ) -> Spent<()> {
        // Only what is possible can move: settling a fact narrows the bracket.
        if !known.contains(&Class::Possible) {
            return Ok(Some(()));
        }
        for (unknown, answers) in unknowns {
            let Some(shifts) = self.shifts_of_each(*unknown, answers, known)? else { return Ok(None) };
            let outcomes: Vec<Outcome> =
                answers.iter().zip(shifts).map(|(answer, shifts)| Outcome { answers: vec![*answer], shifts }).collect();
            if outcomes.iter().any(|outcome| !outcome.shifts.is_empty()) {
                decisive.push(Decisive { facts: vec![*unknown], outcomes });
            }
        }
        Ok(Some(()))
    }

    /// What each answer to one fact leads to. More members needed never lose less, so between two
    /// counts that lead to the same every count does, and none of those is tried.
    fn shifts_of_each(&mut self, unknown: Unknown, answers: &[Answer], known: &[Class]) -> Spent<Vec<Vec<Shift>>> {
        let mut found: Vec<Option<Vec<Shift>>> = vec![None; answers.len()];
        let mut open = vec![(0, answers.len() - 1)];
        while let Some((first, last)) = open.pop() {
            for at in [first, last] {
                if found[at].is_none() {
                    let Some(shifts) = self.shifts(&[(unknown, answers[at])], known)? else { return Ok(None) };
                    found[at] = Some(shifts);
                }
            }
            if last - first < 2 {
                continue;
            }
            if found[first] == found[last] {
                let same = found[first].clone();
                found[first + 1..last].fill(same);
            } else {
                let middle = first.midpoint(last);
                open.extend([(first, middle), (middle, last)]);
            }
        }
        Ok(Some(found.into_iter().map(Option::unwrap_or_default).collect()))
    }

    /// Tries pairs of facts for the services that no single fact moves, until each has one.
    fn pairs(
        &mut self,
        unknowns: &[(Unknown, Vec<Answer>)],
        known: &[Class],
        decisive: &mut Vec<Decisive>,
    ) -> Spent<()> {
        let moved: Vec<ItemIx> = decisive.iter().flat_map(shifted).collect();
        let possible = self.targets.iter().zip(known).filter(|(_, class)| **class == Class::Possible);
        let mut open: Vec<ItemIx> =
            possible.map(|(target, _)| target.item).filter(|item| !moved.contains(item)).collect();
        for (at, (first, first_answers)) in unknowns.iter().enumerate() {
            for (second, second_answers) in &unknowns[at + 1..] {
                if open.is_empty() {
                    return Ok(Some(()));
                }
                let mut outcomes = Vec::new();
                for one in ends(*first, first_answers) {
                    for other in ends(*second, second_answers) {
                        let facts = [(*first, one), (*second, other)];
                        let Some(mut shifts) = self.shifts(&facts, known)? else { return Ok(None) };
                        shifts.retain(|shift| open.contains(&shift.item));
                        if !shifts.is_empty() {
                            outcomes.push(Outcome { answers: vec![one, other], shifts });
                        }
                    }
                }
                if !outcomes.is_empty() {
                    let pair = Decisive { facts: vec![*first, *second], outcomes };
                    let decided: Vec<ItemIx> = shifted(&pair).collect();
                    open.retain(|item| !decided.contains(item));
                    decisive.push(pair);
                }
            }
        }
        Ok(Some(()))
    }
}

/// The answers tried in a pair: of a rule that nobody stated, one and all.
fn ends(unknown: Unknown, answers: &[Answer]) -> Vec<Answer> {
    match answers {
        [first, .., last] if unknown.fact == Fact::Rule => vec![*first, *last],
        answers => answers.to_vec(),
    }
}

fn shifted(decisive: &Decisive) -> impl Iterator<Item = ItemIx> + '_ {
    decisive.outcomes.iter().flat_map(|outcome| &outcome.shifts).map(|shift| shift.item)
}

fn settle(facts: &[(Unknown, Answer)]) -> Settled {
    let mut settled: Settled = HashMap::new();
    for (unknown, answer) in facts {
        let settlement = settled.entry(unknown.need).or_default();
        match (unknown.fact, answer) {
            (Fact::Count | Fact::Rule, Answer::Count(k)) => settlement.count = Some(*k),
            (Fact::Existence, answer) => settlement.exists = Some(*answer == Answer::Yes),
            (Fact::Member(member), answer) => settlement.members.push((member, *answer == Answer::Yes)),
            (Fact::Count | Fact::Rule, Answer::Yes | Answer::No) => {}
        }
    }
    settled
}
