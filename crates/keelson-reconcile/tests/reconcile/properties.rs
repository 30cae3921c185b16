//! Properties that hold for any batches.

use std::collections::{BTreeMap, BTreeSet};

use keelson_model::{CiId, Rule, Standing};
use proptest::prelude::*;

use crate::common::{B, World, day};

/// A host as a source sees it: its number, a firmware UUID of few, whether it is known to be
/// virtual, some memory, and what it uses.
#[derive(Clone, Debug)]
struct Host {
    number: u8,
    uuid: Option<u8>,
    virtual_machine: bool,
    memory: Option<u8>,
    uses: Vec<u8>,
    group: Vec<u8>,
}

fn host() -> impl Strategy<Value = Host> {
    let few = || prop::collection::vec(0u8..12, 0..3);
    (0u8..10, prop::option::of(0u8..6), any::<bool>(), prop::option::of(0u8..4), few(), few()).prop_map(
        |(number, uuid, virtual_machine, memory, uses, group)| Host {
            number,
            uuid,
            virtual_machine,
            memory,
            uses,
            group,
        },
    )
}

fn hosts() -> impl Strategy<Value = Vec<Host>> {
    prop::collection::vec(host(), 1..8).prop_map(|mut hosts| {
        hosts.sort_by_key(|host| host.number);
        hosts.dedup_by_key(|host| host.number);
        hosts
    })
}

fn batch(mut batch: B, hosts: &[Host]) -> B {
    let key = |number: u8| format!("h{number}");
    for host in hosts {
        let class = if host.virtual_machine { "virtual-machine" } else { "host" };
        batch = batch.ci_with(&key(host.number), class, |mut o| {
            if let Some(uuid) = host.uuid {
                o = o.with("system_uuid", format!("uuid-{uuid}"));
            }
            if let Some(memory) = host.memory {
                o = o.with("memory", memory);
            }
            o
        });
    }
    for host in hosts {
        for other in &host.uses {
            batch = batch.uses(&key(host.number), &key(*other));
        }
        let members: BTreeSet<String> = host.group.iter().map(|other| key(*other)).collect();
        let members: Vec<&str> =
            members.iter().map(String::as_str).filter(|other| *other != key(host.number)).collect();
        if !members.is_empty() {
            batch = batch.need(&key(host.number), "group", Some(Rule::Any), &members);
        }
    }
    batch
}

/// What the catalogue effectively says, in terms of the sources' own keys.
fn effective(world: &World) -> Vec<String> {
    let name = |id: CiId| -> String {
        let ci = world.catalogue.ci(world.catalogue.find_id(id).unwrap());
        let mut claims: Vec<String> = ci
            .claims
            .iter()
            .filter(|claim| claim.facts.class.is_some())
            .map(|claim| format!("{}:{}", claim.provenance.source, claim.source_key))
            .collect();
        claims.sort();
        if claims.is_empty() {
            let claim = &ci.claims[0];
            claims.push(format!("{}:{}", claim.provenance.source, claim.source_key));
        }
        claims.join("=")
    };
    let mut lines = Vec::new();
    for (_, slot) in world.catalogue.cis() {
        let ci = &slot.ci;
        if ci.standing == Standing::Live {
            let sources = ["class", "name", "memory"].map(|field| ci.source_of(field).map(ToString::to_string));
            lines.push(format!("{} {} {:?} {sources:?}", name(ci.id), ci.class, ci.facts()));
        }
    }
    for (_, slot) in world.catalogue.relationships() {
        let r = &slot.relationship;
        if r.standing == Standing::Live {
            let mut by: Vec<String> =
                r.live_claims().map(|claim| format!("{}/{}", claim.provenance.source, claim.stated)).collect();
            by.sort();
            lines.push(format!("{} -{}-> {} by {by:?}", name(r.key.dependent), r.key.kind, name(r.key.dependency)));
        }
    }
    for (_, slot) in world.catalogue.needs() {
        let need = &slot.need;
        if need.standing == Standing::Live {
            let mut members: Vec<String> = need.definition.members.iter().map(|member| name(member.ci)).collect();
            members.sort();
            lines.push(format!("{}: {} needs any of {members:?}", name(need.dependent), need.name));
        }
    }
    lines.sort();
    lines
}

