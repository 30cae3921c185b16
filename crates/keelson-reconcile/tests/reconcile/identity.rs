//! Which configuration item a row is.

use std::sync::Arc;

use keelson_model::records::ReviewDecision;
use keelson_model::{Change, CiId, FindingCode, RecordChange, ReviewState, ReviewTask, Standing};

use crate::common::{B, World, codes, day, finding, keyed};

fn with_uuid(batch: B, key: &str, uuid: &str) -> B {
    batch.ci_with(key, "host", |o| o.with("system_uuid", uuid))
}

pub(crate) fn settle(world: &mut World, candidate: Option<CiId>) {
    let task: ReviewTask = world.open_reviews()[0].clone();
    let decision = ReviewDecision { by: "ann".into(), at: world.now, reason: "looked".into(), candidate };
    let after =
        ReviewTask { state: ReviewState::Settled, version: task.version + 1, decision: Some(decision), ..task.clone() };
    world.apply(&[RecordChange::Review(Change::updated(Arc::new(task), after))]);
}

#[test]
fn a_rename_under_one_source_key_is_the_same_item() {
    let mut world = World::new();
    let named = |at, name: &str| {
        let name: Arc<str> = name.into();
        B::complete("cloud", day(at)).ci_with("i-1", "host", |mut o| {
            o.name = Some(name);
            o
        })
    };
    world.take(&named(1, "web"));
    let before = world.by_source("cloud", "i-1").unwrap().clone();
    world.take(&named(2, "web-new"));
    let after = world.by_source("cloud", "i-1").unwrap();
    assert_eq!((after.id, after.name(), &after.key), (before.id, "web-new", &before.key));
}

#[test]
fn two_sources_meet_by_an_identity_rule() {
    let mut world = World::new();
    world.take(&with_uuid(B::complete("cloud", day(1)), "i-1", "U-1"));
    let plan = world.take(&with_uuid(B::complete("agent", day(1)), "web", "u-1"));
    assert_eq!(world.catalogue.ci_count(), 1);
    assert_eq!(plan.run.configuration_items.updated, 1);
    let ci = world.by_source("agent", "web").unwrap();
    assert_eq!(ci.claims.len(), 2);
    assert!(ci.merged.is_some());
}

#[test]
fn an_ignored_value_identifies_nothing() {
    let mut world = World::new();
    let host = |source: &str, key: &str, serial: &str| {
        B::complete(source, day(1))
            .ci_with(key, "host", |o| o.with("serial_number", serial).with("manufacturer", "Acme"))
    };
    world.take(&host("cloud", "a", ""));
    world.take(&host("agent", "b", ""));
    world.take(&host("dcim", "c", "To be filled by O.E.M."));
    world.take(&host("other", "d", "To be filled by O.E.M."));
    assert_eq!(world.catalogue.ci_count(), 4);
}

#[test]
fn two_rows_of_one_batch_with_one_identity_are_one_item() {
    let mut world = World::new();
    let batch = with_uuid(with_uuid(B::complete("cloud", day(1)), "a", "u"), "b", "u");
    world.take(&batch);
    assert_eq!(world.catalogue.ci_count(), 1);
    assert_eq!(world.by_source("cloud", "b").unwrap().claims.len(), 2);
    world.assert_settled(&batch);
}

#[test]
fn an_identity_that_moves_in_the_same_batch_is_met_where_it_is() {
    let mut world = World::new();
    world.take(&with_uuid(B::complete("cloud", day(1)), "a", "u1"));
    let a = world.by_source("cloud", "a").unwrap().id;
    world.take(&with_uuid(with_uuid(B::complete("cloud", day(2)), "a", "u2"), "b", "u1"));
    assert_ne!(world.by_source("cloud", "b").unwrap().id, a);
    world.take(&with_uuid(B::complete("agent", day(3)), "x", "u2"));
    assert_eq!(world.by_source("agent", "x").unwrap().id, a);
}

#[test]
fn relatives_are_found_through_the_batch_itself() {
    let mut world = World::new();
    let cluster = |source: &str, spaces: &[&str]| {
        let batch =
            B::complete(source, day(1)).ci_with("cluster", "kubernetes-cluster", |o| o.with("cluster_uid", "c-1"));
        spaces.iter().fold(batch, |batch, name| {
            let key = format!("{source}:{name}");
            let batch = batch.ci_with(&key, "namespace", |mut o| {
                o.name = Some((*name).into());
                o
            });
            batch.related(&key, "part_of", "cluster")
        })
    };
    world.take(&cluster("kube", &["shop", "infra"]));
    world.take(&cluster("inventory", &["shop"]));
    let shop = world.by_source("kube", "kube:shop").unwrap().id;
    assert_eq!(world.by_source("inventory", "inventory:shop").unwrap().id, shop);
    assert_eq!(world.catalogue.ci_count(), 3);
}

#[test]
fn rows_that_wait_for_each_other_are_identified_all_the_same() {
    let mut world = World::new();
    let batch = B::complete("kube", day(1))
        .ci("a", "namespace")
        .ci("b", "namespace")
        .related("a", "part_of", "b")
        .related("b", "part_of", "a");
    world.take(&batch);
    assert_eq!(world.live_cis().len(), 2);
    world.assert_settled(&batch);
}

