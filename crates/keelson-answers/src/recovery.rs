//! In which order things start, how long that takes, and what can never start (analyses 2.6).
//!
//! A service is up when it would not count as breached any more. Soft needs therefore take no part, but for services that
//! must deliver so much that a soft need alone breaches them: these start at the loss that does. Where facts are missing the times are spans: their lower end settles every doubt well,
//! their upper end badly.

mod levels;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::recovery::{
    BreakGlass, Budget, OwnTime, Question, Recovery, Span, Started, blockage, break_glass,
};
use keelson_analysis::{Pool, Reading};
use keelson_graph::{ItemIx, NeedIx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Minutes, Money, Worth, is_agreement, number, rests_on_needs, value_per_hour};
use crate::chances::FEWEST_ITEMS;
use crate::needs::title;
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

use levels::{FOR_EVER, Runs, Scene, Starts, losses};

/// What is off, and what is to be up again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RecoveryQuestion {
    /// What is to be up again, by key; empty means every service.
    pub services: Vec<String>,
    /// What was lost, by key; what depends on it is off with it. Empty means that everything is off.
    pub lost: Vec<String>,
    /// Most services, steps and items listed.
    pub most: usize,
    /// Starts that the search for ways around a circle may try; 0 leaves it out.
    pub budget: u32,
}

/// How a service fares against its recovery time objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryOutcome {
    /// It cannot start.
    Stuck,
    /// It cannot start if doubts are settled badly.
    PossiblyStuck,
    /// It is up too late.
    Missed,
    /// It may be up too late.
    MayMiss,
    /// It is up in time by what is known; how long something on its way takes, nobody states.
    Open,
    /// Nobody stated an objective.
    NoObjective,
    /// It is up in time.
    Met,
    /// It never went off.
    Unaffected,
    /// The search was cut short.
    Unknown,
}

/// A step of the order of recovery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartLine {
    /// What starts.
    #[serde(flatten)]
    pub subject: Subject,
    /// How long it takes itself.
    pub own: Minutes,
    /// When it is up, counted from the beginning.
    pub up: Minutes,
    /// What it waited for last, by key; absent where it waits for nothing.
    pub after: Option<String>,
    /// Whether its own time is stated by nobody, and taken from its class.
    pub is_assumed: bool,
}

/// How one service recovers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRecovery {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// What an hour without it costs, where stated.
    pub value_per_hour: Option<Money>,
    /// How it fares.
    pub outcome: RecoveryOutcome,
    /// Its recovery time objective, where stated.
    pub objective_minutes: Option<f64>,
    /// When it is up; absent when it cannot start or never went off.
    pub up: Option<Minutes>,
    /// How much too late it is; absent when it is not.
    pub late: Option<Minutes>,
    /// What its time is made of: from the first start to its own.
    pub critical_path: Vec<StartLine>,
    /// What it waits for of which nobody states how long it takes, nor does anything of the same class, by key: the way
    /// that could take longest. Empty where every time that decides is known or bracketed.
    pub unknown: Vec<String>,
}

/// One who waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitLine {
    /// Who, by key.
    pub item: String,
    /// Which need of it does not hold.
    pub need: String,
    /// For whom, by key; absent where the need cannot hold even with every member up.
    pub waits_for: Option<String>,
}

/// Needs without which everything asked about can start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WayLine {
    /// What to make dispensable at a start.
    pub needs: Vec<DispensableNeed>,
    /// When everything asked about is up then.
    pub up_minutes: f64,
}

/// A need that is dispensable at a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DispensableNeed {
    /// Whose, by key.
    pub item: String,
    /// What it is called.
    pub need: String,
    /// Its members, by key.
    pub members: Vec<String>,
}

/// The order of recovery, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// What was lost, by key; empty means that everything was off.
    pub lost: Vec<String>,
    /// The services, those that cannot start first, then those that are too late, then those worth most.
    pub services: Vec<ServiceRecovery>,
    /// How many services were looked at.
    pub service_count: usize,
    /// How many items start again.
    pub started_count: usize,
    /// How many of them are up at once: they wait for nothing and are known to take no time.
    pub at_once_count: usize,
    /// The order of recovery of the others.
    pub order: Vec<StartLine>,
    /// How many items cannot start.
    pub stuck_count: usize,
    /// Those items.
    pub stuck: Vec<Subject>,
    /// Who waits for whom, closed: the circle that keeps the first of them from starting.
    pub circle: Vec<WaitLine>,
    /// Ways around the circles, the fastest first.
    pub ways: Vec<WayLine>,
    /// Whether no smaller set of needs would do.
    pub is_smallest: bool,
    /// What cannot start even without any need that matters at a start alone, by key.
    pub hopeless: Vec<String>,
    /// How many of the items that start state no recovery time.
    pub assumed_count: usize,
    /// The first of them, by key.
    pub assumed: Vec<String>,
    /// How many of them count as 0 minutes because no more than one other of their class states one: times are at least so long.
    pub unknown_count: usize,
}

