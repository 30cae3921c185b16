//! How one need is read: its rule, its doubts, and what its members' losses make of it.

use std::collections::HashMap;

use keelson_graph::{Detail, ItemIx, NeedIx, NeedView};
use keelson_model::Rule;

/// Which way doubts are read (analyses 1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Every need as it is written; doubtful needs and members count like any other.
    #[default]
    AsWritten,
    /// Every doubt settled so that least is lost.
    Optimistic,
    /// Every doubt settled so that most is lost.
    Pessimistic,
}

/// Doubts of single needs, settled for one run.
pub type Settled = HashMap<NeedIx, Settlement>;

/// How the doubts about one need are settled; what is not settled stays in doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The members that must be up.
    pub count: Option<u32>,
    /// Whether the need exists.
    pub exists: Option<bool>,
    /// Whether single items are members.
    pub members: Vec<(ItemIx, bool)>,
}

/// How a member of a need takes part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Definite,
    Doubtful,
    None,
}

/// What a need asks for in one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// Nothing: the need is left out.
    Nothing,
    /// Every member.
    Every,
    /// So many units up: members, or weight.
    Units { needed: u64, weighted: bool },
    /// A percentage of the members.
    Percent(u32),
    /// What the members carry, compared with a demand.
    Share,
}

/// Losses that differ by less are equal.
pub(crate) const ROUNDING: f64 = 1e-9;

/// Amounts of members that failed add up; the sum is reached when they come to `trip`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    /// Who has which amount, above 0.
    pub(crate) members: Vec<(ItemIx, f64)>,
    /// Reached from the start when it is not above 0.
    pub(crate) trip: f64,
}

/// A need in one reading.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    view: NeedView<'a>,
    reading: Reading,
    settlement: Option<&'a Settlement>,
    ask: Ask,
}

impl<'a> Read<'a> {
    pub(crate) fn new(view: NeedView<'a>, reading: Reading, settled: &'a Settled) -> Self {
        let settlement = if view.head.is_doubtful() { settled.get(&view.ix) } else { None };
        let ask = ask(view, reading, settlement);
        Self { view, reading, settlement, ask }
    }

    pub(crate) fn is_share(&self) -> bool {
        self.ask == Ask::Share
    }

    fn part(&self, member: ItemIx) -> Part {
        let doubtful = |detail: &Detail| detail.doubt.members.binary_search(&member).is_ok();
        if !self.view.detail.is_some_and(doubtful) {
            return Part::Definite;
        }
        let settled = self.settlement.and_then(|s| s.members.iter().find(|(known, _)| *known == member));
        match (settled, self.reading) {
            (Some((_, true)), _) | (None, Reading::AsWritten) => Part::Definite,
            (Some((_, false)), _) => Part::None,
            (None, Reading::Optimistic | Reading::Pessimistic) => Part::Doubtful,
        }
    }

    fn units(&self, place: usize) -> u64 {
        match self.ask {
            Ask::Units { weighted: true, .. } => {
                let units = self.view.detail.and_then(|detail| detail.units.as_ref());
                units.map_or(1, |units| units.weights[place])
            }
            _ => 1,
        }
    }

    /// The state of the need before any member is lost.
    pub(crate) fn trip(&self) -> Trip {
        let mut trip =
            Trip { ask: self.ask, reading: self.reading, definite: Tally::default(), doubtful: Tally::default() };
        for (place, &member) in self.view.members.iter().enumerate() {
            match self.part(member) {
                Part::Definite => trip.definite.total += self.units(place),
                Part::Doubtful => trip.doubtful.total += self.units(place),
                Part::None => {}
            }
        }
        trip
    }

    /// Counts one more lost member; `true` when that makes the need give way.
    pub(crate) fn lose(&self, trip: &mut Trip, member: ItemIx) -> bool {
        let Ok(place) = self.view.members.binary_search(&member) else { return false };
        let before = trip.has_tripped();
        match self.part(member) {
            Part::Definite => trip.definite.lost += self.units(place),
            Part::Doubtful => trip.doubtful.lost += self.units(place),
            Part::None => return false,
        }
        !before && trip.has_tripped()
    }

