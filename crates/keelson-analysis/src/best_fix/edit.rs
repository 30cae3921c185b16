//! Edits to the needs of an estate, and the estate they lead to.

use std::collections::BTreeMap;

use keelson_graph::{Changes, GraphError, ItemIx, NeedIx, NeedSpec, Snapshot};
use keelson_model::Rule;
use thiserror::Error;

/// One edit. Needs are numbered as in the snapshot the edit is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds an item that needs nothing yet.
    Add {
        /// The item.
        item: ItemIx,
    },
    /// Replaces all needs of an item.
    Needs {
        /// The item.
        owner: ItemIx,
        /// Its needs from now on.
        needs: Vec<NeedSpec>,
    },
    /// Puts one member in the place of another: the owner is placed elsewhere.
    Replace {
        /// The need.
        need: NeedIx,
        /// The member that goes.
        from: ItemIx,
        /// The one that comes; it takes over the weight or capacity.
        to: ItemIx,
    },
    /// Changes how many members must be up.
    Rule {
        /// The need.
        need: NeedIx,
        /// Its rule from now on; with it, what was in doubt about the rule is settled.
        rule: Rule,
    },
    /// Adds a member. The rule stays; that of a need of one member is ALL, so give it another with
    /// [`Edit::Rule`] where the second one is to be redundancy.
    Join {
        /// The need.
        need: NeedIx,
        /// The new member.
        member: ItemIx,
        /// Its weight or capacity; has no meaning where members are counted.
        value: f64,
    },
    /// Removes a member.
    Leave {
        /// The need.
        need: NeedIx,
        /// The member that goes.
        member: ItemIx,
    },
}

/// Edits that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    /// The edits, made one after the other.
    pub edits: Vec<Edit>,
}

/// Why a candidate cannot be applied.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FixError {
    /// An item that is no member was to be replaced or removed.
    #[error("item {} is no member of the need of item {} tagged {tag}", member.0, owner.0)]
    NoMember {
        /// Owner of the need.
        owner: ItemIx,
        /// Tag of the need.
        tag: u64,
        /// The item.
        member: ItemIx,
    },
    /// A need was to be edited after all needs of its owner were replaced.
    #[error("the needs of item {} have been replaced; give the edited need among the new ones", owner.0)]
    Replaced {
        /// Owner of the need.
        owner: ItemIx,
    },
    /// The graph that results is not meaningful.
    #[error("the graph cannot be changed like this")]
    Graph(#[from] GraphError),
}

impl Candidate {
    /// Returns a candidate of one edit.
    #[must_use]
    pub fn of(edit: Edit) -> Self {
        Self { edits: vec![edit] }
    }

    /// Returns the graph after the edits; the snapshot stays as it is, and both share what is equal.
    ///
    /// # Errors
    /// When an edit does not fit the graph, or the graph that results is not meaningful.
    ///
    /// # Panics
    /// When a need comes from another snapshot.
    pub fn apply(&self, snapshot: &Snapshot) -> Result<Snapshot, FixError> {
        let (mut changes, mut drafts) = (Changes::new(), Drafts { snapshot, owners: BTreeMap::new() });
        for edit in &self.edits {
            match edit {
                Edit::Add { item } => _ = changes.add(*item),
                Edit::Needs { owner, needs } => {
                    let needs = needs.iter().cloned().map(|need| (None, need)).collect();
                    drafts.owners.insert(*owner, needs);
                }
                Edit::Rule { need, rule } => {
                    let spec = drafts.need(*need)?;
                    spec.rule = rule.clone();
                    spec.doubt.rule_assumed = false;
                    spec.doubt.counts.clear();
                }
                Edit::Join { need, member, value } => {
                    let spec = drafts.need(*need)?;
                    spec.members.push(*member);
                    if let Some(values) = values(&mut spec.rule) {
                        values.push(*value);
                    }
                }
                Edit::Replace { need, from, to } => {
                    let (spec, at) = drafts.member(*need, *from)?;
                    spec.members[at] = *to;
                    spec.doubt.members.retain(|member| member != from);
                }
                Edit::Leave { need, member } => {
                    let (spec, at) = drafts.member(*need, *member)?;
                    spec.members.remove(at);
                    spec.doubt.members.retain(|other| other != member);
                    if let Some(values) = values(&mut spec.rule) {
                        values.remove(at);
                    }
                }
            }
        }
        for (owner, needs) in drafts.owners {
            changes.replace_needs(owner, needs.into_iter().map(|(_, need)| need).collect());
        }
        Ok(snapshot.with_changes(changes)?)
    }

    /// The items whose needs are edited.
    pub(super) fn owners(&self, snapshot: &Snapshot) -> Vec<ItemIx> {
        let owner = |edit: &Edit| match edit {
            Edit::Add { item } => *item,
            Edit::Needs { owner, .. } => *owner,
            Edit::Replace { need, .. }
            | Edit::Rule { need, .. }
            | Edit::Join { need, .. }
            | Edit::Leave { need, .. } => snapshot.need(*need).owner(),
        };
        self.edits.iter().map(owner).collect()
    }
}

/// What belongs to each member, one to one.
fn values(rule: &mut Rule) -> Option<&mut Vec<f64>> {
    match rule {
        Rule::Weight { weights: values, .. } | Rule::Share { capacities: values, .. } => Some(values),
        _ => None,
    }
}

/// The needs of the owners edited, as far as the edits have gone.
struct Drafts<'a> {
    snapshot: &'a Snapshot,
    /// Each with its number, unless it is new.
    owners: BTreeMap<ItemIx, Vec<(Option<NeedIx>, NeedSpec)>>,
}

impl Drafts<'_> {
    fn need(&mut self, ix: NeedIx) -> Result<&mut NeedSpec, FixError> {
        let owner = self.snapshot.need(ix).owner();
        let drafted = || self.snapshot.needs(owner).map(|need| (Some(need.ix), need.to_spec())).collect();
        let needs = self.owners.entry(owner).or_insert_with(drafted);
        let found = needs.iter_mut().find(|(known, _)| *known == Some(ix));
        found.map(|(_, need)| need).ok_or(FixError::Replaced { owner })
    }

    fn member(&mut self, need: NeedIx, member: ItemIx) -> Result<(&mut NeedSpec, usize), FixError> {
        let spec = self.need(need)?;
        let at = spec.members.iter().position(|known| *known == member);
        let (owner, tag) = (spec.owner, spec.tag);
        at.map(|at| (spec, at)).ok_or(FixError::NoMember { owner, tag, member })
    }
}
