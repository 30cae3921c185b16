//! What losing these costs, why, and how certain that is.
//!
//! [`assess`] answers a question; the [`Assessment`] keeps what was computed, so that a caller can
//! page through it or ask for single lines, and [`Assessment::answer`] writes the whole as one
//! serialisable answer.

mod answer;
mod certain;
mod proof;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use keelson_analysis::certainty::{self, Certainty, Target};
use keelson_analysis::impact::{Impact, Question, Seed, Verdict, impact, verdict};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_graph::{ItemIx, NeedIx};
use keelson_model::{Criticality, Rule, Standing, Symbol};

pub use answer::{Because, ImpactAnswer, ImpactLine, Interval, ProtectedBy, ProtectedLine, SeedLine, VerdictWord};
pub use certain::{CertaintyAnswer, ClassWord, DecisiveFacts, FactLine, FactWord, OutcomeLine, ShiftLine};
pub use proof::{ProofText, proof_lines};

use crate::basis::withdrawn;
use crate::needs::title;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, View, item};

/// The class whose members are the promises made to customers; verdicts are about them first.
pub const SERVICE_CLASS: &str = "service";

/// What is asked.
#[derive(Clone, Debug)]
pub struct ImpactQuestion<'a> {
    /// Keys with their own loss, from 0 (whole) to 1 (gone).
    pub seeds: Vec<(String, f64)>,
    /// The interval in which they are lost, half-open; it is stated in the answer.
    pub interval: Option<Interval>,
    /// Propagations the search for decisive facts may compute; 0 leaves certainty out.
    pub budget: usize,
    /// How far to walk.
    pub limits: Limits<'a>,
}

/// Propagations the search for decisive facts computes when nobody says otherwise.
pub const USUAL_BUDGET: usize = 200;

impl ImpactQuestion<'_> {
    /// What losing these wholly costs, with certainty, without limits.
    #[must_use]
    pub fn gone<'k>(keys: impl IntoIterator<Item = &'k str>) -> Self {
        Self {
            seeds: keys.into_iter().map(|key| (key.to_owned(), 1.0)).collect(),
            interval: None,
            budget: USUAL_BUDGET,
            limits: Limits::default(),
        }
    }
}

/// A computed impact over one view.
pub struct Assessment {
    view: View,
    asked: Asked,
    seeds: Vec<(ItemIx, f64)>,
    interval: Option<Interval>,
    impact: Impact,
    certainty: Option<Certainty>,
    /// Services that lose something, seeds left out: by loss, criticality and key.
    services: Vec<ItemIx>,
    /// What loses something, seeds left out: the services, then the rest; sorted when first asked for.
    affected: OnceLock<Vec<ItemIx>>,
    affected_count: usize,
    /// Services that were touched and hold, in order of criticality.
    protected: Vec<ItemIx>,
    lost: usize,
    touched: usize,
    basis: Basis,
}

