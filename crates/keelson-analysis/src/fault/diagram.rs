//! Nodes of decision diagrams, each kept once, and the fuel that making them burns.

use std::sync::atomic::{AtomicBool, Ordering};

/// The diagram of what never is, or of no set at all.
pub(crate) const NONE: u32 = 0;
/// The diagram of what always is, or of the empty set alone.
pub(crate) const ALL: u32 = 1;

/// Why a computation ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its budget was spent.
    Budget,
    /// The stop flag was raised.
    Stopped,
}

/// What a computation may use up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fuel<'a> {
    /// Nodes that may still be made.
    pub(crate) nodes: usize,
    /// Steps that may still be taken.
    pub(crate) steps: usize,
    pub(crate) stop: Option<&'a AtomicBool>,
}

impl<'a> Fuel<'a> {
    /// Steps for every node allowed. Few steps make no node; this keeps a walk over small diagrams,
    /// again and again, from going on for ever.
    const STEPS: usize = 16;

    pub(crate) fn new(nodes: usize, stop: Option<&'a AtomicBool>) -> Self {
        Self { nodes, steps: nodes.saturating_mul(Self::STEPS), stop }
    }

    /// Counts a step.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), Cut> {
        self.steps = self.steps.checked_sub(1).ok_or(Cut::Budget)?;
        if self.steps.is_multiple_of(1 << 12) && self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Cut::Stopped);
        }
        Ok(())
    }
}

/// A decision on one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// The place of the variable in the order; smaller ones are decided first.
    pub(crate) level: u32,
    /// When the variable is false, or for sets without it.
    pub(crate) low: u32,
    /// When the variable is true, or for sets with it, that variable left out.
    pub(crate) high: u32,
}

/// The nodes of diagrams, those a node refers to before it. Nothing is ever dropped.
#[derive(Debug)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    /// Open addressing with linear probing; 0 is an empty place. The length is a power of two.
    table: Vec<u32>,
}

impl Arena {
    pub(crate) fn new() -> Self {
        let end = Node { level: u32::MAX, low: 0, high: 0 };
        Self { nodes: vec![end; 2], table: vec![0; 1 << 10] }
    }

    #[inline]
    pub(crate) fn node(&self, at: u32) -> Node {
        self.nodes[at as usize]
    }

    #[inline]
    pub(crate) fn level(&self, at: u32) -> u32 {
        self.nodes[at as usize].level
    }

    /// The branches of a diagram at a level: of one that starts lower, `otherwise` is the high one.
    #[inline]
    pub(crate) fn branches(&self, at: u32, level: u32, otherwise: u32) -> (u32, u32) {
        let node = self.node(at);
        if node.level == level { (node.low, node.high) } else { (at, otherwise) }
    }

    /// The node of a decision, made if there is none yet. Reducing is the caller's business.
    pub(crate) fn make(&mut self, node: Node, fuel: &mut Fuel<'_>) -> Result<u32, Cut> {
        let mask = self.table.len() - 1;
        let mut place = hash([node.level, node.low, node.high]) & mask;
        loop {
            match self.table[place] {
                0 => break,
                at if self.nodes[at as usize] == node => return Ok(at),
                _ => place = (place + 1) & mask,
            }
        }
        fuel.nodes = fuel.nodes.checked_sub(1).ok_or(Cut::Budget)?;
        let at = u32::try_from(self.nodes.len()).map_err(|_| Cut::Budget)?;
        self.nodes.push(node);
        self.table[place] = at;
        if self.nodes.len() * 2 > self.table.len() {
            self.grow();
        }
        Ok(at)
    }

    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        self.table = vec![0; mask + 1];
        for (at, node) in (0..).zip(&self.nodes).skip(2) {
            let mut place = hash([node.level, node.low, node.high]) & mask;
            while self.table[place] != 0 {
                place = (place + 1) & mask;
            }
            self.table[place] = at;
        }
    }

    /// The nodes of a diagram, every node after those it refers to; the ends are left out.
    pub(crate) fn nodes_of(&self, root: u32) -> Vec<u32> {
        let mut wanted = vec![false; root as usize + 1];
        wanted[root as usize] = true;
        for at in (2..=root as usize).rev().filter(|_| root > ALL) {
            if wanted[at] {
                let Node { low, high, .. } = self.nodes[at];
                wanted[low as usize] = true;
                wanted[high as usize] = true;
            }
        }
        (2..=root).filter(|at| wanted[*at as usize]).collect()
    }
}

/// Answers of an operation, some of which are forgotten when others need their place.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    /// The length is a power of two.
    entries: Vec<([u32; 3], V)>,
    stored: usize,
}

impl<V: Copy> Cache<V> {
    const UNUSED: [u32; 3] = [u32::MAX; 3];
    const MOST: usize = 1 << 20;

    pub(crate) fn new(value: V) -> Self {
        Self { entries: vec![(Self::UNUSED, value); 1 << 10], stored: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, key: [u32; 3]) -> Option<V> {
        let (known, value) = self.entries[hash(key) & (self.entries.len() - 1)];
        (known == key).then_some(value)
    }

    pub(crate) fn put(&mut self, key: [u32; 3], value: V) {
        self.stored += 1;
        if self.stored > self.entries.len() && self.entries.len() < Self::MOST {
            let old = std::mem::take(&mut self.entries);
            self.entries = vec![(Self::UNUSED, value); old.len() * 4];
            for (key, value) in old.into_iter().filter(|(key, _)| *key != Self::UNUSED) {
                let place = hash(key) & (self.entries.len() - 1);
                self.entries[place] = (key, value);
            }
        }
        let place = hash(key) & (self.entries.len() - 1);
        self.entries[place] = (key, value);
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "only some bits are used")]
fn hash([a, b, c]: [u32; 3]) -> usize {
    let mixed = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(c);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed ^ (mixed >> 32)) as usize
}
