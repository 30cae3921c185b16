//! The best fix of E5, proposals for shared placements, and edits against estates built anew.

mod common;
#[path = "common/estates.rs"]
mod estates;

use std::sync::atomic::AtomicBool;

use common::ESTATE;
use estates::{Estate, Kinds, estates};
use keelson_analysis::{
    best_fix::{BestFix, Candidate, Edit, FixError, Shared, best_fix, shared_placements},
    single_points::{Cut, Question, SinglePoints, Watched, single_points, single_points_of},
};
use keelson_graph::{ItemIx, NeedIx, NeedSpec, Snapshot, fixture::Fixture};
use keelson_model::Rule;
use proptest::{prelude::*, test_runner::RngSeed};

/// The worked estate and a third host that nothing runs on yet.
fn estate() -> Fixture {
    Fixture::parse(&format!("{ESTATE}\nhv3")).expect("the worked estate is well formed")
}

fn services(graph: &Fixture) -> Vec<Watched> {
    graph.items("payments portal sso dns").into_iter().map(|item| Watched { item, value: 1.0 }).collect()
}

fn need(graph: &Fixture, owner: &str, member: &str) -> NeedIx {
    graph.snapshot.need_between(graph.item(owner), graph.item(member)).expect("it needs it")
}

fn compare(graph: &Fixture, candidates: &[Candidate]) -> BestFix<String> {
    // What a caller may judge by: here, what fells payments afterwards.
    let judge = |_: usize, changed: &Snapshot| {
        let points = single_points(changed, graph.item("payments"), &Question::default(), &[]);
        graph.names(points.expect("an item").items)
    };
    best_fix(&graph.snapshot, candidates, &services(graph), &Question::default(), &[], judge).expect("known items")
}

#[test]
fn a_third_host_is_the_best_fix_for_payments() {
    let graph = estate();
    let to = |host: &str| {
        Candidate::of(Edit::Replace {
            need: need(&graph, "web3", "hv2"),
            from: graph.item("hv2"),
            to: graph.item(host),
        })
    };
    let new = ItemIx(graph.snapshot.items() as u32);
    let bought = Candidate {
        edits: vec![
            Edit::Add { item: new },
            Edit::Needs { owner: graph.item("web3"), needs: vec![NeedSpec::plain(graph.item("web3"), new, 0)] },
        ],
    };
    let found = compare(&graph, &[to("hv1"), to("hv3"), bought]);
    let order: Vec<usize> = found.fixes.iter().map(|fix| fix.candidate).collect();
    assert_eq!(order, [1, 2, 0], "the fewest edits first; the other host is no better than the first");
    let best = &found.fixes[0];
    assert_eq!((best.removed, best.added, best.gain), (4, 0, 4.0));
    assert_eq!(best.effects.len(), 1);
    assert_eq!(graph.name(best.effects[0].item), "payments");
    assert_eq!(graph.names(best.effects[0].removed.iter().copied()), "ColoY hv2 siteY swY");
    assert!(found.fixes[..2].iter().all(|fix| fix.judged == "PowerCo dns sso"));
    let exchanged = &found.fixes[2];
    assert_eq!((exchanged.removed, exchanged.added, exchanged.gain), (4, 4, 0.0));
}

