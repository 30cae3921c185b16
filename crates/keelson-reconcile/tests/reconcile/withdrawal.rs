//! What goes, what stays, and the guard.

use keelson_model::{
    CiKey, Finding, FindingCode, ImportOutcome, Position, RecordChange, RemovalTarget, ReviewState, ReviewTask, Rule,
    Standing, Symbol,
};
use keelson_reconcile::{PlanOutcome, RowKind};

use crate::common::{B, World, codes, day, keyed, source};

fn hosts(source: &str, at: i64, names: impl IntoIterator<Item = usize>) -> B {
    names.into_iter().fold(B::complete(source, day(at)), |batch, n| batch.ci(&format!("h{n:03}"), "host"))
}

#[test]
fn what_a_complete_batch_no_longer_lists_is_withdrawn() {
    let mut world = World::new();
    world.take(&hosts("cloud", 1, 0..3).uses("h000", "h001").uses("h001", "h002"));
    let plan = world.take(&hosts("cloud", 2, [0, 2]));
    let gone = world.ci("host/h001");
    assert_eq!((gone.standing, gone.withdrawn_at), (Standing::Withdrawn, Some(day(2))));
    assert!(gone.claims[0].provenance.tombstone.is_some());
    assert_eq!(world.relationship("host/h001", "uses", "host/h002").unwrap().standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/h000", "uses", "host/h001").unwrap().standing, Standing::Withdrawn);
    assert_eq!(plan.run.configuration_items.withdrawn, 1);
    assert!(plan.rows.iter().any(|row| row.row == RowKind::Withdrawal && &*row.source_key == "h001"));
}

#[test]
fn what_comes_back_is_the_same_item() {
    let mut world = World::new();
    let all = hosts("cloud", 1, 0..2).uses("h000", "h001");
    world.take(&all);
    let id = world.ci("host/h001").id;
    world.take(&hosts("cloud", 2, [0]));
    let mut back = all.clone();
    back.0.observed_at = day(3);
    let plan = world.take(&back);
    let ci = world.ci("host/h001");
    assert_eq!((ci.id, ci.standing, ci.withdrawn_at), (id, Standing::Live, None));
    assert_eq!((plan.run.configuration_items.revived, plan.run.relationships.revived), (1, 1));
    world.assert_settled(&back);
}

#[test]
fn other_sources_and_other_scopes_keep_their_claims() {
    let mut world = World::new();
    let uuid = "4c4c4544-0001";
    let host = |batch: B, key: &str| batch.ci_with(key, "host", |o| o.with("system_uuid", uuid));
    world.take(&host(B::complete("cloud", day(1)), "i-1"));
    world.take(&host(B::complete("agent", day(1)), "web"));
    world.take(&B::complete("cloud", day(1)).in_scope("other").ci("i-2", "host"));
    assert_eq!(world.catalogue.ci_count(), 2);
    world.take(&B::complete("cloud", day(2)).ci("i-3", "host"));
    let shared = world.by_source("agent", "web").unwrap();
    assert_eq!(shared.standing, Standing::Live, "with another live claim it stays");
    assert_eq!(shared.live_claims().count(), 1);
    assert!(shared.merged.is_none());
    assert_eq!(world.by_source("cloud", "i-2").unwrap().standing, Standing::Live);
    world.take(&B::complete("agent", day(3)).ci("other", "host"));
    assert_eq!(world.by_source("agent", "web").unwrap().standing, Standing::Withdrawn);
}

#[test]
fn an_incomplete_batch_withdraws_nothing() {
    let mut world = World::new();
    world.take(&hosts("cloud", 1, 0..5).uses("h000", "h001"));
    for cut in 0..5 {
        let mut part = hosts("cloud", 2 + cut, 0..usize::try_from(cut).unwrap());
        part.0.completeness = keelson_model::Completeness::Delta;
        world.take(&part);
        // A listing that was cut is a delta, whatever it claims to be.
        let mut cut_listing = hosts("cloud", 2 + cut, 0..usize::try_from(cut).unwrap());
        cut_listing.0.findings.push(Finding::new(FindingCode::TruncatedSource, Position::default(), "page 2 failed"));
        world.take(&cut_listing);
    }
    assert_eq!(world.live_cis().len(), 5);
    assert_eq!(world.relationship("host/h000", "uses", "host/h001").unwrap().standing, Standing::Live);
}

#[test]
fn relationships_of_dependents_out_of_scope_stay() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).in_scope("a").ci("web", "host"));
    // Scope b states a relationship of an item it does not describe.
    world.take(&B::complete("cloud", day(1)).in_scope("b").ci("db", "host").uses("web", "db"));
    world.take(&B::complete("cloud", day(2)).in_scope("b").ci("db", "host"));
    assert_eq!(world.relationship("host/web", "uses", "host/db").unwrap().standing, Standing::Live);
}

