//! Snapshots against a plain model: building, changing, compacting, and petgraph's algorithms.

use std::collections::{BTreeMap, BTreeSet};

use keelson_graph::{
    Builder, Changes, GraphError, ItemIx, NeedSpec, Snapshot, components, components_within, fixture::Fixture,
};
use keelson_model::{Phase, Rule};
use petgraph::{
    algo::{kosaraju_scc, toposort},
    visit::{Bfs, NodeCount, Reversed},
};
use proptest::{prelude::*, sample::subsequence};

const ITEMS: u32 = 24;

/// A graph as plainly as it can be written down.
#[derive(Clone, Debug, Default)]
struct Model {
    items: BTreeSet<ItemIx>,
    needs: BTreeMap<ItemIx, Vec<NeedSpec>>,
}

impl Model {
    fn build(&self) -> Snapshot {
        let mut builder = Builder::new();
        for &item in &self.items {
            builder.item(item);
        }
        for need in self.needs.values().flatten() {
            builder.need(need.clone()).expect("generated needs are meaningful");
        }
        builder.build().expect("the model is whole")
    }
}

/// Everything a snapshot says, in an order that does not depend on its history.
fn told(snapshot: &Snapshot) -> Vec<String> {
    let mut lines = vec![format!("{} items, {} memberships", snapshot.items(), snapshot.memberships())];
    for item in snapshot.item_numbers() {
        let mut needs: Vec<String> = snapshot.needs(item).map(|need| format!("{:?}", need.to_spec())).collect();
        needs.sort();
        let mut members = snapshot.members(item).to_vec();
        members.sort();
        let dependents = snapshot.dependents(item);
        assert_eq!(dependents.owners(), snapshot.owners(item));
        let mut plain = dependents.plain().to_vec();
        plain.sort();
        let mut counted: Vec<(ItemIx, u64)> =
            dependents.counted().iter().map(|&need| (snapshot.need(need).owner(), snapshot.need(need).tag)).collect();
        let owners: Vec<ItemIx> = counted.iter().map(|(owner, _)| *owner).collect();
        assert_eq!(owners, dependents.owners()[plain.len()..], "owners and needs go side by side");
        counted.sort();
        let mut starting: Vec<u64> = snapshot.starting(item).iter().map(|&need| snapshot.need(need).tag).collect();
        starting.sort_unstable();
        for need in snapshot.needs(item) {
            assert_eq!((need.owner(), snapshot.need(need.ix)), (item, need));
        }
        lines.push(format!("{item:?} {needs:?} {members:?} {plain:?} {counted:?} {starting:?}"));
    }
    lines
}

fn needs_of(owner: u32) -> impl Strategy<Value = Vec<NeedSpec>> {
    let need = (subsequence((0..ITEMS).collect::<Vec<_>>(), 1..4), any::<[u8; 4]>(), 0..5_u64).prop_map(
        move |(members, dice, tag)| {
            let n = u32::try_from(members.len()).expect("small");
            let rule = match dice[0] % 7 {
                0..=2 => Rule::All,
                3 => Rule::Any,
                4 => Rule::AtLeast { k: u32::from(dice[1]) % n + 1 },
                5 => Rule::Percent { percent: u32::from(dice[1]) % 100 + 1 },
                _ => {
                    let values: Vec<f64> = members.iter().map(|member| f64::from(member + 1)).collect();
                    Rule::Share { capacities: values, unit: "x".to_owned(), demand: Some(f64::from(dice[1])) }
                }
            };
            let members: Vec<ItemIx> = members.into_iter().map(ItemIx).collect();
            let mut need = NeedSpec::new(ItemIx(owner), members, rule, tag);
            need.phase = [Phase::Run, Phase::Run, Phase::Start, Phase::Both][usize::from(dice[2] % 4)];
            need.cap = if dice[3].is_multiple_of(4) { 0.5 } else { 1.0 };
            need.doubt.existence = dice[3] % 4 == 1;
            need
        },
    );
    proptest::collection::vec(need, 0..5)
}

#[derive(Clone, Debug)]
enum Edit {
    Add(u32),
    Remove(u32),
    Replace(Vec<(u32, Vec<NeedSpec>)>),
    Compact,
}

fn edits() -> impl Strategy<Value = Edit> {
    let owner = || (0..ITEMS).prop_flat_map(|owner| (Just(owner), needs_of(owner)));
    prop_oneof![
        2 => (0..ITEMS + 400).prop_map(Edit::Add),
        2 => (0..ITEMS).prop_map(Edit::Remove),
        8 => proptest::collection::vec(owner(), 1..4).prop_map(Edit::Replace),
        1 => Just(Edit::Compact),
    ]
}

