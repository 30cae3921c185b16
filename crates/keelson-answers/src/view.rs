//! One revision as a reader holds it.

use std::sync::Arc;

use keelson_analysis::certainty::Target;
use keelson_analysis::single_points::breach_level;
use keelson_catalogue::{Catalogue, CiIx};
use keelson_graph::{GraphError, ItemIx, Snapshot};
use keelson_model::{RecordChange, Revision};

use crate::brief::Briefs;
use crate::capacity::loads::Loads;
use crate::series::SeriesBook;
use crate::suppose::Supposed;
use crate::{Brief, projection};

/// Stands for the smallest fraction where nobody states one: it must deliver something.
const ANYTHING: f64 = 1e-6;
/// Changes up to which the graph is always redrawn in part.
const LARGE_PART: usize = 2_000;

/// A catalogue with its dependency graph. Cheap to clone; never changes.
#[derive(Clone)]
pub struct View {
    /// The catalogue.
    pub catalogue: Arc<Catalogue>,
    /// The graph drawn from it; its items have the catalogue's numbers.
    pub graph: Arc<Snapshot>,
    /// What summaries ask of each item of the catalogue.
    pub(crate) briefs: Arc<Briefs>,
    /// What is supposed beside what is known; absent for what is really there.
    pub supposed: Option<Arc<Supposed>>,
    /// Measured series beside it; absent where nobody laid any.
    pub series: Option<Arc<SeriesBook>>,
    /// Whether the graph was altered since it was drawn: then what the catalogue says of a relationship may be about one
    /// that the graph does not have.
    pub(crate) is_altered: bool,
    /// Where loads take more of a redundancy than is declared.
    pub(crate) loads: Loads,
}

impl View {
    /// Draws the graph of a catalogue.
    ///
    /// # Errors
    /// Fails when a stored need cannot be drawn: the store holds something no write lets in.
    pub fn of(catalogue: Arc<Catalogue>) -> Result<Self, GraphError> {
        let graph = Arc::new(projection::draw(&catalogue)?);
        let briefs = Arc::new(Briefs::of(&catalogue));
        Ok(Self { catalogue, graph, briefs, supposed: None, series: None, is_altered: false, loads: Loads::default() })
    }

    /// The view after a commit: `catalogue` is this view's catalogue with `changes` applied. Costs
    /// what the change costs, not what the catalogue is large.
    ///
    /// # Errors
    /// As [`View::of`].
    pub fn after(&self, catalogue: Arc<Catalogue>, changes: &[RecordChange]) -> Result<Self, GraphError> {
        // Redrawing a large part item by item costs more than drawing the whole.
        if changes.len() > LARGE_PART.max(self.graph.memberships() / 4) {
            return Self::of(catalogue);
        }
        let delta = projection::redraw(&self.graph, &catalogue, changes);
        let mut graph = self.graph.with_changes(delta)?;
        if graph.wants_compaction() {
            graph = graph.compact()?;
        }
        let briefs = Arc::new(self.briefs.after(&catalogue, changes));
        Ok(Self {
            catalogue,
            graph: Arc::new(graph),
            briefs,
            supposed: None,
            series: None,
            is_altered: false,
            loads: Loads::default(),
        })
    }

    /// The same catalogue with an altered graph.
    pub(crate) fn altered(&self, graph: Arc<Snapshot>) -> Self {
        Self { graph, is_altered: true, loads: Loads::default(), ..self.clone() }
    }

    /// What a summary asks of a configuration item, without reading its record.
    ///
    /// # Panics
    /// When the number is not one of the catalogue.
    #[must_use]
    #[inline]
    pub fn brief(&self, ix: CiIx) -> Brief {
        self.briefs.get(ix)
    }

    /// Whether a configuration item is a service: a promise made to customers.
    #[must_use]
    pub fn is_service(&self, ix: CiIx) -> bool {
        self.briefs.is_service(ix)
    }

    /// The smallest fraction an item must deliver, where anybody stated it.
    #[must_use]
    pub fn minimum_delivered(&self, item: ItemIx) -> Option<f64> {
        self.catalogue.ci(CiIx(item.0)).attribute("minimum_delivered").and_then(keelson_model::Value::as_f64)
    }

    /// An item with the smallest fraction it must deliver; where nobody states one, it must deliver
    /// something.
    #[must_use]
    pub fn target(&self, item: ItemIx) -> Target {
        Target { item, min_delivered: self.minimum_delivered(item).unwrap_or(ANYTHING) }
    }

    /// The loss at which an item counts as breached.
    pub(crate) fn breach_level(&self, item: ItemIx) -> f64 {
        breach_level(self.target(item).min_delivered)
    }

    /// The revision it shows; under a supposition the one that is really there.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.supposed.as_ref().map_or_else(|| self.catalogue.revision(), |supposed| supposed.base)
    }
}

/// The graph's number of a configuration item.
#[must_use]
pub fn item(ix: CiIx) -> ItemIx {
    ItemIx(ix.0)
}
