//! The stored form of a counted need.

use keelson_model::{Phase, Rule};

use crate::{Doubt, ItemIx, NeedIx};

/// Everything about a need, packed in one word, that decides how it is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    const KIND: u32 = 0b111;
    const SOFT: u32 = 1 << 3;
    const DOUBTFUL: u32 = 1 << 4;
    const START: u32 = 1 << 5;
    const BOTH: u32 = 1 << 6;
    const SINGLE: u32 = 1 << 7;
    /// The percentage of a PERCENT rule, which needs no detail for it.
    const PERCENT_SHIFT: u32 = 8;

    /// A need of one: hard, running, certain.
    pub(crate) const PLAIN_NEED: Self = Self(Self::SINGLE);

    pub(crate) fn of(rule: &Rule, phase: Phase, members: usize) -> Self {
        let kind = match rule {
            // Over one member every counting rule says the same, so all of them are plain.
            Rule::All | Rule::Any | Rule::AtLeast { .. } | Rule::Percent { .. } if members == 1 => 0,
            Rule::All => 0,
            Rule::Any => 1,
            Rule::AtLeast { .. } => 2,
            Rule::Percent { percent } => 3 | percent << Self::PERCENT_SHIFT,
            Rule::Weight { .. } => 4,
            Rule::Share { .. } => 5,
        };
        let phase = match phase {
            Phase::Run => 0,
            Phase::Start => Self::START,
            Phase::Both => Self::BOTH,
        };
        Self(kind | phase | if members == 1 { Self::SINGLE } else { 0 })
    }

    pub(crate) fn set_soft(&mut self, soft: bool) {
        self.0 |= if soft { Self::SOFT } else { 0 };
    }

    pub(crate) fn set_doubtful(&mut self, doubtful: bool) {
        self.0 |= if doubtful { Self::DOUBTFUL } else { 0 };
    }

    fn kind(self) -> u32 {
        self.0 & Self::KIND
    }

    /// Whether the need cannot be read from its count alone.
    pub(crate) fn wants_detail(self) -> bool {
        self.0 & (Self::SOFT | Self::DOUBTFUL) != 0 || self.kind() >= 4
    }

    pub(crate) fn runs(self) -> bool {
        self.0 & Self::START == 0
    }

    pub(crate) fn phase(self) -> Phase {
        match self.0 & (Self::START | Self::BOTH) {
            0 => Phase::Run,
            Self::START => Phase::Start,
            _ => Phase::Both,
        }
    }
}

/// The part of a need's record that a walk reads on every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedHead {
    pub(crate) owner: ItemIx,
    pub(crate) trip: u32,
    pub(crate) flags: Flags,
}

impl NeedHead {
    /// The item that needs.
    #[must_use]
    #[inline]
    pub fn owner(self) -> ItemIx {
        self.owner
    }

    /// The number of lost members at which the need gives way, n − k + 1; for counting rules only.
    #[must_use]
    #[inline]
    pub fn trip(self) -> u32 {
        self.trip
    }

    /// Whether counting lost members up to [`trip`](Self::trip) says everything: a counting rule
    /// about which nothing is in doubt.
    #[must_use]
    #[inline]
    pub fn is_counted(self) -> bool {
        self.flags.0 & Flags::DOUBTFUL == 0 && self.flags.kind() < 4
    }

    /// The trip of a hard need for which counting says everything, if it fits in a byte; 0 for every
    /// other need.
    pub(crate) fn small_trip(self) -> u8 {
        if self.is_counted() && !self.is_soft() { u8::try_from(self.trip).unwrap_or(0) } else { 0 }
    }

    /// Whether the need has a cap below 1.
    #[must_use]
    #[inline]
    pub fn is_soft(self) -> bool {
        self.flags.0 & Flags::SOFT != 0
    }

    /// Whether anything about the need is in doubt.
    #[must_use]
    #[inline]
    pub fn is_doubtful(self) -> bool {
        self.flags.0 & Flags::DOUBTFUL != 0
    }

    /// Whether the members share a load, so that losses add up instead of being counted.
    #[must_use]
    #[inline]
    pub fn is_share(self) -> bool {
        self.flags.kind() == 5
    }
}

/// What a soft, weighted, shared or doubtful need has beyond a count.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// The rule as written, its values in the order of the (ascending) members.
    pub rule: Rule,
    /// The largest loss the need may cause.
    pub cap: f64,
    /// What is not known about the need.
    pub doubt: Doubt,
    /// The weights of a WEIGHT rule as whole numbers; `None` for every other rule.
    pub units: Option<Units>,
}

/// The weights of a WEIGHT rule in whole units, so that sums do not depend on their order.
///
/// All weights together are 2⁵² units. Converting rounds each weight by half a unit at most, so the
/// threshold is lowered by one unit per member: weights that reach the threshold exactly when added
/// up on paper (0.1 + 0.2 against 0.3) reach it here too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    /// Units of each member, in the order of the members.
    pub weights: Vec<u64>,
    /// Units that must be up.
    pub threshold: u64,
}

impl Units {
    const WHOLE: f64 = (1_u64 << 52) as f64;

    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        let Rule::Weight { weights, threshold } = rule else { return None };
        let total: f64 = weights.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shares of 2^52, which are positive and exact in both types"
        )]
        let units = |value: f64| (value / total * Self::WHOLE).round() as u64;
        let members = weights.len() as u64;
        let threshold = units(*threshold).saturating_sub(members).max(1);
        Some(Self { weights: weights.iter().map(|w| units(*w).max(1)).collect(), threshold })
    }
}

/// One need of a snapshot, ready to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeedView<'a> {
    /// The need's number in this snapshot.
    pub ix: NeedIx,
    /// Its owner and how it trips.
    pub head: NeedHead,
    /// Its members, ascending.
    pub members: &'a [ItemIx],
    /// The caller's number for it.
    pub tag: u64,
    /// What it has beyond a count, if anything.
    pub detail: Option<&'a Detail>,
}

impl NeedView<'_> {
    /// The item that needs.
    #[must_use]
    pub fn owner(&self) -> ItemIx {
        self.head.owner
    }

    /// The largest loss the need may cause; 1 for a hard need.
    #[must_use]
    pub fn cap(&self) -> f64 {
        self.detail.map_or(1.0, |detail| detail.cap)
    }

    /// When the need matters.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.head.flags.phase()
    }

    /// Members that must be up under the rule as written; `None` for WEIGHT and SHARE.
    #[must_use]
    pub fn required(&self) -> Option<u32> {
        let n = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        (self.head.trip != u32::MAX).then(|| n - self.head.trip + 1)
    }

    /// The rule as written. Over a single member every counting rule reads as ALL.
    #[must_use]
    pub fn rule(&self) -> Rule {
        if let Some(detail) = self.detail {
            return detail.rule.clone();
        }
        match self.head.flags.kind() {
            1 => Rule::Any,
            2 => Rule::AtLeast { k: self.required().unwrap_or(1) },
            3 => Rule::Percent { percent: self.head.flags.0 >> Flags::PERCENT_SHIFT },
            _ => Rule::All,
        }
    }

    /// The need as a caller would describe it.
    #[must_use]
    pub fn to_spec(&self) -> crate::NeedSpec {
        crate::NeedSpec {
            owner: self.owner(),
            members: self.members.to_vec(),
            rule: self.rule(),
            cap: self.cap(),
            phase: self.phase(),
            doubt: self.detail.map(|detail| detail.doubt.clone()).unwrap_or_default(),
            tag: self.tag,
        }
    }
}
