//! What a source refers to and another one describes, in either order.

use std::sync::Arc;

use keelson_model::{CiRef, FindingCode, RelationshipObservation, SourceKey, Standing, Symbol};

use crate::common::{B, World, codes, day, keyed};

/// A reference as a table makes it: class and name are all that is known, and together the key.
fn by_name(class: &str, name: &str) -> CiRef {
    let key = SourceKey::new(&format!("{class}/{name}")).unwrap();
    CiRef::Source { key, class: Some(Symbol::new(class)), name: Some(Arc::from(name)) }
}

/// A table with one host that runs on a cluster.
fn table(at: i64) -> B {
    let batch = B::complete("sheet", day(at)).ci_with("host/web", "host", |mut o| {
        o.name = Some("web".into());
        o
    });
    let host = CiRef::source(SourceKey::new("host/web").unwrap());
    let row = RelationshipObservation::new("hosted_on", host, by_name("cluster", "c1"), batch.position());
    batch.relate(row)
}

/// The cluster as another source describes it.
fn cluster(at: i64) -> B {
    B::complete("kube", day(at)).ci_with("uid-1", "cluster", |mut o| {
        o.name = Some("c1".into());
        o
    })
}

/// Every item with its standing and who claims it, and every relationship.
fn contents(world: &World) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (_, slot) in world.catalogue.cis() {
        let live = slot.ci.live_claims();
        let mut claims: Vec<String> =
            live.map(|claim| format!("{}:{}", claim.provenance.source, claim.source_key)).collect();
        claims.sort();
        lines.push(format!("{} {} {:?} {claims:?}", slot.ci.key, slot.ci.class, slot.ci.standing));
    }
    for (_, slot) in world.catalogue.relationships() {
        let key = |ix| &world.catalogue.ci(ix).key;
        let standing = slot.relationship.standing;
        lines.push(format!("{} -> {} {standing:?}", key(slot.dependent), key(slot.dependency)));
    }
    lines.sort();
    lines
}

fn after(batches: &[B]) -> World {
    let mut world = World::new();
    for batch in batches {
        world.take(batch);
        world.assert_settled(batch);
    }
    world
}

#[test]
fn a_reference_by_name_and_its_target_meet_in_either_order() {
    let told = ["cluster/c1 cluster Live [\"kube:uid-1\", \"sheet:cluster/c1\"]"];
    let one = contents(&after(&[table(1), cluster(1)]));
    let other = contents(&after(&[cluster(1), table(1)]));
    assert_eq!(one, other);
    assert!(told.iter().all(|line| one.iter().any(|known| known == line)), "{one:?}");
    assert_eq!(one.len(), 3, "two items and a relationship: {one:?}");
}

#[test]
fn what_was_referred_to_by_name_is_the_same_when_the_source_describes_it_later() {
    let described = || table(2).ci_with("cluster/c1", "cluster", |o| o.with("description", "in the cellar"));
    let one = after(&[table(1), cluster(1), described()]);
    let other = after(&[cluster(1), table(1), described()]);
    assert_eq!(contents(&one), contents(&other));
    assert_eq!(one.live_cis(), ["cluster/c1", "host/web"]);
}

#[test]
fn a_reference_that_goes_leaves_what_others_describe() {
    let gone = || {
        B::complete("sheet", day(2)).ci_with("host/web", "host", |mut o| {
            o.name = Some("web".into());
            o
        })
    };
    let mut one = after(&[table(1), cluster(1)]);
    let mut other = after(&[cluster(1), table(1)]);
    for world in [&mut one, &mut other] {
        world.settings.guard_percent = 100.0;
        world.take(&gone());
        let cluster = world.ci("cluster/c1");
        assert_eq!((cluster.standing, cluster.live_claims().count()), (Standing::Live, 1));
    }
    assert_eq!(contents(&one), contents(&other));
}

#[test]
fn a_reference_by_name_meets_a_stated_key_in_either_order() {
    let stated = || B::complete("own", day(1)).ci_with("x", "cluster", keyed("cluster/c1"));
    let one = contents(&after(&[table(1), stated()]));
    assert_eq!(one, contents(&after(&[stated(), table(1)])));
    assert_eq!(one.len(), 3, "{one:?}");
}

#[test]
fn a_reference_is_not_what_is_called_alike_and_of_another_class() {
    let mut world = World::new();
    world.take(&B::complete("own", day(1)).ci_with("x", "database", keyed("cluster/c1")));
    let plan = world.take(&table(1));
    assert_eq!(codes(&plan), [FindingCode::MissingTarget]);
    assert_eq!(world.ci("cluster/c1").class.as_str(), "database");
    let placeholder = world.by_source("sheet", "cluster/c1").unwrap();
    assert!(placeholder.standing == Standing::Placeholder && placeholder.key.starts_with("cluster/c1~"));
    world.assert_settled(&table(1));
}

#[test]
fn a_reference_by_a_key_of_the_source_alone_is_not_met_by_its_name() {
    let mut world = World::new();
    world.take(&cluster(1));
    let batch = B::complete("cloud", day(1)).ci("web", "host");
    let target = CiRef::Source {
        key: SourceKey::new("arn:c1").unwrap(),
        class: Some(Symbol::new("cluster")),
        name: Some(Arc::from("c1")),
    };
    let web = CiRef::source(SourceKey::new("web").unwrap());
    let row = RelationshipObservation::new("hosted_on", web, target, batch.position());
    world.take(&batch.relate(row));
    assert_eq!(world.by_source("cloud", "arn:c1").unwrap().standing, Standing::Placeholder);
}
