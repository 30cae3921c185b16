//! Who loads the members of a redundancy (analyses 1.5, 4.3).
//!
//! Members carry what everybody puts on them. What comes through a need of several members is shared with the members that
//! are left when one is lost, so all such loads on the same members are one load. What comes to a member alone is held by
//! it: lost with the member, it goes nowhere else, and leaves the member that much less to carry for others.
//!
//! Where somebody else's need has other members beside these, all it puts on these counts as staying on them: the safe
//! side, as it may go to those as well.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use keelson_analysis::demand::{Amounts, Model};
use keelson_graph::{ItemIx, NeedView};
use keelson_model::Rule;
use keelson_model::unit::factor;

use crate::attributes::{Amount, amount};
use crate::series::demand_unit;
use crate::{QuestionError, View};

/// A part of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Whose demand or statement it is.
    pub(super) owner: ItemIx,
    /// How much it is now.
    pub(super) load: f64,
    /// How much that is for a unit of the demand on the owner; absent where the load is stated as such.
    pub(super) scale: Option<f64>,
}

/// What everybody puts on some members.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// What they share, by whom; ascending.
    pub(super) shares: Vec<Share>,
    /// What each of them holds for itself, in their order.
    pub(super) held: Vec<Vec<Share>>,
}

impl Shared {
    /// What they share.
    pub(super) fn load(&self) -> f64 {
        sum(&self.shares)
    }

    /// What each of them holds for itself, in their order.
    pub(super) fn held(&self) -> Vec<f64> {
        self.held.iter().map(sum).collect()
    }

    /// What is on the members while one of them is lost.
    pub(super) fn without(&self, lost: usize) -> impl Iterator<Item = &Share> {
        let held = self.held.iter().enumerate().filter(move |(place, _)| *place != lost);
        self.shares.iter().chain(held.flat_map(|(_, shares)| shares))
    }

    /// Whether no member holds anything for itself.
    pub(super) fn is_shared_only(&self) -> bool {
        self.held.iter().all(Vec::is_empty)
    }

    /// All that is on the members.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &Share> {
        self.without(usize::MAX)
    }

    /// What of the load they share comes from somebody.
    pub(super) fn of(&self, owner: ItemIx) -> f64 {
        sum(self.shares.iter().filter(|share| share.owner == owner))
    }
}

/// How much shares are together; of none 0, and not the -0 that a sum of nothing is.
pub(super) fn sum<'s>(shares: impl IntoIterator<Item = &'s Share>) -> f64 {
    shares.into_iter().fold(0.0, |sum, share| sum + share.load)
}

/// A load by the services that cause it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How much of it a unit of a service takes.
    pub(super) per_unit: Amounts,
    /// What is stated as such, with whose it is.
    pub(super) stated: Vec<(ItemIx, f64)>,
}

impl Taken {
    /// What shares are caused by; what a unit of every service takes of items, each so many times, is asked.
    pub(super) fn of<'s>(
        shares: impl Iterator<Item = &'s Share>,
        taken_from: impl FnOnce(&[(ItemIx, f64)]) -> Result<Amounts, QuestionError>,
    ) -> Result<Self, QuestionError> {
        let (mut scaled, mut stated) = (Vec::new(), Vec::new());
        for share in shares {
            match share.scale {
                Some(scale) => scaled.push((share.owner, scale)),
                None => stated.push((share.owner, share.load)),
            }
        }
        Ok(Self { per_unit: taken_from(&scaled)?, stated })
    }
}

/// The loads of needs, those of the same members worked out once.
pub(super) struct Loaded<'a> {
    pub(super) view: &'a View,
    model: &'a Model<'a>,
    amounts: &'a Amounts,
    known: RefCell<BTreeMap<Vec<ItemIx>, Rc<Shared>>>,
}

/// Parts of a load below this share of it are rounding.
const ROUNDING: f64 = 1e-9;

impl<'a> Loaded<'a> {
    pub(super) fn new(view: &'a View, model: &'a Model<'a>, amounts: &'a Amounts) -> Self {
        Self { view, model, amounts, known: RefCell::default() }
    }

    /// What a need itself puts on its members, which carry in a unit: what its owner hands on to its members by their
    /// ratios, what is stated with it, or else the demand on its owner, if that converts into the unit.
    pub(super) fn own(&self, need: &NeedView<'_>, unit: &str) -> Option<Share> {
        let owner = need.owner();
        let demand = self.amounts.of(owner);
        let ratios: f64 = need.members.iter().map(|member| self.model.visits().ratio(owner, *member)).sum();
        if ratios > 0.0 && demand > 0.0 {
            return Some(Share { owner, load: demand * ratios, scale: Some(ratios) });
        }
        if let Rule::Share { demand: Some(load), .. } = need.rule() {
            return Some(Share { owner, load, scale: None });
        }
        // Suppositions are in what the pass handed on already.
        let scale = demand_unit(self.view, owner).and_then(|own| factor(&own, unit)).filter(|_| demand > 0.0)?;
        Some(Share { owner, load: demand * scale, scale: Some(scale) })
    }

