//! The chain behind a supplier: who works for whom, and at which rank.
//!
//! The rank is the number of steps from the contract (1 = direct), found breadth first; ranks may be equal. On a
//! circle of sub-contractors an item keeps its smallest rank (analyses 5.4).

use std::collections::{BTreeMap, VecDeque};

use keelson_catalogue::CiIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SUBCONTRACTS_TO, targets};
use crate::{Subject, View};

/// A link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChainLine {
    /// Who provides.
    #[serde(flatten)]
    pub provider: Subject,
    /// Its rank; 1 is direct.
    pub rank: u32,
    /// To whom, by key; absent for the direct provider.
    pub recipient: Option<String>,
}

/// A chain as it was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    /// Provider, rank and recipients, nearest first.
    pub(crate) links: Vec<(CiIx, u32, Option<CiIx>)>,
    /// Sub-contracts that lead back to somebody met before at a smaller rank or the same: provider, recipient.
    pub(crate) circles: Vec<(CiIx, CiIx)>,
}

/// The chain behind a direct provider.
pub(crate) fn chain(view: &View, direct: CiIx) -> Chain {
    let mut ranks: BTreeMap<CiIx, u32> = BTreeMap::from([(direct, 1)]);
    let mut above: BTreeMap<CiIx, Option<CiIx>> = BTreeMap::from([(direct, None)]);
    let mut found = Chain { links: vec![(direct, 1, None)], circles: Vec::new() };
    let mut queue = VecDeque::from([direct]);
    while let Some(recipient) = queue.pop_front() {
        let rank = ranks[&recipient];
        for provider in targets(view, recipient, SUBCONTRACTS_TO) {
            match ranks.get(&provider) {
                None => {
                    ranks.insert(provider, rank + 1);
                    above.insert(provider, Some(recipient));
                    found.links.push((provider, rank + 1, Some(recipient)));
                    queue.push_back(provider);
                }
                // Of equal ranks each recipient is a link of its own.
                Some(known) if *known == rank + 1 => found.links.push((provider, rank + 1, Some(recipient))),
                Some(_) if leads_back(&above, recipient, provider) => found.circles.push((provider, recipient)),
                Some(_) => {}
            }
        }
    }
    found
}

/// Whether somebody stands above an item on its way from the contract.
fn leads_back(above: &BTreeMap<CiIx, Option<CiIx>>, from: CiIx, to: CiIx) -> bool {
    let mut at = Some(from);
    while let Some(ix) = at {
        if ix == to {
            return true;
        }
        at = above.get(&ix).copied().flatten();
    }
    false
}

/// The lines of a chain.
pub(crate) fn lines(view: &View, chain: &Chain) -> Vec<ChainLine> {
    let line = |(provider, rank, recipient): &(CiIx, u32, Option<CiIx>)| ChainLine {
        provider: Subject::of(&view.catalogue, *provider),
        rank: *rank,
        recipient: recipient.map(|ix| view.catalogue.ci(ix).key.to_string()),
    };
    chain.links.iter().map(line).collect()
}