/// Finds the order of recovery.
///
/// # Errors
/// When something asked about is unknown or takes no part in analyses.
pub fn recovery(
    view: &View,
    question: &RecoveryQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<RecoveryAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let wanted = services(view, &question.services)?;
    let mut lost = question.lost.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
    lost.sort_unstable();
    lost.dedup();
    let times = Times::of(view);
    let losses = losses(view, &lost, asked, pool)?;
    let scene = Scene { view, is_everything: lost.is_empty(), losses: &losses, times: &times, stop };
    let (whole, raised) = scene.at_levels(&wanted)?;
    let starts = Starts::of(&wanted, &whole, &raised);
    note(&mut basis, view, &starts, &times);
    let stuck_at = starts.stuck_at(&wanted, &whole, &raised);
    let as_written = scene.asking(stuck_at, Reading::AsWritten);
    let way = around(view, question, &as_written, &stuck_at.runs.main, &wanted, &times)?;
    if way.is_cut && question.budget > 0 {
        basis.remark(
            LimitCode::ExactBudget,
            "the search for ways around the circles ended because its budget was spent",
        );
    }
    let mut runs = vec![&whole.runs; wanted.len()];
    for at in &raised {
        at.places.iter().for_each(|place| runs[*place] = &at.runs);
    }
    let of_each = wanted.iter().zip(runs);
    let mut found: Vec<ServiceRecovery> =
        of_each.map(|(service, runs)| of_service(view, runs, *service, &times, question.most)).collect();
    rank(&mut found, &mut basis);
    let keys = |items: &[ItemIx]| items.iter().take(question.most).map(|item| key_of(&view.catalogue, *item)).collect();
    basis.page("services", question.most.min(found.len()), found.len());
    let takes_time = |one: &&Started| one.up.most > 0 || times.is_unknown(view, one.item);
    let order: Vec<&Started> = starts.order.iter().filter(takes_time).collect();
    basis.page("steps", question.most.min(order.len()), order.len());
    basis.page("items that cannot start", question.most.min(starts.stuck.len()), starts.stuck.len());
    let met = starts.order.iter().map(|one| one.item).chain(starts.stuck.iter().copied());
    basis.rests_on(view, met.map(ci_of), asked);
    let (service_count, started_count) = (found.len(), starts.order.len());
    found.truncate(question.most);
    Ok(RecoveryAnswer {
        lost: keys(&lost),
        services: found,
        service_count,
        started_count,
        at_once_count: started_count - order.len(),
        order: order.into_iter().take(question.most).map(|one| line(view, one, &times)).collect(),
        stuck_count: starts.stuck.len(),
        stuck: starts.stuck.iter().take(question.most).map(|item| Subject::of(&view.catalogue, ci_of(*item))).collect(),
        circle: circle(view, &as_written, &stuck_at.runs.main, &wanted),
        is_smallest: way.is_smallest,
        hopeless: keys(&way.hopeless),
        ways: way.ways.iter().map(|way| way_line(view, &way.needs, way.up)).collect(),
        assumed_count: starts.assumed.len(),
        assumed: keys(&starts.assumed),
        unknown_count: starts.assumed.iter().filter(|item| times.is_unknown(view, **item)).count(),
        basis,
    })
}

/// Recovery times: stated, or bracketed by what others of the class state.
struct Times {
    /// The range of a class, and how many of it state a time.
    by_class: BTreeMap<String, (Span, usize)>,
}

impl Times {
    fn of(view: &View) -> Self {
        let mut by_class: BTreeMap<String, (Span, usize)> = BTreeMap::new();
        for item in view.graph.item_numbers() {
            let Some(seconds) = stated(view, item) else { continue };
            let class = view.catalogue.ci(ci_of(item)).class.to_string();
            let (span, items) = by_class.entry(class).or_insert((Span::known(seconds), 0));
            *span = Span { least: span.least.min(seconds), most: span.most.max(seconds) };
            *items += 1;
        }
        Self { by_class }
    }

