//! What one request for change does to services, alone and with the others planned then.
//!
//! [`assess`] computes, [`ChangeAnswer`] is what people see, and [`ChangeAnswer::frozen`] what a request
//! keeps of it. The change is looked at on top of what is down anyway (`Standing`); what somebody judged
//! by hand to be not impacted stops the spread there, and the answer names it.

mod answer;
mod calendar;
mod effects;
mod joint;
mod lines;
mod overload;
pub(crate) mod parties;
mod picture;
mod risk;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::impact::Seed;
use keelson_analysis::{Limits, Pool};
use keelson_change::Policy;
use keelson_graph::{Changes, ItemIx};
use keelson_model::{CiId, RequestForChange, Window};

pub use answer::{ChangeAnswer, Summary};
pub use lines::{
    AlterationLine, ChangeLine, CollisionLine, EffectLine, NotImpactedLine, PointFailure, ShiftLine, StandingLine,
    ViolationLine,
};
pub use picture::{Picture, PictureEdge, PictureNode, PictureState, USUAL_ITEMS, picture};
pub use risk::{ExpectedLine, RiskLine, has_failed, histories};

use crate::capacity::during::{Meanwhile, during};
use crate::impact::{Assessment, ImpactQuestion, assess_items};
use crate::register::{in_force, listed};
use crate::{Asked, LimitCode, QuestionError, Subject, View, item};

/// What is asked about a request.
#[derive(Clone, Copy, Debug)]
pub struct ChangeQuestion<'a> {
    /// The request.
    pub request: &'a RequestForChange,
    /// What the organisation decided for itself.
    pub policy: &'a Policy,
    /// Propagations the search for decisive facts may compute.
    pub budget: usize,
    /// Most lines of a list.
    pub most: usize,
    /// Raised by somebody who watches the clock, or who no longer wants the answer, which then says so.
    pub stop: Option<&'a AtomicBool>,
}

/// What all parts of an assessment share.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) question: &'a ChangeQuestion<'a>,
    /// The view in which nothing spreads through what the request marks.
    pub(crate) view: &'a View,
    pub(crate) marks: &'a Marks<'a>,
    pub(crate) asked: Asked,
    pub(crate) pool: &'a Pool,
}

/// Something that is down anyway while the question's window lasts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) seed: Seed,
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) line: StandingLine,
}

/// What a request takes from its items, by numbers of the graph; and those that take no part in it.
pub(crate) fn seeds_of(view: &View, request: &RequestForChange) -> (Vec<Seed>, Vec<String>) {
    let (mut seeds, mut left_out) = (Vec::new(), Vec::new());
    for alteration in request.alterations.iter().filter(|alteration| alteration.action.loss() > 0.0) {
        let found = view.catalogue.find_id(alteration.ci);
        match found.filter(|ix| view.graph.contains(item(*ix))) {
            Some(ix) => seeds.push(Seed { item: item(ix), loss: alteration.action.loss() }),
            None => left_out
                .push(found.map_or_else(|| alteration.ci.to_string(), |ix| view.catalogue.ci(ix).key.to_string())),
        }
    }
    (seeds, left_out)
}

/// What is down anyway at some time within a window.
pub(crate) fn standing_within(view: &View, window: Window) -> Vec<Standing> {
    let disruptions = view.catalogue.disruptions().map(|kept| &kept.record);
    let there =
        disruptions.filter(|one| one.from < window.end() && one.until.is_none_or(|until| window.start() < until));
    let standing = there.filter_map(|one| {
        let ix = view.catalogue.find_id(one.ci).filter(|ix| view.graph.contains(item(*ix)))?;
        Some(Standing {
            seed: Seed { item: item(ix), loss: one.loss },
            id: one.id.to_string(),
            version: one.version,
            from: one.from,
            until: one.until,
            line: StandingLine {
                subject: Subject::of(&view.catalogue, ix),
                kind: one.kind,
                loss: one.loss,
                from: one.from,
                until: one.until,
                reference: one.reference.as_deref().map(str::to_owned),
            },
        })
    });
    standing.collect()
}

/// What a request marks as not impacted.
pub(crate) struct Marks<'a> {
    /// The view as it is without the request's marks.
    real: &'a View,
    items: Vec<ItemIx>,
}

impl<'a> Marks<'a> {
    fn of(real: &'a View, request: &RequestForChange) -> Self {
        let marked = request.not_impacted.iter().filter_map(|marked| real.catalogue.find_id(marked.ci));
        Self { real, items: marked.map(item).filter(|item| real.graph.contains(*item)).collect() }
    }

    /// The view in which nothing spreads through the marked items.
    fn judged(&self) -> Result<View, QuestionError> {
        if self.items.is_empty() {
            return Ok(self.real.clone());
        }
        let mut changes = Changes::new();
        for item in &self.items {
            changes.replace_needs(*item, Vec::new());
        }
        let graph = self.real.graph.with_changes(changes).map_err(QuestionError::Graph)?;
        Ok(View { graph: Arc::new(graph), ..self.real.clone() })
    }

    /// What is down for another reason than the request, with what marked items lose to it: a mark is about
    /// the request, and not about what else happens.
    pub(crate) fn carried(&self, mut down: Vec<Seed>, pool: &Pool) -> Result<Vec<Seed>, QuestionError> {
        if self.items.is_empty() || down.is_empty() {
            return Ok(down);
        }
        let question = keelson_analysis::impact::Question::about(&down);
        let lost = keelson_analysis::impact::impact(&self.real.graph, &question, pool)?;
        let seeds = self.items.iter().map(|item| Seed { item: *item, loss: lost.loss(*item) });
        let seeds: Vec<Seed> = seeds.filter(|seed| seed.loss > 0.0).collect();
        down.extend(seeds);
        Ok(down)
    }
}

