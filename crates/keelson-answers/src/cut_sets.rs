//! Which smallest sets of failures breach a service (analyses 3.2).

use std::sync::atomic::AtomicBool;

use keelson_analysis::availability::{Budget, Composition, Question};
use keelson_analysis::cut_sets::{CutSet, CutSets, Listing, Resilience, Select, cut_sets as solve};
use keelson_analysis::{Limits, Pool, Reading};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chances::{Chances, INDEPENDENCE};
use crate::impact::{ImpactQuestion, ProofText, assess, proof_lines};
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// Lines of a proof.
const MOST_LINES: usize = 40;

/// Which cut sets are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CutSetsQuestion {
    /// The service, or another item, by key.
    pub service: String,
    /// What is down already, by key.
    pub down: Vec<String>,
    /// Most items of a set that is listed; 0 means 3.
    pub largest: usize,
    /// Only sets at least so probable, the most probable first, instead of those of few items.
    pub least_chance: Option<f64>,
    /// Most sets listed.
    pub most: usize,
    /// Most sets that a proof is written for.
    pub proofs: usize,
    /// Nodes of decision diagrams the answer may take; 0 means a million.
    pub nodes: usize,
}

/// A smallest set of failures that breaches the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CutSetLine {
    /// The items, and what members of a need have in common; none of them can be spared.
    pub items: Vec<Subject>,
    /// How many they are.
    pub order: usize,
    /// The probability that all of them are down, each at its upper end.
    pub probability: f64,
    /// Why their loss breaches the service, line by line; empty where no proof was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<ProofText>,
}

/// How many failures a service survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResilienceNumber {
    /// It takes at least so many failures to breach the service.
    pub at_least: usize,
    /// So many are enough; absent where no set is known that is.
    pub at_most: Option<usize>,
    /// Whether nothing that may fail breaches it.
    pub is_unbreakable: bool,
}

/// The cut sets of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CutSetsAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The service.
    pub service: Subject,
    /// What was down already, by key.
    pub down: Vec<String>,
    /// How many failures it takes, every doubt settled badly at the lower end and well at the upper one.
    pub resilience: ResilienceNumber,
    /// How many sets there are, in digits: there may be more than a number of 64 bits holds.
    pub count: String,
    /// Whether that is the number; otherwise there are at least so many.
    pub is_count_exact: bool,
    /// How many sets there are of 1 item, of 2 items and so on, in digits, as far as that is known.
    pub by_order: Vec<String>,
    /// The sets.
    pub sets: Vec<CutSetLine>,
    /// Whether these are all that were asked for.
    pub is_listed_whole: bool,
    /// The sum of the probabilities of all sets, an upper bound; absent where not all are known.
    pub probability_sum: Option<f64>,
    /// A closer upper bound of the service's unavailability; absent where not all sets are known.
    pub probability_bound: Option<f64>,
    /// How many items state no unavailability.
    pub missing_count: usize,
    /// What every probability here takes for granted.
    pub independence: String,
}

