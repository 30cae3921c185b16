//! The largest flow of one commodity through a network, and the smallest cut that holds it back.
//!
//! Dinic's algorithm (1970): level networks by breadth, blocking flows by depth, with a stack of its
//! own. Each step along a way either fills an arc exactly or leaves it for good, so that it ends for
//! any capacities, not only whole ones. petgraph's `dinics` gives no cut, cannot be stopped, and clears
//! a mark per vertex for every way it finds; it serves as the yardstick in the tests.

use fixedbitset::FixedBitSet;
use thiserror::Error;

use crate::{Limits, Truncation, Truncations};

/// Why a network means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum FlowError {
    /// A vertex that is not there.
    #[error("vertex {vertex} is not in the network, which has {vertices}")]
    NoSuchVertex {
        /// The vertex.
        vertex: u32,
        /// How many there are.
        vertices: u32,
    },
    /// A capacity that is no number, or below 0.
    #[error("the arc from {from} to {to} has capacity {capacity}; it must be a finite number, 0 or above")]
    BadCapacity {
        /// Where the arc starts.
        from: u32,
        /// Where it ends.
        to: u32,
        /// The offending capacity.
        capacity: f64,
    },
    /// A flow from a vertex to itself.
    #[error("source and sink are the same vertex, {vertex}; a flow needs two")]
    SameEnds {
        /// The vertex.
        vertex: u32,
    },
}

/// A network: arcs with capacities between vertices numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Network {
    vertices: u32,
    arcs: Vec<(u32, u32, f64)>,
}

/// A vertex through which only so much passes: an arc between two vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Where flow enters.
    pub enter: u32,
    /// Where it leaves.
    pub leave: u32,
    /// The arc between.
    pub arc: usize,
}

/// A largest flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// How much passes.
    pub value: f64,
    /// How much passes through each arc, in the order in which arcs were added.
    pub arcs: Vec<f64>,
    /// The arcs of the smallest cut nearest the source: all are full, and nothing more passes until each
    /// of them, or what comes after it, is widened. Empty if a limit was hit.
    pub cut: Vec<usize>,
    /// The limits that were hit: then more may pass.
    pub truncations: Truncations,
}

impl Network {
    /// A network of so many vertices without arcs.
    #[must_use]
    pub fn new(vertices: u32) -> Self {
        Self { vertices, arcs: Vec::new() }
    }

    /// Adds a vertex and returns its number.
    pub fn vertex(&mut self) -> u32 {
        self.vertices += 1;
        self.vertices - 1
    }

    /// Adds a vertex through which only so much passes.
    ///
    /// # Errors
    /// When the capacity is no number, or below 0.
    pub fn gate(&mut self, capacity: f64) -> Result<Gate, FlowError> {
        let (enter, leave) = (self.vertex(), self.vertex());
        Ok(Gate { enter, leave, arc: self.arc(enter, leave, capacity)? })
    }

    /// Adds an arc and returns its number.
    ///
    /// # Errors
    /// When a vertex is not there, or the capacity is no number or below 0.
    pub fn arc(&mut self, from: u32, to: u32, capacity: f64) -> Result<usize, FlowError> {
        self.require(from)?;
        self.require(to)?;
        if !(capacity >= 0.0 && capacity.is_finite()) {
            return Err(FlowError::BadCapacity { from, to, capacity });
        }
        self.arcs.push((from, to, capacity));
        Ok(self.arcs.len() - 1)
    }

    fn require(&self, vertex: u32) -> Result<(), FlowError> {
        let vertices = self.vertices;
        if vertex < vertices { Ok(()) } else { Err(FlowError::NoSuchVertex { vertex, vertices }) }
    }

    /// Returns the largest flow from a source to a sink. Only the stop flag of `limits` is looked at; what
    /// was found until then is a flow, but perhaps not the largest.
    ///
    /// # Errors
    /// When source or sink is not there, or both are the same.
    pub fn largest_flow(&self, source: u32, sink: u32, limits: &Limits<'_>) -> Result<Flow, FlowError> {
        self.require(source)?;
        self.require(sink)?;
        if source == sink {
            return Err(FlowError::SameEnds { vertex: source });
        }
        let mut residual = Residual::of(self);
        let (mut value, mut steps) = (0.0, 0);
        let mut truncations = Truncations::default();
        'phases: while residual.level(source, sink) {
            while let Some(more) = residual.augment(source, sink) {
                value += more;
                steps += 1;
                if limits.stopped(steps) {
                    truncations.add(Truncation::Deadline);
                    break 'phases;
                }
            }
        }
        let arcs =
            self.arcs.iter().enumerate().map(|(at, (_, _, capacity))| capacity - residual.left[2 * at]).collect();
        let mut cut = Vec::new();
        if truncations.is_empty() {
            let near = residual.reached();
            let crosses = |(from, to, capacity): &(u32, u32, f64)| {
                near.contains(*from as usize) && !near.contains(*to as usize) && *capacity > 0.0
            };
            cut = self.arcs.iter().enumerate().filter(|(_, arc)| crosses(arc)).map(|(at, _)| at).collect();
        }
        Ok(Flow { value, arcs, cut, truncations })
    }
}