    /// What everybody puts on the members of a need, which carry in a unit.
    pub(super) fn on(&self, members: &[ItemIx], unit: &str) -> Rc<Shared> {
        let mut sorted = members.to_vec();
        sorted.sort_unstable();
        if let Some(known) = self.known.borrow().get(&sorted) {
            return self.in_order(known, &sorted, members);
        }
        let found = Rc::new(self.find(&sorted, unit));
        self.known.borrow_mut().insert(sorted.clone(), Rc::clone(&found));
        self.in_order(&found, &sorted, members)
    }

    /// As the members are ordered in a need.
    fn in_order(&self, known: &Rc<Shared>, sorted: &[ItemIx], members: &[ItemIx]) -> Rc<Shared> {
        if sorted == members {
            return Rc::clone(known);
        }
        let place = |member: &ItemIx| sorted.binary_search(member).ok();
        let held = members.iter().map(|member| place(member).map_or_else(Vec::new, |at| known.held[at].clone()));
        Rc::new(Shared { shares: known.shares.clone(), held: held.collect() })
    }

    fn find(&self, members: &[ItemIx], unit: &str) -> Shared {
        let graph = &self.view.graph;
        let mut owners: Vec<ItemIx> = members.iter().flat_map(|member| graph.owners(*member)).copied().collect();
        owners.sort_unstable();
        owners.dedup();
        let mut found = Shared { shares: Vec::new(), held: vec![Vec::new(); members.len()] };
        let mut handed_on = vec![0.0; members.len()];
        for owner in owners {
            self.of(owner, members, unit, (&mut found, &mut handed_on));
        }
        for (place, member) in members.iter().enumerate() {
            // What is asked of a member from outside, as it is a service itself.
            let own = self.amounts.of(*member) - handed_on[place];
            if own > ROUNDING * self.amounts.of(*member) {
                found.held[place].push(Share {
                    owner: *member,
                    load: own,
                    scale: Some(own / self.amounts.of(*member)),
                });
            }
        }
        found
    }

    /// Adds what one dependent puts on members: what they share of it, and what it hands on to each.
    fn of(&self, owner: ItemIx, members: &[ItemIx], unit: &str, (found, handed_on): (&mut Shared, &mut Vec<f64>)) {
        let demand = self.amounts.of(owner);
        let ratio = |member: ItemIx| self.model.visits().ratio(owner, member);
        let is_among = |member: &ItemIx| members.binary_search(member).is_ok();
        let needs: Vec<NeedView<'_>> = self.view.graph.needs(owner).filter(|need| need.phase().runs()).collect();
        let is_pool = |need: &&NeedView<'_>| need.members.len() > 1 && need.members.iter().any(is_among);
        // By ratios: once, in however many needs the members are.
        let (mut shared, mut is_rated) = (0.0, false);
        for (place, member) in members.iter().enumerate() {
            let ratio = ratio(*member);
            if ratio <= 0.0 || demand <= 0.0 {
                continue;
            }
            handed_on[place] += demand * ratio;
            if needs.iter().filter(is_pool).any(|need| need.members.contains(member)) {
                (shared, is_rated) = (shared + ratio, true);
            } else {
                found.held[place].push(Share { owner, load: demand * ratio, scale: Some(ratio) });
            }
        }
        if is_rated {
            found.shares.push(Share { owner, load: demand * shared, scale: Some(shared) });
        }
        // As stated, or as asked of the owner: the part that these members carry of it.
        let mut is_counted = is_rated;
        for need in needs.iter().filter(is_pool) {
            let is_stated = matches!(need.rule(), Rule::Share { demand: Some(_), .. });
            let is_by_ratio = demand > 0.0 && need.members.iter().any(|member| ratio(*member) > 0.0);
            if is_by_ratio || (is_counted && !is_stated) {
                continue;
            }
            let Some(own) = self.own(need, unit) else { continue };
            let part = self.part(need, is_among, unit);
            is_counted |= !is_stated;
            found.shares.push(Share { load: own.load * part, scale: own.scale.map(|scale| scale * part), ..own });
        }
    }

    /// Which part of what the members of a need carry those wanted carry.
    fn part(&self, need: &NeedView<'_>, is_wanted: impl Fn(&ItemIx) -> bool, unit: &str) -> f64 {
        let carries = |member: &ItemIx| {
            let stated = amount(self.view, *member, "capacity");
            stated.and_then(|Amount { value, unit: own }| Some(value * factor(&own, unit)?))
        };
        let all: Option<f64> = need.members.iter().map(carries).sum();
        let wanted: Option<f64> = need.members.iter().filter(|member| is_wanted(member)).map(carries).sum();
        match (wanted, all) {
            (Some(wanted), Some(all)) if all > 0.0 => wanted / all,
            // Nobody knows how it is spread: all of it, which is the safe side.
            _ => 1.0,
        }
    }
}
