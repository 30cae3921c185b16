//! Redundancy as its load takes it (analyses 1.5), for answers about what fails.
//!
//! How many members of a load-sharing need must be up follows from its load; what is declared is the fallback. Where the
//! catalogue states capacities, demand and ratios, and they take more members than are declared to be needed, one of the
//! two is wrong, or the load is not always at its peak. So the truth is bracketed (analyses 1.6): well settled the need
//! holds by what is declared, badly settled its members also share the load.
//!
//! Only what the catalogue states counts, nothing that was measured since: what an answer says of a revision stays.

use std::sync::{Arc, OnceLock};

use chrono::DateTime;
use keelson_analysis::demand::Model;
use keelson_analysis::expiry::{Disagreement, ExpiryError};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_graph::spec::Doubt;
use keelson_graph::{Changes, ItemIx, NeedSpec, NeedView, Snapshot};
use keelson_model::{Phase, Rule};

use super::growth::of_everybody;
use super::pools::carried;
use super::shared::Loaded;
use crate::attributes::amount;
use crate::demand::visits;
use crate::needs::title;
use crate::projection::DrawnFrom;
use crate::subject::key_of;
use crate::{Basis, LimitCode, QuestionError, View};

/// Needs that are named.
const MOST_NAMED: usize = 3;

/// The needs of a view whose load takes more members than are declared, found when first asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads(Arc<OnceLock<Found>>);

/// What was found.
#[derive(Debug, Default)]
struct Found {
    /// The graph in which such needs share their load; absent where there are none.
    graph: Option<Arc<Snapshot>>,
    /// Whose need each is, and the contradiction in words; ascending.
    told: Vec<(ItemIx, String)>,
    /// Why nothing was compared.
    failed: Option<String>,
}

/// A view under its loads, as far as they are about some items.
pub(crate) struct UnderLoad {
    /// In it needs of these items whose load takes more members than are declared share that load too, which is in doubt.
    pub(crate) view: View,
    /// Whether it is another than the view that was asked about.
    pub(crate) is_other: bool,
    /// The contradictions, in words.
    told: Vec<String>,
    /// Why nothing was compared.
    failed: Option<String>,
}

impl View {
    /// Under the loads of some items, and of all these rest on.
    pub(crate) fn loaded_beneath(&self, items: &[ItemIx]) -> UnderLoad {
        let mut scratch = Scratch::default();
        closure::walk(&self.graph, &mut scratch, items, closure::Direction::Dependencies, &Limits::default());
        let mut owners: Vec<ItemIx> = scratch.met().chain(items.iter().copied()).collect();
        owners.sort_unstable();
        self.loaded(&owners)
    }

    /// Under the loads of some items, in ascending order.
    ///
    /// Loads of the whole catalogue are worked out when first asked for, and only where one of these items has a need whose
    /// members state what they carry. Doing it again changes nothing.
    pub(crate) fn loaded(&self, owners: &[ItemIx]) -> UnderLoad {
        let mut loaded = UnderLoad { view: self.clone(), is_other: false, told: Vec::new(), failed: None };
        let is_known = self.loads.0.get().is_some();
        if !is_known && !owners.iter().any(|owner| pools(self, *owner).next().is_some()) {
            return loaded;
        }
        let found = self.loads();
        loaded.failed.clone_from(&found.failed);
        let concerned = found.told.iter().filter(|(owner, _)| owners.binary_search(owner).is_ok());
        loaded.told = concerned.map(|(_, words)| words.clone()).collect();
        if let Some(graph) = found.graph.as_ref().filter(|_| !loaded.told.is_empty()) {
            loaded.is_other = !Arc::ptr_eq(graph, &self.graph);
            loaded.view.graph = Arc::clone(graph);
        }
        loaded
    }

    fn loads(&self) -> &Found {
        self.loads.0.get_or_init(|| {
            find(self).unwrap_or_else(|error| Found { failed: Some(error.to_string()), ..Found::default() })
        })
    }
}

