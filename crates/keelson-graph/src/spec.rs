//! What a caller says about a need, and how it is checked and compiled.

use keelson_model::{Phase, Rule, RuleError};
use thiserror::Error;

use crate::{
    ItemIx, NeedHead,
    detail::{Detail, Flags, Units},
};

/// A need as the caller describes it: an owner, its members, and the rule over them.
#[derive(Clone, Debug, PartialEq)]
pub struct NeedSpec {
    /// The item that needs (the dependent).
    pub owner: ItemIx,
    /// The items needed (the dependencies); at least one, all distinct. The graph keeps them in
    /// ascending order, and weights, capacities and doubts with them.
    pub members: Vec<ItemIx>,
    /// How the losses of the members become the loss of the need.
    pub rule: Rule,
    /// The largest loss the need may cause its owner, above 0 and at most 1; 1 is a hard need.
    pub cap: f64,
    /// Whether the need matters while running, while starting, or both.
    pub phase: Phase,
    /// What is not known about the need.
    pub doubt: Doubt,
    /// A number that means something to the caller only: it finds the need's record again.
    pub tag: u64,
}

impl NeedSpec {
    /// A hard need of one member, to keep running, about which nothing is in doubt.
    #[must_use]
    pub fn plain(owner: ItemIx, member: ItemIx, tag: u64) -> Self {
        Self::new(owner, vec![member], Rule::All, tag)
    }

    /// A hard need to keep running about which nothing is in doubt.
    #[must_use]
    pub fn new(owner: ItemIx, members: Vec<ItemIx>, rule: Rule, tag: u64) -> Self {
        Self { owner, members, rule, cap: 1.0, phase: Phase::Run, doubt: Doubt::default(), tag }
    }
}

/// What is not known about a need (analyses 1.6). The default is: nothing is in doubt.
///
/// Each doubt is settled one way in the optimistic run and the other way in the pessimistic one;
/// because the model is monotone, the truth lies between.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doubt {
    /// The rule is a guess: ANY in the optimistic run, ALL in the pessimistic one, and as written
    /// when neither is asked for.
    pub rule_assumed: bool,
    /// The possible values of an unknown k, each within 1..=n: the smallest counts in the optimistic
    /// run, the largest in the pessimistic one. Empty when k is known.
    pub counts: Vec<u32>,
    /// The whole need lies below the confidence cut: left out in the optimistic run, else kept.
    pub existence: bool,
    /// Members whose membership is in doubt: read with and without them, taking the smaller loss in
    /// the optimistic run and the larger one in the pessimistic run.
    pub members: Vec<ItemIx>,
}

impl Doubt {
    /// Whether anything at all is in doubt.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.rule_assumed && self.counts.is_empty() && !self.existence && self.members.is_empty()
    }
}

/// Why a graph cannot be built or changed as asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum GraphError {
    /// The rule of a need means nothing for its members.
    #[error("the need of item {} tagged {tag} has an unusable rule", owner.0)]
    Rule {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// What is wrong with the rule.
        #[source]
        source: RuleError,
    },
    /// A member occurs twice.
    #[error("the need of item {} tagged {tag} names member {} twice; name it once", owner.0, member.0)]
    RepeatedMember {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The repeated member.
        member: ItemIx,
    },
    /// A cap outside (0, 1].
    #[error("the need of item {} tagged {tag} has cap {cap}; it must be above 0 and at most 1", owner.0)]
    CapOutOfRange {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The offending cap.
        cap: f64,
    },
    /// A possible value of k outside 1..=n.
    #[error("the need of item {} tagged {tag} lists {k} as a possible count for {members} members", owner.0)]
    DoubtfulCountOutOfRange {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The offending count.
        k: u32,
        /// Number of members.
        members: usize,
    },
    /// A doubtful member that is no member.
    #[error("the need of item {} tagged {tag} doubts item {}, which is not one of its members", owner.0, member.0)]
    DoubtfulStranger {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The item that is no member.
        member: ItemIx,
    },
    /// An owner or member that is not in the graph.
    #[error("the need of item {} tagged {tag} refers to item {}, which is not in the graph; add it first", owner.0, item.0)]
    UnknownItem {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The item that is missing.
        item: ItemIx,
    },
    /// A change of an item that is not in the graph.
    #[error("item {} is not in the graph; add it before changing or removing it", item.0)]
    NotInGraph {
        /// The item that is missing.
        item: ItemIx,
    },
    /// A need filed under another owner's changes.
    #[error("the need tagged {tag} belongs to item {}, but was given among the needs of item {}", owner.0, filed.0)]
    WrongOwner {
        /// Owner named by the need.
        owner: ItemIx,
        /// Owner under which the change files it.
        filed: ItemIx,
        /// Tag of the need.
        tag: u64,
    },
    /// One owner's needs were replaced twice in one change.
    #[error("the needs of item {} are replaced twice in one change; give its whole set once", owner.0)]
    OwnerTwice {
        /// The owner.
        owner: ItemIx,
    },
    /// An item that others still need was to be removed.
    #[error("item {} cannot be removed: item {} still needs it; replace that item's needs in the same change", item.0, owner.0)]
    StillNeeded {
        /// The item to be removed.
        item: ItemIx,
        /// One item that still needs it.
        owner: ItemIx,
    },
    /// More relationships or needs than 31 bits can number.
    #[error("the graph has {count} {what}, more than the {limit} that can be numbered")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// A need checked and brought into the form the graph stores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compiled {
    pub(crate) owner: ItemIx,
    pub(crate) members: Vec<ItemIx>,
    pub(crate) trip: u32,
    pub(crate) flags: Flags,
    pub(crate) detail: Option<Box<Detail>>,
    pub(crate) tag: u64,
}