#[test]
fn thresholds_and_members_can_be_changed_too() {
    let graph = estate();
    let pool = need(&graph, "payments", "web1");
    let [web4, web3] = [graph.item("hv3"), graph.item("web3")];
    let candidates = [
        Candidate::of(Edit::Rule { need: pool, rule: Rule::AtLeast { k: 1 } }),
        Candidate::of(Edit::Join { need: pool, member: web4, value: 1.0 }),
        Candidate::of(Edit::Leave { need: pool, member: web3 }),
        Candidate::of(Edit::Leave { need: pool, member: graph.item("dbA") }),
        Candidate::of(Edit::Rule { need: pool, rule: Rule::AtLeast { k: 4 } }),
        Candidate {
            edits: vec![
                Edit::Needs { owner: graph.item("payments"), needs: Vec::new() },
                Edit::Leave { need: pool, member: web3 },
            ],
        },
    ];
    let found = compare(&graph, &candidates);
    let gains: Vec<(usize, f64)> = found.fixes.iter().map(|fix| (fix.candidate, fix.gain)).collect();
    // Without web3 each of the two that are left, and all they stand on, are single points.
    assert_eq!(gains, [(0, 4.0), (1, 4.0), (2, -6.0)]);
    let [(3, stranger), (4, graph_error), (5, replaced)] = &found.refused[..] else { panic!("{:?}", found.refused) };
    assert!(matches!(stranger, FixError::NoMember { .. }) && matches!(graph_error, FixError::Graph(_)));
    assert_eq!(*replaced, FixError::Replaced { owner: graph.item("payments") });
}

fn told(graph: &Fixture, shared: &Shared) -> String {
    let names = |items: &[ItemIx]| items.iter().map(|item| graph.name(*item)).collect::<Vec<_>>().join(" ");
    let owner = graph.name(shared.owner);
    let members = graph.names(shared.members.iter().copied());
    format!("{owner}: {members} on {}; {} to move", names(&shared.points), shared.surplus)
}

#[test]
fn members_that_fall_together_are_found_and_moves_proposed() {
    let graph = estate();
    let payments = [graph.item("payments")];
    let answer = shared_placements(&graph.snapshot, &payments, 100, &Question::default(), &[]).expect("an item");
    assert_eq!(answer.pass.cut, None);
    let mut lines: Vec<String> = answer.found.iter().map(|shared| told(&graph, shared)).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "dns: dns1 dns2 on PowerCo; 1 to move",
            "payments: api1 api2 on PowerCo; 1 to move",
            "payments: dbA dbB on PowerCo; 1 to move",
            "payments: web1 web2 web3 on PowerCo; 2 to move",
            "payments: web2 web3 on hv2 swY siteY ColoY; 1 to move",
            "sso: idp1 idp2 on PowerCo; 1 to move",
        ]
    );
    let pool = |members: usize| {
        answer.found.iter().find(|shared| {
            shared.members.len() == members && graph.label(graph.snapshot.need(shared.need).tag) == "web pool"
        })
    };
    let candidates = pool(2).expect("found above").candidates(&graph.items("hv2 hv3"));
    assert_eq!(candidates.len(), 2, "web2 or web3 to the third host");
    let found = compare(&graph, &candidates);
    assert!(found.fixes.iter().all(|fix| fix.gain == 4.0 && fix.judged == "PowerCo dns sso"));
    // One supplier of power for three members: one site with another takes one or two along.
    let power = pool(3).expect("found above");
    let owners = |candidate: &Candidate| -> Vec<String> {
        let owner = |edit: &Edit| match edit {
            Edit::Replace { need, .. } => graph.name(graph.snapshot.need(*need).owner()).to_owned(),
            _ => panic!("only moves are proposed"),
        };
        candidate.edits.iter().map(owner).collect()
    };
    let candidates = power.candidates(&graph.items("hv3"));
    assert_eq!(candidates.iter().map(owners).collect::<Vec<_>>(), [["ColoY"]], "which carries two of them");

    let few = shared_placements(&graph.snapshot, &payments, 2, &Question::default(), &[]).expect("an item");
    assert_eq!((few.found.len(), few.pass.cut), (2, Some(Cut::Answers)));
    let down = graph.items("web1");
    let meanwhile = shared_placements(&graph.snapshot, &payments, 9, &Question::default(), &down).expect("an item");
    assert!(!meanwhile.found.iter().any(|shared| shared.need == power.need), "every member counts already");
}