/// Applies an edit to the model and says the same to the graph.
fn apply(model: &mut Model, edit: &Edit) -> Changes {
    let mut changes = Changes::new();
    match edit {
        Edit::Add(item) => {
            model.items.insert(ItemIx(*item));
            changes.add(ItemIx(*item));
        }
        Edit::Remove(item) if model.items.contains(&ItemIx(*item)) => {
            let gone = ItemIx(*item);
            model.items.remove(&gone);
            model.needs.remove(&gone);
            // Whoever needs the item ceases to, as the catalogue does.
            for (owner, needs) in &mut model.needs {
                let before = needs.len();
                needs.retain(|need| !need.members.contains(&gone));
                if needs.len() < before {
                    changes.replace_needs(*owner, needs.clone());
                }
            }
            changes.remove(gone);
        }
        Edit::Replace(owners) => {
            let owners: BTreeMap<u32, Vec<NeedSpec>> = owners.iter().cloned().collect();
            for (owner, mut needs) in owners {
                if model.items.contains(&ItemIx(owner)) {
                    needs.retain(|need| need.members.iter().all(|member| model.items.contains(member)));
                    model.needs.insert(ItemIx(owner), needs.clone());
                    changes.replace_needs(ItemIx(owner), needs);
                }
            }
        }
        Edit::Remove(_) | Edit::Compact => {}
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn a_changed_snapshot_is_the_one_built_anew(edits in proptest::collection::vec(edits(), 1..25)) {
        let mut model = Model { items: (0..ITEMS).map(ItemIx).collect(), ..Model::default() };
        let mut snapshot = model.build();
        let mut history = Vec::new();
        for edit in &edits {
            history.push((snapshot.clone(), told(&snapshot)));
            let changes = apply(&mut model, edit);
            snapshot = snapshot.with_changes(changes).expect("edits are meaningful");
            if matches!(edit, Edit::Compact) {
                snapshot = snapshot.compact().expect("small");
                prop_assert_eq!(snapshot.overlay_len(), 0);
            }
            prop_assert_eq!(told(&snapshot), told(&model.build()));
            let overloaded = |snapshot: &Snapshot| {
                let mut needs: Vec<String> = snapshot.overloaded().map(|need| format!("{:?}", need.to_spec())).collect();
                needs.sort();
                needs
            };
            prop_assert_eq!(overloaded(&snapshot), overloaded(&model.build()));
        }
        for (old, was) in history {
            prop_assert_eq!(told(&old), was, "an older snapshot never changes");
        }
    }

    #[test]
    fn components_are_petgraphs(needs in proptest::collection::vec((0..ITEMS, 0..ITEMS), 0..60)) {
        let mut builder = Builder::new();
        for item in 0..ITEMS {
            builder.item(ItemIx(item));
        }
        for (owner, member) in needs {
            builder.plain(ItemIx(owner), ItemIx(member), 0);
        }
        let snapshot = builder.build().expect("every item was added");
        let sorted = |components: Vec<Vec<ItemIx>>| -> BTreeSet<Vec<ItemIx>> {
            components.into_iter().map(|mut items| { items.sort(); items }).collect()
        };
        let ours = components(&snapshot);
        prop_assert_eq!(sorted(ours.iter().map(<[ItemIx]>::to_vec).collect()), sorted(kosaraju_scc(&snapshot)));
        // Dependencies come before their dependents.
        let mut place = BTreeMap::new();
        for (number, items) in ours.iter().enumerate() {
            place.extend(items.iter().map(|&item| (item, number)));
        }
        for item in snapshot.item_numbers() {
            prop_assert!(snapshot.members(item).iter().all(|member| place[member] <= place[&item]));
        }
        let half = components_within(&snapshot, snapshot.item_numbers(), |item| item.0 < ITEMS / 2);
        prop_assert_eq!(half.iter().flatten().count(), ITEMS as usize / 2);
    }
}

#[test]
fn petgraphs_iterative_algorithms_run_on_a_snapshot() {
    let graph = Fixture::parse("a: b | any c d\nb: e\nc: e\nf: start a").expect("well formed");
    let snapshot = &graph.snapshot;
    let order = toposort(snapshot, None).expect("there is no cycle");
    let at = |name: &str| order.iter().position(|item| *item == graph.item(name));
    assert!(at("a") < at("b") && at("b") < at("e") && at("c") < at("e"));
    let mut reached = Vec::new();
    let mut walk = Bfs::new(Reversed(snapshot), graph.item("e"));
    while let Some(item) = walk.next(Reversed(snapshot)) {
        reached.push(item);
    }
    assert_eq!(graph.names(reached), "a b c e", "needs for starting are not walked");
    assert_eq!(snapshot.node_count(), 6);
}

#[test]
fn what_is_not_meaningful_is_refused_and_says_why() {
    let refused = |spec: NeedSpec| Builder::new().need(spec).err().expect("it is not meaningful").to_string();
    let (a, b, c) = (ItemIx(1), ItemIx(2), ItemIx(3));
    let good = || NeedSpec::new(a, vec![b, c], Rule::Any, 7);
    assert!(refused(NeedSpec { members: vec![], ..good() }).contains("unusable rule"));
    assert!(refused(NeedSpec { members: vec![b, b], ..good() }).contains("names member 2 twice"));
    assert!(refused(NeedSpec { cap: 0.0, ..good() }).contains("cap 0"));
    assert!(refused(NeedSpec { cap: f64::NAN, ..good() }).contains("cap NaN"));
    let mut spec = good();
    spec.doubt.counts = vec![3];
    assert!(refused(spec).contains("3 as a possible count for 2 members"));
    let mut spec = good();
    spec.doubt.members = vec![a];
    assert!(refused(spec).contains("doubts item 1"));

    let mut builder = Builder::new();
    builder.item(a).need(good()).expect("meaningful");
    assert_eq!(builder.build().err(), Some(GraphError::UnknownItem { owner: a, tag: 7, item: b }));
    let mut builder = Builder::new();
    builder.item(ItemIx(u32::MAX));
    assert!(matches!(builder.build(), Err(GraphError::TooMany { .. })));
}

#[test]
fn a_change_that_makes_no_sense_changes_nothing() {
    let graph = Fixture::parse("a: b\nc: start b").expect("well formed");
    let (a, b, c, stranger) = (graph.item("a"), graph.item("b"), graph.item("c"), ItemIx(77));
    let refused = |edit: &dyn for<'a> Fn(&'a mut Changes) -> &'a mut Changes| {
        let mut changes = Changes::new();
        edit(&mut changes);
        graph.snapshot.with_changes(changes).expect_err("it makes no sense")
    };
    assert_eq!(refused(&|edit| edit.remove(b)), GraphError::StillNeeded { item: b, owner: a });
    let starting = refused(&|edit| edit.remove(b).replace_needs(a, vec![]));
    assert_eq!(starting, GraphError::StillNeeded { item: b, owner: c });
    assert_eq!(refused(&|edit| edit.remove(stranger)), GraphError::NotInGraph { item: stranger });
    assert_eq!(refused(&|edit| edit.replace_needs(stranger, vec![])), GraphError::NotInGraph { item: stranger });
    let twice = refused(&|edit| edit.replace_needs(a, vec![]).replace_needs(a, vec![]));
    assert_eq!(twice, GraphError::OwnerTwice { owner: a });
    let misfiled = refused(&|edit| edit.replace_needs(a, vec![NeedSpec::plain(c, b, 1)]));
    assert_eq!(misfiled, GraphError::WrongOwner { owner: c, filed: a, tag: 1 });
    let unknown = refused(&|edit| edit.replace_needs(a, vec![NeedSpec::plain(a, stranger, 1)]));
    assert_eq!(unknown, GraphError::UnknownItem { owner: a, tag: 1, item: stranger });

    let mut changes = Changes::new();
    changes.remove(b).replace_needs(a, vec![]).replace_needs(c, vec![]);
    let without = graph.snapshot.with_changes(changes).expect("nobody needs it any longer");
    assert!(!without.contains(b) && without.items() == 2 && without.memberships() == 0);
    assert!(graph.snapshot.contains(b));
}

#[test]
fn weights_that_reach_the_threshold_on_paper_reach_it_here() {
    let graph = Fixture::parse("a: weight 0.3 b=0.1 c=0.2 d=0.1").expect("well formed");
    let need = graph.snapshot.needs(graph.item("a")).next().expect("it has one");
    let units = need.detail.and_then(|detail| detail.units.as_ref()).expect("weights have units");
    assert!(units.weights[0] + units.weights[1] >= units.threshold);
    assert!(units.weights[0] + units.weights[2] < units.threshold);
}
