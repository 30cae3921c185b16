//! A sample of the catalogue for an auditor, which can be drawn again from its seed (analyses 6.3).
//!
//! The seed is a hash of the period and the digest of the population, both of which the answer states: whoever asks of
//! the same revision for the same period draws the same items. The population is divided by what rests on the items, so
//! that what critical services need is looked at first.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::sampling::{self, Part, SamplingError};
use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::{Criticality, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::basis::{confirmed, is_stale};
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SampleQuestion {
    /// The period that is audited, in the auditor's words: `2026-Q3`. It is part of the seed.
    pub period: String,
    /// Only this class and those below it; absent: everything in service.
    pub class: Option<String>,
    /// The confidence wanted.
    pub confidence: f64,
    /// The share of deviations that would be tolerable.
    pub tolerable: f64,
    /// Deviations that are allowed in the sample.
    pub deviations: u64,
    /// How many items to draw instead of as many as follow from the others.
    pub size: Option<u64>,
    /// Deviations found, once it has been looked at; then the answer judges them.
    pub found: Option<u64>,
    /// Most items listed.
    pub most: usize,
}

impl Default for SampleQuestion {
    fn default() -> Self {
        Self {
            period: String::new(),
            class: None,
            confidence: 0.95,
            tolerable: 0.05,
            deviations: 0,
            size: None,
            found: None,
            most: 1_000,
        }
    }
}

/// A part of the population: what rests on services up to a criticality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stratum {
    /// The highest criticality of a service that rests on its items; absent where none states one, or nothing rests.
    pub criticality: Option<Criticality>,
    /// How many items it has.
    pub population: usize,
    /// How many of them are drawn.
    pub drawn: usize,
}

/// An item that was drawn, with the evidence there is of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SampledItem {
    /// Its number in the order of drawing, from 1.
    pub number: usize,
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// The highest criticality of a service that rests on it.
    pub criticality: Option<Criticality>,
    /// Its stage of life.
    pub lifecycle: String,
    /// Its version: how often its record changed.
    pub version: u32,
    /// How many commits changed it.
    pub changes: usize,
    /// The sources that state it, each with when it last confirmed it.
    pub evidence: Vec<EvidenceLine>,
    /// How many relationships and needs it has of its own.
    pub relationships: usize,
    /// Whether it was last seen longer ago than its class allows.
    pub is_stale: bool,
    /// Digest of its record as it stood, SHA-256.
    pub digest: String,
}

/// Who states an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceLine {
    /// The source.
    pub source: String,
    /// What the source calls it.
    pub source_key: String,
    /// When it last confirmed it.
    pub confirmed_at: DateTime<Utc>,
}

/// What the deviations found prove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SampleVerdict {
    /// How many deviations were found.
    pub found: u64,
    /// The share that deviates at most, with the confidence wanted.
    pub upper_limit: f64,
    /// Whether that is tolerable.
    pub is_tolerable: bool,
}

/// A sample for an auditor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SampleAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The period that is audited.
    pub period: String,
    /// The class the population is of; absent: everything in service.
    pub class: Option<String>,
    /// How many items the population has: those in service that somebody has described.
    pub population: usize,
    /// How many items are referred to beside these that nobody has described: none of them is drawn.
    pub placeholders: usize,
    /// SHA-256 of the population: the keys and versions of its items, in order of their keys.
    pub population_digest: String,
    /// SHA-256 of period and population digest: from this the same sample is drawn again.
    pub seed: String,
    /// The confidence wanted.
    pub confidence: f64,
    /// The share of deviations that would be tolerable.
    pub tolerable: f64,
    /// Deviations that are allowed in the sample.
    pub deviations: u64,
    /// How many items are drawn.
    pub size: usize,
    /// The confidence this sample gives when no more deviations are found than are allowed, in whichever of its strata
    /// deviations lie; the true one is not below it.
    pub reached_confidence: f64,
    /// The parts of the population, the most critical first.
    pub strata: Vec<Stratum>,
    /// The items drawn, in the order of drawing.
    pub items: Vec<SampledItem>,
    /// What the deviations found prove; absent while nobody said how many there are.
    pub verdict: Option<SampleVerdict>,
}