    fn own(&self, view: &View, item: ItemIx) -> OwnTime {
        match stated(view, item) {
            Some(seconds) => OwnTime::Stated(seconds),
            // A service is up when what it needs is.
            None if starts_by_itself(view, item) || rests_on_needs(view, item) => OwnTime::Stated(0),
            None => OwnTime::Assumed(self.of_class(view, item).unwrap_or_default()),
        }
    }

    /// As [`Times::own`], but what nobody knows takes for ever at most.
    fn open(&self, view: &View, item: ItemIx) -> OwnTime {
        if self.is_unknown(view, item) {
            return OwnTime::Assumed(Span { least: 0, most: FOR_EVER });
        }
        self.own(view, item)
    }

    /// Whether neither an item nor enough of its class states a time.
    fn is_unknown(&self, view: &View, item: ItemIx) -> bool {
        matches!(self.own(view, item), OwnTime::Assumed(_)) && self.of_class(view, item).is_none()
    }

    fn of_class(&self, view: &View, item: ItemIx) -> Option<Span> {
        let (span, items) = self.by_class.get(view.catalogue.ci(ci_of(item)).class.as_str())?;
        // What a single item states is no range: others may take anything.
        (*items >= FEWEST_ITEMS).then_some(*span)
    }
}

/// What nobody has to start: what was signed, and people.
fn starts_by_itself(view: &View, item: ItemIx) -> bool {
    let class = &view.catalogue.ci(ci_of(item)).class;
    let is_a = |other| view.catalogue.schema().classes.is_a(class, other);
    is_agreement(view, item) || (is_a("party") && !is_a("supplier"))
}

/// The recovery time an item states, in seconds.
fn stated(view: &View, item: ItemIx) -> Option<u64> {
    let seconds = number(view, item, "recovery_minutes")? * 60.0;
    // Attributes are checked to be no less than 0, and a start of more than 10^12 seconds is none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here")]
    Some(seconds.round().clamp(0.0, 1e12) as u64)
}

fn note(basis: &mut Basis, view: &View, starts: &Starts, times: &Times) {
    if starts.is_cut {
        basis.limit(LimitCode::Deadline, "the time for the answer was up before every start was found");
    }
    let assumed = starts.assumed.len();
    if assumed == 0 {
        return;
    }
    let unknown = starts.assumed.iter().filter(|item| times.of_class(view, **item).is_none()).count();
    let message = match unknown {
        0 => format!("{assumed} items state no recovery time; the range stated by others of their class is taken"),
        unknown => format!(
            "{assumed} items state no recovery time; for {unknown} of them no more than one other of their class states \
             one either, and they count as 0 minutes: the true times are later"
        ),
    };
    basis.limit(LimitCode::FigureMissing, message);
}

fn of_service(view: &View, runs: &Runs, service: ItemIx, times: &Times, most: usize) -> ServiceRecovery {
    let objective = number(view, service, "rto_minutes");
    let up = |run: &Recovery| run.of(service).map(|one| one.up);
    // Where others are enough, what nobody knows takes no longer than they do.
    let bounded = runs.open.as_ref().and_then(up).filter(|up| up.most < FOR_EVER);
    let (best, worst) = (up(&runs.best), bounded.or(up(&runs.worst)));
    let span = |least: Span, most: Span| Minutes { least: minutes(least.least), most: minutes(most.most) };
    let is_stuck = |run: &Recovery| run.stuck.binary_search(&service).is_ok();
    let is_cut = runs.is_cut();
    let unknown = unknown(view, runs, service, times, most);
    let when = best.or(up(&runs.main)).map(|least| span(least, worst.or(up(&runs.main)).unwrap_or(least)));
    let late = |when: Minutes, within: f64| Minutes { least: (when.least - within).max(0.0), most: when.most - within };
    let outcome = match (when, objective) {
        _ if is_cut => RecoveryOutcome::Unknown,
        _ if is_stuck(&runs.main) || is_stuck(&runs.best) => RecoveryOutcome::Stuck,
        _ if is_stuck(&runs.worst) => RecoveryOutcome::PossiblyStuck,
        (None, _) => RecoveryOutcome::Unaffected,
        (Some(_), None) => RecoveryOutcome::NoObjective,
        (Some(when), Some(within)) if when.least > within => RecoveryOutcome::Missed,
        (Some(when), Some(within)) if when.most > within => RecoveryOutcome::MayMiss,
        _ if !unknown.is_empty() => RecoveryOutcome::Open,
        _ => RecoveryOutcome::Met,
    };
    let is_late = matches!(outcome, RecoveryOutcome::Missed | RecoveryOutcome::MayMiss);
    let path = runs.main.critical_path(service);
    ServiceRecovery {
        subject: Subject::of(&view.catalogue, ci_of(service)),
        value_per_hour: value_per_hour(view, service),
        outcome,
        objective_minutes: objective,
        up: when.filter(|_| !matches!(outcome, RecoveryOutcome::Stuck | RecoveryOutcome::Unknown)),
        late: when.zip(objective).filter(|_| is_late).map(|(when, within)| late(when, within)),
        critical_path: path.iter().take(most).map(|one| line(view, one, times)).collect(),
        unknown,
    }
}

