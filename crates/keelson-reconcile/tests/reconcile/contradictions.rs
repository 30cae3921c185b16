//! What resembles something else and is not it.

use keelson_model::{FindingCode, MemberObservation, Observation, Rule, Severity, Standing};
use keelson_reconcile::PlanOutcome;

use crate::common::{B, World, catalogue_key, codes, day, finding, keyed, source};

fn serial(batch: B, key: &str, stated: Option<&str>, more: impl FnOnce(Observation) -> Observation) -> B {
    batch.ci_with(key, "host", |mut o| {
        o.key = stated.map(|key| key.parse().unwrap());
        more(o.with("serial_number", "4711").with("manufacturer", "Acme"))
    })
}

fn arn(value: &str) -> impl FnOnce(Observation) -> Observation + '_ {
    move |o| o.with("arn", value)
}

#[test]
fn two_databases_of_one_name_in_one_batch_stay_two() {
    let mut world = World::new();
    let database = |batch: B, key: &str| {
        let arn = format!("arn:{key}");
        let batch = batch.ci_with(key, "database", |mut o| {
            o.key = Some(format!("database/{key}").parse().unwrap());
            o.native_id = Some(key.into());
            o.with("database_name", "orders").with("arn", arn)
        });
        batch.related(key, "hosted_on", "server")
    };
    let batch = B::complete("cloud", day(1)).ci("server", "host").ci("shop", "application");
    let batch = database(database(batch, "orders-a"), "orders-b");
    let batch = batch.need("shop", "orders", Some(Rule::Any), &["orders-a", "orders-b"]);
    let plan = world.take(&batch);
    assert_eq!(world.live_cis(), ["application/shop", "database/orders-a", "database/orders-b", "host/server"]);
    assert_eq!(world.catalogue.needs().next().unwrap().1.need.definition.members.len(), 2);
    let apart = finding(&plan, FindingCode::AmbiguousIdentity);
    assert_eq!(apart.severity, Severity::Warning);
    for word in ["orders-b", "database/orders-a", "database_name orders", "arn", "native id", "stated key"] {
        assert!(apart.message.contains(word), "{}", apart.message);
    }
    assert!(world.open_reviews().is_empty());
    world.assert_settled(&batch);
}

#[test]
fn two_stated_keys_are_two_items_whatever_else_agrees() {
    let mut world = World::new();
    let batch = serial(B::complete("own", day(1)), "a", Some("host/one"), |o| o);
    let batch = serial(batch, "b", Some("host/two"), |o| o);
    let plan = world.take(&batch);
    assert_eq!(world.live_cis(), ["host/one", "host/two"]);
    let told = finding(&plan, FindingCode::AmbiguousIdentity);
    assert!(told.message.contains("host/one") && told.message.contains("'b'"), "{}", told.message);
    world.assert_settled(&batch);
}

#[test]
fn two_stated_keys_are_two_items_in_two_deltas_as_well() {
    let mut world = World::new();
    world.take(&serial(B::delta("own", day(1)), "a", Some("host/one"), |o| o));
    world.take(&serial(B::delta("own", day(2)), "b", Some("host/two"), |o| o));
    assert_eq!(world.live_cis(), ["host/one", "host/two"]);
}

/// How many items two sources make of one serial number, with the keys they state.
fn items_of(first: Option<&str>, second: Option<&str>) -> usize {
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", first, |o| o));
    let batch = serial(B::complete("agent", day(1)), "x", second, |o| o);
    let plan = world.take(&batch);
    assert!(world.open_reviews().is_empty());
    world.assert_settled(&batch);
    let items = world.catalogue.ci_count();
    assert_eq!(codes(&plan), vec![FindingCode::AmbiguousIdentity; items - 1]);
    items
}

#[test]
fn keys_that_two_sources_state_tell_items_apart_and_made_ones_do_not() {
    let keys = [None, Some("host/one"), Some("host/two")];
    for first in keys {
        for second in keys {
            let differ = first.is_some() && second.is_some() && first != second;
            assert_eq!(items_of(first, second), if differ { 2 } else { 1 }, "{first:?} {second:?}");
        }
    }
}

#[test]
fn a_key_made_of_an_earlier_name_was_stated_by_nobody() {
    let mut world = World::new();
    let named = |name: &'static str| {
        move |mut o: Observation| {
            o.name = Some(name.into());
            o
        }
    };
    world.take(&serial(B::delta("own", day(1)), "i-1", None, named("web")));
    world.take(&serial(B::delta("own", day(2)), "i-1", None, named("web-new")));
    assert_eq!(world.live_cis(), ["host/web"]);
    world.take(&serial(B::delta("own", day(3)), "i-2", Some("host/front"), |o| o));
    assert_eq!(world.catalogue.ci_count(), 1);
}