/// What holds of every catalogue.
fn assert_sound(world: &World) {
    let mut keys = BTreeMap::new();
    for (_, slot) in world.catalogue.cis() {
        let ci = &slot.ci;
        if ci.standing != Standing::Withdrawn {
            assert_eq!(keys.insert(ci.key.clone(), ci.id), None, "two items have the key {}", ci.key);
        }
        let described = ci.live_claims().any(|claim| claim.facts.class.is_some());
        assert_eq!(ci.standing == Standing::Live, described);
        assert_eq!(ci.standing == Standing::Withdrawn, ci.withdrawn_at.is_some());
        if ci.standing == Standing::Live {
            assert_eq!(ci.merged.is_some(), ci.live_claims().count() > 1);
        }
    }
    for (_, slot) in world.catalogue.relationships() {
        let r = &slot.relationship;
        assert_eq!(r.standing == Standing::Live, r.live_claims().next().is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_sources_plays_no_part(x in hosts(), y in hosts(), z in hosts()) {
        let batches =
            [("x", &x), ("y", &y), ("z", &z)].map(|(source, hosts)| batch(B::complete(source, day(1)), hosts));
        let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0]];
        let mut states = Vec::new();
        for order in orders {
            let mut world = World::new();
            for at in order {
                world.take(&batches[at]);
                assert_sound(&world);
            }
            // Once more round, so that references find what a later source has described.
            for at in order {
                let mut again = batches[at].clone();
                again.0.observed_at = day(2);
                world.take(&again);
            }
            states.push(effective(&world));
        }
        prop_assert_eq!(&states[0], &states[1]);
        prop_assert_eq!(&states[0], &states[2]);
    }

    #[test]
    fn the_order_of_rows_plays_no_part(x in hosts(), seed in any::<u64>()) {
        let straight = batch(B::complete("x", day(1)), &x);
        let mut shuffled = straight.clone();
        let mut state = seed | 1;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % below
        };
        for at in (1..shuffled.0.observations.len()).rev() {
            shuffled.0.observations.swap(at, next(at + 1));
        }
        for at in (1..shuffled.0.relationships.len()).rev() {
            shuffled.0.relationships.swap(at, next(at + 1));
        }
        let (mut a, mut b) = (World::new(), World::new());
        a.take(&straight);
        b.take(&shuffled);
        prop_assert_eq!(effective(&a), effective(&b));
        prop_assert_eq!(a.live_cis(), b.live_cis());
    }

    #[test]
    fn what_is_said_again_changes_nothing(x in hosts(), y in hosts(), complete in any::<bool>()) {
        let mut world = World::new();
        let start = |source| if complete { B::complete(source, day(1)) } else { B::delta(source, day(1)) };
        let batches = [batch(start("x"), &x), batch(start("y"), &y)];
        for batch in &batches {
            world.take(batch);
        }
        // Sources that share an item may still refine what the other one said of its class.
        let mut second = batches.clone();
        for batch in &mut second {
            batch.0.observed_at = day(2);
            world.take(batch);
        }
        for batch in &second {
            world.assert_settled(batch);
        }
        let known = world.plan(&second[1]);
        prop_assert!(known.changes.is_empty(), "{:?}", known.outcome);
    }

    #[test]
    fn an_incomplete_batch_withdraws_nothing(x in hosts(), cut in 0usize..8) {
        let mut world = World::new();
        world.take(&batch(B::complete("x", day(1)), &x));
        let before = world.live_cis();
        let plan = world.take(&batch(B::delta("x", day(2)), &x[..cut.min(x.len())]));
        prop_assert_eq!(plan.run.configuration_items.withdrawn, 0);
        prop_assert_eq!(plan.run.relationships.withdrawn, 0);
        prop_assert_eq!(world.live_cis(), before);
    }

    #[test]
    fn a_history_ends_where_its_last_batches_say(
        history in prop::collection::vec((0usize..2, hosts()), 1..6), x in hosts(), y in hosts(),
    ) {
        let mut lived = World::new();
        lived.settings.guard_percent = 100.0;
        for (at, (source, hosts)) in (1..).zip(&history) {
            lived.take(&batch(B::complete(["x", "y"][*source], day(at)), hosts));
            assert_sound(&lived);
        }
        let mut waiting = 0;
        for (source, hosts) in [("x", &x), ("y", &y), ("x", &x), ("y", &y)] {
            let at = lived.now + chrono::TimeDelta::hours(1);
            waiting += lived.take(&batch(B::complete(source, at), hosts)).run.configuration_items.ambiguous;
            assert_sound(&lived);
        }
        // UUIDs that wander between hosts may leave a question for a person, and then candidates stay.
        prop_assume!(waiting == 0);
        // Every listed row is live and says what it says.
        for (source, hosts) in [("x", &x), ("y", &y)] {
            for host in hosts {
                let ci = lived.by_source(source, &format!("h{}", host.number)).unwrap();
                prop_assert_eq!(ci.standing, Standing::Live);
            }
        }
        // And nothing else is.
        let listed: BTreeSet<CiId> = [("x", &x), ("y", &y)]
            .into_iter()
            .flat_map(|(source, hosts)| hosts.iter().map(move |host| (source, format!("h{}", host.number))))
            .map(|(source, key)| lived.by_source(source, &key).unwrap().id)
            .collect();
        let live = lived.catalogue.cis().filter(|(_, slot)| slot.ci.standing == Standing::Live);
        let live: BTreeSet<CiId> = live.map(|(_, slot)| slot.ci.id).collect();
        prop_assert_eq!(live, listed);
    }
}