/// The items on the way that takes for ever which do so themselves.
fn unknown(view: &View, runs: &Runs, service: ItemIx, times: &Times, most: usize) -> Vec<String> {
    let Some(open) = &runs.open else { return Vec::new() };
    if open.of(service).is_none_or(|started| started.up.most < FOR_EVER) {
        return Vec::new();
    }
    let path = open.critical_path(service);
    let unknown = path.iter().filter(|started| times.is_unknown(view, started.item)).take(most);
    unknown.map(|started| key_of(&view.catalogue, started.item)).collect()
}

fn rank(found: &mut [ServiceRecovery], basis: &mut Basis) {
    let worth = Worth::of(found.iter().filter_map(|one| one.value_per_hour.clone()));
    worth.note(basis);
    found.sort_by(|a, b| {
        let (value, other) = (a.value_per_hour.as_ref(), b.value_per_hour.as_ref());
        let order = a.outcome.cmp(&b.outcome).then_with(|| worth.compare(value, other));
        order.then_with(|| a.subject.key.cmp(&b.subject.key))
    });
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a recovery are far below 2^52")]
fn minutes(seconds: u64) -> f64 {
    seconds as f64 / 60.0
}

fn line(view: &View, started: &Started, times: &Times) -> StartLine {
    let span = |span: Span| Minutes { least: minutes(span.least), most: minutes(span.most) };
    StartLine {
        subject: Subject::of(&view.catalogue, ci_of(started.item)),
        own: span(started.own),
        up: span(started.up),
        after: started.after.map(|item| key_of(&view.catalogue, item)),
        is_assumed: matches!(times.own(view, started.item), OwnTime::Assumed(_)),
    }
}

/// The circle that keeps the first service, or else the first item, from starting.
fn circle(view: &View, question: &Question<'_>, run: &Recovery, wanted: &[ItemIx]) -> Vec<WaitLine> {
    let stuck = wanted.iter().find(|service| run.stuck.binary_search(service).is_ok());
    let Some(first) = stuck.or(run.stuck.first()) else { return Vec::new() };
    let Some(blockage) = blockage(&view.graph, question, run, *first) else { return Vec::new() };
    let from = blockage.circle.unwrap_or(0);
    let key = |item: ItemIx| key_of(&view.catalogue, item);
    let waits = blockage.waits[from..].iter();
    waits
        .map(|wait| WaitLine {
            item: key(wait.item),
            need: title(&view.catalogue, &view.graph.need(wait.need)).0,
            waits_for: wait.waits_for.map(key),
        })
        .collect()
}

fn around(
    view: &View,
    question: &RecoveryQuestion,
    asking: &Question<'_>,
    run: &Recovery,
    wanted: &[ItemIx],
    times: &Times,
) -> Result<BreakGlass, QuestionError> {
    if run.stuck.is_empty() || question.budget == 0 {
        return Ok(BreakGlass::default());
    }
    let budget = Budget { evaluations: question.budget, ..Budget::default() };
    let own = |item: ItemIx| match times.own(view, item) {
        OwnTime::Stated(seconds) => seconds,
        OwnTime::Assumed(span) => span.most,
    };
    let is_stuck = |service: &&ItemIx| run.stuck.binary_search(service).is_ok();
    let goals: Vec<ItemIx> = wanted.iter().filter(is_stuck).copied().collect();
    let goals = if goals.is_empty() { None } else { Some(&goals[..]) };
    Ok(break_glass(&view.graph, asking, goals, &budget, own)?)
}

fn way_line(view: &View, needs: &[NeedIx], up: u64) -> WayLine {
    let dispensable = |need: &NeedIx| {
        let need = view.graph.need(*need);
        DispensableNeed {
            item: key_of(&view.catalogue, need.owner()),
            need: title(&view.catalogue, &need).0,
            members: need.members.iter().map(|member| key_of(&view.catalogue, *member)).collect(),
        }
    };
    WayLine { needs: needs.iter().map(dispensable).collect(), up_minutes: minutes(up) }
}