impl Compiled {
    pub(crate) fn head(&self) -> NeedHead {
        NeedHead { owner: self.owner, trip: self.trip, flags: self.flags }
    }

    /// Whether one number in each direction says everything about the need.
    pub(crate) fn is_plain(&self) -> bool {
        self.flags == Flags::PLAIN_NEED
    }

    /// Whether members share a load that those which are certain may not carry even when whole.
    pub(crate) fn may_be_overloaded(&self) -> bool {
        let Some(detail) = &self.detail else { return false };
        let Rule::Share { capacities, demand: Some(demand), .. } = &detail.rule else { return false };
        let certain = self.members.iter().zip(capacities);
        let certain = certain.filter(|(member, _)| detail.doubt.members.binary_search(member).is_err());
        self.flags.runs() && certain.map(|(_, capacity)| capacity).sum::<f64>() < *demand
    }
}

/// Checks a need and compiles it.
pub(crate) fn compile(spec: NeedSpec) -> Result<Compiled, GraphError> {
    let NeedSpec { owner, mut members, mut rule, cap, phase, mut doubt, tag } = spec;
    let n = members.len();
    rule.check(n).map_err(|source| GraphError::Rule { owner, tag, source })?;
    if !(cap > 0.0 && cap <= 1.0) {
        return Err(GraphError::CapOutOfRange { owner, tag, cap });
    }
    sort_members(&mut members, &mut rule);
    if let Some(pair) = members.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(GraphError::RepeatedMember { owner, tag, member: pair[0] });
    }
    doubt.counts.sort_unstable();
    doubt.counts.dedup();
    if let Some(&k) = doubt.counts.iter().find(|&&k| k == 0 || k as usize > n) {
        return Err(GraphError::DoubtfulCountOutOfRange { owner, tag, k, members: n });
    }
    doubt.members.sort_unstable();
    doubt.members.dedup();
    if let Some(&member) = doubt.members.iter().find(|m| members.binary_search(m).is_err()) {
        return Err(GraphError::DoubtfulStranger { owner, tag, member });
    }

    let mut flags = Flags::of(&rule, phase, n);
    flags.set_soft(cap < 1.0);
    flags.set_doubtful(!doubt.is_none());
    let required = rule.required(n);
    let trip = required.map_or(u32::MAX, |k| u32::try_from(n).unwrap_or(u32::MAX) - k + 1);
    let detail = flags.wants_detail().then(|| Box::new(Detail { units: Units::of(&rule), rule, cap, doubt }));
    Ok(Compiled { owner, members, trip, flags, detail, tag })
}

/// Sorts members, and the numbers that belong to them one to one.
fn sort_members(members: &mut [ItemIx], rule: &mut Rule) {
    if members.is_sorted() {
        return;
    }
    let (Rule::Weight { weights: values, .. } | Rule::Share { capacities: values, .. }) = rule else {
        members.sort_unstable();
        return;
    };
    let mut pairs: Vec<(ItemIx, f64)> = members.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_by_key(|(member, _)| *member);
    for (at, (member, value)) in pairs.into_iter().enumerate() {
        members[at] = member;
        values[at] = value;
    }
}
