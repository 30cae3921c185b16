//! Starts at the loss at which each service counts as breached.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use keelson_analysis::recovery::{Off, Question, Recovery, Started, recovery as start};
use keelson_analysis::{Limits, Pool, Reading};
use keelson_graph::ItemIx;

use super::Times;
use crate::impact::{ImpactQuestion, assess};
use crate::single_points::{Level, levels};
use crate::subject::key_of;
use crate::{Asked, QuestionError, View};

/// Seconds that what nobody knows takes, for the question whether it matters: longer than anything that is stated.
pub(super) const FOR_EVER: u64 = 1 << 50;

/// The loss of what is gone.
const WHOLLY: f64 = 1.0;

/// The runs of one question at one level of loss.
pub(super) struct Runs {
    /// As written.
    pub(super) main: Recovery,
    /// Every doubt settled well.
    pub(super) best: Recovery,
    /// Every doubt settled badly.
    pub(super) worst: Recovery,
    /// Every doubt settled badly, and what nobody knows takes for ever; absent where everything is known.
    pub(super) open: Option<Recovery>,
}

impl Runs {
    pub(super) fn is_cut(&self) -> bool {
        let open = self.open.as_ref().is_some_and(|open| open.is_cut);
        self.main.is_cut || self.best.is_cut || self.worst.is_cut || open
    }
}

/// What is off, and how long things take.
pub(super) struct Scene<'a> {
    pub(super) view: &'a View,
    /// Whether everything is off.
    pub(super) is_everything: bool,
    /// What loses anything with what was lost, and how much of it.
    pub(super) losses: &'a [(ItemIx, f64)],
    pub(super) times: &'a Times,
    pub(super) stop: Option<&'a AtomicBool>,
}

/// How everything starts for services that count as breached at the same loss.
pub(super) struct AtLevel {
    /// That loss.
    level: f64,
    /// What is off: what loses so much.
    down: Vec<ItemIx>,
    /// The places of the services in the list of those asked about.
    pub(super) places: Vec<usize>,
    pub(super) runs: Runs,
}

impl Scene<'_> {
    /// How everything starts where only a whole loss counts, and for each lower loss at which services asked about count as
    /// breached.
    pub(super) fn at_levels(&self, wanted: &[ItemIx]) -> Result<(AtLevel, Vec<AtLevel>), QuestionError> {
        let mut whole = self.at(Level { level: WHOLLY, places: Vec::new() })?;
        let mut raised = Vec::new();
        for level in levels(self.view, wanted) {
            if level.level >= WHOLLY {
                whole.places.extend(level.places);
            } else {
                raised.push(self.at(level)?);
            }
        }
        Ok((whole, raised))
    }

    fn at(&self, Level { level, places }: Level) -> Result<AtLevel, QuestionError> {
        let down: Vec<ItemIx> = self.losses.iter().filter(|(_, loss)| *loss >= level).map(|(item, _)| *item).collect();
        let asking = |reading| self.question(&down, level, reading);
        let (view, times) = (self.view, self.times);
        let run = |reading| start(&view.graph, &asking(reading), |item| times.own(view, item));
        let main = run(Reading::AsWritten)?;
        let is_open = main.assumed.iter().any(|item| times.is_unknown(view, *item));
        let open = is_open.then(|| start(&view.graph, &asking(Reading::Pessimistic), |item| times.open(view, item)));
        let (best, worst) = (run(Reading::Optimistic)?, run(Reading::Pessimistic)?);
        let runs = Runs { main, best, worst, open: open.transpose()? };
        Ok(AtLevel { level, down, places, runs })
    }

    /// The question that a run answered.
    pub(super) fn asking<'b>(&'b self, at: &'b AtLevel, reading: Reading) -> Question<'b> {
        self.question(&at.down, at.level, reading)
    }

    fn question<'b>(&'b self, down: &'b [ItemIx], level: f64, reading: Reading) -> Question<'b> {
        let off = if self.is_everything { Off::Everything } else { Off::Items(down) };
        Question { reading, level, stop: self.stop, ..Question::of(off) }
    }
}

/// What starts and what cannot, each service asked about at its own level and everything else at a whole loss.
pub(super) struct Starts {
    /// What starts, in the order in which it is up.
    pub(super) order: Vec<Started>,
    /// What cannot start, ascending.
    pub(super) stuck: Vec<ItemIx>,
    /// What starts in a time that nobody stated, ascending.
    pub(super) assumed: Vec<ItemIx>,
    /// Whether a run was cut short.
    pub(super) is_cut: bool,
}

impl Starts {
    pub(super) fn of(wanted: &[ItemIx], whole: &AtLevel, raised: &[AtLevel]) -> Self {
        let main = &whole.runs.main;
        let mut stuck: BTreeSet<ItemIx> = main.stuck.iter().copied().collect();
        let mut assumed: BTreeSet<ItemIx> = main.assumed.iter().copied().collect();
        let mut own = BTreeSet::new();
        let mut later = Vec::new();
        for at in raised {
            let run = &at.runs.main;
            for service in at.places.iter().map(|place| wanted[*place]) {
                own.insert(service);
                later.extend(run.of(service).copied());
                if run.stuck.binary_search(&service).is_ok() {
                    stuck.insert(service);
                }
                let on_its_way = run.critical_path(service).into_iter().map(|one| one.item);
                assumed.extend(on_its_way.filter(|one| run.assumed.binary_search(one).is_ok()));
            }
        }
        let mut order: Vec<Started> = main.order.iter().filter(|one| !own.contains(&one.item)).copied().collect();
        if !later.is_empty() {
            order.extend(later);
            // What is up at the same time stays in the order in which it is needed.
            order.sort_by_key(|one| one.up.most);
        }
        let is_cut = whole.runs.is_cut() || raised.iter().any(|at| at.runs.is_cut());
        Self { order, stuck: stuck.into_iter().collect(), assumed: assumed.into_iter().collect(), is_cut }
    }

    /// The level at which somebody is stuck: of a service asked about, where there is one.
    pub(super) fn stuck_at<'a>(&self, wanted: &[ItemIx], whole: &'a AtLevel, raised: &'a [AtLevel]) -> &'a AtLevel {
        let is_stuck =
            |at: &&AtLevel| at.places.iter().any(|place| at.runs.main.stuck.binary_search(&wanted[*place]).is_ok());
        [whole].into_iter().chain(raised).find(is_stuck).unwrap_or(whole)
    }
}

/// What loses anything with some items, themselves among it, and how much of it; ascending.
pub(super) fn losses(
    view: &View,
    lost: &[ItemIx],
    asked: Asked,
    pool: &Pool,
) -> Result<Vec<(ItemIx, f64)>, QuestionError> {
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let seeds = lost.iter().map(|item| (key_of(&view.catalogue, *item), 1.0)).collect();
    let question = ImpactQuestion { seeds, interval: None, budget: 0, limits: Limits::default() };
    let found = assess(view, &question, asked, pool)?;
    let losses = view.graph.item_numbers().map(|item| (item, found.impact().loss(item)));
    Ok(losses.filter(|(_, loss)| *loss > 0.0).collect())
}
