//! The chain behind a supplier: who works for whom, and at which rank.
//!
//! The rank is the number of steps from the contract (1 = direct), found breadth first; ranks may be equal. On a
//! circle of sub-contractors an item keeps its smallest rank (analyses 5.4).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keelson_catalogue::CiIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SUBCONTRACTS_TO, targets};
use crate::attributes::number;
use crate::{Subject, View, item};

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

/// A sub-contract that closes a circle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CircleLine {
    /// Who passes work on, by key.
    pub recipient: String,
    /// To whom, by key; it stands no deeper in the same chain, and works for the other, directly or not, as well.
    pub provider: String,
}

/// A chain as it was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    /// Provider, rank and recipients, nearest first.
    pub(crate) links: Vec<(CiIx, u32, Option<CiIx>)>,
    /// Sub-contracts that close a circle, at a rank no larger than the one before: provider, recipient.
    pub(crate) circles: Vec<(CiIx, CiIx)>,
}

impl Chain {
    fn push(&mut self, link: (CiIx, u32, Option<CiIx>)) {
        if !self.links.contains(&link) {
            self.links.push(link);
        }
    }
}

/// The chain behind the parties to a contract, and behind those to whom the contract itself says that work is passed on.
pub(crate) fn chain_of_contract(view: &View, contract: CiIx, parties: &[CiIx]) -> Chain {
    let passed: Vec<CiIx> =
        targets(view, contract, SUBCONTRACTS_TO).into_iter().filter(|one| !parties.contains(one)).collect();
    // Of several parties nobody says which of them passes it on.
    let recipient = match parties {
        [only] => Some(*only),
        _ => None,
    };
    walked(view, parties, &passed, recipient)
}

/// The chain behind direct providers.
pub(crate) fn chain(view: &View, direct: &[CiIx]) -> Chain {
    walked(view, direct, &[], None)
}

fn walked(view: &View, direct: &[CiIx], passed: &[CiIx], recipient: Option<CiIx>) -> Chain {
    let mut ranks: BTreeMap<CiIx, u32> = direct.iter().map(|one| (*one, 1)).collect();
    let mut found = Chain { links: direct.iter().map(|one| (*one, 1, None)).collect(), circles: Vec::new() };
    let mut queue: VecDeque<CiIx> = direct.iter().copied().collect();
    for provider in passed {
        ranks.insert(*provider, 2);
        found.push((*provider, 2, recipient));
        queue.push_back(*provider);
    }
    while let Some(recipient) = queue.pop_front() {
        let rank = ranks[&recipient];
        for provider in targets(view, recipient, SUBCONTRACTS_TO) {
            match ranks.get(&provider) {
                None => {
                    ranks.insert(provider, rank + 1);
                    found.links.push((provider, rank + 1, Some(recipient)));
                    queue.push_back(provider);
                }
                // Of equal ranks each recipient is a link of its own.
                Some(known) if *known == rank + 1 => found.push((provider, rank + 1, Some(recipient))),
                Some(_) if leads_to(view, provider, recipient) => found.circles.push((provider, recipient)),
                Some(_) => {}
            }
        }
    }
    found
}

/// Whether somebody works for another, directly or not, or is the same.
fn leads_to(view: &View, recipient: CiIx, provider: CiIx) -> bool {
    let (mut met, mut queue) = (BTreeSet::from([recipient]), vec![recipient]);
    while let Some(one) = queue.pop() {
        if one == provider {
            return true;
        }
        queue.extend(targets(view, one, SUBCONTRACTS_TO).into_iter().filter(|next| met.insert(*next)));
    }
    false
}

/// Down to which rank a chain is known: as far as those in it say that theirs is, counted from its beginning. Absent where
/// the first of them do not say.
pub(crate) fn known_to_rank(view: &View, chain: &Chain) -> Option<f64> {
    let stated = |ix: CiIx| number(view, item(ix), "chain_known_to_rank");
    let direct = chain.links.iter().filter(|(_, rank, _)| *rank == 1);
    if direct.clone().any(|(ix, _, _)| stated(*ix).is_none()) {
        return None;
    }
    let known = chain.links.iter().filter_map(|(ix, rank, _)| Some(f64::from(*rank) + stated(*ix)? - 1.0));
    known.reduce(f64::min)
}

/// A provider that says down to which rank its chain is known, and behind which more ranks are stated than that.
pub(crate) struct Deeper {
    /// Who says it.
    pub(crate) provider: CiIx,
    /// Down to which rank it says that its chain is known; 1 is itself.
    pub(crate) known: f64,
    /// Down to which rank one is stated.
    pub(crate) stated: u32,
}

/// Those of some providers that contradict themselves about how far their chains are known.
pub(crate) fn deeper_than_known(view: &View, providers: impl IntoIterator<Item = CiIx>) -> Vec<Deeper> {
    let providers: BTreeSet<CiIx> = providers.into_iter().collect();
    let look = |provider: CiIx| {
        let known = number(view, item(provider), "chain_known_to_rank")?;
        let stated = chain(view, &[provider]).links.iter().map(|(_, rank, _)| *rank).max()?;
        (f64::from(stated) > known).then_some(Deeper { provider, known, stated })
    };
    providers.into_iter().filter_map(look).collect()
}

/// The circles of a chain.
pub(crate) fn circles(view: &View, chain: &Chain) -> Vec<CircleLine> {
    let key = |ix: &CiIx| view.catalogue.ci(*ix).key.to_string();
    let line = |(provider, recipient): &(CiIx, CiIx)| CircleLine { recipient: key(recipient), provider: key(provider) };
    chain.circles.iter().map(line).collect()
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