impl UnderLoad {
    /// Says which needs take more at their load than is declared.
    pub(crate) fn note(&self, basis: &mut Basis) {
        if let Some(failed) = &self.failed {
            let message = format!("declared redundancy is not compared with what loads take: {failed}");
            basis.limit(LimitCode::FigureMissing, message);
        }
        if self.told.is_empty() {
            return;
        }
        let shown = self.told[..self.told.len().min(MOST_NAMED)].join("; ");
        let more = self.told.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let message = format!(
            "the load contradicts declared redundancy: what is certain holds by what is declared, what is possible by the load \
             at its peak: {shown}{more}"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// The needs of an item over several members that all state what they carry, which count how many must be up.
fn pools(view: &View, owner: ItemIx) -> impl Iterator<Item = NeedView<'_>> + '_ {
    let has_capacity = |member: &ItemIx| amount(view, *member, "capacity").is_some();
    let is_pool = move |need: &NeedView<'_>| {
        let is_redundant = need.members.len() > 1 && need.phase().runs() && !need.head.is_share();
        let is_stated = matches!(DrawnFrom::of_tag(need.tag), DrawnFrom::Need(_));
        is_redundant && is_stated && need.required().is_some() && need.members.iter().all(has_capacity)
    };
    view.graph.counted_needs(owner).map(|need| view.graph.need(need)).filter(is_pool)
}

/// A need that takes more than is declared: what its members carry, in their order, and what they share.
struct Contradicted<'a> {
    need: NeedView<'a>,
    capacities: Vec<f64>,
    unit: String,
    shared: f64,
    words: String,
}

impl Contradicted<'_> {
    /// The need of the load. That there is such a need is what is in doubt.
    fn spec(&self) -> NeedSpec {
        let of = self.need.to_spec();
        let DrawnFrom::Need(ix) = DrawnFrom::of_tag(of.tag) else { return of };
        NeedSpec {
            rule: Rule::Share {
                capacities: self.capacities.clone(),
                unit: self.unit.clone(),
                demand: Some(self.shared),
            },
            doubt: Doubt { existence: true, members: of.doubt.members, ..Doubt::default() },
            phase: Phase::Run,
            tag: DrawnFrom::Load(ix).tag(),
            ..of
        }
    }
}

fn find(view: &View) -> Result<Found, QuestionError> {
    let needs: Vec<NeedView<'_>> = view.graph.item_numbers().flat_map(|owner| pools(view, owner)).collect();
    if needs.is_empty() {
        return Ok(Found::default());
    }
    let stated = View { series: None, ..view.clone() };
    let limits = Limits::default();
    // Without series nothing depends on the time.
    let now = DateTime::UNIX_EPOCH;
    let (visits, _) = visits(&stated, now)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let (.., amounts) = of_everybody(&stated, &model, now, &limits)?;
    let loaded = Loaded::new(&stated, &model, &amounts);
    let mut found = Vec::new();
    for need in needs {
        let Ok((known, unit)) = carried(&loaded, &need, |_| 1.0)? else { continue };
        let figures = |error: ExpiryError| QuestionError::Figures(error.to_string());
        let differs = known.pool.disagreement(known.load).map_err(figures)?;
        let Some(differs) = differs.filter(Disagreement::is_dangerous) else { continue };
        let capacities = known.pool.usable().unwrap_or_default().to_vec();
        // What not even all carry is short already: what is asked about takes its share of what they do carry.
        let shared = known.load.min(capacities.iter().sum());
        let words = in_words(view, &need, (known.load, &unit), &differs);
        found.push(Contradicted { need, capacities, unit, shared, words });
    }
    let graph = with_loads(view, &found)?;
    let mut told: Vec<(ItemIx, String)> = found.into_iter().map(|one| (one.need.owner(), one.words)).collect();
    told.sort();
    Ok(Found { graph, told, failed: None })
}

fn in_words(view: &View, need: &NeedView<'_>, (load, unit): (f64, &str), differs: &Disagreement) -> String {
    let takes = differs
        .derived
        .map_or_else(|| "more than all of them carry".to_owned(), |derived| format!("{derived} of them"));
    format!(
        "'{}' of '{}' is declared to need {} of {}, and its load of {} {unit} takes {takes}",
        title(&view.catalogue, need).0,
        key_of(&view.catalogue, need.owner()),
        differs.declared,
        need.members.len(),
        (load * 1e4).round() / 1e4
    )
}

fn with_loads(view: &View, found: &[Contradicted<'_>]) -> Result<Option<Arc<Snapshot>>, QuestionError> {
    if found.is_empty() {
        return Ok(None);
    }
    let mut changes = Changes::new();
    // They were found owner by owner.
    for of_owner in found.chunk_by(|a, b| a.need.owner() == b.need.owner()) {
        let owner = of_owner[0].need.owner();
        let declared = view.graph.needs(owner).map(|need| need.to_spec());
        changes.replace_needs(owner, declared.chain(of_owner.iter().map(Contradicted::spec)).collect());
    }
    Ok(Some(Arc::new(view.graph.with_changes(changes).map_err(QuestionError::Graph)?)))
}
