//! Needs: rules over dependencies.

use keelson_model::{FindingCode, Rule, Standing};

use crate::common::{B, World, codes, day};

fn trio(at: i64) -> B {
    B::complete("own", day(at)).ci("p", "pool").ci("a", "host").ci("b", "host").ci("c", "host").ci("s", "service")
}

fn definition(world: &World) -> keelson_model::NeedDefinition {
    world.catalogue.needs().next().unwrap().1.need.definition.clone()
}

#[test]
fn a_stated_rule_is_kept() {
    let mut world = World::new();
    let batch = trio(1).need("s", "hosts", Some(Rule::AtLeast { k: 2 }), &["a", "b", "c"]);
    let plan = world.take(&batch);
    assert_eq!(plan.run.needs.created, 1);
    let definition = definition(&world);
    assert_eq!((definition.rule, definition.assumed, definition.members.len()), (Rule::AtLeast { k: 2 }, false, 3));
    assert_eq!(world.relationship("service/s", "depends_on", "host/a").unwrap().standing, Standing::Live);
    world.assert_settled(&batch);
}

#[test]
fn a_rule_may_come_from_the_class() {
    let mut world = World::new();
    let plan = world.take(&trio(1).need("p", "hosts", None, &["a", "b", "c"]));
    assert!(codes(&plan).is_empty());
    assert_eq!(definition(&world).rule, Rule::AtLeast { k: 2 });
}

#[test]
fn the_class_that_says_the_rule_may_come_with_the_same_batch() {
    let mut world = World::new();
    // "p" is known as a placeholder without a class before anybody describes it.
    world.take(&B::delta("own", day(1)).ci("x", "service").related("x", "depends_on", "p"));
    let plan = world.take(&trio(2).need("p", "hosts", None, &["a", "b", "c"]));
    assert!(codes(&plan).is_empty(), "{:?}", plan.findings);
    assert_eq!(definition(&world).rule, Rule::AtLeast { k: 2 });
}

#[test]
fn without_any_rule_all_are_assumed() {
    let mut world = World::new();
    let plan = world.take(&trio(1).need("s", "hosts", None, &["a", "b"]));
    assert_eq!(codes(&plan), [FindingCode::NeedRuleMissing]);
    let definition = definition(&world);
    assert_eq!((definition.rule, definition.assumed), (Rule::All, true));
}

#[test]
fn rules_are_checked_against_distinct_members() {
    let mut world = World::new();
    let plan = world.take(&trio(1).need("s", "hosts", Some(Rule::AtLeast { k: 3 }), &["a", "b", "b"]));
    assert_eq!(codes(&plan), [FindingCode::Duplicate, FindingCode::MalformedRow]);
    assert_eq!(plan.run.needs.rejected, 1);
    let plan = world.take(&trio(2).need("s", "hosts", Some(Rule::Any), &["a", "s"]));
    assert_eq!(codes(&plan), [FindingCode::SelfLoop]);
    assert_eq!(definition(&world).members.len(), 1);
}

#[test]
fn unknown_members_become_placeholders() {
    let mut world = World::new();
    let plan = world.take(&trio(1).need("s", "hosts", Some(Rule::Any), &["a", "nowhere"]));
    assert_eq!(codes(&plan), [FindingCode::MissingTarget]);
    assert_eq!(world.by_source("own", "nowhere").unwrap().standing, Standing::Placeholder);
}

#[test]
fn a_need_that_is_no_longer_stated_goes_with_its_members() {
    let mut world = World::new();
    world.take(&trio(1).need("s", "hosts", Some(Rule::Any), &["a", "b"]).need(
        "s",
        "other",
        Some(Rule::Any),
        &["b", "c"],
    ));
    world.take(&trio(2).need("s", "other", Some(Rule::Any), &["b", "c"]));
    let standing = |member: &str| world.relationship("service/s", "depends_on", member).unwrap().standing;
    assert_eq!(standing("host/a"), Standing::Withdrawn);
    assert_eq!(standing("host/b"), Standing::Live);
    let needs: Vec<_> = world.catalogue.needs().map(|(_, slot)| slot.need.standing).collect();
    assert_eq!(needs.iter().filter(|standing| **standing == Standing::Live).count(), 1);
}

#[test]
fn a_delta_states_a_need_as_a_whole() {
    let mut world = World::new();
    let any = || Some(Rule::Any);
    world.take(&trio(1).need("s", "hosts", any(), &["a", "b"]));
    world.take(&B::delta("own", day(2)).need("s", "hosts", any(), &["b", "c"]));
    let standing = |member: &str| world.relationship("service/s", "depends_on", member).unwrap().standing;
    assert_eq!(standing("host/a"), Standing::Withdrawn);
    assert_eq!(standing("host/c"), Standing::Live);
}

#[test]
fn the_more_trusted_definition_holds() {
    let mut world = World::new();
    let stated = |source: &str, at, k| {
        ["a", "b"]
            .into_iter()
            .fold(B::complete(source, day(at)), |batch, key| {
                batch.ci_with(key, "host", |mut o| {
                    o.key = Some(format!("host/{key}").parse().unwrap());
                    o
                })
            })
            .need("a", "n", Some(Rule::AtLeast { k }), &["b"])
    };
    world.settings.precedence.sources = vec!["trusted".into()];
    world.take(&stated("trusted", 1, 1));
    let plan = world.take(&stated("another", 2, 1));
    assert_eq!(plan.run.needs.updated, 1);
    assert_eq!(world.catalogue.need_count(), 1);
    assert_eq!(world.catalogue.needs().next().unwrap().1.need.claims.len(), 2);
}