/// Draws a sample.
///
/// # Errors
/// When confidence or share lie outside 0..1, the class is unknown, or no sample is large enough.
pub fn sample(
    view: &View,
    question: &SampleQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<SampleAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let (population, placeholders) = population(view, question.class.as_deref())?;
    if placeholders > 0 {
        let message = format!(
            "{placeholders} items are referred to and described by nobody: they are no part of the population, and nothing \
             can be verified of them"
        );
        basis.limit(LimitCode::Placeholder, message);
    }
    let digest = population_digest(view, &population);
    let seed = hex(&Sha256::digest(format!("{}\n{digest}", question.period).as_bytes()));
    let stakes = stakes(view, stop, &mut basis);
    basis.stopped(stop);
    let tickets = tickets(view, &population, &stakes, &seed);
    let size = size(question, &tickets.values().rev().map(Vec::len).collect::<Vec<_>>())?;
    let (strata, drawn) = draw(tickets, size);
    basis.page("items", drawn.len().min(question.most), drawn.len());
    basis.rests_on(view, drawn.iter().copied(), asked);
    let verdict = question.found.map(|found| verdict(question, &parts(&strata), found)).transpose()?;
    let reached = reached(question, &parts(&strata))?;
    let line =
        |(place, ix): (usize, &CiIx)| sampled(view, place + 1, *ix, stakes.get(&item(*ix)).copied().flatten(), asked);
    Ok(SampleAnswer {
        period: question.period.clone(),
        class: question.class.clone(),
        population: population.len(),
        placeholders,
        population_digest: digest,
        seed,
        confidence: question.confidence,
        tolerable: question.tolerable,
        deviations: question.deviations,
        size: drawn.len(),
        reached_confidence: reached,
        strata,
        items: drawn.iter().enumerate().take(question.most).map(line).collect(),
        verdict,
        basis,
    })
}

fn unfit(error: &SamplingError) -> QuestionError {
    QuestionError::Figures(error.to_string())
}

/// Everything of a class that is in service and that somebody has described, in order of keys; and how many others are in
/// service that nobody has.
fn population(view: &View, class: Option<&str>) -> Result<(Vec<CiIx>, usize), QuestionError> {
    if let Some(class) = class {
        crate::items::known_class(&view.catalogue, class)?;
    }
    let classes = &view.catalogue.schema().classes;
    let is_wanted = |ix: &CiIx| {
        let ci = view.catalogue.ci(*ix);
        ci.is_in_service() && class.is_none_or(|class| classes.is_a(&ci.class, class))
    };
    let wanted = view.catalogue.cis().map(|(ix, _)| ix).filter(is_wanted);
    let is_described = |ix: &CiIx| view.catalogue.ci(*ix).standing == Standing::Live;
    let (mut found, placeholders): (Vec<CiIx>, Vec<CiIx>) = wanted.partition(is_described);
    found.sort_by(|a, b| view.catalogue.ci(*a).key.cmp(&view.catalogue.ci(*b).key));
    Ok((found, placeholders.len()))
}