#[test]
fn several_members_move_to_different_places() {
    let graph = Fixture::parse(
        "
        shop: 3of a b c d
        a: host
        b: host
        c: host
        d: other
        spare1
        spare2
        spare3",
    )
    .expect("well formed");
    let shop = [graph.item("shop")];
    let answer = shared_placements(&graph.snapshot, &shop, 9, &Question::default(), &[]).expect("an item");
    let [shared] = &answer.found[..] else { panic!("{:?}", answer.found) };
    assert_eq!(told(&graph, shared), "shop: a b c on host; 2 to move");
    assert!(shared.candidates(&graph.items("spare1")).is_empty());
    let candidates = shared.candidates(&graph.items("spare1 spare2 spare3"));
    assert_eq!(candidates.len(), 3);
    let watched = [Watched { item: shop[0], value: 2.5 }];
    let found = best_fix(&graph.snapshot, &candidates, &watched, &Question::default(), &[], |_, _| ());
    let found = found.expect("known items");
    assert!(found.fixes.iter().all(|fix| (fix.removed, fix.added, fix.gain) == (1, 0, 2.5)));
}

#[test]
fn what_was_not_tried_or_not_known_is_said() {
    let graph = estate();
    let candidates =
        [Candidate::of(Edit::Rule { need: need(&graph, "payments", "web1"), rule: Rule::AtLeast { k: 1 } })];
    let stop = AtomicBool::new(true);
    let question = Question { stop: Some(&stop), ..Question::default() };
    let stopped = best_fix(&graph.snapshot, &candidates, &services(&graph), &question, &[], |_, _| ());
    assert_eq!(stopped.expect("known items").untried, [0]);
    let question = Question { max_words: 1, ..Question::default() };
    let cut = best_fix(&graph.snapshot, &candidates, &services(&graph), &question, &[], |_, _| ());
    let fixes = cut.expect("known items").fixes;
    assert!(fixes[0].effects[0].is_unknown && fixes[0].gain == 0.0);
}

const KINDS: Kinds = Kinds { cycles: true, shares: false, doubts: true };

/// An edit of one of an estate's needs, and the estate as it then is; `None` where there is no such edit.
fn edited(estate: &Estate, snapshot: &Snapshot, dice: [u32; 4]) -> Option<(Edit, Estate)> {
    let mut changed = estate.clone();
    let at = dice[0] as usize % estate.needs.len().max(1);
    let spec = changed.needs.get_mut(at)?;
    let need = snapshot.needs(spec.owner).find(|need| need.tag == spec.tag)?.ix;
    let other = ItemIx(dice[2] % estate.items);
    let place = dice[3] as usize % spec.members.len();
    let member = spec.members[place];
    let is_stranger = !spec.members.contains(&other);
    let edit = match dice[1] % 5 {
        0 if is_stranger => {
            spec.members[place] = other;
            spec.doubt.members.retain(|known| *known != member);
            Edit::Replace { need, from: member, to: other }
        }
        1 => {
            spec.rule = Rule::Any;
            spec.doubt.counts.clear();
            spec.doubt.rule_assumed = false;
            Edit::Rule { need, rule: Rule::Any }
        }
        // A need of one member reads as ALL, whatever it was written as.
        2 if is_stranger && spec.doubt.is_none() && (spec.members.len() > 1 || spec.rule == Rule::All) => {
            spec.members.push(other);
            if let Rule::Weight { weights, .. } = &mut spec.rule {
                weights.push(2.0);
            }
            Edit::Join { need, member: other, value: 2.0 }
        }
        3 if spec.members.len() > 1
            && !matches!(spec.rule, Rule::AtLeast { .. } | Rule::Weight { .. })
            && spec.doubt.counts.is_empty() =>
        {
            spec.members.remove(place);
            spec.doubt.members.retain(|known| *known != member);
            Edit::Leave { need, member }
        }
        4 => {
            let (owner, needs) = (spec.owner, vec![NeedSpec::plain(spec.owner, other, 99)]);
            changed.needs.retain(|need| need.owner != owner);
            changed.needs.extend(needs.iter().cloned());
            Edit::Needs { owner, needs }
        }
        _ => return None,
    };
    Some((edit, changed))
}

