//! Sizes that must not surprise. How long they take is for `examples/plan_speed` to say.

use keelson_model::{CiRef, Position, RelationshipObservation, SourceKey, Standing};

use crate::common::{B, World, day, source};

fn estate(at: i64, observations: usize, relationships: usize) -> B {
    let mut batch = B::complete("cloud", day(at));
    for number in 0..observations {
        let key = SourceKey::new(&format!("h{number}")).unwrap();
        let observation = keelson_model::Observation::new(key, "host", Position::default());
        batch.0.observations.push(observation.with("system_uuid", format!("uuid-{number}")).with("memory", number));
    }
    let key = |number: usize| source(&format!("h{number}"));
    for number in 0..relationships {
        let (from, to) = (key(number % observations), key((number * 7 + number / observations + 1) % observations));
        batch.0.relationships.push(RelationshipObservation::new("uses", from, to, Position::default()));
    }
    batch
}

#[test]
fn a_large_estate_arrives_repeats_and_goes() {
    let mut world = World::new();
    let batch = estate(1, 20_000, 100_000);
    let plan = world.take(&batch);
    assert_eq!(plan.run.configuration_items.created, 20_000);
    assert!(world.catalogue.relationship_count() > 90_000);
    assert!(plan.rows.len() <= 2 * world.settings.rows_at_most, "rows are bounded");
    world.assert_settled(&batch);
    world.settings.guard_percent = 100.0;
    let plan = world.take(&estate(2, 1, 0));
    assert_eq!(plan.run.configuration_items.withdrawn, 19_999);
    assert_eq!(world.live_cis(), ["host/h0"]);
}

#[test]
fn a_hub_of_a_hundred_thousand_relationships() {
    let mut world = World::new();
    let mut batch = B::complete("cloud", day(1)).ci("hub", "host");
    for number in 0..100_000 {
        let dependency = CiRef::source(SourceKey::new(&format!("d{number}")).unwrap());
        batch.0.relationships.push(RelationshipObservation::new(
            "uses",
            source("hub"),
            dependency,
            Position::default(),
        ));
    }
    let plan = world.take(&batch);
    assert_eq!(plan.run.relationships.created, 100_000);
    assert_eq!(world.catalogue.slot(world.ix("host/hub")).dependencies.len(), 100_000);
    world.assert_settled(&batch);
}

#[test]
fn a_long_chain_of_relatives_does_not_recurse() {
    let mut world = World::new();
    let mut batch = B::complete("kube", day(1));
    let key = |number: usize| format!("n{number}");
    for number in 0..50_000 {
        batch.0.observations.push(keelson_model::Observation::new(
            SourceKey::new(&key(number)).unwrap(),
            "namespace",
            Position::default(),
        ));
        let above = RelationshipObservation::new(
            "part_of",
            source(&key(number)),
            source(&key(number + 1)),
            Position::default(),
        );
        batch.0.relationships.push(above);
    }
    let plan = world.take(&batch);
    assert_eq!(plan.run.configuration_items.created, 50_000);
    assert_eq!(world.by_source("kube", &key(50_000)).unwrap().standing, Standing::Placeholder);
}
