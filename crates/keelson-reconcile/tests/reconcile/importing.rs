//! Batches in, plans out: rows, findings, the ledger.

use keelson_model::{
    BatchId, Carries, FindingCode, IdSource, ImportOutcome, OnError, RecordChange, RelationshipObservation, Standing,
    Stated, Strength, Symbol,
};
use keelson_reconcile::{Detail, PlanOutcome, RowOutcome};

use crate::common::{B, World, catalogue_key, codes, day, finding, keyed, outcomes, source};

#[test]
fn a_first_batch_creates_and_a_second_changes_nothing() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("web", "application").ci("db", "database").uses("web", "db");
    let plan = world.take(&batch);
    assert_eq!(plan.run.configuration_items.created, 2);
    assert_eq!(plan.run.relationships.created, 1);
    assert_eq!(world.live_cis(), ["application/web", "database/db"]);
    assert!(world.relationship("application/web", "uses", "database/db").unwrap().is_plain());
    world.assert_settled(&batch);
    let mut later = batch.clone();
    later.0.observed_at = day(2);
    let plan = world.take(&later);
    let kinds: Vec<_> =
        plan.changes.iter().map(|change| matches!(change, RecordChange::Scope(_) | RecordChange::Run(_))).collect();
    assert_eq!(kinds, [true, true], "only the scope and the ledger move");
    assert_eq!(world.ci("application/web").version, 1);
    let scope = world.catalogue.scope(&Symbol::new("cloud"), &later.0.scope).unwrap();
    assert_eq!((scope.last_complete, scope.last_seen), (Some(day(2)), day(2)));
}

#[test]
fn the_same_delivery_is_known_and_leaves_no_trace() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("web", "application");
    let first = world.take(&batch);
    let again = world.plan(&batch);
    assert_eq!(again.outcome, PlanOutcome::AlreadyKnown { batch: first.batch, revision: world.catalogue.revision() });
    assert!(again.changes.is_empty());
    assert_eq!(again.run.configuration_items.created, 1, "the stored result");
    assert_eq!(again.run.outcome, ImportOutcome::AlreadyKnown);
}

#[test]
fn a_batch_id_is_used_once() {
    let mut world = World::new();
    let id = BatchId(world.ids.next_ulid());
    let first = world.plan_as(&B::complete("cloud", day(1)).ci("web", "application"), id);
    world.apply(&first.changes);
    let second = world.plan_as(&B::complete("cloud", day(2)).ci("db", "database"), id);
    assert!(matches!(second.outcome, PlanOutcome::Refused { .. }), "{:?}", second.outcome);
    assert!(second.changes.is_empty());
}

#[test]
fn an_older_complete_batch_is_refused() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(2)).ci("web", "application"));
    let plan = world.plan(&B::complete("cloud", day(1)).ci("old", "application"));
    assert!(matches!(plan.outcome, PlanOutcome::Refused { code: Some(FindingCode::OlderThanKnown), .. }));
    assert!(plan.changes.is_empty());
    let elsewhere = B::complete("cloud", day(1)).in_scope("account=2").ci("old", "application");
    world.take(&elsewhere);
}

#[test]
fn older_news_in_a_delta_is_left_out() {
    let mut world = World::new();
    let versioned = |at, version, memory: i64| {
        B::delta("cloud", at).ci_with("web", "host", |mut o| {
            o.native_version = Some(version);
            o.with("memory", memory)
        })
    };
    world.take(&versioned(day(1), 7, 70));
    let plan = world.take(&versioned(day(2), 5, 50));
    assert_eq!(outcomes(&plan), [("web".to_owned(), RowOutcome::Skipped)]);
    assert_eq!(codes(&plan), [FindingCode::OlderThanKnown]);
    assert_eq!(world.ci("host/web").attribute("memory").unwrap().to_string(), "70");
    world.take(&versioned(day(3), 8, 80));
    assert_eq!(world.ci("host/web").attribute("memory").unwrap().to_string(), "80");
    // Without versions the time of reading decides.
    world.take(&B::delta("agent", day(3)).ci_with("a", "host", |o| o.with("memory", 3)));
    world.take(&B::delta("agent", day(2)).ci_with("a", "host", |o| o.with("memory", 2)));
    assert_eq!(world.by_source("agent", "a").unwrap().attribute("memory").unwrap().to_string(), "3");
}