/// What may still pass, in both directions: arc *i* is half-arc 2i, the way back 2i + 1.
struct Residual {
    starts: Vec<usize>,
    /// Half-arcs by the vertex they leave.
    leaving: Vec<usize>,
    to: Vec<u32>,
    left: Vec<f64>,
    levels: Vec<u32>,
    /// The half-arc of each vertex to look at next.
    next: Vec<usize>,
}

impl Residual {
    const UNREACHED: u32 = u32::MAX;

    fn of(network: &Network) -> Self {
        let vertices = network.vertices as usize;
        let mut starts = vec![0; vertices + 1];
        for &(from, to, _) in &network.arcs {
            starts[from as usize + 1] += 1;
            starts[to as usize + 1] += 1;
        }
        for vertex in 0..vertices {
            starts[vertex + 1] += starts[vertex];
        }
        let mut places = starts.clone();
        let mut leaving = vec![0; 2 * network.arcs.len()];
        let mut put = |vertex: u32, half: usize| {
            leaving[places[vertex as usize]] = half;
            places[vertex as usize] += 1;
        };
        let (mut heads, mut left) = (Vec::new(), Vec::new());
        for (at, &(from, to, capacity)) in network.arcs.iter().enumerate() {
            put(from, 2 * at);
            put(to, 2 * at + 1);
            heads.extend([to, from]);
            left.extend([capacity, 0.0]);
        }
        let (levels, next) = (vec![Self::UNREACHED; vertices], vec![0; vertices]);
        Self { starts, leaving, to: heads, left, levels, next }
    }

    /// Counts steps from the source to every vertex; whether the sink is reached.
    fn level(&mut self, source: u32, sink: u32) -> bool {
        self.levels.fill(Self::UNREACHED);
        self.next.copy_from_slice(&self.starts[..self.starts.len() - 1]);
        self.levels[source as usize] = 0;
        let (mut queue, mut head) = (vec![source], 0);
        while let Some(&vertex) = queue.get(head) {
            head += 1;
            let at = vertex as usize;
            for &half in &self.leaving[self.starts[at]..self.starts[at + 1]] {
                let to = self.to[half] as usize;
                if self.left[half] > 0.0 && self.levels[to] == Self::UNREACHED {
                    self.levels[to] = self.levels[at] + 1;
                    queue.push(self.to[half]);
                }
            }
        }
        self.levels[sink as usize] != Self::UNREACHED
    }

    /// Sends as much as passes along one more way through the levels; `None` if there is none.
    fn augment(&mut self, source: u32, sink: u32) -> Option<f64> {
        let mut way: Vec<usize> = Vec::new();
        let mut vertex = source;
        while vertex != sink {
            let at = vertex as usize;
            let fits = |half: usize, levels: &[u32], left: &[f64]| {
                left[half] > 0.0 && levels[self.to[half] as usize] == levels[at] + 1
            };
            let open = self.leaving[self.next[at]..self.starts[at + 1]]
                .iter()
                .position(|&half| fits(half, &self.levels, &self.left));
            if let Some(skipped) = open {
                self.next[at] += skipped;
                way.push(self.leaving[self.next[at]]);
                vertex = self.to[self.leaving[self.next[at]]];
            } else {
                // A dead end: nobody comes here again in this phase.
                self.levels[at] = Self::UNREACHED;
                let last = way.pop()?;
                vertex = self.to[last ^ 1];
            }
        }
        let most = way.iter().map(|&half| self.left[half]).fold(f64::INFINITY, f64::min);
        for half in way {
            self.left[half] -= most;
            self.left[half ^ 1] += most;
        }
        Some(most)
    }

    /// The vertices reached in the last count of steps.
    fn reached(&self) -> FixedBitSet {
        let reached = self.levels.iter().enumerate().filter(|(_, level)| **level != Self::UNREACHED);
        reached.map(|(vertex, _)| vertex).collect()
    }
}