    /// Takes back one lost member; `true` when that makes the need hold again.
    pub(crate) fn regain(&self, trip: &mut Trip, member: ItemIx) -> bool {
        let Ok(place) = self.view.members.binary_search(&member) else { return false };
        let before = trip.has_tripped();
        match self.part(member) {
            Part::Definite => trip.definite.lost -= self.units(place),
            Part::Doubtful => trip.doubtful.lost -= self.units(place),
            Part::None => return false,
        }
        before && !trip.has_tripped()
    }

    /// The loss of the need for the losses of its members, before its cap.
    pub(crate) fn loss(&self, loss_of: impl Fn(ItemIx) -> f64) -> f64 {
        if self.is_share() {
            return self.share_loss(loss_of);
        }
        let mut lossy: Vec<(f64, ItemIx)> =
            self.view.members.iter().map(|&m| (loss_of(m), m)).filter(|(loss, _)| *loss > 0.0).collect();
        lossy.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut trip = self.trip();
        for (loss, member) in lossy {
            if self.lose(&mut trip, member) {
                return loss;
            }
        }
        0.0
    }

    /// When the need gives way, said of members of which each has failed wholly or not at all: when
    /// in any of these lists every sum is reached. An empty list is always reached, and without
    /// lists the need never gives way.
    ///
    /// An item has failed when its loss reaches `level`. This says the same as [`Self::loss`], in a
    /// form that needs no trying.
    pub(crate) fn sums(&self, level: f64) -> Vec<Vec<Sum>> {
        let optimistic = self.reading == Reading::Optimistic;
        let definite = self.units_of(|part| part == Part::Definite);
        let doubtful = self.units_of(|part| part == Part::Doubtful);
        let all = self.units_of(|part| part != Part::None);
        let total = |units: &[(ItemIx, f64)]| units.iter().map(|(_, unit)| unit).sum::<f64>();
        let any = |units: Vec<(ItemIx, f64)>| vec![vec![Sum { members: units, trip: 1.0 }]];
        match self.ask {
            Ask::Nothing => Vec::new(),
            Ask::Share => self.share_sums(level),
            Ask::Every if optimistic => any(definite),
            Ask::Every => any(all),
            #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
            Ask::Units { needed, .. } if optimistic => {
                let trip = total(&all) - needed as f64 + 1.0;
                if doubtful.is_empty() {
                    return vec![vec![Sum { members: definite, trip: trip.max(1.0) }]];
                }
                vec![vec![Sum { members: all, trip }, Sum { members: definite, trip: 1.0 }]]
            }
            #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
            Ask::Units { needed, .. } => match total(&definite) - needed as f64 + 1.0 {
                trip if trip >= 1.0 => vec![vec![Sum { members: definite, trip }]],
                _ => any(all),
            },
            Ask::Percent(percent) => percent_sums(percent, &definite, &doubtful, optimistic),
        }
    }

    /// The members that take part in a certain way, with their units.
    #[expect(clippy::cast_precision_loss, reason = "units are below 2^53")]
    fn units_of(&self, wanted: impl Fn(Part) -> bool) -> Vec<(ItemIx, f64)> {
        let members = self.view.members.iter().enumerate().filter(|(_, member)| wanted(self.part(**member)));
        members.map(|(place, &member)| (member, self.units(place) as f64)).collect()
    }