/// Finds the cut sets of a service.
///
/// # Errors
/// When something asked about is unknown or takes no part in analyses.
pub fn cut_sets(
    view: &View,
    question: &CutSetsQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<CutSetsAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let service = find_item(view, &question.service)?;
    let loaded = view.loaded_beneath(&[service]);
    let view = &loaded.view;
    let down = question.down.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
    let chances = Chances::of(view)?;
    let nodes = if question.nodes == 0 { Budget::default().nodes } else { question.nodes };
    let budget = Budget { nodes, samples: 0, ..Budget::default() };
    let level = view.breach_level(service);
    let run = |reading, listing: &Listing| -> Result<CutSets, QuestionError> {
        let asking = Question { level, reading, seeds: &down, budget, stop, ..Question::about(service) };
        Ok(solve(&Composition::of(chances.graph(), &asking, |item| chances.read(item, reading))?, listing))
    };
    let largest = if question.largest == 0 { 3 } else { question.largest };
    let select = question.least_chance.map_or(Select::Size(largest), Select::Chance);
    let found = run(Reading::AsWritten, &Listing { select, most: question.most })?;
    let few = Listing { select: Select::Size(1), most: 1 };
    let (best, worst) = (run(Reading::Optimistic, &few)?, run(Reading::Pessimistic, &few)?);
    note(&mut basis, &found, stop);
    chances.note(&mut basis);
    loaded.note(&mut basis);
    let members: std::collections::BTreeSet<ItemIx> =
        found.sets.iter().flat_map(|set| set.items.iter().copied()).collect();
    basis.rests_on(view, members.into_iter().filter(|one| chances.is_item(*one)).chain([service]).map(ci_of), asked);
    let sets = lines(&chances, view, question, &found.sets, (service, &down), (asked, pool))?;
    Ok(CutSetsAnswer {
        service: Subject::of(&view.catalogue, ci_of(service)),
        down: down.iter().map(|item| key_of(&view.catalogue, *item)).collect(),
        resilience: between(worst.resilience, best.resilience),
        count: found.count.at_least.to_string(),
        is_count_exact: found.count.is_exact,
        by_order: found.by_size.iter().skip(1).map(u128::to_string).collect(),
        sets,
        is_listed_whole: found.is_complete,
        probability_sum: found.bounds.map(|bounds| bounds.sum),
        probability_bound: found.bounds.map(|bounds| bounds.upper),
        missing_count: chances.missing().len(),
        independence: INDEPENDENCE.to_owned(),
        basis,
    })
}

/// Says what was not enumerated.
fn note(basis: &mut Basis, found: &CutSets, stop: Option<&AtomicBool>) {
    if found.is_stopped {
        basis.stopped(stop);
    }
    if !found.count.is_exact {
        let message =
            format!("the budget was spent: there are at least {} cut sets, not fully enumerated", found.count.at_least);
        basis.remark(LimitCode::ExactBudget, message);
    }
    if !found.is_complete {
        basis.remark(
            LimitCode::Page,
            format!("{} cut sets are listed; there are more of those asked for", found.sets.len()),
        );
    }
}

/// How many failures it takes, from both ends.
fn between(worst: Resilience, best: Resilience) -> ResilienceNumber {
    let least = match worst {
        Resilience::Exactly(number) => Some(number),
        Resilience::Between(least, _) => Some(least),
        Resilience::Unbreakable => None,
    };
    let most = match best {
        Resilience::Exactly(number) => Some(number),
        Resilience::Between(_, most) => most,
        Resilience::Unbreakable => None,
    };
    ResilienceNumber {
        at_least: least.unwrap_or(0),
        at_most: most,
        is_unbreakable: matches!((worst, best), (Resilience::Unbreakable, Resilience::Unbreakable)),
    }
}

fn lines(
    chances: &Chances<'_>,
    view: &View,
    question: &CutSetsQuestion,
    sets: &[CutSet],
    (service, down): (ItemIx, &[ItemIx]),
    (asked, pool): (Asked, &Pool),
) -> Result<Vec<CutSetLine>, QuestionError> {
    let line = |(place, set): (usize, &CutSet)| -> Result<CutSetLine, QuestionError> {
        let mut proof = Vec::new();
        if place < question.proofs {
            // A common cause takes down every member of its need.
            let mut seeds: Vec<(String, f64)> = set
                .items
                .iter()
                .chain(down)
                .flat_map(|item| match chances.causes().filter(|causes| causes.is_cause(*item)) {
                    Some(causes) => causes.members(*item).to_vec(),
                    None => vec![*item],
                })
                .map(|item| (key_of(&view.catalogue, item), 1.0))
                .collect();
            seeds.sort_by(|a, b| a.0.cmp(&b.0));
            seeds.dedup();
            let question = ImpactQuestion { seeds, interval: None, budget: 0, limits: Limits::default() };
            proof = proof_lines(&assess(view, &question, asked, pool)?, service, MOST_LINES).0;
        }
        let items = set.items.iter().map(|item| chances.subject(*item)).collect();
        Ok(CutSetLine { items, order: set.items.len(), probability: set.chance, proof })
    };
    sets.iter().enumerate().map(line).collect()
}