#[test]
fn in_a_delta_absent_is_not_gone() {
    let mut world = World::new();
    let host = |batch: B, attribute: &str| batch.ci_with("web", "host", |o| o.with(attribute, "x"));
    world.take(&host(B::delta("cloud", day(1)), "hostname"));
    world.take(&host(B::delta("cloud", day(2)), "fqdn"));
    let facts = world.ci("host/web").facts();
    assert_eq!(facts.attributes.len(), 2);
    world.take(&host(B::complete("cloud", day(3)), "fqdn"));
    assert!(world.ci("host/web").attribute("hostname").is_none(), "in a complete batch it is");
}

#[test]
fn an_error_stops_a_strict_batch_and_names_the_place() {
    let mut world = World::new();
    let mut batch =
        B::complete("own", day(1)).ci("web", "application").ci_with("host", "host", |o| o.with("memory", "much"));
    batch.0.on_error = OnError::Stop;
    let plan = world.plan(&batch);
    let PlanOutcome::Refused { reason, code } = &plan.outcome else { panic!("{:?}", plan.outcome) };
    assert_eq!(*code, Some(FindingCode::MalformedRow));
    assert!(reason.contains("line 2") && reason.contains("memory"), "{reason}");
    assert!(plan.changes.is_empty());
}

#[test]
fn a_foreign_batch_goes_on_without_the_bad_row() {
    let mut world = World::new();
    let batch = |class: &str| B::complete("cloud", day(1)).ci("web", "application").ci("odd", class);
    let plan = world.take(&batch("aplication"));
    assert_eq!(finding(&plan, FindingCode::UnknownClass).field.as_deref(), Some("class"));
    assert_eq!((plan.run.configuration_items.created, plan.run.configuration_items.rejected), (1, 1));
    let mut corrected = batch("application");
    corrected.0.observed_at = day(2);
    let plan = world.take(&corrected);
    assert_eq!(plan.run.configuration_items.created, 1, "a rejected row corrected in the next batch applies");
}

#[test]
fn a_bad_value_is_kept_as_written_unless_it_identifies() {
    let mut world = World::new();
    let plan = world
        .take(&B::complete("cloud", day(1)).ci_with("a", "host", |o| o.with("memory", "much").with("colour", "red")));
    assert_eq!(codes(&plan), [FindingCode::MalformedRow, FindingCode::UnmodelledAttribute]);
    let facts = world.ci("host/a").facts();
    let kept: Vec<_> = facts.unmodelled.iter().map(|(name, text)| format!("{name}={text}")).collect();
    assert_eq!(kept, ["colour=\"red\"", "memory=\"much\""]);
    let plan =
        world.take(&B::complete("cloud", day(2)).ci("a", "host").ci_with("b", "host", |o| o.with("system_uuid", 7)));
    assert_eq!(plan.run.configuration_items.rejected, 1);
    assert!(world.by_source("cloud", "b").is_none());
}

#[test]
fn attributes_nobody_defined_are_counted_once_per_row() {
    let mut world = World::new();
    let host = |batch: B, key: &str| batch.ci_with(key, "host", |o| o.with("colour", "red").with("memory", "much"));
    world.take(&host(B::complete("cloud", day(1)), "a"));
    // The known row is looked at twice when there is a new one beside it.
    let plan = world.take(&host(host(B::complete("cloud", day(2)), "a"), "b"));
    assert!(finding(&plan, FindingCode::UnmodelledAttribute).message.contains("(2 rows)"));
    assert_eq!(plan.run.findings[&FindingCode::MalformedRow], 2);
}

#[test]
fn beyond_a_limit_a_row_is_rejected_not_cut() {
    let mut world = World::new();
    let long = "x".repeat(1_025);
    let plan = world.take(&B::complete("cloud", day(1)).ci_with("a", "host", |mut o| {
        o.name = Some(long.as_str().into());
        o
    }));
    assert_eq!(codes(&plan), [FindingCode::LimitExceeded]);
    assert!(world.live_cis().is_empty());
    world.settings.limits.relationships_per_ci = 2;
    let batch = B::complete("cloud", day(2)).ci("hub", "host");
    let batch = (0..4).fold(batch, |batch, n| batch.ci(&format!("d{n}"), "database").uses("hub", &format!("d{n}")));
    let plan = world.take(&batch);
    assert_eq!((plan.run.relationships.created, plan.run.relationships.rejected), (2, 2));
    assert_eq!(codes(&plan), [FindingCode::LimitExceeded], "told once");
}

#[test]
fn the_same_key_twice_is_put_together() {
    let mut world = World::new();
    let plan = world.take(&B::complete("cloud", day(1)).ci_with("a", "host", |o| o.with("memory", 1)).ci_with(
        "a",
        "host",
        |o| o.with("memory", 2).with("hostname", "h"),
    ));
    let clash = finding(&plan, FindingCode::DuplicateConflict);
    assert!(clash.message.contains("'1' kept, '2' left out"), "both values: {}", clash.message);
    let ci = world.ci("host/a");
    assert_eq!(ci.attribute("memory").unwrap().to_string(), "1", "the earlier wins");
    assert_eq!(ci.attribute("hostname").unwrap().to_string(), "h", "the later fills gaps");
}

