//! One service: what is promised, contracted and observed.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::availability::{Availability, Budget, Chance, Composition, Question, availability as solve};
use keelson_analysis::importance::{Weight, importance};
use keelson_analysis::{Limits, Pool, Reading, Scratch, closure};
use keelson_graph::ItemIx;

use super::composed::Composing;
use super::force::{Agreed, out_of_force};
use super::{
    ComposedTerm, Cut, Level, MOST_COMPOSED, PERIOD_MINUTES, PromiseLine, TERMS_OF_EACH, TermLine, WeakContract, target,
};
use crate::attributes::{number, rests_on_needs, unavailability};
use crate::chances::{Chances, class_range};
use crate::subject::{ci_of, key_of};
use crate::{Asked, QuestionError, Subject, View};

/// One service, compared.
pub(super) struct Compared<'a> {
    pub(super) view: &'a View,
    pub(super) asked: Asked,
    pub(super) service: ItemIx,
    pub(super) chances: &'a Chances<'a>,
    pub(super) agreed: &'a Agreed,
    pub(super) pool: &'a Pool,
    pub(super) stop: Option<&'a AtomicBool>,
    pub(super) most: usize,
    /// What one composition may take.
    pub(super) budget: Budget,
    /// What is known of it already with every figure as it is stated.
    pub(super) known: Option<Level>,
}

/// Which figures are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figures {
    Contracted,
    /// As contracted, but contracts that state no target never fail.
    Stated,
    Observed,
}