#[test]
fn a_stated_key_meets_the_item_of_another_source() {
    let mut world = World::new();
    world.take(&B::complete("backstage", day(1)).ci("pay", "service"));
    world.take(&B::complete("own", day(1)).ci_with("x", "business-service", keyed("service/pay")));
    let ci = world.ci("service/pay");
    assert_eq!((ci.claims.len(), ci.class.as_str()), (2, "business-service"), "and refines its class");
    assert_eq!(world.catalogue.ci_count(), 1);
}

#[test]
fn names_alone_do_not_identify() {
    let mut world = World::new();
    world.take(&B::complete("a", day(1)).ci("reporting", "service"));
    world.take(&B::complete("b", day(1)).ci("reporting", "service"));
    let keys = world.live_cis();
    assert_eq!(keys.len(), 2);
    assert!(keys[1].starts_with("service/reporting~"), "{keys:?}");
}

#[test]
fn an_ambiguous_row_waits_and_is_asked_once() {
    let mut world = World::new();
    let two = B::complete("cloud", day(1))
        .ci_with("a", "host", |o| o.with("system_uuid", "u"))
        .ci_with("b", "host", |o| o.with("serial_number", "s").with("manufacturer", "m"))
        .ci("db", "database");
    world.take(&two);
    let row = |at| {
        B::complete("agent", day(at))
            .ci_with("x", "host", |o| o.with("system_uuid", "u").with("serial_number", "s").with("manufacturer", "m"))
            .ci("y", "host")
            .uses("y", "x")
    };
    let plan = world.take(&row(1));
    assert_eq!(codes(&plan), [FindingCode::AmbiguousIdentity]);
    assert_eq!((plan.run.configuration_items.ambiguous, plan.run.relationships.ambiguous), (1, 1));
    assert_eq!(plan.run.configuration_items.created, 1, "the rest applies");
    assert!(world.by_source("agent", "x").is_none());
    let task = world.open_reviews()[0].clone();
    assert_eq!(task.candidates.len(), 2);
    assert!(task.evidence.iter().any(|line| line.contains("system_uuid u")), "{:?}", task.evidence);
    world.take(&row(2));
    assert_eq!(world.open_reviews().len(), 1, "asked once");
    let b = world.by_source("cloud", "b").unwrap().id;
    settle(&mut world, Some(b));
    // The very same delivery again puts the answer into force.
    let plan = world.take(&row(2));
    assert_eq!(plan.run.configuration_items.updated, 1);
    assert_eq!(world.by_source("agent", "x").unwrap().id, b);
    assert_eq!(world.catalogue.relationship_count(), 1);
    world.take(&row(3));
    assert!(world.open_reviews().is_empty());
}

#[test]
fn a_person_may_decide_that_it_is_a_new_item() {
    let mut world = World::new();
    world.take(&with_uuid(with_uuid(B::complete("a", day(1)), "one", "u1"), "two", "u2"));
    let row = |at| {
        B::complete("b", day(at)).ci_with("x", "host", |mut o| {
            o.key = Some("host/one".parse().unwrap());
            o.with("system_uuid", "u2")
        })
    };
    let plan = world.take(&row(1));
    assert_eq!(codes(&plan), [FindingCode::AmbiguousIdentity], "a rule and the key mean different items");
    settle(&mut world, None);
    world.take(&row(2));
    let new = world.by_source("b", "x").unwrap();
    assert_eq!(new.claims.len(), 1);
    assert!(new.key.starts_with("host/one~"), "{}", new.key);
}

#[test]
fn a_class_is_refined_but_not_changed_without_asking() {
    let mut world = World::new();
    let of = |at, class: &str| B::complete("cloud", day(at)).ci("web", class);
    world.take(&of(1, "host"));
    world.take(&of(2, "virtual-machine"));
    assert_eq!(world.ci("host/web").class.as_str(), "virtual-machine");
    let plan = world.take(&of(3, "database"));
    assert_eq!(finding(&plan, FindingCode::AmbiguousIdentity).field.as_deref(), Some("class"));
    assert_eq!(world.ci("host/web").class.as_str(), "virtual-machine");
    world.take(&of(4, "database"));
    assert_eq!(world.open_reviews().len(), 1);
    let id = world.ci("host/web").id;
    settle(&mut world, Some(id));
    world.take(&of(4, "database"));
    assert_eq!(world.ci("host/web").class.as_str(), "database");
    world.assert_settled(&of(5, "database"));
}

#[test]
fn a_change_of_class_may_be_another_thing() {
    let mut world = World::new();
    let of = |at, class: &str| B::complete("cloud", day(at)).ci("web", class);
    world.take(&of(1, "host"));
    let old = world.ci("host/web").id;
    world.take(&of(2, "database"));
    settle(&mut world, None);
    world.take(&of(3, "database"));
    let new = world.by_source("cloud", "web").unwrap();
    assert_eq!((new.class.as_str(), new.succeeds), ("database", Some(old)));
    assert_eq!(world.catalogue.ci(world.catalogue.find_id(old).unwrap()).standing, Standing::Withdrawn);
    world.assert_settled(&of(4, "database"));
}