/// Everything a snapshot says about its needs.
fn needs(snapshot: &Snapshot) -> Vec<NeedSpec> {
    let mut needs: Vec<NeedSpec> =
        snapshot.item_numbers().flat_map(|item| snapshot.needs(item)).map(|need| need.to_spec()).collect();
    needs.sort_by_key(|need| (need.owner, need.tag));
    needs
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn a_fix_does_what_building_the_estate_anew_shows(
        estate in estates(KINDS), dice in proptest::collection::vec(any::<[u32; 4]>(), 1..6),
    ) {
        let snapshot = estate.build();
        let edits: Vec<(Edit, Estate)> = dice.into_iter().filter_map(|dice| edited(&estate, &snapshot, dice)).collect();
        let candidates: Vec<Candidate> = edits.iter().map(|(edit, _)| Candidate::of(edit.clone())).collect();
        let items: Vec<ItemIx> = snapshot.item_numbers().collect();
        let watched: Vec<Watched> = items.iter().map(|&item| Watched { item, value: f64::from(item.0 + 1) }).collect();
        let judge = |_: usize, changed: &Snapshot| needs(changed);
        let found = best_fix(&snapshot, &candidates, &watched, &Question::default(), &[], judge).expect("items");
        prop_assert!(found.refused.is_empty() && found.fixes.len() == candidates.len());
        prop_assert!(found.fixes.is_sorted_by(|a, b| a.gain >= b.gain));
        let points = |snapshot: &Snapshot| single_points_of(snapshot, &items, &Question::default(), &[]).expect("items").0;
        let before = points(&snapshot);
        for fix in &found.fixes {
            let anew = edits[fix.candidate].1.build();
            prop_assert_eq!(&fix.judged, &needs(&anew));
            let lacking = |some: &SinglePoints, others: &SinglePoints| -> Vec<ItemIx> {
                some.items.iter().copied().filter(|item| !others.items.contains(item)).collect()
            };
            for (item, (before, after)) in items.iter().zip(before.iter().zip(points(&anew))) {
                let effect = fix.effects.iter().find(|effect| effect.item == *item).cloned().unwrap_or_default();
                prop_assert_eq!(effect.removed, lacking(before, &after));
                prop_assert_eq!(effect.added, lacking(&after, before));
            }
        }
    }

    #[test]
    fn what_members_share_fells_just_those(estate in estates(Kinds { cycles: true, shares: false, doubts: false })) {
        let snapshot = estate.build();
        let items: Vec<ItemIx> = snapshot.item_numbers().collect();
        let answer = shared_placements(&snapshot, &items, 1_000, &Question::default(), &[]).expect("items");
        let (points, _) = single_points_of(&snapshot, &items, &Question::default(), &[]).expect("items");
        let fells = |point: ItemIx, item: ItemIx| point == item || points[item.index()].items.contains(&point);
        for shared in &answer.found {
            let need = snapshot.need(shared.need);
            for point in &shared.points {
                let felled: Vec<ItemIx> = need.members.iter().copied().filter(|member| fells(*point, *member)).collect();
                prop_assert_eq!(&felled, &shared.members);
                prop_assert!(fells(*point, shared.owner) && shared.members.len() >= need.head.trip() as usize);
            }
            for placement in &shared.placements {
                prop_assert!(fells(placement.item, placement.member));
                prop_assert!(snapshot.need(placement.need).members.contains(&shared.points[0]));
            }
        }
        // Every point that fells a redundancy need without felling each member alone is named.
        for need in items.iter().flat_map(|item| snapshot.running_needs(*item)) {
            if !need.head.is_counted() || need.cap() < 1.0 || need.head.trip() < 2 {
                continue;
            }
            for &point in &items {
                let felled = need.members.iter().filter(|member| fells(point, **member)).count();
                let named = answer.found.iter().any(|shared| shared.need == need.ix && shared.points.contains(&point));
                prop_assert_eq!(named, felled >= need.head.trip() as usize);
            }
        }
    }
}