impl Compared<'_> {
    /// How likely something fails of itself under some figures.
    fn chance(&self, figures: Figures, reading: Reading, one: ItemIx) -> Chance {
        let view = self.view;
        if !self.chances.is_item(one) {
            return self.chances.read(one, reading);
        }
        let said = self.agreed.on(one);
        if figures != Figures::Observed {
            // What a contract in force with a target covers is in that target, whatever its own is.
            if !said.is_contract && said.is_covered {
                return Chance::NEVER;
            }
            if let Some(target) = said.pledged {
                return Chance::exactly(1.0 - target);
            }
            if said.is_contract {
                return if figures == Figures::Stated { Chance::NEVER } else { self.of_class(one) };
            }
            // Whoever stands behind a contract with a target is in that target.
            if said.is_behind {
                return Chance::NEVER;
            }
        }
        // What is measured of the service itself is what is compared; one that has needs fails through them.
        if one == self.service && rests_on_needs(view, one) {
            return Chance::NEVER;
        }
        if let Some(measured) = said.measured.filter(|_| one != self.service) {
            return Chance::exactly(1.0 - measured);
        }
        self.chances.read(one, reading)
    }

    /// A contract that states no target, or is not in force, promises nothing, so it may be anything, unless its class states a range.
    fn of_class(&self, contract: ItemIx) -> Chance {
        class_range(self.view, contract).unwrap_or(Chance::between(0.0, 1.0))
    }

    fn compose(&self, figures: Figures, reading: Reading) -> Result<Composition<'_>, QuestionError> {
        self.compose_with(figures, reading, |chance| chance)
    }

    fn compose_with(
        &self,
        figures: Figures,
        reading: Reading,
        end: impl Fn(Chance) -> Chance,
    ) -> Result<Composition<'_>, QuestionError> {
        let level = self.view.breach_level(self.service);
        let question =
            Question { level, reading, stop: self.stop, budget: self.budget, ..Question::about(self.service) };
        Ok(Composition::of(self.chances.graph(), &question, |one| end(self.chance(figures, reading, one)))?)
    }

    fn level(&self, figures: Figures) -> Result<Level, QuestionError> {
        let written = solve(&self.compose(figures, Reading::AsWritten)?);
        // With nothing in doubt beneath it, every reading is the same.
        let (best, worst) = if self.chances.is_certain(self.service) {
            (written.clone(), written.clone())
        } else {
            let other =
                |reading| -> Result<Availability, QuestionError> { Ok(solve(&self.compose(figures, reading)?)) };
            (other(Reading::Optimistic)?, other(Reading::Pessimistic)?)
        };
        Ok(Level::of(&written, &best, &worst))
    }

    pub(super) fn line(&self, cut: &mut Cut) -> Result<PromiseLine, QuestionError> {
        let view = self.view;
        let promised = target(view, self.service).unwrap_or(0.0);
        let cone = self.cone();
        let is_bought = cone.iter().chain([&self.service]).any(|one| self.agreed.on(*one).is_bought());
        // Where nothing is measured, what is observed is what is stated.
        let is_measured = |one: &ItemIx| self.agreed.on(*one).measured.is_some();
        let is_stated = unavailability(view, self.service).is_none() && !cone.iter().any(is_measured);
        let observed = match self.known.filter(|_| is_stated) {
            Some(known) => known,
            None => self.level(Figures::Observed)?,
        };
        // Where nothing is bought, nothing but what is observed is contracted.
        let contracted = if is_bought { self.level(Figures::Contracted)? } else { observed };
        let promised_minutes = (1.0 - promised) * PERIOD_MINUTES;
        let has_gap = match promised {
            promised if contracted.most < promised => Some(true),
            promised if contracted.least >= promised => Some(false),
            _ => None,
        };
        let contracts = if is_bought { self.contracts(promised)? } else { Vec::new() };
        let signed: Vec<ItemIx> = cone.iter().copied().filter(|one| self.agreed.on(*one).is_contract).collect();
        let (over, in_force): (Vec<ItemIx>, Vec<ItemIx>) =
            signed.iter().partition(|one| out_of_force(view, **one, self.asked).is_some());
        let without_target = in_force.iter().filter(|one| target(view, **one).is_none());
        let (composed, terms) = self.all_terms(&signed, cut)?;
        let gap = |availability: f64| (promised - availability) * PERIOD_MINUTES;
        Ok(PromiseLine {
            subject: Subject::of(&view.catalogue, ci_of(self.service)),
            promised,
            promised_minutes,
            contracted,
            observed,
            measured: number(view, self.service, "measured_availability"),
            gap_minutes: contracted.minutes - promised_minutes,
            gap_least: gap(contracted.most),
            gap_most: gap(contracted.least),
            has_gap,
            contracts,
            composed,
            terms,
            without_target: without_target.map(|one| key_of(&view.catalogue, *one)).collect(),
            not_in_force: over.iter().map(|one| key_of(&view.catalogue, *one)).collect(),
            without_figure: cone.iter().chain([&self.service]).filter(|one| self.agreed.on(**one).is_silent).count(),
        })
    }

    /// The terms of the contracts beneath the service: composed, and one by one.
    fn all_terms(&self, signed: &[ItemIx], cut: &mut Cut) -> Result<(Vec<ComposedTerm>, Vec<TermLine>), QuestionError> {
        let Self { view, asked, service, pool, stop, .. } = *self;
        let mut composed = Vec::new();
        if signed.len() > MOST_COMPOSED {
            cut.uncomposed.push(key_of(&view.catalogue, service));
        } else {
            composed = Composing { view, asked, service, contracts: signed, pool, stop }.all()?;
        }
        let mut terms = self.terms(signed)?;
        let room = self.most.saturating_mul(TERMS_OF_EACH);
        cut.terms += terms.len().saturating_sub(room);
        terms.truncate(room);
        Ok((composed, terms))
    }

    /// Everything the service rests on, ascending.
    fn cone(&self) -> Vec<ItemIx> {
        let mut scratch = Scratch::default();
        let limits = Limits { stop: self.stop, ..Limits::default() };
        closure::walk(&self.view.graph, &mut scratch, &[self.service], closure::Direction::Dependencies, &limits);
        let mut cone: Vec<ItemIx> = scratch.met().filter(|one| *one != self.service).collect();
        cone.sort_unstable();
        cone
    }

    /// The contracts by how much of the unavailability they are, and what each would need to promise. The unavailability
    /// is linear in the chance of one item, so the target needed is exact where the composition is.
    fn contracts(&self, promised: f64) -> Result<Vec<WeakContract>, QuestionError> {
        let at_worst = self.weights(End::Most, promised)?;
        let at_best: BTreeMap<ItemIx, Option<f64>> =
            self.weights(End::Least, promised)?.into_iter().map(|(weight, needed)| (weight.item, needed)).collect();
        let bought = at_worst
            .into_iter()
            .filter(|(weight, _)| self.chances.is_item(weight.item) && self.agreed.on(weight.item).pledged.is_some());
        let line = |(weight, needed): (Weight, Option<f64>)| WeakContract {
            subject: Subject::of(&self.view.catalogue, ci_of(weight.item)),
            target: 1.0 - weight.chance,
            criticality: weight.criticality,
            needed: at_best.get(&weight.item).copied().flatten(),
            needed_at_worst: needed,
        };
        Ok(bought.take(self.most).map(line).collect())
    }

    /// How much each item is of the unavailability, all chances at one end, and the availability of it that would keep
    /// the promise.
    fn weights(&self, end: End, promised: f64) -> Result<Vec<(Weight, Option<f64>)>, QuestionError> {
        let composition = self.compose_with(Figures::Stated, Reading::AsWritten, |chance| match end {
            End::Least => Chance::exactly(chance.least),
            End::Most => Chance::exactly(chance.most),
        })?;
        let found = solve(&composition);
        let (down, allowed) = (found.with_most.value, 1.0 - promised);
        let needed = |weight: &Weight| {
            let birnbaum = weight.birnbaum.value;
            let without = down - weight.chance * birnbaum;
            (birnbaum > 0.0 && without <= allowed).then(|| 1.0 - ((allowed - without) / birnbaum).min(1.0))
        };
        Ok(importance(&composition, &found).items.into_iter().map(|weight| (weight, needed(&weight))).collect())
    }
}

/// Which end of the chances is taken.
#[derive(Clone, Copy)]
enum End {
    Least,
    Most,
}