#[test]
fn a_refused_row_is_not_gone() {
    let mut world = World::new();
    world.take(&hosts("cloud", 1, 0..2).uses("h000", "h001"));
    // Refused here,
    let plan = world.take(&B::complete("cloud", day(2)).ci("h000", "no-such-class").ci("h001", "host"));
    assert_eq!(plan.run.configuration_items.withdrawn, 0);
    // or already by the importer.
    let mut batch = B::complete("cloud", day(3)).ci("h001", "host");
    batch.0.findings.push(Finding::new(FindingCode::MalformedRow, Position::default(), "bad").about("h000"));
    world.take(&batch);
    assert_eq!(world.ci("host/h000").standing, Standing::Live);
    assert_eq!(world.relationship("host/h000", "uses", "host/h001").unwrap().standing, Standing::Live);
}

#[test]
fn removals_in_a_delta() {
    let mut world = World::new();
    world.settings.guard_percent = 100.0;
    let all = hosts("cloud", 1, 0..40).uses("h000", "h001").uses("h002", "h003").need(
        "h004",
        "pair",
        Some(Rule::Any),
        &["h005", "h006"],
    );
    world.take(&all);
    let relationship = RemovalTarget::Relationship {
        kind: Symbol::new("uses"),
        dependent: source("h002"),
        dependency: source("h003"),
    };
    let need = RemovalTarget::Need { dependent: source("h004"), name: "pair".into() };
    let plan =
        world.take(&B::delta("cloud", day(2)).gone("h000").gone("nobody").gone_target(relationship).gone_target(need));
    assert_eq!(world.ci("host/h000").standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/h000", "uses", "host/h001").unwrap().standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/h002", "uses", "host/h003").unwrap().standing, Standing::Withdrawn);
    let need = world.catalogue.needs().next().unwrap().1;
    assert_eq!(need.need.standing, Standing::Withdrawn);
    assert_eq!(world.relationship("host/h004", "depends_on", "host/h005").unwrap().standing, Standing::Withdrawn);
    assert_eq!(codes(&plan), [FindingCode::MissingTarget]);
    assert_eq!(plan.run.configuration_items.withdrawn, 1);
}

#[test]
fn the_guard_stops_too_large_a_withdrawal_until_a_person_approves() {
    let mut world = World::new();
    world.take(&hosts("cloud", 1, 0..34));
    let batch = hosts("cloud", 2, 6..34);
    let plan = world.import(&batch);
    let PlanOutcome::Refused { code: Some(FindingCode::GuardTripped), reason } = &plan.outcome else {
        panic!("{:?}", plan.outcome)
    };
    assert!(reason.contains("6 of 34"), "{reason}");
    assert!(plan.changes.iter().all(|change| matches!(change, RecordChange::Review(_) | RecordChange::Run(_))));
    assert_eq!(plan.run.outcome, ImportOutcome::Refused);
    assert_eq!(world.live_cis().len(), 34);
    let task = world.open_reviews()[0].clone();
    assert!(task.evidence.iter().any(|line| &**line == "host/h000"), "{:?}", task.evidence);
    // Asked once.
    let mut again = batch.clone();
    again.0.observed_at = day(3);
    world.import(&again);
    assert_eq!(world.open_reviews().len(), 1);
    // Another set is another question.
    let mut other = hosts("cloud", 4, 7..34);
    world.import(&other);
    assert_ne!(world.open_reviews()[0].id, task.id);
    assert_eq!(world.open_reviews().len(), 1);
    approve(&mut world);
    other.0.observed_at = day(5);
    world.take(&other);
    assert_eq!(world.live_cis().len(), 27);
    // The approval is used up.
    assert!(world.catalogue.reviews().all(|task| task.state == ReviewState::Obsolete));
}