#[test]
fn a_relationship_from_both_ends_is_one() {
    let mut world = World::new();
    let mut batch = B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").uses("a", "b").uses("a", "b");
    batch.0.relationships[0].evidence = Some(Symbol::new("depends_on"));
    batch.0.relationships[1].evidence = Some(Symbol::new("dependency_of"));
    batch.0.relationships[1].strength = Some(Strength::Soft { cap: 0.5 });
    let plan = world.take(&batch);
    assert_eq!((plan.run.relationships.created, plan.run.relationships.skipped), (1, 1));
    let relationship = world.relationship("host/a", "uses", "host/b").unwrap();
    assert_eq!(relationship.claims.len(), 1);
    assert_eq!(relationship.claims[0].evidence.as_deref(), Some("dependency_of+depends_on"));
    assert_eq!(relationship.strength(), Some(Strength::Soft { cap: 0.5 }));
    world.assert_settled(&batch);
}

#[test]
fn undirected_relationships_are_stored_once() {
    let mut world = World::new();
    let kinds = &world.catalogue.schema().kinds;
    let kind = kinds.all().into_iter().find(|kind| kind.carries == Carries::Undirected).unwrap().name.clone();
    let batch =
        B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").related("a", &kind, "b").related("b", &kind, "a");
    world.take(&batch);
    assert_eq!(world.catalogue.relationship_count(), 1);
    world.assert_settled(&batch);
}

#[test]
fn a_self_loop_is_kept_with_the_claim() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("a", "host").uses("a", "a");
    let plan = world.take(&batch);
    assert_eq!(codes(&plan), [FindingCode::SelfLoop]);
    assert_eq!(world.catalogue.relationship_count(), 0);
    assert_eq!(world.ci("host/a").claims[0].self_relationships, [Symbol::new("uses")]);
    world.assert_settled(&batch);
}

#[test]
fn an_unknown_kind_of_relationship_is_a_finding_and_no_relationship() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").related("a", "adores", "b");
    let plan = world.take(&batch);
    assert_eq!(codes(&plan), [FindingCode::UnknownRelationType]);
    assert_eq!(plan.run.relationships.rejected, 1);
}

#[test]
fn what_nobody_describes_becomes_a_placeholder_and_is_filled() {
    let mut world = World::new();
    let first = B::complete("cloud", day(1)).ci("web", "application").uses("web", "db").uses("web", "db");
    let plan = world.take(&first);
    assert_eq!(codes(&plan), [FindingCode::MissingTarget]);
    let placeholder = world.by_source("cloud", "db").unwrap().clone();
    assert_eq!(placeholder.standing, Standing::Placeholder);
    world.assert_settled(&first);
    let second = B::complete("cloud", day(2)).ci("web", "application").ci("db", "database").uses("web", "db");
    let plan = world.take(&second);
    assert_eq!(plan.run.configuration_items.filled_placeholder, 1);
    let filled = world.by_source("cloud", "db").unwrap();
    assert_eq!((filled.id, filled.standing, filled.key.as_str()), (placeholder.id, Standing::Live, "database/db"));
    assert_eq!(world.catalogue.relationship_count(), 1, "relationships are not rewritten");
    world.assert_settled(&second);
}

#[test]
fn a_placeholder_goes_when_nothing_refers_to_it() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("web", "application").uses("web", "db"));
    let plan = world.take(&B::complete("cloud", day(2)).ci("web", "application"));
    assert_eq!(plan.outcome, PlanOutcome::Ready, "placeholders do not count for the guard");
    assert_eq!(world.by_source("cloud", "db").unwrap().standing, Standing::Withdrawn);
    world.take(&B::complete("cloud", day(3)).ci("web", "application").uses("web", "db"));
    assert_eq!(world.by_source("cloud", "db").unwrap().standing, Standing::Placeholder);
}

#[test]
fn references_by_catalogue_key_meet_other_sources() {
    let mut world = World::new();
    let batch = B::complete("own", day(1)).ci_with("web", "application", keyed("application/web"));
    let at = batch.position();
    let batch = batch.relate(RelationshipObservation::new("uses", source("web"), catalogue_key("service/pay"), at));
    world.take(&batch);
    assert_eq!(world.ci("service/pay").standing, Standing::Placeholder);
    let id = world.ci("service/pay").id;
    // A name that gives just this key fills it; so does a stated key.
    world.take(&B::complete("backstage", day(2)).ci("pay", "service"));
    let filled = world.ci("service/pay");
    assert_eq!((filled.id, filled.standing), (id, Standing::Live));
    world.assert_settled(&batch);
}