/// Computes what the loss of the seeds costs.
///
/// # Errors
/// When a seed is unknown, out of service, or has a loss outside 0..=1.
pub fn assess(
    view: &View,
    question: &ImpactQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<Assessment, QuestionError> {
    let mut seeds = Vec::with_capacity(question.seeds.len());
    for (key, loss) in &question.seeds {
        if !(0.0..=1.0).contains(loss) {
            return Err(QuestionError::LossOutOfRange { key: key.clone(), loss: *loss });
        }
        seeds.push((find_item(view, key)?, *loss));
    }
    let mut assessment = assess_items(view, seeds.clone(), question, asked, pool)?;
    let mut touched = assessment.impact.touched().unwrap_or_default().to_vec();
    touched.extend(assessment.impact.seeds());
    touched.sort_unstable();
    let loaded = view.loaded(&touched);
    if loaded.is_other {
        assessment = assess_items(&loaded.view, seeds, question, asked, pool)?;
    }
    loaded.note(&mut assessment.basis);
    Ok(assessment)
}

/// As [`assess`], of items that were found already, with redundancy as the view has it; those the question names are left
/// aside.
pub(crate) fn assess_items(
    view: &View,
    seeds: Vec<(ItemIx, f64)>,
    question: &ImpactQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<Assessment, QuestionError> {
    let starts: Vec<Seed> = seeds.iter().map(|(item, loss)| Seed { item: *item, loss: *loss }).collect();
    let impact = impact(&view.graph, &Question { limits: question.limits, ..Question::about(&starts) }, pool)?;
    let mut assessment = Assessment {
        view: view.clone(),
        asked,
        seeds,
        interval: question.interval,
        certainty: None,
        services: Vec::new(),
        affected: OnceLock::new(),
        affected_count: 0,
        protected: Vec::new(),
        lost: impact.lost().count(),
        touched: impact.touched().map_or(0, <[ItemIx]>::len),
        basis: Basis::of(view, asked),
        impact,
    };
    let services = assessment.touched_services();
    assessment.sort(&services);
    if question.budget > 0 {
        assessment.find_certainty(&services, &starts, question, pool)?;
    }
    assessment.find_basis();
    Ok(assessment)
}

impl Assessment {
    /// The view it was computed on.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What the answer rests on.
    #[must_use]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The computed losses.
    #[must_use]
    pub fn impact(&self) -> &Impact {
        &self.impact
    }

    /// What loses something, seeds left out: services first, then by loss, criticality and key.
    /// Whoever needs the services alone, or the number, asks for less.
    #[must_use]
    pub fn affected(&self) -> &[ItemIx] {
        self.affected.get_or_init(|| {
            let others = self.losing().filter(|(item, _)| !self.is_service(*item));
            let others = self.ranked(others.collect());
            self.services.iter().copied().chain(others).collect()
        })
    }

    /// How many items lose something, seeds left out.
    #[must_use]
    pub fn affected_count(&self) -> usize {
        self.affected_count
    }

    /// The services that lose something, seeds left out: by loss, criticality and key.
    #[must_use]
    pub fn affected_services(&self) -> &[ItemIx] {
        &self.services
    }

    /// The services that were touched and hold, the most critical first.
    #[must_use]
    pub fn protected(&self) -> &[ItemIx] {
        &self.protected
    }

    /// How many items depend on a seed, directly or not.
    #[must_use]
    pub fn touched(&self) -> usize {
        self.touched
    }

    /// How many items are wholly lost, seeds left out.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Whether an item is a service.
    #[must_use]
    pub fn is_service(&self, item: ItemIx) -> bool {
        self.view.briefs.is_service(ci_of(item))
    }

    /// The verdict on an item. One that states no smallest fraction to deliver is breached only
    /// when it is wholly lost.
    #[must_use]
    pub fn verdict(&self, item: ItemIx) -> Verdict {
        verdict(self.impact.loss(item), self.least_delivered(item))
    }

    /// The smallest fraction an item must deliver; where nobody states one, anything at all.
    pub(crate) fn least_delivered(&self, item: ItemIx) -> f64 {
        self.view.target(item).min_delivered
    }

    /// How certain the breaches are, when that was asked.
    pub(crate) fn certainty(&self) -> Option<&Certainty> {
        self.certainty.as_ref()
    }

    fn minimum(&self, item: ItemIx) -> Option<f64> {
        self.view.minimum_delivered(item)
    }

    pub(crate) fn criticality(&self, item: ItemIx) -> Option<Criticality> {
        self.view.brief(ci_of(item)).criticality
    }

    /// What loses something with its loss, seeds left out.
    fn losing(&self) -> impl Iterator<Item = (ItemIx, f64)> {
        let seeds = self.impact.seeds();
        let losing = self.impact.affected();
        let losing = losing.filter(|affected| !affected.is_seed && seeds.binary_search(&affected.item).is_err());
        losing.map(|affected| (affected.item, affected.loss))
    }

    /// Items by loss, criticality and key.
    fn ranked(&self, items: Vec<(ItemIx, f64)>) -> Vec<ItemIx> {
        let rank = |(item, loss): (ItemIx, f64)| {
            let key = &self.view.catalogue.ci(ci_of(item)).key;
            ((Reverse(loss.to_bits()), Reverse(self.criticality(item)), key.as_str()), item)
        };
        let mut ranked: Vec<_> = items.into_iter().map(rank).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, item)| item).collect()
    }

    /// The services that depend on a seed, directly or not.
    fn touched_services(&self) -> Vec<ItemIx> {
        let touched = self.impact.touched().unwrap_or_default().iter().copied();
        touched.filter(|item| self.is_service(*item)).collect()
    }

    fn sort(&mut self, touched: &[ItemIx]) {
        let (mut count, mut services) = (0, Vec::new());
        for (item, loss) in self.losing() {
            count += 1;
            if self.is_service(item) {
                services.push((item, loss));
            }
        }
        self.affected_count = count;
        self.services = self.ranked(services);
        let protected = touched.iter().filter(|item| !self.impact.loses(**item));
        self.protected = self.ranked(protected.map(|item| (*item, 0.0)).collect());
    }

    fn find_certainty(
        &mut self,
        services: &[ItemIx],
        seeds: &[Seed],
        question: &ImpactQuestion<'_>,
        pool: &Pool,
    ) -> Result<(), QuestionError> {
        let targets: Vec<Target> = services.iter().map(|item| self.view.target(*item)).collect();
        let limits = &question.limits;
        self.certainty = Some(certainty::certainty(&self.view.graph, seeds, &targets, question.budget, limits, pool)?);
        Ok(())
    }

    fn find_basis(&mut self) {
        let mut basis = self.basis.clone();
        basis.truncated(self.impact.truncations());
        if let Some(certainty) = &self.certainty
            && certainty.is_budget_spent
        {
            let message = format!(
                "the search for facts that decide ended after {} propagations; there may be more",
                certainty.evaluations
            );
            basis.limit(LimitCode::DecisiveBudget, message);
        }
        self.note_missing_rules(&mut basis);
        self.note_undirected(&mut basis);
        self.note_unloaded(&mut basis);
        let partly = self.services.iter().filter(|item| self.impact.loss(**item) < 1.0);
        let partly = partly.filter(|item| self.minimum(**item).is_none()).count();
        if partly > 0 {
            let message = format!("{partly} services lose a part, and nobody has stated how much they must deliver");
            basis.limit(LimitCode::RuleMissing, message);
        }
        let touched = self.impact.touched().unwrap_or_default();
        let items = self.impact.seeds().iter().chain(touched).map(|item| ci_of(*item));
        basis.rests_on(&self.view, items.chain(self.withdrawn_members()), self.asked);
        self.basis = basis;
    }

    /// Withdrawn members of the needs on the way but the seeds, whether they lose anything or not: the needs may
    /// hold by them alone.
    fn withdrawn_members(&self) -> BTreeSet<CiIx> {
        let graph = &self.view.graph;
        let touched = self.impact.touched().unwrap_or_default();
        let needs = self.impact.seeds().iter().chain(touched).flat_map(|item| graph.dependents(*item).counted());
        // What has a withdrawn member is in doubt.
        let mut needs: Vec<NeedIx> = needs.copied().filter(|need| graph.head(*need).is_doubtful()).collect();
        needs.sort_unstable();
        needs.dedup();
        let members = needs.into_iter().flat_map(|need| graph.need(need).members);
        let among_seeds = |ix: &CiIx| self.impact.seeds().binary_search(&item(*ix)).is_ok();
        withdrawn(&self.view, members).filter(|ix| !among_seeds(ix)).collect()
    }

    /// Needs in the way whose rule nobody stated.
    fn note_missing_rules(&self, basis: &mut Basis) {
        let run = self.certainty.as_ref().map_or(&self.impact, |certainty| &certainty.pessimistic);
        let graph = &self.view.graph;
        let mut assumed = BTreeSet::new();
        for affected in run.affected() {
            for need in graph.dependents(affected.item).counted() {
                let is_assumed = || graph.need(*need).detail.is_some_and(|detail| detail.doubt.rule_assumed);
                if graph.head(*need).is_doubtful() && is_assumed() {
                    assumed.insert(*need);
                }
            }
        }
        if !assumed.is_empty() {
            let message = format!(
                "{} needs on the way have no stated rule; losses are bracketed between one and all",
                assumed.len()
            );
            basis.limit(LimitCode::RuleMissing, message);
        }
    }

    /// Needs in the way whose members share a load that nobody states: nothing tells what their loss costs.
    fn note_unloaded(&self, basis: &mut Basis) {
        let graph = &self.view.graph;
        let unloaded = |need: &NeedIx| {
            graph.head(*need).is_share() && matches!(graph.need(*need).rule(), Rule::Share { demand: None, .. })
        };
        let ways = self.impact.affected().flat_map(|affected| graph.dependents(affected.item).counted());
        let found: BTreeSet<NeedIx> = ways.copied().filter(unloaded).collect();
        if let Some(first) = found.first() {
            let need = graph.need(*first);
            let message = format!(
                "the members of {} needs share a load that nobody states, '{}' of '{}' first: nothing is lost by them, \
                 whatever fails; state their 'demand'",
                found.len(),
                title(&self.view.catalogue, &need).0,
                key_of(&self.view.catalogue, need.owner())
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
    }

    /// Undirected relationships of what is lost: loss may travel along them, and nobody has said
    /// which way. One between two lost items counts once.
    fn note_undirected(&self, basis: &mut Basis) {
        let catalogue = &self.view.catalogue;
        let mut kinds: BTreeMap<&Symbol, usize> = BTreeMap::new();
        let lost = self.impact.affected().map(|affected| ci_of(affected.item));
        for ix in lost.filter(|ix| self.view.briefs.had_undirected(*ix)) {
            let slot = catalogue.slot(ix);
            let there = slot.dependencies.iter().map(|ix| catalogue.relationship(*ix));
            let back = slot.dependents.iter().map(|ix| catalogue.relationship(*ix));
            for slot in there.chain(back.filter(|slot| !self.impact.loses(item(slot.dependent)))) {
                let record = &slot.relationship;
                if record.standing == Standing::Live && catalogue.is_undirected(&record.key.kind) {
                    *kinds.entry(&record.key.kind).or_default() += 1;
                }
            }
        }
        for (kind, count) in kinds {
            let message = format!(
                "{count} relationships '{kind}' of lost items have no direction; no loss is carried along them"
            );
            basis.limit(LimitCode::KindWithoutRule, message);
            if let Some(limit) = basis.limits.last_mut() {
                limit.subject = Some(kind.to_string());
            }
        }
    }
}