/// The times a request is about: its window, or the hour it is asked when it has none yet.
pub(crate) fn window_of(request: &RequestForChange, asked: Asked) -> Window {
    let hour = || Window::new(asked.at, asked.at + TimeDelta::hours(1)).ok();
    request.window.or_else(hour).unwrap_or_else(|| unreachable!("an hour is a window"))
}

/// Assesses a request.
///
/// # Errors
/// When the analyses refuse: a stored need that cannot be drawn, which no write lets in.
pub fn assess(
    view: &View,
    question: &ChangeQuestion<'_>,
    asked: Asked,
    pool: &Pool,
) -> Result<ChangeAnswer, QuestionError> {
    let request = question.request;
    let marks = Marks::of(view, request);
    let view = marks.judged()?;
    let window = window_of(request, asked);
    let (seeds, left_out) = seeds_of(&view, request);
    let standing = standing_within(&view, window);
    let setting = Setting { question, view: &view, marks: &marks, asked, pool };
    let computed = compute(setting, &seeds, &standing, window)?;
    let mut basis = computed.assessment.basis().clone();
    if !left_out.is_empty() {
        let message = format!("{} altered items take no part in analyses: {}", left_out.len(), left_out.join(", "));
        basis.limit(LimitCode::NotInService, message);
    }
    let before = losses(&computed, &computed.before);
    let meanwhile = losses(&computed, computed.assessment.impact());
    let Meanwhile { lines: loads, shortfalls } =
        during(&view, (&meanwhile, &before), window, question.stop, &mut basis)?;
    let overload = overload::of(setting, &computed, &shortfalls)?;
    let effects = effects::of(&computed, &overload, question, &mut basis);
    let joint = joint::of(setting, &seeds, &computed.reached, &mut basis)?;
    let entries = match request.window {
        Some(window) => in_force(&view, window.through(request.shadow()), &mut basis),
        None => Vec::new(),
    };
    let violations = calendar::violations(&view, request, &entries, &computed, &effects, question.policy, pool);
    let calendar = listed(&view, entries, question.most, &mut basis);
    basis.stopped(question.stop);
    Ok(answer::write(&answer::Parts {
        view: &view,
        question,
        asked,
        window,
        computed: &computed,
        standing,
        effects,
        joint,
        violations,
        calendar,
        loads,
        basis,
    }))
}

/// What has lost something of what the change touches, and how much of it, in the order of the items.
fn losses(computed: &Computed, impact: &keelson_analysis::impact::Impact) -> Vec<(ItemIx, f64)> {
    let all = computed.assessment.impact();
    let touched = all.touched().unwrap_or_default().iter().chain(all.seeds());
    let mut losses: Vec<(ItemIx, f64)> = touched.map(|item| (*item, impact.loss(*item))).collect();
    losses.retain(|(_, loss)| *loss > 0.0);
    losses.sort_by_key(|(item, _)| *item);
    losses.dedup_by_key(|(item, _)| *item);
    losses
}

/// The change on top of what is down anyway, and what is down anyway alone.
pub(crate) struct Computed {
    pub(crate) assessment: Assessment,
    /// Items the change itself can reach.
    pub(crate) reached: HashSet<ItemIx>,
    pub(crate) seeds: Vec<Seed>,
    /// The loss of each item before the change, where there is one.
    pub(crate) before: keelson_analysis::impact::Impact,
    /// The same of what is down from the beginning of the change to its end. Only what that takes is not
    /// taken by the change.
    pub(crate) throughout: keelson_analysis::impact::Impact,
}

fn compute(
    setting: Setting<'_>,
    seeds: &[Seed],
    standing: &[Standing],
    window: Window,
) -> Result<Computed, QuestionError> {
    use keelson_analysis::impact::{Question, impact};
    let Setting { question, view, marks, asked, pool } = setting;
    let limits = Limits { stop: question.stop, ..Limits::default() };
    let down = marks.carried(standing.iter().map(|one| one.seed).collect(), pool)?;
    let all = down.iter().chain(seeds).copied();
    let question = ImpactQuestion { seeds: Vec::new(), interval: None, budget: question.budget, limits };
    let assessment = assess_items(view, all.map(|seed| (seed.item, seed.loss)).collect(), &question, asked, pool)?;
    let lost_to =
        |down: &[Seed]| impact(&view.graph, &Question { touched: false, limits, ..Question::about(down) }, pool);
    let lasts = |one: &&Standing| one.from <= window.start() && one.until.is_none_or(|until| window.end() <= until);
    let before = lost_to(&down)?;
    let lasting = standing.iter().filter(lasts).map(|one| one.seed).collect();
    let throughout = lost_to(&marks.carried(lasting, pool)?)?;
    let alone = impact(&view.graph, &Question { limits, ..Question::about(seeds) }, pool)?;
    let reached = alone.touched().unwrap_or_default().iter().copied();
    let reached = reached.chain(seeds.iter().map(|seed| seed.item)).collect();
    Ok(Computed { assessment, reached, seeds: seeds.to_vec(), before, throughout })
}

/// The id of an item of the graph.
pub(crate) fn id_of(view: &View, item: ItemIx) -> CiId {
    view.catalogue.ci(keelson_catalogue::CiIx(item.0)).id
}