    /// [`Self::sums`] of a shared load: what [`Self::share_loss`] says when each member carries all
    /// or nothing.
    fn share_sums(&self, level: f64) -> Vec<Vec<Sum>> {
        let Some(Rule::Share { capacities, demand: Some(demand), .. }) = self.view.detail.map(|d| &d.rule) else {
            return Vec::new();
        };
        if *demand <= 0.0 {
            return Vec::new();
        }
        // The most that may be carried when the loss reaches the level.
        let most = demand * (1.0 - level + ROUNDING);
        let of = |part: Part| -> Vec<(ItemIx, f64)> {
            let members = self.view.members.iter().copied().zip(capacities.iter().copied());
            members.filter(|(member, _)| self.part(*member) == part).collect()
        };
        let (mut counted, doubtful) = (of(Part::Definite), of(Part::Doubtful));
        if counted.is_empty() {
            if doubtful.is_empty() || self.reading == Reading::Optimistic {
                return Vec::new();
            }
            // Only the weakest is there, whichever that is: the loss of any is the loss of all.
            if doubtful.iter().any(|(_, capacity)| *capacity <= most) {
                return vec![Vec::new()];
            }
            let members = doubtful.into_iter().map(|(member, _)| (member, 1.0)).collect();
            return vec![vec![Sum { members, trip: 1.0 }]];
        }
        if self.reading == Reading::Optimistic {
            counted.extend(doubtful);
        }
        let trip = counted.iter().map(|(_, capacity)| capacity).sum::<f64>() - most;
        vec![vec![Sum { members: counted, trip }]]
    }

    /// How many further members may fail, whichever they are, before the need gives way, when the
    /// members are lost that `is_lost` tells; negative when it has given way already. `None` where
    /// members do not count alike.
    pub(crate) fn spare(&self, is_lost: impl Fn(ItemIx) -> bool) -> Option<i64> {
        let mut trip = self.trip();
        for &member in self.view.members.iter().filter(|member| is_lost(**member)) {
            self.lose(&mut trip, member);
        }
        trip.spare()
    }

    /// 1 − min(1, what the members carry / demand). More members never carry less, so the
    /// optimistic reading counts every doubtful member and the pessimistic one none; if all are
    /// doubtful, optimistically there is no need, and pessimistically only its weakest member.
    fn share_loss(&self, loss_of: impl Fn(ItemIx) -> f64) -> f64 {
        let Some(Rule::Share { capacities, demand: Some(demand), .. }) = self.view.detail.map(|d| &d.rule) else {
            return 0.0;
        };
        if *demand <= 0.0 {
            return 0.0;
        }
        let (mut definite, mut doubtful, mut weakest) = (None, None, f64::INFINITY);
        for (&member, capacity) in self.view.members.iter().zip(capacities) {
            let carried = capacity * (1.0 - loss_of(member));
            match self.part(member) {
                Part::Definite => *definite.get_or_insert(0.0) += carried,
                Part::Doubtful => {
                    *doubtful.get_or_insert(0.0) += carried;
                    weakest = weakest.min(carried);
                }
                Part::None => {}
            }
        }
        let carried = match (definite, doubtful, self.reading) {
            (None, None, _) | (None, Some(_), Reading::Optimistic) => return 0.0,
            (None, Some(_), _) => weakest,
            (Some(definite), Some(doubtful), Reading::Optimistic) => definite + doubtful,
            (Some(definite), ..) => definite,
        };
        1.0 - (carried / demand).min(1.0)
    }
}

fn ask(view: NeedView<'_>, reading: Reading, settlement: Option<&Settlement>) -> Ask {
    let count = |k: u32| Ask::Units { needed: u64::from(k), weighted: false };
    if let Some(detail) = view.detail {
        let doubt = &detail.doubt;
        let exists = settlement.and_then(|s| s.exists).unwrap_or(!doubt.existence || reading != Reading::Optimistic);
        if !exists {
            return Ask::Nothing;
        }
        if let Some(k) = settlement.and_then(|s| s.count) {
            return count(k);
        }
        match (reading, doubt.counts.first(), doubt.counts.last()) {
            (Reading::Optimistic, Some(&least), _) => return count(least),
            (Reading::Pessimistic, _, Some(&most)) => return count(most),
            (Reading::Optimistic, ..) if doubt.rule_assumed => return count(1),
            (Reading::Pessimistic, ..) if doubt.rule_assumed => return Ask::Every,
            _ => {}
        }
        if let Some(units) = &detail.units {
            return Ask::Units { needed: units.threshold, weighted: true };
        }
    }
    if view.head.is_share() {
        return Ask::Share;
    }
    match (view.rule(), view.required()) {
        (Rule::Percent { percent }, _) => Ask::Percent(percent),
        (Rule::All, _) | (_, None) => Ask::Every,
        (_, Some(k)) => count(k),
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    total: u64,
    lost: u64,
}

impl Tally {
    fn up(self) -> u64 {
        self.total - self.lost
    }
}

/// How much of a need is lost so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trip {
    ask: Ask,
    reading: Reading,
    definite: Tally,
    doubtful: Tally,
}