fn approve(world: &mut World) {
    let task: ReviewTask = world.open_reviews()[0].clone();
    let decision = keelson_model::records::ReviewDecision {
        by: "ann".into(),
        at: world.now,
        reason: "decommissioned".into(),
        candidate: None,
    };
    let after =
        ReviewTask { state: ReviewState::Settled, version: task.version + 1, decision: Some(decision), ..task.clone() };
    world.apply(&[RecordChange::Review(keelson_model::Change::updated(std::sync::Arc::new(task), after))]);
}

#[test]
fn the_guard_watches_relationships_too() {
    let mut world = World::new();
    let star = |at, n| (1..n).fold(hosts("cloud", at, 0..21), |batch, k| batch.uses("h000", &format!("h{k:03}")));
    world.take(&star(1, 21));
    let plan = world.import(&star(2, 11));
    assert!(matches!(plan.outcome, PlanOutcome::Refused { code: Some(FindingCode::GuardTripped), .. }));
    // One is always allowed.
    world.take(&star(3, 20));
}

#[test]
fn small_scopes_work_and_empty_ones_trip() {
    let mut world = World::new();
    world.take(&hosts("cloud", 1, 0..2).uses("h000", "h001").related("h000", "depends_on", "h001"));
    world.take(&hosts("cloud", 2, [1]));
    let plan = world.import(&B::complete("cloud", day(3)));
    assert!(
        matches!(plan.outcome, PlanOutcome::Refused { code: Some(FindingCode::GuardTripped), .. }),
        "{:?}",
        plan.outcome
    );
    world.take(&B::complete("empty", day(3)));
}

#[test]
fn the_guard_is_set_per_source() {
    let mut world = World::new();
    let own = keelson_reconcile::SourceSettings { guard_percent: Some(100.0), ..Default::default() };
    world.settings.sources.insert(Symbol::new("cloud"), own);
    world.take(&hosts("cloud", 1, 0..10));
    world.take(&hosts("cloud", 2, 0..1));
    assert_eq!(world.live_cis().len(), 1);
}

#[test]
fn a_withdrawn_item_does_not_reserve_its_key() {
    let mut world = World::new();
    world.take(&B::complete("cloud", day(1)).ci("web", "host").ci("other", "host"));
    let old = world.ci("host/web").id;
    world.take(&B::complete("cloud", day(2)).ci("other", "host"));
    world.take(&B::complete("agent", day(3)).ci_with("a-1", "host", |mut o| {
        o.name = Some("web".into());
        o
    }));
    let new = world.ci("host/web");
    assert_ne!(new.id, old);
    // When the old one comes back, it gets a key of its own.
    let new = new.id;
    world.take(&B::complete("cloud", day(4)).ci("web", "host").ci("other", "host"));
    assert_eq!(world.ci("host/web").id, new);
    let back = world.by_source("cloud", "web").unwrap();
    assert_eq!((back.id, back.standing), (old, Standing::Live));
    assert!(back.key.starts_with("host/web~"), "{}", back.key);
}

