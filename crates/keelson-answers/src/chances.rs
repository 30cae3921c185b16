//! How likely items fail of themselves, as catalogues state it; what is missing is bracketed or named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_analysis::availability::Chance;
use keelson_analysis::{Limits, Reading, Scratch, closure};
use keelson_graph::{ItemIx, NeedView, Snapshot};

use crate::attributes::{OwnUnavailability, UnavailabilityFault, is_agreement, own_unavailability, rests_on_needs};
use crate::common_cause::CommonCauses;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, QuestionError, Subject, View};

/// The sentence that stands beside every probability (analyses 9).
pub(crate) const INDEPENDENCE: &str = "Items are taken to fail independently of each other, given the graph: only what is drawn \
as a shared item counts as correlated. Ranks and differences are surer than absolute figures. Figures are long-run \
means without repair queues.";

/// Fewest items of a class whose figures make a range for others of it.
pub(crate) const FEWEST_ITEMS: usize = 2;

/// Own unavailabilities as they are stated.
pub(crate) struct Chances<'a> {
    view: &'a View,
    /// What each item states, by its number: it is asked of each item of every cone.
    stated: Vec<Option<OwnUnavailability>>,
    /// Whether each chance is what is to be expected of it, in place of the interval it lies in.
    is_expected: bool,
    /// What items of a class state. Not asked for where the class itself states a range.
    by_class: BTreeMap<&'a str, Stated>,
    /// Items that were asked about and state none.
    missing: Mutex<BTreeSet<ItemIx>>,
    /// Those of them for which neither their class nor enough of it states any.
    nowhere: Mutex<BTreeSet<ItemIx>>,
    /// Items that were asked about and contradict themselves.
    faulty: Mutex<BTreeMap<ItemIx, UnavailabilityFault>>,
    /// What fails several items at once.
    causes: Option<CommonCauses>,
}

/// What items of a class state.
struct Stated {
    least: f64,
    most: f64,
    /// How many of them state it.
    items: usize,
}

impl Stated {
    fn with(self, low: f64, high: f64) -> Self {
        Self { least: self.least.min(low), most: self.most.max(high), items: self.items + 1 }
    }

    /// The range for others of the class. What a single item states is no range: others may be anything.
    fn range(&self) -> Option<Chance> {
        (self.items >= FEWEST_ITEMS).then(|| Chance::between(self.least, self.most))
    }
}

/// What is known of how likely an item fails of itself.
enum Known {
    /// It is stated, or does not fail of itself.
    Exactly(Chance),
    /// Its class, or others of that class, state this.
    OfClass(Chance),
    /// Nothing, or what a single other of its class states.
    Nowhere,
}

impl Known {
    /// As a chance, or what counts for it. What neither an item nor anything of its class states may be anything, and is so
    /// at worst.
    fn chance(self, at_worst: bool) -> Chance {
        match self {
            Self::Exactly(chance) | Self::OfClass(chance) => chance,
            Self::Nowhere if at_worst => Chance::between(0.0, 1.0),
            Self::Nowhere => Chance::NEVER,
        }
    }
}

impl<'a> Chances<'a> {
    /// Reads what the items of a view state, and draws the common causes that its needs state.
    ///
    /// # Errors
    /// When common causes cannot be drawn.
    pub(crate) fn of(view: &'a View) -> Result<Self, QuestionError> {
        Self::with_places(view, &BTreeMap::new())
    }

    /// The same, and beside it each chance being what is to be expected of it: what is stated, or else the middle of the
    /// interval of the item or of its class.
    ///
    /// # Errors
    /// As [`Chances::of`].
    pub(crate) fn with_expected(view: &'a View) -> Result<(Self, Self), QuestionError> {
        Ok((Self::of(view)?, Self::drawn(view, &BTreeMap::new(), true)?))
    }

    /// The same, of a graph that has items beside those of the catalogue, each with its chance.
    ///
    /// # Errors
    /// As [`Chances::of`].
    pub(crate) fn with_places(view: &'a View, places: &BTreeMap<ItemIx, Chance>) -> Result<Self, QuestionError> {
        Self::drawn(view, places, false)
    }