impl Trip {
    /// Whether the need has given way.
    ///
    /// Doubtful members may be in or out, each for itself. The pessimistic reading asks whether some
    /// choice of them trips the need, the optimistic one whether every choice does. A count above
    /// the members chosen means all of them, and a need without members does not exist. The worst
    /// choice always takes in the lost ones it can (for a fixed count: only if the certain members
    /// are too few for it), the best choice the ones that are up.
    fn has_tripped(&self) -> bool {
        let Self { ask, reading, definite, doubtful } = *self;
        let optimistic = reading == Reading::Optimistic;
        match ask {
            Ask::Nothing | Ask::Share => false,
            Ask::Every => definite.lost > 0 || (!optimistic && doubtful.lost > 0),
            Ask::Units { needed, .. } if optimistic => {
                definite.up() + doubtful.up() < needed.min(definite.total + doubtful.up())
            }
            Ask::Units { needed, .. } => definite.up() < needed.min(definite.total + doubtful.lost),
            Ask::Percent(percent) => {
                if optimistic {
                    definite.lost > spare_of(percent, definite.total + doubtful.up())
                } else {
                    definite.lost + doubtful.lost > spare_of(percent, definite.total + doubtful.lost)
                }
            }
        }
    }

    /// How far the need is from giving way, as [`Self::has_tripped`] sees it, in members; negative
    /// when it has given way. `None` where members do not count alike.
    ///
    /// The next to fail is the worst choice: a certain member, or, where the certain ones are all
    /// needed anyway, any.
    fn spare(&self) -> Option<i64> {
        let Self { ask, reading, definite, doubtful } = *self;
        let optimistic = reading == Reading::Optimistic;
        let (have, need) = match ask {
            Ask::Nothing | Ask::Share | Ask::Units { weighted: true, .. } => return None,
            Ask::Every => (0, u64::from(self.has_tripped())),
            Ask::Units { needed, .. } if optimistic => {
                let up = definite.up() + doubtful.up();
                (up, needed.min(definite.total + doubtful.up()))
            }
            Ask::Units { needed, .. } => (definite.up(), needed.min(definite.total + doubtful.lost)),
            Ask::Percent(percent) if optimistic => (spare_of(percent, definite.total + doubtful.up()), definite.lost),
            Ask::Percent(percent) => (spare_of(percent, definite.total + doubtful.lost), definite.lost + doubtful.lost),
        };
        Some(i64::try_from(have).ok()? - i64::try_from(need).ok()?)
    }
}

/// [`Read::sums`] of a percentage: for every number of doubtful members lost, how many certain ones
/// it takes besides.
fn percent_sums(
    percent: u32,
    definite: &[(ItemIx, f64)],
    doubtful: &[(ItemIx, f64)],
    optimistic: bool,
) -> Vec<Vec<Sum>> {
    let (certain, unsure) = (definite.len() as u64, doubtful.len() as u64);
    let mut last = u64::MAX;
    let mut sums = Vec::new();
    for lost in 0..=unsure {
        let trip = if optimistic {
            spare_of(percent, certain + unsure - lost) + 1
        } else {
            (spare_of(percent, certain + lost) + 1).saturating_sub(lost)
        };
        // More of the doubtful lost never takes more of the certain ones.
        if trip >= last {
            continue;
        }
        last = trip;
        #[expect(clippy::cast_precision_loss, reason = "members are numbered by 32 bits")]
        let sum = |members: &[(ItemIx, f64)], trip: u64| Sum { members: members.to_vec(), trip: trip as f64 };
        sums.push(vec![sum(definite, trip), sum(doubtful, lost)]);
    }
    sums
}

/// The members that may be lost where a percentage of them must be up.
fn spare_of(percent: u32, members: u64) -> u64 {
    members * u64::from(100 - percent) / 100
}
