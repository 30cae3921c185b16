//! Redundancy that is declared and not there: by what the load takes (analyses 1.5), or because members were observed on
//! something that they share.

use std::collections::{BTreeMap, BTreeSet};

use keelson_analysis::Reading;
use keelson_analysis::single_points::{Question, single_points_of};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_graph::{ItemIx, NeedView, Snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::Work;
use crate::capacity::{CapacityQuestion, capacity};
use crate::needs::title;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, QuestionError, Subject};

/// Most redundancy needs whose members are looked at.
const MOST_NEEDS: usize = 2_000;
/// Most items named that members share.
const MOST_SHARED: usize = 20;

/// What is wrong with a redundancy need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedundancyFault {
    /// More members must be up at today's load than are declared to be needed: the redundancy is not there.
    NeedsMore,
    /// Enough members to breach it were observed on something that as declared they do not share.
    SharedAsObserved,
    /// Fewer members must be up at today's load than are declared to be needed.
    NeedsFewer,
}

/// A redundancy need that is not what it is declared to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedundancyFinding {
    /// What is wrong.
    pub fault: RedundancyFault,
    /// Whose need it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it is called.
    pub need: String,
    /// How many members are declared to be needed; absent where nobody says.
    pub declared: Option<u32>,
    /// How many the load takes; absent where it is not about a load.
    pub derived: Option<u32>,
    /// What the members share as observed, by key; the first 20.
    pub shared: Vec<String>,
    /// In words.
    pub message: String,
}

/// Every finding about the needs of some services and of what they rest on.
pub(super) fn findings(
    work: &Work<'_>,
    wanted: &[ItemIx],
    affected: &[ItemIx],
    most: usize,
    basis: &mut Basis,
) -> Result<Vec<RedundancyFinding>, QuestionError> {
    let mut found = derived(work, wanted, most, basis);
    found.extend(shared(work, affected, basis)?);
    found.sort();
    Ok(found)
}

/// Needs whose load takes another number of members than is declared.
fn derived(work: &Work<'_>, wanted: &[ItemIx], most: usize, basis: &mut Basis) -> Vec<RedundancyFinding> {
    let view = work.view.altered(std::sync::Arc::clone(&work.graphs.declared));
    let services = wanted.iter().map(|one| key_of(&view.catalogue, *one)).collect();
    let question = CapacityQuestion { services, most: most.max(MOST_NEEDS), ..CapacityQuestion::default() };
    let answer = match capacity(&view, &question, work.asked, work.pool, work.stop) {
        Ok(answer) => answer,
        Err(error) => {
            let message = format!("declared redundancy is not compared with what the load takes: {error}");
            basis.limit(LimitCode::FigureMissing, message);
            return Vec::new();
        }
    };
    let line = |one: crate::capacity::RedundancyLine| {
        let declared = one.declared?;
        let members = one.members.len();
        let (fault, message) = match one.required {
            None if one.load.is_some() => (
                RedundancyFault::NeedsMore,
                format!("{declared} of {members} are declared to be needed; not even all carry the load"),
            ),
            Some(required) if required > declared => (
                RedundancyFault::NeedsMore,
                format!("{declared} of {members} are declared to be needed; the load takes {required}"),
            ),
            Some(required) if required < declared => (
                RedundancyFault::NeedsFewer,
                format!("{declared} of {members} are declared to be needed; the load takes {required} only"),
            ),
            _ => return None,
        };
        let (declared, derived) = (Some(declared), one.required);
        Some(RedundancyFinding {
            fault,
            subject: one.subject,
            need: one.need,
            declared,
            derived,
            shared: Vec::new(),
            message,
        })
    };
    answer.redundancy.into_iter().filter_map(line).collect()
}

/// Needs of which enough members share something as observed that as declared they do not share.
fn shared(work: &Work<'_>, affected: &[ItemIx], basis: &mut Basis) -> Result<Vec<RedundancyFinding>, QuestionError> {
    let (declared, all) = (&work.graphs.declared, &work.graphs.all);
    let mut scratch = Scratch::default();
    let limits = Limits { stop: work.stop, ..Limits::default() };
    closure::walk(declared, &mut scratch, affected, closure::Direction::Dependencies, &limits);
    let owners: BTreeSet<ItemIx> = scratch.met().chain(affected.iter().copied()).collect();
    let is_redundant = |need: &NeedView<'_>| {
        let required = need.required().and_then(|required| usize::try_from(required).ok());
        need.phase().runs() && need.members.len() > 1 && required.is_some_and(|required| required < need.members.len())
    };
    let needs: Vec<NeedView<'_>> =
        owners.iter().flat_map(|owner| declared.needs(*owner)).filter(is_redundant).collect();
    if needs.len() > MOST_NEEDS {
        let message = format!("of {} redundancy needs the members of {MOST_NEEDS} were compared", needs.len());
        basis.limit(LimitCode::Items, message);
    }
    let needs = &needs[..needs.len().min(MOST_NEEDS)];
    let members: BTreeSet<ItemIx> = needs.iter().flat_map(|need| need.members.iter().copied()).collect();
    let members: Vec<ItemIx> = members.into_iter().collect();
    let (before, after) = (points(work, declared, &members)?, points(work, all, &members)?);
    let line = |need: &NeedView<'_>| {
        let required = need.required()?;
        let enough = need.members.len() + 1 - usize::try_from(required).ok()?;
        let as_declared = shared_by(need.members, &before, enough);
        let new: Vec<ItemIx> =
            shared_by(need.members, &after, enough).into_iter().filter(|one| !as_declared.contains(one)).collect();
        let first = new.first()?;
        let catalogue = &work.view.catalogue;
        let message = format!(
            "{enough} of {} members were observed on what they do not share as declared: {}{}",
            need.members.len(),
            key_of(catalogue, *first),
            if new.len() > 1 { format!(" and {} more", new.len() - 1) } else { String::new() }
        );
        Some(RedundancyFinding {
            fault: RedundancyFault::SharedAsObserved,
            subject: Subject::of(catalogue, ci_of(need.owner())),
            need: title(catalogue, need).0,
            declared: Some(required),
            derived: None,
            shared: new.iter().take(MOST_SHARED).map(|one| key_of(catalogue, *one)).collect(),
            message,
        })
    };
    Ok(needs.iter().filter_map(line).collect())
}

/// The single points of each item, the item itself among them.
type Points = BTreeMap<ItemIx, Vec<ItemIx>>;

fn points(work: &Work<'_>, graph: &Snapshot, items: &[ItemIx]) -> Result<Points, QuestionError> {
    let question = Question { reading: Reading::AsWritten, stop: work.stop, ..Question::default() };
    let (found, _) = single_points_of(graph, items, &question, &[])?;
    let with_itself = |(item, set): (&ItemIx, keelson_analysis::single_points::SinglePoints)| {
        let mut points = set.items;
        points.push(*item);
        (*item, points)
    };
    Ok(items.iter().zip(found).map(with_itself).collect())
}

/// What fells at least so many members alone, those that fell most of them first.
fn shared_by(members: &[ItemIx], points: &Points, enough: usize) -> Vec<ItemIx> {
    let mut counts: BTreeMap<ItemIx, usize> = BTreeMap::new();
    for point in members.iter().filter_map(|member| points.get(member)).flatten() {
        *counts.entry(*point).or_default() += 1;
    }
    let mut found: Vec<(ItemIx, usize)> = counts.into_iter().filter(|(_, count)| *count >= enough).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.into_iter().map(|(item, _)| item).collect()
}