fn population_digest(view: &View, population: &[CiIx]) -> String {
    let mut digest = Sha256::new();
    for ix in population {
        let ci = view.catalogue.ci(*ix);
        digest.update(format!("{} {}\n", ci.key, ci.version).as_bytes());
    }
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The strata as parts of a sample.
fn parts(strata: &[Stratum]) -> Vec<Part> {
    let part = |one: &Stratum| Part { population: one.population as u64, size: one.drawn as u64 };
    strata.iter().map(part).collect()
}

/// The confidence a sample gives that no more deviate than is tolerable, if no more deviations are found in it than are
/// allowed.
fn reached(question: &SampleQuestion, parts: &[Part]) -> Result<f64, QuestionError> {
    let population = parts.iter().map(|part| part.population).sum();
    // Whether confidence and deviations can be at all; a size given by hand may prove less than is wanted.
    if population > 0 {
        sampling::size_of(population, question.confidence, question.tolerable, question.deviations)
            .map_err(|error| unfit(&error))?;
    }
    sampling::confidence_of_parts(parts, question.tolerable, question.deviations).map_err(|error| unfit(&error))
}

/// How many to draw of a population in parts: so many that what is stated holds however deviations lie in them.
fn size(question: &SampleQuestion, parts: &[usize]) -> Result<usize, QuestionError> {
    let populations: Vec<u64> = parts.iter().map(|part| *part as u64).collect();
    let population: u64 = populations.iter().sum();
    let drawn = |size: u64| {
        let shares = shares(parts, usize::try_from(size).unwrap_or(usize::MAX));
        shares.into_iter().map(|share| share as u64).collect()
    };
    let size = match question.size {
        Some(size) => size.min(population),
        None if population == 0 => 0,
        None => {
            let wanted = (question.confidence, question.tolerable);
            sampling::size_of_parts(&populations, drawn, wanted, question.deviations).map_err(|error| unfit(&error))?
        }
    };
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

/// The highest criticality of a service that rests on each item: one walk from the services of each level, the most
/// critical first.
fn stakes(view: &View, stop: Option<&AtomicBool>, basis: &mut Basis) -> BTreeMap<ItemIx, Option<Criticality>> {
    let mut stakes: BTreeMap<ItemIx, Option<Criticality>> = BTreeMap::new();
    let mut levels: BTreeMap<Option<Criticality>, Vec<ItemIx>> = BTreeMap::new();
    for service in view.graph.item_numbers().filter(|one| view.is_service(ci_of(*one))) {
        levels.entry(view.brief(ci_of(service)).criticality).or_default().push(service);
    }
    let limits = Limits { stop, ..Limits::default() };
    let mut scratch = Scratch::default();
    for (criticality, services) in levels.into_iter().rev() {
        let walked = closure::walk(&view.graph, &mut scratch, &services, closure::Direction::Dependencies, &limits);
        basis.truncated(walked.truncations);
        for met in scratch.met() {
            stakes.entry(met).or_insert(criticality);
        }
    }
    stakes
}

/// The items of each stratum with their tickets: who has the lowest is drawn first.
type Tickets = BTreeMap<Option<Criticality>, Vec<([u8; 32], CiIx)>>;

/// Gives each item of the population its ticket.
fn tickets(view: &View, population: &[CiIx], stakes: &BTreeMap<ItemIx, Option<Criticality>>, seed: &str) -> Tickets {
    let mut strata = Tickets::new();
    for ix in population {
        let ticket = Sha256::digest(format!("{seed}\n{}", view.catalogue.ci(*ix).key).as_bytes()).into();
        strata.entry(stakes.get(&item(*ix)).copied().flatten()).or_default().push((ticket, *ix));
    }
    strata
}

/// Draws from each stratum in proportion to its size, and at least one from each while there are any left to draw.
fn draw(strata: Tickets, size: usize) -> (Vec<Stratum>, Vec<CiIx>) {
    let shares = shares(&strata.iter().rev().map(|(_, items)| items.len()).collect::<Vec<_>>(), size);
    let (mut lines, mut drawn) = (Vec::new(), Vec::new());
    for ((criticality, mut tickets), share) in strata.into_iter().rev().zip(shares) {
        let count = tickets.len();
        tickets.sort_unstable();
        drawn.extend(tickets.into_iter().take(share).map(|(_, ix)| ix));
        lines.push(Stratum { criticality, population: count, drawn: share });
    }
    (lines, drawn)
}

/// How many to draw of each part: in proportion, by the largest remainders, and one of each part at least.
fn shares(parts: &[usize], size: usize) -> Vec<usize> {
    let total: usize = parts.iter().sum();
    let size = size.min(total);
    if total == 0 {
        return vec![0; parts.len()];
    }
    let mut shares: Vec<usize> = parts.iter().map(|part| part * size / total).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // Those that got nothing come first, then those with the largest remainder.
    order.sort_by_key(|at| (shares[*at] > 0, std::cmp::Reverse(parts[*at] * size % total), *at));
    let mut left = size - shares.iter().sum::<usize>();
    for at in order {
        if left > 0 && shares[at] < parts[at] {
            shares[at] += 1;
            left -= 1;
        }
    }
    shares
}

fn sampled(view: &View, number: usize, ix: CiIx, criticality: Option<Criticality>, asked: Asked) -> SampledItem {
    let catalogue = &view.catalogue;
    let (ci, slot) = (catalogue.ci(ix), catalogue.slot(ix));
    let evidence: Vec<EvidenceLine> = ci
        .live_claims()
        .map(|claim| EvidenceLine {
            source: claim.provenance.source.to_string(),
            source_key: claim.source_key.to_string(),
            confirmed_at: confirmed(catalogue, &claim.provenance),
        })
        .collect();
    let seen = evidence.iter().map(|line| line.confirmed_at).max();
    let record = serde_json::to_vec(&**ci).unwrap_or_default();
    SampledItem {
        number,
        subject: Subject::of(catalogue, ix),
        criticality,
        lifecycle: ci.lifecycle().to_string(),
        version: ci.version,
        changes: slot.trail.len(),
        relationships: slot.dependencies.len() + slot.needs.len(),
        is_stale: seen.is_none_or(|seen| is_stale(catalogue, &ci.class, seen, asked.at)),
        digest: hex(&Sha256::digest(&record)),
        evidence,
    }
}

/// What was found says of the population; the limit is exact for a population of its size and parts, as the planned size is.
fn verdict(question: &SampleQuestion, parts: &[Part], found: u64) -> Result<SampleVerdict, QuestionError> {
    let limit = sampling::upper_limit_of_parts(parts, found, question.confidence).map_err(|error| unfit(&error))?;
    Ok(SampleVerdict { found, upper_limit: limit, is_tolerable: limit < question.tolerable })
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_add_up_and_leave_no_part_out() {
        assert_eq!(shares(&[10, 990], 50), [1, 49]);
        assert_eq!(shares(&[3, 3, 3], 4), [2, 1, 1]);
        assert_eq!(shares(&[1, 1], 5), [1, 1]);
        assert_eq!(shares(&[], 5), [0; 0]);
        assert_eq!(shares(&[500, 1], 1), [1, 0], "one cannot be of both");
        assert_eq!(shares(&[500, 1], 2), [1, 1]);
    }
}