    fn drawn(view: &'a View, places: &BTreeMap<ItemIx, Chance>, is_expected: bool) -> Result<Self, QuestionError> {
        let mut by_class: BTreeMap<&str, Stated> = BTreeMap::new();
        let mut stated = vec![None; view.graph.slots()];
        for (place, chance) in places {
            let Chance { least: low, most: high } = *chance;
            let expected = f64::midpoint(low, high);
            stated[place.index()] = Some(OwnUnavailability { low, high, expected, fault: None });
        }
        for item in view.graph.item_numbers().filter(|item| !places.contains_key(item)) {
            let Some(own) = own_unavailability(view, item) else { continue };
            let OwnUnavailability { low, high, .. } = own;
            stated[item.index()] = Some(own);
            let class = view.catalogue.ci(ci_of(item)).class.as_str();
            let known = by_class.remove(class).unwrap_or(Stated { least: low, most: high, items: 0 });
            by_class.insert(class, known.with(low, high));
        }
        let (missing, nowhere, faulty) = (Mutex::default(), Mutex::default(), Mutex::default());
        let mut chances = Self { view, stated, is_expected, by_class, missing, nowhere, faulty, causes: None };
        let known = |at_worst| {
            let chances = &chances;
            move |item| chances.known(item).chance(at_worst)
        };
        let causes = CommonCauses::of(view, known(false), known(true))?;
        chances.causes = causes;
        Ok(chances)
    }

    /// The graph of the view, with an item for each common cause.
    pub(crate) fn graph(&self) -> &Snapshot {
        self.causes.as_ref().map_or(&self.view.graph, CommonCauses::graph)
    }

    /// The common causes that needs state; absent where none does.
    pub(crate) fn causes(&self) -> Option<&CommonCauses> {
        self.causes.as_ref()
    }

    /// How answers name an item of [`Chances::graph`].
    pub(crate) fn subject(&self, item: ItemIx) -> Subject {
        let cause = self.causes.as_ref().and_then(|causes| causes.subject(self.view, item));
        cause.unwrap_or_else(|| Subject::of(&self.view.catalogue, ci_of(item)))
    }

    /// Whether an item of [`Chances::graph`] is one of the catalogue.
    pub(crate) fn is_item(&self, item: ItemIx) -> bool {
        self.causes.as_ref().is_none_or(|causes| !causes.is_cause(item))
    }

    /// What an item states, or its class, or else others of that class. A service that has needs fails through them, and an agreement does not
    /// fail; where they state nothing, they do not fail of themselves.
    fn known(&self, item: ItemIx) -> Known {
        if let Some(own) = self.stated.get(item.index()).copied().flatten() {
            let OwnUnavailability { low, high, expected, .. } = own;
            let interval = Chance::between(low, high);
            return Known::Exactly(if self.is_expected { Chance::exactly(expected) } else { interval });
        }
        if rests_on_needs(self.view, item) || is_agreement(self.view, item) {
            return Known::Exactly(Chance::NEVER);
        }
        let class = &self.view.catalogue.ci(ci_of(item)).class;
        if let Some(range) = class_range(self.view, item) {
            return Known::OfClass(self.within(range));
        }
        let of_others = self.by_class.get(class.as_str()).and_then(Stated::range);
        of_others.map_or(Known::Nowhere, |range| Known::OfClass(self.within(range)))
    }

    /// A range, or its middle where one figure is to be expected.
    fn within(&self, range: Chance) -> Chance {
        if self.is_expected { Chance::exactly(f64::midpoint(range.least, range.most)) } else { range }
    }

    /// Whether nothing at all is known of how likely an item fails.
    pub(crate) fn is_open(&self, item: ItemIx) -> bool {
        self.is_item(item) && matches!(self.known(item), Known::Nowhere)
    }

    /// Whether each chance beneath a service is one figure, so that what is to be expected is all there is.
    pub(crate) fn is_exact(&self, service: ItemIx) -> bool {
        let mut scratch = Scratch::default();
        closure::walk(self.graph(), &mut scratch, &[service], closure::Direction::Dependencies, &Limits::default());
        let is_figure = |one: ItemIx| {
            let drawn = self.causes.as_ref().and_then(|causes| causes.chance(one, false));
            let known = || if self.is_item(one) { self.known(one).chance(false) } else { Chance::NEVER };
            let Chance { least, most } = drawn.unwrap_or_else(known);
            least >= most
        };
        scratch.met().chain([service]).all(is_figure)
    }

