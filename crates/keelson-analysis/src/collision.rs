//! Which changes break a service together that none of them breaks alone.
//!
//! Several changes are active at once. A set of two or more of them *collides* on a service if the
//! service is breached when all their items are down, but under no smaller part of the set (analyses
//! 2.3). Each change is one variable: it takes all its items down, or none. Collisions are joint
//! breaches of redundancy over the graph; nothing is inferred from two changes merely touching the
//! same service. Minimality removes noise: of three active changes only those at fault are named.
//!
//! Everything is evaluated on top of a starting state, the items that are down already. A change
//! *alone* therefore means that change and the starting state. A service that one change breaches
//! alone can still have collisions among the other changes, and they are found. A service that the
//! starting state breaches by itself has none.
//!
//! A service that is not breached, but loses more to the changes together than to any one of them,
//! is reported in the same way, with the minimal sets that cost it that much.
//!
//! There can be many minimal sets, and finding them all is hard in general; the question has a
//! budget, counted in evaluations of the graph, and an effect says when it may be incomplete.

use std::sync::{Arc, atomic::AtomicBool};

use keelson_graph::Snapshot;

use crate::{
    AnalysisError, Pool, Reading, Settled,
    certainty::Target,
    impact::{Seed, Verdict},
    interplay::Interplay,
    joint::{Found, Harm, Hunt, Joint, Losses, ROUNDING, Setting},
};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The active changes: what each of them takes down.
    pub changes: &'a [Vec<Seed>],
    /// What is down already.
    pub starting: &'a [Seed],
    /// The services watched, each with the smallest fraction it must deliver.
    pub services: &'a [Target],
    /// Which way doubts are read.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Evaluations of the graph, at most.
    pub budget: u32,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl<'a> Question<'a> {
    /// Evaluations allowed unless something else is said.
    pub const BUDGET: u32 = 100_000;

    /// What `changes` do to `services` together, every need as written, nothing down already.
    #[must_use]
    pub fn about(changes: &'a [Vec<Seed>], services: &'a [Target]) -> Self {
        Self {
            changes,
            starting: &[],
            services,
            reading: Reading::AsWritten,
            settled: None,
            budget: Self::BUDGET,
            stop: None,
        }
    }
}

/// What one change does to a service alone, on top of the starting state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alone {
    /// The change, by its place in the question.
    pub change: usize,
    /// The loss of the service, 0 to 1.
    pub loss: f64,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// Two or more changes that do together what no part of them does.
#[derive(Clone, Debug, PartialEq)]
pub struct Collision {
    /// The changes, by their places in the question, ascending.
    pub changes: Vec<usize>,
    /// The loss of the service under exactly these changes and the starting state, 0 to 1.
    pub loss: f64,
}

/// What the changes do to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The service, by its place in the question.
    pub service: usize,
    /// Its loss in the starting state, 0 to 1.
    pub before: f64,
    /// Its loss with all changes together, 0 to 1.
    pub together: f64,
    /// The verdict on it with all changes together.
    pub verdict: Verdict,
    /// The changes that cost it something beyond the starting state by themselves.
    pub alone: Vec<Alone>,
    /// The minimal sets of two or more changes that breach it; or, if it is not breached but loses
    /// more to all together than to any one, those that cost it as much as all together.
    pub collisions: Vec<Collision>,
    /// Whether there may be more collisions than listed, because the budget was used up.
    pub is_cut: bool,
}

/// What several changes do together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collisions {
    /// The services that lose something with all changes together, in the order of the question.
    pub effects: Vec<Effect>,
    /// Evaluations of the graph made.
    pub evaluations: u32,
    /// Whether the budget was used up or the stop flag raised; the effects may then lack services,
    /// single changes and collisions.
    pub is_truncated: bool,
}