#[test]
fn a_key_that_a_source_no_longer_states_tells_nothing_apart() {
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", Some("host/one"), |o| o));
    world.take(&serial(B::complete("cloud", day(2)), "a", None, |o| o));
    assert_eq!(world.live_cis(), ["host/one"], "the item keeps it");
    world.take(&serial(B::complete("agent", day(2)), "x", Some("host/two"), |o| o));
    assert_eq!(world.catalogue.ci_count(), 1);
    // A delta that does not repeat the key has not taken it back.
    let mut world = World::new();
    world.take(&serial(B::delta("cloud", day(1)), "a", Some("host/one"), |o| o));
    world.take(&serial(B::delta("cloud", day(2)), "a", None, |o| o));
    world.take(&serial(B::delta("agent", day(2)), "x", Some("host/two"), |o| o));
    assert_eq!(world.live_cis(), ["host/one", "host/two"]);
}

#[test]
fn a_key_that_moves_on_is_met_where_it_is() {
    let mut world = World::new();
    world.take(&B::complete("own", day(1)).ci_with("a", "host", keyed("host/one")));
    let a = world.ci("host/one").id;
    let moved = B::complete("own", day(2)).ci_with("a", "host", keyed("host/two"));
    let moved = moved.ci_with("b", "host", keyed("host/one"));
    world.take(&moved);
    assert_eq!(world.ci("host/two").id, a);
    assert_ne!(world.ci("host/one").id, a);
    world.assert_settled(&moved);
}

#[test]
fn a_better_rule_that_differs_outweighs_a_weaker_one() {
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", None, arn("arn:a")));
    let other = serial(B::complete("agent", day(1)), "x", None, arn("arn:x"));
    let plan = world.take(&other);
    assert_eq!(world.catalogue.ci_count(), 2);
    assert_eq!(codes(&plan), [FindingCode::AmbiguousIdentity]);
    assert!(world.open_reviews().is_empty());
    // Without an ARN nothing speaks against it; now both fit, and a person is asked.
    let plan = world.take(&serial(B::complete("scan", day(1)), "s", None, |o| o));
    assert_eq!(plan.run.configuration_items.ambiguous, 1);
}

#[test]
fn a_weaker_rule_that_differs_does_not_outweigh_a_better_one() {
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", None, arn("arn:a")));
    let batch = B::complete("agent", day(1));
    let batch =
        batch.ci_with("x", "host", |o| o.with("arn", "arn:a").with("serial_number", "1").with("manufacturer", "Acme"));
    let plan = world.take(&batch);
    assert_eq!((world.catalogue.ci_count(), plan.findings.len()), (1, 0));
}

#[test]
fn the_rule_that_fits_decides_among_those_a_weaker_one_allows() {
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", None, arn("arn:a")));
    world.take(&B::complete("cloud2", day(1)).ci_with("b", "host", arn("arn:b")));
    // The serial number says a, the ARN says b and not a.
    world.take(&serial(B::complete("agent", day(1)), "x", None, arn("arn:b")));
    let b = world.by_source("cloud2", "b").unwrap().id;
    assert_eq!(world.by_source("agent", "x").unwrap().id, b);
}

#[test]
fn two_lifetimes_of_one_source_are_not_one_item() {
    let mut world = World::new();
    let native = |id: &'static str| {
        move |mut o: Observation| {
            o.native_id = Some(id.into());
            o
        }
    };
    let batch = serial(B::complete("cloud", day(1)), "a", None, native("n1"));
    world.take(&serial(batch, "b", None, native("n2")));
    assert_eq!(world.catalogue.ci_count(), 2);
    // Another source has ids of its own.
    let mut world = World::new();
    world.take(&serial(B::complete("cloud", day(1)), "a", None, native("n1")));
    world.take(&serial(B::complete("agent", day(1)), "b", None, native("n2")));
    assert_eq!(world.catalogue.ci_count(), 1);
}

