//! Alike items become one box.
//!
//! Folding goes in stages, and stops as soon as there are few enough boxes: items that nothing but their names
//! tells apart; items of one group; items of one class and state; and at last the least of the boxes are left
//! out. Items of different classes or states never share a box.

use std::collections::{BTreeMap, BTreeSet};

use super::{Drawing, State};

/// How often alike items are looked for again, since folding some makes others alike.
const ROUNDS: usize = 8;

/// Boxes and the lines between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    pub(super) boxes: Vec<FoldedBox>,
    pub(super) lines: Vec<Line>,
    /// Items without a box.
    pub(super) left_out: Vec<usize>,
}

/// A box and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct FoldedBox {
    pub(super) label: String,
    pub(super) class: String,
    pub(super) state: State,
    /// Items by number.
    pub(super) members: Vec<usize>,
    /// The distinct needs of its items.
    pub(super) needs: Vec<String>,
}

/// Relationships between the items of two boxes.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) dependent: usize,
    pub(super) dependency: usize,
    pub(super) in_proof: bool,
    /// How many relationships there are.
    pub(super) count: usize,
    /// The distinct kinds of relationships.
    pub(super) labels: Vec<String>,
}

/// A way of telling items apart: items of the same number are drawn as one.
type Partition = Vec<usize>;

/// Folds a drawing until it has few enough boxes.
pub(super) fn fold(drawing: &Drawing) -> Folded {
    let count = drawing.items.len();
    let edges: Vec<(usize, usize)> = drawing
        .relationships
        .iter()
        .map(|one| (drawing.by_id[&one.dependent], drawing.by_id[&one.dependency]))
        .collect();
    let mut partition: Partition = (0..count).collect();
    let limit = drawing.max_boxes;
    alike(drawing, &edges, limit, &mut partition);
    if parts(&partition) > limit {
        by_group(drawing, &mut partition);
        alike(drawing, &edges, limit, &mut partition);
    }
    if parts(&partition) > limit {
        by_class(drawing, limit, &mut partition);
    }
    gather(drawing, &edges, &partition)
}

fn parts(partition: &Partition) -> usize {
    partition.iter().collect::<BTreeSet<_>>().len()
}

/// Joins parts with the same class, state and neighbouring parts.
fn alike(drawing: &Drawing, edges: &[(usize, usize)], limit: usize, partition: &mut Partition) {
    for _ in 0..ROUNDS {
        let before = parts(partition);
        if before <= limit {
            return;
        }
        let mut around: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
        for &(from, to) in edges {
            let (from, to) = (partition[from], partition[to]);
            if from != to {
                around.entry(from).or_default().1.insert(to);
                around.entry(to).or_default().0.insert(from);
            }
        }
        let none = <(BTreeSet<usize>, BTreeSet<usize>)>::default();
        let key = |number: usize, part: usize| {
            let item = &drawing.items[number];
            (&item.class, item.state, around.get(&part).unwrap_or(&none))
        };
        let joined = joined(partition, key);
        *partition = joined;
        if parts(partition) == before {
            return;
        }
    }
}

/// Joins items of the same group, class and state.
fn by_group(drawing: &Drawing, partition: &mut Partition) {
    let joined = joined(partition, |number, part| {
        let item = &drawing.items[number];
        let own = if item.group.is_none() { Some(part) } else { None };
        (&item.group, &item.class, item.state, own)
    });
    *partition = joined;
}

/// Joins parts of the same class and state, the commonest first, until there are few enough.
fn by_class(drawing: &Drawing, limit: usize, partition: &mut Partition) {
    let mut kinds: BTreeMap<(&str, State), BTreeSet<usize>> = BTreeMap::new();
    for (item, &part) in drawing.items.iter().zip(partition.iter()) {
        kinds.entry((&item.class, item.state)).or_default().insert(part);
    }
    let mut kinds: Vec<((&str, State), BTreeSet<usize>)> = kinds.into_iter().collect();
    // What deserves attention stays apart for longest.
    kinds.sort_by(|a, b| b.0.1.cmp(&a.0.1).then(b.1.len().cmp(&a.1.len())).then(a.0.cmp(&b.0)));
    let mut left = parts(partition);
    for (_, members) in kinds {
        if left <= limit {
            return;
        }
        let Some(&first) = members.first() else { continue };
        left -= members.len() - 1;
        for part in partition.iter_mut().filter(|part| members.contains(part)) {
            *part = first;
        }
    }
}

/// Returns the partition in which parts with an item of the same key are one.
fn joined<K: Ord>(partition: &Partition, key: impl Fn(usize, usize) -> K) -> Partition {
    let mut first: BTreeMap<K, usize> = BTreeMap::new();
    let mut to: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, &part) in partition.iter().enumerate() {
        // The first item of a part speaks for it.
        to.entry(part).or_insert_with(|| *first.entry(key(number, part)).or_insert(part));
    }
    partition.iter().map(|part| to[part]).collect()
}

/// Makes boxes of parts and lines of relationships; the least boxes that are too many are left out.
fn gather(drawing: &Drawing, edges: &[(usize, usize)], partition: &Partition) -> Folded {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, &part) in partition.iter().enumerate() {
        members.entry(part).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = members.into_values().collect();
    let mut left_out = Vec::new();
    if groups.len() > drawing.max_boxes {
        groups.sort_by_key(|group| (drawing.items[group[0]].state, usize::MAX - group.len(), group[0]));
        left_out = groups.split_off(drawing.max_boxes).concat();
        left_out.sort_unstable();
        groups.sort_by_key(|group| group[0]);
    }
    let mut box_of = vec![None; drawing.items.len()];
    for (number, group) in groups.iter().enumerate() {
        for &item in group {
            box_of[item] = Some(number);
        }
    }
    let mut boxes: Vec<FoldedBox> = groups.into_iter().map(|members| named(drawing, members)).collect();
    let mut lines: BTreeMap<(usize, usize), Line> = BTreeMap::new();
    for (relationship, &(from, to)) in drawing.relationships.iter().zip(edges) {
        let Some(dependent) = box_of[from] else { continue };
        if let Some(need) = &relationship.need {
            add_new(&mut boxes[dependent].needs, need);
        }
        let Some(dependency) = box_of[to].filter(|&to| to != dependent) else { continue };
        let new = Line { dependent, dependency, in_proof: false, count: 0, labels: Vec::new() };
        let line = lines.entry((dependent, dependency)).or_insert(new);
        line.in_proof |= relationship.in_proof;
        line.count += 1;
        if let Some(label) = &relationship.label {
            add_new(&mut line.labels, label);
        }
    }
    Folded { boxes, lines: lines.into_values().collect(), left_out }
}

fn named(drawing: &Drawing, members: Vec<usize>) -> FoldedBox {
    let first = &drawing.items[members[0]];
    let label = match members.len() {
        1 => first.label.clone(),
        count => format!("{count} \u{d7} {}", first.class),
    };
    FoldedBox { label, class: first.class.clone(), state: first.state, members, needs: Vec::new() }
}

fn add_new(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|one| one == text) {
        list.push(text.to_owned());
    }
}