#[test]
fn another_lifetime_is_another_item_with_the_same_key() {
    let mut world = World::new();
    let pod = |at, uid: &str| {
        B::complete("kube", day(at)).ci("web", "service").uses("web", "p").ci_with("p", "pod", |mut o| {
            o.native_id = Some(uid.into());
            o
        })
    };
    world.take(&pod(1, "u1"));
    let old = world.by_source("kube", "p").unwrap().clone();
    let plan = world.take(&pod(2, "u2"));
    let new = world.by_source("kube", "p").unwrap();
    assert_ne!(new.id, old.id);
    assert_eq!((new.succeeds, &new.key), (Some(old.id), &old.key));
    let gone = world.catalogue.ci(world.catalogue.find_id(old.id).unwrap());
    assert_eq!(gone.standing, Standing::Withdrawn);
    assert_eq!(plan.run.configuration_items.created, 1);
    assert_eq!(world.catalogue.relationship_count(), 2);
    let live = world.catalogue.relationships().filter(|(_, r)| r.relationship.standing == Standing::Live);
    assert_eq!(live.map(|(_, r)| r.relationship.key.dependency).collect::<Vec<_>>(), [new.id]);
    world.assert_settled(&pod(2, "u2"));
}

#[test]
fn an_external_id_that_changes_keeps_the_keyed_item() {
    let mut world = World::new();
    world.take(&B::complete("own", day(1)).ci_with("arn:1", "host", keyed("host/web")).ci("x", "host"));
    let id = world.ci("host/web").id;
    world.take(&B::complete("own", day(2)).ci_with("arn:2", "host", keyed("host/web")).ci("x", "host"));
    let ci = world.ci("host/web");
    assert_eq!((ci.id, ci.standing, ci.live_claims().count()), (id, Standing::Live, 1));
    assert_eq!(ci.key, CiKey::new("host/web").unwrap());
}

fn pods(at: i64, count: usize, renewed: usize) -> B {
    (0..count).fold(B::complete("kube", day(at)), |batch, n| {
        batch.ci_with(&format!("p{n:02}"), "pod", |mut o| {
            let lifetime = if n < renewed { at } else { 1 };
            o.native_id = Some(format!("{n}-{lifetime}").into());
            o
        })
    })
}

#[test]
fn the_guard_says_what_it_does_not_count() {
    let mut world = World::new();
    let star = |at, n| (1..n).fold(hosts("cloud", at, 0..n), |batch, k| batch.uses(&format!("h{k:03}"), "h000"));
    world.take(&star(1, 20));
    let plan = world.import(&star(2, 10));
    let PlanOutcome::Refused { reason, .. } = &plan.outcome else { panic!("{:?}", plan.outcome) };
    assert!(reason.contains("10 of 20 configuration items and 0 of 19 relationships (10 more"), "{reason}");
    assert_eq!(plan.run.relationships.withdrawn, 10);
}

#[test]
fn replaced_lifetimes_are_counted_and_guarded() {
    let mut world = World::new();
    world.take(&pods(1, 20, 0));
    let plan = world.take(&pods(2, 20, 10));
    assert_eq!((plan.replaced, plan.run.configuration_items.withdrawn), (10, 0), "half of them is everyday life");
    assert_eq!(plan.rows.iter().filter(|row| row.succeeds.is_some()).count(), 10);
    let before = world.live_cis();
    let replaced = world.import(&pods(3, 20, 11));
    let PlanOutcome::Refused { reason, code } = &replaced.outcome else { panic!("{:?}", replaced.outcome) };
    assert_eq!(*code, Some(FindingCode::GuardTripped));
    assert!(reason.contains("replace 11 of 20 configuration items"), "{reason}");
    assert_eq!((world.live_cis(), replaced.replaced), (before, 11));
    approve(&mut world);
    world.take(&pods(3, 20, 11));
    // A few are always allowed, and the share is a setting.
    // What another scope holds is not counted in this one.
    world.take(&pods(4, 20, 0).in_scope("other"));
    let mut small = World::new();
    small.take(&pods(1, 9, 0));
    small.take(&pods(2, 9, 9));
    let mut own = World::new();
    own.settings.replacement_guard_percent = 100.0;
    own.take(&pods(1, 20, 0));
    own.take(&pods(2, 20, 20));
}