#[test]
fn a_stated_key_whose_holder_has_another_arn_is_asked_about() {
    let mut world = World::new();
    world.take(&B::complete("a", day(1)).ci_with("x", "host", |o| keyed("host/web")(o).with("arn", "arn:1")));
    let other = |at| B::complete("b", day(at)).ci_with("y", "host", |o| keyed("host/web")(o).with("arn", "arn:2"));
    let plan = world.take(&other(1));
    assert_eq!(plan.run.configuration_items.ambiguous, 1);
    assert_eq!(world.ci("host/web").claims.len(), 1);
    let task = world.open_reviews()[0];
    assert_eq!(task.candidates, [world.ci("host/web").id]);
    assert!(task.evidence.iter().any(|line| line.contains("another arn")), "{:?}", task.evidence);
    crate::identity::settle(&mut world, None);
    world.take(&other(1));
    assert_ne!(world.by_source("b", "y").unwrap().id, world.ci("host/web").id);
}

#[test]
fn a_key_is_kept_when_its_only_source_gives_it_to_a_successor() {
    let mut world = World::new();
    let web = |at, key: &str, value: &str| {
        B::complete("own", day(at)).ci_with(key, "host", |o| keyed("host/web")(o).with("arn", value)).ci("x", "host")
    };
    world.take(&web(1, "arn:1", "arn:1"));
    let id = world.ci("host/web").id;
    world.take(&web(2, "arn:2", "arn:2"));
    assert_eq!((world.ci("host/web").id, world.ci("host/web").standing), (id, Standing::Live));
}

#[test]
fn a_value_that_many_items_share_is_not_compared_with_each_of_them() {
    let mut world = World::new();
    let many = |n: usize| {
        (0..n).fold(B::complete("cloud", day(1)), |batch, n| {
            let (key, value) = (format!("h{n:05}"), format!("arn:{n}"));
            serial(batch, &key, None, |o| o.with("arn", value))
        })
    };
    let plan = world.take(&many(20_000));
    assert_eq!(plan.run.configuration_items.created, 20_000);
}

fn ambiguous(at: i64) -> B {
    B::complete("agent", day(at))
        .ci_with("x", "host", |o| o.with("system_uuid", "u").with("serial_number", "s").with("manufacturer", "m"))
        .ci("y", "host")
}

fn strict(mut batch: B) -> B {
    batch.0.on_error = keelson_model::OnError::Stop;
    batch
}

fn two_hosts(world: &mut World) {
    let two = B::complete("cloud", day(1)).ci_with("a", "host", |o| o.with("system_uuid", "u"));
    world.take(&two.ci_with("b", "host", |o| o.with("serial_number", "s").with("manufacturer", "m")));
}

#[test]
fn a_strict_batch_that_an_ambiguity_stops_asks_its_question() {
    let mut world = World::new();
    two_hosts(&mut world);
    let plan = world.import(&strict(ambiguous(1)));
    let PlanOutcome::Refused { reason, code } = &plan.outcome else { panic!("{:?}", plan.outcome) };
    assert_eq!(*code, Some(FindingCode::AmbiguousIdentity));
    assert!(!plan.changes_content() && plan.is_committable());
    assert!(world.by_source("agent", "y").is_none(), "nothing applies");
    let task = world.open_reviews()[0].clone();
    assert!(reason.contains(&format!("keelson review settle {}", task.id)), "{reason}");
    assert!(reason.contains("import again"), "{reason}");
    assert_eq!(world.catalogue.run(plan.batch).unwrap().1.outcome, keelson_model::ImportOutcome::Refused);
    // Asked once, and named again.
    let plan = world.import(&strict(ambiguous(1)));
    assert!(matches!(&plan.outcome, PlanOutcome::Refused { reason, .. } if reason.contains(&task.id.to_string())));
    assert_eq!(world.open_reviews().len(), 1);
    let a = world.by_source("cloud", "a").unwrap().id;
    crate::identity::settle(&mut world, Some(a));
    world.take(&strict(ambiguous(1)));
    assert_eq!(world.by_source("agent", "x").unwrap().id, a);
}

#[test]
fn needs_of_two_resembling_items_by_key() {
    let mut world = World::new();
    let batch = serial(B::complete("own", day(1)), "a", Some("host/one"), |o| o);
    let batch = serial(batch, "b", Some("host/two"), |o| o).ci("shop", "application");
    let mut batch = batch.need("shop", "pair", Some(Rule::Any), &[]);
    let member = |key| MemberObservation { ci: catalogue_key(key), doubtful: false };
    batch.0.needs[0].members = vec![member("host/one"), member("host/two")];
    batch.0.needs[0].dependent = source("shop");
    world.take(&batch);
    assert_eq!(world.catalogue.needs().next().unwrap().1.need.definition.members.len(), 2);
}
