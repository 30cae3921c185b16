//! Orders in which the events of a module may be decided. Diagrams are small when what is needed
//! together is decided together, and what is shared before what shares it.

use super::Module;

/// Rounds of pulling together; more change little.
const ROUNDS: usize = 30;

/// Orders worth trying, best first.
pub(crate) fn orders(module: &Module) -> Vec<Vec<u32>> {
    let walked = walk(module);
    let gathered = gather(module, &walked);
    let by_node =
        |nodes: &[u32]| nodes.iter().filter_map(|node| module.nodes[*node as usize].event).collect::<Vec<_>>();
    let mut orders = vec![by_node(&gathered), by_node(&walked)];
    orders.push((0..).take(module.events.len()).collect());
    orders.dedup();
    orders
}

/// The nodes as a walk from the root down meets them first, members in their order.
fn walk(module: &Module) -> Vec<u32> {
    let mut met = vec![false; module.nodes.len()];
    let mut nodes = Vec::with_capacity(met.len());
    let mut open: Vec<u32> = vec![u32::try_from(met.len() - 1).expect("nodes are numbered by 32 bits")];
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut met[node as usize], true) {
            continue;
        }
        nodes.push(node);
        let first = open.len();
        open.extend(module.nodes[node as usize].members().filter(|member| !met[*member as usize]));
        open[first..].reverse();
    }
    nodes
}

/// Pulls nodes that belong together near each other, round by round: every need goes to the middle of
/// its members and its owner, and every node to the middle of its needs (FORCE; Aloul, Markov and
/// Sakallah 2003). Of all rounds the order is taken in which needs span least.
fn gather(module: &Module, start: &[u32]) -> Vec<u32> {
    let mut needs: Vec<Vec<u32>> = Vec::new();
    for (owner, node) in (0..).zip(&module.nodes) {
        // The root has no place of its own: it would pull everything into one heap.
        let owner = if owner as usize + 1 == module.nodes.len() { None } else { Some(owner) };
        let lists = node.gates.iter().map(|gate| gate.members().collect::<Vec<_>>());
        for members in lists.chain(node.any.iter().map(|member| vec![*member])) {
            needs.push(members.into_iter().chain(owner).collect());
        }
    }
    let mut order = start.to_vec();
    let mut places = vec![0.0; order.len()];
    let (mut best, mut least) = (order.clone(), f64::INFINITY);
    for _ in 0..ROUNDS {
        for (place, &node) in (0_u32..).zip(&order) {
            places[node as usize] = f64::from(place);
        }
        let mut span = 0.0;
        let mut pulls = vec![(0.0, 0_u32); places.len()];
        for need in &needs {
            let at = || need.iter().map(|node| places[*node as usize]);
            span += at().fold(0.0, f64::max) - at().fold(f64::INFINITY, f64::min);
            let middle = at().sum::<f64>() / f64::from(u32::try_from(need.len()).unwrap_or(u32::MAX));
            for node in need {
                let pull = &mut pulls[*node as usize];
                *pull = (pull.0 + middle, pull.1 + 1);
            }
        }
        if span < least {
            (best, least) = (order.clone(), span);
        }
        for (place, (sum, count)) in places.iter_mut().zip(pulls).filter(|(_, (_, count))| *count > 0) {
            *place = sum / f64::from(count);
        }
        order.sort_by(|a, b| places[*a as usize].total_cmp(&places[*b as usize]));
    }
    best
}