    /// Whether nothing beneath a service is in doubt, so that every reading is the same.
    pub(crate) fn is_certain(&self, service: ItemIx) -> bool {
        let (graph, mut scratch) = (self.graph(), Scratch::default());
        closure::walk(graph, &mut scratch, &[service], closure::Direction::Dependencies, &Limits::default());
        let is_sure = |need: NeedView<'_>| need.detail.is_none_or(|detail| detail.doubt.is_none());
        scratch.met().chain([service]).all(|one| graph.running_needs(one).all(is_sure) && !self.is_open(one))
    }

    /// The chance of an item of [`Chances::graph`] under a reading: of what common causes leave of it.
    pub(crate) fn read(&self, item: ItemIx, reading: Reading) -> Chance {
        let at_worst = reading == Reading::Pessimistic;
        let drawn = self.causes.as_ref().and_then(|causes| causes.chance(item, at_worst));
        if !self.is_item(item) {
            return drawn.unwrap_or(Chance::NEVER);
        }
        if let Some(fault) = self.stated.get(item.index()).copied().flatten().and_then(|own| own.fault) {
            held(&self.faulty).insert(item, fault);
        }
        let known = self.known(item);
        if !matches!(known, Known::Exactly(_)) {
            held(&self.missing).insert(item);
        }
        if matches!(known, Known::Nowhere) {
            held(&self.nowhere).insert(item);
        }
        drawn.unwrap_or_else(|| known.chance(at_worst))
    }

    /// The items that were asked about and state none, ascending.
    pub(crate) fn missing(&self) -> Vec<ItemIx> {
        held(&self.missing).iter().copied().collect()
    }

    /// From how many others the ranges of some items are that their class does not state, in words.
    fn others(&self, bracketed: &[ItemIx]) -> String {
        let from = bracketed.iter().filter(|one| class_range(self.view, **one).is_none());
        let class = |one: &ItemIx| self.view.catalogue.ci(ci_of(*one)).class.as_str();
        let from: BTreeSet<&str> = from.map(class).collect();
        let counts: Vec<usize> = from.into_iter().filter_map(|class| Some(self.by_class.get(class)?.items)).collect();
        match (counts.iter().min(), counts.iter().max()) {
            (Some(fewest), Some(most)) if fewest == most => format!(" ({fewest} items)"),
            (Some(fewest), Some(most)) => format!(" ({fewest} to {most} items, by class)"),
            _ => String::new(),
        }
    }

    /// Says what is missing.
    pub(crate) fn note(&self, basis: &mut Basis) {
        let (missing, nowhere) = (self.missing(), held(&self.nowhere).clone());
        let bracketed: Vec<ItemIx> = missing.into_iter().filter(|one| !nowhere.contains(one)).collect();
        if !bracketed.is_empty() {
            let message = format!(
                "{} items state no unavailability; the range that their class states, or else others of it{}, is taken",
                bracketed.len(),
                self.others(&bracketed)
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
        let nowhere = nowhere.len();
        if nowhere > 0 {
            let message = format!(
                "{nowhere} items state no unavailability, nor does their class or more than one other of it; they count as never failing \
                 of themselves, so the true unavailability is higher"
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
        self.note_faults(basis);
    }

    /// Names the items that contradict themselves.
    fn note_faults(&self, basis: &mut Basis) {
        let faulty = held(&self.faulty).clone();
        for (fault, what) in [
            (
                UnavailabilityFault::Inverted,
                "an interval of unavailability whose lower end lies above its upper one; anything between both is taken",
            ),
            (
                UnavailabilityFault::Outside,
                "an unavailability that lies outside the interval stated beside it; it is what is expected, and the ends \
                 hold both",
            ),
        ] {
            let keys: Vec<String> = faulty
                .iter()
                .filter(|one| *one.1 == fault)
                .map(|(one, _)| key_of(&self.view.catalogue, *one))
                .collect();
            if let [first, ..] = &keys[..] {
                let message =
                    format!("{} items state {what} ('{first}' first): correct them at their source", keys.len());
                basis.limit(LimitCode::FigureMissing, message);
            }
        }
    }
}

/// Between what the class of an item says that the chance of one lies that states none.
pub(crate) fn class_range(view: &View, item: ItemIx) -> Option<Chance> {
    let class = view.catalogue.schema().classes.get(&view.catalogue.ci(ci_of(item)).class)?;
    class.unavailability.map(|range| Chance::between(range.low, range.high))
}

/// A set for a moment; whoever failed while holding it left it whole.
fn held<T>(set: &Mutex<T>) -> MutexGuard<'_, T> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
