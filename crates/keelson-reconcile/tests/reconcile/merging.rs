//! Whose value wins.

use chrono::TimeDelta;
use keelson_model::{ConfigurationItem, Lifecycle, Value};
use keelson_reconcile::{Precedence, PrecedenceRule, SourceSettings, Strategy};

use crate::common::{B, World, day};

fn host(source: &str, at: i64, memory: i64) -> B {
    B::complete(source, day(at)).ci_with(source, "host", |o| o.with("system_uuid", "u").with("memory", memory))
}

fn memory(ci: &ConfigurationItem) -> String {
    format!("{} of {}", ci.attribute("memory").unwrap(), ci.source_of("memory").unwrap())
}

fn ranked(sources: &[&str]) -> Precedence {
    Precedence { sources: sources.iter().map(|name| (*name).into()).collect(), rules: Vec::new() }
}

fn rule(attribute: Option<&str>, strategy: Strategy, sources: &[&str]) -> PrecedenceRule {
    PrecedenceRule {
        class: "host".into(),
        attribute: attribute.map(Into::into),
        strategy,
        sources: sources.iter().map(|name| (*name).into()).collect(),
    }
}

#[test]
fn the_more_trusted_source_wins_and_the_other_value_is_kept() {
    let mut world = World::new();
    world.settings.precedence = ranked(&["cloud", "agent"]);
    world.take(&host("agent", 1, 1));
    let plan = world.take(&host("cloud", 2, 2));
    let ci = world.by_source("cloud", "cloud").unwrap();
    assert_eq!(memory(ci), "2 of cloud");
    assert_eq!(ci.claims[0].facts.attributes["memory"].to_string(), "1");
    let change = plan.rows[0].changed.iter().find(|change| change.attribute == "memory").unwrap();
    let values = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
    assert_eq!(values, (&1.into(), &2.into()));
    assert_eq!(change.source.as_deref(), Some("cloud"));
}

#[test]
fn without_a_rank_the_names_decide() {
    let mut world = World::new();
    world.take(&host("zeta", 1, 1));
    world.take(&host("alpha", 2, 2));
    assert_eq!(memory(world.by_source("zeta", "zeta").unwrap()), "2 of alpha");
}

#[test]
fn a_source_that_stops_saying_gives_way() {
    let mut world = World::new();
    world.settings.precedence = ranked(&["cloud", "agent"]);
    world.take(&host("agent", 1, 1));
    world.take(&host("cloud", 2, 2));
    world.take(&B::complete("cloud", day(3)).ci_with("cloud", "host", |o| o.with("system_uuid", "u")));
    assert_eq!(memory(world.by_source("cloud", "cloud").unwrap()), "1 of agent");
}

#[test]
fn an_explicit_null_is_a_value() {
    let mut world = World::new();
    world.settings.precedence = ranked(&["cloud", "agent"]);
    world.take(&host("agent", 1, 1));
    let null = serde_json::Value::Null;
    world.take(
        &B::complete("cloud", day(2)).ci_with("cloud", "host", |o| o.with("system_uuid", "u").with("memory", null)),
    );
    assert_eq!(world.by_source("cloud", "cloud").unwrap().attribute("memory"), Some(&Value::Null));
}

#[test]
fn rules_for_attributes_go_before_rules_for_classes() {
    let mut world = World::new();
    world.settings.precedence = Precedence {
        sources: vec!["cloud".into()],
        rules: vec![rule(None, Strategy::Ranked, &["cloud"]), rule(Some("memory"), Strategy::Ranked, &["agent"])],
    };
    world.take(&host("agent", 1, 1));
    world.take(&host("cloud", 2, 2));
    let ci = world.by_source("cloud", "cloud").unwrap();
    assert_eq!(memory(ci), "1 of agent");
    assert_eq!(ci.source_of("name").unwrap().as_str(), "cloud");
}

#[test]
fn the_latest_value_wins_where_asked() {
    let mut world = World::new();
    world.settings.precedence.rules = vec![rule(Some("memory"), Strategy::Latest, &[])];
    world.take(&host("agent", 1, 1));
    world.take(&host("zeta", 2, 2));
    assert_eq!(memory(world.by_source("zeta", "zeta").unwrap()), "2 of zeta");
}

#[test]
fn lists_are_joined_where_asked() {
    let mut world = World::new();
    world.settings.precedence.rules = vec![rule(Some("tags"), Strategy::Union, &[])];
    let tagged = |source: &str, tags: &[&str]| {
        let tags: serde_json::Value = tags.into();
        B::complete(source, day(1)).ci_with(source, "host", |o| o.with("system_uuid", "u").with("tags", tags))
    };
    world.take(&tagged("b", &["x", "y"]));
    world.take(&tagged("a", &["z", "y"]));
    let ci = world.by_source("a", "a").unwrap();
    assert_eq!(ci.attribute("tags").unwrap().to_string(), "x, y, z");
    assert_eq!(ci.source_of("tags").unwrap().as_str(), "a+b");
}

#[test]
fn a_stale_value_yields_to_a_fresh_one() {
    let mut world = World::new();
    world.settings.precedence = ranked(&["cloud", "agent"]);
    let daily = SourceSettings { interval_minutes: Some(24 * 60), ..SourceSettings::default() };
    world.settings.sources.insert("cloud".into(), daily);
    world.take(&host("cloud", 1, 2));
    world.take(&host("agent", 3, 1));
    assert_eq!(memory(world.by_source("cloud", "cloud").unwrap()), "2 of cloud", "two days are fresh");
    world.take(&host("agent", 6, 1));
    assert_eq!(memory(world.by_source("cloud", "cloud").unwrap()), "1 of agent", "five days are not");
    world.take(&host("cloud", 7, 2));
    assert_eq!(memory(world.by_source("cloud", "cloud").unwrap()), "2 of cloud");
}

#[test]
fn a_source_of_deltas_stays_fresh_by_repeating_itself() {
    let mut world = World::new();
    let seen = |at| B::delta("tracer", at).ci("web", "host").ci("db", "host").uses("web", "db");
    let days = |n| day(1) + TimeDelta::days(n);
    world.take(&seen(days(0)));
    assert!(!world.take(&seen(days(1))).changes_content(), "once per interval is enough");
    let plan = world.take(&seen(days(30)));
    assert!(plan.changes_content());
    assert_eq!(plan.run.configuration_items.unchanged, 2, "nothing it says has changed");
    assert_eq!(world.by_source("tracer", "web").unwrap().claims[0].provenance.observed_at, days(30));
}

#[test]
fn a_refined_class_reads_what_the_coarser_source_says() {
    let mut world = World::new();
    let coarse =
        |at| B::complete("a", day(at)).ci_with("x", "component", |o| o.with("arn", "arn:x").with("memory", 64));
    let fine = |at| B::complete("b", day(at)).ci_with("y", "host", |o| o.with("arn", "arn:x"));
    world.take(&coarse(1));
    assert!(world.by_source("a", "x").unwrap().attribute("memory").is_none());
    world.take(&fine(1));
    let ci = world.by_source("a", "x").unwrap();
    assert_eq!((ci.class.as_str(), memory(ci)), ("host", "64 of a".to_owned()));
    world.assert_settled(&coarse(2));
}

#[test]
fn retirement_is_stated() {
    let mut world = World::new();
    world.take(&B::complete("cmdb", day(1)).ci_with("x", "host", |mut o| {
        o.lifecycle = Some(Lifecycle::Retired);
        o
    }));
    assert!(!world.by_source("cmdb", "x").unwrap().is_in_service());
}