/// Finds the collisions between changes that are active at the same time.
///
/// # Errors
/// When an item is not in the graph, or a loss lies outside 0..=1.
pub fn collisions(snapshot: &Snapshot, question: &Question<'_>, pool: &Pool) -> Result<Collisions, AnalysisError> {
    let Question { services, reading, settled, budget, stop, .. } = *question;
    let setting = Setting { snapshot, pool, services, reading, settled, budget, stop };
    let parts = question.changes.iter().map(Vec::as_slice).chain([question.starting]).collect();
    let mut joint = Joint::new(setting, parts)?;
    let starting = u32::try_from(question.changes.len()).expect("changes are numbered by u32");
    let effects = effects(&mut joint, starting);
    let is_truncated = joint.is_spent || effects.is_none();
    let mut effects = effects.unwrap_or_default();
    effects.iter_mut().for_each(|effect| effect.is_cut |= is_truncated);
    Ok(Collisions { effects, evaluations: joint.evaluations, is_truncated })
}

/// The effects on all services; `starting` is the part of the starting state, after all changes.
fn effects(joint: &mut Joint<'_>, starting: u32) -> Option<Vec<Effect>> {
    let standing = [starting];
    let mut interplay = Interplay::new(joint, starting as usize, &standing)?;
    let mut groups = interplay.groups(joint, &(0..starting).collect::<Vec<_>>())?;
    groups.retain(|group| group.len() > 1);
    let before = joint.losses(&standing)?;
    let all: Vec<u32> = (0..=starting).collect();
    let together = joint.losses(&all)?;
    let alone = (0..starting).map(|change| joint.losses(&[change, starting])).collect::<Option<Vec<_>>>()?;
    let single = |service: u32| -> Vec<(u32, f64)> {
        let loss = |losses: &Arc<Losses>| losses.of(service);
        (0..).zip(alone.iter().map(loss)).filter(|(_, loss)| *loss > before.of(service) + ROUNDING).collect()
    };
    let mut effects = Vec::new();
    for (service, loss) in together.iter() {
        let single = single(service);
        let verdict = joint.verdict(service, loss);
        let worst = single.iter().fold(before.of(service), |worst, (_, loss)| worst.max(*loss));
        let harm = if verdict == Verdict::Breached { Harm::Breach } else { Harm::Loss(loss) };
        let is_new = !joint.amounts(service, before.of(service), harm);
        let found = if is_new && (harm == Harm::Breach || loss > worst + ROUNDING) {
            let guilty =
                |change: u32| single.iter().any(|&(known, loss)| known == change && joint.amounts(service, loss, harm));
            let innocent: Vec<u32> = (0..starting).filter(|&change| !guilty(change)).collect();
            sets_within(joint, &groups, &Hunt { standing: &standing, among: &innocent, service, harm, focus: None })
        } else {
            Found::default()
        };
        let told = |(change, loss): (u32, f64)| {
            let verdict = joint.verdict(service, loss);
            Alone { change: change as usize, loss, verdict }
        };
        let alone = single.into_iter().map(told).collect();
        let collisions = found.sets.into_iter().filter_map(|set| {
            let mut whole = set.clone();
            whole.push(starting);
            let loss = joint.losses(&whole)?.of(service);
            Some(Collision { changes: set.into_iter().map(|change| change as usize).collect(), loss })
        });
        let collisions = collisions.collect();
        let (before, is_cut) = (before.of(service), found.is_cut);
        effects.push(Effect { service: service as usize, before, together: loss, verdict, alone, collisions, is_cut });
    }
    Some(effects)
}

/// The minimal sets of a hunt; each lies within one group.
fn sets_within(joint: &mut Joint<'_>, groups: &[Vec<u32>], hunt: &Hunt<'_>) -> Found {
    let mut found = Found::default();
    for group in groups {
        let among: Vec<u32> = group.iter().copied().filter(|change| hunt.among.binary_search(change).is_ok()).collect();
        let within = joint.minimal_sets(&Hunt { among: &among, ..*hunt });
        found.sets.extend(within.sets);
        found.is_cut |= within.is_cut;
    }
    found.sets.sort();
    found
}