#[test]
fn members_and_plain_statements_are_told_apart() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").ci("c", "host");
    let batch = batch.need("a", "pair", Some(keelson_model::Rule::Any), &["b", "c"]).related("a", "depends_on", "b");
    world.take(&batch);
    let both = world.relationship("host/a", "depends_on", "host/b").unwrap();
    let mut stated: Vec<_> = both.claims.iter().map(|claim| claim.stated).collect();
    stated.sort();
    assert_eq!(stated, [Stated::Plain, Stated::Member]);
    assert!(!world.relationship("host/a", "depends_on", "host/c").unwrap().is_plain());
    world.assert_settled(&batch);
    let mut without = B::complete("cloud", day(2)).ci("a", "host").ci("b", "host").ci("c", "host");
    without = without.need("a", "pair", Some(keelson_model::Rule::Any), &["b", "c"]);
    world.take(&without);
    assert!(!world.relationship("host/a", "depends_on", "host/b").unwrap().is_plain());
    assert_eq!(world.relationship("host/a", "depends_on", "host/b").unwrap().standing, Standing::Live);
}

#[test]
fn rows_are_listed_as_asked() {
    let mut world = World::new();
    let batch = B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").ci("odd", "nothing").uses("a", "b");
    world.settings.detail = Detail::Problems;
    let plan = world.plan(&batch);
    assert_eq!((plan.rows.len(), plan.rows_left_out), (1, 3));
    world.settings.detail = Detail::All;
    assert_eq!(world.plan(&batch).rows.len(), 4);
    world.settings.detail = Detail::Changed;
    world.settings.rows_at_most = 1;
    let plan = world.plan(&batch);
    assert_eq!((plan.rows.len(), plan.rows_left_out), (2, 2), "problems are counted apart");
}

#[test]
fn a_plan_is_the_same_every_time() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").uses("a", "b").uses("b", "x"));
    let next =
        B::complete("cloud", day(2)).ci("a", "host").ci("c", "host").ci("b", "host").uses("c", "y").uses("b", "z");
    let id = BatchId(world.ids.next_ulid());
    let mut ids = world.ids.clone();
    let dry = world.plan_as(&next, id);
    std::mem::swap(&mut world.ids, &mut ids);
    let applied = world.plan_as(&next, id);
    assert_eq!(serde_json::to_string(&dry).unwrap(), serde_json::to_string(&applied).unwrap(), "byte for byte");
    let text = serde_json::to_string(&dry).unwrap();
    let read: keelson_reconcile::Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, dry, "a saved plan can be applied later");
}

#[test]
fn late_deltas_bring_nothing_back() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("a", "host").ci("b", "host").uses("a", "b"));
    world.take(&B::complete("cloud", day(3)).ci("a", "host").ci("b", "host"));
    let plan = world.take(&B::delta("cloud", day(2)).uses("a", "b").uses("b", "a").ci("c", "host").gone("a"));
    assert!(!plan.changes_content(), "{:#?}", plan.changes);
    assert_eq!((plan.run.relationships.skipped, plan.run.configuration_items.skipped), (2, 1));
    // A listing read before a delta came takes nothing away that the delta brought.
    world.take(&B::delta("cloud", day(5)).ci("new", "host"));
    world.take(&B::complete("cloud", day(4)).ci("a", "host").ci("b", "host"));
    assert_eq!(world.ci("host/new").standing, Standing::Live);
}

#[test]
fn settings_are_read_from_a_file() {
    let settings: keelson_reconcile::Settings = toml::from_str(
        r#"
        guard_percent = 10
        [sources.aws]
        guard_percent = 100
        interval_minutes = 15
        [precedence]
        sources = ["aws", "backstage"]
        [[precedence.rule]]
        class = "service"
        attribute = "tags"
        strategy = "union"
        [limits]
        name_characters = 100
        "#,
    )
    .unwrap();
    assert!((settings.guard("aws") - 100.0).abs() < f64::EPSILON && (settings.guard("x") - 10.0).abs() < f64::EPSILON);
    assert_eq!(settings.fresh_for("aws", None), chrono::TimeDelta::minutes(45));
    assert_eq!(settings.fresh_for("x", None), chrono::TimeDelta::days(60));
    assert_eq!(settings.precedence.rules[0].strategy, keelson_reconcile::Strategy::Union);
    assert!(toml::from_str::<keelson_reconcile::Settings>("gaurd_percent = 1").is_err());
}
